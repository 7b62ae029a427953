package effort

import (
	"fmt"
	"math"
)

// Explanation is how an effort came about.
type Explanation struct {
	Effort float64
	Basis  Basis

	// Typical is the source's typical ticket: story points, or days. 0 where
	// nothing is known.
	Typical float64
	// The rest is only for what was expected of the class: the median of each
	// level (0 where N is 0), of how many finished tickets, and what it became
	// when shrunk toward the level before.
	Source, Kind, Class Estimate
}

// Estimate is one level of what is expected.
type Estimate struct {
	N              uint64
	Median, Shrunk float64
}

// Explain says how Of comes to its answer.
func (m Model) Explain(class Class, points *float64) Explanation {
	var e Explanation
	e.Effort, e.Basis = m.Of(class, points)
	if valid(points) {
		e.Typical = m.scale[class.Source]
		return e
	}
	measure, typical, basis := m.by(class)
	if basis == ExpectedAsTypical {
		return e
	}
	e.Typical = math.Exp(typical)
	overall := m.days[class.Source]
	if measure == Points {
		overall = m.point[class.Source]
	}
	source, kind, log := m.levels(measure, class)
	e.Source = estimate(overall, source)
	e.Kind = estimate(m.kinds[measured{measure, kindOf(class)}], kind)
	e.Class = estimate(m.class[measured{measure, class}], log)
	return e
}

func estimate(f figure, shrunk float64) Estimate {
	e := Estimate{N: uint64(f.n), Shrunk: math.Exp(shrunk)}
	if f.n > 0 {
		e.Median = math.Exp(f.log)
	}
	return e
}

// String is the explanation in one line.
func (e Explanation) String() string {
	switch e.Basis {
	case FromPoints:
		if e.Effort == 0 {
			return "0 story points are no effort"
		}
		return fmt.Sprintf("%.4g story points / %.4g of a typical ticket = %.4g", e.Effort*e.Typical, e.Typical, e.Effort)
	case ExpectedAsTypical:
		return "nothing is known of its source yet: a typical ticket, 1"
	}
	unit := "days"
	if e.Basis == ExpectedByPoints {
		unit = "story points"
	}
	level := func(name string, s Estimate) string {
		if s.N == 0 {
			return fmt.Sprintf("no finished tickets of its %s", name)
		}
		return fmt.Sprintf("median %.4g of %d finished of its %s, shrunk to %.4g", s.Median, s.N, name, s.Shrunk)
	}
	return fmt.Sprintf("%s; %s; %.4g %s / %.4g of a typical ticket = %.4g",
		level("kind", e.Kind), level("kind, priority and areas", e.Class), e.Class.Shrunk, unit, e.Typical, e.Effort)
}
