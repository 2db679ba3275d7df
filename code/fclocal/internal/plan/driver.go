package plan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"fclocal/internal/report"
	"fclocal/internal/trigger"
)

// driver lets everything happen in its order.
type driver struct {
	Config
	model  *trigger.Model
	random *rand.Rand
	now    time.Duration
	queue  queue
	cores  cores
	feeder station  // the stream itself, on a Host
	free   []*event // ended calls, for reuse

	tasks     []*task
	changed   []*task // whose window or backlog may have changed since they were fed
	emptyRoom int     // records that an empty window takes
	told      int64
	total     int64
	curve     *curve
	counted   time.Duration // when the lag was last looked at after a call
	started   time.Duration // when the last task's load begins
	behind    float64       // messages that the tasks' later starts make up, where one passes in a nanosecond
	phases    float64       // and their phases

	loadEnd   time.Duration
	loadEnded bool
	instances map[trigger.InstanceID]*instance
	allowed   int // of them at present

	ticks    []tick
	interval time.Duration // between ticks
	nextTick time.Duration

	dayBefore struct{ produced, lag int64 } // a day before the load ends, or when it starts

	result Result
}

// instance is what is known of an instance beside the model's.
type instance struct {
	created   time.Duration
	ready     time.Duration
	calls     int
	events    int           // in those calls
	busySince time.Duration // counts only with calls
	station   station
}

// tick is a sample with the figures that it is made from.
type tick struct {
	at                  time.Duration
	instances, inFlight int
	delivered           int64
	lag                 int64
}

// ticksAtMost bounds the memory of the ticks: beyond it, they are taken half as
// often.
const ticksAtMost = 2000

func newDriver(config Config) *driver {
	limit := config.Rules.MaxInstances
	if config.InstancesAtOnce > 0 {
		config.Rules.MaxInstances = min(limit, config.InstancesAtOnce)
	}
	curve := newCurve(config.Load)
	d := &driver{
		Config:    config,
		model:     trigger.New(config.Rules),
		random:    rand.New(rand.NewPCG(config.Rules.Seed, 1)), // the model's own is 0
		curve:     curve,
		tasks:     newTasks(config, curve),
		instances: map[trigger.InstanceID]*instance{},
	}
	d.allowed, d.Rules.MaxInstances = config.Rules.MaxInstances, limit
	if config.Host != nil {
		d.cores.count = config.Host.Cores
		d.feeder = station{limit: config.Host.Cores, spread: true} // it works for a call in several goroutines
	}
	for _, t := range d.tasks {
		d.total += t.total
		if load := t.total - t.backlog; load > 0 {
			d.loadEnd = max(d.loadEnd, t.start+config.Load.For)
			d.started = max(d.started, t.start)
			d.behind += float64(t.start) / t.interval
			d.phases += t.phase
		}
		d.model.Assign(0, t.id, int32(t.id), 0)
	}
	d.emptyRoom = d.model.Room(0, config.Load.EventBytes)
	d.interval = 100 * time.Millisecond
	if d.loadEnd > 0 {
		d.interval = max(d.loadEnd/1000, 1)
	}
	d.queue.set(&event{kind: loadEnd, index: -1}, d.loadEnd)
	d.dayBefore.produced, d.dayBefore.lag = config.Load.Backlog, config.Load.Backlog
	if d.curve != nil && config.Load.For > day {
		d.queue.set(&event{kind: dayBefore, index: -1}, config.Load.For-day)
	}
	if config.InstancesAtOnce > 0 && config.InstancesPerMinute > 0 && config.InstancesAtOnce < limit {
		d.queue.set(&event{kind: minute, index: -1}, time.Minute)
	}
	return d
}

