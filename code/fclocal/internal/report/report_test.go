package report

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update accepts it):\n%s", path, diff)
	}
}

// experiment is a run of the post's experiments: 130 events of 500 ms through
// 26 concurrent calls.
func experiment(instanceConcurrency int) Run {
	bound := (26 + instanceConcurrency - 1) / instanceConcurrency
	run := Run{
		MaximumTasks: 4, Concurrency: 26, CountBasedWindow: 1, TimeBasedWindow: 0,
		ErrorsTolerance: "ALL", PushRetryStrategy: "BACKOFF_RETRY",
		InstanceConcurrency: instanceConcurrency, MemorySize: 512, Timeout: 60, EventSchema: "CloudEvents",

		Partitions: 1, IdleTasks: 3, Instances: bound, InstancesBound: bound, PeakInFlight: 26,
		Produced: 130, Delivered: 130, Calls: 130,
		EventsPerCall: 1, EventsPerSecond: 51.4 - float64(bound)/10,
		LatencyMs:  LatencyMs{1512.3049, 2534.12, 2540, 2541.7},
		ColdStarts: bound, ColdStartMs: 12.3 + float64(bound), PeakMemoryMB: 11.75 + float64(instanceConcurrency)/4,
		WallSeconds: 2.53 + float64(bound)/100,
	}
	for at := time.Duration(0); at <= 2600*time.Millisecond; at += 100 * time.Millisecond {
		s := Sample{At: at, Instances: min(bound, 1+int(at/(20*time.Millisecond)))}
		if at < 2500*time.Millisecond {
			s.InFlight = min(26, s.Instances*instanceConcurrency)
		}
		if at > 500*time.Millisecond {
			s.EventsPerSecond = 52
		}
		run.Samples = append(run.Samples, s)
	}
	return run
}

func experiments() []Run {
	var runs []Run
	for _, instanceConcurrency := range []int{26, 13, 5, 2, 1} {
		runs = append(runs, experiment(instanceConcurrency))
	}
	return runs
}

// failures are runs with one bad message among 100,000.
func failures() []Run {
	var runs []Run
	for _, tolerance := range []string{"ALL", "NONE"} {
		for _, strategy := range []string{"BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY"} {
			run := experiment(2)
			run.Partitions, run.IdleTasks = 8, 0
			run.ErrorsTolerance, run.PushRetryStrategy = tolerance, strategy
			run.CountBasedWindow, run.TimeBasedWindow = 100, 1
			run.Produced, run.Calls, run.EventsPerCall, run.EventsPerSecond = 100_000, 1003, 99.7, 12345.6
			run.LatencyMs = LatencyMs{0.512, 99.96, 1499, 90061000}
			run.WallSeconds, run.PeakMemoryMB = 90100, 0
			run.Retries, run.Redelivered = 3, 12
			switch {
			case tolerance == "NONE":
				run.Delivered, run.Pending, run.LatencyMs.Max = 41_700, 58_300, 3_600_000
				run.Stopped = "batch 418 (partition 3, offsets 5200 to 5299) failed after 4 attempts: UnhandledInvocationError: 坏消息在第 42 个事件"
			case strategy == "BACKOFF_RETRY":
				run.Delivered, run.DeadLettered = 99_900, 100
			default:
				run.Delivered, run.Discarded, run.Filtered = 99_880, 100, 20
			}
			runs = append(runs, run)
		}
	}
	return runs
}

func TestJSON(t *testing.T) {
	odd := experiment(5)
	odd.Set = map[string]string{"MaximumRetryAttempts": "3"}
	odd.Stopped = "batch 1 failed: <\"坏\" & gone>"
	odd.EventsPerCall, odd.EventsPerSecond = math.NaN(), math.Inf(1)
	odd.LatencyMs = LatencyMs{math.NaN(), math.Inf(-1), 1e308, 0.0004}
	for _, test := range []struct {
		golden string
		runs   []Run
	}{
		{"none.json", nil},
		{"one.json", []Run{experiment(26)}},
		{"odd.json", []Run{odd, experiment(1)}},
	} {
		t.Run(test.golden, func(t *testing.T) {
			var out bytes.Buffer
			if err := JSON(&out, test.runs); err != nil {
				t.Fatal(err)
			}
			golden(t, test.golden, out.String())
		})
	}
	if !math.IsNaN(odd.EventsPerCall) {
		t.Error("JSON changed the run")
	}
}

