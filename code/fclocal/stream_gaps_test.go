//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/result"
)

// What is in a topic beside messages that are for this run.

// all are the counts that a run has of what it did not deliver, and its lag.
func all(run result.Run) string {
	return fmt.Sprintf("produced %d, delivered %d, pending %d, skipped %d, taken %d, lost %d, lag %v",
		run.Produced, run.Delivered, run.Pending, run.Skipped, run.TakenByOthers, run.Lost, run.LagByPartition)
}

// transaction produces so many records in one and ends it; the client of one that stays
// open must be closed.
func transaction(t *testing.T, topic string, records int, end func(*kgo.Client) error) *kgo.Client {
	t.Helper()
	client, _ := adminOf(t, kgo.TransactionalID(fmt.Sprint(topic, time.Now().UnixNano())), kgo.DefaultProduceTopic(topic))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprintf(`{"n":%d}`, i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if end == nil {
		return client
	}
	defer client.Close()
	if err := end(client); err != nil {
		t.Fatal(err)
	}
	return nil
}

func committed(client *kgo.Client) error {
	return client.EndTransaction(context.Background(), kgo.TryCommit)
}
func aborted(client *kgo.Client) error {
	return client.EndTransaction(context.Background(), kgo.TryAbort)
}

// Markers and aborted records are no messages; behind the last marker nothing lags. What
// an open transaction holds back is told.
func TestClusterTransactions(t *testing.T) {
	options := newTopic(t, 1)
	topic := topicOf(options)
	transaction(t, topic, 10, committed)
	transaction(t, topic, 5, aborted)
	transaction(t, topic, 10, committed)
	run := mustStream(t, options...)[0]
	if got, want := all(run), "produced 20, delivered 20, pending 0, skipped 8, taken 0, lost 0, lag map[0:0]"; got != want {
		t.Error(got, "want", want)
	}
	transaction(t, topic, 5, aborted)
	run = mustStream(t, options...)[0]
	if got, want := all(run), "produced 0, delivered 0, pending 0, skipped 6, taken 0, lost 0, lag map[0:0]"; got != want {
		t.Error("only aborted:", got, "want", want)
	}
	run = mustStream(t, append(options, "--isolation", "read_uncommitted", "--from", "beginning")...)[0]
	if got, want := all(run), "produced 30, delivered 30, pending 0, skipped 4, taken 0, lost 0, lag map[0:0]"; got != want {
		t.Error("uncommitted:", got, "want", want)
	}
	defer transaction(t, topic, 7, nil).Close()
	runs, stderr, code := tryStream(t, options...)
	if got, want := all(runs[0]), "produced 7, delivered 0, pending 7, skipped 0, taken 0, lost 0, lag map[0:7]"; got != want || code != exitOK {
		t.Error("open:", got, "want", want, "exit code", code)
	}
	if want := "fclocal: partition 0: the 7 offsets from 34 on are held back by a transaction that is still open"; !strings.Contains(stderr, want) {
		t.Errorf("it said %s\nwant %s", stderr, want)
	}
}

// A group that has read past an open transaction is not set back to its begin.
func TestClusterGroupIsNotSetBack(t *testing.T) {
	options := newTopic(t, 1, values(50)...)
	topic := topicOf(options)
	defer transaction(t, topic, 20, nil).Close()
	client, admin := adminOf(t)
	defer client.Close()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 60, -1)
	if err := admin.CommitAllOffsets(t.Context(), "production", offsets); err != nil {
		t.Fatal(err)
	}
	run := mustStream(t, append(options, "--group", "production")...)[0]
	if run.Delivered != 0 {
		t.Errorf("%d delivered, which the group had had", run.Delivered)
	}
	now, err := admin.FetchOffsets(t.Context(), "production")
	if err != nil {
		t.Fatal(err)
	}
	if at, _ := now.Lookup(topic, 0); at.At != 60 {
		t.Errorf("the group is at %d, want 60", at.At)
	}
	// Nor is one of others that is behind the end of the topic.
	offsets.AddOffset(topic, 0, 1000, -1)
	if err := admin.CommitAllOffsets(t.Context(), "production", offsets); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := tryStream(t, append(options, "--group", "production")...)
	if want := `group "production" is at offset 1000 of topic "` + topic + `", partition 0, which ends at 70: was the topic created anew?`; code != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, it said %s\nwant %s", code, stderr, want)
	}
	if _, stderr, code := tryStream(t, append(options, "--group", "production", "--from", "beginning")...); code != exitUsage || !strings.Contains(stderr, "--from moves a consumer group, so it is for fclocal's own alone: leave --group out") {
		t.Errorf("--from: exit code %d, it said %s", code, stderr)
	}
}

