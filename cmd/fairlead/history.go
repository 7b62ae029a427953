package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/exporter"
)

type historyCmd struct {
	From   string `help:"First instant: a day (2026-01-31, its beginning in UTC) or an instant (RFC 3339). Default: a year before --to." placeholder:"DAY"`
	To     string `help:"Last instant. Default: the last whole day or hour, or where a replayed log ends." placeholder:"DAY"`
	Step   string `help:"Time between two instants: 1d or 1h." enum:"1d,1h" default:"1d"`
	People bool   `help:"Write single engineers too, of the last 90 days."`
}

// peopleHistory is how far back single engineers are written.
const peopleHistory = 90 * 24 * time.Hour

// Run writes the past as OpenMetrics to standard output.
func (c historyCmd) Run(ctx context.Context, a *app) (err error) {
	if err := a.configure(); err != nil {
		return err
	}
	if c.People && a.cfg.Privacy.Simulation {
		return errSimulation
	}
	if isTerminal(a.stdout) {
		return errors.New("a history is for a file: write fairlead history > history.om, then promtool tsdb create-blocks-from openmetrics --max-block-duration=744h history.om DIR")
	}
	from, err := parseDay("--from", c.From)
	if err != nil {
		return err
	}
	to, err := parseDay("--to", c.To)
	if err != nil {
		return err
	}
	dir, err := a.cfg.dataDir(a.globals.Data)
	if err != nil {
		return err
	}
	h, err := a.openHouse(ctx, dir, toRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()

	query := analysis.PastQuery{From: from, To: to, Every: analysis.EveryDay, People: c.People}
	step := 24 * time.Hour
	if c.Step == "1h" {
		query.Every, step = analysis.EveryHour, time.Hour
	}
	present := h.asOf()
	if query.To.IsZero() {
		query.To = present.Truncate(step)
	}
	if query.From.IsZero() {
		query.From = query.To.AddDate(-1, 0, 0)
	}
	switch {
	case query.To.After(present):
		return fmt.Errorf("--to is %s, of which nothing is known yet: give %s or before", query.To.Format(time.RFC3339), present.Format(time.RFC3339))
	case query.To.Before(query.From):
		return fmt.Errorf("--from is %s and --to is %s: give a --to that is not before", query.From.Format(time.RFC3339), query.To.Format(time.RFC3339))
	}
	begin := query.From
	for _, w := range a.cfg.Analysis.Windows {
		if from, _ := w.Bounds(query.From); from.Before(begin) {
			begin = from
		}
	}
	if err := a.tellHorizon(ctx, h, begin); err != nil {
		return err
	}
	options := exporter.HistoryOptions{Config: a.cfg.Metrics}
	if c.People {
		reach := peopleHistory
		if keep := a.cfg.Privacy.Retention.People; keep > 0 && keep < reach {
			reach = keep
		}
		options.PeopleFrom = present.Add(-reach)
		if query.To.Before(options.PeopleFrom) {
			return fmt.Errorf("--people is of the last %.0f days, and --to is %s: give %s or later, or leave --people out", reach.Hours()/24, query.To.Format(time.DateOnly), options.PeopleFrom.Format(time.DateOnly))
		}
	}
	begun := time.Now()
	options.Told = tellInstants(a.stderr, a.log, begun, int(query.To.Sub(query.From)/step)+1)
	sum, err := exporter.WriteHistory(a.stdout, a.engine(h).Snapshots(ctx, query), options)
	if err != nil {
		return err
	}
	if sum.Samples == 0 {
		return fmt.Errorf("there is nothing to tell from %s to %s: no ticket is stored of that time", query.From.Format(time.DateOnly), query.To.Format(time.DateOnly))
	}
	a.log.Info("history written", "samples", sum.Samples, "series", sum.Series, "instants", sum.Instants, "took", time.Since(begun).Round(time.Millisecond))
	if sum.Dropped > 0 {
		a.log.Warn("series were left out because of metrics.max_series", "series", sum.Dropped)
	}
	return nil
}

// tellInstants shows how far a history is: one line that is written over on a
// terminal, a log line now and then elsewhere.
func tellInstants(w io.Writer, log *slog.Logger, begun time.Time, all int) func(time.Time) {
	done, said := 0, begun
	terminal := isTerminal(w)
	return func(at time.Time) {
		done++
		now := time.Now()
		switch {
		case terminal && (done == all || now.Sub(said) > 100*time.Millisecond):
			fmt.Fprintf(w, "\rhistory of %s, %d of %d instants", at.Format("2 January 2006"), done, all)
			if done == all {
				fmt.Fprintln(w)
			}
		case !terminal && now.Sub(said) > lineEvery:
			left := time.Duration(float64(now.Sub(begun)) / float64(done) * float64(all-done))
			log.Info("writing history", "instants", done, "of", all, "seconds_left", int(left.Seconds()))
		default:
			return
		}
		said = now
	}
}
