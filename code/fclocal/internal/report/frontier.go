package report

import (
	"fmt"
	"math"
	"slices"

	"fclocal/internal/result"
	"fclocal/internal/units"
)

// frontierTitle is over the chart of a search.
const frontierTitle = "Price against latency p99"

// A frontierMark is one of the things that the chart of a search shows.
type frontierMark struct {
	runStyle
	Name string
}

// newFrontier returns the chart of a search, both axes logarithmic: the frontier is a line in
// steps, as what lies between two of its settings is that of the cheaper one, with today's
// settings and the cheapest or nearest beside it.
func newFrontier(s result.Search) (c chart, legend []frontierMark) {
	all := append(slices.Clone(s.Frontier), s.Today)
	add := func(name string, style int, line bool, choices ...result.Choice) {
		legend = append(legend, frontierMark{styleOf(style), name})
		c.Curves = append(c.Curves, curve{runStyle: styleOf(style)})
		last := &c.Curves[len(c.Curves)-1]
		for _, choice := range choices {
			last.Markers = append(last.Markers, point{int(math.Round(choice.Price * 1e6)), int(math.Round(choice.LatencyMs.P99 * 1e3))}) // to be scaled
		}
		if !line {
			last.Markers = last.Markers[:1]
		}
	}
	add("no settings are cheaper and faster", 0, true, s.Frontier...)
	add("today", 1, false, s.Today)
	if best := s.Best; best != nil {
		all = append(all, *best)
		add("cheapest that keeps "+goals(s), 2, false, *best)
	} else if s.Nearest != nil {
		all = append(all, *s.Nearest)
		add("nearest to "+goals(s), 2, false, *s.Nearest)
	}
	var prices, latencies []float64
	for _, choice := range all {
		prices, latencies = append(prices, choice.Price), append(latencies, choice.LatencyMs.P99)
	}
	x, y := newLogAxis(prices), newLogAxis(latencies)
	for _, at := range x.marks() {
		c.X = append(c.X, chartMark{percent(x.share(at)), units.Number(at)})
	}
	for _, at := range y.marks() {
		c.Y = append(c.Y, chartMark{percent(1 - y.share(at)), units.Milliseconds(at)})
	}
	for i := range c.Curves {
		curve := &c.Curves[i]
		for j, m := range curve.Markers {
			curve.Markers[j] = point{int(math.Round(chartSide * x.share(float64(m.X)/1e6))), int(math.Round(chartSide * (1 - y.share(float64(m.Y)/1e3))))}
		}
		for j, m := range curve.Markers {
			if j > 0 {
				curve.Points = append(curve.Points, point{m.X, curve.Markers[j-1].Y})
			}
			curve.Points = append(curve.Points, m)
		}
	}
	c.Label = frontierTitle
	c.Summary = fmt.Sprintf("Today: %s at a p99 of %s.", units.Money(s.Today.Price), units.Milliseconds(s.Today.LatencyMs.P99))
	if s.Best != nil {
		c.Summary += fmt.Sprintf(" Cheapest: %s at %s.", units.Money(s.Best.Price), units.Milliseconds(s.Best.LatencyMs.P99))
	}
	return c, legend
}

// A logAxis goes from one number above 0 to another.
type logAxis struct{ low, high float64 }

// newLogAxis has room for all values that are above 0.
func newLogAxis(values []float64) logAxis {
	a := logAxis{math.Inf(1), 0}
	for _, v := range values {
		if v > 0 {
			a.low, a.high = min(a.low, v), max(a.high, v)
		}
	}
	if a.high == 0 {
		return logAxis{1, 10}
	}
	return logAxis{a.low / 1.3, a.high * 1.3}
}

// share is where a value is on the axis, from 0 to 1.
func (a logAxis) share(value float64) float64 {
	return min(max(math.Log(max(value, 1e-12)/a.low)/math.Log(a.high/a.low), 0), 1)
}

// marks are the powers of ten on the axis, and where they are few 2 and 5 times them, too.
func (a logAxis) marks() (marks []float64) {
	for _, parts := range [][]float64{{1}, {1, 2, 5}, {1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9}} {
		marks = nil
		for power := math.Floor(math.Log10(a.low)); power <= math.Log10(a.high); power++ {
			for _, part := range parts {
				if at := part * math.Pow(10, power); at >= a.low && at <= a.high {
					marks = append(marks, at)
				}
			}
		}
		if len(marks) >= 3 {
			break
		}
	}
	return marks
}

// FrontierPlot draws the chart of a search to a file like Plot.
func FrontierPlot(path string, s result.Search) error {
	format, err := plotFormat(path)
	if err != nil {
		return err
	}
	letters, err := newTypeface()
	if err != nil {
		return err
	}
	p := &picture{Width: plotWidth, letters: letters}
	y := float64(plotMargin)
	p.Title = words{plotMargin, y + titleSize, frontierTitle}
	y += titleLine + plotGap/2
	c, legend := newFrontier(s)
	for _, mark := range legend {
		p.Legend = append(p.Legend, legendEntry{mark.runStyle, plotMargin, y + legendLine/2, []words{{plotMargin + swatchWidth + legendGap, y + textSize + 1, mark.Name}}})
		y += legendLine
	}
	y += plotGap
	left := 0.0
	for _, mark := range c.Y {
		left = max(left, letters.width(mark.Text, textSize))
	}
	left += plotMargin + markGap
	const height = 3 * panelHeight
	p.Panels = []plotPanel{{chart: c, Head: words{left, y + textSize + 2, "latency p99"}, Left: left, Top: y + panelHead, Width: plotWidth - plotMargin - panelRight - left, Height: height}}
	y += panelHead + height + panelFoot
	p.Time = words{left, y + textSize - 2, priceAxis(s)}
	p.Height = y + textSize + plotMargin
	p.Description = c.Summary
	return p.write(path, format)
}

// priceAxis says what the prices of a search are.
func priceAxis(s result.Search) string {
	over := "for " + s.Over
	if s.Over == "30 days" {
		over = "per 30 days"
	}
	return "price in " + s.Currency + " " + over
}
