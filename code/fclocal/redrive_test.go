package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/kafka"
	"fclocal/internal/result"
)

// A redriven is a file of dead letters, and a function that notes what it gets.
type redriven struct {
	*testing.T
	directory   string // in which the function notes it
	file        string
	topic       []string // options of the topic that letters are in, too
	environment []string
}

// newRedriven has a letter for each way to behave.
func newRedriven(t *testing.T, ways ...string) redriven {
	t.Helper()
	directory := t.TempDir()
	var letters bytes.Buffer
	for i, how := range ways {
		fmt.Fprintf(&letters, `{"event":{"id":%d,"how":%q},"error":"before","attempts":4,"time":"2022-06-23T02:49:51.589Z"}`+"\n", i, how)
	}
	file := filepath.Join(directory, "dead.jsonl")
	if err := os.WriteFile(file, letters.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return redriven{T: t, directory: directory, file: file, environment: slices.Concat(os.Environ(), goEnvironment(t), []string{"DIR=" + directory})}
}

// newRedrivenTopic has no file yet, but a topic "dead" of two partitions at brokers with a
// letter for each way to behave, in turns.
func newRedrivenTopic(t *testing.T, brokers string, ways ...string) redriven {
	t.Helper()
	r := newRedriven(t)
	os.Remove(r.file)
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 2, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	for i, how := range ways {
		record := &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: fmt.Appendf(nil, `{"id":%d,"specversion":"1.0","how":%q}`, i, how)}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	r.topic = []string{"--brokers", brokers, "--topic", topic, "--set", "ConsumerGroup=" + topic}
	return r
}

// embeddedCluster is one that is there until the test ends.
func embeddedCluster(t *testing.T) (brokers string) {
	cluster, err := kafka.StartEmbedded(t.Context(), kafka.EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []kafka.Listener{{Address: "127.0.0.1:0"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cluster.Close() })
	return cluster.Address()
}

func (r redriven) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	var stderr bytes.Buffer
	command := exec.Command(os.Args[0])
	command.Args = append([]string{"fclocal", "redrive", r.file, "-t", "testdata/redrive/s.yaml", "--json", "--no-cpu-limit"}, args...)
	command.Env, command.Stderr = r.environment, &stderr
	return command, &stderr
}

// run runs it to its end.
func (r redriven) run(args ...string) (total result.Redrive, stderr string, code int) {
	r.Helper()
	command, messages := r.command(args...)
	output, _ := command.Output()
	if err := json.Unmarshal(output, &total); err != nil {
		r.Fatalf("%v in %q\n%s", err, output, messages)
	}
	return total, messages.String(), command.ProcessState.ExitCode()
}

// got is how often the function has got each event.
func (r redriven) got() map[string]int {
	got := map[string]int{}
	content, err := os.ReadFile(filepath.Join(r.directory, "got"))
	if err != nil && !os.IsNotExist(err) {
		r.Fatal(err)
	}
	for _, id := range strings.Fields(string(content)) {
		got[id]++
	}
	return got
}

// left are the ids of the letters that are still to be delivered.
func (r redriven) left() (ids []string) {
	content, err := os.ReadFile(r.file)
	if err != nil {
		r.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if _, rest, _ := strings.Cut(line, `"event":{"id":`); line[0] == '{' {
			id, _, _ := strings.Cut(rest, ",")
			ids = append(ids, id)
		}
	}
	return ids
}

func (r redriven) isThere(name string) bool {
	_, err := os.Stat(filepath.Join(r.directory, name))
	return err == nil
}

func (r redriven) make(name string) {
	if err := os.WriteFile(filepath.Join(r.directory, name), nil, 0o644); err != nil {
		r.Fatal(err)
	}
}

func (r redriven) checkLeft(want ...string) {
	r.Helper()
	if got := r.left(); !slices.Equal(got, want) {
		r.Errorf("left are the letters %q, want %q", got, want)
	}
}

// Batches are as the trigger makes them; those that fail stay, with what they failed
// for, and the next redrive has them again.
func TestRedrive(t *testing.T) {
	r := newRedriven(t, "", "", "fail", "", "", "exit", "")
	total, stderr, code := r.run()
	want := result.Redrive{File: r.file, Letters: 7, Delivered: 3, Failed: 4, Calls: 4}
	if total.Failures = nil; fmt.Sprintf("%+v", total) != fmt.Sprintf("%+v", want) || code != exitFailed {
		t.Errorf("exit code %d, %+v, want %+v\n%s", code, total, want, stderr)
	}
	r.checkLeft("2", "3", "4", "5")
	content, _ := os.ReadFile(r.file)
	lines := strings.Split(string(content), "\n")
	for i, part := range []string{`"error":"errorString: as told","attempts":5,`, `"error":"errorString: as told","attempts":5,`, `"error":"UnhandledInvocationError: Process exited unexpectedly`, `UnhandledInvocationError`} {
		if !strings.Contains(lines[i], part) {
			t.Errorf("line %d: %s\nhas no %s", i+1, lines[i], part)
		}
	}
	// One by one, good events do not share the fate of bad ones. Calls side by side would end
	// with an instance that exits, before they begin at times.
	if total, stderr, code = r.run("--set", "CountBasedWindow=1", "--set", "concurrency=1"); code != exitFailed || total.Delivered != 2 || total.Failed != 2 {
		t.Errorf("exit code %d, %+v\n%s", code, total, stderr)
	}
	r.checkLeft("2", "5")
	if got := r.got(); len(got) != 7 || got["0"] != 1 || got["6"] != 1 || got["2"] != 2 || got["3"] != 2 {
		t.Errorf("the function got %v", got)
	}
}

// Killed while a batch is in flight: it comes again, all before it does not, and
// nothing is lost. Until then nobody else can have the file.
func TestRedriveKilled(t *testing.T) {
	r := newRedriven(t, "", "", "", "wait", "", "")
	killed, _ := r.command()
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(func() bool { return r.isThere("waiting") })
	inUse := "fclocal: " + r.file + " is in use: another fclocal redrives it, or a stream appends to it\n"
	second, messages := r.command()
	if second.Run(); second.ProcessState.ExitCode() != exitUsage || messages.String() != inUse {
		t.Errorf("a second redrive: exit code %d, %s", second.ProcessState.ExitCode(), messages)
	}
	inUse = strings.Replace(inUse, "fclocal: ", "fclocal: dead letters cannot be written: ", 1)
	if _, stderr, code := tryStream(t, "-n", "1", "--dead-letters", r.file); code != exitUsage || stderr != inUse {
		t.Errorf("a stream: exit code %d, %s", code, stderr)
	}
	killed.Process.Kill()
	killed.Wait()
	r.checkLeft("2", "3", "4", "5")

	r.make("go")
	if total, stderr, code := r.run(); code != exitOK || total.Letters != 4 || total.Delivered != 4 || total.Calls != 2 {
		t.Errorf("exit code %d, %+v\n%s", code, total, stderr)
	}
	if content, err := os.ReadFile(r.file); err != nil || len(content) > 0 {
		t.Errorf("%v, left is %q", err, content)
	}
	if got, want := fmt.Sprint(r.got()), "map[0:1 1:1 2:2 3:2 4:1 5:1]"; got != want {
		t.Errorf("the function got %s, want %s", got, want)
	}
}

// Killed again and again, at moments of all kinds, with calls side by side: each letter
// is in the file or has been delivered, and only what was in flight comes again.
func TestRedriveKilledOften(t *testing.T) {
	const letters, calls = 300, 4
	r := newRedriven(t, make([]string, letters)...)
	kills := 0
	for ; len(r.left()) > 0; kills++ {
		command, stderr := r.command("--set", "CountBasedWindow=1", "--set", "concurrency=4")
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		before := len(r.got())
		// Not before it has begun, and at last it is left to end.
		ended := make(chan struct{})
		go func() {
			command.Wait()
			close(ended)
		}()
		for alive := true; alive && kills < 8 && len(r.got()) < before+1; {
			select {
			case <-ended:
				alive = false
			case <-time.After(time.Millisecond):
			}
		}
		if kills < 8 {
			<-time.After(time.Duration(kills*kills) * time.Millisecond)
			command.Process.Signal(syscall.SIGKILL)
		}
		<-ended
		if kills >= 8 && command.ProcessState.ExitCode() != exitOK {
			t.Fatalf("exit code %d\n%s", command.ProcessState.ExitCode(), stderr)
		}
		got := r.got()
		left := r.left()
		for id := range letters {
			if text := fmt.Sprint(id); got[text] == 0 && !slices.Contains(left, text) {
				t.Fatalf("letter %d is lost", id)
			}
		}
	}
	again := 0
	for _, times := range r.got() {
		again += times - 1
	}
	if again > kills*calls {
		t.Errorf("%d letters came again after %d kills of %d calls each", again, kills, calls)
	}
}

// The first signal makes no new calls and waits for those in flight.
func TestRedriveInterrupted(t *testing.T) {
	r := newRedriven(t, "", "", "wait", "", "", "")
	command, _ := r.command()
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, nil
	stderr, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(func() bool { return r.isThere("waiting") })
	command.Process.Signal(syscall.SIGINT)
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && lines.Text() != "fclocal: waiting for 1 calls in flight" {
	}
	r.make("go")
	for lines.Scan() {
	}
	command.Wait()
	var total result.Redrive
	if err := json.Unmarshal(output.Bytes(), &total); err != nil {
		t.Fatalf("%v in %q", err, &output)
	}
	if code := command.ProcessState.ExitCode(); code != exitFailed || total.Delivered != 4 || total.Untried != 2 {
		t.Errorf("exit code %d, %+v", code, total)
	}
	r.checkLeft("4", "5")
}

// Letters of a topic go into the file, once, and what fails stays there.
func TestRedriveTopic(t *testing.T) {
	r := newRedrivenTopic(t, embeddedCluster(t), "", "", "fail", "", "wait", "")
	killed, _ := r.command(append(r.topic, "--set", "CountBasedWindow=1")...)
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(func() bool { return r.isThere("waiting") })
	killed.Process.Kill()
	killed.Wait()
	if left := r.left(); !slices.Contains(left, "2") || !slices.Contains(left, "4") {
		t.Errorf("left are the letters %q", left)
	}
	r.make("go")
	total, stderr, code := r.run(append(r.topic, "--set", "CountBasedWindow=1")...)
	if code != exitFailed || total.Taken != 0 || total.Topic != r.topic[3] || total.Failed != 1 {
		t.Errorf("exit code %d, %+v\n%s", code, total, stderr)
	}
	r.checkLeft("2")
	if content, _ := os.ReadFile(r.file); !strings.HasPrefix(string(content), `{"source":{"topic":"`+r.topic[3]+`","partition":0,"offset":1},"event":{"id":2,`) {
		t.Errorf("left is %s", content)
	}
	r.make("mended")
	if total, stderr, code := r.run(); code != exitOK || total.Delivered != 1 {
		t.Errorf("mended: exit code %d, %+v\n%s", code, total, stderr)
	}
	got := r.got()
	for id := range 6 {
		if times := got[fmt.Sprint(id)]; times == 0 || times > 1 && id < 2 {
			t.Errorf("the function got letter %d %d times", id, times)
		}
	}
}

// All goes, and no file is left. Its words are those for a person.
func TestRedriveTopicGoes(t *testing.T) {
	r := newRedrivenTopic(t, embeddedCluster(t), "", "", "")
	sYAML, err := filepath.Abs("testdata/redrive/s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	args := slices.Concat([]string{"redrive", r.file, "-t", sYAML}, r.topic)
	for _, want := range []string{
		fmt.Sprintf("3 dead letters taken from topic %q into %s\n3 of 3 dead letters delivered in 2 calls\n", r.topic[3], r.file),
		fmt.Sprintf("0 dead letters taken from topic %q into %s\n0 of 0 dead letters delivered in 0 calls\n", r.topic[3], r.file),
	} {
		command, stderr := r.command()
		command.Args = append([]string{"fclocal"}, args...)
		if output, err := command.Output(); err != nil || string(output) != want {
			t.Errorf("%v, it said %s\nwant %s\n%s", err, output, want, stderr)
		}
		if r.isThere("dead.jsonl") {
			t.Error("there is a file")
		}
	}

	// A FILE is needed only without a topic.
	here := func(args ...string) (string, error) {
		command, _ := r.command()
		command.Args, command.Dir = append([]string{"fclocal", "redrive", "-t", sYAML}, args...), r.directory
		command.Stderr = nil
		output, err := command.CombinedOutput()
		return string(output), err
	}
	want := fmt.Sprintf("0 dead letters taken from topic %q into %s.jsonl\n", r.topic[3], r.topic[3])
	if output, err := here(r.topic...); err != nil || !strings.Contains(output, want) {
		t.Errorf("%v, it said %s\nwant %s", err, output, want)
	}
	if output, err := here(); err == nil || output != "fclocal: redrive needs a FILE of dead letters, or the --topic that they are in\n" {
		t.Errorf("%v, it said %s", err, output)
	}
}

// What goes wrong with a topic before any call.
func TestRedriveTopicErrors(t *testing.T) {
	brokers := embeddedCluster(t)
	r := newRedrivenTopic(t, brokers, "")
	type run struct {
		args   []string
		code   int
		stderr string
	}
	tests := []run{
		{[]string{"--brokers", brokers, "--topic", "none"}, exitUsage, "cluster at " + brokers + `: create the topic, or name another: topic "none": UNKNOWN_TOPIC_OR_PARTITION`},
		{[]string{"--brokers", "127.0.0.1:1", "--topic", "none"}, exitUsage, "cluster at 127.0.0.1:1: unable to dial: dial tcp 127.0.0.1:1: connect: connection refused"},
		{[]string{"--topic", "dead"}, exitUsage, "--topic needs --brokers or --kafka-config: where the topic is"},
		{[]string{"--brokers", brokers}, exitUsage, "--brokers and --kafka-config need --topic: the one with the dead letters"},
		{[]string{"--skip-invalid"}, exitUsage, "--group and --skip-invalid are for --topic"},
		{[]string{"--tls"}, exitUsage, "--tls... and --sasl-... are for --brokers or --kafka-config"},
		{[]string{"other.jsonl"}, exitUsage, "redrive takes one FILE, and not 2"},
	}
	for _, test := range tests {
		command, stderr := r.command(test.args...)
		command.Run()
		if code := command.ProcessState.ExitCode(); code != test.code || !strings.HasPrefix(stderr.String(), "fclocal: "+test.stderr) {
			t.Errorf("%q: exit code %d, it said %s\nwant %s", test.args, code, stderr, test.stderr)
		}
		if r.isThere("dead.jsonl") {
			t.Fatalf("%q: there is a file", test.args)
		}
	}

	// What comes before a record that is no letter is kept, and not delivered.
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: r.topic[3], Partition: 0, Value: []byte("order 7")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	total, stderr, code := r.run(r.topic...)
	if code != exitFailed || total.Delivered != 0 || total.Untried != total.Taken || !strings.Contains(stderr, ": no dead letter, which is an event as JSON or an array of them: invalid character 'o' looking for beginning of value; --skip-invalid passes such records over\n") {
		t.Errorf("exit code %d, %+v\n%s", code, total, stderr)
	}
	if total, stderr, code = r.run(append(r.topic, "--skip-invalid")...); code != exitOK || total.Delivered != 1 || total.Skipped != 1 {
		t.Errorf("exit code %d, %+v\n%s", code, total, stderr)
	}
}

// What is no file of dead letters is refused, untouched, before anything is built.
func TestRedriveOtherFile(t *testing.T) {
	r := newRedriven(t, "")
	text := "# name: x\n"
	if err := os.WriteFile(r.file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	command, stderr := r.command()
	command.Run()
	want := "fclocal: " + r.file + ":1: no dead letter, as stream --dead-letters writes them: "
	if code := command.ProcessState.ExitCode(); code != exitUsage || !strings.HasPrefix(stderr.String(), want) {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if content, _ := os.ReadFile(r.file); string(content) != text {
		t.Errorf("the file has become %q", content)
	}
}
