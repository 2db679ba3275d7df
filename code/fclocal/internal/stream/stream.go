// Package stream runs an event stream for real: records of a Kafka topic go
// through the rules of package trigger into processes of the function.
package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/instance"
	"fclocal/internal/kafka"
	"fclocal/internal/report"
	"fclocal/internal/runtimeapi"
	"fclocal/internal/trigger"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Options are the options of [Run].
type Options struct {
	Project *config.Project
	Rules   trigger.Config
	Events  *kafka.Events
	Cluster kafka.Cluster
	Group   string

	Binary  string // the function's program
	CodeDir string
	Logs    string // directory of the instances' logs

	// EventTime is how long a call keeps its slot for each of its events after
	// the function has answered.
	EventTime time.Duration

	// DeadLetters gets a JSON line for each event of a batch that has failed
	// for good; nil if there is no file for them.
	DeadLetters io.Writer

	// Journal, if not nil, tells what earlier runs have delivered.
	Journal *Journal

	// Produced says how far the topic has been filled; nil if others fill it.
	Produced *Produced

	// Backlog says that records which are older than the stream have waited for it:
	// their latency counts from its start.
	Backlog bool

	// UntilIdle ends the stream when nothing has arrived and nothing was
	// unfinished for so long; 0: it goes on until it is drained, or, with
	// Produced, until all that was produced is finished.
	UntilIdle time.Duration

	// Drain, when closed, ends the making of calls; those in flight end.
	Drain <-chan struct{}

	// Progress is told what happens, ten times a second at first.
	Progress func(report.State)
}

// A Result is what a stream has done.
type Result struct {
	trigger.Stats
	Partitions int
	IdleTasks  int
	Produced   int64 // records, those that were there at the start included
	Filtered   int64 // records that eventRuleFilterPattern has held back
	Pending    int64 // records without an end, fetched or not

	EventsInCalls int64 // retries included
	Latencies     report.Latencies
	ColdStarts    int
	ColdStartSum  time.Duration
	PeakMemory    int64 // bytes, of the largest instance
	Wall          time.Duration
	Samples       []report.Sample

	// Stopped says which batch has stopped the stream, and why; "" if none has.
	Stopped string
}

// samplesAtMost bounds the memory of Result.Samples: beyond it, they are taken
// half as often.
const samplesAtMost = 2000

// Run runs the stream until it ends, is drained or ctx ends. With ctx's end the
// calls in flight are lost, and delivered again by a next run.
func Run(ctx context.Context, options Options) (Result, error) {
	server, err := runtimeapi.Listen()
	if err != nil {
		return Result{}, err
	}
	defer server.Close()
	consumers, err := options.Cluster.Consume(kafka.ConsumerOptions{
		Topic:       options.Project.Trigger.Kafka.Topic,
		Group:       options.Group,
		Tasks:       options.Project.Trigger.MaximumTasks,
		OffsetReset: options.Project.Trigger.Kafka.OffsetReset,
	})
	if err != nil {
		return Result{}, err
	}
	e := &engine{
		Options:    options,
		model:      trigger.New(options.Rules),
		consumers:  consumers,
		begin:      time.Now(),
		inputs:     make(chan func() []trigger.Action, 64),
		done:       make(chan struct{}),
		partitions: map[int32]*partition{},
		deliveries: map[int64]*delivery{},
		joined:     make([]bool, options.Project.Trigger.MaximumTasks),
		idle:       make([]bool, options.Project.Trigger.MaximumTasks),
		interval:   100 * time.Millisecond,
		pool: pool{
			server:    server,
			logs:      options.Logs,
			instances: map[trigger.InstanceID]*pooled{},
			spec: instance.Spec{
				Project: options.Project,
				Binary:  options.Binary,
				CodeDir: options.CodeDir,
			},
		},
	}
	var cancel context.CancelFunc
	e.ctx, cancel = context.WithCancel(ctx)
	err = e.run()
	close(e.done)
	cancel()
	e.pool.close()
	e.result.Wall = time.Since(e.begin)
	e.summarize()
	closing, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	if closeErr := consumers.Close(closing); err == nil && ctx.Err() == nil {
		err = closeErr
	}
	return e.result, err
}

type engine struct {
	Options
	model     *trigger.Model
	consumers *kafka.Consumers
	pool      pool
	ctx       context.Context
	begin     time.Time
	inputs    chan func() []trigger.Action // what calls and instances report
	done      chan struct{}                // closed when no more inputs are taken

	partitions map[int32]*partition
	deliveries map[int64]*delivery // by the batch's ID
	joined     []bool              // tasks that have been told their partitions
	idle       []bool              // of those, the ones without any
	paused     bool
	draining   bool
	active     time.Time // when something last arrived or was unfinished
	result     Result
	again      int64 // records that an earlier run had delivered

	eventBytes int // of an event, about

	interval time.Duration // between samples
	sampled  int64         // events delivered at the last sample
}

