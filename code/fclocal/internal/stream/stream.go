// Package stream runs an event stream for real: records of a Kafka topic go
// through the rules of package trigger into processes of the function.
package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/deadletter"
	"fclocal/internal/debugger"
	"fclocal/internal/eventbridge"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/kafka"
	"fclocal/internal/pool"
	"fclocal/internal/race"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
)

// Options are the options of a stream.
type Options struct {
	Project *config.Project // with a trigger
	Rules   trigger.Config  // Project.Rules, and what is not in s.yaml
	Binary  string          // the function's program
	Args    []string        // its arguments
	Logs    string          // directory of the instances' logs

	// Group is the consumer group; "" is that of s.yaml with -fclocal behind it,
	// which takes no messages from production.
	Group string

	Debugger *debugger.Debugger // that instances run under, or nil
	Race     *race.Detector     // of the program, or nil

	CPU       instance.CPU  // what instances have of this machine
	EventTime time.Duration // how long a call keeps its slot for each of its events after the function has answered

	Trouble trouble.Trouble // what goes wrong on purpose, by the Seed of Rules

	// DeadLetters gets a letter for each event of a batch that has failed for good;
	// nil if there is no file for them.
	DeadLetters *deadletter.Writer

	// UntilIdle ends the stream when nothing has arrived and nothing was unfinished
	// for so long, and all that is in the topic then is finished; 0: it goes on until
	// it is drained, or, in RunEmbedded, until all that was produced is finished.
	UntilIdle time.Duration

	// UntilEnd ends the stream when what is in the topic at its start is finished.
	UntilEnd bool

	// BrokerTimeout is how long the cluster may be away.
	BrokerTimeout time.Duration

	// From, if not nil, is where the run begins in the topic. It is refused with Group.
	From *kafka.From

	// ReadUncommitted reads the records of transactions that are open or were aborted.
	ReadUncommitted bool

	version int // of the Deployment

	// Next, if not nil, waits for what the stream is to go on with. It is told why the
	// deployment before could not be used, if it could not. An error ends the stream.
	Next func(ctx context.Context, unusable error) (Deployment, error)

	// Drain, when closed, ends the making of calls; those in flight end. It may be
	// nil.
	Drain <-chan struct{}

	// Notice, if not nil, is told what a person would want to know: what fails no
	// call, or that the cluster is away.
	Notice func(string)

	// Progress, if not nil, is told what happens, ten times a second at first.
	Progress func(result.State)
}

// source is what RunEmbedded knows of the topic beside Options.
type source struct {
	load    result.Load
	ends    *ends    // how far the topic has been filled; nil if others fill it
	journal *journal // what earlier runs have delivered; may be nil
	sent    *sent    // when it was filled; may be nil

	deployed func() // is called when the stream goes on with something else; may be nil
}

// tell tells what has gone wrong and ends nothing.
func (o Options) tell(err error) {
	if o.Notice != nil {
		o.Notice(err.Error())
	}
}

func (o Options) group() string {
	if o.Group != "" {
		return o.Group
	}
	return o.own()
}

// own is the group that takes no messages from production.
func (o Options) own() string { return o.Project.Trigger.Kafka.ConsumerGroup + "-fclocal" }

// foreign reports whether the group is not that.
func (o Options) foreign() bool { return o.group() != o.own() }

// tasks are those that are started: more would have no partition.
func (o Options) tasks(partitions int) int {
	return min(o.Project.Trigger.MaximumTasks, partitions)
}

// converter makes the trigger's events.
func (o Options) converter() (*eventbridge.Converter, error) {
	return eventbridge.NewConverter(o.Project.EventOptions())
}

var errNotBegun = failure.New("interrupted before the stream began")

// instances are as many as may have to exist at a time.
func (o Options) instances() int {
	calls := min(o.Project.Function.InstanceConcurrency, o.Project.Function.InstanceSoftConcurrency)
	most := min((o.Project.Trigger.Concurrency+calls-1)/calls, o.Rules.MaxInstances)
	if o.Next != nil {
		most++ // beside one that is replaced
	}
	return most
}

// spec is that of every instance.
func (o Options) spec() instance.Spec {
	byTrigger := *o.Project
	byTrigger.Function.Timeout = byTrigger.Function.TriggerTimeout()
	return instance.Spec{
		Project: &byTrigger,
		Binary:  o.Binary,
		Args:    o.Args,
		Version: o.version,
		CodeDir: o.Project.CodeDirectory(o.Binary),
		Cores:   o.CPU.Cores(o.Project),

		Debugger: o.Debugger,
		Race:     o.Race,
	}
}

