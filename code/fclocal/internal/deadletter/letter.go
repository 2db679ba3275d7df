// Package deadletter keeps dead letters in a file, a JSON object in each line: a
// stream appends to it, and a redrive takes out what has been delivered after all. It
// adds letters from elsewhere before.
package deadletter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"fclocal/internal/files"
)

// A Letter is the event of a batch that has failed for good. On the platform it holds
// the event unchanged (documented); that each event of a batch has one is inferred.
type Letter struct {
	Source   *Source         `json:"source,omitempty"` // of one from a topic; before all else, see fromTopic
	Event    json.RawMessage `json:"event"`
	Error    string          `json:"error"`
	Attempts int             `json:"attempts"`
	Time     time.Time       `json:"time"`
}

// A Source is where in a topic a letter is from.
type Source struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Index     int    `json:"index,omitempty"` // of several letters in a record
}

// line is the letter's, with its line break. The event's text stays as it is.
func (l Letter) line() ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(l)
	return line.Bytes(), err
}

// A Writer appends letters to a file.
type Writer struct {
	Mended bool // the last line had been cut short: it has been set apart by a line break

	file *os.File
}

// Append opens a file to append to, and makes it if need be. Many streams may append
// to one; a redrive must have ended. A last line that was cut short, as by kill -9,
// takes no new one with it.
func Append(path string) (*Writer, error) {
	file, err := open(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, true)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: file}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err = file.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			_, err = file.WriteString("\n")
			w.Mended = true
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return w, nil
}

// Write appends a letter.
func (w *Writer) Write(letter Letter) error {
	line, err := letter.line()
	if err == nil {
		_, err = w.file.Write(line)
	}
	return err
}

// Close ends the appending.
func (w *Writer) Close() error { return w.file.Close() }

// open opens a file and, if it is a regular one, locks it.
func open(path string, flags int, shared bool) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, flags, 0o644)
		if err != nil {
			return nil, err
		}
		info, err := file.Stat()
		if err == nil && !info.Mode().IsRegular() {
			return file, nil
		}
		var locked bool
		if err == nil {
			locked, err = files.TryLock(file, shared)
		}
		if err == nil && !locked {
			err = fmt.Errorf("%s is in use: another fclocal redrives it, or a stream appends to it", path)
		}
		if err != nil {
			file.Close()
			return nil, err
		}
		// A redrive that has just ended has put another file in its place.
		if now, err := os.Stat(path); err == nil && os.SameFile(info, now) {
			return file, nil
		}
		file.Close()
	}
}
