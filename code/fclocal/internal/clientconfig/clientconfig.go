// Package clientconfig says how to reach a Kafka cluster: from the file of a Java client
// or of librdkafka, and from options, which come first.
package clientconfig

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fclocal/internal/files"
	"fclocal/internal/kafka"
	"fclocal/internal/option"
)

// The environment variables of secrets, which are in no list of processes.
const (
	PasswordVariable    = "FCLOCAL_SASL_PASSWORD"
	TokenVariable       = "FCLOCAL_SASL_TOKEN"
	KeyPasswordVariable = "FCLOCAL_TLS_KEY_PASSWORD"
)

// largest is the size that a file may have, in bytes, whatever it holds.
const largest = 1 << 20

// Options are how to reach a cluster.
type Options struct {
	File    string   // a client's configuration; "": none
	Brokers []string // HOST:PORT

	TLS        bool
	CA         string // file of certificates in PEM; "": the system's
	Cert, Key  string // files in PEM of the client's certificate, if it has one
	ServerName string // that the cluster's certificates must be for; "": the host's

	Mechanism string // of SASL; "": none
	User      string
	TokenFile string // is read for each connection, as another program may renew the token

	Timeout time.Duration // how long the cluster may be away
}

var mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}

// AddTo adds the options to a command.
func (o *Options) AddTo(command *cobra.Command) {
	flags := command.Flags()
	flags.StringSliceVar(&o.Brokers, "brokers", nil, "use the Kafka cluster at `HOST:PORT,...`")
	flags.StringVar(&o.File, "kafka-config", "", "connect as the client.properties or librdkafka `FILE` says; options come first")
	flags.BoolVar(&o.TLS, "tls", false, "connect with TLS, as the other --tls-... do")
	flags.StringVar(&o.CA, "tls-ca", "", "trust the CAs in the PEM `FILE` in place of the system's")
	flags.StringVar(&o.Cert, "tls-cert", "", "PEM `FILE` of the client's certificate")
	flags.StringVar(&o.Key, "tls-key", "", "PEM `FILE` of its private key, whose password is in $"+KeyPasswordVariable)
	flags.StringVar(&o.ServerName, "tls-server-name", "", "the cluster's certificates are for `NAME`")
	flags.StringVar(&o.Mechanism, "sasl-mechanism", "", "`MECHANISM` of SASL: "+strings.Join(mechanisms, ", ")+"; password or token is in $"+PasswordVariable+" or $"+TokenVariable)
	flags.StringVar(&o.User, "sasl-user", "", "`USER` of SASL")
	flags.StringVar(&o.TokenFile, "sasl-token-file", "", "`FILE` with the token of OAUTHBEARER")
	flags.DurationVar(&o.Timeout, "broker-timeout", kafka.DefaultBrokerTimeout, "give up when --brokers have been away for `D`")
	command.RegisterFlagCompletionFunc("sasl-mechanism", cobra.FixedCompletions(mechanisms, cobra.ShellCompDirectiveNoFileComp))
}

// Check finds options that do not go together.
func (o Options) Check() error {
	return option.Check(
		option.Not(!o.Given() && o.secured(), "--tls... and --sasl-... are for --brokers or --kafka-config"),
		option.Not(o.File == "" && o.Mechanism == "" && (o.User != "" || o.TokenFile != ""), "--sasl-user and --sasl-token-file need --sasl-mechanism"),
		option.Not(!o.Given() && o.Timeout != kafka.DefaultBrokerTimeout, "--broker-timeout is for --brokers"),
		option.Between("--broker-timeout", o.Timeout, time.Second, 24*time.Hour),
	)
}

// Given says whether there is a cluster to reach.
func (o Options) Given() bool { return o.File != "" || len(o.Brokers) > 0 }

// secured says whether one of the options for TLS or SASL is set.
func (o Options) secured() bool {
	return o.TLS || o.CA != "" || o.Cert != "" || o.Key != "" || o.ServerName != "" || o.Mechanism != "" || o.User != "" || o.TokenFile != ""
}

