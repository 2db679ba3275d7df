package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"fclocal/internal/result"
	"fclocal/internal/units"
)

const (
	plotWidth   = 10 * vg.Inch
	panelHeight = 2.6 * vg.Inch
	plotMargin  = 12 // points
	plotDPI     = 144

	// curveSlots makes about twice as many points as the eye can tell apart in a
	// panel.
	curveSlots = 500
)

// CheckPlot returns an error if Plot cannot draw to a file of that name: its
// ending must be .svg or .png.
func CheckPlot(path string) error {
	_, err := plotFormat(path)
	return err
}

func plotFormat(path string) (string, error) {
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".svg", ".png":
		return ending, nil
	default:
		return "", fmt.Errorf("cannot plot to %s: the name must end in .svg or .png", path)
	}
}

// Plot draws the samples of the runs to a file, SVG or PNG by its ending:
// instances, calls in flight and events per second over time, with a curve per
// run.
func Plot(path string, runs []result.Run) error {
	format, err := plotFormat(path)
	if err != nil {
		return err
	}
	picture := newPicture(runs)
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	if format == ".svg" {
		canvas = vgsvg.New(plotWidth, picture.height)
	} else {
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(plotWidth, picture.height), vgimg.UseDPI(plotDPI))}
	}
	picture.draw(draw.New(canvas))
	var content bytes.Buffer
	if _, err := canvas.WriteTo(&content); err != nil {
		return err
	}
	// Fonts are not embedded in an SVG: name some that other systems have.
	image := content.Bytes()
	if format == ".svg" {
		image = bytes.ReplaceAll(image, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	}
	return os.WriteFile(path, image, 0o644)
}

// A picture is what Plot draws: a title, the settings that all runs have, a
// legend of what differs, and the panels.
type picture struct {
	height vg.Length

	title    string
	settings []string // lines
	legends  []plot.Legend
	entries  int // in the longest of the legends
	panels   []*plot.Plot
}

// A panel shows one thing over time.
type panel struct {
	label string
	value func(result.Sample) float64
	count bool // has whole numbers, which stay until the next sample
}

var panels = []panel{
	{"instances", func(s result.Sample) float64 { return float64(s.Instances) }, true},
	{"calls in flight", func(s result.Sample) float64 { return float64(s.InFlight) }, true},
	{"events per second", func(s result.Sample) float64 { return s.EventsPerSecond }, false},
}

// points are those of a run's curve, of which only finite ones can be drawn.
func (p panel) points(run result.Run, unit timeUnit) plotter.XYs {
	points := make(plotter.XYs, 0, len(run.Samples))
	for _, s := range run.Samples {
		if y := p.value(s); !math.IsNaN(y) && !math.IsInf(y, 0) {
			points = append(points, plotter.XY{X: s.At.Seconds() / unit.seconds, Y: y})
		}
	}
	return points
}

func newPicture(runs []result.Run) *picture {
	unit := timeUnitOf(longest(runs), 12)
	p := &picture{title: "Instances, calls in flight and events per second over time"}
	curves := make([]*plotter.Line, len(runs)) // of the last panel, for the legend
	for i, panel := range panels {
		last := i == len(panels)-1
		chart := newPanel(panel.label, ticks{whole: panel.count}, unit, last)
		for run, r := range runs {
			points := panel.points(r, unit)
			curve := &plotter.Line{XYs: thin(points, curveSlots), LineStyle: curveStyle(run)}
			if panel.count {
				curve.StepStyle = plotter.PostStep
			}
			curves[run] = curve
			if len(points) > 0 {
				chart.Add(curve)
			}
		}
		chart.X.Min, chart.X.Max = 0, unit.longest
		chart.Y.Min, chart.Y.Max = 0, max(chart.Y.Max, 1)*1.05
		p.panels = append(p.panels, chart)
	}

	same, _ := compare(runs)
	p.settings = lines(same, 130)
	if len(runs) > 1 {
		p.legend(labels(runs), curves)
	}
	p.height = vg.Length(len(p.panels))*panelHeight + p.headHeight() + 2*plotMargin
	return p
}

