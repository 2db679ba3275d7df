// Package eventbridge makes the events of an event stream from Kafka records, and
// matches them against an event pattern, as EventBridge does.
package eventbridge

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// A Record is a Kafka record.
type Record struct {
	Partition int32
	Offset    int64
	Timestamp time.Time
	Headers   []Header
	Key       []byte // nil: none
	Value     []byte // nil: a tombstone
}

// A Header is one of a record's.
type Header struct {
	Key   string
	Value []byte // nil: none
}

// Options say what the events of a trigger are.
type Options struct {
	InstanceID             string // of Kafka, for the subject
	Topic                  string // that the events tell, whatever the records' own is called
	AccountID              string // "" while it is not known
	EventSchema            string // CloudEvents or RawData
	EventRuleFilterPattern string // an event pattern, a JSON object

	// JSONValues has values, which must be JSON, stand in the events as they are, as
	// with the stream's data format Json (documented); else they are text.
	JSONValues bool

	// StringElements makes each event a JSON string that holds the object, as until
	// February 2023 (captured).
	StringElements bool
}

// A Converter makes events from records. It may be used by many goroutines.
//
// The attributes, their order and the form of time and subject are as captured.
// Inferred, where no capture tells: the stream's data format is Text unless
// Options say otherwise, so a value is the record's text; bytes that are not UTF-8 become U+FFFD, as in a
// Java String; the value of a tombstone is null; time is the timestamp also where
// that is Kafka's -1, for none; a header is an object with key
// and value, the value an array of signed bytes as of a Java byte[], or null.
type Converter struct {
	rawData        bool
	jsonValues     bool
	stringElements bool
	pattern        *pattern // nil: all pass

	subject   string
	accountID string
	topic     string

	// The JSON text of an event between what differs.
	beforeID, beforeTime, beforeData, afterData string
	beforePartition                             string
}

// NewConverter returns the Converter of a trigger. An EventRuleFilterPattern that is
// wrong, or that cannot be honoured here, is an error, and so is an unknown
// EventSchema.
func NewConverter(options Options) (*Converter, error) {
	// Instance IDs of ApsaraMQ begin with alikafka_ themselves as a rule; the documented
	// subject has it once.
	subject := "acs:alikafka_" + strings.TrimPrefix(options.InstanceID, "alikafka_") + ":topic:" + options.Topic
	quote := func(text string) string { return string(appendString(nil, []byte(text))) }
	e := &Converter{
		subject:   subject,
		accountID: options.AccountID,
		topic:     options.Topic,

		jsonValues:     options.JSONValues,
		stringElements: options.StringElements,

		beforeID: `{"specversion":"1.0","id":"`,
		beforeTime: `","source":"acs:alikafka","type":"alikafka:Topic:Message","subject":` + quote(subject) +
			`,"datacontenttype":"application/json; charset=utf-8","time":"`,
		beforeData:      `","aliyunaccountid":` + quote(options.AccountID) + `,"data":`,
		afterData:       `}`,
		beforePartition: `{"topic":` + quote(options.Topic) + `,"partition":`,
	}
	switch options.EventSchema {
	case "CloudEvents":
	case "RawData":
		e.rawData = true
	default:
		return nil, fmt.Errorf("eventSchema %q: it must be CloudEvents or RawData", options.EventSchema)
	}
	var err error
	if e.pattern, err = parsePattern(options.EventRuleFilterPattern); err != nil {
		return nil, fmt.Errorf("eventRuleFilterPattern: %w", err)
	}
	return e, nil
}

// Passes tells if eventRuleFilterPattern lets the record's event pass. The pattern
// is held against the CloudEvent also with eventSchema RawData (inferred).
func (e *Converter) Passes(record *Record) bool {
	return e.pattern == nil || e.pattern.matches(e, record)
}

// Append appends the record's event, an object of JSON, to dst: a CloudEvent,
// or with eventSchema RawData the object that would be its data.
func (e *Converter) Append(dst []byte, record *Record) []byte {
	if e.stringElements {
		return appendString(dst, e.appendObject(nil, record))
	}
	return e.appendObject(dst, record)
}

func (e *Converter) appendObject(dst []byte, record *Record) []byte {
	if e.rawData {
		return e.appendData(dst, record)
	}
	dst = append(dst, e.beforeID...)
	dst = e.appendID(dst, record)
	dst = append(dst, e.beforeTime...)
	dst = appendTime(dst, record)
	dst = append(dst, e.beforeData...)
	dst = e.appendData(dst, record)
	return append(dst, e.afterData...)
}

