package kafka

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

func zip(t *testing.T, text string) string {
	t.Helper()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write([]byte(text))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return zipped.String()
}

// sameMessages compares messages; no bytes and empty bytes differ. The place of
// a message shows only in errors.
var sameMessages = cmp.Options{
	cmp.FilterPath(func(path cmp.Path) bool { return path.Last().String() == ".place" }, cmp.Ignore()),
	cmp.Comparer(func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }),
	cmp.AllowUnexported(Message{}),
}

func readAll(source Source) (messages []Message, err error) {
	for {
		m, err := source.Next()
		if err == io.EOF {
			return messages, nil
		}
		if err != nil {
			return messages, err
		}
		messages = append(messages, m)
	}
}

func TestMessages(t *testing.T) {
	value := func(texts ...string) (messages []Message) {
		for _, text := range texts {
			messages = append(messages, Message{Value: []byte(text), Partition: AnyPartition})
		}
		return messages
	}
	one := func(m Message) []Message { return []Message{m} }
	long := `"` + strings.Repeat("x", 32<<20) + `"`
	tests := map[string]struct {
		file string
		want []Message
		err  string
	}{
		"values":                 {file: "{\"a\": 1}\n[1, 2]\n\"text\"\n1.50\nnull\ntrue\n", want: value(`{"a": 1}`, `[1, 2]`, `"text"`, `1.50`, `null`, `true`)},
		"empty file":             {file: ""},
		"last line without end":  {file: "1\n2", want: value("1", "2")},
		"CRLF":                   {file: "1\r\n2\r\n", want: value("1", "2")},
		"byte order mark":        {file: "\uFEFF{}\n", want: value("{}")},
		"empty lines and blanks": {file: "\n 1 \n\t\r\n2\n\n", want: value("1", "2")},
		"32 MB line":             {file: long + "\n1\n", want: value(long, "1")},
		"gzip":                   {file: zip(t, "\uFEFF1\r\n2"), want: value("1", "2")},
		"gzip in two parts":      {file: zip(t, "1\n") + zip(t, "2\n"), want: value("1", "2")},

		"long form, object":        {file: `{"value": {"a": 1}}`, want: value(`{"a": 1}`)},
		"long form, text":          {file: `{"value":"{\"a\":1}"}`, want: value(`{"a":1}`)},
		"long form, empty text":    {file: `{"value":""}`, want: value("")},
		"long form, tombstone":     {file: `{"value":null,"key":"k"}`, want: one(Message{Key: []byte("k"), Partition: AnyPartition})},
		"long form, all":           {file: `{"value":1,"key":"k","partition":3,"headers":{"b":"1","a":null,"b":""}}`, want: one(Message{Key: []byte("k"), Value: []byte("1"), Partition: 3, Headers: []kgo.RecordHeader{header("b", []byte("1")), header("a", nil), header("b", []byte{})}})},
		"long form, nulls":         {file: `{"value":1,"key":null,"partition":null,"headers":null}`, want: value("1")},
		"other key: plain":         {file: `{"value":1,"name":2}`, want: value(`{"value":1,"name":2}`)},
		"no value: plain":          {file: `{"key":"k"}`, want: value(`{"key":"k"}`)},
		"other case: plain":        {file: `{"Value":1}`, want: value(`{"Value":1}`)},
		"empty object: plain":      {file: `{}`, want: value(`{}`)},
		"message key, empty text":  {file: `{"value":1,"key":""}`, want: one(Message{Key: []byte{}, Value: []byte("1"), Partition: AnyPartition})},
		"no JSON":                  {file: "1\n\n{a}\n", want: value("1"), err: "f:3: column 2: no JSON value: invalid character 'a' looking for beginning of object key string"},
		"line breaks off":          {file: `{"a":`, err: "f:1: column 5: no JSON value: unexpected end of JSON input"},
		"two values":               {file: "1 2\n", err: "f:1: column 3: no JSON value: invalid character '2' after top-level value"},
		"key is no string":         {file: `{"value":1,"key":2}`, err: "f:1: key 2: it must be a string or null"},
		"partition negative":       {file: `{"value":1,"partition":-1}`, err: "f:1: partition -1: it must be an integer from 0"},
		"partition broken":         {file: `{"value":1,"partition":1.5}`, err: "f:1: partition 1.5: it must be an integer from 0"},
		"partition is no number":   {file: `{"value":1,"partition":"1"}`, err: `f:1: partition "1": it must be an integer from 0`},
		"headers are no object":    {file: `{"value":1,"headers":["a","b"]}`, err: `f:1: headers ["a","b"]: it must be an object`},
		"header is no string":      {file: `{"value":1,"headers":{"a":{"b":"` + strings.Repeat("c", 99) + `"}}}`, err: `f:1: header "a" {"b":"cccccccccccccccccccccccccccccccccc...: it must be a string or null`},
		"line too long":            {file: "1\n" + strings.Repeat("x", 64<<20+1), want: value("1"), err: "f:2: the line is longer than 64 MiB"},
		"gzip breaks off":          {file: zip(t, "1\n2\n3\n")[:16], want: value("1", "2"), err: "f:3: unexpected EOF"},
		"gzip without its header":  {file: "\x1f\x8b", err: "f: unexpected EOF"},
		"gzip checksum":            {file: strings.TrimSuffix(zip(t, "1\n2"), "\x03\x00\x00\x00") + "\x04\x00\x00\x00", want: value("1"), err: "f:2: gzip: invalid checksum"},
		"UTF-16":                   {file: "\xff\xfe1\x00", err: "f:1: column 1: no JSON value: invalid character 'ÿ' looking for beginning of value"},
		"gzip of gzip is not read": {file: zip(t, zip(t, "1")), err: `f:1: column 1: no JSON value: invalid character '\x1f' looking for beginning of value`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			source, err := NewMessages("f", strings.NewReader(test.file), Format{})
			var got []Message
			if err == nil {
				got, err = readAll(source)
			}
			checkError(t, err, test.err)
			if diff := cmp.Diff(test.want, got, sameMessages); diff != "" {
				t.Errorf("%.2000s", diff)
			}
		})
	}
}

