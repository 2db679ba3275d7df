package build

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fclocal/internal/failure"
)

// Who must wait for a build says for whom, and may be interrupted.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), lockName)
	unlock, err := lock(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	waited := make(chan error)
	go func() {
		_, err := lock(ctx, path, writer)
		waited <- err
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if want := fmt.Sprintf("fclocal: waiting for process %d, which builds this function\n", os.Getpid()); err != nil || line != want {
		t.Errorf("%v %q, want %q", err, line, want)
	}
	cancel()
	if err := <-waited; !failure.Is(err) || err.Error() != "interrupted" {
		t.Errorf("an interrupted wait ends with %v", err)
	}
	go func() {
		unlock, err := lock(t.Context(), path, io.Discard)
		if err == nil {
			unlock()
		}
		waited <- err
	}()
	unlock()
	if err := <-waited; err != nil {
		t.Error(err)
	}
	if content, err := os.ReadFile(path); err != nil || len(content) > 0 {
		t.Errorf("%v, a free lock names %q", err, content)
	}
}

// A build beside a run neither waits for it nor changes its program, and removes
// what killed runs have left.
func TestBuildBesideRun(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	source := t.TempDir()
	read := func(b Binary) string {
		t.Helper()
		content, err := os.ReadFile(b.Path)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	first := buildOf(t, source, "println(1)")
	before := read(first)
	second := buildOf(t, source, "println(2)")
	if read(first) != before || read(second) == before {
		t.Error("the second build has changed the first program, or not made another")
	}
	abandoned := filepath.Join(directory(first), "run-abandoned")
	if err := os.Mkdir(abandoned, 0o755); err != nil {
		t.Fatal(err)
	}
	second.Release()
	third := buildOf(t, source, "println(2)")
	testThere(t, map[string]bool{abandoned: false, second.Path: false, first.Path: true, third.Path: true})
}

// A build removes the programs of other functions that nobody has built for a week.
func TestUnusedBuilds(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	old, recent := buildOf(t, t.TempDir(), ""), buildOf(t, t.TempDir(), "")
	for built, age := range map[string]time.Duration{directory(old): 8 * 24 * time.Hour, directory(recent): 6 * 24 * time.Hour} {
		then := time.Now().Add(-age)
		if err := os.Chtimes(filepath.Join(built, lockName), then, then); err != nil {
			t.Fatal(err)
		}
	}
	buildOf(t, t.TempDir(), "")
	testThere(t, map[string]bool{
		filepath.Join(directory(old), builtName):    false,
		filepath.Join(directory(recent), builtName): true,
		old.Path: true, // a run that goes on keeps its own
	})
}

// buildOf builds a program that does what is said, in source.
func buildOf(t *testing.T, source, does string) Binary {
	t.Helper()
	for name, content := range map[string]string{
		"go.mod":  "module test\n\ngo 1.26\n",
		"main.go": "package main\n\nfunc main() { " + does + " }\n",
	} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var output bytes.Buffer
	binary, err := Function(t.Context(), source, source, "main", Usual, &output)
	if err != nil {
		t.Fatal(err, output.String())
	}
	t.Cleanup(binary.Release)
	return binary
}

// directory is where all builds of a program's module are.
func directory(b Binary) string { return filepath.Dir(filepath.Dir(filepath.Dir(b.Path))) }

// testThere checks which files are there.
func testThere(t *testing.T, files map[string]bool) {
	t.Helper()
	for path, want := range files {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %t, want %t", path, err == nil, want)
		}
	}
}
