// Package result holds what runs of an event stream did, in real or in virtual
// time, as data that know nothing of how they came to be or are shown.
package result

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"fclocal/internal/trigger"
)

// A Run is one run of the stream: what went in and what came out. Its JSON has
// s.yaml's own names for the settings.
type Run struct {
	Input

	Instances      int   `json:"instances"`        // created
	InstancesBound int   `json:"instancesBound"`   // most that all calls need, as long as none ends by itself
	PeakInstances  int   `json:"peakInstances"`    // most that existed at a time
	Crashes        int64 `json:"crashes"`          // instances that ended by themselves, or by a timeout or too much memory
	Killed         int64 `json:"killed,omitempty"` // instances that ended on purpose, not among Crashes
	PeakInFlight   int   `json:"peakInFlight"`     // most calls in flight at a time
	IdleTasks      int   `json:"idleTasks"`        // tasks without a partition

	Counts

	EventsPerCall   float64   `json:"eventsPerCall"`
	EventsPerSecond float64   `json:"eventsPerSecond"`
	LatencyMs       LatencyMs `json:"latencyMs"` // from the record's time, or the run's start if that is later, to the answer
	ColdStarts      int       `json:"coldStarts"`
	ColdStartMs     float64   `json:"coldStartMs"`  // milliseconds, mean per cold start
	PeakMemoryMB    float64   `json:"peakMemoryMB"` // of the largest instance, in units of 2^20 bytes; 0 if not measured
	WallSeconds     float64   `json:"wallSeconds"`

	LatencyByCause LatencyByCauseMs `json:"latencyByCauseMs"`

	Bill *Bill `json:"bill,omitempty"` // nil if it is not known
	Logs *Logs `json:"logs,omitempty"` // nil if s.yaml has no logConfig

	// CPUShare is how many vCPU instances used while they had a call or started,
	// their children included; 0 if that was not measured. CPULimit says how cpu was
	// kept, or why not; "" of a plan.
	CPUShare float64 `json:"cpuShare,omitempty"`
	CPULimit string  `json:"cpuLimit,omitempty"`
	Hooks    Hooks   `json:"hooks,omitempty"`

	// LagByPartition are the messages of a stream's partitions behind what is committed.
	LagByPartition map[int32]int64 `json:"lagByPartition,omitempty"`

	*Plan // what only a plan tells; nil for a stream

	Failures Failures `json:"failures,omitempty"` // of attempts, by kind
	Races    []Race   `json:"races,omitempty"`    // of the function, where it has the race detector

	Usage []trigger.Usage `json:"-"` // what is billed, by the hours of the run

	// Stopped says which batch ended the stream, and why, with errorsTolerance
	// NONE.
	Stopped string `json:"stopped,omitempty"`

	// Samples are in order of time, the first at the start and the last at the
	// end of the run.
	Samples []Sample `json:"-"`
}

// Counts are what became of the messages, and the calls that it took.
type Counts struct {
	// Every message produced is counted in one of the seven after Produced.
	Produced     int64 `json:"produced"` // those that were in the topic at the start included
	Delivered    int64 `json:"delivered"`
	DeadLettered int64 `json:"deadLettered"`
	Discarded    int64 `json:"discarded"`
	Filtered     int64 `json:"filtered"` // held back by eventRuleFilterPattern
	Pending      int64 `json:"pending"`  // without an end, fetched or not

	// TakenByOthers had another member of the consumer group, and Lost were deleted
	// before they could be read.
	TakenByOthers int64 `json:"takenByOthers"`
	Lost          int64 `json:"lost"`

	// Skipped are offsets without a message, and not among Produced: markers of
	// transactions, aborted and compacted records.
	Skipped int64 `json:"skipped"`

	Redelivered   int64 `json:"redelivered"` // messages delivered more than once
	Calls         int64 `json:"calls"`       // retries included
	Retries       int64 `json:"retries"`     // calls with a batch that had failed before
	Throttled     int64 `json:"throttled"`   // attempts that FC answers with 429
	EventsInCalls int64 `json:"-"`           // retries included
}

// Check returns an error unless every message produced is delivered, dead-lettered,
// discarded, filtered, pending, taken by others or lost, and only one of them. It says by
// how much the counts do not add up.
func (c Counts) Check() error {
	var sum int64
	var parts []string
	for i, part := range []struct {
		name  string
		count int64
	}{
		{"delivered", c.Delivered},
		{"dead-lettered", c.DeadLettered},
		{"discarded", c.Discarded},
		{"filtered", c.Filtered},
		{"pending", c.Pending},
		{"taken by others", c.TakenByOthers},
		{"lost", c.Lost},
	} {
		if part.count < 0 {
			return fmt.Errorf("the accounting does not add up: %d messages are %s", part.count, part.name)
		}
		sum += part.count
		if i > 4 && part.count == 0 {
			continue // there are none as a rule
		}
		parts = append(parts, fmt.Sprintf("%d %s", part.count, part.name))
	}
	if sum == c.Produced {
		return nil
	}
	off := fmt.Sprintf("%d missing", c.Produced-sum)
	if sum > c.Produced {
		off = fmt.Sprintf("%d too many", sum-c.Produced)
	}
	return errors.New("the accounting does not add up: of " + fmt.Sprint(c.Produced) + " messages produced, " + strings.Join(parts, ", ") + ": " + off)
}

