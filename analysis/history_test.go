package analysis

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
)

// allSeries is every basis, unit and grouping in some windows.
func allSeries(windows ...Window) []Series {
	var list []Series
	for _, w := range windows {
		for _, basis := range Bases {
			for _, unit := range Units {
				for _, by := range []By{Team, Area, Source} {
					list = append(list, Series{w, basis, unit, by})
				}
			}
		}
	}
	return list
}

func pointsOf(t fataler, e *Engine, q HistoryQuery) []*HistoryPoint {
	var points []*HistoryPoint
	for p, err := range e.History(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, p)
	}
	return points
}

// unlike says where two results differ: numbers by more than 1e-9 of them.
func unlike(path string, a, b reflect.Value) string {
	switch a.Kind() {
	case reflect.Float64:
		x, y := a.Float(), b.Float()
		if x != y && !(math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y))) {
			return fmt.Sprintf("%s is %v, want %v", path, x, y)
		}
	case reflect.Pointer:
		if a.IsNil() != b.IsNil() {
			return fmt.Sprintf("%s is %v, want %v", path, a, b)
		}
		if !a.IsNil() {
			return unlike(path, a.Elem(), b.Elem())
		}
	case reflect.Slice:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s has %d, want %d: %+v, want %+v", path, a.Len(), b.Len(), a, b)
		}
		for i := range a.Len() {
			if s := unlike(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); s != "" {
				return s
			}
		}
	case reflect.Struct:
		if at, ok := a.Interface().(time.Time); ok {
			if !at.Equal(b.Interface().(time.Time)) {
				return fmt.Sprintf("%s is %v, want %v", path, a, b)
			}
			return ""
		}
		for i := range a.NumField() {
			if f := a.Type().Field(i); f.IsExported() {
				if s := unlike(path+"."+f.Name, a.Field(i), b.Field(i)); s != "" {
					return s
				}
			}
		}
	default:
		if !a.Equal(b) {
			return fmt.Sprintf("%s is %v, want %v", path, a, b)
		}
	}
	return ""
}

// plain is groups without what a history does not have: luck by lot, unless it
// was judged, and trends. By name, and engineers by pseudonym: equal ones may
// stand in either order.
func plain(groups []Group, judged bool) []Group {
	list := slices.Clone(groups)
	for i := range list {
		g := &list[i]
		g.Explained, g.Trend = nil, nil
		if !judged {
			g.ChanceLow, g.ChanceHigh, g.HooverChance, g.P, g.PAdjusted, g.PLevelled, g.Verdict = nil, nil, nil, nil, nil, nil, NoVerdict
		}
		g.Engineers = slices.Clone(g.Engineers)
		slices.SortFunc(g.Engineers, func(a, b Part) int { return compareStrings(a.Pseudonym, b.Pseudonym) })
	}
	slices.SortFunc(list, func(a, b Group) int { return compareStrings(a.Name, b.Name) })
	return list
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// checkPoint compares a point with the analysis of its instant alone.
func checkPoint(t fataler, e *Engine, q HistoryQuery, p *HistoryPoint) {
	ctx := context.Background()
	for i, s := range q.Series {
		want, err := e.Distribution(ctx, Query{p.AsOf, s.Window, s.Basis, s.Unit, s.By})
		if err != nil {
			t.Fatal(err)
		}
		got := p.Groups[i]
		for n := range got[min(1, len(got)):] {
			if got[n].Total < got[n+1].Total {
				t.Fatal("groups are out of order")
			}
		}
		if diff := unlike("groups", reflect.ValueOf(plain(got, p.Judged)), reflect.ValueOf(plain(want, p.Judged))); diff != "" {
			t.Fatal(fmt.Sprintf("%s in %s by %s, window %s at %s: %s", s.Basis, s.Unit, s.By, s.Window, p.AsOf, diff))
		}
	}
	if q.Open {
		w, err := e.world(ctx)
		if err != nil {
			t.Fatal(err)
		}
		model, err := e.model(ctx, w, millis(p.AsOf))
		if err != nil {
			t.Fatal(err)
		}
		want, err := e.openLoad(ctx, w, &model, p.AsOf, millis(p.AsOf))
		if err != nil {
			t.Fatal(err)
		}
		if diff := unlike("open", reflect.ValueOf(*p.Open), reflect.ValueOf(want)); diff != "" {
			t.Fatal(fmt.Sprintf("%s: %s", p.AsOf, diff))
		}
	}
}

// TestPropertyHistory: every value of a history is that of the analysis of its
// instant alone.
func TestPropertyHistory(t *testing.T) { propertyHistory(t, 2) }

func propertyHistory(t *testing.T, n int) {
	clickhousetest.Cases(t, n)
	db := replayWarehouse(t)
	e := engine(db)
	rapid.Check(t, func(t *rapid.T) {
		load(t, db, drawHistories(t))
		first := rapid.IntRange(-3, lastHour).Draw(t, "first")
		q := HistoryQuery{
			From: hour(first).Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 1800}).Draw(t, "off")) * time.Second), To: hour(lastHour + 30), Every: rapid.SampledFrom([]Every{EveryHour, EveryDay}).Draw(t, "every"),
			Open: true, Efforts: true, People: true, Verdicts: rapid.Bool().Draw(t, "verdicts"),
		}
		for _, s := range allSeries(All, Days(1), Days(2)) {
			if rapid.IntRange(0, 5).Draw(t, "ask") == 0 {
				q.Series = append(q.Series, s)
			}
		}
		points := pointsOf(t, e, q)
		for range 3 {
			checkPoint(t, e, q, rapid.SampledFrom(points).Draw(t, "point"))
		}
	})
}

