package report

import (
	"bytes"
	"math"
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
		cpu := 12.5 * float64(i)
		run.Plan = &result.Plan{
			LagEnd: 1000 / int64(i+1), LagMax: 2000, KeepsUp: i > 0, DrainSeconds: 90,
			InstanceHours: 0.25, GBSeconds: 1234.5678, VCPUSeconds: &cpu,
		}
		if i == 0 {
			run.Advice = "concurrency limits: all of it, 26, was in use: raise concurrency"
		}
		plans = append(plans, run)
	}
	return plans
}

func stoppedPlan() result.Run {
	p := plans()[0]
	p.Delivered, p.Pending, p.Throttled, p.Retries = 100, 30, 7, 12
	p.VCPUSeconds, p.Stopped = nil, "a batch of 10 events failed 4 times, the last time with the function returned an error"
	return p
}

// priced are plans that cost less the more instances they have.
func priced() []result.Run {
	plans := plans()
	for i := range plans {
		price := 12.3456789 / float64(10*i+1)
		plans[i].Price, plans[i].PriceParts = &price, []result.PricePart{{Of: "GB-seconds", Price: price - 0.01}, {Of: "calls", Price: 0.01}}
	}
	return plans
}

func TestSort(t *testing.T) {
	idle := plans()[4]
	idle.Delivered, idle.LatencyMs.P99 = 0, 0
	few := plans()
	few[2].GBSeconds, few[3].GBSeconds = 5, 4
	for _, test := range []struct {
		name  string
		by    func([]result.Run)
		plans []result.Run
		want  []int // instanceConcurrency
	}{
		{"by price", result.SortByCost, priced(), []int{1, 2, 5, 13, 26}},
		{"by GB-seconds, then vCPU-seconds", result.SortByCost, few, []int{2, 5, 13, 1, 26}},
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
	odd.EventsPerCall, odd.LatencyMs.P999, odd.GBSeconds = math.NaN(), math.Inf(1), math.NaN()
	seconds := math.Inf(1)
	odd.VCPUSeconds = &seconds
	for _, test := range []struct {
		golden string
		plans  []result.Run
	}{
		{"none.json", nil},
		{"planned.json", []result.Run{priced()[1], stoppedPlan(), odd}},
	} {
		var out bytes.Buffer
		if err := JSON(&out, test.plans); err != nil {
			t.Fatal(err)
		}
		golden(t, test.golden, out.String())
	}
	if !math.IsInf(seconds, 1) {
		t.Error("JSON changed the run")
	}
}
