package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A task is a consumer of the event stream: a member of the group.
type task struct {
	*Consumers
	number int
	client *kgo.Client
	resume chan struct{} // closed while the task is not paused

	// reporting is held while Assigned or Revoked is being handed over, so that
	// none of the two overtakes the other.
	reporting sync.Mutex
	assigned  bool // guarded by reporting

	mu         sync.Mutex
	owned      map[int32]bool
	pending    map[int32]int64 // offsets to be committed
	committing bool            // others, at the moment
	paused     bool
	kick       chan struct{} // pending is not empty
	flushing   sync.Mutex    // one commit at a time
	unreported error         // of a commit, when no updates were taken any more
}

func (t *task) join() error {
	session, heartbeat := t.groupTimeouts()
	reset := kgo.NewOffset().AtStart()
	if t.options.OffsetReset == "latest" {
		reset = kgo.NewOffset().AtEnd()
	}
	isolation := kgo.ReadCommitted()
	if t.options.ReadUncommitted {
		isolation = kgo.ReadUncommitted()
	}
	var err error
	t.client, err = t.cluster.client(
		kgo.ConsumeTopics(t.options.Topic),
		kgo.ConsumerGroup(t.options.Group),
		kgo.Balancers(kgo.RangeBalancer()),
		kgo.SessionTimeout(session),
		kgo.HeartbeatInterval(heartbeat),
		kgo.FetchIsolationLevel(isolation),
		kgo.MetadataMaxAge(metadataMaxAge),
		kgo.ConsumeResetOffset(reset),
		kgo.FetchMaxBytes(1<<20),
		kgo.FetchMaxPartitionBytes(1<<20),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(), // records that are being handed over are not overtaken by Revoked
		kgo.OnPartitionsAssigned(func(ctx context.Context, client *kgo.Client, partitions map[string][]int32) {
			<-t.complete
			if len(partitions) == 0 {
				t.reportAssigned(ctx, nil)
			}
			_, generation := client.GroupMetadata()
			t.joined(t.number, generation)
		}),
		kgo.AdjustFetchOffsetsFn(t.start),
		kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client, _ map[string][]int32) { t.reportRevoked(ctx, false) }),
		kgo.OnPartitionsLost(func(ctx context.Context, _ *kgo.Client, _ map[string][]int32) { t.reportRevoked(ctx, true) }),
	)
	return err
}

// start is told the committed offsets of the task's partitions and says where
// to read from. It settles here what the client would else settle later, so
// that the Position is what will be read.
func (t *task) start(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	topic, err := t.cluster.look(ctx, kadm.NewClient(t.client), t.options.Topic, t.options.ReadUncommitted)
	if err != nil {
		return nil, err
	}
	positions := []Position{}
	for partition, offset := range offsets[t.options.Topic] {
		position, err := t.resolve(partition, offset.EpochOffset().Offset, topic.Partitions[partition])
		if err != nil {
			t.fail(err)
			return nil, err
		}
		if position.Reset {
			offsets[t.options.Topic][partition] = kgo.NewOffset().At(position.Offset)
		}
		positions = append(positions, position)
	}
	slices.SortFunc(positions, func(a, b Position) int { return cmp.Compare(a.Partition, b.Partition) })
	return offsets, t.reportAssigned(ctx, positions)
}

// report hands an update over. It is false if nobody takes it any more.
func (t *task) report(u Update) bool {
	u.Task = t.number
	select {
	case t.updates <- u:
	case <-t.running.Done():
		return false
	}
	if u.done != nil {
		select {
		case <-u.done:
		case <-t.running.Done():
		}
	}
	return true
}

func (t *task) reportAssigned(ctx context.Context, positions []Position) error {
	t.reporting.Lock()
	defer t.reporting.Unlock()
	if err := ctx.Err(); err != nil { // the next rebalance has begun, which has nothing to revoke then
		return err
	}
	t.mu.Lock()
	t.owned, t.pending = make(map[int32]bool), make(map[int32]int64)
	for _, p := range positions {
		t.owned[p.Partition] = true
	}
	t.mu.Unlock()
	t.assigned = true
	t.Consumers.mu.Lock()
	for _, p := range positions {
		t.begun[p.Partition] = true
	}
	t.Consumers.mu.Unlock()
	t.well(t.name())
	t.report(Update{Kind: Assigned, Partitions: positions})
	return nil
}

