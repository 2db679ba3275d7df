package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// patience is what no test waits for unless it fails.
const patience = time.Minute

// consumption receives the events of Consumers.
type consumption struct {
	*Consumers
	assigned map[int][]Position // by task; of a task that has been revoked there is none
	values   map[string]int     // of records, how often they came
	commit   bool               // all records that come
}

// consume starts Consumers that are closed with the test.
func consume(t testing.TB, cluster Cluster, options ConsumerOptions) *consumption {
	t.Helper()
	consumers, err := cluster.Consume(options)
	if err != nil {
		t.Fatal(err)
	}
	c := &consumption{Consumers: consumers, assigned: make(map[int][]Position), values: make(map[string]int)}
	t.Cleanup(func() { c.close(t) })
	return c
}

func (c *consumption) close(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
}

// until receives events until done is true, which is also asked at first.
func (c *consumption) until(t testing.TB, done func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for !done() {
		select {
		case e := <-c.Updates():
			c.take(t, e)
		case <-timeout:
			t.Fatalf("nothing more came; assigned: %v, %d values", c.assigned, len(c.values))
		}
	}
}

// wait receives events until one of a kind.
func (c *consumption) wait(t testing.TB, kind UpdateKind) (found Update) {
	t.Helper()
	timeout := time.After(patience)
	for found.Kind != kind {
		select {
		case found = <-c.Updates():
			if found.Kind == Failed && kind == Failed {
				return found
			}
			c.take(t, found)
		case <-timeout:
			t.Fatalf("event %d did not come", kind)
		}
	}
	return found
}

func (c *consumption) take(t testing.TB, e Update) {
	t.Helper()
	switch e.Kind {
	case Assigned:
		if c.assigned[e.Task] != nil {
			t.Errorf("task %d is assigned %v, but has %v", e.Task, e.Partitions, c.assigned[e.Task])
		}
		c.assigned[e.Task] = append([]Position{}, e.Partitions...)
	case Revoked:
		if c.assigned[e.Task] == nil {
			t.Errorf("task %d had nothing that could be revoked", e.Task)
		}
		delete(c.assigned, e.Task)
	case Records:
		next := make(map[int32]int64)
		for _, r := range e.Records {
			i := slices.IndexFunc(c.assigned[e.Task], func(p Position) bool { return p.Partition == r.Partition })
			if i < 0 {
				t.Fatalf("task %d got a record of partition %d, but has %v", e.Task, r.Partition, c.assigned[e.Task])
			}
			if at := &c.assigned[e.Task][i]; at.Offset != r.Offset {
				t.Fatalf("partition %d: offset %d came, not %d", r.Partition, r.Offset, at.Offset)
			} else {
				at.Offset++
			}
			c.values[string(r.Value)]++
			next[r.Partition] = r.Offset + 1
		}
		if c.commit {
			c.Commit(e.Task, next)
		}
	case Failed:
		t.Fatal(e.Err)
	}
	e.Done()
}

// once tells if the values 0 to n-1 have come, once each.
func (c *consumption) once(t testing.TB, n int) {
	t.Helper()
	if len(c.values) != n {
		t.Errorf("%d values came, not %d", len(c.values), n)
	}
	for value, times := range c.values {
		if times != 1 {
			t.Fatalf("%s came %d times", value, times)
		}
	}
}

func TestConsume(t *testing.T) {
	tests := []struct {
		partitions, tasks int
		want              []int // partitions of a task, sorted
	}{
		{1, 1, []int{1}},
		{4, 4, []int{1, 1, 1, 1}},
		{7, 3, []int{2, 2, 3}},
		{8, 4, []int{2, 2, 2, 2}},
		{2, 5, []int{0, 0, 0, 1, 1}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d partitions, %d tasks", test.partitions, test.tasks), func(t *testing.T) {
			e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: test.partitions})
			const n = 5000
			produce(t, e, "xxx", n)
			c := consume(t, e.Cluster(), ConsumerOptions{Topic: "xxx", Group: "g", Tasks: test.tasks, OffsetReset: "earliest"})
			c.until(t, func() bool { return len(c.values) == n })
			c.once(t, n)

			var shares []int
			seen := make(map[int32]bool)
			for task := range test.tasks {
				positions, ok := c.assigned[task]
				if !ok {
					t.Errorf("task %d was assigned nothing, not even no partition", task)
				}
				shares = append(shares, len(positions))
				for _, p := range positions {
					seen[p.Partition] = true
					if !p.Reset {
						t.Errorf("partition %d has a committed offset", p.Partition)
					}
				}
			}
			slices.Sort(shares)
			if diff := cmp.Diff(test.want, shares); diff != "" || len(seen) != test.partitions {
				t.Errorf("%d partitions are assigned, %s", len(seen), diff)
			}
		})
	}
}

