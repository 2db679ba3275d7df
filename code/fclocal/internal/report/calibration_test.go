package report

import (
	"bytes"
	"testing"
)

func TestCalibrations(t *testing.T) {
	agreed := Calibration{
		CountBasedWindow: 100, TimeBasedWindow: 15, Concurrency: 26, InstanceConcurrency: 13, Messages: 200_000, Saturated: true,
		Plan: Figures{2, 52_689, 1901.5, 13.1}, Stream: Figures{2, 48_000.4, 1977.3451, 13.55},
	}
	trickle := agreed
	trickle.Rate, trickle.Messages, trickle.EventTimeMs, trickle.Saturated, trickle.Plan.Instances = 100, 500, 5, false, 1
	var output, json bytes.Buffer
	calibrations := []Calibration{agreed, trickle}
	if err := CalibrationsTable(&output, calibrations); err != nil {
		t.Fatal(err)
	}
	golden(t, "calibrations.txt", output.String())
	if err := CalibrationsJSON(&json, calibrations[:1]); err != nil {
		t.Fatal(err)
	}
	golden(t, "calibrations.json", json.String())
}

func TestAgree(t *testing.T) {
	for _, test := range []struct {
		name         string
		plan, stream Figures
		saturated    bool
		want         bool
	}{
		{"alike", Figures{2, 1000, 10, 0}, Figures{2, 1000, 10, 0}, true, true},
		{"within 15 %", Figures{2, 1150, 8.5, 0}, Figures{2, 1000, 10, 0}, true, true},
		{"faster", Figures{2, 1151, 10, 0}, Figures{2, 1000, 10, 0}, true, false},
		{"slower", Figures{2, 849, 10, 0}, Figures{2, 1000, 10, 0}, true, false},
		{"later", Figures{2, 1000, 11.6, 0}, Figures{2, 1000, 10, 0}, true, false},
		{"other instances", Figures{3, 1000, 10, 0}, Figures{2, 1000, 10, 0}, true, false},
		{"other instances, but slots were free", Figures{3, 1000, 10, 0}, Figures{2, 1000, 10, 0}, false, true},
		{"memory is an estimate", Figures{2, 1000, 10, 300}, Figures{2, 1000, 10, 10}, true, true},
		{"nothing", Figures{}, Figures{2, 1000, 10, 0}, true, false},
	} {
		if got := (Calibration{Plan: test.plan, Stream: test.stream, Saturated: test.saturated}).Agree(); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