// Cluster reads the files. Notes tell, a sentence each, what of File has no effect, and
// what is not safe. An error says which line or option is wrong, and shows no secret.
func (o Options) Cluster() (cluster kafka.Cluster, notes []string, err error) {
	c := &configuration{Options: o, settings: make(map[string]setting)}
	if o.File != "" {
		if err := c.read(); err != nil {
			return cluster, nil, err
		}
	}
	cluster.ClientID = c.value("client.id")
	cluster.Brokers = o.Brokers
	if len(cluster.Brokers) == 0 {
		brokers := c.first("bootstrap.servers", "metadata.broker.list")
		for broker := range strings.SplitSeq(brokers.value, ",") {
			if _, after, found := strings.Cut(broker, "://"); found { // Java passes a protocol over
				broker = after
			}
			if broker = strings.TrimSpace(broker); broker != "" {
				cluster.Brokers = append(cluster.Brokers, broker)
			}
		}
		if len(cluster.Brokers) == 0 {
			return cluster, nil, fmt.Errorf("%s: bootstrap.servers is missing: write it there, or give --brokers", o.File)
		}
	}
	secured, authenticated, err := c.protocol()
	if err != nil {
		return cluster, nil, err
	}
	if secured {
		if cluster.TLS, err = c.tls(); err != nil {
			return cluster, nil, err
		}
	}
	if authenticated {
		if cluster.SASL, err = c.sasl(); err != nil {
			return cluster, nil, err
		}
	}
	return cluster, c.notes, nil
}

// A setting is a key's value, and where it is from.
type setting struct {
	value string
	at    string // FILE:LINE: KEY; "" if the key is not there
}

func (s setting) is() bool { return s.at != "" }

// errorf says what the value is, or needs.
func (s setting) errorf(format string, arguments ...any) error {
	return fmt.Errorf("%s "+format, append([]any{s.at}, arguments...)...)
}

type configuration struct {
	Options
	settings map[string]setting
	notes    []string
}

// supported are the keys that say something here.
var supported = map[string]bool{
	"bootstrap.servers": true, "metadata.broker.list": true, "client.id": true, "security.protocol": true,
	"sasl.mechanism": true, "sasl.mechanisms": true, "sasl.jaas.config": true, "java.security.auth.login.config": true,
	"sasl.username": true, "sasl.password": true, "sasl.oauthbearer.token.endpoint.url": true,
	"ssl.truststore.type": true, "ssl.truststore.location": true, "ssl.truststore.password": true, "ssl.truststore.certificates": true,
	"ssl.keystore.type": true, "ssl.keystore.location": true, "ssl.keystore.password": true,
	"ssl.keystore.certificate.chain": true, "ssl.keystore.key": true, "ssl.key.password": true,
	"ssl.ca.location": true, "ssl.ca.pem": true, "ssl.certificate.location": true, "ssl.certificate.pem": true,
	"ssl.key.location": true, "ssl.key.pem": true, "ssl.enabled.protocols": true,
	"ssl.endpoint.identification.algorithm": true, "enable.ssl.certificate.verification": true,
}

// harmless are beginnings of keys that belong to security, and change nothing here:
// how Java looks for what it needs, and how it renews what is read anew here.
var harmless = []string{
	"ssl.protocol", "ssl.trustmanager.algorithm", "ssl.keymanager.algorithm", "ssl.secure.random.implementation",
	"sasl.login.refresh.", "sasl.login.retry.", "sasl.login.connect.timeout.ms", "sasl.login.read.timeout.ms",
	"sasl.kerberos.", "sasl.oauthbearer.", "sasl.login.callback.handler.class",
}

// keysShown is how many ignored keys are told.
const keysShown = 20

// read takes the settings from the file. Keys that change security in a way that is not
// supported are an error; other unknown ones are told.
func (c *configuration) read() error {
	content, err := files.Read(c.File, largest)
	if err != nil {
		return err
	}
	properties, err := parseProperties(strings.TrimPrefix(string(content), "\ufeff"))
	if err != nil {
		return fmt.Errorf("%s:%w", c.File, err)
	}
	ignored := make(map[string]bool)
	for _, p := range properties {
		at := fmt.Sprintf("%s:%d: %q", c.File, p.line, p.key)
		switch {
		case supported[p.key]:
			at = fmt.Sprintf("%s:%d: %s", c.File, p.line, p.key)
			if strings.HasPrefix(p.value, "${") {
				return fmt.Errorf("%s: values from elsewhere, as ${…}, are not supported: write the value itself", at)
			}
			c.settings[p.key] = setting{p.value, at}
		case hasPrefix(p.key, harmless...) || !hasPrefix(p.key, "ssl.", "sasl.", "security.", "enable.sasl.", "enable.ssl.", "config.providers"):
			if p.key == "group.id" {
				p.key += " (--group names the group)"
			}
			ignored[p.key] = true
		default:
			return fmt.Errorf("%s is not supported, and ignoring it could make the connection another one; remove the line", at)
		}
	}
	if len(ignored) > 0 {
		keys := sortedKeys(ignored)
		more := ""
		if len(keys) > keysShown {
			more = fmt.Sprintf(" and %d others", len(keys)-keysShown)
			keys = keys[:keysShown]
		}
		c.notes = append(c.notes, fmt.Sprintf("%s: these say nothing here: %s%s", c.File, strings.Join(keys, ", "), more))
	}
	return nil
}

