package stream

import (
	"fmt"
	"strconv"
	"time"

	"fclocal/internal/deadletter"
	"fclocal/internal/eventbridge"
	"fclocal/internal/events"
	"fclocal/internal/instance"
	"fclocal/internal/trigger"
	"fclocal/internal/trouble"

	"github.com/twmb/franz-go/pkg/kgo"
)

// arrivals makes events of records and keeps them. Starts are where the partitions'
// logs began when they were fetched, which is now.
func (e *engine) arrivals(now time.Duration, records []*kgo.Record, starts map[int32]int64) []trigger.Arrival {
	arrivals := make([]trigger.Arrival, 0, len(records))
	made := make([]byte, 0, len(records)*e.eventBytes) // grown, it would be kept along with what it was before
	ends, final := map[int32]int64(nil), false
	if e.UntilEnd {
		ends, final = e.source.ends.known()
	}
	for _, r := range records {
		p := e.partitions[r.Partition]
		if p == nil || final && r.Offset >= ends[r.Partition] { // that came after the start
			continue
		}
		e.pass(r.Partition, p, r.Offset, starts[r.Partition])
		fresh := r.Offset >= p.next
		p.read, p.next = r.Offset+1, max(p.next, r.Offset+1)
		record := events.Record(r)
		if !e.converter.Passes(&record) {
			if fresh {
				e.totals.Filtered++
			}
			arrivals = append(arrivals, trigger.Arrival{
				Range: trigger.Range{Partition: r.Partition, FirstOffset: r.Offset + 1}, Filtered: true,
				EventBytes: len(r.Key) + len(r.Value), // of an event that is not made
			})
			continue
		}
		start := len(made)
		made = e.converter.Append(made, &record)
		event := made[start:len(made):len(made)]
		readable := e.readable(record, e.sentAt(record)).Sub(e.begin)
		p.buffer.add(stored{r.Offset, min(readable, now), now, event})
		if n := len(arrivals) - 1; n >= 0 && arrivals[n].Partition == r.Partition && arrivals[n].Count > 0 &&
			arrivals[n].FirstOffset+int64(arrivals[n].Count) == r.Offset && arrivals[n].EventBytes == len(event) {
			arrivals[n].Count++
			continue
		}
		arrivals = append(arrivals, trigger.Arrival{
			Range:      trigger.Range{Partition: r.Partition, FirstOffset: r.Offset, Count: 1},
			EventBytes: len(event),
		})
	}
	e.eventBytes = len(made)/max(1, len(records)) + 16
	return arrivals
}

// sentAt is a record's timestamp, or, where that is not of this run, when it was sent.
func (e *engine) sentAt(r eventbridge.Record) time.Time {
	if r.Timestamp.Before(e.begin) || r.Timestamp.After(time.Now()) {
		if at, known := e.source.sent.when(r.Partition, r.Offset); known {
			return at
		}
	}
	return r.Timestamp
}

// readable is when the stream could first read a record that has just arrived and was
// sent then: a backlog has been waiting for the stream, and not the stream for it. What
// was not there at the start, and tells an older time or none, could be read from now on,
// as far as is known.
func (e *engine) readable(r eventbridge.Record, sent time.Time) time.Time {
	if !sent.Before(e.begin) {
		return sent
	}
	if e.ends != nil && r.Offset >= e.ends[r.Partition] {
		return time.Now()
	}
	return e.begin
}

// describe names a batch by its records.
func describe(batch *trigger.Batch) string {
	first := batch.Ranges[0]
	text := fmt.Sprintf("the batch of %d events from partition %d, offset %d", batch.Records, first.Partition, first.FirstOffset)
	if len(batch.Ranges) > 1 {
		text += fmt.Sprintf(" (%d ranges)", len(batch.Ranges))
	}
	return text
}

// delivery returns a batch's state. A batch that has lost a partition to another
// owner since its last call comes with fewer ranges.
func (e *engine) delivery(batch *trigger.Batch) *delivery {
	d := e.deliveries[batch.ID]
	if d == nil {
		d = &delivery{}
		e.deliveries[batch.ID] = d
	}
	if d.batch != batch {
		kept := map[trigger.Range]*buffer{}
		if d.batch != nil {
			for i, records := range d.batch.Ranges {
				kept[records] = d.buffers[i]
			}
		}
		d.batch, d.buffers = batch, nil
		for _, records := range batch.Ranges {
			b := kept[records]
			if b == nil {
				b = e.partitions[records.Partition].buffer
			}
			d.buffers = append(d.buffers, b)
		}
	}
	return d
}

// each calls f for every record of the batch, in the payload's order.
func (e *engine) each(batch *trigger.Batch, f func(stored) error) error {
	d := e.delivery(batch)
	for i, records := range batch.Ranges {
		for _, r := range d.buffers[i].in(records) {
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
	for i, records := range batch.Ranges {
		d.buffers[i].finish(records)
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
	e.totals.EventsInCalls += int64(a.Batch.Records)
	delivery := e.delivery(a.Batch)
	fails := e.Trouble.Call(e.Rules.Seed, a.Call, e.now())
	hold := e.EventTime*time.Duration(a.Batch.Records) + e.Trouble.Slow
	requestID := "1-" + strconv.FormatInt(e.begin.UnixNano(), 16) + "-" + strconv.FormatInt(int64(a.Call), 10)
	go func() {
		called, err := e.pool.Call(e.ctx, a.Instance, instance.Call{RequestID: requestID, Payload: payload, Hold: hold, Unreached: fails == trouble.ErrOutage})
		if err == nil && fails != nil {
			err = fails
		}
		gone := err != nil && e.pool.Gone(a.Instance)
		e.report(func() []trigger.Action {
			e.coldStart(a.Instance, called.Init)
			delivery.waited = called.Waited
			if gone { // the retry must not meet it again
				e.leaving[a.Instance] = true
				return e.model.InstanceEnded(e.now(), a.Instance, err)
			}
			return e.model.CallEnded(e.now(), a.Call, err)
		})
	}()
}

// deadLetter writes the batch's events, each on a line of its own: whether the
// platform makes one dead letter of a batch or several is not documented.
func (e *engine) deadLetter(a trigger.DeadLetter) error {
	if e.DeadLetters == nil {
		return nil
	}
	return e.each(a.Batch, func(r stored) error {
		err := e.DeadLetters.Write(deadletter.Letter{Event: r.event, Error: a.Err.Error(), Attempts: a.Attempts, Time: time.Now().UTC()})
		if err != nil {
			return fmt.Errorf("a dead letter cannot be written: %w", err)
		}
		return nil
	})
}
