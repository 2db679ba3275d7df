//go:build unix

package process

import (
	"os/exec"
	"syscall"
)

// OwnGroup makes the process the head of a group of its own, so that a Ctrl-C
// in the terminal reaches fclocal alone.
func OwnGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// KillGroup kills the group of a process that is its head.
func KillGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

// InterruptGroup asks it to end, as Ctrl-C does.
func InterruptGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGINT) }
