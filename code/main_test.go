package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"
)

// TestMain lets the test binary be the function, as FC starts it.
func TestMain(m *testing.M) {
	if os.Getenv("FC_RUNTIME_API") != "" {
		main()
	}
	os.Exit(m.Run())
}

// An answer is what the function posted for one call.
type answer struct {
	kind string // response or error
	body []byte
}

// invoke starts the function as a process of its own, makes the calls one after
// the other and returns the answers and what the function wrote to its log.
func invoke(t *testing.T, requestID string, payloads ...[]byte) (answers []answer, log string) {
	t.Helper()
	next, posted := make(chan []byte), make(chan answer)
	const path = "/2020-11-11/runtime/invocation/"
	api := http.NewServeMux()
	api.HandleFunc("GET "+path+"next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case payload := <-next:
			w.Header().Set("x-fc-request-id", requestID)
			w.Header().Set("x-fc-function-deadline", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			w.Header().Set("x-fc-function-timeout", "60")
			w.Write(payload)
		case <-r.Context().Done():
		}
	})
	api.HandleFunc("POST "+path+requestID+"/{kind}", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posted <- answer{r.PathValue("kind"), body}
	})
	server := httptest.NewServer(api)
	defer server.Close()

	function := exec.Command(os.Args[0])
	function.Env = []string{"FC_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://")}
	var stdout bytes.Buffer
	function.Stdout, function.Stderr = &stdout, t.Output()
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	for _, payload := range payloads {
		next <- payload
		answers = append(answers, <-posted)
	}
	function.Process.Kill()
	function.Wait()
	return answers, stdout.String()
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// A log line but for its time and its line number in main.go, which differ from the post's.
var logPosition = regexp.MustCompile(`(?m)^\S+Z (\S+ \[INFO\] main\.go):\d+:`)

