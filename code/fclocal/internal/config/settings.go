package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fclocal/internal/result"
)

// A setting is one of the function's or the trigger's that a run depends on. The
// table of them is the only place that says what there is to a setting: the
// checks, the values of a Project, --set and its completion, a run's JSON and the
// columns of its table come from it.
type setting struct {
	name    string // in s.yaml, and with --set
	trigger bool   // below the trigger's config; else below props.function
	path    string // there, if it is not the name
	allowed values
	unit    string // of a number

	fallback any    // the platform's default; nil: it must be given, or there is none
	source   string // of the default: documented or inferred; what it is, if it is no fixed value

	shown bool // with every run; else only where it is overridden, or runs differ in it

	field func(*Project) any // where it is kept: *int, **int, *float64, *bool or *string
}

// values are what a setting may be.
type values struct {
	kind      string // integer, number, boolean or string, as in JSON Schema
	low, high string // of a number; "" if there is no such limit
	step      string // of a number; "" if every one is allowed
	choice    []any  // in place of kind
	empty     bool   // a string may be ""
	needed    string // what to give where there is nothing
	note      string // on the limits of a number
}

func whole(low, high int) values {
	return values{kind: "integer", low: strconv.Itoa(low), high: strconv.Itoa(high)}
}

// ownLimit is for what the platform documents no upper limit of.
func ownLimit(low, high int) values {
	v := whole(low, high)
	v.note = "fclocal's limit"
	return v
}
func wholeFrom(low int) values   { return values{kind: "integer", low: strconv.Itoa(low)} }
func oneOf(choice ...any) values { return values{choice: choice} }
func text(needed string) values  { return values{kind: "string", needed: needed} }
func (v values) steps(of string) values {
	v.step = of
	return v
}

const defaultMemorySize = 128 // MB

// maxTasks is as many as the Kafka of fclocal has partitions: more tasks than those
// have nothing to do.
const maxTasks = 1000

const (
	documented = "documented"
	inferred   = "inferred"

	deliveryOption  = "eventSinkConfig.deliveryOption."
	retryStrategy   = "runOptions.retryStrategy."
	batchWindow     = "runOptions.batchWindow."
	kafkaParameters = "eventSourceConfig.eventSourceParameters.sourceKafkaParameters."
)

