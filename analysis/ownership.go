package analysis

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/ownership"
)

// AreaOwnership is with whom the knowledge of an area sits.
type AreaOwnership struct {
	Area string `json:"area"`
	Team string `json:"team"` // whose tickets most of the area's recent ones are; NoName when there are none

	Evidence float64 `json:"evidence"` // of all people together
	Owners   int     `json:"owners"`   // people with evidence
	People   int     `json:"people"`   // owners and members of the team, whom the score is about
	Tickets  float64 `json:"tickets"`  // created lately

	// Of the shares of evidence shrunk toward even, over the same people as the
	// score; nil without evidence.
	HHI       *float64 `json:"hhi"`
	Effective *float64 `json:"effective"`
	TopShare  *float64 `json:"top_share"`

	// Silo is nil under the smallest evidence that is scored.
	Silo *SiloScore `json:"silo"`

	// BusFactor is how many people cover the area; 0 is nobody. Sole is that
	// one person, Seconds who could become the next: the nearest by evidence.
	BusFactor int         `json:"bus_factor"`
	Sole      *SoleHolder `json:"sole"`
	Seconds   []Successor `json:"seconds"`

	Holders []Holder `json:"holders"` // by evidence, greatest first
}

// SiloScore is an area's score with its parts, each from 0 to 1, and the number
// of people who could step in.
type SiloScore struct {
	Score         float64 `json:"score"`
	Concentration float64 `json:"concentration"`
	Backup        float64 `json:"missing_backup"`
	Demand        float64 `json:"sole_demand"`
	Backups       float64 `json:"backups"`
}

// Holder is one engineer's evidence in an area, and what it is made of: numbers
// of acts, not decayed.
type Holder struct {
	Pseudonym   string  `json:"engineer"`
	Name        string  `json:"name,omitempty"`
	Evidence    float64 `json:"evidence"`
	Share       float64 `json:"share"` // of the evidence as it is
	Resolutions uint64  `json:"resolutions"`
	Acts        uint64  `json:"acts"`
	Transitions uint64  `json:"transitions"`
	First       bool    `json:"first"` // made the first resolution that is known
	Covers      bool    `json:"covers"`

	done float64 // the part of the evidence that is work done: without acts on others' tickets
}

// Ownership is where knowledge sits as of an instant, by area, from evidence in
// the window and within the configured memory. Areas are told apart by name;
// tickets without an area are left out, and so are areas without evidence and
// without recent tickets. Only people who held a ticket at some time count:
// those who ask for work and comment on it are not its owners. With a roster,
// what people knew who work here no more is not there either. The order is by
// evidence, greatest first, then by name.
func (e *Engine) Ownership(ctx context.Context, asOf time.Time, window Window) ([]AreaOwnership, error) {
	w, err := e.world(ctx)
	if err != nil {
		return nil, err
	}
	from, to := window.Bounds(asOf)
	areas, err := e.ownership(ctx, w, millis(from), millis(to))
	dropHolders(areas, isFormer)
	return areas, err
}

// area gathers what is known of an area, by pseudonym.
type area struct {
	holders map[string]*Holder
	first   int64 // when the first resolution was made; 0 while none is known
	founder string

	// In shares of a ticket, which add up in any order.
	demand  uint64
	sole    map[string]uint64 // tickets that nobody else touched
	touched uint64
	teams   map[string]uint64 // the recent tickets' teams

	decayed map[string]*[3]int64 // by pseudonym: what resolutions, acts and transitions add up to, times fixed
}

func (e *Engine) ownership(ctx context.Context, w *world, from, to int64) ([]AreaOwnership, error) {
	c := e.config.Ownership
	parameters := w.parameters(to)
	parameters["decay"] = numberParameter(c.Decay.Milliseconds())
	parameters["since"] = numberParameter(max(from, to-c.Memory.Milliseconds()))
	table := e.db.Table("tickets")

	workers, err := e.workers(ctx, w, table, parameters)
	if err != nil {
		return nil, err
	}
	areas := map[string]*area{}
	if err := e.readEvidence(ctx, w, table, parameters, workers, areas); err != nil {
		return nil, err
	}
	if err := e.readFirst(ctx, w, table, parameters, areas); err != nil {
		return nil, err
	}
	parameters["since"] = numberParameter(to - c.Demand.Milliseconds())
	if err := e.readDemand(ctx, w, table, parameters, workers, time.UnixMilli(to), areas); err != nil {
		return nil, err
	}
	teams, err := e.teams(ctx, w, to)
	if err != nil {
		return nil, err
	}

	list := make([]AreaOwnership, 0, len(areas))
	for name, a := range areas {
		gone := w.leave(a, time.UnixMilli(to-1))
		o, err := a.measure(c, name, to, from, teams)
		if err != nil {
			return nil, err
		}
		e.soleHolder(w, &o, gone, time.UnixMilli(to-1))
		if o.Evidence > 0 || o.Tickets > 0 {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b AreaOwnership) int {
		return cmp.Or(cmp.Compare(b.Evidence, a.Evidence), cmp.Compare(a.Area, b.Area))
	})
	return list, nil
}

