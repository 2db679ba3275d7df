package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

	// From is where partitions begin in this run, whatever is committed; nil if that
	// counts.
	From map[int32]int64

	// Foreign says that the group is not one of fclocal's own: it is not set back, and
	// members get Kafka's default timeouts, so that none is lost without need.
	Foreign bool

	// ReadUncommitted reads records of transactions that are open or were aborted, too.
	ReadUncommitted bool

	// BrokerTimeout is how long the cluster, or the group's coordinator, may be away
	// until Failed comes; 0: DefaultBrokerTimeout.
	BrokerTimeout time.Duration

	MaxRecords int // in one Update; 0: 500
}

// SessionTimeout is how long the group waits for a member that does not answer, as
// after kill -9.
func (o ConsumerOptions) SessionTimeout() time.Duration {
	if o.Foreign {
		return 45 * time.Second // Kafka's default
	}
	return 6 * time.Second // the least that brokers take by default
}

// SessionTimeout is ConsumerOptions.SessionTimeout.
func (c *Consumers) SessionTimeout() time.Duration {
	session, _ := c.groupTimeouts()
	return session
}

// groupTimeouts are the session timeout and heartbeat interval of the members.
// The embedded cluster remembers no member after kill -9, and its members share
// this process, so it needs patience only for a busy machine, and frequent
// heartbeats make a rebalance quick.
func (c *Consumers) groupTimeouts() (session, heartbeat time.Duration) {
	if c.cluster.embedded {
		return 10 * time.Second, 200 * time.Millisecond
	}
	session = c.options.SessionTimeout()
	return session, min(3*time.Second, session/4)
}

// metadataMaxAge is how old the clients' knowledge of the topic may be: so long new
// partitions take until they are read.
const metadataMaxAge = 10 * time.Second

// Consumers are the tasks of an event stream: members of one consumer group,
// each a client of its own. Partitions are shared by Kafka's range assignor,
// which Java consumers in the same group understand, so the tasks' shares
// differ by one at most. The first records come when all tasks have joined. A
// rebalance takes all partitions from all tasks and assigns them anew.
// A cluster that goes away is waited for, and nothing is lost meanwhile.
type Consumers struct {
	cluster Cluster
	options ConsumerOptions
	updates chan Update
	tasks   []*task // grows by AddTask; its readers elsewhere hold mu

	watcher *kgo.Client // that watch uses
	admin   *kadm.Client
	lookNow chan struct{}
	outage  sync.Mutex
	outages map[string]outage // by what does not work

	running context.Context // until Close
	stop    context.CancelFunc
	loops   sync.WaitGroup

	complete chan struct{} // closed when tasks is; the clients' callbacks wait for it

	mu          sync.Mutex
	generations map[int]int32   // of the group, as of each task; nil after all were the same
	begun       map[int32]bool  // partitions that have been assigned in this run
	confirmed   map[int32]int64 // what was committed last
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

	// Failed: the task, or all of them, cannot go on; Err says why.
	Failed

	// Looked: Topic is what the topic looks like. It comes about once a second.
	Looked

	// Away: the cluster or the group's coordinator does not answer; Err says how. All
	// is tried again, and no update need come until Back.
	Away

	// Back: what was Away is there again.
	Back

	// Noticed: Text is worth being told.
	Noticed
)

