package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"fairlead/analysis/report/chart"
)

//go:embed report.gohtml
var pageText string

// CSS is the report's style sheet, without that of the charts.
//
//go:embed report.css
var CSS string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"percent": func(x any) string {
		if v, ok := value(x); ok {
			return percent(v)
		}
		return "–"
	},
	"lacks": func(x *float64) string {
		if x != nil && *x < 0.05 {
			return "nothing"
		}
		return chart.Number(x, 1)
	},
	"one":       func(x any) string { return figure(x, 1) },
	"two":       func(x any) string { return figure(x, 2) },
	"int":       func(x any) string { return figure(x, 0) },
	"day":       func(t time.Time) string { return t.Format("2 January 2006") },
	"short":     func(t time.Time) string { return t.Format("2 Jan 2006") },
	"thousands": func(n any) string { v, _ := value(n); return thousands(v) },
	"period":    period,
	"upper":     upper,
	"join":      func(list []string) string { return strings.Join(list, ", ") },
	"verdict":   verdictSays,
	"who":       who,
	"days":      func(x float64) string { return decimals(x, 0) },
	"yes": func(is bool) string {
		if is {
			return "yes"
		}
		return "no"
	},
	"share": func(part, all uint64) string {
		if all == 0 {
			return "–"
		}
		return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(all))
	},
	"luck":     func(p *float64) string { return oneIn(*p) },
	"signed":   func(x float64) string { return fmt.Sprintf("%+.3f", x) },
	"family":   family,
	"signal":   signal,
	"unpacked": func(p *float64) bool { return p != nil },
}).Parse(pageText))

// value is a number behind a pointer or not.
func value(x any) (float64, bool) {
	switch v := x.(type) {
	case float64:
		return v, true
	case *float64:
		if v != nil {
			return *v, true
		}
	case int:
		return float64(v), true
	case *int:
		if v != nil {
			return float64(*v), true
		}
	case uint64:
		return float64(v), true
	}
	return 0, false
}

func figure(x any, digits int) string {
	if v, ok := value(x); ok {
		return decimals(v, digits)
	}
	return "–"
}

// who is a pseudonym with the name, where there is one.
func who(pseudonym, name string) string {
	if name != "" {
		return name + " (" + pseudonym + ")"
	}
	return pseudonym
}

func verdictSays(v string) string {
	switch v {
	case uneven:
		return "uneven beyond chance"
	case within:
		return "within chance"
	case levelled:
		return "more even than luck"
	}
	return "too few tickets to tell"
}

// family and signal are the names of what is looked at, in words.
func family(f string) string {
	switch f {
	case "demand":
		return "more work than usual, or than the team has"
	case "interruption":
		return "interruptions: incidents on call, unplanned work"
	case "time":
		return "time: outside own hours, short rests"
	}
	return f
}

func signal(s string) string { return strings.ReplaceAll(s, "_", " ") }

// view is what the page is made of: the report, and the drawings of it.
type view struct {
	*Report
	Style    template.CSS
	Days     float64
	All      []template.HTML
	TeamLoad []template.HTML
	Teams    []template.HTML // Gini against chance
	Weeks    []template.HTML
	Trend    []template.HTML
	Curves   []template.HTML // Lorenz by team
	People   []template.HTML
	Areas    []template.HTML
	MoreArea int
}

// shownAreas is how many areas the page lists; JSON and CSV have all.
const shownAreas = 20

// drawnAreas is how many the chart has, so that it stands on one sheet with what
// explains it.
const drawnAreas = 12

// rowsADrawing keeps a drawing on one page of paper.
const rowsADrawing = 24

