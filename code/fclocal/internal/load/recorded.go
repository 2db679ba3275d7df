package load

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/clientconfig"
	"fclocal/internal/config"
	"fclocal/internal/eventbridge"
	"fclocal/internal/events"
	"fclocal/internal/failure"
	"fclocal/internal/files"
	"fclocal/internal/kafka"
	"fclocal/internal/option"
	"fclocal/internal/plan"
	"fclocal/internal/units"
)

// recorded are the options of a load that has been once.
type recorded struct {
	fromTopic bool
	topic     string // "": that of s.yaml
	from, to  string
	cluster   clientconfig.Options
	file      string
	save      string

	begin, end time.Time // that from and to stand for
}

func (r *recorded) addTo(command *cobra.Command) {
	flags := command.Flags()
	flags.BoolVar(&r.fromTopic, "from-topic", false, "the load is that of a topic: its records' times, partitions and sizes; it is only read, without a group")
	flags.StringVar(&r.topic, "topic", "", "of that `TOPIC` (default s.yaml's)")
	flags.StringVar(&r.from, "from", "", "from the first record of that `TIME` on, such as 2026-07-01T12:00:00Z (default the first one)")
	flags.StringVar(&r.to, "to", "", "up to the first record of that `TIME` (default the last one)")
	flags.StringVar(&r.save, "save-load", "", "write that load to `FILE`, without keys and values, for --from-file; .gz compresses it")
	flags.StringVar(&r.file, "from-file", "", "the load is that of `FILE`: lines of timestamp_ms,partition,bytes in order of time; gzip, too")
	r.cluster.AddTo(command)
}

func (r *recorded) given() bool { return r.fromTopic || r.file != "" }

// check finds options that do not go together, and reads the times.
func (r *recorded) check(given func(option string) bool) (err error) {
	of := "--from-topic"
	if r.file != "" {
		of = "--from-file"
	}
	others := []string{"rate", "rate-file", "for", "backlog", "partitions", "skew", "arrivals", "burst-rate", "burst-for", "burst-every", "group", "message-size", "message-sizes"}
	other := slices.IndexFunc(others, given)
	if r.given() && other >= 0 {
		return fmt.Errorf("--%s is not for %s, which has all of the load: leave one of them out", others[other], of)
	}
	topics := []string{"topic", "from", "to", "save-load"}
	if i := slices.IndexFunc(topics, given); i >= 0 && !r.fromTopic {
		return fmt.Errorf("--%s is for --from-topic", topics[i])
	}
	if err := option.Check(
		option.Not(r.fromTopic && r.file != "", "--from-topic and --from-file exclude each other: give one of them"),
		option.Not(r.fromTopic && !r.cluster.Given(), "--from-topic needs a cluster: give --brokers or --kafka-config"),
		option.Not(!r.fromTopic && r.cluster.Given(), "--brokers and --kafka-config are for --from-topic"),
	); err != nil {
		return err
	}
	if r.from != "" {
		if r.begin, err = kafka.ParseTime(r.from); err != nil {
			return fmt.Errorf("--from %w", err)
		}
	}
	if r.to != "" {
		if r.end, err = kafka.ParseTime(r.to); err != nil {
			return fmt.Errorf("--to %w", err)
		}
	}
	if r.from != "" && r.to != "" && !r.begin.Before(r.end) {
		return fmt.Errorf("--from %s is not before --to %s", r.from, r.to)
	}
	return r.cluster.Check()
}

// Telling is how Record tells what it does.
type Telling struct {
	Note     func(string)                       // a sentence
	Progress func(topic string, read, of int64) // offsets
}

