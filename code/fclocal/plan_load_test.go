package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/result"
)

// The same rate is harder to keep up with where much comes at once.
func TestPlanBursts(t *testing.T) {
	args := []string{"--rate", "300", "--for", "30m", "--call-time", "50ms", "--set", "concurrency=3"}
	poisson := mustPlan(t, args...)[0]
	bursts := mustPlan(t, append(args, "--arrivals", "bursts", "--burst-rate", "4", "--burst-for", "20s", "--group", "2")...)[0]
	if bursts.Produced != poisson.Produced || bursts.LatencyMs.P99 < 20*poisson.LatencyMs.P99 || bursts.LagMax < 5000 {
		t.Errorf("%d messages, p99 %v and %v ms, a lag of %d", bursts.Produced, poisson.LatencyMs.P99, bursts.LatencyMs.P99, bursts.LagMax)
	}
	if got, want := bursts.Load.Bursts, (result.Bursts{Rate: 4, ForSeconds: 20, EverySeconds: 300}); got == nil || *got != want || bursts.Load.Arrivals != "bursts" || bursts.Load.Group != 2 {
		t.Errorf("%+v, %+v", bursts.Load, got)
	}
	if poisson.Load.Bursts != nil || poisson.Load.Group != 0 {
		t.Errorf("%+v", poisson.Load)
	}
}

// What was measured is taken from files, and the result says so.
func TestPlanMeasured(t *testing.T) {
	dir := t.TempDir()
	times, sizes := filepath.Join(dir, "times.txt"), filepath.Join(dir, "sizes.txt")
	for path, content := range map[string]string{times: "20ms\n20\n20ms\n0.34s\n", sizes: "1000\n99000\n"} { // 100 ms, 50,000 bytes
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"--rate", "20", "--for", "10m", "--arrivals", "even", "--set", "CountBasedWindow=10", "--message-sizes", sizes, "--times", times}
	run := mustPlan(t, args...)[0]
	if l := run.LatencyMs; l.P99 < 700 || run.Load.EventBytes != 50_000 || run.Load.SizeFile != sizes || run.Function.CallTimeMs != 0 || run.Function.EventTimeMs != 0 {
		t.Errorf("%+v, %+v, %+v", l, run.Load, run.Function)
	}
	if want := (result.Times{File: times, Of: "call", MeanMs: 100}); run.Function.Times == nil || *run.Function.Times != want {
		t.Errorf("%+v, want %+v", run.Function.Times, want)
	}
	if units := run.Bill.Run.EventBridge.ByEvents.Events; math.Abs(units-18_000) > 300 { // half of the events count twice
		t.Errorf("%v events are billed, want 18000", units)
	}
	of := mustPlan(t, append(args, "--times-of", "event")...)[0]
	if calls, events := run.Bill.Run.FunctionCompute.Calls, of.Bill.Run.FunctionCompute.Calls; calls != events || of.LatencyMs.P50 < run.LatencyMs.P50+500 {
		t.Errorf("%v and %v calls, p50 %v and %v ms", calls, events, run.LatencyMs.P50, of.LatencyMs.P50)
	}
}

