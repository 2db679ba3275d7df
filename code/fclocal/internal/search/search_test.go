package search

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"fclocal/internal/bill"
	"fclocal/internal/config"
	"fclocal/internal/plan"
	"fclocal/internal/result"
)

// question is one on the project's own s.yaml with some settings.
func question(t testing.TB, load plan.Load, function plan.Function, set map[string]string, vary map[string][]float64, goals ...string) Question {
	t.Helper()
	read := func(more map[string]string) (*config.Project, error) {
		all := maps.Clone(set)
		if all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, more)
		project, problems, err := config.Load(filepath.Join("..", "..", "..", "..", "s.yaml"), config.Options{Set: all})
		if errs, _ := config.Count(problems); err == nil && errs > 0 {
			err = errors.New(config.Summary(problems))
		}
		return project, err
	}
	today, err := read(nil)
	if err != nil {
		t.Fatal(err)
	}
	prices, err := bill.Read("", "USD")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := result.ParseGoals(goals)
	if err != nil {
		t.Fatal(err)
	}
	load.Partitions, load.EventBytes = cmp.Or(load.Partitions, 1), cmp.Or(load.EventBytes, 1000)
	load.Arrivals = cmp.Or(load.Arrivals, plan.Poisson)
	if vary == nil {
		vary, _ = ParseVary(nil, false)
	}
	return Question{
		Today: today, Goals: parsed, Vary: vary, Load: read, Prices: prices, Cores: runtime.GOMAXPROCS(0),
		Plan: func(p *config.Project) plan.Config { return plan.New(p, load, function) },
	}
}

var web = plan.Function{CallTime: 30 * time.Millisecond, EventTime: 20 * time.Millisecond, Spread: 0.2, ColdStart: 200 * time.Millisecond}

