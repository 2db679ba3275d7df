// Package failure tells what failed while it ran from a wrong command line or
// configuration: scripts tell them apart by the exit code.
package failure

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// An Error is a failure of what was run: of the function, the stream, or the
// machine.
type Error struct{ error }

// Unwrap returns what failed.
func (e Error) Unwrap() error { return e.error }

// Of makes an error a failure; nil stays nil.
func Of(err error) error {
	if err == nil {
		return nil
	}
	return Error{err}
}

// New is a failure with that text.
func New(text string) error { return Error{errors.New(text)} }

// Is says whether an error is a failure, or wraps one.
func Is(err error) bool {
	var failed Error
	return errors.As(err, &failed)
}

// Explain is an error's text. Of a file that is missing it tells where it was looked
// for, as `go -C DIR run .` runs a program in DIR.
func Explain(err error) string {
	var missing *fs.PathError
	if errors.As(err, &missing) && errors.Is(err, fs.ErrNotExist) && !filepath.IsAbs(missing.Path) {
		if directory, wdErr := os.Getwd(); wdErr == nil {
			return err.Error() + " (looked for in " + directory + ")"
		}
	}
	return err.Error()
}
