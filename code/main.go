// Command main takes Kafka messages into Function Compute (FC), in the batches of an EventBridge event stream.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"
)

func main() {
	// The SDK asks for calls and answers them over http.DefaultTransport, which keeps 2 idle connections: with more
	// calls at a time it would open a new one for most answers. 200 is the highest instanceConcurrency.
	transport := http.DefaultTransport.(*http.Transport)
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 200, 200
	fc.Start(HandleRequest)
}

// HandleRequest is one call. The payload, which the SDK hands over untouched, is a batch of events; the answer echoes it.
func HandleRequest(ctx context.Context, payload []byte) ([]event, error) {
	fctx, ok := fccontext.FromContext(ctx)
	if !ok {
		return nil, errors.New("no Function Compute context: HandleRequest is called by fc.Start only")
	}
	flog := fctx.GetLogger()
	events, bad := decodeBatch(payload)
	if events == nil { // no batch at all
		return nil, bad
	}
	if bad != nil {
		return nil, bad // To skip bad events instead, replace this line: flog.Warnf("Skipped %v", bad[1:])
	}
	flog.Infof("Start processing %d events", len(events))
	for i := range events {
		e := &events[i]
		flog.Infof("Start processing event: %+v", e) // 0.5 KB or more: delete this line if messages are large or private
		if err := process(ctx, e); err != nil {
			return nil, fmt.Errorf(position+"%w", i, e.ID, e.Data.Topic, e.Data.Partition, e.Data.Offset, err)
		}
	}
	return events, nil
}

// process does the work for one message: this is the function to edit. It is called for one message after the other in a
// batch, in up to instanceConcurrency calls at once, so what is shared needs a lock. ctx ends at the call's deadline.
// nil: done. An error: the whole batch comes again, so what is done here must bear repetition.
// A database client is opened once, before fc.Start or in the initializer (fc.RegisterInitializerFunction).
func process(ctx context.Context, e *event) error {
	// Your business logic goes here, with e.Data.Value: the message, or nil for a tombstone.
	return nil
}

// ---- The event ----

// A message is the record's value. Its type is the one line to change: a map takes any JSON object (its numbers are
// json.Number, no digit is lost), a struct with json tags its fields, a slice an array, a string plain text as it is.
type message map[string]any

// An event is a CloudEvent of type alikafka:Topic:Message. Attributes that it does not name are left out of the echo.
// The SDK's events.KafkaEventBridgeEvent has no key, and takes values and headers only if they are strings.
type event struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject,omitempty"`
	DataContentType string    `json:"datacontenttype,omitempty"`
	Time            string    `json:"time,omitempty"`
	AliyunAccountID string    `json:"aliyunaccountid,omitempty"`
	Data            eventData `json:"data"`
}

type eventData struct {
	Topic     string       `json:"topic"`
	Partition int          `json:"partition"`
	Offset    int64        `json:"offset"`
	Timestamp int64        `json:"timestamp"`        // milliseconds since 1970
	Headers   eventHeaders `json:"headers,omitzero"` // may be absent
	Key       string       `json:"key,omitempty"`    // absent when the record has none
	Value     *message     `json:"value"`            // nil for a tombstone
}

type eventHeaders struct {
	Headers    []json.RawMessage `json:"headers"` // strings or objects, as they came; Example_header reads one
	IsReadOnly bool              `json:"isReadOnly"`
}

// ---- Decoding ----

// An InvalidBatchError is a summary, then each bad event: its position from 0, its place in Kafka and what is wrong.
type InvalidBatchError []string

func (e InvalidBatchError) Error() string { return strings.Join(e, "; ") }

const position = "event %d (id %q, topic %q, partition %d, offset %d): "

