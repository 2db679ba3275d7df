// Package trigger is the model of an EventBridge event stream that carries the
// records of a Kafka topic to a function, and of the instances that Function
// Compute creates for its calls.
//
// It does no I/O, reads no clock and starts no goroutine. A driver tells a Model
// what happened and carries out the actions that it answers with, in their
// order. Time is what has passed since the run began; it never decreases. The
// same inputs with the same Config give the same actions.
//
// # Rules
//
// "Documented" rules are in the platform's documents, "inferred" ones are what
// fits them where they are silent.
//
//   - MaximumTasks consumers share the partitions (documented). Each has a batch
//     window of its own, over all partitions it owns (inferred).
//   - A batch closes when it holds CountBasedWindow records or its first record
//     has waited for TimeBasedWindow (documented), or at the arrival of a record
//     that would take the payload over the body limit (documented; the moment is
//     inferred). With a TimeBasedWindow of 0 what is there when a call can be made
//     goes at once, up to CountBasedWindow (inferred). What is left at the end
//     of a topic waits for TimeBasedWindow like any other.
//   - At most Concurrency calls are in flight (documented) over all tasks
//     (inferred). Closed batches wait in order of closing, and batches of one
//     partition may be in flight side by side (inferred).
//   - A batch counts towards Concurrency until it has reached its end, also while
//     it waits for a retry (inferred: "skipped, the next one goes on"). So with a
//     Concurrency of 1 the order of a partition holds across retries, and as many
//     failing batches as Concurrency hold the stream up until they are given up.
//   - A call succeeds or fails as a whole (documented). A call that FC refuses
//     with 429 is a failed attempt (inferred).
//   - A record that alone exceeds the body limit is a batch of its own. In its turn it
//     fails without a call and without retries (inferred).
//   - A batch that fails all its retries goes to the dead letters if errors are
//     tolerated and there is a queue, is discarded if there is none, and stops
//     the stream if they are not tolerated (documented; on the platform it is the
//     task that blocks, here all stop).
//   - An offset is committed when no record below it is unfinished. Delivery is at
//     least once (inferred).
//   - A deployment lets calls in flight end where they are. Further ones, retries too, go
//     to instances of the new function (inferred). Windows and offsets are kept; on the
//     platform a stream whose settings change starts its tasks again, and what was in
//     their windows is read once more (inferred).
//
// retry.go and instances.go hold the rules of retries and of scaling.
package trigger

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// A Model is an event stream and the instances of its function. It is not safe
// for use by several goroutines.
//
// Every method that takes now returns the actions that follow. The slice is
// valid until the next such call. A now before an earlier one counts as that.
type Model struct {
	config  Config
	random  *rand.Rand
	now     time.Duration
	actions []Action

	tasks      []task
	partitions map[int32]*partition // those with an owner
	histories  map[int32]*history

	opened   queue[*delivery] // open windows in order of opening, and some that are no longer
	waiting  queue[*delivery] // closed batches without a slot, in order of closing
	retrying []*delivery      // in order of due, then of batch
	calls    map[CallID]*delivery
	slots    int // deliveries that count towards Concurrency: in flight or retrying

	instances instances
	growth    growth
	batches   int64 // closed so far
	halted    bool  // no more calls
	stopped   bool  // Stop has been given

	stats Stats
	usage usage
}

type task struct {
	window  *delivery // nil if it is empty
	waiting int       // closed batches without a slot

	fetching time.Duration // since when there is none; counts only then
}

// Stats counts what has happened so far. Records are counted once, by how they
// first reached their end.
type Stats struct {
	Calls     int64 // without those refused
	Retries   int64 // attempts beyond a batch's first, refused ones too
	Throttled int64 // attempts refused with 429

	Delivered    int64 // records
	DeadLettered int64 // records
	Discarded    int64 // records
	Redelivered  int64 // records that reached an end again, after a rebalance
	Pending      int64 // records that have arrived at their present owner and are unfinished
	Settled      int64 // offsets that had no end here when a partition was assigned beyond them; see Settle

	InFlight         int // calls
	PeakInFlight     int // calls
	Retrying         int // batches that wait for a retry
	Instances        int // that exist
	PeakInstances    int
	InstancesCreated int64
}

// New returns a stream without partitions and instances. It panics if a limit
// in the configuration is below 1.
func New(config Config) *Model {
	config.mustBeUsable()
	m := &Model{
		config:     config,
		random:     rand.New(rand.NewPCG(config.Seed, 0)),
		tasks:      make([]task, config.MaximumTasks),
		partitions: map[int32]*partition{},
		histories:  map[int32]*history{},
		calls:      map[CallID]*delivery{},
	}
	m.instances = newInstances(config, &m.usage)
	return m
}

