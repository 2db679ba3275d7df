//go:build !linux

package process

import (
	"net/netip"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// EndWithUs does nothing where the system cannot do it.
func EndWithUs(*exec.Cmd) {}

// Limits says whether the limit on CPU time of a tree is kept.
const Limits = false

// CPUTime is not told.
func CPUTime(int) (time.Duration, bool) { return 0, false }

// A Tree is a process and its group.
type Tree struct {
	mu    sync.Mutex
	pid   int
	ended bool

	control control
}

// NewTree is the tree of a process that was started in a group of its own.
func NewTree(pid int, _ string) *Tree {
	t := &Tree{pid: pid}
	remember(t)
	return t
}

// Keep does nothing.
func (t *Tree) Keep() {}

// Alone is not told.
func (t *Tree) Alone() bool { return true }

// Memory is not told.
func (t *Tree) Memory(int64) (peak int64, told bool) { return 0, false }

// Listeners are not told.
func (t *Tree) Listeners() (addresses []netip.AddrPort, told bool) { return nil, false }

// CPUTime is not told.
func (t *Tree) CPUTime() (time.Duration, bool) { return 0, false }

// Kill kills the group.
func (t *Tree) Kill() {
	t.uncontrolled()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended { // else its number may be another's by now
		KillGroup(t.pid)
	}
}

// KillRest is Kill after the process itself was waited for.
func (t *Tree) KillRest() {
	if runtime.GOOS != "windows" { // which has no groups: there is nothing but the process
		t.Kill()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}

// KillOrphans does nothing: what has left its group is not found.
func KillOrphans() {}
