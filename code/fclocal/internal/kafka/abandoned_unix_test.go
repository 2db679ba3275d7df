//go:build unix

package kafka

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"fclocal/internal/files"
)

// What a killed process has left goes with the next start; what is in use, or
// has just been made, stays.
func TestAbandonedDirectories(t *testing.T) {
	parent := t.TempDir()
	long := time.Now().Add(-time.Hour)
	make := func(name string, changed time.Time) *os.File {
		t.Helper()
		directory := filepath.Join(parent, temporaryName+name)
		if err := os.Mkdir(directory, 0o755); err != nil {
			t.Fatal(err)
		}
		file, err := os.Create(filepath.Join(directory, lockName))
		if err == nil {
			err = os.Chtimes(file.Name(), changed, changed)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		return file
	}
	make("abandoned", long)
	make("new", time.Now())
	if locked, err := files.TryLock(make("used", long), false); err != nil || !locked {
		t.Fatal(locked, err)
	}
	removeAbandoned(filepath.Join(parent, temporaryName+"*"))
	for name, want := range map[string]bool{"abandoned": false, "new": true, "used": true} {
		if _, err := os.Stat(filepath.Join(parent, temporaryName+name)); (err == nil) != want {
			t.Errorf("directory %s is there: %t, want %t", name, err == nil, want)
		}
	}
}
