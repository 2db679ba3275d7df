package search

import (
	"testing"
	"time"

	"fclocal/internal/plan"
)

// BenchmarkSearch plans all of a grid, and searches it: the price of the answer by the lowest
// of all, and the time by that of all.
func BenchmarkSearch(b *testing.B) {
	day := []plan.Rate{{PerSecond: 1}, {From: 8 * time.Hour, PerSecond: 6}, {From: 12 * time.Hour, PerSecond: 3}, {From: 20 * time.Hour, PerSecond: 0.5}}
	for _, bench := range []struct {
		name string
		load plan.Load
		goal string
	}{
		{"steady", plan.Load{Rate: 200, For: 10 * time.Minute, Partitions: 4}, "p99<=2s"},
		{"bursts", plan.Load{Rate: 100, For: 20 * time.Minute, Arrivals: plan.Bursts, Burst: plan.Burst{Rate: 5, For: 10 * time.Second, Every: 5 * time.Minute}}, "p99<=5s"},
		{"a day", plan.Load{Rates: day, RateFile: "rates.txt", For: 24 * time.Hour}, "p95<=4s"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			vary := map[string][]float64{count: {1, 20, 50, 100, 200}, window: {0, 1, 5}, concurrency: {5, 20, 50}, each: {1, 25}}
			q := question(b, bench.load, web, map[string]string{"maximumTasks": "4"}, vary, bench.goal)
			for b.Loop() {
				start := time.Now()
				best, settings := whole(b, q)
				all := time.Since(start)
				start = time.Now()
				answer := find(b, q)
				searched := time.Since(start)
				b.ReportMetric(float64(settings), "settings")
				b.ReportMetric(float64(answer.Planned), "planned")
				b.ReportMetric(searched.Seconds()/all.Seconds(), "time/whole")
				b.ReportMetric(searched.Seconds(), "s/search")
				if answer.Best == nil || best.Price == 0 {
					b.Fatal("nothing keeps the goal")
				}
				b.ReportMetric(answer.Best.Price/best.Price, "price/best")
			}
		})
	}
}
