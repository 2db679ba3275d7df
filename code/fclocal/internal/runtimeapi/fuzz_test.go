package runtimeapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Whatever a process that knows the address requests: the server does not panic,
// its status says what it has done, and a call is answered once.
func FuzzServer(f *testing.F) {
	f.Add("POST", "id/response", "the answer", "Content-Type", "application/json")
	f.Add("POST", "id/error", `{"errorMessage":"no"}`, "Content-Length", "7")
	f.Add("POST", "i%64/error", "", "", "")
	f.Add("POST", "id/response/", "", "Expect", "100-continue")
	f.Add("POST", "id%2Fresponse", "", "", "")
	f.Add("POST", "other/error", "", "", "")
	f.Add("POST", "../invocation/id/error", "", "", "")
	f.Add("PUT", "id/response", "", "", "")
	f.Add("GET", "next", "", "", "")
	f.Add("", "", "", "", "")
	server, err := Listen()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { server.Close() })
	f.Fuzz(func(t *testing.T, method, path, body, name, value string) {
		i := server.NewInstance(nil)
		defer i.Close()
		prefix := "/" + i.secret + invocationPath
		target, err := url.Parse(prefix + path)
		if err != nil {
			t.Skip() // net/http refuses it before this server sees it
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		serve := func(method string, target *url.URL, body string) *httptest.ResponseRecorder {
			r := &http.Request{Method: method, URL: target, Header: http.Header{name: {value}}, Body: io.NopCloser(strings.NewReader(body))}
			w := httptest.NewRecorder()
			server.http.Handler.ServeHTTP(w, r.WithContext(ctx))
			return w
		}
		done := invoke(i, t.Context(), "id", "payload")
		w := serve("GET", &url.URL{Path: prefix + "next"}, "")
		if w.Code != http.StatusOK || w.Body.String() != "payload" || w.Header().Get("X-Fc-Request-Id") != "id" {
			t.Fatalf("next: %d %q", w.Code, w.Body)
		}
		cancel() // no process waits for another call

		kind := answers(method, target, prefix)
		for _, answered := range []bool{false, true} {
			w := serve(method, target, body)
			allowed := []int{http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed}
			switch {
			case kind != "" && !answered:
				allowed = []int{http.StatusOK}
			case kind != "":
				allowed = []int{http.StatusNotFound}
			case w.Code == http.StatusOK && w.Body.Len() == 0 && w.Header().Get("X-Fc-Request-Id") == "":
				continue // it asked for a call and went away
			}
			if !slices.Contains(allowed, w.Code) {
				t.Errorf("%q %s, answered %t: %d %q, want one of %d", method, target, answered, w.Code, w.Body, allowed)
			}
		}
		if kind == "" {
			i.Close()
		}
		got := <-done
		switch {
		case kind == "" && got.err != ErrClosed:
			t.Errorf("%q %s answered the call: %+v", method, target, got)
		case kind != "" && (got.err != nil || string(got.answer.Body) != body || got.answer.Failed != (kind == "error")):
			t.Errorf("%q %s, body %q: %+v", method, target, body, got)
		}
	})
}

// answers says whether a request answers the call named id: with "response" or
// "error", or with neither.
func answers(method string, target *url.URL, prefix string) string {
	path, found := strings.CutPrefix(target.EscapedPath(), prefix)
	id, kind, _ := strings.Cut(path, "/")
	id, err := url.PathUnescape(id)
	if kind, _ = url.PathUnescape(kind); method != "POST" || !found || err != nil || id != "id" || kind != "response" && kind != "error" {
		return ""
	}
	return kind
}
