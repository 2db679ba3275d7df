package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"fclocal/internal/escape"
)

// A checker collects what is wrong with one file.
type checker struct {
	file     string
	options  Options
	edition  *edition
	units    []*unit // the functions of the file
	unit     *unit   // the one to run; nil if all are looked at
	lines    []string
	blank    []bool     // of each line
	document *yaml.Node // as it was parsed
	root     *node
	parsed   int      // values that the parser has made
	read     []string // absolute paths of other files that the values are from
	problems []Problem
	picked   error           // why no function could be picked
	failed   map[string]bool // paths with an error
	wrong    map[place]bool  // places with an error
	misspelt map[string]bool // paths of absent keys that an unknown key is taken for
}

func newChecker(file string, data []byte) *checker {
	c := &checker{file: file, lines: splitLines(data), failed: map[string]bool{}, wrong: map[place]bool{}, misspelt: map[string]bool{}}
	for _, line := range c.lines {
		c.blank = append(c.blank, strings.TrimSpace(line) == "")
	}
	return c
}

func (c *checker) fail(at place, path, format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.failed[path], c.wrong[at] = true, true
	}
	c.add(SeverityError, at, path, fmt.Sprintf(format, args...))
}

func (c *checker) warn(at place, path, format string, args ...any) {
	c.add(SeverityWarning, at, path, fmt.Sprintf(format, args...))
}

func (c *checker) add(severity Severity, at place, path, message string) {
	if len(c.problems) == maxProblems {
		severity, at, path = SeverityError, place{}, ""
		message = fmt.Sprintf("the file has more than %d problems; fclocal looks for no more", maxProblems)
	}
	if len(c.problems) > maxProblems {
		return
	}
	message = escape.Line(cut(message, maxMessage))
	p := Problem{Severity: severity, File: c.file, Line: at.line, Column: at.column, Path: path, Message: message}
	if at.override != "" {
		p.File, p.Line, p.Column = at.override, 0, 0
	} else {
		// The parser places what the end of the file lacks below the last line.
		p.Line, p.Column = max(p.Line, 1), max(p.Column, 1)
		for p.Line > 1 && (p.Line > len(c.lines) || c.blank[p.Line-1]) {
			p.Line = min(p.Line, len(c.lines)+1) - 1
			p.Column = utf8.RuneCountInString(c.lines[p.Line-1]) + 1
		}
		p.source = c.lines[p.Line-1]
	}
	c.problems = append(c.problems, p)
}

