//go:build unix

package stream

import (
	"fmt"
	"os"
	"syscall"

	"fclocal/internal/failure"
	"fclocal/internal/files"
)

// hold says to others that the directory is in use, until release or the end of
// this process.
func hold(directory string) (release func()) {
	file, err := os.Open(directory)
	if err != nil {
		return func() {}
	}
	files.TryLock(file, true)
	return func() { file.Close() }
}

func held(directory string) bool {
	file, err := os.Open(directory)
	if err != nil {
		return true // another user's
	}
	defer file.Close()
	free, _ := files.TryLock(file, false)
	return !free
}

// enoughFiles is a failure if so few files may be open that connections would be
// tried again for ever: the embedded cluster, its clients and the runtime API have
// some tens, and each task some more.
func enoughFiles(tasks int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil // not told
	}
	if need := uint64(64 + 6*tasks); limit.Cur < need {
		return failure.New(fmt.Sprintf("only %d files may be open, and the stream needs %d, 6 of them for each task: raise the limit, with ulimit -n %d", limit.Cur, need, max(need, 1024)))
	}
	return nil
}
