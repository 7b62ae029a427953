package overload

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead/analysis/distribution"
)

// Mark is what a week says of the state.
type Mark uint8

// The marks.
const (
	Away    Mark = iota // the person was not there: the week says nothing
	Cool                // not enough signals would hold at the release thresholds
	Between             // enough for staying on, not for turning on
	Hot                 // enough signals hold
	Unclear             // what could not be told decides: the week says nothing
)

// Evidence is by which rule a week was judged.
type Evidence string

// The evidence.
const (
	ByFamilies Evidence = "families"
	DemandOnly Evidence = "demand_only" // fewer than two families could be computed
)

// State is an engineer's week.
type State struct {
	Week     Week
	Mark     Mark
	Readings []Reading // in the order of Signals; none when away
	Parts    Parts

	// Overloaded is the state at the week's end, Since the week in which it
	// turned on. Evidence and Reasons are those of its last hot week, which is
	// in Reasons; while the state is off they are empty.
	Overloaded bool
	Since      Week
	Evidence   Evidence
	Reasons    Reasons
}

// Reading is the week's reading of a signal; absent when away.
func (s State) Reading(signal Signal) Reading {
	for _, r := range s.Readings {
		if r.Signal == signal {
			return r
		}
	}
	return Reading{Signal: signal}
}

// Computed lists the families that could be computed.
func (s State) Computed() []Family {
	return families(s.Readings, func(r Reading) bool { return r.Status != Absent })
}

// Holding lists the families with a signal that holds.
func (s State) Holding() []Family { return families(s.Readings, Reading.Holds) }

func families(readings []Reading, is func(Reading) bool) []Family {
	var list []Family
	for _, f := range Families {
		if slices.ContainsFunc(readings, func(r Reading) bool { return r.Signal.Family() == f && is(r) }) {
			list = append(list, f)
		}
	}
	return list
}

// Assessment is the history of one member.
type Assessment struct {
	Engineer string
	Weeks    []State // one for each record

	memory int
}

// At is the state at the end of a week: that of its record or, where there is
// none, the one before it as long as it is remembered. ok is false where nothing
// is known. A State of an earlier week keeps the number of that week.
func (a Assessment) At(w Week) (s State, ok bool) {
	i, found := slices.BinarySearchFunc(a.Weeks, w, func(s State, w Week) int { return cmp.Compare(s.Week, w) })
	if found {
		return a.Weeks[i], true
	}
	for i--; i >= 0 && int64(w)-int64(a.Weeks[i].Week) < int64(a.memory); i-- {
		if a.Weeks[i].Mark != Away {
			return a.Weeks[i], true
		}
	}
	return State{}, false
}

// Assess assesses the members of one team over all weeks of their records, and
// gives one Assessment a member, by engineer, whatever order they came in. What
// comes after a week changes nothing in it. The error is that of Validate, or
// wraps distribution.ErrInput: a number that is none, weeks out of order, an
// engineer twice. Members are read only.
func (c Config) Assess(members []Member) ([]Assessment, error) {
	return c.assessAll(members, unusual)
}

// unusual is whether a week is set aside from what is usual for a person: more
// rested on them than on their team.
func unusual(s State) bool { return s.Reading(SignalTeamLoad).Holds() }

// assessAll is Assess with a rule for which weeks are set aside.
func (c Config) assessAll(members []Member, setAside func(State) bool) ([]Assessment, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.Engineer, b.Engineer) })
	there := map[Week][]Record{}
	for i, m := range members {
		if i > 0 && members[i-1].Engineer == m.Engineer {
			return nil, fmt.Errorf("assessing overload: %w: an engineer is there twice", distribution.ErrInput)
		}
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("assessing overload: %w", err)
		}
		for _, r := range m.Records {
			if r.Capacity > 0 {
				there[r.Week] = append(there[r.Week], r)
			}
		}
	}
	teams := make(map[Week]team, len(there))
	for week, records := range there {
		teams[week] = together(records)
	}
	list := make([]Assessment, len(members))
	for i, m := range members {
		list[i] = c.assess(m, teams, setAside)
	}
	return list, nil
}

// together adds up the members who were there in a week, in an order that does
// not depend on what they are called.
func together(records []Record) team {
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Load.Sum, b.Load.Sum), cmp.Compare(a.Load.Squares, b.Load.Squares), cmp.Compare(a.Capacity, b.Capacity))
	})
	var t team
	for _, r := range records {
		t.weights, t.capacity, t.people = t.weights.Plus(r.Load), t.capacity+r.Capacity, t.people+1
	}
	return t
}

