package customruntime

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fclocal/internal/runtimeapi"
)

// A function is an HTTP server as a function has it, in this process.
type function struct {
	instance *Instance
	failed   chan error

	mu      sync.Mutex
	notices []string
}

func (f *function) options(port int) Options {
	return Options{
		Port: port, OwnPort: 9000, OwnFree: true, Header: http.Header{"X-Fc-Region": {"cn-shanghai"}},
		Listeners: func() ([]netip.AddrPort, bool) { return nil, false },
		Fail:      func(err error) { f.failed <- err },
		Notice: func(_ Matter, text string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.notices = append(f.notices, text)
		},
	}
}

// start serves, and waits until the instance is ready.
func start(t *testing.T, handler http.HandlerFunc, change func(*Options)) *function {
	t.Helper()
	f := &function{failed: make(chan error, 1)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := http.Server{Handler: handler}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	options := f.options(listener.Addr().(*net.TCPAddr).Port)
	if change != nil {
		change(&options)
	}
	f.instance = New(options)
	t.Cleanup(f.instance.Close)
	go f.instance.Await(StartTime)
	<-f.instance.Ready()
	return f
}

func TestRequests(t *testing.T) {
	type request struct{ line, id, region, kind, path, body string }
	var got []request
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, request{r.Method + " " + r.RequestURI, r.Header.Get("x-fc-request-id"), r.Header.Get("x-fc-region"),
			r.Header.Get("Content-Type"), r.Header.Get("x-fc-control-path"), string(body)})
	}, nil)
	for _, call := range []runtimeapi.Call{
		{Type: runtimeapi.TypeInitializer, RequestID: "first"},
		{RequestID: "second", Payload: []byte("[1]")},
		{Type: runtimeapi.TypePreFreeze, RequestID: "last"},
		{Type: runtimeapi.TypePreStop, RequestID: "last"},
	} {
		if _, err := f.instance.Invoke(t.Context(), call); err != nil {
			t.Fatal(err)
		}
	}
	want := []request{
		{"POST /initialize", "first", "cn-shanghai", "application/octet-stream", "/initialize", ""},
		{"POST /invoke", "second", "cn-shanghai", "application/octet-stream", "/invoke", "[1]"},
		{"GET /pre-freeze", "last", "cn-shanghai", "application/octet-stream", "/pre-freeze", ""},
		{"GET /pre-stop", "last", "cn-shanghai", "application/octet-stream", "/pre-stop", ""},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name     string
		status   int
		header   string // x-fc-status
		body     string
		failed   bool
		kind     int // of call
		want     string
		notices  string
		tooLarge bool
	}{
		{name: "success", status: 200, header: "200", body: "good", want: "good"},
		{name: "nothing said", status: 200, body: "good", want: "good"},
		{name: "redirection", status: 302, body: "elsewhere", want: "elsewhere"},
		{name: "failure", status: 404, header: "404", body: "bad", failed: true, want: "bad"},
		{name: "failure in the header alone", status: 200, header: "404", body: "bad", failed: true, want: "bad"},
		{name: "other failure", status: 500, header: "500", body: "bad", failed: true, want: "bad"},
		{name: "success in the header alone", status: 500, header: "200", body: "good", want: "good"},
		{name: "nothing said of an error", status: 500, body: "bad", want: "bad",
			notices: "the function answered 500 Internal Server Error without the header x-fc-status: FC takes such a call as succeeded; x-fc-status: 404 says that it failed"},
		{name: "most", status: 200, body: strings.Repeat("x", runtimeapi.AnswerLimit), want: strings.Repeat("x", runtimeapi.AnswerLimit)},
		{name: "too much", status: 200, body: strings.Repeat("x", runtimeapi.AnswerLimit+1), tooLarge: true},
		{name: "hook", status: 204, kind: runtimeapi.TypePreStop},
		{name: "hook that fails", status: 404, kind: runtimeapi.TypeInitializer, body: "bad", failed: true, want: "bad"},
		{name: "hook that only fails", status: 500, kind: runtimeapi.TypeInitializer, failed: true,
			want: `{"errorMessage":"POST /initialize was answered with 500 Internal Server Error","errorType":"UnhandledInvocationError"}`},
	} {
		f := start(t, func(w http.ResponseWriter, r *http.Request) {
			if test.header != "" {
				w.Header().Set("x-fc-status", test.header)
			}
			w.WriteHeader(test.status)
			io.WriteString(w, test.body)
		}, nil)
		answer, err := f.instance.Invoke(t.Context(), runtimeapi.Call{Type: test.kind})
		if err != nil || answer.Failed != test.failed || answer.TooLarge != test.tooLarge || !test.tooLarge && string(answer.Body) != test.want {
			t.Errorf("%s: %v %.200q %t %t", test.name, err, answer.Body, answer.Failed, answer.TooLarge)
		}
		if got := strings.Join(f.notices, "\n"); got != test.notices {
			t.Errorf("%s: notices %q, want %q", test.name, got, test.notices)
		}
	}
}

// However the connection ends, the call ends, and says why.
func TestNoAnswer(t *testing.T) {
	begun := make(chan struct{}, 1)
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		if body, _ := io.ReadAll(r.Body); string(body) == "break" {
			panic(http.ErrAbortHandler)
		}
		<-r.Context().Done()
	}, nil)
	answer, err := f.instance.Invoke(t.Context(), runtimeapi.Call{Payload: []byte("break")})
	if want := `{"errorMessage":"the function gave no answer: EOF","errorType":"UnhandledInvocationError"}`; err != nil || !answer.Failed || string(answer.Body) != want {
		t.Errorf("broken off: %v %+v %s", err, answer, answer.Body)
	}
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	if _, err := f.instance.Invoke(ctx, runtimeapi.Call{}); err != context.Canceled {
		t.Errorf("given up: %v", err)
	}
	go func() {
		<-begun
		f.instance.Close()
	}()
	if _, err := f.instance.Invoke(t.Context(), runtimeapi.Call{}); err != runtimeapi.ErrClosed {
		t.Errorf("closed: %v", err)
	}
	if _, err := f.instance.Invoke(t.Context(), runtimeapi.Call{}); err != runtimeapi.ErrClosed {
		t.Errorf("closed before: %v", err)
	}
}

