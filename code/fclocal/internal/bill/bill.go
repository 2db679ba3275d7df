// Package bill computes what Function Compute (FC), EventBridge and Log Service charge for a
// run, from its result alone.
//
// The units, factors and tiers are documented, and so is that each hour's CU are
// rounded up. Inferred are: all that [trigger.Usage] says is; a GB is 1,024 MB; tiers
// are filled by this function alone; the event stream has as many capacity units as the
// load of each hour needs, for as long as it runs; logs are billed by the data that the
// function writes, without what FC adds to each line.
package bill

import (
	"math"
	"slices"

	"fclocal/internal/result"
	"fclocal/internal/trigger"
)

const (
	month      = 30 * 24 // hours
	noise      = 1e-9    // of CU, by which a sum of floating-point numbers may be too high
	overloaded = 0.01    // a capacity unit that has so much too much is still one
)

// Charge bills a run.
func (p *Prices) Charge(run *result.Run) {
	lasts := run.WallSeconds / 3600
	hours := make([]hour, max(1, len(run.Usage), int(math.Ceil(lasts))))
	for i := range hours {
		if i < len(run.Usage) {
			hours[i] = newHour(run.Usage[i])
		}
		hours[i].lasts = min(1, max(lasts-float64(i), 0))
	}
	run.Bill = &result.Bill{Currency: p.Currency, PricesOf: p.date, Run: p.charges(run.Settings, hours, 1)}
	p.chargeLogs(&run.Bill.Run, run.Logs, 1)
	if run.Recurs() && run.Pending == 0 && run.Stopped == "" {
		again, times := recurring(hours, run.Load.DurationSeconds/3600)
		charges := p.charges(run.Settings, again, times)
		p.chargeLogs(&charges, run.Logs, month/(run.Load.DurationSeconds/3600))
		charges.FunctionCompute.YearlyPlans = p.compute.cheapestPlans(charges.FunctionCompute)
		run.Bill.Per30Days = &charges
	}
}

// A Use is what a load uses of the platform at least.
type Use struct {
	Calls, BusySeconds float64
	Events, EventUnits float64 // see trigger.Usage
	EventBytes         float64
	Hours              float64 // that the event stream runs
	Times              float64 // how often all of that is used in 30 days, or 1
}

// AtLeast is a price that a run with these settings and that use does not cost less than;
// known is false if there is none. It rounds up neither the CU of an hour nor capacity units.
func (p *Prices) AtLeast(settings result.Settings, u Use) (price float64, known bool) {
	f := p.compute.use(settings, hour{calls: u.Calls * u.Times, busy: u.BusySeconds * u.Times})
	if f.VCPUCU == nil {
		return 0, false
	}
	for i, within := range p.compute.inTiers(sum(f)) {
		price += within * p.compute.tiers[i].price
	}
	stream := math.Inf(1)
	if p.streams.millionEvents != nil {
		stream = u.EventUnits * u.Times / 1e6 * *p.streams.millionEvents
	}
	if p.streams.capacityUnitHour != nil {
		seconds := max(u.Hours*3600, 1e-9)
		needed := max(u.Events/seconds/p.streams.eventsPerSecond, u.EventBytes/seconds/(p.streams.megabytesPerSecond*(1<<20))) - overloaded
		stream = min(stream, u.Hours*u.Times*max(1, needed)**p.streams.capacityUnitHour)
	}
	if !math.IsInf(stream, 1) {
		price += stream
	}
	return price, true
}

// hour is what was used in an hour, or the last part of one.
type hour struct {
	lasts                             float64 // hours
	calls, busy, events, units, bytes float64 // busy is in seconds
}

func newHour(u trigger.Usage) hour {
	return hour{
		calls: float64(u.Calls), busy: u.Busy.Seconds(),
		events: float64(u.Events), units: float64(u.EventUnits), bytes: float64(u.EventBytes),
	}
}

func (h *hour) add(more hour, times float64) {
	h.calls += times * more.calls
	h.busy += times * more.busy
	h.events += times * more.events
	h.units += times * more.units
	h.bytes += times * more.bytes
}

// recurring returns the hours of a load that comes again and again, and how often it
// does in 30 days. What was done after the load has ended is done in the hours of the
// next then. A load of less than an hour fills one.
func recurring(hours []hour, load float64) (again []hour, times float64) {
	if load < 1 {
		again = []hour{{lasts: 1}}
		for _, h := range hours {
			again[0].add(h, 1/load)
		}
		return again, month
	}
	again = make([]hour, int(math.Ceil(load)))
	for i := range again {
		again[i].lasts = min(1, load-float64(i))
	}
	for i, h := range hours {
		again[i%len(again)].add(h, 1)
	}
	return again, month / load
}

// charges bills hours that come so often.
func (p *Prices) charges(settings result.Settings, hours []hour, times float64) result.Charges {
	var all hour
	for _, h := range hours {
		all.add(h, times)
	}
	c := result.Charges{FunctionCompute: p.compute.use(settings, all), EventBridge: p.streams.charges(hours, all, times)}
	if c.FunctionCompute.VCPUCU != nil {
		cu := 0.0
		for i, h := range hours {
			cu += times * math.Ceil(sum(p.compute.use(settings, h))-noise)
			if (i+1)%month == 0 || i+1 == len(hours) {
				p.compute.charge(&c.FunctionCompute, cu)
				cu = 0
			}
		}
		c.FunctionCompute.Tiers = slices.DeleteFunc(c.FunctionCompute.Tiers, func(t result.Tier) bool { return t.CU == 0 })
	}
	price := c.EventBridge.ByEvents.Price
	if c.EventBridge.Cheaper == result.ByCapacity {
		price = c.EventBridge.ByCapacity.Price
	}
	if fc := c.FunctionCompute.Price; fc != nil && price != nil {
		both := *fc + *price
		c.Price = &both
	}
	return c
}

