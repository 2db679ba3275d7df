package config

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// schemas is the compiled schema of an edition and finds the parts of it that errors
// name. The compiler is not safe for concurrent use, hence the lock.
type schemas struct {
	root *jsonschema.Schema

	mu       sync.Mutex
	compiler *jsonschema.Compiler
}

// compile makes the schema of an edition. What stands in the config of an EventBridge
// trigger is the same in all of them.
func compile(e *edition) *schemas {
	url := "edition-" + e.version + ".schema.json"
	document := parseSchema(e.schema)
	definitions := document["$defs"].(map[string]any)
	shared := parseSchema(editions[0].schema)["$defs"].(map[string]any)
	for _, name := range []string{"eventbridge", "mode"} {
		definitions[name] = shared[name]
	}
	insert(definitions, e)
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(url, document); err != nil {
		panic(err)
	}
	return &schemas{root: compiler.MustCompile(url), compiler: compiler}
}

func parseSchema(data []byte) map[string]any {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		panic(err) // the file is part of the program
	}
	return document.(map[string]any)
}

func (s *schemas) at(url string) *jsonschema.Schema {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.compiler.MustCompile(url) // compiled with root; this only looks it up
}

// validate checks the node against the schema of its edition.
func (c *checker) validate(root *node) {
	if root.kind != mappingKind {
		c.fail(root.place, "", "the file is %s; a mapping with edition, name and %s is needed", root.describe(), c.edition.units)
		return
	}
	err := c.edition.schemas().root.Validate(root.plain())
	if err == nil {
		return
	}
	leaves := leafErrors(err.(*jsonschema.ValidationError), nil)
	// Unknown keys first: a misspelt key is not reported as missing, too.
	for _, leaf := range leaves {
		if k, ok := leaf.ErrorKind.(*kind.AdditionalProperties); ok {
			c.unknownKeys(leaf, k.Properties)
		}
	}
	for _, leaf := range leaves {
		switch k := leaf.ErrorKind.(type) {
		case *kind.AdditionalProperties:
		case *kind.Required:
			c.missingKeys(leaf, k.Missing)
		default:
			c.wrongValue(leaf)
		}
	}
}

func leafErrors(err *jsonschema.ValidationError, leaves []*jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(err.Causes) == 0 {
		return append(leaves, err)
	}
	for _, cause := range err.Causes {
		leaves = leafErrors(cause, leaves)
	}
	return leaves
}

// A location is a value found by the validator's path to it.
type location struct {
	value      *node
	key        place // of the value's key, or of the value itself in a list
	name, path string
	unresolved bool // the value or one that holds it has no value to check
}

