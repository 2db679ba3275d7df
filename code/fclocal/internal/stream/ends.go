package stream

import (
	"maps"
	"sync"
)

// ends are how far a topic has been filled. They may be used by several
// goroutines.
type ends struct {
	mu    sync.Mutex
	end   map[int32]int64 // the offset that the next record gets
	final bool            // nothing more comes
}

// newEnds starts from what is in the topic: for each partition the offset that the
// next record gets.
func newEnds(end map[int32]int64) *ends { return &ends{end: maps.Clone(end)} }

// add says that a record has been acknowledged.
func (e *ends) add(partition int32, offset int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.end[partition] = max(e.end[partition], offset+1)
}

// finish says that nothing more comes.
func (e *ends) finish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.final = true
}

// known returns them, and whether they are final.
func (e *ends) known() (end map[int32]int64, final bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.end), e.final
}

// of returns that of one partition, and whether it is known.
func (e *ends) of(partition int32) (end int64, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end, known = e.end[partition]
	return end, known
}
