package analysis

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/analysis/people"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// Small histories whose figures can be worked out with a pencil. Days count
// from epoch; statuses, accounts and names are those of the replay.

func day(n float64) time.Time { return epoch.Add(time.Duration(n * 24 * float64(time.Hour))) }

// written is a ticket under construction. Its updates come in order of time.
type written struct{ ticket.Ticket }

func opened(id string, at float64) *written {
	return &written{ticket.Ticket{
		Source: "snow", ID: id, Created: day(at), Updated: day(at), HistoryComplete: true,
		Status: statusTodo, Group: "g1", Kind: "k1", Areas: []string{"a1"},
	}}
}

// update sets fields at a time, in one update.
func (w *written) update(at float64, by string, values map[ticket.Field]string) *written {
	seq := uint32(1)
	if n := len(w.Changes); n > 0 {
		seq = w.Changes[n-1].Seq + 1
	}
	present := map[ticket.Field]*string{
		ticket.FieldAssignee: &w.Assignee, ticket.FieldStatus: &w.Status, ticket.FieldGroup: &w.Group, ticket.FieldKind: &w.Kind,
	}
	for _, f := range slices.Sorted(maps.Keys(values)) {
		w.Changes = append(w.Changes, ticket.Change{At: day(at), Seq: seq, Field: f, From: *present[f], To: values[f], Actor: by})
		*present[f] = values[f]
	}
	w.Updated = day(at)
	return w
}

func (w *written) give(at float64, to string) *written {
	return w.update(at, "dan", map[ticket.Field]string{ticket.FieldAssignee: to})
}

func (w *written) status(at float64, by, to string) *written {
	return w.update(at, by, map[ticket.Field]string{ticket.FieldStatus: to})
}

func (w *written) of(source string) *written { w.Source = source; return w }

func (w *written) in(areas ...string) *written { w.Areas = areas; return w }

func (w *written) comment(at float64, by string) *written {
	w.Contributions = append(w.Contributions, ticket.Contribution{At: day(at), Actor: by, Act: ticket.ActComment})
	return w
}

func (w *written) deleted(at float64) *written { w.Deleted = day(at); return w }

func warehouse(t testing.TB, tickets ...*written) *clickhouse.DB {
	t.Helper()
	db := replayWarehouse(t)
	var records []ticket.Record
	for _, w := range tickets {
		r := timeline.Derive(w.Ticket)
		r.Version = 1
		records = append(records, r)
	}
	if err := db.WriteTickets(context.Background(), records); err != nil {
		t.Fatal(err)
	}
	return db
}

// values of each group's people by name (ann, bob …) and of nobody and bots.
func values(groups []Group) map[string]map[string]float64 {
	all := map[string]map[string]float64{}
	for _, g := range groups {
		all[g.Name] = map[string]float64{}
		for _, p := range g.Engineers {
			all[g.Name][p.Name] = p.Value
		}
		if g.Unassigned != 0 {
			all[g.Name]["nobody"] = g.Unassigned
		}
		if g.Bots != 0 {
			all[g.Name]["bots"] = g.Bots
		}
	}
	return all
}

type expected = map[string]map[string]float64

func expect(t *testing.T, db *clickhouse.DB, q Query, want expected) {
	t.Helper()
	if q.Unit == "" {
		q.Unit = Tickets
	}
	if q.By == "" {
		q.By = Team
	}
	groups, err := engine(db).Distribution(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	got := values(groups)
	same := maps.EqualFunc(got, want, func(a, b map[string]float64) bool {
		return maps.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) < 1e-9 })
	})
	if !same {
		t.Errorf("%s %s by %s in %s to %s: got %v, want %v", q.Basis, q.Unit, q.By, q.Window, q.AsOf.Format(time.DateTime), got, want)
	}
}

