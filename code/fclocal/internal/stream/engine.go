package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fclocal/internal/eventbridge"
	"fclocal/internal/instance"
	"fclocal/internal/kafka"
	"fclocal/internal/pool"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
)

// An engine is a stream that runs: a loop that tells the model what happens, and
// does what it answers. Only the loop touches what is in it, but for the pool.
type engine struct {
	Options
	source    source
	converter *eventbridge.Converter
	model     *trigger.Model
	consumers *kafka.Consumers
	pool      *pool.Pool
	ctx       context.Context
	outer     context.Context // ends only when all is to end at once
	begin     time.Time
	inputs    chan func() []trigger.Action // what calls and instances report
	deployed  chan func() []trigger.Action // is received only by who carries it out
	done      chan struct{}                // closed when no more inputs are taken

	partitions map[int32]*partition
	deliveries map[int64]*delivery                // by the batch's ID
	lives      map[trigger.InstanceID]*time.Timer // of the instances that are to be killed, until they are gone
	joined     []bool                             // tasks that have been told their partitions
	idle       []bool                             // of those, the ones without any
	paused     bool
	draining   bool

	topic     kafka.Topic     // as of the last look
	ends      map[int32]int64 // of the topic, as of the first look, which is at the start
	committed map[int32]int64 // by the group, at the end, if it matters
	away      bool            // the cluster
	grown     time.Time       // when partitions have last come to the topic
	formed    bool            // the group has been complete
	expelled  bool            // it is not, as a task has lost its place in it
	forming   time.Time       // since when it is not
	told      time.Time       // when it was last told that it is not

	counted time.Time     // when the time of work was last added to
	worked  time.Duration // in which there was work
	rest    time.Duration // since there was work

	active     time.Time // when something last arrived or was unfinished
	totals     result.Totals
	neverReady int // instances that ended before they took a call

	leaving map[trigger.InstanceID]bool // instances that a call has found gone
	left    map[trigger.InstanceID]bool // those that have told so themselves
	fatal   error                       // that ends the stream; nil while it goes on
	again   int64                       // records that an earlier run had delivered

	eventBytes int // of an event, about

	interval time.Duration // between samples
	sampled  int64         // events delivered at the last sample
}

// partition is what is known of a partition over all its owners.
type partition struct {
	start    int64 // the offset of the first assignment
	next     int64 // after the last record that has arrived
	position int64 // to be committed, or where its owner began
	begun    int64 // where its owner began
	owned    bool  // by one of the tasks

	// Of its owner.
	task     int
	read     int64 // up to which it knows what there is
	buffer   *buffer
	lookedAt int64 // read at the last look
	probing  bool
}

