package web

import (
	"net/http"
	"slices"

	"fairlead/analysis"
)

type personData struct {
	analysis.Colleague
	Own       bool // it is the viewer's
	Overload  []analysis.EngineerOverload
	Explained []explained // by team
	Knows     []knows
	Looked    []Access
	Looks     int
}

// explained is the numbers of one engineer in one team taken apart.
type explained struct {
	Team string
	analysis.Explanation
	Failed bool
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
	d := personData{Colleague: c, Own: c.Pseudonym == v.viewer.Self.Pseudonym}
	if err := p.logAccess(v, "page of an engineer", c.Pseudonym); err != nil {
		return err
	}
	var teams []string
	for _, o := range v.s.Overload {
		if o.Pseudonym != c.Pseudonym {
			continue
		}
		if !d.Own && !v.viewer.Members(o.Team) {
			continue
		}
		if !d.Own && !p.options.PersonAfterHours {
			o.AfterHours = nil
			o.Signals = slices.DeleteFunc(slices.Clone(o.Signals), func(s analysis.OverloadSignal) bool { return s.Family == "time" })
		}
		d.Overload = append(d.Overload, o)
		teams = append(teams, o.Team)
	}
	for _, team := range teams {
		x, err := p.options.Engine.Explain(v.ctx(), analysis.ExplainQuery{
			AsOf: v.s.AsOf, Engineer: c.Pseudonym, Team: team, Window: window(v), Basis: analysis.Load, Unit: analysis.Tickets, Tickets: 25,
		})
		if err != nil {
			p.log.Warn("the numbers of an engineer could not be taken apart", "error", err)
		}
		d.Explained = append(d.Explained, explained{Team: team, Explanation: x, Failed: err != nil})
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
	var err error
	if d.Looked, d.Looks, err = p.options.Journal.Latest(50, func(a Access) bool { return a.Pseudonym == c.Pseudonym }); err != nil {
		return err
	}
	return p.render(v, http.StatusOK, "person.html", c.Pseudonym, d)
}