func TestLoadByHand(t *testing.T) {
	db := warehouse(t,
		// Ann two days, Bob one until it is done, then it does not count.
		opened("1", 0).of("jira").give(1, "ann").give(3, "bob").status(4, "bob", statusDone),
		// Open again on day 6, in the hands of Bob; never done since.
		opened("2", 0).of("jira").give(0, "bob").status(1, "bob", statusClosed).status(6, "bob", statusTodo),
		// Its group changes while Cho holds it; deleted on day 5.
		opened("3", 0).give(1, "cho").update(2, "dan", map[ticket.Field]string{ticket.FieldGroup: "g2"}).deleted(5),
		// Held by a robot; held by nobody; in Cho's hands for no time at all.
		opened("4", 0).of("jira").give(0, "robot"),
		opened("5", 0).give(2, "cho").give(2, ""),
		// An unmapped status counts as open; no group.
		opened("6", 0).of("jira").update(0, "", map[ticket.Field]string{ticket.FieldGroup: "", ticket.FieldStatus: statusOdd}).give(7, "bob"),
		// Created after as_of.
		opened("7", 9).give(9, "cho"),
	)
	expect(t, db, Query{AsOf: day(8), Basis: Load}, expected{
		"Network":           {"Ann": 2, "Bob": 1 + 1 + 2, "Cho": 1, "bots": 8},
		"Databases of snow": {"Cho": 3},
		NoName:              {"Bob": 1},
	})
	expect(t, db, Query{AsOf: day(8), Window: Days(5), Basis: Load}, expected{ // from day 3
		"Network":           {"Bob": 1 + 2, "bots": 5},
		"Databases of snow": {"Cho": 2},
		NoName:              {"Bob": 1},
	})
	expect(t, db, Query{AsOf: day(2), Basis: Load, By: Source}, expected{
		"jira": {"Ann": 1, "Bob": 1, "bots": 2},
		"snow": {"Cho": 1},
	})
}

