package measure

import (
	"math"
	"testing"
	"time"

	"fclocal/internal/result"
)

// points are those of a function that does exactly what the figures say.
func points(f result.Measured, inFlight int) (points []result.Point) {
	for _, events := range []int{1, 10, 100, 1000} {
		points = append(points, result.Point{
			Events: events, InFlight: inFlight, CPU: f.CPU(events), Duration: f.CPU(events) + f.Wait(events),
			AloneMemory: f.Memory(events, 1), Memory: f.Memory(events, inFlight),
			LogBytes: f.CallLog + float64(events)*f.EventLog,
		})
	}
	return points
}

func TestFit(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	exact := result.Measured{CallCPU: 85 * us, EventCPU: 14200, CallWait: 60 * us, EventWait: 300, BaseMemory: 11 << 20, EventMemory: 6000, FurtherEventMemory: 1500, CallLog: 150, EventLog: 90.5}
	noWait := result.Measured{CallCPU: 85 * us, EventCPU: 14200, BaseMemory: 11 << 20, EventMemory: 6000, FurtherEventMemory: 1500}
	oneInFlight := exact
	oneInFlight.FurtherEventMemory = oneInFlight.EventMemory
	for _, test := range []struct {
		name   string
		points []result.Point
		want   result.Measured
	}{
		{"exact", points(exact, 26), exact},
		{"no waiting", points(noWait, 26), noWait},
		{"one call in flight", points(exact, 1), oneInFlight},
		{"calls that take less time alone", []result.Point{{Events: 1, InFlight: 2, CPU: 2 * ms, Duration: ms}, {Events: 10, InFlight: 2, CPU: 2 * ms, Duration: ms}},
			result.Measured{CallCPU: 2 * ms}},
		{"larger batches that take less", []result.Point{{Events: 1, InFlight: 2, CPU: 2 * ms, Duration: 4 * ms, AloneMemory: 400, Memory: 500}, {Events: 10, InFlight: 2, CPU: ms, Duration: 2 * ms, AloneMemory: 200, Memory: 250}},
			// The mean of 2 and 1 with the weights 1/4 and 1. In flight, 100 more for 1 event with the
			// weight 1, and 50 for 10 events with the weight 4.
			result.Measured{CallCPU: 1200 * us, CallWait: 1200 * us, BaseMemory: 240, FurtherEventMemory: 2100.0 / 401}},
		{"less than nothing for a call", []result.Point{{Events: 1, InFlight: 1, CPU: ms, Duration: ms, AloneMemory: 100}, {Events: 10, InFlight: 1, CPU: 20 * ms, Duration: 20 * ms, AloneMemory: 2000}},
			// 1 and 2 for each event: (1-s)² + (1-s/2)² is least at 1.2.
			result.Measured{EventCPU: 1200 * us, EventMemory: 200, FurtherEventMemory: 200}}, // of the larger batch, as memory is not underrated
		{"a single size", []result.Point{{Events: 1, InFlight: 2, CPU: ms, Duration: 3 * ms, AloneMemory: 100, Memory: 150}},
			result.Measured{EventCPU: ms, EventWait: 2 * ms, EventMemory: 100, FurtherEventMemory: 50}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := result.Measured{Points: test.points}
			fit(&got)
			near := func(a, b float64) bool { return math.Abs(a-b) < 1e-4*max(b, 1) }
			if got.CallCPU != test.want.CallCPU || got.EventCPU != test.want.EventCPU ||
				got.CallWait != test.want.CallWait || got.EventWait != test.want.EventWait || got.BaseMemory != test.want.BaseMemory ||
				!near(got.EventMemory, test.want.EventMemory) || !near(got.FurtherEventMemory, test.want.FurtherEventMemory) {
				t.Errorf("%+v\nwant %+v", got, test.want)
			}
		})
	}
}

// The small batches are fitted as well as the large: no error is above the
// noise, which is 5 %.
func TestFitWithNoise(t *testing.T) {
	exact := result.Measured{CallCPU: 85 * time.Microsecond, EventCPU: 14200, CallWait: 60 * time.Microsecond}
	noisy := points(exact, 1)
	for i, noise := range []float64{1.05, 0.95, 1.05, 0.95} {
		noisy[i].CPU = time.Duration(float64(noisy[i].CPU) * noise)
	}
	f := result.Measured{Points: noisy}
	fit(&f)
	for _, p := range noisy {
		if fitted, want := f.CPU(p.Events), exact.CPU(p.Events); math.Abs(float64(fitted)/float64(want)-1) > 0.05 {
			t.Errorf("%d events: %v, want %v", p.Events, fitted, want)
		}
	}
}

// Small batches that cost 1 ms for each event, and large ones with half of that.
func TestUpTo(t *testing.T) {
	f := result.Measured{Points: []result.Point{
		{Events: 1, InFlight: 1, CPU: 2 * time.Millisecond}, {Events: 10, InFlight: 1, CPU: 11 * time.Millisecond},
		{Events: 100, InFlight: 1, CPU: 51 * time.Millisecond}, {Events: 1000, InFlight: 1, CPU: 501 * time.Millisecond},
	}}
	fit(&f)
	for _, events := range []int{1, 10} {
		if got := UpTo(f, events); got.CallCPU != time.Millisecond || got.EventCPU != time.Millisecond {
			t.Errorf("up to %d: %v and %v, want 1 ms and 1 ms", events, got.CallCPU, got.EventCPU)
		}
	}
	for events, points := range map[int]int{11: 3, 100: 3, 101: 4, 5000: 4} {
		if got := UpTo(f, events); len(got.Points) != points || got.EventCPU >= time.Millisecond {
			t.Errorf("up to %d: %d batch sizes, %v for each event", events, len(got.Points), got.EventCPU)
		}
	}
	if got := UpTo(result.Measured{Points: f.Points[:1]}, 10); got.EventCPU != 2*time.Millisecond {
		t.Errorf("a single size: %v for each event", got.EventCPU)
	}
}

func TestLeast(t *testing.T) {
	slow, fast := result.Measured{CallCPU: 3000, EventCPU: 200}, result.Measured{CallCPU: 1000, EventCPU: 100}
	a, b := result.Measured{Points: points(slow, 1)}, result.Measured{Points: points(fast, 1)}
	b.Points[0].CPU *= 10
	got := Least(a, b)
	if got.Points[0].CPU != slow.CPU(1) || got.Points[1].CPU != fast.CPU(10) || UpTo(got, 1000).EventCPU == 0 {
		t.Errorf("%+v", got)
	}
	b.OutOfMemoryAt, b.Points[2].Memory, b.Points = 500, 1<<30, b.Points[:3]
	if got := Least(a, b); got.OutOfMemoryAt != 500 || got.Points[2].Memory != 1<<30 || len(got.Points) != 3 {
		t.Errorf("%+v", got)
	}
	if a.Points[1].CPU != slow.CPU(10) {
		t.Error("the first measurement has changed")
	}
}
