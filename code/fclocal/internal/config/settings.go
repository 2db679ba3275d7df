package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A setting is one that can be overridden by its name.
type setting struct {
	trigger bool // below the trigger's config; else below props.function
	path    string
	text    bool // always a string; else a value is read like a plain one in YAML
}

var settings = map[string]setting{
	"memorySize":          {path: "memorySize"},
	"timeout":             {path: "timeout"},
	"cpu":                 {path: "cpu"},
	"diskSize":            {path: "diskSize"},
	"instanceConcurrency": {path: "instanceConcurrency"},

	"triggerEnable":            {trigger: true, path: "triggerEnable"},
	"asyncInvocationType":      {trigger: true, path: "asyncInvocationType"},
	"eventRuleFilterPattern":   {trigger: true, path: "eventRuleFilterPattern", text: true},
	"eventSchema":              {trigger: true, path: "eventSinkConfig.deliveryOption.eventSchema", text: true},
	"concurrency":              {trigger: true, path: "eventSinkConfig.deliveryOption.concurrency"},
	"maximumTasks":             {trigger: true, path: "runOptions.maximumTasks"},
	"errorsTolerance":          {trigger: true, path: "runOptions.errorsTolerance", text: true},
	"PushRetryStrategy":        {trigger: true, path: "runOptions.retryStrategy.PushRetryStrategy", text: true},
	"MaximumRetryAttempts":     {trigger: true, path: "runOptions.retryStrategy.MaximumRetryAttempts"},
	"MaximumEventAgeInSeconds": {trigger: true, path: "runOptions.retryStrategy.MaximumEventAgeInSeconds"},
	"deadLetterQueue":          {trigger: true, path: "runOptions.deadLetterQueue.Arn", text: true},
	"CountBasedWindow":         {trigger: true, path: "runOptions.batchWindow.CountBasedWindow"},
	"TimeBasedWindow":          {trigger: true, path: "runOptions.batchWindow.TimeBasedWindow"},
	"RegionId":                 {trigger: true, path: kafkaParameters + ".RegionId", text: true},
	"InstanceId":               {trigger: true, path: kafkaParameters + ".InstanceId", text: true},
	"Topic":                    {trigger: true, path: kafkaParameters + ".Topic", text: true},
	"ConsumerGroup":            {trigger: true, path: kafkaParameters + ".ConsumerGroup", text: true},
	"OffsetReset":              {trigger: true, path: kafkaParameters + ".OffsetReset", text: true},
	"Network":                  {trigger: true, path: kafkaParameters + ".Network", text: true},
}

const kafkaParameters = "eventSourceConfig.eventSourceParameters.sourceKafkaParameters"

// SettingNames returns the names that Options.Set accepts, sorted.
func SettingNames() []string { return slices.Sorted(maps.Keys(settings)) }

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
		s, ok := settings[name]
		if !ok {
			if near := nearest(name, SettingNames()); near != "" {
				return nil, fmt.Errorf("unknown setting %q; did you mean %q?", name, near)
			}
			return nil, fmt.Errorf("unknown setting %q; known are %s", name, strings.Join(SettingNames(), ", "))
		}
		o := override{setting: s, at: place{override: "--set " + name + "=" + set[name]}}
		if text := set[name]; text != "" {
			o.value = &node{place: o.at, text: text, scalar: text}
			if !s.text {
				if plain, err := decodeScalar(&yaml.Node{Kind: yaml.ScalarNode, Value: text}); err == nil {
					o.value.scalar = plain
				}
			}
		}
		overrides = append(overrides, o)
	}
	return overrides, nil
}

// apply sets the overrides in the one function of the file and its trigger.
func (c *checker) apply(overrides []override) {
	props := c.functionProps()
	for _, o := range overrides {
		parent := props.at("function")
		if o.trigger {
			trigger, _ := c.kafkaTrigger(props)
			parent = trigger.at("config")
		}
		keys := strings.Split(o.path, ".")
		switch {
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
			n.fields = append(n.fields, field{key, value.place, &node{place: value.place, kind: mappingKind}})
		}
		if n = n.at(key); n.kind != mappingKind {
			return false
		}
	}
	last := keys[len(keys)-1]
	if f := n.field(last); f != nil {
		f.value = value
	} else {
		n.fields = append(n.fields, field{last, value.place, value})
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
			n.fields = slices.DeleteFunc(n.fields, func(other field) bool { return other.key == keys[0] })
		}
	}
}
