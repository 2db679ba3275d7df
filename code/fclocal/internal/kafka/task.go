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

	mu       sync.Mutex
	owned    map[int32]bool
	pending  map[int32]int64 // offsets to be committed
	paused   bool
	kick     chan struct{} // pending is not empty
	flushing sync.Mutex    // one commit at a time
}

func (t *task) join() error {
	session, heartbeat := t.cluster.groupTimeouts()
	reset := kgo.NewOffset().AtStart()
	if t.options.OffsetReset == "latest" {
		reset = kgo.NewOffset().AtEnd()
	}
	var err error
	t.client, err = t.cluster.client(
		kgo.ConsumeTopics(t.options.Topic),
		kgo.ConsumerGroup(t.options.Group),
		kgo.Balancers(kgo.RangeBalancer()),
		kgo.SessionTimeout(session),
		kgo.HeartbeatInterval(heartbeat),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
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
	if err == nil {
		t.client.PauseFetchTopics(t.options.Topic) // until all have joined
	}
	return err
}

// start is told the committed offsets of the task's partitions and says where
// to read from. It settles here what the client would else settle later, so
// that the Position is what will be read.
func (t *task) start(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	log, err := t.bounds(ctx, kadm.NewClient(t.client))
	if err != nil {
		return nil, err
	}
	positions := []Position{}
	for partition, offset := range offsets[t.options.Topic] {
		at, reset := t.resolve(offset.EpochOffset().Offset, log[partition])
		if reset {
			offsets[t.options.Topic][partition] = kgo.NewOffset().At(at)
		}
		positions = append(positions, Position{partition, at, reset})
	}
	slices.SortFunc(positions, func(a, b Position) int { return cmp.Compare(a.Partition, b.Partition) })
	return offsets, t.reportAssigned(ctx, positions)
}

func (t *task) report(u Update) {
	u.Task = t.number
	select {
	case t.updates <- u:
	case <-t.running.Done():
		return
	}
	if u.done != nil {
		select {
		case <-u.done:
		case <-t.running.Done():
		}
	}
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
	if !lost {
		// In vain it would be no failure: the next owner reads the records again.
		ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
		defer cancel()
		if err := t.flush(ctx); err != nil && ctx.Err() == nil {
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
			if fatal == nil && !passing(err) {
				fatal = t.cluster.explain(fmt.Errorf("task %d, topic %q, partition %d: %w", t.number, topic, partition, err))
			}
		})
		if records := fetches.Records(); len(records) > 0 {
			t.report(Update{Kind: Records, Records: records})
		}
		t.client.AllowRebalance()
		if fatal != nil {
			t.report(Update{Kind: Failed, Err: fatal})
		}
	}
}

// passing tells if an error goes away by itself: what the client tries again,
// and what a rebalance brings along.
func passing(err error) bool {
	for _, churn := range []error{
		kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.RebalanceInProgress, kerr.FencedInstanceID,
		context.Canceled,
	} {
		if errors.Is(err, churn) {
			return true
		}
	}
	if kerr.IsRetriable(err) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return true
	}
	if _, ok := errors.AsType[*kerr.Error](err); ok {
		return false
	}
	// The group is entered again, and records that are gone are passed over.
	_, loss := errors.AsType[*kgo.ErrDataLoss](err)
	_, session := errors.AsType[*kgo.ErrGroupSession](err)
	return loss || session
}

func (t *task) commitLoop() {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-t.kick:
		case <-t.running.Done():
			return
		}
		if err := t.flush(t.running); err != nil && t.running.Err() == nil {
			t.report(Update{Kind: Failed, Err: err})
		}
		pause.Reset(commitInterval)
		select {
		case <-pause.C:
		case <-t.running.Done():
			return
		}
	}
}

// flush commits what is pending and waits for it. A commit that comes too late
// in a rebalance is no error: the new owner reads those records again.
func (t *task) flush(ctx context.Context) error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	t.mu.Lock()
	pending := maps.Clone(t.pending)
	clear(t.pending)
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
	if failure == nil {
		return nil
	}
	if ctx.Err() != nil {
		// Not known to be committed: Close tries again.
		t.mu.Lock()
		defer t.mu.Unlock()
		for partition, offset := range pending {
			if _, newer := t.pending[partition]; !newer && t.owned[partition] {
				t.pending[partition] = offset
			}
		}
	}
	if passing(failure) && ctx.Err() == nil {
		return nil
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
