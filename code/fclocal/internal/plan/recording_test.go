package plan

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fclocal/internal/trigger"
	"fclocal/internal/trouble"
)

// record makes a recording of what a task's messages are in a load.
func record(c Config) *Recording {
	d := newDriver(c)
	partitions := make([][]Record, len(d.tasks))
	for i, t := range d.tasks {
		for number := range t.total {
			bytes := int64(c.Load.EventBytes)
			if t.sizes != nil {
				bytes, _ = t.sizes.Sum(number, 1)
			}
			partitions[i] = append(partitions[i], Record{At: t.arrival(number), Partition: int32(i), Bytes: int32(bytes)})
		}
	}
	r := Merge(partitions)
	r.Name, r.For = "topic", c.Load.For
	return r
}

// A load gives the same answer when it is replayed.
func TestReplay(t *testing.T) {
	compared := 0
	for seed := range uint64(600) {
		c := randomConfig(seed)
		c.Load.Partitions, c.Load.Backlog, c.Load.Arrivals = c.Rules.MaximumTasks, 0, Even // chance is drawn as it is asked for
		if !c.Load.comes() || c.Load.For == 0 || c.Rules.TimeBasedWindow > 0 {             // windows begin empty
			continue
		}
		// No ties and no chance: what happens at the same moment may come in another order.
		c.Function.CallTime += 7_654_321
		c.Function.EventTime += 1_237
		c.Function.Spread, c.Function.Timeout, c.Function.Times = 0, 0, Times{}
		c.Trouble = trouble.Trouble{}
		c.Rules.MaxInstances, c.Rules.InstanceBurst = 100, 0
		want := mustRun(t, c)
		if want.Produced == 0 {
			continue
		}
		compared++
		replayed := c
		replayed.Load = record(c).Load()
		got := mustRun(t, replayed)
		if got.Calls != want.Calls || got.Wall != want.Wall || got.InstancesCreated != want.InstancesCreated {
			t.Errorf("seed %d: %d calls, %v, %d instances; want %d, %v, %d", seed, got.Calls, got.Wall, got.InstancesCreated, want.Calls, want.Wall, want.InstancesCreated)
		}
		if diff := cmp.Diff(want.Usage, got.Usage); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
		// Little's law: the mean lag is known exactly.
		if little := latencies(got).Mean / 1000 * float64(got.Delivered) / got.Wall.Seconds(); got.Delivered == got.Produced && math.Abs(got.LagMean-little) > 0.02*little+1e-6 {
			t.Errorf("seed %d: a mean lag of %v, want %v", seed, got.LagMean, little)
		}
		if err := check(replayed, got); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	if compared < 50 {
		t.Errorf("only %d compared", compared)
	}
}

// A replay keeps up if what is left at its end is under way.
func TestReplayKeepsUp(t *testing.T) {
	for _, test := range []struct {
		every time.Duration // a record comes
		want  bool
	}{{50 * time.Millisecond, true}, {30 * time.Millisecond, false}} {
		r := &Recording{Name: "topic", Partitions: 3, For: 10 * time.Minute}
		for at := time.Duration(0); at < r.For; at += test.every {
			r.Records = append(r.Records, Record{At: at, Partition: int32(len(r.Records) % 3), Bytes: 500})
		}
		c := Config{Rules: rules(), Load: r.Load(), Function: Function{EventTime: time.Second}, Drain: true} // 26 a second
		result := mustRun(t, c)
		if result.KeepsUp != test.want || result.Delivered != int64(len(r.Records)) {
			t.Errorf("one in %v: keeps up %v, a lag of %d at the end, %d delivered", test.every, result.KeepsUp, result.LagEnd, result.Delivered)
		}
		if want := fmt.Sprint(len(r.Records)); !strings.Contains(fmt.Sprint(c.Run(result).Load), want) {
			t.Errorf("%+v does not say %s", c.Run(result).Load, want)
		}
	}
}

func TestRecordingFile(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	want := &Recording{Partitions: 4, Begin: time.UnixMilli(1_790_000_000_123).UTC()}
	at := time.Duration(0)
	for i := range 1000 {
		want.Records = append(want.Records, Record{at, int32(i % 4), 1 + random.Int32N(1000)})
		want.For = at + time.Millisecond
		at += time.Duration(random.IntN(20)) * time.Millisecond
	}
	var plain, zipped bytes.Buffer
	if err := want.Write(&plain); err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(&zipped)
	w.Write(plain.Bytes())
	w.Close()
	for _, content := range [][]byte{plain.Bytes(), zipped.Bytes()} {
		want.Name = filepath.Join(t.TempDir(), "load.csv")
		if err := os.WriteFile(want.Name, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadRecording(want.Name); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v", err, got)
		}
	}
}

func TestRecordingMistakes(t *testing.T) {
	for _, test := range []struct{ content, want string }{
		{"", "load.csv: no line has a record, like 1790000000000,0,512"},
		{"timestamp_ms,partition,bytes\n# 5,0,1\n", "load.csv: no line has a record, like 1790000000000,0,512"},
		{"5,0,1\n\n6,0,1\r\n4,1,1\n", `load.csv:4: "4,1,1": its time is before that of the line above it: sort the lines by their time, as sort -n does`},
		{"5,0\n", `load.csv:1: "5,0": a line is timestamp_ms,partition,bytes, like 1790000000000,0,512`},
		{"5,0,1,2\n", `load.csv:1: "5,0,1,2": a line is timestamp_ms,partition,bytes, like 1790000000000,0,512`},
		{"5,0,1\ntimestamp_ms,partition,bytes\n", `load.csv:2: "timestamp_ms": the milliseconds since 1970 must be a whole number from 0 to 253370764800000`},
		{"-1,0,1\n", `load.csv:1: "-1": the milliseconds since 1970 must be a whole number from 0 to 253370764800000`},
		{"99999999999999999999,0,1\n", `load.csv:1: "99999999999999999999": the milliseconds since 1970 must be a whole number from 0 to 253370764800000`},
		{"5,-1,1\n", `load.csv:1: "-1": the partition must be a whole number from 0 to 99999`},
		{"5,2000000000,1\n", `load.csv:1: "2000000000": the partition must be a whole number from 0 to 99999`},
		{"5,0,0\n", `load.csv:1: "0": the bytes must be a whole number from 1 to 2147483647`},
		{"5,0,1e3\n", `load.csv:1: "1e3": the bytes must be a whole number from 1 to 2147483647`},
		{"5,0,\x1b[31m\n", `load.csv:1: "\x1b[31m": the bytes must be a whole number from 1 to 2147483647`},
		{"5,0,1\n400000000000,0,1\n", `load.csv:2: "400000000000,0,1": its time is more than ten years after the first one`},
		{strings.Repeat("1", 1<<17), "load.csv:1: bufio.Scanner: token too long"},
		{"\x1f\x8bno", "load.csv: unexpected EOF"},
	} {
		if _, err := parseRecording("load.csv", strings.NewReader(test.content)); fmt.Sprint(err) != test.want {
			t.Errorf("%.20q: %v, want %s", test.content, err, test.want)
		}
	}
	good := &Recording{Partitions: 1, For: time.Second, Records: []Record{{0, 0, 1}, {5, 0, 1}}}
	for want, change := range map[string]func(r *Recording, l *Load){
		"must be all of the load":       func(_ *Recording, l *Load) { l.Group = 5 },
		"must have records":             func(r *Recording, _ *Load) { r.Records = nil },
		"must be in order of time":      func(r *Recording, _ *Load) { r.Records[0].At = 6 },
		"must come while it lasts":      func(r *Recording, _ *Load) { r.Records[1].At = time.Minute },
		"must have a partition and byt": func(r *Recording, _ *Load) { r.Records[1].Partition = 1 },
	} {
		r := *good
		r.Records = slices.Clone(good.Records)
		l := r.Load()
		change(&r, &l)
		if _, err := Run(t.Context(), Config{Rules: rules(), Load: l}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The sizes of any records in a row are those of the records.
func TestRecordedSizes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	r := &Recording{Partitions: 3, For: time.Second}
	for range 1000 {
		r.Records = append(r.Records, Record{0, random.Int32N(3), 1 + random.Int32N(200_000)})
	}
	d := newDriver(Config{Rules: rules(), Load: r.Load()})
	task := d.tasks[0]
	if task.total != 1000 {
		t.Fatalf("%d messages", task.total)
	}
	for range 1000 {
		first := random.Int64N(1000)
		count := random.IntN(int(1001 - first))
		bytes, units := int64(0), int64(0)
		for _, record := range r.Records[first:][:count] {
			bytes, units = bytes+int64(record.Bytes), units+trigger.EventUnits(int64(record.Bytes))
		}
		if gotBytes, gotUnits := task.sizes.Sum(first, count); gotBytes != bytes || gotUnits != units {
			t.Fatalf("%d from %d on: %d bytes, %d units; want %d, %d", count, first, gotBytes, gotUnits, bytes, units)
		}
	}
}

// A day's ten million records take a few seconds.
func BenchmarkReplay(b *testing.B) {
	r := &Recording{Name: "topic", Partitions: 100, For: day}
	const records = 10_000_000
	for i := range records {
		r.Records = append(r.Records, Record{day / records * time.Duration(i), int32(i % 100), 1000})
	}
	c := Config{Rules: rules(), Load: r.Load(), Function: Function{CallTime: 50 * time.Millisecond}, Drain: true}
	c.Rules.MaximumTasks = 12
	b.ReportAllocs()
	for b.Loop() {
		mustRun(b, c)
	}
	b.ReportMetric(records*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
