package report

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"fclocal/internal/files"
	"fclocal/internal/result"
	"fclocal/internal/units"
)

// A Page shows plans as an HTML file that needs nothing else: no script, and
// nothing of the network.
type Page struct {
	Function string // its name
	Trigger  string // its name

	// Best says what the first of the sorted Runs is: cheapest or fastest. It is
	// empty if they are not sorted.
	Best string
	Runs []result.Run

	Search *result.Search // that has found the runs; nil if none has
}

// CheckPage returns an error if Write cannot write to a file of that name: its
// ending must be .html or .htm, and its directory must be there to write to.
func CheckPage(path string) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".html", ".htm":
		return files.CheckWrite("report", path)
	default:
		return fmt.Errorf("cannot report to %s: the name must end in .html or .htm", path)
	}
}

// pageCurves is how many curves a page's charts can have so that they can be told
// apart on a phone.
const pageCurves = 12

// pageDetail bounds the size of a page: with all its curves at their longest it
// has half a megabyte. On a phone there are 9 pixels for each marker.
var pageDetail = detail{slots: 200, markers: 24}

// Write writes the page to a file, which is there in full or not at all. The
// page stays below 1 MB with 50 runs.
func (p Page) Write(path string) error {
	var content bytes.Buffer
	if err := templates.ExecuteTemplate(&content, "page.html", p.view()); err != nil {
		return err
	}
	return files.Write("report", path, func(w io.Writer) error { _, err := content.WriteTo(w); return err })
}

// pageView is what page.html shows.
type pageView struct {
	Page
	Verdict     string
	Load        []string // what comes to the topic, a sentence each
	Assumptions []string // what the plans take as given, likewise

	Advised  string     // the best that keeps up, if Best is given
	Settings []pageFact // that all runs have
	Columns  []pageColumn
	Runs     []pageRun

	Frontier       *chart // of the search
	FrontierLegend []frontierMark
	FrontierAxis   string

	Charts   []chart
	TimeUnit string
	Drawn    []pageRun // that have a curve
	Causes   []pageCause
	NotDrawn string // what the charts leave out
}

// pageFigures are what runs are chosen by; with them the table fits a desktop's
// screen.
var pageFigures = []string{
	"instances", "lag\nat end", "lag\nat most", "latency\np50", "latency\np99", "latency\nmax",
	"bill", "FC", "EventBridge\nby events", "EventBridge\nby capacity", "peak memory", "dead\nletters", "discarded",
}

type pageFact struct{ Name, Value string }

type pageColumn struct {
	Name  string // in lines
	Words bool   // not only numbers with units
}

type pageRun struct {
	Number  int
	Label   string
	KeepsUp bool
	runStyle

	Bars    []bar
	Cells   []pageCell // by column
	Advice  string
	Stopped string
	Groups  [][]pageFact
}

// A pageCause is one of the bars'.
type pageCause struct {
	Number int
	Name   string
}

type pageCell struct {
	Text  string
	Words bool
}

