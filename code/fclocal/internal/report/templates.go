package report

import (
	"embed"
	"html/template"
)

//go:embed page.html plot.tmpl chart.tmpl
var templateFiles embed.FS

// templates are page.html, and the plot, which is an SVG. What html/template
// escapes in it is escaped for XML as well.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"light":   func() theme { return light },
	"dark":    func() theme { return dark },
	"dashes":  func() [][]float64 { return dashes },
	"markers": func() []shape { return markers },
}).ParseFS(templateFiles, "*.tmpl", "page.html"))
