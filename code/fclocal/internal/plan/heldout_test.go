package plan

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"fclocal/internal/trigger"
)

// heldOut is a simulator of its own: message by message, with arrivals that it draws
// itself, and none of the plan's code. Times are in seconds.
type heldOut struct {
	random *rand.Rand

	count, concurrency, inInstance int
	window, idleTimeout            float64
	call, event, spread, coldStart float64

	now     float64
	happens moments
	order   int

	windows  [][]float64 // of each task: when its messages came
	opened   []int       // windows so far, of each task
	waiting  [][]float64 // batches
	inFlight int
	live     []*heldOutInstance // the oldest first

	measured      float64 // from then on it counts
	latencies     []float64
	lag           int
	area, busy    float64
	since         float64 // of area and busy
	most, created int
}

type heldOutInstance struct {
	calls       int
	ready, idle float64
}

type moment struct {
	at    float64
	order int
	do    func()
}

type moments []moment

func (m moments) Len() int { return len(m) }
func (m moments) Less(i, j int) bool {
	return m[i].at < m[j].at || m[i].at == m[j].at && m[i].order < m[j].order
}
func (m moments) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *moments) Push(x any)   { *m = append(*m, x.(moment)) }
func (m *moments) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

func (h *heldOut) at(at float64, do func()) {
	h.order++
	heap.Push(&h.happens, moment{at, h.order, do})
}

// run lets messages come to each task, and measures from a time on.
func (h *heldOut) run(arrivals [][]float64, measured, end float64) {
	h.measured, h.since = measured, measured
	h.windows, h.opened = make([][]float64, len(arrivals)), make([]int, len(arrivals))
	for task := range arrivals {
		h.next(task, arrivals[task])
	}
	for len(h.happens) > 0 && h.happens[0].at < end {
		m := heap.Pop(&h.happens).(moment)
		h.pass(m.at)
		m.do()
		h.dispatch()
	}
	h.pass(end)
}

func (h *heldOut) next(task int, rest []float64) {
	if len(rest) > 0 {
		h.at(rest[0], func() {
			h.arrive(task, rest[0])
			for len(rest) > 1 && rest[1] == rest[0] { // those of a group
				rest = rest[1:]
				h.arrive(task, rest[0])
			}
			h.next(task, rest[1:])
		})
	}
}

func (h *heldOut) pass(to float64) {
	if to > h.since {
		h.area += float64(h.lag) * (to - h.since)
		for _, i := range h.live {
			if i.calls > 0 {
				h.busy += to - h.since
			}
		}
		h.since = to
	}
	h.now = to
}

func (h *heldOut) arrive(task int, at float64) {
	h.lag++
	h.windows[task] = append(h.windows[task], at)
	if len(h.windows[task]) == 1 {
		h.opened[task]++
		if number := h.opened[task]; h.window > 0 {
			h.at(at+h.window, func() {
				if h.opened[task] == number {
					h.close(task)
				}
			})
		}
	}
	if len(h.windows[task]) == h.count {
		h.close(task)
	}
}

func (h *heldOut) close(task int) {
	if len(h.windows[task]) > 0 {
		h.waiting = append(h.waiting, h.windows[task])
		h.windows[task] = nil
	}
}

func (h *heldOut) dispatch() {
	for h.inFlight < h.concurrency {
		if len(h.waiting) == 0 && h.window == 0 {
			oldest := -1
			for task, window := range h.windows {
				if len(window) > 0 && (oldest < 0 || window[0] < h.windows[oldest][0]) {
					oldest = task
				}
			}
			if oldest >= 0 {
				h.close(oldest)
			}
		}
		if len(h.waiting) == 0 {
			return
		}
		batch := h.waiting[0]
		h.waiting = h.waiting[1:]
		h.start(batch)
	}
}

func (h *heldOut) drawn(mean float64) float64 {
	return mean * (1 + h.spread*(2*h.random.Float64()-1))
}

func (h *heldOut) start(batch []float64) {
	h.live = slices.DeleteFunc(h.live, func(i *heldOutInstance) bool { return i.calls == 0 && h.now-i.idle >= h.idleTimeout })
	var in *heldOutInstance
	for _, i := range h.live {
		if i.calls < h.inInstance {
			in = i
			break
		}
	}
	if in == nil {
		in = &heldOutInstance{ready: h.now + h.drawn(h.coldStart)}
		h.live = append(h.live, in)
		if h.now > h.measured {
			h.created++
		}
	}
	in.calls++
	h.inFlight++
	h.most = max(h.most, len(h.live))
	h.at(max(h.now, in.ready)+h.drawn(h.call+h.event*float64(len(batch))), func() {
		in.calls--
		in.idle = h.now
		h.inFlight--
		h.lag -= len(batch)
		for _, at := range batch {
			if at >= h.measured {
				h.latencies = append(h.latencies, h.now-at)
			}
		}
	})
}

