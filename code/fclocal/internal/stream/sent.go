package stream

import (
	"sync"
	"time"
)

// sent is when the messages of a file have been sent, which those that bring a time of
// their own do not tell. It may be used by several goroutines; nil knows of none.
type sent struct {
	mu         sync.Mutex
	partitions map[int32]*sentTo
}

type sentTo struct {
	moments []moment // in order
	end     int64    // after the last record that has been acknowledged
}

// A moment is when a record and those behind it were acknowledged.
type moment struct {
	offset int64
	at     time.Time
}

// add says that a record has been acknowledged just now.
func (s *sent) add(partition int32, offset int64) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.partitions[partition]
	if p == nil {
		p = &sentTo{}
		s.partitions[partition] = p
	}
	p.end = offset + 1
	now := time.Now()
	if n := len(p.moments); n == 0 || now.Sub(p.moments[n-1].at) >= time.Millisecond {
		p.moments = append(p.moments, moment{offset, now})
	}
}

// when returns when a record was sent, and forgets those before it. It is false for
// one that was there before, or has come a second time.
func (s *sent) when(partition int32, offset int64) (at time.Time, known bool) {
	if s == nil {
		return at, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.partitions[partition]
	switch {
	case p == nil:
		return at, false
	case offset >= p.end: // it has arrived before its acknowledgement
		return time.Now(), true
	}
	for len(p.moments) > 1 && p.moments[1].offset <= offset {
		p.moments = p.moments[1:]
	}
	if p.moments[0].offset > offset {
		return at, false
	}
	return p.moments[0].at, true
}
