// Package events makes the payload of a call from messages of one's own: the events
// that EventBridge would make of them, by the very rules of a stream.
package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"fclocal/internal/config"
	"fclocal/internal/eventbridge"
	"fclocal/internal/failure"
	"fclocal/internal/files"
	"fclocal/internal/interrupt"
	"fclocal/internal/kafka"
	"fclocal/internal/option"
	"fclocal/internal/trigger"
)

// The shapes of an event.
const (
	text           = "text"            // value is a JSON string, as FC triggers get it
	jsonShape      = "json"            // value is the JSON itself, as with the data format Json
	stringElements = "string-elements" // an event is a JSON string, as until February 2023
	tombstone      = "tombstone"       // value is null
)

var shapes = []string{text, jsonShape, stringElements, tombstone}

// Options are the messages.
type Options struct {
	Values    []string // TEXT, @FILE, or @- for stdin
	Keys      []string // one for all messages, or one for each value
	Headers   []string // NAME=VALUE, or NAME for one without a value; of all messages
	Topic     string   // "": the trigger's
	Partition int
	Offset    int64  // of the first message; those of the next count up
	Timestamp string // of all messages; "": now
	Number    int    // of messages, with the values by turns; 0: one for each value
	Shape     string
}

// names are the options'.
var names = []string{"value", "key", "header", "topic", "partition", "offset", "timestamp", "messages-number", "shape"}

