package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fairlead/analysis/exporter"
	"fairlead/analysis/privacy"
	"fairlead/analysis/web"
)

type forgetCmd struct {
	Person string `arg:"" help:"Pseudonym, e-mail address, account (its id, or \"SOURCE ID\") or id in the roster."`
	DryRun bool   `help:"Say what would be erased, and erase nothing."`
}

// forgetting asks for somebody to be erased.
type forgetting struct {
	Person string `json:"person"`
	DryRun bool   `json:"dry_run"`
}

var errForgotten = errors.New("nobody is known here by that: check the spelling, and that --data is the right folder; what an erasure that was cut short had left is erased now")

// Run has a person erased, by the running service where there is one.
func (c forgetCmd) Run(ctx context.Context, a *app) error {
	if err := a.configure(); err != nil {
		return err
	}
	var told privacy.Forgotten
	err := a.byService(ctx, func(dir string) error {
		return askJSON(ctx, dir, "/forget", forgetting(c), &told)
	}, func(h *house) (err error) {
		told, err = a.forgetter(h).Forget(ctx, c.Person, whoAmI(), c.DryRun)
		return err
	})
	switch {
	case errors.Is(err, privacy.ErrNobody) || err != nil && err.Error() == privacy.ErrNobody.Error():
		if c.DryRun {
			return errNobody
		}
		return errForgotten
	case err != nil:
		return err
	}
	a.tellForgotten(told)
	return nil
}

func (a *app) forgetter(h *house) *privacy.Forgetter {
	return &privacy.Forgetter{
		Engine: a.engine(h), Warehouse: h.db, Journal: web.NewJournal(accessLog(h.dir)), Roster: a.cfg.Roster, Now: time.Now,
	}
}

// tellForgotten says what was erased, and what has to be done where Fairlead does
// not reach.
func (a *app) tellForgotten(f privacy.Forgotten) {
	say := func(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }
	where := "no source"
	if len(f.Sources) > 0 {
		where = strings.Join(f.Sources, ", ")
	}
	if f.DryRun {
		say("Would be erased, and is not:")
	} else {
		say("Erased:")
	}
	say("  %d rows of accounts (%s), with names and addresses, older versions among them", f.Accounts, where)
	if f.Roster {
		say("  the person in the stored roster")
	}
	say("  who it was in the access log (entries: %d)", f.Entries)
	say("Kept:")
	say("  %d tickets, with a number in place of the person: figures of their teams stay what they were, and nothing single is shown", f.Tickets)
	if !f.DryRun {
		say("Nothing of these accounts is stored again, whatever the sources show.")
	}
	say("")
	say("Out of Fairlead's reach, and for you to do:")
	if f.InFiles {
		say("  - The roster's files (%s) still name the person: take the entry out. To keep what the capacity", strings.Join(f.Files, ", "))
		say("    of their team was, put this in place of their id, name, addresses and accounts, and leave the rest:")
		if f.Entry != "" {
			say("      %s", f.Entry)
		} else {
			say("      (printed when it is done)")
		}
	}
	say("  - Jira, ServiceNow and Asana hold the account and its history themselves.")
	labels := f.Labels
	if a.cfg.Metrics.Engineer == exporter.LabelName && len(f.Names) > 0 {
		labels = f.Names
	}
	say("  - Prometheus has stored samples if it scrapes /metrics/people. With --web.enable-admin-api:")
	for _, label := range labels {
		say("      curl -g -X POST 'http://127.0.0.1:9090/api/v1/admin/tsdb/delete_series?match[]={engineer=%q}'", label)
	}
	say("      curl -X POST 'http://127.0.0.1:9090/api/v1/admin/tsdb/clean_tombstones'")
	say("  - Routes of Alertmanager name their address and pseudonym: run fairlead rules again.")
	say("  - Snapshots and annotations in Grafana, mails that were sent, reports that were saved, backups of the data folder")
	say("    and of ClickHouse: restore none without erasing the person again.")
}

// forget erases somebody, and has the figures that are shown made anew.
func (s *service) forget(ctx context.Context, q forgetting, asker string) (privacy.Forgotten, error) {
	told, err := s.forgets.Forget(ctx, q.Person, asker, q.DryRun)
	if err != nil || q.DryRun {
		return told, err
	}
	return told, s.renew(ctx, nil)
}

// renewal is a snapshot that somebody waits for.
type renewal struct {
	before func(context.Context) // is done first, while nothing is analysed; nil for nothing
	done   chan error
}

// renew makes a snapshot now, and returns when it is shown.
func (s *service) renew(ctx context.Context, before func(context.Context)) error {
	done := make(chan error, 1)
	select {
	case s.renewals <- renewal{before, done}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
