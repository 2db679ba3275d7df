package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"

	"fclocal/internal/config"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/plan"
	"fclocal/internal/result"
)

// Projects measures the function for projects that differ in their settings, with
// event.json and with the memorySize, timeout and environmentVariables of the
// first one, up to the options' MaxEvents and the largest of the projects'
// batches. Of the options, Project, CodeDir, Event and Logs are set here.
func Projects(ctx context.Context, projects []*config.Project, options Options) (result.Measured, error) {
	project := projects[0]
	event, err := project.Event()
	if err != nil {
		return result.Measured{}, err
	}
	var compact bytes.Buffer // like the events of a stream
	if err := json.Compact(&compact, event); err == nil {
		event = compact.Bytes()
	}
	// A file, as in a stream, costs the function less than a pipe.
	logs, err := os.CreateTemp("", "fclocal-logs-")
	if err != nil {
		return result.Measured{}, failure.Of(err)
	}
	os.Remove(logs.Name())       // nothing is left of it, whatever happens
	defer os.Remove(logs.Name()) // where that cannot be done to an open file
	defer logs.Close()
	options.Project, options.CodeDir = project, project.CodeDirectory(options.Binary)
	options.Event, options.Logs = event, logs
	for _, p := range projects {
		options.MaxEvents = max(options.MaxEvents, p.Trigger.BatchWindow.CountBasedWindow)
		options.InFlight = max(options.InFlight, p.Function.InstanceConcurrency)
	}
	measured, err := Run(ctx, options)
	var failed *instance.FunctionError
	switch {
	case errors.Is(err, context.Canceled):
		err = failure.New("stopped while the function was measured")
	case errors.As(err, &failed):
		err = failure.Of(err)
	}
	return measured, err
}

// On is the function on instances of the project that have so many cores. The Go
// runtime uses no more than GOMAXPROCS of them.
func On(measured result.Measured, project *config.Project, cores float64) plan.Function {
	threads, err := strconv.Atoi(project.Function.EnvironmentVariables["GOMAXPROCS"])
	limits := err == nil && threads > 0 && float64(threads) < cores
	if limits {
		cores = float64(threads)
	}
	f := UpTo(measured, project.Trigger.BatchWindow.CountBasedWindow)
	return plan.Function{
		CallCPU: f.CallCPU, EventCPU: f.EventCPU, CallTime: f.CallWait, EventTime: f.EventWait, CPU: cores, Threads: limits,
		BaseMemory: f.BaseMemory, EventMemory: f.EventMemory, FurtherEventMemory: f.FurtherEventMemory,
		CallLog: f.CallLog, EventLog: f.EventLog, LogKnown: true,
		MemorySize: int64(project.Function.MemorySize) << 20,
		ColdStart:  f.ColdStart,
	}
}

// Progress makes an Options.Progress of what shows the progress of plans.
func Progress(show func(result.PlanState)) func(events, step, steps int) {
	return func(_, step, steps int) {
		show(result.PlanState{Label: "measuring the function", Done: float64(step-1) / float64(steps)})
	}
}
