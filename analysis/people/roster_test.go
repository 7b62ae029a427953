package people

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
)

func parse(t fataler, text string) *roster.Roster {
	r, err := roster.Parse(roster.File{Name: "roster.yaml", Text: []byte("defaults: {zone: UTC}\n" + text)})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return r
}

type fataler interface {
	Fatalf(format string, args ...any)
}

func enlisted(t fataler, r *roster.Roster, mapped []Account, accounts ...Account) *Directory {
	d, err := ResolveRoster(testKey, accounts, r, mapped, nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return d
}

// bare is an account of which only the roster tells.
func bare(surrogate uint64, source, id string) Account {
	return Account{surrogate, ticket.Account{Source: source, ID: id}}
}

func TestJoiningByRoster(t *testing.T) {
	const ann = "people: {ann: {email: [ann@x.org, maiden@x.org], name: Ann, accounts: {jira: hidden, servicenow: gone}}, bob: {email: bob@x.org}}"
	cases := []struct {
		name, roster string
		accounts     []Account
		mapped       []Account
		want         map[string][]uint64 // by person; "-n" for who is not in it, by their first surrogate
		unmatched    []uint64
	}{
		{"by address and by map", ann,
			[]Account{account(1, "jira", "hidden", ""), account(2, "asana", "a", "ANN@x.org"), account(3, "snow", "m", "maiden@x.org"), account(4, "jira", "b", "bob@x.org")}, nil,
			map[string][]uint64{"ann": {1, 2, 3}, "bob": {4}}, nil},
		{"who is not in it stays who they were", ann,
			[]Account{account(5, "jira", "c", "cyd@x.org"), account(6, "snow", "c", "cyd@x.org"), account(7, "snow", "d", "")}, nil,
			map[string][]uint64{"ann": nil, "bob": nil, "-5": {5, 6}, "-7": {7}}, []uint64{5, 6, 7}},
		{"an address of two accounts says nothing", ann,
			[]Account{account(8, "jira", "b1", "bob@x.org"), account(9, "jira", "b2", "bob@x.org"), account(10, "snow", "b", "bob@x.org")}, nil,
			map[string][]uint64{"ann": nil, "bob": {10}, "-8": {8}, "-9": {9}}, []uint64{8, 9}},
		{"the map is stronger than the address", "people: {ann: {email: ann@x.org}, bob: {accounts: {jira: a}}}",
			[]Account{account(11, "jira", "a", "ann@x.org"), account(12, "snow", "a", "ann@x.org")}, nil,
			map[string][]uint64{"ann": {12}, "bob": {11}}, nil},
		{"the map may name several of one source", "people: {ann: {accounts: {jira: [a, b]}}}",
			[]Account{account(13, "jira", "a", "x@x.org"), account(14, "jira", "b", "x@x.org")}, nil,
			map[string][]uint64{"ann": {13, 14}}, nil},
		{"an account that no source shows any more", ann, nil, []Account{bare(15, "servicenow", "gone"), bare(16, "servicenow", "other")},
			map[string][]uint64{"ann": {15}, "bob": nil}, nil},
		{"but what a source shows is not doubled", ann, []Account{account(15, "servicenow", "gone", "")}, []Account{bare(15, "servicenow", "gone")},
			map[string][]uint64{"ann": {15}, "bob": nil}, nil},
		{"a bot by the source is nobody", ann, []Account{bot(account(17, "jira", "app", "bob@x.org"))}, nil,
			map[string][]uint64{"ann": nil, "bob": nil, "-17": {17}}, nil},
		{"a bot by the roster is nobody", "people: {bob: {email: bob@x.org}}\nbots: {jira: app}",
			[]Account{account(18, "jira", "app", "bob@x.org"), account(19, "snow", "b", "bob@x.org")}, nil,
			map[string][]uint64{"bob": {19}, "-18": {18}}, nil},
		{"a bot by the source that the roster calls a person", ann, []Account{bot(account(20, "jira", "hidden", ""))}, nil,
			map[string][]uint64{"ann": {20}, "bob": nil}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := enlisted(t, parse(t, c.roster), c.mapped, c.accounts...)
			got := map[string][]uint64{}
			for _, e := range d.Engineers() {
				var s []uint64
				for _, a := range e.Accounts {
					s = append(s, a.Surrogate)
					if o := d.Of(a.Surrogate); o.Pseudonym != e.Pseudonym {
						t.Errorf("surrogate %d leads to %s, not to %s", a.Surrogate, o.Pseudonym, e.Pseudonym)
					}
				}
				slices.Sort(s)
				who := e.Person
				if who == "" {
					who = fmt.Sprint("-", s[0])
				} else if p, ok := d.Person(who); !ok || p.Pseudonym != e.Pseudonym || d.Persons()[who].Pseudonym != e.Pseudonym {
					t.Errorf("%s is not found", who)
				}
				if want := strings.Contains(c.name, "is nobody") && e.Person == ""; e.Bot != want {
					t.Errorf("%s is a bot: %v", who, e.Bot)
				}
				got[who] = s
			}
			if !maps.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("engineers are %v, want %v", got, c.want)
			}
			var unmatched []uint64
			for _, u := range d.Unmatched(nil) {
				for _, a := range c.accounts {
					if a.Source == u.Source && a.ID == u.ID {
						unmatched = append(unmatched, a.Surrogate)
					}
				}
			}
			slices.Sort(unmatched)
			if !slices.Equal(unmatched, c.unmatched) {
				t.Errorf("unmatched are %v, want %v", unmatched, c.unmatched)
			}
			if n := len(d.Unmatched(func(s uint64) bool { return s == 7 })); n != len(slices.DeleteFunc(slices.Clone(c.unmatched), func(s uint64) bool { return s != 7 })) {
				t.Errorf("of those that matter, %d are unmatched", n)
			}
		})
	}
}

