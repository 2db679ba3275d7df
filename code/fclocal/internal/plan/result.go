package plan

import (
	"cmp"
	"math"
	"time"

	"fclocal/internal/result"
)

// A Result is what a stream would do.
type Result struct {
	result.Totals // Wall is of virtual time

	Timeouts int64 // calls that took longer than the timeout

	// Simulated is how much of the load was run until its figures stood, which are
	// extended to all of it; 0: all was.
	Simulated time.Duration

	// Lag is in messages: produced, but not finished.
	LagEnd  int64 // at the end of the load
	LagMax  int64
	LagMean float64 // over Wall

	// DrainTime is from the end of the load until all messages are finished; with
	// a backlog alone it is Wall. It counts only if Pending is 0.
	DrainTime time.Duration

	// KeepsUp says that calls do not need more than all of concurrency, or the lag does
	// not grow over the second half of the load, on average. With Rates
	// that change it says that the lag at the end of the load is that of a day before,
	// or of the start of a load of at most a day, except for what open windows and
	// calls hold: a peak may be too much if what it leaves behind is made up later.
	// With a backlog alone it says that all of it is finished. A stream does not keep
	// up that has stopped, that loses more than 1 % of its messages or whose instances
	// would need more than MemorySize.
	KeepsUp bool

	// Sums over instances and calls, in seconds: a time.Duration ends at 292 years.
	InstanceSeconds float64 // of all instances, from creation to removal or the end
	BusySeconds     float64 // of that, with a call, a start or a preStop
	CPUSeconds      float64 // of all calls
	CallSeconds     float64 // of all calls, with their cold starts
	RetryingSeconds float64 // of all batches that waited for a retry
}

// Run is what the plan of a project is reported as.
func (c Config) Run(r Result) result.Run {
	run := r.Totals.Run(c.input())
	p := &result.Plan{
		LagEnd:        r.LagEnd,
		LagMax:        r.LagMax,
		LagMean:       r.LagMean,
		KeepsUp:       r.KeepsUp,
		InstanceHours: r.InstanceSeconds / 3600,

		SimulatedSeconds: r.Simulated.Seconds(),
	}
	if r.Pending == 0 {
		p.DrainSeconds = r.DrainTime.Seconds()
	}
	run.Plan = p
	if c.Logs {
		run.Logs = &result.Logs{}
		if f := c.Function; f.LogKnown {
			bytes := int64(math.Round(float64(r.Calls)*f.CallLog + float64(r.EventsInCalls)*f.EventLog))
			run.Logs.Bytes = &bytes
		}
	}
	return run
}

func (c Config) input() result.Input {
	l, f := c.Load, c.Function
	in := result.Input{
		Settings: c.Settings,
		Load: result.Load{
			Partitions: l.Partitions, Backlog: l.Backlog, RatePerSecond: l.Rate, RateFile: l.RateFile,
			EventBytes: l.EventBytes, Skew: l.Skew,
		},
		Function: result.Function{
			CallTimeMs:  result.Milliseconds(f.CallTime),
			EventTimeMs: result.Milliseconds(f.EventTime),
			CallCPUMs:   result.Milliseconds(f.CallCPU),
			EventCPUMs:  result.Milliseconds(f.EventCPU),
			ColdStartMs: result.Milliseconds(f.ColdStart), InitializerMs: result.Milliseconds(f.Initializer), PreStopMs: result.Milliseconds(f.PreStop),
			Spread:      f.Spread,
			GivenCallMs: result.Milliseconds(f.CallTime), GivenEventMs: result.Milliseconds(f.EventTime),
		},
		Account: result.AccountOf(c.Rules),
		Trouble: result.TroubleOf(c.Trouble),
	}
	if l.comes() {
		in.Load.Arrivals = string(cmp.Or(l.Arrivals, Even))
		in.Load.DurationSeconds = l.For.Seconds()
		if l.Arrivals == Bursts {
			in.Load.Bursts = &result.Bursts{Rate: l.Burst.Rate, ForSeconds: l.Burst.For.Seconds(), EverySeconds: l.Burst.Every.Seconds()}
		}
		if l.Group > 1 {
			in.Load.Group = l.Group
		}
	}
	if r := l.Recording; r != nil {
		in.Load.Arrivals, in.Load.Recording, in.Load.Messages = "recorded", r.Name, int64(len(r.Records))
		in.Load.EventBytes = int(math.Round(r.meanBytes()))
	}
	if l.Sizes != nil {
		in.Load.EventBytes, in.Load.SizeFile = int(math.Round(l.Sizes.Mean())), l.Sizes.File
	}
	if times := f.Times; times.Samples != nil {
		in.Function.Times = &result.Times{File: times.File, Of: "call", MeanMs: times.Mean() / 1e6}
		if times.OfEvents {
			in.Function.Times.Of = "event"
		}
	}
	for _, rate := range l.Rates {
		in.Load.HighestRate = max(in.Load.HighestRate, rate.PerSecond)
	}
	return in
}
