// Package trouble is what goes wrong on purpose: calls that do not reach the function,
// that fail or take longer, and instances that are killed. Its rules are the same in
// real and in virtual time. What happens to a call or to an instance depends on its
// number, the time and a seed alone, so that a run can be repeated.
package trouble

import (
	"math"
	"math/rand/v2"
	"time"

	"fclocal/internal/option"
	"fclocal/internal/trigger"
)

// Trouble is what is to go wrong. The zero value is none.
type Trouble struct {
	Outages       Outages
	ErrorRate     float64       // share of the calls whose answer becomes an error, 0 to 1
	Slow          time.Duration // that each call lasts longer which reaches the function, within its timeout; 0 to LongestSlow
	KillInstances time.Duration // for how long an instance lives on average; 0: none is killed
}

// Bounds of times.
const (
	LongestSlow  = 24 * time.Hour
	ShortestLife = 100 * time.Millisecond
	LongestLife  = 365 * 24 * time.Hour
)

// Check finds what makes no sense.
func (t Trouble) Check() error {
	life := option.Between("--kill-instances", t.KillInstances, ShortestLife, LongestLife)
	if t.KillInstances == 0 {
		life.Broken = false
	}
	return option.Check(option.Between("--error-rate", t.ErrorRate, 0, 1), option.Between("--slow", t.Slow, 0, LongestSlow), life)
}

// An Error is why a call failed that was to fail.
type Error struct {
	Kind string // in one word
	Text string // what has happened
}

func (e *Error) Error() string { return e.Kind + " (on purpose): " + e.Text }

// The errors.
var (
	ErrOutage = &Error{"outage", "the call did not reach the function"}
	ErrAnswer = &Error{"error", "the function's answer became an error"}
	ErrKilled = &Error{"killed", "the instance was killed"}
)

// Call returns how a call fails that is made at a time since the run began; nil: as it
// may. ErrOutage is for a call that is not to reach the function: it fails as soon as its
// instance could take it. ErrAnswer is for one that is to fail when the function has
// answered, unless it has failed by itself.
func (t Trouble) Call(seed uint64, call trigger.CallID, at time.Duration) *Error {
	switch {
	case t.Outages.hold(at):
		return ErrOutage
	case t.ErrorRate > 0 && draw(seed, 2*uint64(call)) < t.ErrorRate:
		return ErrAnswer
	}
	return nil
}

// Life returns for how long an instance lives since its creation, with ErrKilled at its
// end: an exponential distribution, as of what may happen at any moment. ok is false if
// nothing ends it.
func (t Trouble) Life(seed uint64, id trigger.InstanceID) (life time.Duration, ok bool) {
	if t.KillInstances <= 0 {
		return 0, false
	}
	return time.Duration(-math.Log1p(-draw(seed, 2*uint64(id)+1)) * float64(t.KillInstances)), true
}

// draw is the number from 0 to below 1 that belongs to another one. Other chance from
// the same seed has nothing to do with it.
func draw(seed, number uint64) float64 {
	var random rand.PCG
	random.Seed(^seed, number)
	return float64(random.Uint64()>>11) / (1 << 53)
}
