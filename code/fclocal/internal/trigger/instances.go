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
	busySince time.Duration // when its first call began; counts only with calls
}

// instances are all instances. There are never more than Config.Concurrency, as
// one is created only when all others are full, so sorted slices are short.
type instances struct {
	concurrency int // calls in an instance at a time
	all         map[InstanceID]*instance
	free        []*instance // with a free slot, newestFirst
	idle        []*instance // without a call, longestIdleFirst
	created     int64
}

func newestFirst(a, b *instance) int { return cmp.Compare(b.id, a.id) }

func longestIdleFirst(a, b *instance) int {
	return cmp.Or(cmp.Compare(a.idleSince, b.idleSince), cmp.Compare(a.id, b.id))
}

// take gives a call a slot of the oldest instance that has one free. Only when
// all are full is an instance created, if there are fewer than limit
// (documented). That the oldest takes the call is inferred: it lets the newest
// become idle and go away. It returns nil if there is no slot.
func (s *instances) take(limit int) (i *instance, created bool) {
	if len(s.free) == 0 {
		if len(s.all) >= limit {
			return nil, false
		}
		s.created++
		i, created = &instance{id: InstanceID(s.created)}, true
		s.all[i.id] = i
		s.free = append(s.free, i)
	}
	oldest := len(s.free) - 1
	i = s.free[oldest]
	if i.calls == 0 {
		s.idle = remove(s.idle, i, longestIdleFirst)
	}
	i.calls++
	if i.calls == s.concurrency {
		s.free = s.free[:oldest]
	}
	return i, created
}

// release frees the slot of a call that ended.
func (s *instances) release(i *instance, now time.Duration) {
	if i.calls == s.concurrency {
		s.free = insert(s.free, i, newestFirst)
	}
	i.calls--
	if i.calls == 0 {
		i.idleSince = now
		s.idle = insert(s.idle, i, longestIdleFirst)
	}
}

// remove forgets an instance.
func (s *instances) remove(id InstanceID) {
	if i := s.all[id]; i != nil {
		delete(s.all, id)
		s.free = remove(s.free, i, newestFirst)
		s.idle = remove(s.idle, i, longestIdleFirst)
	}
}

// removeIdle forgets the instances idle since that moment or before and returns
// them in order of creation.
func (s *instances) removeIdle(since time.Duration) (removed []InstanceID) {
	for _, i := range s.idle {
		if i.idleSince > since {
			break
		}
		removed = append(removed, i.id)
	}
	slices.Sort(removed)
	for _, id := range removed {
		s.remove(id)
	}
	return removed
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
