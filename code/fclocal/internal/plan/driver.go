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

	"fclocal/internal/result"
	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
)

// driver lets everything happen in its order.
type driver struct {
	Config
	model  *trigger.Model
	random *rand.Rand
	now    time.Duration
	queue  queue
	cores  cores
	sender station  // the stream itself, on a Host
	times  sequence // of Function.Times
	free   []*event // ended calls, for reuse

	someTooLarge bool // there are events beyond the body limit, beside others

	tasks   []*task
	changed []*task // whose window or backlog may have changed since the model was told
	told    int64
	total   int64
	curve   *curve
	lagging lagging

	loadEnd   time.Duration
	end       *event // of the load
	loadEnded bool
	marks     []mark // see endsEarly
	left      int64  // messages of a load that has ended early
	instances map[trigger.InstanceID]*instance
	ending    *event // the call that a Delivered is of

	result Result
}

// instance is what is known of an instance beside the model's.
type instance struct {
	created time.Duration
	ready   time.Duration
	events  int // in those calls
	station station
}

func newDriver(config Config) *driver {
	curve := newCurve(config.Load, config.Rules.Seed)
	d := &driver{
		Config:    config,
		model:     trigger.New(config.Rules),
		random:    rand.New(rand.NewPCG(config.Rules.Seed, 1)), // the model's own is 0
		curve:     curve,
		tasks:     newTasks(config, curve),
		instances: map[trigger.InstanceID]*instance{},
	}
	if config.Host != nil {
		d.cores.count = config.Host.Cores
		d.sender = station{limit: config.Host.Cores, spread: true} // it works for a call in several goroutines
	}
	if measured := config.Function.Times.Samples; measured != nil {
		d.times = newSequence(measured, config.Load, rand.New(rand.NewPCG(config.Rules.Seed, chanceOfTimes)))
	}
	_, largest := config.Load.eventBytes()
	d.someTooLarge = largest+int64(len("[]")) > config.Rules.BodyLimit
	d.lagging.end = curve.passed(config.Load.For)
	for _, t := range d.tasks {
		d.total += t.total
		if t.total > t.backlog {
			d.loadEnd = config.Load.For
			d.lagging.phases += t.phase - 0.5
		}
		if t.firstCloses > 0 {
			d.queue.set(&event{kind: firstCloses, task: t, index: -1}, max(t.firstCloses-2, 0)) // just before the message that comes with it
		}
		d.model.Assign(0, t.id, int32(t.id), 0)
	}
	d.lagging.interval = 100 * time.Millisecond
	if d.loadEnd > 0 {
		d.lagging.interval = max(d.loadEnd/1000, 1)
	}
	d.end = &event{kind: loadEnd, index: -1}
	d.queue.set(d.end, d.loadEnd)
	if config.endsEarly() && firstPeriod <= d.loadEnd/2 {
		d.marks = append(d.marks, d.mark())
		d.queue.set(&event{kind: periodEnds, index: -1}, firstPeriod)
	}
	d.lagging.dayBefore.produced, d.lagging.dayBefore.lag = config.Load.Backlog, config.Load.Backlog
	if !config.Load.steady() && config.Load.For > day {
		d.queue.set(&event{kind: dayBefore, index: -1}, config.Load.For-day)
	}
	return d
}

