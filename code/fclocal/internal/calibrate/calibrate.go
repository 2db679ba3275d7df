// Package calibrate compares plan with stream on this machine: it runs the
// trigger in several configurations, plans the same ones from what the function
// and the stream itself were measured to take here, and holds both side by side.
package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/measure"
	"fclocal/internal/plan"
	"fclocal/internal/result"
	"fclocal/internal/stream"
)

// A configuration is one that stream and plan both run.
type configuration struct {
	countBasedWindow, timeBasedWindow, concurrency, instanceConcurrency int

	messages  int           // where instances have a core or more together
	rate      float64       // messages a second; 0: all are there at the start
	eventTime time.Duration // see stream.Options
}

// compared are loads that fill all slots, by waiting and by CPU time, and loads
// that do not, for which the windows decide.
var compared = []configuration{
	// CountBasedWindow, TimeBasedWindow, concurrency, instanceConcurrency, messages, rate, event time
	{1, 15, 26, 26, 130, 0, 500 * time.Millisecond},
	{1, 15, 26, 5, 130, 0, 500 * time.Millisecond},
	{1, 15, 26, 1, 130, 0, 500 * time.Millisecond},
	{50, 15, 13, 4, 5000, 0, 5 * time.Millisecond},
	{10, 15, 26, 26, 80_000, 0, 0},
	{100, 15, 26, 26, 200_000, 0, 0},
	{1000, 15, 4, 2, 200_000, 0, 0},
	{10, 15, 26, 1, 80_000, 0, 0},
	{10, 3, 26, 26, 500, 100, 0},
	{1000, 1, 26, 26, 10_000, 2000, 0},
	{10, 0, 2, 26, 250, 50, 50 * time.Millisecond},
}

// ofStream tell what stream itself takes for a call from what it takes for an
// event.
var ofStream = []configuration{
	{10, 15, 26, 26, 30_000, 0, 0},
	{200, 15, 26, 26, 200_000, 0, 0},
}

// byCPU says whether CPU time limits the load.
func (c configuration) byCPU() bool { return c.rate == 0 && c.eventTime == 0 }

// instances is how many there are when all slots are filled.
func (c configuration) instances() int {
	return (c.concurrency + c.instanceConcurrency - 1) / c.instanceConcurrency
}

// on is the configuration with messages for twice as long as it would take on one
// core, where its instances have so many each; 0: all of the machine. With fewer, the
// start of the process would count for much.
func (c configuration) on(cores float64) configuration {
	if share := 2 * cores * float64(c.instances()); c.byCPU() && cores > 0 && share < 1 {
		batches := int(float64(c.messages) * share / float64(c.countBasedWindow))
		c.messages = max(batches, c.concurrency) * c.countBasedWindow
	}
	return c
}

// set are the settings of the configuration, by name.
func (c configuration) set() map[string]string {
	return map[string]string{
		"CountBasedWindow":    strconv.Itoa(c.countBasedWindow),
		"TimeBasedWindow":     strconv.Itoa(c.timeBasedWindow),
		"concurrency":         strconv.Itoa(c.concurrency),
		"instanceConcurrency": strconv.Itoa(c.instanceConcurrency),
	}
}

// Overrides are the settings of all configurations, for the projects that Run
// takes.
func Overrides() (all []map[string]string) {
	for _, c := range slices.Concat(compared, ofStream) {
		all = append(all, c.set())
	}
	return all
}

// Options are the options of [Run].
type Options struct {
	Projects []*config.Project // with the Overrides, in their order
	Binary   string            // the function's program
	Args     []string          // its arguments
	CPU      instance.CPU      // what instances have of this machine

	// Stream and Plan, if not nil, are told how far it is.
	Stream func(result.State)
	Plan   func(result.PlanState)
}

// Run compares all configurations: some three minutes, in which nothing else should
// run. It needs Linux. A function that fails, and a stream that does not deliver
// all, is a failure.
func Run(ctx context.Context, options Options) ([]result.Calibration, error) {
	c := calibrator{Options: options}
	results, err := c.run(ctx)
	if ctx.Err() != nil {
		return nil, failure.New("stopped before all was compared")
	}
	return results, err
}

type calibrator struct {
	Options
	host plan.Host
}

func (c *calibrator) run(ctx context.Context) (results []result.Calibration, err error) {
	// A function that fails says so here, and not after the retries of a stream.
	if _, err := c.measure(ctx, c.Projects[0], 0); err != nil {
		return nil, err
	}
	if c.host, err = c.measureStream(ctx, c.Projects[len(compared):]); err != nil {
		return nil, err
	}
	for i, one := range compared {
		one = one.on(c.CPU.Cores(c.Projects[i]))
		calibration, err := c.compare(ctx, c.Projects[i], one, fmt.Sprintf("%d of %d", i+1, len(compared)))
		if err != nil {
			return nil, err
		}
		results = append(results, calibration)
	}
	return results, nil
}

// measure measures the function in as many instances; 0 is 1.
func (c *calibrator) measure(ctx context.Context, project *config.Project, instances int) (result.Measured, error) {
	options := measure.Options{Typical: c.CPU.Cores(project) > 0, Binary: c.Binary, Args: c.Args, Instances: instances}
	if c.Plan != nil {
		options.Progress = measure.Progress(c.Plan)
	}
	return measure.Projects(ctx, []*config.Project{project}, options)
}

