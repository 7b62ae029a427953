package distribution

import (
	"cmp"
	"fmt"
	"slices"
)

// BenjaminiHochberg adjusts p values so that calling uneven whatever lies at or
// under q is wrong of at most the share q of those called, when the tests are
// independent or depend positively (Benjamini and Hochberg 1995). The result is
// in the order of p; NaN takes no part and stays.
func BenjaminiHochberg(p []float64) ([]float64, error) { return adjust(p, 1) }

// BenjaminiYekutieli does the same whatever the dependence (2001): it divides by
// the harmonic number of the tests.
func BenjaminiYekutieli(p []float64) ([]float64, error) {
	var harmonic float64
	k := 0
	for _, x := range p {
		if Defined(x) {
			k++
			harmonic += 1 / float64(k)
		}
	}
	return adjust(p, harmonic)
}

func adjust(p []float64, factor float64) ([]float64, error) {
	var tests []int
	for i, x := range p {
		if x < 0 || x > 1 {
			return nil, fmt.Errorf("%w: p value %d is %g", ErrInput, i, x)
		}
		if Defined(x) {
			tests = append(tests, i)
		}
	}
	slices.SortStableFunc(tests, func(a, b int) int { return -cmp.Compare(p[a], p[b]) })
	adjusted := slices.Clone(p)
	least := 1.0
	for rank, i := range tests {
		least = min(least, p[i]*factor*float64(len(tests))/float64(len(tests)-rank))
		adjusted[i] = least
	}
	return adjusted, nil
}

// Judgement is what may be said of a group's unevenness.
type Judgement int

// The judgements. NotJudged is for a group under [MinTicketsPerHead] tickets a
// head or of fewer than two people.
const (
	NotJudged Judgement = iota
	WithinChance
	Uneven
	Levelled
)

// Rule says when a group is judged uneven or levelled.
type Rule struct {
	// Q is the share of false discoveries among the groups so judged.
	Q float64
	// Hoover is how much more of the work would have to move than chance would
	// have it, for unevenness to matter.
	Hoover float64
}

// DefaultRule is q = 0.10, and a tenth of the work: in real logs nearly every
// queue is uneven beyond chance, so significance alone says nothing.
func DefaultRule() Rule { return Rule{Q: 0.10, Hoover: 0.10} }

// Judge decides from the adjusted p values of the two tails, and from the Hoover
// index beside what chance gives. It is NotJudged where a p value is undefined.
func (r Rule) Judge(upper, lower, hoover, hooverByChance float64) Judgement {
	switch {
	case !Defined(upper) || !Defined(lower):
		return NotJudged
	case upper <= r.Q && hoover-hooverByChance >= r.Hoover:
		return Uneven
	case lower <= r.Q:
		return Levelled
	default:
		return WithinChance
	}
}
