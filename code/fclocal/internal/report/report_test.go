package report

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"fclocal/internal/result"
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

// settings are those of a run, with some changed: a name and its value in turn.
func settings(changes ...any) result.Settings {
	all := result.Settings{
		{Name: "maximumTasks", Value: 4}, {Name: "concurrency", Value: 26},
		{Name: "CountBasedWindow", Value: 1}, {Name: "TimeBasedWindow", Value: 0, Unit: "s"},
		{Name: "errorsTolerance", Value: "ALL"}, {Name: "PushRetryStrategy", Value: "BACKOFF_RETRY"},
		{Name: "eventSchema", Value: "CloudEvents"}, {Name: "instanceConcurrency", Value: 1},
		{Name: "memorySize", Value: 512, Unit: "MB"}, {Name: "timeout", Value: 60, Unit: "s"},
		{Name: "diskSize", Value: 512, Unit: "MB", Hidden: true},
	}
	return with(all, changes...)
}

// with changes settings, or adds them.
func with(all result.Settings, changes ...any) result.Settings {
	all = slices.Clone(all)
	for i := 0; i < len(changes); i += 2 {
		name := changes[i].(string)
		at := slices.IndexFunc(all, func(s result.Setting) bool { return s.Name == name })
		if at < 0 {
			at = len(all)
			all = append(all, result.Setting{Name: name})
		}
		all[at].Value = changes[i+1]
	}
	return all
}

// experiment is a run of 130 events of 500 ms through 26 concurrent calls.
func experiment(instanceConcurrency int) result.Run {
	bound := (26 + instanceConcurrency - 1) / instanceConcurrency
	run := result.Run{
		Input: result.Input{
			Settings: settings("instanceConcurrency", instanceConcurrency),
			Load:     result.Load{Partitions: 1},
		},
		IdleTasks: 3, Instances: bound, PeakInstances: bound, InstancesBound: bound, PeakInFlight: 26,
		Counts:        result.Counts{Produced: 130, Delivered: 130, Calls: 130},
		EventsPerCall: 1, EventsPerSecond: 51.4 - float64(bound)/10,
		LatencyMs:  result.LatencyMs{P50: 1512.3049, P95: 2534.12, P99: 2540, P999: 2541, Max: 2541.7},
		ColdStarts: bound, ColdStartMs: 12.3 + float64(bound), PeakMemoryMB: 11.75 + float64(instanceConcurrency)/4,
		WallSeconds: 2.53 + float64(bound)/100,
	}
	for at := time.Duration(0); at <= 2600*time.Millisecond; at += 100 * time.Millisecond {
		s := result.Sample{At: at, Instances: min(bound, 1+int(at/(20*time.Millisecond)))}
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

func experiments() []result.Run {
	var runs []result.Run
	for _, instanceConcurrency := range []int{26, 13, 5, 2, 1} {
		runs = append(runs, experiment(instanceConcurrency))
	}
	return runs
}

// failures are runs with one bad message among 100,000.
func failures() []result.Run {
	var runs []result.Run
	for _, tolerance := range []string{"ALL", "NONE"} {
		for _, strategy := range []string{"BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY"} {
			run := experiment(2)
			run.Load.Partitions, run.IdleTasks = 8, 0
			run.Settings = with(run.Settings, "errorsTolerance", tolerance, "PushRetryStrategy", strategy, "CountBasedWindow", 100, "TimeBasedWindow", 1)
			run.Produced, run.Calls, run.EventsPerCall, run.EventsPerSecond = 100_000, 1003, 99.7, 12345.6
			run.LatencyMs = result.LatencyMs{P50: 0.512, P95: 99.96, P99: 1499, P999: 1600, Max: 90061000}
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

// gaps is a run with more than its own messages in the topic.
func gaps() result.Run {
	run := experiment(26)
	run.Produced, run.TakenByOthers, run.Lost, run.Pending, run.Skipped = 200, 40, 10, 20, 31
	run.LagByPartition = map[int32]int64{0: 1, 1: 0, 2: 19}
	return run
}

func TestJSON(t *testing.T) {
	odd := experiment(5)
	odd.Settings = with(odd.Settings, "MaximumRetryAttempts", 3)
	odd.Stopped = "batch 1 failed: <\"坏\" & gone>"
	odd.EventsPerCall, odd.EventsPerSecond = math.NaN(), math.Inf(1)
	odd.LatencyMs = result.LatencyMs{P50: math.NaN(), P95: math.Inf(-1), P99: 1e308, Max: 0.0004}
	for _, test := range []struct {
		golden string
		runs   []result.Run
	}{
		{"none.json", nil},
		{"one.json", []result.Run{experiment(26)}},
		{"odd.json", []result.Run{odd, experiment(1)}},
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
		chinese[i].Settings = with(chinese[i].Settings, "Topic", topic, "ConsumerGroup", "消费者")
	}
	same := []result.Run{experiment(5), experiment(5)}
	idle := experiment(1)
	idle.Produced, idle.Delivered, idle.Calls, idle.PeakInstances, idle.ColdStarts = 0, 0, 0, 0, 0
	idle.PeakInFlight, idle.PeakMemoryMB = 0, 0
	idle.EventsPerCall, idle.EventsPerSecond = math.NaN(), math.NaN()
	partitions := experiments()[:3]
	for i, n := range []int{4, 2, 8} {
		partitions[i].Settings = with(partitions[i].Settings, "instanceConcurrency", 5)
		partitions[i].Load.Partitions, partitions[i].IdleTasks = n, max(4-n, 0)
	}
	for _, test := range []struct {
		golden string
		runs   []result.Run
		width  int
	}{
		{"none.txt", nil, 80},
		{"one.txt", experiments()[:1], 80},
		{"one-gaps.txt", []result.Run{gaps()}, 80},
		{"one-stopped-50.txt", failures()[3:], 50},
		{"one-idle.txt", []result.Run{idle}, 0},
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
		runs[i].Settings = with(runs[i].Settings, "Topic", topic)
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

// What a function or a file says cannot rule the terminal.
func TestTableEscapes(t *testing.T) {
	runs := failures()[2:]
	for i := range runs {
		runs[i].Settings = with(runs[i].Settings, "Topic", "a\x1b[2J\u202e")
		runs[i].Failures.Add("Bad\x07Error", "line\nforged\x1b]0;title\x07")
		runs[i].Stopped = "batch \x1b[31m"
	}
	for _, shown := range [][]result.Run{runs, runs[:1]} {
		var out bytes.Buffer
		if err := Table(&out, shown, 0); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\x07\u202e") {
			t.Errorf("%q", out.String())
		}
		for _, want := range []string{`a\x1b[2J\u{202e}`, `Bad\x07Error: line\x0aforged\x1b]0;title\x07`, `batch \x1b[31m`} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s is not in\n%s", want, out.String())
			}
		}
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
		"plans":        func(w io.Writer) error { return Table(w, plans(), 80) },
		"progress":     func(w io.Writer) error { p := onTerminal(w, 80); p.Stream(result.State{}); return p.Clear() },
		"cleared line": func(w io.Writer) error { p := onTerminal(w, 80); p.drawn = time.Now(); return p.Clear() },
	} {
		if err := write(fullDisk{}); !errors.Is(err, errFull) {
			t.Errorf("%s: error %v, want %v", name, err, errFull)
		}
	}
}
