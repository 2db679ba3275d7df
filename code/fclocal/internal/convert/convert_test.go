package convert

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fclocal/internal/config"
)

func toFC3(t *testing.T, source string) (text string, notes []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	document, data, problems, err := config.Parse(path)
	if err != nil || document == nil {
		t.Fatal(err, problems)
	}
	converted, all, err := ToFC3(document, data)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		notes = append(notes, fmt.Sprintf("%d: %s", n.Line, n.Message))
	}
	return string(converted), notes
}

const (
	nameNote  = "functionName is the function's name alone, as FC 3.0 has no services; what FC 2.0's file has deployed stays until it is removed with that file"
	kafkaNote = nameNote + ", and shares the messages of the consumer group"
)

// document is a file with one service.
func document(service, function, more string) string {
	return `# A head.

edition: 1.0.0
name: app
vars:
  service: {name: s, role: r}

services:
  one:
    component: fc
    props:
      region: cn-shanghai
      service: # of the service
` + service + `      function:
        name: f # of the function
        runtime: go1
        memorySize: 128
        timeout: 60
` + function + more
}

func TestToFC3(t *testing.T) {
	// What all have at the start.
	const head = `# A head.

edition: 3.0.0
name: app
vars:
  service: {name: s, role: r}

resources:
  one:
    component: fc3
    props:
      region: cn-shanghai
      functionName: f # of the function
      runtime: go1
      memorySize: 128
      timeout: 60
`
	name := "15: " + nameNote
	for _, test := range []struct {
		name, source, want string
		notes              []string
	}{
		{"names", document("        name: s\n", "        codeUri: ./c # of the code\n        handler: main\n", ""),
			head + "      code: ./c # of the code\n      handler: main\n", []string{"16: " + nameNote}},
		{"service", document(`        name: s
        description: of the service
        role: acs:ram::1:role/r
        internetAccess: false
        tracingConfig: Disable
        logConfig: auto
        vpcConfig: {vpcId: v, vswitchIds: [w], securityGroupId: g}
        nasConfig:
          userId: 1
          mountPoints: [{serverAddr: a, nasDir: /d, fcDir: /mnt}]
        vpcBinding: [v]
`, "", ""), head + `      # of the service
      description: of the service
      role: acs:ram::1:role/r
      internetAccess: false
      logConfig: auto
      vpcConfig: {vpcId: v, vSwitchIds: [w], securityGroupId: g}
      nasConfig:
        userId: 1
        mountPoints: [{serverAddr: 'a:/d', mountDir: /mnt}]
      vpcBinding:
        vpcIds: [v]
`, []string{"19: logConfig auto makes a project and a logstore of other names in FC 3.0: serverless-REGION-… and default-logs", "26: " + nameNote}},
		{"a service that is made by the tools", document(`        name: s
        role: {name: r, policies: [p]}
        tracingConfig: Enable
`, "", ""), head + "      # of the service\n      role: r\n", []string{
			"15: role is the name of the role alone: FC 3.0's tools make no role, and attach no policies",
			"16: tracingConfig Enable is left out: FC 3.0 wants a mapping with type and params, say type: Jaeger", "18: " + nameNote}},
		{"function", document("        name: s\n", `        ossBucket: b
        ossKey: k
        instanceType: c1
        instanceConcurrency: 26
        instanceSoftConcurrency: 20
        initializer: "true"
        initializationTimeout: 20
        instanceLifecycleConfig:
          preFreeze: {handler: "true"}
          preStop: {handler: "true", timeout: 5}
        asyncConfiguration:
          destination: {onFailure: "acs:mns:::/queues/q/messages"}
          maxAsyncRetryAttempts: 1
          statefulInvocation: true
`, ""), head + `      instanceConcurrency: 26
      asyncInvokeConfig:
        destinationConfig:
          onFailure:
            destination: "acs:mns:::/queues/q/messages"
        maxAsyncRetryAttempts: 1
        asyncTask: true
      code:
        ossBucketName: b
        ossObjectName: k
      instanceLifecycleConfig:
        initializer:
          handler: "true"
          timeout: 20
        preStop: {handler: "true", timeout: 5}
`, []string{"16: " + nameNote, "22: instanceType c1 is left out: FC 3.0 has none",
			"23: instanceConcurrency 26 counts as 1 in FC 3.0 on go1: each call in flight needs an instance of its own; only custom runtimes take more",
			"24: instanceSoftConcurrency is left out: FC 3.0 has none", "28: preFreeze is left out: FC 3.0 has no such hook"}},
		{"triggers", document("        name: s\n", "", `      triggers:
        - name: k # of the trigger
          type: eventbridge
          config:
            eventSourceConfig: {eventSourceType: Kafka}
        - name: o
          type: oss
          role: acs:ram::1:role/o
          config:
            bucketName: b
            events: ["oss:ObjectCreated:*"]
            filter: {Key: {Prefix: a, Suffix: b}}
        - {name: h, type: http, qualifier: LATEST, config: {authType: anonymous, methods: [GET]}}
      customDomains: [{domainName: auto}]
`), head + `      triggers:
        - triggerName: k # of the trigger
          triggerType: eventbridge
          triggerConfig:
            eventSourceConfig: {eventSourceType: Kafka}
        - triggerName: o
          triggerType: oss
          invocationRole: acs:ram::1:role/o
          triggerConfig:
            events: ["oss:ObjectCreated:*"]
            filter: {key: {prefix: a, suffix: b}}
        - {triggerName: h, triggerType: http, qualifier: LATEST, triggerConfig: {authType: anonymous, methods: [GET]}}
`, []string{"16: " + kafkaNote,
			"29: bucketName is no setting of FC 3.0: give sourceArn acs:oss:REGION:ACCOUNT:b to the trigger, beside triggerConfig",
			"32: the http trigger calls the function with an event that holds the request: FC 3.0 has HTTP handlers, such as those of fc.StartHttp, no more",
			"33: customDomains are left out: in FC 3.0 each is a resource of component fc3-domain"}},
		{"a service in vars", strings.Replace(document("", "", ""), "service: # of the service", "service: ${vars.service}", 1),
			head + "      role: ${vars.service.role}\n", []string{name}},
		{"variables", document("        name: s\n", `        environmentVariables:
          A: ${env(A)}-${env(B, "it's")}-${env.C}
          B: ${config(AccountID)} ${file(./f)} ${vars.service.name}
          C: ${one.props.function.name} ${one.output.x} ${this.props.region} ${two.x}
`, ""), head + `      environmentVariables:
        A: ${env('A')}-${env('B', 'it\'s')}-${env('C')}
        B: ${config('AccountID')} ${file('./f')} ${vars.service.name}
        C: ${resources.one.props.functionName} ${resources.one.output.x} ${this.props.region} ${two.x}
`, []string{"16: " + nameNote, "23: ${two.x} is left as it is: see whether FC 3.0's tools know it"}},
		{"anchors and merge keys", strings.NewReplacer("memorySize: 128", "memorySize: *m", "vars:\n", "vars:\n  m: &m 128\n  more: &more {timeout: 9, description: d}\n").
			Replace(document("        name: &n s\n", "        <<: *more\n        environmentVariables: {N: *n}\n", "")),
			strings.NewReplacer("memorySize: 128", "memorySize: *m", "vars:\n", "vars:\n  m: &m 128\n  more: &more {timeout: 9, description: d}\n").Replace(head) +
				"      environmentVariables: {N: s}\n      description: d\n", []string{"18: " + nameNote}},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, notes := toFC3(t, test.source)
			if diff := cmp.Diff(test.want, text); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(test.notes, notes); diff != "" {
				t.Errorf("notes: -want +got:\n%s", diff)
			}
		})
	}
}

