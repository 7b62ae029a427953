package distribution

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// Weights is the size of a set of tickets, or of assignments weighted by their
// time: how many there are, Σw and Σw². It adds up over parts.
type Weights struct {
	N            uint64
	Sum, Squares float64
}

// WeightsOf sums single weights. Negative, infinite and NaN ones are refused.
func WeightsOf(weights []float64) (Weights, error) {
	var t, q sum
	for i, w := range weights {
		if err := refuse("weight", i, w); err != nil {
			return Weights{}, err
		}
		t.add(w)
		q.add(w * w)
	}
	return Weights{N: uint64(len(weights)), Sum: t.value(), Squares: q.value()}, nil
}

// Plus is both together.
func (w Weights) Plus(o Weights) Weights {
	return Weights{w.N + o.N, w.Sum + o.Sum, w.Squares + o.Squares}
}

// H is Σw²/(Σw)²: 1/N for N equal tickets, near 1 when one outweighs the rest.
// NaN without weight.
func (w Weights) H() float64 {
	if w.Sum == 0 {
		return nan
	}
	return w.Squares / w.Sum / w.Sum
}

// Effective is 1/h, the number of equal tickets with the same luck in them.
func (w Weights) Effective() float64 { return 1 / w.H() }

// Null is the distribution that luck alone gives: each ticket goes to person i
// with probability p_i, independently, and h = Σw²/(Σw)². All its methods are
// NaN where there is nobody or h is undefined.
//
// Expected HHI and CV² and the variance of a share are exact. The expected
// Gini takes differences of shares as normal: on equal capacities it is within
// about 1.5 % from [MinTicketsPerHead] effective tickets a head, and too high
// below.
type Null struct {
	p []float64
	h float64
}

// MinTicketsPerHead is the number of effective tickets per person under which
// no verdict is given.
const MinTicketsPerHead = 5

// NewNull makes the null model of people with these capacities, not all 0, for
// work of concentration h in (0, 1]; a NaN h makes every answer NaN. People
// without capacity are left out.
func NewNull(capacity []float64, h float64) (Null, error) {
	if h <= 0 || h > 1+1e-9 {
		return Null{}, fmt.Errorf("%w: concentration of weights is %g", ErrInput, h)
	}
	n := Null{h: min(h, 1)}
	if math.IsNaN(h) {
		n.h = nan
	}
	var total sum
	for i, c := range capacity {
		if err := refuse("capacity", i, c); err != nil {
			return Null{}, err
		}
		total.add(c)
	}
	for _, c := range capacity {
		if c > 0 {
			n.p = append(n.p, c/total.value())
		}
	}
	slices.Sort(n.p)
	return n, nil
}

// Null is the null model of this sample's capacities.
func (s Sample) Null(h float64) (Null, error) {
	capacity := make([]float64, len(s.people))
	for i, p := range s.people {
		capacity[i] = p.cap
	}
	return NewNull(capacity, h)
}

// Enough reports whether there are at least MinTicketsPerHead effective
// tickets per person.
func (n Null) Enough() bool {
	return len(n.p) > 0 && 1/n.h >= MinTicketsPerHead*float64(len(n.p))*(1-1e-12)
}

func (n Null) squares() float64 {
	var t sum
	for _, p := range n.p {
		t.add(p * p)
	}
	return t.value()
}

// HHI is E[HHI] = Σp² + (1−Σp²)h, exact.
func (n Null) HHI() float64 {
	if len(n.p) == 0 {
		return nan
	}
	q := n.squares()
	return q + (1-q)*n.h
}

// CV2 is E[CV²] = (n−1)h, exact.
func (n Null) CV2() float64 {
	if len(n.p) == 0 {
		return nan
	}
	return float64(len(n.p)-1) * n.h
}

// Gini is E[G] ≈ sqrt(h/2π) Σ_{i≠j} sqrt(p_i p_j (p_i+p_j)). The sum is over
// distinct capacities: equal ones cost nothing.
func (n Null) Gini() float64 {
	if len(n.p) == 0 {
		return nan
	}
	type class struct {
		p float64
		n float64
	}
	var classes []class
	for _, p := range n.p {
		if k := len(classes); k > 0 && classes[k-1].p == p {
			classes[k-1].n++
			continue
		}
		classes = append(classes, class{p, 1})
	}
	var t sum
	for i, a := range classes {
		t.add(a.n * (a.n - 1) * a.p * math.Sqrt(2*a.p))
		for _, b := range classes[i+1:] {
			t.add(2 * a.n * b.n * math.Sqrt(a.p*b.p*(a.p+b.p)))
		}
	}
	return math.Sqrt(n.h/(2*math.Pi)) * t.value()
}

// UpperTail is the probability of at least this CV², taking CV²/h as χ² with n−1
// degrees: Pearson's test where weights are equal (Pearson 1900). It costs
// nothing, and is for a glance: [ByLot] is what verdicts rest on. NaN for one
// person, and for what is no CV².
func (n Null) UpperTail(cv2 float64) float64 {
	if len(n.p) < 2 || math.IsNaN(n.h) || !(cv2 >= 0) {
		return nan
	}
	return mathext.GammaIncRegComp(float64(len(n.p)-1)/2, cv2/n.h/2)
}

// ExcessCV2 is the unbiased estimate of the inequality beyond chance,
// (Σs²/p − h Σs/p)/(1−h) − 1: the CV² of the probabilities with which tickets
// fall to people. Its expectation under the null is 0, and it can be negative.
// NaN when h is 1 or undefined.
func (s Sample) ExcessCV2(h float64) float64 {
	if s.empty() || !(h < 1) {
		return nan
	}
	var t sum
	for _, p := range s.people {
		t.add(s.relative(p))
	}
	return (1+s.CV2()-h*t.value())/(1-h) - 1
}

// ShareZ is how many standard deviations a share of the work lies above what
// chance gives a person of capacity share p: (s−p)/sqrt(h p(1−p)). NaN for
// p = 0 or 1.
func ShareZ(share, p, h float64) float64 {
	if !(p > 0 && p < 1) {
		return nan
	}
	return (share - p) / math.Sqrt(h*p*(1-p))
}

// BinomialUpperTail is P(X ≥ k) for X the number of n tickets that fall to a
// person of capacity share p. k and n need not be whole: with weighted tickets
// they are effective numbers, s/h of 1/h, and the tail is continued by the
// incomplete beta function. NaN outside 0 ≤ p ≤ 1 and 0 ≤ k ≤ n.
func BinomialUpperTail(k, n, p float64) float64 {
	switch {
	case !(p >= 0 && p <= 1) || !(k >= 0 && k <= n):
		return nan
	case k == 0:
		return 1
	case k > n-1e-9*n:
		return math.Pow(p, n)
	}
	return mathext.RegIncBeta(k, n-k+1, p)
}
