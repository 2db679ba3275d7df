package eventbridge

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fclocal/internal/kafka"
)

var testTime = time.UnixMilli(1655952591589)

func testOptions(schema, pattern string) Options {
	return Options{
		InstanceID: "pre-cn-i7m2t7t1****", Topic: "mytopic", AccountID: "164901546557****",
		EventSchema: schema, EventRuleFilterPattern: pattern,
	}
}

func newConverter(t testing.TB, schema, pattern string) *Converter {
	t.Helper()
	c, err := NewConverter(testOptions(schema, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func checkError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

func header(key string, value []byte) Header {
	return Header{Key: key, Value: value}
}

func TestAppend(t *testing.T) {
	const before = `{"specversion":"1.0","id":"0f2f2501-d3e9-5747-94c2-1afaec632080","source":"acs:alikafka",` +
		`"type":"alikafka:Topic:Message","subject":"acs:alikafka_pre-cn-i7m2t7t1****:topic:mytopic",` +
		`"datacontenttype":"application/json; charset=utf-8","time":"2022-06-23T02:49:51.589Z",` +
		`"aliyunaccountid":"164901546557****","data":`
	const place = `{"topic":"mytopic","partition":7,"offset":25,"timestamp":1655952591589,"headers":{"headers":[`
	tests := map[string]struct {
		key, value []byte
		headers    []Header
		data       string
	}{
		"with key":    {[]byte("keytest"), []byte(`{"name":"shaouai"}`), nil, `],"isReadOnly":false},"key":"keytest","value":"{\"name\":\"shaouai\"}"}`},
		"without key": {nil, []byte("x"), nil, `],"isReadOnly":false},"value":"x"}`},
		"empty key":   {[]byte{}, []byte{}, nil, `],"isReadOnly":false},"key":"","value":""}`},
		"tombstone":   {[]byte("k"), nil, nil, `],"isReadOnly":false},"key":"k","value":null}`},
		"controls":    {nil, []byte("\b\f\n\r\t\x00\x1f\x7f\\/<&>"), nil, `],"isReadOnly":false},"value":"\b\f\n\r\t\u0000\u001f` + "\x7f" + `\\/<&>"}`},
		"text":        {nil, []byte("é 日本 🙂 \u2028"), nil, `],"isReadOnly":false},"value":"é 日本 🙂 ` + "\u2028" + `"}`},
		"not UTF-8":   {[]byte("\xff"), []byte("a\xe2\x82b\xf0\x9f\x99c\xc0\x80"), nil, `],"isReadOnly":false},"key":"` + "\uFFFD" + `","value":"a` + "\uFFFD" + `b` + "\uFFFD" + `c` + "\uFFFD\uFFFD" + `"}`},
		// As OpenJDK 17 has it.
		"surrogates":     {[]byte("a\xed\xa0\xbd\xed\xb8\x80b"), []byte("\xed\xa0a\xed\xbf\xbf\xed\xe2\x82\xed\x9f\xbf\xed\xb0"), nil, `],"isReadOnly":false},"key":"a` + "\uFFFD\uFFFD" + `b","value":"` + "\uFFFDa\uFFFD\uFFFD\uFFFD\ud7ff\uFFFD" + `"}`},
		"headers":        {nil, []byte("x"), []Header{header("trace", []byte("a\xff\x80")), header(`q"`, nil), header("", []byte{})}, `{"key":"trace","value":[97,-1,-128]},{"key":"q\"","value":null},{"key":"","value":[]}],"isReadOnly":false},"value":"x"}`},
		"large is whole": {nil, bytes.Repeat([]byte("é"), 1<<20), nil, `],"isReadOnly":false},"value":"` + strings.Repeat("é", 1<<20) + `"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			record := &Record{
				Partition: 7, Offset: 25, Timestamp: testTime,
				Key: test.key, Value: test.value, Headers: test.headers,
			}
			data := place + test.data
			if got := string(newConverter(t, "RawData", "{}").Append([]byte("["), record)); got != "["+data {
				t.Errorf("RawData:\n%.999s\nwant:\n[%.999s", got, data)
			}
			got := newConverter(t, "CloudEvents", "{}").Append([]byte("["), record)
			if string(got) != "["+before+data+"}" {
				t.Errorf("CloudEvents:\n%.999s\nwant:\n[%.999s}", got, before+data)
			}
			if !json.Valid(got[1:]) {
				t.Error("no JSON")
			}
		})
	}
}

// The project's event.json is a capture: an event made of its record has the
// same attributes in the same order, and the same values but for id and topic,
// which the capture has masked.
func TestAppendLikeCapture(t *testing.T) {
	capture, err := os.ReadFile("../../../../event.json")
	if err != nil {
		t.Fatal(err)
	}
	message, err := kafka.EventMessage("event.json", capture)
	if err != nil {
		t.Fatal(err)
	}
	record := &Record{Partition: 7, Offset: 25, Timestamp: testTime, Key: message.Key, Value: message.Value}
	event := newConverter(t, "CloudEvents", "{}").Append(nil, record)

	var compact bytes.Buffer
	json.Compact(&compact, capture)
	want := strings.TrimSuffix(strings.TrimPrefix(compact.String(), "["), "]")
	want = strings.Replace(want, `"topic":"xxtopic"`, `"topic":"mytopic"`, 1)
	masked := `"id":"8e215af8-ca18-4249-8645-f96c1026****"`
	if !strings.Contains(want, masked) {
		t.Fatalf("the capture has no %s", masked)
	}
	want = strings.Replace(want, masked, string(event[strings.Index(string(event), `"id"`):][:len(masked)]), 1)
	if diff := cmp.Diff(want, string(event)); diff != "" {
		t.Error(diff)
	}
}

func TestEventID(t *testing.T) {
	e := newConverter(t, "CloudEvents", "{}")
	seen := make(map[string]bool)
	for partition := range int32(10) {
		for offset := range int64(100) {
			id := string(e.appendID(nil, &Record{Partition: partition, Offset: offset}))
			if again := string(e.appendID(nil, &Record{Partition: partition, Offset: offset, Value: []byte("x")})); again != id {
				t.Fatalf("delivered again the id is %s, not %s", again, id)
			}
			if len(id) != 36 || id[14] != '5' || !strings.ContainsRune("89ab", rune(id[19])) {
				t.Fatalf("%s is no UUID of version 5", id)
			}
			seen[id] = true
		}
	}
	if len(seen) != 1000 {
		t.Errorf("%d ids for 1000 records", len(seen))
	}
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte("key"), []byte(`{"a":"b"}`), "header", []byte{0, 255}, int32(0), int64(0), int64(0))
	f.Add([]byte("\xe2\x82"), []byte("\x00\xff\u2028"), "\xff", []byte(nil), int32(-1), int64(-1), int64(-1))
	cloud, raw := newConverter(f, "CloudEvents", "{}"), newConverter(f, "RawData", "{}")
	f.Fuzz(func(t *testing.T, key, value []byte, name string, content []byte, partition int32, offset, milliseconds int64) {
		milliseconds %= 1e14
		record := &Record{
			Partition: partition, Offset: offset, Timestamp: time.UnixMilli(milliseconds),
			Key: key, Value: value, Headers: []Header{{Key: name, Value: content}},
		}
		type data struct {
			Topic     string `json:"topic"`
			Partition int32  `json:"partition"`
			Offset    int64  `json:"offset"`
			Timestamp int64  `json:"timestamp"`
			Headers   struct {
				Headers []struct {
					Key   string `json:"key"`
					Value []int8 `json:"value"`
				} `json:"headers"`
				IsReadOnly bool `json:"isReadOnly"`
			} `json:"headers"`
			Key   *string `json:"key"`
			Value *string `json:"value"`
		}
		var event struct {
			ID   string `json:"id"`
			Time string `json:"time"`
			Data data   `json:"data"`
		}
		if err := json.Unmarshal(cloud.Append(nil, record), &event); err != nil {
			t.Fatal(err)
		}
		var bare data
		if err := json.Unmarshal(raw.Append(nil, record), &bare); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(event.Data, bare); diff != "" {
			t.Fatal(diff)
		}
		want := data{Topic: "mytopic", Partition: partition, Offset: offset, Timestamp: milliseconds}
		want.Headers.Headers = append(want.Headers.Headers, struct {
			Key   string `json:"key"`
			Value []int8 `json:"value"`
		}{Key: string(javaText([]byte(name)))})
		if content != nil {
			want.Headers.Headers[0].Value = make([]int8, len(content))
			for i, b := range content {
				want.Headers.Headers[0].Value[i] = int8(b)
			}
		}
		pointer := func(text []byte) *string {
			if text == nil {
				return nil
			}
			s := string(javaText(text))
			return &s
		}
		want.Key, want.Value = pointer(key), pointer(value)
		if diff := cmp.Diff(want, event.Data); diff != "" {
			t.Fatal(diff)
		}
	})
}

// The prefix is there once, whether InstanceId has it or not.
func TestSubject(t *testing.T) {
	record := &Record{Timestamp: testTime, Value: []byte("x")}
	want := newConverter(t, "CloudEvents", "{}").Append(nil, record)
	options := testOptions("CloudEvents", `{"subject":["acs:alikafka_pre-cn-i7m2t7t1****:topic:mytopic"]}`)
	options.InstanceID = "alikafka_" + options.InstanceID
	c, err := NewConverter(options)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Append(nil, record); !bytes.Equal(got, want) || !c.Passes(record) {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
}

func TestNewConverterErrors(t *testing.T) {
	_, err := NewConverter(testOptions("Json", "{}"))
	checkError(t, err, `eventSchema "Json": it must be CloudEvents or RawData`)
	_, err = NewConverter(testOptions("RawData", "x"))
	checkError(t, err, `eventRuleFilterPattern: it must be a JSON object: invalid character 'x' looking for beginning of value`)
}

func BenchmarkAppend(b *testing.B) {
	e := newConverter(b, "CloudEvents", "{}")
	record := &Record{Partition: 7, Offset: 25, Timestamp: testTime, Value: []byte(`{"name":"shaouai","age":28,"department":"IT"}`)}
	event := e.Append(nil, record)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		event = e.Append(event[:0], record)
		record.Offset++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkPasses(b *testing.B) {
	e := newConverter(b, "CloudEvents", `{"source":[{"prefix":"acs:"}],"data":{"partition":[{"numeric":[">",2,"<=",9]}],"value":[{"contains":"IT"}]}}`)
	record := &Record{Partition: 7, Timestamp: testTime, Value: []byte(`{"name":"shaouai","age":28,"department":"IT"}`)}
	b.ReportAllocs()
	for b.Loop() {
		if !e.Passes(record) {
			b.Fatal("does not pass")
		}
	}
}
