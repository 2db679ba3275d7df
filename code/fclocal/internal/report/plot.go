package report

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"fclocal/internal/files"
	"fclocal/internal/result"
)

// CheckPlot returns an error if Plot cannot draw to a file of that name: its
// ending must be .svg or .png, and its directory must be there to write to.
func CheckPlot(path string) error {
	if _, err := plotFormat(path); err != nil {
		return err
	}
	return files.CheckWrite("plot", path)
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
// instances, calls in flight, events per second and lag over time, with a curve
// per run. The file is there in full or not at all. An SVG stays below 2 MB with
// 12 runs of days.
func Plot(path string, runs []result.Run) error {
	format, err := plotFormat(path)
	if err != nil {
		return err
	}
	p, err := newPicture(runs)
	if err != nil {
		return err
	}
	return p.write(path, format)
}

// write writes it to a file, in full or not at all.
func (p *picture) write(path, format string) (err error) {
	var content bytes.Buffer
	if format == ".svg" {
		err = templates.ExecuteTemplate(&content, "plot", p)
	} else {
		err = writePNG(&content, p)
	}
	if err != nil {
		return err
	}
	return files.Write("plot", path, func(w io.Writer) error { _, err := content.WriteTo(w); return err })
}

// A picture is what Plot draws: a title, the settings that all runs have, a
// legend of what differs, and the charts. Sizes and places are in pixels of a
// screen.
type picture struct {
	Width, Height float64

	Title       words
	Description string // for those who do not see it
	Settings    []words
	Legend      []legendEntry
	Panels      []plotPanel
	Time        words // what the time axes count in, below the last of them

	letters *typeface
}

// words are a line of text at the beginning of its baseline.
type words struct {
	X, Y float64
	Text string
}

type legendEntry struct {
	runStyle
	X, Y  float64 // of the middle of the line's begin
	Lines []words
}

// A plotPanel is a chart at its place.
type plotPanel struct {
	chart
	Head                     words
	Left, Top, Width, Height float64 // of the inside
}

const (
	plotWidth  = 960
	plotMargin = 20
	plotGap    = 10 // below each part of the head

	titleSize = 20 // of its letters
	textSize  = 14

	titleLine   = 28 // height
	settingLine = 19
	legendLine  = 21

	swatchWidth  = 40
	legendGap    = 8  // between a swatch and its text
	legendMargin = 24 // between columns

	panelHead   = 28 // above a chart's inside
	panelHeight = 152
	panelFoot   = 38 // below, with the times
	panelRight  = 30 // half of the last time is there

	markGap = 8 // from the inside to the numbers at its left
)

// plotDetail gives about twice as many points as the eye can tell apart, and
// markers that do not touch: there are 9 pixels for each.
var plotDetail = detail{slots: 500, markers: 96}

func newPicture(runs []result.Run) (*picture, error) {
	letters, err := newTypeface()
	if err != nil {
		return nil, err
	}
	const width = plotWidth - 2*plotMargin
	p := &picture{Width: plotWidth, letters: letters}
	y := float64(plotMargin)
	p.Title = words{plotMargin, y + titleSize, "Instances, calls in flight, events per second and lag over time"}
	y += titleLine + plotGap/2

	same, _ := compare(runs)
	var settings []string
	for i, s := range same {
		comma := ","
		if i == len(same)-1 {
			comma = ""
		}
		settings = append(settings, strings.Map(printable, s.String()+comma))
	}
	for _, line := range letters.wrap(settings, textSize, width) {
		p.Settings = append(p.Settings, words{plotMargin, y + textSize, line})
		y += settingLine
	}
	if len(settings) > 0 {
		y += plotGap
	}

	names := labels(runs)
	for i, name := range names {
		names[i] = strings.Map(printable, name)
	}
	if len(runs) > 1 {
		y = p.legend(names, y) + plotGap
	}

	unit := timeUnitOf(longest(runs), 12)
	charts := newCharts(runs, unit, plotDetail)
	p.Description = description(names, charts)
	left := 0.0
	for _, c := range charts {
		for _, mark := range c.Y {
			left = max(left, letters.width(mark.Text, textSize))
		}
	}
	left += plotMargin + markGap
	for _, c := range charts {
		p.Panels = append(p.Panels, plotPanel{
			chart: c, Head: words{left, y + textSize + 2, c.Label},
			Left: left, Top: y + panelHead, Width: plotWidth - plotMargin - panelRight - left, Height: panelHeight,
		})
		y += panelHead + panelHeight + panelFoot
	}
	p.Time = words{left, y + textSize - 2, "time since start (" + unit.name + ")"}
	p.Height = y + textSize + plotMargin
	return p, nil
}

// legend lays the names out in as many columns as fit, from a height on, and
// returns the height below.
func (p *picture) legend(names []string, top float64) float64 {
	const inside = plotWidth - 2*plotMargin
	width := 0.0
	for _, name := range names {
		width = max(width, swatchWidth+legendGap+p.letters.width(name, textSize))
	}
	columns := min(max(int((inside+legendMargin)/(width+legendMargin)), 1), len(names))
	rows := (len(names) + columns - 1) / columns
	x, y, bottom := float64(plotMargin), top, top
	for i, name := range names {
		if i > 0 && i%rows == 0 {
			x, y = x+(inside+legendMargin)/float64(columns), top
		}
		entry := legendEntry{runStyle: styleOf(i), X: x, Y: y + legendLine/2}
		for _, line := range p.letters.wrap(strings.Fields(name), textSize, inside-swatchWidth-legendGap) {
			entry.Lines = append(entry.Lines, words{x + swatchWidth + legendGap, y + textSize + 1, line})
			y += legendLine
		}
		bottom = max(bottom, y)
		p.Legend = append(p.Legend, entry)
	}
	return bottom
}

// description tells what a picture shows.
func description(names []string, charts []chart) string {
	var sentences []string
	if len(names) > 1 {
		for i, name := range names {
			sentences = append(sentences, fmt.Sprintf("Run %d: %s.", i+1, name))
		}
	}
	for _, c := range charts {
		sentences = append(sentences, c.Label+". "+c.Summary)
	}
	return strings.Join(sentences, " ")
}
