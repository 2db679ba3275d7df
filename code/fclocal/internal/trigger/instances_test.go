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
		soft := 1 + random.IntN(concurrency)
		s := newInstances(Config{InstanceConcurrency: concurrency, InstanceSoftConcurrency: soft, PreStop: random.IntN(2) == 0}, &usage{})
		var all []instance // in order of creation
		var calls []*instance
		now := time.Duration(0)
		create := func() { all = append(all, instance{id: InstanceID(len(all) + 1), starting: true}) }
		exist := func() int { return len(all) - count(all, func(i instance) bool { return i.idleSince < 0 }) }
		end := func(i *instance) { i.stopping, i.idleSince = true, -1 } // gone: the place stays
		isIdle := func(since time.Duration) func(instance) bool {
			return func(i instance) bool { return i.calls == 0 && !i.starting && !i.stopping && i.idleSince <= since }
		}
		some := func(of func(instance) bool) (n int) {
			for range 10 {
				if n = random.IntN(len(all) + 1); n < len(all) && of(all[n]) {
					return n
				}
			}
			return -1
		}
		for range 500 {
			now += time.Duration(random.IntN(3))
			switch action := random.IntN(22); {
			case action < 10:
				want := slices.IndexFunc(all, func(i instance) bool { return i.calls < concurrency && !i.stopping })
				created := want < 0 && exist() < limit
				if created {
					want = len(all)
					create()
				}
				i, gotCreated := s.take(limit, now)
				if gotCreated != created || (i == nil) != (want < 0) || i != nil && i.id != all[want].id {
					t.Fatalf("seed %d: took %+v, created: %v; want number %d of %+v", seed, i, gotCreated, want, all)
				}
				if i == nil {
					break
				}
				all[want].calls++
				calls = append(calls, i)
				full := !slices.ContainsFunc(all, func(i instance) bool { return !i.stopping && i.calls <= soft })
				ahead := s.startAhead(limit, now)
				if (ahead != nil) != (full && exist() < limit) {
					t.Fatalf("seed %d: started %+v ahead of %+v, soft %d", seed, ahead, all, soft)
				}
				if ahead != nil {
					create()
				}
			case action < 18 && len(calls) > 0:
				n := random.IntN(len(calls))
				i := &all[calls[n].id-1]
				i.calls--
				i.idleSince, i.starting = now, false
				s.release(calls[n], now)
				calls = slices.Delete(calls, n, n+1)
			case action == 18: // it ends, whether or not it has calls
				if n := some(func(i instance) bool { return i.idleSince >= 0 }); n >= 0 {
					calls = slices.DeleteFunc(calls, func(i *instance) bool { return i.id == all[n].id })
					s.remove(all[n].id, now)
					end(&all[n])
				}
			case action == 19:
				since := now - time.Duration(random.IntN(20))
				var want []InstanceID
				for n := range all {
					if isIdle(since)(all[n]) {
						want = append(want, all[n].id)
						if all[n].stopping = true; !s.preStop {
							end(&all[n])
						}
					}
				}
				if got := s.stopIdle(since, now); !slices.Equal(got, want) {
					t.Fatalf("seed %d: stopped %v, want %v", seed, got, want)
				}
			case action >= 20:
				if n := some(func(i instance) bool { return i.idleSince >= 0 }); n >= 0 {
					if i := &all[n]; i.starting {
						i.starting, i.idleSince = false, now
					}
					s.ready(all[n].id, now)
				}
			}
			if len(s.all) != exist() {
				t.Fatalf("seed %d: %d exist, want %d of %+v", seed, len(s.all), exist(), all)
			}
			since, ok := s.longestIdle()
			if ok != slices.ContainsFunc(all, isIdle(now)) || ok && (!slices.ContainsFunc(all, isIdle(since)) || slices.ContainsFunc(all, isIdle(since-1))) {
				t.Fatalf("seed %d: idle since %v, %v: %+v", seed, since, ok, all)
			}
		}
	}
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}
