package plan

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
	"fclocal/internal/units"
)

const longestCall = config.LongestTriggerCall * time.Second

// Advise says what a stream's latencies come from most, and which setting to change: it is
// planned again with it, and both are told. charge makes a run's bill. Progress is told of
// the plans that this takes, two at most: together they go from 0 to 1. The text is "" if the
// figures do not support anything.
//
// A change is told of if the 99th percentile falls by more than a tenth, and the more the
// fewer calls it is made from: less is chance.
func (c Config) Advise(ctx context.Context, r Result, charge func(*result.Run)) (string, error) {
	if said := c.fault(r); said != "" || r.Delivered == 0 {
		return said, nil
	}
	shares := sharesOfP99(r)
	cause := trigger.Cause(slices.Index(shares[:], slices.Max(shares[:])))
	overloaded := !r.KeepsUp && c.Load.comes()
	if overloaded && (cause == trigger.InCall || cause == trigger.Window) { // it is short, or these are long
		cause = trigger.Slot
	}
	percent := 100 * shares[cause]
	if cause == trigger.InCall {
		said := fmt.Sprintf("%.0f %% of p99 is the function; on average %.3g of %d calls run",
			percent, r.CallSeconds/r.Wall.Seconds(), c.Rules.Concurrency)
		if r.CallSeconds < 0.9*r.Wall.Seconds()*float64(c.Rules.Concurrency) {
			said = "nothing limits: " + said
		}
		return said, nil
	}
	before := c.charged(r, charge)
	said := fmt.Sprintf("%.0f %% of p99, %s, is %s", percent, units.Milliseconds(before.LatencyMs.P99), c.waiting(cause, r))
	if overloaded {
		said = "does not keep up: " + said
	}
	var tried []string
	for i, change := range c.changes(cause, r) {
		changed := change.config
		changed.Progress = func(done float64) {
			if c.Progress != nil {
				c.Progress((float64(i) + done) / 2)
			}
		}
		result, err := Run(ctx, changed)
		if err != nil {
			return "", err
		}
		after := changed.charged(result, charge)
		if changed.fault(result) == "" && isBetter(before, after) {
			return said + ". With " + change.text + " " + compare(before, after), nil
		}
		tried = append(tried, fmt.Sprintf("%s (p99 %s)", change.text, units.Milliseconds(after.LatencyMs.P99)))
	}
	if tried != nil {
		said += ". No better: " + strings.Join(tried, ", ")
	}
	return said, nil
}

// fault is what no plan with another setting needs to show.
func (c Config) fault(r Result) string {
	lost := r.DeadLettered + r.Discarded
	switch {
	case r.Stopped != "":
		return "the stream stopped at a batch that failed: errorsTolerance ALL would let it go on, without that batch"
	case c.tooLarge():
		return fmt.Sprintf("the body limit of %d bytes is less than a single event, so none is delivered: smaller messages, or synchronous calls (32 MB)", c.Rules.BodyLimit)
	case c.Function.MemorySize > 0 && r.PeakMemory > c.Function.MemorySize:
		return fmt.Sprintf("memory limits: an instance would need about %d MB and has %d: raise memorySize (and GOMEMLIMIT with it)%s",
			(r.PeakMemory+1<<20-1)>>20, c.Function.MemorySize>>20, c.lower("CountBasedWindow", "instanceConcurrency"))
	case r.Timeouts > 0:
		change := fmt.Sprintf("raise timeout (a trigger allows %s at most)", units.Duration(longestCall))
		if c.Function.Timeout >= longestCall {
			change = "make calls faster: a trigger allows no more"
		}
		return fmt.Sprintf("%d calls took longer than the %s that they may: %s%s", r.Timeouts, units.Duration(c.Function.Timeout), change, c.lower("CountBasedWindow", "instanceConcurrency"))
	case lost > 0 && r.Throttled == 0:
		return fmt.Sprintf("errors: %d of %d messages were lost to dead letters or discarded, as their batches failed with all retries: have fewer calls fail%s%s", lost, r.Produced, c.retryLonger(), c.lower("CountBasedWindow"))
	}
	return ""
}

// tooLarge says that a payload cannot have a single event.
func (c Config) tooLarge() bool {
	smallest, _ := c.Load.eventBytes()
	return smallest+int64(len("[]")) > c.Rules.BodyLimit
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

// sharesOfP99 are those of its causes. What waits in Kafka waits for a slot, too: a batch of
// its task has none.
func sharesOfP99(r Result) (shares [trigger.Causes]float64) {
	causes := r.Latencies.ByCause().P99
	causes.Slot += causes.Kafka
	causes.Kafka = 0
	shares = causes.Parts()
	sum := 0.0
	for _, part := range shares {
		sum += part
	}
	for i := range shares {
		shares[i] /= max(sum, 1e-9)
	}
	return shares
}

// retriesHoldSlots says that what waits for a slot waits for retries, isRefused that these
// are of attempts that were refused with 429.
func (r Result) retriesHoldSlots() bool { return r.RetryingSeconds > r.CallSeconds/2 }
func (r Result) isRefused() bool        { return r.Throttled > r.Retries/2 }

// waiting says what is waited for.
func (c Config) waiting(cause trigger.Cause, r Result) string {
	switch rules := c.Rules; cause {
	case trigger.Window:
		return fmt.Sprintf("waiting for the window (CountBasedWindow %d, TimeBasedWindow %s)", rules.CountBasedWindow, units.Duration(rules.TimeBasedWindow))
	case trigger.Instance:
		if rules.InstanceBurst > 0 && rules.InstanceBurst < rules.MaxInstances {
			return fmt.Sprintf("waiting after 429s: %d instances may exist at once, and %d more a minute up to %d", rules.InstanceBurst, rules.InstanceGrowth, rules.MaxInstances)
		}
		return fmt.Sprintf("waiting after 429s: %d instances may exist", rules.MaxInstances)
	case trigger.Retries:
		return "calls that failed and the waits for their retries"
	case trigger.ColdStart:
		return "cold starts"
	case trigger.CPU:
		return "waiting for the cpu of the instance, beside its other calls"
	}
	slot := fmt.Sprintf("waiting for a slot of concurrency (%d)", c.Rules.Concurrency)
	if r.retriesHoldSlots() {
		slot += fmt.Sprintf(", of which retries have %.0f %%", 100*r.RetryingSeconds/(r.RetryingSeconds+r.CallSeconds))
	}
	if r.retriesHoldSlots() && r.isRefused() {
		slot += ", after 429s"
	}
	return slot
}

// charged is a result as a run with its bill.
func (c Config) charged(r Result, charge func(*result.Run)) result.Run {
	run := c.Run(r)
	charge(&run)
	return run
}

// compare tells two runs' latency and bill.
func compare(before, after result.Run) string {
	said := "p99 is " + units.Milliseconds(after.LatencyMs.P99)
	switch {
	case !after.KeepsUp:
		said += ", and it does not keep up yet"
	case !before.KeepsUp:
		said += ", and it keeps up"
	}
	from, to := before.Charges(), after.Charges()
	if from == nil || to == nil || from.Price == nil || to.Price == nil {
		return said
	}
	if math.Abs(*to.Price-*from.Price) < 0.01**from.Price {
		return said + ", at the same cost"
	}
	return said + fmt.Sprintf("; the bill is %s %s in place of %s", after.Bill.Currency, units.Money(*to.Price), units.Money(*from.Price))
}
