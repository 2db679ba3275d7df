package plan

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"container/heap"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"time"

	"fclocal/internal/files"
	"fclocal/internal/trigger"
)

// A Recording is when real records came, to which partition, and how large their events
// are. It holds nothing of what is in them.
type Recording struct {
	Name       string // of the topic or file that it comes from
	Partitions int    // of the topic
	Begin      time.Time
	For        time.Duration // how long it lasts
	Records    []Record      // in order of time; one or more
}

// A Record is one of a recording's.
type Record struct {
	At        time.Duration // since the recording's Begin
	Partition int32
	Bytes     int32 // of the event in the payload, 1 or more; 2 GB stand for more
}

// RecordsAtMost are those of a recording. They take 16 bytes of memory each.
const RecordsAtMost = 30_000_000

// partitionsAtMost are those of a recording.
const partitionsAtMost = 100_000

// Merge makes a recording of the records of each partition, whose times are in order. Its
// name, Begin and For are left to be set.
func Merge(partitions [][]Record) *Recording {
	var queue ordered[*merging]
	n := 0
	for _, records := range partitions {
		if n += len(records); len(records) > 0 {
			heap.Push(&queue, &merging{rest: records})
		}
	}
	r := &Recording{Partitions: len(partitions), Records: make([]Record, 0, n)}
	for len(queue) > 0 {
		first := queue[0]
		r.Records = append(r.Records, first.rest[0])
		if first.rest = first.rest[1:]; len(first.rest) == 0 {
			heap.Pop(&queue)
		} else {
			heap.Fix(&queue, 0)
		}
	}
	return r
}

// merging is what is left of a partition.
type merging struct{ rest []Record }

func (m *merging) before(other *merging) bool {
	a, b := m.rest[0], other.rest[0]
	return a.At < b.At || a.At == b.At && a.Partition < b.Partition
}
func (m *merging) moved(int) {}

// latestTime is the year 9999, in milliseconds since 1970.
const latestTime = 253_370_764_800_000

// recordingHeader is the first line of a file.
const recordingHeader = "timestamp_ms,partition,bytes"

// recordingLimit bounds a file of a recording, unpacked, in bytes.
const recordingLimit = 2 << 30

// Write writes the recording for ReadRecording: a line with the names of the columns,
// and one for each record, with the milliseconds since 1970, the partition and the bytes
// of the event.
func (r *Recording) Write(w io.Writer) error {
	lines := bufio.NewWriterSize(w, 64<<10)
	fmt.Fprintln(lines, recordingHeader)
	begin := r.Begin.UnixMilli()
	var line []byte
	for _, record := range r.Records {
		line = strconv.AppendInt(line[:0], begin+record.At.Milliseconds(), 10)
		line = strconv.AppendInt(append(line, ','), int64(record.Partition), 10)
		line = strconv.AppendInt(append(line, ','), int64(record.Bytes), 10)
		lines.Write(append(line, '\n')) // an error stays until Flush
	}
	return lines.Flush()
}

// ReadRecording reads what Write has written, or others in the same form; gzip, too.
// Empty lines and those that begin with # count for nothing. It lasts from the first
// record's millisecond to the end of the last one's, and has the partitions up to the
// highest. An error tells the name, the line and what to do.
func ReadRecording(path string) (*Recording, error) {
	file, err := files.Open(path, recordingLimit)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parseRecording(path, file)
}

func parseRecording(name string, r io.Reader) (*Recording, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := in.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		in = bufio.NewReaderSize(unzipped, 64<<10)
	}
	limited := &io.LimitedReader{R: in, N: recordingLimit}
	lines := bufio.NewScanner(limited)
	recording := &Recording{Name: name}
	var chunks [][]Record // a slice that grows would take several times the memory
	begin, before, number, records := int64(0), int64(0), 0, 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff")))
		if len(line) == 0 || line[0] == '#' || records == 0 && string(line) == recordingHeader {
			continue
		}
		at, record, err := parseRecord(line)
		switch {
		case err != nil:
		case records == 0:
			begin, before = at, at
		case at < before:
			err = fmt.Errorf("%q: its time is before that of the line above it: sort the lines by their time, as sort -n does", line)
		case at-begin > (10 * 365 * day).Milliseconds():
			err = fmt.Errorf("%q: its time is more than ten years after the first one", line)
		case records == RecordsAtMost:
			err = fmt.Errorf("there are more than %d records", RecordsAtMost)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		before = at
		record.At = time.Duration(at-begin) * time.Millisecond
		if records%chunk == 0 {
			chunks = append(chunks, make([]Record, 0, chunk))
		}
		last := &chunks[len(chunks)-1]
		*last = append(*last, record)
		records++
		recording.Partitions = max(recording.Partitions, int(record.Partition)+1)
	}
	switch {
	case lines.Err() != nil:
		return nil, fmt.Errorf("%s:%d: %w", name, number+1, lines.Err())
	case limited.N == 0:
		return nil, fmt.Errorf("%s: it is larger than %d GB when it is unpacked", name, recordingLimit>>30)
	case records == 0:
		return nil, fmt.Errorf("%s: no line has a record, like 1790000000000,0,512", name)
	}
	recording.Records = slices.Concat(chunks...)
	recording.Begin = time.UnixMilli(begin).UTC()
	recording.For = time.Duration(before-begin+1) * time.Millisecond
	return recording, nil
}

// chunk is how many records are read into a slice; more are another one.
const chunk = 1 << 16

