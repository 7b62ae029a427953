package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ExplainQuery asks where published numbers come from: those of an area, of an
// engineer, or of a team.
type ExplainQuery struct {
	AsOf time.Time

	// Area asks for the silo score and the ownership of an area. Engineer, by
	// pseudonym, asks for what rests on somebody and for their overload: in Team,
	// or, if that is empty, in each of their teams. Team alone asks for how even
	// its work is, and the verdict.
	Area     string
	Engineer string
	Team     string

	// Window, Basis and Unit are those of the distribution; an area has none.
	Window Window
	Basis  Basis
	Unit   Unit

	// Tickets is how many keys are listed at most; 0 is ten, less is none.
	Tickets int
}

// DefaultExplainedTickets is how many keys an Explanation lists.
const DefaultExplainedTickets = 10

// Explanation is numbers taken apart: each is computed from the inputs that are
// listed, and is the one that is published.
type Explanation struct {
	Of      string            `json:"of"`
	Name    string            `json:"name,omitempty"` // of the engineer that it is about
	AsOf    time.Time         `json:"as_of"`
	Figures []ExplainedFigure `json:"figures"`
	People  []ExplainedPerson `json:"people,omitempty"`
	Tickets []ExplainedList   `json:"tickets,omitempty"`
	Notes   []string          `json:"notes,omitempty"`
}

// ExplainedFigure is one number, or a verdict.
type ExplainedFigure struct {
	Name    string           `json:"name"`
	Value   *float64         `json:"value,omitempty"` // nil for what is undefined, and for a verdict
	Verdict string           `json:"verdict,omitempty"`
	Formula string           `json:"formula"` // in the symbols of the inputs
	Put     string           `json:"put"`     // with the values put in
	Inputs  []ExplainedInput `json:"inputs,omitempty"`
}

// ExplainedInput is a symbol of a formula.
type ExplainedInput struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Says  string  `json:"says"`
}

// ExplainedPerson is one of those that a sum is over: with the work that rests on
// them, or with what they know.
type ExplainedPerson struct {
	Pseudonym string   `json:"engineer"`
	Name      string   `json:"name,omitempty"`
	Capacity  float64  `json:"capacity"`
	Share     *float64 `json:"share,omitempty"` // of the work, or of the evidence

	Work     *float64 `json:"work,omitempty"`
	Items    uint64   `json:"items,omitempty"`
	Relative *float64 `json:"relative,omitempty"`

	Evidence    *float64 `json:"evidence,omitempty"`
	Shrunk      *float64 `json:"shrunk,omitempty"` // the share of evidence, shrunk toward even
	Resolutions uint64   `json:"resolutions,omitempty"`
	Acts        uint64   `json:"acts,omitempty"`
	Transitions uint64   `json:"transitions,omitempty"`
	First       float64  `json:"first,omitempty"` // evidence of having been the first to resolve a ticket
	Covers      bool     `json:"covers,omitempty"`
}

// ExplainedList is tickets that a number comes from, the heaviest first.
type ExplainedList struct {
	Behind     string            `json:"behind"` // work, held, evidence or alone
	Title      string            `json:"title"`
	Unit       string            `json:"unit"`
	Tickets    []ExplainedTicket `json:"tickets"`
	More       int               `json:"more"` // that are not listed
	MoreWeight float64           `json:"more_weight"`
}

// ExplainedTicket is what one ticket adds for one person.
type ExplainedTicket struct {
	Key       string  `json:"key"`
	Source    string  `json:"source"`
	Pseudonym string  `json:"engineer,omitempty"`
	Name      string  `json:"name,omitempty"`
	Weight    float64 `json:"weight"`
	What      string  `json:"what,omitempty"`
}

