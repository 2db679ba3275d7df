package plan

import (
	"math"
	"math/rand/v2"
	"time"
)

// task is a consumer with the messages of its partitions. The rules look at a
// partition only for who owns it and what is committed, which a plan does not
// show. So each task has one partition for all that it owns, and its messages
// are numbered from 0 in order of arrival, the backlog first.
type task struct {
	id      int
	backlog int64
	total   int64

	// The others arrive as the curve passes each multiple of interval. They are not all
	// at the same moment as those of other tasks: phase is for this one, in intervals.
	curve    *curve
	interval float64
	phase    float64 // from 0 to 1

	// The first window goes then, however full it is: of those of a stream that has run
	// for long each is filled to another part. 0: it is like any other.
	firstCloses time.Duration

	told int64         // messages that the model knows
	next time.Duration // when the first that it does not know arrives

	telling event // when to tell the model more
}

// never is later than all that happens.
const never = time.Duration(math.MaxInt64)

// newTasks shares the load out to the tasks that have a partition.
func newTasks(config Config, curve *curve) []*task {
	load, rules := config.Load, config.Rules
	tasks := make([]*task, min(rules.MaximumTasks, load.Partitions))
	count := int64(math.Round(load.messages()))
	shares := newShares(load, rules.Seed)
	first := 0
	for id := range tasks {
		partitions := load.Partitions / len(tasks)
		if id < load.Partitions%len(tasks) {
			partitions++
		}
		t := &task{id: id, curve: curve}
		t.backlog = shares.of(load.Backlog, first, partitions)
		if n := shares.of(count, first, partitions); n > 0 {
			t.total = n
			t.interval = curve.passed(load.For) / float64(n)
			if curve == nil && shares.cumulated == nil {
				t.phase = float64(id) / float64(len(tasks)) // one after another
			} else {
				// No order lasts. Multiples of the golden ratio are evenly spread, by
				// whatever is a round of the windows at the time.
				_, t.phase = math.Modf(float64(id) * math.Phi)
			}
		}
		t.total += t.backlog
		t.next = t.arrival(0)
		if t.backlog == 0 && rules.TimeBasedWindow > 0 && rules.CountBasedWindow > 1 {
			round := min(t.arrival(int64(rules.CountBasedWindow)), rules.TimeBasedWindow, load.For)
			t.firstCloses = time.Duration(float64(round) * t.phase)
		}
		t.telling = event{kind: tell, task: t, index: -1}
		tasks[id] = t
		first += partitions
	}
	return tasks
}

// shares is how messages are spread over the partitions.
type shares struct {
	partitions int64
	cumulated  []float64 // share of all partitions before each, and 1; nil: all are even
}

func newShares(load Load, seed uint64) shares {
	s := shares{partitions: int64(load.Partitions)}
	if load.Skew == 0 {
		return s
	}
	random := rand.New(rand.NewPCG(seed, 2)) // the model's own is 0, the driver's 1
	s.cumulated = make([]float64, load.Partitions+1)
	sum := 0.0
	for partition, k := range random.Perm(load.Partitions) {
		sum += math.Pow(float64(k+1), -load.Skew)
		s.cumulated[partition+1] = sum
	}
	for i := range s.cumulated {
		s.cumulated[i] /= sum
	}
	return s
}

// of is what some partitions, from first on, have of n messages.
func (s shares) of(n int64, first, some int) int64 {
	return s.before(n, first+some) - s.before(n, first)
}

// before is what the partitions before one have of n messages.
func (s shares) before(n int64, partition int) int64 {
	if s.cumulated != nil {
		return int64(math.Round(float64(n) * s.cumulated[partition]))
	}
	each, more := n/s.partitions, n%s.partitions
	return each*int64(partition) + min(more, int64(partition))
}

// arrival returns when a message arrives; never if there is none of that number.
func (t *task) arrival(number int64) time.Duration {
	switch {
	case number >= t.total:
		return never
	case number < t.backlog:
		return 0
	}
	return t.curve.when((float64(number-t.backlog) + t.phase) * t.interval)
}

// arrived returns how many messages have arrived by now.
func (t *task) arrived(now time.Duration) int64 {
	if t.total == t.backlog {
		return t.backlog
	}
	n := t.backlog + int64(t.curve.passed(now)/t.interval-t.phase)
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