func TestTable(t *testing.T) {
	chinese := experiments()[:3]
	for i, topic := range []string{"订单", "orders", "ご注文カタログ"} {
		chinese[i].Set = map[string]string{"Topic": topic, "ConsumerGroup": "消费者"}
	}
	same := []Run{experiment(5), experiment(5)}
	idle := experiment(1)
	idle.Produced, idle.Delivered, idle.Calls, idle.Instances, idle.ColdStarts = 0, 0, 0, 0, 0
	idle.PeakInFlight, idle.PeakMemoryMB = 0, 0
	idle.EventsPerCall, idle.EventsPerSecond = math.NaN(), math.NaN()
	partitions := experiments()[:3]
	for i, n := range []int{4, 2, 8} {
		partitions[i].InstanceConcurrency, partitions[i].Partitions, partitions[i].IdleTasks = 5, n, max(4-n, 0)
	}
	for _, test := range []struct {
		golden string
		runs   []Run
		width  int
	}{
		{"none.txt", nil, 80},
		{"one.txt", experiments()[:1], 80},
		{"one-stopped-50.txt", failures()[3:], 50},
		{"one-idle.txt", []Run{idle}, 0},
		{"experiments-80.txt", experiments(), 80},
		{"experiments-160.txt", experiments(), 160},
		{"experiments.txt", experiments(), 0},
		{"failures-80.txt", failures(), 80},
		{"failures-200.txt", failures(), 200},
		{"partitions-160.txt", partitions, 160},
		{"chinese-100.txt", chinese, 100},
		{"same-settings-160.txt", same, 160},
	} {
		t.Run(test.golden, func(t *testing.T) {
			var out bytes.Buffer
			if err := Table(&out, test.runs, test.width); err != nil {
				t.Fatal(err)
			}
			golden(t, test.golden, out.String())
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSuffix(line, "\n")
				if columns := text.StringWidthWithoutEscSequences(line); test.width > 0 && columns > test.width {
					t.Errorf("%d columns: %s", columns, line)
				}
				if strings.HasSuffix(line, " ") {
					t.Errorf("ends with a space: %q", line)
				}
			}
		})
	}
}

// The last column is aligned to the right, so all rows of a table end there.
func TestTableAlignsWideCharacters(t *testing.T) {
	runs := experiments()
	for i, topic := range []string{"订单", "orders", "ご注文カタログ", "주문", "commandes à é"} {
		runs[i].Set = map[string]string{"Topic": topic}
	}
	var out bytes.Buffer
	if err := Table(&out, runs, 0); err != nil {
		t.Fatal(err)
	}
	_, rows, _ := strings.Cut(strings.TrimSuffix(out.String(), "\n"), "─\n")
	for row := range strings.SplitSeq(rows, "\n") {
		first, _, _ := strings.Cut(rows, "\n")
		if got, want := text.StringWidthWithoutEscSequences(row), text.StringWidthWithoutEscSequences(first); got != want {
			t.Errorf("%d columns, want %d: %s", got, want, row)
		}
	}
}

func TestDuration(t *testing.T) {
	for _, test := range []struct {
		milliseconds float64
		want         string
	}{
		{0, "0 ms"},
		{0.512, "0.51 ms"},
		{9.996, "10.0 ms"},
		{99.96, "100 ms"},
		{999.4, "999 ms"},
		{999.6, "1.00 s"},
		{1000, "1 s"},
		{12345, "12.3 s"},
		{119_400, "119 s"},
		{120_000, "2 min"},
		{7_140_000, "119 min"},
		{7_200_000, "2 h"},
		{86_400_000, "24 h"},
		{9_000_000_000, "2,500 h"},
	} {
		if got := duration(test.milliseconds); got != test.want {
			t.Errorf("duration(%v) = %q, want %q", test.milliseconds, got, test.want)
		}
	}
}

func TestAccounting(t *testing.T) {
	for _, test := range []struct {
		name string
		run  Run
		want string // the error; "" if it adds up
	}{
		{"nothing", Run{}, ""},
		{"all", Run{Produced: 15, Delivered: 1, DeadLettered: 2, Discarded: 3, Filtered: 4, Pending: 5}, ""},
		{"redelivered do not count", Run{Produced: 10, Delivered: 10, Redelivered: 3}, ""},
		{"missing", Run{Produced: 1000, Delivered: 990, DeadLettered: 5, Pending: 3},
			"the accounting does not add up: of 1000 messages produced, 990 delivered, 5 dead-lettered, 0 discarded, 0 filtered, 3 pending: 2 missing"},
		{"too many", Run{Produced: 10, Delivered: 10, Discarded: 1},
			"the accounting does not add up: of 10 messages produced, 10 delivered, 0 dead-lettered, 1 discarded, 0 filtered, 0 pending: 1 too many"},
		{"a negative count hides none", Run{Produced: 10, Delivered: 12, Pending: -2},
			"the accounting does not add up: -2 messages are pending"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := Accounting(test.run); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("Accounting:\n got %q\nwant %q", got, test.want)
			}
		})
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"JSON":         func(w io.Writer) error { return JSON(w, nil) },
		"list":         func(w io.Writer) error { return Table(w, experiments()[:1], 80) },
		"rows":         func(w io.Writer) error { return Table(w, experiments(), 80) },
		"plans":        func(w io.Writer) error { return PlannedTable(w, plans(), 80) },
		"progress":     func(w io.Writer) error { p := onTerminal(w, 80); p.Update(State{}); return p.Clear() },
		"cleared line": func(w io.Writer) error { p := onTerminal(w, 80); p.drawn = time.Now(); return p.Clear() },
	} {
		if err := write(fullDisk{}); !errors.Is(err, errFull) {
			t.Errorf("%s: error %v, want %v", name, err, errFull)
		}
	}
}
