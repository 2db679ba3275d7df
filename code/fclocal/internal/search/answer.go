package search

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"fclocal/internal/result"
	"fclocal/internal/units"
)

// answer is what has been found out.
func (s *searcher) answer(best *planned) result.Search {
	a := result.Search{Today: s.today, Planned: s.looked, Frontier: s.frontier(best), Binds: []string{}, Notes: []string{}, Changes: []result.Change{}}
	for _, goal := range s.Goals {
		a.Goals = append(a.Goals, goal.Text)
	}
	a.Varied, a.Settings = s.varied()
	a.Over = "the run"
	if s.today.Run.Recurs() {
		a.Over = "30 days"
	}
	if bill := s.today.Run.Bill; bill != nil {
		a.Currency, a.PricesOf = bill.Currency, bill.PricesOf
	}
	note := func(format string, arguments ...any) {
		a.Notes = append(a.Notes, units.Sprintf(format, arguments...))
	}
	if s.today.EventBridge == nil {
		a.PartOnly = "EventBridge"
		note("Prices are Function Compute's alone: there is none of EventBridge in %s.", a.Currency)
	}
	if best != nil {
		a.Best = &best.choice
		for _, setting := range best.choice.Settings {
			if now := s.Today.Settings().Value(setting.Name); now != setting.Value {
				a.Changes = append(a.Changes, result.Change{Name: setting.Name, From: fmt.Sprint(now), To: fmt.Sprint(setting.Value)})
			}
		}
		a.Binds = s.binds(best)
	}
	if best != nil {
		variables := s.Today.Function.EnvironmentVariables
		for _, change := range a.Changes {
			switch threads, limit := variables["GOMAXPROCS"], variables["GOMEMLIMIT"]; {
			case change.Name == cpu && threads != "" && best.shape.cpu > 1:
				note("GOMAXPROCS is %s in environmentVariables: with more than 1 vCPU raise it, too.", threads)
			case change.Name == memory && limit != "":
				note("GOMEMLIMIT is %s in environmentVariables: change it with memorySize.", limit)
			}
		}
	}
	if s.exhausted {
		note("The search has ended before all settings that may be cheaper were planned: --vary with fewer values covers them.")
	}
	if _, varied := s.Vary[each]; varied && s.today.Run.Function.CallCPUMs+s.today.Run.Function.EventCPUMs == 0 {
		note("Times are given: calls of an instance do not slow each other down then, and need no memory. --measure finds out what they do.")
	}
	return a
}

// frontier are the choices of which none is both cheaper and faster, from the cheapest on.
func (s *searcher) frontier(best *planned) []result.Choice {
	var all []*planned
	for _, p := range s.planned {
		if p.clean && (best == nil || !sameSettings(p.choice, best.choice)) {
			all = append(all, p)
		}
	}
	if best != nil {
		all = append(all, best)
	}
	slices.SortStableFunc(all, func(a, b *planned) int {
		return cmp.Or(cmp.Compare(a.choice.Price, b.choice.Price), cmp.Compare(a.choice.LatencyMs.P99, b.choice.LatencyMs.P99))
	})
	var line []*planned
	fastest := math.Inf(1)
	for _, p := range all {
		if p.choice.LatencyMs.P99 < fastest*0.98 || p == best {
			line = append(line, p)
			fastest = min(fastest, p.choice.LatencyMs.P99)
		}
	}
	choices := []result.Choice{}
	for _, p := range thin(line, best) {
		choices = append(choices, p.choice)
	}
	return choices
}

// thin keeps so many of a frontier as have a row: the ends, the best, and of the others
// those that are not close to another.
func thin(line []*planned, best *planned) []*planned {
	for len(line) > frontier {
		closest, gap := -1, math.Inf(1)
		for i := 1; i+1 < len(line); i++ {
			between := math.Log(line[i-1].choice.LatencyMs.P99/line[i+1].choice.LatencyMs.P99) + math.Log(line[i+1].choice.Price/line[i-1].choice.Price)
			if line[i] != best && between < gap {
				closest, gap = i, between
			}
		}
		line = slices.Delete(line, closest, closest+1)
	}
	return line
}

func sameSettings(a, b result.Choice) bool {
	return slices.EqualFunc(a.Settings, b.Settings, func(a, b result.Setting) bool { return a.Name == b.Name && a.Value == b.Value })
}

