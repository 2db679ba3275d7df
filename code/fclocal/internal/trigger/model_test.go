package trigger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const eventBytes = 9 // with its separator an event takes 10 bytes of a payload

var errFunction = errors.New("function error")

// stream returns the configuration that the tests' tables change: batches of
// 10 records or 2 s, one call at a time, retries after 1, 2, 4 … s.
func stream(changes ...func(*Config)) Config {
	c := Config{
		MaximumTasks: 1, Concurrency: 1,
		CountBasedWindow: 10, TimeBasedWindow: 2 * time.Second, BodyLimit: BodyLimitSynchronous,
		RetryStrategy: ExponentialDecayRetry, RetryScale: 1, ErrorsTolerated: true,
		InstanceConcurrency: 1, MaxInstances: DefaultMaxInstances,
	}
	for _, change := range changes {
		change(&c)
	}
	return c
}

// A step is something that happens and the actions it must lead to, one a line.
type step struct {
	at    time.Duration
	input func(*Model, time.Duration) []Action
	want  string
}

func assign(task int, partition int32, offset int64) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action { return m.Assign(now, task, partition, offset) }
}

func revoke(task int, partitions ...int32) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action { return m.Revoke(now, task, partitions...) }
}

func arrive(partition int32, offset int64, count int) func(*Model, time.Duration) []Action {
	return arriveOf(eventBytes, partition, offset, count)
}

func arriveOf(eventBytes int, partition int32, offset int64, count int) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action {
		return m.Arrive(now, Arrival{Range: Range{partition, offset, count}, EventBytes: eventBytes})
	}
}

func succeed(call CallID) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action { return m.CallEnded(now, call, nil) }
}

func fail(call CallID) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action { return m.CallEnded(now, call, errFunction) }
}

func crash(instance InstanceID) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action {
		return m.InstanceEnded(now, instance, errors.New("instance ended"))
	}
}

func closeWindow(task int) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action { return m.CloseWindow(now, task) }
}

func ready(instance InstanceID) func(*Model, time.Duration) []Action {
	return func(m *Model, now time.Duration) []Action { return m.InstanceReady(now, instance) }
}

func drain(m *Model, now time.Duration) []Action { return m.Drain(now) }

// wake checks that the model asks to be woken at that moment and does so.
func wake(m *Model, now time.Duration) []Action {
	if at, ok := m.NextWake(); !ok || at != now {
		panic(fmt.Sprintf("NextWake is %v, %v; want %v", at, ok, now))
	}
	return m.Advance(now)
}

// early checks that the model has nothing to do a moment before it asks to be
// woken.
func early(m *Model, now time.Duration) []Action { return m.Advance(now) }

func describe(actions []Action) string {
	batch := func(b *Batch) string {
		var ranges []string
		for _, r := range b.Ranges {
			ranges = append(ranges, fmt.Sprintf("%d:%d-%d", r.Partition, r.FirstOffset, r.FirstOffset+int64(r.Count)-1))
		}
		return strings.Join(ranges, " ")
	}
	var lines []string
	for _, a := range actions {
		var line string
		switch a := a.(type) {
		case CreateInstance:
			line = fmt.Sprintf("create %d", a.Instance)
		case RemoveInstance:
			line = fmt.Sprintf("remove %d", a.Instance)
		case StartCall:
			line = fmt.Sprintf("call %d in %d, attempt %d: %s", a.Call, a.Instance, a.Attempt, batch(a.Batch))
		case Retry:
			line = fmt.Sprintf("attempt %d at %v, %v: %s", a.Attempt, a.At, a.Err, batch(a.Batch))
		case Delivered:
			line = fmt.Sprintf("delivered, attempt %d: %s", a.Attempts, batch(a.Batch))
		case DeadLetter:
			line = fmt.Sprintf("dead letter, attempts %d, %v: %s", a.Attempts, a.Err, batch(a.Batch))
		case Discard:
			line = fmt.Sprintf("discard, attempts %d, %v: %s", a.Attempts, a.Err, batch(a.Batch))
		case Commit:
			line = fmt.Sprintf("task %d commits %d:%d", a.Task, a.Partition, a.Offset)
		case Stop:
			line = fmt.Sprintf("stop, attempts %d, %v: %s", a.Attempts, a.Err, batch(a.Batch))
		default:
			panic(fmt.Sprintf("unknown action %T", a))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

type scenario struct {
	name   string
	config Config
	steps  []step
}

func run(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			m := New(s.config)
			for i, step := range s.steps {
				got := describe(step.input(m, step.at))
				want := strings.ReplaceAll(strings.TrimSpace(step.want), "\t", "")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("step %d at %v (-want +got):\n%s", i, step.at, diff)
				}
			}
		})
	}
}

const ms = time.Millisecond

