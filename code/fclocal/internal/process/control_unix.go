//go:build unix

package process

import (
	"container/heap"
	"sync"
	"syscall"
	"time"
)

// A control stops and continues the processes of a tree: while it is frozen, and
// while it has used up its CPU time.
type control struct {
	mu      sync.Mutex
	frozen  bool
	held    bool // while fclocal is suspended
	stopped bool // what the processes were told
	ended   bool // they are told nothing more
	account account

	// Of looks, and held by its lock.
	at    time.Time // of the next look
	index int       // among all, from 1 on; 0: there is none
}

// Limit lets the tree have so many cores, above 0, in each period, from now on. It
// is false where the system does not tell what it uses.
func (t *Tree) Limit(cores float64) bool {
	c := &t.control
	c.mu.Lock()
	defer c.mu.Unlock()
	clock, told := t.CPUTime()
	if !told {
		return false
	}
	share := time.Duration(cores * float64(Period))
	now := time.Now()
	c.account = account{share: share, left: share, begin: now, clock: clock, looked: now}
	t.decide(now)
	return true
}

// Freeze stops the tree until it is thawed.
func (t *Tree) Freeze() {
	c := &t.control
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = true
	t.decide(time.Now())
}

// Thaw continues it, as far as its limit allows.
func (t *Tree) Thaw() {
	c := &t.control
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = false
	now := time.Now()
	c.account.looked = now // it is to work, and did not wait
	t.decide(now)
}

// Check stops what has begun in a group of its own just before the tree was stopped.
func (t *Tree) Check() {
	c := &t.control
	c.mu.Lock()
	defer c.mu.Unlock()
	t.decide(time.Now())
}

// hold stops the tree beside all else, until that is over.
func (t *Tree) hold(held bool) {
	c := &t.control
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = held
	t.decide(time.Now())
}

// decide does what is due, with the lock of control held.
func (t *Tree) decide(now time.Time) {
	c := &t.control
	if c.ended {
		return
	}
	var next time.Time
	if c.account.share > 0 {
		clock, _ := t.CPUTime()
		next = c.account.look(now, clock)
	}
	stop := c.frozen || c.held || c.account.spent
	switch {
	case stop && (!c.stopped || !t.Alone()): // again: one may have just begun, in a group of its own
		t.signal(syscall.SIGSTOP, c.frozen && !c.stopped)
	case !stop && c.stopped:
		t.signal(syscall.SIGCONT, false)
	}
	c.stopped = stop
	looks.set(t, next, c.limited())
}

// limited says whether the CPU time has to be looked at.
func (c *control) limited() bool { return c.account.share > 0 && !c.frozen && !c.ended }

// uncontrolled ends the control: the processes may be gone.
func (t *Tree) uncontrolled() {
	c := &t.control
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	forget(t)
	looks.set(t, time.Time{}, false)
}

// looks are the trees to look at, the first one soonest. One goroutine looks at all:
// to wake up for each takes several times as long.
var looks schedule

type schedule struct {
	mu      sync.Mutex
	trees   byTime
	looking bool
	sooner  chan struct{} // one has come that is due before the others
}

// set puts a tree where it belongs, with the lock of its control held.
func (s *schedule) set(t *Tree, at time.Time, wanted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &t.control
	c.at = at
	switch {
	case wanted && c.index > 0:
		heap.Fix(&s.trees, c.index-1)
	case wanted:
		heap.Push(&s.trees, t)
	case c.index > 0:
		heap.Remove(&s.trees, c.index-1)
	}
	switch {
	case len(s.trees) > 0 && !s.looking:
		s.looking, s.sooner = true, make(chan struct{}, 1)
		go s.lookAtAll()
	case c.index == 1:
		select {
		case s.sooner <- struct{}{}:
		default:
		}
	}
}

// lookAtAll looks as long as there are trees to look at.
func (s *schedule) lookAtAll() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		s.mu.Lock()
		if len(s.trees) == 0 {
			s.looking = false
			s.mu.Unlock()
			return
		}
		next, now := s.trees[0], time.Now()
		wait := next.control.at.Sub(now)
		s.mu.Unlock()
		if wait > shortestLook/4 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-s.sooner: // of this goroutine: there is no other
			}
			continue
		}
		next.control.mu.Lock()
		if next.control.limited() {
			next.decide(now)
		}
		next.control.mu.Unlock()
	}
}

// byTime is a heap.
type byTime []*Tree

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].control.at.Before(b[j].control.at) }
func (b byTime) Swap(i, j int) {
	b[i], b[j] = b[j], b[i]
	b[i].control.index, b[j].control.index = i+1, j+1
}

func (b *byTime) Push(t any) {
	*b = append(*b, t.(*Tree))
	t.(*Tree).control.index = len(*b)
}

func (b *byTime) Pop() any {
	last := len(*b) - 1
	t := (*b)[last]
	t.control.index = 0
	(*b)[last] = nil
	*b = (*b)[:last]
	return t
}