// Connections are used again, and side by side.
func TestConnections(t *testing.T) {
	const side, rounds = 50, 4
	var together sync.WaitGroup
	connections := map[string]bool{}
	var mu sync.Mutex
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		connections[r.RemoteAddr] = true
		mu.Unlock()
		together.Done()
		together.Wait()
	}, nil)
	for range rounds {
		together.Add(side)
		var calls sync.WaitGroup
		for range side {
			calls.Go(func() {
				if _, err := f.instance.Invoke(t.Context(), runtimeapi.Call{}); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
	}
	if len(connections) >= 2*side { // one may be opened as another becomes free
		t.Errorf("%d connections for %d rounds of %d calls", len(connections), rounds, side)
	}
}

func TestHealth(t *testing.T) {
	var status, checks, calls atomic.Int64
	release := make(chan struct{})
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.Method+" "+r.URL.Path == "GET /readyz" {
			checks.Add(1)
			w.WriteHeader(int(status.Load()))
			return
		}
		if calls.Add(1) == 2 {
			<-release
		}
	}
	health := func(o *Options) {
		o.Health = &HealthCheck{Path: "/readyz", Period: time.Millisecond, Timeout: time.Minute, FailureThreshold: 3}
	}

	status.Store(503)
	f := start(t, handler, health)
	want := "Function instance health check failed: GET /readyz was answered with 503 Service Unavailable"
	for range 2 {
		if err := f.instance.Healthy(t.Context()); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := <-f.failed; err.Error() != want || checks.Load() != 1 {
		t.Errorf("failed after %d checks: %v", checks.Load(), err)
	}

	status.Store(399)
	f = start(t, handler, health)
	if err := f.instance.Healthy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.instance.Invoke(t.Context(), runtimeapi.Call{}); err != nil {
		t.Fatal(err)
	}
	go f.instance.Invoke(t.Context(), runtimeapi.Call{}) // in which it becomes ill
	for before := checks.Load(); checks.Load() < before+5; {
		time.Sleep(time.Millisecond)
	}
	status.Store(400)
	want = "Function instance health check failed: GET /readyz was answered with 400 Bad Request, 3 times one after the other"
	if err := <-f.failed; err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	close(release)
}

// The function listens where it is told, or on the port of customRuntimeConfig, and
// only the function does.
func TestAwait(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	other, release, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	address := func(text string) netip.AddrPort {
		return netip.MustParseAddrPort(strings.Replace(text, "PORT", fmt.Sprint(port), 1))
	}
	only := "the function listens on 127.0.0.1 only: on FC it must listen on 0.0.0.0, else FC takes it as not started"
	failed := fmt.Sprintf("Function instance health check failed on port %d in 0.1 seconds; ", port)
	for _, test := range []struct {
		name          string
		port, ownPort int
		listeners     []netip.AddrPort
		told          bool
		want          string // where it listens, or why it failed
		notice        string
	}{
		{"told", port, 9000, []netip.AddrPort{address("0.0.0.0:PORT")}, true, "port", ""},
		{"told, IPv6", port, 9000, []netip.AddrPort{address("[::]:PORT")}, true, "port", ""},
		{"loopback", port, 9000, []netip.AddrPort{address("127.0.0.1:PORT")}, true, "port", only},
		{"not to be known", port, 9000, nil, false, "port", ""},
		{"its own", other, port, []netip.AddrPort{address("127.0.0.1:1"), address("0.0.0.0:PORT")}, true, "port", ""},
		{"another program's", port, port, []netip.AddrPort{address("0.0.0.0:1"), address("[::1]:2")}, true, failed + "it listens on 0.0.0.0:1 and [::1]:2", ""},
		{"another program's, its own", other, port, nil, true, failed + "it listens nowhere", ""},
		{"another program's, its own, not to be known", other, port, nil, false, strings.TrimSuffix(failed, "; "), ""},
	} {
		f := &function{failed: make(chan error, 1)}
		options := f.options(test.port)
		options.OwnPort, options.OwnFree = test.ownPort, test.ownPort == 9000
		options.Listeners = func() ([]netip.AddrPort, bool) { return test.listeners, test.told }
		instance := New(options)
		go instance.Await(100 * time.Millisecond)
		got := ""
		select {
		case <-instance.Ready():
			if got = fmt.Sprint(instance.Port()); instance.Port() == port {
				got = "port"
			}
		case err := <-f.failed:
			got = err.Error()
		}
		if notice := strings.Join(f.notices, "\n"); got != test.want || notice != test.notice {
			t.Errorf("%s: %q %q, want %q %q", test.name, got, notice, test.want, test.notice)
		}
		instance.Close()
	}
}

// An instance that is closed is not waited for, and a port is given once.
func TestFreePort(t *testing.T) {
	ports := map[int]bool{}
	for range 100 {
		port, release, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if ports[port] || port < lowestPort || port >= highestPort {
			t.Errorf("port %d", port)
		}
		ports[port] = true
	}
	for port := range ports {
		f := &function{failed: make(chan error, 1)}
		instance := New(f.options(port))
		instance.Close()
		instance.Await(StartTime)
		if len(f.failed) > 0 {
			t.Error(<-f.failed)
		}
		break
	}
}
