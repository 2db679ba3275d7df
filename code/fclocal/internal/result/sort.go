package result

import (
	"cmp"
	"math"
	"slices"
)

// SortByCost puts the plan with the lowest bill first, then those of which it is not
// known. Where EventBridge has no price, Function Compute's alone decides. Plans that
// keep up come before the others.
func SortByCost(plans []Run) {
	cost := func(r Run) float64 {
		c := r.Charges()
		switch {
		case c != nil && c.Price != nil:
			return *c.Price
		case c != nil && c.FunctionCompute.Price != nil:
			return *c.FunctionCompute.Price
		}
		return math.Inf(1)
	}
	slices.SortStableFunc(plans, func(a, b Run) int {
		return cmp.Or(keepingUpFirst(a, b), cmp.Compare(cost(a), cost(b)))
	})
}

// SortByLatency puts the plan with the lowest 99th percentile first. Plans that
// keep up come before the others, and those that have delivered nothing last.
func SortByLatency(plans []Run) {
	p99 := func(r Run) float64 {
		if r.Delivered == 0 {
			return math.Inf(1)
		}
		return r.LatencyMs.P99
	}
	slices.SortStableFunc(plans, func(a, b Run) int {
		return cmp.Or(keepingUpFirst(a, b), cmp.Compare(p99(a), p99(b)))
	})
}

func keepingUpFirst(a, b Run) int {
	switch {
	case a.KeepsUp == b.KeepsUp:
		return 0
	case a.KeepsUp:
		return -1
	default:
		return 1
	}
}