func (c Config) assess(m Member, teams map[Week]team, setAside func(State) bool) Assessment {
	a := Assessment{Engineer: m.Engineer, Weeks: make([]State, len(m.Records)), memory: c.Window}
	switcher := newSwitcher(c)
	tailZ, wilsonZ := normalScore(c.TeamLoadTail), normalScore(1-c.AfterHoursConfidence)
	var evidence Evidence
	var reasons Reasons
	aside := make([]bool, len(m.Records))
	for i, r := range m.Records {
		s := State{Week: r.Week, Parts: newParts()}
		if r.Capacity > 0 {
			w := week{
				record: r, history: m.Records[:i], aside: aside[:i], team: teams[r.Week], config: &c, tailZ: tailZ, wilsonZ: wilsonZ,
				readings: make([]Reading, 0, len(Signals)),
			}
			w.read()
			s.Readings, s.Parts = w.readings, w.parts
			var by Evidence
			if s.Mark, by = c.mark(s.Readings); s.Mark == Hot {
				evidence, reasons = by, reasonsOf(c, s)
			}
		}
		s.Overloaded, s.Since = switcher.step(s.Week, s.Mark)
		if s.Overloaded {
			s.Evidence, s.Reasons = evidence, reasons
		}
		aside[i] = setAside(s)
		a.Weeks[i] = s
	}
	return a
}

// mark judges a week that is known.
func (c Config) mark(readings []Reading) (Mark, Evidence) {
	by := ByFamilies
	if len(families(readings, func(r Reading) bool { return r.Status != Absent })) < c.Families {
		by = DemandOnly
	}
	var blind []Family // that can be computed, and nothing is known of this week
	for _, f := range families(readings, func(r Reading) bool { return r.Status == Insufficient }) {
		if !slices.ContainsFunc(readings, func(r Reading) bool { return r.Signal.Family() == f && r.Status == Measured }) {
			blind = append(blind, f)
		}
	}
	enough := func(holds func(Reading) bool) bool {
		if by == ByFamilies {
			return len(families(readings, holds)) >= c.Families
		}
		n := 0
		for _, r := range readings {
			if r.Signal.Family() == FamilyDemand && holds(r) {
				n++
			}
		}
		return n >= c.DemandSignals
	}
	switch {
	case enough(Reading.Holds):
		return Hot, by
	case enough(func(r Reading) bool { return r.Level >= c.Release }):
		return Between, by
	case enough(func(r Reading) bool { return r.Level >= c.Release || slices.Contains(blind, r.Signal.Family()) }):
		return Unclear, by
	}
	return Cool, by
}

// switcher is the hysteresis: the state of one person, week by week.
type switcher struct {
	hotWeeks, window, coolWeeks int

	on    bool
	since Week
	known bool
	last  Week   // that was known
	hot   []Week // within the window, and after the state last turned off
	cool  int    // in a row
}

func newSwitcher(c Config) *switcher {
	return &switcher{hotWeeks: c.Hot, window: c.Window, coolWeeks: c.Cool}
}

// step takes the next week; those that were left out are not known.
func (s *switcher) step(w Week, mark Mark) (on bool, since Week) {
	unknown := int64(w) - int64(s.last) // weeks up to this one that say nothing
	tells := mark != Away && mark != Unclear
	if tells {
		unknown--
	}
	if s.known && unknown >= int64(s.window) {
		s.on, s.known, s.hot, s.cool = false, false, nil, 0
	}
	s.hot = slices.DeleteFunc(s.hot, func(h Week) bool { return int64(w)-int64(h) >= int64(s.window) })
	switch mark {
	case Hot:
		s.hot, s.cool = append(s.hot, w), 0
	case Between:
		s.cool = 0
	case Cool:
		s.cool++
	}
	if tells {
		s.known, s.last = true, w
	}
	switch {
	case s.on && s.cool >= s.coolWeeks:
		// Weeks before this one do not turn it on again.
		s.on, s.hot = false, nil
	case !s.on && mark == Hot && len(s.hot) >= s.hotWeeks:
		s.on, s.since = true, w
	}
	if !s.on {
		return false, 0
	}
	return true, s.since
}
