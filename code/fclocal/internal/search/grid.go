package search

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"fclocal/internal/config"
	"fclocal/internal/result"
)

// values are those that a setting is given where the user says none, today's beside them.
// They are about evenly spread on a logarithmic scale.
var values = map[string][]float64{
	count:       {1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 3000, 5000, 10000},
	window:      {0, 1, 2, 3, 5, 7, 10, 15},
	concurrency: {1, 2, 5, 10, 20, 50, 100, 200, 300},
	each:        {1, 2, 5, 10, 20, 50, 100, 200},
	cpu:         {0.05, 0.1, 0.2, 0.35, 0.5, 1, 2, 4, 8},
	memory:      {128, 192, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 16384, 32768},
}

// The settings that can be varied.
const (
	count       = "CountBasedWindow"
	window      = "TimeBasedWindow"
	concurrency = "concurrency"
	each        = "instanceConcurrency"
	cpu         = "cpu"
	memory      = "memorySize"
)

// names are those settings, in the order in which they are shown.
var names = []string{concurrency, count, window, each, cpu, memory}

// Names are the settings that can be varied.
func Names() []string { return slices.Clone(names) }

// An axis is a setting with its values, in order.
type axis struct {
	name   string
	values []float64
}

// ParseVary reads what is to be varied: NAME, or NAME=VALUE,VALUE… An item that is no name
// goes on with the values before it, as in A=1,2. Without any it is all settings, cpu and
// memorySize only where the function is measured: without that they change nothing.
func ParseVary(items []string, measured bool) (map[string][]float64, error) {
	vary := map[string][]float64{}
	if len(items) == 0 {
		for _, name := range names {
			if measured || name != cpu && name != memory {
				vary[name] = nil
			}
		}
		return vary, nil
	}
	last := ""
	for _, item := range items {
		name, value, valued := strings.Cut(item, "=")
		if _, err := strconv.ParseFloat(item, 64); err == nil && vary[last] != nil {
			name, value, valued = last, item, true
		} else if _, twice := vary[name]; twice {
			return nil, fmt.Errorf("--vary %s is given twice", name)
		}
		switch {
		case name == "maximumTasks":
			return nil, errors.New("--vary maximumTasks: it is not searched, as more tasks cost nothing and limit nothing: it should be the number of partitions")
		case !slices.Contains(names, name):
			return nil, fmt.Errorf("--vary %s: it must be of %s", name, strings.Join(names, ", "))
		case !measured && (name == cpu || name == memory):
			return nil, fmt.Errorf("--vary %s needs --measure: times that are given are the same with any of it", name)
		}
		if last = name; !valued {
			vary[name] = nil
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
			return nil, fmt.Errorf("--vary %s: %q is no number", name, value)
		}
		vary[name] = append(vary[name], number)
	}
	return vary, nil
}

// today is what a project has for a setting.
func today(project *config.Project, name string) float64 {
	switch value := project.Settings().Value(name).(type) {
	case int:
		return float64(value)
	case float64:
		return value
	}
	return 0
}

