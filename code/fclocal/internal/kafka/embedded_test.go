package kafka

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

func TestStartEmbeddedErrors(t *testing.T) {
	ctx := context.Background()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	data := t.TempDir()
	e, err := StartEmbedded(ctx, EmbeddedOptions{Topic: "kept", Partitions: 3, DataDir: data})
	if err != nil {
		t.Fatal(err)
	}
	_, err = StartEmbedded(ctx, EmbeddedOptions{Topic: "kept", Partitions: 3, DataDir: data})
	checkError(t, err, "data directory "+data+": another fclocal uses it; wait for its end or name another directory")
	checkError(t, e.CreateTopic(ctx, "kept", 3), "")
	checkError(t, e.CreateTopic(ctx, "a b", 3), `topic "a b": a name is 1 to 249 letters, digits, dots, underscores and hyphens, other than . and .. alone`)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "meta.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}

	const name = ": a name is 1 to 249 letters, digits, dots, underscores and hyphens, other than . and .. alone"
	tests := map[string]struct {
		options EmbeddedOptions
		err     string
	}{
		"no topic":                {EmbeddedOptions{Partitions: 1}, `topic ""` + name},
		"topic with a slash":      {EmbeddedOptions{Topic: "a/b", Partitions: 1}, `topic "a/b"` + name},
		"topic of dots":           {EmbeddedOptions{Topic: "..", Partitions: 1}, `topic ".."` + name},
		"topic too long":          {EmbeddedOptions{Topic: strings.Repeat("x", 250), Partitions: 1}, `topic "xxx...`},
		"no partition":            {EmbeddedOptions{Topic: "xxx"}, `topic "xxx": 0 partitions; it must be 1 to 1000`},
		"too many partitions":     {EmbeddedOptions{Topic: "xxx", Partitions: 1001}, `topic "xxx": 1001 partitions; it must be 1 to 1000`},
		"other partitions":        {EmbeddedOptions{Topic: "kept", Partitions: 4, DataDir: data}, `topic "kept" has 3 partitions in the data directory, not 4; ask for 3 or name another directory`},
		"data directory a file":   {EmbeddedOptions{Topic: "xxx", Partitions: 1, DataDir: file}, "mkdir " + file + ": not a directory"},
		"data directory broken":   {EmbeddedOptions{Topic: "xxx", Partitions: 1, DataDir: broken}, "embedded Kafka in " + broken + ": loading persisted state: ..."},
		"port in use":             {EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: busy.Addr().String()}}}, "listen address " + busy.Addr().String() + ": the port is in use; choose another, or 0 for a free one"},
		"no port":                 {EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: "127.0.0.1"}}}, `listen address "127.0.0.1": it must be HOST:PORT, as 127.0.0.1:9092`},
		"wildcard":                {EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: "0.0.0.0:9092"}}}, `listen address "0.0.0.0:9092": Kafka tells clients where to connect to: name the host that they know, here or with --advertise`},
		"wildcard, no host":       {EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: ":9092"}}}, `listen address ":9092": Kafka tells clients where to connect to: name the host that they know, here or with --advertise`},
		"advertise, no port":      {EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: "127.0.0.1:0", Advertise: "host"}}}, `advertised address "host": it must be a HOST:PORT that clients can connect to, as host.docker.internal:9092`},
		"advertise, port 0":       {EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: "127.0.0.1:0", Advertise: "host:0"}}}, `advertised address "host:0": it must be a HOST:PORT ...`},
		"advertise a wildcard":    {EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: "0.0.0.0:0", Advertise: "[::]:9092"}}}, `advertised address "[::]:9092": it must be a HOST:PORT ...`},
		"second port in use":      {EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: "127.0.0.1:0"}, {Address: busy.Addr().String()}}}, "listen address " + busy.Addr().String() + ": the port is in use; choose another, or 0 for a free one"},
		"address of another host": {EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: "192.0.2.1:9092"}}}, `listen address 192.0.2.1:9092: listen tcp 192.0.2.1:9092: bind: ...`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			temporary := t.TempDir()
			t.Setenv("TMPDIR", temporary)
			e, err := StartEmbedded(ctx, test.options)
			checkError(t, err, test.err)
			if err == nil {
				e.Close()
			}
			if left, _ := os.ReadDir(temporary); len(left) > 0 {
				t.Errorf("left behind: %s", left[0].Name())
			}
		})
	}
}

