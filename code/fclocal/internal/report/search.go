package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"fclocal/internal/escape"
	"fclocal/internal/result"
	"fclocal/internal/units"
)

// SearchTable writes the answer of a search: the change of s.yaml as a diff, the settings
// beside today's, what keeps the price from being lower, and the frontier of price against
// latency. Lines are kept within width columns like those of Table.
func SearchTable(w io.Writer, s result.Search, width int) error {
	var b strings.Builder
	if s.Diff != "" {
		b.WriteString(escape.Text(s.Diff) + "\n")
	}
	for _, c := range s.Changes {
		if c.Instead != "" {
			b.WriteString(wrap(escape.Line(fmt.Sprintf("To be changed by hand: %s to %s; %s.", c.Name, c.To, c.Instead)), width) + "\n\n")
		}
	}
	chosen := []namedChoice{{"today", s.Today}}
	switch {
	case s.Best != nil && len(s.Changes) > 0:
		chosen = append(chosen, namedChoice{"cheapest", *s.Best})
	case s.Best == nil && s.Nearest != nil:
		chosen = append(chosen, namedChoice{"nearest", *s.Nearest})
	}
	b.WriteString(choiceTables(s, chosen, true, width))
	b.WriteString("\n")
	if last := chosen[len(chosen)-1]; last.EventBridge != nil {
		fmt.Fprintf(&b, "%s\n", wrap(billOf(last.Choice), width))
	}
	if s.Best != nil && len(s.Changes) == 0 {
		b.WriteString("Today's settings are the cheapest that keep " + goals(s) + ".\n")
	}
	for _, text := range s.Binds {
		b.WriteString(wrap(text, width) + "\n")
	}
	if len(s.Frontier) > 1 {
		var rows []namedChoice
		for _, c := range s.Frontier {
			name := ""
			switch {
			case s.Best != nil && c.Seeds == s.Best.Seeds && slices.Equal(c.Settings, s.Best.Settings):
				name = "◀"
			}
			rows = append(rows, namedChoice{name, c})
		}
		b.WriteString("\nPrice against latency: no settings are both cheaper and faster than these.\n" + choiceTables(s, rows, false, width))
	}
	b.WriteString("\n")
	b.WriteString(wrap(units.Sprintf("The %s, of %s. Planned were %d of %d combinations of settings.", priceAxis(s), s.PricesOf, s.Planned, s.Settings), width) + "\n")
	for _, note := range s.Notes {
		b.WriteString(wrap(note, width) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// billOf says what a bill consists of.
func billOf(c result.Choice) string {
	text := "Of the last bill " + units.Money(c.FunctionCompute) + " are Function Compute's"
	if c.LogService != nil {
		text += ", " + units.Money(*c.LogService) + " the Log Service's"
	}
	return text + " and " + units.Money(*c.EventBridge) + " EventBridge's."
}

func goals(s result.Search) string { return strings.Join(s.Goals, " and ") }

// namedChoice is a row.
type namedChoice struct {
	name string
	result.Choice
}

// choiceTables renders choices in a table, and what does not fit into the width in further
// ones; in full with their names first, and whether they keep the goals.
func choiceTables(s result.Search, rows []namedChoice, full bool, width int) string {
	of := func(header string, cell func(namedChoice) string) column {
		c := column{name: header, header: header}
		for _, row := range rows {
			c.cells = append(c.cells, cell(row))
		}
		return c
	}
	var first, rest []column
	for _, v := range s.Varied {
		header := v.Name
		for _, part := range []string{"Based", "Window", "Concurrency", "Size"} {
			header = strings.Replace(header, part, "\n"+part, 1)
		}
		first = append(first, of(header, func(c namedChoice) string {
			text := fmt.Sprint(c.Settings.Value(v.Name))
			if v.Unit != "" {
				text += " " + v.Unit
			}
			return text
		}))
	}
	name := of("", func(c namedChoice) string { return c.name })
	rest = []column{
		of("bill", func(c namedChoice) string { return units.Money(c.Price) }),
		of("latency\np50", func(c namedChoice) string { return units.Milliseconds(c.LatencyMs.P50) }),
		of("latency\np99", func(c namedChoice) string { return units.Milliseconds(c.LatencyMs.P99) }),
	}
	lag := of("lag at\nmost", func(c namedChoice) string { return units.Count(c.LagMax) })
	if full {
		rest, first = append(append(first, rest...), of("keeps\ngoals", func(c namedChoice) string { return units.YesNo(c.Kept) })), []column{name}
		rest = append(rest, lag)
	} else {
		rest = append(rest, lag, of("in-\nstances", func(c namedChoice) string { return units.Count(c.Instances) }), name)
	}
	var b strings.Builder
	for len(rest) > 0 {
		n := fitting(first, rest, width)
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		b.WriteString(render(slices.Concat(first, rest[:n])) + "\n")
		rest = rest[n:]
	}
	return b.String()
}

// SearchJSON writes the answer of a search. Numbers are rounded like those of JSON.
func SearchJSON(w io.Writer, s result.Search) error {
	choice := func(c result.Choice) result.Choice {
		c.Price, c.FunctionCompute = significant(c.Price), significant(c.FunctionCompute)
		if c.EventBridge != nil {
			price := significant(*c.EventBridge)
			c.EventBridge = &price
		}
		round(&c.PeakMemoryMB)
		return c
	}
	s.Today = choice(s.Today)
	for _, c := range []**result.Choice{&s.Best, &s.Nearest} {
		if *c != nil {
			rounded := choice(**c)
			*c = &rounded
		}
	}
	s.Frontier = slices.Clone(s.Frontier)
	for i, c := range s.Frontier {
		s.Frontier[i] = choice(c)
	}
	return encode(w, s)
}
