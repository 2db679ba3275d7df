package stream

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// The logs of the last five runs are left, and those of a run that goes on.
func TestLogs(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	var all []string
	for i := range 8 {
		directory, done, err := Logs("")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(directory, "instance-1.log"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-100) * time.Minute)
		if err := os.Chtimes(directory, at, at); err != nil {
			t.Fatal(err)
		}
		if i > 0 { // the first one goes on
			done()
		}
		all = append(all, filepath.Base(directory))
	}
	var left []string
	entries, _ := os.ReadDir(temporary)
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	want := append(all[:1:1], all[3:]...)
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("%q are left, want %q", left, want)
	}

	directory, done, err := Logs("")
	if err != nil {
		t.Fatal(err)
	}
	done()
	if _, err := os.Stat(directory); !os.IsNotExist(err) {
		t.Errorf("an empty directory is left: %v", err)
	}
}
