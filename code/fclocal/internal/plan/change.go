package plan

import (
	"fmt"
	"math"
	"slices"
	"time"

	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// A change is another setting to plan with.
type change struct {
	text   string
	config Config
}

// changes are those that may help against a cause, within what is allowed: two at most, the
// likelier first, and one where a plan takes long.
func (c Config) changes(cause trigger.Cause, r Result) []change {
	var all []change
	rules := c.Rules
	scale := func(setting string, value func(*trigger.Config) *int, factor float64, high int) {
		from := *value(&rules)
		to := min(max(int(factor*float64(from)), 1), high)
		if to == from {
			return
		}
		changed := c.with(setting, to)
		*value(&changed.Rules) = to
		if soft := &changed.Rules.InstanceSoftConcurrency; *soft == rules.InstanceConcurrency || *soft > changed.Rules.InstanceConcurrency {
			*soft = changed.Rules.InstanceConcurrency
		}
		all = append(all, change{fmt.Sprintf("%s %d", setting, to), changed})
	}
	concurrency := func(factor float64) {
		scale("concurrency", func(c *trigger.Config) *int { return &c.Concurrency }, factor, highestConcurrency)
	}
	count := func(factor float64) {
		scale("CountBasedWindow", func(c *trigger.Config) *int { return &c.CountBasedWindow }, factor, 10_000)
	}
	instanceConcurrency := func(factor float64) {
		high := min(200, max(rules.Concurrency, rules.InstanceConcurrency)) // more than concurrency is no use
		scale("instanceConcurrency", func(c *trigger.Config) *int { return &c.InstanceConcurrency }, factor, high)
	}
	retries := func() {
		if rules.RetryStrategy != trigger.ExponentialDecayRetry {
			changed := c.with("PushRetryStrategy", string(trigger.ExponentialDecayRetry))
			changed.Rules.RetryStrategy = trigger.ExponentialDecayRetry
			all = append(all, change{"PushRetryStrategy EXPONENTIAL_DECAY_RETRY", changed})
		}
	}
	full := float64(r.EventsInCalls) >= 0.9*float64(r.Calls)*float64(rules.CountBasedWindow) // batches
	mean := r.Latencies.ByCause().Mean
	sharing := mean.CPU > mean.Function // of cpu, by the calls of an instance
	switch {
	case cause == trigger.Window && full:
		count(0.5)
	case cause == trigger.Window:
		seconds := int(rules.TimeBasedWindow/time.Second) / 2
		changed := c.with("TimeBasedWindow", seconds)
		changed.Rules.TimeBasedWindow = time.Duration(seconds) * time.Second
		all = append(all, change{fmt.Sprintf("TimeBasedWindow %d", seconds), changed})
	case cause == trigger.Instance, cause == trigger.Slot && r.retriesHoldSlots() && r.isRefused():
		instanceConcurrency(2)
		concurrency(0.5)
	case cause == trigger.Retries:
		retries()
	case cause == trigger.ColdStart:
		instanceConcurrency(2)
	case cause == trigger.CPU, cause == trigger.Slot && sharing:
		instanceConcurrency(0.5)
		if cpu := 2 * c.Function.CPU; cpu <= 1 && !c.Function.Threads { // beyond, GOMAXPROCS counts
			all = append(all, c.withCPU(cpu))
		}
	case r.retriesHoldSlots():
		retries()
		concurrency(2)
	default:
		concurrency(2)
		if full {
			count(2)
		}
	}
	if r.Calls > 1_000_000 && len(all) > 1 { // that takes long enough once
		all = all[:1]
	}
	return all
}

// highestConcurrency is the most that s.yaml may have (documented).
const highestConcurrency = 300

// with is the Config with another value among its settings.
func (c Config) with(setting string, value any) Config {
	c.Settings = slices.Clone(c.Settings)
	for i, s := range c.Settings {
		if s.Name == setting {
			c.Settings[i].Value = value
		}
	}
	return c
}

// withCPU is a change of cpu, and of memorySize where it needs more: a GB for each vCPU, in
// steps of 64 MB (documented).
func (c Config) withCPU(cpu float64) change {
	changed := c.with("cpu", cpu)
	changed.Function.CPU = cpu
	text := fmt.Sprintf("cpu %.3g", cpu)
	if memory, _ := c.Settings.Value("memorySize").(int); float64(memory) < 1024*cpu {
		memory = int(math.Ceil(1024*cpu/64)) * 64
		changed = changed.with("memorySize", memory)
		changed.Function.MemorySize = int64(memory) << 20
		text += fmt.Sprintf(" and memorySize %d", memory)
	}
	return change{text, changed}
}

// isBetter says that a change helps, beyond chance.
func isBetter(before, after result.Run) bool {
	if before.KeepsUp != after.KeepsUp {
		return after.KeepsUp
	}
	chance := 0.1 + 1/math.Sqrt(float64(max(before.Calls, 1)))
	return after.LatencyMs.P99 < (1-chance)*before.LatencyMs.P99 && after.DeadLettered+after.Discarded <= before.DeadLettered+before.Discarded
}