// partition is what is known of a partition over all its owners.
type partition struct {
	start    int64   // the offset of the first assignment
	next     int64   // after the last record that has arrived
	position int64   // committed, or where its owner began
	buffer   *buffer // of its owner
}

// delivery holds what a batch's calls need, whoever owns its partitions by now.
type delivery struct {
	batch   *trigger.Batch
	buffers []*buffer // of each of the batch's runs
}

func (e *engine) now() time.Duration { return time.Since(e.begin) }

// report hands an input over, unless the stream has ended.
func (e *engine) report(input func() []trigger.Action) {
	select {
	case e.inputs <- input:
	case <-e.done:
	}
}

func (e *engine) run() error {
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	sample := time.NewTicker(e.interval)
	defer sample.Stop()
	drain := e.Drain
	e.active = e.begin
	e.sample()
	for !e.ended() {
		if at, ok := e.model.NextWake(); ok {
			wake.Reset(at - e.now())
		} else {
			wake.Reset(time.Hour)
		}
		var actions []trigger.Action
		var err error
		select {
		case event := <-e.consumers.Events():
			actions, err = e.handle(event)
			if err == nil {
				err = e.perform(actions)
			}
			event.Done()
			actions = nil
		case input := <-e.inputs:
			actions = input()
		case <-wake.C:
			actions = e.model.Advance(e.now())
		case <-sample.C:
			if e.sample() {
				sample.Reset(e.interval)
			}
		case <-drain:
			drain = nil
			e.draining = true
			actions = e.model.Drain(e.now())
		case <-e.ctx.Done():
			return e.ctx.Err()
		}
		if err == nil {
			err = e.perform(actions)
		}
		if err != nil {
			return err
		}
		e.pace()
	}
	e.sample()
	return nil
}

// ended reports whether there is nothing more to do.
func (e *engine) ended() bool {
	stats := e.model.Stats()
	if e.draining || e.result.Stopped != "" {
		return stats.InFlight == 0
	}
	if stats.Pending > 0 || stats.InFlight > 0 || slices.Contains(e.joined, false) { // the last: the group is forming
		e.active = time.Now()
		return false
	}
	if e.UntilIdle > 0 {
		return time.Since(e.active) >= e.UntilIdle
	}
	if e.Produced == nil {
		return false
	}
	ends, all := e.Produced.ends()
	if !all {
		return false
	}
	for id, end := range ends {
		if p := e.partitions[id]; p == nil || p.position < end {
			return false
		}
	}
	return true
}

// pace holds records back while batches wait for their turn.
func (e *engine) pace() {
	backlogged := false
	for task := range e.idle {
		backlogged = backlogged || e.model.Backlogged(task)
	}
	if backlogged == e.paused {
		return
	}
	e.paused = backlogged
	for task := range e.idle {
		if backlogged {
			e.consumers.Pause(task)
		} else {
			e.consumers.Resume(task)
		}
	}
}

// handle tells the model what has happened to a task. The actions of all but
// the last of several inputs are performed here.
func (e *engine) handle(event kafka.Event) (actions []trigger.Action, err error) {
	switch event.Kind {
	case kafka.Assigned:
		e.joined[event.Task], e.idle[event.Task] = true, len(event.Partitions) == 0
		for _, at := range event.Partitions {
			p := e.partitions[at.Partition]
			if p == nil {
				p = &partition{start: at.Offset, next: at.Offset}
				e.partitions[at.Partition] = p
			}
			p.position = at.Offset
			p.buffer = &buffer{}
			if err := e.perform(e.model.Assign(e.now(), event.Task, at.Partition, at.Offset)); err != nil {
				return nil, err
			}
			if at.Reset { // a next run goes on here, and not where OffsetReset has got to by then
				e.consumers.Commit(event.Task, map[int32]int64{at.Partition: at.Offset})
			}
		}
	case kafka.Revoked:
		e.joined[event.Task] = false
		ids := slices.Collect(maps.Keys(e.partitions)) // those of other tasks are passed over
		actions = e.model.Revoke(e.now(), event.Task, ids...)
	case kafka.Records:
		e.active = time.Now()
		return e.model.Arrive(e.now(), e.arrivals(event.Records)...), nil
	case kafka.Failed:
		return nil, event.Err
	}
	return actions, nil
}

