package config

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// An s.yaml may be somebody else's, and a small one can stand for very much. Real ones
// stay far below these limits, which keep the time and the memory that a check takes
// small, and what it prints readable.
const (
	maxFile       = 1 << 20 // bytes of the file
	maxDirectives = 100
	maxDepth      = 64       // mappings and lists within each other
	maxKey        = 128      // bytes of a key, which is part of the path of all that is below it
	maxValues     = 100_000  // once aliases, merge keys and variables are replaced; long texts count more
	textValue     = 100      // bytes of text that count as a value
	maxMerged     = 100_000  // keys that merge keys copy
	maxText       = 64 << 10 // bytes of a text once its variables are replaced
	maxTexts      = 4 << 20  // bytes of all such texts
	maxProblems   = 10_000   // that are looked for
	maxShown      = 100      // problems that are shown
	maxMessage    = 1000     // characters of a message
	maxSource     = 200      // characters of the file's line that are shown with a problem
	maxAdvice     = 100      // unknown variables for which a similar one is looked for
	maxNames      = 500      // variables that are looked through for it
	maxListed     = 200      // characters of a list of them
	maxNear       = 64       // bytes of a name for which a similar one is looked for
)

// directives checks how many there are: the parser compares each with all others.
func (c *checker) directives() bool {
	n := 0
	for i, line := range c.lines {
		if strings.HasPrefix(line, "%") {
			n++
		}
		if n > maxDirectives {
			c.fail(place{line: i + 1, column: 1}, "", "more than %d directives are in the file; s.yaml needs none", maxDirectives)
			return false
		}
	}
	return true
}

// limits checks what the parser has made before anything walks through it by its
// paths.
func (c *checker) limits(raw *yaml.Node, depth int) bool {
	if c.parsed++; c.parsed > 2*maxValues { // each may have a key
		c.fail(placeOf(raw), "", "the file has more than %d keys and values up to here", 2*maxValues)
		return false
	}
	if depth > maxDepth {
		c.fail(placeOf(raw), "", "more than %d mappings and lists are within each other here", maxDepth)
		return false
	}
	for i, child := range raw.Content {
		if raw.Kind == yaml.MappingNode && i%2 == 0 && len(child.Value) > maxKey {
			c.fail(placeOf(child), "", "the key %s is longer than %d bytes", quote(child.Value), maxKey)
			return false
		}
		if !c.limits(child, depth+1) {
			return false
		}
	}
	return true
}

// duplicates finds keys that are twice in a mapping, where nobody resolves it.
func (c *checker) duplicates(raw *yaml.Node) {
	first := map[string]int{}
	for i, child := range raw.Content {
		if raw.Kind == yaml.MappingNode && i%2 == 0 && child.Kind == yaml.ScalarNode {
			if line, seen := first[child.Value]; seen && child.ShortTag() != "!!merge" {
				c.fail(placeOf(child), "", "duplicate key %s; it is first on line %d", quote(child.Value), line)
			} else {
				first[child.Value] = child.Line
			}
		}
		c.duplicates(child)
	}
}

// A size is how many values a node stands for and how deep they go.
type size struct{ values, depth int }

// measure returns the size of n. Aliases and variables share nodes, which count
// each time. It reports the innermost node that is too large, and then no other.
func (c *checker) measure(n *node, known map[*node]size) (s size, small bool) {
	if s, seen := known[n]; seen {
		return s, true
	}
	s = size{values: 1 + len(n.text)/textValue, depth: 1}
	for child := range n.children() {
		below, small := c.measure(child, known)
		if !small {
			return s, false
		}
		s.values += below.values
		s.depth = max(s.depth, below.depth+1)
	}
	known[n] = s
	switch {
	case s.values > maxValues:
		c.fail(n.place, "", "more than %d values or %d MB of text stand here once aliases, merge keys and variables are replaced", maxValues, maxValues*textValue/1_000_000)
	case s.depth > maxDepth:
		c.fail(n.place, "", "more than %d mappings and lists are within each other here once aliases and variables are replaced", maxDepth)
	default:
		return s, true
	}
	return s, false
}
