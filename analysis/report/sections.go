package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"fairlead/analysis"
)

// The buckets of how long somebody has been overloaded.
const (
	upToFour   = "up to 4 weeks"
	upToTwelve = "5 to 12 weeks"
	longer     = "more than 12 weeks"
)

func (b *builder) overloads() Overload {
	o := Overload{Durations: []Count{}, Reasons: []Count{}, Teams: []TeamOverload{}, People: []PersonState{}}
	judged, now, ever := map[string]bool{}, map[string]bool{}, map[string]bool{}
	weeks := map[string]int{} // for how long, of those at the end
	families := map[string]map[string]bool{}
	teams := map[string]*TeamOverload{}
	for _, one := range b.q.Snapshot.Overload {
		if b.o.Audience == Lead && one.Team != b.o.Teams[0] {
			continue
		}
		if teams[one.Team] == nil {
			teams[one.Team] = &TeamOverload{Judged: new(int), Now: new(int)}
		}
		state := b.state(one)
		if one.Judged {
			judged[one.Pseudonym] = true
			*teams[one.Team].Judged++
		}
		if state.Weeks > 0 {
			ever[one.Pseudonym] = true
		}
		if one.Overloaded {
			now[one.Pseudonym] = true
			*teams[one.Team].Now++
			weeks[one.Pseudonym] = max(weeks[one.Pseudonym], int(b.q.To.Sub(one.Since).Hours()/24/7))
			if families[one.Pseudonym] == nil {
				families[one.Pseudonym] = map[string]bool{}
			}
			for _, s := range one.Signals {
				if s.Holds {
					families[one.Pseudonym][s.Family] = true
				}
			}
		}
		if b.shownPerson(one.Team, one.Pseudonym) {
			o.People = append(o.People, state)
		}
	}
	least := b.o.MinPeople
	if b.o.Audience == Lead {
		least = 0
	}
	if len(judged) >= least {
		nJudged, nNow, nEver := len(judged), len(now), len(ever)
		o.Judged, o.Now, o.Ever = &nJudged, &nNow, &nEver
	}
	// How long and why is of those who are: a group of their own.
	if len(now) > 0 && len(now) >= least {
		lengths, why := map[string]int{}, map[string]int{}
		for p, n := range weeks {
			switch {
			case n <= 4:
				lengths[upToFour]++
			case n <= 12:
				lengths[upToTwelve]++
			default:
				lengths[longer]++
			}
			for f := range families[p] {
				why[f]++
			}
		}
		for _, what := range []string{upToFour, upToTwelve, longer} {
			o.Durations = append(o.Durations, Count{what, lengths[what]})
		}
		for _, what := range []string{"demand", "interruption", "time"} {
			if what == "time" && len(now) < b.o.MinPeople {
				continue // of so few it would tell when one of them worked
			}
			o.Reasons = append(o.Reasons, Count{what, why[what]})
		}
	}
	quarters := map[string]analysis.TeamQuarter{}
	for _, t := range b.q.Teams {
		quarters[t.Team] = t
		if teams[t.Team] == nil {
			teams[t.Team] = &TeamOverload{}
		}
	}
	for _, team := range sorted(teams) {
		t := teams[team]
		if b.load[team] && !b.counted(team) && t.Judged != nil && b.o.Audience == Group {
			o.Withheld++
		}
		if !b.wanted(team) || team == analysis.NoName {
			continue
		}
		t.Team = b.names.clean(team)
		if !b.counted(team) {
			t.Judged, t.Now = nil, nil
		}
		q := quarters[team]
		if q.Acts != nil && q.ActPeople >= least && *q.Acts > 0 {
			share := float64(*q.Off) / float64(*q.Acts)
			t.AfterHours, t.ShortRests = &share, q.ShortRests
		}
		if q.Received != nil && q.WorkPeople >= least && *q.Received > 0 {
			share := *q.Unplanned / *q.Received
			t.Unplanned = &share
		}
		if q.OnCall != nil && *q.OnCall > 0 {
			rate := float64(q.OnCallIncidents) / (float64(*q.OnCall) / float64(12*time.Hour))
			t.OnCall = &rate
		}
		o.Teams = append(o.Teams, *t)
	}
	slices.SortFunc(o.People, func(x, y PersonState) int {
		return cmp.Or(strings.Compare(x.Team, y.Team), strings.Compare(x.Name, y.Name), strings.Compare(x.Engineer, y.Engineer))
	})
	return o
}

