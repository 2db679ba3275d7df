package report

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"fclocal/internal/escape"
	"fclocal/internal/result"
	"fclocal/internal/units"
)

// progressInterval is the time between two drawings of the live line.
const progressInterval = 100 * time.Millisecond

// Progress is a live line on a terminal. It writes nothing if its writer is
// none. It is safe for concurrent use.
type Progress struct {
	w     io.Writer
	width func() int // columns of the terminal; nil if there is none

	mu    sync.Mutex
	drawn time.Time // zero: the line is empty
	err   error     // the first one; nothing is written after it
}

// NewProgress returns the live line of w, which is stderr as a rule.
func NewProgress(w io.Writer) *Progress {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return &Progress{w: w}
	}
	return &Progress{w: w, width: func() int { return Width(file) }}
}

// Width returns the columns of the terminal that w is, for Table; else what the
// environment variable COLUMNS says, and 0 without it.
func Width(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return width
		}
	}
	columns, _ := strconv.Atoi(os.Getenv("COLUMNS"))
	return max(columns, 0)
}

// Stream shows how far a stream has come, at most ten times a second.
func (p *Progress) Stream(s result.State) {
	p.update(func(width int) string { return streamLine(s, width) })
}

// Plan shows how far plans have come likewise.
func (p *Progress) Plan(s result.PlanState) {
	p.update(func(width int) string { return planLine(s, width) })
}

// Reading shows how far a topic has been read likewise, in offsets.
func (p *Progress) Reading(topic string, read, of int64) {
	p.update(func(width int) string {
		line := fmt.Sprintf("reading %s: %s of %s (%d %%)", escape.Line(topic), units.Count(read), units.Count(of), 100*read/max(of, 1))
		if width > 0 {
			line = text.Trim(line, width-1)
		}
		return line
	})
}

func (p *Progress) update(line func(width int) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width == nil || time.Since(p.drawn) < progressInterval {
		return
	}
	p.drawn = time.Now()
	p.write("\r" + line(p.width()) + text.EraseLine.Sprint())
}

// Clear removes the line, so that something else can be written. The next
// call shows it again. The error is the first one of all writes.
func (p *Progress) Clear() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.drawn.IsZero() {
		p.drawn = time.Time{}
		p.write("\r" + text.EraseLine.Sprint())
	}
	return p.err
}

func (p *Progress) write(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

// PlansProgress is how far several plans have come, on a live line. It is safe for
// concurrent use.
type PlansProgress struct {
	*Progress

	mu    sync.Mutex
	state result.PlanState
	done  []float64 // by run
}

// NewPlansProgress returns the live line of w for so many runs.
func NewPlansProgress(w io.Writer, runs int) *PlansProgress {
	return &PlansProgress{Progress: NewProgress(w), state: result.PlanState{Runs: runs}, done: make([]float64, runs)}
}

// Update says which share of a run, from 0, is done.
func (p *PlansProgress) Update(run int, done float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[run] = done
	p.state.Done = 0
	for _, done := range p.done {
		p.state.Done += done / float64(len(p.done))
	}
	p.Plan(p.state)
}

// Finish says that a run is done.
func (p *PlansProgress) Finish(run int) {
	p.mu.Lock()
	p.state.Finished++
	p.mu.Unlock()
	p.Update(run, 1)
}

// streamLine renders the state in less than width columns, as a line that wraps could
// not be drawn over; 0 sets no limit. What does not fit is left out: the percent
// first, then from the end.
func streamLine(s result.State, width int) string {
	fits := func(line string) bool {
		return width <= 0 || text.StringWidthWithoutEscSequences(line) < width
	}
	parts := []string{
		fmt.Sprintf("delivered %s of %s", units.Count(s.Delivered), units.Count(s.Produced)),
		units.Count(s.InFlight) + " in flight",
		units.Count(s.Instances) + " instances",
		units.Number(s.EventsPerSecond) + "/s",
		"lag " + units.Count(s.Lag),
		units.Count(s.Retries) + " retries",
	}
	if s.Label != "" {
		parts[0] = s.Label + ": " + parts[0]
	}
	if s.Produced > 0 {
		percent := fmt.Sprintf(" (%d %%)", s.Delivered*100/s.Produced)
		if fits(strings.Join(parts, ", ") + percent) {
			parts[0] += percent
		}
	}
	for len(parts) > 1 && !fits(strings.Join(parts, ", ")) {
		parts = parts[:len(parts)-1]
	}
	line := strings.Join(parts, ", ")
	if !fits(line) {
		line = text.Trim(line, width-1)
	}
	return line
}

// planLine renders the state likewise.
func planLine(s result.PlanState, width int) string {
	line := fmt.Sprintf("%d %%", int(100*s.Done))
	if s.Runs > 1 {
		line = fmt.Sprintf("%d of %d runs, %s", s.Finished, s.Runs, line)
	}
	if s.Label != "" {
		line = s.Label + ": " + line
	}
	if width > 0 {
		line = text.Trim(line, width-1)
	}
	return line
}
