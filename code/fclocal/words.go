package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fclocal/internal/plan"
	"fclocal/internal/report"
)

// loadInWords are the load and the function's times, a sentence each.
func (o *planOptions) loadInWords() []string {
	load, function := o.load, o.function
	var words []string
	if load.Backlog > 0 {
		words = append(words, report.English.Sprintf("%d messages are in the topic at the start.", load.Backlog))
	}
	if load.Rate > 0 {
		words = append(words, fmt.Sprintf("%s messages a second come for %s.", number(load.Rate), report.Duration(load.For)))
	}
	if o.rateFile != "" {
		highest := slices.MaxFunc(load.Rates, func(a, b plan.Rate) int { return cmp.Compare(a.PerSecond, b.PerSecond) })
		words = append(words, fmt.Sprintf("Messages come for %s at the rates of %s, %s a second at most.", report.Duration(load.For), o.rateFile, number(highest.PerSecond)))
	}
	words = append(words,
		report.English.Sprintf("The topic has %d partitions. A message's event takes %d bytes of a call's payload.", load.Partitions, load.EventBytes),
		report.English.Sprintf("A new instance takes its first call after %s.", report.Duration(function.ColdStart)))
	if load.Skew > 0 {
		words = append(words, report.English.Sprintf("The k-th largest partition has a share as 1/k^%v.", load.Skew))
	}
	if m := o.measured; m != nil {
		words = append(words, report.English.Sprintf("Measured over batches of %d to %d events, a call takes %s of CPU time and %s for each event in it; it waits %s, and %s for each event. Each run has the fit of the batches up to its CountBasedWindow.",
			m.Points[0].Events, m.Points[len(m.Points)-1].Events,
			short(m.CallCPU), short(m.EventCPU), short(m.CallWait), short(m.EventWait)))
	}
	if o.measured == nil || function.CallTime > 0 || function.EventTime > 0 {
		words = append(words, report.English.Sprintf("The function takes %s for a call and %s for each event in it.", report.Duration(function.CallTime), report.Duration(function.EventTime)))
	}
	words = append(words, fmt.Sprintf("Times differ by up to %s %% of themselves.", number(100*function.Spread)))
	if function.ErrorRate > 0 {
		words = append(words, fmt.Sprintf("%s %% of the calls return an error.", number(100*function.ErrorRate)))
	}
	return words
}

// assumptions are what the help says that is assumed, with the options' figures.
func (o *planOptions) assumptions() []string {
	idle := "Instances never go away."
	if o.idleTimeout > 0 {
		idle = fmt.Sprintf("An instance goes away after %s without a call.", report.Duration(o.idleTimeout))
	}
	instances := report.English.Sprintf("%d instances may be created at once", min(o.instancesPerMinute, o.maxInstances))
	if o.maxInstances > o.instancesPerMinute {
		instances += report.English.Sprintf(", and %d more each minute up to %d", o.instancesPerMinute, o.maxInstances)
	}
	words := []string{
		idle + " FC bills the time with a call or a cold start.",
		instances + ".",
		"Messages come at even intervals at each rate, and all events pass eventRuleFilterPattern.",
	}
	if o.measured != nil {
		words = append(words, "Estimated: a vCPU is as fast as a core of the machine that measured the function; memory is what it took there. The calls of an instance share its cpu.")
	} else {
		words = append(words, "Calls in one instance do not slow each other down.")
	}
	if len(o.price) > 0 {
		words = append(words, "Prices: "+strings.ReplaceAll(strings.Join(o.price, ","), ",", ", ")+". Retries are billed like other calls and events.")
	}
	return words
}

// number is one without the noise of its binary digits.
func number(f float64) string {
	if f == math.Trunc(f) && f < 1e15 {
		return report.English.Sprintf("%.0f", f)
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}

// short is a time of microseconds with as much of it as matters.
func short(d time.Duration) time.Duration { return d.Round(100 * time.Nanosecond) }
