// Package race finds what Go's race detector reports of a function's processes.
package race

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"fclocal/internal/files"
	"fclocal/internal/result"
)

// A Detector has the processes report into files of a directory. A nil one has nothing
// to do.
type Detector struct{ reports string }

// In is a detector whose files are in a directory, which is another's to remove.
func In(directory string) *Detector {
	return &Detector{filepath.Join(directory, "race")}
}

// Threads is how many threads run Go at least: calls that never run at the same time
// race less often.
const Threads = 2

// Variables are what a process needs in its environment, beside the function's own.
func (d *Detector) Variables(function map[string]string) []string {
	threads, err := strconv.Atoi(function["GOMAXPROCS"])
	if err != nil || threads < 1 {
		threads = runtime.NumCPU()
	}
	return []string{
		"GOMAXPROCS=" + strconv.Itoa(max(threads, Threads)),
		"GORACE=" + function["GORACE"] + ` log_path="` + d.reports + `"`, // the last one counts
	}
}

// Races are those that have been reported since it was last asked, each once, in order
// of where they are.
func (d *Detector) Races() (races []result.Race, err error) {
	if d == nil {
		return nil, nil
	}
	written, _ := filepath.Glob(d.reports + ".*") // a file for each process
	for _, file := range written {
		content, err := files.Read(file, largest)
		if err == nil {
			err = os.Remove(file)
		}
		if err != nil {
			return races, err
		}
		for _, race := range parse(string(content)) {
			i := slices.IndexFunc(races, func(r result.Race) bool { return r.Where == race.Where })
			if i < 0 {
				i = len(races)
				races = append(races, race)
			}
			races[i].Reports++
		}
	}
	slices.SortFunc(races, func(a, b result.Race) int { return strings.Compare(a.Where, b.Where) })
	return races, nil
}

// largest bounds what a process can have written: it tells of each race once.
const largest = 64 << 20

const (
	line    = "==================\n" // before and after a report
	warning = "WARNING: DATA RACE\n"
)

// access is the line above the stack of one of the two that race.
var access = regexp.MustCompile(`^(Previous )?(atomic )?(read|write|Read|Write) at 0x`)

// parse finds the reports in what a process has written.
func parse(content string) (races []result.Race) {
	for text := range strings.SplitSeq(content, line) {
		if !strings.HasPrefix(text, warning) {
			continue
		}
		var places []string
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			if access.MatchString(line) {
				places = append(places, place(lines[i+1:]))
			}
		}
		slices.Sort(places)
		races = append(races, result.Race{Where: strings.Join(slices.Compact(places), " and "), Text: text})
	}
	return races
}

// place is the innermost call of a stack that is not Go's runtime's: a line with the
// function, and one with the file below it.
func place(stack []string) string {
	found := "an unknown place"
	for i := 0; i+1 < len(stack) && strings.HasPrefix(stack[i], "  ") && strings.HasPrefix(stack[i+1], "      "); i += 2 {
		function, file := strings.TrimSpace(stack[i]), strings.TrimSpace(stack[i+1])
		if at := strings.LastIndex(file, " +0x"); at >= 0 {
			file = file[:at]
		}
		found = strings.TrimSuffix(function, "()") + " at " + file
		if !strings.HasPrefix(function, "runtime.") && !strings.HasPrefix(function, "internal/") {
			break
		}
	}
	return found
}
