// Package search finds the settings of s.yaml that keep some goals under a load at the
// lowest price, by planning some of the many that are allowed.
//
// First come settings that seem fast enough and cheap, and their neighbours. Then all are
// gone through from the lowest bound of their price on, until that is above the price of the
// cheapest which keeps the goals: nothing that comes after it can be cheaper. For that, a
// part of the load stands for it, where it can, and a plan ends when it has cost more; the
// cheapest few are then planned with all of the load and several seeds. Left out is only what
// is certain: settings whose calls need more than all of concurrency or cpu, and those that
// would run as others have run, as more calls than were ever in flight do not come.
package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"fclocal/internal/bill"
	"fclocal/internal/config"
	"fclocal/internal/plan"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// A Question is what [Find] answers.
type Question struct {
	Today *config.Project      // s.yaml as it stands
	Goals []result.Goal        // one or more
	Vary  map[string][]float64 // settings, with their values where they are said; see [ParseVary]

	// Load reads s.yaml with some settings, or says why they are not allowed.
	Load func(set map[string]string) (*config.Project, error)
	// Plan is the plan of a project: its load and function. The seed is that of its Rules,
	// and those that follow it.
	Plan   func(*config.Project) plan.Config
	Prices *bill.Prices

	Cores    int // plans that run at a time, 1 or more
	Progress func(result.PlanState)
}

const (
	seeds = 3 // with which what is recommended is planned

	// Calls of a plan: to choose by, and of what is recommended.
	fewCalls  = 30_000
	manyCalls = 300_000

	// What planning may take: for one by which others are chosen, and in all, which is about
	// half a minute on two cores.
	mostOfOne = 10 * fewCalls
	mostCalls = 15e6
	mostPlans = 3000

	chunk      = 16    // plans between two looks at what is the cheapest
	near       = 1.03  // of a goal: by so much a part of the load may be wrong
	same       = 0.005 // of a price: below it fewer changes are better
	mostTries  = 12    // of what is planned in full
	frontier   = 12    // rows
	lostAtMost = 1e-9  // share of the messages, beyond what is lost today
)

type searcher struct {
	Question
	axes    []axis
	shapes  []shape
	pending []candidate // by their bound
	planned []*planned
	runs    map[family][]run

	remembering sync.Mutex // runs, while several are planned

	seen map[[5]float64]bool // values of candidates that have been planned

	today       result.Choice
	eventBridge *float64 // what it costs today
	partitions  int
	looked      int          // candidates that have been planned, or begun
	calls       atomic.Int64 // of these
	exhausted   bool         // no more may be planned
	all         int          // candidates
}

// run is what is known of a candidate that has been planned, where no call came twice.
type run struct {
	window, concurrency, each float64

	peak   float64 // calls in flight
	filled bool    // no window was closed by its time, but for each task's last one
}

// planned is a candidate with what has come of it.
type planned struct {
	candidate
	choice    result.Choice
	ratio     float64 // of what the goal has that is missed by most, or kept by least
	clean     bool    // it keeps up, and loses nothing
	filled    bool    // see run
	disproved bool    // by all of the load

	// Of what is planned in full, with the first seed.
	config plan.Config
	result plan.Result
}

func newSearcher(q Question) *searcher {
	return &searcher{Question: q, runs: map[family][]run{}, seen: map[[5]float64]bool{}, partitions: q.Plan(q.Today).Load.Partitions}
}

