// Package kafka is the Kafka side of an event stream: an embedded cluster, the
// messages that are produced into it, and the consumers of the stream's tasks on
// it or on a real cluster.
package kafka

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// A Cluster says how to reach a Kafka cluster. Embedded.Cluster makes one for
// the embedded cluster.
type Cluster struct {
	Brokers  []string    // HOST:PORT of one broker or more; the others are learned from them
	TLS      *tls.Config // nil: no TLS
	SASL     *SASL       // nil: no authentication
	ClientID string      // "": fclocal

	embedded     bool
	group, topic string // for errors that do not tell them
}

// SASL is a user of a Kafka cluster.
type SASL struct {
	Mechanism string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER
	User      string
	Password  string

	Token func() (string, error) // of OAUTHBEARER, asked for each connection; in place of User and Password
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	if s.Mechanism == "OAUTHBEARER" {
		if s.Token == nil {
			return nil, errors.New("SASL OAUTHBEARER needs a token")
		}
		return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := s.Token()
			return oauth.Auth{Token: token}, err
		}), nil
	}
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
	return nil, fmt.Errorf("SASL mechanism %q: it must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", s.Mechanism)
}

func (c Cluster) client(options ...kgo.Opt) (*kgo.Client, error) {
	options = append([]kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(cmp.Or(c.ClientID, "fclocal")),
		kgo.SoftwareNameAndVersion("fclocal", "1"),
		kgo.DisableClientMetrics(),
		kgo.RetryBackoffFn(retryBackoff),
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
	c.topic = topic
	client, err := c.client()
	if err != nil {
		return 0, err
	}
	defer client.Close()
	metadata, err := c.bootstrap(ctx, client, topic)
	if err != nil {
		return 0, err
	}
	if err := c.reachable(ctx, metadata); err != nil {
		return 0, err
	}
	found := metadata.Topics[0]
	switch err := kerr.ErrorForCode(found.ErrorCode); {
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return 0, c.explain(err)
	case err != nil:
		return 0, c.explain(fmt.Errorf("topic %q: %w", topic, err))
	}
	return len(found.Partitions), nil
}

// bootstrap asks those brokers alone that the user has named: the addresses that they
// tell may be out of reach.
func (c Cluster) bootstrap(ctx context.Context, client *kgo.Client, topic string) (*kmsg.MetadataResponse, error) {
	ctx, stop := context.WithTimeout(ctx, dialTimeout)
	defer stop()
	request := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &topic
	request.Topics = append(request.Topics, asked)
	type answer struct {
		metadata *kmsg.MetadataResponse
		err      error
	}
	seeds := client.SeedBrokers()
	answers := make(chan answer, len(seeds))
	for _, seed := range seeds {
		go func() {
			response, err := seed.Request(ctx, request)
			metadata, is := response.(*kmsg.MetadataResponse)
			if err == nil && (!is || len(metadata.Topics) != 1) {
				err = errors.New("it answers with something else than was asked for")
			}
			answers <- answer{metadata, err}
		}()
	}
	var failure error
	for range seeds {
		a := <-answers
		if a.err == nil {
			return a.metadata, nil
		}
		failure = cmp.Or(failure, a.err)
	}
	if errors.Is(failure, context.DeadlineExceeded) {
		failure = fmt.Errorf("no answer within %v: %w", dialTimeout, failure)
	}
	return nil, c.explain(failure)
}

// retryBackoff is how long to wait before a try, of which the first is 1: a cluster that
// is back is to be found soon.
func retryBackoff(try int) time.Duration {
	return min(time.Second, 100*time.Millisecond<<min(try, 10))
}

// dialTimeout is how long an address that a broker tells may take to answer.
const dialTimeout = 5 * time.Second

// reachable tries the addresses that the cluster's brokers tell to clients: a broker
// in a container often tells one that only other containers know.
func (c Cluster) reachable(ctx context.Context, metadata *kmsg.MetadataResponse) error {
	for _, broker := range metadata.Brokers {
		address := net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port)))
		dialing, stop := context.WithTimeout(ctx, dialTimeout)
		connection, err := new(net.Dialer).DialContext(dialing, "tcp", address)
		if err != nil {
			stop()
			return fmt.Errorf("cluster at %s tells clients to connect to %s, which cannot be reached: set the broker's advertised.listeners to an address that this machine knows: %w",
				strings.Join(c.Brokers, ", "), address, err)
		}
		err = c.handshake(dialing, connection, broker.Host)
		stop()
		if err != nil {
			connection.Close()
			return c.explain(fmt.Errorf("broker %s: %w", address, err))
		}
		connection.Close()
	}
	return nil
}

