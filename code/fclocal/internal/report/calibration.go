package report

import (
	"fmt"
	"io"
	"math"
)

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

// CalibrationsJSON writes {"calibrations":[…]}, numbers with three decimals at
// most.
func CalibrationsJSON(w io.Writer, calibrations []Calibration) error {
	type row struct {
		Calibration
		Agree bool `json:"agree"`
	}
	document := struct {
		Calibrations []row `json:"calibrations"`
	}{}
	for _, c := range calibrations {
		agree := c.Agree()
		for _, f := range []*Figures{&c.Plan, &c.Stream} {
			round(&f.EventsPerSecond, &f.P50Ms, &f.PeakMemoryMB)
		}
		document.Calibrations = append(document.Calibrations, row{c, agree})
	}
	return encode(w, document)
}

// CalibrationsTable writes them for a person to read.
func CalibrationsTable(w io.Writer, calibrations []Calibration) error {
	table := []column{
		{header: "CountBased\nWindow"}, {header: "TimeBased\nWindow"}, {header: "\nconcurrency"}, {header: "instance\nConcurrency"},
		{header: "\nmessages"}, {header: "event\ntime"},
		{header: "instances\nplan"}, {header: "\nstream"},
		{header: "events/s\nplan"}, {header: "\nstream"}, {header: "\n "},
		{header: "latency p50\nplan"}, {header: "\nstream"}, {header: "\n "},
		{header: "peak memory\nplan"}, {header: "\nstream"}, {header: "\nagree"},
	}
	for _, c := range calibrations {
		messages := whole(c.Messages)
		if c.Rate > 0 {
			messages += " at " + number(c.Rate) + "/s"
		}
		eventTime := "-"
		if c.EventTimeMs > 0 {
			eventTime = duration(c.EventTimeMs)
		}
		for i, cell := range []string{
			whole(c.CountBasedWindow), whole(c.TimeBasedWindow) + " s", whole(c.Concurrency), whole(c.InstanceConcurrency),
			messages, eventTime,
			whole(c.Plan.Instances), whole(c.Stream.Instances),
			number(c.Plan.EventsPerSecond), number(c.Stream.EventsPerSecond), difference(c.Plan.EventsPerSecond, c.Stream.EventsPerSecond),
			duration(c.Plan.P50Ms), duration(c.Stream.P50Ms), difference(c.Plan.P50Ms, c.Stream.P50Ms),
			number(c.Plan.PeakMemoryMB) + " MB", number(c.Stream.PeakMemoryMB) + " MB", yes(c.Agree()),
		} {
			table[i].cells = append(table[i].cells, cell)
		}
	}
	_, err := io.WriteString(w, render(table)+"\n")
	return err
}

// difference is how much plan is off stream.
func difference(plan, stream float64) string { return fmt.Sprintf("%+.0f %%", 100*(plan/stream-1)) }
