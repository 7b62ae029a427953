package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/distribution"
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

// model fits the effort model to what lies before an instant.
func (e *Engine) model(ctx context.Context, w *world, to int64) (effort.Model, error) {
	var statistics []effort.Statistic
	err := e.each(ctx, "effort", effortSQL(e.db.Table("tickets")), w.parameters(to), func(rows driver.Rows) error {
		var noKind, noClass uint8
		var class effort.Class
		var n [3]uint64
		var median [3]float64
		if err := rows.Scan(&noKind, &noClass, &class.Source, &class.Kind, &class.Priority, &class.Areas,
			&n[0], &median[0], &n[1], &median[1], &n[2], &median[2]); err != nil {
			return err
		}
		level := effort.LevelClass
		switch {
		case noKind == 1:
			level = effort.LevelSource
		case noClass == 1:
			level = effort.LevelKind
		}
		measures := []effort.Measure{effort.Scale, effort.Points, effort.Days}
		median[2] /= float64((24 * time.Hour).Milliseconds())
		for i, m := range measures {
			if n[i] > 0 && (m != effort.Scale || level == effort.LevelSource) {
				statistics = append(statistics, effort.Statistic{Level: level, Measure: m, Class: class, N: n[i], Median: median[i]})
			}
		}
		return nil
	})
	return effort.Fit(statistics), err
}

// tally is what rests on one engineer in a group.
type tally struct {
	items  uint64
	value  float64
	square float64 // Σ of the squares of what makes up value
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
			g = &tallies{people: map[string]*tally{}, names: map[string]string{}}
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
			switch {
			case p.Bot:
				into = &g.bots
			case g.people[p.Pseudonym] != nil:
				into = g.people[p.Pseudonym]
			default:
				into = &tally{}
				g.people[p.Pseudonym], g.names[p.Pseudonym] = into, p.Name
			}
		}
		into.add(f.items, f.total*weight, f.square*weight*weight)
	}
	return groups
}

// measure makes the Group of tallies.
func (t *tallies) measure(by By, name string) (Group, error) {
	g := Group{By: by, Name: name, People: len(t.people), Provisional: true, Unassigned: t.unassigned.value, Bots: t.bots.value, Engineers: []Part{}}
	pseudonyms := make([]string, 0, len(t.people))
	for p := range t.people {
		pseudonyms = append(pseudonyms, p)
	}
	slices.Sort(pseudonyms)
	values := make([]float64, len(pseudonyms))
	var weights distribution.Weights
	for i, p := range pseudonyms {
		one := t.people[p]
		values[i] = one.value
		weights = weights.Plus(distribution.Weights{N: one.items, Sum: one.value, Squares: one.square})
	}
	g.Items = weights.N
	s, err := distribution.Equal(values)
	if err != nil {
		return Group{}, err
	}
	g.Total = s.Total()
	null, err := s.Null(weights.H())
	if err != nil {
		return Group{}, err
	}
	g.Gini, g.GiniCorrected, g.Hoover, g.Theil = defined(s.Gini()), defined(s.GiniCorrected()), defined(s.Hoover()), defined(s.TheilT())
	g.HHI, g.Effective, g.CV2, g.Jain, g.TopShare = defined(s.HHI()), defined(s.Effective()), defined(s.CV2()), defined(s.Jain()), defined(s.TopShare(1))
	low, high := s.JackknifeGini(false).Interval(0.95)
	g.GiniLow, g.GiniHigh = defined(low), defined(high)
	if null.Enough() {
		g.GiniChance, g.GiniExcess = defined(null.Gini()), defined(s.Gini()-null.Gini())
	}
	g.HHIChance = defined(null.HHI())

	n := float64(len(values))
	for i, p := range pseudonyms {
		part := Part{Pseudonym: p, Name: t.names[p], Items: t.people[p].items, Value: values[i]}
		if g.Total > 0 {
			share, h := values[i]/g.Total, weights.H()
			part.Share, part.Relative = defined(share), defined(share*n)
			part.Z = defined(distribution.ShareZ(share, 1/n, h))
			if n > 1 {
				part.Tail = defined(distribution.BinomialUpperTail(min(share/h, 1/h), 1/h, 1/n))
			}
		}
		g.Engineers = append(g.Engineers, part)
	}
	slices.SortStableFunc(g.Engineers, func(a, b Part) int { return cmp.Compare(b.Value, a.Value) })
	return g, nil
}

// defined is nil for what is undefined or not finite.
func defined(x float64) *float64 {
	if !distribution.Defined(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// measureAll makes the groups, greatest total first, then by name.
func measureAll(groups map[string]*tallies, by By) ([]Group, error) {
	list := make([]Group, 0, len(groups))
	for name, t := range groups {
		g, err := t.measure(by, name)
		if err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

// Distribution is how the work of a window is spread over the people of each
// group, greatest total first.
func (e *Engine) Distribution(ctx context.Context, q Query) ([]Group, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	w, err := e.world(ctx)
	if err != nil {
		return nil, err
	}
	from, to := q.Window.Bounds(q.AsOf)
	if !from.Before(to) {
		return []Group{}, nil
	}
	var model *effort.Model
	if q.Unit == Effort {
		m, err := e.model(ctx, w, millis(to))
		if err != nil {
			return nil, err
		}
		model = &m
	}
	facts, err := e.facts(ctx, w, q.Basis, q.By, []int64{millis(from)}, millis(to), model != nil)
	if err != nil {
		return nil, err
	}
	return measureAll(w.gather(facts, q.Basis, q.By, model), q.By)
}
