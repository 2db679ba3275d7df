package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// served is an fclocal serve that answers.
type served struct {
	*testing.T
	fclocal *exec.Cmd
	address string
	done    chan struct{} // closed when all has let go of stderr

	mu     sync.Mutex
	stderr strings.Builder
}

var servedAt = regexp.MustCompile(`^fclocal: POST http://([\d.]+:\d+)/2023-03-30/functions/\S+/invocations calls the function`)

func startServed(t *testing.T, args ...string) *served {
	t.Helper()
	s := &served{T: t, fclocal: exec.Command(os.Args[0]), done: make(chan struct{})}
	s.fclocal.Args = append([]string{"fclocal", "serve", "127.0.0.1:0"}, args...)
	s.fclocal.Env = append(os.Environ(), goEnvironment(t)...)
	stderr, err := s.fclocal.StderrPipe()
	if err == nil {
		err = s.fclocal.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.fclocal.Process.Kill() })
	lines := bufio.NewReader(stderr)
	for s.address == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err, line)
		}
		if found := servedAt.FindStringSubmatch(line); found != nil {
			s.address = found[1]
		}
	}
	go func() {
		defer close(s.done)
		for {
			line, err := lines.ReadString('\n')
			s.mu.Lock()
			s.stderr.WriteString(line)
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s
}

// awaits waits until stderr has a text.
func (s *served) awaits(text string) {
	eventually(func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.stderr.String(), text)
	})
}

// awaitsEnd waits until it takes no more requests.
func (s *served) awaitsEnd() {
	eventually(func() bool {
		connection, err := net.Dial("tcp", s.address)
		if err == nil {
			connection.Close()
		}
		return err != nil
	})
}

func (s *served) ends() (code int, stderr string) {
	<-s.done
	s.fclocal.Wait()
	return s.fclocal.ProcessState.ExitCode(), s.stderr.String()
}

const (
	faulty2 = "/2016-08-15/services/faulty-service/functions/faulty-function/invocations"
	faulty3 = "/2023-03-30/functions/faulty-function/invocations"
)

