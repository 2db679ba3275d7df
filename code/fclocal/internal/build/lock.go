package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"fclocal/internal/failure"
	"fclocal/internal/files"
)

// lockName is the file that is locked by who builds in a directory, or has a
// directory for its run. The system frees it when the process ends, however it
// ends.
const lockName = "lock"

// Who waits looks this often, and says so after a while.
const (
	lockInterval = 50 * time.Millisecond
	lockPatience = time.Second
)

// lock waits for the file's lock until ctx ends. The file then has this process's
// number, for those that wait.
func lock(ctx context.Context, path string, output io.Writer) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("the function cannot be built: %w", err)
	}
	ticker := time.NewTicker(lockInterval)
	defer ticker.Stop()
	patience := time.After(lockPatience)
	for {
		locked, err := files.TryLock(file, false)
		if err != nil {
			file.Close()
			return nil, fmt.Errorf("the function cannot be built: %s cannot be locked: %w", path, err)
		}
		if locked {
			file.Truncate(0)
			file.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
			return func() {
				file.Truncate(0)
				file.Close()
			}, nil
		}
		select {
		case <-ticker.C:
		case <-patience:
			fmt.Fprintf(output, "fclocal: waiting for %s, which builds this function\n", holder(path))
		case <-ctx.Done():
			file.Close()
			return nil, failure.New("interrupted")
		}
	}
}

// holder names the process that has the lock.
func holder(path string) string {
	content, _ := os.ReadFile(path)
	if pid := strings.TrimSpace(string(content)); pid != "" {
		return "process " + pid
	}
	return "another process" // it is just about to say which, or to end
}
