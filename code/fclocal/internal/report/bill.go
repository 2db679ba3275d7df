package report

import (
	"fmt"
	"math"
	"strings"

	"fclocal/internal/result"
	"fclocal/internal/units"
)

// cheaper marks the mode of EventBridge that is in the bill.
const cheaper = "* "

// money is a figure that is a price, and a column alone; of a mode of EventBridge or not.
func money(short, mode string, price func(*result.Charges) *float64) figure {
	priceOf := func(r result.Run) *float64 {
		if c := r.Charges(); c != nil {
			return price(c)
		}
		return nil
	}
	return figure{charges, "", short,
		func(r result.Run) string {
			p := priceOf(r)
			if p == nil {
				return "-"
			}
			if mode != "" && r.Charges().EventBridge.Cheaper == mode {
				return cheaper + units.Money(*p)
			}
			return units.Money(*p)
		},
		func(r result.Run) bool { return priceOf(r) == nil }}
}

// bill is the figure of what a run costs in all.
func bill() figure {
	return money("bill", "", func(c *result.Charges) *float64 { return c.Price })
}

// billed says what a run costs in all.
func billed(r result.Run) string {
	b := r.Bill
	var parts []string
	add := func(c *result.Charges, of string) {
		if c != nil && c.Price != nil {
			parts = append(parts, b.Currency+" "+units.Money(*c.Price)+of)
		}
	}
	add(&b.Run, "")
	add(b.Per30Days, " per 30 days")
	if parts == nil {
		parts = []string{"not known"}
	}
	return strings.Join(parts, "; ") + " (prices of " + b.PricesOf + ")"
}

// functionBilled says what Function Compute's part consists of.
func functionBilled(r result.Run) string {
	c, over := shownCharges(r)
	f := c.FunctionCompute
	if f.Price == nil {
		return "not known, as s.yaml has no cpu"
	}
	text := over + units.Money(*f.Price) + " for " + units.Count(int64(math.Round(*f.CU))) + " CU: calls " + amount(f.CallsCU) + ", vCPU " + amount(*f.VCPUCU) + ", memory " + amount(f.MemoryCU)
	if f.DiskCU > 0 {
		text += ", disk " + amount(f.DiskCU)
	}
	if len(f.Tiers) > 1 {
		var tiers []string
		for _, t := range f.Tiers {
			tiers = append(tiers, units.Number(t.CU)+" CU at "+units.Money(t.Price))
		}
		text += "; by the month's tiers " + strings.Join(tiers, ", ")
	}
	return text
}

// yearlyPlans are those with which Function Compute's part costs less.
func yearlyPlans(r result.Run) *result.YearlyPlans {
	if r.Bill == nil || r.Bill.Per30Days == nil {
		return nil
	}
	return r.Bill.Per30Days.FunctionCompute.YearlyPlans
}

func yearlyBilled(r result.Run) string {
	var plans []string
	for _, plan := range yearlyPlans(r).Plans {
		plans = append(plans, units.Number(plan.Count)+" of "+units.Number(plan.CU))
	}
	return "per 30 days " + units.Money(yearlyPlans(r).Price) + " with plans of CU: " + strings.Join(plans, ", ")
}

// streamBilled has both modes of EventBridge.
func streamBilled(r result.Run) string {
	c, over := shownCharges(r)
	var parts []string
	mode := func(name string, price *float64, text string) {
		if price == nil {
			return
		}
		text = units.Money(*price) + " " + text
		if c.EventBridge.Cheaper == name {
			text += ", the cheaper"
		}
		parts = append(parts, text)
	}
	e := c.EventBridge
	mode(result.ByEvents, e.ByEvents.Price, "by events ("+units.Count(int64(math.Round(e.ByEvents.Events)))+")")
	mode(result.ByCapacity, e.ByCapacity.Price, "by capacity ("+amount(e.ByCapacity.UnitHours)+" unit-hours)")
	if parts == nil {
		return "no price in " + r.Bill.Currency
	}
	return over + strings.Join(parts, "; ")
}

