package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"fclocal/internal/escape"
	"fclocal/internal/result"
)

// Invocation writes a line about each hook that ran, and FC's about the call, in one
// piece; memorySize is in MB. An Init of 0 is left out.
func Invocation(w io.Writer, call result.Invocation, memorySize int) error {
	var text strings.Builder
	for _, hook := range call.Hooks {
		fmt.Fprintf(&text, "RequestId: %s, %s Duration: %.2f ms", hook.RequestID, hook.Name, result.Milliseconds(hook.Duration))
		if hook.Error != "" {
			fmt.Fprintf(&text, ", failed: %s", escape.Line(hook.Error))
		}
		text.WriteString("\n")
	}
	memory := "unknown"
	if call.PeakMemory > 0 {
		memory = fmt.Sprintf("%.2f MB", float64(call.PeakMemory)/(1<<20))
	}
	duration := result.Milliseconds(call.Duration)
	fmt.Fprintf(&text, "RequestId: %s, Duration: %.2f ms, Billed Duration: %.0f ms, Memory Size: %d MB, Max Memory Used: %s",
		call.RequestID, duration, math.Ceil(duration), memorySize, memory)
	if call.Init > 0 {
		fmt.Fprintf(&text, ", Init Duration: %.2f ms", result.Milliseconds(call.Init))
	}
	text.WriteString("\n")
	_, err := io.WriteString(w, text.String())
	return err
}
