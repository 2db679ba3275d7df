package files

import (
	"os"

	"golang.org/x/sys/windows"
)

// TryLock locks a file until it is closed or this process ends, however it ends. Many
// can have a shared lock, or one the other kind; it is false if another has it. It
// locks a byte far behind the file's end: others may not read what is locked.
func TryLock(file *os.File, shared bool) (bool, error) {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if !shared {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(file.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 20})
	if err == windows.ERROR_LOCK_VIOLATION {
		return false, nil
	}
	return err == nil, err
}