// drawParents gives some tickets a parent, at creation or later.
func drawParents(t *rapid.T, all []history) {
	for i := range all {
		h := &all[i]
		names := []string{"", "", "epic", "epic", "saga"}
		now := rapid.SampledFrom(names).Draw(t, "parent")
		for range rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "moves") {
			to := rapid.SampledFrom(names).Draw(t, "to parent")
			if to == now {
				continue
			}
			at := hour(rapid.IntRange(h.created, lastHour).Draw(t, "at"))
			if n := len(h.Changes); n > 0 && h.Changes[n-1].At.After(at) {
				at = h.Changes[n-1].At
			}
			h.Changes = append(h.Changes, ticket.Change{At: at, Seq: 100, Field: ticket.FieldParent, From: now, To: to})
			now = to
		}
		h.Parent = now
		if n := len(h.Changes); n > 0 && h.Changes[n-1].At.After(h.Updated) {
			h.Updated = h.Changes[n-1].At
		}
	}
}

// drawRoster is of the people of the histories, in one, two or no team, coming
// and going and away.
func drawRoster(t *rapid.T) *roster.Roster {
	day := func(label string, from, to int) roster.Day {
		n := rapid.IntRange(from, to).Draw(t, label)
		if n == from {
			return 0
		}
		return roster.DayOf(hour(24 * n))
	}
	d := roster.Data{Teams: []roster.Team{{Name: "Network"}, {Name: "Storage"}, {Name: "Empty"}}}
	accounts := map[string][]roster.AccountRef{
		"ann": {{Source: "jira", ID: "ann"}, {Source: "snow", ID: "u1"}}, "bob": {{Source: "jira", ID: "bob"}},
		"cho": {{Source: "snow", ID: "cho"}}, "dan": {{Source: "snow", ID: "dan"}},
	}
	for _, id := range []string{"ann", "bob", "cho", "dan"} {
		if id != "dan" && rapid.IntRange(0, 4).Draw(t, "stranger") == 0 { // a roster has somebody
			continue
		}
		d.People = append(d.People, roster.Person{ID: id})
		for _, a := range accounts[id] {
			d.Accounts = append(d.Accounts, roster.Mapping{Person: id, AccountRef: a})
		}
		s := roster.Schedule{Person: id, Zone: "UTC", FTE: 1}
		if rapid.Bool().Draw(t, "hours known") {
			s.Zone = rapid.SampledFrom([]string{"Europe/Berlin", "America/New_York"}).Draw(t, "zone")
			for i := range s.Hours[:5] {
				s.Hours[i] = []roster.Hours{{From: 9 * 60, To: 17 * 60}}
			}
		}
		d.Schedules = append(d.Schedules, s)
		if later := day("schedule", 0, 3); later != 0 {
			s.From, s.Hours = later, roster.Week{}
			s.Hours[3], s.Hours[4] = []roster.Hours{{From: 12 * 60, To: 20 * 60}}, []roster.Hours{{From: 12 * 60, To: 20 * 60}}
			s.FTE = 0.4
			d.Schedules = append(d.Schedules, s)
		}
		for _, team := range []string{"Network", "Storage"} {
			if !rapid.Bool().Draw(t, "in "+team) {
				continue
			}
			m := roster.Membership{Team: team, Person: id, FTE: rapid.SampledFrom([]float64{0, 0.2}).Draw(t, "fte")}
			m.From = day("from", 0, 3)
			if to := day("to", 0, 5); to > m.From {
				m.To = to
			}
			d.Memberships = append(d.Memberships, m)
		}
		if rapid.IntRange(0, 2).Draw(t, "leave") == 0 {
			d.Leave = append(d.Leave, roster.Leave{Person: id, Period: roster.Period{From: roster.DayOf(hour(24)), To: roster.DayOf(hour(72))}, Part: rapid.SampledFrom([]float64{0.5, 1}).Draw(t, "part")})
		}
	}
	if rapid.Bool().Draw(t, "queue") {
		turn := roster.DayOf(hour(48))
		d.Queues = []roster.Queue{
			{Team: "Storage", Source: "jira", Queue: "g2", Period: roster.Period{To: turn}},
			{Team: "Network", Source: "jira", Queue: "g2", Period: roster.Period{From: turn}},
			{Team: "Storage", Source: "snow", Queue: "Databases of snow", Period: roster.Period{From: turn}},
		}
	}
	r, err := roster.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPropertyHistoryOfTeams: the same with a roster, and with parents.
func TestPropertyHistoryOfTeams(t *testing.T) { propertyHistoryOfTeams(t, 2) }

func propertyHistoryOfTeams(t *testing.T, n int) {
	clickhousetest.Cases(t, n)
	db := replayWarehouse(t)
	e := engine(db)
	rapid.Check(t, func(t *rapid.T) {
		all := drawHistories(t)
		drawParents(t, all)
		load(t, db, all)
		if err := db.WriteRoster(context.Background(), drawRoster(t)); err != nil {
			t.Fatal(err)
		}
		q := HistoryQuery{
			From: hour(rapid.IntRange(0, lastHour).Draw(t, "first")), To: hour(lastHour + 30), Every: EveryHour,
			Open: true, Efforts: true, People: true, Verdicts: rapid.Bool().Draw(t, "verdicts"),
		}
		for _, s := range allSeries(All, Days(1), Days(2)) {
			if s.By == Team && rapid.IntRange(0, 3).Draw(t, "ask") == 0 {
				q.Series = append(q.Series, s)
			}
		}
		points := pointsOf(t, e, q)
		for range 3 {
			checkPoint(t, e, q, rapid.SampledFrom(points).Draw(t, "point"))
		}
	})
}
