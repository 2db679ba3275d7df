package plan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fclocal/internal/result"
	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
)

type sample = result.Sample // where a variable has the name of its package

func latencies(r Result) result.LatencyMs { return r.Totals.Run(result.Input{}).LatencyMs }

// rules are those of the project's s.yaml.
func rules() trigger.Config {
	return trigger.Config{
		MaximumTasks: 1, Concurrency: 26, CountBasedWindow: 10, TimeBasedWindow: 15 * time.Second,
		BodyLimit: trigger.BodyLimitSynchronous, RetryScale: 1, ErrorsTolerated: true, DeadLetterQueue: true,
		InstanceConcurrency: 26, MaxInstances: trigger.DefaultMaxInstances, IdleTimeout: time.Minute,
	}
}

func mustRun(t testing.TB, config Config) Result {
	t.Helper()
	result, err := Run(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// The experiments, with a function that sleeps 500 ms per event.
func TestExperiments(t *testing.T) {
	for concurrency, want := range map[int]int64{26: 1, 13: 2, 5: 6, 2: 13, 1: 26} {
		r := rules()
		r.CountBasedWindow, r.InstanceConcurrency = 1, concurrency
		result := mustRun(t, Config{
			Rules: r, Load: Load{Partitions: 1, Backlog: 1000, EventBytes: 500},
			Function: Function{EventTime: 500 * time.Millisecond, ColdStart: 100 * time.Millisecond}, Drain: true,
		})
		if result.InstancesCreated != want || result.PeakInFlight != 26 || result.Delivered != 1000 {
			t.Errorf("instanceConcurrency %d: %d instances, %d calls in flight, %d delivered; want %d, 26, 1000",
				concurrency, result.InstancesCreated, result.PeakInFlight, result.Delivered, want)
		}
	}
}

// Windows close as they were measured on the platform.
func TestWindows(t *testing.T) {
	for _, test := range []struct {
		count, seconds int
		rate           float64
		want           float64 // events per call
	}{
		{10, 3, 10, 10},
		{100, 3, 10, 30},
		{100, 0, 10, 1},
		{10, 0, 1000, 1},
	} {
		r := rules()
		r.CountBasedWindow, r.TimeBasedWindow = test.count, time.Duration(test.seconds)*time.Second
		result := mustRun(t, Config{
			Rules: r, Load: Load{Partitions: 1, Rate: test.rate, For: 5 * time.Minute, EventBytes: 500},
			Function: Function{CallTime: time.Millisecond}, Drain: true,
		})
		if got := float64(result.EventsInCalls) / float64(result.Calls); math.Abs(got-test.want) > 0.01*test.want {
			t.Errorf("%d/%d at %v a second: %.2f events per call, want %v", test.count, test.seconds, test.rate, got, test.want)
		}
	}
}

// With a TimeBasedWindow of 0, what comes while all slots are busy goes together
// when one comes up.
func TestWindowWithoutTimeUnderLoad(t *testing.T) {
	r := rules()
	r.CountBasedWindow, r.TimeBasedWindow, r.Concurrency = 100, 0, 1
	result := mustRun(t, Config{
		Rules: r, Load: Load{Partitions: 4, Rate: 100, For: time.Minute, EventBytes: 500},
		Function: Function{CallTime: 200 * time.Millisecond}, Drain: true,
	})
	if got := float64(result.EventsInCalls) / float64(result.Calls); got < 19 || got > 21 {
		t.Errorf("%.2f events per call, want 20", got)
	}
	// Up to 200 ms for the slot, and the call.
	if got := result.Latencies.Percentile(50); got < 280*time.Millisecond || got > 320*time.Millisecond {
		t.Errorf("p50 is %v, want 300 ms", got)
	}
}

func TestKeepsUp(t *testing.T) {
	// 26 calls of 10 events, each of 1 s, make 260 messages a second.
	for _, test := range []struct {
		rate  float64
		slope float64 // of the lag, per second
	}{{100, 0}, {250, 0}, {360, 100}, {520, 260}} {
		result := mustRun(t, Config{
			Rules: rules(), Load: Load{Partitions: 3, Rate: test.rate, For: 20 * time.Minute, EventBytes: 500},
			Function: Function{CallTime: 500 * time.Millisecond, EventTime: 50 * time.Millisecond}, Drain: true,
		})
		if want := test.slope == 0; result.KeepsUp != want {
			t.Errorf("%v a second: keeps up %v", test.rate, result.KeepsUp)
		}
		if slope := float64(result.LagEnd) / 1200; math.Abs(slope-test.slope) > 1 {
			t.Errorf("%v a second: the lag grows by %.1f a second, want %v", test.rate, slope, test.slope)
		}
		if result.LagMax < result.LagEnd || test.slope == 0 && result.LagMax > 2*int64(test.rate) {
			t.Errorf("%v a second: the lag is %d at most and %d at the end", test.rate, result.LagMax, result.LagEnd)
		}
		if !slices.ContainsFunc(result.Samples, func(s sample) bool {
			return s.At == 20*time.Minute && math.Abs(float64(s.Lag-result.LagEnd)) <= 0.01*float64(result.LagEnd)
		}) {
			t.Errorf("%v a second: no sample has the lag at the end of the load", test.rate)
		}
		if want := time.Duration(float64(result.LagEnd) / 260 * float64(time.Second)); (result.DrainTime - want).Abs() > 16*time.Second {
			t.Errorf("%v a second: drained in %v, want %v", test.rate, result.DrainTime, want)
		}
	}
}

// A curve's bursts come at the same time for all tasks, and the lag at the end of the
// load is that of all of them.
func TestTasksAreInTime(t *testing.T) {
	r := rules()
	r.MaximumTasks, r.Concurrency, r.CountBasedWindow, r.InstanceConcurrency = 12, 300, 50, 5
	load := Load{Partitions: 12, For: 240 * time.Second, EventBytes: 500}
	for minute := range time.Duration(4) {
		load.Rates = append(load.Rates, Rate{minute * time.Minute, 200}, Rate{minute*time.Minute + 50*time.Second, 6000})
	}
	load.Rates = append(load.Rates, Rate{4 * time.Minute, 0})
	result := mustRun(t, Config{Rules: r, Load: load, Drain: true,
		Function: Function{CallTime: 100 * time.Millisecond, EventTime: time.Millisecond, ColdStart: 200 * time.Millisecond}})
	// 120 calls a second begin, the first of each instance with a cold start; without one 18 are in flight.
	if result.PeakInstances < 7 || result.PeakInstances > 8 || result.LagMax < 1800 || result.LagMax > 2250 {
		t.Errorf("%d instances, a lag of %d", result.PeakInstances, result.LagMax)
	}
	// Half a window of each task, and 18 calls.
	if result.LagEnd < 1100 || result.LagEnd > 1300 {
		t.Errorf("the lag at the end is %d, want 1200", result.LagEnd)
	}
}

// Calls of 50 ms take one in twenty messages of a task that come one a second.
func TestLagOfManyTasks(t *testing.T) {
	r := rules()
	r.MaximumTasks, r.Concurrency, r.CountBasedWindow = 300, 300, 1
	result := mustRun(t, Config{Rules: r, Load: Load{Partitions: 300, Rate: 300, For: 2 * time.Minute, EventBytes: 500}, Drain: true,
		Function: Function{CallTime: 50 * time.Millisecond}})
	if result.LagMax < 15 || result.LagMax > 16 || result.LagEnd < 15 || result.LagEnd > 16 {
		t.Errorf("the lag is %d at most, %d at the end, want 15", result.LagMax, result.LagEnd)
	}
}

// An overload of 2 % shows in 10 minutes, be windows as large as 10 s of it.
func TestSmallOverload(t *testing.T) {
	for _, count := range []int{20, 3000, 10_000} {
		for rate, want := range map[float64]bool{950: true, 990: true, 1020: false, 1200: false} {
			r := rules() // 10 calls of 100 events a second each
			r.Concurrency, r.CountBasedWindow = 10, count
			for _, tasks := range []int{1, 4} {
				r.MaximumTasks = tasks
				c := Config{Rules: r, Load: Load{Partitions: 4, Rate: rate, For: 10 * time.Minute, EventBytes: 500},
					Function: Function{EventTime: 10 * time.Millisecond}, Drain: true}
				result := mustRun(t, c)
				if result.KeepsUp != want {
					t.Errorf("%v a second in batches of %d, %d tasks: keeps up %v", rate, count, tasks, result.KeepsUp)
				}
			}
		}
	}
}

// Little's law: the mean lag is the messages a second times their mean latency.
func TestLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	compared := 0
	for seed := range uint64(1000) {
		c := randomConfig(seed)
		c.Rules.ErrorsTolerated, c.Trouble.ErrorRate, c.Function.Timeout, c.Rules.BodyLimit, c.Drain = true, 0, 0, 1_000_000, true
		if len(c.Load.Rates) > 0 && c.Load.For > time.Hour || c.Load.Group > 3 { // the load is a few groups
			continue
		}
		r := mustRun(t, c)
		if r.DeadLettered+r.Discarded > 0 || r.Delivered < 100 {
			continue
		}
		compared++
		mean := r.Totals.Run(result.Input{}).LatencyMs.Mean / 1000
		if want := float64(r.Delivered) * mean / r.Wall.Seconds(); math.Abs(r.LagMean-want) > 0.05*want+0.5 {
			t.Errorf("seed %d: the mean lag is %v, want %v\n%+v", seed, r.LagMean, want, c.Load)
		}
	}
	if compared < 100 {
		t.Errorf("only %d compared", compared)
	}
}

// A window that fills once a second is not looked at at the same point each time.
func TestSamplesAreMeans(t *testing.T) {
	r := rules()
	r.CountBasedWindow = 100
	result := mustRun(t, Config{Rules: r, Load: Load{Partitions: 1, Rate: 100, For: 1000 * time.Second, EventBytes: 500}, Drain: true,
		Function: Function{CallTime: time.Millisecond}})
	for _, s := range result.Samples[10:900] {
		if s.Lag < 48 || s.Lag > 51 {
			t.Fatalf("the lag at %v is %d, want 49.6 on average", s.At, s.Lag)
		}
	}
	if math.Abs(result.LagMean-49.6) > 0.5 {
		t.Errorf("the mean lag is %v, want 49.6", result.LagMean)
	}
}

func TestProgress(t *testing.T) {
	c := Config{
		Rules: rules(), Load: Load{Partitions: 1, Rate: 1000, For: 20 * time.Minute, EventBytes: 500},
		Function: Function{CallTime: 10 * time.Millisecond}, Drain: true,
	}
	var told []float64
	c.Progress = func(done float64) { told = append(told, done) }
	mustRun(t, c)
	if n := len(told); n < 10 || !slices.IsSorted(told) || told[0] != 0 || told[n/2] < 0.4 || told[n/2] > 0.6 || told[n-1] < 0.9 || told[n-1] > 1 {
		t.Errorf("%d times: %v", n, told)
	}
}

func TestLatencies(t *testing.T) {
	r := rules() // 10 messages a second: a message waits up to 0.9 s for its window
	result := mustRun(t, Config{
		Rules: r, Load: Load{Partitions: 1, Rate: 10, For: 10 * time.Minute, EventBytes: 500},
		Function: Function{CallTime: 100 * time.Millisecond}, Drain: true,
	})
	for percent, want := range map[float64]time.Duration{10: 100, 50: 500, 100: 1000} {
		if got := result.Latencies.Percentile(percent); (got - want*time.Millisecond).Abs() > 5*time.Millisecond {
			t.Errorf("p%v is %v, want %v", percent, got, want*time.Millisecond)
		}
	}
	if result.Latencies.Count() != result.Delivered {
		t.Errorf("%d latencies of %d messages", result.Latencies.Count(), result.Delivered)
	}
}

// Large batches' latencies are as even as those of their messages.
func TestLatenciesOfLargeBatches(t *testing.T) {
	r := rules() // a window of 1000 fills in 10 s
	r.CountBasedWindow, r.TimeBasedWindow = 1000, 15*time.Second
	result := mustRun(t, Config{
		Rules: r, Load: Load{Partitions: 1, Rate: 100, For: 10 * time.Minute, EventBytes: 500},
		Function: Function{CallTime: 100 * time.Millisecond}, Drain: true,
	})
	for percent, want := range map[float64]float64{10: 1.1, 25: 2.6, 50: 5.1, 75: 7.6, 99: 10.0, 100: 10.1} {
		if got := result.Latencies.Percentile(percent).Seconds(); math.Abs(got-want) > 0.15 {
			t.Errorf("p%v is %.2f s, want %v", percent, got, want)
		}
	}
}

// What is lost or killed for its memory does not keep up, however small the lag.
func TestKeepsUpWithAllMessages(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   bool
	}{
		{"good", func(*Config) {}, true},
		{"some are retried", func(c *Config) { c.Trouble.ErrorRate = 0.05 }, true},
		{"all are lost", func(c *Config) { c.Trouble.ErrorRate = 1 }, false},
		{"too large", func(c *Config) { c.Rules.BodyLimit = 500 }, false},
		{"memory", func(c *Config) { c.Function.BaseMemory, c.Function.MemorySize = 101, 100 }, false},
		{"all of the memory", func(c *Config) { c.Function.BaseMemory, c.Function.MemorySize = 100, 100 }, true},
	} {
		for _, load := range []Load{{Rate: 1, For: time.Hour}, {Backlog: 3600}} {
			load.Partitions, load.EventBytes = 1, 500
			c := Config{Rules: rules(), Load: load, Function: Function{CallTime: time.Millisecond}, Drain: true}
			test.change(&c)
			if got := mustRun(t, c).KeepsUp; got != test.want {
				t.Errorf("%s, %+v: keeps up: %v", test.name, load, got)
			}
		}
	}
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-6*want }

