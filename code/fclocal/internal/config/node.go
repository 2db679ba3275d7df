package config

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// A place is where a value or key stands: in the file, or on the command line.
type place struct {
	line, column int    // from 1
	override     string // "--set NAME=VALUE" instead of line and column
}

func placeOf(raw *yaml.Node) place { return place{line: raw.Line, column: raw.Column} }

type nodeKind int

const (
	scalarKind nodeKind = iota
	mappingKind
	listKind
)

// A node is a value with anchors, merge keys and ${...} replaced. It remembers
// where it was written: what a variable gives stands where the variable is
// defined. Nodes used in several places are shared.
type node struct {
	place
	kind   nodeKind
	scalar any    // nil, bool, string or json.Number
	text   string // a scalar as it was written
	fields []field
	items  []*node
	index  map[string]int // of fields; nil until a field of many is asked for

	env        string // the ${env(NAME)} that the whole value came from
	secret     bool   // text has a value of the environment in it, which must not be shown
	masked     string // text with ${env(NAME)} in place of each such value
	unresolved bool   // holds a ${...} without a value; must not be checked
	cloudOnly  bool   // that only the cloud knows
	problems   []nodeProblem

	plainValue any // cache of plain
}

type field struct {
	key string
	place
	value *node
}

// A nodeProblem is a Problem whose Path is known only once the node's is.
type nodeProblem struct {
	place
	severity Severity
	message  string
	shell    bool // in a command, it may be the shell's
}

func (n *node) fail(at place, format string, args ...any) {
	n.problems = append(n.problems, nodeProblem{place: at, severity: SeverityError, message: fmt.Sprintf(format, args...)})
}

// field returns the field of a mapping, nil if n is none or lacks the key.
func (n *node) field(key string) *field {
	if n == nil {
		return nil
	}
	const few = 20 // a search through so many is as fast
	if len(n.fields) > few && n.index == nil {
		n.index = make(map[string]int, len(n.fields))
		for i, f := range n.fields {
			n.index[f.key] = i
		}
	}
	if i, found := n.index[key]; found {
		return &n.fields[i]
	}
	if n.index != nil {
		return nil
	}
	if i := slices.IndexFunc(n.fields, func(f field) bool { return f.key == key }); i >= 0 {
		return &n.fields[i]
	}
	return nil
}

// setFields replaces or extends the fields of a mapping.
func (n *node) setFields(fields []field) { n.fields, n.index = fields, nil }

// children are the values of a mapping or list.
func (n *node) children() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for _, f := range n.fields {
			if !yield(f.value) {
				return
			}
		}
		for _, item := range n.items {
			if !yield(item) {
				return
			}
		}
	}
}

// at returns the value below n under the keys, or numbers of a list's items, nil if
// there is none.
func (n *node) at(keys ...string) *node {
	for _, key := range keys {
		if f := n.field(key); f != nil {
			n = f.value
		} else if i, err := strconv.Atoi(key); err == nil && n != nil && i >= 0 && i < len(n.items) {
			n = n.items[i]
		} else {
			return nil
		}
	}
	return n
}

// unclear tells whether n or a value on the way down the keys is unresolved.
func (n *node) unclear(keys ...string) bool {
	for {
		switch {
		case n == nil:
			return false
		case n.unresolved:
			return true
		case len(keys) == 0:
			return false
		}
		n, keys = n.at(keys[0]), keys[1:]
	}
}

// string returns the text of the scalar under the keys, fallback if there is
// none. It is the text as it stands for a ${...} that cannot be resolved.
func (n *node) string(fallback string, keys ...string) string {
	if v := n.at(keys...); v != nil && v.kind == scalarKind && v.scalar != nil {
		return v.text
	}
	return fallback
}

// number returns the number under the keys, fallback if there is none.
func (n *node) number(fallback float64, keys ...string) float64 {
	if v := n.at(keys...); v != nil {
		if number, ok := v.scalar.(json.Number); ok {
			if f, err := number.Float64(); err == nil {
				return f
			}
		}
	}
	return fallback
}

// whole is number for settings that the schema keeps to whole numbers.
func (n *node) whole(fallback int, keys ...string) int {
	return int(min(n.number(float64(fallback), keys...), math.MaxInt32))
}

func (n *node) bool(fallback bool, keys ...string) bool {
	if v := n.at(keys...); v != nil {
		if b, ok := v.scalar.(bool); ok {
			return b
		}
	}
	return fallback
}

// plain returns n as the JSON validator takes it. Shared nodes give shared
// values, so an alias bomb stays as small as the file.
func (n *node) plain() any {
	if n.plainValue != nil {
		return n.plainValue
	}
	switch n.kind {
	case mappingKind:
		values := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			values[f.key] = f.value.plain()
		}
		n.plainValue = values
	case listKind:
		values := make([]any, len(n.items))
		for i, item := range n.items {
			values[i] = item.plain()
		}
		n.plainValue = values
	default:
		n.plainValue = n.scalar
	}
	return n.plainValue
}

// describe names the value for people: "128" (a string).
func (n *node) describe() string {
	switch n.kind {
	case mappingKind:
		return "a mapping"
	case listKind:
		return "a list"
	}
	switch n.scalar.(type) {
	case nil:
		return "null"
	case bool:
		return n.text + " (a boolean)"
	case json.Number:
		return cut(n.text, maxQuoted) + " (a number)"
	default:
		return n.quoted() + " (a string)"
	}
}

// show is describe without the type of a scalar.
func (n *node) show() string {
	if _, ok := n.scalar.(string); ok && n.kind == scalarKind {
		return n.quoted()
	}
	if n.kind == scalarKind && n.scalar != nil {
		return cut(n.text, maxQuoted)
	}
	return n.describe()
}

// nameOr is the text of a name as messages may show it, another if there is none.
func (n *node) nameOr(key, another string) string {
	if name := n.at(key); name.string("") != "" && name.secret {
		return name.quoted()
	}
	return n.string(another, key)
}

// quoted is the text of a string as messages may show it: what came from the
// environment may be a password.
func (n *node) quoted() string {
	switch {
	case n.secret && n.env != "":
		return cut(n.masked, maxQuoted)
	case n.secret:
		return quote(n.masked)
	}
	return quote(n.text)
}

// quote quotes a text, cut short where it is long, so that a message stays one
// readable line.
func quote(text string) string { return strconv.Quote(cut(text, maxQuoted)) }

const maxQuoted = 60 // characters

// cut cuts a text after so many characters.
func cut(text string, most int) string {
	n := 0
	for i := range text {
		if n++; n > most {
			return text[:i] + "…"
		}
	}
	return text
}
