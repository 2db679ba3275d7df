// Package measure runs the project's function on this machine, with batches of
// several sizes, and fits to what they took the time of a call and of an event,
// and the memory.
package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/instance"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// What is in flight at most, over all calls that an instance takes at a time:
// more takes long, and more memory than instances usually have.
const (
	maximumEventsInFlight = 300_000
	maximumBytesInFlight  = 256 << 20 // of payloads
)

// All sizes are measured in rounds, each size in every round. Other load on the
// machine comes and goes in seconds and only ever adds to what a call takes, CPU
// time included: of all rounds, that in which it took least counts. A round has
// the median of calls one after another, and the mean of calls in flight beside
// each other: in that time garbage is collected several times, or it is a small
// part of the cost.
const (
	rounds       = 8
	warmUpCalls  = 3 // at least
	warmUpTime   = 100 * time.Millisecond
	aloneTime    = 25 * time.Millisecond
	inFlightTime = 60 * time.Millisecond

	// A size has no further round when it has taken enough time in fewRounds, or too
	// much in any number.
	fewRounds = 3
	enough    = 1200 * time.Millisecond
	tooMuch   = 5 * time.Second

	coldStarts = 5
)

// Options are what [Run] measures.
type Options struct {
	Project *config.Project // its memorySize, timeout and environmentVariables hold
	Binary  string          // the function's program
	Args    []string        // its arguments
	CodeDir string          // where it runs

	// Event is the payload of a call as event.json has it, a JSON array of events.
	// Batches repeat these in turn, byte by byte: white space within them, too,
	// which the events of a stream do not have.
	Event []byte

	// MaxEvents is the size of the largest batch. Smaller ones are the powers of
	// ten. There are batches of 1 and 10 in any case, except where 10 are over the
	// 32 MB of a call; the largest one is what fits.
	MaxEvents int
	InFlight  int // calls that an instance takes at a time (instanceConcurrency), 1 or more

	// Instances is how many of them take calls at a time; 0 is 1. Many processes get
	// in each other's way on one machine, as they share its caches.
	Instances int

	// Typical is what calls take in the median of all rounds, in place of the least: what
	// they take for long on this machine, with all else that goes on.
	Typical bool

	// Logs gets the function's, of several processes: it must bear that they write
	// at a time. nil discards them. What they write is counted in a file.
	Logs io.Writer
	// Progress is called before each step, from 1 to steps, with the size of the
	// batches that it measures. It may be nil.
	Progress func(events, step, steps int)
}

// Run measures the function: about a second for each batch size, and more if it is
// slow. If the function fails on an event it cannot be measured: the error wraps
// the [instance.FunctionError]. Running out of memory is such an error at the
// smallest batch size only; see result.Measured.OutOfMemoryAt. When ctx ends, the error is
// ctx's. No process is left in any case.
func Run(ctx context.Context, o Options) (result.Measured, error) {
	var events []json.RawMessage
	if err := json.Unmarshal(o.Event, &events); err != nil || len(events) == 0 {
		return result.Measured{}, fmt.Errorf("event.json must be a JSON array of one event or more to measure the function with, and is %.40q", o.Event)
	}
	if o.Logs == nil {
		o.Logs = io.Discard
	}
	if o.Progress == nil {
		o.Progress = func(int, int, int) {}
	}
	o.Instances = max(o.Instances, 1)
	m := &measurement{Options: o}
	counts := batchSizes(events, o.MaxEvents)
	host, err := instance.NewHost(ctx, m.spec(), len(counts)*o.Instances, nil)
	if err != nil {
		return result.Measured{}, err
	}
	defer host.Close()
	m.host = host

	f := result.Measured{EventBytes: (len(payload(events, len(events)))-1)/len(events) - 1} // without brackets and commas
	if f.ColdStart, err = m.coldStart(ctx); err != nil {
		return result.Measured{}, explain(ctx, "", err)
	}
	var sizes []*size
	defer func() { stop(sizes) }()
	for _, count := range counts {
		s := &size{measurement: m, payload: payload(events, count), Point: result.Point{Events: count}}
		sizes = append(sizes, s)
		for range o.Instances {
			process, err := m.start()
			if err != nil {
				return result.Measured{}, err
			}
			s.processes = append(s.processes, process)
		}
	}
	steps := rounds * len(sizes)
	for round := range rounds {
		for i, s := range sizes {
			o.Progress(s.Events, round*len(sizes)+i+1, steps)
			err := s.round(ctx)
			if i > 0 && outOfMemory(err) {
				f.OutOfMemoryAt = s.EventsInFlight()
				stop(sizes[i:])
				sizes = sizes[:i]
				break
			}
			if err != nil {
				return result.Measured{}, explain(ctx, fmt.Sprintf(" in batches of %d with %d in flight", s.Events, s.InFlight), err)
			}
		}
	}
	for _, s := range sizes {
		f.Points = append(f.Points, s.Point)
	}
	fit(&f)
	return f, nil
}

