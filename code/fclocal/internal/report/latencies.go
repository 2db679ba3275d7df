package report

import (
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies records durations in a histogram of less than 400 KB, however many
// there are. Percentiles are exact to 0.1 % and to a microsecond; what is above
// ten years counts as ten years. The maximum is exact. The zero value is empty
// and ready for use. It is not safe for concurrent use.
type Latencies struct {
	histogram *hdrhistogram.Histogram // of microseconds; nil while empty
	max       time.Duration
}

const highestLatency = 10 * 365 * 24 * time.Hour

// Record adds events that took d each. A negative d, from clocks that differ,
// counts as 0.
func (l *Latencies) Record(d time.Duration, events int64) {
	if events <= 0 {
		return
	}
	l.init()
	d = max(d, 0)
	l.max = max(l.max, d)
	if err := l.histogram.RecordValues(min(d, highestLatency).Microseconds(), events); err != nil {
		panic(fmt.Sprintf("report: %v out of the histogram's range: %v", d, err))
	}
}

func (l *Latencies) init() {
	if l.histogram == nil {
		l.histogram = hdrhistogram.New(1, highestLatency.Microseconds(), 3)
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

// Milliseconds returns the distribution as a Run has it.
func (l *Latencies) Milliseconds() LatencyMs {
	milliseconds := func(d time.Duration) float64 {
		return math.Round(d.Seconds()*1e6) / 1e3
	}
	return LatencyMs{
		P50: milliseconds(l.Percentile(50)),
		P95: milliseconds(l.Percentile(95)),
		P99: milliseconds(l.Percentile(99)),
		Max: milliseconds(l.Max()),
	}
}
