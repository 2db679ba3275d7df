package kafka

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"

	"fclocal/internal/failure"
	"fclocal/internal/files"
)

const (
	// maxLine is the longest line of a file of messages, in bytes. It is above
	// the 32 MB of a call's body, so that what is too large for a call can be
	// tried.
	maxLine = 64 << 20
	// maxRecordBatch leaves room for what Kafka adds to a record.
	maxRecordBatch = maxLine + 1<<20

	maxPartitions = 1000
)

// EmbeddedOptions are the options of an embedded cluster.
type EmbeddedOptions struct {
	Topic      string // created if it does not exist
	Partitions int    // of the topic, 1 to 1000

	// DataDir keeps topics, records and committed offsets for the next run; it
	// is created if need be. Without it they are in a temporary directory, not
	// in memory, as a backlog has no bound, and go with Close.
	DataDir string

	// AcceptLoss goes on where records of DataDir are lost, which is an error else, and
	// tells Lost of it, a sentence for each partition.
	AcceptLoss bool
	Lost       func(string)

	// Listen is where clients may connect. Without it, it is a free port of the loopback
	// interface, and a random password keeps other programs out: see Cluster.
	Listen []Listener
}

// Embedded is a Kafka cluster of one broker in this process. What it has
// acknowledged, records and committed offsets, has been written to the file
// system: kill -9 of the process loses none of it. A loss of power may, as with
// Kafka's own defaults.
type Embedded struct {
	kafka     *kfake.Cluster
	cluster   Cluster
	listeners []Listener
	logger    *logger
	noted     topicEnds    // in DataDir
	stopNotes func() error // nil without DataDir
	lockFile  *os.File
	temporary string // directory to remove

	mu         sync.Mutex
	partitions map[string]int // of each topic
}

