package report

import (
	"encoding/json"
	"io"
	"math"
	"strconv"

	"fclocal/internal/result"
)

// JSON writes {"runs":[…]}. Numbers have three decimals at most, prices and
// shares six digits; one that is not finite, like events per call without a call, is written
// as 0.
func JSON(w io.Writer, runs []result.Run) error {
	document := struct {
		Runs []result.Run `json:"runs"`
	}{rounded(runs)}
	return encode(w, document)
}

func encode(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// rounded returns the runs with finite numbers of three decimals; what is shown
// of a run is made of these.
func rounded(runs []result.Run) []result.Run {
	all := make([]result.Run, len(runs))
	for i, r := range runs {
		l := &r.LatencyMs
		round(
			&r.EventsPerCall, &r.EventsPerSecond, &l.Mean, &l.P50, &l.P95, &l.P99, &l.P999, &l.Max,
			&r.ColdStartMs, &r.PeakMemoryMB, &r.WallSeconds,
			&r.Function.CallTimeMs, &r.Function.EventTimeMs,
		)
		r.CPUShare = significant(r.CPUShare)
		if r.Plan != nil {
			p := *r.Plan
			round(&p.LagMean, &p.DrainSeconds, &p.InstanceHours, &p.SimulatedSeconds)
			if p.OfSeeds != nil {
				p = roundedSeeds(p)
			}
			r.Plan = &p
		}
		if r.Bill != nil {
			r.Bill = roundedBill(*r.Bill)
		}
		all[i] = r
	}
	return all
}

// significant returns a number with six digits.
func significant(number float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(number, 'g', 6, 64), 64)
	return rounded
}

func round(numbers ...*float64) {
	for _, number := range numbers {
		rounded := math.Round(*number*1000) / 1000
		if math.IsNaN(rounded) || math.IsInf(rounded, 0) {
			rounded = 0
		}
		*number = rounded
	}
}
