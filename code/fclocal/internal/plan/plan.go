// Package plan runs an event stream in virtual time: the rules of package
// trigger, with a load and a function that are given by figures. A day of a
// large stream takes seconds, as what it costs grows with the calls and not with
// the messages.
//
// # Assumptions
//
// Beside those of package trigger:
//
//   - The messages of a partition come at even intervals, or by chance, at a rate that
//     may change and have bursts, which are the same for all partitions, or as they once
//     came. The tasks' windows begin as those of a stream that has run for long, each filled
//     to another part; with a recording they are empty.
//   - Tasks share the partitions by range, like Kafka's range assignor, whatever is
//     in them: a skew may give a task several large ones. A task always finds its
//     messages fetched.
//   - CallTime and EventTime are waits: a call takes them however many others its
//     instance has. CPU time comes before them; the calls of an instance take turns
//     of 10 ms on its cpu, as the Go runtime has it. That a cpu of less than one
//     core has bursts is left out.
//   - Messages wait in the topic while batches of their task wait for their turn. So
//     the last window of a backlog, if it does not fill, opens when the batch before
//     it is called; in stream, with the fetch, up to TimeBasedWindow earlier.
//   - A call's timeout begins when its instance is ready, and ends the instance.
//   - Instances that are left at the end have not run their preStop.
package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
)

// errTimeout is of calls.
var errTimeout = errors.New("the function timed out")

// Config is what [Run] needs to know.
type Config struct {
	// Rules are the settings of s.yaml. Seed is that of all chance.
	Rules    trigger.Config
	Load     Load
	Function Function
	Host     *Host           // nil: every instance has its own cpu
	Trouble  trouble.Trouble // what goes wrong on purpose

	Logs     bool            // s.yaml has a logConfig
	Settings result.Settings // that Rules are made from, for a Run of the result

	// Drain goes on after the end of the load until all messages are finished.
	Drain bool

	// EndEarly ends a load that is steady when its figures stand, and extends them to
	// all of it; steady.go says when that is.
	EndEarly bool

	// Progress is told which share of all messages, 0 to 1, is finished, once in a
	// few thousand steps. May be nil.
	Progress func(done float64)

	// GiveUp is asked as often, with what has been used so far, whether that is too much:
	// then Run's error is ErrGivenUp. May be nil.
	GiveUp func(used []trigger.Usage) bool
}

// ErrGivenUp says that a run has not gone on to its end, as Config.GiveUp wanted.
var ErrGivenUp = errors.New("plan: given up")

// New returns the Config of a project's trigger with that load and function: the
// rules and the timeout are those of its s.yaml.
func New(project *config.Project, load Load, function Function) Config {
	function.Timeout = time.Duration(project.Function.TriggerTimeout()) * time.Second
	return Config{
		Rules: project.Rules(), Load: load, Function: function, Drain: true, EndEarly: true,
		Logs: project.Service.Logs, Settings: project.Settings(),
	}
}

// Load is what comes to the topic: a backlog, a rate or both.
type Load struct {
	Partitions int           // 1 or more
	Backlog    int64         // messages that are there at the start
	Rate       float64       // messages a second, over all partitions
	Rates      []Rate        // that change over the day, in place of Rate; see [ParseRates]
	RateFile   string        // name of the file that Rates are from, if they are
	For        time.Duration // how long they come, from midnight on
	EventBytes int           // of each message's event in the payload
	Sizes      *Samples      // bytes of the events, in place of EventBytes, each 1 or more; nil: all are alike
	Arrivals   Arrivals      // "" is Even
	Burst      Burst         // of Bursts
	Group      int           // messages that a producer sends at once, to one partition; 0 is 1

	// Recording has all messages, with when they come and how large they are. Partitions
	// and For are its own, and nothing else is given then. nil: there is none.
	Recording *Recording

	// Skew, from 0 to 5, is the exponent of Zipf's law: a partition's share of the
	// backlog and of the rate is as 1/k^Skew for the k-th largest. Which one that is
	// comes from the Seed. With 0 all are even.
	Skew float64
}

// Arrivals say when the messages of each partition come, at its rate.
type Arrivals string

// The kinds of arrivals.
const (
	Even    Arrivals = "even"    // at even intervals
	Poisson Arrivals = "poisson" // by chance, each whatever the others do
	Bursts  Arrivals = "bursts"  // by chance, at a rate that has bursts
)

// ArrivalsNames are all of them.
var ArrivalsNames = []string{string(Poisson), string(Even), string(Bursts)}

// byChance reports whether each message comes whatever the others do.
func (a Arrivals) byChance() bool { return a == Poisson || a == Bursts }

// comes reports whether there is more than the backlog.
func (l Load) comes() bool { return l.Rate > 0 || len(l.Rates) > 0 || l.Recording != nil }

// steady reports whether the mean rate is always the same.
func (l Load) steady() bool { return len(l.Rates) <= 1 && l.Recording == nil }

// eventBytes are the sizes of the smallest and the largest event.
func (l Load) eventBytes() (smallest, largest int64) {
	if r := l.Recording; r != nil {
		bySize := func(a, b Record) int { return cmp.Compare(a.Bytes, b.Bytes) }
		return int64(slices.MinFunc(r.Records, bySize).Bytes), int64(slices.MaxFunc(r.Records, bySize).Bytes)
	}
	if l.Sizes != nil {
		return int64(slices.Min(l.Sizes.Values)), int64(slices.Max(l.Sizes.Values))
	}
	return int64(l.EventBytes), int64(l.EventBytes)
}

