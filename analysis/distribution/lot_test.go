package distribution

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func ones(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1
	}
	return w
}

func within(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.10f, want %.10f", what, got, want)
	}
}

// The exact multinomial of eight tickets over four people (case X1 of the
// reference values).
func TestByLotEnumerates(t *testing.T) {
	c, err := ByLot("", []float64{1, 2, 0, 5}, ones(4), []Lot{{Weights: ones(8)}})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Exact {
		t.Error("not enumerated")
	}
	within(t, "E[G]", c.Gini, 0.2945709229, 5e-11)
	within(t, "p", c.Upper, 0.0950927734, 5e-11)
	within(t, "the 95th percentile", c.GiniHigh, 0.5, 1e-12)
}

// Of two people with N tickets one has k with the binomial's probability, and the
// Gini is |2k − N|/2N. P(0) is C(N, N/2)/2^N: 0.0563 at 200 tickets, where the 5th
// percentile is 0, and 0.0460 at 300, where it is the next value.
func TestTheBandIsNineInTen(t *testing.T) {
	for _, c := range []struct {
		tickets   int
		low, high float64
	}{
		{200, 0, 14.0 / 200},
		{300, 1.0 / 300, 17.0 / 300},
	} {
		got, err := ByLot("", []float64{float64(c.tickets), 0}, ones(2), []Lot{{Weights: ones(c.tickets)}})
		if err != nil {
			t.Fatal(err)
		}
		within(t, fmt.Sprint("the 5th percentile of ", c.tickets), got.GiniLow, c.low, 1e-12)
		within(t, fmt.Sprint("the 95th percentile of ", c.tickets), got.GiniHigh, c.high, 1e-12)
	}
}

func TestByLotDraws(t *testing.T) {
	// Eight people and sixty equal tickets: mean 0.179, 95th percentile 0.263.
	c, err := ByLot("eight", []float64{12, 9, 6, 9, 7, 8, 4, 5}, ones(8), []Lot{{Weights: ones(60)}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Exact || c.Draws != Draws {
		t.Error("enumerated")
	}
	within(t, "E[G]", c.Gini, 0.179, 0.002)
	within(t, "the 95th percentile", c.GiniHigh, 0.263, 0.006)

	// Story points over unequal capacities (case X3).
	var weights []float64
	for _, w := range []struct{ points, n int }{{1, 20}, {2, 15}, {3, 10}, {5, 8}, {8, 5}, {13, 2}} {
		for range w.n {
			weights = append(weights, float64(w.points))
		}
	}
	capacity := []float64{1, 1, 0.8, 0.6, 1, 0.5}
	c, err = ByLot("points", []float64{44, 34, 33, 33, 20, 22}, capacity, []Lot{{Weights: weights}})
	if err != nil {
		t.Fatal(err)
	}
	within(t, "E[G] of story points", c.Gini, 0.19649, 0.002)
	within(t, "their 95th percentile", c.GiniHigh, 0.3002, 0.008)
}

// dealOf makes the table and dealer of a case, and what the loads must be on
// average and how they must vary together.
func dealOf(t *testing.T, capacity []float64, lots []Lot) (deal *dealer, mean []float64, covariance [][]float64) {
	t.Helper()
	var work = make([]float64, len(capacity))
	for _, l := range lots {
		for _, w := range l.Weights {
			work[0] += w
		}
	}
	table, err := newTable(work, capacity, lots)
	if err != nil {
		t.Fatal(err)
	}
	n := len(table.p)
	mean, covariance = make([]float64, n), make([][]float64, n)
	for i := range n {
		covariance[i] = make([]float64, n)
	}
	for _, l := range table.lots {
		for _, w := range l.weights {
			for i, p := range l.p {
				mean[i] += w * p
				covariance[i][i] += w * w * p
				for j, q := range l.p {
					covariance[i][j] -= w * w * p * q
				}
			}
		}
	}
	return newDealer(table, rand.NewPCG(1, 2)), mean, covariance
}

// checkMoments draws and compares: every way of drawing has the exact mean and
// covariance.
func checkMoments(t *testing.T, d *dealer, mean []float64, covariance [][]float64) {
	t.Helper()
	const draws = 40_000
	n := len(mean)
	gotMean, got := make([]float64, n), make([][]float64, n)
	for i := range got {
		got[i] = make([]float64, n)
	}
	load := make([]float64, n)
	for range draws {
		d.deal(load)
		for i := range load {
			gotMean[i] += load[i] / draws
			for j := range load {
				got[i][j] += (load[i] - mean[i]) * (load[j] - mean[j]) / draws
			}
		}
	}
	for i := range mean {
		within(t, fmt.Sprint("mean of ", i), gotMean[i], mean[i], 5*math.Sqrt(covariance[i][i]/draws)+1e-12)
		for j := range mean {
			within(t, fmt.Sprint("covariance of ", i, " and ", j), got[i][j], covariance[i][j], 0.04*math.Sqrt(covariance[i][i]*covariance[j][j])+1e-12)
		}
	}
}

func lognormal(random *rand.Rand, n int, sigma float64) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = math.Exp(sigma * random.NormFloat64())
	}
	return w
}

