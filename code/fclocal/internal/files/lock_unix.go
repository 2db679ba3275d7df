//go:build unix

package files

import (
	"os"
	"syscall"
)

// TryLock locks a file until it is closed or this process ends, however it ends. Many
// can have a shared lock, or one the other kind; it is false if another has it.
func TryLock(file *os.File, shared bool) (bool, error) {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK || err == syscall.EINTR {
		return false, nil
	}
	return err == nil, err
}
