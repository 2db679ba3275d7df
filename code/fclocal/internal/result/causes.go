package result

import (
	"math"

	"fclocal/internal/trigger"
)

// LatencyByCauseMs is where the time of latencies goes: for the mean that of all events, and
// for a percentile that of the events whose latency is near to it, differing by less than a
// sixteenth, scaled to it. So the causes sum to the latency, but for their rounding to a
// microsecond.
type LatencyByCauseMs struct {
	Mean CausesMs `json:"mean"`
	P50  CausesMs `json:"p50"`
	P95  CausesMs `json:"p95"`
	P99  CausesMs `json:"p99"`
}

// CausesMs are the causes of a latency in milliseconds; see [trigger.Spent].
type CausesMs struct {
	Kafka     float64 `json:"kafka"`     // until it was fetched
	Window    float64 `json:"window"`    // until its batch was closed
	Slot      float64 `json:"slot"`      // until the batch had its place in concurrency
	Instance  float64 `json:"instance"`  // after attempts that were refused with 429
	Retries   float64 `json:"retries"`   // in attempts that failed otherwise, and after them
	ColdStart float64 `json:"coldStart"` // until the instance was ready, its initializer included
	CPU       float64 `json:"cpu"`       // for the instance's cpu beside its other calls; 0 of a stream
	Function  float64 `json:"function"`  // in the call that succeeded, beside these two
}

// Parts are the causes in the order of [trigger.Cause].
func (c CausesMs) Parts() [trigger.Causes]float64 {
	return [...]float64{c.Kafka, c.Window, c.Slot, c.Instance, c.Retries, c.ColdStart, c.CPU, c.Function}
}

// all are the causes of all events.
func (l *Latencies) all() (all causes) {
	for _, near := range l.causes {
		for i, part := range near {
			all[i] += part
		}
	}
	return all
}

// near are those of the events whose latency is near to a percentile.
func (l *Latencies) near(percent float64) causes {
	if l.histogram == nil {
		return causes{}
	}
	return l.causes[causesOf(l.Percentile(percent).Microseconds())]
}

func (c causes) sum() (nanoseconds float64) {
	for _, part := range c {
		nanoseconds += part
	}
	return nanoseconds
}

// of are the causes of a latency in nanoseconds.
func (c causes) of(latency float64) CausesMs {
	sum := c.sum()
	part := func(cause trigger.Cause) float64 {
		if sum == 0 {
			return 0
		}
		return math.Round(c[cause]/sum*latency/1e3) / 1e3
	}
	return CausesMs{
		Kafka: part(trigger.Kafka), Window: part(trigger.Window), Slot: part(trigger.Slot), Instance: part(trigger.Instance),
		Retries: part(trigger.Retries), ColdStart: part(trigger.ColdStart), CPU: part(trigger.CPU), Function: part(trigger.InCall),
	}
}

// ByCause are the causes of the latencies that a Run tells of.
func (l *Latencies) ByCause() LatencyByCauseMs {
	at := func(percent float64) CausesMs { return l.near(percent).of(float64(l.Percentile(percent))) }
	all := l.all()
	return LatencyByCauseMs{Mean: all.of(all.sum() / float64(max(l.Count(), 1))), P50: at(50), P95: at(95), P99: at(99)}
}
