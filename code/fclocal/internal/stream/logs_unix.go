//go:build unix

package stream

import (
	"os"
	"syscall"
)

// hold says to others that the directory is in use, until release or the end of
// this process.
func hold(directory string) (release func()) {
	file, err := os.Open(directory)
	if err != nil {
		return func() {}
	}
	syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	return func() { file.Close() }
}

func held(directory string) bool {
	file, err := os.Open(directory)
	if err != nil {
		return true // another user's
	}
	defer file.Close()
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}
