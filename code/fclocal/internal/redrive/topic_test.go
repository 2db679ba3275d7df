package redrive

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"fclocal/internal/deadletter"
	"fclocal/internal/kafka"
	"fclocal/internal/result"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A topicTest is a topic of two partitions, and a file.
type topicTest struct {
	*testing.T
	cluster *kfake.Cluster
	Options
	path string

	mu      sync.Mutex
	notices []string
}

func newTopicTest(t *testing.T) *topicTest {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "dead"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	c := &topicTest{T: t, cluster: cluster, path: filepath.Join(t.TempDir(), "dead.jsonl")}
	c.Topic = &Topic{Cluster: kafka.Cluster{Brokers: cluster.ListenAddrs()}, Name: "dead", Group: "g", Timeout: time.Second}
	c.Notice = func(what string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.notices = append(c.notices, what)
	}
	return c
}

func (c *topicTest) client(options ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner())}, options...)...)
	if err != nil {
		c.Fatal(err)
	}
	return client
}

func (c *topicTest) produce(partition int32, values ...string) {
	c.Helper()
	client := c.client()
	defer client.Close()
	for _, value := range values {
		if err := client.ProduceSync(c.Context(), &kgo.Record{Topic: "dead", Partition: partition, Value: []byte(value), Timestamp: time.UnixMilli(1655952591589)}).FirstErr(); err != nil {
			c.Fatal(err)
		}
	}
}

// take takes what is there, and returns the file's lines.
func (c *topicTest) take(wantErr string) (total result.Redrive, lines []string) {
	c.Helper()
	file, err := deadletter.OpenOrMake(c.path)
	if err != nil {
		c.Fatal(err)
	}
	text := ""
	if err := c.Options.take(c.Context(), file, &total); err != nil {
		text = err.Error()
	}
	beginning, cut := strings.CutSuffix(wantErr, "...")
	if text != wantErr && !(cut && strings.HasPrefix(text, beginning)) {
		c.Errorf("error:\n%s\nwant:\n%s", text, wantErr)
	}
	if err := file.Close(); err != nil {
		c.Fatal(err)
	}
	content, err := os.ReadFile(c.path)
	if err != nil && !os.IsNotExist(err) {
		c.Fatal(err)
	}
	return total, slices.Collect(strings.Lines(string(content)))
}

func event(id int) string { return fmt.Sprintf(`{"specversion":"1.0","id":"%d"}`, id) }

func line(partition, offset int, more, event string) string {
	return fmt.Sprintf(`{"source":{"topic":"dead","partition":%d,"offset":%d%s},"event":%s,"error":"","attempts":0,"time":"2022-06-23T02:49:51.589Z"}`+"\n", partition, offset, more, event)
}

func (c *topicTest) checkLines(got []string, want ...string) {
	c.Helper()
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		c.Errorf("the file has\n%swant\n%s", strings.Join(got, ""), strings.Join(want, ""))
	}
}

// A record is an event, or an array of them, each as an object or, as of old, in a
// string. What has been taken does not come again.
func TestTake(t *testing.T) {
	c := newTopicTest(t)
	c.produce(0, event(1), ` [ `+event(2)+`, "{\"specversion\":\"1.0\"}" ] `)
	c.produce(1, event(3))
	total, lines := c.take("")
	want := []string{
		line(0, 0, "", event(1)), line(0, 1, "", event(2)), line(0, 1, `,"index":1`, `"{\"specversion\":\"1.0\"}"`), line(1, 0, "", event(3)),
	}
	if c.checkLines(lines, want...); total.Taken != 4 {
		t.Errorf("%d taken, want 4", total.Taken)
	}
	os.Remove(c.path)
	c.produce(1, event(4))
	total, lines = c.take("")
	if c.checkLines(lines, line(1, 1, "", event(4))); total.Taken != 1 {
		t.Errorf("then %d taken, want 1", total.Taken)
	}
	if len(c.notices) > 0 {
		t.Errorf("it said %q", c.notices)
	}
}

