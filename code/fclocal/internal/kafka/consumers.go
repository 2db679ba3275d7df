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

// commitInterval is the least time between two commits of a task. Offsets that
// come meanwhile go with the next one.
const commitInterval = 100 * time.Millisecond

// revokeTimeout is how long a rebalance waits for the last commit of a task.
const revokeTimeout = 5 * time.Second

// ConsumerOptions are the options of Consume.
type ConsumerOptions struct {
	Topic string
	Group string
	Tasks int // members of the group, 1 or more

	// OffsetReset is where a partition starts that has no committed offset, or
	// one that is out of range: earliest or latest.
	OffsetReset string

	MaxRecords int // in one Update; 0: 500
}

// Consumers are the tasks of an event stream: members of one consumer group,
// each a client of its own. Partitions are shared by Kafka's range assignor,
// which Java consumers in the same group understand, so the tasks' shares
// differ by one at most. The first records come when all tasks have joined. A
// rebalance takes all partitions from all tasks and assigns them anew.
// Transactions that were not committed are not read.
type Consumers struct {
	cluster Cluster
	options ConsumerOptions
	updates chan Update
	tasks   []*task

	running context.Context // until Close
	stop    context.CancelFunc
	loops   sync.WaitGroup

	complete chan struct{} // closed when tasks is; the clients' callbacks wait for it

	mu          sync.Mutex
	generations map[int]int32 // of the group, as of each task; nil after all were the same
}

// An UpdateKind says what an Update tells of.
type UpdateKind int

// The kinds of updates.
const (
	// Assigned: the task now has these partitions; with none it is idle. It had
	// none before.
	Assigned UpdateKind = iota + 1

	// Revoked: the task has no partitions any more. Its records that are not
	// finished are to be dropped; they are delivered again to the next owner.
	// The rebalance waits for Update.Done.
	Revoked

	// Records: records of the task's partitions, in order of offsets within a
	// partition.
	Records

	// Failed: the task cannot go on; Err says why.
	Failed
)

// An Update is something that happened to a task.
type Update struct {
	Task       int // 0 to ConsumerOptions.Tasks-1
	Kind       UpdateKind
	Partitions []Position // Assigned
	Records    []*kgo.Record
	Err        error // Failed

	// Lost is set with Revoked if the group has already given the partitions to
	// others: what is committed now is in vain.
	Lost bool

	done chan struct{}
}

// Done must be called for a Revoked update, after Commit for what is finished.
// It does nothing for others.
func (u Update) Done() {
	if u.done != nil {
		close(u.done)
	}
}

// A Position is where a partition is read from.
type Position struct {
	Partition int32
	Offset    int64
	// Reset is set if Offset is not the committed one but due to OffsetReset.
	Reset bool
}

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

// Consume joins the group with all tasks. It returns at once; what happens
// comes from Updates.
func (c Cluster) Consume(options ConsumerOptions) (*Consumers, error) {
	if options.Tasks < 1 {
		return nil, fmt.Errorf("%d tasks: it must be 1 or more", options.Tasks)
	}
	if options.OffsetReset != "earliest" && options.OffsetReset != "latest" {
		return nil, fmt.Errorf("OffsetReset %q: it must be earliest or latest", options.OffsetReset)
	}
	if options.MaxRecords == 0 {
		options.MaxRecords = 500
	}
	running, stop := context.WithCancel(context.Background())
	consumers := &Consumers{
		cluster: c, options: options, updates: make(chan Update),
		running: running, stop: stop, complete: make(chan struct{}), generations: make(map[int]int32),
	}
	defer close(consumers.complete)
	for number := range options.Tasks {
		t := &task{Consumers: consumers, number: number, resume: make(chan struct{}), kick: make(chan struct{}, 1)}
		close(t.resume)
		if err := t.join(); err != nil {
			left, leave := context.WithCancel(context.Background())
			leave() // nothing was read: the group need not be left in order
			consumers.Close(left)
			return nil, err
		}
		consumers.tasks = append(consumers.tasks, t)
	}
	for _, t := range consumers.tasks {
		consumers.loops.Go(t.poll)
		consumers.loops.Go(t.commitLoop)
	}
	return consumers, nil
}

