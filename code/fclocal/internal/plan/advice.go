package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/trigger"
	"fclocal/internal/units"
)

const longestCall = config.LongestTriggerCall * time.Second

// Advice says what limits a stream and which setting to change; "" if the
// figures do not support anything.
func (c Config) Advice(r Result) string {
	rules := c.Rules
	changes := c.Load.changes()
	keepsUp := c.Load.comes() && r.KeepsUp
	// A stream that does not keep up is at its limit for much of the time, but not
	// while its instances start and its last calls end.
	full := r.FullTime.Seconds() >= 0.95*r.Wall.Seconds() || !keepsUp && r.FullTime.Seconds() >= 0.3*r.Wall.Seconds()
	atTimes := changes && r.FullTime.Seconds() >= 0.01*r.Wall.Seconds()
	full, atTimes = full && r.Wall > 0, atTimes && r.Wall > 0
	cpu := r.FullCPUTime > 0 && r.FullCPUTime.Seconds() >= 0.9*r.FullTime.Seconds()
	lost := r.DeadLettered + r.Discarded
	switch {
	case r.Stopped != "":
		return "the stream stopped at a batch that failed: errorsTolerance ALL would let it go on, without that batch"
	case c.tooLarge():
		return fmt.Sprintf("the body limit of %d bytes is less than a single event, so none is delivered: smaller messages, or synchronous calls (32 MB)", rules.BodyLimit)
	case c.Function.MemorySize > 0 && r.PeakMemory > c.Function.MemorySize:
		return fmt.Sprintf("memory limits: an instance would need about %d MB and has %d: raise memorySize (and GOMEMLIMIT with it)%s",
			(r.PeakMemory+1<<20-1)>>20, c.Function.MemorySize>>20, c.lower("CountBasedWindow", "instanceConcurrency"))
	case r.Timeouts > 0 && r.CPUSeconds > 0.7*c.Function.CPU*r.BusySeconds:
		return fmt.Sprintf("%d calls took longer than the %s that they may, as the calls of an instance share its cpu: %s%s",
			r.Timeouts, units.Duration(c.Function.Timeout), c.raiseCPU(), c.lower("instanceConcurrency", "CountBasedWindow"))
	case r.Timeouts > 0:
		change := "lower CountBasedWindow or raise timeout"
		switch batchesHelp := rules.CountBasedWindow > 1 && c.Function.CallTime < c.Function.Timeout; {
		case c.Function.Timeout >= longestCall && batchesHelp:
			change = "lower CountBasedWindow"
		case c.Function.Timeout >= longestCall:
			change = "make calls faster"
		case !batchesHelp:
			change = "raise timeout"
		}
		return fmt.Sprintf("%d calls took longer than the %s that they may: %s (a trigger allows %s at most)", r.Timeouts, units.Duration(c.Function.Timeout), change, units.Duration(longestCall))
	case r.Throttled > 0:
		why := fmt.Sprintf("as no more than %d may exist", rules.MaxInstances)
		if rules.InstanceBurst > 0 && rules.InstanceBurst < rules.MaxInstances {
			why = fmt.Sprintf("as no more of them may exist yet: %d at once and %d more a minute", rules.InstanceBurst, rules.InstanceGrowth)
		}
		change := "raise instanceConcurrency"
		if keepsUp {
			change += " or lower concurrency"
		}
		return fmt.Sprintf("instances limit: FC refused %d attempts with 429, %s: %s", r.Throttled, why, change)
	case (full || atTimes) && r.RetryingSeconds > r.CallSeconds:
		return "errors limit: batches that wait for a retry take more than half of concurrency: have fewer calls fail, or raise concurrency"
	case (full || atTimes) && !keepsUp && cpu:
		return "cpu limits: the calls of an instance use all of it: " + c.raiseCPU() + c.moreInstances()
	case (full || atTimes) && !keepsUp && rules.Concurrency/rules.InstanceConcurrency >= rules.MaxInstances:
		return fmt.Sprintf("instances limit: %d may exist, and all of their calls were in flight: raise instanceConcurrency, and concurrency with it", rules.MaxInstances)
	case (full || atTimes) && !keepsUp && rules.Concurrency >= highestConcurrency:
		return "concurrency limits, and is at its maximum: make calls faster, or larger by CountBasedWindow"
	case (full || atTimes) && !keepsUp:
		return fmt.Sprintf("concurrency limits: all of it, %d, was in use: raise concurrency", rules.Concurrency)
	case lost > 0:
		return fmt.Sprintf("errors: %d of %d messages were lost to dead letters or discarded, as their batches failed with all retries: have fewer calls fail%s%s", lost, r.Produced, c.retryLonger(), c.lower("CountBasedWindow"))
	case atTimes && rules.TimeBasedWindow > 0 && cpu:
		return fmt.Sprintf("cpu limits at times: calls used all of it for %s: %s%s if the latencies are too high", units.Duration(r.FullTime), c.raiseCPU(), c.moreInstances())
	case atTimes && rules.TimeBasedWindow > 0 && rules.Concurrency < highestConcurrency:
		return fmt.Sprintf("concurrency limits at times: all of it, %d, was in use for %s: raise concurrency if the latencies are too high", rules.Concurrency, units.Duration(r.FullTime))
	case keepsUp && !full && !atTimes && r.Calls > 0:
		return fmt.Sprintf("nothing limits: %.3g of %d calls were in flight on average", r.CallSeconds/r.Wall.Seconds(), rules.Concurrency)
	}
	return ""
}

// highestConcurrency is the most that s.yaml may have (documented).
const highestConcurrency = 300

// tooLarge says that a payload cannot have a single event.
func (c Config) tooLarge() bool {
	smallest, _ := c.Load.eventBytes()
	return smallest+int64(len("[]")) > c.Rules.BodyLimit
}

// raiseCPU is the part of an advice to give an instance more CPU. Its ratio to
// memorySize is bounded (documented).
func (c Config) raiseCPU() string {
	if c.Function.Threads {
		return "raise GOMAXPROCS, which is below cpu"
	}
	return "raise cpu and memorySize, and GOMAXPROCS beyond 1 vCPU"
}

// moreInstances is the part of an advice to have more of them, each with its cpu.
func (c Config) moreInstances() string {
	switch {
	case c.Rules.Concurrency/c.Rules.InstanceConcurrency >= c.Rules.MaxInstances:
		return ""
	case c.Rules.InstanceConcurrency > 1:
		return c.lower("instanceConcurrency")
	case c.Rules.Concurrency < highestConcurrency:
		return ", or raise concurrency"
	}
	return ""
}

// retryLonger is the part of an advice to have more retries.
func (c Config) retryLonger() string {
	if c.Rules.RetryStrategy == trigger.ExponentialDecayRetry {
		return ""
	}
	return ", or retry for a day by PushRetryStrategy EXPONENTIAL_DECAY_RETRY"
}

// lower is the part of an advice to lower one of these settings, of those that
// can be lowered.
func (c Config) lower(names ...string) string {
	values := map[string]int{"CountBasedWindow": c.Rules.CountBasedWindow, "instanceConcurrency": c.Rules.InstanceConcurrency}
	names = slices.DeleteFunc(names, func(name string) bool { return values[name] == 1 })
	if len(names) == 0 {
		return ""
	}
	return ", or lower " + strings.Join(names, " or ")
}
