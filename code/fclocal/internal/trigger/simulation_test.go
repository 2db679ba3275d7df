package trigger

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// load is what the outside world does to a stream in a simulation.
type load struct {
	partitions  int
	records     int           // in all; one in five offsets on top holds nothing
	duration    time.Duration // in which they are produced
	callTime    time.Duration // at most
	failures    float64       // of a call
	crashes     int           // of instances, over the duration
	rebalances  int           // over the duration
	deployments int           // over the duration
	drain       bool          // halfway
	largeEvents bool          // some exceed the body limit
}

// simulation drives a model in virtual time and checks after every input that
// the rules hold. It keeps its own books, by record, which the model does not.
type simulation struct {
	t      testing.TB
	config Config
	load   load
	model  *Model
	random *rand.Rand
	log    []string // of all actions, if it is kept
	keep   bool

	now     time.Duration
	events  eventQueue
	entered int // events ever put in the queue

	partitions []*simulatedPartition
	calls      map[CallID]StartCall
	instances  map[InstanceID]int // calls in each
	starting   map[InstanceID]bool
	stopping   map[InstanceID]bool
	replaced   map[InstanceID]bool
	preStop    map[InstanceID]bool
	largest    int             // CountBasedWindow so far
	minute     time.Duration   // a number
	before     int             // instances that there were when it began
	retries    map[int64]Retry // those that are waited for, by batch
	inputs     int             // so far
	begun      map[int64]int   // the input that began the batch's last attempt
	spent      map[int64]*book // by batch
	stats      Stats           // what the model must count
	drained    bool
	stopped    bool
}

type simulatedPartition struct {
	records   []record // by offset
	committed int64
	owner     int   // -1: none
	assigned  int   // the input that made it the owner
	told      int64 // to the present owner
}

// record is what is known of an offset.
type record struct {
	exists     bool
	eventBytes int
	produced   bool
	ended      bool // delivered, dead-lettered or discarded at least once

	// For the present owner:
	arrived  time.Duration
	begun    bool
	finished bool
}

type event struct {
	at    time.Duration
	order int
	do    func() []Action
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func newSimulation(t testing.TB, config Config, load load, seed uint64) *simulation {
	return &simulation{
		t: t, config: config, load: load, model: New(config), random: rand.New(rand.NewPCG(seed, 1)),
		calls: map[CallID]StartCall{}, instances: map[InstanceID]int{}, starting: map[InstanceID]bool{}, stopping: map[InstanceID]bool{},
		replaced: map[InstanceID]bool{}, preStop: map[InstanceID]bool{}, largest: config.CountBasedWindow, retries: map[int64]Retry{}, begun: map[int64]int{},
		spent: map[int64]*book{},
	}
}

func (s *simulation) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("at %v, %+v, %+v: %s", s.now, s.config, s.load, fmt.Sprintf(format, args...))
}

func (s *simulation) at(at time.Duration, do func() []Action) {
	s.entered++
	heap.Push(&s.events, event{at, s.entered, do})
}

func (s *simulation) sometime(do func() []Action) {
	s.at(time.Duration(s.random.Int64N(int64(s.load.duration))), do)
}

