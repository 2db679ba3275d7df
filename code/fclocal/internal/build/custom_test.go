package build

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fclocal/internal/config"
	"fclocal/internal/failure"
)

// customProject has the files, those that begin with #! executable, in a directory. Its
// code is in code.
func customProject(t *testing.T, files map[string]string, command ...string) *config.Project {
	t.Helper()
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(goCache)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	directory := t.TempDir()
	for name, content := range files {
		path, mode := filepath.Join(directory, name), os.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return &config.Project{Dir: directory, Function: config.Function{
		Runtime: "custom", CodeURI: "code", CustomRuntime: config.CustomRuntime{Command: command},
		EnvironmentVariables: map[string]string{"PATH": "/nowhere:/code/bin"},
	}}
}

// What starts a function of a custom runtime: customRuntimeConfig's command, or
// bootstrap, from the code or from this machine.
func TestCustom(t *testing.T) {
	script := "#!/bin/sh\n"
	for _, test := range []struct {
		name    string
		files   map[string]string
		command []string
		path    string // below the project's directory, or the end of it
		args    []string
		wrong   string // DIR is the project's directory
	}{
		{name: "bootstrap", files: map[string]string{"code/bootstrap": script}, path: "DIR/code/bootstrap"},
		{name: "no bootstrap", files: map[string]string{"code/a": ""}, wrong: "DIR/code/bootstrap does not exist: it starts the function, as customRuntimeConfig has no command"},
		{name: "not executable", files: map[string]string{"code/bootstrap": ""}, wrong: "DIR/code/bootstrap is not executable: chmod +x makes it so, on FC too"},
		{name: "directory", files: map[string]string{"code/bootstrap/a": ""}, wrong: "DIR/code/bootstrap is not a regular file: customRuntimeConfig.command starts the function with it"},
		{name: "in /code", files: map[string]string{"code/bin/server": script}, command: []string{"/code/bin/server", "-c", "/code/x.conf", "/codes", "/code"},
			path: "DIR/code/bin/server", args: []string{"-c", "DIR/code/x.conf", "/codes", "DIR/code"}},
		{name: "relative", files: map[string]string{"code/server": script}, command: []string{"./server"}, path: "DIR/code/server"},
		{name: "missing", files: map[string]string{"code/a": ""}, command: []string{"./server"}, wrong: "DIR/code/server does not exist: customRuntimeConfig.command starts the function with it"},
		{name: "in the function's PATH", files: map[string]string{"code/bin/sh": script}, command: []string{"sh", "x"}, path: "DIR/code/bin/sh", args: []string{"x"}},
		{name: "in this machine's PATH", files: map[string]string{"code/sh": script}, command: []string{"sh"}, path: "/sh"},
		{name: "nowhere", files: map[string]string{"code/a": ""}, command: []string{"python9", "a.py"},
			wrong: "customRuntimeConfig.command starts the function with python9, which is not on this machine: install it"},
		{name: "without /code", files: map[string]string{"code/server": script}, command: []string{"server"},
			wrong: "customRuntimeConfig.command starts the function with server, which is looked for in PATH, and is not there: /code/server is the one in the code"},
		{name: "in a layer", files: map[string]string{"code/a": ""}, command: []string{"/opt/none/nginx"},
			wrong: "customRuntimeConfig.command starts the function with /opt/none/nginx, which is not on this machine: install it"},
		{name: "archive", files: map[string]string{"code": "PK"}, wrong: "the code, DIR/code, is not a directory, and fclocal runs what lies in one: build it, or unpack the archive"},
		{name: "Go module", files: map[string]string{"go.mod": "module m\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"}, command: []string{"/code/server"}, path: "/server"},
		{name: "script beside a Go module", files: map[string]string{"go.mod": "module m\n", "code/bootstrap": script}, path: "DIR/code/bootstrap"},
		{name: "another language beside a Go module", files: map[string]string{"go.mod": "module m\n", "code/a.py": ""}, command: []string{"sh", "a.py"}, path: "/sh", args: []string{"a.py"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := customProject(t, test.files, test.command...)
			here := func(text string) string { return strings.Replace(text, "DIR", p.Dir, 1) }
			binary, err := Project(t.Context(), p, false, t.Output())
			if test.wrong != "" {
				if err == nil || err.Error() != here(test.wrong) {
					t.Errorf("%v, want %s", err, here(test.wrong))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer binary.Release()
			var args []string
			for _, arg := range test.args {
				args = append(args, here(arg))
			}
			if !strings.HasSuffix(binary.Path, here(test.path)) || !slices.Equal(binary.Args, args) {
				t.Errorf("%s %q, want %s %q", binary.Path, binary.Args, here(test.path), args)
			}
		})
	}
}

// Actions are said, run where they belong, and shown when they fail, and only then.
func TestActions(t *testing.T) {
	run := func(actions ...config.Action) (stderr string, err error) {
		p := customProject(t, map[string]string{"code/bootstrap": "#!/bin/sh\n", "code/.fcignore": ""})
		p.Function.Layers, p.Function.CommandHooks, p.File = []string{"acs:fc:1"}, []string{"initializer"}, "s.yaml"
		p.Build = actions
		for i := range p.Build {
			p.Build[i].Path = filepath.Join(p.Dir, p.Build[i].Path)
		}
		var output bytes.Buffer
		_, err = Project(t.Context(), p, false, &output)
		return strings.ReplaceAll(output.String(), p.Dir, "DIR"), err
	}
	const differences = "fclocal: initializer is a command in s.yaml: fclocal does not run that hook\n" +
		"fclocal: layers are not loaded: the function finds what is installed on this machine, and not what they have in /opt\n" +
		"fclocal: .fcignore is not heeded: the function also finds the files that it keeps from being deployed\n"

	stderr, err := run(
		config.Action{Hook: "pre-local", Run: "pwd; echo 1 >made", Path: "code"},
		config.Action{Hook: "pre-local", Run: "test $(cat code/made) = 1"},
		config.Action{Hook: "pre-local", Other: "component: fc3 build"},
		config.Action{Hook: "pre-local", Run: "exit 7", AllowFailure: true},
	)
	want := differences + "fclocal: pre-local: pwd; echo 1 >made (in code)\nfclocal: pre-local: test $(cat code/made) = 1\n" +
		"fclocal: pre-local: component: fc3 build is left out: run it with s if the function needs it\n" +
		"fclocal: pre-local: exit 7\nfclocal: it failed, which allow_failure allows: exit status 7\n"
	if err != nil || stderr != want {
		t.Errorf("%v\n%s\nwant\n%s", err, stderr, want)
	}

	stderr, err = run(config.Action{Hook: "pre-deploy", Run: `printf 'lost%20000d\033[1mwrong' 7; exit 3`}, config.Action{Hook: "pre-deploy", Run: "echo not run"})
	text := differences + "fclocal: pre-deploy: printf 'lost%20000d\\033[1mwrong' 7; exit 3\n"
	text += strings.Repeat(" ", shownOutput-len("7\x1b[1mwrong")) + `7\x1b[1mwrong` + "\n"
	if stderr != text || !failure.Is(err) || err.Error() != `the function does not build: pre-deploy: printf 'lost%20000d\033[1mwrong' 7; exit 3: exit status 3` {
		t.Errorf("%v\n%q", err, stderr)
	}

	if _, err = run(config.Action{Hook: "pre-deploy", Run: "true", Path: "none"}); err == nil || !strings.Contains(err.Error(), "none is not a directory") {
		t.Errorf("an action in no directory: %v", err)
	}
}

// A go1 function without a Go module is built by the actions.
func TestActionsOfGo1(t *testing.T) {
	p := customProject(t, map[string]string{"source": "#!/bin/sh\n"})
	p.Function.Runtime, p.Function.Handler = "go1", "main"
	want := "no go.mod in codeUri " + p.Code() + " nor above it, up to " + p.Dir + ": put the function's source there, or use --no-build"
	if _, err := Project(t.Context(), p, false, t.Output()); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	p.Build = []config.Action{{Hook: "pre-deploy", Run: "mkdir code && cp source code/main", Path: p.Dir}}
	for _, name := range []string{"", "go.mod"} { // whose package is elsewhere
		if name != "" {
			if err := os.WriteFile(filepath.Join(p.Dir, name), []byte("module m\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			p.Build[0].Run = "cp source code/main"
		}
		binary, err := Project(t.Context(), p, false, t.Output())
		if err != nil || binary.Path != filepath.Join(p.Code(), "main") {
			t.Errorf("%q: %v, %s", name, err, binary.Path)
		}
	}
}

// An action that is interrupted ends with all that it has started, and --no-build runs
// none.
func TestActionsEnd(t *testing.T) {
	p := customProject(t, map[string]string{"code/bootstrap": "#!/bin/sh\n"})
	fifo := filepath.Join(p.Dir, "begun")
	p.Build = []config.Action{{Hook: "pre-deploy", Path: p.Dir, Run: fmt.Sprintf("sleep 1000 & echo $! >%s; wait", fifo)}}
	if _, err := Project(t.Context(), p, true, t.Output()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if content, err := os.ReadFile(fifo); err == nil && len(content) > 0 {
				cancel()
				return
			}
		}
	}()
	_, err := Project(ctx, p, false, t.Output())
	if !failure.Is(err) || err.Error() != "interrupted" {
		t.Errorf("interrupted: %v", err)
	}
	pid, _ := os.ReadFile(fifo)
	for { // the test's time limit bounds it
		status, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/status")
		if err != nil || bytes.Contains(status, []byte("State:\tZ")) {
			break
		}
	}
}
