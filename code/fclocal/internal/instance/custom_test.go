package instance

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/customruntime"
	"fclocal/internal/failure"
	"fclocal/internal/process"
)

// customSpec is of a function of a custom runtime, an HTTP server in Go, which does as
// the variables tell it, and listens on its own port, which is returned, if INSIST is OWN.
func customSpec(t *testing.T, variables map[string]string) (Spec, int) {
	t.Helper()
	directory := t.TempDir()
	port, release, err := customruntime.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	for name, value := range variables {
		variables[name] = strings.Replace(value, "OWN", fmt.Sprint(port), 1)
	}
	project := &config.Project{Region: "cn-shanghai", Function: config.Function{
		Name: "f", Runtime: "custom", MemorySize: 512, Timeout: 20, InitializationTimeout: 20, CodeURI: directory,
		EnvironmentVariables: variables, CustomRuntime: config.CustomRuntime{Port: port},
	}}
	program := buildProgram(t, "../../testdata/custom/go", directory)
	return Spec{Project: project, Binary: program, CodeDir: directory, ID: "c-test", Logs: t.Output()}, port
}

// startCustom starts an instance; notices has what is told by the way.
func startCustom(t *testing.T, spec Spec, instances int, notices *[]string) *Instance {
	t.Helper()
	host, err := NewHost(t.Context(), spec, instances, func(text string) { *notices = append(*notices, text) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(host.Close)
	i, err := host.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Stop)
	return i
}

// what is a call's answer, or its error's type and text.
func what(t *testing.T, i *Instance, event string) string {
	t.Helper()
	result, err := i.Invoke(t.Context(), Call{RequestID: "id", Payload: []byte(event)})
	if err != nil {
		t.Fatal(err)
	}
	if result.Error != nil {
		return result.Error.Error()
	}
	return string(result.Payload)
}

func TestCustomCalls(t *testing.T) {
	spec, _ := customSpec(t, map[string]string{"GREETING": "hello", "CONFIG": "/etc:/code/conf", "PATH": "/code/bin"})
	spec.Project.Service.Role = "acs:ram::1234:role/r"
	var notices []string
	i := startCustom(t, spec, 1, &notices)
	for event, want := range map[string]string{
		`"fine"`: `"fine"`, "": "", `"fail"`: "errorString: as told", strings.Repeat("x", 1<<20): strings.Repeat("x", 1<<20),
	} {
		if got := what(t, i, event); got != want {
			t.Errorf("%.20q: %.80q, want %.80q", event, got, want)
		}
	}

	environment := strings.Split(what(t, i, `"environment"`), "\n")
	for _, want := range []string{
		"FC_FUNC_CODE_PATH=" + spec.CodeDir, "FC_FUNCTION_NAME=f", "GREETING=hello", "CONFIG=/etc:" + spec.CodeDir + "/conf",
		"PATH=" + spec.CodeDir + "/bin:" + os.Getenv("PATH"), "ALIBABA_CLOUD_ACCESS_KEY_ID=",
	} {
		if !slices.Contains(environment, want) {
			t.Errorf("%s is not in the environment %q", want, environment)
		}
	}
	if text := strings.Join(environment, "\n"); strings.Contains(text, "HOME=") || strings.Contains(text, "FC_RUNTIME_API") || strings.Contains(text, "FCLOCAL") {
		t.Errorf("the environment is %q", environment)
	}

	headers := what(t, i, `"headers"`)
	for _, want := range []string{
		"Content-Type: application/octet-stream\r\n", "X-Fc-Request-Id: id\r\n", "X-Fc-Function-Name: f\r\n", "X-Fc-Function-Memory: 512\r\n",
		"X-Fc-Region: cn-shanghai\r\n", "X-Fc-Account-Id: 1234\r\n", "X-Fc-Access-Key-Id: \r\n", "X-Fc-Control-Path: /invoke\r\n",
	} {
		if !strings.Contains(headers, want) {
			t.Errorf("%q is not in %s", want, headers)
		}
	}
	if strings.Contains(headers, "X-Fc-Service") {
		t.Errorf("there is no service: %s", headers)
	}
	if notices != nil {
		t.Error(notices)
	}
	if i.PeakMemory() < 1<<20 {
		t.Errorf("it takes %d bytes of memory", i.PeakMemory())
	}
}

// What ends an instance of a custom runtime, and what its calls get then.
func TestCustomEnds(t *testing.T) {
	broken := func(path string) map[string]string { return map[string]string{"BROKEN": path} }
	for _, test := range []struct {
		name      string
		variables map[string]string
		change    func(*config.Function)
		event     string
		want      string // … stands for anything
	}{
		{name: "exit in a call", event: `"exit"`, want: "UnhandledInvocationError: Process exited unexpectedly before completing request (duration: …"},
		{name: "timeout", change: func(f *config.Function) { f.Timeout = 1 }, event: `"hang"`, want: "FunctionTimeoutError: Function timed out after 1 seconds (maxMemoryUsage: …"},
		{name: "exit at once", variables: map[string]string{"INSIST": "no-port"},
			want: "FunctionNotStarted: Function instance exited unexpectedly (exit status 1); it wrote: listen tcp: lookup tcp/no-port: …"},
		{name: "another port", variables: map[string]string{"INSIST": "ELSEWHERE"},
			want: "FunctionNotStarted: Function instance health check failed on port OWN in 3 seconds; it listens on [::]:ELSEWHERE; it wrote nothing"},
		{name: "initializer", variables: broken("/initialize"), change: func(f *config.Function) { f.Initializer = "true" }, want: "InitializationError: broken as told…"},
		{name: "health", variables: broken("/ready"), change: func(f *config.Function) {
			f.CustomRuntime.Health = &config.HealthCheck{Path: "/ready", Period: 1, Timeout: 60, FailureThreshold: 3}
		}, want: "FunctionNotStarted: Function instance health check failed: GET /ready was answered with 500 Internal Server Error; it wrote…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec, own := customSpec(t, map[string]string{})
			elsewhere, release, err := customruntime.FreePort()
			if err != nil {
				t.Fatal(err)
			}
			defer release()
			texts := strings.NewReplacer("ELSEWHERE", fmt.Sprint(elsewhere), "OWN", fmt.Sprint(own))
			for name, value := range test.variables {
				spec.Project.Function.EnvironmentVariables[name] = texts.Replace(value)
			}
			if test.change != nil {
				test.change(&spec.Project.Function)
			}
			if test.name == "another port" {
				startTime = 3 * time.Second
				defer func() { startTime = customruntime.StartTime }()
			}
			i := startCustom(t, spec, 1, new([]string))
			got := what(t, i, test.event)
			begin, cut := strings.CutSuffix(texts.Replace(test.want), "…")
			if !strings.HasPrefix(got, begin) || !cut && got != begin {
				t.Errorf("%q, want %q", got, test.want)
			}
			<-i.Ended()
			if again := what(t, i, `"fine"`); again == `"fine"` {
				t.Error("it takes calls when it has ended")
			}
		})
	}
}

