package analysis

import (
	"cmp"
	"slices"
	"time"

	"fairlead/analysis/ownership"
	"fairlead/connectors/roster"
)

const (
	noticeDays  = 91 // how far ahead a last day makes somebody leaving
	shownLosses = 10 // people of a team of whom it is said what their leaving would mean
	shownNexts  = 3  // people who could become the next holder
)

// leave takes those who work here no more out of an area, and gives them.
func (w *world) leave(a *area, at time.Time) []Holder {
	if w.crew == nil {
		return nil
	}
	var gone []Holder
	for _, p := range sortedKeys(a.holders) {
		id := w.crew.persons[p]
		if id != "" && w.crew.absence(id, at).Absence == Gone {
			gone = append(gone, *a.holders[p])
			delete(a.holders, p)
		}
	}
	return gone
}

// absence is whether a person is there, and until when not. The state is told
// with a zero time where the roster does not tell the day.
func (c *crew) absence(id string, at time.Time) SoleHolder {
	person, ok := c.roster.Person(id)
	if !ok {
		return SoleHolder{}
	}
	e := c.engineer[id]
	h := SoleHolder{Pseudonym: e.Pseudonym, Name: e.Name}
	zone := c.roster.Zone(id, at)
	last := person.Employed.To
	switch state := c.roster.StateAt(id, at); {
	case state == roster.NotEmployed && last != 0 && !last.In(zone).After(at):
		h.Absence, h.When = Gone, last.In(zone).UTC()
	case state == roster.OnLeave:
		h.Absence, h.When = Away, c.back(id, at, zone)
	case state != roster.NotEmployed && last != 0 && last.In(zone).Before(at.AddDate(0, 0, noticeDays)):
		h.Absence, h.When = Leaving, last.In(zone).UTC()
	}
	return h
}

// back is when a person on leave is there again; zero where that is not known
// for a year.
func (c *crew) back(id string, at time.Time, zone *time.Location) time.Time {
	day := roster.DayOf(at.In(zone)) + 1
	for range 366 {
		if c.roster.StateAt(id, day.In(zone)) != roster.OnLeave {
			return day.In(zone).UTC()
		}
		day++
	}
	return time.Time{}
}

// evidenceOf is an area as package ownership looks at it.
func evidenceOf(o AreaOwnership) ownership.Area {
	a := ownership.Area{Name: o.Area, Demand: o.Tickets, Evidence: map[string]float64{}}
	for _, h := range o.Holders {
		a.Evidence[h.Pseudonym] = h.Evidence
	}
	return a
}

// soleHolder says who covers the area, if only one person does, and who is next.
func (e *Engine) soleHolder(w *world, o *AreaOwnership, gone []Holder, at time.Time) {
	a := evidenceOf(*o)
	covering := e.config.Ownership.Covering(a)
	o.BusFactor = len(covering)
	names := map[string]string{}
	for _, h := range o.Holders {
		names[h.Pseudonym] = h.Name
	}
	for _, n := range e.config.Ownership.Nexts(a, shownNexts) {
		o.Seconds = append(o.Seconds, Successor{Area: o.Area, Pseudonym: n.Person, Name: names[n.Person], Evidence: n.Evidence, Missing: n.Missing})
	}
	switch len(covering) {
	case 1:
		o.Sole = &SoleHolder{Pseudonym: covering[0], Name: names[covering[0]]}
		if w.crew != nil && w.crew.persons[covering[0]] != "" {
			s := w.crew.absence(w.crew.persons[covering[0]], at)
			o.Sole = &s
		}
	case 0:
		// Nobody, and somebody who has left would.
		slices.SortStableFunc(gone, func(a, b Holder) int { return cmp.Compare(b.Evidence, a.Evidence) })
		if len(gone) > 0 && e.config.Ownership.Covers(gone[0].Evidence, gone[0].Evidence) {
			s := w.crew.absence(w.crew.persons[gone[0].Pseudonym], at)
			o.Sole = &s
		}
	}
}

// knowledges puts together what each team knows, of the areas that are its own.
func (e *Engine) knowledges(areas []AreaOwnership) map[string]TeamKnowledge {
	c := e.config.Ownership
	byTeam := map[string][]AreaOwnership{}
	names := map[string]string{}
	for _, a := range areas {
		byTeam[a.Team] = append(byTeam[a.Team], a)
		for _, h := range a.Holders {
			names[h.Pseudonym] = h.Name
		}
	}
	teams := map[string]TeamKnowledge{}
	for team, own := range byTeam {
		slices.SortFunc(own, func(a, b AreaOwnership) int { return cmp.Compare(a.Area, b.Area) })
		k := TeamKnowledge{Areas: len(own), WhatIf: []WhatIf{}}
		var list []ownership.Area
		var scored, weight float64
		seconds := map[string][]Successor{}
		for _, a := range own {
			k.Demand += a.Tickets
			list = append(list, evidenceOf(a))
			seconds[a.Area] = a.Seconds
			if a.BusFactor == 1 {
				k.Sole++
			}
			if a.Silo != nil {
				scored += a.Tickets * a.Silo.Score
				weight += a.Tickets
			}
		}
		if weight > 0 {
			k.Silo = defined(scored / weight)
		}
		if bus, ok := c.BusFactor(list); ok {
			k.Bus = &BusFactor{People: bus.People, Exact: bus.Exact, Who: bus.Who, Uncovered: bus.Uncovered, Demand: bus.Share}
		}
		losses := c.WhatIf(list)
		for _, l := range losses[:min(shownLosses, len(losses))] {
			one := WhatIf{Pseudonym: l.Person, Name: names[l.Person], Uncovered: l.Uncovered, Demand: l.Demand}
			if k.Demand > 0 {
				one.Share = l.Demand / k.Demand
			}
			for _, area := range l.Uncovered {
				next := Successor{Area: area}
				if len(seconds[area]) > 0 {
					next = seconds[area][0]
				}
				one.Next = append(one.Next, next)
			}
			k.WhatIf = append(k.WhatIf, one)
		}
		teams[team] = k
	}
	return teams
}

// spare fills in how much less than an even share of their team's work those have
// who could become the next holders, from the load of a window.
func spare(areas []AreaOwnership, load []Group) {
	relative := map[string]float64{} // the greatest, of somebody in several teams
	for _, g := range load {
		for _, p := range g.Engineers {
			if p.Relative != nil {
				relative[p.Pseudonym] = max(relative[p.Pseudonym], *p.Relative)
			}
		}
	}
	for i := range areas {
		for j := range areas[i].Seconds {
			s := &areas[i].Seconds[j]
			if r, known := relative[s.Pseudonym]; known {
				s.Spare = max(0, 1-r)
			}
		}
	}
}
