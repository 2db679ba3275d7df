package config

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"fclocal/internal/eventbridge"
)

const (
	// environmentLimit is the size of environmentVariables in bytes
	// (documented). That names and values count and nothing else is inferred.
	environmentLimit = 4096
)

// findUnits takes the services or resources apart that are functions.
func (c *checker) findUnits() {
	group := c.root.at(c.edition.units)
	if group == nil {
		return
	}
	for i := range group.fields {
		if f := &group.fields[i]; c.edition.isFunction(f.value) {
			c.units = append(c.units, c.edition.unitOf(f))
		}
	}
}

// rules checks what the schema cannot: what one setting forbids another.
func (c *checker) rules(options Options) {
	group := c.root.field(c.edition.units)
	if group == nil {
		return
	}
	c.needResolved(c.edition.units, group.value)
	for i := range group.value.fields {
		f := &group.value.fields[i]
		component := f.value.at("component")
		path := join(join(c.edition.units, f.key), "component")
		text := c.judged(component, path)
		switch advice := c.edition.wrongComponents(text); {
		case text == "":
		case advice != "":
			c.fail(component.place, path, "component is %s, %s", component.show(), advice)
		case !c.edition.isFunction(f.value):
			c.warn(component.place, path, "component is %s; fclocal looks into %s only", component.show(), c.edition.component)
		}
	}
	if c.units == nil && !c.failedBelow(c.edition.units) {
		c.fail(group.place, c.edition.units, "none of the %s is of component %s", c.edition.units, c.edition.component)
	}
	for _, u := range c.units {
		if c.unit != nil && u != c.unit {
			continue
		}
		c.unitRules(u, options)
	}
}

func (c *checker) unitRules(u *unit, options Options) {
	c.needResolved(u.propsPath, u.props.node())
	c.needResolved(u.servicePath, u.service.node())
	c.needResolved(u.functionPath, u.function.node())
	if u.function == nil {
		return
	}
	c.functionRules(u)
	c.environmentRules(u)
	c.programRules(u)
	c.bootstrapRule(u)
	c.triggersRules(u, options)
	u.rules(c, u, options.Deploy)
	if options.Deploy {
		c.deployRules(u)
	} else {
		c.runRules(u)
	}
}

// runRules refuse what deploys, but leaves open what would run here.
func (c *checker) runRules(u *unit) {
	for _, s := range settings {
		n, path := u.function.node(), u.functionPath
		if s.trigger {
			n, path = u.kafka().at(u.keys.triggerConfig), ""
		}
		if n = n.at(s.keys(u.edition)...); n != nil && n.cloudOnly && !s.isText() {
			c.fail(n.place, join(path, strings.Join(s.keys(u.edition), ".")), "%s is %s, which only the cloud knows; a run needs the value itself, or --set %s=VALUE", s.name, n.show(), s.name)
		}
	}
	var first *node
	for _, trigger := range u.triggers() {
		if u.isKafka(trigger) && first != nil {
			c.fail(trigger.place, join(u.propsPath, "triggers"), "fclocal runs one EventBridge trigger for Kafka; %s is one already", first.nameOr(u.keys.trigger, "another"))
		} else if u.isKafka(trigger) {
			first = trigger
		}
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

func (c *checker) functionRules(u *unit) {
	function, path := u.function.value, u.functionPath
	needed := func(key, what string) {
		if function.kind == mappingKind && function.field(key) == nil && !c.misspelt[join(path, key)] && !function.unresolved {
			c.fail(u.function.place, join(path, key), "%s is missing; needed is %s", key, what)
		}
	}
	switch runtime := u.runtime(); {
	case runtime == "go1" || runtime == "":
		needed("handler", "the name of the binary in "+u.keys.code)
	case !strings.HasPrefix(runtime, "custom"):
		needed("handler", "the function's handler, such as index.handler")
	}
	if u.runtime() != "custom-container" && function.field("ossKey") == nil {
		needed(u.keys.code, "the directory that is deployed, such as ./code/target")
	}
	c.hookRules(u)
	c.softConcurrencyRule(function, path)
	if cpu := function.at("cpu"); cpu != nil && !cpu.unresolved && !c.failed[path+".cpu"] && !c.failed[path+".memorySize"] &&
		!c.misspelt[path+".memorySize"] && !function.unclear("memorySize") {
		memory := u.memory()
		if low, high := cpuRange(memory); function.number(0, "cpu") < low || function.number(0, "cpu") > high {
			c.fail(cpu.place, path+".cpu", "cpu is %s; allowed with %d MB is %v to %v (cpu to memory in GB between 1:1 and 1:4)",
				cpu.show(), memory, low, high)
		}
	}
}

// memory is the function's memorySize in MB.
func (u *unit) memory() int {
	s, _ := settingNamed("memorySize")
	fallback, _ := s.defaultIn(u.edition)
	return u.function.node().whole(fallback.(int), "memorySize")
}

const lifecycle = "instanceLifecycleConfig"

// hookRules warns of handlers that mean nothing to a go1 function, which takes its
// hooks from the SDK (documented). What FC makes of them is not documented.
func (c *checker) hookRules(u *unit) {
	if u.runtime() != "go1" {
		return
	}
	initializer, _ := settingNamed("initializer")
	for _, keys := range [][]string{initializer.keys(u.edition), {lifecycle, "preFreeze", "handler"}, {lifecycle, "preStop", "handler"}} {
		handler, at := u.function.value.at(keys...), u.functionPath+"."+strings.Join(keys, ".")
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

func (c *checker) triggersRules(u *unit, options Options) {
	concurrency := u.function.value.at("instanceConcurrency")
	if options.FC3 && concurrency != nil && u.edition == &edition1 && !u.takesMore() && u.function.value.whole(1, "instanceConcurrency") > 1 {
		c.warn(concurrency.place, u.functionPath+".instanceConcurrency",
			"instanceConcurrency is %s; in FC 3.0 a function newly made on go1 takes 1 call at a time only", concurrency.show())
	}
	for i, trigger := range u.triggers() {
		configPath := fmt.Sprintf("%s.triggers[%d].%s", u.propsPath, i, u.keys.triggerConfig)
		field := trigger.field(u.keys.triggerConfig)
		config := field.node()
		if trigger.string("", u.keys.triggerType) == "eventbridge" {
			check := eventbridge.CheckPattern
			if u.isKafka(trigger) {
				check = eventbridge.CheckKafkaPattern
			}
			c.patternRule(config.at("eventRuleFilterPattern"), configPath+".eventRuleFilterPattern", check)
			if enable := config.at("triggerEnable"); enable != nil && !enable.unresolved && !config.bool(true, "triggerEnable") {
				c.warn(enable.place, configPath+".triggerEnable", "triggerEnable is false; the event stream is stopped, and no event comes")
			}
		}
		if !u.isKafka(trigger) {
			continue
		}
		c.sourceRules(config.field("eventSourceConfig"), configPath+".eventSourceConfig")
		c.modeRules(field, configPath)
		c.deliveryRules(config, configPath)
		if timeout := u.function.value.at("timeout"); u.function.value.whole(0, "timeout") > LongestTriggerCall && !c.failed[u.functionPath+".timeout"] {
			c.warn(timeout.place, u.functionPath+".timeout", "timeout is %s; a trigger allows a call at most %d seconds", timeout.show(), LongestTriggerCall)
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
