package bill

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

func prices(t *testing.T, currency string) *Prices {
	t.Helper()
	p, err := Read("", currency)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stream is a run of so many hours.
func stream(hours float64, usage ...trigger.Usage) result.Run {
	return result.Run{
		Input: result.Input{Settings: result.Settings{{Name: "memorySize", Value: 512}, {Name: "cpu", Value: 0.25}, {Name: "diskSize", Value: 512}}},
		Usage: usage, WallSeconds: hours * 3600,
	}
}

// plan is a plan of which the load lasts so many hours.
func plan(load float64, usage ...trigger.Usage) result.Run {
	run := stream(max(load, float64(len(usage))), usage...)
	run.Plan, run.Load.DurationSeconds = &result.Plan{}, load*3600
	return run
}

func near(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > 1e-9*math.Abs(want) {
		if got == nil {
			got = new(float64)
		}
		t.Errorf("%s: %v, want %v", what, *got, want)
	}
}

// The documents' example: 3 million calls of 200 ms with 512 MB and 0.25 vCPU.
func TestDocumentedExample(t *testing.T) {
	for currency, cu := range map[string]float64{"USD": 0.00002, "CNY": 0.00011} {
		run := stream(1, trigger.Usage{Calls: 3_000_000, Busy: 600_000 * time.Second})
		prices(t, currency).Charge(&run)
		got := run.Bill.Run.FunctionCompute
		seconds, vcpu, total, price := 150_000.0, 150_000.0, 217_500.0, 217_500*cu
		want := result.FunctionCharges{
			Price: &price, CU: &total, Tiers: []result.Tier{{CU: 217_500, Price: cu}},
			Calls: 3_000_000, CallsCU: 22_500, VCPUSeconds: &seconds, VCPUCU: &vcpu, MemoryGBSeconds: 300_000, MemoryCU: 45_000,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", currency, diff)
		}
	}
}

func TestDisk(t *testing.T) {
	run := stream(1, trigger.Usage{Busy: 1000 * time.Second})
	run.Settings[2].Value = 10240
	prices(t, "USD").Charge(&run)
	near(t, "GB-seconds", &run.Bill.Run.FunctionCompute.DiskGBSeconds, 9500)
	near(t, "CU", &run.Bill.Run.FunctionCompute.DiskCU, 475)
	near(t, "all CU", run.Bill.Run.FunctionCompute.CU, 800)
}

func TestTiers(t *testing.T) {
	for _, test := range []struct {
		currency  string
		cu, price float64
	}{
		{"USD", 100e6, 2000},
		{"USD", 100e6 + 1000, 2000.017},
		{"USD", 500e6, 2000 + 6800},
		{"USD", 501e6, 2000 + 6800 + 14},
		{"CNY", 200e6, 22_000},
		{"CNY", 201e6, 22_100},
		{"CNY", 1000e6, 22_000 + 80_000},
		{"CNY", 1001e6, 22_000 + 80_000 + 90},
	} {
		// Calls alone, in a single hour.
		run := stream(1, trigger.Usage{Calls: int64(test.cu / 75 * 10_000)})
		prices(t, test.currency).Charge(&run)
		f := run.Bill.Run.FunctionCompute
		near(t, "CU", f.CU, test.cu)
		near(t, test.currency, f.Price, test.price)
		sum := 0.0
		for _, tier := range f.Tiers {
			sum += tier.CU * tier.Price
		}
		near(t, "tiers", &sum, test.price)
	}

	// Each 30 days of a run begin with the first tier.
	months := make([]trigger.Usage, 721)
	months[0].Calls, months[720].Calls = 20_000_000_000, 20_000_000_000
	run := stream(721, months...)
	prices(t, "USD").Charge(&run)
	near(t, "two months", run.Bill.Run.FunctionCompute.Price, 2*(2000+50e6*0.000017))
	near(t, "the first tier", &run.Bill.Run.FunctionCompute.Tiers[0].CU, 200e6)
}

func TestYearlyPlans(t *testing.T) {
	for _, test := range []struct {
		year  float64 // CU
		price float64 // of a year
		plans []result.YearlyPlan
	}{
		{0.9e6, 0.9e6 * 0.00002, nil},
		{0.96e6, 19, []result.YearlyPlan{{CU: 1e6, Count: 1}}},
		{1.5e6, 19 + 0.5e6*0.00002, []result.YearlyPlan{{CU: 1e6, Count: 1}}},
		{9e6, 9 * 19, []result.YearlyPlan{{CU: 1e6, Count: 9}}},
		{9.8e6, 185, []result.YearlyPlan{{CU: 10e6, Count: 1}}},
		{25e6, 2*185 + 5*19, []result.YearlyPlan{{CU: 10e6, Count: 2}, {CU: 1e6, Count: 5}}},
		{480e6, 8500, []result.YearlyPlan{{CU: 500e6, Count: 1}}},
		{4100e6, 2*30000 + 1800, []result.YearlyPlan{{CU: 2000e6, Count: 2}, {CU: 100e6, Count: 1}}},
		// A part of it falls into the second tier of each month.
		{12e9, 6 * 30000, []result.YearlyPlan{{CU: 2000e6, Count: 6}}},
	} {
		run := plan(1, trigger.Usage{Calls: int64(math.Round(test.year / 365 / 24 / 75 * 10_000))})
		prices(t, "USD").Charge(&run)
		f := run.Bill.Per30Days.FunctionCompute
		if diff := cmp.Diff(test.year, *f.CU*365/30, cmpopts.EquateApprox(0.01, 0)); diff != "" {
			t.Fatal(diff)
		}
		switch {
		case test.plans == nil && f.YearlyPlans == nil:
		case test.plans == nil || f.YearlyPlans == nil:
			t.Errorf("%v CU a year: %+v, want %v", test.year, f.YearlyPlans, test.plans)
		default:
			want := result.YearlyPlans{Price: test.price / 365 * 30, Plans: test.plans}
			if diff := cmp.Diff(want, *f.YearlyPlans, cmpopts.EquateApprox(0.01, 0)); diff != "" || f.YearlyPlans.Price >= *f.Price {
				t.Errorf("%v CU a year, USD %v as they go: (-want +got):\n%s", test.year, *f.Price, diff)
			}
		}
		if f := run.Bill.Run.FunctionCompute; f.YearlyPlans != nil {
			t.Errorf("yearly plans for a run: %+v", f.YearlyPlans)
		}
	}
}

func TestHoursAreRoundedUp(t *testing.T) {
	call := trigger.Usage{Calls: 1} // 0.0075 CU
	for _, test := range []struct {
		name            string
		run             result.Run
		cu, per30Days   float64
		hasNo30DaysBill bool
	}{
		{name: "an hour of a stream", run: stream(0.001, call), cu: 1, hasNo30DaysBill: true},
		{name: "a whole number stays", run: stream(1, trigger.Usage{Calls: 400}), cu: 3, hasNo30DaysBill: true},
		{name: "hours without use cost nothing", run: stream(4, call, trigger.Usage{}, call), cu: 2, hasNo30DaysBill: true},
		{name: "a day", run: plan(24, append(make([]trigger.Usage, 23), call)...), cu: 1, per30Days: 30},
		// 4.05 CU in a minute are 243 in an hour; 1.2 CU in 10 minutes 7.2.
		{name: "a minute", run: plan(1.0/60, trigger.Usage{Calls: 540}), cu: 5, per30Days: 243 * 720},
		{name: "ten minutes", run: plan(1.0/6, trigger.Usage{Calls: 160}), cu: 2, per30Days: 8 * 720},
		// What is done after the load has ended goes into the next.
		{name: "an hour that drains", run: plan(1, trigger.Usage{Calls: 200}, trigger.Usage{Calls: 200}), cu: 4, per30Days: 3 * 720},
	} {
		prices(t, "USD").Charge(&test.run)
		bill := test.run.Bill
		near(t, test.name, bill.Run.FunctionCompute.CU, test.cu)
		if test.hasNo30DaysBill != (bill.Per30Days == nil) {
			t.Errorf("%s: per 30 days %+v", test.name, bill.Per30Days)
		} else if bill.Per30Days != nil {
			near(t, test.name+", per 30 days", bill.Per30Days.FunctionCompute.CU, test.per30Days)
		}
	}
}

func TestEventBridge(t *testing.T) {
	hour := func(perSecond, eventBytes int64) trigger.Usage {
		return trigger.Usage{Events: 3600 * perSecond, EventUnits: 3600 * perSecond, EventBytes: 3600 * perSecond * eventBytes}
	}
	for _, test := range []struct {
		name            string
		run             result.Run
		events, byUnits float64 // prices
		cheaper         string
	}{
		{"below the break-even of 23.04 a second", stream(1, hour(23, 100)), 23 * 3600 * 0.41e-6, 0.034, result.ByEvents},
		{"above it", stream(1, hour(24, 100)), 24 * 3600 * 0.41e-6, 0.034, result.ByCapacity},
		{"the time that a run takes", stream(0.5, trigger.Usage{Events: 100, EventUnits: 100}), 100 * 0.41e-6, 0.017, result.ByEvents},
		{"a stream without events", stream(3), 0, 3 * 0.034, result.ByEvents},
		{"5,000 a second", stream(1, hour(5000, 100)), 18e6 * 0.41e-6, 0.034, result.ByCapacity},
		{"a second capacity unit", stream(1, hour(6000, 100)), 21.6e6 * 0.41e-6, 2 * 0.034, result.ByCapacity},
		{"only in the hour that needs it", stream(2, hour(6000, 100), hour(4000, 100)), 36e6 * 0.41e-6, 3 * 0.034, result.ByCapacity},
		{"above 50 MB a second", stream(1, hour(1000, 60<<10)), 3.6e6 * 0.41e-6, 2 * 0.034, result.ByCapacity},
		{"units of 64 KB", stream(1, trigger.Usage{Events: 3600, EventUnits: 5 * 3600, EventBytes: 3600 * 300 << 10}), 5 * 3600 * 0.41e-6, 0.034, result.ByEvents},
	} {
		prices(t, "USD").Charge(&test.run)
		e := test.run.Bill.Run.EventBridge
		near(t, test.name+", by events", e.ByEvents.Price, test.events)
		near(t, test.name+", by capacity", e.ByCapacity.Price, test.byUnits)
		if e.Cheaper != test.cheaper {
			t.Errorf("%s: %s is cheaper, want %s", test.name, e.Cheaper, test.cheaper)
		}
		near(t, test.name+", the bill", test.run.Bill.Run.Price, *test.run.Bill.Run.FunctionCompute.Price+min(test.events, test.byUnits))
	}

	run := plan(2, hour(6000, 100), hour(4000, 100))
	prices(t, "USD").Charge(&run)
	near(t, "by capacity, per 30 days", run.Bill.Per30Days.EventBridge.ByCapacity.Price, 1.5*720*0.034)
	near(t, "by events, per 30 days", run.Bill.Per30Days.EventBridge.ByEvents.Price, 36e6*360*0.41e-6)
}

func TestUnknown(t *testing.T) {
	run := stream(1, trigger.Usage{Calls: 1, Events: 1, EventUnits: 1})
	prices(t, "CNY").Charge(&run)
	if c := run.Bill.Run; c.Price != nil || c.EventBridge.ByEvents.Price != nil || c.EventBridge.ByCapacity.Price != nil || c.EventBridge.Cheaper != "" || c.FunctionCompute.Price == nil {
		t.Errorf("in CNY: %+v", c)
	}
	run.Settings = run.Settings[:1]
	prices(t, "USD").Charge(&run)
	if c := run.Bill.Run; c.Price != nil || c.EventBridge.Cheaper != result.ByEvents || c.FunctionCompute.Price != nil || c.FunctionCompute.CU != nil || c.FunctionCompute.MemoryGBSeconds != 0 {
		t.Errorf("without a cpu: %+v", c)
	}
	for name, change := range map[string]func(*result.Run){
		"backlog": func(r *result.Run) { r.Load.Backlog = 1 }, "pending": func(r *result.Run) { r.Pending = 1 }, "stopped": func(r *result.Run) { r.Stopped = "so" },
	} {
		run := plan(1, trigger.Usage{Calls: 1})
		change(&run)
		prices(t, "USD").Charge(&run)
		if run.Bill.Per30Days != nil || run.Bill.Run.Price == nil {
			t.Errorf("%s: %+v", name, run.Bill)
		}
	}
}

// Logs are billed by their size, and are missing where it is not known.
func TestLogs(t *testing.T) {
	bytes := int64(10 << 30)
	run := plan(12, trigger.Usage{Calls: 1})
	run.Logs = &result.Logs{Bytes: &bytes}
	prices(t, "USD").Charge(&run)
	near(t, "a run's logs", run.Bill.Run.LogService.Price, 10*0.061)
	near(t, "a month's logs", run.Bill.Per30Days.LogService.GB, 600)
	near(t, "a month's logs", run.Bill.Per30Days.LogService.Price, 600*0.061)
	with := *run.Bill.Per30Days.Price
	prices(t, "CNY").Charge(&run)
	near(t, "in CNY", run.Bill.Run.LogService.Price, 4)

	run.Logs.Bytes = nil
	prices(t, "USD").Charge(&run)
	if l := run.Bill.Per30Days.LogService; l == nil || l.Price != nil || l.GB != nil {
		t.Errorf("not known: %+v", l)
	}
	near(t, "a month without logs", run.Bill.Per30Days.Price, with-600*0.061)
	run.Logs = nil
	prices(t, "USD").Charge(&run)
	if run.Bill.Run.LogService != nil {
		t.Error("there are no logs, and a price of them")
	}

	// Prices that were made before there was one of logs are good.
	before, _, _ := strings.Cut(BuiltIn, "logService:")
	run.Logs = &result.Logs{Bytes: &bytes}
	p, err := parse("old.yaml", []byte(before), "USD")
	if err != nil {
		t.Fatal(err)
	}
	p.Charge(&run)
	if l := run.Bill.Run.LogService; l.Price != nil || *l.GB != 10 || run.Bill.Run.Price == nil {
		t.Errorf("%+v", l)
	}
}
