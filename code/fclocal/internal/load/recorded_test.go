package load

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"fclocal/internal/eventbridge"
	"fclocal/internal/plan"
)

func newCollector(t *testing.T, pattern string) *collector {
	t.Helper()
	converter, err := eventbridge.NewConverter(eventbridge.Options{Topic: "xxx", EventSchema: "RawData", EventRuleFilterPattern: pattern})
	if err != nil {
		t.Fatal(err)
	}
	return &collector{converter: converter, now: time.UnixMilli(9000), partitions: map[int32]*collected{}}
}

// A record is there when that before it is, whatever its time says.
func TestTimes(t *testing.T) {
	for _, test := range []struct {
		from, to     time.Time
		begin, lasts int64
		want         [3][]int64 // milliseconds since begin, of each partition's records
	}{
		{time.Time{}, time.Time{}, 3000, 5001, [3][]int64{{2000, 2000, 2000, 2001, 5000}, {0, 0, 0, 500}}},
		{time.UnixMilli(2000), time.UnixMilli(10_000), 2000, 8000, [3][]int64{{3000, 3000, 3000, 3001, 6000}, {0, 0, 1000, 1500}}},
	} {
		c := newCollector(t, "{}")
		for _, taken := range []struct {
			partition    int32
			milliseconds []int64
		}{{0, []int64{5000, 4000, -1, 5001}}, {1, []int64{-1, 99_000, 3000, 3500}}, {0, []int64{8000}}} {
			var records []*kgo.Record
			for _, ms := range taken.milliseconds {
				records = append(records, &kgo.Record{Partition: taken.partition, Timestamp: time.UnixMilli(ms), Value: []byte("x")})
			}
			c.take(records)
		}
		r, err := c.recording(3, test.from, test.to)
		if err != nil {
			t.Fatal(err)
		}
		var got [3][]int64
		for _, record := range r.Records {
			got[record.Partition] = append(got[record.Partition], record.At.Milliseconds())
		}
		if !reflect.DeepEqual(got, test.want) || r.Begin.UnixMilli() != test.begin || r.For.Milliseconds() != test.lasts || r.Partitions != 3 || c.moved != 4 {
			t.Errorf("%v from %v for %v, %d partitions, %d moved; want %v", got, r.Begin, r.For, r.Partitions, c.moved, test)
		}
	}
}

func TestNoRecords(t *testing.T) {
	c := newCollector(t, `{"data":{"key":["a"]}}`)
	c.take(nil)
	c.take([]*kgo.Record{{Value: []byte("x")}})
	if _, err := c.recording(1, time.Time{}, time.Time{}); err == nil || !strings.HasPrefix(err.Error(), "there are no records to make a load of") || c.filtered != 1 {
		t.Errorf("%v, %d filtered", err, c.filtered)
	}
	c.take([]*kgo.Record{{Key: []byte("a"), Value: []byte("x"), Timestamp: time.UnixMilli(-1)}})
	if _, err := c.recording(1, time.Time{}, time.Time{}); err == nil || err.Error() != "its records have no times, so that it tells no load" {
		t.Error(err)
	}
}

// The size is that of the event that a stream makes.
func TestSizes(t *testing.T) {
	c := newCollector(t, "{}")
	record := eventbridge.Record{Timestamp: time.UnixMilli(5), Key: []byte("k"), Value: []byte(`{"a":"ü"}`)}
	c.take([]*kgo.Record{{Timestamp: record.Timestamp, Key: record.Key, Value: record.Value}})
	r, err := c.recording(1, time.Time{}, time.Time{})
	if want := int32(len(c.converter.Append(nil, &record))); err != nil || !slices.Equal(r.Records, []plan.Record{{Bytes: want}}) {
		t.Errorf("%+v, %v; want %d bytes", r, err, want)
	}
}
