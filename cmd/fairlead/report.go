package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/exporter"
	"fairlead/analysis/privacy"
	"fairlead/analysis/report"
	"fairlead/analysis/web"
	"fairlead/connectors/clickhouse"
)

// ReportConfig says when the report of a quarter is made, and whom it names.
type ReportConfig struct {
	// After is how long after a quarter's end serve makes its report, so that
	// what is recorded late is in it.
	After time.Duration `yaml:"after"`
	// Contact is to whom one objects: it stands in every report.
	Contact string `yaml:"contact"`
}

// Validate names the key that is wrong.
func (c ReportConfig) Validate() error {
	if c.After < 0 || c.After > 90*24*time.Hour {
		return fmt.Errorf("after is %s: give a duration from 0s to 2160h (90 days)", c.After)
	}
	if len(c.Contact) > 300 {
		return fmt.Errorf("contact has %d bytes: give at most 300, such as a name and an address", len(c.Contact))
	}
	return nil
}

// PrivacyConfig is what is published of people at all.
type PrivacyConfig struct {
	// Simulation computes everything and publishes nothing about a person: no
	// series, no page, no report and no look-up of a pseudonym.
	Simulation bool `yaml:"simulation"`
	// Retention is how long what is kept.
	Retention privacy.Retention `yaml:"retention"`
}

// people is whether anything about single engineers may be published.
func (c *Config) people() bool { return c.Web.People && !c.Privacy.Simulation }

var errSimulation = errors.New("nothing about a person is published in a simulation: set privacy.simulation to false when it is over")

type reportCmd struct {
	Quarter  string   `help:"Calendar quarter, as 2026Q3. Default: the last that is over." placeholder:"QUARTER"`
	Team     []string `help:"Only this team (repeat for several). A lead's report is about one." placeholder:"TEAM"`
	Audience string   `help:"For whom: group (nobody is shown singly), lead (the members of one --team), self (one --engineer)." enum:"group,lead,self" default:"group"`
	Engineer string   `help:"Pseudonym of the engineer whose own report it is." placeholder:"PSEUDONYM"`
	Names    bool     `help:"Names beside the pseudonyms, for a lead or an engineer."`
	Format   string   `help:"html (one page that needs nothing else), csv or json." enum:"html,csv,json" default:"html"`
	Output   string   `help:"File to write instead of standard output; it appears whole or not at all." placeholder:"FILE"`
	AsOf     string   `help:"Instant up to which a quarter that is not over is told. Default: the beginning of today, or where a replayed log ends." placeholder:"DAY"`
}

// Run makes the report, by the running service where there is one.
func (c reportCmd) Run(ctx context.Context, a *app) error {
	if err := a.configure(); err != nil {
		return err
	}
	asOf, err := parseDay("--as-of", c.AsOf)
	if err != nil {
		return err
	}
	q := report.Request{
		Quarter: c.Quarter, AsOf: asOf, Audience: report.Audience(c.Audience), Teams: c.Team, Engineer: c.Engineer, Names: c.Names, Format: report.Format(c.Format),
	}
	var text []byte
	if err := a.byService(ctx, func(dir string) (err error) {
		text, err = ask(ctx, dir, "/report", q)
		return err
	}, func(h *house) (err error) {
		text, err = a.reporter(h).answer(ctx, q, whoAmI())
		return err
	}); err != nil {
		return err
	}
	if c.Output == "" {
		_, err = a.stdout.Write(text)
		return err
	}
	if err := writeFile(c.Output, text); err != nil {
		return fmt.Errorf("writing the report: %w: choose another file with --output", err)
	}
	return nil
}

// reporter makes reports over a house, and keeps those that show nobody.
type reporter struct {
	house *house
	maker *report.Maker
	now   func() time.Time

	retention privacy.Retention
}

func (a *app) reporter(h *house) *reporter {
	cfg := a.cfg
	return &reporter{house: h, now: time.Now, retention: cfg.Privacy.Retention, maker: &report.Maker{
		Engine: a.engine(h), People: cfg.people(), MinPeople: cfg.Metrics.MinPeople, Fairlead: version, Contact: cfg.Report.Contact,
		SeriesCap: cfg.Metrics.MaxSeries, SeriesCut: exporter.CutBy(cfg.Metrics),
	}}
}

