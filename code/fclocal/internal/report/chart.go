package report

import (
	"fclocal/internal/result"
	"fclocal/internal/units"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A chart is a panel with its axes and curves. It is made once for all formats,
// and has no size: places are shares of its inside, so that texts keep their size
// on a screen of any width.
type chart struct {
	Label   string // Instances
	Summary string // for those who do not see it
	X, Y    []chartMark
	Curves  []curve // in the order to draw them: the first run's last, on top
}

type chartMark struct {
	Percent float64 // from the left or the top
	Text    string
}

// A panel shows one thing over time.
type panel struct {
	label string
	value func(result.Sample) float64
	count bool // has whole numbers, which stay until the next sample
}

var panels = []panel{
	{"Instances", func(s result.Sample) float64 { return float64(s.Instances) }, true},
	{"Calls in flight", func(s result.Sample) float64 { return float64(s.InFlight) }, true},
	{"Events per second", func(s result.Sample) float64 { return s.EventsPerSecond }, false},
	{"Lag: messages not finished", func(s result.Sample) float64 { return float64(s.Lag) }, true},
}

// values are those of a run until the end of the time axis. One that is not
// finite, or larger than any count, cannot be drawn.
func (p panel) values(run result.Run, unit timeUnit) []value {
	values := make([]value, 0, len(run.Samples))
	for _, s := range run.Samples {
		if y := p.value(s); math.Abs(y) < 1e18 {
			values = append(values, value{s.At.Seconds() / unit.seconds, y})
		}
	}
	if end := slices.IndexFunc(values, func(v value) bool { return v.X > unit.longest }); end > 0 {
		values = append(values[:end], value{unit.longest, values[end-1].Y})
	}
	return values
}

// detail is how much a chart has room for.
type detail struct {
	slots   int // about half as many points as a curve has at most
	markers int // of all runs together
}

// newCharts returns a chart for each of the panels, with the runs until the time
// of the unit's longest.
func newCharts(runs []result.Run, unit timeUnit, detail detail) []chart {
	var charts []chart
	for _, panel := range panels {
		c := chart{Label: panel.label}
		high := 1.0
		var all [][]value // by run
		var highest []string
		for i, run := range runs {
			values := panel.values(run, unit)
			peak := 0.0
			for _, v := range values {
				peak = max(peak, v.Y)
			}
			high = max(high, peak)
			highest = append(highest, fmt.Sprintf("run %d %s", i+1, units.Number(math.Round(peak))))
			all = append(all, thin(values, detail.slots))
		}
		c.Summary = "There are no runs."
		if len(highest) > 0 {
			c.Summary = fmt.Sprintf("The highest values: %s.", strings.Join(highest, ", "))
		}
		high *= 1.05

		for _, mark := range valueMarks(high, panel.count) {
			c.Y = append(c.Y, chartMark{percent(1 - mark.Value/high), mark.Text})
		}
		for _, mark := range marks(unit.longest, unit.step, false) {
			c.X = append(c.X, chartMark{percent(mark.Value / unit.longest), mark.Text})
		}
		for run, values := range slices.Backward(all) {
			points := scale(values, unit.longest, high, panel.count)
			c.Curves = append(c.Curves, curve{styleOf(run), points, markersOf(points, run, len(runs), detail.markers)})
		}
		charts = append(charts, c)
	}
	return charts
}

func percent(share float64) float64 { return math.Round(share*10000) / 100 }
