package collector_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/collector"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
)

// world is a source that is edited, and what it then holds by its own account.
type world interface {
	handler() http.Handler
	connect(url, name string) (source.Source, error)
	// apply makes an edit of the n-th ticket, which may be gone.
	apply(e edit, n int, at time.Time) error
	// create makes one more, and returns its number.
	create(at time.Time, closed bool) int
	// holds is the account of who has each ticket that there is, by id.
	holds() map[string]string
}

// edit is one thing that happens to a source between two requests.
type edit struct {
	Kind    string
	Ticket  int
	Who, To int
	Wait    time.Duration // before it
	After   int           // requests
}

var editKinds = []string{"assign", "assign", "assign", "unassign", "close", "reopen", "move", "other", "create", "delete"}

var edits = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) edit {
	return edit{
		Kind:   rapid.SampledFrom(editKinds).Draw(t, "kind"),
		Ticket: rapid.IntRange(0, 1000).Draw(t, "ticket"),
		Who:    rapid.IntRange(0, len(people)-1).Draw(t, "who"),
		To:     rapid.IntRange(0, len(people)-1).Draw(t, "to"),
		// Many within a second of each other, some far apart.
		Wait:  time.Duration(rapid.SampledFrom([]int{0, 0, 1, 300, 1000, 1500, 20_000, 200_000}).Draw(t, "wait")) * time.Millisecond,
		After: rapid.IntRange(0, 3).Draw(t, "requests"),
	}
}), 0, 60)

// TestTheWarehouseEqualsTheSource edits a source at random between the requests
// of a collection that is begun anew and swept all the while. Once it is quiet the
// warehouse must hold what a collection by someone else finds, each ticket with
// whom the source says it is; and what is deleted must be marked, and kept.
func TestTheWarehouseEqualsTheSource(t *testing.T) { theWarehouseEqualsTheSource(t, 4, 2) }

// theWarehouseEqualsTheSource tries so many cases of each source, and fewer of
// those that tell less of the past.
func theWarehouseEqualsTheSource(t *testing.T, cases, ofLess int) {
	db := nameless(t)
	for name, begin := range map[string]func(t *rapid.T, clock func() time.Time) world{
		"jira-cloud":      func(t *rapid.T, clock func() time.Time) world { return newSite(t, jiratest.Cloud, clock) },
		"jira-datacenter": func(t *rapid.T, clock func() time.Time) world { return newSite(t, jiratest.DataCenter, clock) },
		"asana":           func(t *rapid.T, clock func() time.Time) world { return newWorkspace(t, clock) },
		"servicenow":      func(t *rapid.T, clock func() time.Time) world { return newSnow(clock, servicenow.HistoryAudit) },
		measuring:         func(t *rapid.T, clock func() time.Time) world { return newSnow(clock, servicenow.HistoryMetric) },
		observing:         func(t *rapid.T, clock func() time.Time) world { return newSnow(clock, servicenow.HistoryObserved) },
	} {
		t.Run(name, func(t *testing.T) {
			n := cases
			if name == observing || name == measuring {
				n = ofLess
			}
			clickhousetest.Cases(t, n)
			rapid.Check(t, func(t *rapid.T) { quiesce(t, db, name, begin) })
		})
	}
}

