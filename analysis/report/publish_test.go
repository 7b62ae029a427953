package report

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// hidden is everybody in a group that is not shown and in none that is.
func hidden(groups []crowd, shown map[string]bool) map[string]bool {
	left := map[string]bool{}
	for _, g := range groups {
		if !shown[g.name] {
			maps.Copy(left, g.people)
		}
	}
	for _, g := range groups {
		if shown[g.name] {
			for p := range g.people {
				delete(left, p)
			}
		}
	}
	return left
}

// TestPropertyNobodyIsComputed plays the attack: what is published of all less
// what is published of each group, for groups that share people.
func TestPropertyNobodyIsComputed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.IntRange(1, 7).Draw(t, "least")
		everybody := rapid.IntRange(1, 40).Draw(t, "people")
		var groups []crowd
		for i := range rapid.IntRange(1, 9).Draw(t, "groups") {
			g := crowd{name: fmt.Sprint("g", i), people: map[string]bool{}}
			for range rapid.SampledFrom([]int{0, 1, 2, 4, 5, 6, 12}).Draw(t, "size") {
				g.people[fmt.Sprint("p", rapid.IntRange(0, everybody-1).Draw(t, "who"))] = true
			}
			g.closed = rapid.IntRange(0, 9).Draw(t, "closed") == 0
			groups = append(groups, g)
		}
		shown := publish(groups, least)
		anyShown := false
		for _, g := range groups {
			if shown[g.name] {
				anyShown = true
				if g.closed || len(g.people) < least {
					t.Fatalf("%s of %d is shown", g.name, len(g.people))
				}
			}
		}
		// With everything hidden, there is nothing to subtract.
		empty := true
		for _, g := range groups {
			empty = empty && (shown[g.name] || len(g.people) == 0)
		}
		if left := hidden(groups, shown); anyShown && !empty && len(left) < least {
			t.Fatalf("what is hidden is about %d people: %v of %v", len(left), left, shown)
		}
	})
}

func TestPublish(t *testing.T) {
	of := func(name string, people ...string) crowd {
		c := crowd{name: name, people: map[string]bool{}}
		for _, p := range people {
			c.people[p] = true
		}
		return c
	}
	a := of("a", "1", "2", "3", "4", "5", "6")
	b := of("b", "11", "12", "13", "14", "15")
	c := of("c", "21", "22")
	d := of("d", "31", "32", "33")
	for _, test := range []struct {
		says   string
		groups []crowd
		want   string
	}{
		{"all are large", []crowd{a, b}, "ab"},
		{"the complement of a small one goes with it", []crowd{a, b, c}, "a"},
		{"two small ones protect each other", []crowd{a, b, c, d}, "ab"},
		{"a small one alone takes the last", []crowd{b, c}, ""},
		{"who is shown elsewhere protects nobody", []crowd{a, b, c, of("d", "1", "2", "3", "4")}, "a"},
		{"nobody in it", []crowd{a, of("e")}, "a"},
	} {
		shown, got := publish(test.groups, 5), ""
		for _, g := range test.groups {
			if shown[g.name] {
				got += g.name
			}
		}
		if got != test.want {
			t.Errorf("%s: %q is shown, want %q", test.says, got, test.want)
		}
	}
}

func TestCell(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "=cmd()": "'=cmd()", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "  =1": "'  =1",
		"＝1": "'＝1", "|x": "'|x", "a=b": "a=b", "": "", "'=1": "''=1",
	} {
		if got := Cell(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	long := ""
	for range 10_000 {
		long += "x"
	}
	for name, want := range map[string]string{
		"Network": "Network", "  a \n\t b ": "a b", "\u202egnp.exe": "gnp.exe", "a\u2066b\u2069\u200f": "ab", "\x00\x07": "(unnamed)",
		"שלום": "שלום", "a\xffb": "a\uFFFDb", "<script>": "<script>", "\u200b": "(unnamed)", "\u0301e": "e",
	} {
		if got := clean(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	if got := []rune(clean(long)); len(got) != longest || got[longest-1] != '…' {
		t.Errorf("ten thousand characters become %d, the last %q", len(got), got[len(got)-1])
	}
	n := newNames()
	if a, b := n.clean(long+"a"), n.clean(long+"b"); a == b || n.clean(long+"a") != a {
		t.Errorf("two names become one: %q", a)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a", "\u202e", "a\xff", "=1", "é\u0301\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if n := len([]rune(got)); n == 0 || n > longest+1 {
			t.Errorf("%q becomes %d characters", s, n)
		}
		if again := clean(got); again != got {
			t.Errorf("%q becomes %q and then %q", s, got, again)
		}
	})
}