// answer makes a report in the form asked for. One about people is written to
// the access log before it is given.
func (r *reporter) answer(ctx context.Context, q report.Request, asker string) ([]byte, error) {
	if q.AsOf.IsZero() {
		q.AsOf = r.house.asOf()
		if r.house.replay == nil {
			q.AsOf = q.AsOf.Truncate(24 * time.Hour) // the same all day
		}
	}
	if err := r.tooOld(q); err != nil {
		return nil, err
	}
	made, err := r.make(ctx, q)
	if err != nil {
		return nil, err
	}
	if made.Lost() {
		if made, err = r.left(ctx, made); err != nil {
			return nil, err
		}
	}
	if q.Personal() {
		if err := r.house.logged("report", made.Quarter+" for "+string(q.Audience), asker, made.Subjects()); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := made.Write(&b, q.Format); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// tooOld refuses a lead's report of a quarter of which figures of single people are
// told no more; that of the last one that is over stays until the next is. One's
// own stays: it is one's right to know what is held.
func (r *reporter) tooOld(q report.Request) error {
	if q.Audience != report.Lead || r.house.replay != nil {
		return nil
	}
	quarter, err := analysis.ParseWindow(cmp.Or(q.Quarter, report.Due(q.AsOf)))
	now := r.now()
	if err != nil || quarter == analysis.LastQuarter(now) {
		return nil // the maker says what is wrong with it
	}
	_, end := quarter.Bounds(q.AsOf)
	return r.retention.TooOld(end, now)
}

// make makes a report, and keeps it where it belongs in the archive.
func (r *reporter) make(ctx context.Context, q report.Request) (*report.Report, error) {
	made, err := r.maker.Make(ctx, q)
	if err != nil || !made.Whole() || made.Lost() {
		return made, err
	}
	var document bytes.Buffer
	if err := made.JSON(&document); err != nil {
		return nil, err
	}
	return made, r.house.db.SaveReport(ctx, clickhouse.StoredReport{
		ID: made.ID(), Quarter: made.Quarter, Made: r.now(), Fairlead: made.Version.Fairlead,
		Method: made.Version.Method, History: made.Version.History, Roster: made.Version.Roster, Document: document.String(),
	})
}

// left is what is told of a quarter that has lost tickets: for everybody the last
// report that was made while they were there; without one, what can be made of the
// rest, if there is any. One's own is always told.
func (r *reporter) left(ctx context.Context, rest *report.Report) (*report.Report, error) {
	none := fmt.Errorf("the tickets of %s are deleted, as they are older than is kept (privacy.retention.tickets): nothing is left of it but the figures in the trends of later reports", rest.Quarter)
	if rest.Audience == report.Self || !rest.Gone() {
		none = nil
	}
	if !rest.Whole() {
		return rest, none
	}
	list, err := r.house.db.Reports(ctx)
	if err != nil {
		return nil, err
	}
	for _, stored := range list {
		if stored.Quarter != rest.Quarter {
			continue
		}
		if stored, err = r.house.db.Report(ctx, stored.ID); err != nil {
			return nil, err
		}
		return report.Decode([]byte(stored.Document))
	}
	return rest, none
}

// archive is the stored reports as the pages show them.
type archive struct{ db *clickhouse.DB }

// List is what is stored, the newest quarter first.
func (s archive) List(ctx context.Context) ([]web.StoredReport, error) {
	stored, err := s.db.Reports(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]web.StoredReport, len(stored))
	for i, r := range stored {
		list[i] = web.StoredReport{ID: r.ID, Title: report.TitleOf(r.Quarter), Made: r.Made}
	}
	return list, nil
}

// Open is one of them as a page.
func (s archive) Open(ctx context.Context, id string) ([]byte, error) {
	stored, err := s.db.Report(ctx, id)
	if errors.Is(err, clickhouse.ErrNoReport) {
		return nil, web.ErrNoReport
	}
	if err != nil {
		return nil, err
	}
	r, err := report.Decode([]byte(stored.Document))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = r.HTML(&b)
	return b.Bytes(), err
}

// reportEvery is how often a service looks whether a quarter has ended.
const reportEvery = time.Hour

// report makes the report of each quarter that ends, some time after its end,
// once everything that it is about is collected.
func (s *service) report(ctx context.Context) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		if err := s.reportLast(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the report of the last quarter was not made", "error", oneLine(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *service) reportLast(ctx context.Context) error {
	for s.snapshot.Load() == nil || !s.collected() {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
	due := s.asOf().Add(-s.cfg.Report.After)
	stored, err := s.house.db.Reports(ctx)
	if err != nil {
		return err
	}
	quarter := report.Due(due)
	for _, r := range stored {
		if r.Quarter == quarter {
			return nil
		}
	}
	made, err := s.reporter.make(ctx, report.Request{Quarter: quarter, AsOf: s.asOf(), Audience: report.Group})
	if err != nil {
		return err
	}
	s.log.Info("report made", "quarter", made.Quarter, "id", made.ID())
	return nil
}

// collected is whether the first collection of every source is done.
func (s *service) collected() bool {
	states, err := sourceStates(s.groups)
	if err != nil {
		return false
	}
	for _, one := range states {
		if one.Backfilled != nil && *one.Backfilled < 1 {
			return false
		}
	}
	return true
}

// demoReport writes the report of the last quarter beside the data and says where.
func (a *app) demoReport(ctx context.Context, h *house) error {
	text, err := a.reporter(h).answer(ctx, report.Request{Audience: report.Group, Format: report.HTML}, whoAmI())
	if err != nil {
		return err
	}
	path := filepath.Join(h.dir, "report.html")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	_, err = fmt.Fprintf(a.stdout, "\nThe fairness report of the last quarter: %s\n", path)
	return err
}
