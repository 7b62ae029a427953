package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"fairlead/analysis"
	"fairlead/analysis/report"
)

// figures are a group's numbers under their names in the JSON and CSV output;
// those with a heading stand in the table.
var figures = []struct {
	name, heading string
	digits        int
	of            func(analysis.Group) *float64
}{
	{"total", "total", 1, func(g analysis.Group) *float64 { return &g.Total }},
	{"unassigned", "", 0, func(g analysis.Group) *float64 { return &g.Unassigned }},
	{"bots", "", 0, func(g analysis.Group) *float64 { return &g.Bots }},
	{"gini", "gini", 3, func(g analysis.Group) *float64 { return g.Gini }},
	{"gini_low", "", 0, func(g analysis.Group) *float64 { return g.GiniLow }},
	{"gini_high", "", 0, func(g analysis.Group) *float64 { return g.GiniHigh }},
	{"gini_chance", "by chance", 3, func(g analysis.Group) *float64 { return g.GiniChance }},
	{"gini_excess", "excess", 3, func(g analysis.Group) *float64 { return g.GiniExcess }},
	{"hoover", "hoover", 3, func(g analysis.Group) *float64 { return g.Hoover }},
	{"theil", "theil", 3, func(g analysis.Group) *float64 { return g.Theil }},
	{"hhi", "hhi", 3, func(g analysis.Group) *float64 { return g.HHI }},
	{"effective", "effective", 1, func(g analysis.Group) *float64 { return g.Effective }},
	{"top_share", "top share", 3, func(g analysis.Group) *float64 { return g.TopShare }},
	{"gini_chance_low", "", 0, func(g analysis.Group) *float64 { return g.ChanceLow }},
	{"gini_chance_high", "", 0, func(g analysis.Group) *float64 { return g.ChanceHigh }},
	{"gini_explained", "", 0, func(g analysis.Group) *float64 {
		return explainedOf(g, func(x *analysis.Explained) *float64 { return &x.Part })
	}},
	{"hoover_chance", "", 0, func(g analysis.Group) *float64 { return g.HooverChance }},
	{"capacity", "", 0, func(g analysis.Group) *float64 { return &g.Capacity }},
	{"p", "p", 4, func(g analysis.Group) *float64 { return g.P }},
	{"p_adjusted", "", 0, func(g analysis.Group) *float64 { return g.PAdjusted }},
	{"p_levelled", "", 0, func(g analysis.Group) *float64 { return g.PLevelled }},
	{"trend_slope", "", 0, func(g analysis.Group) *float64 {
		return trendOf(g, func(t *analysis.Trend) *float64 { return &t.Slope })
	}},
	{"trend_tau", "", 0, func(g analysis.Group) *float64 { return trendOf(g, func(t *analysis.Trend) *float64 { return &t.Tau }) }},
	{"trend_p", "", 0, func(g analysis.Group) *float64 { return trendOf(g, func(t *analysis.Trend) *float64 { return &t.P }) }},
	{"gini_weeks", "", 0, func(g analysis.Group) *float64 { return trendOf(g, func(t *analysis.Trend) *float64 { return t.Gini }) }},
	{"gini_weeks_low", "", 0, func(g analysis.Group) *float64 {
		return trendOf(g, func(t *analysis.Trend) *float64 { return t.GiniLow })
	}},
	{"gini_weeks_high", "", 0, func(g analysis.Group) *float64 {
		return trendOf(g, func(t *analysis.Trend) *float64 { return t.GiniHigh })
	}},
}

func explainedOf(g analysis.Group, of func(*analysis.Explained) *float64) *float64 {
	if g.Explained == nil {
		return nil
	}
	return of(g.Explained)
}

func trendOf(g analysis.Group, of func(*analysis.Trend) *float64) *float64 {
	if g.Trend == nil {
		return nil
	}
	return of(g.Trend)
}

// trendLevel is the p value from which the table calls a trend one.
const trendLevel = 0.05

// trendWord is whether unevenness beyond chance went up or down over the weeks.
func trendWord(g analysis.Group) string {
	switch {
	case g.Trend == nil:
		return ""
	case g.Trend.P > trendLevel:
		return "none"
	case g.Trend.Slope > 0:
		return "up"
	}
	return "down"
}

// groupWriter writes groups as a table, as an array of JSON objects or as CSV:
// of one instant, or of many, which then stand first in each line. An undefined
// figure is empty, in JSON null.
type groupWriter struct {
	out    io.Writer
	format string
	by     string
	dated  bool
	only   string // the name of the one group that is wanted; "" is all
	title  string // of a table

	csv    *csv.Writer
	lines  []groupLine // of the table
	number int         // of objects or lines written
	met    map[string]bool
}

type groupLine struct {
	asOf  time.Time
	group analysis.Group
}

func newGroupWriter(out io.Writer, format, by string, dated bool) *groupWriter {
	w := &groupWriter{out: out, format: format, by: by, dated: dated, met: map[string]bool{}}
	if format == "csv" {
		w.csv = csv.NewWriter(out)
	}
	return w
}

// put writes what is true at an instant. It gives the decomposition of all groups
// where they are teams, nil otherwise.
func (w *groupWriter) put(asOf time.Time, groups []analysis.Group) (*analysis.Split, error) {
	var split *analysis.Split
	if w.by == string(analysis.Team) {
		var err error
		if split, err = analysis.SplitBetween(groups); err != nil {
			return nil, err
		}
	}
	for i, g := range groups {
		w.met[g.Name] = true
		if w.only != "" && g.Name != w.only {
			continue
		}
		var part *analysis.SplitGroup
		if split != nil {
			part = &split.Groups[i]
		}
		var err error
		switch w.format {
		case "json":
			err = w.object(asOf, g, part)
		case "csv":
			err = w.row(asOf, g, part)
		default:
			g.Engineers = nil
			w.lines = append(w.lines, groupLine{asOf, g})
		}
		if err != nil {
			return nil, err
		}
	}
	return split, nil
}

