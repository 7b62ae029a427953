package analysis

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/analysis/effort"
	"fairlead/analysis/people"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// The bases once more, by replaying each ticket's changes hour by hour, without
// intervals and without SQL. Everything in these histories happens on the hour.

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func hour(n int) time.Time { return epoch.Add(time.Duration(n) * time.Hour) }

// Status ids with everything in them that could end a string early.
const (
	statusTodo    = "to do"
	statusWork    = `wo'rk\`
	statusDone    = "do'ne\n\t\\' OR 1=1 --"
	statusClosed  = "7"
	statusOdd     = "unmapped"
	statusUnknown = "no term"
)

var (
	testTerms = func() []ticket.Term {
		var terms []ticket.Term
		for _, source := range []string{"jira", "snow"} {
			for id, category := range map[string]ticket.Category{
				statusTodo: ticket.CategoryTodo, statusWork: ticket.CategoryInProgress, statusDone: ticket.CategoryDone,
				statusClosed: ticket.CategoryDone, statusOdd: ticket.CategoryOther,
			} {
				terms = append(terms, ticket.Term{Source: source, Field: ticket.FieldStatus, ID: id, Name: id, Value: string(category)})
			}
			terms = append(terms,
				ticket.Term{Source: source, Field: ticket.FieldKind, ID: "k1", Name: "Incident", Value: "incident"},
				ticket.Term{Source: source, Field: ticket.FieldKind, ID: "k2", Name: "Bug", Value: "bug"},
				ticket.Term{Source: source, Field: ticket.FieldGroup, ID: "g1", Name: "Network"},
				ticket.Term{Source: source, Field: ticket.FieldGroup, ID: "g2", Name: "Databases of " + source},
				ticket.Term{Source: source, Field: ticket.FieldArea, ID: "a1", Name: "Firewall"})
		}
		return terms
	}()
	// ann has an account in both sources; odd is described by none.
	testAccounts = []ticket.Account{
		{Source: "jira", ID: "ann", Name: "Ann", Email: "ann@example.com", Active: true},
		{Source: "jira", ID: "bob", Name: "Bob", Email: "", Active: true},
		{Source: "jira", ID: "robot", Name: "Robot", Bot: true},
		{Source: "snow", ID: "u1", Name: "Ann A.", Email: "ANN@example.com", Active: true},
		{Source: "snow", ID: "cho", Name: "Cho", Email: "cho@example.com", Active: true},
		{Source: "snow", ID: "dan", Name: "Dan", Active: true},
	}
	testHolders = map[string][]string{"jira": {"", "ann", "bob", "robot", "odd"}, "snow": {"", "u1", "cho", "dan"}}
)

// history is a ticket as it was created and the updates since.
type history struct {
	ticket.Ticket
	first   map[ticket.Field]string
	areas   []string
	created int
}

const lastHour = 90

func drawHistory(t *rapid.T, id int) history {
	source := rapid.SampledFrom([]string{"jira", "snow"}).Draw(t, "source")
	choices := map[ticket.Field][]string{
		ticket.FieldAssignee: testHolders[source],
		ticket.FieldStatus:   {statusTodo, statusWork, statusWork, statusDone, statusClosed, statusOdd, statusUnknown},
		ticket.FieldGroup:    {"g1", "g2", "g3", ""},
		ticket.FieldEffort:   {"", "", "1", "2.5", "0", "8"},
		ticket.FieldKind:     {"k1", "k2", "k3"},
		ticket.FieldPriority: {"high", ""},
	}
	h := history{created: rapid.IntRange(0, lastHour/2).Draw(t, "created"), first: map[ticket.Field]string{}}
	h.Source, h.ID, h.HistoryComplete = source, fmt.Sprint(id), true
	h.Created = hour(h.created)
	now := map[ticket.Field]string{}
	fields := slices.Sorted(maps.Keys(choices))
	for _, f := range fields {
		now[f] = rapid.SampledFrom(choices[f]).Draw(t, string(f))
		h.first[f] = now[f]
	}
	in := map[string]bool{}
	for _, a := range []string{"a1", "a2", "a3"} {
		if rapid.IntRange(0, 2).Draw(t, "in "+a) == 0 {
			in[a] = true
			h.areas = append(h.areas, a)
		}
	}
	at := h.created
	for seq := range rapid.SampledFrom([]int{0, 2, 5, 12}).Draw(t, "updates") {
		at = min(lastHour, at+rapid.SampledFrom([]int{0, 0, 1, 3, 9, 20}).Draw(t, "pause"))
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			f := rapid.SampledFrom(append(slices.Clone(fields), ticket.FieldArea, ticket.FieldAssignee, ticket.FieldAssignee, ticket.FieldStatus, ticket.FieldStatus, ticket.FieldStatus)).Draw(t, "field")
			c := ticket.Change{At: hour(at), Seq: uint32(seq + 1), Field: f, Actor: rapid.SampledFrom(testHolders[source]).Draw(t, "by")}
			if f == ticket.FieldArea {
				a := rapid.SampledFrom([]string{"a1", "a2", "a3"}).Draw(t, "area")
				if in[a] {
					c.From = a
				} else {
					c.To = a
				}
				in[a] = !in[a]
			} else {
				c.From, c.To = now[f], rapid.SampledFrom(choices[f]).Draw(t, "to")
				if slices.ContainsFunc(h.Changes, func(o ticket.Change) bool { return o.Seq == c.Seq && o.Field == f }) {
					continue // one change of a field in an update
				}
				now[f] = c.To
			}
			h.Changes = append(h.Changes, c)
		}
	}
	h.Updated = hour(at)
	h.Assignee, h.Status, h.Group, h.Kind, h.Priority = now[ticket.FieldAssignee], now[ticket.FieldStatus], now[ticket.FieldGroup], now[ticket.FieldKind], now[ticket.FieldPriority]
	if p := storyPoints(now[ticket.FieldEffort]); p != nil {
		h.Effort = p
	}
	for _, a := range []string{"a1", "a2", "a3"} {
		if in[a] {
			h.Areas = append(h.Areas, a)
		}
	}
	for n := range rapid.IntRange(0, 2).Draw(t, "comments") {
		h.Contributions = append(h.Contributions, ticket.Contribution{
			At: hour(min(lastHour, at+n)), Actor: rapid.SampledFrom(testHolders[source]).Draw(t, "commenter"), Act: ticket.ActComment,
		})
	}
	if rapid.IntRange(0, 4).Draw(t, "deleted") == 0 {
		h.Deleted = hour(at + 2)
	}
	return h
}

// state is a ticket at an instant.
type state struct {
	value map[ticket.Field]string
	areas []string
}

func (s state) done() bool {
	return s.value[ticket.FieldStatus] == statusDone || s.value[ticket.FieldStatus] == statusClosed
}

// replay applies the changes as long as the predicate holds.
func (h history) replay(until func(i int, c ticket.Change) bool) state {
	s := state{value: maps.Clone(h.first), areas: slices.Clone(h.areas)}
	for i, c := range h.Changes {
		if !until(i, c) {
			break
		}
		if c.Field != ticket.FieldArea {
			s.value[c.Field] = c.To
			continue
		}
		s.areas = slices.DeleteFunc(s.areas, func(a string) bool { return a == c.From })
		if c.To != "" {
			s.areas = append(s.areas, c.To)
		}
	}
	slices.Sort(s.areas)
	return s
}

// during is the state from an hour on to the next; before that just before it.
func (h history) during(n int) state {
	return h.replay(func(_ int, c ticket.Change) bool { return !c.At.After(hour(n)) })
}

func (h history) before(n int) state {
	return h.replay(func(_ int, c ticket.Change) bool { return c.At.Before(hour(n)) })
}

var groupNames = map[string]string{"jira/g1": "Network", "snow/g1": "Network", "jira/g2": "Databases of jira", "snow/g2": "Databases of snow"}

// keys are the groups that a state is in, by name.
func (h history) keys(s state, by By, group string) []string {
	switch by {
	case Team:
		if group == "" {
			return []string{NoName}
		}
		return []string{cmp.Or(groupNames[h.Source+"/"+group], group)}
	case Area:
		if len(s.areas) == 0 {
			return []string{NoName}
		}
		var names []string
		for _, a := range s.areas {
			names = append(names, strings.Replace(a, "a1", "Firewall", 1))
		}
		return names
	default:
		return []string{h.Source}
	}
}

// replayed is what the bases should answer: by group and person, and the work
// of nobody under "".
type replayed map[string]map[string]float64

func (r replayed) add(group, person string, x float64) {
	if r[group] == nil {
		r[group] = map[string]float64{}
	}
	r[group][person] += x
}

func (h history) class(s state) effort.Class {
	kind := map[string]string{"k1": "incident", "k2": "bug"}[s.value[ticket.FieldKind]]
	return effort.Class{Source: h.Source, Kind: cmp.Or(kind, "other"), Priority: s.value[ticket.FieldPriority], Areas: strings.Join(s.areas, effort.AreaSeparator)}
}

// modelBefore fits the effort model by replay.
func modelBefore(all []history, to int) effort.Model {
	var samples []effort.Sample
	for _, h := range all {
		if h.created >= to {
			continue
		}
		end := h.before(to)
		s := effort.Sample{Class: h.class(end), Finished: end.done()}
		if p := storyPoints(end.value[ticket.FieldEffort]); p != nil {
			s.Points = *p
		}
		for n := h.created; n < to; n++ {
			if now := h.during(n); now.value[ticket.FieldStatus] == statusWork && now.value[ticket.FieldAssignee] != "" {
				s.Days += float64(effort.Weekdays{}.Working(hour(n), hour(n+1))) / float64(effort.Day)
			}
		}
		samples = append(samples, s)
	}
	return effort.Fit(effort.Summarise(samples))
}

func replayBasis(all []history, basis Basis, unit Unit, by By, from, to int) replayed {
	r := replayed{}
	model := modelBefore(all, to)
	for _, h := range all {
		if h.created >= to {
			continue
		}
		weight := 1.0
		end := h.before(to)
		if unit == Effort {
			weight, _ = model.Of(h.class(end), storyPoints(end.value[ticket.FieldEffort]))
		}
		credit := func(s state, group, holder string, x float64) {
			keys := h.keys(s, by, group)
			for _, k := range keys {
				r.add(k, holder, x*weight/float64(len(keys)))
			}
		}
		person := func(account string) string {
			if account == "" {
				return ""
			}
			return h.Source + "/" + account
		}
		switch basis {
		case Load:
			for n := max(from, h.created); n < to; n++ {
				now := h.during(n)
				gone := !h.Deleted.IsZero() && !h.Deleted.After(hour(n))
				if holder := now.value[ticket.FieldAssignee]; holder != "" && !now.done() && !gone {
					credit(now, now.value[ticket.FieldGroup], person(holder), 1.0/24)
				}
			}
		case Assigned:
			holder := h.first[ticket.FieldAssignee]
			if holder != "" && h.created >= from {
				// The group of creation itself, the areas of just after.
				credit(h.during(h.created), h.first[ticket.FieldGroup], person(holder), 1)
			}
			for _, c := range h.Changes {
				if c.Field != ticket.FieldAssignee || c.To == holder {
					continue
				}
				holder = c.To
				if holder == "" || c.At.Before(hour(from)) || !c.At.Before(hour(to)) {
					continue
				}
				update := h.replay(func(_ int, o ticket.Change) bool {
					return o.At.Before(c.At) || (o.At.Equal(c.At) && o.Seq <= c.Seq)
				})
				at := int(c.At.Sub(epoch) / time.Hour)
				credit(h.during(at), update.value[ticket.FieldGroup], person(holder), 1)
			}
		case Resolved:
			if !end.done() {
				continue
			}
			since := h.created
			open := state{value: h.first}
			wasDone := open.done()
			for _, c := range h.Changes {
				if c.Field != ticket.FieldStatus || !c.At.Before(hour(to)) {
					continue
				}
				isDone := c.To == statusDone || c.To == statusClosed
				if isDone && !wasDone {
					since = int(c.At.Sub(epoch) / time.Hour)
				}
				wasDone = isDone
			}
			if since >= from {
				credit(end, end.value[ticket.FieldGroup], person(end.value[ticket.FieldAssignee]), 1)
			}
		}
	}
	return r
}

// persons maps account to engineer, as the engine should.
func persons(t fataler, e *Engine) map[string]*people.Engineer {
	w, err := e.world(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	who := map[string]*people.Engineer{}
	for source, accounts := range testHolders {
		for _, a := range accounts {
			if a != "" {
				who[source+"/"+a] = w.engineer(clickhousetest.Surrogate(source, a))
			}
		}
	}
	return who
}

type fataler interface{ Fatal(...any) }

func load(t fataler, db *clickhouse.DB, all []history) {
	ctx := context.Background()
	if err := db.Conn().Exec(ctx, "TRUNCATE TABLE "+db.Table("tickets")); err != nil {
		t.Fatal(err)
	}
	var records []ticket.Record
	for _, h := range all {
		r := timeline.Derive(h.Ticket)
		r.Version = 1
		records = append(records, r)
	}
	if err := db.WriteTickets(ctx, records); err != nil {
		t.Fatal(err)
	}
}

func replayWarehouse(t testing.TB) *clickhouse.DB {
	t.Helper()
	db := clickhousetest.New(t)
	ctx := context.Background()
	if err := db.WriteAccounts(ctx, testAccounts); err != nil {
		t.Fatal(err)
	}
	if err := db.WriteTerms(ctx, testTerms); err != nil {
		t.Fatal(err)
	}
	return db
}

func drawHistories(t *rapid.T) []history {
	var all []history
	for i := range rapid.IntRange(1, 25).Draw(t, "tickets") {
		all = append(all, drawHistory(t, i))
	}
	return all
}

// TestPropertyBases: ClickHouse and the replay agree on every basis, unit and
// grouping, for a random as_of and window.
func TestPropertyBases(t *testing.T) { propertyBases(t, 12) }

func propertyBases(t *testing.T, n int) {
	clickhousetest.Cases(t, n)
	db := replayWarehouse(t)
	e := engine(db)
	rapid.Check(t, func(t *rapid.T) {
		all := drawHistories(t)
		load(t, db, all)
		to := lastHour + 4 - rapid.IntRange(0, lastHour+3).Draw(t, "to")
		days := rapid.IntRange(0, 3).Draw(t, "days")
		window, from := All, 0
		if days > 0 {
			window, from = Days(days), max(0, to-24*days)
		}
		who := persons(t, e)
		unit := rapid.SampledFrom(Units).Draw(t, "unit")
		by := rapid.SampledFrom([]By{Team, Area, Source}).Draw(t, "by")
		for _, basis := range Bases {
			groups, err := e.Distribution(context.Background(), Query{AsOf: hour(to), Window: window, Basis: basis, Unit: unit, By: by})
			if err != nil {
				t.Fatal(err)
			}
			want := replayBasis(all, basis, unit, by, from, to)
			compareGroups(t, groups, want, who)
		}
	})
}

func compareGroups(t *rapid.T, groups []Group, want replayed, who map[string]*people.Engineer) {
	got := replayed{}
	for _, g := range groups {
		for _, p := range g.Engineers {
			got.add(g.Name, p.Pseudonym, p.Value)
		}
		got.add(g.Name, "nobody", g.Unassigned)
		got.add(g.Name, "bots", g.Bots)
	}
	expected := replayed{}
	for group, values := range want {
		expected.add(group, "nobody", 0)
		expected.add(group, "bots", 0)
		for account, x := range values {
			switch {
			case account == "":
				expected.add(group, "nobody", x)
			case who[account].Bot:
				expected.add(group, "bots", x)
			default:
				expected.add(group, who[account].Pseudonym, x)
			}
		}
	}
	for group := range expected {
		if got[group] == nil {
			t.Fatalf("no group %q: got %v, want %v", group, got, expected)
		}
	}
	for group, values := range got {
		if len(values) != len(expected[group]) {
			t.Fatalf("%q: got %v, want %v", group, values, expected[group])
		}
		for person, x := range values {
			if y, ok := expected[group][person]; !ok || math.Abs(x-y) > 1e-9*max(1, y) {
				t.Fatalf("%q, %s: got %v, want %v", group, person, values, expected[group])
			}
		}
	}
}

// TestPropertyThePastStays: what is computed for an as_of does not change when
// the tickets live on.
func TestPropertyThePastStays(t *testing.T) { propertyThePastStays(t, 4) }

func propertyThePastStays(t *testing.T, n int) {
	clickhousetest.Cases(t, n)
	db := replayWarehouse(t)
	e := engine(db)
	rapid.Check(t, func(t *rapid.T) {
		all := drawHistories(t)
		to := rapid.IntRange(1, lastHour).Draw(t, "to")
		// As it was stored then: what had happened before, and nothing else.
		var then []history
		for _, h := range all {
			if h.created >= to {
				continue
			}
			end := h.before(to)
			old := h
			old.Changes = slices.DeleteFunc(slices.Clone(h.Changes), func(c ticket.Change) bool { return !c.At.Before(hour(to)) })
			old.Contributions = slices.DeleteFunc(slices.Clone(h.Contributions), func(c ticket.Contribution) bool { return !c.At.Before(hour(to)) })
			old.Assignee, old.Status, old.Group = end.value[ticket.FieldAssignee], end.value[ticket.FieldStatus], end.value[ticket.FieldGroup]
			old.Kind, old.Priority, old.Areas = end.value[ticket.FieldKind], end.value[ticket.FieldPriority], end.areas
			old.Effort = storyPoints(end.value[ticket.FieldEffort])
			old.Updated = hour(to - 1)
			if !old.Deleted.Before(hour(to)) {
				old.Deleted = time.Time{}
			}
			then = append(then, old)
		}
		snapshot := func(histories []history) *Snapshot {
			load(t, db, histories)
			s, err := e.Snapshot(context.Background(), hour(to))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		if a, b := inJSON(t, snapshot(then)), inJSON(t, snapshot(all)); a != b {
			t.Fatalf("then\n%s\nnow\n%s", a, b)
		}
	})
}

// inJSON is everything in a Snapshot.
func inJSON(t fataler, s *Snapshot) string {
	type named struct {
		Key    string
		Groups []Group
	}
	var teams []named
	for _, window := range s.Windows {
		for _, basis := range Bases {
			for _, unit := range Units {
				teams = append(teams, named{window.String() + string(basis) + string(unit), s.Teams[TeamsKey{window, basis, unit}]})
			}
		}
	}
	text, err := json.MarshalIndent(map[string]any{"teams": teams, "open": s.Open, "areas": s.Areas, "findings": s.Findings, "states": s.States, "overload": s.Overload}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