// Updates yields what happens to the tasks. It must be received from without
// delay until Close, as a rebalance waits for it; against too many records there
// is Pause.
func (c *Consumers) Updates() <-chan Update { return c.updates }

// Pause stops the Records of a task, after at most one more of them. What has been
// fetched ahead is bounded: about a megabyte a task and broker, whatever the backlog.
func (c *Consumers) Pause(task int) {
	t := c.tasks[task]
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.paused {
		t.paused, t.resume = true, make(chan struct{})
	}
}

// Resume undoes Pause.
func (c *Consumers) Resume(task int) {
	t := c.tasks[task]
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.paused {
		t.paused = false
		close(t.resume)
	}
}

// Commit has offsets committed on behalf of a task: for each partition the one
// to go on at. It does not wait: they go in the background, all of them at the
// latest before a Revoked update's Done or Close lets the partitions go. Offsets
// of partitions that the task does not own are left out, as their new owner
// commits. An error comes as a Failed update or from Close.
func (c *Consumers) Commit(task int, next map[int32]int64) {
	t := c.tasks[task]
	t.mu.Lock()
	defer t.mu.Unlock()
	for partition, offset := range next {
		if t.owned[partition] {
			t.pending[partition] = offset
		}
	}
	if len(t.pending) > 0 {
		select {
		case t.kick <- struct{}{}:
		default:
		}
	}
}

// bounds are the first offset of a partition and the one after its last.
type bounds struct{ start, end int64 }

func (c *Consumers) bounds(ctx context.Context, admin *kadm.Client) (map[int32]bounds, error) {
	starts, err := admin.ListStartOffsets(ctx, c.options.Topic)
	if err == nil {
		err = starts.Error()
	}
	var ends kadm.ListedOffsets
	if err == nil {
		ends, err = admin.ListCommittedOffsets(ctx, c.options.Topic)
	}
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, c.cluster.explain(fmt.Errorf("topic %q: %w", c.options.Topic, err))
	}
	found := make(map[int32]bounds)
	starts.Each(func(start kadm.ListedOffset) {
		end, _ := ends.Lookup(start.Topic, start.Partition)
		found[start.Partition] = bounds{start.Offset, end.Offset}
	})
	return found, nil
}

// resolve returns the offset to read from, and if it is due to OffsetReset.
func (c *Consumers) resolve(committed int64, b bounds) (offset int64, reset bool) {
	switch {
	case committed >= b.start && committed <= b.end:
		return committed, false
	case c.options.OffsetReset == "latest":
		return b.end, true
	}
	return b.start, true
}

// Close commits what is left to commit, leaves the group with all tasks and
// closes their clients. It gives up waiting for the cluster when ctx ends. No
// update comes any more.
func (c *Consumers) Close(ctx context.Context) error {
	c.stop()
	c.loops.Wait()
	errs := make([]error, len(c.tasks))
	var wait sync.WaitGroup
	for i, t := range c.tasks {
		wait.Go(func() {
			errs[i] = t.flush(ctx)
			if err := t.client.LeaveGroupContext(ctx); err != nil {
				err = fmt.Errorf("task %d: leave group %q: %w", t.number, c.options.Group, err)
				errs[i] = errors.Join(errs[i], c.cluster.explain(err))
			}
			t.client.CloseAllowingRebalance()
		})
	}
	wait.Wait()
	return errors.Join(errs...)
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

// joined starts the records when all tasks are in the same generation of the
// group, that is, when no rebalance among them is under way. A task that read
// before would read what is soon another's.
func (c *Consumers) joined(task int, generation int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generations == nil {
		return
	}
	c.generations[task] = generation
	if len(c.generations) < c.options.Tasks {
		return
	}
	for _, other := range c.generations {
		if other != generation {
			return
		}
	}
	c.generations = nil
	for _, t := range c.tasks {
		t.client.ResumeFetchTopics(c.options.Topic)
	}
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
