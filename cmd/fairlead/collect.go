package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"fairlead/collector"
	"fairlead/connectors/asana"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/embedded"
	"fairlead/connectors/jira"
	"fairlead/connectors/rest"
	"fairlead/connectors/roster"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/source"
)

// sources makes the configured sources, in the order of their names.
func (a *app) sources(reg prometheus.Registerer) ([]source.Source, error) {
	if len(a.cfg.Sources) == 0 {
		return nil, errors.New("no source is configured: name one under sources: in fairlead.yaml (the README shows how)")
	}
	metrics := rest.NewMetrics(reg)
	var made []source.Source
	for _, name := range keysOf(a.cfg.Sources) {
		s, err := a.newSource(name, a.cfg.Sources[name], metrics)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
		made = append(made, s)
	}
	return made, nil
}

func (a *app) newSource(name string, cfg *Source, metrics *rest.Metrics) (source.Source, error) {
	since, _, err := a.cfg.reach(cfg, time.Now())
	if err != nil {
		return nil, err
	}
	log := a.log.With("source", name)
	transport := rest.New(name, cfg.HTTP, nil, metrics, a.log)
	switch {
	case cfg.Asana != nil:
		return asana.New(*cfg.Asana, asana.Options{Name: name, Transport: transport, Logger: log, Since: since, Clock: time.Now})
	case cfg.Jira != nil:
		return jira.New(*cfg.Jira, jira.Options{Name: name, Transport: transport, Logger: log, Since: since, Clock: time.Now})
	}
	return servicenow.New(*cfg.ServiceNow, servicenow.Options{Name: name, Transport: transport, Logger: log, Since: since, Clock: time.Now})
}

// reach is back to when closed tickets of a source are collected: what is older than
// is kept would be deleted as soon as it was stored. limited is whether that is later
// than its since.
func (c *Config) reach(s *Source, now time.Time) (since time.Time, limited bool, err error) {
	if since, err = s.since(now); err != nil {
		return since, false, err
	}
	if keep := c.Privacy.Retention.Tickets; keep > 0 {
		if kept := now.UTC().Add(-keep).Truncate(24 * time.Hour); kept.After(since) {
			return kept, true, nil
		}
	}
	return since, false, nil
}

// reachSays says back to when, and why.
func (c *Config) reachSays(name string, now time.Time) string {
	s := c.Sources[name]
	since, limited, err := c.reach(s, now)
	if err != nil {
		return "" // who configured it was told
	}
	from := "tickets that were closed before " + since.Format(time.DateOnly) + " are not collected, "
	if limited {
		return fmt.Sprintf("%sas privacy.retention.tickets keeps them for %.0f days (sources.%s.since is %s)", from, c.Privacy.Retention.Tickets.Hours()/24, name, s.Since)
	}
	return fmt.Sprintf("%sas sources.%s.since is %s", from, name, s.Since)
}

// tellReach logs which sources are not collected as far back as they are configured
// to be.
func (a *app) tellReach(ctx context.Context) {
	now := time.Now()
	for _, name := range keysOf(a.cfg.Sources) {
		if since, limited, err := a.cfg.reach(a.cfg.Sources[name], now); err == nil && limited {
			a.log.InfoContext(ctx, "closed tickets are collected no further back than they are kept", "source", name, "back_to", since.Format(time.DateOnly), "since", a.cfg.Sources[name].Since, "privacy.retention.tickets", a.cfg.Privacy.Retention.Tickets)
		}
	}
}

// collectors makes a collector for each source.
func (a *app) collectors(h *house, sources []source.Source, reg prometheus.Registerer, p collector.Progress) []*collector.Collector {
	metrics := collector.NewMetrics(reg)
	var made []*collector.Collector
	cfg := a.cfg.Collector
	if h.replay == nil {
		cfg.Keep = a.cfg.Privacy.Retention.Tickets
	}
	for _, s := range sources {
		made = append(made, collector.New(cfg, s, h.db, metrics, p, a.log))
	}
	return made
}

type collectCmd struct{}

