package result

import (
	"slices"
	"testing"
)

// seeded are plans of the same settings, a seed each, with these p99 and prices.
func seeded(keepsUp bool, figures ...[2]float64) Run {
	var runs []Run
	for seed, f := range figures {
		run := Run{Plan: &Plan{KeepsUp: keepsUp}, Counts: Counts{Delivered: 1}, LatencyMs: LatencyMs{P99: f[0]}}
		run.Account.Seed = uint64(seed + 7)
		run.Bill = &Bill{Run: Charges{Price: &f[1]}}
		runs = append(runs, run)
	}
	return MergeSeeds(runs)
}

func TestMergeSeeds(t *testing.T) {
	one := seeded(true, [2]float64{5, 1})
	if one.Range != nil || one.Seeds != nil || one.LatencyMs.P99 != 5 {
		t.Errorf("of one seed: %+v", one)
	}
	r := seeded(true, [2]float64{9, 1}, [2]float64{2, 4}, [2]float64{5, 3}, [2]float64{3, 2})
	if r.LatencyMs.P99 != 3 || r.Account.Seed != 10 || r.Range["p99"] != (Interval{2, 9}) || r.Range["bill"] != (Interval{1, 4}) {
		t.Errorf("%+v of seed %d, %v", r.LatencyMs, r.Account.Seed, r.Range)
	}
	if _, known := r.Range["functionCompute"]; known {
		t.Errorf("a price that is not known has a range: %v", r.Range)
	}
	if len(r.Seeds) != 4 || r.Seeds[1].Seed != 8 || r.Seeds[1].Figures["p99"] != 2 || r.Seeds[1].Figures["bill"] != 4 {
		t.Errorf("%+v", r.Seeds)
	}
	r.OfSeeds[2].KeepsUp = false
	if MergeSeeds(r.OfSeeds).KeepsUp || !r.KeepsUp {
		t.Error("one seed that does not keep up is not told, or changes what was merged before")
	}
}

// Ranges that overlap are equal, whatever is in the middle of them.
func TestSortSeeds(t *testing.T) {
	wide := seeded(true, [2]float64{10, 5}, [2]float64{30, 6})
	good := seeded(true, [2]float64{11, 9}, [2]float64{12, 9.5})
	near := seeded(true, [2]float64{12, 7}, [2]float64{14, 8})
	bad := seeded(true, [2]float64{31, 1}, [2]float64{32, 2})
	not := seeded(false, [2]float64{1, 0.1}, [2]float64{2, 0.2})
	for _, test := range []struct {
		name  string
		sort  func([]Run)
		want  []Run
		ranks []int
	}{
		{"latency", SortByLatency, []Run{wide, near, good, bad, not}, []int{1, 1, 1, 2, 3}},
		{"cost", SortByCost, []Run{bad, wide, near, good, not}, []int{1, 2, 3, 4, 5}},
	} {
		runs := []Run{bad, wide, not, near, good}
		test.sort(runs)
		var ranks []int
		for i, r := range runs {
			ranks = append(ranks, r.Rank)
			if r.Range["p99"] != test.want[i].Range["p99"] {
				t.Errorf("by %s: place %d has p99 %v, want %v", test.name, i+1, r.Range["p99"], test.want[i].Range["p99"])
			}
		}
		if !slices.Equal(ranks, test.ranks) {
			t.Errorf("by %s: the ranks are %v, want %v", test.name, ranks, test.ranks)
		}
	}
	single := []Run{seeded(true, [2]float64{2, 1}), seeded(true, [2]float64{1, 1})}
	if SortByLatency(single); single[0].LatencyMs.P99 != 1 || single[0].Rank != 0 {
		t.Errorf("of one seed: %+v", single[0])
	}
}

func TestFailOnSeeds(t *testing.T) {
	conditions, err := ParseConditions([]string{"p99>4ms", "not-keeping-up"})
	if err != nil {
		t.Fatal(err)
	}
	err = FailOn([]Run{seeded(true, [2]float64{3, 1}, [2]float64{9, 1}, [2]float64{5, 1})}, conditions)
	if want := "latency p99 is 9 ms with seed 8 (2 of 3 seeds)"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := FailOn([]Run{seeded(true, [2]float64{3, 1}, [2]float64{4, 1})}, conditions); err != nil {
		t.Error(err)
	}
}