func find(t testing.TB, q Question) result.Search {
	t.Helper()
	answer, err := Find(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// whole plans all of a grid in full, and returns the lowest price that keeps the goals.
func whole(t testing.TB, q Question) (best result.Choice, planned int) {
	t.Helper()
	s := newSearcher(q)
	if err := s.makeAxes(); err != nil {
		t.Fatal(err)
	}
	s.makeCandidates()
	for _, c := range s.pending {
		p, err := s.inFull(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if p.choice.Kept && (best.Price == 0 || p.choice.Price < best.Price) {
			best = p.choice
		}
	}
	return best, len(s.pending)
}

// The answer costs no more than the cheapest of a grid that is planned as a whole.
func TestFindsTheCheapest(t *testing.T) {
	for _, test := range []struct {
		name string
		load plan.Load
		goal string
	}{
		{"even, and several tasks", plan.Load{Rate: 100, For: time.Minute, Arrivals: plan.Even, Partitions: 4}, "p95<=1500ms"},
		{"lag", plan.Load{Rate: 100, For: time.Minute}, "lag<=300"},
		{"a backlog", plan.Load{Backlog: 2000}, "max<=60s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			vary := map[string][]float64{count: {5, 20, 50}, window: {1, 3}, concurrency: {3, 10}, each: {2}}
			q := question(t, test.load, web, map[string]string{"maximumTasks": "4"}, vary, test.goal)
			want, settings := whole(t, q)
			answer := find(t, q)
			if want.Price == 0 || answer.Best == nil || answer.Best.Price > want.Price*1.006 || answer.Planned >= settings {
				t.Errorf("of %d settings %d were planned, and the best is\n%+v, want\n%+v", settings, answer.Planned, answer.Changes, want.Settings)
			}
		})
	}
}

// No plan that keeps its promise costs less than the bound.
func TestBound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(values ...float64) float64 { return values[random.IntN(len(values))] }
	compared := 0
	for range 25 {
		load := plan.Load{Rate: pick(1, 20, 300), For: time.Duration(pick(60, 900, 5000)) * time.Second, Partitions: int(pick(1, 8)), EventBytes: int(pick(100, 100_000)), Arrivals: plan.Poisson}
		switch random.IntN(5) {
		case 0:
			load.Arrivals = plan.Even
		case 1:
			load.Rates, load.Rate = []plan.Rate{{PerSecond: pick(0.3, 1)}, {From: 10 * time.Minute, PerSecond: pick(0.1, 3)}}, 0
		case 2:
			load.Backlog = int64(pick(100, 3000))
		}
		load.Rate = min(load.Rate, 3000/load.For.Seconds())
		function := plan.Function{CallTime: time.Duration(pick(0, 10, 300)) * time.Millisecond, EventTime: time.Duration(pick(0, 1, 20)) * time.Millisecond, Spread: pick(0, 0.2, 1), CPU: 0.1}
		if random.IntN(3) == 0 {
			function.CallCPU, function.EventCPU = time.Millisecond, 100*time.Microsecond
		}
		q := question(t, load, function, map[string]string{"maximumTasks": text(pick(1, 4))}, nil, "p99<=1h")
		s := newSearcher(q)
		c := candidate{count: pick(1, 10, 1000), window: pick(0, 1, 10), concurrency: pick(1, 10, 100), each: pick(1, 5, 100), shape: &shape{0.1, []float64{128}}}
		if !s.assess(&c) {
			continue
		}
		p, err := s.inFull(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !p.clean {
			continue
		}
		compared++
		if p.choice.Price < c.bound*(1-1e-9) {
			t.Errorf("%+v costs %v, below the bound %v, with %+v and %+v", c, p.choice.Price, c.bound, load, function)
		}
	}
	if compared < 12 {
		t.Errorf("only %d plans were compared", compared)
	}
}

// What can be left out before it is planned does not keep up.
func TestLeftOut(t *testing.T) {
	q := question(t, plan.Load{Rate: 100, For: time.Minute}, plan.Function{CallTime: 100 * time.Millisecond}, nil, nil, "p99<=1h")
	s := newSearcher(q)
	left := 0
	for _, n := range []float64{1, 2, 5} {
		for _, calls := range []float64{1, 2, 5, 9, 10} {
			c := candidate{count: n, window: 1, concurrency: calls, each: 1, shape: &shape{0.1, []float64{128}}}
			may := s.assess(&c)
			p, err := s.inFull(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			if !may {
				left++
			}
			if !may && p.choice.KeepsUp {
				t.Errorf("%v calls of %v messages keep up, and are left out", calls, n)
			}
		}
	}
	if left < 5 {
		t.Errorf("%d are left out", left)
	}
}

// A part of a load stands for all of it.
func TestShorten(t *testing.T) {
	day := []plan.Rate{{PerSecond: 2}, {From: 8 * time.Hour, PerSecond: 4}, {From: 20 * time.Hour, PerSecond: 1}}
	for name, load := range map[string]plan.Load{
		"steady":     {Rate: 20, For: 2 * time.Hour},
		"a day":      {Rates: day, RateFile: "rates.txt", For: 24 * time.Hour},
		"three days": {Rates: day, RateFile: "rates.txt", For: 72 * time.Hour},
	} {
		q := question(t, load, web, map[string]string{"concurrency": "50"}, nil, "p99<=1h")
		all := q.Plan(q.Today)
		calls, _, _ := newLoad(all).estimate(all)
		part, cut := shorten(all, calls, 2500)
		if !cut || part.Load.For > load.For/4 {
			t.Errorf("%s: of %v %v are left", name, load.For, part.Load.For)
			continue
		}
		s := newSearcher(q)
		var choices []result.Choice
		for _, p := range []plan.Config{all, part} {
			r, err := plan.Run(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			choices = append(choices, s.judge(candidate{shape: &shape{0.1, []float64{128}}}, []plan.Config{p}, []plan.Result{r}, true).choice)
		}
		if price := choices[1].FunctionCompute / choices[0].FunctionCompute; price < 0.97 || price > 1.03 {
			t.Errorf("%s: the price of the part is %v of that of all", name, price)
		}
		if p99 := choices[1].LatencyMs.P99 / choices[0].LatencyMs.P99; p99 < 0.95 || p99 > 1.05 {
			t.Errorf("%s: the p99 of the part is %v of that of all", name, p99)
		}
	}
	q := question(t, plan.Load{Rate: 40, For: 2 * time.Hour, Backlog: 1}, web, nil, nil, "p99<=1h")
	if _, cut := shorten(q.Plan(q.Today), 1e6, 3000); cut {
		t.Error("a backlog is cut")
	}
	recorded := plan.Config{Load: (&plan.Recording{Partitions: 1, For: time.Hour, Records: []plan.Record{{Bytes: 1}}}).Load()}
	if _, cut := shorten(recorded, 1e6, 3000); cut {
		t.Error("what was recorded is cut")
	}
}

func TestNothingKeeps(t *testing.T) {
	vary := map[string][]float64{count: {1, 10}}
	for goal, want := range map[string]string{
		"p99<=40ms":                 "p99<=40ms cannot be kept: the function itself takes 50 ms for a call of one event.",
		"p99<=100ms,p99.9<=60ms":    "Missed: p99.9<=60ms: latency p99.9 is",
		"p99<=2s,lag<=1":            "Missed: lag<=1: lag at most is",
		"p99<=1h,mean<=1ms,max<=1h": "mean<=1ms cannot be kept",
	} {
		answer := find(t, question(t, plan.Load{Rate: 100, For: 20 * time.Second}, web, nil, vary, strings.Split(goal, ",")...))
		if answer.Best != nil || answer.Nearest == nil || len(answer.Changes) > 0 || !strings.HasPrefix(strings.Join(answer.Binds, " "), want) {
			t.Errorf("%s: %+v %q, want %q", goal, answer.Changes, answer.Binds, want)
		}
	}
}

func TestTodayIsTheCheapest(t *testing.T) {
	q := question(t, plan.Load{Rate: 100, For: time.Minute}, web, map[string]string{"CountBasedWindow": "50"}, map[string][]float64{count: {10, 50, 200}, concurrency: {26, 50}}, "p99<=2s")
	if a := find(t, q); a.Best == nil || a.Best.Price != a.Today.Price || len(a.Changes) != 0 || !a.Today.Kept {
		t.Errorf("the best is %+v; today %v, kept %v", a.Changes, a.Today.Price, a.Today.Kept)
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	q := question(t, plan.Load{Rate: 100, For: time.Minute}, web, nil, map[string][]float64{count: nil}, "p99<=2s")
	q.Progress = func(result.PlanState) { cancel() } // after the first few
	answer, err := Find(ctx, q)
	if !errors.Is(err, context.Canceled) || answer.Best == nil || !answer.Best.Kept || len(answer.Changes) == 0 {
		t.Errorf("%v, best %+v", err, answer.Changes)
	}
}

func TestParseVary(t *testing.T) {
	for _, test := range []struct {
		items    string
		measured bool
		want     map[string][]float64
		err      string
	}{
		{"", false, map[string][]float64{count: nil, window: nil, concurrency: nil, each: nil}, ""},
		{"", true, map[string][]float64{count: nil, window: nil, concurrency: nil, each: nil, cpu: nil, memory: nil}, ""},
		{"concurrency,CountBasedWindow=10,20,TimeBasedWindow", false, map[string][]float64{concurrency: nil, count: {10, 20}, window: nil}, ""},
		{"cpu=0.1,0.2", true, map[string][]float64{cpu: {0.1, 0.2}}, ""},
		{"cpu", false, nil, "--vary cpu needs --measure: times that are given are the same with any of it"},
		{"maximumTasks", false, nil, "--vary maximumTasks: it is not searched, as more tasks cost nothing and limit nothing: it should be the number of partitions"},
		{"timeout", false, nil, "--vary timeout: it must be of concurrency, CountBasedWindow, TimeBasedWindow, instanceConcurrency, cpu, memorySize"},
		{"concurrency,concurrency=1", false, nil, "--vary concurrency is given twice"},
		{"concurrency=many", false, nil, `--vary concurrency: "many" is no number`},
		{"concurrency,5", false, nil, "--vary 5: it must be of concurrency, CountBasedWindow, TimeBasedWindow, instanceConcurrency, cpu, memorySize"},
	} {
		var items []string
		if test.items != "" {
			items = strings.Split(test.items, ",")
		}
		got, err := ParseVary(items, test.measured)
		if text := ""; err != nil {
			if text = err.Error(); text != test.err {
				t.Errorf("%q: %s, want %s", test.items, text, test.err)
			}
		} else if test.err != "" || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: %v, want %v %s", test.items, got, test.want, test.err)
		}
	}
}

// Values that s.yaml may not have are left out, and refused where they are asked for.
func TestAllowed(t *testing.T) {
	q := question(t, plan.Load{Rate: 1, For: time.Minute}, web, map[string]string{"instanceSoftConcurrency": "20"}, map[string][]float64{each: nil, cpu: {0.1, 1}, memory: nil}, "p99<=2s")
	s := newSearcher(q)
	if err := s.makeAxes(); err != nil {
		t.Fatal(err)
	}
	if got, want := s.axes, []axis{{each, []float64{20, 26, 50, 100, 200}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := s.shapes, []shape{{0.1, []float64{128, 192, 256, 320, 384}}, {1, []float64{1024, 1536, 2048, 3072, 4096}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	q.Vary = map[string][]float64{each: {10, 26}}
	if _, err := Find(context.Background(), q); err == nil || !strings.HasPrefix(err.Error(), "--vary instanceConcurrency=10: ") {
		t.Error(err)
	}
	q.Vary = map[string][]float64{cpu: {1}}
	if _, err := Find(context.Background(), q); err == nil || !strings.HasPrefix(err.Error(), "--vary: no cpu goes with a memorySize: ") {
		t.Error(err)
	}
}

// The smallest memory that is enough is taken, and no less.
func TestMemory(t *testing.T) {
	f := plan.Function{CallCPU: 2 * time.Millisecond, EventCPU: 100 * time.Microsecond, CallTime: 10 * time.Millisecond, BaseMemory: 40 << 20, EventMemory: 2 << 20, FurtherEventMemory: 2 << 20}
	load := plan.Load{Rate: 100, For: 5 * time.Minute, Partitions: 1, EventBytes: 1000, Arrivals: plan.Poisson}
	q := question(t, load, f, map[string]string{"memorySize": "384"}, map[string][]float64{count: {10, 100}, cpu: {0.1, 0.25}, memory: nil}, "p99<=2s")
	q.Plan = func(p *config.Project) plan.Config {
		f := f
		f.CPU, f.MemorySize = p.Function.CPU, int64(p.Function.MemorySize)<<20
		return plan.New(p, load, f)
	}
	best := find(t, q).Best
	if best == nil || !best.Kept || best.Settings.Value(memory).(int) < int(best.PeakMemoryMB) {
		t.Fatal("nothing keeps it, or with too little memory")
	}
	if size := best.Settings.Value(memory).(int); size >= 384 {
		t.Errorf("memorySize is %d for %v MB", size, best.PeakMemoryMB)
	}
}

// What is left out because another has run does just what that one has done.
func TestHasRun(t *testing.T) {
	q := question(t, plan.Load{Rate: 100, For: 30 * time.Second}, web, nil, map[string][]float64{count: {5, 20, 400}, window: {1, 2, 3}, concurrency: {3, 5, 30, 40}, each: {1, 2, 30, 50}}, "p99<=1h")
	s := newSearcher(q)
	if err := s.makeAxes(); err != nil {
		t.Fatal(err)
	}
	s.makeCandidates()
	do := func(c candidate) result.Choice {
		p, err := s.inPart(context.Background(), c, math.Inf(1))
		if err != nil {
			t.Fatal(err)
		}
		return p.choice
	}
	left := 0
	for i, c := range s.pending {
		if i%4 > 0 {
			continue // a few are enough
		}
		s.runs = map[family][]run{}
		first := do(c)
		known := s.runs
		for _, other := range s.pending {
			s.runs = maps.Clone(known)
			if other == c || !s.hasRun(other) {
				continue
			}
			if left++; left%5 > 0 {
				continue // likewise
			}
			if second := do(other); math.Abs(second.Price-first.Price) > 0.002*first.Price || math.Abs(second.LatencyMs.P99-first.LatencyMs.P99) > 0.01*first.LatencyMs.P99 {
				t.Errorf("%v has run: %v, %v ms; %v: %v, %v ms", c.values(), first.Price, first.LatencyMs.P99, other.values(), second.Price, second.LatencyMs.P99)
			}
		}
	}
	if left < 20 {
		t.Errorf("only %d are left out", left)
	}
}

// A plan ends once it has cost more than the cheapest so far, and not before.
func TestGivesUp(t *testing.T) {
	q := question(t, plan.Load{Rate: 400, For: time.Minute}, plan.Function{CallTime: 10 * time.Millisecond}, nil, nil, "p99<=1h")
	s := newSearcher(q)
	c := candidate{count: 2, window: 1, concurrency: 50, each: 1, shape: &shape{0.1, []float64{128}}}
	p, err := s.inPart(context.Background(), c, math.Inf(1))
	if err != nil {
		t.Fatal(err)
	}
	for of, ended := range map[float64]bool{1.001: true, 0.7: false} {
		again, err := s.inPart(context.Background(), c, of*p.choice.Price)
		if err != nil || (again != nil) != ended {
			t.Errorf("at most %v of its price: %v, %v", of, again != nil, err)
		}
	}
}
