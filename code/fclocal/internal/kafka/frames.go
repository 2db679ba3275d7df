package kafka

import (
	"encoding/binary"
	"fmt"
	"net"
)

// maxFrame is the largest request that the embedded cluster takes, in bytes, as with
// Kafka's own socket.request.max.bytes. kfake makes room for whatever size a client
// announces, and four bytes can announce 2 GB.
const maxFrame = 100 << 20

// bounded is a listener whose connections end at a request that is too large.
type bounded struct{ net.Listener }

func (l bounded) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &boundedConn{Conn: connection}, nil
}

// boundedConn follows the requests that are read: a size of four bytes, and so many
// bytes.
type boundedConn struct {
	net.Conn
	size []byte // of the next request, as far as it has been read
	left int    // bytes of the present request
}

func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		if c.left > 0 {
			part := min(c.left, len(rest))
			c.left, rest = c.left-part, rest[part:]
			continue
		}
		part := min(4-len(c.size), len(rest))
		c.size, rest = append(c.size, rest[:part]...), rest[part:]
		if len(c.size) < 4 {
			continue
		}
		size := int32(binary.BigEndian.Uint32(c.size))
		if size < 0 || size > maxFrame {
			c.Close()
			return 0, fmt.Errorf("a request of %d bytes; at most %d are taken", uint32(size), maxFrame)
		}
		c.left, c.size = int(size), c.size[:0]
	}
	return n, err
}