// The transcripts that the post shows for its payloads of one and of three events.
func TestTranscripts(t *testing.T) {
	for _, test := range []struct{ name, event, requestID string }{
		{"one", "../event.json", "f2847ae1-ef5e-4382-a88b-74ec3305158b"},
		{"three", "testdata/three.json", "3ab1bd3c-03db-42b6-82aa-dce17f71db37"},
	} {
		t.Run(test.name, func(t *testing.T) {
			answers, log := invoke(t, test.requestID, read(t, test.event))
			if want := string(read(t, "testdata/"+test.name+".echo.json")); string(answers[0].body) != want {
				t.Errorf("echo\n%s\nwant\n%s", answers[0].body, want)
			}
			if got, want := logPosition.ReplaceAllString(log, "$1:"), string(read(t, "testdata/"+test.name+".log")); got != want {
				t.Errorf("log\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// A bad batch is answered with an error, logs none of its events, and the process goes on with the next call.
func TestBadBatchThenGoodOne(t *testing.T) {
	bad := strings.Replace(string(read(t, "testdata/three.json")), `"{\"name\":\"shaouai\",\"age\":29,\"department\":\"IT\"}"`, `"hello"`, 1)
	answers, log := invoke(t, "request", []byte(bad), read(t, "../event.json"))
	want := `{"errorMessage":"1 of 3 events are invalid, none was processed; ` +
		`event 1 (id \"8e215af8-ca18-4249-8645-f96c1026****\", topic \"xxtopic\", partition 7, offset 26): ` +
		`data.value is not a JSON object: \"hello\"","errorType":"InvalidBatchError"}`
	if answers[0].kind != "error" || string(answers[0].body) != want {
		t.Errorf("answered the bad batch with %s\n%s\nwant\n%s", answers[0].kind, answers[0].body, want)
	}
	if want := string(read(t, "testdata/one.echo.json")); answers[1].kind != "response" || string(answers[1].body) != want {
		t.Errorf("answered the good batch with %s\n%s\nwant\n%s", answers[1].kind, answers[1].body, want)
	}
	if got := strings.Count(log, "Start processing event:"); got != 1 {
		t.Errorf("%d events were processed, want the 1 of the good batch:\n%s", got, log)
	}
}

// call runs HandleRequest in this process as the SDK does, and returns the echo and the log.
func call(t testing.TB, payload string) (echo, log string, err error) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	logged := make(chan []byte)
	go func() {
		content, _ := io.ReadAll(reader)
		logged <- content
	}()
	stdout := os.Stdout
	os.Stdout = writer
	ctx := fccontext.NewContext(context.Background(), &fccontext.FcContext{RequestID: "request"})
	response, err := fc.NewHandler(HandleRequest).Invoke(ctx, []byte(payload))
	os.Stdout = stdout
	writer.Close()
	return string(response), string(<-logged), err
}

// eventWith is an event whose data has these fields, and no others but the topic.
func eventWith(data string) string {
	return `{"specversion":"1.0","id":"1","source":"acs:alikafka","type":"alikafka:Topic:Message","data":{"topic":"t","partition":3,"offset":7,"timestamp":9` + data + `}}`
}

func TestShapes(t *testing.T) {
	for _, test := range []struct {
		name  string
		event string
		echo  string // of data, behind the timestamp; "" is what came
		log   string // of headers, key and value
	}{
		// The value, in each of the stream's data formats.
		{"double-encoded", eventWith(`,"value":"{\"a\":1}"`), `,"value":{"a":1}`, `Headers:{Headers:[] IsReadOnly:false} Key: Value:map[a:1]`},
		{"already decoded", eventWith(`,"value":{"a":1}`), ``, `Value:map[a:1]`},
		{"spaces around the object", eventWith(`,"value":"\n {\"a\":1} \r\n\t"`), `,"value":{"a":1}`, `Value:map[a:1]`},
		{"empty object", eventWith(`,"value":"{}"`), `,"value":{}`, `Value:map[]`},
		{"null is a tombstone", eventWith(`,"value":null`), ``, `Value:map[]`},
		{"so is no value", eventWith(``), `,"value":null`, `Value:map[]`},
		{"nested", eventWith(`,"value":"{\"b\":{\"d\":[1,{\"e\":null}],\"c\":true},\"a\":\"\"}"`), `,"value":{"a":"","b":{"c":true,"d":[1,{"e":null}]}}`, `Value:map[a: b:map[c:true d:[1 map[e:<nil>]]]]`},
		{"text beyond ASCII", eventWith(`,"key":"键","value":"{\"名\":\"韶　艾\"}"`), `,"key":"键","value":{"名":"韶　艾"}`, `Key:键 Value:map[名:韶　艾]`},
		// The key.
		{"no key", eventWith(`,"value":{}`), ``, ` Key: Value`},
		{"null key", eventWith(`,"key":null,"value":{}`), `,"value":{}`, ` Key: Value`},
		{"a key", eventWith(`,"key":"k","value":{}`), ``, ` Key:k Value`},
		// The headers.
		{"no header", eventWith(`,"headers":{"headers":[],"isReadOnly":true},"value":{}`), ``, `Headers:{Headers:[] IsReadOnly:true}`},
		{"strings", eventWith(`,"headers":{"headers":["a","b"],"isReadOnly":false},"value":{}`), ``, `Headers:{Headers:["a" "b"] IsReadOnly:false}`},
		{"objects", eventWith(`,"headers":{"headers":[{"key":"a","value":[98,99]},{"n":1e400}],"isReadOnly":false},"value":{}`), ``, `Headers:{Headers:[{"key":"a","value":[98,99]} {"n":1e400}] IsReadOnly:false}`},
		// Numbers, as they came.
		{"beyond 64 bits", eventWith(`,"value":"{\"n\":12345678901234567890}"`), `,"value":{"n":12345678901234567890}`, `map[n:12345678901234567890]`},
		{"beyond double precision", eventWith(`,"value":{"n":0.1234567890123456789012345}`), ``, `map[n:0.1234567890123456789012345]`},
		{"no exponent of ours", eventWith(`,"value":{"n":[1655952591589,1E5,-0,1.0,1e400]}`), ``, `map[n:[1655952591589 1E5 -0 1.0 1e400]]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := test.event
			if test.echo != "" {
				want = eventWith(test.echo)
			}
			text, _ := json.Marshal(test.event)
			for form, element := range map[string]string{"object": test.event, "string": string(text)} {
				echo, log, err := call(t, "["+element+"]")
				if err != nil {
					t.Fatalf("as %s: %v", form, err)
				}
				if echo != "["+want+"]" {
					t.Errorf("as %s: echo\n%s\nwant\n[%s]", form, echo, want)
				}
				if !strings.Contains(log, test.log) {
					t.Errorf("as %s: log\n%s\nwant it to contain\n%s", form, log, test.log)
				}
			}
		})
	}
}

func TestEnvelope(t *testing.T) {
	// Extension attributes are accepted and left out; optional attributes that are absent stay so.
	extended := strings.Replace(eventWith(`,"value":{}`), `{`, `{"aliyunpublishtime":"2022-06-23T02:49:51.745Z","aliyuneventbusname":{"x":[1]},`, 1)
	echo, _, err := call(t, "["+extended+"]")
	if want := "[" + eventWith(`,"value":{}`) + "]"; err != nil || echo != want {
		t.Errorf("echo %s, error %v\nwant %s", echo, err, want)
	}
	// A batch may hold both forms, and none at all.
	for payload, want := range map[string]string{
		"[]": "[]",
		"[" + eventWith(`,"value":{}`) + `,"` + strings.ReplaceAll(eventWith(`,"value":{}`), `"`, `\"`) + `"]`: "[" + eventWith(`,"value":{}`) + "," + eventWith(`,"value":{}`) + "]",
	} {
		if echo, _, err := call(t, payload); err != nil || echo != want {
			t.Errorf("payload %s: echo %s, error %v\nwant %s", payload, echo, err, want)
		}
	}
}

func TestBadInput(t *testing.T) {
	const (
		summary = "1 of 1 events are invalid, none was processed; "
		at      = summary + `event 0 (id "1", topic "t", partition 3, offset 7): `
		value   = at + "data.value is not a JSON object: "
	)
	for _, test := range []struct{ name, payload, want string }{
		// Values that are no object.
		{"plain text", eventWith(`,"value":"hello"`), value + `"hello"`},
		{"no text", eventWith(`,"value":""`), value + `""`},
		{"cut short", eventWith(`,"value":"{\"a\":1"`), value + `unexpected EOF`},
		{"something behind it", eventWith(`,"value":"{\"a\":1} x"`), at + `data.value has more after its JSON object`},
		{"two objects", eventWith(`,"value":"{}{}"`), at + `data.value has more after its JSON object`},
		{"bad JSON", eventWith(`,"value":"{a:1}"`), value + `invalid character 'a' looking for beginning of object key string`},
		{"array as text", eventWith(`,"value":"[1]"`), value + `"[1]"`},
		{"array", eventWith(`,"value":[1]`), value + `"[1]"`},
		{"number", eventWith(`,"value":1`), value + `"1"`},
		{"null as text", eventWith(`,"value":"null"`), value + `"null"`},
		{"encoded three times", eventWith(`,"value":"\"{}\""`), value + `"\"{}\""`},
		{"long text is cut", eventWith(`,"value":"` + strings.Repeat("x", 100) + `"`), value + `"` + strings.Repeat("x", 40) + `"`},
		// Fields of the wrong type.
		{"partition", strings.Replace(eventWith(``), `:3`, `:"3"`, 1), summary + `event 0 (id "1", topic "t", partition 0, offset 7): json: cannot unmarshal string into Go struct field eventData.data.partition of type int`},
		{"id", strings.Replace(eventWith(``), `"1"`, `1`, 1), summary + `event 0 (id "", topic "t", partition 3, offset 7): json: cannot unmarshal number into Go struct field event.id of type string`},
		{"data", `{"id":"1","data":"x"}`, summary + `event 0 (id "1", topic "", partition 0, offset 0): json: cannot unmarshal string into Go struct field event.data of type main.eventData`},
		{"a value that comes first", `{"data":{"value":"x","topic":"t","partition":3,"offset":7},"id":"1"}`, value + `"x"`},
		// Elements that are no event.
		{"null", `null`, summary + `event 0 (id "", topic "", partition 0, offset 0): data.topic is missing; eventSchema must be CloudEvents`},
		{"number element", `1`, summary + `event 0 (id "", topic "", partition 0, offset 0): json: cannot unmarshal number into Go value of type main.event`},
		{"RawData", `{"topic":"t","value":"{}"}`, summary + `event 0 (id "", topic "", partition 0, offset 0): data.topic is missing; eventSchema must be CloudEvents`},
		{"text that is no JSON", `"hello"`, summary + `event 0 (id "", topic "", partition 0, offset 0): invalid character 'h' looking for beginning of value`},
		{"a forged line in the error", strings.Replace(eventWith(`,"value":1`), `"t"`, `"t\nforged"`, 1), summary + `event 0 (id "1", topic "t\nforged", partition 3, offset 7): data.value is not a JSON object: "1"`},
	} {
		t.Run(test.name, func(t *testing.T) { testBad(t, "["+test.payload+"]", "InvalidBatchError", test.want) })
	}
	// Payloads that are no batch.
	testBad(t, `{"id":"1"}`, "InvalidBatchError", `the payload is not an array of events: "{\"id\":\"1\"}"`)
	testBad(t, `null`, "InvalidBatchError", `the payload is not an array of events: "null"`)
	testBad(t, `[`+eventWith(``), "SyntaxError", `unexpected end of JSON input`) // the SDK scans it before it asks us
	testBad(t, ``, "SyntaxError", `unexpected end of JSON input`)

	// Every bad event of the batch, and no good one.
	testBad(t, "["+eventWith(`,"value":"x"`)+","+eventWith(`,"value":{}`)+`,"[",`+eventWith(`,"value":"{}}"`)+"]", "InvalidBatchError",
		`3 of 4 events are invalid, none was processed; event 0 (id "1", topic "t", partition 3, offset 7): data.value is not a JSON object: "x"; `+
			`event 2 (id "", topic "", partition 0, offset 0): unexpected end of JSON input; `+
			`event 3 (id "1", topic "t", partition 3, offset 7): data.value has more after its JSON object`)
}

func testBad(t *testing.T, payload, wantType, want string) {
	t.Helper()
	echo, log, err := call(t, payload)
	if err == nil {
		t.Fatalf("payload %s was accepted: %s", payload, echo)
	}
	kind := reflect.TypeOf(err)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if err.Error() != want || kind.Name() != wantType {
		t.Errorf("payload %s\nfailed with %s: %v\nwant        %s: %s", payload, kind.Name(), err, wantType, want)
	}
	if log != "" {
		t.Errorf("payload %s was logged:\n%s", payload, log)
	}
}

// A message can't make the log show a line that the function did not write.
func TestForgedLog(t *testing.T) {
	_, log, err := call(t, "["+strings.Replace(eventWith(`,"key":"k\r\u0085\u2028\u2029\u009b","value":"{\"a\\nb\":\"\\u001b[2K\\u202e\\u007f\"}"`),
		`"t"`, `"t\nFC Invoke End RequestId: request\n"`, 1)+"]")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(log, "\n"); lines != 2 {
		t.Errorf("%d lines, want 2:\n%s", lines, log)
	}
	for _, want := range []string{
		`Topic:t\nFC Invoke End RequestId: request\n Partition:3`,
		`Key:k\r\u0085\u2028\u2029\u009b Value:map[a\nb:\x1b[2K\u202e\x7f]}}`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("log\n%s\nwant it to contain\n%s", log, want)
		}
	}
}

func TestOutsideFunctionCompute(t *testing.T) {
	_, err := HandleRequest(context.Background(), batch{})
	if want := "no Function Compute context: HandleRequest is called by fc.Start only"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// FuzzHandleRequest: whatever the payload, no panic, an error or the same JSON back, and one log line an event.
func FuzzHandleRequest(f *testing.F) {
	for _, file := range []string{"../event.json", "testdata/three.json"} {
		payload, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	for _, data := range []string{``, `,"value":null`, `,"value":{"n":1e400}`, `,"value":"{\"a\":[1,{\"b\":\"\\n\"}]}"`, `,"key":null`,
		`,"headers":{"headers":["a",{"key":"b","value":[1]}],"isReadOnly":true}`, `,"value":"x"`, `,"value":"{}{}"`} {
		element := eventWith(data)
		text, _ := json.Marshal(element)
		f.Add([]byte("[" + element + "," + string(text) + "]"))
	}
	f.Add([]byte(`[null,1,"",{"data":{}},[]]`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		echo, log, err := call(t, string(payload))
		if err != nil {
			if log != "" {
				t.Fatalf("failed with %v, but logged\n%s", err, log)
			}
			return
		}
		want, ok := expected(payload)
		if !ok {
			return
		}
		got, _ := decode([]byte(echo))
		if got, _ := got.([]any); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("echo\n%s\nwant\n%v", echo, want)
		}
		if lines := strings.Count(log, "\n"); lines != len(want)+1 {
			t.Errorf("%d log lines for %d events:\n%s", lines, len(want), log)
		}
	})
}

// decode is JSON as it stands, numbers included. ok is false when an object has a name twice: which one counts is not
// defined.
func decode(text []byte) (value any, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	colons := bytes.Count(stringLiteral.ReplaceAll(text, nil), []byte(":")) // one behind each name
	return value, colons == countNames(value)
}

var stringLiteral = regexp.MustCompile(`"(\\.|[^"\\])*"`)

func countNames(value any) (n int) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			n += 1 + countNames(member)
		}
	case []any:
		for _, element := range value {
			n += countNames(element)
		}
	}
	return n
}

// respelt reports whether the object has one of the names in another case, which encoding/json takes for the name.
func respelt(object map[string]any, names ...string) bool {
	for member := range object {
		for _, name := range names {
			if member != name && strings.EqualFold(member, name) {
				return true
			}
		}
	}
	return false
}

// expected is the echo of an accepted payload, derived from its JSON alone. ok is false where none is defined.
func expected(payload []byte) (events []any, ok bool) {
	value, ok := decode(payload)
	if !ok {
		return nil, false
	}
	required := []string{"specversion", "id", "source", "type"}
	optional := []string{"subject", "datacontenttype", "time", "aliyunaccountid"}
	for _, element := range value.([]any) {
		if text, isText := element.(string); isText {
			if element, ok = decode([]byte(text)); !ok {
				return nil, false
			}
		}
		e := element.(map[string]any)
		data, _ := e["data"].(map[string]any)
		headers, _ := data["headers"].(map[string]any)
		if respelt(e, append(append([]string{"data"}, required...), optional...)...) || respelt(headers, "headers", "isReadOnly") ||
			respelt(data, "topic", "partition", "offset", "timestamp", "headers", "key", "value") {
			return nil, false
		}
		echo := map[string]any{}
		for _, name := range required {
			echo[name] = orZero(e[name], "")
		}
		for _, name := range optional {
			if e[name] != nil && e[name] != "" {
				echo[name] = e[name]
			}
		}
		echoData := map[string]any{"topic": data["topic"], "value": data["value"]}
		for _, name := range []string{"partition", "offset", "timestamp"} {
			echoData[name] = orZero(data[name], json.Number("0"))
			if echoData[name] == json.Number("-0") {
				echoData[name] = json.Number("0")
			}
		}
		if data["key"] != nil && data["key"] != "" {
			echoData["key"] = data["key"]
		}
		if text, isText := data["value"].(string); isText {
			if echoData["value"], ok = decode([]byte(text)); !ok {
				return nil, false
			}
		}
		if headers["headers"] != nil || headers["isReadOnly"] == true {
			echoData["headers"] = map[string]any{"headers": headers["headers"], "isReadOnly": headers["isReadOnly"] == true}
		}
		echo["data"] = echoData
		events = append(events, echo)
	}
	return events, true
}

func orZero(value, zero any) any {
	if value == nil {
		return zero
	}
	return value
}
