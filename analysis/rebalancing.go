package analysis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/effort"
	"fairlead/analysis/rebalance"
	"fairlead/connectors/ticket"
)

// RebalanceOptions are how a team's open tickets are spread again. The zero
// value is DefaultRebalanceOptions.
type RebalanceOptions struct {
	rebalance.Config

	// Unit is what a ticket weighs. In Tickets the plan is always proven.
	Unit Unit
	// Evidence is how much somebody must know of one of a ticket's areas to be
	// given it, as the evidence of who knows an area is counted: 1 is a ticket
	// resolved today, or what is left of three that were resolved 99 days ago.
	Evidence float64
	// Ahead is the time after as_of in which capacity is looked at: who is away
	// for all of it gives up everything, who is away for half of it, a half.
	Ahead time.Duration
	// Unassigned deals out what nobody holds, too. Without it such tickets wait
	// as they do, and are counted.
	Unassigned bool
}

// DefaultRebalanceOptions weigh by effort, want a ticket's worth of evidence, and
// look two weeks ahead.
func DefaultRebalanceOptions() RebalanceOptions {
	return RebalanceOptions{Config: rebalance.DefaultConfig(), Unit: Effort, Evidence: 1, Ahead: 14 * 24 * time.Hour}
}

// Validate says which option is wrong.
func (o RebalanceOptions) Validate() error {
	if err := o.Config.Validate(); err != nil {
		return err
	}
	switch {
	case !(o.Evidence >= 0 && !math.IsInf(o.Evidence, 1)):
		return fmt.Errorf("evidence is %g: give a number from 0", o.Evidence)
	case o.Ahead < time.Hour || o.Ahead > 366*24*time.Hour:
		return fmt.Errorf("ahead is %s: give a duration from 1h to 8784h", o.Ahead)
	}
	return oneOf("unit", o.Unit, Tickets, Effort)
}

// Rebalancing is a suggestion of who might take what. A person decides; nothing
// is ever written to where the tickets are.
type Rebalancing struct {
	Team        string    `json:"team"`
	AsOf        time.Time `json:"as_of"`
	Unit        Unit      `json:"unit"`
	Provisional bool      `json:"provisional"` // without a roster: a queue and those who usually work on it
	Tolerance   float64   `json:"tolerance"`
	Evidence    float64   `json:"evidence"`

	Status     rebalance.Status `json:"status"`
	Proven     bool             `json:"proven"`   // that no plan has fewer moves
	AtLeast    int              `json:"at_least"` // moves that any plan needs, as far as it is proven
	TiesProven bool             `json:"ties_proven"`

	Tickets int               `json:"tickets"` // that were looked at
	Moves   []RebalancingMove `json:"moves"`
	// Obstacles are tickets that alone make it impossible, Over who is over the
	// limit when all is carried out.
	Obstacles []RebalancingObstacle `json:"obstacles"`
	Over      []string              `json:"over"`
	Before    Evenness              `json:"before"`
	After     Evenness              `json:"after"`
	People    []RebalancingPerson   `json:"people"` // by what they hold before, most first

	LeftOut LeftOut `json:"left_out"`
}

// RebalancingMove is one ticket that might change hands.
type RebalancingMove struct {
	Key        string   `json:"key"`
	Source     string   `json:"source"`
	Areas      []string `json:"areas"`
	From       string   `json:"from"` // pseudonym; "" for nobody
	FromName   string   `json:"from_name,omitempty"`
	To         string   `json:"to"`
	ToName     string   `json:"to_name,omitempty"`
	Why        string   `json:"why"` // To can: "resolved 12 in Network, evidence 4.2"
	Weight     float64  `json:"weight"`
	InProgress bool     `json:"in_progress"`
	Blocked    bool     `json:"blocked"`
}

// RebalancingObstacle is a ticket that stands in the way.
type RebalancingObstacle struct {
	Key   string `json:"key"`
	Owner string `json:"owner"`
	Says  string `json:"says"`
}

// Evenness is how even a team's open work is. Nil where nobody holds any.
type Evenness struct {
	Gini   *float64 `json:"gini"`
	Hoover *float64 `json:"hoover"`
	EF1    bool     `json:"ef1"` // fair up to one ticket: see package rebalance
}

// RebalancingPerson is one member, before and after.
type RebalancingPerson struct {
	Pseudonym string  `json:"engineer"`
	Name      string  `json:"name,omitempty"`
	Capacity  float64 `json:"capacity"`
	Limit     float64 `json:"limit"` // on what they hold
	Before    Burden  `json:"before"`
	After     Burden  `json:"after"`
}

