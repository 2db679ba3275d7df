package plan

import (
	"container/heap"
	"math"
	"time"
)

// timeSlice is how long the Go runtime lets a goroutine run while others wait
// (runtime/proc.go, forcePreemptNS). Calls with less CPU time go one after
// another.
const timeSlice = float64(10 * time.Millisecond)

// cores run the CPU work of stations. With a count, the threads of all stations
// share so many of them evenly; without one, every thread has a core.
type cores struct {
	count    float64           // 0: no limit
	at       time.Duration     // of the last change here, to which clock belongs
	clock    float64           // nanoseconds that a thread has run which was never off its core
	threads  float64           // busy, of all stations
	stations ordered[*station] // busy ones, by the end of their next slice
}

// A station is a process that runs jobs on its threads in turn, as the Go
// runtime does with the goroutines of an instance.
type station struct {
	limit   float64 // cores at most, above 0; a part of a core is a thread that runs for that part of the time
	spread  bool    // a job uses all of these, and not one at most
	running []job
	queue   []job
	clock   float64 // of the cores, when running was true
	end     float64 // of the next slice, on the clock of the cores
	index   int     // in stations; counts only while something runs
}

// job is the CPU work of a call.
type job struct {
	left  float64 // nanoseconds
	slice float64 // of those, until others have their turn
	call  *event
}

// threads is how many cores the station uses.
func (s *station) threads() float64 {
	if s.spread && len(s.running) > 0 {
		return s.limit
	}
	return min(float64(len(s.running)), s.limit)
}

// rate is for how much of the time a busy thread has a core.
func (c *cores) rate() float64 {
	if c.count == 0 || c.threads <= c.count {
		return 1
	}
	return c.count / c.threads
}

// next returns when the next slice ends; never if nothing runs.
func (c *cores) next() time.Duration {
	if len(c.stations) == 0 {
		return never
	}
	return c.at + time.Duration(math.Ceil(max(c.stations[0].end-c.clock, 0)/c.rate()))
}

// add gives a station a job. Its now, like that of pop and remove, is not after
// next.
func (c *cores) add(now time.Duration, s *station, work time.Duration, call *event) {
	c.change(now, s, func() { s.queue = append(s.queue, job{left: float64(work), call: call}) })
}

// pop ends the slice that next is about. It returns the call if its job is done
// with it, else nil.
func (c *cores) pop(now time.Duration) (call *event) {
	s := c.stations[0]
	c.change(now, s, func() {
		first := 0
		for i := range s.running {
			if s.running[i].slice < s.running[first].slice {
				first = i
			}
		}
		done := s.running[first]
		s.running = append(s.running[:first], s.running[first+1:]...)
		if done.left -= done.slice; done.left > 0.5 { // less is rounding
			s.queue = append(s.queue, done)
		} else {
			call = done.call
		}
	})
	return call
}

// remove ends a station with all of its jobs.
func (c *cores) remove(now time.Duration, s *station) {
	c.change(now, s, func() { s.running, s.queue = nil, nil })
}

// change brings a station up to date before its jobs change, and its place
// among the others after it.
func (c *cores) change(now time.Duration, s *station, jobs func()) {
	c.clock += float64(now-c.at) * c.rate()
	c.at = now
	busy := len(s.running) > 0
	if busy {
		ran := (c.clock - s.clock) * s.threads() / float64(len(s.running))
		for i := range s.running {
			s.running[i].left -= ran
			s.running[i].slice -= ran
		}
	}
	s.clock = c.clock
	c.threads -= s.threads()
	jobs()
	for len(s.queue) > 0 && s.threads() < s.limit {
		next := s.queue[0]
		s.queue = s.queue[1:]
		next.slice = min(next.left, timeSlice)
		s.running = append(s.running, next)
	}
	c.threads += s.threads()
	if len(s.running) > 0 {
		slice := s.running[0].slice
		for _, j := range s.running[1:] {
			slice = min(slice, j.slice)
		}
		s.end = c.clock + slice*float64(len(s.running))/s.threads()
	}
	switch {
	case !busy && len(s.running) > 0:
		heap.Push(&c.stations, s)
	case busy && len(s.running) > 0:
		heap.Fix(&c.stations, s.index)
	case busy:
		heap.Remove(&c.stations, s.index)
	}
	if len(c.stations) == 0 {
		c.threads, c.clock = 0, 0 // rounding does not add up
	}
}

func (s *station) before(other *station) bool { return s.end < other.end }
func (s *station) moved(index int)            { s.index = index }
