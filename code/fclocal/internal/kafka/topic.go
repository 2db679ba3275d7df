package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// A Topic is what a look at a topic has found.
type Topic struct {
	Asked      time.Time // before the cluster was asked: what it had acknowledged by then is below the ends
	Partitions map[int32]Bounds

	id kadm.TopicID // zero if the cluster is older than these
}

// Ends are, for each partition, the offset that the next record will get.
func (t Topic) Ends() map[int32]int64 {
	ends := map[int32]int64{}
	for id, b := range t.Partitions {
		ends[id] = b.End
	}
	return ends
}

// Bounds are those of a partition's log.
type Bounds struct {
	Start int64 // the first offset that is not deleted

	// Stable is after the last record that can be read: with transactions that are
	// still open, and if only committed ones are read, before End.
	Stable int64

	End int64 // after the last record: the high watermark
}

// look asks for the bounds of all partitions.
func (c Cluster) look(ctx context.Context, admin *kadm.Client, name string, uncommitted bool) (Topic, error) {
	topic := Topic{Asked: time.Now(), Partitions: map[int32]Bounds{}}
	details, err := admin.ListTopics(ctx, name)
	if err == nil {
		err = details[name].Err
	}
	var starts, stables, ends kadm.ListedOffsets
	list := func(into *kadm.ListedOffsets, ask func(context.Context, ...string) (kadm.ListedOffsets, error)) {
		if err == nil {
			*into, err = ask(ctx, name)
		}
		if err == nil {
			err = into.Error()
		}
	}
	list(&starts, admin.ListStartOffsets)
	list(&ends, admin.ListEndOffsets)
	list(&stables, admin.ListCommittedOffsets) // the last: only a transaction keeps it below an end of before
	if err != nil {
		return Topic{}, fmt.Errorf("topic %q: %w", name, err)
	}
	topic.id = details[name].ID
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(name, end.Partition)
		stable, _ := stables.Lookup(name, end.Partition)
		b := Bounds{Start: start.Offset, Stable: stable.Offset, End: max(end.Offset, stable.Offset)}
		if uncommitted {
			b.Stable = b.End
		}
		topic.Partitions[end.Partition] = b
	})
	return topic, nil
}

// Look asks for the topic's bounds. With uncommitted, records of transactions that
// are still open can be read.
func (c Cluster) Look(ctx context.Context, topic string, uncommitted bool) (Topic, error) {
	client, err := c.client()
	if err != nil {
		return Topic{}, err
	}
	defer client.Close()
	looked, err := c.look(ctx, kadm.NewClient(client), topic, uncommitted)
	if err != nil {
		err = c.explain(err)
	}
	return looked, err
}

// Look asks for the topic's bounds now.
func (c *Consumers) Look(ctx context.Context) (Topic, error) {
	return c.cluster.look(ctx, c.admin, c.options.Topic, c.options.ReadUncommitted)
}

// Gap returns the offset, from and to at most, before which a partition holds no
// record that can be read: there are markers of transactions, records of aborted
// ones, and what is compacted. What is below start has been deleted.
func (c *Consumers) Gap(ctx context.Context, partition int32, from, to int64) (next, start int64, err error) {
	ctx, stop := context.WithTimeout(ctx, lookTimeout)
	defer stop()
	details, err := c.admin.ListTopics(ctx, c.options.Topic)
	if err != nil {
		return from, 0, err
	}
	topic := details[c.options.Topic]
	for next = from; next < to; {
		records, after, begins, err := fetch(ctx, c.watcher, topic, partition, next, 1<<20, c.options.ReadUncommitted)
		if err != nil {
			return from, 0, err
		}
		start = max(start, begins)
		switch {
		case len(records) > 0:
			return min(records[0].Offset, to), start, nil
		case after > next:
			next = min(after, to)
		default: // the log ends with what is compacted
			next = to
		}
	}
	return next, start, nil
}

// Committed returns the offsets that the group has committed, at which it goes on: none
// while there is no such group yet.
func (c *Consumers) Committed(ctx context.Context) (map[int32]int64, error) {
	fetched, err := c.admin.FetchOffsets(ctx, c.options.Group)
	if err == nil {
		err = fetched.Error()
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, c.cluster.explain(fmt.Errorf("offsets of group %q: %w", c.options.Group, err))
	}
	committed := map[int32]int64{}
	for partition, offset := range fetched[c.options.Topic] {
		committed[partition] = offset.At
	}
	return committed, nil
}
