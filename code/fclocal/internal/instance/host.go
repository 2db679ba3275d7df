package instance

import (
	"context"
	"fmt"
	"sync"

	"fclocal/internal/customruntime"
	"fclocal/internal/failure"
	"fclocal/internal/process"
	"fclocal/internal/runtimeapi"
)

// A Host is what the instances of a function share. It must be closed when they are
// stopped.
type Host struct {
	server      *runtimeapi.Server // nil for a custom runtime
	ownFree     bool               // the port of customRuntimeConfig, before any instance
	ownNetworks bool               // each instance needs a network of its own

	notice func(string)
	mu     sync.Mutex
	told   map[customruntime.Matter]bool
}

// NewHost is for up to so many instances at a time. Spec is what they have in common.
// Notice is told what a user should know that fails no call; it may be nil.
//
// A function of a custom runtime that may need several instances is started once, and
// ended, to see whether it heeds FC_SERVER_PORT. If it does not, all instances listen
// on the same port, and each gets a network of its own. An error is that there are
// none, that the function does not start, or ctx's.
func NewHost(ctx context.Context, spec Spec, instances int, notice func(string)) (*Host, error) {
	h := &Host{notice: notice, told: map[customruntime.Matter]bool{}}
	if !spec.Project.Function.IsCustom() {
		var err error
		if h.server, err = runtimeapi.Listen(); err != nil {
			return nil, failure.Of(err)
		}
		return h, nil
	}
	own := spec.Project.Function.CustomRuntime.Port
	h.ownFree = customruntime.Free(own)
	if instances == 1 && h.ownFree {
		return h, nil
	}
	programs.Lock()
	defer programs.Unlock()
	key := fmt.Sprintf("%q %q %q %d %q %d", spec.Binary, spec.Args, spec.CodeDir, own, spec.Project.Function.EnvironmentVariables, spec.Version)
	insists, known := programs.insist[key]
	if !known {
		var err error
		if insists, err = h.insists(ctx, spec, own); err != nil {
			return nil, err
		}
		programs.insist[key] = insists
	}
	if !insists {
		return h, nil
	}
	if err := process.MayOwnNetwork(); err != nil {
		return nil, fmt.Errorf("the function listens on port %d, and not where FC_SERVER_PORT says: no two instances of it can run beside each other on this machine, and up to %d may have to: "+
			"let it heed FC_SERVER_PORT (a network for each instance cannot be made: %w)", own, instances, err)
	}
	h.ownNetworks = true
	if !known {
		h.tell(ownNetworks, fmt.Sprintf("the function listens on port %d, and not where FC_SERVER_PORT says: each instance runs in a network of its own, where it reaches nothing else, "+
			"be it a database or Kafka", own))
	}
	return h, nil
}

// programs are those of which it is known whether they insist on their port: several
// runs need not find it out again.
var programs = struct {
	sync.Mutex
	insist map[string]bool
}{insist: map[string]bool{}}

// insists starts the function to see whether it listens on its own port, whatever it
// is told. The error is a failure, or ctx's.
func (h *Host) insists(ctx context.Context, spec Spec, own int) (bool, error) {
	port, exited, err := h.try(ctx, spec)
	if exited && !h.ownFree && process.MayOwnNetwork() == nil {
		h.ownNetworks = true // maybe it wants the port that another program has
		port, _, err = h.try(ctx, spec)
	}
	switch {
	case err == nil:
		return port == own, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case !h.ownFree:
		return false, failure.Of(fmt.Errorf("the function does not start, and another program listens on its port %d: %w", own, err))
	default:
		return false, failure.Of(fmt.Errorf("the function does not start: %w", err))
	}
}

// ownNetworks is a matter beside those of customruntime.
const ownNetworks customruntime.Matter = -1

// tell tells once of each matter.
func (h *Host) tell(about customruntime.Matter, text string) {
	h.mu.Lock()
	told := h.told[about]
	h.told[about] = true
	h.mu.Unlock()
	if !told && h.notice != nil {
		h.notice(text)
	}
}

// try starts the function, sees where it listens and ends it, or that it exits.
func (h *Host) try(ctx context.Context, spec Spec) (port int, exited bool, err error) {
	spec.ID, spec.Logs = "c-try", nil
	i, err := h.start(spec)
	if err != nil {
		return 0, false, err
	}
	defer i.Stop()
	select {
	case <-i.link.Ready():
		return i.link.endpoint.(*customruntime.Instance).Port(), false, nil
	case <-i.ended:
		return 0, i.end == nil, i.Failure()
	case <-ctx.Done():
		return 0, false, ctx.Err()
	}
}

// Close frees what it has.
func (h *Host) Close() {
	if h.server != nil {
		h.server.Close()
	}
}
