package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fairlead/analysis/privacy"
	"fairlead/analysis/web"
	"fairlead/collector"
)

type pruneCmd struct {
	DryRun bool `help:"Say what would be deleted, and delete nothing."`
}

// pruning asks for what is too old to be deleted.
type pruning struct {
	DryRun bool `json:"dry_run"`
}

var errReplayed = errors.New("a demonstration or a replayed log keeps everything: nothing is deleted for its age there")

// Run has what is too old deleted, by the running service where there is one.
func (c pruneCmd) Run(ctx context.Context, a *app) error {
	if err := a.configure(); err != nil {
		return err
	}
	var told privacy.Pruned
	err := a.byService(ctx, func(dir string) error {
		return askJSON(ctx, dir, "/prune", pruning(c), &told)
	}, func(h *house) (err error) {
		if h.replay != nil {
			return errReplayed
		}
		told, err = a.pruner(h).Prune(ctx, c.DryRun)
		return err
	})
	if err != nil {
		return err
	}
	a.tellPruned(told)
	return nil
}

func (a *app) pruner(h *house) *privacy.Pruner {
	return &privacy.Pruner{
		Retention: a.cfg.Privacy.Retention, Archive: h.db, Keeper: a.engine(h), Journal: web.NewJournal(accessLog(h.dir)), Now: time.Now, Settled: a.cfg.Report.After,
		Unfinished: func(ctx context.Context) ([]string, error) {
			return collector.Unfinished(ctx, h.db, keysOf(a.cfg.Sources))
		},
	}
}

func (a *app) tellPruned(p privacy.Pruned) {
	say := func(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }
	if len(p.Quarters) > 0 {
		stored := "Stored"
		if p.DryRun {
			stored = "Would be stored, and is not"
		}
		say("%s, for trends: the figures of groups in %s.", stored, strings.Join(p.Quarters, ", "))
	}
	if p.DryRun {
		say("Would be deleted, and is not:")
	} else {
		say("Deleted:")
	}
	r := a.cfg.Privacy.Retention
	days := func(d time.Duration) string {
		if d == 0 {
			return "kept for ever"
		}
		return fmt.Sprintf("kept for %.0f days", d.Hours()/24)
	}
	until := ""
	if !p.Before.IsZero() {
		until = ", closed and without a change since before " + p.Before.Format(time.DateOnly)
	}
	say("  %d tickets%s (%s)", p.Tickets, until, days(r.Tickets))
	say("  %d entries of the access log (%s)", p.Entries, days(r.AccessLog))
	say("  %d reports for everybody (%s)", p.Reports, days(r.Reports))
	if p.Tickets > 0 {
		say("Figures of the time before that day are not whole, and say so. Reports that were made of it stay, and trends read the stored figures of its quarters.")
	}
}

// tellHorizon says beside figures that reach back to an instant that they are not
// whole, where tickets of that time were deleted for their age.
func (a *app) tellHorizon(ctx context.Context, h *house, from time.Time) error {
	horizon, err := h.db.Horizon(ctx)
	if err == nil && from.Before(horizon) {
		_, err = fmt.Fprintf(a.stderr, "fairlead: tickets that were closed before %s are deleted (privacy.retention.tickets): figures of the time before it are not whole\n", horizon.Format(time.DateOnly))
	}
	return err
}

// pruneEvery is how often a service deletes what is too old.
const pruneEvery = 24 * time.Hour

// pruneDaily deletes what is too old, if that was not done for a day. Like all that
// a service does on its own, a failure is logged, and it is tried again.
func (s *service) pruneDaily(ctx context.Context) {
	if s.house.replay != nil || time.Since(s.pruned) < pruneEvery {
		return
	}
	told, err := s.pruner.Prune(ctx, false)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("what is too old was not deleted", "error", oneLine(err))
		}
		return
	}
	s.pruned = time.Now()
	if len(told.Quarters) > 0 {
		s.log.Info("the figures of quarters were stored", "quarters", strings.Join(told.Quarters, " "))
	}
	if told.Tickets > 0 || told.Entries > 0 || told.Reports > 0 {
		s.log.Info("what is too old was deleted", "tickets", told.Tickets, "before", told.Before, "access_log_entries", told.Entries, "reports", told.Reports)
	}
}

// pruneNow deletes what is too old because somebody asked.
func (s *service) pruneNow(ctx context.Context, q pruning, _ string) (told privacy.Pruned, err error) {
	switch {
	case s.house.replay != nil:
		return told, errReplayed
	case q.DryRun:
		return s.pruner.Prune(ctx, true)
	}
	type outcome struct {
		told privacy.Pruned
		err  error
	}
	done := make(chan outcome, 1) // who asked may have gone before it is
	renewed := s.renew(ctx, func(ctx context.Context) {
		told, err := s.pruner.Prune(ctx, false)
		done <- outcome{told, err}
	})
	select {
	case o := <-done:
		return o.told, errors.Join(o.err, renewed)
	default:
		return told, renewed
	}
}
