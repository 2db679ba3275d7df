package report

import (
	"fmt"
	"io"

	"fclocal/internal/result"
	"fclocal/internal/units"
)

// CalibrationsJSON writes {"calibrations":[…]}, numbers with three decimals at
// most.
func CalibrationsJSON(w io.Writer, calibrations []result.Calibration) error {
	type row struct {
		result.Calibration
		Agree bool `json:"agree"`
	}
	document := struct {
		Calibrations []row `json:"calibrations"`
	}{}
	for _, c := range calibrations {
		agree := c.Agree()
		for _, f := range []*result.Figures{&c.Plan, &c.Stream} {
			round(&f.EventsPerSecond, &f.P50Ms, &f.PeakMemoryMB)
		}
		document.Calibrations = append(document.Calibrations, row{c, agree})
	}
	return encode(w, document)
}

// CalibrationsTable writes them for a person to read.
func CalibrationsTable(w io.Writer, calibrations []result.Calibration) error {
	table := []column{
		{header: "CountBased\nWindow"}, {header: "TimeBased\nWindow"}, {header: "\nconcurrency"}, {header: "instance\nConcurrency"},
		{header: "\nmessages"}, {header: "event\ntime"},
		{header: "instances\nplan"}, {header: "\nstream"},
		{header: "events/s\nplan"}, {header: "\nstream"}, {header: "\n "},
		{header: "latency p50\nplan"}, {header: "\nstream"}, {header: "\n "},
		{header: "peak memory\nplan"}, {header: "\nstream"}, {header: "\nagree"},
	}
	for _, c := range calibrations {
		messages := units.Count(c.Messages)
		if c.Rate > 0 {
			messages += " at " + units.Number(c.Rate) + "/s"
		}
		eventTime := "-"
		if c.EventTimeMs > 0 {
			eventTime = units.Milliseconds(c.EventTimeMs)
		}
		for i, cell := range []string{
			units.Count(c.CountBasedWindow), units.Count(c.TimeBasedWindow) + " s", units.Count(c.Concurrency), units.Count(c.InstanceConcurrency),
			messages, eventTime,
			units.Count(c.Plan.Instances), units.Count(c.Stream.Instances),
			units.Number(c.Plan.EventsPerSecond), units.Number(c.Stream.EventsPerSecond), difference(c.Plan.EventsPerSecond, c.Stream.EventsPerSecond),
			units.Milliseconds(c.Plan.P50Ms), units.Milliseconds(c.Stream.P50Ms), difference(c.Plan.P50Ms, c.Stream.P50Ms),
			units.Number(c.Plan.PeakMemoryMB) + " MB", units.Number(c.Stream.PeakMemoryMB) + " MB", units.YesNo(c.Agree()),
		} {
			table[i].cells = append(table[i].cells, cell)
		}
	}
	_, err := io.WriteString(w, render(table)+"\n")
	return err
}

// difference is how much plan is off stream.
func difference(plan, stream float64) string { return fmt.Sprintf("%+.0f %%", 100*(plan/stream-1)) }