// Record reads the load of a topic or a file, if it is one. The sizes are those of the
// events that the projects' trigger makes.
func (o *Options) Record(ctx context.Context, projects []*config.Project, tell Telling) error {
	var recording *plan.Recording
	var err error
	switch {
	case o.recorded.file != "":
		recording, err = plan.ReadRecording(o.recorded.file)
	case o.recorded.fromTopic:
		if o.recorded.save != "" {
			if err := files.CheckWrite("load", o.recorded.save); err != nil {
				return err
			}
		}
		recording, err = o.recorded.read(ctx, projects, tell)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	o.Load = recording.Load()
	tell.Note(fmt.Sprintf("%s has %s records in %d partitions, from %s on for %s", recording.Name, units.Count(int64(len(recording.Records))),
		recording.Partitions, recording.Begin.UTC().Format("2006-01-02 15:04:05.000Z"), units.Duration(recording.For)))
	if o.recorded.save != "" {
		return save(o.recorded.save, recording)
	}
	return nil
}

func (r *recorded) read(ctx context.Context, projects []*config.Project, tell Telling) (*plan.Recording, error) {
	options := projects[0].EventOptions()
	for _, other := range projects[1:] {
		if other.EventOptions() != options {
			return nil, errors.New("--from-topic measures the events once for all runs: give eventSchema and eventRuleFilterPattern one value each")
		}
	}
	if r.topic == "" {
		r.topic = options.Topic
	}
	converter, err := eventbridge.NewConverter(options)
	if err != nil {
		return nil, err
	}
	cluster, notes, err := r.cluster.Cluster()
	if err != nil {
		return nil, err
	}
	for _, note := range notes {
		tell.Note(note)
	}
	partitions, err := cluster.Partitions(ctx, r.topic)
	if err != nil {
		return nil, cmp.Or(r.interrupted(ctx), err)
	}
	c := collector{converter: converter, now: time.Now(), partitions: map[int32]*collected{}}
	err = cluster.Read(ctx, kafka.ReadOptions{
		Topic: r.topic, From: r.begin, To: r.end, BrokerTimeout: r.cluster.Timeout,
		Progress: func(read, of int64) { tell.Progress(r.topic, read, of) },
	}, c.take)
	if err != nil {
		return nil, cmp.Or(r.interrupted(ctx), failure.Of(err))
	}
	recording, err := c.recording(partitions, r.begin, r.end)
	if err != nil {
		return nil, fmt.Errorf("topic %q: %w", r.topic, err)
	}
	recording.Name = r.topic
	if c.filtered > 0 {
		tell.Note(fmt.Sprintf("%s records do not pass eventRuleFilterPattern and are left out, of the bill, too", units.Count(c.filtered)))
	}
	if c.moved > 0 {
		tell.Note(fmt.Sprintf("%s records have no time, one of the future, or an earlier one than a record before them in their partition: they count as of the same moment as that", units.Count(c.moved)))
	}
	return recording, nil
}

func (r *recorded) interrupted(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return failure.New(fmt.Sprintf("interrupted while topic %q was read", r.topic))
}

// collector makes a recording of a topic's records.
type collector struct {
	converter *eventbridge.Converter
	now       time.Time // later is none of the records

	mu              sync.Mutex
	partitions      map[int32]*collected
	filtered, moved int64
	taken           int
}

// collected is what is there of a partition. At is the time since 1970 until all are there.
type collected struct {
	records []plan.Record
	latest  time.Duration // of the records so far; noTime while none has one
	event   []byte
}

// noTime is before all times.
const noTime = time.Duration(math.MinInt64)

// take takes records of a partition. A record is there once that before it in the
// partition is there: no time is earlier than that.
func (c *collector) take(records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	id := records[0].Partition
	c.mu.Lock()
	p := c.partitions[id]
	if p == nil {
		p = &collected{latest: noTime}
		c.partitions[id] = p
	}
	c.mu.Unlock()
	filtered, moved := int64(0), int64(0)
	for _, r := range records {
		record := events.Record(r)
		ms := record.Timestamp.UnixMilli()
		if at := time.Duration(ms) * time.Millisecond; ms >= 0 && at >= p.latest && !record.Timestamp.After(c.now) {
			p.latest = at
		} else {
			moved++
		}
		if !c.converter.Passes(&record) {
			filtered++
			continue
		}
		p.event = c.converter.Append(p.event[:0], &record)
		p.records = append(p.records, plan.Record{At: p.latest, Partition: id, Bytes: int32(min(len(p.event), math.MaxInt32))})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.filtered, c.moved = c.filtered+filtered, c.moved+moved
	if c.taken += len(records) - int(filtered); c.taken > plan.RecordsAtMost {
		return fmt.Errorf("there are more than %s records, which a plan takes at most: choose a shorter time by --from and --to", units.Count(plan.RecordsAtMost))
	}
	return nil
}

// recording makes one of all that has been taken.
func (c *collector) recording(partitions int, from, to time.Time) (*plan.Recording, error) {
	all := make([][]plan.Record, partitions)
	first, last := time.Duration(math.MaxInt64), noTime
	for id, p := range c.partitions {
		if int(id) >= partitions || len(p.records) == 0 { // it has been added since
			continue
		}
		all[id] = p.records
		for _, r := range p.records {
			if r.At != noTime {
				first = min(first, r.At)
				break
			}
		}
		last = max(last, p.records[len(p.records)-1].At)
	}
	switch {
	case !slices.ContainsFunc(all, func(records []plan.Record) bool { return records != nil }):
		return nil, errors.New("there are no records to make a load of: look at --from, --to and eventRuleFilterPattern")
	case last == noTime:
		return nil, errors.New("its records have no times, so that it tells no load")
	}
	if !from.IsZero() {
		first = time.Duration(from.UnixMilli()) * time.Millisecond
	}
	lasts := last - first + time.Millisecond
	if !to.IsZero() {
		lasts = max(lasts, time.Duration(to.UnixMilli())*time.Millisecond-first)
	}
	for _, records := range all {
		for i := range records {
			records[i].At = max(records[i].At, first) - first
		}
	}
	r := plan.Merge(all)
	r.Begin, r.For = time.UnixMilli(first.Milliseconds()).UTC(), lasts
	return r, nil
}

// save writes a recording to a file.
func save(path string, recording *plan.Recording) error {
	return failure.Of(files.Write("load", path, func(w io.Writer) error {
		if !strings.HasSuffix(path, ".gz") {
			return recording.Write(w)
		}
		zipped := gzip.NewWriter(w)
		return errors.Join(recording.Write(zipped), zipped.Close())
	}))
}
