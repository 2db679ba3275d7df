package trigger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func filtered(partition int32, offset int64, eventBytes int) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action {
		return m.Arrive(now, Arrival{Range: Range{partition, offset + 1, 0}, EventBytes: eventBytes, Filtered: true})
	}
}

func TestUsage(t *testing.T) {
	const kb = 1 << 10
	at := func(from time.Duration, input func(*Model, time.Duration) []Action) step {
		return step{at: from, input: input}
	}
	one := stream(func(c *Config) { c.CountBasedWindow, c.Concurrency, c.InstanceConcurrency = 1, 26, 26 })
	own := stream(func(c *Config) { c.CountBasedWindow, c.Concurrency = 1, 26 })
	for _, test := range []struct {
		name   string
		config Config
		steps  []step
		want   []Usage
	}{
		{"an event counts for each 64 KB begun", one, []step{
			at(0, arriveOf(1, 0, 0, 1)), at(0, arriveOf(64*kb, 0, 1, 1)), at(0, arriveOf(64*kb+1, 0, 2, 1)), at(0, arriveOf(300*kb, 0, 3, 1)),
		}, []Usage{{Calls: 4, Events: 4, EventUnits: 1 + 1 + 2 + 5, EventBytes: 1 + 64*kb + 64*kb + 1 + 300*kb}}},
		{"filtered ones, too", one, []step{
			at(0, filtered(0, 0, 0)), at(0, filtered(0, 1, 65*kb)),
		}, []Usage{{Events: 2, EventUnits: 3, EventBytes: 65 * kb}}},
		{"an instance is busy while it has calls, however many", one, []step{
			at(0, arrive(0, 0, 1)), at(10*ms, arrive(0, 1, 1)), at(20*ms, succeed(1)), at(30*ms, succeed(2)),
			at(100*ms, arrive(0, 2, 1)), at(105*ms, succeed(3)),
		}, []Usage{{Calls: 3, Busy: 35 * ms, Events: 3, EventUnits: 3, EventBytes: 3 * eventBytes}}},
		{"each instance by itself, to the next millisecond", own, []step{
			at(0, arrive(0, 0, 2)), at(time.Microsecond, succeed(1)), at(2*ms+1, succeed(2)),
		}, []Usage{{Calls: 2, Busy: 1*ms + 3*ms, Events: 2, EventUnits: 2, EventBytes: 2 * eventBytes}}},
		{"one that ends with its calls", one, []step{
			at(0, arrive(0, 0, 2)), at(7*ms, crash(1)),
		}, []Usage{{Calls: 2, Busy: 7 * ms, Events: 2, EventUnits: 2, EventBytes: 2 * eventBytes}}},
		{"calls in flight up to now", one, []step{
			at(0, arrive(0, 0, 1)), at(5*ms, early),
		}, []Usage{{Calls: 1, Busy: 5 * ms, Events: 1, EventUnits: 1, EventBytes: eventBytes}}},
		{"one that starts ahead, with a call before it is ready or without", stream(func(c *Config) {
			c.CountBasedWindow, c.Concurrency, c.InstanceConcurrency, c.InstanceSoftConcurrency = 1, 26, 2, 1
		}), []step{
			at(0, arrive(0, 0, 2)), at(30*ms, ready(2)), at(40*ms, succeed(1)), at(50*ms, succeed(2)),
			at(60*ms, arrive(0, 2, 1)), at(70*ms, ready(2)), at(80*ms, succeed(3)),
		}, []Usage{{Calls: 3, Busy: 50*ms + 30*ms + 20*ms, Events: 3, EventUnits: 3, EventBytes: 3 * eventBytes}}},
		{"one that fails to start", one, []step{
			at(0, arrive(0, 0, 1)), at(20*ms, crash(1)),
		}, []Usage{{Calls: 1, Busy: 20 * ms, Events: 1, EventUnits: 1, EventBytes: eventBytes}}},
		{"a preStop", stream(func(c *Config) { c.CountBasedWindow, c.IdleTimeout, c.PreStop = 1, time.Minute, true }), []step{
			at(0, arrive(0, 0, 1)), at(10*ms, succeed(1)), at(time.Minute+10*ms, wake), at(time.Minute+15*ms, crash(1)),
		}, []Usage{{Calls: 1, Busy: 15 * ms, Events: 1, EventUnits: 1, EventBytes: eventBytes}}},
		{"a preStop that runs", stream(func(c *Config) { c.CountBasedWindow, c.IdleTimeout, c.PreStop = 1, time.Minute, true }), []step{
			at(0, arrive(0, 0, 1)), at(10*ms, succeed(1)), at(time.Minute+10*ms, wake), at(time.Minute+17*ms, early),
		}, []Usage{{Calls: 1, Busy: 17 * ms, Events: 1, EventUnits: 1, EventBytes: eventBytes}}},
		{"by the hour", one, []step{
			at(50*time.Minute, arrive(0, 0, 1)), at(130*time.Minute, succeed(1)),
		}, []Usage{{Calls: 1, Busy: 10 * time.Minute, Events: 1, EventUnits: 1, EventBytes: eventBytes}, {Busy: time.Hour}, {Busy: 10 * time.Minute}}},
		{"each retry counts all events of its batch again", stream(), []step{
			at(0, arriveOf(65*kb, 0, 0, 10)), at(1*ms, fail(1)), at(1001*ms, wake), at(1003*ms, succeed(2)),
		}, []Usage{{Calls: 2, Busy: 3 * ms, Events: 20, EventUnits: 40, EventBytes: 20 * 65 * kb}}},
		{"a call refused with 429 is no call, and its retry counts the events", stream(func(c *Config) { c.CountBasedWindow, c.Concurrency, c.MaxInstances = 1, 2, 1 }), []step{
			at(0, arrive(0, 0, 2)), at(500*ms, succeed(1)), at(1000*ms, wake), at(1500*ms, succeed(2)),
		}, []Usage{{Calls: 2, Busy: 1000 * ms, Events: 3, EventUnits: 3, EventBytes: 3 * eventBytes}}},
		{"what was revoked is not counted with the retry", stream(), []step{
			at(0, assign(0, 1, 0)), at(0, arrive(0, 0, 4)), at(0, arriveOf(100*kb, 1, 0, 6)), at(1*ms, fail(1)),
			at(2*ms, revoke(0, 1)), at(1001*ms, wake), at(1002*ms, succeed(2)),
		}, []Usage{{Calls: 2, Busy: 2 * ms, Events: 14, EventUnits: 4 + 12 + 4, EventBytes: 8*eventBytes + 600*kb}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := New(test.config)
			m.Assign(0, 0, 0, 0)
			for _, step := range test.steps {
				step.input(m, step.at)
			}
			if diff := cmp.Diff(test.want, m.Usage()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, m.Usage()); diff != "" {
				t.Errorf("asked again (-want +got):\n%s", diff)
			}
		})
	}
}
