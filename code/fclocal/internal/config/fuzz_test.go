package config

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// The pieces of a text are all of it, and no expression makes the resolver fail
// otherwise than by a problem.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{"a${vars.a['b'][0]}b${env('A', \"b\\\"\")}", "${json(str(base64(vars.x)))}", "${env(X)}${", "${this.props.x}", "${file('/dev/null')}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var joined strings.Builder
		for _, p := range pieces(text) {
			if p.expression {
				joined.WriteString("${" + p.text + "}")
			} else {
				joined.WriteString(p.text)
			}
		}
		if joined.String() != text {
			t.Errorf("%q became %q", text, joined.String())
		}
		document := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
		n := newResolver(&document, &edition3, "testdata/base3.yaml").resolve(&document)
		if n.kind == scalarKind && !n.unresolved && n.scalar == nil {
			t.Errorf("%q has no value", text)
		}
	})
}
