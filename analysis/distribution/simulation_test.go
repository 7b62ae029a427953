package distribution

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// dealOut deals so many units of weight 1 by these odds.
func dealOut(random *rand.Rand, odds []float64, units int) []float64 {
	total := 0.0
	for _, o := range odds {
		total += o
	}
	work := make([]float64, len(odds))
	for range units {
		x, i := random.Float64()*total, 0
		for i < len(odds)-1 && x >= odds[i] {
			x -= odds[i]
			i++
		}
		work[i]++
	}
	return work
}

// discovery counts what is called uneven.
type discovery struct {
	organisations, called, falsely, found, planted int
	shares                                         float64 // false of those called, summed over organisations
}

func (d discovery) rate() float64 { return d.shares / float64(d.organisations) }

func (d discovery) String() string {
	return fmt.Sprintf("FDR %.3f, %d called, %d falsely, %d of %d planted found", d.rate(), d.called, d.falsely, d.found, d.planted)
}

func (d *discovery) add(called, uneven []bool) {
	n, falsely := 0, 0
	for k := range called {
		if called[k] {
			n++
			if !uneven[k] {
				falsely++
			}
		}
		if uneven[k] {
			d.planted++
		}
	}
	d.organisations++
	d.called += n
	d.falsely += falsely
	d.found += n - falsely
	if n > 0 {
		d.shares += float64(falsely) / float64(n)
	}
}

type discovered struct{ hochberg, yekutieli, verdicts discovery }

// discoveries draws organisations of 20 teams, of which some have a person with
// three and one with two times the work of each other. With overlap every person
// is in two teams, half in each, and their tickets count half in both.
func discoveries(t *testing.T, organisations int, planted float64, overlap bool, seed uint64) discovered {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	rule := DefaultRule()
	var out discovered
	for organisation := range organisations {
		const teams, size = 20, 8
		members := make([][]int, teams)
		people := teams * size
		if overlap {
			people /= 2
			// Two deals of all people: each is in one team of either half.
			for half := range 2 {
				for i, person := range random.Perm(people) {
					k := half*teams/2 + i/size
					members[k] = append(members[k], person)
				}
			}
		} else {
			for i := range people {
				members[i/size] = append(members[i/size], i)
			}
		}
		odds, uneven := ones(people), make([]bool, teams)
		for k := range teams {
			if float64(k) < planted*teams {
				odds[members[k][0]], odds[members[k][1]] = 3, 2
			}
		}
		for k, list := range members {
			for _, person := range list {
				uneven[k] = uneven[k] || odds[person] != 1
			}
		}
		all := dealOut(random, odds, people*(12+random.IntN(20)))
		upper, chances, hoovers := make([]float64, teams), make([]float64, teams), make([]float64, teams)
		for k, list := range members {
			var work, weights []float64
			for _, person := range list {
				part := 1.0
				if overlap {
					part = 0.5
				}
				work = append(work, part*all[person])
				for range int(all[person]) {
					weights = append(weights, part)
				}
			}
			c, err := ByLot(fmt.Sprint(organisation, "/", k), work, ones(size), []Lot{{Weights: weights}})
			if err != nil {
				t.Fatal(err)
			}
			s, err := Equal(work)
			if err != nil {
				t.Fatal(err)
			}
			upper[k], chances[k], hoovers[k] = c.Upper, c.Hoover, s.Hoover()
		}
		hochberg, err := BenjaminiHochberg(upper)
		if err != nil {
			t.Fatal(err)
		}
		yekutieli, err := BenjaminiYekutieli(upper)
		if err != nil {
			t.Fatal(err)
		}
		bh, by, verdicts := make([]bool, teams), make([]bool, teams), make([]bool, teams)
		for k := range teams {
			bh[k], by[k] = hochberg[k] <= rule.Q, yekutieli[k] <= rule.Q
			verdicts[k] = rule.Judge(hochberg[k], 1, hoovers[k], chances[k]) == Uneven
		}
		out.hochberg.add(bh, uneven)
		out.yekutieli.add(by, uneven)
		out.verdicts.add(verdicts, uneven)
	}
	return out
}

func TestFalseDiscoveries(t *testing.T) {
	for _, overlap := range []bool{false, true} {
		found := discoveries(t, 2, 0.2, overlap, 1)
		if found.hochberg.rate() > 0.15 || found.hochberg.found*2 < found.hochberg.planted {
			t.Errorf("overlap %v: %s", overlap, found.hochberg)
		}
	}
}

