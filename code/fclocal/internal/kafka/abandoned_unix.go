//go:build unix

package kafka

import (
	"os"
	"path/filepath"
	"syscall"
	"time"

	"fclocal/internal/files"
)

// removeAbandoned removes the temporary directories of processes that were
// killed: those whose lock nobody holds. One that has just been made may not
// have its lock yet.
func removeAbandoned(pattern string) {
	directories, _ := filepath.Glob(pattern)
	for _, directory := range directories {
		if !own(directory, os.ModeDir) || !own(filepath.Join(directory, lockName), 0) {
			continue
		}
		file, err := os.Open(filepath.Join(directory, lockName))
		if err != nil {
			continue
		}
		if info, err := file.Stat(); err == nil && time.Since(info.ModTime()) > time.Minute {
			if locked, err := files.TryLock(file, false); err == nil && locked {
				os.RemoveAll(directory) // what is another user's stays
			}
		}
		file.Close()
	}
}

// own says whether that is of this user and of this type. Anyone can make things in
// the temporary directory: a named pipe there would never be opened.
func own(path string, kind os.FileMode) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != kind {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
