package trigger

import "sort"

// Sizes tell how large the events of a partition's records are in the payload.
type Sizes interface {
	// Sum returns the bytes of the events of count records from first on, and their
	// EventUnits.
	Sum(first int64, count int) (bytes, units int64)
}

// sizes are those of an arrival's events.
type sizes struct {
	each int64 // unless they differ
	of   Sizes
}

func (a Arrival) sizes() sizes { return sizes{int64(a.EventBytes), a.Sizes} }

func (s sizes) sum(first int64, count int) (bytes, units int64) {
	if s.of != nil {
		return s.of.Sum(first, count)
	}
	return int64(count) * s.each, int64(count) * EventUnits(s.each)
}

// within returns how many records from first on, count at most, take so many bytes,
// with a separator for each.
func (s sizes) within(bytes, first int64, count int) int {
	switch {
	case bytes <= 0 || count <= 0:
		return 0
	case s.of == nil:
		return int(min(int64(count), bytes/(s.each+1)))
	}
	takes := func(n int) int64 {
		sum, _ := s.of.Sum(first, n)
		return sum + int64(n)
	}
	if takes(count) <= bytes { // as a rule
		return count
	}
	return sort.Search(count-1, func(i int) bool { return takes(i+1) > bytes })
}
