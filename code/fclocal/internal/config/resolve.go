package config

import (
	"encoding/json"
	"fmt"
	"iter"
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
	edition  *edition
	file     string // s.yaml
	root     *yaml.Node
	vars     *yaml.Node
	resolved map[*yaml.Node]*node
	indexes  map[*yaml.Node]map[string]*yaml.Node // of mappings that variables were looked for in

	// Of FC 3.0's file: the resource that is being resolved, and what has been read.
	resources  map[*yaml.Node]string
	this       *yaml.Node
	thisName   string
	variables  map[string]string // of .env; nil until one is asked for
	contents   map[string]string // of files, by their paths
	read       []string          // absolute paths of these
	structures map[string]*node  // by what they were read from

	names   []string // what ${vars...} may refer to, once one refers to nothing else
	unknown int      // variables so far

	copied, texts int          // keys that merge keys have copied, bytes of texts with variables
	stopped       *nodeProblem // why nothing more is resolved: the file stands for too much
}

func newResolver(root *yaml.Node, e *edition, file string) *resolver {
	r := &resolver{edition: e, file: file, root: root, resolved: map[*yaml.Node]*node{}, indexes: map[*yaml.Node]map[string]*yaml.Node{},
		resources: map[*yaml.Node]string{}, contents: map[string]string{}, structures: map[string]*node{}}
	index := r.index(root)
	r.vars = index["vars"]
	if e.syntax == newSyntax {
		for name, resource := range r.index(index[e.units]) {
			r.resources[dealias(resource)] = name
		}
	}
	return r
}

func (r *resolver) stop(at place, format string, args ...any) {
	if r.stopped == nil {
		r.stopped = &nodeProblem{place: at, severity: SeverityError, message: fmt.Sprintf(format, args...)}
	}
}

// merge counts what a merge key copies. It returns false once that is too much.
func (r *resolver) merge(at *yaml.Node, keys int) bool {
	if r.copied += keys; r.copied > maxMerged {
		r.stop(placeOf(at), "merge keys copy more than %d keys up to here", maxMerged)
	}
	return r.stopped == nil
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
	if name, is := r.resources[raw]; is {
		before, beforeName := r.this, r.thisName
		r.this, r.thisName = raw, name
		defer func() { r.this, r.thisName = before, beforeName }()
	}
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
			n.fail(n.place, "%s is not a YAML %s", quote(raw.Value), cut(strings.TrimPrefix(raw.ShortTag(), "!!"), maxQuoted))
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
			n.fail(placeOf(key), "duplicate key %s; it is first on line %d", quote(key.Value), n.fields[first].line)
			continue
		}
		resolved := r.resolve(value)
		if r.edition.syntax == newSyntax && resolved.kind == scalarKind && resolved.scalar == nil && !resolved.unresolved {
			continue // s takes it for absent
		}
		index[key.Value] = len(n.fields)
		n.fields = append(n.fields, field{key.Value, placeOf(key), resolved})
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
	if !r.merge(raw, len(value.problems)) {
		return nil
	}
	n.problems = append(n.problems, value.problems...) // value itself is in no field
	for _, source := range sources {
		if !r.merge(raw, 1+len(source.fields)) {
			return nil
		}
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
	oldExpression = regexp.MustCompile(`\$\{([^{}]*)\}`)
	varExpression = regexp.MustCompile(`^vars\.([^\s.]+(?:\.[^\s.]+)*)$`)
	envExpression = regexp.MustCompile(`^env\(\s*([^\s,()]+)\s*(?:(,)\s*(.*?)\s*)?\)$`)
)

// A syntax is a way to write ${...}.
type syntax int

const (
	oldSyntax syntax = iota // ${vars.x} and ${env(X, default)}
	newSyntax               // function calls, quoted texts, other resources
	noSyntax                // ${...} is text
)

// expand replaces the ${...} in the text of n. A text that is nothing but one
// ${vars.x} becomes the variable's node, so that numbers stay numbers.
func (r *resolver) expand(n *node) *node {
	if r.stopped != nil {
		n.unresolved = true
		return n
	}
	switch r.edition.syntax {
	case noSyntax:
		n.scalar = n.text
		return n
	case newSyntax:
		return r.expandNew(n)
	}
	matches := oldExpression.FindAllStringSubmatchIndex(n.text, -1)
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
	return r.join(n, func(yield func(text, mask string) bool) {
		end := 0
		for _, match := range matches {
			literal := n.text[end:match[0]]
			text, mask := r.evaluate(n, n.text[match[0]:match[1]], strings.TrimSpace(n.text[match[2]:match[3]]))
			if !yield(literal+text, literal+mask) {
				return
			}
			end = match[1]
		}
		yield(n.text[end:], n.text[end:])
	})
}

// join makes n the text of these parts, each with what is shown of it.
func (r *resolver) join(n *node, parts iter.Seq2[string, string]) *node {
	var expanded, masked strings.Builder
	for text, mask := range parts {
		expanded.WriteString(text)
		masked.WriteString(mask)
		if max(expanded.Len(), masked.Len()) > maxText {
			n.unresolved = true
			n.fail(n.place, "the text is longer than %d KB once its variables are replaced", maxText>>10)
			break
		}
	}
	if r.texts += expanded.Len() + masked.Len(); r.texts > maxTexts {
		r.stop(n.place, "the texts up to here are longer than %d MB once their variables are replaced", maxTexts>>20)
	}
	if !n.unresolved {
		n.text, n.masked = expanded.String(), masked.String()
	}
	n.scalar = n.text
	return n
}

