// Command main is a Function Compute event handler for Kafka messages that an
// EventBridge event stream delivers in batches.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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

// HandleRequest processes the events of one call. An error fails the whole batch: it is delivered again, all of it, so
// what happens here must bear repetition.
func HandleRequest(ctx context.Context, cloudEvents batch) (batch, error) {
	fctx, ok := fccontext.FromContext(ctx)
	if !ok {
		return nil, errors.New("no Function Compute context: HandleRequest is called by fc.Start only")
	}
	flog := fctx.GetLogger()
	flog.Infof("Start processing %d events", len(cloudEvents))
	for i := range cloudEvents {
		e := &cloudEvents[i]
		flog.Infof("Start processing event: %+v", e)
		// Your business logic goes here, with e.Data.Value.
	}
	return cloudEvents, nil
}

// An event is a CloudEvent of type alikafka:Topic:Message. Attributes that it does not name are left out of the echo.
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
	Value     message      `json:"value"`            // nil for a tombstone
}

type eventHeaders struct {
	Headers    []header `json:"headers"`
	IsReadOnly bool     `json:"isReadOnly"`
}

// A header is kept as it came, be it a string or an object: no document says which.
type header struct{ json.RawMessage }

func (h header) String() string { return string(h.RawMessage) }

// A message is the record's value, a JSON object. Its numbers are json.Number, which loses no digit.
type message map[string]any

// UnmarshalJSON takes the object as it is, or as a string that holds it: the stream's data format decides which.
func (m *message) UnmarshalJSON(value []byte) error {
	*m = nil
	if string(value) == "null" {
		return nil
	}
	if value[0] == '"' {
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		value = []byte(text)
	}
	if !bytes.HasPrefix(bytes.TrimLeft(value, " \t\r\n"), []byte("{")) {
		return fmt.Errorf("data.value is not a JSON object: %.40q", value)
	}
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	if err := decoder.Decode((*map[string]any)(m)); err != nil {
		return fmt.Errorf("data.value is not a JSON object: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("data.value has more after its JSON object")
	}
	return nil
}

// A batch is the payload of one call.
type batch []event

// UnmarshalJSON decodes all events of the batch, or reports every one that is bad.
func (b *batch) UnmarshalJSON(payload []byte) error {
	noEvent := func(e event) bool { return e.Data.Topic == "" } // null, say, decodes without an error
	if json.Unmarshal(payload, (*[]event)(b)) == nil && *b != nil && !slices.ContainsFunc(*b, noEvent) {
		return nil
	}

	var elements []json.RawMessage
	if json.Unmarshal(payload, &elements) != nil || elements == nil {
		return InvalidBatchError{fmt.Sprintf("the payload is not an array of events: %.40q", payload)}
	}
	*b = make(batch, len(elements))
	var invalid InvalidBatchError
	for i, element := range elements {
		if element[0] == '"' { // until February 2023 each event came as a string
			var text string
			json.Unmarshal(element, &text) // cannot fail: the element has been scanned
			element = []byte(text)
		}
		e := &(*b)[i]
		err := json.Unmarshal(element, e)
		if err == nil && noEvent(*e) {
			err = errors.New("data.topic is missing; eventSchema must be CloudEvents")
		}
		if err != nil {
			var at place
			json.Unmarshal(element, &at) // as far as it tells
			invalid = append(invalid, fmt.Sprintf("event %d (id %q, topic %q, partition %d, offset %d): %v",
				i, at.ID, at.Data.Topic, at.Data.Partition, at.Data.Offset, err))
		}
	}
	if invalid != nil {
		summary := fmt.Sprintf("%d of %d events are invalid, none was processed", len(invalid), len(elements))
		return append(InvalidBatchError{summary}, invalid...)
	}
	return nil
}

// A place says where a bad event is in Kafka.
type place struct {
	ID   string `json:"id"`
	Data struct {
		Topic     string `json:"topic"`
		Partition int    `json:"partition"`
		Offset    int64  `json:"offset"`
	} `json:"data"`
}

// An InvalidBatchError fails a call before any of its events is processed: a summary, then every bad event, with its
// position in the batch (from 0), its place in Kafka and what is wrong with it.
type InvalidBatchError []string

func (e InvalidBatchError) Error() string { return strings.Join(e, "; ") }

// String is the event as %+v prints a struct, on one line whatever it holds: no message can forge a line of the log.
func (e *event) String() string {
	d := &e.Data
	line := "{SpecVersion:" + e.SpecVersion + " ID:" + e.ID + " Source:" + e.Source + " Type:" + e.Type +
		" Subject:" + e.Subject + " DataContentType:" + e.DataContentType + " Time:" + e.Time +
		" AliyunAccountID:" + e.AliyunAccountID + " Data:{Topic:" + d.Topic + " Partition:" + strconv.Itoa(d.Partition) +
		" Offset:" + strconv.FormatInt(d.Offset, 10) + " Timestamp:" + strconv.FormatInt(d.Timestamp, 10) +
		" Headers:{Headers:" + fmt.Sprint(d.Headers.Headers) +
		" IsReadOnly:" + strconv.FormatBool(d.Headers.IsReadOnly) + "} Key:" + d.Key + " Value:" + fmt.Sprint(d.Value) + "}}"
	return oneLine(line)
}

// oneLine escapes control characters, line breaks and what else is not to be seen.
func oneLine(line string) string {
	i := 0
	for i < len(line) && ' ' <= line[i] && line[i] <= '~' {
		i++
	}
	if i == len(line) {
		return line
	}
	text := []byte(line[:i])
	for _, r := range line[i:] {
		if unicode.IsGraphic(r) {
			text = utf8.AppendRune(text, r)
		} else {
			text = append(text, strings.Trim(strconv.QuoteRune(r), "'")...)
		}
	}
	return string(text)
}
