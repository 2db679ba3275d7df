package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fclocal/internal/config"
	"fclocal/internal/failure"
	"fclocal/internal/option"
	"fclocal/internal/report"
	"fclocal/internal/result"
	"fclocal/internal/search"
)

// searchOptions are those of plan that ask for settings.
type searchOptions struct {
	goal, vary []string
	apply      bool
}

func (o *searchOptions) addTo(command *cobra.Command) {
	flags := command.Flags()
	flags.StringSliceVar(&o.goal, "goal", nil, "find the cheapest settings that keep `GOAL,...`, such as p99<=2s or lag<=100000")
	flags.StringSliceVar(&o.vary, "vary", nil, "with these `NAME[=VALUE,VALUE...],...` varied: "+strings.Join(search.Names(), ", "))
	flags.BoolVar(&o.apply, "apply", false, "write the settings into s.yaml, as the diff shows")
	command.RegisterFlagCompletionFunc("vary", cobra.FixedCompletions(search.Names(), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace))
	command.RegisterFlagCompletionFunc("goal", cobra.FixedCompletions([]string{"p50<=", "p95<=", "p99<=", "p99.9<=", "max<=", "mean<=", "lag<=", "lagEnd<="}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace))
}

// check finds options that make no sense or do not go together.
func (o *searchOptions) check(given func(option string) bool) error {
	asked := len(o.goal) > 0
	return option.Check(
		option.Not(given("goal") && !asked, "--goal is empty: it must be like p99<=2s"),
		option.Not(given("vary") && !asked, "--vary is for --goal, which says what its settings are to keep"),
		option.Not(o.apply && !asked, "--apply is for --goal, which finds what there is to write"),
		option.Not(asked && given("sort"), "--sort and --goal exclude each other: the answer is one, the cheapest"),
		option.Not(asked && given("runs"), "--runs and --goal exclude each other: what is recommended is planned with several seeds"),
		option.Not(asked && given("fail-on"), "--fail-on and --goal exclude each other: the exit code is 1 if nothing keeps the goals"),
	)
}

// findSettings searches the cheapest settings that keep the goals, and shows them.
func (o *planOptions) findSettings(ctx context.Context, today *config.Project, stdout, stderr io.Writer) error {
	goals, err := result.ParseGoals(o.search.goal)
	if err != nil {
		return fmt.Errorf("--goal %w", err)
	}
	vary, err := search.ParseVary(o.search.vary, o.measure)
	if err != nil {
		return err
	}
	fixed, err := config.Combinations(o.set)
	if err != nil {
		return err
	}
	for name := range vary {
		if _, set := fixed[0][name]; set && len(o.search.vary) > 0 {
			return fmt.Errorf("%s is in --set and --vary: give it to one of them", name)
		} else if set {
			delete(vary, name)
		}
	}
	progress := report.NewProgress(stderr)
	defer o.collectGarbage()()
	answer, err := search.Find(ctx, search.Question{
		Today: today, Goals: goals, Vary: vary, Plan: o.config, Prices: o.bill,
		Load: func(set map[string]string) (*config.Project, error) {
			var problems bytes.Buffer
			all := maps.Clone(fixed[0])
			maps.Copy(all, set)
			project, err := o.runsOptions.load(all, &problems)
			if err != nil && problems.Len() > 0 {
				return nil, errors.New(strings.TrimSpace(problems.String()))
			}
			return project, err
		},
		Cores: runtime.GOMAXPROCS(0), Progress: progress.Plan,
	})
	stopped := ctx.Err() != nil
	if err := clearLine(progress, nil); err != nil {
		return err
	}
	switch {
	case stopped && answer.Best != nil:
		fmt.Fprintln(stderr, "fclocal: stopped before the search was ready: this is the best so far")
	case stopped:
		return failure.New("stopped before the search had found settings that keep the goals")
	case err != nil:
		return err
	}
	edit, err := o.edit(&answer, fixed[0])
	if err != nil {
		return err
	}
	byHand := slices.IndexFunc(answer.Changes, func(c result.Change) bool { return c.Instead != "" })
	apply := o.search.apply && !stopped && answer.Diff != "" && byHand < 0
	if apply {
		if err := edit.Apply(); err != nil {
			return failure.Of(err)
		}
		answer.Applied = true
	}
	if o.json {
		err = report.SearchJSON(stdout, answer)
	} else {
		err = report.SearchTable(stdout, answer, report.Width(stdout))
	}
	if err == nil && o.plot != "" {
		err = report.FrontierPlot(o.plot, answer)
	}
	if err == nil && o.report != "" {
		runs := []result.Run{answer.Today.Run}
		for _, other := range []*result.Choice{answer.Best, answer.Nearest} {
			if other != nil && (other == answer.Nearest || len(answer.Changes) > 0) {
				runs = append(runs, other.Run)
			}
		}
		err = report.Page{Function: today.Function.Name, Trigger: today.Trigger.Name, Runs: runs, Search: &answer}.Write(o.report)
	}
	switch {
	case err != nil:
		return failure.Of(err)
	case stopped:
		return errFailed
	case answer.Best == nil:
		return failure.New("no settings keep " + strings.Join(answer.Goals, " and "))
	case o.search.apply && byHand >= 0:
		change := answer.Changes[byHand]
		return fmt.Errorf("%s is left as it is: %s would have to be %s, and %s", edit.Path, change.Name, change.To, change.Instead)
	case apply:
		fmt.Fprintln(stderr, "fclocal: written to", edit.Path)
	}
	return nil
}

// edit makes the changes those of s.yaml, beside what --set has given, and adds the diff.
func (o *planOptions) edit(answer *result.Search, fixed map[string]string) (*config.Edit, error) {
	if len(answer.Changes) == 0 {
		return nil, nil
	}
	set := map[string]string{}
	for _, change := range answer.Changes {
		set[change.Name] = change.To
	}
	maps.Copy(set, fixed)
	path, err := o.path()
	if err != nil {
		return nil, err
	}
	edit, err := config.NewEdit(path, set, config.Options{Function: o.globalOptions.function, AnyConcurrency: o.anyConcurrency})
	if err != nil {
		return nil, err
	}
	answer.Changes, answer.Diff = edit.Changes, edit.Diff(path)
	return edit, nil
}
