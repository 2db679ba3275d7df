package result

import "math"

// Tolerance is how far a plan may be from the stream in events per second and in
// the median latency, as a share of the stream's.
const Tolerance = 0.15

// A Calibration is a configuration that stream and plan have both run.
type Calibration struct {
	CountBasedWindow    int `json:"CountBasedWindow"`
	TimeBasedWindow     int `json:"TimeBasedWindow"` // seconds
	Concurrency         int `json:"concurrency"`
	InstanceConcurrency int `json:"instanceConcurrency"`

	Messages    int     `json:"messages"`
	Rate        float64 `json:"rate"`        // messages a second; 0: all are there at the start
	EventTimeMs float64 `json:"eventTimeMs"` // milliseconds that a call keeps its slot for each event

	Saturated bool    `json:"saturated"` // all of concurrency was in use
	Plan      Figures `json:"plan"`
	Stream    Figures `json:"stream"`
}

// Figures are what plan and stream must agree on, and the memory, which is an
// estimate.
type Figures struct {
	Instances       int     `json:"instances"`
	EventsPerSecond float64 `json:"eventsPerSecond"`
	P50Ms           float64 `json:"p50Ms"`        // latency in milliseconds
	PeakMemoryMB    float64 `json:"peakMemoryMB"` // of the largest instance, in units of 2^20 bytes
}

// Agree says whether the two agree: the same instances where all of concurrency
// was in use, and within Tolerance.
func (c Calibration) Agree() bool {
	near := func(plan, stream float64) bool { return math.Abs(plan-stream) <= Tolerance*stream }
	return (!c.Saturated || c.Plan.Instances == c.Stream.Instances) &&
		near(c.Plan.EventsPerSecond, c.Stream.EventsPerSecond) && near(c.Plan.P50Ms, c.Stream.P50Ms)
}

// Figures are those of a run.
func (r Run) Figures() Figures {
	return Figures{
		Instances: r.Instances, EventsPerSecond: r.EventsPerSecond, P50Ms: r.LatencyMs.P50, PeakMemoryMB: r.PeakMemoryMB,
	}
}
