package config

import (
	"os"
	"path/filepath"
	"time"

	"fclocal/internal/trigger"
)

// LongestTriggerCall is how long a trigger allows a call to take, in seconds
// (documented).
const LongestTriggerCall = 300

// TriggerTimeout is how long a call by the trigger may take, in seconds.
func (f Function) TriggerTimeout() int { return min(f.Timeout, LongestTriggerCall) }

// Rules are the trigger's, with real waits, what a new account has of instances in the
// function's region, trigger.DefaultIdleTimeout and seed 0.
//
// A MaximumRetryAttempts or MaximumEventAgeInSeconds of 0 is taken as not given
// (inferred: the official sample has 0 next to BACKOFF_RETRY). Asynchronous calls
// differ only in the body limit; concurrency holds for them too (inferred).
func (p *Project) Rules() trigger.Config {
	t := p.Trigger
	c := p.InstanceRules()
	c.MaximumTasks = t.MaximumTasks
	c.Concurrency = t.Concurrency
	c.CountBasedWindow = t.BatchWindow.CountBasedWindow
	c.TimeBasedWindow = time.Duration(t.BatchWindow.TimeBasedWindow) * time.Second
	c.BodyLimit = trigger.BodyLimitSynchronous
	c.RetryStrategy = trigger.RetryStrategy(t.RetryStrategy.PushRetryStrategy)
	c.RetryScale = 1
	c.ErrorsTolerated = t.ErrorsTolerance == "ALL"
	c.DeadLetterQueue = t.DeadLetterQueueArn != ""
	if t.AsyncInvocation {
		c.BodyLimit = trigger.BodyLimitAsynchronous
	}
	if attempts := t.RetryStrategy.MaximumRetryAttempts; attempts != nil {
		c.MaximumRetryAttempts = *attempts
	}
	if age := t.RetryStrategy.MaximumEventAgeInSeconds; age != nil {
		c.MaximumEventAge = time.Duration(*age) * time.Second
	}
	return c
}

// InstanceRules are those of Rules that concern instances, for a project without a
// trigger, too.
func (p *Project) InstanceRules() trigger.Config {
	c := trigger.Config{
		InstanceConcurrency:     p.Function.InstanceConcurrency,
		InstanceSoftConcurrency: p.Function.InstanceSoftConcurrency,
		MaxInstances:            trigger.DefaultMaxInstances,
		IdleTimeout:             trigger.DefaultIdleTimeout,
		PreStop:                 p.Function.PreStop.Handler != "",
	}
	c.InstanceBurst, c.InstanceGrowth = trigger.GrowthOf(p.Region)
	return c
}

// Code is codeUri as a path that does not depend on the current directory.
func (p *Project) Code() string {
	if filepath.IsAbs(p.Function.CodeURI) {
		return p.Function.CodeURI
	}
	return filepath.Join(p.Dir, p.Function.CodeURI)
}

// CodeDirectory is where the function runs: codeUri, or, before it has been made,
// where its program lies.
func (p *Project) CodeDirectory(program string) string {
	if info, err := os.Stat(p.Code()); err == nil && info.IsDir() {
		return p.Code()
	}
	return filepath.Dir(program)
}

const latest = "LATEST" // the version that a trigger calls unless it says otherwise

// project makes the Project of a file without errors, nil if it has no function.
func (c *checker) project(file string) *Project {
	u := c.unit
	if u == nil && len(c.units) > 0 {
		u = c.units[0] // of several, that all are good
	}
	if u == nil {
		return nil
	}
	function, service := u.function.node(), u.service.node()
	p := &Project{
		File:   file,
		Dir:    filepath.Dir(file),
		Read:   c.read,
		Name:   c.root.string("", "name"),
		Region: u.props.node().string("", "region"),
		Service: Service{
			Key:        u.key,
			Role:       service.string("", "role"),
			LogProject: service.string("", "logConfig", "project"),
			Logstore:   service.string("", "logConfig", "logstore"),
			Logs:       service.string("", "logConfig", "logstore") != "" || service.string("", "logConfig") == "auto",
		},
		Function: Function{
			Name:                 function.string("", u.keys.function),
			Handler:              function.string("", "handler"),
			CodeURI:              function.string("", u.keys.code),
			Runtime:              function.string("", "runtime"),
			EnvironmentVariables: map[string]string{},

			PreStop: hook(function, "preStop"),

			Layers: texts(function.at("layers")),
		},
		Build: buildActions(filepath.Dir(file), u.at.value.at("actions"), c.root.at("actions")),
	}
	if p.Function.IsCustom() {
		p.Function.CustomRuntime = customRuntime(function.at("customRuntimeConfig"), function.at(u.keys.port...), function.at(u.keys.health...))
	}
	if environment := function.at("environmentVariables"); environment != nil {
		for _, f := range environment.fields {
			p.Function.EnvironmentVariables[f.key] = f.value.text
		}
	}
	kafkaTrigger := u.kafka()
	config := kafkaTrigger.at(u.keys.triggerConfig)
	if kafkaTrigger != nil {
		p.Trigger = &Trigger{
			Name:      kafkaTrigger.string("", u.keys.trigger),
			Qualifier: kafkaTrigger.string(latest, "qualifier"),
			Mode:      config.string(config.string("", "eventSinkConfig", "deliveryOption", "mode"), "runOptions", "mode"),
		}
	}
	for _, s := range settings {
		switch {
		case !s.trigger:
			s.read(u.edition, p, function)
		case p.Trigger != nil:
			s.read(u.edition, p, config)
		}
	}
	u.complete(c, u, p)
	if p.Function.InstanceSoftConcurrency == 0 {
		p.Function.InstanceSoftConcurrency = p.Function.InstanceConcurrency
	}
	if p.Trigger != nil && p.Trigger.Kafka.RegionID == "" {
		p.Trigger.Kafka.RegionID = p.Region
	}
	return p
}

// defaultHookTimeout in seconds is that of the initializer (documented), taken for
// preFreeze and preStop, too (inferred).
const defaultHookTimeout = 3

func hook(function *node, name string) Hook {
	h := Hook{Handler: function.string("", lifecycle, name, "handler")}
	if h.Handler != "" {
		h.Timeout = function.whole(defaultHookTimeout, lifecycle, name, "timeout")
	}
	return h
}
