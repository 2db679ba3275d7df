package report

import (
	"bytes"
	"testing"

	"fclocal/internal/result"
)

func TestCalibrations(t *testing.T) {
	agreed := result.Calibration{
		CountBasedWindow: 100, TimeBasedWindow: 15, Concurrency: 26, InstanceConcurrency: 13, Messages: 200_000, Saturated: true,
		Plan: result.Figures{Instances: 2, EventsPerSecond: 52_689, P50Ms: 1901.5, PeakMemoryMB: 13.1}, Stream: result.Figures{Instances: 2, EventsPerSecond: 48_000.4, P50Ms: 1977.3451, PeakMemoryMB: 13.55},
	}
	trickle := agreed
	trickle.Rate, trickle.Messages, trickle.EventTimeMs, trickle.Saturated, trickle.Plan.Instances = 100, 500, 5, false, 1
	var output, json bytes.Buffer
	calibrations := []result.Calibration{agreed, trickle}
	if err := CalibrationsTable(&output, calibrations); err != nil {
		t.Fatal(err)
	}
	golden(t, "calibrations.txt", output.String())
	if err := CalibrationsJSON(&json, calibrations[:1]); err != nil {
		t.Fatal(err)
	}
	golden(t, "calibrations.json", json.String())
}
