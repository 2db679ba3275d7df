package instance

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"
)

// Of what a process has written so much is shown when it never asked for a call.
const (
	tailBytes = 2 << 10
	tailLines = 10
)

// A tail is the end of what a process has written into the logs.
type tail struct {
	logs  io.Writer
	file  *os.File // what the process writes into itself
	begin int64    // of it in file

	mu   sync.Mutex
	last []byte
}

// beside returns what the process is to write into. A regular file it writes into
// itself, which costs less than a pipe, and is read again when it is needed.
func (t *tail) beside(logs io.Writer) io.Writer {
	if file, ok := logs.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			t.file, t.begin = file, info.Size()
			return file
		}
	}
	t.logs = logs
	return t
}

// Write passes on what the process has written.
func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	t.last = append(t.last, text[max(0, len(text)-tailBytes):]...)
	t.last = t.last[max(0, len(t.last)-tailBytes):]
	t.mu.Unlock()
	if t.logs == nil {
		return len(text), nil
	}
	return t.logs.Write(text)
}

// said is a part of a sentence.
func (t *tail) said() string {
	t.mu.Lock()
	last, ok := bytes.Clone(t.last), true
	t.mu.Unlock()
	if t.file != nil {
		last, ok = readEnd(t.file, t.begin)
	}
	text := strings.TrimSpace(strings.ToValidUTF8(string(last), ""))
	switch lines := strings.Split(text, "\n"); {
	case !ok:
		return "what it wrote is in its log"
	case text == "":
		return "it wrote nothing"
	default:
		return "it wrote: " + strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
	}
}

// readEnd reads what is in the file behind begin, of that the end. A file that was
// opened for writing only is opened again.
func readEnd(file *os.File, begin int64) (last []byte, ok bool) {
	info, err := file.Stat()
	if err != nil {
		return nil, false
	}
	begin = max(begin, info.Size()-tailBytes)
	last = make([]byte, max(0, info.Size()-begin))
	if n, err := file.ReadAt(last, begin); err == nil || n > 0 {
		return last[:n], true
	}
	again, err := os.Open(file.Name())
	if err != nil {
		return nil, false
	}
	defer again.Close()
	n, err := again.ReadAt(last, begin)
	return last[:n], err == nil || n > 0
}
