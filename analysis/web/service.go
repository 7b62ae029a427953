package web

import (
	"errors"
	"net/http"
)

func (p *Pages) collection(v *visit) error {
	var sources []SourceState
	if p.options.Sources != nil {
		var err error
		if sources, err = p.options.Sources(); err != nil {
			return err
		}
	}
	return p.render(v, http.StatusOK, "collection.html", "Collection", sources)
}

func (p *Pages) method(v *visit) error {
	return p.render(v, http.StatusOK, "method.html", "How the numbers are made", p.options.MinPeople)
}

type accessData struct {
	Entries []Access
	Total   int
}

func (p *Pages) accesses(v *visit) error {
	if !v.viewer.Accesses() {
		return &refusal{http.StatusForbidden, "The whole access log is for auditors. Who looked at your own data stands on your page."}
	}
	var d accessData
	var err error
	if d.Entries, d.Total, err = p.options.Journal.Latest(500, func(Access) bool { return true }); err != nil {
		return err
	}
	return p.render(v, http.StatusOK, "access.html", "Access log", d)
}

func (p *Pages) reports(v *visit) error {
	var list []StoredReport
	if p.options.Reports != nil {
		var err error
		if list, err = p.options.Reports.List(v.ctx()); err != nil {
			return err
		}
	}
	// What was made again, with corrected data or by another release, comes first.
	latest := map[string]bool{}
	for i := range list {
		list[i].Earlier = latest[list[i].Title]
		latest[list[i].Title] = true
	}
	return p.render(v, http.StatusOK, "reports.html", "Reports", list)
}

// reportPolicy lets a report bring its own style with it, and nothing else.
const reportPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (p *Pages) report(v *visit) error {
	id := v.r.URL.Query().Get("id")
	if p.options.Reports == nil {
		return &refusal{http.StatusNotFound, "No report is stored here."}
	}
	html, err := p.options.Reports.Open(v.ctx(), id)
	if errors.Is(err, ErrNoReport) {
		return &refusal{http.StatusNotFound, "There is no such report."}
	}
	if err != nil {
		return err
	}
	head(v.w.Header(), reportPolicy)
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err = v.w.Write(html)
	return err
}
