package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fclocal/internal/config"
)

const longestCall = config.LongestTriggerCall * time.Second

// Advice says what limits a stream and which setting to change; "" if the
// figures do not support anything.
func (c Config) Advice(r Result) string {
	rules := c.Rules
	cpu := r.FullCPUTime > 0 && r.FullCPUTime.Seconds() >= 0.9*r.FullTime.Seconds()
	full := r.FullTime.Seconds() >= 0.95*r.Wall.Seconds() && r.Wall > 0
	atTimes := c.Load.changes() && r.FullTime >= r.Wall/100 && r.Wall > 0
	switch {
	case r.Stopped != "":
		return "the stream stopped at a batch that failed: errorsTolerance ALL would let it go on"
	case c.Function.MemorySize > 0 && r.PeakMemory > c.Function.MemorySize:
		return fmt.Sprintf("memory limits: an instance would need about %d MB and has %d: raise memorySize%s",
			(r.PeakMemory+1<<20-1)>>20, c.Function.MemorySize>>20, c.lower("CountBasedWindow", "instanceConcurrency"))
	case r.Timeouts > 0 && cpu:
		return fmt.Sprintf("%d calls took longer than the %v that they may, as the calls of an instance share its cpu: raise cpu%s",
			r.Timeouts, c.Function.Timeout, c.lower("instanceConcurrency", "CountBasedWindow"))
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
		return fmt.Sprintf("%d calls took longer than the %v that they may: %s (a trigger allows %v at most)", r.Timeouts, c.Function.Timeout, change, longestCall)
	case r.Throttled > 0:
		return fmt.Sprintf("instances limit: FC refused %d attempts with 429, as no more instances could exist at the time (%d at most): raise instanceConcurrency or lower concurrency", r.Throttled, c.Rules.MaxInstances)
	case full && r.RetryingSeconds > r.CallSeconds:
		return "errors limit: batches that wait for a retry take more than half of concurrency"
	case (full || atTimes) && !(c.Load.comes() && r.KeepsUp) && cpu:
		return "cpu limits: the calls of an instance use all of it: raise cpu, and GOMAXPROCS with it beyond 1" + c.lower("instanceConcurrency")
	case (full || atTimes) && !(c.Load.comes() && r.KeepsUp):
		if rules.Concurrency >= 300 {
			return "concurrency limits, and is at its maximum: make calls faster, or larger by CountBasedWindow"
		}
		return fmt.Sprintf("concurrency limits: all of it, %d, was in use: raise concurrency", rules.Concurrency)
	case atTimes && rules.TimeBasedWindow > 0 && cpu:
		return fmt.Sprintf("cpu limits at times: calls used all of it for %v: raise cpu%s if the latencies are too high", r.FullTime.Round(time.Second), c.lower("instanceConcurrency"))
	case atTimes && rules.TimeBasedWindow > 0 && rules.Concurrency < 300:
		return fmt.Sprintf("concurrency limits at times: all of it, %d, was in use for %v: raise concurrency if the latencies are too high", rules.Concurrency, r.FullTime.Round(time.Second))
	case r.KeepsUp && c.Load.comes() && !full && !atTimes && r.Calls > 0:
		return fmt.Sprintf("nothing limits: %.3g of %d calls were in flight on average", r.CallSeconds/r.Wall.Seconds(), rules.Concurrency)
	}
	return ""
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
