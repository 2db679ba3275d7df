package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A line of kcat -J, with what kcat 1.7 writes.
const kcatLine = `{"topic":"orders","partition":3,"offset":41,"tstype":"create","ts":1655952591589,"broker":1,"headers":["trace","a","none",null,"trace","b"],"key":"k","payload":"{\"a\":1}"}`

func TestFormats(t *testing.T) {
	at := time.UnixMilli(1655952591589)
	headers := func(pairs ...string) (headers []kgo.RecordHeader) {
		for i := 0; i < len(pairs); i += 2 {
			h := kgo.RecordHeader{Key: pairs[i]}
			if pairs[i+1] != "none" {
				h.Value = []byte(pairs[i+1])
			}
			headers = append(headers, h)
		}
		return headers
	}
	value := func(texts ...string) (messages []Message) {
		for _, text := range texts {
			messages = append(messages, Message{Value: []byte(text), Partition: AnyPartition})
		}
		return messages
	}
	one := func(m Message) []Message { return []Message{m} }
	fromKcat := Message{Key: []byte("k"), Value: []byte(`{"a":1}`), Partition: 3, Timestamp: at, Headers: headers("trace", "a", "none", "none", "trace", "b")}
	replace := func(old, new string) string {
		if !strings.Contains(kcatLine, old) {
			t.Fatalf("there is no %s", old)
		}
		return strings.Replace(kcatLine, old, new, 1)
	}
	tests := map[string]struct {
		format string
		file   string
		want   []Message
		err    string
	}{
		"auto finds kcat":               {"auto", kcatLine + "\n\n" + kcatLine + "\n", []Message{fromKcat, fromKcat}, ""},
		"auto, kcat without a broker":   {"auto", replace(`"broker":1,`, ""), one(fromKcat), ""},
		"auto, a key that kcat has not": {"auto", replace(`"broker"`, `"brokers"`), value(replace(`"broker"`, `"brokers"`)), ""},
		"auto, no payload":              {"auto", replace(`,"payload":"{\"a\":1}"`, ""), value(replace(`,"payload":"{\"a\":1}"`, "")), ""},
		"auto, kcat after another": {"auto", "{}\n" + kcatLine, value("{}"),
			"f:2: either this line or those before it are as kcat -J writes them: --messages-format kcat, object or text says how to read them all"},
		"auto, another after kcat": {"auto", kcatLine + "\n{}\n", one(fromKcat),
			"f:2: either this line or those before it are as kcat -J writes them: --messages-format kcat, object or text says how to read them all"},
		"auto, value and timestamp": {"auto", `{"value":12.5,"timestamp":1655952591589}`, nil,
			"f:1: is this the message's value, or has it a timestamp? --messages-format text takes the line as the value, and object as a message"},
		"auto, value, timestamp and more": {"auto", `{"value":12.5,"timestamp":1,"unit":"C"}`, value(`{"value":12.5,"timestamp":1,"unit":"C"}`), ""},

		"text":              {"text", "not JSON \r\n\n" + kcatLine, value("not JSON ", "", kcatLine), ""},
		"text, value's own": {"text", `{"value":12.5,"timestamp":1}`, value(`{"value":12.5,"timestamp":1}`), ""},

		"object":                {"object", `{"value":"v","key":"k","headers":{"h":"x"},"partition":3,"timestamp":1655952591589}`, one(Message{Key: []byte("k"), Value: []byte("v"), Partition: 3, Timestamp: at, Headers: headers("h", "x")}), ""},
		"object, RFC 3339":      {"object", `{"value":null,"timestamp":"2022-06-23T10:49:51.589+08:00"}`, one(Message{Partition: AnyPartition, Timestamp: at}), ""},
		"object, no timestamp":  {"object", `{"value":"v","timestamp":null}`, value("v"), ""},
		"object, no value":      {"object", `{"key":"k"}`, nil, "f:1: a message needs an object with a value; null is one"},
		"object, no object":     {"object", `[1]`, nil, "f:1: a message needs an object with a value; null is one"},
		"object, unknown":       {"object", `{"value":1,"topic":"t"}`, nil, `f:1: unknown field "topic": a message has value, key, headers, partition, timestamp`},
		"object, bad timestamp": {"object", `{"value":1,"timestamp":"now"}`, nil, `f:1: timestamp "now": it must be in milliseconds since 1970, or as 2022-06-23T02:49:51.589Z`},
		"object, before 1970":   {"object", `{"value":1,"timestamp":-1}`, nil, `f:1: timestamp "-1": it must be in milliseconds since 1970, or as 2022-06-23T02:49:51.589Z`},
		"object, a list":        {"object", `{"value":1,"timestamp":[]}`, nil, `f:1: timestamp "[]": it must be in milliseconds since 1970, or as 2022-06-23T02:49:51.589Z`},

		"kcat, tombstone":              {"kcat", replace(`"{\"a\":1}"`, "null"), one(Message{Key: []byte("k"), Partition: 3, Timestamp: at, Headers: fromKcat.Headers}), ""},
		"kcat, no key":                 {"kcat", replace(`"key":"k"`, `"key":null`), one(Message{Value: []byte(`{"a":1}`), Partition: 3, Timestamp: at, Headers: fromKcat.Headers}), ""},
		"kcat, Avro":                   {"kcat", replace(`"payload":"{\"a\":1}"`, `"payload":{"a": 1},"value_schema_id":7`), one(Message{Key: []byte("k"), Value: []byte(`{"a": 1}`), Partition: 3, Timestamp: at, Headers: fromKcat.Headers}), ""},
		"kcat, headers as an object":   {"kcat", replace(`["trace","a","none",null,"trace","b"]`, `{"trace":["a","b"],"none":[null]}`), one(Message{Key: []byte("k"), Value: []byte(`{"a":1}`), Partition: 3, Timestamp: at, Headers: headers("trace", "a", "trace", "b", "none", "none")}), ""},
		"kcat, no timestamp":           {"kcat", replace(`"tstype":"create","ts":1655952591589,`, ""), one(Message{Key: []byte("k"), Value: []byte(`{"a":1}`), Partition: 3, Headers: fromKcat.Headers}), ""},
		"kcat, unknown timestamp":      {"kcat", replace(`"create","ts":1655952591589`, `"unknown","ts":0`), one(Message{Key: []byte("k"), Value: []byte(`{"a":1}`), Partition: 3, Headers: fromKcat.Headers}), ""},
		"kcat, odd headers":            {"kcat", replace(`,"trace","b"]`, `,"b"]`), nil, `f:1: headers ["trace","a","none",null,"b"]: names and values by turns are wanted`},
		"kcat, a name that is null":    {"kcat", replace(`["trace","a",`, `[null,"a",`), nil, `f:1: headers [null,"a","none",null,"trace","b"]: a name is null`},
		"kcat, another object":         {"kcat", `{"value":1}`, nil, "f:1: kcat -J writes an object with topic, partition, offset, key, payload"},
		"kcat, binary":                 {"kcat", replace(`"key":"k"`, "\"key\":\"\xff\""), nil, "f:1: the line is not UTF-8: kcat -J has no way to write a binary key, value or header"},
		"kcat, Avro that is none":      {"kcat", replace(`"payload":"{\"a\":1}"`, `"payload":null,"payload_error":"no magic"`), nil, `f:1: kcat could not read the message: payload_error "no magic"`},
		"kcat, partition is no number": {"kcat", replace(`"partition":3`, `"partition":null`), nil, "f:1: partition null: it must be an integer from 0"},

		// What the consumers of Kafka 3.6 and 4.4 write.
		"console": {"console", "{\"a\":1}\nplain\ttext\n\nnull\n", append(value("{\"a\":1}", "plain\ttext", ""), Message{Partition: AnyPartition}), ""},
		"console, all fields": {"console:timestamp,partition,offset,headers,key",
			"CreateTime:1655952591589\tPartition:0\tOffset:0\th:v,n:null\tk1\t{\"a\":1}\n" +
				"LogAppendTime:1655952591589\tPartition:0\tOffset:1\tNO_HEADERS\tk2\tnull\n" +
				"NO_TIMESTAMP\tPartition:1\tOffset:2\tNO_HEADERS\tnull\tplain\ttext\n",
			[]Message{
				{Key: []byte("k1"), Value: []byte(`{"a":1}`), Timestamp: at, Headers: headers("h", "v", "n", "none")},
				{Key: []byte("k2"), Timestamp: at},
				{Value: []byte("plain\ttext"), Partition: 1},
			}, ""},
		"console, no tab":       {"console:offset,key", "Offset:1\tvalue\n", nil, "f:1: offset, key and the value, with tabs between them, are wanted: there are 1 tabs"},
		"console, other field":  {"console:partition", "Offset:1\tvalue\n", nil, "f:1: partition Offset:1: it must be an integer from 0"},
		"console, bare number":  {"console:partition", "1\tvalue\n", nil, `f:1: "1": Partition:NUMBER is wanted`},
		"console, no offset":    {"console:offset", "Offset:x\tvalue\n", nil, `f:1: "Offset:x": Offset:NUMBER is wanted`},
		"console, no timestamp": {"console:timestamp", "Time:1\tvalue\n", nil, `f:1: "Time:1": CreateTime:, LogAppendTime: or NO_TIMESTAMP is wanted`},
		"console, header":       {"console:headers", "a:b,c\tvalue\n", nil, `f:1: header "c": NAME:VALUE is wanted, with commas between headers and none in a value`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var format Format
			if err := format.Set(test.format); err != nil {
				t.Fatal(err)
			}
			if format.String() != test.format {
				t.Errorf("the format %s calls itself %s", test.format, &format)
			}
			source, err := NewMessages("f", strings.NewReader(test.file), format)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(source)
			checkError(t, err, test.err)
			if diff := cmp.Diff(test.want, got, sameMessages); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormatSet(t *testing.T) {
	for text, want := range map[string]string{
		"json":              "it must be auto, text, object, kcat, or console, which may name fields: console:headers,key",
		"text:key":          "it must be auto, text, object, kcat, or console, which may name fields: console:headers,key",
		"console:":          `field "": those before the value can be timestamp, partition, offset, headers, key`,
		"console:key,value": `field "value": those before the value can be timestamp, partition, offset, headers, key`,
		"console:key,key":   `field "key" is there twice`,
	} {
		checkError(t, new(Format).Set(text), want)
	}
}

func FuzzFormats(f *testing.F) {
	f.Add(uint8(3), []byte(kcatLine))
	f.Add(uint8(4), []byte("CreateTime:1\tNO_HEADERS\tk\tv"))
	f.Fuzz(func(t *testing.T, i uint8, file []byte) {
		var format Format
		names := []string{"auto", "text", "object", "kcat", "console:timestamp,partition,offset,headers,key", "console"}
		if err := format.Set(names[int(i)%len(names)]); err != nil {
			t.Fatal(err)
		}
		source, err := NewMessages("f", strings.NewReader(string(file)), format)
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
