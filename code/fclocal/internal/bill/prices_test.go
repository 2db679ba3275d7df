package bill

import (
	"strings"
	"testing"
)

func TestPricesMistakes(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{"vcpuSecond: 1", "vcpuSecond: -1", `p.yaml:10: "-1": it must be a number from 0 to 10^12`},
		{"vcpuSecond: 1", "vcpuSecond: .nan", `p.yaml:10: ".nan": it must be a number from 0 to 10^12`},
		{"vcpuSecond: 1", "vcpuSecond: 1e13", `p.yaml:10: "1e13": it must be`},
		{"vcpuSecond: 1", "vcpuSecond: cheap", `p.yaml:10: "cheap": it must be`},
		{"vcpuSecond: 1", "vcpuSecond: [1]", `p.yaml:10: "": it must be`},
		{"  vcpuSecond: 1\n", "", "p.yaml:5: functionCompute.vcpuSecond is missing"},
		{"  vcpuSecond: 1\n", "  vcpuSecond: 1\n  vcpuSecond: 2\n", `p.yaml:11: "vcpuSecond" is there twice`},
		{"vcpuSecond", "vcpuSeconds", `p.yaml:10: unknown key "vcpuSeconds"; known are date, source, tenThousandCalls, vcpuSecond, memoryGBSecond, diskGBSecond, freeDiskMB, tiers, yearlyPlans`},
		{"date: 2024-08-27", "date: today", `p.yaml:5: "today": the date must be like 2025-11-30`},
		{"{from: 0, price: 0.000020}", "{from: 1, price: 0.000020}", "p.yaml:18: the first tier must be from 0"},
		{"{from: 500_000_000,", "{from: 100_000_000,", "p.yaml:20: a tier must be from more than the one before it"},
		{"{from: 500_000_000, price: 0.000014}", "{from: 500_000_000}", "p.yaml:20: a tier.price is missing"},
		{"{cu: 10_000_000,", "{cu: 1_000_000,", "p.yaml:30: a plan must have more cu than the one before it"},
		{"{cu: 1_000_000,", "{cu: 0,", "p.yaml:29: it must be above 0"},
		{"    CNY:\n", "    yuan:\n", `p.yaml:21: "yuan" is no currency: it must be three capital letters`},
		{"eventsPerSecond: 5000", "eventsPerSecond: 0", "p.yaml:40: it must be above 0"},
		{"millionEvents: {USD: 0.41}", "millionEvents: 0.41", "p.yaml:44: eventBridge.millionEvents must be a mapping"},
		{"{USD: 0.41}", "{USD: 0.41, EUR: much}", `p.yaml:44: "much": it must be`},
		{"\neventBridge:", "\nother: 1\neventBridge:", `p.yaml:35: unknown key "other"; known are functionCompute, eventBridge`},
		{"    USD:\n", "    EUR:\n", "--currency USD: p.yaml: there are prices in CNY, EUR"},
		{"{USD: 0.41}", "{USD: 0.41", "p.yaml:45: not valid YAML: did not find expected ',' or '}'"},
		{BuiltIn, "", "p.yaml: not valid YAML: "},
		{BuiltIn, "[]", "p.yaml:1: the file must be a mapping"},
	} {
		if !strings.Contains(BuiltIn, test.old) {
			t.Errorf("%q is not in the table", test.old)
		}
		_, err := parse("p.yaml", []byte(strings.Replace(BuiltIn, test.old, test.new, 1)), "USD")
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%.60q: error\n%v, want\n%s", test.new, err, test.want)
		}
	}
	for _, currency := range []string{"USD", "CNY"} {
		if _, err := Read("", currency); err != nil {
			t.Error(err)
		}
	}
}
