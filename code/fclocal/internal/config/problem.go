package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"fclocal/internal/escape"
)

// Severity tells whether a problem keeps a file from being used.
type Severity string

const (
	// SeverityError is a setting that s or the platform refuses, or that
	// fclocal cannot run.
	SeverityError Severity = "error"
	// SeverityWarning is a setting that deploys but does not do what it seems to.
	SeverityWarning Severity = "warning"
)

// A Problem is one thing wrong with an s.yaml.
type Problem struct {
	Severity Severity `json:"severity"`

	// File is the path given to Load, or "--set NAME=VALUE" for an
	// overridden setting.
	File string `json:"file"`

	// Line and Column are the place in File, both from 1, Column in characters.
	// They are 0 for an overridden setting.
	Line   int `json:"line"`
	Column int `json:"column"`

	// Path is the setting, such as services.X.props.triggers[0].name. It is
	// "" for the file as a whole.
	Path string `json:"path"`

	// Message says what is wrong and what is allowed, in one line.
	Message string `json:"message"`

	source string // the line of File, without its line break
}

// Count returns how many of the problems are errors and how many warnings.
func Count(problems []Problem) (errors, warnings int) {
	for _, p := range problems {
		if p.Severity == SeverityError {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}

// Render writes problems for people: FILE:LINE:COLUMN: SEVERITY: MESSAGE, then
// the source line and a caret under the place. Of many it writes the first, and how
// many more there are.
func Render(w io.Writer, problems []Problem) error {
	for _, p := range problems[:min(len(problems), maxShown)] {
		if _, err := io.WriteString(w, p.render()); err != nil {
			return err
		}
	}
	if more := len(problems) - maxShown; more > 0 {
		if _, err := fmt.Fprintf(w, "… and %d more\n", more); err != nil {
			return err
		}
	}
	return nil
}

// RenderJSON writes problems for scripts: an object with file, errors, warnings and
// problems, the first of many, and then how many more there are.
func RenderJSON(w io.Writer, file string, problems []Problem) error {
	if problems == nil {
		problems = []Problem{} // [] and not null
	}
	errors, warnings := Count(problems)
	more := max(0, len(problems)-maxShown)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		File     string    `json:"file"`
		Errors   int       `json:"errors"`
		Warnings int       `json:"warnings"`
		Problems []Problem `json:"problems"`
		More     int       `json:"more,omitempty"`
	}{file, errors, warnings, problems[:len(problems)-more], more})
}

// Summary counts problems in words: "3 errors, 1 warning", or "ok".
func Summary(problems []Problem) string {
	errors, warnings := Count(problems)
	var parts []string
	for _, count := range []struct {
		n    int
		name string
	}{{errors, "error"}, {warnings, "warning"}} {
		switch {
		case count.n == 1:
			parts = append(parts, "1 "+count.name)
		case count.n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", count.n, count.name))
		}
	}
	if parts == nil {
		return "ok"
	}
	return strings.Join(parts, ", ")
}

func (p Problem) render() string {
	file := escape.Line(p.File)
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s: %s\n", file, p.Severity, p.Message)
	}
	text := fmt.Sprintf("%s:%d:%d: %s: %s\n", file, p.Line, p.Column, p.Severity, p.Message)
	if strings.TrimSpace(p.source) == "" {
		return text
	}
	before, after := around(p.source, p.Column-1)
	before, after = escape.Line(before), escape.Line(after)
	return text + before + after + "\n" + padding(before) + "^\n"
}

// around returns what is before and after the first n characters of a line. It cuts a
// long line on both sides.
func around(line string, n int) (before, after string) {
	length := utf8.RuneCountInString(line)
	n = min(n, length)
	start, end := 0, length
	if length > maxSource {
		start = min(max(0, n-maxSource/2), length-maxSource)
		end = start + maxSource
	}
	// The offsets in bytes of the three characters.
	offsets := map[int]int{length: len(line)}
	i := 0
	for offset := range line {
		if i == start || i == n || i == end {
			offsets[i] = offset
		}
		i++
	}
	before, after = line[offsets[start]:offsets[n]], line[offsets[n]:offsets[end]]
	if start > 0 {
		before = "…" + before
	}
	if end < length {
		after += "…"
	}
	return before, after
}

// padding returns blanks as wide as the text is on a terminal.
func padding(text string) string {
	var blanks strings.Builder
	for _, r := range text {
		kind := width.LookupRune(r).Kind()
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			blanks.WriteString("  ")
		default:
			blanks.WriteByte(' ')
		}
	}
	return blanks.String()
}

// lineBreak is what the YAML parser counts as the end of a line.
var lineBreak = regexp.MustCompile("\r\n|[\n\r\u0085\u2028\u2029]")

func splitLines(data []byte) []string {
	return lineBreak.Split(strings.TrimPrefix(string(data), "\ufeff"), -1)
}

func compareProblems(a, b Problem) int {
	return cmp.Or(
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column),
		cmp.Compare(a.File, b.File),
		cmp.Compare(a.Severity, b.Severity),
		cmp.Compare(a.Message, b.Message),
	)
}

// samePlaceAndMessage tells problems apart for people: one definition in vars
// may be used, and found wrong, in several places.
func samePlaceAndMessage(a, b Problem) bool {
	a.Path, b.Path = "", ""
	return a == b
}

// nearest returns the candidate that name is most likely a misspelling of, or
// "" if there is none.
func nearest(name string, candidates []string) string {
	best, bestDistance := "", 1+max(1, len(name)/3)
	if len(name) > maxNear {
		return ""
	}
	name = strings.ToLower(name)
	for _, candidate := range slices.Sorted(slices.Values(candidates)) {
		lower := strings.ToLower(candidate)
		if longer := len(lower) - len(name); longer >= bestDistance || -longer >= bestDistance {
			continue // so many letters must be added or removed
		}
		if d := editDistance(name, lower); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
