package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fclocal/internal/result"
)

// troubled are streams that share one build of the function.
type troubled struct {
	*testing.T
	environment []string
}

func newTroubled(t *testing.T) troubled {
	t.Parallel()
	return troubled{t, append(os.Environ(), goEnvironment(t)...)}
}

// run returns the figures of a stream, and where its logs are.
func (s troubled) run(args ...string) (result.Run, string) {
	s.Helper()
	logs := s.TempDir()
	command := fclocalIn(s.environment, append([]string{"stream", "--json", "--logs", logs}, args...)...)
	var messages bytes.Buffer
	command.Stderr = &messages
	output, err := command.Output()
	var document struct{ Runs []result.Run }
	if err == nil {
		err = json.Unmarshal(output, &document)
	}
	if err != nil {
		s.Fatalf("%v\n%s", err, &messages)
	}
	return document.Runs[0], logs
}

func fclocalIn(environment []string, args ...string) *exec.Cmd {
	command := exec.Command(os.Args[0])
	command.Args, command.Env = append([]string{"fclocal"}, args...), environment
	return command
}

// The same words mean the same in plan and in stream. The waits of stream, and what goes
// wrong in it, are so much shorter that a busy machine changes nothing.
func TestTroubleInPlanAndStream(t *testing.T) {
	streams := newTroubled(t)
	instant := []string{"--call-time", "1ms", "--event-time", "0", "--spread", "0", "--cold-start", "0"}
	for _, test := range []struct {
		name               string
		plan, stream, both string
		lost               int64  // messages
		retries            int64  // -1: they differ by the moments of calls
		failures           string // kinds
	}{
		// Retries after 1, 3 and 7 s are in the outage, that after 15 s is not.
		{"exponential", "--outage 0-10s", "--outage 0s-2s --retry-scale 0.2",
			"--backlog 260 --set PushRetryStrategy=EXPONENTIAL_DECAY_RETRY", 0, 26 * 4, "outage"},
		// Those that get all of concurrency at first are lost within 60 s; those that follow are not.
		{"backoff", "--outage 0-65s", "--outage 0s-3250ms --retry-scale 0.05", "--backlog 520", 260, -1, "outage"},
		// Which calls fail does not depend on what is in them.
		{"errors", "", "--retry-scale 0.0001",
			"--backlog 1000 --error-rate 0.3 --seed 3 --set PushRetryStrategy=EXPONENTIAL_DECAY_RETRY", 0, 38, "error"},
		{"timeouts", "", "--retry-scale 0.0001",
			"--backlog 1 --slow 1100ms --set TimeBasedWindow=0 --set timeout=1 --set MaximumRetryAttempts=1", 1, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			both := strings.Fields(test.both)
			planned := mustPlan(t, append(append(strings.Fields(test.plan), instant...), both...)...)[0]
			streamed, _ := troubled{t, streams.environment}.run(append(strings.Fields(test.stream), both...)...)
			for name, run := range map[string]result.Run{"plan": planned, "stream": streamed} {
				if run.Produced != run.Delivered+run.DeadLettered || run.DeadLettered != test.lost || test.retries >= 0 && run.Retries != test.retries {
					t.Errorf("%s: %s, retries %d; want %d dead letters and %d retries", name, counts(run), run.Retries, test.lost, test.retries)
				}
				if test.failures == "" {
					if run.Crashes != 2 || run.Failures[0].OnPurpose || run.Trouble.SlowMs != 1100 {
						t.Errorf("%s: %d crashes, %+v", name, run.Crashes, run.Failures)
					}
					continue
				}
				if len(run.Failures) != 1 || run.Failures[0].Kind != test.failures || !run.Failures[0].OnPurpose || run.Failures[0].Count != run.Retries+test.lost/10 || run.Crashes != 0 {
					t.Errorf("%s: %d retries, %d crashes, %+v; all failures must be %s on purpose", name, run.Retries, run.Crashes, run.Failures, test.failures)
				}
			}
			if planned.Trouble == nil || streamed.Trouble == nil {
				t.Error("the results do not say what went wrong on purpose")
			}
		})
	}
}