// Find answers a question. When ctx ends it returns the best so far, and ctx's error.
func Find(ctx context.Context, q Question) (result.Search, error) {
	s := newSearcher(q)
	if _, known := s.Prices.AtLeast(s.Plan(s.Today).Settings, bill.Use{}); !known {
		return result.Search{}, fmt.Errorf("%s has no cpu, so that Function Compute's price is not known: write it there, or give --set cpu=VALUE", s.Today.File)
	}
	if err := s.makeAxes(); err != nil {
		return result.Search{}, err
	}
	s.makeCandidates()
	s.all = len(s.pending)
	now := candidate{count: today(q.Today, count), window: today(q.Today, window), concurrency: today(q.Today, concurrency), each: today(q.Today, each),
		shape: &shape{today(q.Today, cpu), []float64{today(q.Today, memory)}}}
	l := newLoad(s.Plan(q.Today))
	now.calls, _, now.estimate = l.estimate(s.Plan(q.Today))
	todays, err := s.inFull(ctx, now)
	if err != nil {
		return result.Search{}, err
	}
	s.today, s.eventBridge = todays.choice, todays.choice.EventBridge
	best, err := s.best(ctx, todays)
	if err != nil && ctx.Err() == nil {
		return result.Search{}, err
	}
	answer := s.answer(best)
	if err == nil && best == nil {
		err = s.nearest(ctx, &answer, todays)
	}
	return answer, err
}

// best is the cheapest that keeps the goals, nil if there is none.
func (s *searcher) best(ctx context.Context, todays *planned) (*planned, error) {
	if err := s.plan(ctx, s.probes(), math.Inf(1)); err != nil {
		return nil, err
	}
	if s.hopeless() != "" {
		return nil, nil
	}
	var best *planned
	for _, search := range []func(context.Context) error{s.likely, s.descend} {
		if err := search(ctx); err != nil {
			return s.cheapest(1), err
		}
	}
	for range mostTries {
		if err := s.sweep(ctx); err != nil {
			return s.cheapest(1), err
		}
		next := s.cheapest(near)
		if next == nil {
			break
		}
		full, err := s.inFull(ctx, next.candidate)
		if err != nil {
			return s.cheapest(1), err
		}
		if full.choice.Kept {
			best = full
			break
		}
		next.disproved = true
	}
	if todays.choice.Kept && (best == nil || todays.choice.Price <= best.choice.Price*(1+same)) {
		return todays, nil
	}
	if best == nil {
		return nil, nil
	}
	best, err := s.simpler(ctx, best)
	if err != nil {
		return best, err
	}
	return s.finer(ctx, best)
}

// finer tries windows between those of the best and the next larger values, where the user
// has not said which there are.
func (s *searcher) finer(ctx context.Context, best *planned) (*planned, error) {
	var between []candidate
	for _, a := range s.axes {
		if s.Vary[a.name] != nil || a.name != count && a.name != window {
			continue
		}
		now := *best.candidate.value(a.name)
		i := slices.Index(a.values, now)
		if i < 0 || i+1 == len(a.values) {
			continue
		}
		const parts = 5
		next, last := a.values[i+1], now
		for part := 1.0; part < parts; part++ {
			value := math.Round(now + (next-now)*part/parts)
			if value == last || value == next {
				continue
			}
			last = value
			c := best.candidate
			*c.value(a.name) = value
			s.assess(&c)
			between = append(between, c)
		}
	}
	before := len(s.planned)
	if err := s.plan(ctx, between, best.choice.Price*(1-same)); err != nil {
		return best, err
	}
	finer := slices.Clone(s.planned[before:])
	slices.SortStableFunc(finer, func(a, b *planned) int { return cmp.Compare(a.choice.Price, b.choice.Price) })
	for _, next := range finer {
		if !next.clean || next.ratio > near {
			continue
		}
		full, err := s.inFull(ctx, next.candidate)
		if err != nil {
			return best, err
		}
		if full.choice.Kept && full.choice.Price < best.choice.Price*(1-same) {
			return full, nil
		}
		next.disproved = true
	}
	return best, nil
}

// simpler takes back one change after the other that saves next to nothing.
func (s *searcher) simpler(ctx context.Context, best *planned) (*planned, error) {
	most := best.choice.Price * (1 + same)
	for _, name := range names {
		c := best.candidate
		value := c.value(name)
		if now := today(s.Today, name); value == nil || *value == now || !s.allows(name, now) {
			continue
		} else {
			*value = now
		}
		if s.assess(&c); c.bound > most {
			continue
		}
		full, err := s.inFull(ctx, c)
		if err != nil {
			return best, err
		}
		if full.choice.Kept && full.choice.Price <= most {
			best = full
		}
	}
	return best, nil
}