func (e *Converter) appendData(dst []byte, record *Record) []byte {
	dst = append(dst, e.beforePartition...)
	dst = strconv.AppendInt(dst, int64(record.Partition), 10)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendInt(dst, record.Offset, 10)
	dst = append(dst, `,"timestamp":`...)
	dst = strconv.AppendInt(dst, record.Timestamp.UnixMilli(), 10)
	dst = append(dst, `,"headers":{"headers":[`...)
	for i, header := range record.Headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"key":`...)
		dst = appendString(dst, []byte(header.Key))
		dst = append(dst, `,"value":`...)
		dst = appendBytes(dst, header.Value)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"isReadOnly":false}`...)
	if record.Key != nil {
		dst = append(dst, `,"key":`...)
		dst = appendString(dst, record.Key)
	}
	dst = append(dst, `,"value":`...)
	switch {
	case record.Value == nil:
		dst = append(dst, "null"...)
	case e.jsonValues:
		dst = append(dst, javaText(record.Value)...)
	default:
		dst = appendString(dst, record.Value)
	}
	return append(dst, '}')
}

// uuidNamespace is the name space of URLs (RFC 9562).
const uuidNamespace = "\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8"

// appendID appends a UUID of version 5, made of subject, partition and offset:
// a record that is delivered again keeps its id (inferred: EventBridge makes a
// UUID, and nothing tells of what).
func (e *Converter) appendID(dst []byte, record *Record) []byte {
	var array [256]byte
	name := append(array[:0], uuidNamespace...)
	name = append(name, e.subject...)
	name = append(name, ':')
	name = strconv.AppendInt(name, int64(record.Partition), 10)
	name = append(name, ':')
	name = strconv.AppendInt(name, record.Offset, 10)
	sum := sha1.Sum(name)
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	dst = hex.AppendEncode(dst, sum[:4])
	for _, group := range [][]byte{sum[4:6], sum[6:8], sum[8:10], sum[10:16]} {
		dst = append(dst, '-')
		dst = hex.AppendEncode(dst, group)
	}
	return dst
}

func appendTime(dst []byte, record *Record) []byte {
	return record.Timestamp.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

func appendBytes(dst, value []byte) []byte {
	if value == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, b := range value {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(int8(b)), 10)
	}
	return append(dst, ']')
}

// javaText is the text that a Java String holds after it was decoded from the
// bytes: what is not UTF-8 is U+FFFD, one for each sequence that breaks off.
func javaText(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	decoded, _ := unicode.UTF8.NewDecoder().Bytes(oneForSurrogate(text)) // replaces, never fails
	return decoded
}

// oneForSurrogate puts one U+FFFD for each surrogate that is coded like other
// characters, in three bytes or in the first two of them: so does Java, where other
// decoders put one for each byte.
func oneForSurrogate(text []byte) []byte {
	var replaced []byte
	start := 0
	for i := 0; i+1 < len(text); i++ {
		if text[i] != 0xed || text[i+1] < 0xa0 || text[i+1] > 0xbf {
			continue
		}
		replaced = append(append(replaced, text[start:i]...), "\uFFFD"...)
		if i++; i+1 < len(text) && text[i+1]&0xc0 == 0x80 {
			i++
		}
		start = i + 1
	}
	return append(replaced, text[start:]...)
}

// escapes holds what a character of a JSON string is escaped with; 'u' stands
// for its number, 0 for none.
var escapes = func() (table [256]byte) {
	for c := range 0x20 {
		table[c] = 'u'
	}
	table['"'], table['\\'] = '"', '\\'
	table['\b'], table['\f'], table['\n'], table['\r'], table['\t'] = 'b', 'f', 'n', 'r', 't'
	return table
}()

// appendString appends text as a JSON string. Escaped is only what must be.
func appendString(dst, text []byte) []byte {
	text = javaText(text)
	dst = append(dst, '"')
	start := 0
	for i, c := range text {
		escape := escapes[c]
		if escape == 0 {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		if escape == 'u' {
			dst = append(dst, `\u00`...)
			dst = hex.AppendEncode(dst, []byte{c})
		} else {
			dst = append(dst, '\\', escape)
		}
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}
