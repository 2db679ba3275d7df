package report

import (
	"bytes"
	"encoding/xml"
	"errors"
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

	"gonum.org/v1/plot/plotter"

	"fclocal/internal/result"
)

// day is a run of a day with a sample every 5 seconds.
func day(instanceConcurrency int) result.Run {
	run := experiment(instanceConcurrency)
	run.Samples = nil
	for at := time.Duration(0); at <= 24*time.Hour; at += 5 * time.Second {
		load := 1 - math.Cos(2*math.Pi*at.Hours()/24)
		run.Samples = append(run.Samples, result.Sample{At: at, Instances: int(40 * load), InFlight: int(90 * load), EventsPerSecond: 20_000 * load})
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
		curves int // colours in each panel
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
			path := filepath.Join(t.TempDir(), "plot.svg")
			if err := Plot(path, test.runs); err != nil {
				t.Fatal(err)
			}
			svg, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, test.golden, strings.Join(svgTexts(t, svg), "\n")+"\n")
			if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
				t.Error("a coordinate is not finite")
			}
			if limit := 2 << 20; len(svg) > limit {
				t.Errorf("%d bytes, want at most %d", len(svg), limit)
			}
			colours := regexp.MustCompile(`stroke:(#[0-9A-F]{6});stroke-width:1.6`).FindAllSubmatch(svg, -1)
			var seen []string
			for _, colour := range colours {
				seen = append(seen, string(colour[1]))
			}
			slices.Sort(seen)
			if seen = slices.Compact(seen); len(seen) != test.curves {
				t.Errorf("curves in the colours %v, want %d", seen, test.curves)
			}
		})
	}
}

func TestPlotPNG(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plot.PNG")
	if err := Plot(path, experiments()); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size.X != 1440 || size.Y < 1000 || size.Y > 1600 {
		t.Errorf("the picture has %v pixels", size)
	}
	for run := range experiments() {
		if !has(picture, palette[run]) {
			t.Errorf("the curve of run %d is not to be seen", run+1)
		}
	}
}

func has(picture image.Image, want color.RGBA) bool {
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			if color.RGBAModel.Convert(picture.At(x, y)) == want {
				return true
			}
		}
	}
	return false
}

func TestPlotErrors(t *testing.T) {
	for _, name := range []string{"plot", "plot.pdf", "plot.svg.gz", ""} {
		for _, err := range []error{CheckPlot(name), Plot(name, experiments())} {
			if err == nil || !strings.Contains(err.Error(), ".svg or .png") {
				t.Errorf("%q: error %v, want one that names .svg and .png", name, err)
			}
		}
	}
	for _, name := range []string{"plot.svg", "a.b/plot.PNG"} {
		if err := CheckPlot(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := Plot(filepath.Join(t.TempDir(), "absent", "plot.svg"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
}

func TestThinKeepsWhatIsSeen(t *testing.T) {
	points := make(plotter.XYs, 100_000)
	for i := range points {
		points[i].X = float64(i)
	}
	points[12_345].Y = 7   // a peak of a single sample
	points[67_890].Y = -7  // and the opposite
	points[99_999].Y = 0.5 // and the end
	kept := thin(points, curveSlots)
	if len(kept) > 4*curveSlots {
		t.Errorf("%d points, want at most %d", len(kept), 4*curveSlots)
	}
	for _, i := range []int{0, 12_345, 67_890, 99_999} {
		if !slices.Contains(kept, points[i]) {
			t.Errorf("%v is gone", points[i])
		}
	}
	if !slices.IsSortedFunc(kept, func(a, b plotter.XY) int { return int(a.X - b.X) }) {
		t.Error("the points are out of order")
	}
	if few := points[:4*curveSlots]; len(thin(few, curveSlots)) != len(few) {
		t.Error("few points were thinned out")
	}
}
