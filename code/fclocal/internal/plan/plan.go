// Package plan runs an event stream in virtual time: the rules of package
// trigger, with a load and a function that are given by figures. A day of a
// large stream takes seconds, as what it costs grows with the calls and not with
// the messages.
//
// # Assumptions
//
// Beside those of package trigger:
//
//   - Messages are evenly spread over the partitions and over time. The tasks'
//     windows fill one after another, as those of a stream that has run for long.
//   - Tasks share the partitions by range, like Kafka's range assignor. A task
//     always finds its messages fetched.
//   - CallTime and EventTime are waits: a call takes them however many others its
//     instance has. CPU time comes before them, and the calls of an instance share
//     its cpu evenly; that a cpu of less than one core has bursts is left out.
//   - A call's timeout begins when its instance is ready, and ends the instance.
//   - The allowance of instances grows at whole minutes from the start, whether it
//     was used or not.
package plan

import (
	"context"
	"errors"
	"math"
	"time"

	"fclocal/internal/report"
	"fclocal/internal/trigger"
)

// DefaultInstancesPerMinute is how many instances an account can create at once,
// and each minute from then on: the lower end of what is documented.
const DefaultInstancesPerMinute = 100

// DefaultIdleTimeout is an assumption: how soon FC ends an idle instance is not
// documented.
const DefaultIdleTimeout = time.Minute

// LongestCall is how long a trigger allows a call to take (documented).
const LongestCall = 5 * time.Minute

// Errors of calls.
var (
	errFunction = errors.New("the function returned an error")
	errTimeout  = errors.New("the function timed out")
)

// Config is what [Run] needs to know.
type Config struct {
	// Rules are the settings of s.yaml. MaxInstances is what the allowance grows
	// to, IdleTimeout the time after which an instance goes away. Seed is that of
	// all chance.
	Rules    trigger.Config
	Load     Load
	Function Function
	Host     *Host // nil: every instance has its own cpu

	InstancesAtOnce    int // allowed at the start; 0: MaxInstances
	InstancesPerMinute int // allowed more, minute by minute

	// Drain goes on after the end of the load until all messages are finished.
	Drain bool

	// Progress is told which share of all messages, 0 to 1, is finished, once in a
	// few thousand steps. May be nil.
	Progress func(done float64)
}

// Load is what comes to the topic: a backlog, a steady rate or both.
type Load struct {
	Partitions int           // 1 or more
	Backlog    int64         // messages that are there at the start
	Rate       float64       // messages a second, over all partitions
	For        time.Duration // how long they come
	EventBytes int           // of each message's event in the payload
}

// Function is how long the function takes.
type Function struct {
	CallTime  time.Duration // of each call, without its CPU time
	EventTime time.Duration // of each event in it, likewise
	CallCPU   time.Duration // CPU time of each call on one core
	EventCPU  time.Duration // of each event in it
	CPU       float64       // cores that an instance can use at a time; above 0 where there is CPU time

	// Memory of an instance, in bytes: of its own, for each event of a call, and for
	// each event of all further calls in flight. MemorySize is what it may have; 0:
	// any.
	BaseMemory         int64
	EventMemory        float64
	FurtherEventMemory float64
	MemorySize         int64

	ColdStart time.Duration // until a new instance takes its first call
	Timeout   time.Duration // of a call; 0: none

	// Spread, from 0 to 1, is by how much of itself a time differs at most,
	// evenly distributed to both sides.
	Spread    float64
	ErrorRate float64 // share of the calls that return an error, 0 to 1
}

// Host is a single machine that all instances run on, beside the stream itself.
type Host struct {
	Cores    float64       // above 0
	CallCPU  time.Duration // CPU time that the stream itself takes for each call, before it
	EventCPU time.Duration // and for each event in it
}

