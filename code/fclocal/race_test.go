package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"fclocal/internal/result"
)

const (
	raceReported = "\nWARNING: DATA RACE\n"
	raceFound    = "fclocal: the function has 1 data race: main.count at "
)

// A map that calls share, or the goroutines of a call, is seen with --race and fails the
// command, also where s.yaml sets GOMAXPROCS to 1; without it nothing is seen. The
// project's own function has none.
func TestRace(t *testing.T) {
	t.Parallel()
	environment := append(os.Environ(), goEnvironment(t)...)
	run := func(args ...string) (stdout, stderr string, code int) {
		command := fclocalIn(environment, args...)
		var messages bytes.Buffer
		command.Stderr = &messages
		output, _ := command.Output()
		return string(output), messages.String(), command.ProcessState.ExitCode()
	}
	const file = "testdata/race/s.yaml"
	for _, test := range []struct {
		command string
		stdout  string
		races   bool
	}{
		{"invoke -t " + file + ` -e "goroutines" --race`, `"counted"` + "\n", true},
		{"invoke -t " + file + ` -e "goroutines"`, `"counted"` + "\n", false},
		{"stream -t " + file + " -n 20 --json --logs DIR --retry-scale 0.001 --race", "", true},
		{"stream -t " + file + " -n 20 --json --logs DIR --retry-scale 0.001", "", false},
		{"stream -n 1000 --json --logs DIR --set CountBasedWindow=1 --set instanceConcurrency=26,5 --race", "", false},
	} {
		stdout, stderr, code := run(strings.Fields(strings.ReplaceAll(test.command, "DIR", t.TempDir()))...)
		want := exitOK
		if test.races {
			want = exitFailed
		}
		said := strings.Contains(stderr, raceReported) && strings.Contains(stderr, raceFound) && strings.Contains(stderr, "race/code/main.go:")
		if code != want || said != test.races || test.stdout != "" && stdout != test.stdout {
			t.Errorf("%s: exit code %d, stdout %s, stderr\n%s", test.command, code, stdout, stderr)
		}
		if lifted := strings.Contains(stderr, "fclocal: --race: GOMAXPROCS is 2 or more, and cpu and memorySize are not limited\n"); lifted != strings.HasSuffix(test.command, "--race") {
			t.Errorf("%s: that limits are lifted is said: %v", test.command, lifted)
		}
		if test.stdout != "" {
			continue
		}
		var document struct{ Runs []result.Run }
		if err := json.Unmarshal([]byte(stdout), &document); err != nil {
			t.Fatal(err, stdout)
		}
		for _, run := range document.Runs {
			if run.Delivered != run.Produced || (len(run.Races) == 1) != test.races || test.races && !strings.HasPrefix(run.Races[0].Where, "main.count at ") {
				t.Errorf("%s: %s, races %+v", test.command, counts(run), run.Races)
			}
		}
	}

	python := customProject(t, "", "./go", "./python", "[/code/main]", "[python3, server.py]")
	for args, want := range map[string]string{
		"invoke --race --no-build":        "[race no-build]",
		"stream --race --debug":           "[race debug]",
		"invoke --race -e 1 -t " + python: "fclocal: --race builds the function by go build -race: it must be a Go module in codeUri or above it",
	} {
		if _, stderr, code := run(strings.Fields(args)...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %s; want %q", args, code, stderr, want)
		}
	}
	environment = append(slices.Clone(environment), "CC=no-such-compiler")
	if _, stderr, code := run("invoke", "--race"); code != exitUsage || !strings.Contains(stderr, "fclocal: --race needs a C compiler, and no-such-compiler, which go env CC names, is not there: ") {
		t.Errorf("without a C compiler: exit code %d, %s", code, stderr)
	}
}

// Calls that clients make side by side are looked at, too.
func TestRaceServed(t *testing.T) {
	t.Parallel()
	s := startServed(t, "-t", "testdata/race/s.yaml", "--race")
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			response, err := http.Post("http://"+s.address+"/2023-03-30/functions/race-function/invocations", "", strings.NewReader("{}"))
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
		})
	}
	calls.Wait()
	s.fclocal.Process.Signal(syscall.SIGINT)
	<-s.done
	s.fclocal.Wait()
	if code := s.fclocal.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(s.stderr.String(), raceReported) || !strings.Contains(s.stderr.String(), raceFound) {
		t.Errorf("exit code %d\n%s", code, s.stderr.String())
	}
}
