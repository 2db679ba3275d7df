// Package pool runs the instances of a function that the model in package trigger asks
// for.
package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fclocal/internal/instance"
	"fclocal/internal/result"
	"fclocal/internal/runtimeapi"
	"fclocal/internal/trigger"
)

// A Pool runs instances, each a process with a log of its own.
type Pool struct {
	log func(trigger.InstanceID) (io.WriteCloser, error)

	mu        sync.Mutex
	function  *function // that new instances are started from
	instances map[trigger.InstanceID]*pooled
	ended     Ended
	group     sync.WaitGroup
}

// function is what instances are started from.
type function struct {
	host      *instance.Host
	spec      instance.Spec // of every instance, but for ID and Logs
	instances int
	release   func()
}

// New makes a pool without instances. They are started from spec, with the log that
// is made for each.
func New(host *instance.Host, spec instance.Spec, log func(trigger.InstanceID) (io.WriteCloser, error)) *Pool {
	return &Pool{log: log, function: &function{host: host, spec: spec, release: func() {}}, instances: map[trigger.InstanceID]*pooled{}}
}

// Replace lets the instances that are created from now on be started from spec. release
// is called when none of them is left, and none is to come.
func (p *Pool) Replace(host *instance.Host, spec instance.Spec, release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.function
	p.function = &function{host: host, spec: spec, release: release}
	if before.instances == 0 {
		before.release()
	}
}

// leave says that an instance is gone.
func (p *Pool) leave(f *function) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.instances--
	if f.instances == 0 && f != p.function {
		f.release()
	}
}

// LogsIn keeps the logs in a directory.
func LogsIn(directory string) func(trigger.InstanceID) (io.WriteCloser, error) {
	return func(id trigger.InstanceID) (io.WriteCloser, error) {
		return os.OpenFile(filepath.Join(directory, fmt.Sprintf("instance-%d.log", id)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	}
}

// size is that of a log that is a file.
func size(log io.Writer) int64 {
	if file, ok := log.(*os.File); ok {
		if info, err := file.Stat(); err == nil {
			return info.Size()
		}
	}
	return 0
}

// Ended is what the instances that have ended did.
type Ended struct {
	PeakMemory int64         // bytes, of the largest one
	CPU        time.Duration // CPU time, of all
	Busy       time.Duration // of all
	Logged     int64         // bytes, by all
	Hooks      []result.HookRun
}

type pooled struct {
	started chan struct{} // closed when process or err is set
	process *instance.Instance
	err     error
	counted bool
}

// ErrStopped ends the calls of an instance that is stopped.
var ErrStopped = errors.New("the instance was stopped")

// A StartError is one of the program file, or of this machine: no other instance would
// start either.
type StartError struct{ Err error }

func (e StartError) Error() string { return e.Err.Error() }

// Unwrap returns it.
func (e StartError) Unwrap() error { return e.Err }

// Create starts an instance; ready is called when it can take its first call, and
// ended when it takes no more.
func (p *Pool) Create(id trigger.InstanceID, ready func(), ended func(error)) {
	pooled := &pooled{started: make(chan struct{})}
	p.mu.Lock()
	p.instances[id] = pooled
	function := p.function
	function.instances++
	p.mu.Unlock()
	p.group.Go(func() {
		defer p.leave(function)
		spec := function.spec
		spec.ID = Name(id)
		log, err := p.log(id)
		if err == nil {
			defer log.Close()
			before := size(log)
			defer func() {
				p.mu.Lock()
				p.ended.Logged += size(log) - before
				p.mu.Unlock()
			}()
			spec.Logs = log
			pooled.process, err = function.host.Start(spec)
		}
		pooled.err = err
		close(pooled.started)
		if err != nil {
			ended(StartError{err})
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
			ended(ErrStopped)
		}
		pooled.process.Stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.instances, id)
		p.ended.PeakMemory = max(p.ended.PeakMemory, pooled.process.PeakMemory())
		p.ended.CPU += pooled.process.CPUUsed()
		p.ended.Busy += pooled.process.Busy()
		p.ended.Hooks = append(p.ended.Hooks, pooled.process.Hooks()...)
	})
}

// of is nil for an instance that is gone.
func (p *Pool) of(id trigger.InstanceID) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.instances[id]
}

// Call makes a call in an instance. The error is the function's, or that the instance
// was stopped.
func (p *Pool) Call(ctx context.Context, id trigger.InstanceID, call instance.Call) (instance.Result, error) {
	pooled := p.of(id)
	if pooled == nil {
		return instance.Result{}, ErrStopped
	}
	called := time.Now()
	select {
	case <-pooled.started:
	case <-ctx.Done():
		return instance.Result{}, ctx.Err()
	}
	if pooled.err != nil {
		return instance.Result{}, pooled.err
	}
	started := time.Since(called)
	result, err := pooled.process.Invoke(ctx, call)
	result.Waited += started
	switch {
	case errors.Is(err, runtimeapi.ErrClosed):
		err = ErrStopped
	case err == nil && result.Error != nil:
		err = result.Error
	}
	return result, err
}

// Name is an instance's, as it finds it in FC_INSTANCE_ID.
func Name(id trigger.InstanceID) string { return fmt.Sprintf("c-%d", id) }

// PeakMemory is the most that an instance has held so far, in bytes; 0 where that is not
// told, and when it is gone.
func (p *Pool) PeakMemory(id trigger.InstanceID) int64 {
	pooled := p.of(id)
	if pooled == nil {
		return 0
	}
	<-pooled.started
	if pooled.err != nil {
		return 0
	}
	return pooled.process.PeakMemory()
}

// Gone reports whether an instance takes no more calls.
func (p *Pool) Gone(id trigger.InstanceID) bool {
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

// Counted reports whether it has been asked before for this instance.
func (p *Pool) Counted(id trigger.InstanceID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	pooled := p.instances[id]
	if pooled == nil || pooled.counted {
		return true
	}
	pooled.counted = true
	return false
}

// Retire ends an instance with its preStop, and the preFreeze that is due before; both
// end with ctx.
func (p *Pool) Retire(ctx context.Context, id trigger.InstanceID) {
	pooled := p.of(id)
	if pooled != nil {
		<-pooled.started
		if pooled.err == nil {
			pooled.process.Rest(ctx)
			pooled.process.Retire(ctx)
		}
	}
}

// Kill ends an instance at once, and fails its calls.
func (p *Pool) Kill(id trigger.InstanceID) {
	pooled := p.of(id)
	if pooled != nil {
		<-pooled.started
		if pooled.err == nil {
			pooled.process.Stop()
		}
	}
}

// Close ends all instances, which is to end with ctx, and waits until they are gone.
func (p *Pool) Close(ctx context.Context) Ended {
	p.mu.Lock()
	for id := range p.instances {
		p.group.Go(func() { p.Retire(ctx, id) })
	}
	p.mu.Unlock()
	p.group.Wait()
	p.function.release()
	return p.ended
}
