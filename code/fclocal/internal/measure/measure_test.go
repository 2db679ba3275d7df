package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"fclocal/internal/config"
	"fclocal/internal/instance"
	"fclocal/internal/trigger"
)

// options are those of a function with batches of 1 and 10.
func options(t *testing.T, source, file string) Options {
	t.Helper()
	project, _, err := config.Load(file, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	binary := filepath.Join(directory, "main")
	command := exec.Command("go", "build", "-o", binary, ".")
	command.Dir = source
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	event, err := os.ReadFile("../../../../event.json")
	if err != nil {
		t.Fatal(err)
	}
	return Options{Project: project, Binary: binary, CodeDir: directory, Event: event, MaxEvents: 1, InFlight: 2}
}

func projectOptions(t *testing.T) Options {
	t.Helper()
	return options(t, "../../..", "../../../../s.yaml")
}

func verifyNothingIsLeft(t *testing.T) {
	t.Helper()
	goleak.VerifyNone(t)
	if left := children(t); len(left) > 0 {
		t.Errorf("%d processes are left", len(left))
	}
}

// children are this process's, on Linux; none elsewhere.
func children(t *testing.T) (processes []*os.Process) {
	t.Helper()
	threads, _ := filepath.Glob("/proc/self/task/*/children")
	for _, thread := range threads {
		text, _ := os.ReadFile(thread) // the thread may have ended
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			process, err := os.FindProcess(pid)
			if err != nil {
				t.Fatal(err)
			}
			processes = append(processes, process)
		}
	}
	return processes
}

func TestRun(t *testing.T) {
	o := projectOptions(t)
	o.MaxEvents, o.InFlight = 200, 3
	logs, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	o.Logs = logs
	var steps []string
	o.Progress = func(events, step, of int) {
		steps = append(steps, fmt.Sprintf("%d: %d of %d", events, step, of))
	}
	f, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	verifyNothingIsLeft(t)
	if text, err := os.ReadFile(logs.Name()); err != nil || !bytes.Contains(text, []byte("Start processing 200 events")) {
		t.Errorf("the function's logs are missing: %.1000s %v", text, err)
	}
	if want := []string{"1: 1 of 32", "10: 2 of 32", "100: 3 of 32", "200: 4 of 32", "1: 5 of 32"}; len(steps) != 32 || !slices.Equal(steps[:5], want) {
		t.Errorf("%d steps %q", len(steps), steps)
	}
	if len(f.Points) != 4 || f.OutOfMemoryAt != 0 {
		t.Fatalf("%+v", f)
	}
	for i, events := range []int{1, 10, 100, 200} {
		p := f.Points[i]
		if p.Events != events || p.InFlight != 3 || p.EventsInFlight() != 3*events || p.Calls < fewRounds*4 || p.Duration <= 0 || p.CPU <= 0 {
			t.Errorf("%+v", p)
		}
	}
	if one := f.Points[0].LogBytes; one < 200 || one > 2000 || f.EventLog < 50 || f.EventLog > one || f.Points[3].LogBytes < 150*f.EventLog {
		t.Errorf("a call of an event writes %v bytes of logs, one of 200 %v, and %v for each event more", one, f.Points[3].LogBytes, f.EventLog)
	}
	if want := len(bytes.Trim(o.Event, "[] \t\n")); f.EventBytes != want {
		t.Errorf("an event has %d bytes, want %d", f.EventBytes, want)
	}
	one, most := f.Points[0], f.Points[3]
	if one.CPU >= most.CPU || one.Duration >= most.Duration || f.EventCPU <= 0 || f.CPU(1) >= f.CPU(200) || f.ColdStart <= 0 {
		t.Errorf("200 events take no longer than one: %+v", f)
	}
	if runtime.GOOS == "linux" && (one.CPU == one.Duration || one.AloneMemory < 1<<20 || one.Memory < one.AloneMemory || f.BaseMemory < 1<<20) {
		t.Errorf("CPU time and memory are not the process's: %+v", f)
	}
}