// Hooks are those that are configured.
func TestCustomHooks(t *testing.T) {
	spec, _ := customSpec(t, map[string]string{})
	spec.Project.Function.Initializer = "index.init"
	spec.Project.Function.PreFreeze = config.Hook{Handler: "h", Timeout: 20}
	spec.Project.Function.PreStop = config.Hook{Handler: "h", Timeout: 20}
	var logs strings.Builder
	spec.Logs = &logs
	i := startCustom(t, spec, 1, new([]string))
	if got := what(t, i, `"fine"`); got != `"fine"` {
		t.Error(got)
	}
	i.Rest(t.Context())
	i.Retire(t.Context())
	var lines, runs []string
	for line := range strings.Lines(logs.String()) {
		lines = append(lines, strings.Fields(line)[0])
	}
	for _, run := range i.Hooks() {
		runs = append(runs, run.Name+run.Error)
	}
	if !slices.Equal(lines, []string{"/initialize", "/invoke", "/pre-freeze", "/pre-stop"}) || !slices.Equal(runs, []string{"initializer", "preFreeze", "preStop"}) {
		t.Errorf("requests %q, hooks %q", lines, runs)
	}
}

// A function that listens on its own port only runs there when it is alone, and else
// in networks of their own, or not at all.
func TestCustomInsists(t *testing.T) {
	variables := map[string]string{"INSIST": "OWN"}
	spec, own := customSpec(t, variables)
	var notices []string
	alone := startCustom(t, spec, 1, &notices)
	if got := what(t, alone, `"fine"`); got != `"fine"` || notices != nil {
		t.Errorf("alone: %s %q", got, notices)
	}
	connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", own)) // it may be frozen, and answer nothing
	if err != nil {
		t.Fatalf("it does not listen on its own port: %v", err)
	}
	connection.Close()
	alone.Stop()

	if missing := process.MayOwnNetwork(); missing != nil {
		_, err := NewHost(t.Context(), spec, 3, nil)
		want := fmt.Sprintf("the function listens on port %d, and not where FC_SERVER_PORT says: no two instances of it can run beside each other on this machine, and up to 3 may have to: "+
			"let it heed FC_SERVER_PORT (a network for each instance cannot be made: %v)", own, missing)
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		return
	}
	host, err := NewHost(t.Context(), spec, 3, func(text string) { notices = append(notices, text) })
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	want := fmt.Sprintf("the function listens on port %d, and not where FC_SERVER_PORT says: each instance runs in a network of its own, where it reaches nothing else, be it a database or Kafka", own)
	if len(notices) != 1 || notices[0] != want {
		t.Errorf("%q, want %s", notices, want)
	}
	for range 3 {
		i, err := host.Start(spec)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Stop()
		for _, event := range []string{`"fine"`, `"fail"`, `"fine"`} {
			if got, want := what(t, i, event), map[string]string{`"fine"`: `"fine"`, `"fail"`: "errorString: as told"}[event]; got != want {
				t.Errorf("in a network of its own: %s, want %s", got, want)
			}
		}
		if environment := what(t, i, `"environment"`); !strings.Contains(environment, fmt.Sprintf("FC_SERVER_PORT=%d", own)) || strings.Contains(environment, "FCLOCAL") {
			t.Errorf("the environment is %s", environment)
		}
	}

	// Another program has its port: it runs in a network of its own, too.
	spec, own = customSpec(t, map[string]string{"INSIST": "OWN"})
	other, err := net.Listen("tcp", fmt.Sprintf(":%d", own))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if got := what(t, startCustom(t, spec, 1, &notices), `"fine"`); got != `"fine"` {
		t.Error(got)
	}
}

// A function that does not start is told of before there is an instance.
func TestCustomDoesNotStart(t *testing.T) {
	spec, _ := customSpec(t, map[string]string{"INSIST": "no-port"})
	_, err := NewHost(t.Context(), spec, 2, nil)
	want := "the function does not start: FunctionNotStarted: Function instance exited unexpectedly (exit status 1); it wrote: listen tcp: lookup tcp/no-port"
	if !failure.Is(err) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// A function that only this machine reaches is one that FC does not.
func TestCustomLoopback(t *testing.T) {
	spec, _ := customSpec(t, map[string]string{"HOST": "127.0.0.1"})
	var notices []string
	host, err := NewHost(t.Context(), spec, 2, func(text string) { notices = append(notices, text) })
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	for range 2 {
		i, err := host.Start(spec)
		if err != nil {
			t.Fatal(err)
		}
		defer i.Stop()
		if got := what(t, i, `"fine"`); got != `"fine"` {
			t.Error(got)
		}
	}
	if want := "the function listens on 127.0.0.1 only: on FC it must listen on 0.0.0.0, else FC takes it as not started"; len(notices) != 1 || notices[0] != want {
		t.Errorf("%q, want %s", notices, want)
	}
}
