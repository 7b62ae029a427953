package web

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"

	"fairlead/analysis"
)

type personData struct {
	analysis.Colleague
	Own      bool   // it is the viewer's
	Contact  string // to whom one objects
	Hours    bool   // whether others are shown when somebody worked
	Overload []analysis.EngineerOverload
	Knows    []knows
	Why      why
	Said     []string // findings about them, as the lead of the team reads them
	Moves    []analysis.RebalancingMove
	Looked   []looked
	Looks    int
}

// why is where the numbers of a person come from.
type why struct {
	Failed bool   // they could not be taken apart
	All    string // the link to the same page with all tickets; "" where all are listed
	Parts  []whyPart
	Notes  []string
	ids    map[whyKey]string
}

// whyPart is the numbers that are about one team or area, and the tickets behind
// them.
type whyPart struct {
	analysis.Where
	Figures []whyFigure
	Lists   []whyList
}

type whyFigure struct {
	ID string
	analysis.ExplainedFigure
	Lists []whyList // that it comes from
}

type whyList struct {
	ID string
	analysis.ExplainedList
}

type whyKey struct {
	analysis.Where
	figure string
}

// ticketsShown is how many tickets of a list a page shows unless asked for all.
const ticketsShown = 25

// whyOf orders an explanation by team, then by area, as they come.
func whyOf(x analysis.Explanation) why {
	w := why{Notes: x.Notes, ids: map[whyKey]string{}}
	at := map[analysis.Where]int{}
	for _, areas := range []bool{false, true} {
		for _, f := range x.Figures {
			if _, seen := at[f.Where]; !seen && (f.Area != "") == areas {
				at[f.Where] = len(w.Parts)
				w.Parts = append(w.Parts, whyPart{Where: f.Where})
			}
		}
	}
	lists := map[analysis.Where]map[string]whyList{}
	for _, l := range x.Tickets {
		i, told := at[l.Where]
		if !told {
			continue
		}
		one := whyList{fmt.Sprintf("tickets-%d-%s", i, l.Behind), l}
		if lists[l.Where] == nil {
			lists[l.Where] = map[string]whyList{}
		}
		lists[l.Where][l.Behind] = one
		w.Parts[i].Lists = append(w.Parts[i].Lists, one)
	}
	for _, f := range x.Figures {
		i := at[f.Where]
		one := whyFigure{ID: fmt.Sprintf("why-%d-%s", i, f.Name), ExplainedFigure: f}
		for _, l := range x.Behind(analysis.OfEngineer, f) {
			one.Lists = append(one.Lists, lists[l.Where][l.Behind])
		}
		w.ids[whyKey{f.Where, f.Name}] = one.ID
		w.Parts[i].Figures = append(w.Parts[i].Figures, one)
	}
	return w
}

// Team and Area are the link to where a figure in a team or an area comes from; ""
// for one that is not taken apart.
func (w why) Team(team, figure string) string { return w.link(analysis.Where{Team: team}, figure) }

// Area is as Team.
func (w why) Area(area, figure string) string { return w.link(analysis.Where{Area: area}, figure) }

func (w why) link(where analysis.Where, figure string) string {
	if id := w.ids[whyKey{where, figure}]; id != "" {
		return "#" + id
	}
	return ""
}

// looked is an entry of the access log, and who it was for whom it is about.
type looked struct {
	Access
	Who string
}

// lookerAt is who looked at somebody: a pseudonym says nothing to them, but that it
// was the lead of their team does.
func (v *visit) lookerAt(a Access, c analysis.Colleague) string {
	own := v.viewer.Self.Pseudonym == c.Pseudonym
	if own && a.By == c.Pseudonym {
		return "you"
	}
	if who, found := v.known.Find(a.By); found {
		for _, team := range c.Teams {
			if slices.Contains(who.Leads, team) {
				if own {
					return "the lead of " + team
				}
				return "the lead of " + team + " (" + a.By + ")"
			}
		}
	}
	return looker(a)
}

type knows struct {
	Area string
	analysis.Holder
	Sole bool
}

// me leads to one's own page.
func (p *Pages) me(v *visit) error {
	switch {
	case !p.options.People:
		return &refusal{http.StatusNotFound, "Nothing about single people is shown here: web.people is off."}
	case !v.viewer.Engineer():
		return &refusal{http.StatusNotFound, "You are not one of the engineers here, so there is nothing about you. Who runs the service finds a page by its pseudonym."}
	}
	return p.person(v, v.viewer.Self)
}

func (p *Pages) engineer(v *visit) error {
	pseudonym := v.r.URL.Query().Get("who")
	c, found := v.known.Find(pseudonym)
	// Who may not look is told the same whether there is somebody or not.
	if !found || !v.viewer.Person(c.Pseudonym, c.Teams) {
		if v.viewer.Local && p.options.People {
			return &refusal{http.StatusNotFound, "Nobody has that pseudonym here."}
		}
		return &refusal{http.StatusForbidden, "The page of an engineer is for them and for the lead of their team."}
	}
	return p.person(v, c)
}

