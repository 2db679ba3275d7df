package plan

import (
	"fmt"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/units"
)

// CheckHooks finds times of hooks that s.yaml does not have or does not allow. What
// happens when a hook takes longer than its timeout is not planned.
func CheckHooks(project *config.Project, function Function) error {
	f := project.Function
	for _, hook := range []struct {
		option, name, handler string
		takes                 time.Duration
		limit                 string
		seconds               int
	}{
		{"--initializer-time", "initializer", f.Initializer, function.Initializer, "initializationTimeout", f.InitializationTimeout},
		{"--pre-stop-time", "preStop", f.PreStop.Handler, function.PreStop, "its timeout", f.PreStop.Timeout},
	} {
		longest := time.Duration(float64(hook.takes) * (1 + function.Spread))
		limit := time.Duration(hook.seconds) * time.Second
		switch {
		case hook.takes == 0:
		case hook.handler == "":
			return fmt.Errorf("%s %v: %s has no %s", hook.option, hook.takes, project.File, hook.name)
		case longest > limit:
			return fmt.Errorf("%s %v: with --spread it is up to %s, and %s allows %s", hook.option, hook.takes, units.Duration(longest), hook.limit, units.Duration(limit))
		}
	}
	return nil
}
