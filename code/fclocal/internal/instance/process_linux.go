package instance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ownGroup makes the process the head of a group of its own, so that a Ctrl-C
// in the terminal reaches fclocal alone, and has the kernel kill it when fclocal
// ends, in whatever way: the SDK would ask a server that is gone for ever.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(pid int) { syscall.Kill(-pid, syscall.SIGKILL) }

// peakMemory is the most that the process has had resident, in bytes.
func peakMemory(pid int) (int64, bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	_, after, found := bytes.Cut(status, []byte("\nVmHWM:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	kilobytes, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(line, []byte("kB")))), 10, 64)
	return kilobytes << 10, found && err == nil
}

// cpuTime is the CPU time of all threads of the process, those that have ended
// included, in nanoseconds: /proc tells it in ticks of 10 ms only.
func cpuTime(pid int) (time.Duration, bool) {
	const scheduled = 2 // CPUCLOCK_SCHED; see clock_getcpuclockid(3)
	var spent unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|scheduled), &spent)
	return time.Duration(spent.Nano()), err == nil
}
