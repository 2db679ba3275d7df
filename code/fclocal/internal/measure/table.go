package measure

import (
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Table writes for a person to read what was measured at each batch size, with
// what the fit gives instead, and then the figures of the fit.
func (f Function) Table(w io.Writer) error {
	memoryTold := f.BaseMemory > 0 || f.EventMemory > 0
	style := table.StyleLight // like the tables of package report
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Options = table.Options{SeparateHeader: true}
	style.Format.Header = text.FormatDefault
	t := table.NewWriter()
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	header := table.Row{"events\n/call", "calls", "CPU time", "fitted", "time\nalone", "fitted"}
	if memoryTold {
		header = append(header, "memory\nalone", "fitted", "calls\nin flight", "memory", "fitted")
	}
	columns := make([]table.ColumnConfig, len(header))
	for i := range columns {
		columns[i] = table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight, VAlignHeader: text.VAlignBottom}
	}
	t.SetColumnConfigs(columns)
	t.AppendHeader(header)
	for _, p := range f.Points {
		cpu := f.CPU(p.Events)
		row := table.Row{whole(p.Events), whole(p.Calls), rounded(p.CPU), fitted(rounded, cpu, p.CPU), rounded(p.Duration), fitted(rounded, cpu+f.Wait(p.Events), p.Duration)}
		if memoryTold {
			row = append(row,
				memory(p.AloneMemory), fitted(memory, f.Memory(p.Events, 1), p.AloneMemory),
				p.InFlight, memory(p.Memory), fitted(memory, f.Memory(p.Events, p.InFlight), p.Memory))
		}
		t.AppendRow(row)
	}
	content := t.Render() + fmt.Sprintf("\n\nOn this machine a call takes %s of CPU time, and %s for each event in it; it waits %s, and %s for each event.\n",
		rounded(f.CallCPU), rounded(f.EventCPU), rounded(f.CallWait), rounded(f.EventWait))
	if memoryTold {
		content += fmt.Sprintf("An instance takes %s of memory, %s for each event of a call, and %s for each event of every further call in flight.\n",
			memory(f.BaseMemory), memory(int64(f.EventMemory)), memory(int64(f.FurtherEventMemory)))
	}
	content += fmt.Sprintf("A cold start takes %s.\n", rounded(f.ColdStart))
	if f.OutOfMemoryAt > 0 {
		content += fmt.Sprintf("With %s events in flight it ran out of memory; larger batches were not tried. Raise memorySize, or lower CountBasedWindow or instanceConcurrency.\n", whole(f.OutOfMemoryAt))
	}
	_, err := io.WriteString(w, content)
	return err
}

// fitted renders what the fit gives, and by how much it is off.
func fitted[T ~int64](render func(T) string, fitted, measured T) string {
	return fmt.Sprintf("%s %+4.0f %%", render(fitted), (float64(fitted)/float64(measured)-1)*100)
}

var english = message.NewPrinter(language.English)

// whole renders a count with its digits in groups.
func whole(n int) string { return english.Sprintf("%d", n) }

// rounded renders a time with the three digits that a reader can use.
func rounded(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

func memory(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%.1f KB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
}
