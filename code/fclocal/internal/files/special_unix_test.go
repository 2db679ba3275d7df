//go:build unix

package files

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Reading any of these would never end.
func TestReadSpecial(t *testing.T) {
	directory, err := os.MkdirTemp("", "") // short: a socket's path is at most about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(directory)
	pipe, socket := filepath.Join(directory, "pipe"), filepath.Join(directory, "socket")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for path, want := range map[string]string{
		pipe: "a named pipe", socket: "a socket", "/dev/zero": "a device", "/dev/null": "a device",
	} {
		if _, err := Read(path, 1<<20); err == nil || err.Error() != "read "+path+": it is "+want {
			t.Errorf("err = %v; want that it is %s", err, want)
		}
	}
	// A file that tells no size.
	if content, err := Read("/proc/self/status", 1<<20); err == nil && len(content) == 0 {
		t.Error("nothing was read")
	}
}