func parseRecord(line []byte) (at int64, r Record, err error) {
	time, rest, _ := bytes.Cut(line, []byte(","))
	partition, size, found := bytes.Cut(rest, []byte(","))
	if !found || bytes.Contains(size, []byte(",")) {
		return 0, r, fmt.Errorf("%.60q: a line is %s, like 1790000000000,0,512", line, recordingHeader)
	}
	number := func(name string, text []byte, least, most int64) (n int64) {
		n, failed := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
		if failed != nil || n < least || n > most {
			err = cmp.Or(err, fmt.Errorf("%.60q: %s must be a whole number from %d to %d", bytes.TrimSpace(text), name, least, most))
		}
		return n
	}
	at = number("the milliseconds since 1970", time, 0, latestTime)
	r = Record{Partition: int32(number("the partition", partition, 0, partitionsAtMost-1)), Bytes: int32(number("the bytes", size, 1, math.MaxInt32))}
	return at, r, err
}

// checkRecording finds a recording that neither of its makers would have made.
func (l Load) checkRecording() error {
	r := l.Recording
	switch {
	case r == nil:
		return nil
	case !reflect.DeepEqual(l, r.Load()):
		return errors.New("a recording must be all of the load")
	case len(r.Records) == 0 || len(r.Records) > RecordsAtMost:
		return errors.New("a recording must have records, 30 million at most")
	case !slices.IsSortedFunc(r.Records, func(a, b Record) int { return cmp.Compare(a.At, b.At) }):
		return errors.New("a recording's records must be in order of time")
	case r.Records[0].At < 0 || r.Records[len(r.Records)-1].At > r.For:
		return errors.New("a recording's records must come while it lasts")
	case slices.ContainsFunc(r.Records, func(record Record) bool {
		return record.Partition < 0 || int(record.Partition) >= r.Partitions || record.Bytes < 1
	}):
		return errors.New("a recording's records must have a partition and bytes")
	}
	return nil
}

// Load is the load that the recording is.
func (r *Recording) Load() Load {
	return Load{Partitions: r.Partitions, For: r.For, Recording: r}
}

// meanBytes is that of the events.
func (r *Recording) meanBytes() float64 {
	sum := 0.0
	for _, record := range r.Records {
		sum += float64(record.Bytes)
	}
	return sum / float64(len(r.Records))
}

// by returns how many records have come by a moment.
func (r *Recording) by(at time.Duration) int {
	return sort.Search(len(r.Records), func(i int) bool { return r.Records[i].At > at })
}

// recorded are the records of a task.
type recorded struct {
	recording *Recording
	numbers   []uint32 // in it

	// Of all events before each blockth.
	bytes, units []int64
}

// block is how many records the sizes are added up for at once: with a sum for each
// they would take more memory than the records.
const block = 32

// share gives tasks the records of their partitions, of which each has so many.
func (r *Recording) share(tasks []*task, partitions []int) {
	owner := make([]*task, 0, r.Partitions)
	for i, t := range tasks {
		t.recorded = &recorded{recording: r}
		owner = append(owner, slices.Repeat([]*task{t}, partitions[i])...)
	}
	counts := make([]int, r.Partitions)
	for _, record := range r.Records {
		counts[record.Partition]++
	}
	for partition, count := range counts {
		owner[partition].total += int64(count)
	}
	for _, t := range tasks {
		t.recorded.numbers = make([]uint32, 0, t.total)
	}
	for i, record := range r.Records {
		of := owner[record.Partition].recorded
		of.numbers = append(of.numbers, uint32(i))
	}
	for _, t := range tasks {
		t.sizes = t.recorded
		t.recorded.addUp()
	}
}

func (r *recorded) addUp() {
	bytes, units := int64(0), int64(0)
	for i := range r.numbers {
		if i%block == 0 {
			r.bytes, r.units = append(r.bytes, bytes), append(r.units, units)
		}
		size := int64(r.record(int64(i)).Bytes)
		bytes, units = bytes+size, units+trigger.EventUnits(size)
	}
}

func (r *recorded) record(number int64) Record { return r.recording.Records[r.numbers[number]] }

// before is what the records before one have.
func (r *recorded) before(number int64) (bytes, units int64) {
	begin := min(number/block, int64(len(r.bytes))-1)
	bytes, units = r.bytes[begin], r.units[begin]
	for i := begin * block; i < number; i++ {
		size := int64(r.record(i).Bytes)
		bytes, units = bytes+size, units+trigger.EventUnits(size)
	}
	return bytes, units
}

func (r *recorded) Sum(first int64, count int) (bytes, units int64) {
	if count == 0 {
		return 0, 0
	}
	bytes, units = r.before(first + int64(count))
	before, unitsBefore := r.before(first)
	return bytes - before, units - unitsBefore
}

// by returns how many have come by a moment, of which it is known that so many have at least.
func (r *recorded) by(at time.Duration, least int64) int64 {
	rest := r.numbers[least:]
	return least + int64(sort.Search(len(rest), func(i int) bool { return r.recording.Records[rest[i]].At > at }))
}

// arrivals adds up the messages of a time, each for as long as it has been there at its
// end, in seconds.
func (d *driver) arrivals(from, to time.Duration) (seconds float64) {
	l, records := &d.lagging, d.Load.Recording.Records
	for ; l.recorded < len(records) && records[l.recorded].At <= to; l.recorded++ {
		seconds += (to - max(records[l.recorded].At, from)).Seconds()
	}
	return seconds
}
