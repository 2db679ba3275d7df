package deadletter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// done is what a line begins with, in place of {, when its letter has been delivered.
// That is one byte, which is written or not: a kill at any moment leaves a file that
// says what is to be done. Such lines are there only until Close.
const done = '#'

// A File is one whose letters are to be delivered. Nobody else appends to it or
// redrives it meanwhile. Its methods may be called side by side.
type File struct {
	CutShort []int // numbers of lines of which the end is missing, as after kill -9: they stay

	path string
	file *os.File
	made bool // by OpenOrMake

	mu      sync.Mutex
	lines   []line
	pending []int          // of lines: those with a letter to deliver
	sources map[Source]int // of lines: those with a letter from a topic
	size    int64          // of the file
	changed bool
}

// line is where a line is, with its line break.
type line struct {
	at     int64
	length int
	done   bool
	failed *failure // of a letter that has failed again
}

type failure struct {
	text string
	time time.Time
}

// Open opens a file for a redrive. A line that is something else is an error: the file
// is another one, maybe.
func Open(path string) (*File, error) {
	target, err := filepath.EvalSymlinks(path) // which is to be replaced, and not the link
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(target)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: it is no regular file", path)
	}
	if err != nil {
		return nil, err
	}
	file, err := open(target, os.O_RDWR, false)
	if err != nil {
		return nil, err
	}
	f := &File{path: target, file: file, sources: map[Source]int{}}
	if err := f.index(path); err != nil {
		file.Close()
		return nil, err
	}
	return f, nil
}

// OpenOrMake opens a file as Open does. One that does not exist is made, and removed by
// Close if there is nothing in it then.
func OpenOrMake(path string) (*File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	made := err == nil
	if made {
		err = file.Close()
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	f, err := Open(path)
	if err == nil {
		f.made = made
	}
	return f, err
}

// index finds the lines.
func (f *File) index(name string) error {
	reader := bufio.NewReaderSize(f.file, 1<<20)
	at := int64(0)
	for number := 1; ; number++ {
		content, err := reader.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(content) == 0 {
			return nil
		}
		l := line{at: at, length: len(content)}
		at += int64(len(content))
		f.size = at
		var letter Letter
		switch {
		case len(bytes.TrimSpace(content)) == 0:
			l.done = true
		case content[0] == done:
			content[0] = '{'
			l.done, f.changed = true, true
			letter, err = letterOf(content)
		default:
			letter, err = letterOf(content)
			switch {
			case err != nil && cutShort(content, fromTopic):
				l.done, f.changed, err = true, true, nil
			case err != nil && cutShort(content, beginning):
				f.CutShort, err = append(f.CutShort, number), nil
			default:
				f.pending = append(f.pending, len(f.lines))
			}
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("%s:%d: no dead letter, as stream --dead-letters writes them: %w", name, number, err)
		}
		if letter.Source != nil {
			f.sources[*letter.Source] = len(f.lines)
		}
		f.lines = append(f.lines, l)
	}
}

const (
	// beginning is that of each line that a stream has written.
	beginning = `{"event":`

	// fromTopic is that of each line that Add has written. One that was cut short is no
	// letter yet: the topic still has it, as it forgets none before Add has returned.
	fromTopic = `{"source":`
)

// cutShort says whether that is a line of which the end is missing, as after kill -9.
func cutShort(line []byte, beginning string) bool {
	line = bytes.TrimRight(line, "\r\n")
	n := min(len(line), len(beginning))
	return string(line[:n]) == beginning[:n] && !json.Valid(line)
}

func letterOf(line []byte) (Letter, error) {
	var letter Letter
	if err := json.Unmarshal(line, &letter); err != nil {
		return letter, err
	}
	if line[0] != '{' || len(letter.Event) == 0 || string(letter.Event) == "null" {
		return letter, errors.New("it has no event")
	}
	return letter, nil
}

// Add appends letters of a topic; when it returns they are on the disk. Those that are
// there, as a redrive was killed before it told the topic so, are left out. It returns
// how many are new.
func (f *File) Add(letters ...Letter) (added int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var text bytes.Buffer
	begin := f.size
	if n := len(f.lines); n > 0 {
		last := make([]byte, 1)
		if _, err := f.file.ReadAt(last, f.size-1); err != nil {
			return 0, err
		}
		if last[0] != '\n' {
			text.WriteByte('\n')
		}
	}
	var lines []line
	var sources []Source
	for _, letter := range letters {
		there, err := f.has(letter)
		if err != nil {
			return 0, err
		}
		if there {
			continue
		}
		content, err := letter.line()
		if err != nil {
			return 0, err
		}
		lines = append(lines, line{at: begin + int64(text.Len()), length: len(content)})
		sources = append(sources, *letter.Source)
		text.Write(content)
	}
	if len(lines) == 0 {
		return 0, nil
	}
	if _, err = f.file.WriteAt(text.Bytes(), begin); err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		return 0, err
	}
	for i, l := range lines {
		f.sources[sources[i]] = len(f.lines)
		f.pending = append(f.pending, len(f.lines))
		f.lines = append(f.lines, l)
	}
	f.size += int64(text.Len())
	return len(lines), nil
}

