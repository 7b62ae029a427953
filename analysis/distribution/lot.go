package distribution

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Lot is units of work (tickets, or assignments weighted by their time) that
// could have gone to the same people: each to person i with probability
// proportional to Odds[i], independently of the others. Nil Odds are the
// people's capacities.
type Lot struct {
	Odds    []float64
	Weights []float64 // greater than 0
}

// Chance is what luck alone gives: the distribution of the indices when every
// unit is dealt out again by lot.
type Chance struct {
	// Gini is E0[G]; GiniLow and GiniHigh are the 5th and 95th percentile.
	Gini, GiniLow, GiniHigh float64
	Hoover                  float64 // E0[Hoover]

	// Upper is the probability of at least the CV² seen, Lower of at most
	// that. Of B draws, (1 + as many as reach it)/(B + 1): never 0, and a valid
	// p value whatever B is (Davison and Hinkley 1997, §4.2).
	Upper, Lower float64

	Exact bool // every outcome was enumerated; else Draws were drawn
	Draws int
}

// Draws is B, how many times the work is dealt out.
const Draws = 9999

const (
	maxOutcomes = 1_000_000 // enumerated at most
	heaviest    = 256       // units that are always dealt one by one
)

// relative tolerance within which two values of an index are the same one: the
// order of summation must not turn an equal outcome into a smaller one.
const same = 1e-9

// ByLot deals out the lots again and again and says how the unevenness of
// work over capacity compares. Work and capacity are of the same people;
// people without capacity take no part. The statistic is CV².
//
// Equal weights in one lot in proportion to capacity are enumerated exactly
// when there are at most a million outcomes. Otherwise B = [Draws] draws come
// from a generator seeded by seed alone, so that the same input gives the same
// bytes. Of more than twice 256 units the 256 heaviest are dealt one by one, and
// the rest, which are many and light, taken as normal with their exact mean and
// covariance.
//
// It is NaN throughout when fewer than two people have capacity or there is no
// unit, and refuses what is no distribution.
func ByLot(seed string, work, capacity []float64, lots []Lot) (Chance, error) {
	undefined := Chance{Gini: nan, GiniLow: nan, GiniHigh: nan, Hoover: nan, Upper: nan, Lower: nan}
	observed, err := Weighted(work, capacity)
	if err != nil {
		return undefined, err
	}
	t, err := newTable(capacity, lots)
	if err != nil {
		return undefined, err
	}
	if len(t.p) < 2 || t.units == 0 || observed.empty() {
		return undefined, nil
	}
	seen := observed.CV2()
	if n, ok := t.equal(); ok && outcomes(n, len(t.p)) <= maxOutcomes {
		return t.enumerate(n, seen), nil
	}
	return t.draw(seed, seen), nil
}

// table is the people with capacity, and the lots as probabilities over them.
type table struct {
	p     []float64 // shares of capacity
	lots  []dealt
	units int
	total float64 // of weights
}

// dealt is a lot ready to be drawn.
type dealt struct {
	p       []float64
	weights []float64 // descending
}

