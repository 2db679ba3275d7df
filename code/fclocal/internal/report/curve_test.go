package report

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPath(t *testing.T) {
	values := []value{{0, 0}, {1, 4}, {2, 4}, {3, 1}, {4, 1}}
	if got, want := (curve{Points: scale(values, 4, 4, true)}).Path(), "M0 1000H250V0H750V750H1000"; got != want {
		t.Errorf("steps: %s, want %s", got, want)
	}
	if got, want := (curve{Points: scale(values, 4, 4, false)}).Path(), "M0 1000L250 0H500L750 750H1000"; got != want {
		t.Errorf("lines: %s, want %s", got, want)
	}
	if got, want := (curve{Points: scale(values[:1], 4, 4, true)}).Path(), "M0 1000h0"; got != want {
		t.Errorf("a single value: %s, want %s", got, want)
	}
	// Up and down at the same time: the ends of the way stay.
	peak := []value{{1, 0}, {1, 4}, {1, 2}, {2, 9}}
	if got, want := (curve{Points: scale(peak, 4, 4, true)}).Path(), "M250 1000V0V500H500V0"; got != want {
		t.Errorf("a peak: %s, want %s", got, want)
	}
}

func TestMarkers(t *testing.T) {
	line := []point{{0, 1000}, {500, 1000}, {500, 0}, {1000, 500}}
	for _, test := range []struct {
		name           string
		line           []point
		run, runs, all int
		want           []point
	}{
		{"of the first run", line, 0, 2, 4, []point{{125, 1000}, {625, 125}}},
		{"of the second run", line, 1, 2, 4, []point{{375, 1000}, {875, 375}}},
		{"of many runs", line, 99, 100, 4, []point{{995, 495}}},
		{"of a short line", line[:2], 9, 10, 10, []point{{500, 1000}}},
		{"of a single place", line[:1], 0, 1, 10, []point{{0, 1000}}},
		{"of nothing", nil, 0, 1, 10, nil},
	} {
		if diff := cmp.Diff(test.want, markersOf(test.line, test.run, test.runs, test.all)); diff != "" {
			t.Errorf("markers %s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestThinKeepsWhatIsSeen(t *testing.T) {
	points := make([]value, 100_000)
	for i := range points {
		points[i].X = float64(i)
	}
	points[12_345].Y = 7   // a peak of a single sample
	points[67_890].Y = -7  // and the opposite
	points[99_999].Y = 0.5 // and the end
	kept := thin(points, plotDetail.slots)
	if len(kept) > 4*plotDetail.slots {
		t.Errorf("%d points, want at most %d", len(kept), 4*plotDetail.slots)
	}
	for _, i := range []int{0, 12_345, 67_890, 99_999} {
		if !slices.Contains(kept, points[i]) {
			t.Errorf("%v is gone", points[i])
		}
	}
	if !slices.IsSortedFunc(kept, func(a, b value) int { return int(a.X - b.X) }) {
		t.Error("the points are out of order")
	}
	if few := points[:4*plotDetail.slots]; len(thin(few, plotDetail.slots)) != len(few) {
		t.Error("few points were thinned out")
	}
}
