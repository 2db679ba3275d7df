//go:build unix && !linux

package process

import "syscall"

// signal tells the group to stop or go on.
func (t *Tree) signal(signal syscall.Signal, _ bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		syscall.Kill(-t.pid, signal)
	}
}