func TestEmbeddedClose(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	e, err := StartEmbedded(context.Background(), EmbeddedOptions{Topic: "xxx", Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(e.Address(), "127.0.0.1:") {
		t.Errorf("listens at %s", e.Address())
	}
	produce(t, e, "xxx", 100)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(temporary); len(left) > 0 {
		t.Errorf("left behind: %s", left[0].Name())
	}
	listener, err := net.Listen("tcp", e.Address()) // the port is free again
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
}

// An independent client, told nothing but the address, produces and consumes.
func TestEmbeddedListen(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{{Address: "localhost:0"}}})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(e.Address()), kgo.ConsumeTopics("xxx"), kgo.DefaultProduceTopic("xxx"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, kgo.StringRecord("hello")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	fetches := client.PollFetches(ctx)
	if err := fetches.Err(); err != nil {
		t.Fatal(err)
	}
	if records := fetches.Records(); len(records) != 1 || string(records[0].Value) != "hello" {
		t.Errorf("%v", records)
	}
}

// Each listener tells its clients its own address, or the one that is advertised.
func TestEmbeddedAdvertise(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1, Listen: []Listener{
		{Address: "0.0.0.0:0", Advertise: "one.invalid:1111"}, {Address: "127.0.0.1:0", Advertise: "[fd00::1]:2222"}, {Address: "127.0.0.1:0"},
	}})
	third := e.Listeners()[2].Address
	for i, want := range []string{"one.invalid:1111", "[fd00::1]:2222", third} {
		at := e.Listeners()[i]
		if at.Advertise != want {
			t.Errorf("listener %d: %+v", i, at)
		}
		for _, versions := range []*kversion.Versions{kversion.Stable(), kversion.V1_0_0()} {
			checkAdvertised(t, at.Address, want, versions)
		}
	}
	wide, loopback := e.Listeners()[0].String(), e.Listeners()[2].String()
	if want := e.Listeners()[0].Address + ", which they are told is one.invalid:1111; nothing keeps other machines out"; wide != want || !strings.HasPrefix(wide, "0.0.0.0:") || loopback != third {
		t.Errorf("told as %q and %q", wide, loopback)
	}
	read(t, e, "xxx", 6) // by fclocal's own client, which knows better than what it is told
}

// checkAdvertised has a client of the versions connect to the address, where it is to
// be told what is wanted, and produces a record.
func checkAdvertised(t *testing.T, at, want string, versions *kversion.Versions) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(at), kgo.MaxVersions(versions), kgo.DisableIdempotentWrite(), kgo.Dialer(
		func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, at)
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	check := func(answer, host string, port int32) {
		t.Helper()
		if got := net.JoinHostPort(host, strconv.Itoa(int(port))); got != want {
			t.Errorf("%s: %s, want %s", answer, got, want)
		}
	}
	metadata, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	check("metadata", metadata.Brokers[0].Host, metadata.Brokers[0].Port)
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorKey, find.CoordinatorKeys = "g", []string{"g"}
	found, err := find.RequestWith(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Coordinators) > 0 {
		check("coordinators", found.Coordinators[0].Host, found.Coordinators[0].Port)
	} else {
		check("coordinator", found.Host, found.Port)
	}
	if versions.HasKey(int16(kmsg.DescribeCluster)) {
		cluster, err := kmsg.NewPtrDescribeClusterRequest().RequestWith(ctx, client)
		if err != nil {
			t.Fatal(err)
		}
		check("cluster", cluster.Brokers[0].Host, cluster.Brokers[0].Port)
	}
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "xxx", Value: []byte("hello")}).FirstErr(); err != nil {
		t.Error(err)
	}
}

type list []Message

func (l *list) Next() (Message, error) {
	if len(*l) == 0 {
		return Message{}, io.EOF
	}
	m := (*l)[0]
	*l = (*l)[1:]
	return m, nil
}

// read returns all records of a topic by partition.
func read(t *testing.T, e *Embedded, topic string, n int) map[int32][]*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := e.cluster.client(kgo.ConsumeTopics(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	records := make(map[int32][]*kgo.Record)
	for n > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { records[r.Partition] = append(records[r.Partition], r) })
		n -= fetches.NumRecords()
	}
	return records
}

