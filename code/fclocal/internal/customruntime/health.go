package customruntime

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"fclocal/internal/runtimeapi"
)

// A HealthCheck is healthCheckConfig. An instance whose first check fails has not
// started; one that fails FailureThreshold checks one after the other takes no more
// calls (documented). FC then calls other instances while it goes on checking, up to
// successThreshold good ones; here such an instance is ended, and another one takes its
// place (inferred).
type HealthCheck struct {
	Path             string        // httpGetUrl: GET is to be answered with 200 to 399
	InitialDelay     time.Duration // before the first check; 0 to 120 s
	Period           time.Duration // 1 to 120 s; default 3 s
	Timeout          time.Duration // 1 to 3 s; default 1 s
	FailureThreshold int           // 1 to 120; default 3
}

// Healthy makes the first check, after the initializer and before the first call. Its
// error is an [DownError], ctx's or [runtimeapi.ErrClosed].
func (i *Instance) Healthy(ctx context.Context) error {
	h := i.options.Health
	if h == nil {
		return nil
	}
	i.checkOnce.Do(func() {
		timer := time.NewTimer(h.InitialDelay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-i.life.Done():
			i.checked = runtimeapi.ErrClosed
			return
		}
		if i.checked = i.check(h); i.checked != nil {
			i.checked = &DownError{"Function instance health check failed: " + i.checked.Error()}
			i.fail(i.checked)
			return
		}
		go i.keepChecking(h)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return i.checked
}

// keepChecking checks while there are calls: between them FC freezes the instance.
func (i *Instance) keepChecking(h *HealthCheck) {
	ticker := time.NewTicker(h.Period)
	defer ticker.Stop()
	for failed := 0; ; {
		select {
		case <-ticker.C:
		case <-i.life.Done():
			return
		}
		if i.inFlight.Load() == 0 {
			continue
		}
		err := i.check(h)
		if err == nil || i.inFlight.Load() == 0 { // it may have been frozen
			failed = 0
			continue
		}
		if failed++; failed == h.FailureThreshold {
			i.fail(&DownError{fmt.Sprintf("Function instance health check failed: %v, %d times one after the other", err, failed)})
			return
		}
	}
}

func (i *Instance) check(h *HealthCheck) error {
	ctx, cancel := context.WithTimeout(context.Background(), h.Timeout)
	defer cancel()
	response, _, err := i.do(ctx, request{http.MethodGet, h.Path}, runtimeapi.Call{})
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("GET %s was not answered in %v", h.Path, h.Timeout)
	case err != nil:
		return fmt.Errorf("GET %s was not answered", h.Path)
	case response.StatusCode < 200 || response.StatusCode >= 400:
		return fmt.Errorf("GET %s was answered with %s", h.Path, response.Status)
	}
	return nil
}
