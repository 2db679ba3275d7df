package plan

import (
	"math"
	"math/rand/v2"
	"time"

	"fclocal/internal/trigger"
)

// task is a consumer with the messages of its partitions. The rules look at a
// partition only for who owns it and what is committed, which a plan does not
// show. So each task has one partition for all that it owns, and its messages
// are numbered from 0 in order of arrival, the backlog first.
type task struct {
	id      int
	backlog int64
	total   int64

	// The others arrive in groups, as the curve passes each multiple of interval. They are
	// not all at the same moment as those of other tasks: phase is for this one, in intervals.
	curve    *curve
	group    int64 // messages that come at once; the last group may have fewer
	interval float64
	phase    float64 // from 0 to 1

	chance *chance // decides when the groups arrive in place of that; nil: nothing does
	line   line    // by which their number is expected to grow; see knownByLines

	// The first window goes then, however full it is: of those of a stream that has run
	// for long each is filled to another part. 0: it is like any other.
	firstCloses time.Duration

	recorded *recorded     // in place of all that; nil: they are not
	sizes    trigger.Sizes // of the messages' events by their number; nil: all are alike

	told int64         // messages that the model knows
	next time.Duration // when the first that it does not know arrives

	telling event // when to tell the model more
}

// Seeds of chance beside the given one: the model's own is 0, the driver's 1.
const (
	chanceOfShares = 2
	chanceOfTask   = 3       // and one more for each
	chanceOfBursts = 1 << 32 // beyond all tasks
	chanceOfSizes  = chanceOfBursts + 1
	chanceOfTimes  = chanceOfBursts + 2
)

// line is a number of messages over the positions of the curve.
type line struct{ at0, slope float64 }

// never is later than all that happens.
const never = time.Duration(math.MaxInt64)

// newTasks shares the load out to the tasks that have a partition.
func newTasks(config Config, curve *curve) []*task {
	load, rules := config.Load, config.Rules
	tasks := make([]*task, min(rules.MaximumTasks, load.Partitions))
	count := int64(math.Round(load.messages()))
	if load.Recording != nil {
		count = 0 // see share
	}
	shares := newShares(load, rules.Seed)
	first := 0
	owned := make([]int, len(tasks))
	for id := range tasks {
		partitions := load.Partitions / len(tasks)
		if id < load.Partitions%len(tasks) {
			partitions++
		}
		owned[id] = partitions
		t := &task{id: id, curve: curve, group: int64(max(load.Group, 1))}
		t.backlog = shares.of(load.Backlog, first, partitions)
		t.total = t.backlog + shares.of(count, first, partitions)
		if t.total > t.backlog {
			t.interval = curve.passed(load.For) / float64(t.groups())
			filled := float64(id) / float64(len(tasks)) // one window after another
			if curve != nil || shares.cumulated != nil {
				// No order lasts. Multiples of the golden ratio are evenly spread, by
				// whatever is a round of the windows at the time.
				_, filled = math.Modf(float64(id) * math.Phi)
			}
			t.phase = filled
			if windows := rules.TimeBasedWindow > 0 && rules.CountBasedWindow > 1 && t.backlog == 0; windows {
				fills := t.interval / float64(t.group) * float64(rules.CountBasedWindow)
				round := min(curve.when(min(fills, curve.passed(load.For))), rules.TimeBasedWindow)
				t.firstCloses = time.Duration(float64(round) * filled)
				_, t.phase = math.Modf(curve.passed(t.firstCloses) / t.interval) // just then a message comes
			}
		}
		if load.Arrivals.byChance() && t.total > t.backlog {
			t.chance = newChance(rand.New(rand.NewPCG(rules.Seed, chanceOfTask+uint64(id))), t.groups(), curve.passed(load.For))
		}
		t.telling = event{kind: tell, task: t, index: -1}
		tasks[id] = t
		first += partitions
	}
	giveSizes(tasks, load, rules.Seed)
	if load.Recording != nil {
		load.Recording.share(tasks, owned)
	}
	for _, t := range tasks {
		t.next = t.arrival(0)
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
	random := rand.New(rand.NewPCG(seed, chanceOfShares))
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
	return t.groupArrival((number - t.backlog) / t.group)
}

// groups returns how many there are.
func (t *task) groups() int64 { return (t.total - t.backlog + t.group - 1) / t.group }

// groupArrival returns when a group arrives, which are numbered from 0.
func (t *task) groupArrival(number int64) time.Duration {
	if number >= t.groups() {
		return never
	}
	if t.recorded != nil {
		return t.recorded.record(number).At
	}
	return t.curve.when(t.position(number))
}

// position is a group's arrival on the curve.
func (t *task) position(number int64) float64 {
	if t.chance != nil {
		return t.chance.at(number)
	}
	return (float64(number) + t.phase) * t.interval
}

// arrived returns how many messages have arrived by now.
func (t *task) arrived(now time.Duration) int64 {
	if t.total == t.backlog {
		return t.backlog
	}
	if t.recorded != nil {
		return t.recorded.by(now, t.told)
	}
	n := int64(t.curve.passed(now)/t.interval - t.phase)
	if t.chance != nil {
		n = t.chance.by(t.curve.passed(now))
	}
	n = min(max(n, 0), t.groups())
	for t.groupArrival(n) <= now { // both sides are rounded
		n++
	}
	for n > 0 && t.groupArrival(n-1) > now {
		n--
	}
	return min(t.backlog+n*t.group, t.total)
}

// take marks messages as told.
func (t *task) take(n int64) {
	t.told += n
	t.next = t.arrival(t.told)
}

// about is arrival, but for messages between those that are known to come by chance: on
// average.
func (t *task) about(number int64) time.Duration {
	if t.chance == nil || number < t.backlog {
		return t.arrival(number)
	}
	return t.curve.when(t.chance.about((number - t.backlog) / t.group))
}

// expect returns the line by which messages are expected now, with all that is known of
// those that come by chance. last is the number of the message up to which the model is
// told of nothing, -1 where it is not told before it has a batch less.
func (t *task) expect(now time.Duration, last int64) line {
	at, from := t.curve.passed(now), float64(t.told)
	to, until := float64(t.total), t.interval*float64(t.groups())
	switch {
	case t.told == t.total:
		return line{float64(t.total), 0}
	case t.told < t.backlog:
		at, from = 0, float64(t.backlog)
	case last < 0:
		group := (t.told - t.backlog) / t.group
		at, from = t.position(group), min(float64(t.backlog+(group+1)*t.group), to)
	default:
		group := (last - t.backlog) / t.group
		to, until = float64(t.backlog+group*t.group), t.position(group)
	}
	if until <= at {
		return line{from, 0}
	}
	slope := (to - from) / (until - at)
	return line{from - slope*at, slope}
}