// What stream has consumed makes, replayed from the topic or from a file of it, the same
// batches and the same calls.
func TestPlanFromTopic(t *testing.T) {
	brokers := embeddedCluster(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.DefaultProduceTopic("xxx"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	random := rand.New(rand.NewPCG(1, 1))
	var records []*kgo.Record
	begin := time.Now().Add(-time.Minute)
	for i := range 600 {
		value := fmt.Sprintf(`{"text":"%s"}`, strings.Repeat(`\"`, random.IntN([]int{100, 5000}[i%2])))
		r := &kgo.Record{Value: []byte(value), Timestamp: begin.Add(time.Duration(i) * time.Millisecond)}
		if i%3 == 0 {
			r.Key, r.Headers = []byte("ключ"), []kgo.RecordHeader{{Key: "h", Value: []byte{0, 200}}}
		}
		records = append(records, r)
	}
	// It fits into no call, and closes the batch before it.
	records = append(records, &kgo.Record{Value: []byte(`"` + strings.Repeat("x", 200_000) + `"`), Timestamp: time.Now()})
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	set := []string{"--set", "asyncInvocationType=true", "--set", "CountBasedWindow=40", "--set", "TimeBasedWindow=15"}
	streamed := mustStream(t, append(set, "--brokers", brokers, "--until-end")...)[0]
	if streamed.Delivered != 600 || streamed.DeadLettered+streamed.Discarded != 1 || streamed.Calls <= 15 {
		t.Fatalf("%s, %d calls", counts(streamed), streamed.Calls)
	}
	file := filepath.Join(t.TempDir(), "load.csv.gz")
	plan := func(args ...string) result.Run {
		t.Helper()
		command := fclocal(t, append([]string{"plan", "--json"}, append(set, args...)...)...)
		var stderr bytes.Buffer
		command.Stderr = &stderr
		output, err := command.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, &stderr)
		}
		if want := "has 601 records in 1 partitions, from " + begin.UTC().Format("2006-01-02 15:04:05.000Z"); !strings.Contains(stderr.String(), want) {
			t.Errorf("%s does not say %q", &stderr, want)
		}
		var document struct{ Runs []result.Run }
		if err := json.Unmarshal(output, &document); err != nil {
			t.Fatal(err)
		}
		return document.Runs[0]
	}
	for _, load := range [][]string{{"--from-topic", "--brokers", brokers, "--save-load", file}, {"--from-file", file}} {
		run := plan(load...)
		if run.Calls != streamed.Calls || counts(run) != counts(streamed) {
			t.Errorf("%s: %d calls, %s; stream made %d, %s", load, run.Calls, counts(run), streamed.Calls, counts(streamed))
		}
		if got, want := run.Bill.Run.EventBridge.ByEvents.Events, streamed.Bill.Run.EventBridge.ByEvents.Events; got != want {
			t.Errorf("%s: %v events are billed, by stream %v", load, got, want)
		}
		if run.Load.Arrivals != "recorded" || run.Load.Messages != 601 || run.Load.Recording != map[string]string{"--from-topic": "xxx", "--from-file": file}[load[0]] {
			t.Errorf("%s: %+v", load, run.Load)
		}
	}
	// It holds nothing but times, partitions and sizes.
	zipped, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer zipped.Close()
	unzipped, err := gzip.NewReader(zipped)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := io.ReadAll(unzipped)
	if err != nil || !regexp.MustCompile(`^timestamp_ms,partition,bytes\n(\d+,0,\d+\n){601}$`).Match(lines) {
		t.Errorf("%v\n%.300s", err, lines)
	}
	admin := kadm.NewClient(client)
	if groups, err := admin.ListGroups(t.Context()); err != nil || len(groups) != 1 { // stream's
		t.Errorf("groups are left: %v, %v", groups, err)
	}
	if _, err := tryPlan("--from-topic", "--brokers", brokers, "--from", "2020-01-01", "--to", "2020-01-02"); fmt.Sprint(err) != `topic "xxx": there are no records to make a load of: look at --from, --to and eventRuleFilterPattern` {
		t.Error(err)
	}
	if _, err := tryPlan("--from-topic", "--brokers", brokers, "--topic", "none"); err == nil || !strings.Contains(err.Error(), `topic "none"`) {
		t.Error(err)
	}
}

// The same from a real cluster, whose transactions leave what is no record.
func TestClusterPlanFromTopic(t *testing.T) {
	options := newTopic(t, 4, values(400)...)
	topic := topicOf(options)
	client, err := kgo.NewClient(kgo.SeedBrokers(realCluster(t)), kgo.DefaultProduceTopic(topic), kgo.TransactionalID(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Value: []byte("{}")}, &kgo.Record{Value: []byte("{}")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := client.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	streamed := mustStream(t, options...)[0]
	command := fclocal(t, "plan", "--json", "--from-topic", "--brokers", realCluster(t), "--topic", topic)
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Runs []result.Run }
	if err := json.Unmarshal(output, &document); err != nil {
		t.Fatal(err)
	}
	if run := document.Runs[0]; run.Delivered != 402 || counts(run) != counts(streamed) || run.Load.Partitions != 4 {
		t.Errorf("%s in %d partitions; stream: %s", counts(run), run.Load.Partitions, counts(streamed))
	}
}
