package sandbox

import (
	"slices"
	"time"
)

// habit is the share of a team's tickets that goes to its go-to person.
const habit = 0.36

// candidate is someone who could take a ticket, and from when.
type candidate struct {
	person *Person
	fte    float64
	free   int64
}

// candidates are the members of the team, in order, who are at work within
// slack of the first who is, and within a patience of at.
func (s *sim) candidates(t *Team, at, slack, patience int64, not *Person) []candidate {
	var list []candidate
	first := never
	for i := range t.Members {
		m := &t.Members[i]
		when := time.UnixMilli(at)
		if m.Person == not || when.Before(m.From) || !m.To.IsZero() && !when.Before(m.To.Add(-24*time.Hour)) {
			continue
		}
		free := m.Person.work.next(at)
		if free-at > patience {
			continue
		}
		fte := m.FTE
		if when.Sub(m.From) < 21*24*time.Hour {
			fte *= 0.6 // new here
		}
		first = min(first, free)
		list = append(list, candidate{m.Person, fte, free})
	}
	return slices.DeleteFunc(list, func(c candidate) bool { return c.free > first+slack })
}

// choose decides by the team's policy who gets a ticket of an area at a time,
// and nobody if it has to wait until retry.
func (s *sim) choose(j *job, at int64, not *Person) (who *Person, retry int64) {
	t, area := j.queue.Team, s.area(j)
	slack := 3 * hour
	if t.policy == balanced && j.t.last.priority >= 3 {
		slack = 14 * hour // it can wait for whoever begins later in the day
	}
	list := s.candidates(t, at, slack, 4*day, not)
	if len(list) == 0 {
		retry = never
		for _, m := range t.Members {
			if m.Person != not {
				retry = min(retry, m.Person.work.next(at+hour))
			}
		}
		return nil, retry
	}
	if urgent(j) && list[0].free-at > 20*minute {
		if p := s.called(j, at, not); p != nil {
			return p, 0
		}
	}
	truth := &s.o.Truths
	switch t.policy {
	case turns:
		return s.inTurn(list, none), 0
	case lot:
		everyone := s.candidates(t, at, 4*day, 4*day, not)
		return everyone[s.r.IntN(len(everyone))].person, 0
	case skills:
		able := s.skilled(area)
		all := s.candidates(t, at, 12*day, 40*day, not)
		all = slices.DeleteFunc(all, func(c candidate) bool { return able != nil && !slices.Contains(able, c.person) })
		// Those who have the skill and are there soon, else the first of them.
		there := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.free > list[0].free+12*hour })
		switch {
		case len(there) > 0:
			return s.inTurn(there, int32(area.index)), 0
		case len(all) > 0:
			return s.inTurn(all, int32(area.index)), 0
		}
		return s.inTurn(list, int32(area.index)), 0
	case goTo:
		if at >= truth.OverloadedSince.UnixMilli() && not != truth.Overloaded {
			s.habit = min(4, s.habit+habit)
			there := slices.ContainsFunc(list, func(c candidate) bool { return c.person == truth.Overloaded })
			if there && s.habit >= 1 {
				s.habit--
				return truth.Overloaded, 0
			}
			list = s.without(list, truth.Overloaded)
		}
	case keeper:
		if area != truth.Hoarded {
			if s.chance(0.85) {
				list = s.without(list, truth.Hoarder)
			}
			break
		}
		if s.chance(0.012) { // someone tries their hand at it
			list = s.without(list, truth.Hoarder)
			break
		}
		if not == truth.Hoarder {
			return nil, at + 4*hour
		}
		if free := truth.Hoarder.work.next(at); free-at > 18*hour {
			return nil, free
		}
		return truth.Hoarder, 0
	case balanced:
	}
	return s.drawn(list, area), 0
}

// without leaves someone out, unless nobody else is there.
func (s *sim) without(list []candidate, p *Person) []candidate {
	rest := slices.DeleteFunc(slices.Clone(list), func(c candidate) bool { return c.person == p })
	if len(rest) == 0 {
		return list
	}
	return rest
}

// drawn draws in proportion to capacity and knack, and against what is open.
func (s *sim) drawn(list []candidate, area *Area) *Person {
	weights := make([]float64, len(list))
	total := 0.0
	for i, c := range list {
		// What a part-timer has stays open for longer: hence the square.
		open := 1 + float64(len(s.held[c.person.index]))/c.fte
		weights[i] = c.fte * c.fte * s.knack[area.index*len(s.o.People)+c.person.index] / (open * open)
		total += weights[i]
	}
	u := s.r.Float64() * total
	for i, w := range weights {
		if u -= w; u < 0 {
			return list[i].person
		}
	}
	return list[len(list)-1].person
}

// inTurn gives to whoever has waited longest, for something of the area or,
// with none, for anything.
func (s *sim) inTurn(list []candidate, area int32) *Person {
	who := list[0].person
	for _, c := range list[1:] {
		if s.stamp[[2]int{int(area), c.person.index}] < s.stamp[[2]int{int(area), who.index}] {
			who = c.person
		}
	}
	s.turn++
	s.stamp[[2]int{int(area), who.index}] = s.turn
	return who
}

// called is who is called out for something urgent while nobody is at work.
func (s *sim) called(j *job, at int64, not *Person) *Person {
	t := j.queue.Team
	p := t.onCallAt(time.UnixMilli(at))
	switch {
	case p == nil:
		return nil
	case t.policy == keeper && s.area(j) == s.o.Truths.Hoarded:
		p = s.o.Truths.Hoarder // is always called for it, on call or not
		if free := p.work.next(at); free-at > 3*day {
			return nil
		}
	case t.policy == skills:
		// The shift calls whoever of the skilled has been called least lately.
		able := s.skilled(s.area(j))
		list := s.candidates(t, at, 4*day, 4*day, not)
		list = slices.DeleteFunc(list, func(c candidate) bool { return !slices.Contains(able, c.person) })
		if len(list) == 0 {
			return nil
		}
		p = s.inTurn(list, int32(s.area(j).index))
	}
	if p == not {
		return nil
	}
	return p
}

func urgent(j *job) bool { return j.t.last.priority == 1 || j.alarm && j.t.last.priority <= 3 }

// area is the area that a job is about, whatever its ticket says.
func (s *sim) area(j *job) *Area {
	if a := j.t.last.area; a != none && s.o.Areas[a].Queue == j.queue {
		return s.o.Areas[a]
	}
	if j.dest.area.Queue == j.queue {
		return j.dest.area
	}
	return j.queue.Areas[len(j.queue.Areas)-1]
}

// skilled are those who have the skill for an area; nil is everyone.
func (s *sim) skilled(a *Area) []*Person {
	plan := a.Queue.plan.areas[slices.Index(a.Queue.Areas, a)]
	if plan.skilled == nil {
		return nil
	}
	var able []*Person
	for _, i := range plan.skilled {
		able = append(able, a.Queue.Team.Members[i].Person)
	}
	return able
}
