package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"

	"fclocal/internal/result"
	"fclocal/internal/units"
)

const (
	// chartCurves is how many curves a page's charts can have so that they can be
	// told apart: half of them are dashed.
	chartCurves = 12

	// chartSlots bounds the size of a page: with all its curves at their longest
	// it has half a megabyte.
	chartSlots = 200

	// chartSide is the width and height of a chart's inside in its own units.
	chartSide = 1000
)

// A chart is a panel as a page draws it. Marks are at percents of the width and
// height, and curves are stretched to both, so that texts keep their size on a
// screen of any width.
type chart struct {
	Label   string // Instances
	Summary string // for those who do not see it
	X, Y    []chartMark
	Curves  []curve // the first run's last, as it is to be seen best
}

type curve struct {
	runStyle
	Path string // of an SVG
}

// runStyle is how a run's curve looks.
type runStyle struct {
	Curve  int // number of the colour
	Dashed bool
}

func styleOf(run int) runStyle {
	return runStyle{run % (chartCurves / 2), run >= chartCurves/2}
}

type chartMark struct {
	Percent float64 // from the left or the top
	Text    string
}

// newCharts draws the runs until the time of the unit's longest.
func newCharts(runs []result.Run, unit timeUnit) []chart {
	var charts []chart
	lag := panel{"lag: messages not finished", func(s result.Sample) float64 { return float64(s.Lag) }, true}
	for _, panel := range append(slices.Clone(panels), lag) {
		c := chart{Label: strings.ToUpper(panel.label[:1]) + panel.label[1:]}
		high := 1.0
		var curves []plotter.XYs
		var highest []string
		for i, run := range runs {
			points := panel.points(run, unit)
			if end := slices.IndexFunc(points, func(p plotter.XY) bool { return p.X > unit.longest }); end > 0 {
				points = append(points[:end], plotter.XY{X: unit.longest, Y: points[end-1].Y})
			}
			peak := 0.0
			for _, p := range points {
				peak = max(peak, p.Y)
			}
			high = max(high, peak)
			highest = append(highest, fmt.Sprintf("run %d %s", i+1, units.Number(math.Round(peak))))
			curves = append(curves, thin(points, chartSlots))
		}
		c.Summary = fmt.Sprintf("%s over time. The highest values: %s.", c.Label, strings.Join(highest, ", "))
		high *= 1.05

		scale, suffix := 1.0, ""
		if high >= 1e6 {
			scale, suffix = 1e6, " M"
		}
		for _, mark := range (ticks{whole: panel.count && scale == 1}).Ticks(0, high/scale) {
			if mark.Value > 0 {
				mark.Label += suffix
			}
			c.Y = append(c.Y, chartMark{percent(1 - mark.Value*scale/high), mark.Label})
		}
		for _, mark := range (ticks{step: unit.step}).Ticks(0, unit.longest) {
			c.X = append(c.X, chartMark{percent(mark.Value / unit.longest), mark.Label})
		}
		for run, points := range slices.Backward(curves) {
			c.Curves = append(c.Curves, curve{styleOf(run), path(points, unit.longest, high, panel.count)})
		}
		charts = append(charts, c)
	}
	return charts
}

func percent(share float64) float64 { return math.Round(share*10000) / 100 }

// path joins the points, whose largest X and Y are given. With steps, a value
// stays until the next point.
func path(points plotter.XYs, longest, high float64, steps bool) string {
	var b strings.Builder
	lastX, lastY := -1, -1
	for _, p := range points {
		x := int(math.Round(p.X / longest * chartSide))
		y := int(math.Round((1 - p.Y/high) * chartSide))
		switch {
		case lastX < 0:
			fmt.Fprintf(&b, "M%d %d", x, y)
		case x == lastX && y == lastY:
		case steps && y == lastY: // drawn with the next step, or at the end
			continue
		case steps:
			fmt.Fprintf(&b, "H%dV%d", x, y)
		default:
			fmt.Fprintf(&b, "L%d %d", x, y)
		}
		lastX, lastY = x, y
	}
	if n := len(points); steps && n > 0 {
		fmt.Fprintf(&b, "H%d", int(math.Round(points[n-1].X/longest*chartSide)))
	}
	return b.String()
}