// What comes after the start is for the next time.
func TestTakeEnds(t *testing.T) {
	c := newTopicTest(t)
	c.produce(0, event(0))
	late := sync.OnceFunc(func() { c.produce(0, event(1)) })
	c.cluster.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.cluster.KeepControl()
		c.cluster.SleepControl(late)
		return nil, nil, false
	})
	for i := range 2 {
		total, lines := c.take("")
		if total.Taken != 1 || len(lines) != i+1 {
			t.Errorf("%d taken, the file has %q", total.Taken, lines)
		}
	}
}

// What is something else ends the taking, before the letters behind it, or is passed
// over when that is asked for.
func TestTakeInvalid(t *testing.T) {
	const number = `partition 0, offset 1: no dead letter, which is an event as JSON or an array of them: `
	for value, why := range map[string]string{
		"":                        "it has no value",
		"order 7":                 "invalid character 'o' looking for beginning of value",
		"7":                       "it is no JSON object",
		"null":                    "it is no JSON object",
		`"a text"`:                "it is no JSON object",
		"[]":                      "it is an empty array",
		`[` + event(1) + `,true]`: "it is no JSON object",
		`{"topic":"t","partition":0,"offset":1,"value":1}`: "it has no specversion, as all CloudEvents have",
	} {
		c := newTopicTest(t)
		c.produce(0, event(0), value, event(2))
		total, lines := c.take(`topic "dead", ` + number + why + `; --skip-invalid passes such records over`)
		if c.checkLines(lines, line(0, 0, "", event(0))); total.Taken != 1 || total.Skipped != 0 {
			t.Errorf("%q: %+v", value, total)
		}
		c.Topic.SkipInvalid = true
		total, lines = c.take("")
		if c.checkLines(lines, line(0, 0, "", event(0)), line(0, 2, "", event(2))); total.Taken != 1 || total.Skipped != 1 {
			t.Errorf("%q: %+v", value, total)
		}
		if want := []string{`passed over: topic "dead", ` + number + why}; !slices.Equal(c.notices, want) {
			t.Errorf("it said %q, want %q", c.notices, want)
		}
	}
	c := newTopicTest(t)
	c.Topic.RawData = true
	c.produce(0, `{"topic":"t","partition":0,"offset":1,"value":1}`)
	if total, _ := c.take(""); total.Taken != 1 {
		t.Errorf("RawData: %d taken, want 1", total.Taken)
	}
}

// As long as the topic does not know that letters were taken, as after a kill at that
// moment, they come again, but no letter is twice in the file; and another letter
// at the same place, as in a topic that was made anew, is no second one.
func TestTakeWithoutCommit(t *testing.T) {
	c := newTopicTest(t)
	c.produce(0, event(1), event(2))
	refuse := true
	c.cluster.ControlKey(int16(kmsg.OffsetCommit), func(request kmsg.Request) (kmsg.Response, error, bool) {
		c.cluster.KeepControl()
		if !refuse {
			return nil, nil, false
		}
		response := request.ResponseKind().(*kmsg.OffsetCommitResponse)
		response.Topics = []kmsg.OffsetCommitResponseTopic{{
			Topic: "dead", Partitions: []kmsg.OffsetCommitResponseTopicPartition{{ErrorCode: kerr.GroupAuthorizationFailed.Code}},
		}}
		return response, nil, true
	})
	_, lines := c.take("cluster at " + c.cluster.ListenAddrs()[0] + ` does not let this client use consumer group "g": grant it READ on the group...`)
	c.checkLines(lines, line(0, 0, "", event(1)), line(0, 1, "", event(2)))

	// A line that the kill has cut short is no letter yet.
	other := strings.Replace(line(0, 0, "", event(1)), `"1"`, `"another"`, 1)
	cut := line(0, 1, "", event(2))
	if err := os.WriteFile(c.path, []byte(other+cut[:len(cut)-10]), 0o644); err != nil {
		t.Fatal(err)
	}
	refuse = false
	total, lines := c.take("")
	if c.checkLines(lines, other, line(0, 0, "", event(1)), line(0, 1, "", event(2))); total.Taken != 2 {
		t.Errorf("%d taken, want 2", total.Taken)
	}
	total, lines = c.take("")
	if c.checkLines(lines, other, line(0, 0, "", event(1)), line(0, 1, "", event(2))); total.Taken != 0 {
		t.Errorf("%d taken, want 0", total.Taken)
	}
}

