// Package invocationapi serves Function Compute's HTTP API for invocations, so that its
// official clients call the function on this machine.
package invocationapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/pool"
	"fclocal/internal/result"
	"fclocal/internal/runtimeapi"
	"fclocal/internal/trigger"
)

// Options are those of Serve.
type Options struct {
	Project *config.Project
	Rules   trigger.Config // Project.InstanceRules, and what is not in s.yaml
	Spec    instance.Spec  // of every instance, but for ID and Logs

	// Logs is the directory of the instances' logs; with "" they go to Output.
	Logs   string
	Output io.Writer

	// Called is told of each call that reached an instance, Say of what a user should
	// know beside that.
	Called func(result.Invocation)
	Say    func(string)

	// Drain, when closed, ends the taking of requests; calls in flight end.
	Drain <-chan struct{}
}

// asyncAtMost is how many asynchronous calls may wait, in memory, for an instance.
const asyncAtMost = 1000

// asyncInterval is how often they try.
const asyncInterval = 100 * time.Millisecond

// readTime bounds how long a client may take to send a request.
const readTime = 5 * time.Minute

// A service is a function that is called by clients.
type service struct {
	Options
	ctx   context.Context
	pool  *pool.Pool
	begin time.Time
	logs  logs

	mu     sync.Mutex
	model  *trigger.Calls
	wake   *time.Timer
	counts Counts
	ended  bool // no call begins any more

	async   sync.WaitGroup
	waiting chan struct{} // holds one for each asynchronous call that has not ended
}

// Counts are how many calls there were, and instances for them.
type Counts struct {
	Calls     int   // that reached an instance
	Failed    int   // of those
	Throttled int   // calls that were answered with 429
	Instances int64 // that were created
}

// Serve answers requests at the listener, which it closes, until it is drained or ctx
// ends; then the instances are ended, too.
func Serve(ctx context.Context, listener net.Listener, options Options) (Counts, error) {
	defer listener.Close()
	beginning, begun := context.WithCancel(ctx)
	go func() {
		select {
		case <-options.Drain:
			begun()
		case <-beginning.Done():
		}
	}()
	host, err := instance.NewHost(beginning, options.Spec, options.Rules.MaxInstances, options.Say)
	if beginning.Err() != nil {
		err = failure.New("interrupted")
	}
	begun()
	if err != nil {
		return Counts{}, err
	}
	defer host.Close()
	calls, end := context.WithCancel(ctx)
	defer end()
	s := &service{
		Options: options, ctx: calls, begin: time.Now(), model: trigger.NewCalls(options.Rules),
		waiting: make(chan struct{}, asyncAtMost),
		logs:    logs{ofInstance: map[trigger.InstanceID]*instanceLog{}, output: options.Output, directory: options.Logs},
	}
	s.pool = pool.New(host, options.Spec, s.logs.open)
	s.wake = time.AfterFunc(time.Hour, func() { s.tell(s.model.Advance) })
	defer s.wake.Stop()
	server := http.Server{Handler: s.handler(), ReadHeaderTimeout: readTime, ReadTimeout: readTime, IdleTimeout: readTime, ErrorLog: log.New(io.Discard, "", 0)} // what a client does wrong is its own matter
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case <-options.Drain:
		err = server.Shutdown(calls)
		s.awaitAsync(calls)
	case <-calls.Done():
	case err = <-served:
	}
	if ctx.Err() != nil {
		err = errors.New("stopped at once; calls in flight were lost")
	}
	end()
	server.Close()
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.async.Wait()
	s.pool.Close(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Instances = s.model.Created()
	return s.counts, failure.Of(err)
}

// awaitAsync waits for the asynchronous calls, until ctx ends.
func (s *service) awaitAsync(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		s.async.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// tell tells the model of something and does what it answers.
func (s *service) tell(event func(now time.Duration) []trigger.Action) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.perform(event(time.Since(s.begin)))
}

