package people

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairlead/connectors/ticket"
)

var testKey = []byte("0123456789abcdef0123456789abcdef")

func account(surrogate uint64, source, id, email string) Account {
	return Account{surrogate, ticket.Account{Source: source, ID: id, Name: "Name of " + id, Email: email, Active: true}}
}

func bot(a Account) Account {
	a.Bot = true
	return a
}

func resolve(t testing.TB, accounts ...Account) *Directory {
	t.Helper()
	d, err := Resolve(testKey, accounts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestJoining(t *testing.T) {
	cases := []struct {
		name     string
		accounts []Account
		want     [][]uint64 // surrogates of each engineer
		doubtful []string
	}{
		{"same address in two sources", []Account{account(1, "jira", "a", "ann@example.com"), account(2, "snow", "b", "Ann@Example.COM ")}, [][]uint64{{1, 2}}, nil},
		{"hidden address joins nobody", []Account{account(1, "jira", "a", ""), account(2, "snow", "b", "")}, [][]uint64{{1}, {2}}, nil},
		{"what is no address joins nobody", []Account{account(1, "jira", "a", "n/a"), account(2, "snow", "b", "n/a"), account(3, "x", "c", "@"), account(4, "y", "d", "@")}, [][]uint64{{1}, {2}, {3}, {4}}, nil},
		{"never two of one source", []Account{account(1, "jira", "a", "desk@example.com"), account(2, "jira", "b", "desk@example.com")}, [][]uint64{{1}, {2}}, []string{"desk@example.com"}},
		{
			"a source that has it twice is left out, the others join",
			[]Account{account(1, "asana", "a", "d@x.org"), account(2, "jira", "b", "d@x.org"), account(3, "jira", "c", "D@x.org"), account(4, "snow", "d", "d@x.org")},
			[][]uint64{{1, 4}, {2}, {3}},
			[]string{"d@x.org"},
		},
		{"a bot joins nobody", []Account{bot(account(1, "jira", "a", "ann@example.com")), account(2, "snow", "b", "ann@example.com")}, [][]uint64{{1}, {2}}, nil},
		{"a bot with the address of a person of its source does not make it doubtful", []Account{bot(account(1, "jira", "a", "ann@example.com")), account(3, "jira", "c", "ann@example.com"), account(2, "snow", "b", "ann@example.com")}, [][]uint64{{1}, {2, 3}}, nil},
		{"nobody has no surrogate", []Account{account(0, "jira", "", "")}, nil, nil},
		{"the same account twice is one", []Account{account(1, "jira", "a", ""), account(1, "jira", "a", "")}, [][]uint64{{1}}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := resolve(t, c.accounts...)
			var got [][]uint64
			for _, e := range d.Engineers() {
				var s []uint64
				for _, a := range e.Accounts {
					s = append(s, a.Surrogate)
					if o := d.Of(a.Surrogate); o.Pseudonym != e.Pseudonym {
						t.Errorf("surrogate %d leads to %s, not to %s", a.Surrogate, o.Pseudonym, e.Pseudonym)
					}
				}
				slices.Sort(s)
				got = append(got, s)
			}
			slices.SortFunc(got, slices.Compare)
			if !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("engineers are %v, want %v", got, c.want)
			}
			if !slices.Equal(d.Ambiguous(), c.doubtful) {
				t.Errorf("doubtful addresses are %v, want %v", d.Ambiguous(), c.doubtful)
			}
		})
	}
}

func TestPseudonymIsPinned(t *testing.T) {
	// A change of the derivation renames everybody in every installation.
	d := resolve(t, account(1, "jira", "a", "ann@example.com"), account(7, "snow", "b", ""))
	got := []string{d.Of(1).Pseudonym, d.Of(7).Pseudonym, d.Of(99).Pseudonym}
	want := []string{"ocean-alder-7ncn", "ridge-buzzard-6tej", "lime-lapwing-30snbgvs"}
	if !slices.Equal(got, want) {
		t.Errorf("pseudonyms are %q, want %q", got, want)
	}
	form := regexp.MustCompile(`^[a-z]+-[a-z]+-[0-9a-hjkmnp-tv-z]{4}$`)
	for _, p := range got[:2] {
		if !form.MatchString(p) {
			t.Errorf("%q has another form than amber-otter-4k7q", p)
		}
	}
	if d.Of(99).Known || !d.Of(1).Known {
		t.Error("known is wrong")
	}
}

