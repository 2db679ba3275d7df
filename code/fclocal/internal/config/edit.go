package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"fclocal/internal/files"
	"fclocal/internal/result"
)

// An Edit is the text of an s.yaml with other values for some settings: all else of it,
// comments too, stays as it is.
type Edit struct {
	Path          string
	Before, After []byte
	Changes       []result.Change // in the order of the names; what has the value already is none
}

// NewEdit changes the text of the s.yaml at path, which is without errors, for settings that
// are numbers. What cannot be changed where it stands is among the Changes, with why, and
// stays as it is. options say which function it is.
func NewEdit(path string, set map[string]string, options Options) (*Edit, error) {
	source, err := files.Read(path, maxFile)
	if err != nil {
		return nil, err
	}
	options.Set = nil
	e := &Edit{Path: path, Before: source, After: source}
	inPlace := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		s, known := settingNamed(name)
		if !known {
			return nil, fmt.Errorf("unknown setting %q", name)
		}
		c, err := parsed(path, e.After, nil, options)
		if err != nil {
			return nil, err
		}
		change := result.Change{Name: name, To: set[name]}
		keys := c.unit.rawKeys(s)
		if now := c.root.at(keys...); now != nil && now.scalar != nil {
			if change.From = now.show(); now.text == set[name] {
				continue
			}
		}
		lines := splitKeepingEnds(e.After)
		if set[name] == "" {
			change.Instead = "it would have to be left out"
		} else if edited, instead := edited(c.document.Content[0], keys, set[name], lines); instead != "" {
			change.Instead = instead
		} else {
			e.After, inPlace[name] = []byte(strings.Join(edited, "")), set[name]
		}
		e.Changes = append(e.Changes, change)
	}
	return e, e.verify(path, inPlace, options)
}

// verify makes sure that the new text has no errors, and stands for what the old one does
// with those settings. It finds the lines of the changes.
func (e *Edit) verify(path string, set map[string]string, options Options) error {
	overrides, err := newOverrides(set)
	if err != nil {
		return err
	}
	want, err := parsed(path, e.Before, overrides, options)
	if err != nil {
		return err
	}
	got, err := parsed(path, e.After, nil, options)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(got.root.plain(), want.root.plain()) {
		return fmt.Errorf("%s cannot be changed for %s: something else of it would change, too", path, strings.Join(slices.Sorted(maps.Keys(set)), ", "))
	}
	for i, change := range e.Changes {
		if s, _ := settingNamed(change.Name); change.Instead == "" {
			e.Changes[i].Line = got.root.at(got.unit.rawKeys(s)...).line
		}
	}
	return nil
}

// parsed is the checker of a text that has no errors.
func parsed(path string, source []byte, overrides []override, options Options) (*checker, error) {
	c := newChecker(path, source)
	c.options = options
	c.check(source, overrides, options)
	if c.picked != nil {
		return nil, c.picked
	}
	problems := c.sorted()
	if errors, _ := Count(problems); errors > 0 || c.unit == nil {
		return nil, fmt.Errorf("%s: %s", path, Summary(problems))
	}
	return c, nil
}

// rawKeys lead from the root to a setting.
func (u *unit) rawKeys(s setting) []string {
	keys := []string{u.units, u.key, "props"}
	if !s.trigger {
		keys = append(keys, u.edition.function...)
	} else {
		i := slices.IndexFunc(u.triggers(), u.isKafka)
		keys = append(keys, "triggers", strconv.Itoa(i), u.keys.triggerConfig)
	}
	return append(keys, s.keys(u.edition)...)
}

// edited are the lines with another value for a setting, where it stands or could stand;
// else instead says why that is not possible.
func edited(n *yaml.Node, keys []string, value string, lines []string) (after []string, instead string) {
	for i, key := range keys {
		if why := notHere(n); why != "" {
			return nil, why
		}
		var next *yaml.Node
		switch n.Kind {
		case yaml.SequenceNode:
			if item, err := strconv.Atoi(key); err == nil && item < len(n.Content) {
				next = n.Content[item]
			}
		case yaml.MappingNode:
			if next = valueOf(n, key); next == nil {
				return inserted(n, keys[i:], value, lines)
			}
		}
		if next == nil {
			return nil, "it is not in this file"
		}
		n = next
	}
	if why := notHere(n); why != "" {
		return nil, why
	}
	const otherwise = "it is written with quotation marks or in several lines"
	if n.Kind != yaml.ScalarNode || n.Value == "" || n.Line > len(lines) {
		return nil, otherwise
	}
	line := []rune(lines[n.Line-1])
	start := min(n.Column-1, len(line))
	rest, found := strings.CutPrefix(string(line[start:]), n.Value)
	if !found {
		return nil, otherwise
	}
	after = slices.Clone(lines)
	after[n.Line-1] = string(line[:start]) + value + rest
	return after, ""
}

