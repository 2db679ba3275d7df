// Package convert makes FC 3.0's s.yaml of FC 2.0's: the one that deploys the same
// function and trigger, comments kept.
package convert

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A Note says what of the file has no counterpart, or must be decided.
type Note struct {
	Line    int // in FC 2.0's file
	Message string
}

// A converter changes the nodes of a file.
type converter struct {
	root     *yaml.Node
	services map[string]bool
	notes    []Note
	copied   int
}

const maxCopied = 100_000 // nodes that aliases and variables are written out into

func (c *converter) note(at *yaml.Node, format string, args ...any) {
	c.notes = append(c.notes, Note{at.Line, fmt.Sprintf(format, args...)})
}

// ToFC3 converts the document of a file of edition 1.0.0, which is a mapping, and
// returns the text of the new file.
func ToFC3(document *yaml.Node, source []byte) (text []byte, notes []Note, err error) {
	root := document.Content[0]
	c := converter{root: root, services: map[string]bool{}}
	services := c.follow(value(root, "services"))
	switch edition := value(root, "edition"); {
	case edition != nil && strings.HasPrefix(edition.Value, "3"):
		return nil, nil, fmt.Errorf("edition is %s: the file is FC 3.0's already", edition.Value)
	case services == nil || services.Kind != yaml.MappingNode:
		return nil, nil, fmt.Errorf("services is missing: this is no file of FC 2.0")
	case edition == nil:
		root.Content = append([]*yaml.Node{scalar("edition"), scalar("3.0.0")}, root.Content...)
	default:
		edition.Value = "3.0.0"
	}
	blanks := blankLines(root, source)
	for i := 0; i < len(services.Content); i += 2 {
		c.services[services.Content[i].Value] = true
	}
	key(root, "services").Value = "resources"
	names := map[string]string{}
	for i := 0; i+1 < len(services.Content); i += 2 {
		name, service := services.Content[i], c.follow(services.Content[i+1])
		if service.Kind != yaml.MappingNode {
			continue
		}
		services.Content[i+1] = service
		c.service(name, service, names)
	}
	c.expressions(root, "", map[*yaml.Node]bool{})
	c.aliases(root, map[*yaml.Node]bool{})
	if c.copied > maxCopied {
		return nil, nil, fmt.Errorf("its aliases and variables stand for more than %d values", maxCopied)
	}
	var out bytes.Buffer
	dumper, err := yaml.NewDumper(&out, yaml.WithIndent(2), yaml.WithCompactSeqIndent(false), yaml.WithLineWidth(-1))
	if err == nil {
		err = dumper.Dump(document)
	}
	if err == nil {
		err = dumper.Close()
	}
	if err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(c.notes, func(a, b Note) int { return cmp.Compare(a.Line, b.Line) })
	return withBlankLines(out.Bytes(), blanks), c.notes, nil
}

var fcComponent = regexp.MustCompile(`^(devsapp/)?fc(@.+)?$`)

// service makes a resource of a service.
func (c *converter) service(name, service *yaml.Node, names map[string]string) {
	component := value(service, "component")
	if component == nil || !fcComponent.MatchString(component.Value) {
		if component != nil {
			c.note(component, "component %s is left as it is: FC 3.0's tools need one without a /", component.Value)
		}
		return
	}
	component.Value, component.Style = "fc3", 0
	if actions := c.follow(value(service, "actions")); actions != nil {
		c.actions(actions)
	}
	props := c.follow(value(service, "props"))
	if props == nil || props.Kind != yaml.MappingNode {
		return
	}
	set(service, "props", c.props(name, props))
	functionName := value(value(service, "props"), "functionName")
	if functionName == nil {
		return
	}
	if first, twice := names[functionName.Value]; twice {
		c.note(functionName, "functionName %s is also that of %s: in FC 3.0 the services do not tell them apart; give one another name", functionName.Value, first)
	}
	names[functionName.Value] = name.Value
}

var postHook = regexp.MustCompile(`^post-`)

func (c *converter) actions(actions *yaml.Node) {
	for i := 0; i+1 < len(actions.Content); i += 2 {
		actions.Content[i].Value = postHook.ReplaceAllString(actions.Content[i].Value, "complete-")
		list := actions.Content[i+1]
		if list.Kind != yaml.SequenceNode { // an alias is changed where it is defined
			continue
		}
		for _, action := range list.Content {
			if component := value(c.follow(action), "component"); component != nil {
				if rest, found := strings.CutPrefix(strings.TrimPrefix(component.Value, "devsapp/"), "fc "); found {
					component.Value = "fc3 " + rest
				}
			}
		}
	}
}

// A pair is a key of a mapping with its value.
type pair struct{ key, value *yaml.Node }

// pairs are those of a mapping, an alias of one, or a variable that is one: then their
// values are variables, too. Merge keys are written out.
func (c *converter) pairs(n *yaml.Node) []pair {
	var all []pair
	c.addPairs(n, "", 0, map[string]bool{}, &all)
	return all
}

