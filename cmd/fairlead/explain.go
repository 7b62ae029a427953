package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/analysis"
)

type explainCmd struct {
	What   string `arg:"" help:"team, engineer or area; or a series as Prometheus writes it: fairlead_area_silo_score{area=\"Billing ledger\"}."`
	Of     string `arg:"" optional:"" help:"Its name; an engineer's pseudonym."`
	Figure string `arg:"" optional:"" help:"One figure only (gini, verdict, overload, silo, hhi …) or the name of a metric. Default: all."`

	AsOf    string `help:"Day (its beginning in UTC) or instant (RFC 3339). Default: now, or where a replayed log ends." placeholder:"DAY"`
	Window  string `help:"Time looked at, ending at --as-of: all, days (90d), weeks (12w), or a quarter (2026Q3). Default: 90d." placeholder:"WINDOW"`
	Basis   string `help:"load, assigned or resolved. Default: load." enum:",load,assigned,resolved" default:""`
	Unit    string `help:"tickets or effort. Default: tickets." enum:",tickets,effort" default:""`
	Team    string `help:"Of an engineer: in this team only." placeholder:"TEAM"`
	Tickets int    `help:"How many tickets are listed at most; 0 is none." default:"10"`
	Names   bool   `help:"Show names beside pseudonyms. It is logged."`
	Format  string `help:"table or json." enum:"table,json" default:"table"`
}

// series is a metric with its labels, as it stands in a dashboard or an alert.
var series = regexp.MustCompile(`^(fairlead_(team|engineer|area)_[a-z0-9_]+)\s*(?:\{(.*)\})?\s*$`)

var label = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*("(?:[^"\\]|\\.)*")`)

// asked is what the arguments come to.
type asked struct {
	subject analysis.Subject
	figure  string
	query   analysis.ExplainQuery
}

// ask reads the arguments; what a flag says goes before what a label says.
func (c explainCmd) ask() (asked, error) {
	labels := map[string]string{}
	if m := series.FindStringSubmatch(c.What); m != nil {
		for _, l := range label.FindAllStringSubmatch(m[3], -1) {
			value, err := strconv.Unquote(l[2])
			if err != nil {
				return asked{}, fmt.Errorf("the label %s of %s is no string: %w", l[1], m[1], err)
			}
			labels[l[1]] = value
		}
		c.What, c.Figure = m[2], cmp.Or(c.Figure, m[1])
		c.Of = cmp.Or(c.Of, labels[c.What])
		if c.What == string(analysis.OfEngineer) {
			c.Team = cmp.Or(c.Team, labels["team"])
		}
	}
	x := asked{subject: analysis.Subject(c.What), figure: c.Figure}
	if !slices.Contains(analysis.Subjects, x.subject) {
		return asked{}, fmt.Errorf(`%q cannot be explained: give team, engineer or area and its name, such as team "Group 70", or a series such as fairlead_area_silo_score{area="Billing ledger"}`, c.What)
	}
	if strings.TrimSpace(c.Of) == "" {
		return asked{}, fmt.Errorf("which %s? Give its name, such as fairlead explain %s NAME", x.subject, x.subject)
	}
	if x.figure != "" && !analysis.Explainable(x.subject, x.figure) {
		return asked{}, fmt.Errorf("there is no figure of %ss called %q: give %s", x.subject, x.figure, strings.Join(analysis.Figures(x.subject), ", "))
	}
	if c.Team != "" && x.subject != analysis.OfEngineer {
		return asked{}, errors.New("--team goes with an engineer: a team is named as fairlead explain team NAME")
	}
	window, err := analysis.ParseWindow(cmp.Or(c.Window, labels["window"], "90d"))
	if err != nil {
		return asked{}, fmt.Errorf("--window: %w", err)
	}
	if c.Tickets < 0 {
		return asked{}, fmt.Errorf("--tickets is %d: give a number from 0", c.Tickets)
	}
	x.query = analysis.ExplainQuery{
		Window: window, Basis: analysis.Basis(cmp.Or(c.Basis, labels["basis"], string(analysis.Load))),
		Unit: analysis.Unit(cmp.Or(c.Unit, labels["unit"], string(analysis.Tickets))), Tickets: c.Tickets,
	}
	if c.Tickets == 0 {
		x.query.Tickets = -1
	}
	switch x.subject {
	case analysis.OfTeam:
		x.query.Team = c.Of
	case analysis.OfEngineer:
		x.query.Engineer, x.query.Team = c.Of, c.Team
	case analysis.OfArea:
		x.query.Area = c.Of
	}
	return x, nil
}

// Run takes published numbers apart.
func (c explainCmd) Run(ctx context.Context, a *app) error {
	what, err := c.ask()
	if err != nil {
		return err
	}
	return a.analysing(ctx, c.AsOf, func(h *house, e *analysis.Engine, asOf time.Time) error {
		if a.cfg.Privacy.Simulation {
			return errSimulation
		}
		what.query.AsOf = asOf
		x, err := e.Explain(ctx, what.query)
		if err != nil {
			return err
		}
		if what.figure != "" {
			if x, err = x.Only(what.subject, what.figure); err != nil {
				return err
			}
		}
		if err := c.journal(h, what, x); err != nil {
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
// everybody where their names are shown.
func (c explainCmd) journal(h *house, what asked, x analysis.Explanation) error {
	var who []string
	if what.subject == analysis.OfEngineer {
		who = append(who, what.query.Engineer)
	}
	if c.Names {
		for _, p := range x.Pseudonyms() {
			if !slices.Contains(who, p) {
				who = append(who, p)
			}
		}
	}
	return h.logged("explain", what.figure, who)
}
