package result

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fclocal/internal/failure"
	"fclocal/internal/units"
)

// A Condition is something that a run must not be.
type Condition struct {
	text string
	met  func(Run) string // what is so; "" if it is not
}

func counted(what string, count func(Run) int64) func(Run) string {
	return func(r Run) string {
		if n := count(r); n > 0 {
			return fmt.Sprintf("%s %s", units.Count(n), what)
		}
		return ""
	}
}

// conditions are those without a figure.
var conditions = []Condition{
	{"dead-letters", counted("dead letters", func(r Run) int64 { return r.DeadLettered })},
	{"discarded", counted("events discarded", func(r Run) int64 { return r.Discarded })},
	{"retries", counted("retries", func(r Run) int64 { return r.Retries })},
	{"crashes", counted("crashes", func(r Run) int64 { return r.Crashes })},
	{"throttled", counted("attempts refused with 429", func(r Run) int64 { return r.Throttled })},
	{"failed-hooks", counted("hooks failed", func(r Run) (failed int64) {
		for _, hook := range r.Hooks {
			failed += hook.Failed
		}
		return failed
	})},
	{"not-keeping-up", func(r Run) string {
		if r.Plan != nil && !r.KeepsUp {
			return "the stream does not keep up"
		}
		return ""
	}},
}

// ConditionNames are what ParseCondition takes, beside a latency.
func ConditionNames() (names []string) {
	for _, c := range conditions {
		names = append(names, c.text)
	}
	return names
}

// ParseCondition reads one of ConditionNames, or a figure above a limit: a latency, which
// is p50, p95, p99, p99.9, max or mean, and a duration like 2s, or a plan's lag, at most or
// lagEnd, and a number of messages.
func ParseCondition(text string) (Condition, error) {
	if i := slices.IndexFunc(conditions, func(c Condition) bool { return c.text == text }); i >= 0 {
		return conditions[i], nil
	}
	if which, limit, found := strings.Cut(text, ">"); found {
		if f, known := bounded[which]; known {
			if most, err := f.parse(limit); err == nil {
				return Condition{text, func(r Run) string {
					if value := f.of(r); value > most {
						return fmt.Sprintf("%s is %s", f.name, f.show(value))
					}
					return ""
				}}, nil
			}
		}
	}
	return Condition{}, fmt.Errorf("%s: it must be %s, or a latency such as p99>2s", text, strings.Join(ConditionNames(), ", "))
}

// ParseConditions reads several.
func ParseConditions(texts []string) (conditions []Condition, err error) {
	for _, text := range texts {
		condition, err := ParseCondition(text)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, condition)
	}
	return conditions, nil
}

// FailOn is a failure if one of the runs is what it must not be.
func FailOn(runs []Run, conditions []Condition) error {
	var failures []error
	for i, run := range runs {
		for _, condition := range conditions {
			if met := condition.metBySeeds(run); met != "" {
				if len(runs) > 1 {
					met = fmt.Sprintf("run %d: %s", i+1, met)
				}
				failures = append(failures, failure.New(met))
			}
		}
	}
	return errors.Join(failures...)
}

// metBySeeds is what is so with a seed at least, and with how many of them.
func (c Condition) metBySeeds(r Run) string {
	first, seeds, met := "", r.each(), 0
	for _, seed := range seeds {
		if so := c.Met(seed); so != "" {
			first, met = cmp.Or(first, fmt.Sprintf("%s with seed %d", so, seed.Account.Seed)), met+1
		}
	}
	switch {
	case len(seeds) == 1:
		return c.Met(r)
	case met == 0:
		return ""
	}
	return fmt.Sprintf("%s (%d of %d seeds)", first, met, len(seeds))
}

// Verdict says of a stream what a person must know of it, and whether that is a
// failure: it was stopped, a message is missing, or the function has a data race.
func (r Run) Verdict() (lines []string, failed bool) {
	if r.Stopped != "" {
		lines = append(lines, "the stream stopped, as errorsTolerance is NONE: "+r.Stopped+"; a next run resumes there")
	}
	if err := r.Check(); err != nil {
		lines = append(lines, err.Error())
	}
	if r.Lost > 0 {
		lines = append(lines, fmt.Sprintf("%d messages were deleted from the topic before they were read", r.Lost))
	}
	if len(r.Races) > 0 {
		lines = append(lines, "the function has "+RacesFound(r.Races))
	}
	failed = lines != nil
	if lost := r.DeadLettered + r.Discarded; lost > 0 {
		lines = append(lines, fmt.Sprintf("%d of %d messages were not delivered: %d became dead letters, %d were discarded", lost, r.Produced, r.DeadLettered, r.Discarded))
		if onPurpose, all := r.Failures.onPurpose(); onPurpose > 0 {
			lines = append(lines, fmt.Sprintf("%d of %d failed attempts failed on purpose", onPurpose, all))
		}
	}
	return lines, failed
}

// Met says what is so of a run that must not be; "" if it is not.
func (c Condition) Met(r Run) string { return c.met(r) }
