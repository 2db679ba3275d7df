package stream

import (
	"os"
	"path/filepath"
	"slices"
)

// keptLogs is how many temporary directories of logs are left of earlier runs.
const keptLogs = 4

// Logs makes the directory of a run's logs: that of a name, or with "" a temporary
// one, beside which those of the last four runs are left. done is to be called when
// all is written: it removes a temporary directory that is empty.
func Logs(path string) (directory string, done func(), err error) {
	if path != "" {
		return path, func() {}, os.MkdirAll(path, 0o755)
	}
	const pattern = "fclocal-logs-"
	removeOld(filepath.Join(os.TempDir(), pattern+"*"))
	directory, err = os.MkdirTemp("", pattern)
	if err != nil {
		return "", nil, err
	}
	release := hold(directory)
	return directory, func() {
		release()
		os.Remove(directory)
	}, nil
}

// removeOld removes directories that no run holds, but for the latest ones. What is
// another user's stays.
func removeOld(pattern string) {
	paths, _ := filepath.Glob(pattern)
	infos := map[string]os.FileInfo{}
	paths = slices.DeleteFunc(paths, func(path string) bool {
		info, err := os.Lstat(path)
		infos[path] = info
		return err != nil || !info.IsDir()
	})
	slices.SortFunc(paths, func(a, b string) int { return infos[b].ModTime().Compare(infos[a].ModTime()) })
	for _, path := range paths[min(keptLogs, len(paths)):] {
		if !held(path) {
			os.RemoveAll(path)
		}
	}
}
