package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// killTime bounds the killing of a tree: what has not gone by then is held by the
// kernel, or starts processes faster than they are killed.
const killTime = 2 * time.Second

// A Tree is a process and all that comes of it, also what has left its group, its
// session and its parent. A process belongs to it if it descends from the first
// one. One whose parent has ended becomes a child of fclocal: it still belongs if
// it was seen before, or has the mark in its environment.
type Tree struct {
	mark    string   // a variable that only this tree has, NAME=VALUE
	status  *os.File // of the first one, nil if it cannot be read
	stat    *os.File // likewise
	control control

	mu     sync.Mutex
	pid    int            // see first
	known  map[int]string // the start of each process that was there
	looked *snapshot      // where they were looked for last
	others []entry        // but for the first one, as they were found there
	space  [4096]byte     // for status and stat

	cpu     time.Duration // of the tree, when it was asked for last
	gone    time.Duration // of it, that of those which became fclocal's and were reaped
	forked  bool          // it has, or had, more than one process
	checked time.Time     // when that was looked at
}

// NewTree is the tree of a process that was prepared with [EndWithUs] and has the
// mark in its environment.
func NewTree(pid int, mark string) *Tree {
	t := &Tree{mark: mark, pid: pid}
	t.status, _ = os.Open(fmt.Sprintf("/proc/%d/status", pid)) // kept: opening it costs more than reading
	t.stat, _ = os.Open(fmt.Sprintf("/proc/%d/stat", pid))
	remember(t)
	return t
}

// first is the pid of the first process, 0 when it has ended.
func (t *Tree) first() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pid
}

// members are those that live. Zombies that have become fclocal's are reaped.
func (t *Tree) members(s *snapshot) []entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	var living []entry
	known := map[int]string{}
	for _, e := range s.entries {
		switch {
		case !t.has(s, e):
		case !e.zombie:
			living = append(living, e)
			known[e.pid] = e.start
		case e.parent == s.self && e.pid != t.pid:
			var used unix.Rusage
			if pid, err := unix.Wait4(e.pid, nil, unix.WNOHANG, &used); err == nil && pid == e.pid {
				t.gone += time.Duration(used.Utime.Nano() + used.Stime.Nano())
			}
		}
	}
	t.known = known
	return living
}

func (t *Tree) has(s *snapshot, e entry) bool {
	for range len(s.entries) { // parents were read at different times: there might be a circle
		if e.pid == t.pid || t.known[e.pid] == e.start {
			return true
		}
		if e.parent == s.self {
			return hasVariable(e.environment, t.mark)
		}
		parent, ok := s.entries[e.parent]
		if !ok {
			return false
		}
		e = parent
	}
	return false
}

// Alone says whether the first process was alone a moment ago.
func (t *Tree) Alone() bool { return len(t.look()) == 0 }

// Memory is the most that the tree has had resident, as far as that is known, in
// bytes. The first process tells its peak. The others are added up as they are
// when they are looked at; what they share counts once if it decides about limit.
func (t *Tree) Memory(limit int64) (peak int64, told bool) {
	t.mu.Lock()
	n, _ := t.status.ReadAt(t.space[:], 0)
	peak, sum, told := memoryOf(t.space[:n])
	t.mu.Unlock()
	if !told {
		return 0, false
	}
	others := t.look()
	if len(others) == 0 {
		return peak, true
	}
	resident := map[int]int64{t.first(): sum}
	for _, e := range others {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.pid))
		itsPeak, now, _ := memoryOf(status)
		peak = max(peak, itsPeak)
		resident[e.pid] = now
		sum += now
	}
	if sum > limit {
		sum = 0
		for pid, now := range resident {
			sum += proportional(pid, now)
		}
	}
	return max(peak, sum), true
}

// proportional is what a process has resident, with its part of what it shares; if
// that is not told, what it has resident. It takes long: the kernel goes through
// all pages.
func proportional(pid int, resident int64) int64 {
	rollup, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if size, told := kilobytes(rollup, "\nPss:"); told {
		return size
	}
	return resident
}

// look returns the processes but for the first one, as they were a moment ago.
func (t *Tree) look() []entry {
	s := processes.recent()
	t.mu.Lock()
	same, others := t.looked == s, t.others
	t.mu.Unlock()
	if same {
		return others
	}
	others = nil
	first := t.first()
	for _, e := range t.members(s) {
		if e.pid != first {
			others = append(others, e)
		}
	}
	t.mu.Lock()
	t.looked, t.others = s, others
	t.mu.Unlock()
	if len(others) > 0 {
		keep(t.mark)
	}
	return others
}