// Run runs the stream on a cluster until it ends, is drained or ctx ends. With
// ctx's end the calls in flight are lost, and delivered again by a next run. An
// error of a stream that has begun is a failure.
func Run(ctx context.Context, options Options, cluster kafka.Cluster) (result.Run, error) {
	beginning, begun := untilDrained(ctx, options.Drain)
	partitions, err := cluster.Partitions(beginning, options.Project.Trigger.Kafka.Topic)
	if beginning.Err() != nil {
		err = errNotBegun
	}
	begun()
	if err == nil {
		err = enoughFiles(options.tasks(partitions))
	}
	if err != nil {
		return result.Run{}, err
	}
	source := source{load: result.Load{Partitions: partitions}}
	if options.UntilEnd {
		topic, err := cluster.Look(ctx, options.Project.Trigger.Kafka.Topic, options.ReadUncommitted)
		if err != nil {
			return result.Run{}, err
		}
		source.ends = newEnds(topic.Ends())
		source.ends.finish()
	}
	return run(ctx, options, cluster, source)
}

func run(ctx context.Context, options Options, cluster kafka.Cluster, source source) (result.Run, error) {
	converter, err := options.converter()
	if err != nil {
		return result.Run{}, err
	}
	spec := options.spec()
	beginning, begun := untilDrained(ctx, options.Drain)
	host, err := instance.NewHost(beginning, spec, options.instances(), options.Notice)
	if beginning.Err() != nil {
		err = errNotBegun
	}
	begun()
	if err != nil {
		return result.Run{}, err
	}
	defer host.Close()
	t := options.Project.Trigger
	tasks := options.tasks(source.load.Partitions)
	begin, err := options.From.Offsets(ctx, cluster, t.Kafka.Topic)
	if err != nil {
		return result.Run{}, err
	}
	consumers, err := cluster.Consume(kafka.ConsumerOptions{
		Topic: t.Kafka.Topic, Group: options.group(), Tasks: tasks, OffsetReset: t.Kafka.OffsetReset,
		From: begin, Foreign: options.foreign(), ReadUncommitted: options.ReadUncommitted, BrokerTimeout: options.BrokerTimeout,
	})
	if err != nil {
		return result.Run{}, failure.Of(err)
	}
	e := &engine{
		Options:    options,
		source:     source,
		converter:  converter,
		model:      trigger.New(options.Rules),
		consumers:  consumers,
		begin:      time.Now(),
		inputs:     make(chan func() []trigger.Action, 64),
		deployed:   make(chan func() []trigger.Action),
		done:       make(chan struct{}),
		partitions: map[int32]*partition{},
		deliveries: map[int64]*delivery{},
		leaving:    map[trigger.InstanceID]bool{},
		left:       map[trigger.InstanceID]bool{},
		joined:     make([]bool, tasks),
		idle:       make([]bool, tasks),
		lives:      map[trigger.InstanceID]*time.Timer{},
		interval:   100 * time.Millisecond,
		pool:       pool.New(host, spec, pool.LogsIn(options.Logs)),
	}
	e.outer = ctx
	var cancel context.CancelFunc
	e.ctx, cancel = context.WithCancel(ctx)
	var following sync.WaitGroup
	if options.Next != nil {
		following.Go(func() { e.follow(options) })
	}
	err = e.run()
	e.lastLook()
	close(e.done)
	cancel()
	for _, life := range e.lives {
		life.Stop()
	}
	following.Wait()
	ended := e.pool.Close(ctx)
	races, raceErr := options.Race.Races()
	if err == nil && raceErr != nil {
		err = fmt.Errorf("what the race detector has found cannot be read: %w", raceErr)
	}
	e.totals.Races = races
	e.totals.Wall = time.Since(e.begin)
	e.totals.Idle = e.totals.Wall - e.worked
	// The second Ctrl-C ends the waiting, too. A cluster that has been waited for in vain is not waited for again.
	wait := closeTimeout
	if err != nil && e.away {
		wait = 0
	} else if e.away {
		e.notice("waiting for it for %v, to commit what is finished; Ctrl-C ends that at once", wait)
	}
	closing, stop := context.WithTimeout(ctx, wait)
	defer stop()
	if closeErr := consumers.Close(closing); err == nil {
		err = closeErr
	}
	e.summarize(ended)
	if ctx.Err() != nil {
		err = errors.New("stopped at once; what was in flight is delivered again by a next run")
	}
	return e.totals.Run(e.input()), failure.Of(err)
}
