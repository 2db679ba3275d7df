package process

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
)

// What a process listens at is found, and nothing of others.
func TestListeners(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // for EndWithUs
	defer runtime.UnlockOSThread()
	var want []netip.AddrPort
	var files []*os.File
	for network, at := range map[string]string{"tcp": "127.0.0.1:0", "tcp6": "[::1]:0", "tcp4": "0.0.0.0:0"} {
		listener, err := net.Listen(network, at)
		if err != nil {
			t.Skip(err) // IPv6 may not be there
		}
		defer listener.Close()
		file, err := listener.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		files, want = append(files, file), append(want, netip.MustParseAddrPort(listener.Addr().String()))
	}
	slices.SortFunc(want, netip.AddrPort.Compare)

	// It has its parent's listeners, and a child which has them, too.
	command := exec.Command("sh", "-c", "cat & cat")
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.ExtraFiles = files
	OwnGroup(command)
	EndWithUs(command)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	tree := NewTree(command.Process.Pid, "NO=MARK")
	if got, told := tree.Listeners(); !told || !slices.Equal(got, want) {
		t.Errorf("got %v %t, want %v", got, told, want)
	}
	var seen []netip.AddrPort
	for _, l := range listenersSeenBy(command.Process.Pid) { // which is for other networks
		if slices.Contains(want, l.address) {
			seen = append(seen, l.address)
		}
	}
	slices.SortFunc(seen, netip.AddrPort.Compare)
	if !slices.Equal(seen, want) {
		t.Errorf("in its network %v, want %v", seen, want)
	}
	input.Close()
	tree.Kill()
	command.Wait()
	tree.KillRest()
	if got, told := tree.Listeners(); told {
		t.Errorf("of a tree that has ended: %v", got)
	}
}
