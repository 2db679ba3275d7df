package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fclocal/internal/result"
)

func TestEdit(t *testing.T) {
	crlf := strings.ReplaceAll(base(t), "\n", "\r\n")
	last := edit(t, base(t), "                  Network: Default\n", "                  Network: Default")
	for _, test := range []struct {
		name, document string
		set            map[string]string
		oldnew         []string // what becomes what
		changes        []result.Change
	}{
		{"FC 2.0", edit(t, base(t), "concurrency: 26", "concurrency: 26 # calls: 26"), map[string]string{"concurrency": "50", "CountBasedWindow": "80", "TimeBasedWindow": "3", "cpu": "0.4"},
			[]string{"concurrency: 26 # calls: 26", "concurrency: 50 # calls: 26", "CountBasedWindow: 100", "CountBasedWindow: 80", "cpu: 0.35", "cpu: 0.4"},
			[]result.Change{{Name: "CountBasedWindow", From: "100", To: "80", Line: 65}, {Name: "concurrency", From: "26", To: "50", Line: 54}, {Name: "cpu", From: "0.35", To: "0.4", Line: 37}}},
		{"FC 3.0", base3(t), map[string]string{"concurrency": "50"},
			[]string{"concurrency: 26", "concurrency: 50"},
			[]result.Change{{Name: "concurrency", From: "26", To: "50", Line: 58}}},
		{"a key that is missing", edit(t, base(t), "        instanceConcurrency: 10\n", ""), map[string]string{"instanceConcurrency": "50"},
			[]string{"        diskSize: 512\n", "        diskSize: 512\n        instanceConcurrency: 50\n"},
			[]result.Change{{Name: "instanceConcurrency", To: "50", Line: 39}}},
		{"mappings that are missing", edit(t, base(t), "              batchWindow:\n                CountBasedWindow: 100\n                TimeBasedWindow: 3\n", ""), map[string]string{"CountBasedWindow": "50", "TimeBasedWindow": "1"},
			[]string{"              errorsTolerance: ALL\n", "              errorsTolerance: ALL\n              batchWindow:\n                CountBasedWindow: 50\n                TimeBasedWindow: 1\n"},
			[]result.Change{{Name: "CountBasedWindow", To: "50", Line: 60}, {Name: "TimeBasedWindow", To: "1", Line: 61}}},
		{"lines that end otherwise", crlf, map[string]string{"concurrency": "50"},
			[]string{"concurrency: 26\r\n", "concurrency: 50\r\n"}, []result.Change{{Name: "concurrency", From: "26", To: "50", Line: 54}}},
		{"a last line without an end", last, map[string]string{"concurrency": "50"},
			[]string{"concurrency: 26", "concurrency: 50"}, []result.Change{{Name: "concurrency", From: "26", To: "50", Line: 54}}},
		{"a variable", base(t), map[string]string{"maximumTasks": "4", "concurrency": "50"},
			[]string{"concurrency: 26", "concurrency: 50"},
			[]result.Change{{Name: "concurrency", From: "26", To: "50", Line: 54}, {Name: "maximumTasks", From: "2", To: "4", Instead: "it comes from ${vars.tasks}, which others may use"}}},
		{"an anchor", edit(t, base(t), "batchWindow:\n", "batchWindow: &w\n"), map[string]string{"CountBasedWindow": "50"}, nil,
			[]result.Change{{Name: "CountBasedWindow", From: "100", To: "50", Instead: "it is part of the anchor &w, which others may use"}}},
		{"an alias", edit(t, base(t), "  tasks: 2\n", "  tasks: &n 2\n", "cpu: 0.35", "cpu: 0.35", "concurrency: 26", "concurrency: *n"), map[string]string{"concurrency": "50"}, nil,
			[]result.Change{{Name: "concurrency", From: "2", To: "50", Instead: "it comes from the anchor &n, which others may use"}}},
		{"a mapping in one line", edit(t, base(t), "batchWindow:\n                CountBasedWindow: 100\n                TimeBasedWindow: 3\n", "batchWindow: {CountBasedWindow: 100}\n"), map[string]string{"CountBasedWindow": "50", "TimeBasedWindow": "1"},
			[]string{"{CountBasedWindow: 100}", "{CountBasedWindow: 50}"},
			[]result.Change{{Name: "CountBasedWindow", From: "100", To: "50", Line: 64}, {Name: "TimeBasedWindow", To: "1", Instead: "the file has no mapping that it could stand in"}}},
		{"nothing", base(t), map[string]string{"concurrency": "26"}, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s.yaml")
			if err := os.WriteFile(path, []byte(test.document), 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := NewEdit(path, test.set, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(edit(t, test.document, test.oldnew...), string(e.After)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(test.changes, e.Changes); diff != "" {
				t.Errorf("changes: -want +got:\n%s", diff)
			}
			if got := e.Diff("s.yaml"); (got == "") != (test.oldnew == nil) {
				t.Errorf("the diff is %q", got)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	lines := func(text string) []byte { return []byte(strings.ReplaceAll(text, " ", "\n")) }
	for _, test := range []struct{ before, after, want string }{
		{"a b c d e f g h ", "a b c d E f g h ", "@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n"},
		{"a b c d e f g h i j k l m ", "A b c d e f g h i j k l M ", "@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n d\n@@ -10,4 +10,4 @@\n j\n k\n l\n-m\n+M\n"},
		{"a b c d e f g h ", "A b c d e f g H ", "@@ -1,8 +1,8 @@\n-a\n+A\n b\n c\n d\n e\n f\n g\n-h\n+H\n"},
		{"a b ", "a x y b ", "@@ -1,2 +1,4 @@\n a\n+x\n+y\n b\n"},
		{"a b", "a B", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+B\n\\ No newline at end of file\n"},
		{"a ", "a ", ""},
	} {
		e := Edit{Before: lines(test.before), After: lines(test.after)}
		want := test.want
		if want != "" {
			want = "--- s.yaml\n+++ s.yaml\n" + want
		}
		if got := e.Diff("s.yaml"); got != want {
			t.Errorf("%q to %q:\n%s\nwant\n%s", test.before, test.after, got, want)
		}
	}
}

func TestWith(t *testing.T) {
	project, _ := load(t, base(t), Options{})
	changed := project.With(map[string]float64{"concurrency": 50, "instanceConcurrency": 5, "cpu": 0.4})
	if changed.Trigger.Concurrency != 50 || changed.Function.InstanceConcurrency != 5 || changed.Function.InstanceSoftConcurrency != 5 || changed.Function.CPU != 0.4 {
		t.Errorf("%+v, %+v", changed.Function, changed.Trigger)
	}
	if project.Trigger.Concurrency != 26 || project.Function.InstanceConcurrency != 10 {
		t.Error("the project itself has changed")
	}
}
