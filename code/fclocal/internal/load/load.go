// Package load is the load of a plan as options say it: by figures, by files, or as it has
// come to a topic.
package load

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fclocal/internal/option"
	"fclocal/internal/plan"
)

// Options are the options of a load. The zero value is no good: AddTo makes the defaults.
type Options struct {
	plan.Load
	sizes    string // file of the events' sizes
	recorded recorded
}

// AddTo adds the options to a command.
func (o *Options) AddTo(command *cobra.Command) {
	flags := command.Flags()
	flags.Float64Var(&o.Rate, "rate", 0, "`N` messages a second, over all partitions")
	flags.StringVar(&o.RateFile, "rate-file", "", "a time of the day and the messages a second from then on, in each line of `FILE`")
	o.For = time.Hour
	flags.Var(option.Days{Duration: &o.For}, "for", "how long messages come, `D` such as 90m or 30d; with --rate-file by default 24h")
	flags.StringVar((*string)(&o.Arrivals), "arrivals", string(plan.Poisson), "messages come `"+strings.Join(plan.ArrivalsNames, "|")+"`: by chance, at even intervals, or by chance with bursts")
	flags.Float64Var(&o.Burst.Rate, "burst-rate", 5, "in bursts `F` times the mean rate comes, less between them")
	flags.DurationVar(&o.Burst.For, "burst-for", 10*time.Second, "a burst lasts `D`")
	flags.DurationVar(&o.Burst.Every, "burst-every", 5*time.Minute, "there is one in each `D`, at any moment of it")
	flags.IntVar(&o.Group, "group", 1, "producers send `N` messages at once, to one partition")
	flags.Float64Var(&o.Skew, "skew", 0, "partitions are not even: exponent `S` of Zipf's law, 0 to 5")
	flags.Int64Var(&o.Backlog, "backlog", 0, "`N` messages are in the topic at the start")
	flags.IntVar(&o.Partitions, "partitions", 1, "partitions of the topic, `N`")
	flags.IntVar(&o.EventBytes, "message-size", 1000, "`BYTES` of each message's event in a call's payload; with --measure by default those of event.json's")
	flags.StringVar(&o.sizes, "message-sizes", "", "or any of the bytes in `FILE`, a number a line, each as often as the others")
	o.recorded.addTo(command)
	command.RegisterFlagCompletionFunc("arrivals", cobra.FixedCompletions(plan.ArrivalsNames, cobra.ShellCompDirectiveNoFileComp))
}

// Read finds options that make no sense or do not go together, and reads the files that
// they name, but for what Record reads.
func (o *Options) Read(given func(option string) bool) (err error) {
	if err := o.recorded.check(given); err != nil || o.recorded.given() {
		return err
	}
	if err := o.check(given); err != nil {
		return err
	}
	if o.RateFile != "" {
		if o.Rates, err = plan.ReadRates(o.RateFile); err != nil {
			return err
		}
		if !given("for") {
			o.For = 24 * time.Hour
		}
	}
	if o.sizes != "" {
		if o.Sizes, err = plan.ReadSizes(o.sizes); err != nil {
			return err
		}
	}
	if o.Arrivals == plan.Bursts {
		return o.CheckBursts()
	}
	return nil
}

func (o *Options) check(given func(option string) bool) error {
	comes := o.Rate != 0 || o.RateFile != ""
	bursts := slices.ContainsFunc([]string{"burst-rate", "burst-for", "burst-every"}, given)
	return option.Check(
		option.From("--rate", o.Rate, 0), option.From("--backlog", o.Backlog, 0), option.Between("--skew", o.Skew, 0, 5),
		option.Not(!slices.Contains(plan.ArrivalsNames, string(o.Arrivals)), fmt.Sprintf("--arrivals %s: it must be poisson, even or bursts", o.Arrivals)),
		option.Not(bursts && o.Arrivals != plan.Bursts, "--burst-rate, --burst-for and --burst-every are for --arrivals bursts"),
		option.Not(o.Group < 1 || o.Group > 1e6, fmt.Sprintf("--group %d: it must be from 1 to 1000000", o.Group)),
		option.From("--partitions", o.Partitions, 1), option.From("--message-size", o.EventBytes, 1),
		option.Not(o.sizes != "" && given("message-size"), "--message-size and --message-sizes exclude each other: give one of them"),
		option.Not(o.For <= 0, fmt.Sprintf("--for %v: it must be above 0", o.For)),
		option.Not(o.Rate != 0 && o.RateFile != "", "--rate and --rate-file exclude each other: give one of them"),
		option.Not(!comes && o.Backlog == 0, "there is nothing to plan for: --rate, --rate-file, --backlog, --from-topic or --from-file gives the load"),
		option.Not(!comes && given("for"), "--for is how long messages come at --rate or --rate-file: give one"),
		option.Not(!comes && (given("arrivals") || given("group")), "--arrivals and --group are for messages that come at --rate or --rate-file: give one"),
		option.Not(o.Rate > 0 && o.For > 0 && o.Backlog == 0 && o.Rate*o.For.Seconds() < 0.5, fmt.Sprintf("--rate %v: no message comes in %v", o.Rate, o.For)),
	)
}
