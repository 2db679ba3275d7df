package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/instance"
	"fclocal/internal/measure"
	"fclocal/internal/plan"
	"fclocal/internal/report"
	"fclocal/internal/stream"
	"fclocal/internal/trigger"
)

// A calibration is a configuration that stream and plan both run.
type calibration struct {
	countBasedWindow, timeBasedWindow, concurrency, instanceConcurrency int

	messages  int
	rate      float64       // messages a second; 0: all are there at the start
	eventTime time.Duration // see stream
}

// calibrations are loads that fill all slots, by waiting and by CPU time, and
// loads that do not, for which the windows decide.
var calibrations = []calibration{
	// CountBasedWindow, TimeBasedWindow, concurrency, instanceConcurrency, messages, rate, event time
	{1, 15, 26, 26, 130, 0, 500 * time.Millisecond}, // the post's experiments
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

// streamCalibrations tell what stream itself takes for a call from what it takes
// for an event.
var streamCalibrations = []calibration{
	{10, 15, 26, 26, 30_000, 0, 0},
	{200, 15, 26, 26, 200_000, 0, 0},
}

func (c calibration) set() map[string]string {
	return map[string]string{
		"CountBasedWindow":    strconv.Itoa(c.countBasedWindow),
		"TimeBasedWindow":     strconv.Itoa(c.timeBasedWindow),
		"concurrency":         strconv.Itoa(c.concurrency),
		"instanceConcurrency": strconv.Itoa(c.instanceConcurrency),
	}
}

func newCalibrateCommand(global *globalOptions) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "calibrate",
		Short: "Compare plan with stream on this machine",
		Long: `calibrate measures the function as plan --measure does, and what stream itself
takes of this machine. Then it runs stream in several configurations, plans the
same ones for this machine, and shows both. That takes about two minutes, in which
nothing else should run here. It needs Linux.

They agree if the instances are the same where all of concurrency is in use, and
events per second and the median latency differ by 15 % at most.

Exit codes: 0 they agree; 1 they do not; 2 wrong usage or configuration.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return calibrate(cmd.Context(), global, asJSON, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print the results as JSON")
	return command
}

func calibrate(ctx context.Context, global *globalOptions, asJSON bool, stdout, stderr io.Writer) error {
	c := calibrator{progress: report.NewProgress(stderr), stderr: stderr}
	var overrides []map[string]string
	for _, one := range slices.Concat(calibrations, streamCalibrations) {
		overrides = append(overrides, one.set())
	}
	projects, err := (&runsOptions{globalOptions: global}).projects(overrides, stderr)
	if err != nil {
		return err
	}
	if c.binary, err = functionBinary(ctx, projects[0], false, stderr); err != nil {
		return err
	}
	defer c.binary.Release()
	results, err := c.run(ctx, projects)
	if clearErr := c.progress.Clear(); err == nil && clearErr != nil {
		err = failure{clearErr}
	}
	switch {
	case ctx.Err() != nil:
		return failure{errors.New("stopped before all was compared")}
	case err != nil:
		return err
	}
	show := report.CalibrationsTable
	if asJSON {
		show = report.CalibrationsJSON
	}
	if err := show(stdout, results); err != nil {
		return failure{err}
	}
	if slices.ContainsFunc(results, func(r report.Calibration) bool { return !r.Agree() }) {
		return failure{errors.New("plan and stream do not agree everywhere; other programs that run on this machine make them differ")}
	}
	return nil
}

type calibrator struct {
	binary   build.Binary
	progress *report.Progress
	stderr   io.Writer

	host plan.Host
}

func (c *calibrator) run(ctx context.Context, projects []*config.Project) (results []report.Calibration, err error) {
	// A function that fails says so here, and not after the retries of a stream.
	if _, err := measureFunction(ctx, projects[:1], c.binary, measure.Options{}, c.progress); err != nil {
		return nil, err
	}
	if c.host, err = c.measureStream(ctx, projects[len(calibrations):]); err != nil {
		return nil, err
	}
	for i, one := range calibrations {
		result, err := c.compare(ctx, projects[i], one, fmt.Sprintf("%d of %d", i+1, len(calibrations)))
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

// stream runs a calibration for real.
func (c *calibrator) stream(ctx context.Context, project *config.Project, one calibration, label string) (stream.Result, error) {
	options := streamOptions{
		number: one.messages, rate: one.rate, partitions: 1,
		retryScale: 1, maxInstances: trigger.DefaultMaxInstances, eventTime: one.eventTime,
	}
	if one.rate == 0 {
		options.backlog = one.messages
	}
	logs, err := os.MkdirTemp("", "fclocal-logs-")
	if err != nil {
		return stream.Result{}, failure{err}
	}
	defer os.RemoveAll(logs)
	run := oneStream{
		options: &options, project: project, binary: c.binary, logs: logs, label: label,
		progress: c.progress, stderr: c.stderr,
	}
	result, err := run.run(ctx)
	if err == nil && result.Delivered != int64(one.messages) {
		err = failure{fmt.Errorf("stream delivered %d of %d messages with CountBasedWindow %d, concurrency %d and instanceConcurrency %d, so there is nothing to compare; `fclocal stream` with these settings tells more",
			result.Delivered, one.messages, one.countBasedWindow, one.concurrency, one.instanceConcurrency)}
	}
	return result, err
}

// measureStream measures the CPU time that stream itself takes, by the
// streamCalibrations.
func (c *calibrator) measureStream(ctx context.Context, projects []*config.Project) (plan.Host, error) {
	host := plan.Host{Cores: float64(runtime.NumCPU())}
	took := [2]float64{math.Inf(1), math.Inf(1)} // nanoseconds for each call
	for range cpuRounds {
		for i, one := range streamCalibrations {
			before, ok := instance.OwnCPUTime()
			if !ok {
				return host, errors.New("calibrate needs Linux: other systems do not tell the CPU time of a process")
			}
			ran, err := c.stream(ctx, projects[i], one, "stream itself")
			if err != nil {
				return host, err
			}
			after, _ := instance.OwnCPUTime()
			took[i] = min(took[i], float64(after-before)/float64(ran.Calls))
		}
	}
	small, large := streamCalibrations[0].countBasedWindow, streamCalibrations[1].countBasedWindow
	event := max((took[1]-took[0])/float64(large-small), 0)
	host.EventCPU = time.Duration(event)
	host.CallCPU = time.Duration(max(took[0]-event*float64(small), 0))
	return host, nil
}

// cpuRounds is how often a load is measured and run that CPU time limits. The
// least of what the function took counts, and the fastest run: what else goes on
// in the machine comes and goes, and only ever slows both.
const cpuRounds = 3

// measureAndRun runs a calibration and measures the function for it, in as many instances as
// it will have.
func (c *calibrator) measureAndRun(ctx context.Context, project *config.Project, one calibration, label string) (ran stream.Result, f measure.Function, err error) {
	rounds := 1
	if one.rate == 0 && one.eventTime == 0 {
		rounds = cpuRounds
	}
	for round := range rounds {
		measured, err := measureFunction(ctx, []*config.Project{project}, c.binary, measure.Options{Instances: project.InstancesBound()}, c.progress)
		if err != nil {
			return ran, f, err
		}
		again, err := c.stream(ctx, project, one, label)
		if err != nil {
			return ran, f, err
		}
		if round == 0 {
			ran, f = again, measured
			continue
		}
		f = f.Least(measured)
		if again.Wall < ran.Wall {
			ran = again
		}
	}
	return ran, f, nil
}

// plan plans a calibration for this machine.
func (c *calibrator) plan(ctx context.Context, project *config.Project, one calibration, f measure.Function) (plan.Result, error) {
	load := plan.Load{Partitions: 1, EventBytes: f.EventBytes}
	if one.rate > 0 {
		load.Rate, load.For = one.rate, time.Duration(float64(one.messages)/one.rate*float64(time.Second))
	} else {
		load.Backlog = int64(one.messages)
	}
	function := measured(f, project, c.host.Cores)
	function.EventTime += one.eventTime
	return plan.Run(ctx, plan.Config{
		Rules: trigger.NewConfig(project.Function, *project.Trigger),
		Load:  load, Function: function, Host: &c.host, Drain: true,
	})
}

// compare runs and plans a calibration.
func (c *calibrator) compare(ctx context.Context, project *config.Project, one calibration, label string) (report.Calibration, error) {
	ran, f, err := c.measureAndRun(ctx, project, one, label)
	if err != nil {
		return report.Calibration{}, err
	}
	planned, err := c.plan(ctx, project, one, f)
	if err != nil {
		return report.Calibration{}, err
	}
	figures := func(s trigger.Stats, wall time.Duration, latencies report.Latencies, memory int64) report.Figures {
		return report.Figures{
			Instances:       int(s.InstancesCreated),
			EventsPerSecond: float64(s.Delivered) / wall.Seconds(),
			P50Ms:           latencies.Milliseconds().P50,
			PeakMemoryMB:    float64(memory) / (1 << 20),
		}
	}
	return report.Calibration{
		CountBasedWindow: one.countBasedWindow, TimeBasedWindow: one.timeBasedWindow,
		Concurrency: one.concurrency, InstanceConcurrency: one.instanceConcurrency,
		Messages: one.messages, Rate: one.rate, EventTimeMs: one.eventTime.Seconds() * 1000,
		Saturated: planned.PeakInFlight == one.concurrency,
		Plan:      figures(planned.Stats, planned.Wall, planned.Latencies, planned.PeakMemory),
		Stream:    figures(ran.Stats, ran.Wall, ran.Latencies, ran.PeakMemory),
	}, nil
}
