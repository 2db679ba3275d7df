package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"fclocal/internal/escape"
	"fclocal/internal/result"
)

// A setting is one of a run's, for people: its name in s.yaml and its value
// with its unit.
type setting struct{ name, value string }

func (s setting) String() string { return s.name + " " + s.value }

// shownSettings lists a run's settings in the order in which they are shown. The
// partitions are among them: they are given for a run like the others.
func shownSettings(run result.Run) []setting {
	shown := []setting{{"partitions", strconv.Itoa(run.Load.Partitions)}}
	for _, s := range run.Settings {
		if !s.Hidden {
			value := escape.Line(fmt.Sprint(s.Value))
			if s.Unit != "" {
				value += " " + s.Unit
			}
			shown = append(shown, setting{s.Name, value})
		}
	}
	return shown
}

// compare separates the settings that are the same in all runs from the names
// of those that differ, in the order of the settings.
func compare(runs []result.Run) (same []setting, differing []string) {
	var names []string
	values := make(map[string][]string) // of the runs that have the setting
	for _, run := range runs {
		for _, s := range shownSettings(run) {
			if _, known := values[s.name]; !known {
				names = append(names, s.name)
			}
			values[s.name] = append(values[s.name], s.value)
		}
	}
	for _, name := range names {
		v := values[name]
		if len(v) == len(runs) && len(slices.Compact(v)) == 1 {
			same = append(same, setting{name, v[0]})
		} else {
			differing = append(differing, name)
		}
	}
	return same, differing
}

// valueOf returns the run's value of a setting; "-" where it has none.
func valueOf(run result.Run, name string) string {
	for _, s := range shownSettings(run) {
		if s.name == name {
			return s.value
		}
	}
	return "-"
}

// labels names each run by what differs between the runs, or by its number.
func labels(runs []result.Run) []string {
	_, differing := compare(runs)
	names := make([]string, len(runs))
	for i, run := range runs {
		var parts []string
		for _, name := range differing {
			parts = append(parts, setting{name, valueOf(run, name)}.String())
		}
		names[i] = strings.Join(parts, ", ")
		if len(parts) == 0 {
			names[i] = fmt.Sprintf("run %d", i+1)
		}
	}
	return names
}

// lines lists settings in lines of at most width columns, where a single setting
// is not wider; 0 sets no limit. A setting is not broken.
func lines(settings []setting, width int) []string {
	var lines []string
	line := ""
	for _, s := range settings {
		if line == "" {
			line = s.String()
			continue
		}
		line += ","
		if longer := line + " " + s.String(); width <= 0 || text.StringWidthWithoutEscSequences(longer) < width {
			line = longer
			continue
		}
		lines = append(lines, line)
		line = s.String()
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
