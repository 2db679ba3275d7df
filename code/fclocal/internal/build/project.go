package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"fclocal/internal/config"
	"fclocal/internal/failure"
	"fclocal/internal/files"
)

// Project is the function's program of a project, ready to run on this machine: built,
// or with existing what lies in codeUri. That it does not build is a failure; output
// has then said why.
func Project(ctx context.Context, project *config.Project, existing bool, output io.Writer) (Binary, error) {
	return program(ctx, project, existing, Usual, output)
}

// errNoRaceBuild is for a function that is not built by go build here.
var errNoRaceBuild = errors.New("--race builds the function by go build -race: it must be a Go module in codeUri or above it, and no program that s.yaml's actions build or that is there already")

// WithRaceDetector is [Project] with Go's race detector in the program.
func WithRaceDetector(ctx context.Context, project *config.Project, output io.Writer) (Binary, error) {
	if err := checkC(ctx); err != nil {
		return Binary{}, err
	}
	return program(ctx, project, false, Raced, output)
}

func program(ctx context.Context, project *config.Project, existing bool, variant Variant, output io.Writer) (Binary, error) {
	if err := project.Runnable(); err != nil {
		return Binary{}, err
	}
	for _, hook := range project.Function.CommandHooks {
		fmt.Fprintf(output, "fclocal: %s is a command in %s: fclocal does not run that hook\n", hook, project.File)
	}
	if project.Function.IsCustom() {
		return custom(ctx, project, existing, variant, output)
	}
	var binary Binary
	var err error
	if !existing && !hasModule(project) && len(project.Build) > 0 {
		if variant == Raced {
			return Binary{}, errNoRaceBuild
		}
		existing, err = true, runActions(ctx, project, output)
	}
	switch {
	case err != nil:
	case existing:
		binary, err = Existing(project.Code(), project.Function.Handler)
	default:
		binary, err = compiled(ctx, project, project.Function.Handler, variant, output)
	}
	if err != nil {
		return Binary{}, err
	}
	if err := inspect(project, binary.Path, output); err != nil {
		binary.Release()
		return Binary{}, err
	}
	return binary, nil
}

// hasModule says whether the code is in a Go module, with a package where its go.mod is.
func hasModule(p *config.Project) bool {
	module := files.Above("go.mod", p.Code(), p.Dir)
	if module == "" {
		return false
	}
	entries, _ := os.ReadDir(module)
	return slices.ContainsFunc(entries, func(entry os.DirEntry) bool { return filepath.Ext(entry.Name()) == ".go" })
}

// ForDebugger is [Project] for a function that is to run under a debugger, which must be
// one of go1 with its source.
func ForDebugger(ctx context.Context, project *config.Project, output io.Writer) (Binary, error) {
	if err := project.Runnable(); err != nil {
		return Binary{}, err
	}
	return compiled(ctx, project, project.Function.Handler, Debugged, output)
}

// compiled builds the Go module that holds codeUri.
func compiled(ctx context.Context, project *config.Project, name string, variant Variant, output io.Writer) (Binary, error) {
	binary, err := Function(ctx, project.Code(), project.Dir, name, variant, output)
	if exit := (interface{ ExitCode() int })(nil); errors.As(err, &exit) {
		err = failure.Of(err)
	}
	return binary, err
}
