package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A data directory notes beside kfake's own files how far each partition is filled,
// as kfake drops what it cannot read and only logs that.
const (
	endsName     = "fclocal-ends.json"
	endsInterval = time.Second
)

// ends are the offsets after the last record, by topic and partition.
type topicEnds map[string]map[int32]int64

func readEnds(dir string) (ends topicEnds, err error) {
	content, err := os.ReadFile(filepath.Join(dir, endsName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &ends)
	}
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %s cannot be read: %w; delete it if the rest is in order", dir, endsName, err)
	}
	return ends, nil
}

// noteEnds writes the file, which is there in full or not at all.
func (e *Embedded) noteEnds(ctx context.Context, admin *kadm.Client, dir string) error {
	listed, err := admin.ListEndOffsets(ctx)
	if err != nil {
		return err
	}
	ends := topicEnds{}
	listed.Each(func(o kadm.ListedOffset) {
		if ends[o.Topic] == nil {
			ends[o.Topic] = map[int32]int64{}
		}
		ends[o.Topic][o.Partition] = o.Offset
	})
	if maps.EqualFunc(ends, e.noted, maps.Equal[map[int32]int64, map[int32]int64]) {
		return nil
	}
	content, err := json.Marshal(ends)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, endsName)
	if err := os.WriteFile(path+".new", content, 0o644); err != nil {
		return err
	}
	e.noted = ends
	return os.Rename(path+".new", path)
}

// noteEndsAgain does so every second, until stop, and then once more.
func (e *Embedded) noteEndsAgain(dir string) (stop func() error, err error) {
	client, err := e.cluster.client()
	if err != nil {
		return nil, err
	}
	admin := kadm.NewClient(client)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(endsInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				e.noteEnds(ctx, admin, dir) // an error comes from the last one, too
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() error {
		cancel()
		<-done
		last, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err := e.noteEnds(last, admin, dir)
		client.Close()
		return err
	}, nil
}

// losses are what was in the directory and is no longer there, a sentence for each
// partition.
func (e *Embedded) losses(ctx context.Context, noted topicEnds) ([]string, error) {
	client, err := e.cluster.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx)
	if err != nil {
		return nil, err
	}
	ends, err := admin.ListEndOffsets(ctx)
	if err != nil {
		return nil, err
	}
	var losses []string
	for _, topic := range slices.Sorted(maps.Keys(noted)) {
		for _, partition := range slices.Sorted(maps.Keys(noted[topic])) {
			end := int64(0)
			if o, ok := ends.Lookup(topic, partition); ok && o.Err == nil {
				end = o.Offset
			}
			lost := max(0, noted[topic][partition]-end)
			if start, ok := starts.Lookup(topic, partition); ok && start.Err == nil && e.logger.corrupt() {
				readable, err := e.count(ctx, topic, partition, start.Offset, end)
				if err != nil {
					return nil, err
				}
				lost += end - start.Offset - readable
			}
			if lost > 0 {
				losses = append(losses, fmt.Sprintf("%d records of topic %q, partition %d are lost", lost, topic, partition))
			}
		}
	}
	return losses, nil
}

// count returns how many records of a partition can be read.
func (e *Embedded) count(ctx context.Context, topic string, partition int32, start, end int64) (n int64, err error) {
	if start >= end {
		return 0, nil
	}
	client, err := e.cluster.client(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(start)}}),
		kgo.KeepControlRecords(),
	)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	for next := start; next < end; {
		fetching, stop := context.WithTimeout(ctx, 10*time.Second)
		fetches := client.PollFetches(fetching)
		stop()
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		records := fetches.Records()
		if len(records) == 0 { // nothing of the rest can be read
			break
		}
		n += int64(len(records))
		next = records[len(records)-1].Offset + 1
	}
	return n, nil
}

// corrupt says whether kfake has dropped something as it could not read it.
func (l *logger) corrupt() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.loading, func(line string) bool {
		return strings.Contains(line, "corrupt") || strings.Contains(line, "malformed") || strings.Contains(line, "stat ")
	})
}
