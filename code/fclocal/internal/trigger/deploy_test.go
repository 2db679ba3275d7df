package trigger

import (
	"testing"
	"time"
)

func deploy(function bool, changes ...func(*Config)) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action {
		c := m.config
		for _, change := range changes {
			change(&c)
		}
		return m.Deploy(now, c, function)
	}
}

func TestDeploy(t *testing.T) {
	each := func(c *Config) { c.CountBasedWindow, c.Concurrency, c.InstanceConcurrency = 1, 4, 2 }
	concurrency := func(n int) func(*Config) { return func(c *Config) { c.Concurrency = n } }
	run(t, []scenario{
		{"calls in flight end in the old instance, retries and new calls go to a new one", stream(each, func(c *Config) { c.RetryScale = 0 }), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1"},
			{1 * ms, deploy(true), ""},
			{2 * ms, arrive(0, 2, 1), "create 2\ncall 3 in 2, attempt 1: 0:2-2"},
			{3 * ms, fail(1), "attempt 2 at 3ms, function error: 0:0-0\ncall 4 in 2, attempt 2: 0:0-0"},
			{4 * ms, succeed(2), "remove 1\ndelivered, attempt 1: 0:1-1"},
			{5 * ms, succeed(4), "delivered, attempt 2: 0:0-0\ntask 0 commits 0:2"},
		}},
		{"what is idle, or starts ahead of its calls, goes at once", stream(each, func(c *Config) { c.InstanceSoftConcurrency = 1 }), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1\ncreate 2"},
			{0, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:1"},
			{0, succeed(2), "delivered, attempt 1: 0:1-1\ntask 0 commits 0:2"},
			{1 * ms, deploy(true), "remove 1\nremove 2"},
			{2 * ms, ready(2), ""},
			{3 * ms, arrive(0, 2, 1), "create 3\ncall 3 in 3, attempt 1: 0:2-2"},
		}},
		{"what is replaced keeps no new one from being created", stream(each, func(c *Config) { c.MaxInstances, c.InstanceBurst, c.PreStop = 1, 1, true }), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{1 * ms, deploy(true), ""},
			{2 * ms, arrive(0, 1, 1), "create 2\ncall 2 in 2, attempt 1: 0:1-1"},
			{3 * ms, succeed(1), "remove 1\ndelivered, attempt 1: 0:0-0\ntask 0 commits 0:1"},
			{4 * ms, deploy(true), ""}, // while 1 runs its preStop
			{5 * ms, arrive(0, 2, 1), "create 3\ncall 3 in 3, attempt 1: 0:2-2"},
			{6 * ms, crash(1), ""},
			{7 * ms, crash(2), "attempt 2 at 1.007s, instance ended: 0:1-1"},
		}},
		{"an old instance keeps its hooks and its calls, a new one has the new settings", stream(each), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1"},
			{1 * ms, deploy(true, func(c *Config) { c.InstanceConcurrency, c.PreStop = 1, true }), ""},
			{2 * ms, arrive(0, 2, 2), "create 2\ncall 3 in 2, attempt 1: 0:2-2\ncreate 3\ncall 4 in 3, attempt 1: 0:3-3"},
			{3 * ms, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:1"},
			{4 * ms, succeed(2), "remove 1\ndelivered, attempt 1: 0:1-1\ntask 0 commits 0:2"},
			{5 * ms, arrive(0, 4, 2), "create 4\ncall 5 in 4, attempt 1: 0:4-4\ncreate 5\ncall 6 in 5, attempt 1: 0:5-5"},
		}},
		{"a window over a new count closes, as it is", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 5), ""},
			{1 * ms, deploy(false, func(c *Config) { c.CountBasedWindow = 6 }), ""},
			{2 * ms, deploy(false, func(c *Config) { c.CountBasedWindow = 2 }), "create 1\ncall 1 in 1, attempt 1: 0:0-4"},
			{3 * ms, arrive(0, 5, 3), ""},
			{4 * ms, succeed(1), "delivered, attempt 1: 0:0-4\ntask 0 commits 0:5\ncall 2 in 1, attempt 1: 0:5-6"},
		}},
		{"a window over a new time closes", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 5), ""},
			{100 * ms, deploy(false, func(c *Config) { c.TimeBasedWindow = time.Second }), ""},
			{1000 * ms, wake, "create 1\ncall 1 in 1, attempt 1: 0:0-4"},
			{1000 * ms, arrive(0, 5, 1), ""},
			{1500 * ms, deploy(false, func(c *Config) { c.TimeBasedWindow = 0 }), ""},
			{1600 * ms, succeed(1), "delivered, attempt 1: 0:0-4\ntask 0 commits 0:5\ncall 2 in 1, attempt 1: 0:5-5"},
		}},
		{"more concurrency takes what waits", stream(each, concurrency(1)), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 3), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{1 * ms, deploy(false, concurrency(3)), "call 2 in 1, attempt 1: 0:1-1\ncreate 2\ncall 3 in 2, attempt 1: 0:2-2"},
		}},
		{"less concurrency lets calls end, and retries wait for a place", stream(each), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 3), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1\ncreate 2\ncall 3 in 2, attempt 1: 0:2-2"},
			{0, fail(1), "attempt 2 at 1s, function error: 0:0-0"},
			{1 * ms, deploy(false, concurrency(1)), ""},
			{2 * ms, arrive(0, 3, 1), ""},
			{1000 * ms, early, ""},
			{1001 * ms, succeed(2), "delivered, attempt 1: 0:1-1"},
			{1002 * ms, succeed(3), "delivered, attempt 1: 0:2-2\ncall 4 in 1, attempt 2: 0:0-0"},
			{1003 * ms, succeed(4), "delivered, attempt 2: 0:0-0\ntask 0 commits 0:3\ncall 5 in 1, attempt 1: 0:3-3"},
		}},
		{"the next failure is one by the new settings", stream(each, func(c *Config) { c.DeadLetterQueue = true }), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{0, fail(1), "attempt 2 at 1s, function error: 0:0-0"},
			{1 * ms, deploy(false, func(c *Config) { c.MaximumRetryAttempts, c.DeadLetterQueue = 1, false }), ""},
			{1000 * ms, wake, "call 2 in 1, attempt 2: 0:0-0"},
			{1001 * ms, fail(2), "discard, attempts 2, function error: 0:0-0\ntask 0 commits 0:1"},
		}},
	})
}

func TestDeployPanicsOnWhatARunKeeps(t *testing.T) {
	for name, test := range map[string]struct {
		function bool
		change   func(*Config)
	}{
		"MaximumTasks":        {true, func(c *Config) { c.MaximumTasks = 2 }},
		"BodyLimit":           {true, func(c *Config) { c.BodyLimit = BodyLimitAsynchronous }},
		"Concurrency":         {true, func(c *Config) { c.Concurrency = 0 }},
		"InstanceConcurrency": {false, func(c *Config) { c.InstanceConcurrency = 2 }},
		"PreStop":             {false, func(c *Config) { c.PreStop = true }},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			deploy(test.function, test.change)(New(stream()), 0)
		})
	}
}
