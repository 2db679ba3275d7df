package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// A setting is one of a run's, for people: its name in s.yaml and its value
// with its unit.
type setting struct{ name, value string }

func (s setting) String() string { return s.name + " " + s.value }

// settings lists a run's settings in the order in which they are shown. The
// partitions are among them: they are given for a run like the others.
func (r Run) settings() []setting {
	settings := []setting{
		{"partitions", strconv.Itoa(r.Partitions)},
		{"maximumTasks", strconv.Itoa(r.MaximumTasks)},
		{"concurrency", strconv.Itoa(r.Concurrency)},
		{"CountBasedWindow", strconv.Itoa(r.CountBasedWindow)},
		{"TimeBasedWindow", strconv.Itoa(r.TimeBasedWindow) + " s"},
		{"errorsTolerance", r.ErrorsTolerance},
		{"PushRetryStrategy", r.PushRetryStrategy},
		{"eventSchema", r.EventSchema},
		{"instanceConcurrency", strconv.Itoa(r.InstanceConcurrency)},
		{"memorySize", strconv.Itoa(r.MemorySize) + " MB"},
		{"timeout", strconv.Itoa(r.Timeout) + " s"},
	}
	for _, name := range slices.Sorted(maps.Keys(r.Set)) {
		settings = append(settings, setting{name, r.Set[name]})
	}
	return slices.DeleteFunc(settings, func(s setting) bool { return s.value == "" })
}

// compare separates the settings that are the same in all runs from the names
// of those that differ, in the order of the settings.
func compare(runs []Run) (same []setting, differing []string) {
	var names []string
	values := make(map[string][]string) // of the runs that have the setting
	for _, run := range runs {
		for _, s := range run.settings() {
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

// value returns the run's value of a setting; "-" where it has none.
func (r Run) value(name string) string {
	for _, s := range r.settings() {
		if s.name == name {
			return s.value
		}
	}
	return "-"
}

// labels names each run by what differs between the runs, or by its number.
func labels(runs []Run) []string {
	_, differing := compare(runs)
	names := make([]string, len(runs))
	for i, run := range runs {
		var parts []string
		for _, name := range differing {
			parts = append(parts, setting{name, run.value(name)}.String())
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
