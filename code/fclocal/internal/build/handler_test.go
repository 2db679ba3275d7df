package build

import (
	"fmt"
	"io"
	"testing"
)

// A program is written to the cache and nowhere else.
func TestHandlerOutside(t *testing.T) {
	for _, handler := range []string{"", ".", "..", "../x", "/x", "a/b"} {
		_, err := Function(t.Context(), ".", ".", handler, Usual, io.Discard)
		want := fmt.Sprintf("the function cannot be built: handler %q is not the name of a file", handler)
		if err == nil || err.Error() != want {
			t.Errorf("handler %q: %v, want %s", handler, err, want)
		}
	}
}
