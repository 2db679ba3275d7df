package trigger

import (
	"cmp"
	"slices"
	"time"
)

// instance is an instance of the function that takes calls. One that is still
// starting takes them too (inferred: otherwise a burst of calls would create
// more than ⌈in flight / instanceConcurrency⌉ instances).
type instance struct {
	id        InstanceID
	calls     int           // in flight
	idleSince time.Duration // when the last call ended; counts only without calls
}

// instances are all instances in order of creation. There are never more than
// Config.Concurrency, as one is created only when all others are full, so a
// linear search is short.
type instances struct {
	all     []instance
	created int64
}

// take gives a call a slot of the oldest instance that has one free. Only when
// all are full is an instance created, if there are fewer than limit
// (documented). That the oldest takes the call is inferred: it lets the newest
// become idle and go away. ok is false if there is no slot.
func (s *instances) take(concurrency, limit int) (id InstanceID, created, ok bool) {
	for i := range s.all {
		if s.all[i].calls < concurrency {
			s.all[i].calls++
			return s.all[i].id, false, true
		}
	}
	if len(s.all) >= limit {
		return 0, false, false
	}
	s.created++
	id = InstanceID(s.created)
	s.all = append(s.all, instance{id: id, calls: 1})
	return id, true, true
}

// release frees the slot of a call that ended.
func (s *instances) release(id InstanceID, now time.Duration) {
	if i, found := s.find(id); found {
		s.all[i].calls--
		s.all[i].idleSince = now
	}
}

// remove forgets an instance.
func (s *instances) remove(id InstanceID) {
	if i, found := s.find(id); found {
		s.all = slices.Delete(s.all, i, i+1)
	}
}

// removeIdle forgets the instances idle since that moment or before, and calls
// removed for each.
func (s *instances) removeIdle(since time.Duration, removed func(InstanceID)) {
	s.all = slices.DeleteFunc(s.all, func(i instance) bool {
		idle := i.calls == 0 && i.idleSince <= since
		if idle {
			removed(i.id)
		}
		return idle
	})
}

// longestIdle returns since when the longest idle instance has had no call. ok
// is false if none is idle.
func (s *instances) longestIdle() (since time.Duration, ok bool) {
	for _, i := range s.all {
		if i.calls == 0 && (!ok || i.idleSince < since) {
			since, ok = i.idleSince, true
		}
	}
	return since, ok
}

func (s *instances) find(id InstanceID) (index int, found bool) {
	return slices.BinarySearchFunc(s.all, id, func(i instance, id InstanceID) int {
		return cmp.Compare(i.id, id)
	})
}
