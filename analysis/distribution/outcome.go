package distribution

import (
	"cmp"
	"math"
	"slices"
)

// outcome is what is looked at in each assignment of the work that chance could
// have made.
type outcome struct {
	spread float64 // Σ W²/p over W²: 1 + CV²
	gini   float64
	hoover float64
}

// gauge measures outcomes for people with capacity shares p and a total of
// work that does not change.
type gauge struct {
	p, inverse []float64
	total      float64
	equal      bool
	sorted     []float64
	pairs      []pair
}

type pair struct{ relative, work, p float64 }

// pairwise is the number of people up to which the Gini is summed over all
// pairs, without sorting.
const pairwise = 20

func newGauge(p []float64, total float64) *gauge {
	g := &gauge{p: p, total: total, equal: true, inverse: make([]float64, len(p))}
	for i, x := range p {
		g.inverse[i] = 1 / x
		g.equal = g.equal && x == p[0]
	}
	if len(p) > pairwise {
		if g.equal {
			g.sorted = make([]float64, len(p))
		} else {
			g.pairs = make([]pair, len(p))
		}
	}
	return g
}

func (g *gauge) measure(load []float64) outcome {
	var spread, over float64
	for i, w := range load {
		spread += w * w * g.inverse[i]
		over += max(0, w-g.total*g.p[i])
	}
	return outcome{spread / g.total / g.total, clip(g.gini(load)/g.total, 0, 1), over / g.total}
}

// gini is the Gini coefficient times the total: Σ_{i<j} |p_j W_i − p_i W_j|.
func (g *gauge) gini(load []float64) float64 {
	n := len(load)
	var t float64
	switch {
	case n <= pairwise && g.equal:
		for i, a := range load {
			for _, b := range load[i+1:] {
				t += math.Abs(a - b)
			}
		}
		return t / float64(n)
	case n <= pairwise:
		for i, a := range load {
			q := g.p[i]
			for j := i + 1; j < n; j++ {
				t += math.Abs(g.p[j]*a - q*load[j])
			}
		}
		return t
	case g.equal:
		copy(g.sorted, load)
		slices.Sort(g.sorted)
		for k, w := range g.sorted {
			t += float64(2*k+1-n) * w
		}
		return t / float64(n)
	}
	for i, w := range load {
		g.pairs[i] = pair{w * g.inverse[i], w, g.p[i]}
	}
	slices.SortFunc(g.pairs, func(a, b pair) int { return cmp.Compare(a.relative, b.relative) })
	var work, capacity float64
	for _, x := range g.pairs {
		t += x.work*capacity - x.p*work
		work += x.work
		capacity += x.p
	}
	return t
}

// tally gathers outcomes, each with its probability.
type tally struct {
	low, high       float64 // spreads from low on are as large as the one seen, up to high as small
	mass            float64
	atLeast, atMost float64
	gini, hoover    float64
	ginis, masses   []float64 // masses nil: all 1
}

func (t *tally) add(o outcome, mass float64) {
	t.mass += mass
	if o.spread >= t.low {
		t.atLeast += mass
	}
	if o.spread <= t.high {
		t.atMost += mass
	}
	t.gini += mass * o.gini
	t.hoover += mass * o.hoover
	t.ginis = append(t.ginis, o.gini)
}

// quantile is the smallest Gini x with P(G ≤ x) ≥ q. It looks for the place in
// a histogram first, and sorts only the values of one bin.
func (t *tally) quantile(q float64) float64 {
	const bins = 1024
	bin := func(x float64) int { return min(int(x*bins), bins-1) }
	mass := func(i int) float64 {
		if t.masses == nil {
			return 1
		}
		return t.masses[i]
	}
	var histogram [bins]float64
	for i, x := range t.ginis {
		histogram[bin(x)] += mass(i)
	}
	target := q * t.mass * (1 - 1e-12)
	b := 0
	var below float64
	for b < bins-1 && below+histogram[b] < target {
		below += histogram[b]
		b++
	}
	type value struct{ gini, mass float64 }
	var inside []value
	for i, x := range t.ginis {
		if bin(x) == b {
			inside = append(inside, value{x, mass(i)})
		}
	}
	if len(inside) == 0 {
		return nan
	}
	slices.SortFunc(inside, func(x, y value) int { return cmp.Compare(x.gini, y.gini) })
	for _, v := range inside {
		if below += v.mass; below >= target {
			return v.gini
		}
	}
	return inside[len(inside)-1].gini
}
