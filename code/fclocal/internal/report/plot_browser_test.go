package report

import (
	"fclocal/internal/result"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// measuredPlot is what measurePlot finds in an SVG that is opened alone. Sizes
// are in pixels of the screen.
type measuredPlot struct {
	Label      string
	Scripts    int // and images
	Texts      []string
	Panels     []measuredPanel
	Smallest   float64  // text
	Faint      []string // texts with too little contrast
	Overlaps   int      // texts
	Beyond     []string // texts that are not inside
	Background string
}

type measuredPanel struct {
	Width, Height   float64
	Curves, Markers int
}

const measurePlot = `(() => {` + measureTools + `
	const root = document.documentElement, texts = all('text'), inside = root.getBoundingClientRect();
	const boxes = texts.map(e => e.getBoundingClientRect());
	return {
		Label: root.getAttribute('role') + ': ' + root.getAttribute('aria-labelledby').split(' ').map(id => document.getElementById(id).textContent).join('. '),
		Scripts: all('script, img, image, iframe, foreignObject').length,
		Texts: texts.filter(shown).map(e => e.textContent),
		Panels: all('.panel').map(panel => ({
			Width: panel.width.baseVal.value, Height: panel.height.baseVal.value,
			Curves: all('.curve', panel).filter(shown).length, Markers: all('.marker use', panel).filter(shown).length,
		})),
		Smallest: Math.min(...texts.map(textSize)),
		Faint: texts.filter(e => contrast(e) < 4.5).map(e => e.textContent),
		Overlaps: overlapping(boxes),
		Beyond: texts.filter((_, i) => boxes[i].left < inside.left || boxes[i].right > inside.right || boxes[i].top < inside.top || boxes[i].bottom > inside.bottom).map(e => e.textContent),
		Background: getComputedStyle(root).backgroundColor,
	};
})()`

func TestPlotInBrowser(t *testing.T) {
	ctx := openBrowser(t)
	for _, test := range []struct {
		name string
		runs []result.Run
	}{
		{"single", []result.Run{day(1)}},
		{"experiments", experiments()},
		{"hostile", hostileRuns()},
	} {
		path := filepath.Join(t.TempDir(), test.name+".svg")
		if err := Plot(path, test.runs); err != nil {
			t.Fatal(err)
		}
		problems := &pageProblems{page: "file://" + path}
		if err := chromedp.Listen(ctx, problems.listen); err != nil {
			t.Fatal(err)
		}
		backgrounds := map[string]string{} // by colour scheme
		for _, scheme := range []string{"light", "dark"} {
			t.Run(test.name+" "+scheme, func(t *testing.T) {
				navigate(t, ctx, problems.page, 1280, scheme)
				got, err := chromedp.Run(ctx, chromedp.Evaluate[measuredPlot](measurePlot))
				if err != nil {
					t.Fatal(err)
				}
				for _, problem := range problems.take() {
					t.Error("the plot", problem)
				}
				checkMeasuredPlot(t, got, test.runs)
				backgrounds[scheme] = got.Background
			})
		}
		if backgrounds["light"] == backgrounds["dark"] {
			t.Errorf("%s: the background is %s in light and in dark", test.name, backgrounds["light"])
		}
	}
}

func checkMeasuredPlot(t *testing.T, got measuredPlot, runs []result.Run) {
	t.Helper()
	if !strings.HasPrefix(got.Label, "img: Instances, calls in flight, events per second and lag over time. ") ||
		!strings.Contains(got.Label, "Lag: messages not finished. The highest values: run 1 ") {
		t.Errorf("the plot says of itself %q", got.Label)
	}
	if got.Smallest < 14 || got.Overlaps > 0 || len(got.Faint) > 0 || len(got.Beyond) > 0 || got.Scripts > 0 {
		t.Errorf("texts of %v px, %d on another one, too faint %q, beyond the edge %q; %d scripts and images",
			got.Smallest, got.Overlaps, got.Faint, got.Beyond, got.Scripts)
	}
	if len(got.Panels) != 4 {
		t.Errorf("%d panels, want 4", len(got.Panels))
	}
	for _, panel := range got.Panels {
		if panel.Width < 700 || panel.Height < 100 || panel.Curves != len(runs) || panel.Markers < len(runs) {
			t.Errorf("a panel cannot be read: %+v", panel)
		}
	}
	for i, name := range labels(runs) {
		if len(runs) > 1 && !strings.Contains(together(got.Texts...), together(name)) {
			t.Errorf("run %d is not shown with its name %q", i+1, name)
		}
	}
}