func hasPrefix(key string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// first returns the first of the keys that is there and not empty.
func (c *configuration) first(keys ...string) setting {
	for _, key := range keys {
		if s := c.settings[key]; s.value != "" {
			return s
		}
	}
	return setting{}
}

// value is a key's, without the blanks around it, as Kafka takes all but passwords.
func (c *configuration) value(key string) string { return strings.TrimSpace(c.settings[key].value) }

// protocol tells if there is TLS, and SASL.
func (c *configuration) protocol() (secured, authenticated bool, err error) {
	flagTLS := c.TLS || c.CA != "" || c.Cert != "" || c.Key != "" || c.ServerName != ""
	flagSASL := c.Mechanism != ""
	s := c.settings["security.protocol"]
	if !s.is() {
		// Java takes PLAINTEXT, which is not what such a file is for.
		if s := c.first("sasl.mechanism", "sasl.mechanisms", "sasl.jaas.config", "sasl.username", "java.security.auth.login.config"); s.is() && !flagSASL {
			return false, false, s.errorf("needs security.protocol, which is missing: SASL_SSL or SASL_PLAINTEXT")
		}
		if s := c.first("ssl.truststore.location", "ssl.truststore.certificates", "ssl.ca.location", "ssl.ca.pem", "ssl.keystore.location"); s.is() && !flagTLS {
			return false, false, s.errorf("needs security.protocol, which is missing: SSL or SASL_SSL")
		}
		return flagTLS, flagSASL, nil
	}
	switch strings.ToUpper(strings.TrimSpace(s.value)) {
	case "PLAINTEXT":
	case "SSL":
		secured = true
	case "SASL_PLAINTEXT":
		authenticated = true
	case "SASL_SSL":
		secured, authenticated = true, true
	default:
		return false, false, s.errorf("is %q; it must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", s.value)
	}
	return secured || flagTLS, authenticated || flagSASL, nil
}

// sasl is who the client is.
func (c *configuration) sasl() (*kafka.SASL, error) {
	s := c.first("sasl.mechanism", "sasl.mechanisms")
	if c.Mechanism != "" {
		s = setting{c.Mechanism, "--sasl-mechanism"}
	}
	sasl := &kafka.SASL{Mechanism: strings.TrimSpace(s.value)}
	switch sasl.Mechanism {
	case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
		return sasl, c.user(sasl)
	case "OAUTHBEARER":
		return sasl, c.token(sasl)
	case "":
		return nil, fmt.Errorf("%s: sasl.mechanism is missing: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", c.File)
	}
	return nil, s.errorf("is %q; it must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", sasl.Mechanism)
}

// user sets user and password: from the option and the environment, the keys of
// librdkafka, sasl.jaas.config, or the JAAS file that it stands in for.
func (c *configuration) user(sasl *kafka.SASL) error {
	source := c.first("sasl.username", "sasl.jaas.config", "java.security.auth.login.config")
	switch source {
	case setting{}:
	case c.settings["sasl.username"]:
		sasl.User, sasl.Password = source.value, c.settings["sasl.password"].value
	default:
		l, err := c.login(source)
		if err != nil {
			return fmt.Errorf("%s: %w", source.at, err)
		}
		sasl.User, sasl.Password = l.options["username"], l.options["password"]
	}
	if c.User != "" {
		if c.User != sasl.User {
			sasl.Password = ""
		}
		sasl.User = c.User
		if password := os.Getenv(PasswordVariable); password != "" {
			sasl.Password = password
		}
	}
	if sasl.Password == "" {
		sasl.Password = os.Getenv(PasswordVariable)
	}
	switch {
	case sasl.User == "":
		return fmt.Errorf("SASL %s needs a user: --sasl-user, or in --kafka-config sasl.jaas.config or sasl.username", sasl.Mechanism)
	case sasl.Password == "":
		return fmt.Errorf("SASL %s needs a password in the environment variable %s, or in --kafka-config", sasl.Mechanism, PasswordVariable)
	}
	return nil
}

// login is what sasl.jaas.config holds, or the file that it stands in for.
func (c *configuration) login(source setting) (login, error) {
	entry := source.value
	if source == c.settings["java.security.auth.login.config"] {
		content, err := readText(source)
		if err == nil {
			entry, err = kafkaClient(content)
		}
		if err != nil {
			return login{}, err
		}
	}
	return parseJAAS(entry)
}

// token has the token read when it is needed.
func (c *configuration) token(sasl *kafka.SASL) error {
	file := c.TokenFile
	if endpoint := c.settings["sasl.oauthbearer.token.endpoint.url"]; file == "" {
		file, _ = strings.CutPrefix(endpoint.value, "file:")
		if file == endpoint.value { // a server, which is not asked
			file = ""
		}
		file = strings.TrimPrefix(file, "//")
	}
	read := func() (string, error) {
		content, err := files.Read(file, largest)
		if token := strings.TrimSpace(string(content)); token != "" || err != nil {
			return token, err
		}
		return "", fmt.Errorf("%s: there is no token in it", file)
	}
	if token := os.Getenv(TokenVariable); file == "" && token != "" {
		read = func() (string, error) { return token, nil }
	} else if file == "" {
		return fmt.Errorf("SASL OAUTHBEARER needs a token, in the environment variable %s or in a file that --sasl-token-file names; fclocal gets none from a server", TokenVariable)
	}
	if _, err := read(); err != nil {
		return err
	}
	sasl.Token = read
	return nil
}

// tls is what the cluster must show, and what the client does.
func (c *configuration) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if err := c.versions(config); err != nil {
		return nil, err
	}
	authorities, err := c.authorities()
	if err != nil {
		return nil, err
	}
	if authorities != nil {
		config.RootCAs = x509.NewCertPool()
		for _, certificate := range authorities {
			config.RootCAs.AddCert(certificate)
		}
	}
	if certificate, err := c.certificate(); err != nil {
		return nil, err
	} else if certificate != nil {
		config.Certificates = []tls.Certificate{*certificate}
	}
	return config, c.checks(config)
}

