package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Combinations reads overrides of the form NAME=VALUE[,VALUE...] and returns those
// of each run, for Options.Set: every value of each with every value of the
// others. A value that is a JSON object is not split.
func Combinations(overrides []string) ([]map[string]string, error) {
	runs := []map[string]string{{}}
	for _, override := range overrides {
		name, text, found := strings.Cut(override, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("--set %s: it must be NAME=VALUE[,VALUE...]", override)
		}
		values := []string{text}
		if !strings.HasPrefix(text, "{") {
			values = strings.Split(text, ",")
		}
		var next []map[string]string
		for _, run := range runs {
			if _, twice := run[name]; twice {
				return nil, fmt.Errorf("--set %s is given twice; several values go into one: %s=A,B", name, name)
			}
			for _, value := range values {
				with := maps.Clone(run)
				with[name] = value
				next = append(next, with)
			}
		}
		runs = next
	}
	return runs, nil
}

// An override is a setting with the value to give it.
type override struct {
	setting
	at    place
	value *node // nil removes the setting
}

// newOverrides returns the overrides sorted by name.
func newOverrides(set map[string]string) ([]override, error) {
	var overrides []override
	for _, name := range slices.Sorted(maps.Keys(set)) {
		s, ok := settingNamed(name)
		if !ok {
			if near := nearest(name, SettingNames()); near != "" {
				return nil, fmt.Errorf("unknown setting %q; did you mean %q?", name, near)
			}
			return nil, fmt.Errorf("unknown setting %q; known are %s", name, strings.Join(SettingNames(), ", "))
		}
		o := override{setting: s, at: place{override: "--set " + name + "=" + set[name]}}
		if text := set[name]; text != "" {
			o.value = &node{place: o.at, text: text, scalar: text}
			if !s.isText() {
				if plain, err := decodeScalar(&yaml.Node{Kind: yaml.ScalarNode, Value: text}); err == nil {
					o.value.scalar = plain
				}
			}
		}
		overrides = append(overrides, o)
	}
	return overrides, nil
}

// apply sets the overrides in the function and its trigger.
func (c *checker) apply(overrides []override) {
	for _, o := range overrides {
		var parent *node
		if c.unit != nil {
			if parent = c.unit.function.node(); o.trigger {
				parent = c.unit.kafka().at(c.edition.keys.triggerConfig)
			}
		}
		keys := o.keys(c.edition)
		switch {
		case !o.isIn(c.edition):
			c.fail(o.at, "", "%s has no %s", c.edition.platform, o.name)
		case parent == nil || parent.kind != mappingKind:
			what := "function"
			if o.trigger {
				what = "EventBridge trigger for Kafka"
			}
			c.fail(o.at, "", "the file has no %s to set this of", what)
		case o.value == nil:
			parent.remove(keys)
		case !parent.set(keys, o.value):
			c.fail(o.at, "", "%s is not a mapping", strings.Join(keys[:len(keys)-1], "."))
		}
	}
}

// set gives the key below n a value, with the mappings that are missing in
// between. It returns false if something else stands there.
func (n *node) set(keys []string, value *node) bool {
	for _, key := range keys[:len(keys)-1] {
		if n.field(key) == nil {
			n.setFields(append(n.fields, field{key, value.place, &node{place: value.place, kind: mappingKind}}))
		}
		if n = n.at(key); n.kind != mappingKind {
			return false
		}
	}
	last := keys[len(keys)-1]
	if f := n.field(last); f != nil {
		f.value = value
	} else {
		n.setFields(append(n.fields, field{last, value.place, value}))
	}
	return true
}

// remove takes the key out, and the mappings that held nothing else.
func (n *node) remove(keys []string) {
	if f := n.field(keys[0]); f != nil {
		if len(keys) > 1 {
			f.value.remove(keys[1:])
		}
		if len(keys) == 1 || len(f.value.fields) == 0 && f.value.kind == mappingKind {
			n.setFields(slices.DeleteFunc(n.fields, func(other field) bool { return other.key == keys[0] }))
		}
	}
}