// Keep sees to it, from now on, that kill -9 of fclocal ends the whole tree. That is so
// anyhow soon after the first process is seen to have a child.
func (t *Tree) Keep() { keep(t.mark) }

// CPUTime is the CPU time that the tree has taken, as far as that is known. That of
// processes which have ended is told in ticks of 10 ms.
func (t *Tree) CPUTime() (spent time.Duration, told bool) {
	t.mu.Lock()
	pid, forked, gone := t.pid, t.forked, t.gone
	if now := time.Now(); !forked && now.Sub(t.checked) >= Period && pid != 0 {
		t.checked = now
		n, _ := t.stat.ReadAt(t.space[:], 0)
		forked = ofChildren(t.space[:n]) > 0
	}
	last := t.cpu
	t.mu.Unlock()
	if pid == 0 {
		return last, true
	}
	if spent, told = CPUTime(pid); !told {
		return last, false
	}
	others := t.look()
	if forked = forked || len(others) > 0; forked {
		t.mu.Lock()
		t.forked = true
		n, _ := t.stat.ReadAt(t.space[:], 0)
		spent += ofChildren(t.space[:n]) + gone
		t.mu.Unlock()
		for _, e := range others {
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", e.pid))
			its, _ := CPUTime(e.pid)
			spent += its + ofChildren(stat)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cpu = max(t.cpu, spent) // less if one has ended and was not waited for yet
	return t.cpu, true
}

// ofChildren is the CPU time of the children that the process has waited for, of its
// /proc/PID/stat.
func ofChildren(stat []byte) time.Duration {
	const tick = 10 * time.Millisecond // USER_HZ, which all architectures of Go have at 100
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 15 {
		return 0
	}
	user, _ := strconv.ParseInt(string(fields[13]), 10, 64)
	system, _ := strconv.ParseInt(string(fields[14]), 10, 64)
	return time.Duration(user+system) * tick
}

// signal tells all of them to stop or go on; surely takes longer, and misses none
// that has just begun.
func (t *Tree) signal(signal syscall.Signal, surely bool) {
	pid := t.first()
	if pid == 0 {
		return
	}
	syscall.Kill(-pid, signal)
	others := t.look()
	if surely && len(others) > 0 {
		others = t.members(processes.scan())
	}
	for _, e := range others {
		if now, there := read(e.pid); there && now.start == e.start {
			syscall.Kill(e.pid, signal)
		}
	}
}

// Kill kills all of them.
func (t *Tree) Kill() {
	t.uncontrolled()
	t.members(processes.scan()) // to know them when they have lost their parent
	if pid := t.first(); pid != 0 {
		KillGroup(pid) // at least, where there is no /proc
	}
	killAll(t.members)
}

// KillRest is Kill after the first process was waited for: its number may be
// another process's by now.
func (t *Tree) KillRest() {
	t.uncontrolled()
	t.mu.Lock()
	pid := t.pid
	t.pid = 0
	t.mu.Unlock()
	KillGroup(pid) // no process gets the number of a group that has members
	killAll(t.members)
	t.status.Close()
	t.stat.Close()
}

// KillOrphans kills every process that descends from fclocal. It is for fclocal's
// end: what cleared its environment and lost its parent in an instant belongs to
// no tree, and is found only here.
func KillOrphans() {
	if !adopting.Load() {
		return
	}
	killAll(func(s *snapshot) (living []entry) {
		for _, e := range s.entries {
			if !e.zombie {
				living = append(living, e)
			}
		}
		return living
	})
}

// killAll kills until none is found: one may start another before it dies.
func killAll(find func(*snapshot) []entry) {
	for end := time.Now().Add(killTime); ; time.Sleep(time.Millisecond) {
		living := find(processes.scan())
		for _, e := range living {
			syscall.Kill(e.pid, syscall.SIGKILL)
		}
		if len(living) == 0 || time.Now().After(end) {
			return
		}
	}
}

// hasVariable says whether an environment as /proc shows it has NAME=VALUE.
func hasVariable(environment []byte, variable string) bool {
	return bytes.Contains(append([]byte{0}, environment...), []byte("\x00"+variable+"\x00"))
}
