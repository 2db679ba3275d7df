package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// request speaks the protocol by hand; it returns the status, the header and the body.
func request(t *testing.T, method, url, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(text)
}

func listen(t *testing.T) *Server {
	t.Helper()
	server, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		server.Close()
	})
	return server
}

type outcome struct {
	answer Answer
	err    error
}

func invoke(i *Instance, ctx context.Context, id, payload string) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		answer, err := i.Invoke(ctx, Call{RequestID: id, Deadline: time.UnixMilli(1655952591589), Payload: []byte(payload)})
		done <- outcome{answer, err}
	}()
	return done
}

func TestCall(t *testing.T) {
	for path, want := range map[string]bool{"response": false, "error": true} {
		i := listen(t).NewInstance(http.Header{"X-Fc-Function-Timeout": {"60"}})
		done := invoke(i, t.Context(), "id", `["event"]`)
		url := "http://" + i.Address() + invocationPath
		status, header, body := request(t, "GET", url+"next", "")
		if status != 200 || body != `["event"]` {
			t.Errorf("next: %d %s", status, body)
		}
		for name, want := range map[string]string{"x-fc-request-id": "id", "x-fc-function-deadline": "1655952591589", "x-fc-function-timeout": "60"} {
			if got := header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if status, _, body := request(t, "POST", url+"id/"+path, "the answer"); status != 200 || body != "" {
			t.Errorf("%s: %d %s", path, status, body)
		}
		if got := <-done; got.err != nil || got.answer.Failed != want || string(got.answer.Body) != "the answer" {
			t.Errorf("%s: %+v", path, got)
		}
		select {
		case <-i.Ready():
		default:
			t.Error("an instance that has asked for a call is not ready")
		}
	}
}

// Only the process that was given the address can take a call or answer it, and only once.
func TestStrangers(t *testing.T) {
	server := listen(t)
	i, other := server.NewInstance(nil), server.NewInstance(nil)
	done := invoke(i, t.Context(), "id", "secret")
	address := "http://" + server.listener.Addr().String()
	refused := func(method, url, want string) {
		t.Helper()
		if status, _, body := request(t, method, url, "forged"); status != http.StatusNotFound || body != want {
			t.Errorf("%s %s: %d %q, want 404 %q", method, url, status, body, want)
		}
	}
	refused("GET", address+invocationPath+"next", "404 page not found\n")
	refused("GET", address+"/guess"+invocationPath+"next", "no such instance\n")
	refused("POST", address+"/guess"+invocationPath+"id/response", "no such instance\n")
	refused("POST", "http://"+other.Address()+invocationPath+"id/response", "no such call is in flight\n")

	url := "http://" + i.Address() + invocationPath
	if _, _, body := request(t, "GET", url+"next", ""); body != "secret" {
		t.Errorf("the call holds %q", body)
	}
	if status, _, _ := request(t, "POST", url+"id/response", "true"); status != 200 {
		t.Errorf("the answer was refused with %d", status)
	}
	refused("POST", url+"id/response", "no such call is in flight\n")
	if got := <-done; got.err != nil || string(got.answer.Body) != "true" {
		t.Errorf("%+v", got)
	}
}

func TestCallsThatEndEarly(t *testing.T) {
	server := listen(t)
	i := server.NewInstance(nil)
	ctx, cancel := context.WithCancel(t.Context())

	// Cancelled before it was taken, and after: a late answer is refused.
	waiting := invoke(i, ctx, "waiting", "")
	cancel()
	if got := <-waiting; !errors.Is(got.err, context.Canceled) {
		t.Errorf("error %v, want %v", got.err, context.Canceled)
	}
	ctx, cancel = context.WithCancel(t.Context())
	taken := invoke(i, ctx, "taken", "")
	url := "http://" + i.Address() + invocationPath
	request(t, "GET", url+"next", "")
	cancel()
	if got := <-taken; !errors.Is(got.err, context.Canceled) {
		t.Errorf("error %v, want %v", got.err, context.Canceled)
	}
	if status, _, _ := request(t, "POST", url+"taken/response", ""); status != http.StatusNotFound {
		t.Errorf("a late answer got %d, want 404", status)
	}

	// Closed: calls fail, and a process that asks is told so.
	closed := invoke(i, t.Context(), "closed", "")
	i.Close()
	if got := <-closed; !errors.Is(got.err, ErrClosed) {
		t.Errorf("error %v, want %v", got.err, ErrClosed)
	}
	if status, _, _ := request(t, "GET", url+"next", ""); status != http.StatusNotFound {
		t.Errorf("next of a closed instance got %d, want 404", status)
	}
}

// Calls side by side each get their own answer.
func TestSideBySide(t *testing.T) {
	i := listen(t).NewInstance(nil)
	url := "http://" + i.Address() + invocationPath
	var group sync.WaitGroup
	for n := range 50 {
		group.Go(func() {
			id := fmt.Sprint(n)
			if got := <-invoke(i, t.Context(), id, "payload "+id); got.err != nil || string(got.answer.Body) != "payload "+id {
				t.Errorf("call %s: %v %s", id, got.err, got.answer.Body)
			}
		})
		group.Go(func() {
			_, header, body := request(t, "GET", url+"next", "")
			request(t, "POST", url+header.Get("x-fc-request-id")+"/response", body)
		})
	}
	group.Wait()
}

// An answer of 32 MB is taken; one of a byte more fails its call, and the process
// stays usable. Of an answer that nobody waits for nothing is read.
func TestAnswerLimit(t *testing.T) {
	i := listen(t).NewInstance(nil)
	url := "http://" + i.Address() + invocationPath
	for _, test := range []struct {
		length, status int
		tooLarge       bool
	}{
		{AnswerLimit, http.StatusOK, false},
		{AnswerLimit + 1, http.StatusRequestEntityTooLarge, true},
		{AnswerLimit, http.StatusOK, false},
	} {
		done := invoke(i, t.Context(), "id", "")
		request(t, "GET", url+"next", "")
		status, _, body := request(t, "POST", url+"id/response", strings.Repeat("x", test.length))
		got := <-done
		if status != test.status || got.err != nil || got.answer.TooLarge != test.tooLarge || got.answer.Failed {
			t.Errorf("%d bytes: status %d %q, %v %+v", test.length, status, body, got.err, got.answer.TooLarge)
		}
		if test.tooLarge && (body != "the answer has more than 33554432 bytes\n" || got.answer.Body != nil) {
			t.Errorf("%d bytes: %q, and %d bytes were kept", test.length, body, len(got.answer.Body))
		}
		if !test.tooLarge && len(got.answer.Body) != test.length {
			t.Errorf("%d of %d bytes have come", len(got.answer.Body), test.length)
		}
	}
	r := httptest.NewRequest("POST", url+"nobody/response", neverRead{t})
	w := httptest.NewRecorder()
	i.server.http.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusNotFound || w.Body.String() != "no such call is in flight\n" {
		t.Errorf("nobody waits: %d %q", w.Code, w.Body)
	}
}

type neverRead struct{ *testing.T }

func (r neverRead) Read([]byte) (int, error) {
	r.Error("the body is read")
	return 0, io.EOF
}
