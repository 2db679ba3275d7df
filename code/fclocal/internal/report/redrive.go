package report

import (
	"io"
	"strings"

	"fclocal/internal/escape"
	"fclocal/internal/result"
	"fclocal/internal/units"
)

// Redrive writes what became of dead letters for a person to read.
func Redrive(w io.Writer, r result.Redrive) error {
	var text strings.Builder
	say := func(format string, arguments ...any) { text.WriteString(units.Sprintf(format, arguments...) + "\n") }
	file := escape.Line(r.File)
	if r.Topic != "" {
		say("%d dead letters taken from topic %q into %s", r.Taken, r.Topic, file)
	}
	if r.Skipped > 0 {
		say("%d of its records passed over: they are no dead letters", r.Skipped)
	}
	say("%d of %d dead letters delivered in %d calls", r.Delivered, r.Letters, r.Calls)
	if r.Failed > 0 {
		say("%d failed again, and stay in %s; failed calls:", r.Failed, file)
		for _, line := range failedAttempts(r.Failures) {
			say("  %s", line)
		}
	}
	if r.Untried > 0 {
		say("%d have not been tried, and stay in %s", r.Untried, file)
	}
	if r.CutShort > 0 {
		say("%d have been cut short in %s, and stay there", r.CutShort, file)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// RedriveJSON writes it for a script.
func RedriveJSON(w io.Writer, r result.Redrive) error { return encode(w, r) }
