package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// This program is a function that takes CPU time as BURN says.
func init() {
	switch how := os.Getenv("BURN"); how {
	case "":
		return
	case "child", "children":
		for how == "children" || os.Getenv("BURN") != "self" {
			child := exec.Command("/proc/self/exe")
			child.Env = append(os.Environ(), "BURN=self")
			if how == "children" { // one short one after another
				child.Env = append(os.Environ(), "BURN=short")
			} else {
				child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			}
			child.Run()
		}
	case "short":
		for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
		}
		os.Exit(0)
	default:
		for range runtime.GOMAXPROCS(0) - 1 {
			go burn()
		}
		burn()
	}
}

func burn() {
	for end := time.Now().Add(time.Hour); time.Now().Before(end); {
	}
}

// burner is a tree that takes all the CPU time that it gets, from now on.
func burner(t *testing.T, how string, cores float64) *Tree {
	t.Helper()
	command := exec.Command("/proc/self/exe")
	mark := "FC_RUNTIME_API=" + t.Name() + how
	command.Env = []string{"BURN=" + how, mark, "GOMAXPROCS=1"}
	OwnGroup(command)
	EndWithUs(command)
	started := make(chan *Tree)
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := command.Start(); err != nil {
			panic(err)
		}
		tree := NewTree(command.Process.Pid, mark)
		tree.Limit(cores)
		started <- tree
		command.Process.Wait()
		tree.KillRest()
		close(done)
	}()
	tree := <-started
	t.Cleanup(func() {
		tree.Kill()
		<-done
	})
	return tree
}

// waited is for how long the threads of a process could have run, and had no core.
func waited(pid int) (delay time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, thread := range threads {
		var ran, its time.Duration
		text, _ := os.ReadFile(thread)
		fmt.Sscan(string(text), &ran, &its)
		delay += its
	}
	return delay
}

// Trees get the share of a core that they are limited to, alone and side by side. On
// a machine that is busy otherwise they may get less, and are stopped too late.
func TestLimit(t *testing.T) {
	const window = 20 * Period
	for _, test := range []struct {
		how   string
		cores float64
		trees int
	}{
		{"self", 0.05, 1},
		{"self", 0.1, 1},
		{"self", 0.5, 1},
		{"self", 0.1, 4},
		{"child", 0.1, 1},
		{"children", 0.2, 1},
	} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			own, _ := CPUTime(os.Getpid())
			before := waited(os.Getpid())
			begin := time.Now()
			var trees []*Tree
			for range test.trees {
				trees = append(trees, burner(t, test.how, test.cores))
			}
			time.Sleep(window - Period/20) // what is measured
			for _, tree := range trees {
				used, _ := tree.CPUTime()
				share := used.Seconds() / window.Seconds()
				low, high := 0.9*test.cores, 1.1*test.cores
				if delay := waited(tree.first()) + waited(os.Getpid()) - before; delay > window/20 || test.how == "children" {
					low, high = 0, 2*test.cores
				}
				if share < low || share > high {
					t.Errorf("a share of %.4f, want %v", share, test.cores)
				}
				t.Logf("a share of %.4f", share)
			}
			after, _ := CPUTime(os.Getpid())
			t.Logf("fclocal itself used %.4f of a core", (after-own).Seconds()/time.Since(begin).Seconds())
		})
	}
}

// What is frozen does nothing, and goes on when it is thawed.
func TestFreeze(t *testing.T) {
	for _, how := range []string{"self", "child"} {
		tree := burner(t, how, 1)
		for used := time.Duration(0); used < 50*time.Millisecond; used, _ = tree.CPUTime() {
			time.Sleep(time.Millisecond)
		}
		tree.Freeze()
		for _, e := range append(tree.look(), entry{pid: tree.first()}) {
			for stopped := false; !stopped; {
				status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.pid))
				stopped = strings.Contains(string(status), "State:\tT")
			}
		}
		used, _ := tree.CPUTime()
		time.Sleep(Period) // in which it would have used as much
		if later, _ := tree.CPUTime(); later > used+Period/10 {
			t.Errorf("%s: it used %v while it was frozen", how, later-used)
		}
		tree.Thaw()
		for now := used; now < used+50*time.Millisecond; now, _ = tree.CPUTime() {
			time.Sleep(time.Millisecond)
		}
	}
}
