package process

import (
	"os"
	"os/exec"
	"syscall"
)

// OwnGroup keeps the Ctrl-C of the terminal from the process.
func OwnGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// KillGroup kills the process alone: Windows has no such groups.
func KillGroup(pid int) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer process.Release()
	return process.Kill()
}

// InterruptGroup kills it: a process without a console cannot be asked.
func InterruptGroup(pid int) error { return KillGroup(pid) }

// control does nothing: Windows stops no processes.
type control struct{}

// Limit is not enforced.
func (t *Tree) Limit(float64) bool { return false }

// Freeze does nothing.
func (t *Tree) Freeze() {}

// Check does nothing.
func (t *Tree) Check() {}

// Thaw does nothing.
func (t *Tree) Thaw() {}

func (t *Tree) uncontrolled() {}

// remember does nothing: there is no Ctrl-Z.
func remember(*Tree) {}