func text(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// makeAxes finds the values that are allowed, each by itself, and cpu and memorySize
// together. Values that the user has said must be.
func (s *searcher) makeAxes() error {
	accepted := func(name string, given bool) (axis, error) {
		a := axis{name: name}
		all := s.Vary[name]
		if !given {
			all = append(slices.Clone(values[name]), today(s.Today, name))
		}
		all = slices.Clone(all)
		slices.Sort(all)
		for _, value := range slices.Compact(all) {
			project, err := s.Load(map[string]string{name: text(value)})
			if err == nil && today(project, name) != value {
				err = fmt.Errorf("%s %s counts as %s", name, text(value), text(today(project, name)))
			}
			switch {
			case err == nil:
				a.values = append(a.values, value)
			case given:
				return a, fmt.Errorf("--vary %s=%s: %w", name, text(value), err)
			}
		}
		return a, nil
	}
	for _, name := range names {
		given, varied := s.Vary[name]
		if !varied {
			continue
		}
		if name == cpu || name == memory {
			continue // see below
		}
		a, err := accepted(name, given != nil)
		if err != nil {
			return err
		}
		s.axes = append(s.axes, a)
	}
	return s.makeShapes()
}

// A shape is a cpu with the sizes of memory that it allows, in order.
type shape struct {
	cpu      float64
	memories []float64
}

// makeShapes finds the pairs of cpu and memorySize. Memory is no axis: a function takes as
// long with any of it, so that the smallest that is enough is the best.
func (s *searcher) makeShapes() error {
	of := func(name string) []float64 {
		given, varied := s.Vary[name]
		switch {
		case !varied:
			return []float64{today(s.Today, name)}
		case given == nil:
			given = append(slices.Clone(values[name]), today(s.Today, name))
		}
		given = slices.Clone(given)
		slices.Sort(given)
		return slices.Compact(given)
	}
	var refused error
	for _, power := range of(cpu) {
		sh := shape{cpu: power}
		for _, size := range of(memory) {
			set := map[string]string{}
			if _, varied := s.Vary[cpu]; varied {
				set[cpu] = text(power)
			}
			if _, varied := s.Vary[memory]; varied {
				set[memory] = text(size)
			}
			if _, err := s.Load(set); err != nil {
				refused = cmp.Or(refused, err)
				continue
			}
			sh.memories = append(sh.memories, size)
		}
		if sh.memories != nil {
			s.shapes = append(s.shapes, sh)
		}
	}
	if s.shapes == nil {
		return fmt.Errorf("--vary: no cpu goes with a memorySize: %w", refused)
	}
	return nil
}

// varied is what is shown of the values.
func (s *searcher) varied() (all []result.Varied, combinations int) {
	combinations = 1
	add := func(name string, values []float64) {
		slices.Sort(values)
		all = append(all, result.Varied{Name: name, Unit: config.UnitOf(name), Values: slices.Compact(values)})
	}
	for _, a := range s.axes {
		add(a.name, slices.Clone(a.values))
		combinations *= len(a.values)
	}
	var powers, sizes []float64
	pairs := 0
	for _, sh := range s.shapes {
		powers = append(powers, sh.cpu)
		sizes = append(sizes, sh.memories...)
		pairs += len(sh.memories)
	}
	if _, varied := s.Vary[cpu]; varied {
		add(cpu, powers)
	}
	if _, varied := s.Vary[memory]; varied {
		add(memory, sizes)
	}
	return all, combinations * pairs
}

// A candidate is a combination of values, but for the size of memory.
type candidate struct {
	count, window, concurrency, each float64
	shape                            *shape

	changes  int     // of today's settings
	bound    float64 // a price that it does not cost less than
	guess    float64 // of its price
	estimate float64 // of its 99th percentile, in seconds
	calls    float64 // of the whole load, about
}

// value is where the value of a setting is, nil of cpu and memorySize.
func (c *candidate) value(name string) *float64 {
	return map[string]*float64{window: &c.window, count: &c.count, concurrency: &c.concurrency, each: &c.each}[name]
}

// values are a candidate's, by which it is known.
func (c candidate) values() [5]float64 {
	return [...]float64{c.count, c.window, c.concurrency, c.each, c.shape.cpu}
}

// family is what candidates have in common that differ in what may make no difference.
type family struct{ count, cpu float64 }

func (c candidate) family() family { return family{c.count, c.shape.cpu} }

// candidates are all combinations that may keep up, from the lowest bound of the price on.
func (s *searcher) makeCandidates() {
	of := func(name string) []float64 {
		for _, a := range s.axes {
			if a.name == name {
				return a.values
			}
		}
		return []float64{today(s.Today, name)}
	}
	for i := range s.shapes {
		for _, n := range of(count) {
			for _, t := range of(window) {
				if n == 1 && len(of(window)) > 1 && t != s.oneWindow(of(window)) {
					continue // a window of one event closes at once, whatever its time
				}
				for _, calls := range of(concurrency) {
					for _, k := range of(each) {
						c := candidate{count: n, window: t, concurrency: calls, each: k, shape: &s.shapes[i]}
						if s.assess(&c) {
							s.pending = append(s.pending, c)
						}
					}
				}
			}
		}
	}
	slices.SortStableFunc(s.pending, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.bound, b.bound), cmp.Compare(a.window, b.window), cmp.Compare(a.changes, b.changes))
	})
}

// oneWindow is the TimeBasedWindow that stands for all: today's, or else the first.
func (s *searcher) oneWindow(of []float64) float64 {
	if now := today(s.Today, window); slices.Contains(of, now) {
		return now
	}
	return of[0]
}

// project is the candidate's, with a size of memory.
func (s *searcher) project(c candidate, size float64) *config.Project {
	set := map[string]float64{}
	for name, value := range map[string]float64{count: c.count, window: c.window, concurrency: c.concurrency, each: c.each, cpu: c.shape.cpu, memory: size} {
		if _, varied := s.Vary[name]; varied {
			set[name] = value
		}
	}
	return s.Today.With(set)
}
