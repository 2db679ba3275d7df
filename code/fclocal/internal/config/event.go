package config

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"fclocal/internal/eventbridge"
	"fclocal/internal/failure"
	"fclocal/internal/files"
	"fclocal/internal/interrupt"
	"fclocal/internal/trigger"
)

// EventFile is the path of event.json, beside s.yaml.
func (p *Project) EventFile() string { return filepath.Join(p.Dir, "event.json") }

// Event is what event.json holds.
func (p *Project) Event() ([]byte, error) {
	return readEvent(p.EventFile())
}

// EventOptions say what events the trigger makes; without a trigger, they are
// CloudEvents of no topic.
func (p *Project) EventOptions() eventbridge.Options {
	options := eventbridge.Options{AccountID: p.Service.AccountID(), EventSchema: "CloudEvents", EventRuleFilterPattern: "{}"}
	if t := p.Trigger; t != nil {
		options.InstanceID, options.Topic = t.Kafka.InstanceID, t.Kafka.Topic
		options.EventSchema, options.EventRuleFilterPattern = t.EventSchema, t.EventRuleFilterPattern
	}
	return options
}

// readEvent reads a file with an event, which is no larger than a call takes.
func readEvent(path string) ([]byte, error) {
	event, err := files.Read(path, trigger.BodyLimitSynchronous)
	if err != nil {
		return nil, fmt.Errorf("the event cannot be read: %w", err)
	}
	return event, nil
}

// ReadEvent is what a file holds: that of EventFile for "", stdin for "-".
func (p *Project) ReadEvent(ctx context.Context, file string, stdin io.Reader) ([]byte, error) {
	switch file {
	case "-", "/dev/stdin":
		event, err := interrupt.Read(ctx, func() ([]byte, error) {
			return io.ReadAll(io.LimitReader(stdin, trigger.BodyLimitSynchronous+1))
		})
		if ctx.Err() != nil {
			return nil, failure.New("interrupted")
		}
		if err != nil {
			return nil, fmt.Errorf("the event cannot be read from stdin: %w", err)
		}
		return event, nil
	case "":
		file = p.EventFile()
	}
	event, err := readEvent(file)
	if err != nil {
		return nil, fmt.Errorf("%w; -f FILE names another", err)
	}
	return event, nil
}
