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
	b.WriteString(render(choiceColumns(s, chosen, true)) + "\n")
	if s.Best != nil && len(s.Changes) == 0 {
		b.WriteString("\nToday's settings are the cheapest that keep " + goals(s) + ".\n")
	} else {
		b.WriteString("\n")
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
		b.WriteString("\nPrice against latency: no settings are both cheaper and faster than these.\n" + render(choiceColumns(s, rows, false)) + "\n")
	}
	b.WriteString("\n")
	b.WriteString(wrap(units.Sprintf("The %s, of %s. Planned were %d of %d combinations of settings.", priceAxis(s), s.PricesOf, s.Planned, s.Settings), width) + "\n")
	for _, note := range s.Notes {
		b.WriteString(wrap(note, width) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func goals(s result.Search) string { return strings.Join(s.Goals, " and ") }

// namedChoice is a row.
type namedChoice struct {
	name string
	result.Choice
}

// choiceColumns are those of a table of choices; in full with what the bill consists of.
func choiceColumns(s result.Search, rows []namedChoice, full bool) []column {
	var columns []column
	add := func(header string, cell func(namedChoice) string) {
		c := column{name: header, header: header}
		for _, row := range rows {
			c.cells = append(c.cells, cell(row))
		}
		columns = append(columns, c)
	}
	if full {
		add("", func(c namedChoice) string { return c.name })
	}
	for _, v := range s.Varied {
		header := v.Name
		for _, suffix := range []string{"BasedWindow", "Concurrency", "Size"} {
			if before, found := strings.CutSuffix(header, suffix); found && before != "" {
				header = before + "\n" + suffix
			}
		}
		add(header, func(c namedChoice) string {
			text := fmt.Sprint(c.Settings.Value(v.Name))
			if v.Unit != "" {
				text += " " + v.Unit
			}
			return text
		})
	}
	add("bill", func(c namedChoice) string { return units.Money(c.Price) })
	if full && s.PartOnly == "" {
		add("FC", func(c namedChoice) string { return units.Money(c.FunctionCompute) })
		add("Event\nBridge", func(c namedChoice) string { return units.Money(*c.EventBridge) })
	}
	add("latency\np50", func(c namedChoice) string { return units.Milliseconds(c.LatencyMs.P50) })
	add("latency\np99", func(c namedChoice) string { return units.Milliseconds(c.LatencyMs.P99) })
	add("lag\nat most", func(c namedChoice) string { return units.Count(c.LagMax) })
	add("in-\nstances", func(c namedChoice) string { return units.Count(c.Instances) })
	if full {
		add("keeps\nup", func(c namedChoice) string { return units.YesNo(c.KeepsUp) })
		add("keeps\ngoals", func(c namedChoice) string { return units.YesNo(c.Kept) })
	} else {
		add("", func(c namedChoice) string { return c.name })
	}
	return columns
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
