package web

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fairlead/analysis"
)

// teamRow is a team among others.
type teamRow struct {
	Name    string
	Group   *analysis.Group // open work in tickets, of the window; nil where there was none
	State   *analysis.TeamState
	PerHead *float64 // open tickets a full-time equivalent, on average over the window
	Talk    []string // why a conversation may be worth while
	Members bool     // may be seen singly
	Few     bool     // there was open work, of too few people for its figures to be shown
}

type overviewData struct {
	Findings []finding
	Settled  []finding // that say why what looks uneven need not be talked about
	Teams    []teamRow
	Hidden   int // teams under the least size
	Mine     []string
	Sources  []SourceState
}

// finding is what is said on the first page, and the pages that tell more of it.
type finding struct {
	Says string
	More []link
}

// finding is one as far as the viewer may see it; false for one that is not for them.
// To whoever is not shown single people an area's is told without its holder: what
// it says then stands on the area's page as well.
func (v *visit) finding(f analysis.Finding) (finding, bool) {
	members := v.viewer.Members(f.Team)
	told := finding{Says: f.Sentence, More: []link{{To: teamLink(f.Team), Says: f.Team}}}
	if f.Area != "" {
		told.More = append(told.More, link{To: areaLink(f.Area), Says: f.Area})
	}
	switch {
	case members && f.Engineer != "":
		told.More = append(told.More, link{To: engineerLink(f.Engineer), Says: f.Engineer})
	case f.Kind == analysis.HoardedArea:
		told.Says = strings.Replace(f.Sentence, "sits with "+f.Engineer, "sits with one person", 1)
		return told, v.viewer.Area(f.Team, f.People) && !strings.Contains(told.Says, f.Engineer)
	case f.Engineer != "":
		return finding{}, false // what it says without the person stands in the team's row
	}
	return told, members || f.People == 0 || f.People >= v.viewer.minGroup
}

// rows are the teams that a viewer may see, those that need a conversation first.
func (v *visit) rows(all bool) (rows []teamRow, hidden int) {
	w := window(v)
	groups := map[string]*analysis.Group{}
	for i, g := range v.s.Teams[analysis.TeamsKey{Window: w, Basis: analysis.Load, Unit: analysis.Tickets}] {
		groups[g.Name] = &v.s.Teams[analysis.TeamsKey{Window: w, Basis: analysis.Load, Unit: analysis.Tickets}][i]
	}
	states := map[string]*analysis.TeamState{}
	names := map[string]bool{}
	for i, t := range v.s.States {
		states[t.Team], names[t.Team] = &v.s.States[i], true
	}
	for name := range groups {
		names[name] = true
	}
	for name := range names {
		if name == analysis.NoName {
			continue
		}
		row := v.row(name, groups[name], states[name])
		if !all && len(v.viewer.Manages) > 0 && !slices.Contains(v.viewer.Manages, name) && !row.Members {
			continue
		}
		if !v.viewer.Team(name, row.people()) {
			hidden++
			continue
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b teamRow) int {
		return cmp.Or(cmp.Compare(min(1, len(b.Talk)), min(1, len(a.Talk))), cmp.Compare(a.Name, b.Name))
	})
	return rows, hidden
}

// people is of how many the figures of a team tell.
func (t teamRow) people() int {
	n := 0
	if t.Group != nil {
		n = t.Group.People
	}
	if t.State != nil {
		n = max(n, t.State.People)
	}
	return n
}

