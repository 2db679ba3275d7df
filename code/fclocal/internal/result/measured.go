package result

import "time"

// A Measured is what calls of a function cost on a machine, fitted to the Points by least
// squares of the relative errors. No figure is negative. The memory of the largest
// batches is not below what was measured.
type Measured struct {
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

	// What the function writes into its logs, in bytes.
	CallLog  float64 // in each call
	EventLog float64 // for each event in it

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
	CPU      time.Duration // of a call with InFlight at a time; see [Measured]

	// Peak memory, in bytes: with one call in flight, and with InFlight.
	AloneMemory int64
	Memory      int64
	InFlight    int // calls at a time

	LogBytes float64 // that a call wrote into the logs
}

// EventsInFlight is how many events the calls in flight had together.
func (p Point) EventsInFlight() int { return p.Events * p.InFlight }

// CPU is the CPU time of a call.
func (m Measured) CPU(events int) time.Duration {
	return m.CallCPU + time.Duration(events)*m.EventCPU
}

// Wait is what a call takes beyond its CPU time when no other is in flight.
func (m Measured) Wait(events int) time.Duration {
	return m.CallWait + time.Duration(events)*m.EventWait
}

// Memory is the peak memory of an instance, in bytes, with a number of calls in
// flight (1 or more) of so many events each.
func (m Measured) Memory(events, inFlight int) int64 {
	return m.BaseMemory + int64(float64(events)*(m.EventMemory+float64(inFlight-1)*m.FurtherEventMemory))
}
