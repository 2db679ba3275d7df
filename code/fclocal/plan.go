package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/environment"
	"fclocal/internal/escape"
	"fclocal/internal/failure"
	"fclocal/internal/load"
	"fclocal/internal/measure"
	"fclocal/internal/option"
	"fclocal/internal/plan"
	"fclocal/internal/report"
	"fclocal/internal/result"
	"fclocal/internal/trouble"
)

// planOptions are the options of plan.
type planOptions struct {
	runsOptions

	load     load.Options
	function plan.Function
	times    load.Times
	measure  bool
	speed    float64          // of a vCPU
	measured *result.Measured // what it has found; nil without it

	instances instanceOptions
	trouble   trouble.Trouble
	seed      uint64

	logBytes  float64 // of a call
	logsGiven bool
	runs      int // seeds for each combination of settings
	whole     bool
	report    string
	sort      string // "" is the order of --set
	failOn    []string
	search    searchOptions
}

// sorts are the values of --sort: what the first run is then, and how it gets
// there.
var sorts = map[string]struct {
	best string
	sort func([]result.Run)
}{
	"":        {"", func([]result.Run) {}},
	"cost":    {"cheapest", result.SortByCost},
	"latency": {"fastest", result.SortByLatency},
}

func newPlanCommand(global *globalOptions) *cobra.Command {
	options := planOptions{runsOptions: runsOptions{globalOptions: global}}
	command := &cobra.Command{
		Use:   "plan",
		Short: "Foresee the trigger's instances, lag and latencies at any scale, in virtual time",
		Long: `plan runs the Kafka trigger of s.yaml in virtual time, by the same rules as
stream, and goes on until all messages are finished. It says how many instances
Function Compute creates, whether the function keeps up, how late messages are and
what that costs.

The load is --rate, --rate-file or --backlog, or what came to a topic: --from-topic,
--from-file. How long the function takes is given by --call-time and --event-time, or
found out by --measure, which calls it on this machine. The same --seed gives the same
answer.

Exit codes: 0 good; 1 the plan failed; 2 wrong usage or configuration.`,
		Example: `  fclocal plan --rate 20000 --partitions 48 --for 24h --set maximumTasks=12,24,48 --set CountBasedWindow=10,100,1000
  fclocal plan --backlog 50000000 --measure --set instanceConcurrency=1,5,26 --sort latency --report plan.html
  fclocal plan --rate-file rates.txt --skew 1 --partitions 48 --for 72h --plot days.svg
  fclocal plan --from-topic --kafka-config client.properties --from 2026-07-01 --to 2026-07-02 --save-load july.csv.gz
  fclocal plan --rate 500 --error-rate 0.01 --json | jq '.runs[0].keepsUp'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runPlans(cmd.Context(), options, cmd.Flags().Changed, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := options.addTo(command)
	options.load.AddTo(command)
	flags.DurationVar(&options.function.CallTime, "call-time", 10*time.Millisecond, "the function takes `D` for each call; 0 if only --event-time is given")
	flags.DurationVar(&options.function.EventTime, "event-time", time.Millisecond, "and `D` for each event in it; 0 if only --call-time is given")
	options.times.AddTo(command)
	flags.BoolVar(&options.measure, "measure", false, "measure the function on this machine; --call-time and --event-time come on top, 0 if not given")
	vCPUSpeedFlag(flags, &options.speed)
	flags.Float64Var(&options.function.Spread, "spread", 0.2, "times differ by up to `F` of themselves to both sides, 0 to 1")
	flags.DurationVar(&options.function.ColdStart, "cold-start", 200*time.Millisecond, "a new instance takes its first call after `D`")
	flags.DurationVar(&options.function.Initializer, "initializer-time", 0, "and its initializer takes `D` before that, if s.yaml has one")
	flags.DurationVar(&options.function.PreStop, "pre-stop-time", 0, "its preStop takes `D`, if s.yaml has one")
	troubleFlags(flags, &options.trouble, &options.seed)
	options.instances.addTo(flags)
	global.environment.AddTo(command)
	flags.Float64Var(&options.logBytes, "log-bytes", 0, "the function logs `N` bytes in each call; with --measure on top of what it logged")
	flags.IntVar(&options.runs, "runs", 1, "plan with `N` seeds, and show each figure's range")
	flags.BoolVar(&options.whole, "whole", false, "simulate steady loads to their end, not only until their figures stand")
	flags.StringVar(&options.report, "report", "", "write a page with tables and charts to `FILE`.html")
	flags.StringVar(&options.sort, "sort", "", "`cost|latency`: the cheapest or fastest run first, those that keep up before the others")
	failOnFlag(command, &options.failOn)
	options.search.addTo(command)
	command.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions([]string{"cost", "latency"}, cobra.ShellCompDirectiveNoFileComp))
	return command
}

// check finds options that make no sense or do not go together.
func (o *planOptions) check(given func(option string) bool) error {
	f := o.function
	_, sorted := sorts[o.sort]
	return option.Check(
		vCPUSpeed(o.speed), option.Not(given("vcpu-speed") && !o.measure, "--vcpu-speed is for --measure: times that are given are those on FC"),
		option.Not(environment.Given(given) && !o.measure, "--env, --env-file, --access and --credentials are for --measure: nothing else runs the function"),
		option.From("--call-time", f.CallTime, 0), option.From("--event-time", f.EventTime, 0), option.From("--cold-start", f.ColdStart, 0),
		option.From("--initializer-time", f.Initializer, 0), option.From("--pre-stop-time", f.PreStop, 0),
		option.From("--log-bytes", o.logBytes, 0), option.Not(o.runs < 1 || o.runs > 1000, fmt.Sprintf("--runs %d: it must be from 1 to 1000", o.runs)), option.Between("--spread", f.Spread, 0, 1),
		option.Not(!sorted, fmt.Sprintf("--sort %s: it must be cost or latency", o.sort)),
	)
}

// config is the plan of a project.
func (o *planOptions) config(project *config.Project) plan.Config {
	function := o.function
	if o.measured != nil {
		function = measure.On(*o.measured, project, project.Function.CPU).At(o.speed)
		function.CallTime += o.function.CallTime
		function.EventTime += o.function.EventTime
		function.ColdStart, function.Initializer, function.PreStop = o.function.ColdStart, o.function.Initializer, o.function.PreStop
		function.Spread = o.function.Spread
	}
	function.CallLog += o.logBytes
	function.LogKnown = function.LogKnown || o.logsGiven
	c := plan.New(project, o.load.Load, function)
	c.Rules = o.instances.rules(project.Rules())
	c.Rules.Seed, c.Trouble = o.seed, o.trouble
	c.EndEarly = !o.whole
	return c
}

func runPlans(ctx context.Context, options planOptions, given func(option string) bool, stdout, stderr io.Writer) error {
	if err := cmp.Or(options.check(given), options.instances.check(given), options.trouble.Check(), options.search.check(given)); err != nil {
		return err
	}
	conditions, err := result.ParseConditions(options.failOn)
	if err != nil {
		return fmt.Errorf("--fail-on %w", err)
	}
	if options.report != "" {
		if err := report.CheckPage(options.report); err != nil {
			return err
		}
	}
	if err := options.load.Read(given); err != nil {
		return err
	}
	if options.function.Times, err = options.times.Read(given); err != nil {
		return err
	}
	// A default is not added in silence to what is given or measured.
	if !given("call-time") && (given("event-time") || options.measure || options.times.Given()) {
		options.function.CallTime = 0
	}
	if !given("event-time") && (given("call-time") || options.measure || options.times.Given()) {
		options.function.EventTime = 0
	}
	options.logsGiven = given("log-bytes")
	projects, err := options.projects(stderr)
	if err != nil {
		return err
	}
	if projects[0].Function.Initializer != "" && !given("initializer-time") {
		fmt.Fprintln(stderr, "fclocal: the initializer of s.yaml is taken to need no time: --initializer-time says how long it does")
	}
	for _, project := range projects {
		if err := plan.CheckHooks(project, options.function); err != nil {
			return err
		}
		if options.measure && project.Function.CPU == 0 {
			return fmt.Errorf("%s has no cpu: --measure needs it to tell how fast an instance is", project.File)
		}
	}
	if err := options.record(ctx, projects, stderr); err != nil {
		return err
	}
	if options.measure {
		if err := options.measureFunction(ctx, projects, given, stderr); err != nil {
			return err
		}
	}
	if len(options.search.goal) > 0 {
		if len(projects) > 1 {
			return errors.New("--set with several values is not for --goal: --vary NAME=VALUE,VALUE has it search among them")
		}
		return options.findSettings(ctx, projects[0], stdout, stderr)
	}
	runs, err := options.plan(ctx, projects, stderr)
	if err != nil {
		return err
	}
	sorts[options.sort].sort(runs)
	if err := options.show(stdout, runs); err != nil {
		return err
	}
	if options.report != "" {
		page := report.Page{
			Function: projects[0].Function.Name, Trigger: projects[0].Trigger.Name,
			Best: sorts[options.sort].best, Runs: runs,
		}
		if err := page.Write(options.report); err != nil {
			return failure.Of(err)
		}
	}
	return result.FailOn(runs, conditions)
}

// record reads the load of a topic or a file, if it is one.
func (o *planOptions) record(ctx context.Context, projects []*config.Project, stderr io.Writer) error {
	progress := report.NewProgress(stderr)
	return clearLine(progress, o.load.Record(ctx, projects, load.Telling{
		Progress: progress.Reading,
		Note: func(what string) {
			progress.Clear()
			fmt.Fprintln(stderr, "fclocal:", escape.Line(what))
		},
	}))
}

// collectGarbage says how often, until it is undone. Plans make much garbage and keep
// little: with 4 MB in use, collecting it took a third of the time. A recording is large,
// and takes no time, as there are no pointers in it.
func (o *planOptions) collectGarbage() (undo func()) {
	percent := 400
	if o.load.Recording != nil {
		percent = 25
	}
	before := debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(before) }
}

// plan runs all plans, on all cores, and makes one of those that differ in their seed alone.
func (o *planOptions) plan(ctx context.Context, projects []*config.Project, stderr io.Writer) ([]result.Run, error) {
	progress := report.NewPlansProgress(stderr, len(projects)*o.runs)
	defer o.collectGarbage()()
	runs := make([]result.Run, len(projects)*o.runs)
	failures := make([]error, len(runs))
	cores := make(chan struct{}, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for i := range runs {
		running.Go(func() {
			cores <- struct{}{}
			defer func() { <-cores }()
			c := o.config(projects[i/o.runs])
			c.Rules.Seed += uint64(i % o.runs)
			c.Progress = func(done float64) { progress.Update(i, done/2) }
			planned, err := plan.Run(ctx, c)
			runs[i] = c.Run(planned)
			if err == nil && i%o.runs == 0 { // the advice plans again
				c.Progress = func(done float64) { progress.Update(i, 0.5+done/2) }
				runs[i].Advice, err = c.Advise(ctx, planned, o.bill.Charge)
			}
			failures[i] = err
			runs[i].Function.Measured = o.measured
			runs[i].Function.GivenCallMs, runs[i].Function.GivenEventMs = result.Milliseconds(o.function.CallTime), result.Milliseconds(o.function.EventTime)
			if err := runs[i].Check(); failures[i] == nil && err != nil {
				failures[i] = failure.Of(err)
			}
			o.bill.Charge(&runs[i])
			progress.Finish(i)
		})
	}
	running.Wait()
	if err := progress.Clear(); err != nil {
		return nil, failure.Of(err)
	}
	if ctx.Err() != nil {
		return nil, failure.New("stopped before the plan was ready")
	}
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	var merged []result.Run
	for ofSettings := range slices.Chunk(runs, o.runs) {
		merged = append(merged, result.MergeSeeds(ofSettings))
	}
	return merged, nil
}

// measureFunction measures the function and shows the fit.
func (o *planOptions) measureFunction(ctx context.Context, projects []*config.Project, given func(option string) bool, stderr io.Writer) error {
	binary, err := build.Project(ctx, projects[0], false, stderr)
	if err != nil {
		return err
	}
	defer binary.Release()
	progress := report.NewProgress(stderr)
	f, err := measure.Projects(ctx, projects, measure.Options{Binary: binary.Path, Args: binary.Args, MaxEvents: 1000, Progress: measure.Progress(progress.Plan)})
	if err := clearLine(progress, err); err != nil {
		return err
	}
	o.measured = &f
	if !given("message-size") && o.load.Recording == nil {
		o.load.EventBytes = f.EventBytes
	}
	fmt.Fprintln(stderr, "fclocal: measured on this machine:")
	if err := report.MeasuredTable(stderr, f); err != nil {
		return failure.Of(err)
	}
	fmt.Fprintln(stderr, "fclocal: estimates: a vCPU has", o.speed, "times the speed of a core of this machine; each run has the fit of the batches up to its CountBasedWindow")
	return nil
}
