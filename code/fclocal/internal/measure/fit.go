package measure

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// A Function is what calls of a function cost, fitted to the Points by least
// squares of the relative errors. No figure is negative. The memory of the largest
// batches is not below what was measured.
type Function struct {
	// CPU time of the function's process, on a core of this machine. Where that is
	// not told (only Linux tells) it is all of a call's duration.
	CallCPU  time.Duration // of each call
	EventCPU time.Duration // of each event in it

	// What a call takes beyond its CPU time when no other is in flight: CPU and
	// wait together are its duration then. It is the function's own waiting, and
	// the way through the loopback interface.
	CallWait  time.Duration // of each call
	EventWait time.Duration // of each event in it

	ColdStart time.Duration // from the process's start until it takes its first call, the median of several

	// Peak memory of an instance, in bytes; 0 where that is not told (only Linux
	// tells). Calls that wait for others to be decoded take less than those: it is
	// the processes' GOMAXPROCS that says how many are decoded at a time.
	BaseMemory         int64
	EventMemory        float64 // of each event of a call
	FurtherEventMemory float64 // of each event of every further call in flight; EventMemory if there never was one

	EventBytes int     // of an event in the payload, on average
	Points     []Point // by batch size

	// OutOfMemoryAt is the number of events in flight at which the function was
	// killed, as it held more than memorySize; 0: it never was. No batches of that
	// size or larger are among the points.
	OutOfMemoryAt int
}

// A Point is what was measured at a batch size.
type Point struct {
	Events int // in a call
	Calls  int // that were measured

	Duration time.Duration // of a call when no other is in flight
	CPU      time.Duration // of a call with InFlight at a time; see [Function]

	// Peak memory, in bytes: with one call in flight, and with InFlight.
	AloneMemory int64
	Memory      int64
	InFlight    int // calls at a time
}

// EventsInFlight is how many events the calls in flight had together.
func (p Point) EventsInFlight() int { return p.Events * p.InFlight }

// CPU is the CPU time of a call.
func (f Function) CPU(events int) time.Duration {
	return f.CallCPU + time.Duration(events)*f.EventCPU
}

// Wait is what a call takes beyond its CPU time when no other is in flight.
func (f Function) Wait(events int) time.Duration {
	return f.CallWait + time.Duration(events)*f.EventWait
}

// Memory is the peak memory of an instance, in bytes, with a number of calls in
// flight (1 or more) of so many events each.
func (f Function) Memory(events, inFlight int) int64 {
	return f.BaseMemory + int64(float64(events)*(f.EventMemory+float64(inFlight-1)*f.FurtherEventMemory))
}

// UpTo is the fit for calls of so many events at most, from the batch sizes that
// such calls lie between: what an event costs is not the same at all sizes.
func (f Function) UpTo(events int) Function {
	n := 0
	for n < len(f.Points) && (n < 2 || f.Points[n-1].Events < events) {
		n++
	}
	f.Points = f.Points[:n]
	f.fit()
	return f
}

// Least is the fit to the shorter times and the larger memory of two measurements
// of the same batch sizes: other load on the machine only ever adds to times.
func (f Function) Least(other Function) Function {
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
	f.fit()
	return f
}

// fit sets the figures from the points, of which there must be one.
func (f *Function) fit() {
	n := len(f.Points)
	events, further := make([]float64, n), make([]float64, n)
	cpu, wait, duration := make([]float64, n), make([]float64, n), make([]float64, n)
	alone, more, memory := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, p := range f.Points {
		events[i] = float64(p.Events)
		further[i] = float64(p.EventsInFlight() - p.Events)
		cpu[i] = float64(p.CPU)
		wait[i] = float64(max(p.Duration-p.CPU, 0))
		duration[i] = float64(p.Duration)
		alone[i] = float64(p.AloneMemory)
		more[i] = float64(p.Memory - p.AloneMemory)
		memory[i] = float64(p.Memory)
	}
	call, event := line(events, cpu, cpu)
	f.CallCPU, f.EventCPU = nanoseconds(call), nanoseconds(event)
	call, event = line(events, wait, duration)
	f.CallWait, f.EventWait = nanoseconds(call), nanoseconds(event)
	base, event := line(events, alone, alone)
	// The largest batches need the most: what they took is not underrated.
	largest := n - 1
	f.BaseMemory = int64(math.Round(base))
	f.EventMemory = max(event, (alone[largest]-base)/events[largest])
	f.FurtherEventMemory = f.EventMemory
	if floats.Max(further) > 0 {
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
		intercept, slope = stat.LinearRegression(x, y, weights(whole), false)
		switch {
		case slope < 0:
			return stat.Mean(y, weights(whole)), 0
		case intercept >= 0:
			return intercept, slope
		}
	}
	return 0, proportion(x, y, whole)
}

// proportion fits y = slope*x likewise.
func proportion(x, y, whole []float64) (slope float64) {
	_, slope = stat.LinearRegression(x, y, weights(whole), true)
	return slope
}

func weights(whole []float64) []float64 {
	weights := make([]float64, len(whole))
	for i, w := range whole {
		w = max(w, 1) // what was not measured is 0
		weights[i] = 1 / (w * w)
	}
	return weights
}