// stream runs a configuration for real.
func (c *calibrator) stream(ctx context.Context, project *config.Project, cpu instance.CPU, one configuration, label string) (result.Run, error) {
	logs, err := os.MkdirTemp("", "fclocal-logs-")
	if err != nil {
		return result.Run{}, failure.Of(err)
	}
	defer os.RemoveAll(logs)
	options := stream.Options{
		Project: project, Rules: project.Rules(), Binary: c.Binary, Args: c.Args, Logs: logs, CPU: cpu, EventTime: one.eventTime,
	}
	if c.Stream != nil {
		options.Progress = func(state result.State) {
			state.Label = label
			c.Stream(state)
		}
	}
	ran, err := stream.RunEmbedded(ctx, options, stream.Embedded{
		Number: one.messages, Rate: one.rate, Backlog: one.rate == 0, Partitions: 1,
	})
	if err == nil && ran.Delivered != int64(one.messages) {
		err = failure.New(fmt.Sprintf("stream delivered %d of %d messages with CountBasedWindow %d, concurrency %d and instanceConcurrency %d, so there is nothing to compare; `fclocal stream` with these settings tells more",
			ran.Delivered, one.messages, one.countBasedWindow, one.concurrency, one.instanceConcurrency))
	}
	return ran, err
}

// measureStream measures the CPU time that stream itself takes.
func (c *calibrator) measureStream(ctx context.Context, projects []*config.Project) (plan.Host, error) {
	host := plan.Host{Cores: float64(runtime.NumCPU())}
	took := [2]float64{math.Inf(1), math.Inf(1)} // nanoseconds for each call
	for range cpuRounds {
		for i, one := range ofStream {
			before, ok := instance.OwnCPUTime()
			if !ok {
				return host, errors.New("calibrate needs Linux: other systems do not tell the CPU time of a process")
			}
			ran, err := c.stream(ctx, projects[i], instance.CPU{Unlimited: true, Speed: 1}, one, "stream itself")
			if err != nil {
				return host, err
			}
			after, _ := instance.OwnCPUTime()
			took[i] = min(took[i], float64(after-before)/float64(ran.Calls))
		}
	}
	small, large := ofStream[0].countBasedWindow, ofStream[1].countBasedWindow
	event := max((took[1]-took[0])/float64(large-small), 0)
	host.EventCPU = time.Duration(event)
	host.CallCPU = time.Duration(max(took[0]-event*float64(small), 0))
	return host, nil
}

// cpuRounds is how often a load is measured and run that CPU time limits. The
// least of what the function took counts, and the fastest run: what else goes on
// in the machine comes and goes, and only ever slows both. A limited run lasts so long
// that it meets what goes on: what the function took just before it counts.
const cpuRounds = 3

// measureAndRun runs a configuration and measures the function for it, in as many
// instances as it will have.
func (c *calibrator) measureAndRun(ctx context.Context, project *config.Project, one configuration, label string) (ran result.Run, f result.Measured, err error) {
	rounds := 1
	if one.byCPU() {
		rounds = cpuRounds
	}
	for round := range rounds {
		measured, err := c.measure(ctx, project, one.instances())
		if err != nil {
			return ran, f, err
		}
		again, err := c.stream(ctx, project, c.CPU, one, label)
		if err != nil {
			return ran, f, err
		}
		if round == 0 {
			ran, f = again, measured
			continue
		}
		if c.CPU.Cores(project) == 0 {
			f = measure.Least(f, measured)
		}
		if again.WallSeconds < ran.WallSeconds {
			ran = again
			if c.CPU.Cores(project) > 0 {
				f = measured
			}
		}
	}
	return ran, f, nil
}

// plan plans a configuration for this machine.
func (c *calibrator) plan(ctx context.Context, project *config.Project, one configuration, f result.Measured) (result.Run, error) {
	load := plan.Load{Partitions: 1, EventBytes: f.EventBytes}
	if one.rate > 0 {
		load.Rate, load.For = one.rate, time.Duration(float64(one.messages)/one.rate*float64(time.Second))
	} else {
		load.Backlog = int64(one.messages)
	}
	cores := c.CPU.Cores(project)
	if cores == 0 {
		cores = c.host.Cores
	}
	function := measure.On(f, project, cores)
	function.EventTime += one.eventTime
	config := plan.New(project, load, function)
	config.Host = &c.host
	planned, err := plan.Run(ctx, config)
	return config.Run(planned), err
}

// compare runs and plans a configuration.
func (c *calibrator) compare(ctx context.Context, project *config.Project, one configuration, label string) (result.Calibration, error) {
	ran, f, err := c.measureAndRun(ctx, project, one, label)
	if err != nil {
		return result.Calibration{}, err
	}
	planned, err := c.plan(ctx, project, one, f)
	if err != nil {
		return result.Calibration{}, err
	}
	return result.Calibration{
		CountBasedWindow: one.countBasedWindow, TimeBasedWindow: one.timeBasedWindow,
		Concurrency: one.concurrency, InstanceConcurrency: one.instanceConcurrency,
		Messages: one.messages, Rate: one.rate, EventTimeMs: result.Milliseconds(one.eventTime),
		Saturated: planned.PeakInFlight == one.concurrency,
		Plan:      planned.Figures(),
		Stream:    ran.Figures(),
	}, nil
}
