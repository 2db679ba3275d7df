package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// repeat joins what make gives for 0 to n-1.
func repeat(n int, make func(i int) string) string {
	var parts []string
	for i := range n {
		parts = append(parts, make(i))
	}
	return strings.Join(parts, ", ")
}

func format(format string) func(int) string {
	return func(i int) string { return fmt.Sprintf(format, i) }
}

func always(text string) func(int) string { return func(int) string { return text } }

// A file of at most 1 MB is checked soon, in little memory, with little output,
// whatever it holds.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	lines := func(first string, n int, line func(i int) string) string {
		text := []string{"vars:\n" + first}
		for i := 1; i <= n; i++ {
			text = append(text, line(i))
		}
		return strings.Join(text, "")
	}
	function := func(more string) string {
		return strings.Replace(smallest, "codeUri: .}", "codeUri: ."+more+"}", 1)
	}
	domains := func(list string) string { return smallest + "      customDomains: [" + list + "]\n" }
	tooMuch := "error: more than 100000 values or 10 MB of text stand here once aliases, merge keys and variables are replaced"
	merges := "error: merge keys copy more than 100000 keys up to here"
	for _, test := range []struct{ name, document, want string }{
		{"FC 3.0: texts of texts", lines("  a0: xxxxxxxxxxxxxxxx\n", 60, func(i int) string {
			return fmt.Sprintf("  a%d: ${vars.a%d}${vars.a%d}\n", i, i-1, i-1)
		}) + smallest3, "error: the text is longer than 64 KB once its variables are replaced"},
		{"FC 3.0: texts in base64", lines("  a0: xxxxxxxxxxxxxxxx\n", 200, func(i int) string {
			return fmt.Sprintf("  a%d: ${base64(vars.a%d)}\n", i, i-1)
		}) + smallest3, "the text is longer than 32 KB"},
		{"FC 3.0: a text of lists of lists", lines("  b: ${str(vars.a60)}\n  a0: [x, x]\n", 60, func(i int) string {
			return fmt.Sprintf("  a%d: ['${vars.a%d}', '${vars.a%d}']\n", i, i-1, i-1)
		}) + smallest3, tooMuch},
		{"FC 3.0: templates", "template:\n  t: {" + repeat(2_000, func(i int) string { return fmt.Sprintf("k%d: 1", i) }) + "}\nedition: 3.0.0\nresources: {" +
			repeat(2_000, func(i int) string {
				return fmt.Sprintf("r%d: {component: fc3, extend: {name: t}, props: {region: cn-shanghai}}", i)
			}) + "}", "error: extend copies more than 100000 keys up to here"},
		{"FC 3.0: expressions that do not end", "vars:\n  a: \"" + strings.Repeat("${env('", 100_000) + "\"\n" + smallest3, "ok"},
		{"FC 3.0: calls within each other", "vars:\n  a: ${" + strings.Repeat("str(", 1_000) + "1" + strings.Repeat(")", 1_000) + "}\n" + smallest3, "cannot be compiled; more than 8 functions are called"},
		{"aliases", lines("  a0: &a0 [x, x]\n", 60, func(i int) string {
			return fmt.Sprintf("  a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
		}) + smallest, "17:8: " + tooMuch},
		{"variables of variables", lines("  a0: [x, x]\n", 60, func(i int) string {
			return fmt.Sprintf("  a%d: ['${vars.a%d}', '${vars.a%d}']\n", i, i-1, i-1)
		}) + smallest, "17:8: " + tooMuch},
		{"texts of texts", lines("  a0: xxxxxxxxxxxxxxxx\n", 60, func(i int) string {
			return fmt.Sprintf("  a%d: ${vars.a%d}${vars.a%d}\n", i, i-1, i-1)
		}) + smallest, "15:8: error: the text is longer than 64 KB once its variables are replaced"},
		{"texts together", "vars: {a: " + strings.Repeat("x", 60_000) + "}\n" + domains(repeat(40_000, always(`"y${vars.a}"`))),
			"error: the texts up to here are longer than 4 MB once their variables are replaced"},
		{"long text", "vars: {a: &a " + strings.Repeat("1", 500_000) + "}\n" + domains(repeat(90_000, always("*a"))), tooMuch},
		{"merge keys", "vars:\n  m0: &m0 {" + repeat(5_000, format("k%d: 1")) + "}\n  m1: {<<: [" + repeat(1_000, always("*m0")) + "]}\n" + smallest,
			"3:12: " + merges},
		{"merge keys of merge keys", lines("  m0: &m0 {"+repeat(1_000, format("k%d: 1"))+"}\n", 30, func(i int) string {
			return fmt.Sprintf("  m%d: &m%d {<<: [%s]}\n", i, i, repeat(100, always(fmt.Sprintf("*m%d", i-1))))
		}) + domains("'${vars.m30.none}'"), "3:16: " + merges},
		{"variables below merge keys", "vars:\n  a: '${vars.m30.none}'\n" + strings.TrimPrefix(lines("  m0: &m0 {b: 1}\n", 30, func(i int) string {
			return fmt.Sprintf("  m%d: &m%d {<<: [%s]}\n", i, i, repeat(100, always(fmt.Sprintf("*m%d", i-1))))
		}), "vars:\n") + smallest, "2:6: error: ${vars.m30.none} is not defined; defined are vars.a, vars.m0.b"},
		{"a service with errors many times", "services:\n  s: &s {component: fc, props: {" + repeat(900, format("u%d: 1")) + "}}\n  " +
			strings.ReplaceAll(repeat(5_000, format("s%d: *s")), ", ", "\n  ") + "\n", "2:3: " + tooMuch},
		{"lists", "a: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000), "1:67: error: more than 64 mappings and lists are within each other here"},
		{"mappings with long keys", "a: " + strings.Repeat("{"+strings.Repeat("k", 90)+": ", 9_000) + strings.Repeat("}", 9_000),
			"error: more than 64 mappings and lists are within each other here"},
		{"lists by variables", lines("", 20_000, func(i int) string { return fmt.Sprintf("  a%d: ['${vars.a%d}']\n", i, i+1) }) + smallest,
			"error: more than 64 mappings and lists are within each other here once aliases and variables are replaced"},
		{"long keys", function(", " + repeat(5_000, func(i int) string { return fmt.Sprintf("key%d%s: 1", i, strings.Repeat("x", 180)) })),
			`9:68: error: the key "key0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" is longer than 128 bytes`},
		{"unknown keys", function(", " + repeat(5_000, format("unknown%d: 1"))), `9:68: error: unknown key "unknown0"; allowed are asyncConfiguration, `},
		{"as many unknown keys as there can be", function(", " + repeat(90_000, format("k%d: "))),
			"1:1: error: the file has more than 10000 problems; fclocal looks for no more"},
		{"unknown variables", "vars: {" + repeat(5_000, format("defined%d: 1")) + "}\n" + domains(repeat(5_000, format(`"${vars.undefined%d}"`))),
			"11:23: error: ${vars.undefined0} is not defined; did you mean ${vars.defined0}?"},
		{"a long name of a variable", domains(`"${vars.` + strings.Repeat("x", 500_000) + `}"`), "10:23: error: ${vars.xxx"},
		{"a long number", function(", cpu: 0." + strings.Repeat("1", 500_000)), "cpu is 0.1111"},
		{"a long tag", function(", cpu: !<" + strings.Repeat("x", 500_000) + "> 1"), ""},
		{"duplicate keys", "a: {" + repeat(90_000, always("a: 1")) + "}\n", "1:1: error: the file has more than 10000 problems"},
		{"placeholders", "vars: [" + repeat(90_000, always("xxx")) + "]\n" + smallest, "1:1: error: the file has more than 10000 problems"},
		{"values", "a: [" + repeat(300_000, always("1")) + "]\n", "1:599996: error: the file has more than 200000 keys and values up to here"},
		{"directives", strings.Repeat("%TAG !a! b\n", 90_000) + "--- a\n", "101:1: error: more than 100 directives are in the file; s.yaml needs none"},
		{"question marks", strings.Repeat("? ", 300_000), "error: not valid YAML: exceeded max depth of 10000"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, problems := load(t, test.document, Options{Deploy: true})
			var shown, data strings.Builder
			if err := Render(&shown, problems); err != nil {
				t.Fatal(err)
			}
			if err := RenderJSON(&data, "s.yaml", problems); err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if test.want == "ok" && problems == nil {
				problems = []Problem{{Message: "ok"}}
			}
			if !strings.Contains(strings.Join(brief(problems), "\n"), test.want) {
				t.Errorf("problems: %.500s", brief(problems))
			}
			if took > time.Minute { // a second at most without -race, on a machine that is not loaded; without a limit, hours
				t.Errorf("it took %v", took)
			}
			if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; allocated > 1000 {
				t.Errorf("it took %d MB of memory", allocated)
			}
			if shown.Len() > 200_000 || data.Len() > 200_000 {
				t.Errorf("%d bytes are shown, and %d as JSON", shown.Len(), data.Len())
			}
			t.Logf("%v, %d MB, %d bytes, %d bytes of JSON", took, (after.TotalAlloc-before.TotalAlloc)>>20, shown.Len(), data.Len())
		})
	}
}

func TestLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.yaml")
	for size, want := range map[int]string{1 << 20: "", 1<<20 + 1: "read " + path + ": it is larger than 1 MB"} {
		if err := os.WriteFile(path, []byte(smallest+strings.Repeat("#", size-len(smallest))), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := Load(path, Options{})
		if got := fmt.Sprint(err); err != nil && got != want || err == nil && want != "" {
			t.Errorf("%d bytes: %v, want %q", size, err, want)
		}
	}
}

func TestLargeEvent(t *testing.T) {
	p := &Project{Dir: t.TempDir()}
	for size, want := range map[int]string{
		32 << 20:   "",
		32<<20 + 1: "the event cannot be read: read " + p.EventFile() + ": it is larger than 32 MB",
	} {
		if err := os.WriteFile(p.EventFile(), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if event, err := p.Event(); err == nil && len(event) != size || err != nil && err.Error() != want {
			t.Errorf("%d bytes: %d bytes, %v", size, len(event), err)
		}
	}
}

// Of many problems the first are shown, and how many more there are.
func TestManyProblems(t *testing.T) {
	problems := make([]Problem, 5_000)
	for i := range problems {
		problems[i] = Problem{Severity: SeverityError, File: "s.yaml", Line: i + 1, Column: 1, Message: "m"}
	}
	var shown bytes.Buffer
	if err := Render(&shown, problems); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(shown.String(), "\n"); len(lines) != 102 || lines[99] != "s.yaml:100:1: error: m" || lines[100] != "… and 4900 more" {
		t.Errorf("%d lines, the last are %q", len(lines), lines[len(lines)-3:])
	}
	var data bytes.Buffer
	if err := RenderJSON(&data, "s.yaml", problems); err != nil {
		t.Fatal(err)
	}
	var object struct {
		Errors, More int
		Problems     []Problem
	}
	if err := json.Unmarshal(data.Bytes(), &object); err != nil {
		t.Fatal(err)
	}
	if object.Errors != 5_000 || len(object.Problems) != 100 || object.More != 4_900 {
		t.Errorf("%d errors, %d problems, %d more", object.Errors, len(object.Problems), object.More)
	}
}

// However long the line is and whatever is in it, the caret is under the place.
func TestCaret(t *testing.T) {
	wide := strings.Repeat("单", 300)
	for _, test := range []struct {
		name, source  string
		column        int
		shown, spaces string
	}{
		{"escape sequence", "a: \x1b[31m, b: 1", 12, `a: \x1b[31m, b: 1`, strings.Repeat(" ", 14)},
		{"direction of writing", "# \u202ea: x", 5, `# \u{202e}a: x`, strings.Repeat(" ", 11)},
		{"not UTF-8", "a: \xff\xfe, b", 8, `a: \xff\xfe, b`, strings.Repeat(" ", 13)},
		{"beyond the end", "a", 9, "a", " "},
		{"200 characters", strings.Repeat("x", 200), 200, strings.Repeat("x", 200), strings.Repeat(" ", 199)},
		{"start of a long line", strings.Repeat("x", 201), 2, strings.Repeat("x", 200) + "…", " "},
		{"end of a long line", strings.Repeat("x", 500) + "y", 501, "…" + strings.Repeat("x", 199) + "y", strings.Repeat(" ", 200)},
		{"within a long line", strings.Repeat("x", 500) + "y" + strings.Repeat("z", 500), 501,
			"…" + strings.Repeat("x", 100) + "y" + strings.Repeat("z", 99) + "…", strings.Repeat(" ", 101)},
		{"wide characters", wide + "y" + wide, 301,
			"…" + strings.Repeat("单", 100) + "y" + strings.Repeat("单", 99) + "…", strings.Repeat(" ", 201)},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Problem{File: "s\x1b.yaml", Line: 1, Column: test.column, Severity: SeverityError, Message: "m", source: test.source}.render()
			want := fmt.Sprintf("s\\x1b.yaml:1:%d: error: m\n%s\n%s^\n", test.column, test.shown, test.spaces)
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// A message is one line of bounded length, whatever it is about.
func TestMessages(t *testing.T) {
	_, problems := load(t, strings.Replace(smallest, "name: app", `name: ["\e]0;owned\a\u202e\r\n"]`+"\nvars: {a: '${vars.\u202e"+strings.Repeat("单", 5_000)+"}'}", 1)+
		`      "un\e[2Jknown": 1`+"\n"+`      triggers: [{name: t, type: "\e[31mred\n", config: {}}]`+"\n", Options{})
	if len(problems) < 4 {
		t.Errorf("problems: %q", brief(problems))
	}
	for _, p := range problems {
		if strings.ContainsAny(p.Message, "\x1b\r\n\a\u202e") || utf8.RuneCountInString(p.Message) > maxMessage+1 {
			t.Errorf("message %q", p.Message)
		}
	}
}

// What comes from the environment may be a password: no message shows it.
func TestEnvironmentIsNotShown(t *testing.T) {
	const secret = "s3cr3t"
	t.Setenv("FCLOCAL_TEST_SECRET", secret)
	var edits [][]string
	for _, value := range []string{"${env(FCLOCAL_TEST_SECRET)}", "x${env(FCLOCAL_TEST_SECRET)}y", "${ env(FCLOCAL_TEST_SECRET, 'd') }", "${vars.secret}", "x${vars.mixed}y"} {
		for _, old := range []string{
			"memorySize: 512", "cpu: 0.35", "diskSize: 512", "timeout: 60", "runtime: go1", "handler: main", "codeUri: ./target", "logBeginRule: None",
			"triggerEnable: true", "eventRuleFilterPattern: '{}'", "errorsTolerance: ALL", "OffsetReset: latest", "Network: Default",
			"eventSourceType: Kafka", "          type: eventbridge", "component: devsapp/fc", "edition: 1.0.0", "TZ: Asia/Shanghai", "name: app",
			"vswitchIds: [vsw-1]", "concurrency: 26", "eventSchema: RawData", "PushRetryStrategy: EXPONENTIAL_DECAY_RETRY", "name: consumer",
			"                mode: event-streaming\n                eventSchema", "              mode: event-streaming\n              maximumTasks",
		} {
			key, _, _ := strings.Cut(old, ":")
			_, rest, broken := strings.Cut(old, "\n")
			changed := key + ": '" + value + "'"
			if broken {
				changed += "\n" + rest
			}
			edits = append(edits, []string{old, changed})
		}
		edits = append(edits, []string{"region: cn-hangzhou", "region: {'" + value + "': 1}"}, []string{"topic: orders", "topic: ['" + value + "']"},
			[]string{"vars:\n", "vars:\n  handler: &h '" + value + "/..'\n", "handler: main", "handler: *h"},
			[]string{"TZ: Asia/Shanghai", "GOMEMLIMIT: '" + value + "MB'"}, []string{"go build .", "go build -o x .", "handler: main", "handler: '" + value + "'"})
	}
	shown := 0
	for _, oldnew := range edits {
		oldnew = append([]string{"tasks: 2", "tasks: 2\n  secret: '${env(FCLOCAL_TEST_SECRET)}'\n  mixed: '-${vars.secret}-'"}, oldnew...)
		_, problems := load(t, edit(t, base(t), oldnew...), Options{FC3: true})
		var text strings.Builder
		if err := Render(&text, problems); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text.String(), secret) || strings.Contains(strings.Join(brief(problems), ""), secret) {
			t.Errorf("%q: %s", oldnew, &text)
		}
		if strings.Contains(strings.Join(brief(problems), ""), "${env(FCLOCAL_TEST_SECRET)}") {
			shown++
		}
	}
	_, problems := load(t, edit(t, base(t), "eventRuleFilterPattern: '{}'", "eventRuleFilterPattern: '${env(FCLOCAL_TEST_SECRET)}'"), Options{})
	want := "49:37: error: eventRuleFilterPattern is ${env(FCLOCAL_TEST_SECRET)}, which is not an event pattern in JSON"
	if got := brief(problems); len(got) != 1 || got[0] != want {
		t.Errorf("%q; want %q", got, want) // without what the parser of JSON says of it
	}
	if shown < len(edits)/2 {
		t.Errorf("only %d of %d messages show where a value is from", shown, len(edits))
	}
}
