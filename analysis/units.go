package analysis

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/distribution"
	"fairlead/analysis/effort"
)

// inOneGo is the longest pause between the giving of two children of one parent
// to one person for which they still count as one decision.
const inOneGo = 5 * time.Minute

// unit is a row of unitsSQL: one assignment, or one ticket (Resolved), as far as
// it counts in one window.
type unit struct {
	source, key string
	actor       uint64
	class       effort.Class
	points      string
	ticket      uint64
	parent      string
	at, given   int64
	weight      int64 // in shares
}

// pile is the weights of what one person was given, each decision once.
type pile struct {
	weights  []float64          // what has any: a ticket of 0 points has not
	count    uint64             // of assignments, however little they weigh
	families map[string][]child // by parent or ticket, while gathering
}

type child struct {
	ticket uint64
	given  int64
	weight float64
	lot    lot
}

// add takes a unit. Where it may be one of several pieces of an assignment, or
// one of several children, it waits until all are there.
func (p *pile) add(u *unit, weight float64, cut bool, at lot, lots map[lot][]float64) {
	family := "p" + termKey(u.source, u.parent)
	if u.parent == "" {
		if !cut {
			p.count++
			p.put(weight, at, lots)
			return
		}
		family = "t" + string(binary.BigEndian.AppendUint64(nil, u.ticket))
	}
	if p.families == nil {
		p.families = map[string][]child{}
	}
	p.families[family] = append(p.families[family], child{u.ticket, u.given, weight, at})
}

func (p *pile) put(weight float64, at lot, lots map[lot][]float64) {
	if weight == 0 {
		return
	}
	p.weights = append(p.weights, weight)
	if lots != nil {
		lots[at] = append(lots[at], weight)
	}
}

// finish makes one weight of children that were given in one go, and of the
// pieces of one assignment; it sorts all, so that sums over them are the same
// however the rows came. It returns the number of assignments.
func (p *pile) finish(lots map[lot][]float64) (assignments uint64) {
	assignments = p.count
	for family, list := range p.families {
		pause := inOneGo.Milliseconds()
		if family[0] == 't' {
			pause = 0
		}
		slices.SortFunc(list, func(a, b child) int {
			return cmp.Or(cmp.Compare(a.given, b.given), cmp.Compare(a.ticket, b.ticket), cmp.Compare(a.weight, b.weight),
				cmp.Compare(a.lot.day, b.lot.day), cmp.Compare(a.lot.areas, b.lot.areas))
		})
		together, first := 0.0, list[0].lot
		for i, c := range list {
			if i > 0 && c.given-list[i-1].given > pause {
				p.put(together, first, lots)
				together, first = 0, c.lot
			}
			if i == 0 || c.given != list[i-1].given || c.ticket != list[i-1].ticket {
				assignments++
			}
			together += c.weight
		}
		p.put(together, first, lots)
	}
	p.families = nil
	slices.Sort(p.weights)
	return assignments
}

// size is N, Σw and Σw² of sorted weights.
func size(weights []float64) distribution.Weights {
	w := distribution.Weights{N: uint64(len(weights))}
	for _, x := range weights {
		w.Sum += x
		w.Squares += x * x
	}
	return w
}

// lot is what units have in common that could have gone to the same people: the
// UTC day from which they count, and the areas.
type lot struct {
	day   int32
	areas string // as in effort.Class, with the source before
}

// gathering adds units up to groups by name, in tickets or in effort, one window
// after another.
type gathering struct {
	w       *world
	by      By
	scale   float64       // of a share
	model   *effort.Model // nil for tickets
	cut     bool          // an assignment can come in several pieces
	windows []map[string]*tallies
}

func (w *world) gathering(basis Basis, by By, model *effort.Model, windows int) *gathering {
	g := &gathering{w: w, by: by, scale: 1.0 / shares, model: model, cut: w.crew != nil && by == Team && basis == Load, windows: make([]map[string]*tallies, windows)}
	if basis == Load {
		g.scale /= float64((24 * time.Hour).Milliseconds())
	}
	for i := range g.windows {
		g.windows[i] = map[string]*tallies{}
	}
	return g
}

func (g *gathering) group(window int, name string) *tallies {
	t := g.windows[window][name]
	if t == nil {
		t = newTallies()
		g.windows[window][name] = t
	}
	return t
}

