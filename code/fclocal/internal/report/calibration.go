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

// CalibrationsTable writes them for a person to read: what stream did, and by how
// much plan is off. Where their instances differ, those of plan stand behind.
func CalibrationsTable(w io.Writer, calibrations []result.Calibration) error {
	table := []column{
		{header: "CountBased\nWindow"}, {header: "TimeBased\nWindow"}, {header: "\nconcurrency"}, {header: "instance\nConcurrency"},
		{header: "\nmessages"}, {header: "in-\nstances"},
		{header: "events/s\nstream"}, {header: "\nplan"}, {header: "p50\nstream"}, {header: "\nplan"},
		{header: "\nagree"},
	}
	for _, c := range calibrations {
		messages := units.Count(c.Messages)
		if c.Rate > 0 {
			messages += " at " + units.Number(c.Rate) + "/s"
		}
		if c.EventTimeMs > 0 {
			messages += ", " + units.Milliseconds(c.EventTimeMs)
		}
		instances := units.Count(c.Stream.Instances)
		if c.Plan.Instances != c.Stream.Instances {
			instances += " / " + units.Count(c.Plan.Instances)
		}
		for i, cell := range []string{
			units.Count(c.CountBasedWindow), units.Count(c.TimeBasedWindow) + " s", units.Count(c.Concurrency), units.Count(c.InstanceConcurrency),
			messages, instances,
			units.Number(c.Stream.EventsPerSecond), difference(c.Plan.EventsPerSecond, c.Stream.EventsPerSecond),
			units.Milliseconds(c.Stream.P50Ms), difference(c.Plan.P50Ms, c.Stream.P50Ms),
			units.YesNo(c.Agree()),
		} {
			table[i].cells = append(table[i].cells, cell)
		}
	}
	_, err := io.WriteString(w, render(table)+"\n")
	return err
}

// difference is how much plan is off stream.
func difference(plan, stream float64) string { return fmt.Sprintf("%+.0f %%", 100*(plan/stream-1)) }
