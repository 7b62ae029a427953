package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/exporter"
)

type explainCmd struct {
	What   string `arg:"" help:"team, engineer or area; or a series as Prometheus writes it: fairlead_area_silo_score{area=\"Billing ledger\"}."`
	Of     string `arg:"" optional:"" help:"Its name; an engineer's pseudonym."`
	Figure string `arg:"" optional:"" help:"One figure only (gini, verdict, overload, unplanned, after-hours, silo, bus-factor …) or the name of a metric. Default: all."`

	AsOf    string `help:"Day (its beginning in UTC) or instant (RFC 3339). Default: now, or where a replayed log ends." placeholder:"DAY"`
	Window  string `help:"Time looked at, ending at --as-of: all, days (90d), weeks (12w), or a quarter (2026Q3). Default: 90d." placeholder:"WINDOW"`
	Basis   string `help:"load, assigned or resolved. Default: load." enum:",load,assigned,resolved" default:""`
	Unit    string `help:"tickets or effort. Default: tickets." enum:",tickets,effort" default:""`
	Team    string `help:"Of an engineer: in this team only." placeholder:"TEAM"`
	Area    string `help:"Of an engineer: what they know of this area only." placeholder:"AREA"`
	Tickets int    `help:"How many tickets are listed at most; 0 is none." default:"10"`
	Names   bool   `help:"Show names beside pseudonyms. It is logged."`
	Format  string `help:"table or json." enum:"table,json" default:"table"`
}

// ask reads the arguments; what a flag says goes before what a label says.
func (c explainCmd) ask() (analysis.ExplainQuery, error) {
	window := cmp.Or(c.Window, "90d")
	q := analysis.ExplainQuery{Basis: analysis.Load, Unit: analysis.Tickets}
	series, isSeries, err := analysis.ParseSeries(c.What)
	switch {
	case err != nil:
		return q, err
	case isSeries:
		if q, err = series.Query(); err != nil {
			return q, err
		}
		subject, _, _ := series.Subject()
		c.What, c.Figure = string(subject), cmp.Or(c.Figure, q.Figure)
		window = cmp.Or(c.Window, series.Labels["window"], window)
	}
	subject := analysis.Subject(c.What)
	if !slices.Contains(analysis.Subjects, subject) {
		return q, fmt.Errorf(`%q cannot be explained: give team, engineer or area and its name, such as team "Group 70", or a series such as fairlead_area_silo_score{area="Billing ledger"}`, c.What)
	}
	of := map[analysis.Subject]*string{analysis.OfTeam: &q.Team, analysis.OfEngineer: &q.Engineer, analysis.OfArea: &q.Area}[subject]
	if *of = cmp.Or(*of, c.Of); strings.TrimSpace(*of) == "" {
		return q, fmt.Errorf("which %s? Give its name, such as fairlead explain %s NAME", subject, subject)
	}
	switch {
	case c.Figure != "" && !analysis.Explainable(subject, c.Figure):
		return q, fmt.Errorf("there is no figure of %ss called %q: give %s", subject, c.Figure, strings.Join(analysis.Figures(subject), ", "))
	case c.Team != "" && subject != analysis.OfEngineer:
		return q, errors.New("--team goes with an engineer: a team is named as fairlead explain team NAME")
	case c.Area != "" && subject != analysis.OfEngineer:
		return q, errors.New("--area goes with an engineer: an area is named as fairlead explain area NAME")
	case c.Team != "" && c.Area != "":
		return q, errors.New("--team and --area go each by itself: give one of them")
	case c.Tickets < 0:
		return q, fmt.Errorf("--tickets is %d: give a number from 0", c.Tickets)
	}
	if q.Window, err = analysis.ParseWindow(window); err != nil {
		return q, fmt.Errorf("--window: %w", err)
	}
	q.Figure, q.Team, q.Area = c.Figure, cmp.Or(c.Team, q.Team), cmp.Or(c.Area, q.Area)
	q.Basis, q.Unit = cmp.Or(analysis.Basis(c.Basis), q.Basis), cmp.Or(analysis.Unit(c.Unit), q.Unit)
	if q.Tickets = c.Tickets; c.Tickets == 0 {
		q.Tickets = -1
	}
	return q, nil
}

// Run takes published numbers apart.
func (c explainCmd) Run(ctx context.Context, a *app) error {
	query, err := c.ask()
	if err != nil {
		return err
	}
	return a.analysing(ctx, c.AsOf, func(h *house, e *analysis.Engine, asOf time.Time) error {
		if a.cfg.Privacy.Simulation {
			return errSimulation
		}
		// Whatever is explained, those whose part it shows are single people.
		begin, end := query.Window.Bounds(asOf)
		if err := a.tellsOfPeople(h, end); err != nil {
			return err
		}
		if err := a.tellHorizon(ctx, h, begin); err != nil {
			return err
		}
		query.AsOf, query.Named = asOf, a.cfg.Metrics.Engineer == exporter.LabelName
		x, err := e.Explain(ctx, query)
		if err != nil {
			return err
		}
		if err := c.journal(h, x); err != nil {
			return err
		}
		if !c.Names {
			x = x.Anonymous()
		}
		if c.Format == "json" {
			return writeJSON(a.stdout, x)
		}
		return x.Write(a.stdout, c.Names)
	})
}

// journal logs whom the answer is about: the engineer that was asked for, and
// everybody whose part of a figure it shows.
func (c explainCmd) journal(h *house, x analysis.Explanation) error {
	who := x.Pseudonyms()
	if x.Who != "" && !slices.Contains(who, x.Who) {
		who = append(who, x.Who)
	}
	return h.logged("explain", x.Asked, whoAmI(), who)
}
