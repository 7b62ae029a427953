package web

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"fairlead/analysis"
)

type areasData struct {
	Areas  []analysis.AreaOwnership
	Hidden int
	Small  int // areas with too little evidence for a score
}

func (p *Pages) areas(v *visit) error {
	if v.s == nil {
		return errEarly
	}
	d := areasData{}
	for _, a := range v.s.Areas {
		switch {
		case !v.viewer.Area(a.Team, a.People):
			d.Hidden++
		case a.Silo == nil:
			d.Small++
		default:
			d.Areas = append(d.Areas, a)
		}
	}
	slices.SortStableFunc(d.Areas, func(a, b analysis.AreaOwnership) int {
		return cmp.Or(cmp.Compare(b.Silo.Score, a.Silo.Score), cmp.Compare(a.Area, b.Area))
	})
	return p.render(v, http.StatusOK, "areas.html", "Knowledge", d)
}

type areaData struct {
	analysis.AreaOwnership
	Members bool              // may be seen singly
	Mine    []analysis.Holder // the viewer's own part, where the others' is not shown
}

func (p *Pages) area(v *visit) error {
	if v.s == nil {
		return errEarly
	}
	name := v.r.URL.Query().Get("area")
	i := slices.IndexFunc(v.s.Areas, func(a analysis.AreaOwnership) bool { return a.Area == name })
	if i < 0 {
		return &refusal{http.StatusNotFound, "There is no area of that name in this analysis."}
	}
	a := v.s.Areas[i]
	if !v.viewer.Area(a.Team, a.People) {
		return &refusal{http.StatusForbidden, "Too few people could know this area for its figures to be shown: they would tell about single people."}
	}
	d := areaData{AreaOwnership: a, Members: v.viewer.Members(a.Team)}
	if d.Members {
		seen := map[string]bool{}
		for _, h := range a.Holders {
			seen[h.Pseudonym] = true
		}
		for _, s := range a.Seconds {
			seen[s.Pseudonym] = true
		}
		delete(seen, "") // nobody
		if err := p.logAccess(v, "holders of area "+name, slices.Sorted(maps.Keys(seen))...); err != nil {
			return err
		}
	} else {
		for _, h := range a.Holders {
			if v.viewer.Engineer() && h.Pseudonym == v.viewer.Self.Pseudonym {
				d.Mine = append(d.Mine, h)
			}
		}
	}
	return p.render(v, http.StatusOK, "area.html", name, d)
}
