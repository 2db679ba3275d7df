package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fclocal/internal/result"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// day is a run of a day with a sample every 5 seconds.
func day(instanceConcurrency int) result.Run {
	run := experiment(instanceConcurrency)
	run.Samples = nil
	for at := time.Duration(0); at <= 24*time.Hour; at += 5 * time.Second {
		load := 1 - math.Cos(2*math.Pi*at.Hours()/24)
		run.Samples = append(run.Samples, result.Sample{At: at, Instances: int(40 * load), InFlight: int(90 * load), EventsPerSecond: 20_000 * load, Lag: int64(3e6 * load)})
	}
	return run
}

// svgTexts returns the texts of an SVG in their order, which must be well-formed.
func svgTexts(t *testing.T, svg []byte) []string {
	t.Helper()
	var texts []string
	inText := false
	for decoder := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if s := strings.TrimSpace(string(token)); inText && s != "" {
				texts = append(texts, s)
			}
		}
	}
}

func TestPlotSVG(t *testing.T) {
	short := experiment(5)
	short.Samples = short.Samples[:11] // 1 s
	minutes := experiment(5)
	minutes.Samples = []result.Sample{{}, {At: 10 * time.Minute, Instances: 1000, InFlight: 4000, EventsPerSecond: 0.25}}
	broken := experiment(5)
	broken.Samples = []result.Sample{{EventsPerSecond: math.NaN()}, {At: time.Second, EventsPerSecond: math.Inf(1)}}
	var many []result.Run
	for instanceConcurrency := range 12 {
		many = append(many, day(instanceConcurrency+1))
	}
	for _, test := range []struct {
		golden string
		runs   []result.Run
		curves int // that do not look alike
	}{
		{"experiments.plot", experiments(), 5},
		{"second.plot", []result.Run{short}, 1},
		{"minutes.plot", []result.Run{minutes}, 1},
		{"day.plot", many, 12},
		{"broken.plot", []result.Run{broken}, 1},
		{"no-samples.plot", []result.Run{{}}, 0},
		{"no-runs.plot", nil, 0},
	} {
		t.Run(test.golden, func(t *testing.T) {
			svg := plotted(t, "plot.svg", test.runs)
			golden(t, test.golden, strings.Join(svgTexts(t, svg), "\n")+"\n")
			if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
				t.Error("a coordinate is not finite")
			}
			if limit := 2 << 20; len(svg) > limit {
				t.Errorf("%d bytes, want at most %d", len(svg), limit)
			}
			// Those of the legend are not in a panel.
			_, drawn, _ := strings.Cut(string(svg), `class="panel"`)
			colours := regexp.MustCompile(`class="curve (c\d+ d\d+)" d="M`).FindAllStringSubmatch(drawn, -1)
			var seen []string
			for _, colour := range colours {
				seen = append(seen, colour[1])
			}
			slices.Sort(seen)
			if seen = slices.Compact(seen); len(seen) != test.curves {
				t.Errorf("curves that look like %v, want %d", seen, test.curves)
			}
		})
	}
}

// hostileRuns have names with markup, of more than a line, and of letters that
// Latin fonts lack.
func hostileRuns() []result.Run {
	runs := experiments()
	for i := range runs {
		runs[i].Settings = with(runs[i].Settings,
			"Topic", fmt.Sprintf("%s %d", hostile, i),
			"ConsumerGroup", "消费者"+strings.Repeat("x&\"'", 60))
	}
	return runs
}

func TestPlotSVGEscapes(t *testing.T) {
	runs := hostileRuns()
	for i := range runs {
		topic, group := runs[i].Settings.Value("Topic").(string), runs[i].Settings.Value("ConsumerGroup").(string)
		runs[i].Settings = with(runs[i].Settings,
			"Topic", topic+"\x00\x1b[31m\xff\ufffe\nnext",
			"ConsumerGroup", group+"\x07same") // in all runs, so a setting of the plot
	}
	svg := plotted(t, "plot.svg", runs)
	texts := together(svgTexts(t, svg)...)
	for _, want := range []string{"<script>alert(1)</script><img", "消费者", `\x00\x1b[31m\xff�\x0anext`, `'\x07same`} {
		if !strings.Contains(texts, want) {
			t.Errorf("%q is not in %q", want, texts)
		}
	}
	elements := map[string]int{}
	for decoder := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := decoder.Token()
		if err != nil {
			break // of its end: svgTexts has checked the others
		}
		if start, ok := token.(xml.StartElement); ok {
			elements[start.Name.Local]++
		}
	}
	for name, want := range map[string]int{"script": 0, "img": 0, "title": 1, "desc": 1, "style": 1} {
		if got := elements[name]; got != want {
			t.Errorf("%d elements %s, want %d", got, name, want)
		}
	}
	for _, outside := range []string{"https://", "@import", "url("} {
		if bytes.Contains(svg, []byte(outside)) {
			t.Errorf("%q in a plot that needs nothing else", outside)
		}
	}
}

