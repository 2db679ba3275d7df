package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/pflag"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/escape"
	"fclocal/internal/failure"
	"fclocal/internal/option"
	"fclocal/internal/report"
	"fclocal/internal/stream"
	"fclocal/internal/trigger"
	"fclocal/internal/watch"
)

// watchFlag adds --watch.
func watchFlag(flags *pflag.FlagSet, watch *bool, what string) {
	flags.BoolVar(watch, "watch", false, what)
}

// watchRules are those for the options beside it.
func watchRules(watch bool, given func(option string) bool) []option.Rule {
	return []option.Rule{
		option.Not(watch && given("debug"), "--watch is not for --debug: a debugger stays with the program that it has seen; build and connect again"),
		option.Not(watch && given("race"), "--watch is not for --race, which reports on one program: leave one of them out"),
		option.Not(watch && given("no-build"), "--watch builds the function again, which --no-build forbids: leave one of them out"),
	}
}

// newWatch watches a project that has been loaded with these settings, and the files that
// its events are made of.
func (o *globalOptions) newWatch(ctx context.Context, project *config.Project, set map[string]string, events []string, streams bool, stderr io.Writer) (*watch.Watch, error) {
	return watch.New(ctx, watch.Options{
		Project: project,
		Load:    func() (*config.Project, error) { return o.load(set, stderr) },
		Build: func(ctx context.Context, p *config.Project) (build.Binary, error) {
			return build.Project(ctx, p, false, stderr)
		},
		Settings: append([]string{filepath.Join(project.Dir, ".env")}, o.environment.Files...),
		Events:   events,
		Stream:   streams,
		Say:      func(what string) { fmt.Fprintln(stderr, "fclocal:", escape.Line(what)) },
	})
}

// next is what a stream goes on with when something has changed.
func next(changes *watch.Watch, rules func(*config.Project) trigger.Config) func(context.Context, error) (stream.Deployment, error) {
	return func(ctx context.Context, unusable error) (stream.Deployment, error) {
		change, err := changes.Next(ctx, unusable)
		if err != nil {
			return stream.Deployment{}, err
		}
		return stream.Deployment{Project: change.Project, Rules: rules(change.Project), Version: change.Version, Program: change.Program}, nil
	}
}

// aside writes below a line of progress.
type aside struct {
	io.Writer
	progress *report.Progress
}

func (a aside) Write(text []byte) (int, error) {
	a.progress.Clear()
	return a.Writer.Write(text)
}

// callAgain calls the function, and again whenever something has changed, until ctx ends.
// Its error then is that of the last call.
func callAgain(ctx context.Context, options invokeOptions, project *config.Project, set map[string]string, given func(option string) bool, stdin io.Reader, stdout, stderr io.Writer) error {
	changes, err := options.newWatch(ctx, project, set, options.eventFiles(project, given), false, stderr)
	if err != nil {
		return err
	}
	defer changes.Close()
	program := build.Binary{Release: func() {}}
	defer func() { program.Release() }()
	var read bytes.Buffer // from stdin, for the calls after the first
	stdin = io.TeeReader(stdin, &read)
	outcome := failure.New("interrupted")
	for {
		change, err := changes.Next(ctx, nil)
		switch {
		case ctx.Err() != nil && err != nil:
			return outcome
		case err != nil:
			return err
		case change.Program != nil:
			program.Release()
			program = *change.Program
		}
		event, err := options.payload(ctx, change.Project, given, stdin, stderr)
		stdin = bytes.NewReader(read.Bytes())
		if err == nil {
			err = call(ctx, options, change.Project, program, nil, event, stdout, stderr)
		}
		if ctx.Err() != nil {
			return err
		}
		if outcome = err; err != nil && !errors.Is(err, errFailed) {
			fmt.Fprintln(stderr, "fclocal:", escape.Text(failure.Explain(err)))
			outcome = errFailed
		}
		fmt.Fprintln(stderr, "fclocal: waiting for a change; Ctrl-C ends it")
	}
}