// Burden is what somebody holds. Relative is 1 for an even share, and nil without
// capacity.
type Burden struct {
	Tickets  int      `json:"tickets"`
	Weight   float64  `json:"weight"`
	Relative *float64 `json:"relative"`
}

// LeftOut is open tickets of the team that are not part of a plan.
type LeftOut struct {
	Unassigned int `json:"unassigned"`
	Bots       int `json:"bots"`     // held by integration accounts
	Visitors   int `json:"visitors"` // held by people who are not of the team
}

// openTicket is a row of openTicketsSQL.
type openTicket struct {
	source, id, key, group string
	actor                  uint64
	class                  effort.Class
	points, status         string
}

// Rebalance finds the fewest moves of open tickets that bring a team within the
// tolerance, and says why whoever would take one can: they know one of its areas
// (see RebalanceOptions.Evidence). A ticket of no area could go to anybody in the
// team; whoever holds a ticket may keep it. With a roster the team's people are
// its members, with the capacity of the time ahead; without one they are the
// regulars of the queue, each alike.
func (e *Engine) Rebalance(ctx context.Context, team string, asOf time.Time, o RebalanceOptions) (Rebalancing, error) {
	if o == (RebalanceOptions{}) {
		o = DefaultRebalanceOptions()
	}
	if err := o.Validate(); err != nil {
		return Rebalancing{}, err
	}
	if err := (Query{AsOf: asOf, Basis: Load, Unit: o.Unit, By: Team}).Validate(); err != nil {
		return Rebalancing{}, err
	}
	b, err := e.board(ctx, asOf, o)
	if err != nil {
		return Rebalancing{}, err
	}
	return e.rebalance(ctx, b, team)
}

