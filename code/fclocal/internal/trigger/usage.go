package trigger

import (
	"slices"
	"time"
)

// UsagePeriod is the time that a Usage is of: the platform bills by the hour
// (documented).
const UsagePeriod = time.Hour

// eventUnit is the size that counts as an event (documented; that KB are binary is
// inferred).
const eventUnit = 64 << 10 // bytes

// Usage is what the platform counts for its bills in an hour.
//
// An instance is busy while it has a call, however many, while its initializer and its
// preStop run (documented), and while its process starts (inferred). Events count when they are pulled from the topic
// (documented), filtered ones too (inferred), and again with each retry of their batch
// (documented; that all events of the batch count, and those refused with 429, is
// inferred).
type Usage struct {
	Calls      int64         // begun: those refused with 429 are not billed (inferred)
	Busy       time.Duration // of all instances together, each busy period rounded up to a millisecond (inferred)
	Events     int64
	EventUnits int64 // of those events: one for each 64 KB begun (documented)
	EventBytes int64 // of those events
}

// usage counts by hours, from the start of the run on.
type usage struct{ hours []Usage }

func (u *usage) at(now time.Duration) *Usage {
	hour := int(now / UsagePeriod)
	for len(u.hours) <= hour {
		u.hours = append(u.hours, Usage{})
	}
	return &u.hours[hour]
}

// busy counts a time in which an instance was.
func (u *usage) busy(from, to time.Duration) {
	if rest := (to - from) % time.Millisecond; rest > 0 {
		to += time.Millisecond - rest
	}
	for from < to {
		end := min(to, from-from%UsagePeriod+UsagePeriod)
		u.at(from).Busy += end - from
		from = end
	}
}

func (u *usage) events(now time.Duration, events int, units, bytes int64) {
	at := u.at(now)
	at.Events += int64(events)
	at.EventUnits += units
	at.EventBytes += bytes
}

// EventUnits is how many events one of that size counts as.
func EventUnits(eventBytes int64) int64 { return max(1, (eventBytes+eventUnit-1)/eventUnit) }

// Usage returns what has been used so far, by the hours since the start of the run.
// Instances that are busy are so up to now.
func (m *Model) Usage() []Usage {
	u := usage{slices.Clone(m.usage.hours)}
	for _, i := range m.instances.all {
		if i.busy() {
			u.busy(i.busySince, m.now)
		}
	}
	return u.hours
}
