package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// base3 is base in FC 3.0's file.
func base3(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/base3.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func runProblemTests3(t *testing.T, tests []problemTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := load(t, edit(t, base3(t), test.oldnew...), Options{Deploy: true})
			if diff := cmp.Diff(test.want, brief(problems)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What is the same in both formats is the same in a Project.
func TestProject3(t *testing.T) {
	got, problems := load(t, base3(t), Options{})
	if problems != nil {
		t.Fatalf("problems: %q", brief(problems))
	}
	want, _ := load(t, base(t), Options{})
	want.Service.Name = ""
	want.Function.Initializer, want.Function.InitializationTimeout = "true", 20
	want.Function.PreStop = Hook{"true", 3}
	want.Function.InstanceConcurrency, want.Function.InstanceSoftConcurrency = 1, 1
	want.Variables = []string{"FC_RUNTIME=go1", "FC_TIMEOUT=60", "FC_INITIALIZER_HANDLER=true", "FC_INITIALIZATION_TIMEOUT=20"}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Project{}, "File", "Dir", "Build")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(got.Build) != 1 || got.Build[0].Run != "go build -o ../target/main ." || got.Build[0].Path != filepath.Join(got.Dir, "code") {
		t.Errorf("actions %+v", got.Build)
	}
}

const smallest3 = `edition: 3.0.0
resources:
  s:
    component: fc3@0.1.22
    props:
      region: cn-shanghai
      functionName: f
      runtime: go1
      handler: main
      code: .
`

func TestDefaults3(t *testing.T) {
	got, problems := load(t, smallest3, Options{})
	if problems != nil {
		t.Fatalf("problems: %q", brief(problems))
	}
	want := Function{Name: "f", Runtime: "go1", Handler: "main", CodeURI: ".", MemorySize: 512, Timeout: 3, CPU: 0.35, DiskSize: 512,
		InstanceConcurrency: 1, InstanceSoftConcurrency: 1, InitializationTimeout: 3, EnvironmentVariables: map[string]string{}}
	if diff := cmp.Diff(want, got.Function); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	custom := strings.Replace(smallest3, "runtime: go1\n      handler: main", `runtime: custom.debian12
      instanceConcurrency: 26
      memorySize: 1024
      customRuntimeConfig:
        command: [python3]
        args: [server.py]
        port: 8080
        healthCheckConfig: {httpGetUrl: /ready, periodSeconds: 5}`, 1)
	got, problems = load(t, custom, Options{})
	if problems != nil {
		t.Fatalf("problems: %q", brief(problems))
	}
	want = Function{Name: "f", Runtime: "custom.debian12", CodeURI: ".", MemorySize: 1024, Timeout: 3, DiskSize: 512,
		InstanceConcurrency: 26, InstanceSoftConcurrency: 26, InitializationTimeout: 3, EnvironmentVariables: map[string]string{},
		CustomRuntime: CustomRuntime{Command: []string{"python3", "server.py"}, Port: 8080, Health: &HealthCheck{"/ready", 0, 5, 1, 3}}}
	if diff := cmp.Diff(want, got.Function); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSilent: what s deploys or drops in silence.
func TestSilent(t *testing.T) {
	runProblemTests3(t, []problemTest{
		{"all good", nil, nil},
		{"misspelt key", []string{"memorySize: 512", "memorysize: 512"}, []string{
			`23:7: error: unknown key "memorysize"; did you mean "memorySize"?`,
		}},
		{"unknown key", []string{"memorySize: 512", "memorySize: 512\n      colour: red"}, []string{
			`24:7: warning: unknown key "colour"; FC 3.0 has none, and s drops it in silence`,
		}},
		{"misspelt key of a trigger", []string{"qualifier: prod", "qualifer: prod"}, []string{
			`49:11: error: unknown key "qualifer"; did you mean "qualifier"?`,
		}},
		{"misspelt key in a trigger", []string{"maximumTasks:", "maximumTask:"}, []string{
			`61:15: error: unknown key "maximumTask"; did you mean "maximumTasks"?`,
		}},
		{"misspelt key of the file", []string{"resources:", "resource:"}, []string{
			`9:1: error: unknown key "resource"; did you mean "resources"?`,
		}},
		{"text for a number", []string{"memorySize: 512", `memorySize: "128"`}, []string{
			`23:19: error: memorySize is "128" (a string); a whole number is needed`,
		}},
		{"cpu in a wrong step", []string{"cpu: 0.35", "cpu: 0.07"}, []string{
			"25:12: error: cpu is 0.07; allowed is 0.05 to 16 in steps of 0.05",
		}},
		{"cpu for the default memory", []string{"      memorySize: 512\n", "", "cpu: 0.35", "cpu: 0.6"}, []string{
			"24:12: error: cpu is 0.6; allowed with 512 MB is 0.15 to 0.5 (cpu to memory in GB between 1:1 and 1:4)",
		}},
		{"half a logConfig", []string{"        project: logs\n", ""}, []string{
			"37:7: error: logConfig has logstore and no project; both or none are needed",
		}},
		{"logConfig by a word", []string{"logConfig:\n        project: logs\n        logstore: orders\n        logBeginRule: None\n", "logConfig: auto|logstore=a\n"}, nil},
		{"logConfig by another word", []string{"logConfig:\n        project: logs\n        logstore: orders\n        logBeginRule: None\n", "logConfig: none\n"}, []string{
			`37:18: error: logConfig is "none"; needed is auto, or a mapping with project and logstore`,
		}},
		{"long name", []string{"functionName: consumer", "functionName: " + strings.Repeat("a", 140)}, []string{
			`18:21: error: functionName has 140 characters: "` + strings.Repeat("a", 60) + `…"; allowed are 64`,
		}},
		{"name of the official converter", []string{"functionName: consumer", "functionName: orders$consumer"}, []string{
			`18:21: error: functionName is "orders$consumer"; allowed are letters, digits, _ and -, and no digit or - at the start`,
		}},
		{"name of a trigger", []string{"triggerName: kafka", "triggerName: 1kafka"}, []string{
			`46:24: error: triggerName is "1kafka"; allowed are letters, digits, _ and -, and no digit or - at the start`,
		}},
		{"role that is no ARN", []string{"acs:ram::1234567890123456:role/fc", "acs:ram::xxx:role/fc"}, []string{
			`27:13: error: role is "acs:ram::xxx:role/fc"; the name of a RAM role is needed, or its ARN acs:ram::ACCOUNT:role/NAME: s makes acs:ram::…:role/ and this text of it`,
		}},
		{"role by its name", []string{"acs:ram::1234567890123456:role/fc", "AliyunFCDefaultRole"}, nil},
		{"role that is auto", []string{"acs:ram::1234567890123456:role/fc", "auto"}, []string{
			`27:13: error: role is "auto", which FC 3.0 takes for the name of a role; leave it out, or give one`,
		}},
		{"role that is empty", []string{"acs:ram::1234567890123456:role/fc", `""`}, nil},
		{"environment variable that is a number", []string{"TZ: Asia/Shanghai", "PORT: 8080"}, []string{
			"30:15: error: PORT is 8080 (a number); a string is needed: quote it",
		}},
		{"environment variable of the platform", []string{"TZ: Asia/Shanghai", `FC_TIMEOUT: "1"`}, []string{
			"30:9: error: FC_TIMEOUT is an environment variable that the platform sets; give yours another name",
		}},
		{"keys without a value are as none", []string{"description: a function", "description:", "internetAccess: true", "internetAccess: ~", "TZ: Asia/Shanghai", "TZ:"}, nil},
		{"needed key without a value", []string{"handler: main", "handler:"}, []string{
			"16:5: error: handler is missing; needed is the name of the binary in code",
		}},
		{"instanceConcurrency of go1", []string{"diskSize: 512", "diskSize: 512\n      instanceConcurrency: 26"}, []string{
			"27:28: warning: instanceConcurrency is 26, and counts as 1: in FC 3.0 a function on go1 takes one call at a time; only custom runtimes take more",
		}},
		{"code that is not there", []string{"../target/main", "main"}, []string{
			`22:13: error: code is "./target", which does not exist, and no action of pre-deploy makes it`,
		}},
		{"code in OSS", []string{"code: ./target", "code: {ossBucketName: b, ossObjectName: o}"}, nil},
		{"half of code in OSS", []string{"code: ./target", "code: {src: ./target}"}, []string{
			"22:13: error: code needs ossBucketName and ossObjectName, or is the directory that is deployed",
		}},
		{"tracingConfig of FC 2.0", []string{"memorySize: 512", "memorySize: 512\n      tracingConfig: Disable"}, []string{
			`24:22: error: tracingConfig is "Disable" (a string); a mapping is needed`,
		}},
		{"half a vpcConfig", []string{"        securityGroupId: sg-1\n", ""}, []string{
			"41:7: error: securityGroupId is missing; a string is needed",
		}},
		{"command and handler", []string{"          timeout: 20", "          timeout: 20\n          command: [a]"}, []string{
			"35:11: error: command stands beside handler in initializer; one of them is allowed",
		}},
		{"two ways to scale", []string{"memorySize: 512", "memorySize: 512\n      scalingConfig: {minInstances: 1}\n      provisionConfig: {target: 1}"}, []string{
			"24:7: error: scalingConfig stands beside provisionConfig; one of them is allowed",
		}},
		{"unknown runtime", []string{"runtime: go1", "runtime: go9"}, []string{
			`20:16: error: runtime is "go9"; allowed are go1, custom, custom.debian10, custom.debian11, custom.debian12, custom-container, micro-sandbox, nodejs20, nodejs18, nodejs16, nodejs14, nodejs12, nodejs10, nodejs8, python3.12, python3.10, python3.9, python3, python2.7, java11, java8, php7.2, dotnetcore3.1, dotnetcore2.1`,
		}},
		{"hook that is renamed", []string{"    props:\n", "      post-deploy:\n        - run: a\n    props:\n"}, []string{
			"16:7: warning: post-deploy has been renamed to complete-deploy",
		}},
		{"trigger that is no list", []string{"        - triggerName: kafka\n          triggerType: eventbridge\n", "        a: x\n        b:\n          c: d\n"}, []string{
			"46:9: error: triggers is a mapping; a list is needed",
		}},
		{"triggers of other types", []string{"      triggers:\n", `      triggers:
        - {triggerName: a, triggerType: timer, triggerConfig: {cronExpresion: "@every 1m"}}
        - {triggerName: b, triggerType: http, triggerConfig: {authType: none, methods: [GET]}}
        - {triggerName: c, triggerType: kafka, triggerConfig: {}}
        - {triggerName: d, triggerType: oss, triggerConfig: {events: [ObjectCreated]}}
`}, []string{
			`46:64: error: unknown key "cronExpresion"; did you mean "cronExpression"?`,
			`47:73: error: authType is "none"; allowed are anonymous, function, jwt`,
			`48:41: error: triggerType is "kafka"; allowed are http, timer, oss, log, mns_topic, cdn_events, tablestore, eventbridge`,
			`49:71: error: events[0] is "ObjectCreated"; needed is an event of OSS, such as oss:ObjectCreated:*`,
		}},
	})
}

// TestOtherEdition: keys of the other format are told by their right names.
func TestOtherEdition(t *testing.T) {
	runProblemTests3(t, []problemTest{
		{"function", []string{"functionName: consumer", "name: consumer", "code: ./target", "codeUri: ./target"}, []string{
			`18:7: error: unknown key "name"; FC 3.0's file calls it functionName`,
			`22:7: error: unknown key "codeUri"; FC 3.0's file calls it code`,
		}},
		{"vpcConfig", []string{"vSwitchIds:", "vswitchIds:"}, []string{
			`44:9: error: unknown key "vswitchIds"; FC 3.0's file calls it vSwitchIds`,
		}},
		{"one vSwitch", []string{"vSwitchIds: [vsw-1]", "vSwitchIds: vsw-1"}, []string{
			`44:21: error: vSwitchIds is "vsw-1"; allowed is auto, or a list`,
		}},
		{"trigger", []string{"triggerName: kafka", "name: kafka", "triggerType: eventbridge", "type: eventbridge", "triggerConfig:", "config:"}, []string{
			`46:11: error: unknown key "name"; FC 3.0's file calls it triggerName`,
			`47:11: error: unknown key "type"; FC 3.0's file calls it triggerType`,
			`50:11: error: unknown key "config"; FC 3.0's file calls it triggerConfig`,
		}},
		{"hooks", []string{"        preStop:", "        preFreeze:", "memorySize: 512", "memorySize: 512\n      initializer: \"true\""}, []string{
			`24:7: error: unknown key "initializer"; FC 3.0's file has it as instanceLifecycleConfig.initializer.handler`,
			`36:9: error: unknown key "preFreeze"; FC 3.0 has no such hook`,
		}},
		{"services", []string{"resources:", "services:"}, []string{
			`9:1: error: unknown key "services"; FC 3.0's file calls it resources`,
		}},
		{"component", []string{"component: fc3", "component: devsapp/fc"}, []string{
			`11:16: error: component is "devsapp/fc", FC 2.0's; FC 3.0's is fc3`,
		}},
		{"component with a developer", []string{"component: fc3", "component: devsapp/fc3"}, []string{
			`11:16: error: component is "devsapp/fc3", which cannot have a /; FC 3.0's is fc3`,
		}},
	})
	runProblemTests(t, []problemTest{
		{"function in FC 2.0's file", []string{"        name: consumer\n", "        functionName: consumer\n", "codeUri: ./target", "code: ./target"}, []string{
			`31:9: error: unknown key "functionName"; FC 2.0's file calls it name`,
			`34:9: error: unknown key "code"; FC 2.0's file calls it codeUri`,
		}},
		{"trigger in FC 2.0's file", []string{"name: kafka", "triggerName: kafka", "          config:", "          triggerConfig:"}, []string{
			`43:11: error: unknown key "triggerName"; FC 2.0's file calls it name`,
			`46:11: error: unknown key "triggerConfig"; FC 2.0's file calls it config`,
		}},
		{"component in FC 2.0's file", []string{"component: devsapp/fc", "component: fc3"}, []string{
			`11:16: error: component is "fc3", FC 3.0's; FC 2.0's is devsapp/fc`,
		}},
		{"edition 1.0.0 with resources", []string{"services:", "resources:"}, []string{
			`9:1: error: unknown key "resources"; FC 2.0's file calls it services`,
		}},
	})
}

// Overrides find their settings in both formats.
func TestSet3(t *testing.T) {
	project, problems := load(t, base3(t), Options{Set: map[string]string{
		"memorySize": "1024", "cpu": "0.5", "initializationTimeout": "30", "maximumTasks": "7", "instanceConcurrency": "1",
	}})
	if problems != nil || project.Function.MemorySize != 1024 || project.Function.InitializationTimeout != 30 || project.Trigger.MaximumTasks != 7 {
		t.Errorf("%q, %+v", brief(problems), project)
	}
	// What counts for nothing is said with a run.
	document := edit(t, base3(t), "diskSize: 512", "diskSize: 512\n      instanceConcurrency: 26\n      idleTimeout: 600\n      scalingConfig: {minInstances: 1}")
	project, _ = load(t, document, Options{})
	if want := []string{
		"instanceConcurrency 26 counts as 1: in FC 3.0 a function on go1 takes one call at a time",
		"idleTimeout is not heeded here; --idle-timeout D says after how long an instance without a call goes away",
		"scalingConfig is not heeded here; fclocal begins without instances",
	}; project.Function.InstanceConcurrency != 1 || cmp.Diff(want, project.Notes) != "" {
		t.Errorf("%+v", project)
	}
	project, problems = load(t, base3(t), Options{Set: map[string]string{"instanceConcurrency": "26"}, AnyConcurrency: true})
	if problems != nil || project.Function.InstanceConcurrency != 26 || project.Notes != nil {
		t.Errorf("%q, %+v", brief(problems), project)
	}
	for set, want := range map[string]string{
		"instanceSoftConcurrency=2": "--set instanceSoftConcurrency=2: error: FC 3.0 has no instanceSoftConcurrency",
		"instanceConcurrency=26":    "--set instanceConcurrency=26: error: instanceConcurrency is always 1 on go1 in FC 3.0; only custom runtimes take more",
		"concurrency=500":           "--set concurrency=500: error: concurrency is 500; allowed is 1 to 300",
	} {
		name, value, _ := strings.Cut(set, "=")
		_, problems := load(t, base3(t), Options{Set: map[string]string{name: value}})
		if got := strings.Join(brief(problems), "\n"); got != want {
			t.Errorf("%s: %s; want %s", set, got, want)
		}
	}
}

// Of several functions in a file one is picked.
func TestFunctions(t *testing.T) {
	more := func(key, name string) string {
		return "\n  " + key + ":\n    component: fc3\n    props: {region: cn-shanghai, functionName: " + name + ", runtime: go1, handler: main, code: .}\n"
	}
	whole := base3(t)
	second := strings.Replace(strings.Replace(whole[strings.Index(whole, "  orders:\n"):], "  orders:", "  again:", 1), "functionName: consumer", "functionName: copy", 1)
	for _, test := range []struct{ name, document, function, want, wrong string }{
		{"one", smallest3, "", "f", ""},
		{"one with a trigger", whole + more("a", "b"), "", "consumer", ""},
		{"by its name", whole + more("a", "b"), "b", "b", ""},
		{"by its key", whole + more("a", "b"), "a", "b", ""},
		{"several with a trigger", whole + second, "", "", "s.yaml has several functions with an EventBridge trigger for Kafka; --function NAME picks one: consumer, copy"},
		{"one of several with a trigger", whole + second, "copy", "copy", ""},
		{"several without", smallest3 + more("a", "b"), "", "", "s.yaml has several functions, and none with an EventBridge trigger for Kafka; --function NAME picks one: f, b"},
		{"none such", smallest3 + more("a", "b"), "c", "", "--function c: s.yaml has no such function; there are f, b"},
		{"a wrong one beside", whole + strings.Replace(more("a", "b"), "runtime: go1", "runtime: go9", 1), "", "consumer", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for name, content := range map[string]string{"s.yaml": test.document, "go.mod": ""} {
				if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			project, problems, err := Load("s.yaml", Options{Function: test.function})
			got, wrong := "", ""
			if err != nil {
				wrong = err.Error()
			}
			if project != nil {
				got = project.Function.Name
			}
			if got != test.want || wrong != test.wrong || problems != nil {
				t.Errorf("%q, %q, problems %q; want %q, %q", got, wrong, brief(problems), test.want, test.wrong)
			}
		})
	}
	// check looks at all of them.
	_, problems := load(t, whole+strings.Replace(more("a", "b"), "runtime: go1", "runtime: go1, timeout: 0", 1), Options{Deploy: true})
	if got := strings.Join(brief(problems), "\n"); got != "83:74: error: timeout is 0; allowed is 1 to 86400" {
		t.Errorf("problems: %s", got)
	}
}

// TestVariables3: ${...} of FC 3.0's file.
func TestVariables3(t *testing.T) {
	t.Setenv("FCLOCAL_TEST_SET", "outside")
	t.Setenv("FCLOCAL_TEST_EMPTY", "")
	unset := "is not set, or empty"
	for value, want := range map[string]string{
		"${vars.a.b}":                            "true",
		"x-${vars.a.b}-${vars.n}":                "x-true-2",
		"${ vars.other }":                        "2",
		"${vars['a']['b']}":                      "true",
		"${vars.list[1]}":                        "second",
		"${vars.none}":                           "error: ${vars.none} is not defined; it is null",
		"${vars.nothing}":                        "error: ${vars.nothing} is not defined; defined are vars.n, vars.other, vars.none, vars.list, vars.a.b",
		"${env('FCLOCAL_TEST_SET')}":             "outside",
		`${env("FCLOCAL_TEST_SET")}`:             "outside",
		"${env(FCLOCAL_TEST_SET)}":               "outside",
		"${env('FCLOCAL_TEST_SET', 'd')}":        "outside",
		"${env('FCLOCAL_TEST_NONE', 'd')}":       "d",
		"x${env('FCLOCAL_TEST_NONE', '')}":       "x",
		"${env('FCLOCAL_TEST_NONE', '}')}":       "}",
		"${env('FCLOCAL_TEST_NONE', vars.n)}":    "2",
		"${env('FCLOCAL_TEST_NONE')}":            "error: ${env('FCLOCAL_TEST_NONE')}: the environment variable FCLOCAL_TEST_NONE " + unset,
		"${env('FCLOCAL_TEST_EMPTY')}":           "error: ${env('FCLOCAL_TEST_EMPTY')}: the environment variable FCLOCAL_TEST_EMPTY " + unset,
		"${env(FCLOCAL_TEST_NONE, d)}":           "error: ${env(FCLOCAL_TEST_NONE, d)}: the environment variable FCLOCAL_TEST_NONE, d " + unset,
		"${env.FCLOCAL_TEST_SET}":                "error: ${env.FCLOCAL_TEST_SET} is not defined; FC 3.0's file writes ${env('FCLOCAL_TEST_SET')}",
		"${env('FCLOCAL_TEST_DOTENV')}":          "from the file",
		"${env('FCLOCAL_TEST_QUOTED')}":          "a # b\n",
		"${file('./f.txt')}":                     "text",
		"${file(./f.txt)}":                       "text",
		"<${file(f.txt)}>":                       "<text>",
		"${file('none')}":                        "error: ${file('none')}: open DIR/none: no such file or directory",
		"${json(file('f.json')).b}":              "error: ${json(file('f.json')).b} cannot be compiled; needed is a path such as vars.x, or a function of s such as env('X', 'default')",
		"${json(file('f.txt'))}":                 "error: ${json(file('f.txt'))}: it is no JSON: a JSON value is needed",
		"${base64('ab')}":                        "YWI=",
		"${base64(str(vars.list))}":              "WyJmaXJzdCIsInNlY29uZCJd",
		"${str(vars.a)}":                         `{"b":true}`,
		"${path('../x')}":                        "DIR/../x",
		"${this.name}":                           "s",
		"${this.component}":                      "fc3@0.1.22",
		"${this.props.functionName}-x":           "f-x",
		"${this.props.none}":                     "error: ${this.props.none} is not defined",
		"${this.props.environmentVariables.V}":   "error: ${this.props.environmentVariables.V} is defined by itself",
		"${resources.s.props.functionName}":      "f",
		"${resources.t.props.functionName}":      `error: ${resources.t.props.functionName} is not defined; resources has no "t"`,
		"${resources.s.output.x}":                "warning: fclocal cannot resolve ${resources.s.output.x}; the value is not checked",
		"${config('AccountID')}":                 "warning: fclocal cannot resolve ${config('AccountID')}; the value is not checked",
		"a-${config(AccountID)}":                 "warning: fclocal cannot resolve ${config(AccountID)}; the value is not checked",
		"${secret('x')}":                         "warning: fclocal cannot resolve ${secret('x')}; the value is not checked",
		"${s.props.functionName}":                "error: ${s.props.functionName} is not defined; FC 3.0's file writes ${resources.s.props.functionName}",
		"${functionName}":                        "error: ${functionName} is not defined; s looks into vars, resources, this, and what its functions give",
		"${}":                                    "error: ${} cannot be compiled; needed is a path such as vars.x, or a function of s such as env('X', 'default')",
		"${vars.n + 'b'}":                        "error: ${vars.n + 'b'} cannot be compiled; needed is a path such as vars.x, or a function of s such as env('X', 'default')",
		"${upper('a')}":                          "error: ${upper('a')}: s has no function upper; there are env, file, json, yaml, path, str, base64, config, secret",
		"${env('a', 'b', 'c')}":                  "error: ${env('a', 'b', 'c')}: env takes another number of arguments",
		"${env(${vars.n})}":                      "error: ${env(${vars.n} cannot be compiled; needed is a path such as vars.x, or a function of s such as env('X', 'default')",
		"x${vars.a}":                             "error: ${vars.a} is a mapping; within a text only a string, a number or a boolean can stand",
		"$5 {x} $ {vars.n} ${vars":               "$5 {x} $ {vars.n} ${vars",
		strings.Repeat("${str(", 10) + "'a'))))": "",
	} {
		directory := t.TempDir()
		document := strings.Replace(smallest3, "resources:", "vars:\n  n: 2\n  other: ${vars.n}\n  none: ~\n  list: [first, second]\n  a:\n    b: true\nresources:", 1) +
			"      environmentVariables:\n        V: |-\n          " + value + "\n"
		for name, content := range map[string]string{
			"s.yaml": document, "go.mod": "", "f.txt": "text", "f.json": `{"b": 1}`,
			".env": "# a comment\nFCLOCAL_TEST_SET=inside\nexport FCLOCAL_TEST_DOTENV = from the file # and a comment\nFCLOCAL_TEST_QUOTED=\"a # b\\n\"\n",
		} {
			if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		project, problems, err := Load(filepath.Join(directory, "s.yaml"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if project != nil {
			got = project.Function.EnvironmentVariables["V"]
		}
		for _, p := range problems {
			if !strings.Contains(p.Message, "a string is needed: quote it") { // numbers and booleans keep their type
				got = string(p.Severity) + ": " + p.Message
			} else if project == nil {
				got = strings.Fields(p.Message)[2]
			}
		}
		if want != "" && got != strings.ReplaceAll(strings.ReplaceAll(want, "DIR/..", filepath.Dir(directory)), "DIR", directory) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// A .env that cannot be read is no reason to take a variable for unset.
func TestDotenvTooLarge(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "s.yaml")
	for name, content := range map[string]string{
		"s.yaml": smallest3 + "      environmentVariables: {A: \"${env('FCLOCAL_TEST_DOTENV', 'default')}\"}\n",
		".env":   "FCLOCAL_TEST_DOTENV=1\n" + strings.Repeat("#", maxText),
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, problems, err := Load(path, Options{})
	want := "error: ${env('FCLOCAL_TEST_DOTENV', 'default')}: the environment variable FCLOCAL_TEST_DOTENV is not set, and .env, which may set it, cannot be read: it is larger than 64 KB"
	if got := strings.Join(brief(problems), "\n"); err != nil || !strings.HasSuffix(got, want) {
		t.Errorf("%v, %s\nwant %s", err, got, want)
	}
}

// Values keep their types, and mappings come from files.
func TestStructured(t *testing.T) {
	directory := t.TempDir()
	for name, content := range map[string]string{
		"s.yaml": strings.Replace(smallest3, "      code: .\n", `      code: .
      memorySize: ${yaml(file('sizes.yaml'))}
      timeout: ${env('FCLOCAL_TEST_NONE', 9)}
      environmentVariables: ${json(file('variables.json'))}
`, 1), "go.mod": "", "sizes.yaml": "128 # MB\n", "variables.json": `{"A": "${vars.x}", "B": 1}`,
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, problems, err := Load(filepath.Join(directory, "s.yaml"), Options{})
	if got, want := strings.Join(brief(problems), "\n"), "13:29: error: B is 1 (a number); a string is needed: quote it"; err != nil || got != want {
		t.Errorf("%v, %s; want %s", err, got, want)
	}
	if err := os.WriteFile(filepath.Join(directory, "variables.json"), []byte(`{"A": "${vars.x}"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	project, problems, err := Load(filepath.Join(directory, "s.yaml"), Options{})
	if err != nil || problems != nil || project.Function.MemorySize != 128 || project.Function.Timeout != 9 || project.Function.EnvironmentVariables["A"] != "${vars.x}" {
		t.Errorf("%v, %q, %+v", err, brief(problems), project)
	}
}

// What only the cloud knows matters to a run, where it is no text.
func TestCloudOnly(t *testing.T) {
	document := edit(t, base3(t), "memorySize: 512", "memorySize: ${resources.orders.output.memory}", "Topic: ${vars.kafka.topic}", "Topic: ${resources.orders.output.topic}")
	warnings := []string{
		"23:19: warning: fclocal cannot resolve ${resources.orders.output.memory}; the value is not checked",
		"76:26: warning: fclocal cannot resolve ${resources.orders.output.topic}; the value is not checked",
	}
	_, problems := load(t, document, Options{Deploy: true})
	if diff := cmp.Diff(warnings, brief(problems)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	project, problems := load(t, document, Options{})
	want := append([]string{"23:19: error: memorySize is \"${resources.orders.output.memory}\", which only the cloud knows; a run needs the value itself, or --set memorySize=VALUE"}, warnings...)
	if diff := cmp.Diff(want, brief(problems)); diff != "" || project != nil {
		t.Errorf("-want +got:\n%s", diff)
	}
	project, problems = load(t, document, Options{Set: map[string]string{"memorySize": "512"}})
	if diff := cmp.Diff(warnings[1:], brief(problems)); diff != "" || project == nil {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A file extends another, and a resource a template.
func TestExtend(t *testing.T) {
	load := func(document, other string) (*Project, string) {
		directory := t.TempDir()
		for name, content := range map[string]string{"s.yaml": document, "other.yaml": other, "go.mod": ""} {
			if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		project, problems, err := Load(filepath.Join(directory, "s.yaml"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return project, strings.ReplaceAll(strings.Join(brief(problems), "\n"), directory, "DIR")
	}
	template := strings.Replace(smallest3, "resources:", `template:
  common:
    region: cn-beijing
    timeout: 7
    environmentVariables: {A: a, B: "${vars.b}"}
    layers: [x, y]
    nasConfig: auto
vars: {b: b}
resources:`, 1)
	template = strings.Replace(template, "    props:\n", "    extend: {name: common, ignore: [nasConfig, environmentVariables.C]}\n    props:\n      environmentVariables: {A: own}\n      layers: [z]\n", 1)
	project, problems := load(template, "")
	if problems != "" || project.Region != "cn-shanghai" || project.Function.Timeout != 7 ||
		cmp.Diff(project.Function.EnvironmentVariables, map[string]string{"A": "own", "B": "b"}) != "" || cmp.Diff(project.Function.Layers, []string{"z"}) != "" {
		t.Errorf("%s, %+v", problems, project)
	}
	if _, problems := load(strings.Replace(template, "name: common", "name: comon", 1), ""); problems != `13:20: error: template has no "comon"` {
		t.Error(problems)
	}
	file := strings.Replace(smallest3, "resources:", "extend: ./other.yaml\nresources:", 1)
	if project, problems = load(file, "vars: {mod: \"${file(go.mod)}\"}"); problems != "" || len(project.Read) != 2 ||
		project.Read[0] != filepath.Join(project.Dir, "other.yaml") || project.Read[1] != filepath.Join(project.Dir, "go.mod") {
		t.Errorf("%s, read %q", problems, project.Read)
	}
	project, problems = load(file, "vars: {a: 1}\nresources:\n  s:\n    props: {timeout: 8, region: cn-beijing}\n")
	if problems != "" || project.Function.Timeout != 8 || project.Region != "cn-shanghai" {
		t.Errorf("%s, %+v", problems, project)
	}
	for other, want := range map[string]string{
		"resources:\n  s:\n    props: {timeout: 0}\n": "2:9: error: timeout is 0; allowed is 1 to 86400",
		"[]":                    `2:9: error: extend is "./other.yaml": a mapping is needed`,
		"extend: ./s.yaml\n":    `2:9: error: extend is "./other.yaml": more than 8 files extend each other`,
		"extend: ./none.yaml\n": `1:9: error: extend is "./none.yaml": open DIR/none.yaml: no such file or directory`,
		"a: [\n":                `2:9: error: extend is "./other.yaml": not valid YAML: `,
	} {
		if _, problems := load(file, other); !strings.HasPrefix(problems, want) {
			t.Errorf("%s: %s; want %s", other, problems, want)
		}
	}
}
