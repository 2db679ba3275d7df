package config

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A resolver makes nodes of the YAML parser's. Each is made once; resolved
// holds nil for those being made, which is how cycles are found.
type resolver struct {
	vars     *yaml.Node
	resolved map[*yaml.Node]*node
}

func newResolver(root *yaml.Node) *resolver {
	return &resolver{vars: rawField(root, "vars"), resolved: map[*yaml.Node]*node{}}
}

// busy tells whether raw is being resolved just now.
func (r *resolver) busy(raw *yaml.Node) bool {
	n, seen := r.resolved[raw]
	return seen && n == nil
}

func (r *resolver) resolve(raw *yaml.Node) *node {
	if raw.Kind == yaml.AliasNode {
		if r.busy(raw.Alias) {
			n := &node{place: placeOf(raw), unresolved: true}
			n.fail(n.place, "the anchor &%s contains itself", raw.Value)
			return n
		}
		return r.resolve(raw.Alias)
	}
	if n := r.resolved[raw]; n != nil {
		return n
	}
	r.resolved[raw] = nil
	n := r.build(raw)
	r.resolved[raw] = n
	return n
}

func (r *resolver) build(raw *yaml.Node) *node {
	n := &node{place: placeOf(raw), text: raw.Value}
	switch raw.Kind {
	case yaml.MappingNode:
		n.kind = mappingKind
		r.buildMapping(n, raw)
	case yaml.SequenceNode:
		n.kind = listKind
		for _, item := range raw.Content {
			n.items = append(n.items, r.resolve(item))
		}
	default:
		if raw.ShortTag() == "!!str" && strings.Contains(raw.Value, "${") {
			return r.expand(n)
		}
		var err error
		if n.scalar, err = decodeScalar(raw); err != nil {
			n.unresolved = true
			n.fail(n.place, "%q is not a YAML %s", raw.Value, strings.TrimPrefix(raw.ShortTag(), "!!"))
		}
	}
	return n
}

func (r *resolver) buildMapping(n *node, raw *yaml.Node) {
	index := make(map[string]int, len(raw.Content)/2)
	var merged []*node
	for i := 0; i+1 < len(raw.Content); i += 2 {
		key, value := raw.Content[i], raw.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			n.fail(placeOf(key), "a key must be a scalar")
			continue
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, r.merged(n, value)...)
			continue
		}
		if first, seen := index[key.Value]; seen {
			n.fail(placeOf(key), "duplicate key %q; it is first on line %d", key.Value, n.fields[first].line)
			continue
		}
		index[key.Value] = len(n.fields)
		n.fields = append(n.fields, field{key.Value, placeOf(key), r.resolve(value)})
	}
	for _, source := range merged {
		for _, f := range source.fields {
			if _, seen := index[f.key]; !seen {
				index[f.key] = len(n.fields)
				n.fields = append(n.fields, f)
			}
		}
	}
}

// merged returns the mappings that the value of a merge key (<<) stands for.
func (r *resolver) merged(n *node, raw *yaml.Node) []*node {
	value := r.resolve(raw)
	sources := []*node{value}
	if value.kind == listKind {
		sources = value.items
	}
	n.problems = append(n.problems, value.problems...) // value itself is in no field
	for _, source := range sources {
		if source.kind != mappingKind && !source.unresolved {
			n.fail(placeOf(raw), "<< is %s; a mapping or a list of mappings is needed", source.describe())
		}
	}
	return sources
}

// decodeScalar returns nil, a bool, a string or a number that is finite.
func decodeScalar(raw *yaml.Node) (any, error) {
	var value any
	if err := raw.Decode(&value); err != nil {
		return nil, err
	}
	switch v := value.(type) {
	case nil, bool, string:
		return v, nil
	case int, int64, uint64:
		return json.Number(fmt.Sprint(v)), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return raw.Value, nil
		}
		// Without an exponent, which the validator would write out digit by digit.
		return json.Number(strconv.FormatFloat(v, 'f', -1, 64)), nil
	default: // a timestamp or binary data
		return raw.Value, nil
	}
}

var (
	expression    = regexp.MustCompile(`\$\{([^{}]*)\}`)
	varExpression = regexp.MustCompile(`^vars\.([^\s.]+(?:\.[^\s.]+)*)$`)
	envExpression = regexp.MustCompile(`^env\(\s*([^\s,()]+)\s*(?:(,)\s*(.*?)\s*)?\)$`)
)

// maxText bounds the length of a text in bytes once its variables are
// replaced, so that variables made of variables cannot fill the memory.
const maxText = 64 << 10

