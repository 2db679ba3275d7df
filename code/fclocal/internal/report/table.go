package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Table writes the runs for a person to read. A single run is a list of its
// settings and figures. Several runs have a row each, after a line with the
// settings that all have; figures that are 0 in all runs are left out, except
// where 0 is news.
//
// Lines are kept within width columns, where a single value is not wider; a
// width of 0 sets no limit. Columns that do not fit go to a further table below.
func Table(w io.Writer, runs []Run, width int) error {
	if len(runs) == 0 {
		return nil
	}
	shown := make([]Run, len(runs))
	for i, run := range runs {
		shown[i] = run.rounded() // for finite numbers
	}
	var content string
	if len(runs) == 1 {
		content = list(shown[0], width,
			columns(shown, delivered, deadLettered, discarded, filtered, pending, redelivered),
			columns(shown, calls, retries, perCall, perSecond, latencyP50, latencyP95, latencyP99, latencyMax, wallTime),
			columns(shown, instances, peakInFlight, coldStarts, peakMemory, idleTasks))
	} else {
		same, first, rest := arrange(shown, columns(shown,
			instances, calls, perCall, perSecond, latencyP50, latencyP95, latencyP99, latencyMax,
			coldStarts, peakMemory, idleTasks, wallTime,
			retries, deadLettered, discarded, filtered, redelivered, delivered, pending),
			idleTasks.name)
		content = rows(shown, same, first, rest, width)
	}
	_, err := io.WriteString(w, content)
	return err
}

// gap is the space between two columns.
const gap = "  "

func newTable() table.Writer {
	style := table.StyleLight
	style.Box.PaddingLeft, style.Box.PaddingRight = "", gap
	style.Options = table.Options{SeparateHeader: true}
	style.Format.Header = text.FormatDefault
	t := table.NewWriter()
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	return t
}

// A figure is one result of a run, which is a Run or a Planned.
type figure[R any] struct {
	name  string // in the list of a single run
	short string // above a column; "" if it has none
	value func(R) string

	zero func(R) bool // nil if it is always shown
}

// counted is a figure that is left out when it is 0.
func counted[R any](name, short string, count func(R) int64) figure[R] {
	return figure[R]{
		name, short,
		func(r R) string { return whole(count(r)) },
		func(r R) bool { return count(r) == 0 },
	}
}

var (
	idleTasks = figure[Run]{"idle tasks", "idle\ntasks",
		func(r Run) string { return fmt.Sprintf("%d of %d", r.IdleTasks, r.MaximumTasks) },
		func(r Run) bool { return r.IdleTasks == 0 }}
	instances = figure[Run]{"instances", "instances",
		func(r Run) string { return fmt.Sprintf("%s (bound %s)", whole(r.Instances), whole(r.InstancesBound)) }, nil}
	peakInFlight = figure[Run]{"calls in flight", "",
		func(r Run) string { return whole(r.PeakInFlight) + " at most" }, nil}
	coldStarts = figure[Run]{"cold starts", "cold starts",
		func(r Run) string {
			if r.ColdStarts == 0 {
				return "0"
			}
			return fmt.Sprintf("%s (%s)", whole(r.ColdStarts), duration(r.ColdStartMs))
		}, nil}
	peakMemory = figure[Run]{"peak memory", "peak memory",
		func(r Run) string {
			if r.PeakMemoryMB == 0 {
				return "-"
			}
			return English.Sprintf("%.1f of %d MB", r.PeakMemoryMB, r.MemorySize)
		}, nil}
	calls      = figure[Run]{"calls", "calls", func(r Run) string { return whole(r.Calls) }, nil}
	perCall    = figure[Run]{"events per call", "events\n/call", func(r Run) string { return number(r.EventsPerCall) }, nil}
	perSecond  = figure[Run]{"events per second", "events\n/s", func(r Run) string { return number(r.EventsPerSecond) }, nil}
	latencyP50 = latency("p50", func(l LatencyMs) float64 { return l.P50 })
	latencyP95 = latency("p95", func(l LatencyMs) float64 { return l.P95 })
	latencyP99 = latency("p99", func(l LatencyMs) float64 { return l.P99 })
	latencyMax = latency("max", func(l LatencyMs) float64 { return l.Max })
	wallTime   = figure[Run]{"time", "time", func(r Run) string { return duration(r.WallSeconds * 1000) }, nil}

	delivered = figure[Run]{"delivered", "delivered",
		func(r Run) string { return whole(r.Delivered) + " of " + whole(r.Produced) }, nil}
	pending = figure[Run]{"pending", "pending", func(r Run) string { return whole(r.Pending) }, nil}

	retries      = counted("retries", "retries", func(r Run) int64 { return r.Retries })
	deadLettered = counted("dead letters", "dead\nletters", func(r Run) int64 { return r.DeadLettered })
	discarded    = counted("discarded", "discarded", func(r Run) int64 { return r.Discarded })
	filtered     = counted("filtered", "filtered", func(r Run) int64 { return r.Filtered })
	redelivered  = counted("delivered more than once", "delivered\nagain", func(r Run) int64 { return r.Redelivered })
)

func latency(which string, of func(LatencyMs) float64) figure[Run] {
	return figure[Run]{"latency " + which, "latency\n" + which, func(r Run) string {
		return r.measured(of(r.LatencyMs))
	}, nil}
}