// In an outage nothing reaches the function; where its answer becomes an error, each attempt
// does. A slow call lasts as long when the function itself fails.
func TestTroubleReachesTheFunction(t *testing.T) {
	streams := newTroubled(t)
	for _, test := range []struct {
		args    string
		reached int     // records, as often as they are in the logs
		seconds float64 // at least
	}{
		{"-n 20 --outage 0s-1h", 0, 0},
		{"-n 20 --error-rate 1", 20 * 4, 0},
		{"--messages " + messagesWithOneBad(t) + " --set CountBasedWindow=100 --slow 200ms", 0, 4 * 0.2}, // all fail before any is logged
	} {
		run, logs := streams.run(append(strings.Fields(test.args), "--retry-scale", "0.0001")...)
		content, _ := os.ReadFile(filepath.Join(logs, "instance-1.log"))
		if reached := strings.Count(string(content), " Offset:"); reached != test.reached || run.DeadLettered != run.Produced || run.WallSeconds < test.seconds {
			t.Errorf("%s: %d records reached the function, want %d; %s in %v s\n%s", test.args, reached, test.reached, counts(run), run.WallSeconds, content)
		}
	}
}

// Instances that are killed are no crashes of the function, and cost no message.
func TestTroubleKillsInstances(t *testing.T) {
	args := []string{"--rate", "50", "--kill-instances", "200ms", "--fail-on", "crashes,dead-letters", "--set", "CountBasedWindow=1"}
	streamed, _ := newTroubled(t).run(append(args, "-n", "100", "--event-time", "20ms", "--retry-scale", "0.001")...)
	planned := mustPlan(t, append(args, "--for", "10m", "--event-time", "20ms", "--cold-start", "5ms", "--set", "PushRetryStrategy=EXPONENTIAL_DECAY_RETRY")...)[0]
	for name, run := range map[string]result.Run{"stream": streamed, "plan": planned} {
		if run.Killed < 2 || run.Instances < int(run.Killed) || run.Crashes != 0 || run.Delivered != run.Produced || run.Trouble.KillInstancesSeconds != 0.2 {
			t.Errorf("%s: %s; %d instances, %d killed, %d crashes, %+v", name, counts(run), run.Instances, run.Killed, run.Crashes, run.Trouble)
		}
		for _, failure := range run.Failures {
			if failure.Kind != "killed" || !failure.OnPurpose {
				t.Errorf("%s: %+v", name, failure)
			}
		}
	}
	// The next one comes with the next message, 20 ms later on average.
	if each := planned.WallSeconds / float64(planned.Killed); each < 0.2 || each > 0.24 {
		t.Errorf("in %v s, %d instances that live 0.2 s were killed", planned.WallSeconds, planned.Killed)
	}
}

// What fails on purpose is told from what the function itself does, wherever it is told.
func TestTroubleIsTold(t *testing.T) {
	t.Parallel()
	letters := filepath.Join(t.TempDir(), "dead.jsonl")
	command := fclocal(t, "stream", "--messages", messagesWithOneBad(t), "--error-rate", "0.9", "--seed", "1", "--outage", "1h-2h", "--retry-scale", "0.0001", "--logs", t.TempDir(), "--dead-letters", letters)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	if told := regexp.MustCompile(`\nfclocal: \d+ of \d+ failed attempts failed on purpose\n`); !told.Match(stderr.Bytes()) {
		t.Errorf("stderr is\n%s", &stderr)
	}
	for _, want := range []string{" error (on purpose): the function's answer became an error\n", " InvalidBatchError: 1 of 10 events are invalid", "outage from 60 min to 2 h; 90 % of the calls fail\n"} {
		if !strings.Contains(string(output), want) {
			t.Errorf("the table is\n%s\nwant %q", output, want)
		}
	}
	content, err := os.ReadFile(letters)
	if err != nil || !strings.Contains(string(content), `"error":"error (on purpose): the function's answer became an error"`) || !strings.Contains(string(content), `"error":"InvalidBatchError: `) {
		t.Errorf("%v; the dead letters are\n%s", err, content)
	}
}