func (c *converter) addPairs(n *yaml.Node, variable string, depth int, seen map[string]bool, all *[]pair) {
	if c.copied++; n == nil || depth > 8 || c.copied > maxCopied {
		return
	}
	if n.Kind == yaml.AliasNode {
		c.addPairs(c.copy(n.Alias), variable, depth+1, seen, all)
		return
	}
	if name := wholeVariable(n); name != "" {
		c.addPairs(c.variable(name), name, depth+1, seen, all)
		return
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.ShortTag() == "!!merge":
			if v.Kind == yaml.SequenceNode {
				merged = append(merged, v.Content...)
			} else {
				merged = append(merged, v)
			}
		case !seen[k.Value]:
			seen[k.Value] = true
			if variable != "" {
				at := k.Line
				k, v = scalar(k.Value), c.reference(variable+"."+k.Value, v)
				k.Line = at
			}
			*all = append(*all, pair{k, v})
		}
	}
	for _, source := range merged {
		c.addPairs(source, variable, depth+1, seen, all)
	}
}

// reference is a variable in place of the value that it has. It keeps the line, for
// notes.
func (c *converter) reference(name string, of *yaml.Node) *yaml.Node {
	n := scalar("${" + name + "}")
	n.Line = of.Line
	return n
}

var varPattern = regexp.MustCompile(`^\$\{\s*(vars\.[^\s{}]+)\s*\}$`)

// wholeVariable is the name of the variable that a value is, "" if it is none.
func wholeVariable(n *yaml.Node) string {
	if n != nil && n.Kind == yaml.ScalarNode {
		if match := varPattern.FindStringSubmatch(n.Value); match != nil {
			return match[1]
		}
	}
	return ""
}

// variable is what stands in vars under a name, nil if there is nothing.
func (c *converter) variable(name string) *yaml.Node {
	n := c.root
	for _, part := range strings.Split(name, ".") {
		if n = value(n, part); n != nil && n.Kind == yaml.AliasNode {
			n = n.Alias
		}
	}
	return n
}

// follow is the value that an alias or a variable stands for, itself if it is none.
func (c *converter) follow(n *yaml.Node) *yaml.Node {
	for range 8 {
		switch {
		case n == nil:
			return nil
		case n.Kind == yaml.AliasNode:
			n = n.Alias
		case wholeVariable(n) != "" && c.variable(wholeVariable(n)) != nil:
			n = c.variable(wholeVariable(n))
		default:
			return n
		}
	}
	return n
}

// written is what an alias or a variable stands for as a value of its own, so that it
// can be changed. Comments of the place where it is used are kept.
func (c *converter) written(n *yaml.Node) *yaml.Node {
	target := c.follow(n)
	if target == n {
		return n
	}
	copied := c.copy(target)
	copied.HeadComment, copied.LineComment, copied.FootComment = n.HeadComment, n.LineComment, n.FootComment
	return copied
}

// copy copies a value without its anchors.
func (c *converter) copy(n *yaml.Node) *yaml.Node {
	if c.copied++; n == nil || c.copied > maxCopied {
		return scalar("")
	}
	if n.Kind == yaml.AliasNode {
		return c.copy(n.Alias)
	}
	copied := *n
	copied.Anchor, copied.Content = "", nil
	for _, child := range n.Content {
		copied.Content = append(copied.Content, c.copy(child))
	}
	return &copied
}

// aliases writes those out that stand before what they are of, or whose anchor has
// gone.
func (c *converter) aliases(n *yaml.Node, seen map[*yaml.Node]bool) {
	seen[n] = true
	for i, child := range n.Content {
		if child.Kind == yaml.AliasNode && !seen[child.Alias] {
			n.Content[i] = c.copy(child.Alias)
			n.Content[i].LineComment = child.LineComment
		} else if child.Kind != yaml.AliasNode {
			c.aliases(child, seen)
		}
	}
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func number(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: text}
}

func mapping(pairs ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: pairs}
}

// key is the key of a mapping, nil if there is none.
func key(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i]
		}
	}
	return nil
}

// value is that under a key of a mapping, nil if there is none.
func value(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func set(n *yaml.Node, name string, to *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content[i+1] = to
		}
	}
}

// blankLines are the keys at the top that have a blank line before them and their
// comment.
func blankLines(root *yaml.Node, source []byte) map[string]bool {
	lines := strings.Split(string(source), "\n")
	blank := map[string]bool{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k := root.Content[i]
		at := k.Line - 2 // the line before it, from 0
		for at >= 0 && at < len(lines) && strings.HasPrefix(lines[at], "#") {
			at--
		}
		if at >= 0 && at < len(lines) && strings.TrimSpace(lines[at]) == "" {
			blank[k.Value] = true
		}
	}
	if blank["services"] {
		blank["resources"] = true
	}
	return blank
}

// withBlankLines puts a blank line before keys at the top and their comments.
func withBlankLines(text []byte, before map[string]bool) []byte {
	var out []string
	for _, line := range strings.Split(string(text), "\n") {
		name, _, found := strings.Cut(line, ":")
		if found && before[strings.Trim(name, `'"`)] {
			at := len(out)
			for at > 0 && strings.HasPrefix(out[at-1], "#") {
				at--
			}
			if at > 0 && out[at-1] != "" {
				out = append(out[:at], append([]string{""}, out[at:]...)...)
			}
		}
		out = append(out, line)
	}
	return []byte(strings.Join(out, "\n"))
}
