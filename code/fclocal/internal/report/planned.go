package report

import (
	"cmp"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Planned is a run in virtual time: what a Run has, and what only a plan tells.
type Planned struct {
	Run
	LatencyMs PlannedLatencyMs `json:"latencyMs"` // shown in place of Run.LatencyMs

	PeakInstances int     `json:"peakInstances"` // that exist at a time
	Throttled     int64   `json:"throttled"`     // attempts that FC answers with 429
	LagEnd        int64   `json:"lagEnd"`        // messages, at the end of the load
	LagMax        int64   `json:"lagMax"`        // messages
	KeepsUp       bool    `json:"keepsUp"`       // the lag does not grow (of a backlog alone: it is finished), 99 % are delivered and the memory is enough
	DrainSeconds  float64 `json:"drainSeconds"`  // from the end of the load until all is finished; 0 if it stopped

	InstanceHours float64  `json:"instanceHours"` // idle ones included
	GBSeconds     float64  `json:"gbSeconds"`     // of memorySize, while an instance has a call or starts
	VCPUSeconds   *float64 `json:"vcpuSeconds"`   // of cpu, likewise; null if s.yaml has no cpu

	EventsInCalls int64 `json:"-"` // retries included

	Price      *float64    `json:"price,omitempty"` // in a currency of the user's; nil if it is not known
	PriceParts []PricePart `json:"-"`               // what it is the sum of

	Function PlannedFunction `json:"function"` // what the plan took it to be

	// Advice says what limits the run and which setting to change; may be empty.
	Advice string `json:"advice,omitempty"`
}

// A PricePart is what one of the things costs that are billed.
type PricePart struct {
	Of    string // vCPU-seconds
	Price float64
}

// PlannedFunction is how long the function takes in a plan, in milliseconds: the
// CPU time on one core, which is 0 if it was not measured, and what comes on top.
type PlannedFunction struct {
	CallTimeMs  float64 `json:"callTimeMs"`
	EventTimeMs float64 `json:"eventTimeMs"` // for each event of a call
	CallCPUMs   float64 `json:"callCPUMs"`
	EventCPUMs  float64 `json:"eventCPUMs"` // for each event of a call
}

// PlannedLatencyMs is LatencyMs with a further percentile.
type PlannedLatencyMs struct {
	LatencyMs
	P999 float64 `json:"p999"`
}

// rounded returns the run with finite numbers of three decimals, and a price of
// six digits.
func (p Planned) rounded() Planned {
	p.Run = p.Run.rounded()
	l := &p.LatencyMs
	round(&l.P50, &l.P95, &l.P99, &l.P999, &l.Max, &p.DrainSeconds, &p.InstanceHours, &p.GBSeconds)
	if p.VCPUSeconds != nil {
		seconds := *p.VCPUSeconds
		round(&seconds)
		p.VCPUSeconds = &seconds
	}
	if p.Price != nil {
		price, _ := strconv.ParseFloat(strconv.FormatFloat(*p.Price, 'g', 6, 64), 64)
		p.Price = &price
	}
	return p
}

// SortByCost puts the cheapest run first: by price, or by GB-seconds and then
// vCPU-seconds if they have none. Runs that keep up come before the others.
func SortByCost(runs []Planned) {
	number := func(p *float64) float64 {
		if p == nil {
			return 0
		}
		return *p
	}
	slices.SortStableFunc(runs, func(a, b Planned) int {
		return cmp.Or(
			keepingUpFirst(a, b),
			cmp.Compare(number(a.Price), number(b.Price)),
			cmp.Compare(a.GBSeconds, b.GBSeconds),
			cmp.Compare(number(a.VCPUSeconds), number(b.VCPUSeconds)))
	})
}

// SortByLatency puts the run with the lowest 99th percentile first. Runs that
// keep up come before the others, and those that have delivered nothing last.
func SortByLatency(runs []Planned) {
	p99 := func(p Planned) float64 {
		if p.Delivered == 0 {
			return math.Inf(1)
		}
		return p.LatencyMs.P99
	}
	slices.SortStableFunc(runs, func(a, b Planned) int {
		return cmp.Or(keepingUpFirst(a, b), cmp.Compare(p99(a), p99(b)))
	})
}

func keepingUpFirst(a, b Planned) int {
	switch {
	case a.KeepsUp == b.KeepsUp:
		return 0
	case a.KeepsUp:
		return -1
	default:
		return 1
	}
}

// PlannedJSON is JSON for plans.
func PlannedJSON(w io.Writer, runs []Planned) error {
	return writeJSON(w, runs, Planned.rounded)
}

func roundedPlans(planned []Planned) []Planned {
	rounded := make([]Planned, len(planned))
	for i, p := range planned {
		rounded[i] = p.rounded()
	}
	return rounded
}

// Runs are the plans as runs.
func Runs(planned []Planned) []Run {
	runs := make([]Run, len(planned))
	for i, p := range planned {
		runs[i] = p.Run
	}
	return runs
}

var (
	keepsUp       = figure[Planned]{"keeps up", "keeps\nup", func(p Planned) string { return yes(p.KeepsUp) }, nil}
	peakInstances = figure[Planned]{"peak instances", "peak\ninstances", func(p Planned) string {
		return whole(p.PeakInstances) + " (bound " + whole(p.InstancesBound) + ")"
	}, nil}
	lagEnd  = figure[Planned]{"lag at end of load", "lag\nat end", func(p Planned) string { return whole(p.LagEnd) }, nil}
	lagMax  = figure[Planned]{"lag at most", "lag\nat most", func(p Planned) string { return whole(p.LagMax) }, nil}
	drained = figure[Planned]{"drained in", "drained\nin", func(p Planned) string {
		if p.Pending > 0 {
			return "-"
		}
		return duration(p.DrainSeconds * 1000)
	}, nil}
	latencyP999 = figure[Planned]{"latency p99.9", "latency\np99.9", func(p Planned) string {
		return p.measured(p.LatencyMs.P999)
	}, nil}
	gbSeconds   = figure[Planned]{"GB-seconds", "GB-\nseconds", func(p Planned) string { return number(p.GBSeconds) }, nil}
	vcpuSeconds = figure[Planned]{"vCPU-seconds", "vCPU-\nseconds", func(p Planned) string {
		if p.VCPUSeconds == nil {
			return "-"
		}
		return number(*p.VCPUSeconds)
	}, nil}
	instanceHours = figure[Planned]{"instance-hours", "instance-\nhours", func(p Planned) string { return number(p.InstanceHours) }, nil}
	price         = figure[Planned]{"price", "price", func(p Planned) string {
		if p.Price == nil {
			return "-"
		}
		return money(*p.Price)
	}, withoutPrice}
	priceOf = figure[Planned]{"price", "", func(p Planned) string {
		var parts []string
		for _, part := range p.PriceParts {
			parts = append(parts, part.Of+" "+money(part.Price))
		}
		return money(*p.Price) + " (" + strings.Join(parts, ", ") + ")"
	}, withoutPrice}
	memory = figure[Planned]{"peak memory (estimate)", "peak memory\n(estimate)",
		func(p Planned) string { return peakMemory.value(p.Run) },
		func(p Planned) bool { return p.PeakMemoryMB == 0 }} // if it was not measured
	throttled = counted("attempts refused with 429", "refused\n(429)", func(p Planned) int64 { return p.Throttled })
	advice    = figure[Planned]{"advice", "", func(p Planned) string { return p.Advice }, func(p Planned) bool { return p.Advice == "" }}
	left      = counted("pending", "pending", func(p Planned) int64 { return p.Pending }) // of a stream that has stopped
)

func withoutPrice(p Planned) bool { return p.Price == nil }

// plannedGroups are the figures of a single plan.
func plannedGroups(p Planned) [][]column {
	planned, runs := []Planned{p}, []Run{p.Run}
	return [][]column{
		slices.Concat(
			columns(planned, keepsUp, lagEnd, lagMax, drained),
			columns(runs, wallTime)),
		slices.Concat(
			columns(runs, delivered, deadLettered, discarded),
			columns(planned, left),
			columns(runs, latencyP50, latencyP95, latencyP99),
			columns(planned, latencyP999),
			columns(runs, latencyMax)),
		slices.Concat(
			columns(runs, calls, retries),
			columns(planned, throttled),
			columns(runs, perCall, perSecond, peakInFlight)),
		slices.Concat(
			columns(planned, peakInstances),
			columns(runs, coldStarts, idleTasks),
			columns(planned, memory, instanceHours, gbSeconds, vcpuSeconds, priceOf)),
	}
}

// arrangePlanned is arrange for plans.
func arrangePlanned(planned []Planned, runs []Run) (same []setting, first, rest []column) {
	return arrange(runs, slices.Concat(
		columns(planned, keepsUp, peakInstances, lagEnd, lagMax, drained),
		columns(runs, latencyP50, latencyP95, latencyP99),
		columns(planned, latencyP999),
		columns(runs, latencyMax),
		columns(planned, price, gbSeconds, vcpuSeconds, instanceHours, memory),
		columns(runs, calls, perCall, perSecond, coldStarts, idleTasks, retries),
		columns(planned, throttled),
		columns(runs, deadLettered, discarded, delivered),
		columns(planned, left),
	), idleTasks.name, delivered.name)
}

// PlannedTable is Table for plans. Each run's advice follows below.
func PlannedTable(w io.Writer, planned []Planned, width int) error {
	if len(planned) == 0 {
		return nil
	}
	shown := roundedPlans(planned)
	runs := Runs(shown)
	var content string
	if len(shown) == 1 {
		groups := plannedGroups(shown[0])
		groups[0] = append(groups[0], columns(shown, advice)...)
		content = list(runs[0], width, groups...)
	} else {
		same, first, rest := arrangePlanned(shown, runs)
		content = rows(runs, same, first, rest, width)
		names := labels(runs)
		separator := "\n"
		for i, p := range shown {
			if p.Advice != "" {
				content += separator + wrap(names[i]+": "+p.Advice, width) + "\n"
				separator = ""
			}
		}
	}
	_, err := io.WriteString(w, content)
	return err
}
