package option

import (
	"testing"
	"time"
)

func TestDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30d": 30 * 24 * time.Hour, "1d12h": 36 * time.Hour, "0.5d": 12 * time.Hour, "1h30m": 90 * time.Minute, "1.5s": 1500 * time.Millisecond, "0": 0, "-1h": -time.Hour, "-1d": -24 * time.Hour,
	} {
		var got time.Duration
		if err := (Days{&got}).Set(text); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "5", "1d-1h", "1d5", "1d2d", "day", "NaNd", "infd", "1e9d", "200000d"} {
		got := time.Second
		if err := (Days{&got}).Set(text); err == nil || err.Error() != "it must be a duration like 30d, 1d12h, 90m or 1.5s" || got != time.Second {
			t.Errorf("%s is %v, %v; want an error", text, got, err)
		}
	}
}
