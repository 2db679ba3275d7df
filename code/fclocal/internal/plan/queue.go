package plan

import (
	"container/heap"
	"time"

	"fclocal/internal/trigger"
)

type kind int8

const (
	feed      kind = iota // messages are told to the model
	fed                   // the stream has done its work for a call
	begun                 // a call begins in its instance
	ended                 // a call ends
	minute                // the allowance of instances grows
	dayBefore             // the end of the load
	loadEnd               // nothing more arrives
)

// event is something that happens at a moment.
type event struct {
	at    time.Duration
	order int64 // among those of the same moment
	kind  kind
	index int // in the queue; -1: not in it

	task *task // of feed

	// Of a call:
	call     trigger.CallID
	instance trigger.InstanceID
	events   int
	work     time.Duration // CPU time
	wait     time.Duration // after it
	deadline time.Duration
	fails    bool  // unless it times out
	err      error // of ended
}

// queue has the events in order.
type queue struct {
	events events
	order  int64
}

// set puts an event in, or moves it.
func (q *queue) set(e *event, at time.Duration) {
	if e.index >= 0 && e.at == at {
		return
	}
	q.order++
	e.at, e.order = at, q.order
	if e.index >= 0 {
		heap.Fix(&q.events, e.index)
	} else {
		heap.Push(&q.events, e)
	}
}

// remove takes an event out, if it is in.
func (q *queue) remove(e *event) {
	if e.index >= 0 {
		heap.Remove(&q.events, e.index)
	}
}

func (q *queue) empty() bool   { return len(q.events) == 0 }
func (q *queue) first() *event { return q.events[0] }

type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].index, e[j].index = i, j
}
func (e *events) Push(x any) {
	x.(*event).index = len(*e)
	*e = append(*e, x.(*event))
}
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	x.index = -1
	return x
}