// messages returns how many there are beside the backlog, not yet rounded.
func (l Load) messages() float64 {
	if l.Recording != nil {
		return float64(len(l.Recording.Records))
	}
	if c := newDailyCurve(l); c != nil {
		return c.passed(l.For) / 1e9
	}
	return l.steadyRate() * l.For.Seconds()
}

// Messages returns how many there are in all.
func (l Load) Messages() int64 { return int64(math.Round(l.messages())) + l.Backlog }

// Function is how long the function takes.
type Function struct {
	CallTime  time.Duration // of each call, without its CPU time
	EventTime time.Duration // of each event in it, likewise
	Times     Times         // that were measured, on top of these
	CallCPU   time.Duration // CPU time of each call on one core
	EventCPU  time.Duration // of each event in it
	CPU       float64       // cores that an instance can use at a time; above 0 where there is CPU time
	Threads   bool          // GOMAXPROCS is below cpu, and limits CPU

	// What the function writes into its logs, in bytes, if that is known.
	CallLog  float64 // in each call
	EventLog float64 // for each event in it
	LogKnown bool

	// Memory of an instance, in bytes: of its own, for each event of a call, and for
	// each event of all further calls in flight. MemorySize is what it may have; 0:
	// any.
	BaseMemory         int64
	EventMemory        float64
	FurtherEventMemory float64
	MemorySize         int64

	ColdStart   time.Duration // until a new instance could take its first call
	Initializer time.Duration // and its initializer after that
	PreStop     time.Duration // of an instance, before its end; counts only with Rules.PreStop
	Timeout     time.Duration // of a call; 0: none

	// Spread, from 0 to 1, is by how much of itself a time differs at most,
	// evenly distributed to both sides.
	Spread float64
}

// At is the function where cores have so much of the speed that its CPU times are for.
func (f Function) At(speed float64) Function {
	f.CallCPU = time.Duration(float64(f.CallCPU) / speed)
	f.EventCPU = time.Duration(float64(f.EventCPU) / speed)
	return f
}

// Host is a single machine that all instances run on, beside the stream itself.
type Host struct {
	Cores    float64       // above 0
	CallCPU  time.Duration // CPU time that the stream itself takes for each call, before it
	EventCPU time.Duration // and for each event in it
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
		{c.Load.Rate > 0 && len(c.Load.Rates) > 0, "there must be one rate or those of a day"},
		{c.Load.Arrivals != "" && !slices.Contains(ArrivalsNames, string(c.Load.Arrivals)), "arrivals must be poisson, even or bursts"},
		{!c.Load.Sizes.check(1, largestSize), "the events' sizes must be from 1 byte to 16 GB"},
		{!c.Function.Times.check(0, float64(day)), "measured times must be from 0 to a day"},
		{c.Load.Group < 0 || c.Load.Group > 1e6, "a group must have from 1 to 10^6 messages"},
		{!(c.Load.Skew >= 0 && c.Load.Skew <= 5), "the skew must be from 0 to 5"},
		{c.Load.Skew > 0 && c.Load.Partitions > 1e6, "with a skew there must be at most 10^6 partitions"},
		{min(c.Function.CallTime, c.Function.EventTime, c.Function.ColdStart, c.Function.Initializer, c.Function.PreStop, c.Function.Timeout) < 0, "times must not be negative"},
		{c.Load.For > 10*365*day, "the load must not last more than ten years"},
		{max(c.Function.CallTime, c.Function.EventTime, c.Function.ColdStart, c.Function.Initializer, c.Function.PreStop) > day, "a call, an event, a cold start and a hook must not take more than a day"},
		{min(c.Function.CallCPU, c.Function.EventCPU) < 0 || max(c.Function.CallCPU, c.Function.EventCPU) > day, "CPU times must be from 0 to a day"},
		{c.Function.BaseMemory < 0 || !(c.Function.EventMemory >= 0) || !(c.Function.FurtherEventMemory >= 0) || c.Function.MemorySize < 0, "memory must not be negative"},
		{!(c.Function.CPU >= 0) || c.Function.CPU == 0 && (c.Function.CallCPU > 0 || c.Function.EventCPU > 0), "CPU time needs a cpu above 0"},
		{c.Host != nil && (!(c.Host.Cores > 0) || min(c.Host.CallCPU, c.Host.EventCPU) < 0 || max(c.Host.CallCPU, c.Host.EventCPU) > day), "a host must have cores, and CPU times from 0 to a day"},
		{!(c.Function.Spread >= 0 && c.Function.Spread <= 1), "the spread must be from 0 to 1"},
	} {
		if rule.broken {
			return errors.New("plan: " + rule.say)
		}
	}
	if err := cmp.Or(checkRates(c.Load.Rates), c.Load.checkRecording(), c.Trouble.Check()); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	if c.Load.Arrivals == Bursts && c.Load.comes() {
		if err := c.Load.CheckBursts(); err != nil {
			return fmt.Errorf("plan: %w", err)
		}
	}
	switch messages := c.Load.messages(); {
	case messages+float64(c.Load.Backlog) > 1e15:
		return errors.New("plan: there must be at most 10^15 messages")
	case len(c.Load.Rates) > 0 && messages == 0:
		return fmt.Errorf("plan: within the %v of the load all rates are 0", c.Load.For)
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
