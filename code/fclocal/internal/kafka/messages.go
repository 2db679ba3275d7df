package kafka

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// AnyPartition is the Partition of a message that names none.
const AnyPartition = -1

// A Message is what a producer sends.
type Message struct {
	Key       []byte // nil: none
	Value     []byte // nil: a tombstone
	Headers   []kgo.RecordHeader
	Partition int32     // AnyPartition: by the key, or in turn without one
	Timestamp time.Time // zero: when it is sent

	place string // where the message is from, for errors
}

// A Source yields messages. Next returns io.EOF after the last one.
type Source interface {
	Next() (Message, error)
}

// Repeat yields n messages, each what message returns then.
func Repeat(message func() Message, n int) Source { return &repeated{message, n} }

type repeated struct {
	message func() Message
	left    int
}

func (r *repeated) Next() (Message, error) {
	if r.left <= 0 {
		return Message{}, io.EOF
	}
	r.left--
	return r.message(), nil
}

// EventMessage is the message that the first event of event.json was made of:
// its key, and its value, as text if it is a string, as the producer of a
// double-encoded value sent it, and as JSON otherwise. The partition is not
// kept. Events are CloudEvents, as objects or, as before February 2023, as
// strings, or bare data objects, as with eventSchema RawData. The file's name
// is for errors.
func EventMessage(file string, event []byte) (Message, error) {
	fail := func(format string, arguments ...any) (Message, error) {
		return Message{}, fmt.Errorf("%s: "+format, append([]any{file}, arguments...)...)
	}
	var events []json.RawMessage
	if err := json.Unmarshal(event, &events); err != nil {
		return fail("it must be a JSON array of events: %w", err)
	}
	if len(events) == 0 {
		return fail("the array has no event to make messages of")
	}
	first := events[0]
	if text, ok := jsonString(first); ok {
		first = []byte(text)
	}
	type data struct {
		Key   json.RawMessage `json:"key"`
		Value json.RawMessage `json:"value"`
	}
	var e struct {
		data
		Data *data `json:"data"`
	}
	if err := json.Unmarshal(first, &e); err != nil {
		return fail("the first event is no object: %w", err)
	}
	d := &e.data
	if e.Data != nil {
		d = e.Data
	}
	if d.Value == nil {
		return fail("the first event has no data.value")
	}
	key, err := messageKey(d.Key)
	if err != nil {
		return fail("the first event's %w", err)
	}
	return Message{Key: key, Value: messageValue(d.Value), Partition: AnyPartition, place: file}, nil
}

// Messages reads messages from a file, a JSON value per line. It holds one line
// at a time. A line, after which blanks do not count, is one of
//
//   - a JSON value: the message's value is the line's text, so null and "text"
//     are these 4 and 6 bytes;
//   - an object with "value" and no other key than "value", "key", "headers"
//     and "partition": a message with these. The value is a string's text, no
//     value (a tombstone) for null, or the text of other JSON as it stands; the
//     key is a string's text, or null for none; the headers are an object, a
//     header with a string's text, or null for no value, per member, in their
//     order; the partition is an integer from 0, or null for none.
//
// That is the format auto; [Format] has the others, and what auto reads beside it. A
// line that could be meant in two ways is an error. Empty lines are skipped. A byte order mark at the beginning, CRLF and a last
// line without an end are fine. A line is at most 64 MiB long.
type Messages struct {
	name   string
	format Format
	kcat   kcat
	line   int
	lines  *bufio.Reader
	buffer []byte
	closer io.Closer
}

// kcat says whether the lines so far were as kcat -J writes them.
type kcat int

const (
	noLine kcat = iota
	allKcat
	noKcat
)

// FromKcat says whether auto has found that the lines are as kcat -J writes them.
func (m *Messages) FromKcat() bool { return m.kcat == allKcat }

// OpenMessages opens a file for NewMessages. It must be a regular one: others, like
// a named pipe, cannot be read twice, and may never end.
func OpenMessages(path string, format Format) (*Messages, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: it is no regular file; write the messages to one", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := NewMessages(path, file, format)
	if err != nil {
		file.Close()
		return nil, err
	}
	m.closer = file
	return m, nil
}

// CheckMessages reads a file to its end, so that a bad line is found before a message
// is produced, and checks that there are the partitions that messages name. fromKcat is
// as [Messages.FromKcat] has it.
func CheckMessages(ctx context.Context, path string, format Format, partitions int) (fromKcat bool, err error) {
	messages, err := OpenMessages(path, format)
	if err != nil {
		return false, err
	}
	defer messages.Close()
	for n := 0; ; n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return false, fmt.Errorf("interrupted while %s was checked", path)
		}
		message, err := messages.Next()
		if err == io.EOF {
			return messages.FromKcat(), nil
		}
		if err == nil && message.Partition >= int32(partitions) {
			err = fmt.Errorf("%s: partition %d: the topic has the partitions 0 to %d; --partitions says how many", message.place, message.Partition, partitions-1)
		}
		if err != nil {
			return false, err
		}
	}
}

// NewMessages reads messages from r, which may be compressed by gzip: its first
// bytes tell. The name is for errors.
func NewMessages(name string, r io.Reader, format Format) (*Messages, error) {
	m := &Messages{name: name, format: format, lines: bufio.NewReaderSize(r, 64<<10)}
	if magic, _ := m.lines.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(m.lines)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m.lines = bufio.NewReaderSize(unzipped, 64<<10)
	}
	if mark, _ := m.lines.Peek(3); string(mark) == "\uFEFF" {
		m.lines.Discard(3)
	}
	return m, nil
}

