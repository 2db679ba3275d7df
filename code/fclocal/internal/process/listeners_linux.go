package process

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A listener is a socket that takes TCP connections.
type listener struct {
	socket  string // its number
	address netip.AddrPort
}

// Listeners are the addresses at which the tree's processes took TCP connections a
// moment ago, sorted. It is false where that is not told.
func (t *Tree) Listeners() (addresses []netip.AddrPort, told bool) {
	sockets := map[string]bool{} // by what the kernel numbers them with
	first := t.first()
	pids := []int{first}
	for _, e := range t.look() {
		pids = append(pids, e.pid)
	}
	for _, pid := range pids {
		directory := fmt.Sprintf("/proc/%d/fd", pid)
		files, err := os.ReadDir(directory)
		if err != nil {
			continue
		}
		told = true
		for _, file := range files {
			target, _ := os.Readlink(directory + "/" + file.Name())
			if number, is := strings.CutPrefix(target, "socket:["); is {
				sockets[strings.TrimSuffix(number, "]")] = true
			}
		}
	}
	if !told {
		return nil, false
	}
	var all []listener
	network, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", first))
	own, _ := os.Readlink("/proc/self/ns/net")
	var err error
	if network == own {
		all, err = listeners()
	}
	if network != own || err != nil {
		all = listenersSeenBy(first)
	}
	for _, l := range all {
		if sockets[l.socket] && !slices.Contains(addresses, l.address) {
			addresses = append(addresses, l.address)
		}
	}
	slices.SortFunc(addresses, netip.AddrPort.Compare)
	return addresses, true
}

// listeners asks the kernel for all of this network: see sock_diag(7). It takes a
// thousandth of what it takes to read /proc/net/tcp, which goes through all
// connections.
func listeners() (all []listener, err error) {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, err
	}
	defer unix.Close(socket)
	unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1})
	buffer := make([]byte, 64<<10)
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		const listen = 10 // TCP_LISTEN
		request := make([]byte, unix.SizeofNlMsghdr+56)
		order := binary.NativeEndian
		order.PutUint32(request, uint32(len(request)))
		order.PutUint16(request[4:], unix.SOCK_DIAG_BY_FAMILY)
		order.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
		request[16], request[17] = family, unix.IPPROTO_TCP
		order.PutUint32(request[20:], 1<<listen)
		if err := unix.Sendto(socket, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return nil, err
		}
		for done := false; !done; {
			n, _, err := unix.Recvfrom(socket, buffer, 0)
			if err != nil {
				return nil, err
			}
			messages, err := syscall.ParseNetlinkMessage(buffer[:n])
			if err != nil {
				return nil, err
			}
			for _, message := range messages {
				data := message.Data
				switch {
				case message.Header.Type == unix.NLMSG_DONE:
					done = true
				case message.Header.Type == unix.NLMSG_ERROR || len(data) < 72:
					return nil, unix.EOPNOTSUPP
				default: // struct inet_diag_msg
					address, _ := netip.AddrFromSlice(data[8:][:map[byte]int{unix.AF_INET: 4, unix.AF_INET6: 16}[family]])
					all = append(all, listener{
						socket:  strconv.FormatUint(uint64(order.Uint32(data[68:])), 10),
						address: netip.AddrPortFrom(address, binary.BigEndian.Uint16(data[4:])),
					})
				}
			}
		}
	}
	return all, nil
}

// listenersSeenBy reads all of a process's network.
func listenersSeenBy(pid int) (all []listener) {
	for _, table := range []string{"tcp", "tcp6"} {
		lines, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		for line := range strings.Lines(string(lines)) {
			const listens = "0A"
			fields := strings.Fields(line)
			if len(fields) < 10 || fields[3] != listens {
				continue
			}
			if address, ok := parseAddress(fields[1]); ok {
				all = append(all, listener{fields[9], address})
			}
		}
	}
	return all
}

// parseAddress reads an address as /proc/net/tcp has it: words as the machine keeps
// them, in hexadecimal digits, and a port.
func parseAddress(text string) (netip.AddrPort, bool) {
	words, port, _ := strings.Cut(text, ":")
	address, err := hex.DecodeString(words)
	number, portErr := strconv.ParseUint(port, 16, 16)
	if err != nil || portErr != nil || len(address)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for at := 0; at < len(address); at += 4 {
		binary.NativeEndian.PutUint32(address[at:], binary.BigEndian.Uint32(address[at:]))
	}
	ip, ok := netip.AddrFromSlice(address)
	return netip.AddrPortFrom(ip, uint16(number)), ok
}
