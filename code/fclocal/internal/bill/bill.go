// Package bill prices plans from what they tell of their runs.
package bill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fclocal/internal/result"
)

// Prices are what a unit costs, by its name. No currency is assumed.
type Prices map[string]float64

const vcpuSecond = "vCPU-second"

// billed is all that Prices know, in the order in which it is shown: FC bills
// vCPU-seconds, GB-seconds and calls, and EventBridge the events it delivers.
// That both count retries is an assumption.
var billed = []struct {
	unit string
	part string // of the price
	used func(result.Run) float64
}{
	{vcpuSecond, "vCPU-seconds", func(r result.Run) float64 { return *r.VCPUSeconds }},
	{"GB-second", "GB-seconds", func(r result.Run) float64 { return r.GBSeconds }},
	{"million-calls", "calls", func(r result.Run) float64 { return float64(r.Calls) / 1e6 }},
	{"million-events", "events", func(r result.Run) float64 { return float64(r.EventsInCalls) / 1e6 }},
}

// Units returns the names of what can be priced.
func Units() (units []string) {
	for _, b := range billed {
		units = append(units, b.unit)
	}
	return units
}

// Parse reads UNIT=PRICE[,UNIT=PRICE...], a price from 0 to 10^12 for each unit
// of Units at most.
func Parse(text string) (Prices, error) {
	prices := Prices{}
	if text == "" {
		return prices, nil
	}
	for _, one := range strings.Split(text, ",") {
		unit, number, _ := strings.Cut(one, "=")
		price, err := strconv.ParseFloat(number, 64)
		if _, twice := prices[unit]; twice {
			return nil, fmt.Errorf("%s is given twice", unit)
		}
		if !slices.Contains(Units(), unit) || err != nil || !(price >= 0 && price <= 1e12) {
			return nil, fmt.Errorf("%s: it must be UNIT=PRICE with a price from 0 to 10^12 and a unit of %s", one, strings.Join(Units(), ", "))
		}
		prices[unit] = price
	}
	return prices, nil
}

// NeedCPU says whether a project must have a cpu for its plans to be priced.
func (p Prices) NeedCPU() bool {
	_, needed := p[vcpuSecond]
	return needed
}

// Charge prices a plan, whose project has a cpu if NeedCPU.
func (p Prices) Charge(run *result.Run) {
	if len(p) == 0 {
		return
	}
	sum := 0.0
	for _, b := range billed {
		if price, given := p[b.unit]; given {
			part := result.PricePart{Of: b.part, Price: price * b.used(*run)}
			run.PriceParts = append(run.PriceParts, part)
			sum += part.Price
		}
	}
	run.Price = &sum
}
