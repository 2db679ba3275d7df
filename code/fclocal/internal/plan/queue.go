package plan

import (
	"container/heap"
	"time"

	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
)

type kind int8

const (
	tell        kind = iota // messages are told to the model
	firstCloses             // a task's first window goes
	sent                    // the stream has done its work for a call; never in the queue
	begun                   // a call begins in its instance
	ended                   // a call ends
	ready                   // an instance has started
	stopped                 // an instance has run its preStop
	killed                  // an instance ends on purpose, if it is still there
	periodEnds              // the load may end early
	dayBefore               // a day before the load ends
	loadEnd                 // nothing more arrives
)

// event is something that happens at a moment.
type event struct {
	at    time.Duration
	order int64 // among those of the same moment
	kind  kind
	index int // in the queue; -1: not in it

	task *task // of tell and firstCloses

	instance trigger.InstanceID // of ready, stopped, killed and of a call

	// Of a call:
	call     trigger.CallID
	events   int
	work     time.Duration // CPU time
	wait     time.Duration // after it
	starting time.Duration // until its instance was ready
	sharing  time.Duration // for how much longer than alone it had the cpu; from when it began until workDone
	deadline time.Duration
	fails    *trouble.Error // unless it times out; nil: it does not
	err      error          // of ended
}

// queue has the events in order.
type queue struct {
	events ordered[*event]
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

func (e *event) before(other *event) bool {
	return e.at < other.at || e.at == other.at && e.order < other.order
}
func (e *event) moved(index int) { e.index = index }

// ordered is a heap.Interface of things that know their place in it.
type ordered[T item[T]] []T

type item[T any] interface {
	before(T) bool
	moved(index int) // -1: out of the heap
}

var (
	_ item[*event]   = (*event)(nil)
	_ item[*station] = (*station)(nil)
)

func (o ordered[T]) Len() int           { return len(o) }
func (o ordered[T]) Less(i, j int) bool { return o[i].before(o[j]) }
func (o ordered[T]) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].moved(i)
	o[j].moved(j)
}
func (o *ordered[T]) Push(x any) {
	x.(T).moved(len(*o))
	*o = append(*o, x.(T))
}
func (o *ordered[T]) Pop() any {
	last := len(*o) - 1
	x := (*o)[last]
	clear((*o)[last:])
	*o = (*o)[:last]
	x.moved(-1)
	return x
}
