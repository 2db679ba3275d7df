package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"fclocal/internal/build"
	"fclocal/internal/config"
)

// loadProject reads s.yaml; the errors in it go to stderr.
func loadProject(options *globalOptions, stderr io.Writer) (*config.Project, error) {
	return loadProjectWith(options, nil, stderr)
}

// loadProjectWith also overrides settings by their names.
func loadProjectWith(options *globalOptions, set map[string]string, stderr io.Writer) (*config.Project, error) {
	path, err := options.templatePath()
	if err != nil {
		return nil, err
	}
	project, problems, err := config.LoadWith(path, config.Options{Set: set})
	if err != nil {
		return nil, err
	}
	if project != nil {
		return project, nil
	}
	problems = slices.DeleteFunc(problems, func(p config.Problem) bool { return p.Severity != config.SeverityError })
	if err := config.Render(stderr, problems); err != nil {
		return nil, failure{err}
	}
	return nil, fmt.Errorf("%s: %s", path, summarize(len(problems), 0))
}

func functionBinary(ctx context.Context, project *config.Project, noBuild bool, output io.Writer) (build.Binary, error) {
	codeURI := codeURI(project)
	if noBuild {
		return build.Existing(codeURI, project.Function.Handler)
	}
	binary, err := build.Function(ctx, codeURI, project.Dir, project.Function.Handler, output)
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) { // go build has said why
		return binary, failure{err}
	}
	return binary, err
}

func codeURI(project *config.Project) string {
	if filepath.IsAbs(project.Function.CodeURI) {
		return project.Function.CodeURI
	}
	return filepath.Join(project.Dir, project.Function.CodeURI)
}

// codeDirectory is where the function runs: codeUri, or, before it has been
// made, where the program lies.
func codeDirectory(project *config.Project, binary build.Binary) string {
	if info, err := os.Stat(codeURI(project)); err == nil && info.IsDir() {
		return codeURI(project)
	}
	return filepath.Dir(binary.Path)
}
