// Package effort estimates how much work a ticket is, so that ten password
// resets need not weigh as much as ten migrations. It is pure and versioned:
// the same statistics give the same model, and each result names [Version].
//
// # Unit
//
// Effort is counted in typical tickets: 1 is the median ticket of its source.
// Story points are divided by the median of the source's story points, days by
// the median of the source's days; so sources that estimate and sources that do
// not can be added up, and an effort stands beside a count of tickets.
//
// # Rule
//
// A ticket with story points (0 is one) has that effort. Any other has the
// effort expected of its class, which is its source, kind, priority and set of
// areas, from what lay before the instant of analysis:
//
//   - by story points, where at least [MinPointed] finished tickets of its
//     kind have them; else
//   - by days: how long finished tickets were in progress and in somebody's
//     hands, ever, in elapsed days. Tickets that never were say nothing.
//
// Medians, as both are skewed and have wild outliers, and shrunk, as classes
// are small: the logarithm of a class's median counts as its n tickets, that of
// its kind as [Prior] more, and the kind's likewise beside the source's. A
// class without finished tickets is its kind's, a kind without is the source's
// typical ticket, 1, and so is every ticket of a source that finished none.
package effort

import (
	"cmp"
	"math"
	"slices"
)

// Version names the rule. It changes whenever the same tickets could be given
// another effort.
const Version = "effort/1"

// Prior is the number of tickets that the estimate one level up counts as.
const Prior = 10

// MinPointed is how many finished tickets of a kind must have story points
// before these are taken for those that have none.
const MinPointed = 20

// Class is what tickets have in common that are expected to be equal work. Kind
// is the normalised kind, Areas the sorted areas joined by AreaSeparator.
type Class struct {
	Source, Kind, Priority, Areas string
}

// AreaSeparator joins the areas of a class; no id holds it.
const AreaSeparator = "\x1f"

// Level is how much of a Class a Statistic is about; the rest is empty.
type Level uint8

// The levels.
const (
	LevelSource Level = iota
	LevelKind
	LevelClass
)

// Measure is what was measured of a ticket.
type Measure uint8

// The measures. Scale is the story points of all tickets known, finished or
// not, and only at LevelSource; Points those of finished ones; Days how long
// finished ones were in progress and in somebody's hands.
const (
	Scale Measure = iota
	Points
	Days
)

// Statistic is the median of a measure over the tickets of a class where it is
// more than 0.
type Statistic struct {
	Level   Level
	Measure Measure
	Class   Class
	N       uint64
	Median  float64
}

// Sample is one ticket, for Summarise. Points are 0 where unset.
type Sample struct {
	Class    Class
	Finished bool
	Points   float64
	Days     float64
}

// Summarise makes the statistics of single tickets, sorted. The engine has
// ClickHouse do the same.
func Summarise(samples []Sample) []Statistic {
	type key struct {
		level   Level
		measure Measure
		class   Class
	}
	values := map[key][]float64{}
	add := func(level Level, measure Measure, class Class, x float64) {
		if x > 0 && !math.IsInf(x, 1) {
			k := key{level, measure, class}
			values[k] = append(values[k], x)
		}
	}
	for _, s := range samples {
		source := Class{Source: s.Class.Source}
		kind := Class{Source: s.Class.Source, Kind: s.Class.Kind}
		add(LevelSource, Scale, source, s.Points)
		if !s.Finished {
			continue
		}
		for measure, x := range map[Measure]float64{Points: s.Points, Days: s.Days} {
			add(LevelSource, measure, source, x)
			add(LevelKind, measure, kind, x)
			add(LevelClass, measure, s.Class, x)
		}
	}
	statistics := make([]Statistic, 0, len(values))
	for k, v := range values {
		statistics = append(statistics, Statistic{k.level, k.measure, k.class, uint64(len(v)), median(v)})
	}
	slices.SortFunc(statistics, func(a, b Statistic) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Measure, b.Measure), compareClass(a.Class, b.Class))
	})
	return statistics
}

func compareClass(a, b Class) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Areas, b.Areas))
}

// median of values, the mean of the two middle ones when their number is even.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	low, high := values[(n-1)/2], values[n/2]
	return low + (high-low)/2
}

// Model gives efforts. It is immutable; the zero Model gives 1 to every ticket
// without story points.
type Model struct {
	scale map[string]float64 // of story points, by source
	days  map[string]figure  // at LevelSource
	kinds map[measured]figure
	class map[measured]figure
	point map[string]figure // story points at LevelSource
}

type figure struct{ n, log float64 }

type measured struct {
	measure Measure
	class   Class
}

// Fit makes a model of statistics, in any order.
func Fit(statistics []Statistic) Model {
	m := Model{
		scale: map[string]float64{}, days: map[string]figure{}, point: map[string]figure{},
		kinds: map[measured]figure{}, class: map[measured]figure{},
	}
	for _, s := range statistics {
		if s.N == 0 || !(s.Median > 0) {
			continue
		}
		f := figure{float64(s.N), math.Log(s.Median)}
		switch {
		case s.Measure == Scale:
			m.scale[s.Class.Source] = s.Median
		case s.Level == LevelKind:
			m.kinds[measured{s.Measure, s.Class}] = f
		case s.Level == LevelClass:
			m.class[measured{s.Measure, s.Class}] = f
		case s.Measure == Points:
			m.point[s.Class.Source] = f
		default:
			m.days[s.Class.Source] = f
		}
	}
	return m
}

// Basis is where an effort comes from.
type Basis uint8

// The bases.
const (
	FromPoints        Basis = iota // the ticket's own story points
	ExpectedByPoints               // story points of finished tickets like it
	ExpectedByDays                 // days of finished tickets like it
	ExpectedAsTypical              // nothing is known: a typical ticket
)

// Of is the effort of a ticket in typical tickets, and where it comes from.
// points is nil where unset; a negative number of points counts as unset.
func (m Model) Of(class Class, points *float64) (float64, Basis) {
	if points != nil && *points >= 0 && !math.IsInf(*points, 1) {
		switch scale, ok := m.scale[class.Source]; {
		case *points == 0:
			return 0, FromPoints
		case ok:
			return *points / scale, FromPoints
		default:
			return 1, ExpectedAsTypical
		}
	}
	kind := Class{Source: class.Source, Kind: class.Kind}
	if m.kinds[measured{Points, kind}].n >= MinPointed {
		return m.expected(Points, m.point[class.Source], math.Log(m.scale[class.Source]), kind, class), ExpectedByPoints
	}
	if source, ok := m.days[class.Source]; ok {
		return m.expected(Days, source, source.log, kind, class), ExpectedByDays
	}
	return 1, ExpectedAsTypical
}

func (m Model) expected(measure Measure, source figure, typical float64, kind, class Class) float64 {
	log := shrink(m.kinds[measured{measure, kind}], source.log)
	log = shrink(m.class[measured{measure, class}], log)
	return math.Exp(log - typical)
}

func shrink(f figure, toward float64) float64 {
	return (f.n*f.log + Prior*toward) / (f.n + Prior)
}
