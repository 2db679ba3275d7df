package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fclocal/internal/kafka"
	"fclocal/internal/trigger"
	"fclocal/internal/units"
)

const (
	// closeTimeout is how long the end of a stream waits for the cluster.
	closeTimeout = 10 * time.Second

	// lookTimeout is how long it waits for the last look at the topic.
	lookTimeout = 3 * time.Second

	// newPartitionsWithin is how long partitions that have come while the stream runs
	// may take to have an owner.
	newPartitionsWithin = 30 * time.Second

	// formingQuietly is how long the group may take to form before that is told, and
	// formingTold the time until it is told again.
	formingQuietly = 2 * time.Second
	formingTold    = 10 * time.Second
)

// notice tells what is worth knowing while the stream runs.
func (e *engine) notice(format string, arguments ...any) {
	if e.Notice != nil {
		e.Notice(fmt.Sprintf(format, arguments...))
	}
}

// cause is the innermost of an error, which is short.
func cause(err error) error {
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return cause(inner)
		}
	case interface{ Unwrap() []error }:
		if inner := e.Unwrap(); len(inner) > 0 {
			return cause(inner[0])
		}
	}
	return err
}

// wentAway says that the cluster does not answer.
func (e *engine) wentAway(err error) {
	e.away = true
	why := cause(err).Error()
	if errors.Is(err, context.DeadlineExceeded) {
		why = "no answer"
	}
	e.notice("the Kafka cluster is away (%s): reconnecting, for %v at most", why, e.BrokerTimeout)
}

// cameBack says that it answers again.
func (e *engine) cameBack() {
	e.away = false
	if !e.forming.IsZero() {
		e.forming, e.told = time.Now(), time.Time{}
	}
	e.notice("the Kafka cluster is connected again")
}

// assigned takes over where a partition goes on. It is called after the model was
// told, which has settled so many of its offsets.
func (e *engine) assigned(task int, at kafka.Position, settled int64) {
	p := e.partitions[at.Partition]
	if p == nil {
		p = &partition{start: at.Offset - at.Lost}
		e.partitions[at.Partition] = p
		settled = at.Lost
	}
	lost := min(settled, at.Lost)
	e.totals.TakenByOthers += settled - lost
	if lost > 0 {
		e.lose(at.Partition, at.Offset-lost, at.Offset)
	}
	p.owned, p.task = true, task
	p.begun, p.position, p.read, p.next = at.Offset, at.Offset, at.Offset, max(p.next, at.Offset)
	p.buffer = &buffer{}
}

// lose counts messages that can no longer be read.
func (e *engine) lose(id int32, from, to int64) {
	e.totals.Lost += to - from
	e.notice("partition %d: the offsets %d to %d were deleted before they were read", id, from, to-1)
}

// pass says that a partition holds nothing up to an offset, beyond what has arrived.
// What is below start was deleted.
func (e *engine) pass(id int32, p *partition, to, start int64) {
	if from := max(p.read, p.next); from < to {
		deleted := max(from, min(to, start))
		if from < deleted {
			e.lose(id, from, deleted)
		}
		e.totals.Skipped += to - deleted
	}
	p.read, p.next = to, max(p.next, to)
}

// looked takes over what the topic looks like now.
func (e *engine) looked(topic kafka.Topic) error {
	before := len(e.topic.Partitions)
	e.topic = topic
	if e.ends == nil {
		e.ends = topic.Ends()
	}
	if now := len(topic.Partitions); before > 0 && now > before {
		e.grown = time.Now()
		e.notice("the topic has %d partitions now, %d more than before: they are read within %v", now, now-before, newPartitionsWithin)
		for len(e.joined) < e.tasks(now) {
			if err := e.consumers.AddTask(); err != nil {
				return err
			}
			e.joined, e.idle = append(e.joined, false), append(e.idle, false)
			if e.paused {
				e.consumers.Pause(len(e.joined) - 1)
			}
		}
	}
	for id, p := range e.partitions {
		stalled := p.read == p.lookedAt
		p.lookedAt = p.read
		if stable := topic.Partitions[id].Stable; stalled && p.owned && !p.probing && !e.paused && p.read < stable {
			p.probing = true
			go e.probe(id, p, p.read, stable)
		}
	}
	return nil
}

// probe finds out whether there is a message in the offsets, as no more arrive.
func (e *engine) probe(id int32, p *partition, from, to int64) {
	next, start, err := e.consumers.Gap(e.ctx, id, from, to)
	e.report(func() []trigger.Action {
		p.probing = false
		if err != nil || next <= from || !p.owned || p.read != from { // it is tried again, or has been overtaken
			return nil
		}
		e.pass(id, p, next, start)
		return e.model.Arrive(e.now(), passed(id, next))
	})
}

