package plan

import (
	"math"
	"time"
)

// task is a consumer with the messages of its partitions. The rules look at a
// partition only for who owns it and what is committed, which a plan does not
// show. So each task has one partition for all that it owns, and its messages
// are numbered from 0 in order of arrival, the backlog first.
type task struct {
	id       int
	backlog  int64
	total    int64
	start    time.Duration // when the first message after the backlog arrives
	interval float64       // nanoseconds between them

	told   int64         // messages that the model knows
	next   time.Duration // when the first that it does not know arrives
	opened time.Duration // when the open window was

	feed event // when to tell it more
}

// never is later than all that happens.
const never = time.Duration(math.MaxInt64)

// newTasks shares the load out to the tasks that have a partition.
func newTasks(config Config) []*task {
	load, rules := config.Load, config.Rules
	tasks := make([]*task, min(rules.MaximumTasks, load.Partitions))
	count := int64(math.Round(load.Rate * load.For.Seconds()))
	first := 0
	for id := range tasks {
		partitions := load.Partitions / len(tasks)
		if id < load.Partitions%len(tasks) {
			partitions++
		}
		t := &task{id: id}
		t.backlog = share(load.Backlog, load.Partitions, first, partitions)
		if n := share(count, load.Partitions, first, partitions); n > 0 {
			t.total = n
			t.interval = float64(load.For) / float64(n)
			// The windows of all tasks fill one after another.
			round := t.interval
			if window := float64(rules.TimeBasedWindow); window > 0 {
				round = min(t.interval*float64(rules.CountBasedWindow), window, float64(load.For))
			}
			t.start = time.Duration(round * float64(id) / float64(len(tasks)))
		}
		t.total += t.backlog
		t.next = t.arrival(0)
		t.feed = event{kind: feed, task: t, index: -1}
		tasks[id] = t
		first += partitions
	}
	return tasks
}

// share is what some of all partitions, from first on, have of n messages.
func share(n int64, all, first, some int) int64 {
	each, more := n/int64(all), n%int64(all)
	return each*int64(some) + min(max(more-int64(first), 0), int64(some))
}

// arrival returns when a message arrives; never if there is none of that number.
func (t *task) arrival(number int64) time.Duration {
	switch {
	case number >= t.total:
		return never
	case number < t.backlog:
		return 0
	}
	return t.start + time.Duration(float64(number-t.backlog)*t.interval)
}

// arrived returns how many messages have arrived by now.
func (t *task) arrived(now time.Duration) int64 {
	if t.total == t.backlog || now < t.start {
		return t.backlog
	}
	n := t.backlog + int64(float64(now-t.start)/t.interval)
	n = min(max(n, t.backlog), t.total)
	for t.arrival(n) <= now { // both sides are rounded
		n++
	}
	for n > t.backlog && t.arrival(n-1) > now {
		n--
	}
	return n
}

// take marks messages as told.
func (t *task) take(n int64) {
	t.told += n
	t.next = t.arrival(t.told)
}
