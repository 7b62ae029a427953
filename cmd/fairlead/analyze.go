package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fairlead/analysis"
)

type analyzeCmd struct {
	AsOf   string `help:"Day (2017-03-01, its beginning in UTC) or instant (RFC 3339) to compute for. Default: now, or where a replayed log ends." placeholder:"DAY"`
	Window string `help:"Time looked at, ending at --as-of: all, days (90d), weeks (12w), or a quarter (2026Q3)." default:"90d"`
	Basis  string `help:"What is counted: open work over time (load), tickets received (assigned) or finished (resolved)." enum:"load,assigned,resolved" default:"load"`
	Unit   string `help:"Count tickets or their effort." enum:"tickets,effort" default:"tickets"`
	By     string `help:"Group by team, area or source." enum:"team,area,source" default:"team"`
	Format string `help:"table, json or csv." enum:"table,json,csv" default:"table"`

	From     string `help:"Instead of one day, every day from this one on, or every week. What was true then, from the stored histories." placeholder:"DAY"`
	To       string `help:"The last day of these. Default: now, or where a replayed log ends." placeholder:"DAY"`
	Every    string `help:"How far apart they are: hour, day or week." enum:"hour,day,week" default:"day"`
	Verdicts bool   `help:"P values and verdicts too, on the first of these days and then once a week." negatable:"" default:"true"`
	Group    string `help:"Only the team, area or source of this name." placeholder:"NAME"`
}

// Run prints one line a group, of one day or of many.
func (c analyzeCmd) Run(ctx context.Context, a *app) error {
	window, err := analysis.ParseWindow(c.Window)
	if err != nil {
		return fmt.Errorf("--window: %w", err)
	}
	from, err := parseDay("--from", c.From)
	if err != nil {
		return err
	}
	to, err := parseDay("--to", c.To)
	switch {
	case err != nil:
		return err
	case !from.IsZero() && c.AsOf != "":
		return errors.New("--as-of is one day and --from the first of many: give one of them")
	case from.IsZero() && !to.IsZero():
		return errors.New("--to is the last of many days: give the first with --from, or one day with --as-of")
	}
	return a.analysing(ctx, c.AsOf, func(h *house, engine *analysis.Engine, asOf time.Time) error {
		begin := from
		if begin.IsZero() {
			begin = asOf
		}
		begin, _ = window.Bounds(begin)
		if err := a.tellHorizon(ctx, h, begin); err != nil {
			return err
		}
		if from.IsZero() {
			return c.once(ctx, a, engine, window, asOf)
		}
		if to.IsZero() {
			to = asOf
		}
		return c.history(ctx, a, engine, window, from, to)
	})
}

// once prints one line a group.
func (c analyzeCmd) once(ctx context.Context, a *app, engine *analysis.Engine, window analysis.Window, asOf time.Time) error {
	groups, err := engine.Distribution(ctx, analysis.Query{
		AsOf: asOf, Window: window, Basis: analysis.Basis(c.Basis), Unit: analysis.Unit(c.Unit), By: analysis.By(c.By),
	})
	if err != nil {
		return err
	}
	out := newGroupWriter(a.stdout, c.Format, c.By, false)
	out.only = c.Group
	out.title = fmt.Sprintf("%s in %s by %s, window %s up to %s\n", c.Basis, unitName(c.Basis, c.Unit), c.By, c.Window, asOf.UTC().Format("2006-01-02 15:04 MST"))
	if c.By == "team" && provisional(groups) {
		out.title += "Queues, not teams: without a roster a team is the ticket's assignment group or project, and every person counts alike.\n"
	}
	out.title += "\n"
	split, err := out.put(time.Time{}, groups)
	if err == nil {
		err = out.close()
	}
	if err != nil || c.Format != "table" || split == nil || split.Total == 0 || c.Group != "" {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "\nOf all this inequality (Theil %s) %s %% lies within %ss and %s %% between them.\n",
		number(&split.Total, 3), percent(split.Within/split.Total), c.By, percent(split.Between/split.Total))
	return err
}

// history prints one line a group and day.
func (c analyzeCmd) history(ctx context.Context, a *app, engine *analysis.Engine, window analysis.Window, from, to time.Time) error {
	q := analysis.HistoryQuery{
		From: from, To: to, Every: analysis.Every(c.Every), People: c.By == "team", Verdicts: c.Verdicts,
		Series: []analysis.Series{{Window: window, Basis: analysis.Basis(c.Basis), Unit: analysis.Unit(c.Unit), By: analysis.By(c.By)}},
	}
	if err := q.Validate(); err != nil {
		return err
	}
	out := newGroupWriter(a.stdout, c.Format, c.By, true)
	out.only = c.Group
	out.title = fmt.Sprintf("%s in %s by %s, window %s, every %s from %s to %s\n\n", c.Basis, unitName(c.Basis, c.Unit), c.By, c.Window, c.Every,
		from.Format(time.DateOnly), to.Format(time.DateOnly))
	for point, err := range engine.History(ctx, q) {
		if err != nil {
			return err
		}
		if _, err := out.put(point.AsOf, point.Groups[0]); err != nil {
			return err
		}
	}
	return out.close()
}

func provisional(groups []analysis.Group) bool {
	for _, g := range groups {
		if !g.Provisional {
			return false
		}
	}
	return true
}

func unitName(basis, unit string) string {
	if basis == "load" {
		return map[string]string{"tickets": "ticket-days", "effort": "effort-days"}[unit]
	}
	return unit
}

// engine makes the analysis over the house.
func (a *app) engine(h *house) *analysis.Engine { return a.watchedEngine(h, nil) }

// watchedEngine tells of its queries.
func (a *app) watchedEngine(h *house, queried func(string, time.Duration)) *analysis.Engine {
	return analysis.New(h.db, analysis.Options{Key: h.key.Subkey("pseudonym"), Config: a.cfg.Analysis.Config, MinPeople: a.cfg.Metrics.MinPeople, Logger: a.log, Queried: queried})
}

// asOf is the instant to compute for by default.
func (h *house) asOf() time.Time {
	if h.replay != nil {
		return h.replay.AsOf
	}
	return time.Now().UTC().Truncate(time.Millisecond)
}
