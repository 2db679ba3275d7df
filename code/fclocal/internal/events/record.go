package events

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/eventbridge"
)

// noTimestamp is what Kafka says for a record without a timestamp.
var noTimestamp = time.UnixMilli(-1)

// Record is a Kafka record as the events are made of it.
func Record(r *kgo.Record) eventbridge.Record {
	record := eventbridge.Record{Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value}
	if r.Timestamp.IsZero() { // of the oldest format, which has none
		record.Timestamp = noTimestamp
	}
	for _, header := range r.Headers {
		record.Headers = append(record.Headers, eventbridge.Header{Key: header.Key, Value: header.Value})
	}
	return record
}
