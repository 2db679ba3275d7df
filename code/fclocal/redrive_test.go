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

	"fclocal/internal/result"
)

// A redriven is a file of dead letters, and a function that notes what it gets.
type redriven struct {
	*testing.T
	directory   string // in which the function notes it
	file        string
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
	return redriven{t, directory, file, slices.Concat(os.Environ(), goEnvironment(t), []string{"DIR=" + directory})}
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
		if rest, pending := strings.CutPrefix(line, `{"event":{"id":`); pending {
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
