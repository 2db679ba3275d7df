package process

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A simulated tree uses as many cores as it can while it may run, and is looked at
// late.
type simulated struct {
	account account
	now     time.Time
	clock   time.Duration
	cores   float64
	looks   int
}

func simulate(share time.Duration, cores float64) *simulated {
	now := time.Now()
	return &simulated{account: account{share: share, left: share, begin: now, looked: now}, now: now, cores: cores}
}

// pass lets time pass, with looks that are late by up to so much.
func (s *simulated) pass(d, late time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.looks++ {
		at := s.account.look(s.now, s.clock)
		if late > 0 {
			at = at.Add(rand.N(late))
		}
		if !s.account.spent {
			s.clock += time.Duration(s.cores * float64(at.Sub(s.now)))
		}
		s.now = at
	}
}

// Whatever a tree has of cores, and however late it is looked at: it uses its share,
// or what it can.
func TestAccount(t *testing.T) {
	for _, test := range []struct {
		share      time.Duration
		cores      float64
		late       time.Duration
		want, most float64 // cores, and looks a period
	}{
		{5 * time.Millisecond, 1, 0, 0.05, 3},
		{10 * time.Millisecond, 1, 0, 0.1, 3},
		{10 * time.Millisecond, 4, 0, 0.1, 5},
		{10 * time.Millisecond, 1, 15 * time.Millisecond, 0.1, 3},
		{10 * time.Millisecond, 2, 5 * time.Millisecond, 0.1, 5},
		{50 * time.Millisecond, 1, 0, 0.5, 3},
		{100 * time.Millisecond, 1, 0, 1, 2},
		{150 * time.Millisecond, 4, time.Millisecond, 1.5, 6},
		{10 * time.Millisecond, 0.02, 0, 0.02, 12}, // less than it may
		{10 * time.Millisecond, 0, 0, 0, 5.5},      // nothing: it waits
	} {
		s := simulate(test.share, test.cores)
		s.pass(100*Period, test.late)
		got := float64(s.clock) / float64(100*Period)
		if got < 0.97*test.want || got > 1.03*test.want {
			t.Errorf("%+v: %.4f cores", test, got)
		}
		if looks := float64(s.looks) / 100; looks > test.most {
			t.Errorf("%+v: %.1f looks in each period", test, looks)
		}
	}
}

// What nobody has looked at for long is not held against a tree for ever, and a tree
// that has waited has all of its share at once.
func TestAccountAfterLong(t *testing.T) {
	s := simulate(10*time.Millisecond, 1)
	s.pass(Period, 0)
	s.now, s.clock = s.now.Add(time.Hour), s.clock+time.Hour
	before := s.clock
	s.pass(20*Period, 0)
	if got := s.clock - before; got < 80*time.Millisecond || got > 110*time.Millisecond {
		t.Errorf("%v in 20 periods after an hour without a look; want that of 10", got)
	}
	s.pass(20*Period, 0)
	s.now = s.now.Add(time.Minute + Period/3) // frozen
	s.account.look(s.now, s.clock)
	if s.account.spent || s.account.left < s.account.share || !s.account.begin.Equal(s.now) {
		t.Errorf("%+v when it is thawed", s.account)
	}
}
