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
)

// Listeners are the addresses at which the tree's processes take TCP connections,
// sorted. It is false where that is not told.
func (t *Tree) Listeners() (addresses []netip.AddrPort, told bool) {
	sockets := map[string]bool{} // by what the kernel numbers them with
	pid := 0
	for _, e := range t.members(processes.scan()) {
		directory := fmt.Sprintf("/proc/%d/fd", e.pid)
		files, err := os.ReadDir(directory)
		if err != nil {
			continue
		}
		pid, told = e.pid, true
		for _, file := range files {
			target, _ := os.Readlink(directory + "/" + file.Name())
			if number, is := strings.CutPrefix(target, "socket:["); is {
				sockets[strings.TrimSuffix(number, "]")] = true
			}
		}
	}
	for _, table := range []string{"tcp", "tcp6"} {
		lines, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		for line := range strings.Lines(string(lines)) {
			const listens = "0A"
			fields := strings.Fields(line)
			if len(fields) < 10 || fields[3] != listens || !sockets[fields[9]] {
				continue
			}
			if address, ok := parseAddress(fields[1]); ok && !slices.Contains(addresses, address) {
				addresses = append(addresses, address)
			}
		}
	}
	slices.SortFunc(addresses, netip.AddrPort.Compare)
	return addresses, told
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