// chargeLogs adds what is logged so often.
func (p *Prices) chargeLogs(c *result.Charges, logs *result.Logs, times float64) {
	if logs == nil {
		return
	}
	c.LogService = &result.LogCharges{}
	if logs.Bytes == nil {
		return
	}
	gb := float64(*logs.Bytes) * times / (1 << 30)
	c.LogService.GB = &gb
	if p.logs == nil {
		return
	}
	price := gb * *p.logs
	c.LogService.Price = &price
	if c.Price != nil {
		sum := *c.Price + price
		c.Price = &sum
	}
}

// use is what was used, without what it costs.
func (p computePrices) use(settings result.Settings, h hour) result.FunctionCharges {
	number := func(name string) float64 {
		switch value := settings.Value(name).(type) {
		case int:
			return float64(value)
		case float64:
			return value
		}
		return 0
	}
	f := result.FunctionCharges{
		Calls:           h.calls,
		MemoryGBSeconds: h.busy * number("memorySize") / 1024,
		DiskGBSeconds:   h.busy * max(0, number("diskSize")-p.freeDisk) / 1024,
	}
	f.CallsCU = f.Calls / 10_000 * p.tenThousandCalls
	f.MemoryCU = f.MemoryGBSeconds * p.memoryGBSecond
	f.DiskCU = f.DiskGBSeconds * p.diskGBSecond
	if cpu := number("cpu"); cpu > 0 {
		seconds := h.busy * cpu
		cu := seconds * p.vcpuSecond
		f.VCPUSeconds, f.VCPUCU = &seconds, &cu
	}
	return f
}

func sum(f result.FunctionCharges) float64 {
	return f.CallsCU + *f.VCPUCU + f.MemoryCU + f.DiskCU
}

// charge adds the CU of a month.
func (p computePrices) charge(f *result.FunctionCharges, cu float64) {
	if f.CU == nil {
		f.CU, f.Price = new(float64), new(float64)
		f.Tiers = make([]result.Tier, len(p.tiers))
		for i, t := range p.tiers {
			f.Tiers[i].Price = t.price
		}
	}
	*f.CU += cu
	for i, within := range p.inTiers(cu) {
		f.Tiers[i].CU += within
		*f.Price += within * p.tiers[i].price
	}
}

// inTiers splits the CU of a month.
func (p computePrices) inTiers(cu float64) []float64 {
	split := make([]float64, len(p.tiers))
	for i, t := range p.tiers {
		end := math.Inf(1)
		if i+1 < len(p.tiers) {
			end = p.tiers[i+1].from
		}
		split[i] = max(0, min(cu, end)-t.from)
	}
	return split
}

// cheapestPlans returns the yearly plans with which 30 days cost least, beside what is
// left to pay as it goes; nil if none make them cheaper.
func (p computePrices) cheapestPlans(f result.FunctionCharges) *result.YearlyPlans {
	if f.CU == nil {
		return nil
	}
	const months = 365.0 / 30
	best := p.withPlans(*f.CU*months, len(p.plans), func(rest float64) (year float64) {
		for i, within := range p.inTiers(rest / months) {
			year += months * within * p.tiers[i].price
		}
		return year
	})
	if best.Plans == nil {
		return nil
	}
	best.Price /= months
	return &best
}

// withPlans returns what so many CU of a year cost with the first few of the plans, from
// the largest on: as many as are used up, and then smaller ones or one more.
func (p computePrices) withPlans(cu float64, few int, payAsYouGo func(cu float64) float64) result.YearlyPlans {
	if few == 0 {
		return result.YearlyPlans{Price: payAsYouGo(cu)}
	}
	plan := p.plans[few-1]
	count := math.Floor(cu / plan.cu)
	smaller := p.withPlans(cu-count*plan.cu, few-1, payAsYouGo)
	if plan.price < smaller.Price {
		count, smaller = count+1, result.YearlyPlans{}
	}
	smaller.Price += count * plan.price
	if count > 0 {
		smaller.Plans = append([]result.YearlyPlan{{CU: plan.cu, Count: count}}, smaller.Plans...)
	}
	return smaller
}

func (p streamPrices) charges(hours []hour, all hour, times float64) result.StreamCharges {
	var c result.StreamCharges
	c.ByEvents.Events = all.units
	for _, h := range hours {
		if seconds := h.lasts * 3600; seconds > 0 {
			needed := max(h.events/seconds/p.eventsPerSecond, h.bytes/seconds/(p.megabytesPerSecond*(1<<20)))
			c.ByCapacity.UnitHours += times * h.lasts * max(1, math.Ceil(needed-overloaded))
		}
	}
	if p.millionEvents != nil {
		price := c.ByEvents.Events / 1e6 * *p.millionEvents
		c.ByEvents.Price, c.Cheaper = &price, result.ByEvents
	}
	if p.capacityUnitHour != nil {
		price := c.ByCapacity.UnitHours * *p.capacityUnitHour
		c.ByCapacity.Price = &price
		if c.ByEvents.Price == nil || price < *c.ByEvents.Price {
			c.Cheaper = result.ByCapacity
		}
	}
	return c
}
