package result

import (
	"cmp"
	"math"
	"slices"
)

// SortByCost puts the cheapest plan first: by price, or by GB-seconds and then
// vCPU-seconds if they have none. Plans that keep up come before the others.
func SortByCost(plans []Run) {
	number := func(p *float64) float64 {
		if p == nil {
			return 0
		}
		return *p
	}
	slices.SortStableFunc(plans, func(a, b Run) int {
		return cmp.Or(
			keepingUpFirst(a, b),
			cmp.Compare(number(a.Price), number(b.Price)),
			cmp.Compare(a.GBSeconds, b.GBSeconds),
			cmp.Compare(number(a.VCPUSeconds), number(b.VCPUSeconds)))
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
