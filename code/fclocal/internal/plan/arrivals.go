package plan

import (
	"fclocal/internal/trigger"
)

// tellChanged tells the model what it can use for the tasks that have changed.
func (d *driver) tellChanged() {
	for i := 0; i < len(d.changed); i++ { // it grows meanwhile
		d.tell(d.changed[i])
		d.schedule(d.changed[i])
	}
	d.changed = d.changed[:0]
}

// catchUp tells the model what has arrived in windows that go, with a
// TimeBasedWindow of 0, as they are when a slot comes up. It comes before all
// that may free one.
//
// With nextOnly it does so for the window that goes next. No other can go when
// one call succeeds: its slot in the instance comes up too, so that the batch is
// not refused. That holds while nothing else happens at the moment, no batch
// waits for a retry and none is given up without a call, as it is too large.
func (d *driver) catchUp(nextOnly bool) {
	if d.Rules.TimeBasedWindow > 0 {
		return
	}
	tasks := d.tasks
	if nextOnly {
		next, ok := d.model.NextWindow()
		if !ok {
			return
		}
		tasks = tasks[next : next+1]
	}
	for _, t := range tasks {
		if t.next <= d.now {
			d.tell(t)
			d.schedule(t)
		}
	}
}

// tell brings the model what has arrived for a task, until a batch of it waits.
func (d *driver) tell(t *task) {
	for t.next <= d.now && !d.model.Backlogged(t.id) {
		room := max(d.room(t), 1)
		n := min(int64(room), t.total-t.told)
		if t.arrival(t.told+n-1) > d.now {
			n = t.arrived(d.now) - t.told
		}
		arrival := d.untold(t, n)
		t.take(n)
		d.told += n
		d.perform(d.model.Arrive(d.now, arrival))
	}
}

// untold are the next n messages that the model does not know.
func (d *driver) untold(t *task, n int64) trigger.Arrival {
	return trigger.Arrival{
		Range:      trigger.Range{Partition: int32(t.id), FirstOffset: t.told, Count: int(n)},
		EventBytes: d.Load.EventBytes, Sizes: t.sizes,
	}
}

// room is how many of these the task's window takes.
func (d *driver) room(t *task) int { return d.model.Room(t.id, d.untold(t, t.total-t.told)) }

// schedule plans when the model is told of the task next: as late as the model's answers stay
// the same as if it were told of every message when it arrives.
func (d *driver) schedule(t *task) {
	if t.next == never || d.model.Backlogged(t.id) {
		d.queue.remove(&t.telling) // until a batch of it has its turn
		d.expect(t, -1)
		return
	}
	room := d.room(t)
	last := min(t.told+int64(max(room, 1)), t.total) - 1
	full := t.arrival(last)
	at := t.next
	window := d.Rules.TimeBasedWindow
	closes, open := d.model.WindowCloses(t.id)
	switch {
	case open && window == 0: // it waits for a slot; see catchUp
		at = full
	case open && t.next < closes:
		at = min(full, closes-1) // just before it
	case window > 0 && !open && room == d.Rules.CountBasedWindow && t.told+int64(room) <= t.total && full < t.next+window:
		at = full // nobody sees when it was opened
	}
	if at == t.next {
		last = t.told
	}
	d.expect(t, last)
	d.queue.set(&t.telling, max(at, d.now))
}
