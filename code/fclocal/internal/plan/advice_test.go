package plan

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// advise is Advise with a bill of 1 for each call in a million.
func advise(t *testing.T, c Config, r Result) string {
	t.Helper()
	said, err := c.Advise(t.Context(), r, func(run *result.Run) {
		price := float64(run.Calls) / 1e6
		charges := result.Charges{Price: &price}
		run.Bill = &result.Bill{Currency: "USD", Run: charges, Per30Days: &charges}
	})
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// A cause has its setting changed, and what that does is told.
func TestAdvice(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	for _, test := range []struct {
		want   string // "…" stands for any text
		change func(*Config)
	}{
		{"nothing limits: … % of p99 is the function; on average 9.98 of 26 calls run", func(*Config) {}},
		{"does not keep up: 100 % of p99, 9.… min, is waiting for a slot of concurrency (5). With concurrency 10 p99 is 1.… s, and it keeps up, at the same cost", func(c *Config) {
			c.Rules.Concurrency = 5
		}},
		{"does not keep up: …is waiting for a slot of concurrency (300). With CountBasedWindow 20 p99 is 1.… s, and it keeps up; the bill is USD 0.120 in place of 0.240", func(c *Config) {
			c.Rules.Concurrency, c.Load.Rate = 300, 4000
		}},
		// Of a minute of calls that take half a minute, most is the function.
		{"does not keep up: … is waiting for a slot of concurrency (26). With concurrency 52 p99 is … s, and it keeps up", func(c *Config) {
			c.Function.CallTime, c.Load.Rate, c.Load.For = 30*time.Second, 12, time.Minute
		}},
		{"… is waiting for a slot of concurrency (5). With concurrency 10 p99 is … min, and it does not keep up yet, at the same cost", func(c *Config) {
			c.Rules.Concurrency, c.Load.Rate = 5, 200
		}},
		{"94 % of p99, 15.9 s, is waiting for the window (CountBasedWindow 10000, TimeBasedWindow 15 s). With TimeBasedWindow 7 p99 is 8 s; the bill is USD 0.0000860 in place of 0.0000400", func(c *Config) {
			c.Rules.CountBasedWindow, c.Load.Rate = 10_000, 10
		}},
		{"… is waiting for the window (CountBasedWindow 1000, TimeBasedWindow 15 s). With CountBasedWindow 500 p99 is 5.9… s; the bill is USD 0.000120 in place of 0.0000600", func(c *Config) {
			c.Rules.CountBasedWindow = 1000
		}},
		{"… is waiting for a slot of concurrency (26), of which retries have 8… %, after 429s. With instanceConcurrency 2 p99 is … min, and it does not", func(c *Config) {
			c.Rules.InstanceConcurrency, c.Rules.MaxInstances = 1, 3
		}},
		{"… is waiting after 429s: 3 instances may exist at once, and 2 more a minute up to 100. With instanceConcurrency 2 p99 is", func(c *Config) {
			c.Rules.InstanceBurst, c.Rules.InstanceGrowth, c.Rules.InstanceConcurrency = 3, 2, 1
			c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 20}, {5 * time.Minute, 60}, {5*time.Minute + 10*time.Second, 20}}
		}},
		{"… is calls that failed and the waits for their retries. With PushRetryStrategy EXPONENTIAL_DECAY_RETRY p99 is … s, at the same cost", func(c *Config) {
			c.Trouble.ErrorRate = 0.03
		}},
		{"… is calls that failed and the waits for their retries", func(c *Config) { // nothing else to try
			c.Trouble.ErrorRate, c.Rules.RetryStrategy = 0.2, trigger.ExponentialDecayRetry
		}},
		{"… is waiting for a slot of concurrency (26), of which retries have … %. With PushRetryStrategy EXPONENTIAL_DECAY_RETRY p99 is … s, and it keeps up", func(c *Config) {
			c.Trouble.ErrorRate, c.Load.Rate, c.Function.CallTime = 0.05, 500, 100*time.Millisecond
		}},
		{"does not keep up: … is waiting for a slot of concurrency (26). With instanceConcurrency 13 p99 is … s, and it keeps up, at the same cost", func(c *Config) {
			c.Function = Function{CallCPU: 20 * time.Millisecond, CPU: 0.1}
		}},
		{"does not keep up: … With cpu 0.2 and memorySize 256 p99 is … and it keeps up", func(c *Config) {
			c.Function, c.Rules.InstanceConcurrency, c.Rules.Concurrency = Function{CallCPU: 12 * time.Millisecond, CPU: 0.1}, 4, 4
			c.Rules.MaxInstances = 1
		}},
		{"9… % of p99, 11 s, is cold starts. No better: instanceConcurrency 2 (p99 11 s)", func(c *Config) {
			c.Function.ColdStart, c.Load.For, c.Load.Rate, c.Rules.CountBasedWindow, c.Rules.InstanceConcurrency = 10*time.Second, 20*time.Second, 1, 1, 1
		}},
		{"… % of p99 is the function; on average 11 of 11 calls run", func(c *Config) {
			c.Rules.TimeBasedWindow, c.Rules.Concurrency = 0, 11
		}},
		{"", func(c *Config) { c.Load.Rate = 1e-6 }}, // no message comes

		{"the stream stopped at a batch that failed: errorsTolerance ALL would let it go on", func(c *Config) {
			c.Trouble.ErrorRate, c.Rules.ErrorsTolerated = 1, false
		}},
		{"the body limit of 400 bytes is less than a single event", func(c *Config) { c.Rules.BodyLimit = 400 }},
		{"memory limits: an instance would need about 129 MB and has 128: raise memorySize (and GOMEMLIMIT with it), or lower CountBasedWindow or instanceConcurrency", func(c *Config) {
			c.Function.BaseMemory, c.Function.MemorySize = 128<<20+1, 128<<20
		}},
		{"5409 calls took longer than the 500 ms that they may: raise timeout (a trigger allows 5 min at most), or lower CountBasedWindow or instanceConcurrency", func(c *Config) {
			c.Function.Timeout, c.Rules.MaximumRetryAttempts = 500*time.Millisecond, 1
		}},
		{"… calls took longer than the 5 min that they may: make calls faster: a trigger allows no more", func(c *Config) {
			c.Function.Timeout, c.Function.CallTime, c.Rules.CountBasedWindow, c.Rules.InstanceConcurrency = longestCall, 2*longestCall, 1, 1
			c.Load.Rate, c.Rules.MaxInstances = 0.01, 100
		}},
		{"errors: 60000 of 60000 messages were lost … have fewer calls fail, or retry for a day by PushRetryStrategy EXPONENTIAL_DECAY_RETRY, or lower CountBasedWindow", func(c *Config) {
			c.Trouble.ErrorRate, c.Rules.Concurrency, c.Rules.RetryScale = 1, 300, 0.01
		}},
	} {
		c := Config{
			Rules: rules(), Load: Load{Partitions: 1, Rate: 100, For: time.Minute * 10, EventBytes: 500},
			Function: Function{CallTime: time.Second}, Drain: true,
		}
		test.change(&c)
		got := advise(t, c, mustRun(t, c))
		rest, matches := got, test.want != "" || got == ""
		for _, part := range strings.Split(test.want, "…") {
			var found bool
			_, rest, found = strings.Cut(rest, part)
			matches = matches && found
		}
		if !matches {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// A plan that is stopped while it is made again is no advice.
func TestAdviceEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := Config{Rules: rules(), Load: Load{Partitions: 1, Rate: 10, For: time.Minute, EventBytes: 500}, Drain: true}
	r := mustRun(t, c)
	cancel()
	if _, err := c.Advise(ctx, r, func(*result.Run) {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
