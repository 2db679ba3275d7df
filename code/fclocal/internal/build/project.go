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
	if !existing && !hasModule(project) && len(project.Build) > 0 {
		existing, err = true, runActions(ctx, project, output)
	}
	switch {
	case err != nil:
	case existing:
		binary, err = Existing(project.Code(), project.Function.Handler)
	default:
		binary, err = compiled(ctx, project, project.Function.Handler, false, output)
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
