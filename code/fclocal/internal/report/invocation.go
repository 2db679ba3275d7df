package report

import (
	"fmt"
	"io"
	"math"
	"time"
)

// Invocation writes FC's line about a call: memorySize is in MB, peak in bytes, 0
// where it is not known.
func Invocation(w io.Writer, requestID string, duration, initialization time.Duration, memorySize int, peak int64) error {
	memory := "unknown"
	if peak > 0 {
		memory = fmt.Sprintf("%.2f MB", float64(peak)/(1<<20))
	}
	milliseconds := duration.Seconds() * 1000
	_, err := fmt.Fprintf(w, "RequestId: %s, Duration: %.2f ms, Billed Duration: %.0f ms, Memory Size: %d MB, Max Memory Used: %s, Init Duration: %.2f ms\n",
		requestID, milliseconds, math.Ceil(milliseconds), memorySize, memory, initialization.Seconds()*1000)
	return err
}