func (t *task) reportRevoked(ctx context.Context, lost bool) {
	<-t.complete
	t.reporting.Lock()
	defer t.reporting.Unlock()
	if !t.assigned {
		return
	}
	t.assigned = false
	t.report(Update{Kind: Revoked, Lost: lost, done: make(chan struct{})})
	if !lost && t.running.Err() == nil { // else Close has done it
		// In vain it would be no failure: the next owner reads the records again.
		ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
		defer cancel()
		if err := t.flush(ctx); err != nil && !passing(err) {
			t.report(Update{Kind: Failed, Err: err})
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.owned)
	clear(t.pending)
}

func (t *task) poll() {
	for {
		t.mu.Lock()
		resume := t.resume
		t.mu.Unlock()
		select {
		case <-resume:
		case <-t.running.Done():
			return
		}
		fetches := t.client.PollRecords(t.running, t.options.MaxRecords)
		if t.running.Err() != nil {
			t.client.AllowRebalance()
			return
		}
		var fatal error
		fetches.EachError(func(topic string, partition int32, err error) {
			_, session := errors.AsType[*kgo.ErrGroupSession](err)
			loss, lost := errors.AsType[*kgo.ErrDataLoss](err)
			switch {
			case lost:
				t.report(Update{Kind: Noticed, Text: fmt.Sprintf("the cluster has lost records of partition %d: it was read up to offset %d, and is read from %d", partition, loss.ConsumedTo, loss.ResetTo)})
			case fatal == nil && !passing(err):
				fatal = t.cluster.explain(fmt.Errorf("task %d, topic %q, partition %d: %w", t.number, topic, partition, err))
			case session && !churn(err):
				t.trouble(t.name(), err)
			}
		})
		starts := map[int32]int64{}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if len(p.Records) > 0 {
				starts[p.Partition] = p.LogStartOffset
			}
		})
		if records := fetches.Records(); len(records) > 0 {
			t.report(Update{Kind: Records, Records: records, Starts: starts})
		}
		t.client.AllowRebalance()
		if fatal != nil {
			t.report(Update{Kind: Failed, Err: fatal})
		}
	}
}

func (t *task) name() string { return fmt.Sprintf("task %d", t.number) }

// retryInterval is the time between two tries of a commit that fails.
const retryInterval = 500 * time.Millisecond

func (t *task) commitLoop() {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-t.kick:
		case <-t.running.Done():
			return
		}
		wait := commitInterval
		err := t.flush(t.running)
		switch {
		case err != nil && !passing(err):
			if !t.report(Update{Kind: Failed, Err: err}) {
				t.unreported = err
				return
			}
		case t.running.Err() != nil:
			return
		case err == nil:
			t.well(t.name())
		default:
			if !churn(err) {
				t.trouble(t.name(), err)
			}
			wait = retryInterval
			t.kickAgain()
		}
		pause.Reset(wait)
		select {
		case <-pause.C:
		case <-t.running.Done():
			return
		}
	}
}

func (t *task) kickAgain() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// close commits what is left, leaves the group and closes the client.
func (t *task) close(ctx context.Context) error {
	err := errors.Join(t.unreported, t.commitRest(ctx))
	// A member that cannot say so is missed all the same.
	if leaveErr := t.client.LeaveGroupContext(ctx); leaveErr != nil && !passing(leaveErr) {
		err = errors.Join(err, t.cluster.explain(fmt.Errorf("task %d: leave group %q: %w", t.number, t.options.Group, leaveErr)))
	}
	t.client.CloseAllowingRebalance()
	return err
}

// uncommitted reports whether something is left to be committed.
func (t *task) uncommitted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.committing || len(t.pending) > 0
}

// commitRest commits what is pending, before the group is left. What comes too late,
// as the group has let the partitions go, is no error: their new owner reads those
// records again.
func (t *task) commitRest(ctx context.Context) error {
	for {
		err := t.flush(ctx)
		if err == nil || churn(err) && ctx.Err() == nil {
			return nil
		}
		if !passing(err) {
			return err
		}
		select {
		case <-time.After(retryInterval):
		case <-ctx.Done():
			return t.notCommitted(err)
		}
	}
}

// flush commits what is pending and waits for it. What can be tried again stays
// pending, unless the partition is no longer the task's.
func (t *task) flush(ctx context.Context) error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	t.mu.Lock()
	pending := maps.Clone(t.pending)
	clear(t.pending)
	t.committing = len(pending) > 0
	t.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	offsets := make(map[int32]kgo.EpochOffset)
	for partition, offset := range pending {
		offsets[partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	var failure error
	t.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{t.options.Topic: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
			failure = t.commitError(pending, response, err)
		})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.committing = false
	if failure == nil {
		t.Consumers.mu.Lock()
		maps.Copy(t.confirmed, pending)
		t.Consumers.mu.Unlock()
	}
	if failure == nil || !passing(failure) {
		return failure
	}
	for partition, offset := range pending {
		if _, newer := t.pending[partition]; !newer && t.owned[partition] {
			t.pending[partition] = offset
		}
	}
	return failure
}

func (t *task) commitError(pending map[int32]int64, response *kmsg.OffsetCommitResponse, err error) error {
	if err != nil {
		return t.cluster.explain(fmt.Errorf("task %d: commit for group %q: %w", t.number, t.options.Group, err))
	}
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return t.cluster.explain(fmt.Errorf("task %d: commit offset %d of topic %q, partition %d for group %q: %w",
					t.number, pending[p.Partition], t.options.Topic, p.Partition, t.options.Group, err))
			}
		}
	}
	return nil
}
