package plan

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// chance is how the messages of a task come by chance: a Poisson process, given how
// many come in all, so that each is anywhere in the load with the same probability,
// whatever the others do. Positions are those of the curve.
//
// Only what is asked for is drawn. Between two knots as many messages are known to
// come, each anywhere in between, so that the place of one of them is a draw from a
// beta distribution. What is drawn later does not change what was before, and a
// batch takes a few draws, however large it is.
type chance struct {
	random *rand.Rand
	knots  []knot // in order; the first has all that is no longer needed before it
	start  int    // of those that are needed
}

// knot says that n messages have come by a position, the last of them there, but for the
// first knot and the last.
type knot struct {
	n  float64
	at float64
}

func newChance(random *rand.Rand, n int64, end float64) *chance {
	// The message behind the last one stands for the end.
	return &chance{random: random, knots: []knot{{0, 0}, {float64(n) + 1, end}}}
}

// after returns the first knot that has more than n messages.
func (c *chance) after(n float64) int {
	knots := c.knots[c.start:]
	i, found := slices.BinarySearchFunc(knots, n, func(k knot, n float64) int { return cmp.Compare(k.n, n) })
	if found {
		i++
	}
	return c.start + i
}

// at returns the position of a message, which are numbered from 0.
func (c *chance) at(number int64) float64 {
	n := float64(number) + 1
	i := c.after(n - 1)
	to := c.knots[i]
	if to.n == n {
		return to.at
	}
	from := c.knots[i-1]
	at := from.at + (to.at-from.at)*c.beta(n-from.n, to.n-n)
	c.knots = slices.Insert(c.knots, i, knot{n, at})
	return at
}

// about is at without a draw: where the message is on average.
func (c *chance) about(number int64) float64 {
	n := float64(number) + 1
	i := c.after(n - 1)
	from, to := c.knots[i-1], c.knots[i]
	return from.at + (to.at-from.at)*(n-from.n)/(to.n-from.n)
}

// by returns how many messages come by a position.
func (c *chance) by(at float64) int64 {
	for {
		knots := c.knots[c.start:]
		i, _ := slices.BinarySearchFunc(knots, at, func(k knot, at float64) int {
			if k.at <= at {
				return -1
			}
			return 1
		})
		i = min(max(i, 1), len(knots)-1)
		from, to := knots[i-1], knots[i]
		between := to.n - from.n - 1
		if between == 0 || to.at <= at {
			return int64(to.n) - 1
		}
		// The one that is most likely the first after it.
		next := math.Floor(min((at-from.at)/(to.at-from.at)*between, between-1))
		c.at(int64(from.n + max(next, 0)))
	}
}

// forget lets go of what was before a message.
func (c *chance) forget(number int64) {
	for c.start+2 < len(c.knots) && c.knots[c.start+1].n <= float64(number) {
		c.start++
	}
	if c.start > len(c.knots)/2 { // reuse the space
		c.knots = slices.Delete(c.knots, 0, c.start)
		c.start = 0
	}
}

// beta draws from the beta distribution: where the a-th of a+b-1 is that are anywhere
// from 0 to 1.
func (c *chance) beta(a, b float64) float64 {
	if a == 1 {
		return -math.Expm1(-c.random.ExpFloat64() / b)
	}
	if b == 1 {
		return math.Exp(-c.random.ExpFloat64() / a)
	}
	x, y := c.gamma(a), c.gamma(b)
	return x / (x + y)
}

// gamma draws from the gamma distribution of a shape of 1 or more, by Marsaglia's and
// Tsang's method.
func (c *chance) gamma(shape float64) float64 {
	d := shape - 1.0/3
	scale := 1 / math.Sqrt(9*d)
	for {
		x := c.random.NormFloat64()
		v := 1 + scale*x
		if v <= 0 {
			continue
		}
		v *= v * v
		u := c.random.Float64()
		if u < 1-0.0331*x*x*x*x || math.Log(u) < 0.5*x*x+d*(1-v+math.Log(v)) {
			return d * v
		}
	}
}