func TestAssignedByHand(t *testing.T) {
	db := warehouse(t,
		// Given to Ann at creation, to Bob, and to Ann again: she counts twice.
		opened("1", 1).of("jira").give(1, "ann").give(3, "bob").give(4, "ann"),
		// To Cho for no time at all, and on to Ann's other account, as the
		// group changes with the same update.
		opened("2", 1).give(2, "cho").update(2, "dan", map[ticket.Field]string{ticket.FieldAssignee: "u1", ticket.FieldGroup: "g2"}),
		// To a robot, to somebody whom no account describes, and a done ticket.
		opened("3", 1).of("jira").give(2, "robot").give(2.5, "odd").status(2.6, "odd", statusDone).give(2.7, "bob"),
	)
	odd := New(db, Options{Key: testKey})
	w, err := odd.world(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if p := w.engineer(clickhousetest.Surrogate("jira", "odd")); p.Known || p.Name != "" {
		t.Errorf("who has no account is %+v", p)
	}
	expect(t, db, Query{AsOf: day(5), Basis: Assigned}, expected{
		"Network":           {"Ann": 2, "Bob": 2, "Cho": 1, "": 1, "bots": 1},
		"Databases of snow": {"Ann": 1},
	})
	// Half-open: day 2 is in a window from day 2, day 4 is not in one to day 4.
	expect(t, db, Query{AsOf: day(4), Window: Days(2), Basis: Assigned}, expected{
		"Network":           {"Bob": 2, "Cho": 1, "": 1, "bots": 1},
		"Databases of snow": {"Ann": 1},
	})
	// Ann's accounts in two sources are one engineer, by source still apart.
	expect(t, db, Query{AsOf: day(5), Basis: Assigned, By: Area}, expected{
		"Firewall": {"Ann": 3, "Bob": 2, "Cho": 1, "": 1, "bots": 1},
	})
	expect(t, db, Query{AsOf: day(5), Basis: Assigned, By: Source}, expected{
		"jira": {"Ann": 2, "Bob": 2, "": 1, "bots": 1},
		"snow": {"Ann": 1, "Cho": 1},
	})
}

func TestResolvedByHand(t *testing.T) {
	db := warehouse(t,
		// Done on day 2, closed on day 5: the run begins on day 2. Passed on
		// since: to the credit of whoever holds it in the end.
		opened("1", 0).of("jira").give(0, "ann").status(2, "ann", statusDone).status(5, "", statusClosed).give(6, "bob"),
		// Done, reopened, done again on day 6.
		opened("2", 0).give(0, "cho").status(1, "cho", statusDone).status(3, "cho", statusWork).status(6, "cho", statusDone),
		// Done twice in one moment, with a moment's reopening between: the run
		// begins at the later.
		opened("3", 0).give(0, "cho").status(1, "cho", statusDone).status(4, "cho", statusTodo).status(4, "cho", statusDone),
		// Nobody's; a robot's; one that was created done; one that is open.
		opened("4", 0).status(3, "", statusDone),
		opened("5", 0).of("jira").give(1, "robot").status(3, "robot", statusDone),
		opened("6", 5).give(5, "dan").status(5, "dan", statusClosed),
		opened("7", 0).give(0, "cho").status(2, "cho", statusDone).status(3, "cho", statusWork),
		// In two areas; deleted long after it was done.
		opened("8", 0).in("a1", "a2").give(0, "dan").status(1, "dan", statusDone).deleted(3),
		// Moved on to another group after it was done.
		opened("9", 0).give(0, "cho").status(5.5, "cho", statusDone).update(6, "cho", map[ticket.Field]string{ticket.FieldGroup: "g3"}),
	)
	expect(t, db, Query{AsOf: day(10), Basis: Resolved}, expected{
		"Network": {"Bob": 1, "Cho": 2, "Dan": 2, "nobody": 1, "bots": 1},
		"g3":      {"Cho": 1},
	})
	expect(t, db, Query{AsOf: day(10), Window: Days(6), Basis: Resolved}, expected{ // from day 4
		"Network": {"Cho": 2, "Dan": 1},
		"g3":      {"Cho": 1},
	})
	// As of day 2.5 Ann still holds the first, and the second and third are in
	// their first run.
	expect(t, db, Query{AsOf: day(2.5), Basis: Resolved}, expected{
		"Network": {"Ann": 1, "Cho": 3, "Dan": 1},
	})
	// Day 6 itself is not before day 6.
	expect(t, db, Query{AsOf: day(6), Window: Days(1), Basis: Resolved}, expected{"Network": {"Cho": 1, "Dan": 1}})
	expect(t, db, Query{AsOf: day(10), Basis: Resolved, By: Area}, expected{
		"Firewall": {"Bob": 1, "Cho": 3, "Dan": 1.5, "nobody": 1, "bots": 1},
		"a2":       {"Dan": 0.5},
	})
	// The quarter in which the epoch lies, cut at as_of, and the one before.
	expect(t, db, Query{AsOf: day(2.5), Window: Window{year: 2026, quarter: 1}, Basis: Resolved, By: Source}, expected{
		"jira": {"Ann": 1}, "snow": {"Cho": 3, "Dan": 1},
	})
	expect(t, db, Query{AsOf: day(2.5), Window: Window{year: 2025, quarter: 4}, Basis: Resolved}, expected{})
	expect(t, db, Query{AsOf: day(2.5), Window: Window{year: 2026, quarter: 2}, Basis: Resolved}, expected{})
}

func TestLoadByAreaFollowsTheAreas(t *testing.T) {
	w := opened("1", 0).in("a1").give(0, "cho")
	w.Changes = append(w.Changes,
		ticket.Change{At: day(2), Seq: 9, Field: ticket.FieldArea, To: "a2"},
		ticket.Change{At: day(4), Seq: 10, Field: ticket.FieldArea, From: "a1"},
		ticket.Change{At: day(5), Seq: 11, Field: ticket.FieldArea, From: "a2"})
	w.Areas = nil
	db := warehouse(t, w)
	expect(t, db, Query{AsOf: day(8), Basis: Load, By: Area}, expected{
		"Firewall": {"Cho": 2 + 1}, "a2": {"Cho": 1 + 1}, NoName: {"Cho": 3},
	})
}

// TestEffortByHand: three finished incidents of a day make a day the typical
// one; the bug took from Friday to Tuesday, which is two days of work.
func TestEffortByHand(t *testing.T) {
	worked := func(id, kind string, days float64) *written {
		w := opened(id, 0).give(0, "cho").status(1, "cho", statusWork).status(1+days, "cho", statusDone)
		w.Kind = kind
		return w
	}
	points := func(id string, n float64) *written {
		w := opened(id, 0).of("jira").give(0, "bob")
		w.Effort = &n
		return w
	}
	db := warehouse(t,
		worked("1", "k1", 1), worked("2", "k1", 1), worked("3", "k1", 1), worked("4", "k2", 4),
		// Finished later, and taking long: not known yet.
		worked("5", "k1", 100),
		points("6", 1), points("7", 3), points("8", 5), // the median is 3
	)
	bug := math.Pow(2, (1+10*(1.0/11))/11) // its class of one, shrunk to its kind of one, shrunk to 1
	expect(t, db, Query{AsOf: day(8), Basis: Resolved, Unit: Effort}, expected{"Network": {"Cho": 3 + bug}})
	expect(t, db, Query{AsOf: day(8), Basis: Assigned, Unit: Effort, By: Source}, expected{
		"snow": {"Cho": 4 + bug}, "jira": {"Bob": 1.0/3 + 1 + 5.0/3},
	})
}

func TestGroupByHand(t *testing.T) {
	// Six tickets of Cho's and two of Dan's: s = (¾, ¼).
	var tickets []*written
	for i := range 8 {
		who := "cho"
		if i >= 6 {
			who = "dan"
		}
		tickets = append(tickets, opened(string(rune('a'+i)), 0).give(0, who).status(1, who, statusDone))
	}
	groups, err := engine(warehouse(t, tickets...)).Distribution(context.Background(), Query{AsOf: day(2), Basis: Resolved, Unit: Tickets, By: Team})
	if err != nil {
		t.Fatal(err)
	}
	g := groups[0]
	if len(groups) != 1 || g.People != 2 || g.Items != 8 || g.Total != 8 || !g.Provisional {
		t.Errorf("got %+v", g)
	}
	for name, c := range map[string]struct {
		got  *float64
		want float64
	}{
		"gini": {g.Gini, 0.25}, "corrected": {g.GiniCorrected, 0.5}, "hoover": {g.Hoover, 0.25}, "hhi": {g.HHI, 0.625},
		"effective": {g.Effective, 1.6}, "top share": {g.TopShare, 0.75}, "theil": {g.Theil, 0.75*math.Log(1.5) + 0.25*math.Log(0.5)},
		"expected hhi": {g.HHIChance, 0.5 + 0.5/8}, "share": {g.Engineers[0].Share, 0.75}, "relative": {g.Engineers[0].Relative, 1.5},
		"z": {g.Engineers[0].Z, 0.25 / math.Sqrt(0.25/8)}, "tail": {g.Engineers[0].Tail, (28.0 + 8 + 1) / 256},
	} {
		if c.got == nil || math.Abs(*c.got-c.want) > 1e-12 {
			t.Errorf("%s is %v, want %v", name, c.got, c.want)
		}
	}
	// Eight tickets are four a head, too few for what luck gives.
	if g.GiniChance != nil || g.GiniExcess != nil {
		t.Errorf("chance is %v with four tickets a head", *g.GiniChance)
	}

	text, err := json.Marshal(groups)
	if err != nil {
		t.Fatal(err)
	}
	var back []map[string]any
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"team", "people", "total", "gini", "hoover", "theil", "hhi", "effective", "top_share", "engineers"} {
		if _, ok := back[0][key]; !ok {
			t.Errorf("the answer lacks %q: %s", key, text)
		}
	}
	if back[0]["team"] != "Network" || back[0]["gini"] != 0.25 {
		t.Errorf("answer is %s", text)
	}
}