func (d *driver) run(ctx context.Context) error {
	d.changed = append(d.changed, d.tasks...)
	d.feedChanged()
	for steps := 0; !d.over(); steps++ {
		if steps%4096 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if d.Progress != nil {
				d.Progress(float64(finished(d.model.Stats())) / float64(max(d.total, 1)))
			}
		}
		wake, ok := d.model.NextWake()
		if !ok {
			wake = never
		}
		worked := d.cores.next()
		switch {
		case !d.queue.empty() && d.queue.first().at <= wake && d.queue.first().at < worked: // a deadline at the same moment is kept
			e := d.queue.first()
			d.queue.remove(e)
			d.advance(e.at)
			d.happen(e)
		case worked < never && worked <= wake:
			d.advance(worked)
			if call := d.cores.pop(d.now); call != nil {
				d.workDone(call)
			}
		case ok:
			d.advance(wake)
			d.catchUp(false)
			d.perform(d.model.Advance(d.now))
		default:
			return errors.New("plan: messages are left, and nothing happens any more") // a mistake in the program
		}
		d.feedChanged()
	}
	return nil
}

// over reports whether there is nothing more to do.
func (d *driver) over() bool {
	if d.model.Halted() {
		return d.model.Stats().InFlight == 0
	}
	if !d.loadEnded {
		return false
	}
	return !d.Drain || d.told == d.total && d.model.Stats().Pending == 0
}

// advance lets time pass.
func (d *driver) advance(to time.Duration) {
	stats := d.model.Stats()
	passed := to - d.now
	d.result.CallSeconds += passed.Seconds() * float64(stats.InFlight)
	d.result.RetryingSeconds += passed.Seconds() * float64(stats.Retrying)
	if stats.Slots >= d.Rules.Concurrency {
		d.result.FullTime += passed
		if d.cores.threads > 0.95*d.Function.CPU*float64(len(d.instances)) {
			d.result.FullCPUTime += passed
		}
	}
	for d.nextTick <= to {
		d.tick(d.nextTick, stats)
		d.nextTick += d.interval
	}
	d.now = to
}

// happen carries out an event.
func (d *driver) happen(e *event) {
	switch e.kind {
	case feed:
		d.changed = append(d.changed, e.task)
	case begun:
		d.beginCall(e)
	case ended:
		d.endCall(e)
	case minute:
		d.allowed += min(d.InstancesPerMinute, d.Rules.MaxInstances-d.allowed)
		d.model.SetMaxInstances(d.allowed)
		if d.allowed < d.Rules.MaxInstances {
			d.queue.set(e, d.now+time.Minute)
		}
	case dayBefore:
		d.dayBefore.produced, d.dayBefore.lag = d.produced(), d.lag(d.model.Stats())
	case loadEnd:
		d.loadEnded = true
		stats := d.model.Stats()
		d.tick(d.now, stats)
		d.result.LagEnd = d.lag(stats)
		d.result.KeepsUp = d.Load.comes() && d.lagIsSteady(stats)
	}
}

func (d *driver) endCall(e *event) {
	i := d.instances[e.instance]
	if i == nil { // it has ended, and its calls with it
		d.free = append(d.free, e)
		return
	}
	// After a change of the rate, counting takes a look at all tasks: a hundred
	// times between two ticks are enough.
	if _, steady := d.steadyRate(); steady || d.now-d.counted >= d.interval/100 {
		d.counted = d.now
		d.result.LagMax = max(d.result.LagMax, d.lag(d.model.Stats()))
	}
	alone := d.queue.empty() || d.queue.first().at > d.now
	d.catchUp(alone && e.err == nil && d.model.Stats().Retrying == 0)
	if errors.Is(e.err, errTimeout) {
		d.result.Timeouts++
		d.endInstance(e.instance)
		d.perform(d.model.InstanceEnded(d.now, e.instance, e.err))
	} else {
		i.calls--
		i.events -= e.events
		if i.calls == 0 {
			d.result.BusySeconds += (d.now - i.busySince).Seconds()
		}
		d.perform(d.model.CallEnded(d.now, e.call, e.err))
	}
	d.free = append(d.free, e)
}

func (d *driver) endInstance(id trigger.InstanceID) {
	i := d.instances[id]
	d.result.InstanceSeconds += (d.now - i.created).Seconds()
	if i.calls > 0 {
		d.result.BusySeconds += (d.now - i.busySince).Seconds()
	}
	d.cores.remove(d.now, &i.station)
	delete(d.instances, id)
}