// What was committed stays so in a data directory: a next run goes on there.
func TestCommitAndResume(t *testing.T) {
	options := EmbeddedOptions{Topic: "xxx", Partitions: 2, DataDir: t.TempDir()}
	consumer := ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 2, OffsetReset: "earliest"}
	ctx := context.Background()

	e, err := StartEmbedded(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	produce(t, e, "xxx", 100) // 50 in each
	c := consume(t, e.Cluster(), consumer)
	c.until(t, func() bool { return len(c.values) == 100 })
	for task, positions := range c.assigned {
		c.Commit(task, map[int32]int64{positions[0].Partition: 10})
		c.Commit(task, map[int32]int64{positions[0].Partition: int64(20 + 10*positions[0].Partition)})
		c.Commit(task, map[int32]int64{1 - positions[0].Partition: 40}) // is not its own: left out
	}
	c.close(t) // commits
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	e = start(t, options)
	consumer.Tasks = 1
	c = consume(t, e.Cluster(), consumer)
	if diff := cmp.Diff([]Position{{Partition: 0, Offset: 20}, {Partition: 1, Offset: 30}}, c.wait(t, Assigned).Partitions); diff != "" {
		t.Error(diff)
	}
	lag, err := c.lag(ctx)
	if diff := cmp.Diff(map[int32]partitionLag{0: {20, 50}, 1: {30, 50}}, lag); diff != "" || err != nil {
		t.Error(err, diff)
	}
	c.commit = true
	c.until(t, func() bool { return len(c.values) == 30+20 })
	produce(t, e, "xxx", 10) // the offsets go on, too
	c.until(t, func() bool { return c.assigned[0][0].Offset == 55 && c.assigned[0][1].Offset == 55 })
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for lag[0].Committed < lag[0].End || lag[1].Committed < lag[1].End { // commits in the background, without an event
		if lag, err = c.lag(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOffsetReset(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1})
	produce(t, e, "xxx", 10)
	commit := func(t *testing.T, group string, offset int64) {
		c := consume(t, e.Cluster(), ConsumerOptions{Topic: "xxx", Group: group, Tasks: 1, OffsetReset: "earliest"})
		c.wait(t, Assigned)
		c.Commit(0, map[int32]int64{0: offset})
		c.close(t)
	}
	tests := []struct {
		reset     string
		committed int64 // -1: none
		want      Position
	}{
		{"earliest", -1, Position{Offset: 0, Reset: true}},
		{"latest", -1, Position{Offset: 10, Reset: true}},
		{"earliest", 4, Position{Offset: 4}},
		{"latest", 4, Position{Offset: 4}},
		{"latest", 10, Position{Offset: 10}},
		{"earliest", 11, Position{Offset: 0, Reset: true}},
		{"latest", 11, Position{Offset: 10, Reset: true}},
	}
	for _, test := range tests {
		group := fmt.Sprintf("%s-%d", test.reset, test.committed)
		t.Run(group, func(t *testing.T) {
			if test.committed >= 0 {
				commit(t, group, test.committed)
			}
			c := consume(t, e.Cluster(), ConsumerOptions{Topic: "xxx", Group: group, Tasks: 1, OffsetReset: test.reset})
			if diff := cmp.Diff([]Position{test.want}, c.wait(t, Assigned).Partitions); diff != "" {
				t.Error(diff)
			}
			lag, err := c.lag(context.Background())
			if diff := cmp.Diff(map[int32]partitionLag{0: {test.want.Offset, 10}}, lag); diff != "" || err != nil {
				t.Error(err, diff)
			}
		})
	}
}

// Another member comes and goes: partitions go to it and come back, and what
// was committed on Revoked is where the next owner starts.
func TestRebalance(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 4})
	produce(t, e, "xxx", 400)
	options := ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 2, OffsetReset: "earliest"}
	c := consume(t, e.Cluster(), options)
	c.commit = true
	c.until(t, func() bool { return len(c.values) == 400 })

	options.Tasks = 1
	other := consume(t, e.Cluster(), options)
	timeout := time.After(patience)
	for len(c.assigned) != 2 || len(other.assigned) != 1 {
		select {
		case e := <-c.Updates():
			c.take(t, e)
		case e := <-other.Updates():
			other.take(t, e)
		case <-timeout:
			t.Fatalf("assigned: %v and %v", c.assigned, other.assigned)
		}
	}
	theirs := other.assigned[0]
	if ours := len(c.assigned[0]) + len(c.assigned[1]); ours+len(theirs) != 4 || len(theirs) == 0 {
		t.Errorf("the other has %v, we %v", theirs, c.assigned)
	}
	for _, p := range theirs {
		if p.Reset || p.Offset != 100 {
			t.Errorf("the other starts at %+v", p)
		}
	}
	other.close(t)
	c.until(t, func() bool { return len(c.assigned[0]) == 2 && len(c.assigned[1]) == 2 })
	produce(t, e, "xxx", 400)
	for _, positions := range c.assigned {
		for _, p := range positions {
			if p.Offset != 100 {
				t.Errorf("we go on at %+v", p)
			}
		}
	}
	c.until(t, func() bool {
		return !slices.ContainsFunc(append(slices.Clone(c.assigned[0]), c.assigned[1]...), func(p Position) bool { return p.Offset != 200 })
	})
}

