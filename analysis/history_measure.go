package analysis

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"fairlead/analysis/distribution"
	"fairlead/analysis/effort"
	"fairlead/connectors/roster"
)

// evaluator goes through a collector's sums instant by instant.
type evaluator struct {
	*collector
	h      *walker
	tracks []track
	k      int // the instant that the tracks are of; −1 before the first
	groups []pastGroup
	active []cluster // of slow, at the instant
	later  []cluster

	sorted []int32 // the cells, in an order that does not depend on that of rows
	totals []slotTotal
	order  []child // scratch of clusters
	staff  *pastStaff
	t      map[int]float64 // quantile of Student's t, by people
}

// pastGroup is a group with its slots, people by pseudonym.
type pastGroup struct {
	name  string
	slots []int32
}

// slotTotal is what rests on somebody in a group at an instant.
type slotTotal struct {
	items  int64
	shares int64   // of whole units in tickets
	value  float64 // of the others
	square float64
}

func newEvaluator(c *collector, h *walker, staff *pastStaff) *evaluator {
	v := &evaluator{collector: c, h: h, tracks: make([]track, len(c.cell)), k: -1, later: c.slow, totals: make([]slotTotal, len(c.slot)), staff: staff, t: map[int]float64{}}
	places := map[word]int{}
	for i, s := range c.slot {
		n, ok := places[s.group]
		if !ok {
			n = len(v.groups)
			places[s.group] = n
			v.groups = append(v.groups, pastGroup{name: h.text.list[s.group]})
		}
		v.groups[n].slots = append(v.groups[n].slots, int32(i))
	}
	if c.rostered() {
		for _, team := range c.w.crew.roster.Teams() {
			if _, ok := places[h.text.ofString(team.Name)]; !ok {
				v.groups = append(v.groups, pastGroup{name: team.Name})
			}
		}
	}
	for _, g := range v.groups {
		slices.SortFunc(g.slots, v.compareSlots)
	}
	v.sorted = make([]int32, len(c.cell))
	for i := range v.sorted {
		v.sorted[i] = int32(i)
	}
	slices.SortFunc(v.sorted, v.compareCells)
	slices.SortFunc(v.later, func(a, b cluster) int {
		x, y := &a.members[0], &b.members[0]
		return cmp.Or(cmp.Compare(a.within.from, b.within.from), v.compareSlots(a.slot, b.slot),
			cmp.Compare(x.given, y.given), cmp.Compare(x.ticket, y.ticket), v.compareCells(x.cell, y.cell))
	})
	return v
}

func (v *evaluator) compareSlots(a, b int32) int {
	x, y := v.slot[a], v.slot[b]
	return cmp.Or(v.h.compare(x.group, y.group), v.h.compare(x.who, y.who), cmp.Compare(x.kind, y.kind))
}

func (v *evaluator) compareCells(a, b int32) int {
	x, y := v.cell[a], v.cell[b]
	return cmp.Or(v.compareSlots(x.slot, y.slot), v.h.compareClasses(x.class, y.class), cmp.Compare(x.part, y.part))
}

// advance goes on to the next instant.
func (v *evaluator) advance() {
	if v.k >= 0 {
		for i := range v.tracks {
			v.tracks[i].advance()
		}
	}
	v.k++
	for i := range v.events.at[v.k] {
		e := &v.events.at[v.k][i]
		v.tracks[e.cell].add(e)
	}
	v.events.at[v.k] = nil
	v.active = slices.DeleteFunc(v.active, func(c cluster) bool { return c.within.to <= v.k })
	for len(v.later) > 0 && v.later[0].within.from <= v.k {
		if v.later[0].within.to > v.k {
			v.active = append(v.active, v.later[0])
		}
		v.later = v.later[1:]
	}
}

// scale makes tickets, or ticket-days, of shares.
func (v *evaluator) scale() float64 {
	scale := 1.0 / shares
	if v.basis == Load {
		scale /= float64((24 * time.Hour).Milliseconds())
	}
	return scale
}

// answer is the groups of the instant in a unit; with single engineers if people.
func (v *evaluator) answer(unit Unit, x *pastEfforts, people bool) ([]Group, error) {
	if unit == Effort {
		v.sum(x.of)
	} else {
		v.sum(nil)
	}
	return v.measure(people)
}

// sum makes the totals of the instant; each gives the effort of a class, and is
// nil for tickets.
func (v *evaluator) sum(each func(int32) float64) {
	clear(v.totals)
	scale := v.scale()
	for _, i := range v.sorted {
		t := &v.tracks[i]
		if t.idle() {
			continue
		}
		cell := &v.cell[i]
		total := &v.totals[cell.slot]
		total.items += t.items
		if each == nil && cell.part == 1 {
			total.shares += t.v
			total.square += t.square.float() * scale * scale
			continue
		}
		weight := scale * cell.part
		if each != nil && t.items > 0 {
			weight *= each(cell.class)
		}
		total.value += float64(t.v) * weight
		total.square += t.square.float() * weight * weight
	}
	for i := range v.active {
		v.sumCluster(&v.active[i], scale, each)
	}
}