func (c *checker) locate(tokens []string) location {
	l := location{value: c.root, key: c.root.place}
	for _, token := range tokens {
		if l.value.kind == listKind {
			i, _ := strconv.Atoi(token)
			l.value = l.value.items[i]
			l.key = l.value.place
			l.name += "[" + token + "]"
			l.path += "[" + token + "]"
		} else {
			f := l.value.field(token)
			l.value, l.key, l.name = f.value, f.place, token
			l.path = join(l.path, token)
		}
		l.unresolved = l.unresolved || l.value.unresolved
	}
	return l
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (c *checker) unknownKeys(leaf *jsonschema.ValidationError, keys []string) {
	l := c.locate(leaf.InstanceLocation)
	schema := c.edition.schemas().at(leaf.SchemaURL)
	var known, absent []string
	for name := range schema.Properties {
		known = append(known, name)
		if l.value.field(name) == nil {
			absent = append(absent, name)
		}
	}
	slices.Sort(known)
	definition := leaf.SchemaURL[strings.LastIndexAny(leaf.SchemaURL, "#/")+1:]
	for _, key := range keys {
		at, path := l.value.field(key).place, join(l.path, key)
		if instead := c.edition.renamed[definition][key]; instead != "" {
			if name, found := strings.CutPrefix(instead, "="); found {
				instead = fmt.Sprintf("%s's file calls it %s", c.edition.platform, name)
				c.misspelt[join(l.path, name)] = true
			}
			c.fail(at, path, "unknown key %s; %s", quote(key), instead)
			continue
		}
		var advice string
		if near := nearest(key, absent); near != "" {
			advice = fmt.Sprintf("did you mean %q?", near)
			c.misspelt[join(l.path, near)] = true
			if c.ofAnotherSource(l.path) {
				c.warn(at, path, "unknown key %s; %s", quote(key), advice)
				continue
			}
		} else if c.edition.ignored != "" {
			c.warn(at, path, "unknown key %s; %s", quote(key), c.edition.ignored)
			continue
		} else if len(known) > 0 {
			advice = allowedOf(known)
		} else {
			advice = "allowed are " + schema.Description
		}
		c.fail(at, path, "unknown key %s; %s", quote(key), advice)
	}
}

// ofAnotherSource tells whether a setting is of an EventBridge trigger for another source
// than Kafka: official files of these have keys that no reference has.
func (c *checker) ofAnotherSource(path string) bool {
	for _, u := range c.units {
		for i, trigger := range u.triggers() {
			if strings.HasPrefix(path, fmt.Sprintf("%s.triggers[%d].%s", u.propsPath, i, u.keys.triggerConfig)) {
				return trigger.string("", u.keys.triggerType) == "eventbridge" && !u.isKafka(trigger)
			}
		}
	}
	return false
}

func (c *checker) missingKeys(leaf *jsonschema.ValidationError, keys []string) {
	l := c.locate(leaf.InstanceLocation)
	schema := c.edition.schemas().at(leaf.SchemaURL)
	for _, key := range keys {
		path := join(l.path, key)
		if !c.misspelt[path] {
			c.fail(l.key, path, "%s is missing; %s", key, needed(schema.Properties[key]))
		}
	}
}

func (c *checker) wrongValue(leaf *jsonschema.ValidationError) {
	l := c.locate(leaf.InstanceLocation)
	if l.unresolved || c.failed[l.path] {
		return // one error a value is enough
	}
	fail := func(format string, args ...any) {
		c.fail(l.value.place, l.path, "%s "+format, append([]any{l.name}, args...)...)
	}
	schema := c.edition.schemas().at(leaf.SchemaURL)
	fromEnv := func(expected string) {
		from := " from " + cut(l.value.env, maxQuoted)
		if l.value.secret {
			from = ""
		}
		fail("is %s%s, which is always a string; %s: write the value in vars and use ${vars.…}", l.value.quoted(), from, expected)
	}
	if l.value.kind == scalarKind && l.value.scalar == nil {
		needsValue := l.name == "handler" || l.name == c.edition.keys.code // which some runtimes do without
		if strings.HasSuffix(l.name, "]") || needsValue || requires(c.edition.schemas().root, leaf.InstanceLocation) {
			fail("is null; %s", needed(schema))
		} else if strings.Contains(l.path, ".props.service.") { // read in the code of s
			c.warn(l.value.place, l.path, "%s is null, which is as if the key were left out", l.name)
		} else {
			fail("is null; leave the key out")
		}
		return
	}
	switch k := leaf.ErrorKind.(type) {
	case *kind.Type:
		switch expected := neededType(schema); {
		case l.value.env != "":
			fromEnv(expected)
		case k.Got == "number" && slices.Contains(k.Want, "integer"):
			fail("is %s; %s", l.value.show(), expected)
		case l.value.kind == scalarKind && slices.Contains(k.Want, "string"):
			fail("is %s; %s: quote it", l.value.describe(), expected)
		default:
			fail("is %s; %s", l.value.describe(), expected)
		}
	case *kind.Pattern:
		fail("is %s; %s", l.value.show(), needed(schema))
	case *kind.MinLength:
		fail("is empty; %s", needed(schema))
	case *kind.Enum:
		_, wantsText := k.Want[0].(string)
		switch {
		case l.path == "edition":
			fail("is %s; %s", l.value.show(), allowedOf(versions()))
		case l.name == "OffsetReset" && l.value.text == "lastest" && !l.value.secret:
			fail("is %s, as the platform's documentation misspells it; %s", l.value.show(), allowed(schema))
		case wantsText:
			fail("is %s; %s", l.value.show(), allowed(schema))
		case l.value.env != "":
			fromEnv(allowed(schema))
		case l.value.plain() == any(l.value.text): // a string; "512" would read like 512 otherwise
			fail("is %s; %s", l.value.describe(), allowed(schema))
		default:
			fail("is %s; %s", l.value.show(), allowed(schema))
		}
	case *kind.Minimum, *kind.Maximum, *kind.MultipleOf:
		fail("is %s; %s", l.value.show(), allowed(schema))
	default: // a keyword that the schemas did not use when this was written
		fail("is not allowed: %s", k.LocalizedString(message.NewPrinter(language.English)))
	}
}

// requires tells whether a schema requires the last of the keys.
func requires(schema *jsonschema.Schema, keys []string) bool {
	if schema == nil {
		return false
	}
	if requires(schema.Ref, keys) || requires(schema.Then, keys) || requires(schema.Else, keys) {
		return true
	}
	if len(keys) == 1 {
		return slices.Contains(schema.Required, keys[0])
	}
	others, _ := schema.AdditionalProperties.(*jsonschema.Schema)
	return requires(schema.Properties[keys[0]], keys[1:]) || requires(others, keys[1:]) || requires(schema.Items2020, keys[1:])
}

// needed tells what to give for a key that has no value.
func needed(schema *jsonschema.Schema) string {
	if schema.Description != "" {
		return "needed is " + schema.Description
	}
	return allowed(schema)
}

// allowed tells the values that a schema accepts.
func allowed(schema *jsonschema.Schema) string {
	switch {
	case schema.Enum != nil:
		values := make([]string, len(schema.Enum.Values))
		for i, value := range schema.Enum.Values {
			values[i] = fmt.Sprint(value)
		}
		if schema.Comment != "" {
			return allowedOf(values) + ", " + schema.Comment
		}
		return allowedOf(values)
	case schema.Maximum != nil:
		text := fmt.Sprintf("allowed is %s to %s", decimal(schema.Minimum), decimal(schema.Maximum))
		if schema.MultipleOf != nil {
			text += " in steps of " + decimal(schema.MultipleOf)
		}
		if schema.Comment != "" {
			text += " (" + schema.Comment + ")"
		}
		return text
	case schema.Minimum != nil:
		return fmt.Sprintf("allowed is %s or more", decimal(schema.Minimum))
	default:
		return neededType(schema)
	}
}

func allowedOf(values []string) string {
	if len(values) == 1 {
		return "allowed is " + values[0]
	}
	return "allowed are " + strings.Join(values, ", ")
}

func decimal(number *big.Rat) string {
	f, _ := number.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}

var typeNames = map[string]string{
	"string":  "a string",
	"integer": "a whole number",
	"number":  "a number",
	"boolean": "true or false",
	"object":  "a mapping",
	"array":   "a list",
}

// neededType tells the types that a schema accepts.
func neededType(schema *jsonschema.Schema) string {
	for schema.Types == nil && schema.Ref != nil {
		schema = schema.Ref
	}
	if schema.Types == nil {
		return "a value is needed"
	}
	var names []string
	for _, name := range schema.Types.ToStrings() {
		names = append(names, typeNames[name])
	}
	return strings.Join(names, " or ") + " is needed"
}