func TestPause(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1})
	const n = 2000
	produce(t, e, "xxx", n)
	c := consume(t, e.Cluster(), ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 1, OffsetReset: "earliest", MaxRecords: 10})
	for range n / 10 {
		if records := c.wait(t, Records).Records; len(records) > 10 {
			t.Fatalf("%d records at once", len(records))
		}
		c.Pause(0)
		c.Pause(0) // does nothing
		select {   // the one that may have been under way
		case event := <-c.Updates():
			c.take(t, event)
		default:
		}
		c.Resume(0)
		c.Resume(0)
		if len(c.values) == n {
			break
		}
	}
	c.until(t, func() bool { return len(c.values) == n })
	c.once(t, n)
}

// A run that is closed while it is being given records, or before it has any,
// leaves the group: the next one has all partitions at once.
func TestCloseLeavesGroup(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 2})
	produce(t, e, "xxx", 1000)
	options := ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 2, OffsetReset: "earliest", MaxRecords: 1}
	for range 3 {
		c := consume(t, e.Cluster(), options)
		c.wait(t, Records)
		c.close(t)
	}
	consume(t, e.Cluster(), options).close(t)
	options.Tasks = 1
	if positions := consume(t, e.Cluster(), options).wait(t, Assigned).Partitions; len(positions) != 2 {
		t.Errorf("assigned: %v", positions)
	}
}

func TestConsumeErrors(t *testing.T) {
	cluster := Cluster{Brokers: []string{"127.0.0.1:1"}}
	tests := map[string]struct {
		cluster Cluster
		options ConsumerOptions
		err     string
	}{
		"no task":     {cluster, ConsumerOptions{Topic: "t", Group: "g", OffsetReset: "latest"}, "0 tasks: it must be 1 or more"},
		"OffsetReset": {cluster, ConsumerOptions{Topic: "t", Group: "g", Tasks: 1, OffsetReset: "none"}, `OffsetReset "none": it must be earliest or latest`},
		"mechanism":   {Cluster{Brokers: cluster.Brokers, SASL: &SASL{Mechanism: "GSSAPI", User: "u", Password: "p"}}, ConsumerOptions{Topic: "t", Group: "g", Tasks: 1, OffsetReset: "latest"}, `SASL mechanism "GSSAPI": it must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER`},
		"no password": {Cluster{Brokers: cluster.Brokers, SASL: &SASL{Mechanism: "PLAIN", User: "u"}}, ConsumerOptions{Topic: "t", Group: "g", Tasks: 1, OffsetReset: "latest"}, "SASL PLAIN needs a user and a password"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := test.cluster.Consume(test.options)
			checkError(t, err, test.err)
		})
	}
}