// notHere says why what a node stands for is not to be changed there.
func notHere(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode:
		return fmt.Sprintf("it comes from the anchor &%s, which others may use", n.Value)
	case n.Anchor != "":
		return fmt.Sprintf("it is part of the anchor &%s, which others may use", n.Anchor)
	case n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "${"):
		return fmt.Sprintf("it comes from %s, which others may use", cut(n.Value, maxQuoted))
	}
	return ""
}

// inserted puts a key, with the mappings around it that are missing, below the last key of a
// mapping that has its value in the same line.
func inserted(mapping *yaml.Node, keys []string, value string, lines []string) (after []string, instead string) {
	at := -1
	for i := 0; i+1 < len(mapping.Content) && mapping.Style&yaml.FlowStyle == 0; i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if value.Kind != yaml.ScalarNode || value.Line != key.Line || key.Line > len(lines) {
			continue
		}
		goesOn := false // a text may, in lines that are deeper
		if key.Line < len(lines) {
			next := strings.TrimLeft(lines[key.Line], " ")
			goesOn = strings.TrimSpace(next) == "" || len(lines[key.Line])-len(next) >= key.Column
		}
		if !goesOn {
			at = key.Line - 1
		}
	}
	if at < 0 {
		return nil, "the file has no mapping that it could stand in"
	}
	end := "\n"
	if strings.HasSuffix(lines[at], "\r\n") {
		end = "\r\n"
	}
	after = slices.Clone(lines[:at+1])
	if !strings.HasSuffix(after[at], "\n") {
		after[at] += end
	}
	for i, key := range keys {
		line := strings.Repeat(" ", mapping.Content[0].Column-1+2*i) + key + ":"
		if i == len(keys)-1 {
			line += " " + value
		}
		after = append(after, line+end)
	}
	return append(after, lines[at+1:]...), ""
}

// splitKeepingEnds splits a text into lines with their ends.
func splitKeepingEnds(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// Apply writes the new text to the file, which must still hold the old one.
func (e *Edit) Apply() error { return files.Replace(e.Path, e.Before, e.After) }

// Diff is the change as a unified diff, which patch takes; "" if there is none.
func (e *Edit) Diff(name string) string {
	const context = 3
	before, after := splitKeepingEnds(e.Before), splitKeepingEnds(e.After)
	steps := lineSteps(before, after)
	var diff strings.Builder
	for i := 0; i < len(steps); {
		if steps[i].sign == ' ' {
			i++
			continue
		}
		from, to := max(i-context, 0), i
		for next := i; next < len(steps) && next <= to+2*context+1; next++ {
			if steps[next].sign != ' ' {
				to = next
			}
		}
		to = min(to+1+context, len(steps))
		var hunk strings.Builder
		removed, added := 0, 0
		for _, s := range steps[from:to] {
			fmt.Fprintf(&hunk, "%c%s", s.sign, s.line)
			if !strings.HasSuffix(s.line, "\n") {
				hunk.WriteString("\n\\ No newline at end of file\n")
			}
			if s.sign != '+' {
				removed++
			}
			if s.sign != '-' {
				added++
			}
		}
		fmt.Fprintf(&diff, "@@ -%d,%d +%d,%d @@\n%s", steps[from].before+1, removed, steps[from].after+1, added, hunk.String())
		i = to
	}
	if diff.Len() == 0 {
		return ""
	}
	return "--- " + name + "\n+++ " + name + "\n" + diff.String()
}

// A lineStep is a line that is removed, added or kept, with how many there are before it.
type lineStep struct {
	sign          byte // -, + or a space
	line          string
	before, after int
}

// lineSteps lead from lines to others. There are few changes: lines that are equal are
// looked for near to each other.
func lineSteps(before, after []string) (steps []lineStep) {
	i, j := 0, 0
	step := func(sign byte, line string) {
		steps = append(steps, lineStep{sign, line, i, j})
		if sign != '+' {
			i++
		}
		if sign != '-' {
			j++
		}
	}
	for i < len(before) || j < len(after) {
		if i < len(before) && j < len(after) && before[i] == after[j] {
			step(' ', before[i])
			continue
		}
		skip, add := len(before)-i, len(after)-j
		for both := 1; both < skip+add; both++ {
			for s := 0; s <= both; s++ {
				if a := both - s; i+s < len(before) && j+a < len(after) && before[i+s] == after[j+a] {
					skip, add = s, a
				}
			}
			if skip+add == both {
				break
			}
		}
		for range skip {
			step('-', before[i])
		}
		for range add {
			step('+', after[j])
		}
	}
	return steps
}
