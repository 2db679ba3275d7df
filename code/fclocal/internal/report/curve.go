package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// chartSide is the width and height of a chart's inside, in its own units.
const chartSide = 1000

// A point is in a chart's own units, from the left and the top.
type point struct{ X, Y int }

func (p point) Left() float64 { return 100 * float64(p.X) / chartSide } // percent
func (p point) Top() float64  { return 100 * float64(p.Y) / chartSide } // percent

// A curve is the line of a run in a chart.
type curve struct {
	runStyle
	Points  []point // in order of time
	Markers []point // on the line
}

// Path joins the points as an SVG's path does.
func (c curve) Path() string {
	var b strings.Builder
	for i, p := range c.Points {
		switch {
		case i == 0:
			fmt.Fprintf(&b, "M%d %d", p.X, p.Y)
			if len(c.Points) == 1 {
				b.WriteString("h0")
			}
		case p.Y == c.Points[i-1].Y:
			fmt.Fprintf(&b, "H%d", p.X)
		case p.X == c.Points[i-1].X:
			fmt.Fprintf(&b, "V%d", p.Y)
		default:
			fmt.Fprintf(&b, "L%d %d", p.X, p.Y)
		}
	}
	return b.String()
}

// A value is what a run has at a time, in the units of the axes.
type value struct{ X, Y float64 }

// scale returns the corners of the line through the values, without any that
// are on a straight line in the direction of an axis. longest and high are at
// the ends of the axes. With steps, a value stays until the next one.
func scale(values []value, longest, high float64, steps bool) []point {
	var points []point
	add := func(x, y int) {
		n := len(points)
		if n > 1 && (points[n-2].X == x && points[n-1].X == x && between(points[n-1].Y, points[n-2].Y, y) ||
			points[n-2].Y == y && points[n-1].Y == y && between(points[n-1].X, points[n-2].X, x)) {
			points[n-1] = point{x, y}
			return
		}
		if n == 0 || points[n-1] != (point{x, y}) {
			points = append(points, point{x, y})
		}
	}
	units := func(share float64) int { return min(max(int(math.Round(share*chartSide)), 0), chartSide) }
	for i, v := range values {
		x, y := units(v.X/longest), units(1-v.Y/high)
		if steps && i > 0 {
			add(x, points[len(points)-1].Y)
		}
		add(x, y)
	}
	return points
}

func between(x, a, b int) bool { return min(a, b) <= x && x <= max(a, b) }

// thin keeps the first, lowest, highest and last value of each of some equal
// times, which looks the same: a day of samples of many runs would make an SVG
// that no viewer can open.
func thin(values []value, slots int) []value {
	if len(values) <= 4*slots {
		return values
	}
	start := values[0].X
	width := (values[len(values)-1].X - start) / float64(slots)
	slot := func(v value) int {
		if width == 0 {
			return 0
		}
		return min(int((v.X-start)/width), slots-1)
	}
	var kept []value
	for first := 0; first < len(values); {
		low, high, end := first, first, first
		for ; end < len(values) && slot(values[end]) == slot(values[first]); end++ {
			if values[end].Y < values[low].Y {
				low = end
			}
			if values[end].Y > values[high].Y {
				high = end
			}
		}
		keep := []int{first, low, high, end - 1}
		slices.Sort(keep)
		for _, i := range slices.Compact(keep) {
			kept = append(kept, values[i])
		}
		first = end
	}
	return kept
}

// markersOf puts markers on a run's line at times that no other run has, so that
// runs whose lines are equal are all seen. all is how many markers the runs of a
// chart can have together. A line that ends before its first one has it there.
func markersOf(points []point, run, runs, all int) []point {
	if len(points) == 0 {
		return nil
	}
	each := min(max(all/runs, 1), 6)
	var markers []point
	for i := range each {
		x := int((float64(i) + (float64(run)+0.5)/float64(runs)) / float64(each) * chartSide)
		if y, ok := heightAt(points, x); ok {
			markers = append(markers, point{x, y})
		}
	}
	if len(markers) == 0 {
		markers = append(markers, points[len(points)-1])
	}
	return markers
}

// heightAt returns a line's height at a place from the left, if it is that long.
func heightAt(points []point, x int) (y int, ok bool) {
	next := slices.IndexFunc(points, func(p point) bool { return p.X > x })
	if next < 0 {
		last := points[len(points)-1]
		return last.Y, last.X == x
	}
	if next == 0 {
		return 0, false
	}
	a, b := points[next-1], points[next]
	return a.Y + (b.Y-a.Y)*(x-a.X)/(b.X-a.X), true
}