// Assign gives a partition to a task, from 0 to MaximumTasks-1, which reads from
// offset: the committed one, or where OffsetReset says. Another owner loses it.
func (m *Model) Assign(now time.Duration, task int, partitionID int32, offset int64) []Action {
	m.begin(now)
	if p := m.partitions[partitionID]; p != nil {
		m.disown(p)
		m.dropRevoked()
	}
	h := m.histories[partitionID]
	if h == nil {
		h = &history{known: offset}
		m.histories[partitionID] = h
	}
	m.stats.Settled += h.settle(offset)
	m.partitions[partitionID] = &partition{id: partitionID, task: task, next: offset, committed: offset, history: h}
	return m.dispatch()
}

// Revoke takes partitions from a task; one that it does not own is passed over.
// Their unfinished records are dropped for the next owner to fetch again. Calls
// in flight go on, but commit nothing for them and are not retried with them.
func (m *Model) Revoke(now time.Duration, task int, partitionIDs ...int32) []Action {
	m.begin(now)
	for _, id := range partitionIDs {
		if p := m.partitions[id]; p != nil && p.task == task {
			m.disown(p)
		}
	}
	m.dropRevoked()
	return m.dispatch()
}

// Settle says of a partition that has been assigned, and has no owner now, that all
// below an offset has reached its end elsewhere, and returns how many offsets had not
// here. Calls with them that are still in flight then deliver them once more.
func (m *Model) Settle(partitionID int32, offset int64) int64 {
	return m.histories[partitionID].settle(offset)
}

// Arrive adds fetched records to their tasks' windows, each partition's in order
// of offset. Offsets that are passed over hold nothing to deliver: they are
// compacted, markers of transactions or filtered out. An Arrival with a Count of
// 0 says that of all offsets before its FirstOffset.
//
// Records of a partition without an owner and records that have arrived before
// are ignored.
func (m *Model) Arrive(now time.Duration, arrivals ...Arrival) []Action {
	m.begin(now)
	for _, a := range arrivals {
		p := m.partitions[a.Partition]
		if p == nil {
			continue
		}
		if a.Filtered {
			m.usage.events(m.now, 1, EventUnits(int64(a.EventBytes)), int64(a.EventBytes))
		}
		end := a.FirstOffset + int64(a.Count)
		first := max(a.FirstOffset, p.next)
		if first < end {
			m.add(p, first, int(end-first), a.sizes())
		}
		p.next = max(p.next, end)
		m.commit(p)
	}
	return m.dispatch()
}

// CloseWindow closes a task's window as it is. A driver that begins in the middle of a
// stream can have windows that are partly filled.
func (m *Model) CloseWindow(now time.Duration, task int) []Action {
	m.begin(now)
	if d := m.tasks[task].window; d != nil {
		m.close(d)
	}
	return m.dispatch()
}

// CallEnded says that a call has succeeded (err is nil) or failed. An unknown
// call, such as one that InstanceEnded has ended, is ignored.
func (m *Model) CallEnded(now time.Duration, call CallID, err error) []Action {
	m.begin(now)
	if d := m.calls[call]; d != nil {
		m.endCall(d, err)
	}
	return m.dispatch()
}

// InstanceReady says that an instance has started and its initializer, if there is one,
// has succeeded. It is needed for an instance without a call: the end of one says
// so, too.
func (m *Model) InstanceReady(now time.Duration, id InstanceID) []Action {
	m.begin(now)
	m.instances.ready(id, m.now)
	return m.dispatch()
}

// InstanceEnded says that an instance has crashed, timed out, run out of memory,
// failed to start or, after a RemoveInstance, ended: its calls fail with err and it
// gets no more of them. An unknown instance is ignored.
func (m *Model) InstanceEnded(now time.Duration, id InstanceID, err error) []Action {
	m.begin(now)
	var lost []*delivery
	for _, d := range m.calls {
		if d.instance.id == id {
			lost = append(lost, d)
		}
	}
	slices.SortFunc(lost, func(a, b *delivery) int { return cmp.Compare(a.call, b.call) })
	m.instances.remove(id, m.now)
	for _, d := range lost {
		m.endCall(d, err)
	}
	return m.dispatch()
}

// Advance says that time has passed; see NextWake.
func (m *Model) Advance(now time.Duration) []Action {
	m.begin(now)
	return m.dispatch()
}

// Drain ends the making of calls. Those in flight end; what fails then and has
// retries left stays pending.
func (m *Model) Drain(now time.Duration) []Action {
	m.begin(now)
	m.halted = true
	return m.dispatch()
}

