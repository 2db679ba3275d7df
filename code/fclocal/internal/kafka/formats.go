package kafka

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A Format says how the lines of a file of messages are read. The zero Format is
// auto.
//
//	auto     a JSON value, or an object with a message's fields; see [Messages].
//	         Or all lines are as kcat -J writes them, which their keys tell.
//	text     a line is a message's value, whatever it is
//	object   a JSON object with value, and maybe key, headers, partition and
//	         timestamp; nothing else
//	kcat     the JSON object that kcat -J writes
//	console  what kafka-console-consumer writes: the value, with console:FIELD,...
//	         behind these fields and tabs
//
// With text and console an empty line is an empty value; else it is skipped. From
// kcat come key, payload, headers, partition and ts; the rest says where the message
// was. From console a key or value that is null is none: the consumer writes the same
// for that text.
type Format struct {
	name   string
	fields []string // of console
}

// formatNames are the formats, auto first.
var formatNames = []string{"auto", "text", "object", "kcat", "console"}

// consoleFields are what kafka-console-consumer can write before the value.
var consoleFields = []string{"timestamp", "partition", "offset", "headers", "key"}

// FormatNames are formats for completion.
func FormatNames() []string { return append(slices.Clone(formatNames), "console:key") }

// Set reads a format's name, as a flag does.
func (f *Format) Set(text string) error {
	name, list, listed := strings.Cut(text, ":")
	if !slices.Contains(formatNames, name) || listed && name != "console" {
		return errors.New("it must be auto, text, object, kcat, or console, which may name fields: console:headers,key")
	}
	read := Format{name: name}
	if listed {
		read.fields = strings.Split(list, ",")
	}
	for i, field := range read.fields {
		if !slices.Contains(consoleFields, field) {
			return fmt.Errorf("field %q: those before the value can be %s", field, strings.Join(consoleFields, ", "))
		}
		if slices.Contains(read.fields[:i], field) {
			return fmt.Errorf("field %q is there twice", field)
		}
	}
	*f = read
	return nil
}

// String is the format's name.
func (f *Format) String() string {
	if f.auto() {
		return formatNames[0]
	}
	if f.fields == nil {
		return f.name
	}
	return f.name + ":" + strings.Join(f.fields, ",")
}

// Type is what help calls the value.
func (f *Format) Type() string { return "FORMAT" }

// auto says whether the lines tell the format.
func (f Format) auto() bool { return f.name == "" || f.name == "auto" }

// lines says whether a line is taken as it stands, also when it is empty.
func (f Format) lines() bool { return f.name == "text" || f.name == "console" }

// parse reads a line. kcat is for auto: whether the line is as kcat -J writes it.
func (f Format) parse(line []byte) (message Message, kcat bool, err error) {
	switch f.name {
	case "text":
		return Message{Value: slices.Clone(line), Partition: AnyPartition}, false, nil
	case "console":
		message, err = f.parseConsole(line)
		return message, false, err
	}
	if !json.Valid(line) {
		err := json.Unmarshal(line, new(json.RawMessage))
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			err = fmt.Errorf("column %d: no JSON value: %w", syntax.Offset, err)
		}
		return Message{}, false, err
	}
	members := map[string]json.RawMessage{}
	if line[0] == '{' {
		json.Unmarshal(line, &members) // cannot fail: the line is a valid object
	}
	switch {
	case f.name == "kcat":
		message, err = parseKcat(line, members)
	case f.name == "object":
		message, err = parseObject(members)
	case isKcat(members):
		kcat = true
		message, err = parseKcat(line, members)
	case isMessage(members):
		message, err = longMessage(members)
	case members["value"] != nil && only(members, messageFields):
		err = errors.New("is this the message's value, or has it a timestamp? --messages-format text takes the line as the value, and object as a message")
	default:
		message = Message{Value: slices.Clone(line), Partition: AnyPartition}
	}
	return message, kcat, err
}

// messageFields are those of an object.
var messageFields = []string{"value", "key", "headers", "partition", "timestamp"}

// only says whether all members have one of the names.
func only(members map[string]json.RawMessage, names []string) bool {
	for name := range members {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}

func parseObject(members map[string]json.RawMessage) (Message, error) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(messageFields, name) {
			return Message{}, fmt.Errorf("unknown field %q: a message has %s", cut(name), strings.Join(messageFields, ", "))
		}
	}
	if members["value"] == nil {
		return Message{}, errors.New("a message needs an object with a value; null is one")
	}
	return longMessage(members)
}

// What kcat -J always writes, and what it writes sometimes.
var (
	kcatFields = []string{"topic", "partition", "offset", "key", "payload"}
	kcatExtras = []string{"tstype", "ts", "broker", "headers", "key_schema_id", "value_schema_id", "key_error", "payload_error"}
)

func isKcat(members map[string]json.RawMessage) bool {
	for _, name := range kcatFields {
		if members[name] == nil {
			return false
		}
	}
	return only(members, append(slices.Clone(kcatFields), kcatExtras...))
}

