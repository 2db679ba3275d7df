package report

import (
	"fmt"
	"slices"
	"strings"

	"fclocal/internal/escape"
	"fclocal/internal/result"
	"fclocal/internal/units"
)

// A figure is one result of a run.
type figure struct {
	group group
	name  string // in the list of a single run; "" if it is not in it
	short string // above a column; "" if it has none
	value func(result.Run) string
	none  func(result.Run) bool // it has nothing to say; nil if it always has
}

// A group is a part of the list of a single run.
type group int

const (
	outcome group = iota
	messages
	causes
	calls
	instances
	charges
	groups // how many there are
)

// figures are in the order of a table's columns. What has nothing to say in any
// run is left out.
var figures = slices.Concat(causeFigures(), []figure{
	planned(outcome, "keeps up", "keeps\nup", keepsUp),
	{instances, "instances", "instances",
		func(r result.Run) string {
			return fmt.Sprintf("%s (bound %s)", units.Count(r.PeakInstances), units.Count(r.InstancesBound))
		}, nil},
	{messages, delivered, "delivered",
		func(r result.Run) string { return units.Count(r.Delivered) + " of " + units.Count(r.Produced) }, nil},
	counted(messages, "dead letters", "dead\nletters", func(r result.Run) int64 { return r.DeadLettered }),
	counted(messages, "discarded", "discarded", func(r result.Run) int64 { return r.Discarded }),
	counted(messages, "filtered", "filtered", func(r result.Run) int64 { return r.Filtered }),
	counted(messages, "pending", "pending", func(r result.Run) int64 { return r.Pending }),
	counted(messages, "taken by other members", "taken by\nothers", func(r result.Run) int64 { return r.TakenByOthers }),
	counted(messages, "deleted before they were read", "lost", func(r result.Run) int64 { return r.Lost }),
	counted(messages, "offsets without a message", "without\nmessage", func(r result.Run) int64 { return r.Skipped }),
	{messages, "largest lag", "",
		func(r result.Run) string {
			partition, lag := largestLag(r)
			return fmt.Sprintf("%s (partition %d)", units.Count(lag), partition)
		},
		func(r result.Run) bool { _, lag := largestLag(r); return lag == 0 }},
	counted(messages, "delivered more than once", "delivered\nagain", func(r result.Run) int64 { return r.Redelivered }),
	planned(outcome, "lag at end of load", "lag\nat end", func(p *result.Plan) string { return units.Count(p.LagEnd) }),
	planned(outcome, "lag at most", "lag\nat most", func(p *result.Plan) string { return units.Count(p.LagMax) }),
	{outcome, "drained in", "drained\nin",
		func(r result.Run) string {
			if r.Plan == nil || r.Pending > 0 {
				return "-"
			}
			return units.Milliseconds(r.DrainSeconds * 1000)
		}, notPlanned},
	latency("p50", "latency\np50", func(l result.LatencyMs) float64 { return l.P50 }),
	latency("p95", "latency\np95", func(l result.LatencyMs) float64 { return l.P95 }),
	latency("p99", "latency\np99", func(l result.LatencyMs) float64 { return l.P99 }),
	latency("p99.9", "", func(l result.LatencyMs) float64 { return l.P999 }),
	latency("max", "latency\nmax", func(l result.LatencyMs) float64 { return l.Max }),
	forPlans(bill()),
	{calls, "calls", "calls", func(r result.Run) string { return units.Count(r.Calls) }, nil},
	{calls, "events per call", "events\n/call", func(r result.Run) string { return units.Number(r.EventsPerCall) }, nil},
	{calls, "events per second", "events\n/s", func(r result.Run) string { return units.Number(r.EventsPerSecond) }, nil},
	{calls, "calls in flight", "", func(r result.Run) string { return units.Count(r.PeakInFlight) + " at most" }, nil},
	counted(calls, "retries", "retries", func(r result.Run) int64 { return r.Retries }),
	counted(calls, "attempts refused with 429", "refused\n(429)", func(r result.Run) int64 { return r.Throttled }),
	{instances, "cold starts", "cold starts",
		func(r result.Run) string {
			if r.ColdStarts == 0 {
				return "0"
			}
			return fmt.Sprintf("%s (%s)", units.Count(r.ColdStarts), units.Milliseconds(r.ColdStartMs))
		}, nil},
	counted(instances, "crashes", "crashes", func(r result.Run) int64 { return r.Crashes }),
	counted(calls, "data races", "data\nraces", func(r result.Run) int64 { return int64(len(r.Races)) }),
	counted(instances, "killed on purpose", "killed on\npurpose", func(r result.Run) int64 { return r.Killed }),
	{instances, idleTasks, "idle\ntasks",
		func(r result.Run) string {
			return fmt.Sprintf("%d of %v", r.IdleTasks, r.Settings.Value("maximumTasks"))
		},
		func(r result.Run) bool { return r.IdleTasks == 0 }},
	{instances, "peak memory", "peak memory",
		func(r result.Run) string {
			switch of := units.Sprintf("%.1f of %v MB", r.PeakMemoryMB, r.Settings.Value("memorySize")); {
			case r.PeakMemoryMB == 0:
				return "-"
			case r.Plan != nil: // an estimate
				return "about " + of
			default:
				return of
			}
		},
		func(r result.Run) bool { return r.Plan != nil && r.PeakMemoryMB == 0 }},
	{instances, "cpu share", "cpu share",
		func(r result.Run) string {
			if cpu := r.Settings.Value("cpu"); cpu != nil {
				return units.Sprintf("%.3f of %v", r.CPUShare, cpu)
			}
			return units.Sprintf("%.3f", r.CPUShare)
		},
		func(r result.Run) bool { return r.CPUShare == 0 }},
	planned(instances, "instance-hours", "instance-\nhours", func(p *result.Plan) string { return units.Number(p.InstanceHours) }),
	{charges, "bill", "", billed, notBilled},
	{charges, billOfSeeds, "",
		func(r result.Run) string { return units.Money(*r.Charges().Price) },
		func(r result.Run) bool {
			_, _, ok := r.Extremes("bill")
			return !ok || r.Charges() == nil || r.Charges().Price == nil
		}},
	{charges, "Function Compute", "", functionBilled, notBilled},
	{charges, "… paid for a year", "", yearlyBilled, func(r result.Run) bool { return yearlyPlans(r) == nil }},
	{charges, "EventBridge", "", streamBilled, notBilled},
	{charges, "Log Service", "", logsBilled, func(r result.Run) bool { return r.Bill == nil || r.Bill.Run.LogService == nil }},
	forStreams(bill()),
	money("FC", "", func(c *result.Charges) *float64 { return c.FunctionCompute.Price }),
	money("EventBridge\nby events", result.ByEvents, func(c *result.Charges) *float64 { return c.EventBridge.ByEvents.Price }),
	money("EventBridge\nby capacity", result.ByCapacity, func(c *result.Charges) *float64 { return c.EventBridge.ByCapacity.Price }),
	{causes, "", "p99 is\nmostly", mostOfP99, func(r result.Run) bool { return spentOf(r) == nil }},
	{outcome, "time", "time", func(r result.Run) string { return units.Milliseconds(r.WallSeconds * 1000) }, nil},
	{outcome, "seeds", "",
		func(r result.Run) string { return strings.TrimPrefix(seedsNote([]result.Run{r}), "Seeds: ") },
		func(r result.Run) bool { return seedsNote([]result.Run{r}) == "" }},
	{outcome, "simulated", "",
		func(r result.Run) string { return "the first " + simulated(r) + "; the rest is like that" },
		func(r result.Run) bool { return simulated(r) == "" }},
	{calls, "failed attempts", "", func(r result.Run) string { return strings.Join(failedAttempts(r.Failures), "\n") }, func(r result.Run) bool { return r.Failures == nil }},
	{calls, onPurpose, onPurpose, func(r result.Run) string { return strings.Join(troubleInWords(r), "; ") }, func(r result.Run) bool { return r.Trouble == nil }},
	{outcome, "stopped", "", func(r result.Run) string { return escape.Line(r.Stopped) }, func(r result.Run) bool { return r.Stopped == "" }},
	{outcome, "advice", "", advice, func(r result.Run) bool { return advice(r) == "" }},
})

