package report

import (
	"image/color"
	"math"
	"slices"
	"testing"

	"fclocal/internal/trigger"
)

// contrast is that of WCAG 2.
func contrast(a, b color.RGBA) float64 {
	luminance := func(c color.RGBA) float64 {
		part := func(n uint8) float64 {
			x := float64(n) / 255
			if x <= 0.04045 {
				return x / 12.92
			}
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		return 0.2126*part(c.R) + 0.7152*part(c.G) + 0.0722*part(c.B)
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestThemes(t *testing.T) {
	for name, theme := range map[string]theme{"light": light, "dark": dark} {
		for _, ink := range []string{theme.Text, theme.Soft} {
			if got := contrast(rgb(ink), rgb(theme.Card)); got < 4.5 {
				t.Errorf("%s: text %s has a contrast of %.2f, want 4.5", name, ink, got)
			}
		}
		for _, ink := range slices.Concat(theme.Curves, theme.Causes) {
			if got := contrast(rgb(ink), rgb(theme.Card)); got < 3 {
				t.Errorf("%s: %s has a contrast of %.2f, want 3", name, ink, got)
			}
		}
		if len(theme.Curves) != len(light.Curves) || len(theme.Causes) != trigger.Causes {
			t.Errorf("%s: %d colours of curves and %d of causes", name, len(theme.Curves), len(theme.Causes))
		}
	}
}

func TestStylesDiffer(t *testing.T) {
	styles := map[runStyle]int{}
	for run := range 84 {
		style := styleOf(run)
		styles[style]++
		styles[runStyle{-1, style.Dash, style.Marker}]++
		if n := styles[style]; n > 1 {
			t.Errorf("%d runs look like run %d", n, run+1)
		}
		if n := styles[runStyle{-1, style.Dash, style.Marker}]; run < 28 && n > 1 {
			t.Errorf("%d runs look like run %d without colours", n, run+1)
		}
	}
}
