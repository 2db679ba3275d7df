package result

import (
	"fmt"
	"slices"
	"time"

	"fclocal/internal/units"
)

// An Invocation is one call of the function, in an instance of its own.
type Invocation struct {
	RequestID  string
	Duration   time.Duration // from handing the call over to the answer
	Init       time.Duration // from starting the process to its being ready for the call, the initializer included
	PeakMemory int64         // bytes; 0 where it is not told
	Hooks      []HookRun     // in their order
	CPU        time.Duration // that the instance used
	Busy       time.Duration // that it was started, called or stopped by a hook
}

// A HookRun is what became of one call of a hook.
type HookRun struct {
	Name      string // initializer, preFreeze or preStop
	RequestID string
	Duration  time.Duration
	Error     string // "" if it has returned
}

// Hooks are what became of the hooks of a run's instances, by name in the order in
// which they first ran.
type Hooks []Hook

// A Hook is the initializer, preFreeze or preStop.
type Hook struct {
	Name   string  `json:"name"`
	Runs   int64   `json:"runs"`
	Failed int64   `json:"failed"`          // of these
	MeanMs float64 `json:"meanMs"`          // milliseconds that a run took
	Error  string  `json:"error,omitempty"` // of the first that failed
}

// Add counts a run of a hook.
func (h *Hooks) Add(run HookRun) {
	at := slices.IndexFunc(*h, func(h Hook) bool { return h.Name == run.Name })
	if at < 0 {
		at = len(*h)
		*h = append(*h, Hook{Name: run.Name})
	}
	hook := &(*h)[at]
	hook.MeanMs = (hook.MeanMs*float64(hook.Runs) + milliseconds(run.Duration)) / float64(hook.Runs+1)
	hook.Runs++
	if run.Error != "" {
		if hook.Failed == 0 {
			hook.Error = run.Error
		}
		hook.Failed++
	}
}

// Notes say of streams how they ran, beside their figures: each thing once.
func Notes(runs []Run) (lines []string) {
	for _, r := range runs {
		for _, hook := range r.Hooks {
			if hook.Failed > 0 {
				lines = append(lines, fmt.Sprintf("%s failed %s of %s times, the first time with: %s", hook.Name, units.Count(hook.Failed), units.Count(hook.Runs), hook.Error))
			}
		}
		if !slices.Contains(lines, r.CPULimit) {
			lines = append(lines, r.CPULimit)
		}
	}
	return lines
}