// batchSizes are the numbers of events of a batch to measure.
func batchSizes(events []json.RawMessage, most int) []int {
	most = max(most, 10)
	for count, length := 0, len("["); count < most; count++ {
		length += len(events[count%len(events)]) + len(",")
		if length > trigger.BodyLimitSynchronous {
			most = max(count, 1)
		}
	}
	var sizes []int
	for count := 1; count < most; count *= 10 {
		sizes = append(sizes, count)
	}
	return append(sizes, most)
}

func payload(events []json.RawMessage, count int) []byte {
	payload := []byte{'['}
	for i := range count {
		payload = append(append(payload, events[i%len(events)]...), ',')
	}
	payload[len(payload)-1] = ']'
	return payload
}

func outOfMemory(err error) bool {
	var failure *instance.FunctionError
	return errors.As(err, &failure) && failure.Type == instance.TypeMemory
}

// explain says of a call that failed what to do.
func explain(ctx context.Context, when string, err error) error {
	var failure *instance.FunctionError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.As(err, &failure):
		return err
	}
	return fmt.Errorf("the function fails on event.json%s, so it cannot be measured: %w; `fclocal invoke` shows its logs", when, err)
}

// A measurement is what the sizes share.
type measurement struct {
	Options
	host  *instance.Host
	calls atomic.Int64
}

func (m *measurement) spec() instance.Spec {
	return instance.Spec{Project: m.Project, Binary: m.Binary, Args: m.Args, CodeDir: m.CodeDir, ID: "c-measure", Logs: m.Logs}
}

func (m *measurement) start() (*instance.Instance, error) {
	return m.host.Start(m.spec())
}

// call makes a call that must not fail.
func (m *measurement) call(ctx context.Context, process *instance.Instance, payload []byte) (instance.Result, error) {
	result, err := process.Invoke(ctx, instance.Call{RequestID: "measure-" + strconv.FormatInt(m.calls.Add(1), 10), Payload: payload})
	if err == nil && result.Error != nil {
		err = result.Error
	}
	return result, err
}

