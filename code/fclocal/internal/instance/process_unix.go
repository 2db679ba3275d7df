//go:build unix && !linux

package instance

import (
	"os/exec"
	"syscall"
	"time"
)

func ownGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(pid int) { syscall.Kill(-pid, syscall.SIGKILL) }

func peakMemory(int) (int64, bool) { return 0, false }

func cpuTime(int) (time.Duration, bool) { return 0, false }
