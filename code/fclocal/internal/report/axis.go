package report

import (
	"fclocal/internal/result"
	"fclocal/internal/units"
	"math"
)

// A mark is a number at an axis.
type mark struct {
	Value float64 // in the unit of the axis
	Text  string
}

// marks returns those of an axis from 0 to high, with digits grouped as in the
// table. A step of 0 is one that fits; whole numbers have no fractions.
func marks(high, step float64, whole bool) []mark {
	if step == 0 {
		step = math.Pow(10, math.Floor(math.Log10(high)))
		for _, part := range []float64{0.1, 0.2, 0.5} {
			if high/(step*part) <= 6 {
				step *= part
				break
			}
		}
		if whole {
			step = max(step, 1)
		}
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	var marks []mark
	for i := 0.0; i*step <= high*(1+1e-9); i++ {
		marks = append(marks, mark{i * step, units.Sprintf("%.*f", decimals, i*step)})
	}
	return marks
}

// valueMarks returns those of an axis from 0 to high, which counts in millions
// if that is shorter.
func valueMarks(high float64, whole bool) []mark {
	if high < 1e6 {
		return marks(high, 0, whole)
	}
	millions := marks(high/1e6, 0, false)
	for i := range millions {
		if millions[i].Value > 0 {
			millions[i].Value *= 1e6
			millions[i].Text += " M"
		}
	}
	return millions
}

// A timeUnit is what a time axis counts in.
type timeUnit struct {
	name    string
	seconds float64 // in the unit
	longest float64 // run, in the unit; the end of the axis
	step    float64 // between two marks, in the unit
}

// longest returns the seconds of the longest run.
func longest(runs []result.Run) (seconds float64) {
	for _, run := range runs {
		if n := len(run.Samples); n > 0 {
			seconds = max(seconds, run.Samples[n-1].At.Seconds())
		}
	}
	return seconds
}

// timeUnitOf suits an axis of that many seconds with about as many marks.
func timeUnitOf(longest, marks float64) timeUnit {
	unit := timeUnit{name: "s", seconds: 1}
	steps := []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30}
	switch {
	case longest <= 0:
		longest = 1
	case longest > 3*3600:
		unit = timeUnit{name: "h", seconds: 3600}
		steps = []float64{0.5, 1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 30, 24 * 90, 24 * 365, 24 * 730}
	case longest > 3*60:
		unit = timeUnit{name: "min", seconds: 60}
		steps = []float64{0.5, 1, 2, 5, 10, 15, 20, 30}
	}
	unit.longest = longest / unit.seconds
	unit.step = steps[len(steps)-1]
	for _, step := range steps {
		if unit.longest/step <= marks {
			unit.step = step
			break
		}
	}
	return unit
}
