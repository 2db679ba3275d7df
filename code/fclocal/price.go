package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fclocal/internal/config"
	"fclocal/internal/report"
)

// prices are what a unit costs, by its name. No currency is assumed.
type prices map[string]float64

// priced is all that --price knows, in the order in which it is shown: FC bills
// vCPU-seconds, GB-seconds and calls, and EventBridge the events it delivers.
// That both count retries is an assumption.
var priced = []struct {
	unit   string
	part   string // of the price
	billed func(report.Planned) float64
}{
	{vcpuSecond, "vCPU-seconds", func(p report.Planned) float64 { return *p.VCPUSeconds }},
	{"GB-second", "GB-seconds", func(p report.Planned) float64 { return p.GBSeconds }},
	{"million-calls", "calls", func(p report.Planned) float64 { return float64(p.Calls) / 1e6 }},
	{"million-events", "events", func(p report.Planned) float64 { return float64(p.EventsInCalls) / 1e6 }},
}

const vcpuSecond = "vCPU-second"

func priceUnits() (units []string) {
	for _, p := range priced {
		units = append(units, p.unit)
	}
	return units
}

// parsePrices reads --price, UNIT=PRICE[,UNIT=PRICE...] each.
func parsePrices(given []string) (prices, error) {
	prices := prices{}
	if len(given) == 0 {
		return prices, nil
	}
	for _, text := range strings.Split(strings.Join(given, ","), ",") {
		unit, number, _ := strings.Cut(text, "=")
		price, err := strconv.ParseFloat(number, 64)
		known := slices.Contains(priceUnits(), unit)
		if _, twice := prices[unit]; twice {
			return nil, fmt.Errorf("--price %s is given twice", unit)
		}
		if !known || err != nil || !(price >= 0 && price <= 1e12) {
			return nil, fmt.Errorf("--price %s: it must be UNIT=PRICE with a price from 0 to 10^12 and a unit of %s", text, strings.Join(priceUnits(), ", "))
		}
		prices[unit] = price
	}
	return prices, nil
}

// check finds a project whose runs cannot be priced.
func (p prices) check(projects []*config.Project) error {
	if _, needed := p[vcpuSecond]; !needed {
		return nil
	}
	for _, project := range projects {
		if project.Function.CPU == 0 {
			return fmt.Errorf("--price %s: %s has no cpu, which says how many there are: give it one, or --set cpu=N, or leave %[1]s out", vcpuSecond, project.File)
		}
	}
	return nil
}

// charge prices a run.
func (p prices) charge(run *report.Planned) {
	if len(p) == 0 {
		return
	}
	sum := 0.0
	for _, b := range priced {
		if price, given := p[b.unit]; given {
			part := report.PricePart{Of: b.part, Price: price * b.billed(*run)}
			run.PriceParts = append(run.PriceParts, part)
			sum += part.Price
		}
	}
	run.Price = &sum
}
