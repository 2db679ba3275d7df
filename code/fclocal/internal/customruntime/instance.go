// Package customruntime is the client side of Function Compute's custom runtimes: the
// function is an HTTP server, and calls are requests to it.
package customruntime

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fclocal/internal/runtimeapi"
)

// DefaultPort is where a function listens if customRuntimeConfig.port does not say
// otherwise (documented).
const DefaultPort = 9000

// idleTime is how long a connection may wait for its next call. Servers close one
// that waits long, Node.js after 5 seconds; a call that meets the end of it would fail.
const idleTime = 2 * time.Second

// endTime is how long to wait for a process to end that has broken a connection off.
const endTime = time.Second

// Options are those of an instance.
type Options struct {
	// Port is where the function is to listen: FC_SERVER_PORT tells it. OwnPort is the
	// one of customRuntimeConfig: a function that does not heed FC_SERVER_PORT listens
	// there. It counts if it is the function's, or, where Listeners cannot tell, if it
	// was OwnFree before.
	Port, OwnPort int
	OwnFree       bool

	// Listeners are the addresses at which the function's processes listen. It is
	// false where that cannot be told.
	Listeners func() (addresses []netip.AddrPort, told bool)

	// Dial connects to a port of the function; nil is loopback. Then others may listen
	// there, too.
	Dial func(ctx context.Context, port int) (net.Conn, error)

	Header http.Header // goes with every call
	Health *HealthCheck

	// Fail is called, once, if the function cannot be called: it does not listen in
	// time, or fails its health check.
	Fail func(error)

	// Notice is told what a user should know that does not fail a call, and what it is
	// about: to hear of that once is enough. It may be nil.
	Notice func(about Matter, text string)
}

// A Matter is what a notice is about.
type Matter int

// The matters.
const (
	Waiting  Matter = iota // for the function to listen
	Loopback               // alone is where it listens
	Status                 // is not in x-fc-status
)

// An Instance is the HTTP server of one process of the function.
type Instance struct {
	options Options
	alone   bool // nobody else can listen where the function does
	client  *http.Client
	port    atomic.Int64 // where it listens; set before ready is closed

	ready    chan struct{}
	life     context.Context // ends with Close
	end      context.CancelFunc
	failOnce sync.Once

	inFlight  atomic.Int64 // calls
	checkOnce sync.Once    // the first health check
	checked   error        // what came of it
}

// New makes an instance. [Instance.Await] is to be called when its process has started.
func New(options Options) *Instance {
	i := &Instance{options: options, ready: make(chan struct{})}
	i.life, i.end = context.WithCancel(context.Background())
	if i.alone = options.Dial != nil; !i.alone {
		i.options.Dial = dialLoopback
	}
	if i.options.Notice == nil {
		i.options.Notice = func(Matter, string) {}
	}
	i.client = &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return i.options.Dial(ctx, int(i.port.Load()))
			},
			MaxIdleConnsPerHost:    1000, // as many as there are calls
			IdleConnTimeout:        idleTime,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 1 << 20,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return i
}

func dialLoopback(ctx context.Context, port int) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// Ready is closed when the function listens.
func (i *Instance) Ready() <-chan struct{} { return i.ready }

// Port is where the function listens, after Ready is closed.
func (i *Instance) Port() int { return int(i.port.Load()) }

// Close fails the calls in flight with [runtimeapi.ErrClosed].
func (i *Instance) Close() {
	i.end()
	i.client.CloseIdleConnections()
}

// fail ends the instance.
func (i *Instance) fail(err error) { i.failOnce.Do(func() { i.options.Fail(err) }) }

// statusHeader tells whether a call has succeeded (documented).
const statusHeader = "X-Fc-Status"

// A request is what a kind of call is made of (documented). FC 3.0 has no preFreeze.
type request struct{ method, path string }

// requests are by the kinds that runtimeapi knows.
var requests = map[int]request{
	runtimeapi.TypeCall:        {http.MethodPost, "/invoke"},
	runtimeapi.TypeInitializer: {http.MethodPost, "/initialize"},
	runtimeapi.TypePreFreeze:   {http.MethodGet, "/pre-freeze"},
	runtimeapi.TypePreStop:     {http.MethodGet, "/pre-stop"},
}

// Invoke makes a call, or that of a hook, and returns the answer. It returns ctx's error
// or [runtimeapi.ErrClosed] when that comes first. The instance must be ready.
//
// A call has failed if x-fc-status says something else than 200. Without that header
// it has succeeded, whatever its status is (documented for 200 and 404, inferred for
// others): Notice is told of one of 400 and above. A hook has succeeded if its status is
// 2xx (documented).
func (i *Instance) Invoke(ctx context.Context, c runtimeapi.Call) (runtimeapi.Answer, error) {
	i.inFlight.Add(1)
	defer i.inFlight.Add(-1)
	request := requests[c.Type]
	response, body, err := i.do(ctx, request, c)
	if err != nil {
		return i.broken(ctx, err)
	}
	answer := runtimeapi.Answer{TooLarge: len(body) > runtimeapi.AnswerLimit, Body: body}
	status := response.Header.Get(statusHeader)
	switch {
	case c.Type != runtimeapi.TypeCall:
		if answer.Failed = response.StatusCode/100 != 2; answer.Failed && len(bytes.TrimSpace(body)) == 0 {
			return failure("%s %s was answered with %s", request.method, request.path, response.Status), nil
		}
	case status != "":
		answer.Failed = status != "200"
	case response.StatusCode >= 400:
		i.options.Notice(Status, fmt.Sprintf("the function answered %s without the header x-fc-status: FC takes such a call as succeeded; "+
			"x-fc-status: 404 says that it failed", response.Status))
	}
	return answer, nil
}

// do makes a request and reads its answer, and no more than one byte above the limit
// of it.
func (i *Instance) do(ctx context.Context, r request, c runtimeapi.Call) (*http.Response, []byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(i.life, cancel)()
	request, err := http.NewRequestWithContext(ctx, r.method, fmt.Sprintf("http://127.0.0.1:%d%s", i.Port(), r.path), bytes.NewReader(c.Payload))
	if err != nil {
		return nil, nil, err
	}
	request.Header = i.options.Header.Clone()
	request.Header.Set("X-Fc-Request-Id", c.RequestID)
	request.Header.Set("X-Fc-Control-Path", r.path)
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := i.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, runtimeapi.AnswerLimit+1))
	return response, body, err
}

// broken is what becomes of a call whose connection has failed: with the end of the
// process, with ctx, or by itself, which is a failure of the function.
func (i *Instance) broken(ctx context.Context, err error) (runtimeapi.Answer, error) {
	if ctx.Err() != nil {
		return runtimeapi.Answer{}, ctx.Err()
	}
	timer := time.NewTimer(endTime)
	defer timer.Stop()
	select {
	case <-i.life.Done():
		return runtimeapi.Answer{}, runtimeapi.ErrClosed
	case <-ctx.Done():
		return runtimeapi.Answer{}, ctx.Err()
	case <-timer.C:
	}
	var inner interface{ Unwrap() error }
	if errors.As(err, &inner) { // without the URL
		err = inner.Unwrap()
	}
	return failure("the function gave no answer: %v", err), nil
}

// failure is an answer in FC's error JSON.
func failure(format string, arguments ...any) runtimeapi.Answer {
	body, _ := json.Marshal(map[string]string{"errorMessage": fmt.Sprintf(format, arguments...), "errorType": "UnhandledInvocationError"})
	return runtimeapi.Answer{Failed: true, Body: body}
}
