package plan

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"fclocal/internal/result"
	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
)

// seeFewer lets figures stand after fewer calls and less time, for tests.
func seeFewer(t *testing.T) {
	calls, period := callsSeen, firstPeriod
	t.Cleanup(func() { callsSeen, firstPeriod = calls, period })
	callsSeen, firstPeriod = 3_000, 10*time.Second
}

// steadyConfig is a random load that is steady.
func steadyConfig(seed uint64) Config {
	random := rand.New(rand.NewPCG(seed, 10))
	one := func(values ...int) int { return values[random.IntN(len(values))] }
	c := Config{
		Rules: trigger.Config{
			MaximumTasks: one(1, 4, 12), Concurrency: one(10, 26, 100), CountBasedWindow: one(1, 1, 3, 10),
			TimeBasedWindow: time.Duration(one(0, 1, 2)) * time.Second, BodyLimit: trigger.BodyLimitSynchronous,
			RetryScale: 1, ErrorsTolerated: true, InstanceConcurrency: one(1, 5, 26), MaxInstances: 300, IdleTimeout: time.Duration(one(5, 20)) * time.Second,
			Seed: seed,
		},
		Load: Load{Partitions: one(1, 12, 48), For: 11 * time.Minute, EventBytes: 1000, Arrivals: []Arrivals{Even, Poisson, Poisson}[random.IntN(3)]},
		Function: Function{
			CallTime: time.Duration(one(20, 60, 200)) * time.Millisecond, EventTime: time.Duration(one(0, 1, 3)) * time.Millisecond,
			ColdStart: time.Duration(one(0, 200, 2000)) * time.Millisecond, Spread: []float64{0, 0.2, 1}[random.IntN(3)],
		},
		Drain: true, EndEarly: true,
	}
	c.Load.Skew = []float64{0, 0, 1}[random.IntN(3)]
	call := c.Function.CallTime + time.Duration(c.Rules.CountBasedWindow)*c.Function.EventTime
	calls := min((0.2+0.7*random.Float64())*float64(c.Rules.Concurrency)/call.Seconds(), 40)
	c.Load.Rate = calls * float64(c.Rules.CountBasedWindow)
	return c
}

func TestEarlyEndIsLikeTheWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	seeFewer(t)
	ended, simulated := 0, time.Duration(0)
	for seed := range uint64(10) {
		c := steadyConfig(seed)
		early := mustRun(t, c)
		if early.Simulated == 0 {
			continue
		}
		ended++
		simulated += early.Simulated
		c.EndEarly = false
		whole := mustRun(t, c)
		if err := check(c, early); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		want, got := latencies(whole), latencies(early)
		for _, f := range []struct {
			name      string
			whole     float64
			early     float64
			tolerance float64
		}{
			{"messages", float64(whole.Produced), float64(early.Produced), 0},
			{"p50", want.P50, got.P50, 0.03},
			{"p95", want.P95, got.P95, 0.03},
			{"mean latency", want.Mean, got.Mean, 0.03},
			{"calls", float64(whole.Calls), float64(early.Calls), 0.01},
			{"billed time", whole.BusySeconds, early.BusySeconds, 0.01},
			{"mean lag", whole.LagMean, early.LagMean, 0.05},
			{"time", whole.Wall.Seconds(), early.Wall.Seconds(), 0.005},
		} {
			if math.Abs(f.early-f.whole) > f.tolerance*f.whole {
				t.Errorf("seed %d, %v of it simulated: %s %v, of the whole %v", seed, early.Simulated, f.name, f.early, f.whole)
			}
		}
		if early.KeepsUp != whole.KeepsUp {
			t.Errorf("seed %d: keeps up %v, of the whole %v", seed, early.KeepsUp, whole.KeepsUp)
		}
		checkHours(t, c, early)
	}
	if ended < 4 {
		t.Errorf("only %d ended early", ended)
	}
	if mean := simulated / time.Duration(max(ended, 1)); mean > 4*time.Minute {
		t.Errorf("%v of 11 min were simulated on average", mean)
	}
}

// checkHours finds hours that do not add up to the sums of a run.
func checkHours(t *testing.T, c Config, r Result) {
	t.Helper()
	var all trigger.Usage
	for _, hour := range r.Usage {
		all = plus(all, hour, 1)
	}
	if all.Calls != r.Calls || all.Events != r.Produced || math.Abs(all.Busy.Seconds()-r.BusySeconds) > 1e-6 || math.Abs(float64(all.EventBytes)/float64(r.Produced*int64(c.Load.EventBytes))-1) > 1e-6 {
		t.Errorf("the hours have %+v, the run %d calls of %d messages, %v s", all, r.Calls, r.Produced, r.BusySeconds)
	}
}