// has says whether the file has the very letter: a topic that is made anew begins with
// the same offsets.
func (f *File) has(letter Letter) (bool, error) {
	i, known := f.sources[*letter.Source]
	if !known {
		return false, nil
	}
	content := make([]byte, f.lines[i].length)
	if _, err := f.file.ReadAt(content, f.lines[i].at); err != nil {
		return false, err
	}
	content[0] = '{'
	there, err := letterOf(content)
	return err == nil && bytes.Equal(there.Event, letter.Event), nil
}

// Len is the number of letters that are to be delivered, or have been since the file
// was opened.
func (f *File) Len() int { return len(f.pending) }

// Letter reads one of them, from 0.
func (f *File) Letter(i int) (Letter, error) {
	l := f.lines[f.pending[i]] // its place does not change
	content := make([]byte, l.length)
	if _, err := f.file.ReadAt(content, l.at); err != nil {
		return Letter{}, err
	}
	return letterOf(content)
}

// Delivered marks letters in the file.
func (f *File) Delivered(letters ...int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range letters {
		l := &f.lines[f.pending[i]]
		if _, err := f.file.WriteAt([]byte{done}, l.at); err != nil {
			return err
		}
		l.done, f.changed = true, true
	}
	return nil
}

// Failed notes that letters have failed once more: Close writes why.
func (f *File) Failed(err error, letters ...int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now().UTC()
	text := err.Error()
	for _, i := range letters {
		f.lines[f.pending[i]].failed = &failure{text: text, time: now}
	}
	f.changed = true
}

// Close puts a file in place that has what is not delivered, and frees it. If that
// fails, delivered letters are left in it, with their marks.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.file.Close() // at the end: nobody else is to find the old one free
	if f.made && !slices.ContainsFunc(f.lines, func(l line) bool { return !l.done }) {
		return f.remove()
	}
	if !f.changed {
		return nil
	}
	if err := f.rewrite(); err != nil {
		return fmt.Errorf("%s cannot be written anew: %w; what is delivered is marked in it with a %c", f.path, err, done)
	}
	return nil
}

func (f *File) rewrite() (err error) {
	directory, name := filepath.Split(f.path)
	pattern := "." + name + ".redrive-"
	f.removeAbandoned(directory, pattern)
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	next, err := os.CreateTemp(directory, pattern+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			next.Close()
			os.Remove(next.Name())
		}
	}()
	writer := bufio.NewWriterSize(next, 1<<20)
	for _, l := range f.lines {
		if l.done {
			continue
		}
		content := make([]byte, l.length, l.length+1)
		if _, err = f.file.ReadAt(content, l.at); err != nil {
			return err
		}
		if l.failed != nil {
			if content, err = l.failed.in(content); err != nil {
				return err
			}
		}
		if content[len(content)-1] != '\n' {
			content = append(content, '\n')
		}
		if _, err = writer.Write(content); err != nil {
			return err
		}
	}
	if err = writer.Flush(); err == nil {
		err = next.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = next.Sync() // before it takes the other's place
	}
	if err == nil {
		err = next.Close()
	}
	if err == nil {
		f.letGo()
		err = os.Rename(next.Name(), f.path)
	}
	return err
}

func (f *File) remove() error {
	f.letGo()
	return os.Remove(f.path)
}

// letGo closes the file where an open one is neither replaced nor removed.
func (f *File) letGo() {
	if runtime.GOOS == "windows" {
		f.file.Close()
	}
}

// in is the letter's line with the failure in it.
func (l *failure) in(content []byte) ([]byte, error) {
	letter, err := letterOf(content)
	if err != nil {
		return nil, err
	}
	letter.Error, letter.Attempts, letter.Time = l.text, letter.Attempts+1, l.time
	return letter.line()
}

// removeAbandoned removes what redrives have left that were killed. They cannot be
// others' of this moment: the file is locked.
func (f *File) removeAbandoned(directory, prefix string) {
	entries, _ := os.ReadDir(filepath.Clean(directory))
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), prefix) && entry.Type().IsRegular() {
			os.Remove(filepath.Join(directory, entry.Name()))
		}
	}
}
