package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode/utf8"

	"fclocal/internal/eventbridge"
)

const (
	// environmentLimit is the size of environmentVariables in bytes
	// (documented). That names and values count and nothing else is inferred.
	environmentLimit = 4096
)

var fcComponent = regexp.MustCompile(`^(devsapp/)?fc(@.+)?$`) // as in s.schema.json

// functionService returns the first service of component devsapp/fc with its
// key, nil if there is none.
func (c *checker) functionService() *field {
	services := c.root.at("services")
	if services == nil {
		return nil
	}
	for i := range services.fields {
		if f := &services.fields[i]; fcComponent.MatchString(f.value.string("", "component")) {
			return f
		}
	}
	return nil
}

func (c *checker) functionProps() *node {
	if service := c.functionService(); service != nil {
		return service.value.at("props")
	}
	return nil
}

// kafkaTrigger returns the first EventBridge trigger for Kafka below props and
// its path there, nil if there is none.
func (c *checker) kafkaTrigger(props *node) (*node, string) {
	triggers := props.at("triggers")
	if triggers == nil {
		return nil, ""
	}
	for i, trigger := range triggers.items {
		if isKafkaTrigger(trigger) {
			return trigger, fmt.Sprintf("triggers[%d]", i)
		}
	}
	return nil, ""
}

func isKafkaTrigger(trigger *node) bool {
	return trigger.string("", "type") == "eventbridge" &&
		trigger.string("", "config", "eventSourceConfig", "eventSourceType") == "Kafka"
}

// rules checks what the schema cannot: what one setting forbids another.
func (c *checker) rules(options Options) {
	services := c.root.field("services")
	if services == nil {
		return
	}
	c.needResolved("services", services.value)
	first := c.functionService()
	for _, f := range services.value.fields {
		path := join("services", f.key)
		component := f.value.at("component")
		switch {
		case fcComponent.MatchString(component.string("")):
			if f.key != first.key {
				c.fail(f.place, path, "fclocal runs one function; %s has one already", first.key)
			}
		case component != nil && component.kind == scalarKind && !component.unresolved && component.scalar != nil:
			c.warn(component.place, join(path, "component"), "component is %s; fclocal ignores this service and runs devsapp/fc only", component.show())
		}
	}
	if first == nil {
		if !c.failedBelow("services") {
			c.fail(services.place, "services", "no service is of component devsapp/fc")
		}
		return
	}
	path := join(join("services", first.key), "props")
	props := first.value.at("props")
	c.needResolved(path, props)
	c.needResolved(path+".service", props.at("service"))
	c.needResolved(path+".function", props.at("function"))
	c.functionRules(props.at("function"), path+".function")
	c.environmentRules(props.at("function"), path+".function.environmentVariables")
	c.programRules(first.value, props.at("function"), path+".function")
	c.bootstrapRule(props.at("function"), first.value.at("actions"), path+".function")
	c.triggersRules(props, path, options.FC3)
	if options.Deploy {
		c.deployRules(first.value, props, path)
	}
}

// failedBelow tells whether the setting at path or one below it has an error.
func (c *checker) failedBelow(path string) bool {
	for failed := range c.failed {
		if failed == path || strings.HasPrefix(failed, path+".") {
			return true
		}
	}
	return false
}

// needResolved is for mappings that fclocal cannot do without.
func (c *checker) needResolved(path string, n *node) {
	if n != nil && n.unresolved && !c.failed[path] {
		c.fail(n.place, path, "%s is %s, which fclocal cannot resolve and needs", path[strings.LastIndexByte(path, '.')+1:], n.show())
	}
}

func (c *checker) functionRules(function *node, path string) {
	if key := function.field("ossKey"); key != nil && function.at("codeUri") != nil {
		c.fail(key.place, path+".ossKey", "ossKey stands beside codeUri; one of them is allowed")
	}
	c.hookRules(function, path)
	c.softConcurrencyRule(function, path)
	if cpu := function.at("cpu"); cpu != nil && !cpu.unresolved && !c.failed[path+".cpu"] && !c.failed[path+".memorySize"] &&
		!c.misspelt[path+".memorySize"] && !function.unclear("memorySize") {
		memory := function.whole(defaultMemorySize, "memorySize")
		if low, high := cpuRange(memory); function.number(0, "cpu") < low || function.number(0, "cpu") > high {
			c.fail(cpu.place, path+".cpu", "cpu is %s; allowed with %d MB is %v to %v (cpu to memory in GB between 1:1 and 1:4)",
				cpu.show(), memory, low, high)
		}
	}
}

const lifecycle = "instanceLifecycleConfig"