// StartEmbedded starts a cluster and creates the topic. A topic that is in
// DataDir with another number of partitions is an error.
func StartEmbedded(ctx context.Context, options EmbeddedOptions) (_ *Embedded, err error) {
	if err := checkTopic(options.Topic, options.Partitions); err != nil {
		return nil, err
	}
	e := &Embedded{logger: new(logger), partitions: make(map[string]int)}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()

	dir := options.DataDir
	if dir == "" {
		removeAbandoned(filepath.Join(os.TempDir(), temporaryName+"*"))
		if dir, err = os.MkdirTemp("", temporaryName); err != nil {
			return nil, err
		}
		e.temporary = dir
	}
	if err := e.lock(dir); err != nil {
		return nil, err
	}

	// kfake keeps users in its directory: those of an earlier run are gone with it.
	if err := os.Remove(filepath.Join(dir, "sasl.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	at := options.Listen
	if len(at) == 0 {
		at = []Listener{{Address: "127.0.0.1:0"}}
	}
	listener, opened, err := listen(at)
	if err != nil {
		return nil, err
	}
	e.listeners = opened
	settings := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return listener, nil }),
		// kfake says that it takes newer requests than it answers in full, by which Java
		// clients of 3.3 to 3.7 fail.
		kfake.MaxVersions(kversion.V3_7_0()),
		kfake.DataDir(dir),
		kfake.WithLogger(e.logger),
		kfake.BrokerConfigs(map[string]string{
			"message.max.bytes":         strconv.Itoa(maxRecordBatch),
			"log.retention.ms":          "-1",
			"offsets.retention.minutes": strconv.Itoa(math.MaxInt32), // a data directory stays good for years
		}),
	}
	e.cluster = Cluster{Brokers: []string{opened[0].Address}, embedded: true}
	if len(options.Listen) == 0 { // nobody else on this machine has a business there
		e.cluster.SASL = &SASL{Mechanism: "PLAIN", User: "fclocal", Password: rand.Text()}
		settings = append(settings, kfake.EnableSASL(), kfake.Superuser("PLAIN", e.cluster.SASL.User, e.cluster.SASL.Password))
	}
	e.kafka, err = kfake.NewCluster(settings...)
	e.logger.loaded()
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("embedded Kafka in %s: %w", dir, err)
	}
	if options.DataDir != "" {
		if err := e.checkData(ctx, options); err != nil {
			return nil, err
		}
	}
	if err := e.CreateTopic(ctx, options.Topic, options.Partitions); err != nil {
		return nil, err
	}
	if options.DataDir != "" {
		if e.stopNotes, err = e.noteEndsAgain(dir); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// checkData finds out whether something of the data directory is lost.
func (e *Embedded) checkData(ctx context.Context, options EmbeddedOptions) error {
	noted, err := readEnds(options.DataDir)
	if err != nil {
		return err
	}
	losses, err := e.losses(ctx, noted)
	if err != nil {
		return fmt.Errorf("data directory %s: %w", options.DataDir, err)
	}
	if losses != nil && !options.AcceptLoss {
		return failure.Of(fmt.Errorf("data directory %s is damaged: %s; --accept-loss goes on without them", options.DataDir, strings.Join(losses, "; ")))
	}
	for _, loss := range losses {
		options.Lost(loss)
	}
	return nil
}

const (
	lockName      = "fclocal.lock"
	temporaryName = "fclocal-kafka-"
)

// lock keeps a second process out of the data directory, which would spoil it.
func (e *Embedded) lock(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	e.lockFile = file
	locked, err := files.TryLock(file, false)
	if err != nil {
		return fmt.Errorf("data directory %s cannot be locked: %w", dir, err)
	}
	if !locked {
		return fmt.Errorf("data directory %s: another fclocal uses it; wait for its end or name another directory", dir)
	}
	return nil
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`) // documented by Apache Kafka

func checkTopic(name string, partitions int) error {
	if !topicName.MatchString(name) || name == "." || name == ".." {
		return fmt.Errorf("topic %q: a name is 1 to 249 letters, digits, dots, underscores and hyphens, other than . and .. alone", name)
	}
	if partitions < 1 || partitions > maxPartitions {
		return fmt.Errorf("topic %q: %d partitions; it must be 1 to %d", name, partitions, maxPartitions)
	}
	return nil
}

// CreateTopic creates a topic unless it exists. One that has another number of
// partitions is an error.
func (e *Embedded) CreateTopic(ctx context.Context, name string, partitions int) error {
	if err := checkTopic(name, partitions); err != nil {
		return err
	}
	client, err := e.cluster.client()
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	_, err = admin.CreateTopic(ctx, int32(partitions), 1, nil, name)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("topic %q: %w", name, err)
	}
	topics, err := admin.ListTopics(ctx, name)
	if err == nil {
		err = topics[name].Err
	}
	if err != nil {
		return fmt.Errorf("topic %q: %w", name, err)
	}
	if has := len(topics[name].Partitions); has != partitions {
		return fmt.Errorf("topic %q has %d partitions in the data directory, not %d; ask for %d or name another directory", name, has, partitions, has)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.partitions[name] = partitions
	return nil
}

// Cluster says how to reach the cluster.
func (e *Embedded) Cluster() Cluster { return e.cluster }

// Address is the HOST:PORT of the first of its listeners.
func (e *Embedded) Address() string { return e.cluster.Brokers[0] }

// Listeners are those of the options, with the ports that they have got and the
// addresses that clients are told.
func (e *Embedded) Listeners() []Listener { return e.listeners }

// Close stops the cluster, after its clients have been closed, and writes what
// it holds to DataDir. It frees the port and removes a temporary directory.
func (e *Embedded) Close() error {
	var errs []error
	if e.stopNotes != nil {
		errs = append(errs, e.stopNotes())
	}
	if e.kafka != nil {
		e.kafka.Close()
		errs = append(errs, e.logger.saveError())
	}
	if e.lockFile != nil {
		errs = append(errs, e.lockFile.Close()) // frees the lock
	}
	if e.temporary != "" {
		errs = append(errs, os.RemoveAll(e.temporary))
	}
	return errors.Join(errs...)
}

// logger keeps the problems that kfake only logs.
type logger struct {
	mu      sync.Mutex
	warning string   // the last one: why a record was not written, say
	loading []string // all that came while the directory was read
	ready   bool
	errs    []error
}

func (l *logger) Logf(level kfake.LogLevel, format string, arguments ...any) {
	if level != kfake.LogLevelWarn && level != kfake.LogLevelError {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.warning = fmt.Sprintf(format, arguments...)
	if !l.ready {
		l.loading = append(l.loading, l.warning)
	}
	if level == kfake.LogLevelError {
		l.errs = append(l.errs, fmt.Errorf("embedded Kafka: %s", l.warning))
	}
}

// loaded says that the directory has been read.
func (l *logger) loaded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = true
}

func (l *logger) saveError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}

func (l *logger) lastWarning() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.warning
}
