package invocationapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"

	"fclocal/internal/escape"
	"fclocal/internal/instance"
	"fclocal/internal/pool"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// An edition is a version of the API, with errors of its own form.
type edition int

const (
	edition2 edition = iota // FC 2.0's
	edition3                // FC 3.0's
)

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	for _, version := range []string{"2016-08-15", "2021-04-06"} {
		mux.HandleFunc("POST /"+version+"/services/{service}/functions/{function}/invocations", func(w http.ResponseWriter, r *http.Request) {
			name, qualifier := splitQualifier(r.PathValue("service"))
			s.invoke(request{edition2, w, r, instance.NewRequestID()}, func() error { return s.find2(name, qualifier, r.PathValue("function")) })
		})
	}
	mux.HandleFunc("POST /2023-03-30/functions/{function}/invocations", func(w http.ResponseWriter, r *http.Request) {
		s.invoke(request{edition3, w, r, instance.NewRequestID()}, func() error { return s.find3(r.PathValue("function"), r.URL.Query().Get("qualifier")) })
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		e := edition2
		if len(r.URL.Path) > 5 && r.URL.Path[:5] == "/2023" {
			e = edition3
		}
		s.refuse(request{e, w, r, instance.NewRequestID()}, apiError{http.StatusBadRequest, "PathNotSupported", fmt.Sprintf("'%s' against '%s' is not supported", r.URL.Path, r.Method)})
	})
	return mux
}

// A request is one to the API.
type request struct {
	edition edition
	w       http.ResponseWriter
	*http.Request
	id string
}

// An apiError is an answer of FC itself. Statuses and codes are documented, the texts
// mostly.
type apiError struct {
	status        int
	code, message string
}

func (e apiError) Error() string { return e.code + ": " + e.message }

// refuse answers with an error of FC.
func (s *service) refuse(r request, e apiError) {
	var body any
	if r.edition == edition2 { // as the official clients read it
		body = struct{ ErrorCode, ErrorMessage string }{e.code, e.message}
	} else {
		body = struct {
			RequestID string `json:"RequestId"`
			Code      string
			Message   string
		}{r.id, e.code, e.message}
	}
	text, _ := json.Marshal(body)
	r.w.Header().Set("X-Fc-Request-Id", r.id)
	r.w.Header().Set("Content-Type", "application/json")
	r.w.WriteHeader(e.status)
	r.w.Write(text)
	s.Say(fmt.Sprintf("%s %s: %d %s", r.Method, r.URL.Path, e.status, escape.Line(e.Error())))
}

// invoke answers a request. find says whether the function is the one that there is.
func (s *service) invoke(r request, find func() error) {
	payload, async, tail, err := s.read(r, find)
	var refused apiError
	if errors.As(err, &refused) {
		s.refuse(r, refused)
		return
	}
	if err != nil {
		return // the client has gone
	}
	if async {
		if !s.callLater(r.id, payload) {
			s.throttled()
			s.refuse(r, throttled)
			return
		}
		r.w.Header().Set("X-Fc-Request-Id", r.id)
		r.w.WriteHeader(http.StatusAccepted)
		return
	}
	c, err := s.call(r.id, payload, tail)
	switch {
	case errors.Is(err, trigger.ErrThrottled):
		s.throttled()
		s.refuse(r, throttled)
	case errLost(err):
		s.refuse(r, apiError{http.StatusServiceUnavailable, "ServiceUnavailable", "fclocal ends"})
	case err != nil:
		s.refuse(r, apiError{http.StatusInternalServerError, "InternalServerError", err.Error()})
	default:
		answer(r, c, tail)
	}
}

var throttled = apiError{http.StatusTooManyRequests, "ResourceExhausted", trigger.ErrThrottled.Error()}

// read checks a request, and reads its payload. An error that is no apiError is the
// client's end.
func (s *service) read(r request, find func() error) (payload []byte, async, tail bool, err error) {
	if origin := r.Header.Get("Origin"); origin != "" { // a page in a browser; no client sends it
		return nil, false, false, apiError{http.StatusForbidden, "AccessDenied", "requests of web pages are not answered"}
	}
	if err := find(); err != nil {
		return nil, false, false, err
	}
	async, err = oneOf(r, "X-Fc-Invocation-Type", "Sync", "Async")
	if err == nil {
		tail, err = oneOf(r, "X-Fc-Log-Type", "None", "Tail")
	}
	if err != nil {
		return nil, false, false, err
	}
	limit := int64(trigger.BodyLimitSynchronous)
	if async {
		limit = trigger.BodyLimitAsynchronous
	}
	payload, err = io.ReadAll(http.MaxBytesReader(r.w, r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		err = apiError{http.StatusBadRequest, "EntityTooLarge", fmt.Sprintf("payload size exceeds maximum allowed size (%d bytes)", limit)}
	}
	return payload, async, tail, err
}

// oneOf says whether a header has the second of its values; the first is its default.
func oneOf(r request, header, first, second string) (isSecond bool, err error) {
	switch value := r.Header.Get(header); value {
	case "", first:
		return false, nil
	case second:
		return true, nil
	default:
		return false, apiError{http.StatusBadRequest, "InvalidArgument", fmt.Sprintf("%s is %q: it must be %s or %s", header, value, first, second)}
	}
}

// answer answers with what became of a call. An error of the function is an answer, too,
// and has the status 200; X-Fc-Error-Type tells it (documented).
func answer(r request, c called, tail bool) {
	header := r.w.Header()
	header.Set("X-Fc-Request-Id", r.id)
	header.Set("X-Fc-Instance-Id", pool.Name(c.Instance))
	header.Set("X-Fc-Invocation-Duration", strconv.FormatFloat(math.Ceil(result.Milliseconds(c.Duration)), 'f', 0, 64))
	if c.PeakMemory > 0 {
		header.Set("X-Fc-Max-Memory-Usage", strconv.FormatFloat(float64(c.PeakMemory)/(1<<20), 'f', 2, 64))
	}
	if tail {
		header.Set("X-Fc-Log-Result", base64.StdEncoding.EncodeToString(c.Log))
	}
	header.Set("Content-Type", "application/octet-stream")
	body := c.Payload
	if c.Error != nil {
		header.Set("X-Fc-Error-Type", errorType(c.Error))
		header.Set("Content-Type", "application/json")
		body = c.Error.JSON
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	r.w.Write(body)
}

// errorType is that of the header: FC's own types, and UnhandledInvocationError for all
// errors that the function makes (documented).
func errorType(e *instance.FunctionError) string {
	if slices.Contains([]string{instance.TypeTimeout, instance.TypeMemory, instance.TypeInit, instance.TypeNotStarted, instance.TypeTooLarge}, e.Type) {
		return e.Type
	}
	return instance.TypeExit
}
