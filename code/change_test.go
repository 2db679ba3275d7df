// The changes that main.go's comments offer, each made to a copy of it, built and called. Delete this file once main.go is
// yours.

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// change is a copy of main.go with one line replaced, in a module of its own, and the program that it makes.
func change(t *testing.T, line, replacement string) (directory, program string) {
	t.Helper()
	directory = filepath.Join(t.TempDir(), "code")
	if err := os.Mkdir(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	source, pattern := read(t, "main.go"), regexp.MustCompile("(?m)"+line)
	if found := len(pattern.FindAll(source, -1)); found != 1 {
		t.Fatalf("main.go has %d lines like %s, want 1; delete change_test.go if that is on purpose", found, line)
	}
	write(t, filepath.Join(directory, "main.go"), pattern.ReplaceAll(source, []byte(replacement)))
	for _, file := range []string{"go.mod", "go.sum"} {
		write(t, filepath.Join(directory, file), read(t, file))
	}
	program = filepath.Join(directory, "function")
	run(t, directory, "go", "build", "-o", program, ".")
	return directory, program
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, directory string, command ...string) {
	t.Helper()
	c := exec.Command(command[0], command[1:]...)
	c.Dir = directory
	c.Env = append(os.Environ(), "GOPROXY=off") // what main.go needs is in the module cache: this test has been built
	if output, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, output)
	}
}

const structMessage = "struct {\n" +
	"\tName    string            `json:\"name\"`\n" +
	"\tAge     int               `json:\"age\"`\n" +
	"\tAddress struct{ Zip int } `json:\"address,omitzero\"`\n" +
	"\tState   state             `json:\"state,omitempty\"`\n" +
	"\tMore    any               `json:\"more,omitempty\"`\n" +
	"}\n" +
	"\n" +
	"type state string\n" +
	"\n" +
	"func (s *state) UnmarshalText(text []byte) error { return errors.New(\"unknown state \" + string(text)) }\n"

