package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetch reads records of a partition without a group: those from an offset on that come
// with so many bytes, which may be none. next is the offset to go on at, and from if
// nothing is there; start is where the partition's log begins.
func fetch(ctx context.Context, client *kgo.Client, topic kadm.TopicDetail, partition int32, from int64, bytes int32, uncommitted bool) (records []*kgo.Record, next, start int64, err error) {
	leader, known := topic.Partitions[partition]
	if topic.Err != nil || !known || leader.Err != nil {
		return nil, from, 0, errors.Join(topic.Err, leader.Err, kerr.LeaderNotAvailable)
	}
	level := kgo.ReadCommitted()
	request := kmsg.NewPtrFetchRequest()
	request.MaxBytes = bytes
	request.IsolationLevel = 1
	if uncommitted {
		level, request.IsolationLevel = kgo.ReadUncommitted(), 0
	}
	asked := kmsg.NewFetchRequestTopicPartition()
	asked.Partition, asked.PartitionMaxBytes, asked.CurrentLeaderEpoch, asked.FetchOffset = partition, bytes, -1, from
	request.Topics = []kmsg.FetchRequestTopic{{Topic: topic.Topic, TopicID: topic.ID, Partitions: []kmsg.FetchRequestTopicPartition{asked}}}
	answer, err := client.Broker(int(leader.Leader)).RetriableRequest(ctx, request)
	if err != nil {
		return nil, from, 0, err
	}
	response := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return nil, from, 0, err
	}
	if len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return nil, from, 0, fmt.Errorf("a fetch of topic %q, partition %d was answered without it", topic.Topic, partition)
	}
	part := &response.Topics[0].Partitions[0]
	if part.ErrorCode == kerr.OffsetOutOfRange.Code && from < part.LogStartOffset {
		return nil, part.LogStartOffset, part.LogStartOffset, nil
	}
	if err := kerr.ErrorForCode(part.ErrorCode); err != nil {
		return nil, from, 0, err
	}
	fetched, after := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: from, IsolationLevel: level, Topic: topic.Topic, Partition: partition,
	}, part, kgo.DefaultDecompressor(), nil)
	return fetched.Records, max(after, from), part.LogStartOffset, fetched.Err
}

// ReadOptions are the options of Read.
type ReadOptions struct {
	Topic string

	// From and To bound the time of the records: from the first one on that is not before
	// From, up to the first that is not before To. Zero: as far as there are any when it
	// begins.
	From, To time.Time

	BrokerTimeout time.Duration // how long the cluster may be away; 0: DefaultBrokerTimeout

	Progress func(read, of int64) // may be nil; offsets
}

const (
	readBytes   = 4 << 20          // of a fetch; a larger record comes alone
	readAtOnce  = 4                // partitions
	readTimeout = 10 * time.Second // of a fetch
)

// Read reads what has been committed to a topic, once and without a group: nothing is
// written to the cluster. take gets the records of a partition in their order, those of
// several partitions side by side; an error of it ends that.
func (c Cluster) Read(ctx context.Context, o ReadOptions, take func([]*kgo.Record) error) error {
	c.topic = o.Topic
	if o.BrokerTimeout == 0 {
		o.BrokerTimeout = DefaultBrokerTimeout
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	defer client.Close()
	starts, ends, err := c.between(ctx, kadm.NewClient(client), o)
	if err != nil {
		return c.explain(err)
	}
	var read atomic.Int64
	of := int64(0)
	for id, end := range ends {
		of += max(end-starts[id], 0)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	places := make(chan struct{}, readAtOnce)
	var reading sync.WaitGroup
	for id, end := range ends {
		reading.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			err := c.readPartition(ctx, client, o, id, starts[id], end, take, func(offsets int64) {
				done := read.Add(offsets)
				if o.Progress != nil {
					o.Progress(done, of)
				}
			})
			if err != nil {
				stop(err)
			}
		})
	}
	reading.Wait()
	return context.Cause(ctx)
}

// between are the offsets that the options are about.
func (c Cluster) between(ctx context.Context, admin *kadm.Client, o ReadOptions) (starts, ends map[int32]int64, err error) {
	topic, err := c.look(ctx, admin, o.Topic, false)
	if err != nil {
		return nil, nil, err
	}
	starts, ends = map[int32]int64{}, map[int32]int64{}
	for id, b := range topic.Partitions {
		starts[id], ends[id] = b.Start, b.Stable
	}
	for _, bound := range []struct {
		at     time.Time
		offset map[int32]int64
	}{{o.From, starts}, {o.To, ends}} {
		if bound.at.IsZero() {
			continue
		}
		listed, err := admin.ListOffsetsAfterMilli(ctx, bound.at.UnixMilli(), o.Topic)
		if err == nil {
			err = listed.Error()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("topic %q: %w", o.Topic, err)
		}
		listed.Each(func(at kadm.ListedOffset) {
			if end, known := ends[at.Partition]; known {
				bound.offset[at.Partition] = min(at.Offset, end)
			}
		})
	}
	return starts, ends, nil
}

// readPartition reads a partition from an offset up to another, and waits for a cluster
// that is away.
func (c Cluster) readPartition(ctx context.Context, client *kgo.Client, o ReadOptions, id int32, from, to int64, take func([]*kgo.Record) error, passed func(offsets int64)) error {
	admin := kadm.NewClient(client)
	var topic kadm.TopicDetail
	last := time.Now() // that something worked
	for try := 0; from < to; {
		asking, stop := context.WithTimeout(ctx, readTimeout)
		var err error
		if topic.Topic == "" {
			var details kadm.TopicDetails
			details, err = admin.ListTopics(asking, o.Topic)
			topic = details[o.Topic]
		}
		var records []*kgo.Record
		next := from
		if err == nil {
			records, next, _, err = fetch(asking, client, topic, id, from, readBytes, false)
		}
		stop()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !passing(err):
			return c.explain(fmt.Errorf("topic %q, partition %d: %w", o.Topic, id, err))
		case err != nil && time.Since(last) >= o.BrokerTimeout:
			return c.explain(fmt.Errorf("waited %v for topic %q, partition %d (--broker-timeout): %w", o.BrokerTimeout, o.Topic, id, err))
		case err != nil:
			topic = kadm.TopicDetail{} // it may have another leader
			try++
			select {
			case <-time.After(retryBackoff(try)):
			case <-ctx.Done():
			}
			continue
		}
		try, last = 0, time.Now()
		if next == from { // the log ends with what is compacted
			next = to
		}
		for len(records) > 0 && records[len(records)-1].Offset >= to {
			records = records[:len(records)-1]
		}
		if err := take(records); err != nil {
			return err
		}
		passed(min(next, to) - from)
		from = next
	}
	return nil
}
