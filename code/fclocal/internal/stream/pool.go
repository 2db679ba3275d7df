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
	"fclocal/internal/runtimeapi"
	"fclocal/internal/trigger"
)

// A pool runs the function's instances, each a process with a log file.
type pool struct {
	server *runtimeapi.Server
	spec   instance.Spec // of every instance, but for ID and Logs
	logs   string        // directory

	mu        sync.Mutex
	instances map[trigger.InstanceID]*pooled
	peak      int64 // bytes, of the largest instance that has ended
	group     sync.WaitGroup
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
			pooled.process, err = instance.Start(p.server, spec)
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
		p.peak = max(p.peak, pooled.process.PeakMemory())
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
	result, err := pooled.process.Invoke(ctx, requestID, payload)
	switch {
	case err != nil:
		return 0, err
	case result.Error != nil:
		return result.Init, result.Error
	}
	if hold > 0 {
		timer := time.NewTimer(hold)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-pooled.process.Ended():
			return result.Init, errStopped
		case <-ctx.Done():
			return result.Init, ctx.Err()
		}
	}
	return result.Init, nil
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

// stop ends an instance.
func (p *pool) stop(id trigger.InstanceID) {
	pooled := p.of(id)
	if pooled != nil {
		<-pooled.started
		if pooled.err == nil {
			pooled.process.Stop()
		}
	}
}

// close ends all instances and waits until they are gone.
func (p *pool) close() {
	p.mu.Lock()
	var ids []trigger.InstanceID
	for id := range p.instances {
		ids = append(ids, id)
	}
	p.mu.Unlock()
	for _, id := range ids {
		p.stop(id)
	}
	p.group.Wait()
}

// peakMemory is that of the largest instance so far, in bytes.
func (p *pool) peakMemory() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	peak := p.peak
	for _, pooled := range p.instances {
		select {
		case <-pooled.started:
			if pooled.err == nil {
				peak = max(peak, pooled.process.PeakMemory())
			}
		default:
		}
	}
	return peak
}
