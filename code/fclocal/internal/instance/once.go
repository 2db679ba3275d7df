package instance

import (
	"context"
	"crypto/rand"
	"fmt"

	"fclocal/internal/failure"
	"fclocal/internal/result"
)

// CallOnce starts an instance, calls it once, freezes and ends it, with what it has
// started, all with the hooks that s.yaml has. Its logs are complete then. Notice is
// called as by [NewHost].
func CallOnce(ctx context.Context, spec Spec, payload []byte, notice func(string)) (Result, result.Invocation, error) {
	host, err := NewHost(ctx, spec, 1, notice)
	if ctx.Err() != nil {
		err = failure.New("interrupted")
	}
	if err != nil {
		return Result{}, result.Invocation{}, err
	}
	defer host.Close()
	spec.ID = "c-" + uuid()
	instance, err := host.Start(spec)
	if err != nil {
		return Result{}, result.Invocation{}, err
	}
	defer instance.Stop()
	requestID := uuid()
	called, err := instance.Invoke(ctx, Call{RequestID: requestID, Payload: payload})
	if err == nil {
		instance.Rest(ctx)
		instance.Retire(ctx)
		err = ctx.Err()
	}
	if err != nil {
		return Result{}, result.Invocation{}, failure.New("interrupted")
	}
	return called, result.Invocation{
		RequestID: requestID, Duration: called.Duration, Init: called.Init,
		PeakMemory: instance.PeakMemory(), Hooks: instance.Hooks(), CPU: instance.CPUUsed(), Busy: instance.Busy(),
	}, nil
}

// NewRequestID is one as FC gives its requests.
func NewRequestID() string { return uuid() }

// uuid is a random UUID, as FC gives its requests.
func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
