package analysis

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"pgregory.net/rapid"

	"fairlead/analysis/overload"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
)

// TestPropertyWeeks: what was held in a week, and the net of what came and went,
// agree with a replay hour by hour. The weeks begin anywhere, so that these short
// histories lie across their ends.
func TestPropertyWeeks(t *testing.T) { propertyWeeks(t, 10) }

func propertyWeeks(t *testing.T, n int) {
	clickhousetest.Cases(t, n)
	db := replayWarehouse(t)
	e := engine(db)
	rapid.Check(t, func(t *rapid.T) {
		all := drawHistories(t)
		load(t, db, all)
		cut := rapid.IntRange(0, lastHour).Draw(t, "cut")
		w, err := e.world(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		who := persons(t, e)
		parameters := w.parameters(millis(hour(cut + 7*24)))
		parameters["weeks"] = numbersParameter([]int64{millis(hour(cut - 7*24)), millis(hour(cut))})
		parameters["unplanned"], parameters["actors"] = stringsParameter([]string{"incident"}), "[]"
		type key struct {
			week   int
			person string
		}
		got := map[key][2]float64{}
		err = e.each(context.Background(), "weeks", weeklySQL(db.Table("tickets"), addedUp), parameters, func(rows driver.Rows) error {
			var r weeklyRow
			if err := rows.Scan(&r.week, &r.source, &r.group, &r.actor, &r.areas, &r.load, &r.squares, &r.arrivals, &r.departures, &r.unplanned, &r.calling); err != nil {
				return err
			}
			if len(r.unplanned) > int(r.arrivals) || len(r.calling) > 0 {
				t.Fatalf("%d of %d arrivals are unplanned, and %d call", len(r.unplanned), r.arrivals, len(r.calling))
			}
			k := key{int(r.week), w.engineer(r.actor).Pseudonym}
			x := got[k]
			got[k] = [2]float64{x[0] + r.load/3_600_000, x[1] + float64(r.arrivals) - float64(r.departures)}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[key][2]float64{}
		for _, h := range all {
			held := func(n int) string {
				if n < h.created || !h.Deleted.IsZero() && !h.Deleted.After(hour(n)) {
					return ""
				}
				now := h.during(n)
				if now.done() || now.value[ticket.FieldAssignee] == "" {
					return ""
				}
				return who[h.Source+"/"+now.value[ticket.FieldAssignee]].Pseudonym
			}
			for n := cut - 7*24; n < cut+7*24; n++ {
				week := 1
				if n >= cut {
					week = 2
				}
				before, now := held(n-1), held(n)
				if now != "" {
					x := want[key{week, now}]
					want[key{week, now}] = [2]float64{x[0] + 1, x[1]}
				}
				if before != now && before != "" {
					x := want[key{week, before}]
					want[key{week, before}] = [2]float64{x[0], x[1] - 1}
				}
				if before != now && now != "" {
					x := want[key{week, now}]
					want[key{week, now}] = [2]float64{x[0], x[1] + 1}
				}
			}
		}
		for k := range want {
			if _, ok := got[k]; !ok {
				got[k] = [2]float64{}
			}
		}
		for k, x := range got {
			if y := want[k]; math.Abs(x[0]-y[0]) > 1e-9 || x[1] != y[1] {
				t.Fatalf("%+v: held %v h and net %v, want %v and %v", k, x[0], x[1], y[0], y[1])
			}
		}
	})
}

// monday is the start of the first whole week of the tests: day 4.
const monday = 4

// TestWeeksByHand: who had what, in which queue, by when it came and went.
func TestWeeksByHand(t *testing.T) {
	db := warehouse(t,
		opened("1", monday).give(monday, "cho").status(monday+7, "cho", statusDone), // all of the first week
		opened("2", monday).give(monday+1, "cho").give(monday+4.5, "dan"),           // handed on
		opened("3", monday).in("a2").give(monday+2, "cho").status(monday+3, "cho", statusDone).status(monday+5, "cho", statusWork),
	)
	e := engine(db)
	w, err := e.world(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	span := weeks{overload.WeekOf(day(monday)), 2}
	all, err := e.readWeekly(context.Background(), w, span)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]overload.Record{}
	for key, one := range all {
		for i := range span.n {
			got[fmt.Sprint(key.team, " ", one.name, " ", i)] = one.record(span.first+overload.Week(i), i, 1, 1)
		}
	}
	for _, c := range []struct {
		who                  string
		load                 float64
		arrivals, departures uint64
		areas                []float64
	}{
		// 7 + 3.5 + 1 + 2 days, of which 3 in a2; the third ticket came twice.
		{"Network Cho 0", 13.5 / 7, 4, 2, []float64{3, 10.5}},
		{"Network Cho 1", 1, 0, 1, []float64{7}},
		{"Network Dan 0", 2.5 / 7, 1, 0, []float64{2.5}},
		{"Network Dan 1", 1, 0, 0, []float64{7}},
	} {
		r := got[c.who]
		if math.Abs(r.Load.Sum-c.load) > 1e-12 || r.Arrivals != c.arrivals || r.Completions != c.departures {
			t.Errorf("%s has %+v, want %v, %d and %d", c.who, r, c.load, c.arrivals, c.departures)
		}
		for i := range r.Areas {
			r.Areas[i] /= 24 * 3_600_000
		}
		if !slices.Equal(r.Areas, c.areas) {
			t.Errorf("%s has areas %v, want %v", c.who, r.Areas, c.areas)
		}
	}
	if r := got["Network Cho 0"]; math.Abs(r.Load.Squares-(49+3.5*3.5+1+4)/49) > 1e-12 {
		t.Errorf("squares are %v", r.Load.Squares)
	}
	// Nothing but incidents: nothing tells what is planned.
	if got["Network Cho 0"].Received != nil {
		t.Error("planned and unplanned work are told apart where all is one kind")
	}
}

// TestStatesByHand: what waits, what is handed on, and what is unplanned.
func TestStatesByHand(t *testing.T) {
	bug := func(w *written) *written { w.Kind = "k2"; return w }
	db := warehouse(t,
		opened("1", 0).give(9, "cho").give(10, "dan").give(10, "cho"), // twice handed on
		opened("2", 2),
		opened("3", 2).deleted(20),
		opened("4", 5).status(20, "cho", statusDone),
		bug(opened("5", 30).give(30, "cho")),
		bug(opened("6", 30).give(30, "cho")),
		opened("7", 30).give(30, "cho").status(31, "", statusDone).give(31, ""),
	)
	s, err := engine(db).Snapshot(context.Background(), day(monday+28))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.States) != 1 {
		t.Fatalf("states are %+v", s.States)
	}
	st := s.States[0]
	if want := []uint64{0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 1, 1}; st.Team != "Network" || st.Unassigned.Now != 1 || !slices.Equal(st.Unassigned.WeeksAgo, want) {
		t.Errorf("the backlog is %+v, want %v", st.Unassigned, want)
	}
	if st.Handovers != 2 || !st.Provisional {
		t.Errorf("got %+v", st)
	}
	// One incident of three tickets that came to Cho in the last four weeks; one
	// more that came before.
	if st.Unplanned == nil || math.Abs(*st.Unplanned-3.0/5) > 1e-12 || st.WorkPeople != 1 {
		t.Errorf("unplanned is %v of %d people", st.Unplanned, st.WorkPeople)
	}
}

// TestMarks: a ticket's own mark comes before what its kind says, and where a source
// marks what called people, only that is a call.
func TestMarks(t *testing.T) {
	is := func(w *written, kind string, marks ...ticket.Mark) *written { w.Kind, w.Marks = kind, marks; return w }
	incidents := []*written{
		is(opened("1", monday).give(monday, "cho"), "k1"),
		is(opened("2", monday+1).give(monday+1, "cho"), "k1", ticket.MarkPlanned),
		is(opened("3", monday+2).give(monday+2, "cho"), "k2", ticket.MarkUnplanned),
		is(opened("4", monday+3).give(monday+3, "cho"), "k2"),
	}
	times := func(days ...float64) []int64 {
		var list []int64
		for _, d := range days {
			list = append(list, millis(day(d)))
		}
		return list
	}
	for _, c := range []struct {
		name             string
		more             []*written
		unplanned, calls []int64
	}{
		{"nothing called", nil, times(monday, monday+2), times(monday, monday+2)},
		{"a task called", []*written{is(opened("5", monday+4).give(monday+4, "cho"), "k2", ticket.MarkOnCall)}, times(monday, monday+2), times(monday + 4)},
		{"a planned one called", []*written{is(opened("5", monday+4).give(monday+4, "cho"), "k1", ticket.MarkOnCall, ticket.MarkPlanned)}, times(monday, monday+2), times(monday + 4)},
	} {
		e := engine(warehouse(t, append(slices.Clone(incidents), c.more...)...))
		w, err := e.world(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all, err := e.readWeekly(context.Background(), w, weeksBefore(day(monday+7), 1))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			week := one.weeks[0]
			slices.Sort(week.unplanned)
			slices.Sort(week.calls)
			if !slices.Equal(week.unplanned, c.unplanned) || !slices.Equal(week.calls, c.calls) {
				t.Errorf("%s: unplanned at %v, calls at %v; want %v and %v", c.name, week.unplanned, week.calls, c.unplanned, c.calls)
			}
		}
		if len(all) != 1 {
			t.Errorf("%s: %d people", c.name, len(all))
		}
	}
}

// TestBegin: a source that was collected from some day on shows before it only
// the tickets that lasted.
func TestBegin(t *testing.T) {
	for _, c := range []struct {
		arrivals []uint64
		want     int
	}{
		{[]uint64{0, 1, 0, 2, 1, 40, 35, 50, 12, 44}, 5},
		{[]uint64{40, 35, 50}, 0},
		{[]uint64{0, 0, 0}, 0},
		{[]uint64{0, 0, 3}, 2},
		{nil, 0},
	} {
		if got := begin(c.arrivals); got != c.want {
			t.Errorf("%v begins in %d, want %d", c.arrivals, got, c.want)
		}
	}
}

// TestOverloadOfARoster: an engineer who is given more and more, works at night
// for it, and is on call.
func TestOverloadOfARoster(t *testing.T) {
	const first = monday + 7*20
	var tickets []*written
	number := 0
	give := func(at, days float64, who string) {
		number++
		w := opened(fmt.Sprint(number), at).give(at, who).comment(at+0.1, who).comment(at+0.2, who)
		tickets = append(tickets, w.status(at+days, who, statusDone))
	}
	for week := range 30 {
		for d := range 5 { // 10:00, for a day
			at := float64(monday+7*week+d) + 10.0/24
			for _, who := range []string{"cho", "dan"} {
				give(at, 1, who)
			}
			give(at, 1, "u1")
			if week >= 20 {
				for range 6 {
					give(at+13.0/24, 1, "cho") // 23:00
				}
			}
		}
	}
	db := warehouse(t, tickets...)
	staff(t, db, `
defaults: {zone: UTC, hours: mon-sun 08:00-20:00}
people:
  ann: {name: Ann, email: ann@example.com}
  cho: {name: Cho, email: cho@example.com}
  dan: {name: Dan, accounts: {snow: dan}}
teams:
  Alpha:
    queues: [{source: snow, queue: g1}]
    members: [ann, cho, dan]
    on_call: [{person: ann, from: 2026-01-05T00:00, to: 2026-01-12T00:00}]
`)
	e := engine(db)
	at := func(week float64) map[string]EngineerOverload {
		s, err := e.Snapshot(context.Background(), day(first+7*week))
		if err != nil {
			t.Fatal(err)
		}
		byName := map[string]EngineerOverload{}
		for _, o := range s.Overload {
			byName[o.Name] = o
		}
		return byName
	}
	if o := at(2)["Cho"]; o.Overloaded || !o.Judged {
		t.Errorf("after two weeks: %+v", o)
	}
	states := at(5.5)
	o := states["Cho"]
	if !o.Overloaded || !o.Since.Equal(day(first+14)) || o.Evidence != "families" || o.Team != "Alpha" || !o.Week.Equal(day(first+7*4)) {
		t.Errorf("after five weeks: %+v", o)
	}
	if len(o.Reasons) != 2 || o.Reasons[0][:7] != "demand:" || o.Reasons[1][:5] != "time:" {
		t.Errorf("because %q", o.Reasons)
	}
	if o.AfterHours == nil || *o.AfterHours < 0.3 {
		t.Errorf("after hours is %v", o.AfterHours)
	}
	for _, name := range []string{"Ann", "Dan"} {
		if states[name].Overloaded || !states[name].Judged {
			t.Errorf("%s: %+v", name, states[name])
		}
	}
	s, err := e.Snapshot(context.Background(), day(first+7*5.5))
	if err != nil {
		t.Fatal(err)
	}
	team := s.States[slices.IndexFunc(s.States, func(t TeamState) bool { return t.Team == "Alpha" })]
	if team.People != 3 || team.Judged != 3 || team.Overloaded != 1 || team.Provisional || team.AfterHours == nil || *team.AfterHoursUsual >= *team.AfterHours || team.ActPeople != 3 || team.UsualPeople != 3 {
		t.Errorf("the team is %+v; after hours %v, usual %v", team, *team.AfterHours, *team.AfterHoursUsual)
	}
	if !s.Rostered || !slices.Equal(team.Sources, []string{"snow"}) || !maps.Equal(s.Unmatched, map[string]int{"snow": 0}) {
		t.Errorf("roster: %t, tickets of %v, accounts that match nobody: %v", s.Rostered, team.Sources, s.Unmatched)
	}
	// The state is that of whole weeks: it does not change within one.
	if a, b := at(5)["Cho"], at(5.9)["Cho"]; !a.Overloaded || fmt.Sprint(a.Weeks) != fmt.Sprint(b.Weeks) {
		t.Error("the state changes in mid-week")
	}
}
