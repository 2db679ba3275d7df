package instance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// A function may say what it likes in an error. So much of it is shown and goes
// into dead letters.
const (
	maximumType    = 1 << 10
	maximumMessage = 64 << 10
	maximumText    = 4 << 10 // of an error that is not FC's JSON
)

// A FunctionError is a call that failed, as FC reports it.
type FunctionError struct {
	Type    string
	Message string

	// JSON is the error as FC gives it to the caller; for what the function
	// returned or panicked with it is the function's own answer, unchanged.
	JSON []byte

	// NeverReady is true if the instance has ended without asking for a call: so
	// will the next one, most likely.
	NeverReady bool
}

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

func functionError(kind, format string, arguments ...any) *FunctionError {
	e := &FunctionError{Type: kind, Message: fmt.Sprintf(format, arguments...)}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.Encode(struct { // FC's order
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{e.Message, e.Type})
	e.JSON = bytes.TrimSpace(text.Bytes())
	return e
}

// reported is the error that a function has posted. What is not FC's JSON becomes
// an error with that text; what FC makes of it is not documented.
func reported(body []byte) *FunctionError {
	var own struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if err := json.Unmarshal(body, &own); err != nil || own.Type == "" && own.Message == "" {
		return functionError(TypeUnknown, "%s", cut(string(body), maximumText))
	}
	return &FunctionError{Type: cut(own.Type, maximumType), Message: cut(own.Message, maximumMessage), JSON: body}
}

// cut shortens a text that is longer than so many bytes, and says so.
func cut(text string, most int) string {
	if len(text) > most {
		text = fmt.Sprintf("%s… (cut: it has %d bytes)", text[:most], len(text))
	}
	return strings.ToValidUTF8(text, "")
}
