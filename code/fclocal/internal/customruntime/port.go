package customruntime

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports for FC_SERVER_PORT are below those from which systems take the ports of
// outgoing connections: one of those might be in the function's way.
const lowestPort, highestPort = 20_000, 32_000

var taken struct {
	sync.Mutex
	ports map[int]bool // of this process's instances
}

// FreePort is a port that nothing uses. It is this process's until released.
func FreePort() (port int, release func(), err error) {
	taken.Lock()
	defer taken.Unlock()
	if taken.ports == nil {
		taken.ports = map[int]bool{}
	}
	for range 1000 {
		port = lowestPort + rand.IntN(highestPort-lowestPort)
		if !taken.ports[port] && Free(port) {
			taken.ports[port] = true
			return port, func() {
				taken.Lock()
				defer taken.Unlock()
				delete(taken.ports, port)
			}, nil
		}
	}
	return 0, nil, errors.New("there is no free port for the function to listen on, of " + fmt.Sprint(lowestPort, " to ", highestPort))
}

// Free says whether nothing listens on a port.
func Free(port int) bool {
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	listener.Close()
	return true
}