func newTable(capacity []float64, lots []Lot) (*table, error) {
	t := &table{}
	var total sum
	var who []int
	for i, c := range capacity {
		if c > 0 {
			who = append(who, i)
			total.add(c)
		}
	}
	for _, i := range who {
		t.p = append(t.p, capacity[i]/total.value())
	}
	var all sum
	for k, l := range lots {
		if len(l.Weights) == 0 {
			continue
		}
		d := dealt{p: t.p, weights: slices.Clone(l.Weights)}
		for i, w := range d.weights {
			if err := refuse("weight", i, w); err != nil {
				return nil, err
			}
			if w == 0 {
				return nil, fmt.Errorf("%w: weight %d is 0", ErrInput, i)
			}
			all.add(w)
		}
		slices.SortFunc(d.weights, func(a, b float64) int { return -cmpFloat(a, b) })
		if l.Odds != nil {
			if len(l.Odds) != len(capacity) {
				return nil, fmt.Errorf("%w: lot %d has odds for %d people of %d", ErrInput, k, len(l.Odds), len(capacity))
			}
			var odds sum
			d.p = make([]float64, len(who))
			for n, i := range who {
				if err := refuse("odds", i, l.Odds[i]); err != nil {
					return nil, err
				}
				d.p[n] = l.Odds[i]
				odds.add(l.Odds[i])
			}
			if !(odds.value() > 0) {
				return nil, fmt.Errorf("%w: nobody with capacity could take lot %d", ErrInput, k)
			}
			for n := range d.p {
				d.p[n] /= odds.value()
			}
		}
		t.lots = append(t.lots, d)
		t.units += len(d.weights)
	}
	t.total = all.value()
	return t, nil
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// equal reports one lot of equal weights in proportion to capacity, and of how
// many.
func (t *table) equal() (int, bool) {
	if len(t.lots) != 1 || !slices.Equal(t.lots[0].p, t.p) {
		return 0, false
	}
	w := t.lots[0].weights
	return t.units, w[0] == w[len(w)-1]
}

// outcomes is C(N+n−1, n−1): in how many ways N equal tickets can lie with n
// people. It stops counting above maxOutcomes.
func outcomes(tickets, people int) float64 {
	ways := 1.0
	for k := 1; k < people; k++ {
		ways = ways * float64(tickets+k) / float64(k)
		if ways > maxOutcomes {
			return ways
		}
	}
	return math.Round(ways)
}

// indices of one dealing.
type dealing struct{ gini, hoover, cv2 float64 }

// measure computes them from the work of each person; r is scratch.
func (t *table) measure(work []float64, r []int) dealing {
	var d dealing
	for i, w := range work {
		s := w / t.total
		d.hoover += math.Abs(s - t.p[i])
		d.cv2 += (s - t.p[i]) * (s - t.p[i]) / t.p[i]
	}
	d.hoover /= 2
	// G = Σ (L_k P_{k−1} − L_{k−1} P_k) by relative load.
	slices.SortFunc(r, func(a, b int) int { return cmpFloat(work[a]*t.p[b], work[b]*t.p[a]) })
	var l, p float64
	for _, i := range r {
		nl, np := l+work[i]/t.total, p+t.p[i]
		d.gini += l*np - nl*p
		l, p = nl, np
	}
	d.gini = math.Abs(d.gini)
	return d
}

// enumerate walks through every way in which n equal tickets can lie.
func (t *table) enumerate(n int, seen float64) Chance {
	people := len(t.p)
	unit := t.total / float64(n)
	logFactorial := make([]float64, n+1)
	for k := 2; k <= n; k++ {
		logFactorial[k] = logFactorial[k-1] + math.Log(float64(k))
	}
	logP := make([]float64, people)
	for i, p := range t.p {
		logP[i] = math.Log(p)
	}
	type weighted struct{ gini, probability float64 }
	var all []weighted
	var gini, hoover, upper, lower sum
	work, order := make([]float64, people), make([]int, people)
	for i := range order {
		order[i] = i
	}
	var walk func(i, left int, logq float64)
	walk = func(i, left int, logq float64) {
		if i == people-1 {
			work[i] = float64(left) * unit
			q := math.Exp(logq + float64(left)*logP[i] - logFactorial[left])
			d := t.measure(work, order)
			all = append(all, weighted{d.gini, q})
			gini.add(q * d.gini)
			hoover.add(q * d.hoover)
			if d.cv2 >= seen*(1-same) {
				upper.add(q)
			}
			if d.cv2 <= seen*(1+same)+same*same {
				lower.add(q)
			}
			return
		}
		for k := 0; k <= left; k++ {
			work[i] = float64(k) * unit
			walk(i+1, left-k, logq+float64(k)*logP[i]-logFactorial[k])
		}
	}
	walk(0, n, logFactorial[n])
	slices.SortFunc(all, func(a, b weighted) int { return cmpFloat(a.gini, b.gini) })
	quantile := func(q float64) float64 {
		var t sum
		for _, w := range all {
			t.add(w.probability)
			if t.value() >= q-same {
				return w.gini
			}
		}
		return all[len(all)-1].gini
	}
	return Chance{
		Gini: gini.value(), GiniLow: quantile(0.05), GiniHigh: quantile(0.95), Hoover: hoover.value(),
		Upper: min(upper.value(), 1), Lower: min(lower.value(), 1), Exact: true,
	}
}

// draw deals B times.
func (t *table) draw(seed string, seen float64) Chance {
	key := sha256.Sum256([]byte(seed))
	random := rand.New(rand.NewPCG(binary.BigEndian.Uint64(key[:8]), binary.BigEndian.Uint64(key[8:16])))
	dealers, rest := t.dealers()
	work, order := make([]float64, len(t.p)), make([]int, len(t.p))
	for i := range order {
		order[i] = i
	}
	ginis := make([]float64, Draws)
	var gini, hoover sum
	above, below := 0, 0
	for b := range Draws {
		clear(work)
		for _, d := range dealers {
			d.deal(random, work)
		}
		if rest != nil {
			rest.deal(random, work)
		}
		d := t.measure(work, order)
		ginis[b] = d.gini
		gini.add(d.gini)
		hoover.add(d.hoover)
		if d.cv2 >= seen*(1-same) {
			above++
		}
		if d.cv2 <= seen*(1+same)+same*same {
			below++
		}
	}
	slices.Sort(ginis)
	return Chance{
		Gini: gini.value() / Draws, GiniLow: ginis[Draws*5/100], GiniHigh: ginis[Draws*95/100], Hoover: hoover.value() / Draws,
		Upper: float64(1+above) / (Draws + 1), Lower: float64(1+below) / (Draws + 1), Draws: Draws,
	}
}

// dealers are those of the lots, for what is dealt one by one, and of the rest;
// nil where there is none.
func (t *table) dealers() ([]*dealer, *rest) {
	least := 0.0 // of the units that are dealt one by one
	if t.units > 2*heaviest {
		all := make([]float64, 0, t.units)
		for _, l := range t.lots {
			all = append(all, l.weights...)
		}
		slices.SortFunc(all, func(a, b float64) int { return -cmpFloat(a, b) })
		least = all[heaviest-1]
	}
	// Of units as heavy as the last of the heaviest, the first come are taken.
	over := 0
	for _, l := range t.lots {
		over += countOver(l.weights, least)
	}
	var dealers []*dealer
	var remains *rest
	for _, l := range t.lots {
		single := len(l.weights)
		if least > 0 {
			single = countOver(l.weights, least)
			for single < len(l.weights) && l.weights[single] == least && over < heaviest {
				single, over = single+1, over+1
			}
		}
		if single < len(l.weights) {
			if remains == nil {
				remains = &rest{}
			}
			remains.add(l.p, l.weights[single:])
		}
		if single > 0 {
			d := &dealer{p: l.p, single: l.weights[:single]}
			d.alias, d.other = aliasTables(l.p)
			dealers = append(dealers, d)
		}
	}
	if remains != nil {
		remains.factor()
	}
	return dealers, remains
}

// countOver is how many of descending weights are over a value.
func countOver(weights []float64, value float64) int {
	n, _ := slices.BinarySearchFunc(weights, value, func(w, v float64) int {
		if w > v {
			return -1
		}
		return 1
	})
	return n
}

// dealer draws units of one lot.
type dealer struct {
	p      []float64
	single []float64 // their weights
	alias  []float64 // Walker's tables over p
	other  []int
}

// rest is the light units of all lots together, as a normal vector: mean and
// covariance are the sums of those of the lots, Σw·p and Σw²·(diag(p) − pp').
type rest struct {
	parts []part
	mean  []float64
	root  [][]float64 // lower triangle: root·root' = covariance; nil for one part
	start []float64   // scratch
}

// part is what a lot adds to the rest.
type part struct {
	p       []float64
	squares float64 // Σw²
}

func (r *rest) add(p, weights []float64) {
	if r.mean == nil {
		r.mean, r.start = make([]float64, len(p)), make([]float64, len(p))
	}
	var t, q sum
	for _, w := range weights {
		t.add(w)
		q.add(w * w)
	}
	for i, x := range p {
		r.mean[i] += t.value() * x
	}
	r.parts = append(r.parts, part{p, q.value()})
}

// factor is Cholesky's, of a matrix that may have no full rank: what one person
// does not get somebody else does, and some can get nothing.
func (r *rest) factor() {
	if len(r.parts) == 1 {
		return
	}
	n := len(r.mean)
	cov := make([][]float64, n)
	r.root = make([][]float64, n)
	var largest float64
	for i := range n {
		cov[i], r.root[i] = make([]float64, i+1), make([]float64, i+1)
		for _, one := range r.parts {
			cov[i][i] += one.squares * one.p[i]
			for j, y := range one.p[:i+1] {
				cov[i][j] -= one.squares * one.p[i] * y
			}
		}
		largest = max(largest, cov[i][i])
	}
	for j := range n {
		pivot := cov[j][j]
		for _, x := range r.root[j][:j] {
			pivot -= x * x
		}
		if pivot <= 1e-12*largest {
			continue
		}
		r.root[j][j] = math.Sqrt(pivot)
		for i := j + 1; i < n; i++ {
			x := cov[i][j]
			for k := range j {
				x -= r.root[i][k] * r.root[j][k]
			}
			r.root[i][j] = x / r.root[j][j]
		}
	}
}

func (r *rest) deal(random *rand.Rand, work []float64) {
	if r.root == nil {
		// Z_i sqrt(p_i) less its projection has covariance diag(p) − pp'.
		one, drift := r.parts[0], 0.0
		for i, p := range one.p {
			r.start[i] = random.NormFloat64() * math.Sqrt(p)
			drift += r.start[i]
		}
		root := math.Sqrt(one.squares)
		for i, p := range one.p {
			work[i] += max(r.mean[i]+root*(r.start[i]-p*drift), 0)
		}
		return
	}
	for i := range r.start {
		r.start[i] = random.NormFloat64()
	}
	for i, row := range r.root {
		x := r.mean[i]
		for k, l := range row {
			x += l * r.start[k]
		}
		work[i] += max(x, 0)
	}
}

// aliasTables are Walker's, by Vose's method: a draw takes one number.
func aliasTables(p []float64) (keep []float64, other []int) {
	n := len(p)
	keep, other = make([]float64, n), make([]int, n)
	var small, large []int
	for i, x := range p {
		keep[i] = x * float64(n)
		other[i] = i
		if keep[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		other[s] = l
		if keep[l] -= 1 - keep[s]; keep[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) {
		keep[i] = 1
	}
	return keep, other
}

func (d *dealer) deal(random *rand.Rand, work []float64) {
	n := len(d.p)
	for _, w := range d.single {
		x := random.Float64() * float64(n)
		i := min(int(x), n-1)
		if x-float64(i) >= d.alias[i] {
			i = d.other[i]
		}
		work[i] += w
	}
}
