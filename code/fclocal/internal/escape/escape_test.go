package escape

import (
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"other text", `a\x1b "订单" é 🙂 \`, `a\x1b "订单" é 🙂 \`},
		{"tab", "a\tb", "a b"},
		{"colour and bell", "\x1b[31mred\x07\x00", `\x1b[31mred\x07\x00`},
		{"title", "\x1b]0;owned\x07", `\x1b]0;owned\x07`},
		{"line breaks", "a\r\nb", `a\x0d\x0ab`},
		{"other line breaks", "a\u0085b\u2028c\u2029d", `a\u{85}b\u{2028}c\u{2029}d`},
		{"C1", "\u009b31m", `\u{9b}31m`},
		{"DEL", "a\x7f", `a\x7f`},
		{"direction of writing", "\u202e\u2066x\u2069\u202c", `\u{202e}\u{2066}x\u{2069}\u{202c}`},
		{"not UTF-8", "中\xff\xe4\xb8", `中\xff\xe4\xb8`},
		{"replacement character", "a\ufffdb\xff", "a\ufffdb" + `\xff`},
	} {
		if got := Line(test.text); got != test.want {
			t.Errorf("%s: Line(%q) = %q, want %q", test.name, test.text, got, test.want)
		}
	}
}

func TestText(t *testing.T) {
	if got, want := Text("a\n\tb\x1b\r\n"), "a\n\tb\\x1b\\x0d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\x1b", "\xffb")
	f.Fuzz(func(t *testing.T, a, b string) {
		line := Line(a)
		if !utf8.ValidString(line) || Line(line) != line {
			t.Errorf("Line(%q) = %q", a, line)
		}
		if utf8.ValidString(a) && Line(a+b) != line+Line(b) {
			t.Errorf("%q and %q are escaped in another way together", a, b)
		}
	})
}
