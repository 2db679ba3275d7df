package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"fclocal/internal/report"
)

// What plan and stream agree on at any speed of the machine: the instances of a load
// that fills all slots, by waiting.
func TestCalibrate(t *testing.T) {
	all, own := calibrations, streamCalibrations
	t.Cleanup(func() { calibrations, streamCalibrations = all, own })
	calibrations = []calibration{{1, 15, 26, 10, 52, 0, 200 * time.Millisecond}}
	streamCalibrations = []calibration{{1, 15, 26, 26, 100, 0, 0}, {10, 15, 26, 26, 1000, 0, 0}}

	command := newCalibrateCommand(&globalOptions{template: "../../s.yaml"})
	command.SilenceUsage, command.SilenceErrors = true, true
	var stdout, stderr bytes.Buffer
	command.SetOut(&stdout)
	command.SetErr(&stderr)
	command.SetArgs([]string{"--json"})
	err := command.ExecuteContext(context.Background())
	var failed failure
	if err != nil && !errors.As(err, &failed) { // they may not agree on a machine that has other things to do
		t.Fatal(err)
	}
	var document struct{ Calibrations []report.Calibration }
	if err := json.Unmarshal(stdout.Bytes(), &document); err != nil {
		t.Fatalf("%v in %s\n%s", err, &stdout, &stderr)
	}
	if len(document.Calibrations) != 1 {
		t.Fatalf("%+v", document)
	}
	c := document.Calibrations[0]
	if c.InstanceConcurrency != 10 || c.Messages != 52 || c.EventTimeMs != 200 || !c.Saturated ||
		c.Plan.Instances != 3 || c.Stream.Instances != 3 || c.Plan.P50Ms < 200 || c.Stream.P50Ms < 200 || c.Plan.EventsPerSecond <= 0 || c.Stream.EventsPerSecond <= 0 {
		t.Errorf("%+v", c)
	}
}