// What is deleted before it was read is lost, and told with where it was; what is
// compacted is no message.
func TestClusterDeletedRecords(t *testing.T) {
	client, admin := adminOf(t)
	defer client.Close()
	remove := func(topic string, before int64) {
		offsets := kadm.Offsets{}
		offsets.AddOffset(topic, 0, before, -1)
		if _, err := admin.DeleteRecords(t.Context(), offsets); err != nil {
			t.Fatal(err)
		}
	}
	// Before the run: the group is at 0.
	options := newTopic(t, 1, values(100)...)
	group := topicOf(options) + "-fclocal"
	offsets := kadm.Offsets{}
	offsets.AddOffset(topicOf(options), 0, 10, -1)
	if err := admin.CommitAllOffsets(t.Context(), group, offsets); err != nil {
		t.Fatal(err)
	}
	remove(topicOf(options), 30)
	runs, stderr, code := tryStream(t, options...)
	if got, want := all(runs[0]), "produced 90, delivered 70, pending 0, skipped 0, taken 0, lost 20, lag map[0:0]"; got != want || code != exitFailed {
		t.Error(got, "want", want, "exit code", code)
	}
	if !strings.Contains(stderr, "fclocal: partition 0: the offsets 10 to 29 were deleted before they were read\n") || !strings.Contains(stderr, "fclocal: 20 messages were deleted from the topic before they were read\n") {
		t.Errorf("it said\n%s", stderr)
	}
	if run := mustStream(t, options...)[0]; run.Lost != 0 {
		t.Errorf("lost once more: %s", all(run))
	}

	// While it runs, beyond what it has fetched ahead.
	big := make([]string, 60)
	for i := range big {
		noise := make([]byte, 100_000) // which cannot be compressed
		rand.Read(noise)
		big[i] = fmt.Sprintf(`{"n":%d,"text":"%x"}`, i, noise)
	}
	options = newTopic(t, 1, big...)
	s := begin(t, append(append(options, slowly...), "--event-time", "100ms")...)
	s.has(1)
	remove(topicOf(options), 55)
	run := s.end(exitFailed)
	if run.Lost == 0 || run.Lost+run.Delivered != 60 || run.Skipped != 0 || run.Pending != 0 {
		t.Errorf("while it runs: %s", all(run))
	}
	if want := fmt.Sprintf("fclocal: partition 0: the offsets %d to 54 were deleted before they were read\n", 55-run.Lost); !strings.Contains(s.said(), want) {
		t.Errorf("it said\n%s\nwant %s", s.said(), want)
	}
}

