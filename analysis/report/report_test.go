package report

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"fairlead/analysis"
)

func written(t testing.TB, r *Report, f Format) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func made(t testing.TB, q *analysis.Quarter, o Options) *Report {
	t.Helper()
	o.Fairlead = "test"
	r, err := New(q, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOrganisation is the report of the generated organisation, for all audiences,
// with its roster.
func TestOrganisation(t *testing.T) {
	db, o := organisation(t, 4_000, true)
	q := quarter(t, db, "2026Q3", o.Now)
	everybody := made(t, q, Options{Audience: Group})
	valid(t, []byte(written(t, everybody, JSON)))

	// For everybody: not one pseudonym, not one name, not one ticket.
	all := written(t, everybody, HTML) + written(t, everybody, CSV) + written(t, everybody, JSON)
	people := 0
	for _, p := range q.All.Parts {
		people++
		for _, who := range []string{p.Pseudonym, p.Name} {
			if who != "" && strings.Contains(all, who) {
				t.Errorf("the report for everybody has %s", who)
			}
		}
	}
	if people < 40 {
		t.Errorf("only %d people", people)
	}
	// "Generated" is the text that every ticket of the fakes has.
	for _, text := range []string{"INC0", "PAY-", "@example", "Generated"} {
		if strings.Contains(all, text) {
			t.Errorf("the report for everybody has %q", text)
		}
	}

	team := o.Truths.OverloadedTeam.Name
	lead := made(t, q, Options{Audience: Lead, Teams: []string{team}, Names: true})
	valid(t, []byte(written(t, lead, JSON)))
	if len(lead.Workload.Teams) != 1 || lead.Workload.All != nil || len(lead.Workload.People) == 0 {
		t.Errorf("the lead of %s sees %d teams and %d people", team, len(lead.Workload.Teams), len(lead.Workload.People))
	}
	members := map[string]bool{}
	for _, g := range q.Snapshot.Teams[analysis.TeamsKey{Window: q.Window, Basis: analysis.Load, Unit: analysis.Tickets}] {
		if g.Name == team {
			for _, p := range g.Engineers {
				members[p.Pseudonym] = true
			}
		}
	}
	text := written(t, lead, HTML) + written(t, lead, CSV) + written(t, lead, JSON)
	for _, p := range q.All.Parts {
		if !members[p.Pseudonym] && p.Name != o.Truths.Overloaded.Name && strings.Contains(written(t, lead, CSV), ","+p.Pseudonym+",") &&
			!holdsIn(q, p.Pseudonym, team) {
			t.Errorf("the lead of %s sees %s, who is not of the team", team, p.Pseudonym)
		}
	}
	if !strings.Contains(text, o.Truths.Overloaded.Name) {
		t.Error("with names, the lead's report lacks the name of a member")
	}
	self := ""
	for _, p := range q.All.Parts {
		if p.Name == o.Truths.Overloaded.Name {
			self = p.Pseudonym
		}
	}
	own := made(t, q, Options{Audience: Self, Engineer: self})
	valid(t, []byte(written(t, own, JSON)))
	text = written(t, own, HTML) + written(t, own, CSV) + written(t, own, JSON)
	for _, p := range q.All.Parts {
		if p.Pseudonym != self && strings.Contains(text, p.Pseudonym) {
			t.Errorf("the report of %s has %s", self, p.Pseudonym)
		}
		if p.Name != "" && strings.Contains(text, p.Name) {
			t.Errorf("without names, the report has %s", p.Name)
		}
	}
	if len(own.Workload.People) == 0 || len(own.Knowledge.Own) == 0 {
		t.Error("an engineer's own report has nothing of theirs")
	}

	t.Run("twice", func(t *testing.T) {
		again := made(t, quarter(t, db, "2026Q3", o.Now), Options{Audience: Group})
		for _, f := range []Format{HTML, CSV, JSON} {
			if written(t, again, f) != written(t, everybody, f) {
				t.Errorf("the same quarter made twice gives another %s", f)
			}
		}
		if again.ID() != everybody.ID() {
			t.Error("and another id")
		}
		decoded, err := Decode([]byte(written(t, everybody, JSON)))
		if err != nil {
			t.Fatal(err)
		}
		if written(t, decoded, HTML) != written(t, everybody, HTML) {
			t.Error("a stored report becomes another page")
		}
	})
}

// holdsIn is whether somebody holds evidence in an area of a team.
func holdsIn(q *analysis.Quarter, pseudonym, team string) bool {
	for _, a := range q.Snapshot.Areas {
		for _, h := range a.Holders {
			if a.Team == team && h.Pseudonym == pseudonym {
				return true
			}
		}
	}
	return false
}

func TestCSVIsWhole(t *testing.T) {
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	gini := 0.25
	r := &Report{
		Schema: SchemaVersion, Quarter: "2026Q3", From: at, Audience: Group, Summary: []string{"=1+1"},
		Workload: Workload{Teams: []TeamLoad{{Team: "=cmd()", Gini: &gini, Quarters: []QuarterPoint{{Quarter: "2026Q2", Excess: &gini}}}}},
	}
	rows, err := csv.NewReader(strings.NewReader(written(t, r, CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, row := range rows {
		got[strings.Join(row[:7], "|")] = row[7]
	}
	for key, want := range map[string]string{
		"report|from|||||":                                 "2026-07-01T00:00:00Z",
		"report|summary|||||1":                             "'=1+1",
		"workload|teams.gini|'=cmd()||||":                  "0.25",
		"workload|teams.quarters.excess|'=cmd()||||2026Q2": "0.25",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o    Options
		says string
	}{
		{Options{Audience: "boss"}, "is none: give group"},
		{Options{Audience: Lead}, "is about one team"},
		{Options{Audience: Lead, Teams: []string{"a", "b"}}, "is about one team"},
		{Options{Audience: Self}, "give the pseudonym"},
		{Options{Audience: Self, Engineer: "a", Teams: []string{"b"}}, "leave the team out"},
		{Options{Audience: Group, Engineer: "a"}, "is not about one engineer"},
		{Options{Audience: Group, Names: true}, "leave the names out"},
		{Options{Audience: Group, MinPeople: -1}, "give at least 1"},
	} {
		if _, err := New(nil, c.o); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want it to say %q", c.o, err, c.says)
		}
	}
	for _, text := range []string{"", "{", `{"schema": "other"}`, `{"unknown": 1}`} {
		if _, err := Decode([]byte(text)); err == nil {
			t.Errorf("%q is taken for a report", text)
		}
	}
}

// TestStoredQuarters: a reader is told which figures of the trends are stored ones,
// and what is missing.
func TestStoredQuarters(t *testing.T) {
	window := func(name string) analysis.Window {
		w, err := analysis.ParseWindow(name)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	from, to := window("2026Q3").Bounds(now)
	groups := func(people int) []analysis.Group {
		g := analysis.Group{By: analysis.Team, Name: "Payments", People: people, Total: 9}
		for i := range people {
			g.Engineers = append(g.Engineers, analysis.Part{Pseudonym: "p" + itoa(i), Value: 1, Capacity: 1})
		}
		return []analysis.Group{g}
	}
	half := 0.5
	point := func(name string, people int, shown, stored bool) analysis.QuarterPoint {
		return analysis.QuarterPoint{Window: window(name), People: people, Gini: &half, Excess: &half, Shown: shown, Stored: stored}
	}
	points := []analysis.QuarterPoint{{Window: window("2024Q4")}, point("2025Q1", 7, true, true), point("2025Q2", 7, true, true), point("2025Q3", 7, false, false), point("2026Q3", 7, true, false)}
	whole := time.Date(2025, 5, 25, 0, 0, 0, 0, time.UTC)
	q := &analysis.Quarter{
		Window: window("2026Q3"), From: from, To: to, Over: true, Method: "quarter/9+effort/1+0", Whole: whole, Deleted: whole,
		Data:     analysis.DataVersion{Tickets: 9, Begin: whole, Last: now},
		Snapshot: &analysis.Snapshot{Rostered: true, Teams: map[analysis.TeamsKey][]analysis.Group{{Window: window("2026Q3"), Basis: analysis.Load, Unit: analysis.Tickets}: groups(7)}},
		Teams:    []analysis.TeamQuarter{{Team: "Payments", Quarters: points}},
		All:      analysis.Everybody{People: 7, Capacity: 7, Total: 9, Quarters: points},
		Kept:     []analysis.KeptQuarter{{Window: window("2025Q1"), Method: "quarter/8+1", History: "h"}, {Window: window("2025Q2"), Method: "quarter/9+2", History: "h"}},
	}
	everybody := made(t, q, Options{Audience: Group})
	valid(t, []byte(written(t, everybody, JSON)))
	page := written(t, everybody, HTML)
	for _, want := range []string{
		"Tickets of 2025Q1, 2025Q2 are deleted, as they are older than is kept: the figures of that time are those that were stored before.",
		"Some were made by other rules than the rest (2025Q1 by quarter/8&#43;1)",
		"The data reach back to the beginning of the quarter. Tickets that were closed before 25 May 2025 are deleted, as they are older than is kept",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// 2025Q3 may not be shown to others, though the team is large enough.
	shown := func(r *Report) (list []string) {
		for _, p := range r.Workload.Teams[0].Quarters {
			if p.People != nil {
				list = append(list, p.Quarter)
			}
		}
		return list
	}
	if got := strings.Join(shown(everybody), " "); got != "2025Q1 2025Q2 2026Q3" {
		t.Errorf("others see %s", got)
	}
	if got := strings.Join(shown(made(t, q, Options{Audience: Lead, Teams: []string{"Payments"}})), " "); got != "2025Q1 2025Q2 2025Q3 2026Q3" {
		t.Errorf("the lead sees %s", got)
	}
	q.Kept, q.Deleted = nil, time.Time{}
	if page := written(t, made(t, q, Options{Audience: Group}), HTML); strings.Contains(page, "were stored before.") || !strings.Contains(page, "Tickets that were closed before 25 May 2025 were not collected") {
		t.Error("what was not collected is told as deleted")
	}
	q.Whole = time.Time{}
	if page := written(t, made(t, q, Options{Audience: Group}), HTML); strings.Contains(page, "25 May 2025 ") {
		t.Error("something is missing where nothing is")
	}
}