// prepare lays out what will happen.
func (s *simulation) prepare() {
	for id := range s.load.partitions {
		s.partitions = append(s.partitions, &simulatedPartition{owner: -1})
		s.at(0, func() []Action { return s.assign(id) })
	}
	for range s.load.records {
		p := s.partitions[s.random.IntN(len(s.partitions))]
		for s.random.IntN(5) == 0 {
			p.records = append(p.records, record{produced: true})
		}
		bytes := 1 + s.random.IntN(int(s.config.BodyLimit)-2) // at most the body limit
		if s.random.IntN(2) == 0 {
			bytes = 10
		}
		if s.load.largeEvents && s.random.IntN(50) == 0 {
			bytes = int(s.config.BodyLimit) - 1 // one byte too many
		}
		p.records = append(p.records, record{exists: true, eventBytes: bytes})
	}
	for _, p := range s.partitions {
		produced := 0
		for produced < len(p.records) {
			from, to := produced, min(len(p.records), produced+1+s.random.IntN(20))
			produced = to
			at := time.Duration(float64(s.load.duration) * float64(from) / float64(len(p.records)))
			s.at(at, func() []Action {
				for i := from; i < to; i++ {
					p.records[i].produced = true
				}
				return nil
			})
		}
	}
	for range s.load.crashes {
		s.sometime(s.crash)
	}
	for range s.load.rebalances {
		s.sometime(s.rebalance)
	}
	for range s.load.deployments {
		s.sometime(s.deploy)
	}
	if s.load.drain {
		s.at(s.load.duration/2, func() []Action {
			s.drained = true
			return s.model.Drain(s.now)
		})
	}
}

// run lets everything happen, up to the end.
func (s *simulation) run() {
	s.prepare()
	for {
		wake, ok := s.model.NextWake()
		if ok && wake <= s.now {
			s.fatalf("NextWake is %v", wake)
		}
		switch {
		case len(s.events) > 0 && (!ok || s.events[0].at < wake):
			e := heap.Pop(&s.events).(event)
			s.pass(e.at)
			s.carryOut(e.do())
		case ok:
			s.pass(wake)
			s.carryOut(s.model.Advance(s.now))
		default:
			s.checkEnd()
			return
		}
		s.fetch()
		s.check()
	}
}

func (s *simulation) pass(to time.Duration) {
	if minute := to / time.Minute; minute != s.minute {
		s.minute, s.before = minute, s.current()
	}
	s.now = to
}

func (s *simulation) assign(id int) []Action {
	p := s.partitions[id]
	p.owner, p.told, p.assigned = s.random.IntN(s.config.MaximumTasks), p.committed, s.inputs+1
	for i := range p.records {
		r := &p.records[i]
		r.begun, r.finished = false, false
	}
	return s.model.Assign(s.now, p.owner, int32(id), p.committed)
}

func (s *simulation) rebalance() []Action {
	id := s.random.IntN(len(s.partitions))
	p := s.partitions[id]
	if p.owner < 0 {
		return nil
	}
	if s.random.IntN(3) == 0 {
		return s.assign(id) // the next owner is faster than the last
	}
	owner := p.owner
	p.owner = -1
	s.at(s.now+time.Duration(s.random.Int64N(int64(3*time.Second))), func() []Action {
		if p.owner >= 0 {
			return nil
		}
		return s.assign(id)
	})
	return s.model.Revoke(s.now, owner, int32(id))
}