// Compacted records are no messages.
func TestClusterCompacted(t *testing.T) {
	client, admin := adminOf(t)
	defer client.Close()
	topic := fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())
	setting := func(value string) *string { return &value }
	if _, err := admin.CreateTopic(t.Context(), 1, 1, map[string]*string{
		"cleanup.policy": setting("compact"), "segment.ms": setting("200"), "min.cleanable.dirty.ratio": setting("0.001"), "max.compaction.lag.ms": setting("300"),
	}, topic); err != nil {
		t.Fatal(err)
	}
	produce := func(key string, n int) {
		for range n {
			if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte(`{}`)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	produce("a", 20)
	left := func() (n int) { // how many records a consumer gets
		reader, _ := adminOf(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		defer reader.Close()
		for {
			for _, r := range reader.PollFetches(t.Context()).Records() {
				if n++; string(r.Key) == "last" {
					return n
				}
			}
		}
	}
	for compacted := false; !compacted; { // a segment is closed by a later record
		time.Sleep(300 * time.Millisecond)
		produce("a", 1)
		produce("last", 1)
		compacted = left() < 5
	}
	run := mustStream(t, "--brokers", realCluster(t), "--until-end", "--set", "Topic="+topic, "--set", "ConsumerGroup="+topic, "--set", "TimeBasedWindow=0")[0]
	if run.Skipped < 15 || run.Pending != 0 || run.Lost != 0 || run.LagByPartition[0] != 0 {
		t.Error(all(run))
	}
}

// Another member of the group takes a partition, and all of what is in it.
func TestClusterOtherMember(t *testing.T) {
	options := newTopic(t, 2, values(2000)...)
	topic := topicOf(options)
	s := begin(t, append(options, slowly...)...)
	s.has(20)
	other, _ := adminOf(t, kgo.ConsumerGroup(topic+"-fclocal"), kgo.ConsumeTopics(topic), kgo.Balancers(kgo.RangeBalancer()))
	had := map[int32]int64{}
	for len(had) == 0 || had[0]+had[1] < 500 {
		for _, r := range other.PollFetches(t.Context()).Records() {
			had[r.Partition] = max(had[r.Partition], r.Offset+1)
		}
	}
	if err := other.CommitUncommittedOffsets(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.says(`is being rebalanced: a member or a partition has come or gone`)
	s.says(`goes on: 1 of 2 partitions are this run's`)
	s.signal(os.Interrupt)
	run := s.end(exitOK)
	if err := run.Check(); err != nil || run.Produced != 2000 || run.TakenByOthers == 0 {
		t.Errorf("%v: %s; the other had %v", err, all(run), had)
	}
	taken := maps.Clone(had)
	other.Close()
	next := mustStream(t, options...)[0]
	if next.Pending != 0 || next.Delivered < run.Pending-int64(len(taken))*10 {
		t.Errorf("then: %s after %s", all(next), all(run))
	}
}

// Figures are about the topic: after Ctrl-C in a backlog, what is left of it is pending.
// --until-end stops where the topic ended at the start, and --from begins elsewhere.
func TestClusterFigures(t *testing.T) {
	options := newTopic(t, 3, values(60_000)...)
	s := begin(t, append(options, slowly...)...)
	s.has(20)
	s.signal(os.Interrupt)
	run := s.end(exitOK)
	lag := int64(0)
	for _, n := range run.LagByPartition {
		lag += n
	}
	if run.Produced != 60_000 || run.Delivered+run.Pending != 60_000 || lag < run.Pending || len(run.LagByPartition) != 3 {
		t.Error(all(run))
	}

	few := newTopic(t, 1, values(100)...)
	topic := topicOf(few)
	s = begin(t, append(few, slowly...)...)
	s.has(10)
	client, _ := adminOf(t, kgo.DefaultProduceTopic(topic))
	defer client.Close()
	for range 50 { // come too late for it
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(`{}`)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	run = s.end(exitOK)
	if got, want := all(run), "produced 150, delivered 100, pending 50, skipped 0, taken 0, lost 0, lag map[0:50]"; got != want {
		t.Errorf("--until-end: %s", all(run))
	}
	at := time.Now().UTC().Format(time.RFC3339)
	for from, want := range map[string]int64{"beginning": 150, "end": 0, "140": 10, at: 0, "2026-01-01": 150} {
		if run := mustStream(t, append(few, "--from", from)...)[0]; run.Delivered != want || run.Pending != 0 {
			t.Errorf("--from %s: %s, want %d delivered", from, all(run), want)
		}
	}
	_, stderr, code := tryStream(t, append(few, "--from", "151")...)
	if want := `there is no offset 151 in topic "` + topic + `", partition 0, which has 0 to 150`; code != exitUsage || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, it said %s\nwant %s", code, stderr, want)
	}
}
