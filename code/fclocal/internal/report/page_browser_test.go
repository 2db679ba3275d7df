package report

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// measured is what measurePage finds in a page. Sizes are in pixels of the screen.
type measured struct {
	Width, Inner float64 // of the document and of the window

	Title, Heading string
	Scripts        int // that names have brought in, and images
	Rows           []string
	Marks          []string // by run
	Headings       []string // of the runs

	Charts     []measuredChart
	Bars       []measuredChart // of the causes of latencies
	Smallest   float64         // text
	Faint      []string        // texts with too little contrast
	Background string
	ScrollsBy  float64 // of the table in its frame
}

type measuredChart struct {
	Label                      string
	Width, Height              float64
	Text                       float64 // the smallest
	Overlaps                   int     // texts at an axis
	Curves, Markers            int
	WidestCurve, HighestCurve  float64
	LeftOfTheCard, RightOfCard float64 // what sticks out
}

// measureTools are what scripts measure with.
const measureTools = `
	const all = (selector, root = document) => [...root.querySelectorAll(selector)];
	const shown = e => e.checkVisibility() && e.getClientRects().length > 0;
	const luminance = color => {
		const [r, g, b] = color.match(/[\d.]+/g).map(x => (x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const background = e => {
		for (; e; e = e.parentElement) {
			const color = getComputedStyle(e).backgroundColor;
			if (color !== 'rgba(0, 0, 0, 0)') return color;
		}
		return 'rgb(255, 255, 255)';
	};
	const contrast = e => {
		const style = getComputedStyle(e);
		const [low, high] = [luminance(e instanceof SVGElement ? style.fill : style.color), luminance(background(e))].sort((a, b) => a - b);
		return (high + 0.05) / (low + 0.05);
	};
	const textSize = e => parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM ? e.getScreenCTM().d : 1);
	const overlaps = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
	const overlapping = boxes => boxes.filter((a, i) => boxes.some((b, j) => i < j && overlaps(a, b))).length;
`

const measurePage = `(() => {` + measureTools + `
	const texts = all('body *').filter(e => shown(e) && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim() !== ''));
	const frame = document.querySelector('.scroll');
	const measured = svg => {
		const box = svg.getBoundingClientRect(), card = svg.closest('figure').getBoundingClientRect();
		const marks = all('text', svg), boxes = marks.map(e => e.getBoundingClientRect());
		const curves = all('.curve, rect', svg).map(e => e.getBoundingClientRect());
		return {
			Label: svg.getAttribute('aria-labelledby').split(' ').map(id => document.getElementById(id).textContent).join('. '), Width: box.width, Height: box.height,
			Text: Math.min(...marks.map(textSize)),
			Overlaps: overlapping(boxes),
			Curves: curves.length, Markers: all('.marker use', svg).filter(shown).length,
			WidestCurve: Math.max(...curves.map(b => b.width)), HighestCurve: Math.max(...curves.map(b => b.height)),
			LeftOfTheCard: card.left - Math.min(...boxes.map(b => b.left)), RightOfCard: Math.max(...boxes.map(b => b.right)) - card.right,
		};
	};
	return {
		Width: document.documentElement.scrollWidth, Inner: innerWidth,
		Title: document.title, Heading: document.querySelector('h1').textContent,
		Scripts: all('script, img, iframe, object, link[rel=stylesheet]').length,
		Rows: all('tbody tr').map(row => row.textContent), Marks: all('tbody tr .mark').map(e => e.textContent),
		Headings: all('article h3').map(e => e.textContent),
		Charts: all('svg.chart').map(measured), Bars: all('svg.bars').map(measured),
		Smallest: Math.min(...texts.map(textSize)),
		Faint: texts.filter(e => contrast(e) < 4.5).map(e => e.textContent),
		Background: getComputedStyle(document.body).backgroundColor,
		ScrollsBy: frame ? frame.scrollWidth - frame.clientWidth : 0,
	};
})()`

// problems of a page: what it says on the console, and what it asks for beside
// itself.
type pageProblems struct {
	mu    sync.Mutex
	page  string
	found []string
}

func (p *pageProblems) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request.URL != p.page && !strings.HasPrefix(e.Request.URL, "data:") {
			p.found = append(p.found, "asked for "+e.Request.URL)
		}
	case *network.EventLoadingFailed:
		p.found = append(p.found, "failed to load: "+e.ErrorText)
	case *log.EventEntryAdded:
		p.found = append(p.found, "logged: "+e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		p.found = append(p.found, fmt.Sprint("wrote to the console: ", e.Type))
	case *runtime.EventExceptionThrown:
		p.found = append(p.found, "threw "+e.ExceptionDetails.Text)
	}
}

func (p *pageProblems) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.found
	p.found = nil
	return found
}

