package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"fclocal/internal/failure"
	"fclocal/internal/result"
)

// tryPlan runs the command on the project's own s.yaml.
func tryPlan(args ...string) (stdout string, err error) {
	command := newPlanCommand(&globalOptions{template: filepath.Join("..", "..", "s.yaml")})
	command.SilenceUsage, command.SilenceErrors = true, true
	var output bytes.Buffer
	command.SetOut(&output)
	command.SetErr(&output)
	command.SetArgs(args)
	err = command.ExecuteContext(context.Background())
	return output.String(), err
}

func mustPlan(t *testing.T, args ...string) []result.Run {
	t.Helper()
	output, err := tryPlan(append(args, "--json")...)
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Runs []result.Run }
	if err := json.Unmarshal([]byte(output), &document); err != nil {
		t.Fatalf("%v in %s", err, output)
	}
	return document.Runs
}

// The experiments, as a user asks for them.
func TestPlanInstances(t *testing.T) {
	runs := mustPlan(t, "--backlog", "1300", "--event-time", "500ms", "--set", "CountBasedWindow=1", "--set", "instanceConcurrency=26,13,5,2,1")
	want := []int{1, 2, 6, 13, 26}
	if len(runs) != len(want) {
		t.Fatalf("%d runs, want %d", len(runs), len(want))
	}
	for i, run := range runs {
		if run.Instances != want[i] || run.InstancesBound != want[i] || run.PeakInstances != want[i] || !run.KeepsUp || run.Delivered != 1300 {
			t.Errorf("instanceConcurrency %v: %+v, want %d instances", run.Settings.Value("instanceConcurrency"), run, want[i])
		}
	}
}

func TestPlanFigures(t *testing.T) {
	// 100 messages a second in batches of 10, each call of 110 ms: 1.1 in flight.
	run := mustPlan(t, "--rate", "100", "--arrivals", "even", "--for", "10m", "--call-time", "100ms", "--event-time", "1ms", "--spread", "0", "--cold-start", "0s")[0]
	if !run.KeepsUp || run.Produced != 60_000 || run.Delivered != 60_000 || run.Calls != 6000 || run.EventsPerCall != 10 || run.Pending != 0 {
		t.Errorf("%+v", run)
	}
	// One instance of 0.125 GB and 0.1 vCPU, busy all the time but for the first 90 ms.
	used := run.Bill.Run.FunctionCompute
	if run.InstanceHours < 0.166 || run.InstanceHours > 0.167 || used.MemoryGBSeconds < 74.9 || used.MemoryGBSeconds > 75.1 || used.VCPUSeconds == nil || *used.VCPUSeconds < 59.9 || *used.VCPUSeconds > 60.1 {
		t.Errorf("%v instance-hours, %+v", run.InstanceHours, used)
	}
	if l := run.LatencyMs; l.P50 < 140 || l.P50 > 165 || l.P999 < 195 || l.P999 > 201 || l.Max < l.P999 {
		t.Errorf("%+v", l)
	}
	if want := (result.Function{CallTimeMs: 100, EventTimeMs: 1}); run.Function != want {
		t.Errorf("the function is %+v, want %+v", run.Function, want)
	}
	if run := mustPlan(t, "--rate", "5000", "--for", "1m", "--call-time", "100ms")[0]; run.KeepsUp || run.DrainSeconds == 0 || !strings.Contains(run.Advice, "With concurrency 52 p99 is ") {
		t.Errorf("%+v", run)
	}
	if bill := mustPlan(t, "--backlog", "10", "--set", "cpu=")[0].Bill; bill.Run.FunctionCompute.CU != nil || bill.Run.Price != nil || bill.Run.EventBridge.ByEvents.Price == nil || bill.Per30Days != nil {
		t.Errorf("%+v", bill)
	}
}

func TestPlanTable(t *testing.T) {
	plot := filepath.Join(t.TempDir(), "plan.svg")
	output, err := tryPlan("--rate", "100", "--for", "1m", "--set", "CountBasedWindow=1,10", "--plot", plot)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"keeps", "\n               1  yes ", "\n              10  yes ", "\nCountBasedWindow 1: nothing limits: ", "\nCountBasedWindow 10: 8"} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is not in\n%s", want, output)
		}
	}
	if info, err := os.Stat(plot); err != nil || info.Size() == 0 {
		t.Error("no plot:", err)
	}
	again, err := tryPlan("--rate", "100", "--for", "1m", "--set", "CountBasedWindow=1,10")
	if err != nil || again != output {
		t.Errorf("%v; a second run says\n%s\nafter\n%s", err, again, output)
	}
}