// expand replaces the ${...} in the text of n. A text that is nothing but one
// ${vars.x} becomes the variable's node, so that numbers stay numbers.
func (r *resolver) expand(n *node) *node {
	matches := expression.FindAllStringSubmatchIndex(n.text, -1)
	if len(matches) == 1 && matches[0][0] == 0 && matches[0][1] == len(n.text) {
		inner := strings.TrimSpace(n.text[matches[0][2]:matches[0][3]])
		if varExpression.MatchString(inner) {
			if value := r.variable(n, inner); value != nil {
				return value
			}
			return n
		}
		if envExpression.MatchString(inner) {
			n.env = n.text
		}
	}
	var expanded strings.Builder
	end := 0
	for _, match := range matches {
		expanded.WriteString(n.text[end:match[0]])
		expanded.WriteString(r.evaluate(n, n.text[match[0]:match[1]], strings.TrimSpace(n.text[match[2]:match[3]])))
		end = match[1]
		if expanded.Len() > maxText {
			n.unresolved = true
			n.fail(n.place, "the text is longer than %d KB once its variables are replaced", maxText>>10)
			break
		}
	}
	if !n.unresolved {
		n.text = expanded.String() + n.text[end:]
	}
	n.scalar = n.text
	return n
}

// evaluate returns the text of one ${...} of n. It marks n as unresolved, with
// the reason, when there is none.
func (r *resolver) evaluate(n *node, whole, inner string) string {
	if varExpression.MatchString(inner) {
		value := r.variable(n, inner)
		switch {
		case value == nil:
		case value.unresolved:
			n.unresolved = true // the definition says why
		case value.kind != scalarKind || value.scalar == nil:
			n.unresolved = true
			n.fail(n.place, "%s is %s; within a text only a string, a number or a boolean can stand", whole, value.describe())
		default:
			return value.text
		}
		return ""
	}
	if env := envExpression.FindStringSubmatch(inner); env != nil {
		if value, ok := os.LookupEnv(env[1]); ok {
			return value
		}
		if env[2] != "" {
			return strings.Trim(env[3], `'"`)
		}
		n.unresolved = true
		n.fail(n.place, "the environment variable %s is not set; s would leave %s as it stands", env[1], whole)
		return ""
	}
	n.unresolved = true
	n.problems = append(n.problems, nodeProblem{n.place, SeverityWarning,
		fmt.Sprintf("fclocal cannot resolve %s; the value is not checked", whole)})
	return ""
}

// variable returns the node that "vars.a.b" stands for. If there is none it
// returns nil and marks n as unresolved, with the reason.
func (r *resolver) variable(n *node, name string) *node {
	keys := strings.Split(name, ".")[1:]
	raw := dealias(r.vars)
	// As far as mappings go, values are left unresolved: one entry of a mapping
	// may use another.
	for len(keys) > 0 && raw != nil && raw.Kind == yaml.MappingNode {
		raw, keys = dealias(rawField(raw, keys[0])), keys[1:]
	}
	if raw != nil && r.busy(raw) {
		n.unresolved = true
		n.fail(n.place, "${%s} is defined by itself", name)
		return nil
	}
	var value *node
	if raw != nil {
		value = r.resolve(raw)
		if !value.unresolved {
			value = value.at(keys...)
		}
	}
	if value == nil {
		n.unresolved = true
		n.fail(n.place, "${%s} is not defined; %s", name, suggestVariable(name, rawNames(r.vars, "vars", map[*yaml.Node]bool{})))
	}
	return value
}

func suggestVariable(name string, names []string) string {
	if len(names) == 0 {
		return "the file has no vars"
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean ${%s}?", near)
	}
	return "defined are " + strings.Join(names, ", ")
}

func dealias(raw *yaml.Node) *yaml.Node {
	if raw != nil && raw.Kind == yaml.AliasNode {
		return raw.Alias
	}
	return raw
}

// rawField returns the value of a key of a mapping, merge keys included, nil if
// there is none.
func rawField(mapping *yaml.Node, key string) *yaml.Node {
	return rawFieldOf(mapping, key, 0)
}

func rawFieldOf(mapping *yaml.Node, key string, depth int) *yaml.Node {
	const maxDepth = 10 // of merge keys in what they merge, which may be a cycle
	mapping = dealias(mapping)
	if mapping == nil || mapping.Kind != yaml.MappingNode || depth > maxDepth {
		return nil
	}
	var sources []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		k, value := mapping.Content[i], mapping.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode:
		case k.ShortTag() == "!!merge":
			if source := dealias(value); source.Kind == yaml.SequenceNode {
				sources = append(sources, source.Content...)
			} else {
				sources = append(sources, source)
			}
		case k.Value == key:
			return value
		}
	}
	for _, source := range sources {
		if value := rawFieldOf(source, key, depth+1); value != nil {
			return value
		}
	}
	return nil
}

// rawNames lists what ${...} may refer to: the scalars and lists below a mapping.
func rawNames(raw *yaml.Node, path string, seen map[*yaml.Node]bool) []string {
	raw = dealias(raw)
	if raw == nil || raw.Kind != yaml.MappingNode || seen[raw] {
		return nil
	}
	seen[raw] = true
	var names []string
	for i := 0; i+1 < len(raw.Content); i += 2 {
		key, value := raw.Content[i], raw.Content[i+1]
		name := path + "." + key.Value
		if dealias(value).Kind == yaml.MappingNode {
			names = append(names, rawNames(value, name, seen)...)
		} else {
			names = append(names, name)
		}
	}
	return names
}
