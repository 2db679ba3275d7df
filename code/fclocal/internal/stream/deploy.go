package stream

import (
	"fmt"

	"fclocal/internal/build"
	"fclocal/internal/config"
	"fclocal/internal/eventbridge"
	"fclocal/internal/failure"
	"fclocal/internal/instance"
	"fclocal/internal/trigger"
)

// A Deployment is what a stream goes on with while it runs: settings, of which
// [trigger.Model.Deploy] says what may change, and the function's program.
type Deployment struct {
	Project *config.Project
	Rules   trigger.Config

	// Program, of that version, takes the next calls, and is released when no instance of
	// it is left; nil: the function and its own settings are as before.
	Program *build.Binary
	Version int
}

// follow takes over one deployment after the other, until the stream is drained or ends.
// Only the loop changes what is in the engine.
func (e *engine) follow(options Options) {
	ctx, stop := untilDrained(e.ctx, options.Drain)
	defer stop()
	var unusable error
	for {
		d, err := options.Next(ctx, unusable)
		if err != nil {
			if ctx.Err() == nil {
				e.report(func() []trigger.Action {
					e.fatal = failure.Of(err)
					return nil
				})
			}
			return
		}
		next := options
		next.Project, next.Rules = d.Project, d.Rules
		release := func() {}
		if d.Program != nil {
			next.Binary, next.Args, next.version, release = d.Program.Path, d.Program.Args, d.Version, d.Program.Release
		}
		converter, err := next.converter()
		var host *instance.Host
		if err == nil && d.Program != nil {
			host, err = instance.NewHost(ctx, next.spec(), next.instances(), options.Notice)
		}
		if err != nil {
			release()
			if ctx.Err() != nil {
				return
			}
			unusable = err
			continue
		}
		unusable = nil
		select {
		case e.deployed <- func() []trigger.Action { return e.deploy(next, converter, host, release) }:
			options = next
			if host != nil && options.Notice != nil {
				options.Notice(fmt.Sprintf("version %d takes the next calls", d.Version))
			}
		case <-ctx.Done():
			if host != nil {
				host.Close()
			}
			release()
			return
		}
	}
}

// deploy goes on with other options; with a host the function is another one, too.
func (e *engine) deploy(next Options, converter *eventbridge.Converter, host *instance.Host, release func()) []trigger.Action {
	e.Options, e.converter = next, converter
	if host != nil {
		e.pool.Replace(host, next.spec(), func() {
			host.Close()
			release()
		})
	}
	if e.source.deployed != nil {
		e.source.deployed()
	}
	return e.model.Deploy(e.now(), next.Rules, host != nil)
}