func TestBatchWindow(t *testing.T) {
	atOnce := func(c *Config) { c.TimeBasedWindow = 0 }
	sideBySide := func(c *Config) { c.Concurrency, c.InstanceConcurrency = 10, 10 }
	// A payload of n events takes 1 + 10n bytes.
	bodyLimit := func(limit int64) func(*Config) { return func(c *Config) { c.BodyLimit = limit } }
	run(t, []scenario{
		{"count reached", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 9), ""},
			{1 * ms, arrive(0, 9, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
		}},
		{"closed by the driver, and the next one from its first record on", stream(sideBySide), []step{
			{0, assign(0, 0, 0), ""},
			{0, closeWindow(0), ""},
			{0, arrive(0, 0, 3), ""},
			{1 * ms, closeWindow(0), "create 1\ncall 1 in 1, attempt 1: 0:0-2"},
			{2 * ms, arrive(0, 3, 2), ""},
			{2002 * ms, wake, "call 2 in 1, attempt 1: 0:3-4"},
		}},
		{"count of one", stream(sideBySide, func(c *Config) { c.CountBasedWindow = 1 }), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1"},
		}},
		{"one above the count waits for the next batch", stream(sideBySide), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 11), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{1999 * ms, early, ""},
			{2000 * ms, wake, "call 2 in 1, attempt 1: 0:10-10"},
		}},
		{"time runs from the first record", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{500 * ms, arrive(0, 0, 1), ""},
			{2400 * ms, arrive(0, 1, 1), ""},
			{2499 * ms, early, ""},
			{2500 * ms, wake, "create 1\ncall 1 in 1, attempt 1: 0:0-1"},
		}},
		{"a record at the very end of the window opens the next one", stream(sideBySide), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 1), ""},
			{2000 * ms, arrive(0, 1, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{4000 * ms, wake, "call 2 in 1, attempt 1: 0:1-1"},
		}},
		{"a window is full again at once", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 20), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{5 * ms, succeed(1), "delivered, attempt 1: 0:0-9\ntask 0 commits 0:10\ncall 2 in 1, attempt 1: 0:10-19"},
		}},
		{"no time: what is there goes at once", stream(atOnce), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{1 * ms, arrive(0, 1, 2), ""},
			{2 * ms, arrive(0, 3, 1), ""},
			{3 * ms, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:1\ncall 2 in 1, attempt 1: 0:1-3"},
		}},
		{"no time: up to the count", stream(atOnce), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{1 * ms, arrive(0, 1, 11), ""},
			{2 * ms, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:1\ncall 2 in 1, attempt 1: 0:1-10"},
			{3 * ms, succeed(2), "delivered, attempt 1: 0:1-10\ntask 0 commits 0:11\ncall 3 in 1, attempt 1: 0:11-11"},
		}},
		{"no time: a window stays open while a full batch is before it", stream(atOnce), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 10), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{0, arrive(0, 10, 15), ""},
			{1 * ms, succeed(1), "delivered, attempt 1: 0:0-9\ntask 0 commits 0:10\ncall 2 in 1, attempt 1: 0:10-19"},
			{2 * ms, arrive(0, 25, 1), ""},
			{3 * ms, succeed(2), "delivered, attempt 1: 0:10-19\ntask 0 commits 0:20\ncall 3 in 1, attempt 1: 0:20-25"},
		}},
		{"no time: the task that has waited longest is next", stream(atOnce, func(c *Config) { c.MaximumTasks = 3 }), []step{
			{0, assign(0, 0, 0), ""},
			{0, assign(1, 1, 0), ""},
			{0, assign(2, 2, 0), ""},
			{0, arrive(1, 0, 1), "create 1\ncall 1 in 1, attempt 1: 1:0-0"},
			{1 * ms, arrive(2, 0, 1), ""},
			{2 * ms, arrive(0, 0, 1), ""},
			{3 * ms, succeed(1), "delivered, attempt 1: 1:0-0\ntask 1 commits 1:1\ncall 2 in 1, attempt 1: 2:0-0"},
		}},
		{"body limit reached exactly", stream(bodyLimit(31)), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 3), ""},
			{2000 * ms, wake, "create 1\ncall 1 in 1, attempt 1: 0:0-2"},
		}},
		{"one more record would exceed the body limit", stream(bodyLimit(31), sideBySide), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 3), ""},
			{1 * ms, arrive(0, 3, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-2"},
			{2001 * ms, wake, "call 2 in 1, attempt 1: 0:3-3"},
		}},
		{"body limit one byte short of a record", stream(bodyLimit(30), sideBySide), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 3), "create 1\ncall 1 in 1, attempt 1: 0:0-1"},
		}},
		{"a record as large as the body limit", stream(bodyLimit(31)), []step{
			{0, assign(0, 0, 0), ""},
			{0, arriveOf(29, 0, 0, 1), ""},
			{2000 * ms, wake, "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
		}},
		{"a record above the body limit fails in its turn, without a call", stream(bodyLimit(31)), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 1), ""},
			{1 * ms, arriveOf(30, 0, 1, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{2 * ms, arrive(0, 2, 1), ""},
			{3 * ms, succeed(1), `delivered, attempt 1: 0:0-0
				task 0 commits 0:1
				discard, attempts 0, the event of a single record exceeds the body limit: 0:1-1
				task 0 commits 0:2`},
			{2002 * ms, wake, "call 2 in 1, attempt 1: 0:2-2"},
		}},
		{"several records above the body limit fail one by one", stream(bodyLimit(31), func(c *Config) { c.DeadLetterQueue = true }), []step{
			{0, assign(0, 0, 0), ""},
			{0, arriveOf(30, 0, 0, 2), `dead letter, attempts 0, the event of a single record exceeds the body limit: 0:0-0
				task 0 commits 0:1
				dead letter, attempts 0, the event of a single record exceeds the body limit: 0:1-1
				task 0 commits 0:2`},
		}},
		{"a record above the body limit stops a stream without tolerance", stream(bodyLimit(31), func(c *Config) { c.ErrorsTolerated = false }), []step{
			{0, assign(0, 0, 0), ""},
			{0, arriveOf(30, 0, 0, 1), "stop, attempts 0, the event of a single record exceeds the body limit: 0:0-0"},
		}},
		{"the partitions of a task share its window", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{0, assign(0, 1, 100), ""},
			{0, arrive(0, 0, 4), ""},
			{0, arrive(1, 100, 4), ""},
			{0, arrive(0, 4, 1), ""},
			{0, arrive(1, 104, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-4 1:100-104"},
			{1 * ms, succeed(1), "delivered, attempt 1: 0:0-4 1:100-104\ntask 0 commits 0:5\ntask 0 commits 1:105"},
		}},
		{"each task has its window", stream(sideBySide, func(c *Config) { c.MaximumTasks = 3 }), []step{
			{0, assign(0, 0, 0), ""},
			{0, assign(1, 1, 0), ""},
			{0, arrive(0, 0, 5), ""},
			{1 * ms, arrive(1, 0, 5), ""},
			{2000 * ms, wake, "create 1\ncall 1 in 1, attempt 1: 0:0-4"},
			{2001 * ms, wake, "call 2 in 1, attempt 1: 1:0-4"},
		}},
		{"records without an owner and records known already are ignored", stream(), []step{
			{0, assign(0, 0, 5), ""},
			{0, arrive(1, 0, 20), ""},
			{0, arrive(0, 0, 8), ""},
			{0, arrive(0, 6, 3), ""},
			{2000 * ms, wake, "create 1\ncall 1 in 1, attempt 1: 0:5-8"},
		}},
	})
}