// An Update is something that happened to a task.
type Update struct {
	Task       int // 0 to ConsumerOptions.Tasks-1
	Kind       UpdateKind
	Partitions []Position // Assigned
	Records    []*kgo.Record
	Starts     map[int32]int64 // Records: where the partitions' logs began at the time
	Topic      Topic           // Looked
	Text       string          // Noticed
	Err        error           // Failed, Away

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
	// Reset is set if Offset is not the committed one but due to OffsetReset or From.
	Reset bool
	// Lost are the offsets from the committed one on that are passed over, as records
	// from there on have been deleted.
	Lost int64
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
	if options.BrokerTimeout == 0 {
		options.BrokerTimeout = DefaultBrokerTimeout
	}
	watcher, err := c.client()
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	consumers := &Consumers{
		cluster: c, options: options, updates: make(chan Update),
		watcher: watcher, admin: kadm.NewClient(watcher), lookNow: make(chan struct{}, 1), outages: make(map[string]outage),
		running: running, stop: stop, complete: make(chan struct{}),
		generations: make(map[int]int32), begun: make(map[int32]bool), confirmed: make(map[int32]int64),
	}
	defer close(consumers.complete)
	for range options.Tasks {
		if err := consumers.AddTask(); err != nil {
			left, leave := context.WithCancel(context.Background())
			leave() // nothing was read: the group need not be left in order
			consumers.Close(left)
			return nil, err
		}
	}
	consumers.loops.Go(consumers.watch)
	return consumers, nil
}

// AddTask has one more task join the group.
func (c *Consumers) AddTask() error {
	t := &task{Consumers: c, number: len(c.tasks), resume: make(chan struct{}), kick: make(chan struct{}, 1)}
	close(t.resume)
	if err := t.join(); err != nil {
		return err
	}
	c.mu.Lock()
	c.tasks = append(c.tasks, t)
	if c.generations != nil {
		t.client.PauseFetchTopics(c.options.Topic) // until all have joined
	}
	c.mu.Unlock()
	c.loops.Go(t.poll)
	c.loops.Go(t.commitLoop)
	return nil
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
		t.kickAgain()
	}
}

// Confirmed returns the offsets that Commit was given and the cluster has taken.
func (c *Consumers) Confirmed() map[int32]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.confirmed)
}

// resolve returns where a partition is read from, and an error if that would set
// the group of others back.
func (c *Consumers) resolve(partition int32, committed int64, b Bounds) (Position, error) {
	at := Position{Partition: partition, Offset: committed}
	c.mu.Lock()
	from, given := c.options.From[partition]
	given = given && !c.begun[partition]
	c.mu.Unlock()
	switch {
	case given:
		at.Offset, at.Reset = from, true
		return at, nil
	case committed >= b.Start && committed <= b.End: // End, as Stable would set back who was before an open transaction
		return at, nil
	case committed > b.End && c.options.Foreign:
		return at, fmt.Errorf("group %q is at offset %d of topic %q, partition %d, which ends at %d: was the topic created anew? What is not fclocal's own group is not set back",
			c.options.Group, committed, c.options.Topic, partition, b.End)
	}
	at.Offset, at.Reset = b.Start, true
	if c.options.OffsetReset == "latest" {
		at.Offset = b.Stable
	}
	if committed >= 0 && committed < b.Start {
		at.Lost = at.Offset - committed
	}
	return at, nil
}

// closeGrace is how long clients may take to close when there is no more time. One
// that waits for a broker without an answer is left to itself then.
const closeGrace = 500 * time.Millisecond

// Close commits what is left to commit, leaves the group with all tasks and
// closes their clients. It gives up waiting for the cluster when ctx ends. No
// update comes any more.
func (c *Consumers) Close(ctx context.Context) error {
	c.stop()
	errs := make([]error, len(c.tasks))
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		c.loops.Wait()
		var wait sync.WaitGroup
		for i, t := range c.tasks {
			wait.Go(func() { errs[i] = t.close(ctx) })
		}
		wait.Wait()
		c.watcher.Close()
	}()
	select {
	case <-closed:
		return errors.Join(errs...)
	case <-ctx.Done():
	}
	select {
	case <-closed:
		return errors.Join(errs...)
	case <-time.After(closeGrace):
	}
	for _, t := range c.tasks {
		if t.uncommitted() {
			return c.notCommitted(context.Cause(ctx))
		}
	}
	return nil
}

// notCommitted says what it means if there was no time for a commit.
func (c *Consumers) notCommitted(err error) error {
	return fmt.Errorf("offsets of group %q could not be committed, so a next run delivers again what they cover: %w", c.options.Group, err)
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
