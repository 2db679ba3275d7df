package report

import (
	"math"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// English groups the digits of large numbers: 100,000.
var English = message.NewPrinter(language.English)

// whole renders a count.
func whole[T int | int64](n T) string { return English.Sprintf("%d", n) }

// number renders a figure with three significant digits, or as a whole number if
// it is one and from 100 on.
func number(x float64) string {
	switch size := math.Abs(x); {
	case x == math.Trunc(x):
		return English.Sprintf("%.0f", x)
	case size < 9.995:
		return English.Sprintf("%.2f", x)
	case size < 99.95:
		return English.Sprintf("%.1f", x)
	default:
		return English.Sprintf("%.0f", x)
	}
}

// Duration renders a duration in the unit that suits it.
func Duration(d time.Duration) string { return duration(d.Seconds() * 1000) }

// duration renders milliseconds in the unit that suits them.
func duration(milliseconds float64) string {
	switch seconds := milliseconds / 1000; {
	case milliseconds < 999.5:
		return number(milliseconds) + " ms"
	case seconds < 119.5:
		return number(seconds) + " s"
	case seconds < 119.5*60:
		return number(seconds/60) + " min"
	default:
		return number(seconds/3600) + " h"
	}
}

// money renders a price with two decimals, or three digits if it is below 1.
func money(x float64) string {
	decimals := 2
	if x > 0 && x < 1 {
		decimals = min(2-int(math.Floor(math.Log10(x))), 12)
	}
	return English.Sprintf("%.*f", decimals, x)
}

// yes renders whether something is so.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