func TestEveryWayOfDealingHasTheSameMoments(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	capacity := []float64{1, 1, 0.5, 0.8, 1, 1, 0.6}
	many := []Lot{}
	odds := [][]float64{{1, 1, 0, 0, 0, 0, 0}, {0, 1, 1, 0, 1, 0, 0.3}, {1, 1, 1, 1, 0, 0, 0}, {0, 0, 1, 1, 0, 0, 0.1}}
	for k := range 40 {
		many = append(many, Lot{odds[k%len(odds)], lognormal(random, 50, 0.7)})
	}
	for name, c := range map[string]struct {
		lots           []Lot
		light, classes bool
	}{
		"few equal":             {[]Lot{{Weights: ones(40)}}, false, false},
		"many equal":            {[]Lot{{Weights: ones(700)}}, false, true},
		"story points":          {[]Lot{{Weights: slices.Concat(ones(100), slices.Repeat([]float64{5}, 90), []float64{8, 8, 13})}}, false, true},
		"light and heavy":       {[]Lot{{Weights: lognormal(random, 900, 1)}}, true, false},
		"some can get nothing":  {[]Lot{{Odds: odds[0], Weights: ones(500)}, {Odds: odds[2], Weights: lognormal(random, 20, 0.2)}}, false, true},
		"many lots of others":   {many, true, false},
		"equal, light in parts": {append(many, Lot{Weights: slices.Repeat([]float64{0.7}, 400)}), true, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, mean, covariance := dealOf(t, capacity, c.lots)
			classes := slices.ContainsFunc(d.hands, func(h hand) bool { return len(h.classes) > 0 })
			if (d.light != nil) != c.light || classes != c.classes {
				t.Fatalf("light %v, classes %v", d.light != nil, classes)
			}
			checkMoments(t, d, mean, covariance)
		})
	}
}

// Counts drawn at once have the distribution of units drawn one by one, not only
// its moments: that of one person is binomial.
func TestCountsAreBinomial(t *testing.T) {
	const m, draws = 90, 200_000
	table, err := newTable([]float64{m, 0, 0}, []float64{1, 2, 1}, []Lot{{Weights: ones(m)}})
	if err != nil {
		t.Fatal(err)
	}
	d := newDealer(table, rand.NewPCG(5, 6))
	if len(d.hands[0].classes) != 1 {
		t.Fatal("not drawn as counts")
	}
	seen := make([]float64, m+1)
	load := make([]float64, 3)
	for range draws {
		d.deal(load)
		if load[0]+load[1]+load[2] != m {
			t.Fatalf("dealt %v, not %d", load, m)
		}
		seen[int(load[0])]++
	}
	want := binomialRow(m, 0.25)
	var chi2, degrees float64
	for k, p := range want.p {
		if e := p * draws; e >= 10 {
			chi2 += (seen[want.low+k] - e) * (seen[want.low+k] - e) / e
			degrees++
		}
	}
	// Within five standard deviations of a chi-squared.
	if chi2 > degrees+5*math.Sqrt(2*degrees) {
		t.Errorf("χ² is %.1f of %v degrees", chi2, degrees)
	}
}

// Where light units are drawn as one normal, p values and percentiles are those
// of drawing every unit.
func TestLightUnitsDoNotMoveTheTail(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	weights := lognormal(random, 1200, 1.2)
	capacity := []float64{1, 1, 0.5, 0.8, 1, 1, 0.6, 1}
	total := 0.0
	for _, w := range weights {
		total += w
	}
	work := []float64{0.17, 0.15, 0.07, 0.1, 0.15, 0.14, 0.09, 0.13}
	for i := range work {
		work[i] *= total
	}
	table, err := newTable(work, capacity, []Lot{{Weights: weights}})
	if err != nil {
		t.Fatal(err)
	}
	const draws = 40_000
	d := newDealer(table, rand.NewPCG(1, 1))
	if d.light == nil {
		t.Fatal("every unit is drawn")
	}
	light := table.drawFrom(rand.NewPCG(1, 1), draws)
	// The same, drawn unit by unit.
	each, g := table.tally(), newGauge(table.p, table.total)
	one := newAlias(table.p)
	load := make([]float64, len(table.p))
	for range draws {
		clear(load)
		for _, w := range table.lots[0].weights {
			load[one.pick(random.Uint32())] += w
		}
		each.add(g.measure(load), 1)
	}
	want := each.chance()
	within(t, "E[G]", light.Gini, want.Gini, 0.002*want.Gini)
	within(t, "E[Hoover]", light.Hoover, want.Hoover, 0.002*want.Hoover+0.0002)
	within(t, "the 5th percentile", light.GiniLow, want.GiniLow, 0.01*want.GiniLow)
	within(t, "the 95th percentile", light.GiniHigh, want.GiniHigh, 0.01*want.GiniHigh)
	within(t, "p", light.Upper, each.atLeast/draws, 0.012)
}