// post is an answer's status, X-Fc-Error-Type and body.
func (s *served) post(path, body string, headers ...string) (status int, errorType, answer string) {
	s.Helper()
	request, err := http.NewRequest("POST", "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		s.Error(err)
		return 0, "", ""
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.Header.Get("X-Fc-Request-Id") == "" {
		s.Errorf("%s has no request ID", path)
	}
	return response.StatusCode, response.Header.Get("X-Fc-Error-Type"), string(text)
}

// What FC answers with is answered with, in both editions of the API.
func TestServeAnswers(t *testing.T) {
	s := startServed(t, "-t", "testdata/faulty/s.yaml")
	for _, test := range []struct {
		path, body string
		headers    []string
		status     int
		errorType  string
		want       string // what the answer begins with
	}{
		{faulty2, `"fine"`, nil, 200, "", `"fine"`},
		{faulty3, `"fine"`, nil, 200, "", `"fine"`},
		{"/2021-04-06/services/faulty-service.LATEST/functions/faulty-function/invocations", `"fine"`, nil, 200, "", `"fine"`},
		{"/2023-03-30/functions/faulty-service$faulty-function/invocations?qualifier=LATEST", `"fine"`, nil, 200, "", `"fine"`},
		{faulty3, `"error"`, nil, 200, "UnhandledInvocationError", `{"errorMessage":"as told \u003c\u0026\u003e","errorType":"errorString"}`},
		{faulty2, `"panic"`, nil, 200, "UnhandledInvocationError", `{"errorMessage":"as told","errorType":"string","stackTrace":`},
		{faulty2, `"exit"`, nil, 200, "UnhandledInvocationError", `{"errorMessage":"Process exited unexpectedly before completing request`},
		{faulty2, `"allocate"`, nil, 200, "FunctionOOMError", `{"errorMessage":"Function out of memory`},
		{faulty3, `"hang"`, nil, 200, "FunctionTimeoutError", `{"errorMessage":"Function timed out after 2 seconds`},
		{faulty3, `"fine"`, nil, 200, "", `"fine"`}, // by a new instance
		{faulty3, `"fine"`, []string{"X-Fc-Invocation-Type", "Async"}, 202, "", ""},
		{"/2016-08-15/services/x/functions/faulty-function/invocations", "", nil, 404, "", `{"ErrorCode":"ServiceNotFound","ErrorMessage":"service 'x' does not exist"}`},
		{"/2016-08-15/services/faulty-service/functions/x/invocations", "", nil, 404, "", `{"ErrorCode":"FunctionNotFound","ErrorMessage":"function 'x' does not exist in service 'faulty-service'"}`},
		{"/2016-08-15/services/faulty-service.prod/functions/faulty-function/invocations", "", nil, 404, "", `{"ErrorCode":"AliasNotFound","ErrorMessage":"alias 'prod' of service 'faulty-service' does not exist"}`},
		{"/2016-08-15/services/faulty-service.3/functions/faulty-function/invocations", "", nil, 404, "", `{"ErrorCode":"VersionNotFound","ErrorMessage":"version '3' of service 'faulty-service' does not exist"}`},
		{faulty2, "", []string{"X-Fc-Invocation-Type", "Later"}, 400, "", `{"ErrorCode":"InvalidArgument","ErrorMessage":"X-Fc-Invocation-Type is \"Later\": it must be Sync or Async"}`},
		{faulty2, "", []string{"X-Fc-Log-Type", "All"}, 400, "", `{"ErrorCode":"InvalidArgument","ErrorMessage":"X-Fc-Log-Type is \"All\": it must be None or Tail"}`},
		{faulty2, strings.Repeat("x", 128<<10+1), []string{"X-Fc-Invocation-Type", "Async"}, 400, "", `{"ErrorCode":"EntityTooLarge","ErrorMessage":"payload size exceeds maximum allowed size (131072 bytes)"}`},
		{faulty2, strings.Repeat("x", 32<<20+1), nil, 400, "", `{"ErrorCode":"EntityTooLarge","ErrorMessage":"payload size exceeds maximum allowed size (33554432 bytes)"}`},
		{faulty2, `"fine"`, []string{"Origin", "https://example.com"}, 403, "", `{"ErrorCode":"AccessDenied","ErrorMessage":"requests of web pages are not answered"}`},
		{"/2016-08-15/services", "", nil, 400, "", `{"ErrorCode":"PathNotSupported","ErrorMessage":"'/2016-08-15/services' against 'POST' is not supported"}`},
	} {
		status, errorType, answer := s.post(test.path, test.body, test.headers...)
		if status != test.status || errorType != test.errorType || !strings.HasPrefix(answer, test.want) {
			t.Errorf("%s %.20s %v: %d %q %s\nwant %d %q %s", test.path, test.body, test.headers, status, errorType, answer, test.status, test.errorType, test.want)
		}
	}
	s.fclocal.Process.Signal(syscall.SIGINT)
	code, stderr := s.ends()
	if want := "fclocal: calls: 11, failed: 5, refused with 429: 0, instances: 4\n"; code != exitOK || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, stderr %q, want %q", code, stderr, want)
	}
}

