package distribution

import (
	"cmp"
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
// people's capacities. Weights are in the unit of the people's work, 0 or more.
type Lot struct {
	Odds    []float64
	Weights []float64
}

// Chance is what luck alone gives: the distribution of the indices when every
// unit is dealt out again by lot.
type Chance struct {
	// Gini is E0[G]; GiniLow and GiniHigh are the 5th and 95th percentile: the
	// least x with P(G ≤ x) ≥ q.
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

// maxOutcomes is how many outcomes are enumerated at most.
const maxOutcomes = 1_000_000

// ByLot deals out the lots again and again and says how the unevenness of
// work over capacity compares. Work and capacity are of the same people;
// people without capacity take no part. The statistic is CV².
//
// Equal weights in one lot in proportion to capacity are enumerated exactly
// when there are at most a million outcomes. Otherwise B = [Draws] draws come
// from PCG, whose state is the first sixteen bytes of SHA-256(seed), big
// endian: the same people, in any order, and the same lots, in the same order,
// give the same bits.
//
// It is NaN throughout when fewer than two people have capacity or there is no
// work, and refuses what is no distribution.
func ByLot(seed string, work, capacity []float64, lots []Lot) (Chance, error) {
	return ByDraws(Draws, seed, work, capacity, lots)
}

// ByDraws is ByLot with another B, at least 1: the least p value that it can give
// is 1/(B + 1).
func ByDraws(draws int, seed string, work, capacity []float64, lots []Lot) (Chance, error) {
	undefined := Chance{Gini: nan, GiniLow: nan, GiniHigh: nan, Hoover: nan, Upper: nan, Lower: nan}
	observed, err := Weighted(work, capacity)
	if err != nil {
		return undefined, err
	}
	t, err := newTable(work, capacity, lots)
	if err != nil {
		return undefined, err
	}
	if len(t.p) < 2 || t.units == 0 || observed.empty() {
		return undefined, nil
	}
	if t.equal && len(t.lots) == 1 && slices.Equal(t.lots[0].p, t.p) && outcomes(t.units, len(t.p)) <= maxOutcomes {
		c, _ := t.enumerate()
		return c, nil
	}
	return t.draw(seed, draws), nil
}

// table is the people with capacity, and the lots as probabilities over them.
// People stand in order of capacity, then of their odds.
type table struct {
	p      []float64 // shares of capacity
	spread float64   // seen: 1 + CV²
	lots   []dealt
	units  int
	total  float64 // of weights
	equal  bool    // all weights are 1
}

// dealt is a lot ready to be drawn.
type dealt struct {
	p       []float64
	weights []float64 // ascending, none 0 or above 1
}

func newTable(work, capacity []float64, lots []Lot) (*table, error) {
	for k, l := range lots {
		if err := l.validate(k, capacity); err != nil {
			return nil, err
		}
	}
	var who []int
	for i, c := range capacity {
		if c > 0 {
			who = append(who, i)
		}
	}
	slices.SortStableFunc(who, func(a, b int) int {
		c := cmp.Compare(capacity[a], capacity[b])
		for _, l := range lots {
			if c != 0 {
				break
			}
			if l.Odds != nil {
				c = cmp.Compare(l.Odds[a], l.Odds[b])
			}
		}
		return c
	})
	t := &table{p: shares(capacity, who)}
	var least, most float64
	var plain []float64
	for _, l := range lots {
		d := dealt{p: t.p}
		for _, w := range l.Weights {
			if w > 0 {
				d.weights = append(d.weights, w)
			}
		}
		if len(d.weights) == 0 || len(who) == 0 {
			continue
		}
		slices.Sort(d.weights)
		if t.units == 0 {
			least = d.weights[0]
		}
		least, most = min(least, d.weights[0]), max(most, d.weights[len(d.weights)-1])
		t.units += len(d.weights)
		if l.Odds == nil {
			plain = append(plain, d.weights...)
			continue
		}
		d.p = shares(l.Odds, who)
		t.lots = append(t.lots, d)
	}
	if plain != nil {
		slices.Sort(plain)
		t.lots = append(t.lots, dealt{t.p, plain})
	}
	t.scale(work, who, least, most)
	return t, nil
}

// scale takes the unit out of weights and work: equal weights are 1, so that
// their sums are whole numbers, and others at most 1 by a power of two.
func (t *table) scale(work []float64, who []int, least, most float64) {
	if t.units == 0 {
		return
	}
	unit := most
	if t.equal = least == most; !t.equal {
		_, exponent := math.Frexp(most)
		unit = math.Ldexp(1, min(exponent, 1023))
	}
	var total sum
	for _, l := range t.lots {
		for i := range l.weights {
			l.weights[i] /= unit
			total.add(l.weights[i])
		}
	}
	t.total = total.value()
	load := make([]float64, len(who))
	var held float64
	for n, i := range who {
		load[n] = work[i] / unit
		if whole := math.Round(load[n]); t.equal && math.Abs(load[n]-whole) <= 1e-9*whole {
			load[n] = whole
		}
		held += load[n]
	}
	if held < 0x1p-500 || held > 0x1p500 {
		// Work that is not of these weights: its own unit does as well.
		held = 0
		for n, i := range who {
			load[n] = work[i]
		}
		largest := slices.Max(load)
		for n := range load {
			load[n] /= largest
			held += load[n]
		}
	}
	t.spread = newGauge(t.p, held).measure(load).spread
}

// validate refuses what is no lot of the people with capacity.
func (l Lot) validate(k int, capacity []float64) error {
	for i, w := range l.Weights {
		if err := refuse("weight", i, w); err != nil {
			return err
		}
	}
	if l.Odds == nil {
		return nil
	}
	if len(l.Odds) != len(capacity) {
		return fmt.Errorf("%w: lot %d has odds for %d people of %d", ErrInput, k, len(l.Odds), len(capacity))
	}
	var most, somebody float64
	for i, o := range l.Odds {
		if err := refuse("odds", i, o); err != nil {
			return err
		}
		if capacity[i] > 0 {
			most, somebody = max(most, o), max(somebody, capacity[i])
		}
	}
	if somebody > 0 && most == 0 {
		return fmt.Errorf("%w: nobody with capacity could take lot %d", ErrInput, k)
	}
	return nil
}

// shares of those people, who do not all have 0. They are scaled before they
// are added up, which no range of float64 is too small for.
func shares(of []float64, who []int) []float64 {
	var most float64
	for _, i := range who {
		most = max(most, of[i])
	}
	p := make([]float64, len(who))
	var total sum
	for n, i := range who {
		p[n] = of[i] / most
		total.add(p[n])
	}
	for n := range p {
		p[n] /= total.value()
	}
	return p
}

// tally starts with the CV² seen. Equal outcomes must not become unequal by
// rounding; with weights that are no whole numbers there is more of that.
func (t *table) tally() tally {
	tie := 1e-10
	if t.equal {
		tie = 1e-12
	}
	return tally{low: t.spread * (1 - tie), high: t.spread * (1 + tie)}
}

// enumerate goes through every way in which the tickets can lie.
func (t *table) enumerate() (Chance, tally) {
	all, g := t.tally(), newGauge(t.p, t.total)
	load := make([]float64, len(t.p))
	enumerate(t.p, t.units, func(counts []int, probability float64) {
		for i, x := range counts {
			load[i] = float64(x)
		}
		all.add(g.measure(load), probability)
		all.masses = append(all.masses, probability)
	})
	c := all.chance()
	// What is negligible was left out.
	c.Upper, c.Lower = clip(all.atLeast, negligible, 1), clip(all.atMost, negligible, 1)
	c.Exact = true
	return c, all
}

// draw deals so many times.
func (t *table) draw(seed string, draws int) Chance {
	key := sha256.Sum256([]byte(seed))
	return t.drawFrom(rand.NewPCG(binary.BigEndian.Uint64(key[:8]), binary.BigEndian.Uint64(key[8:16])), draws)
}

func (t *table) drawFrom(random *rand.PCG, draws int) Chance {
	all, g, d := t.tally(), newGauge(t.p, t.total), newDealer(t, random)
	all.ginis = make([]float64, 0, draws)
	load := make([]float64, len(t.p))
	for range draws {
		d.deal(load)
		all.add(g.measure(load), 1)
	}
	c := all.chance()
	c.Upper, c.Lower = (1+all.atLeast)/float64(draws+1), (1+all.atMost)/float64(draws+1)
	c.Draws = draws
	return c
}

// chance is without the p values, which are not taken alike from draws and from
// all outcomes.
func (t *tally) chance() Chance {
	return Chance{Gini: t.gini / t.mass, Hoover: t.hoover / t.mass, GiniLow: t.quantile(0.05), GiniHigh: t.quantile(0.95)}
}
