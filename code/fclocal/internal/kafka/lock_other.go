//go:build !unix

package kafka

import "os"

// lock does nothing where the standard library has no file locks.
func lock(*os.File) error { return nil }

// removeAbandoned removes nothing: without locks there is no telling.
func removeAbandoned(string) {}
