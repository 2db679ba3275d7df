//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"fclocal/internal/result"
)

// told is a function that says of each call which version of it has got it, and answers
// when the test lets it.
const told = `package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
)

const version = "1"

func main() {
	hook := func(context.Context) {}
	fc.RegisterPreFreezeFunction(hook)
	fc.RegisterPreStopFunction(hook)
	fc.Start(func(_ context.Context, events []struct{ Data struct{ Offset int; Value string } }) (string, error) {
		first := events[0].Data
		query := url.Values{"version": {version}, "offset": {fmt.Sprint(first.Offset)}, "count": {fmt.Sprint(len(events))}, "value": {first.Value}, "pid": {fmt.Sprint(os.Getpid())}}
		answer, err := http.Get(os.Getenv("TELL") + "?" + query.Encode())
		if err == nil && answer.StatusCode != http.StatusOK {
			err = errors.New(answer.Status)
		}
		return "version " + version, err
	})
}
`

// watched is an fclocal with --watch, in a project of its own whose function is told.
type watched struct {
	*testing.T
	directory, cache string
	fclocal          *exec.Cmd
	stdout           bytes.Buffer
	lines            *bufio.Reader // of stderr
	said             []string
}

// startWatched starts it with calls that are handled so.
func startWatched(t *testing.T, environment []string, handle func(call url.Values) (good bool), args ...string) *watched {
	t.Helper()
	w := &watched{T: t, directory: t.TempDir(), cache: t.TempDir()}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join("testdata/faulty/code", name))
		if err != nil {
			t.Fatal(err)
		}
		w.write("code/"+name, string(content))
	}
	for _, name := range []string{"s.yaml", "event.json"} {
		content, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		w.write(name, string(content))
	}
	w.replace("s.yaml", "        runtime: go1", "        instanceLifecycleConfig: {preFreeze: {handler: \"true\", timeout: 60}, preStop: {handler: \"true\", timeout: 60}}\n        runtime: go1")
	w.write("code/main.go", told)
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		if !handle(r.URL.Query()) {
			answer.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(server.Close)
	w.start(environment, append(args, "--env", "TELL="+server.URL)...)
	return w
}

// start starts fclocal.
func (w *watched) start(environment []string, args ...string) {
	w.Helper()
	w.fclocal = fclocal(w.T, append(args, "--watch", "--no-cpu-limit", "-t", filepath.Join(w.directory, "s.yaml"))...)
	w.fclocal.Env = append(append(w.fclocal.Env, "XDG_CACHE_HOME="+w.cache), environment...)
	w.fclocal.Stdout = &w.stdout
	stderr, err := w.fclocal.StderrPipe()
	if err == nil {
		err = w.fclocal.Start()
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { w.fclocal.Process.Kill() })
	w.lines = bufio.NewReader(stderr)
}

// write writes a file of the project, as an editor does that replaces files.
func (w *watched) write(name, content string) {
	w.Helper()
	path := filepath.Join(w.directory, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path+"~", []byte(content), 0o644)
	}
	if err == nil {
		err = os.Rename(path+"~", path)
	}
	if err != nil {
		w.Fatal(err)
	}
}

// replace replaces a text in a file.
func (w *watched) replace(name, from, to string) {
	w.Helper()
	content, err := os.ReadFile(filepath.Join(w.directory, name))
	if err != nil || !strings.Contains(string(content), from) {
		w.Fatalf("%v: no %q in %s", err, from, content)
	}
	w.write(name, strings.Replace(string(content), from, to, 1))
}

// await reads stderr up to a line with the text, which it returns.
func (w *watched) await(text string) string {
	w.Helper()
	for {
		line, err := w.lines.ReadString('\n')
		w.said = append(w.said, line)
		if err != nil {
			w.Fatalf("%v before %q in\n%s", err, text, strings.Join(w.said, ""))
		}
		if strings.Contains(line, text) {
			return line
		}
	}
}

// end reads the rest, and returns the exit code. No program of the function is left.
func (w *watched) end() int {
	w.Helper()
	rest, _ := io.ReadAll(w.lines)
	w.said = append(w.said, string(rest))
	w.fclocal.Wait()
	if runs, _ := filepath.Glob(filepath.Join(w.cache, "fclocal/*/run-*")); len(runs) > 0 {
		w.Errorf("left behind: %q", runs)
	}
	return w.fclocal.ProcessState.ExitCode()
}