func TestDelivery(t *testing.T) {
	run(t, []scenario{
		{"batches of a partition are in flight side by side up to the concurrency, and wait in order",
			stream(func(c *Config) { c.Concurrency, c.InstanceConcurrency = 2, 2 }), []step{
				{0, assign(0, 0, 0), ""},
				{0, arrive(0, 0, 40), "create 1\ncall 1 in 1, attempt 1: 0:0-9\ncall 2 in 1, attempt 1: 0:10-19"},
				{1 * ms, succeed(1), "delivered, attempt 1: 0:0-9\ntask 0 commits 0:10\ncall 3 in 1, attempt 1: 0:20-29"},
				{2 * ms, succeed(2), "delivered, attempt 1: 0:10-19\ntask 0 commits 0:20\ncall 4 in 1, attempt 1: 0:30-39"},
			}},
		{"the concurrency is of all tasks", stream(func(c *Config) { c.MaximumTasks = 2 }), []step{
			{0, assign(0, 0, 0), ""},
			{0, assign(1, 1, 0), ""},
			{0, arrive(0, 0, 10), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{0, arrive(1, 0, 10), ""},
			{1 * ms, succeed(1), "delivered, attempt 1: 0:0-9\ntask 0 commits 0:10\ncall 2 in 1, attempt 1: 1:0-9"},
		}},
		{"with concurrency 1 order holds across a retry", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 20), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{500 * ms, fail(1), "attempt 2 at 1.5s, function error: 0:0-9"},
			{1499 * ms, early, ""},
			{1500 * ms, wake, "call 2 in 1, attempt 2: 0:0-9"},
			{1600 * ms, succeed(2), "delivered, attempt 2: 0:0-9\ntask 0 commits 0:10\ncall 3 in 1, attempt 1: 0:10-19"},
		}},
		{"a batch that waits for its retry counts towards the concurrency",
			stream(func(c *Config) { c.Concurrency = 2 }), []step{
				{0, assign(0, 0, 0), ""},
				{0, arrive(0, 0, 40), "create 1\ncall 1 in 1, attempt 1: 0:0-9\ncreate 2\ncall 2 in 2, attempt 1: 0:10-19"},
				{0, fail(1), "attempt 2 at 1s, function error: 0:0-9"},
				{1 * ms, succeed(2), "delivered, attempt 1: 0:10-19\ncall 3 in 1, attempt 1: 0:20-29"},
				{2 * ms, fail(3), "attempt 2 at 1.002s, function error: 0:20-29"},
				{1000 * ms, wake, "call 4 in 1, attempt 2: 0:0-9"},
				{1002 * ms, wake, "call 5 in 2, attempt 2: 0:20-29"},
			}},
		{"an unknown call is ignored", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 10), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{0, succeed(2), ""},
			{0, succeed(1), "delivered, attempt 1: 0:0-9\ntask 0 commits 0:10"},
			{0, fail(1), ""},
		}},
		{"drain lets calls end and makes no more", stream(func(c *Config) { c.Concurrency = 3 }), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 31), "create 1\ncall 1 in 1, attempt 1: 0:0-9\ncreate 2\ncall 2 in 2, attempt 1: 0:10-19\ncreate 3\ncall 3 in 3, attempt 1: 0:20-29"},
			{0, fail(1), "attempt 2 at 1s, function error: 0:0-9"},
			{1 * ms, drain, ""},
			{2 * ms, fail(2), ""},
			{3 * ms, succeed(3), "delivered, attempt 1: 0:20-29"},
			{5000 * ms, early, ""},
		}},
	})
}

func TestBacklogged(t *testing.T) {
	m := New(stream(func(c *Config) { c.MaximumTasks = 2 }))
	m.Assign(0, 0, 0, 0)
	m.Assign(0, 1, 1, 0)
	check := func(when string, want ...bool) {
		t.Helper()
		if got := []bool{m.Backlogged(0), m.Backlogged(1)}; !cmp.Equal(got, want) {
			t.Errorf("%s: tasks backlogged %v, want %v", when, got, want)
		}
	}
	check("at the start", false, false)
	arrive(0, 0, 10)(m, 0)
	check("a call in flight", false, false)
	arrive(0, 10, 9)(m, 0)
	check("and an open window", false, false)
	arrive(0, 19, 1)(m, 0)
	check("and a batch waiting", true, false)
	arrive(1, 0, 10)(m, 0)
	check("and one of the other task", true, true)
	m.CallEnded(0, 1, nil)
	check("the first is in flight", false, true)
	m.Drain(0)
	check("no more calls", true, true)
}

