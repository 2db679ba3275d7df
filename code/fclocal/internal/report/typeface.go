package report

import (
	"image"
	"image/color"
	"image/draw"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// A typeface is the letters of a plot. It has those of Latin, Greek and Cyrillic.
// Any other character, like a Chinese one, is a box in a PNG, so that it is seen
// to be there; in an SVG it is what the viewer's fonts have.
type typeface struct {
	font   *sfnt.Font
	faces  map[float64]font.Face // by size in pixels
	buffer sfnt.Buffer
}

func newTypeface() (*typeface, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	return &typeface{font: f, faces: map[float64]font.Face{}}, nil
}

func (t *typeface) face(size float64) font.Face {
	face, ok := t.faces[size]
	if !ok {
		// It fails for no size.
		face, _ = opentype.NewFace(t.font, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
		t.faces[size] = face
	}
	return face
}

// has returns whether the font has a character.
func (t *typeface) has(r rune) bool {
	index, err := t.font.GlyphIndex(&t.buffer, r)
	return err == nil && index != 0
}

// width is that of a text in pixels. A viewer draws an SVG in a font of its own,
// which can be wider: the width is enough for the common ones.
func (t *typeface) width(text string, size float64) float64 {
	const wider = 1.2
	var width fixed.Int26_6
	for _, r := range text {
		advance, _ := t.face(size).GlyphAdvance(r)
		if !t.has(r) {
			advance = max(advance, fixed.Int26_6(64*size/wider)) // a Chinese one is square
		}
		width += advance
	}
	return wider * float64(width) / 64
}

// wrap joins pieces by spaces in lines of at most some pixels. A piece that is
// wider is broken anywhere.
func (t *typeface) wrap(pieces []string, size, width float64) []string {
	var lines []string
	line := ""
	for _, piece := range pieces {
		longer := piece
		if line != "" {
			longer = line + " " + piece
		}
		if t.width(longer, size) <= width {
			line = longer
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		line = ""
		for _, r := range piece {
			if line != "" && t.width(line+string(r), size) > width {
				lines = append(lines, line)
				line = ""
			}
			line += string(r)
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// draw writes a text. Its baseline begins at a place, or ends there or has its
// middle there: align is 0, 1 or 0.5.
func (t *typeface) draw(picture draw.Image, text string, at place, size, align float64, ink color.Color) {
	drawer := font.Drawer{Dst: picture, Src: image.NewUniform(ink), Face: t.face(size)}
	width := float64(drawer.MeasureString(text)) / 64
	drawer.Dot = fixed.Point26_6{X: fixed.Int26_6(64 * (at.X - align*width)), Y: fixed.Int26_6(64 * at.Y)}
	drawer.DrawString(text)
}

// printable replaces the characters that an XML file cannot have, and ends of
// lines.
func printable(r rune) rune {
	switch {
	case r == '\n' || r == '\t' || r == '\r':
		return ' '
	case unicode.IsControl(r) || r == 0xfffe || r == 0xffff:
		return unicode.ReplacementChar
	}
	return r
}