// run is the stream's result.
func (w *watched) run() result.Run {
	w.Helper()
	var document struct{ Runs []result.Run }
	if err := json.Unmarshal(w.stdout.Bytes(), &document); err != nil || len(document.Runs) != 1 {
		w.Fatalf("%v in %q\n%s", err, &w.stdout, strings.Join(w.said, ""))
	}
	return document.Runs[0]
}

// Five builds, one of which fails, while 10,000 messages are delivered: each arrives once,
// calls in flight end in the program that has got them, and the last version has calls.
func TestStreamWatchUnderLoad(t *testing.T) {
	const messages, concurrency, callsOfVersion = 10_000, 26, 100
	var mu sync.Mutex
	changed := sync.NewCond(&mu)
	latest, held, seen := "1", 0, map[string]int{} // versions and their calls
	offsets, pids := map[int]int{}, map[string]bool{}
	heldBy := map[string]int{} // versions that had calls in flight when the next one came
	w := startWatched(t, nil, func(call url.Values) bool {
		mu.Lock()
		defer mu.Unlock()
		version := call.Get("version")
		first, _ := strconv.Atoi(call.Get("offset"))
		count, _ := strconv.Atoi(call.Get("count"))
		for offset := first; offset < first+count; offset++ {
			offsets[offset]++
		}
		pids[call.Get("pid")] = true
		seen[version]++
		if seen[version] < callsOfVersion || version != latest {
			return true
		}
		held++
		changed.Broadcast()
		for latest == version {
			changed.Wait()
		}
		heldBy[version]++
		return true
	}, "stream", "--json", "--logs", t.TempDir(), "-n", strconv.Itoa(messages), "--until-end")
	// hold waits until all calls that may be in flight are, in the latest version.
	hold := func() {
		mu.Lock()
		defer mu.Unlock()
		for held < concurrency {
			changed.Wait()
		}
		held = 0
	}
	release := func(version string) {
		mu.Lock()
		defer mu.Unlock()
		latest = version
		changed.Broadcast()
	}
	before := `const version = "1"`
	for _, version := range []string{"2", "3", "broken", "4", "5"} {
		if version == "broken" {
			hold()
			w.replace("code/main.go", before, "const version = 4")
			before = "const version = 4"
			w.await("code/main.go has changed")
			w.await("./main.go:") // of the compiler
			w.await("the function does not build")
			continue
		}
		if version != "4" {
			hold()
		}
		after := fmt.Sprintf("const version = %q", version)
		w.replace("code/main.go", before, after)
		w.await("version " + version + " takes the next calls")
		release(version)
		before = after
	}
	release("no more")
	if code := w.end(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, strings.Join(w.said, ""))
	}
	run := w.run()
	if got, want := counts(run), "produced 10000, delivered 10000, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want {
		t.Error(got, "want", want)
	}
	if run.Retries != 0 || run.Redelivered != 0 || run.Crashes != 0 || run.Throttled != 0 {
		t.Errorf("%d retries, %d redelivered, %d crashes, %d throttled", run.Retries, run.Redelivered, run.Crashes, run.Throttled)
	}
	for offset := range messages {
		if offsets[offset] != 1 {
			t.Errorf("message %d has come %d times", offset, offsets[offset])
		}
	}
	for _, version := range []string{"1", "2", "3", "4"} {
		if heldBy[version] < concurrency {
			t.Errorf("version %s ended %d calls that were in flight when the next one came, want %d", version, heldBy[version], concurrency)
		}
	}
	if seen["5"] == 0 {
		t.Errorf("calls by version: %v", seen)
	}
	hooks := map[string]int64{}
	for _, hook := range run.Hooks {
		hooks[hook.Name] = hook.Runs - hook.Failed
	}
	if hooks["preStop"] != 5 || hooks["preFreeze"] < 5 || run.Instances != 5 {
		t.Errorf("%d instances, hooks that ran: %v; want an instance of each version, and all its hooks", run.Instances, hooks)
	}
	for pid := range pids {
		awaitEnd(pid)
	}
}