func (c *checker) sorted() []Problem {
	c.problems = slices.DeleteFunc(c.problems, c.isOfAnother)
	if len(c.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(c.problems, compareProblems)
	return slices.CompactFunc(c.problems, samePlaceAndMessage)
}

// isOfAnother tells whether a problem is of a function that is not looked at.
func (c *checker) isOfAnother(p Problem) bool {
	if c.unit == nil || strings.HasPrefix(p.Path, c.unit.path+".") {
		return false
	}
	return slices.ContainsFunc(c.units, func(u *unit) bool { return strings.HasPrefix(p.Path, u.path+".") })
}

// check fills c.problems. c.root is set unless the file is no YAML.
func (c *checker) check(data []byte, overrides []override, options Options) {
	raw := c.parse(data)
	if raw == nil || !c.limits(raw, 1) {
		return
	}
	c.edition = editionOf(raw)
	if c.edition.extends {
		if raw = c.extend(raw); raw == nil {
			return
		}
	}
	r := newResolver(raw, c.edition, c.file)
	c.root = r.resolve(raw)
	c.read = append(c.read, r.read...)
	if stop := r.stopped; stop != nil {
		c.fail(stop.place, "", "%s", stop.message)
		return
	}
	c.findUnits()
	if c.picked = c.pick(options); c.picked != nil {
		return
	}
	c.apply(overrides)
	if _, small := c.measure(c.root, map[*node]size{}); !small {
		return
	}
	c.report(c.root, "", map[*node]bool{})
	c.validate(c.root)
	c.rules(options)
	c.placeholders(raw, "", false)
}

// parse returns the root of the file's only document, nil after a problem.
func (c *checker) parse(data []byte) *yaml.Node {
	if at, what, ok := firstUnreadable(data); ok {
		c.fail(at, "", "%s; a YAML file is UTF-8 text without control characters", what)
		return nil
	}
	if !c.directives() {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		c.fail(place{}, "", "%v", err)
		return nil
	}
	var document, second yaml.Node
	err = loader.Load(&document)
	if err == nil {
		switch next := loader.Load(&second); {
		case next == nil:
			c.fail(placeOf(&second), "", "a second document starts here; one is allowed")
			return nil
		case !errors.Is(next, io.EOF):
			err = next
		}
	}
	var syntax *yaml.LoadError
	switch {
	case errors.Is(err, io.EOF):
	case errors.As(err, &syntax):
		text := syntax.Message
		if syntax.ContextMsg != "" {
			text += " " + syntax.ContextMsg
			if syntax.ContextMark.Line != 0 && syntax.ContextMark.Line != syntax.Mark.Line {
				text += fmt.Sprintf(" that starts on line %d", syntax.ContextMark.Line)
			}
		}
		c.fail(place{line: syntax.Mark.Line, column: syntax.Mark.Column}, "", "not valid YAML: %s", text)
		return nil
	case err != nil:
		c.fail(place{}, "", "not valid YAML: %v", err)
		return nil
	}
	if len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null" {
		c.fail(place{}, "", "the file is empty; a mapping with edition, name and services or resources is needed")
		return nil
	}
	c.document = &document
	return document.Content[0]
}

// firstUnreadable finds the first character that YAML does not allow. The
// parser does not tell its line.
func firstUnreadable(data []byte) (at place, what string, found bool) {
	for i, line := range splitLines(data) {
		column := 0
		for j, r := range line {
			column++
			if _, size := utf8.DecodeRuneInString(line[j:]); r == utf8.RuneError && size == 1 {
				return place{line: i + 1, column: column}, fmt.Sprintf("the byte 0x%02X is not UTF-8", line[j]), true
			}
			if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
				return place{line: i + 1, column: column}, fmt.Sprintf("the control character %U is not allowed", r), true
			}
		}
	}
	return place{}, "", false
}

// report adds the problems found while resolving n and what is below it.
func (c *checker) report(n *node, path string, seen map[*node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	for _, p := range n.problems {
		if inAction := strings.Contains(path, "actions."); p.shell && inAction {
			c.warn(p.place, path, "%s; for the shell's own, write $NAME", p.message)
		} else if p.severity == SeverityError {
			c.fail(p.place, path, "%s", p.message)
		} else if !strings.Contains(path, ".actions.") { // where the shell has its own ${...}
			c.warn(p.place, path, "%s", p.message)
		}
	}
	for _, f := range n.fields {
		c.report(f.value, join(path, f.key), seen)
	}
	for i, item := range n.items {
		c.report(item, fmt.Sprintf("%s[%d]", path, i), seen)
	}
}

var placeholder = regexp.MustCompile(`\bxxx\b`)

// placeholders warns of each scalar with xxx, where it is written and no error is.
// Free text and commands may well hold xxx.
func (c *checker) placeholders(raw *yaml.Node, path string, free bool) {
	switch raw.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(raw.Content); i += 2 {
			key := raw.Content[i].Value
			c.placeholders(raw.Content[i+1], join(path, key), key == "description" || key == "actions")
		}
	case yaml.SequenceNode:
		for i, item := range raw.Content {
			c.placeholders(item, fmt.Sprintf("%s[%d]", path, i), free)
		}
	case yaml.ScalarNode:
		if !free && placeholder.MatchString(raw.Value) && !c.wrong[placeOf(raw)] {
			name := path[strings.LastIndexByte(path, '.')+1:]
			c.warn(placeOf(raw), path, "%s is still the placeholder %s; set your own", name, quote(raw.Value))
		}
	}
}