// sumCluster makes one weight of units that are one at the instant, as
// pile.finish has it.
func (v *evaluator) sumCluster(c *cluster, scale float64, each func(int32) float64) {
	total := &v.totals[c.slot]
	v.order = v.order[:0]
	at := v.g.at(v.k)
	for i := range c.members {
		m := &c.members[i]
		if v.k < m.within.from || v.k >= m.within.to {
			continue
		}
		weight := float64(m.weight)
		if m.pieces != nil {
			if weight = fraction(m.pieces, at, v.length); weight == 0 {
				continue
			}
		}
		cell := &v.cell[m.cell]
		weight *= scale * cell.part
		if each != nil {
			weight *= each(cell.class)
		}
		total.value += weight
		v.order = append(v.order, child{ticket: m.ticket, given: m.given, weight: weight})
	}
	slices.SortFunc(v.order, func(a, b child) int {
		return cmp.Or(cmp.Compare(a.given, b.given), cmp.Compare(a.ticket, b.ticket), cmp.Compare(a.weight, b.weight))
	})
	together := 0.0
	for i, one := range v.order {
		if i > 0 && one.given-v.order[i-1].given > c.pause {
			total.square += together * together
			together = 0
		}
		if i == 0 || one.given != v.order[i-1].given || one.ticket != v.order[i-1].ticket {
			total.items++
		}
		together += one.weight
	}
	total.square += together * together
}

func (t *slotTotal) work(scale float64) float64 { return float64(t.shares)*scale + t.value }

