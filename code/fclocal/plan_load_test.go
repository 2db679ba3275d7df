package main

import (
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
