package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
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

var web = plan.Function{EventTime: 20 * time.Millisecond, Spread: 0.2, ColdStart: 200 * time.Millisecond}

func TestProfile(t *testing.T) {
	q := question(t, plan.Load{Rate: 2000, For: time.Hour}, web, nil, nil, "p99<=2s")
	a, err := Find(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(a.Best.Price, a.Planned)
}
