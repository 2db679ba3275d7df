package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// edition1 is testdata/custom/s.yaml in FC 2.0's format.
const edition1 = `edition: 1.0.0
name: custom
services:
  custom:
    component: devsapp/fc
    props:
      region: cn-shanghai
      service: {name: custom-service}
      function:
        name: custom-function
        runtime: custom
        codeUri: ./go
        memorySize: 512
        cpu: 0.5
        timeout: 60
        instanceConcurrency: 26
        caPort: 8080
        customRuntimeConfig:
          command: [/code/main]
        initializer: initialize
        initializationTimeout: 60
        instanceLifecycleConfig:
          preFreeze: {handler: preFreeze, timeout: 60}
          preStop: {handler: preStop, timeout: 60}
        environmentVariables:
          PYTHONPATH: /code/lib
`

// languages are those of the functions in testdata/custom, by what starts them.
var languages = []struct{ name, program, command string }{
	{"go", "go", "[/code/main]"},
	{"python", "python3", "[python3, server.py]"},
	{"node", "node", "[node, /code/server.js]"},
}

// customProject is a copy of testdata/custom with a file in which texts are replaced.
func customProject(t *testing.T, template string, texts ...string) string {
	t.Helper()
	project := t.TempDir()
	if err := os.CopyFS(project, os.DirFS("testdata/custom")); err != nil {
		t.Fatal(err)
	}
	if template == "" {
		content, err := os.ReadFile("testdata/custom/s.yaml")
		if err != nil {
			t.Fatal(err)
		}
		template = string(content)
	}
	for i := 0; i < len(texts); i += 2 {
		if !strings.Contains(template, texts[i]) {
			t.Fatalf("%q is not in the file", texts[i])
		}
		template = strings.ReplaceAll(template, texts[i], texts[i+1])
	}
	file := filepath.Join(project, "s.yaml")
	if err := os.WriteFile(file, []byte(template), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// runCustom runs the command, which must end with the code.
func runCustom(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errors bytes.Buffer
	if got := run(args, strings.NewReader(""), &out, &errors); got != code {
		t.Fatalf("%q: exit code %d, want %d\n%s%s", args, got, code, &out, &errors)
	}
	return out.String(), errors.String()
}

// A function in any language, of both editions, is called with its hooks, and
// fails as it says.
func TestCustomInvoke(t *testing.T) {
	for _, language := range languages {
		for edition, template := range map[string]string{"3.0.0": "", "1.0.0": edition1} {
			t.Run(language.name+" "+edition, func(t *testing.T) {
				needProgram(t, language.program)
				file := customProject(t, template, "./go", "./"+language.name, "[/code/main]", language.command)
				stdout, stderr := runCustom(t, exitOK, "invoke", "-t", file, "-e", `{"any": "thing"}`)
				hooks := "/initialize ID\n/invoke ID\n"
				if edition == "1.0.0" {
					hooks += "/pre-freeze ID\n"
				}
				hooks += "/pre-stop ID\n"
				if got := regexp.MustCompile(`[0-9a-f-]{36}`).ReplaceAllString(stderr, "ID"); stdout != `{"any": "thing"}`+"\n" || !strings.HasPrefix(got, hooks) {
					t.Errorf("%q\n%s\nwant\n%s", stdout, got, hooks)
				}
				stdout, _ = runCustom(t, exitFailed, "invoke", "-t", file, "-e", `"fail"`)
				if !regexp.MustCompile(`^\{"errorMessage": ?"as told", ?"errorType": ?"(ValueError|Error|errorString)"\}\n$`).MatchString(stdout) {
					t.Errorf("a failure is %q", stdout)
				}
			})
		}
	}
}

// needProgram skips a test for which a program is missing, which .ci/run does not
// allow.
func needProgram(t *testing.T, name string) {
	if _, err := exec.LookPath(name); err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
}

// The whole trigger of a function in any language.
func TestCustomStream(t *testing.T) {
	for _, language := range languages {
		t.Run(language.name, func(t *testing.T) {
			needProgram(t, language.program)
			file := customProject(t, "", "./go", "./"+language.name, "[/code/main]", language.command)
			for i, run := range mustStream(t, "-t", file, "-n", "60", "--no-cpu-limit", "--set", "instanceConcurrency=26,1", "--set", "CountBasedWindow=1", "--event-time", "20ms") {
				if got, want := counts(run), "produced 60, delivered 60, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want || run.Failures != nil {
					t.Errorf("run %d: %s %v, want %s", i, got, run.Failures, want)
				}
				if run.Instances < 1 || run.Instances > []int{1, 26}[i] {
					t.Errorf("run %d: %d instances", i, run.Instances)
				}
			}
		})
	}
}

// The project's own function as the manual has it for a custom runtime takes
// instanceConcurrency calls an instance, and gives the same answers.
func TestCustomManual(t *testing.T) {
	manual, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	server := regexp.MustCompile("(?s)```go\n(func main\\(\\) \\{\n.*?\n\\}\n)```").FindSubmatch(manual)
	source, err := os.ReadFile("../main.go")
	if err != nil || server == nil {
		t.Fatalf("%v, the manual's main: %q", err, server)
	}
	changed := regexp.MustCompile(`(?s)func main\(\) \{\n.*?\n\}\n`).ReplaceAllLiteral(source, server[1])
	changed = bytes.Replace(changed, []byte("import (\n"), []byte("import (\n\t\"io\"\n\t\"log\"\n\t\"os\"\n"), 1)
	file := customProject(t, "", "code: ./go", "code: ./code/target", "        initializer: {handler: initialize, timeout: 60}\n", "", "        preStop: {handler: preStop, timeout: 60}\n", "", "      instanceLifecycleConfig:\n", "")
	code := filepath.Join(filepath.Dir(file), "code")
	if err := os.Mkdir(code, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"main.go": changed, "go.mod": nil, "go.sum": nil} {
		if content == nil {
			if content, err = os.ReadFile("../" + name); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(code, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for event, exit := range map[string]int{"[]": exitOK, `["x"]`: exitFailed, "{}": exitFailed} {
		want, _ := runCustom(t, exit, "invoke", "-t", "../../s.yaml", "-e", event)
		if got, _ := runCustom(t, exit, "invoke", "-t", file, "-e", event); strings.ReplaceAll(got, "main.", "") != want {
			t.Errorf("%s: %s, want %s", event, got, want)
		}
	}
	want := []int{1, 2, 6, 13, 26}
	runs := mustStream(t, "-t", file, "-n", "52", "--event-time", "500ms", "--no-cpu-limit", "--set", "CountBasedWindow=1", "--set", "instanceConcurrency=26,13,5,2,1")
	var got []int
	for _, run := range runs {
		got = append(got, run.Instances)
		if run.Delivered != 52 || run.Failures != nil {
			t.Errorf("delivered %d of 52, failures %v", run.Delivered, run.Failures)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v instances, want %v", got, want)
	}
}

// Other runtimes are not run, and said what to do; check and plan take them.
func TestOtherRuntimes(t *testing.T) {
	for runtime, want := range map[string]string{
		"python3.10":       "fclocal: FILE: runtime is python3.10: fclocal runs go1 and custom runtimes; with runtime custom.debian10, and customRuntimeConfig.command to start an HTTP server that takes POST /invoke, it runs a function in any language\n",
		"custom-container": "fclocal: FILE: runtime is custom-container: fclocal runs no images; with runtime custom.debian10 it runs the same HTTP server, started by customRuntimeConfig.command\n",
	} {
		file := customProject(t, "", "custom.debian12", runtime, "code: ./go", "code: ./go\n      handler: index.handler", "      customRuntimeConfig:\n        command: [/code/main]\n", "")
		for _, args := range [][]string{{"invoke", "-e", "1"}, {"stream"}, {"plan", "--rate", "1", "--measure"}} {
			if _, stderr := runCustom(t, exitUsage, append(args, "-t", file)...); !strings.HasSuffix(strings.ReplaceAll(stderr, file, "FILE"), want) {
				t.Errorf("%s %q: %s", runtime, args, stderr)
			}
		}
		runCustom(t, exitOK, "check", "-t", file)
		stdout, _ := runCustom(t, exitOK, "plan", "-t", file, "--rate", "1", "--for", "1m", "--call-time", "1ms", "--json")
		if !strings.Contains(stdout, `"delivered":60,`) && !strings.Contains(stdout, `"delivered": 60,`) {
			t.Errorf("%s: %s", runtime, stdout)
		}
	}
}
