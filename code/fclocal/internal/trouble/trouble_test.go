package trouble

import (
	"math"
	"slices"
	"testing"
	"time"

	"fclocal/internal/trigger"
)

func TestOutages(t *testing.T) {
	var o Outages
	for _, text := range []string{"10s-70s", "1d-1d2h,0-500ms"} {
		if err := o.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	const day = 24 * time.Hour
	if want := (Outages{{10 * time.Second, 70 * time.Second}, {day, day + 2*time.Hour}, {0, 500 * time.Millisecond}}); !slices.Equal(o, want) {
		t.Errorf("%v, want %v", o, want)
	}
	for at, in := range map[time.Duration]bool{0: true, 500 * time.Millisecond: false, 10 * time.Second: true, 70*time.Second - 1: true, 70 * time.Second: false, day + time.Hour: true} {
		if fails := (Trouble{Outages: o}).Call(0, 1, at); (fails == ErrOutage) != in {
			t.Errorf("at %v: %v", at, fails)
		}
	}
	before := slices.Clone(o)
	for _, text := range []string{"", "10s", "10s-", "-10s", "10s-10s", "20s-10s", "-1s-10s", "1s-2s,", "1s-2s,3", "1s-2s-3s", "a-b"} {
		if err := o.Set(text); err != errOutage || !slices.Equal(o, before) {
			t.Errorf("%q: %v, and they are %v", text, err, o)
		}
	}
}

// A share of the calls fails, others with another seed, and in an outage all fail by it.
func TestCalls(t *testing.T) {
	const n = 100_000
	failing := Trouble{ErrorRate: 0.25}
	failed, both := 0, 0
	for call := trigger.CallID(1); call <= n; call++ {
		first, second := failing.Call(1, call, 0), failing.Call(2, call, 0)
		if first != nil && first != ErrAnswer {
			t.Fatal(first)
		}
		if first != nil {
			failed++
			if second != nil {
				both++
			}
		}
		if first != failing.Call(1, call, time.Hour) {
			t.Fatal("the same call fails once and not again")
		}
		if (Trouble{}).Call(1, call, 0) != nil || (Trouble{ErrorRate: 1}).Call(1, call, 0) != ErrAnswer {
			t.Fatal("a call fails without trouble, or does not with all of it")
		}
	}
	if share := float64(failed) / n; math.Abs(share-0.25) > 0.005 {
		t.Errorf("%v of the calls fail", share)
	}
	if share := float64(both) / n; math.Abs(share-0.0625) > 0.005 {
		t.Errorf("%v fail with both seeds", share)
	}
	in := Trouble{ErrorRate: 1, Outages: Outages{{0, time.Second}}}
	if in.Call(1, 1, 0) != ErrOutage || in.Call(1, 1, time.Second) != ErrAnswer {
		t.Error("in an outage, calls must fail by it")
	}
}

// Instances live for so long on average, and what may happen at any moment spreads by as much.
func TestLives(t *testing.T) {
	const n = 100_000
	sum, squares := 0.0, 0.0
	for id := trigger.InstanceID(1); id <= n; id++ {
		life, ok := (Trouble{KillInstances: time.Minute}).Life(7, id)
		if !ok || life < 0 {
			t.Fatal(life, ok)
		}
		sum += life.Seconds()
		squares += life.Seconds() * life.Seconds()
	}
	mean := sum / n
	if spread := math.Sqrt(squares/n - mean*mean); math.Abs(mean-60) > 1 || math.Abs(spread-60) > 2 {
		t.Errorf("mean %v s, spread %v s", mean, spread)
	}
	if _, ok := (Trouble{}).Life(7, 1); ok {
		t.Error("without trouble an instance is killed")
	}
}