// parseKcat reads an object of kcat -J (its json.c).
func parseKcat(line []byte, members map[string]json.RawMessage) (Message, error) {
	if !isKcat(members) {
		return Message{}, fmt.Errorf("kcat -J writes an object with %s", strings.Join(kcatFields, ", "))
	}
	if !utf8.Valid(line) {
		return Message{}, errors.New("the line is not UTF-8: kcat -J has no way to write a binary key, value or header")
	}
	for _, name := range []string{"key_error", "payload_error"} {
		if text, failed := jsonString(members[name]); failed {
			return Message{}, fmt.Errorf("kcat could not read the message: %s %q", name, cut(text))
		}
	}
	headers, err := kcatHeaders(members["headers"])
	if err != nil {
		return Message{}, err
	}
	message := Message{Key: messageValue(members["key"]), Value: messageValue(members["payload"]), Headers: headers}
	if message.Partition, err = partitionOf(members["partition"]); err != nil {
		return Message{}, err
	}
	if timestampType, _ := jsonString(members["tstype"]); timestampType == "create" || timestampType == "logappend" {
		message.Timestamp, err = ParseTimestamp(string(members["ts"]))
	}
	return message, err
}

// kcatHeaders are a list of names and values by turns, or an object of lists.
func kcatHeaders(headers json.RawMessage) (read []kgo.RecordHeader, err error) {
	var list []*string
	switch {
	case isNull(headers):
		return nil, nil
	case headers[0] == '{':
		return headersOf(headers, func(value json.RawMessage) (values []*string, ok bool) {
			return values, value[0] == '[' && json.Unmarshal(value, &values) == nil
		})
	case json.Unmarshal(headers, &list) != nil || len(list)%2 != 0:
		return nil, fmt.Errorf("headers %s: names and values by turns are wanted", excerpt(headers))
	}
	for pair := range slices.Chunk(list, 2) {
		if pair[0] == nil {
			return nil, fmt.Errorf("headers %s: a name is null", excerpt(headers))
		}
		read = append(read, recordHeader(*pair[0], pair[1]))
	}
	return read, nil
}

// parseConsole reads a line of kafka-console-consumer.
func (f Format) parseConsole(line []byte) (Message, error) {
	parts := bytes.SplitN(line, []byte("\t"), len(f.fields)+1)
	if len(parts) <= len(f.fields) {
		return Message{}, fmt.Errorf("%s and the value, with tabs between them, are wanted: there are %d tabs", strings.Join(f.fields, ", "), len(parts)-1)
	}
	message := Message{Partition: AnyPartition, Value: literal(parts[len(f.fields)])}
	for i, field := range f.fields {
		var err error
		text := string(parts[i])
		switch field {
		case "key":
			message.Key = literal(parts[i])
		case "headers":
			message.Headers, err = consoleHeaders(text)
		case "partition":
			number, found := strings.CutPrefix(text, "Partition:")
			if message.Partition, err = partitionOf([]byte(number)); err == nil && !found {
				err = fmt.Errorf("%q: Partition:NUMBER is wanted", cut(text))
			}
		case "offset":
			if number, found := strings.CutPrefix(text, "Offset:"); !found || strings.Trim(number, "0123456789") != "" {
				err = fmt.Errorf("%q: Offset:NUMBER is wanted", cut(text))
			}
		case "timestamp":
			kind, number, found := strings.Cut(text, ":")
			switch {
			case text == "NO_TIMESTAMP":
			case !found || kind != "CreateTime" && kind != "LogAppendTime":
				err = fmt.Errorf("%q: CreateTime:, LogAppendTime: or NO_TIMESTAMP is wanted", cut(text))
			default:
				message.Timestamp, err = ParseTimestamp(number)
			}
		}
		if err != nil {
			return Message{}, err
		}
	}
	return message, nil
}

// literal is nil for what the consumer writes for none.
func literal(text []byte) []byte {
	if string(text) == "null" {
		return nil
	}
	return append([]byte{}, text...)
}

func consoleHeaders(text string) (headers []kgo.RecordHeader, err error) {
	if text == "NO_HEADERS" {
		return nil, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, found := strings.Cut(pair, ":")
		if !found {
			return nil, fmt.Errorf("header %q: NAME:VALUE is wanted, with commas between headers and none in a value", cut(pair))
		}
		headers = append(headers, kgo.RecordHeader{Key: name, Value: literal([]byte(value))})
	}
	return headers, nil
}

// latestTimestamp in milliseconds is the end of the year 9999, which RFC 3339 can tell.
const latestTimestamp = 253402300799999

// ParseTimestamp reads a message's time: milliseconds since 1970, as Kafka has it, or
// RFC 3339. It is cut to milliseconds.
func ParseTimestamp(text string) (time.Time, error) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms >= 0 && ms <= latestTimestamp {
		return time.UnixMilli(ms), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if ms := at.UnixMilli(); err != nil || ms < 0 || ms > latestTimestamp {
		return time.Time{}, fmt.Errorf("timestamp %q: it must be in milliseconds since 1970, or as 2022-06-23T02:49:51.589Z", cut(text))
	}
	return at.Truncate(time.Millisecond), nil
}

// cut is the beginning of a text, for an error.
func cut(text string) string { return excerpt([]byte(text)) }