// legend lays the names out in as many columns as fit.
func (p *picture) legend(names []string, curves []*plotter.Line) {
	width := vg.Length(0)
	for _, name := range names {
		width = max(width, legendStyle().Width(name))
	}
	columns := int((plotWidth - 2*plotMargin) / (width + 40))
	columns = min(max(columns, 1), len(names))
	p.entries = (len(names) + columns - 1) / columns
	for first := 0; first < len(names); first += p.entries {
		legend := plot.NewLegend()
		legend.TextStyle = legendStyle()
		legend.Left, legend.Top = true, true
		legend.Padding = legendLine - legend.TextStyle.FontExtents().Height
		for run := first; run < min(first+p.entries, len(names)); run++ {
			legend.Add(names[run], curves[run])
		}
		p.legends = append(p.legends, legend)
	}
}

const (
	titleLine   vg.Length = 22
	settingLine vg.Length = 13
	legendLine  vg.Length = 16
	headGap     vg.Length = 10 // below each part of the head
)

func (p *picture) headHeight() vg.Length {
	height := titleLine + headGap
	if len(p.settings) > 0 {
		height += vg.Length(len(p.settings))*settingLine + headGap
	}
	if p.entries > 0 {
		height += vg.Length(p.entries)*legendLine + headGap
	}
	return height
}

func (p *picture) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, plotMargin, -plotMargin, plotMargin, -plotMargin)

	y := c.Max.Y
	style := textStyle(15)
	style.YAlign = text.YTop
	c.FillText(style, vg.Point{X: c.Min.X, Y: y}, p.title)
	y -= titleLine + headGap/2
	if len(p.settings) > 0 {
		style = textStyle(9.5)
		style.YAlign, style.Color = text.YTop, color.Gray{0x55}
		for _, line := range p.settings {
			c.FillText(style, vg.Point{X: c.Min.X, Y: y}, line)
			y -= settingLine
		}
		y -= headGap
	}
	for i, legend := range p.legends {
		part := c
		part.Max.Y = y
		part.Min.X += vg.Length(i) * (c.Max.X - c.Min.X) / vg.Length(len(p.legends))
		legend.Draw(part)
	}

	panels := draw.Crop(c, 0, 0, 0, -p.headHeight())
	rows := make([][]*plot.Plot, len(p.panels))
	for i, panel := range p.panels {
		rows[i] = []*plot.Plot{panel}
	}
	tiles := draw.Tiles{Rows: len(rows), Cols: 1, PadY: 4, PadRight: 10}
	for i, row := range plot.Align(rows, tiles, panels) {
		p.panels[i].Draw(row[0])
	}
}

// newPanel returns the axes of a panel. Only the last one, at the bottom, names
// the times.
func newPanel(label string, y plot.Ticker, unit timeUnit, last bool) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle = textStyle(11)
		axis.Tick.Label.Font = textStyle(9.5).Font
		axis.Padding = 0
	}
	// New aligns the texts of the axes, textStyle does not.
	p.X.Label.TextStyle.XAlign, p.X.Label.TextStyle.YAlign = text.XCenter, text.YBottom
	p.Y.Label.TextStyle.XAlign, p.Y.Label.TextStyle.YAlign = text.XCenter, text.YBottom
	p.Y.Label.Text = label
	p.Y.Label.Padding = 6
	p.Y.Tick.Marker = y
	p.X.Tick.Marker = ticks{blank: !last, step: unit.step}
	if last {
		p.X.Label.Text = "time since start (" + unit.name + ")"
		p.X.Label.Padding = 4
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{0xd6}, color.Gray{0xd6}
	p.Add(grid)
	return p
}

func textStyle(points vg.Length) text.Style {
	style := plot.New().Title.TextStyle
	style.Font = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, points)
	style.XAlign, style.YAlign = text.XLeft, text.YBottom
	return style
}

func legendStyle() text.Style { return textStyle(10.5) }

