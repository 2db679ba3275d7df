// Package units writes figures for people: one way for each kind of figure.
package units

import (
	"math"
	"strconv"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// english groups the digits of large numbers: 100,000.
var english = message.NewPrinter(language.English)

// Sprintf formats like fmt.Sprintf, and groups the digits of numbers.
func Sprintf(format string, arguments ...any) string { return english.Sprintf(format, arguments...) }

// Count writes a whole number.
func Count[T int | int64](n T) string { return english.Sprintf("%d", n) }

// Number writes a figure with three significant digits, or as a whole number if
// it is one and from 100 on.
func Number(x float64) string {
	switch size := math.Abs(x); {
	case x == math.Trunc(x):
		return english.Sprintf("%.0f", x)
	case size < 9.995:
		return english.Sprintf("%.2f", x)
	case size < 99.95:
		return english.Sprintf("%.1f", x)
	default:
		return english.Sprintf("%.0f", x)
	}
}

// Percent writes a share of 0 to 1 as percents, without the noise of its binary
// digits.
func Percent(share float64) string { return strconv.FormatFloat(100*share, 'g', 6, 64) + " %" }

// Duration writes a duration in the unit that suits it.
func Duration(d time.Duration) string { return Milliseconds(float64(d) / float64(time.Millisecond)) }

// Milliseconds writes a duration of so many milliseconds likewise.
func Milliseconds(milliseconds float64) string {
	switch seconds := milliseconds / 1000; {
	case milliseconds > 0 && milliseconds < 0.9995:
		return Number(milliseconds*1000) + " µs"
	case milliseconds < 999.5:
		return Number(milliseconds) + " ms"
	case seconds < 119.5:
		return Number(seconds) + " s"
	case seconds < 119.5*60:
		return Number(seconds/60) + " min"
	default:
		return Number(seconds/3600) + " h"
	}
}

// Bytes writes a size in KB or MB, of 2^10 and 2^20 bytes.
func Bytes(bytes int64) string {
	if bytes < 1<<20 {
		return english.Sprintf("%.1f KB", float64(bytes)/(1<<10))
	}
	return english.Sprintf("%.1f MB", float64(bytes)/(1<<20))
}

// Money writes a price with two decimals, or three digits if it is below 1.
func Money(x float64) string {
	decimals := 2
	if x > 0 && x < 1 {
		decimals = min(2-int(math.Floor(math.Log10(x))), 12)
	}
	return english.Sprintf("%.*f", decimals, x)
}

// YesNo writes whether something is so.
func YesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
