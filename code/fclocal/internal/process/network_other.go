//go:build !linux

package process

import (
	"errors"
	"net"
	"os/exec"
)

var errNoNetworks = errors.New("only Linux has network namespaces")

// MayOwnNetwork is an error where the system has no such networks.
func MayOwnNetwork() error { return errNoNetworks }

// A Network is not to be had.
type Network struct{}

// OwnNetwork is an error.
func OwnNetwork(*exec.Cmd) (*Network, error) { return nil, errNoNetworks }

// Dial is an error.
func (*Network) Dial(int) (net.Conn, error) { return nil, errNoNetworks }

// Close does nothing.
func (*Network) Close() {}
