package result

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"fclocal/internal/units"
)

// figure is one of a run's that conditions and goals bound.
type figure struct {
	name  string // in a sentence
	of    func(Run) float64
	parse func(limit string) (float64, error)
	show  func(float64) string
}

func latency(name string, of func(LatencyMs) float64) figure {
	return figure{"latency " + name, func(r Run) float64 { return of(r.LatencyMs) }, func(limit string) (float64, error) {
		d, err := time.ParseDuration(limit)
		return milliseconds(d), err
	}, units.Milliseconds}
}

func lag(name string, of func(*Plan) int64) figure {
	return figure{name, func(r Run) float64 {
		if r.Plan == nil {
			return 0
		}
		return float64(of(r.Plan))
	}, func(limit string) (float64, error) { return strconv.ParseFloat(limit, 64) }, units.Number}
}

// bounded are those figures, by what they are called in a condition or goal.
var bounded = map[string]figure{
	"p50":    latency("p50", func(l LatencyMs) float64 { return l.P50 }),
	"p95":    latency("p95", func(l LatencyMs) float64 { return l.P95 }),
	"p99":    latency("p99", func(l LatencyMs) float64 { return l.P99 }),
	"p99.9":  latency("p99.9", func(l LatencyMs) float64 { return l.P999 }),
	"max":    latency("max", func(l LatencyMs) float64 { return l.Max }),
	"mean":   latency("mean", func(l LatencyMs) float64 { return l.Mean }),
	"lag":    lag("lag at most", func(p *Plan) int64 { return p.LagMax }),
	"lagEnd": lag("lag at end", func(p *Plan) int64 { return p.LagEnd }),
}

// A Goal is a figure that a run is to keep at or below a limit.
type Goal struct {
	Text  string
	Limit float64 // milliseconds of a latency, messages of a lag
	figure
}

// Value is what a run has, in the unit of Limit.
func (g Goal) Value(r Run) float64 { return g.of(r) }

// Missed says what a run has that does not keep the goal; "" if it does.
func (g Goal) Missed(r Run) string {
	if value := g.of(r); value > g.Limit {
		return g.name + " is " + g.show(value)
	}
	return ""
}

// IsLatency says whether the goal is on a latency.
func (g Goal) IsLatency() bool { return strings.HasPrefix(g.name, "latency") }

// ParseGoals reads goals like p99<=2s or lag<=100000. The figures are those of
// ParseCondition.
func ParseGoals(texts []string) (goals []Goal, err error) {
	for _, text := range texts {
		which, limit, found := strings.Cut(text, "<=")
		f, known := bounded[which]
		most, err := 0.0, error(nil)
		if found && known {
			most, err = f.parse(limit)
		}
		if !found || !known || err != nil || !(most > 0) || math.IsInf(most, 1) {
			return nil, fmt.Errorf("%s: it must be p50, p95, p99, p99.9, max or mean, <= and a duration, like p99<=2s, or lag or lagEnd, <= and messages, like lag<=100000", text)
		}
		goals = append(goals, Goal{text, most, f})
	}
	if goals == nil {
		return nil, errors.New("there must be a goal, like p99<=2s")
	}
	return goals, nil
}
