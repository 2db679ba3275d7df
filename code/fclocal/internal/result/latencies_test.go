package result

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fclocal/internal/trigger"
)

func TestLatenciesAreWithinOnePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var latencies Latencies
	var all []time.Duration
	for range 100_000 {
		// From 50 µs to a month, as many of each order of magnitude.
		d := time.Duration(math.Exp(random.Float64()*math.Log(5e10)) * float64(50*time.Microsecond))
		all = append(all, d)
		latencies.Record(d, &trigger.Spent{d}, 1)
	}
	slices.Sort(all)
	if n := latencies.Count(); n != 100_000 {
		t.Errorf("%d latencies, want 100000", n)
	}
	for _, percent := range []float64{0, 1, 50, 95, 99, 99.9, 100} {
		want := all[max(int(math.Ceil(percent/100*100_000))-1, 0)]
		got := latencies.Percentile(percent)
		if off := math.Abs(float64(got-want)) / float64(want); off > 0.01 {
			t.Errorf("p%v is %v, want %v: off by %.2f %%", percent, got, want, 100*off)
		}
	}
	if latencies.Max() != all[len(all)-1] {
		t.Errorf("the maximum is %v, want %v", latencies.Max(), all[len(all)-1])
	}
}

func TestLatencies(t *testing.T) {
	type record struct {
		d      time.Duration
		events int64
	}
	for _, test := range []struct {
		name    string
		records []record
		want    LatencyMs
	}{
		{"none", nil, LatencyMs{}},
		{"one", []record{{123456 * time.Microsecond, 1}}, LatencyMs{123.456, 123.456, 123.456, 123.456, 123.456, 123.456}},
		{"none of a batch", []record{{time.Second, 0}}, LatencyMs{}},
		{"batches", []record{{10 * time.Millisecond, 960}, {time.Second, 35}, {2 * time.Second, 5}},
			LatencyMs{Mean: 54.6, P50: 10.007, P95: 10.007, P99: 1000.447, P999: 2000, Max: 2000}},
		{"older than ten years", []record{{math.MaxInt64, 1}}, LatencyMs{
			Mean: 9223372036854.775, P50: 315559837171.711, P95: 315559837171.711, P99: 315559837171.711, P999: 315559837171.711, Max: 9223372036854.775}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var l Latencies
			for _, r := range test.records {
				l.Record(r.d, &trigger.Spent{r.d}, r.events)
			}
			if diff := cmp.Diff(test.want, l.Milliseconds()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The causes of the mean and of each percentile sum to it, and are those of the events there.
func TestLatenciesByCause(t *testing.T) {
	var l Latencies
	record := func(window, slot, call time.Duration, events int64) {
		l.Record(window+slot+call, &trigger.Spent{trigger.Window: window, trigger.Slot: slot, trigger.InCall: call}, events)
	}
	record(60*time.Millisecond, 0, 40*time.Millisecond, 900)
	record(59*time.Millisecond, 0, 41*time.Millisecond, 40)
	record(0, 3*time.Second, time.Second, 60)
	record(1, 2, 3, 1) // nanoseconds
	latencies, got := l.Milliseconds(), l.ByCause()
	if got.P50 != (CausesMs{Window: 59.976, Function: 40.055}) || got.P95 != (CausesMs{Slot: 3000, Function: 1000}) || got.P99 != got.P95 {
		t.Errorf("%+v", got)
	}
	for _, test := range []struct {
		latency float64
		causes  CausesMs
	}{{latencies.Mean, got.Mean}, {latencies.P50, got.P50}, {latencies.P95, got.P95}, {latencies.P99, got.P99}} {
		sum := 0.0
		for _, part := range test.causes.Parts() {
			sum += part
		}
		if math.Abs(sum-test.latency) > 0.004 {
			t.Errorf("%+v sum to %v, want %v", test.causes, sum, test.latency)
		}
	}
	if none := (&Latencies{}).ByCause(); none != (LatencyByCauseMs{}) {
		t.Errorf("of nothing: %+v", none)
	}
}

// What is near to a percentile holds the percentile itself, and nothing that is further from it
// than a sixteenth.
func TestCausesAreOfNearLatencies(t *testing.T) {
	for d := time.Microsecond; d < highestLatency/2; d += d/20 + time.Microsecond {
		far := d + d/15 + time.Microsecond
		var l Latencies
		l.Record(d, &trigger.Spent{trigger.Kafka: d}, 1)
		l.Record(far, &trigger.Spent{trigger.Window: far}, 1)
		if got := l.ByCause(); got.P50.Kafka == 0 || got.P50.Window > 0 || got.P99.Window == 0 || got.P99.Kafka > 0 {
			t.Fatalf("%v and %v: %+v", d, far, got)
		}
	}
}

func TestLatenciesAreBounded(t *testing.T) {
	var l Latencies
	l.Record(time.Second, &trigger.Spent{time.Second}, math.MaxInt64/2)
	if size := l.histogram.ByteSize(); size > 400<<10 {
		t.Errorf("%d bytes", size)
	}
}

// More of what came after a moment leaves that as it is distributed.
func TestExtend(t *testing.T) {
	var l Latencies
	record := func(d time.Duration, events int64) {
		l.Record(d, &trigger.Spent{trigger.Slot: d / 4, trigger.InCall: d - d/4}, events)
	}
	record(time.Minute, 10)
	before := l.Clone()
	record(10*time.Millisecond, 70)
	record(time.Second, 20)
	since := l.Since(before)
	if since.Count() != 90 || since.Max() < time.Second || since.Max() > 1001*time.Millisecond || before.Count() != 10 {
		t.Errorf("%d since then, at most %v, after %d", since.Count(), since.Max(), before.Count())
	}
	l.Extend(since, 900_000_001)
	if l.Count() != 900_000_101 || l.Max() != time.Minute {
		t.Errorf("%d, at most %v", l.Count(), l.Max())
	}
	share := 100 * 7. / 9
	if below, above := l.Percentile(share-0.1), l.Percentile(share+0.1); below > 11*time.Millisecond || above < 999*time.Millisecond {
		t.Errorf("%v below, %v above", below, above)
	}
	if mean, causes := l.Milliseconds().Mean, l.ByCause().Mean; math.Abs(mean-230) > 0.1 || math.Abs(causes.Slot-mean/4) > 0.1 || math.Abs(causes.Function-mean*3/4) > 0.1 {
		t.Errorf("the mean is %v, of %+v", mean, causes)
	}
}