// Deploy changes settings while the stream runs: those of config hold from now on, of
// which MaximumTasks and BodyLimit must be as before. A window that is over a new
// CountBasedWindow or TimeBasedWindow closes as it is, calls beyond a lower Concurrency
// end, and a batch that waits for a retry keeps its time. With function the function has
// been deployed, too: the instances that there are take no further calls, and get a
// RemoveInstance when they have none.
//
// It panics if config is not usable, or changes what instances do without function.
func (m *Model) Deploy(now time.Duration, config Config, function bool) []Action {
	config.mustBeUsable()
	m.config.mustBecome(config, function)
	m.begin(now)
	m.config = config
	if function {
		for _, id := range m.instances.replace(m.now) {
			m.do(RemoveInstance{id})
		}
		m.instances.configure(config)
	}
	for i := range m.tasks {
		if d := m.tasks[i].window; d != nil && d.records >= config.CountBasedWindow {
			m.close(d)
		}
	}
	m.expire()
	return m.dispatch()
}

// NextWake returns when the model must be told again at the latest, if
// nothing else happens before. ok is false if it waits only for the driver.
func (m *Model) NextWake() (at time.Duration, ok bool) {
	wake := func(t time.Duration) {
		if !ok || t < at {
			at, ok = t, true
		}
	}
	if !m.halted {
		if d := m.oldestWindow(); d != nil && m.config.TimeBasedWindow > 0 {
			at, _ := m.WindowCloses(d.task)
			wake(at)
		}
		if m.mayRetry() {
			wake(m.retrying[0].due)
		}
	}
	if m.config.IdleTimeout > 0 {
		if since, idle := m.instances.longestIdle(); idle {
			wake(since + m.config.IdleTimeout)
		}
	}
	return at, ok
}

// Backlogged reports whether a task has a closed batch that waits for its turn,
// or the stream makes no more calls. A driver that then keeps records back
// bounds the model's memory and loses no throughput.
func (m *Model) Backlogged(task int) bool {
	return m.halted || m.tasks[task].waiting > 0
}

// NextWindow returns the task whose window goes when a slot comes up: with a
// TimeBasedWindow of 0, the one that was opened first. ok is false if none does,
// as all are empty or a closed batch goes first. A driver that knows when a slot
// comes up can bring the window's records just before, instead of bringing each.
func (m *Model) NextWindow() (task int, ok bool) {
	if m.halted || m.config.TimeBasedWindow > 0 || !m.waiting.empty() {
		return 0, false
	}
	d := m.oldestWindow()
	if d == nil {
		return 0, false
	}
	return d.task, true
}

// WindowCloses returns when a task's window closes, if it is not full before; with
// a TimeBasedWindow of 0, when it was opened. ok is false if it is empty.
func (m *Model) WindowCloses(task int) (at time.Duration, ok bool) {
	d := m.tasks[task].window
	if d == nil {
		return 0, false
	}
	return d.opened + m.config.TimeBasedWindow, true
}

// Room returns how many of an arrival's records a task's window takes before it is
// full. With 0 the next one goes to a new window. A driver that knows when records
// arrive can tell from it when to bring them, instead of bringing each.
func (m *Model) Room(task int, a Arrival) int {
	return m.room(m.tasks[task].window, a.FirstOffset, a.Count, a.sizes())
}

// Halted reports whether no more calls are made, after Drain or Stop.
func (m *Model) Halted() bool { return m.halted }

// Stats returns the counts at this moment.
func (m *Model) Stats() Stats {
	s := m.stats
	s.InFlight = len(m.calls)
	s.Retrying = len(m.retrying)
	s.Instances = len(m.instances.all)
	s.InstancesCreated = m.instances.created
	return s
}

// begin takes over the time, and what its passing brings about.
func (m *Model) begin(now time.Duration) {
	m.now = max(m.now, now)
	clear(m.actions) // let go of their batches
	m.actions = m.actions[:0]
	m.growth.advance(m.now, m.instances.current())
	m.expire()
}

// expire closes the windows, and ends the idle instances, whose time is over.
func (m *Model) expire() {
	if m.config.TimeBasedWindow > 0 {
		for d := m.oldestWindow(); d != nil && d.opened+m.config.TimeBasedWindow <= m.now; d = m.oldestWindow() {
			m.close(d)
		}
	}
	if m.config.IdleTimeout > 0 {
		for _, id := range m.instances.stopIdle(m.now-m.config.IdleTimeout, m.now) {
			m.do(RemoveInstance{id})
		}
	}
}

func (m *Model) do(a Action) { m.actions = append(m.actions, a) }

// dispatch makes the attempts that can be made and returns the actions.
func (m *Model) dispatch() []Action {
	for !m.halted {
		d := m.nextDelivery()
		if d == nil {
			break
		}
		m.attempt(d)
	}
	return m.actions
}

