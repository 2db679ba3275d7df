package clientconfig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// write makes a file of the test's own and returns its name.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkError compares an error's text with want, in which FILE stands for the file; ""
// is none.
func checkError(t testing.TB, err error, file, want string) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if file != "" {
		text = strings.ReplaceAll(text, file, "FILE")
	}
	if text != want {
		t.Errorf("error:\n%s\nwant:\n%s", text, want)
	}
}

// A pair is a certificate with its key.
type pair struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue makes a certificate that the parent signs; without one it is a CA.
func issue(t testing.TB, name string, parent *pair) *pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: parent == nil, BasicConstraintsValid: true,
	}
	if parent == nil {
		parent = &pair{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.certificate, key.Public(), parent.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{certificate, key}
}

func (p *pair) certificatePEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Raw}))
}

func (p *pair) keyPEM(t testing.TB, password string) string {
	t.Helper()
	kind, der := "PRIVATE KEY", []byte(nil)
	var err error
	if password == "" {
		der, err = x509.MarshalPKCS8PrivateKey(p.key)
	} else {
		kind = "ENCRYPTED PRIVATE KEY"
		der, err = pkcs8.MarshalPrivateKey(p.key, []byte(password), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// handshake connects as the configuration says to a server with the certificate, which
// wants one of the client's if there is a CA for it.
func handshake(t testing.TB, client *tls.Config, server *pair, clientCA *pair) error {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{server.certificate.Raw}, PrivateKey: server.key}}}
	if clientCA != nil {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		config.ClientCAs.AddCert(clientCA.certificate)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		connection, err := tls.NewListener(listener, config).Accept()
		if err != nil {
			return
		}
		connection.Write([]byte("x"))
		connection.Read(make([]byte, 1)) // until the client has gone
		connection.Close()
	}()
	if client.ServerName == "" {
		client = client.Clone()
		client.ServerName = "broker"
	}
	connection, err := tls.Dial("tcp", listener.Addr().String(), client)
	if err == nil {
		_, err = connection.Read(make([]byte, 1)) // the end of TLS 1.3's handshake is not enough
		connection.Close()
	}
	<-ended
	listener.Close()
	return err
}

