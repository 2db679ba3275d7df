package report

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"

	"fclocal/internal/result"
)

// plans are runs of which all but the first keep up.
func plans() []result.Run {
	var plans []result.Run
	for i, run := range experiments() {
		run.PeakMemoryMB = 0
		run.LatencyMs.P99 = float64(2000 - 100*i)
		run.LatencyMs.P999 = run.LatencyMs.P99 + 10
		run.LatencyByCause = result.LatencyByCauseMs{
			Mean: result.CausesMs{Slot: 500, Function: 500}, P50: result.CausesMs{Slot: 1012.3049, Function: 500},
			P95: result.CausesMs{Slot: 2021.82, ColdStart: 12.3, Function: 500},
			P99: result.CausesMs{Kafka: 10, Slot: 1250 - float64(100*i), Retries: 250, Function: 490},
		}
		run.Plan = &result.Plan{
			LagEnd: 1000 / int64(i+1), LagMax: 2000, KeepsUp: i > 0, DrainSeconds: 90,
			InstanceHours: 0.25,
		}
		if i == 0 {
			run.Advice = "waiting for a slot of concurrency (26). With concurrency 52 p99 is 1.10 s"
		}
		plans = append(plans, run)
	}
	return plans
}

func stoppedPlan() result.Run {
	p := plans()[0]
	p.Delivered, p.Pending, p.Throttled, p.Retries = 100, 30, 7, 12
	p.Stopped = "a batch of 10 events failed 4 times, the last time with the function returned an error"
	return p
}

// chargesOf are those of some time that cost so much, by a mode of EventBridge or by none
// that has a price.
func chargesOf(price float64, cheaper string) result.Charges {
	number := func(x float64) *float64 { return &x }
	c := result.Charges{
		FunctionCompute: result.FunctionCharges{
			Price: number(price - 0.25), CU: number(1e9 * price), Calls: 1.3e9, CallsCU: 9.75e6, VCPUSeconds: number(2.5e6), VCPUCU: number(2.5e6),
			MemoryGBSeconds: 1e6, MemoryCU: 150_000.12345, Tiers: []result.Tier{{CU: 1e9 * price, Price: 0.00002}},
		},
		EventBridge: result.StreamCharges{ByEvents: result.EventCharges{Events: 130}, ByCapacity: result.CapacityCharges{UnitHours: 720.1}, Cheaper: cheaper},
	}
	if cheaper != "" {
		c.Price = &price
		c.EventBridge.ByEvents.Price, c.EventBridge.ByCapacity.Price = number(0.25), number(2.5)
		if cheaper == result.ByCapacity {
			c.EventBridge.ByEvents.Price = number(25)
		}
	}
	return c
}

// priced are plans that cost less the more instances they have.
func priced() []result.Run {
	plans := plans()
	for i := range plans {
		month := chargesOf(12.3456789/float64(10*i+1)+0.25, []string{result.ByEvents, result.ByCapacity}[i%2])
		plans[i].Load.DurationSeconds = 60
		plans[i].Bill = &result.Bill{Currency: "USD", PricesOf: "2025-11-10", Run: chargesOf(0.125, result.ByCapacity), Per30Days: &month}
	}
	return plans
}

func stoppedPriced() result.Run {
	p := stoppedPlan()
	p.Load.DurationSeconds = 60
	p.Bill = &result.Bill{Currency: "USD", PricesOf: "2025-11-10", Run: chargesOf(0.125, result.ByCapacity)}
	return p
}

// partlyPriced are streams, of which EventBridge's part or Function Compute's is not
// known.
func partlyPriced(fc, eb bool) []result.Run {
	runs := experiments()[:2]
	for i := range runs {
		c := chargesOf(1.25/float64(i+1), "")
		if eb {
			c = chargesOf(1.25, result.ByEvents)
			c.Price = nil
		}
		if !fc {
			f := &c.FunctionCompute
			f.Price, f.CU, f.VCPUSeconds, f.VCPUCU, f.Tiers = nil, nil, nil, nil, nil
		}
		runs[i].Bill = &result.Bill{Currency: "CNY", PricesOf: "2025-11-10", Run: c}
	}
	return runs
}

