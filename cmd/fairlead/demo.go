package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/privacy"
	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
	"fairlead/connectors/roster"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
)

type demoCmd struct {
	Once          bool   `help:"Collect, analyse, print what was found, and end without serving."`
	Listen        string `help:"Address to serve on at the end (default: 127.0.0.1:9464)." placeholder:"HOST:PORT"`
	Seed          uint64 `help:"Which organisation to generate." default:"1"`
	NoRoster      bool   `name:"no-roster" help:"Leave out who works in which team: teams are queues then."`
	Now           string `help:"Day at whose beginning (UTC) the generated year ends. Default: today." placeholder:"DAY"`
	ServicenowLog string `name:"servicenow-log" help:"Replay a ServiceNow incident event log (CSV, plain or gzip) instead of the generated organisation." type:"existingfile" placeholder:"FILE"`
	JiraLog       string `name:"jira-log" help:"Replay a log of Jira issues with their changelogs (JSON lines, plain or gzip) instead of the generated organisation." type:"existingfile" placeholder:"FILE"`
	JiraFlavour   string `name:"jira-flavour" help:"Which Jira to serve the tickets by: cloud or datacenter." enum:"cloud,datacenter" default:"cloud"`
}

// played is a fake ticketing system with its content loaded.
type played struct {
	name    string
	content string // says what it plays, the same for the same content
	ends    time.Time
	tickets int
	handler http.Handler
	source  func(url string) *Source
}

// replaySince is before any ticket of a replayed log.
const replaySince = "1990-01-01"

// Run is the main job with nothing to set up: fake systems, collected over
// HTTP by the real connectors into the warehouse, analysed, served.
func (c demoCmd) Run(ctx context.Context, a *app) (err error) {
	if a.globals.Config == "" {
		a.globals.Config = os.DevNull // a real configuration beside the demonstration is none of its business
	}
	if err := a.configure(); err != nil {
		return err
	}
	a.cfg.Metrics.People = true                   // on loopback, and of nobody who works here
	a.cfg.Privacy.Retention = privacy.Retention{} // a replayed log keeps all, however old it is
	if len(a.cfg.Sources) > 0 {
		return errors.New("the demonstration brings its own sources: leave sources out of the configuration and the environment, or run fairlead collect")
	}
	var listener net.Listener
	if !c.Once {
		if listener, err = a.listen(c.Listen); err != nil {
			return err
		}
		defer listener.Close()
	}

	begun := time.Now()
	plays, staff, err := c.load()
	if err != nil {
		return err
	}
	for _, p := range plays {
		if p.tickets == 0 {
			return fmt.Errorf("the %s log holds no ticket: give another file", p.name)
		}
	}
	dir, stale, err := c.folder(a, plays)
	if err != nil {
		return err
	}
	if err := announce(dir, plays); err != nil {
		return err
	}
	h, err := a.openHouse(ctx, dir, toWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if stale {
		if err := h.empty(ctx); err != nil {
			return err
		}
	}
	if err := h.remember(plays); err != nil {
		return err
	}
	if err := a.staff(dir, staff); err != nil {
		return err
	}

	reg := newRegistry()
	metrics := rest.NewMetrics(reg)
	var sources []source.Source
	a.cfg.Sources = map[string]*Source{}
	for _, p := range plays {
		server, err := sandbox.Serve(p.handler)
		if err != nil {
			return err
		}
		defer server.Close()
		cfg := p.source(server.URL)
		a.cfg.Sources[p.name] = cfg
		s, err := a.newSource(p.name, cfg, metrics)
		if err != nil {
			return err
		}
		sources = append(sources, s)
	}
	var s *service
	shown := a.showProgress()
	both := fanOut{shown, nil}
	if !c.Once {
		s = a.newService(h, reg, listener)
		both.service = s
	}
	collectors := a.collectors(h, sources, reg, both)
	err = a.collectOnce(ctx, collectors)
	shown.Close()
	if err != nil {
		return err
	}
	if err := a.syncRoster(ctx, h); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "Collected and stored in %s (%s).\n", dir, time.Since(begun).Round(100*time.Millisecond))
	if err := a.printFindings(ctx, h, plays); err != nil {
		return err
	}
	if err := a.demoReport(ctx, h); err != nil {
		return err
	}
	if c.Once {
		return nil
	}
	s.collectors = collectors
	s.syncRoster = func(ctx context.Context) error { return a.syncRoster(ctx, h) }
	if err := s.refresh(ctx); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\nServing %s/metrics and %[1]s/metrics/people, and pages to look at: %[1]s/\nCtrl-C ends it. Then try the other commands with --data %s, as in\n  fairlead analyze --data %[2]s\n", s.url(), dir)
	return s.run(ctx)
}