// workers are the people who held a ticket before the end.
func (e *Engine) workers(ctx context.Context, w *world, table string, parameters map[string]string) (map[string]bool, error) {
	workers := map[string]bool{}
	err := e.each(ctx, "holders", holdersSQL(table), parameters, func(rows driver.Rows) error {
		var actor uint64
		if err := rows.Scan(&actor); err != nil {
			return err
		}
		if p := w.engineer(actor); actor != 0 && !p.Bot {
			workers[p.Pseudonym] = true
		}
		return nil
	})
	return workers, err
}

func areaOf(areas map[string]*area, name string) *area {
	a := areas[name]
	if a == nil {
		a = &area{holders: map[string]*Holder{}, sole: map[string]uint64{}, teams: map[string]uint64{}, decayed: map[string]*[3]int64{}}
		areas[name] = a
	}
	return a
}

func (a *area) holder(pseudonym, name string) *Holder {
	h := a.holders[pseudonym]
	if h == nil {
		h = &Holder{Pseudonym: pseudonym, Name: name}
		a.holders[pseudonym], a.decayed[pseudonym] = h, &[3]int64{}
	}
	return h
}

func (e *Engine) readEvidence(ctx context.Context, w *world, table string, parameters map[string]string, workers map[string]bool, areas map[string]*area) error {
	type row struct {
		source, key, act string
		actor, items     uint64
		total            int64
	}
	var list []row
	err := e.each(ctx, "evidence", evidenceSQL(table, addedUp), parameters, func(rows driver.Rows) error {
		var r row
		if err := rows.Scan(&r.source, &r.key, &r.actor, &r.act, &r.items, &r.total); err != nil {
			return err
		}
		list = append(list, r)
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range list {
		p := w.engineer(r.actor)
		if !workers[p.Pseudonym] {
			continue
		}
		a := areaOf(areas, w.areaName(r.source, r.key))
		h, sums := a.holder(p.Pseudonym, p.Name), a.decayed[p.Pseudonym]
		switch r.act {
		case actResolution:
			h.Resolutions += r.items
			sums[0] += r.total
		case actOther:
			h.Acts += r.items
			sums[1] += r.total
		default:
			h.Transitions += r.items
			sums[2] += r.total
		}
	}
	weights := e.config.Ownership.Weights
	for _, a := range areas {
		for p, sums := range a.decayed {
			a.holders[p].done = (weights.Resolution*float64(sums[0]) + weights.Transition*float64(sums[2])) / fixed
			a.holders[p].Evidence = (weights.Resolution*float64(sums[0]) + weights.Act*float64(sums[1]) + weights.Transition*float64(sums[2])) / fixed
		}
	}
	return nil
}

func (e *Engine) readFirst(ctx context.Context, w *world, table string, parameters map[string]string, areas map[string]*area) error {
	old, err := e.db.OldAreas(ctx)
	if err != nil {
		return err
	}
	return e.each(ctx, "first resolutions", firstSQL(table), parameters, func(rows driver.Rows) error {
		var source, key string
		var actor uint64
		var at int64
		if err := rows.Scan(&source, &key, &actor, &at); err != nil {
			return err
		}
		if old[[2]string{source, key}] {
			// The first has been deleted for its age.
			areaOf(areas, w.areaName(source, key)).first = beginning
		}
		// Of an area in several sources the first of all counts; of two at
		// the same time, the one of the smaller pseudonym.
		a, p := areaOf(areas, w.areaName(source, key)), w.engineer(actor)
		if !p.Bot && a.first != beginning && (a.founder == "" || at < a.first || (at == a.first && p.Pseudonym < a.founder)) {
			a.first, a.founder = at, p.Pseudonym
		}
		return nil
	})
}

func (e *Engine) readDemand(ctx context.Context, w *world, table string, parameters map[string]string, workers map[string]bool, asOf time.Time, areas map[string]*area) error {
	type row struct {
		source, key, group string
		touched            []uint64
		shares             uint64
	}
	var list []row
	err := e.each(ctx, "demand", demandSQL(table, addedUp), parameters, func(rows driver.Rows) error {
		var r row
		if err := rows.Scan(&r.source, &r.key, &r.group, &r.touched, &r.shares); err != nil {
			return err
		}
		if r.key != "" {
			list = append(list, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range list {
		a := areaOf(areas, w.areaName(r.source, r.key))
		a.demand += r.shares
		a.teams[w.ownTeam(r.source, r.group, millis(asOf)-1)] += r.shares
		var who []string
		for _, actor := range r.touched {
			if p := w.engineer(actor).Pseudonym; workers[p] && !slices.Contains(who, p) {
				who = append(who, p)
			}
		}
		if len(who) > 0 {
			a.touched += r.shares
		}
		if len(who) == 1 {
			a.sole[who[0]] += r.shares
		}
	}
	return nil
}

// teams are the people of each team, by pseudonym, with their capacity: those of
// the roster, else who was regularly given a queue's tickets within the time in
// which demand is looked at, with 1 each.
func (e *Engine) teams(ctx context.Context, w *world, to int64) (map[string]map[string]float64, error) {
	teams := map[string]map[string]float64{}
	facts, err := e.facts(ctx, w, Assigned, Team, []int64{to - e.config.Ownership.Demand.Milliseconds()}, to, false)
	if err != nil {
		return nil, err
	}
	for team, t := range w.gather(facts, Assigned, Team, nil) {
		teams[team] = map[string]float64{}
		for _, p := range regulars(t) {
			teams[team][p] = 1
		}
	}
	if w.crew == nil {
		return teams, nil
	}
	for _, team := range w.crew.roster.Teams() {
		teams[team.Name] = map[string]float64{}
		for _, m := range w.crew.roster.MembersAt(team.Name, time.UnixMilli(to-1)) {
			if m.FTE > 0 {
				teams[team.Name][w.crew.engineer[m.Person].Pseudonym] = m.FTE
			}
		}
	}
	return teams, nil
}

func (a *area) measure(c ownership.Config, name string, to, from int64, teams map[string]map[string]float64) (AreaOwnership, error) {
	// The founder's bonus decays from the first resolution, and holds only
	// where that lies within memory and window.
	if h := a.holders[a.founder]; h != nil && a.first >= max(from, to-c.Memory.Milliseconds()) {
		h.First = true
		h.Evidence += c.Weights.First * math.Exp(float64(a.first-to)/float64(c.Decay.Milliseconds()))
	}
	o := AreaOwnership{Area: name, Team: a.team(), Tickets: float64(a.demand) / shares, Holders: []Holder{}, Seconds: []Successor{}}
	for _, h := range a.holders {
		if h.Evidence > 0 {
			o.Holders = append(o.Holders, *h)
		}
	}
	slices.SortFunc(o.Holders, func(x, y Holder) int {
		return cmp.Or(cmp.Compare(y.Evidence, x.Evidence), cmp.Compare(x.Pseudonym, y.Pseudonym))
	})
	o.Owners = len(o.Holders)
	evidence := make([]float64, o.Owners)
	for i, h := range o.Holders {
		evidence[i] = h.Evidence
		o.Evidence += h.Evidence
	}
	for i := range o.Holders {
		h := &o.Holders[i]
		h.Share = h.Evidence / o.Evidence
		h.Covers = c.Covers(h.Evidence, o.Holders[0].Evidence)
	}
	team := teams[o.Team]
	capacity := make([]float64, o.Owners)
	for i, h := range o.Holders {
		// Who is not of the team counts as one.
		capacity[i] = cmp.Or(team[h.Pseudonym], 1)
	}
	for _, p := range sortedKeys(team) {
		if h := a.holders[p]; h == nil || h.Evidence == 0 {
			evidence, capacity = append(evidence, 0), append(capacity, team[p])
		}
	}
	o.People = len(evidence)
	concentration, err := c.Concentrate(evidence, capacity)
	if err != nil {
		return AreaOwnership{}, err
	}
	o.HHI, o.Effective, o.TopShare = defined(concentration.HHI), defined(concentration.Effective), defined(concentration.TopShare)
	var demand float64
	if a.touched > 0 && o.Owners > 0 {
		demand = float64(a.sole[o.Holders[0].Pseudonym]) / float64(a.touched)
	}
	s, err := c.Score(evidence, capacity, demand)
	switch {
	case errors.Is(err, ownership.ErrNoEvidence):
		return o, nil
	case err != nil:
		return AreaOwnership{}, err
	}
	o.Silo = &SiloScore{s.Score, s.Concentration, s.Backup, s.Demand, s.Backups}
	return o, nil
}

// team is the one with the most of the recent tickets, the first by name of
// several.
func (a *area) team() string {
	best := NoName
	var most uint64
	for name, tickets := range a.teams {
		if tickets > most || (tickets == most && name < best) {
			best, most = name, tickets
		}
	}
	return best
}
