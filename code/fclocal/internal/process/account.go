package process

import "time"

// Period is that of the limit on CPU time: what has used up its part of a period is
// stopped until the next one. FC's own is not documented (inferred).
const Period = 100 * time.Millisecond

// An account is that of a tree with a limit on its CPU time. What a tree has used
// too much, as nobody looks all the time, it owes to the next periods; what it
// leaves is lost.
type account struct {
	share time.Duration // CPU time for each period; 0: no limit
	left  time.Duration // of the period's; below 0 it is owed
	spent bool          // too little is left to go on with
	begin time.Time     // of the period

	clock  time.Duration // CPU time that was used when it was looked at last
	looked time.Time
	cores  float64 // that it used when it last ran
}

const (
	// What is owed has a bound: nobody could look while fclocal was stopped, or its
	// machine asleep.
	periodsOwed = 10

	shortestLook = time.Millisecond      // no shorter a wait is about exact
	longestLook  = 20 * time.Millisecond // how late it is seen that a tree works again
)

// rest is so little CPU time that it is kept for the next period.
func (a *account) rest() time.Duration { return max(a.share/20, 200*time.Microsecond) }

// look takes in how much CPU time was used until now, and returns when to look
// again. Whether the tree may run until then is in spent.
func (a *account) look(now time.Time, clock time.Duration) (next time.Time) {
	used, passed := max(clock-a.clock, 0), now.Sub(a.looked)
	a.clock, a.looked = max(clock, a.clock), now
	ran := !a.spent && passed > 0
	if ran {
		a.cores = float64(used) / float64(passed)
	}
	a.left -= used
	if periods := now.Sub(a.begin) / Period; periods > 0 {
		most := a.share
		if a.spent {
			most += a.rest()
		}
		a.left = min(a.left+periods*a.share, most)
		a.begin = a.begin.Add(periods * Period)
		if used == 0 && (!a.spent || periods > 1) { // a period begins with work
			a.begin = now
		}
	}
	a.left = max(a.left, -periodsOwed*a.share)
	a.spent = a.left <= a.rest()
	end := a.begin.Add(Period)
	if a.spent {
		return end
	}
	wait := max(time.Duration(float64(a.left)/max(a.cores, 1)), shortestLook)
	if ran && used == 0 { // it waits
		wait = max(wait, longestLook)
	}
	if at := now.Add(wait); at.Before(end) {
		return at
	}
	return end
}
