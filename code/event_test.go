// What holds whatever the type of message is: these tests need no edit when it changes.

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

// invoke starts the program as FC starts a function, makes the calls one after
// the other and returns the answers and what the function wrote to its log.
func invoke(t *testing.T, program, requestID string, payloads ...[]byte) (answers []answer, log string) {
	t.Helper()
	next, posted, exited := make(chan []byte), make(chan answer), make(chan error, 1)
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

	function := exec.Command(program)
	function.Env = []string{"FC_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://")}
	var stdout bytes.Buffer
	function.Stdout, function.Stderr = &stdout, t.Output()
	if err := function.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { exited <- function.Wait() }()
	for _, payload := range payloads {
		select {
		case next <- payload:
		case err := <-exited:
			t.Fatalf("the function exited: %v\n%s", err, &stdout)
		}
		select {
		case a := <-posted:
			answers = append(answers, a)
		case err := <-exited:
			t.Fatalf("the function exited: %v\n%s", err, &stdout)
		}
	}
	function.Process.Kill()
	<-exited
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
		{"null is a tombstone", eventWith(`,"value":null`), ``, `Value:<nil>}}`},
		{"so is no value", eventWith(``), `,"value":null`, `Value:<nil>}}`},
		// The key.
		{"no key", eventWith(`,"value":null`), ``, ` Key: Value`},
		{"null key", eventWith(`,"key":null,"value":null`), `,"value":null`, ` Key: Value`},
		{"text beyond ASCII", eventWith(`,"key":"键　","value":null`), ``, ` Key:键　 Value`},
		{"invalid UTF-8", eventWith(",\"key\":\"\xff|\\ud800|\",\"value\":null"), `,"key":"�|�|","value":null`, " Key:�|�| Value"},
		{"a key", eventWith(`,"key":"k","value":null`), ``, ` Key:k Value`},
		// The headers.
		{"no header", eventWith(`,"headers":{"headers":[],"isReadOnly":true},"value":null`), ``, `Headers:{Headers:[] IsReadOnly:true}`},
		{"strings", eventWith(`,"headers":{"headers":["a","b"],"isReadOnly":false},"value":null`), ``, `Headers:{Headers:["a" "b"] IsReadOnly:false}`},
		{"objects", eventWith(`,"headers":{"headers":[{"key":"a","value":[98,99]},{"n":1e400}],"isReadOnly":false},"value":null`), ``, `Headers:{Headers:[{"key":"a","value":[98,99]} {"n":1e400}] IsReadOnly:false}`},
		{"anything else", eventWith(`,"headers":{"headers":[null,1.0,["a"]],"isReadOnly":false},"value":null`), ``, `Headers:{Headers:[null 1.0 ["a"]] IsReadOnly:false}`},
	} {
		t.Run(test.name, func(t *testing.T) { testGood(t, test.event, test.echo, test.log) })
	}
}

// testGood has an event processed, as an object and as a string that holds it. The echo is what is wanted of data, behind
// the timestamp; "" is what came.
func testGood(t *testing.T, event, echoedData, inLog string) {
	t.Helper()
	want := event
	if echoedData != "" {
		want = eventWith(echoedData)
	}
	text := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(event)
	for form, element := range map[string]string{"object": event, "string": `"` + text + `"`} {
		echo, log, err := call(t, "["+element+"]")
		if err != nil {
			t.Fatalf("as %s: %v", form, err)
		}
		if echo != "["+want+"]" {
			t.Errorf("as %s: echo\n%s\nwant\n[%s]", form, echo, want)
		}
		if !strings.Contains(log, inLog) {
			t.Errorf("as %s: log\n%s\nwant it to contain\n%s", form, log, inLog)
		}
	}
}

