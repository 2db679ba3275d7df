package stream

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A record of the oldest format has no timestamp, and others may say so.
func TestEventRecordWithoutTimestamp(t *testing.T) {
	for _, timestamp := range []time.Time{{}, time.UnixMilli(-1)} {
		if got := eventRecord(&kgo.Record{Timestamp: timestamp}).Timestamp.UnixMilli(); got != -1 {
			t.Errorf("timestamp %d, want -1", got)
		}
	}
}

func TestReadable(t *testing.T) {
	before := time.Now()
	begin := before.Add(-time.Minute)
	e := &engine{begin: begin}
	for _, test := range []struct{ timestamp, want time.Time }{
		{begin.Add(-1000 * time.Hour), begin},
		{begin.Add(time.Second), begin.Add(time.Second)},
	} {
		if got := e.readable(test.timestamp); !got.Equal(test.want) {
			t.Errorf("%v: %v, want %v", test.timestamp, got, test.want)
		}
	}
	if got := e.readable(noTimestamp); got.Before(before) || got.After(time.Now()) {
		t.Errorf("without a timestamp: %v, not now", got)
	}
}
