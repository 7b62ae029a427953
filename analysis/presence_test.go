package analysis

import (
	"context"
	"fmt"
	"math"
	"testing"

	"fairlead/connectors/clickhouse"
)

// worker is somebody of the tests as the roster has them for the four weeks from
// Monday 5 January 2026: twenty working days each.
type worker struct {
	name     string
	account  string // and source
	source   string
	options  string // of the person
	member   string // of the team
	from, to float64
	capacity float64 // FTE present, by hand
}

var (
	fullTime = worker{"Ann", "u1", "snow", "", "ann", 4, 32, 1}
	// Joined on Monday the 19th: ten of twenty days.
	joiner = worker{"Bob", "bob", "jira", ", joined: 2026-01-19", "bob", 18, 32, 0.5}
	// Half of each week.
	partTimer = worker{"Cho", "cho", "snow", "", "{person: cho, fte: 0.5}", 4, 32, 0.5}
	// The last day was Friday the 9th: five of twenty days.
	leaver = worker{"Dan", "dan", "snow", ", left: 2026-01-12", "dan", 4, 11, 0.25}
	// Away for the last two weeks.
	onLeave = worker{"Dan", "dan", "snow", ", leave: [{from: 2026-01-19, to: 2026-02-02}]", "dan", 4, 18, 0.5}
	// Moved over to another team on Monday the 26th: fifteen of twenty days.
	mover = worker{"Dan", "dan", "snow", "", "{person: dan, to: 2026-01-26}", 4, 25, 0.75}
)

// crewOf is a warehouse in which each has done so many tickets while they were there:
// each given, worked on for a few hours, and done. Half of them are of one point, half
// of three.
func crewOf(t *testing.T, done map[string]int, team ...worker) *clickhouse.DB {
	t.Helper()
	var tickets []*written
	for _, w := range team {
		n := done[w.name]
		for i := range n {
			at := w.from + (w.to-w.from)*float64(i)/float64(n)
			one := opened(fmt.Sprint(w.name, i), at).of(w.source)
			points := []float64{1, 3}[i%2]
			one.Effort = &points
			tickets = append(tickets, one.give(at+0.01, w.account).status(at+0.135, w.account, statusDone))
		}
	}
	db := warehouse(t, tickets...)
	options, members := map[string]string{}, ""
	for i, w := range team {
		options[w.name] = w.options
		if i > 0 {
			members += ", "
		}
		members += w.member
	}
	yaml := fmt.Sprintf(testPeople, options["Ann"], options["Bob"], options["Cho"], options["Dan"]) +
		"  Alpha: {queues: [{source: snow, queue: g1}, {source: jira, queue: g1}], members: [" + members + "]}\n  Beta: {members: ["
	if team[len(team)-1] == mover {
		yaml += "{person: dan, from: 2026-01-26}"
	}
	staff(t, db, yaml+"]}\n")
	return db
}