// Figures that follow from what all runs have, as a rule: they then stand with the
// settings.
const (
	delivered = "delivered"
	idleTasks = "idle tasks"
	onPurpose = "on purpose"
)

// largestLag is that of the partition that is furthest behind, the first of several.
func largestLag(r result.Run) (partition int32, lag int64) {
	for id, behind := range r.LagByPartition {
		if behind > lag || behind == lag && id < partition {
			partition, lag = id, behind
		}
	}
	return partition, lag
}

// counted is a figure that has nothing to say when it is 0.
func counted(in group, name, short string, count func(result.Run) int64) figure {
	return figure{
		in, name, short,
		func(r result.Run) string { return units.Count(count(r)) },
		func(r result.Run) bool { return count(r) == 0 },
	}
}

// planned is a figure of plans.
func planned(in group, name, short string, value func(*result.Plan) string) figure {
	return figure{in, name, short,
		func(r result.Run) string {
			if r.Plan == nil {
				return "-"
			}
			return value(r.Plan)
		}, notPlanned}
}

// simulated is how much of a load was until its figures stood; "" if all was.
func simulated(r result.Run) string {
	if r.Plan == nil || r.SimulatedSeconds == 0 {
		return ""
	}
	return units.Milliseconds(r.SimulatedSeconds * 1000)
}

// forPlans and forStreams give a figure its place, which is another for each.
func forPlans(f figure) figure {
	none := f.none
	f.none = func(r result.Run) bool { return notPlanned(r) || none(r) }
	return f
}

func forStreams(f figure) figure {
	none := f.none
	f.none = func(r result.Run) bool { return !notPlanned(r) || none(r) }
	return f
}

// failedAttempts are the kinds of them, a line each.
func failedAttempts(failures result.Failures) (lines []string) {
	for _, f := range failures {
		kind := escape.Line(f.Kind)
		if f.OnPurpose {
			kind += " (on purpose)"
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", units.Count(f.Count), kind, escape.Line(f.First)))
	}
	return lines
}

func notPlanned(r result.Run) bool { return r.Plan == nil }

func latency(which, short string, of func(result.LatencyMs) float64) figure {
	return figure{messages, "latency " + which, short,
		func(r result.Run) string {
			if r.Delivered == 0 {
				return "-" // as none was measured
			}
			return units.Milliseconds(of(r.LatencyMs))
		}, nil}
}

func advice(r result.Run) string {
	if r.Plan == nil {
		return ""
	}
	return r.Advice
}