func (s *simulation) crash() []Action {
	if len(s.instances) == 0 {
		return nil
	}
	var ids []InstanceID
	for id := range s.instances {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	id := ids[s.random.IntN(len(ids))]
	s.gone(id)
	for call, start := range s.calls {
		if start.Instance == id {
			delete(s.calls, call)
		}
	}
	return s.model.InstanceEnded(s.now, id, errors.New("crashed"))
}

// deploy changes some settings, and the function or not.
func (s *simulation) deploy() []Action {
	next := randomConfig(s.random)
	next.MaximumTasks, next.BodyLimit, next.Seed = s.config.MaximumTasks, s.config.BodyLimit, s.config.Seed
	function := s.random.IntN(3) > 0
	if function {
		for id := range s.instances {
			s.replaced[id] = true
		}
	} else {
		next.InstanceConcurrency, next.InstanceSoftConcurrency, next.PreStop = s.config.InstanceConcurrency, s.config.InstanceSoftConcurrency, s.config.PreStop
	}
	s.config = next
	s.largest = max(s.largest, next.CountBasedWindow)
	return s.model.Deploy(s.now, next, function)
}

// current is how many instances there are of the present function.
func (s *simulation) current() int { return len(s.instances) - len(s.replaced) }

func (s *simulation) gone(id InstanceID) {
	delete(s.replaced, id)
	delete(s.instances, id)
	delete(s.starting, id)
	delete(s.stopping, id)
}

// limit is how many instances may exist.
func (s *simulation) limit() int {
	if s.config.InstanceBurst == 0 {
		return s.config.MaxInstances
	}
	return min(s.config.MaxInstances, max(s.config.InstanceBurst, s.before+s.config.InstanceGrowth))
}

// full says that an instance keeps others from being created no longer.
func (s *simulation) full(id InstanceID) bool {
	calls := s.instances[id]
	return s.stopping[id] || s.replaced[id] || calls == s.config.InstanceConcurrency || s.config.InstanceSoftConcurrency > 0 && calls > s.config.InstanceSoftConcurrency
}

// fetch brings the model what has been produced while it is not backlogged.
func (s *simulation) fetch() {
	for id, p := range s.partitions {
		for p.owner >= 0 && !s.model.Backlogged(p.owner) && p.told < int64(len(p.records)) {
			first := p.records[p.told]
			if !first.produced {
				break
			}
			arrived := Range{Partition: int32(id), FirstOffset: p.told}
			for p.told < int64(len(p.records)) {
				r := &p.records[p.told]
				if !r.produced || !r.exists || r.eventBytes != first.eventBytes || arrived.Count == 7 {
					break
				}
				r.arrived = s.now
				arrived.Count++
				p.told++
			}
			if arrived.Count == 0 { // nothing at this offset
				p.told++
				arrived.FirstOffset = p.told
			}
			s.carryOut(s.model.Arrive(s.now, Arrival{Range: arrived, EventBytes: first.eventBytes}))
		}
	}
}

// each calls do for the records of a batch.
func (s *simulation) each(b *Batch, do func(p *simulatedPartition, offset int64, r *record)) {
	for _, arrived := range b.Ranges {
		p := s.partitions[arrived.Partition]
		for i := range int64(arrived.Count) {
			do(p, arrived.FirstOffset+i, &p.records[arrived.FirstOffset+i])
		}
	}
}

// carryOut keeps the books and checks every action.
func (s *simulation) carryOut(actions []Action) {
	s.inputs++
	if s.keep {
		s.log = append(s.log, describe(actions))
	}
	for _, a := range actions {
		switch a := a.(type) {
		case CreateInstance:
			if s.current() >= s.limit() {
				s.fatalf("instance %d beyond %d", a.Instance, s.limit())
			}
			for id, calls := range s.instances {
				if !s.full(id) {
					s.fatalf("instance %d created while %d has %d calls", a.Instance, id, calls)
				}
			}
			s.instances[a.Instance], s.starting[a.Instance], s.preStop[a.Instance] = 0, true, s.config.PreStop
			s.at(s.now+time.Duration(s.random.Int64N(int64(500*time.Millisecond))), func() []Action {
				delete(s.starting, a.Instance)
				return s.model.InstanceReady(s.now, a.Instance)
			})
			s.stats.InstancesCreated++
			s.stats.PeakInstances = max(s.stats.PeakInstances, len(s.instances))
		case RemoveInstance:
			if calls, ok := s.instances[a.Instance]; !ok || calls > 0 || s.stopping[a.Instance] || !s.replaced[a.Instance] && (s.config.IdleTimeout == 0 || s.starting[a.Instance]) {
				s.fatalf("instance %d removed with %d calls", a.Instance, calls)
			}
			if !s.preStop[a.Instance] {
				s.gone(a.Instance)
				break
			}
			s.stopping[a.Instance] = true
			s.at(s.now+time.Duration(s.random.Int64N(int64(time.Second))), func() []Action {
				s.gone(a.Instance)
				return s.model.InstanceEnded(s.now, a.Instance, errors.New("stopped"))
			})
		case StartCall:
			s.startCall(a)
		case Retry:
			if a.At < s.now || s.drained || s.stopped {
				s.fatalf("%+v", a)
			}
			s.retries[a.Batch.ID] = a
			if errors.Is(a.Err, ErrThrottled) {
				s.attempt(a.Batch)
				s.spent[a.Batch.ID].next = Instance
			}
			if a.Attempt > 2 && errors.Is(a.Err, ErrThrottled) {
				s.stats.Retries++
			}
			if errors.Is(a.Err, ErrThrottled) {
				s.checkThrottled()
				s.begun[a.Batch.ID] = s.inputs
				s.each(a.Batch, func(_ *simulatedPartition, _ int64, r *record) { r.begun = true })
			}
		case Delivered:
			s.checkSpent(a)
			s.end(a.Batch, &s.stats.Delivered)
		case DeadLetter:
			if !s.config.ErrorsTolerated || !s.config.DeadLetterQueue {
				s.fatalf("a dead letter")
			}
			s.giveUp(a.Batch, a.Attempts, a.Err)
			s.end(a.Batch, &s.stats.DeadLettered)
		case Discard:
			if !s.config.ErrorsTolerated || s.config.DeadLetterQueue {
				s.fatalf("a discard")
			}
			s.giveUp(a.Batch, a.Attempts, a.Err)
			s.end(a.Batch, &s.stats.Discarded)
		case Stop:
			if s.config.ErrorsTolerated || s.stopped {
				s.fatalf("a stop")
			}
			s.giveUp(a.Batch, a.Attempts, a.Err)
			s.stopped = true
		case Commit:
			p := s.partitions[a.Partition]
			if a.Task != p.owner || a.Offset <= p.committed || a.Offset > p.told {
				s.fatalf("%+v; owner %d, committed %d, told %d", a, p.owner, p.committed, p.told)
			}
			for offset := p.committed; offset < a.Offset; offset++ {
				if r := p.records[offset]; r.exists && !r.finished {
					s.fatalf("%+v passes %d, which is not finished", a, offset)
				}
			}
			p.committed = a.Offset
		}
	}
}

// book is what a batch has spent since it closed.
type book struct {
	spent Spent
	until time.Duration
	next  Cause // of the time since then
}

// attempt says that an attempt with a batch begins.
func (s *simulation) attempt(b *Batch) {
	if b.Fetching > b.Opened || b.Opened > b.Closed || b.Closed > s.now {
		s.fatalf("%+v", *b)
	}
	if s.spent[b.ID] == nil {
		s.spent[b.ID] = &book{until: b.Closed, next: Slot}
	}
	book := s.spent[b.ID]
	book.spent[book.next] += s.now - book.until
	book.until, book.next = s.now, Retries
}

// checkSpent finds causes of a latency that are not those of the books, or do not sum to it.
func (s *simulation) checkSpent(a Delivered) {
	book := s.spent[a.Batch.ID]
	book.spent[InCall] += s.now - book.until
	if *a.Spent != book.spent {
		s.fatalf("%v are spent, want %v", *a.Spent, book.spent)
	}
	spent := *a.Spent
	s.each(a.Batch, func(_ *simulatedPartition, offset int64, r *record) {
		if r.arrived > a.Batch.Closed { // it has come again, to the next owner
			return
		}
		s.model.Gather(&spent, a, r.arrived/2, r.arrived)
		sum := time.Duration(0)
		for _, part := range spent {
			sum += part
		}
		if sum != s.now-r.arrived/2 || slices.Min(spent[:]) < 0 || spent[Kafka] != r.arrived-r.arrived/2 || s.config.TimeBasedWindow == 0 && spent[Window] > 0 {
			s.fatalf("%v are spent on the record at %d that arrived at %v in %+v", spent, offset, r.arrived, *a.Batch)
		}
	})
}

func (s *simulation) startCall(a StartCall) {
	s.attempt(a.Batch)
	if s.drained || s.stopped {
		s.fatalf("%+v after the end of calls", a)
	}
	calls, ok := s.instances[a.Instance]
	if !ok || calls >= s.config.InstanceConcurrency || s.stopping[a.Instance] || s.replaced[a.Instance] {
		s.fatalf("%+v: the instance has %d calls", a, calls)
	}
	if retry, ok := s.retries[a.Batch.ID]; ok && (retry.At > s.now || retry.Attempt != a.Attempt) || !ok && a.Attempt > 1 {
		s.fatalf("%+v for %+v", a, retry)
	}
	if a.Attempt > 1 {
		s.stats.Retries++
	}
	delete(s.retries, a.Batch.ID)
	s.instances[a.Instance]++
	s.calls[a.Call] = a
	s.begun[a.Batch.ID] = s.inputs
	s.stats.Calls++
	s.stats.PeakInFlight = max(s.stats.PeakInFlight, len(s.calls))
	if len(s.calls) > s.config.Concurrency {
		s.fatalf("%d calls in flight", len(s.calls))
	}

	records, bytes := 0, int64(1)
	s.each(a.Batch, func(p *simulatedPartition, offset int64, r *record) {
		records++
		bytes += int64(r.eventBytes) + 1
		if !r.exists || offset >= p.told || p.owner != a.Batch.Task || r.finished || r.begun != (a.Attempt > 1) {
			s.fatalf("%+v has offset %d: %+v", *a.Batch, offset, r)
		}
		r.begun = true
		if s.config.Concurrency > 1 {
			return
		}
		for before := p.committed; before < offset; before++ {
			if b := p.records[before]; b.exists && !b.finished && !b.begun {
				s.fatalf("%+v has offset %d before %d", *a.Batch, offset, before)
			}
		}
	})
	if records != a.Batch.Records || records > s.largest || records == 0 {
		s.fatalf("%d records in %+v", records, *a.Batch)
	}
	if bytes != a.Batch.Bytes || bytes > s.config.BodyLimit {
		s.fatalf("%d bytes in %+v", bytes, *a.Batch)
	}

	var err error
	if s.random.Float64() < s.load.failures {
		err = errFunction
	}
	s.at(s.now+time.Duration(s.random.Int64N(int64(s.load.callTime)+1)), func() []Action {
		if _, ok := s.calls[a.Call]; ok {
			delete(s.calls, a.Call)
			s.instances[a.Instance]--
			delete(s.starting, a.Instance)
		}
		return s.model.CallEnded(s.now, a.Call, err) // also of a call that is lost, which is ignored
	})
}

func (s *simulation) checkThrottled() {
	if s.current() < s.limit() {
		s.fatalf("throttled with %d instances", len(s.instances))
	}
}

// giveUp checks that a batch is not given up too early.
func (s *simulation) giveUp(b *Batch, attempts int, err error) {
	if errors.Is(err, ErrTooLarge) {
		if attempts != 0 || b.Records != 1 || b.Bytes <= s.config.BodyLimit {
			s.fatalf("too large after %d attempts: %+v", attempts, *b)
		}
		return
	}
	if errors.Is(err, ErrThrottled) {
		s.checkThrottled()
		if attempts > 1 {
			s.stats.Retries++
		}
	}
	early := attempts < s.config.retries()+1
	late := attempts > s.config.retries()+1 && s.load.deployments == 0
	if (early || late) && s.config.MaximumEventAge == 0 {
		s.fatalf("given up after %d attempts: %+v", attempts, *b)
	}
}

func (s *simulation) end(b *Batch, count *int64) {
	delete(s.retries, b.ID)
	defer delete(s.begun, b.ID)
	s.each(b, func(p *simulatedPartition, _ int64, r *record) {
		if r.ended {
			s.stats.Redelivered++
		} else {
			*count++
		}
		r.ended = true
		// A batch too large is never begun, and has its end with the present owner.
		if begun, ok := s.begun[b.ID]; !ok || p.owner >= 0 && begun >= p.assigned {
			r.finished = true
		}
	})
}

// check compares the books with the model's after every input.
func (s *simulation) check() {
	pending := int64(0)
	slotsFree := s.model.slots < s.config.Concurrency && !s.model.Halted()
	for id, p := range s.partitions {
		if p.owner < 0 {
			continue
		}
		for offset := p.committed; offset < p.told; offset++ {
			r := p.records[offset]
			if !r.exists || r.finished {
				continue
			}
			pending++
			if slotsFree && !r.begun && s.now-r.arrived >= max(1, s.config.TimeBasedWindow) {
				s.fatalf("record %d:%d has waited %v with free slots", id, offset, s.now-r.arrived)
			}
			if slotsFree && !r.begun && s.config.TimeBasedWindow == 0 {
				s.fatalf("record %d:%d waits with free slots", id, offset)
			}
		}
	}
	for id := range s.replaced {
		if s.instances[id] == 0 && !s.stopping[id] {
			s.fatalf("instance %d is replaced, has no calls and stays", id)
		}
	}
	want := s.stats
	want.Pending = pending
	want.InFlight = len(s.calls)
	want.Instances = len(s.instances)
	got := s.model.Stats()
	if slots := s.model.slots; slots != got.InFlight+got.Retrying {
		s.t.Errorf("%d slots are in use, for %d calls and %d retries", slots, got.InFlight, got.Retrying)
	}
	got.Retrying, got.Throttled = 0, 0 // checked by their actions
	if got != want {
		s.fatalf("Stats (-want +got):\n%s", cmp.Diff(want, got))
	}
	if s.model.slots != len(s.model.calls)+len(s.model.retrying) && !s.model.Halted() {
		s.fatalf("%d slots for %d calls and %d retries", s.model.slots, len(s.model.calls), len(s.model.retrying))
	}
}

// checkEnd checks that nothing is left over or lost.
func (s *simulation) checkEnd() {
	produced, ended := int64(0), int64(0)
	for id, p := range s.partitions {
		for _, r := range p.records {
			if r.exists {
				produced++
			}
			if r.ended {
				ended++
			}
		}
		if !s.model.Halted() && p.committed != int64(len(p.records)) {
			s.fatalf("partition %d: committed %d of %d", id, p.committed, len(p.records))
		}
	}
	if produced != int64(s.load.records) {
		s.fatalf("%d records produced", produced)
	}
	stats := s.model.Stats()
	var used Usage
	for _, hour := range s.model.Usage() {
		used.Calls += hour.Calls
		used.Events += hour.Events
	}
	if used.Calls != stats.Calls || used.Events < ended {
		s.fatalf("%+v of %+v", used, stats)
	}
	if stats.Delivered+stats.DeadLettered+stats.Discarded != ended {
		s.fatalf("%d records have reached their end: %+v", ended, stats)
	}
	if stats.InFlight > 0 {
		s.fatalf("%d calls in flight", stats.InFlight)
	}
	if !s.model.Halted() && (ended != produced || stats.Pending != 0 || stats.Retrying != 0 || s.model.slots != 0) {
		s.fatalf("%d of %d records have reached their end: %+v", ended, produced, stats)
	}
}

// randomConfig makes settings of every kind.
func randomConfig(random *rand.Rand) Config {
	one := func(values ...int) int { return values[random.IntN(len(values))] }
	config := Config{
		MaximumTasks:     one(1, 2, 5),
		Concurrency:      one(1, 1, 2, 7, 26),
		CountBasedWindow: one(1, 3, 10, 100),
		TimeBasedWindow:  time.Duration(one(0, 0, 50, 1000)) * time.Millisecond,
		BodyLimit:        int64(one(50, 500, 1_000_000)),

		RetryStrategy:        RetryStrategy([]string{"BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY"}[random.IntN(2)]),
		MaximumRetryAttempts: one(0, 0, 1, 3),
		MaximumEventAge:      time.Duration(one(0, 0, 0, 15)) * time.Second,
		RetryScale:           []float64{1, 0.1, 0.001, 0}[random.IntN(4)],
		ErrorsTolerated:      random.IntN(4) > 0,
		DeadLetterQueue:      random.IntN(2) == 0,

		InstanceConcurrency: one(1, 2, 20),
		MaxInstances:        one(1, 3, 100),
		IdleTimeout:         time.Duration(one(0, 0, 300)) * time.Millisecond,
		PreStop:             random.IntN(3) == 0,
	}
	config.InstanceSoftConcurrency = []int{0, 1, (config.InstanceConcurrency + 1) / 2}[random.IntN(3)]
	if random.IntN(3) == 0 {
		config.InstanceBurst, config.InstanceGrowth = one(1, 2), one(1, 5)
	}
	return config
}

// randomSimulation makes a small stream of every kind.
func randomSimulation(t testing.TB, seed uint64) *simulation {
	random := rand.New(rand.NewPCG(seed, 2))
	one := func(values ...int) int { return values[random.IntN(len(values))] }
	config := randomConfig(random)
	config.Seed = seed
	return newSimulation(t, config, load{
		partitions:  one(1, 2, 7),
		records:     one(1, 20, 150),
		duration:    time.Duration(one(1, 1000, 10_000)) * time.Millisecond,
		callTime:    time.Duration(one(0, 20, 500)) * time.Millisecond,
		failures:    []float64{0, 0, 0.1, 0.8}[random.IntN(4)],
		crashes:     one(0, 0, 5),
		rebalances:  one(0, 0, 3, 20),
		deployments: one(0, 0, 1, 10),
		drain:       random.IntN(8) == 0,
		largeEvents: random.IntN(3) == 0,
	}, seed)
}

func TestRulesHoldForAnyStream(t *testing.T) {
	runs := uint64(5000)
	if testing.Short() {
		runs = 500
	}
	for seed := range runs {
		randomSimulation(t, seed).run()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestSameSeedSameActions(t *testing.T) {
	for seed := range uint64(200) {
		var logs [2][]string
		for i := range logs {
			s := randomSimulation(t, seed)
			s.keep = true
			s.run()
			logs[i] = s.log
		}
		if diff := cmp.Diff(logs[0], logs[1]); diff != "" {
			t.Fatalf("seed %d (-first +second):\n%s", seed, diff)
		}
	}
}

// BenchmarkModel carries records through a model whose calls end in order, at
// once. Its ns/op are per record.
func BenchmarkModel(b *testing.B) {
	for _, test := range []struct{ count, run, concurrency int }{
		{1, 1, 26}, {100, 1, 26}, {100, 100, 26}, {1000, 1000, 300},
	} {
		b.Run(fmt.Sprintf("CountBasedWindow=%d/run=%d/concurrency=%d", test.count, test.run, test.concurrency), func(b *testing.B) {
			m := New(Config{
				MaximumTasks: 1, Concurrency: test.concurrency, CountBasedWindow: test.count, BodyLimit: BodyLimitSynchronous,
				RetryScale: 1, ErrorsTolerated: true, InstanceConcurrency: 1, MaxInstances: 300, TimeBasedWindow: time.Second, IdleTimeout: time.Minute,
			})
			m.Assign(0, 0, 0, 0)
			b.ReportAllocs()
			oldest := CallID(1)
			for offset := int64(0); offset < int64(b.N); offset += int64(test.run) {
				m.Arrive(0, Arrival{Range: Range{0, offset, test.run}, EventBytes: 500})
				for m.Backlogged(0) {
					m.CallEnded(0, oldest, nil)
					oldest++
				}
				m.NextWake()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