// object writes a group without single engineers, one of an array.
func (w *groupWriter) object(asOf time.Time, g analysis.Group, part *analysis.SplitGroup) error {
	object := map[string]any{w.by: g.Name, "people": g.People, "provisional": g.Provisional, "verdict": nil}
	for _, f := range figures {
		object[f.name] = f.of(g)
	}
	if g.Verdict != analysis.NoVerdict {
		object["verdict"] = g.Verdict
	}
	if w.by == string(analysis.Team) {
		object["theil_within"], object["theil_between"] = nil, nil
		if part != nil {
			object["theil_within"], object["theil_between"] = part.Within, part.Between
		}
	}
	if w.dated {
		object["as_of"] = asOf
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("  ", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return err
	}
	before := ",\n  "
	if w.number == 0 {
		before = "[\n  "
	}
	w.number++
	_, err := fmt.Fprintf(w.out, "%s%s", before, bytes.TrimSpace(text.Bytes()))
	return err
}

func (w *groupWriter) row(asOf time.Time, g analysis.Group, part *analysis.SplitGroup) error {
	if err := w.header(); err != nil {
		return err
	}
	var row []string
	if w.dated {
		row = append(row, asOf.Format(time.RFC3339))
	}
	row = append(row, report.Cell(g.Name), strconv.Itoa(g.People))
	for _, f := range figures {
		row = append(row, number(f.of(g), -1))
	}
	row = append(row, string(g.Verdict))
	if w.by == string(analysis.Team) {
		if part == nil {
			row = append(row, "", "")
		} else {
			row = append(row, number(&part.Within, -1), number(&part.Between, -1))
		}
	}
	return w.csv.Write(row)
}

func (w *groupWriter) header() error {
	w.number++
	if w.number > 1 {
		return nil
	}
	var header []string
	if w.dated {
		header = append(header, "as_of")
	}
	header = append(header, w.by, "people")
	for _, f := range figures {
		header = append(header, f.name)
	}
	header = append(header, "verdict")
	if w.by == string(analysis.Team) {
		header = append(header, "theil_within", "theil_between")
	}
	return w.csv.Write(header)
}

// close ends the array, or writes the table. The error is that the one group that
// is wanted was not met; then nothing was written.
func (w *groupWriter) close() error {
	if w.only != "" && !w.met[w.only] {
		return fmt.Errorf("--group: there is no %s %q with people or work in this time%s", w.by, w.only, analysis.Nearby(w.only, keysOf(w.met)))
	}
	switch w.format {
	case "json":
		end := "\n]\n"
		if w.number == 0 {
			end = "[]\n"
		}
		_, err := io.WriteString(w.out, end)
		return err
	case "csv":
		if w.number == 0 {
			if err := w.header(); err != nil {
				return err
			}
		}
		w.csv.Flush()
		return w.csv.Error()
	}
	return w.table()
}

func (w *groupWriter) table() error {
	if _, err := io.WriteString(w.out, w.title); err != nil {
		return err
	}
	if len(w.lines) == 0 {
		_, err := fmt.Fprintln(w.out, "nothing in this window")
		return err
	}
	out := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	// Names stand on the left, numbers on the right.
	wide, trends := utf8.RuneCountInString(w.by), false
	for _, l := range w.lines {
		wide = max(wide, utf8.RuneCountInString(l.group.Name))
		trends = trends || l.group.Trend != nil
	}
	if w.dated {
		fmt.Fprint(out, "as of\t  ")
	}
	fmt.Fprintf(out, "%-*s\tpeople\t", wide, w.by)
	for _, f := range figures {
		if f.heading != "" {
			fmt.Fprintf(out, "%s\t", f.heading)
		}
	}
	fmt.Fprint(out, "verdict\t")
	if trends {
		fmt.Fprint(out, "trend\t")
	}
	fmt.Fprintln(out)
	for _, l := range w.lines {
		g := l.group
		if w.dated {
			fmt.Fprintf(out, "%s\t  ", l.asOf.Format(w.layout()))
		}
		fmt.Fprintf(out, "%-*s\t%d\t", wide, g.Name, g.People)
		for _, f := range figures {
			if f.heading != "" {
				fmt.Fprintf(out, "%s\t", number(f.of(g), f.digits))
			}
		}
		fmt.Fprintf(out, "%s\t", g.Verdict)
		if trends {
			fmt.Fprintf(out, "%s\t", trendWord(g))
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}

// layout is of instants: days where all of them begin one.
func (w *groupWriter) layout() string {
	for _, l := range w.lines {
		if !l.asOf.Equal(l.asOf.Truncate(24 * time.Hour)) {
			return "2006-01-02 15:04"
		}
	}
	return time.DateOnly
}

// writeGroupsTable writes groups of one instant as a table.
func writeGroupsTable(out io.Writer, by string, groups []analysis.Group) error {
	w := newGroupWriter(out, "table", by, false)
	if _, err := w.put(time.Time{}, groups); err != nil {
		return err
	}
	return w.close()
}

// number writes a figure with so many decimals, all of them when negative, and
// nothing where it is undefined.
func number(v *float64, digits int) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

// percent writes a share.
func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 0, 64) }