// More than 292 years of calls together.
func TestLongSums(t *testing.T) {
	r := rules()
	r.Concurrency, r.InstanceConcurrency, r.CountBasedWindow, r.MaxInstances = 300, 1, 1, 300
	result := mustRun(t, Config{
		Rules: r, Load: Load{Partitions: 1, Backlog: 300 * 400, EventBytes: 500}, Drain: true,
		Function: Function{CallTime: day},
	})
	if want := 300 * 400 * day.Seconds(); !near(result.CallSeconds, want) || !near(result.InstanceSeconds, want) || !near(result.BusySeconds, want) {
		t.Errorf("%+v, want %v s", result, want)
	}
}

func TestInstanceTime(t *testing.T) {
	// A call of 1 s every 100 s: its instance goes away 60 s later.
	r := rules()
	r.CountBasedWindow = 1
	result := mustRun(t, Config{
		Rules: r, Load: Load{Partitions: 1, Rate: 0.01, For: 1000 * time.Second, EventBytes: 500},
		Function: Function{CallTime: 800 * time.Millisecond, ColdStart: 200 * time.Millisecond},
	})
	if result.InstancesCreated != 10 || result.PeakInstances != 1 || !near(result.InstanceSeconds, 610) || !near(result.BusySeconds, 10) || !near(result.CallSeconds, 10) || result.ColdStartTime != 2*time.Second {
		t.Errorf("%+v", result)
	}
}

