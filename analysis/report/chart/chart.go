// Package chart draws the few charts of the report and of the pages, as SVG
// without script. Each comes as a Figure: the drawing, the words of whoever
// cannot see it, and the table of its numbers.
//
// Nothing rests on colour alone: marks differ in shape, parts in pattern, cells
// carry their number, and one hue goes from light to dark. Colours are CSS
// variables (see CSS), for dark and light and for print. A drawing holds no
// style attribute and no address, so that a content security policy without
// 'unsafe-inline' lets it pass. The same data give the same bytes.
package chart

import (
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CSS is what the figures need of a page's style sheet.
//
//go:embed chart.css
var CSS string

//go:embed figure.gohtml
var figureText string

var figures = template.Must(template.New("figure").Parse(figureText))

// Figure is a drawing with its words and its numbers.
type Figure struct {
	ID      string // unique on its page: letters, digits and hyphens
	Title   string // what is drawn, in one line
	Says    string // what the drawing shows, for whoever cannot see it
	Drawing template.HTML
	Table   Table
}

// Table is the numbers behind a drawing. The first column names the rows.
type Table struct {
	Columns []string
	Rows    [][]string
}

// HTML is the figure as an element, with the table folded away under it.
func (f Figure) HTML() (template.HTML, error) {
	var b strings.Builder
	if err := figures.ExecuteTemplate(&b, "figure", f); err != nil {
		return "", fmt.Errorf("writing a figure: %w", err)
	}
	return template.HTML(b.String()), nil
}

// width of every drawing, in units of its view box; at 44rem one is 1.5 pixels.
const width = 480

// rowHeight is that of the charts with a row for each name.
const (
	rowHeight = 24
	nameWidth = 164
	nameRunes = 22
)

var identifier = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// draw fills in one of the drawings' templates and wraps it as an image.
func draw(name, id, title, says string, height float64, data any, table Table) (Figure, error) {
	f := Figure{ID: id, Title: title, Says: says, Table: table}
	if id == "" {
		return f, fmt.Errorf("a figure without an id")
	}
	if !identifier.MatchString(id) {
		return f, fmt.Errorf("figure id %q: give small letters, digits and hyphens, a letter first", id)
	}
	for _, row := range table.Rows {
		if len(row) != len(table.Columns) {
			return f, fmt.Errorf("figure %s: a row of %d cells under %d columns", id, len(row), len(table.Columns))
		}
	}
	var b strings.Builder
	err := figures.ExecuteTemplate(&b, "drawing", map[string]any{
		"ID": id, "Title": title, "Says": says, "Width": width, "Height": px(height), "Chart": name, "Data": data,
		"Lorenz": name == "lorenz", "Spans": name == "spans", "Heat": name == "heat", "Trend": name == "trend", "Parts": name == "parts", "Bars": name == "bars",
	})
	if err != nil {
		return f, fmt.Errorf("drawing %s: %w", id, err)
	}
	f.Drawing = template.HTML(b.String())
	return f, nil
}

// px writes a coordinate.
func px(x float64) string {
	if math.Abs(x) < 0.05 {
		return "0"
	}
	return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
}

// finite refuses what cannot be drawn.
func finite(id string, values ...float64) error {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("figure %s: %v cannot be drawn", id, v)
		}
	}
	return nil
}

// short is a name that fits beside a row.
func short(name string) string {
	if utf8.RuneCountInString(name) <= nameRunes {
		return name
	}
	runes := []rune(name)
	return string(runes[:nameRunes-1]) + "…"
}

// Number writes a value with so many decimals; "–" for what is not known or no
// number.
func Number(x *float64, digits int) string {
	if x == nil || math.IsNaN(*x) || math.IsInf(*x, 0) {
		return "–"
	}
	text := strconv.FormatFloat(*x, 'f', digits, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-") // no minus before nothing
	}
	return text
}

// tick is a line across a chart with its label.
type tick struct{ At, Label string }

// axis is from 0, or from a negative low, to at least high, with three to six
// round steps.
type axis struct {
	low, high, step float64
	begin, length   float64 // in the drawing
}

func newAxis(low, high, begin, length float64) axis {
	if high <= low {
		high = low + 1
	}
	raw := (high - low) / 4
	base := math.Pow(10, math.Floor(math.Log10(raw)))
	step := base
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if step = m * base; step >= raw*(1-1e-9) {
			break
		}
	}
	return axis{low: math.Floor(low/step+1e-9) * step, high: math.Ceil(high/step-1e-9) * step, step: step, begin: begin, length: length}
}

func (a axis) at(x float64) float64 {
	x = min(max(x, a.low), a.high)
	return a.begin + a.length*(x-a.low)/(a.high-a.low)
}

func (a axis) ticks(label func(float64) string) []tick {
	var list []tick
	n := int(math.Round((a.high - a.low) / a.step))
	for i := 0; i <= n; i++ {
		x := a.low + float64(i)*a.step
		if math.Abs(x) < a.step/1e6 {
			x = 0
		}
		list = append(list, tick{px(a.at(x)), label(x)})
	}
	return list
}

func plain(x float64) string { return strconv.FormatFloat(math.Round(x*1e6)/1e6, 'f', -1, 64) }

func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 0, 64) + " %" }