// nameless opens a warehouse in which the accounts of all sources have the same
// surrogates, so that two collections of a source can be compared.
func nameless(t *testing.T) *clickhouse.DB {
	t.Helper()
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{
		Config: clickhouse.Config{Database: "property"}, Engine: clickhousetest.Engine(t),
		Surrogate: func(_, account string) uint64 { return clickhousetest.Surrogate("", account) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = db.Conn().Exec(context.Background(), "DROP DATABASE IF EXISTS "+db.Database()+" SYNC")
		_ = db.Close()
	})
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

var trial atomic.Int64

func quiesce(t *rapid.T, db *clickhouse.DB, flavour string, begin func(*rapid.T, func() time.Time) world) {
	ctx := context.Background()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	clock := sourcetest.NewClock(epoch)
	w := begin(t, clock.Now)
	tickets := rapid.IntRange(1, 40).Draw(t, "tickets")
	for i := range tickets {
		w.create(epoch.Add(-time.Duration(i*i)*3*time.Hour-time.Minute), i%3 == 2)
	}
	script := edits.Draw(t, "edits")
	restarts := rapid.SliceOfN(rapid.Bool(), 1, 5).Draw(t, "restarts")

	var editing sync.Mutex
	var trouble error
	wait := 0
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		editing.Lock()
		for wait--; wait < 0 && len(script) > 0; wait-- {
			e := script[0]
			script = script[1:]
			least := time.Duration(0)
			if w, ok := w.(interface{ apart() time.Duration }); ok {
				least = w.apart()
			}
			at := clock.Advance(max(e.Wait, least))
			if e.Kind == "create" {
				w.create(at, false)
				tickets++
			} else if err := w.apply(e, e.Ticket%tickets, at); err != nil && trouble == nil {
				trouble = fmt.Errorf("%+v: %w", e, err)
			}
			wait += e.After + 1
		}
		editing.Unlock()
		w.handler().ServeHTTP(rw, r)
	}))
	defer server.Close()

	cfg := collector.DefaultConfig()
	cfg.SweepInterval, cfg.SweepMaxShare = time.Nanosecond, 1 // a sweep each time
	into := func(name string) *collector.Collector {
		src, err := w.connect(server.URL, name)
		check(err)
		return collector.New(cfg, src, db, nil, nil, nil)
	}
	n := trial.Add(1)
	edited, quiet := fmt.Sprintf("%s %d edited", flavour, n), fmt.Sprintf("%s %d quiet", flavour, n)
	c := into(edited)
	for round := 0; ; round++ {
		check(c.Once(ctx))
		editing.Lock()
		left, err := len(script), trouble
		editing.Unlock()
		check(err)
		if left == 0 {
			break
		}
		if round > 200 {
			t.Fatalf("%d edits were never made", left)
		}
		if restarts[round%len(restarts)] {
			c = into(edited)
		}
	}
	clock.Advance(10 * time.Minute)
	check(c.Once(ctx))
	check(into(quiet).Once(ctx))

	columns := "* EXCEPT (source, version)"
	if flavour == observing || flavour == measuring {
		// What was seen of a ticket's past is not what somebody sees who comes later.
		columns = "key, created, updated, assignee, status, `group`, kind, priority, parent, areas, effort, history_complete, incomplete_reason"
		told := "true"
		if flavour == measuring {
			told = "history_complete" // of a closed ticket metrics tell less
		}
		for id := range lines(t, db, "SELECT ticket_id, '' FROM "+db.Table("tickets")+" FINAL WHERE source = $1 AND "+
			"(unrecorded > 0 AND "+told+" OR assignee != arraySum(arrayMap((a, e) -> if(e IS NULL, a, 0), assignments.actor, assignments.to)))", edited) {
			t.Errorf("ticket %s has a history that does not lead to what it is", id)
		}
	}
	got, want := rowsByID(t, db, edited, columns, "deleted IS NULL"), rowsByID(t, db, quiet, columns, "true")
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if got[id] != want[id] {
			t.Errorf("ticket %s is stored as\n%s\nand a collection once it is quiet finds\n%s", id, got[id], want[id])
		}
	}
	holds := w.holds()
	if len(got) != len(want) || len(want) != len(holds) {
		t.Errorf("%d tickets are stored and not deleted, a collection once it is quiet finds %d, and there are %d", len(got), len(want), len(holds))
	}
	assignees := assigneesByID(t, db, edited)
	for id, who := range holds {
		surrogate := uint64(0)
		if who != "" {
			surrogate = clickhousetest.Surrogate("", who)
		}
		if assignees[id] != surrogate {
			t.Errorf("the source says that %q has ticket %s, the warehouse another", who, id)
		}
	}
	for id := range rowsByID(t, db, edited, "key", "deleted IS NOT NULL") {
		if _, is := holds[id]; is {
			t.Errorf("ticket %s is marked as deleted, and is there", id)
		}
	}
	for _, table := range []string{"terms", "actors"} {
		for line := range namesOf(t, db, table, quiet) {
			if !namesOf(t, db, table, edited)[line] {
				t.Errorf("%s lacks %s", table, line)
			}
		}
	}
}