// The initializer is in the cold start, and both hooks in the bill.
func TestHooks(t *testing.T) {
	r := rules()
	r.CountBasedWindow, r.PreStop = 1, true
	result := mustRun(t, Config{
		Rules: r, Load: Load{Partitions: 1, Rate: 0.01, For: 1000 * time.Second, EventBytes: 500}, Drain: true,
		Function: Function{CallTime: 800 * time.Millisecond, ColdStart: 200 * time.Millisecond, Initializer: 3 * time.Second, PreStop: 5 * time.Second},
	})
	// Each lives for a call of 4 s with its start, 60 s and its preStop.
	if result.InstancesCreated != 10 || result.ColdStartTime != 32*time.Second || !near(result.InstanceSeconds, 690) || !near(result.BusySeconds, 90) || !near(result.CallSeconds, 40) {
		t.Errorf("%d instances, started in %v, %v s in all, %v s busy, %v s of calls", result.InstancesCreated, result.ColdStartTime, result.InstanceSeconds, result.BusySeconds, result.CallSeconds)
	}
	if got := latencies(result).P50; math.Abs(got-4000) > 10 {
		t.Errorf("p50 is %v ms, want 4000", got)
	}
}

func TestInstanceSoftConcurrency(t *testing.T) {
	for _, test := range []struct {
		rate      float64
		soft      int
		instances int64
	}{{12.5, 13, 1}, {20.5, 13, 2}, {20.5, 26, 1}, {25.5, 26, 1}} {
		r := rules()
		r.CountBasedWindow, r.InstanceSoftConcurrency, r.Concurrency = 1, test.soft, 300
		result := mustRun(t, Config{
			Rules: r, Load: Load{Partitions: 1, Rate: test.rate, For: time.Minute, EventBytes: 500},
			Function: Function{CallTime: time.Second}, // so as many are in flight as come in a second
		})
		if result.InstancesCreated != test.instances {
			t.Errorf("%v a second, soft %d: %d instances, want %d", test.rate, test.soft, result.InstancesCreated, test.instances)
		}
		if math.Abs(result.BusySeconds-60) > 0.1 {
			t.Errorf("%v a second, soft %d: %v s busy, want those of the first instance", test.rate, test.soft, result.BusySeconds)
		}
	}
}

