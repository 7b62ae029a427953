package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/effort"
)

// fact is a row of factsSQL: what one account did in one group and class in one
// window.
type fact struct {
	window        int // index
	source, key   string
	actor         uint64
	class         effort.Class
	points        string
	items         uint64
	total, square float64 // in shares, for Load of milliseconds
}

func compareFacts(a, b fact) int {
	return cmp.Or(
		cmp.Compare(a.window, b.window), cmp.Compare(a.source, b.source), cmp.Compare(a.key, b.key), cmp.Compare(a.actor, b.actor),
		cmp.Compare(a.class.Kind, b.class.Kind), cmp.Compare(a.class.Priority, b.class.Priority), cmp.Compare(a.class.Areas, b.class.Areas),
		cmp.Compare(a.points, b.points),
	)
}

// facts reads the facts of windows that end together, in a fixed order; with
// their classes only if effort is asked for.
func (e *Engine) facts(ctx context.Context, w *world, basis Basis, by By, froms []int64, to int64, withClass bool) ([]fact, error) {
	parameters := w.parameters(to)
	parameters["froms"] = numbersParameter(froms)
	var facts []fact
	purpose := string(basis) + " by " + string(by)
	err := e.each(ctx, purpose, factsSQL(e.db.Table("tickets"), basis, by, withClass), parameters, func(rows driver.Rows) error {
		var f fact
		var number uint32
		into := []any{&number, &f.source, &f.key, &f.actor}
		if withClass {
			into = append(into, &f.class.Kind, &f.class.Priority, &f.class.Areas, &f.points)
		}
		if err := rows.Scan(append(into, &f.items, &f.total, &f.square)...); err != nil {
			return err
		}
		f.window, f.class.Source = int(number)-1, f.source
		facts = append(facts, f)
		return nil
	})
	slices.SortFunc(facts, compareFacts)
	return facts, err
}

// storyPoints reads an effort as a source wrote it; nil where it is none.
func storyPoints(text string) *float64 {
	x, err := strconv.ParseFloat(text, 64)
	if text == "" || err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// tally is what rests on one engineer in a group.
type tally struct {
	items  uint64
	value  float64
	square float64 // Σ of the squares of what makes up value

	// From units only: what makes up value, each decision once, and while it is
	// gathered the value in shares and in parts.
	pile   pile
	shares int64
	parts  []float64
}

func (t *tally) add(items uint64, value, square float64) {
	t.items += items
	t.value += value
	t.square += square
}

// tallies are those of one group, before they are measured.
type tallies struct {
	people     map[string]*tally // by pseudonym
	names      map[string]string
	unassigned tally
	bots       tally

	// From units only.
	sources  []string
	visitors map[string]*tally // who is not of the team, in its queues
	lots     map[lot][]float64 // of people: what could have gone to whom
}

func newTallies() *tallies {
	return &tallies{people: map[string]*tally{}, names: map[string]string{}, visitors: map[string]*tally{}, lots: map[lot][]float64{}}
}

// person is the tally of somebody.
func (t *tallies) person(pseudonym, name string) *tally {
	p := t.people[pseudonym]
	if p == nil {
		p = &tally{}
		t.people[pseudonym], t.names[pseudonym] = p, name
	}
	return p
}

// gather adds facts up to groups by name, in tickets or in effort. Facts must be
// in their order, and of one window.
func (w *world) gather(facts []fact, basis Basis, by By, model *effort.Model) map[string]*tallies {
	unit := 1.0 / shares
	if basis == Load {
		unit /= float64((24 * time.Hour).Milliseconds())
	}
	groups := map[string]*tallies{}
	for _, f := range facts {
		name := f.source
		switch by {
		case Team:
			name = w.groupName(f.source, f.key)
		case Area:
			name = w.areaName(f.source, f.key)
		}
		g := groups[name]
		if g == nil {
			g = newTallies()
			groups[name] = g
		}
		weight := unit
		if model != nil {
			each, _ := model.Of(f.class, storyPoints(f.points))
			weight *= each
		}
		into := &g.unassigned
		if f.actor != 0 {
			p := w.engineer(f.actor)
			if p.Bot {
				into = &g.bots
			} else {
				into = g.person(p.Pseudonym, p.Name)
			}
		}
		into.add(f.items, f.total*weight, f.square*weight*weight)
	}
	return groups
}
