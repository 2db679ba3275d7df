package watch

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"fclocal/internal/config"
	"fclocal/internal/result"
)

// keptSettings are those that a stream keeps: what it reads, by how many tasks, and how
// large a call may be. On the platform an event stream is stopped for some of them, or is
// made anew (inferred).
var keptSettings = []string{
	"maximumTasks", "triggerEnable", "asyncInvocationType",
	"RegionId", "InstanceId", "Topic", "ConsumerGroup", "OffsetReset", "Network",
}

// kept are the names of what differs and cannot change while a stream runs.
func kept(before, after *config.Project) (names []string) {
	if after.Trigger == nil {
		return []string{"the trigger"}
	}
	for _, d := range differences(before, after) {
		if slices.Contains(keptSettings, d.name) {
			names = append(names, d.name)
		}
	}
	for _, other := range []struct{ name, before, after string }{
		{"region", before.Region, after.Region},
		{"the service's name", before.Service.Name, after.Service.Name},
		{"the function's name", before.Function.Name, after.Function.Name},
	} {
		if other.before != other.after {
			names = append(names, other.name)
		}
	}
	return names
}

// functionDiffers says whether instances would be other ones.
func functionDiffers(before, after *config.Project) bool {
	of := func(p *config.Project) []any {
		return []any{p.Function, p.Service, p.Region, p.Variables, p.Credentials, p.Build, p.HTTPTrigger}
	}
	return !reflect.DeepEqual(of(before), of(after))
}

// triggerDiffers says whether the event stream would be another one.
func triggerDiffers(before, after *config.Project) bool {
	return !reflect.DeepEqual(before.Trigger, after.Trigger)
}

// describe says what differs. It shows no text, which may come from a variable.
func describe(before, after *config.Project) string {
	var parts []string
	for _, d := range differences(before, after) {
		part := d.name + " is another"
		if !d.text {
			part = fmt.Sprintf("%s is %s, and was %s", d.name, d.after, d.before)
		}
		parts = append(parts, part)
	}
	if !maps.Equal(before.Function.EnvironmentVariables, after.Function.EnvironmentVariables) {
		parts = append(parts, "environmentVariables are others")
	}
	switch {
	case parts != nil:
		return strings.Join(parts, "; ")
	case functionDiffers(before, after):
		return "the function's settings are others"
	case triggerDiffers(before, after):
		return "the trigger's settings are others"
	}
	return "all settings are as before"
}

// A difference is a setting with its values, in words.
type difference struct {
	name, before, after string
	text                bool // they are any text
}

// differences are in the order in which settings are shown.
func differences(before, after *config.Project) (all []difference) {
	anyText := map[string]bool{}
	values := func(settings result.Settings) (names []string, texts map[string]string) {
		texts = map[string]string{}
		for _, s := range settings {
			names = append(names, s.Name)
			texts[s.Name] = strings.TrimSpace(fmt.Sprint(s.Value, " ", s.Unit))
			_, isText := s.Value.(string)
			anyText[s.Name] = anyText[s.Name] || isText && s.Hidden // those that are shown are one of a few
		}
		return names, texts
	}
	names, was := values(before.Settings())
	more, is := values(after.Settings())
	for _, name := range more {
		if _, both := was[name]; !both {
			names = append(names, name)
		}
	}
	text := func(values map[string]string, name string) string {
		if text, has := values[name]; has {
			return text
		}
		return "not given"
	}
	for _, name := range names {
		if was[name] != is[name] {
			all = append(all, difference{name, text(was, name), text(is, name), anyText[name]})
		}
	}
	return all
}
