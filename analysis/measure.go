package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"fairlead/analysis/distribution"
	"fairlead/analysis/effort"
)

// population are the people of the group: with a roster its members, else those
// who have a tally, with the same capacity. away are members without capacity.
func (t *tallies) population(members []member, provisional bool) (people, away []member) {
	if provisional {
		for _, p := range sortedKeys(t.people) {
			people = append(people, member{p, t.names[p], 1})
		}
		return people, nil
	}
	known := map[string]bool{}
	for _, m := range members {
		known[m.pseudonym] = true
		if m.capacity > 0 {
			people = append(people, m)
		} else {
			away = append(away, m)
		}
	}
	for _, p := range sortedKeys(t.people) {
		if !known[p] {
			// In the team at the time, and for none of its working hours.
			away = append(away, member{p, t.names[p], 0})
		}
	}
	return people, away
}

// measure makes the Group of tallies.
func (t *tallies) measure(by By, name string, members []member, provisional bool) (Group, error) {
	people, away := t.population(members, provisional)
	g := Group{By: by, Name: name, People: len(people), Provisional: provisional, Unassigned: t.unassigned.value, Bots: t.bots.value, Engineers: []Part{}}
	values, capacity := make([]float64, len(people)), make([]float64, len(people))
	piled := true
	j := &judged{}
	var sizes []distribution.Weights
	for i, p := range people {
		capacity[i] = p.capacity
		if one := t.people[p.pseudonym]; one != nil {
			values[i] = one.value
			g.Items += one.items
			j.weights = append(j.weights, one.pile.weights...)
			piled = piled && (one.value == 0 || len(one.pile.weights) > 0)
			sizes = append(sizes, distribution.Weights{N: one.items, Sum: one.value, Squares: one.square})
		}
	}
	for _, p := range away {
		if one := t.people[p.pseudonym]; one != nil && one.value > 0 {
			g.Outside.Away++
			g.Outside.AwayWork += one.value
		}
	}
	g.Outside.Visitors = len(t.visitors)
	var visits []float64
	for _, v := range t.visitors {
		visits = append(visits, v.value)
	}
	g.Outside.VisitorsWork = sumOf(visits)

	s, err := distribution.Weighted(values, capacity)
	if err != nil {
		return Group{}, err
	}
	g.Total, g.Capacity = s.Total(), s.Capacity()
	total := together(sizes)
	if piled {
		slices.Sort(j.weights)
		total = size(j.weights)
	}
	null, err := s.Null(total.H())
	if err != nil {
		return Group{}, err
	}
	g.Gini, g.GiniCorrected, g.Hoover, g.Theil = defined(s.Gini()), defined(s.GiniCorrected()), defined(s.Hoover()), defined(s.TheilT())
	g.HHI, g.Effective, g.CV2, g.Jain, g.TopShare = defined(s.HHI()), defined(s.Effective()), defined(s.CV2()), defined(s.Jain()), defined(s.TopShare(1))
	low, high := s.JackknifeGini(false).Interval(0.95)
	g.GiniLow, g.GiniHigh = defined(low), defined(high)
	if null.Enough() {
		g.GiniChance, g.GiniExcess = defined(null.Gini()), defined(s.Gini()-null.Gini())
		if piled && len(people) > 1 && s.Total() > 0 {
			g.judged = j.of(people, values, capacity, t.lots)
		}
	}
	g.HHIChance = defined(null.HHI())
	if distribution.Defined(total.H()) {
		g.h = total.H()
	}

	for i, p := range people {
		part := Part{Pseudonym: p.pseudonym, Name: p.name, Value: values[i], Capacity: p.capacity}
		if one := t.people[p.pseudonym]; one != nil {
			part.Items = one.items
		}
		if g.Total > 0 {
			share, even, h := values[i]/g.Total, p.capacity/g.Capacity, total.H()
			part.Share, part.Relative = defined(share), defined(share*(g.Capacity/p.capacity))
			part.Z = defined(distribution.ShareZ(share, even, h))
			if len(people) > 1 {
				part.Tail = defined(distribution.BinomialUpperTail(min(share/h, 1/h), 1/h, even))
			}
		}
		g.Engineers = append(g.Engineers, part)
	}
	slices.SortStableFunc(g.Engineers, func(a, b Part) int { return cmp.Compare(b.Value, a.Value) })
	return g, nil
}

// together adds up by size: the order of people depends on the key of their
// pseudonyms.
func together(sizes []distribution.Weights) distribution.Weights {
	slices.SortFunc(sizes, func(a, b distribution.Weights) int {
		return cmp.Or(cmp.Compare(a.Sum, b.Sum), cmp.Compare(a.Squares, b.Squares), cmp.Compare(a.N, b.N))
	})
	var total distribution.Weights
	for _, one := range sizes {
		total = total.Plus(one)
	}
	return total
}

// defined is nil for what is undefined or not finite.
func defined(x float64) *float64 {
	if !distribution.Defined(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// measureAll makes the groups of a window, greatest total first, then by name.
// With a roster each of its teams with people or work is one of them.
func (w *world) measureAll(groups map[string]*tallies, by By, from, to time.Time) ([]Group, error) {
	list := make([]Group, 0, len(groups))
	add := func(name string, t *tallies, members []member, provisional bool) error {
		g, err := t.measure(by, name, members, provisional)
		if err == nil {
			list = append(list, g)
		}
		return err
	}
	rostered := map[string]bool{}
	if w.crew != nil && by == Team {
		for _, team := range w.crew.roster.Teams() {
			rostered[team.Name] = true
			t, members := groups[team.Name], w.crew.members(team.Name, from, to)
			if t == nil && len(members) == 0 {
				continue
			}
			if t == nil {
				t = newTallies()
			}
			if err := add(team.Name, t, members, false); err != nil {
				return nil, err
			}
		}
	}
	for name, t := range groups {
		if rostered[name] {
			continue
		}
		if err := add(name, t, nil, true); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

// Distribution is how the work of a window is spread over the people of each
// group, greatest total first.
func (e *Engine) Distribution(ctx context.Context, q Query) ([]Group, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	w, err := e.world(ctx)
	if err != nil {
		return nil, err
	}
	from, to := q.Window.Bounds(q.AsOf)
	if !from.Before(to) {
		return []Group{}, nil
	}
	var model *effort.Model
	if q.Unit == Effort {
		m, err := e.model(ctx, w, millis(to))
		if err != nil {
			return nil, err
		}
		model = &m
	}
	g := w.gathering(q.Basis, q.By, model, 1)
	if err := e.units(ctx, w, q.Basis, q.By, []int64{millis(from)}, millis(to), g); err != nil {
		return nil, err
	}
	groups, err := w.measureAll(g.finish()[0], q.By, from, to)
	if err != nil {
		return nil, err
	}
	if err := e.judge(groups, q.Window.String()); err != nil || q.By != Team || q.Basis != Load || q.Unit != Tickets {
		return groups, err
	}
	areas, err := e.ownership(ctx, w, beginning, millis(to))
	if err != nil {
		return nil, err
	}
	if err := e.explain(w, groups, knowledgeOf(areas), q.Window.String()); err != nil {
		return nil, err
	}
	squads, err := e.squadsAt(ctx, w, e.followed(to))
	if err != nil {
		return nil, err
	}
	return groups, trends(groups, squads, from, to)
}
