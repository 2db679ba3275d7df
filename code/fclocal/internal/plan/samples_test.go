package plan

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fclocal/internal/trigger"
)

func TestReadSamples(t *testing.T) {
	path := filepath.Join(t.TempDir(), "values.txt")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("\ufeff# ms\r\n12ms\n\n 1.5s \n2.25\n0")
	times, err := ReadTimes(path)
	if err != nil || !slices.Equal(times.Values, []float64{12e6, 1.5e9, 2.25e6, 0}) || times.File != path || times.Mean() != 1514.25e6/4 {
		t.Errorf("%+v, %v", times, err)
	}
	write("1000\n1\n17179869184\n")
	if sizes, err := ReadSizes(path); err != nil || !slices.Equal(sizes.Values, []float64{1000, 1, 1 << 34}) {
		t.Errorf("%+v, %v", sizes, err)
	}
	const time, size = "a line is a time such as 12ms or 1.5s, or a number of milliseconds, from 0 to 24h", "a line is the bytes of a message's event, a whole number from 1 to 17179869184"
	for _, test := range []struct{ content, times, sizes string }{
		{"", ": there is no value in it: " + time, ": there is no value in it: " + size},
		{"5\n#\n-5\n", `:3: "-5": ` + time, `:3: "-5": ` + size},
		{"NaN", `:1: "NaN": ` + time, `:1: "NaN": ` + size},
		{"Inf", `:1: "Inf": ` + time, `:1: "Inf": ` + size},
		{"1e300", `:1: "1e300": ` + time, `:1: "1e300": ` + size},
		{"25h", `:1: "25h": ` + time, `:1: "25h": ` + size},
		{"1 2", `:1: "1 2": ` + time, `:1: "1 2": ` + size},
		{strings.Repeat("1", 1<<17), ":1: bufio.Scanner: token too long", ":1: bufio.Scanner: token too long"},
	} {
		write(test.content)
		if _, err := ReadTimes(path); err == nil || err.Error() != path+test.times {
			t.Errorf("%.20q: %v, want %s", test.content, err, test.times)
		}
		if _, err := ReadSizes(path); err == nil || err.Error() != path+test.sizes {
			t.Errorf("%.20q: %v, want %s", test.content, err, test.sizes)
		}
	}
}

// Batches close by the body limit as with messages of these sizes, and EventBridge counts
// each event by its own.
func TestMessageSizes(t *testing.T) {
	r := rules()
	r.CountBasedWindow, r.BodyLimit, r.MaximumTasks = 1000, trigger.BodyLimitAsynchronous, 2
	// 30,700 bytes on average: four in a batch, or one and some.
	sizes := &Samples{Values: []float64{300, 1000, 1000, 100_000, 51_200}}
	c := Config{Rules: r, Load: Load{Partitions: 2, Rate: 100, For: 10 * time.Minute, Sizes: sizes}, Drain: true, Function: Function{CallTime: time.Millisecond}}
	result := mustRun(t, c)
	used := result.Usage[0]
	if got, want := float64(used.EventBytes), 60_000*sizes.Mean(); math.Abs(got-want) > 0.02*want || used.Events != 60_000 {
		t.Errorf("%v bytes of %d events, want %v", got, used.Events, want)
	}
	if got := float64(used.EventUnits); math.Abs(got-72_000) > 400 { // one in five is two
		t.Errorf("%v events are billed, want 72000", got)
	}
	// By hand, from the same distribution.
	calls, room, next := 0, int64(0), uint64(1)
	for range 60_000 {
		next = next*6364136223846793005 + 1442695040888963407
		size := int64(sizes.Values[(next>>33)%5]) + 1
		if size > room {
			calls, room = calls+1, r.BodyLimit-1
		}
		room -= size
	}
	if math.Abs(float64(result.Calls)-float64(calls)) > 0.01*float64(calls) {
		t.Errorf("%d calls, want about %d", result.Calls, calls)
	}
	c.Load.Sizes = &Samples{Values: []float64{200_000, 150_000}}
	if advice := advise(t, c, mustRun(t, c)); !strings.HasPrefix(advice, "the body limit of 131072 bytes is less than a single event") {
		t.Error(advice)
	}
}

// A call takes a measured time, or one for each of its events.
func TestTimes(t *testing.T) {
	r := rules()
	r.CountBasedWindow = 20
	times := &Samples{Values: []float64{1e6, 1e6, 1e6, 97e6}} // 25 ms, with a standard deviation of 41.6
	for _, ofEvents := range []bool{false, true} {
		result := mustRun(t, Config{Rules: r, Load: Load{Partitions: 1, Backlog: 200_000, EventBytes: 500}, Drain: true,
			Function: Function{CallTime: 5 * time.Millisecond, Times: Times{times, ofEvents}}})
		mean := result.CallSeconds / float64(result.Calls)
		if want := map[bool]float64{false: 0.030, true: 0.505}[ofEvents]; math.Abs(mean-want) > 0.06*want {
			t.Errorf("of events %v: a call takes %v s, want %v", ofEvents, mean, want)
		}
	}
	// The sum of many is spread as such sums are.
	d := newDriver(Config{Rules: r, Load: Load{Partitions: 1, Backlog: 1e6}, Function: Function{Times: Times{times, true}}})
	const events, draws = 100, 20_000
	sum, squares := 0.0, 0.0
	for range draws {
		s := d.drawTime(events).Seconds()
		sum, squares = sum+s/draws, squares+s*s/draws
	}
	if deviation := math.Sqrt(squares - sum*sum); math.Abs(sum-2.5) > 0.01 || math.Abs(deviation-0.416) > 0.01 {
		t.Errorf("%d events take %v s, with a standard deviation of %v; want 2.5 and 0.416", events, sum, deviation)
	}
}

// However long the sum is, it is that of the values in their order.
func TestSequence(t *testing.T) {
	s := sequence{[]float64{0, 1, 3, 6}} // 1, 2, 3, 1, 2, 3, ...
	for first := range int64(7) {
		want := 0.0
		for count := range 9 {
			if got := s.sum(first, count); got != want {
				t.Errorf("%d from %d on are %v, want %v", count, first, got, want)
			}
			want += float64((first+int64(count))%3 + 1)
		}
	}
}