// A Result is what a stream would do.
type Result struct {
	trigger.Stats
	IdleTasks int
	Produced  int64 // messages, the backlog included
	Pending   int64 // messages without an end, fetched or not

	EventsInCalls int64 // retries included
	Timeouts      int64 // calls that took longer than the timeout
	Latencies     report.Latencies
	ColdStarts    time.Duration // of all instances together
	Wall          time.Duration // of virtual time
	Samples       []report.Sample

	// Lag is in messages: produced, but not finished.
	LagEnd int64 // at the end of the load
	LagMax int64

	// DrainTime is from the end of the load until all messages are finished; with
	// a backlog alone it is Wall. It counts only if Pending is 0.
	DrainTime time.Duration

	// KeepsUp says that the lag does not grow: its minimum at the end of the load is
	// that at half of it, except for 1 % of what came between them or what open
	// windows hold. With a backlog alone it says that all of it is finished. A stream
	// that has stopped does not keep up.
	KeepsUp bool

	InstanceTime time.Duration // of all instances together, from creation to removal or the end
	BusyTime     time.Duration // of that, with a call or its cold start
	CPUTime      time.Duration // of all calls together
	CallTime     time.Duration // of all calls together, with their cold starts
	RetryingTime time.Duration // of all batches together that waited for a retry
	FullTime     time.Duration // with all of Concurrency in use

	PeakMemory int64 // bytes, of the largest instance; 0 without Function.BaseMemory

	// Stopped says which batch has stopped the stream, and why; "" if none has.
	Stopped string
}

const day = 24 * time.Hour

func (c Config) check() error {
	for _, rule := range []struct {
		broken bool
		say    string
	}{
		{c.Load.Partitions < 1, "there must be 1 partition or more"},
		{c.Load.Backlog < 0 || c.Load.EventBytes < 0 || c.Load.For < 0, "the load must not be negative"},
		{!(c.Load.Rate >= 0) || math.IsInf(c.Load.Rate, 1), "the rate must be a number of 0 or more"},
		{c.Load.Rate*c.Load.For.Seconds()+float64(c.Load.Backlog) > 1e15, "there must be at most 10^15 messages"},
		{c.Function.CallTime < 0 || c.Function.EventTime < 0 || c.Function.ColdStart < 0 || c.Function.Timeout < 0, "times must not be negative"},
		{c.Load.For > 10*365*day, "the load must not last more than ten years"},
		{max(c.Function.CallTime, c.Function.EventTime, c.Function.ColdStart) > day, "a call, an event and a cold start must not take more than a day"},
		{min(c.Function.CallCPU, c.Function.EventCPU) < 0 || max(c.Function.CallCPU, c.Function.EventCPU) > day, "CPU times must be from 0 to a day"},
		{c.Function.BaseMemory < 0 || !(c.Function.EventMemory >= 0) || !(c.Function.FurtherEventMemory >= 0) || c.Function.MemorySize < 0, "memory must not be negative"},
		{!(c.Function.CPU >= 0) || c.Function.CPU == 0 && (c.Function.CallCPU > 0 || c.Function.EventCPU > 0), "CPU time needs a cpu above 0"},
		{c.Host != nil && (!(c.Host.Cores > 0) || min(c.Host.CallCPU, c.Host.EventCPU) < 0 || max(c.Host.CallCPU, c.Host.EventCPU) > day), "a host must have cores, and CPU times from 0 to a day"},
		{!(c.Function.Spread >= 0 && c.Function.Spread <= 1), "the spread must be from 0 to 1"},
		{!(c.Function.ErrorRate >= 0 && c.Function.ErrorRate <= 1), "the error rate must be from 0 to 1"},
		{c.InstancesAtOnce < 0 || c.InstancesPerMinute < 0, "the allowance of instances must not be negative"},
	} {
		if rule.broken {
			return errors.New("plan: " + rule.say)
		}
	}
	return nil
}

// Run runs a stream until its end; see Config.Drain. The same Config gives the
// same Result. The error is for a Config that makes no sense, or ctx's.
func Run(ctx context.Context, config Config) (Result, error) {
	if err := config.check(); err != nil {
		return Result{}, err
	}
	d := newDriver(config)
	if err := d.run(ctx); err != nil {
		return Result{}, err
	}
	return d.finish(), nil
}
