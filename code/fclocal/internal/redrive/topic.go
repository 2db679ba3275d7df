package redrive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/deadletter"
	"fclocal/internal/failure"
	"fclocal/internal/kafka"
	"fclocal/internal/result"
	"fclocal/internal/units"
)

// A Topic is one that dead letters have gone to: a queue of EventBridge's may be a
// topic of ApsaraMQ for Kafka (documented). That the value of a record is an event as
// JSON, or an array of a batch's events, is inferred.
type Topic struct {
	Cluster kafka.Cluster
	Name    string

	Group   string        // that remembers what has been taken
	Foreign bool          // the group is not fclocal's own: it is not set back
	Timeout time.Duration // how long the cluster may be away

	RawData     bool // eventSchema: an event may be a message without an envelope
	SkipInvalid bool // records that are no dead letters are passed over
}

const (
	// closeTimeout is how long the end waits for the cluster to take what is committed.
	closeTimeout = 10 * time.Second

	// formingQuietly is how long the group may take to form before that is told.
	formingQuietly = 5 * time.Second

	// skippedShown is how many records that are no dead letters are told one by one.
	skippedShown = 10
)

// Check finds out whether the cluster can be reached and has the topic.
func (t Topic) Check(ctx context.Context) error {
	_, err := t.Cluster.Partitions(ctx, t.Name)
	return err
}

// take adds the letters that are in the topic now, and that the group has not had, to
// a file, and commits an offset once the letters below it are on the disk. So a kill at
// any moment loses none, and none is twice in the file. It counts what it has done until
// an error, too.
func (o Options) take(ctx context.Context, file *deadletter.File, total *result.Redrive) error {
	total.Topic = o.Topic.Name
	topic, err := o.Topic.Cluster.Look(ctx, o.Topic.Name, false)
	if err != nil {
		return failure.Of(err)
	}
	consumers, err := o.Topic.Cluster.Consume(kafka.ConsumerOptions{
		Topic: o.Topic.Name, Group: o.Topic.Group, Tasks: 1, OffsetReset: "earliest", Foreign: o.Topic.Foreign, BrokerTimeout: o.Topic.Timeout,
	})
	if err != nil {
		return failure.Of(err)
	}
	k := taking{Options: o, file: file, total: total, consumers: consumers, ends: map[int32]int64{}}
	for id, b := range topic.Partitions {
		k.ends[id] = b.Stable
		if b.Stable < b.End {
			k.notice("partition %d: the %s offsets from %d on are held back by a transaction that is still open", id, units.Count(b.End-b.Stable), b.Stable)
		}
	}
	err = k.run(ctx)
	closing, stop := context.WithTimeout(ctx, closeTimeout)
	defer stop()
	return failure.Of(errors.Join(err, consumers.Close(closing)))
}

// A taking is the reading of a topic.
type taking struct {
	Options
	file      *deadletter.File
	total     *result.Redrive
	consumers *kafka.Consumers
	ends      map[int32]int64 // of the partitions, as of the start
	position  map[int32]int64 // of those that are this reader's; nil while that is not known
	lookedAt  map[int32]int64 // position at the last look
}

func (k *taking) notice(format string, arguments ...any) {
	if k.Notice != nil {
		k.Notice(fmt.Sprintf(format, arguments...))
	}
}