// versions keeps to those that are allowed, by ssl.enabled.protocols.
func (c *configuration) versions(config *tls.Config) error {
	s := c.settings["ssl.enabled.protocols"]
	if strings.TrimSpace(s.value) == "" {
		return nil
	}
	config.MinVersion = 0
	known := map[string]uint16{"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}
	for name := range strings.SplitSeq(s.value, ",") {
		version := known[strings.TrimSpace(name)]
		if version == 0 {
			return s.errorf("is %q; it must be some of %s", s.value, strings.Join(sortedKeys(known), ", "))
		}
		if config.MinVersion == 0 || version < config.MinVersion {
			config.MinVersion = version
		}
		config.MaxVersion = max(config.MaxVersion, version)
	}
	return nil
}

// authorities are the certificates of CAs that are trusted; nil: the system's.
func (c *configuration) authorities() ([]*x509.Certificate, error) {
	s := c.first("ssl.truststore.certificates", "ssl.truststore.location", "ssl.ca.pem", "ssl.ca.location")
	if c.CA != "" {
		s = setting{c.CA, "--tls-ca"}
	}
	var certificates []*x509.Certificate
	var err error
	switch s {
	case setting{}:
		return nil, nil
	case c.settings["ssl.truststore.certificates"], c.settings["ssl.ca.pem"]:
		certificates, err = pemCertificates(s.value)
	case c.settings["ssl.truststore.location"]:
		var content []byte
		if content, err = c.store("ssl.truststore", s); err == nil {
			certificates, err = trusted(content, c.settings["ssl.truststore.password"].value)
		}
	default:
		if s.at != "--tls-ca" && strings.TrimSpace(s.value) == "probe" { // librdkafka looks for the system's
			return nil, nil
		}
		certificates, err = readCertificates(s)
	}
	if err != nil {
		return nil, where(s, err)
	}
	return certificates, nil
}

// where says which file, or line, an error is of.
func where(s setting, err error) error {
	if strings.Contains(s.value, "-----BEGIN ") {
		return fmt.Errorf("%s: %w", s.at, err)
	}
	return fmt.Errorf("%s %s: %w", s.at, strings.TrimSpace(s.value), withoutPath(err))
}

// withoutPath is the error of a file whose name has been said.
func withoutPath(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

func readText(s setting) (string, error) {
	content, err := files.Read(strings.TrimSpace(s.value), largest)
	return string(content), err
}

func readCertificates(s setting) ([]*x509.Certificate, error) {
	content, err := readText(s)
	if err != nil {
		return nil, err
	}
	return pemCertificates(content)
}

// store reads a trust store or key store.
func (c *configuration) store(name string, location setting) ([]byte, error) {
	if kind := c.settings[name+".type"]; kind.is() {
		switch strings.ToUpper(strings.TrimSpace(kind.value)) {
		case "JKS", "PKCS12", "PEM", "": // what it is in truth is told by the file, as in Java
		default:
			return nil, fmt.Errorf("its type is %q; it must be PEM, PKCS12 or JKS", kind.value)
		}
	}
	return files.Read(strings.TrimSpace(location.value), largest)
}

// certificate is the client's own; nil if it has none.
func (c *configuration) certificate() (*tls.Certificate, error) {
	if (c.Cert == "") != (c.Key == "") {
		return nil, errors.New("--tls-cert and --tls-key go together: the client's certificate, and its private key")
	}
	password := c.settings["ssl.key.password"].value
	if password == "" {
		password = os.Getenv(KeyPasswordVariable)
	}
	chain := c.first("ssl.keystore.certificate.chain", "ssl.certificate.pem", "ssl.certificate.location")
	key := c.first("ssl.keystore.key", "ssl.key.pem", "ssl.key.location")
	if c.Cert != "" {
		chain, key = setting{c.Cert, "--tls-cert"}, setting{c.Key, "--tls-key"}
	}
	if location := c.first("ssl.keystore.location"); location.is() && c.Cert == "" {
		content, err := c.store("ssl.keystore", location)
		var certificate tls.Certificate
		if err == nil {
			certificate, err = keyStore(content, c.settings["ssl.keystore.password"].value, password)
		}
		if err != nil {
			return nil, where(location, err)
		}
		return &certificate, nil
	}
	switch {
	case !chain.is() && !key.is():
		return nil, nil
	case !chain.is():
		return nil, key.errorf("needs the certificate of the key, too: ssl.keystore.certificate.chain or ssl.certificate.location")
	case !key.is():
		return nil, chain.errorf("needs the certificate's private key, too: ssl.keystore.key or ssl.key.location")
	}
	text := func(s setting) (string, error) {
		if strings.Contains(s.value, "-----BEGIN ") {
			return s.value, nil
		}
		return readText(s)
	}
	content, err := text(chain)
	var certificates []*x509.Certificate
	if err == nil {
		certificates, err = pemCertificates(content)
	}
	if err != nil {
		return nil, where(chain, err)
	}
	var private any
	if content, err = text(key); err == nil {
		private, err = pemKey(content, password)
	}
	var certificate tls.Certificate
	if err == nil {
		certificate, err = clientCertificate(private, certificates)
	}
	if err != nil {
		return nil, where(key, err)
	}
	return &certificate, nil
}

// checks says what is checked of the cluster's certificates.
func (c *configuration) checks(config *tls.Config) error {
	if s := c.settings["enable.ssl.certificate.verification"]; s.is() {
		switch strings.ToLower(strings.TrimSpace(s.value)) {
		case "true", "":
		case "false":
			config.InsecureSkipVerify = true
			c.notes = append(c.notes, s.at+" is false: whoever stands between can read and change what is sent, the password too")
			return nil
		default:
			return s.errorf("is %q; it must be true or false", s.value)
		}
	}
	s := c.settings["ssl.endpoint.identification.algorithm"]
	switch algorithm := strings.ToLower(strings.TrimSpace(s.value)); {
	case !s.is() || algorithm == "https" || c.ServerName != "":
	case algorithm == "" || algorithm == "none":
		// For any host, the certificate must still be of a CA that is trusted.
		config.InsecureSkipVerify = true
		roots := config.RootCAs
		config.VerifyConnection = func(state tls.ConnectionState) error {
			options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
			for _, certificate := range state.PeerCertificates[1:] {
				options.Intermediates.AddCert(certificate)
			}
			_, err := state.PeerCertificates[0].Verify(options)
			return err
		}
	default:
		return s.errorf("is %q; it must be https, or empty to take a certificate of any host", s.value)
	}
	return nil
}
