package events

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A record of the oldest format has no timestamp, and others may say so.
func TestRecordWithoutTimestamp(t *testing.T) {
	for _, timestamp := range []time.Time{{}, time.UnixMilli(-1)} {
		if got := Record(&kgo.Record{Timestamp: timestamp}).Timestamp.UnixMilli(); got != -1 {
			t.Errorf("timestamp %d, want -1", got)
		}
	}
}
