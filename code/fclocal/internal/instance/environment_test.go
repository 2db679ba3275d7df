package instance

import (
	"slices"
	"strings"
	"testing"

	"fclocal/internal/config"
)

// s.yaml cannot replace what the platform sets.
func TestEnvironmentIsReserved(t *testing.T) {
	var names []string
	for _, variable := range environment(Spec{Project: &config.Project{}}, "") {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, name)
	}
	names = append(names, "FC_SERVER_PORT") // of custom runtimes
	slices.Sort(names)
	reserved := slices.Sorted(slices.Values(config.ReservedVariables))
	if !slices.Equal(names, reserved) {
		t.Errorf("the environment is %q, and reserved are %q", names, reserved)
	}
}
