package calibrate

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"fclocal/internal/config"
	"fclocal/internal/instance"
)

// Where cpu limits a load, there is so much of it as takes about as long: never less
// than fills all calls, nor other than full batches.
func TestMessages(t *testing.T) {
	for _, test := range []struct {
		one   configuration
		cores float64
		want  int
	}{
		{configuration{10, 15, 26, 26, 80_000, 0, 0}, 0, 80_000},
		{configuration{10, 15, 26, 26, 80_000, 0, 0}, 1, 80_000},
		{configuration{10, 15, 26, 26, 80_000, 0, 0}, 0.1, 16_000},
		{configuration{1000, 15, 4, 2, 200_000, 0, 0}, 0.1, 80_000},
		{configuration{10, 15, 26, 1, 80_000, 0, 0}, 0.1, 80_000},
		{configuration{1000, 15, 4, 2, 10_000, 0, 0}, 0.1, 4_000},
		{configuration{1, 15, 26, 26, 130, 0, time.Second}, 0.1, 130},
		{configuration{10, 3, 26, 26, 500, 100, 0}, 0.1, 500},
	} {
		if got := test.one.on(test.cores).messages; got != test.want {
			t.Errorf("%+v with %v cores: %d messages, want %d", test.one, test.cores, got, test.want)
		}
	}
}

// What plan and stream agree on at any speed of the machine: the instances of a load
// that fills all slots, by waiting.
func TestRun(t *testing.T) {
	all, own := compared, ofStream
	t.Cleanup(func() { compared, ofStream = all, own })
	compared = []configuration{{1, 15, 26, 10, 52, 0, 200 * time.Millisecond}}
	ofStream = []configuration{{1, 15, 26, 26, 100, 0, 0}, {10, 15, 26, 26, 1000, 0, 0}}

	options := Options{Binary: filepath.Join(t.TempDir(), "main"), CPU: instance.CPU{Speed: 1}}
	command := exec.Command("go", "build", "-o", options.Binary, ".")
	command.Dir = "../../.."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, set := range Overrides() {
		project, _, err := config.Load("../../../../s.yaml", config.Options{Set: set})
		if err != nil {
			t.Fatal(err)
		}
		options.Projects = append(options.Projects, project)
	}
	calibrations, err := Run(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if len(calibrations) != 1 {
		t.Fatalf("%+v", calibrations)
	}
	c := calibrations[0]
	if c.InstanceConcurrency != 10 || c.Messages != 52 || c.EventTimeMs != 200 || !c.Saturated ||
		c.Plan.Instances != 3 || c.Stream.Instances != 3 || c.Plan.P50Ms < 200 || c.Stream.P50Ms < 200 || c.Plan.EventsPerSecond <= 0 || c.Stream.EventsPerSecond <= 0 {
		t.Errorf("%+v", c)
	}
}
