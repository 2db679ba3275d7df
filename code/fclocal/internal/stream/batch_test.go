package stream

import (
	"testing"
	"time"

	"fclocal/internal/eventbridge"
)

func TestReadable(t *testing.T) {
	start := time.Now()
	begin, old := start.Add(-time.Minute), start.Add(-1000*time.Hour)
	e := &engine{begin: begin}
	first := eventbridge.Record{Partition: 1, Offset: 9}
	if got := e.readable(first, old); !got.Equal(begin) {
		t.Errorf("before the first look: %v, want %v", got, begin)
	}
	e.ends = map[int32]int64{1: 10}
	for _, timestamp := range []time.Time{old, time.UnixMilli(-1)} {
		if got := e.readable(first, timestamp); !got.Equal(begin) {
			t.Errorf("there at the start, of %v: %v, want %v", timestamp, got, begin)
		}
		for _, later := range []eventbridge.Record{{Partition: 1, Offset: 10}, {Partition: 2}} {
			if got := e.readable(later, timestamp); got.Before(start) || got.After(time.Now()) {
				t.Errorf("not there at the start, of %v: %v, which is not now", timestamp, got)
			}
		}
	}
	if got, want := e.readable(first, begin.Add(time.Second)), begin.Add(time.Second); !got.Equal(want) {
		t.Errorf("of the run: %v, want %v", got, want)
	}
}

// A message with a time of its own, before the run or after it, counts from when it was
// sent, if that is known.
func TestSentAt(t *testing.T) {
	now := time.Now()
	begin := now.Add(-time.Minute)
	e := &engine{begin: begin, source: source{sent: &sent{partitions: map[int32]*sentTo{
		0: {end: 5, moments: []moment{{1, begin.Add(time.Second)}, {3, begin.Add(2 * time.Second)}}},
	}}}}
	old, future := begin.Add(-time.Hour), now.Add(time.Hour)
	for _, test := range []struct {
		partition       int32
		offset          int64
		timestamp, want time.Time
	}{
		{0, 0, old, old}, // it was there before
		{0, 2, begin.Add(3 * time.Second), begin.Add(3 * time.Second)}, // of this run
		{0, 2, old, begin.Add(time.Second)},
		{0, 3, future, begin.Add(2 * time.Second)},
		{0, 4, old, begin.Add(2 * time.Second)},
		{0, 1, old, old}, // again, as after a rebalance
		{1, 4, old, old},
	} {
		if got := e.sentAt(eventbridge.Record{Partition: test.partition, Offset: test.offset, Timestamp: test.timestamp}); !got.Equal(test.want) {
			t.Errorf("partition %d, offset %d, %v: %v, want %v", test.partition, test.offset, test.timestamp, got, test.want)
		}
	}
	if got := e.sentAt(eventbridge.Record{Offset: 5, Timestamp: old}); got.Before(now) {
		t.Errorf("arrived before its acknowledgement: %v, want now", got)
	}
	e.source.sent.add(0, 5)
	if got := e.sentAt(eventbridge.Record{Offset: 5, Timestamp: old}); got.Before(now) {
		t.Errorf("just acknowledged: %v, want now", got)
	}
}
