package main

import (
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/spf13/pflag"

	"fclocal/internal/config"
	"fclocal/internal/report"
)

// runsOptions are the options of the commands that run once for each
// combination of settings and show the results side by side.
type runsOptions struct {
	*globalOptions
	set  []string // --set, NAME=VALUE[,VALUE...]
	plot string
	json bool
}

func (o *runsOptions) addTo(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.set, "set", nil, "override a setting of s.yaml: `NAME=VALUE[,VALUE...]`; may be repeated")
	flags.StringVar(&o.plot, "plot", "", "draw instances, calls in flight and events per second into `FILE`.svg or .png")
	flags.BoolVar(&o.json, "json", false, "print the results as JSON")
}

// combinations are the overrides of each run: every value of every --set with
// every other. A value that is JSON is not split.
func combinations(set []string) ([]map[string]string, error) {
	runs := []map[string]string{{}}
	for _, override := range set {
		name, text, found := strings.Cut(override, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("--set %s: it must be NAME=VALUE[,VALUE...]", override)
		}
		values := []string{text}
		if !strings.HasPrefix(text, "{") {
			values = strings.Split(text, ",")
		}
		var next []map[string]string
		for _, run := range runs {
			if _, twice := run[name]; twice {
				return nil, fmt.Errorf("--set %s is given twice; several values go into one: %s=A,B", name, name)
			}
			for _, value := range values {
				with := maps.Clone(run)
				with[name] = value
				next = append(next, with)
			}
		}
		runs = next
	}
	return runs, nil
}

// show writes results as the options say, and draws their runs.
func show[R any](o runsOptions, stdout io.Writer, results []R, runs []report.Run,
	asJSON func(io.Writer, []R) error, table func(w io.Writer, results []R, width int) error) error {
	var err error
	if o.json {
		err = asJSON(stdout, results)
	} else {
		err = table(stdout, results, report.Width(stdout))
	}
	if err != nil || o.plot == "" {
		return err
	}
	return report.Plot(o.plot, runs)
}

// projects are those of all combinations: all are checked before the first one
// runs, and so is the name of the plot.
func (o *runsOptions) projects(overrides []map[string]string, stderr io.Writer) ([]*config.Project, error) {
	if o.plot != "" {
		if err := report.CheckPlot(o.plot); err != nil {
			return nil, err
		}
	}
	projects := make([]*config.Project, len(overrides))
	for i, set := range overrides {
		project, err := loadProjectWith(o.globalOptions, set, stderr)
		if err != nil {
			return nil, err
		}
		if project.Trigger == nil {
			return nil, fmt.Errorf("%s has no eventbridge trigger for Kafka", project.File)
		}
		projects[i] = project
	}
	return projects, nil
}