// together joins texts without spaces: long names are broken somewhere.
func together(texts ...string) string { return strings.ReplaceAll(strings.Join(texts, ""), " ", "") }

// plotted returns what Plot writes to a file of that name.
func plotted(t *testing.T, name string, runs []result.Run) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := Plot(path, runs); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func decoded(t *testing.T, content []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

func TestPlotPNG(t *testing.T) {
	picture := decoded(t, plotted(t, "plot.PNG", experiments()))
	if size := picture.Bounds().Size(); size.X != 1440 || size.Y < 1000 || size.Y > 1600 {
		t.Errorf("the picture has %v pixels", size)
	}
	for run := range experiments() {
		if pixels(picture, picture.Bounds(), rgb(light.Curves[run])) == 0 {
			t.Errorf("the curve of run %d is not to be seen", run+1)
		}
	}
	if pixels(picture, image.Rect(0, 0, 10, 10), color.RGBA{0xff, 0xff, 0xff, 0xff}) != 100 {
		t.Error("the background is not white")
	}
}

// pixels counts those of a colour in a part of a picture.
func pixels(picture image.Image, part image.Rectangle, want color.RGBA) (n int) {
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if color.RGBAModel.Convert(picture.At(x, y)) == want {
				n++
			}
		}
	}
	return n
}

// Runs that do the same have curves on top of each other.
func TestEqualCurvesAreAllSeen(t *testing.T) {
	for _, n := range []int{2, 5, 6} { // 6 is as many as there are colours
		var runs []result.Run
		for range n {
			runs = append(runs, experiment(1))
		}
		p, err := newPicture(runs)
		if err != nil {
			t.Fatal(err)
		}
		picture := decoded(t, plotted(t, "plot.png", runs))
		for _, panel := range p.Panels {
			inside := image.Rect(int(panel.Left*pngScale), int(panel.Top*pngScale)-10, int((panel.Left+panel.Width)*pngScale), int((panel.Top+panel.Height)*pngScale)+10)
			for run := range runs {
				if got := pixels(picture, inside, rgb(light.Curves[styleOf(run).Colour])); got < 100 {
					t.Errorf("%s: run %d of %d has %d pixels", panel.Label, run+1, n, got)
				}
			}
		}
	}
	for _, n := range []int{2, 12, 48} {
		var runs []result.Run
		for i := range n {
			runs = append(runs, day(i+1))
		}
		svg := string(plotted(t, "plot.svg", runs))
		for i, panel := range strings.Split(svg, `class="panel"`)[1:] {
			places := map[string]int{}
			for _, use := range regexp.MustCompile(`<use href="#m\d" (x="[\d.]+%" y="[\d.]+%")/>`).FindAllStringSubmatch(panel, -1) {
				places[use[1]]++
			}
			if len(places) < 2*n || len(places) > plotDetail.markers {
				t.Errorf("panel %d of %d runs has markers at %d places", i+1, n, len(places))
			}
			for place, markers := range places {
				if markers > 1 {
					t.Errorf("panel %d of %d runs has %d markers at %s", i+1, n, markers, place)
				}
			}
		}
	}
}

func TestPlotErrors(t *testing.T) {
	for _, name := range []string{"plot", "plot.pdf", "plot.svg.gz", ""} {
		for _, err := range []error{CheckPlot(name), Plot(name, experiments())} {
			if err == nil || !strings.Contains(err.Error(), ".svg or .png") {
				t.Errorf("%q: error %v, want one that names .svg and .png", name, err)
			}
		}
	}
	for _, name := range []string{"plot.svg", "a.b.PNG"} {
		if err := CheckPlot(filepath.Join(t.TempDir(), name)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	directory := t.TempDir()
	absent := filepath.Join(directory, "absent", "plot.svg")
	err := Plot(absent, nil)
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "the plot cannot be written to "+absent+": no such file or directory" {
		t.Errorf("error %v", err)
	}
	taken := filepath.Join(directory, "directory.png")
	if err := os.Mkdir(taken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Plot(taken, nil); err == nil || !strings.Contains(err.Error(), "the plot cannot be written to "+taken+": ") {
		t.Errorf("error %v for a directory", err)
	}
	if files, _ := os.ReadDir(directory); len(files) != 1 {
		t.Errorf("files are left: %v", files)
	}
}

func TestPlotSVGIsSmall(t *testing.T) {
	var runs []result.Run
	for i := range 12 {
		run := day(i + 1)
		for j := range run.Samples { // no two are alike
			s := &run.Samples[j]
			s.Instances, s.InFlight, s.EventsPerSecond, s.Lag = (i+j*7)%100, (i*3+j*11)%300, float64((j*j+i)%5000), int64((j*j*31+i)%1_000_000)
		}
		runs = append(runs, run)
	}
	if svg := plotted(t, "plot.svg", runs); len(svg) > 2<<20 {
		t.Errorf("%d bytes with 12 runs of a day, want at most 2 MB", len(svg))
	}
}