// Logs are what the function writes into its logs.
type Logs struct {
	Bytes *int64 `json:"bytes"` // nil if it is not known
}

// A Plan is what a run in virtual time tells beside what every run does.
type Plan struct {
	LagEnd       int64   `json:"lagEnd"`       // messages, at the end of the load
	LagMax       int64   `json:"lagMax"`       // messages
	LagMean      float64 `json:"lagMean"`      // messages, over all of the run
	KeepsUp      bool    `json:"keepsUp"`      // the lag does not grow (of a backlog alone: it is finished), 99 % are delivered and the memory is enough
	DrainSeconds float64 `json:"drainSeconds"` // from the end of the load until all is finished; 0 if it stopped

	InstanceHours float64 `json:"instanceHours"` // idle ones included

	// SimulatedSeconds is how much of a steady load was simulated until its figures
	// stood; what is left of it is taken to be like that. 0: all was simulated.
	SimulatedSeconds float64 `json:"simulatedSeconds,omitempty"`

	// Of several seeds: the ranges of what chance decides, by the names of the figures (p99,
	// bill), and each seed's. The prices are those of Run.Charges. Rank is the place in a
	// sorted list, from 1 on, the same where ranges overlap.
	Range   map[string]Interval `json:"range,omitempty"`
	Seeds   []SeedRun           `json:"seeds,omitempty"`
	Rank    int                 `json:"rank,omitempty"`
	OfSeeds []Run               `json:"-"` // the runs themselves; nil of a single one

	// Advice says what limits the run and which setting to change; may be empty.
	Advice string `json:"advice,omitempty"`
}

// A Sample is the state of a run at a moment.
type Sample struct {
	At              time.Duration // since the start of the run
	Instances       int
	InFlight        int     // calls
	EventsPerSecond float64 // delivered, over the time since the sample before
	Lag             int64   // messages produced, but not finished; of a plan the mean since the sample before
}

// Totals are what a driver has counted, beside the figures of the model itself.
type Totals struct {
	trigger.Stats
	Produced int64
	Filtered int64
	Pending  int64 // messages without an end, fetched or not

	TakenByOthers  int64
	Lost           int64
	Skipped        int64
	LagByPartition map[int32]int64
	Usage          []trigger.Usage

	IdleTasks     int
	EventsInCalls int64 // retries included
	Latencies     Latencies
	ColdStarts    int
	ColdStartTime time.Duration // of all of them
	PeakMemory    int64         // bytes, of the largest instance; 0 if it was not measured
	CPUShare      float64       // see Run
	Logs          *Logs         // see Run
	CPULimit      string
	Hooks         Hooks
	Wall          time.Duration
	Idle          time.Duration // of Wall, in which there was nothing to do
	Crashes       int64
	Killed        int64 // see Run
	Failures      Failures
	Races         []Race
	Samples       []Sample

	// Stopped says which batch has stopped the stream, and why; "" if none has.
	Stopped string
}

// Run makes a run of what went in and what was counted.
func (t Totals) Run(in Input) Run {
	return Run{
		Input:          in,
		Instances:      int(t.InstancesCreated),
		InstancesBound: in.Settings.instancesBound(),
		PeakInstances:  t.PeakInstances,
		PeakInFlight:   t.PeakInFlight,
		Crashes:        t.Crashes,
		Killed:         t.Killed,
		Failures:       t.Failures,
		Races:          t.Races,
		LagByPartition: t.LagByPartition,
		IdleTasks:      t.IdleTasks,
		Counts: Counts{
			Produced:      t.Produced,
			Delivered:     t.Delivered,
			DeadLettered:  t.DeadLettered,
			Discarded:     t.Discarded,
			Filtered:      t.Filtered,
			Pending:       t.Pending,
			TakenByOthers: t.TakenByOthers,
			Lost:          t.Lost,
			Skipped:       t.Skipped,
			Redelivered:   t.Redelivered,
			Calls:         t.Calls,
			Retries:       t.Retries,
			Throttled:     t.Throttled,
			EventsInCalls: t.EventsInCalls,
		},
		EventsPerCall:   float64(t.EventsInCalls) / float64(t.Calls),
		EventsPerSecond: float64(t.Delivered) / (t.Wall - t.Idle).Seconds(),
		LatencyMs:       t.Latencies.Milliseconds(),
		LatencyByCause:  t.Latencies.ByCause(),
		ColdStarts:      t.ColdStarts,
		ColdStartMs:     milliseconds(t.ColdStartTime) / float64(max(1, t.ColdStarts)),
		PeakMemoryMB:    float64(t.PeakMemory) / (1 << 20),
		WallSeconds:     t.Wall.Seconds(),
		CPUShare:        t.CPUShare,
		Logs:            t.Logs,
		CPULimit:        t.CPULimit,
		Hooks:           t.Hooks,
		Stopped:         t.Stopped,
		Usage:           t.Usage,
		Samples:         t.Samples,
	}
}

// instancesBound is ⌈concurrency / instanceConcurrency⌉, and one more if the last of
// these has more calls than instanceSoftConcurrency then.
func (s Settings) instancesBound() int {
	each, soft := s.whole("instanceConcurrency"), s.whole("instanceSoftConcurrency")
	if each == 0 {
		return 0
	}
	if soft == 0 {
		soft = each
	}
	return (s.whole("concurrency") + each - soft + each - 1) / each
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
