package config

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

// An edition is a format of s.yaml. What the formats have in common is written once,
// for the units that an edition finds in a file; what differs is said here.
type edition struct {
	version   string // what the key edition must be
	platform  string // what FC calls it
	component string // that deploys a function

	isFunction      func(unit *node) bool         // whether a service or resource is one
	wrongComponents func(component string) string // what is wrong with a component, or ""

	schema []byte // JSON Schema; settings.go puts the settings in

	units string // the key that holds the services or resources
	keys  keys

	// The mappings below props that hold what is of the service, the function and the
	// triggers; none: props itself.
	service, function []string

	paths     map[string]string // of settings whose path below function is another
	fallbacks map[string]any    // of settings whose default is another
	sources   map[string]string // of those defaults
	without   []string          // settings that there are not

	// renamed are keys of the other edition by what holds them, a definition of the
	// schema: = and their name in this one, or what is to be said of them.
	renamed map[string]map[string]string

	// ignored is set where s drops keys that it does not know, in silence.
	ignored string

	extends  bool     // a file may extend another, and a resource a template
	reserved []string // environment variables that only this platform sets
	syntax   syntax
	rules    func(c *checker, u *unit, deploy bool)
	complete func(c *checker, u *unit, p *Project)
}

// keys are names that the editions differ in.
type keys struct {
	function, code                      string
	trigger, triggerType, triggerConfig string

	port, health []string // of a custom runtime, below function
}

// editions are all formats; the first is what s takes a file for that names none.
var editions = []*edition{&edition1, &edition3}

func versions() []string {
	var all []string
	for _, e := range editions {
		all = append(all, e.version)
	}
	return all
}

// editionOf tells a file's format, also of one whose edition is misspelt.
func editionOf(root *yaml.Node) *edition {
	version, has := "", map[string]bool{}
	if root.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(root.Content); i += 2 {
			key := root.Content[i].Value
			has[key] = true
			if key == "edition" {
				version = dealias(root.Content[i+1]).Value
			}
		}
	}
	for _, e := range editions {
		if strings.HasPrefix(version, e.version[:1]) {
			return e
		}
	}
	for _, e := range editions {
		if has[e.units] {
			return e
		}
	}
	return editions[0]
}

// A unit is a function of a file with what belongs to it: a service, or a resource.
type unit struct {
	*edition
	key  string
	at   *field // below services or resources
	path string

	props, service, function             *field
	propsPath, servicePath, functionPath string
}

// unitOf takes a service or resource apart. Its parts are nil where they are missing.
func (e *edition) unitOf(f *field) *unit {
	u := &unit{edition: e, key: f.key, at: f, path: join(e.units, f.key)}
	u.props, u.propsPath = f.value.field("props"), join(u.path, "props")
	below := func(keys []string) (*field, string) {
		part, path := u.props, u.propsPath
		for _, key := range keys {
			if part != nil {
				part = part.value.field(key)
			}
			path = join(path, key)
		}
		return part, path
	}
	u.service, u.servicePath = below(e.service)
	u.function, u.functionPath = below(e.function)
	return u
}

// node is the value of a field, nil if there is none.
func (f *field) node() *node {
	if f == nil {
		return nil
	}
	return f.value
}

// name is the function's, or that of the unit while there is none.
func (u *unit) name() string {
	name := u.function.node().at(u.keys.function)
	if text := name.string(""); text != "" && !name.unresolved {
		if name.secret {
			return name.quoted()
		}
		return text
	}
	return u.key
}

// runtime is the function's; "" if it cannot be told.
func (u *unit) runtime() string {
	if runtime := u.function.node().at("runtime"); runtime != nil && !runtime.unresolved {
		return runtime.string("")
	}
	return ""
}

// takesMore tells whether an instance of the function takes several calls in FC 3.0.
func (u *unit) takesMore() bool { return strings.HasPrefix(u.runtime(), "custom") }

// triggers are those of the unit.
func (u *unit) triggers() []*node {
	if triggers := u.props.node().at("triggers"); triggers != nil {
		return triggers.items
	}
	return nil
}

func (e *edition) isKafka(trigger *node) bool {
	return trigger.string("", e.keys.triggerType) == "eventbridge" &&
		trigger.string("", e.keys.triggerConfig, "eventSourceConfig", "eventSourceType") == "Kafka"
}

// kafka is the first EventBridge trigger for Kafka, nil if there is none.
func (u *unit) kafka() *node {
	if i := slices.IndexFunc(u.triggers(), u.isKafka); i >= 0 {
		return u.triggers()[i]
	}
	return nil
}

// actions are the lists of what runs before a command, those of the unit and of the
// whole file.
func (c *checker) actions(u *unit, command string) []*node {
	var lists []*node
	for _, actions := range []*node{u.at.value.at("actions"), c.root.at("actions")} {
		if actions == nil {
			continue
		}
		for _, f := range actions.fields {
			if isHook(f.key, command) {
				lists = append(lists, f.value)
			}
		}
	}
	return lists
}

// pick finds the function to run.
func (c *checker) pick(options Options) error {
	if options.Function != "" {
		return c.pickNamed(options.Function)
	}
	if options.Deploy || len(c.units) == 0 {
		return nil
	}
	if len(c.units) == 1 {
		c.unit = c.units[0]
		return nil
	}
	var withTrigger []*unit
	for _, u := range c.units {
		if u.kafka() != nil {
			withTrigger = append(withTrigger, u)
		}
	}
	switch len(withTrigger) {
	case 0:
		return fmt.Errorf("%s has several functions, and none with an EventBridge trigger for Kafka; --function NAME picks one: %s", c.file, names(c.units))
	case 1:
		c.unit = withTrigger[0]
		return nil
	}
	return fmt.Errorf("%s has several functions with an EventBridge trigger for Kafka; --function NAME picks one: %s", c.file, names(withTrigger))
}

func (c *checker) pickNamed(name string) error {
	for _, same := range []func(u *unit) bool{
		func(u *unit) bool { return u.key == name },
		func(u *unit) bool { return u.name() == name },
	} {
		if i := slices.IndexFunc(c.units, same); i >= 0 {
			c.unit = c.units[i]
			return nil
		}
	}
	return fmt.Errorf("--function %s: %s has no such function; there are %s", name, c.file, names(c.units))
}

// names are those of some functions, cut short where they are many.
func names(units []*unit) string {
	var all []string
	for _, u := range units[:min(len(units), maxListed)] {
		all = append(all, u.name())
	}
	if all == nil {
		return "none"
	}
	return cut(strings.Join(all, ", "), maxListed)
}

// definitions are the schema's, as settings.go completes them.
var compiled = sync.OnceValue(func() map[*edition]*schemas {
	all := map[*edition]*schemas{}
	for _, e := range editions {
		all[e] = compile(e)
	}
	return all
})

func (e *edition) schemas() *schemas { return compiled()[e] }
