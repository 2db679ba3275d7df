package plan

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"fclocal/internal/trigger"
)

// The calls of an instance share its cpu: their number does not matter, that of
// the instances does.
func TestCPUIsShared(t *testing.T) {
	for _, test := range []struct {
		name                             string
		concurrency, instanceConcurrency int
		cpu                              float64
		host                             *Host
		want                             float64 // calls a second
	}{
		{"one call", 1, 1, 0.1, nil, 10},
		{"many calls in one instance", 26, 26, 0.1, nil, 10},
		{"two instances", 26, 13, 0.1, nil, 20},
		{"26 instances", 26, 1, 0.1, nil, 260},
		{"one call has one core at most", 1, 1, 4, nil, 100},
		{"several have all of them", 26, 26, 4, nil, 400},
		{"26 instances on a host of two cores", 26, 1, 1, &Host{Cores: 2}, 200},
		{"one of one thread leaves a core free", 26, 26, 1, &Host{Cores: 2}, 100},
		// For 3.75 of 11.25 ms it works on both cores, and leaves 2/3 of one to the call.
		{"the stream beside one instance", 26, 26, 1, &Host{Cores: 2, CallCPU: 5 * time.Millisecond}, 1000 / 11.25},
		{"the stream beside 26 instances", 26, 1, 1, &Host{Cores: 2, CallCPU: 5 * time.Millisecond, EventCPU: 5 * time.Millisecond}, 100},
		{"the stream limits", 26, 1, 1, &Host{Cores: 2, CallCPU: 90 * time.Millisecond}, 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := rules()
			r.CountBasedWindow, r.Concurrency, r.InstanceConcurrency = 1, test.concurrency, test.instanceConcurrency
			result := mustRun(t, Config{
				Rules: r, Load: Load{Partitions: 1, Backlog: 10_000, EventBytes: 500}, Host: test.host,
				Function: Function{CallCPU: 6 * time.Millisecond, EventCPU: 4 * time.Millisecond, CPU: test.cpu, BaseMemory: 1000, EventMemory: 3, FurtherEventMemory: 1},
				Drain:    true,
			})
			if got := float64(result.Calls) / result.Wall.Seconds(); math.Abs(got-test.want) > test.want/100 {
				t.Errorf("%.2f calls a second, want %v", got, test.want)
			}
			if !near(result.CPUSeconds, 100) || result.PeakMemory != 1002+int64(test.instanceConcurrency) {
				t.Errorf("%v s of CPU time, %d bytes in an instance", result.CPUSeconds, result.PeakMemory)
			}
		})
	}
}

func TestCPUTimeAndWait(t *testing.T) {
	config := Config{
		Rules: rules(), Load: Load{Partitions: 1, Backlog: 10, EventBytes: 500}, Drain: true,
		Function: Function{
			CallCPU: time.Millisecond, EventCPU: time.Millisecond, CPU: 0.1, CallTime: 30 * time.Millisecond,
			EventTime: time.Millisecond, ColdStart: 50 * time.Millisecond, Timeout: time.Second,
		},
	}
	if r := mustRun(t, config); r.Wall != 200*time.Millisecond || r.Delivered != 10 {
		t.Errorf("%v, want 50 ms to start, 110 of CPU time and 40 to wait", r.Wall)
	}
	for timeout, timesOut := range map[time.Duration]bool{151: false, 150: false, 149: true, 100: true} {
		config.Function.Timeout = timeout * time.Millisecond
		if r := mustRun(t, config); r.Timeouts > 0 != timesOut {
			t.Errorf("a call of 150 ms with a timeout of %d ms: %d timed out", timeout, r.Timeouts)
		}
	}
}

// A call that takes as long as it may succeeds, whatever it ends with.
func TestCPUTimeOfTheTimeout(t *testing.T) {
	for timeout, timesOut := range map[time.Duration]bool{10 * time.Millisecond: false, 10*time.Millisecond - 1: true} {
		for _, function := range []Function{{CallCPU: 10 * time.Millisecond, CPU: 1}, {CallTime: 10 * time.Millisecond}} {
			function.Timeout = timeout
			r := mustRun(t, Config{Rules: rules(), Load: Load{Partitions: 1, Backlog: 10, EventBytes: 500}, Function: function, Drain: true})
			if r.Timeouts > 0 != timesOut {
				t.Errorf("%+v: %d calls timed out", function, r.Timeouts)
			}
		}
	}
}

// Whatever the order of jobs, a process of one thread is never idle while it has
// some; those that need no more than a time slice are done in their order.
func TestStationIsFair(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 3))
		var c cores
		s := station{limit: []float64{0.1, 0.5, 1}[random.IntN(3)]}
		longest := []time.Duration{time.Millisecond, 50 * time.Millisecond}[random.IntN(2)]
		idle := time.Duration(0) // when all will be done
		var order, done []*event
		finish := func() {
			if e := c.pop(c.next()); e != nil {
				done = append(done, e)
			}
		}
		for range 100 {
			arrives := c.at + time.Duration(random.ExpFloat64()*float64(longest)/s.limit)
			for c.next() <= arrives {
				finish()
			}
			work := time.Duration(random.Int64N(int64(longest)))
			idle = max(idle, arrives) + time.Duration(float64(work)/s.limit)
			e := &event{}
			order = append(order, e)
			c.add(arrives, &s, work, e)
		}
		for c.next() < never {
			finish()
		}
		if off := (c.at - idle).Abs(); off > 2*time.Microsecond || len(done) != len(order) {
			t.Fatalf("seed %d: %d of %d jobs are done, %v from when they should be", seed, len(done), len(order), off)
		}
		if inOrder := slices.Equal(order, done); longest == time.Millisecond && !inOrder {
			t.Fatalf("seed %d: short jobs overtake each other", seed)
		}
	}
}

// A long call does not hold up a short one for more than a time slice.
func TestTimeSlice(t *testing.T) {
	var c cores
	s := station{limit: 1}
	long, short := &event{}, &event{}
	c.add(0, &s, time.Second, long)
	c.add(0, &s, 5*time.Millisecond, short)
	for {
		if e := c.pop(c.next()); e == short && c.at == 15*time.Millisecond {
			break
		} else if e != nil {
			t.Fatalf("a call is done after %v", c.at)
		}
	}
	for c.pop(c.next()) == nil {
	}
	if c.at != 1005*time.Millisecond {
		t.Errorf("the long call is done after %v", c.at)
	}
}

func TestCPUMistakes(t *testing.T) {
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Function: Function{CallCPU: 1}}, "CPU time needs a cpu above 0"},
		{Config{Function: Function{CallCPU: -1, CPU: 1}}, "CPU times must be from 0 to a day"},
		{Config{Function: Function{CPU: math.NaN()}}, "CPU time needs a cpu above 0"},
		{Config{Function: Function{EventMemory: -1}}, "memory must not be negative"},
		{Config{Host: &Host{}}, "a host must have cores"},
		{Config{Host: &Host{Cores: 1, EventCPU: -1}}, "CPU times from 0 to a day"},
	} {
		test.config.Rules, test.config.Load = trigger.Config{}, Load{Partitions: 1}
		if err := test.config.check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}