// arrivalsOf draws when messages come to each of some tasks.
func arrivalsOf(load Load, tasks int, windows bool, end float64, random *rand.Rand) [][]float64 {
	group := max(load.Group, 1)
	rate := load.Rate / float64(tasks) / float64(group) // of groups to a task
	every, long, high := load.Burst.Every.Seconds(), load.Burst.For.Seconds(), load.Burst.Rate
	var bursts []float64 // begin of each
	for at := 0.0; at < end; at += every {
		bursts = append(bursts, at+random.Float64()*(every-long))
	}
	all := make([][]float64, tasks)
	for task := range all {
		add := func(at float64) {
			for range group {
				all[task] = append(all[task], at)
			}
		}
		switch load.Arrivals {
		case Even: // one task's windows fill after another's
			apart := 1 / rate
			if windows {
				apart = 10 / (load.Rate / float64(tasks))
			}
			for at := (float64(task) + random.Float64()/100) / float64(tasks) * apart; at < end; at += 1 / rate {
				add(at)
			}
		case Poisson:
			for at := random.ExpFloat64() / rate; at < end; at += random.ExpFloat64() / rate {
				add(at)
			}
		case Bursts: // as many as in a burst, of which some do not come
			low := (every - high*long) / (every - long)
			for at := random.ExpFloat64() / (high * rate); at < end; at += random.ExpFloat64() / (high * rate) {
				begin := bursts[int(at/every)]
				if in := begin <= at && at < begin+long; in || random.Float64() < low/high {
					add(at)
				}
			}
		}
	}
	return all
}

// A simulator that has been written apart from the plan says the same of all kinds of
// arrivals, with one task and with several.
func TestHeldOut(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	const warmUp, lasts = 10.0, 240.0
	burst := Burst{Rate: 4, For: 2 * time.Second, Every: 20 * time.Second}
	for _, arrivals := range []struct {
		Arrivals
		group int
	}{{Even, 1}, {Poisson, 1}, {Bursts, 1}, {Even, 7}, {Poisson, 7}} {
		for _, tasks := range []int{1, 6} {
			for _, window := range []time.Duration{0, time.Second} {
				if arrivals.group > 1 && window == 0 && tasks > 1 {
					continue // takes time, and shows no more
				}
				t.Run(fmt.Sprintf("%s, groups of %d, %d tasks, %v", arrivals.Arrivals, arrivals.group, tasks, window), func(t *testing.T) {
					t.Parallel()
					load := Load{Partitions: 6, Rate: 100, For: lasts * time.Second, EventBytes: 500, Arrivals: arrivals.Arrivals, Burst: burst, Group: arrivals.group}
					want, got, seeds := figures{}, figures{}, 2
					if arrivals.Arrivals == Bursts {
						seeds = 4 // they differ much
					}
					for seed := range uint64(seeds) {
						h := heldOut{random: rand.New(rand.NewPCG(seed, 77)), count: 10, concurrency: 4, inInstance: 2, window: window.Seconds(), idleTimeout: 60,
							call: 0.1, event: 0.005, spread: 0.2, coldStart: 0.2}
						h.run(arrivalsOf(load, tasks, window > 0, warmUp+lasts, h.random), warmUp, warmUp+lasts)
						slices.Sort(h.latencies)
						percentile := func(share float64) float64 { return h.latencies[int(share*float64(len(h.latencies)-1))] }
						want.add(figures{percentile(0.5), percentile(0.99), float64(h.most), h.area / lasts, h.busy / lasts})

						c := Config{Load: load, Drain: true, Rules: trigger.Config{
							MaximumTasks: tasks, Concurrency: 4, CountBasedWindow: 10, TimeBasedWindow: window, BodyLimit: trigger.BodyLimitSynchronous,
							InstanceConcurrency: 2, MaxInstances: 100, IdleTimeout: time.Minute, ErrorsTolerated: true, Seed: seed,
						}, Function: Function{CallTime: 100 * time.Millisecond, EventTime: 5 * time.Millisecond, Spread: 0.2, ColdStart: 200 * time.Millisecond}}
						r := mustRun(t, c)
						got.add(figures{r.Latencies.Percentile(50).Seconds(), r.Latencies.Percentile(99).Seconds(), float64(r.PeakInstances), r.LagMean, r.BusySeconds / lasts})
					}
					for i, figure := range []struct {
						name      string
						tolerance float64
					}{{"p50", 0.03}, {"p99", 0.1}, {"instances", 0}, {"mean lag", 0.05}, {"billed time", 0.03}} {
						if math.Abs(got[i]-want[i]) > figure.tolerance*want[i] {
							t.Errorf("%s is %.4g, the other simulator has %.4g", figure.name, got[i]/float64(seeds), want[i]/float64(seeds))
						}
					}
				})
			}
		}
	}
}

// figures are what is compared, added up over seeds.
type figures [5]float64

func (f *figures) add(other figures) {
	for i := range f {
		f[i] += other[i]
	}
}