// measured renders a latency of the run.
func (r Run) measured(milliseconds float64) string {
	if r.Delivered == 0 {
		return "-" // as none was measured
	}
	return duration(milliseconds)
}

// list renders a single run: its settings, then each group of figures.
func list(run Run, width int, figures ...[]column) string {
	var settings [][2]string
	for _, s := range run.settings() {
		settings = append(settings, [2]string{s.name, s.value})
	}
	groups := [][][2]string{settings}
	for _, columns := range figures {
		var group [][2]string
		for _, c := range columns {
			group = append(group, [2]string{c.name, c.cells[0]})
		}
		groups = append(groups, group)
	}
	if run.Stopped != "" {
		groups = append(groups, [][2]string{{"stopped", run.Stopped}})
	}

	nameWidth := 0
	for _, row := range slices.Concat(groups...) {
		nameWidth = max(nameWidth, text.StringWidthWithoutEscSequences(row[0]))
	}
	t := newTable()
	if width > 0 {
		t.SetColumnConfigs([]table.ColumnConfig{{
			Number:           2,
			WidthMax:         max(width-nameWidth-len(gap), 10),
			WidthMaxEnforcer: text.WrapSoft,
		}})
	}
	for i, group := range groups {
		if i > 0 {
			t.AppendRow(table.Row{"", ""})
		}
		for _, row := range group {
			t.AppendRow(table.Row{row[0], row[1]})
		}
	}
	return t.Render() + "\n"
}

// A column is a figure or setting of all runs.
type column struct {
	name   string
	header string
	cells  []string // by run
}

// columns are those of figures, without the figures that are 0 in all runs.
func columns[R any](runs []R, figures ...figure[R]) []column {
	var columns []column
	for _, f := range figures {
		if f.zero != nil && !slices.ContainsFunc(runs, func(r R) bool { return !f.zero(r) }) {
			continue
		}
		c := column{name: f.name, header: f.short}
		for _, run := range runs {
			c.cells = append(c.cells, f.value(run))
		}
		columns = append(columns, c)
	}
	return columns
}

func (c column) width() int {
	width := 0
	for _, cell := range append(strings.Split(c.header, "\n"), c.cells...) {
		width = max(width, text.StringWidthWithoutEscSequences(cell))
	}
	return width
}

// textual says whether the column has words and not only numbers with units.
func (c column) textual() bool {
	return slices.ContainsFunc(c.cells, func(cell string) bool {
		return cell != "-" && (cell[0] < '0' || cell[0] > '9')
	})
}

// arrange makes the parts of a table of several runs: the settings that all runs
// have, the columns that name a run, and those of its figures. Figures named by
// common follow from what all runs have, as a rule: they then stand with the
// settings.
func arrange(runs []Run, figures []column, common ...string) (same []setting, first, rest []column) {
	same, differing := compare(runs)
	for _, name := range differing {
		c := column{name: name, header: name}
		for _, run := range runs {
			c.cells = append(c.cells, run.value(name))
		}
		first = append(first, c)
	}
	if len(first) == 0 {
		first = []column{{name: "run", header: "run", cells: labels(runs)}}
	}
	for _, c := range figures {
		if slices.Contains(common, c.name) && len(slices.Compact(slices.Clone(c.cells))) == 1 {
			same = append(same, setting{c.name, c.cells[0]})
			continue
		}
		rest = append(rest, c)
	}
	return same, first, rest
}

// rows renders what arrange has made.
func rows(runs []Run, same []setting, first, rest []column, width int) string {
	var b strings.Builder
	for _, line := range lines(same, width) {
		b.WriteString(line + "\n")
	}
	for len(rest) > 0 {
		n := fitting(first, rest, width)
		b.WriteString("\n" + render(slices.Concat(first, rest[:n])) + "\n")
		rest = rest[n:]
	}
	names := labels(runs)
	for i, run := range runs {
		if run.Stopped != "" {
			b.WriteString("\n" + wrap(names[i]+" stopped: "+run.Stopped, width) + "\n")
		}
	}
	return b.String()
}

// wrap breaks a text at spaces into lines of width columns; 0 sets no limit.
func wrap(s string, width int) string {
	if width <= 0 {
		return s
	}
	lines := strings.Split(text.WrapSoft(s, width), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ") // with which WrapSoft fills up
	}
	return strings.Join(lines, "\n")
}

// fitting returns how many of rest fit beside first, and at least 1.
func fitting(first, rest []column, width int) int {
	used := 0
	for _, c := range first {
		used += c.width() + len(gap)
	}
	for n, c := range rest {
		used += c.width() + len(gap)
		if width > 0 && n > 0 && used > width {
			return n
		}
	}
	return len(rest)
}

func render(columns []column) string {
	t := newTable()
	header := make(table.Row, len(columns))
	configs := make([]table.ColumnConfig, len(columns))
	for i, c := range columns {
		header[i] = c.header
		align := text.AlignRight
		if c.textual() {
			align = text.AlignLeft
		}
		configs[i] = table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align, VAlignHeader: text.VAlignBottom}
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for run := range columns[0].cells {
		row := make(table.Row, len(columns))
		for i, c := range columns {
			row[i] = c.cells[run]
		}
		t.AppendRow(row)
	}
	return t.Render()
}