func TestNextWindow(t *testing.T) {
	m := New(stream(func(c *Config) { c.MaximumTasks, c.TimeBasedWindow = 2, 0 }))
	m.Assign(0, 0, 0, 0)
	m.Assign(0, 1, 1, 0)
	check := func(when string, wantTask int, wantOK bool) {
		t.Helper()
		if task, ok := m.NextWindow(); task != wantTask || ok != wantOK {
			t.Errorf("%s: %d, %v, want %d, %v", when, task, ok, wantTask, wantOK)
		}
	}
	arrive(0, 0, 1)(m, 0)
	check("all windows are empty", 0, false)
	arrive(1, 0, 1)(m, 0)
	check("one is open", 1, true)
	arrive(0, 1, 1)(m, 0)
	check("and a later one", 1, true)
	arrive(0, 2, 9)(m, 0)
	check("which is full", 0, false)
	m.CallEnded(0, 1, nil)
	check("and in flight", 1, true)
	m.CallEnded(0, 2, nil)
	check("so are all", 0, false)
	arrive(0, 11, 1)(m, 0)
	m.Drain(0)
	check("no more calls", 0, false)

	m = New(stream(func(c *Config) { c.TimeBasedWindow = time.Second }))
	m.Assign(0, 0, 0, 0)
	arrive(0, 0, 1)(m, 0)
	check("a window has a time", 0, false)
}

func TestRoom(t *testing.T) {
	m := New(stream(func(c *Config) { c.BodyLimit = 81 })) // 8 events of 9 bytes
	m.Assign(0, 0, 0, 0)
	check := func(eventBytes, want int) {
		t.Helper()
		if got := m.Room(0, Arrival{Range: Range{Count: 100}, EventBytes: eventBytes}); got != want {
			t.Errorf("room for %d events of %d bytes, want %d", got, eventBytes, want)
		}
	}
	check(1, 10)
	check(9, 8)
	check(79, 1)
	check(80, 0)
	arrive(0, 0, 7)(m, 0)
	check(1, 3)
	check(9, 1)
	check(10, 0)
	arrive(0, 7, 1)(m, 0)
	check(9, 0)
}

func TestCommits(t *testing.T) {
	sideBySide := func(c *Config) { c.Concurrency, c.InstanceConcurrency, c.CountBasedWindow = 3, 3, 1 }
	threeCalls := "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1\ncall 3 in 1, attempt 1: 0:2-2"
	run(t, []scenario{
		{"out of order", stream(sideBySide), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 3), threeCalls},
			{0, succeed(3), "delivered, attempt 1: 0:2-2"},
			{0, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:1"},
			{0, succeed(2), "delivered, attempt 1: 0:1-1\ntask 0 commits 0:3"},
		}},
		{"a retry holds the commit back", stream(sideBySide), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 3), threeCalls},
			{0, fail(1), "attempt 2 at 1s, function error: 0:0-0"},
			{0, succeed(2), "delivered, attempt 1: 0:1-1"},
			{0, succeed(3), "delivered, attempt 1: 0:2-2"},
			{1000 * ms, wake, "call 4 in 1, attempt 2: 0:0-0"},
			{1000 * ms, succeed(4), "delivered, attempt 2: 0:0-0\ntask 0 commits 0:3"},
		}},
		{"an open window holds the commit back", stream(), []step{
			{0, assign(0, 0, 7), ""},
			{0, arrive(0, 7, 11), "create 1\ncall 1 in 1, attempt 1: 0:7-16"},
			{0, succeed(1), "delivered, attempt 1: 0:7-16\ntask 0 commits 0:17"},
		}},
		{"offsets without records are passed over", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 3, 5), "task 0 commits 0:3"},
			{0, arrive(0, 20, 5), "create 1\ncall 1 in 1, attempt 1: 0:3-7 0:20-24"},
			{0, succeed(1), "delivered, attempt 1: 0:3-7 0:20-24\ntask 0 commits 0:25"},
			{0, arrive(0, 30, 0), "task 0 commits 0:30"},
			{0, arrive(0, 30, 0), ""},
			{0, arrive(0, 10, 0), ""},
		}},
		{"offsets without records behind unfinished ones wait", stream(), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 10), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{0, arrive(0, 50, 0), ""},
			{0, succeed(1), "delivered, attempt 1: 0:0-9\ntask 0 commits 0:50"},
		}},
	})
}