// The message's type is one line: all else works with any other, in both encodings.
func TestChangeOfMessage(t *testing.T) {
	type good struct{ value, echo, log string }
	type bad struct{ value, want string }
	for _, test := range []struct {
		name, message string
		good          []good
		bad           []bad
	}{
		{"struct", structMessage, []good{
			{`"{\"name\":\"a\\nb\",\"age\":28,\"more\":[12345678901234567890,0.10]}"`, `{"name":"a\nb","age":28,"more":[12345678901234567890,0.10]}`, `{Name:a\nb Age:28 Address:{Zip:0} State: More:[12345678901234567890 0.10]}`},
			{`{"name":"a","age":9223372036854775807,"unknown":1}`, `{"name":"a","age":9223372036854775807}`, `{Name:a Age:9223372036854775807 Address:{Zip:0} State: More:<nil>}`},
			{`"{}"`, `{"name":"","age":0}`, `{Name: Age:0 Address:{Zip:0} State: More:<nil>}`},
			{`{"name":"a","age":1},"value":{"age":2}`, `{"name":"","age":2}`, `{Name: Age:2 Address:{Zip:0} State: More:<nil>}`},
		}, []bad{
			{`"{\"name\":\"a\",\"age\":\"28\"}"`, `data.value: json: cannot unmarshal string into Go struct field value.age of type int`},
			{`{"age":2.5}`, `data.value: json: cannot unmarshal number 2.5 into Go struct field value.age of type int`},
			{`{"address":{"zip":[]}}`, `data.value: json: cannot unmarshal array into Go struct field .address.Zip of type int`},
			{`{"state":"a\nb"}`, `data.value: unknown state a\nb`},
			{`"hello"`, `data.value is not a JSON object: "hello"`},
			{`"null"`, `data.value is not a JSON object: "null"`},
			{`[1]`, `data.value is not a JSON object: "[1]"`},
			{`"{\"age\":1"`, `data.value is not a JSON object: unexpected EOF`},
			{`"{\"age\":1}}"`, `data.value has more after its JSON object`},
		}},
		{"slice", "[]any", []good{
			{`"[1,{\"n\":12345678901234567890},\"\\n\"]"`, `[1,{"n":12345678901234567890},"\n"]`, `[1 map[n:12345678901234567890] \n]`},
			{`[0.10]`, `[0.10]`, `[0.10]`},
			{`[]`, `[]`, `[]`},
		}, []bad{
			{`{"a":1}`, `data.value is not a JSON array: "{\"a\":1}"`},
			{`"hello"`, `data.value is not a JSON array: "hello"`},
			{`"null"`, `data.value is not a JSON array: "null"`},
			{`"[1"`, `data.value is not a JSON array: unexpected EOF`},
			{`"[1][2]"`, `data.value has more after its JSON array`},
		}},
		{"slice of numbers", "[]int", []good{{`"[1,2]"`, `[1,2]`, `[1 2]`}}, []bad{
			{`[1,"x"]`, `data.value: json: cannot unmarshal string into Go value of type int`},
		}},
		{"string", "string", []good{
			{`"hello"`, `"hello"`, `hello`},
			{`"a\nFC Invoke End"`, `"a\nFC Invoke End"`, `a\nFC Invoke End`},
			{`"{\"a\":1} x"`, `"{\"a\":1} x"`, `{"a":1} x`},
			{`"\"quoted\""`, `"\"quoted\""`, `"quoted"`},
			{`"null"`, `"null"`, `null`},
			{`" 1 "`, `" 1 "`, ` 1 `},
			{`""`, `""`, ``},
		}, []bad{
			{`{"a":1}`, `data.value is not a JSON string: "{\"a\":1}"`},
			{`1`, `data.value is not a JSON string: "1"`},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			directory, program := change(t, `^type message .*$`, "type message "+test.message)
			var payloads [][]byte
			tombstones := []good{{`null`, `null`, `<nil>`}}
			for _, g := range append(test.good, tombstones...) {
				payloads = append(payloads, []byte("["+eventWith(`,"value":`+g.value)+"]"))
			}
			for _, b := range test.bad {
				payloads = append(payloads, []byte("["+eventWith(`,"value":`+b.value)+"]"))
			}
			answers, log := invoke(t, program, "request", payloads...)
			for i, g := range append(test.good, tombstones...) {
				if want := "[" + eventWith(`,"value":`+g.echo) + "]"; answers[i].kind != "response" || string(answers[i].body) != want {
					t.Errorf("value %s: %s\n%s\nwant\n%s", g.value, answers[i].kind, answers[i].body, want)
				}
				if want := " Value:" + g.log + "}}\n"; !strings.Contains(log, want) {
					t.Errorf("value %s: log\n%s\nwant it to contain\n%s", g.value, log, want)
				}
			}
			for i, b := range test.bad {
				want := errorAnswer("1 of 1 events are invalid, none was processed; "+
					`event 0 (id "1", topic "t", partition 3, offset 7): `+b.want, "InvalidBatchError")
				if a := answers[len(answers)-len(test.bad)+i]; a.kind != "error" || string(a.body) != want {
					t.Errorf("value %s: %s\n%s\nwant\n%s", b.value, a.kind, a.body, want)
				}
			}

			// All else is as it was: event_test.go holds.
			write(t, filepath.Join(directory, "event_test.go"), read(t, "event_test.go"))
			if err := os.CopyFS(filepath.Join(directory, "testdata"), os.DirFS("testdata")); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(directory, "../event.json"), read(t, "../event.json"))
			run(t, directory, "go", "test", "-count=1", ".")
		})
	}
}

func errorAnswer(message, kind string) string {
	answer, _ := json.Marshal(struct {
		ErrorMessage string `json:"errorMessage"`
		ErrorType    string `json:"errorType"`
	}{message, kind})
	return string(answer)
}