func TestFind(t *testing.T) {
	d := resolve(t, account(1, "jira", "a", "ann@example.com"))
	p := d.Of(1).Pseudonym
	for _, ask := range []string{p, strings.ToUpper(p), " " + p + "\n"} {
		if e, ok := d.Find(ask); !ok || e.Email != "ann@example.com" || e.Name != "Name of a" {
			t.Errorf("%q finds %+v, %v", ask, e, ok)
		}
	}
	if _, ok := d.Find("amber-otter-0000"); ok {
		t.Error("found who is not there")
	}
}

func TestAnotherKeyGivesOtherPseudonyms(t *testing.T) {
	a := resolve(t, account(1, "jira", "a", "ann@example.com"))
	b, err := Resolve([]byte("another key of 32 bytes length.."), []Account{account(1, "jira", "a", "ann@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	if a.Of(1).Pseudonym == b.Of(1).Pseudonym {
		t.Error("the key plays no part")
	}
	if _, err := Resolve(testKey[:15], nil); !errors.Is(err, ErrKey) {
		t.Errorf("a short key: %v", err)
	}
}

// TestPropertyStable: pseudonyms do not depend on the order of accounts, nor
// on who else is there.
func TestPropertyStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "accounts")
		var accounts []Account
		for i := range n {
			email := ""
			if rapid.Bool().Draw(t, "visible") {
				email = fmt.Sprintf("p%d@example.com", rapid.IntRange(0, 20).Draw(t, "mail"))
			}
			accounts = append(accounts, account(uint64(i+1), rapid.SampledFrom([]string{"jira", "snow", "asana"}).Draw(t, "source"), fmt.Sprint("id", i), email))
		}
		whole, err := Resolve(testKey, accounts)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(slices.Collect(maps.Keys(whole.byPseudonym))); got != len(whole.Engineers()) {
			t.Fatalf("%d pseudonyms for %d engineers", got, len(whole.Engineers()))
		}
		shuffled := slices.Clone(accounts)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again, err := Resolve(testKey, shuffled)
		if err != nil {
			t.Fatal(err)
		}
		// Some other source's people leave: whoever is left keeps the name,
		// as joining does not look at them.
		var rest []Account
		for _, a := range accounts {
			if a.Source != "asana" {
				rest = append(rest, a)
			}
		}
		fewer, err := Resolve(testKey, rest)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range accounts {
			p := whole.Of(a.Surrogate).Pseudonym
			if q := again.Of(a.Surrogate).Pseudonym; p != q {
				t.Fatalf("%s became %s by order", p, q)
			}
			if q := fewer.Of(a.Surrogate).Pseudonym; a.Source != "asana" && p != q {
				t.Fatalf("%s became %s when others left", p, q)
			}
		}
	})
}

func TestCollisionsAreSettledTheSameWay(t *testing.T) {
	// Two people with the same digest cannot be made, so the giving-out is
	// driven directly.
	for range 3 {
		d := &Directory{key: []byte("k")}
		small, large := slices.Repeat([]byte{7}, 32), slices.Repeat([]byte{7}, 32)
		large[31] = 8
		other := slices.Repeat([]byte{200}, 32)
		taken := map[string]bool{}
		names := d.name([]code{{0, large}, {1, other}, {2, small}}, taken)
		if names[2] != readable(small, knownDigits) {
			t.Errorf("the smaller code does not keep its pseudonym: %s", names[2])
		}
		next := readable(d.digest("next", string(large)), knownDigits)
		if names[0] != next {
			t.Errorf("the greater code is given %s, want the next of its series, %s", names[0], next)
		}
		// Who comes later takes what is left, however small their code.
		if later := d.name([]code{{9, slices.Clone(small)}}, taken)[9]; later == names[2] {
			t.Errorf("%s was given out twice", later)
		}
	}
}

func TestWordLists(t *testing.T) {
	for name, list := range map[string][]string{"first": firstWords[:], "second": secondWords[:]} {
		sorted := slices.Compact(slices.Sorted(slices.Values(list)))
		if len(sorted) != 128 {
			t.Errorf("%s words: %d different ones, want 128", name, len(sorted))
		}
		for _, w := range list {
			if strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" || len(w) < 2 || len(w) > 10 {
				t.Errorf("%s words: %q", name, w)
			}
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	var accounts []Account
	for i := range 10_000 {
		accounts = append(accounts, account(uint64(i+1), []string{"jira", "snow"}[i%2], fmt.Sprint(i), fmt.Sprintf("p%d@example.com", i/2)))
	}
	for b.Loop() {
		resolve(b, accounts...)
	}
}