// state is one person's. It is made of everybody, and put into a report of those
// whom the audience may see.
func (b *builder) state(o analysis.EngineerOverload) PersonState {
	if b.o.Audience != Self {
		o = o.WithoutHours()
	}
	p := PersonState{
		Engineer: o.Pseudonym, Name: b.name(o.Team, o.Pseudonym, o.Name), Team: b.names.clean(o.Team),
		Judged: o.Judged, Overloaded: o.Overloaded, Reasons: append([]string{}, o.Reasons...), Signals: []Signal{},
	}
	if o.Overloaded {
		since := o.Since
		p.Since = &since
	}
	for _, w := range o.Weeks {
		if w.Overloaded && slices.Contains(b.q.Weeks, w.Week) {
			p.Weeks++
		}
	}
	if b.o.Audience == Self {
		for _, s := range o.Signals {
			p.Signals = append(p.Signals, Signal{Name: s.Name, Family: s.Family, Value: s.Value, Threshold: s.Threshold, Holds: s.Holds})
		}
	}
	return p
}

func (b *builder) knowledge() Knowledge {
	k := Knowledge{Teams: []TeamKnowledge{}, Areas: []Area{}, Pairs: []Pair{}, Own: []OwnEvidence{}}
	for _, t := range b.q.Snapshot.States {
		if !b.wanted(t.Team) || t.Team == analysis.NoName || t.Knowledge.Areas == 0 {
			continue
		}
		one := TeamKnowledge{Team: b.names.clean(t.Team), Areas: t.Knowledge.Areas, Sole: t.Knowledge.Sole, Silo: t.Knowledge.Silo}
		if bus := t.Knowledge.Bus; bus != nil {
			people := bus.People
			one.BusFactor, one.Exact = &people, bus.Exact
		}
		if len(t.Knowledge.WhatIf) > 0 {
			w := t.Knowledge.WhatIf[0]
			one.Exposed = &WhatIf{
				Engineer: b.who(t.Team, w.Pseudonym), Name: b.name(t.Team, w.Pseudonym, w.Name), Areas: []string{}, Share: w.Share,
			}
			for _, a := range w.Uncovered {
				one.Exposed.Areas = append(one.Exposed.Areas, b.names.clean(a))
			}
		}
		k.Teams = append(k.Teams, one)
	}
	for _, a := range b.q.Snapshot.Areas {
		if b.o.Audience == Self {
			for _, h := range a.Holders {
				if h.Pseudonym == b.o.Engineer {
					k.Own = append(k.Own, OwnEvidence{
						Area: b.names.clean(a.Area), Evidence: h.Evidence, Resolutions: h.Resolutions, Acts: h.Acts, Transitions: h.Transitions, First: h.First, Covers: h.Covers,
					})
				}
			}
		}
		if a.Area == analysis.NoName {
			continue
		}
		if !b.wanted(a.Team) || b.o.Audience != Lead && a.People < b.o.MinPeople {
			if b.o.Audience == Group && !b.load[a.Team] {
				k.Withheld++
			}
			continue
		}
		one := Area{
			Area: b.names.clean(a.Area), Team: b.names.clean(a.Team), Tickets: a.Tickets, People: a.People, Effective: a.Effective, BusFactor: a.BusFactor,
		}
		if a.Silo != nil {
			score, c, backup, d := a.Silo.Score, a.Silo.Concentration, a.Silo.Backup, a.Silo.Demand
			one.Silo, one.Concentration, one.Backup, one.Demand = &score, &c, &backup, &d
		}
		k.Areas = append(k.Areas, one)
		if a.BusFactor == 1 && a.Sole != nil && a.Tickets > 0 {
			p := Pair{Area: one.Area, Team: one.Team, Near: len(a.Seconds) > 0 && a.Seconds[0].Evidence > 0}
			p.Knows, p.KnowName = b.who(a.Team, a.Sole.Pseudonym), b.name(a.Team, a.Sole.Pseudonym, a.Sole.Name)
			if p.Near {
				next := a.Seconds[0]
				p.Next, p.NextName = b.who(a.Team, next.Pseudonym), b.name(a.Team, next.Pseudonym, next.Name)
				if p.Next != "" {
					missing := next.Missing
					p.Missing = &missing
				}
			}
			k.Pairs = append(k.Pairs, p)
		}
	}
	slices.SortStableFunc(k.Areas, func(x, y Area) int {
		return cmp.Or(cmp.Compare(score(y.Silo), score(x.Silo)), strings.Compare(x.Area, y.Area))
	})
	slices.SortFunc(k.Pairs, func(x, y Pair) int {
		return cmp.Or(strings.Compare(x.Team, y.Team), strings.Compare(x.Area, y.Area))
	})
	slices.SortFunc(k.Own, func(x, y OwnEvidence) int { return strings.Compare(x.Area, y.Area) })
	return k
}

func score(x *float64) float64 {
	if x == nil {
		return -1
	}
	return *x
}

