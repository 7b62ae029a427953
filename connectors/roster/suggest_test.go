package roster

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/ticket"
)

var update = flag.Bool("update", false, "write the golden files anew")

// evidence is of two teams over two systems, with one of everything that needs a
// decision.
func evidence() Evidence {
	e := Evidence{Days: 90, Zones: map[AccountRef]string{}}
	account := func(source, id, name, email string) {
		e.Accounts = append(e.Accounts, ticket.Account{Source: source, ID: id, Name: name, Email: email, Active: true})
	}
	held := func(source, id, group string, tickets int) {
		e.Held = append(e.Held, Held{AccountRef{source, id}, group, tickets, utc("2026-05-20 12:00")})
	}
	for i, name := range []string{"Ann Abara", "Bob Bakker", "Cyd Čapek", "Dee Dvořák"} {
		first := []string{"ann", "bob", "cyd", "dee"}[i]
		account("servicenow", "sn-"+first, name, first+"@example.org")
		e.Zones[AccountRef{"servicenow", "sn-" + first}] = []string{"Europe/Berlin", "Europe/Berlin", "Asia/Kolkata", "US/Nowhere"}[i]
		if first == "dee" {
			account("jira", "j-dee", name, "") // hidden
		} else {
			account("jira", "j-"+first, name, "  "+first+"@EXAMPLE.org")
		}
	}
	// Payments: a project and a group of ann, bob, cyd. Web: a project of dee, and a fifth of cyd.
	for _, who := range []string{"ann", "bob", "cyd"} {
		held("jira", "j-"+who, "10001", 30)
		held("servicenow", "sn-"+who, "g-pay", 20)
	}
	held("jira", "j-dee", "10002", 25)
	held("jira", "j-cyd", "10002", 25)
	held("jira", "j-ann", "10002", 1) // a visitor
	held("servicenow", "sn-bob", "", 3)

	account("servicenow", "sn-eve", "Eve Eriksen", "eve@example.org") // in the group, no ticket
	account("servicenow", "sn-max", "Max Moreau", "max@example.org")  // manages
	account("servicenow", "sn-req", "Rita Requester", "rita@example.org")
	account("jira", "j-x1", "Alex Kim", "desk@example.org") // an address of two
	account("jira", "j-x2", "Alex Kim", "desk@example.org")
	held("jira", "j-x1", "10002", 4)
	e.Accounts = append(e.Accounts,
		ticket.Account{Source: "jira", ID: "robot", Name: "Automation", Active: true, Bot: true},
		ticket.Account{Source: "jira", ID: "j-gone", Name: "Gus Gone", Email: "gus@example.org"})
	held("jira", "robot", "10002", 40)
	held("jira", "j-gone", "10002", 10)
	held("jira", "erased", "10002", 2)
	e.Groups = []Group{
		{Source: "jira", ID: "10001", Name: "PAY"}, {Source: "jira", ID: "10002", Name: "WEB"},
		{Source: "servicenow", ID: "g-pay", Name: "Payments: Support", Manager: "sn-max", Members: []string{"sn-eve", "sn-ann", "sn-dee", "none"}},
		{Source: "servicenow", ID: "g-idle", Name: "Idle", Members: []string{"sn-req"}},
	}
	return e
}

func TestSuggest(t *testing.T) {
	const golden = "testdata/suggested.yaml"
	got := Suggest(evidence())
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the draft is not that of %s (run with -update if it should change):\n%s", golden, got)
	}
	r, err := Parse(File{"draft.yaml", got})
	if err != nil {
		t.Fatal(err)
	}
	at := utc("2026-05-01")
	for _, c := range []struct {
		person, team string
		fte          float64
	}{{"ann", "Payments: Support", 1}, {"bob", "Payments: Support", 1}, {"cyd", "Payments: Support", 0.7}, {"cyd", "WEB", 0.3}, {"dee", "WEB", 1}, {"eve", "Payments: Support", 1}, {"gus", "WEB", 1}} {
		found := false
		for _, m := range r.Memberships(c.person, at) {
			found = found || m.Team == c.team && m.FTE == c.fte
		}
		if !found {
			t.Errorf("%s is not in %s for %v: %v", c.person, c.team, c.fte, r.Memberships(c.person, at))
		}
	}
	if lead := r.Lead("Payments: Support", at); lead != "max" {
		t.Errorf("lead is %q", lead)
	}
	m := r.Match(evidence().Accounts)
	for account, want := range map[AccountRef]string{{"jira", "j-ann"}: "ann", {"servicenow", "sn-ann"}: "ann", {"jira", "j-dee"}: "dee", {"jira", "robot"}: "", {"servicenow", "sn-req"}: ""} {
		if got := m.Person(account.Source, account.ID); got != want {
			t.Errorf("%v is %q's, want %q", account, got, want)
		}
	}
	if q := r.QueueTeam("jira", at, "10001"); q != "Payments: Support" {
		t.Errorf("PAY is %q's", q)
	}
}

