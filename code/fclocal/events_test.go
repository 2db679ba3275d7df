package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The event that invoke makes of a message is the one that stream makes of it, byte
// for byte; what kcat and the console consumer wrote is that message, too.
func TestInvokeMakesTheStreamsEvent(t *testing.T) {
	const stamp = "1655952591589"
	printed, err := fclocal(t, "invoke", "--print", "--value", "<no JSON>", "--key", "k", "--header", "trace=a", "--header", "none", "--timestamp", stamp).Output()
	if err != nil {
		t.Fatal(err)
	}
	for format, line := range map[string]string{
		"object":                        `{"value":"<no JSON>","key":"k","headers":{"trace":"a","none":null},"timestamp":` + stamp + `}`,
		"auto":                          `{"topic":"t","partition":0,"offset":99,"tstype":"create","ts":` + stamp + `,"broker":1,"headers":["trace","a","none",null],"key":"k","payload":"<no JSON>"}`,
		"console:timestamp,headers,key": "CreateTime:" + stamp + "\ttrace:a,none:null\tk\t<no JSON>",
	} {
		directory := t.TempDir()
		messages, dead := filepath.Join(directory, "messages"), filepath.Join(directory, "dead.jsonl")
		if err := os.WriteFile(messages, []byte(line+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, stderr, code := tryStream(t, "--messages", messages, "--messages-format", format, "--dead-letters", dead, "--set", "CountBasedWindow=1", "--retry-scale", "0")
		if code != exitOK {
			t.Fatalf("%s: exit code %d\n%s", format, code, stderr)
		}
		if told := strings.Contains(stderr, "fclocal: "+messages+" is read as what kcat -J writes\n"); told != (format == "auto") {
			t.Errorf("%s: it is said that kcat has written it: %t\n%s", format, told, stderr)
		}
		letters, err := os.ReadFile(dead)
		var letter struct{ Event json.RawMessage }
		if err == nil {
			err = json.Unmarshal(letters, &letter)
		}
		if err != nil {
			t.Fatal(err)
		}
		// A dead letter's JSON is escaped for pages: that is not the event's doing.
		event := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(letter.Event))
		if got, want := event, strings.Trim(string(printed), "[]\n"); got != want {
			t.Errorf("%s: the stream's event\n%s\nis not invoke's\n%s", format, got, want)
		}
	}
}
