package analysis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fairlead/analysis/people"
)

// ExplainQuery asks where published numbers come from: those of an area, of an
// engineer, or of a team.
type ExplainQuery struct {
	AsOf time.Time

	// Area asks for the silo score and the ownership of an area, Team for what is
	// published of a team. Engineer, by pseudonym, asks for what rests on somebody
	// and for what they know: in Team or in Area, or, if both are empty, in all of
	// theirs.
	Area     string
	Engineer string
	Team     string

	// Figure asks for one figure only, by its name in an Explanation or by that of
	// its metric; what it is computed of is told with it.
	Figure string
	// Named lets Engineer be what an engineer is called where labels are names:
	// the name, or the name with the pseudonym behind it.
	Named bool

	// Window, Basis and Unit are those of the distribution; an area has none.
	Window Window
	Basis  Basis
	Unit   Unit

	// Tickets is how many keys are listed at most; 0 is ten, less is none.
	Tickets int

	about []chapter // that are told; nil is all
}

// subject is what is asked about.
func (q ExplainQuery) subject() Subject {
	switch {
	case q.Engineer != "":
		return OfEngineer
	case q.Area != "":
		return OfArea
	}
	return OfTeam
}

// wants reports whether the figures of a chapter are asked for.
func (q ExplainQuery) wants(c chapter) bool {
	if q.Figure == "" {
		return q.about == nil || slices.Contains(q.about, c)
	}
	f, ok := find(q.subject(), q.Figure)
	return ok && f.chapter == c
}

// DefaultExplainedTickets is how many keys an Explanation lists.
const DefaultExplainedTickets = 10

// Explanation is numbers taken apart: each is computed from the inputs that are
// listed, and is the one that is published.
type Explanation struct {
	Of      string            `json:"of"`
	Asked   string            `json:"asked,omitempty"`    // the figure that was asked for
	Who     string            `json:"engineer,omitempty"` // that it is about
	Name    string            `json:"name,omitempty"`     // of that engineer
	AsOf    time.Time         `json:"as_of"`
	Figures []ExplainedFigure `json:"figures"`
	People  []ExplainedPerson `json:"people,omitempty"`
	Tickets []ExplainedList   `json:"tickets,omitempty"`
	Notes   []string          `json:"notes,omitempty"`
}

// Where is the team or the area that a number of an engineer is about. Both are
// empty for what the Explanation is about itself.
type Where struct {
	Team string `json:"team,omitempty"`
	Area string `json:"area,omitempty"`
}

// named is the one that is not empty.
func (w Where) named() string { return cmp.Or(w.Team, w.Area) }

// ExplainedFigure is one number, or a verdict.
type ExplainedFigure struct {
	Name string `json:"name"`
	Where
	Value   *float64         `json:"value,omitempty"` // nil for what is undefined, and for a verdict
	Verdict string           `json:"verdict,omitempty"`
	Formula string           `json:"formula"` // in the symbols of the inputs
	Put     string           `json:"put"`     // with the values put in
	Inputs  []ExplainedInput `json:"inputs,omitempty"`

	chapter chapter // in which it is told
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
	Behind string `json:"behind"` // what it is a list of, such as work, held or evidence
	Where
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

	ticket uint64 // as units know it
}