// A cluster that asks for a user, as a real one does.
func TestSASL(t *testing.T) {
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(2, "xxx"), kfake.EnableSASL()}
	mechanisms := []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}
	for _, mechanism := range mechanisms {
		options = append(options, kfake.Superuser(mechanism, "user", "secret"))
	}
	server, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	at := server.ListenAddrs()[0]
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, mechanism := range mechanisms {
		t.Run(mechanism, func(t *testing.T) {
			good := Cluster{Brokers: []string{at}, SASL: &SASL{Mechanism: mechanism, User: "user", Password: "secret"}}
			if n, err := good.Partitions(ctx, "xxx"); n != 2 || err != nil {
				t.Errorf("%d partitions, error %v", n, err)
			}
			_, err := good.Partitions(ctx, "yyy")
			checkError(t, err, `cluster at `+at+`: create the topic, or name another: topic "yyy": UNKNOWN_TOPIC_OR_PARTITION: ...`)

			// kfake closes the connection; Apache Kafka says why, as below.
			bad := Cluster{Brokers: []string{at}, SASL: &SASL{Mechanism: mechanism, User: "user", Password: "wrong"}}
			_, err = bad.Partitions(ctx, "xxx")
			checkError(t, err, `cluster at `+at+` closes the connection: check if it wants TLS, SASL or another user and password: ...`)
			server.ControlKey(int16(kmsg.SASLAuthenticate), func(request kmsg.Request) (kmsg.Response, error, bool) {
				response := request.ResponseKind().(*kmsg.SASLAuthenticateResponse)
				response.ErrorCode = kerr.SaslAuthenticationFailed.Code
				return response, nil, true
			})
			_, err = bad.Partitions(ctx, "xxx")
			checkError(t, err, `cluster at `+at+` refuses user "user" with SASL `+mechanism+`: check user and password: SASL_AUTHENTICATION_FAILED: ...`)

			c := consume(t, good, ConsumerOptions{Topic: "xxx", Group: mechanism, Tasks: 1, OffsetReset: "earliest"})
			if positions := c.wait(t, Assigned).Partitions; len(positions) != 2 {
				t.Errorf("assigned: %v", positions)
			}
		})
	}
}

// What a user may not do is said with what to grant.
func TestNotAuthorized(t *testing.T) {
	topic := kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: "xxx", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationRead, Allow: true}
	server, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "xxx"), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.User("PLAIN", "reader", "secret", topic), kfake.User("PLAIN", "nobody", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	at := server.ListenAddrs()[0]
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	nobody := Cluster{Brokers: []string{at}, SASL: &SASL{Mechanism: "PLAIN", User: "nobody", Password: "secret"}}
	_, err = nobody.Partitions(ctx, "xxx")
	checkError(t, err, `cluster at `+at+` does not let user "nobody" read topic "xxx": grant it READ and DESCRIBE on the topic: TOPIC_AUTHORIZATION_FAILED: ...`)

	reader := Cluster{Brokers: []string{at}, SASL: &SASL{Mechanism: "PLAIN", User: "reader", Password: "secret"}}
	c, err := reader.Consume(ConsumerOptions{Topic: "xxx", Group: "g-fclocal", Tasks: 1, OffsetReset: "earliest"})
	if err != nil {
		t.Fatal(err)
	}
	for update := range c.Updates() {
		update.Done()
		if update.Kind == Failed {
			checkError(t, update.Err, `cluster at `+at+` does not let user "reader" use consumer group "g-fclocal": grant it READ on the group (on ApsaraMQ, create the group in the console), or name another by --group: ...`)
			break
		}
	}
	c.Close(ctx) // which cannot leave the group, either
}