// HTML writes the report as one page that needs nothing else.
func (r *Report) HTML(w io.Writer) error {
	v := &view{Report: r, Style: template.CSS(chart.CSS + CSS), Days: r.days()}
	if err := v.draw(); err != nil {
		return err
	}
	// Written whole or not at all.
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// drawing is a chart that can be drawn.
type drawing interface{ Figure() (chart.Figure, error) }

func add(into *[]template.HTML, d drawing) error {
	f, err := d.Figure()
	if err != nil {
		return err
	}
	text, err := f.HTML()
	if err != nil {
		return err
	}
	*into = append(*into, text)
	return nil
}

// pieces cuts rows so that each drawing fits on paper; n is its number, or "".
func pieces[T any](rows []T, each func(part []T, id string) error) error {
	for i := 0; i < len(rows); i += rowsADrawing {
		id := ""
		if i > 0 {
			id = "-" + itoa(i/rowsADrawing+1)
		}
		if err := each(rows[i:min(len(rows), i+rowsADrawing)], id); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) draw() error {
	w := v.Workload
	if a := w.All; a != nil {
		if err := v.drawCurve(&v.All, "lorenz-all", "Open work of all people", a.Lorenz); err != nil {
			return err
		}
		if err := v.drawTrend("trend-all", "all people", a.Quarters, a.Trend); err != nil {
			return err
		}
	}
	for i, t := range w.Teams {
		if v.Audience == Lead {
			if err := v.drawTrend("trend-team", t.Team, t.Quarters, t.Trend); err != nil {
				return err
			}
		}
		if v.Audience != Group || len(v.Report.Teams) > 0 {
			if err := v.drawCurve(&v.Curves, "lorenz-"+itoa(i+1), "Open work of "+t.Team, t.Lorenz); err != nil {
				return err
			}
		}
	}
	if err := v.drawTeams(); err != nil {
		return err
	}
	if err := v.drawPeople(); err != nil {
		return err
	}
	return v.drawAreas()
}

func (v *view) drawCurve(into *[]template.HTML, id, title string, l *Lorenz) error {
	if l == nil || len(l.Capacity) < 3 {
		return nil
	}
	c := chart.Lorenz{ID: id, Title: title + ": who carries how much", Low: l.Low, High: l.High}
	half := 0.0
	for i := range l.Capacity {
		c.Curve = append(c.Curve, chart.Point{X: l.Capacity[i], Y: l.Work[i]})
		if l.Capacity[i] <= 0.5+1e-9 {
			half = l.Work[i]
			if i+1 < len(l.Capacity) && l.Capacity[i] < 0.5 && l.Capacity[i+1] > l.Capacity[i] {
				half += (l.Work[i+1] - l.Work[i]) * (0.5 - l.Capacity[i]) / (l.Capacity[i+1] - l.Capacity[i])
			}
		}
	}
	c.Says = fmt.Sprintf("The half of the capacity with least on it carries %s of the work; if all were alike it would be 50 %%.", percent(half))
	if len(l.Low) > 0 {
		c.Says += " Nine times in ten luck alone leaves the curve within the band."
	}
	return add(into, c)
}

func (v *view) drawTrend(id, of string, quarters []QuarterPoint, trend *Trend) error {
	t := chart.Trend{ID: id, Title: "Inequality of the work of " + of + " beyond luck, by quarter", Digits: 2, Zero: "as luck gives"}
	s := chart.Series{Name: of, Mark: chart.Circle}
	known := 0
	for _, q := range quarters {
		t.Periods = append(t.Periods, q.Quarter)
		s.Values = append(s.Values, q.Excess)
		if q.Excess != nil {
			known++
		}
	}
	if known < 2 {
		return nil
	}
	t.Series = []chart.Series{s}
	switch {
	case trend == nil:
		t.Says = fmt.Sprintf("%s can be compared: too few to tell a trend from luck, which takes five.", upper(count(known, "quarter", "quarters")))
	case trend.P > 0.05:
		t.Says = fmt.Sprintf("No trend stands out from luck (Mann–Kendall, p = %s).", decimals(trend.P, 2))
	case trend.Tau > 0:
		t.Says = fmt.Sprintf("It rises by about %s a quarter (Sen), which luck alone shows %s times (Mann–Kendall).", decimals(trend.Slope, 3), oneIn(trend.P))
	default:
		t.Says = fmt.Sprintf("It falls by about %s a quarter (Sen), which luck alone shows %s times (Mann–Kendall).", decimals(-trend.Slope, 3), oneIn(trend.P))
	}
	return add(&v.Trend, t)
}

func (v *view) drawTeams() error {
	w := v.Workload
	if len(w.Teams) == 0 {
		return nil
	}
	word := "team"
	if v.Queues {
		word = "queue"
	}
	if err := pieces(w.Teams, func(part []TeamLoad, id string) error {
		s := chart.Spans{
			ID: "gini" + id, Title: "Inequality within each " + word + ", and what luck gives", Value: "Gini", Span: "by luck", Digits: 2,
			MarkSays: map[chart.Mark]string{chart.Circle: verdictSays(within), chart.Diamond: verdictSays(uneven), chart.Square: verdictSays(levelled), chart.Ring: verdictSays("")},
			Says:     "The band is where luck alone leaves nine in ten such " + word + "s. A mark to the right of it can still be too little to matter: only a diamond is both.",
		}
		for _, t := range part {
			mark := chart.Ring
			switch t.Verdict {
			case uneven:
				mark = chart.Diamond
			case within:
				mark = chart.Circle
			case levelled:
				mark = chart.Square
			}
			s.Rows = append(s.Rows, chart.Span{Name: t.Team, Value: t.Gini, Low: t.ChanceLow, High: t.ChanceHigh, Mark: mark})
		}
		return add(&v.Teams, s)
	}); err != nil {
		return err
	}
	if v.Audience == Group {
		if err := pieces(w.Teams, func(part []TeamLoad, id string) error {
			c := chart.Bars{ID: "load" + id, Title: "Open tickets per full-time equivalent", Value: "open tickets per FTE", Digits: 1,
				Says: "Tickets are not all alike: read this beside what the " + word + "s do, not as a comparison of people."}
			for _, t := range part {
				c.Rows = append(c.Rows, chart.Bar{Name: t.Team, Value: t.PerFTE})
			}
			return add(&v.TeamLoad, c)
		}); err != nil {
			return err
		}
	}
	if len(w.Weeks) == 0 {
		return nil
	}
	heads := v.weekHeads()
	return pieces(w.Teams, func(part []TeamLoad, id string) error {
		h := chart.Heat{ID: "weeks" + id, Title: "Open tickets per full-time equivalent, week by week", Columns: heads, Digits: 1,
			Says: "Each cell is a week, by the Monday on which it began (UTC); darker is more."}
		for _, t := range part {
			h.Rows = append(h.Rows, chart.HeatRow{Name: t.Team, Values: t.Weeks})
		}
		return add(&v.Weeks, h)
	})
}

func (v *view) weekHeads() []string {
	var heads []string
	for _, w := range v.Workload.Weeks {
		heads = append(heads, w.Format("2 Jan"))
	}
	return heads
}

func (v *view) drawPeople() error {
	people := v.Workload.People
	if len(people) == 0 {
		return nil
	}
	even := 1.0
	name := func(p PersonLoad) string {
		if v.Audience == Self {
			return p.Team
		}
		if p.Name != "" {
			return p.Name
		}
		return p.Engineer
	}
	title, says := "Load of each member, in times an even share", "The broken line is an even share for the time they were there. In order of names: this is no ranking."
	if v.Audience == Self {
		title, says = "Your load by team, in times an even share", "The broken line is an even share for the time you were there."
	}
	if err := pieces(people, func(part []PersonLoad, id string) error {
		b := chart.Bars{ID: "people" + id, Title: title, Says: says, Value: "× an even share", Reference: &even, Digits: 2}
		for _, p := range part {
			b.Rows = append(b.Rows, chart.Bar{Name: name(p), Value: p.Relative})
		}
		return add(&v.People, b)
	}); err != nil || len(v.Workload.Weeks) == 0 {
		return err
	}
	heads := v.weekHeads()
	return pieces(people, func(part []PersonLoad, id string) error {
		h := chart.Heat{ID: "people-weeks" + id, Title: "Open tickets, week by week", Columns: heads, Digits: 1, Says: "Each cell is a week, by the Monday on which it began (UTC); darker is more."}
		for _, p := range part {
			h.Rows = append(h.Rows, chart.HeatRow{Name: name(p), Values: p.Weeks})
		}
		return add(&v.People, h)
	})
}

func (v *view) drawAreas() error {
	var rows []chart.Part
	for _, a := range v.Knowledge.Areas {
		if a.Silo != nil && len(rows) < drawnAreas {
			rows = append(rows, chart.Part{Name: a.Area, Values: []float64{0.4 * *a.Concentration, 0.3 * *a.Backup, 0.3 * *a.Demand}})
		}
	}
	v.MoreArea = max(0, len(v.Knowledge.Areas)-shownAreas)
	if len(rows) == 0 {
		return nil
	}
	return add(&v.Areas, chart.Parts{
		ID: "areas", Title: "Silo score of areas, and what it is made of", Names: []string{"concentration of what is known", "nobody to step in", "touched by one person only"}, Total: "silo score", Rows: rows,
		Says: "0 is shared, 1 is with one person. The score is about the area: whoever knows it best did nothing wrong.",
	})
}

// ShownAreas is those that the page lists.
func (v *view) ShownAreas() []Area {
	return v.Knowledge.Areas[:min(shownAreas, len(v.Knowledge.Areas))]
}

// HiddenTeams says how many teams are not shown.
func (v *view) HiddenTeams() string {
	n := v.Workload.Withheld
	s := v.teamsWord(n)
	if n == 1 {
		return upper(s) + " is"
	}
	return upper(s) + " are"
}

// ProvisionalTeams says how many teams are queues.
func (v *view) ProvisionalTeams() string {
	return "Of what is shown, " + count(v.Quality.Provisional, "is a queue", "are queues")
}

// StoredSays says which figures of the trends are stored ones; "" for none.
func (v *view) StoredSays() string {
	var quarters, other []string
	for _, q := range v.Workload.Stored {
		quarters = append(quarters, q.Quarter)
		if rules(q.Method) != rules(v.Version.Method) {
			other = append(other, q.Quarter+" by "+q.Method)
		}
	}
	if len(quarters) == 0 {
		return ""
	}
	s := fmt.Sprintf("Tickets of %s are deleted, as they are older than is kept: the figures of that time are those that were stored before. Nothing is stored of groups that are too small to be shown to others.", strings.Join(quarters, ", "))
	if len(other) > 0 {
		s += " Some were made by other rules than the rest (" + strings.Join(other, ", ") + "): compare them with care."
	}
	return s
}

// rules is the version of the measures without what they were configured to.
func rules(method string) string {
	version, _, _ := strings.Cut(method, "+")
	return version
}

// trendRow is a team's line of the table of quarters.
type trendRow struct {
	Team   string
	Values []*float64
	Trend  *Trend
	Q      *float64
}

// Columns are the quarters that any team has.
func (v *view) Columns() []string {
	var columns []string
	for _, t := range v.Workload.Teams {
		for _, q := range t.Quarters {
			if !slices.Contains(columns, q.Quarter) {
				columns = append(columns, q.Quarter)
			}
		}
	}
	slices.Sort(columns)
	return columns
}

// TrendRows are the teams' excesses in these quarters.
func (v *view) TrendRows() []trendRow {
	columns := v.Columns()
	var rows []trendRow
	for _, t := range v.Workload.Teams {
		row := trendRow{Team: t.Team, Values: make([]*float64, len(columns)), Trend: t.Trend, Q: t.TrendQ}
		for _, q := range t.Quarters {
			row.Values[slices.Index(columns, q.Quarter)] = q.Excess
		}
		rows = append(rows, row)
	}
	return rows
}
