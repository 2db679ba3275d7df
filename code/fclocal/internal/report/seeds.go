package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fclocal/internal/result"
	"fclocal/internal/units"
)

// ranged are the figures that are shown as a range over seeds, and what result.Plan.Range
// calls them; a column alone by what stands above it.
var ranged = map[string]string{
	"instances": "peakInstances", "lag at end of load": "lagEnd", "lag at most": "lagMax", "drained in": "drainSeconds",
	"latency p50": "p50", "latency p95": "p95", "latency p99": "p99", "latency p99.9": "p999", "latency max": "max",
	"calls": "calls", "events per call": "eventsPerCall", "instance-hours": "instanceHours",
	billOfSeeds: "bill", columnOf + "bill": "bill", columnOf + "FC": "functionCompute",
	columnOf + "EventBridge\nby events": "byEvents", columnOf + "EventBridge\nby capacity": "byCapacity",
}

const (
	billOfSeeds = "… over the seeds"
	columnOf    = "column "
)

// text is the figure of a run, or its range over seeds.
func (f figure) text(r result.Run) string {
	low, high, ok := r.Extremes(ranged[cmp.Or(f.name, columnOf+f.short)])
	if !ok {
		return f.value(r)
	}
	return fromTo(f.value(low), f.value(high))
}

// fromTo writes a range; a unit that both have is written once.
func fromTo(low, high string) string {
	if low == high {
		return low
	}
	mark := ""
	if strings.HasPrefix(low, cheaper) || strings.HasPrefix(high, cheaper) {
		mark, low, high = cheaper, strings.TrimPrefix(low, cheaper), strings.TrimPrefix(high, cheaper)
	}
	if number, unit, found := strings.Cut(low, " "); found && strings.HasSuffix(high, " "+unit) {
		low = number
	}
	return mark + low + "–" + high
}

// keepsUp says it of all seeds.
func keepsUp(p *result.Plan) string {
	keeping := 0
	for _, seed := range p.Seeds {
		if seed.KeepsUp {
			keeping++
		}
	}
	if keeping == 0 || keeping == len(p.Seeds) {
		return units.YesNo(p.KeepsUp)
	}
	return fmt.Sprintf("%d of %d", keeping, len(p.Seeds))
}

// seedsNote says what the ranges of plans are; "" of one seed.
func seedsNote(runs []result.Run) string {
	i := slices.IndexFunc(runs, func(r result.Run) bool { return r.Plan != nil && len(r.Seeds) > 1 })
	if i < 0 {
		return ""
	}
	seeds := runs[i].Seeds
	return fmt.Sprintf("Seeds: %d, from %d on. Ranges are those of all; the rest is of the one in the middle by its p99.", len(seeds), seeds[0].Seed)
}

// equalNote says which of the sorted plans are no better than each other; "" if all are.
func equalNote(runs []result.Run) string {
	names := labels(runs)
	var equal []string
	for first := 0; first < len(runs); {
		n := equals(runs[first:])
		if n > 1 {
			equal = append(equal, strings.Join(names[first:first+n], "; "))
		}
		first += n
	}
	if equal == nil {
		return ""
	}
	return fmt.Sprintf("Equal within the noise of %d seeds: %s.", len(runs[0].Seeds), strings.Join(equal, ". "))
}

// equals returns how many of the sorted plans have the rank of the first.
func equals(runs []result.Run) int {
	n := 1
	for n < len(runs) && runs[0].Plan != nil && runs[0].Rank > 0 && runs[n].Rank == runs[0].Rank {
		n++
	}
	return n
}

// roundedSeeds returns a plan with ranges as its figures are rounded.
func roundedSeeds(p result.Plan) result.Plan {
	p.OfSeeds = rounded(p.OfSeeds)
	figure := func(name string, x float64) float64 {
		if slices.Contains(result.Prices, name) {
			return significant(x)
		}
		round(&x)
		return x
	}
	ranges := map[string]result.Interval{}
	for name, r := range p.Range {
		ranges[name] = result.Interval{figure(name, r[0]), figure(name, r[1])}
	}
	p.Range, p.Seeds = ranges, slices.Clone(p.Seeds)
	for i, seed := range p.Seeds {
		figures := map[string]float64{}
		for name, x := range seed.Figures {
			figures[name] = figure(name, x)
		}
		p.Seeds[i].Figures = figures
	}
	return p
}
