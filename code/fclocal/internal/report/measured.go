package report

import (
	"fmt"
	"io"

	"fclocal/internal/result"
	"fclocal/internal/units"
)

// MeasuredTable writes for a person to read what was measured at each batch size,
// with what the fit gives instead, and then the figures of the fit.
func MeasuredTable(w io.Writer, f result.Measured) error {
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
			units.Count(p.Events), units.Count(p.Calls), units.Duration(p.CPU), fitted(units.Duration, cpu, p.CPU),
			units.Duration(p.Duration), fitted(units.Duration, cpu+f.Wait(p.Events), p.Duration),
			units.Bytes(p.AloneMemory), fitted(units.Bytes, f.Memory(p.Events, 1), p.AloneMemory),
			units.Count(p.InFlight), units.Bytes(p.Memory), fitted(units.Bytes, f.Memory(p.Events, p.InFlight), p.Memory),
		}
		for i := range table {
			table[i].cells = append(table[i].cells, cells[i])
		}
	}
	content := render(table) + fmt.Sprintf("\n\nOn this machine a call takes %s of CPU time, and %s for each event in it.\nIt waits %s, and %s for each event.\n",
		units.Duration(f.CallCPU), units.Duration(f.EventCPU), units.Duration(f.CallWait), units.Duration(f.EventWait))
	if memoryTold {
		content += fmt.Sprintf("An instance takes %s of memory, %s for each event of a call,\nand %s for each event of every further call in flight.\n",
			units.Bytes(f.BaseMemory), units.Bytes(int64(f.EventMemory)), units.Bytes(int64(f.FurtherEventMemory)))
	}
	content += fmt.Sprintf("A cold start takes %s.\n", units.Duration(f.ColdStart))
	content += units.Sprintf("A call writes %.0f bytes of logs, and %.0f for each event in it.\n", f.CallLog, f.EventLog)
	if f.OutOfMemoryAt > 0 {
		content += fmt.Sprintf("With %s events in flight it ran out of memory; larger batches were not tried. Raise memorySize, or lower CountBasedWindow or instanceConcurrency.\n", units.Count(f.OutOfMemoryAt))
	}
	_, err := io.WriteString(w, content)
	return err
}

// fitted renders what the fit gives, and by how much it is off.
func fitted[T ~int64](render func(T) string, fitted, measured T) string {
	return fmt.Sprintf("%s %+4.0f %%", render(fitted), (float64(fitted)/float64(measured)-1)*100)
}
