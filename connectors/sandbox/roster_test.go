package sandbox

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
)

func parsedRoster(t *testing.T, o *Organisation) *roster.Roster {
	t.Helper()
	r, err := roster.Parse(roster.File{Name: "roster.yaml", Text: o.RosterYAML()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRosterSaysWhatTheOrganisationIs: who is in which team, leads it, is on call
// and at work, day by day.
func TestRosterSaysWhatTheOrganisationIs(t *testing.T) {
	for seed := range uint64(3) {
		o := Generate(seed, testNow.AddDate(0, 0, -int(97*seed)), Options{Tickets: MinTickets})
		r := parsedRoster(t, o)
		if len(r.Teams()) != len(o.Teams) {
			t.Errorf("%d teams, want %d", len(r.Teams()), len(o.Teams))
		}
		engineers := 0
		for _, p := range o.People {
			if p.Role == Engineer {
				engineers++
			}
		}
		if len(r.People()) != engineers {
			t.Errorf("%d people, want %d", len(r.People()), engineers)
		}
		for _, team := range o.Teams {
			// At noon UTC of a day everybody has begun it or will not.
			for at := o.start().Add(12 * time.Hour); at.Before(o.Now); at = at.AddDate(0, 0, 1) {
				want := map[string]float64{}
				for _, m := range team.Members {
					if !at.Before(m.From) && (m.To.IsZero() || at.Before(m.To)) {
						want[rosterID(m.Person)] = m.FTE
					}
				}
				got := r.MembersAt(team.Name, at)
				if len(got) != len(want) {
					t.Fatalf("%s at %s: members are %v, want %v", team.Name, at, got, want)
				}
				for _, m := range got {
					if fte, ok := want[m.Person]; !ok || fte != m.FTE {
						t.Fatalf("%s at %s: %s for %v, want %v, %v", team.Name, at, m.Person, m.FTE, fte, ok)
					}
				}
				var onCall []string
				if p := team.onCallAt(at); p != nil {
					onCall = []string{rosterID(p)}
				}
				if got := r.OnCallFor(team.Name, at); !slices.Equal(got, onCall) {
					t.Fatalf("%s at %s: on call are %v, want %v", team.Name, at, got, onCall)
				}
			}
			if lead := r.Lead(team.Name, o.Now); lead != rosterID(team.Lead) {
				t.Errorf("%s is led by %q", team.Name, lead)
			}
			for _, q := range team.Queues {
				name, source := q.Key, "jira"
				if q.System == ServiceNow {
					name, source = q.Name, "servicenow"
				}
				if got := r.QueueTeam(source, o.Now, name); got != team.Name {
					t.Errorf("queue %s is that of %q, want %s", name, got, team.Name)
				}
			}
		}
		for _, p := range o.People {
			if p.Role != Engineer || p == o.Truths.Overloaded {
				continue // the overloaded one works more than was agreed
			}
			want := int64(0)
			for i := range p.work.start {
				if from, to := p.work.start[i], min(p.work.end[i], o.Now.UnixMilli()); from < to {
					want += to - from
				}
			}
			got := r.Presence(rosterID(p), o.start(), o.Now)
			if got.Present.Milliseconds() != want {
				t.Errorf("%s was present for %s, by the generator for %s", rosterID(p), got.Present, time.Duration(want)*time.Millisecond)
			}
			if got.Ratio() > 0.97 || math.IsNaN(got.Ratio()) {
				t.Errorf("%s was never away: %v", rosterID(p), got)
			}
		}
	}
}

// TestRosterFindsEveryAccount: whoever holds tickets, in either flavour, deleted
// accounts among them, is somebody of the roster or a bot.
func TestRosterFindsEveryAccount(t *testing.T) {
	o := Generate(1, testNow, Options{Tickets: 3_000, Asana: true})
	r := parsedRoster(t, o)
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		var accounts []ticket.Account
		owner := map[roster.AccountRef]*Person{}
		for _, tk := range o.Tickets {
			for _, h := range o.Holdings(tk) {
				p := h.Person
				a := ticket.Account{Source: tk.System().String(), ID: p.Account(tk.System(), flavour), Email: p.Email, Bot: p.Role == Bot}
				switch tk.System() {
				case Jira:
					a.Email = p.JiraEmail
				case Asana:
					a.ID = p.AsanaUser()
				}
				if p.Deleted {
					a.Email = ""
				}
				if ref := (roster.AccountRef{Source: a.Source, ID: a.ID}); owner[ref] == nil {
					owner[ref] = p
					accounts = append(accounts, a)
				}
			}
		}
		m := r.Match(accounts)
		for _, u := range m.Unmatched {
			t.Errorf("%v: %s %s, of %s, %s", flavour, u.Source, u.ID, owner[roster.AccountRef{Source: u.Source, ID: u.ID}].Email, u.Reason)
		}
		for ref, p := range owner {
			if want := rosterID(p); p.Role == Engineer && m.Person(ref.Source, ref.ID) != want {
				t.Errorf("%v is of %q, want %s", ref, m.Person(ref.Source, ref.ID), want)
			}
		}
	}
}

func TestRosterIsDeterministic(t *testing.T) {
	small := Options{Tickets: MinTickets}
	one := Generate(7, testNow, small).RosterYAML()
	if !bytes.Equal(one, Generate(7, testNow, small).RosterYAML()) {
		t.Error("the same organisation has two rosters")
	}
	if bytes.Equal(one, Generate(8, testNow, small).RosterYAML()) {
		t.Error("two organisations have one roster")
	}
}
