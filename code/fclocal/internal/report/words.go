package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fclocal/internal/result"
	"fclocal/internal/units"
)

// loadInWords are the load and the function's times of a plan, a sentence each.
func loadInWords(run result.Run) []string {
	load, function := run.Load, run.Function
	var words []string
	say := func(format string, arguments ...any) { words = append(words, units.Sprintf(format, arguments...)) }
	if load.Backlog > 0 {
		say("%d messages are in the topic at the start.", load.Backlog)
	}
	long := units.Milliseconds(load.DurationSeconds * 1000)
	switch {
	case load.Recording != "":
		say("%d messages come for %s, as they once came to %s.", load.Messages, long, load.Recording)
	case load.RateFile != "":
		say("Messages come for %s at the rates of %s, %s a second at most.", long, load.RateFile, units.Number(load.HighestRate))
	case load.RatePerSecond > 0:
		say("%s messages a second come for %s.", units.Number(load.RatePerSecond), long)
	}
	if b := load.Bursts; b != nil {
		say("In a burst of %s in each %s there are %s times as many as on average.", units.Milliseconds(b.ForSeconds*1000), units.Milliseconds(b.EverySeconds*1000), units.Number(b.Rate))
	}
	if load.Group > 1 {
		say("Producers send %d at once to a partition.", load.Group)
	}
	say("The topic has %d partitions. A message's event takes %d bytes of a call's payload%s.", load.Partitions, load.EventBytes, onAverage(cmp.Or(load.SizeFile, load.Recording)))
	say("A new instance takes its first call after %s.", units.Milliseconds(function.ColdStartMs))
	if load.Skew > 0 {
		say("The k-th largest partition has a share as 1/k^%v.", load.Skew)
	}
	if m := function.Measured; m != nil {
		say("Measured over batches of %d to %d events, a call takes %s of CPU time and %s for each event in it; it waits %s, and %s for each event. Each run has the fit of the batches up to its CountBasedWindow.",
			m.Points[0].Events, m.Points[len(m.Points)-1].Events,
			units.Duration(m.CallCPU), units.Duration(m.EventCPU), units.Duration(m.CallWait), units.Duration(m.EventWait))
	}
	if t := function.Times; t != nil {
		say("Each %s takes %s%s.", t.Of, units.Milliseconds(t.MeanMs), onAverage(t.File))
	}
	if function.Measured == nil && function.Times == nil || function.GivenCallMs > 0 || function.GivenEventMs > 0 {
		say("The function takes %s for a call and %s for each event in it.", units.Milliseconds(function.GivenCallMs), units.Milliseconds(function.GivenEventMs))
	}
	say("Times differ by up to %s of themselves.", units.Percent(function.Spread))
	if trouble := troubleInWords(run); trouble != nil {
		say("On purpose: %s.", strings.Join(trouble, "; "))
	}
	return words
}

// troubleInWords is what goes wrong on purpose.
func troubleInWords(run result.Run) (words []string) {
	t := run.Trouble
	if t == nil {
		return nil
	}
	say := func(format string, arguments ...any) { words = append(words, fmt.Sprintf(format, arguments...)) }
	for _, outage := range t.Outages {
		say("outage from %s to %s", units.Milliseconds(outage.FromSeconds*1000), units.Milliseconds(outage.ToSeconds*1000))
	}
	if t.ErrorRate > 0 {
		say("%s of the calls fail", units.Percent(t.ErrorRate))
	}
	if t.SlowMs > 0 {
		say("calls last %s longer", units.Milliseconds(t.SlowMs))
	}
	if t.KillInstancesSeconds > 0 {
		say("an instance lives %s on average", units.Milliseconds(t.KillInstancesSeconds*1000))
	}
	return words
}

// onAverage says what a mean is of, if it comes from a file.
func onAverage(file string) string {
	if file == "" {
		return ""
	}
	return " on average, as in " + file
}

// assumptions are what plans take as given beside what is documented.
func assumptions(run result.Run) []string {
	idle := "Instances never go away."
	if seconds := run.Account.IdleTimeoutSeconds; seconds > 0 {
		idle = fmt.Sprintf("An instance goes away after %s without a call.", units.Milliseconds(seconds*1000))
	}
	most, burst := run.Account.MaxInstances, run.Account.InstanceBurst
	instances := units.Sprintf("%d instances may exist at once", min(burst, most))
	if most > burst {
		instances += units.Sprintf(", and %d more each minute up to %d", run.Account.InstanceGrowth, most)
	}
	arrivals := "Messages come at even intervals at each rate"
	if run.Load.Arrivals == "poisson" || run.Load.Bursts != nil {
		arrivals = "Messages come by chance at each rate, each whatever the others do (Poisson)"
	}
	if b := run.Load.Bursts; b != nil {
		arrivals += fmt.Sprintf("; bursts come at the same time to all partitions, one at any moment of each %s", units.Milliseconds(b.EverySeconds*1000))
	}
	if run.Load.Recording != "" {
		arrivals = "Messages come at the times of " + run.Load.Recording
	}
	words := []string{
		idle + " FC bills the time with a call, a start or a preStop.",
		instances + ".",
		arrivals + ", and all events pass eventRuleFilterPattern.",
	}
	if run.Function.Measured != nil {
		return append(words, "Estimated: a vCPU is as fast as a core of the machine that measured the function; memory is what it took there. The calls of an instance share its cpu.")
	}
	return append(words, "Calls in one instance do not slow each other down.")
}

// simulatedNote says which loads were not simulated to their end; "" if all were.
func simulatedNote(runs []result.Run) string {
	short := slices.DeleteFunc(slices.Clone(runs), func(r result.Run) bool { return simulated(r) == "" })
	if len(short) == 0 {
		return ""
	}
	slices.SortStableFunc(short, func(a, b result.Run) int { return cmp.Compare(a.SimulatedSeconds, b.SimulatedSeconds) })
	some := simulated(short[0])
	if most := simulated(short[len(short)-1]); most != some {
		some += " to " + most
	}
	which := ""
	if len(short) < len(runs) {
		which = fmt.Sprintf(" of %d of %d runs", len(short), len(runs))
	}
	return fmt.Sprintf("Simulated: the first %s%s, until the figures stood; the rest of the load is taken to be like that.", some, which)
}
