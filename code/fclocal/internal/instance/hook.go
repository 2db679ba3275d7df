package instance

import (
	"context"
	"fmt"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/result"
	"fclocal/internal/runtimeapi"
)

// A hook is one that s.yaml configures.
type hook struct {
	name    string
	kind    int // x-fc-function-type, as the SDK knows it
	timeout int // seconds
}

func initializer(p *config.Project) hook {
	return hook{"initializer", runtimeapi.TypeInitializer, p.Function.InitializationTimeout}
}

func preFreeze(p *config.Project) hook {
	return hook{"preFreeze", runtimeapi.TypePreFreeze, p.Function.PreFreeze.Timeout}
}

func preStop(p *config.Project) hook {
	return hook{"preStop", runtimeapi.TypePreStop, p.Function.PreStop.Timeout}
}

// hook calls a hook and waits for its end, at most for its timeout.
func (i *Instance) hook(ctx context.Context, h hook) result.HookRun {
	run := result.HookRun{Name: h.name, RequestID: uuid()}
	begin := time.Now()
	timeout := time.Duration(h.timeout) * time.Second
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := i.link.Invoke(bounded, runtimeapi.Call{RequestID: run.RequestID, Type: h.kind, Deadline: begin.Add(timeout)})
	run.Duration = time.Since(begin)
	switch {
	case err == nil && answer.Failed:
		run.Error = reported(answer.Body).Message
	case err == nil:
	case ctx.Err() != nil:
		run.Error = "stopped before it returned"
	case err == runtimeapi.ErrClosed:
		run.Error = "the process ended before it returned"
	default:
		run.Error = fmt.Sprintf("%s timed out after %d seconds", h.name, h.timeout)
	}
	i.life.mu.Lock()
	defer i.life.mu.Unlock()
	i.life.hooks = append(i.life.hooks, run)
	return run
}

// Hooks are those that have run, in their order.
func (i *Instance) Hooks() []result.HookRun {
	i.life.mu.Lock()
	defer i.life.mu.Unlock()
	return append([]result.HookRun(nil), i.life.hooks...)
}