// handshake makes sure that a broker's certificate is taken, if there is TLS.
func (c Cluster) handshake(ctx context.Context, connection net.Conn, host string) error {
	if c.TLS == nil {
		return nil
	}
	config := c.TLS.Clone()
	config.ServerName = cmp.Or(config.ServerName, host)
	return tls.Client(connection, config).HandshakeContext(ctx)
}

// explain adds where an error of the cluster is from and what to do about it.
func (c Cluster) explain(err error) error {
	about := "cluster at " + strings.Join(c.Brokers, ", ")
	if what := c.explainSecurity(err); what != "" {
		return fmt.Errorf("%s %s: %w", about, what, err)
	}
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("%s: create the topic, or name another: %w", about, err)
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return fmt.Errorf("%s does not let %s use consumer group %q: grant it READ on the group (on ApsaraMQ, create the group in the console), or name another by --group: %w",
			about, c.user(), c.group, err)
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return fmt.Errorf("%s does not let %s read topic %q: grant it READ and DESCRIBE on the topic: %w", about, c.user(), c.topic, err)
	case errors.Is(err, kerr.ClusterAuthorizationFailed):
		return fmt.Errorf("%s does not let %s do what a consumer does: %w", about, c.user(), err)
	}
	return fmt.Errorf("%s: %w", about, err)
}

func (c Cluster) user() string {
	if c.SASL != nil && c.SASL.User != "" {
		return fmt.Sprintf("user %q", c.SASL.User)
	}
	return "this client"
}

// explainSecurity says what an error of a connection means, "" if it is not about TLS
// or SASL.
func (c Cluster) explainSecurity(err error) string {
	certified := c.TLS != nil && len(c.TLS.Certificates) > 0
	_, unknownCA := errors.AsType[x509.UnknownAuthorityError](err)
	_, otherHost := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	refused := strings.Contains(err.Error(), "remote error: tls: ") // its type is not exported
	switch {
	case unknownCA:
		return "has a certificate of a CA that is not trusted: name the CA's file by --tls-ca, or in --kafka-config by ssl.truststore.location or ssl.ca.location"
	case otherHost:
		return "has a certificate for other hosts: connect to one of those, name one by --tls-server-name, or take any by ssl.endpoint.identification.algorithm= (empty) in --kafka-config"
	case invalid:
		return "has a certificate that is not valid"
	case noTLS:
		return "does not speak TLS at this port: leave TLS out, as by security.protocol PLAINTEXT or SASL_PLAINTEXT, or name another port"
	case refused && certified:
		return "does not take this client's certificate: it must be of a CA that the cluster trusts, and valid"
	case refused:
		return "wants a certificate of the client, or another version of TLS: give the certificate by --tls-cert and --tls-key, or in --kafka-config by ssl.keystore.location or ssl.certificate.location"
	case c.TLS == nil && strings.Contains(err.Error(), "speaking to a tls endpoint"): // it has no type
		return "speaks TLS at this port: give --tls or --tls-ca, or security.protocol SSL or SASL_SSL in --kafka-config"
	case c.SASL != nil && c.SASL.Token != nil && (errors.Is(err, kerr.SaslAuthenticationFailed) || strings.Contains(err.Error(), "unexpected data in oauth response")):
		return "refuses the token of SASL OAUTHBEARER: check that it is for this cluster and has not expired"
	case errors.Is(err, kerr.SaslAuthenticationFailed) && c.SASL != nil:
		return fmt.Sprintf("refuses user %q with SASL %s: check user and password", c.SASL.User, c.SASL.Mechanism)
	case errors.Is(err, kerr.UnsupportedSaslMechanism) && c.SASL != nil:
		return "does not take SASL " + c.SASL.Mechanism
	case errors.Is(err, io.EOF) && c.TLS != nil:
		return "closes the connection: check if it speaks TLS at this port, and if it wants SASL or another user and password"
	case errors.Is(err, io.EOF):
		return "closes the connection: check if it wants TLS, SASL or another user and password"
	}
	return ""
}
