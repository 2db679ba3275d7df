package units

import "testing"

func TestMilliseconds(t *testing.T) {
	for _, test := range []struct {
		milliseconds float64
		want         string
	}{
		{0, "0 ms"},
		{0.0186, "18.6 µs"},
		{0.512, "512 µs"},
		{0.9996, "1.00 ms"},
		{9.996, "10.0 ms"},
		{99.96, "100 ms"},
		{999.4, "999 ms"},
		{999.6, "1.00 s"},
		{1000, "1 s"},
		{12345, "12.3 s"},
		{119_400, "119 s"},
		{120_000, "2 min"},
		{7_140_000, "119 min"},
		{7_200_000, "2 h"},
		{86_400_000, "24 h"},
		{9_000_000_000, "2,500 h"},
	} {
		if got := Milliseconds(test.milliseconds); got != test.want {
			t.Errorf("Milliseconds(%v) = %q, want %q", test.milliseconds, got, test.want)
		}
	}
}

func TestMoney(t *testing.T) {
	for price, want := range map[float64]string{
		0: "0.00", 0.00001234: "0.0000123", 0.0456: "0.0456", 0.5: "0.500", 1: "1.00", 1234567.891: "1,234,567.89", 1e-300: "0.000000000000",
	} {
		if got := Money(price); got != want {
			t.Errorf("Money(%v) = %q, want %q", price, got, want)
		}
	}
}
