package distribution

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Estimate is an index with the error of drawing these people and not others.
type Estimate struct {
	Value     float64 // of the sample
	Jack      float64 // corrected for bias: n·Value − (n−1)·mean of the leave-one-outs
	SE        float64 // sqrt((n−1)/n Σ(G_(−i) − mean)²)
	People    int
	Corrected bool // of GiniCorrected, not of Gini
}

// JackknifeGini is the delete-one jackknife over people of the Gini, or of
// GiniCorrected, in O(n). The error is undefined when leaving somebody out
// leaves an undefined index: under two people (three when corrected), or when
// one person has all the work.
//
// Coverage is in the documentation of the package: of 95 % intervals 90 to 93 %
// at 4 to 8 people.
func (s Sample) JackknifeGini(corrected bool) Estimate {
	n := len(s.people)
	e := Estimate{Value: s.Gini(), Jack: nan, SE: nan, People: n, Corrected: corrected}
	least := 2
	if corrected {
		e.Value, least = s.GiniCorrected(), 3
	}
	if s.empty() || n < least {
		return e
	}

	// Whoever is left out, the others are those before and those after, in order
	// of relative load; nothing is subtracted that could cancel.
	after := make([]span, n+1)
	for i := n - 1; i >= 0; i-- {
		after[i] = spanOf(s.people[i]).then(after[i+1])
	}
	var before span
	left := make([]float64, n)
	var mean sum
	for i, p := range s.people {
		others := before.then(after[i+1])
		if others.work <= 0 {
			return e
		}
		g := others.cross / others.work / others.cap
		if corrected {
			g /= 2 * others.pairs / others.cap / others.cap
		}
		left[i] = g
		mean.add(g / float64(n))
		before = before.then(spanOf(p))
	}
	var variance sum
	for _, g := range left {
		variance.add((g - mean.value()) * (g - mean.value()))
	}
	e.SE = math.Sqrt(float64(n-1) / float64(n) * variance.value())
	e.Jack = float64(n)*e.Value - float64(n-1)*mean.value()
	return e
}

// span is neighbours in order of relative load.
type span struct {
	work, cap float64
	cross     float64 // Σ_{i<j} (c_i W_j − c_j W_i)
	pairs     float64 // Σ_{i<j} c_i c_j
}

func spanOf(p person) span { return span{work: p.work, cap: p.cap} }

// then is both together, o being of higher relative load.
func (a span) then(o span) span {
	return span{
		work:  a.work + o.work,
		cap:   a.cap + o.cap,
		cross: a.cross + o.cross + max(0, a.cap*o.work-o.cap*a.work),
		pairs: a.pairs + o.pairs + a.cap*o.cap,
	}
}

// Interval is the two-sided interval of the given level (0.95), by Student's t
// with n−1 degrees, clipped to [0, 1]. NaN where the error is undefined.
func (e Estimate) Interval(level float64) (low, high float64) {
	if !Defined(e.SE) || !(level > 0 && level < 1) {
		return nan, nan
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(e.People - 1)}.Quantile(0.5 + level/2)
	return clip(e.Value-t*e.SE, 0, 1), clip(e.Value+t*e.SE, 0, 1)
}