// Run collects every source once, side by side. A source that fails does not
// stop the others.
func (collectCmd) Run(ctx context.Context, a *app) (err error) {
	if err := a.configure(); err != nil {
		return err
	}
	dir, err := a.cfg.dataDir(a.globals.Data)
	if err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	sources, err := a.sources(reg)
	if err != nil {
		return err
	}
	h, err := a.openHouse(ctx, dir, toWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()

	a.tellReach(ctx)
	p := a.showProgress()
	defer p.Close()
	return errors.Join(
		a.collectOnce(ctx, a.collectors(h, sources, reg, p)),
		a.syncRoster(ctx, h),
	)
}

// syncRoster makes the configured roster that of the warehouse.
func (a *app) syncRoster(ctx context.Context, h *house) error {
	_, err := collector.SyncRoster(ctx, h.db, a.cfg.Roster, a.log)
	return err
}

// advise adds to a source's error what to do about it.
func advise(err error) error {
	switch {
	case errors.Is(err, source.ErrUnreachable):
		return fmt.Errorf("%w: check its url and the network; what was stored is kept", err)
	case errors.Is(err, source.ErrUnauthorized):
		return fmt.Errorf("%w: check the account and its password or token", err)
	case errors.Is(err, source.ErrForbidden):
		return fmt.Errorf("%w: give the account the right to read, fairlead check says which", err)
	default:
		return err
	}
}

func (a *app) collectOnce(ctx context.Context, collectors []*collector.Collector) error {
	errs := make([]error, len(collectors))
	var group errgroup.Group
	for i, c := range collectors {
		group.Go(func() error {
			errs[i] = advise(c.Once(ctx))
			return nil
		})
	}
	_ = group.Wait() // each has its place in errs
	return errors.Join(errs...)
}

type checkCmd struct{}

// Run asks every source and the warehouse, prints what was found, and fails if
// a collection would.
func (checkCmd) Run(ctx context.Context, a *app) error {
	if err := a.configure(); err != nil {
		return err
	}
	for _, s := range a.cfg.Sources {
		s.HTTP.MaxAttempts = min(s.HTTP.MaxAttempts, 2) // somebody is waiting
	}
	if a.read == "" {
		fmt.Fprintln(a.stdout, "configuration: none found; defaults and the environment are used")
	} else {
		fmt.Fprintf(a.stdout, "configuration: %s is valid\n", a.read)
	}
	failed := 0
	say := func(level source.Level, what, says string) {
		if level == source.LevelFailed {
			failed++
		}
		fmt.Fprintf(a.stdout, "  %-8s %s: %s\n", level, what, says)
	}

	fmt.Fprintln(a.stdout, "warehouse:")
	if says, err := a.checkWarehouse(ctx); err != nil {
		say(source.LevelFailed, "connection", oneLine(err).Error())
	} else {
		say(source.LevelOK, "connection", says)
	}

	if len(a.cfg.Roster) > 0 {
		fmt.Fprintln(a.stdout, "roster:")
		if r, err := roster.Load(a.cfg.Roster...); err != nil {
			say(source.LevelFailed, "files", err.Error())
		} else {
			say(source.LevelOK, "files", fmt.Sprintf("%d people in %d teams; fairlead roster check compares them with the accounts", len(r.People()), len(r.Teams())))
		}
	}

	sources, err := a.sources(prometheus.NewRegistry())
	if err != nil {
		return err
	}
	for _, s := range sources {
		fmt.Fprintf(a.stdout, "source %s:\n", s.Name())
		report, err := s.Check(ctx)
		if err != nil {
			say(source.LevelFailed, "reach", oneLine(advise(err)).Error())
			continue
		}
		for _, fact := range report.Facts {
			say(fact.Level, fact.What, fact.Says)
		}
		say(source.LevelOK, "how far back", a.cfg.reachSays(s.Name(), time.Now())+"; open ones are, whatever their age")
	}
	if failed > 0 {
		return fmt.Errorf("%d of the checks failed", failed)
	}
	return nil
}

// checkWarehouse connects, and changes nothing: where there is no data folder
// yet, the embedded engine is tried in a passing one.
func (a *app) checkWarehouse(ctx context.Context) (_ string, err error) {
	dir, err := a.cfg.dataDir(a.globals.Data)
	if err != nil {
		return "", err
	}
	external := a.cfg.ClickHouse.DSN != ""
	where := "the embedded engine runs; its data are in " + dir
	if external {
		where = "the ClickHouse server answers"
	} else if _, err := os.Stat(keyPath(dir)); errors.Is(err, fs.ErrNotExist) {
		where = "the embedded engine runs; its data will be in " + dir + ", where nothing is stored yet"
		if dir, err = os.MkdirTemp("", "fairlead-check-"); err != nil {
			return "", fmt.Errorf("trying the embedded engine: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	db, err := clickhouse.Open(ctx, clickhouse.Options{Config: a.cfg.ClickHouse, DataDir: dir, Logger: a.log})
	if errors.Is(err, embedded.ErrInUse) {
		return "the embedded engine runs with another fairlead, which has the data in " + dir, nil
	}
	if err != nil {
		return "", err
	}
	return where, db.Close()
}