// powerTable is how often, in per cent, one person with 1.5 times the load of each
// other is seen at p ≤ 0.05.
func powerTable(t *testing.T, people, perHead []int, teams int, seed uint64) [][]float64 {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	table := make([][]float64, len(people))
	for i, n := range people {
		for _, each := range perHead {
			odds := ones(n)
			odds[0] = 1.5
			seen := 0
			for k := range teams {
				c, err := ByLot(fmt.Sprint(n, " ", each, " ", k), dealOut(random, odds, n*each), ones(n), []Lot{{Weights: ones(n * each)}})
				if err != nil {
					t.Fatal(err)
				}
				if c.Upper <= 0.05 {
					seen++
				}
			}
			table[i] = append(table[i], 100*float64(seen)/float64(teams))
		}
	}
	return table
}

func TestPowerGrowsWithTickets(t *testing.T) {
	row := powerTable(t, []int{6}, []int{5, 40, 160}, 20, 2)[0]
	if !(row[0] < row[1] && row[1] < row[2]) || row[2] < 80 {
		t.Errorf("power is %v %% at 5, 40 and 160 tickets a head", row)
	}
}

// population is people as they could be drawn, with the Gini of all of them.
type population struct {
	name string
	gini float64
	draw func(*rand.Rand) float64
}

func populations() []population {
	lognormal := func(sigma float64) population {
		return population{fmt.Sprint("log-normal ", sigma), math.Erf(sigma / 2), func(r *rand.Rand) float64 { return math.Exp(sigma * r.NormFloat64()) }}
	}
	return []population{
		lognormal(0.3), lognormal(0.5), lognormal(0.8),
		{"exponential", 0.5, func(r *rand.Rand) float64 { return r.ExpFloat64() }},
		{"uniform", 1.0 / 3, func(r *rand.Rand) float64 { return r.Float64() }},
	}
}

// coverage draws teams from populations. The interval of the Gini is one for what
// teams of this size have on average, (1−1/n)·G of the population, and that of the
// corrected Gini for G itself: both reach 90 to 96 %.
func coverage(t *testing.T, teams int, room float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(21, 1))
	for _, p := range populations() {
		for _, n := range []int{4, 6, 8, 15} {
			var plain, corrected, naive float64
			for range teams {
				work := make([]float64, n)
				for i := range work {
					work[i] = p.draw(random)
				}
				s := mustEqual(t, work...)
				covers := func(corrected bool, truth float64) float64 {
					if low, high := s.JackknifeGini(corrected).Interval(0.95); low <= truth && truth <= high {
						return 1 / float64(teams)
					}
					return 0
				}
				plain += covers(false, p.gini*float64(n-1)/float64(n))
				naive += covers(false, p.gini)
				corrected += covers(true, p.gini)
			}
			t.Logf("%-14s n = %2d: Gini %.1f %%, corrected %.1f %%; the population's by the uncorrected %.1f %%", p.name, n, 100*plain, 100*corrected, 100*naive)
			if plain < 0.905-room || plain > 0.955+room || corrected < 0.905-room || corrected > 0.96+room || naive > plain+room {
				t.Errorf("%s of %d: coverage %.3f and %.3f", p.name, n, plain, corrected)
			}
		}
	}
}

func TestCoverage(t *testing.T) { coverage(t, 200, 0.07) }

// trendSize is how often the trend test sees one at p ≤ 0.05 where there is none:
// at most so often, and not much less once the steps of the exact p are small.
func trendSize(t *testing.T, series int, room float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(31, 1))
	for _, c := range []struct {
		n           int
		ties        bool
		least, most float64
	}{{5, false, 0, 0.05}, {8, false, 0.03, 0.05}, {10, false, 0.03, 0.05}, {12, false, 0.03, 0.05}, {13, true, 0.03, 0.05}, {26, false, 0.04, 0.05}, {52, true, 0.04, 0.05}} {
		seen := 0.0
		for range series {
			x := make([]float64, c.n)
			for i := range x {
				if x[i] = random.NormFloat64(); c.ties {
					x[i] = math.Round(2 * x[i])
				}
			}
			if TrendOf(x).P <= 0.05 {
				seen += 1 / float64(series)
			}
		}
		t.Logf("%d values, ties %v: a trend in %.2f %%", c.n, c.ties, 100*seen)
		if seen < c.least-room || seen > c.most+room {
			t.Errorf("%d values, ties %v: a trend is seen in %.4f of series without one", c.n, c.ties, seen)
		}
	}
}

func TestTrendSize(t *testing.T) { trendSize(t, 800, 0.025) }