func (d *driver) run(ctx context.Context) error {
	d.changed = append(d.changed, d.tasks...)
	d.tellChanged()
	for steps := 0; !d.over(); steps++ {
		if steps%4096 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if d.Progress != nil {
				d.Progress(float64(finished(d.model.Stats())) / float64(max(d.total, 1)))
			}
			if d.GiveUp != nil && d.GiveUp(d.model.Usage()) {
				return ErrGivenUp
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
		d.tellChanged()
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
	for d.lagging.nextTick <= to {
		d.integrate(d.lagging.nextTick, stats)
		d.tick(d.lagging.nextTick, stats)
		d.lagging.nextTick += d.lagging.interval
	}
	d.integrate(to, stats)
	d.now = to
}

// happen carries out an event.
func (d *driver) happen(e *event) {
	switch e.kind {
	case tell:
		d.changed = append(d.changed, e.task)
	case firstCloses:
		d.tell(e.task)
		d.perform(d.model.CloseWindow(d.now, e.task.id))
		d.changed = append(d.changed, e.task)
	case begun:
		d.beginCall(e)
	case ended:
		d.endCall(e)
	case ready:
		d.perform(d.model.InstanceReady(d.now, e.instance))
	case stopped:
		if d.instances[e.instance] == nil { // it has been killed
			break
		}
		d.endInstance(e.instance)
		d.catchUp(false)
		d.perform(d.model.InstanceEnded(d.now, e.instance, nil))
	case killed:
		d.killInstance(e.instance)
	case dayBefore:
		d.lagging.dayBefore.produced, d.lagging.dayBefore.lag = d.produced(), d.lag(d.model.Stats())
	case periodEnds:
		d.periodEnds()
	case loadEnd:
		d.loadEnded = true
		stats := d.model.Stats()
		if d.left == 0 {
			d.result.LagEnd = d.lag(stats)
		}
		d.tick(d.now, stats)
		d.lagging.last().lag = float64(d.result.LagEnd)
		if !d.Load.steady() {
			d.result.KeepsUp = d.lagIsThatOfDayBefore(stats)
		}
	}
}

// perform carries out what the model has answered.
func (d *driver) perform(actions []trigger.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case trigger.CreateInstance:
			start := d.spread(d.Function.ColdStart) + d.spread(d.Function.Initializer)
			d.result.ColdStartTime += start
			d.instances[a.Instance] = &instance{created: d.now, ready: d.now + start, station: station{limit: d.Function.CPU}}
			d.queue.set(&event{kind: ready, index: -1, instance: a.Instance}, d.now+start)
			if life, ends := d.Trouble.Life(d.Rules.Seed, a.Instance); ends {
				d.queue.set(&event{kind: killed, index: -1, instance: a.Instance}, d.now+life)
			}
		case trigger.RemoveInstance:
			if !d.Rules.PreStop {
				d.endInstance(a.Instance)
				break
			}
			d.queue.set(&event{kind: stopped, index: -1, instance: a.Instance}, d.now+d.spread(d.Function.PreStop))
		case trigger.StartCall:
			d.startCall(a)
			d.changed = append(d.changed, d.tasks[a.Batch.Task])
		case trigger.Delivered:
			a.Spent[trigger.ColdStart], a.Spent[trigger.CPU] = d.ending.starting, d.ending.sharing
			a.Spent[trigger.InCall] -= d.ending.starting + d.ending.sharing
			d.recordLatencies(a)
		case trigger.Retry:
			d.failed(a.Err)
			d.changed = append(d.changed, d.tasks[a.Batch.Task])
		case trigger.DeadLetter:
			d.failed(a.Err)
			d.changed = append(d.changed, d.tasks[a.Batch.Task])
		case trigger.Discard:
			d.failed(a.Err)
			d.changed = append(d.changed, d.tasks[a.Batch.Task])
		case trigger.Commit:
			if t := d.tasks[a.Partition]; t.chance != nil {
				t.chance.forget((a.Offset - t.backlog) / t.group)
			}
		case trigger.Stop:
			d.failed(a.Err)
			d.result.Stopped = fmt.Sprintf("a batch of %d events failed %d times, the last time with %v", a.Batch.Records, a.Attempts, a.Err)
		}
	}
}

// failed counts an attempt.
func (d *driver) failed(err error) {
	if e, is := errors.AsType[*trouble.Error](err); is {
		d.result.Failures.AddOnPurpose(e)
		return
	}
	kind := "error"
	switch {
	case errors.Is(err, errTimeout):
		kind = "timeout"
	case errors.Is(err, trigger.ErrThrottled):
		kind = "429"
	case errors.Is(err, trigger.ErrTooLarge):
		kind = "too large"
	}
	d.result.Failures.Add(kind, err.Error())
}

// finish returns what has happened.
func (d *driver) finish() Result {
	r := &d.result
	r.Stats = d.model.Stats()
	r.Usage = d.model.Usage()
	for _, hour := range r.Usage {
		r.BusySeconds += hour.Busy.Seconds()
	}
	r.ColdStarts = int(r.InstancesCreated)
	d.tick(d.now, r.Stats)
	for _, id := range slices.Sorted(maps.Keys(d.instances)) { // sums of another order would differ
		d.endInstance(id)
	}
	r.IdleTasks = d.Rules.MaximumTasks - len(d.tasks)
	r.Produced = d.producedExactly()
	r.Pending = r.Produced - finished(r.Stats)
	d.lagging.last().lag = float64(r.Pending)
	r.Wall = d.now
	if d.loadEnded {
		r.DrainTime = d.now - d.loadEnd
	} else { // it has stopped
		r.LagEnd = r.Pending
		r.LagMax = max(r.LagMax, r.LagEnd)
	}
	switch {
	case !d.Load.comes():
		r.KeepsUp = r.Pending == 0
	case d.Load.steady():
		r.KeepsUp = d.loadEnded && !d.isOverloaded()
	}
	r.LagMean = max(d.lagging.area, 0) / max(d.now.Seconds(), 1e-9)
	fits := d.Function.MemorySize == 0 || r.PeakMemory <= d.Function.MemorySize
	loses := float64(r.DeadLettered+r.Discarded) > 0.01*float64(r.Produced)
	r.KeepsUp = r.KeepsUp && r.Stopped == "" && fits && !loses
	if d.left > 0 {
		d.extend(r)
	}
	for i, t := range d.lagging.ticks {
		sample := result.Sample{At: t.at, Instances: t.instances, InFlight: t.inFlight, Lag: int64(max(math.Round(t.lag), 0))}
		if i > 0 {
			sample.EventsPerSecond = float64(t.delivered-d.lagging.ticks[i-1].delivered) / (t.at - d.lagging.ticks[i-1].at).Seconds()
		}
		r.Samples = append(r.Samples, sample)
	}
	return *r
}
