package report

import (
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"fclocal/internal/escape"
	"fclocal/internal/result"
)

// Table writes the runs for a person to read. A single run is a list of its
// settings and figures. Several runs have a row each, after a line with the
// settings that all have, and below them what is to be said of each in words.
//
// Lines are kept within width columns, where a single value is not wider; a
// width of 0 sets no limit. Columns that do not fit go to a further table below.
func Table(w io.Writer, runs []result.Run, width int) error {
	shown := rounded(runs)
	var content string
	switch len(shown) {
	case 0:
	case 1:
		content = list(shown[0], width)
	default:
		content = rows(shown, width)
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

// A fact is a figure or setting of one run.
type fact struct{ name, value string }

// facts are a single run's, in their groups.
func facts(run result.Run) [][]fact {
	all := make([][]fact, groups)
	for _, f := range figures {
		if f.name != "" && (f.none == nil || !f.none(run)) {
			all[f.group] = append(all[f.group], fact{f.name, f.text(run)})
		}
	}
	return all
}

// list renders a single run: its settings, then each group of figures.
func list(run result.Run, width int) string {
	var settings []fact
	for _, s := range shownSettings(run) {
		settings = append(settings, fact(s))
	}
	parts := append([][]fact{settings}, facts(run)...)
	nameWidth := 0
	for _, f := range slices.Concat(parts...) {
		nameWidth = max(nameWidth, text.StringWidthWithoutEscSequences(f.name))
	}
	t := newTable()
	if width > 0 {
		t.SetColumnConfigs([]table.ColumnConfig{{
			Number:           2,
			WidthMax:         max(width-nameWidth-len(gap), 10),
			WidthMaxEnforcer: text.WrapSoft,
		}})
	}
	for i, part := range parts {
		if i > 0 && len(part) > 0 {
			t.AppendRow(table.Row{"", ""})
		}
		for _, f := range part {
			t.AppendRow(table.Row{f.name, f.value})
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

// columns are those of the figures that a table has; wanted says which of them, by
// what stands above, and nil all.
func columns(runs []result.Run, wanted func(header string) bool) []column {
	var columns []column
	for _, f := range figures {
		has := func(r result.Run) bool { return f.none == nil || !f.none(r) }
		if f.short == "" || !slices.ContainsFunc(runs, has) || wanted != nil && !wanted(f.short) {
			continue
		}
		c := column{name: f.name, header: f.short}
		for _, run := range runs {
			c.cells = append(c.cells, f.text(run))
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
		cell = strings.TrimPrefix(cell, cheaper)
		return cell != "" && cell != "-" && (cell[0] < '0' || cell[0] > '9')
	})
}

// arrange makes the parts of a table of several runs: the settings that all runs
// have, the columns that name a run, and those of its figures.
func arrange(runs []result.Run, figures []column) (same []setting, first, rest []column) {
	same, differing := compare(runs)
	for _, name := range differing {
		c := column{name: name, header: name}
		for _, run := range runs {
			c.cells = append(c.cells, valueOf(run, name))
		}
		first = append(first, c)
	}
	if len(first) == 0 {
		first = []column{{name: "run", header: "run", cells: labels(runs)}}
	}
	for _, c := range figures {
		common := c.name == idleTasks || c.name == delivered || c.name == onPurpose
		if common && len(slices.Compact(slices.Clone(c.cells))) == 1 {
			same = append(same, setting{c.name, c.cells[0]})
			continue
		}
		rest = append(rest, c)
	}
	return same, first, rest
}

// rows renders several runs.
func rows(runs []result.Run, width int) string {
	same, first, rest := arrange(runs, columns(runs, nil))
	var b strings.Builder
	for _, line := range lines(same, width) {
		b.WriteString(line + "\n")
	}
	for len(rest) > 0 {
		n := fitting(first, rest, width)
		b.WriteString("\n" + render(slices.Concat(first, rest[:n])) + "\n")
		rest = rest[n:]
	}
	separator := "\n"
	for _, note := range []string{billNote(runs), seedsNote(runs), equalNote(runs), simulatedNote(runs)} {
		if note != "" {
			b.WriteString(separator + wrap(note, width) + "\n")
		}
	}
	for i, name := range labels(runs) {
		said := []string{prefixed("stopped: ", escape.Line(runs[i].Stopped)), advice(runs[i])}
		for _, line := range failedAttempts(runs[i].Failures) {
			said = append(said, "failed attempts: "+line)
		}
		for _, said := range said {
			if said != "" {
				b.WriteString(separator + wrap(name+": "+said, width) + "\n")
				separator = ""
			}
		}
	}
	return b.String()
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
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
