// Package redrive delivers dead letters after all: in batches as the trigger makes
// them, each with one call, as many side by side as concurrency says. They are in a
// file, into which it first takes those of a topic if it is to: a file says of each
// letter whether it has been delivered, and a topic cannot.
package redrive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/deadletter"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/pool"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// Options are the options of a redrive.
type Options struct {
	Topic   *Topic          // from which letters are added to the file before; nil: from none
	Project *config.Project // with a trigger
	Binary  string          // the function's program
	Args    []string        // of it
	Logs    string          // directory of the instances' logs
	CPU     instance.CPU
	Notice  func(string) // is told what a user should know that fails no call; may be nil

	// Drain, when closed, ends the taking and the making of calls; those in flight end, and Draining is
	// told how many there are. Both may be nil.
	Drain    <-chan struct{}
	Draining func(calls int)

	// Progress, if not nil, is told what happens, by one goroutine at a time.
	Progress func(result.State)
}

// hopeless is after how many instances that ended before they took a call, and none
// that took one, the redrive gives up.
const hopeless = 3

type redrive struct {
	Options
	file  *deadletter.File
	spec  instance.Spec
	pool  *pool.Pool
	begin time.Time
	stop  context.CancelFunc // of the making of calls

	mu         sync.Mutex
	total      result.Redrive
	inFlight   int
	instances  int // created so far
	neverReady int // instances that ended before they took a call
	ready      bool
	fatal      error
}

// A batch is some letters of the file, by number, and the payload of their call; nil
// if that would be too large.
type batch struct {
	letters []int
	payload []byte
}

// Run delivers the letters of a file, which is to be closed behind it. What a call has
// failed for is not tried again: the letters stay, as do those that ctx's end or Drain
// leave. An error is of what keeps all letters from being delivered.
func Run(ctx context.Context, options Options, file *deadletter.File) (result.Redrive, error) {
	var total result.Redrive
	var err error
	if options.Topic != nil {
		err = options.take(ctx, file, &total)
	}
	total.Letters, total.Untried, total.CutShort = file.Len(), file.Len(), len(file.CutShort)
	if err != nil {
		return total, err
	}
	byTrigger := *options.Project
	byTrigger.Function.Timeout = byTrigger.Function.TriggerTimeout()
	r := &redrive{
		Options: options, file: file, begin: time.Now(),
		spec: instance.Spec{
			Project: &byTrigger, Binary: options.Binary, Args: options.Args, CodeDir: options.Project.CodeDirectory(options.Binary),
			Cores: options.CPU.Cores(options.Project),
		},
		total: total,
	}
	making, stop := context.WithCancel(ctx)
	defer stop()
	r.stop = stop
	go func() {
		select {
		case <-options.Drain:
			stop()
			r.mu.Lock()
			defer r.mu.Unlock()
			if options.Draining != nil {
				options.Draining(r.inFlight)
			}
		case <-making.Done():
		}
	}()

	rules := options.Project.Rules()
	calls := min(rules.Concurrency, rules.MaxInstances*rules.InstanceConcurrency, file.Len()) // side by side
	instances := (calls + rules.InstanceConcurrency - 1) / rules.InstanceConcurrency
	if instances == 0 {
		return r.total, nil
	}
	host, err := instance.NewHost(making, r.spec, instances, options.Notice)
	if making.Err() != nil {
		err = failure.New("interrupted")
	}
	if err != nil {
		return r.total, err
	}
	defer host.Close()
	r.pool = pool.New(host, r.spec, pool.LogsIn(options.Logs))
	batches := make(chan batch)
	var workers sync.WaitGroup
	for left := calls; left > 0; left -= rules.InstanceConcurrency {
		place := &place{redrive: r}
		for range min(rules.InstanceConcurrency, left) {
			workers.Go(func() {
				for b := range batches {
					if making.Err() == nil { // it may have ended while the batch was handed over
						r.deliver(ctx, place, b)
					}
				}
			})
		}
	}
	err = r.batches(making, rules, batches)
	close(batches)
	workers.Wait()
	r.pool.Close(ctx)
	r.total.Untried = r.total.Letters - r.total.Delivered - r.total.Failed
	return r.total, failure.Of(errors.Join(err, r.fatal))
}

