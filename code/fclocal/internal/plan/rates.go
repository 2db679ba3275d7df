package plan

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fclocal/internal/files"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A Rate is how many messages come from a time of the day on, until the next
// Rate's or midnight.
type Rate struct {
	From      time.Duration // since midnight, below 24 h
	PerSecond float64       // over all partitions; 0 or more
}

// ReadRates is ParseRates of a regular file of 1 MB at most.
func ReadRates(path string) ([]Rate, error) {
	content, err := files.Read(path, 1<<20)
	if err != nil {
		return nil, err
	}
	return ParseRates(path, bytes.NewReader(content))
}

// ParseRates reads the rates of a day. A line has a time, as 06:30, 06:30:15 or
// 6h30m, and the messages a second from then on, with blanks, tabs or a comma
// between them. Empty lines and those that begin with # count for nothing. The
// first time is 00:00, and times ascend. An error tells the name, the line and
// what to do.
func ParseRates(name string, r io.Reader) ([]Rate, error) {
	var rates []Rate
	err := eachLine(name, r, func(line string) error {
		rate, err := parseRate(line)
		if err == nil && len(rates) == 0 && rate.From != 0 {
			err = fmt.Errorf("%q: the first time must be 00:00", line)
		}
		if err == nil && len(rates) > 0 && rate.From <= rates[len(rates)-1].From {
			err = fmt.Errorf("%q: it must be later than the time before it; the day repeats by itself", line)
		}
		rates = append(rates, rate)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(rates) == 0:
		return nil, fmt.Errorf("%s: no line has a time and a rate, like 00:00 1000", name)
	case !slices.ContainsFunc(rates, func(r Rate) bool { return r.PerSecond > 0 }):
		return nil, fmt.Errorf("%s: all rates are 0: one at least must be above", name)
	}
	return rates, nil
}

// eachLine reads the lines of a file but for empty ones and those that begin with #, without
// blanks around them. An error of use, or of reading, is told with the name and the line.
func eachLine(name string, r io.Reader, use func(line string) error) error {
	lines := bufio.NewScanner(r)
	number := 0
	for lines.Scan() {
		number++
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		if err := use(line); err != nil {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	if lines.Err() != nil {
		return fmt.Errorf("%s:%d: %w", name, number+1, lines.Err())
	}
	return nil
}

func parseRate(line string) (Rate, error) {
	fields := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	if len(fields) != 2 {
		return Rate{}, fmt.Errorf("%q: a line is a time and the messages a second from then on, like 06:30 5000", line)
	}
	from, err := parseTime(fields[0])
	if err != nil || from < 0 || from >= day {
		return Rate{}, fmt.Errorf("%q: a time is HH:MM, HH:MM:SS or a duration like 6h30m, below 24h", fields[0])
	}
	perSecond, err := strconv.ParseFloat(fields[1], 64)
	if err != nil || !(perSecond >= 0) || math.IsInf(perSecond, 1) {
		return Rate{}, fmt.Errorf("%q: the messages a second must be a number of 0 or more", fields[1])
	}
	return Rate{from, perSecond}, nil
}

func parseTime(text string) (time.Duration, error) {
	if !strings.Contains(text, ":") {
		return time.ParseDuration(text)
	}
	layout := "15:04"
	if strings.Count(text, ":") > 1 {
		layout = "15:04:05"
	}
	clock, err := time.Parse(layout, text)
	return clock.Sub(clock.Truncate(day)), err
}

// checkRates finds rates that ParseRates would not have returned.
func checkRates(rates []Rate) error {
	sum := 0.0
	for i, r := range rates {
		switch {
		case i == 0 && r.From != 0, i > 0 && r.From <= rates[i-1].From, r.From >= day:
			return errors.New("the rates' times must begin at 0 and ascend below 24 h")
		case !(r.PerSecond >= 0) || math.IsInf(r.PerSecond, 1):
			return errors.New("the rates must be numbers of 0 or more")
		}
		sum += r.PerSecond
	}
	if len(rates) > 0 && sum == 0 {
		return errors.New("the rates must not all be 0")
	}
	return nil
}

// curve is the course of a load over time. A steady one is nil, for speed: what
// has passed of it is the time itself, in nanoseconds. Otherwise it is the
// messages that have come, in billionths, period by period the same.
type curve struct {
	segments  []segment // of a period
	period    time.Duration
	perPeriod float64
	highest   float64 // rate
	end       time.Duration
}

// segment is a time of the period with the same rate.
type segment struct {
	from, until time.Duration
	before      float64 // of the period before it
	rate        float64 // messages a second, and so their billionths in a nanosecond
}

func newCurve(load Load, seed uint64) *curve {
	daily := newDailyCurve(load)
	if load.Arrivals == Bursts && load.comes() {
		return load.Burst.curve(load, daily, seed)
	}
	return daily
}

// newDailyCurve is without bursts.
func newDailyCurve(load Load) *curve {
	if len(load.Rates) <= 1 {
		return nil
	}
	c := &curve{end: load.For, period: day}
	for i, r := range load.Rates {
		s := segment{from: r.From, until: day, before: c.perPeriod, rate: r.PerSecond}
		if i+1 < len(load.Rates) {
			s.until = load.Rates[i+1].From
		}
		c.segments = append(c.segments, s)
		c.perPeriod += float64(s.until-s.from) * s.rate
		c.highest = max(c.highest, s.rate)
	}
	return c
}

// at returns the segment of a moment, and when its period began, which is a midnight as
// a rule.
func (c *curve) at(t time.Duration) (segment, time.Duration) {
	midnight := t - t%c.period
	i, found := slices.BinarySearchFunc(c.segments, t-midnight, func(s segment, t time.Duration) int {
		return cmp.Compare(s.from, t)
	})
	if !found {
		i--
	}
	return c.segments[i], midnight
}

// passed returns how much of the load has come by a time.
func (c *curve) passed(t time.Duration) float64 {
	if c == nil {
		return float64(t)
	}
	s, midnight := c.at(t)
	return float64(midnight/c.period)*c.perPeriod + s.before + float64(t-midnight-s.from)*s.rate
}

// when is the inverse of passed, except for rounding: the last moment, where
// nothing comes for a time, and never after the load's end.
func (c *curve) when(passed float64) time.Duration {
	if c == nil {
		return time.Duration(passed)
	}
	return c.find(passed)
}

// find is when's slow part.
func (c *curve) find(passed float64) time.Duration {
	periods := math.Floor(passed / c.perPeriod)
	passed = min(max(passed-periods*c.perPeriod, 0), c.perPeriod)
	s := c.segments[sort.Search(len(c.segments), func(i int) bool { return c.segments[i].before > passed })-1]
	t := time.Duration(periods)*c.period + s.from
	if s.rate > 0 {
		t += time.Duration(min((passed-s.before)/s.rate, float64(s.until-s.from)))
	}
	return min(t, c.end)
}

// peak returns by how much passes at most in a nanosecond.
func (c *curve) peak() float64 {
	if c == nil {
		return 1
	}
	return c.highest
}