// What people have in their files, and what becomes of it.
func TestCluster(t *testing.T) {
	ca := issue(t, "ca", nil)
	client := issue(t, "client", ca)
	caFile := write(t, "ca.pem", "Owner: CN=ca\n"+ca.certificatePEM())
	joined := func(text string) string { return strings.ReplaceAll(text, "\n", ` \`+"\n  ") }
	keyStore, err := pkcs12.Modern.Encode(client.key, client.certificate, []*x509.Certificate{ca.certificate}, "storesecret")
	if err != nil {
		t.Fatal(err)
	}
	keyStoreFile := write(t, "client.keystore.jks", string(keyStore)) // Java takes PKCS12 whatever its name
	trustStore, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca.certificate}, "trustsecret")
	if err != nil {
		t.Fatal(err)
	}
	trustStoreFile := write(t, "trust.p12", string(trustStore))
	jaas := write(t, "jaas.conf", `KafkaClient {
  org.apache.kafka.common.security.plain.PlainLoginModule required
  username="alikafka_pre-cn-1" password="pa;ss}";
};
`)
	type want struct {
		brokers               string // the first and the last
		mechanism, user, pass string
		server                bool // a TLS server of the CA, for the host broker, is taken
		otherHost             bool // one for another host, too
		otherCA               bool // one of another CA, too
		certificate           bool // the client has one that the CA has signed
		notes                 []string
	}
	tests := map[string]struct {
		file    string
		options Options
		want    want
	}{
		"plain": {"bootstrap.servers=PLAINTEXT://a:1, b:2,\n", Options{}, want{brokers: "a:1 b:2"}},
		"ApsaraMQ": {`# Internet
bootstrap.servers = broker:9093
security.protocol : SASL_SSL
sasl.mechanism PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="alikafka_pre-cn-1" \
    password='p\\"\u00e4=;s#';
ssl.truststore.location=` + trustStoreFile + `
ssl.truststore.password=trustsecret
ssl.endpoint.identification.algorithm=
group.id=production
acks=all
`, Options{}, want{brokers: "broker:9093 broker:9093", mechanism: "PLAIN", user: "alikafka_pre-cn-1", pass: `p"ä=;s#`, server: true, otherHost: true,
			notes: []string{"FILE: these say nothing here: acks, group.id (--group names the group)"}}},
		"a JAAS file": {"bootstrap.servers=broker:1\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\njava.security.auth.login.config=" + jaas,
			Options{}, want{brokers: "broker:1 broker:1", mechanism: "SCRAM-SHA-256", user: "alikafka_pre-cn-1", pass: "pa;ss}"}},
		"librdkafka": {"metadata.broker.list=broker:1\r\nsecurity.protocol=sasl_ssl\r\nsasl.mechanisms=PLAIN\r\nsasl.username=u\r\nsasl.password=C:\\new=x\r\nssl.ca.location=" + caFile + "\r\n",
			Options{}, want{brokers: "broker:1 broker:1", mechanism: "PLAIN", user: "u", pass: `C:\new=x`, server: true}},
		"librdkafka with a certificate": {"bootstrap.servers=broker:1\nsecurity.protocol=ssl\nssl.ca.pem=" + strings.ReplaceAll(ca.certificatePEM(), "\n", " ") +
			"\nssl.certificate.location=" + write(t, "c.pem", client.certificatePEM()) + "\nssl.key.location=" + write(t, "k.pem", client.keyPEM(t, "")),
			Options{}, want{brokers: "broker:1 broker:1", server: true, certificate: true}},
		"PEM in the file": {"bootstrap.servers=broker:1\nsecurity.protocol=SSL\nssl.truststore.type=PEM\nssl.keystore.type=PEM\nssl.key.password=keysecret" +
			"\nssl.truststore.certificates=" + joined(ca.certificatePEM()) + "\nssl.keystore.certificate.chain=" + joined(client.certificatePEM()) + "\nssl.keystore.key=" + joined(client.keyPEM(t, "keysecret")),
			Options{}, want{brokers: "broker:1 broker:1", server: true, certificate: true}},
		"PEM stores": {"bootstrap.servers=broker:1\nsecurity.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=" + caFile +
			"\nssl.keystore.type=PEM\nssl.keystore.location=" + write(t, "both.pem", client.keyPEM(t, "")+client.certificatePEM()),
			Options{}, want{brokers: "broker:1 broker:1", server: true, certificate: true}},
		"PKCS12 stores": {"bootstrap.servers=broker:1\nsecurity.protocol=SSL\nssl.truststore.type=PKCS12\nssl.truststore.password=trustsecret\nssl.truststore.location=" + trustStoreFile +
			"\nssl.keystore.location=" + keyStoreFile + "\nssl.keystore.password=storesecret\nssl.key.password=storesecret\nssl.enabled.protocols=TLSv1.2,TLSv1.3",
			Options{}, want{brokers: "broker:1 broker:1", server: true, certificate: true}},
		"not checked": {"bootstrap.servers=broker:1\nsecurity.protocol=SSL\nenable.ssl.certificate.verification=false", Options{},
			want{brokers: "broker:1 broker:1", server: true, otherHost: true, otherCA: true,
				notes: []string{"FILE:3: enable.ssl.certificate.verification is false: whoever stands between can read and change what is sent, the password too"}}},
		"options come first": {"bootstrap.servers=broker:1\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=u\nsasl.password=p\nssl.ca.location=/nowhere\nssl.keystore.location=/nowhere",
			Options{Brokers: []string{"other:2"}, CA: caFile, Cert: write(t, "c.pem", client.certificatePEM()), Key: write(t, "k.pem", client.keyPEM(t, "")), Mechanism: "SCRAM-SHA-512", User: "u"},
			want{brokers: "other:2 other:2", mechanism: "SCRAM-SHA-512", user: "u", pass: "p", server: true, certificate: true}},
		"no file": {"", Options{Brokers: []string{"broker:1"}, CA: caFile, ServerName: "broker"}, want{brokers: "broker:1 broker:1", server: true}},
	}
	server, otherHost, otherCA := issue(t, "broker", ca), issue(t, "kafka.test", ca), issue(t, "broker", issue(t, "another ca", nil))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			options := test.options
			if test.file != "" {
				options.File = write(t, "client.properties", test.file)
			}
			cluster, notes, err := options.Cluster()
			if err != nil {
				t.Fatal(err)
			}
			got := want{brokers: cluster.Brokers[0] + " " + cluster.Brokers[len(cluster.Brokers)-1]}
			if cluster.SASL != nil {
				got.mechanism, got.user, got.pass = cluster.SASL.Mechanism, cluster.SASL.User, cluster.SASL.Password
			}
			if cluster.TLS != nil {
				got.server = handshake(t, cluster.TLS, server, nil) == nil
				got.otherHost = handshake(t, cluster.TLS, otherHost, nil) == nil
				got.otherCA = handshake(t, cluster.TLS, otherCA, nil) == nil
				got.certificate = handshake(t, cluster.TLS, server, ca) == nil
			}
			for _, note := range notes {
				got.notes = append(got.notes, strings.ReplaceAll(note, options.File, "FILE"))
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Trust stores that keytool has made.
func TestJavaTrustStores(t *testing.T) {
	for _, name := range []string{"trust.jks", "trust.p12"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		certificates, err := trusted(content, "KafkaOnsClient")
		if err != nil || len(certificates) != 1 || certificates[0].Subject.CommonName != "fclocal test CA" {
			t.Errorf("%s: %v, %v", name, certificates, err)
		}
		_, err = trusted(content, "wrong")
		checkError(t, err, "", "the password is wrong")
	}
	jks, _ := os.ReadFile("testdata/trust.jks")
	if certificates, err := trusted(jks, ""); err != nil || len(certificates) != 1 { // as Java takes it
		t.Errorf("without a password: %v, %v", certificates, err)
	}
}

func TestClusterErrors(t *testing.T) {
	ca, other := issue(t, "ca", nil), issue(t, "other", nil)
	caFile, keyFile := write(t, "ca.pem", ca.certificatePEM()), write(t, "key.pem", other.keyPEM(t, "keysecret"))
	keyStore, err := pkcs12.Modern.Encode(other.key, other.certificate, nil, "storesecret")
	if err != nil {
		t.Fatal(err)
	}
	storeFile := write(t, "store.p12", string(keyStore))
	const begin = "bootstrap.servers=broker:1\nsecurity.protocol="
	tests := map[string]struct {
		file    string
		options Options
		err     string
	}{
		"no brokers":          {"acks=all", Options{}, "FILE: bootstrap.servers is missing: write it there, or give --brokers"},
		"protocol":            {begin + "SASL", Options{}, `FILE:2: security.protocol is "SASL"; it must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL`},
		"SASL, no protocol":   {"bootstrap.servers=b:1\nsasl.mechanism=PLAIN", Options{}, "FILE:2: sasl.mechanism needs security.protocol, which is missing: SASL_SSL or SASL_PLAINTEXT"},
		"TLS, no protocol":    {"bootstrap.servers=b:1\nssl.ca.location=x", Options{}, "FILE:2: ssl.ca.location needs security.protocol, which is missing: SSL or SASL_SSL"},
		"mechanism":           {begin + "SASL_SSL\nsasl.mechanism=GSSAPI", Options{}, `FILE:3: sasl.mechanism is "GSSAPI"; it must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER`},
		"no mechanism":        {begin + "SASL_PLAINTEXT", Options{}, "FILE: sasl.mechanism is missing: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"},
		"no user":             {begin + "SASL_PLAINTEXT\nsasl.mechanism=PLAIN", Options{}, "SASL PLAIN needs a user: --sasl-user, or in --kafka-config sasl.jaas.config or sasl.username"},
		"no password":         {begin + "SASL_PLAINTEXT\nsasl.mechanisms=PLAIN\nsasl.username=u", Options{}, "SASL PLAIN needs a password in the environment variable FCLOCAL_SASL_PASSWORD, or in --kafka-config"},
		"another user":        {begin + "SASL_PLAINTEXT\nsasl.mechanisms=PLAIN\nsasl.username=u\nsasl.password=hush", Options{User: "v"}, "SASL PLAIN needs a password in the environment variable FCLOCAL_SASL_PASSWORD, or in --kafka-config"},
		"no token":            {begin + "SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER", Options{}, "SASL OAUTHBEARER needs a token, in the environment variable FCLOCAL_SASL_TOKEN or in a file that --sasl-token-file names; fclocal gets none from a server"},
		"JAAS":                {begin + "SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required username=u password=\"hush", Options{}, `FILE:4: sasl.jaas.config: it must be one login module, as org.apache.kafka.common.security.plain.PlainLoginModule required username="…" password="…";`},
		"JAAS file":           {begin + "SASL_PLAINTEXT\nsasl.mechanism=PLAIN\njava.security.auth.login.config=" + caFile, Options{}, "FILE:4: java.security.auth.login.config: it has no section KafkaClient { … };"},
		"not supported":       {begin + "SSL\nssl.engine.factory.class=x", Options{}, `FILE:3: "ssl.engine.factory.class" is not supported, and ignoring it could make the connection another one; remove the line`},
		"from elsewhere":      {begin + "SASL_SSL\nsasl.jaas.config=${env:JAAS}", Options{}, "FILE:3: sasl.jaas.config: values from elsewhere, as ${…}, are not supported: write the value itself"},
		"escape":              {begin + "SSL\n\nssl.truststore.location=C:\\users\\x", Options{}, `FILE:4: \u must be followed by four hexadecimal digits; a backslash itself is written \\`},
		"algorithm":           {begin + "SSL\nssl.endpoint.identification.algorithm=ftp", Options{}, `FILE:3: ssl.endpoint.identification.algorithm is "ftp"; it must be https, or empty to take a certificate of any host`},
		"verification":        {begin + "SSL\nenable.ssl.certificate.verification=no", Options{}, `FILE:3: enable.ssl.certificate.verification is "no"; it must be true or false`},
		"versions":            {begin + "SSL\nssl.enabled.protocols=SSLv3", Options{}, `FILE:3: ssl.enabled.protocols is "SSLv3"; it must be some of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3`},
		"no CA file":          {begin + "SSL\nssl.ca.location=/nowhere/ca.pem", Options{}, "FILE:3: ssl.ca.location /nowhere/ca.pem: no such file or directory"},
		"no certificate":      {begin + "SSL\nssl.ca.location=" + keyFile, Options{}, "FILE:3: ssl.ca.location " + keyFile + ": there is no certificate in it: it must hold one in PEM, which begins with -----BEGIN CERTIFICATE-----"},
		"PEM cut off":         {begin + "SSL\nssl.ca.pem=-----BEGIN CERTIFICATE----- hush", Options{}, "FILE:3: ssl.ca.pem: a PEM block has no end"},
		"no key":              {begin + "SSL\nssl.certificate.location=" + caFile, Options{}, "FILE:3: ssl.certificate.location needs the certificate's private key, too: ssl.keystore.key or ssl.key.location"},
		"another key":         {begin + "SSL\nssl.certificate.location=" + caFile + "\nssl.key.password=keysecret\nssl.key.location=" + keyFile, Options{}, "FILE:5: ssl.key.location " + keyFile + ": the private key is not that of the (first) certificate"},
		"key's password":      {begin + "SSL\nssl.certificate.location=" + caFile + "\nssl.key.password=hush\nssl.key.location=" + keyFile, Options{}, "FILE:5: ssl.key.location " + keyFile + ": the private key cannot be read: its password is wrong, or its encryption is an old one, in which case openssl pkcs8 -topk8 -in OLD -out NEW writes it anew"},
		"no key password":     {begin + "SSL\nssl.certificate.location=" + caFile + "\nssl.key.location=" + keyFile, Options{}, "FILE:4: ssl.key.location " + keyFile + ": the private key cannot be read: it is encrypted: put its password into ssl.key.password of a --kafka-config, or the environment variable FCLOCAL_TLS_KEY_PASSWORD"},
		"store's password":    {begin + "SSL\nssl.keystore.password=hush\nssl.keystore.location=" + storeFile, Options{}, "FILE:4: ssl.keystore.location " + storeFile + ": the password is wrong"},
		"key store to trust":  {begin + "SSL\nssl.truststore.password=storesecret\nssl.truststore.location=" + storeFile, Options{}, "FILE:4: ssl.truststore.location " + storeFile + ": pkcs12: expected exactly 1 items in the authenticated safe, but this file has 2; keytool -importcert -storetype PKCS12 -file CA -keystore NEW makes a trust store, and a file in PEM is taken, too"},
		"key store in JKS":    {begin + "SSL\nssl.keystore.location=testdata/trust.jks", Options{}, "FILE:3: ssl.keystore.location testdata/trust.jks: a private key in JKS is not supported: keytool -importkeystore -srckeystore OLD -destkeystore NEW -deststoretype PKCS12 makes a key store that is"},
		"store's type":        {begin + "SSL\nssl.truststore.type=BCFKS\nssl.truststore.location=" + storeFile, Options{}, "FILE:4: ssl.truststore.location " + storeFile + `: its type is "BCFKS"; it must be PEM, PKCS12 or JKS`},
		"no store":            {begin + "SSL\nssl.truststore.location=" + write(t, "x", "hush"), Options{}, "FILE:3: ssl.truststore.location STORE: it is neither PEM nor PKCS12 nor JKS"},
		"certificate, no key": {"", Options{Brokers: []string{"b:1"}, Cert: caFile}, "--tls-cert and --tls-key go together: the client's certificate, and its private key"},
		"option's CA":         {"", Options{Brokers: []string{"b:1"}, CA: "/nowhere"}, "--tls-ca /nowhere: no such file or directory"},
		"option's mechanism":  {"", Options{Brokers: []string{"b:1"}, Mechanism: "X"}, `--sasl-mechanism is "X"; it must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			options := test.options
			if test.file != "" {
				options.File = write(t, "client.properties", test.file)
			}
			_, _, err := options.Cluster()
			if name == "no store" {
				_, location, _ := strings.Cut(test.file, "location=")
				test.err = strings.Replace(test.err, "STORE", location, 1)
			}
			checkError(t, err, options.File, test.err)
			if err != nil && strings.Contains(err.Error(), "hush") {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

// A token is read anew for each connection, as it expires.
func TestToken(t *testing.T) {
	file := write(t, "token", "one\n")
	for name, options := range map[string]Options{
		"option": {Brokers: []string{"b:1"}, Mechanism: "OAUTHBEARER", TokenFile: file},
		"file":   {File: write(t, "c", "bootstrap.servers=b:1\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=file://"+file)},
	} {
		cluster, _, err := options.Cluster()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"one", "two"} {
			os.WriteFile(file, []byte(want), 0o600)
			if token, err := cluster.SASL.Token(); token != want || err != nil {
				t.Errorf("%s: token %q, %v, want %s", name, token, err, want)
			}
		}
		os.WriteFile(file, []byte("\n"), 0o600)
		_, err = cluster.SASL.Token()
		checkError(t, err, file, "FILE: there is no token in it")
		os.WriteFile(file, []byte("one"), 0o600)
	}
	t.Setenv(TokenVariable, "three")
	cluster, _, err := Options{Brokers: []string{"b:1"}, Mechanism: "OAUTHBEARER"}.Cluster()
	if err != nil {
		t.Fatal(err)
	}
	if token, _ := cluster.SASL.Token(); token != "three" {
		t.Errorf("token %q", token)
	}
}

// As java.util.Properties reads it.
func TestParseJava(t *testing.T) {
	got, err := parseProperties("\ufeff"[3:] + "a=1\n b : 2 \n#c=3\n!d=4\n  # e\nf\\ g=5\\\n   6\\\\\n\\u0068\\uD83D\\uDE42 i\r\nj\r\rk=\\\n")
	want := []property{{"a", "1", 1}, {"b", "2 ", 2}, {"f g", `56\`, 6}, {"h🙂", "i", 8}, {"j", "", 9}, {"k", "", 11}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(property{})); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// However hostile a file is, it is read or refused, soon and with little memory.
func FuzzCluster(f *testing.F) {
	jks, _ := os.ReadFile("testdata/trust.jks")
	f.Add("bootstrap.servers=b:1\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=x required username=\"u\" password='p';\\\n", jks)
	f.Add("metadata.broker.list=b\nsecurity.protocol=ssl\nssl.ca.pem=-----BEGIN CERTIFICATE-----x-----END CERTIFICATE-----", []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\xff\xff\xff\xff\x00\x00\x00\x02\x00\x00"))
	f.Fuzz(func(t *testing.T, text string, store []byte) {
		file := filepath.Join(t.TempDir(), "c")
		// No other file is to be opened by what it says.
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "location", "")), 0o600); err != nil {
			t.Fatal(err)
		}
		Options{File: file, TLS: true}.Cluster()
		if storeKind(store) == "JKS" {
			trusted(store, "")
		}
		pemCertificates(text)
		pemKey(text, "")
		parseJAAS(text)
	})
}
