package report

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"fclocal/internal/result"
)

// onTerminal returns the live line of a terminal with width columns.
func onTerminal(w io.Writer, width int) *Progress {
	return &Progress{w: w, width: func() int { return width }}
}

// screen shows what a terminal would: it knows carriage return and erasing to
// the end of the line.
func screen(t *testing.T, written string, width int) string {
	t.Helper()
	var line []rune
	at := 0
	for written != "" {
		if rest, ok := strings.CutPrefix(written, "\x1b[K"); ok {
			line, written = line[:at], rest
			continue
		}
		r := []rune(written)[0]
		written = written[len(string(r)):]
		switch {
		case r == '\r':
			at = 0
			continue
		case r < ' ':
			t.Fatalf("%q on a line that is drawn over", r)
		case at < len(line):
			line[at] = r
		default:
			line = append(line, r)
		}
		at++
		if columns := text.StringWidthWithoutEscSequences(string(line)); columns >= width {
			t.Fatalf("the line wraps: %s", string(line))
		}
	}
	return string(line)
}

func TestProgressLine(t *testing.T) {
	state := result.State{
		Produced: 100_000, Delivered: 12_345, InFlight: 26, Instances: 13,
		EventsPerSecond: 3210.4, Lag: 87_655, Retries: 12,
	}
	labelled := state
	labelled.Label = "run 2 of 5"
	for _, test := range []struct {
		state any
		width int
		want  string
	}{
		{result.PlanState{Finished: 3, Runs: 9, Done: 0.41999}, 80, "3 of 9 runs, 41 %"},
		{result.PlanState{Finished: 3, Runs: 9, Done: 0.41}, 10, "3 of 9 ru"},
		{result.PlanState{Runs: 1, Done: 0.07}, 0, "7 %"},
		{state, 160, "delivered 12,345 of 100,000 (12 %), 26 in flight, 13 instances, 3,210/s, lag 87,655, 12 retries"},
		{state, 0, "delivered 12,345 of 100,000 (12 %), 26 in flight, 13 instances, 3,210/s, lag 87,655, 12 retries"},
		{state, 90, "delivered 12,345 of 100,000, 26 in flight, 13 instances, 3,210/s, lag 87,655, 12 retries"},
		{state, 80, "delivered 12,345 of 100,000, 26 in flight, 13 instances, 3,210/s, lag 87,655"},
		{state, 50, "delivered 12,345 of 100,000, 26 in flight"},
		{state, 20, "delivered 12,345 of"},
		{labelled, 80, "run 2 of 5: delivered 12,345 of 100,000, 26 in flight, 13 instances, 3,210/s"},
		{result.State{}, 80, "delivered 0 of 0, 0 in flight, 0 instances, 0/s, lag 0, 0 retries"},
		{result.State{Produced: 3, Delivered: 3}, 80, "delivered 3 of 3 (100 %), 0 in flight, 0 instances, 0/s, lag 0, 0 retries"},
	} {
		got := ""
		switch state := test.state.(type) {
		case result.State:
			got = streamLine(state, test.width)
		case result.PlanState:
			got = planLine(state, test.width)
		}
		if got != test.want {
			t.Errorf("at %d columns:\n got %q\nwant %q", test.width, got, test.want)
		}
	}
}

func TestProgressOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := onTerminal(&out, 90)
		shows := func(want string) {
			t.Helper()
			if got := screen(t, out.String(), 90); got != want {
				t.Errorf("the terminal shows %q, want %q", got, want)
			}
		}
		const started = "delivered 0 of 1,000 (0 %), 0 in flight, 0 instances, 0/s, lag 1,000, 123,456 retries"
		const ended = "delivered 9 of 9 (100 %), 0 in flight, 0 instances, 0/s, lag 0, 0 retries"

		if err := p.Clear(); err != nil || out.Len() > 0 {
			t.Errorf("Clear wrote %q before there was a line, and its error is %v", out.String(), err)
		}
		p.Stream(result.State{Produced: 1000, Lag: 1000, Retries: 123_456})
		shows(started)
		time.Sleep(progressInterval / 2)
		p.Stream(result.State{Produced: 9, Delivered: 9})
		shows(started) // as it is too soon to draw again
		time.Sleep(progressInterval)
		p.Stream(result.State{Produced: 9, Delivered: 9})
		shows(ended) // with nothing left of the longer line
		for range 2 {
			if err := p.Clear(); err != nil {
				t.Error(err)
			}
			shows("")
		}
		p.Stream(result.State{Produced: 1000, Lag: 1000, Retries: 123_456})
		shows(started) // at once after Clear
	})
}

func TestProgressIsSilentElsewhere(t *testing.T) {
	t.Setenv("COLUMNS", "")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var buffer bytes.Buffer
	for _, to := range []io.Writer{w, &buffer} {
		p := NewProgress(to)
		p.Stream(result.State{Produced: 1})
		if err := p.Clear(); err != nil {
			t.Error(err)
		}
		if width := Width(to); width != 0 {
			t.Errorf("%T has %d columns, want 0", to, width)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	piped, err := io.ReadAll(r)
	if err != nil || len(piped) > 0 || buffer.Len() > 0 {
		t.Errorf("wrote %q to a pipe and %q to a buffer (%v), want nothing", piped, buffer.String(), err)
	}
}

func TestProgressKnowsATerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminal here: ", err)
	}
	defer terminal.Close()
	if NewProgress(terminal).width == nil {
		t.Error("a terminal was not recognized")
	}
}