// coldStart is the median of several. Each makes the call that `fclocal invoke`
// makes.
func (m *measurement) coldStart(ctx context.Context) (time.Duration, error) {
	var times []time.Duration
	for range coldStarts {
		process, err := m.start()
		if err != nil {
			return 0, err
		}
		result, err := m.call(ctx, process, m.Event)
		process.Stop()
		if err != nil {
			return 0, err
		}
		times = append(times, result.Init)
	}
	return median(times), nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// A size is a batch size that is being measured, in instances of its own.
type size struct {
	*measurement
	result.Point
	payload   []byte
	processes []*instance.Instance // the first one also takes the calls that are alone

	rounds          int
	logged          int64           // bytes, in all rounds
	durations, cpus []time.Duration // of rounds
	spent           time.Duration   // in all rounds
	block           int             // calls that a round makes with others in flight
}

func stop(sizes []*size) {
	for _, s := range sizes {
		for _, process := range s.processes {
			process.Stop()
		}
	}
}

// warmUp makes the calls that do not count, as the heap grows, and learns how
// many make a block.
func (s *size) warmUp(ctx context.Context) error {
	s.InFlight = 1
	for range warmUpCalls {
		if _, err := s.alone(ctx, warmUpTime/warmUpCalls); err != nil {
			return err
		}
	}
	s.AloneMemory = s.processes[0].PeakMemory()

	s.InFlight = max(min(s.Options.InFlight, maximumEventsInFlight/s.Events, maximumBytesInFlight/len(s.payload)), 1)
	s.block = s.InFlight * s.Instances
	begin := time.Now()
	if err := s.sideBySide(ctx); err != nil {
		return err
	}
	s.block = max(s.block, int(inFlightTime*time.Duration(s.block)/max(time.Since(begin), 1)))
	return nil
}

func (s *size) round(ctx context.Context) error {
	if s.rounds == 0 {
		if err := s.warmUp(ctx); err != nil {
			return err
		}
	}
	if s.spent > enough && s.rounds >= fewRounds || s.spent > tooMuch {
		return nil
	}
	begin, logged := time.Now(), s.loggedSoFar()
	durations, err := s.alone(ctx, aloneTime)
	if err != nil {
		return err
	}
	duration := median(durations)
	cpu := duration
	before, _ := s.cpuTime()
	if err := s.sideBySide(ctx); err != nil {
		return err
	}
	if after, told := s.cpuTime(); told {
		cpu = (after - before) / time.Duration(s.block)
	}
	s.spent += time.Since(begin)
	s.rounds++

	s.durations, s.cpus = append(s.durations, duration), append(s.cpus, cpu)
	s.Duration, s.CPU = slices.Min(s.durations), slices.Min(s.cpus)
	if s.Typical {
		s.Duration, s.CPU = median(s.durations), median(s.cpus)
	}
	s.Calls += len(durations) + s.block
	s.logged += s.loggedSoFar() - logged
	s.LogBytes = float64(s.logged) / float64(s.Calls)
	for _, process := range s.processes {
		s.Memory = max(s.Memory, process.PeakMemory())
	}
	if s.InFlight == 1 {
		s.AloneMemory = s.Memory
	}
	return nil
}

// alone makes calls one after another, at least one and for as long as is said,
// and returns the duration of each.
func (s *size) alone(ctx context.Context, least time.Duration) ([]time.Duration, error) {
	var durations []time.Duration
	for begin := time.Now(); len(durations) == 0 || time.Since(begin) < least; {
		result, err := s.call(ctx, s.processes[0], s.payload)
		if err != nil {
			return nil, err
		}
		durations = append(durations, result.Duration)
	}
	return durations, nil
}

// loggedSoFar is what all processes have written into a file of logs.
func (m *measurement) loggedSoFar() int64 {
	file, ok := m.Logs.(*os.File)
	if !ok {
		return 0
	}
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// cpuTime is that of all instances; false where it is not told.
func (s *size) cpuTime() (all time.Duration, told bool) {
	for _, process := range s.processes {
		spent, told := process.CPUTime()
		if !told {
			return 0, false
		}
		all += spent
	}
	return all, true
}

// sideBySide makes the calls of a block, InFlight at a time in every instance.
func (s *size) sideBySide(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var begun atomic.Int64
	var lanes sync.WaitGroup
	for _, process := range s.processes {
		for range s.Point.InFlight {
			lanes.Go(func() {
				for ctx.Err() == nil && begun.Add(1) <= int64(s.block) {
					if _, err := s.call(ctx, process, s.payload); err != nil {
						cancel(err) // the first of several counts
					}
				}
			})
		}
	}
	lanes.Wait()
	return context.Cause(ctx)
}