func TestPseudonymOfAPersonWithSeveral(t *testing.T) {
	accounts := []Account{
		account(1, "jira", "new", "new@x.org"), account(2, "snow", "old", "old@x.org"), account(3, "asana", "hidden", ""), account(4, "asana", "hidden2", ""),
	}
	before := resolve(t, accounts...)
	gone := bare(5, "snow", "gone")
	for text, want := range map[string]uint64{
		"email: [old@x.org, new@x.org], accounts: {asana: hidden}":   2,
		"email: [new@x.org, old@x.org], accounts: {asana: hidden}":   1,
		"email: [other@x.org, new@x.org], accounts: {asana: hidden}": 1,
		"accounts: {asana: [hidden2, hidden], jira: new}":            1, // called by an address still
		"accounts: {asana: [hidden2, hidden], snow: gone}":           4,
		"accounts: {snow: gone}":                                     5,
	} {
		d := enlisted(t, parse(t, "people: {ann: {"+text+"}}"), []Account{gone}, accounts...)
		ann, _ := d.Person("ann")
		if ann.Pseudonym != before.Of(want).Pseudonym {
			t.Errorf("%s: she is %s, want that of %d", text, ann.Pseudonym, want)
		}
		for _, a := range ann.Accounts {
			if e, ok := d.Find(before.Of(a.Surrogate).Pseudonym); !ok || e.Pseudonym != ann.Pseudonym {
				t.Errorf("%s: by the former pseudonym of %d %s is found, %v", text, a.Surrogate, e.Pseudonym, ok)
			}
		}
	}
	// Without an account one is called by the address, and keeps the name.
	r := parse(t, "people: {ann: {email: ann@x.org}, bob: {name: Bob}}")
	d := enlisted(t, r, nil)
	ann, _ := d.Person("ann")
	bob, _ := d.Person("bob")
	if later := enlisted(t, r, nil, account(9, "jira", "a", "Ann@x.org")).Of(9); later.Pseudonym != ann.Pseudonym || later.Name != "Name of a" {
		t.Errorf("with an account she is %+v, before %s", later, ann.Pseudonym)
	}
	if bob.Pseudonym == "" || bob.Name != "Bob" || len(bob.Accounts) != 0 || !bob.Known {
		t.Errorf("bob is %+v", bob)
	}
}

func TestTeamsByDate(t *testing.T) {
	r := parse(t, `
people: {ann: {email: ann@x.org}, bob: {email: bob@x.org, leave: {from: 2026-05-04}}}
teams:
  T: {members: [{person: ann, to: 2026-05-06}, bob]}
  U: {members: {person: ann, from: 2026-05-06}}
`)
	d := enlisted(t, r, nil, account(1, "jira", "a", "ann@x.org"), account(2, "jira", "c", "cyd@x.org"))
	day := func(n int) time.Time { return time.Date(2026, 5, n, 12, 0, 0, 0, time.UTC) }
	for at, want := range map[int]string{5: "T", 6: "U"} {
		if got := d.TeamsAt(d.Of(1), day(at)); !slices.Equal(got, []string{want}) {
			t.Errorf("on day %d she is in %v, want %s", at, got, want)
		}
	}
	if got := d.TeamsAt(d.Of(2), day(5)); got != nil {
		t.Errorf("who is not in it is in %v", got)
	}
	if got := d.Teams(); !slices.Equal(got, []string{"T", "U"}) {
		t.Errorf("teams are %v", got)
	}
	got := map[string]float64{}
	for _, m := range d.Members("T", day(4).Add(-12*time.Hour), day(9)) {
		got[m.Engineer.Person] = m.Capacity
	}
	if want := map[string]float64{"ann": 0.4, "bob": 0}; !maps.Equal(got, want) {
		t.Errorf("members are %v, want %v", got, want)
	}
	none := resolve(t, account(1, "jira", "a", "ann@x.org"))
	if none.Teams() != nil || none.TeamsAt(none.Of(1), day(4)) != nil || none.Members("T", day(1), day(9)) != nil || none.Unmatched(nil) != nil || none.Roster() != nil {
		t.Error("without a roster there are teams")
	}
	if d.Roster() != r {
		t.Error("the roster is another")
	}
}