func TestNothingIsUndefined(t *testing.T) {
	db := warehouse(t, opened("1", 0).status(1, "", statusDone))
	groups, err := engine(db).Distribution(context.Background(), Query{AsOf: day(2), Basis: Resolved, Unit: Tickets, By: Team})
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 1 || groups[0].Gini != nil || groups[0].HHI != nil || groups[0].TopShare != nil || groups[0].Unassigned != 1 || groups[0].People != 0 {
		t.Errorf("got %+v", groups)
	}
	empty := engine(clickhousetest.New(t))
	if at, err := empty.LastChange(context.Background()); err != nil || !at.IsZero() {
		t.Errorf("last change of nothing is %v, %v", at, err)
	}
	s, err := empty.Snapshot(context.Background(), day(1))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Areas) != 0 || len(s.Findings) != 0 || len(s.Open.Teams) != 0 || len(s.Teams[TeamsKey{Days(28), Load, Tickets}]) != 0 {
		t.Errorf("snapshot of nothing is %+v", s)
	}
}

func TestLoadAt(t *testing.T) {
	db := warehouse(t,
		opened("1", 0).of("jira").give(1, "ann").status(3, "ann", statusDone),
		opened("2", 0).give(1, "u1").give(2, "cho"),
		opened("3", 0).deleted(2),
		opened("4", 0).of("jira").give(0, "robot"),
		opened("5", 2),
	)
	type line struct {
		Team, Name string
		Tickets    uint64
	}
	at := func(n float64) ([]line, []TeamLoad) {
		load, err := engine(db).LoadAt(context.Background(), day(n))
		if err != nil {
			t.Fatal(err)
		}
		var lines []line
		for _, e := range load.Engineers {
			lines = append(lines, line{e.Team, e.Name, e.Tickets})
		}
		for i := range load.Teams {
			load.Teams[i].Effort, load.Teams[i].UnassignedEffort = 0, 0
		}
		return lines, load.Teams
	}
	engineers, teams := at(1.5)
	if want := []line{{"Network", "Ann", 2}}; !slices.Equal(engineers, want) {
		t.Errorf("on day 1.5: %v, want %v", engineers, want)
	}
	if want := []TeamLoad{{Team: "Network", Engineers: 1, Tickets: 2, Unassigned: 1, Bots: 1}}; !slices.Equal(teams, want) {
		t.Errorf("on day 1.5: %v, want %v", teams, want)
	}
	// What begins at an instant holds at it; what ends then does not.
	engineers, teams = at(2)
	if want := []TeamLoad{{Team: "Network", Engineers: 2, Tickets: 2, Unassigned: 1, Bots: 1}}; !slices.Equal(teams, want) {
		t.Errorf("on day 2: %v, want %v", teams, want)
	}
	if len(engineers) != 2 {
		t.Errorf("on day 2: %v", engineers)
	}
	_, teams = at(3)
	if want := []TeamLoad{{Team: "Network", Engineers: 1, Tickets: 1, Unassigned: 1, Bots: 1}}; !slices.Equal(teams, want) {
		t.Errorf("on day 3: %v, want %v", teams, want)
	}
}

