// Package process starts, watches and ends the processes of a function, and all
// that they start themselves.
package process
