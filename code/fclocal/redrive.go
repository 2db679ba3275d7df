package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
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
}

func newRedriveCommand(global *globalOptions) *cobra.Command {
	options := redriveOptions{globalOptions: global}
	command := &cobra.Command{
		Use:   "redrive FILE",
		Short: "Deliver dead letters of `stream --dead-letters FILE` after all",
		Long: `redrive calls the function with the events of a file that stream --dead-letters
has written: in batches as the trigger makes them, each with one call. Those that
succeed go out of the file. Those that fail stay, with what they have failed for.

It may be interrupted or killed at any moment: nothing is lost, and what comes again
is a batch that was in flight at most. After a kill lines that begin with # are
delivered; the next redrive takes them out.

Exit codes: 0 all have been delivered; 1 some have not; 2 wrong usage or
configuration.`,
		Example: `  fclocal redrive dead.jsonl
  fclocal redrive dead.jsonl --set CountBasedWindow=1   # good events no longer fail with bad ones`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRedrive(cmd.Context(), options, args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := command.Flags()
	setFlag(command, &options.set, "`NAME=VALUE`")
	noBuildFlag(flags, &options.noBuild)
	flags.StringVar(&options.logs, "logs", "", "write the function's logs to `DIR` (default a temporary directory)")
	flags.BoolVar(&options.json, "json", false, "print the result as JSON")
	cpuFlags(command, &options.cpu)
	global.environment.AddTo(command)
	return command
}

func runRedrive(ctx context.Context, options redriveOptions, path string, stdout, stderr io.Writer) (err error) {
	overrides, err := config.Combinations(options.set)
	if err == nil {
		err = option.Check(vCPUSpeed(options.cpu.Speed), option.Not(len(overrides) > 1, "redrive runs once: give each setting one value"))
	}
	if err != nil {
		return err
	}
	projects, err := options.loadTriggers(overrides, stderr)
	if err != nil {
		return err
	}
	file, err := deadletter.Open(path)
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
	total, err := redrive.Run(ctx, redrive.Options{
		Project: projects[0], Binary: binary.Path, Args: binary.Args, Logs: logs, CPU: options.cpu, Progress: progress.Stream,
		Notice: func(what string) { fmt.Fprintln(stderr, "fclocal:", escape.Line(what)) },
		Drain:  signals.First, Draining: func(calls int) { fmt.Fprintf(stderr, "fclocal: waiting for %d calls in flight\n", calls) },
	}, file)
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
