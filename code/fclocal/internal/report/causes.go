package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"fclocal/internal/result"
	"fclocal/internal/trigger"
	"fclocal/internal/units"
)

// causeNames are short, in the order of [trigger.Cause]; the manual explains them.
var causeNames = [trigger.Causes]string{
	"Kafka", "window", "slot", "instance", "retries", "cold start", "cpu share", "function",
}

// A spent is a latency with its causes.
type spent struct {
	name   string // mean, p50
	ms     float64
	shares [trigger.Causes]float64 // 0 to 1
}

// spentOf are a run's; none if it has delivered nothing.
func spentOf(r result.Run) []spent {
	if r.Delivered == 0 {
		return nil
	}
	l, by := r.LatencyMs, r.LatencyByCause
	all := []spent{{name: "mean", ms: l.Mean}, {name: "p50", ms: l.P50}, {name: "p95", ms: l.P95}, {name: "p99", ms: l.P99}}
	for i, causes := range []result.CausesMs{by.Mean, by.P50, by.P95, by.P99} {
		parts, sum := causes.Parts(), 0.0
		for _, part := range parts {
			sum += part
		}
		if !(sum > 0 && !math.IsInf(sum, 0)) {
			return nil
		}
		for cause, part := range parts {
			all[i].shares[cause] = part / sum
		}
	}
	return all
}

func percents(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// causeFigures are the rows of a single run's list, of causes that are a percent at least.
func causeFigures() []figure {
	row := func(cell func(spent) string) func(result.Run) string {
		return func(r result.Run) string {
			line := ""
			for _, s := range spentOf(r) {
				line += fmt.Sprintf("%7s", cell(s))
			}
			return strings.TrimPrefix(line, " ")
		}
	}
	rows := []figure{{causes, "latency by cause", "", row(func(s spent) string { return s.name }), func(r result.Run) bool { return spentOf(r) == nil }}}
	for cause, name := range causeNames {
		share := func(s spent) float64 { return s.shares[cause] }
		rows = append(rows, figure{
			causes, "… " + name, "",
			row(func(s spent) string { return percents(share(s)) }),
			func(r result.Run) bool {
				return !slices.ContainsFunc(spentOf(r), func(s spent) bool { return share(s) >= 0.005 })
			},
		})
	}
	return rows
}

// mostOfP99 is the column of several runs.
func mostOfP99(r result.Run) string {
	all := spentOf(r)
	if all == nil {
		return "-"
	}
	shares := all[len(all)-1].shares
	most := 0
	for cause, share := range shares {
		if share > shares[most] {
			most = cause
		}
	}
	return causeNames[most] + " " + percents(shares[most])
}

// A bar is a latency as a page shows it: its causes side by side.
type bar struct {
	Name, Latency string
	Top           int // percent
	Segments      []segment
}

type segment struct {
	Cause         int
	Left, Percent float64
	Text          string
}

func (b bar) summary() string {
	var said []string
	for _, s := range b.Segments {
		said = append(said, s.Text)
	}
	return fmt.Sprintf("%s %s: %s", b.Name, b.Latency, strings.Join(said, ", "))
}

// bars are a run's.
func bars(r result.Run) (bars []bar) {
	for i, s := range spentOf(r) {
		b := bar{Name: s.name, Latency: units.Milliseconds(s.ms), Top: 25 * i}
		left := 0.0
		for cause, share := range s.shares {
			if share > 0 {
				b.Segments = append(b.Segments, segment{cause, percent(left), percent(share), causeNames[cause] + " " + percents(share)})
			}
			left += share
		}
		bars = append(bars, b)
	}
	return bars
}
