package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fclocal/internal/escape"
	"fclocal/internal/events"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/option"
	"fclocal/internal/report"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// invokeOptions are the options of invoke.
type invokeOptions struct {
	*globalOptions
	file    string // -f
	event   string // -e
	noBuild bool   // --no-build
	cpu     instance.CPU
	print   bool // --print
	events  events.Options
	debug   debugOption
	race    raceOption
}

func newInvokeCommand(global *globalOptions) *cobra.Command {
	options := invokeOptions{globalOptions: global}
	command := &cobra.Command{
		Use:   "invoke",
		Short: "Call the function once, as `s local invoke` does, without Docker",
		Long: `invoke builds the function for this machine, runs it as Function Compute would,
calls it once with an event and ends it.

The result goes to stdout; the function's logs and FC's summary go to stderr. The
function finds s.yaml's environmentVariables and FC's own variables, and nothing
else of this machine's environment.

Exit codes: 0 good; 1 the call failed, and its error JSON is the result, or --race
found a data race; 2 wrong usage or configuration.`,
		Example: `  fclocal invoke                          # with the project's event.json
  fclocal invoke -f code/testdata/three.json | jq .
  fclocal invoke -e '[]'
  fclocal invoke --value '{"id":1}' --key 1 --header trace=abc -n 10
  fclocal invoke --value @order.json --shape json --print
  curl ... | fclocal invoke --value @-    # the message's value comes from stdin
  fclocal invoke --debug                  # a debugger may connect to port 2345
  fclocal invoke --no-build               # what s deploy would upload`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return invoke(cmd.Context(), options, cmd.Flags().Changed, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	command.Flags().StringVarP(&options.file, "event-file", "f", "", "read the event from `FILE`, or from stdin for - (default event.json beside s.yaml)")
	command.Flags().StringVarP(&options.event, "event", "e", "", "the event itself")
	noBuildFlag(command.Flags(), &options.noBuild)
	cpuFlags(command, &options.cpu)
	command.Flags().BoolVar(&options.print, "print", false, "print the event, and make no call")
	options.events.AddTo(command)
	global.environment.AddTo(command)
	options.debug.addTo(command)
	options.race.addTo(command)
	command.MarkFlagsMutuallyExclusive("event-file", "event")
	return command
}

func invoke(ctx context.Context, options invokeOptions, given func(option string) bool, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := option.Check(vCPUSpeed(options.cpu.Speed)); err != nil {
		return err
	}
	project, err := options.load(nil, stderr)
	if err != nil {
		return err
	}
	event := []byte(options.event)
	switch {
	case events.Given(given):
		if given("event") || given("event-file") {
			return errors.New("--value and what goes with it make the event: leave -e and -f out")
		}
		event, err = options.events.Make(ctx, project, stdin, func(note string) { fmt.Fprintln(stderr, "fclocal:", note) })
	case !given("event"):
		event, err = project.ReadEvent(ctx, options.file, stdin)
	}
	if err != nil {
		return err
	}
	if len(event) > trigger.BodyLimitSynchronous {
		return fmt.Errorf("the event has %d bytes; a synchronous call takes %d (32 MB) at most", len(event), trigger.BodyLimitSynchronous)
	}
	if options.print {
		return write(stdout, "event", event)
	}
	binary, debugger, err := options.debug.program(ctx, project, options.noBuild, &options.race, &options.cpu, stderr)
	if err != nil {
		return err
	}

	var races []result.Race
	var racesErr error
	called, invocation, err := instance.CallOnce(ctx, instance.Spec{
		Project: project, Binary: binary.Path, Args: binary.Args, CodeDir: project.CodeDirectory(binary.Path), Logs: stderr, Cores: options.cpu.Cores(project),
		Debugger: debugger, Race: options.race.detector,
	}, event, func(what string) { fmt.Fprintln(stderr, "fclocal:", escape.Line(what)) }, func() {
		races, racesErr = options.race.detector.Races()
		binary.Release()
	})
	if err != nil {
		return errors.Join(err, tellRaces(stderr, races, racesErr))
	}
	report.Invocation(stderr, invocation, project.Function.MemorySize)
	fmt.Fprintln(stderr, "fclocal:", options.cpu.Limit(project))
	output := called.Payload
	if called.Error != nil {
		output = called.Error.JSON
	}
	err = write(stdout, "result", output)
	if err == nil && called.Error != nil {
		err = errFailed
	}
	return errors.Join(err, tellRaces(stderr, races, racesErr))
}

// write writes the content, which is what it is called, and a line break.
func write(stdout io.Writer, what string, content []byte) error {
	if _, err := stdout.Write(append(content, '\n')); err != nil {
		return failure.Of(fmt.Errorf("the %s cannot be written: %w", what, err))
	}
	return nil
}
