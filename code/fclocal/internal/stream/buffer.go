package stream

import (
	"sort"
	"time"

	"fclocal/internal/trigger"
)

// buffer holds the events of a partition's records from their arrival to the
// end of their batch.
type buffer struct {
	records []stored // in order of offset
}

type stored struct {
	offset   int64
	readable time.Duration // when the stream could first read it, since its begin
	fetched  time.Duration // when the model was told of it, likewise
	event    []byte        // nil once it is finished
}

func (b *buffer) add(record stored) { b.records = append(b.records, record) }

// in returns the records in a range; they are all there until they are finished.
func (b *buffer) in(r trigger.Range) []stored {
	first := sort.Search(len(b.records), func(i int) bool { return b.records[i].offset >= r.FirstOffset })
	return b.records[first:min(first+r.Count, len(b.records))]
}

// finish lets go of a range's events, and of the records before the first
// unfinished one.
func (b *buffer) finish(r trigger.Range) {
	for i := range b.in(r) {
		b.in(r)[i].event = nil
	}
	done := 0
	for done < len(b.records) && b.records[done].event == nil {
		done++
	}
	b.records = b.records[done:]
	if len(b.records) == 0 {
		b.records = nil
	}
}
