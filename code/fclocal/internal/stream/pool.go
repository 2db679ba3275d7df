package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fclocal/internal/instance"
	"fclocal/internal/result"
	"fclocal/internal/runtimeapi"
	"fclocal/internal/trigger"
)

// A pool runs the function's instances, each a process with a log file.
type pool struct {
	host *instance.Host
	spec instance.Spec // of every instance, but for ID and Logs
	logs string        // directory

	mu        sync.Mutex
	instances map[trigger.InstanceID]*pooled
	ended     ended
	group     sync.WaitGroup
}

// ended is what the instances that have ended did.
type ended struct {
	peakMemory int64         // bytes, of the largest one
	cpu        time.Duration // CPU time, of all
	busy       time.Duration // of all
	hooks      []result.HookRun
}

type pooled struct {
	started chan struct{} // closed when process or err is set
	process *instance.Instance
	err     error
	counted bool
}

// errStopped ends the calls of an instance that is stopped with the stream.
var errStopped = errors.New("the stream was stopped")

// A startError is one of the program file, or of this machine: no other instance would
// start either.
type startError struct{ error }

// create starts an instance; ready is called when it can take its first call, and
// ended when it takes no more.
func (p *pool) create(id trigger.InstanceID, ready func(), ended func(error)) {
	pooled := &pooled{started: make(chan struct{})}
	p.mu.Lock()
	p.instances[id] = pooled
	p.mu.Unlock()
	p.group.Go(func() {
		spec := p.spec
		spec.ID = fmt.Sprintf("c-%d", id)
		log, err := os.OpenFile(filepath.Join(p.logs, fmt.Sprintf("instance-%d.log", id)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			defer log.Close()
			spec.Logs = log
			pooled.process, err = p.host.Start(spec)
		}
		pooled.err = err
		close(pooled.started)
		if err != nil {
			ended(startError{err})
			return
		}
		select {
		case <-pooled.process.Ready():
			ready()
		case <-pooled.process.Ended():
		}
		<-pooled.process.Ended()
		if failure := pooled.process.Failure(); failure != nil {
			ended(failure)
		} else {
			ended(errStopped)
		}
		pooled.process.Stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.instances, id)
		p.ended.peakMemory = max(p.ended.peakMemory, pooled.process.PeakMemory())
		p.ended.cpu += pooled.process.CPUUsed()
		p.ended.busy += pooled.process.Busy()
		p.ended.hooks = append(p.ended.hooks, pooled.process.Hooks()...)
	})
}

// of is nil for an instance that is gone.
func (p *pool) of(id trigger.InstanceID) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.instances[id]
}

// call makes a call in an instance. hold is how long the call keeps its slot
// after the function has answered.
func (p *pool) call(ctx context.Context, id trigger.InstanceID, requestID string, payload []byte, hold time.Duration) (time.Duration, error) {
	pooled := p.of(id)
	if pooled == nil {
		return 0, errStopped
	}
	select {
	case <-pooled.started:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if pooled.err != nil {
		return 0, pooled.err
	}
	result, err := pooled.process.Invoke(ctx, instance.Call{RequestID: requestID, Payload: payload, Hold: hold})
	switch {
	case errors.Is(err, runtimeapi.ErrClosed):
		err = errStopped
	case err == nil && result.Error != nil:
		err = result.Error
	}
	return result.Init, err
}

// gone reports whether an instance takes no more calls.
func (p *pool) gone(id trigger.InstanceID) bool {
	pooled := p.of(id)
	if pooled == nil {
		return true
	}
	<-pooled.started
	if pooled.err != nil {
		return true
	}
	select {
	case <-pooled.process.Ended():
		return true
	default:
		return false
	}
}

// counted reports whether it has been asked before for this instance.
func (p *pool) counted(id trigger.InstanceID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	pooled := p.instances[id]
	if pooled == nil || pooled.counted {
		return true
	}
	pooled.counted = true
	return false
}

// retire ends an instance with its preStop, which ends with ctx.
func (p *pool) retire(ctx context.Context, id trigger.InstanceID) {
	pooled := p.of(id)
	if pooled != nil {
		<-pooled.started
		if pooled.err == nil {
			pooled.process.Retire(ctx)
		}
	}
}

// close ends all instances, which is to end with ctx, and waits until they are gone.
func (p *pool) close(ctx context.Context) ended {
	p.mu.Lock()
	for id := range p.instances {
		p.group.Go(func() { p.retire(ctx, id) })
	}
	p.mu.Unlock()
	p.group.Wait()
	return p.ended
}
