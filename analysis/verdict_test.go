package analysis

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"fairlead/analysis/distribution"
)

// team makes a group of people with so many tickets each, to be judged.
func team(t *testing.T, name string, people []string, work []float64) Group {
	t.Helper()
	s, err := distribution.Equal(work)
	if err != nil {
		t.Fatal(err)
	}
	hoover, cv2 := s.Hoover(), s.CV2()
	g := Group{Name: name, Hoover: &hoover, CV2: &cv2, judged: &judged{}}
	for i, p := range people {
		g.Engineers = append(g.Engineers, Part{Pseudonym: p, Value: work[i]})
		g.judged.people = append(g.judged.people, member{pseudonym: p, capacity: 1})
		g.judged.work, g.judged.capacity = append(g.judged.work, work[i]), append(g.judged.capacity, 1)
		for range int(work[i]) {
			g.judged.weights = append(g.judged.weights, 1)
		}
	}
	return g
}

// TestFalseDiscoveriesAreControlledByWhetherTeamsSharePeople: as soon as somebody
// is in two teams that have a p value, nothing is assumed of how they depend.
func TestFalseDiscoveriesAreControlledByWhetherTeamsSharePeople(t *testing.T) {
	teams := func(shared ...string) []Group {
		var groups []Group
		for k, work := range [][]float64{{22, 8, 8, 8}, {12, 10, 9, 15}, {11, 11, 11, 11}} {
			people := []string{fmt.Sprint("a", k), fmt.Sprint("b", k), fmt.Sprint("c", k), fmt.Sprint("d", k)}
			if k < len(shared) {
				people[3] = shared[k]
			}
			groups = append(groups, team(t, fmt.Sprint("team ", k), people, work))
		}
		return groups
	}
	few := func(groups []Group) []Group {
		// A team without a p value, of the same people: it depends on nothing.
		groups = append(groups, Group{Name: "few", Engineers: slices.Clone(groups[0].Engineers)})
		return groups
	}
	for _, c := range []struct {
		name   string
		groups []Group
		like   func([]float64) ([]float64, error)
		says   string
	}{
		{"own people", teams(), distribution.BenjaminiHochberg, "Hochberg"},
		{"own people, and a team too small to judge", few(teams()), distribution.BenjaminiHochberg, "Hochberg"},
		{"somebody in two", teams("x", "x"), distribution.BenjaminiYekutieli, "Yekutieli"},
		{"somebody in two, and a team too small to judge", few(teams("x", "y", "x")), distribution.BenjaminiYekutieli, "Yekutieli"},
	} {
		e := &Engine{config: DefaultConfig(), draws: 999}
		if err := e.judge(c.groups, "28d"); err != nil {
			t.Fatal(err)
		}
		var p, got []float64
		for _, g := range c.groups {
			if g.P == nil {
				if g.PAdjusted != nil {
					t.Errorf("%s: %s has an adjusted p value and no other", c.name, g.Name)
				}
				continue
			}
			p, got = append(p, *g.P), append(got, *g.PAdjusted)
		}
		want, err := c.like(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(p) != 3 || !slices.Equal(got, want) {
			t.Errorf("%s: p values %v are adjusted to %v, want %v", c.name, p, got, want)
		}
		f := e.verdictFigures(&c.groups[0], c.groups)
		i := slices.IndexFunc(f, func(f ExplainedFigure) bool { return f.Name == "p_adjusted" })
		if i < 0 || math.Abs(*f[i].Value-got[0]) > 1e-15 || !strings.Contains(f[i].Formula, c.says) {
			t.Errorf("%s: explained by %+v, adjusted to %v", c.name, f, got[0])
		}
	}
}
