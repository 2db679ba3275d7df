package kafka

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A cluster that goes away and comes back costs no commit.
func TestClusterComesBack(t *testing.T) {
	options := EmbeddedOptions{Topic: "xxx", Partitions: 2, DataDir: t.TempDir()}
	e, err := StartEmbedded(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	produce(t, e, "xxx", 100)
	e.Close()
	options.Listen = []Listener{{Address: "127.0.0.1:0"}}
	if e, err = StartEmbedded(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	options.Listen = []Listener{{Address: e.Address()}}
	cluster := Cluster{Brokers: []string{e.Address()}}
	c := consume(t, cluster, ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 2, OffsetReset: "earliest"})
	c.until(t, func() bool { return len(c.values) == 100 })
	e.Close()
	if err := c.wait(t, Away).Err; err == nil {
		t.Error("no reason")
	}
	for task := range 2 { // each commits what is its own
		c.Commit(task, map[int32]int64{0: 50, 1: 50})
	}
	c.commit = true // should the group have lost them, and the records come again
	if e, err = StartEmbedded(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	c.wait(t, Back)
	c.until(t, func() bool {
		committed, err := c.Committed(t.Context())
		return err == nil && committed[0] == 50 && committed[1] == 50
	})
}

// One that does not come back is given up, and said to be.
func TestClusterIsGivenUp(t *testing.T) {
	e, err := StartEmbedded(t.Context(), EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: "127.0.0.1:0"}}})
	if err != nil {
		t.Fatal(err)
	}
	c := consume(t, Cluster{Brokers: []string{e.Address()}}, ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 1, OffsetReset: "earliest", BrokerTimeout: time.Second})
	c.wait(t, Assigned)
	e.Close()
	failed := c.wait(t, Failed).Err.Error()
	if want := "waited 1s for "; !strings.HasPrefix(failed, want) || !strings.Contains(failed, e.Address()+" (--broker-timeout)") && !strings.Contains(failed, e.Address()+" to answer (--broker-timeout)") {
		t.Errorf("%q, want it to begin with %q", failed, want)
	}
}

// A group whose coordinator is lost for a while goes on.
func TestCoordinatorIsLost(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1})
	produce(t, e, "xxx", 10)
	left := 3
	e.kafka.ControlKey(int16(kmsg.OffsetCommit), func(request kmsg.Request) (kmsg.Response, error, bool) {
		if left--; left < 0 {
			return nil, nil, false
		}
		e.kafka.KeepControl()
		response := request.ResponseKind().(*kmsg.OffsetCommitResponse)
		response.Topics = []kmsg.OffsetCommitResponseTopic{{
			Topic: "xxx", Partitions: []kmsg.OffsetCommitResponseTopicPartition{{ErrorCode: kerr.CoordinatorNotAvailable.Code}},
		}}
		return response, nil, true
	})
	c := consume(t, e.Cluster(), ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 1, OffsetReset: "earliest"})
	c.wait(t, Records)
	c.Commit(0, map[int32]int64{0: 10})
	c.until(t, func() bool {
		committed, err := c.Committed(t.Context())
		return err == nil && committed[0] == 10
	})
}

// Gap passes what is no message, and nothing else.
func TestGap(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1})
	produce(t, e, "xxx", 10)
	client, err := e.Cluster().client(kgo.TransactionalID("t"), kgo.DefaultProduceTopic("xxx"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} { // 10 to 13 and a marker, 15 to 18 and a marker
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			if err := client.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(i))).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	offsets := kadm.Offsets{}
	offsets.AddOffset("xxx", 0, 5, -1)
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	c := consume(t, e.Cluster(), ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 1, OffsetReset: "earliest"})
	for _, test := range []struct{ from, to, next int64 }{
		{0, 20, 5}, {5, 20, 5}, {9, 20, 9}, {10, 20, 15}, {12, 20, 15}, {10, 13, 13}, {15, 20, 15}, {19, 20, 20},
	} {
		next, start, err := c.Gap(t.Context(), 0, test.from, test.to)
		if next != test.next || start != 5 || err != nil {
			t.Errorf("from %d to %d: %d, log from %d, %v; want %d, 5", test.from, test.to, next, start, err, test.next)
		}
	}
	if _, _, err := c.Gap(t.Context(), 7, 0, 1); !errors.Is(err, kerr.LeaderNotAvailable) {
		t.Errorf("of a partition that does not exist: %v", err)
	}
}

func TestParseFrom(t *testing.T) {
	for _, text := range []string{"beginning", "end", "0", "12", "2026-07-01T12:00:00Z", "2026-07-01T12:00:00+08:00", "2026-07-01T12:00:00", "2026-07-01"} {
		if _, err := ParseFrom(text); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"", "start", "-1", "1.5", "2026-13-01"} {
		_, err := ParseFrom(text)
		checkError(t, err, fmt.Sprintf(`%q: it must be beginning, end, an offset, or a time such as 2026-07-01T12:00:00Z, 2026-07-01T12:00:00 or 2026-07-01`, text))
	}
}

// Records that arrive while a look asks for one bound after the other are not held back
// by a transaction: a stream would end without them.
func TestLookWhileRecordsArrive(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1})
	requests := 0
	e.kafka.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		e.kafka.KeepControl()
		if requests++; requests == 3 { // the first is for the start
			e.kafka.SleepControl(func() { produce(t, e, "xxx", 10) })
		}
		return nil, nil, false
	})
	topic, err := e.Cluster().Look(t.Context(), "xxx", false)
	if err != nil {
		t.Fatal(err)
	}
	if b := topic.Partitions[0]; requests != 3 || b.Stable != b.End {
		t.Errorf("%d requests, stable %d, end %d", requests, b.Stable, b.End)
	}
}
