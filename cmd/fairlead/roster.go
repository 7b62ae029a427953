package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"fairlead/collector"
	"fairlead/connectors/roster"
	"fairlead/connectors/source"
)

type rosterCmd struct {
	Check   rosterCheckCmd   `cmd:"" help:"Compare the configured roster with the accounts that were collected."`
	Suggest rosterSuggestCmd `cmd:"" help:"Draft a roster from who held which tickets, for a person to correct."`
}

type rosterCheckCmd struct{}

// Run says whom the roster does not know, and whom it knows in vain.
func (rosterCheckCmd) Run(ctx context.Context, a *app) error {
	if err := a.configure(); err != nil {
		return err
	}
	if len(a.cfg.Roster) == 0 {
		return errors.New("no roster is configured: name its files under roster: in fairlead.yaml, or draft one with fairlead roster suggest")
	}
	r, err := roster.Load(a.cfg.Roster...)
	if err != nil {
		return err
	}
	return a.withHouse(ctx, func(h *house) error {
		report, err := collector.CheckRoster(ctx, h.db, r, h.asOf())
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%d people in %d teams\n", report.People, report.Teams)
		for _, source := range keysOf(report.Counts) {
			fmt.Fprintf(a.stdout, "%d accounts of %s held tickets in the last %d days and match nobody:\n", report.Counts[source], source, collector.RosterDays)
			for _, u := range report.Unmatched {
				if u.Source == source {
					fmt.Fprintf(a.stdout, "  %-40s %s %s (%s)\n", u.ID, u.Name, u.Email, u.Reason)
				}
			}
		}
		for _, m := range report.Missing {
			fmt.Fprintf(a.stdout, "%s is mapped to the account %s of %s, which was not seen\n", m.Person, m.ID, m.Source)
		}
		for _, id := range report.WithoutAccount {
			fmt.Fprintf(a.stdout, "%s works here and has no account\n", id)
		}
		return nil
	})
}

type rosterSuggestCmd struct{}

// Run prints a draft in YAML.
func (rosterSuggestCmd) Run(ctx context.Context, a *app) error {
	if err := a.configure(); err != nil {
		return err
	}
	var sources []source.Source
	if len(a.cfg.Sources) > 0 {
		var err error
		if sources, err = a.sources(prometheus.NewRegistry()); err != nil {
			return err
		}
	}
	return a.withHouse(ctx, func(h *house) error {
		staff, err := collector.AskStaff(ctx, h.db, h.asOf(), sources)
		if err != nil && ctx.Err() == nil {
			fmt.Fprintf(a.stderr, "The draft is of what was collected, without what a source tells of its groups: %v\n", oneLine(err))
		}
		draft, err := collector.SuggestRoster(ctx, h.db, h.asOf(), staff)
		if err != nil {
			return err
		}
		_, err = a.stdout.Write(draft)
		return err
	})
}

// withHouse opens what was collected, for reading.
func (a *app) withHouse(ctx context.Context, do func(*house) error) (err error) {
	dir, err := a.cfg.dataDir(a.globals.Data)
	if err != nil {
		return err
	}
	h, err := a.openHouse(ctx, dir, toRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return do(h)
}