func (v *visit) row(name string, g *analysis.Group, state *analysis.TeamState) teamRow {
	row := teamRow{Name: name, Group: g, State: state, Members: v.viewer.Members(name)}
	row.withhold(v.viewer.minGroup)
	g, state = row.Group, row.State
	if g != nil && g.Capacity > 0 {
		from, to := window(v).Bounds(v.s.AsOf)
		if !from.IsZero() {
			x := g.Total / (to.Sub(from).Hours() / 24) / g.Capacity
			row.PerHead = &x
		}
	}
	if g != nil && g.Verdict == analysis.Uneven && !isExplained(g) {
		row.Talk = append(row.Talk, "work is uneven beyond chance")
	}
	for _, f := range v.s.Findings {
		if f.Kind == analysis.HoardedArea && f.Team == name && v.viewer.Area(f.Team, f.People) {
			row.Talk = append(row.Talk, "what is known of "+f.Area+" sits with one person")
		}
	}
	if state != nil {
		if state.Overloaded > 0 {
			row.Talk = append(row.Talk, counted(state.Overloaded, "person is", "people are")+" overloaded")
		}
		if state.Unassigned.Growing {
			row.Talk = append(row.Talk, "work that nobody holds piles up")
		}
		if b := state.Knowledge.Bus; b != nil && b.People == 1 {
			row.Talk = append(row.Talk, "at least half of its work hangs on what one person knows")
		}
	}
	return row
}

// settled reports whether a finding itself says why there is nothing to talk about.
func (v *visit) settled(f analysis.Finding) bool {
	switch f.Kind {
	case analysis.LuckyTeam:
		return true
	case analysis.UnevenTeam:
		for i, g := range v.s.Teams[analysis.TeamsKey{Window: f.Window, Basis: analysis.Load, Unit: analysis.Tickets}] {
			if g.Name == f.Team {
				return isExplained(&v.s.Teams[analysis.TeamsKey{Window: f.Window, Basis: analysis.Load, Unit: analysis.Tickets}][i])
			}
		}
	}
	return false
}

// isExplained reports whether who was there and knows the area explains how
// uneven a group's work is.
func isExplained(g *analysis.Group) bool {
	return g.Explained != nil && g.Explained.P >= explainedAt
}

// withhold takes away what is about fewer than the least people, from whoever may
// not see them singly. A team may have enough people, and few of them had open work
// in the window, or are known well enough to be judged.
func (t *teamRow) withhold(least int) {
	if t.Members {
		return
	}
	if t.Group != nil && t.Group.People < least {
		t.Group, t.Few = nil, true
	}
	if t.State == nil {
		return
	}
	state, enough := t.State.OfAtLeast(least)
	if t.State = &state; !enough {
		t.State = nil
	}
}

// explainedAt is the least p under the lot among those who were there and know
// the area from which that lot is said to explain what is seen.
const explainedAt = 0.05

func (p *Pages) overview(v *visit) error {
	if v.s == nil {
		return errEarly
	}
	d := overviewData{Mine: v.viewer.Self.Teams}
	d.Teams, d.Hidden = v.rows(v.r.URL.Query().Get("all") != "")
	sizes := map[string]int{}
	for _, t := range d.Teams {
		sizes[t.Name] = t.people()
	}
	seen := map[string]bool{}
	for _, f := range v.s.Findings {
		if _, shown := sizes[f.Team]; !shown {
			continue
		}
		told, may := v.finding(f)
		if !may {
			continue
		}
		if f.Engineer != "" && v.viewer.Members(f.Team) {
			seen[f.Engineer] = true
		}
		if v.settled(f) {
			d.Settled = append(d.Settled, told)
		} else {
			d.Findings = append(d.Findings, told)
		}
	}
	if err := p.logAccess(v, "findings on the first page", slices.Sorted(maps.Keys(seen))...); err != nil {
		return err
	}
	if p.options.Sources != nil {
		var err error
		if d.Sources, err = p.options.Sources(); err != nil {
			return err
		}
	}
	title := "Teams"
	if !v.s.Rostered {
		title = "Queues"
	}
	return p.render(v, http.StatusOK, "overview.html", title, d)
}

type teamData struct {
	teamRow
	Effort   *analysis.Group // the same in effort
	Overload []analysis.EngineerOverload
	Areas    []analysis.AreaOwnership
	Plan     *analysis.Rebalancing
	PlanNot  string // why there is none
	Outside  analysis.Outside
}

