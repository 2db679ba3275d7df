package events

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fclocal/internal/config"
)

// project has a trigger and an event.json.
func project(t *testing.T) *config.Project {
	t.Helper()
	directory := t.TempDir()
	event := `[{"data":{"key":"of event.json","value":"{\"a\":1}"}}]`
	if err := os.WriteFile(filepath.Join(directory, "event.json"), []byte(event), 0o644); err != nil {
		t.Fatal(err)
	}
	return &config.Project{File: "s.yaml", Dir: directory, Trigger: &config.Trigger{
		EventSchema: "RawData", EventRuleFilterPattern: "{}",
		Kafka: config.Kafka{InstanceID: "i", Topic: "orders"}, BatchWindow: config.BatchWindow{CountBasedWindow: 3},
	}}
}

const stamp = "1655952591589"

// data is an event of eventSchema RawData.
func data(place, rest string) string {
	return `{"topic":"orders",` + place + `,"timestamp":` + stamp + `,"headers":{"headers":[],"isReadOnly":false},` + rest + `}`
}

func TestMake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(file, []byte("of the file\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	place := func(offset string) string { return `"partition":0,"offset":` + offset }
	tests := map[string]struct {
		options Options
		want    []string // events
		notes   []string
	}{
		"a value":      {Options{Values: []string{"hello"}}, []string{data(place("0"), `"value":"hello"`)}, nil},
		"an empty one": {Options{Values: []string{""}}, []string{data(place("0"), `"value":""`)}, nil},
		"event.json's": {Options{Number: 2}, []string{data(place("0"), `"key":"of event.json","value":"{\"a\":1}"`), data(place("1"), `"key":"of event.json","value":"{\"a\":1}"`)}, nil},
		"another key":  {Options{Keys: []string{"k"}}, []string{data(place("0"), `"key":"k","value":"{\"a\":1}"`)}, nil},
		"a file":       {Options{Values: []string{"@" + file}}, []string{data(place("0"), `"value":"of the file\n"`)}, nil},
		"stdin":        {Options{Values: []string{"@-"}}, []string{data(place("0"), `"value":"of stdin"`)}, nil},
		"text with @":  {Options{Values: []string{"@@here"}}, []string{data(place("0"), `"value":"@here"`)}, nil},
		"values by turns": {Options{Values: []string{"a", "b"}, Keys: []string{"1", "2"}, Number: 3, Partition: 7, Offset: 41},
			[]string{data(`"partition":7,"offset":41`, `"key":"1","value":"a"`), data(`"partition":7,"offset":42`, `"key":"2","value":"b"`), data(`"partition":7,"offset":43`, `"key":"1","value":"a"`)}, nil},
		"one key":       {Options{Values: []string{"a", "b"}, Keys: []string{""}}, []string{data(place("0"), `"key":"","value":"a"`), data(place("1"), `"key":"","value":"b"`)}, nil},
		"JSON":          {Options{Values: []string{`{"a": 1}`}, Shape: "json"}, []string{data(place("0"), `"value":{"a": 1}`)}, nil},
		"a tombstone":   {Options{Keys: []string{"k"}, Shape: "tombstone"}, []string{data(place("0"), `"key":"k","value":null`)}, nil},
		"as strings":    {Options{Values: []string{"a"}, Shape: "string-elements"}, []string{quoted(data(place("0"), `"value":"a"`))}, nil},
		"binary":        {Options{Values: []string{"a\xff"}}, []string{data(place("0"), `"value":"a`+"\uFFFD"+`"`)}, []string{"--value 1 is not UTF-8: as from EventBridge, what is broken arrives as U+FFFD"}},
		"another topic": {Options{Values: []string{"a"}, Topic: "t"}, []string{strings.Replace(data(place("0"), `"value":"a"`), "orders", "t", 1)}, nil},
		"headers": {Options{Values: []string{"a"}, Headers: []string{"n=v=w", "none", "empty="}},
			[]string{strings.Replace(data(place("0"), `"value":"a"`), "[]", `[{"key":"n","value":[118,61,119]},{"key":"none","value":null},{"key":"empty","value":[]}]`, 1)}, nil},
		"more than a window": {Options{Values: []string{"a"}, Number: 4},
			[]string{data(place("0"), `"value":"a"`), data(place("1"), `"value":"a"`), data(place("2"), `"value":"a"`), data(place("3"), `"value":"a"`)},
			[]string{"the event has 4 messages; the trigger sends 3 at most (CountBasedWindow)"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := test.options
			o.Timestamp = stamp
			if o.Shape == "" {
				o.Shape = "text"
			}
			var notes []string
			got, err := o.Make(context.Background(), project(t), strings.NewReader("of stdin"), func(note string) { notes = append(notes, note) })
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(got) {
				t.Errorf("no JSON: %s", got)
			}
			if diff := cmp.Diff("["+strings.Join(test.want, ",")+"]", string(got)); diff != "" {
				t.Error(diff)
			}
			if !slices.Equal(notes, test.notes) {
				t.Errorf("notes %q, want %q", notes, test.notes)
			}
		})
	}
}

func quoted(text string) string {
	return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
}

// The trigger's pattern holds messages back here, too.
func TestPattern(t *testing.T) {
	p := project(t)
	p.Trigger.EventRuleFilterPattern = `{"data":{"key":["b"]}}`
	o := Options{Values: []string{"1", "2"}, Keys: []string{"a", "b"}, Timestamp: stamp, Shape: "text"}
	var notes []string
	got, err := o.Make(context.Background(), p, nil, func(note string) { notes = append(notes, note) })
	if want := "[" + data(`"partition":0,"offset":1`, `"key":"b","value":"2"`) + "]"; err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	if want := []string{"eventRuleFilterPattern lets 1 of 2 messages pass"}; !slices.Equal(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	o.Keys = []string{"c"}
	_, err = o.Make(context.Background(), p, nil, func(string) {})
	checkError(t, err, "eventRuleFilterPattern of s.yaml lets none of the messages pass: the trigger makes no call of them")
}

func TestErrors(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for want, o := range map[string]Options{
		"-n -1: it must be 0 or more":                                                                          {Number: -1},
		"-n 1 is less than the 2 values":                                                                       {Values: []string{"a", "b"}, Number: 1},
		"--partition -1: it must be 0 or more":                                                                 {Partition: -1},
		"--partition 2147483648: it must be 2147483647 or less":                                                {Partition: 1 << 31},
		"--offset -1: it must be 0 or more":                                                                    {Offset: -1},
		`--shape "xml": it must be text, json, string-elements, tombstone`:                                     {Shape: "xml"},
		"a tombstone has no value: leave --value out":                                                          {Shape: "tombstone", Values: []string{"a"}},
		"there are 2 --key and 3 --value: give one key for all, or one for each value":                         {Values: []string{"a", "b", "c"}, Keys: []string{"a", "b"}},
		"--shape json: the value of message 2 is no JSON: unexpected end of JSON input":                        {Shape: "json", Values: []string{"1", "{"}},
		`--header "=v": it must be NAME=VALUE`:                                                                 {Headers: []string{"=v"}},
		`--timestamp "1 h": it must be in milliseconds since 1970, or as 2022-06-23T02:49:51.589Z`:             {Timestamp: "1 h"},
		"--value: open " + none + ": no such file or directory; @@ begins a text with one @":                   {Values: []string{"@" + none}},
		"the event of 3 messages has more than 33554432 bytes (32 MB), which a synchronous call takes at most": {Values: []string{strings.Repeat("x", 12<<20)}, Number: 1 << 30},
	} {
		if o.Shape == "" {
			o.Shape = "text"
		}
		_, err := o.Make(context.Background(), project(t), nil, func(string) {})
		checkError(t, err, want)
	}
	p := project(t)
	p.Trigger = nil
	o := Options{Values: []string{"a"}, Shape: "text"}
	_, err := o.Make(context.Background(), p, nil, nil)
	checkError(t, err, "s.yaml has no eventbridge trigger for Kafka: --topic names the messages' topic")
	o.Topic = "orders"
	if event, err := o.Make(context.Background(), p, nil, nil); err != nil || !strings.Contains(string(event), `"specversion":"1.0"`) {
		t.Errorf("without a trigger: %v %s", err, event)
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}
