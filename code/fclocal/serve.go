package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"fclocal/internal/escape"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/interrupt"
	"fclocal/internal/invocationapi"
	"fclocal/internal/option"
	"fclocal/internal/report"
	"fclocal/internal/result"
)

// serveOptions are the options of serve.
type serveOptions struct {
	*globalOptions
	instances instanceOptions
	cpu       instance.CPU
	noBuild   bool
	race      raceOption
	logs      string
}

func newServeCommand(global *globalOptions) *cobra.Command {
	options := serveOptions{globalOptions: global}
	command := &cobra.Command{
		Use:   "serve HOST:PORT",
		Short: "Serve Function Compute's API for invocations, so that its clients call the function",
		Long: `serve answers the requests by which Function Compute's clients call a function:

  POST /2023-03-30/functions/FUNCTION/invocations
  POST /2016-08-15/services/SERVICE/functions/FUNCTION/invocations

Set the endpoint of an official client to http://HOST:PORT. Instances come and go
as on FC. Signatures are not checked: any credentials will do.

The function's logs and FC's summaries go to stderr. The first Ctrl-C takes no
more requests and waits for the calls in flight; the second stops at once.

Exit codes: 0 good; 1 it failed, or was stopped at once; 2 wrong usage or
configuration.`,
		Example: `  fclocal serve 127.0.0.1:9000
  curl -d @event.json http://127.0.0.1:9000/2023-03-30/functions/FUNCTION/invocations`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("serve takes one address to listen at: HOST:PORT, as 127.0.0.1:9000")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return serve(cmd.Context(), options, args[0], cmd.Flags().Changed, cmd.ErrOrStderr())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	options.instances.addTo(command.Flags())
	noBuildFlag(command.Flags(), &options.noBuild)
	options.race.addTo(command)
	cpuFlags(command, &options.cpu)
	global.environment.AddTo(command)
	command.Flags().StringVar(&options.logs, "logs", "", "write the function's logs to `DIR`, and not to stderr")
	return command
}

func serve(ctx context.Context, options serveOptions, address string, given func(option string) bool, stderr io.Writer) error {
	if err := option.Check(vCPUSpeed(options.cpu.Speed)); err != nil {
		return err
	}
	if err := options.instances.check(given); err != nil {
		return err
	}
	project, err := options.load(nil, stderr)
	if err != nil {
		return err
	}
	listener, exposed, err := invocationapi.Listen(address)
	if err != nil {
		return err
	}
	defer listener.Close()
	binary, err := options.race.program(ctx, project, options.noBuild, &options.cpu, stderr)
	if err != nil {
		return err
	}
	defer binary.Release()
	if options.logs != "" {
		if err := os.MkdirAll(options.logs, 0o755); err != nil {
			return failure.Of(err)
		}
	}
	say := func(what string) { fmt.Fprintln(stderr, "fclocal:", escape.Line(what)) }
	for _, path := range invocationapi.Paths(project) {
		say(fmt.Sprintf("POST http://%s%s calls the function", listener.Addr(), path))
	}
	if exposed {
		say("whoever reaches this address may call it: signatures are not checked")
	}
	ctx, signals := interrupt.Drain(ctx)
	counts, err := invocationapi.Serve(ctx, listener, invocationapi.Options{
		Project: project, Rules: options.instances.rules(project.InstanceRules()),
		Spec: instance.Spec{
			Project: project, Binary: binary.Path, Args: binary.Args, CodeDir: project.CodeDirectory(binary.Path), Cores: options.cpu.Cores(project), Race: options.race.detector,
		},
		Logs: options.logs, Output: stderr, Say: say, Drain: signals.First,
		Called: func(call result.Invocation) { report.Invocation(stderr, call, project.Function.MemorySize) },
	})
	say(fmt.Sprintf("calls: %d, failed: %d, refused with 429: %d, instances: %d", counts.Calls, counts.Failed, counts.Throttled, counts.Instances))
	say(options.cpu.Limit(project))
	races, racesErr := options.race.detector.Races()
	return errors.Join(err, tellRaces(stderr, races, racesErr))
}
