package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// These make of fclocal what starts a function in a network of its own, and the dialer
// of that network.
const (
	networkVariable = "FCLOCAL_NETWORK"
	dialerVariable  = "FCLOCAL_DIALER"
)

const networkSocket = 3 // of both: the first of exec.Cmd's ExtraFiles

// A Network is a network namespace: there is nothing in it but a loopback interface and
// what listens there. Its processes reach nothing outside.
//
// Only a process inside can open a connection there: a second fclocal, the dialer,
// does, and hands it out. The dialer is a child of fclocal, which leaves the function's
// own children and memory alone, and ends with fclocal, however that ends.
type Network struct {
	mu     sync.Mutex
	dialer *net.UnixConn
	pid    int // of the dialer; 0 before it is known
	inside *os.File
}

// OwnNetwork prepares a command to run in a network of its own, and to become what it
// was prepared for there. It is called last of what prepares it.
func OwnNetwork(command *exec.Cmd) (*Network, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	outside := os.NewFile(uintptr(ends[0]), "dialer")
	inside := os.NewFile(uintptr(ends[1]), "dialer")
	connection, err := net.FileConn(outside)
	outside.Close()
	if err != nil {
		inside.Close()
		return nil, err
	}
	command.Args = slices.Concat([]string{"fclocal", command.Path}, command.Args)
	command.Path = "/proc/self/exe"
	command.Env = append(slices.Clone(command.Env), networkVariable+"=1")
	command.ExtraFiles = []*os.File{inside}
	separate(command.SysProcAttr, os.Geteuid() == 0)
	return &Network{dialer: connection.(*net.UnixConn), inside: inside}, nil
}

// separate asks for the namespaces: of the network, and for that, unless one is root,
// of users. The user stays who they are.
func separate(attributes *syscall.SysProcAttr, root bool) {
	attributes.Cloneflags |= syscall.CLONE_NEWNET
	if root {
		return
	}
	attributes.Cloneflags |= syscall.CLONE_NEWUSER
	attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
	attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
	attributes.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN} // for the loopback interface
}

// MayOwnNetwork says whether the user may make networks.
func MayOwnNetwork() error {
	command := exec.Command("/proc/self/exe")
	command.Env = []string{networkVariable + "=1"}
	OwnGroup(command)
	separate(command.SysProcAttr, os.Geteuid() == 0)
	output, err := command.CombinedOutput()
	if len(output) > 0 {
		err = errors.New(string(output))
	}
	return err
}

// answerTime bounds the wait for the dialer, also on a machine that has much to do. It
// takes connectTime itself.
const (
	answerTime  = 20 * time.Second
	connectTime = time.Second
)

// begin waits for the dialer of a command that has been started, which says which
// process it is.
func (n *Network) begin() error {
	if n.inside != nil {
		n.inside.Close()
		n.inside = nil
	}
	if n.pid != 0 {
		return nil
	}
	greeting := make([]byte, 64)
	length, err := n.dialer.Read(greeting)
	if err == nil {
		n.pid, err = strconv.Atoi(string(greeting[:length]))
	}
	if err != nil {
		return fmt.Errorf("the network does not start: %w", err)
	}
	return nil
}

// Dial connects to a port of the network's loopback interface. The command must have
// been started.
func (n *Network) Dial(port int) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialer.SetDeadline(time.Now().Add(answerTime))
	if err := n.begin(); err != nil {
		return nil, err
	}
	if _, err := n.dialer.Write([]byte(strconv.Itoa(port))); err != nil {
		return nil, err
	}
	text, control := make([]byte, 512), make([]byte, unix.CmsgSpace(4))
	length, controlLength, _, _, err := n.dialer.ReadMsgUnix(text, control)
	if err != nil {
		n.dialer.Close() // an answer that comes later would be taken for that of another question
		return nil, err
	}
	if length > 1 {
		return nil, errors.New(string(text[:length]))
	}
	messages, err := unix.ParseSocketControlMessage(control[:controlLength])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("no connection came: %w", err)
	}
	sockets, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(sockets[0]), "connection")
	defer file.Close()
	return net.FileConn(file)
}

// Close ends the dialer, and so the network when nothing else is in it. The command
// may have been started or not.
func (n *Network) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialer.SetDeadline(time.Now().Add(answerTime))
	n.begin()
	n.dialer.Close()
	if n.pid != 0 {
		unix.Wait4(n.pid, nil, 0, nil)
		n.pid = 0
	}
}

// What has one of the variables is told from fclocal here, so that every program with
// this package can start networks, tests too.
func init() {
	switch {
	case os.Getenv(networkVariable) != "":
		if err := becomeFunction(); err != nil {
			fmt.Fprint(os.Stderr, err)
			os.Exit(126)
		}
		os.Exit(0)
	case os.Getenv(dialerVariable) != "":
		dial()
		os.Exit(0)
	}
}

// becomeFunction readies the network and runs os.Args in it, if there are any.
func becomeFunction() error {
	runtime.LockOSThread() // what may be done is a matter of the thread
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("the loopback interface cannot be used: %w", err)
	}
	if len(os.Args) < 3 {
		return nil
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0) // the log is the function's alone, and ends with it
	if err == nil {
		_, err = syscall.ForkExec("/proc/self/exe", []string{"fclocal"}, &syscall.ProcAttr{
			Env:   []string{dialerVariable + "=1"},
			Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), networkSocket},
			Sys:   &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_PARENT},
		})
	}
	if err != nil {
		return fmt.Errorf("the network cannot be used: %w", err)
	}
	syscall.CloseOnExec(networkSocket)
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	environment := slices.DeleteFunc(os.Environ(), func(variable string) bool { return variable == networkVariable+"=1" })
	return fmt.Errorf("the function does not start: %w", syscall.Exec(os.Args[1], os.Args[2:], environment))
}

// loopbackUp brings the loopback interface up.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

// dial connects as it is asked to until nobody asks any more. An answer is one byte
// with a connection, or a longer text of what is wrong.
func dial() {
	file := os.NewFile(networkSocket, "dialer")
	connection, err := net.FileConn(file)
	file.Close()
	if err != nil {
		return
	}
	asks := connection.(*net.UnixConn)
	asks.Write([]byte(strconv.Itoa(os.Getpid())))
	for port := make([]byte, 64); ; {
		length, err := asks.Read(port)
		if err != nil || length == 0 {
			return
		}
		socket, err := net.DialTimeout("tcp", "127.0.0.1:"+string(port[:length]), connectTime)
		if err != nil {
			asks.Write([]byte(err.Error()))
			continue
		}
		if file, err := socket.(*net.TCPConn).File(); err == nil {
			asks.WriteMsgUnix([]byte{0}, unix.UnixRights(int(file.Fd())), nil)
			file.Close()
		} else {
			asks.Write([]byte(err.Error()))
		}
		socket.Close()
	}
}