func TestTolerance(t *testing.T) {
	oneRetry := func(c *Config) { c.MaximumRetryAttempts = 1 }
	notTolerated := func(c *Config) { c.ErrorsTolerated = false }
	deadLetters := func(c *Config) { c.DeadLetterQueue = true }
	failing := []step{
		{0, assign(0, 0, 0), ""},
		{0, arrive(0, 0, 20), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
		{0, fail(1), "attempt 2 at 1s, function error: 0:0-9"},
		{1000 * ms, wake, "call 2 in 1, attempt 2: 0:0-9"},
	}
	run(t, []scenario{
		{"ALL with dead letters", stream(oneRetry, deadLetters), append(failing[:4:4],
			step{1100 * ms, fail(2), "dead letter, attempts 2, function error: 0:0-9\ntask 0 commits 0:10\ncall 3 in 1, attempt 1: 0:10-19"},
		)},
		{"ALL without", stream(oneRetry), append(failing[:4:4],
			step{1100 * ms, fail(2), "discard, attempts 2, function error: 0:0-9\ntask 0 commits 0:10\ncall 3 in 1, attempt 1: 0:10-19"},
		)},
		{"NONE", stream(oneRetry, notTolerated), append(failing[:4:4],
			step{1100 * ms, fail(2), "stop, attempts 2, function error: 0:0-9"},
			step{1200 * ms, arrive(0, 20, 10), ""},
			step{9000 * ms, early, ""},
		)},
		{"NONE has no dead letters", stream(oneRetry, notTolerated, deadLetters), append(failing[:4:4],
			step{1100 * ms, fail(2), "stop, attempts 2, function error: 0:0-9"},
		)},
		{"NONE, with a success in the end", stream(oneRetry, notTolerated), append(failing[:4:4],
			step{1100 * ms, succeed(2), "delivered, attempt 2: 0:0-9\ntask 0 commits 0:10\ncall 3 in 1, attempt 1: 0:10-19"},
		)},
		{"NONE: calls in flight end, commits stay behind the failed batch, one Stop",
			stream(notTolerated, func(c *Config) {
				c.Concurrency, c.InstanceConcurrency, c.MaximumEventAge = 4, 4, ms // too short for a retry
			}), []step{
				{0, assign(0, 0, 0), ""},
				{0, arrive(0, 0, 50), "create 1\ncall 1 in 1, attempt 1: 0:0-9\ncall 2 in 1, attempt 1: 0:10-19\ncall 3 in 1, attempt 1: 0:20-29\ncall 4 in 1, attempt 1: 0:30-39"},
				{0, fail(2), "stop, attempts 1, function error: 0:10-19"},
				{1 * ms, succeed(3), "delivered, attempt 1: 0:20-29"},
				{2 * ms, fail(4), ""},
				{3 * ms, succeed(1), "delivered, attempt 1: 0:0-9\ntask 0 commits 0:10"},
			}},
		{"NONE: the next run resumes at the failed batch", stream(notTolerated), []step{
			{0, assign(0, 0, 10), ""},
			{0, arrive(0, 10, 10), "create 1\ncall 1 in 1, attempt 1: 0:10-19"},
		}},
		{"drained: the last attempt's failure still has its end", stream(oneRetry, deadLetters), append(failing[:4:4],
			step{1050 * ms, drain, ""},
			step{1100 * ms, fail(2), "dead letter, attempts 2, function error: 0:0-9\ntask 0 commits 0:10"},
		)},
	})
}

func TestRebalance(t *testing.T) {
	tasks := func(c *Config) {
		c.MaximumTasks, c.Concurrency, c.InstanceConcurrency, c.MaximumRetryAttempts = 2, 2, 2, 1
	}
	run(t, []scenario{
		{"the next owner gets what was in the window", stream(tasks), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 9), ""},
			{0, revoke(0, 0), ""},
			{0, arrive(0, 9, 1), ""},
			{9000 * ms, early, ""},
			{9000 * ms, assign(1, 0, 0), ""},
			{9000 * ms, arrive(0, 0, 10), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
		}},
		{"a window keeps the partitions that stay", stream(tasks), []step{
			{0, assign(0, 0, 0), ""},
			{0, assign(0, 1, 0), ""},
			{0, arrive(0, 0, 5), ""},
			{1 * ms, arrive(1, 0, 4), ""},
			{1 * ms, revoke(0, 0), ""},
			{2 * ms, arrive(1, 4, 5), ""},
			{3 * ms, arrive(1, 9, 1), "create 1\ncall 1 in 1, attempt 1: 1:0-9"},
		}},
		{"batches waiting for their turn", stream(tasks, func(c *Config) { c.Concurrency = 1 }), []step{
			{0, assign(0, 0, 0), ""},
			{0, assign(0, 1, 0), ""},
			{0, arrive(0, 0, 25), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{0, arrive(1, 0, 5), ""},
			{0, revoke(0, 0), ""},
			{0, succeed(1), "delivered, attempt 1: 0:0-9\ncall 2 in 1, attempt 1: 1:0-4"},
		}},
		{"calls in flight end without a commit, and are not retried", stream(tasks), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 20), "create 1\ncall 1 in 1, attempt 1: 0:0-9\ncall 2 in 1, attempt 1: 0:10-19"},
			{0, revoke(0, 0), ""},
			{0, assign(1, 0, 0), ""},
			{0, succeed(1), "delivered, attempt 1: 0:0-9"},
			{0, fail(2), ""},
			{0, arrive(0, 0, 20), "call 3 in 1, attempt 1: 0:0-9\ncall 4 in 1, attempt 1: 0:10-19"},
			{0, succeed(3), "delivered, attempt 1: 0:0-9\ntask 1 commits 0:10"},
		}},
		{"a call in flight is retried with the partitions that stay", stream(tasks), []step{
			{0, assign(0, 0, 0), ""},
			{0, assign(0, 1, 0), ""},
			{0, arrive(0, 0, 5), ""},
			{0, arrive(1, 0, 5), "create 1\ncall 1 in 1, attempt 1: 0:0-4 1:0-4"},
			{0, revoke(0, 0), ""},
			{0, fail(1), "attempt 2 at 1s, function error: 1:0-4"},
			{1000 * ms, wake, "call 2 in 1, attempt 2: 1:0-4"},
			{1000 * ms, fail(2), "discard, attempts 2, function error: 1:0-4\ntask 0 commits 1:5"},
		}},
		{"a retry that lost all its partitions gives its slot back", stream(tasks, func(c *Config) { c.Concurrency = 1 }), []step{
			{0, assign(0, 0, 0), ""},
			{0, assign(1, 1, 0), ""},
			{0, arrive(0, 0, 10), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{0, arrive(1, 0, 10), ""},
			{0, fail(1), "attempt 2 at 1s, function error: 0:0-9"},
			{0, revoke(0, 0), "call 2 in 1, attempt 1: 1:0-9"},
			{9000 * ms, early, ""},
		}},
		{"assigned to another task before it is revoked", stream(tasks), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 5), ""},
			{0, assign(1, 0, 0), ""},
			{0, revoke(0, 0, 7), ""},
			{0, arrive(0, 0, 10), "create 1\ncall 1 in 1, attempt 1: 0:0-9"},
			{0, succeed(1), "delivered, attempt 1: 0:0-9\ntask 1 commits 0:10"},
		}},
	})
}