// arrivals makes events of records and keeps them.
func (e *engine) arrivals(records []*kgo.Record) []trigger.Arrival {
	arrivals := make([]trigger.Arrival, 0, len(records))
	events := make([]byte, 0, len(records)*e.eventBytes) // grown, it would be kept along with what it was before
	for _, r := range records {
		p := e.partitions[r.Partition]
		if p == nil {
			continue
		}
		fresh := r.Offset >= p.next
		p.next = max(p.next, r.Offset+1)
		if !e.Events.Pass(r) {
			if fresh {
				e.result.Filtered++
			}
			arrivals = append(arrivals, trigger.Arrival{Run: trigger.Run{Partition: r.Partition, FirstOffset: r.Offset + 1}})
			continue
		}
		start := len(events)
		events = e.Events.Append(events, r)
		event := events[start:len(events):len(events)]
		p.buffer.add(r.Offset, r.Timestamp, event)
		if n := len(arrivals) - 1; n >= 0 && arrivals[n].Partition == r.Partition && arrivals[n].Count > 0 &&
			arrivals[n].FirstOffset+int64(arrivals[n].Count) == r.Offset && arrivals[n].EventBytes == len(event) {
			arrivals[n].Count++
			continue
		}
		arrivals = append(arrivals, trigger.Arrival{
			Run:        trigger.Run{Partition: r.Partition, FirstOffset: r.Offset, Count: 1},
			EventBytes: len(event),
		})
	}
	e.eventBytes = len(events)/max(1, len(records)) + 16
	return arrivals
}

// perform carries out what the model has answered.
func (e *engine) perform(actions []trigger.Action) error {
	commits := map[int]map[int32]int64{}
	for _, action := range actions {
		switch a := action.(type) {
		case trigger.CreateInstance:
			e.pool.create(a.Instance, func(err error) {
				e.report(func() []trigger.Action { return e.model.InstanceEnded(e.now(), a.Instance, err) })
			})
		case trigger.RemoveInstance:
			go e.pool.stop(a.Instance)
		case trigger.StartCall:
			e.startCall(a)
		case trigger.Delivered:
			now := time.Now()
			e.each(a.Batch, func(r stored) error {
				from := r.time
				if e.Backlog && from.Before(e.begin) {
					from = e.begin
				}
				e.result.Latencies.Record(now.Sub(from), 1)
				return nil
			})
			if e.Journal != nil {
				again, err := e.Journal.delivered(a.Batch)
				if err != nil {
					return fmt.Errorf("what was delivered cannot be noted: %w", err)
				}
				e.again += again
			}
			e.finish(a.Batch)
		case trigger.DeadLetter:
			if err := e.deadLetter(a); err != nil {
				return err
			}
			e.finish(a.Batch)
		case trigger.Discard:
			e.finish(a.Batch)
		case trigger.Commit:
			if commits[a.Task] == nil {
				commits[a.Task] = map[int32]int64{}
			}
			commits[a.Task][a.Partition] = a.Offset
			e.partitions[a.Partition].position = a.Offset
		case trigger.Stop:
			e.result.Stopped = fmt.Sprintf("%s failed %d times, the last time with %v", describe(a.Batch), a.Attempts, a.Err)
		}
	}
	for task, next := range commits {
		e.consumers.Commit(task, next)
	}
	return nil
}

// describe names a batch by its records.
func describe(batch *trigger.Batch) string {
	first := batch.Runs[0]
	text := fmt.Sprintf("the batch of %d events from partition %d, offset %d", batch.Records, first.Partition, first.FirstOffset)
	if len(batch.Runs) > 1 {
		text += fmt.Sprintf(" (%d runs)", len(batch.Runs))
	}
	return text
}

// delivery returns a batch's state. A batch that has lost a partition to another
// owner since its last call comes with fewer runs.
func (e *engine) delivery(batch *trigger.Batch) *delivery {
	d := e.deliveries[batch.ID]
	if d == nil {
		d = &delivery{}
		e.deliveries[batch.ID] = d
	}
	if d.batch != batch {
		kept := map[trigger.Run]*buffer{}
		if d.batch != nil {
			for i, run := range d.batch.Runs {
				kept[run] = d.buffers[i]
			}
		}
		d.batch, d.buffers = batch, nil
		for _, run := range batch.Runs {
			b := kept[run]
			if b == nil {
				b = e.partitions[run.Partition].buffer
			}
			d.buffers = append(d.buffers, b)
		}
	}
	return d
}

