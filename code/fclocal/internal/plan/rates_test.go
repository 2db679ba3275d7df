package plan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseRates(t *testing.T) {
	got, err := ParseRates("rates.txt", strings.NewReader("\ufeff# a day\r\n00:00 1000\r\n\n6:30\t5000.5\n  7h 0 \n18:00:30,2500\n23:59:59 , 1e3"))
	want := []Rate{{0, 1000}, {6*time.Hour + 30*time.Minute, 5000.5}, {7 * time.Hour, 0}, {18*time.Hour + 30*time.Second, 2500}, {day - time.Second, 1000}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, test := range []struct{ file, want string }{
		{"", "rates.txt: no line has a time and a rate, like 00:00 1000"},
		{"# 00:00 1\n", "rates.txt: no line has a time and a rate, like 00:00 1000"},
		{"00:00 0\n12:00 0\n", "rates.txt: all rates are 0: one at least must be above"},
		{"\n06:00 5\n", `rates.txt:2: "06:00 5": the first time must be 00:00`},
		{"00:00 5\n12:00 6\n12:00 7", `rates.txt:3: "12:00 7": it must be later than the time before it; the day repeats by itself`},
		{"00:00 5\n12:00 6\n11h 7", `rates.txt:3: "11h 7": it must be later than the time before it; the day repeats by itself`},
		{"00:00\n", `rates.txt:1: "00:00": a line is a time and the messages a second from then on, like 06:30 5000`},
		{"00:00 5 6\n", `rates.txt:1: "00:00 5 6": a line is a time and the messages a second from then on, like 06:30 5000`},
		{"00:00 5\n25:00 6", `rates.txt:2: "25:00": a time is HH:MM, HH:MM:SS or a duration like 6h30m, below 24h`},
		{"00:00 5\n24:00 6", `rates.txt:2: "24:00": a time is HH:MM, HH:MM:SS or a duration like 6h30m, below 24h`},
		{"00:00 5\n24h 6", `rates.txt:2: "24h": a time is HH:MM, HH:MM:SS or a duration like 6h30m, below 24h`},
		{"-1h 5", `rates.txt:1: "-1h": a time is HH:MM, HH:MM:SS or a duration like 6h30m, below 24h`},
		{"noon 5", `rates.txt:1: "noon": a time is HH:MM, HH:MM:SS or a duration like 6h30m, below 24h`},
		{"00:00 -5", `rates.txt:1: "-5": the messages a second must be a number of 0 or more`},
		{"00:00 NaN", `rates.txt:1: "NaN": the messages a second must be a number of 0 or more`},
		{"00:00 Inf", `rates.txt:1: "Inf": the messages a second must be a number of 0 or more`},
		{"00:00 many", `rates.txt:1: "many": the messages a second must be a number of 0 or more`},
		{"00:00 1\n" + strings.Repeat("#", 1<<17), "rates.txt:2: bufio.Scanner: token too long"},
	} {
		_, err := ParseRates("rates.txt", strings.NewReader(test.file))
		if fmt.Sprint(err) != test.want {
			t.Errorf("%.20q: %v, want %s", test.file, err, test.want)
		}
	}
}

func randomRates(random *rand.Rand) []Rate {
	var rates []Rate
	for from := time.Duration(0); from < day; from += time.Duration(random.Int64N(int64(8 * time.Hour))) {
		if n := len(rates); n == 0 || from > rates[n-1].From {
			rates = append(rates, Rate{from, []float64{0, 0.001, 0.05, 0.3}[random.IntN(4)] * random.Float64()})
		}
	}
	rates[random.IntN(len(rates))].PerSecond = 0.1
	return rates
}

// count is how many messages come between two times.
func count(rates []Rate, from, to time.Duration) (messages float64) {
	for midnight := time.Duration(0); midnight < to; midnight += day {
		for i, r := range rates {
			until := day
			if i+1 < len(rates) {
				until = rates[i+1].From
			}
			messages += r.PerSecond * max(0, (min(midnight+until, to)-max(midnight+r.From, from)).Seconds())
		}
	}
	return messages
}

// The messages of each task come with the curve, and when they arrive is the
// inverse of how many have arrived.
func TestArrivals(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 9))
		c := Config{Rules: rules(), Load: Load{
			Partitions: 1 + random.IntN(20), Backlog: random.Int64N(50), Skew: []float64{0, 1, 5}[random.IntN(3)],
			Rates: randomRates(random), For: 1 + time.Duration(random.Int64N(int64(3*day))),
		}}
		c.Rules.MaximumTasks, c.Rules.TimeBasedWindow = 1+random.IntN(9), time.Duration(random.IntN(16))*time.Second
		all := count(c.Load.Rates, 0, c.Load.For)
		if all < 1 {
			continue
		}
		d := newDriver(c)
		if d.total != c.Load.Backlog+int64(math.Round(all)) {
			t.Fatalf("seed %d: %d messages, want %d and %v", seed, d.total, c.Load.Backlog, all)
		}
		if at := d.curve.when(d.curve.passed(c.Load.For)); at > c.Load.For {
			t.Errorf("seed %d: a load of %v ends after %v", seed, c.Load.For, at)
		}
		for _, task := range d.tasks {
			before := time.Duration(0)
			for number := task.backlog; number < task.total; number++ {
				at := task.arrival(number)
				if at < before || at > c.Load.For || task.arrived(at) <= number || at > 0 && task.arrived(at-1) > number {
					t.Fatalf("seed %d: message %d arrives at %v, after %v; %d have then", seed, number, at, before, task.arrived(at))
				}
				before = at
			}
			for range 20 {
				at := time.Duration(random.Int64N(int64(c.Load.For)))
				got := task.arrived(at) - task.backlog
				if want := count(c.Load.Rates, 0, at) / all * float64(task.total-task.backlog); math.Abs(float64(got)-want) > 1.001 {
					t.Fatalf("seed %d: %d of %d have arrived by %v, want %v", seed, got, task.total-task.backlog, at, want)
				}
			}
		}
		for range 50 {
			d.now = time.Duration(random.Int64N(int64(d.loadEnd)))
			if over := d.produced() - d.producedExactly(); max(over, -over) > 2+int64(len(d.tasks))/2 {
				t.Fatalf("seed %d: %d of %d are %d too many at %v", seed, d.produced(), d.total, over, d.now)
			}
		}
	}
}