// What the cluster refuses for good comes as Failed, while Close still works.
func TestFailed(t *testing.T) {
	refuse := map[string]struct {
		key kmsg.Key
		set func(kmsg.Response)
		err string
	}{
		"join": {kmsg.JoinGroup, func(response kmsg.Response) {
			response.(*kmsg.JoinGroupResponse).ErrorCode = kerr.GroupAuthorizationFailed.Code
		}, "GROUP_AUTHORIZATION_FAILED"},
		"commit": {kmsg.OffsetCommit, func(response kmsg.Response) {
			response.(*kmsg.OffsetCommitResponse).Topics = []kmsg.OffsetCommitResponseTopic{{
				Topic: "xxx", Partitions: []kmsg.OffsetCommitResponseTopicPartition{{ErrorCode: kerr.OffsetMetadataTooLarge.Code}},
			}}
		}, `task 0: commit offset 7 of topic "xxx", partition 0 for group "g": OFFSET_METADATA_TOO_LARGE`},
	}
	for name, test := range refuse {
		t.Run(name, func(t *testing.T) {
			e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1})
			e.kafka.ControlKey(int16(test.key), func(request kmsg.Request) (kmsg.Response, error, bool) {
				e.kafka.KeepControl()
				response := request.ResponseKind()
				test.set(response)
				return response, nil, true
			})
			c := consume(t, e.Cluster(), ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 1, OffsetReset: "earliest"})
			if name == "commit" {
				c.wait(t, Assigned)
				c.Commit(0, map[int32]int64{0: 7})
			}
			if err := c.wait(t, Failed).Err; !strings.Contains(err.Error(), test.err) {
				t.Error(err)
			}
		})
	}
}

func TestPartitionsErrors(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := Cluster{Brokers: []string{"127.0.0.1:1"}}.Partitions(ctx, "xxx")
	checkError(t, err, "cluster at 127.0.0.1:1: unable to dial: dial tcp 127.0.0.1:1: connect: connection refused")

	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 3})
	if n, err := e.Cluster().Partitions(ctx, "xxx"); n != 3 || err != nil {
		t.Errorf("%d partitions, error %v", n, err)
	}
	_, err = e.Cluster().Partitions(ctx, "yyy")
	checkError(t, err, "cluster at "+e.Address()+`: create the topic, or name another: topic "yyy": UNKNOWN_TOPIC_OR_PARTITION: ...`)
	_, err = Cluster{}.Partitions(ctx, "xxx")
	checkError(t, err, "...")
}

func BenchmarkConsume(b *testing.B) {
	e := start(b, EmbeddedOptions{Topic: "xxx", Partitions: 8})
	message := Message{Value: []byte(`{"name":"shaouai","age":28,"department":"IT"}`), Partition: AnyPartition}
	if _, err := e.Produce(context.Background(), Repeat(func() Message { return message }, b.N), ProduceOptions{Topic: "xxx"}); err != nil {
		b.Fatal(err)
	}
	produced := b.Elapsed()
	c := consume(b, e.Cluster(), ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 4, OffsetReset: "earliest"})
	c.wait(b, Records)
	b.ResetTimer()
	left := b.N - 500
	for left > 0 {
		event := <-c.Updates()
		left -= len(event.Records)
		event.Done()
	}
	b.ReportMetric(float64(b.N)/produced.Seconds(), "produced/s")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// A partitionLag is how far a group is behind.
type partitionLag struct {
	Committed int64 // the offset to go on at; without a commit the one that OffsetReset gives
	End       int64 // the offset that the next record will get
}

// lag returns how far the group is behind in each partition of the topic.
func (c *Consumers) lag(ctx context.Context) (map[int32]partitionLag, error) {
	committed, err := c.Committed(ctx)
	if err != nil {
		return nil, err
	}
	topic, err := c.cluster.Look(ctx, c.options.Topic, false)
	if err != nil {
		return nil, err
	}
	lags := make(map[int32]partitionLag)
	for partition, b := range topic.Partitions {
		offset, known := committed[partition]
		if !known {
			offset = -1
		}
		at, err := c.resolve(partition, offset, b)
		if err != nil {
			return nil, err
		}
		lags[partition] = partitionLag{Committed: at.Offset, End: b.End}
	}
	return lags, nil
}
