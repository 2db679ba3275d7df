package plan

import (
	"errors"
	"time"

	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
)

func (d *driver) startCall(a trigger.StartCall) {
	events := a.Batch.Records
	d.result.EventsInCalls += int64(events)
	i := d.instances[a.Instance]
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
		wait:  d.spread(d.Function.CallTime+d.Function.EventTime*time.Duration(events)) + d.drawTime(events) + d.Trouble.Slow,
		work:  d.spread(d.Function.CallCPU + d.Function.EventCPU*time.Duration(events)),
		fails: d.Trouble.Call(d.Rules.Seed, a.Call, d.now),
	}
	if e.fails == trouble.ErrOutage {
		e.wait, e.work = 0, 0
		d.toInstance(e)
		return
	}
	d.result.CPUSeconds += e.work.Seconds()
	if d.Host != nil {
		e.kind = sent
		d.cores.add(d.now, &d.sender, d.Host.CallCPU+d.Host.EventCPU*time.Duration(events), e)
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
	e.starting = ready - d.now
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
	e.sharing = -d.now
	if e.deadline < never {
		e.kind, e.err = ended, errTimeout
		d.queue.set(e, e.deadline)
	}
}

// workDone says that a call has had its CPU time, of the stream or of its
// instance.
func (d *driver) workDone(e *event) {
	if e.kind == sent {
		d.toInstance(e)
		return
	}
	alone := time.Duration(float64(e.work) / min(d.Function.CPU, 1))
	e.sharing = max(e.sharing+d.now-alone, 0)
	d.endAt(e, d.now+e.wait)
}

func (d *driver) endAt(e *event, at time.Duration) {
	e.kind, e.err = ended, nil
	if e.fails != nil {
		e.err = e.fails
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

func (d *driver) endCall(e *event) {
	i := d.instances[e.instance]
	if i == nil { // it has ended, and its calls with it
		d.free = append(d.free, e)
		return
	}
	d.result.LagMax = max(d.result.LagMax, d.lag(d.model.Stats()))
	alone := d.queue.empty() || d.queue.first().at > d.now
	d.catchUp(alone && e.err == nil && d.model.Stats().Retrying == 0 && !d.someTooLarge)
	if errors.Is(e.err, errTimeout) {
		d.result.Timeouts++
		d.result.Crashes++
		d.endInstance(e.instance)
		d.perform(d.model.InstanceEnded(d.now, e.instance, e.err))
	} else {
		i.events -= e.events
		d.ending = e
		d.perform(d.model.CallEnded(d.now, e.call, e.err))
	}
	d.free = append(d.free, e)
}

func (d *driver) endInstance(id trigger.InstanceID) {
	i := d.instances[id]
	d.result.InstanceSeconds += (d.now - i.created).Seconds()
	d.cores.remove(d.now, &i.station)
	delete(d.instances, id)
}

// killInstance ends an instance on purpose, if it is still there.
func (d *driver) killInstance(id trigger.InstanceID) {
	if d.instances[id] == nil {
		return
	}
	d.result.Killed++
	d.result.LagMax = max(d.result.LagMax, d.lag(d.model.Stats()))
	d.catchUp(false)
	d.endInstance(id)
	d.perform(d.model.InstanceEnded(d.now, id, trouble.ErrKilled))
}