// Explain takes published numbers apart. The error says who or what is not known.
func (e *Engine) Explain(ctx context.Context, q ExplainQuery) (Explanation, error) {
	if q.Tickets == 0 {
		q.Tickets = DefaultExplainedTickets
	}
	q.Tickets = max(0, q.Tickets)
	if q.Area != "" && q.Team != "" {
		return Explanation{}, fmt.Errorf("an area is explained by itself: ask for it without a team")
	}
	if q.Area+q.Engineer+q.Team == "" {
		return Explanation{}, fmt.Errorf("there is nothing to explain: name a team, an engineer or an area")
	}
	if _, ok := find(q.subject(), q.Figure); !ok && q.Figure != "" {
		return Explanation{}, noFigure(q.subject(), q.Figure)
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
	t := &telling{e: e, w: w, q: q, x: Explanation{AsOf: q.AsOf.UTC()}}
	switch q.subject() {
	case OfArea:
		err = t.area(ctx)
	case OfEngineer:
		err = t.engineer(ctx)
	default:
		err = t.team(ctx)
	}
	if err == nil {
		err = t.finish(ctx)
	}
	if err != nil {
		return Explanation{}, err
	}
	t.x.withoutFormer()
	if q.Figure != "" {
		return t.x.Only(q.subject(), q.Figure)
	}
	return t.x, nil
}

// telling is an Explanation in the making.
type telling struct {
	e *Engine
	w *world
	q ExplainQuery
	x Explanation

	areas    []AreaOwnership  // nil before they are read
	evidence []evidenceTicket // of an engineer, in all areas that are asked about; nil before

	now chapter // that is being told
}

func (t *telling) to() int64 { return millis(t.q.AsOf) }

// put adds figures that are in a team or an area; "" for what the Explanation is
// about itself.
func (t *telling) put(in Where, figures ...ExplainedFigure) {
	for _, f := range figures {
		f.Where, f.chapter = in, t.now
		t.x.Figures = append(t.x.Figures, f)
	}
}

// list adds tickets that numbers come from, the heaviest first. Their keys come at
// the end.
func (t *telling) list(behind string, in Where, title, unit string, tickets []workTicket) {
	l := t.w.listed(tickets, t.q.Tickets)
	l.Behind, l.Where, l.Title, l.Unit = behind, in, title, unit
	t.x.Tickets = append(t.x.Tickets, l)
}

// finish leaves out the lists that are behind no figure, and reads the keys of all
// tickets that are listed.
func (t *telling) finish(ctx context.Context) error {
	t.x.Tickets = slices.DeleteFunc(t.x.Tickets, func(l ExplainedList) bool {
		return !slices.ContainsFunc(t.x.Figures, func(f ExplainedFigure) bool { return isBehind(l, t.q.subject(), f) })
	})
	var ids []uint64
	for _, l := range t.x.Tickets {
		for _, one := range l.Tickets {
			ids = append(ids, one.ticket)
		}
	}
	keys, err := t.e.keys(ctx, ids)
	if err != nil {
		return err
	}
	for _, l := range t.x.Tickets {
		for i := range l.Tickets {
			l.Tickets[i].Key = keys[l.Tickets[i].ticket]
		}
	}
	return nil
}

// ownership is that of all areas, read once.
func (t *telling) ownership(ctx context.Context) (areas []AreaOwnership, err error) {
	if t.areas == nil {
		t.areas, err = t.e.ownership(ctx, t.w, beginning, t.to())
	}
	return t.areas, err
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
	what      string
}

// work is Distribution by team, and keeps which tickets it was; without verdicts,
// which are a matter of many lots.
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
				parts[team][workTicket{ticket: u.ticket, source: u.source, pseudonym: p}] += one.value
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
	d.groups, err = w.measureAll(d.tallied, Team, from, to)
	return d, err
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

// team tells everything of a team.
func (t *telling) team(ctx context.Context) error {
	e, q := t.e, t.q
	t.x.Of = q.Team + ": " + t.title()
	known := t.w.knowsTeam(q.Team)
	if q.wants(onSpread) || !known {
		d, err := e.work(ctx, t.w, q)
		if err != nil {
			return err
		}
		switch g, err := d.group(q.Team); {
		case err == nil:
			if err := e.judge(d.groups, q.Window.String()); err != nil {
				return err
			}
			if err := t.spread(ctx, g, d); err != nil {
				return err
			}
		case !known || q.wants(onSpread) && q.Figure != "":
			return err
		default:
			t.x.Notes = append(t.x.Notes, "There is no work of "+q.Team+" in this window.")
		}
	}
	for _, one := range []struct {
		chapter chapter
		tell    func(context.Context) error
	}{{onWeeks, t.teamWeeks}, {onOpen, t.teamOpen}, {onHandovers, t.teamHandovers}, {onKnowledge, t.teamKnowledge}} {
		if t.now = one.chapter; q.wants(t.now) {
			if err := one.tell(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// knowsTeam reports whether there is a team or a queue of that name.
func (w *world) knowsTeam(name string) bool {
	if name == NoName {
		return true
	}
	if w.crew != nil {
		if _, ok := w.crew.roster.Team(name); ok {
			return true
		}
	}
	for _, queue := range w.groups {
		if queue == name {
			return true
		}
	}
	return false
}

// spread tells how the work of a team is spread over its people.
func (t *telling) spread(ctx context.Context, g *Group, d *dealtWork) error {
	e, q := t.e, t.q
	t.x.People = workers(g)
	t.put(Where{}, spreadFigures(g)...)
	t.put(Where{}, sizeFigures(q, g)...)
	t.put(Where{}, chanceFigures(g, d)...)
	t.put(Where{}, e.verdictFigures(g, d.groups)...)
	if g.judged != nil && q.Basis == Load && q.Unit == Tickets {
		areas, err := t.ownership(ctx)
		if err != nil {
			return err
		}
		one := []Group{*g}
		if err := e.explain(t.w, one, knowledgeOf(areas), q.Window.String()); err != nil {
			return err
		}
		t.put(Where{}, explainedFigure(&one[0]))
	}
	t.x.Notes = append(t.x.Notes, notesOn(g)...)
	t.list(listWork, Where{}, "what the work is", unitOf(q), d.tickets[g.Name])
	return nil
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

// title says of when it is, and which distribution it is where one is told.
func (t *telling) title() string {
	if t.q.Area == "" && t.q.wants(onSpread) {
		return titleOf(t.q)
	}
	return "at " + t.q.AsOf.UTC().Format("2006-01-02 15:04 MST")
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

// engineer tells everything of somebody, in a team, in an area, or in all.
func (t *telling) engineer(ctx context.Context) error {
	q := t.q
	who, err := t.w.called(q)
	if err != nil {
		return err
	}
	if who.Bot {
		return fmt.Errorf("%s is an integration account, of which nothing is published", who.Pseudonym)
	}
	t.x.Of, t.x.Who, t.x.Name = who.Pseudonym+": "+t.title(), who.Pseudonym, who.Name
	for _, one := range []struct {
		chapter chapter
		asked   bool
		tell    func(context.Context, people.Engineer) error
	}{
		{onSpread, q.Area == "", t.parts}, {onWeeks, q.Area == "", t.engineerWeeks}, {onOpen, q.Area == "", t.engineerOpen},
		{onKnowledge, q.Area == "", t.engineerLeaving}, {onEvidence, q.Team == "", t.engineerEvidence},
	} {
		if t.now = one.chapter; one.asked && q.wants(t.now) {
			if err := one.tell(ctx, who); err != nil {
				return err
			}
		}
	}
	if len(t.x.Figures) == 0 {
		return fmt.Errorf("nothing is published of %s%s in this window", who.Pseudonym, inWhat(q))
	}
	return nil
}

func inWhat(q ExplainQuery) string {
	if in := cmp.Or(q.Team, q.Area); in != "" {
		return " in " + in
	}
	return ""
}

// called is who is asked for.
func (w *world) called(q ExplainQuery) (people.Engineer, error) {
	if who, ok := w.people.Find(q.Engineer); ok {
		return who, nil
	}
	var known []string
	var named []people.Engineer
	for _, p := range w.people.Engineers() {
		known = append(known, p.Pseudonym)
		if p.Name != "" && (q.Engineer == p.Name || q.Engineer == p.Name+" ("+p.Pseudonym+")") {
			named = append(named, p)
		}
	}
	if q.Named && len(named) == 1 {
		return named[0], nil
	}
	near := Nearby(q.Engineer, known)
	switch {
	case q.Named && len(named) > 1:
		near = ": several are called that; give a pseudonym"
	case !strings.HasSuffix(near, "?"):
		near = ": give a pseudonym as it stands in the metrics" // and no list of people
	}
	return people.Engineer{}, fmt.Errorf("there is no engineer %q%s", q.Engineer, near)
}

// parts tells what of each team's work rests on somebody.
func (t *telling) parts(ctx context.Context, who people.Engineer) error {
	d, err := t.e.work(ctx, t.w, t.q)
	if err != nil {
		return err
	}
	for i := range d.groups {
		g := &d.groups[i]
		at := slices.IndexFunc(g.Engineers, func(p Part) bool { return p.Pseudonym == who.Pseudonym })
		if at < 0 || t.q.Team != "" && g.Name != t.q.Team {
			continue
		}
		t.put(Where{Team: g.Name}, partFigures(t.q, g, &g.Engineers[at], d)...)
		var own []workTicket
		for _, one := range d.tickets[g.Name] {
			if one.pseudonym == who.Pseudonym {
				own = append(own, one)
			}
		}
		t.list(listWork, Where{Team: g.Name}, "what of "+g.Name+"'s work rests on them", unitOf(t.q), own)
	}
	return nil
}
