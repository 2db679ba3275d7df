package report

import (
	"io"
	"slices"
)

// A Planned is a run in virtual time: what a Run has, and what only a plan tells.
type Planned struct {
	Run
	LatencyMs PlannedLatencyMs `json:"latencyMs"` // shown in place of Run.LatencyMs

	PeakInstances int     `json:"peakInstances"` // that exist at a time
	Throttled     int64   `json:"throttled"`     // attempts that FC answers with 429
	LagEnd        int64   `json:"lagEnd"`        // messages, at the end of the load
	LagMax        int64   `json:"lagMax"`        // messages
	KeepsUp       bool    `json:"keepsUp"`       // the lag does not grow; of a backlog alone: it is finished
	DrainSeconds  float64 `json:"drainSeconds"`  // from the end of the load until all is finished; 0 if it stopped

	InstanceHours float64  `json:"instanceHours"` // idle ones included
	GBSeconds     float64  `json:"gbSeconds"`     // of memorySize, while an instance has a call or starts
	VCPUSeconds   *float64 `json:"vcpuSeconds"`   // of cpu, likewise; null if s.yaml has no cpu

	// Advice says what limits the run and which setting to change; may be empty.
	Advice string `json:"advice,omitempty"`
}

// PlannedLatencyMs is LatencyMs with a further percentile.
type PlannedLatencyMs struct {
	LatencyMs
	P999 float64 `json:"p999"`
}

// rounded returns the run with finite numbers of three decimals.
func (p Planned) rounded() Planned {
	p.Run = p.Run.rounded()
	l := &p.LatencyMs
	round(&l.P50, &l.P95, &l.P99, &l.P999, &l.Max, &p.DrainSeconds, &p.InstanceHours, &p.GBSeconds)
	if p.VCPUSeconds != nil {
		seconds := *p.VCPUSeconds
		round(&seconds)
		p.VCPUSeconds = &seconds
	}
	return p
}

// PlannedJSON is JSON for plans.
func PlannedJSON(w io.Writer, runs []Planned) error {
	return writeJSON(w, runs, Planned.rounded)
}

// runsOf are the plans as runs.
func runsOf(planned []Planned) []Run {
	runs := make([]Run, len(planned))
	for i, p := range planned {
		runs[i] = p.Run
	}
	return runs
}

var (
	keepsUp = figure[Planned]{"keeps up", "keeps\nup", func(p Planned) string {
		if p.KeepsUp {
			return "yes"
		}
		return "no"
	}, nil}
	peakInstances = figure[Planned]{"peak instances", "peak\ninstances", func(p Planned) string {
		return whole(p.PeakInstances) + " (bound " + whole(p.InstancesBound) + ")"
	}, nil}
	lagEnd  = figure[Planned]{"lag at end of load", "lag\nat end", func(p Planned) string { return whole(p.LagEnd) }, nil}
	lagMax  = figure[Planned]{"lag at most", "lag\nat most", func(p Planned) string { return whole(p.LagMax) }, nil}
	drained = figure[Planned]{"drained in", "drained\nin", func(p Planned) string {
		if p.Pending > 0 {
			return "-"
		}
		return duration(p.DrainSeconds * 1000)
	}, nil}
	latencyP999 = figure[Planned]{"latency p99.9", "latency\np99.9", func(p Planned) string {
		return p.measured(p.LatencyMs.P999)
	}, nil}
	gbSeconds   = figure[Planned]{"GB-seconds", "GB-\nseconds", func(p Planned) string { return number(p.GBSeconds) }, nil}
	vcpuSeconds = figure[Planned]{"vCPU-seconds", "vCPU-\nseconds", func(p Planned) string {
		if p.VCPUSeconds == nil {
			return "-"
		}
		return number(*p.VCPUSeconds)
	}, nil}
	instanceHours = figure[Planned]{"instance-hours", "instance-\nhours", func(p Planned) string { return number(p.InstanceHours) }, nil}
	throttled     = counted("attempts refused with 429", "refused\n(429)", func(p Planned) int64 { return p.Throttled })
	advice        = figure[Planned]{"advice", "", func(p Planned) string { return p.Advice }, func(p Planned) bool { return p.Advice == "" }}
	left          = counted("pending", "pending", func(p Planned) int64 { return p.Pending }) // of a stream that has stopped
)

// PlannedTable is Table for plans. Each run's advice follows below.
func PlannedTable(w io.Writer, planned []Planned, width int) error {
	if len(planned) == 0 {
		return nil
	}
	shown := make([]Planned, len(planned))
	for i, p := range planned {
		shown[i] = p.rounded()
	}
	runs := runsOf(shown)
	var content string
	if len(shown) == 1 {
		content = list(runs[0], width,
			slices.Concat(
				columns(shown, keepsUp, lagEnd, lagMax, drained),
				columns(runs, wallTime),
				columns(shown, advice)),
			slices.Concat(
				columns(runs, delivered, deadLettered, discarded),
				columns(shown, left),
				columns(runs, latencyP50, latencyP95, latencyP99),
				columns(shown, latencyP999),
				columns(runs, latencyMax)),
			slices.Concat(
				columns(runs, calls, retries),
				columns(shown, throttled),
				columns(runs, perCall, perSecond, peakInFlight)),
			slices.Concat(
				columns(shown, peakInstances),
				columns(runs, coldStarts, idleTasks),
				columns(shown, instanceHours, gbSeconds, vcpuSeconds)))
	} else {
		content = rows(runs, width, slices.Concat(
			columns(shown, keepsUp, peakInstances, lagEnd, lagMax, drained),
			columns(runs, latencyP50, latencyP95, latencyP99),
			columns(shown, latencyP999),
			columns(runs, latencyMax),
			columns(shown, gbSeconds, vcpuSeconds, instanceHours),
			columns(runs, calls, perCall, perSecond, coldStarts, idleTasks, retries),
			columns(shown, throttled),
			columns(runs, deadLettered, discarded, delivered),
			columns(shown, left),
		), idleTasks.name, delivered.name)
		names := labels(runs)
		separator := "\n"
		for i, p := range shown {
			if p.Advice != "" {
				content += separator + wrap(names[i]+": "+p.Advice, width) + "\n"
				separator = ""
			}
		}
	}
	_, err := io.WriteString(w, content)
	return err
}