func (p *Pages) person(v *visit, c analysis.Colleague) error {
	if v.s == nil {
		return errEarly
	}
	d := personData{Colleague: c, Own: c.Pseudonym == v.viewer.Self.Pseudonym, Contact: p.options.Contact, Hours: p.options.PersonAfterHours}
	if err := p.logAccess(v, "page of an engineer", c.Pseudonym); err != nil {
		return err
	}
	hours := d.Own || d.Hours // whether it is shown when they worked
	for _, o := range v.s.Overload {
		if o.Pseudonym != c.Pseudonym {
			continue
		}
		if !d.Own && !v.viewer.Members(o.Team) {
			continue
		}
		if !hours {
			o = o.WithoutHours()
		}
		d.Overload = append(d.Overload, o)
	}
	d.Why = p.why(v, c.Pseudonym, d.Own, hours)
	for _, f := range v.s.Findings {
		if f.Engineer == c.Pseudonym && (d.Own || v.viewer.Members(f.Team)) {
			d.Said = append(d.Said, f.Sentence)
		}
	}
	for _, o := range d.Overload {
		d.Moves = append(d.Moves, p.moves(v, o.Team, c.Pseudonym)...)
	}
	for _, a := range v.s.Areas {
		if !d.Own && !v.viewer.Members(a.Team) {
			continue
		}
		for _, h := range a.Holders {
			if h.Pseudonym == c.Pseudonym {
				d.Knows = append(d.Knows, knows{a.Area, h, a.Sole != nil && a.Sole.Pseudonym == c.Pseudonym})
			}
		}
	}
	slices.SortStableFunc(d.Knows, func(a, b knows) int { return cmp.Compare(b.Evidence, a.Evidence) })
	entries, total, err := p.options.Journal.Latest(50, func(a Access) bool { return a.Pseudonym == c.Pseudonym })
	if err != nil {
		return err
	}
	d.Looks = total
	for _, a := range entries {
		d.Looked = append(d.Looked, looked{a, v.lookerAt(a, c)})
	}
	return p.render(v, http.StatusOK, "person.html", c.Pseudonym, d)
}

// moves are the tickets that a suggestion for a team would take from somebody or
// give to them, as its lead sees it, without who else is in it.
func (p *Pages) moves(v *visit, team, pseudonym string) []analysis.RebalancingMove {
	plan, err := p.plan(v, team)
	if err != nil {
		p.log.Warn("no rebalancing could be made", "error", err)
		return nil
	}
	var list []analysis.RebalancingMove
	for _, m := range plan.Moves {
		switch pseudonym {
		case m.From:
			list = append(list, analysis.RebalancingMove{Key: m.Key, Source: m.Source, From: m.From})
		case m.To:
			list = append(list, analysis.RebalancingMove{Key: m.Key, Source: m.Source, To: m.To, Why: m.Why})
		}
	}
	return list
}

// subject is whose numbers are taken apart, over which window.
type subject struct{ pseudonym, window string }

// why takes the numbers of somebody apart, as far as the viewer may see them.
func (p *Pages) why(v *visit, pseudonym string, own, hours bool) why {
	most, query := ticketsShown, v.r.URL.Query()
	all := query.Get("tickets") == "all"
	if all {
		most = math.MaxInt
	}
	asked := analysis.ExplainQuery{
		AsOf: v.s.AsOf, Engineer: pseudonym, Window: window(v), Basis: analysis.Load, Unit: analysis.Tickets, Tickets: most,
	}
	explain := func() (analysis.Explanation, error) { return p.options.Engine.Explain(v.ctx(), asked) }
	var x analysis.Explanation
	var err error
	if all {
		x, err = explain() // may be long, and is seldom asked for
	} else {
		x, err = p.taken.of(v.s, subject{pseudonym, asked.Window.String()}, explain)
	}
	if err != nil {
		p.log.Warn("the numbers of an engineer could not be taken apart", "error", err)
		return why{Failed: true}
	}
	if !hours {
		x = x.WithoutHours()
	}
	if !own {
		teams := map[string]string{} // by area
		for _, a := range v.s.Areas {
			teams[a.Area] = a.Team
		}
		x = x.Within(func(w analysis.Where) bool {
			team := w.Team
			if w.Area != "" {
				team = teams[w.Area]
			}
			return v.viewer.Members(team)
		})
	}
	w := whyOf(x)
	if !all && slices.ContainsFunc(x.Tickets, func(l analysis.ExplainedList) bool { return l.More > 0 }) {
		query.Set("tickets", "all")
		w.All = v.r.URL.Path + "?" + query.Encode()
	}
	return w
}