// openBrowser starts the browser that BROWSER names.
func openBrowser(t *testing.T) context.Context {
	browser := os.Getenv("BROWSER")
	if browser == "" {
		t.Skip("BROWSER names no browser, like chromium, to look at the page with")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which root cannot have
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	return ctx
}

// navigate opens a page in a window of a width, which is a phone's if it is 360,
// and in light or dark.
func navigate(t *testing.T, ctx context.Context, page string, width int64, scheme string) {
	t.Helper()
	features := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, features); err != nil {
		t.Fatal(err)
	}
	var phone []chromedp.EmulateViewportOption
	if width == 360 {
		phone = append(phone, chromedp.EmulateMobile)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800, phone...), chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
}

func TestPageInBrowser(t *testing.T) {
	ctx := openBrowser(t)
	hostile := hostilePage()
	single := Page{Function: "orders", Trigger: "kafka", Runs: priced()[:1]}
	for _, test := range []struct {
		name   string
		page   Page
		curves int
	}{{"hostile", hostile, 12}, {"single", single, 1}} {
		path := filepath.Join(t.TempDir(), test.name+".html")
		if err := test.page.Write(path); err != nil {
			t.Fatal(err)
		}
		problems := &pageProblems{page: "file://" + path}
		if err := chromedp.Listen(ctx, problems.listen); err != nil {
			t.Fatal(err)
		}
		backgrounds := map[string]string{} // by colour scheme
		for _, width := range []int64{360, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				t.Run(fmt.Sprintf("%s %d %s", test.name, width, scheme), func(t *testing.T) {
					navigate(t, ctx, problems.page, width, scheme)
					got, err := chromedp.Run(ctx, chromedp.Evaluate[measured](measurePage))
					if err != nil {
						t.Fatal(err)
					}
					for _, problem := range problems.take() {
						t.Error("the page", problem)
					}
					checkMeasured(t, test.page, got, float64(width), test.curves)
					if test.page.Best != "" && width == 360 && got.ScrollsBy <= 0 {
						t.Error("the table does not scroll in its frame")
					}
					backgrounds[scheme] = got.Background
				})
			}
		}
		if backgrounds["light"] == backgrounds["dark"] {
			t.Errorf("%s: the background is %s in light and in dark", test.name, backgrounds["light"])
		}
	}
}

func checkMeasured(t *testing.T, page Page, got measured, width float64, curves int) {
	t.Helper()
	if got.Width > width || got.Inner != width {
		t.Errorf("the page is %v wide in a window of %v, want at most %v", got.Width, got.Inner, width)
	}
	if want := "Plan of " + page.Function; got.Title != want || got.Heading != want || got.Scripts != 0 {
		t.Errorf("the title is %q, the heading %q, with %d scripts and images", got.Title, got.Heading, got.Scripts)
	}
	if got.Smallest < 14 {
		t.Errorf("a text of %v px", got.Smallest)
	}
	if len(got.Faint) > 0 {
		t.Errorf("too little contrast: %q", slices.Compact(got.Faint))
	}

	if len(page.Runs) > 1 {
		var marks []string
		for i, run := range page.Runs {
			marks = append(marks, map[bool]string{true: "✓ yes", false: "✗ no"}[run.KeepsUp])
			topic, _ := run.Settings.Value("Topic").(string) // the stopped one has none
			if i >= len(got.Rows) || !strings.Contains(got.Rows[i], topic) || i >= len(got.Headings) || !strings.Contains(got.Headings[i], topic) {
				t.Errorf("run %d is not shown with its topic %q", i+1, topic)
			}
		}
		if diff := cmp.Diff(marks, got.Marks); diff != "" {
			t.Errorf("runs that keep up (-want +got):\n%s", diff)
		}
	}

	if len(got.Charts) != 4 {
		t.Errorf("%d charts, want 4", len(got.Charts))
	}
	if len(got.Bars) != curves {
		t.Errorf("bars of %d runs, want %d", len(got.Bars), curves)
	}
	for _, bars := range got.Bars {
		if !strings.Contains(bars.Label, "; p99 ") || bars.Curves != 11 || bars.WidestCurve < 80 || bars.HighestCurve < 10 || bars.HighestCurve > 30 ||
			bars.Text < 10 || bars.Overlaps > 0 || bars.LeftOfTheCard > 0 || bars.RightOfCard > 0 {
			t.Errorf("bars cannot be read: %+v", bars)
		}
	}
	for _, chart := range got.Charts {
		if !strings.Contains(chart.Label, " over time. The highest values: run 1 ") {
			t.Errorf("a chart says of itself %q", chart.Label)
		}
		if chart.Width < 200 || chart.Height < 150 || chart.Text < 10 || chart.Overlaps > 0 || chart.LeftOfTheCard > 0 || chart.RightOfCard > 0 {
			t.Errorf("a chart cannot be read: %+v", chart)
		}
		if chart.Curves != curves || chart.Markers < curves || chart.WidestCurve < 150 || chart.HighestCurve > chart.Height {
			t.Errorf("curves of a chart: %+v", chart)
		}
	}
}