// delivery holds what a batch's calls need, whoever owns its partitions by now.
type delivery struct {
	batch   *trigger.Batch
	buffers []*buffer // of each of the batch's ranges

	waited time.Duration // of the last call that ended, until its instance was ready
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
	e.active, e.counted = e.begin, e.begin
	e.sample()
	for !e.over() {
		if at, ok := e.model.NextWake(); ok {
			wake.Reset(at - e.now())
		} else {
			wake.Reset(time.Hour)
		}
		var actions []trigger.Action
		var err error
		select {
		case update := <-e.consumers.Updates():
			actions, err = e.handle(update)
			if err == nil {
				err = e.perform(actions)
			}
			update.Done()
			actions = nil
		case input := <-e.inputs:
			actions = input()
		case deploy := <-e.deployed:
			actions = deploy()
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
		if err == nil {
			err = e.fatal
		}
		if err != nil {
			return err
		}
		e.pace()
	}
	e.sample()
	return nil
}

// over reports whether there is nothing more to do.
func (e *engine) over() bool {
	for id := range e.leaving {
		if !e.left[id] {
			return false // why is told in a moment
		}
	}
	clear(e.leaving)
	stats := e.model.Stats()
	forming := slices.Contains(e.joined, false) // the group
	working := stats.Pending > 0 || stats.InFlight > 0
	e.form(forming)
	e.count(working && !forming)
	if working || forming || e.away {
		e.active = time.Now()
	}
	if e.draining || e.totals.Stopped != "" {
		return stats.InFlight == 0
	}
	if working || forming || e.away {
		return false
	}
	if e.UntilIdle > 0 {
		up := e.active.Add(e.UntilIdle)
		return !time.Now().Before(up) && e.readAll(up)
	}
	if e.source.ends == nil {
		return false
	}
	ends, all := e.source.ends.known()
	return all && e.readTo(ends)
}

// ended counts an instance that has ended by itself. One that did not even start ends
// the stream: its batches would fail all their retries for nothing.
func (e *engine) ended(err error) {
	if failed, is := errors.AsType[pool.StartError](err); is {
		e.fatal = failed.Err
	}
	crash, is := errors.AsType[*instance.FunctionError](err)
	if !is {
		return
	}
	e.totals.Crashes++
	if !crash.NeverReady || e.totals.ColdStarts > 0 {
		return
	}
	if e.neverReady++; e.neverReady == hopeless {
		e.fatal = fmt.Errorf("the function does not start: %s", crash.Message)
	}
}

// hopeless is after how many instances that ended before they took a call, and none
// that took one, the stream gives up.
const hopeless = 3

// kill ends an instance on purpose, unless it is gone.
func (e *engine) kill(id trigger.InstanceID) []trigger.Action {
	if !e.spare(id) {
		return nil
	}
	e.totals.Killed++
	go e.pool.Kill(id)
	return e.model.InstanceEnded(e.now(), id, trouble.ErrKilled)
}

// spare lets an instance live on, or be gone, and says whether it was still to be killed.
func (e *engine) spare(id trigger.InstanceID) bool {
	life := e.lives[id]
	if life == nil {
		return false
	}
	life.Stop()
	delete(e.lives, id)
	return true
}

// failed counts an attempt that has failed.
func (e *engine) failed(err error) {
	if onPurpose, is := errors.AsType[*trouble.Error](err); is {
		e.totals.Failures.AddOnPurpose(onPurpose)
		return
	}
	var function *instance.FunctionError
	kind, text := "error", err.Error()
	switch {
	case errors.As(err, &function):
		kind, text = function.Type, function.Message
	case errors.Is(err, trigger.ErrThrottled):
		kind = "429"
	case errors.Is(err, trigger.ErrTooLarge):
		kind = "too large"
	}
	e.totals.Failures.Add(kind, text)
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
func (e *engine) handle(u kafka.Update) (actions []trigger.Action, err error) {
	switch u.Kind {
	case kafka.Assigned:
		e.joined[u.Task], e.idle[u.Task] = true, len(u.Partitions) == 0
		for _, at := range u.Partitions {
			before := e.model.Stats().Settled
			actions := e.model.Assign(e.now(), u.Task, at.Partition, at.Offset)
			e.assigned(u.Task, at, e.model.Stats().Settled-before)
			if err := e.perform(actions); err != nil {
				return nil, err
			}
			if at.Reset { // a next run goes on here, and not where OffsetReset has got to by then
				e.consumers.Commit(u.Task, map[int32]int64{at.Partition: at.Offset})
			}
		}
	case kafka.Revoked:
		e.joined[u.Task] = false
		e.expelled = e.expelled || u.Lost
		var ids []int32
		for id, p := range e.partitions {
			if p.owned && p.task == u.Task {
				p.owned = false
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		actions = e.model.Revoke(e.now(), u.Task, ids...)
	case kafka.Records:
		e.active = time.Now()
		now := e.now()
		return e.model.Arrive(now, e.arrivals(now, u.Records, u.Starts)...), nil
	case kafka.Looked:
		return nil, e.looked(u.Topic)
	case kafka.Away:
		e.wentAway(u.Err)
	case kafka.Back:
		e.cameBack()
	case kafka.Noticed:
		e.notice("%s", u.Text)
	case kafka.Failed:
		return nil, u.Err
	}
	return actions, nil
}

// perform carries out what the model has answered.
func (e *engine) perform(actions []trigger.Action) error {
	commits := map[int]map[int32]int64{}
	for _, action := range actions {
		switch a := action.(type) {
		case trigger.CreateInstance:
			e.pool.Create(a.Instance, func() {
				e.report(func() []trigger.Action { return e.model.InstanceReady(e.now(), a.Instance) })
			}, func(err error) {
				e.report(func() []trigger.Action {
					e.spare(a.Instance)
					e.left[a.Instance] = true
					e.ended(err)
					return e.model.InstanceEnded(e.now(), a.Instance, err)
				})
			})
			if life, ends := e.Trouble.Life(e.Rules.Seed, a.Instance); ends {
				e.lives[a.Instance] = time.AfterFunc(life, func() {
					e.report(func() []trigger.Action { return e.kill(a.Instance) })
				})
			}
		case trigger.RemoveInstance:
			e.spare(a.Instance)
			go e.pool.Retire(e.outer, a.Instance)
		case trigger.StartCall:
			e.startCall(a)
		case trigger.Retry:
			e.failed(a.Err)
		case trigger.Delivered:
			e.recordLatencies(a)
			if e.source.journal != nil {
				again, err := e.source.journal.delivered(a.Batch)
				if err != nil {
					return fmt.Errorf("what was delivered cannot be noted: %w", err)
				}
				e.again += again
			}
			e.finish(a.Batch)
		case trigger.DeadLetter:
			e.failed(a.Err)
			if err := e.deadLetter(a); err != nil {
				return err
			}
			e.finish(a.Batch)
		case trigger.Discard:
			e.failed(a.Err)
			e.finish(a.Batch)
		case trigger.Commit:
			if commits[a.Task] == nil {
				commits[a.Task] = map[int32]int64{}
			}
			commits[a.Task][a.Partition] = a.Offset
			e.partitions[a.Partition].position = a.Offset
		case trigger.Stop:
			e.failed(a.Err)
			e.totals.Stopped = fmt.Sprintf("%s failed %d times, the last time with %v", describe(a.Batch), a.Attempts, a.Err)
		}
	}
	for task, next := range commits {
		e.consumers.Commit(task, next)
	}
	return nil
}
