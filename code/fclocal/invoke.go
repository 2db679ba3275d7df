package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/debugger"
	"fclocal/internal/escape"
	"fclocal/internal/events"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/option"
	"fclocal/internal/report"
	"fclocal/internal/trigger"
)

// invokeOptions are the options of invoke.
type invokeOptions struct {
	*globalOptions
	file    string // -f
	event   string // -e
	set     []string
	noBuild bool // --no-build
	cpu     instance.CPU
	print   bool // --print
	events  events.Options
	debug   debugOption
	race    raceOption
	watch   bool // --watch
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
  fclocal invoke --watch                  # calls again whenever you save
  fclocal invoke --no-build               # what s deploy would upload`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return invoke(cmd.Context(), options, cmd.Flags().Changed, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	command.Flags().StringVarP(&options.file, "event-file", "f", "", "read the event from `FILE`, or from stdin for - (default event.json beside s.yaml)")
	command.Flags().StringVarP(&options.event, "event", "e", "", "the event itself")
	setFlag(command, &options.set, "`NAME=VALUE`")
	noBuildFlag(command.Flags(), &options.noBuild)
	cpuFlags(command, &options.cpu)
	command.Flags().BoolVar(&options.print, "print", false, "print the event, and make no call")
	options.events.AddTo(command)
	global.environment.AddTo(command)
	options.debug.addTo(command)
	options.race.addTo(command)
	watchFlag(command.Flags(), &options.watch, "call again when the function, s.yaml or the event's file changes, until Ctrl-C")
	command.MarkFlagsMutuallyExclusive("event-file", "event")
	return command
}

func invoke(ctx context.Context, options invokeOptions, given func(option string) bool, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := option.Check(append(watchRules(options.watch, given), vCPUSpeed(options.cpu.Speed),
		option.Not(options.watch && options.print, "--watch calls again what --print does not call: leave one of them out"),
		option.Not(events.Given(given) && (given("event") || given("event-file")), "--value and what goes with it make the event: leave -e and -f out"),
	)...); err != nil {
		return err
	}
	overrides, err := oneSet(options.set, "invoke")
	if err != nil {
		return err
	}
	project, err := options.load(overrides, stderr)
	if err != nil {
		return err
	}
	if options.watch {
		return callAgain(ctx, options, project, overrides, given, stdin, stdout, stderr)
	}
	event, err := options.payload(ctx, project, given, stdin, stderr)
	if err != nil {
		return err
	}
	if options.print {
		return write(stdout, "event", event)
	}
	binary, debugger, err := options.debug.program(ctx, project, options.noBuild, &options.race, &options.cpu, stderr)
	if err != nil {
		return err
	}
	defer binary.Release()
	return call(ctx, options, project, binary, debugger, event, stdout, stderr)
}

// payload is the event.
func (o *invokeOptions) payload(ctx context.Context, project *config.Project, given func(option string) bool, stdin io.Reader, stderr io.Writer) (event []byte, err error) {
	switch {
	case events.Given(given):
		event, err = o.events.Make(ctx, project, stdin, func(note string) { fmt.Fprintln(stderr, "fclocal:", note) })
	case given("event"):
		event = []byte(o.event)
	default:
		event, err = project.ReadEvent(ctx, o.file, stdin)
	}
	if err == nil && len(event) > trigger.BodyLimitSynchronous {
		err = fmt.Errorf("the event has %d bytes; a synchronous call takes %d (32 MB) at most", len(event), trigger.BodyLimitSynchronous)
	}
	return event, err
}

// eventFiles are those that the event is made of.
func (o *invokeOptions) eventFiles(project *config.Project, given func(option string) bool) []string {
	switch {
	case events.Given(given):
		return o.events.Files(project)
	case given("event") || o.file == "-":
		return nil
	case o.file != "":
		return []string{o.file}
	}
	return []string{project.EventFile()}
}

// call makes one call and shows what became of it.
func call(ctx context.Context, options invokeOptions, project *config.Project, binary build.Binary, debugger *debugger.Debugger, event []byte, stdout, stderr io.Writer) error {
	called, invocation, err := instance.CallOnce(ctx, instance.Spec{
		Project: project, Binary: binary.Path, Args: binary.Args, CodeDir: project.CodeDirectory(binary.Path), Logs: stderr, Cores: options.cpu.Cores(project),
		Debugger: debugger, Race: options.race.detector,
	}, event, func(what string) { fmt.Fprintln(stderr, "fclocal:", escape.Line(what)) })
	races, racesErr := options.race.detector.Races()
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
