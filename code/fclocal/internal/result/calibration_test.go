package result

import "testing"

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