func TestPlanBill(t *testing.T) {
	// 100 messages a second with a call each, in one instance that is always busy.
	args := []string{"--rate", "100", "--arrivals", "even", "--for", "20m", "--call-time", "100ms", "--spread", "0", "--cold-start", "0s", "--set", "CountBasedWindow=1,10", "--set", "cpu=0.25", "--set", "memorySize=512"}
	runs := mustPlan(t, append(args, "--sort", "cost")...)
	for i, calls := range []float64{25_920_000, 259_200_000} {
		bill := runs[i].Bill
		if bill.Currency != "USD" || bill.Per30Days == nil {
			t.Fatalf("%+v", bill)
		}
		month := *bill.Per30Days
		cu := calls/10_000*75 + 2_592_000*(0.25+0.5*0.15)
		price := 0.00002*min(cu, 1e8) + 0.000017*max(cu-1e8, 0) + 0.034*720
		if f := month.FunctionCompute; math.Abs(f.Calls-calls) > 1e-3*calls || math.Abs(*f.CU-cu) > 2e-3*cu || month.EventBridge.Cheaper != result.ByCapacity || math.Abs(*month.Price-price) > 2e-3*price {
			t.Errorf("%v CU for %v calls, %v: USD %v; want %v, %v, USD %v", *f.CU, f.Calls, month.EventBridge, *month.Price, cu, calls, price)
		}
	}
	if cny := mustPlan(t, append(args, "--currency", "CNY")...)[1].Bill.Per30Days; cny.Price != nil || cny.EventBridge.Cheaper != "" || math.Abs(*cny.FunctionCompute.Price/(0.00011**cny.FunctionCompute.CU)-1) > 1e-4 {
		t.Errorf("%+v", cny)
	}

	// The prices that help shows are those of a file.
	root := newRootCommand()
	var shown bytes.Buffer
	root.SetOut(&shown)
	root.SetArgs([]string{"help", "prices"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "prices.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(shown.String(), "millionEvents: {USD: 0.41}", "millionEvents: {USD: 0.001}", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if own := mustPlan(t, append(args, "--prices", file)...)[0].Bill.Per30Days.EventBridge; own.Cheaper != result.ByEvents || *own.ByEvents.Price != 0.2592 {
		t.Errorf("%+v", own)
	}
}

// What calls log is billed, and what is not known is said.
func TestPlanLogs(t *testing.T) {
	args := []string{"--rate", "100", "--for", "1m", "--arrivals", "even", "--spread", "0"}
	without := mustPlan(t, args...)[0]
	if without.Logs == nil || without.Logs.Bytes != nil || without.Bill.Run.LogService.Price != nil {
		t.Errorf("%+v, %+v", without.Logs, without.Bill.Run.LogService)
	}
	run := mustPlan(t, append(args, "--log-bytes", "1e6")...)[0]
	price := float64(run.Calls) * 1e6 / (1 << 30) * 0.061
	if got := run.Bill.Run; *run.Logs.Bytes != run.Calls*1e6 || math.Abs(*got.LogService.Price-price) > 1e-4 || math.Abs(*got.Price-*without.Bill.Run.Price-price) > 1e-4 {
		t.Errorf("%+v of %d calls, want %v more than %v", got, run.Calls, price, *without.Bill.Run.Price)
	}
	for want, more := range map[string]string{
		"Log Service          not known, and not in the bill: --log-bytes or --measure tells what a call logs\n": "",
		"Log Service          per 30 days 1,472.53 for 24,140 GB of logs\n":                                      "--log-bytes=1e6",
		" in its cheaper mode (*), without logs.\n":                                                              "--set=concurrency=5,6",
		" in its cheaper mode (*), and Log Service's.\n":                                                         "--log-bytes=1 --set=concurrency=5,6",
	} {
		if output, err := tryPlan(append(args, strings.Fields(more)...)...); err != nil || !strings.Contains(output, want) {
			t.Errorf("%s: %v, %q is not in\n%s", more, err, want, output)
		}
	}
}

func TestPlanReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.html")
	args := []string{"--rate", "100", "--for", "1m", "--backlog", "5000", "--error-rate", "0.014", "--spread", "0.29", "--seed", "2", "--set", "CountBasedWindow=1,10", "--set", "Topic=<script>"}
	output, err := tryPlan(append(args, "--sort", "latency", "--report", path)...)
	if err != nil || !strings.Contains(output, "CountBasedWindow") {
		t.Fatal(err, output)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Plan of dev_event-handler-builtin-runtime-Kafka-trigger-example-function<", "Trigger dev_event-handler-builtin-runtime-Kafka-trigger-example-trigger,",
		"5,000 messages are in the topic", "100 messages a second come for 60 s.", "10 ms for a call and 1 ms for each event", "On purpose: 1.4 % of the calls fail.", "up to 29 % of themselves",
		"goes away after 3 min", "Prices in USD for the run, of 20", "All of 2 runs keep up.", "The fastest of them is run 1", "&lt;script&gt;",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%q is not in the page", want)
		}
	}

	// What cannot be written at the end is found out before the run.
	below := filepath.Join(path, "plan.html")
	output, err = tryPlan(append(args, "--report", below)...)
	if err == nil || err.Error() != "the report cannot be written to "+below+": not a directory" || failure.Is(err) || output != "" {
		t.Errorf("error %v after %s", err, output)
	}
}

