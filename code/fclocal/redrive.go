package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
	"fclocal/internal/clientconfig"
	"fclocal/internal/config"
	"fclocal/internal/deadletter"
	"fclocal/internal/escape"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/interrupt"
	"fclocal/internal/option"
	"fclocal/internal/redrive"
	"fclocal/internal/report"
	"fclocal/internal/stream"
)

// redriveOptions are the options of redrive.
type redriveOptions struct {
	*globalOptions
	set     []string
	noBuild bool
	cpu     instance.CPU
	logs    string
	json    bool

	// Of letters of a topic.
	cluster     clientconfig.Options
	topic       string
	group       string
	skipInvalid bool
}

func newRedriveCommand(global *globalOptions) *cobra.Command {
	options := redriveOptions{globalOptions: global}
	command := &cobra.Command{
		Use:   "redrive [FILE]",
		Short: "Deliver dead letters of `stream --dead-letters FILE`, or of a topic, after all",
		Long: `redrive calls the function with the events of a file that stream --dead-letters
has written: in batches as the trigger makes them, each with one call. Those that
succeed go out of the file. Those that fail stay, with what they have failed for.

With --topic it first takes the dead letters that are in a topic into the file, by
default TOPIC.jsonl, and remembers by the consumer group
<ConsumerGroup>-fclocal-redrive which: the next redrive takes only new ones, and has
those that failed from the file.

It may be interrupted or killed at any moment: nothing is lost, and what comes again
is a batch that was in flight at most. After a kill lines that begin with # are
delivered; the next redrive takes them out.

Exit codes: 0 all have been delivered; 1 some have not; 2 wrong usage or
configuration.`,
		Example: `  fclocal redrive dead.jsonl
  fclocal redrive dead.jsonl --set CountBasedWindow=1   # good events no longer fail with bad ones
  fclocal redrive --brokers 127.0.0.1:9092 --topic orders-dead`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := options.check(args); err != nil {
				return err
			}
			if options.topic != "" { // a name of letters, digits and .-_
				args = append(args, options.topic+".jsonl")
			}
			return runRedrive(cmd.Context(), options, args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := command.Flags()
	setFlag(command, &options.set, "`NAME=VALUE`")
	noBuildFlag(flags, &options.noBuild)
	flags.StringVar(&options.logs, "logs", "", "write the function's logs to `DIR` (default a temporary directory)")
	flags.BoolVar(&options.json, "json", false, "print the result as JSON")
	options.cluster.AddTo(command)
	flags.StringVar(&options.topic, "topic", "", "take the dead letters of `TOPIC` into FILE (default TOPIC.jsonl) before")
	flags.StringVar(&options.group, "group", "", "consumer `GROUP` (default s.yaml's ConsumerGroup and -fclocal-redrive)")
	flags.BoolVar(&options.skipInvalid, "skip-invalid", false, "pass over records of the topic that are no dead letters, and say which")
	cpuFlags(command, &options.cpu)
	global.environment.AddTo(command)
	return command
}

// check finds options that do not go together.
func (o *redriveOptions) check(files []string) error {
	return cmp.Or(o.cluster.Check(), option.Check(
		vCPUSpeed(o.cpu.Speed),
		option.Not(len(files) == 0 && o.topic == "", "redrive needs a FILE of dead letters, or the --topic that they are in"),
		option.Not(len(files) > 1, fmt.Sprintf("redrive takes one FILE, and not %d", len(files))),
		option.Not(o.topic != "" && !o.cluster.Given(), "--topic needs --brokers or --kafka-config: where the topic is"),
		option.Not(o.topic == "" && o.cluster.Given(), "--brokers and --kafka-config need --topic: the one with the dead letters"),
		option.Not(o.topic == "" && (o.group != "" || o.skipInvalid), "--group and --skip-invalid are for --topic"),
	))
}

// source is the topic of dead letters, which is there.
func (o *redriveOptions) source(ctx context.Context, trigger *config.Trigger, stderr io.Writer) (*redrive.Topic, error) {
	cluster, notes, err := o.cluster.Cluster()
	if err != nil {
		return nil, err
	}
	for _, note := range notes {
		fmt.Fprintln(stderr, "fclocal:", escape.Line(note))
	}
	topic := &redrive.Topic{
		Cluster: cluster, Name: o.topic, Group: cmp.Or(o.group, trigger.Kafka.ConsumerGroup+"-fclocal-redrive"), Foreign: o.group != "",
		Timeout: o.cluster.Timeout, RawData: trigger.EventSchema == "RawData", SkipInvalid: o.skipInvalid,
	}
	return topic, topic.Check(ctx)
}

func runRedrive(ctx context.Context, options redriveOptions, path string, stdout, stderr io.Writer) (err error) {
	overrides, err := oneSet(options.set, "redrive")
	if err != nil {
		return err
	}
	projects, err := options.loadTriggers([]map[string]string{overrides}, stderr)
	if err != nil {
		return err
	}
	run := redrive.Options{Project: projects[0], CPU: options.cpu}
	open := deadletter.Open
	if options.topic != "" {
		if run.Topic, err = options.source(ctx, projects[0].Trigger, stderr); err != nil {
			return err
		}
		open = deadletter.OpenOrMake
	}
	file, err := open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, failure.Of(file.Close())) }()
	binary, err := build.Project(ctx, projects[0], options.noBuild, stderr)
	if err != nil {
		return err
	}
	defer binary.Release()
	logs, logsWritten, err := stream.Logs(options.logs)
	if err != nil {
		return err
	}
	defer logsWritten()
	progress := report.NewProgress(stderr)
	ctx, signals := interrupt.Drain(ctx)
	run.Binary, run.Args, run.Logs, run.Progress, run.Drain = binary.Path, binary.Args, logs, progress.Stream, signals.First
	run.Notice = func(what string) {
		progress.Clear()
		fmt.Fprintln(stderr, "fclocal:", escape.Line(what))
	}
	run.Draining = func(calls int) { fmt.Fprintf(stderr, "fclocal: waiting for %d calls in flight\n", calls) }
	total, err := redrive.Run(ctx, run, file)
	total.File = path
	err = clearLine(progress, err)
	for _, number := range file.CutShort {
		fmt.Fprintf(stderr, "fclocal: %s:%d: the end of this dead letter is missing; it stays\n", path, number)
	}
	fmt.Fprintln(stderr, "fclocal: the function's logs are in", logs)
	show := report.Redrive
	if options.json {
		show = report.RedriveJSON
	}
	err = errors.Join(err, failure.Of(show(stdout, total)))
	if err == nil && !total.Done() {
		err = errFailed
	}
	return err
}
