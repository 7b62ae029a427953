package asana_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/connectors/asana"
	"fairlead/connectors/asana/asanatest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
	"fairlead/connectors/ticket"
)

// office is a small workspace with something of everything.
type office struct {
	*asanatest.Workspace
	t      *testing.T
	server *httptest.Server

	time  *sourcetest.Clock
	ahead time.Duration // of the reader's clock

	ann, bob, gone       string
	platform, desk       string // teams
	migration, help      string // projects of theirs
	picnic               string // of no team that is collected
	backlog, doing       string // sections of migration
	phase, kind, urgency string
	points               string
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func newOffice(t *testing.T, o asanatest.Options) *office {
	f := &office{t: t, time: sourcetest.NewClock(noon)}
	o.Clock = f.clock
	f.Workspace = asanatest.New(o)
	f.ann = f.AddUser(asanatest.User{Name: "Ann", Email: "ann@example.test"})
	f.bob = f.AddUser(asanatest.User{Name: "Bob", Email: "bob@example.test", Hidden: true})
	f.gone = f.AddUser(asanatest.User{Name: "Cyd", Email: "cyd@example.test"})
	f.RemoveUser(f.gone)
	f.platform, f.desk = f.AddTeam("Platform"), f.AddTeam("Desk")
	f.phase = f.AddField(asanatest.Field{Name: "Phase", Options: []string{"Ready", "In progress", "Blocked"}})
	f.kind = f.AddField(asanatest.Field{Name: "Type", Options: []string{"Bug", "Incident"}})
	f.urgency = f.AddField(asanatest.Field{Name: "Priority", Options: []string{"Low", "High"}})
	f.points = f.AddField(asanatest.Field{Name: "Story points", Number: true})
	f.migration = f.AddProject("Migration", f.platform, f.phase, f.kind, f.urgency, f.points)
	f.help = f.AddProject("Help", f.desk, f.urgency)
	f.picnic = f.AddProject("Picnic", f.desk)
	f.backlog, f.doing = f.AddSection(f.migration, "Backlog"), f.AddSection(f.migration, "Doing")
	f.server = httptest.NewServer(f.Workspace)
	t.Cleanup(f.server.Close)
	return f
}

func (f *office) clock() time.Time { return f.time.Now() }

func (f *office) wait(d time.Duration) time.Time { return f.time.Advance(d) }

// create makes a task a minute later.
func (f *office) create(parent string, changes ...asanatest.Change) string {
	f.t.Helper()
	gid, err := f.Create(asanatest.Task{At: f.wait(time.Minute), By: f.ann, Parent: parent, Changes: changes})
	if err != nil {
		f.t.Fatal(err)
	}
	return gid
}

// edit makes an update a minute later.
func (f *office) edit(gid, by string, changes ...asanatest.Change) time.Time {
	f.t.Helper()
	at := f.wait(time.Minute)
	if err := f.Edit(gid, by, at, changes...); err != nil {
		f.t.Fatal(err)
	}
	return at
}

func (f *office) connect(change func(*asana.Config), transport http.RoundTripper) *asana.Source {
	f.t.Helper()
	cfg := asana.DefaultConfig()
	cfg.URL, cfg.Token, cfg.Projects = f.server.URL, "token", []string{f.migration, f.help}
	if change != nil {
		change(&cfg)
	}
	src, err := asana.New(cfg, asana.Options{Transport: transport, Clock: func() time.Time { return f.clock().Add(f.ahead) }})
	if err != nil {
		f.t.Fatal(err)
	}
	return src
}

// collection reads a source as a collector does.
type collection struct {
	t       *testing.T
	src     source.Source
	start   time.Time
	cursor  source.Cursor
	tickets map[string]ticket.Ticket
	people  map[string]ticket.Account
	terms   map[string]ticket.Term
	skipped []source.Skipped
}

func collect(t *testing.T, src source.Source) *collection {
	t.Helper()
	start, err := src.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &collection{t: t, src: src, start: start, cursor: source.Cursor{Start: start, Updated: start.Add(-time.Minute)}}
	c.clear()
	for _, stream := range source.Backfill {
		c.read(stream, source.Cursor{Start: start})
	}
	c.poll()
	return c
}

func (c *collection) clear() {
	c.tickets, c.people, c.terms, c.skipped = map[string]ticket.Ticket{}, map[string]ticket.Account{}, map[string]ticket.Term{}, nil
}

func (c *collection) poll() { c.t.Helper(); c.cursor = c.read(source.StreamIncremental, c.cursor) }

func (c *collection) read(stream source.Stream, from source.Cursor) source.Cursor {
	c.t.Helper()
	for page, err := range c.src.Pages(c.t.Context(), stream, from) {
		if err != nil {
			c.t.Fatal(err)
		}
		c.take(page)
		from = page.Next
	}
	return from
}

func (c *collection) take(page source.Page) {
	for _, tk := range page.Tickets {
		c.tickets[tk.ID] = tk
	}
	for _, a := range page.Accounts {
		c.people[a.ID] = a
	}
	for _, one := range page.Terms {
		c.terms[string(one.Field)+" "+one.ID] = one
	}
	c.skipped = append(c.skipped, page.Skipped...)
}

// slowOnce lets two minutes pass before one of its requests.
type slowOnce struct {
	f  *office
	mu sync.Mutex
	n  int
	at int
}

func (s *slowOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.n++
	if s.n == s.at {
		s.f.wait(2 * time.Minute)
	}
	s.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// isError says that an error wraps another, and has some words.
func isError(err, wraps error, words string) bool {
	return errors.Is(err, wraps) && strings.Contains(err.Error(), words)
}
