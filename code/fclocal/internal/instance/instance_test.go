package instance

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"fclocal/internal/config"
)

// faulty makes instances of a function that fails as its event or START says.
func faulty(t *testing.T) (start func(change func(*Spec)) (*Instance, error)) {
	t.Helper()
	directory := t.TempDir()
	program := buildProgram(t, "../../testdata/faulty/code", directory)
	project, _, err := config.Load("../../testdata/faulty/s.yaml", config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	host, err := NewHost(t.Context(), Spec{Project: project}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(host.Close)
	return func(change func(*Spec)) (*Instance, error) {
		project := *project
		project.Function.EnvironmentVariables = map[string]string{}
		spec := Spec{Project: &project, Binary: program, CodeDir: directory, ID: "c-test", Logs: io.Discard}
		change(&spec)
		instance, err := host.Start(spec)
		if err == nil {
			t.Cleanup(instance.Stop)
		}
		return instance, err
	}
}

// What is wrong with a program that never asks for a call is said, with what it
// has written itself: into a file, whatever is in it before, or into anything else.
func TestNeverReady(t *testing.T) {
	start := faulty(t)
	logs, err := os.OpenFile(filepath.Join(t.TempDir(), "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	logs.WriteString("of an earlier one\n")
	var lines []string
	for n := range 1000 {
		lines = append(lines, fmt.Sprintf("line %d", n))
	}
	for _, test := range []struct {
		logs        io.Writer
		begin, want string
	}{
		{io.Discard, "exit", "Process exited unexpectedly before completing request (exit status 3); it wrote: cannot start: as told"},
		{logs, "exit", "Process exited unexpectedly before completing request (exit status 3); it wrote: cannot start: as told"},
		{nil, "exit", "Process exited unexpectedly before completing request (exit status 3); it wrote: cannot start: as told"},
		{io.Discard, "exit-silently", "Process exited unexpectedly before completing request (exit status 3); it wrote nothing"},
		{logs, "exit-silently", "Process exited unexpectedly before completing request (exit status 3); it wrote nothing"},
		{io.Discard, "exit " + strings.Join(lines, "\n"), "Process exited unexpectedly before completing request (exit status 3); it wrote: " + strings.Join(lines[990:], "\n")},
		{logs, "exit " + strings.Join(lines, "\n"), "Process exited unexpectedly before completing request (exit status 3); it wrote: " + strings.Join(lines[990:], "\n")},
		{io.Discard, "exit " + strings.Repeat("x", 5000), "Process exited unexpectedly before completing request (exit status 3); it wrote: " + strings.Repeat("x", 2047)},
	} {
		instance, err := start(func(s *Spec) {
			s.Logs = test.logs
			s.Project.Function.EnvironmentVariables["START"] = test.begin
		})
		if err != nil {
			t.Fatal(err)
		}
		<-instance.Ended()
		got := instance.Failure()
		if got.Type != TypeExit || got.Message != test.want || !got.NeverReady {
			t.Errorf("%.40q: %t %s: %q, want %q", test.begin, got.NeverReady, got.Type, got.Message, test.want)
		}
		if result, err := instance.Invoke(t.Context(), Call{RequestID: "id"}); err != nil || result.Error.Message != test.want || !result.Error.NeverReady {
			t.Errorf("%.40q: a call gets %v %+v", test.begin, err, result.Error)
		}
	}

	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("text"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := func(line string) string {
		path := filepath.Join(t.TempDir(), "bootstrap")
		if err := os.WriteFile(path, []byte(line+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dos, absent := script("#!/bin/sh\r"), script("#!/no/such/shell")
	system := runtime.GOOS + "/" + runtime.GOARCH
	for want, change := range map[string]func(*Spec){
		"the function does not start on " + system + ": fork/exec " + text + ": exec format error; it is neither a program for this system nor a script, which begins with #! and its interpreter":                  func(s *Spec) { s.Binary = text },
		"the function does not start on " + system + ": fork/exec " + dos + `: no such file or directory; what is missing is the interpreter of its first line, "/bin/sh\r": end its lines as Unix does, on FC too`: func(s *Spec) { s.Binary = dos },
		"the function does not start on " + system + ": fork/exec " + absent + `: no such file or directory; what is missing is the interpreter of its first line, "/no/such/shell"`:                                func(s *Spec) { s.Binary = absent },
		`the function does not start: environmentVariables "A" holds a NUL character, which no process can be given`: func(s *Spec) {
			s.Project.Function.EnvironmentVariables["A"] = "\x00"
		},
	} {
		if _, err := start(change); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A call whose answer is too large, or whose error is no JSON, does not end the
// instance.
func TestInstanceStaysUsable(t *testing.T) {
	instance, err := faulty(t)(func(s *Spec) { s.Project.Function.MemorySize, s.Project.Function.Timeout = 1024, 60 })
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ event, payload, failure string }{
		{`"answer 40000000"`, "", "ResponseTooLargeError: The function's answer has more than 33554432 bytes (32 MB)"},
		{`"fine"`, `"fine"`, ""},
		{`"raw-error oops"`, "", "Unknown: oops"},
		{`"error"`, "", "errorString: as told <&>"},
		{`"fine"`, `"fine"`, ""},
	} {
		result, err := instance.Invoke(t.Context(), Call{RequestID: test.event, Payload: []byte(test.event)})
		if err != nil {
			t.Fatal(err)
		}
		failure := ""
		if result.Error != nil {
			failure = result.Error.Error()
		}
		if string(result.Payload) != test.payload || failure != test.failure {
			t.Errorf("%s: %.40q, %.80q; want %q, %q", test.event, result.Payload, failure, test.payload, test.failure)
		}
	}
}

// The memory of all processes of an instance counts together: of two that hold
// what one of them may.
func TestMemoryOfChildren(t *testing.T) {
	start := faulty(t)
	for _, test := range []struct {
		event string
		size  int
		over  bool
	}{
		{`"allocate-both"`, 1024, false},
		{`"allocate-both"`, 300, true}, // 200 MB each
	} {
		instance, err := start(func(s *Spec) { s.Project.Function.MemorySize, s.Project.Function.Timeout = test.size, 60 })
		if err != nil {
			t.Fatal(err)
		}
		result, err := instance.Invoke(t.Context(), Call{RequestID: "id", Payload: []byte(test.event)})
		if err != nil {
			t.Fatal(err)
		}
		if over := result.Error != nil && result.Error.Type == TypeMemory; over != test.over || !over && result.Error != nil {
			t.Errorf("memorySize %d: %v", test.size, result.Error)
		}
		if peak := instance.PeakMemory() >> 20; peak < 300 || peak > 450 {
			t.Errorf("memorySize %d: %d MB were seen of 400", test.size, peak)
		}
	}
}
