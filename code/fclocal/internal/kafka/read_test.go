package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// readTopic reads a topic and returns the offsets of each partition's records.
func readTopic(t *testing.T, c Cluster, o ReadOptions) (offsets map[int32][]int64, err error) {
	t.Helper()
	offsets = map[int32][]int64{}
	var mu sync.Mutex
	err = c.Read(t.Context(), o, func(records []*kgo.Record) error {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range records {
			offsets[r.Partition] = append(offsets[r.Partition], r.Offset)
		}
		return nil
	})
	return offsets, err
}

// A topic is read once, with what was committed of transactions and from where its
// partitions begin, and no group is left behind.
func TestRead(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 3})
	begin := time.UnixMilli(1_790_000_000_000)
	client, err := e.Cluster().client(kgo.DefaultProduceTopic("xxx"), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	transaction := func(end kgo.TransactionEndTry, first, records int) { // and a marker in each partition
		t.Helper()
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for i := range records {
			for partition := range int32(2) {
				r := &kgo.Record{Partition: partition, Value: []byte("x"), Timestamp: begin.Add(time.Duration(first+i) * time.Second)}
				if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := client.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	transaction(kgo.TryCommit, 0, 10) // 0 to 9
	transaction(kgo.TryAbort, 10, 5)
	transaction(kgo.TryCommit, 15, 5) // 17 to 21
	offsets := kadm.Offsets{}
	offsets.AddOffset("xxx", 1, 3, -1)
	admin := kadm.NewClient(client)
	if _, err := admin.DeleteRecords(t.Context(), offsets); err != nil {
		t.Fatal(err)
	}
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	for _, test := range []struct {
		from, to time.Time
		want     map[int32][]int64
	}{
		{time.Time{}, time.Time{}, map[int32][]int64{0: {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 18, 19, 20, 21}, 1: {3, 4, 5, 6, 7, 8, 9, 17, 18, 19, 20, 21}}},
		{at(2), at(4), map[int32][]int64{0: {2, 3}, 1: {3}}}, // markers have the time of now
		{time.Time{}, at(3), map[int32][]int64{0: {0, 1, 2}}},
		{time.Now().Add(time.Hour), time.Time{}, map[int32][]int64{}},
	} {
		last, whole := int64(0), int64(0)
		var mu sync.Mutex
		got, err := readTopic(t, e.Cluster(), ReadOptions{Topic: "xxx", From: test.from, To: test.to, Progress: func(done, of int64) {
			mu.Lock()
			defer mu.Unlock()
			last, whole = max(last, done), of
		}})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(test.want) || last != whole {
			t.Errorf("from %v to %v: %v, %v; want %v; progress to %d of %d", test.from, test.to, got, err, test.want, last, whole)
		}
	}
	groups, err := admin.ListGroups(t.Context())
	if err != nil || len(groups) > 0 {
		t.Errorf("groups are left: %v, %v", groups, err)
	}
	full := errors.New("full")
	if err := e.Cluster().Read(t.Context(), ReadOptions{Topic: "xxx"}, func([]*kgo.Record) error { return full }); err != full {
		t.Error(err)
	}
	if _, err := readTopic(t, e.Cluster(), ReadOptions{Topic: "none"}); err == nil || !strings.Contains(err.Error(), `topic "none"`) {
		t.Error(err)
	}
}

// A cluster that is away for a while is waited for, and not for ever.
func TestReadWaits(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1})
	produce(t, e, "xxx", 10)
	left := 3
	e.kafka.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		e.kafka.KeepControl()
		if left--; left < 0 {
			return nil, nil, false
		}
		return nil, errors.New("away"), true // closes the connection
	})
	if got, err := readTopic(t, e.Cluster(), ReadOptions{Topic: "xxx"}); err != nil || len(got[0]) != 10 {
		t.Errorf("%v, %v", got, err)
	}
	e.kafka.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		e.kafka.KeepControl()
		response := request.ResponseKind().(*kmsg.FetchResponse)
		response.ErrorCode = kerr.UnknownServerError.Code
		return response, nil, true
	})
	if _, err := readTopic(t, e.Cluster(), ReadOptions{Topic: "xxx", BrokerTimeout: time.Nanosecond}); err == nil || !strings.Contains(err.Error(), `topic "xxx", partition 0`) {
		t.Error(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := e.Cluster().Read(ctx, ReadOptions{Topic: "xxx"}, func([]*kgo.Record) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestParseTime(t *testing.T) {
	if at, err := ParseTime("2026-07-01T12:00:00Z"); err != nil || at.Unix() != 1782907200 {
		t.Error(at, err)
	}
	for _, text := range []string{"", "beginning", "12", "yesterday"} {
		if _, err := ParseTime(text); fmt.Sprint(err) != fmt.Sprintf("%q: it must be a time such as 2026-07-01T12:00:00Z, 2026-07-01T12:00:00 or 2026-07-01", text) {
			t.Error(err)
		}
	}
}