func TestProduce(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 4})
	large := []byte(strings.Repeat("x", 33<<20))
	source := list{
		{Value: []byte("a"), Partition: AnyPartition},
		{Value: []byte("b"), Partition: AnyPartition},
		{Value: []byte("key"), Key: []byte("21"), Partition: AnyPartition}, // murmur2: see below
		{Value: nil, Key: []byte("21"), Partition: 3},
		{Value: []byte("c"), Partition: AnyPartition, Headers: []kgo.RecordHeader{header("h", []byte("1"))}},
		{Value: []byte{}, Partition: AnyPartition},
		{Value: large, Partition: AnyPartition},
	}
	var mu sync.Mutex
	produced := make(map[int32][]int64)
	before := time.Now().Truncate(time.Millisecond)
	n, err := e.Produce(context.Background(), &source, ProduceOptions{
		Topic: "xxx", Rate: 1e6,
		Acknowledged: func(partition int32, offset int64) {
			mu.Lock()
			defer mu.Unlock()
			produced[partition] = append(produced[partition], offset)
		},
	})
	if n != 7 || err != nil {
		t.Fatalf("%d produced, error %v", n, err)
	}
	after := time.Now()

	// Apache Kafka: Utils.toPositive(Utils.murmur2("21".getBytes())) is
	// -973932308 & 0x7fffffff, which modulo 4 is 0.
	got := make(map[int32][]string)
	offsets := make(map[int32][]int64)
	for partition, records := range read(t, e, "xxx", 7) {
		for _, r := range records {
			text := fmt.Sprintf("%.9s", r.Value)
			if r.Value == nil {
				text = "null"
			}
			got[partition] = append(got[partition], fmt.Sprintf("%s %s %d", r.Key, text, len(r.Headers)))
			offsets[partition] = append(offsets[partition], r.Offset)
			if r.Timestamp.Before(before) || r.Timestamp.After(after) {
				t.Errorf("timestamp %v, produced from %v to %v", r.Timestamp, before, after)
			}
		}
	}
	want := map[int32][]string{
		0: {" a 0", "21 key 0", " xxxxxxxxx 0"},
		1: {" b 0"},
		2: {" c 1"},
		3: {"21 null 0", "  0"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(offsets, produced); diff != "" {
		t.Error("told as produced:", diff)
	}
}

// More than is sent at a time: it comes whole and in order.
func TestProduceMany(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 3})
	const n = 100_000
	produce(t, e, "xxx", n)
	for partition, records := range read(t, e, "xxx", n) {
		for i, r := range records {
			if want := strconv.Itoa(3*i + int(partition)); r.Offset != int64(i) || string(r.Value) != want {
				t.Fatalf("partition %d, offset %d: %s, not %s", partition, r.Offset, r.Value, want)
			}
		}
	}
}

func TestProduceErrors(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 2})
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	file := func(text string) Source {
		source, err := NewMessages("messages.jsonl", strings.NewReader(text), Format{})
		if err != nil {
			t.Fatal(err)
		}
		return source
	}
	huge := "1\n\"" + strings.Repeat("x", 64<<20-3) + "\"\n"
	tests := map[string]struct {
		ctx      context.Context
		source   Source
		options  ProduceOptions
		produced int64
		err      string
	}{
		"partition out of range": {source: file("1\n2\n{\"value\":1,\"partition\":2}\n4"), produced: 2, err: "messages.jsonl:3: partition 2: topic xxx has the partitions 0 to 1"},
		"line is no JSON":        {source: file("1\nx"), produced: 1, err: "messages.jsonl:2: column 1: no JSON value: invalid character 'x' looking for beginning of value"},
		"cancelled":              {ctx: cancelled, source: file("1"), err: "context canceled"},
		"unknown topic":          {source: file("1"), options: ProduceOptions{Topic: "yyy"}, err: `topic "yyy" has not been created`},
		"rate below 0":           {source: file("1"), options: ProduceOptions{Topic: "xxx", Rate: -1}, err: "rate -1: it must be a number of messages a second, or 0 for all at once"},
		"longest line":           {source: file(huge), produced: 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.ctx == nil {
				test.ctx = context.Background()
			}
			if test.options.Topic == "" {
				test.options.Topic = "xxx"
			}
			n, err := e.Produce(test.ctx, test.source, test.options)
			checkError(t, err, test.err)
			if n != test.produced {
				t.Errorf("%d produced, not %d", n, test.produced)
			}
		})
	}
}

// A cancelled Produce knows how many records were taken.
func TestProduceCancel(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1})
	ctx, cancel := context.WithCancelCause(context.Background())
	stopped := errors.New("stopped")
	n, err := e.Produce(ctx, Repeat(func() Message { return Message{Value: []byte("x"), Partition: AnyPartition} }, 1e9), ProduceOptions{
		Topic: "xxx",
		Acknowledged: func(_ int32, offset int64) {
			if offset == 5000 {
				cancel(stopped)
			}
		},
	})
	if err != stopped {
		t.Errorf("error %v", err)
	}
	if end := len(read(t, e, "xxx", int(n))[0]); int64(end) != n || n < 5000 {
		t.Errorf("%d produced, %d there", n, end)
	}
}