func TestInstanceGrowth(t *testing.T) {
	r := rules()
	r.Concurrency, r.InstanceConcurrency, r.MaxInstances, r.CountBasedWindow = 300, 1, 250, 1
	r.InstanceBurst, r.InstanceGrowth = 100, 100
	result := mustRun(t, Config{
		Rules: r, Load: Load{Partitions: 1, Backlog: 100_000, EventBytes: 500}, Function: Function{CallTime: 500 * time.Millisecond}, Drain: true,
	})
	if result.PeakInstances != 250 || result.Throttled == 0 {
		t.Errorf("%d instances, %d throttled", result.PeakInstances, result.Throttled)
	}
	for _, s := range result.Samples {
		if limit := min(250, 100+100*int(s.At/time.Minute)); s.Instances > limit {
			t.Fatalf("%d instances after %v", s.Instances, s.At)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		check  func(Result) bool
	}{
		{"all calls fail", func(c *Config) { c.Trouble.ErrorRate = 1 },
			func(r Result) bool { return r.DeadLettered == 1000 && r.Retries == 300 && r.Calls == 400 }},
		{"some calls fail", func(c *Config) { c.Trouble.ErrorRate = 0.2 },
			func(r Result) bool {
				return r.Retries > 10 && r.Retries < 50 && r.Delivered+r.DeadLettered == 1000 && r.Delivered > 900
			}},
		{"timeout", func(c *Config) { c.Function.Timeout = 50 * time.Millisecond },
			func(r Result) bool { return r.DeadLettered == 1000 && r.Timeouts > 0 && r.InstancesCreated > 1 }},
		{"not tolerated", func(c *Config) { c.Trouble.ErrorRate, c.Rules.ErrorsTolerated = 1, false },
			func(r Result) bool { return r.Stopped != "" && r.Pending == 1000 && !r.KeepsUp }},
		{"too large", func(c *Config) { c.Load.EventBytes = trigger.BodyLimitSynchronous },
			func(r Result) bool { return r.DeadLettered == 1000 && r.Calls == 0 }},
		{"body limit", func(c *Config) { c.Load.EventBytes = 10 << 20 },
			func(r Result) bool { return r.Delivered == 1000 && r.Calls == 334 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{
				Rules: rules(), Load: Load{Partitions: 1, Backlog: 1000, EventBytes: 500},
				Function: Function{CallTime: 100 * time.Millisecond}, Drain: true,
			}
			test.change(&c)
			if r := mustRun(t, c); !test.check(r) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func randomConfig(seed uint64) Config {
	random := rand.New(rand.NewPCG(seed, 9))
	one := func(values ...int) int { return values[random.IntN(len(values))] }
	c := Config{
		Rules: trigger.Config{
			MaximumTasks: one(1, 2, 5), Concurrency: one(1, 2, 7, 26), CountBasedWindow: one(1, 3, 10, 100),
			TimeBasedWindow: time.Duration(one(0, 0, 50, 1000, 15_000)) * time.Millisecond, BodyLimit: int64(one(50, 500, 1_000_000)),
			RetryStrategy:        []trigger.RetryStrategy{trigger.BackoffRetry, trigger.ExponentialDecayRetry}[random.IntN(2)],
			MaximumRetryAttempts: one(0, 1, 3), RetryScale: 1, ErrorsTolerated: random.IntN(4) > 0, DeadLetterQueue: random.IntN(2) == 0,
			InstanceConcurrency: one(1, 2, 20), MaxInstances: one(1, 3, 100), IdleTimeout: time.Duration(one(0, 1, 60)) * time.Second,
			Seed: seed,
		},
		Load: Load{
			Partitions: one(1, 2, 7), Backlog: int64(one(0, 0, 1, 500)), Rate: float64(one(0, 1, 30, 400)),
			For: time.Duration(one(0, 1, 7, 20)) * time.Second, EventBytes: one(10, 10, 48, 49),
		},
		Function: Function{
			CallTime: time.Duration(one(0, 20, 500)) * time.Millisecond, EventTime: time.Duration(one(0, 1, 50)) * time.Millisecond,
			ColdStart: time.Duration(one(0, 300)) * time.Millisecond, Timeout: time.Duration(one(0, 1, 300)) * time.Second,
			Spread:  []float64{0, 0.5, 1}[random.IntN(3)],
			CallCPU: time.Duration(one(0, 1, 30)) * time.Millisecond, EventCPU: time.Duration(one(0, 100, 5000)) * time.Microsecond,
			CPU: []float64{0.1, 0.5, 1, 1.5, 4}[random.IntN(5)], BaseMemory: 1, EventMemory: 1, FurtherEventMemory: 1,
		},
		Host:  []*Host{nil, {Cores: 2, CallCPU: time.Millisecond}, {Cores: 0.5, EventCPU: 100 * time.Microsecond}}[random.IntN(3)],
		Drain: random.IntN(4) > 0,
		Trouble: trouble.Trouble{
			ErrorRate: []float64{0, 0, 0.1, 0.8}[random.IntN(4)], Slow: time.Duration(one(0, 0, 100)) * time.Millisecond,
			Outages:       []trouble.Outages{nil, nil, {{From: 0, To: time.Second}, {From: 3 * time.Second, To: 40 * time.Second}}}[random.IntN(3)],
			KillInstances: time.Duration(one(0, 0, 200, 5000)) * time.Millisecond,
		},
	}
	c.Rules.InstanceBurst, c.Rules.InstanceGrowth = one(0, 1, 2), one(0, 2)
	c.Rules.InstanceSoftConcurrency = one(0, 0, 1, (c.Rules.InstanceConcurrency+1)/2)
	c.Rules.PreStop = random.IntN(4) == 0
	c.Function.Initializer, c.Function.PreStop = time.Duration(one(0, 0, 500))*time.Millisecond, time.Duration(one(0, 200, 5000))*time.Millisecond
	c.Load.Skew = []float64{0, 0, 0.7, 3}[random.IntN(4)]
	c.Load.Arrivals = []Arrivals{"", Even, Poisson, Poisson, Bursts, Bursts}[random.IntN(6)]
	switch random.IntN(4) {
	case 0: // within a day
		c.Load.Rate, c.Load.For = 0, c.Load.For+time.Second
		c.Load.Rates = []Rate{{0, float64(one(1, 30))}, {500_000_000, float64(one(0, 60, 400))}, {3 * time.Second, float64(one(0, 1, 100))}}
	case 1: // over days
		c.Load.Rate, c.Load.For = 0, time.Duration(one(30, 60))*time.Hour
		c.Load.Rates = []Rate{{0, 0}, {8 * time.Hour, 0.002}, {20 * time.Hour, 0.02}, {20*time.Hour + time.Minute, 0}}
	}
	if c.Load.For == 0 && c.Load.Arrivals == Bursts {
		c.Load.Arrivals = Poisson
	}
	c.Load.Group = one(0, 1, 3, 250)
	c.Load.Sizes = []*Samples{nil, nil, {Values: []float64{10, 20, 60}}}[random.IntN(3)]
	c.Function.Times = []Times{{}, {}, {&Samples{Values: []float64{0, 1e6, 3e7}}, random.IntN(2) == 0}}[random.IntN(3)]
	c.Load.Burst = Burst{[]float64{1, 2, 5}[random.IntN(3)], c.Load.For / 40, c.Load.For / 7}
	return c
}

// check finds figures that contradict each other or the configuration.
func check(c Config, r Result) error {
	load := int64(math.Round(c.Load.Rate*c.Load.For.Seconds() + count(c.Load.Rates, 0, c.Load.For)))
	if c.Load.Recording != nil {
		load = int64(len(c.Load.Recording.Records))
	}
	ahead := 0
	if soft := c.Rules.InstanceSoftConcurrency; soft > 0 {
		ahead = c.Rules.InstanceConcurrency - soft
	}
	limit := (c.Rules.Concurrency + ahead + c.Rules.InstanceConcurrency - 1) / c.Rules.InstanceConcurrency
	if c.Function.Timeout > 0 || c.Trouble.KillInstances > 0 {
		limit = c.Rules.Concurrency + 1 // an instance that ends leaves its slots to new ones
	}
	if c.Rules.PreStop {
		limit = c.Rules.MaxInstances
	}
	busyWithCalls := ahead == 0 && !c.Rules.PreStop
	rounding := 1e-3*float64(r.Calls) + 1e-6 // of busy periods
	for _, rule := range []struct {
		broken bool
		say    string
	}{
		{r.Delivered+r.DeadLettered+r.Discarded+r.Pending != r.Produced, "the accounting does not add up"},
		{r.Stopped == "" && r.Produced != c.Load.Backlog+load, "not all was produced"},
		{r.Latencies.Count() != r.Delivered, "messages without a latency"},
		{checkCauses(r) != nil, fmt.Sprint(checkCauses(r))},
		{r.Pending < 0 || r.Redelivered != 0, "pending or redelivered"},
		{c.Drain && r.Stopped == "" && r.Pending != 0, "not drained"},
		{r.PeakInFlight > c.Rules.Concurrency, "calls in flight"},
		{r.PeakInstances > min(limit, c.Rules.MaxInstances), "instances"},
		{r.Stopped != "" && c.Rules.ErrorsTolerated, "stopped"},
		{r.EventsInCalls > r.Calls*int64(c.Rules.CountBasedWindow), "events per call"},
		{r.BusySeconds > r.InstanceSeconds+rounding || busyWithCalls && r.CallSeconds < r.BusySeconds-rounding, "times of instances and calls"},
		{r.Timeouts+r.Killed == 0 && c.Drain && r.CPUSeconds > r.BusySeconds*c.Function.CPU+1e-6, "CPU time of instances"},
		{r.Timeouts+r.Killed == 0 && c.Drain && c.Host != nil && r.CPUSeconds > r.Wall.Seconds()*c.Host.Cores+1e-6, "CPU time of the host"},
		{r.PeakMemory > 1+int64(c.Rules.InstanceConcurrency*c.Rules.CountBasedWindow), "events in flight in an instance"},
		{r.CallSeconds+r.RetryingSeconds > r.Wall.Seconds()*float64(c.Rules.Concurrency)+1e-6, "times of slots"},
		{r.LagEnd > r.LagMax || r.LagMax > c.Load.Backlog+load, "lag"},
		{r.Samples[0].At != 0 || r.Samples[len(r.Samples)-1].At != r.Wall, "ends of the samples"},
		{r.Stopped == "" && r.Samples[len(r.Samples)-1].Lag != r.Pending, "lag at the end of the samples"},
		{r.Killed > 0 && c.Trouble.KillInstances == 0 || r.Killed > r.InstancesCreated, "instances killed"},
		{reflect.ValueOf(c.Trouble).IsZero() && r.Retries > 0 && r.Throttled == 0 && r.Timeouts == 0, "retries without a failure"},
	} {
		if rule.broken {
			return errors.New(rule.say)
		}
	}
	for i, s := range r.Samples {
		if i > 0 && s.At <= r.Samples[i-1].At || s.EventsPerSecond < 0 || s.Instances > c.Rules.MaxInstances || s.InFlight > c.Rules.Concurrency || s.Lag < 0 || s.Lag > r.LagMax {
			return fmt.Errorf("sample %d: %+v", i, s)
		}
	}
	return nil
}

func TestRulesHoldForAnyPlan(t *testing.T) {
	runs := uint64(3000)
	if testing.Short() {
		runs = 300
	}
	for seed := range runs {
		c := randomConfig(seed)
		r := mustRun(t, c)
		if err := check(c, r); err != nil {
			r.Samples = nil
			t.Fatalf("seed %d: %v\n%+v\n%+v", seed, err, c, r)
		}
		if seed%20 == 0 {
			advise(t, c, r)
		}
	}
}

func TestSameSeedSameAnswer(t *testing.T) {
	for seed := range uint64(100) {
		first, second := mustRun(t, randomConfig(seed)), mustRun(t, randomConfig(seed))
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("seed %d:\n%+v\n%+v", seed, first, second)
		}
	}
}

// Messages told in runs get the same answer as when each is told at its arrival.
func TestRunsOfMessagesChangeNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	compared := 0
	for seed := range uint64(1000) {
		c := randomConfig(seed)
		// No chance: calls of the same moment would draw in an order that may differ.
		c.Function.Spread, c.Trouble, c.Function.Timeout, c.Function.Times = 0, trouble.Trouble{}, 0, Times{}
		c.Rules.MaxInstances, c.Rules.InstanceBurst = 100, 0
		c.Load.Arrivals = Even
		// No ties: of what happens at the same moment, either may come first.
		c.Function.CallTime += 7_654_321
		c.Function.EventTime += 1_237
		tie := false
		arrivals := map[time.Duration]bool{}
		each := newDriver(c)
		for _, task := range each.tasks {
			for number := task.backlog; number < task.total; number++ {
				at := task.arrival(number)
				tie = tie || arrivals[at]
				arrivals[at] = true
				each.queue.set(&event{kind: tell, task: task, index: -1}, at)
			}
		}
		if tie {
			continue
		}
		compared++
		if err := each.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		want, got := each.finish(), mustRun(t, c)
		if got.Calls != want.Calls || got.Wall != want.Wall || got.InstancesCreated != want.InstancesCreated ||
			latencies(got) != latencies(want) {
			t.Errorf("seed %d: %d calls, %v, %d instances, %+v; want %d, %v, %d, %+v", seed,
				got.Calls, got.Wall, got.InstancesCreated, latencies(got),
				want.Calls, want.Wall, want.InstancesCreated, latencies(want))
		}
	}
	if compared < 500 {
		t.Errorf("only %d configurations were compared", compared)
	}
}

func TestMistakes(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"there must be 1 partition or more":                 func(c *Config) { c.Load.Partitions = 0 },
		"the load must not be negative":                     func(c *Config) { c.Load.Backlog = -1 },
		"the rate must be a number":                         func(c *Config) { c.Load.Rate = math.NaN() },
		"at most 10^15 messages":                            func(c *Config) { c.Load.Rate = 1e15 },
		"times must not be negative":                        func(c *Config) { c.Function.CallTime = -1 },
		"the spread must be from 0 to 1":                    func(c *Config) { c.Function.Spread = 1.1 },
		"--error-rate -0.1: it must be from 0 to 1":         func(c *Config) { c.Trouble.ErrorRate = -0.1 },
		"more than ten years":                               func(c *Config) { c.Load.Rate, c.Load.For = 1e-9, math.MaxInt64 },
		"more than a day":                                   func(c *Config) { c.Function.EventTime = 25 * time.Hour },
		"one rate or those of a day":                        func(c *Config) { c.Load.Rates = []Rate{{0, 1}} },
		"the rates must be numbers of 0 or more":            func(c *Config) { c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 1}, {time.Hour, -1}} },
		"the rates must not all be 0":                       func(c *Config) { c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 0}} },
		"the rates' times must begin at 0 and ascend":       func(c *Config) { c.Load.Rate, c.Load.Rates = 0, []Rate{{time.Minute, 1}} },
		"the rates' times must begin at 0 and ascend ":      func(c *Config) { c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 1}, {0, 1}} },
		"ascend below 24 h":                                 func(c *Config) { c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 1}, {day, 1}} },
		"within the 1h0m0s of the load all rates are 0":     func(c *Config) { c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 0}, {time.Hour, 1}} },
		"plan: there must be at most 10^15 messages":        func(c *Config) { c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 1}, {time.Minute, 1e15}} },
		"arrivals must be poisson, even or bursts":          func(c *Config) { c.Load.Arrivals = "odd" },
		"the skew must be from 0 to 5":                      func(c *Config) { c.Load.Skew = 5.1 },
		"with a skew there must be at most 10^6 partitions": func(c *Config) { c.Load.Skew, c.Load.Partitions = 1, 2e6 },
	} {
		c := Config{Rules: rules(), Load: Load{Partitions: 1, Rate: 1, For: time.Hour}}
		change(&c)
		if _, err := Run(context.Background(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Config{Rules: rules(), Load: Load{Partitions: 1, Rate: 1, For: time.Hour}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A day of 100,000 messages a second is this a hundred times over: go test
// -bench Day -benchtime 100x.
func BenchmarkDay(b *testing.B) {
	r := rules()
	r.MaximumTasks, r.Concurrency, r.CountBasedWindow, r.InstanceConcurrency, r.MaxInstances = 300, 300, 1000, 1, 300
	result := mustRun(b, Config{
		Rules:    r,
		Load:     Load{Partitions: 300, Rate: 100_000, For: 864 * time.Second * time.Duration(b.N), EventBytes: 1000},
		Function: Function{CallTime: 500 * time.Millisecond, EventTime: 2 * time.Millisecond, Spread: 0.5, Timeout: longestCall},
		Drain:    true,
	})
	b.ReportMetric(float64(result.Calls)/b.Elapsed().Seconds(), "calls/s")
}

// Arrivals by chance cost little more than even ones, however many there are.
func BenchmarkArrivals(b *testing.B) {
	for _, kind := range []struct {
		arrivals Arrivals
		group    int
	}{{Poisson, 1}, {Bursts, 1}, {Bursts, 10}} {
		b.Run(fmt.Sprintf("%s-%d", kind.arrivals, kind.group), func(b *testing.B) {
			day := func(arrivals Arrivals, group int) time.Duration {
				r := rules()
				r.MaximumTasks, r.Concurrency, r.CountBasedWindow, r.InstanceConcurrency, r.MaxInstances = 300, 300, 1000, 1, 300
				begin := time.Now()
				mustRun(b, Config{
					Rules: r,
					Load: Load{Partitions: 300, Rate: 100_000, For: 24 * time.Hour / 50, EventBytes: 1000,
						Arrivals: arrivals, Group: group, Burst: Burst{Rate: 1.3, For: 10 * time.Second, Every: 5 * time.Minute}},
					Function: Function{CallTime: 500 * time.Millisecond, EventTime: 2 * time.Millisecond, Spread: 0.5, Timeout: longestCall},
					Drain:    true,
				})
				return time.Since(begin)
			}
			var even, other time.Duration
			for b.Loop() {
				even += day(Even, 1)
				other += day(kind.arrivals, kind.group)
			}
			b.ReportMetric(other.Seconds()/even.Seconds(), "times-even")
		})
	}
}
