package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/clientconfig"
	"fclocal/internal/result"
)

// The same streams on a real Kafka cluster, which .ci/kafka starts.

func realCluster(t *testing.T) string {
	brokers := os.Getenv("KAFKA_BROKERS")
	if brokers == "" {
		t.Skip("KAFKA_BROKERS is not set: .ci/kafka COMMAND runs COMMAND with a real Kafka broker")
	}
	return brokers
}

// newTopic makes a topic of its own for the test, fills it and returns the
// options that have fclocal read it.
func newTopic(t *testing.T, partitions int32, values ...string) []string {
	t.Helper()
	brokers := realCluster(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), time.Now().UnixNano())
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), partitions, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	records := make([]*kgo.Record, len(values))
	for i, value := range values {
		records[i] = &kgo.Record{Topic: topic, Value: []byte(value)}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return []string{"--brokers", brokers, "--until-end", "--retry-scale", "0", "--set", "Topic=" + topic, "--set", "ConsumerGroup=" + topic, "--set", "TimeBasedWindow=0"}
}

func values(n int) []string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf(`{"n":%d}`, i)
	}
	return values
}

func TestClusterTasks(t *testing.T) {
	for tasks, idle := range map[int]int{4: 0, 2: 0, 6: 2} {
		topic := newTopic(t, 4, values(400)...)
		run := mustStream(t, append(topic, "--set", fmt.Sprintf("maximumTasks=%d", tasks))...)[0]
		if got, want := counts(run), "produced 400, delivered 400, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want || run.IdleTasks != idle || run.Load.Partitions != 4 {
			t.Errorf("maximumTasks %v: %s, %d idle tasks of %d partitions", tasks, got, run.IdleTasks, run.Load.Partitions)
		}
		// The group's offsets are committed: nothing comes twice.
		run = mustStream(t, topic...)[0]
		if got, want := counts(run), "produced 0, delivered 0, deadLettered 0, discarded 0, filtered 0, pending 0"; got != want {
			t.Errorf("again: %s", got)
		}
	}
}

func TestClusterErrors(t *testing.T) {
	all := values(100)
	all[50] = "not JSON"
	topic := append(newTopic(t, 1, all...), "--set", "concurrency=1")
	runs, stderr, code := tryStream(t, append(topic, "--set", "errorsTolerance=NONE")...)
	if code != exitFailed || counts(runs[0]) != "produced 100, delivered 50, deadLettered 0, discarded 0, filtered 0, pending 50" {
		t.Errorf("exit code %d, %+v\n%s", code, runs, stderr)
	}
	dead := filepath.Join(t.TempDir(), "dead.jsonl")
	run := mustStream(t, append(topic, "--dead-letters", dead)...)[0]
	if got, want := counts(run), "produced 50, delivered 40, deadLettered 10, discarded 0, filtered 0, pending 0"; got != want {
		t.Errorf("resumed: %s, want %s", got, want)
	}
	if letters, _ := os.ReadFile(dead); strings.Count(string(letters), "\n") != 10 {
		t.Errorf("dead letters\n%s", letters)
	}
}

