package main

import (
	"context"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/debugger"
	"fclocal/internal/instance"
	"fclocal/internal/option"
)

// debugOption is --debug.
type debugOption struct {
	port  int
	given bool
}

// addTo adds it. The port may also stand behind it, as an argument of its own.
func (o *debugOption) addTo(command *cobra.Command) {
	flags := command.Flags()
	flags.IntVar(&o.port, "debug", 0, "run the function under Delve, a debugger, at `PORT` of the loopback interface, 2345 if it is left out")
	flags.Lookup("debug").NoOptDefVal = strconv.Itoa(debugger.DefaultPort)
	flags.Lookup("debug").DefValue = "0"
	command.MarkFlagsMutuallyExclusive("debug", "no-build")
	command.Args = func(cmd *cobra.Command, args []string) error {
		o.given = cmd.Flags().Changed("debug")
		if o.given && len(args) == 1 {
			if port, err := strconv.Atoi(args[0]); err == nil {
				o.port, args = port, nil
			}
		}
		return cobra.NoArgs(cmd, args)
	}
}

// program is the function's, as it is to run: with --debug, under the debugger.
func (o *debugOption) program(ctx context.Context, project *config.Project, existing bool, race *raceOption, cpu *instance.CPU, stderr io.Writer) (build.Binary, *debugger.Debugger, error) {
	if !o.given {
		binary, err := race.program(ctx, project, existing, cpu, stderr)
		return binary, nil, err
	}
	if project.Function.IsCustom() {
		return build.Binary{}, nil, debugger.ErrCustom
	}
	if err := option.Check(option.Between("--debug", float64(o.port), 0, 65535)); err != nil {
		return build.Binary{}, nil, err
	}
	cpu.Debugged = true
	binary, err := build.ForDebugger(ctx, project, stderr)
	if err != nil {
		return build.Binary{}, nil, err
	}
	d, err := debugger.New(ctx, o.port, stderr)
	if err != nil {
		binary.Release()
	}
	return binary, d, err
}
