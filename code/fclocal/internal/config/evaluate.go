package config

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"fclocal/internal/files"
)

// expandNew replaces the ${...} in the text of n as FC 3.0's file has them. A text that
// is nothing but one keeps the type of its value.
func (r *resolver) expandNew(n *node) *node {
	all := pieces(n.text)
	if len(all) == 1 && !all[0].expression {
		n.scalar = n.text
		return n
	}
	if len(all) == 1 {
		if value := r.evaluateNew(n, all[0].text); value != nil {
			if r.texts += len(value.text); r.texts > maxTexts {
				r.stop(n.place, "the texts up to here are longer than %d MB once their variables are replaced", maxTexts>>20)
			}
			return value
		}
		n.scalar = n.text
		return n
	}
	return r.join(n, func(yield func(text, mask string) bool) {
		for _, p := range all {
			text, mask := p.text, p.text
			if p.expression {
				text, mask = r.textOf(n, p.text)
			}
			if !yield(text, mask) {
				return
			}
		}
	})
}

// textOf is the text of an expression within that of n, and the text to show for it.
func (r *resolver) textOf(n *node, source string) (text, masked string) {
	value := r.evaluateNew(n, source)
	switch {
	case value == nil:
	case value.unresolved:
		n.unresolved = true // its definition says why
		n.cloudOnly = n.cloudOnly || value.cloudOnly
	case value.kind != scalarKind || value.scalar == nil:
		n.unresolved = true
		n.fail(n.place, "%s is %s; within a text only a string, a number or a boolean can stand", shownExpression(source), value.describe())
	case value.secret:
		n.secret = true
		return value.text, value.masked
	default:
		return value.text, value.text
	}
	return "", ""
}

func shownExpression(source string) string { return cut("${"+source+"}", maxQuoted) }

// evaluateNew returns the value of an expression in n. If there is none it returns nil
// and marks n as unresolved, with the reason.
func (r *resolver) evaluateNew(n *node, source string) *node {
	e, err := parseExpression(source)
	if err != nil {
		n.unresolved = true
		n.fail(n.place, "%s cannot be compiled; %v", shownExpression(source), err)
		return nil
	}
	return r.value(n, e, source)
}

func (r *resolver) value(n *node, e expression, source string) *node {
	if r.stopped != nil {
		n.unresolved = true
		return nil
	}
	switch {
	case e.call != "":
		return r.callNew(n, e, source)
	case e.path == nil && e.number:
		return &node{place: n.place, text: e.text, scalar: json.Number(e.text)}
	case e.path == nil:
		return textNode(n, e.text)
	}
	wrong := func(format string, args ...any) *node {
		n.unresolved = true
		n.fail(n.place, "%s is not defined; %s", shownExpression(source), fmt.Sprintf(format, args...))
		return nil
	}
	switch root, rest := e.path[0], e.path[1:]; {
	case root == "vars" && len(rest) > 0:
		value := r.variable(n, "vars."+strings.Join(rest, "."))
		if value != nil && value.kind == scalarKind && value.scalar == nil && !value.unresolved {
			return wrong("it is null")
		}
		return value
	case root == "this" && r.this == nil:
		return wrong("there is no resource around it")
	case root == "this" && len(rest) == 1 && rest[0] == "name":
		return textNode(n, r.thisName)
	case root == "this" && len(rest) > 0:
		return r.below(n, r.this, rest, source)
	case root == "resources" && len(rest) > 1:
		resource := dealias(r.index(r.index(r.root)["resources"])[rest[0]])
		switch {
		case resource == nil:
			return wrong("resources has no %s", quote(rest[0]))
		case rest[1] == "output" || rest[1] == "info":
			r.unknowable(n, shownExpression(source))
			return nil
		}
		return r.below(n, resource, rest[1:], source)
	case root == "env" && len(rest) > 0:
		return wrong("FC 3.0's file writes ${env('%s')}", rest[0])
	case len(rest) > 0 && (rest[0] == "props" || rest[0] == "output"):
		return wrong("FC 3.0's file writes ${resources.%s}", cut(strings.Join(e.path, "."), maxQuoted))
	}
	n.unresolved = true
	n.problems = append(n.problems, nodeProblem{place: n.place, severity: SeverityError, shell: true,
		message: fmt.Sprintf("%s is not defined; s looks into vars, resources, this, and what its functions give", shownExpression(source))})
	return nil
}