// onAllBases calls fn with Alpha as it is on each basis and in each unit.
func onAllBases(t *testing.T, db *clickhouse.DB, fn func(q Query, g Group)) {
	t.Helper()
	for _, basis := range Bases {
		for _, unit := range Units {
			q := Query{AsOf: day(32), Window: Days(28), Basis: basis, Unit: unit, By: Team}
			groups, err := engine(db).Distribution(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, g := range groups {
				if g.Name == "Alpha" {
					found = true
					fn(q, g)
				}
			}
			if !found {
				t.Fatalf("%s in %s: no team Alpha in %+v", basis, unit, groups)
			}
		}
	}
}

// TestWhoWasThereIsNoInequality: whoever was there for a part of the window, and did
// that part of the work, carries an even share on every basis and in every unit, and
// nothing is alarmed.
func TestWhoWasThereIsNoInequality(t *testing.T) {
	for _, c := range []struct {
		name string
		team []worker
	}{
		{"a joiner, a part-timer and a leaver", []worker{fullTime, joiner, partTimer, leaver}},
		{"a leave of two weeks", []worker{fullTime, joiner, partTimer, onLeave}},
	} {
		t.Run(c.name, func(t *testing.T) {
			done, present, all := map[string]int{}, 0.0, 0
			for _, w := range c.team {
				done[w.name] = int(80 * w.capacity)
				present += w.capacity
				all += done[w.name]
			}
			db := crewOf(t, done, c.team...)
			onAllBases(t, db, func(q Query, g Group) {
				if g.Provisional || g.People != len(c.team) || math.Abs(g.Capacity-present) > 1e-9 || g.Items != uint64(all) {
					t.Fatalf("%s in %s: %d people with %v FTE and %d items, want %d, %v and %d", q.Basis, q.Unit, g.People, g.Capacity, g.Items, len(c.team), present, all)
				}
				if *g.Gini > 1e-9 || *g.Hoover > 1e-9 || *g.Theil > 1e-9 || math.Abs(*g.Jain-1) > 1e-9 || g.Verdict == Uneven || g.Outside != (Outside{}) {
					t.Errorf("%s in %s: Gini %v, Hoover %v, %q, outside %+v", q.Basis, q.Unit, *g.Gini, *g.Hoover, g.Verdict, g.Outside)
				}
				for _, p := range g.Engineers {
					for _, w := range c.team {
						if w.name == p.Name && (math.Abs(p.Capacity-w.capacity) > 1e-9 || math.Abs(*p.Relative-1) > 1e-9) {
							t.Errorf("%s in %s: %s is there with %v FTE and carries %v, want %v and 1", q.Basis, q.Unit, p.Name, p.Capacity, *p.Relative, w.capacity)
						}
					}
				}
			})
			e := engine(db)
			e.config.Windows = []Window{Days(28)}
			s, err := e.Snapshot(context.Background(), day(32))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range s.Findings {
				if f.Kind == OverloadedEngineer || f.Kind == UnevenTeam {
					t.Errorf("a false alarm: %s", f.Sentence)
				}
			}
			for _, o := range s.Overload {
				if o.Overloaded {
					t.Errorf("%s is called overloaded: %v", o.Name, o.Reasons)
				}
			}
		})
	}
}

// TestPresenceByHand: the same number of tickets from each is no even share where they
// were not there for as long.
func TestPresenceByHand(t *testing.T) {
	for _, c := range []struct {
		name     string
		other    worker
		relative float64 // of the other, of half of the work
		gini     float64 // p₁p₂ times the distance of the two
	}{
		// p = (2/3, 1/3): r = (½)/(2/3) and (½)/(1/3), G = 2/9 · ¾. A part-timer and a
		// leave of two weeks are the same.
		{"a joiner", joiner, 1.5, 1.0 / 6},
		// p = (4/5, 1/5): r = 5/8 and 5/2, G = 4/25 · 15/8.
		{"a leaver", leaver, 2.5, 0.3},
		// p = (4/7, 3/7): r = 7/8 and 7/6, G = 12/49 · 7/24.
		{"somebody who moved", mover, 7.0 / 6, 12.0 / 49 * 7 / 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := crewOf(t, map[string]int{"Ann": 24, c.other.name: 24}, fullTime, c.other)
			onAllBases(t, db, func(q Query, g Group) {
				if math.Abs(*g.Gini-c.gini) > 1e-9 || math.Abs(g.Capacity-1-c.other.capacity) > 1e-9 {
					t.Errorf("%s in %s: Gini %v of %v FTE, want %v of %v", q.Basis, q.Unit, *g.Gini, g.Capacity, c.gini, 1+c.other.capacity)
				}
				for _, p := range g.Engineers {
					if p.Name == c.other.name && math.Abs(*p.Relative-c.relative) > 1e-9 {
						t.Errorf("%s in %s: %s carries %v, want %v", q.Basis, q.Unit, p.Name, *p.Relative, c.relative)
					}
				}
				// 24 each: of tickets by count, of load 3 hours each, of effort twice
				// as many points as tickets.
				want := map[Basis]float64{Load: 48 * 0.125, Assigned: 48, Resolved: 48}[q.Basis]
				if q.Unit == Tickets && math.Abs(g.Total-want) > 1e-6 {
					t.Errorf("%s: %v in all, want %v", q.Basis, g.Total, want)
				}
			})
		})
	}
}

// What somebody does who is gone, or away the whole window, is told apart and makes
// nobody else look idle.
func TestWorkOfThoseWhoAreNotThere(t *testing.T) {
	away := onLeave
	away.options, away.from, away.to, away.capacity = ", leave: [{from: 2026-01-01, to: 2026-02-10}]", 4, 32, 0
	db := crewOf(t, map[string]int{"Ann": 40, "Cho": 20, "Dan": 10}, fullTime, partTimer, away)
	onAllBases(t, db, func(q Query, g Group) {
		if g.People != 2 || *g.Gini > 1e-9 || g.Outside.Away != 1 || g.Outside.AwayWork == 0 {
			t.Errorf("%s in %s: %d people, Gini %v, outside %+v", q.Basis, q.Unit, g.People, *g.Gini, g.Outside)
		}
	})
	gone := leaver
	gone.from, gone.to = 12, 32 // nobody has taken their name off
	db = crewOf(t, map[string]int{"Ann": 40, "Cho": 20, "Dan": 10}, fullTime, partTimer, gone)
	onAllBases(t, db, func(q Query, g Group) {
		// Present for a quarter of the window with no work of the team then: an idle
		// member, and a visitor in its queue since.
		if g.People != 3 || math.Abs(g.Capacity-1.75) > 1e-9 || g.Outside.Visitors != 1 {
			t.Errorf("%s in %s: %d people, %v FTE, outside %+v", q.Basis, q.Unit, g.People, g.Capacity, g.Outside)
		}
	})
}
