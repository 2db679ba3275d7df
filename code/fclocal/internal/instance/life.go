package instance

import (
	"context"
	"sync"
	"time"

	"fclocal/internal/result"
)

// restAfter is how long an instance stays as it is when its last call has ended: it
// is not worth freezing it for a moment. FC's is not documented (inferred).
const restAfter = time.Millisecond

// life tells when an instance is busy, and when it is frozen.
type life struct {
	mu       sync.Mutex
	calls    int           // that it has; its start, a hook before the end and a held call, too
	since    time.Time     // when the first of them came
	busy     time.Duration // all times with calls, but for this one
	idle     *time.Timer   // runs when there are no calls, unless it is frozen
	freezing chan struct{} // closed when preFreeze has ended; nil if it does not run
	frozen   bool
	hooks    []result.HookRun
	retire   sync.Once
}

// begin begins with the start, which is to be left like a call. rest is called when
// nothing has happened for a while.
func (l *life) begin(rest func()) {
	l.calls, l.since = 1, time.Now()
	l.idle = time.AfterFunc(time.Hour, rest)
	l.idle.Stop()
}

// enter begins a call: it waits for a preFreeze that runs (inferred), and thaws. The
// error is ctx's.
func (i *Instance) enter(ctx context.Context) error {
	l := &i.life
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.freezing != nil {
		freezing := l.freezing
		l.mu.Unlock()
		select {
		case <-freezing: // its timeout and the instance's end end it
		case <-ctx.Done():
		}
		l.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	l.calls++
	if l.calls == 1 {
		l.since = time.Now()
		l.idle.Stop()
		if l.frozen {
			l.frozen = false
			i.tree.Thaw()
		}
	}
	return nil
}

// leave ends it.
func (i *Instance) leave() {
	l := &i.life
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls--
	if l.calls > 0 {
		return
	}
	l.busy += time.Since(l.since)
	select {
	case <-i.ended:
	default:
		l.idle.Reset(restAfter)
	}
}

// rest freezes an instance without calls, after its preFreeze, which ends with ctx.
func (i *Instance) rest(ctx context.Context) {
	l := &i.life
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-i.ended:
		return
	default:
	}
	if l.calls > 0 || l.frozen || l.freezing != nil {
		return
	}
	if i.spec.Project.Function.PreFreeze.Handler != "" {
		freezing := make(chan struct{})
		l.freezing = freezing
		l.mu.Unlock()
		i.hook(ctx, preFreeze(i.spec.Project))
		l.mu.Lock()
		l.freezing = nil
		close(freezing)
	}
	if i.spec.Debugger == nil {
		l.frozen = true
		i.tree.Freeze()
	}
}

// isFrozen says whether nothing changes in it.
func (i *Instance) isFrozen() bool {
	i.life.mu.Lock()
	defer i.life.mu.Unlock()
	return i.life.frozen
}

// Rest freezes it at once, if it has no calls.
func (i *Instance) Rest(ctx context.Context) {
	i.life.idle.Stop()
	i.rest(ctx)
}

// Retire runs preStop, until ctx ends, and stops the instance.
func (i *Instance) Retire(ctx context.Context) {
	i.life.retire.Do(func() { i.preStop(ctx) })
	i.Stop()
}

func (i *Instance) preStop(ctx context.Context) {
	if i.spec.Project.Function.PreStop.Handler == "" || i.enter(ctx) != nil {
		return
	}
	defer i.leave()
	select {
	case <-i.ended:
		return
	default:
	}
	select {
	case <-i.begun:
		i.hook(ctx, preStop(i.spec.Project))
	default: // it has never been ready
	}
}

// Busy is for how long it has had a call, was started or stopped by a hook.
func (i *Instance) Busy() time.Duration {
	l := &i.life
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls > 0 {
		return l.busy + time.Since(l.since)
	}
	return l.busy
}
