package analysis

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fairlead/connectors/roster"
)

// TestForgottenCount: what a team did stays what it was when somebody of it is
// erased, and nobody is told of them singly any more.
func TestForgottenCount(t *testing.T) {
	for _, rostered := range []bool{false, true} {
		t.Run(fmt.Sprintf("roster %v", rostered), func(t *testing.T) {
			var tickets []*written
			n := 0
			open := func(from, to float64, source, who string) {
				n++
				w := opened(fmt.Sprint(n), from).of(source).give(from, who)
				if to > 0 {
					w.status(to, who, statusDone)
				}
				tickets = append(tickets, w)
			}
			for i := range 30 { // Ann has an account in each of the two
				at := float64(i * 3)
				open(at, at+9, "snow", "u1")
				open(at, at+8, "jira", "ann")
				open(at, at+4, "snow", "cho")
				open(at, at+5, "snow", "dan")
			}
			open(80, 0, "snow", "u1")
			open(81, 0, "snow", "cho")
			db := warehouse(t, tickets...)
			ann := "Ann"
			if rostered {
				staff(t, db, fmt.Sprintf(testPeople, "", "", "", "")+"  Alpha: {queues: [{source: snow, queue: g1}], members: [ann, cho, dan]}\n")
			}
			e := engine(db)
			e.config.Windows, e.draws = []Window{Days(90)}, 99
			ctx := context.Background()
			at := day(95)
			team := "Alpha"
			if !rostered {
				team = "Network"
			}
			explained := func() Explanation {
				t.Helper()
				x, err := e.Explain(ctx, ExplainQuery{AsOf: at, Team: team, Window: Days(90), Basis: Load, Unit: Tickets})
				if err != nil {
					t.Fatal(err)
				}
				return x
			}
			before, err := e.Snapshot(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			why := explained()
			mark, err := e.Mark(ctx)
			if err != nil {
				t.Fatal(err)
			}
			pseudonym := ""
			for _, groups := range before.Teams {
				for _, g := range groups {
					for _, p := range g.Engineers {
						if p.Name == ann {
							pseudonym = p.Pseudonym
						}
					}
				}
			}
			if pseudonym == "" || !strings.Contains(told(t, before), pseudonym) {
				t.Fatal("Ann is nowhere from the beginning")
			}
			erasedFromShown(t, before, pseudonym, "Ann")
			who, found, err := e.Whois(ctx, pseudonym)
			if err != nil || !found {
				t.Fatal(found, err)
			}
			var accounts []roster.AccountRef
			for _, a := range who.Accounts {
				accounts = append(accounts, roster.AccountRef{Source: a.Source, ID: a.ID})
			}
			if len(accounts) != 2 {
				t.Fatalf("Ann has the accounts %v", accounts)
			}

			if _, err := db.Forget(ctx, accounts, []string{who.Email}); err != nil {
				t.Fatal(err)
			}
			if again, err := e.Mark(ctx); err != nil || again == mark {
				t.Errorf("an analysis would be left out: %v", err)
			}
			after, err := e.Snapshot(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			text := told(t, after)
			for _, trace := range []string{pseudonym, "Ann", "ann@", "former-"} {
				if strings.Contains(text, trace) {
					t.Errorf("%q is in the snapshot", trace)
				}
			}
			for key, groups := range before.Teams {
				if len(groups) != len(after.Teams[key]) {
					t.Fatalf("%v: %d groups, and %d", key, len(groups), len(after.Teams[key]))
				}
				for i, g := range groups {
					h := after.Teams[key][i]
					if len(h.Engineers) != len(g.Engineers)-1 && g.People == 3 {
						t.Errorf("%v %s shows %d of %d", key, g.Name, len(h.Engineers), len(g.Engineers))
					}
					g.Engineers, h.Engineers = nil, nil
					if fmt.Sprint(rounded(t, g)) != fmt.Sprint(rounded(t, h)) {
						t.Errorf("%v %s was\n%v, and is\n%v", key, g.Name, rounded(t, g), rounded(t, h))
					}
				}
			}
			for i, was := range before.States {
				if is := after.States[i]; was.People != is.People || was.Judged != is.Judged || was.Handovers != is.Handovers || was.Knowledge.Sole != is.Knowledge.Sole {
					t.Errorf("the state of %s was %+v, and is %+v", was.Team, was, is)
				}
			}
			if !reflect.DeepEqual(before.Open.Teams, after.Open.Teams) {
				t.Errorf("open work was %+v, and is %+v", before.Open.Teams, after.Open.Teams)
			}
			if _, found, err := e.Whois(ctx, pseudonym); err != nil || found {
				t.Errorf("the pseudonym still stands for somebody: %v", err)
			}
			colleagues, err := e.Colleagues(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := colleagues.Signed("ann@example.com"); ok {
				t.Error("the address is still known")
			}

			now := explained()
			text = told(t, now)
			for _, trace := range []string{pseudonym, `"Ann"`, "former-"} {
				if strings.Contains(text, trace) {
					t.Errorf("%q is in the explanation", trace)
				}
			}
			if !strings.Contains(text, formerEngineer) || len(now.Figures) != len(why.Figures) {
				t.Error("a figure is no longer taken apart whole")
			}
			for i, f := range why.Figures {
				if g := now.Figures[i]; f.Value != nil && fmt.Sprintf("%.9g", *f.Value) != fmt.Sprintf("%.9g", *g.Value) {
					t.Errorf("%s was %v, and is %v", f.Name, *f.Value, *g.Value)
				}
			}
			plan, err := e.Rebalance(ctx, team, at, RebalanceOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if text := told(t, plan); strings.Contains(text, "former-") || plan.LeftOut.Unassigned == 0 {
				t.Errorf("the plan speaks of an erased person: %s", text)
			}
			for s, err := range e.Snapshots(ctx, PastQuery{From: at.AddDate(0, 0, -7), To: at, Every: EveryWeek, People: true}) {
				if err != nil {
					t.Fatal(err)
				}
				if text := told(t, s); strings.Contains(text, "former-") || strings.Contains(text, pseudonym) {
					t.Error("the history speaks of an erased person")
				}
			}
		})
	}
}

// erasedFromShown: of who is erased nothing is shown from then on, though no new
// analysis has been made, and though one ends that was begun before; those who read
// the snapshot before go on reading it, and groups' figures stay.
func erasedFromShown(t *testing.T, s *Snapshot, pseudonym, name string) {
	t.Helper()
	text := told(t, s)
	var shown Published
	if shown.Erase(); shown.Load() != nil {
		t.Fatal("something is shown before there is anything")
	}
	shown.Store(s)
	if shown.Load() != s {
		t.Error("another snapshot is shown, though nobody is erased")
	}
	shown.Erase(pseudonym)
	for _, when := range []string{"at once", "after an analysis that was under way"} {
		now := shown.Load()
		for _, trace := range []string{pseudonym, name} {
			if strings.Contains(told(t, now), trace) {
				t.Errorf("%q is shown %s", trace, when)
			}
		}
		for key, groups := range s.Teams {
			for i, g := range groups {
				h := now.Teams[key][i]
				g.Engineers, h.Engineers = nil, nil
				if !reflect.DeepEqual(g, h) {
					t.Errorf("%s: %v %s was %+v, and is %+v", when, key, g.Name, g, h)
				}
			}
		}
		shown.Store(s)
	}
	if told(t, s) != text {
		t.Error("the snapshot was changed under those who read it")
	}
}

// told is all that a value says.
func told(t *testing.T, v any) string {
	t.Helper()
	if s, ok := v.(*Snapshot); ok {
		all := []any{s.Unmatched, s.Open, s.States, s.Overload, s.Areas, s.Findings}
		keys := slices.SortedFunc(maps.Keys(s.Teams), func(a, b TeamsKey) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, key := range keys {
			all = append(all, s.Teams[key])
		}
		return told(t, all)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rounded is a group's figures without the noise of another order of adding up.
func rounded(t *testing.T, g Group) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(told(t, g)), &all); err != nil {
		t.Fatal(err)
	}
	for k, v := range all {
		if x, ok := v.(float64); ok {
			all[k] = fmt.Sprintf("%.9g", x)
		}
	}
	return all
}