// A backlog of records that are years old, or have no timestamp, has waited since the
// start of the run.
func TestClusterOldBacklog(t *testing.T) {
	topic := newTopic(t, 1)
	client, err := kgo.NewClient(kgo.SeedBrokers(realCluster(t)), kgo.DefaultProduceTopic(topicOf(topic)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, milliseconds := range []int64{1, 1e12, -1} {
		record := &kgo.Record{Value: []byte("no JSON"), Timestamp: time.UnixMilli(milliseconds)}
		if milliseconds == 1e12 {
			record.Value = []byte("{}")
		}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	dead := filepath.Join(t.TempDir(), "dead.jsonl")
	run := mustStream(t, append(topic, "--dead-letters", dead, "--set", "CountBasedWindow=1", "--set", "errorsTolerance=ALL")...)[0]
	if run.Delivered != 1 || run.LatencyMs.Max == 0 || run.LatencyMs.Max > 1000*run.WallSeconds {
		t.Errorf("%d delivered, latencies %+v in %v s", run.Delivered, run.LatencyMs, run.WallSeconds)
	}
	letters, _ := os.ReadFile(dead)
	for _, want := range []string{`"time":"1970-01-01T00:00:00.001Z"`, `"timestamp":1,`, `"time":"1969-12-31T23:59:59.999Z"`, `"timestamp":-1,`} {
		if !strings.Contains(string(letters), want) {
			t.Errorf("no %s in\n%s", want, letters)
		}
	}
}

func TestClusterUnknownTopic(t *testing.T) {
	_, stderr, code := tryStream(t, "--brokers", realCluster(t), "--set", "Topic=never-made")
	if code != exitUsage || !strings.Contains(stderr, `topic "never-made"`) {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

func TestClusterSASL(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		topic := newTopic(t, 1, values(10)...)
		topic[1] = os.Getenv("KAFKA_SASL_BROKERS")
		topic = append(topic, "--sasl-mechanism", mechanism, "--sasl-user", os.Getenv("KAFKA_SASL_USER"))
		t.Setenv(clientconfig.PasswordVariable, os.Getenv("KAFKA_SASL_PASSWORD"))
		if run := mustStream(t, topic...)[0]; run.Delivered != 10 {
			t.Errorf("%s: %d delivered, want 10", mechanism, run.Delivered)
		}
		t.Setenv(clientconfig.PasswordVariable, "wrong")
		if _, stderr, code := tryStream(t, topic...); code != exitUsage || !strings.Contains(stderr, "SASL") {
			t.Errorf("%s, wrong password: exit code %d\n%s", mechanism, code, stderr)
		}
	}
	t.Setenv(clientconfig.PasswordVariable, "")
	_, stderr, code := tryStream(t, "--brokers", realCluster(t), "--sasl-mechanism", "PLAIN", "--sasl-user", "u")
	if want := "fclocal: SASL PLAIN needs a password in the environment variable FCLOCAL_SASL_PASSWORD, or in --kafka-config\n"; code != exitUsage || !strings.HasSuffix(stderr, want) {
		t.Errorf("no password: exit code %d\n%s", code, stderr)
	}
}

// unsignedToken is one of OAUTHBEARER that the broker takes, as it checks no signature.
func unsignedToken(expires time.Time) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":"me","iat":%d,"exp":%d}`, time.Now().Add(-time.Hour).Unix(), expires.Unix())) + "."
}

func TestClusterOAuthBearer(t *testing.T) {
	topic := newTopic(t, 1, values(10)...)
	topic[1] = os.Getenv("KAFKA_SASL_BROKERS")
	topic = append(topic, "--sasl-mechanism", "OAUTHBEARER")
	t.Setenv(clientconfig.TokenVariable, unsignedToken(time.Now().Add(time.Hour)))
	if run := mustStream(t, topic...)[0]; run.Delivered != 10 {
		t.Errorf("%d delivered, want 10", run.Delivered)
	}
	t.Setenv(clientconfig.TokenVariable, unsignedToken(time.Now().Add(-time.Minute)))
	_, stderr, code := tryStream(t, topic...)
	if want := "refuses the token of SASL OAUTHBEARER: check that it is for this cluster and has not expired"; code != exitUsage || !strings.Contains(stderr, want) {
		t.Errorf("expired: exit code %d\n%s", code, stderr)
	}
}

// The broker's certificate is of a CA of the test's own, and the broker wants one of it, too.
func TestClusterTLS(t *testing.T) {
	ours := func(name string) string { return filepath.Join(os.Getenv("KAFKA_TLS_DIR"), name) }
	topic := newTopic(t, 1, values(10)...)
	plain := topic[1]
	topic[1] = os.Getenv("KAFKA_TLS_BROKERS")
	ca, certificate := []string{"--tls-ca", ours("ca.pem")}, []string{"--tls-cert", ours("client.pem"), "--tls-key", ours("client.key")}
	if run := mustStream(t, slices.Concat(topic, ca, certificate)...)[0]; run.Delivered != 10 {
		t.Errorf("%d delivered, want 10", run.Delivered)
	}
	for name, test := range map[string]struct {
		brokers string
		args    []string
		err     string
	}{
		"no certificate":  {topic[1], ca, "wants a certificate of the client, or another version of TLS: give the certificate by --tls-cert and --tls-key"},
		"unknown CA":      {topic[1], append(certificate, "--tls"), "has a certificate of a CA that is not trusted: name the CA's file by --tls-ca"},
		"another CA":      {topic[1], append(certificate, "--tls-ca", ours("client.pem")), "has a certificate of a CA that is not trusted: name the CA's file by --tls-ca"},
		"no TLS":          {topic[1], nil, "speaks TLS at this port: give --tls or --tls-ca"},
		"TLS":             {plain, ca, "closes the connection: check if it speaks TLS at this port"},
		"other host name": {os.Getenv("KAFKA_SASL_TLS_BROKERS"), ca, "has a certificate for other hosts: connect to one of those, name one by --tls-server-name"},
	} {
		topic[1] = test.brokers
		_, stderr, code := tryStream(t, append(topic, test.args...)...)
		if want := "fclocal: cluster at " + test.brokers + " " + test.err; code != exitUsage || !strings.HasPrefix(stderr, want) {
			t.Errorf("%s: exit code %d\n%s", name, code, stderr)
		}
	}
}

// jdk is a program of the Java that runs the broker.
func jdk(program string) string {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", program)
	}
	return program
}

// A file as people have it, with stores that keytool has made.
func TestClusterKafkaConfig(t *testing.T) {
	ours := func(name string) string { return filepath.Join(os.Getenv("KAFKA_TLS_DIR"), name) }
	topic := newTopic(t, 1, values(10)...)[2:]
	directory := t.TempDir()
	for _, kind := range []string{"JKS", "PKCS12"} {
		store := filepath.Join(directory, "trust."+kind)
		if output, err := exec.Command(jdk("keytool"), "-importcert", "-noprompt", "-storetype", kind, "-keystore", store, "-storepass", "changeit", "-file", ours("ca.pem"), "-alias", "ca").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		config := filepath.Join(directory, "client.properties")
		content := "bootstrap.servers=" + os.Getenv("KAFKA_SASL_TLS_BROKERS") + `
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="` + os.Getenv("KAFKA_SASL_USER") + `" \
  password="` + os.Getenv("KAFKA_SASL_PASSWORD") + `";
ssl.truststore.location=` + store + `
ssl.truststore.password=changeit
ssl.endpoint.identification.algorithm=
group.id=production
`
		if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		group := "--group=" + strings.ToLower(t.Name()+kind)
		runs, stderr, code := tryStream(t, append(topic, "--kafka-config", config, group)...)
		if code != exitOK || runs[0].Delivered != 10 || !strings.Contains(stderr, config+": these say nothing here: group.id (--group names the group)\n") {
			t.Errorf("%s: exit code %d, %+v\n%s", kind, code, runs, stderr)
		}
	}
	librdkafka := filepath.Join(directory, "librdkafka.conf")
	content := "metadata.broker.list=" + os.Getenv("KAFKA_TLS_BROKERS") + "\nsecurity.protocol=ssl\nssl.ca.location=" + ours("ca.pem") +
		"\nssl.certificate.location=" + ours("client.pem") + "\nssl.key.location=" + ours("client.key") + "\n"
	if err := os.WriteFile(librdkafka, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if run := mustStream(t, append(topic, "--kafka-config", librdkafka)...)[0]; run.Delivered != 10 {
		t.Errorf("librdkafka: %d delivered, want 10", run.Delivered)
	}
}

// A Java client of the versions that the embedded Kafka failed for produces in all ways into
// --listen, and its admin tools work.
func TestClusterJavaClient(t *testing.T) {
	realCluster(t) // beside which the client's jars are
	logs := t.TempDir()
	command := fclocal(t, "stream", "--json", "--logs", logs, "--listen", "127.0.0.1:0", "--set", "TimeBasedWindow=0")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	command.Stdout = &stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	_, address, found := strings.Cut(strings.TrimSpace(line), `may produce to topic "xxx" at `)
	if !found {
		t.Fatalf("%q, %v", line, err)
	}
	java := exec.Command(jdk("java"), "-cp", filepath.Join(os.Getenv("KAFKA_CLIENT_JARS"), "*"), "testdata/Produce.java", address, "xxx", "xxx-fclocal")
	var failure bytes.Buffer
	java.Stderr = &failure
	output, err := java.Output()
	if want := "nodes 1\ntopics [xxx]\npartitions 1\ngroups 1\nstate Stable\noffsets 1\n"; err != nil || string(output) != want {
		t.Errorf("%v: %s\nwant:\n%s\n%s", err, output, want, &failure)
	}
	const sent = 3 * 5 * 10
	eventually(func() bool {
		delivered := 0
		files, _ := filepath.Glob(filepath.Join(logs, "*.log"))
		for _, file := range files {
			log, _ := os.ReadFile(file)
			delivered += strings.Count(string(log), "Start processing event:")
		}
		return delivered >= sent || t.Failed()
	})
	command.Process.Signal(os.Interrupt)
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
	var document struct{ Runs []result.Run }
	if err := json.Unmarshal(stdout.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if run := document.Runs[0]; run.Delivered != sent || run.Pending != 0 {
		t.Errorf("%s, want %d delivered", counts(run), sent)
	}
}

// topicOf is what newTopic has made.
func topicOf(options []string) string {
	i := slices.IndexFunc(options, func(o string) bool { return strings.HasPrefix(o, "Topic=") })
	return strings.TrimPrefix(options[i], "Topic=")
}