// A process that is killed with -9 loses no record and no committed offset that
// it was told of. The process is this test, started again.
func TestEmbeddedKill(t *testing.T) {
	const variable, n = "FCLOCAL_TEST_DATA_DIR", 1000
	ctx := context.Background()
	options := EmbeddedOptions{Topic: "xxx", Partitions: 3, DataDir: os.Getenv(variable)}
	if options.DataDir != "" {
		e, err := StartEmbedded(ctx, options)
		if err != nil {
			t.Fatal(err)
		}
		produce(t, e, "xxx", n)
		consumers, err := e.Cluster().Consume(ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 2, OffsetReset: "earliest"})
		if err != nil {
			t.Fatal(err)
		}
		for event := range consumers.Updates() {
			if event.Kind == Records {
				last := event.Records[len(event.Records)-1]
				consumers.Commit(event.Task, map[int32]int64{last.Partition: 100})
			}
			event.Done()
			if lags, err := consumers.lag(ctx); err != nil {
				t.Fatal(err)
			} else if slices.ContainsFunc([]partitionLag{lags[0], lags[1], lags[2]}, func(l partitionLag) bool { return l.Committed == 100 }) {
				process, _ := os.FindProcess(os.Getpid())
				process.Kill()
				select {}
			}
		}
	}

	options.DataDir = t.TempDir()
	command := exec.Command(os.Args[0], "-test.run=^TestEmbeddedKill$")
	command.Env = append(os.Environ(), variable+"="+options.DataDir)
	if output, err := command.CombinedOutput(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("%v\n%s", err, output)
	}
	e := start(t, options)
	c := consume(t, e.Cluster(), ConsumerOptions{Topic: "xxx", Group: "g", Tasks: 1, OffsetReset: "earliest"})
	assigned := c.wait(t, Assigned)
	resumed := 0
	for _, p := range assigned.Partitions {
		if !p.Reset && p.Offset == 100 {
			resumed++
		}
	}
	if len(assigned.Partitions) != 3 || resumed == 0 {
		t.Errorf("goes on at %+v", assigned.Partitions)
	}
	read(t, e, "xxx", n)
}

// Other programs of this machine are kept out unless there is an address for them, and
// a request that announces gigabytes, or is none, ends its connection.
func TestEmbeddedIsClosed(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 1})
	other := Cluster{Brokers: []string{e.Address()}}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if _, err := other.Partitions(ctx, "xxx"); err == nil || !strings.Contains(err.Error(), "closes the connection: check if it wants TLS, SASL") {
		t.Errorf("error %v of a client without a password", err)
	}
	other.SASL = &SASL{Mechanism: "PLAIN", User: "fclocal", Password: "guessed"}
	if _, err := other.Partitions(ctx, "xxx"); err == nil || !strings.Contains(err.Error(), "closes the connection") {
		t.Errorf("error %v with a wrong password", err)
	}

	for name, parts := range map[string][]string{
		"2 GB":                  {"\x7f\xff", "\xff\xf0more"},
		"of no kind":            {"\x00\x00\x00\x08\x7f\xff\x00\x00", "\x00\x00\x00\x01"},
		"of a negative version": {"\x00\x00\x00\x08\x00\x03\xff\xff\x00\x00\x00\x01"},
		"too short":             {"\x00\x00\x00\x02\x00\x03"},
	} {
		connection, err := net.Dial("tcp", e.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		for _, part := range parts {
			if _, err := connection.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		connection.SetReadDeadline(time.Now().Add(patience))
		if n, err := connection.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a request %s: %d bytes, %v; want the connection to be closed", name, n, err)
		}
	}
}