func (b *builder) rebalancing() Rebalancing {
	r := Rebalancing{Teams: []TeamRebalanced{}, Moves: []Move{}}
	for _, t := range b.q.Rebalancings {
		r.Tolerance = t.Tolerance
		if b.wanted(t.Team) {
			r.Teams = append(r.Teams, TeamRebalanced{
				Team: b.names.clean(t.Team), Tickets: t.Tickets, Moves: len(t.Moves), Proven: t.Proven, Within: len(t.Over) == 0 && len(t.Obstacles) == 0,
				GiniBefore: t.Before.Gini, GiniAfter: t.After.Gini, HooverBefore: t.Before.Hoover, HooverAfter: t.After.Hoover, Unassigned: t.LeftOut.Unassigned,
			})
		}
		for _, m := range t.Moves {
			from, to := b.who(t.Team, m.From), b.who(t.Team, m.To)
			if from == "" && to == "" {
				continue
			}
			one := Move{
				Ticket: clean(m.Key), Source: clean(m.Source), Team: b.names.clean(t.Team), From: from, To: to,
				FromName: b.name(t.Team, m.From, m.FromName), ToName: b.name(t.Team, m.To, m.ToName), Effort: m.Weight, InProgress: m.InProgress,
			}
			if to != "" {
				one.Why = clean(m.Why) // speaks of who would take it
			}
			r.Moves = append(r.Moves, one)
		}
	}
	return r
}

func (b *builder) quality() Quality {
	s := b.q.Snapshot
	q := Quality{
		Sources: []Source{}, UnknownStatuses: s.UnknownStatuses, Ambiguous: s.AmbiguousAddresses,
		Covered: !b.q.Data.Begin.IsZero() && !b.q.Data.Begin.After(b.q.From) && !b.q.From.Before(b.q.Whole), SeriesCap: b.o.SeriesCap, SeriesCut: b.o.SeriesCut,
	}
	if whole := b.q.Whole; b.q.From.Before(whole) || b.missing() {
		q.Whole, q.Deleted = &whole, whole.Equal(b.q.Deleted)
	}
	for _, one := range b.q.Sources {
		source := Source{
			Source: b.names.clean(one.Source), Tickets: one.Tickets, Incomplete: one.Incomplete, Unrecorded: one.Unrecorded, NoArea: one.NoArea,
			NoGroup: one.NoGroup, Deleted: one.Deleted, Estimated: one.Estimated, First: one.FirstTicket,
		}
		if s.Rostered {
			n := s.Unmatched[one.Source]
			source.Unmatched = &n
		}
		q.Sources = append(q.Sources, source)
	}
	var visits, absent float64
	var visitors, away int
	for _, g := range b.groups(analysis.Tickets) {
		if b.o.Audience == Lead && g.Name != b.o.Teams[0] {
			continue
		}
		q.Bots += g.Bots
		visits, visitors = visits+g.Outside.VisitorsWork, visitors+g.Outside.Visitors
		absent, away = absent+g.Outside.AwayWork, away+g.Outside.Away
		if g.Provisional && g.Name != analysis.NoName {
			q.Provisional++
		}
	}
	q.Bots = thousandth(q.Bots)
	enough := func(n int) bool { return n == 0 || n >= b.o.MinPeople || b.o.Audience == Lead }
	if enough(visitors) {
		visits = thousandth(visits)
		q.Visitors = &visits
	}
	if enough(away) {
		absent = thousandth(absent)
		q.Away = &absent
	}
	return q
}

// missing is whether a quarter of the trend lacks tickets, and none of its figures
// are stored.
func (b *builder) missing() bool {
	return slices.ContainsFunc(b.q.All.Quarters, func(p analysis.QuarterPoint) bool {
		from, _ := p.Window.Bounds(b.q.To)
		return from.Before(b.q.Whole) && !p.Stored
	})
}

func thousandth(x float64) float64 { return math.Round(1000*x) / 1000 }

func configuration(c analysis.Config) Configuration {
	o, w := c.Overload, c.Ownership
	kinds := make([]string, len(c.Unplanned))
	for i, k := range c.Unplanned {
		kinds[i] = string(k)
	}
	day := 24 * time.Hour
	return Configuration{
		Q: c.Verdict.Q, Hoover: c.Verdict.Hoover,
		OwnLoad: o.OwnLoad, TeamLoad: o.TeamLoad, TeamLoadTail: o.TeamLoadTail, Flow: o.Flow, OnCall: o.OnCall, ShiftHours: o.Shift.Hours(),
		Unplanned: o.Unplanned, RestHours: o.Rest.Hours(), Families: o.Families, HotWeeks: o.Hot, WindowWeeks: o.Window, CoolWeeks: o.Cool, Release: o.Release,
		BaselineWeeks: o.BaselineWeeks,
		DecayDays:     float64(w.Decay) / float64(day), MemoryDays: float64(w.Memory) / float64(day), DemandDays: float64(w.Demand) / float64(day), Enough: w.Enough,
		Resolution: w.Weights.Resolution, Act: w.Weights.Act, Transition: w.Weights.Transition, First: w.Weights.First,
		UnplannedKinds: strings.Join(kinds, ", "),
	}
}

func percent(x float64) string { return fmt.Sprintf("%.0f %%", 100*x) }
