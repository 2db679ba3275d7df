package report

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	letters, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	wide := letters.width("memorySize 512 MB,", textSize)
	for _, test := range []struct {
		pieces []string
		width  float64
		want   []string
	}{
		{nil, 100, nil},
		{[]string{"a", "b"}, 1000, []string{"a b"}},
		{[]string{"timeout 60 s,", "memorySize 512 MB,", "partitions 1"}, wide, []string{"timeout 60 s,", "memorySize 512 MB,", "partitions 1"}},
		{[]string{"a", "mmmmmmmmmm", "b"}, letters.width("mmmm", textSize), []string{"a", "mmmm", "mmmm", "mm b"}},
		{[]string{"订单订单"}, 2 * textSize, []string{"订单", "订单"}},
		{[]string{"ab"}, 0, []string{"a", "b"}},
	} {
		if diff := cmp.Diff(test.want, letters.wrap(test.pieces, textSize, test.width)); diff != "" {
			t.Errorf("%q in %.0f pixels (-want +got):\n%s", test.pieces, test.width, diff)
		}
	}
}

// The font has no Chinese letters, but it is seen that there are some.
func TestMissingLettersAreBoxes(t *testing.T) {
	letters, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a", "订", "😀"} {
		picture := image.NewRGBA(image.Rect(0, 0, 30, 30))
		letters.draw(picture, text, place{5, 25}, 20, 0, color.Black)
		if clear := pixels(picture, picture.Bounds(), color.RGBA{}); clear > 30*30-20 {
			t.Errorf("%s is not to be seen", text)
		}
	}
}

func TestDashed(t *testing.T) {
	corner := []place{{0, 0}, {5, 0}, {5, 5}}
	for _, test := range []struct {
		pattern []float64
		want    string
	}{
		{nil, "[[{0 0} {5 0} {5 5}]]"},
		{[]float64{4, 3}, "[[{0 0} {4 0}] [{5 2} {5 5}]]"},
		{[]float64{7, 1, 1, 9}, "[[{0 0} {5 0} {5 2}] [{5 3} {5 4}]]"},
	} {
		if got := fmt.Sprint(dashed(corner, test.pattern)); got != test.want {
			t.Errorf("%v: %s, want %s", test.pattern, got, test.want)
		}
	}
	if got := dashed(nil, []float64{1, 1}); len(slices.Concat(got...)) != 0 {
		t.Errorf("a line of nothing: %v", got)
	}
}

// A line has ink in all directions, and its corners do not cancel it.
func TestStroke(t *testing.T) {
	ink := color.RGBA{0x12, 0x34, 0x56, 0xff}
	for turn := range 16 {
		sin, cos := math.Sincos(float64(turn) * math.Pi / 8)
		picture := image.NewRGBA(image.Rect(0, 0, 100, 100))
		c := newCanvas(picture, picture.Bounds())
		end := place{50 + 40*cos, 50 + 40*sin}
		c.stroke([]place{{50, 50}, end, {50, 50}}, 6)
		c.ink(ink)
		for _, share := range []float64{0.05, 0.5, 1} {
			at := image.Pt(int(50+40*share*cos), int(50+40*share*sin))
			if got := picture.RGBAAt(at.X, at.Y); got != ink {
				t.Errorf("turned by %d/16: %v at %v, want %v", turn, got, at, ink)
			}
		}
	}
}
