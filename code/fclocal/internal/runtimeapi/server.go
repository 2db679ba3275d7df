// Package runtimeapi is the server side of Function Compute's runtime API,
// which a function's process asks for calls and posts its answers to.
//
// The protocol is the one that the Go SDK (github.com/aliyun/fc-runtime-go-sdk
// v0.3.1, fc/runtime_api_client.go) speaks; no document describes it.
package runtimeapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const invocationPath = "/2020-11-11/runtime/invocation/"

// AnswerLimit is the most bytes that an answer or an error has. That it is as for
// the payload of a call is inferred.
const AnswerLimit = 32 << 20

// ErrClosed is returned for a call whose instance was closed before the answer.
var ErrClosed = errors.New("the instance is closed")

// A Server serves any number of instances on one loopback port.
type Server struct {
	listener net.Listener
	http     http.Server

	mu        sync.Mutex
	instances map[string]*Instance // by secret
}

// Listen opens a free port of the loopback interface.
func Listen() (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the runtime API cannot listen on the loopback interface: %w", err)
	}
	s := &Server{listener: listener, instances: map[string]*Instance{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{secret}"+invocationPath+"next", s.next)
	mux.HandleFunc("POST /{secret}"+invocationPath+"{id}/response", s.answer(false))
	mux.HandleFunc("POST /{secret}"+invocationPath+"{id}/error", s.answer(true))
	s.http.Handler = mux
	s.http.ErrorLog = log.New(io.Discard, "", 0) // a function that fails is told of by its call
	go s.http.Serve(listener)
	return s, nil
}

// Close ends every instance and frees the port.
func (s *Server) Close() error {
	s.mu.Lock()
	instances := s.instances
	s.instances = map[string]*Instance{}
	s.mu.Unlock()
	for _, i := range instances {
		i.Close()
	}
	return s.http.Close()
}

// NewInstance makes an endpoint that one process of the function uses. The
// header goes with every call.
func (s *Server) NewInstance(header http.Header) *Instance {
	i := &Instance{
		server:  s,
		secret:  rand.Text(),
		header:  header,
		waiting: make(chan *call),
		calls:   map[string]*call{},
		ready:   make(chan struct{}),
		closed:  make(chan struct{}),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instances[i.secret] = i
	return i
}

func (s *Server) instance(w http.ResponseWriter, r *http.Request) *Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.instances[r.PathValue("secret")]
	if i == nil {
		http.Error(w, "no such instance", http.StatusNotFound)
	}
	return i
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	i := s.instance(w, r)
	if i == nil {
		return
	}
	i.readyOnce.Do(func() { close(i.ready) })
	select {
	case c := <-i.waiting:
		header := w.Header()
		for name, values := range i.header {
			header[name] = values
		}
		header.Set("X-Fc-Request-Id", c.RequestID)
		header.Set("X-Fc-Function-Type", strconv.Itoa(c.Type))
		header.Set("X-Fc-Function-Deadline", strconv.FormatInt(c.Deadline.UnixMilli(), 10))
		header.Set("Content-Length", strconv.Itoa(len(c.Payload)))
		header.Set("Content-Type", "application/octet-stream")
		w.Write(c.Payload) // if it is not taken, the process is gone or the call times out
	case <-i.closed:
		http.Error(w, ErrClosed.Error(), http.StatusGone)
	case <-r.Context().Done():
	}
}

func (s *Server) answer(failed bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i := s.instance(w, r)
		if i == nil {
			return
		}
		id := r.PathValue("id")
		var body []byte
		var err error
		if i.inFlight(id) { // nothing is read of what nobody waits for
			body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, AnswerLimit))
		}
		tooLarge := errors.As(err, new(*http.MaxBytesError))
		if err != nil && !tooLarge {
			return // the process is gone; its call fails with it
		}
		c := i.take(id)
		switch {
		case c == nil:
			http.Error(w, "no such call is in flight", http.StatusNotFound)
		case tooLarge:
			c.answer <- Answer{TooLarge: true}
			http.Error(w, fmt.Sprintf("the answer has more than %d bytes", AnswerLimit), http.StatusRequestEntityTooLarge)
		default:
			c.answer <- Answer{Failed: failed, Body: body}
		}
	}
}

// An Instance is the endpoint of one process of the function. Its calls may be
// in flight side by side: the process asks for the next one at once.
type Instance struct {
	server  *Server
	secret  string
	header  http.Header
	waiting chan *call

	mu    sync.Mutex
	calls map[string]*call // in flight, by request id

	readyOnce sync.Once
	ready     chan struct{}
	closeOnce sync.Once
	closed    chan struct{}
}

// The types of calls, in x-fc-function-type as the SDK knows it.
const (
	TypeCall = iota
	TypeInitializer
	TypePreStop
	TypePreFreeze
)

// A Call is what a process is given.
type Call struct {
	RequestID string
	Type      int       // TypeCall, or that of a hook
	Deadline  time.Time // in milliseconds, as the process sees it
	Payload   []byte
}

// An Answer is what the process posted: the result, or FC's error JSON.
type Answer struct {
	Failed   bool
	TooLarge bool // more than [AnswerLimit]: there is no Body
	Body     []byte
}

type call struct {
	Call
	answer chan Answer // buffered: an answer is posted once
}

// Address is the value of FC_RUNTIME_API. It holds a secret, so that no other
// program on this machine can take a call or answer one.
func (i *Instance) Address() string {
	return i.server.listener.Addr().String() + "/" + i.secret
}

// Ready is closed when the process first asks for a call.
func (i *Instance) Ready() <-chan struct{} { return i.ready }

// Invoke gives the process a call and waits for its answer. It returns ctx's
// error or [ErrClosed] when that comes first; a later answer is refused.
func (i *Instance) Invoke(ctx context.Context, c Call) (Answer, error) {
	pending := &call{Call: c, answer: make(chan Answer, 1)}
	i.mu.Lock()
	i.calls[c.RequestID] = pending
	i.mu.Unlock()
	defer i.take(c.RequestID)
	select {
	case i.waiting <- pending:
	case <-i.closed:
		return Answer{}, ErrClosed
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	select {
	case answer := <-pending.answer:
		return answer, nil
	case <-i.closed:
		return Answer{}, ErrClosed
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}

// Close fails the calls in flight with [ErrClosed].
func (i *Instance) Close() {
	i.closeOnce.Do(func() {
		close(i.closed)
		i.server.mu.Lock()
		defer i.server.mu.Unlock()
		delete(i.server.instances, i.secret)
	})
}

// inFlight says whether a call waits for its answer.
func (i *Instance) inFlight(requestID string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.calls[requestID] != nil
}

// take ends a call's time in flight: it can be answered once, and only then.
func (i *Instance) take(requestID string) *call {
	i.mu.Lock()
	defer i.mu.Unlock()
	c := i.calls[requestID]
	delete(i.calls, requestID)
	return c
}
