package report

import (
	"fmt"
	"io"
	"time"

	"fclocal/internal/measure"
)

// MeasuredTable writes for a person to read what was measured at each batch size,
// with what the fit gives instead, and then the figures of the fit.
func MeasuredTable(w io.Writer, f measure.Function) error {
	memoryTold := f.BaseMemory > 0 || f.EventMemory > 0
	table := []column{
		{header: "events\n/call"}, {header: "calls"}, {header: "CPU time"}, {header: "fitted"}, {header: "time\nalone"}, {header: "fitted"},
	}
	if memoryTold {
		table = append(table, column{header: "memory\nalone"}, column{header: "fitted"},
			column{header: "calls\nin flight"}, column{header: "memory"}, column{header: "fitted"})
	}
	for _, p := range f.Points {
		cpu := f.CPU(p.Events)
		cells := []string{
			whole(p.Events), whole(p.Calls), rounded(p.CPU), fitted(rounded, cpu, p.CPU),
			rounded(p.Duration), fitted(rounded, cpu+f.Wait(p.Events), p.Duration),
			size(p.AloneMemory), fitted(size, f.Memory(p.Events, 1), p.AloneMemory),
			whole(p.InFlight), size(p.Memory), fitted(size, f.Memory(p.Events, p.InFlight), p.Memory),
		}
		for i := range table {
			table[i].cells = append(table[i].cells, cells[i])
		}
	}
	content := render(table) + fmt.Sprintf("\n\nOn this machine a call takes %s of CPU time, and %s for each event in it; it waits %s, and %s for each event.\n",
		rounded(f.CallCPU), rounded(f.EventCPU), rounded(f.CallWait), rounded(f.EventWait))
	if memoryTold {
		content += fmt.Sprintf("An instance takes %s of memory, %s for each event of a call, and %s for each event of every further call in flight.\n",
			size(f.BaseMemory), size(int64(f.EventMemory)), size(int64(f.FurtherEventMemory)))
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

// rounded renders a time with the three digits that a reader can use.
func rounded(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

// size renders bytes.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%.1f KB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
}