// fanOut shows progress and tells the service.
type fanOut struct {
	progress
	service *service
}

func (f fanOut) Done(source string) {
	f.progress.Done(source)
	if f.service != nil {
		f.service.Done(source)
	}
}

// rosterPath is where a demonstration keeps the roster that it brings.
func rosterPath(dir string) string { return filepath.Join(dir, "roster.yaml") }

// staff leaves the roster that the demonstration brings in its data folder and
// configures it. One that is configured already stands; nil brings none.
func (a *app) staff(dir string, text []byte) error {
	path := rosterPath(dir)
	switch {
	case len(a.cfg.Roster) > 0:
		return nil
	case text == nil:
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the roster of another demonstration: %w", err)
		}
		return nil
	}
	if err := writeFile(path, text); err != nil {
		return fmt.Errorf("writing the roster: %w", err)
	}
	a.cfg.Roster = []string{path}
	return nil
}

// load makes the fakes and fills them, so that a bad log is refused before
// anything is written. Who works where is known of the generated organisation
// alone.
func (c demoCmd) load() ([]played, []byte, error) {
	if c.ServicenowLog == "" && c.JiraLog == "" {
		return c.generate()
	}
	var plays []played
	if c.ServicenowLog != "" {
		options := snowOptions()
		in := servicenowtest.New(options)
		var summary sandbox.IncidentLogSummary
		sum, err := readLog(c.ServicenowLog, func(r io.Reader) (err error) {
			summary, err = sandbox.LoadIncidentLog(r, in)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		plays = append(plays, playServiceNow(in, options, "log "+sum, past(summary.LastChange), summary.Incidents, "incident"))
	}
	if c.JiraLog != "" {
		options := c.jiraOptions()
		in := jiratest.New(options)
		var summary sandbox.IssueLogSummary
		sum, err := readLog(c.JiraLog, func(r io.Reader) (err error) {
			summary, err = sandbox.LoadIssueLog(r, in)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		plays = append(plays, playJira(in, options, "log "+sum+" "+c.JiraFlavour, past(summary.LastChange), summary.Issues))
	}
	return plays, nil, nil
}

// past is the first instant of which a log's last change is part of the past:
// nothing at or after an as_of is used.
func past(last time.Time) time.Time { return last.Add(time.Millisecond) }

func (c demoCmd) generate() ([]played, []byte, error) {
	now := time.Now().UTC().Truncate(24 * time.Hour)
	if c.Now != "" {
		day, err := time.Parse(time.DateOnly, c.Now)
		if err != nil {
			return nil, nil, fmt.Errorf("--now %q is not a day like 2026-09-30", c.Now)
		}
		now = day
	}
	organisation := sandbox.Generate(c.Seed, now, sandbox.Options{Asana: true})
	content := fmt.Sprintf("organisation --seed %d --now %s", c.Seed, now.Format(time.DateOnly))
	snowOptions, siteOptions := snowOptions(), c.jiraOptions()
	site, err := organisation.Jira(siteOptions)
	if err != nil {
		return nil, nil, err
	}
	workOptions := asanatest.Options{Token: rand.Text()}
	work, err := organisation.Asana(workOptions, func(t *sandbox.Ticket) bool { return t.System() == sandbox.Asana })
	if err != nil {
		return nil, nil, err
	}
	held := map[sandbox.System]int{}
	for _, t := range organisation.Tickets {
		held[t.System()]++
	}
	var staff []byte
	if !c.NoRoster {
		staff = organisation.RosterYAML()
	}
	return []played{
		playServiceNow(organisation.ServiceNow(snowOptions), snowOptions, content, now, held[sandbox.ServiceNow],
			"incident", "problem", "change_request", "sc_task"),
		playJira(site, siteOptions, content+" --jira-flavour "+c.JiraFlavour, now, held[sandbox.Jira]),
		playAsana(work, workOptions, content, now, held[sandbox.Asana]),
	}, staff, nil
}

// Credentials of the fakes live as long as this process.

func snowOptions() servicenowtest.Options {
	return servicenowtest.Options{Username: "fairlead", Password: rand.Text()}
}

func (c demoCmd) jiraOptions() jiratest.Options {
	o := jiratest.Options{Flavour: jiratest.Flavour(c.JiraFlavour), Token: rand.Text()}
	if o.Flavour == jiratest.Cloud {
		o.Email = "fairlead@example.org" // with an API token; a personal access token stands alone
	}
	return o
}

func playServiceNow(in *servicenowtest.Instance, o servicenowtest.Options, content string, ends time.Time, tickets int, tables ...string) played {
	return played{name: "servicenow", content: content, ends: ends, tickets: tickets, handler: in.Handler(), source: func(url string) *Source {
		cfg := servicenow.DefaultConfig()
		cfg.URL, cfg.Username, cfg.Password = url, o.Username, o.Password
		cfg.Tables = nil
		for _, name := range tables {
			cfg.Tables = append(cfg.Tables, servicenow.Table{Name: name})
		}
		return &Source{Since: replaySince, HTTP: rest.DefaultConfig(), ServiceNow: &cfg}
	}}
}

func playJira(in *jiratest.Instance, o jiratest.Options, content string, ends time.Time, tickets int) played {
	return played{name: "jira", content: content, ends: ends, tickets: tickets, handler: in, source: func(url string) *Source {
		cfg := jira.DefaultConfig()
		cfg.URL, cfg.Flavour, cfg.Email, cfg.Token = url, jira.Flavour(o.Flavour), o.Email, o.Token
		return &Source{Since: replaySince, HTTP: rest.DefaultConfig(), Jira: &cfg}
	}}
}

func playAsana(in *sandbox.AsanaWorkspace, o asanatest.Options, content string, ends time.Time, tickets int) played {
	return played{name: "asana", content: content, ends: ends, tickets: tickets, handler: in, source: func(url string) *Source {
		cfg := asana.DefaultConfig()
		cfg.URL, cfg.Token, cfg.Projects, cfg.Bots = url, o.Token, in.Projects, in.Bots
		cfg.Sections, cfg.StatusField, cfg.KindField = asana.SectionsAreas, "Status", "Type"
		return &Source{Since: replaySince, HTTP: rest.DefaultConfig(), Asana: &cfg}
	}}
}

// readLog gives the file to load and returns a short hash of its bytes.
func readLog(path string, load func(io.Reader) error) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("opening the log: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	if err := load(bufio.NewReaderSize(io.TeeReader(file, hash), 1<<20)); err != nil {
		return "", fmt.Errorf("log %s: %w", path, err)
	}
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("reading the log: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

// folder chooses the data folder and makes sure that it holds nothing else. The
// default one is the demonstration's own: it is stale, to be emptied, when
// another demonstration filled it.
func (c demoCmd) folder(a *app, plays []played) (dir string, stale bool, err error) {
	ours := a.globals.Data == "" && a.cfg.DataDir == "" && a.cfg.ClickHouse.DSN == ""
	if ours {
		dir, err = userDataDir("demo")
	} else {
		dir, err = a.cfg.dataDir(a.globals.Data)
	}
	if err != nil {
		return "", false, err
	}
	before, err := loadReplay(dir)
	if err != nil {
		return "", false, err
	}
	if before == nil {
		if _, err := os.Stat(keyPath(dir)); err == nil && !ours {
			return "", false, fmt.Errorf("data folder %s holds a real collection, which a demonstration would mix with: choose another with --data", dir)
		}
		return dir, false, nil
	}
	for _, p := range plays {
		if had := before.Sources[p.name]; had != "" && had != p.content && !ours {
			return "", false, fmt.Errorf("data folder %s already replays %q as %s, not %q: choose another with --data", dir, had, p.name, p.content)
		}
		stale = stale || before.Sources[p.name] != p.content
	}
	return dir, ours && (stale || len(before.Sources) != len(plays)), nil
}

// empty removes what another demonstration stored. What it was is forgotten
// last, so that one that is stopped here is emptied again.
func (h *house) empty(ctx context.Context) error {
	for _, table := range []string{"checkpoints", "tickets", "actors", "terms"} {
		if err := h.db.Conn().Exec(ctx, "TRUNCATE TABLE "+h.db.Table(table)); err != nil {
			return fmt.Errorf("emptying the demonstration's warehouse: %w", err)
		}
	}
	h.replay = nil
	return nil
}

// announce notes in a new folder what it replays before anything else is in it:
// a demonstration that is killed would else be taken for a real collection.
func announce(dir string, plays []played) error {
	if before, err := loadReplay(dir); err != nil || before != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w: choose another with --data", err)
	}
	h := &house{dir: dir}
	if err := h.remember(plays); err != nil {
		return fmt.Errorf("%w: make the data folder yours and writable, or choose another with --data", err)
	}
	return nil
}

// remember notes what the folder replays, before the first page is stored.
func (h *house) remember(plays []played) error {
	r := &replay{Sources: map[string]string{}}
	if h.replay != nil {
		r.AsOf = h.replay.AsOf
		maps.Copy(r.Sources, h.replay.Sources)
	}
	for _, p := range plays {
		r.Sources[p.name] = p.content
		if p.ends.After(r.AsOf) {
			r.AsOf = p.ends
		}
	}
	h.replay = r
	return r.save(h.dir)
}

// printFindings says in a few lines what a reader wants to know first.
func (a *app) printFindings(ctx context.Context, h *house, plays []played) error {
	snapshot, err := a.engine(h).Snapshot(ctx, h.asOf())
	if err != nil {
		return err
	}
	if !a.cfg.people() {
		known := *snapshot
		known.Findings = slices.DeleteFunc(slices.Clone(snapshot.Findings), func(f analysis.Finding) bool { return f.Engineer != "" })
		snapshot = &known
	}
	for _, p := range plays {
		fmt.Fprintf(a.stdout, "  %-11s %d tickets with their whole history (%s)\n", p.name, p.tickets, p.content)
	}
	if len(a.cfg.Roster) > 0 {
		r, err := roster.Load(a.cfg.Roster...)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "  %-11s %d people in %d teams (%s)\n", "roster", len(r.People()), len(r.Teams()), strings.Join(a.cfg.Roster, ", "))
	}
	return writeFindings(a.stdout, snapshot)
}

const shownGroups = 12

func writeFindings(w io.Writer, s *analysis.Snapshot) error {
	fmt.Fprintf(w, "\nWhat needs a conversation, as of %s:\n", s.AsOf.Format("2 January 2006"))
	if len(s.Findings) == 0 {
		fmt.Fprintln(w, "  nothing stands out")
	}
	for _, f := range s.Findings {
		fmt.Fprintf(w, "  - %s\n", f.Sentence)
	}
	window := s.Windows[len(s.Windows)-1]
	groups := s.Teams[analysis.TeamsKey{Window: window, Basis: analysis.Load, Unit: analysis.Tickets}]
	kind, note := "queue", "; without a roster these are queues, not teams"
	if s.Rostered {
		kind, note = "team", ""
	}
	fmt.Fprintf(w, "\nOpen work in ticket-days over %s, by %s (the %d greatest of %d%s):\n", window, kind, min(shownGroups, len(groups)), len(groups), note)
	return writeGroupsTable(w, kind, groups[:min(shownGroups, len(groups))])
}
