package instance

import (
	"fmt"
	"strings"
	"testing"
)

// What a function posts as its error is FC's JSON, or kept as text; long ones are
// cut where they are shown, and not in the answer.
func TestReportedError(t *testing.T) {
	long := strings.Repeat("ä", 50_000) // 100,000 bytes
	for _, test := range []struct{ body, kind, message, json string }{
		{`{"errorMessage":"m","errorType":"t","stackTrace":[]}`, "t", "m", ""},
		{`{"errorMessage":"m"}`, "", "m", ""},
		{`no <JSON>`, TypeUnknown, "no <JSON>", `{"errorMessage":"no <JSON>","errorType":"Unknown"}`},
		{"", TypeUnknown, "", `{"errorMessage":"","errorType":"Unknown"}`},
		{"null", TypeUnknown, "null", `{"errorMessage":"null","errorType":"Unknown"}`},
		{`{"errorMessage":7}`, TypeUnknown, `{"errorMessage":7}`, `{"errorMessage":"{\"errorMessage\":7}","errorType":"Unknown"}`},
		{"a\xffb", TypeUnknown, "ab", `{"errorMessage":"ab","errorType":"Unknown"}`},
		{long, TypeUnknown, long[:4096] + "… (cut: it has 100000 bytes)", fmt.Sprintf(`{"errorMessage":"%s… (cut: it has 100000 bytes)","errorType":"Unknown"}`, long[:4096])},
		{`{"errorMessage":"` + long + `","errorType":"` + long + `"}`, long[:1024] + "… (cut: it has 100000 bytes)", long[:65536] + "… (cut: it has 100000 bytes)", ""},
		{`{"errorMessage":"x` + long + `","errorType":"t"}`, "t", "x" + long[:65534] + "… (cut: it has 100001 bytes)", ""},
	} {
		if test.json == "" {
			test.json = test.body
		}
		got := reported([]byte(test.body))
		if got.Type != test.kind || got.Message != test.message || string(got.JSON) != test.json {
			t.Errorf("%.60q: type %.60q, message %.60q… of %d bytes, JSON %.60q… of %d; want %.60q, %.60q… of %d, %.60q… of %d", test.body,
				got.Type, got.Message, len(got.Message), got.JSON, len(got.JSON), test.kind, test.message, len(test.message), test.json, len(test.json))
		}
	}
}
