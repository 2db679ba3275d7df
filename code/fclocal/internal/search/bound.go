package search

import (
	"math"
	"time"

	"fclocal/internal/bill"
	"fclocal/internal/plan"
)

// assess sets what is known of a candidate without planning it; false if it cannot keep up.
func (s *searcher) assess(c *candidate) bool {
	project := s.project(*c, c.shape.memories[0])
	c.changes = 0
	for _, name := range names {
		if _, varied := s.Vary[name]; varied && name != memory && today(project, name) != today(s.Today, name) {
			c.changes++
		}
	}
	p := s.Plan(project)
	l := newLoad(p)
	least := l.least(p)
	price, known := s.Prices.AtLeast(p.Settings, least.use)
	if known {
		c.bound = price
	}
	var busy float64
	c.calls, busy, c.estimate = l.estimate(p)
	use := least.use
	use.Calls, use.BusySeconds = max(use.Calls, c.calls), max(use.BusySeconds, busy)
	c.guess, _ = s.Prices.AtLeast(p.Settings, use)
	// What the calls need on average; 10 % more is no matter of chance.
	if seconds := l.seconds; seconds > 0 && p.Load.Backlog == 0 {
		r := p.Rules
		instances := math.Min(math.Ceil(float64(r.Concurrency)/math.Max(1, float64(min(r.InstanceConcurrency, max(r.InstanceSoftConcurrency, 1))))), float64(r.MaxInstances))
		if least.callSeconds > 1.1*seconds*math.Min(float64(r.Concurrency), float64(r.MaxInstances*r.InstanceConcurrency)) || least.cpuSeconds > 1.1*seconds*instances*p.Function.CPU {
			return false
		}
	}
	return true
}

// load is a plan's, in figures.
type load struct {
	messages float64
	seconds  float64 // for which they come; 0 of a backlog alone
	perTask  float64 // messages a second, on average
	peak     float64 // rate, in mean ones
}

func newLoad(p plan.Config) load {
	l := load{messages: float64(p.Load.Messages()), peak: 1}
	if p.Load.Arrivals == plan.Bursts {
		l.peak = p.Load.Burst.Rate
	}
	coming := l.messages - float64(p.Load.Backlog)
	if coming > 0 {
		l.seconds = p.Load.For.Seconds()
		mean := coming / l.seconds
		l.perTask = mean / float64(min(p.Rules.MaximumTasks, p.Load.Partitions))
		for _, r := range p.Load.Rates {
			l.peak = max(l.peak, r.PerSecond/mean)
		}
	}
	return l
}

// least is what all calls of a load take at least when they deliver all messages.
type least struct {
	use                     bill.Use
	callSeconds, cpuSeconds float64
}

// least is a true lower bound but for the chance that the times of all calls are far below
// their mean together: six times their standard deviation, where that is not more than a
// single time may be.
func (l load) least(p plan.Config) least {
	f := p.Function
	n, units, bytes := float64(p.Rules.CountBasedWindow), 1.0, 0.0
	if p.Load.Sizes == nil {
		bytes = float64(p.Load.EventBytes)
		n = math.Min(n, math.Max(1, float64(p.Rules.BodyLimit)/math.Max(1, bytes)))
		units = math.Max(1, math.Ceil(bytes/(64<<10)))
	}
	calls := math.Max(math.Ceil(l.messages/n), l.byWindows(p, n))
	short := 1 - f.Spread*math.Min(1, 6/math.Sqrt(3*math.Max(calls, 1)))
	work := short * (calls*f.CallCPU.Seconds() + l.messages*f.EventCPU.Seconds())
	wait := short * (calls*f.CallTime.Seconds() + l.messages*f.EventTime.Seconds())
	a := least{callSeconds: wait + work, cpuSeconds: work}
	together := math.Max(1, math.Min(float64(p.Rules.InstanceConcurrency), float64(p.Rules.Concurrency))) // calls of an instance at a time
	busy := wait / together
	if work > 0 {
		busy = math.Max(busy, work/f.CPU)
	}
	a.use = bill.Use{
		Calls: calls, BusySeconds: busy,
		Events: l.messages, EventUnits: l.messages * units, EventBytes: l.messages * bytes,
		Times: 1,
	}
	if l.seconds > 0 && p.Load.Backlog == 0 { // it recurs
		a.use.Hours = l.seconds / 3600
		a.use.Times = 30 * 24 / a.use.Hours
	}
	return a
}

// byWindows is a number of calls that is not exceeded by chance alone: batches get larger
// than what comes within TimeBasedWindow only while all of concurrency is in use, which is
// as long as the calls together can fill it. Messages that come by chance, one by one, come
// then as often as at other times (PASTA); of others, and of calls whose time depends on
// each other, nothing of that kind is known.
func (l load) byWindows(p plan.Config, most float64) float64 {
	f, r := p.Function, p.Rules
	chance := l.seconds > 0 && p.Load.Backlog == 0 && p.Load.Arrivals == plan.Poisson && p.Load.Group <= 1 && p.Load.Skew == 0
	alike := f.CallCPU+f.EventCPU == 0 && f.Times.Samples == nil && p.Trouble.Slow == 0 && !troubled(p)
	if !chance || !alike {
		return 0
	}
	const sure = 0.9
	rate := l.peak * l.messages / l.seconds
	n := math.Min(most, 1+l.peak*l.perTask*r.TimeBasedWindow.Seconds())
	free := 1 - rate*f.EventTime.Seconds()/float64(r.Concurrency)
	return sure * l.messages * math.Max(free, 0) / (n + rate*f.CallTime.Seconds()/float64(r.Concurrency))
}