// perform carries out what the model has answered, with the lock held.
func (s *service) perform(actions []trigger.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case trigger.CreateInstance:
			s.pool.Create(a.Instance, func() {
				s.tell(func(now time.Duration) []trigger.Action { return s.model.InstanceReady(now, a.Instance) })
			}, func(err error) {
				if failed, is := errors.AsType[pool.StartError](err); is {
					s.Say(failed.Error())
				}
				s.tell(func(now time.Duration) []trigger.Action { return s.model.InstanceEnded(now, a.Instance) })
			})
		case trigger.RemoveInstance:
			go s.pool.Retire(s.ctx, a.Instance)
		}
	}
	if at, ok := s.model.NextWake(); ok {
		s.wake.Reset(at - time.Since(s.begin))
	} else {
		s.wake.Stop()
	}
}

// A called is what became of a call.
type called struct {
	instance.Result
	Instance   trigger.InstanceID
	PeakMemory int64 // bytes, of the instance; 0 where it is not told
	Log        []byte
}

// call makes a call. The error is trigger.ErrThrottled, pool.ErrStopped, a
// pool.StartError or ctx's: that of the function is in the result.
func (s *service) call(requestID string, payload []byte, withLog bool) (called, error) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return called{}, pool.ErrStopped
	}
	id, actions, err := s.model.Start(time.Since(s.begin))
	s.perform(actions)
	s.mu.Unlock()
	if err != nil {
		return called{}, err
	}
	endLog := s.logs.begin(id, requestID)
	answer, err := s.pool.Call(s.ctx, id, instance.Call{RequestID: requestID, Payload: payload})
	c := called{Result: answer, Instance: id, PeakMemory: s.pool.PeakMemory(id), Log: endLog(withLog)}
	if c.Init > 0 && s.pool.Counted(id) { // that is a matter of the first call
		c.Init = 0
	}
	gone := err != nil && s.pool.Gone(id)
	s.tell(func(now time.Duration) []trigger.Action {
		if gone { // the next call must not meet it again
			return s.model.InstanceEnded(now, id)
		}
		return s.model.End(now, id)
	})
	if failed, is := errors.AsType[*instance.FunctionError](err); is {
		c.Error, err = failed, nil
	}
	if err == nil {
		s.count(c)
		s.Called(result.Invocation{RequestID: requestID, Duration: c.Duration, Init: c.Init, PeakMemory: c.PeakMemory})
	}
	return c, err
}

func (s *service) count(c called) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Calls++
	if c.Error != nil {
		s.counts.Failed++
	}
}

func (s *service) throttled() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Throttled++
}

// callLater makes an asynchronous call. It waits until an instance takes it. FC tries one
// that fails again; here it is said.
func (s *service) callLater(requestID string, payload []byte) (taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.waiting <- struct{}{}:
	default:
		return false
	}
	if s.ended {
		return false
	}
	s.async.Go(func() {
		defer func() { <-s.waiting }()
		ticker := time.NewTicker(asyncInterval)
		defer ticker.Stop()
		c, err := s.call(requestID, payload, false)
		for errors.Is(err, trigger.ErrThrottled) {
			select {
			case <-ticker.C:
				c, err = s.call(requestID, payload, false)
			case <-s.ctx.Done():
				err = s.ctx.Err()
			}
		}
		if err == nil && c.Error != nil {
			err = c.Error
		}
		if err != nil {
			s.Say(fmt.Sprintf("the asynchronous call %s failed: %v", requestID, err))
		}
	})
	return true
}

// errLost says of an error of call that nothing is wrong with the function.
func errLost(err error) bool {
	return errors.Is(err, pool.ErrStopped) || errors.Is(err, context.Canceled) || errors.Is(err, runtimeapi.ErrClosed)
}

// Listen opens ADDRESS, HOST:PORT. Without a host it is the loopback interface's: exposed
// says whether others than this machine may connect.
func Listen(address string) (listener net.Listener, exposed bool, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, false, fmt.Errorf("address %q: it must be HOST:PORT, as 127.0.0.1:9000", address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err = net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, false, fmt.Errorf("address %s: %w; port 0 is a free one", address, err)
	}
	return listener, !listener.Addr().(*net.TCPAddr).IP.IsLoopback(), nil
}
