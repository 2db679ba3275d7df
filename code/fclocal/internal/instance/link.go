package instance

import (
	"context"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"time"

	"fclocal/internal/customruntime"
	"fclocal/internal/process"
	"fclocal/internal/runtimeapi"
)

// An endpoint takes calls, and those of hooks, to a process and its answers back.
type endpoint interface {
	Ready() <-chan struct{} // closed when the process takes calls
	Invoke(context.Context, runtimeapi.Call) (runtimeapi.Answer, error)
	Close() // fails the calls in flight
}

// A link is the endpoint of an instance, and what there is to do for it.
type link struct {
	endpoint
	variables []string                    // that tell the process of it
	mark      string                      // a variable that no other instance has
	begin     func()                      // when the process has started
	healthy   func(context.Context) error // before its first call
	limit     time.Duration               // until Ready; 0: the endpoint sees to it itself
	release   func()                      // when the process is gone, or has not started
}

// newLink makes the link of an instance, whose process is started by the command.
func (h *Host) newLink(i *Instance, command *exec.Cmd) (link, error) {
	if h.server != nil {
		api := h.server.NewInstance(header(i.spec.Project))
		mark := addressVariable + api.Address()
		return link{
			endpoint: api, variables: []string{mark, "FC_CUSTOM_LISTEN_PORT=9000"}, mark: mark,
			begin: func() {}, healthy: func(context.Context) error { return nil }, release: func() {},
			limit: time.Duration(i.spec.Project.Function.Timeout) * time.Second, // inferred: FC gives the start as long as a call
		}, nil
	}
	config := i.spec.Project.Function.CustomRuntime
	options := customruntime.Options{
		Port: config.Port, OwnPort: config.Port, OwnFree: h.ownFree, Header: header(i.spec.Project),
		Listeners: func() ([]netip.AddrPort, bool) { return i.tree.Listeners() },
		Fail:      i.kill,
		Notice:    h.tell,
	}
	var release func()
	if h.ownNetworks {
		network, err := process.OwnNetwork(command)
		if err != nil {
			return link{}, err
		}
		release = network.Close
		options.Dial = func(_ context.Context, port int) (net.Conn, error) { return network.Dial(port) }
	} else {
		var err error
		if options.Port, release, err = customruntime.FreePort(); err != nil {
			return link{}, err
		}
	}
	if c := config.Health; c != nil {
		options.Health = &customruntime.HealthCheck{
			Path: c.Path, InitialDelay: seconds(c.InitialDelay), Period: seconds(c.Period), Timeout: seconds(c.Timeout), FailureThreshold: c.FailureThreshold,
		}
	}
	server := customruntime.New(options)
	port := strconv.Itoa(options.Port)
	return link{
		endpoint: server, variables: []string{"FC_SERVER_PORT=" + port, "FC_CUSTOM_LISTEN_PORT=" + port}, mark: "FC_INSTANCE_ID=" + i.spec.ID,
		begin: func() { go server.Await(startTime) }, healthy: server.Healthy, release: release,
	}, nil
}

// startTime is as on FC, but for tests.
var startTime = customruntime.StartTime

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
