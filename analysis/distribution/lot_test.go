package distribution

import (
	"fmt"
	"math"
	"math/rand/v2"
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
	c, err = ByLot("points", []float64{40, 30, 30, 30, 20, 22}, capacity, []Lot{{Weights: weights}})
	if err != nil {
		t.Fatal(err)
	}
	within(t, "E[G] of story points", c.Gini, 0.19649, 0.002)
	within(t, "their 95th percentile", c.GiniHigh, 0.3002, 0.008)
}

// Many light units taken as normal give what dealing each gives.
func TestByLotTakesTheRestAsNormal(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	capacity := []float64{1, 1, 0.5, 0.8, 1, 1, 0.6}
	weights := make([]float64, 900)
	for i := range weights {
		weights[i] = math.Exp(random.NormFloat64())
	}
	table, err := newTable(capacity, []Lot{{Weights: weights}})
	if err != nil {
		t.Fatal(err)
	}
	if dealers, rest := table.dealers(); len(dealers) != 1 || len(dealers[0].single) != heaviest || rest == nil {
		t.Fatal("the rest is dealt one by one")
	}
	null, err := NewNull(capacity, Weights{Sum: table.total, Squares: squares(weights)}.H())
	if err != nil {
		t.Fatal(err)
	}
	c := table.draw("rest", null.CV2())
	within(t, "E[G]", c.Gini, null.Gini(), 0.015*null.Gini())
	// CV² / h is chi-squared with n − 1 degrees: its mean lies at 0.42 of the
	// distribution from above for six.
	within(t, "p of the mean", c.Upper, 0.4232, 0.02)
}

// Of lots with other odds the rest is one vector, with the covariance of all.
func TestByLotTakesTheRestOfManyLotsAsNormal(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	capacity := []float64{1, 1, 0.5, 0.8, 1}
	odds := [][]float64{{1, 1, 0, 0, 0}, {0, 1, 1, 0, 1}, {1, 1, 1, 1, 0}, {0, 0, 1, 1, 0}}
	var lots []Lot
	mean := make([]float64, len(capacity))
	cov := make([][]float64, len(capacity))
	for i := range cov {
		cov[i] = make([]float64, len(capacity))
	}
	for k := range 40 {
		l := Lot{Odds: odds[k%len(odds)]}
		var total float64
		for _, x := range l.Odds {
			total += x
		}
		for range 25 {
			w := math.Exp(0.7 * random.NormFloat64())
			l.Weights = append(l.Weights, w)
			for i, x := range l.Odds {
				mean[i] += w * x / total
				cov[i][i] += w * w * x / total
				for j, y := range l.Odds {
					cov[i][j] -= w * w * x * y / total / total
				}
			}
		}
		lots = append(lots, l)
	}
	table, err := newTable(capacity, lots)
	if err != nil {
		t.Fatal(err)
	}
	dealers, rest := table.dealers()
	single := 0
	for _, d := range dealers {
		single += len(d.single)
	}
	if single != heaviest || rest == nil || rest.root == nil {
		t.Fatalf("%d of %d units are dealt one by one", single, table.units)
	}
	const draws = 40_000
	gotMean, gotCov := make([]float64, len(capacity)), make([][]float64, len(capacity))
	for i := range gotCov {
		gotCov[i] = make([]float64, len(capacity))
	}
	for range draws {
		work := make([]float64, len(capacity))
		for _, d := range dealers {
			d.deal(random, work)
		}
		rest.deal(random, work)
		for i := range work {
			gotMean[i] += work[i] / draws
			for j := range work {
				gotCov[i][j] += (work[i] - mean[i]) * (work[j] - mean[j]) / draws
			}
		}
	}
	for i := range mean {
		within(t, fmt.Sprint("mean of ", i), gotMean[i], mean[i], 5*math.Sqrt(cov[i][i]/draws))
		for j := range mean {
			within(t, fmt.Sprint("covariance of ", i, j), gotCov[i][j], cov[i][j], 0.03*math.Sqrt(cov[i][i]*cov[j][j]))
		}
	}
}

func squares(weights []float64) float64 {
	var t float64
	for _, w := range weights {
		t += w * w
	}
	return t
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
		"one present": {[]float64{3, 1}, []float64{1, 0}, []Lot{{Weights: ones(3)}}},
	} {
		got, err := ByLot("", c.work, c.capacity, c.lots)
		if err != nil || Defined(got.Upper) || Defined(got.Gini) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, lots := range map[string][]Lot{
		"negative":     {{Weights: []float64{1, -1}}},
		"zero":         {{Weights: []float64{1, 0}}},
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
