package report

import (
	"image"
	"image/draw"
	"image/png"
	"io"
	"math"
)

// pngScale is how many pixels a PNG has for one of the picture, in each
// direction.
const pngScale = 1.5

const (
	curveWidth = 1.5
	haloWidth  = 2 // of the line around a marker, half of which is behind it
)

// writePNG draws a picture as plot.tmpl does in light colours.
func writePNG(w io.Writer, p *picture) error {
	pixels := image.NewRGBA(image.Rect(0, 0, int(math.Round(p.Width*pngScale)), int(math.Round(p.Height*pngScale))))
	draw.Draw(pixels, pixels.Bounds(), image.NewUniform(rgb(light.Card)), image.Point{}, draw.Src)

	write := func(words words, size float64, ink string) {
		p.letters.draw(pixels, words.Text, place{words.X * pngScale, words.Y * pngScale}, size*pngScale, 0, rgb(ink))
	}
	write(p.Title, titleSize, light.Text)
	for _, line := range p.Settings {
		write(line, textSize, light.Soft)
	}
	for _, entry := range p.Legend {
		begin, end := entry.X*pngScale, (entry.X+swatchWidth)*pngScale
		middle := place{(begin + end) / 2, entry.Y * pngScale}
		c := newCanvas(pixels, image.Rect(int(begin), int(middle.Y)-2, int(end)+1, int(middle.Y)+3))
		c.line([]place{{begin, middle.Y}, {end, middle.Y}}, entry.runStyle)
		drawMarker(pixels, middle, entry.runStyle)
		for _, line := range entry.Lines {
			write(line, textSize, light.Text)
		}
	}
	for _, panel := range p.Panels {
		write(panel.Head, textSize, light.Text)
		panel.draw(pixels, p.letters)
	}
	write(p.Time, textSize, light.Soft)
	return png.Encode(w, pixels)
}

// draw draws the chart of a panel as chart.tmpl does.
func (p plotPanel) draw(pixels *image.RGBA, letters *typeface) {
	left, top, width, height := p.Left*pngScale, p.Top*pngScale, p.Width*pngScale, p.Height*pngScale
	c := newCanvas(pixels, image.Rect(int(left), int(top), int(left+width)+1, int(top+height)+1).Inset(-2))
	x := func(percent float64) float64 { return left + percent/100*width }
	y := func(percent float64) float64 { return top + percent/100*height }
	const size = textSize * pngScale
	grid := image.NewUniform(rgb(light.Line))
	for _, mark := range p.Y {
		at := int(math.Round(y(mark.Percent)))
		draw.Draw(pixels, image.Rect(int(left), at, int(left+width), at+1), grid, image.Point{}, draw.Src)
		letters.draw(pixels, mark.Text, place{left - markGap*pngScale, y(mark.Percent) + 0.35*size}, size, 1, rgb(light.Soft))
	}
	for _, mark := range p.X {
		at := int(math.Round(x(mark.Percent)))
		draw.Draw(pixels, image.Rect(at, int(top), at+1, int(top+height)), grid, image.Point{}, draw.Src)
		letters.draw(pixels, mark.Text, place{x(mark.Percent), top + height + 1.5*size}, size, 0.5, rgb(light.Soft))
	}
	at := func(p point) place { return place{x(p.Left()), y(p.Top())} }
	for _, curve := range p.Curves {
		line := make([]place, len(curve.Points))
		for i, p := range curve.Points {
			line[i] = at(p)
		}
		c.line(line, curve.runStyle)
	}
	for _, curve := range p.Curves {
		for _, marker := range curve.Markers {
			drawMarker(pixels, at(marker), curve.runStyle)
		}
	}
}

// line draws a line of a run.
func (c *canvas) line(line []place, style runStyle) {
	var pattern []float64
	for _, length := range dashes[style.Dash] {
		pattern = append(pattern, length*pngScale)
	}
	for _, dash := range dashed(line, pattern) {
		c.stroke(dash, curveWidth*pngScale)
	}
	c.ink(rgb(light.Curves[style.Colour]))
}

// drawMarker draws a marker of a run, which has a halo so that it is seen on
// lines.
func drawMarker(pixels *image.RGBA, at place, style runStyle) {
	middle := image.Pt(int(at.X), int(at.Y))
	const beside = 14 // more than half of the largest
	c := newCanvas(pixels, image.Rectangle{middle, middle}.Inset(-beside))
	edge := markers[style.Marker].at(at, pngScale)
	c.stroke(append(edge, edge[:2]...), haloWidth*pngScale)
	c.ink(rgb(light.Card))
	c.add(edge...)
	c.ink(rgb(light.Curves[style.Colour]))
}
