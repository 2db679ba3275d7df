package plan

import (
	"maps"
	"math"
	"slices"
	"time"

	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// A steady load is like this for ever, so it may end early: once its figures stand, no
// more messages come, and what is left of it counts as more of the same. So long a load
// costs no more than a short one. The time is seen in periods, each as long as all that
// was before it, and the load ends with one
//
//   - that has 100,000 calls or more, and 200 bursts if there are any, lasts 20 times as
//     long as 99 % of its messages take, and so long that instances of the start which are
//     not needed have gone;
//   - in which less than 95 % of concurrency was in use, on average;
//   - up to which no attempt has failed, be it by a timeout or a 429: retries and what
//     they do to others may take hours to show;
//   - whose figures are those of the two periods before it: p50, p95 and the mean latency
//     within 2 %, p99 within 5 %, calls and billed time for each message within 1 %;
//   - and after which at least as much of the load is left.
//
// What the last period did, others then do: calls, billed time, instances' time, cold
// starts and latencies. Messages are counted exactly. What was at most is what was seen:
// a whole load may have a rarer peak.
//
// No load ends early that has the rates of a day, calls that fail or instances that end on
// purpose, or a [Host].

// Variables, for tests.
var (
	callsSeen   = 100_000.    // of a period of which figures can stand
	firstPeriod = time.Minute // its length
)

// burstsSeen are the bursts of such a period.
const burstsSeen = 200

// endsEarly reports whether the load may.
func (c Config) endsEarly() bool {
	t := c.Trouble
	return c.EndEarly && c.Drain && c.Host == nil && c.Load.Rate > 0 &&
		len(t.Outages) == 0 && t.ErrorRate == 0 && t.KillInstances == 0
}

// A mark has the sums up to the end of a period.
type mark struct {
	at              time.Duration
	stats           trigger.Stats
	hours           []trigger.Usage
	used            trigger.Usage // all hours
	sums            Result
	instanceSeconds float64
	lagArea         float64 // messages times seconds
}

// A period is what happened between two marks.
type period struct {
	seconds   float64
	messages  float64 // in calls that began
	calls     float64
	used      trigger.Usage
	latencies result.Latencies
	latency   result.LatencyMs
}

func (d *driver) mark() mark {
	m := mark{
		at: d.now, stats: d.model.Stats(), hours: d.model.Usage(), sums: d.result,
		instanceSeconds: d.result.InstanceSeconds, lagArea: d.lagging.area,
	}
	for _, id := range slices.Sorted(maps.Keys(d.instances)) { // sums of another order would differ
		m.instanceSeconds += (d.now - d.instances[id].created).Seconds()
	}
	for _, hour := range m.hours {
		m.used = plus(m.used, hour, 1)
	}
	m.sums.Latencies = d.result.Latencies.Clone()
	return m
}

// plus adds a multiple of some usage.
func plus(u, more trigger.Usage, times int64) trigger.Usage {
	u.Calls += times * more.Calls
	u.Busy += time.Duration(times) * more.Busy
	u.Events += times * more.Events
	u.EventUnits += times * more.EventUnits
	u.EventBytes += times * more.EventBytes
	return u
}

func (m mark) since(before mark) period {
	p := period{
		seconds:   (m.at - before.at).Seconds(),
		messages:  float64(m.sums.EventsInCalls - before.sums.EventsInCalls),
		calls:     float64(m.stats.Calls - before.stats.Calls),
		used:      plus(m.used, before.used, -1),
		latencies: m.sums.Latencies.Since(before.sums.Latencies),
	}
	p.latency = p.latencies.Milliseconds()
	return p
}

// periodEnds ends the load if its figures stand.
func (d *driver) periodEnds() {
	d.marks = append(d.marks, d.mark())
	d.marks = d.marks[max(len(d.marks)-4, 0):] // of three periods
	if next := 2 * d.now; d.stand() {
		d.endEarly()
	} else if next <= d.loadEnd/2 {
		d.queue.set(&event{kind: periodEnds, index: -1}, next)
	}
}

// stand reports whether the figures of the last period do.
func (d *driver) stand() bool {
	n := len(d.marks)
	if n < 4 {
		return false
	}
	end, before := d.marks[n-1], d.marks[n-2]
	last := end.since(before)
	needed := (end.sums.CallSeconds - before.sums.CallSeconds) / (last.seconds * float64(d.Rules.Concurrency))
	switch {
	case last.calls < callsSeen,
		last.seconds < 4./3*d.Rules.IdleTimeout.Seconds(),
		d.Load.Arrivals == Bursts && last.seconds < burstsSeen*d.Load.Burst.Every.Seconds(),
		last.seconds < 20*last.latency.P99/1000,
		needed >= 0.95,
		end.sums.Failures != nil:
		return false
	}
	return last.isLike(before.since(d.marks[n-3])) && last.isLike(d.marks[n-3].since(d.marks[n-4]))
}

func (p period) isLike(other period) bool {
	near := func(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*max(a, b) }
	return near(p.latency.P50, other.latency.P50, 0.02) && near(p.latency.P95, other.latency.P95, 0.02) &&
		near(p.latency.Mean, other.latency.Mean, 0.02) && near(p.latency.P99, other.latency.P99, 0.05) &&
		near(p.calls*other.messages, other.calls*p.messages, 0.01) &&
		near(p.used.Busy.Seconds()*other.messages, other.used.Busy.Seconds()*p.messages, 0.01)
}

// endEarly lets no more messages come, except those with which each task's last window is
// as full as at the end of the whole load.
func (d *driver) endEarly() {
	all, arrived := d.total, int64(0)
	d.total, d.loadEnd = 0, d.now
	for _, t := range d.tasks {
		n, window := t.arrived(d.now), int64(1)
		onAverage := float64(d.Load.For) / d.lagging.end // nanoseconds of a unit of the curve
		if fills := t.interval * onAverage / float64(t.group) * float64(d.Rules.CountBasedWindow); fills < float64(d.Rules.TimeBasedWindow) {
			window = int64(d.Rules.CountBasedWindow)
		}
		t.total -= (t.total - n) / window * window
		t.next = t.arrival(t.told)
		if t.total > n {
			d.loadEnd = max(d.loadEnd, t.arrival(t.total-1))
		}
		arrived += n
		d.total += t.total
		d.changed = append(d.changed, t)
	}
	d.left = all - d.total
	d.result.LagEnd = arrived - finished(d.model.Stats())
	d.queue.set(d.end, d.loadEnd)
}

// extend adds what is left of a load that has ended early.
func (d *driver) extend(r *Result) {
	n := len(d.marks)
	end, before := d.marks[n-1], d.marks[n-2]
	last := end.since(before)
	rest := d.Load.For - d.loadEnd
	messages := float64(d.left) / last.messages // as many periods, by their messages
	times := rest.Seconds() / last.seconds      // and by their time
	whole := func(x float64) int64 { return int64(math.Round(x)) }

	r.Simulated = d.loadEnd
	r.LagMax = max(end.sums.LagMax, r.LagEnd)
	r.Produced += d.left
	r.Delivered += d.left
	r.EventsInCalls += d.left
	r.Latencies.Extend(last.latencies, d.left)
	created := whole(float64(end.stats.InstancesCreated-before.stats.InstancesCreated) * times)
	r.ColdStartTime += time.Duration(float64(created) * float64(r.ColdStartTime) / float64(max(r.InstancesCreated, 1)))
	r.InstancesCreated += created
	r.ColdStarts += int(created)
	r.InstanceSeconds += (end.instanceSeconds - before.instanceSeconds) * times
	r.CallSeconds += (end.sums.CallSeconds - before.sums.CallSeconds) * messages
	r.CPUSeconds += (end.sums.CPUSeconds - before.sums.CPUSeconds) * messages

	d.extendUsage(r, end, last, rest)
	lag := (end.lagArea - before.lagArea) / last.seconds
	r.LagMean = (r.LagMean*r.Wall.Seconds() + lag*rest.Seconds()) / (r.Wall + rest).Seconds()
	r.Wall += rest
	d.extendSamples(rest, lag)
}

// extendUsage puts more of the same into the hours from the end of the load on, and
// what came after it where it belongs.
func (d *driver) extendUsage(r *Result, end mark, last period, rest time.Duration) {
	hours := slices.Clone(end.hours)
	add := func(at time.Duration, more trigger.Usage, times int64) {
		for len(hours) <= int(at/trigger.UsagePeriod) {
			hours = append(hours, trigger.Usage{})
		}
		hour := &hours[at/trigger.UsagePeriod]
		*hour = plus(*hour, more, times)
	}
	each, event := float64(d.left)/last.messages, float64(d.left)/float64(last.used.Events)
	until := func(at time.Duration) trigger.Usage {
		share := float64(at-end.at) / float64(d.Load.For-end.at)
		of := func(more float64) int64 { return int64(math.Round(share * more)) }
		return trigger.Usage{
			Calls: of(last.calls * each), Busy: time.Duration(of(float64(last.used.Busy) * each)),
			Events: of(float64(d.left)), EventUnits: of(float64(last.used.EventUnits) * event), EventBytes: of(float64(last.used.EventBytes) * event),
		}
	}
	for from := end.at; from < d.Load.For; {
		to := min(from-from%trigger.UsagePeriod+trigger.UsagePeriod, d.Load.For)
		add(from, until(to), 1)
		add(from, until(from), -1)
		from = to
	}
	for i, hour := range r.Usage {
		at := max(time.Duration(i)*trigger.UsagePeriod, end.at) + rest
		add(at, hour, 1)
		if i < len(end.hours) {
			add(at, end.hours[i], -1)
		}
	}
	r.Usage = hours
	r.Calls += until(d.Load.For).Calls
	r.BusySeconds += until(d.Load.For).Busy.Seconds()
}

// extendSamples draws the rest as a line.
func (d *driver) extendSamples(rest time.Duration, lag float64) {
	l := &d.lagging
	i := slices.IndexFunc(l.ticks, func(t tick) bool { return t.at == d.loadEnd })
	atEnd := l.ticks[i]
	l.ticks[i].lag = lag
	l.ticks = slices.Insert(l.ticks, i+1, atEnd)
	for i++; i < len(l.ticks); i++ {
		l.ticks[i].at += rest
		l.ticks[i].delivered += d.left
	}
}
