// Package escape makes text from files, the environment and the function safe to print:
// what a terminal would obey, or show in another order than it is written, is shown
// by its code instead.
package escape

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns text as one line. Control characters and bytes that are not UTF-8 become
// \xNN, or \u{NN} above 0x7f; so do characters that turn the direction of writing or
// end a line. A tab becomes a space. All other text stays as it is.
//
// Each character is escaped by itself, so that parts of a text may be escaped alone.
func Line(text string) string {
	if strings.IndexFunc(text, unsafe) < 0 {
		return text
	}
	var line strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd"):
			fmt.Fprintf(&line, `\x%02x`, text[i])
		case r == '\t':
			line.WriteByte(' ')
		case !unsafe(r), r == utf8.RuneError:
			line.WriteRune(r)
		case r <= 0x7f:
			fmt.Fprintf(&line, `\x%02x`, r)
		default:
			fmt.Fprintf(&line, `\u{%x}`, r)
		}
	}
	return line.String()
}

// Text is Line for text of several lines, which keeps line breaks and tabs.
func Text(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		cells := strings.Split(line, "\t")
		for j, cell := range cells {
			cells[j] = Line(cell)
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}

// A Writer writes Text, each line when it is complete.
type Writer struct {
	w    io.Writer
	line []byte
}

// NewWriter returns a Writer that writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// longestLine is the size in bytes of a line that is not waited for any longer.
const longestLine = 64 << 10

// Write takes a part of the text.
func (w *Writer) Write(text []byte) (int, error) {
	w.line = append(w.line, text...)
	end := bytes.LastIndexByte(w.line, '\n') + 1
	if len(w.line)-end > longestLine {
		end = len(w.line)
	}
	_, err := io.WriteString(w.w, Text(string(w.line[:end])))
	w.line = append(w.line[:0], w.line[end:]...)
	return len(text), err
}

// Flush writes what is left.
func (w *Writer) Flush() {
	io.WriteString(w.w, Text(string(w.line)))
	w.line = nil
}

// unsafe also tells U+FFFD, which a byte that is not UTF-8 is read as.
func unsafe(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == utf8.RuneError ||
		unicode.Is(unicode.Bidi_Control, r)
}