// evaluate returns the text of one ${...} of n, and the text to show for it. It marks
// n as unresolved, with the reason, when there is none.
func (r *resolver) evaluate(n *node, whole, inner string) (text, masked string) {
	if varExpression.MatchString(inner) {
		value := r.variable(n, inner)
		switch {
		case value == nil:
		case value.unresolved:
			n.unresolved = true // the definition says why
		case value.kind != scalarKind || value.scalar == nil:
			n.unresolved = true
			n.fail(n.place, "%s is %s; within a text only a string, a number or a boolean can stand", cut(whole, maxQuoted), value.describe())
		case value.secret:
			n.secret = true
			return value.text, value.masked
		default:
			return value.text, value.text
		}
		return "", ""
	}
	if env := envExpression.FindStringSubmatch(inner); env != nil {
		if value, ok := os.LookupEnv(env[1]); ok {
			n.secret = true
			return value, "${env(" + env[1] + ")}"
		}
		if env[2] != "" {
			text := strings.Trim(env[3], `'"`)
			return text, text
		}
		n.unresolved = true
		if bare := strings.Trim(env[1], `'"`); bare != env[1] {
			n.fail(n.place, "%s has quotation marks; FC 2.0's file writes ${env(%s)}", cut(whole, maxQuoted), cut(bare, maxQuoted))
			return "", ""
		}
		n.fail(n.place, "the environment variable %s is not set; s would leave %s as it stands", cut(env[1], maxQuoted), cut(whole, maxQuoted))
		return "", ""
	}
	if rest, found := strings.CutPrefix(inner, "resources."); found {
		n.unresolved = true
		n.fail(n.place, "%s is not defined; FC 2.0's file writes ${%s}", cut(whole, maxQuoted), cut(rest, maxQuoted))
		return "", ""
	}
	r.unknowable(n, whole)
	return "", ""
}

// unknowable marks n as unresolved, as only the cloud knows a ${...} in it.
func (r *resolver) unknowable(n *node, whole string) {
	n.unresolved, n.cloudOnly = true, true
	n.problems = append(n.problems, nodeProblem{place: n.place, severity: SeverityWarning,
		message: fmt.Sprintf("fclocal cannot resolve %s; the value is not checked", cut(whole, maxQuoted))})
}

// variable returns the node that "vars.a.b" stands for. If there is none it
// returns nil and marks n as unresolved, with the reason.
func (r *resolver) variable(n *node, name string) *node {
	keys := strings.Split(name, ".")[1:]
	raw := dealias(r.vars)
	// As far as mappings go, values are left unresolved: one entry of a mapping
	// may use another.
	for len(keys) > 0 && raw != nil && raw.Kind == yaml.MappingNode {
		raw, keys = dealias(r.index(raw)[keys[0]]), keys[1:]
	}
	if raw != nil && r.busy(raw) {
		n.unresolved = true
		n.fail(n.place, "${%s} is defined by itself", cut(name, maxQuoted))
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
		n.fail(n.place, "${%s} is not defined; %s", cut(name, maxQuoted), r.suggestVariable(name))
	}
	return value
}

func (r *resolver) suggestVariable(name string) string {
	if r.unknown++; r.unknown == 1 {
		r.names = rawNames(r.vars, "", map[*yaml.Node]bool{}, nil)
	}
	if len(r.names) == 0 {
		return "the file has no vars"
	}
	if r.unknown <= maxAdvice {
		// "vars." is alike in all of them, and says nothing of how near they are.
		if near := nearest(strings.TrimPrefix(name, "vars."), r.names); near != "" {
			return fmt.Sprintf("did you mean ${vars.%s}?", near)
		}
	}
	return "defined are " + cut("vars."+strings.Join(r.names[:min(len(r.names), maxListed)], ", vars."), maxListed)
}

func dealias(raw *yaml.Node) *yaml.Node {
	if raw != nil && raw.Kind == yaml.AliasNode {
		return raw.Alias
	}
	return raw
}

// index returns the values of a mapping by their keys, merge keys included.
func (r *resolver) index(mapping *yaml.Node) map[string]*yaml.Node {
	if mapping = dealias(mapping); mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	if index := r.indexes[mapping]; index != nil {
		return index // of a mapping that merges itself, so far
	}
	index := make(map[string]*yaml.Node, len(mapping.Content)/2)
	r.indexes[mapping] = index
	var sources []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := dealias(mapping.Content[i]), mapping.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
		case key.ShortTag() == "!!merge":
			if source := dealias(value); source.Kind == yaml.SequenceNode {
				sources = append(sources, source.Content...)
			} else {
				sources = append(sources, source)
			}
		case index[key.Value] == nil:
			index[key.Value] = value
		}
	}
	for _, source := range sources {
		values := r.index(source)
		if !r.merge(source, 1+len(values)) {
			break
		}
		for key, value := range values {
			if index[key] == nil {
				index[key] = value
			}
		}
	}
	return index
}

// rawNames adds to names what ${...} may refer to: the scalars and lists below a
// mapping. That of many names some are left out keeps it fast.
func rawNames(raw *yaml.Node, path string, seen map[*yaml.Node]bool, names []string) []string {
	raw = dealias(raw)
	if raw == nil || raw.Kind != yaml.MappingNode || seen[raw] {
		return names
	}
	seen[raw] = true
	for i := 0; i+1 < len(raw.Content) && len(names) < maxNames; i += 2 {
		key, value := raw.Content[i], raw.Content[i+1]
		name := join(path, key.Value)
		switch {
		case key.ShortTag() == "!!merge":
			// What it merges has names of its own, where it is defined.
		case dealias(value).Kind == yaml.MappingNode:
			names = rawNames(value, name, seen, names)
		default:
			names = append(names, name)
		}
	}
	return names
}