// allows tells whether a setting is varied and may have a value.
func (s *searcher) allows(name string, value float64) bool {
	return slices.ContainsFunc(s.axes, func(a axis) bool { return a.name == name && slices.Contains(a.values, value) })
}

// cheapest is that of what has been planned which misses no goal by more than a factor,
// nil if there is none.
func (s *searcher) cheapest(factor float64) (best *planned) {
	for _, p := range s.planned {
		if p.clean && p.ratio <= factor && !p.disproved && (best == nil || p.choice.Price < best.choice.Price) {
			best = p
		}
	}
	return best
}

// A round is what is planned together: one of each family, as it may tell of the others,
// which come later.
type round struct {
	next, later []candidate
	families    map[family]bool
}

// put adds a candidate to a round, unless it is known what it does.
func (s *searcher) put(c candidate, r *round) {
	switch {
	case s.seen[c.values()] || s.hasRun(c):
	case r.families[c.family()]:
		r.later = append(r.later, c)
	default:
		r.families[c.family()] = true
		r.next = append(r.next, c)
	}
}

// likely plans those that seem the cheapest of what is fast enough, until that makes the
// price no lower: what costs more than the cheapest so far need not be planned to its end.
func (s *searcher) likely(ctx context.Context) error {
	limit := math.Inf(1)
	for _, goal := range s.Goals {
		if goal.IsLatency() {
			limit = min(limit, 1.5*goal.Limit/1000)
		}
	}
	var order []candidate
	for _, c := range s.pending {
		if c.estimate <= limit {
			order = append(order, c)
		}
	}
	slices.SortStableFunc(order, func(a, b candidate) int { return cmp.Compare(a.guess, b.guess) })
	for misses := 0; misses < 3 && len(order) > 0; misses++ {
		r := round{families: map[family]bool{}}
		for len(order) > 0 && len(r.next) < chunk && len(r.later) < 100*chunk {
			c := order[0]
			order = order[1:]
			s.put(c, &r)
		}
		order = append(r.later, order...)
		before := s.price()
		if err := s.plan(ctx, r.next, before); err != nil {
			return err
		}
		if s.price() < before {
			misses = 0
		}
	}
	return nil
}

// descend goes from the cheapest to what differs from it by a step in one value, as long as
// that is cheaper.
func (s *searcher) descend(ctx context.Context) error {
	for {
		best := s.cheapest(1)
		if best == nil {
			return nil
		}
		var next []candidate
		add := func(c candidate) {
			if may := s.assess(&c); may && c.bound < best.choice.Price && !s.seen[c.values()] && !s.hasRun(c) {
				next = append(next, c)
			}
		}
		for _, step := range []int{-1, 1} {
			for _, a := range s.axes {
				c := best.candidate
				value := c.value(a.name)
				if i := slices.Index(a.values, *value) + step; i >= 0 && i < len(a.values) && *value != a.values[i] {
					*value = a.values[i]
					add(c)
				}
			}
			for i := range s.shapes {
				if j := i + step; s.shapes[i].cpu == best.shape.cpu && j >= 0 && j < len(s.shapes) {
					c := best.candidate
					c.shape = &s.shapes[j]
					add(c)
				}
			}
		}
		if err := s.plan(ctx, next, best.choice.Price); err != nil {
			return err
		}
		if s.price() >= best.choice.Price {
			return nil
		}
	}
}

// price is that of the cheapest so far.
func (s *searcher) price() float64 {
	if best := s.cheapest(1); best != nil {
		return best.choice.Price
	}
	return math.Inf(1)
}

