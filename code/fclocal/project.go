package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fclocal/internal/bill"
	"fclocal/internal/config"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/option"
	"fclocal/internal/report"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// path is the s.yaml to use: that of -t as it was given, or else the nearest one.
func (o *globalOptions) path() (string, error) {
	if o.template != "" {
		return o.template, nil
	}
	return config.FindHere()
}

// load reads s.yaml with settings overridden by name, and adds what the environment's
// options say; the errors in it go to stderr.
func (o *globalOptions) load(set map[string]string, stderr io.Writer) (*config.Project, error) {
	path, err := o.path()
	if err != nil {
		return nil, err
	}
	project, problems, err := config.Load(path, config.Options{Set: set, Function: o.function, AnyConcurrency: o.anyConcurrency})
	if err != nil {
		return nil, err
	}
	if project != nil {
		return project, o.environment.Apply(project)
	}
	problems = slices.DeleteFunc(problems, func(p config.Problem) bool { return p.Severity != config.SeverityError })
	if err := config.Render(stderr, problems); err != nil {
		return nil, failure.Of(err)
	}
	return nil, fmt.Errorf("%s: %s", path, config.Summary(problems))
}

// loadTriggers reads s.yaml once for each set of overrides. Each must have a
// trigger: all are checked before the first one runs.
func (o *globalOptions) loadTriggers(overrides []map[string]string, stderr io.Writer) ([]*config.Project, error) {
	projects := make([]*config.Project, len(overrides))
	for i, set := range overrides {
		project, err := o.load(set, stderr)
		if err != nil {
			return nil, err
		}
		if project.Trigger == nil {
			return nil, fmt.Errorf("%s has no eventbridge trigger for Kafka", project.File)
		}
		projects[i] = project
	}
	for _, note := range projects[0].Notes {
		fmt.Fprintln(stderr, "fclocal:", note)
	}
	return projects, nil
}

// runsOptions are the options of the commands that run once for each
// combination of settings and show the results side by side.
type runsOptions struct {
	*globalOptions
	set  []string // --set, NAME=VALUE[,VALUE...]
	plot string
	json bool

	prices, currency string
	bill             *bill.Prices // of which currency
}

func (o *runsOptions) addTo(command *cobra.Command) *pflag.FlagSet {
	flags := command.Flags()
	setFlag(command, &o.set, "`NAME=VALUE[,VALUE...]`")
	flags.StringVar(&o.plot, "plot", "", "draw instances, calls in flight, events per second and lag into `FILE`.svg or .png")
	flags.StringVar(&o.prices, "prices", "", "bill by the prices of `FILE`, in place of those of fclocal help prices")
	flags.StringVar(&o.currency, "currency", "USD", "`USD|CNY`: currency of the bill")
	flags.BoolVar(&o.json, "json", false, "print the results as JSON")
	return flags
}

// setFlag adds --set, whose values are like that.
func setFlag(command *cobra.Command, set *[]string, like string) {
	command.Flags().StringArrayVar(set, "set", nil, "override a setting of s.yaml: "+like+"; may be repeated; see fclocal help settings")
	command.RegisterFlagCompletionFunc("set", func(_ *cobra.Command, _ []string, start string) ([]string, cobra.ShellCompDirective) {
		return config.Complete(start), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	})
}

// oneSet are the overrides of --set, one value each: the command runs once.
func oneSet(set []string, command string) (map[string]string, error) {
	overrides, err := config.Combinations(set)
	if err == nil {
		err = option.Check(option.Not(len(overrides) > 1, command+" runs once: give each setting one value"))
	}
	if err != nil {
		return nil, err
	}
	return overrides[0], nil
}

// instanceOptions are what the account may have, and how long FC keeps it: s.yaml does
// not say.
type instanceOptions struct {
	most, burst, growth int
	idleTimeout         time.Duration
}

