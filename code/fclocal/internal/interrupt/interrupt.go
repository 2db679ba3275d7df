// Package interrupt lets a command be stopped at any moment: in order by the first
// Ctrl-C, SIGTERM or SIGHUP, and at once by the second.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Grace is how long a command may take to end at once before the process ends
// without it.
const Grace = 2 * time.Second

// Signals are those that the process has got since Listen.
type Signals struct {
	First  <-chan struct{} // closed by the first one
	second context.Context // ended by the second one
	stop   func()
}

type key struct{}

// Listen begins to listen, which is to be the first thing that a program does. The
// context ends with the first signal and knows the Signals. When a second one has
// come and Grace has passed, kill is called. Stop ends all this.
func Listen(parent context.Context, kill func()) (context.Context, *Signals) {
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	second, end := context.WithCancel(context.WithoutCancel(parent))
	ctx, cancel := context.WithCancel(parent)
	first := make(chan struct{})
	done := make(chan struct{})
	go func() {
		for _, next := range []func(){func() { close(first); cancel() }, end} {
			select {
			case <-received:
				next()
			case <-done:
				return
			}
		}
		select {
		case <-time.After(Grace):
			kill()
		case <-done:
		}
	}()
	s := &Signals{First: first, second: second, stop: func() {
		signal.Stop(received)
		close(done)
		cancel()
		end()
	}}
	return context.WithValue(ctx, key{}, s), s
}

// Stop ends the listening.
func (s *Signals) Stop() { s.stop() }

// Drain is for a command that ends in order by itself: it returns the signals of a
// context of Listen, and a context that goes on after the first of them.
func Drain(ctx context.Context) (context.Context, *Signals) {
	if s, ok := ctx.Value(key{}).(*Signals); ok {
		return s.second, s
	}
	return ctx, &Signals{First: make(chan struct{}), second: ctx, stop: func() {}}
}

// Asked says whether the first signal has come.
func (s *Signals) Asked() bool {
	select {
	case <-s.First:
		return true
	default:
		return false
	}
}

// Read calls a function that reads what may never come, like stdin, and gives up
// waiting for it when ctx ends.
func Read(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	type outcome struct {
		content []byte
		err     error
	}
	finished := make(chan outcome, 1)
	go func() {
		content, err := read()
		finished <- outcome{content, err}
	}()
	select {
	case o := <-finished:
		return o.content, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
