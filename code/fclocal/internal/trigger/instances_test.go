package trigger

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whatever happens, the answers are those of searching all instances in order
// of creation.
func TestInstancesAreFoundAsBySearch(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		concurrency, limit := 1+random.IntN(3), 1+random.IntN(40)
		s := instances{concurrency: concurrency, all: map[InstanceID]*instance{}}
		var all []instance // in order of creation
		var calls []*instance
		now := time.Duration(0)
		isIdle := func(since time.Duration) func(instance) bool {
			return func(i instance) bool { return i.calls == 0 && i.idleSince <= since }
		}
		for range 500 {
			now += time.Duration(random.IntN(3))
			switch action := random.IntN(20); {
			case action < 10:
				want := slices.IndexFunc(all, func(i instance) bool { return i.calls < concurrency })
				create := want < 0 && len(all) < limit
				if create {
					want = len(all)
					all = append(all, instance{id: InstanceID(s.created + 1)})
				}
				i, created := s.take(limit)
				if created != create || (i == nil) != (want < 0) || i != nil && i.id != all[want].id {
					t.Fatalf("seed %d: took %+v, created: %v; want number %d of %+v", seed, i, created, want, all)
				}
				if i != nil {
					all[want].calls++
					calls = append(calls, i)
				}
			case action < 18 && len(calls) > 0:
				n := random.IntN(len(calls))
				at := slices.IndexFunc(all, func(i instance) bool { return i.id == calls[n].id })
				all[at].calls--
				all[at].idleSince = now
				s.release(calls[n], now)
				calls = slices.Delete(calls, n, n+1)
			case action == 18 && len(all) > 0: // it ends, whether or not it has calls
				n := random.IntN(len(all))
				calls = slices.DeleteFunc(calls, func(i *instance) bool { return i.id == all[n].id })
				s.remove(all[n].id)
				all = slices.Delete(all, n, n+1)
			case action == 19:
				since := now - time.Duration(random.IntN(20))
				var want []InstanceID
				for _, i := range all {
					if isIdle(since)(i) {
						want = append(want, i.id)
					}
				}
				all = slices.DeleteFunc(all, isIdle(since))
				if got := s.removeIdle(since); !slices.Equal(got, want) {
					t.Fatalf("seed %d: removed %v, want %v", seed, got, want)
				}
			}
			since, ok := s.longestIdle()
			if ok != slices.ContainsFunc(all, isIdle(now)) || ok && (!slices.ContainsFunc(all, isIdle(since)) || slices.ContainsFunc(all, isIdle(since-1))) {
				t.Fatalf("seed %d: idle since %v, %v: %+v", seed, since, ok, all)
			}
		}
	}
}