// hookRules warns of handlers that mean nothing to a go1 function, which takes its
// hooks from the SDK (documented). What FC makes of them is not documented.
func (c *checker) hookRules(function *node, path string) {
	if function.string("", "runtime") != "go1" {
		return
	}
	for _, keys := range [][]string{{"initializer"}, {lifecycle, "preFreeze", "handler"}, {lifecycle, "preStop", "handler"}} {
		handler, at := function.at(keys...), path+"."+strings.Join(keys, ".")
		if handler == nil || handler.kind != scalarKind || handler.unresolved || c.failed[at] || handler.text == "true" {
			continue
		}
		c.warn(handler.place, at, "%s is %s; for go1 it is \"true\", and the function registers the hook itself", strings.TrimPrefix(strings.Join(keys, "."), lifecycle+"."), handler.show())
	}
}

func (c *checker) softConcurrencyRule(function *node, path string) {
	soft, hard := path+".instanceSoftConcurrency", path+".instanceConcurrency"
	n := function.at("instanceSoftConcurrency")
	if n == nil || n.unresolved || function.unclear("instanceConcurrency") || c.failed[soft] || c.failed[hard] || c.misspelt[hard] {
		return
	}
	if limit := function.whole(1, "instanceConcurrency"); function.whole(0, "instanceSoftConcurrency") > limit {
		c.fail(n.place, soft, "instanceSoftConcurrency is %s; allowed is 1 to instanceConcurrency, which is %d", n.show(), limit)
	}
}

// cpuRange returns the least and the most vCPU that memory in MB allows, which
// are multiples of 0.05: 1 to 4 GB for each vCPU (documented).
func cpuRange(memory int) (low, high float64) {
	const steps = 20 // of 0.05 in 1 vCPU
	gb := float64(memory) / 1024
	return math.Ceil(gb/4*steps) / steps, min(math.Floor(gb*steps)/steps, 16)
}

func (c *checker) triggersRules(props *node, path string, fc3 bool) {
	if concurrency := props.at("function", "instanceConcurrency"); fc3 && props.whole(1, "function", "instanceConcurrency") > 1 {
		c.warn(concurrency.place, path+".function.instanceConcurrency",
			"instanceConcurrency is %s; in FC 3.0 a function newly made on go1 takes 1 call at a time only", concurrency.show())
	}
	triggers := props.at("triggers")
	if triggers == nil {
		return
	}
	first, _ := c.kafkaTrigger(props)
	for i, trigger := range triggers.items {
		triggerPath := fmt.Sprintf("%s.triggers[%d]", path, i)
		if trigger.string("", "type") == "eventbridge" {
			check := eventbridge.CheckPattern
			if isKafkaTrigger(trigger) {
				check = eventbridge.CheckKafkaPattern
			}
			c.patternRule(trigger.at("config", "eventRuleFilterPattern"), triggerPath+".config.eventRuleFilterPattern", check)
			if enable := trigger.at("config", "triggerEnable"); enable != nil && !enable.unresolved && !trigger.bool(true, "config", "triggerEnable") {
				c.warn(enable.place, triggerPath+".config.triggerEnable", "triggerEnable is false; the event stream is stopped, and no event comes")
			}
		}
		if !isKafkaTrigger(trigger) {
			continue
		}
		if trigger != first {
			c.fail(trigger.place, triggerPath, "fclocal runs one EventBridge trigger for Kafka; %s is one already", first.nameOr("another"))
			continue
		}
		config := trigger.at("config")
		c.sourceRules(config.field("eventSourceConfig"), triggerPath+".config.eventSourceConfig")
		c.modeRules(trigger.field("config"), triggerPath+".config")
		c.deliveryRules(config, triggerPath+".config")
		if timeout := props.at("function", "timeout"); props.whole(0, "function", "timeout") > LongestTriggerCall && !c.failed[path+".function.timeout"] {
			c.warn(timeout.place, path+".function.timeout", "timeout is %s; a trigger allows a call at most %d seconds", timeout.show(), LongestTriggerCall)
		}
	}
}

// patternRule checks an event pattern, whose fields are known for Kafka only.
func (c *checker) patternRule(pattern *node, path string, check func(string) error) {
	if pattern == nil || pattern.unresolved || c.failed[path] {
		return
	}
	var problem *eventbridge.PatternError
	switch err := check(pattern.text); {
	case !errors.As(err, &problem):
	case pattern.secret: // what is wrong with it would show some of it
		c.fail(pattern.place, path, "eventRuleFilterPattern is %s, which is not an event pattern in JSON", pattern.show())
	case problem.Here:
		c.warn(c.within(pattern, problem.Offset), path, "eventRuleFilterPattern: %v", err)
	default:
		c.fail(c.within(pattern, problem.Offset), path, "eventRuleFilterPattern: %v", err)
	}
}

