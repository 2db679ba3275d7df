package kafka

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A Listener is an address at which the embedded cluster takes clients.
type Listener struct {
	Address string // HOST:PORT to listen at; port 0 is a free one

	// Advertise is the HOST:PORT that clients are told to connect to, whatever they
	// have connected to before, as Kafka's advertised.listeners. "" is Address, which
	// then cannot be a wildcard such as 0.0.0.0.
	Advertise string
}

// open listens at the address, and returns it with the port that it has got.
func (l Listener) open() (Listener, net.Listener, error) {
	host, _, err := net.SplitHostPort(l.Address)
	if err != nil {
		return l, nil, fmt.Errorf("listen address %q: it must be HOST:PORT, as 127.0.0.1:9092", l.Address)
	}
	if l.Advertise == "" && wildcard(host) {
		return l, nil, fmt.Errorf("listen address %q: Kafka tells clients where to connect to: name the host that they know, here or with --advertise", l.Address)
	}
	if l.Advertise != "" {
		host, port, err := net.SplitHostPort(l.Advertise)
		if number, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || number == 0 || wildcard(host) {
			return l, nil, fmt.Errorf("advertised address %q: it must be a HOST:PORT that clients can connect to, as host.docker.internal:9092", l.Advertise)
		}
	}
	listener, err := net.Listen("tcp", l.Address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return l, nil, fmt.Errorf("listen address %s: the port is in use; choose another, or 0 for a free one", l.Address)
	}
	if err != nil {
		return l, nil, fmt.Errorf("listen address %s: %w", l.Address, err)
	}
	if l.Address = listener.Addr().String(); wildcard(host) { // as it was given, not the [::] that it becomes
		_, port, _ := net.SplitHostPort(l.Address)
		l.Address = net.JoinHostPort(host, port)
	}
	if l.Advertise == "" {
		l.Advertise = l.Address
	}
	return l, listener, nil
}

func wildcard(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// String describes one of Embedded.Listeners.
func (l Listener) String() string {
	text := l.Address
	if l.Advertise != l.Address {
		text += ", which they are told is " + l.Advertise
	}
	host, _, _ := net.SplitHostPort(l.Address)
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		text += "; nothing keeps other machines out"
	}
	return text
}

// listeners are several that kfake, whose broker has one, sees as one.
type listeners struct {
	accepted chan net.Conn
	all      []net.Listener
	first    string // the address that kfake tells to clients

	closing sync.Once
	closed  chan struct{}
	loops   sync.WaitGroup
}

// listen opens all listeners or none, and returns them with their ports.
func listen(at []Listener) (_ *listeners, opened []Listener, err error) {
	l := &listeners{accepted: make(chan net.Conn), closed: make(chan struct{})}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	for _, one := range at {
		one, listener, err := one.open()
		if err != nil {
			return nil, nil, err
		}
		l.all, opened = append(l.all, listener), append(opened, one)
	}
	l.first = opened[0].Advertise
	for i, listener := range l.all {
		told := opened[i].Advertise
		if told == l.first {
			told = ""
		}
		l.loops.Go(func() { l.accept(listener, told) })
	}
	return l, opened, nil
}

func (l *listeners) accept(listener net.Listener, told string) {
	for {
		connection, err := listener.Accept()
		switch {
		case err == nil:
			select {
			case l.accepted <- newFramedConn(connection, told):
			case <-l.closed:
				connection.Close()
			}
		case errors.Is(err, net.ErrClosed):
			return
		default: // too many open files, say: some may be closed soon
			select {
			case <-time.After(50 * time.Millisecond):
			case <-l.closed:
			}
		}
	}
}

func (l *listeners) Accept() (net.Conn, error) {
	select {
	case connection := <-l.accepted:
		return connection, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listeners) Close() error {
	var errs []error
	l.closing.Do(func() {
		close(l.closed)
		for _, listener := range l.all {
			errs = append(errs, listener.Close())
		}
		l.loops.Wait()
	})
	return errors.Join(errs...)
}

// Addr is what kfake tells clients to connect to.
func (l *listeners) Addr() net.Addr { return address(l.first) }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
