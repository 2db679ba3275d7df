package trigger

import (
	"cmp"
	"slices"
	"time"
)

// instance is an instance of the function. It is
//
//   - starting, until its initializer has succeeded: the driver tells by
//     InstanceReady. It takes calls, which wait for that (inferred: otherwise a burst
//     of calls would create more than ⌈in flight / instanceConcurrency⌉ instances);
//   - busy, with calls in flight;
//   - idle, without a call: it is frozen (documented), and ends after IdleTimeout;
//   - stopping, while its preStop runs: it takes no calls, and exists until the driver
//     tells by InstanceEnded. Without a preStop it is gone at once.
//
// It is replaced when the function has been deployed anew: it takes no further calls, and
// stops when it has none (inferred).
type instance struct {
	id        InstanceID
	calls     int // in flight
	starting  bool
	stopping  bool
	replaced  bool
	preStop   bool          // it has one
	idleSince time.Duration // since when it could have taken a call; counts only while it is idle
	busySince time.Duration // counts only while it is not idle
}

// instances are all instances. There are never many more than Config.Concurrency, as
// one is created only when all others are full, or nearly so: sorted slices are short.
type instances struct {
	concurrency int // calls in an instance at a time
	soft        int // calls in each above which another is started, up to concurrency
	preStop     bool
	usage       *usage

	all      map[InstanceID]*instance
	free     []*instance // with a free slot, newestFirst
	idle     []*instance // longestIdleFirst
	roomy    int         // with at most soft calls, neither stopping nor replaced
	replaced int         // of all
	created  int64
}

func newInstances(c Config, billed *usage) instances {
	s := instances{usage: billed, all: map[InstanceID]*instance{}}
	s.configure(c)
	return s
}

// configure is for the instances that are created from now on.
func (s *instances) configure(c Config) {
	s.concurrency, s.soft, s.preStop = c.InstanceConcurrency, cmp.Or(c.InstanceSoftConcurrency, c.InstanceConcurrency), c.PreStop
}

// current is how many of the present function exist. Those that are replaced do not count
// for what may be created: calls would get 429 because of a deployment (inferred).
func (s *instances) current() int { return len(s.all) - s.replaced }

func newestFirst(a, b *instance) int { return cmp.Compare(b.id, a.id) }

func longestIdleFirst(a, b *instance) int {
	return cmp.Or(cmp.Compare(a.idleSince, b.idleSince), cmp.Compare(a.id, b.id))
}

// take gives a call a slot of the oldest instance that has one free. Only when
// all are full is an instance created, if there are fewer than limit
// (documented). That the oldest takes the call is inferred: it lets the newest
// become idle and go away. It returns nil if there is no slot.
func (s *instances) take(limit int, now time.Duration) (i *instance, created bool) {
	if len(s.free) == 0 {
		if created = s.create(limit, now) != nil; !created {
			return nil, false
		}
	}
	oldest := len(s.free) - 1
	i = s.free[oldest]
	if i.calls == 0 && !i.starting {
		s.idle = remove(s.idle, i, longestIdleFirst)
		i.busySince = now
	}
	i.calls++
	if i.calls == s.soft+1 {
		s.roomy--
	}
	if i.calls == s.concurrency {
		s.free = s.free[:oldest]
	}
	return i, created
}

// startAhead creates an instance if all have more calls than soft, so that it is there
// when they are full (documented). That one which is starting counts like any other,
// with the calls that it has got, is inferred. It returns nil if none is needed or
// limit of them exist.
func (s *instances) startAhead(limit int, now time.Duration) *instance {
	if s.roomy > 0 {
		return nil
	}
	return s.create(limit, now)
}

func (s *instances) create(limit int, now time.Duration) *instance {
	if s.current() >= limit {
		return nil
	}
	s.created++
	i := &instance{id: InstanceID(s.created), starting: true, preStop: s.preStop, busySince: now}
	s.all[i.id] = i
	s.free = insert(s.free, i, newestFirst)
	s.roomy++
	return i
}