// TestPropertyRosterKeepsPseudonyms: adding a roster loses no account, makes no
// two engineers of one name, and everybody is still found by what they were
// called; who consists of whole former engineers is called like one of them.
func TestPropertyRosterKeepsPseudonyms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		email := func() string {
			if !rapid.Bool().Draw(t, "shown") {
				return ""
			}
			return fmt.Sprintf("p%d@example.com", rapid.IntRange(0, 8).Draw(t, "mail"))
		}
		sources := rapid.SampledFrom([]string{"jira", "snow", "asana"})
		var accounts, mapped []Account
		for i := range rapid.IntRange(0, 14).Draw(t, "accounts") {
			a := account(uint64(i+1), sources.Draw(t, "source"), fmt.Sprint("id", i), email())
			a.Bot = rapid.IntRange(0, 7).Draw(t, "bot") == 0
			if rapid.IntRange(0, 7).Draw(t, "gone") == 0 {
				mapped = append(mapped, bare(a.Surrogate, a.Source, a.ID))
				continue
			}
			accounts = append(accounts, a)
		}
		// Every address and every account of a few people, each once.
		d := roster.Data{}
		mails := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7, 8}).Draw(t, "mails")
		refs := slices.Concat(accounts, mapped)
		for i := range rapid.IntRange(1, 5).Draw(t, "people") {
			p := roster.Person{ID: fmt.Sprint("r", i)}
			for range rapid.IntRange(0, min(2, len(mails))).Draw(t, "addresses") {
				p.Emails = append(p.Emails, fmt.Sprintf("p%d@example.com", mails[0]))
				mails = mails[1:]
			}
			d.People = append(d.People, p)
			d.Schedules = append(d.Schedules, roster.Schedule{Person: p.ID, Zone: "UTC", FTE: 1})
			for range rapid.IntRange(0, min(3, len(refs))).Draw(t, "mapped") {
				k := rapid.IntRange(0, len(refs)-1).Draw(t, "which")
				d.Accounts = append(d.Accounts, roster.Mapping{Person: p.ID, AccountRef: roster.AccountRef{Source: refs[k].Source, ID: refs[k].ID}})
				refs = slices.Delete(slices.Clone(refs), k, k+1)
			}
		}
		for _, a := range refs {
			if rapid.IntRange(0, 9).Draw(t, "machine") == 0 {
				d.Bots = append(d.Bots, roster.AccountRef{Source: a.Source, ID: a.ID})
			}
		}
		r, err := roster.New(d)
		if err != nil {
			t.Fatal(err)
		}
		before, err := Resolve(testKey, accounts)
		if err != nil {
			t.Fatal(err)
		}
		after := enlisted(t, r, mapped, accounts...)
		called := map[string]bool{}
		for _, e := range after.Engineers() {
			if e.Pseudonym == "" || called[e.Pseudonym] {
				t.Fatalf("%q is given out twice", e.Pseudonym)
			}
			called[e.Pseudonym] = true
			whole := len(e.Accounts) > 0
			former, taken := map[string]bool{}, false // an address of the roster takes its name along
			for _, a := range e.Accounts {
				group := before.Of(a.Surrogate)
				former[group.Pseudonym] = true
				taken = taken || group.byAddress && r.PersonByEmail(group.Email) != e.Person && r.PersonByEmail(group.Email) != ""
				for _, other := range group.Accounts {
					whole = whole && after.Of(other.Surrogate).Pseudonym == e.Pseudonym
				}
			}
			claimed := slices.ContainsFunc(d.People, func(p roster.Person) bool { return p.ID == e.Person && len(p.Emails) > 0 })
			if whole && !claimed && !taken && !former[e.Pseudonym] {
				t.Fatalf("%+v is none of those that they were: %v", e, slices.Collect(maps.Keys(former)))
			}
		}
		for _, e := range before.Engineers() {
			now, ok := after.Find(e.Pseudonym)
			if !ok {
				t.Fatalf("%s is found no longer", e.Pseudonym)
			}
			if e.Email != "" && e.byAddress && r.PersonByEmail(e.Email) != "" && now.Person != r.PersonByEmail(e.Email) {
				t.Fatalf("%s, of %s, leads to %q", e.Pseudonym, e.Email, now.Person)
			}
		}
		for _, a := range slices.Concat(accounts, mapped) {
			e := after.Of(a.Surrogate)
			ref := roster.AccountRef{Source: a.Source, ID: a.ID}
			if i := slices.IndexFunc(d.Accounts, func(m roster.Mapping) bool { return m.AccountRef == ref }); i >= 0 && e.Person != d.Accounts[i].Person {
				t.Fatalf("%v is of %q, mapped to %q", ref, e.Person, d.Accounts[i].Person)
			}
			if r.Bot(a.Account) != e.Bot && e.Known {
				t.Fatalf("%v: bot %v", ref, e.Bot)
			}
		}
		shuffled := slices.Clone(accounts)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again := enlisted(t, r, mapped, shuffled...)
		for i, e := range after.Engineers() {
			if o := again.Engineers()[i]; o.Pseudonym != e.Pseudonym || o.Person != e.Person || len(o.Accounts) != len(e.Accounts) {
				t.Fatalf("in another order %+v is %+v", e, o)
			}
		}
	})
}