// settings are in the order in which they are shown. Ranges are documented; a
// default's source stands beside it.
var settings = []setting{
	{name: "maximumTasks", trigger: true, path: "runOptions.maximumTasks", allowed: ownLimit(1, maxTasks), fallback: 1, source: inferred, shown: true,
		field: func(p *Project) any { return &p.Trigger.MaximumTasks }},
	{name: "concurrency", trigger: true, path: deliveryOption + "concurrency", allowed: whole(1, 300), fallback: 1, source: inferred, shown: true,
		field: func(p *Project) any { return &p.Trigger.Concurrency }},
	{name: "CountBasedWindow", trigger: true, path: batchWindow + "CountBasedWindow", allowed: whole(1, 10000), fallback: 1, source: inferred, shown: true,
		field: func(p *Project) any { return &p.Trigger.BatchWindow.CountBasedWindow }},
	{name: "TimeBasedWindow", trigger: true, path: batchWindow + "TimeBasedWindow", allowed: whole(0, 15), unit: "s", fallback: 0, source: inferred, shown: true,
		field: func(p *Project) any { return &p.Trigger.BatchWindow.TimeBasedWindow }},
	{name: "errorsTolerance", trigger: true, path: "runOptions.errorsTolerance", allowed: oneOf("ALL", "NONE"), fallback: "NONE", source: documented, shown: true,
		field: func(p *Project) any { return &p.Trigger.ErrorsTolerance }},
	{name: "PushRetryStrategy", trigger: true, path: retryStrategy + "PushRetryStrategy", allowed: oneOf("BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY"), fallback: "BACKOFF_RETRY", source: inferred, shown: true,
		field: func(p *Project) any { return &p.Trigger.RetryStrategy.PushRetryStrategy }},
	{name: "MaximumRetryAttempts", trigger: true, path: retryStrategy + "MaximumRetryAttempts", allowed: wholeFrom(0),
		field: func(p *Project) any { return &p.Trigger.RetryStrategy.MaximumRetryAttempts }},
	{name: "MaximumEventAgeInSeconds", trigger: true, path: retryStrategy + "MaximumEventAgeInSeconds", allowed: wholeFrom(0), unit: "s",
		field: func(p *Project) any { return &p.Trigger.RetryStrategy.MaximumEventAgeInSeconds }},
	{name: "deadLetterQueue", trigger: true, path: "runOptions.deadLetterQueue.Arn", allowed: text("the ARN of the dead-letter queue"),
		field: func(p *Project) any { return &p.Trigger.DeadLetterQueueArn }},
	{name: "eventSchema", trigger: true, path: deliveryOption + "eventSchema", allowed: oneOf("CloudEvents", "RawData"), fallback: "CloudEvents", source: inferred, shown: true,
		field: func(p *Project) any { return &p.Trigger.EventSchema }},
	{name: "eventRuleFilterPattern", trigger: true, allowed: values{kind: "string", empty: true, needed: `an event pattern in JSON, such as "{}", which lets every event pass`},
		field: func(p *Project) any { return &p.Trigger.EventRuleFilterPattern }},
	{name: "triggerEnable", trigger: true, allowed: values{kind: "boolean"}, fallback: true, source: inferred,
		field: func(p *Project) any { return &p.Trigger.Enable }},
	{name: "asyncInvocationType", trigger: true, allowed: values{kind: "boolean"}, fallback: false, source: inferred,
		field: func(p *Project) any { return &p.Trigger.AsyncInvocation }},

	{name: "RegionId", trigger: true, path: kafkaParameters + "RegionId", allowed: text(""), source: "the function's region (inferred)",
		field: func(p *Project) any { return &p.Trigger.Kafka.RegionID }},
	{name: "InstanceId", trigger: true, path: kafkaParameters + "InstanceId", allowed: text("the ID of the Kafka instance"),
		field: func(p *Project) any { return &p.Trigger.Kafka.InstanceID }},
	{name: "Topic", trigger: true, path: kafkaParameters + "Topic", allowed: text("the topic's name"),
		field: func(p *Project) any { return &p.Trigger.Kafka.Topic }},
	{name: "ConsumerGroup", trigger: true, path: kafkaParameters + "ConsumerGroup", allowed: text("the consumer group's ID"),
		field: func(p *Project) any { return &p.Trigger.Kafka.ConsumerGroup }},
	{name: "OffsetReset", trigger: true, path: kafkaParameters + "OffsetReset", allowed: oneOf("earliest", "latest"),
		field: func(p *Project) any { return &p.Trigger.Kafka.OffsetReset }},
	{name: "Network", trigger: true, path: kafkaParameters + "Network", allowed: oneOf("Default", "PublicNetwork"), fallback: "Default", source: inferred,
		field: func(p *Project) any { return &p.Trigger.Kafka.Network }},

	{name: "instanceConcurrency", allowed: whole(1, 200), fallback: 1, source: inferred, shown: true,
		field: func(p *Project) any { return &p.Function.InstanceConcurrency }},
	{name: "instanceSoftConcurrency", allowed: whole(1, 200), source: "instanceConcurrency (documented)",
		field: func(p *Project) any { return &p.Function.InstanceSoftConcurrency }},
	{name: "memorySize", allowed: whole(128, 32768).steps("64"), unit: "MB", fallback: defaultMemorySize, source: inferred, shown: true,
		field: func(p *Project) any { return &p.Function.MemorySize }},
	{name: "timeout", allowed: whole(1, 86400), unit: "s", fallback: 60, source: inferred, shown: true,
		field: func(p *Project) any { return &p.Function.Timeout }},
	{name: "cpu", allowed: values{kind: "number", low: "0.05", high: "16", step: "0.05"}, unit: "vCPU", source: "what the platform sets",
		field: func(p *Project) any { return &p.Function.CPU }},
	{name: "diskSize", allowed: oneOf(512, 10240), unit: "MB", fallback: 512, source: inferred,
		field: func(p *Project) any { return &p.Function.DiskSize }},
	{name: "initializer", allowed: text("the handler of the initializer, for go1 \"true\""),
		field: func(p *Project) any { return &p.Function.Initializer }},
	{name: "initializationTimeout", allowed: whole(1, 300), unit: "s", fallback: 3, source: documented,
		field: func(p *Project) any { return &p.Function.InitializationTimeout }},
}

