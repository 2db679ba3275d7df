package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
	"fclocal/internal/calibrate"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/option"
	"fclocal/internal/report"
	"fclocal/internal/result"
)

func newCalibrateCommand(global *globalOptions) *cobra.Command {
	var asJSON bool
	var cpu instance.CPU
	command := &cobra.Command{
		Use:   "calibrate",
		Short: "Compare plan with stream on this machine",
		Long: `calibrate measures the function and what stream itself takes of this machine, runs
stream in several configurations, plans the same ones for this machine, and shows
both. That takes about three minutes, in which nothing else should run. It needs Linux.

Exit codes: 0 they agree within 15 %; 1 they do not; 2 wrong usage or configuration.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runCalibrate(cmd.Context(), global, cpu, asJSON, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print the results as JSON")
	cpuFlags(command, &cpu)
	global.environment.AddTo(command)
	return command
}

func runCalibrate(ctx context.Context, global *globalOptions, cpu instance.CPU, asJSON bool, stdout, stderr io.Writer) error {
	if err := option.Check(vCPUSpeed(cpu.Speed)); err != nil {
		return err
	}
	global.anyConcurrency = true // it compares programs of fclocal's
	projects, err := global.loadTriggers(calibrate.Overrides(), stderr)
	if err != nil {
		return err
	}
	binary, err := build.Project(ctx, projects[0], false, stderr)
	if err != nil {
		return err
	}
	defer binary.Release()
	progress := report.NewProgress(stderr)
	calibrations, err := calibrate.Run(ctx, calibrate.Options{
		Projects: projects, Binary: binary.Path, Args: binary.Args, CPU: cpu, Stream: progress.Stream, Plan: progress.Plan,
	})
	if err := clearLine(progress, err); err != nil {
		return err
	}
	show := report.CalibrationsTable
	if asJSON {
		show = report.CalibrationsJSON
	}
	if err := show(stdout, calibrations); err != nil {
		return failure.Of(err)
	}
	fmt.Fprintln(stderr, "fclocal:", cpu.Limit(projects[0]))
	if slices.ContainsFunc(calibrations, func(c result.Calibration) bool { return !c.Agree() }) {
		return failure.New("plan and stream do not agree everywhere; other programs that run on this machine make them differ")
	}
	return nil
}
