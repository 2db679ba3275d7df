//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// debugged is an fclocal with --debug whose function waits for a debugger.
type debugged struct {
	*testing.T
	fclocal *exec.Cmd
	delve   *rpc.Client
	stdout  strings.Builder
	rest    chan string // of stderr, until all has let go of it
	pids    []string    // Delve's and the function's
}

var debuggerAddress = regexp.MustCompile(`^fclocal: the function waits for a debugger at (\S+),`)

func startDebugged(t *testing.T, environment []string, args ...string) *debugged {
	t.Helper()
	d := &debugged{T: t, fclocal: exec.Command(os.Args[0]), rest: make(chan string, 1)}
	d.fclocal.Args = append([]string{"fclocal"}, args...)
	d.fclocal.Env = environment
	d.fclocal.Stdout = &d.stdout
	stderr, err := d.fclocal.StderrPipe()
	if err == nil {
		err = d.fclocal.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.fclocal.Process.Kill() })
	var said []string
	address := ""
	lines := bufio.NewReader(stderr)
	for address == "" || !strings.Contains(said[len(said)-1], "connect") {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err, said)
		}
		said = append(said, line)
		if found := debuggerAddress.FindStringSubmatch(line); found != nil {
			address = found[1]
		}
	}
	go func() {
		rest, _ := io.ReadAll(lines)
		d.rest <- string(rest)
	}()
	_, port, _ := net.SplitHostPort(address)
	if attach := `{"name": "fclocal", "type": "go", "request": "attach", "mode": "remote", "host": "127.0.0.1", "port": ` + port + "}\n"; !strings.Contains(strings.Join(said, ""), attach) {
		t.Errorf("no line for VS Code in %q", said)
	}
	if d.delve, err = jsonrpc.Dial("tcp", address); err != nil {
		t.Fatal(err)
	}
	var process struct{ Pid int }
	d.call("ProcessPid", struct{}{}, &process)
	d.pids = append(d.pids, strconv.Itoa(process.Pid), parent(t, process.Pid))
	return d
}

// parent is a process's.
func parent(t *testing.T, pid int) string {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "\nPPid:\t")
	ppid, _, _ := strings.Cut(after, "\n")
	return ppid
}

// call calls a method of Delve's API.
func (d *debugged) call(method string, argument, answer any) {
	d.Helper()
	if err := d.delve.Call("RPCServer."+method, argument, answer); err != nil {
		d.Fatal(method, err)
	}
}

// proceed lets the function go on, to the next breakpoint.
func (d *debugged) proceed() (function string) {
	d.Helper()
	var answer struct {
		State struct {
			CurrentThread *struct{ Function struct{ Name string } }
		}
	}
	d.call("Command", map[string]string{"name": "continue"}, &answer)
	if answer.State.CurrentThread == nil {
		d.Fatal("the function has ended")
	}
	return answer.State.CurrentThread.Function.Name
}

func (d *debugged) breakAt(function string) {
	d.Helper()
	var answer json.RawMessage
	d.call("CreateBreakpoint", map[string]any{"Breakpoint": map[string]string{"functionName": function}}, &answer)
}

// eval is the value of a string in the function that has stopped.
func (d *debugged) eval(expression string) string {
	d.Helper()
	var answer struct{ Variable variable }
	d.call("Eval", map[string]any{
		"Scope": map[string]int{"GoroutineID": -1}, "Expr": expression,
		"Cfg": map[string]any{"FollowPointers": true, "MaxVariableRecurse": 2, "MaxStringLen": 100},
	}, &answer)
	v := answer.Variable
	for v.Value == "" && len(v.Children) == 1 { // an interface
		v = v.Children[0]
	}
	return v.Value
}

type variable struct {
	Value    string
	Children []variable
}

// ends waits until nothing is left of it.
func (d *debugged) ends() (code int, stderr string) {
	stderr = <-d.rest
	d.fclocal.Wait()
	for _, pid := range d.pids {
		awaitEnd(pid)
	}
	return d.fclocal.ProcessState.ExitCode(), stderr
}

// A debugger stops in process, reads the message's value and lets the call end.
// However it ends, nothing is left.
func TestDebug(t *testing.T) {
	environment := append(os.Environ(), goEnvironment(t)...)
	invoke := []string{"invoke", "-t", "../../s.yaml", "--value", `{"id":"a message"}`, "--debug", "0"}

	t.Run("breakpoint", func(t *testing.T) {
		d := startDebugged(t, environment, invoke...)
		d.breakAt("main.process")
		if got := d.proceed(); got != "main.process" {
			t.Errorf("it stopped in %s", got)
		}
		if got := d.eval(`(*e.Data.Value)["id"]`); got != "a message" {
			t.Errorf("the message's value: %q", got)
		}
		go d.delve.Call("RPCServer.Command", map[string]string{"name": "continue"}, nil)
		code, stderr := d.ends()
		if code != exitOK || !strings.Contains(d.stdout.String(), `{"id":"a message"}`) || !strings.Contains(stderr, "fclocal: cpu, memorySize and time are not limited: --debug\n") {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, d.stdout.String(), stderr)
		}
	})

	for _, test := range []struct {
		name string
		end  func(d *debugged)
		code int
		say  string
	}{
		{"Ctrl-C", func(d *debugged) { d.fclocal.Process.Signal(syscall.SIGINT) }, exitFailed, "fclocal: interrupted\n"},
		{"kill -9", func(d *debugged) { d.fclocal.Process.Kill() }, -1, ""},
		{"debugger kills", func(d *debugged) { d.delve.Call("RPCServer.Detach", map[string]bool{"Kill": true}, nil) }, exitFailed, "Process exited unexpectedly"},
		{"Delve is killed", func(d *debugged) {
			pid, _ := strconv.Atoi(d.pids[1])
			syscall.Kill(pid, syscall.SIGKILL)
		}, exitFailed, "Process exited unexpectedly"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := startDebugged(t, environment, invoke...)
			d.breakAt("main.process")
			d.proceed()
			test.end(d)
			code, stderr := d.ends()
			if code != test.code || !strings.Contains(d.stdout.String()+stderr, test.say) {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, d.stdout.String(), stderr)
			}
		})
	}

	t.Run("stream", func(t *testing.T) {
		d := startDebugged(t, environment, "stream", "-t", "../../s.yaml", "-n", "3", "--debug=0",
			"--set", "CountBasedWindow=1", "--set", "instanceConcurrency=1", "--logs", t.TempDir(), "--json")
		d.breakAt("main.process")
		for range 3 {
			if got := d.proceed(); got != "main.process" {
				t.Errorf("it stopped in %s", got)
			}
		}
		go d.delve.Call("RPCServer.Command", map[string]string{"name": "continue"}, nil)
		code, stderr := d.ends()
		if code != exitOK || !strings.Contains(d.stdout.String(), `"delivered": 3`) || !strings.Contains(d.stdout.String(), `"throttled": 0`) || !strings.Contains(d.stdout.String(), `"instances": 1`) {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, d.stdout.String(), stderr)
		}
	})
}
