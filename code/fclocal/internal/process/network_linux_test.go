package process

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestMain makes of this program a server that answers what it is, as one that insists
// on its port.
func TestMain(m *testing.M) {
	if os.Getenv("SERVE") == "" {
		os.Exit(m.Run())
	}
	listener, err := net.Listen("tcp", ":9000")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			os.Exit(1)
		}
		interfaces, _ := net.Interfaces()
		fmt.Fprintf(connection, "%s, user %d, %d interface, %q, %d variable, capabilities %s",
			os.Getenv("SERVE"), os.Getuid(), len(interfaces), os.Args[1:], len(os.Environ()), capabilities())
		connection.Close()
	}
}

// capabilities are those that the process has.
func capabilities() string {
	status, _ := os.ReadFile("/proc/self/status")
	_, after, _ := strings.Cut(string(status), "\nCapEff:\t")
	capabilities, _, _ := strings.Cut(after, "\n")
	return capabilities
}

func children() (pids []string) {
	threads, _ := filepath.Glob("/proc/self/task/*/children")
	for _, thread := range threads {
		of, _ := os.ReadFile(thread)
		pids = append(pids, strings.Fields(string(of))...)
	}
	return pids
}

// Processes that listen on the same port run side by side, each in a network of its
// own; nothing of it is left.
func TestOwnNetwork(t *testing.T) {
	if err := MayOwnNetwork(); err != nil {
		t.Skip(err)
	}
	runtime.LockOSThread() // for EndWithUs
	defer runtime.UnlockOSThread()
	before := children() // of other tests
	var networks []*Network
	var commands []*exec.Cmd
	for n := range 3 {
		command := exec.Command(os.Args[0], "an", "argument")
		command.Env = []string{fmt.Sprintf("SERVE=number %d", n)}
		command.Stderr = os.Stderr
		OwnGroup(command)
		EndWithUs(command)
		network, err := OwnNetwork(command)
		if err == nil {
			err = command.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		networks, commands = append(networks, network), append(commands, command)
	}
	if _, err := networks[0].Dial(1); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("a port where nothing listens: %v", err)
	}
	for n, network := range networks {
		want := fmt.Sprintf(`number %d, user %d, 1 interface, ["an" "argument"], 1 variable, capabilities %s`, n, os.Getuid(), capabilities())
		for range 3 {
			connection, err := network.Dial(9000)
			for err != nil && strings.Contains(err.Error(), "connection refused") { // it does not listen yet
				connection, err = network.Dial(9000)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(connection)
			connection.Close()
			if string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
	for n, network := range networks {
		network.Close()
		commands[n].Process.Kill()
		commands[n].Wait()
	}
	for _, child := range children() {
		if !slices.Contains(before, child) {
			t.Errorf("a child is left: %s", child)
		}
	}
	closed, err := OwnNetwork(&exec.Cmd{Path: os.Args[0], SysProcAttr: commands[0].SysProcAttr})
	if err != nil {
		t.Fatal(err)
	}
	closed.Close() // before it was begun
}