func (p Page) view() pageView {
	shown := rounded(p.Runs)
	names := labels(shown)
	same, first, rest := arrange(shown, columns(shown, func(header string) bool { return slices.Contains(pageFigures, header) }))
	view := pageView{Page: p, Verdict: verdict(shown)}
	if len(shown) > 0 {
		view.Load, view.Assumptions = loadInWords(shown[0]), assumptions(shown[0])
	}
	for _, note := range []string{billNote(shown), seedsNote(shown), equalNote(shown), simulatedNote(shown)} {
		if note != "" {
			view.Assumptions = append(view.Assumptions, note)
		}
	}
	for _, s := range same {
		view.Settings = append(view.Settings, pageFact{s.name, s.value})
	}
	for i, run := range shown {
		view.Runs = append(view.Runs, pageRun{
			Number: i + 1, Label: names[i], KeepsUp: run.KeepsUp,
			runStyle: styleOf(i),
			Advice:   advice(run), Stopped: run.Stopped, Bars: bars(run),
		})
	}
	for _, c := range slices.Concat(first, rest) {
		column := pageColumn{c.header, c.textual()}
		view.Columns = append(view.Columns, column)
		for i, cell := range c.cells {
			view.Runs[i].Cells = append(view.Runs[i].Cells, pageCell{cell, column.Words})
		}
	}
	for i, run := range shown {
		for _, group := range facts(run) {
			var shown []pageFact
			for _, f := range group {
				if f.name != "advice" && f.name != "stopped" {
					shown = append(shown, pageFact{f.name, f.value})
				}
			}
			view.Runs[i].Groups = append(view.Runs[i].Groups, shown)
		}
	}

	if len(shown) > 1 && p.Best != "" && shown[0].KeepsUp {
		view.Advised = fmt.Sprintf("The %s of them is run 1: %s.", p.Best, names[0])
		if n := equals(shown); n > 1 {
			view.Advised = fmt.Sprintf("The %s of them, equal within the noise of %d seeds, are runs 1 to %d.", p.Best, len(shown[0].Seeds), n)
		}
	}
	if p.Search != nil {
		c, legend := newFrontier(*p.Search)
		view.Frontier, view.FrontierLegend, view.FrontierAxis = &c, legend, priceAxis(*p.Search)
		view.Verdict = searchVerdict(*p.Search)
	}
	drawn := min(len(shown), pageCurves)
	view.Drawn = view.Runs[:drawn]
	if drawn < len(shown) {
		view.NotDrawn = fmt.Sprintf("The curves are those of the first %d runs of %d. ", drawn, len(shown))
	}
	for cause, name := range causeNames {
		if slices.ContainsFunc(view.Drawn, func(r pageRun) bool { return r.spendsOn(cause) }) {
			view.Causes = append(view.Causes, pageCause{cause, name})
		}
	}
	end := longest(shown[:drawn])
	if shorter := chartEnd(shown[:drawn]); shorter < end {
		view.NotDrawn += fmt.Sprintf("They end after %s; the longest run takes %s.", units.Milliseconds(shorter*1000), units.Milliseconds(end*1000))
		end = shorter
	}
	unit := timeUnitOf(end, 6)
	view.TimeUnit = unit.name
	view.Charts = newCharts(shown[:drawn], unit, pageDetail)
	return view
}

func (r pageRun) spendsOn(cause int) bool {
	return slices.ContainsFunc(r.Bars, func(b bar) bool {
		return slices.ContainsFunc(b.Segments, func(s segment) bool { return s.Cause == cause })
	})
}

// Summary is of the bars, for those who do not see them.
func (r pageRun) Summary() string {
	var said []string
	for _, b := range r.Bars {
		said = append(said, b.summary())
	}
	return strings.Join(said, "; ") + "."
}

// chartEnd returns the seconds that charts show: twice the time of the load, so
// that a run that takes days to catch up leaves the others their room. A backlog
// alone has no such time.
func chartEnd(planned []result.Run) float64 {
	load := 0.0
	for _, p := range planned {
		load = max(load, p.WallSeconds-p.DrainSeconds)
	}
	if load == 0 {
		return longest(planned)
	}
	return 2 * load
}

// verdict says how many runs keep up.
func verdict(planned []result.Run) string {
	keeping := 0
	for _, p := range planned {
		if p.KeepsUp {
			keeping++
		}
	}
	switch n := len(planned); {
	case n == 1 && keeping == 1:
		return "The stream keeps up."
	case n == 1:
		return "The stream does not keep up."
	case keeping == 0:
		return fmt.Sprintf("None of %d runs keeps up.", n)
	case keeping == n:
		return fmt.Sprintf("All of %d runs keep up.", n)
	default:
		return fmt.Sprintf("%d of %d runs keep up.", keeping, n)
	}
}

// searchVerdict says what a search has found.
func searchVerdict(s result.Search) string {
	switch {
	case s.Best == nil:
		return "No settings keep " + goals(s) + ": run 1 are today's, run 2 the nearest."
	case len(s.Changes) == 0:
		return "Today's settings are the cheapest that keep " + goals(s) + "."
	}
	return "Run 1 are today's settings, run 2 the cheapest that keep " + goals(s) + "."
}