// A call beyond what may exist gets 429, an asynchronous one waits. The first Ctrl-C
// lets what was taken end, and takes nothing more.
func TestServeLimits(t *testing.T) {
	template, _, _ := faultyProject(t)
	s := startServed(t, "-t", template, "--max-instances", "1")
	ended := make(chan string)
	go func() {
		_, _, answer := s.post(faulty3, `"hang"`)
		ended <- answer
	}()
	s.awaits("pid ")
	if status, _, answer := s.post(faulty2, `"fine"`); status != 429 || answer != `{"ErrorCode":"ResourceExhausted","ErrorMessage":"429: all instances are full and no more may be created"}` {
		t.Errorf("beyond the limit: %d %s", status, answer)
	}
	if status, _, _ := s.post(faulty2, `"error"`, "X-Fc-Invocation-Type", "Async"); status != http.StatusAccepted {
		t.Errorf("asynchronous: %d", status)
	}
	s.fclocal.Process.Signal(syscall.SIGINT)
	s.awaitsEnd()
	pid := regexp.MustCompile(`pid (\d+)\n`).FindStringSubmatch(s.said())[1]
	select {
	case answer := <-ended:
		t.Errorf("the call in flight was answered with %s", answer)
	default:
	}
	exec.Command("kill", "-9", pid).Run() // the call in flight ends, and another instance takes the one that waits
	if answer := <-ended; !strings.Contains(answer, "Process exited unexpectedly") {
		t.Errorf("the call in flight was answered with %s", answer)
	}
	code, stderr := s.ends()
	if code != exitOK || !strings.Contains(stderr, " failed: errorString: as told <&>\n") || !strings.Contains(stderr, "calls: 2, failed: 2, refused with 429: 1, instances: 2") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

func (s *served) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

// The second Ctrl-C ends it at once, and kill -9, too: nothing is left.
func TestServeEnds(t *testing.T) {
	template, _, _ := faultyProject(t)
	for _, signals := range [][]os.Signal{{syscall.SIGINT, syscall.SIGINT}, {syscall.SIGKILL}} {
		s := startServed(t, "-t", template)
		go s.post(faulty3, `"hang"`)
		s.awaits("pid ")
		pid := regexp.MustCompile(`pid (\d+)\n`).FindStringSubmatch(s.said())[1]
		for i, signal := range signals {
			if i > 0 {
				s.awaitsEnd()
			}
			s.fclocal.Process.Signal(signal)
		}
		code, stderr := s.ends()
		awaitEnd(pid)
		if len(signals) == 2 && (code != exitFailed || !strings.HasSuffix(stderr, "fclocal: stopped at once; calls in flight were lost\n")) {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
	}
}

// Function Compute's official client for Go calls the function.
func TestServeOfficialClient(t *testing.T) {
	client := t.TempDir() + "/client"
	if output, err := exec.Command("go", "build", "-C", "testdata/client", "-o", client, ".").CombinedOutput(); err != nil {
		t.Fatal(err, string(output))
	}
	s := startServed(t, "-t", "testdata/faulty/s.yaml", "--logs", t.TempDir())
	call := func(args ...string) (answer struct {
		Status        int
		Body          string
		Headers       map[string]string
		Code, Message string
	}) {
		t.Helper()
		var stderr bytes.Buffer
		command := exec.Command(client, append([]string{s.address}, args...)...)
		command.Stderr = &stderr
		output, err := command.Output()
		if err == nil {
			err = json.Unmarshal(output, &answer)
		}
		if err != nil {
			t.Fatal(err, stderr.String())
		}
		return answer
	}
	for event, want := range map[string]string{`"fine"`: `"fine"`, `"error"`: `{"errorMessage":"as told`} {
		got := call("faulty-function", event)
		log, _ := base64.StdEncoding.DecodeString(got.Headers["x-fc-log-result"])
		if got.Status != 200 || !strings.HasPrefix(got.Body, want) || (got.Headers["x-fc-error-type"] == "UnhandledInvocationError") != (event == `"error"`) ||
			!strings.HasPrefix(string(log), "FC Invoke Start RequestId: "+got.Headers["x-fc-request-id"]+"\n") || !strings.Contains(string(log), "\nFC Invoke End RequestId: ") {
			t.Errorf("%s: %+v with the log %q", event, got, log)
		}
	}
	if got := call("faulty-function", `"fine"`, "Async"); got.Status != 202 || got.Body != "" {
		t.Errorf("asynchronous: %+v", got)
	}
	if got := call("nope", `"fine"`); got.Status != 404 || got.Code != "FunctionNotFound" || !strings.HasPrefix(got.Message, "code: 404, function 'nope' does not exist request id: ") {
		t.Errorf("another function: %+v", got)
	}
	s.fclocal.Process.Signal(syscall.SIGINT)
	if code, stderr := s.ends(); code != exitOK {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}