func settingNamed(name string) (setting, bool) {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.name == name })
	if i < 0 {
		return setting{}, false
	}
	return settings[i], true
}

// SettingNames returns the names that Options.Set accepts, sorted.
func SettingNames() []string {
	var names []string
	for _, s := range settings {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return names
}

// isText says whether a value is always a string; else it is read like a plain one
// in YAML.
func (s setting) isText() bool {
	if s.allowed.choice != nil {
		_, text := s.allowed.choice[0].(string)
		return text
	}
	return s.allowed.kind == "string"
}

// keys lead to the setting in an edition, below the function or the trigger's config.
func (s setting) keys(e *edition) []string {
	switch path := e.paths[s.name]; {
	case path != "":
		return strings.Split(path, ".")
	case s.path != "":
		return strings.Split(s.path, ".")
	}
	return []string{s.name}
}

// defaultIn is the platform's default in an edition, and where it is from.
func (s setting) defaultIn(e *edition) (fallback any, source string) {
	if fallback, other := e.fallbacks[s.name]; other {
		return fallback, e.sources[s.name]
	}
	return s.fallback, s.source
}

// isIn tells whether an edition has the setting.
func (s setting) isIn(e *edition) bool { return !slices.Contains(e.without, s.name) }

// schema is the setting's in JSON Schema.
func (s setting) schema() map[string]any {
	a := s.allowed
	schema := map[string]any{}
	for keyword, number := range map[string]string{"minimum": a.low, "maximum": a.high, "multipleOf": a.step} {
		if number != "" {
			schema[keyword] = json.Number(number)
		}
	}
	switch {
	case a.choice != nil:
		var choice []any
		for _, value := range a.choice {
			if number, ok := value.(int); ok {
				value = json.Number(strconv.Itoa(number))
			}
			choice = append(choice, value)
		}
		schema["enum"] = choice
	default:
		schema["type"] = a.kind
	}
	if a.kind == "string" && !a.empty {
		schema["minLength"] = json.Number("1")
	}
	if a.needed != "" {
		schema["description"] = a.needed
	}
	if a.note != "" {
		schema["$comment"] = a.note
	}
	return schema
}

// insert puts the schemas of all settings into that of an edition.
func insert(definitions map[string]any, e *edition) {
	for _, s := range settings {
		if !s.isIn(e) {
			continue
		}
		at := definitions["function"]
		if s.trigger {
			at = definitions["eventbridge"]
		}
		keys := s.keys(e)
		for _, key := range keys[:len(keys)-1] {
			at = at.(map[string]any)["properties"].(map[string]any)[key]
			if name, found := at.(map[string]any)["$ref"].(string); found {
				at = definitions[strings.TrimPrefix(name, "#/$defs/")]
			}
		}
		at.(map[string]any)["properties"].(map[string]any)[keys[len(keys)-1]] = s.schema()
	}
}

// read takes the setting from the mapping that is to hold it.
func (s setting) read(e *edition, p *Project, n *node) {
	if !s.isIn(e) {
		n = nil
	}
	keys := s.keys(e)
	fallback, _ := s.defaultIn(e)
	switch field := s.field(p).(type) {
	case *int:
		number, _ := fallback.(int)
		*field = n.whole(number, keys...)
	case **int:
		if number := n.whole(-1, keys...); number >= 0 {
			*field = &number
		}
	case *float64:
		*field = n.number(0, keys...)
	case *bool:
		*field = n.bool(fallback.(bool), keys...)
	case *string:
		text, _ := fallback.(string)
		*field = n.string(text, keys...)
	default:
		panic(fmt.Sprintf("config: setting %s is kept in a %T", s.name, field)) // a mistake in the table
	}
}

// value is what the project has for the setting, nil if it has none.
func (s setting) value(p *Project) any {
	switch field := s.field(p).(type) {
	case *int:
		return *field
	case **int:
		if *field != nil {
			return **field
		}
	case *float64:
		if *field != 0 {
			return *field
		}
	case *bool:
		return *field
	case *string:
		if *field != "" {
			return *field
		}
	}
	return nil
}

// Settings are those that the project's runs have, in the order in which they
// are shown.
func (p *Project) Settings() result.Settings {
	var all result.Settings
	for _, s := range settings {
		if s.trigger && p.Trigger == nil {
			continue
		}
		if value := s.value(p); value != nil {
			all = append(all, result.Setting{
				Name: s.name, Value: value, Unit: s.unit,
				Hidden: !s.shown && !slices.Contains(p.Overridden, s.name),
			})
		}
	}
	return all
}

// Complete returns what a text for Options.Set, NAME=VALUE, may go on as.
func Complete(start string) []string {
	name, value, valued := strings.Cut(start, "=")
	s, known := settingNamed(name)
	if !valued || !known {
		var names []string
		for _, s := range settings {
			names = append(names, s.name+"=")
		}
		return names
	}
	before := value[:strings.LastIndexByte(value, ',')+1]
	choice := s.allowed.choice
	if s.allowed.kind == "boolean" {
		choice = []any{true, false}
	}
	var whole []string
	for _, value := range choice {
		whole = append(whole, fmt.Sprintf("%s=%s%v", name, before, value))
	}
	return whole
}

// Describe says of all settings, in the order in which they are shown, what they may
// be, what their default is and where it is from, and where they stand below props in
// FC 2.0's file. In FC 3.0's, function is props itself, and config triggerConfig.
func Describe() string {
	var all strings.Builder
	for _, s := range settings {
		allowed := s.allowed.String()
		if s.unit != "" {
			allowed += " " + s.unit
		}
		fallback := s.describeDefault(&edition1)
		if other := s.describeDefault(&edition3); other != fallback {
			fallback += ", in FC 3.0 " + other
		}
		path := s.describePath(&edition1)
		if !s.isIn(&edition3) {
			path += " (FC 2.0 only)"
		} else if other := s.describePath(&edition3); !s.trigger && other != strings.TrimPrefix(path, "function.") {
			path += ", in FC 3.0 " + other
		}
		fmt.Fprintf(&all, "%s: %s; default %s\n    %s\n", s.name, allowed, fallback, path)
	}
	return all.String()
}

func (s setting) describeDefault(e *edition) string {
	switch fallback, source := s.defaultIn(e); {
	case fallback != nil:
		return fmt.Sprintf("%v (%s)", fallback, source)
	case source != "":
		return source
	}
	return "none"
}

// describePath is where a setting stands below props.
func (s setting) describePath(e *edition) string {
	keys := s.keys(e)
	if s.trigger {
		keys = append([]string{"triggers[]", e.keys.triggerConfig}, keys...)
	} else {
		keys = append(slices.Clone(e.function), keys...)
	}
	return strings.Join(keys, ".")
}

func (v values) String() string {
	var text string
	switch {
	case v.choice != nil:
		var choice []string
		for _, value := range v.choice {
			choice = append(choice, fmt.Sprint(value))
		}
		return strings.Join(choice, " or ")
	case v.kind == "boolean":
		return "true or false"
	case v.kind == "string":
		return "text"
	case v.high != "":
		text = v.low + " to " + v.high
	default:
		text = v.low + " or more"
	}
	if v.step != "" {
		text += " in steps of " + v.step
	}
	if v.note != "" {
		text += " (" + v.note + ")"
	}
	return text
}
