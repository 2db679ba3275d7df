package stream

import (
	"time"

	"fclocal/internal/pool"
	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

// samplesAtMost bounds the memory of the samples: beyond it, they are taken
// half as often.
const samplesAtMost = 2000

// coldStart counts an instance's start with its first call.
func (e *engine) coldStart(id trigger.InstanceID, took time.Duration) {
	if took == 0 || e.pool.Counted(id) {
		return
	}
	e.totals.ColdStarts++
	e.totals.ColdStartTime += took
}

// recordLatencies records how long each message of a batch has waited. Its call has just
// ended, as the model has it.
func (e *engine) recordLatencies(a trigger.Delivered) {
	starting := min(e.delivery(a.Batch).waited, a.Spent[trigger.InCall])
	a.Spent[trigger.ColdStart] = starting
	a.Spent[trigger.InCall] -= starting
	spent, ended := *a.Spent, a.Batch.Closed
	for _, part := range spent {
		ended += part
	}
	e.each(a.Batch, func(r stored) error {
		e.model.Gather(&spent, a, r.readable, r.fetched)
		e.totals.Latencies.Record(ended-r.readable, &spent, 1)
		return nil
	})
}

// sample records a moment for the plot and tells Progress; it reports whether
// the interval has changed.
func (e *engine) sample() (changed bool) {
	stats := e.model.Stats()
	now, rate := e.now(), 0.0
	if n := len(e.totals.Samples); n > 0 {
		rate = float64(stats.Delivered-e.sampled) / (now - e.totals.Samples[n-1].At).Seconds()
	}
	e.sampled = stats.Delivered
	produced := e.produced()
	lag := produced - (stats.Delivered + stats.DeadLettered + stats.Discarded + e.totals.Filtered + e.totals.TakenByOthers + e.totals.Lost)
	e.totals.Samples = append(e.totals.Samples, result.Sample{
		At: now, Instances: stats.Instances, InFlight: stats.InFlight, EventsPerSecond: rate, Lag: lag,
	})
	if len(e.totals.Samples) > samplesAtMost {
		half := e.totals.Samples[:0]
		for i := 1; i < len(e.totals.Samples); i += 2 {
			s := e.totals.Samples[i]
			s.EventsPerSecond = (s.EventsPerSecond + e.totals.Samples[i-1].EventsPerSecond) / 2
			half = append(half, s)
		}
		e.totals.Samples = half
		e.interval *= 2
		changed = true
	}
	if e.Progress != nil {
		e.Progress(result.State{
			Produced: produced, Delivered: stats.Delivered, InFlight: stats.InFlight, Instances: stats.Instances,
			EventsPerSecond: e.recentRate(), Lag: lag, Retries: stats.Retries,
		})
	}
	return changed
}

// recentRate is in events per second, over the last ten samples: calls that end
// in waves would have it flicker.
func (e *engine) recentRate() (rate float64) {
	recent := e.totals.Samples[max(0, len(e.totals.Samples)-10):]
	for _, s := range recent {
		rate += s.EventsPerSecond / float64(len(recent))
	}
	return rate
}

// end is the offset that the next message of a partition gets, as far as is known.
func (e *engine) end(id int32) int64 {
	end := e.topic.Partitions[id].End
	if e.source.ends != nil {
		known, _ := e.source.ends.of(id)
		end = max(end, known)
	}
	return end
}

// produced is the number of messages from where the stream began.
func (e *engine) produced() (n int64) {
	for id, p := range e.partitions {
		end := p.next
		if p.owned {
			end = max(end, e.end(id))
		}
		n += end - p.start
	}
	return n - e.totals.Skipped
}

func (e *engine) summarize(ended pool.Ended) {
	e.settle()
	e.totals.Stats = e.model.Stats()
	e.totals.Usage = e.model.Usage()
	e.totals.Redelivered += e.again
	e.totals.PeakMemory = ended.PeakMemory
	e.totals.CPULimit = e.CPU.Limit(e.Project)
	e.totals.CPUShare = e.CPU.Share(ended.CPU, ended.Busy)
	if e.Project.Service.Logs {
		e.totals.Logs = &result.Logs{Bytes: &ended.Logged}
	}
	for _, hook := range ended.Hooks {
		e.totals.Hooks.Add(hook)
	}
	e.totals.IdleTasks = e.Project.Trigger.MaximumTasks - len(e.idle)
	for _, idle := range e.idle {
		if idle {
			e.totals.IdleTasks++
		}
	}
}

// input is what has gone into the run.
func (e *engine) input() result.Input {
	load := e.source.load
	load.Partitions = len(e.partitions) // those that it was given
	return result.Input{
		Settings: e.Project.Settings(),
		Load:     load,
		Function: result.Function{EventTimeMs: result.Milliseconds(e.EventTime)},
		Account:  result.AccountOf(e.Rules),
		Trouble:  result.TroubleOf(e.Trouble),
	}
}