// binds says what keeps the price from being lower: for each goal, or several together, that
// keep settings from being taken which cost less, what comes nearest to them.
func (s *searcher) binds(best *planned) []string {
	type reason struct {
		goals   []string
		nearest *planned
	}
	reasons := map[string]*reason{}
	alone := false // there is a goal that is enough
	for _, p := range s.planned {
		if p.choice.Price >= best.choice.Price*(1-same) || len(p.choice.Missed) == 0 {
			continue
		}
		r := &reason{}
		for _, missed := range p.choice.Missed {
			goal, _, found := strings.Cut(missed, ": ")
			if !found {
				goal = "that it keeps up"
			}
			r.goals = append(r.goals, goal)
		}
		if !p.clean {
			r.goals = r.goals[:1] // what does not keep up misses the others for that
		}
		key := strings.Join(r.goals, " and ")
		if other := reasons[key]; other == nil {
			reasons[key] = r
		} else {
			r = other
		}
		if r.nearest == nil || p.ratio < r.nearest.ratio {
			r.nearest = p
		}
		alone = alone || len(r.goals) == 1 && p.clean
	}
	said := []string{}
	for _, key := range slices.Sorted(maps.Keys(reasons)) {
		r := reasons[key]
		if alone && (len(r.goals) > 1 || !r.nearest.clean) {
			continue
		}
		bind := "binds"
		if len(r.goals) > 1 {
			bind = "bind"
		}
		var missed []string
		for _, text := range r.nearest.choice.Missed[:len(r.goals)] {
			if _, what, found := strings.Cut(text, ": "); found {
				text = what
			}
			missed = append(missed, text)
		}
		text := fmt.Sprintf("%s %s: %s would cost %s, but %s.", key, bind, s.differs(r.nearest, best), units.Money(r.nearest.choice.Price), strings.Join(missed, " and "))
		said = append(said, text)
	}
	if len(said) == 0 {
		said = append(said, "No goal binds: nothing that was varied makes it cheaper.")
	}
	return said
}

// differs names the settings of one that another has otherwise, where they count.
func (s *searcher) differs(one, other *planned) string {
	var parts []string
	for i, setting := range one.choice.Settings {
		if longer := one.filled && one.window <= other.window; setting.Value != other.choice.Settings[i].Value && !(setting.Name == window && longer) {
			parts = append(parts, fmt.Sprintf("%s %v", setting.Name, setting.Value))
		}
	}
	return strings.Join(parts, ", ")
}

// nearest adds what comes nearest to the goals where nothing keeps them, and what stands in
// the way.
func (s *searcher) nearest(ctx context.Context, a *result.Search, todays *planned) error {
	nearest := todays
	for _, p := range s.planned {
		if better := cmp.Or(-compareBool(p.clean, nearest.clean), cmp.Compare(p.ratio, nearest.ratio), cmp.Compare(p.choice.Price, nearest.choice.Price)); better < 0 {
			nearest = p
		}
	}
	if nearest != todays {
		var err error
		if nearest, err = s.inFull(ctx, nearest.candidate); err != nil {
			return err
		}
	}
	a.Nearest = &nearest.choice
	if hopeless := s.hopeless(); hopeless != "" {
		a.Binds = append(a.Binds, hopeless)
		return nil
	}
	for _, missed := range nearest.choice.Missed {
		a.Binds = append(a.Binds, "Missed: "+missed+".")
	}
	advice, err := nearest.config.Advise(ctx, nearest.result, s.Prices.Charge)
	if advice != "" {
		a.Binds = append(a.Binds, "What stands in the way: "+strings.TrimPrefix(advice, "nothing limits: ")+".")
	}
	return err
}

// hopeless says which goal no settings can keep, as the function itself takes longer for a
// single event; "" if there is none. It is about the times of calls that vary evenly: from
// half of them on one takes its mean at least.
func (s *searcher) hopeless() string {
	f := s.Plan(s.project(candidate{count: 1, window: today(s.Today, window), concurrency: today(s.Today, concurrency), each: today(s.Today, each), shape: &s.shapes[len(s.shapes)-1]}, s.shapes[len(s.shapes)-1].memories[0])).Function
	takes := (f.CallTime + f.EventTime).Seconds()
	if f.CPU > 0 {
		takes += (f.CallCPU + f.EventCPU).Seconds() / max(min(f.CPU, 1), 1e-9)
	}
	for _, goal := range s.Goals {
		if goal.IsLatency() && 0.98*takes*1000 > goal.Limit {
			return fmt.Sprintf("%s cannot be kept: the function itself takes %s for a call of one event.", goal.Text, units.Milliseconds(takes*1000))
		}
	}
	return ""
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
