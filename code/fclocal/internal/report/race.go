package report

import (
	"fmt"
	"io"
	"strings"

	"fclocal/internal/escape"
	"fclocal/internal/result"
)

// racesShown is how many reports of races are shown: all of them tell where they are.
const racesShown = 10

// Races writes what the race detector has said.
func Races(w io.Writer, races []result.Race) error {
	var text strings.Builder
	for _, race := range races[:min(racesShown, len(races))] {
		text.WriteString(escape.Text(strings.TrimSpace(race.Text)) + "\n\n")
	}
	if more := len(races) - racesShown; more > 0 {
		fmt.Fprintf(&text, "… and %d more\n\n", more)
	}
	_, err := io.WriteString(w, text.String())
	return err
}
