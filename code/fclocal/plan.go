package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"fclocal/internal/bill"
	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/failure"
	"fclocal/internal/measure"
	"fclocal/internal/plan"
	"fclocal/internal/report"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// planOptions are the options of plan.
type planOptions struct {
	runsOptions

	load     plan.Load
	function plan.Function
	measure  bool
	measured *result.Measured // what it has found; nil without it

	maxInstances       int
	instancesPerMinute int
	idleTimeout        time.Duration
	seed               uint64

	report string   // --report: file name of the page
	price  []string // --price, UNIT=PRICE[,UNIT=PRICE...]
	sort   string   // --sort: "" is the order of --set
}

// Values of --sort.
const (
	sortCost    = "cost"
	sortLatency = "latency"
)

// sortedBest says what the first of the sorted runs is.
var sortedBest = map[string]string{sortCost: "cheapest", sortLatency: "fastest"}

var sorts = map[string]func([]result.Run){"": func([]result.Run) {}, sortCost: result.SortByCost, sortLatency: result.SortByLatency}

func newPlanCommand(global *globalOptions) *cobra.Command {
	options := planOptions{runsOptions: runsOptions{globalOptions: global}}
	command := &cobra.Command{
		Use:   "plan",
		Short: "Foresee the trigger's instances, lag and latencies at any scale, in virtual time",
		Long: `plan runs the Kafka trigger of s.yaml in virtual time, by the same rules as
stream. It answers how many instances Function Compute will create, whether the
function keeps up, how late messages get and what that uses.

The load is a --rate, a --backlog or both. In place of a steady --rate, the lines
of a --rate-file give a day's: a time, as 06:30, 06:30:15 or 6h30m, and the
messages a second from then on, until the next line's; the first time is 00:00.
With --for above 24h the day repeats. With --skew, partitions have more or less
of all this: the share of the k-th largest is as 1/k^S. After the load has
ended, the stream goes on until all messages are finished.

How long the function takes is given by --call-time and --event-time: their
defaults are no more than an example. With --measure the function is built and
called on this machine, with batches of event.json's event: CPU time and memory
for a call and for an event are fitted to what it took, and shown. The CPU time
counts on s.yaml's cpu, which the calls of an instance share, as if a vCPU were a
core of this machine: an estimate. --call-time and --event-time then come on top,
as time that the function waits for others. The memorySize, timeout and
environmentVariables that hold are those of the first run; cold starts are
--cold-start's, as they take longer on FC.

--set overrides a setting of s.yaml by its own name. With several values there is
a run for each combination; they use all cores. The same --seed gives the same
answer. With --price each run has a price, in the currency that you take:
vCPU-seconds, GB-seconds and calls of FC, events delivered by EventBridge. --sort
puts the best run first, --report writes a page to keep or to show.

Every event passes eventRuleFilterPattern.

Assumed, as it is not documented: instances go away after --idle-timeout, of which
FC bills only the time with a call or a cold start; at each rate, messages come at
even intervals. Documented: an account has 100 to 300 instances in a region
(--max-instances), and 300 more a minute at most in the large ones
(--instances-per-minute: so many at once, and more each minute).

Exit codes: 0 good; 1 the plan failed; 2 wrong usage or configuration.`,
		Example: `  fclocal plan --rate 20000 --partitions 48 --for 24h --set maximumTasks=12,24,48 --set CountBasedWindow=10,100,1000
  fclocal plan --backlog 50000000 --measure --set instanceConcurrency=1,5,26
  fclocal plan --backlog 50000000 --call-time 20ms --event-time 2ms --set concurrency=26,300
  fclocal plan --rate 20000 --partitions 48 --set instanceConcurrency=1,5,26 --price vCPU-second=9,GB-second=1 --sort cost --report plan.html
  fclocal plan --rate-file rates.txt --skew 1 --partitions 48 --for 72h --plot days.svg
  fclocal plan --rate 500 --error-rate 0.01 --json | jq '.runs[0].keepsUp'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runPlans(cmd.Context(), options, cmd.Flags().Changed, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := options.addTo(command)
	flags.Float64Var(&options.load.Rate, "rate", 0, "`N` messages a second, over all partitions")
	flags.StringVar(&options.load.RateFile, "rate-file", "", "a time of the day and the messages a second from then on, in each line of `FILE`")
	flags.DurationVar(&options.load.For, "for", time.Hour, "how long messages come, `D`; with --rate-file by default 24h")
	flags.Float64Var(&options.load.Skew, "skew", 0, "partitions are not even: exponent `S` of Zipf's law, 0 to 5")
	flags.Int64Var(&options.load.Backlog, "backlog", 0, "`N` messages are in the topic at the start")
	flags.IntVar(&options.load.Partitions, "partitions", 1, "partitions of the topic, `N`")
	flags.IntVar(&options.load.EventBytes, "message-size", 1000, "`BYTES` of each message's event in a call's payload; with --measure by default those of event.json's")
	flags.DurationVar(&options.function.CallTime, "call-time", 10*time.Millisecond, "the function takes `D` for each call")
	flags.DurationVar(&options.function.EventTime, "event-time", time.Millisecond, "and `D` for each event in it")
	flags.BoolVar(&options.measure, "measure", false, "measure the function on this machine; --call-time and --event-time come on top, 0 if not given")
	flags.Float64Var(&options.function.Spread, "spread", 0.2, "times differ by up to `F` of themselves to both sides, 0 to 1")
	flags.DurationVar(&options.function.ColdStart, "cold-start", 200*time.Millisecond, "a new instance takes its first call after `D`")
	flags.Float64Var(&options.function.ErrorRate, "error-rate", 0, "`F` of the calls return an error, 0 to 1")
	flags.IntVar(&options.maxInstances, "max-instances", trigger.DefaultMaxInstances, "instances that FC creates at most, `N`; beyond it calls get 429")
	flags.IntVar(&options.instancesPerMinute, "instances-per-minute", plan.DefaultInstancesPerMinute, "instances that FC creates at once, `N`, and each minute from then on; 300 in the large regions")
	flags.DurationVar(&options.idleTimeout, "idle-timeout", plan.DefaultIdleTimeout, "an instance goes away after `D` without a call; 0: never")
	flags.Uint64Var(&options.seed, "seed", 0, "`N` from which all chance comes")
	flags.StringVar(&options.report, "report", "", "write a page with tables and charts to `FILE`.html")
	flags.StringArrayVar(&options.price, "price", nil, "price the runs: `UNIT=PRICE,...` of "+strings.Join(bill.Units(), ", "))
	flags.StringVar(&options.sort, "sort", "", "`cost|latency`: the cheapest (without --price by GB-seconds) or fastest run first, those that keep up before the others")
	return command
}

// check finds options that make no sense or do not go together.
func (o *planOptions) check(given func(option string) bool) error {
	comes := o.load.Rate != 0 || o.load.RateFile != ""
	share := func(f float64) bool { return f >= 0 && f <= 1 } // false for NaN
	for _, rule := range []struct {
		broken bool
		say    string
	}{
		{!(o.load.Rate >= 0) || math.IsInf(o.load.Rate, 1), fmt.Sprintf("--rate %v: it must be a number of 0 or more", o.load.Rate)},
		{o.load.Backlog < 0, fmt.Sprintf("--backlog %d: it must be 0 or more", o.load.Backlog)},
		{o.load.Rate != 0 && o.load.RateFile != "", "--rate and --rate-file exclude each other: give one of them"},
		{!comes && o.load.Backlog == 0, "there is nothing to plan for: --rate, --rate-file or --backlog gives the load"},
		{!comes && given("for"), "--for is how long messages come at --rate or --rate-file: give one"},
		{o.load.Rate > 0 && o.load.For > 0 && o.load.Backlog == 0 && o.load.Rate*o.load.For.Seconds() < 0.5, fmt.Sprintf("--rate %v: no message comes in %v", o.load.Rate, o.load.For)},
		{o.load.For <= 0, fmt.Sprintf("--for %v: it must be above 0", o.load.For)},
		{!(o.load.Skew >= 0 && o.load.Skew <= 5), fmt.Sprintf("--skew %v: it must be from 0 to 5", o.load.Skew)},
		{o.load.Partitions < 1, fmt.Sprintf("--partitions %d: it must be 1 or more", o.load.Partitions)},
		{o.load.EventBytes < 1, fmt.Sprintf("--message-size %d: it must be 1 or more", o.load.EventBytes)},
		{o.function.CallTime < 0, fmt.Sprintf("--call-time %v: it must be 0 or more", o.function.CallTime)},
		{o.function.EventTime < 0, fmt.Sprintf("--event-time %v: it must be 0 or more", o.function.EventTime)},
		{o.function.ColdStart < 0, fmt.Sprintf("--cold-start %v: it must be 0 or more", o.function.ColdStart)},
		{!share(o.function.Spread), fmt.Sprintf("--spread %v: it must be from 0 to 1", o.function.Spread)},
		{!share(o.function.ErrorRate), fmt.Sprintf("--error-rate %v: it must be from 0 to 1", o.function.ErrorRate)},
		{o.maxInstances < 1, fmt.Sprintf("--max-instances %d: it must be 1 or more", o.maxInstances)},
		{o.instancesPerMinute < 1, fmt.Sprintf("--instances-per-minute %d: it must be 1 or more", o.instancesPerMinute)},
		{o.idleTimeout < 0, fmt.Sprintf("--idle-timeout %v: it must be 0 or more", o.idleTimeout)},
		{o.sort != "" && sortedBest[o.sort] == "", fmt.Sprintf("--sort %s: it must be %s or %s", o.sort, sortCost, sortLatency)},
	} {
		if rule.broken {
			return errors.New(rule.say)
		}
	}
	return nil
}

// config is the plan of a project.
func (o *planOptions) config(project *config.Project) plan.Config {
	function := o.function
	if o.measured != nil {
		function = measure.On(*o.measured, project, project.Function.CPU)
		function.CallTime += o.function.CallTime
		function.EventTime += o.function.EventTime
		function.ColdStart, function.Spread, function.ErrorRate = o.function.ColdStart, o.function.Spread, o.function.ErrorRate
	}
	c := plan.New(project, o.load, function)
	c.Rules.MaxInstances, c.Rules.IdleTimeout, c.Rules.Seed = o.maxInstances, o.idleTimeout, o.seed
	c.InstancesAtOnce, c.InstancesPerMinute = o.instancesPerMinute, o.instancesPerMinute
	return c
}

func runPlans(ctx context.Context, options planOptions, given func(option string) bool, stdout, stderr io.Writer) error {
	if err := options.check(given); err != nil {
		return err
	}
	prices, err := bill.Parse(strings.Join(options.price, ","))
	if err != nil {
		return fmt.Errorf("--price %w", err)
	}
	if options.report != "" {
		if err := report.CheckPage(options.report); err != nil {
			return err
		}
	}
	if options.load.RateFile != "" {
		if options.load.Rates, err = plan.ReadRates(options.load.RateFile); err != nil {
			return err
		}
		if !given("for") {
			options.load.For = 24 * time.Hour
		}
	}
	projects, err := options.projects(stderr)
	if err != nil {
		return err
	}
	for _, project := range projects {
		switch {
		case project.Function.CPU > 0:
		case prices.NeedCPU():
			return fmt.Errorf("--price vCPU-second: %s has no cpu, which says how many there are: give it one, or --set cpu=N, or leave vCPU-second out", project.File)
		case options.measure:
			return fmt.Errorf("%s has no cpu: --measure needs it to tell how fast an instance is", project.File)
		}
	}
	if options.measure {
		if err := options.measureFunction(ctx, projects, given, stderr); err != nil {
			return err
		}
	}
	runs, err := options.plan(ctx, projects, stderr)
	if err != nil {
		return err
	}
	for i := range runs {
		if err := runs[i].Check(); err != nil {
			return failure.Of(err)
		}
		prices.Charge(&runs[i])
	}
	sorts[options.sort](runs)
	if err := options.show(stdout, runs); err != nil || options.report == "" {
		return err
	}
	page := report.Page{
		Function: projects[0].Function.Name, Trigger: projects[0].Trigger.Name,
		Prices: strings.ReplaceAll(strings.Join(options.price, ","), ",", ", "), Best: sortedBest[options.sort], Runs: runs,
	}
	return failure.Of(page.Write(options.report))
}

// plan runs all plans, on all cores.
func (o *planOptions) plan(ctx context.Context, projects []*config.Project, stderr io.Writer) ([]result.Run, error) {
	progress := report.NewPlansProgress(stderr, len(projects))
	// Plans make much garbage and keep little: with 4 MB in use, collecting it took a third of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	runs := make([]result.Run, len(projects))
	failures := make([]error, len(projects))
	cores := make(chan struct{}, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for i, project := range projects {
		running.Go(func() {
			cores <- struct{}{}
			defer func() { <-cores }()
			c := o.config(project)
			c.Progress = func(done float64) { progress.Update(i, done) }
			var planned plan.Result
			planned, failures[i] = plan.Run(ctx, c)
			runs[i] = c.Run(planned)
			runs[i].Function.Measured = o.measured
			runs[i].Function.GivenCallMs, runs[i].Function.GivenEventMs = result.Milliseconds(o.function.CallTime), result.Milliseconds(o.function.EventTime)
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
	return runs, errors.Join(failures...)
}

// measureFunction measures the function and shows the fit.
func (o *planOptions) measureFunction(ctx context.Context, projects []*config.Project, given func(option string) bool, stderr io.Writer) error {
	if !given("call-time") {
		o.function.CallTime = 0
	}
	if !given("event-time") {
		o.function.EventTime = 0
	}
	binary, err := build.Project(ctx, projects[0], false, stderr)
	if err != nil {
		return err
	}
	defer binary.Release()
	progress := report.NewProgress(stderr)
	f, err := measure.Projects(ctx, projects, measure.Options{Binary: binary.Path, MaxEvents: 1000, Progress: measure.Progress(progress.Plan)})
	if err := clearLine(progress, err); err != nil {
		return err
	}
	o.measured = &f
	if !given("message-size") {
		o.load.EventBytes = f.EventBytes
	}
	fmt.Fprintln(stderr, "fclocal: measured on this machine:")
	if err := report.MeasuredTable(stderr, f); err != nil {
		return failure.Of(err)
	}
	fmt.Fprintln(stderr, "fclocal: estimates: a vCPU counts as a core of this machine; each run has the fit of the batches up to its CountBasedWindow")
	return nil
}
