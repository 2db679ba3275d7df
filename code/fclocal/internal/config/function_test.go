package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func TestByteCount(t *testing.T) {
	for text, want := range map[string]int64{
		"": 0, "off": 0, "0": 0, "100": 100, "100B": 100, "3KiB": 3 << 10, "3MiB": 3 << 20, "3GiB": 3 << 30, "3TiB": 3 << 40,
		"9223372036854775807": 1<<63 - 1, "8388607TiB": 8388607 << 40,
	} {
		if got, ok := byteCount(text); got != want || !ok {
			t.Errorf("%q: %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"100MB", "100M", "100Mi", "MiB", "B", "-1", "1.5GiB", "1 GiB", "1KiBB", "9223372036854775808", "8388608TiB", "OFF"} {
		if got, ok := byteCount(text); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestBuiltPrograms(t *testing.T) {
	for run, want := range map[string][]string{
		`GOOS=linux go build -trimpath -ldflags "-s -w -buildid=" -o target/main .`: {"main"},
		"go build -o=main":                                   {"main"},
		"go -C code build -o './target/a' .":                 {"a"},
		`mkdir -p x && go build -o "x/a" . && go build -o b`: {"a", "b"},
		"go build":                   nil,
		"go build -o target/":        nil, // what it is named, only Go knows
		"go build -o .":              nil,
		"go build -o target/${NAME}": nil,
		"go test ./... -o x":         nil,
		"cargo build -o x":           nil,
		"go build . && cc -o x x.c":  nil,
	} {
		document := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: run}
		r := newResolver(&document, &edition1, "")
		action := &node{kind: mappingKind, fields: []field{{key: "run", value: r.resolve(&document)}}}
		if got := builtPrograms([]*node{{kind: listKind, items: []*node{action}}}); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", run, got, want)
		}
	}
}

// What is in codeUri and what builds it.
func TestProgram(t *testing.T) {
	const missing = `9:65: warning: codeUri is "./code/target", where no program "main" is, nor a go.mod there or above to build it from`
	for _, test := range []struct {
		name, document string
		files          []string
		want           string
	}{
		{"nothing yet", smallest, nil, ""},
		{"program", smallest, []string{"code/target/main"}, ""},
		{"another program", smallest, []string{"code/target/mian"}, missing},
		{"source above", smallest, []string{"code/target/mian", "code/go.mod"}, ""},
		{"source beside s.yaml", smallest, []string{"code/target/mian", "go.mod"}, ""},
		{"codeUri that is a file", smallest, []string{"code/target"}, ""},
		{"another name", strings.Replace(strings.Replace(smallest, "handler: main", "handler: mian", 1), "    props:",
			"    actions: {pre-deploy: [{run: go build -o target/main ., path: ./code}]}\n    props:", 1), []string{"code/go.mod"},
			`10:50: warning: handler is "mian"; the action pre-deploy builds "main"`},
		{"the same name", strings.Replace(smallest, "    props:",
			"    actions: {pre-deploy: [{run: go build -o target/main ., path: ./code}]}\n    props:", 1), []string{"code/go.mod"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			for _, name := range append(test.files, "s.yaml") {
				path := filepath.Join(directory, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(strings.Replace(test.document, "codeUri: .", "codeUri: ./code/target", 1)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, problems, err := Load(filepath.Join(directory, "s.yaml"), Options{})
			if got := strings.Join(brief(problems), "\n"); got != test.want || err != nil {
				t.Errorf("%s, %v; want %s", got, err, test.want)
			}
		})
	}
}
