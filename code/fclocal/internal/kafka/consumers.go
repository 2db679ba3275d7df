package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
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
	c.topic, c.group = options.Topic, options.Group
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