// Close closes the file that OpenMessages opened.
func (m *Messages) Close() error {
	if m.closer == nil {
		return nil
	}
	return m.closer.Close()
}

// Next returns the next message, or io.EOF after the last one. Another error
// tells file and line, and ends the messages.
func (m *Messages) Next() (Message, error) {
	for {
		line, err := m.next()
		if err == io.EOF {
			return Message{}, err
		}
		if err != nil {
			return Message{}, fmt.Errorf("%s:%d: %w", m.name, m.line, err)
		}
		if m.format.lines() {
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		} else if line = bytes.Trim(line, " \t\r\n"); len(line) == 0 {
			continue
		}
		message, fromKcat, err := m.format.parse(line)
		if err == nil && m.format.auto() {
			err = m.alike(fromKcat)
		}
		if err != nil {
			return Message{}, fmt.Errorf("%s:%d: %w", m.name, m.line, err)
		}
		message.place = fmt.Sprintf("%s:%d", m.name, m.line)
		return message, nil
	}
}

// next returns the next line, good until it is called again.
func (m *Messages) next() ([]byte, error) {
	m.line++
	if cap(m.buffer) > 1<<20 {
		m.buffer = nil // one long line must not be held for all that come
	}
	m.buffer = m.buffer[:0]
	for {
		part, err := m.lines.ReadSlice('\n')
		if len(m.buffer)+len(part) > maxLine {
			return nil, fmt.Errorf("the line is longer than %d MiB", maxLine>>20)
		}
		if err == nil && len(m.buffer) == 0 {
			return part, nil
		}
		m.buffer = append(m.buffer, part...)
		switch {
		case err == nil, err == io.EOF && len(m.buffer) > 0:
			return m.buffer, nil
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}

// alike is an error for a line that is as kcat -J writes it among others, or the other
// way round.
func (m *Messages) alike(fromKcat bool) error {
	now := noKcat
	if fromKcat {
		now = allKcat
	}
	if m.kcat != noLine && m.kcat != now {
		return errors.New("either this line or those before it are as kcat -J writes them: --messages-format kcat, object or text says how to read them all")
	}
	m.kcat = now
	return nil
}

func isMessage(members map[string]json.RawMessage) bool {
	return members["value"] != nil && members["timestamp"] == nil && only(members, messageFields)
}

func longMessage(members map[string]json.RawMessage) (Message, error) {
	key, err := messageKey(members["key"])
	if err != nil {
		return Message{}, err
	}
	headers, err := messageHeaders(members["headers"])
	if err != nil {
		return Message{}, err
	}
	message := Message{Key: key, Value: messageValue(members["value"]), Headers: headers, Partition: AnyPartition}
	if partition := members["partition"]; !isNull(partition) {
		message.Partition, err = partitionOf(partition)
	}
	if timestamp := members["timestamp"]; err == nil && !isNull(timestamp) {
		text, ok := jsonString(timestamp)
		if !ok {
			text = string(timestamp)
		}
		message.Timestamp, err = ParseTimestamp(text)
	}
	if err != nil {
		return Message{}, err
	}
	return message, nil
}

func partitionOf(number []byte) (partition int32, err error) {
	if json.Unmarshal(number, &partition) != nil || partition < 0 || isNull(number) {
		return 0, fmt.Errorf("partition %s: it must be an integer from 0", excerpt(number))
	}
	return partition, nil
}

func messageValue(value json.RawMessage) []byte {
	if isNull(value) {
		return nil
	}
	if text, ok := jsonString(value); ok {
		return []byte(text)
	}
	return slices.Clone(value)
}

func messageKey(key json.RawMessage) ([]byte, error) {
	if isNull(key) {
		return nil, nil
	}
	text, ok := jsonString(key)
	if !ok {
		return nil, fmt.Errorf("key %s: it must be a string or null", excerpt(key))
	}
	return []byte(text), nil
}

func messageHeaders(object json.RawMessage) (headers []kgo.RecordHeader, err error) {
	if isNull(object) {
		return nil, nil
	}
	if object[0] != '{' {
		return nil, fmt.Errorf("headers %s: it must be an object", excerpt(object))
	}
	return headersOf(object, func(value json.RawMessage) ([]*string, bool) {
		if isNull(value) {
			return []*string{nil}, true
		}
		text, ok := jsonString(value)
		return []*string{&text}, ok
	})
}

// headersOf reads an object of headers by token: a map would lose their order and all
// but one of the same name. read reads the values of a member.
func headersOf(object json.RawMessage, read func(json.RawMessage) ([]*string, bool)) (headers []kgo.RecordHeader, err error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.Token() // no call can fail: the line is valid
	for decoder.More() {
		name, _ := decoder.Token()
		var member json.RawMessage
		decoder.Decode(&member)
		values, ok := read(member)
		if !ok {
			return nil, fmt.Errorf("header %q %s: it must be a string or null", name, excerpt(member))
		}
		for _, value := range values {
			headers = append(headers, recordHeader(name.(string), value))
		}
	}
	return headers, nil
}

func recordHeader(name string, value *string) kgo.RecordHeader {
	if value == nil {
		return kgo.RecordHeader{Key: name}
	}
	return kgo.RecordHeader{Key: name, Value: []byte(*value)}
}

func isNull(value json.RawMessage) bool { return value == nil || string(value) == "null" }

func jsonString(value json.RawMessage) (text string, ok bool) {
	ok = len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &text) == nil
	return text, ok
}

// excerpt is the beginning of a JSON text, for an error.
func excerpt(text []byte) string {
	if len(text) > 40 {
		return string(bytes.ToValidUTF8(text[:40], nil)) + "..."
	}
	return string(text)
}
