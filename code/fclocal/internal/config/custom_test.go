package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCustomRuntime(t *testing.T) {
	document := func(function string) string {
		return strings.Replace(smallest, "runtime: go1, handler: main, codeUri: .", "codeUri: ., runtime: "+function, 1)
	}
	for function, want := range map[string]CustomRuntime{
		"custom": {Port: 9000},
		"custom.debian10, caPort: 8080, customRuntimeConfig: {command: [java, -jar], args: [a.jar, '1']}, customHealthCheckConfig: {httpGetUrl: /ready}": {
			Command: []string{"java", "-jar", "a.jar", "1"}, Port: 8080, Health: &HealthCheck{"/ready", 0, 3, 1, 3},
		},
		"custom, customHealthCheckConfig: {httpGetUrl: /, initialDelaySeconds: 1, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 4, successThreshold: 5}": {
			Port: 9000, Health: &HealthCheck{"/", 1, 2, 3, 4},
		},
		"go1, handler: main, caPort: 8080": {},
	} {
		project, problems := load(t, document(function), Options{})
		if problems != nil || project == nil {
			t.Errorf("%s: %q", function, brief(problems))
		} else if diff := cmp.Diff(want, project.Function.CustomRuntime); diff != "" {
			t.Errorf("%s: -want +got:\n%s", function, diff)
		}
	}
}

func TestBuildActions(t *testing.T) {
	for actions, want := range map[string][]Action{
		"{pre-deploy: [{run: a, path: ./code}, {run: b}]}":                             {{Hook: "pre-deploy", Run: "a", Path: "/code"}, {Hook: "pre-deploy", Run: "b"}},
		"{pre-deploy: [{run: a}], pre-local: [{run: b}], post-local: [{run: c}]}":      {{Hook: "pre-local", Run: "b"}},
		`{"pre-${regex('deploy|local')}": [{run: a}]}`:                                 {{Hook: "pre-local", Run: "a"}},
		`{"pre-${regex(deploy)}": [{run: a}], "pre-${regex('(')}": [{run: b}]}`:        {{Hook: "pre-deploy", Run: "a"}},
		"{pre-deploy: [{component: fc build}, {plugin: x, path: ./y}], pre-build: []}": {{Hook: "pre-deploy", Other: "component: fc build"}, {Hook: "pre-deploy", Other: "plugin: x", Path: "/y"}},
		"{post-deploy: [{run: a}]}":                                                    nil,
	} {
		project, problems := load(t, strings.Replace(smallest, "    props:", "    actions: "+actions+"\n    props:", 1), Options{})
		if project == nil {
			t.Errorf("%s: %q", actions, brief(problems))
			continue
		}
		for i := range want {
			want[i].Path = filepath.Join(project.Dir, want[i].Path)
		}
		if diff := cmp.Diff(want, project.Build, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", actions, diff)
		}
	}
}

func TestRunnable(t *testing.T) {
	for runtime, want := range map[string]string{
		"go1": "", "custom": "", "custom.debian10": "", "custom.debian12": "",
		"custom-container": "s.yaml: runtime is custom-container: fclocal runs no images; with runtime custom.debian10 it runs the same HTTP server, started by customRuntimeConfig.command",
		"nodejs20":         "s.yaml: runtime is nodejs20: fclocal runs go1 and custom runtimes; with runtime custom.debian10, and customRuntimeConfig.command to start an HTTP server that takes POST /invoke, it runs a function in any language",
	} {
		got := ""
		if err := (&Project{File: "s.yaml", Function: Function{Runtime: runtime}}).Runnable(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", runtime, got, want)
		}
	}
}

func TestBootstrap(t *testing.T) {
	const missing = `9:17: warning: nothing starts the function: there is no customRuntimeConfig.command, nor a file bootstrap in "./code"`
	for _, test := range []struct {
		name, more, service string
		files               []string
		want                string
	}{
		{name: "nothing yet"},
		{name: "nothing", files: []string{"code/server.py"}, want: missing},
		{name: "bootstrap", files: []string{"code/bootstrap"}},
		{name: "command", more: ", customRuntimeConfig: {command: [python3, server.py]}", files: []string{"code/server.py"}},
		{name: "empty argument", more: `, customRuntimeConfig: {command: [python3], args: [server.py, ""]}`, files: []string{"code/server.py"}},
		{name: "source", files: []string{"code/main.go", "code/go.mod"}},
		{name: "actions", service: "    actions: {pre-deploy: [{run: make}]}\n", files: []string{"code/main.c"}},
	} {
		directory := t.TempDir()
		document := strings.Replace(smallest, "runtime: go1, handler: main, codeUri: .", "codeUri: ./code, runtime: custom"+test.more, 1)
		document = strings.Replace(document, "    props:", test.service+"    props:", 1)
		for _, name := range append(test.files, "s.yaml") {
			path := filepath.Join(directory, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, problems, err := Load(filepath.Join(directory, "s.yaml"), Options{})
		if got := strings.Join(brief(problems), "\n"); got != test.want || err != nil {
			t.Errorf("%s: %s, %v; want %s", test.name, got, err, test.want)
		}
	}
}

func TestHere(t *testing.T) {
	t.Setenv("PATH", "/bin")
	p := &Project{Dir: "/project", Function: Function{CodeURI: "./src", EnvironmentVariables: map[string]string{}}}
	for paths, want := range map[string]string{
		"": "", "/code": "/project/src", "/code/": "/project/src", "/code/a/b": "/project/src/a/b", "/codes": "/codes", "x/code": "x/code",
		"/usr/bin:/code/bin:/opt": "/usr/bin:/project/src/bin:/opt",
	} {
		if got := p.Here(paths); got != want {
			t.Errorf("%s: %s, want %s", paths, got, want)
		}
	}
	if got := p.SearchPath(); got != "/bin" {
		t.Error(got)
	}
	p.Function.EnvironmentVariables["PATH"] = "/code/bin:/usr/bin"
	if got := p.SearchPath(); got != "/project/src/bin:/usr/bin:/bin" {
		t.Error(got)
	}
}
