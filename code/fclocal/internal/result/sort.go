package result

import (
	"math"
	"slices"
)

// SortByCost puts the plan with the lowest bill first, then those of which it is not
// known. Where EventBridge has no price, Function Compute's alone decides.
//
// Plans that keep up come before the others. A difference within the noise is none: plans
// of several seeds whose ranges overlap with that of the best of them stay in their order,
// and have the same Rank.
func SortByCost(plans []Run) {
	sortBy(plans, func(r Run) float64 {
		if bill := chanceFigures["bill"](r); !math.IsNaN(bill) {
			return bill
		}
		return chanceFigures["functionCompute"](r)
	})
}

// SortByLatency puts the plan with the lowest 99th percentile first, and those that have
// delivered nothing last; else it is like SortByCost.
func SortByLatency(plans []Run) { sortBy(plans, chanceFigures["p99"]) }

// sortBy sorts by a figure of which less is better; NaN is worst.
func sortBy(plans []Run, of func(Run) float64) {
	known := func(r Run) float64 {
		if figure := of(r); !math.IsNaN(figure) {
			return figure
		}
		return math.Inf(1)
	}
	rank := 0
	for rest := plans; len(rest) > 0; {
		rank++
		ranges := make([]Interval, len(rest))
		best := 0 // that which is certainly good
		for i, r := range rest {
			low, high := extremes(r.each(), known)
			ranges[i] = Interval{known(low), known(high)}
			if better := ranges[i][1] < ranges[best][1]; r.KeepsUp && !rest[best].KeepsUp || r.KeepsUp == rest[best].KeepsUp && better {
				best = i
			}
		}
		var equal, worse []Run
		for i, r := range rest {
			if r.KeepsUp != rest[best].KeepsUp || !ranges[i].overlaps(ranges[best]) {
				worse = append(worse, r)
				continue
			}
			if r.Plan.OfSeeds != nil {
				p := *r.Plan
				p.Rank, r.Plan = rank, &p
			}
			equal = append(equal, r)
		}
		copy(rest, slices.Concat(equal, worse))
		rest = rest[len(equal):]
	}
}
