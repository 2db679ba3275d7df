package config

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"fclocal/internal/files"
)

const maxExtends = 8 // files that extend each other

// An extender puts what a file extends into it, before its variables are replaced. What
// comes from another file stands where that is named.
type extender struct {
	c      *checker
	copied int // keys
}

// extend returns the file with what its keys extend put in: that of the file, which
// names another file, and those of resources, which name a template. It is nil after a
// problem.
func (c *checker) extend(raw *yaml.Node) *yaml.Node {
	x := extender{c: c}
	if raw = x.file(raw, c.file, maxExtends); raw == nil {
		return nil
	}
	resources, templates := dealias(valueOf(raw, "resources")), dealias(valueOf(raw, "template"))
	if resources == nil || resources.Kind != yaml.MappingNode {
		return raw
	}
	for i := 1; i < len(resources.Content); i += 2 {
		resource := dealias(resources.Content[i])
		extend := dealias(valueOf(resource, "extend"))
		if extend == nil || extend.Kind != yaml.MappingNode {
			continue
		}
		name := dealias(valueOf(extend, "name"))
		if name == nil {
			continue // which the schema refuses
		}
		template := dealias(valueOf(templates, name.Value))
		if template == nil || template.Kind != yaml.MappingNode {
			c.fail(placeOf(name), "resources."+resources.Content[i-1].Value+".extend.name", "template has no %s", quote(name.Value))
			continue
		}
		if ignore := dealias(valueOf(extend, "ignore")); ignore != nil {
			for _, path := range ignore.Content {
				template = x.without(template, strings.Split(path.Value, "."))
			}
		}
		resources.Content[i] = x.with(resource, "props", x.merge(template, dealias(valueOf(resource, "props"))))
		if x.copied > maxMerged {
			c.fail(placeOf(name), "", "extend copies more than %d keys up to here", maxMerged)
			return nil
		}
	}
	return raw
}

func (x *extender) file(raw *yaml.Node, file string, more int) *yaml.Node {
	extend := dealias(valueOf(raw, "extend"))
	if extend == nil || extend.Kind != yaml.ScalarNode || extend.ShortTag() != "!!str" {
		return raw
	}
	path := extend.Value
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	base, err := readYAML(path)
	if absolute, absErr := filepath.Abs(path); absErr == nil {
		x.c.read = append(x.c.read, absolute)
	}
	if err == nil && more == 0 {
		err = fmt.Errorf("more than %d files extend each other", maxExtends)
	}
	if err != nil {
		x.c.fail(placeOf(extend), "extend", "extend is %s: %v", quote(extend.Value), err)
		return nil
	}
	if !x.c.limits(base, 1) {
		return nil
	}
	if base = x.file(base, path, more-1); base == nil {
		return nil
	}
	move(base, placeOf(extend))
	return x.merge(base, raw)
}

// readYAML reads a mapping from a file.
func readYAML(path string) (*yaml.Node, error) {
	data, err := files.Read(path, maxFile)
	if err != nil {
		return nil, err
	}
	if at, what, found := firstUnreadable(data); found {
		return nil, fmt.Errorf("line %d: %s", at.line, what)
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	var document yaml.Node
	if err == nil {
		err = loader.Load(&document)
	}
	if err != nil {
		return nil, fmt.Errorf("not valid YAML: %w", err)
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("a mapping is needed")
	}
	return document.Content[0], nil
}

// valueOf is the value of a key of a mapping, nil if there is none.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// merge puts own over base: mappings key by key, anything else as a whole.
func (x *extender) merge(base, own *yaml.Node) *yaml.Node {
	base, own = dealias(base), dealias(own)
	if own == nil {
		return base
	}
	if base == nil || base.Kind != yaml.MappingNode || own.Kind != yaml.MappingNode || x.copied > maxMerged {
		return own
	}
	merged := *own
	merged.Content = slices.Clone(own.Content)
	at := map[string]int{}
	for i := 0; i+1 < len(own.Content); i += 2 {
		at[own.Content[i].Value] = i + 1
	}
	x.copied += (len(base.Content) + len(own.Content)) / 2
	for i := 0; i+1 < len(base.Content); i += 2 {
		key, value := base.Content[i], base.Content[i+1]
		if j, has := at[key.Value]; has {
			merged.Content[j] = x.merge(value, own.Content[j])
		} else {
			merged.Content = append(merged.Content, key, value)
		}
	}
	return &merged
}

// with is a mapping with another value of a key.
func (x *extender) with(mapping *yaml.Node, key string, value *yaml.Node) *yaml.Node {
	changed := *mapping
	changed.Content = slices.Clone(mapping.Content)
	x.copied += len(mapping.Content) / 2
	for i := 0; i+1 < len(changed.Content); i += 2 {
		if changed.Content[i].Value == key {
			changed.Content[i+1] = value
			return &changed
		}
	}
	name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key, Line: mapping.Line, Column: mapping.Column}
	changed.Content = append(changed.Content, name, value)
	return &changed
}

// without is a mapping without what stands under the keys.
func (x *extender) without(mapping *yaml.Node, keys []string) *yaml.Node {
	mapping = dealias(mapping)
	value := valueOf(mapping, keys[0])
	if value == nil || x.copied > maxMerged {
		return mapping
	}
	if len(keys) > 1 {
		return x.with(mapping, keys[0], x.without(value, keys[1:]))
	}
	changed := *mapping
	changed.Content = nil
	x.copied += len(mapping.Content) / 2
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value != keys[0] {
			changed.Content = append(changed.Content, mapping.Content[i], mapping.Content[i+1])
		}
	}
	return &changed
}
