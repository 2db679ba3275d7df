package config

import (
	"fclocal/internal/result"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is wrong with the file as a whole.
func TestFiles(t *testing.T) {
	for _, test := range []struct{ name, document, want string }{
		{"empty", "", "1:1: error: the file is empty; a mapping with edition, name and services or resources is needed"},
		{"comments only", "# nothing\n", "1:1: error: the file is empty; a mapping with edition, name and services or resources is needed"},
		{"null", "~\n", "1:1: error: the file is empty; a mapping with edition, name and services or resources is needed"},
		{"list", "- 1\n", "1:1: error: the file is a list; a mapping with edition, name and services is needed"},
		{"scalar", "\n  text\n", `2:3: error: the file is "text" (a string); a mapping with edition, name and services is needed`},
		{"two documents", smallest + "---\na: 1\n", "10:1: error: a second document starts here; one is allowed"},
		{"second document is broken", smallest + "---\na: [\n", "11:5: error: not valid YAML: did not find expected node content while parsing a flow node"},
		{"tab as indentation", "vars:\n\ta: 1\n", "2:1: error: not valid YAML: found character that cannot start any token while scanning for the next token"},
		{"unclosed list", "a: [1,\nb: 2\n", "2:5: error: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence that starts on line 1"},
		{"two colons", "name: a: b\n", "1:8: error: not valid YAML: mapping values are not allowed in this context"},
		{"unknown anchor", "name: *none\n", "1:7: error: not valid YAML: unknown anchor 'none' referenced"},
		{"not UTF-8", "edition: 1.0.0\nname: 中\xff\n", "2:8: error: the byte 0xFF is not UTF-8; a YAML file is UTF-8 text without control characters"},
		{"control character", "name: a\x01\n", "1:8: error: the control character U+0001 is not allowed; a YAML file is UTF-8 text without control characters"},
		{"no services", "edition: 1.0.0\nname: a\nservices: {}\n", "3:1: error: none of the services is of component devsapp/fc"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := load(t, test.document, Options{})
			if diff := cmp.Diff([]string{test.want}, brief(problems)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRender(t *testing.T) {
	misspelt := strings.NewReplacer("fc@0.1.2\n", "fc@0.1.2\n    actoins: {}\n")
	for _, test := range []struct{ name, document, want string }{
		{"caret", strings.Replace(smallest, "region:", "regoin:", 1), `
s.yaml:7:7: error: unknown key "regoin"; did you mean "region"?
      regoin: cn-shanghai
      ^
`},
		{"byte order mark and CRLF", "\ufeff" + strings.ReplaceAll("editoin: 1.0.0\n"+strings.TrimPrefix(misspelt.Replace(smallest), "edition: 1.0.0\n"), "\n", "\r\n"), `
s.yaml:1:1: error: unknown key "editoin"; did you mean "edition"?
editoin: 1.0.0
^
s.yaml:6:5: error: unknown key "actoins"; did you mean "actions"?
    actoins: {}
    ^
`},
		{"wide characters", strings.Replace(smallest, "{name: s}", "{description: 订单é服务, nam: s}", 1), `
s.yaml:8:37: error: unknown key "nam"; did you mean "name"?
      service: {description: 订单é服务, nam: s}
                                        ^
`},
		{"tabs", strings.Replace(smallest, "{name: s}", "{\tdescription: d,\tnam: s}", 1), `
s.yaml:8:34: error: unknown key "nam"; did you mean "name"?
      service: { description: d, nam: s}
                                 ^
`},
		{"end of the file", "services: [\n\n", `
s.yaml:1:12: error: not valid YAML: did not find expected node content while parsing a flow node
services: [
           ^
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := load(t, test.document, Options{})
			for i := range problems {
				problems[i].File = "s.yaml"
			}
			var got strings.Builder
			if err := Render(&got, problems); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), got.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	_, problems := load(t, edit(t, base(t),
		"tasks: 2", "tasks: 0", // found wrong where it is used, and shown where it is defined
		"vswitchIds: [vsw-1]", "vswitchIds: [vsw-1, 5]",
		"topic: orders", "topic: xxx",
		"codeUri: ./target", "codeUrl: ./target",
		"          qualifier: prod\n", "          qualifier:\n",
	), Options{})
	var got []string
	for _, p := range problems {
		got = append(got, p.Path)
	}
	want := []string{
		"services.orders.props.triggers[0].config.runOptions.maximumTasks",
		"vars.kafka.topic",
		"services.orders.props.service.vpcConfig.vswitchIds[1]",
		"services.orders.props.function.codeUrl",
		"services.orders.props.triggers[0].qualifier",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSet(t *testing.T) {
	document := base(t)
	set := map[string]string{
		"cpu": "0.5", "timeout": "120", "maximumTasks": "7", "errorsTolerance": "NONE", "deadLetterQueue": "",
		"CountBasedWindow": "1", "MaximumEventAgeInSeconds": "30", "Topic": "123", "eventRuleFilterPattern": `{"source":["b"]}`, "triggerEnable": "false",
	}
	project, problems := load(t, document, Options{Set: set})
	if want := []string{"--set triggerEnable=false: warning: triggerEnable is false; the event stream is stopped, and no event comes"}; !slices.Equal(brief(problems), want) {
		t.Fatalf("problems: %q", brief(problems))
	}
	f, trigger := project.Function, project.Trigger
	if f.CPU != 0.5 || f.Timeout != 120 || trigger.MaximumTasks != 7 || trigger.ErrorsTolerance != "NONE" ||
		trigger.DeadLetterQueueArn != "" || trigger.BatchWindow != (BatchWindow{1, 3}) || *trigger.RetryStrategy.MaximumEventAgeInSeconds != 30 ||
		trigger.Kafka.Topic != "123" || trigger.EventRuleFilterPattern != `{"source":["b"]}` || trigger.Enable {
		t.Errorf("function %+v, trigger %+v", f, trigger)
	}

	for _, test := range []struct {
		name     string
		document string
		set      map[string]string
		want     []string
	}{
		{"wrong values", document, map[string]string{"CountBasedWindow": "0", "errorsTolerance": "SOME", "cpu": "x"}, []string{
			`--set CountBasedWindow=0: error: CountBasedWindow is 0; allowed is 1 to 10000`,
			`--set cpu=x: error: cpu is "x" (a string); a number is needed`,
			`--set errorsTolerance=SOME: error: errorsTolerance is "SOME"; allowed are ALL, NONE`,
		}},
		{"against what the file says", document, map[string]string{"cpu": "1"}, []string{
			"--set cpu=1: error: cpu is 1; allowed with 512 MB is 0.15 to 0.5 (cpu to memory in GB between 1:1 and 1:4)",
		}},
		{"instead of a wrong value", edit(t, document, "${env(FCLOCAL_TEST_GROUP)}", "${env(FCLOCAL_TEST_NONE)}", "timeout: 60", "timeout: long"),
			map[string]string{"ConsumerGroup": "g", "timeout": "60"}, nil},
		{"mapping that the file lacks", edit(t, document,
			"              batchWindow:\n                CountBasedWindow: 100\n                TimeBasedWindow: 3\n", ""),
			map[string]string{"TimeBasedWindow": "16"}, []string{"--set TimeBasedWindow=16: error: TimeBasedWindow is 16; allowed is 0 to 15"}},
		{"below what is no mapping", edit(t, document,
			"              batchWindow:\n                CountBasedWindow: 100\n                TimeBasedWindow: 3\n", "              batchWindow: 1\n"),
			map[string]string{"TimeBasedWindow": "1"}, []string{
				"--set TimeBasedWindow=1: error: runOptions.batchWindow is not a mapping",
				"64:28: error: batchWindow is 1 (a number); a mapping is needed",
			}},
		{"no trigger", smallest, map[string]string{"Topic": "t"}, []string{
			"--set Topic=t: error: the file has no EventBridge trigger for Kafka to set this of",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, problems := load(t, test.document, Options{Set: test.set})
			if diff := cmp.Diff(test.want, brief(problems)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestSetUnknownName(t *testing.T) {
	for name, want := range map[string]string{
		"maximumTask": `unknown setting "maximumTask"; did you mean "maximumTasks"?`,
		"handler":     `unknown setting "handler"; known are ` + strings.Join(SettingNames(), ", "),
	} {
		_, _, err := Load("testdata/base.yaml", Options{Set: map[string]string{name: "1"}})
		if err == nil || err.Error() != want {
			t.Errorf("err = %v; want %q", err, want)
		}
	}
	if names := SettingNames(); !slices.IsSorted(names) {
		t.Errorf("SettingNames() = %q", names)
	}
}

// Each line of the table of settings is checked, kept, shown and completed.
func TestSettings(t *testing.T) {
	document := base(t)
	for _, s := range settings {
		good, bad := "text", "{}"
		var want any = good
		switch {
		case s.allowed.choice != nil:
			want, bad = s.allowed.choice[0], "x"
			good = fmt.Sprint(want)
		case s.allowed.kind == "boolean":
			good, want, bad = "true", true, "1"
		case s.allowed.kind == "number":
			good, want, bad = "0.25", 0.25, "0"
		case s.allowed.kind == "integer":
			low, _ := strconv.Atoi(s.allowed.low)
			good, want, bad = s.allowed.low, low, strconv.Itoa(low-1)
		case s.name == "eventRuleFilterPattern":
			good, want, bad = "{}", "{}", "x"
		}
		set := map[string]string{s.name: good}
		if s.name == "memorySize" {
			set["cpu"] = "0.1"
		}
		project, problems := load(t, document, Options{Set: set})
		if project == nil {
			t.Errorf("%s=%s: %q", s.name, good, brief(problems))
			continue
		}
		all := project.Settings()
		i := slices.IndexFunc(all, func(shown result.Setting) bool { return shown.Name == s.name })
		if i < 0 || all[i].Value != want || all[i].Hidden || all[i].Unit != s.unit {
			t.Errorf("%s=%s: the settings of a run are %+v", s.name, good, all)
		}
		if s.allowed.kind == "string" && s.name != "eventRuleFilterPattern" {
			continue // any text is good
		}
		if project, problems := load(t, document, Options{Set: map[string]string{s.name: bad}}); project != nil || len(problems) == 0 || !strings.Contains(brief(problems)[0], ": error: "+s.keys(&edition1)[len(s.keys(&edition1))-1]) {
			t.Errorf("%s=%s: %q", s.name, bad, brief(problems))
		}
		if words := Complete(s.name + "="); len(s.allowed.choice) > 0 && !slices.Contains(words, s.name+"="+good) {
			t.Errorf("%s= is completed by %q", s.name, words)
		}
		if !slices.Contains(Complete(""), s.name+"=") || !strings.Contains(Describe(), "\n"+s.name+": ") && s.name != settings[0].name {
			t.Errorf("%s is not completed, or not described", s.name)
		}
	}
	if got, want := Complete("errorsTolerance=ALL,"), []string{"errorsTolerance=ALL,ALL", "errorsTolerance=ALL,NONE"}; !slices.Equal(got, want) {
		t.Errorf("completed by %q, want %q", got, want)
	}
}

func TestFC3(t *testing.T) {
	_, problems := load(t, base(t), Options{FC3: true})
	want := []string{"39:30: warning: instanceConcurrency is 10; in FC 3.0 a function newly made on go1 takes 1 call at a time only"}
	if diff := cmp.Diff(want, brief(problems)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	_, problems = load(t, base(t), Options{FC3: true, Set: map[string]string{"instanceConcurrency": "1"}})
	if problems != nil {
		t.Errorf("problems: %q", brief(problems))
	}
}

func TestCombinations(t *testing.T) {
	got, err := Combinations([]string{"a=1,2", "b=x", "p={\"k\":[1,2]}"})
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{{"a": "1", "b": "x", "p": `{"k":[1,2]}`}, {"a": "2", "b": "x", "p": `{"k":[1,2]}`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for set, want := range map[string]string{
		"a":  "--set a: it must be NAME=VALUE[,VALUE...]",
		"=1": "--set =1: it must be NAME=VALUE[,VALUE...]",
	} {
		if _, err := Combinations([]string{set}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Combinations([]string{"a=1", "a=2"}); err == nil || err.Error() != "--set a is given twice; several values go into one: a=A,B" {
		t.Error(err)
	}
}
