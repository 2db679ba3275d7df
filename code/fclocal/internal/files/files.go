// Package files reads files that others have written: only regular ones, and
// only up to a limit.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Read returns what the file holds, which may be limit bytes, a whole number of MB. A
// directory, a device or a pipe is an error: it would never end, or never begin.
func Read(path string, limit int64) ([]byte, error) {
	file, err := Open(path, limit)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = tooLarge(path, limit)
	}
	if err != nil {
		return nil, err
	}
	return content, nil
}

// Open opens a file that Read would read, to be read bit by bit. It may still grow.
func Open(path string, limit int64) (*os.File, error) {
	info, err := os.Stat(path)
	var failed *fs.PathError
	if errors.As(err, &failed) {
		failed.Op = "open" // whoever reads the message has not asked for a stat
		return nil, failed
	}
	if err == nil {
		err = readable(path, info, limit)
	}
	if err != nil {
		return nil, err
	}
	// It may have become a pipe since: opening one would wait for a writer.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = file.Stat(); err == nil {
		err = readable(path, info, limit)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func readable(path string, info fs.FileInfo, limit int64) error {
	what := ""
	switch mode := info.Mode(); {
	case mode.IsDir():
		what = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	case !mode.IsRegular():
		what = "no regular file"
	case info.Size() > limit:
		return tooLarge(path, limit)
	default:
		return nil
	}
	return &fs.PathError{Op: "read", Path: path, Err: errors.New("it is " + what)}
}

func tooLarge(path string, limit int64) error {
	size := fmt.Sprintf("%d MB", limit>>20)
	if limit < 1<<20 {
		size = fmt.Sprintf("%d KB", limit>>10)
	}
	return &fs.PathError{Op: "read", Path: path, Err: errors.New("it is larger than " + size)}
}

// Above returns the directory that holds a file of the name: start, or the nearest
// above it, up to top. It is "" if there is none.
func Above(name, start, top string) string {
	for directory := start; ; directory = filepath.Dir(directory) {
		if _, err := os.Stat(filepath.Join(directory, name)); err == nil {
			return directory
		}
		if outside, err := filepath.Rel(top, directory); err != nil || outside == "." || strings.HasPrefix(outside, "..") {
			return ""
		}
	}
}
