package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts in testdata/script run fclocal, this very test
// binary, as a command.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fclocal": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// The scripts find the project's top level at $PROJECT, and have projects whose
// functions fail as told, or have hooks, in the directories faulty and hooks.
func TestScripts(t *testing.T) {
	project, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	goEnv := goEnvironment(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PROJECT", project)
			env.Vars = append(env.Vars, goEnv...)
			err := os.CopyFS(filepath.Join(env.WorkDir, "hooks"), os.DirFS("testdata/hooks"))
			return errors.Join(err, os.CopyFS(filepath.Join(env.WorkDir, "faulty"), os.DirFS("testdata/faulty")))
		},
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return os.Geteuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
		},
	})
}

// goEnvironment is what `go build` needs of the environment that scripts do not have.
func goEnvironment(t *testing.T) []string {
	var variables []string
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOFLAGS", "GOTOOLCHAIN"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		variables = append(variables, name+"="+strings.TrimSpace(string(value)))
	}
	// The programs that fclocal builds are kept from one script to the next.
	return append(variables, "XDG_CACHE_HOME="+t.TempDir())
}

// exits CODE COMMAND... runs the command, which must end with the exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s\n%s%s", code, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// However fclocal ends, the function's process ends with it, and all that it has
// started: in its group and out of it, with a parent and without.
func TestEndOfFclocalEndsFunction(t *testing.T) {
	environment := append(os.Environ(), goEnvironment(t)...)
	for _, test := range []struct {
		signal syscall.Signal // 0: fclocal ends by itself
		event  string         // tells which process must be gone
		code   int
		stderr string // the rest of it, without the report
	}{
		{syscall.SIGINT, `"hang"`, exitFailed, "fclocal: interrupted\n"},
		{syscall.SIGTERM, `"hang"`, exitFailed, "fclocal: interrupted\n"},
		{syscall.SIGKILL, `"hang"`, -1, ""},
		{syscall.SIGINT, `"hang-with-child ` + sleepProgram(t) + `"`, exitFailed, "fclocal: interrupted\n"},
		{syscall.SIGINT, `"child setpgid hang"`, exitFailed, "fclocal: interrupted\n"},
		{syscall.SIGINT, `"child setsid hang"`, exitFailed, "fclocal: interrupted\n"},
		{syscall.SIGINT, `"child daemon hang"`, exitFailed, "fclocal: interrupted\n"},
		{syscall.SIGINT, `"child bare-daemon hang"`, exitFailed, "fclocal: interrupted\n"},
		{syscall.SIGKILL, `"child setsid hang"`, -1, ""},
		{syscall.SIGKILL, `"child daemon hang"`, -1, ""},
		{0, `"child setsid return"`, exitOK, "FC Invoke End"},
		{0, `"child daemon return"`, exitOK, "FC Invoke End"},
		{0, `"child daemon exit"`, exitFailed, "RequestId: "},
		{0, `"child setsid hang"`, exitFailed, "RequestId: "}, // after timeout
	} {
		t.Run(test.signal.String()+test.event, func(t *testing.T) {
			fclocal := exec.Command(os.Args[0])
			fclocal.Args = []string{"fclocal", "invoke", "-t", "testdata/faulty/s.yaml", "-e", test.event}
			fclocal.Env = environment
			stderr, err := fclocal.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := fclocal.Start(); err != nil {
				t.Fatal(err)
			}
			pid := awaitPID(t, stderr)
			if test.signal == syscall.SIGKILL && strings.Contains(test.event, "child") {
				eventually(func() bool { return hasKeeper(fclocal.Process.Pid) })
			}
			if test.signal != 0 {
				fclocal.Process.Signal(test.signal)
			}
			rest, _ := io.ReadAll(stderr) // until the function has let go of it, too
			fclocal.Wait()
			awaitEnd(pid)
			if code := fclocal.ProcessState.ExitCode(); code != test.code || !strings.HasPrefix(string(rest), test.stderr) {
				t.Errorf("exit code %d, stderr %q; want %d and %q", code, rest, test.code, test.stderr)
			}
		})
	}
}

// One signal is enough at any moment: none is lost while s.yaml is read, the function
// built, Kafka started and stdin waited for.
func TestEarlySignals(t *testing.T) {
	if signal.Ignored(os.Interrupt) { // by a shell in the background: fclocal would ignore it until it listens
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
		defer signal.Ignore(os.Interrupt)
	}
	environment := append(os.Environ(), goEnvironment(t)...)
	for _, args := range [][]string{
		{"stream", "--rate", "10", "--logs", t.TempDir()},
		{"stream", "--listen", "127.0.0.1:0", "--logs", t.TempDir()},
		{"plan", "--rate", "100000", "--for", "720h"},
		{"invoke", "-f", "-"},
		{"serve", "127.0.0.1:0"},
	} {
		for i, signal := range slices.Repeat([]syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}, 4) {
			fclocal := exec.Command(os.Args[0])
			fclocal.Args = append([]string{"fclocal"}, args...)
			fclocal.Env = environment
			stdin, err := fclocal.StdinPipe() // from which nothing ever comes
			if err != nil {
				t.Fatal(err)
			}
			var output bytes.Buffer
			fclocal.Stderr = &output
			if err := fclocal.Start(); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Duration(i*i) * time.Millisecond) // moments of all kinds
			fclocal.Process.Signal(signal)
			fclocal.Wait()
			stdin.Close()
			early := fclocal.ProcessState.ExitCode() == -1 // before its first instruction
			if code := fclocal.ProcessState.ExitCode(); !early && code != exitFailed && !((args[0] == "stream" || args[0] == "serve") && code == exitOK) || strings.Contains(output.String(), "did not end by itself") {
				t.Errorf("%q with %v: exit code %d\n%s", args, signal, code, &output)
			}
		}
	}
}

// hasKeeper says whether fclocal has started what ends the function's children
// after kill -9: a child of its own program.
func hasKeeper(fclocal int) bool {
	program, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", fclocal))
	for _, pid := range childrenOf(fclocal) {
		if of, _ := os.Readlink("/proc/" + pid + "/exe"); of == program {
			return true
		}
	}
	return false
}

// childrenOf are the pids of a process's children.
func childrenOf(pid int) (children []string) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, thread := range threads {
		content, _ := os.ReadFile(thread)
		children = append(children, strings.Fields(string(content))...)
	}
	return children
}

func sleepProgram(t *testing.T) string {
	path, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitPID reads up to a line "pid NUMBER".
func awaitPID(t *testing.T, r io.Reader) string {
	t.Helper()
	line := []byte{}
	for b := make([]byte, 1); ; {
		if _, err := r.Read(b); err != nil {
			t.Fatalf("%v after %q", err, line)
		}
		if b[0] != '\n' {
			line = append(line, b[0])
			continue
		}
		if pid, found := strings.CutPrefix(string(line), "pid "); found {
			return pid
		}
		line = line[:0]
	}
}

// awaitEnd waits until there is no such process.
func awaitEnd(pid string) {
	eventually(func() bool {
		status, err := os.ReadFile("/proc/" + pid + "/status")
		return err != nil || strings.Contains(string(status), "State:\tZ")
	})
}

// eventually polls a condition on another process; the test's time limit bounds it.
func eventually(condition func() bool) {
	for ticker := time.NewTicker(5 * time.Millisecond); !condition(); <-ticker.C {
	}
}
