//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/result"
)

// What goes wrong on a real cluster: the broker, the topic, and other members of the
// group.

// within reports whether something becomes so, as it does in seconds.
func within(condition func() bool) bool {
	late, so := time.Now().Add(2*time.Minute), false
	eventually(func() bool {
		so = condition()
		return so || time.Now().After(late)
	})
	return so
}

// A streaming is fclocal stream that runs beside the test.
type streaming struct {
	t       *testing.T
	command *exec.Cmd
	logs    string
	stdout  bytes.Buffer
	ended   chan struct{}

	mu     sync.Mutex
	stderr []byte
}

func (s *streaming) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stderr = append(s.stderr, text...)
	return len(text), nil
}

func (s *streaming) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.stderr)
}

// begin starts a stream. Slowly, each record takes 20 ms, and there are two at a time.
func begin(t *testing.T, args ...string) *streaming {
	t.Helper()
	s := &streaming{t: t, logs: t.TempDir(), ended: make(chan struct{})}
	s.command = fclocal(t, append([]string{"stream", "--json", "--logs", s.logs}, args...)...)
	s.command.Stdout, s.command.Stderr = &s.stdout, s
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.command.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.command.Process.Kill()
		<-s.ended
	})
	return s
}

var slowly = []string{"--set", "concurrency=2", "--set", "CountBasedWindow=1", "--event-time", "20ms"}

// says waits for something on stderr.
func (s *streaming) says(text string) {
	s.t.Helper()
	if !within(func() bool { return strings.Contains(s.said(), text) }) {
		s.t.Fatalf("it never said %q but\n%s", text, s.said())
	}
}

// has waits until the function has had so many records.
func (s *streaming) has(records int) {
	s.t.Helper()
	if !within(func() bool { return len(s.reached()) >= records }) {
		s.t.Fatalf("%d of %d records reached the function\n%s", len(s.reached()), records, s.said())
	}
}

// reached are the records that the function has had, each once.
func (s *streaming) reached() map[string]bool {
	reached := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(s.logs, "*.log"))
	for _, file := range files {
		content, _ := os.ReadFile(file)
		for _, match := range record.FindAllString(string(content), -1) {
			reached[match] = true
		}
	}
	return reached
}

var record = regexp.MustCompile(`Partition:\d+ Offset:\d+`)

func (s *streaming) signal(signal os.Signal) { s.command.Process.Signal(signal) }

// end waits for the end and checks the exit code.
func (s *streaming) end(code int) result.Run {
	s.t.Helper()
	if !within(func() bool {
		select {
		case <-s.ended:
			return true
		default:
			return false
		}
	}) {
		s.t.Fatalf("it does not end\n%s", s.said())
	}
	if got := s.command.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	var document struct{ Runs []result.Run }
	if err := json.Unmarshal(s.stdout.Bytes(), &document); err != nil || len(document.Runs) != 1 {
		s.t.Fatalf("no figures: %v in %q\n%s", err, s.stdout.Bytes(), s.said())
	}
	s.t.Logf("delivered %d of %d, again %d", document.Runs[0].Delivered, document.Runs[0].Produced, document.Runs[0].Redelivered)
	return document.Runs[0]
}

// A broker is that of .ci/kafka, for tests that harm it.
type broker struct{ t *testing.T }

func harmBroker(t *testing.T) *broker {
	realCluster(t)
	b := &broker{t}
	t.Cleanup(func() { // for the tests that follow
		b.signal(syscall.SIGCONT)
		if b.signal(syscall.Signal(0)) != nil {
			b.start()
		}
		b.answers()
	})
	return b
}

func (b *broker) signal(signal syscall.Signal) error {
	content, err := os.ReadFile(os.Getenv("KAFKA_BROKER_PID"))
	if err != nil {
		b.t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(content)))
	return syscall.Kill(pid, signal)
}

// end ends it by a signal and waits until it is gone.
func (b *broker) end(signal syscall.Signal) {
	b.signal(signal)
	if !within(func() bool { return b.signal(syscall.Signal(0)) != nil }) {
		b.t.Fatal("the broker does not end")
	}
}

func (b *broker) start() {
	command := exec.Command(os.Getenv("KAFKA_BROKER"))
	if err := command.Start(); err != nil {
		b.t.Fatal(err)
	}
	go command.Wait()
}

func (b *broker) answers() {
	client, admin := adminOf(b.t)
	defer client.Close()
	if !within(func() bool {
		_, err := admin.ListTopics(context.Background()) // the test's own has ended
		return err == nil
	}) {
		b.t.Fatal("the broker does not answer")
	}
}

func adminOf(t *testing.T, options ...kgo.Opt) (*kgo.Client, *kadm.Client) {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(realCluster(t))}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client, kadm.NewClient(client)
}

// endless are the options that newTopic returns, without --until-end.
func endless(options []string) []string {
	return append(options[:2:2], options[3:]...)
}

const (
	saidAway = "reconnecting, for 1m0s at most"
	saidBack = "connected again"
)