func TestOpenMessages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "messages.jsonl")
	_, err := OpenMessages(path, Format{})
	checkError(t, err, "open "+path+": no such file or directory")
	if err := os.WriteFile(path, []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	source, err := OpenMessages(path, Format{})
	if err != nil {
		t.Fatal(err)
	}
	if messages, err := readAll(source); len(messages) != 1 || err != nil {
		t.Errorf("%d messages, error %v", len(messages), err)
	}
	if err := source.Close(); err != nil {
		t.Error(err)
	}
}

func TestMessagesReadError(t *testing.T) {
	source, err := NewMessages("f", io.MultiReader(strings.NewReader("1\n"), iotest.ErrReader(errors.New("input/output error"))), Format{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = readAll(source)
	checkError(t, err, "f:2: input/output error")
}

func TestEventMessage(t *testing.T) {
	message := func(key, value []byte) Message { return Message{Key: key, Value: value, Partition: AnyPartition} }
	tests := map[string]struct {
		event string
		want  Message
		err   string
	}{
		"double-encoded":     {event: `[{"id":"1","data":{"partition":7,"key":"k","value":"{\"a\":1}"}},{"data":{"value":"2"}}]`, want: message([]byte("k"), []byte(`{"a":1}`))},
		"no key":             {event: `[{"data":{"value":"x"}}]`, want: message(nil, []byte("x"))},
		"Json format":        {event: `[{"data":{"value":{"a": 1}}}]`, want: message(nil, []byte(`{"a": 1}`))},
		"tombstone":          {event: `[{"data":{"key":"k","value":null}}]`, want: message([]byte("k"), nil)},
		"event as a string":  {event: `["{\"data\":{\"value\":\"x\"}}"]`, want: message(nil, []byte("x"))},
		"RawData":            {event: `[{"topic":"t","key":"k","value":"x"}]`, want: message([]byte("k"), []byte("x"))},
		"no JSON":            {event: `[`, err: "event.json: it must be a JSON array of events: unexpected end of JSON input"},
		"one event":          {event: `{}`, err: "event.json: it must be a JSON array of events: json: cannot unmarshal object into Go value of type []json.RawMessage"},
		"no event":           {event: `[]`, err: "event.json: the array has no event to make messages of"},
		"null":               {event: `null`, err: "event.json: the array has no event to make messages of"},
		"a number":           {event: `[1]`, err: "event.json: the first event is no object: json: cannot unmarshal number into Go value of type ..."},
		"no value":           {event: `[{"data":{"key":"k"}}]`, err: "event.json: the first event has no data.value"},
		"key is no string":   {event: `[{"data":{"key":1,"value":"x"}}]`, err: "event.json: the first event's key 1: it must be a string or null"},
		"string, no object":  {event: `["x"]`, err: "event.json: the first event is no object: invalid character 'x' looking for beginning of value"},
		"data is no object":  {event: `[{"data":1}]`, err: "event.json: the first event is no object: ..."},
		"empty text as well": {event: `[{"data":{"value":""}}]`, want: message(nil, []byte{})},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := EventMessage("event.json", []byte(test.event))
			checkError(t, err, test.err)
			if test.err != "" {
				return
			}
			if diff := cmp.Diff(test.want, got, sameMessages); diff != "" {
				t.Error(diff)
			}
			repeated, err := readAll(Repeat(func() Message { return got }, 3))
			if diff := cmp.Diff([]Message{got, got, got}, repeated, sameMessages); diff != "" || err != nil {
				t.Errorf("error %v, %s", err, diff)
			}
		})
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte("{\"value\":1,\"headers\":{\"a\":\"b\"}}\r\n\"x\"\n"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, file []byte) {
		source, err := NewMessages("f", bytes.NewReader(file), Format{})
		if err != nil {
			return
		}
		messages, _ := readAll(source)
		for _, m := range messages {
			if m.Partition < AnyPartition {
				t.Errorf("partition %d", m.Partition)
			}
		}
	})
}