// each calls f for every record of the batch, in the payload's order.
func (e *engine) each(batch *trigger.Batch, f func(stored) error) error {
	d := e.delivery(batch)
	for i, run := range batch.Runs {
		for _, r := range d.buffers[i].run(run) {
			if err := f(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish lets go of a batch's events.
func (e *engine) finish(batch *trigger.Batch) {
	d := e.delivery(batch)
	for i, run := range batch.Runs {
		d.buffers[i].finish(run)
	}
	delete(e.deliveries, batch.ID)
}

func (e *engine) startCall(a trigger.StartCall) {
	payload := make([]byte, 0, a.Batch.Bytes)
	payload = append(payload, '[')
	e.each(a.Batch, func(r stored) error {
		payload = append(append(payload, r.event...), ',')
		return nil
	})
	payload[len(payload)-1] = ']'
	e.result.EventsInCalls += int64(a.Batch.Records)
	hold := e.EventTime * time.Duration(a.Batch.Records)
	requestID := "1-" + strconv.FormatInt(e.begin.UnixNano(), 16) + "-" + strconv.FormatInt(int64(a.Call), 10)
	go func() {
		initTime, err := e.pool.call(e.ctx, a.Instance, requestID, payload, hold)
		gone := err != nil && e.pool.gone(a.Instance)
		e.report(func() []trigger.Action {
			e.coldStart(a.Instance, initTime)
			if gone { // the retry must not meet it again
				return e.model.InstanceEnded(e.now(), a.Instance, err)
			}
			return e.model.CallEnded(e.now(), a.Call, err)
		})
	}()
}

// coldStart counts an instance's start with its first call.
func (e *engine) coldStart(id trigger.InstanceID, took time.Duration) {
	if took == 0 || e.pool.counted(id) {
		return
	}
	e.result.ColdStarts++
	e.result.ColdStartSum += took
}

// deadLetter writes the batch's events, each on a line of its own: whether the
// platform makes one dead letter of a batch or several is not documented.
func (e *engine) deadLetter(a trigger.DeadLetter) error {
	if e.DeadLetters == nil {
		return nil
	}
	return e.each(a.Batch, func(r stored) error {
		line, err := json.Marshal(struct {
			Event    json.RawMessage `json:"event"`
			Error    string          `json:"error"`
			Attempts int             `json:"attempts"`
			Time     time.Time       `json:"time"`
		}{r.event, a.Err.Error(), a.Attempts, time.Now().UTC()})
		if err == nil {
			_, err = e.DeadLetters.Write(append(line, '\n'))
		}
		if err != nil {
			return fmt.Errorf("a dead letter cannot be written: %w", err)
		}
		return nil
	})
}

// sample records a moment for the plot and tells Progress; it reports whether
// the interval has changed.
func (e *engine) sample() (changed bool) {
	stats := e.model.Stats()
	now, rate := e.now(), 0.0
	if n := len(e.result.Samples); n > 0 {
		rate = float64(stats.Delivered-e.sampled) / (now - e.result.Samples[n-1].At).Seconds()
	}
	e.sampled = stats.Delivered
	produced := e.produced()
	lag := produced - (stats.Delivered + stats.DeadLettered + stats.Discarded + e.result.Filtered)
	e.result.Samples = append(e.result.Samples, report.Sample{
		At: now, Instances: stats.Instances, InFlight: stats.InFlight, EventsPerSecond: rate, Lag: lag,
	})
	if len(e.result.Samples) > samplesAtMost {
		half := e.result.Samples[:0]
		for i := 1; i < len(e.result.Samples); i += 2 {
			s := e.result.Samples[i]
			s.EventsPerSecond = (s.EventsPerSecond + e.result.Samples[i-1].EventsPerSecond) / 2
			half = append(half, s)
		}
		e.result.Samples = half
		e.interval *= 2
		changed = true
	}
	if e.Progress != nil {
		e.Progress(report.State{
			Produced: produced, Delivered: stats.Delivered, InFlight: stats.InFlight, Instances: stats.Instances,
			EventsPerSecond: e.recentRate(), Lag: lag, Retries: stats.Retries,
		})
	}
	return changed
}

// recentRate is in events per second, over the last ten samples: calls that end
// in waves would have it flicker.
func (e *engine) recentRate() (rate float64) {
	recent := e.result.Samples[max(0, len(e.result.Samples)-10):]
	for _, s := range recent {
		rate += s.EventsPerSecond / float64(len(recent))
	}
	return rate
}

// produced is the number of records from where the stream began.
func (e *engine) produced() (n int64) {
	ends := map[int32]int64{}
	for id, p := range e.partitions {
		ends[id] = p.next
	}
	if e.Produced != nil {
		known, _ := e.Produced.ends()
		maps.Copy(ends, known)
	}
	for id, end := range ends {
		if p := e.partitions[id]; p != nil {
			n += max(end, p.next) - p.start
		}
	}
	return n
}

func (e *engine) summarize() {
	e.result.Stats = e.model.Stats()
	e.result.Redelivered += e.again
	e.result.Partitions = len(e.partitions)
	e.result.Produced = e.produced()
	e.result.PeakMemory = e.pool.peakMemory()
	for _, idle := range e.idle {
		if idle {
			e.result.IdleTasks++
		}
	}
	arrived := int64(0)
	for _, p := range e.partitions {
		arrived += p.next - p.start
	}
	e.result.Pending = e.result.Stats.Pending + e.result.Produced - arrived
}