// batches makes them in the file's order, each up to CountBasedWindow and the body
// limit, as a window closes.
func (r *redrive) batches(ctx context.Context, rules trigger.Config, batches chan<- batch) error {
	send := func(b batch) bool {
		if b.payload != nil {
			b.payload[len(b.payload)-1] = ']' // in place of the last comma
		}
		select {
		case batches <- b:
			return true
		case <-ctx.Done():
			return false
		}
	}
	open := batch{}
	for i := range r.file.Len() {
		if ctx.Err() != nil {
			return nil
		}
		letter, err := r.file.Letter(i)
		if err != nil {
			return fmt.Errorf("a dead letter cannot be read: %w", err)
		}
		size := int64(len(letter.Event)) + 1 // a comma
		if len(open.letters) == rules.CountBasedWindow || len(open.letters) > 0 && int64(len(open.payload))+size > rules.BodyLimit {
			if !send(open) {
				return nil
			}
			open = batch{}
		}
		if 1+size > rules.BodyLimit { // not even alone
			if !send(batch{letters: []int{i}}) {
				return nil
			}
			continue
		}
		if open.payload == nil {
			open.payload = []byte{'['}
		}
		open.letters = append(open.letters, i)
		open.payload = append(append(open.payload, letter.Event...), ',')
	}
	if len(open.letters) > 0 {
		send(open)
	}
	return nil
}

// deliver makes a batch's call and notes how it ended.
func (r *redrive) deliver(ctx context.Context, place *place, b batch) {
	err := error(trigger.ErrTooLarge)
	if b.payload != nil {
		err = place.call(ctx, r.beginCall(), b.payload)
		r.endCall()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var function *instance.FunctionError
	switch {
	case err == nil:
		r.ready = true
		if err := r.file.Delivered(b.letters...); err != nil {
			r.giveUp(fmt.Errorf("dead letters that have been delivered cannot be marked: %w", err))
			return
		}
		r.total.Delivered += len(b.letters)
	case errors.As(err, &function):
		r.total.Failures.Add(function.Type, function.Message)
		if r.ready = r.ready || !function.NeverReady; !r.ready {
			if r.neverReady++; r.neverReady == hopeless {
				r.giveUp(fmt.Errorf("the function does not start: %s", function.Message))
			}
		}
		r.failed(err, b.letters)
	case errors.Is(err, trigger.ErrTooLarge):
		r.total.Failures.Add("too large", err.Error())
		r.failed(err, b.letters)
	case ctx.Err() != nil: // the call was lost with ctx
	default: // the instance could not even be started
		r.giveUp(err)
	}
	r.tell()
}

func (r *redrive) failed(err error, letters []int) {
	r.file.Failed(err, letters...)
	r.total.Failed += len(letters)
}

// giveUp ends the making of calls.
func (r *redrive) giveUp(err error) {
	if r.fatal == nil {
		r.fatal = err
	}
	r.stop()
}

// beginCall counts a call and returns its number, from 1.
func (r *redrive) beginCall() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight++
	r.total.Calls++
	r.tell()
	return r.total.Calls
}

func (r *redrive) endCall() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight--
}

func (r *redrive) tell() {
	if r.Progress != nil {
		r.Progress(result.State{
			Produced: int64(r.total.Letters), Delivered: int64(r.total.Delivered),
			InFlight: r.inFlight, Instances: r.instances,
		})
	}
}

// A place has an instance when it is needed, for up to InstanceConcurrency callers.
type place struct {
	redrive *redrive
	mu      sync.Mutex
	id      trigger.InstanceID // of the last one; 0: none yet
	ended   error              // why one has ended
}

// call makes a call in the place's instance, which it starts if need be.
func (p *place) call(ctx context.Context, number int, payload []byte) error {
	r := p.redrive
	id := p.instance()
	_, err := r.pool.Call(ctx, id, instance.Call{
		RequestID: "1-" + strconv.FormatInt(r.begin.UnixNano(), 16) + "-" + strconv.FormatInt(int64(number), 16), Payload: payload,
	})
	if errors.Is(err, pool.ErrStopped) && ctx.Err() == nil { // it ended before the call
		p.mu.Lock()
		defer p.mu.Unlock()
		err = cmp.Or(p.ended, err)
	}
	return err
}

func (p *place) instance() trigger.InstanceID {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.redrive
	if p.id != 0 && !r.pool.Gone(p.id) {
		return p.id
	}
	r.mu.Lock()
	r.instances++
	id := trigger.InstanceID(r.instances)
	r.mu.Unlock()
	p.id = id
	r.pool.Create(id, func() {}, func(err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ended = err
	})
	return id
}
