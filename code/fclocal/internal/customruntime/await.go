package customruntime

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// StartTime is how long a function may take until it listens (documented).
const StartTime = 120 * time.Second

// While nobody listens one looks this often: what has taken long is seen later.
const (
	shortestWait = time.Millisecond
	longestWait  = 50 * time.Millisecond
	partWaited   = 5
	fewLooks     = 50 * time.Millisecond // apart are those that take more CPU time

	patience = 10 * time.Second // after which it is said what is waited for
)

// A DownError is a function that cannot be called: it does not listen in time, or fails
// its health check.
type DownError struct{ text string }

func (e *DownError) Error() string { return e.text }

// Await waits until the function listens, [Instance.Close] is called, or limit has
// passed, which is to be [StartTime].
func (i *Instance) Await(limit time.Duration) {
	begin, told := time.Now(), false
	for thorough := fewLooks; ; {
		waited := time.Since(begin)
		thoroughly := waited >= thorough
		if thoroughly {
			thorough = waited + fewLooks
		}
		if port, ok := i.listens(thoroughly); ok {
			i.port.Store(int64(port))
			close(i.ready)
			return
		}
		if waited >= limit {
			i.fail(&DownError{fmt.Sprintf("Function instance health check failed on port %d in %v seconds%s", i.options.OwnPort, limit.Seconds(), i.elsewhere())})
			return
		}
		if waited >= patience && !told {
			told = true
			i.options.Notice(Waiting, fmt.Sprintf("waiting up to %v for the function to listen on port %s%s", limit, i.ports(), i.elsewhere()))
		}
		select {
		case <-time.After(min(max(waited/partWaited, shortestWait), longestWait, limit-waited)):
		case <-i.life.Done():
			return
		}
	}
}

func (i *Instance) ports() string {
	if i.options.Port == i.options.OwnPort {
		return fmt.Sprint(i.options.Port)
	}
	return fmt.Sprintf("%d (FC_SERVER_PORT) or %d", i.options.Port, i.options.OwnPort)
}

// listens looks where the function listens; thoroughly also where it should not.
func (i *Instance) listens(thoroughly bool) (port int, ok bool) {
	port = i.options.Port
	if !i.answers(port) {
		if port = i.options.OwnPort; !thoroughly || port == i.options.Port {
			return 0, false
		}
		if _, told := i.options.Listeners(); !told && !i.options.OwnFree || !i.answers(port) {
			return 0, false
		}
	}
	if i.alone {
		return port, true
	}
	addresses, told := i.options.Listeners()
	here := slices.DeleteFunc(slices.Clone(addresses), func(a netip.AddrPort) bool { return !at(port)(a) })
	if told && len(here) == 0 { // another program does
		return 0, false
	}
	if told && !slices.ContainsFunc(here, func(a netip.AddrPort) bool { return a.Addr().IsUnspecified() }) {
		i.options.Notice(Loopback, fmt.Sprintf("the function listens on %v only: on FC it must listen on 0.0.0.0, else FC takes it as not started", here[0].Addr()))
	}
	return port, true
}

func at(port int) func(netip.AddrPort) bool {
	return func(a netip.AddrPort) bool { return int(a.Port()) == port }
}

// answers says whether somebody listens there.
func (i *Instance) answers(port int) bool {
	ctx, cancel := context.WithTimeout(i.life, time.Second)
	defer cancel()
	connection, err := i.options.Dial(ctx, port)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}

// elsewhere is a part of a sentence: where the function listens instead.
func (i *Instance) elsewhere() string {
	addresses, told := i.options.Listeners()
	switch {
	case !told:
		return ""
	case len(addresses) == 0:
		return "; it listens nowhere"
	}
	var texts []string
	for _, address := range addresses {
		texts = append(texts, address.String())
	}
	return "; it listens on " + strings.Join(texts, " and ")
}
