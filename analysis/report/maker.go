package report

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"time"

	"fairlead/analysis"
)

// Engine is what a Maker asks.
type Engine interface {
	Quarter(ctx context.Context, window analysis.Window, asOf time.Time) (*analysis.Quarter, error)
}

// Format is a form of a report.
type Format string

// The formats.
const (
	HTML Format = "html"
	CSV  Format = "csv"
	JSON Format = "json"
)

// Write writes the report in a form.
func (r *Report) Write(w io.Writer, f Format) error {
	switch f {
	case HTML:
		return r.HTML(w)
	case CSV:
		return r.CSV(w)
	case JSON:
		return r.JSON(w)
	}
	return fmt.Errorf("format %q is none: give html, csv or json", string(f))
}

// ErrNobody: in a simulation nothing about a person is published.
var ErrNobody = errors.New("nothing about a person is published here: privacy.simulation is on, or web.people is off")

// Maker makes reports as a service is configured to.
type Maker struct {
	Engine Engine
	// People is whether anything about single engineers may be shown at all.
	People    bool
	MinPeople int
	Fairlead  string
	Contact   string
	SeriesCap int
	// SeriesCut counts the series of a snapshot that the cap cuts; nil is none.
	SeriesCut func(*analysis.Snapshot) int
}

// Request is which report is wanted. Quarter is as 2026Q3, or empty for the last
// that had ended at AsOf; one that has not ended is told up to AsOf.
type Request struct {
	Quarter  string    `json:"quarter"`
	AsOf     time.Time `json:"as_of"`
	Audience Audience  `json:"audience"`
	Teams    []string  `json:"teams"`
	Engineer string    `json:"engineer"`
	Names    bool      `json:"names"`
	Format   Format    `json:"format"`
}

// Personal is whether the report is about single engineers.
func (q Request) Personal() bool { return q.Audience != Group }

// Make makes the report that is asked for.
func (m *Maker) Make(ctx context.Context, q Request) (*Report, error) {
	o := Options{
		Audience: q.Audience, Teams: q.Teams, Engineer: q.Engineer, Names: q.Names,
		MinPeople: m.MinPeople, Fairlead: m.Fairlead, Contact: m.Contact, SeriesCap: m.SeriesCap,
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if q.Personal() && !m.People {
		return nil, ErrNobody
	}
	window := analysis.LastQuarter(q.AsOf)
	if q.Quarter != "" {
		var err error
		if window, err = analysis.ParseWindow(q.Quarter); err != nil {
			return nil, err
		}
	}
	quarter, err := m.Engine.Quarter(ctx, window, q.AsOf)
	if err != nil {
		return nil, err
	}
	if quarter.Data.Tickets == 0 {
		return nil, fmt.Errorf("there are no tickets before the end of %s: collect some, or ask for another quarter", window)
	}
	if m.SeriesCut != nil {
		o.SeriesCut = m.SeriesCut(quarter.Snapshot)
	}
	return New(quarter, o)
}

// Whole is whether a report belongs in the archive: for everybody, of all teams,
// of a quarter that is over.
func (r *Report) Whole() bool { return r.Audience == Group && len(r.Teams) == 0 && r.Over }

// Lost is whether tickets of the quarter are deleted for their age, so that what was
// true of it can no longer be told.
func (r *Report) Lost() bool {
	return r.Quality.Deleted && r.Quality.Whole != nil && r.From.Before(*r.Quality.Whole)
}

// Gone is whether it is Lost as a whole: no day of it is left of which all is known.
func (r *Report) Gone() bool { return r.Lost() && !r.To.After(*r.Quality.Whole) }

// ID names a report by its quarter and what it was made from.
func (r *Report) ID() string {
	sum := fnv.New64a()
	for _, part := range []string{r.Schema, r.Version.Fairlead, r.Version.Method, r.Version.Effort, r.Version.History, r.Version.Roster, itoa(r.Least), r.Contact} {
		_, _ = sum.Write([]byte(part + "\x00")) // never fails
	}
	return fmt.Sprintf("%s-%016x", r.Quarter, sum.Sum64())
}

// Title is what an archive calls it.
func (r *Report) Title() string { return "Fairness report, " + period(r.Quarter) }

// TitleOf is the title of the report of a quarter.
func TitleOf(quarter string) string { return "Fairness report, " + period(quarter) }

// Due is the last quarter that had ended at an instant.
func Due(at time.Time) string { return analysis.LastQuarter(at).String() }

// Subjects are the pseudonyms that a report tells something of.
func (r *Report) Subjects() []string {
	if r.Audience == Self {
		return []string{r.Engineer}
	}
	var list []string
	add := func(who ...string) {
		for _, p := range who {
			if p != "" && !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	for _, p := range r.Workload.People {
		add(p.Engineer)
	}
	for _, p := range r.Overload.People {
		add(p.Engineer)
	}
	for _, p := range r.Knowledge.Pairs {
		add(p.Knows, p.Next)
	}
	for _, t := range r.Knowledge.Teams {
		if t.Exposed != nil {
			add(t.Exposed.Engineer)
		}
	}
	for _, m := range r.Rebalancing.Moves {
		add(m.From, m.To)
	}
	slices.Sort(list)
	return list
}
