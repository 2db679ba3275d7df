package plan

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Burst is when much comes at once. In each Every from the start of the load on there
// is one, at a moment that comes by chance and is the same for all partitions. What is
// left at the end and shorter than that has none. Between bursts less comes, so that
// each Every has as many messages as without them.
type Burst struct {
	Rate  float64       // times the mean rate, 1 or more
	For   time.Duration // above 0, up to Every
	Every time.Duration // up to For of the Load
}

// What is at most in a load bounds the memory of its curve.
const (
	burstsAtMost = 1_000_000
	ratesAtMost  = 1_000_000 // of all days, each as often as it comes
)

// CheckBursts finds bursts that cannot be in the load. An error names the options.
func (l Load) CheckBursts() error {
	b, load := l.Burst, l.For
	share := b.Rate * b.For.Seconds() / b.Every.Seconds()
	switch {
	case !(b.Rate >= 1) || b.Rate > 1e9:
		return fmt.Errorf("--burst-rate %v: it must be 1 or more times the mean rate", b.Rate)
	case b.For <= 0 || b.Every <= 0:
		return fmt.Errorf("--burst-for %v and --burst-every %v: they must be above 0", b.For, b.Every)
	case b.For > b.Every:
		return fmt.Errorf("--burst-for %v: it must be at most the %v of --burst-every", b.For, b.Every)
	case b.Every > load:
		return fmt.Errorf("--burst-every %v: there is none within the %v of the load: shorten it, or lengthen --for", b.Every, load)
	case share > 1+1e-9:
		return fmt.Errorf("--burst-rate %v for %v of each %v is %.3g times what comes at the mean rate, so that nothing is left between bursts: --burst-rate can be at most %.6g",
			b.Rate, b.For, b.Every, share, b.Every.Seconds()/b.For.Seconds())
	case load/b.Every > burstsAtMost:
		return fmt.Errorf("--burst-every %v: there must be at most a million of them within the %v of the load", b.Every, load)
	case int(load/day+1)*len(l.Rates) > ratesAtMost:
		return fmt.Errorf("with bursts the rate may change a million times at most within the %v of the load: shorten --for, or have fewer lines in --rate-file", load)
	}
	return nil
}

// curve is the load's with the bursts in it. base is without them.
func (b Burst) curve(load Load, base *curve, seed uint64) *curve {
	random := rand.New(rand.NewPCG(seed, chanceOfBursts))
	if base == nil { // steady
		rate := load.steadyRate()
		base = &curve{segments: []segment{{until: load.For, rate: rate}}, period: load.For, perPeriod: rate * float64(load.For)}
	}
	c := &curve{end: load.For, period: load.For}
	for start := time.Duration(0); start < load.For; start += b.Every {
		end := start + b.Every
		if end > load.For {
			c.append(base, start, load.For, 1)
			break
		}
		from := start + time.Duration(random.Int64N(int64(b.Every-b.For)+1))
		until := from + b.For
		all, within := base.passed(end)-base.passed(start), base.passed(until)-base.passed(from)
		rate, between := 1.0, 1.0
		if within > 0 && within < all*(1-1e-9) {
			rate = min(b.Rate, all/within) // with rates that change, the burst may be in most of them
			between = max(0, all-rate*within) / (all - within)
		}
		c.append(base, start, from, between)
		c.append(base, from, until, rate)
		c.append(base, until, end, between)
	}
	return c
}

// append adds what another curve has in a time, that many times over.
func (c *curve) append(other *curve, from, until time.Duration, times float64) {
	for from < until {
		s, midnight := other.at(from)
		end := min(until, midnight+s.until)
		rate := s.rate * times
		c.segments = append(c.segments, segment{from, end, c.perPeriod, rate})
		c.perPeriod += float64(end-from) * rate
		c.highest = max(c.highest, rate)
		from = end
	}
}

// steadyRate is the only one of a load whose rate does not change.
func (l Load) steadyRate() float64 {
	if len(l.Rates) == 1 {
		return l.Rates[0].PerSecond
	}
	return l.Rate
}

// burstMessages is how many more a burst brings than the mean rate, at most.
func (d *driver) burstMessages() float64 {
	if d.Load.Arrivals != Bursts {
		return 0
	}
	b := d.Load.Burst
	return d.curve.highest * b.For.Seconds() * (1 - 1/b.Rate)
}
