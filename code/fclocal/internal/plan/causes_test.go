package plan

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// checkCauses finds latencies that their causes do not sum to, and causes that there cannot be.
func checkCauses(r Result) error {
	run := r.Totals.Run(result.Input{})
	l, causes := run.LatencyMs, run.LatencyByCause
	for _, test := range []struct {
		latency float64
		causes  result.CausesMs
	}{{l.Mean, causes.Mean}, {l.P50, causes.P50}, {l.P95, causes.P95}, {l.P99, causes.P99}} {
		sum := 0.0
		parts := test.causes.Parts()
		for _, part := range parts {
			sum += part
		}
		if math.Abs(sum-test.latency) > 0.005+1e-9*sum || slices.Min(parts[:]) < 0 {
			return fmt.Errorf("the causes of %v ms are %+v, which sum to %v", test.latency, test.causes, sum)
		}
		if r.Throttled == 0 && test.causes.Instance > 0 || r.Failures == nil && test.causes.Retries > 0 || r.ColdStartTime == 0 && test.causes.ColdStart > 0 {
			return fmt.Errorf("%+v without a cause for it", test.causes)
		}
	}
	return nil
}

// Where each mean is known.
func TestCauses(t *testing.T) {
	for _, test := range []struct {
		name      string
		change    func(*Config)
		want      result.CausesMs
		tolerance float64 // of want
	}{
		{"nothing else", func(c *Config) {
			c.Load.Rate = 1
		}, result.CausesMs{Function: 500}, 0},
		// The k-th, from 0, is fetched when the (k-1)-th is called, and called a call later.
		{"a queue", func(c *Config) {
			c.Load.Backlog, c.Rules.Concurrency = 10, 1
		}, result.CausesMs{Kafka: 1800, Slot: 450, Function: 500}, 0},
		// A window of 1 s has the messages that come at 0, 1, …, 999 ms.
		{"windows", func(c *Config) {
			c.Load.Rate, c.Rules.CountBasedWindow, c.Rules.TimeBasedWindow = 1000, 10_000, time.Second
		}, result.CausesMs{Window: 500.5, Function: 500}, 0.002},
		{"windows that fill", func(c *Config) {
			c.Load.Rate, c.Rules.CountBasedWindow = 1000, 100
		}, result.CausesMs{Window: 49.5, Function: 500}, 0.002},
		{"windows by chance", func(c *Config) {
			c.Load.Rate, c.Rules.CountBasedWindow, c.Load.Arrivals = 1000, 100, Poisson
		}, result.CausesMs{Window: 49.5, Function: 500}, 0.02},
		// What comes during a call waits for its end.
		{"no window", func(c *Config) {
			c.Load.Rate, c.Rules.CountBasedWindow, c.Rules.TimeBasedWindow, c.Rules.Concurrency = 1000, 10_000, 0, 1
		}, result.CausesMs{Slot: 250, Function: 500}, 0.01},
		{"starts", func(c *Config) {
			c.Load.Backlog, c.Rules.InstanceConcurrency = 3, 1
			c.Function.ColdStart, c.Function.Initializer = 200*time.Millisecond, 300*time.Millisecond
		}, result.CausesMs{ColdStart: 500, Function: 500}, 0},
		// One of two is refused, and tried again after 1 s.
		{"429", func(c *Config) {
			c.Load.Backlog, c.Rules.InstanceConcurrency, c.Rules.MaxInstances, c.Rules.RetryStrategy = 2, 1, 1, trigger.ExponentialDecayRetry
		}, result.CausesMs{Instance: 500, Function: 500}, 0},
		// Half a core takes 20 ms for 10 ms of work, and then for the other call's.
		{"cpu", func(c *Config) {
			c.Load.Backlog, c.Function.CallCPU, c.Function.CPU = 2, 10*time.Millisecond, 0.5
		}, result.CausesMs{CPU: 10, Function: 520}, 0},
		// The n-th failure costs a call and a wait of 2^(n-1) s, with a probability of 0.1^n.
		{"errors", func(c *Config) {
			c.Load.Rate, c.Load.For, c.Trouble.ErrorRate = 100, 10*time.Minute, 0.1
			c.Rules.RetryStrategy, c.Rules.Concurrency, c.Rules.InstanceConcurrency = trigger.ExponentialDecayRetry, 300, 200
		}, result.CausesMs{Retries: 100*1.5 + 10*2.5 + 4.5 + 0.85 + 0.165, Function: 500}, 0.03},
	} {
		r := rules()
		r.CountBasedWindow, r.InstanceConcurrency = 1, 100
		c := Config{
			Rules: r, Load: Load{Partitions: 1, For: time.Minute, EventBytes: 500}, Drain: true,
			Function: Function{CallTime: 500 * time.Millisecond},
		}
		test.change(&c)
		got := mustRun(t, c).Totals.Run(result.Input{}).LatencyByCause.Mean
		parts := got.Parts()
		for i, want := range test.want.Parts() {
			if math.Abs(parts[i]-want) > test.tolerance*want+0.001 {
				t.Errorf("%s: the means are %+v, want %+v", test.name, got, test.want)
				break
			}
		}
	}
}
