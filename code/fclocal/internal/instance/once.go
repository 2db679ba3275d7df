package instance

import (
	"context"
	"crypto/rand"
	"fmt"

	"fclocal/internal/failure"
	"fclocal/internal/runtimeapi"
)

// A Call is what became of the only call of an instance.
type Call struct {
	Result
	RequestID  string
	PeakMemory int64 // bytes; 0 where it is not told
}

// CallOnce starts an instance, calls it once and ends it, with what it has started.
// Its logs are complete then. release is called when the program file is no longer
// needed.
func CallOnce(ctx context.Context, spec Spec, payload []byte, release func()) (Call, error) {
	defer release() // at the end: the function may start itself again
	server, err := runtimeapi.Listen()
	if err != nil {
		return Call{}, failure.Of(err)
	}
	defer server.Close()
	spec.ID = "c-" + uuid()
	instance, err := Start(server, spec)
	if err != nil {
		return Call{}, err
	}
	defer instance.Stop()
	call := Call{RequestID: uuid()}
	if call.Result, err = instance.Invoke(ctx, call.RequestID, payload); err != nil {
		return Call{}, failure.New("interrupted")
	}
	instance.Stop()
	call.PeakMemory = instance.PeakMemory()
	return call, nil
}

// uuid is a random UUID, as FC gives its requests.
func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