// below is the value under the keys of a resource.
func (r *resolver) below(n *node, raw *yaml.Node, keys []string, source string) *node {
	for len(keys) > 0 && raw != nil && raw.Kind == yaml.MappingNode {
		raw, keys = dealias(r.index(raw)[keys[0]]), keys[1:]
	}
	if raw != nil && r.busy(raw) {
		n.unresolved = true
		n.fail(n.place, "%s is defined by itself", shownExpression(source))
		return nil
	}
	var value *node
	if raw != nil {
		if value = r.resolve(raw); !value.unresolved {
			value = value.at(keys...)
		}
	}
	if value == nil || value.kind == scalarKind && value.scalar == nil && !value.unresolved {
		n.unresolved = true
		n.fail(n.place, "%s is not defined", shownExpression(source))
		return nil
	}
	return value
}

func textNode(n *node, text string) *node { return &node{place: n.place, text: text, scalar: text} }

// secretNode is a text that messages must not show.
func secretNode(n *node, text, masked string) *node {
	value := textNode(n, text)
	value.secret, value.masked, value.env = true, masked, masked
	return value
}

// callNew calls a function of s. What those take and give is read in its code.
func (r *resolver) callNew(n *node, e expression, source string) *node {
	fail := func(format string, args ...any) *node {
		n.unresolved = true
		n.fail(n.place, "%s: %s", shownExpression(source), fmt.Sprintf(format, args...))
		return nil
	}
	if len(e.args) == 0 || len(e.args) > 2 || len(e.args) == 2 && e.call != "env" {
		return fail("%s takes another number of arguments", cut(e.call, maxQuoted))
	}
	argument := r.value(n, e.args[0], source)
	if argument == nil {
		return nil
	}
	if argument.unresolved {
		n.unresolved, n.cloudOnly = true, n.cloudOnly || argument.cloudOnly
		return nil
	}
	if e.call != "str" && (argument.kind != scalarKind || argument.scalar == nil) {
		return fail("%s takes a text, and not %s", cut(e.call, maxQuoted), argument.describe())
	}
	switch text := argument.text; e.call {
	case "env":
		if value := os.Getenv(text); value != "" {
			return secretNode(n, value, shownExpression("env("+text+")"))
		}
		variables, err := r.dotenv()
		if err != nil {
			return fail("the environment variable %s is not set, and .env, which may set it, cannot be read: %v", cut(text, maxQuoted), err)
		}
		if value := variables[text]; value != "" {
			return secretNode(n, value, shownExpression("env("+text+")"))
		}
		if len(e.args) == 2 {
			return r.value(n, e.args[1], source)
		}
		return fail("the environment variable %s is not set, or empty", cut(text, maxQuoted))
	case "file":
		content, err := r.readText(text)
		if err != nil {
			return fail("%v", err)
		}
		return secretNode(n, content, shownExpression(source))
	case "json", "yaml":
		return r.structured(n, e, argument, source)
	case "path":
		if !filepath.IsAbs(text) {
			text = filepath.Join(r.directory(), text)
		}
		return textNode(n, text)
	case "base64":
		if len(text) > maxText/2 {
			return fail("the text is longer than %d KB", maxText>>11)
		}
		value := textNode(n, base64.StdEncoding.EncodeToString([]byte(text)))
		value.secret, value.masked = argument.secret, argument.masked
		return value
	case "str":
		var encoded []byte
		var err error
		if size := encodedSize(argument, map[*node]int{}); size <= maxText {
			encoded, err = json.Marshal(argument.plain())
		}
		if err != nil || encoded == nil || len(encoded) > maxText {
			return fail("the text is longer than %d KB", maxText>>10)
		}
		value := textNode(n, string(encoded))
		value.secret, value.masked = argument.secret, argument.masked
		return value
	case "config", "secret":
		r.unknowable(n, shownExpression(source))
		return nil
	}
	return fail("s has no function %s; there are env, file, json, yaml, path, str, base64, config, secret", cut(e.call, maxQuoted))
}

