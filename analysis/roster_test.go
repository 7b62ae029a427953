package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// staff makes a roster of YAML the warehouse's.
func staff(t fataler, db *clickhouse.DB, yaml string) *roster.Roster {
	r, err := roster.Parse(roster.File{Name: "roster.yaml", Text: []byte(yaml)})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.WriteRoster(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// people of the tests: all of them by their own account, in UTC.
const testPeople = `
defaults: {zone: UTC}
people:
  ann: {name: Ann, email: ann@example.com%s}
  bob: {name: Bob, accounts: {jira: bob}%s}
  cho: {name: Cho, email: cho@example.com%s}
  dan: {name: Dan, accounts: {snow: dan}%s}
teams:
`

const testTeams = `
  Alpha: {queues: [{source: snow, queue: g1}, {source: jira, queue: Network}], members: [ann, cho]}
  Beta: {queues: [{source: snow, queue: g2}], members: [dan]}
`

func plainStaff() string { return fmt.Sprintf(testPeople, "", "", "", "") + testTeams }

// TestTeamsOfARoster: zeros count, tickets count wherever they are, and what is
// nobody's is reported apart.
func TestTeamsOfARoster(t *testing.T) {
	db := warehouse(t,
		// Ann works for Alpha wherever: in its queue, in Beta's, in nobody's.
		opened("1", 0).of("jira").give(0, "ann").status(1, "ann", statusDone),
		opened("2", 0).give(0, "u1").update(0, "", map[ticket.Field]string{ticket.FieldGroup: "g2"}).status(2, "u1", statusDone),
		opened("3", 0).give(0, "u1").update(0, "", map[ticket.Field]string{ticket.FieldGroup: "g9"}).status(3, "u1", statusDone),
		// Bob is in no team: a visitor of Alpha's queue, and alone in one of nobody's.
		opened("4", 0).of("jira").give(0, "bob").status(4, "bob", statusDone),
		opened("5", 0).of("jira").update(0, "", map[ticket.Field]string{ticket.FieldGroup: "g3"}).give(0, "bob").status(5, "bob", statusDone),
		// Dan of Beta visits Alpha; nobody holds what is left.
		opened("6", 0).give(0, "dan").status(6, "dan", statusDone),
		opened("7", 0).status(6, "", statusDone),
	)
	staff(t, db, plainStaff())
	groups, err := engine(db).Distribution(context.Background(), Query{AsOf: day(10), Window: Days(10), Basis: Load, Unit: Tickets, By: Team})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(values(groups)), fmt.Sprint(expected{"Alpha": {"Ann": 6, "Cho": 0}, "Beta": {"Dan": 6}, "g3": {"Bob": 5}}); got != want {
		t.Errorf("load is %s, want %s", got, want)
	}
	byName := map[string]Group{}
	for _, g := range groups {
		byName[g.Name] = g
	}
	alpha := byName["Alpha"]
	if alpha.Provisional || alpha.People != 2 || math.Abs(alpha.Capacity-2) > 1e-9 || *alpha.Gini != 0.5 {
		t.Errorf("Alpha is %+v", alpha)
	}
	if want := (Outside{Visitors: 2, VisitorsWork: 10}); alpha.Outside != want {
		t.Errorf("outside of Alpha is %+v, want %+v", alpha.Outside, want)
	}
	if want := (Outside{Visitors: 1, VisitorsWork: 2}); byName["Beta"].Outside != want {
		t.Errorf("outside of Beta is %+v, want %+v", byName["Beta"].Outside, want)
	}
	if !byName["g3"].Provisional {
		t.Error("a queue of nobody's is a team")
	}
	groups, err = engine(db).Distribution(context.Background(), Query{AsOf: day(10), Window: Days(10), Basis: Resolved, Unit: Tickets, By: Team})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if want := map[string]float64{"Alpha": 1}[g.Name]; g.Unassigned != want {
			t.Errorf("%s has %v unassigned, want %v", g.Name, g.Unassigned, want)
		}
	}
}

// TestPresenceIsCapacity: who was there half of the window has half the share.
func TestPresenceIsCapacity(t *testing.T) {
	db := warehouse(t,
		opened("1", 0).give(0, "u1").status(8, "u1", statusDone),
		opened("2", 4).give(4, "cho").status(8, "cho", statusDone),
		opened("3", 0).give(0, "dan").status(8, "dan", statusDone),
	)
	// Two weeks of which Cho was away in the first; Dan in both.
	staff(t, db, fmt.Sprintf(testPeople, "", "", ", leave: [{from: 2026-01-01, to: 2026-01-05}]", ", leave: [{from: 2025-12-01, to: 2026-02-01}]")+
		"  Alpha: {members: [ann, cho, dan]}\n")
	groups, err := engine(db).Distribution(context.Background(), Query{AsOf: day(8), Window: Days(8), Basis: Load, Unit: Tickets, By: Team})
	if err != nil {
		t.Fatal(err)
	}
	// Thursday 1 to Thursday 8 January has six working days; Cho was there on four.
	g := groups[0]
	if len(groups) != 1 || g.People != 2 || math.Abs(g.Capacity-(1+4.0/6)) > 1e-9 {
		t.Fatalf("got %+v", groups)
	}
	if want := (Outside{Away: 1, AwayWork: 8}); g.Outside != want {
		t.Errorf("outside is %+v, want %+v", g.Outside, want)
	}
	for _, p := range g.Engineers {
		// 8 of 12 ticket-days by 6 of 10 person-days; 4 of 12 by 4 of 10.
		if want := map[string]float64{"Ann": (8.0 / 12) / (6.0 / 10), "Cho": (4.0 / 12) / (4.0 / 10)}[p.Name]; math.Abs(*p.Relative-want) > 1e-9 {
			t.Errorf("%s carries %v, want %v", p.Name, *p.Relative, want)
		}
	}
}

// part is how a person's time divides between teams at an hour.
type part struct {
	team string
	of   float64
}

// drawStaff draws memberships, and gives who is in what at an hour.
func drawStaff(t *rapid.T) (yaml string, at func(person string, n int) []part) {
	of := map[string]func(n int) []part{}
	var alpha, beta []string
	options := map[string]string{}
	for _, p := range []string{"ann", "bob", "cho", "dan"} {
		d := rapid.IntRange(1, 4).Draw(t, "day") // from 2026-01-02 on
		date := fmt.Sprintf("2026-01-%02d", d+1)
		before := func(n int) bool { return n < 24*d }
		switch rapid.IntRange(0, 6).Draw(t, p) {
		case 0:
			of[p] = func(int) []part { return nil }
		case 1:
			alpha = append(alpha, p)
			of[p] = func(int) []part { return []part{{"Alpha", 1}} }
		case 2:
			alpha = append(alpha, fmt.Sprintf("{person: %s, to: %s}", p, date))
			beta = append(beta, fmt.Sprintf("{person: %s, from: %s}", p, date))
			of[p] = func(n int) []part {
				if before(n) {
					return []part{{"Alpha", 1}}
				}
				return []part{{"Beta", 1}}
			}
		case 3:
			alpha = append(alpha, fmt.Sprintf("{person: %s, fte: 0.5}", p))
			beta = append(beta, fmt.Sprintf("{person: %s, fte: 0.5}", p))
			of[p] = func(int) []part { return []part{{"Alpha", 0.5}, {"Beta", 0.5}} }
		case 4:
			alpha = append(alpha, fmt.Sprintf("{person: %s, fte: 0.25}", p))
			beta = append(beta, fmt.Sprintf("{person: %s, fte: 0.75, from: %s}", p, date))
			of[p] = func(n int) []part {
				if before(n) {
					return []part{{"Alpha", 1}}
				}
				return []part{{"Alpha", 0.25}, {"Beta", 0.75}}
			}
		case 5:
			beta = append(beta, fmt.Sprintf("{person: %s, to: %s}", p, date))
			of[p] = func(n int) []part {
				if before(n) {
					return []part{{"Beta", 1}}
				}
				return nil
			}
		case 6:
			alpha = append(alpha, p)
			options[p] = ", left: " + date
			of[p] = func(n int) []part {
				if before(n) {
					return []part{{"Alpha", 1}}
				}
				return nil
			}
		}
	}
	yaml = fmt.Sprintf(testPeople, options["ann"], options["bob"], options["cho"], options["dan"]) +
		"  Alpha: {queues: [{source: snow, queue: g1}, {source: jira, queue: g1}], members: [" + strings.Join(alpha, ", ") + "]}\n" +
		"  Beta: {queues: [{source: jira, queue: g2}], members: [" + strings.Join(beta, ", ") + "]}\n"
	return yaml, func(person string, n int) []part {
		if of[person] == nil {
			return nil
		}
		return of[person](n)
	}
}

var rosterPersons = map[string]string{"jira/ann": "ann", "snow/u1": "ann", "jira/bob": "bob", "snow/cho": "cho", "snow/dan": "dan"}

// TestPropertyTeamsByDate: work falls to the team that somebody was in when it
// was theirs, hour by hour, for every basis.
func TestPropertyTeamsByDate(t *testing.T) { propertyTeamsByDate(t, 8) }

func propertyTeamsByDate(t *testing.T, n int) {
	clickhousetest.Cases(t, n)
	db := replayWarehouse(t)
	rapid.Check(t, func(t *rapid.T) {
		all := drawHistories(t)
		load(t, db, all)
		yaml, at := drawStaff(t)
		r := staff(t, db, yaml)
		e := engine(db)
		who := persons(t, e)
		const to = lastHour
		owner := func(h history, group string) string {
			switch h.Source + "/" + group {
			case "snow/g1", "jira/g1":
				return "Alpha"
			case "jira/g2":
				return "Beta"
			}
			return h.keys(state{}, Team, group)[0]
		}
		for _, basis := range []Basis{Load, Assigned} {
			want, visits := replayed{}, replayed{}
			credit := func(h history, account, group string, n int, x float64) {
				own, p := owner(h, group), who[h.Source+"/"+account]
				rostered := own == "Alpha" || own == "Beta"
				parts, name := at(rosterPersons[h.Source+"/"+account], n), p.Pseudonym
				if p.Bot {
					parts, name = nil, "bots"
				}
				if rostered && !p.Bot && !slices.ContainsFunc(parts, func(p part) bool { return p.team == own }) {
					visits.add(own, name, x)
				}
				if len(parts) == 0 && (p.Bot || !rostered) {
					parts = []part{{own, 1}}
				}
				for _, p := range parts {
					want.add(p.team, name, x*p.of)
				}
			}
			for _, h := range all {
				if basis == Assigned {
					for _, a := range timeline.Derive(h.Ticket).Assignments {
						if n := int(a.From.Sub(epoch).Hours()); n < to {
							credit(h, a.Actor, a.Group, n, 1)
						}
					}
					continue
				}
				for n := h.created; n < to; n++ {
					now := h.during(n)
					gone := !h.Deleted.IsZero() && !h.Deleted.After(hour(n))
					if holder := now.value[ticket.FieldAssignee]; holder != "" && !now.done() && !gone {
						credit(h, holder, now.value[ticket.FieldGroup], n, 1.0/24)
					}
				}
			}
			groups, err := e.Distribution(context.Background(), Query{AsOf: hour(to), Basis: basis, Unit: Tickets, By: Team})
			if err != nil {
				t.Fatal(err)
			}
			first := slices.MinFunc(all, func(a, b history) int { return a.created - b.created })
			got := replayed{}
			for _, g := range groups {
				for _, p := range g.Engineers {
					if p.Value != 0 {
						got.add(g.Name, p.Pseudonym, p.Value)
					}
				}
				if g.Bots != 0 {
					got.add(g.Name, "bots", g.Bots)
				}
				if g.Outside.AwayWork != 0 {
					got.add(g.Name, "away", g.Outside.AwayWork)
				}
				sum := 0.0
				for _, x := range visits[g.Name] {
					sum += x
				}
				if math.Abs(sum-g.Outside.VisitorsWork) > 1e-9 || len(visits[g.Name]) != g.Outside.Visitors {
					t.Fatalf("%s has visitors %+v, want %v", g.Name, g.Outside, visits[g.Name])
				}
				// Everybody who was there is there, with or without work.
				people := 0
				for _, m := range r.Members(g.Name, first.Created, hour(to)) {
					if m.Capacity > 0 {
						people++
					}
				}
				if !g.Provisional && people != g.People {
					t.Fatalf("%s has %d people, want %d", g.Name, g.People, people)
				}
			}
			for team, values := range want {
				away := 0.0
				for name, x := range values {
					// Of somebody with no capacity in the window it is known as away.
					if got[team][name] == 0 {
						away += x
					} else if math.Abs(x-got[team][name]) > 1e-9 {
						t.Fatalf("%s, %s of %s: got %v, want %v\n%s", basis, name, team, got, want, yaml)
					}
				}
				if math.Abs(away-got[team]["away"]) > 1e-9 {
					t.Fatalf("%s of %s: got %v, want %v\n%s", basis, team, got, want, yaml)
				}
			}
			for team := range got {
				if want[team] == nil {
					t.Fatalf("%s: got %v, want %v\n%s", basis, got, want, yaml)
				}
			}
		}
	})
}

// TestUnmatched: who held a ticket and is nobody of the roster is counted; who
// only wrote on one, as whoever reported it does, is not.
func TestUnmatched(t *testing.T) {
	db := warehouse(t,
		opened("1", 0).give(0, "u1").comment(1, "dan").status(2, "u1", statusDone),
		opened("2", 0).of("jira").give(0, "bob").comment(1, "cho").status(2, "bob", statusDone),
	)
	staff(t, db, "people: {ann: {name: Ann, email: ann@example.com, zone: UTC, hours: mon-fri 09:00-17:00}}\nteams: {Alpha: {members: [ann]}}\n")
	s, err := engine(db).Snapshot(context.Background(), day(30))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.Unmatched); got != "map[jira:1 snow:0]" {
		t.Errorf("unmatched are %s, want Bob's account alone", got)
	}
}
