package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/result"
)

// fclocal is a command line of the real program on the project's own s.yaml.
func fclocal(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Args = append([]string{"fclocal"}, args...)
	command.Env = append(os.Environ(), goEnvironment(t)...)
	return command
}

// tryStream runs fclocal stream with --json and its logs in a directory of the test.
func tryStream(t *testing.T, args ...string) (runs []result.Run, stderr string, code int) {
	t.Helper()
	command := fclocal(t, append([]string{"stream", "--json", "--logs", t.TempDir()}, args...)...)
	var messages bytes.Buffer
	command.Stderr = &messages
	output, err := command.Output()
	var document struct{ Runs []result.Run }
	if len(output) > 0 {
		if err := json.Unmarshal(output, &document); err != nil {
			t.Fatalf("%v in %s", err, output)
		}
	}
	if command.ProcessState == nil {
		t.Fatal(err)
	}
	return document.Runs, messages.String(), command.ProcessState.ExitCode()
}

func mustStream(t *testing.T, args ...string) []result.Run {
	t.Helper()
	runs, stderr, code := tryStream(t, args...)
	if code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	return runs
}

// counts are the figures of a run that do not depend on time.
func counts(run result.Run) string {
	return fmt.Sprintf("produced %d, delivered %d, deadLettered %d, discarded %d, filtered %d, pending %d",
		run.Produced, run.Delivered, run.DeadLettered, run.Discarded, run.Filtered, run.Pending)
}

func TestStream(t *testing.T) {
	run := mustStream(t)[0]
	if got, want := counts(run), "produced 1000, delivered 1000, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want {
		t.Error(got, "want", want)
	}
	if run.Calls != 100 || run.Instances != 1 || run.InstancesBound != 1 || run.Retries != 0 {
		t.Errorf("%d calls, %d instances of %d, %d retries", run.Calls, run.Instances, run.InstancesBound, run.Retries)
	}
}

// What is in the topic at the start is all delivered, and has waited since then:
// in a single call of 1 s, each message for at least so long.
func TestStreamBacklog(t *testing.T) {
	run := mustStream(t, "--backlog", "100", "--event-time", "10ms", "--set", "CountBasedWindow=100")[0]
	if got, want := counts(run), "produced 100, delivered 100, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want {
		t.Error(got, "want", want)
	}
	if run.Calls != 1 || run.LatencyMs.P50 < 1000 || run.LatencyMs.Max > 1000*run.WallSeconds {
		t.Errorf("%d calls, latencies %+v in %v s", run.Calls, run.LatencyMs, run.WallSeconds)
	}
}

// The experiments, with a function that keeps each call busy.
func TestStreamInstances(t *testing.T) {
	runs := mustStream(t, "-n", "52", "--event-time", "500ms", "--set", "CountBasedWindow=1", "--set", "instanceConcurrency=26,13,5,2,1")
	want := []int{1, 2, 6, 13, 26}
	for i, run := range runs {
		if run.Instances != want[i] || run.InstancesBound != want[i] || run.PeakInFlight != 26 {
			t.Errorf("instanceConcurrency %v: %d instances, bound %d, %d calls in flight; want %d, %d, 26",
				run.Settings.Value("instanceConcurrency"), run.Instances, run.InstancesBound, run.PeakInFlight, want[i], want[i])
		}
	}
	if len(runs) != len(want) {
		t.Errorf("%d runs, want %d", len(runs), len(want))
	}
}

func TestStreamTasks(t *testing.T) {
	runs := mustStream(t, "-n", "400", "--partitions", "4", "--set", "maximumTasks=4,2,6", "--set", "TimeBasedWindow=0")
	for i, idle := range []int{0, 0, 2} {
		if got, want := counts(runs[i]), "produced 400, delivered 400, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want || runs[i].IdleTasks != idle || runs[i].Load.Partitions != 4 {
			t.Errorf("maximumTasks %v: %s, %d idle tasks of %d partitions", runs[i].Settings.Value("maximumTasks"), got, runs[i].IdleTasks, runs[i].Load.Partitions)
		}
	}
}