// Another member of the group has a part of the topic, which is left to it.
func TestTakeBesideAnother(t *testing.T) {
	c := newTopicTest(t)
	c.produce(0, event(0))
	c.produce(1, event(1))
	assigned := make(chan struct{}, 10)
	other := c.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("dead"), kgo.Balancers(kgo.RangeBalancer()), kgo.HeartbeatInterval(50*time.Millisecond), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { assigned <- struct{}{} }))
	<-assigned
	total, lines := c.take("")
	if total.Taken != 1 || len(lines) != 1 {
		t.Errorf("%d taken, want 1", total.Taken)
	}
	if want := []string{`group "g" has another member, such as a redrive of the same topic: 1 of 2 partitions are its`}; !slices.Equal(c.notices, want) {
		t.Errorf("it said %q, want %q", c.notices, want)
	}
	other.Close()
	if total, lines = c.take(""); total.Taken != 1 || len(lines) != 2 {
		t.Errorf("when the other is gone: %d taken, want 1", total.Taken)
	}
}

// A cluster that goes away in the middle is given up, and nothing is lost by it.
func TestTakeClusterAway(t *testing.T) {
	c := newTopicTest(t)
	c.produce(0, event(0))
	c.cluster.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		go c.cluster.Close()
		return nil, nil, false
	})
	total, _ := c.take("waited 1s for ...")
	if total.Taken != 0 || !slices.Contains(c.notices, "the Kafka cluster is away: reconnecting, for 1s at most") {
		t.Errorf("%d taken; it said %q", total.Taken, c.notices)
	}
	if _, err := os.Stat(c.path); !os.IsNotExist(err) {
		t.Errorf("there is a file: %v", err)
	}
}

func TestTakeInterrupted(t *testing.T) {
	c := newTopicTest(t)
	c.produce(0, event(0))
	drain := make(chan struct{})
	first := sync.OnceFunc(func() { close(drain) })
	c.cluster.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		first()
		return nil, nil, false
	})
	c.Drain = drain
	if total, _ := c.take("interrupted"); total.Taken != 0 {
		t.Errorf("%d taken", total.Taken)
	}
}

// Markers of transactions and aborted records are no letters; those of an open one stay.
func TestTakeTransactions(t *testing.T) {
	c := newTopicTest(t)
	transaction := func(id int, end kgo.TransactionEndTry) {
		client := c.client(kgo.TransactionalID(fmt.Sprint(id)))
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "dead", Value: []byte(event(id)), Timestamp: time.UnixMilli(1655952591589)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if id == 3 {
			t.Cleanup(client.Close) // and stays open
			return
		}
		if err := client.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
		client.Close()
	}
	transaction(0, kgo.TryCommit)
	transaction(1, kgo.TryAbort)
	transaction(2, kgo.TryCommit)
	transaction(3, kgo.TryCommit)
	_, lines := c.take("")
	c.checkLines(lines, line(0, 0, "", event(0)), line(0, 4, "", event(2)))
	if want := []string{"partition 0: the 1 offsets from 6 on are held back by a transaction that is still open"}; !slices.Equal(c.notices, want) {
		t.Errorf("it said %q, want %q", c.notices, want)
	}
}

// What was deleted before it was taken is told.
func TestTakeDeleted(t *testing.T) {
	c := newTopicTest(t)
	c.produce(0, event(0), event(1), event(2))
	if total, _ := c.take(""); total.Taken != 3 {
		t.Fatalf("%d taken, want 3", total.Taken)
	}
	c.produce(0, event(3), event(4), event(5))
	client := c.client()
	defer client.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: "dead", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: 0, Offset: 5}}}}
	if _, err := request.RequestWith(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if total, _ := c.take(""); total.Taken != 1 {
		t.Errorf("%d taken, want 1", total.Taken)
	}
	if want := []string{"partition 0: the offsets 3 to 4 were deleted before they were taken"}; !slices.Equal(c.notices, want) {
		t.Errorf("it said %q, want %q", c.notices, want)
	}
}