func TestLastChangeSeesEverything(t *testing.T) {
	db := warehouse(t, opened("1", 0).give(0, "cho").status(4, "cho", statusDone))
	e := engine(db)
	at, err := e.LastChange(context.Background())
	if err != nil || !at.Equal(day(4).Add(time.Millisecond)) {
		t.Fatalf("last change is %v, %v", at, err)
	}
	expect(t, db, Query{AsOf: at, Basis: Resolved}, expected{"Network": {"Cho": 1}})
	expect(t, db, Query{AsOf: at.Add(-time.Millisecond), Basis: Resolved}, expected{})
}

func TestWhois(t *testing.T) {
	e := engine(replayWarehouse(t))
	ctx := context.Background()
	w, err := e.world(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ann := w.engineer(clickhousetest.Surrogate("jira", "ann"))
	p, ok, err := e.Whois(ctx, strings.ToUpper(ann.Pseudonym))
	if err != nil || !ok || p.Name != "Ann" || len(p.Accounts) != 2 {
		t.Errorf("%s is %+v, %v, %v", ann.Pseudonym, p, ok, err)
	}
	if _, ok, err := e.Whois(ctx, "no-body-0000"); ok || err != nil {
		t.Errorf("nobody is %v, %v", ok, err)
	}
	short := New(e.db, Options{Key: []byte("short")})
	if _, err := short.Snapshot(ctx, day(1)); err == nil || !strings.Contains(err.Error(), people.ErrKey.Error()) {
		t.Errorf("a short key: %v", err)
	}
}

func TestQueryIsRefused(t *testing.T) {
	good := Query{AsOf: day(1), Basis: Load, Unit: Tickets, By: Team}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for message, change := range map[string]func(*Query){
		`basis "speed" is none: give load, assigned, resolved`: func(q *Query) { q.Basis = "speed" },
		`unit "" is none: give tickets, effort`:                func(q *Query) { q.Unit = "" },
		`grouping "floor" is none: give team, area, source`:    func(q *Query) { q.By = "floor" },
		`as_of 0001-01-01 is outside the years 1970 to 2261`:   func(q *Query) { q.AsOf = time.Time{} },
	} {
		q := good
		change(&q)
		if _, err := engine(nil).Distribution(context.Background(), q); err == nil || err.Error() != message {
			t.Errorf("got %v, want %s", err, message)
		}
	}
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for names, change := range map[string]func(*Config){
		"windows is empty":       func(c *Config) { c.Windows = nil },
		"windows has 28d twice":  func(c *Config) { c.Windows = []Window{Days(28), Days(28)} },
		"windows has 2026Q3":     func(c *Config) { c.Windows = []Window{{year: 2026, quarter: 3}} },
		"max_threads is 0":       func(c *Config) { c.MaxThreads = 0 },
		"max_memory_bytes is 1:": func(c *Config) { c.MaxMemory = 1 },
		"concurrency is 0":       func(c *Config) { c.Concurrency = 0 },
		"ownership.decay is 0s":  func(c *Config) { c.Ownership.Decay = 0 },
		"findings.tail is 2":     func(c *Config) { c.Findings.Tail = 2 },
		"findings.min_people":    func(c *Config) { c.Findings.MinPeople = 1 },
		"findings.relative is 0": func(c *Config) { c.Findings.Relative = 0 },
		"findings.silo is 2":     func(c *Config) { c.Findings.Silo = 2 },
		"findings.evidence is -": func(c *Config) { c.Findings.Evidence = -1 },
		"findings.per_kind is -": func(c *Config) { c.Findings.PerKind = -1 },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), names) {
			t.Errorf("%s: %v", names, err)
		}
	}
}

func text(t testing.TB, x any) string {
	t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
