package process

import (
	"bytes"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// EndWithUs has the kernel kill the process when fclocal ends, in whatever way.
// The kernel takes the thread that started it for fclocal: it must stay. What the
// process starts and leaves becomes a child of fclocal, which finds it there.
func EndWithUs(command *exec.Cmd) {
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL
	adopt()
}

var adopt = sync.OnceFunc(func() {
	adopting.Store(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == nil)
})

var adopting atomic.Bool

// Limits says whether the limit on CPU time of a tree is kept.
const Limits = true

// CPUTime is the CPU time of all threads of the process, those that have ended
// included, in nanoseconds: /proc tells it in ticks of 10 ms only.
func CPUTime(pid int) (time.Duration, bool) {
	const scheduled = 2 // CPUCLOCK_SCHED; see clock_getcpuclockid(3)
	var spent unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|scheduled), &spent)
	return time.Duration(spent.Nano()), err == nil
}

// memoryOf is what /proc/PID/status tells of the memory that the process has
// resident: the most so far, and now.
func memoryOf(status []byte) (peak, now int64, ok bool) {
	peak, ok = kilobytes(status, "\nVmHWM:")
	now, _ = kilobytes(status, "\nVmRSS:")
	return peak, now, ok
}

// kilobytes is what stands behind a key in a file of /proc, in bytes.
func kilobytes(file []byte, key string) (int64, bool) {
	_, after, _ := bytes.Cut(file, []byte(key))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	count, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(line, []byte("kB")))), 10, 64)
	return count << 10, err == nil
}