// within is the place of a byte of a text that stands in one line as it is, or else
// that of the text.
func (c *checker) within(n *node, offset int) place {
	if n.override != "" || n.line < 1 || n.line > len(c.lines) {
		return n.place
	}
	line := []rune(c.lines[n.line-1])
	for start := n.column - 1; start <= n.column && start <= len(line); start++ { // after a quotation mark, if there is one
		if n.text != "" && strings.HasPrefix(string(line[start:]), n.text) {
			return place{line: n.line, column: start + 1 + utf8.RuneCountInString(n.text[:offset])}
		}
	}
	return n.place
}

func (c *checker) sourceRules(source *field, path string) {
	parameters := source.value.field("eventSourceParameters")
	path += ".eventSourceParameters"
	if parameters == nil {
		if !c.misspelt[path] {
			c.fail(source.place, path, "eventSourceParameters is missing; Kafka needs it with sourceKafkaParameters")
		}
		return
	}
	kafka := parameters.value.at("sourceKafkaParameters")
	path += ".sourceKafkaParameters"
	if kafka == nil {
		if !c.misspelt[path] && parameters.value.kind == mappingKind {
			c.fail(parameters.place, path, "sourceKafkaParameters is missing; Kafka needs it")
		}
		return
	}
	if kafka.string("", "Network") != "PublicNetwork" {
		return
	}
	var missing []string
	for _, key := range []string{"VpcId", "VSwitchIds", "SecurityGroupId"} {
		if kafka.at(key) == nil && !c.misspelt[join(path, key)] {
			missing = append(missing, key)
		}
	}
	if missing != nil {
		c.fail(kafka.at("Network").place, path+".Network", "Network is \"PublicNetwork\"; missing with it: %s", strings.Join(missing, ", "))
	}
}

// modeRules checks the two modes. runOptions.mode wins (inferred).
func (c *checker) modeRules(config *field, path string) {
	const streaming = "event-streaming"
	delivery, deliveryPath := config.value.at("eventSinkConfig", "deliveryOption", "mode"), path+".eventSinkConfig.deliveryOption.mode"
	run, runPath := config.value.at("runOptions", "mode"), path+".runOptions.mode"
	if config.value.unclear("eventSinkConfig", "deliveryOption", "mode") || config.value.unclear("runOptions", "mode") ||
		c.failed[deliveryPath] || c.failed[runPath] || c.misspelt[deliveryPath] || c.misspelt[runPath] {
		return
	}
	mode, modePath := run, runPath
	if mode == nil {
		mode, modePath = delivery, deliveryPath
	}
	switch {
	case mode == nil:
		at := config.place
		if f := config.value.field("runOptions"); f != nil {
			at = f.place
		} else if c.misspelt[path+".runOptions"] {
			return
		}
		c.fail(at, runPath, "mode is missing; Kafka needs %s", streaming)
	case mode.text != streaming:
		c.fail(mode.place, modePath, "mode is %s; Kafka needs %s", mode.show(), streaming)
	case delivery != nil && delivery.text != mode.text:
		c.warn(delivery.place, deliveryPath, "mode is %s and in runOptions %s, which wins", delivery.show(), mode.show())
	}
}

func (c *checker) deliveryRules(config *node, path string) {
	if config.bool(false, "asyncInvocationType") {
		c.warn(config.at("asyncInvocationType").place, path+".asyncInvocationType",
			"asyncInvocationType is true; concurrency is for synchronous calls only, and a batch is at most 128 KB")
	}
	run := config.field("runOptions")
	path += ".runOptions"
	if run == nil {
		if !c.misspelt[path] {
			c.warn(config.place, path+".errorsTolerance", "errorsTolerance is missing; the platform's default is NONE: a batch that fails all its retries stops the stream")
		}
		return
	}
	if run.value.kind != mappingKind {
		return
	}
	tolerance, queue := run.value.at("errorsTolerance"), run.value.field("deadLetterQueue")
	tolerancePath, queuePath := path+".errorsTolerance", path+".deadLetterQueue"
	switch {
	case c.misspelt[tolerancePath] || c.failed[tolerancePath]:
		return
	case tolerance == nil:
		c.warn(run.place, tolerancePath, "errorsTolerance is missing; the platform's default is NONE: a batch that fails all its retries stops the stream")
	case tolerance.unresolved:
		return
	}
	switch {
	case tolerance != nil && tolerance.text == "ALL":
		if queue == nil && !c.misspelt[queuePath] {
			c.warn(tolerance.place, queuePath, "deadLetterQueue is missing; with errorsTolerance ALL a batch that fails all its retries is discarded")
		}
	case queue != nil:
		c.warn(queue.place, queuePath, "deadLetterQueue has no effect with errorsTolerance NONE; it is used only when errors are tolerated")
	}
}