func (g *gathering) add(window int, u *unit) {
	each := 1.0
	if g.model != nil {
		each, _ = g.model.Of(u.class, storyPoints(u.points))
	}
	if g.by != Team {
		name := u.source
		if g.by == Area {
			name = g.w.areaName(u.source, u.key)
		}
		g.group(window, name).put(g, u, each, 1)
		return
	}
	own := g.w.ownTeam(u.source, u.key, u.at)
	if g.w.crew == nil || u.actor == 0 || g.w.engineer(u.actor).Bot {
		g.group(window, own).put(g, u, each, 1)
		return
	}
	teams := g.w.crew.at(g.w.engineer(u.actor).Pseudonym, u.at)
	visits := true
	for _, s := range teams {
		g.group(window, s.team).put(g, u, each, s.part)
		visits = visits && s.team != own
	}
	if !visits {
		return
	}
	if _, ok := g.w.crew.roster.Team(own); ok {
		g.group(window, own).visit(g, u, each)
	} else if len(teams) == 0 {
		// Of nobody's queue by somebody of no team: a queue as without a roster.
		g.group(window, own).put(g, u, each, 1)
	}
}

// put credits a unit to its holder, the part of it that is of this group.
func (t *tallies) put(g *gathering, u *unit, each, part float64) {
	t.comesFrom(u.source)
	into := &t.unassigned
	held := false
	if u.actor != 0 {
		p := g.w.engineer(u.actor)
		if p.Bot {
			into = &t.bots
		} else {
			into, held = t.person(p.Pseudonym, p.Name), true
		}
	}
	weight := float64(u.weight) * g.scale * each * part
	if part == 1 && g.model == nil {
		// Tickets are added up as whole numbers, without error.
		into.shares += u.weight
	} else {
		into.value += weight
		into.parts = append(into.parts, weight)
	}
	var at lot
	lots := t.lots
	if held && g.by == Team {
		at = lot{int32(u.at / (24 * time.Hour).Milliseconds()), termKey(u.source, u.class.Areas)}
	} else {
		lots = nil
	}
	into.pile.add(u, weight, g.cut, at, lots)
}

// comesFrom notes a source. There are few, and most groups have one.
func (t *tallies) comesFrom(source string) {
	if !slices.Contains(t.sources, source) {
		t.sources = append(t.sources, source)
	}
}

func (t *tallies) visit(g *gathering, u *unit, each float64) {
	t.comesFrom(u.source)
	p := g.w.engineer(u.actor)
	v := t.visitors[p.Pseudonym]
	if v == nil {
		v = &tally{}
		t.visitors[p.Pseudonym] = v
	}
	v.parts = append(v.parts, float64(u.weight)*g.scale*each)
}

// finish makes sums that do not depend on the order in which rows came.
func (g *gathering) finish() []map[string]*tallies {
	for _, groups := range g.windows {
		for _, t := range groups {
			lots := t.lots
			if g.by != Team {
				lots = nil
			}
			t.unassigned.finish(g.scale, nil)
			t.bots.finish(g.scale, nil)
			for _, p := range t.people {
				p.finish(g.scale, lots)
			}
			for _, p := range t.visitors {
				p.finish(g.scale, nil)
			}
			for _, weights := range t.lots {
				slices.Sort(weights)
			}
		}
	}
	return g.windows
}

func (t *tally) finish(scale float64, lots map[lot][]float64) {
	t.value = float64(t.shares)*scale + sumOf(t.parts)
	t.parts = nil
	t.items = t.pile.finish(lots)
	t.square = size(t.pile.weights).Squares
}

// sumOf sorts and adds, with the compensation of Neumaier.
func sumOf(list []float64) float64 {
	slices.Sort(list)
	var sum, low float64
	for _, x := range list {
		t := sum + x
		if math.Abs(sum) >= math.Abs(x) {
			low += (sum - t) + x
		} else {
			low += (x - t) + sum
		}
		sum = t
	}
	return sum + low
}

// units reads the units of windows that end together into gatherings.
func (e *Engine) units(ctx context.Context, w *world, basis Basis, by By, froms []int64, to int64, into ...*gathering) error {
	parameters := w.parameters(to)
	parameters["froms"] = numbersParameter(froms)
	parameters["cut_actors"], parameters["cut_at"] = "[]", "[]"
	if by == Team {
		parameters["cut_actors"], parameters["cut_at"] = w.cuts()
	}
	purpose := string(basis) + " by " + string(by)
	return e.each(ctx, purpose, unitsSQL(e.db.Table("tickets"), basis, by), parameters, func(rows driver.Rows) error {
		var u unit
		var number uint32
		if err := rows.Scan(&number, &u.source, &u.key, &u.actor, &u.class.Kind, &u.class.Priority, &u.class.Areas, &u.points,
			&u.ticket, &u.parent, &u.at, &u.given, &u.weight); err != nil {
			return err
		}
		u.class.Source = u.source
		for _, g := range into {
			g.add(int(number)-1, &u)
		}
		return nil
	})
}
