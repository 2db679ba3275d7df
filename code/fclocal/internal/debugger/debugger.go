// Package debugger runs a function under Delve, for a debugger to connect to.
package debugger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"fclocal/internal/build"
	"fclocal/internal/failure"
)

const (
	module  = "github.com/go-delve/delve/cmd/dlv"
	version = "v1.27.2" // knows Go 1.22 to 1.26
)

// DefaultPort is where Delve listens usually.
const DefaultPort = 2345

// Patience is how long a call and a hook may take under a debugger.
const Patience = 24 * time.Hour

// startTime bounds how long Delve takes to listen, and how often it is looked at.
const (
	startTime    = time.Minute
	lookInterval = 50 * time.Millisecond
)

// A Debugger is Delve on a port of the loopback interface.
type Debugger struct {
	program string
	port    int
	output  io.Writer
}

// New finds Delve: the dlv in PATH, or one of a fixed version, which is built in the
// user's cache directory at the first time. Port 0 takes a free one. What is to be
// known goes to output.
func New(ctx context.Context, port int, output io.Writer) (*Debugger, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("the debugger's port %d cannot be had: %w; --debug=0 takes a free one", port, err)
	}
	listener.Close()
	d := &Debugger{port: listener.Addr().(*net.TCPAddr).Port, output: output}
	if d.program, err = exec.LookPath("dlv"); err == nil {
		return d, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("there is no cache directory to build Delve in: %w", err)
	}
	directory := filepath.Join(cache, "fclocal", "delve-"+version)
	if d.program, err = exec.LookPath(filepath.Join(directory, "dlv")); err == nil {
		return d, nil
	}
	fmt.Fprintf(output, "fclocal: building Delve %s in %s, as no dlv is in PATH\n", version, directory)
	err = build.Install(ctx, module+"@"+version, directory, output)
	if err == nil {
		d.program, err = exec.LookPath(filepath.Join(directory, "dlv"))
	}
	switch {
	case failure.Is(err):
		return nil, err
	case err != nil:
		return nil, failure.Of(fmt.Errorf("building Delve failed: %w; an installed dlv in PATH does as well", err))
	}
	return d, nil
}

// Command is the command that runs a program under the debugger. The program waits
// at its beginning for a client that continues it, and goes on when that leaves.
func (d *Debugger) Command(program string, arguments []string) (string, []string) {
	return d.program, append([]string{
		"exec", "--headless", "--api-version=2", "--accept-multiclient", "--listen=" + d.address(), program, "--",
	}, arguments...)
}

func (d *Debugger) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port)) }

// Announce waits until Delve listens, and says how to connect to it. It gives up when
// ended is closed.
func (d *Debugger) Announce(ended <-chan struct{}) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for late := time.After(startTime); !d.listens(); {
		select {
		case <-ticker.C:
		case <-ended: // its log says why
			return
		case <-late:
			fmt.Fprintf(d.output, "fclocal: Delve does not listen at %s after %v; Ctrl-C ends it\n", d.address(), startTime)
			return
		}
	}
	program := d.program
	if found, err := exec.LookPath("dlv"); err == nil && found == program {
		program = "dlv"
	}
	fmt.Fprintf(d.output, `fclocal: the function waits for a debugger at %[1]s, and does not begin without one; Ctrl-C ends it
fclocal: VS Code, launch.json: {"name": "fclocal", "type": "go", "request": "attach", "mode": "remote", "host": "127.0.0.1", "port": %[2]d}
fclocal: GoLand: Run, Edit Configurations, Go Remote: host 127.0.0.1, port %[2]d
fclocal: a terminal: %[3]s connect %[1]s, then: break main.process, continue
`, d.address(), d.port, program)
}

// listens tries to connect. Delve takes no notice of a client that says nothing.
func (d *Debugger) listens() bool {
	connection, err := net.DialTimeout("tcp", d.address(), time.Second)
	if err == nil {
		connection.Close()
	}
	return err == nil
}

// ErrCustom is for a function of a custom runtime.
var ErrCustom = errors.New("--debug is for functions of the runtime go1")
