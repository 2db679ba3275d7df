package plan

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// In whatever order it is asked, each message is anywhere with the same probability.
func TestChance(t *testing.T) {
	const messages, end, runs = 50, 1000.0, 4000
	sum, squares, alike := [10]float64{}, [10]float64{}, 0.0
	for seed := range uint64(runs) {
		random := rand.New(rand.NewPCG(seed, 1))
		c := newChance(rand.New(rand.NewPCG(seed, 2)), messages, end)
		for range random.IntN(40) {
			if number := random.Int64N(messages); random.IntN(2) == 0 {
				c.at(number)
			} else {
				c.by(random.Float64() * end)
			}
		}
		before := 0.0
		for number := range int64(messages) {
			at := c.at(number)
			if at < before || at > end || c.by(at) != number+1 || c.by(math.Nextafter(at, 0)) > number {
				t.Fatalf("seed %d: message %d is at %v, after %v; %d have come then", seed, number, at, before, c.by(at))
			}
			before = at
		}
		tenths := [10]float64{}
		for number := range int64(messages) {
			tenths[min(int(c.at(number)/end*10), 9)]++
		}
		for i, n := range tenths {
			sum[i] += n / runs
			squares[i] += n * n / runs
		}
		alike += tenths[3] * tenths[7] / runs
	}
	// A tenth of the time has each message with a probability of 0.1.
	for i := range sum {
		if variance := squares[i] - sum[i]*sum[i]; math.Abs(sum[i]-5) > 0.15 || math.Abs(variance-4.5) > 0.4 {
			t.Errorf("tenth %d has %v messages, with a variance of %v; want 5 and 4.5", i, sum[i], variance)
		}
	}
	if covariance := alike - sum[3]*sum[7]; math.Abs(covariance+0.5) > 0.3 {
		t.Errorf("two tenths have a covariance of %v, want -0.5", covariance)
	}
}

func TestChanceForgets(t *testing.T) {
	c := newChance(rand.New(rand.NewPCG(1, 1)), 1_000_000, 1e9)
	for number := range int64(1_000_000) {
		c.at(number)
		c.forget(number - 10)
		if len(c.knots) > 100 {
			t.Fatalf("%d knots at message %d", len(c.knots), number)
		}
	}
}

// What queueing theory says of messages that come by chance.
func TestTheoryOfChance(t *testing.T) {
	const service = 0.1
	for _, test := range []struct {
		name        string
		concurrency int
		rate        float64 // of what one call could do
		load        time.Duration
		want        float64 // mean latency, in seconds
	}{
		{"M/D/1 at 0.5", 1, 0.5, 8 * time.Hour, service * (1 + 0.5/(2*(1-0.5)))},
		{"M/D/1 at 0.8", 1, 0.8, 8 * time.Hour, service * (1 + 0.8/(2*(1-0.8)))},
		{"no queue", 300, 2, time.Hour, service},
	} {
		r := rules()
		r.Concurrency, r.CountBasedWindow, r.TimeBasedWindow, r.InstanceConcurrency, r.MaximumTasks = test.concurrency, 1, 0, 300, 4
		rate := test.rate / service
		result := mustRun(t, Config{Rules: r, Load: Load{Partitions: 4, Rate: rate, For: test.load, EventBytes: 500, Arrivals: Poisson}, Drain: true,
			Function: Function{CallTime: 100 * time.Millisecond}})
		mean := latencies(result).Mean / 1000
		if math.Abs(mean-test.want) > 0.03*test.want {
			t.Errorf("%s: the mean latency is %v s, want %v", test.name, mean, test.want)
		}
		if math.Abs(result.LagMean-rate*test.want) > 0.04*rate*test.want {
			t.Errorf("%s: the mean lag is %v, want %v", test.name, result.LagMean, rate*test.want)
		}
		// As likely as any number of messages that are there: Poisson's law.
		if busy := result.BusySeconds / result.Wall.Seconds(); test.concurrency > 1 && math.Abs(busy-(1-math.Exp(-test.rate))) > 0.01 {
			t.Errorf("%s: the instance is busy for %v of the time", test.name, busy)
		}
	}
}

// Calls of different tasks share the instance's time by chance.
func TestTasksOverlap(t *testing.T) {
	r := rules()
	r.MaximumTasks = 12
	result := mustRun(t, Config{Rules: r, Load: Load{Partitions: 12, Rate: 120, For: 25 * time.Minute, EventBytes: 500, Arrivals: Poisson}, Drain: true,
		Function: Function{CallTime: 50 * time.Millisecond}})
	if got, want := result.BusySeconds/1500, 1-math.Pow(0.95, 12); math.Abs(got-want) > 0.015 {
		t.Errorf("busy for %v of the time, want %v", got, want)
	}
	if result.LagEnd < 40 || result.LagEnd > 85 { // half a window of each task
		t.Errorf("the lag at the end is %d, want about 61", result.LagEnd)
	}
}
