// Package kafka is the Kafka side of an event stream: an embedded cluster, the
// messages that are produced into it, and the consumers of the stream's tasks on
// it or on a real cluster.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// A Cluster says how to reach a Kafka cluster. Embedded.Cluster makes one for
// the embedded cluster.
type Cluster struct {
	Brokers []string    // HOST:PORT of one broker or more; the others are learned from them
	TLS     *tls.Config // nil: no TLS
	SASL    *SASL       // nil: no authentication

	embedded bool
}

// SASL is a user of a Kafka cluster.
type SASL struct {
	Mechanism string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	User      string
	Password  string
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	if s.User == "" || s.Password == "" {
		return nil, fmt.Errorf("SASL %s needs a user and a password", s.Mechanism)
	}
	switch s.Mechanism {
	case "PLAIN":
		return plain.Auth{User: s.User, Pass: s.Password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("SASL mechanism %q: it must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.Mechanism)
}

func (c Cluster) client(options ...kgo.Opt) (*kgo.Client, error) {
	options = append([]kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID("fclocal"),
		kgo.SoftwareNameAndVersion("fclocal", "1"),
	}, options...)
	if c.embedded { // clients may be told an address that is none on this machine
		options = append(options, kgo.Dialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, c.Brokers[0])
		}))
	}
	if c.TLS != nil {
		options = append(options, kgo.DialTLSConfig(c.TLS))
	}
	if c.SASL != nil {
		mechanism, err := c.SASL.mechanism()
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.SASL(mechanism))
	}
	return kgo.NewClient(options...)
}

// Partitions returns the number of the topic's partitions. It is also the check
// that the cluster can be reached and takes the user: an error says which of
// these is not so.
func (c Cluster) Partitions(ctx context.Context, topic string) (int, error) {
	client, err := c.client()
	if err != nil {
		return 0, err
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return 0, c.explain(err)
	}
	admin := kadm.NewClient(client)
	if err := c.reachable(ctx, admin); err != nil {
		return 0, err
	}
	topics, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return 0, c.explain(err)
	}
	if err := topics[topic].Err; err != nil {
		return 0, c.explain(fmt.Errorf("topic %q: %w", topic, err))
	}
	return len(topics[topic].Partitions), nil
}

// dialTimeout is how long an address that a broker tells may take to answer.
const dialTimeout = 5 * time.Second

// reachable tries the addresses that the cluster's brokers tell to clients: a broker
// in a container often tells one that only other containers know.
func (c Cluster) reachable(ctx context.Context, admin *kadm.Client) error {
	brokers, err := admin.ListBrokers(ctx)
	if err != nil {
		return c.explain(err)
	}
	for _, broker := range brokers {
		address := net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port)))
		dialing, stop := context.WithTimeout(ctx, dialTimeout)
		connection, err := new(net.Dialer).DialContext(dialing, "tcp", address)
		stop()
		if err != nil {
			return fmt.Errorf("cluster at %s tells clients to connect to %s, which cannot be reached: set the broker's advertised.listeners to an address that this machine knows: %w",
				strings.Join(c.Brokers, ", "), address, err)
		}
		connection.Close()
	}
	return nil
}

// explain adds where an error of the cluster is from and what to do about it.
func (c Cluster) explain(err error) error {
	at := strings.Join(c.Brokers, ", ")
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed) && c.SASL != nil:
		return fmt.Errorf("cluster at %s refuses user %q with SASL %s: check user and password: %w", at, c.SASL.User, c.SASL.Mechanism, err)
	case errors.Is(err, kerr.UnsupportedSaslMechanism) && c.SASL != nil:
		return fmt.Errorf("cluster at %s does not take SASL %s: %w", at, c.SASL.Mechanism, err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("cluster at %s closes the connection: check if it wants TLS, SASL or another user and password: %w", at, err)
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("cluster at %s: create the topic, or name another in s.yaml: %w", at, err)
	}
	return fmt.Errorf("cluster at %s: %w", at, err)
}

// groupTimeouts are the session timeout and heartbeat interval of the members.
// The embedded cluster remembers no member after kill -9, and its members share
// this process, so it needs patience only for a busy machine, and frequent
// heartbeats make a rebalance quick. A real cluster gets Kafka's defaults.
func (c Cluster) groupTimeouts() (session, heartbeat time.Duration) {
	if c.embedded {
		return 10 * time.Second, 200 * time.Millisecond
	}
	return 45 * time.Second, 3 * time.Second
}
