package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/escape"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/race"
	"fclocal/internal/report"
	"fclocal/internal/result"
)

// raceOption is --race.
type raceOption struct {
	given    bool
	detector *race.Detector // of the program; nil without --race
}

// addTo adds it to a command that has --no-build.
func (o *raceOption) addTo(command *cobra.Command) {
	command.Flags().BoolVar(&o.given, "race", false, "build the function with Go's race detector, and fail if that finds a data race")
	for _, other := range []string{"no-build", "debug"} {
		if command.Flags().Lookup(other) != nil {
			command.MarkFlagsMutuallyExclusive("race", other)
		}
	}
}

// program is the function's, as it is to run: with --race, that which has the detector.
func (o *raceOption) program(ctx context.Context, project *config.Project, existing bool, cpu *instance.CPU, stderr io.Writer) (build.Binary, error) {
	if !o.given {
		return build.Project(ctx, project, existing, stderr)
	}
	cpu.Raced = true
	binary, err := build.WithRaceDetector(ctx, project, stderr)
	if err == nil {
		o.detector = race.In(binary.Directory)
		fmt.Fprintf(stderr, "fclocal: --race: GOMAXPROCS is %d or more, and cpu and memorySize are not limited\n", race.Threads)
	}
	return binary, err
}

// tellRaces tells the races that a function has, which is a failure.
func tellRaces(stderr io.Writer, races []result.Race, err error) error {
	if err != nil {
		return failure.Of(fmt.Errorf("what the race detector has found cannot be read: %w", err))
	}
	if len(races) == 0 {
		return nil
	}
	report.Races(stderr, races)
	fmt.Fprintln(stderr, "fclocal: the function has", escape.Line(result.RacesFound(races)))
	return errFailed
}