// A lag that grows for a month is not kept up with, however small beside what is
// delivered; scripts can tell.
func TestPlanFailOn(t *testing.T) {
	args := []string{"--rate", "110", "--arrivals", "even", "--for", "24h", "--call-time", "10s", "--spread", "0", "--set", "CountBasedWindow=100", "--set", "concurrency=10,12", "--fail-on", "not-keeping-up,p99>1h"}
	_, err := tryPlan(args...)
	if want := "run 1: the stream does not keep up\nrun 1: latency p99 is "; err == nil || !strings.HasPrefix(err.Error(), want) || !failure.Is(err) || strings.Contains(err.Error(), "run 2") {
		t.Errorf("error %v, want %s…", err, want)
	}
	if _, err := tryPlan("--rate", "10", "--arrivals", "even", "--fail-on", "not-keeping-up,p99>1s"); err != nil {
		t.Error(err)
	}
}

// Several seeds make one run, whose figures are those of the seeds alone.
func TestPlanRuns(t *testing.T) {
	args := []string{"--rate", "100", "--for", "1m", "--call-time", "100ms", "--set", "CountBasedWindow=1,10"}
	runs := mustPlan(t, append(args, "--runs", "3", "--seed", "5", "--sort", "latency")...)
	for i, run := range runs {
		if len(run.Seeds) != 3 || run.Delivered != 6_000 || run.Rank != i+1 {
			t.Fatalf("%+v", run)
		}
		for j, seed := range run.Seeds {
			alone := mustPlan(t, append(args[:6], "--seed", strconv.Itoa(5+j), "--set", fmt.Sprint("CountBasedWindow=", run.Settings.Value("CountBasedWindow")))...)[0]
			if seed.Seed != uint64(5+j) || seed.Figures["p99"] != alone.LatencyMs.P99 || seed.Figures["bill"] != *alone.Bill.Per30Days.Price || seed.Figures["lagMax"] != float64(alone.LagMax) {
				t.Errorf("seed %d: %+v, alone %+v", 5+j, seed, alone.LatencyMs)
			}
			for name, figure := range seed.Figures {
				if within := run.Range[name]; figure < within[0] || figure > within[1] || within[0] > within[1] {
					t.Errorf("%s is %v with seed %d, and the range %v", name, figure, seed.Seed, within)
				}
			}
		}
		if lag := run.Range["lagMax"]; lag[0] == lag[1] {
			t.Errorf("all seeds have the same lag: %v", lag)
		}
	}
	args = append(args, "--runs", "3")
	output, err := tryPlan(args...)
	if want := "\nSeeds: 3, from 0 on. "; err != nil || !strings.Contains(output, want) {
		t.Errorf("%v, %q is not in\n%s", err, want, output)
	}
	if again, err := tryPlan(args...); err != nil || again != output {
		t.Errorf("%v; a second run says\n%s\nafter\n%s", err, again, output)
	}
	_, err = tryPlan(append(args, "--fail-on", "p99>1ms")...)
	if want := "^run 1: latency p99 is .* ms with seed 0 \\(3 of 3 seeds\\)\nrun 2: "; err == nil || !regexp.MustCompile(want).MatchString(err.Error()) || !failure.Is(err) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A long load ends early, and says so, unless all of it is asked for.
func TestPlanWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	args := []string{"--rate", "250", "--set", "CountBasedWindow=1"}
	run := mustPlan(t, append(args, "--for", "30d")...)[0]
	if run.SimulatedSeconds < 60 || run.SimulatedSeconds > 3600 || run.Delivered != 250*30*24*3600 || run.Calls != run.Delivered || math.Abs(run.WallSeconds-30*24*3600) > 1 {
		t.Errorf("%+v", run)
	}
	if run.Bill.Run.FunctionCompute.Calls != float64(run.Calls) || math.Abs(*run.Bill.Run.Price / *run.Bill.Per30Days.Price - 1) > 1e-3 {
		t.Errorf("%+v", run.Bill)
	}
	for _, whole := range []bool{false, true} { // to simulate all takes too long for a test
		options := planOptions{whole: whole, runsOptions: runsOptions{currency: "USD", globalOptions: &globalOptions{template: filepath.Join("..", "..", "s.yaml")}}}
		projects, err := options.projects(io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if options.config(projects[0]).EndEarly == whole {
			t.Errorf("with --whole=%v the end is early: %v", whole, !whole)
		}
	}
}

// Messages come by chance unless it is said otherwise: 12 calls of 50 ms a second then
// overlap in part.
func TestPlanArrivals(t *testing.T) {
	for _, test := range []struct {
		more      []string
		want      float64 // of the time an instance is busy
		arrivals  string
		tolerance float64
	}{
		{nil, 1 - math.Pow(0.95, 12), "poisson", 0.02},
		{[]string{"--arrivals", "even", "--spread", "0"}, 0.6, "even", 0.01},
	} {
		run := mustPlan(t, append([]string{"--rate", "120", "--for", "25m", "--partitions", "12", "--call-time", "50ms", "--set", "maximumTasks=12", "--set", "cpu=0.1"}, test.more...)...)[0]
		got := float64(*run.Bill.Run.FunctionCompute.VCPUSeconds) / 0.1 / 1500
		if math.Abs(got-test.want) > test.tolerance || run.Load.Arrivals != test.arrivals {
			t.Errorf("%q: busy for %v of the time, want %v; %s", test.more, got, test.want, run.Load.Arrivals)
		}
		if run.LagEnd < 40 || run.LagEnd > 85 {
			t.Errorf("%q: the lag at the end is %d, want about 61", test.more, run.LagEnd)
		}
	}
}

// The default of one time is not added in silence to the other.
func TestPlanTimes(t *testing.T) {
	for args, want := range map[string]result.Function{
		"":                                  {CallTimeMs: 10, EventTimeMs: 1},
		"--call-time 50ms":                  {CallTimeMs: 50},
		"--event-time 50ms":                 {EventTimeMs: 50},
		"--event-time 50ms --call-time 2ms": {CallTimeMs: 2, EventTimeMs: 50},
	} {
		run := mustPlan(t, strings.Fields("--rate 1 --for 1m "+args)...)[0]
		if run.Function.CallTimeMs != want.CallTimeMs || run.Function.EventTimeMs != want.EventTimeMs {
			t.Errorf("%s: %+v", args, run.Function)
		}
	}
}

func TestPlanDay(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	file := filepath.Join(t.TempDir(), "rates.txt")
	if err := os.WriteFile(file, []byte("# a day\n00:00 1\n12:00 30\n14:00,2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	runs := mustPlan(t, "--rate-file", file, "--partitions", "9", "--skew", "1", "--call-time", "1s", "--set", "concurrency=1,26", "--set", "maximumTasks=9")
	for i, run := range runs {
		// 10 messages a call make 10 a second with a concurrency of 1.
		if want := int64(12*3600 + 2*3600*30 + 10*3600*2); run.Produced != want || run.Pending != 0 || !run.KeepsUp || run.WallSeconds < 86400 || run.WallSeconds > 86500 {
			t.Errorf("%+v, want %d messages in a day", run, want)
		}
		if late := run.LagMax > 100_000; late != (i == 0) {
			t.Errorf("concurrency %v: the lag is %d at most", run.Settings.Value("concurrency"), run.LagMax)
		}
	}
	two := mustPlan(t, "--rate-file", file, "--for", "48h")[0]
	if two.Produced != 2*runs[0].Produced {
		t.Errorf("%d messages in two days, %d in one", two.Produced, runs[0].Produced)
	}
}

func ownFile(t *testing.T) string {
	path, err := filepath.Abs(filepath.Join("..", "..", "s.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// 300 calls want an instance each, and a large region lets them have these at once.
func TestPlanGrowth(t *testing.T) {
	args := []string{"--backlog", "1000", "--call-time", "10s", "--max-instances", "300", "--set", "CountBasedWindow=1", "--set", "concurrency=300", "--set", "instanceConcurrency=1"}
	for _, test := range []struct {
		more      []string
		throttled bool
		account   result.Account
	}{
		{nil, false, result.Account{MaxInstances: 300, InstanceBurst: 300, InstanceGrowth: 300, IdleTimeoutSeconds: 180, RetryScale: 1}},
		{[]string{"--instance-burst", "100", "--instance-growth", "50", "--idle-timeout", "0s"}, true, result.Account{MaxInstances: 300, InstanceBurst: 100, InstanceGrowth: 50, RetryScale: 1}},
	} {
		run := mustPlan(t, append(args, test.more...)...)[0]
		if (run.Throttled > 0) != test.throttled || run.Account != test.account {
			t.Errorf("%q: %d throttled, %+v", test.more, run.Throttled, run.Account)
		}
	}
}

func TestPlanMistakes(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"rates.txt": "00:00 0\n06:30 5000\n", "wrong.txt": "00:00 1\n\n25:00 1\n", "empty.txt": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ args, want string }{
		{"", "--rate, --rate-file, --backlog, --from-topic or --from-file gives the load"},
		{"--backlog 5 --for 1m", "--for is how long"},
		{"--rate -1", "--rate -1"},
		{"--rate NaN", "--rate NaN"},
		{"--rate 1 --for 0s", "--for 0s"},
		{"--rate 1 --runs 0", "--runs 0: it must be from 1 to 1000"},
		{"--rate 1 --for 5days", `invalid argument "5days" for "--for" flag: it must be a duration like 30d`},
		{"--rate 1e15", "10^15"},
		{"--rate 1 --rate-file DIR/rates.txt", "exclude each other"},
		{"--rate-file DIR/missing.txt", "missing.txt: "},
		{"--rate-file DIR/empty.txt", "empty.txt: no line has a time and a rate"},
		{"--rate-file DIR/wrong.txt", `wrong.txt:3: "25:00": a time is HH:MM`},
		{"--rate-file DIR/rates.txt --for -1h", "--for -1h"},
		{"--rate-file DIR/rates.txt --for 6h", "within the 6h0m0s of the load all rates are 0"},
		{"--rate 1 --skew -1", "--skew -1"},
		{"--rate 1 --arrivals odd", "--arrivals odd: it must be poisson, even or bursts"},
		{"--rate 1 --burst-rate 2", "--burst-rate, --burst-for and --burst-every are for --arrivals bursts"},
		{"--rate 1 --arrivals bursts --burst-rate 3 --burst-for 2m", "--burst-rate 3 for 2m0s of each 5m0s is 1.2 times what comes at the mean rate, so that nothing is left between bursts: --burst-rate can be at most 2.5"},
		{"--rate 1 --arrivals bursts --for 1m", "--burst-every 5m0s: there is none within the 1m0s of the load"},
		{"--from-topic", "--from-topic needs a cluster: give --brokers or --kafka-config"},
		{"--from-topic --from-file DIR/rates.txt --brokers x:1", "--from-topic and --from-file exclude each other"},
		{"--from-topic --brokers x:1 --rate 5", "--rate is not for --from-topic, which has all of the load: leave one of them out"},
		{"--from-file DIR/rates.txt --group 5", "--group is not for --from-file, which has all of the load"},
		{"--rate 1 --brokers x:1", "--brokers and --kafka-config are for --from-topic"},
		{"--rate 1 --save-load DIR/x", "--save-load is for --from-topic"},
		{"--from-topic --brokers x:1 --from today", `--from "today": it must be a time such as`},
		{"--from-topic --brokers x:1 --from 2026-01-02 --to 2026-01-02", "--from 2026-01-02 is not before --to 2026-01-02"},
		{"--from-topic --brokers x:1 --broker-timeout 0s", "--broker-timeout 0s"},
		{"--from-topic --brokers 127.0.0.1:1 --set eventSchema=CloudEvents,RawData", "give eventSchema and eventRuleFilterPattern one value each"},
		{"--from-topic --brokers 127.0.0.1:1", "cluster at 127.0.0.1:1: "},
		{"--from-file DIR/rates.txt", `rates.txt:1: "00:00 0": a line is timestamp_ms,partition,bytes`},
		{"--from-file DIR/missing.txt", "missing.txt: no such file"},
		{"--rate 1 --times-of event", "--times-of is for --times"},
		{"--rate 1 --times DIR/rates.txt --times-of batch", "--times-of batch: it must be call or event"},
		{"--rate 1 --times DIR/rates.txt", `rates.txt:1: "00:00 0": a line is a time such as 12ms or 1.5s, or a number of milliseconds`},
		{"--rate 1 --times DIR/rates.txt --call-time 1s", "--times gives what --call-time would: leave one of them out"},
		{"--rate 1 --times DIR/rates.txt --times-of event --event-time 1s", "--times gives what --event-time would"},
		{"--rate 1 --times DIR/rates.txt --measure", "--times and --measure exclude each other"},
		{"--rate 1 --message-sizes DIR/empty.txt", "empty.txt: there is no value in it: a line is the bytes of a message's event"},
		{"--rate 1 --message-sizes DIR/rates.txt --message-size 5", "--message-size and --message-sizes exclude each other"},
		{"--rate 1 --group 0", "--group 0: it must be from 1 to 1000000"},
		{"--backlog 1 --group 2", "--arrivals and --group are for messages that come"},
		{"--rate 1 --skew NaN", "--skew NaN"},
		{"--rate 1 --skew 1 --partitions 2000000", "10^6 partitions"},
		{"--backlog -1", "--backlog -1"},
		{"--rate 1 --partitions 0", "--partitions 0"},
		{"--rate 1 --message-size 0", "--message-size 0"},
		{"--rate 1 --call-time -1s", "--call-time -1s"},
		{"--rate 1 --event-time -1s", "--event-time -1s"},
		{"--rate 1 --cold-start -1s", "--cold-start -1s"},
		{"--rate 1 --vcpu-speed 2", "--vcpu-speed is for --measure"},
		{"--rate 1 --measure --vcpu-speed 0", "--vcpu-speed 0: it must be from 0.01 to 100"},
		{"--rate 1 --spread 2", "--spread 2"},
		{"--rate 1 --error-rate -0.5", "--error-rate -0.5"},
		{"--rate 1 --slow -1s", "--slow -1s: it must be from 0s to 24h0m0s"},
		{"--rate 1 --kill-instances 1ms", "--kill-instances 1ms: it must be from 100ms to 8760h0m0s"},
		{"--rate 1 --outage 70s-10s", `invalid argument "70s-10s" for "--outage" flag: it must be FROM-TO since the start, such as 10s-70s`},
		{"--rate 1 --max-instances 0", "--max-instances 0"},
		{"--rate 1 --idle-timeout -1s", "--idle-timeout -1s"},
		{"--rate 1 --instance-burst 0", "--instance-burst 0: it must be 1 or more"},
		{"--rate 1 --instance-growth -1", "--instance-growth -1: it must be 1 or more"},
		{"--rate 1 --initializer-time -1s", "--initializer-time -1s"},
		{"--rate 1 --initializer-time 1s", "--initializer-time 1s: " + ownFile(t) + " has no initializer"},
		{"--rate 1 --set initializer=true --initializer-time 2.8s", "--initializer-time 2.8s: with --spread it is up to 3.36 s, and initializationTimeout allows 3 s"},
		{"--rate 1 --pre-stop-time 1s", "--pre-stop-time 1s: " + ownFile(t) + " has no preStop"},
		{"--rate 1 --sort price", "--sort price: it must be cost or latency"},
		{"--rate 1 --currency EUR", "--currency EUR: the built-in prices: there are prices in CNY, USD"},
		{"--rate 1 --prices DIR/missing.yaml", "missing.yaml: no such file"},
		{"--rate 1 --prices DIR/empty.txt", "empty.txt: "},
		{"--rate 1 --prices DIR/rates.txt", "rates.txt:1: the file must be a mapping"},
		{"--rate 1 --report plan.txt", "cannot report to plan.txt: the name must end in .html or .htm"},
		{"--rate 1 --plot plan.pdf", ".svg or .png"},
		{"--rate 1 --set CountBasedWindow", "NAME=VALUE"},
		{"--rate 1 --set concurrency=0", "s.yaml"},
	} {
		_, err := tryPlan(strings.Fields(strings.ReplaceAll(test.args, "DIR", dir))...)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.args, err, test.want)
		}
		if failure.Is(err) {
			t.Errorf("%s: %v is no mistake of usage", test.args, err)
		}
	}
}