// sweep plans all that may be cheaper than the cheapest so far.
func (s *searcher) sweep(ctx context.Context) error {
	for {
		most := s.price() * (1 - same)
		r := round{families: map[family]bool{}}
		seen := 0
		for _, c := range s.pending {
			if c.bound >= most || len(r.next) == chunk {
				break
			}
			seen++
			s.put(c, &r)
		}
		s.pending = s.pending[seen-len(r.later):]
		copy(s.pending, r.later)
		if s.exhausted = s.exhausted || s.calls.Load() > mostCalls || s.looked > mostPlans; len(r.next) == 0 || s.exhausted {
			return nil
		}
		if err := s.plan(ctx, r.next, most); err != nil {
			return err
		}
	}
}

// probes are the cheapest by their bound of those that are about so fast, for some
// latencies: with them the price has an upper bound from the start, and the frontier has
// points that cost more.
func (s *searcher) probes() (some []candidate) {
	const steps, ofEach = 10, 2
	if len(s.pending) == 0 {
		return nil
	}
	fastest, slowest := math.Inf(1), 0.0
	for _, c := range s.pending {
		fastest, slowest = min(fastest, c.estimate), max(slowest, min(c.estimate, 60))
	}
	taken := map[int]bool{}
	for step := range steps {
		limit := fastest * math.Pow(max(slowest/fastest, 1), float64(step)/(steps-1)) * (1 + 1e-9)
		found := 0
		families := map[family]bool{}
		for i, c := range s.pending {
			if c.estimate <= limit && !families[c.family()] {
				families[c.family()] = true
				taken[i] = true
				if found++; found == ofEach {
					break
				}
			}
		}
	}
	kept := s.pending[:0:0]
	for i, c := range s.pending {
		if taken[i] {
			some = append(some, c)
		} else {
			kept = append(kept, c)
		}
	}
	s.pending = kept
	return some
}

// hasRun tells whether a candidate would do just what another has done: neither it nor that
// one may have less calls in flight than that one had, and its windows go as early.
func (s *searcher) hasRun(c candidate) bool {
	return slices.ContainsFunc(s.runs[c.family()], func(r run) bool {
		return (c.concurrency == r.concurrency || min(c.concurrency, r.concurrency) > r.peak) &&
			(c.each == r.each || min(c.each, r.each) >= r.peak) &&
			(c.window == r.window || r.filled && c.window > r.window)
	})
}

// plan plans candidates with a part of the load.
func (s *searcher) plan(ctx context.Context, some []candidate, most float64) error {
	done := make([]*planned, len(some))
	err := s.parallel(ctx, len(some), func(i int) (err error) {
		done[i], err = s.inPart(ctx, some[i], most)
		return err
	})
	for i, p := range done {
		s.seen[some[i].values()] = true
		s.looked++
		if p != nil {
			s.planned = append(s.planned, p)
		}
	}
	if s.Progress != nil {
		s.Progress(result.PlanState{Label: fmt.Sprintf("%d of %d settings", s.looked, s.all), Done: min(max(float64(s.calls.Load())/mostCalls, float64(s.looked)/mostPlans), 1)})
	}
	return err
}

// parallel does some things on all cores.
func (s *searcher) parallel(ctx context.Context, n int, do func(i int) error) error {
	failures := make([]error, n)
	cores := make(chan struct{}, max(s.Cores, 1))
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			cores <- struct{}{}
			defer func() { <-cores }()
			failures[i] = do(i)
		})
	}
	running.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.Join(failures...)
}

