package main

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/report"
)

type rebalanceCmd struct {
	Team       string  `help:"Team whose open tickets are to be spread again." required:"" placeholder:"TEAM"`
	AsOf       string  `help:"Day (its beginning in UTC) or instant (RFC 3339) to look at. Default: now, or where a replayed log ends." placeholder:"DAY"`
	Unit       string  `help:"What a ticket weighs: its effort, or 1 (tickets)." enum:"effort,tickets" default:"effort"`
	Tolerance  float64 `help:"How far over an even share somebody may be: 0.15 is 15 %." default:"0.15"`
	Evidence   float64 `help:"How much somebody must know of a ticket's area to be given it: 1 is one ticket resolved today." default:"1"`
	Ahead      int     `help:"Days ahead in which people have to be there." default:"14"`
	Unassigned bool    `help:"Deal out what nobody holds, too."`
	Names      bool    `help:"Show names beside pseudonyms. It is logged."`
	Format     string  `help:"table, json or csv." enum:"table,json,csv" default:"table"`
}

// Run prints a plan and carries nothing out.
func (c rebalanceCmd) Run(ctx context.Context, a *app) error {
	if strings.TrimSpace(c.Team) == "" {
		return errors.New("--team is empty: name a team as fairlead analyze lists it")
	}
	o := analysis.DefaultRebalanceOptions()
	o.Unit, o.Tolerance, o.Evidence, o.Unassigned = analysis.Unit(c.Unit), c.Tolerance, c.Evidence, c.Unassigned
	o.Ahead = time.Duration(c.Ahead) * 24 * time.Hour
	if err := o.Validate(); err != nil {
		return err
	}
	return a.analysing(ctx, c.AsOf, func(h *house, e *analysis.Engine, asOf time.Time) error {
		if a.cfg.Privacy.Simulation {
			return errSimulation
		}
		if err := a.tellsOfPeople(h, asOf); err != nil {
			return err
		}
		r, err := e.Rebalance(ctx, c.Team, asOf, o)
		if err != nil {
			return err
		}
		if err := h.logged("rebalance", c.Team, whoAmI(), r.Pseudonyms()); err != nil {
			return err
		}
		if !c.Names {
			r = r.Anonymous()
		}
		switch c.Format {
		case "json":
			return writeJSON(a.stdout, r)
		case "csv":
			return writeMovesCSV(a.stdout, r)
		}
		return r.Write(a.stdout, c.Names)
	})
}

// writeMovesCSV writes one line a move.
func writeMovesCSV(w io.Writer, r analysis.Rebalancing) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"ticket", "source", "areas", "from", "from_name", "to", "to_name", "weight", "in_progress", "blocked", "why"}}
	for _, m := range r.Moves {
		rows = append(rows, []string{
			report.Cell(m.Key), m.Source, report.Cell(strings.Join(m.Areas, ", ")), m.From, report.Cell(m.FromName), m.To, report.Cell(m.ToName),
			strconv.FormatFloat(m.Weight, 'f', -1, 64), strconv.FormatBool(m.InProgress), strconv.FormatBool(m.Blocked), report.Cell(m.Why),
		})
	}
	return out.WriteAll(rows)
}