// Settings are applied while the stream runs, or refused with what is wrong, and the
// messages of event.json are produced once more, as it then is. Ctrl-C ends a build.
func TestStreamWatchSettings(t *testing.T) {
	// A go command that, once there is a file hang, never ends and heeds no Ctrl-C.
	directory := t.TempDir()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	hang, pid := filepath.Join(directory, "hang"), filepath.Join(directory, "pid")
	script := fmt.Sprintf("#!/bin/sh\nif [ -e %s ] && [ $1 = build ]; then trap '' INT; echo $$ >%[2]s~; mv %[2]s~ %[2]s; exec %s 1000; fi\nexec %s \"$@\"\n", hang, pid, sleepProgram(t), real)
	if err := os.WriteFile(filepath.Join(directory, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	calls := make(chan string, 100)
	w := startWatched(t, []string{"PATH=" + directory + ":" + os.Getenv("PATH")}, func(call url.Values) bool {
		calls <- call.Get("count") + " from " + call.Get("offset") + ", " + call.Get("value")
		return true
	}, "stream", "--json", "--logs", t.TempDir(), "-n", "20", "--set", "concurrency=1")
	expect := func(want ...string) {
		t.Helper()
		for _, want := range want {
			if got := <-calls; got != want {
				t.Errorf("a call with %s, want %s", got, want)
			}
		}
	}
	const value = `{"name":"shaouai","age":28,"department":"IT"}`
	expect("10 from 0, "+value, "10 from 10, "+value)
	w.replace("s.yaml", "CountBasedWindow: 10 ", "CountBasedWindow: 0 ")
	line := w.await("error:")
	if want := filepath.Join(w.directory, "s.yaml") + ":94:35: error: CountBasedWindow is 0; allowed is 1 to 10000\n"; line != want {
		t.Errorf("%q\nwant %q", line, want)
	}
	w.await("1 error; the settings before go on")
	w.replace("s.yaml", "CountBasedWindow: 0 ", "CountBasedWindow: 20 ")
	w.await("CountBasedWindow is 20, and was 10")
	expect("20 from 20, " + value)
	w.replace("s.yaml", "maximumTasks: 1 ", "maximumTasks: 2 ")
	w.await("maximumTasks cannot change while the stream runs: start the stream again; the settings before go on")
	w.replace("s.yaml", "maximumTasks: 2 ", "maximumTasks: 1 ")
	w.await("all settings are as before")
	w.replace("event.json", "shaouai", "someone")
	w.await("event.json has changed")
	expect("20 from 40, " + strings.Replace(value, "shaouai", "someone", 1))
	w.replace("s.yaml", " concurrency: 26", " concurrency: 13") // --set stays on top of it
	w.await("all settings are as before")
	w.write("code/.main.go.swp", "an editor's own")
	w.write("code/main_test.go", "package main")
	w.replace("s.yaml", "timeout: 120", "timeout: 60")
	if line := w.await("has changed"); !strings.Contains(line, "s.yaml") {
		t.Error(line)
	}
	w.await("timeout is 60 s, and was 120 s")
	w.await("version 2 takes the next calls")
	expect("20 from 60, " + strings.Replace(value, "shaouai", "someone", 1))

	if err := os.WriteFile(hang, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w.replace("code/main.go", `"1"`, `"2"`)
	var builder []byte
	eventually(func() bool {
		builder, err = os.ReadFile(pid)
		return err == nil
	})
	w.fclocal.Process.Signal(syscall.SIGINT)
	if code := w.end(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, strings.Join(w.said, ""))
	}
	awaitEnd(strings.TrimSpace(string(builder)))
	run := w.run()
	if got, want := counts(run), "produced 80, delivered 80, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want || run.Load.Messages != 80 {
		t.Errorf("%s of %d, want %s", got, run.Load.Messages, want)
	}
	for name, want := range map[string]string{"CountBasedWindow": "20", "concurrency": "1", "timeout": "60", "maximumTasks": "1"} {
		if got := fmt.Sprint(run.Settings.Value(name)); got != want {
			t.Errorf("%s %s, want %s", name, got, want)
		}
	}
}

// A script that does not start takes no calls: it is tried first, each time anew.
func TestStreamWatchScript(t *testing.T) {
	needProgram(t, "python3")
	file := customProject(t, "", "./go", "./python", "[/code/main]", "[python3, server.py]")
	w := &watched{T: t, directory: filepath.Dir(file), cache: t.TempDir()}
	logs := t.TempDir()
	w.start(nil, "stream", "--json", "--logs", logs, "-n", "10", "--set", "TimeBasedWindow=0")
	called := func(instance string) {
		eventually(func() bool {
			log, _ := os.ReadFile(filepath.Join(logs, "instance-"+instance+".log"))
			return strings.Contains(string(log), "/invoke")
		})
	}
	called("1")
	w.replace("python/server.py", "import os", "imports os")
	w.await("python/server.py has changed")
	if line := w.await("the function does not start"); !strings.Contains(line, "SyntaxError") || !strings.HasSuffix(line, "; version 1 goes on\n") {
		t.Error(line)
	}
	w.replace("python/server.py", "imports os", "import os")
	w.await("version 2 takes the next calls")
	called("2")
	w.fclocal.Process.Signal(syscall.SIGINT)
	if code := w.end(); code != exitOK {
		t.Errorf("exit code %d\n%s", code, strings.Join(w.said, ""))
	}
	run := w.run()
	if run.Crashes != 0 || run.Retries != 0 || run.Instances != 2 {
		t.Errorf("%d crashes, %d retries, %d instances", run.Crashes, run.Retries, run.Instances)
	}
}

// The function is called again with each change of it or of the event, but not while it
// does not build. Ctrl-C ends it with the last call's exit code.
func TestInvokeWatch(t *testing.T) {
	calls := make(chan string, 10)
	w := startWatched(t, nil, func(call url.Values) bool {
		calls <- "version " + call.Get("version") + ", " + call.Get("value")
		return !strings.Contains(call.Get("value"), "bad")
	}, "invoke", "--set", "memorySize=192")
	expect := func(version, name string) {
		t.Helper()
		if got, want := <-calls, fmt.Sprintf(`version %s, {"name":%q,"age":28,"department":"IT"}`, version, name); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		w.await("waiting for a change; Ctrl-C ends it")
	}
	expect("1", "shaouai")
	w.replace("code/main.go", `"1"`, `2`)
	w.await("the function does not build")
	w.replace("code/main.go", `= 2`, `= "2"`)
	expect("2", "shaouai")
	w.replace("s.yaml", "timeout: 120", "timeout: 60") // --set stays on top of it
	expect("2", "shaouai")
	w.replace("event.json", "shaouai", "bad")
	expect("2", "bad")
	w.fclocal.Process.Signal(syscall.SIGINT)
	if code := w.end(); code != exitFailed {
		t.Errorf("exit code %d\n%s", code, strings.Join(w.said, ""))
	}
	want := "\"version 1\"\n\"version 2\"\n\"version 2\"\n{\"errorMessage\":\"418 I'm a teapot\",\"errorType\":\"errorString\"}\n"
	if got := w.stdout.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if said := strings.Join(w.said, ""); strings.Count(said, "Memory Size: 192 MB") != 4 {
		t.Errorf("--set does not hold for all calls\n%s", said)
	}
}

// What --watch cannot go with is said.
func TestWatchUsage(t *testing.T) {
	for _, test := range []struct{ args, says string }{
		{"invoke --watch --debug", "--watch is not for --debug"},
		{"invoke --watch --race", "--watch is not for --race"},
		{"invoke --watch --no-build", "--watch builds the function again, which --no-build forbids"},
		{"invoke --watch --print", "--watch calls again what --print does not call"},
		{"stream --watch --debug", "--watch is not for --debug"},
		{"stream --watch --no-build", "--watch builds the function again, which --no-build forbids"},
		{"stream --watch --set CountBasedWindow=1,2", "--watch is for one run: give each --set one value"},
		{"stream --watch --backlog 5", "--backlog before the stream starts"},
	} {
		command := fclocal(t, strings.Fields(test.args)...)
		output, _ := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != exitUsage || !strings.Contains(string(output), test.says) {
			t.Errorf("%s: exit code %d, %s", test.args, code, output)
		}
	}
}