// palette has colours that differ in lightness too, for a white background.
var palette = []color.RGBA{
	{0x1f, 0x77, 0xb4, 0xff}, // blue
	{0xd6, 0x27, 0x28, 0xff}, // red
	{0x2c, 0xa0, 0x2c, 0xff}, // green
	{0xff, 0x9f, 0x1c, 0xff}, // orange
	{0x7b, 0x3f, 0xa8, 0xff}, // purple
	{0x17, 0xc0, 0xcf, 0xff}, // cyan
	{0x8c, 0x56, 0x4b, 0xff}, // brown
	{0xf0, 0x6e, 0xc0, 0xff}, // pink
	{0x7f, 0x7f, 0x7f, 0xff}, // grey
	{0xb5, 0xbd, 0x22, 0xff}, // olive
	{0x00, 0x00, 0x00, 0xff}, // black
	{0x14, 0x2f, 0x6b, 0xff}, // navy
}

// curveStyle gives each run a colour, and a dash pattern when those are used up.
func curveStyle(run int) draw.LineStyle {
	dashes := [][]vg.Length{nil, {6, 3}, {1.5, 2.5}, {8, 3, 1.5, 3}}
	return draw.LineStyle{
		Color:  palette[run%len(palette)],
		Width:  1.6,
		Dashes: dashes[run/len(palette)%len(dashes)],
	}
}

// A timeUnit is what the time axis of a plot counts in.
type timeUnit struct {
	name    string
	seconds float64 // in the unit
	longest float64 // run, in the unit; the end of the axis
	step    float64 // between two ticks, in the unit
}

// longest returns the seconds of the longest run.
func longest(runs []result.Run) (seconds float64) {
	for _, run := range runs {
		if n := len(run.Samples); n > 0 {
			seconds = max(seconds, run.Samples[n-1].At.Seconds())
		}
	}
	return seconds
}

// timeUnitOf suits an axis of that many seconds with about as many marks.
func timeUnitOf(longest, marks float64) timeUnit {
	unit := timeUnit{name: "s", seconds: 1}
	steps := []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30}
	switch {
	case longest <= 0:
		longest = 1
	case longest > 3*3600:
		unit = timeUnit{name: "h", seconds: 3600}
		steps = []float64{0.5, 1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 30, 24 * 90, 24 * 365, 24 * 730}
	case longest > 3*60:
		unit = timeUnit{name: "min", seconds: 60}
		steps = []float64{0.5, 1, 2, 5, 10, 15, 20, 30}
	}
	unit.longest = longest / unit.seconds
	unit.step = steps[len(steps)-1]
	for _, step := range steps {
		if unit.longest/step <= marks {
			unit.step = step
			break
		}
	}
	return unit
}

// ticks are the marks of an axis, with digits grouped as in the table.
type ticks struct {
	whole bool    // no fractions
	blank bool    // no text at the marks
	step  float64 // between two marks; 0: as fits
}

// Ticks implements plot.Ticker.
func (t ticks) Ticks(low, high float64) []plot.Tick {
	step := t.step
	if step == 0 {
		step = math.Pow(10, math.Floor(math.Log10(high-low)))
		for _, part := range []float64{0.1, 0.2, 0.5} {
			if (high-low)/(step*part) <= 6 {
				step *= part
				break
			}
		}
		if t.whole {
			step = max(step, 1)
		}
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	var marks []plot.Tick
	for i := math.Ceil(low / step); i*step <= high*(1+1e-9); i++ {
		mark := plot.Tick{Value: i * step, Label: units.Sprintf("%.*f", decimals, i*step)}
		if t.blank {
			mark.Label = " " // one without a label would have no grid line
		}
		marks = append(marks, mark)
	}
	return marks
}

// thin keeps the first, lowest, highest and last point of each of some equal
// times, which looks the same: a day of samples of many runs would make an SVG
// that no viewer can open.
func thin(points plotter.XYs, slots int) plotter.XYs {
	if len(points) <= 4*slots {
		return points
	}
	start := points[0].X
	width := (points[len(points)-1].X - start) / float64(slots)
	slot := func(p plotter.XY) int { return min(int((p.X-start)/width), slots-1) }
	var kept plotter.XYs
	for first := 0; first < len(points); {
		low, high, end := first, first, first
		for ; end < len(points) && slot(points[end]) == slot(points[first]); end++ {
			if points[end].Y < points[low].Y {
				low = end
			}
			if points[end].Y > points[high].Y {
				high = end
			}
		}
		keep := []int{first, low, high, end - 1}
		slices.Sort(keep)
		for _, i := range slices.Compact(keep) {
			kept = append(kept, points[i])
		}
		first = end
	}
	return kept
}