func (r *resolver) directory() string {
	file, err := filepath.Abs(r.file)
	if err != nil {
		return "."
	}
	return filepath.Dir(file)
}

// readText is the text of a file, by its path from s.yaml.
func (r *resolver) readText(path string) (string, error) {
	if text, seen := r.contents[path]; seen {
		return text, nil
	}
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(r.directory(), path)
	}
	data, err := files.Read(full, maxText)
	if err != nil {
		return "", err
	}
	r.contents[path] = string(data)
	r.read = append(r.read, full)
	return string(data), nil
}

// structured is what a text of JSON or YAML holds. A ${...} in it is not replaced
// (inferred).
func (r *resolver) structured(n *node, e expression, argument *node, source string) *node {
	key := e.call + "\x00" + argument.text
	if value := r.structures[key]; value != nil {
		return value
	}
	fail := func(what any) *node {
		n.unresolved = true
		n.fail(n.place, "%s: it is no %s: %v", shownExpression(source), strings.ToUpper(e.call), what)
		return nil
	}
	if e.call == "json" && !json.Valid([]byte(argument.text)) {
		return fail("a JSON value is needed")
	}
	loader, err := yaml.NewLoader(bytes.NewReader([]byte(argument.text)))
	var document yaml.Node
	if err == nil {
		err = loader.Load(&document)
	}
	if err != nil || len(document.Content) == 0 {
		return fail("it cannot be read") // what is wrong would show some of it
	}
	move(&document, n.place)
	inner := newResolver(document.Content[0], &edition{syntax: noSyntax}, r.file)
	value := inner.resolve(document.Content[0])
	if inner.stopped != nil {
		return fail(inner.stopped.message)
	}
	if argument.secret {
		mask(value, shownExpression(source), map[*node]bool{})
	}
	r.structures[key] = value
	return value
}

// encodedSize is no more than how long n is as JSON. Nodes are shared, and count each
// time.
func encodedSize(n *node, known map[*node]int) int {
	if size, seen := known[n]; seen {
		return size
	}
	size := 1 + len(n.text)
	for child := range n.children() {
		size = min(size+encodedSize(child, known), 2*maxText)
	}
	known[n] = size
	return size
}

// move gives raw and what is below it another place.
func move(raw *yaml.Node, to place) {
	raw.Line, raw.Column = to.line, to.column
	for _, child := range raw.Content {
		move(child, to)
	}
}

// mask keeps texts at n and below from being shown.
func mask(n *node, masked string, seen map[*node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	if _, isText := n.scalar.(string); isText {
		n.secret, n.masked = true, masked
	}
	for child := range n.children() {
		mask(child, masked, seen)
	}
}

// dotenv is what the file .env beside s.yaml sets, which s reads. What the environment
// has comes first.
func (r *resolver) dotenv() (map[string]string, error) {
	if r.variables != nil {
		return r.variables, nil
	}
	path := filepath.Join(r.directory(), ".env")
	if info, err := os.Stat(path); err != nil || info.IsDir() { // s passes over a directory, too
		r.variables = map[string]string{}
		return r.variables, nil
	}
	data, err := files.Read(path, maxText)
	if err != nil {
		return nil, errors.Unwrap(err) // without the path
	}
	r.variables = parseDotenv(data)
	return r.variables, nil
}

// parseDotenv reads lines of the form NAME=VALUE, with the value in quotation marks or
// without, and comments. The library that reads --env-file replaces $NAME in values; what
// s reads .env with does not.
func parseDotenv(data []byte) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		name, value, found := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !found || name == "" || strings.HasPrefix(name, "#") {
			continue
		}
		if value != "" && strings.ContainsAny(value[:1], "'\"`") {
			if end := strings.IndexByte(value[1:], value[0]); end >= 0 {
				text := value[1 : end+1]
				if value[0] == '"' {
					if unquoted, err := strconv.Unquote(`"` + text + `"`); err == nil {
						text = unquoted
					}
				}
				all[name] = text
				continue
			}
		}
		if comment := strings.Index(value, "#"); comment >= 0 {
			value = strings.TrimSpace(value[:comment])
		}
		all[name] = value
	}
	return all
}