func (k *taking) run(ctx context.Context) error {
	forming := time.NewTimer(formingQuietly)
	defer forming.Stop()
	for !k.over() {
		var err error
		select {
		case update := <-k.consumers.Updates():
			err = k.handle(ctx, update)
			update.Done()
		case <-forming.C:
			if k.position == nil {
				k.notice("waiting for group %q: a member that has gone without a word, as a redrive that was killed, is given up after %v", k.Topic.Group, k.consumers.SessionTimeout())
			}
		case <-k.Drain:
			err = errors.New("interrupted")
		case <-ctx.Done():
			err = errors.New("interrupted")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// over says whether all that was in the topic at the start, in this reader's
// partitions, has been taken.
func (k *taking) over() bool {
	for id, position := range k.position {
		if position < k.ends[id] {
			return false
		}
	}
	return k.position != nil
}

func (k *taking) handle(ctx context.Context, u kafka.Update) error {
	switch u.Kind {
	case kafka.Assigned:
		k.position, k.lookedAt = map[int32]int64{}, map[int32]int64{}
		for _, at := range u.Partitions {
			k.position[at.Partition] = at.Offset - at.Lost
			k.pass(at.Partition, at.Offset, at.Offset)
		}
		if others := len(k.ends) - len(k.position); others > 0 {
			k.notice("group %q has another member, such as a redrive of the same topic: %d of %d partitions are its", k.Topic.Group, others, len(k.ends))
		}
	case kafka.Revoked:
		k.position = nil
	case kafka.Records:
		return k.take(u)
	case kafka.Looked:
		k.passGaps(ctx)
	case kafka.Away:
		k.notice("the Kafka cluster is away: reconnecting, for %v at most", k.Topic.Timeout)
	case kafka.Back:
		k.notice("the Kafka cluster is connected again")
	case kafka.Noticed:
		k.notice("%s", u.Text)
	case kafka.Failed:
		return u.Err
	}
	return nil
}

// take adds the letters of records to the file.
func (k *taking) take(u kafka.Update) (err error) {
	var letters []deadletter.Letter
	next := map[int32]int64{}
	for _, r := range u.Records {
		if _, own := k.position[r.Partition]; !own || r.Offset >= k.ends[r.Partition] { // it has come since the start
			continue
		}
		these, invalid := k.Topic.letters(r)
		if invalid != nil && !k.Topic.SkipInvalid {
			err = fmt.Errorf("%w; --skip-invalid passes such records over", invalid)
			break // those before it are taken
		}
		if invalid != nil {
			if k.total.Skipped++; k.total.Skipped <= skippedShown {
				k.notice("passed over: %v", invalid)
			}
		}
		k.pass(r.Partition, r.Offset, u.Starts[r.Partition])
		letters = append(letters, these...)
		next[r.Partition] = r.Offset + 1
		k.position[r.Partition] = r.Offset + 1
	}
	added, writing := k.file.Add(letters...)
	if writing != nil {
		return fmt.Errorf("dead letters cannot be written: %w", writing)
	}
	k.total.Taken += added
	k.consumers.Commit(u.Task, next)
	if k.Progress != nil {
		k.Progress(result.State{Produced: int64(k.file.Len())})
	}
	return err
}

// passGaps passes what is no record, such as markers of transactions, where no record
// has come since the last look.
func (k *taking) passGaps(ctx context.Context) {
	next := map[int32]int64{}
	for id, position := range k.position {
		last, looked := k.lookedAt[id]
		k.lookedAt[id] = position
		if !looked || position != last || position >= k.ends[id] {
			continue
		}
		to, start, err := k.consumers.Gap(ctx, id, position, k.ends[id])
		if err != nil || to <= position {
			continue // until the next look
		}
		k.pass(id, to, start)
		next[id] = to
	}
	k.consumers.Commit(0, next)
}

// pass goes on to an offset: there is nothing before it, and what is below start has
// been deleted.
func (k *taking) pass(id int32, to, start int64) {
	if deleted := min(to, start); deleted > k.position[id] {
		k.notice("partition %d: the offsets %d to %d were deleted before they were taken", id, k.position[id], deleted-1)
	}
	k.position[id] = to
}

// letters are those of a record.
func (t Topic) letters(r *kgo.Record) ([]deadletter.Letter, error) {
	events, err := t.events(r.Value)
	if err != nil {
		return nil, fmt.Errorf("topic %q, partition %d, offset %d: no dead letter, which is an event as JSON or an array of them: %w", t.Name, r.Partition, r.Offset, err)
	}
	letters := make([]deadletter.Letter, len(events))
	for i, event := range events {
		source := deadletter.Source{Topic: t.Name, Partition: r.Partition, Offset: r.Offset, Index: i}
		letters[i] = deadletter.Letter{Source: &source, Event: event, Time: r.Timestamp.UTC()}
	}
	return letters, nil
}

// events are those of a record's value, without the blanks between their parts.
func (t Topic) events(value []byte) (events []json.RawMessage, err error) {
	if len(value) == 0 {
		return nil, errors.New("it has no value")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil {
		return nil, err
	}
	if value = compact.Bytes(); value[0] == '[' {
		if err := json.Unmarshal(value, &events); err != nil {
			return nil, err
		}
	} else {
		events = []json.RawMessage{value}
	}
	if len(events) == 0 {
		return nil, errors.New("it is an empty array")
	}
	for _, event := range events {
		if err := t.checkEvent(event); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// checkEvent finds what is no event, be it an object or, as until February 2023, a
// string that holds one.
func (t Topic) checkEvent(event json.RawMessage) error {
	var text string
	if json.Unmarshal(event, &text) == nil {
		event = json.RawMessage(text)
	}
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(event, &attributes); err != nil || attributes == nil {
		return errors.New("it is no JSON object")
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if attributes[name] == nil {
				return false
			}
		}
		return true
	}
	if !has("specversion") && !(t.RawData && has("topic", "partition", "offset")) {
		return errors.New("it has no specversion, as all CloudEvents have")
	}
	return nil
}
