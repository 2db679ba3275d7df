// What depends on the sample's message, a map: edit or delete these tests when you change its type.

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A log line but for its time and its line number in main.go, which differ from the transcripts'.
var logPosition = regexp.MustCompile(`(?m)^\S+Z (\S+ \[INFO\] main\.go):\d+:`)

// The transcripts of one call with one event, and one with three.
func TestTranscripts(t *testing.T) {
	for _, test := range []struct{ name, event, requestID string }{
		{"one", "../event.json", "f2847ae1-ef5e-4382-a88b-74ec3305158b"},
		{"three", "testdata/three.json", "3ab1bd3c-03db-42b6-82aa-dce17f71db37"},
	} {
		t.Run(test.name, func(t *testing.T) {
			answers, log := invoke(t, os.Args[0], test.requestID, read(t, test.event))
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
	answers, log := invoke(t, os.Args[0], "request", []byte(bad), read(t, "../event.json"))
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

func TestValues(t *testing.T) {
	for _, test := range []struct{ name, event, echo, log string }{
		// In each of the stream's data formats.
		{"double-encoded", eventWith(`,"value":"{\"a\":1}"`), `,"value":{"a":1}`, `Headers:{Headers:[] IsReadOnly:false} Key: Value:map[a:1]`},
		{"already decoded", eventWith(`,"value":{"a":1}`), ``, `Value:map[a:1]`},
		{"spaces around the object", eventWith(`,"value":"\n {\"a\":1} \r\n\t"`), `,"value":{"a":1}`, `Value:map[a:1]`},
		{"empty object", eventWith(`,"value":"{}"`), `,"value":{}`, `Value:map[]`},
		{"nested", eventWith(`,"value":"{\"b\":{\"d\":[1,{\"e\":null}],\"c\":true},\"a\":\"\"}"`), `,"value":{"a":"","b":{"c":true,"d":[1,{"e":null}]}}`, `Value:map[a: b:map[c:true d:[1 map[e:<nil>]]]]`},
		{"text beyond ASCII", eventWith(`,"key":"键","value":"{\"名\":\"韶　艾\"}"`), `,"key":"键","value":{"名":"韶　艾"}`, `Key:键 Value:map[名:韶　艾]`},
		// Numbers, as they came.
		{"beyond 64 bits", eventWith(`,"value":"{\"n\":12345678901234567890}"`), `,"value":{"n":12345678901234567890}`, `map[n:12345678901234567890]`},
		{"beyond double precision", eventWith(`,"value":{"n":0.1234567890123456789012345}`), ``, `map[n:0.1234567890123456789012345]`},
		{"no exponent of ours", eventWith(`,"value":{"n":[1655952591589,1E5,-0,1.0,1e400]}`), ``, `map[n:[1655952591589 1E5 -0 1.0 1e400]]`},
		{"a value that comes twice", eventWith(`,"value":{"a":1},"value":{"b":2}`), `,"value":{"b":2}`, `Value:map[b:2]`},
		{"a tombstone that comes second", eventWith(`,"value":{"a":1},"value":null`), `,"value":null`, `Value:<nil>`},
		// As encoding/json has it, invalid UTF-8 becomes U+FFFD. So do lone surrogates; names that are then the same are one.
		{"invalid UTF-8", eventWith(",\"value\":{\"a\":\"\xff\\udfff\"}"), `,"value":{"a":"��"}`, "Value:map[a:��]"},
		{"names collapse", eventWith(",\"value\":{\"\xff\":1,\"\\ud800\":2}"), `,"value":{"�":2}`, "Value:map[�:2]"},
		{"names collapse in a string", eventWith(",\"value\":\"{\\\"\xff\\\":1,\\\"\\\\ud800\\\":2}\""), `,"value":{"�":2}`, "Value:map[�:2]"},
	} {
		t.Run(test.name, func(t *testing.T) { testGood(t, test.event, test.echo, test.log) })
	}
}

func TestBadValues(t *testing.T) {
	const (
		summary = "1 of 1 events are invalid, none was processed; "
		at      = summary + `event 0 (id "1", topic "t", partition 3, offset 7): `
		value   = at + "data.value is not a JSON object: "
	)
	for _, test := range []struct{ name, payload, want string }{
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
		{"a value that comes first", `{"data":{"value":"x","topic":"t","partition":3,"offset":7},"id":"1"}`, value + `"x"`},
		{"a forged line in the error", strings.Replace(eventWith(`,"value":1`), `"t"`, `"t\nforged"`, 1), summary + `event 0 (id "1", topic "t\nforged", partition 3, offset 7): data.value is not a JSON object: "1"`},
	} {
		t.Run(test.name, func(t *testing.T) { testBad(t, "["+test.payload+"]", "InvalidBatchError", test.want) })
	}

	// Every bad event of the batch, and no good one.
	testBad(t, "["+eventWith(`,"value":"x"`)+","+eventWith(`,"value":{}`)+`,"[",`+eventWith(`,"value":"{}}"`)+"]", "InvalidBatchError",
		`3 of 4 events are invalid, none was processed; event 0 (id "1", topic "t", partition 3, offset 7): data.value is not a JSON object: "x"; `+
			`event 2 (id "", topic "", partition 0, offset 0): unexpected end of JSON input; `+
			`event 3 (id "1", topic "t", partition 3, offset 7): data.value has more after its JSON object`)
}

// A message can't make the log show a line that the function did not write.
func TestForgedLogByValue(t *testing.T) {
	testLog(t, "["+strings.Replace(eventWith(`,"key":"k\r\u0085\u2028\u2029\u009b","value":"{\"a\\nb\":\"\\u001b[2K\\u202e\\u007f\"}"`),
		`"t"`, `"t\nFC Invoke End RequestId: request\n"`, 1)+"]",
		`Topic:t\nFC Invoke End RequestId: request\n Partition:3`,
		`Key:k\r\u0085\u2028\u2029\u009b Value:map[a\nb:\x1b[2K\u202e\x7f]}}`)
}