func TestScaling(t *testing.T) {
	calls := func(concurrency, instanceConcurrency, maxInstances int) Config {
		return stream(func(c *Config) {
			c.CountBasedWindow, c.Concurrency = 1, concurrency
			c.InstanceConcurrency, c.MaxInstances = instanceConcurrency, maxInstances
		})
	}
	run(t, []scenario{
		{"a new instance only when all are full, the oldest with a free slot first", calls(5, 2, 100), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 4), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1\ncreate 2\ncall 3 in 2, attempt 1: 0:2-2\ncall 4 in 2, attempt 1: 0:3-3"},
			{0, succeed(4), "delivered, attempt 1: 0:3-3"},
			{0, succeed(2), "delivered, attempt 1: 0:1-1"},
			{0, arrive(0, 4, 3), "call 5 in 1, attempt 1: 0:4-4\ncall 6 in 2, attempt 1: 0:5-5\ncreate 3\ncall 7 in 3, attempt 1: 0:6-6"},
		}},
		{"as many instances as allowed", calls(2, 1, 2), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncreate 2\ncall 2 in 2, attempt 1: 0:1-1"},
		}},
		{"one more is refused with 429 and retried", calls(3, 1, 2), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 3), `create 1
				call 1 in 1, attempt 1: 0:0-0
				create 2
				call 2 in 2, attempt 1: 0:1-1
				attempt 2 at 1s, 429: all instances are full and no more may be created: 0:2-2`},
			{1000 * ms, wake, "attempt 3 at 3s, 429: all instances are full and no more may be created: 0:2-2"},
			{1500 * ms, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:1"},
			{3000 * ms, wake, "call 3 in 1, attempt 3: 0:2-2"},
		}},
		{"429 may be the end", stream(func(c *Config) {
			c.CountBasedWindow, c.Concurrency, c.MaxInstances, c.MaximumRetryAttempts = 1, 2, 1, 1
		}), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), `create 1
				call 1 in 1, attempt 1: 0:0-0
				attempt 2 at 1s, 429: all instances are full and no more may be created: 0:1-1`},
			{1000 * ms, wake, "discard, attempts 2, 429: all instances are full and no more may be created: 0:1-1"},
			{1001 * ms, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:2"},
		}},
		{"an instance that ends fails its calls, and the next call gets a new one", calls(3, 2, 100), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 3), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1\ncreate 2\ncall 3 in 2, attempt 1: 0:2-2"},
			{0, crash(1), "attempt 2 at 1s, instance ended: 0:0-0\nattempt 2 at 1s, instance ended: 0:1-1"},
			{0, crash(1), ""},
			{0, succeed(1), ""},
			{1000 * ms, wake, "call 4 in 2, attempt 2: 0:0-0\ncreate 3\ncall 5 in 3, attempt 2: 0:1-1"},
		}},
		{"an instance that ended makes room for another", calls(1, 1, 1), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{0, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:1\ncall 2 in 1, attempt 1: 0:1-1"},
			{0, succeed(2), "delivered, attempt 1: 0:1-1\ntask 0 commits 0:2"},
			{0, crash(1), ""},
			{0, arrive(0, 2, 1), "create 2\ncall 3 in 2, attempt 1: 0:2-2"},
		}},
		{"idle instances go away after the idle timeout", stream(func(c *Config) {
			c.CountBasedWindow, c.Concurrency, c.IdleTimeout = 1, 2, time.Minute
		}), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncreate 2\ncall 2 in 2, attempt 1: 0:1-1"},
			{10 * time.Second, succeed(2), "delivered, attempt 1: 0:1-1"},
			{20 * time.Second, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:2"},
			{70*time.Second - 1, early, ""},
			{70 * time.Second, wake, "remove 2"},
			{80*time.Second - 1, arrive(0, 2, 1), "call 3 in 1, attempt 1: 0:2-2"},
			{90 * time.Second, arrive(0, 3, 1), "create 3\ncall 4 in 3, attempt 1: 0:3-3"},
		}},
		{"an instance whose preStop runs takes no calls and counts until its end", stream(func(c *Config) {
			c.CountBasedWindow, c.Concurrency, c.MaxInstances, c.IdleTimeout, c.PreStop = 1, 2, 1, time.Minute, true
		}), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{0, succeed(1), "delivered, attempt 1: 0:0-0\ntask 0 commits 0:1"},
			{60 * time.Second, wake, "remove 1"},
			{60 * time.Second, arrive(0, 1, 1), "attempt 2 at 1m1s, 429: all instances are full and no more may be created: 0:1-1"},
			{60500 * ms, crash(1), ""},
			{61 * time.Second, wake, "create 2\ncall 2 in 2, attempt 2: 0:1-1"},
		}},
		{"above instanceSoftConcurrency another instance starts ahead, and the old one is filled", stream(func(c *Config) {
			c.CountBasedWindow, c.Concurrency, c.InstanceConcurrency, c.InstanceSoftConcurrency, c.IdleTimeout = 1, 9, 4, 2, time.Minute
		}), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1"},
			{0, arrive(0, 2, 1), "call 3 in 1, attempt 1: 0:2-2\ncreate 2"},
			{0, arrive(0, 3, 2), "call 4 in 1, attempt 1: 0:3-3\ncall 5 in 2, attempt 1: 0:4-4"},
			{0, succeed(5), "delivered, attempt 1: 0:4-4"},
			{time.Second, ready(2), ""}, // it was before
			{60 * time.Second, wake, "remove 2"},
			{60 * time.Second, succeed(4), "delivered, attempt 1: 0:3-3"},
			{60 * time.Second, arrive(0, 5, 1), "call 6 in 1, attempt 1: 0:5-5\ncreate 3"},
			{70 * time.Second, ready(3), ""},
			{130*time.Second - 1, early, ""},
			{130 * time.Second, wake, "remove 3"},
		}},
		{"no instance starts ahead beyond the limit", stream(func(c *Config) {
			c.CountBasedWindow, c.Concurrency, c.InstanceConcurrency, c.InstanceSoftConcurrency, c.MaxInstances = 1, 9, 2, 1, 1
		}), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 2), "create 1\ncall 1 in 1, attempt 1: 0:0-0\ncall 2 in 1, attempt 1: 0:1-1"},
		}},
		{"InstanceBurst at once, InstanceGrowth a minute", stream(func(c *Config) {
			c.CountBasedWindow, c.Concurrency, c.MaxInstances, c.InstanceBurst, c.InstanceGrowth = 1, 9, 4, 2, 1
			c.MaximumRetryAttempts = 1
		}), []step{
			{0, assign(0, 0, 0), ""},
			{0, arrive(0, 0, 1), "create 1\ncall 1 in 1, attempt 1: 0:0-0"},
			{60 * time.Second, arrive(0, 1, 2), `create 2
				call 2 in 2, attempt 1: 0:1-1
				attempt 2 at 1m1s, 429: all instances are full and no more may be created: 0:2-2`},
			{61 * time.Second, wake, "discard, attempts 2, 429: all instances are full and no more may be created: 0:2-2"},
			{179 * time.Second, arrive(0, 3, 1), "create 3\ncall 3 in 3, attempt 1: 0:3-3"},
			{180 * time.Second, arrive(0, 4, 2), `create 4
				call 4 in 4, attempt 1: 0:4-4
				attempt 2 at 3m1s, 429: all instances are full and no more may be created: 0:5-5`},
		}},
	})
}