// lines reads what a query gives, as pairs.
func lines(t *rapid.T, db *clickhouse.DB, query string, args ...any) map[string]string {
	t.Helper()
	rows, err := db.Conn().Query(context.Background(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			t.Fatal(err)
		}
		out[k] = v
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// observing is the flavour whose history is what was seen of it, measuring that whose
// history of holder, group and state is what metrics tell, and of the rest what was seen.
const (
	observing = "servicenow-observed"
	measuring = "servicenow-metric"
)

func rowsByID(t *rapid.T, db *clickhouse.DB, name, columns, which string) map[string]string {
	t.Helper()
	return lines(t, db, "SELECT ticket_id, toString(tuple("+columns+")) FROM "+db.Table("tickets")+" FINAL WHERE source = $1 AND "+which, name)
}

func assigneesByID(t *rapid.T, db *clickhouse.DB, name string) map[string]uint64 {
	t.Helper()
	out := map[string]uint64{}
	for id, n := range lines(t, db, "SELECT ticket_id, toString(assignee) FROM "+db.Table("tickets")+" FINAL WHERE source = $1", name) {
		out[id], _ = strconv.ParseUint(n, 10, 64)
	}
	return out
}

func namesOf(t *rapid.T, db *clickhouse.DB, table, name string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for line := range lines(t, db, "SELECT toString(tuple(* EXCEPT (source, version))), '' FROM "+db.Table(table)+" FINAL WHERE source = $1", name) {
		out[line] = true
	}
	return out
}

// site is a Jira.
type site struct {
	t     *rapid.T
	in    *jiratest.Instance
	clock func() time.Time
	ids   []string
	mu    sync.Mutex
	gone  map[string]bool
}

func newSite(t *rapid.T, flavour jiratest.Flavour, clock func() time.Time) world {
	o := jiratest.Options{Flavour: flavour, Clock: clock, TimeZone: rapid.SampledFrom([]string{"UTC", "Asia/Kolkata", "America/New_York"}).Draw(t, "zone")}
	if flavour == jiratest.Cloud {
		o.IndexLag = time.Duration(rapid.SampledFrom([]int{0, 5, 30}).Draw(t, "lag")) * time.Second
	}
	s := &site{t: t, in: jiratest.New(o), clock: clock, gone: map[string]bool{}}
	s.must(nil)
	for _, name := range people {
		s.must(s.in.AddUser(jiratest.User{Name: name, Key: "JIRAUSER-" + name}))
	}
	s.must(s.in.AddProject(jiratest.Project{ID: "10", Key: "NET"}))
	s.must(s.in.AddProject(jiratest.Project{ID: "11", Key: "DB"}))
	s.must(s.in.AddStatus(jiratest.Status{ID: "1", Name: "To Do", Category: jiratest.ToDo}))
	s.must(s.in.AddStatus(jiratest.Status{ID: "6", Name: "Done", Category: jiratest.Done}))
	s.must(s.in.AddIssueType(jiratest.IssueType{ID: "2", Name: "Bug"}))
	return s
}

func (s *site) must(err error) {
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) handler() http.Handler { return s.in }

func (s *site) connect(url, name string) (source.Source, error) {
	cfg := jira.DefaultConfig()
	cfg.URL, cfg.Flavour, cfg.Token, cfg.PageSize = url, jira.Flavour(s.in.Flavour()), "token", 7
	if cfg.Flavour == jira.Cloud {
		cfg.Email = "fairlead@example.test"
	}
	return jira.New(cfg, jira.Options{Name: name, Transport: rest.New(name, rest.Config{}, nil, nil, nil), Clock: s.clock})
}

func (s *site) create(at time.Time, closed bool) int {
	i := jiratest.Issue{Project: "10", Type: "2", Status: "1", Reporter: "ann", Creator: "ann", Assignee: people[len(s.ids)%len(people)], Created: at}
	if closed {
		i.Status = "6"
	}
	add := s.in.AddIssue
	if !at.Before(epoch) {
		add = s.in.Create // of which the index is yet to learn
	}
	id, err := add(i)
	if err != nil {
		panic(err)
	}
	s.ids = append(s.ids, id)
	return len(s.ids) - 1
}

func (s *site) apply(e edit, n int, at time.Time) error {
	id, who := s.ids[n], people[e.Who]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone[id] {
		return nil
	}
	switch e.Kind {
	case "assign":
		return s.in.Edit(id, who, at, jiratest.Assign(people[e.To]))
	case "unassign":
		return s.in.Edit(id, who, at, jiratest.Assign(""))
	case "close":
		return s.in.Edit(id, who, at, jiratest.Transition("6"))
	case "reopen":
		return s.in.Edit(id, who, at, jiratest.Transition("1"), jiratest.Assign(people[e.To]))
	case "move":
		return s.in.Edit(id, who, at, jiratest.Move([]string{"10", "11"}[e.To%2]))
	case "other":
		return s.in.Comment(id, who, at, "looked at it")
	case "delete":
		s.gone[id] = true
		return s.in.Delete(id)
	}
	return fmt.Errorf("what is %q", e.Kind)
}

func (s *site) holds() map[string]string {
	out := map[string]string{}
	for _, id := range s.in.IDs() {
		i, _ := s.in.Issue(id)
		switch {
		case i.Assignee == "":
			out[id] = ""
		case s.in.Flavour() == jiratest.Cloud:
			out[id] = jiratest.AccountID(i.Assignee)
		default:
			out[id] = "jirauser-" + i.Assignee
		}
	}
	return out
}

// snow is a ServiceNow instance.
type snow struct {
	history servicenow.HistoryMode
	in      *servicenowtest.Instance
	clock   func() time.Time
	n       int
	mu      sync.Mutex
	gone    map[string]bool
}

func newSnow(clock func() time.Time, history servicenow.HistoryMode) world {
	s := &snow{history: history, in: servicenowtest.New(servicenowtest.Options{Clock: clock}), clock: clock, gone: map[string]bool{}}
	for _, name := range people {
		s.in.AddUser(servicenowtest.User{UserName: name, Name: name})
	}
	for _, name := range queues {
		s.in.AddGroup(servicenowtest.Group{Name: name})
	}
	if history == servicenow.HistoryMetric {
		for _, column := range []string{"assigned_to", "assignment_group", "state"} {
			s.in.AddMetric("task", column, epoch.AddDate(-10, 0, 0))
		}
	}
	return s
}

func (s *snow) handler() http.Handler { return s.in.Handler() }

func (s *snow) connect(url, name string) (source.Source, error) {
	cfg := servicenow.DefaultConfig()
	cfg.URL, cfg.Username, cfg.Password, cfg.PageSize = url, "fairlead", "fairlead", 7
	cfg.Tables, cfg.History = []servicenow.Table{{Name: "incident"}, {Name: "problem"}}, s.history
	return servicenow.New(cfg, servicenow.Options{Name: name, Transport: rest.New(name, rest.Config{}, nil, nil, nil), Clock: s.clock})
}

// table spreads the tickets over two tables.
func (s *snow) table(n int) string { return []string{"incident", "incident", "problem"}[n%3] }

func (s *snow) create(at time.Time, closed bool) int {
	n := s.n
	s.n++
	fields := servicenowtest.Record{"sys_id": incident(n), "assigned_to": user(n % len(people)), "assignment_group": servicenowtest.SysID("sys_user_group", queues[0])}
	if closed {
		fields["state"] = s.closed(n)
	}
	s.in.Insert(s.table(n), fields, "ann", at)
	return n
}

func user(n int) string { return servicenowtest.SysID("sys_user", people[n]) }

func (s *snow) closed(n int) string {
	if s.table(n) == "problem" {
		return "107"
	}
	return "7"
}

func (s *snow) apply(e edit, n int, at time.Time) error {
	id := incident(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone[id] {
		return nil
	}
	set := func(fields servicenowtest.Record) error {
		return s.in.Update(s.table(n), id, fields, people[e.Who], at)
	}
	switch e.Kind {
	case "assign":
		return set(servicenowtest.Record{"assigned_to": user(e.To)})
	case "unassign":
		return set(servicenowtest.Record{"assigned_to": ""})
	case "close":
		return set(servicenowtest.Record{"state": s.closed(n)})
	case "reopen":
		return set(servicenowtest.Record{"state": "101", "assigned_to": user(e.To)})
	case "move":
		return set(servicenowtest.Record{"assignment_group": servicenowtest.SysID("sys_user_group", queues[e.To%2])})
	case "other":
		return set(servicenowtest.Record{"priority": strconv.Itoa(1 + e.To)})
	case "delete":
		s.gone[id] = true
		s.in.Delete(s.table(n), id)
		return nil
	}
	return fmt.Errorf("what is %q", e.Kind)
}

func (s *snow) holds() map[string]string {
	out := map[string]string{}
	for _, table := range []string{"incident", "problem"} {
		for _, r := range s.in.Records(table) {
			out[r["sys_id"]] = r["assigned_to"]
		}
	}
	return out
}
