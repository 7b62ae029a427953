package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"fairlead/analysis"
)

type analyzeCmd struct {
	AsOf   string `help:"Day (2017-03-01, its beginning in UTC) or instant (RFC 3339) to compute for. Default: now, or where a replayed log ends." placeholder:"DAY"`
	Window string `help:"Time looked at, ending at --as-of: all, days (90d), weeks (12w), or a quarter (2026Q3)." default:"90d"`
	Basis  string `help:"What is counted: open work over time (load), tickets received (assigned) or finished (resolved)." enum:"load,assigned,resolved" default:"load"`
	Unit   string `help:"Count tickets or their effort." enum:"tickets,effort" default:"tickets"`
	By     string `help:"Group by team, area or source." enum:"team,area,source" default:"team"`
	Format string `help:"table, json or csv." enum:"table,json,csv" default:"table"`
}

// Run prints one line a group.
func (c analyzeCmd) Run(ctx context.Context, a *app) error {
	window, err := analysis.ParseWindow(c.Window)
	if err != nil {
		return fmt.Errorf("--window: %w", err)
	}
	return a.analysing(ctx, c.AsOf, func(_ *house, engine *analysis.Engine, asOf time.Time) error {
		return c.once(ctx, a, engine, window, asOf)
	})
}

// once prints one line a group.
func (c analyzeCmd) once(ctx context.Context, a *app, engine *analysis.Engine, window analysis.Window, asOf time.Time) error {
	groups, err := engine.Distribution(ctx, analysis.Query{
		AsOf:   asOf,
		Window: window,
		Basis:  analysis.Basis(c.Basis),
		Unit:   analysis.Unit(c.Unit),
		By:     analysis.By(c.By),
	})
	if err != nil {
		return err
	}
	switch c.Format {
	case "json":
		return writeGroupsJSON(a.stdout, c.By, groups)
	case "csv":
		return writeGroupsCSV(a.stdout, c.By, groups)
	}
	fmt.Fprintf(a.stdout, "%s in %s by %s, window %s up to %s\n", c.Basis, unitName(c.Basis, c.Unit), c.By, c.Window, asOf.UTC().Format("2006-01-02 15:04 MST"))
	if c.By == "team" {
		fmt.Fprintln(a.stdout, "Queues, not teams: without a roster a team is the ticket's assignment group or project, and every person counts alike.")
	}
	fmt.Fprintln(a.stdout)
	return writeGroupsTable(a.stdout, c.By, groups)
}

func unitName(basis, unit string) string {
	if basis == "load" {
		return map[string]string{"tickets": "ticket-days", "effort": "effort-days"}[unit]
	}
	return unit
}

// engine makes the analysis over the house.
func (a *app) engine(h *house) *analysis.Engine {
	return analysis.New(h.db, analysis.Options{Key: h.key.Subkey("pseudonym"), Config: a.cfg.Analysis.Config, Logger: a.log})
}

// asOf is the instant to compute for by default.
func (h *house) asOf() time.Time {
	if h.replay != nil {
		return h.replay.AsOf
	}
	return time.Now().UTC().Truncate(time.Millisecond)
}

// figures are a group's numbers under their names in the JSON and CSV output;
// those with a heading stand in the table.
var figures = []struct {
	name, heading string
	digits        int
	of            func(analysis.Group) *float64
}{
	{"total", "total", 1, func(g analysis.Group) *float64 { return &g.Total }},
	{"unassigned", "unassigned", 1, func(g analysis.Group) *float64 { return &g.Unassigned }},
	{"bots", "", 0, func(g analysis.Group) *float64 { return &g.Bots }},
	{"gini", "gini", 3, func(g analysis.Group) *float64 { return g.Gini }},
	{"gini_low", "", 0, func(g analysis.Group) *float64 { return g.GiniLow }},
	{"gini_high", "", 0, func(g analysis.Group) *float64 { return g.GiniHigh }},
	{"gini_chance", "by chance", 3, func(g analysis.Group) *float64 { return g.GiniChance }},
	{"gini_excess", "", 0, func(g analysis.Group) *float64 { return g.GiniExcess }},
	{"hoover", "hoover", 3, func(g analysis.Group) *float64 { return g.Hoover }},
	{"theil", "theil", 3, func(g analysis.Group) *float64 { return g.Theil }},
	{"hhi", "hhi", 3, func(g analysis.Group) *float64 { return g.HHI }},
	{"effective", "effective", 1, func(g analysis.Group) *float64 { return g.Effective }},
	{"top_share", "top share", 3, func(g analysis.Group) *float64 { return g.TopShare }},
}

// writeGroupsJSON writes an array of objects, one a group, without single
// engineers. An undefined figure is null.
func writeGroupsJSON(w io.Writer, by string, groups []analysis.Group) error {
	objects := make([]map[string]any, 0, len(groups))
	for _, g := range groups {
		object := map[string]any{by: g.Name, "people": g.People, "provisional": g.Provisional}
		for _, f := range figures {
			object[f.name] = f.of(g)
		}
		objects = append(objects, object)
	}
	return writeJSON(w, objects)
}

func writeGroupsCSV(w io.Writer, by string, groups []analysis.Group) error {
	out := csv.NewWriter(w)
	header := []string{by, "people"}
	for _, f := range figures {
		header = append(header, f.name)
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, g := range groups {
		row := []string{csvText(g.Name), strconv.Itoa(g.People)}
		for _, f := range figures {
			row = append(row, number(f.of(g), -1))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvText keeps a spreadsheet from taking a name for a formula.
func csvText(name string) string {
	if name != "" {
		switch name[0] {
		case '=', '+', '-', '@', '\t', '\r':
			return "'" + name
		}
	}
	return name
}

func writeGroupsTable(w io.Writer, by string, groups []analysis.Group) error {
	if len(groups) == 0 {
		_, err := fmt.Fprintln(w, "nothing in this window")
		return err
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	// Names stand on the left, numbers on the right.
	wide := utf8.RuneCountInString(by)
	for _, g := range groups {
		wide = max(wide, utf8.RuneCountInString(g.Name))
	}
	fmt.Fprintf(out, "%-*s\tpeople\t", wide, by)
	for _, f := range figures {
		if f.heading != "" {
			fmt.Fprintf(out, "%s\t", f.heading)
		}
	}
	fmt.Fprintln(out)
	for _, g := range groups {
		fmt.Fprintf(out, "%-*s\t%d\t", wide, g.Name, g.People)
		for _, f := range figures {
			if f.heading != "" {
				fmt.Fprintf(out, "%s\t", number(f.of(g), f.digits))
			}
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}

// number writes a figure with so many decimals, all of them when negative, and
// nothing where it is undefined.
func number(v *float64, digits int) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}
