package analysis

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// hidden is everybody in a group that is not shown and in none that is.
func hidden(groups []Crowd, shown map[string]bool) map[string]bool {
	left := map[string]bool{}
	for _, g := range groups {
		if !shown[g.Name] {
			maps.Copy(left, g.People)
		}
	}
	for _, g := range groups {
		if shown[g.Name] {
			for p := range g.People {
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
		var groups []Crowd
		for i := range rapid.IntRange(1, 9).Draw(t, "groups") {
			g := Crowd{Name: fmt.Sprint("g", i), People: map[string]bool{}}
			for range rapid.SampledFrom([]int{0, 1, 2, 4, 5, 6, 12}).Draw(t, "size") {
				g.People[fmt.Sprint("p", rapid.IntRange(0, everybody-1).Draw(t, "who"))] = true
			}
			g.Closed = rapid.IntRange(0, 9).Draw(t, "closed") == 0
			groups = append(groups, g)
		}
		shown := Publish(groups, least)
		anyShown := false
		for _, g := range groups {
			if shown[g.Name] {
				anyShown = true
				if g.Closed || len(g.People) < least {
					t.Fatalf("%s of %d is shown", g.Name, len(g.People))
				}
			}
		}
		// With everything hidden, there is nothing to subtract.
		empty := true
		for _, g := range groups {
			empty = empty && (shown[g.Name] || len(g.People) == 0)
		}
		if left := hidden(groups, shown); anyShown && !empty && len(left) < least {
			t.Fatalf("what is hidden is about %d people: %v of %v", len(left), left, shown)
		}
	})
}

func TestPublish(t *testing.T) {
	of := func(name string, people ...string) Crowd {
		c := Crowd{Name: name, People: map[string]bool{}}
		for _, p := range people {
			c.People[p] = true
		}
		return c
	}
	a := of("a", "1", "2", "3", "4", "5", "6")
	b := of("b", "11", "12", "13", "14", "15")
	c := of("c", "21", "22")
	d := of("d", "31", "32", "33")
	for _, test := range []struct {
		says   string
		groups []Crowd
		want   string
	}{
		{"all are large", []Crowd{a, b}, "ab"},
		{"the complement of a small one goes with it", []Crowd{a, b, c}, "a"},
		{"two small ones protect each other", []Crowd{a, b, c, d}, "ab"},
		{"a small one alone takes the last", []Crowd{b, c}, ""},
		{"who is shown elsewhere protects nobody", []Crowd{a, b, c, of("d", "1", "2", "3", "4")}, "a"},
		{"nobody in it", []Crowd{a, of("e")}, "a"},
	} {
		shown, got := Publish(test.groups, 5), ""
		for _, g := range test.groups {
			if shown[g.Name] {
				got += g.Name
			}
		}
		if got != test.want {
			t.Errorf("%s: %q is shown, want %q", test.says, got, test.want)
		}
	}
}