// Explain takes published numbers apart. The error says who or what is not known.
func (e *Engine) Explain(ctx context.Context, q ExplainQuery) (Explanation, error) {
	if q.Tickets == 0 {
		q.Tickets = DefaultExplainedTickets
	}
	q.Tickets = max(0, q.Tickets)
	if q.Area != "" && (q.Engineer != "" || q.Team != "") {
		return Explanation{}, fmt.Errorf("an area is explained by itself: ask for it without a team and an engineer")
	}
	basis, unit := q.Basis, q.Unit
	if q.Area != "" {
		basis, unit = Load, Tickets // not looked at
	}
	if err := (Query{AsOf: q.AsOf, Window: q.Window, Basis: basis, Unit: unit, By: Team}).Validate(); err != nil {
		return Explanation{}, err
	}
	w, err := e.world(ctx)
	if err != nil {
		return Explanation{}, err
	}
	switch {
	case q.Area != "":
		return e.explainArea(ctx, w, q)
	case q.Engineer != "":
		return e.explainEngineer(ctx, w, q)
	case q.Team != "":
		return e.explainTeam(ctx, w, q)
	}
	return Explanation{}, fmt.Errorf("there is nothing to explain: name a team, an engineer or an area")
}

// dealtWork is a distribution by team with the tickets that it comes from.
type dealtWork struct {
	groups  []Group // judged
	tallied map[string]*tallies
	tickets map[string][]workTicket // by team
}

// workTicket is what a ticket weighs for one person in a team.
type workTicket struct {
	ticket    uint64
	source    string
	pseudonym string
	weight    float64
}

