package web

import (
	"fmt"
	"html/template"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/report/chart"
)

var markSays = map[chart.Mark]string{
	chart.Circle: "as luck would deal it, or nearly", chart.Diamond: "uneven beyond chance", chart.Square: "evened out", chart.Ring: "too little to tell",
}

func markOf(v analysis.Verdict) chart.Mark {
	switch v {
	case analysis.Uneven:
		return chart.Diamond
	case analysis.WithinChance:
		return chart.Circle
	case analysis.Levelled:
		return chart.Square
	}
	return chart.Ring
}

// spread is how even each team's work is, beside what luck would give.
func spread(rows []teamRow) (template.HTML, error) {
	c := chart.Spans{
		ID: "spread", Title: "How even the open work is, beside what luck alone would give", Value: "Gini", Span: "by luck", MarkSays: markSays, Digits: 2,
		Says: "Left is even. The box is where the Gini coefficient of a team of that size, with as many tickets, would lie nine times in ten if every ticket fell to anybody by lot. A mark within its box needs no explanation; one to the right of it may still be too little to matter: only a diamond is both.",
	}
	for _, t := range rows {
		if t.Group == nil {
			continue
		}
		c.Rows = append(c.Rows, chart.Span{Name: t.Name, Value: t.Group.Gini, Low: t.Group.ChanceLow, High: t.Group.ChanceHigh, Mark: markOf(t.Group.Verdict)})
	}
	return figure(len(c.Rows) > 0, c.Figure)
}

// shares is the load of each member of a team.
func shares(g *analysis.Group) (template.HTML, error) {
	even := 1.0
	c := chart.Bars{
		ID: "shares", Title: "Open work per head, 1 being an even share", Value: "× an even share", Reference: &even, Digits: 2,
		Says: "What rested on each over the window, in ticket-days for each full-time equivalent that was there. In the order of pseudonyms: it is no ranking.",
	}
	if g == nil {
		return "", nil
	}
	for _, one := range sortedBy(g.Engineers, func(p analysis.Part) string { return p.Pseudonym }) {
		bar := chart.Bar{Name: one.Pseudonym, Value: one.Relative, Note: fmt.Sprintf("%s ticket-days, capacity %s", whole(one.Value), number(one.Capacity, 2))}
		if one.Tail != nil && *one.Tail < 0.01 {
			bar.Note += ", more than luck gives once in a hundred"
		}
		c.Rows = append(c.Rows, bar)
	}
	return figure(len(c.Rows) > 0, c.Figure)
}

// weeksShown is how many weeks a heat map has room for.
const weeksShown = 13

// weeks is the load of people over the last weeks.
func weeks(id string, list []analysis.EngineerOverload) (template.HTML, error) {
	c := chart.Heat{
		ID: id, Title: "Open tickets, on average over each week", Digits: 0,
		Says: "Each cell is a week, from its Monday, the last one on the right; the darker, the more open tickets rested on that person.",
	}
	var columns []time.Time
	for _, o := range list {
		if n := len(o.Weeks); n > 0 && len(columns) == 0 {
			for _, w := range o.Weeks[max(0, n-weeksShown):] {
				columns = append(columns, w.Week)
			}
		}
		if n := len(o.Weeks); min(n, weeksShown) > len(columns) {
			columns = nil
			for _, w := range o.Weeks[max(0, n-weeksShown):] {
				columns = append(columns, w.Week)
			}
		}
	}
	for _, at := range columns {
		c.Columns = append(c.Columns, at.Format("2 Jan"))
	}
	for _, o := range sortedBy(list, func(o analysis.EngineerOverload) string { return o.Pseudonym }) {
		by := map[time.Time]float64{}
		for _, w := range o.Weeks {
			by[w.Week] = w.Load
		}
		row := chart.HeatRow{Name: o.Pseudonym}
		for _, at := range columns {
			var x *float64
			if load, ok := by[at]; ok {
				x = &load
			}
			row.Values = append(row.Values, x)
		}
		c.Rows = append(c.Rows, row)
	}
	return figure(len(c.Rows) > 0 && len(columns) > 0, c.Figure)
}

// excess is the trend of a team's unevenness beyond chance.
func excess(g *analysis.Group) (template.HTML, error) {
	if g == nil || g.Trend == nil {
		return "", nil
	}
	t := g.Trend
	direction := "There is no trend that luck would not give"
	if t.P < 0.05 {
		direction = "It grows"
		if t.Tau < 0 {
			direction = "It shrinks"
		}
	}
	c := chart.Trend{
		ID: "trend", Title: "Unevenness beyond chance, by weeks before now", Digits: 2, Zero: "what luck gives",
		Says: fmt.Sprintf("%s: Mann–Kendall test p = %s, %s a week by Sen's slope.", direction, number(t.P, 3), number(t.Slope, 4)),
	}
	series := chart.Series{Name: "Gini less what luck gives", Mark: chart.Circle}
	for i, x := range t.Weeks {
		c.Periods = append(c.Periods, fmt.Sprint(i-len(t.Weeks)))
		series.Values = append(series.Values, &x)
	}
	c.Series = []chart.Series{series}
	return figure(true, c.Figure)
}

// silos is the score of areas in its parts.
func silos(list []analysis.AreaOwnership) (template.HTML, error) {
	c := chart.Parts{
		ID: "silos", Title: "Areas whose knowledge sits with few: the score and what it is made of", Total: "silo score",
		Names: []string{"concentration", "nobody to step in", "touched by one person only"},
		Says:  "0 is knowledge that is shared, 1 is all of it with one person who alone touches the area's tickets. Each part has its weight in it already.",
	}
	for _, a := range list {
		if a.Silo == nil || len(c.Rows) == 12 {
			continue
		}
		c.Rows = append(c.Rows, chart.Part{Name: a.Area, Values: parts(*a.Silo)})
	}
	return figure(len(c.Rows) > 0, c.Figure)
}

// parts are those of a score with their weights, so that they add up to it: see
// package ownership.
func parts(s analysis.SiloScore) []float64 {
	return []float64{0.4 * s.Concentration, 0.3 * s.Backup, 0.3 * s.Demand}
}

func figure(any bool, draw func() (chart.Figure, error)) (template.HTML, error) {
	if !any {
		return "", nil
	}
	f, err := draw()
	if err != nil {
		return "", err
	}
	return f.HTML()
}
