package config

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// problemTest is the base document with old replaced by new, and its problems.
type problemTest struct {
	name   string
	oldnew []string
	want   []string
}

func runProblemTests(t *testing.T, tests []problemTest) {
	t.Helper()
	runProblemTestsWith(t, Options{}, tests)
}

func runProblemTestsWith(t *testing.T, options Options, tests []problemTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := load(t, edit(t, base(t), test.oldnew...), options)
			got := brief(problems)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestKeys: unknown, missing, duplicate and empty keys.
func TestKeys(t *testing.T) {
	runProblemTests(t, []problemTest{
		{"misspelt key", []string{"maximumTasks: $", "maximumTask: $"}, []string{
			`57:15: error: unknown key "maximumTask"; did you mean "maximumTasks"?`,
		}},
		{"misspelt required key is not missing, too", []string{"handler: main", "handlr: main"}, []string{
			`33:9: error: unknown key "handlr"; did you mean "handler"?`,
		}},
		{"key in the wrong case", []string{"OffsetReset: latest", "offsetReset: latest"}, []string{
			`74:19: error: unknown key "offsetReset"; did you mean "OffsetReset"?`,
		}},
		{"unknown key unlike any", []string{"TZ: Asia/Shanghai\n", "TZ: Asia/Shanghai\n        zone: a\n"}, []string{
			`42:9: error: unknown key "zone"; allowed are asyncConfiguration, caPort, codeUri, cpu, customContainerConfig, customDNS, customHealthCheckConfig, customRuntimeConfig, description, diskSize, environmentVariables, gpuMemorySize, handler, initializationTimeout, initializer, instanceConcurrency, instanceLifecycleConfig, instanceSoftConcurrency, instanceType, layers, memorySize, name, ossBucket, ossKey, runtime, timeout`,
		}},
		{"unknown key in a small mapping", []string{"Arn: acs", "URL: x\n                Arn: acs"}, []string{
			`63:17: error: unknown key "URL"; allowed is Arn`,
		}},
		{"unknown key of the application", []string{"access: default", "acces: default"}, []string{
			`3:1: error: unknown key "acces"; did you mean "access"?`,
		}},
		{"key of FC 3.0", []string{"triggers:\n", "triggerConfig: {}\n      triggers:\n"}, []string{
			`42:7: error: unknown key "triggerConfig"; allowed are customDomains, function, region, service, triggers`,
		}},
		{"unknown action", []string{"pre-local:", "before-local:"}, []string{
			`16:7: error: unknown key "before-local"; allowed are keys of the form pre-COMMAND and post-COMMAND`,
		}},
		{"missing handler", []string{"        handler: main\n", ""}, []string{
			"30:7: error: handler is missing; needed is the name of the binary in codeUri",
		}},
		{"hook without a handler", []string{"handler: main", "handler: main\n        instanceLifecycleConfig: {preFreeze: {timeout: 3}}"}, []string{
			`34:35: error: handler is missing; needed is the handler of the hook, for go1 "true"`,
		}},
		{"missing codeUri", []string{"        codeUri: ./target\n", ""}, []string{
			"30:7: error: codeUri is missing; needed is the directory that is deployed, such as ./code/target",
		}},
		{"missing runtime", []string{"        runtime: go1\n", ""}, []string{
			"30:7: error: runtime is missing; needed is go1",
		}},
		{"missing type", []string{"          type: eventbridge\n", ""}, []string{
			"43:11: error: type is missing; allowed are http, timer, oss, log, mns_topic, cdn_events, tablestore, eventbridge",
		}},
		{"missing edition", []string{"edition: 1.0.0\n", ""}, []string{
			"1:1: error: edition is missing; allowed is 1.0.0",
		}},
		{"missing region", []string{"      region: ${vars.region}\n", ""}, []string{
			"17:5: error: region is missing; needed is the function's region, such as cn-shanghai",
		}},
		{"missing topic", []string{"                  Topic: ${vars.kafka.topic}\n", ""}, []string{
			"70:17: error: Topic is missing; needed is the topic's name",
		}},
		{"missing filter pattern", []string{"            eventRuleFilterPattern: '{}'\n", ""}, []string{
			`46:11: error: eventRuleFilterPattern is missing; needed is an event pattern in JSON, such as "{}", which lets every event pass`,
		}},
		{"missing ARN", []string{"                Arn: acs:mns:cn-hangzhou:1234567890123456:queues/dead\n", "                {}\n"}, []string{
			"62:15: error: Arn is missing; needed is the ARN of the dead-letter queue",
		}},
		{"missing component", []string{"    component: devsapp/fc\n", ""}, []string{
			"10:3: error: component is missing; needed is devsapp/fc",
		}},
		{"duplicate key", []string{"        timeout: 60\n", "        timeout: 60\n        timeout: 90\n"}, []string{
			`37:9: error: duplicate key "timeout"; it is first on line 36`,
		}},
		{"null optional setting", []string{"        vpcConfig:\n", "        nasConfig: null\n        vpcConfig:\n"}, []string{
			"26:20: warning: nasConfig is null, which is as if the key were left out",
		}},
		{"null with nothing written", []string{"        cpu: 0.35", "        cpu:"}, []string{
			"37:13: error: cpu is null; leave the key out",
		}},
		{"null required setting", []string{"handler: main", "handler: ~"}, []string{
			"33:18: error: handler is null; needed is the name of the binary in codeUri",
		}},
		{"null in a list", []string{"[vsw-1]", "[~]"}, []string{
			"29:24: error: vswitchIds[0] is null; a string is needed",
		}},
		{"empty text", []string{"handler: main", `handler: ""`}, []string{
			"33:18: error: handler is empty; needed is the name of the binary in codeUri",
		}},
	})
}

// TestTypes: values of a wrong type.
func TestTypes(t *testing.T) {
	runProblemTests(t, []problemTest{
		{"string for a whole number", []string{"memorySize: 512", `memorySize: "512"`}, []string{
			`35:21: error: memorySize is "512" (a string); a whole number is needed`,
		}},
		{"fraction for a whole number", []string{"timeout: 60", "timeout: 60.5"}, []string{
			"36:18: error: timeout is 60.5; a whole number is needed",
		}},
		{"whole number with a fraction of 0", []string{"timeout: 60", "timeout: 60.0"}, nil},
		{"initializer that is a boolean", []string{"handler: main", "handler: main\n        initializer: true"}, []string{
			"34:22: error: initializer is true (a boolean); a string is needed: quote it",
		}},
		{"string for a number", []string{"cpu: 0.35", `cpu: "0.35"`}, []string{
			`37:14: error: cpu is "0.35" (a string); a number is needed`,
		}},
		{"not a number", []string{"cpu: 0.35", "cpu: .nan"}, []string{
			`37:14: error: cpu is ".nan" (a string); a number is needed`,
		}},
		{"string for a boolean", []string{"triggerEnable: true", `triggerEnable: "false"`}, []string{
			`47:28: error: triggerEnable is "false" (a string); true or false is needed`,
		}},
		{"YAML 1.1 boolean", []string{"triggerEnable: true", "triggerEnable: no"}, []string{
			`47:28: error: triggerEnable is "no" (a string); true or false is needed`,
		}},
		{"number for a string", []string{"name: consumer", "name: 12"}, []string{
			"31:15: error: name is 12 (a number); a string is needed: quote it",
		}},
		{"environment variable that is a number", []string{"TZ: Asia/Shanghai", "PORT: 8080"}, []string{
			"41:17: error: PORT is 8080 (a number); a string is needed: quote it",
		}},
		{"environment variable that is a boolean", []string{"TZ: Asia/Shanghai", "DEBUG: true"}, []string{
			"41:18: error: DEBUG is true (a boolean); a string is needed: quote it",
		}},
		{"mapping for a string", []string{"handler: main", "handler: {a: b}"}, []string{
			"33:18: error: handler is a mapping; a string is needed",
		}},
		{"string for a mapping", []string{"      service:\n        name: orders\n        role: acs:ram::1234567890123456:role/fc\n        logConfig:\n          project: logs\n          logstore: orders\n          logBeginRule: None\n        vpcConfig:\n          vpcId: vpc-1\n          securityGroupId: sg-1\n          vswitchIds: [vsw-1]\n", "      service: orders\n"}, []string{
			`19:16: error: service is "orders" (a string); a mapping is needed`,
		}},
		{"mapping for a list", []string{"vswitchIds: [vsw-1]", "vswitchIds: {a: vsw-1}"}, []string{
			"29:23: error: vswitchIds is a mapping; a list is needed",
		}},
		{"number in a list of strings", []string{"[vsw-1]", "[vsw-1, 2]"}, []string{
			"29:31: error: vswitchIds[1] is 2 (a number); a string is needed: quote it",
		}},
		{"a list or a word", []string{"        vpcConfig:\n", "        tracingConfig: [Enable]\n        vpcConfig:\n"}, []string{
			"26:24: error: tracingConfig is a list; a string or a mapping is needed",
		}},
		{"explicit tag that does not fit", []string{"timeout: 60", "timeout: !!int sixty"}, []string{
			`36:18: error: "sixty" is not a YAML int`,
		}},
	})
}

// TestValues: values out of range or of no enumeration.
func TestValues(t *testing.T) {
	runProblemTests(t, []problemTest{
		{"maximumTasks", []string{"${vars.tasks}", "0"}, []string{
			"57:29: error: maximumTasks is 0; allowed is 1 to 1000 (fclocal's limit)",
		}},
		{"maximumTasks above fclocal's limit", []string{"${vars.tasks}", "1001"}, []string{
			"57:29: error: maximumTasks is 1001; allowed is 1 to 1000 (fclocal's limit)",
		}},
		{"concurrency too high", []string{"concurrency: 26", "concurrency: 301"}, []string{
			"54:30: error: concurrency is 301; allowed is 1 to 300",
		}},
		{"concurrency too low", []string{"concurrency: 26", "concurrency: 0"}, []string{
			"54:30: error: concurrency is 0; allowed is 1 to 300",
		}},
		{"CountBasedWindow", []string{"CountBasedWindow: 100", "CountBasedWindow: 10001"}, []string{
			"65:35: error: CountBasedWindow is 10001; allowed is 1 to 10000",
		}},
		{"CountBasedWindow 0", []string{"CountBasedWindow: 100", "CountBasedWindow: 0"}, []string{
			"65:35: error: CountBasedWindow is 0; allowed is 1 to 10000",
		}},
		{"TimeBasedWindow", []string{"TimeBasedWindow: 3", "TimeBasedWindow: 16"}, []string{
			"66:34: error: TimeBasedWindow is 16; allowed is 0 to 15",
		}},
		{"TimeBasedWindow 0 delivers at once", []string{"TimeBasedWindow: 3", "TimeBasedWindow: 0"}, nil},
		{"MaximumRetryAttempts", []string{"MaximumRetryAttempts: 0", "MaximumRetryAttempts: -1"}, []string{
			"61:39: error: MaximumRetryAttempts is -1; allowed is 0 or more",
		}},
		{"instanceConcurrency", []string{"instanceConcurrency: 10", "instanceConcurrency: 201"}, []string{
			"39:30: error: instanceConcurrency is 201; allowed is 1 to 200",
		}},
		{"instanceSoftConcurrency", []string{"instanceConcurrency: 10", "instanceConcurrency: 10\n        instanceSoftConcurrency: 0"}, []string{
			"40:34: error: instanceSoftConcurrency is 0; allowed is 1 to 200",
		}},
		{"initializationTimeout", []string{"handler: main", "handler: main\n        initializationTimeout: 301"}, []string{
			"34:32: error: initializationTimeout is 301; allowed is 1 to 300",
		}},
		{"hook's timeout", []string{"handler: main", "handler: main\n        instanceLifecycleConfig: {preStop: {handler: \"true\", timeout: 0}}"}, []string{
			"34:71: error: timeout is 0; allowed is 1 to 86400 (fclocal's limit)",
		}},
		{"memorySize in a wrong step", []string{"memorySize: 512", "memorySize: 500"}, []string{
			"35:21: error: memorySize is 500; allowed is 128 to 32768 in steps of 64",
		}},
		{"memorySize too small", []string{"memorySize: 512", "memorySize: 64"}, []string{
			"35:21: error: memorySize is 64; allowed is 128 to 32768 in steps of 64",
		}},
		{"cpu in a wrong step", []string{"cpu: 0.35", "cpu: 0.33"}, []string{
			"37:14: error: cpu is 0.33; allowed is 0.05 to 16 in steps of 0.05",
		}},
		{"cpu as a power of ten", []string{"cpu: 0.35", "cpu: 35e-2"}, nil},
		{"cpu far out of range", []string{"cpu: 0.35", "cpu: 1e300"}, []string{
			"37:14: error: cpu is 1e300; allowed is 0.05 to 16 in steps of 0.05",
		}},
		{"timeout", []string{"timeout: 60", "timeout: 86401"}, []string{
			"36:18: error: timeout is 86401; allowed is 1 to 86400",
		}},
		{"diskSize", []string{"diskSize: 512", "diskSize: 1024"}, []string{
			"38:19: error: diskSize is 1024; allowed are 512, 10240",
		}},
		{"diskSize as a string", []string{"diskSize: 512", `diskSize: "512"`}, []string{
			`38:19: error: diskSize is "512" (a string); allowed are 512, 10240`,
		}},
		{"mode", []string{"              mode: event-streaming\n              maximumTasks", "              mode: streaming\n              maximumTasks"}, []string{
			`56:21: error: mode is "streaming"; allowed are event-streaming, event-driven`,
		}},
		{"errorsTolerance", []string{"errorsTolerance: ALL", "errorsTolerance: SOME"}, []string{
			`58:32: error: errorsTolerance is "SOME"; allowed are ALL, NONE`,
		}},
		{"errorsTolerance in the wrong case", []string{"errorsTolerance: ALL", "errorsTolerance: all"}, []string{
			`58:32: error: errorsTolerance is "all"; allowed are ALL, NONE`,
		}},
		{"PushRetryStrategy", []string{"PushRetryStrategy: EXPONENTIAL_DECAY_RETRY", "PushRetryStrategy: EXPONENTIAL"}, []string{
			`60:36: error: PushRetryStrategy is "EXPONENTIAL"; allowed are BACKOFF_RETRY, EXPONENTIAL_DECAY_RETRY`,
		}},
		{"OffsetReset", []string{"OffsetReset: latest", "OffsetReset: newest"}, []string{
			`74:32: error: OffsetReset is "newest"; allowed are earliest, latest`,
		}},
		{"OffsetReset as the documentation has it", []string{"OffsetReset: latest", "OffsetReset: lastest"}, []string{
			`74:32: error: OffsetReset is "lastest", as the platform's documentation misspells it; allowed are earliest, latest`,
		}},
		{"Network", []string{"Network: Default", "Network: Private"}, []string{
			`75:28: error: Network is "Private"; allowed are Default, PublicNetwork`,
		}},
		{"eventSchema", []string{"eventSchema: RawData", "eventSchema: Raw"}, []string{
			`53:30: error: eventSchema is "Raw"; allowed are CloudEvents, RawData`,
		}},
		{"eventSourceType", []string{"eventSourceType: Kafka", "eventSourceType: kafka"}, []string{
			`68:32: error: eventSourceType is "kafka"; allowed are Default, MNS, RocketMQ, RabbitMQ, Kafka, DTS`,
		}},
		{"edition of FC 3.0", []string{"edition: 1.0.0", "edition: 3.0.0"}, []string{
			`9:1: error: unknown key "services"; FC 3.0's file calls it resources`,
			"14:16: warning: ${HOME} is not defined; s looks into vars, resources, this, and what its functions give; for the shell's own, write $NAME",
		}},
		{"edition that is none", []string{"edition: 1.0.0", "edition: 2.0.0"}, []string{
			`1:10: error: edition is "2.0.0"; allowed are 1.0.0, 3.0.0`,
		}},
		{"runtime", []string{"runtime: go1", "runtime: go1.x"}, []string{
			`32:18: error: runtime is "go1.x"; allowed are nodejs20, nodejs18, nodejs16, nodejs14, nodejs12, nodejs10, nodejs8, nodejs6, nodejs4.4, python3.10, python3.9, python3, python2.7, java11, java8, go1, php7.2, dotnetcore3.1, dotnetcore2.1, custom, custom.debian10, custom-container`,
		}},
		{"logBeginRule", []string{"logBeginRule: None", "logBeginRule: none"}, []string{
			`25:25: error: logBeginRule is "none"; allowed are DefaultRegex, None`,
		}},
		{"word for a mapping", []string{"        vpcConfig:\n", "        nasConfig: none\n        vpcConfig:\n"}, []string{
			`26:20: error: nasConfig is "none"; allowed are auto, Auto, or a mapping`,
		}},
		{"long value is cut short", []string{"handler: main", "runtime2: x\n        instanceType: " + strings.Repeat("e", 80) + "\n        handler: main"}, []string{
			`33:9: error: unknown key "runtime2"; allowed are asyncConfiguration, caPort, codeUri, cpu, customContainerConfig, customDNS, customHealthCheckConfig, customRuntimeConfig, description, diskSize, environmentVariables, gpuMemorySize, handler, initializationTimeout, initializer, instanceConcurrency, instanceLifecycleConfig, instanceSoftConcurrency, instanceType, layers, memorySize, name, ossBucket, ossKey, runtime, timeout`,
			`34:23: error: instanceType is "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee…"; allowed are e1, c1, g1, fc.gpu.tesla.1, fc.gpu.ampere.1`,
		}},
	})
}

// TestRules: what one setting forbids another.
func TestRules(t *testing.T) {
	runProblemTests(t, []problemTest{
		{"cpu too high for memorySize", []string{"cpu: 0.35", "cpu: 0.55"}, []string{
			"37:14: error: cpu is 0.55; allowed with 512 MB is 0.15 to 0.5 (cpu to memory in GB between 1:1 and 1:4)",
		}},
		{"cpu too low for memorySize", []string{"cpu: 0.35", "cpu: 0.1"}, []string{
			"37:14: error: cpu is 0.1; allowed with 512 MB is 0.15 to 0.5 (cpu to memory in GB between 1:1 and 1:4)",
		}},
		{"instanceSoftConcurrency above instanceConcurrency", []string{"instanceConcurrency: 10", "instanceConcurrency: 10\n        instanceSoftConcurrency: 11"}, []string{
			"40:34: error: instanceSoftConcurrency is 11; allowed is 1 to instanceConcurrency, which is 10",
		}},
		{"instanceSoftConcurrency above the default of instanceConcurrency", []string{"instanceConcurrency: 10", "instanceSoftConcurrency: 2"}, []string{
			"39:34: error: instanceSoftConcurrency is 2; allowed is 1 to instanceConcurrency, which is 1",
		}},
		{"instanceSoftConcurrency with a wrong instanceConcurrency is not judged", []string{"instanceConcurrency: 10", "instanceConcurrency: 0\n        instanceSoftConcurrency: 11"}, []string{
			"39:30: error: instanceConcurrency is 0; allowed is 1 to 200",
		}},
		{"cpu for the least memory", []string{"memorySize: 512", "memorySize: 128"}, []string{
			"37:14: error: cpu is 0.35; allowed with 128 MB is 0.05 to 0.1 (cpu to memory in GB between 1:1 and 1:4)",
		}},
		{"cpu at the lower bound for the least memory", []string{"memorySize: 512", "memorySize: 128", "cpu: 0.35", "cpu: 0.05"}, nil},
		{"cpu at the upper bound for the least memory", []string{"memorySize: 512", "memorySize: 128", "cpu: 0.35", "cpu: 0.1"}, nil},
		{"cpu for the default memory", []string{"        memorySize: 512\n", ""}, []string{
			"36:14: error: cpu is 0.35; allowed with 128 MB is 0.05 to 0.1 (cpu to memory in GB between 1:1 and 1:4)",
		}},
		{"cpu for the most memory", []string{"memorySize: 512", "memorySize: 32768"}, []string{
			"37:14: error: cpu is 0.35; allowed with 32768 MB is 8 to 16 (cpu to memory in GB between 1:1 and 1:4)",
		}},
		{"cpu with a wrong memorySize is not judged", []string{"memorySize: 512", "memorySize: 100"}, []string{
			"35:21: error: memorySize is 100; allowed is 128 to 32768 in steps of 64",
		}},
		{"environmentVariables at their limit", []string{"TZ: Asia/Shanghai", "A: " + strings.Repeat("v", 4095)}, nil},
		{"environmentVariables above their limit", []string{"TZ: Asia/Shanghai", "A: " + strings.Repeat("v", 4096)}, []string{
			"40:9: error: environmentVariables are 4097 bytes; allowed are 4096 for all names and values",
		}},
		{"environment variable without a name", []string{"TZ: Asia/Shanghai", `"": a`}, []string{
			"41:11: error: the name of an environment variable is empty",
		}},
		{"environment variables that cannot be", []string{"TZ: Asia/Shanghai", `"A=B": a` + "\n          " + `"A\0": a` + "\n          " + `"A\n": a` + "\n          " + `A: "a\0b"`}, []string{
			`41:11: error: the name of the environment variable "A=B" has a character that none can have: =, NUL or a line break`,
			`42:11: error: the name of the environment variable "A\x00" has a character that none can have: =, NUL or a line break`,
			`43:11: error: the name of the environment variable "A\n" has a character that none can have: =, NUL or a line break`,
			"44:14: error: the value of A has a NUL in it, which no environment variable can have",
		}},
		{"environment variables of the platform", []string{"TZ: Asia/Shanghai", "FC_RUNTIME_API: 127.0.0.1:1\n          ALIBABA_CLOUD_SECURITY_TOKEN: t\n          FC_OF_MINE: a"}, []string{
			"41:11: error: FC_RUNTIME_API is an environment variable that the platform sets; give yours another name",
			"42:11: error: ALIBABA_CLOUD_SECURITY_TOKEN is an environment variable that the platform sets; give yours another name",
		}},
		{"handler above codeUri", []string{"handler: main", "handler: ../../main"}, []string{
			`33:18: error: handler is "../../main"; the name of the binary in codeUri is needed, without a directory`,
		}},
		{"handler in a directory of Windows", []string{"handler: main", `handler: bin\main`}, []string{
			`33:18: error: handler is "bin\\main"; the name of the binary in codeUri is needed, without a directory`,
		}},
		{"handler that is a directory", []string{"handler: main", "handler: .."}, []string{
			`33:18: error: handler is ".."; the name of the binary in codeUri is needed, without a directory`,
		}},
		{"handler that is not resolved and has a directory", []string{"handler: main", "handler: ${file(/etc/x)}"}, []string{
			`33:18: error: handler is "${file(/etc/x)}"; the name of the binary in codeUri is needed, without a directory`,
			"33:18: warning: fclocal cannot resolve ${file(/etc/x)}; the value is not checked",
		}},
		{"handler that is not resolved", []string{"handler: main", "handler: ${this.handler}"}, []string{
			"33:18: warning: fclocal cannot resolve ${this.handler}; the value is not checked",
		}},
		{"ossKey beside codeUri", []string{"codeUri: ./target", "codeUri: ./target\n        ossBucket: b\n        ossKey: k"}, []string{
			"36:9: error: ossKey stands beside codeUri; one of them is allowed",
		}},
		{"ossKey without codeUri", []string{"codeUri: ./target", "ossBucket: b\n        ossKey: k"}, nil},
		{"runtime that is not go1", []string{"runtime: go1", "runtime: python3", "handler: main", "handler: index.handler"}, nil},
		{"no handler for another runtime", []string{"runtime: go1", "runtime: python3", "        handler: main\n", ""}, []string{
			"30:7: error: handler is missing; needed is the function's handler, such as index.handler",
		}},
		{"custom runtime", []string{"runtime: go1", "runtime: custom.debian10\n        caPort: 8080\n        customRuntimeConfig: {command: [python3], args: [server.py]}\n" +
			"        customHealthCheckConfig: {httpGetUrl: /ready, periodSeconds: 5}", "        handler: main\n", ""}, nil},
		{"custom runtime with mistakes", []string{"runtime: go1", "runtime: custom\n        caPort: 0\n        customRuntimeConfig: {command: python3, port: 8080}\n" +
			"        customHealthCheckConfig: {timeoutSeconds: 4}"}, []string{
			"33:17: error: caPort is 0; allowed is 1 to 65535",
			"34:40: error: command is \"python3\" (a string); a list is needed",
			"34:49: error: unknown key \"port\"; allowed are args, command",
			"35:9: error: httpGetUrl is missing; needed is the path of the check, such as /ready",
			"35:51: error: timeoutSeconds is 4; allowed is 1 to 3",
		}},
		{"no handler for a custom runtime", []string{"runtime: go1", "runtime: custom.debian10", "        handler: main\n", ""}, nil},
		{"filter pattern that is no JSON", []string{"'{}'", "'{'"}, []string{
			"49:39: error: eventRuleFilterPattern: it must be a JSON object: unexpected EOF",
		}},
		{"filter pattern that is no object", []string{"'{}'", "'[]'"}, []string{
			"49:38: error: eventRuleFilterPattern: it must be a JSON object",
		}},
		{"filter pattern that is null", []string{"'{}'", "'null'"}, []string{
			"49:38: error: eventRuleFilterPattern: it must be a JSON object",
		}},
		{"filter pattern with a wrong operator", []string{"'{}'", `'{"source": ["a"], "data": {"topic": [{"like": "b"}]}}'`}, []string{
			`49:65: error: eventRuleFilterPattern: data.topic: operator "like" is not one that EventBridge documents: prefix, suffix, contains, anything-but, numeric, cidr, exists`,
		}},
		{"filter pattern with escapes", []string{"'{}'", `"{\"source\": [\"a\"], \"data\": {\"topic\": []}}"`}, []string{
			"49:37: error: eventRuleFilterPattern: data.topic: the array is empty: no event would pass",
		}},
		{"filter pattern of several lines", []string{"'{}'", "|\n              {\n                \"source\": []}"}, []string{
			"49:37: error: eventRuleFilterPattern: source: the array is empty: no event would pass",
		}},
		{"filter pattern for fields that are not known here", []string{"'{}'", `'{"region": ["a"]}'`}, []string{
			"49:39: warning: eventRuleFilterPattern: region: cannot be matched here; the fields that can are aliyunaccountid, data.key, data.offset, data.partition, data.timestamp, data.topic, data.value, datacontenttype, id, source, specversion, subject, time, type",
		}},
		{"filter pattern of another source", []string{"      triggers:\n", "      triggers:\n        - {name: t, type: eventbridge, config: {eventRuleFilterPattern: '{\"region\": [\"a\"], \"x\": \"a\"}', eventSourceConfig: {eventSourceType: Default}}}\n"}, []string{
			"43:92: error: eventRuleFilterPattern: x: it must be an array of values, or an object for the fields in it",
		}},
		{"filter pattern that is a mapping", []string{"'{}'", "{}"}, []string{
			"49:37: error: eventRuleFilterPattern is a mapping; a string is needed",
		}},
		{"mode of Kafka", []string{"              mode: event-streaming\n              maximumTasks", "              mode: event-driven\n              maximumTasks"}, []string{
			`56:21: error: mode is "event-driven"; Kafka needs event-streaming`,
		}},
		{"modes that differ", []string{"                mode: event-streaming\n                eventSchema", "                mode: event-driven\n                eventSchema"}, []string{
			`52:23: warning: mode is "event-driven" and in runOptions "event-streaming", which wins`,
		}},
		{"mode of deliveryOption only", []string{"              mode: event-streaming\n              maximumTasks", "              maximumTasks"}, nil},
		{"no mode", []string{"              mode: event-streaming\n              maximumTasks", "              maximumTasks", "                mode: event-streaming\n                eventSchema", "                eventSchema"}, []string{
			"54:13: error: mode is missing; Kafka needs event-streaming",
		}},
		{"no Kafka parameters", []string{"sourceKafkaParameters:", "sourceMNSParameters:"}, []string{
			"69:15: error: sourceKafkaParameters is missing; Kafka needs it",
		}},
		{"PublicNetwork alone", []string{"Network: Default", "Network: PublicNetwork"}, []string{
			`75:28: error: Network is "PublicNetwork"; missing with it: VpcId, VSwitchIds, SecurityGroupId`,
		}},
		{"PublicNetwork with a part", []string{"Network: Default", "Network: PublicNetwork\n                  VpcId: vpc-1\n                  VSwitchIds: vsw-1"}, []string{
			`75:28: error: Network is "PublicNetwork"; missing with it: SecurityGroupId`,
		}},
		{"PublicNetwork with all", []string{"Network: Default", "Network: PublicNetwork\n                  VpcId: vpc-1\n                  VSwitchIds: [vsw-1]\n                  SecurityGroupId: sg-1"}, nil},
		{"two Kafka triggers", []string{"      triggers:\n        - name: kafka\n", "      triggers:\n        - &first\n          name: kafka\n", "                  Network: Default\n", "                  Network: Default\n        - <<: *first\n          name: again\n"}, []string{
			"77:11: error: fclocal runs one EventBridge trigger for Kafka; kafka is one already",
		}},
		{"misspelt key of a trigger for another source", []string{"      triggers:\n", "      triggers:\n        - {name: t, type: eventbridge, config: {eventRuleFilterPattern: '{}', eventSinkConfig: {deliveryOption: {Mode: event-streaming}}, eventSourceConfig: {eventSourceType: MNS}}}\n"}, []string{
			`43:114: warning: unknown key "Mode"; did you mean "mode"?`,
		}},
		{"other triggers are not looked into", []string{"      triggers:\n", "      triggers:\n        - {name: t, type: timer, config: {cronExpression: \"@every 1m\", enable: true}}\n"}, nil},
		{"no service for fclocal", []string{"component: devsapp/fc", "component: devsapp/website"}, []string{
			"9:1: error: none of the services is of component devsapp/fc",
			`11:16: warning: component is "devsapp/website"; fclocal looks into devsapp/fc only`,
		}},
		{"another service", []string{"services:\n", "services:\n  site:\n    component: devsapp/website\n    props: {anything: 1}\n"}, []string{
			`11:16: warning: component is "devsapp/website"; fclocal looks into devsapp/fc only`,
		}},
		{"two services, one with a trigger", []string{"services:\n  orders:\n", "services:\n  first:\n    component: fc@0.1\n    props: {region: r, service: {name: s}, function: {name: f, runtime: go1, handler: h, codeUri: .}}\n  orders:\n"}, nil},
	})
}

// TestWarnings: what deploys but bites.
func TestWarnings(t *testing.T) {
	runProblemTests(t, []problemTest{
		{"deadLetterQueue with NONE", []string{"errorsTolerance: ALL", "errorsTolerance: NONE"}, []string{
			"62:15: warning: deadLetterQueue has no effect with errorsTolerance NONE; it is used only when errors are tolerated",
		}},
		{"deadLetterQueue without errorsTolerance", []string{"              errorsTolerance: ALL\n", ""}, []string{
			"55:13: warning: errorsTolerance is missing; the platform's default is NONE: a batch that fails all its retries stops the stream",
			"61:15: warning: deadLetterQueue has no effect with errorsTolerance NONE; it is used only when errors are tolerated",
		}},
		{"no deadLetterQueue with ALL", []string{"              deadLetterQueue:\n                Arn: acs:mns:cn-hangzhou:1234567890123456:queues/dead\n", ""}, []string{
			"58:32: warning: deadLetterQueue is missing; with errorsTolerance ALL a batch that fails all its retries is discarded",
		}},
		{"misspelt deadLetterQueue", []string{"deadLetterQueue:", "deadletterQueue:"}, []string{
			`62:15: error: unknown key "deadletterQueue"; did you mean "deadLetterQueue"?`,
		}},
		{"hooks with handlers of other runtimes", []string{"handler: main", "handler: main\n        initializer: main.init\n        instanceLifecycleConfig:\n          preFreeze: {handler: \"true\"}\n          preStop: {handler: \"false\"}"}, []string{
			`34:22: warning: initializer is "main.init"; for go1 it is "true", and the function registers the hook itself`,
			`37:30: warning: preStop.handler is "false"; for go1 it is "true", and the function registers the hook itself`,
		}},
		{"GOMEMLIMIT above memorySize", []string{"TZ: Asia/Shanghai", "GOMEMLIMIT: 513MiB"}, []string{
			`41:23: warning: GOMEMLIMIT is "513MiB", above memorySize, which is 512 MB: the function is killed before the limit does anything`,
		}},
		{"GOMEMLIMIT above the default memorySize", []string{"TZ: Asia/Shanghai", `GOMEMLIMIT: "134217729"`, "        memorySize: 512\n", "", "        cpu: 0.35\n", ""}, []string{
			`39:23: warning: GOMEMLIMIT is "134217729", above memorySize, which is 128 MB: the function is killed before the limit does anything`,
		}},
		{"GOMEMLIMIT at memorySize", []string{"TZ: Asia/Shanghai", "GOMEMLIMIT: 512MiB"}, nil},
		{"GOMEMLIMIT that Go does not read", []string{"TZ: Asia/Shanghai", "GOMEMLIMIT: 100MB"}, []string{
			`41:23: warning: GOMEMLIMIT is "100MB", with which a Go program does not start; allowed is a number of bytes, or one with B, KiB, MiB, GiB or TiB`,
		}},
		{"GOMEMLIMIT that is no string", []string{"TZ: Asia/Shanghai", "GOMEMLIMIT: 1"}, []string{
			"41:23: error: GOMEMLIMIT is 1 (a number); a string is needed: quote it",
		}},
		{"trigger that is not enabled", []string{"triggerEnable: true", "triggerEnable: false"}, []string{
			"47:28: warning: triggerEnable is false; the event stream is stopped, and no event comes",
		}},
		{"timeout at the limit of a trigger", []string{"timeout: 60", "timeout: 300"}, nil},
		{"timeout above the limit of a trigger", []string{"timeout: 60", "timeout: 301"}, []string{
			"36:18: warning: timeout is 301; a trigger allows a call at most 300 seconds",
		}},
		{"asynchronous calls", []string{"asyncInvocationType: false", "asyncInvocationType: true"}, []string{
			"48:34: warning: asyncInvocationType is true; concurrency is for synchronous calls only, and a batch is at most 128 KB",
		}},
		{"placeholder", []string{"name: app", "name: xxx"}, []string{
			`2:7: warning: name is still the placeholder "xxx"; set your own`,
		}},
		{"placeholder within a text", []string{"vpcId: vpc-1", "vpcId: vpc-xxx"}, []string{
			`27:18: warning: vpcId is still the placeholder "vpc-xxx"; set your own`,
		}},
		{"placeholder in vars, once for all its uses", []string{"region: cn-hangzhou", "region: xxx", "name: app", "name: ${vars.region}"}, []string{
			`5:11: warning: region is still the placeholder "xxx"; set your own`,
		}},
		{"placeholder in a list", []string{"[vsw-1]", "[vsw-xxx]"}, []string{
			`29:24: warning: vswitchIds[0] is still the placeholder "vsw-xxx"; set your own`,
		}},
		{"no placeholder", []string{"name: app", "name: xxxl"}, nil},
		{"no placeholder in free text", []string{"        name: consumer\n", "        name: consumer\n        description: replaces xxx\n"}, nil},
	})
}

// TestDeploy: what keeps a function from being deployed only.
func TestDeploy(t *testing.T) {
	const build = "go build ."
	deploys := []string{build, "go build -o ../target/main ."}
	with := func(oldnew ...string) []string { return slices.Concat(deploys, oldnew) }
	tests := []problemTest{
		{"all good", deploys, nil},
		{"placeholder for a role", with("acs:ram::1234567890123456:role/fc", "acs:ram::xxx:role/fc"), []string{
			`21:15: error: role is "acs:ram::xxx:role/fc"; s deploys with the ARN of a RAM role only: acs:ram::ACCOUNT:role/NAME, where ACCOUNT is a number`,
		}},
		{"name for a role", with("acs:ram::1234567890123456:role/fc", "fc"), []string{
			`21:15: error: role is "fc"; s deploys with the ARN of a RAM role only: acs:ram::ACCOUNT:role/NAME, where ACCOUNT is a number`,
		}},
		{"role that is not resolved", with("acs:ram::1234567890123456:role/fc", "acs:ram::${config(AccountID)}:role/fc"), []string{
			"21:15: warning: fclocal cannot resolve ${config(AccountID)}; the value is not checked",
		}},
		{"logConfig without a logstore", with("          logstore: orders\n", ""), []string{
			"22:9: error: logConfig has project and no logstore; both or none are needed",
		}},
		{"logConfig without a project", with("          project: logs\n", ""), []string{
			"22:9: error: logConfig has logstore and no project; both or none are needed",
		}},
		{"logConfig with a misspelt project", with("          project: logs\n", "          projct: logs\n"), []string{
			`23:11: error: unknown key "projct"; did you mean "project"?`,
		}},
		{"region that is near another", with("region: cn-hangzhou", "region: cn-hangzou"), []string{
			`5:11: error: region is "cn-hangzou", where Function Compute is not; did you mean cn-hangzhou?`,
		}},
		{"region that is not", with("region: cn-hangzhou", "region: mars"), []string{
			`5:11: error: region is "mars", where Function Compute is not; there are ` + strings.Join(regions, ", "),
		}},
		{"service name that starts with a digit", with("        name: orders\n", "        name: 1orders\n"), []string{
			`20:15: error: name is "1orders"; allowed are letters, digits, _ and -, and no digit or - at the start`,
		}},
		{"function name with a dot", with("name: consumer", "name: con.sumer"), []string{
			`31:15: error: name is "con.sumer"; allowed are letters, digits, _ and -, and no digit or - at the start`,
		}},
		{"function name of 64 characters", with("name: consumer", "name: "+strings.Repeat("a", 64)), nil},
		{"function name of 140 characters", with("name: consumer", "name: "+strings.Repeat("a", 140)), []string{
			`31:15: error: name has 140 characters: "` + strings.Repeat("a", 60) + `…"; allowed are 64`,
		}},
		{"codeUri that no action makes", nil, []string{
			`34:18: error: codeUri is "./target", which does not exist, and no action of pre-deploy makes it`,
		}},
		{"codeUri that an action makes elsewhere", []string{build, "go mod tidy && CGO_ENABLED=0 go build -o bin/target ."}, []string{
			`33:18: warning: handler is "main"; the action pre-deploy builds "target"`,
			`34:18: error: codeUri is "./target", which does not exist, and no action of pre-deploy makes it`,
		}},
		{"codeUri that some command may make", []string{build, "go mod tidy; make"}, nil},
		{"codeUri that a component may make", []string{`run: test -n "${HOME}" && go build .`, "component: fc build"}, nil},
		{"codeUri that is there", []string{"codeUri: ./target", "codeUri: ."}, nil},
	}
	runProblemTestsWith(t, Options{Deploy: true}, tests)
	for _, test := range tests {
		if project, problems := load(t, edit(t, base(t), test.oldnew...), Options{}); project == nil && test.name != "logConfig with a misspelt project" {
			t.Errorf("%s: it does not run here: %q", test.name, brief(problems))
		}
	}
}

// TestWindows: what cmd.exe does not understand.
func TestWindows(t *testing.T) {
	for _, hostOS = range []string{"windows", "linux"} {
		defer func() { hostOS = runtime.GOOS }()
		var want []string
		if hostOS == "windows" {
			want = []string{
				"14:16: warning: this sets variables as a POSIX shell does, and s runs it by cmd.exe here; run s in WSL",
			}
		}
		runProblemTestsWith(t, Options{Deploy: true}, []problemTest{
			{"variables before the command", []string{`test -n "${HOME}" && go build .`, "go vet && GOOS=linux GOARCH=amd64 go build -o ../target/main ."}, want},
			{"variables of cmd.exe", []string{`test -n "${HOME}" && go build .`, "set GOOS=linux&& go build -o ../target/main ."}, nil},
		})
	}
}

// TestVariables: ${...}.
func TestVariables(t *testing.T) {
	runProblemTests(t, []problemTest{
		{"wrong value is shown where it is defined", []string{"tasks: 2", "tasks: 0"}, []string{
			"6:10: error: maximumTasks is 0; allowed is 1 to 1000 (fclocal's limit)",
		}},
		{"string in vars stays a string", []string{"tasks: 2", `tasks: "2"`}, []string{
			`6:10: error: maximumTasks is "2" (a string); a whole number is needed`,
		}},
		{"one wrong definition used twice", []string{"tasks: 2", "tasks: zero", "concurrency: 26", "concurrency: ${vars.tasks}"}, []string{
			`6:10: error: concurrency is "zero" (a string); a whole number is needed`,
			`6:10: error: maximumTasks is "zero" (a string); a whole number is needed`,
		}},
		{"misspelt variable", []string{"${vars.region}", "${vars.regoin}"}, []string{
			"18:15: error: ${vars.regoin} is not defined; did you mean ${vars.region}?",
		}},
		{"unknown variable", []string{"${vars.region}", "${vars.x}"}, []string{
			"18:15: error: ${vars.x} is not defined; defined are vars.region, vars.tasks, vars.kafka.topic",
		}},
		{"unknown variable that has only the length of another", []string{"${vars.tasks}", "${vars.nopes}"}, []string{
			"57:29: error: ${vars.nopes} is not defined; defined are vars.region, vars.tasks, vars.kafka.topic",
		}},
		{"unknown variable below a known one", []string{"${vars.kafka.topic}", "${vars.kafka.topic.name}"}, []string{
			"72:26: error: ${vars.kafka.topic.name} is not defined; did you mean ${vars.kafka.topic}?",
		}},
		{"no vars", []string{"vars:\n  region: cn-hangzhou\n  tasks: 2\n  kafka:\n    topic: orders\n", "", "${vars.region}", "r", "${vars.tasks}", "1"}, []string{
			"67:26: error: ${vars.kafka.topic} is not defined; the file has no vars",
		}},
		{"variable within a text", []string{"name: app", "name: app-${vars.kafka.topic}-${vars.tasks}"}, nil},
		{"mapping within a text", []string{"name: app", "name: app-${vars.kafka}"}, []string{
			"2:7: error: ${vars.kafka} is a mapping; within a text only a string, a number or a boolean can stand",
		}},
		{"mapping as a value", []string{"name: app", "name: ${vars.kafka}"}, []string{
			"8:5: error: name is a mapping; a string is needed",
		}},
		{"variable made of variables", []string{"tasks: 2", "tasks: ${vars.count}\n  count: 0"}, []string{
			"7:10: error: maximumTasks is 0; allowed is 1 to 1000 (fclocal's limit)",
		}},
		{"variable defined by itself", []string{"tasks: 2", "tasks: ${vars.tasks}"}, []string{
			"6:10: error: ${vars.tasks} is defined by itself",
		}},
		{"variables defined by each other", []string{"tasks: 2", "tasks: ${vars.a}\n  a: ${vars.b}\n  b: 1${vars.tasks}"}, []string{
			"8:6: error: ${vars.tasks} is defined by itself",
		}},
		{"variable that holds itself", []string{"    topic: orders", "    topic: ${vars.kafka}"}, []string{
			"8:12: error: ${vars.kafka} is defined by itself",
		}},
		{"variable that uses its neighbour", []string{"    topic: orders", "    prefix: new\n    topic: ${vars.kafka.prefix}-orders"}, nil},
		{"environment variable that is not set", []string{"${env(FCLOCAL_TEST_GROUP)}", "${env(FCLOCAL_TEST_NONE)}"}, []string{
			"73:34: error: the environment variable FCLOCAL_TEST_NONE is not set; s would leave ${env(FCLOCAL_TEST_NONE)} as it stands",
		}},
		{"forms of FC 3.0's file", []string{"${env(FCLOCAL_TEST_GROUP)}", "${env('FCLOCAL_TEST_GROUP')}", "name: app", "name: ${resources.orders.props.region}"}, []string{
			"2:7: error: ${resources.orders.props.region} is not defined; FC 2.0's file writes ${orders.props.region}",
			"73:34: error: ${env('FCLOCAL_TEST_GROUP')} has quotation marks; FC 2.0's file writes ${env(FCLOCAL_TEST_GROUP)}",
		}},
		{"default of an environment variable", []string{"${env(FCLOCAL_TEST_GROUP)}", "${env(FCLOCAL_TEST_NONE, 'group')}"}, nil},
		{"environment variable for a number", []string{"memorySize: 512", "memorySize: ${env(FCLOCAL_TEST_NONE, 512)}"}, []string{
			`35:21: error: memorySize is "512" from ${env(FCLOCAL_TEST_NONE, 512)}, which is always a string; a whole number is needed: write the value in vars and use ${vars.…}`,
		}},
		{"environment variable for a number of an enumeration", []string{"diskSize: 512", "diskSize: ${env(FCLOCAL_TEST_NONE, 512)}"}, []string{
			`38:19: error: diskSize is "512" from ${env(FCLOCAL_TEST_NONE, 512)}, which is always a string; allowed are 512, 10240: write the value in vars and use ${vars.…}`,
		}},
		{"environment variable by way of vars", []string{"tasks: 2", "tasks: ${env(FCLOCAL_TEST_NONE, 2)}"}, []string{
			`6:10: error: maximumTasks is "2" from ${env(FCLOCAL_TEST_NONE, 2)}, which is always a string; a whole number is needed: write the value in vars and use ${vars.…}`,
		}},
		{"expression of s", []string{"role: acs:ram::1234567890123456:role/fc", "role: acs:ram::${config(AccountID)}:role/fc"}, []string{
			"21:15: warning: fclocal cannot resolve ${config(AccountID)}; the value is not checked",
		}},
		{"expression for a number", []string{"memorySize: 512", "memorySize: ${this.props.memory}"}, []string{
			`35:21: error: memorySize is "${this.props.memory}", which only the cloud knows; a run needs the value itself, or --set memorySize=VALUE`,
			"35:21: warning: fclocal cannot resolve ${this.props.memory}; the value is not checked",
		}},
		{"expression for a mapping that fclocal needs", []string{"    props:\n      region: ${vars.region}\n      service:\n        name: orders\n        role: acs:ram::1234567890123456:role/fc\n        logConfig:\n          project: logs\n          logstore: orders\n          logBeginRule: None\n        vpcConfig:\n          vpcId: vpc-1\n          securityGroupId: sg-1\n          vswitchIds: [vsw-1]\n", "    props:\n      region: ${vars.region}\n      service: ${file(service.yaml)}\n"}, []string{
			`19:16: error: service is "${file(service.yaml)}", which fclocal cannot resolve and needs`,
			"19:16: warning: fclocal cannot resolve ${file(service.yaml)}; the value is not checked",
		}},
		{"variable that is not defined in an action", []string{"path: ./code", "path: ${vars.code}"}, []string{
			"15:17: error: ${vars.code} is not defined; defined are vars.region, vars.tasks, vars.kafka.topic",
		}},
	})
}

// TestAnchors: anchors and merge keys.
func TestAnchors(t *testing.T) {
	runProblemTests(t, []problemTest{
		{"wrong value is shown at its anchor", []string{"topic: orders", "topic: orders\n    timeout: &t 0", "timeout: 60", "timeout: *t"}, []string{
			"9:14: error: timeout is 0; allowed is 1 to 86400",
		}},
		{"merge key", []string{"vars:\n", "vars:\n  sizes: &sizes {cpu: 0.33, memorySize: 1024}\n", "        memorySize: 512\n", "        <<: *sizes\n", "        cpu: 0.35\n", ""}, []string{
			"5:23: error: cpu is 0.33; allowed is 0.05 to 16 in steps of 0.05",
		}},
		{"own key before a merged one", []string{"vars:\n", "vars:\n  sizes: &sizes {cpu: 0.33, timeout: 5}\n", "        memorySize: 512\n", "        <<: [*sizes]\n        memorySize: 512\n"}, nil},
		{"merge of what is no mapping", []string{"        memorySize: 512\n", "        <<: 512\n"}, []string{
			"35:13: error: << is 512 (a number); a mapping or a list of mappings is needed",
			"37:14: error: cpu is 0.35; allowed with 128 MB is 0.05 to 0.1 (cpu to memory in GB between 1:1 and 1:4)",
		}},
		{"anchor that contains itself", []string{"access: default", "access: &a [*a]"}, []string{
			"3:9: error: access is a list; a string is needed",
			"3:13: error: the anchor &a contains itself",
		}},
		{"key that is no scalar", []string{"access: default", "? [a]\n: b"}, []string{
			"3:3: error: a key must be a scalar",
		}},
	})
}

// TestTogether: several problems, sorted by place.
func TestTogether(t *testing.T) {
	runProblemTests(t, []problemTest{
		{"many", []string{"maximumTasks: $", "maximumTask: $", "concurrency: 26", "concurrency: 301", "timeout: 60", "timeout: 400", "name: app", "name: xxx", "${vars.region}", "${vars.regio}", "                  Topic: ${vars.kafka.topic}\n", ""}, []string{
			`2:7: warning: name is still the placeholder "xxx"; set your own`,
			"18:15: error: ${vars.regio} is not defined; did you mean ${vars.region}?",
			"36:18: warning: timeout is 400; a trigger allows a call at most 300 seconds",
			"54:30: error: concurrency is 301; allowed is 1 to 300",
			`57:15: error: unknown key "maximumTask"; did you mean "maximumTasks"?`,
			"70:17: error: Topic is missing; needed is the topic's name",
		}},
	})
}