// inPart plans a candidate with a part of the load. It is nil if that costs more than so
// much.
func (s *searcher) inPart(ctx context.Context, c candidate, most float64) (*planned, error) {
	sizes := c.shape.memories
	project := s.project(c, sizes[len(sizes)-1])
	p, part := shorten(s.Plan(project), c.calls, fewCalls)
	cheapest := s.project(c, sizes[0]).Settings()
	used := int64(0)
	defer func() { s.calls.Add(used) }()
	use := newLoad(p).least(p).use
	p.GiveUp = func(hours []trigger.Usage) bool {
		u := use
		u.Calls, u.BusySeconds = 0, 0
		for _, h := range hours {
			u.Calls += float64(h.Calls)
			u.BusySeconds += h.Busy.Seconds()
		}
		used = int64(u.Calls)
		price, _ := s.Prices.AtLeast(cheapest, u)
		return price > most || u.Calls > mostOfOne
	}
	r, err := plan.Run(ctx, p)
	if errors.Is(err, plan.ErrGivenUp) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	used = r.Stats.Calls
	c, filled := s.remember(c, r)
	planned := s.judge(c, []plan.Config{p}, []plan.Result{r}, part)
	planned.filled = filled
	planned.choice.Run.Samples = nil // they are many
	return planned, nil
}

// inFull plans a candidate with all of the load, as far as it does not take too long, and
// several seeds.
func (s *searcher) inFull(ctx context.Context, c candidate) (*planned, error) {
	sizes := c.shape.memories
	project := s.project(c, sizes[len(sizes)-1])
	first, part := shorten(s.Plan(project), c.calls, manyCalls)
	runs := seeds
	if c.calls*newLoad(first).messages/newLoad(s.Plan(project)).messages > 10*manyCalls { // it could not be shortened
		runs = 1
	}
	plans, results := make([]plan.Config, runs), make([]plan.Result, runs)
	for i := range plans {
		plans[i] = first
		plans[i].Rules.Seed += uint64(i)
	}
	if err := s.parallel(ctx, runs, func(i int) (err error) {
		results[i], err = plan.Run(ctx, plans[i])
		return err
	}); err != nil {
		return nil, err
	}
	p := s.judge(c, plans, results, part)
	p.config, p.result = plans[0], results[0]
	return p, nil
}

// remember keeps what a run tells of others, and returns the candidate that stands for all
// of them: with today's settings, or else the lowest of those that make no difference.
func (s *searcher) remember(c candidate, r plan.Result) (same candidate, filled bool) {
	if r.Retries > 0 || r.Throttled > 0 || r.Crashes > 0 {
		return c, false
	}
	peak := float64(r.PeakInFlight)
	tasks := min(s.Today.Trigger.MaximumTasks, s.partitions)
	filled = c.window > 0 && float64(r.Stats.Calls) <= float64(r.Produced)/c.count+2*float64(tasks)
	s.remembering.Lock()
	s.runs[c.family()] = append(s.runs[c.family()], run{c.window, c.concurrency, c.each, peak, filled})
	s.remembering.Unlock()
	lowest := func(name string, has, least float64) float64 {
		if _, varied := s.Vary[name]; !varied || has < least {
			return has
		}
		for _, a := range s.axes {
			if now := today(s.Today, name); a.name == name && now >= least && slices.Contains(a.values, now) {
				return now
			} else if a.name == name {
				return a.values[slices.IndexFunc(a.values, func(v float64) bool { return v >= least })]
			}
		}
		return has
	}
	calls, k := c.concurrency, c.each
	c.concurrency = lowest(concurrency, calls, peak+1)
	c.each = lowest(each, k, peak)
	if c.concurrency != calls || c.each != k {
		s.assess(&c)
	}
	return c, filled
}