// outside is who is not counted in a team's figures, as far as the viewer may see
// it: what a few people of other teams hold is theirs.
func (v *visit) outside(g *analysis.Group, members bool) analysis.Outside {
	if g == nil {
		return analysis.Outside{}
	}
	o := g.Outside
	if !members && o.Visitors < v.viewer.minGroup {
		o.Visitors, o.VisitorsWork = 0, 0
	}
	if !members && o.Away < v.viewer.minGroup {
		o.Away, o.AwayWork = 0, 0
	}
	return o
}

func (p *Pages) team(v *visit) error {
	if v.s == nil {
		return errEarly
	}
	name := v.r.URL.Query().Get("team")
	d := teamData{}
	find := func(unit analysis.Unit) *analysis.Group {
		list := v.s.Teams[analysis.TeamsKey{Window: window(v), Basis: analysis.Load, Unit: unit}]
		if i := slices.IndexFunc(list, func(g analysis.Group) bool { return g.Name == name }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	var state *analysis.TeamState
	if i := slices.IndexFunc(v.s.States, func(t analysis.TeamState) bool { return t.Team == name }); i >= 0 {
		state = &v.s.States[i]
	}
	known := state != nil || find(analysis.Tickets) != nil
	d.teamRow, d.Effort = v.row(name, find(analysis.Tickets), state), find(analysis.Effort)
	if d.Effort != nil && !d.Members && d.Effort.People < v.viewer.minGroup {
		d.Effort = nil
	}
	if d.Group == nil && d.State == nil && !known {
		return &refusal{http.StatusNotFound, "There is no team or queue of that name in this analysis."}
	}
	if !v.viewer.Team(name, d.people()) {
		return &refusal{http.StatusForbidden, "This team has too few people for its figures to be shown: they would tell about single members."}
	}
	d.Outside = v.outside(d.Group, d.Members)
	for _, a := range v.s.Areas {
		if a.Team == name && v.viewer.Area(a.Team, a.People) {
			d.Areas = append(d.Areas, a)
		}
	}
	if d.Members {
		for _, o := range v.s.Overload {
			if o.Team == name {
				if !p.options.PersonAfterHours {
					o = o.WithoutHours()
				}
				d.Overload = append(d.Overload, o)
			}
		}
		plan, err := p.plan(v, name)
		if err != nil {
			p.log.Warn("no rebalancing could be made", "error", err)
			d.PlanNot = "It could not be made: the log of the service says why."
		} else {
			d.Plan = &plan
		}
		if err := p.logAccess(v, "members of team "+name, d.members()...); err != nil {
			return err
		}
	}
	return p.render(v, http.StatusOK, "team.html", name, d)
}

// plan is the suggestion for a team.
func (p *Pages) plan(v *visit, team string) (analysis.Rebalancing, error) {
	return p.plans.of(v.s, team, func() (analysis.Rebalancing, error) {
		return p.options.Engine.Rebalance(v.ctx(), team, v.s.AsOf, analysis.DefaultRebalanceOptions())
	})
}

// members are whom the page of a team shows singly, in order.
func (d teamData) members() []string {
	seen := map[string]bool{}
	for _, o := range d.Overload {
		seen[o.Pseudonym] = true
	}
	if d.Group != nil {
		for _, one := range d.Group.Engineers {
			seen[one.Pseudonym] = true
		}
	}
	if d.State != nil {
		for _, w := range d.State.Knowledge.WhatIf {
			seen[w.Pseudonym] = true
			for _, n := range w.Next {
				seen[n.Pseudonym] = true
			}
		}
	}
	if d.Plan != nil {
		for _, m := range d.Plan.Moves {
			seen[m.From], seen[m.To] = true, true
		}
	}
	delete(seen, "") // nobody
	return slices.Sorted(maps.Keys(seen))
}

func teamLink(name string) string { return "/team?" + url.Values{"team": {name}}.Encode() }

func areaLink(name string) string { return "/area?" + url.Values{"area": {name}}.Encode() }

func engineerLink(pseudonym string) string {
	return "/engineer?" + url.Values{"who": {pseudonym}}.Encode()
}
