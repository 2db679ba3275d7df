package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"fclocal/internal/result"
)

// hooksProject is the s.yaml of a copy of testdata/hooks with that variable.
func hooksProject(t *testing.T, name, value string) (template string) {
	t.Helper()
	project := t.TempDir()
	if err := os.CopyFS(project, os.DirFS("testdata/hooks")); err != nil {
		t.Fatal(err)
	}
	template = filepath.Join(project, "s.yaml")
	content, err := os.ReadFile(template)
	if err == nil {
		err = os.WriteFile(template, []byte(strings.Replace(string(content), `TICK: ""`, name+`: "`+value+`"`, 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// Instances get the share of a core that cpu is, whatever they do, and do as much
// work as that is.
func TestCPUShare(t *testing.T) {
	template := hooksProject(t, "CALL", "work")
	run := func(messages int, args ...string) result.Run {
		return mustStream(t, append([]string{"-t", template, "-n", fmt.Sprint(messages), "--retry-scale", "0"}, args...)...)[0]
	}
	tenth := run(40, "--set", "cpu=0.1", "--set", "concurrency=26", "--set", "instanceConcurrency=26")
	whole := run(200, "--set", "cpu=1", "--set", "memorySize=1024", "--set", "concurrency=26", "--set", "instanceConcurrency=26")
	four := run(80, "--set", "cpu=0.1", "--set", "concurrency=4", "--set", "instanceConcurrency=1")
	fast := run(40, "--vcpu-speed", "2", "--set", "cpu=0.1", "--set", "concurrency=26", "--set", "instanceConcurrency=26")
	for _, r := range []result.Run{tenth, four, fast} {
		if r.CPUShare < 0.08 || r.CPUShare > 0.115 {
			t.Errorf("a share of %.3f of 0.1 in %d instances", r.CPUShare, r.Instances)
		}
	}
	if tenth.PeakInFlight != 26 || tenth.Instances != 1 || four.Instances != 4 {
		t.Errorf("%d calls in flight in %d instances, and %d instances; want 26 in 1, and 4", tenth.PeakInFlight, tenth.Instances, four.Instances)
	}
	for _, r := range []result.Run{whole, fast} { // a busy machine gives less than 1 vCPU
		work, share := r.EventsPerSecond/tenth.EventsPerSecond, r.CPUShare/tenth.CPUShare
		if r.Function.EventTimeMs == 0 && r.Settings.Value("cpu") == tenth.Settings.Value("cpu") {
			share *= 2 // of a vCPU that is twice as fast
		}
		if work < 0.75*share || work > 1.25*share {
			t.Errorf("%.1f times the work for %.1f times the CPU time", work, share)
		}
	}
	t.Logf("shares %.4f, %.4f, %.4f and %.4f; events/s %.2f, %.2f, %.2f and %.2f", tenth.CPUShare, whole.CPUShare, four.CPUShare, fast.CPUShare,
		tenth.EventsPerSecond, whole.EventsPerSecond, four.EventsPerSecond, fast.EventsPerSecond)
}

// Nothing runs in an instance between two calls, after its preFreeze: of the hundred
// times that a ticker would print in a second, it may do so until the instance is
// frozen, and when it is thawed.
func TestFrozenBetweenCalls(t *testing.T) {
	logs := t.TempDir()
	mustStream(t, "-t", hooksProject(t, "TICK", "10ms"), "-n", "3", "--rate", "1", "--set", "concurrency=1", "--logs", logs)
	log, err := os.ReadFile(filepath.Join(logs, "instance-1.log"))
	if err != nil {
		t.Fatal(err)
	}
	call := `FC Invoke Start.*\n(tick\n)*call runs\n(tick\n)*FC Invoke End.*\n(tick\n)*FC PreFreeze Start.*\npreFreeze runs\nFC PreFreeze End.*\n(tick\n){0,20}`
	if !regexp.MustCompile(`^(tick\n)*FC Initialize Start.*\ninitializer runs\nFC Initialize End.*\n(tick\n)*(` + call + `){3}FC PreStop Start.*\npreStop runs\nFC PreStop End.*\n(tick\n)*$`).Match(log) {
		t.Errorf("the log is\n%s", log)
	}
}

// However fclocal ends, a frozen instance ends with it: after its preStop by the
// first Ctrl-C, at once by the second and by kill -9.
func TestEndOfFrozen(t *testing.T) {
	for _, test := range []struct {
		name    string
		preStop string
		signals []syscall.Signal
		code    int
		log     string // how it ends
	}{
		{"Ctrl-C", "", []syscall.Signal{syscall.SIGINT}, exitOK, `FC PreStop End .*`},
		{"twice", "hang", []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, exitFailed, `preStop runs\npid \d+`},
		{"kill -9", "", []syscall.Signal{syscall.SIGKILL}, -1, `FC PreFreeze End .*`},
	} {
		t.Run(test.name, func(t *testing.T) {
			template := hooksProject(t, "PRESTOP", test.preStop)
			content, err := os.ReadFile(template)
			if err != nil {
				t.Fatal(err)
			}
			content = []byte(strings.Replace(string(content), `preStop: { handler: "true", timeout: 1 }`, `preStop: { handler: "true", timeout: 600 }`, 1))
			if err := os.WriteFile(template, content, 0o644); err != nil {
				t.Fatal(err)
			}
			logs := t.TempDir()
			command := fclocal(t, "stream", "-t", template, "-n", "1", "--listen", "127.0.0.1:0", "--logs", logs)
			command.Stderr = t.Output()
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			var pid int
			eventually(func() bool { // until it is frozen
				instance := anyInstance(command.Process.Pid)
				if instance == nil {
					return false
				}
				pid = instance.Pid
				log, _ := os.ReadFile(filepath.Join(logs, "instance-1.log"))
				status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
				return strings.Contains(string(log), "FC PreFreeze End") && strings.Contains(string(status), "State:\tT")
			})
			for i, signal := range test.signals {
				if i > 0 {
					eventually(func() bool {
						log, _ := os.ReadFile(filepath.Join(logs, "instance-1.log"))
						return strings.Contains(string(log), "preStop runs\npid ")
					})
				}
				command.Process.Signal(signal)
			}
			command.Wait()
			awaitEnd(fmt.Sprint(pid))
			if code := command.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			log, _ := os.ReadFile(filepath.Join(logs, "instance-1.log"))
			if !regexp.MustCompile(test.log + `\n$`).Match(log) {
				t.Errorf("the log is\n%s", log)
			}
		})
	}
}

// stopped says whether the process is.
func stopped(pid string) bool {
	status, _ := os.ReadFile("/proc/" + pid + "/status")
	return strings.Contains(string(status), "State:\tT")
}

// What a call has started and left, in a session of its own, is frozen with the
// instance, and ends with it.
func TestFrozenChild(t *testing.T) {
	logs := t.TempDir()
	command := fclocal(t, "stream", "-t", hooksProject(t, "CALL", "child "+sleepProgram(t)), "-n", "1", "--listen", "127.0.0.1:0", "--logs", logs)
	command.Stderr = t.Output()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var child string
	eventually(func() bool {
		log, _ := os.ReadFile(filepath.Join(logs, "instance-1.log"))
		if match := regexp.MustCompile(`\npid (\d+)\n`).FindSubmatch(log); match != nil {
			child = string(match[1])
		}
		return child != "" && stopped(child)
	})
	command.Process.Kill()
	command.Wait()
	awaitEnd(child)
}

// Ctrl-Z suspends the function, too, and fg lets it go on.
func TestSuspended(t *testing.T) {
	command := fclocal(t, "invoke", "-t", hooksProject(t, "CALL", "hang"), "-e", "1")
	stderr, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	pid := awaitPID(t, stderr)
	own := fmt.Sprint(command.Process.Pid)
	command.Process.Signal(syscall.SIGTSTP)
	eventually(func() bool { return stopped(pid) && stopped(own) })
	command.Process.Signal(syscall.SIGCONT)
	eventually(func() bool { return !stopped(pid) && !stopped(own) })
	command.Process.Signal(syscall.SIGINT)
	command.Wait()
	awaitEnd(pid)
	if code := command.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
}