// nextDelivery returns a delivery that has a slot and is due, or nil.
func (m *Model) nextDelivery() *delivery {
	if m.mayRetry() && m.retrying[0].due <= m.now {
		d := m.retrying[0]
		m.retrying = slices.Delete(m.retrying, 0, 1)
		return d
	}
	if m.slots >= m.config.Concurrency {
		return nil
	}
	if task, ok := m.NextWindow(); ok {
		m.close(m.tasks[task].window)
	}
	if m.waiting.empty() {
		return nil
	}
	d := m.waiting.pop()
	m.waitsNoMore(d)
	m.slots++
	return d
}

// mayRetry says that a retry waits for its time only. There is always a place for it,
// unless Concurrency has been lowered.
func (m *Model) mayRetry() bool {
	return len(m.retrying) > 0 && len(m.calls) < m.config.Concurrency
}

func (m *Model) attempt(d *delivery) {
	if d.tooLarge {
		m.fail(d, ErrTooLarge)
		return
	}
	d.attempts++
	switch {
	case d.attempts == 1:
		m.spend(d, Slot)
	case d.refused:
		m.spend(d, Instance)
	default:
		m.spend(d, Retries)
	}
	if d.attempts > 1 {
		m.stats.Retries++
		m.usage.events(m.now, d.records, d.units, d.bytes-int64(d.records)-1) // without brackets and commas
	}
	limit := m.growth.limit(m.config)
	i, created := m.instances.take(limit, m.now)
	d.refused = i == nil
	if d.refused {
		m.stats.Throttled++
		m.fail(d, ErrThrottled)
		return
	}
	if created {
		m.create(i)
	}
	m.stats.Calls++
	m.usage.at(m.now).Calls++
	d.call, d.instance = CallID(m.stats.Calls), i
	m.calls[d.call] = d
	m.stats.PeakInFlight = max(m.stats.PeakInFlight, len(m.calls))
	m.do(StartCall{d.call, i.id, d.batch, d.attempts})
	if ahead := m.instances.startAhead(limit, m.now); ahead != nil {
		m.create(ahead)
	}
}

func (m *Model) create(i *instance) {
	m.stats.PeakInstances = max(m.stats.PeakInstances, len(m.instances.all))
	m.do(CreateInstance{i.id})
}

func (m *Model) endCall(d *delivery, err error) {
	delete(m.calls, d.call)
	if m.instances.release(d.instance, m.now) {
		m.do(RemoveInstance{d.instance.id})
	}
	if err != nil {
		m.fail(d, err)
		return
	}
	m.spend(d, InCall)
	m.do(Delivered{d.batch, d.attempts, &d.spent})
	m.finish(d, &m.stats.Delivered)
}

// spend adds the time since the last that was added to a cause.
func (m *Model) spend(d *delivery, cause Cause) {
	d.spent[cause] += m.now - d.since
	d.since = m.now
}

// fail retries a delivery or gives it up.
func (m *Model) fail(d *delivery, err error) {
	if !d.keepOwned() {
		m.slots--
		return
	}
	if d.attempts <= 1 {
		d.firstFailure = m.now
	}
	if !d.tooLarge && d.attempts <= m.config.retries() {
		due := m.now + m.config.retryWait(d.attempts, m.random)
		if m.config.inRetryPeriod(due - d.firstFailure) {
			m.retry(d, due, err)
			return
		}
	}
	switch {
	case !m.config.ErrorsTolerated:
		if !m.stopped {
			m.halted, m.stopped = true, true
			m.do(Stop{d.batch, d.attempts, err})
		}
		m.slots--
	case m.config.DeadLetterQueue:
		m.do(DeadLetter{d.batch, d.attempts, err})
		m.finish(d, &m.stats.DeadLettered)
	default:
		m.do(Discard{d.batch, d.attempts, err})
		m.finish(d, &m.stats.Discarded)
	}
}

func (m *Model) retry(d *delivery, due time.Duration, err error) {
	if m.halted {
		m.slots--
		return
	}
	d.due = due
	m.retrying = insert(m.retrying, d, func(a, b *delivery) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.batch.ID, b.batch.ID))
	})
	m.do(Retry{d.batch, d.attempts + 1, due, err})
}

// finish ends a delivery, counts its records in count and commits.
func (m *Model) finish(d *delivery, count *int64) {
	m.slots--
	for _, s := range d.segments {
		fresh := s.partition.history.finish(s)
		*count += int64(fresh)
		m.stats.Redelivered += int64(s.count - fresh)
		if !s.partition.revoked {
			s.partition.remove(s)
			m.stats.Pending -= int64(s.count)
		}
	}
	for _, s := range d.segments {
		if !s.partition.revoked {
			m.commit(s.partition)
		}
	}
}

func (m *Model) commit(p *partition) {
	if offset := p.finishedTo(); offset > p.committed {
		p.committed = offset
		m.do(Commit{p.task, p.id, offset})
	}
}