// perform carries out what the model has answered.
func (d *driver) perform(actions []trigger.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case trigger.CreateInstance:
			start := d.spread(d.Function.ColdStart)
			d.result.ColdStarts += start
			d.instances[a.Instance] = &instance{created: d.now, ready: d.now + start, station: station{limit: d.Function.CPU}}
		case trigger.RemoveInstance:
			d.endInstance(a.Instance)
		case trigger.StartCall:
			d.startCall(a)
			d.changed = append(d.changed, d.tasks[a.Batch.Task])
		case trigger.Delivered:
			d.recordLatencies(a.Batch)
		case trigger.Retry:
			d.changed = append(d.changed, d.tasks[a.Batch.Task])
		case trigger.DeadLetter:
			d.changed = append(d.changed, d.tasks[a.Batch.Task])
		case trigger.Discard:
			d.changed = append(d.changed, d.tasks[a.Batch.Task])
		case trigger.Stop:
			d.result.Stopped = fmt.Sprintf("a batch of %d events failed %d times, the last time with %v", a.Batch.Records, a.Attempts, a.Err)
		}
	}
}

func (d *driver) startCall(a trigger.StartCall) {
	events := a.Batch.Records
	d.result.EventsInCalls += int64(events)
	i := d.instances[a.Instance]
	if i.calls == 0 {
		i.busySince = d.now
	}
	i.calls++
	if f := d.Function; f.BaseMemory > 0 {
		memory := f.BaseMemory + int64(f.EventMemory*float64(events)+f.FurtherEventMemory*float64(i.events))
		d.result.PeakMemory = max(d.result.PeakMemory, memory)
	}
	i.events += events

	var e *event
	if last := len(d.free) - 1; last >= 0 {
		e, d.free = d.free[last], d.free[:last]
	} else {
		e = &event{}
	}
	*e = event{
		index: -1, call: a.Call, instance: a.Instance, events: events,
		wait: d.spread(d.Function.CallTime + d.Function.EventTime*time.Duration(events)),
		work: d.spread(d.Function.CallCPU + d.Function.EventCPU*time.Duration(events)),
	}
	d.result.CPUSeconds += e.work.Seconds()
	if d.Function.ErrorRate > 0 && d.random.Float64() < d.Function.ErrorRate {
		e.fails = true
	}
	if d.Host != nil {
		e.kind = fed
		d.cores.add(d.now, &d.feeder, d.Host.CallCPU+d.Host.EventCPU*time.Duration(events), e)
		return
	}
	d.toInstance(e)
}

// toInstance has a call begin as soon as its instance is ready.
func (d *driver) toInstance(e *event) {
	i := d.instances[e.instance]
	if i == nil { // see endCall
		d.free = append(d.free, e)
		return
	}
	ready := max(d.now, i.ready)
	e.deadline = never
	if d.Function.Timeout > 0 {
		e.deadline = ready + d.Function.Timeout
	}
	if e.work == 0 {
		d.endAt(e, ready+e.wait)
		return
	}
	e.kind = begun
	d.queue.set(e, ready)
}

// beginCall has a call take its instance's CPU. It ends at its deadline unless
// workDone comes before.
func (d *driver) beginCall(e *event) {
	i := d.instances[e.instance]
	if i == nil {
		d.free = append(d.free, e)
		return
	}
	d.cores.add(d.now, &i.station, e.work, e)
	if e.deadline < never {
		e.kind, e.err = ended, errTimeout
		d.queue.set(e, e.deadline)
	}
}

// workDone says that a call has had its CPU time, of the stream or of its
// instance.
func (d *driver) workDone(e *event) {
	if e.kind == fed {
		d.toInstance(e)
		return
	}
	d.endAt(e, d.now+e.wait)
}

func (d *driver) endAt(e *event, at time.Duration) {
	e.kind, e.err = ended, nil
	if e.fails {
		e.err = errFunction
	}
	if at > e.deadline {
		at, e.err = e.deadline, errTimeout
	}
	d.queue.set(e, at)
}

// spread draws a time around its mean.
func (d *driver) spread(mean time.Duration) time.Duration {
	if d.Function.Spread == 0 || mean == 0 {
		return mean
	}
	return time.Duration(float64(mean) * (1 + d.Function.Spread*(2*d.random.Float64()-1)))
}

// feedChanged tells the model what it can use for the tasks that have changed.
func (d *driver) feedChanged() {
	for i := 0; i < len(d.changed); i++ { // it grows meanwhile
		d.tell(d.changed[i])
		d.schedule(d.changed[i])
	}
	d.changed = d.changed[:0]
}

