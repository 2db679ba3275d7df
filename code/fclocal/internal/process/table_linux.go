package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

// An entry is a process as /proc shows it.
type entry struct {
	pid, parent int
	start       string // when: it tells a process from a later one with its number
	zombie      bool
	environment []byte // of children of fclocal only
}

// A snapshot has all that descends from fclocal, by pid.
type snapshot struct {
	self    int
	entries map[int]entry
}

func (s *snapshot) of(pid int) entry {
	if s == nil {
		return entry{}
	}
	return s.entries[pid]
}

// processes is the table that all trees look at.
var processes table

type table struct {
	mu      sync.Mutex
	last    *snapshot
	newest  []byte       // the pid that was given last
	loads   *os.File     // tells it
	checked time.Time    // when it was asked
	made    time.Time    // when the last one was
	next    time.Time    // no sooner is there another snapshot
	strange map[int]bool // do not descend from fclocal, so never will
}

// recent is a snapshot of a moment ago. A new one is made if the machine has a new
// process, and at times in any case, as a pid is given a little before the process
// is to be seen; but so seldom that it usually takes half a percent of a core.
func (t *table) recent() *snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.last != nil && (now.Before(t.next) || now.Sub(t.checked) < 10*time.Millisecond) {
		return t.last
	}
	newest := t.newestPID()
	if newest != nil && bytes.Equal(newest, t.newest) && now.Sub(t.made) < 500*time.Millisecond {
		t.checked = now
		return t.last
	}
	t.newest = newest
	t.make()
	t.next = now.Add(min(200*time.Since(now), 100*time.Millisecond)) // it may have been held up itself
	return t.last
}

// scan is a snapshot of now.
func (t *table) scan() *snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.make()
	return t.last
}

// newestPID is the last field of /proc/loadavg, nil if it cannot be read.
func (t *table) newestPID() []byte {
	if t.loads == nil {
		t.loads, _ = os.Open("/proc/loadavg")
	}
	var space [128]byte
	n, _ := t.loads.ReadAt(space[:], 0)
	fields := bytes.Fields(space[:n])
	if len(fields) == 0 {
		return nil
	}
	return fields[len(fields)-1]
}

func (t *table) make() {
	now := time.Now()
	if now.Sub(t.checked) > time.Second { // a strange one's number may have come round
		t.strange = nil
	}
	t.checked = now
	self := os.Getpid()
	all := map[int]entry{}
	strange := map[int]bool{}
	directory, err := os.Open("/proc")
	if err != nil {
		t.last = &snapshot{self: self}
		return
	}
	names, _ := directory.Readdirnames(-1)
	directory.Close()
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		if pid, _ := strconv.Atoi(name); t.strange[pid] || pid == self {
			strange[pid] = pid != self
		} else if e, ok := read(pid); ok {
			all[pid] = e
		}
	}
	s := &snapshot{self: self, entries: map[int]entry{}}
	for pid, first := range all {
		e := first // and up from there
		for range all {
			parent, ok := all[e.parent]
			if !ok || e.parent == self {
				break
			}
			e = parent
		}
		switch {
		case e.parent == self:
			if before := t.last.of(pid); first.parent == self && before.start == first.start && before.environment != nil {
				first.environment = before.environment
			} else if first.parent == self {
				first.environment, _ = os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
			}
			s.entries[pid] = first
		case e.parent == 0 || strange[e.parent]: // else its parent has just ended: who has it now shows next time
			strange[pid] = true
		}
	}
	t.last, t.strange, t.made = s, strange, now
}

// read reads /proc/PID/stat; it is false when the process has gone.
func read(pid int) (entry, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return entry{}, false
	}
	// Behind the name, which may hold anything: state, parent, and 17 fields on, start.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return entry{}, false
	}
	parent, _ := strconv.Atoi(string(fields[1]))
	return entry{pid: pid, parent: parent, start: string(fields[19]), zombie: fields[0][0] == 'Z' || fields[0][0] == 'X'}, true
}
