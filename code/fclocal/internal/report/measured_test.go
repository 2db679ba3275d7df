package report

import (
	"strings"
	"testing"
	"time"

	"fclocal/internal/result"
)

func TestMeasuredTable(t *testing.T) {
	f := result.Measured{
		CallCPU: 85 * time.Microsecond, EventCPU: 14234, CallWait: 60 * time.Microsecond, ColdStart: 2345678,
		BaseMemory: 11 << 20, EventMemory: 6000, FurtherEventMemory: 1500, CallLog: 152.4, EventLog: 1084, OutOfMemoryAt: 20_000,
	}
	for _, events := range []int{1, 10, 100, 1000} {
		f.Points = append(f.Points, result.Point{
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
	const want = `events                                      time                   memory                      calls
 /call  calls  CPU time          fitted    alone          fitted    alone          fitted  in flight   memory          fitted
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     1      0   99.2 µs  99.2 µs   +0 %   159 µs   159 µs   +0 %  11.0 MB  11.0 MB   +0 %         26  11.0 MB  11.0 MB   +0 %
    10  2,345    207 µs   227 µs  +10 %   287 µs   287 µs   +0 %  11.1 MB  11.1 MB   +0 %         26  11.4 MB  11.4 MB   +0 %
   100      0   1.51 ms  1.51 ms   +0 %  1.57 ms  1.57 ms   +0 %  11.6 MB  11.6 MB   +0 %         26  15.1 MB  15.1 MB   +0 %
 1,000      0   14.3 ms  14.3 ms   +0 %  14.4 ms  14.4 ms   +0 %  16.7 MB  16.7 MB   +0 %         26  52.5 MB  52.5 MB   +0 %

On this machine a call takes 85 µs of CPU time, and 14.2 µs for each event in it.
It waits 60 µs, and 0 ms for each event.
An instance takes 11.0 MB of memory, 5.9 KB for each event of a call,
and 1.5 KB for each event of every further call in flight.
A cold start takes 2.35 ms.
A call writes 152 bytes of logs, and 1,084 for each event in it.
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
	const wantNone = `events                                      time
 /call  calls  CPU time          fitted    alone          fitted
──────────────────────────────────────────────────────────────────
     1      0   99.2 µs  99.2 µs   +0 %   159 µs   159 µs   +0 %
    10  2,345    207 µs   227 µs  +10 %   287 µs   287 µs   +0 %
   100      0   1.51 ms  1.51 ms   +0 %  1.57 ms  1.57 ms   +0 %
 1,000      0   14.3 ms  14.3 ms   +0 %  14.4 ms  14.4 ms   +0 %

On this machine a call takes 85 µs of CPU time, and 14.2 µs for each event in it.
It waits 60 µs, and 0 ms for each event.
A cold start takes 2.35 ms.
A call writes 152 bytes of logs, and 1,084 for each event in it.
`
	if got := b.String(); got != wantNone {
		t.Errorf("%s", got)
	}
}
