package measure

import (
	"math"
	"slices"
	"time"

	"fclocal/internal/result"
)

// UpTo is the fit to calls of so many events at most, from the batch sizes that
// such calls lie between: what an event costs is not the same at all sizes.
func UpTo(f result.Measured, events int) result.Measured {
	n := 0
	for n < len(f.Points) && (n < 2 || f.Points[n-1].Events < events) {
		n++
	}
	f.Points = f.Points[:n]
	fit(&f)
	return f
}

// Least is the fit to the shorter times and the larger memory of two measurements
// of the same batch sizes: other load on the machine only ever adds to times.
func Least(f, other result.Measured) result.Measured {
	points := slices.Clone(f.Points[:min(len(f.Points), len(other.Points))])
	for i := range points {
		points[i].CPU = min(points[i].CPU, other.Points[i].CPU)
		points[i].Duration = min(points[i].Duration, other.Points[i].Duration)
		points[i].AloneMemory = max(points[i].AloneMemory, other.Points[i].AloneMemory)
		points[i].Memory = max(points[i].Memory, other.Points[i].Memory)
	}
	f.Points = points
	if f.OutOfMemoryAt == 0 || other.OutOfMemoryAt > 0 && other.OutOfMemoryAt < f.OutOfMemoryAt {
		f.OutOfMemoryAt = other.OutOfMemoryAt
	}
	fit(&f)
	return f
}

// fit sets the figures from the points, of which there must be one.
func fit(f *result.Measured) {
	n := len(f.Points)
	events, further := make([]float64, n), make([]float64, n)
	cpu, wait, duration := make([]float64, n), make([]float64, n), make([]float64, n)
	alone, more, memory := make([]float64, n), make([]float64, n), make([]float64, n)
	logs := make([]float64, n)
	for i, p := range f.Points {
		events[i] = float64(p.Events)
		further[i] = float64(p.EventsInFlight() - p.Events)
		cpu[i] = float64(p.CPU)
		wait[i] = float64(max(p.Duration-p.CPU, 0))
		duration[i] = float64(p.Duration)
		alone[i] = float64(p.AloneMemory)
		more[i] = float64(p.Memory - p.AloneMemory)
		memory[i] = float64(p.Memory)
		logs[i] = p.LogBytes
	}
	call, event := line(events, cpu, cpu)
	f.CallCPU, f.EventCPU = nanoseconds(call), nanoseconds(event)
	call, event = line(events, wait, duration)
	f.CallWait, f.EventWait = nanoseconds(call), nanoseconds(event)
	f.CallLog, f.EventLog = line(events, logs, logs)
	base, event := line(events, alone, alone)
	// The largest batches need the most: what they took is not underrated.
	largest := n - 1
	f.BaseMemory = int64(math.Round(base))
	f.EventMemory = max(event, (alone[largest]-base)/events[largest])
	f.FurtherEventMemory = f.EventMemory
	if slices.Max(further) > 0 {
		f.FurtherEventMemory = proportion(further, more, memory)
	}
	if further[largest] > 0 {
		f.FurtherEventMemory = max(f.FurtherEventMemory, (memory[largest]-base-f.EventMemory*events[largest])/further[largest])
	}
}

func nanoseconds(t float64) time.Duration { return time.Duration(math.Round(t)) }

// line fits y = intercept + slope*x, neither of them below 0. Differences count
// as shares of whole, so that small batches matter as much as large ones. Of a
// single point all is slope.
func line(x, y, whole []float64) (intercept, slope float64) {
	if len(x) > 1 {
		var sum, sumX, sumY, sumXX, sumXY float64 // weighted
		for i := range x {
			w := weight(whole[i])
			sum += w
			sumX += w * x[i]
			sumY += w * y[i]
			sumXX += w * x[i] * x[i]
			sumXY += w * x[i] * y[i]
		}
		slope = (sum*sumXY - sumX*sumY) / (sum*sumXX - sumX*sumX)
		intercept = (sumY - slope*sumX) / sum
		switch {
		case slope < 0:
			return sumY / sum, 0
		case intercept >= 0:
			return intercept, slope
		}
	}
	return 0, proportion(x, y, whole)
}

// proportion fits y = slope*x likewise.
func proportion(x, y, whole []float64) (slope float64) {
	var sumXX, sumXY float64
	for i := range x {
		w := weight(whole[i])
		sumXX += w * x[i] * x[i]
		sumXY += w * x[i] * y[i]
	}
	return sumXY / sumXX
}

// weight makes a difference count as a share of what it is in.
func weight(whole float64) float64 {
	whole = max(whole, 1) // what was not measured is 0
	return 1 / (whole * whole)
}