// measure makes the groups of the instant from its totals, greatest total first,
// then by name; with single engineers if people.
func (v *evaluator) measure(people bool) ([]Group, error) {
	at := time.UnixMilli(v.g.at(v.k)).UTC()
	from, _ := v.window.Bounds(at)
	list := []Group{}
	for i := range v.groups {
		g, ok, err := v.group(&v.groups[i], from, at, people)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

func (v *evaluator) group(p *pastGroup, from, to time.Time, people bool) (Group, bool, error) {
	scale := v.scale()
	g := Group{By: v.by, Name: p.name, Provisional: true, Engineers: []Part{}}
	var staff []staffMember
	rostered := v.rostered() && v.staff.isTeam(p.name)
	exists := false
	if rostered {
		g.Provisional = false
		if staff, exists = v.staff.members(p.name, from, to); !exists {
			// Without members, and yet it may have had work.
			exists = len(v.w.crew.members(p.name, from, to)) > 0
		}
	}
	var values, capacity, visits []float64
	var sizes []distribution.Weights
	next := 0 // of staff
	add := func(m staffMember, slot int32) {
		var t slotTotal
		if slot >= 0 {
			t = v.totals[slot]
		}
		value := t.work(scale)
		values, capacity = append(values, value), append(capacity, m.capacity)
		g.Items += uint64(t.items)
		if t.items > 0 {
			sizes = append(sizes, distribution.Weights{N: uint64(t.items), Sum: value, Squares: t.square})
		}
		if people {
			g.Engineers = append(g.Engineers, Part{Pseudonym: m.pseudonym, Name: m.name, Items: uint64(t.items), Value: value, Capacity: m.capacity})
		}
	}
	for _, n := range p.slots {
		t := &v.totals[n]
		if t.items == 0 {
			continue
		}
		exists = true
		value := t.work(scale)
		key := v.slot[n]
		switch key.kind {
		case byNobody:
			g.Unassigned = value
		case byRobot:
			g.Bots = value
		case byVisitor:
			g.Outside.Visitors++
			visits = append(visits, value)
		default:
			who := v.h.text.list[key.who]
			if !rostered {
				add(staffMember{who, v.names[n], 1}, n)
				continue
			}
			for next < len(staff) && staff[next].pseudonym < who {
				add(staff[next], -1)
				next++
			}
			if next < len(staff) && staff[next].pseudonym == who {
				add(staff[next], n)
				next++
			} else if value > 0 {
				g.Outside.Away++
				g.Outside.AwayWork += value
			}
		}
	}
	for ; next < len(staff); next++ {
		add(staff[next], -1)
	}
	if !exists {
		return Group{}, false, nil
	}
	g.Outside.VisitorsWork = sumOf(visits)
	g.People = len(values)

	s, err := distribution.Weighted(values, capacity)
	if err != nil {
		return Group{}, false, err
	}
	g.Total, g.Capacity = s.Total(), s.Capacity()
	slices.SortFunc(sizes, func(a, b distribution.Weights) int {
		return cmp.Or(cmp.Compare(a.Sum, b.Sum), cmp.Compare(a.Squares, b.Squares))
	})
	var total distribution.Weights
	for _, one := range sizes {
		total = total.Plus(one)
	}
	null, err := s.Null(total.H())
	if err != nil {
		return Group{}, false, err
	}
	gini := s.Gini()
	g.Gini, g.GiniCorrected, g.Hoover, g.Theil = defined(gini), defined(s.GiniCorrected()), defined(s.Hoover()), defined(s.TheilT())
	g.HHI, g.Effective, g.CV2, g.Jain, g.TopShare = defined(s.HHI()), defined(s.Effective()), defined(s.CV2()), defined(s.Jain()), defined(s.TopShare(1))
	g.GiniLow, g.GiniHigh = v.interval(s)
	if null.Enough() {
		g.GiniChance = defined(null.Gini())
		if g.GiniChance != nil {
			g.GiniExcess = defined(gini - *g.GiniChance)
		}
	}
	g.HHIChance = defined(null.HHI())
	for i := range g.Engineers {
		one := &g.Engineers[i]
		if g.Total > 0 {
			share, even, h := one.Value/g.Total, one.Capacity/g.Capacity, total.H()
			one.Share, one.Relative = defined(share), defined(share*(g.Capacity/one.Capacity))
			one.Z = defined(distribution.ShareZ(share, even, h))
			if len(values) > 1 {
				one.Tail = defined(distribution.BinomialUpperTail(min(share/h, 1/h), 1/h, even))
			}
		}
	}
	slices.SortStableFunc(g.Engineers, func(a, b Part) int { return cmp.Compare(b.Value, a.Value) })
	return g, true, nil
}

// interval is that of distribution.Estimate at 95 %, with the quantile looked up
// once for each number of people.
func (v *evaluator) interval(s distribution.Sample) (low, high *float64) {
	e := s.JackknifeGini(false)
	if !distribution.Defined(e.SE) {
		return nil, nil
	}
	t, ok := v.t[e.People]
	if !ok {
		t = distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(e.People - 1)}.Quantile(0.975)
		v.t[e.People] = t
	}
	return defined(max(0, e.Value-t*e.SE)), defined(min(1, e.Value+t*e.SE))
}

// staffMember is a member of a team with the capacity that was present.
type staffMember struct {
	pseudonym, name string
	capacity        float64
}

// pastStaff answers who was in a team in a window, out of timetables that are
// laid out once for all windows.
type pastStaff struct {
	crew  *crew
	teams map[string][]pastMember // by pseudonym
}

type pastMember struct {
	pseudonym, name string
	timetable       *roster.Timetable
}

// newPastStaff knows the teams of windows within [from, to).
func newPastStaff(c *crew, from, to time.Time) *pastStaff {
	s := &pastStaff{crew: c, teams: map[string][]pastMember{}}
	if c == nil {
		return s
	}
	for _, t := range c.roster.Teams() {
		s.teams[t.Name] = nil
	}
	tables := map[string]*roster.Timetable{}
	in := map[[2]string]bool{}
	for _, m := range c.roster.Data().Memberships {
		if in[[2]string{m.Team, m.Person}] {
			continue
		}
		in[[2]string{m.Team, m.Person}] = true
		if tables[m.Person] == nil {
			tables[m.Person] = c.roster.Timetable(m.Person, from, to)
		}
		e := c.engineer[m.Person]
		s.teams[m.Team] = append(s.teams[m.Team], pastMember{e.Pseudonym, e.Name, tables[m.Person]})
	}
	for _, list := range s.teams {
		slices.SortFunc(list, func(a, b pastMember) int { return strings.Compare(a.pseudonym, b.pseudonym) })
	}
	return s
}

func (s *pastStaff) isTeam(name string) bool {
	_, ok := s.teams[name]
	return ok
}

// members are those with capacity in [from, to), by pseudonym.
func (s *pastStaff) members(team string, from, to time.Time) (list []staffMember, some bool) {
	if from.IsZero() {
		from = s.crew.earliest
	}
	for _, m := range s.teams[team] {
		if c := m.timetable.Capacity(team, from, to); c > 0 {
			list = append(list, staffMember{m.pseudonym, m.name, c})
		}
	}
	return list, len(list) > 0
}

// pastEfforts gives the effort of a class by one model, each worked out once.
type pastEfforts struct {
	h     *walker
	model effort.Model
	known []float64
}

func (x *pastEfforts) reset(m effort.Model) {
	x.model = m
	for i := range x.known {
		x.known[i] = math.NaN()
	}
}

func (x *pastEfforts) of(class int32) float64 {
	for int(class) >= len(x.known) {
		x.known = append(x.known, math.NaN())
	}
	if math.IsNaN(x.known[class]) {
		c, points := x.h.of(class)
		x.known[class], _ = x.model.Of(c, storyPoints(points))
	}
	return x.known[class]
}