func (o *instanceOptions) addTo(flags *pflag.FlagSet) {
	flags.IntVar(&o.most, "max-instances", trigger.DefaultMaxInstances, "instances that exist at most, `N`; beyond it calls get 429")
	flags.IntVar(&o.burst, "instance-burst", 0, "of those, `N` at once (default 300 in the large regions, 100 elsewhere)")
	flags.IntVar(&o.growth, "instance-growth", 0, "and `N` more each minute (default as many)")
	flags.DurationVar(&o.idleTimeout, "idle-timeout", trigger.DefaultIdleTimeout, "an instance goes away after `D` without a call; 0: never")
}

// check finds those that make no sense.
func (o *instanceOptions) check(given func(option string) bool) error {
	return option.Check(
		option.From("--max-instances", o.most, 1), option.From("--idle-timeout", o.idleTimeout, 0),
		option.Not(given("instance-burst") && o.burst < 1, fmt.Sprintf("--instance-burst %d: it must be 1 or more", o.burst)),
		option.Not(given("instance-growth") && o.growth < 1, fmt.Sprintf("--instance-growth %d: it must be 1 or more", o.growth)),
	)
}

// rules are a project's, as the options change them.
func (o *instanceOptions) rules(rules trigger.Config) trigger.Config {
	rules.MaxInstances, rules.IdleTimeout = o.most, o.idleTimeout
	rules.InstanceBurst, rules.InstanceGrowth = cmp.Or(o.burst, rules.InstanceBurst), cmp.Or(o.growth, rules.InstanceGrowth)
	return rules
}

// projects are those of all combinations.
func (o *runsOptions) projects(stderr io.Writer) ([]*config.Project, error) {
	overrides, err := config.Combinations(o.set)
	if err == nil && o.plot != "" {
		err = report.CheckPlot(o.plot)
	}
	if err != nil {
		return nil, err
	}
	if o.bill, err = bill.Read(o.prices, o.currency); err != nil {
		return nil, err
	}
	return o.loadTriggers(overrides, stderr)
}

// show writes the runs, which have their bill, as the options say.
func (o *runsOptions) show(stdout io.Writer, runs []result.Run) error {
	var err error
	if o.json {
		err = report.JSON(stdout, runs)
	} else {
		err = report.Table(stdout, runs, report.Width(stdout))
	}
	if err == nil && o.plot != "" {
		err = report.Plot(o.plot, runs)
	}
	return failure.Of(err)
}

// clearLine removes the line of progress after what has been done, whose error comes
// first.
func clearLine(progress *report.Progress, err error) error {
	return errors.Join(err, failure.Of(progress.Clear()))
}

// noBuildFlag adds --no-build.
func noBuildFlag(flags *pflag.FlagSet, noBuild *bool) {
	flags.BoolVar(noBuild, "no-build", false, "build nothing: run what lies in codeUri")
}

// cpuFlags add how much of this machine instances may use.
func cpuFlags(command *cobra.Command, cpu *instance.CPU) {
	command.Flags().BoolVar(&cpu.Unlimited, "no-cpu-limit", false, "let instances use all of this machine, and not only their cpu")
	vCPUSpeedFlag(command.Flags(), &cpu.Speed)
	command.MarkFlagsMutuallyExclusive("no-cpu-limit", "vcpu-speed")
}

func vCPUSpeedFlag(flags *pflag.FlagSet, speed *float64) {
	flags.Float64Var(speed, "vcpu-speed", 1, "a vCPU has `F` times the speed of a core of this machine, 0.01 to 100")
}

// vCPUSpeed is the rule for it.
func vCPUSpeed(speed float64) option.Rule { return option.Between("--vcpu-speed", speed, 0.01, 100) }

// failOnFlag adds --fail-on.
func failOnFlag(command *cobra.Command, conditions *[]string) {
	command.Flags().StringSliceVar(conditions, "fail-on", nil, "end with 1 if a run has one of `WHAT,...`: "+strings.Join(result.ConditionNames(), ", ")+", or a latency like p99>2s")
	command.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(result.ConditionNames(), cobra.ShellCompDirectiveNoFileComp))
}
