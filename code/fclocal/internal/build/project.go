package build

import (
	"context"
	"errors"
	"fmt"
	"io"

	"fclocal/internal/config"
	"fclocal/internal/failure"
)

// Project is the function's program of a project, ready to run on this machine: built,
// or with existing what lies in codeUri. That it does not build is a failure; output
// has then said why.
func Project(ctx context.Context, project *config.Project, existing bool, output io.Writer) (Binary, error) {
	if err := project.Runnable(); err != nil {
		return Binary{}, err
	}
	for _, hook := range project.Function.CommandHooks {
		fmt.Fprintf(output, "fclocal: %s is a command in %s: fclocal does not run that hook\n", hook, project.File)
	}
	if project.Function.IsCustom() {
		return custom(ctx, project, existing, output)
	}
	var binary Binary
	var err error
	if !existing {
		binary, err = compiled(ctx, project, project.Function.Handler, false, output)
	}
	if errors.Is(err, ErrNoModule) && len(project.Build) > 0 {
		existing, err = true, runActions(ctx, project, output)
	}
	if existing && err == nil {
		binary, err = Existing(project.Code(), project.Function.Handler)
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

// Debugged is [Project] for a function that is to run under a debugger, which must be
// one of go1 with its source.
func Debugged(ctx context.Context, project *config.Project, output io.Writer) (Binary, error) {
	if err := project.Runnable(); err != nil {
		return Binary{}, err
	}
	return compiled(ctx, project, project.Function.Handler, true, output)
}

// compiled builds the Go module that holds codeUri.
func compiled(ctx context.Context, project *config.Project, name string, debugged bool, output io.Writer) (Binary, error) {
	binary, err := Function(ctx, project.Code(), project.Dir, name, debugged, output)
	if exit := (interface{ ExitCode() int })(nil); errors.As(err, &exit) {
		err = failure.Of(err)
	}
	return binary, err
}