// tiered is a plan with disk, and with more than a tier of CU.
func tiered() result.Run {
	run := priced()[2]
	f := &run.Bill.Per30Days.FunctionCompute
	f.DiskCU, f.Tiers = 1e6, []result.Tier{{CU: 1e8, Price: 0.00002}, {CU: 12345678, Price: 0.000017}}
	f.YearlyPlans = &result.YearlyPlans{Price: 0.512345678, Plans: []result.YearlyPlan{{CU: 1e7, Count: 2}, {CU: 1e6, Count: 5}}}
	return run
}

func TestSort(t *testing.T) {
	idle := plans()[4]
	idle.Delivered, idle.LatencyMs.P99 = 0, 0
	function := partlyPriced(true, false)
	for i := range function {
		function[i].Plan = &result.Plan{KeepsUp: true}
	}
	unknown := priced()
	unknown[4].Bill.Per30Days, unknown[3].Bill = nil, nil
	for _, test := range []struct {
		name  string
		by    func([]result.Run)
		plans []result.Run
		want  []int // instanceConcurrency
	}{
		{"by price", result.SortByCost, priced(), []int{1, 2, 5, 13, 26}},
		{"by Function Compute's price alone", result.SortByCost, function, []int{13, 26}},
		{"what is not known last", result.SortByCost, unknown, []int{5, 13, 2, 1, 26}},
		{"by latency", result.SortByLatency, append([]result.Run{idle}, plans()[:3]...), []int{5, 13, 1, 26}},
	} {
		test.by(test.plans)
		var got []int
		for _, p := range test.plans {
			got = append(got, p.Settings.Value("instanceConcurrency").(int))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestPlannedTable(t *testing.T) {
	for _, test := range []struct {
		golden string
		plans  []result.Run
		width  int
	}{
		{"none.txt", nil, 80},
		{"planned-one.txt", plans()[:1], 80},
		{"planned-stopped-50.txt", []result.Run{stoppedPlan()}, 50},
		{"planned-80.txt", plans(), 80},
		{"planned.txt", plans(), 0},
		{"planned-priced-one.txt", priced()[1:2], 80},
		{"planned-priced-120.txt", priced(), 120},
		{"planned-tiers-one.txt", []result.Run{tiered()}, 80},
		{"priced-function-80.txt", partlyPriced(true, false), 80},
		{"priced-function-one.txt", partlyPriced(true, false)[:1], 80},
		{"priced-stream-80.txt", partlyPriced(false, true), 80},
		{"priced-stream-one.txt", partlyPriced(false, true)[:1], 80},
		{"priced-stopped-120.txt", []result.Run{priced()[1], stoppedPriced()}, 120},
		{"planned-stopped.txt", []result.Run{plans()[1], stoppedPlan()}, 0},
	} {
		t.Run(test.golden, func(t *testing.T) {
			var out bytes.Buffer
			if err := Table(&out, test.plans, test.width); err != nil {
				t.Fatal(err)
			}
			golden(t, test.golden, out.String())
			for line := range strings.Lines(out.String()) {
				if columns := text.StringWidthWithoutEscSequences(strings.TrimSpace(line)); test.width > 0 && columns > test.width {
					t.Errorf("%d columns: %s", columns, line)
				}
			}
		})
	}
}

func TestPlannedJSON(t *testing.T) {
	odd := stoppedPlan()
	odd.EventsPerCall, odd.LatencyMs.P999, odd.DrainSeconds = math.NaN(), math.Inf(1), math.NaN()
	exact := priced()[1]
	for _, test := range []struct {
		golden string
		plans  []result.Run
	}{
		{"none.json", nil},
		{"planned.json", []result.Run{exact, stoppedPlan(), odd}},
	} {
		var out bytes.Buffer
		if err := JSON(&out, test.plans); err != nil {
			t.Fatal(err)
		}
		golden(t, test.golden, out.String())
	}
	if diff := cmp.Diff(priced()[1], exact); diff != "" {
		t.Error("JSON changed the run:", diff)
	}
}

// What was not simulated to its end says so, once for all.
func TestSimulated(t *testing.T) {
	for _, test := range []struct {
		seconds []float64
		want    string // "" if nothing is said
	}{
		{[]float64{0, 0}, ""},
		{[]float64{480, 480}, "Simulated: the first 8 min, until the figures stood; the rest of the load is taken to be like that."},
		{[]float64{960, 480}, "Simulated: the first 8 min to 16 min, until"},
		{[]float64{0, 480}, "Simulated: the first 8 min of 1 of 2 runs, until"},
	} {
		runs := plans()[:len(test.seconds)]
		for i, seconds := range test.seconds {
			runs[i].SimulatedSeconds = seconds
		}
		var output bytes.Buffer
		if err := Table(&output, runs, 0); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(output.String(), "Simulated"); got != (test.want != "") || !strings.Contains(output.String(), test.want) {
			t.Errorf("%v: %q is not in\n%s", test.seconds, test.want, output.String())
		}
	}
	runs := plans()[:1]
	runs[0].SimulatedSeconds = 480
	var output bytes.Buffer
	if err := Table(&output, runs, 0); err != nil || !strings.Contains(output.String(), "the first 8 min; the rest is like that") {
		t.Errorf("%v in\n%s", err, output.String())
	}
}

func TestRanges(t *testing.T) {
	for _, test := range []struct{ low, high, want string }{
		{"1.5 ms", "1.5 ms", "1.5 ms"}, {"1.5 ms", "2 ms", "1.5–2 ms"}, {"950 ms", "1.2 s", "950 ms–1.2 s"},
		{"2 (bound 3)", "3 (bound 3)", "2–3 (bound 3)"}, {"1,000", "2,000", "1,000–2,000"},
		{"* 24.48", "* 26.52", "* 24.48–26.52"}, {"24.48", "* 26.52", "* 24.48–26.52"}, {"-", "5 s", "-–5 s"},
	} {
		if got := fromTo(test.low, test.high); got != test.want {
			t.Errorf("%q to %q: %q, want %q", test.low, test.high, got, test.want)
		}
	}
}

// Several seeds show their ranges, and name no best of what is equal.
func TestSeeds(t *testing.T) {
	var runs []result.Run
	for i, one := range plans()[1:4] {
		var seeds []result.Run
		for seed := range 3 {
			p := *one.Plan
			one.Plan = &p
			one.LatencyMs.P99, one.Account.Seed = []float64{1000, 1040, 3000}[i]+50*float64(seed), uint64(seed)
			one.LagMax = int64(2000 + seed)
			p.KeepsUp = i < 2 || seed > 0
			seeds = append(seeds, one)
		}
		runs = append(runs, result.MergeSeeds(seeds))
	}
	result.SortByLatency(runs)
	var output bytes.Buffer
	if err := Table(&output, runs, 0); err != nil {
		t.Fatal(err)
	}
	page := Page{Function: "f", Trigger: "t", Best: "fastest", Runs: runs}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := page.Write(path); err != nil {
		t.Fatal(err)
	}
	html, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seeds := "Seeds: 3, from 0 on. Ranges are those of all; the rest is of the one in the middle by its p99."
	equal := "Equal within the noise of 3 seeds: instanceConcurrency 13; instanceConcurrency 5."
	for where, text := range map[string]string{"table": output.String(), "page": string(html)} {
		for _, want := range []string{"1–1.10 s", "1.04–1.14 s", "3–3.10 s", "2,000–2,002", seeds, equal} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in the %s:\n%s", want, where, text)
			}
		}
	}
	if want := "The fastest of them, equal within the noise of 3 seeds, are runs 1 to 2."; !strings.Contains(string(html), want) {
		t.Errorf("%q is not in the page", want)
	}
	if !strings.Contains(output.String(), " 2 of 3 ") {
		t.Errorf("that 2 of 3 seeds keep up is not in\n%s", output.String())
	}
	output.Reset()
	if err := JSON(&output, runs[:1]); err != nil || !strings.Contains(strings.Join(strings.Fields(output.String()), ""), `"p99":[1000,1100]`) {
		t.Errorf("%v in %s", err, output.String())
	}
	output.Reset()
	if err := Table(&output, runs[:1], 0); err != nil || !strings.Contains(output.String(), "latency p99          1–1.10 s") {
		t.Errorf("%v in\n%s", err, output.String())
	}
}