// Rebalancings are those of several teams, of one reading. A team without people
// and open tickets is left out.
func (e *Engine) Rebalancings(ctx context.Context, teams []string, asOf time.Time, o RebalanceOptions) ([]Rebalancing, error) {
	if o == (RebalanceOptions{}) {
		o = DefaultRebalanceOptions()
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	b, err := e.board(ctx, asOf, o)
	if err != nil {
		return nil, err
	}
	list := []Rebalancing{}
	for _, team := range teams {
		r, err := e.rebalance(ctx, b, team)
		switch {
		case errors.Is(err, errNoTeam):
		case err != nil:
			return nil, err
		default:
			list = append(list, r)
		}
	}
	return list, nil
}

// errNoTeam: nobody is in a team, and it has no open ticket.
var errNoTeam = errors.New("there is no such team")

// board is all open tickets, and who could take them.
type board struct {
	w                 *world
	asOf              time.Time
	o                 RebalanceOptions
	areas             []AreaOwnership
	tickets           []openTicket
	model             *effort.Model
	progress, blocked map[string]bool
	queues            map[string]*tallies // work of the last days by queue; read when it is needed
}

func (e *Engine) board(ctx context.Context, asOf time.Time, o RebalanceOptions) (*board, error) {
	w, err := e.world(ctx)
	if err != nil {
		return nil, err
	}
	b := &board{w: w, asOf: asOf, o: o, model: &effort.Model{}}
	to := millis(asOf)
	if b.tickets, err = e.openTickets(ctx, w, to); err != nil {
		return nil, err
	}
	if b.areas, err = e.ownership(ctx, w, beginning, to); err != nil {
		return nil, err
	}
	if o.Unit == Effort {
		m, err := e.model(ctx, w, to)
		if err != nil {
			return nil, err
		}
		b.model = &m
	}
	b.progress, b.blocked, err = e.underWay(ctx)
	return b, err
}

func (e *Engine) rebalance(ctx context.Context, b *board, team string) (Rebalancing, error) {
	w, o, asOf, to := b.w, b.o, b.asOf, millis(b.asOf)
	people, err := e.ableToTake(ctx, b, team)
	if err != nil {
		return Rebalancing{}, err
	}

	r := Rebalancing{
		Team: team, AsOf: asOf.UTC(), Unit: o.Unit, Provisional: true, Tolerance: o.Tolerance, Evidence: o.Evidence,
		Moves: []RebalancingMove{}, Obstacles: []RebalancingObstacle{}, Over: []string{}, People: []RebalancingPerson{},
	}
	if w.crew != nil {
		_, known := w.crew.roster.Team(team)
		r.Provisional = !known
	}
	candidates := newCandidates(w, people, b.areas, o.Evidence)
	names := map[string]string{}
	for _, p := range people {
		names[p.pseudonym] = p.name
	}
	byID := map[string]openTicket{}
	var work []rebalance.Ticket
	known, seen := false, map[string]bool{}
	for _, t := range b.tickets {
		if t.actor != 0 && w.engineer(t.actor).Former {
			t.actor = 0 // nobody holds it who could be spoken with
		}
		mine, holder := w.ownTeam(t.source, t.group, to-1), ""
		if t.actor != 0 && !w.engineer(t.actor).Bot {
			holder = w.engineer(t.actor).Pseudonym
			mine = w.holderTeam(t.source, t.group, holder, to-1)
		}
		seen[mine] = true
		if mine != team {
			continue
		}
		known = true
		switch {
		case t.actor == 0 && !o.Unassigned:
			r.LeftOut.Unassigned++
			continue
		case t.actor != 0 && holder == "":
			r.LeftOut.Bots++
			continue
		case holder != "" && !candidates.isMember(holder):
			r.LeftOut.Visitors++
			continue
		}
		weight := 1.0
		if o.Unit == Effort {
			weight, _ = b.model.Of(t.class, storyPoints(t.points))
		}
		id := termKey(t.source, t.id)
		byID[id] = t
		status := termKey(t.source, t.status)
		work = append(work, rebalance.Ticket{
			ID: id, Weight: weight, Owner: holder, InProgress: b.progress[status], Blocked: b.blocked[status],
			Eligible: candidates.of(t, holder),
		})
	}
	if !known && len(people) == 0 {
		if w.crew != nil {
			for _, t := range w.crew.roster.Teams() {
				seen[t.Name] = true
			}
		}
		for queue, t := range b.queues {
			if len(regulars(t)) > 0 {
				seen[queue] = true
			}
		}
		return Rebalancing{}, &noTeamError{team, asOf, Nearby(team, sortedKeys(seen))}
	}
	r.Tickets = len(work)

	solved := make([]rebalance.Person, len(people))
	for i, p := range people {
		solved[i] = rebalance.Person{ID: p.pseudonym, Capacity: p.capacity}
	}
	plan, err := o.Solve(solved, work)
	if err != nil {
		return Rebalancing{}, err
	}
	r.Status, r.Proven, r.AtLeast, r.TiesProven = plan.Status, plan.Status == rebalance.Minimal, plan.AtLeast, plan.TiesProven
	r.Over = append(r.Over, plan.Over...)
	for _, m := range plan.Moves {
		t := byID[m.Ticket]
		r.Moves = append(r.Moves, RebalancingMove{
			Key: t.name(), Source: t.source, Areas: w.areasOf(t), From: m.From, FromName: names[m.From], To: m.To, ToName: names[m.To],
			Why: m.Why, Weight: m.Weight, InProgress: m.InProgress, Blocked: m.Blocked,
		})
	}
	for _, b := range plan.Obstacles {
		r.Obstacles = append(r.Obstacles, RebalancingObstacle{Key: byID[b.Ticket].name(), Owner: b.Owner, Says: b.Says})
	}
	r.Before, r.After = evennessOf(plan.Before), evennessOf(plan.After)
	after := map[string]rebalance.Load{}
	for _, l := range plan.After.People {
		after[l.Person] = l
	}
	for _, l := range plan.Before.People {
		r.People = append(r.People, RebalancingPerson{
			Pseudonym: l.Person, Name: names[l.Person], Capacity: l.Capacity, Limit: l.Limit, Before: burdenOf(l), After: burdenOf(after[l.Person]),
		})
	}
	slices.SortStableFunc(r.People, func(a, b RebalancingPerson) int { return cmp.Compare(b.Before.Weight, a.Before.Weight) })
	return r, nil
}

// name is the ticket's key, or its id where it has none.
func (t openTicket) name() string { return cmp.Or(t.key, t.id) }

func evennessOf(f rebalance.Fairness) Evenness {
	return Evenness{Gini: defined(f.Gini), Hoover: defined(f.Hoover), EF1: f.EF1}
}

func burdenOf(l rebalance.Load) Burden {
	return Burden{Tickets: l.Tickets, Weight: l.Weight, Relative: defined(l.Relative)}
}

// openTickets reads the open tickets in the order of their sources and ids.
func (e *Engine) openTickets(ctx context.Context, w *world, to int64) ([]openTicket, error) {
	var list []openTicket
	err := e.each(ctx, "open tickets one by one", openTicketsSQL(e.db.Table("tickets")), w.parameters(to), func(rows driver.Rows) error {
		var t openTicket
		if err := rows.Scan(&t.source, &t.id, &t.key, &t.group, &t.actor, &t.class.Kind, &t.class.Priority, &t.class.Areas, &t.points, &t.status); err != nil {
			return err
		}
		t.class.Source = t.source
		list = append(list, t)
		return nil
	})
	return list, err
}

// noTeamError says which team there is not.
type noTeamError struct {
	team   string
	asOf   time.Time
	nearby string
}

func (e *noTeamError) Error() string {
	return fmt.Sprintf("there is no team %q with people or open tickets at %s%s", e.team, e.asOf.UTC().Format(time.DateOnly), e.nearby)
}

func (e *noTeamError) Is(target error) bool { return target == errNoTeam }

// ableToTake are a team's people at the instant, by pseudonym.
func (e *Engine) ableToTake(ctx context.Context, b *board, team string) ([]member, error) {
	w := b.w
	if w.crew != nil {
		if _, ok := w.crew.roster.Team(team); ok {
			return without(w.crew.members(team, b.asOf, b.asOf.Add(b.o.Ahead)), isFormer, func(m member) string { return m.pseudonym }), nil
		}
	}
	if b.queues == nil {
		from, to := Days(90).Bounds(b.asOf)
		g := w.gathering(Load, Team, nil, 1)
		if err := e.units(ctx, w, Load, Team, []int64{millis(from)}, millis(to), g); err != nil {
			return nil, err
		}
		b.queues = g.finish()[0]
	}
	t := b.queues[team]
	if t == nil {
		return nil, nil
	}
	var people []member
	for _, p := range regulars(t) {
		people = append(people, member{p, t.names[p], 1})
	}
	return without(people, isFormer, func(m member) string { return m.pseudonym }), nil
}

// underWay are the statuses in which somebody is at work, and those that wait for
// somebody else, though work has begun.
func (e *Engine) underWay(ctx context.Context) (progress, blocked map[string]bool, err error) {
	terms, err := e.db.Terms(ctx)
	if err != nil {
		return nil, nil, err
	}
	progress, blocked = map[string]bool{}, map[string]bool{}
	for _, t := range terms {
		if t.Field == ticket.FieldStatus && ticket.Category(t.Value) == ticket.CategoryInProgress {
			waits := e.config.Effort.Waits(t.Name)
			progress[termKey(t.Source, t.ID)], blocked[termKey(t.Source, t.ID)] = !waits, waits
		}
	}
	return progress, blocked, nil
}

// areasOf are the areas of a ticket by name.
func (w *world) areasOf(t openTicket) []string {
	names := []string{}
	if t.class.Areas == "" {
		return names
	}
	for id := range strings.SplitSeq(t.class.Areas, effort.AreaSeparator) {
		names = append(names, w.areaName(t.source, id))
	}
	return names
}

// candidates tells who may be given which ticket.
type candidates struct {
	w      *world
	people []member
	member map[string]bool
	area   map[string][]rebalance.Candidate // who knows it enough, by name, most first
}

func newCandidates(w *world, people []member, areas []AreaOwnership, least float64) *candidates {
	c := &candidates{w: w, people: people, member: map[string]bool{}, area: map[string][]rebalance.Candidate{}}
	for _, p := range people {
		c.member[p.pseudonym] = true
	}
	for _, a := range areas {
		for _, h := range a.Holders {
			if c.member[h.Pseudonym] && h.Evidence >= least {
				c.area[a.Area] = append(c.area[a.Area], rebalance.Candidate{Person: h.Pseudonym, Why: h.does(a.Area)})
			}
		}
	}
	return c
}

func (c *candidates) isMember(pseudonym string) bool { return c.member[pseudonym] }

// of are those who may hold a ticket: its holder, and who knows one of its areas,
// with the area that they know best as the reason.
func (c *candidates) of(t openTicket, holder string) []rebalance.Candidate {
	var list []rebalance.Candidate
	if holder != "" {
		list = append(list, rebalance.Candidate{Person: holder, Why: "holds it"})
	}
	areas := c.w.areasOf(t)
	if len(areas) == 0 {
		for _, p := range c.people {
			if p.pseudonym != holder {
				list = append(list, rebalance.Candidate{Person: p.pseudonym, Why: "it has no area: anybody in the team"})
			}
		}
		return list
	}
	for _, a := range areas {
		for _, one := range c.area[a] {
			if !slices.ContainsFunc(list, func(o rebalance.Candidate) bool { return o.Person == one.Person }) {
				list = append(list, one)
			}
		}
	}
	return list
}

// does is what somebody's evidence in an area is made of, in a few words.
func (h Holder) does(area string) string {
	var parts []string
	say := func(n uint64, word string) {
		if n > 0 {
			parts = append(parts, word+" "+strconv.FormatUint(n, 10))
		}
	}
	say(h.Resolutions, "resolved")
	say(h.Acts, "wrote on")
	say(h.Transitions, "moved on")
	if h.First {
		parts = append(parts, "the first to resolve one")
	}
	return strings.Join(parts, ", ") + " in " + area + ", evidence " + decimal(h.Evidence, 1)
}
