package calibrate

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"fclocal/internal/config"
)

// What plan and stream agree on at any speed of the machine: the instances of a load
// that fills all slots, by waiting.
func TestRun(t *testing.T) {
	all, own := compared, ofStream
	t.Cleanup(func() { compared, ofStream = all, own })
	compared = []configuration{{1, 15, 26, 10, 52, 0, 200 * time.Millisecond}}
	ofStream = []configuration{{1, 15, 26, 26, 100, 0, 0}, {10, 15, 26, 26, 1000, 0, 0}}

	options := Options{Binary: filepath.Join(t.TempDir(), "main")}
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
