package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/instance"
	"fclocal/internal/measure"
	"fclocal/internal/plan"
	"fclocal/internal/report"
)

// measureFunction measures the function for projects that differ in their
// settings, with the memorySize, timeout and environmentVariables of the first one,
// up to the options' MaxEvents and the largest of the projects' batches.
func measureFunction(ctx context.Context, projects []*config.Project, binary build.Binary, options measure.Options, progress *report.Progress) (measure.Function, error) {
	project := projects[0]
	event, err := readEvent("", project, nil)
	if err != nil {
		return measure.Function{}, err
	}
	var compact bytes.Buffer // like the events of a stream
	if err := json.Compact(&compact, event); err == nil {
		event = compact.Bytes()
	}
	// A file, as in a stream, costs the function less than a pipe.
	logs, err := os.CreateTemp("", "fclocal-logs-")
	if err != nil {
		return measure.Function{}, failure{err}
	}
	os.Remove(logs.Name())       // nothing is left of it, whatever happens
	defer os.Remove(logs.Name()) // where that cannot be done to an open file
	defer logs.Close()
	options.Project, options.Binary, options.CodeDir = project, binary.Path, codeDirectory(project, binary)
	options.Event, options.Logs = event, logs
	options.Progress = func(_, step, steps int) {
		progress.Update(report.PlanState{Label: "measuring the function", Done: float64(step-1) / float64(steps)})
	}
	for _, p := range projects {
		options.MaxEvents = max(options.MaxEvents, p.Trigger.BatchWindow.CountBasedWindow)
		options.InFlight = max(options.InFlight, p.Function.InstanceConcurrency)
	}
	f, err := measure.Run(ctx, options)
	if clearErr := progress.Clear(); err == nil && clearErr != nil {
		err = failure{clearErr}
	}
	var failed *instance.FunctionError
	switch {
	case errors.Is(err, context.Canceled):
		err = failure{errors.New("stopped while the function was measured")}
	case errors.As(err, &failed):
		err = failure{err}
	}
	return f, err
}

// measured is the function on instances of so many cores. The Go runtime uses no
// more than GOMAXPROCS of them.
func measured(f measure.Function, project *config.Project, cores float64) plan.Function {
	threads, err := strconv.Atoi(project.Function.EnvironmentVariables["GOMAXPROCS"])
	limits := err == nil && threads > 0 && float64(threads) < cores
	if limits {
		cores = float64(threads)
	}
	f = f.UpTo(project.Trigger.BatchWindow.CountBasedWindow)
	return plan.Function{
		CallCPU: f.CallCPU, EventCPU: f.EventCPU, CallTime: f.CallWait, EventTime: f.EventWait, CPU: cores, Threads: limits,
		BaseMemory: f.BaseMemory, EventMemory: f.EventMemory, FurtherEventMemory: f.FurtherEventMemory,
		MemorySize: int64(project.Function.MemorySize) << 20,
		ColdStart:  f.ColdStart,
	}
}