// What FC 2.0 takes where nothing is given is given, and actions are FC 3.0's.
func TestDefaultsAndActions(t *testing.T) {
	text, notes := toFC3(t, `edition: 1.0.0
name: app
services:
  one:
    component: devsapp/fc@0.1
    actions:
      pre-deploy: [{component: fc build}, {run: 'echo ${HOME} $PATH'}]
      post-deploy: [{component: devsapp/fc versions publish}]
    props:
      region: cn-shanghai
      service: {name: s}
      function: {name: f, runtime: custom, codeUri: ., caPort: 8080, customRuntimeConfig: {command: [a]}, customHealthCheckConfig: {httpGetUrl: /}}
  two:
    component: devsapp/fc
    props: {region: cn-shanghai, service: {name: t}, function: {name: f, runtime: go1, handler: main, codeUri: ., timeout: 1, memorySize: 128}}
  site:
    component: devsapp/website
`)
	const want = `edition: 3.0.0
name: app
resources:
  one:
    component: fc3
    actions:
      pre-deploy: [{component: fc3 build}, {run: 'echo $HOME $PATH'}]
      complete-deploy: [{component: fc3 versions publish}]
    props:
      region: cn-shanghai
      functionName: f
      runtime: custom
      code: .
      memorySize: 128
      timeout: 60
      customRuntimeConfig:
        port: 8080
        command: [a]
        healthCheckConfig: {httpGetUrl: /}
  two:
    component: fc3
    props: {region: cn-shanghai, functionName: f, runtime: go1, handler: main, code: ., timeout: 1, memorySize: 128}
  site:
    component: devsapp/website
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantNotes := []string{
		"7: ${HOME} of the shell is now written $HOME: in FC 3.0's file ${HOME} is a variable of s",
		"12: " + nameNote,
		"12: memorySize is 128, which FC 2.0 takes where none is given: FC 3.0 takes another",
		"12: timeout is 60, which FC 2.0 takes where none is given: FC 3.0 takes another",
		"15: " + nameNote,
		"15: functionName f is also that of one: in FC 3.0 the services do not tell them apart; give one another name",
		"17: component devsapp/website is left as it is: FC 3.0's tools need one without a /",
	}
	if diff := cmp.Diff(wantNotes, notes); diff != "" {
		t.Errorf("notes: -want +got:\n%s", diff)
	}
}

// bomb is a small file whose merge keys stand for very much.
func bomb(source string) string {
	text := "vars:\n  a0: &a0 {x: y}\n"
	for i := range 6 {
		one := fmt.Sprintf(source, i)
		text += fmt.Sprintf("  a%d: &a%d {<<: [%s]}\n", i+1, i+1, strings.Join(slices.Repeat([]string{one}, 50), ", "))
	}
	return text + "edition: 1.0.0\nservices:\n  s:\n    component: fc\n    props:\n      service: " + fmt.Sprintf(source, 6) + "\n      function: {name: f}\n"
}

func TestNotFC2(t *testing.T) {
	for source, want := range map[string]string{
		"edition: 3.0.0\nresources: {}\n": "edition is 3.0.0: the file is FC 3.0's already",
		"edition: 1.0.0\nname: a\n":       "services is missing: this is no file of FC 2.0",
		bomb("*a%d"):                      "its aliases and variables stand for more than 100000 values",
		bomb("'${vars.a%d}'"):             "its aliases and variables stand for more than 100000 values",
	} {
		path := filepath.Join(t.TempDir(), "s.yaml")
		if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		document, data, _, err := config.Parse(path)
		if err == nil {
			_, _, err = ToFC3(document, data)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// The project's own file becomes one that check accepts, but for the placeholder that
// it refuses in both, and that runs the same.
func TestOwnFile(t *testing.T) {
	source, err := os.ReadFile("../../../../s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := toFC3(t, string(source))
	comments := strings.Count(string(source), "#") - strings.Count(text, "#")
	if comments != 2 { // of tracingConfig and instanceType
		t.Errorf("%d comments have gone", comments)
	}
	load := func(text string) (*config.Project, []config.Problem) {
		directory := t.TempDir()
		path := filepath.Join(directory, "s.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		project, problems, err := config.Load(path, config.Options{Deploy: true})
		if err != nil {
			t.Fatal(err)
		}
		return project, problems
	}
	if _, problems := load(text); !strings.HasPrefix(config.Summary(problems), "1 error, ") {
		t.Errorf("%s: %+v", config.Summary(problems), problems)
	}
	role := func(text string) string {
		return strings.Replace(text, "acs:ram::xxx:", "acs:ram::1234567890123456:", 1)
	}
	got, problems := load(role(text))
	if got == nil {
		t.Fatalf("%+v", problems)
	}
	want, _ := load(role(string(source)))
	if diff := cmp.Diff(want.Trigger, got.Trigger); diff != "" {
		t.Errorf("trigger: -FC 2.0 +FC 3.0:\n%s", diff)
	}
	want.Function.InstanceConcurrency, want.Function.InstanceSoftConcurrency = 1, 1
	if diff := cmp.Diff(want.Function, got.Function); diff != "" {
		t.Errorf("function: -FC 2.0 +FC 3.0:\n%s", diff)
	}
}

// What a service has is not lost in silence where it stands elsewhere.
func TestServiceOfAnother(t *testing.T) {
	source := document("        name: s\n        role: r\n", "", "") + `  two:
    component: fc
    props: {region: cn-shanghai, service: "${one.props.service}", function: {name: g, runtime: go1, memorySize: 128, timeout: 60}}
`
	text, notes := toFC3(t, source)
	want := []string{
		"17: " + nameNote,
		"23: " + nameNote,
		"23: service ${one.props.service} is not resolved, and left out: write its role, logConfig, vpcConfig and so on into props",
	}
	if diff := cmp.Diff(want, notes); diff != "" || strings.Count(text, "role: r") != 2 { // vars and one
		t.Errorf("notes: -want +got:\n%s\n%s", diff, text)
	}
}
