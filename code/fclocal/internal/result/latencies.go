package result

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"fclocal/internal/trigger"
)

// Latencies records durations in a histogram of less than 400 KB, however many
// there are, and their causes in one of 60 KB. Percentiles are exact to 0.1 % and to a
// microsecond; what is above ten years counts as ten years. The maximum is exact. The zero
// value is empty and ready for use. It is not safe for concurrent use.
type Latencies struct {
	histogram *hdrhistogram.Histogram // of microseconds; nil while empty
	max       time.Duration
	sum       float64  // of all events, in nanoseconds
	causes    []causes // by causesOf
}

// causes are those of all events whose latencies are near each other, in nanoseconds of all
// of them together.
type causes [trigger.Causes]float64

// causesOf is the number of the causes of a latency: of those below 16 µs each has its own,
// then a sixteenth of each octave.
func causesOf(microseconds int64) int {
	octave := max(bits.Len64(uint64(microseconds))-5, 0)
	return 16*octave + int(microseconds>>octave)
}

// add adds a multiple of others.
func (c *causes) add(more causes, times float64) {
	for i := range c {
		c[i] += times * more[i]
	}
}

const highestLatency = 10 * 365 * 24 * time.Hour

// Record adds events that took d each, and what they spent it on, which sums to d; no part
// is negative.
func (l *Latencies) Record(d time.Duration, spent *trigger.Spent, events int64) {
	if events <= 0 {
		return
	}
	l.init()
	d = max(d, 0)
	l.max = max(l.max, d)
	l.sum += float64(d) * float64(events)
	microseconds := min(d, highestLatency).Microseconds()
	if err := l.histogram.RecordValues(microseconds, events); err != nil {
		panic(fmt.Sprintf("result: %v out of the histogram's range: %v", d, err))
	}
	near := &l.causes[causesOf(microseconds)]
	for i, part := range spent {
		if part != 0 {
			near[i] += float64(part) * float64(events)
		}
	}
}

// Clone returns a copy that does not change with l.
func (l *Latencies) Clone() Latencies {
	c := *l
	if c.histogram != nil {
		c.histogram = c.histogram.Clone()
		c.causes = slices.Clone(c.causes)
	}
	return c
}

// Since returns what was recorded after l was as earlier. Its maximum is exact to 0.1 %.
func (l *Latencies) Since(earlier Latencies) Latencies {
	if earlier.histogram == nil || l.histogram == nil {
		return l.Clone()
	}
	all, before := l.histogram.Export(), earlier.histogram.Export()
	for i, count := range before.Counts {
		all.Counts[i] -= count
	}
	since := Latencies{histogram: hdrhistogram.Import(all), max: l.max, sum: l.sum - earlier.sum, causes: slices.Clone(l.causes)}
	since.max = since.Percentile(100)
	for i := range since.causes {
		since.causes[i].add(earlier.causes[i], -1)
	}
	return since
}

// Extend adds so many events that are distributed as others are, of which there is one at
// least. Their maximum is taken as seen.
func (l *Latencies) Extend(like Latencies, events int64) {
	l.init()
	l.max = max(l.max, like.max)
	times := float64(events) / float64(like.Count())
	l.sum += like.sum * times
	for i := range l.causes {
		l.causes[i].add(like.causes[i], times)
	}
	seen, added := int64(0), int64(0)
	for _, bar := range like.histogram.Distribution() {
		if bar.Count == 0 {
			continue
		}
		seen += bar.Count
		until := int64(math.Round(float64(seen) * times))
		if err := l.histogram.RecordValues(bar.From, until-added); err != nil {
			panic(fmt.Sprintf("result: %v", err)) // a histogram takes what is in another
		}
		added = until
	}
}

func (l *Latencies) init() {
	if l.histogram == nil {
		l.histogram = hdrhistogram.New(1, highestLatency.Microseconds(), 3)
		l.causes = make([]causes, causesOf(highestLatency.Microseconds())+1)
	}
}

// Count returns the number of events recorded.
func (l *Latencies) Count() int64 {
	if l.histogram == nil {
		return 0
	}
	return l.histogram.TotalCount()
}

// Max returns the longest duration recorded, or 0 if there is none.
func (l *Latencies) Max() time.Duration { return l.max }

// Percentile returns the duration that percent (0 to 100, like 99.9) of the
// events did not exceed, or 0 if there is none.
func (l *Latencies) Percentile(percent float64) time.Duration {
	if l.histogram == nil {
		return 0
	}
	d := time.Duration(l.histogram.ValueAtPercentile(percent)) * time.Microsecond
	return min(d, l.max) // the histogram answers with the upper end of a bucket
}

// LatencyMs is a distribution of latencies in milliseconds.
type LatencyMs struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// Milliseconds are the figures of the distribution.
func (l *Latencies) Milliseconds() LatencyMs {
	rounded := func(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e3 }
	return LatencyMs{
		Mean: math.Round(l.sum/float64(max(l.Count(), 1))/1e3) / 1e3,
		P50:  rounded(l.Percentile(50)),
		P95:  rounded(l.Percentile(95)),
		P99:  rounded(l.Percentile(99)),
		P999: rounded(l.Percentile(99.9)),
		Max:  rounded(l.Max()),
	}
}
