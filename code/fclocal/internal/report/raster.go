package report

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// A canvas fills polygons in a part of a picture, with smooth edges.
type canvas struct {
	picture *image.RGBA
	part    image.Rectangle // where polygons may be
	pen     *vector.Rasterizer
}

func newCanvas(picture *image.RGBA, part image.Rectangle) *canvas {
	part = part.Intersect(picture.Bounds())
	return &canvas{picture, part, vector.NewRasterizer(part.Dx(), part.Dy())}
}

// add makes a polygon a part of what the next ink fills. Polygons that lie on
// each other must go around in the same direction: they would cancel out.
func (c *canvas) add(polygon ...place) {
	for i, p := range polygon {
		x, y := float32(p.X)-float32(c.part.Min.X), float32(p.Y)-float32(c.part.Min.Y)
		if i == 0 {
			c.pen.MoveTo(x, y)
		} else {
			c.pen.LineTo(x, y)
		}
	}
	c.pen.ClosePath()
}

// ink fills the polygons that were added.
func (c *canvas) ink(ink color.Color) {
	c.pen.Draw(c.picture, c.part, image.NewUniform(ink), image.Point{})
	c.pen.Reset(c.part.Dx(), c.part.Dy())
}

// stroke adds a line of a width with round corners.
func (c *canvas) stroke(line []place, width float64) {
	corner := regular(8, width/2, 22.5)
	for i, b := range line {
		if i > 0 && i < len(line)-1 {
			c.add(corner.at(b, 1)...)
		}
		if i == 0 {
			continue
		}
		a := line[i-1]
		length := math.Hypot(b.X-a.X, b.Y-a.Y)
		if length == 0 {
			continue
		}
		// To the right of the way from a to b.
		x, y := -(b.Y-a.Y)/length*width/2, (b.X-a.X)/length*width/2
		c.add(place{a.X - x, a.Y - y}, place{b.X - x, b.Y - y}, place{b.X + x, b.Y + y}, place{a.X + x, a.Y + y})
	}
}

// dashed returns the parts of a line that have ink by a pattern of lengths with
// and without.
func dashed(line []place, pattern []float64) [][]place {
	if len(pattern) == 0 || len(line) == 0 {
		return [][]place{line}
	}
	dashes := [][]place{{line[0]}}
	step, left := 0, pattern[0] // of the pattern
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		length := math.Hypot(b.X-a.X, b.Y-a.Y)
		for done := 0.0; done < length; {
			way := min(left, length-done)
			done, left = done+way, left-way
			at := place{a.X + (b.X-a.X)*done/length, a.Y + (b.Y-a.Y)*done/length}
			if step%2 == 0 {
				dashes[len(dashes)-1] = append(dashes[len(dashes)-1], at)
			}
			if left > 0 {
				continue
			}
			step = (step + 1) % len(pattern)
			left = pattern[step]
			if step%2 == 0 {
				dashes = append(dashes, []place{at})
			}
		}
	}
	return dashes
}