// catchUp tells the model what has arrived in windows that go, with a
// TimeBasedWindow of 0, as they are when a slot comes up. It comes before all
// that may free one.
//
// With nextOnly it does so for the window that goes next. No other can go when
// one call succeeds: its slot in the instance comes up too, so that the batch is
// not refused. That holds while nothing else happens at the moment and no batch
// waits for a retry.
func (d *driver) catchUp(nextOnly bool) {
	if d.Rules.TimeBasedWindow > 0 {
		return
	}
	tasks := d.tasks
	if nextOnly {
		next, ok := d.model.NextWindow()
		if !ok {
			return
		}
		tasks = tasks[next : next+1]
	}
	for _, t := range tasks {
		if t.next <= d.now {
			d.tell(t)
			d.schedule(t)
		}
	}
}

// tell brings the model what has arrived for a task, until a batch of it waits.
func (d *driver) tell(t *task) {
	for t.next <= d.now && !d.model.Backlogged(t.id) {
		room := d.model.Room(t.id, d.Load.EventBytes)
		n := min(t.arrived(d.now)-t.told, int64(max(room, 1)))
		arrival := trigger.Arrival{
			Run:        trigger.Run{Partition: int32(t.id), FirstOffset: t.told, Count: int(n)},
			EventBytes: d.Load.EventBytes,
		}
		t.take(n)
		d.told += n
		d.perform(d.model.Arrive(d.now, arrival))
	}
}

// schedule plans when the task is fed next: as late as the model's answers stay
// the same as if it were told of every message when it arrives.
func (d *driver) schedule(t *task) {
	if t.next == never || d.model.Backlogged(t.id) {
		d.queue.remove(&t.feed) // until a batch of it has its turn
		return
	}
	room := d.model.Room(t.id, d.Load.EventBytes)
	full := t.arrival(min(t.told+int64(max(room, 1)), t.total) - 1)
	at := t.next
	window := d.Rules.TimeBasedWindow
	closes, open := d.model.WindowCloses(t.id)
	switch {
	case open && window == 0: // it waits for a slot; see catchUp
		at = full
	case open && t.next < closes:
		at = min(full, closes-1) // just before it
	case window > 0 && d.emptyRoom == d.Rules.CountBasedWindow && t.told+int64(room) <= t.total && full < t.next+window:
		at = full // nobody sees when it was opened
	}
	d.queue.set(&t.feed, max(at, d.now))
}

// pieces bounds the cost of a batch's latencies.
const pieces = 10

// recordLatencies records how long each message of a batch has waited, the first
// of each run exactly and the others in pieces. The one that stands for its piece
// is another in each batch, so that over many of them all count.
func (d *driver) recordLatencies(batch *trigger.Batch) {
	_, within := math.Modf(float64(batch.ID) * (math.Phi - 1))
	for _, run := range batch.Runs {
		t := d.tasks[run.Partition]
		record := func(number, count int64) {
			d.result.Latencies.Record(d.now-t.arrival(number), count)
		}
		record(run.FirstOffset, 1)
		begin, rest := run.FirstOffset+1, int64(run.Count-1)
		if run.FirstOffset+rest < t.backlog { // they all arrived with the first
			record(begin, rest)
			continue
		}
		n := min(rest, pieces)
		for i := range n {
			from, to := begin+rest*i/n, begin+rest*(i+1)/n
			record(from+int64(within*float64(to-from)), to-from)
		}
	}
}

// produced returns how many messages have arrived by now. While all tasks have a
// load at the same rate it may be one too many for each.
func (d *driver) produced() int64 {
	if d.now >= d.loadEnd {
		return d.total
	}
	if rate, steady := d.steadyRate(); steady {
		load := float64(d.total - d.Load.Backlog)
		n := load*d.curve.passed(d.now)/d.curve.passed(d.Load.For) - d.behind*rate - d.phases + float64(len(d.tasks))
		return d.Load.Backlog + min(int64(n), d.total-d.Load.Backlog)
	}
	return d.producedExactly()
}