// readTo reports whether all is finished below the ends, as far as it can be read. Of
// partitions that other members of the group own, nothing is to be expected.
func (e *engine) readTo(ends map[int32]int64) bool {
	for id, end := range ends {
		p := e.partitions[id]
		if p == nil || !p.owned {
			if time.Since(e.grown) < newPartitionsWithin {
				return false
			}
			continue
		}
		if b, known := e.topic.Partitions[id]; known && b.End >= end {
			end = min(end, b.Stable)
		}
		if p.position < end {
			return false
		}
	}
	return true
}

// readAll is readTo the ends of the topic, which must be as of then or later.
func (e *engine) readAll(then time.Time) bool {
	if e.topic.Asked.Before(then) {
		e.consumers.LookNow()
		return false
	}
	return e.readTo(e.topic.Ends())
}

// form keeps track of the group while it forms, and tells what a person would wonder
// about.
func (e *engine) form(forming bool) {
	switch group := e.group(); {
	case !forming && !e.forming.IsZero():
		if e.formed {
			owned := 0
			for _, p := range e.partitions {
				if p.owned {
					owned++
				}
			}
			e.notice("group %q goes on: %d of %d partitions are this run's", group, owned, len(e.topic.Partitions))
		}
		e.forming, e.formed, e.expelled = time.Time{}, true, false
	case forming && e.forming.IsZero():
		e.forming, e.told = time.Now(), time.Time{}
		if e.formed && !e.expelled && !e.draining {
			e.notice("group %q is being rebalanced: a member or a partition has come or gone", group)
		}
	case forming && !e.away && time.Since(e.forming) > formingQuietly && time.Since(e.told) > formingTold:
		e.told = time.Now()
		session := e.consumers.SessionTimeout()
		if left := (session - time.Since(e.forming)).Round(time.Second); left > 0 {
			e.notice("waiting for group %q: a member that has gone without a word, such as a run that was killed, is given up after %v, in %v at most", group, session, left)
		} else {
			e.notice("still waiting for group %q: its other members have not answered for %v", group, time.Since(e.forming).Round(time.Second))
		}
	}
}

// count adds to the time in which there was work, of which pauses are a part up to a
// second.
func (e *engine) count(working bool) {
	now := time.Now()
	passed := now.Sub(e.counted)
	e.counted = now
	switch {
	case working:
		e.worked += passed + min(e.rest, time.Second)
		e.rest = 0
	case e.worked > 0:
		e.rest += passed
	}
}

// lastLook is at the topic as the stream leaves it.
func (e *engine) lastLook() {
	if e.away {
		e.notice("the Kafka cluster is away: produced, pending and lag are as of when it last answered")
		return
	}
	ctx, stop := context.WithTimeout(e.ctx, lookTimeout)
	defer stop()
	topic, err := e.consumers.Look(ctx)
	if err != nil {
		return // as of a moment ago
	}
	e.topic = topic
	e.passRest(ctx)
	orphans := false
	for id, p := range e.partitions {
		orphans = orphans || !p.owned
		if b := topic.Partitions[id]; p.owned && !e.draining && b.Stable < b.End && p.position >= b.Stable {
			e.notice("partition %d: the %s offsets from %d on are held back by a transaction that is still open; --isolation read_uncommitted reads them",
				id, units.Count(b.End-b.Stable), b.Stable)
		}
	}
	if orphans {
		e.committed, _ = e.consumers.Committed(ctx)
	}
}

// passRest goes to the ends of partitions behind which only markers of transactions and
// the like are left.
func (e *engine) passRest(ctx context.Context) {
	e.model.Drain(e.now()) // there are no calls any more
	for id, p := range e.partitions {
		stable := e.topic.Partitions[id].Stable
		if !p.owned || p.read >= stable {
			continue
		}
		next, start, err := e.consumers.Gap(ctx, id, p.read, stable)
		if err != nil || next <= p.read {
			continue
		}
		e.pass(id, p, next, start)
		e.perform(e.model.Arrive(e.now(), passed(id, next))) // commits, and nothing that could fail
	}
}

// passed says to the model that a partition holds nothing more before an offset.
func passed(id int32, next int64) trigger.Arrival {
	return trigger.Arrival{Range: trigger.Range{Partition: id, FirstOffset: next}}
}

// settle counts what is left of the topic, when all has been committed that can be.
func (e *engine) settle() {
	e.model.Drain(e.now()) // there are no calls any more
	confirmed := e.consumers.Confirmed()
	e.totals.LagByPartition = map[int32]int64{}
	for id, p := range e.partitions {
		end, position := max(e.end(id), p.next), max(p.begun, confirmed[id])
		if p.owned {
			e.model.Revoke(e.now(), p.task, id)
		} else if committed, known := e.committed[id]; known {
			position = max(position, committed)
			end = max(end, position)
			e.totals.TakenByOthers += e.model.Settle(id, committed)
		}
		// What has come again, after a rebalance, but had been delivered before, is not pending.
		e.totals.Pending += e.model.Settle(id, end)
		p.next = end
		e.totals.LagByPartition[id] = max(0, end-position)
	}
	e.totals.Produced = e.produced()
}
