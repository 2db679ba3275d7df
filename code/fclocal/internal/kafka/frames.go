package kafka

import (
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxFrame is the largest request that the embedded cluster takes, in bytes, as with
// Kafka's own socket.request.max.bytes. kfake makes room for whatever size a client
// announces, and four bytes can announce 2 GB.
const maxFrame = 100 << 20

// framedConn follows the requests that kfake reads: a size of four bytes, and so many
// bytes. It ends at one that is too large, or of a kind that is none. In answers that
// tell the broker's address it puts the one that is right for this connection.
type framedConn struct {
	net.Conn
	size []byte // of the next request, as far as it has been read
	left int    // bytes of the present request
	head []byte // its kind, version and correlation ID, as far as they have been read

	host string // to be told; "": what kfake tells is right
	port int32

	mu    sync.Mutex
	tells map[uint32]kmsg.Response // by correlation ID: an empty answer that will tell an address
}

// newFramedConn returns a connection whose client is told the HOST:PORT; "" is what
// kfake tells.
func newFramedConn(connection net.Conn, told string) *framedConn {
	c := &framedConn{Conn: connection, tells: make(map[uint32]kmsg.Response)}
	if told != "" {
		host, port, _ := net.SplitHostPort(told)
		number, _ := strconv.ParseInt(port, 10, 32)
		c.host, c.port = host, int32(number)
	}
	return c
}

func (c *framedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		if c.left > 0 {
			part := rest[:min(c.left, len(rest))]
			c.left, rest = c.left-len(part), rest[len(part):]
			if more := min(8-len(c.head), len(part)); more > 0 {
				c.head = append(c.head, part[:more]...)
				if len(c.head) == 8 {
					if err := c.request(); err != nil {
						c.Close()
						return 0, err
					}
				}
			}
			continue
		}
		part := min(4-len(c.size), len(rest))
		c.size, rest = append(c.size, rest[:part]...), rest[part:]
		if len(c.size) < 4 {
			continue
		}
		size := int32(binary.BigEndian.Uint32(c.size))
		if size < 8 || size > maxFrame {
			c.Close()
			return 0, fmt.Errorf("a request of %d bytes; 8 to %d are taken", uint32(size), maxFrame)
		}
		c.left, c.size, c.head = int(size), c.size[:0], c.head[:0]
	}
	return n, err
}

// request looks at the head of a request.
func (c *framedConn) request() error {
	key, version := int16(binary.BigEndian.Uint16(c.head)), int16(binary.BigEndian.Uint16(c.head[2:]))
	if kmsg.RequestForKey(key) == nil || version < 0 { // kfake would panic
		return fmt.Errorf("a request of kind %d, version %d: there is none", key, version)
	}
	if c.host == "" {
		return nil
	}
	switch kmsg.Key(key) {
	case kmsg.Metadata, kmsg.FindCoordinator, kmsg.DescribeCluster:
		answer := kmsg.ResponseForKey(key)
		answer.SetVersion(version)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.tells[binary.BigEndian.Uint32(c.head[4:])] = answer
	}
	return nil
}

// Write gets whole answers: a size, the correlation ID and the rest.
func (c *framedConn) Write(frame []byte) (int, error) {
	if c.host == "" || len(frame) < 8 {
		return c.Conn.Write(frame)
	}
	id := binary.BigEndian.Uint32(frame[4:])
	c.mu.Lock()
	answer := c.tells[id]
	delete(c.tells, id)
	c.mu.Unlock()
	if answer == nil {
		return c.Conn.Write(frame)
	}
	head := 8
	if answer.IsFlexible() {
		head++ // of tags, there are none
	}
	if err := answer.ReadFrom(frame[min(head, len(frame)):]); err != nil {
		return 0, fmt.Errorf("an answer of the embedded Kafka cannot be read: %w", err)
	}
	c.tell(answer)
	told := answer.AppendTo(append([]byte(nil), frame[:head]...))
	binary.BigEndian.PutUint32(told, uint32(len(told)-4))
	if _, err := c.Conn.Write(told); err != nil {
		return 0, err
	}
	return len(frame), nil
}

// tell puts the address into an answer.
func (c *framedConn) tell(answer kmsg.Response) {
	switch answer := answer.(type) {
	case *kmsg.MetadataResponse:
		for i := range answer.Brokers {
			answer.Brokers[i].Host, answer.Brokers[i].Port = c.host, c.port
		}
	case *kmsg.DescribeClusterResponse:
		for i := range answer.Brokers {
			answer.Brokers[i].Host, answer.Brokers[i].Port = c.host, c.port
		}
	case *kmsg.FindCoordinatorResponse:
		if answer.ErrorCode == 0 && answer.Host != "" {
			answer.Host, answer.Port = c.host, c.port
		}
		for i := range answer.Coordinators {
			if coordinator := &answer.Coordinators[i]; coordinator.ErrorCode == 0 {
				coordinator.Host, coordinator.Port = c.host, c.port
			}
		}
	}
}
