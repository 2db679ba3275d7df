package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// maxProducing is the size in bytes of the messages that are sent and not yet
// acknowledged, unless a single one is larger. It also bounds the record
// batches that the consumers fetch.
const maxProducing = 1 << 20

// ProduceOptions are the options of Embedded.Produce.
type ProduceOptions struct {
	Topic string

	// Rate is the number of messages a second; 0: as fast as they are taken.
	Rate float64

	// Acknowledged, if not nil, is called with the place of each record that has
	// been acknowledged, by one goroutine at a time, in the order of offsets
	// within a partition. It must not block.
	Acknowledged func(partition int32, offset int64)
}

// Produce sends all messages of the source to a topic that CreateTopic or
// StartEmbedded made, and returns how many were acknowledged. A message goes to
// the partition it names, else by its key's murmur2 hash, as Kafka's own
// producer does, else to the partitions in turn, from 0. Each carries its own time, or
// that at which it is sent.
//
// Produce stops at the first error: of the source, of a message, with its file
// and line, or of ctx. What was sent before is still waited for.
func (e *Embedded) Produce(ctx context.Context, source Source, options ProduceOptions) (int64, error) {
	e.mu.Lock()
	partitions := e.partitions[options.Topic]
	e.mu.Unlock()
	if partitions == 0 {
		return 0, fmt.Errorf("topic %q has not been created", options.Topic)
	}
	if options.Rate < 0 || math.IsNaN(options.Rate) || math.IsInf(options.Rate, 0) {
		return 0, fmt.Errorf("rate %v: it must be a number of messages a second, or 0 for all at once", options.Rate)
	}
	client, err := e.cluster.client(
		kgo.DefaultProduceTopic(options.Topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(maxRecordBatch),
		kgo.ProducerLinger(0),
	)
	if err != nil {
		return 0, err
	}
	defer client.Close()

	// Records are not cancelled once sent: whether they were taken would be
	// unknown then.
	sending := context.WithoutCancel(ctx)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var acknowledged atomic.Int64
	done := func(place string) func(*kgo.Record, error) {
		return func(record *kgo.Record, err error) {
			if err != nil {
				stop(e.produceError(place, record, err))
				return
			}
			acknowledged.Add(1)
			if options.Acknowledged != nil {
				options.Acknowledged(record.Partition, record.Offset)
			}
		}
	}

	choose := newPartitioner(options.Topic, partitions)
	send := func(message Message) error {
		record := &kgo.Record{Key: message.Key, Value: message.Value, Headers: message.Headers, Timestamp: message.Timestamp}
		partition, err := choose(message, record)
		if err != nil {
			return err
		}
		record.Partition = partition
		if client.BufferedProduceBytes()+int64(len(message.Key)+len(message.Value)) > maxProducing {
			if err := client.Flush(sending); err != nil {
				return err
			}
		}
		client.Produce(sending, record, done(message.place))
		return nil
	}
	err = paced(ctx, options.Rate, func() error {
		message, err := source.Next()
		if err != nil {
			return err
		}
		return send(message)
	})
	if err == io.EOF {
		err = nil
	}
	if flushErr := client.Flush(sending); err == nil {
		err = flushErr
	}
	if cause := context.Cause(ctx); err == nil && cause != nil {
		err = cause // of a record that was sent
	}
	return acknowledged.Load(), err
}

func (e *Embedded) produceError(place string, record *kgo.Record, err error) error {
	if place != "" {
		place += ": "
	}
	if warning := e.logger.lastWarning(); errors.Is(err, kerr.UnknownServerError) && warning != "" {
		return fmt.Errorf("%stopic %s, partition %d: %w: %s", place, record.Topic, record.Partition, err, warning)
	}
	return fmt.Errorf("%stopic %s, partition %d: %w", place, record.Topic, record.Partition, err)
}

// newPartitioner returns a function that chooses partitions.
func newPartitioner(topic string, partitions int) func(Message, *kgo.Record) (int32, error) {
	byKey := kgo.StickyKeyPartitioner(nil).ForTopic(topic) // Kafka's murmur2; used for keys only
	turn := 0
	return func(message Message, record *kgo.Record) (int32, error) {
		switch {
		case message.Partition >= int32(partitions):
			return 0, fmt.Errorf("%s: partition %d: topic %s has the partitions 0 to %d", message.place, message.Partition, topic, partitions-1)
		case message.Partition >= 0:
			return message.Partition, nil
		case message.Key != nil:
			return int32(byKey.Partition(record, partitions)), nil
		}
		turn++
		return int32((turn - 1) % partitions), nil
	}
}

// paced calls step at a rate per second, or without a pause for 0, until it
// fails or ctx ends. A step that comes late does not delay those after it.
func paced(ctx context.Context, rate float64, step func() error) error {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if rate > 0 {
			if wait := time.Until(start.Add(time.Duration(float64(i) / rate * float64(time.Second)))); wait > 0 {
				timer.Reset(wait)
				select {
				case <-timer.C:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
		}
		if err := step(); err != nil {
			return err
		}
	}
}
