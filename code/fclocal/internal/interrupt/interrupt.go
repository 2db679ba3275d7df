// Package interrupt lets a command end in order at the first Ctrl-C and at once at
// the second.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// A Draining waits for the signals.
type Draining struct {
	First <-chan struct{} // closed by the first SIGINT or SIGTERM
	stop  func()
}

// Drain returns a context that the second SIGINT or SIGTERM ends, whatever becomes
// of its parent, and what the first one does. Stop must be called.
func Drain(parent context.Context) (context.Context, *Draining) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	first := make(chan struct{})
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			close(first)
		case <-ctx.Done():
			return
		}
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, &Draining{first, func() {
		signal.Stop(signals)
		cancel()
	}}
}

// Asked says whether the first signal has come.
func (d *Draining) Asked() bool {
	select {
	case <-d.First:
		return true
	default:
		return false
	}
}

// Stop ends the waiting.
func (d *Draining) Stop() { d.stop() }
