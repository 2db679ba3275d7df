//go:build !unix

package kafka

// removeAbandoned removes nothing: whose a directory is, is not looked up here.
func removeAbandoned(string) {}
