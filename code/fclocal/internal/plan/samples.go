package plan

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"fclocal/internal/files"
	"fclocal/internal/trigger"
)

// Samples are values that were measured. Each is as likely as the others.
type Samples struct {
	File   string    // that they are from, if they are
	Values []float64 // one or more, each 0 or more
}

// Mean is that of the values.
func (s *Samples) Mean() float64 {
	sum := 0.0
	for _, v := range s.Values {
		sum += v
	}
	return sum / float64(len(s.Values))
}

// samplesLimit is the size of a file of them, in bytes.
const samplesLimit = 64 << 20

// ReadTimes reads a file of times, one a line: 12ms, 1.5s, or a number of milliseconds,
// up to a day. The values are nanoseconds. Empty lines and those that begin with # count
// for nothing. An error tells the name, the line and what to do.
func ReadTimes(path string) (*Samples, error) {
	return readSamples(path, "a line is a time such as 12ms or 1.5s, or a number of milliseconds, from 0 to 24h", func(text string) (float64, bool) {
		if ms, err := strconv.ParseFloat(text, 64); err == nil {
			return ms * 1e6, ms >= 0 && ms*1e6 <= float64(day)
		}
		d, err := time.ParseDuration(text)
		return float64(d), err == nil && d >= 0 && d <= day
	})
}

// largestSize bounds the bytes of an event: Kafka's records are below 2 GB, and an event
// may be escaped twice.
const largestSize = 1 << 34

// ReadSizes reads a file of the bytes of events, a whole number a line; see ReadTimes.
func ReadSizes(path string) (*Samples, error) {
	return readSamples(path, "a line is the bytes of a message's event, a whole number from 1 to 17179869184", func(text string) (float64, bool) {
		n, err := strconv.ParseInt(text, 10, 64)
		return float64(n), err == nil && n >= 1 && n <= largestSize
	})
}

func readSamples(path, like string, parse func(string) (value float64, ok bool)) (*Samples, error) {
	content, err := files.Read(path, samplesLimit)
	if err != nil {
		return nil, err
	}
	return parseSamples(path, bytes.NewReader(content), like, parse)
}

func parseSamples(name string, r io.Reader, like string, parse func(string) (value float64, ok bool)) (*Samples, error) {
	s := &Samples{File: name}
	err := eachLine(name, r, func(line string) error {
		value, ok := parse(line)
		if !ok {
			return fmt.Errorf("%.40q: %s", line, like)
		}
		s.Values = append(s.Values, value)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if s.Values == nil {
		return nil, fmt.Errorf("%s: there is no value in it: %s", name, like)
	}
	return s, nil
}

// check finds values that none of the readers would have returned.
func (s *Samples) check(least, most float64) bool {
	return s == nil || len(s.Values) > 0 && !slices.ContainsFunc(s.Values, func(v float64) bool { return !(v >= least && v <= most) })
}

// sequence is samples in an order by chance, which repeats itself. So the sum of many in
// a row takes no longer than that of two.
type sequence struct {
	sums []float64 // of those before each, and of all
}

// A sequence has as many values as there are messages, within these bounds, and each of
// the samples equally often.
const shortestSequence, longestSequence = 1 << 10, 1 << 18

func newSequence(s *Samples, load Load, random *rand.Rand) sequence {
	length := int(min(max(load.messages()+float64(load.Backlog), shortestSequence), longestSequence))
	times := (length + len(s.Values) - 1) / len(s.Values)
	values := slices.Repeat(s.Values, times)
	random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	sums := make([]float64, 1, len(values)+1)
	for _, v := range values {
		sums = append(sums, sums[len(sums)-1]+v)
	}
	return sequence{sums}
}

// of is a sequence of the same order with other values.
func (s sequence) of(value func(float64) float64) sequence {
	sums := make([]float64, 1, len(s.sums))
	for i, sum := range s.sums[1:] {
		sums = append(sums, sums[i]+value(sum-s.sums[i]))
	}
	return sequence{sums}
}

func (s sequence) length() int64 { return int64(len(s.sums)) - 1 }

// sum is that of count values from a place on.
func (s sequence) sum(first int64, count int) float64 {
	all := s.length()
	first %= all
	end := first + int64(count)
	return float64(end/all)*s.sums[all] + s.sums[end%all] - s.sums[first]
}

// sampledSizes are those of a task's messages.
type sampledSizes struct {
	bytes, units sequence
	begin        int64 // other tasks have other messages
}

func (s *sampledSizes) Sum(first int64, count int) (bytes, units int64) {
	return int64(s.bytes.sum(s.begin+first, count)), int64(s.units.sum(s.begin+first, count))
}

// giveSizes draws the messages' sizes, if they differ.
func giveSizes(tasks []*task, load Load, seed uint64) {
	if load.Sizes == nil {
		return
	}
	random := rand.New(rand.NewPCG(seed, chanceOfSizes))
	bytes := newSequence(load.Sizes, load, random)
	units := bytes.of(func(size float64) float64 { return float64(trigger.EventUnits(int64(math.Round(size)))) })
	for _, t := range tasks {
		t.sizes = &sampledSizes{bytes, units, random.Int64N(bytes.length())}
	}
}

// Times are measured times of the function, on top of its others.
type Times struct {
	*Samples      // nanoseconds; nil: none
	OfEvents bool // of each event, and not of each call
}

// drawTime is what a call takes of them.
func (d *driver) drawTime(events int) time.Duration {
	if d.Function.Times.Samples == nil {
		return 0
	}
	if !d.Function.Times.OfEvents {
		events = 1
	}
	return time.Duration(d.times.sum(d.random.Int64N(d.times.length()), events))
}