// AddTo adds the options to a command.
func (o *Options) AddTo(command *cobra.Command) {
	flags := command.Flags()
	flags.StringArrayVar(&o.Values, "value", nil, "make the event of messages in place of -e and -f: a value, `TEXT`, @FILE, or @- for stdin; may be repeated")
	flags.StringArrayVar(&o.Keys, "key", nil, "`KEY` of all messages, or repeated, one for each --value")
	flags.StringArrayVar(&o.Headers, "header", nil, "a header of all messages, `NAME=VALUE`, or NAME for one without a value; may be repeated")
	flags.StringVar(&o.Topic, "topic", "", "`TOPIC` of the messages (default s.yaml's)")
	flags.IntVar(&o.Partition, "partition", 0, "partition `N` of the messages")
	flags.Int64Var(&o.Offset, "offset", 0, "offset `N` of the first message")
	flags.StringVar(&o.Timestamp, "timestamp", "", "`TIME` of the messages, RFC 3339 or milliseconds since 1970 (default now)")
	flags.IntVarP(&o.Number, "messages-number", "n", 0, "`N` messages, with the values by turns (default one for each)")
	flags.StringVar(&o.Shape, "shape", text, "`SHAPE` of the events: "+strings.Join(shapes, ", "))
	command.RegisterFlagCompletionFunc("shape", cobra.FixedCompletions(shapes, cobra.ShellCompDirectiveNoFileComp))
	for _, name := range names { // a second registration, as of shape, counts for nothing
		command.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// Given says whether one of the options is there; changed tells it of each.
func Given(changed func(option string) bool) bool { return slices.ContainsFunc(names, changed) }

// Files are those that the messages are made of.
func (o *Options) Files(project *config.Project) (paths []string) {
	if o.Values == nil && o.Shape != tombstone {
		return []string{project.EventFile()}
	}
	for _, value := range o.Values {
		if name, isFile := strings.CutPrefix(value, "@"); isFile && name != "-" && !strings.HasPrefix(name, "@") {
			paths = append(paths, name)
		}
	}
	return paths
}

// check finds options that do not go together.
func (o *Options) check() error {
	return option.Check(
		option.From("-n", o.Number, 0),
		option.From("--partition", o.Partition, 0), option.Not(o.Partition > math.MaxInt32, fmt.Sprintf("--partition %d: it must be %d or less", o.Partition, math.MaxInt32)),
		option.From("--offset", o.Offset, 0),
		option.Not(!slices.Contains(shapes, o.Shape), fmt.Sprintf("--shape %q: it must be %s", o.Shape, strings.Join(shapes, ", "))),
		option.Not(o.Shape == tombstone && o.Values != nil, "a tombstone has no value: leave --value out"),
		option.Not(o.Number > 0 && o.Number < len(o.Values), fmt.Sprintf("-n %d is less than the %d values", o.Number, len(o.Values))),
		option.Not(len(o.Keys) > 1 && len(o.Keys) != len(o.Values), fmt.Sprintf("there are %d --key and %d --value: give one key for all, or one for each value", len(o.Keys), len(o.Values))),
	)
}

// Make makes the payload: a JSON array of the events of all messages that the
// trigger's pattern lets pass. Without values they are those that event.json was made
// of. note is told what the user may not expect.
func (o *Options) Make(ctx context.Context, project *config.Project, stdin io.Reader, note func(string)) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	converter, err := o.converter(project)
	if err != nil {
		return nil, err
	}
	messages, err := o.messages(ctx, project, stdin, note)
	if err != nil {
		return nil, err
	}
	headers, err := o.headers()
	if err != nil {
		return nil, err
	}
	at := time.Now()
	if o.Timestamp != "" {
		if at, err = kafka.ParseTimestamp(o.Timestamp); err != nil {
			return nil, fmt.Errorf("--%w", err)
		}
	}
	number := o.Number
	if number == 0 {
		number = len(messages)
	}
	payload, events := []byte{'['}, 0
	for i := range number {
		message := messages[i%len(messages)]
		record := eventbridge.Record{
			Partition: int32(o.Partition), Offset: o.Offset + int64(i), Timestamp: at,
			Headers: headers, Key: message.Key, Value: message.Value,
		}
		if !converter.Passes(&record) {
			continue
		}
		if events++; events > 1 {
			payload = append(payload, ',')
		}
		payload = converter.Append(payload, &record)
		if len(payload) >= trigger.BodyLimitSynchronous {
			return nil, fmt.Errorf("the event of %d messages has more than %d bytes (32 MB), which a synchronous call takes at most", events, trigger.BodyLimitSynchronous)
		}
	}
	switch {
	case events == 0:
		return nil, errors.New("eventRuleFilterPattern of s.yaml lets none of the messages pass: the trigger makes no call of them")
	case events < number:
		note(fmt.Sprintf("eventRuleFilterPattern lets %d of %d messages pass", events, number))
	}
	if t := project.Trigger; t != nil && events > t.BatchWindow.CountBasedWindow {
		note(fmt.Sprintf("the event has %d messages; the trigger sends %d at most (CountBasedWindow)", events, t.BatchWindow.CountBasedWindow))
	}
	return append(payload, ']'), nil
}

func (o *Options) converter(project *config.Project) (*eventbridge.Converter, error) {
	options := project.EventOptions()
	options.JSONValues, options.StringElements = o.Shape == jsonShape, o.Shape == stringElements
	if o.Topic != "" {
		options.Topic = o.Topic
	}
	if options.Topic == "" {
		return nil, fmt.Errorf("%s has no eventbridge trigger for Kafka: --topic names the messages' topic", project.File)
	}
	return eventbridge.NewConverter(options)
}

// messages are those of the values, in their order.
func (o *Options) messages(ctx context.Context, project *config.Project, stdin io.Reader, note func(string)) ([]kafka.Message, error) {
	var messages []kafka.Message
	switch {
	case o.Values != nil:
		for i, value := range o.Values {
			content, err := read(ctx, value, stdin)
			if err != nil {
				return nil, err
			}
			if o.Shape != jsonShape && !utf8.Valid(content) {
				note(fmt.Sprintf("--value %d is not UTF-8: as from EventBridge, what is broken arrives as U+FFFD", i+1))
			}
			messages = append(messages, kafka.Message{Value: content})
		}
	case o.Shape == tombstone:
		messages = []kafka.Message{{}}
	default:
		event, err := project.Event()
		if err != nil {
			return nil, fmt.Errorf("%w; --value gives a message's value", err)
		}
		message, err := kafka.EventMessage(project.EventFile(), event)
		if err != nil {
			return nil, err
		}
		messages = []kafka.Message{message}
	}
	for i := range messages {
		if o.Keys != nil {
			messages[i].Key = []byte(o.Keys[i%len(o.Keys)])
		}
		if value := messages[i].Value; o.Shape == jsonShape && value != nil && !json.Valid(value) {
			return nil, fmt.Errorf("--shape json: the value of message %d is no JSON: %w", i+1, json.Unmarshal(value, new(any)))
		}
	}
	return messages, nil
}

// read returns what an argument of --value stands for: itself, or the content of a
// file as it is, with a line break at its end if there is one.
func read(ctx context.Context, value string, stdin io.Reader) ([]byte, error) {
	name, isFile := strings.CutPrefix(value, "@")
	switch {
	case !isFile:
		return []byte(value), nil
	case strings.HasPrefix(name, "@"): // a text that begins with one
		return []byte(name), nil
	case name == "-":
		content, err := interrupt.Read(ctx, func() ([]byte, error) {
			return io.ReadAll(io.LimitReader(stdin, trigger.BodyLimitSynchronous+1))
		})
		if ctx.Err() != nil {
			return nil, failure.New("interrupted")
		}
		if err != nil {
			return nil, fmt.Errorf("--value @-: stdin cannot be read: %w", err)
		}
		return content, nil
	}
	content, err := files.Read(name, trigger.BodyLimitSynchronous)
	if err != nil {
		return nil, fmt.Errorf("--value: %w; @@ begins a text with one @", err)
	}
	return content, nil
}

func (o *Options) headers() (headers []eventbridge.Header, err error) {
	for _, text := range o.Headers {
		name, value, found := strings.Cut(text, "=")
		if name == "" {
			return nil, fmt.Errorf("--header %q: it must be NAME=VALUE", text)
		}
		header := eventbridge.Header{Key: name}
		if found {
			header.Value = []byte(value)
		}
		headers = append(headers, header)
	}
	return headers, nil
}
