package report

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"
)

// A theme is the colours of charts and pages: #rrggbb each.
type theme struct {
	Card   string // behind all the others
	Text   string
	Soft   string // text of less weight
	Line   string // of the grid
	Curves []string
	Causes []string // in the order of trigger.Cause
}

// The texts have a contrast of 4.5 to the card, and the curves and causes one of 3.
var (
	light = theme{
		Card: "#ffffff", Text: "#16202a", Soft: "#51606e", Line: "#d5dce3",
		Curves: []string{"#1463c4", "#c4302b", "#1a7f37", "#a85600", "#7c3aad", "#0b7285"},
		Causes: []string{"#51606e", "#1463c4", "#a85600", "#c4302b", "#7c3aad", "#0b7285", "#b0257a", "#1a7f37"},
	}
	dark = theme{
		Card: "#182027", Text: "#e8edf2", Soft: "#a5b3c0", Line: "#35424e",
		Curves: []string{"#6cb2ff", "#ff8a80", "#6fd68a", "#ffb454", "#cfa3ff", "#58d0de"},
		Causes: []string{"#a5b3c0", "#6cb2ff", "#ffb454", "#ff8a80", "#cfa3ff", "#58d0de", "#ff8fd0", "#6fd68a"},
	}
)

// rgb reads a colour of a theme.
func rgb(hex string) color.RGBA {
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 24)
	if err != nil {
		panic(err) // a colour above is misspelt
	}
	return color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 0xff}
}

// dashes are patterns of lines: pixels with and without ink.
var dashes = [][]float64{nil, {8, 3}, {2, 2}, {9, 3, 2, 3}}

// A place is in pixels, to the right and down.
type place struct{ X, Y float64 }

// A shape is a polygon in pixels around a place, and goes around clockwise.
type shape []place

// markers are shapes of about the same weight.
var markers = []shape{
	regular(16, 4.2, 0), // a circle
	regular(4, 5.2, 45), // a square
	regular(3, 5.8, 0),  // a triangle
	cross(5, 1.4, 45),
	regular(3, 5.8, 180),
	regular(4, 5.4, 0), // a diamond
	cross(5.2, 1.4, 0),
}

// regular is a polygon with equal sides. With turn 0, in degrees, it has a corner
// at the top.
func regular(corners int, radius, turn float64) shape {
	var s shape
	for i := range corners {
		sin, cos := math.Sincos((float64(i)/float64(corners) + turn/360) * 2 * math.Pi)
		s = append(s, place{radius * sin, -radius * cos})
	}
	return s
}

// cross has four arms of a length and half a width.
func cross(length, half, turn float64) shape {
	sin, cos := math.Sincos(turn / 180 * math.Pi)
	var s shape
	for _, v := range []place{
		{-half, -length}, {half, -length}, {half, -half}, {length, -half}, {length, half}, {half, half},
		{half, length}, {-half, length}, {-half, half}, {-length, half}, {-length, -half}, {-half, -half},
	} {
		s = append(s, place{v.X*cos - v.Y*sin, v.X*sin + v.Y*cos})
	}
	return s
}

// at returns the shape around a place and larger by a factor.
func (s shape) at(p place, factor float64) []place {
	moved := make([]place, len(s))
	for i, v := range s {
		moved[i] = place{p.X + factor*v.X, p.Y + factor*v.Y}
	}
	return moved
}

// Path is that of an SVG.
func (s shape) Path() string {
	var b strings.Builder
	for i, v := range s {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&b, "%s%.4g %.4g", command, v.X, v.Y)
	}
	return b.String() + "z"
}

// runStyle is how a run is drawn: numbers of a theme's curve colours, of dashes
// and of markers.
type runStyle struct{ Colour, Dash, Marker int }

// styleOf is another one for each of 84 runs, and for each of 28 without the
// colours: the numbers of colours, dashes and markers are 6, 4 and 7.
func styleOf(run int) runStyle {
	return runStyle{run % len(light.Curves), run % len(dashes), run % len(markers)}
}