func TestOneRateIsSteady(t *testing.T) {
	for seed := range uint64(100) {
		c := randomConfig(seed)
		c.Load.Rate, c.Load.Rates, c.Load.For = 30, nil, 10*time.Second
		c.Load.Burst.For, c.Load.Burst.Every = time.Second, 5*time.Second
		want := mustRun(t, c)
		c.Load.Rate, c.Load.Rates = 0, []Rate{{0, 30}}
		if got := mustRun(t, c); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d:\n%+v\n%+v", seed, got, want)
		}
	}
}

// 26 calls of 1000 events, each of 100 s, make 260 messages a second, and add
// up to 26,000 to the lag.
func TestKeepsUpWithCurve(t *testing.T) {
	const hour = time.Hour
	for _, test := range []struct {
		name    string
		rates   []Rate
		load    time.Duration
		want    bool
		lagMax  float64
		backlog int64
	}{
		{"never too much", []Rate{{0, 20}, {12 * hour, 200}}, day, true, 20_000, 0},
		{"a peak is made up", []Rate{{0, 100}, {12 * hour, 360}, {14 * hour, 100}}, day, true, 720_000, 0},
		{"a peak is not made up", []Rate{{0, 100}, {12 * hour, 360}, {14 * hour, 250}}, day, false, 720_000, 0},
		{"the evening's peak is not made up in a day", []Rate{{0, 100}, {22 * hour, 360}}, day, false, 720_000, 0},
		{"the night makes it up", []Rate{{0, 100}, {22 * hour, 360}}, 2 * day, true, 720_000, 0},
		{"the night does not", []Rate{{0, 250}, {20 * hour, 360}}, 3 * day, false, 3*4*100*3600 - 2*20*10*3600, 0},
		{"the rate falls too late", []Rate{{0, 300}, {23 * hour, 1}}, day, false, 40 * 23 * 3600, 0},
		{"calls take long for the load", []Rate{{0, 20}, {hour / 2, 40}}, hour, true, 5000, 0},
		{"a backlog beside it", []Rate{{0, 100}, {12 * hour, 250}}, day, true, 1e6, 1e6},
	} {
		c := Config{
			Rules: rules(), Load: Load{Partitions: 3, Rates: test.rates, For: test.load, Backlog: test.backlog, EventBytes: 500},
			Function: Function{CallTime: 50 * time.Second, EventTime: 50 * time.Millisecond}, Drain: true,
		}
		c.Rules.CountBasedWindow = 1000
		result := mustRun(t, c)
		if result.KeepsUp != test.want || math.Abs(float64(result.LagMax)-test.lagMax) > 30_000 {
			t.Errorf("%s: keeps up %v with a lag of %d at most and %d at the end; want %v and %v at most",
				test.name, result.KeepsUp, result.LagMax, result.LagEnd, test.want, test.lagMax)
		}
	}
}

// Windows do not close at the same moment, neither at the one rate nor at the other.
func TestTasksTakeTurns(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	for _, test := range []struct {
		window, call time.Duration
		inFlight     int // at most
	}{{0, 20 * time.Millisecond, 6}, {15 * time.Second, 50 * time.Millisecond, 4}} {
		c := Config{
			Rules: rules(), Load: Load{Partitions: 20, Rates: []Rate{{0, 20}, {time.Hour, 200}}, For: 2 * time.Hour},
			Function: Function{CallTime: test.call}, Drain: true,
		}
		c.Rules.MaximumTasks, c.Rules.TimeBasedWindow = 20, test.window
		if result := mustRun(t, c); result.PeakInFlight > test.inFlight {
			t.Errorf("TimeBasedWindow %v: %d calls in flight, want at most %d", test.window, result.PeakInFlight, test.inFlight)
		}
	}
}

