package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fclocal/internal/escape"
	"fclocal/internal/trigger"
)

// base is a document without problems; tests change a line or two of it.
func base(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/base.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FCLOCAL_TEST_GROUP", "consumers")
	return string(data)
}

// edit replaces each old text, which must occur once, by the new one after it.
func edit(t testing.TB, document string, oldnew ...string) string {
	t.Helper()
	for i := 0; i < len(oldnew); i += 2 {
		if n := strings.Count(document, oldnew[i]); n != 1 {
			t.Fatalf("%q occurs %d times in the document", oldnew[i], n)
		}
		document = strings.Replace(document, oldnew[i], oldnew[i+1], 1)
	}
	return document
}

func load(t testing.TB, document string, options Options) (*Project, []Problem) {
	t.Helper()
	directory := t.TempDir()
	path := filepath.Join(directory, "s.yaml")
	for name, content := range map[string]string{"s.yaml": document, "go.mod": ""} { // so that codeUri can be built
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	project, problems, err := Load(path, options)
	if err != nil {
		t.Fatal(err)
	}
	if errors, _ := Count(problems); (errors == 0) != (project != nil) {
		t.Errorf("%d errors, but the project is %v", errors, project)
	}
	return project, problems
}

// brief renders problems as LINE:COLUMN: SEVERITY: MESSAGE, with the override
// instead of a place where there is one.
func brief(problems []Problem) []string {
	var lines []string
	for _, p := range problems {
		at := fmt.Sprintf("%d:%d", p.Line, p.Column)
		if p.Line == 0 {
			at = p.File
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %s", at, p.Severity, p.Message))
	}
	return lines
}

func TestProject(t *testing.T) {
	got, problems := load(t, base(t), Options{})
	if problems != nil {
		t.Fatalf("problems: %q", brief(problems))
	}
	if filepath.Base(got.File) != "s.yaml" || !filepath.IsAbs(got.File) || got.Dir != filepath.Dir(got.File) {
		t.Errorf("File = %q, Dir = %q", got.File, got.Dir)
	}
	none := 0
	want := &Project{
		Build:   []Action{{Hook: "pre-local", Run: `test -n "${HOME}" && go build .`, Path: filepath.Join(got.Dir, "code")}},
		Name:    "app",
		Region:  "cn-hangzhou",
		Service: Service{Key: "orders", Name: "orders", Role: "acs:ram::1234567890123456:role/fc", LogProject: "logs", Logstore: "orders", Logs: true},
		Function: Function{
			Name: "consumer", Handler: "main", CodeURI: "./target", Runtime: "go1",
			MemorySize: 512, Timeout: 60, CPU: 0.35, DiskSize: 512, InstanceConcurrency: 10,
			InstanceSoftConcurrency: 10, InitializationTimeout: 3,
			EnvironmentVariables: map[string]string{"TZ": "Asia/Shanghai"},
		},
		Trigger: &Trigger{
			Name: "kafka", Qualifier: "prod", Enable: true, EventRuleFilterPattern: "{}",
			Mode: "event-streaming", EventSchema: "RawData", Concurrency: 26, MaximumTasks: 2,
			ErrorsTolerance:    "ALL",
			RetryStrategy:      RetryStrategy{PushRetryStrategy: "EXPONENTIAL_DECAY_RETRY", MaximumRetryAttempts: &none},
			DeadLetterQueueArn: "acs:mns:cn-hangzhou:1234567890123456:queues/dead",
			BatchWindow:        BatchWindow{CountBasedWindow: 100, TimeBasedWindow: 3},
			Kafka: Kafka{RegionID: "cn-hangzhou", InstanceID: "alikafka_1", Topic: "orders", ConsumerGroup: "consumers",
				OffsetReset: "latest", Network: "Default"},
		},
		Variables: []string{"FC_SERVICE_NAME=orders", "FC_QUALIFIER=prod"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Project{}, "File", "Dir")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// smallest holds only what is required.
const smallest = `edition: 1.0.0
name: app
services:
  s:
    component: fc@0.1.2
    props:
      region: cn-shanghai
      service: {name: s}
      function: {name: f, runtime: go1, handler: main, codeUri: .}
`

func TestDefaults(t *testing.T) {
	got, problems := load(t, smallest, Options{})
	if problems != nil {
		t.Fatalf("problems: %q", brief(problems))
	}
	want := &Project{
		Name: "app", Region: "cn-shanghai", Service: Service{Key: "s", Name: "s"},
		Function: Function{Name: "f", Runtime: "go1", Handler: "main", CodeURI: ".",
			MemorySize: 128, Timeout: 60, DiskSize: 512, InstanceConcurrency: 1, InstanceSoftConcurrency: 1, InitializationTimeout: 3,
			EnvironmentVariables: map[string]string{}},
		Variables: []string{"FC_SERVICE_NAME=s", "FC_QUALIFIER=LATEST"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Project{}, "File", "Dir")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	got, problems = load(t, smallest+`      triggers:
        - name: k
          type: eventbridge
          config:
            eventRuleFilterPattern: "{}"
            runOptions: {mode: event-streaming}
            eventSourceConfig:
              eventSourceType: Kafka
              eventSourceParameters:
                sourceKafkaParameters: {InstanceId: i, Topic: t, ConsumerGroup: g, OffsetReset: earliest}
`, Options{})
	if errors, _ := Count(problems); errors > 0 {
		t.Fatalf("problems: %q", brief(problems))
	}
	wantTrigger := &Trigger{
		Name: "k", Qualifier: "LATEST", Enable: true, EventRuleFilterPattern: "{}",
		Mode: "event-streaming", EventSchema: "CloudEvents", Concurrency: 1, MaximumTasks: 1,
		ErrorsTolerance: "NONE",
		RetryStrategy:   RetryStrategy{PushRetryStrategy: "BACKOFF_RETRY"},
		BatchWindow:     BatchWindow{CountBasedWindow: 1},
		Kafka: Kafka{RegionID: "cn-shanghai", InstanceID: "i", Topic: "t", ConsumerGroup: "g",
			OffsetReset: "earliest", Network: "Default"},
	}
	if diff := cmp.Diff(wantTrigger, got.Trigger); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHooks(t *testing.T) {
	document := strings.Replace(smallest, "codeUri: .}", `codeUri: ., initializer: "true", initializationTimeout: 20, instanceConcurrency: 20, instanceSoftConcurrency: 15,
        instanceLifecycleConfig: {preFreeze: {handler: "true"}, preStop: {handler: "true", timeout: 30}}}`, 1)
	got, problems := load(t, document, Options{})
	if problems != nil {
		t.Fatalf("problems: %q", brief(problems))
	}
	want := Function{Name: "f", Runtime: "go1", Handler: "main", CodeURI: ".", MemorySize: 128, Timeout: 60, DiskSize: 512,
		InstanceConcurrency: 20, InstanceSoftConcurrency: 15, EnvironmentVariables: map[string]string{},
		Initializer: "true", InitializationTimeout: 20, PreFreeze: Hook{"true", 3}, PreStop: Hook{"true", 30}}
	if diff := cmp.Diff(want, got.Function); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got, problems = load(t, document, Options{Set: map[string]string{"initializer": "", "instanceSoftConcurrency": "2"}})
	if problems != nil {
		t.Fatalf("problems: %q", brief(problems))
	}
	if got.Function.Initializer != "" || got.Function.InstanceSoftConcurrency != 2 {
		t.Errorf("overridden: %+v", got.Function)
	}
}

func TestVariableValues(t *testing.T) {
	t.Setenv("FCLOCAL_TEST_EMPTY", "")
	for _, test := range []struct{ name, vars, value, want string }{
		{"alone", "a: x", "${vars.a}", "x"},
		{"spaces", "a: x", "${ vars.a }", "x"},
		{"within a text", "a: x, n: 2, b: true", "-${vars.a}-${vars.n}${vars.b}-", "-x-2true-"},
		{"nested", "a: {b: {c: x}}", "${vars.a.b.c}", "x"},
		{"neighbour", "a: {b: x, c: '${vars.a.b}y'}", "${vars.a.c}", "xy"},
		{"below a variable", "a: {b: x}, c: '${vars.a}'", "${vars.c.b}", "x"},
		{"anchor", "a: &a {b: x}, c: *a", "${vars.c.b}", "x"},
		{"merge key", "a: &a {b: x, d: y}, c: {<<: *a, d: z}", "${vars.c.b}${vars.c.d}", "xz"},
		{"quoted number stays a string", "a: '1'", "${vars.a}", "1"},
		{"environment", "a: x", "${env(FCLOCAL_TEST_GROUP)}", "consumers"},
		{"environment, set but empty", "a: x", "n${env(FCLOCAL_TEST_EMPTY, d)}", "n"},
		{"environment with a default", "a: x", "${env(FCLOCAL_TEST_NONE, 'd')}-${env(FCLOCAL_TEST_NONE,e)}", "d-e"},
		{"environment in vars", "a: '${env(FCLOCAL_TEST_GROUP)}'", "${vars.a}", "consumers"},
		{"not resolved stays as it stands", "a: x", "${vars.a}-${config(AccountID)}", "${vars.a}-${config(AccountID)}"},
		{"no expression", "a: x", "$${}{vars.a}", "$${}{vars.a}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("FCLOCAL_TEST_GROUP", "consumers")
			document := strings.Replace(smallest, "name: app", fmt.Sprintf("name: %q\nvars: {%s}", test.value, test.vars), 1)
			project, problems := load(t, document, Options{})
			if project == nil {
				t.Fatalf("problems: %q", brief(problems))
			}
			if project.Name != test.want {
				t.Errorf("got %q, want %q", project.Name, test.want)
			}
		})
	}
}

func TestProjectRules(t *testing.T) {
	number := func(n int) *int { return &n }
	function := Function{InstanceConcurrency: 20, InstanceSoftConcurrency: 5, PreStop: Hook{"true", 3}}
	full := Trigger{
		Concurrency: 26, MaximumTasks: 3, ErrorsTolerance: "ALL", DeadLetterQueueArn: "acs:mns:queue",
		RetryStrategy: RetryStrategy{
			PushRetryStrategy: "EXPONENTIAL_DECAY_RETRY", MaximumRetryAttempts: number(5), MaximumEventAgeInSeconds: number(60),
		},
		BatchWindow: BatchWindow{CountBasedWindow: 100, TimeBasedWindow: 15},
	}
	want := trigger.Config{
		MaximumTasks: 3, Concurrency: 26, CountBasedWindow: 100, TimeBasedWindow: 15 * time.Second, BodyLimit: 33554432,
		RetryStrategy: trigger.ExponentialDecayRetry, MaximumRetryAttempts: 5, MaximumEventAge: time.Minute, RetryScale: 1,
		ErrorsTolerated: true, DeadLetterQueue: true, InstanceConcurrency: 20, InstanceSoftConcurrency: 5,
		MaxInstances: 100, InstanceBurst: 300, InstanceGrowth: 300, IdleTimeout: 3 * time.Minute, PreStop: true,
	}
	if diff := cmp.Diff(want, (&Project{Region: "cn-hangzhou", Function: function, Trigger: &full}).Rules()); diff != "" {
		t.Errorf("all settings (-want +got):\n%s", diff)
	}

	few := Trigger{
		Concurrency: 1, MaximumTasks: 1, ErrorsTolerance: "NONE", AsyncInvocation: true,
		RetryStrategy: RetryStrategy{PushRetryStrategy: "BACKOFF_RETRY"},
		BatchWindow:   BatchWindow{CountBasedWindow: 1},
	}
	want = trigger.Config{
		MaximumTasks: 1, Concurrency: 1, CountBasedWindow: 1, BodyLimit: 131072,
		RetryStrategy: trigger.BackoffRetry, RetryScale: 1, InstanceConcurrency: 20, InstanceSoftConcurrency: 5,
		MaxInstances: 100, InstanceBurst: 100, InstanceGrowth: 100, IdleTimeout: 3 * time.Minute,
	}
	function.PreStop = Hook{}
	if diff := cmp.Diff(want, (&Project{Region: "eu-central-1", Function: function, Trigger: &few}).Rules()); diff != "" {
		t.Errorf("few settings (-want +got):\n%s", diff)
	}
}

// The project's own file needs its placeholders filled in and nothing else.
func TestOwnFile(t *testing.T) {
	project, problems, err := Load("../../../../s.yaml", Options{})
	if err != nil || project == nil || project.Trigger == nil {
		t.Fatalf("project %+v, problems %q, err %v", project, brief(problems), err)
	}
	for _, line := range brief(problems) {
		if !strings.Contains(line, "is still the placeholder") {
			t.Error(line)
		}
	}
}

func TestFind(t *testing.T) {
	top := t.TempDir()
	below := filepath.Join(top, "a", "b")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	wantErr := "no s.yaml or s.yml in " + below + " or a directory above it; -t FILE names one"
	if path, err := Find(below); err == nil || err.Error() != wantErr {
		t.Errorf("Find = %q, %v; want the error %q", path, err, wantErr)
	}
	// Each is nearer than the one before it, and a directory is no file.
	for _, path := range []string{filepath.Join(top, "s.yaml"), filepath.Join(top, "a", "s.yml"), filepath.Join(top, "a", "s.yaml")} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Find(below); got != path || err != nil {
			t.Errorf("Find = %q, %v; want %q", got, err, path)
		}
	}
	if err := os.Mkdir(filepath.Join(below, "s.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(below); got != filepath.Join(top, "a", "s.yaml") || err != nil {
		t.Errorf("Find = %q, %v", got, err)
	}
}

func TestUnreadableFile(t *testing.T) {
	if _, _, err := Load(filepath.Join("testdata", "none.yaml"), Options{}); !os.IsNotExist(err) {
		t.Errorf("err = %v; want one of a file that does not exist", err)
	}
}

func FuzzLoad(f *testing.F) {
	document, err := os.ReadFile("testdata/base.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"edition: 3.0.0\nvars: {a: &a [*a], s: '${vars.s}'}\ntemplate: {t: *a}\nresources: {x: '${vars.s}', y: *a, z: {component: fc3, extend: {name: t}, actions: *a, props: {functionName: '${this.props}', code: {}, triggers: ['${vars.s}', *a, {triggerType: eventbridge, triggerConfig: x}]}}}\n",
		"edition: 1.0.0\nservices: {x: 1, z: {component: fc, actions: [], props: {service: 1, function: [], triggers: {a: b}}}, y: {component: fc, props: {function: {codeUri: [], handler: {}}, triggers: [1, {type: eventbridge}]}}}\n",
		string(document), base3(f), smallest, smallest3, "", "- 1", "a: &a [*a]", "<<: [1, {a: 1}]", "vars: {a: ${vars.b}, b: ${vars.a}}",
		"services: {a: {component: fc, props: {function: {cpu: 1e999, timeout: 0x10}, triggers: [{type: eventbridge}]}}}",
		"\ufeffa: 中\r\n\tb: 1", "? [a]\n: b", "a: !!int x\nb: !!binary =\nc: .nan",
		"vars: &v {<<: [*v, {b: '${env(PATH)}x'}], a: \"${vars.b}\\e[m\"}", "%TAG !a! b\n--- # \u202e\na: \x1b",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "s.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, options := range []Options{
			{Set: map[string]string{"cpu": "1", "Topic": "", "deadLetterQueue": "x", "initializer": ""}, FC3: true},
			{Deploy: true},
		} {
			project, problems, err := Load(path, options)
			if err != nil && !strings.Contains(err.Error(), "--function NAME picks one: ") {
				t.Fatal(err)
			}
			if errors, _ := Count(problems); err == nil && (errors == 0) != (project != nil) {
				t.Errorf("%d errors, but the project is %v", errors, project)
			}
			for _, p := range problems {
				if shown := strings.ReplaceAll(p.render(), "\n", ""); p.Message == "" || strings.Contains(p.Message, "\n") || escape.Line(shown) != shown {
					t.Errorf("message %q, shown as %q", p.Message, shown)
				}
			}
		}
	})
}
