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
	link := []string{addressVariable, "FC_CUSTOM_LISTEN_PORT=", "FC_SERVER_PORT="} // of runtimes of both kinds
	for _, variable := range environment(Spec{Project: &config.Project{}}, link) {
		name, _, _ := strings.Cut(variable, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	reserved := slices.Sorted(slices.Values(config.ReservedVariables))
	if !slices.Equal(names, reserved) {
		t.Errorf("the environment is %q, and reserved are %q", names, reserved)
	}
}