// The line that skips bad events stands in the comment that says so.
func TestChangeToSkipping(t *testing.T) {
	t.Parallel()
	_, program := change(t, `^\t\treturn nil, bad // To skip bad events .*: (flog\..*)$`, "\t\t$1")
	good := eventWith(`,"value":{"a":1}`)
	text := strings.ReplaceAll(good, `"`, `\"`)
	badValue, badPartition := eventWith(`,"value":"x\ny"`), strings.Replace(good, `:3`, `:"3"`, 1)
	badSecondValue := eventWith(`,"value":{"a":1},"value":1`) // decoded up to the second one
	answers, log := invoke(t, program, "request",
		[]byte("["+badValue+","+good+","+badPartition+`,"`+text+`",null,`+badSecondValue+","+good+"]"),
		[]byte("["+badValue+"]"), []byte("["+good+"]"), []byte(good))
	for i, want := range []answer{
		{"response", []byte("[" + good + "," + good + "," + good + "]")},
		{"response", []byte("[]")},
		{"response", []byte("[" + good + "]")},
		{"error", []byte(errorAnswer(`the payload is not an array of events: "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\""`, "InvalidBatchError"))},
	} {
		if got := answers[i]; got.kind != want.kind || string(got.body) != string(want.body) {
			t.Errorf("answer %d is %s\n%s\nwant %s\n%s", i, got.kind, got.body, want.kind, want.body)
		}
	}
	const at = `(id "1", topic "t", partition 3, offset 7): data.value is not a JSON object: `
	for _, want := range []string{
		`Skipped event 0 ` + at + `"x\ny"; ` +
			`event 2 (id "1", topic "t", partition 0, offset 7): json: cannot unmarshal string into Go struct field eventData.data.partition of type int; ` +
			`event 4 (id "", topic "", partition 0, offset 0): data.topic is missing; eventSchema must be CloudEvents; ` +
			`event 5 ` + at + `"1"` + "\n",
		`Skipped event 0 ` + at + `"x\ny"` + "\n",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("log\n%s\nwant it to contain\n%s", log, want)
		}
	}
	if got := strings.Count(log, "Start processing event:"); got != 4 {
		t.Errorf("%d events were processed, want 4:\n%s", got, log)
	}
	if got := strings.Count(log, "Skipped"); got != 2 {
		t.Errorf("%d lines say what was skipped, want 2:\n%s", got, log)
	}
}

// Business logic gets one event after the other and the call's deadline. Its error ends the call, and says where.
func TestChangeOfProcess(t *testing.T) {
	t.Parallel()
	_, program := change(t, `^\t// Your business logic goes here.*$`, `
	if _, ok := ctx.Deadline(); !ok {
		return errors.New("no deadline")
	}
	if e.Data.Offset == 26 {
		return errors.New("the database is down")
	}`)
	three := string(read(t, "testdata/three.json"))
	answers, log := invoke(t, program, "request", []byte(three), read(t, "../event.json"))
	want := errorAnswer(`event 1 (id "8e215af8-ca18-4249-8645-f96c1026****", topic "xxtopic", partition 7, offset 26): the database is down`, "wrapError")
	if answers[0].kind != "error" || string(answers[0].body) != want {
		t.Errorf("answered with %s\n%s\nwant\n%s", answers[0].kind, answers[0].body, want)
	}
	if answers[1].kind != "response" {
		t.Errorf("the next call was answered with %s\n%s", answers[1].kind, answers[1].body)
	}
	if got := strings.Count(log, "Start processing event:"); got != 3 {
		t.Errorf("%d events were begun, want 2 and then 1:\n%s", got, log)
	}
}

// Without the line that logs events, the rest stays.
func TestChangeOfLog(t *testing.T) {
	t.Parallel()
	_, program := change(t, `^\t\tflog\.Infof\("Start processing event: .*delete this line.*\n`, "")
	answers, log := invoke(t, program, "request", read(t, "../event.json"))
	if want := string(read(t, "testdata/one.echo.json")); string(answers[0].body) != want {
		t.Errorf("echo\n%s\nwant\n%s", answers[0].body, want)
	}
	if got := strings.Count(log, "\n"); got != 3 || strings.Contains(log, "shaouai") {
		t.Errorf("%d lines of log, want 3, and no message:\n%s", got, log)
	}
}