// troubled says whether calls fail on purpose.
func troubled(p plan.Config) bool {
	return len(p.Trouble.Outages) > 0 || p.Trouble.ErrorRate > 0 || p.Trouble.KillInstances > 0
}

// estimate says about how many calls a load takes, for how many seconds instances have one,
// and in how many seconds 99 % of the messages are finished. It decides only what is planned
// first, and how much of the load.
func (l load) estimate(p plan.Config) (calls, busy, seconds float64) {
	f, r := p.Function, p.Rules
	perCall := (f.CallTime + p.Trouble.Slow).Seconds()
	perEvent := f.EventTime.Seconds()
	if f.Times.Samples != nil {
		if mean := f.Times.Mean() / 1e9; f.Times.OfEvents {
			perEvent += mean
		} else {
			perCall += mean
		}
	}
	if f.CPU > 0 {
		power := math.Min(f.CPU, 1)
		perCall += f.CallCPU.Seconds() / power
		perEvent += f.EventCPU.Seconds() / power
	}
	concurrency := float64(r.Concurrency)
	together := math.Min(float64(r.InstanceConcurrency), concurrency)
	most := math.Min(float64(r.CountBasedWindow), math.Max(l.messages, 1))
	if l.seconds == 0 {
		calls = l.messages / most
		all := calls * (perCall + most*perEvent)
		return calls, all / together, all / concurrency
	}
	rate := l.perTask * float64(min(r.MaximumTasks, p.Load.Partitions))
	n := math.Min(most, l.perTask*r.TimeBasedWindow.Seconds()+1)
	// Calls that find all of concurrency in use get larger.
	if free := concurrency - rate*perEvent; free > 0 {
		n = math.Min(most, math.Max(n, rate*perCall/free))
	} else {
		n = most
	}
	calls = l.messages / n
	inFlight := rate / n * (perCall + n*perEvent)
	if inFlight < together {
		busy = l.seconds * (1 - math.Exp(-inFlight)) // by chance none is
	} else {
		busy = l.seconds * inFlight / together
	}
	seconds = math.Min(most/l.perTask, r.TimeBasedWindow.Seconds()) + perCall + n*perEvent
	used := l.peak * inFlight / concurrency
	if f.CPU > 0 {
		work := calls*f.CallCPU.Seconds() + l.messages*f.EventCPU.Seconds()
		busy = math.Max(busy, work/f.CPU)
		used = math.Max(used, l.peak*work/l.seconds/(f.CPU*math.Ceil(concurrency/together)))
	}
	if used < 1 {
		return calls, busy, seconds * (1 + used/(1-used)/concurrency)
	}
	return calls, busy, seconds + l.seconds*used
}

// shorten returns a plan with a part of the load that takes about so many calls, where one
// can stand for the whole: a load at one rate is cut off, and one that changes over the day
// goes through it faster. What is in the topic at the start is not cut, and neither is what was
// recorded.
func shorten(p plan.Config, calls, most float64) (plan.Config, bool) {
	share := most / calls
	l := p.Load
	if share >= 0.9 || l.Backlog > 0 || l.For <= 0 || l.Recording != nil || len(p.Trouble.Outages) > 0 {
		return p, false
	}
	windows := 20 * p.Rules.TimeBasedWindow
	if l.Arrivals == plan.Bursts {
		windows = max(windows, 4*l.Burst.Every)
	}
	if len(l.Rates) < 2 {
		short := max(time.Duration(share*float64(l.For)), windows, time.Minute).Round(time.Second)
		if short >= l.For*9/10 {
			return p, false
		}
		p.Load.For = short
		return p, true
	}
	const day = 24 * time.Hour
	days := l.For
	if l.For > day && l.For%day == 0 { // they are all the same
		l.For = day
		share *= float64(days) / float64(day)
	}
	shortest := day
	for i, r := range l.Rates {
		until := day
		if i+1 < len(l.Rates) {
			until = l.Rates[i+1].From
		}
		shortest = min(shortest, until-r.From)
	}
	share = max(share, float64(max(windows/5, time.Minute))/float64(shortest))
	if l.For <= day && share < 0.9 {
		l.For = time.Duration(share * float64(l.For))
		rates := make([]plan.Rate, len(l.Rates))
		for i, r := range l.Rates {
			rates[i] = plan.Rate{From: time.Duration(share * float64(r.From)), PerSecond: r.PerSecond}
		}
		l.Rates = rates
	}
	p.Load = l
	return p, l.For < days
}
