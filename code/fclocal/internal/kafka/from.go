package kafka

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// A From is where reading a topic begins, in each of its partitions.
type From struct {
	text   string // beginning, end, or one of the others
	at     time.Time
	offset int64
}

// timeForms are those of a From, the last ones in local time.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"}

// ParseFrom reads beginning, end, an offset, or a time such as 2026-07-01T12:00:00Z:
// then it is the first record of that time or later.
func ParseFrom(text string) (*From, error) {
	from := &From{text: text}
	if text == "beginning" || text == "end" {
		return from, nil
	}
	var err error
	if from.offset, err = strconv.ParseInt(text, 10, 64); err == nil && from.offset >= 0 {
		return from, nil
	}
	if from.at, err = parseTime(text); err == nil {
		return from, nil
	}
	return nil, fmt.Errorf("%q: it must be beginning, end, an offset, or %s", text, aTime)
}

// ParseTime reads a time such as 2026-07-01T12:00:00Z; without a zone it is local.
func ParseTime(text string) (time.Time, error) {
	at, err := parseTime(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q: it must be %s", text, aTime)
	}
	return at, nil
}

const aTime = "a time such as 2026-07-01T12:00:00Z, 2026-07-01T12:00:00 or 2026-07-01"

func parseTime(text string) (at time.Time, err error) {
	for _, form := range timeForms {
		if at, err = time.ParseInLocation(form, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, err
}

// Offsets are where that is; nil for a nil From. An offset that a partition does not
// have is an error.
func (f *From) Offsets(ctx context.Context, c Cluster, topic string) (map[int32]int64, error) {
	if f == nil {
		return nil, nil
	}
	looked, err := c.Look(ctx, topic, false)
	if err != nil {
		return nil, err
	}
	offsets := map[int32]int64{}
	for id, b := range looked.Partitions {
		switch {
		case f.text == "beginning":
			offsets[id] = b.Start
		case f.text == "end":
			offsets[id] = b.End
		case f.at.IsZero() && (f.offset < b.Start || f.offset > b.End):
			return nil, fmt.Errorf("there is no offset %d in topic %q, partition %d, which has %d to %d", f.offset, topic, id, b.Start, b.End)
		case f.at.IsZero():
			offsets[id] = f.offset
		}
	}
	if f.at.IsZero() {
		return offsets, nil
	}
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	listed, err := kadm.NewClient(client).ListOffsetsAfterMilli(ctx, f.at.UnixMilli(), topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, c.explain(fmt.Errorf("topic %q: %w", topic, err))
	}
	listed.Each(func(at kadm.ListedOffset) { offsets[at.Partition] = at.Offset })
	return offsets, nil
}
