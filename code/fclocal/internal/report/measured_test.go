package report

import (
	"strings"
	"testing"
	"time"

	"fclocal/internal/measure"
)

func TestMeasuredTable(t *testing.T) {
	f := measure.Function{
		CallCPU: 85 * time.Microsecond, EventCPU: 14234, CallWait: 60 * time.Microsecond, ColdStart: 2345678,
		BaseMemory: 11 << 20, EventMemory: 6000, FurtherEventMemory: 1500, OutOfMemoryAt: 20_000,
	}
	for _, events := range []int{1, 10, 100, 1000} {
		f.Points = append(f.Points, measure.Point{
			Events: events, InFlight: 26, CPU: f.CPU(events), Duration: f.CPU(events) + f.Wait(events),
			AloneMemory: f.Memory(events, 1), Memory: f.Memory(events, 26),
		})
	}
	f.Points[1].CPU = f.Points[1].CPU * 10 / 11
	f.Points[1].Calls = 2345
	var b strings.Builder
	if err := MeasuredTable(&b, f); err != nil {
		t.Fatal(err)
	}
	const want = `events                                    time                  memory                      calls
 /call  calls  CPU time         fitted   alone         fitted    alone          fitted  in flight   memory          fitted
────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     1      0    99.2µs  99.2µs   +0 %   159µs   159µs   +0 %  11.0 MB  11.0 MB   +0 %         26  11.0 MB  11.0 MB   +0 %
    10  2,345     207µs   227µs  +10 %   287µs   287µs   +0 %  11.1 MB  11.1 MB   +0 %         26  11.4 MB  11.4 MB   +0 %
   100      0    1.51ms  1.51ms   +0 %  1.57ms  1.57ms   +0 %  11.6 MB  11.6 MB   +0 %         26  15.1 MB  15.1 MB   +0 %
 1,000      0    14.3ms  14.3ms   +0 %  14.4ms  14.4ms   +0 %  16.7 MB  16.7 MB   +0 %         26  52.5 MB  52.5 MB   +0 %

On this machine a call takes 85µs of CPU time, and 14.2µs for each event in it; it waits 60µs, and 0s for each event.
An instance takes 11.0 MB of memory, 5.9 KB for each event of a call, and 1.5 KB for each event of every further call in flight.
A cold start takes 2.35ms.
With 20,000 events in flight it ran out of memory; larger batches were not tried. Raise memorySize, or lower CountBasedWindow or instanceConcurrency.
`
	if got := b.String(); got != want {
		t.Errorf("%s", got)
	}

	f.BaseMemory, f.EventMemory, f.OutOfMemoryAt = 0, 0, 0 // where memory is not told
	b.Reset()
	if err := MeasuredTable(&b, f); err != nil {
		t.Fatal(err)
	}
	const wantNone = `events                                    time
 /call  calls  CPU time         fitted   alone         fitted
───────────────────────────────────────────────────────────────
     1      0    99.2µs  99.2µs   +0 %   159µs   159µs   +0 %
    10  2,345     207µs   227µs  +10 %   287µs   287µs   +0 %
   100      0    1.51ms  1.51ms   +0 %  1.57ms  1.57ms   +0 %
 1,000      0    14.3ms  14.3ms   +0 %  14.4ms  14.4ms   +0 %

On this machine a call takes 85µs of CPU time, and 14.2µs for each event in it; it waits 60µs, and 0s for each event.
A cold start takes 2.35ms.
`
	if got := b.String(); got != wantNone {
		t.Errorf("%s", got)
	}
}