// The experiments: with 26 calls always in flight.
func TestExperiments(t *testing.T) {
	for instanceConcurrency, want := range map[int]int64{26: 1, 13: 2, 5: 6, 2: 13, 1: 26} {
		t.Run(fmt.Sprintf("instanceConcurrency %d", instanceConcurrency), func(t *testing.T) {
			m := New(stream(func(c *Config) {
				c.CountBasedWindow, c.Concurrency, c.InstanceConcurrency = 1, 26, instanceConcurrency
			}))
			m.Assign(0, 0, 0, 0)
			m.Arrive(0, Arrival{Range: Range{0, 0, 1000}, EventBytes: eventBytes})
			for call := range CallID(1000) {
				m.CallEnded(0, call+1, nil)
			}
			s := m.Stats()
			if s.InstancesCreated != want || s.PeakInFlight != 26 || s.Delivered != 1000 || s.Pending != 0 {
				t.Errorf("%d instances, want %d: %+v", s.InstancesCreated, want, s)
			}
		})
	}
}

// failAlways lets one batch fail until it is given up and returns when it is
// tried, from the first call on, and how it ends.
func failAlways(t *testing.T, c Config) (attempts []time.Duration, end Action) {
	t.Helper()
	m := New(c)
	m.Assign(0, 0, 0, 0)
	actions := m.Arrive(0, Arrival{Range: Range{0, 0, 1}, EventBytes: eventBytes})
	for now := time.Duration(0); end == nil; {
		var call CallID
		for _, a := range actions {
			switch a := a.(type) {
			case StartCall:
				call = a.Call
				attempts = append(attempts, now)
			case DeadLetter, Discard, Stop:
				end = a
			}
		}
		switch at, ok := m.NextWake(); {
		case call != 0:
			actions = m.CallEnded(now, call, errFunction)
		case ok:
			now = at
			actions = m.Advance(now)
		case end == nil:
			t.Fatal("nothing more happens")
		}
	}
	return attempts, end
}

func TestExponentialDecayRetry(t *testing.T) {
	attempts, end := failAlways(t, stream(func(c *Config) { c.CountBasedWindow = 1 }))
	var want []time.Duration
	at := time.Duration(0)
	for retry := 0; ; retry++ {
		want = append(want, at)
		if retry == 176 {
			break
		}
		at += min(time.Second<<min(retry, 10), 512*time.Second)
	}
	if diff := cmp.Diff(want, attempts); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if last, total := attempts[len(attempts)-1], 23*time.Hour+53*time.Minute+35*time.Second; last != total {
		t.Errorf("the last retry is after %v, want %v", last, total)
	}
	if d, ok := end.(Discard); !ok || d.Attempts != 177 || d.Err != errFunction {
		t.Errorf("ends with %#v", end)
	}
}

func TestBackoffRetry(t *testing.T) {
	waits := map[time.Duration]bool{}
	for seed := range uint64(1000) {
		attempts, _ := failAlways(t, stream(func(c *Config) {
			c.CountBasedWindow, c.RetryStrategy, c.Seed = 1, BackoffRetry, seed
		}))
		if len(attempts) != 4 {
			t.Fatalf("seed %d: %d attempts, want 4", seed, len(attempts))
		}
		for i, at := range attempts[1:] {
			wait := at - attempts[i]
			if wait < 10*time.Second || wait > 20*time.Second {
				t.Fatalf("seed %d: a retry after %v", seed, wait)
			}
			waits[wait.Truncate(time.Second)] = true
		}
	}
	if len(waits) < 10 {
		t.Errorf("3000 waits fall on %d of the seconds from 10 to 20", len(waits))
	}
}