// A load of days is billed by the hour like one of minutes, and its last hour is not
// fuller for what came later.
func TestEarlyEndHours(t *testing.T) {
	seeFewer(t)
	r := rules()
	r.CountBasedWindow, r.IdleTimeout = 1, 10*time.Second
	c := Config{Rules: r, Load: Load{Partitions: 1, Rate: 100, For: 30*day + 30*time.Minute, EventBytes: 500}, Drain: true, EndEarly: true,
		Function: Function{CallTime: 5 * time.Millisecond, ColdStart: time.Second}}
	result := mustRun(t, c)
	if result.Simulated == 0 || result.Simulated > 10*time.Minute {
		t.Fatalf("%v were simulated", result.Simulated)
	}
	if want := int64(c.Load.Rate * c.Load.For.Seconds()); result.Produced != want || result.Delivered != want || result.Pending != 0 || result.Calls != want {
		t.Errorf("%d calls for %d of %d messages, want %d", result.Calls, result.Delivered, result.Produced, want)
	}
	if len(result.Usage) != 721 {
		t.Fatalf("%d hours", len(result.Usage))
	}
	for i, hour := range result.Usage {
		want := 3600.
		if i == 720 {
			want = 1800
		}
		if calls := float64(hour.Calls); math.Abs(calls-100*want) > 200 || hour.Events != hour.Calls || math.Abs(hour.Busy.Seconds()-0.5*want) > 1 {
			t.Errorf("hour %d: %+v", i, hour)
		}
	}
	if got := latencies(result); got.P999 > 16 || got.Max < 1000 {
		t.Errorf("%+v: the cold start is the maximum alone", got)
	}
	checkHours(t, c, result)
}

// What does not go on for ever as it began runs to its end.
func TestNoEarlyEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	seeFewer(t)
	base := func() Config {
		r := rules() // 10 calls of 0.1 s: 100 messages a second
		r.Concurrency, r.CountBasedWindow, r.IdleTimeout = 10, 1, 10*time.Second
		return Config{Rules: r, Load: Load{Partitions: 1, Rate: 50, For: 6 * time.Minute, EventBytes: 500, Arrivals: Even}, Drain: true, EndEarly: true,
			Function: Function{CallTime: 100 * time.Millisecond, Timeout: time.Minute}}
	}
	for _, test := range []struct {
		name   string
		change func(*Config)
		early  bool
	}{
		{"steady", func(*Config) {}, true},
		{"a backlog before it", func(c *Config) { c.Load.Backlog = 1000 }, true},
		{"not asked for", func(c *Config) { c.EndEarly = false }, false},
		{"a small overload", func(c *Config) { c.Load.Rate = 101 }, false},
		{"at the limit", func(c *Config) { c.Load.Rate = 98 }, false},
		{"a backlog all the time", func(c *Config) { c.Load.Backlog = 300_000 }, false},
		{"a rate file", func(c *Config) { c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 50}} }, false},
		{"rates that change", func(c *Config) { c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 50}, {5 * time.Minute, 49}} }, false},
		{"failing calls", func(c *Config) { c.Trouble.ErrorRate = 1e-9 }, false},
		{"slow calls", func(c *Config) { c.Trouble.Slow = time.Millisecond }, true},
		{"an outage", func(c *Config) { c.Trouble.Outages = trouble.Outages{{From: 5 * time.Minute, To: 6 * time.Minute}} }, false},
		{"instances that are killed", func(c *Config) { c.Trouble.KillInstances = 100 * day }, false},
		{"many bursts", func(c *Config) {
			c.Rules.InstanceConcurrency, c.Load.Rate, c.Load.For, c.Load.Arrivals, c.Load.Burst = 1, 35, 12*time.Minute, Bursts, Burst{1.1, 100 * time.Millisecond, 500 * time.Millisecond}
		}, true},
		{"few bursts", func(c *Config) {
			c.Load.Arrivals, c.Load.Burst = Bursts, Burst{1.1, 100 * time.Millisecond, 5 * time.Second}
		}, false},
		{"timeouts", func(c *Config) {
			c.Function.Timeout, c.Load.Rate, c.Rules.RetryScale, c.Rules.MaximumRetryAttempts = 100*time.Millisecond-1, 40, 0, 1
		}, false},
		{"429", func(c *Config) { c.Rules.MaxInstances, c.Rules.InstanceConcurrency, c.Load.Rate = 9, 1, 92 }, false},
		{"instances that stay long", func(c *Config) { c.Rules.IdleTimeout = 10 * time.Minute }, false},
		{"a machine of its own", func(c *Config) { c.Host = &Host{Cores: 2} }, false},
		{"a short load", func(c *Config) { c.Load.For = 2 * time.Minute }, false},
		{"no end", func(c *Config) { c.Drain = false }, false},
	} {
		c := base()
		test.change(&c)
		result := mustRun(t, c)
		if result.Simulated > 0 != test.early {
			t.Errorf("%s: %v of %v were simulated", test.name, result.Simulated, c.Load.For)
		}
		if err := check(c, result); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestEarlyEndIsDrawn(t *testing.T) {
	seeFewer(t)
	c := steadyConfig(1)
	c.Load.For = 10 * time.Hour
	r := mustRun(t, c)
	var last result.Sample
	for _, s := range r.Samples {
		if s.At > r.Simulated && s.At <= c.Load.For && math.Abs(s.EventsPerSecond-c.Load.Rate) > 0.02*c.Load.Rate {
			t.Errorf("%+v, want %v events a second", s, c.Load.Rate)
		}
		last = s
	}
	if last.At != r.Wall || last.Lag != 0 || r.Wall < c.Load.For {
		t.Errorf("it ends with %+v", last)
	}
}
