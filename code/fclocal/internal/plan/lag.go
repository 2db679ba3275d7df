package plan

import (
	"math"
	"time"

	"fclocal/internal/trigger"
)

// lagging is what the driver needs to tell how the lag goes.
type lagging struct {
	phases float64 // of all tasks, each less what it is on average

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
	lag                 int64
}

// ticksAtMost bounds the memory of the ticks: beyond it, they are taken half as
// often.
const ticksAtMost = 2000

// pieces bounds the cost of a batch's latencies.
const pieces = 10

// recordLatencies records how long each message of a batch has waited, the first
// of each partition exactly and the others in pieces. The one that stands for its piece
// is another in each batch, so that over many of them all count.
func (d *driver) recordLatencies(batch *trigger.Batch) {
	_, within := math.Modf(float64(batch.ID) * (math.Phi - 1))
	for _, records := range batch.Ranges {
		t := d.tasks[records.Partition]
		record := func(number, count int64) {
			d.result.Latencies.Record(d.now-t.arrival(number), count)
		}
		record(records.FirstOffset, 1)
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
	if d.now >= d.loadEnd {
		return d.total
	}
	load := float64(d.total - d.Load.Backlog)
	n := load*d.curve.passed(d.now)/d.curve.passed(d.Load.For) - d.lagging.phases + 0.5
	return min(max(d.Load.Backlog+int64(math.Floor(n)), d.told), d.total)
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
	if n := len(d.lagging.ticks); n > 0 && d.lagging.ticks[n-1].at == at {
		d.lagging.ticks = d.lagging.ticks[:n-1]
	}
	d.lagging.ticks = append(d.lagging.ticks, tick{at, stats.Instances, stats.InFlight, stats.Delivered, lag})
	if len(d.lagging.ticks) > ticksAtMost {
		kept := d.lagging.ticks[:1] // the start
		for i := 2; i < len(d.lagging.ticks); i += 2 {
			kept = append(kept, d.lagging.ticks[i])
		}
		d.lagging.ticks = kept
		d.lagging.interval *= 2
	}
}

// lagIsSteady decides Result.KeepsUp.
func (d *driver) lagIsSteady(stats trigger.Stats) bool {
	lowest := func(from, to time.Duration) int64 {
		lag := int64(math.MaxInt64)
		for _, t := range d.lagging.ticks {
			if from <= t.at && t.at <= to {
				lag = min(lag, t.lag)
			}
		}
		return lag
	}
	windows, largest := 0.0, float64(d.result.EventsInCalls)/float64(max(stats.Calls, 1)) // what open windows hold, and a call
	for _, t := range d.tasks {
		if t.total > t.backlog {
			window := min(float64(d.Rules.CountBasedWindow), float64(d.Rules.TimeBasedWindow)*d.curve.peak()/t.interval+1)
			windows += window
			largest = max(largest, window)
		}
	}
	// What is under way is no lag that grows, be it a little more at one moment than
	// at another.
	if d.curve != nil {
		calls := float64(stats.InFlight+stats.Retrying) * largest
		return float64(d.result.LagEnd-d.lagging.dayBefore.lag) <= windows+calls
	}
	tenth := d.loadEnd / 10
	growth := lowest(d.loadEnd-tenth, d.loadEnd) - lowest(d.loadEnd/2-tenth, d.loadEnd/2)
	if d.result.FullTime.Seconds() >= 0.95*d.loadEnd.Seconds() { // windows wait for a slot, and are as full as can be
		windows = 0
	}
	return float64(growth) <= windows+float64(stats.Retrying)*largest
}