func TestRetryLimits(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(*Config)
		retries int
		after   time.Duration // of the last retry; 0: random
	}{
		{"backoff", func(c *Config) { c.RetryStrategy = BackoffRetry }, 3, 0},
		{"unknown strategy", func(c *Config) { c.RetryStrategy = "${env.STRATEGY}" }, 3, 0},
		{"attempts 0", func(c *Config) { c.MaximumRetryAttempts = 0 }, 176, 86015 * time.Second},
		{"attempts 1", func(c *Config) { c.MaximumRetryAttempts = 1 }, 1, 1 * time.Second},
		{"attempts 5", func(c *Config) { c.MaximumRetryAttempts = 5 }, 5, 31 * time.Second},
		{"attempts as many as there are", func(c *Config) { c.MaximumRetryAttempts = 176 }, 176, 86015 * time.Second},
		{"attempts more than there are", func(c *Config) { c.MaximumRetryAttempts = 177 }, 176, 86015 * time.Second},
		{"attempts more than backoff has", func(c *Config) { c.RetryStrategy, c.MaximumRetryAttempts = BackoffRetry, 4 }, 3, 0},
		{"age 0", func(c *Config) { c.MaximumEventAge = 0 }, 176, 86015 * time.Second},
		{"age below the first wait", func(c *Config) { c.MaximumEventAge = time.Second - 1 }, 0, 0},
		{"age of three waits exactly", func(c *Config) { c.MaximumEventAge = 7 * time.Second }, 3, 7 * time.Second},
		{"age a little less", func(c *Config) { c.MaximumEventAge = 7*time.Second - 1 }, 2, 3 * time.Second},
		{"age above all", func(c *Config) { c.MaximumEventAge = 48 * time.Hour }, 176, 86015 * time.Second},
		{"age below a backoff", func(c *Config) { c.RetryStrategy, c.MaximumEventAge = BackoffRetry, 9*time.Second }, 0, 0},
		{"scaled", func(c *Config) { c.RetryScale = 0.01 }, 176, 860150 * time.Millisecond},
		{"age scaled too", func(c *Config) { c.RetryScale, c.MaximumEventAge = 0.01, 7*time.Second }, 3, 70 * time.Millisecond},
		{"no waits", func(c *Config) { c.RetryScale = 0 }, 176, 0},
		{"no waits with an age", func(c *Config) { c.RetryScale, c.MaximumEventAge = 0, time.Second }, 176, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			attempts, _ := failAlways(t, stream(func(c *Config) { c.CountBasedWindow = 1 }, test.change))
			if got := len(attempts) - 1; got != test.retries {
				t.Errorf("%d retries, want %d", got, test.retries)
			}
			if last := attempts[len(attempts)-1]; test.after != 0 && last != test.after {
				t.Errorf("the last retry is after %v, want %v", last, test.after)
			}
		})
	}
}

func TestBatchFields(t *testing.T) {
	m := New(stream())
	m.Assign(0, 0, 3, 5)
	m.Arrive(time.Second, Arrival{Range: Range{3, 5, 2}, EventBytes: 100})
	m.Arrive(2*time.Second, Arrival{Range: Range{3, 8, 1}, EventBytes: 50})
	got := m.Advance(3 * time.Second)
	want := []Action{CreateInstance{1}, StartCall{1, 1, &Batch{
		ID: 1, Ranges: []Range{{3, 5, 2}, {3, 8, 1}}, Records: 3,
		Bytes: int64(len("[,,]") + 250), Opened: time.Second, Closed: 3 * time.Second,
	}, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

// A record that is delivered again after a rebalance is counted once as
// delivered, and as redelivered.
func TestRedelivered(t *testing.T) {
	m := New(stream(func(c *Config) { c.MaximumTasks, c.Concurrency = 2, 4 }))
	m.Assign(0, 0, 0, 0)
	arrive(0, 0, 40)(m, 0)
	m.CallEnded(0, 2, nil) // 10-19, not committed
	m.Revoke(0, 0, 0)
	m.CallEnded(0, 3, nil) // 20-29, after the revocation
	if s := m.Stats(); s.Delivered != 20 || s.Pending != 0 {
		t.Errorf("revoked: %+v", s)
	}
	m.Assign(0, 1, 0, 0)
	arrive(0, 5, 45)(m, 0) // other batches: 5-14, 15-24, 25-34, 35-44
	for call := CallID(5); call <= 9; call++ {
		m.CallEnded(2*time.Second, call, nil)
	}
	s := m.Stats()
	if s.Delivered != 45 || s.Redelivered != 20 || s.Pending != 0 {
		t.Errorf("delivered %d, redelivered %d, pending %d; want 45, 20, 0", s.Delivered, s.Redelivered, s.Pending)
	}
	m.CallEnded(0, 1, nil) // 0-9, of the first owner; 0-4 for the first time
	if s := m.Stats(); s.Delivered != 50 || s.Redelivered != 25 {
		t.Errorf("delivered %d, redelivered %d; want 50, 25", s.Delivered, s.Redelivered)
	}
}

// What others have finished of a partition while they owned it is told, and is no first
// delivery any more.
func TestSettled(t *testing.T) {
	m := New(stream(func(c *Config) { c.CountBasedWindow = 2 }))
	m.Assign(0, 0, 7, 100)
	m.Arrive(0, Arrival{Range: Range{Partition: 7, FirstOffset: 100, Count: 6}, EventBytes: eventBytes})
	m.Revoke(0, 0, 7)
	m.Assign(0, 0, 7, 103) // others have got so far; the call with 100 and 101 is still in flight
	if got := m.Stats().Settled; got != 3 {
		t.Errorf("%d offsets were settled at the assignment, want 3", got)
	}
	m.CallEnded(0, 1, nil)
	if s := m.Stats(); s.Delivered != 0 || s.Redelivered != 2 {
		t.Errorf("%d delivered, %d again; want 0, 2", s.Delivered, s.Redelivered)
	}
	m.Revoke(0, 0, 7)
	if got := m.Settle(7, 110); got != 7 { // 103 to 105, which came, and 106 to 109
		t.Errorf("%d offsets settled, want 7", got)
	}
	if got := m.Settle(7, 110); got != 0 {
		t.Errorf("%d offsets settled twice", got)
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	m := New(stream())
	m.Assign(time.Minute, 0, 0, 0)
	arrive(0, 0, 1)(m, time.Second)
	if at, ok := m.NextWake(); !ok || at != time.Minute+2*time.Second {
		t.Errorf("NextWake is %v, %v; want 1m2s", at, ok)
	}
}

func TestNewPanicsOnLimitsBelowOne(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.MaximumTasks = 0 },
		func(c *Config) { c.Concurrency = 0 },
		func(c *Config) { c.CountBasedWindow = 0 },
		func(c *Config) { c.BodyLimit = 0 },
		func(c *Config) { c.InstanceConcurrency = 0 },
		func(c *Config) { c.MaxInstances = -1 },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New did not panic with %+v", stream(change))
				}
			}()
			New(stream(change))
		}()
	}
}
