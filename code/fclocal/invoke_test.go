package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// faultyProject is a copy of the faulty function whose calls may take a minute, and
// a cache of its own.
func faultyProject(t *testing.T) (template, cache string, environment []string) {
	t.Helper()
	project, cache := t.TempDir(), t.TempDir()
	if err := os.CopyFS(project, os.DirFS("testdata/faulty")); err != nil {
		t.Fatal(err)
	}
	template = filepath.Join(project, "s.yaml")
	content, err := os.ReadFile(template)
	if err == nil {
		err = os.WriteFile(template, bytes.Replace(content, []byte("timeout: 2\n"), []byte("timeout: 60\n"), 1), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return template, cache, slices.Concat(os.Environ(), goEnvironment(t), []string{"XDG_CACHE_HOME=" + cache})
}

func invokeCommand(template, event string, environment []string) *exec.Cmd {
	command := exec.Command(os.Args[0])
	command.Args = []string{"fclocal", "invoke", "-t", template, "-e", event}
	command.Env = environment
	return command
}

// An invoke beside one that runs does not wait for it. What a killed one has left
// goes with the next.
func TestInvokeBesideAnother(t *testing.T) {
	template, cache, environment := faultyProject(t)
	first := invokeCommand(template, `"hang"`, environment)
	stderr, err := first.StderrPipe()
	if err == nil {
		err = first.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	pid := awaitPID(t, stderr)
	second := func(wantRuns int) {
		t.Helper()
		output, err := invokeCommand(template, `"fine"`, environment).Output()
		if err != nil || string(output) != "\"fine\"\n" {
			t.Errorf("the second invoke: %v %q", err, output)
		}
		if runs, _ := filepath.Glob(filepath.Join(cache, "fclocal/*/run-*")); len(runs) != wantRuns {
			t.Errorf("%d directories of runs are there, want %d: %q", len(runs), wantRuns, runs)
		}
	}
	second(1) // the first one's
	if status, _ := os.ReadFile("/proc/" + pid + "/status"); !bytes.Contains(status, []byte("\nState:")) {
		t.Error("the first invoke has ended before the second one")
	}
	first.Process.Kill()
	first.Wait()
	awaitEnd(pid)
	second(0)
}

// A signal during the build ends the compiler, even one that does not heed it, and
// leaves nothing locked.
func TestInterruptEndsBuild(t *testing.T) {
	template, _, environment := faultyProject(t)
	directory := t.TempDir()
	compiler := filepath.Join(directory, "compiler")
	script := "#!/bin/sh\ntrap '' INT\necho pid $$ >" + directory + "/new && mv " + directory + "/new " + directory + "/pid\nexec " + sleepProgram(t) + " 1000\n"
	if err := os.WriteFile(compiler, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	fclocal := invokeCommand(template, `"fine"`, append(slices.Clone(environment), "GOFLAGS=-toolexec="+compiler))
	stderr, err := fclocal.StderrPipe()
	if err == nil {
		err = fclocal.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var pid string
	eventually(func() bool {
		content, err := os.ReadFile(filepath.Join(directory, "pid"))
		pid = strings.TrimSpace(strings.TrimPrefix(string(content), "pid "))
		return err == nil
	})
	fclocal.Process.Signal(syscall.SIGTERM)
	rest, _ := io.ReadAll(stderr)
	fclocal.Wait()
	awaitEnd(pid)
	if code := fclocal.ProcessState.ExitCode(); code != exitFailed || !strings.HasSuffix(string(rest), "fclocal: interrupted\n") {
		t.Errorf("exit code %d, stderr %q; want %d and that it was interrupted", code, rest, exitFailed)
	}
	if output, err := invokeCommand(template, `"fine"`, environment).Output(); err != nil || string(output) != "\"fine\"\n" {
		t.Errorf("the next invoke: %v %q", err, output)
	}
}