// work is Distribution by team, and keeps which tickets it was.
func (e *Engine) work(ctx context.Context, w *world, q ExplainQuery) (*dealtWork, error) {
	from, to := q.Window.Bounds(q.AsOf)
	d := &dealtWork{tickets: map[string][]workTicket{}}
	if !from.Before(to) {
		return d, nil
	}
	g, err := e.weighing(ctx, w, q.Basis, q.Unit, to)
	if err != nil {
		return nil, err
	}
	alone := *g
	parts := map[string]map[workTicket]float64{} // by team
	err = e.eachUnit(ctx, w, q.Basis, millis(from), millis(to), func(u *unit) {
		g.add(0, u)
		alone.windows = []map[string]*tallies{{}}
		alone.add(0, u)
		for team, t := range alone.finish()[0] {
			for p, one := range t.people {
				if parts[team] == nil {
					parts[team] = map[workTicket]float64{}
				}
				parts[team][workTicket{u.ticket, u.source, p, 0}] += one.value
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for team, list := range parts {
		for t, weight := range list {
			t.weight = weight
			d.tickets[team] = append(d.tickets[team], t)
		}
	}
	d.tallied = g.finish()[0]
	if d.groups, err = w.measureAll(d.tallied, Team, from, to); err != nil {
		return nil, err
	}
	return d, e.judge(d.groups, q.Window.String())
}

func (d *dealtWork) group(team string) (*Group, error) {
	for i := range d.groups {
		if d.groups[i].Name == team {
			return &d.groups[i], nil
		}
	}
	names := make([]string, len(d.groups))
	for i, g := range d.groups {
		names[i] = g.Name
	}
	return nil, fmt.Errorf("there is no team %q with people or work in this window%s", team, Nearby(team, names))
}

func (e *Engine) explainTeam(ctx context.Context, w *world, q ExplainQuery) (Explanation, error) {
	d, err := e.work(ctx, w, q)
	if err != nil {
		return Explanation{}, err
	}
	g, err := d.group(q.Team)
	if err != nil {
		return Explanation{}, err
	}
	x := Explanation{Of: g.Name + ": " + titleOf(q), AsOf: q.AsOf.UTC(), People: workers(g)}
	x.Figures = append(spreadFigures(g), chanceFigures(g, d)...)
	x.Figures = append(x.Figures, e.verdictFigures(g, d.groups)...)
	if g.judged != nil && q.Basis == Load && q.Unit == Tickets {
		areas, err := e.ownership(ctx, w, beginning, millis(q.AsOf))
		if err != nil {
			return Explanation{}, err
		}
		one := []Group{*g}
		if err := e.explain(w, one, knowledgeOf(areas), q.Window.String()); err != nil {
			return Explanation{}, err
		}
		x.Figures = append(x.Figures, explainedFigure(&one[0]))
	}
	list, err := e.listed(ctx, w, d.tickets[g.Name], q.Tickets)
	if err != nil {
		return Explanation{}, err
	}
	list.Behind, list.Title, list.Unit = listWork, "what the work is", unitOf(q)
	x.Tickets = []ExplainedList{list}
	x.Notes = notesOn(g)
	return x, nil
}

func notesOn(g *Group) []string {
	var notes []string
	if g.Provisional {
		notes = append(notes, "Provisional: without a roster this is a queue, its people are those who had a ticket of it, each with the same capacity.")
	}
	if g.Outside.Visitors > 0 {
		notes = append(notes, fmt.Sprintf("Not counted: %s of %s who are not of the team, in its queues.", decimal(g.Outside.VisitorsWork, 1), counted(g.Outside.Visitors, "visitor")))
	}
	if g.Outside.Away > 0 {
		notes = append(notes, fmt.Sprintf("Not counted: %s in the hands of %s without capacity in the window.", decimal(g.Outside.AwayWork, 1), counted(g.Outside.Away, "member")))
	}
	if g.Unassigned > 0 {
		notes = append(notes, "Not counted: "+decimal(g.Unassigned, 1)+" in nobody's hands.")
	}
	if g.Bots > 0 {
		notes = append(notes, "Not counted: "+decimal(g.Bots, 1)+" of integration accounts.")
	}
	return notes
}

// titleOf says which distribution it is.
func titleOf(q ExplainQuery) string {
	return fmt.Sprintf("%s in %s, window %s up to %s", q.Basis, unitOf(q), q.Window, q.AsOf.UTC().Format("2006-01-02 15:04 MST"))
}

func unitOf(q ExplainQuery) string {
	if q.Basis == Load {
		return map[Unit]string{Tickets: "ticket-days", Effort: "effort-days"}[q.Unit]
	}
	return string(q.Unit)
}

// workers lists the people of a group as its figures are made of them.
func workers(g *Group) []ExplainedPerson {
	list := make([]ExplainedPerson, len(g.Engineers))
	for i, p := range g.Engineers {
		work := p.Value
		list[i] = ExplainedPerson{Pseudonym: p.Pseudonym, Name: p.Name, Capacity: p.Capacity, Share: p.Share, Work: &work, Items: p.Items, Relative: p.Relative}
	}
	return list
}

func (e *Engine) explainEngineer(ctx context.Context, w *world, q ExplainQuery) (Explanation, error) {
	who, ok := w.people.Find(q.Engineer)
	if !ok {
		var known []string
		for _, p := range w.people.Engineers() {
			known = append(known, p.Pseudonym)
		}
		near := Nearby(q.Engineer, known)
		if !strings.HasSuffix(near, "?") {
			near = ": give a pseudonym as it stands in the metrics" // and no list of people
		}
		return Explanation{}, fmt.Errorf("there is no engineer %q%s", q.Engineer, near)
	}
	if who.Bot {
		return Explanation{}, fmt.Errorf("%s is an integration account, of which nothing is published", who.Pseudonym)
	}
	d, err := e.work(ctx, w, q)
	if err != nil {
		return Explanation{}, err
	}
	x := Explanation{Of: who.Pseudonym + ": " + titleOf(q), Name: who.Name, AsOf: q.AsOf.UTC()}
	for i := range d.groups {
		g := &d.groups[i]
		at := slices.IndexFunc(g.Engineers, func(p Part) bool { return p.Pseudonym == who.Pseudonym })
		if at < 0 || q.Team != "" && g.Name != q.Team {
			continue
		}
		x.Figures = append(x.Figures, partFigures(g, &g.Engineers[at], d)...)
		var own []workTicket
		for _, t := range d.tickets[g.Name] {
			if t.pseudonym == who.Pseudonym {
				own = append(own, t)
			}
		}
		list, err := e.listed(ctx, w, own, q.Tickets)
		if err != nil {
			return Explanation{}, err
		}
		list.Behind, list.Title, list.Unit = listWork, "what of "+g.Name+"'s work rests on them", unitOf(q)
		x.Tickets = append(x.Tickets, list)
	}
	if err := e.explainOverload(ctx, w, q, who.Pseudonym, &x); err != nil {
		return Explanation{}, err
	}
	if len(x.Figures) == 0 {
		where := ""
		if q.Team != "" {
			where = " in " + q.Team
		}
		return Explanation{}, fmt.Errorf("nothing is published of %s%s in this window", who.Pseudonym, where)
	}
	return x, nil
}