// messagesWithOneBad is a file of 100 messages, of which the 51st is no JSON object.
func messagesWithOneBad(t *testing.T) string {
	lines := slices.Repeat([]string{`{"name":"shaouai"}`}, 100)
	lines[50] = `{"value":"not JSON","key":"bad"}`
	file := filepath.Join(t.TempDir(), "messages.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// One bad message: what becomes of its batch under each tolerance.
func TestStreamErrors(t *testing.T) {
	messages := messagesWithOneBad(t)
	for _, test := range []struct {
		set    string
		code   int
		counts string
		dead   int
	}{
		{"errorsTolerance=ALL", exitOK, "produced 100, delivered 90, deadLettered 10, discarded 0, filtered 0, pending 0", 10},
		{"deadLetterQueue=", exitOK, "produced 100, delivered 90, deadLettered 0, discarded 10, filtered 0, pending 0", 0},
		{"errorsTolerance=NONE", exitFailed, "produced 100, delivered 50, deadLettered 0, discarded 0, filtered 0, pending 50", 0},
	} {
		t.Run(test.set, func(t *testing.T) {
			dead := filepath.Join(t.TempDir(), "dead.jsonl")
			runs, stderr, code := tryStream(t, "--messages", messages, "--set", test.set, "--set", "concurrency=1", "--retry-scale", "0.0001", "--dead-letters", dead)
			if code != test.code || len(runs) != 1 {
				t.Fatalf("exit code %d, %d runs\n%s", code, len(runs), stderr)
			}
			if got := counts(runs[0]); got != test.counts {
				t.Errorf("%s\nwant %s", got, test.counts)
			}
			if runs[0].Retries != 3 {
				t.Errorf("%d retries, want 3", runs[0].Retries)
			}
			stopped := "fclocal: the stream stopped, as errorsTolerance is NONE: the batch of 10 events from partition 0, offset 50 failed 4 times, the last time with InvalidBatchError: 1 of 10 events are invalid"
			if code == exitFailed && !strings.Contains(stderr, stopped) {
				t.Errorf("stderr %s\nwant it to contain %s", stderr, stopped)
			}
			letters, err := os.ReadFile(dead)
			if err != nil {
				t.Fatal(err)
			}
			if got := bytes.Count(letters, []byte("\n")); got != test.dead {
				t.Fatalf("%d dead letters, want %d", got, test.dead)
			}
			if test.dead == 0 {
				return
			}
			var letter struct {
				Event    struct{ Data struct{ Offset int64 } }
				Error    string
				Attempts int
			}
			if err := json.Unmarshal(letters[:bytes.IndexByte(letters, '\n')], &letter); err != nil {
				t.Fatal(err)
			}
			if letter.Event.Data.Offset != 50 || letter.Attempts != 4 || !strings.HasPrefix(letter.Error, "InvalidBatchError: ") {
				t.Errorf("%+v", letter)
			}
		})
	}
}

// A retry is billed with all events of its batch, an event for each 64 KB begun, a
// filtered one, too, and an instance for the time in which it has a call.
func TestStreamBill(t *testing.T) {
	retried, _, _ := tryStream(t, "--messages", messagesWithOneBad(t), "--retry-scale", "0.0001")
	if c := retried[0].Bill.Run; c.EventBridge.ByEvents.Events != 130 || c.FunctionCompute.Calls != 13 {
		t.Errorf("%+v; want 100 events and 3 times 10 again, in 13 calls", c)
	}

	large := filepath.Join(t.TempDir(), "large.jsonl")
	if err := os.WriteFile(large, []byte(`{"name":"`+strings.Repeat("x", 130<<10)+`"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"{}", `{"data":{"topic":["another"]}}`} {
		run := mustStream(t, "--messages", large, "--set", "eventRuleFilterPattern="+pattern)[0]
		if c := run.Bill.Run; c.EventBridge.ByEvents.Events != 3 || (run.Filtered == 1) != (pattern != "{}") || c.FunctionCompute.Calls != float64(1-run.Filtered) {
			t.Errorf("%q: %+v; want 3 events for one of 130 KB", pattern, c)
		}
	}

	// 10 calls of 100 ms side by side: in one instance they are billed as one.
	runs := mustStream(t, "-n", "10", "--event-time", "100ms", "--set", "CountBasedWindow=1", "--set", "instanceConcurrency=10,1", "--set", "cpu=1", "--set", "memorySize=1024")
	for i, least := range []float64{0.1, 1} {
		f := runs[i].Bill.Run.FunctionCompute
		if *f.VCPUSeconds < least || i == 0 && *f.VCPUSeconds > runs[i].WallSeconds+0.001 || f.MemoryGBSeconds != *f.VCPUSeconds || *f.CU != math.Ceil(f.CallsCU+1.15*f.MemoryGBSeconds) || *runs[i].Bill.Run.Price <= 0 {
			t.Errorf("instanceConcurrency %v: %+v", runs[i].Settings.Value("instanceConcurrency"), f)
		}
	}
}

// A stream that was stopped resumes at the batch that stopped it.
func TestStreamResumes(t *testing.T) {
	data := t.TempDir()
	_, _, code := tryStream(t, "--messages", messagesWithOneBad(t), "--data-dir", data, "--set", "errorsTolerance=NONE", "--set", "concurrency=1", "--retry-scale", "0")
	if code != exitFailed {
		t.Fatalf("exit code %d, want %d", code, exitFailed)
	}
	run := mustStream(t, "-n", "0", "--data-dir", data, "--retry-scale", "0")[0]
	if got, want := counts(run), "produced 50, delivered 40, deadLettered 10, discarded 0, filtered 0, pending 0"; got != want {
		t.Error(got, "want", want)
	}
	// Then there is nothing left.
	run = mustStream(t, "-n", "0", "--data-dir", data)[0]
	if got, want := counts(run), "produced 0, delivered 0, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want {
		t.Error(got, "want", want)
	}
}

// Killed three times on the way, with instances dying, every message reaches the function.
func TestStreamKilled(t *testing.T) {
	const messages = 20_000
	data, logs := t.TempDir(), t.TempDir()
	offset := regexp.MustCompile(`Partition:(\d+) Offset:(\d+)`)
	reached := map[string]bool{}
	collect := func() int {
		files, _ := filepath.Glob(filepath.Join(logs, "*.log"))
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range offset.FindAllString(string(content), -1) {
				reached[match] = true
			}
		}
		return len(reached)
	}
	args := []string{"stream", "--json", "--no-cpu-limit", "--logs", logs, "--data-dir", data, "--partitions", "8", "--set", "maximumTasks=4", "--set", "TimeBasedWindow=0", "-n"}
	for kill := range 3 {
		number := "0"
		if kill == 0 {
			number = fmt.Sprint(messages)
		}
		command := fclocal(t, append(args, number)...)
		command.Stderr = t.Output()
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			command.Wait()
			close(ended)
		}()
		goal := collect() + messages/5
		eventually(func() bool {
			select {
			case <-ended: // the producer was killed before there was so much
				return true
			default:
				return collect() >= goal
			}
		})
		command.Process.Signal(syscall.SIGKILL)
		<-ended
	}
	command := fclocal(t, append(args, "0")...)
	command.Stderr = t.Output()
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	// The producer was killed, too: what it had sent must have arrived.
	collect()
	var document struct{ Runs []result.Run }
	if err := json.Unmarshal(output, &document); err != nil {
		t.Fatal(err)
	}
	if run := document.Runs[0]; run.Redelivered > run.Delivered {
		t.Errorf("%d of %d delivered again", run.Redelivered, run.Delivered)
	}
	next := map[string]int{}
	for match := range reached {
		next[strings.Fields(match)[0]]++
	}
	for partition, count := range next {
		for i := range count {
			if key := fmt.Sprintf("%s Offset:%d", partition, i); !reached[key] {
				t.Errorf("%s never reached the function", key)
			}
		}
	}
	if len(next) != 8 {
		t.Errorf("messages of %d partitions arrived, want 8", len(next))
	}
}

// Instances that are killed all the time take no message with them.
func TestStreamInstancesKilled(t *testing.T) {
	logs := t.TempDir()
	called := func() bool { // before that, three instances that are killed end the stream
		text, _ := os.ReadFile(filepath.Join(logs, "instance-1.log"))
		return bytes.Contains(text, []byte("FC Invoke End"))
	}
	command := fclocal(t, "stream", "--json", "--no-cpu-limit", "--logs", logs, "-n", "20000", "--partitions", "8", "--retry-scale", "0",
		"--set", "maximumTasks=4", "--set", "TimeBasedWindow=0", "--set", "instanceConcurrency=5", "--set", "PushRetryStrategy=EXPONENTIAL_DECAY_RETRY")
	var stdout bytes.Buffer
	command.Stdout, command.Stderr = &stdout, t.Output()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	killed := 0
	for running := true; running; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		case <-time.After(20 * time.Millisecond): // a pace, not a wait for anything
			if !called() {
				continue
			}
			if instance := anyInstance(command.Process.Pid); instance != nil && instance.Kill() == nil {
				killed++
			}
		}
	}
	var document struct{ Runs []result.Run }
	if err := json.Unmarshal(stdout.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	run := document.Runs[0]
	if got, want := counts(run), "produced 20000, delivered 20000, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want {
		t.Error(got, "want", want)
	}
	if killed == 0 || run.Retries == 0 || run.Instances <= run.InstancesBound {
		t.Errorf("%d kills, %d retries, %d instances: nothing was lost that had to be delivered again", killed, run.Retries, run.Instances)
	}
	var logged int64
	files, _ := filepath.Glob(filepath.Join(logs, "*.log"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			logged += info.Size()
		}
	}
	if run.Logs == nil || *run.Logs.Bytes != logged || logged == 0 || *run.Bill.Run.LogService.Price == 0 {
		t.Errorf("%d bytes were logged, and the run has %+v", logged, run.Logs)
	}
}

// anyInstance is a process of the function that fclocal has started, nil if there is none.
func anyInstance(fclocal int) *os.Process {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", fclocal))
	for _, i := range rand.Perm(len(threads)) {
		children, _ := os.ReadFile(threads[i])
		for _, pid := range strings.Fields(string(children)) {
			if program, _ := os.Readlink("/proc/" + pid + "/exe"); filepath.Base(program) == "main" {
				number, _ := strconv.Atoi(pid)
				process, _ := os.FindProcess(number)
				return process
			}
		}
	}
	return nil
}

// Any Kafka client may produce to --listen; Ctrl-C ends the stream in order.
func TestStreamListens(t *testing.T) {
	logs := t.TempDir()
	command := fclocal(t, "stream", "--json", "--logs", logs, "--listen", "127.0.0.1:0", "--set", "TimeBasedWindow=0")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	command.Stdout = &stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 200)
	n, err := stderr.Read(line)
	match := regexp.MustCompile(`^fclocal: Kafka clients may produce to topic "xxx" at (127\.0\.0\.1:\d+)\n$`).FindSubmatch(line[:n])
	if match == nil {
		t.Fatalf("%q, %v", line[:n], err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(string(match[1])), kgo.DefaultProduceTopic("xxx"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range 25 {
		record := kgo.StringRecord(fmt.Sprintf(`{"n":%d}`, i))
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(func() bool {
		log, _ := os.ReadFile(filepath.Join(logs, "instance-1.log"))
		return strings.Count(string(log), "Start processing event:") == 25
	})
	command.Process.Signal(os.Interrupt)
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
	var document struct{ Runs []result.Run }
	if err := json.Unmarshal(stdout.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if got, want := counts(document.Runs[0]), "produced 25, delivered 25, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want {
		t.Error(got, "want", want)
	}
}

// What most of the time is spent on is where it must be, and all causes sum to the mean.
func TestStreamLatencyByCause(t *testing.T) {
	for _, test := range []struct {
		name string
		args string
		most func(result.CausesMs) float64
	}{
		{"a slot", "-n 40 --event-time 25ms --set concurrency=1 --set CountBasedWindow=1", func(c result.CausesMs) float64 { return c.Kafka + c.Slot }},
		{"a window", "-n 100 --rate 100 --set CountBasedWindow=10000 --set TimeBasedWindow=1", func(c result.CausesMs) float64 { return c.Window }},
		{"an instance", "-n 3 --max-instances 1 --retry-scale 0.1 --set instanceConcurrency=1 --set CountBasedWindow=1", func(c result.CausesMs) float64 { return c.Instance }},
		{"retries", "-n 3 --outage 0s-1s --retry-scale 0.5 --set PushRetryStrategy=EXPONENTIAL_DECAY_RETRY --set CountBasedWindow=1", func(c result.CausesMs) float64 { return c.Retries }},
		{"the function", "-n 1 --event-time 1s --set CountBasedWindow=1", func(c result.CausesMs) float64 { return c.Function }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			run := mustStream(t, strings.Fields(test.args)...)[0]
			causes, sum := run.LatencyByCause.Mean, 0.0
			for _, part := range causes.Parts() {
				sum += part
			}
			if mean := run.LatencyMs.Mean; test.most(causes) < 0.6*mean || math.Abs(sum-mean) > 0.01 || run.Delivered == 0 {
				t.Errorf("the causes of %v ms are %+v", mean, causes)
			}
		})
	}
}
