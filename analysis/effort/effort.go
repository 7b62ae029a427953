package effort

import (
	"cmp"
	"math"
	"slices"
)

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
// finished ones were worked on, see [WorkingDays]. Of Days only ratios matter.
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

// Sample is one ticket as it was just before the instant of analysis, for
// Summarise. Points are 0 where unset.
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

// Model gives efforts. It is immutable; the zero Model gives 1 to every ticket,
// but 0 to one of 0 story points.
type Model struct {
	config Config
	scale  map[string]float64 // of story points, by source
	days   map[string]figure  // at LevelSource
	kinds  map[measured]figure
	class  map[measured]figure
	point  map[string]figure // story points at LevelSource
}

type figure struct{ n, log float64 }

type measured struct {
	measure Measure
	class   Class
}

// Fit makes a model of statistics, in any order, by the default Config.
func Fit(statistics []Statistic) Model { return DefaultConfig().Fit(statistics) }

// Fit makes a model of statistics, in any order; those without tickets or of no
// finite, positive median are passed over.
func (c Config) Fit(statistics []Statistic) Model {
	m := Model{
		config: c,
		scale:  map[string]float64{}, days: map[string]figure{}, point: map[string]figure{},
		kinds: map[measured]figure{}, class: map[measured]figure{},
	}
	for _, s := range statistics {
		if s.N == 0 || !(s.Median > 0) || math.IsInf(s.Median, 1) {
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
	if valid(points) {
		switch scale, ok := m.scale[class.Source]; {
		case *points == 0:
			return 0, FromPoints
		case ok:
			return *points / scale, FromPoints
		default:
			return 1, ExpectedAsTypical
		}
	}
	measure, typical, basis := m.by(class)
	if basis == ExpectedAsTypical {
		return 1, basis
	}
	_, _, log := m.levels(measure, class)
	return math.Exp(log - typical), basis
}

// valid reports whether story points are some.
func valid(points *float64) bool {
	return points != nil && *points >= 0 && !math.IsInf(*points, 1)
}

// by is what a ticket without story points is estimated from, and the logarithm
// of a typical ticket's.
func (m Model) by(class Class) (measure Measure, typical float64, basis Basis) {
	scale, scaled := m.scale[class.Source]
	if m.kinds[measured{Points, kindOf(class)}].n >= float64(m.config.MinPointed) && scaled {
		return Points, math.Log(scale), ExpectedByPoints
	}
	if source, ok := m.days[class.Source]; ok {
		return Days, source.log, ExpectedByDays
	}
	return 0, 0, ExpectedAsTypical
}

func kindOf(class Class) Class { return Class{Source: class.Source, Kind: class.Kind} }

// levels are the logarithms of a measure at each level, each shrunk toward the
// one before.
func (m Model) levels(measure Measure, class Class) (source, kind, log float64) {
	overall := m.days[class.Source]
	if measure == Points {
		overall = m.point[class.Source]
	}
	kind = m.shrink(m.kinds[measured{measure, kindOf(class)}], overall.log)
	return overall.log, kind, m.shrink(m.class[measured{measure, class}], kind)
}

func (m Model) shrink(f figure, toward float64) float64 {
	if f.n == 0 {
		return toward
	}
	return (f.n*f.log + m.config.Prior*toward) / (f.n + m.config.Prior)
}