func TestSuggestOfNobody(t *testing.T) {
	if got := Suggest(Evidence{Days: 90}); !bytes.Contains(got, []byte("collect some first")) {
		t.Errorf("of nothing it drafts\n%s", got)
	}
}

// TestPropertySuggestedIsARoster: whatever names, ids and groups there are, the
// draft parses, has everybody who held a ticket, and does not depend on order.
func TestPropertySuggestedIsARoster(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", "null", "Ann Abara", "ann@example.org", "desk@example.org", "x: y # z", "- ", "10001", "é ł", "\x1b[31m", "on"}), rapid.String())
	source := rapid.SampledFrom([]string{"jira", "servicenow", "true", "1"})
	rapid.Check(t, func(t *rapid.T) {
		e := Evidence{Days: 90, Zones: map[AccountRef]string{}}
		for range rapid.IntRange(0, 12).Draw(t, "accounts") {
			a := ticket.Account{Source: source.Draw(t, "source"), ID: text.Draw(t, "id"), Name: text.Draw(t, "name"), Email: text.Draw(t, "email"),
				Active: rapid.Bool().Draw(t, "active"), Bot: rapid.IntRange(0, 9).Draw(t, "bot") == 0}
			e.Accounts = append(e.Accounts, a)
			if rapid.Bool().Draw(t, "zoned") {
				e.Zones[AccountRef{a.Source, a.ID}] = rapid.SampledFrom([]string{"Europe/Berlin", "Local", "x"}).Draw(t, "zone")
			}
			for range rapid.IntRange(0, 3).Draw(t, "held") {
				e.Held = append(e.Held, Held{AccountRef{a.Source, a.ID}, rapid.SampledFrom([]string{"g1", "g2", "", "\n"}).Draw(t, "group"),
					rapid.IntRange(0, 50).Draw(t, "tickets"), time.UnixMilli(rapid.Int64Range(-1<<60, 1<<60).Draw(t, "last"))})
			}
		}
		for range rapid.IntRange(0, 4).Draw(t, "groups") {
			e.Groups = append(e.Groups, Group{source.Draw(t, "source"), rapid.SampledFrom([]string{"g1", "g2"}).Draw(t, "group"), text.Draw(t, "name"),
				text.Draw(t, "manager"), rapid.SliceOfN(text, 0, 4).Draw(t, "members")})
		}
		draft := Suggest(e)
		r, err := Parse(File{"draft.yaml", draft})
		if err != nil {
			if bytes.Contains(draft, []byte("collect some first")) {
				return
			}
			t.Fatalf("%v\n%s", err, draft)
		}
		// The same account twice, with other words, is a question of order.
		seen := map[AccountRef]bool{}
		for _, a := range e.Accounts {
			if seen[AccountRef{a.Source, a.ID}] {
				return
			}
			seen[AccountRef{a.Source, a.ID}] = true
		}
		m := r.Match(e.Accounts)
		held := map[AccountRef]bool{}
		for _, h := range e.Held {
			held[h.AccountRef] = held[h.AccountRef] || h.Tickets > 0
		}
		for _, a := range e.Accounts {
			if ref := (AccountRef{a.Source, a.ID}); held[ref] && !a.Bot && plain(a.ID) && m.Person(a.Source, a.ID) == "" {
				t.Fatalf("%v held tickets and is nobody's\n%s", ref, draft)
			}
		}
		named := map[string]bool{}
		for _, g := range e.Groups {
			if named[g.Source+g.ID] {
				return // likewise
			}
			named[g.Source+g.ID] = true
		}
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)).Shuffle(len(e.Accounts), func(i, j int) { e.Accounts[i], e.Accounts[j] = e.Accounts[j], e.Accounts[i] })
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2)).Shuffle(len(e.Held), func(i, j int) { e.Held[i], e.Held[j] = e.Held[j], e.Held[i] })
		if again := Suggest(e); !bytes.Equal(again, draft) {
			t.Fatalf("in another order it is\n%s\nand was\n%s", again, draft)
		}
	})
}

func BenchmarkSuggest(b *testing.B) {
	e := Evidence{Days: 90}
	for i := range 5_000 {
		for _, source := range []string{"jira", "servicenow"} {
			id := fmt.Sprint(source, i)
			e.Accounts = append(e.Accounts, ticket.Account{Source: source, ID: id, Name: fmt.Sprint("Name ", i), Email: fmt.Sprintf("p%d@example.org", i), Active: true})
			e.Held = append(e.Held, Held{AccountRef{source, id}, fmt.Sprint(i / 8), 20, time.Time{}})
		}
	}
	for b.Loop() {
		Suggest(e)
	}
}