// judge makes a choice of what runs have done, with the smallest memory that is enough.
func (s *searcher) judge(c candidate, plans []plan.Config, results []plan.Result, part bool) *planned {
	size := c.shape.memories[len(c.shape.memories)-1]
	needed := int64(0)
	for _, r := range results {
		needed = max(needed, r.PeakMemory)
	}
	for _, smaller := range c.shape.memories {
		if int64(smaller)<<20 >= needed {
			size = smaller
			break
		}
	}
	project := s.project(c, size)
	p := &planned{candidate: c, clean: true}
	if size != today(s.Today, memory) {
		p.changes++
	}
	choice := &p.choice
	*choice = result.Choice{Seeds: len(results), Part: part, KeepsUp: true}
	for i, r := range results {
		plans[i].Settings = project.Settings()
		run := plans[i].Run(r)
		s.Prices.Charge(&run)
		if i == 0 {
			choice.Run = run
		}
		s.add(choice, run, float64(len(results)))
		missed, ratio, clean := s.missed(run)
		p.ratio, p.clean = max(p.ratio, ratio), p.clean && clean
		if choice.Missed == nil {
			choice.Missed = missed
		}
	}
	choice.Kept = p.clean && p.ratio <= 1
	for _, name := range names {
		for _, setting := range project.Settings() {
			if _, varied := s.Vary[name]; varied && setting.Name == name {
				choice.Settings = append(choice.Settings, setting)
			}
		}
	}
	return p
}

// add takes a run into a choice.
func (s *searcher) add(c *result.Choice, run result.Run, of float64) {
	charges := run.Charges()
	if charges == nil { // of what is not finished
		charges = &run.Bill.Run
	}
	if fc := charges.FunctionCompute.Price; fc != nil {
		c.FunctionCompute += *fc / of
		c.Price += *fc / of
	}
	stream := charges.EventBridge.ByEvents.Price
	if charges.EventBridge.Cheaper == result.ByCapacity {
		stream = charges.EventBridge.ByCapacity.Price
	}
	if c.Part && len(run.Load.RateFile) > 0 && s.eventBridge != nil {
		stream = s.eventBridge // a day in minutes hides its peaks
	}
	if stream != nil {
		if c.EventBridge == nil {
			c.EventBridge = new(float64)
		}
		*c.EventBridge += *stream / of
		c.Price += *stream / of
	}
	if logs := charges.LogService; logs != nil && logs.Price != nil {
		if c.LogService == nil {
			c.LogService = new(float64)
		}
		*c.LogService += *logs.Price / of
		c.Price += *logs.Price / of
	}
	most, l := &c.LatencyMs, run.LatencyMs
	most.Mean, most.P50, most.P95, most.P99, most.P999, most.Max = max(most.Mean, l.Mean), max(most.P50, l.P50), max(most.P95, l.P95), max(most.P99, l.P99), max(most.P999, l.P999), max(most.Max, l.Max)
	c.LagMax, c.LagEnd = max(c.LagMax, run.LagMax), max(c.LagEnd, run.LagEnd)
	c.KeepsUp = c.KeepsUp && run.KeepsUp
	c.Instances, c.PeakInFlight, c.PeakMemoryMB = max(c.Instances, run.PeakInstances), max(c.PeakInFlight, run.PeakInFlight), max(c.PeakMemoryMB, run.PeakMemoryMB)
}

// missed says which goals a run does not keep, and by which factor it is off most. clean is
// whether it keeps up and loses no more than today's settings do.
func (s *searcher) missed(run result.Run) (missed []string, ratio float64, clean bool) {
	lost := share(run)
	clean = run.KeepsUp && run.Pending == 0 && run.Stopped == ""
	switch {
	case run.Stopped != "":
		missed = append(missed, "the stream stops at a batch that failed")
	case !run.KeepsUp:
		missed = append(missed, "the stream does not keep up")
	case run.Pending > 0:
		missed = append(missed, fmt.Sprintf("%d messages are not finished", run.Pending))
	case s.today.Run.Produced > 0 && lost > share(s.today.Run)+lostAtMost:
		clean = false
		missed = append(missed, fmt.Sprintf("%.3g %% of the messages are lost", 100*lost))
	}
	for _, goal := range s.Goals {
		ratio = max(ratio, goal.Value(run)/goal.Limit)
		if m := goal.Missed(run); m != "" {
			missed = append(missed, goal.Text+": "+m)
		}
	}
	return missed, ratio, clean
}

// share is what a run has lost of its messages.
func share(run result.Run) float64 {
	return float64(run.DeadLettered+run.Discarded) / float64(max(run.Produced, 1))
}
