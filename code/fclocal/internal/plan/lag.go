package plan

import (
	"math"
	"time"

	"fclocal/internal/trigger"
)

// lagging is what the driver needs to tell how the lag goes.
type lagging struct {
	end    float64 // of the load, on the curve
	line   line    // the tasks' together
	phases float64 // of all tasks, each less what it is on average

	area   float64       // lag times seconds, since the start
	until  time.Duration // of area
	ticked float64       // area at the last tick

	recorded int // records of a Recording that have come until then

	passedAt time.Duration
	passed   float64 // of the curve, by then

	ticks    []tick
	interval time.Duration // between ticks
	nextTick time.Duration

	dayBefore struct{ produced, lag int64 } // a day before the load ends, or when it starts
}

// tick is a sample with the figures that it is made from.
type tick struct {
	at                  time.Duration
	instances, inFlight int
	delivered           int64
	lag                 float64 // mean since the tick before: that of the moment would be in step with the windows
}

func (l *lagging) last() *tick { return &l.ticks[len(l.ticks)-1] }

// ticksAtMost bounds the memory of the ticks: beyond it, they are taken half as
// often.
const ticksAtMost = 2000

// pieces bounds the cost of a batch's latencies.
const pieces = 10

// recordLatencies records how long each message of a batch has waited, the first
// of each partition exactly and the others in pieces. The one that stands for its piece
// is another in each batch, so that over many of them all count.
func (d *driver) recordLatencies(a trigger.Delivered) {
	_, within := math.Modf(float64(a.Batch.ID) * (math.Phi - 1))
	spent := *a.Spent
	for _, records := range a.Batch.Ranges {
		t := d.tasks[records.Partition]
		recordOf := func(arrival time.Duration, count int64) {
			d.model.Gather(&spent, a, arrival, max(arrival, a.Batch.Fetching))
			d.result.Latencies.Record(d.now-arrival, &spent, count)
		}
		record := func(number, count int64) { recordOf(t.about(number), count) }
		recordOf(t.arrival(records.FirstOffset), 1)
		begin, rest := records.FirstOffset+1, int64(records.Count-1)
		if records.FirstOffset+rest < t.backlog { // they all arrived with the first
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

// produced returns how many messages have arrived by now: exactly where the tasks are
// even, and else about so many, as to ask each task took too long.
func (d *driver) produced() int64 {
	return min(max(int64(math.Floor(d.expected(d.now)+0.5)), d.told), d.total)
}

// knownByLines reports whether how many messages have arrived is taken from the tasks'
// lines: it is no matter of the rate alone.
func (l Load) knownByLines() bool { return l.Arrivals.byChance() || l.Group > 1 }

// expected is how many messages have arrived by a moment, on average.
func (d *driver) expected(at time.Duration) (n float64) {
	if at >= d.loadEnd {
		return float64(d.total)
	}
	if d.Load.Recording != nil {
		return float64(d.Load.Recording.by(at))
	}
	passed := float64(at)
	if l := &d.lagging; d.curve != nil {
		if at != l.passedAt { // it is asked for twice
			l.passedAt, l.passed = at, d.curve.passed(at)
		}
		passed = l.passed
	}
	if d.Load.knownByLines() {
		n = d.lagging.line.at0 + d.lagging.line.slope*passed
	} else {
		load := float64(d.total - d.Load.Backlog)
		n = float64(d.Load.Backlog) + load*passed/d.lagging.end - d.lagging.phases
	}
	return min(max(n, float64(d.Load.Backlog)), float64(d.total))
}

// expect adds up by which lines the tasks' messages are expected.
func (d *driver) expect(t *task, last int64) {
	if !d.Load.knownByLines() {
		return
	}
	now := t.expect(d.now, last)
	d.lagging.line.at0 += now.at0 - t.line.at0
	d.lagging.line.slope += now.slope - t.line.slope
	t.line = now
}

func (d *driver) producedExactly() (n int64) {
	for _, t := range d.tasks {
		n += t.arrived(d.now)
	}
	return n
}

func finished(s trigger.Stats) int64 { return s.Delivered + s.DeadLettered + s.Discarded }

func (d *driver) lag(s trigger.Stats) int64 { return d.produced() - finished(s) }

// integrate adds up the lag of a time in which nothing happens but arrivals.
func (d *driver) integrate(to time.Duration, stats trigger.Stats) {
	l, seconds := &d.lagging, (to - d.lagging.until).Seconds()
	if d.Load.Recording != nil {
		l.area += float64(l.recorded) * seconds
		l.area += d.arrivals(l.until, to)
	} else {
		l.area += (d.expected(l.until) + d.expected(to)) / 2 * seconds
	}
	l.area -= float64(finished(stats)) * seconds
	l.until = to
}

// tick takes a sample of a moment up to which nothing has happened since now.
func (d *driver) tick(at time.Duration, stats trigger.Stats) {
	before := d.now
	d.now = at
	lag := d.lag(stats)
	d.now = before
	d.result.LagMax = max(d.result.LagMax, lag)
	l := &d.lagging
	since := time.Duration(0)
	if n := len(l.ticks); n > 0 {
		since = l.ticks[n-1].at
		if since == at {
			l.ticks[n-1].instances, l.ticks[n-1].inFlight, l.ticks[n-1].delivered = stats.Instances, stats.InFlight, stats.Delivered
			return
		}
	}
	mean := float64(lag)
	if at > since {
		mean = (l.area - l.ticked) / (at - since).Seconds()
	}
	l.ticked = l.area
	l.ticks = append(l.ticks, tick{at, stats.Instances, stats.InFlight, stats.Delivered, mean})
	if len(l.ticks) > ticksAtMost {
		kept := l.ticks[:1] // the start
		for i := 2; i < len(l.ticks); i += 2 {
			t, skipped := l.ticks[i], l.ticks[i-1]
			first := float64(skipped.at - kept[len(kept)-1].at)
			all := float64(t.at - kept[len(kept)-1].at)
			t.lag = (skipped.lag*first + t.lag*(all-first)) / all
			kept = append(kept, t)
		}
		l.ticks = kept
		l.interval *= 2
	}
}

// isOverloaded decides Result.KeepsUp for a load whose rate does not change: all calls
// together need more than concurrency gives while the load lasts, and the lag grows
// from quarter to quarter. Calls that take whatever is there, with a TimeBasedWindow of
// 0, may need all of it and keep up.
func (d *driver) isOverloaded() bool {
	needed := (d.result.CallSeconds + d.result.RetryingSeconds) / (float64(d.Rules.Concurrency) * d.loadEnd.Seconds())
	arrivals := float64(d.total-d.Load.Backlog) / 4
	return needed > 1 && d.meanLag(d.loadEnd*3/4, d.loadEnd)-d.meanLag(d.loadEnd/2, d.loadEnd*3/4) > 0.002*arrivals
}

// meanLag is that between two moments.
func (d *driver) meanLag(from, to time.Duration) float64 {
	area, seconds, before := 0.0, 0.0, time.Duration(0)
	for _, t := range d.lagging.ticks {
		if from < t.at && t.at <= to {
			area += t.lag * (t.at - before).Seconds()
			seconds += (t.at - before).Seconds()
		}
		before = t.at
	}
	return area / max(seconds, 1e-9)
}

// lagIsThatOfDayBefore decides Result.KeepsUp for a load whose rate changes. What is
// under way is no lag that grows, be it a little more at one moment than at another.
func (d *driver) lagIsThatOfDayBefore(stats trigger.Stats) bool {
	windows, largest := 0.0, float64(d.result.EventsInCalls)/float64(max(stats.Calls, 1)) // what open windows hold, and a call
	for _, t := range d.tasks {
		switch {
		case t.recorded != nil:
			opened := t.recorded.by(d.loadEnd-d.Rules.TimeBasedWindow-1, 0)
			window := min(float64(d.Rules.CountBasedWindow), float64(t.total-opened))
			windows += window
			largest = max(largest, window)
		case t.total > t.backlog:
			window := min(float64(d.Rules.CountBasedWindow), float64(t.group)*(float64(d.Rules.TimeBasedWindow)*d.curve.peak()/t.interval+1))
			windows += window
			largest = max(largest, window)
		}
	}
	calls := float64(stats.InFlight+stats.Retrying) * largest
	return float64(d.result.LagEnd-d.lagging.dayBefore.lag) <= windows+calls+d.burstMessages()
}