func TestRunFailures(t *testing.T) {
	project := projectOptions(t)
	faulty := options(t, "../../testdata/faulty/code", "../../testdata/faulty/s.yaml")
	for _, test := range []struct {
		name     string
		function Options
		change   func(*Options)
		want     string // the error's beginning
	}{
		{"error", faulty, func(*Options) {},
			"the function fails on event.json, so it cannot be measured: UnmarshalTypeError: json: cannot unmarshal array into Go value of type string; `fclocal invoke` shows its logs"},
		{"exit", faulty, func(o *Options) { o.Project.Function.EnvironmentVariables = map[string]string{"START": "exit"} },
			"the function fails on event.json, so it cannot be measured: UnhandledInvocationError: Process exited unexpectedly"},
		{"object", project, func(o *Options) { o.Event = []byte(`{"data":{}}`) },
			`event.json must be a JSON array of one event or more to measure the function with, and is "{\"data\":{}}"`},
		{"no event", project, func(o *Options) { o.Event = []byte("[]") },
			`event.json must be a JSON array of one event or more to measure the function with, and is "[]"`},
		{"no program", project, func(o *Options) { o.Binary += ".absent" },
			"the function does not start on "},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := test.function
			changed := *o.Project
			o.Project = &changed
			test.change(&o)
			_, err := Run(t.Context(), o)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%v; want %s", err, test.want)
			}
			var failure *instance.FunctionError
			if errors.As(err, &failure) != strings.HasPrefix(test.want, "the function fails") {
				t.Errorf("%#v", err)
			}
			verifyNothingIsLeft(t)
		})
	}
}

// The function succeeds with event.json, and is gone in a larger batch.
func TestRunFailureOfABatch(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the processes are found on Linux only")
	}
	o := projectOptions(t)
	o.Progress = func(events, _, _ int) {
		if events == 10 {
			for _, process := range children(t) {
				process.Kill()
			}
		}
	}
	_, err := Run(t.Context(), o)
	const want = "the function fails on event.json in batches of 10 with 1 in flight, so it cannot be measured: UnhandledInvocationError: Process exited unexpectedly"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v; want %s", err, want)
	}
	verifyNothingIsLeft(t)
}

// largeEvent is event.json with a message of so many bytes.
func largeEvent(length int) []byte {
	return fmt.Appendf(nil, `[{"id":"7","data":{"topic":"orders","value":{"text":"%s"}}}]`, strings.Repeat("x", length))
}

func TestRunOutOfMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memorySize is not enforced")
	}
	o := projectOptions(t)
	o.Event = largeEvent(1 << 20)
	o.Project.Function.MemorySize = 56 // 10 events need more
	f, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	verifyNothingIsLeft(t)
	if len(f.Points) != 1 || f.Points[0].Events != 1 || f.OutOfMemoryAt < 10 || f.OutOfMemoryAt > 20 {
		t.Errorf("%+v", f)
	}

	less := *o.Project
	less.Function.MemorySize = 4
	o.Project = &less
	_, err = Run(t.Context(), o)
	const want = "the function fails on event.json, so it cannot be measured: FunctionOOMError: Function out of memory: "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v; want %s", err, want)
	}
	verifyNothingIsLeft(t)
}

func TestRunStopped(t *testing.T) {
	o := projectOptions(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Progress = func(_, step, _ int) {
		if step == 2 {
			cancel()
		}
	}
	if _, err := Run(ctx, o); err != context.Canceled {
		t.Error(err)
	}
	verifyNothingIsLeft(t)
}

func TestBatchSizes(t *testing.T) {
	for _, test := range []struct {
		most    int
		lengths []int // of event.json's events, in bytes
		want    []int
	}{
		{1, []int{500}, []int{1, 10}},
		{5, []int{500}, []int{1, 10}},
		{10, []int{500}, []int{1, 10}},
		{11, []int{500}, []int{1, 10, 11}},
		{1000, []int{500}, []int{1, 10, 100, 1000}},
		{10_000, []int{5, 500}, []int{1, 10, 100, 1000, 10_000}},
		{10_000, []int{1<<20 - 1}, []int{1, 10, 31}}, // of 32, a bracket would be too much
		{10_000, []int{1<<20 - 1, 1<<20 - 2}, []int{1, 10, 32}},
		{10_000, []int{10 << 20}, []int{1, 3}},
		{10_000, []int{20 << 20}, []int{1}},
	} {
		var events []json.RawMessage
		for _, length := range test.lengths {
			events = append(events, make([]byte, length))
		}
		sizes := batchSizes(events, test.most)
		if !slices.Equal(sizes, test.want) {
			t.Errorf("%d events of %v bytes: %v, want %v", test.most, test.lengths, sizes, test.want)
		}
		if length := len(payload(events, slices.Max(sizes))); length > trigger.BodyLimitSynchronous {
			t.Errorf("%d events of %v bytes: a payload of %d", test.most, test.lengths, length)
		}
	}
}

func TestPayload(t *testing.T) {
	events := []json.RawMessage{[]byte(`{ "a": 1.0 }`), []byte(`{"b":2}`)}
	if got, want := string(payload(events, 3)), `[{ "a": 1.0 },{"b":2},{ "a": 1.0 }]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