// ready says that an instance has started.
func (s *instances) ready(id InstanceID, now time.Duration) {
	if i := s.all[id]; i != nil && i.starting {
		i.starting = false
		if i.calls == 0 {
			s.rest(i, now)
		}
	}
}

// release frees the slot of a call that ended. An instance that is replaced stops with
// its last call.
func (s *instances) release(i *instance, now time.Duration) (stopped bool) {
	if s.all[i.id] == nil {
		return false // it has ended with its calls
	}
	if i.calls == s.concurrency && !i.replaced {
		s.free = insert(s.free, i, newestFirst)
	}
	if i.calls == s.soft+1 && !i.replaced {
		s.roomy++
	}
	i.starting = false
	i.calls--
	if i.calls > 0 {
		return false
	}
	s.rest(i, now)
	if i.replaced {
		s.stop(i, now)
	}
	return i.replaced
}

// replace keeps further calls from all instances, and lets those without one stop, which
// it returns in order of creation.
func (s *instances) replace(now time.Duration) (stopped []InstanceID) {
	for _, i := range s.all {
		if i.replaced {
			continue
		}
		i.replaced = true
		s.replaced++
		if i.stopping || i.calls > 0 {
			continue
		}
		if i.starting { // ahead of its first call
			i.starting = false
			s.rest(i, now)
		}
		stopped = append(stopped, i.id)
	}
	s.free, s.roomy = nil, 0
	slices.Sort(stopped)
	for _, id := range stopped {
		s.stop(s.all[id], now)
	}
	return stopped
}

// rest lets an instance be idle.
func (s *instances) rest(i *instance, now time.Duration) {
	s.usage.busy(i.busySince, now)
	i.idleSince = now
	s.idle = insert(s.idle, i, longestIdleFirst)
}

// remove forgets an instance.
func (s *instances) remove(id InstanceID, now time.Duration) {
	if i := s.all[id]; i != nil {
		if i.busy() {
			s.usage.busy(i.busySince, now)
		}
		s.retire(i)
		s.forget(i)
	}
}

func (s *instances) forget(i *instance) {
	delete(s.all, i.id)
	if i.replaced {
		s.replaced--
	}
}

// busy says that an instance is billed. While its initializer and its preStop run it
// is (documented), and while its process starts, too (inferred).
func (i *instance) busy() bool { return i.calls > 0 || i.starting || i.stopping }

// retire keeps calls from an instance.
func (s *instances) retire(i *instance) {
	if i.stopping {
		return
	}
	i.stopping = true
	if i.calls <= s.soft && !i.replaced {
		s.roomy--
	}
	s.free = remove(s.free, i, newestFirst)
	s.idle = remove(s.idle, i, longestIdleFirst)
}

// stopIdle lets the instances stop that are idle since that moment or before, and
// returns them in order of creation.
func (s *instances) stopIdle(since, now time.Duration) (stopped []InstanceID) {
	for _, i := range s.idle {
		if i.idleSince > since {
			break
		}
		stopped = append(stopped, i.id)
	}
	slices.Sort(stopped)
	for _, id := range stopped {
		s.stop(s.all[id], now)
	}
	return stopped
}

// stop lets an idle instance stop.
func (s *instances) stop(i *instance, now time.Duration) {
	s.retire(i)
	i.busySince = now
	if !i.preStop {
		s.forget(i)
	}
}

// longestIdle returns since when the longest idle instance has had no call. ok
// is false if none is idle.
func (s *instances) longestIdle() (since time.Duration, ok bool) {
	if len(s.idle) == 0 {
		return 0, false
	}
	return s.idle[0].idleSince, true
}

// insert puts an item into a sorted slice.
func insert[T any](sorted []T, item T, compare func(a, b T) int) []T {
	at, _ := slices.BinarySearchFunc(sorted, item, compare)
	return slices.Insert(sorted, at, item)
}

// remove takes an item out of a sorted slice, if it is in.
func remove[T any](sorted []T, item T, compare func(a, b T) int) []T {
	if at, found := slices.BinarySearchFunc(sorted, item, compare); found {
		return slices.Delete(sorted, at, at+1)
	}
	return sorted
}