// A broker that is killed, or ends in order, and starts again, or does not answer for a
// while, costs time and nothing else.
func TestClusterBrokerRestarts(t *testing.T) {
	const records = 600
	b := harmBroker(t)
	for name, harm := range map[string]func(*streaming){
		"killed": func(s *streaming) {
			b.end(syscall.SIGKILL)
			s.says(saidAway)
			b.start()
		},
		"in order": func(s *streaming) {
			b.end(syscall.SIGTERM)
			s.says(saidAway)
			b.start()
		},
		"stopped": func(s *streaming) {
			b.signal(syscall.SIGSTOP)
			s.says(saidAway)
			b.signal(syscall.SIGCONT)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b.t = t
			s := begin(t, append(append(endless(newTopic(t, 2, values(records)...)), slowly...), "--until-idle", "2s")...)
			s.has(records / 6)
			harm(s)
			run := s.end(exitOK)
			if got, want := counts(run), "produced 600, delivered 600, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want {
				t.Error(got, "want", want)
			}
			if got := len(s.reached()); got != records {
				t.Errorf("%d of %d records reached the function", got, records)
			}
			if said := s.said(); strings.Count(said, saidAway) != 1 || strings.Count(said, saidBack) != 1 {
				t.Errorf("it said\n%s", said)
			}
		})
	}
	b.t = t
}

// While the broker is away, the first Ctrl-C waits for it as long as is said, and the
// second does not; --broker-timeout ends the waiting, too. Figures are shown each time.
func TestClusterBrokerStaysAway(t *testing.T) {
	b := harmBroker(t)
	first := begin(t, append(newTopic(t, 1, values(2000)...), slowly...)...)
	second := begin(t, append(newTopic(t, 1, values(2000)...), slowly...)...)
	third := begin(t, append(append(newTopic(t, 1, values(2000)...), slowly...), "--broker-timeout", "2s")...)
	all := []*streaming{first, second, third}
	for _, s := range all {
		s.has(50)
	}
	b.signal(syscall.SIGSTOP)
	first.says(saidAway)
	second.says(saidAway)
	first.signal(os.Interrupt)
	second.signal(os.Interrupt)
	second.says("waiting for it for 10s")
	second.signal(os.Interrupt)
	for i, text := range []string{
		"-fclocal\" could not be committed, so a next run delivers again what they cover: ",
		"fclocal: stopped at once; what was in flight is delivered again by a next run",
		"fclocal: waited 2s for the cluster at " + realCluster(t) + " to answer (--broker-timeout): ",
	} {
		run := all[i].end(exitFailed)
		if err := run.Check(); err != nil || run.Delivered < 50 {
			t.Errorf("stream %d: %s: %v", i, counts(run), err)
		}
		if said := all[i].said(); !strings.Contains(said, text) || !strings.Contains(said, "the function's logs are in "+all[i].logs) {
			t.Errorf("stream %d said\n%s\nwant it to contain %s", i, said, text)
		}
	}
}

// After kill -9 of fclocal, the next run says what it waits for, and loses nothing.
func TestClusterKilled(t *testing.T) {
	topic := newTopic(t, 2, values(500)...)
	s := begin(t, append(topic, slowly...)...)
	s.has(100)
	s.signal(os.Kill)
	<-s.ended
	next := begin(t, topic...)
	next.says(`waiting for group "` + topicOf(topic) + `-fclocal": a member that has gone without a word, such as a run that was killed, is given up after 6s, in 4s at most`)
	run := next.end(exitOK)
	reached := s.reached()
	for record := range next.reached() {
		reached[record] = true
	}
	if run.Pending != 0 || len(reached) != 500 {
		t.Errorf("%s, and %d of 500 records reached the function", counts(run), len(reached))
	}
}

// A topic that goes away ends the stream, with the figures.
func TestClusterTopicDeleted(t *testing.T) {
	client, admin := adminOf(t)
	defer client.Close()
	for _, anew := range []bool{false, true} {
		options := newTopic(t, 1, values(1000)...)
		topic := topicOf(options)
		s := begin(t, append(options, slowly...)...)
		s.has(20)
		if _, err := admin.DeleteTopic(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("fclocal: topic %q was deleted while the stream ran\n", topic)
		if anew {
			want = fmt.Sprintf("fclocal: topic %q was deleted while the stream ran, and created anew: ", topic)
			if !within(func() bool {
				_, err := admin.CreateTopic(t.Context(), 1, 1, nil, topic)
				return err == nil
			}) {
				t.Fatal("the topic cannot be created anew")
			}
		}
		s.end(exitFailed)
		if said := s.said(); !strings.Contains(said, want) {
			t.Errorf("created anew: %v: it said\n%s\nwant it to contain %s", anew, said, want)
		}
	}
}

// Partitions that come while the stream runs are read, by a task more if there may be.
func TestClusterPartitionsAdded(t *testing.T) {
	client, admin := adminOf(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer client.Close()
	options := newTopic(t, 1, values(10)...)
	topic := topicOf(options)
	s := begin(t, append(endless(options), "--set", "maximumTasks=2")...)
	s.has(10)
	if _, err := admin.UpdatePartitions(t.Context(), 2, topic); err != nil {
		t.Fatal(err)
	}
	s.says("the topic has 2 partitions now, 1 more than before")
	if !within(func() bool {
		return client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: 1, Value: []byte(`{}`)}).FirstErr() == nil
	}) {
		t.Fatal("nothing can be produced to the new partition")
	}
	s.has(11)
	s.signal(os.Interrupt)
	if run := s.end(exitOK); run.Delivered != 11 || run.Load.Partitions != 2 || run.IdleTasks != 0 {
		t.Errorf("%s; %d partitions, %d idle tasks", counts(run), run.Load.Partitions, run.IdleTasks)
	}
}
