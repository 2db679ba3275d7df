package option

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Days is the value of a flag that is a duration, of days, too: 30d or 1d12h.
type Days struct{ *time.Duration }

func (Days) Type() string { return "duration" }

func (d Days) String() string {
	if d.Duration == nil { // as cobra asks for
		return ""
	}
	return d.Duration.String()
}

// Set reads the value. An error is one for pflag, which says of which flag and value.
func (d Days) Set(text string) error {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "0", text
	}
	number, err := strconv.ParseFloat(days, 64)
	total := number * float64(24*time.Hour)
	var more time.Duration
	if err == nil && (rest != "" || !found) {
		more, err = time.ParseDuration(rest)
	}
	if err != nil || !(math.Abs(total)+math.Abs(float64(more)) < math.MaxInt64) || found && more < 0 {
		return errors.New("it must be a duration like 30d, 1d12h, 90m or 1.5s")
	}
	*d.Duration = time.Duration(total) + more
	return nil
}