// steadyRate returns the rate at which the load's curve passes, and whether that
// is the rate of all tasks.
func (d *driver) steadyRate() (rate float64, ok bool) {
	rate, since := d.curve.steady(d.now)
	return rate, d.now >= since+d.started && d.now < d.Load.For
}

func (d *driver) producedExactly() (n int64) {
	for _, t := range d.tasks {
		n += t.arrived(d.now)
	}
	return n
}

func finished(s trigger.Stats) int64 { return s.Delivered + s.DeadLettered + s.Discarded }

func (d *driver) lag(s trigger.Stats) int64 { return d.produced() - finished(s) }

// tick takes a sample of a moment up to which nothing has happened since now.
func (d *driver) tick(at time.Duration, stats trigger.Stats) {
	before := d.now
	d.now = at
	lag := d.lag(stats)
	d.now = before
	d.result.LagMax = max(d.result.LagMax, lag)
	if n := len(d.ticks); n > 0 && d.ticks[n-1].at == at {
		d.ticks = d.ticks[:n-1]
	}
	d.ticks = append(d.ticks, tick{at, stats.Instances, stats.InFlight, stats.Delivered, lag})
	if len(d.ticks) > ticksAtMost {
		kept := d.ticks[:1] // the start
		for i := 2; i < len(d.ticks); i += 2 {
			kept = append(kept, d.ticks[i])
		}
		d.ticks = kept
		d.interval *= 2
	}
}

// lagIsSteady decides Result.KeepsUp.
func (d *driver) lagIsSteady(stats trigger.Stats) bool {
	lowest := func(from, to time.Duration) int64 {
		lag := int64(math.MaxInt64)
		for _, t := range d.ticks {
			if from <= t.at && t.at <= to {
				lag = min(lag, t.lag)
			}
		}
		return lag
	}
	windows, largest := 0.0, 0.0 // what open windows hold
	for _, t := range d.tasks {
		if t.total > t.backlog {
			window := min(float64(d.Rules.CountBasedWindow), float64(d.Rules.TimeBasedWindow)*d.curve.peak()/t.interval+1)
			windows += window
			largest = max(largest, window)
		}
	}
	if d.curve != nil {
		average := float64(d.result.EventsInCalls) / float64(max(stats.Calls, 1))
		calls := float64(stats.InFlight+stats.Retrying) * max(largest, average)
		between := float64(d.total - d.dayBefore.produced)
		return float64(d.result.LagEnd-d.dayBefore.lag) <= max(windows+calls, between/100)
	}
	tenth := d.loadEnd / 10
	between := float64(d.total-d.Load.Backlog) / 2
	growth := lowest(d.loadEnd-tenth, d.loadEnd) - lowest(d.loadEnd/2-tenth, d.loadEnd/2)
	return float64(growth) <= max(windows, between/100)
}

// finish returns what has happened.
func (d *driver) finish() Result {
	r := &d.result
	r.Stats = d.model.Stats()
	d.tick(d.now, r.Stats)
	for _, id := range slices.Sorted(maps.Keys(d.instances)) { // sums of another order would differ
		d.endInstance(id)
	}
	r.IdleTasks = d.Rules.MaximumTasks - len(d.tasks)
	r.Produced = d.producedExactly()
	r.Pending = r.Produced - finished(r.Stats)
	r.Wall = d.now
	if d.loadEnded {
		r.DrainTime = d.now - d.loadEnd
	} else { // it has stopped
		r.LagEnd = r.Pending
	}
	if !d.Load.comes() {
		r.KeepsUp = r.Pending == 0
	}
	fits := d.Function.MemorySize == 0 || r.PeakMemory <= d.Function.MemorySize
	loses := float64(r.DeadLettered+r.Discarded) > 0.01*float64(r.Produced)
	r.KeepsUp = r.KeepsUp && r.Stopped == "" && fits && !loses
	for i, t := range d.ticks {
		sample := report.Sample{At: t.at, Instances: t.instances, InFlight: t.inFlight, Lag: t.lag}
		if i > 0 {
			sample.EventsPerSecond = float64(t.delivered-d.ticks[i-1].delivered) / (t.at - d.ticks[i-1].at).Seconds()
		}
		r.Samples = append(r.Samples, sample)
	}
	return *r
}