// What the embedded cluster drops of a damaged directory is told, and nothing where a
// kill has only cut the last write short.
func TestEmbeddedDamage(t *testing.T) {
	const n = 5000
	filled := func() string {
		data := t.TempDir()
		e, err := StartEmbedded(t.Context(), EmbeddedOptions{Topic: "xxx", Partitions: 1, DataDir: data})
		if err != nil {
			t.Fatal(err)
		}
		produce(t, e, "xxx", n)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		return data
	}
	segment := func(data string) string {
		segments, err := filepath.Glob(filepath.Join(data, "partitions", "xxx-0", "*.dat"))
		if err != nil || len(segments) != 1 {
			all, _ := exec.Command("find", data).Output()
			t.Fatalf("segments %q, %v in\n%s", segments, err, all)
		}
		return segments[0]
	}
	for _, test := range []struct {
		name   string
		damage func(path string, size int64) error
		lost   string // a pattern of the error; "" if nothing is
	}{
		{"none", func(string, int64) error { return nil }, ""},
		{"a torn write", func(path string, _ int64) error {
			file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer file.Close()
			_, err = file.WriteString("torn")
			return err
		}, ""},
		{"cut in half", func(path string, size int64) error { return os.Truncate(path, size/2) }, `\d+ records of topic "xxx", partition 0 are lost`},
		{"a byte", func(path string, size int64) error {
			file, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				return err
			}
			defer file.Close()
			_, err = file.WriteAt([]byte{0xff, 0xff, 0xff}, size/2)
			return err
		}, `\d+ records of topic "xxx", partition 0 are lost`},
		{"gone", func(path string, _ int64) error { return os.RemoveAll(filepath.Dir(path)) }, `5000 records of topic "xxx", partition 0 are lost`},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := filled()
			path := segment(data)
			info, err := os.Stat(path)
			if err == nil {
				err = test.damage(path, info.Size())
			}
			if err != nil {
				t.Fatal(err)
			}
			options := EmbeddedOptions{Topic: "xxx", Partitions: 1, DataDir: data}
			e, err := StartEmbedded(t.Context(), options)
			if test.lost == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := len(read(t, e, "xxx", n)[0]); got != n {
					t.Errorf("%d records, want %d", got, n)
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			if want := regexp.MustCompile(`^data directory .* is damaged: ` + test.lost + `; --accept-loss goes on without them$`); err == nil || !want.MatchString(err.Error()) {
				t.Fatalf("error %v, want %s", err, want)
			}
			told := ""
			options.AcceptLoss, options.Lost = true, func(what string) { told += what }
			e, err = StartEmbedded(t.Context(), options)
			if err != nil || !regexp.MustCompile(test.lost).MatchString(told) {
				t.Fatalf("error %v, told %q", err, told)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// elsewhere is a listener that tells clients another address than its own.
type elsewhere struct{ net.Listener }

func (elsewhere) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// A broker that tells clients an address which they cannot reach, as one in a
// container does, is found out at once, and by what is to be changed.
func TestUnreachableBroker(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(func(string, string) (net.Listener, error) { return elsewhere{listener}, nil }))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	at := listener.Addr().String()
	_, err = Cluster{Brokers: []string{at}}.Partitions(t.Context(), "xxx")
	checkError(t, err, "cluster at "+at+" tells clients to connect to 127.0.0.1:1, which cannot be reached: set the broker's advertised.listeners to an address that this machine knows: ...")
}

// The certificate is for the host that the user names, and not for the one that the
// broker tells.
func TestBrokerOfAnotherHost(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "xxx"), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	_, port, _ := net.SplitHostPort(cluster.ListenAddrs()[0])
	trusted := x509.NewCertPool()
	trusted.AddCert(certificate)
	real := Cluster{Brokers: []string{"localhost:" + port}, TLS: &tls.Config{RootCAs: trusted}}
	_, err = real.Partitions(t.Context(), "xxx")
	checkError(t, err, "cluster at localhost:"+port+" has a certificate for other hosts: connect to one of those, name one by --tls-server-name, "+
		"or take any by ssl.endpoint.identification.algorithm= (empty) in --kafka-config: ...")
	if !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("which host it is not said: %v", err)
	}
	real.TLS.ServerName = "localhost"
	if n, err := real.Partitions(t.Context(), "xxx"); n != 1 || err != nil {
		t.Errorf("%d partitions, error %v", n, err)
	}
}

// What a group has committed is deleted, and nothing else.
func TestForget(t *testing.T) {
	e := start(t, EmbeddedOptions{Topic: "xxx", Partitions: 2})
	produce(t, e, "xxx", 100) // to the partitions in turn
	client, err := e.cluster.client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	offsets := kadm.Offsets{}
	offsets.AddOffset("xxx", 0, 30, -1)
	if _, err := admin.CommitOffsets(t.Context(), "group", offsets); err != nil {
		t.Fatal(err)
	}
	e.forget(t.Context(), admin, "group", "xxx")
	starts, err := admin.ListStartOffsets(t.Context(), "xxx")
	if err != nil {
		t.Fatal(err)
	}
	for partition, want := range map[int32]int64{0: 30, 1: 0} {
		if got, _ := starts.Lookup("xxx", partition); got.Offset != want {
			t.Errorf("partition %d begins at %d, want %d", partition, got.Offset, want)
		}
	}
	if got := len(read(t, e, "xxx", 70)[0]); got != 20 {
		t.Errorf("%d records are left in partition 0, want 20", got)
	}
}
