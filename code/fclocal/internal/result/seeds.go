package result

import (
	"cmp"
	"math"
	"slices"
)

// An Interval is from the lowest to the highest.
type Interval [2]float64

// overlaps reports whether two have a number in common.
func (i Interval) overlaps(other Interval) bool { return i[0] <= other[1] && other[0] <= i[1] }

// A SeedRun has the figures of one seed, by the names of Plan.Range.
type SeedRun struct {
	Seed    uint64             `json:"seed"`
	KeepsUp bool               `json:"keepsUp"`
	Figures map[string]float64 `json:"figures"`
}

// chanceFigures are those of a plan that chance decides; NaN if one is not known.
var chanceFigures = map[string]func(Run) float64{
	"mean":            latencyOf(func(l LatencyMs) float64 { return l.Mean }),
	"p50":             latencyOf(func(l LatencyMs) float64 { return l.P50 }),
	"p95":             latencyOf(func(l LatencyMs) float64 { return l.P95 }),
	"p99":             latencyOf(func(l LatencyMs) float64 { return l.P99 }),
	"p999":            latencyOf(func(l LatencyMs) float64 { return l.P999 }),
	"max":             latencyOf(func(l LatencyMs) float64 { return l.Max }),
	"lagEnd":          func(r Run) float64 { return float64(r.LagEnd) },
	"lagMax":          func(r Run) float64 { return float64(r.LagMax) },
	"lagMean":         func(r Run) float64 { return r.LagMean },
	"drainSeconds":    func(r Run) float64 { return r.DrainSeconds },
	"peakInstances":   func(r Run) float64 { return float64(r.PeakInstances) },
	"coldStarts":      func(r Run) float64 { return float64(r.ColdStarts) },
	"instanceHours":   func(r Run) float64 { return r.InstanceHours },
	"calls":           func(r Run) float64 { return float64(r.Calls) },
	"eventsPerCall":   func(r Run) float64 { return r.EventsPerCall },
	"eventsPerSecond": func(r Run) float64 { return r.EventsPerSecond },
	"bill":            chargeOf(func(c Charges) *float64 { return c.Price }),
	"functionCompute": chargeOf(func(c Charges) *float64 { return c.FunctionCompute.Price }),
	"byEvents":        chargeOf(func(c Charges) *float64 { return c.EventBridge.ByEvents.Price }),
	"logService": chargeOf(func(c Charges) *float64 {
		if c.LogService == nil {
			return nil
		}
		return c.LogService.Price
	}),
	"byCapacity": chargeOf(func(c Charges) *float64 { return c.EventBridge.ByCapacity.Price }),
}

// Prices are the names of those that are prices.
var Prices = []string{"bill", "functionCompute", "byEvents", "byCapacity", "logService"}

func latencyOf(of func(LatencyMs) float64) func(Run) float64 {
	return func(r Run) float64 {
		if r.Delivered == 0 {
			return math.NaN()
		}
		return of(r.LatencyMs)
	}
}

func chargeOf(of func(Charges) *float64) func(Run) float64 {
	return func(r Run) float64 {
		if c := r.Charges(); c != nil && of(*c) != nil {
			return *of(*c)
		}
		return math.NaN()
	}
}

// MergeSeeds makes one of the plans of several seeds, one at least, whose settings and load
// are the same. It has the figures of the one in the middle, by its 99th percentile, so that
// they belong together, and the ranges of all. It keeps up if all do. The advice is that of
// the first.
func MergeSeeds(runs []Run) Run {
	if len(runs) == 1 {
		return runs[0]
	}
	p99 := func(r Run) float64 {
		if ms := chanceFigures["p99"](r); !math.IsNaN(ms) {
			return ms
		}
		return math.Inf(1)
	}
	sorted := slices.Clone(runs)
	slices.SortStableFunc(sorted, func(a, b Run) int { return cmp.Compare(p99(a), p99(b)) })
	merged := sorted[(len(sorted)-1)/2]
	p := *merged.Plan
	p.OfSeeds, p.Range, p.Seeds, p.Advice = runs, map[string]Interval{}, nil, runs[0].Advice
	for name, of := range chanceFigures {
		if low, high := extremes(runs, of); !math.IsNaN(of(low)) {
			p.Range[name] = Interval{of(low), of(high)}
		}
	}
	for _, r := range runs {
		p.KeepsUp = p.KeepsUp && r.KeepsUp
		seed := SeedRun{r.Account.Seed, r.KeepsUp, map[string]float64{}}
		for name := range p.Range {
			if figure := chanceFigures[name](r); !math.IsNaN(figure) {
				seed.Figures[name] = figure
			}
		}
		p.Seeds = append(p.Seeds, seed)
	}
	merged.Plan = &p
	return merged
}

// extremes returns the runs with the lowest and the highest of a figure, the first of
// several; with one that is not known only if none is.
func extremes(runs []Run, of func(Run) float64) (low, high Run) {
	low, high = runs[0], runs[0]
	for _, r := range runs[1:] {
		if figure := of(r); figure < of(low) || math.IsNaN(of(low)) {
			low = r
		}
		if figure := of(r); figure > of(high) || math.IsNaN(of(high)) {
			high = r
		}
	}
	return low, high
}

// Extremes returns the seeds' runs with the lowest and the highest of a figure of
// Plan.Range. ok is false if there is one seed alone, or the figure is none of these.
func (r Run) Extremes(figure string) (low, high Run, ok bool) {
	of := chanceFigures[figure]
	if r.Plan == nil || r.OfSeeds == nil || of == nil {
		return r, r, false
	}
	low, high = extremes(r.OfSeeds, of)
	return low, high, true
}

// each are the runs of all seeds, or the run alone.
func (r Run) each() []Run {
	if r.Plan == nil || r.OfSeeds == nil {
		return []Run{r}
	}
	return r.OfSeeds
}
