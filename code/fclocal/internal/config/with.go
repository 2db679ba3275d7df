package config

import (
	"fmt"
	"maps"
	"slices"
)

// With returns the project with other values for settings that are numbers, by name. The
// caller has found that they are allowed.
func (p *Project) With(values map[string]float64) *Project {
	changed := *p
	if p.Trigger != nil {
		trigger := *p.Trigger
		changed.Trigger = &trigger
	}
	for name, value := range values {
		s, known := settingNamed(name)
		if !known {
			panic(fmt.Sprintf("config: there is no setting %s", name)) // a mistake in the program
		}
		switch field := s.field(&changed).(type) {
		case *int:
			*field = int(value)
		case *float64:
			*field = value
		default:
			panic(fmt.Sprintf("config: setting %s is no number", name)) // likewise
		}
	}
	if p.Function.InstanceSoftConcurrency == p.Function.InstanceConcurrency { // its default
		changed.Function.InstanceSoftConcurrency = changed.Function.InstanceConcurrency
	}
	changed.Overridden = slices.Clone(p.Overridden)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(changed.Overridden, name) {
			changed.Overridden = append(changed.Overridden, name)
		}
	}
	return &changed
}

// UnitOf is the unit of a setting's number; may be "".
func UnitOf(name string) string {
	s, _ := settingNamed(name)
	return s.unit
}
