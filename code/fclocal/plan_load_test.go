package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"fclocal/internal/result"
)

// The same rate is harder to keep up with where much comes at once.
func TestPlanBursts(t *testing.T) {
	args := []string{"--rate", "300", "--for", "30m", "--call-time", "50ms", "--set", "concurrency=3"}
	poisson := mustPlan(t, args...)[0]
	bursts := mustPlan(t, append(args, "--arrivals", "bursts", "--burst-rate", "4", "--burst-for", "20s", "--group", "2")...)[0]
	if bursts.Produced != poisson.Produced || bursts.LatencyMs.P99 < 20*poisson.LatencyMs.P99 || bursts.LagMax < 5000 {
		t.Errorf("%d messages, p99 %v and %v ms, a lag of %d", bursts.Produced, poisson.LatencyMs.P99, bursts.LatencyMs.P99, bursts.LagMax)
	}
	if got, want := bursts.Load.Bursts, (result.Bursts{Rate: 4, ForSeconds: 20, EverySeconds: 300}); got == nil || *got != want || bursts.Load.Arrivals != "bursts" || bursts.Load.Group != 2 {
		t.Errorf("%+v, %+v", bursts.Load, got)
	}
	if poisson.Load.Bursts != nil || poisson.Load.Group != 0 {
		t.Errorf("%+v", poisson.Load)
	}
}

// What was measured is taken from files, and the result says so.
func TestPlanMeasured(t *testing.T) {
	dir := t.TempDir()
	times, sizes := filepath.Join(dir, "times.txt"), filepath.Join(dir, "sizes.txt")
	for path, content := range map[string]string{times: "20ms\n20\n20ms\n0.34s\n", sizes: "1000\n99000\n"} { // 100 ms, 50,000 bytes
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"--rate", "20", "--for", "10m", "--arrivals", "even", "--set", "CountBasedWindow=10", "--message-sizes", sizes, "--times", times}
	run := mustPlan(t, args...)[0]
	if l := run.LatencyMs; l.P99 < 700 || run.Load.EventBytes != 50_000 || run.Load.SizeFile != sizes || run.Function.CallTimeMs != 0 || run.Function.EventTimeMs != 0 {
		t.Errorf("%+v, %+v, %+v", l, run.Load, run.Function)
	}
	if want := (result.Times{File: times, Of: "call", MeanMs: 100}); run.Function.Times == nil || *run.Function.Times != want {
		t.Errorf("%+v, want %+v", run.Function.Times, want)
	}
	if units := run.Bill.Run.EventBridge.ByEvents.Events; math.Abs(units-18_000) > 300 { // half of the events count twice
		t.Errorf("%v events are billed, want 18000", units)
	}
	of := mustPlan(t, append(args, "--times-of", "event")...)[0]
	if calls, events := run.Bill.Run.FunctionCompute.Calls, of.Bill.Run.FunctionCompute.Calls; calls != events || of.LatencyMs.P50 < run.LatencyMs.P50+500 {
		t.Errorf("%v and %v calls, p50 %v and %v ms", calls, events, run.LatencyMs.P50, of.LatencyMs.P50)
	}
}
