package stream

import (
	"maps"
	"sync"
)

// Produced is how far a topic has been filled. It may be used by several
// goroutines.
type Produced struct {
	mu       sync.Mutex
	end      map[int32]int64 // the offset that the next record gets
	finished bool
}

// NewProduced starts from what is in the topic: for each partition the offset
// that the next record gets.
func NewProduced(end map[int32]int64) *Produced { return &Produced{end: maps.Clone(end)} }

// Add says that a record has been acknowledged.
func (p *Produced) Add(partition int32, offset int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end[partition] = max(p.end[partition], offset+1)
}

// Finish says that nothing more comes.
func (p *Produced) Finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished = true
}

func (p *Produced) ends() (end map[int32]int64, finished bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.end), p.finished
}