// logsBilled says what Log Service's part is.
func logsBilled(r result.Run) string {
	c, over := shownCharges(r)
	switch l := c.LogService; {
	case l.GB == nil:
		return "not known, and not in the bill: --log-bytes or --measure tells what a call logs"
	case l.Price == nil:
		return over + amount(*l.GB) + " GB; no price in " + r.Bill.Currency
	default:
		return over + units.Money(*l.Price) + " for " + amount(*l.GB) + " GB of logs"
	}
}

// shownCharges are those that are shown in full: per 30 days if they are known.
func shownCharges(r result.Run) (c *result.Charges, over string) {
	if c := r.Bill.Per30Days; c != nil {
		return c, "per 30 days "
	}
	return &r.Bill.Run, ""
}

// amount writes a figure that may be very small.
func amount(x float64) string {
	if x < 1 {
		return units.Money(x)
	}
	return units.Number(x)
}

func notBilled(r result.Run) bool { return r.Bill == nil }

// billNote says what the prices of a table are.
func billNote(runs []result.Run) string {
	var some *result.Run
	for i, r := range runs {
		if r.Charges() != nil && (some == nil || some.Charges().Price == nil) {
			some = &runs[i]
		}
	}
	if some == nil {
		return ""
	}
	c, over := some.Charges(), "for the run"
	if some.Recurs() {
		over = "per 30 days"
	}
	text := fmt.Sprintf("Prices in %s %s, of %s: ", some.Bill.Currency, over, some.Bill.PricesOf)
	switch {
	case c.Price != nil:
		return text + "the bill is Function Compute's (FC) and that of EventBridge in its cheaper mode (*)" + logsNote(c.LogService)
	case c.FunctionCompute.Price != nil:
		return text + "Function Compute's (FC) only, as there is no price of EventBridge in " + some.Bill.Currency + "."
	case c.EventBridge.Cheaper != "":
		return text + "EventBridge's only, as s.yaml has no cpu, which Function Compute bills."
	}
	return ""
}

func logsNote(c *result.LogCharges) string {
	switch {
	case c == nil:
		return "."
	case c.Price == nil:
		return ", without logs."
	default:
		return ", and Log Service's."
	}
}

// roundedBill has prices of six digits; other numbers have three decimals, or six
// digits if they are below 1.
func roundedBill(b result.Bill) *result.Bill {
	b.Run = roundedCharges(b.Run)
	if b.Per30Days != nil {
		c := roundedCharges(*b.Per30Days)
		b.Per30Days = &c
	}
	return &b
}

func roundedCharges(c result.Charges) result.Charges {
	f, e := &c.FunctionCompute, &c.EventBridge
	roundAmounts(&f.Calls, &f.CallsCU, &f.MemoryGBSeconds, &f.MemoryCU, &f.DiskGBSeconds, &f.DiskCU, &e.ByEvents.Events, &e.ByCapacity.UnitHours)
	for _, number := range []**float64{&f.CU, &f.VCPUSeconds, &f.VCPUCU} {
		if *number != nil {
			copied := **number
			roundAmounts(&copied)
			*number = &copied
		}
	}
	for _, price := range []**float64{&c.Price, &f.Price, &e.ByEvents.Price, &e.ByCapacity.Price} {
		if *price != nil {
			copied := significant(**price)
			*price = &copied
		}
	}
	if c.LogService != nil {
		logs := *c.LogService
		for _, number := range []**float64{&logs.Price, &logs.GB} {
			if *number != nil {
				copied := significant(**number)
				*number = &copied
			}
		}
		c.LogService = &logs
	}
	if f.YearlyPlans != nil {
		plans := *f.YearlyPlans
		plans.Price = significant(plans.Price)
		f.YearlyPlans = &plans
	}
	f.Tiers = append([]result.Tier{}, f.Tiers...)
	for i := range f.Tiers {
		roundAmounts(&f.Tiers[i].CU)
	}
	return c
}

func roundAmounts(numbers ...*float64) {
	for _, number := range numbers {
		if *number < 1 {
			*number = significant(*number)
		} else {
			round(number)
		}
	}
}
