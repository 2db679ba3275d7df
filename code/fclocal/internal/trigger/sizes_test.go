package trigger

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type sizesOf []int

func (s sizesOf) Sum(first int64, count int) (bytes, units int64) {
	for _, size := range s[first : first+int64(count)] {
		bytes += int64(size)
		units += EventUnits(int64(size))
	}
	return bytes, units
}

// Records of any sizes go into the same batches, and are billed alike, whether they are
// told one by one or as many as there is room for.
func TestSizes(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		config := stream(func(c *Config) {
			c.CountBasedWindow, c.TimeBasedWindow, c.Concurrency, c.DeadLetterQueue = 1+random.IntN(50), time.Hour, 300, true
			c.BodyLimit, c.ErrorsTolerated = 200_000, true
		})
		sizes := make(sizesOf, 400)
		for i := range sizes {
			sizes[i] = 1 + random.IntN([]int{100, 20_000, 210_000}[random.IntN(3)])
		}
		apart, together := New(config), New(config)
		var want, got []Action
		for _, m := range []*Model{apart, together} {
			m.Assign(0, 0, 0, 0)
		}
		for i, size := range sizes {
			want = append(want, apart.Arrive(0, Arrival{Range: Range{FirstOffset: int64(i), Count: 1}, EventBytes: size})...)
		}
		for told := 0; told < len(sizes); {
			arrival := Arrival{Range: Range{FirstOffset: int64(told), Count: len(sizes) - told}, Sizes: sizes}
			if random.IntN(2) == 0 {
				arrival.Count = min(max(together.Room(0, arrival), 1), arrival.Count)
			}
			got = append(got, together.Arrive(0, arrival)...)
			told += arrival.Count
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %+v, want %+v", seed, got, want)
		}
		if diff := cmp.Diff(apart.Usage(), together.Usage()); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}
