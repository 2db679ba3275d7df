// Package report shows what runs of an event stream did: a table for people,
// JSON for programs, a plot over time, a page that has it all, and a live line
// while a run lasts.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// A Run is what one run of the stream did. Its JSON has s.yaml's own names for
// the settings.
type Run struct {
	MaximumTasks        int    `json:"maximumTasks"`        // consumers
	Concurrency         int    `json:"concurrency"`         // calls in flight at a time
	CountBasedWindow    int    `json:"CountBasedWindow"`    // events
	TimeBasedWindow     int    `json:"TimeBasedWindow"`     // seconds
	ErrorsTolerance     string `json:"errorsTolerance"`     // ALL or NONE
	PushRetryStrategy   string `json:"PushRetryStrategy"`   // BACKOFF_RETRY or EXPONENTIAL_DECAY_RETRY
	InstanceConcurrency int    `json:"instanceConcurrency"` // calls in an instance at a time
	MemorySize          int    `json:"memorySize"`          // MB
	Timeout             int    `json:"timeout"`             // seconds
	EventSchema         string `json:"eventSchema"`         // CloudEvents or RawData

	// Set has the settings of --set that have no field above, by name. Without
	// them runs that differ only there could not be told apart.
	Set map[string]string `json:"set,omitempty"`

	Partitions     int `json:"partitions"`     // of the topic
	IdleTasks      int `json:"idleTasks"`      // tasks without a partition
	Instances      int `json:"instances"`      // created
	InstancesBound int `json:"instancesBound"` // ⌈concurrency / instanceConcurrency⌉
	PeakInFlight   int `json:"peakInFlight"`   // most calls in flight at a time

	// Every message produced is counted in one of the five after Produced.
	Produced     int64 `json:"produced"`
	Delivered    int64 `json:"delivered"`
	DeadLettered int64 `json:"deadLettered"`
	Discarded    int64 `json:"discarded"`
	Filtered     int64 `json:"filtered"` // held back by eventRuleFilterPattern
	Pending      int64 `json:"pending"`

	Redelivered int64 `json:"redelivered"` // messages delivered more than once
	Calls       int64 `json:"calls"`       // retries included
	Retries     int64 `json:"retries"`     // calls with a batch that had failed before

	EventsPerCall   float64   `json:"eventsPerCall"`
	EventsPerSecond float64   `json:"eventsPerSecond"`
	LatencyMs       LatencyMs `json:"latencyMs"` // from the record's time to the answer
	ColdStarts      int       `json:"coldStarts"`
	ColdStartMs     float64   `json:"coldStartMs"`  // milliseconds, mean per cold start
	PeakMemoryMB    float64   `json:"peakMemoryMB"` // of the largest instance, in units of 2^20 bytes; 0 if not measured
	WallSeconds     float64   `json:"wallSeconds"`

	// Stopped says which batch ended the stream, and why, with errorsTolerance
	// NONE.
	Stopped string `json:"stopped,omitempty"`

	// Samples are in order of time, the first at the start and the last at the
	// end of the run.
	Samples []Sample `json:"-"`
}

// LatencyMs is a distribution of latencies in milliseconds.
type LatencyMs struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// A Sample is the state of a run at a moment.
type Sample struct {
	At              time.Duration // since the start of the run
	Instances       int
	InFlight        int     // calls
	EventsPerSecond float64 // delivered, over the time since the sample before
	Lag             int64   // messages produced, but not finished
}

// JSON writes {"runs":[…]}. Numbers have three decimals at most; one that is not
// finite, like events per call without a call, is written as 0.
func JSON(w io.Writer, runs []Run) error {
	return writeJSON(w, runs, Run.rounded)
}

func writeJSON[R any](w io.Writer, runs []R, rounded func(R) R) error {
	document := struct {
		Runs []R `json:"runs"`
	}{make([]R, len(runs))}
	for i, run := range runs {
		document.Runs[i] = rounded(run)
	}
	return encode(w, document)
}

func encode(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// rounded returns the run with finite numbers of three decimals.
func (r Run) rounded() Run {
	round(
		&r.EventsPerCall, &r.EventsPerSecond,
		&r.LatencyMs.P50, &r.LatencyMs.P95, &r.LatencyMs.P99, &r.LatencyMs.Max,
		&r.ColdStartMs, &r.PeakMemoryMB, &r.WallSeconds,
	)
	return r
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

// Accounting checks that every message produced is delivered, dead-lettered,
// discarded, filtered or pending, and only one of them. The error says by how
// much it does not add up.
func Accounting(run Run) error {
	var sum int64
	var parts []string
	for _, part := range []struct {
		name  string
		count int64
	}{
		{"delivered", run.Delivered},
		{"dead-lettered", run.DeadLettered},
		{"discarded", run.Discarded},
		{"filtered", run.Filtered},
		{"pending", run.Pending},
	} {
		if part.count < 0 {
			return fmt.Errorf("the accounting does not add up: %d messages are %s", part.count, part.name)
		}
		sum += part.count
		parts = append(parts, fmt.Sprintf("%d %s", part.count, part.name))
	}
	if sum == run.Produced {
		return nil
	}
	off := fmt.Sprintf("%d missing", run.Produced-sum)
	if sum > run.Produced {
		off = fmt.Sprintf("%d too many", sum-run.Produced)
	}
	return fmt.Errorf("the accounting does not add up: of %d messages produced, %s: %s", run.Produced, strings.Join(parts, ", "), off)
}
