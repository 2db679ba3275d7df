package report

import (
	"errors"
	"fclocal/internal/result"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const hostile = `</title></style></svg><script>alert(1)</script><img src=x onerror=alert(2)>`

// manyPlans are n plans of a day, with as many samples as a plan has at most, of
// which no two are alike.
func manyPlans(n int) []result.Run {
	var runs []result.Run
	for i := range n {
		p := priced()[i%5]
		p.Settings = with(p.Settings, "maximumTasks", i+1)
		p.Samples = nil
		for j := range 2000 {
			p.Samples = append(p.Samples, result.Sample{
				At: time.Duration(j) * 43 * time.Second, Instances: (i + j*7) % 100, InFlight: (i*3 + j*11) % 300,
				EventsPerSecond: float64(20_000 + (j*j+i)%5000), Lag: int64(1e6 + (j*j*31+i)%1_000_000),
			})
		}
		p.WallSeconds, p.DrainSeconds = 86_000, 90
		runs = append(runs, p)
	}
	return runs
}

func hostilePage() Page {
	runs := manyPlans(14)
	for i := range runs {
		runs[i].Settings = with(runs[i].Settings, "Topic", fmt.Sprintf("%s %d", hostile, i))
	}
	runs[13] = stoppedPlan()
	runs[13].Stopped, runs[13].Advice = "stopped "+hostile, "advice "+hostile
	return Page{
		Function: "function " + hostile, Trigger: "trigger " + hostile,
		Best: "cheapest", Runs: runs,
	}
}

func written(t *testing.T, page Page) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := page.Write(path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestPage(t *testing.T) {
	page := written(t, Page{
		Function: "orders", Trigger: "kafka", Best: "cheapest",
		Runs: append(priced()[1:], priced()[0]),
	})
	for _, want := range []string{
		"<title>Plan of orders</title>", "Trigger kafka,", "<li>The topic has 1 partitions.", "<li>Prices in USD per 30 days, of 2025-11-10: the bill is Function Compute&#39;s (FC) and",
		"4 of 5 runs keep up.", "The cheapest of them is run 1: instanceConcurrency 13.",
		"<dt>memorySize</dt><dd>512 MB</dd>", "<td>1.37</td>", "<td>* 2.50</td>", "<dd>USD 0.125; USD 1.37 per 30 days (prices of 2025-11-10)</dd>",
		"5: instanceConcurrency 26", "waiting for a slot of concurrency (26). With concurrency 52 p99 is 1.10 s",
		`<title id="chart-0-title">Instances over time</title>`,
		`<desc id="chart-0-description">The highest values: run 1 2, run 2 6, run 3 13, run 4 26, run 5 1.</desc>`,
		`<title id="bars-5-title">Latency by cause of run 5</title>`,
		`<desc id="bars-5-description">mean 0 ms: slot 50 %, function 50 %; p50 1.51 s: slot 67 %, function 33 %; p95 2.53 s: slot 80 %, cold start 0 %, function 20 %; p99 2 s: Kafka 0 %, slot 62 %, retries 12 %, function 24 %.</desc>`,
		`<rect class="k2" x="0.5%" width="62.5%" height="80%"><title>slot 62 %</title></rect><rect class="k4" x="63%" width="12.5%" height="80%">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	for text, want := range map[string]int{
		`<th scope="row">`: 5, "✓ yes": 4, "✗ no": 1, "✓ keeps up": 4, "✗ does not keep up": 1,
		`role="img"`: 4 + 5, "<article": 5, " open>": 0, "curves are those": 0,
	} {
		if got := strings.Count(page, text); got != want {
			t.Errorf("%d times %q, want %d", got, text, want)
		}
	}

	single := written(t, Page{Runs: plans()[:1]})
	if strings.Contains(single, "<table") || !strings.Contains(single, "The stream does not keep up.") || !strings.Contains(single, "<details open>") {
		t.Error("the page of a single run has a table, or not its figures")
	}
	if none := written(t, Page{Best: "fastest", Runs: []result.Run{plans()[0], stoppedPlan()}}); !strings.Contains(none, "None of 2 runs keeps up.") || strings.Contains(none, "The fastest of them") {
		t.Error("a run that does not keep up is recommended")
	}
}

func TestPageEscapes(t *testing.T) {
	page := written(t, hostilePage())
	for _, markup := range []string{"<script", "<img", "onerror=alert(2)>"} {
		if strings.Contains(page, markup) {
			t.Errorf("%q of a name is markup in the page", markup)
		}
	}
	if n := strings.Count(page, "&lt;script&gt;"); n < 6 {
		t.Errorf("the names are shown %d times", n)
	}
	// A title of each chart, and the page's; and of each run's bars and the parts of these.
	for end, want := range map[string]int{"</title>": 5 + 12*(1+11), "</style>": 1} {
		if n := strings.Count(page, end); n != want {
			t.Errorf("%d times %q, want %d", n, end, want)
		}
	}
}

func TestPageIsSmallAndSelfContained(t *testing.T) {
	page := written(t, Page{Function: "f", Trigger: "t", Runs: manyPlans(50)})
	if len(page) > 1<<20 {
		t.Errorf("%d bytes with 50 runs, want at most 1 MB", len(page))
	}
	for _, outside := range []string{"http://", "https://", "src=", "@import", "url("} {
		if strings.Contains(page, outside) {
			t.Errorf("%q in a page that needs nothing else", outside)
		}
	}
	if !strings.Contains(page, "The curves are those of the first 12 runs of 50.") || strings.Count(page, `class="curve c0`) < 2 {
		t.Error("the page does not say which runs have curves")
	}
}

func TestPageFile(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "page.HTM")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (Page{Runs: plans()}).Write(path); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || !strings.HasSuffix(string(content), "</html>\n") {
		t.Errorf("%v, %.20q", err, content)
	}
	absent := filepath.Join(directory, "absent", "page.html")
	err := Page{Runs: plans()}.Write(absent)
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "the report cannot be written to "+absent+": ") || strings.Contains(err.Error(), ".fclocal-new-") {
		t.Errorf("error %v", err)
	}
	taken := filepath.Join(directory, "directory.html")
	if err := os.Mkdir(taken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := (Page{Runs: plans()}).Write(taken); err == nil || !strings.Contains(err.Error(), "cannot be written to "+taken) {
		t.Errorf("error %v for a directory", err)
	}
	if files, _ := os.ReadDir(directory); len(files) != 2 {
		t.Errorf("files are left: %v", files)
	}
	for _, name := range []string{"page", "page.svg", "page.html.gz", ""} {
		if err := CheckPage(name); err == nil || !strings.Contains(err.Error(), ".html or .htm") {
			t.Errorf("%q: error %v, want one that names .html and .htm", name, err)
		}
	}
}

func TestCharts(t *testing.T) {
	// An hour of load; the second run takes ten hours more.
	runs := plans()[:2]
	for i, hours := range []float64{1, 11} {
		runs[i].WallSeconds, runs[i].DrainSeconds = hours*3600, (hours-1)*3600
		runs[i].Samples = []result.Sample{{Lag: 3_000_000}, {At: time.Hour, Lag: 1_500_000}, {At: time.Duration(hours) * time.Hour}}
	}
	view := Page{Runs: runs}.view()
	if want := "They end after 2 h; the longest run takes 11 h."; strings.TrimSpace(view.NotDrawn) != want {
		t.Errorf("%q, want %q", view.NotDrawn, want)
	}
	lag := view.Charts[3]
	if last := lag.X[len(lag.X)-1]; view.TimeUnit != "min" || last != (chartMark{100, "120"}) {
		t.Errorf("the time ends at %v %s, want 120 min", last, view.TimeUnit)
	}
	if top := lag.Y[len(lag.Y)-1]; top != (chartMark{4.76, "3 M"}) {
		t.Errorf("the highest mark is %v, want 3 M", top)
	}
	if second := lag.Curves[0].Path(); second != "M0 48H500V524H1000" {
		t.Errorf("the curve of the second run is %s", second)
	}
}