func TestEnvelope(t *testing.T) {
	// Extension attributes are accepted and left out; optional attributes that are absent stay so.
	extended := strings.Replace(eventWith(`,"value":null`), `{`, `{"aliyunpublishtime":"2022-06-23T02:49:51.745Z","aliyuneventbusname":{"x":[1]},`, 1)
	echo, _, err := call(t, "["+extended+"]")
	if want := "[" + eventWith(`,"value":null`) + "]"; err != nil || echo != want {
		t.Errorf("echo %s, error %v\nwant %s", echo, err, want)
	}
	// A batch may hold both forms, and none at all.
	for payload, want := range map[string]string{
		"[]": "[]",
		"[" + eventWith(`,"value":null`) + `,"` + strings.ReplaceAll(eventWith(`,"value":null`), `"`, `\"`) + `"]`: "[" + eventWith(`,"value":null`) + "," + eventWith(`,"value":null`) + "]",
	} {
		if echo, _, err := call(t, payload); err != nil || echo != want {
			t.Errorf("payload %s: echo %s, error %v\nwant %s", payload, echo, err, want)
		}
	}
}

func TestBadInput(t *testing.T) {
	const summary = "1 of 1 events are invalid, none was processed; "
	for _, test := range []struct{ name, payload, want string }{
		// Fields of the wrong type.
		{"partition", strings.Replace(eventWith(``), `:3`, `:"3"`, 1), summary + `event 0 (id "1", topic "t", partition 0, offset 7): json: cannot unmarshal string into Go struct field eventData.data.partition of type int`},
		{"id", strings.Replace(eventWith(``), `"1"`, `1`, 1), summary + `event 0 (id "", topic "t", partition 3, offset 7): json: cannot unmarshal number into Go struct field event.id of type string`},
		{"data", `{"id":"1","data":"x"}`, summary + `event 0 (id "1", topic "", partition 0, offset 0): json: cannot unmarshal string into Go struct field event.data of type main.eventData`},
		// Elements that are no event.
		{"null", `null`, summary + `event 0 (id "", topic "", partition 0, offset 0): data.topic is missing; eventSchema must be CloudEvents`},
		{"number element", `1`, summary + `event 0 (id "", topic "", partition 0, offset 0): json: cannot unmarshal number into Go value of type main.event`},
		{"RawData", `{"topic":"t","value":"{}"}`, summary + `event 0 (id "", topic "", partition 0, offset 0): data.topic is missing; eventSchema must be CloudEvents`},
		{"text that is no JSON", `"hello"`, summary + `event 0 (id "", topic "", partition 0, offset 0): invalid character 'h' looking for beginning of value`},
		{"a forged line in the error", strings.Replace(strings.Replace(eventWith(``), `"t"`, `"t\nforged"`, 1), `:3`, `:"3"`, 1), summary + `event 0 (id "1", topic "t\nforged", partition 0, offset 7): json: cannot unmarshal string into Go struct field eventData.data.partition of type int`},
	} {
		t.Run(test.name, func(t *testing.T) { testBad(t, "["+test.payload+"]", "InvalidBatchError", test.want) })
	}
	// Payloads that are no batch.
	testBad(t, `{"id":"1"}`, "InvalidBatchError", `the payload is not an array of events: "{\"id\":\"1\"}"`)
	testBad(t, `null`, "InvalidBatchError", `the payload is not an array of events: "null"`)
	testBad(t, `hello`, "InvalidBatchError", `the payload is not an array of events: "hello"`)
	testBad(t, ``, "InvalidBatchError", `the payload is not an array of events: ""`)
	testBad(t, `[`+eventWith(``), "InvalidBatchError", `the payload is not an array of events: "[{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":"`)

	// Every bad event of the batch, and no good one.
	partition := strings.Replace(eventWith(``), `:3`, `:"3"`, 1)
	testBad(t, "["+partition+","+eventWith(``)+`,"[",null]`, "InvalidBatchError",
		`3 of 4 events are invalid, none was processed; event 0 (id "1", topic "t", partition 0, offset 7): `+
			`json: cannot unmarshal string into Go struct field eventData.data.partition of type int; `+
			`event 2 (id "", topic "", partition 0, offset 0): unexpected end of JSON input; `+
			`event 3 (id "", topic "", partition 0, offset 0): data.topic is missing; eventSchema must be CloudEvents`)
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

// A record can't make the log show a line that the function did not write.
func TestForgedLog(t *testing.T) {
	testLog(t, "["+strings.Replace(eventWith(`,"key":"k\r\u0085\u2028\u2029\u009b\\n\"","headers":{"headers":["\n`+"\u2028\x9b"+`"]}`),
		`"t"`, `"t\nFC Invoke End RequestId: request\n"`, 1)+"]",
		`Topic:t\nFC Invoke End RequestId: request\n Partition:3`,
		`Headers:{Headers:["\n\u2028\x9b"]`,
		`Key:k\r\u0085\u2028\u2029\u009b\n" Value:<nil>}}`)
}

// testLog checks that a batch of one event is logged in two lines, that contain
// the texts.
func testLog(t *testing.T, payload string, texts ...string) {
	t.Helper()
	_, log, err := call(t, payload)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(log, "\n"); lines != 2 {
		t.Errorf("%d lines, want 2:\n%s", lines, log)
	}
	for _, want := range texts {
		if !strings.Contains(log, want) {
			t.Errorf("log\n%s\nwant it to contain\n%s", log, want)
		}
	}
}

// Not one of these is to be seen, nor may end a line, be it the only such character.
func TestHiddenCharacters(t *testing.T) {
	for _, hidden := range []string{`\u000b`, `\u007f`, `\u0085`, `\u200b`, `\u2028`, `\u202e`} {
		_, log, err := call(t, "["+eventWith(`,"key":"<`+hidden+`>"`)+"]")
		if err != nil {
			t.Fatal(err)
		}
		escaped := strings.NewReplacer(`\u000b`, `\v`, `\u007f`, `\x7f`).Replace(hidden)
		if want := "Key:<" + escaped + "> "; !strings.Contains(log, want) {
			t.Errorf("log\n%q\nwant it to contain\n%s", log, want)
		}
	}
}

// A header is raw JSON. Kafka's header values are bytes, which arrive as a Java byte[] prints: -128 to 127.
func Example_header() {
	var e event
	err := json.Unmarshal([]byte(`{"data":{"headers":{"headers":[{"key":"name","value":[-23,-97,-74]},"text"]}}}`), &e)
	if err != nil {
		panic(err)
	}
	for _, header := range e.Data.Headers.Headers {
		var record struct {
			Key   string
			Value []int8
		}
		if err := json.Unmarshal(header, &record); err != nil {
			fmt.Printf("no object: %s\n", header)
			continue
		}
		value := make([]byte, len(record.Value))
		for i, b := range record.Value {
			value[i] = byte(b)
		}
		fmt.Printf("%s: %s\n", record.Key, value)
	}
	// Output:
	// name: 韶
	// no object: "text"
}

func TestOutsideFunctionCompute(t *testing.T) {
	_, err := HandleRequest(context.Background(), []byte("[]"))
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
		if text, isText := data["value"].(string); isText && !takesString() {
			if echoData["value"], ok = decode([]byte(text)); !ok {
				return nil, false
			}
		}
		echoData["value"] = throughMessage(echoData["value"])
		if headers["headers"] != nil || headers["isReadOnly"] == true {
			echoData["headers"] = map[string]any{"headers": headers["headers"], "isReadOnly": headers["isReadOnly"] == true}
		}
		echo["data"] = echoData
		events = append(events, echo)
	}
	return events, true
}

// throughMessage is what is left of JSON in a message: all of it in a map, the struct's fields in a struct.
func throughMessage(value any) any {
	text, _ := json.Marshal(value)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var m *messageOnly
	if err := decoder.Decode(&m); err != nil {
		return err // which no echo equals
	}
	text, _ = json.Marshal(m)
	value, _ = decode(text)
	return value
}

func takesString() bool { return json.Unmarshal([]byte(`""`), new(messageOnly)) == nil }

type messageOnly message // without the method of main.go

func orZero(value, zero any) any {
	if value == nil {
		return zero
	}
	return value
}
