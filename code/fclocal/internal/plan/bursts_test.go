package plan

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each Every has a burst of that length and rate, and as many messages as without it.
func TestBursts(t *testing.T) {
	daily := []Rate{{0, 50}, {8 * time.Hour, 400}, {20 * time.Hour, 100}}
	for name, load := range map[string]Load{
		"steady":   {Rate: 100, For: 10*time.Hour + 2*time.Minute},
		"one rate": {Rates: daily[:1], For: 10 * time.Hour},
		"days":     {Rates: daily, For: 50 * time.Hour},
		"on-off":   {Rate: 100, For: 10 * time.Hour, Burst: Burst{Rate: 5, For: time.Minute, Every: 5 * time.Minute}},
	} {
		load.Partitions, load.Arrivals = 1, Bursts
		if load.Burst.Rate == 0 {
			load.Burst = Burst{Rate: 4, For: 20 * time.Second, Every: 5 * time.Minute}
		}
		b := load.Burst
		with, other := newCurve(load, 1), newCurve(load, 2)
		load.Arrivals = Poisson
		count := func(from, to time.Duration) float64 { // without bursts
			if c := newCurve(load, 1); c != nil {
				return c.passed(to) - c.passed(from)
			}
			return load.steadyRate() * float64(to-from)
		}
		var moments []time.Duration
		for start := time.Duration(0); start < load.For; start += b.Every {
			end := min(start+b.Every, load.For)
			if got, want := with.passed(end)-with.passed(start), count(start, end); math.Abs(got-want) > 1e-6*want {
				t.Fatalf("%s: %v messages from %v to %v, want %v", name, got/1e9, start, end, want/1e9)
			}
			bursting := time.Duration(0)
			first := time.Duration(-1)
			for at := start; at < end; at += time.Second {
				if got, want := with.passed(at+time.Second)-with.passed(at), b.Rate*count(at, at+time.Second); math.Abs(got-want) < 1e-6*want {
					bursting += time.Second
					if first < 0 {
						first = at - start
					}
				}
			}
			if want := b.For - time.Second; end-start == b.Every && (bursting < want || bursting > b.For) || end-start < b.Every && bursting > 0 {
				t.Fatalf("%s: a burst of %v from %v to %v", name, bursting, start, end)
			}
			if end-start == b.Every {
				moments = append(moments, first)
			}
		}
		slices.Sort(moments)
		if n := len(moments); moments[n/4] > 2*time.Minute || moments[n*3/4] < 150*time.Second {
			t.Errorf("%s: bursts come at the same time of each %v: %v", name, b.Every, moments)
		}
		if slices.Equal(with.segments, other.segments) {
			t.Errorf("%s: another seed has the same bursts", name)
		}
	}
}

func TestBurstMistakes(t *testing.T) {
	good := Burst{Rate: 5, For: 10 * time.Second, Every: 5 * time.Minute}
	load := Load{Rate: 1, For: time.Hour, Burst: good}
	if err := load.CheckBursts(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Burst){
		"--burst-rate 5 for 2m0s of each 5m0s is 2 times what comes at the mean rate, so that nothing is left between bursts: --burst-rate can be at most 2.5": func(b *Burst) { b.For = 2 * time.Minute },
		"--burst-rate 0.5: it must be 1 or more times the mean rate":                                                                                           func(b *Burst) { b.Rate = 0.5 },
		"--burst-rate NaN: it must be 1 or more times the mean rate":                                                                                           func(b *Burst) { b.Rate = math.NaN() },
		"--burst-for 0s and --burst-every 5m0s: they must be above 0":                                                                                          func(b *Burst) { b.For = 0 },
		"--burst-for 10s: it must be at most the 5s of --burst-every":                                                                                          func(b *Burst) { b.Every = 5 * time.Second },
		"--burst-every 2h0m0s: there is none within the 1h0m0s of the load: shorten it, or lengthen --for":                                                     func(b *Burst) { b.Every = 2 * time.Hour },
		"--burst-every 1ms: there must be at most a million of them within the 1h0m0s of the load": func(b *Burst) {
			*b = Burst{Rate: 1, For: time.Millisecond, Every: time.Millisecond}
		},
	} {
		l := load
		change(&l.Burst)
		if err := l.CheckBursts(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	many := Load{Rates: make([]Rate, 1000), For: 3000 * day, Burst: good}
	if err := many.CheckBursts(); err == nil || !strings.HasPrefix(err.Error(), "with bursts the rate may change a million times at most within the 72000h0m0s of the load") {
		t.Error(err)
	}
	c := Config{Rules: rules(), Load: Load{Partitions: 1, Rate: 1, For: time.Minute, Arrivals: Bursts, Burst: good}}
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "plan: --burst-every 5m0s: there is none") {
		t.Error(err)
	}
}

// A group is on a partition, and so in a window, at once.
func TestGroups(t *testing.T) {
	for _, arrivals := range []Arrivals{Even, Poisson, Bursts} {
		r := rules()
		r.CountBasedWindow, r.TimeBasedWindow, r.MaximumTasks = 40, 0, 3
		result := mustRun(t, Config{Rules: r, Load: Load{
			Partitions: 3, Rate: 20, For: 20 * time.Minute, EventBytes: 500, Group: 40,
			Arrivals: arrivals, Burst: Burst{Rate: 2, For: 10 * time.Second, Every: time.Minute},
		}, Drain: true, Function: Function{CallTime: time.Millisecond}})
		if result.Calls != 600 || result.Delivered != 24_000 || latencies(result).P99 > 2 {
			t.Errorf("%s: %d calls of %d messages, p99 %v ms; want 600 of 24000 without a wait", arrivals, result.Calls, result.Delivered, latencies(result).P99)
		}
	}
}