func TestByLotIsRepeatable(t *testing.T) {
	deal := func(seed string) Chance {
		c, err := ByLot(seed, []float64{30, 20, 10, 5}, []float64{1, 1, 1, 0.5}, []Lot{{Weights: ones(65)}, {Weights: ones(20), Odds: []float64{0, 1, 1, 0}}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if once, again := deal("a"), deal("a"); once != again {
		t.Error("the same seed gives two answers")
	}
	if deal("a") == deal("b") {
		t.Error("the seed makes no difference")
	}
}

// Where skills alone make the load uneven, the lot that knows them calls it
// chance, and the one that does not calls it uneven.
func TestByLotKnowsWhoCould(t *testing.T) {
	capacity := ones(4)
	work := []float64{40, 40, 10, 10}
	blind, err := ByLot("s", work, capacity, []Lot{{Weights: ones(100)}})
	if err != nil {
		t.Fatal(err)
	}
	knowing, err := ByLot("s", work, capacity, []Lot{
		{Weights: ones(80), Odds: []float64{1, 1, 0, 0}}, {Weights: ones(20), Odds: []float64{0, 0, 1, 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if blind.Upper > 0.001 || knowing.Upper < 0.5 {
		t.Errorf("p is %v without knowing the skills and %v knowing them", blind.Upper, knowing.Upper)
	}
	if knowing.Gini < blind.Gini+0.15 {
		t.Errorf("skills explain a Gini of %v, luck %v", knowing.Gini, blind.Gini)
	}
}

func TestByLotEdges(t *testing.T) {
	for name, c := range map[string]struct {
		work, capacity []float64
		lots           []Lot
	}{
		"nobody":      {nil, nil, nil},
		"one":         {[]float64{3}, []float64{1}, []Lot{{Weights: ones(3)}}},
		"no unit":     {[]float64{0, 0}, []float64{1, 1}, nil},
		"no weight":   {[]float64{0, 0}, []float64{1, 1}, []Lot{{Weights: []float64{0, 0}}}},
		"one present": {[]float64{3, 1}, []float64{1, 0}, []Lot{{Weights: ones(3)}}},
	} {
		got, err := ByLot("", c.work, c.capacity, c.lots)
		if err != nil || Defined(got.Upper) || Defined(got.Gini) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, lots := range map[string][]Lot{
		"negative":     {{Weights: []float64{1, -1}}},
		"not a number": {{Weights: []float64{math.NaN()}}},
		"too few odds": {{Weights: ones(2), Odds: []float64{1}}},
		"no odds":      {{Weights: ones(2), Odds: []float64{0, 0}}},
		"odd odds":     {{Weights: ones(2), Odds: []float64{math.Inf(1), 0}}},
	} {
		if _, err := ByLot("", []float64{1, 1}, ones(2), lots); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// nullTeams deals out teams by lot and counts how often p lies at or under
// 0.05: a test that says "uneven" of luck more often than it claims is none.
func nullTeams(t testing.TB, teams int, seed uint64) (share float64) {
	random := rand.New(rand.NewPCG(seed, 0))
	rejected := 0
	for k := range teams {
		n := 4 + random.IntN(9)
		capacity, cumulated := make([]float64, n), make([]float64, n)
		total := 0.0
		for i := range capacity {
			capacity[i] = []float64{1, 1, 1, 0.8, 0.5}[random.IntN(5)]
			total += capacity[i]
			cumulated[i] = total
		}
		units := n*5 + random.IntN(n*20)
		weights, work := make([]float64, units), make([]float64, n)
		weighted := random.IntN(2) == 0
		for j := range weights {
			weights[j] = 1
			if weighted {
				weights[j] = math.Exp(0.8 * random.NormFloat64())
			}
			x, i := random.Float64()*total, 0
			for i < n-1 && x >= cumulated[i] {
				i++
			}
			work[i] += weights[j]
		}
		c, err := ByLot(fmt.Sprint("team ", k), work, capacity, []Lot{{Weights: weights}})
		if err != nil {
			t.Fatal(err)
		}
		if c.Upper <= 0.05 {
			rejected++
		}
	}
	return float64(rejected) / float64(teams)
}

func TestLuckIsCalledUnevenAsRarelyAsClaimed(t *testing.T) {
	// 200 teams: the standard error is 1.5 %.
	within(t, "the share of p ≤ 0.05 under the null", nullTeams(t, 200, 1), 0.05, 0.045)
}

func BenchmarkByLot(b *testing.B) {
	for _, c := range []struct{ people, units int }{{8, 60}, {8, 500}, {8, 5000}, {40, 5000}} {
		b.Run(fmt.Sprintf("people=%d/units=%d", c.people, c.units), func(b *testing.B) {
			work := make([]float64, c.people)
			weights := make([]float64, c.units)
			for j := range weights {
				weights[j] = 1 + float64(j%7)
				work[j%c.people] += weights[j]
			}
			for b.Loop() {
				if _, err := ByLot("b", work, ones(c.people), []Lot{{Weights: weights}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