// What is produced is right at any moment.
func TestProduced(t *testing.T) {
	for name, load := range map[string]Load{
		"curve": {Partitions: 20, Rates: []Rate{{0, 1000}, {time.Hour, 0}, {2 * time.Hour, 5000}}, For: 3 * time.Hour},
		"even":  {Partitions: 20, Rate: 1000, For: 3 * time.Hour},
		"one":   {Partitions: 20, Rate: 20, For: 3 * time.Hour},
	} {
		c := Config{Rules: rules(), Load: load}
		c.Rules.MaximumTasks = 20
		d := newDriver(c)
		for hour := range time.Duration(4) {
			for second := range time.Duration(20) {
				d.now = hour*time.Hour + second*1234*time.Millisecond
				if over := d.produced() - d.producedExactly(); max(over, -over) > 6 {
					t.Errorf("%s: at %v it is %d too many", name, d.now, over)
				}
			}
		}
	}
}

// The samples show the day, and the next one.
func TestSamplesShowTheDay(t *testing.T) {
	c := Config{
		Rules: rules(), Load: Load{Partitions: 3, Rates: []Rate{{0, 0}, {6 * time.Hour, 100}, {18 * time.Hour, 10}}, For: 2 * day},
		Function: Function{CallTime: 10 * time.Millisecond}, Drain: true,
	}
	c.Rules.CountBasedWindow = 1000
	for _, s := range mustRun(t, c).Samples {
		want := 0.0
		switch at := (s.At - 1) % day; { // of the time before it
		case at > 18*time.Hour+5*time.Minute:
			want = 10
		case at > 18*time.Hour:
			continue
		case at > 6*time.Hour+5*time.Minute:
			want = 100
		case at > 6*time.Hour, at < 5*time.Minute:
			continue
		}
		if math.Abs(s.EventsPerSecond-want) > 5 {
			t.Errorf("%.1f events per second at %v, want %v", s.EventsPerSecond, s.At, want)
		}
	}
}

func TestSkew(t *testing.T) {
	const partitions, messages = 50, 1_000_003
	for _, skew := range []float64{0, 0.1, 1, 2, 5} {
		load := Load{Partitions: partitions, Skew: skew}
		s := newShares(load, 7)
		var got []int64
		sum := int64(0)
		for partition := range partitions {
			n := s.of(messages, partition, 1)
			got = append(got, n)
			sum += n
		}
		if sum != messages || s.of(messages, 0, partitions) != messages {
			t.Errorf("skew %v: %d and %d messages, want %d", skew, sum, s.of(messages, 0, partitions), messages)
		}
		if shuffled := !slices.IsSortedFunc(got, func(a, b int64) int { return int(b - a) }); shuffled != (skew > 0) {
			t.Errorf("skew %v: shuffled %v: %d", skew, shuffled, got)
		}
		if other := newShares(load, 8); skew > 0 && slices.Equal(other.cumulated, s.cumulated) {
			t.Errorf("skew %v: another seed shuffles in the same way", skew)
		}
		slices.SortFunc(got, func(a, b int64) int { return int(b - a) })
		for k, n := range got {
			if want := float64(got[0]) / math.Pow(float64(k+1), skew); math.Abs(float64(n)-want) > 2 {
				t.Errorf("skew %v: the partition in place %d has %d messages, want %v", skew, k+1, n, want)
			}
		}
	}
}

// A task whose partitions have most of the messages fills its windows sooner than
// the others.
func TestSkewFillsWindows(t *testing.T) {
	c := Config{
		Rules: rules(), Load: Load{Partitions: 8, Rate: 80, For: time.Hour, EventBytes: 500},
		Function: Function{CallTime: 10 * time.Millisecond}, Drain: true,
	}
	c.Rules.MaximumTasks, c.Rules.CountBasedWindow = 8, 100
	even := mustRun(t, c)
	c.Load.Skew = 3
	skewed := mustRun(t, c)
	// Windows of 10 s each; then one of 83 % of the messages fills in 1.5 s.
	if p := even.Latencies.Percentile(99.5); p > 10100*time.Millisecond { // the last ones are not full, and wait for 15 s
		t.Errorf("the longest latency is %v without a skew, want 10 s", p)
	}
	if p50, max := skewed.Latencies.Percentile(50), skewed.Latencies.Max(); p50 > 1200*time.Millisecond || max < 14*time.Second {
		t.Errorf("with a skew latencies are %v, and %v at most; want below 1.2 s and 15 s", p50, max)
	}
	if skewed.Produced != even.Produced || skewed.IdleTasks != 0 || !skewed.KeepsUp {
		t.Errorf("%d messages, %d idle tasks, keeps up %v", skewed.Produced, skewed.IdleTasks, skewed.KeepsUp)
	}
}