// decodeBatch returns the good events, and an error that names every bad one. nil for events: the payload is no batch.
func decodeBatch(payload []byte) ([]event, InvalidBatchError) {
	noEvent := func(e event) bool { return e.Data.Topic == "" } // null, say, decodes without an error
	var events []event
	if json.Unmarshal(payload, &events) == nil && events != nil && !slices.ContainsFunc(events, noEvent) {
		return events, nil
	}
	var elements []json.RawMessage
	if json.Unmarshal(payload, &elements) != nil || elements == nil {
		return nil, InvalidBatchError{fmt.Sprintf("the payload is not an array of events: %.40q", payload)}
	}
	events = make([]event, 0, len(elements)) // afresh: a bad event may have been decoded in part
	var bad InvalidBatchError
	for i, element := range elements {
		if element[0] == '"' { // until February 2023 each event came as a string
			var text string
			json.Unmarshal(element, &text) // cannot fail: the element has been scanned
			element = []byte(text)
		}
		var e event
		err := json.Unmarshal(element, &e)
		if err == nil && !noEvent(e) {
			events = append(events, e)
			continue
		}
		err = cmp.Or(err, errors.New("data.topic is missing; eventSchema must be CloudEvents"))
		var at struct { // as far as the element tells
			ID   string
			Data struct {
				Topic             string
				Partition, Offset int64
			}
		}
		json.Unmarshal(element, &at)
		bad = append(bad, oneLine(fmt.Sprintf(position+"%v", i, at.ID, at.Data.Topic, at.Data.Partition, at.Data.Offset, err)))
	}
	if bad != nil {
		bad = slices.Insert(bad, 0, fmt.Sprintf("%d of %d events are invalid, none was processed", len(bad), len(elements)))
	}
	return events, bad
}

// shape is the JSON that a message is of, by its Go type, and how that begins.
var shape = map[reflect.Kind]struct{ name, begin string }{
	reflect.Map: {"object", "{"}, reflect.Struct: {"object", "{"}, reflect.Slice: {"array", "["}, reflect.String: {"string", `"`},
}[reflect.TypeFor[message]().Kind()]

// UnmarshalJSON takes JSON as it is, or in a string: the data format decides. A message of type string takes any string.
func (m *message) UnmarshalJSON(data []byte) error {
	type value message // without this method: encoding/json decodes it by its type
	*m = *new(message) // of two values the last one counts, alone
	text := string(data)
	if data[0] == '"' && shape.name != "string" {
		json.Unmarshal(data, &text) // cannot fail: the string has been scanned
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode((*value)(m))
	switch {
	case !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), shape.begin):
		return fmt.Errorf("data.value is not a JSON %s: %.40q", shape.name, text)
	case err != nil && json.Valid([]byte(text)): // a field of the wrong type
		return fmt.Errorf("data.value: %w", err)
	case err != nil:
		return fmt.Errorf("data.value is not a JSON %s: %w", shape.name, err)
	case strings.TrimLeft(text[decoder.InputOffset():], " \t\r\n") != "":
		return fmt.Errorf("data.value has more after its JSON %s", shape.name)
	}
	return nil
}

// ---- The log line ----

// String is the event as %+v prints a struct, on one line whatever it holds: no message can forge a line of the log.
func (e *event) String() string {
	d, value := &e.Data, "<nil>"
	if d.Value != nil {
		value = fmt.Sprintf("%+v", *d.Value)
	}
	return oneLine("{SpecVersion:" + e.SpecVersion + " ID:" + e.ID + " Source:" + e.Source + " Type:" + e.Type +
		" Subject:" + e.Subject + " DataContentType:" + e.DataContentType + " Time:" + e.Time + " AliyunAccountID:" +
		e.AliyunAccountID + " Data:{Topic:" + d.Topic + " Partition:" + strconv.Itoa(d.Partition) + " Offset:" +
		strconv.FormatInt(d.Offset, 10) + " Timestamp:" + strconv.FormatInt(d.Timestamp, 10) +
		fmt.Sprintf(" Headers:{Headers:%s IsReadOnly:%t}", d.Headers.Headers, d.Headers.IsReadOnly) +
		" Key:" + d.Key + " Value:" + value + "}}")
}

// oneLine escapes control characters, line breaks and what else is not to be seen.
func oneLine(line string) string {
	if !slices.ContainsFunc([]byte(line), func(c byte) bool { return c < ' ' || c > '~' }) {
		return line
	}
	quoted := strconv.QuoteToGraphic(line)
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(quoted[1 : len(quoted)-1])
}
