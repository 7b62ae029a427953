//go:build verify

package distribution

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Of 2,000 teams drawn from the null, p ≤ 0.05 in 5 % ± 1.5.
func TestVerifyLuckIsCalledUnevenAsRarelyAsClaimed(t *testing.T) {
	share := nullTeams(t, 2000, 7)
	t.Logf("p ≤ 0.05 in %.2f %% of 2,000 teams", 100*share)
	within(t, "the share of p ≤ 0.05 under the null", share, 0.05, 0.015)
}

// TestVerifyDiscoveries holds the rate of false discoveries under q, with teams of
// their own people and with teams that share them.
func TestVerifyDiscoveries(t *testing.T) {
	for _, c := range []struct {
		name    string
		planted float64
		overlap bool
	}{
		{"nobody is uneven, own people", 0, false},
		{"one in five is uneven, own people", 0.2, false},
		{"half are uneven, own people", 0.5, false},
		{"nobody is uneven, people in two teams", 0, true},
		{"one in five is uneven, people in two teams", 0.2, true},
	} {
		found := discoveries(t, 100, c.planted, c.overlap, 3)
		t.Logf("%-44s BH %s; BY %s; with the least size of a verdict %s", c.name, found.hochberg, found.yekutieli, found.verdicts)
		const q = 0.10
		// 100 organisations leave an error of 0.03 where each is all or nothing.
		for method, one := range map[string]discovery{"BH": found.hochberg, "BY": found.yekutieli, "verdicts": found.verdicts} {
			if one.rate() > q+0.06 || c.planted > 0 && one.rate() > q {
				t.Errorf("%s: of the discoveries of %s %.3f are false", c.name, method, one.rate())
			}
		}
		if c.planted > 0 && found.hochberg.found*2 < found.hochberg.planted {
			t.Errorf("%s: %d of %d planted are found", c.name, found.hochberg.found, found.hochberg.planted)
		}
	}
}

// TestVerifyPower prints how often one person with 1.5 times the load of each
// other is seen at p ≤ 0.05: the table in the documentation of the package.
func TestVerifyPower(t *testing.T) {
	people, perHead := []int{4, 6, 8, 12, 20}, []int{5, 10, 20, 40, 80, 160}
	const teams = 250
	table := powerTable(t, people, perHead, teams, 5)
	t.Logf("one of n with 1.5 × the load, seen at p ≤ 0.05 (%%)\ntickets a head  %v", perHead)
	for i, n := range people {
		t.Logf("%2d people      %3.0f", n, table[i])
	}
	for i, n := range people {
		for k := range perHead {
			if k > 0 && table[i][k] < table[i][k-1]-8 {
				t.Errorf("%d people: less power with more tickets: %v", n, table[i])
			}
		}
		if last := table[i][len(perHead)-1]; last < 90 {
			t.Errorf("%d people and %d tickets a head: power %v %%", n, perHead[len(perHead)-1], last)
		}
	}
}

func TestVerifyCoverage(t *testing.T) { coverage(t, 4000, 0.015) }

func TestVerifyTrendSize(t *testing.T) { trendSize(t, 40_000, 0.005) }

// TestVerifyRunLengths simulates false alarms, of normal values and of the
// standardised share of a person of eight at five tickets a head.
func TestVerifyRunLengths(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	length := func(next func() float64) float64 {
		const runs = 2000
		steps := 0
		for range runs {
			for s := 0.0; s <= 5; steps++ {
				s = max(0, s+next()-0.5)
			}
		}
		return float64(steps) / runs
	}
	want, err := DefaultCusum().RunLength(0)
	if err != nil {
		t.Fatal(err)
	}
	// The lengths are nearly exponential: 2,000 runs have an error of 1/√2000.
	normal := length(random.NormFloat64)
	within(t, "steps between false alarms", normal, want, 4*want/45)
	share := func(tickets int) func() float64 {
		return func() float64 {
			mine := 0
			for range tickets {
				if random.IntN(8) == 0 {
					mine++
				}
			}
			return ShareZ(float64(mine)/float64(tickets), 1.0/8, 1/float64(tickets))
		}
	}
	five, two := length(share(40)), length(share(16))
	t.Logf("steps between false alarms: %.0f computed, %.0f normal, %.0f at five tickets a head, %.0f at two", want, normal, five, two)
	if five < want/2 || two > five {
		t.Errorf("%.0f steps at five tickets a head, %.0f at two", five, two)
	}
}

// TestVerifySkillsExplain: where work falls by skill and luck alone, the lots of
// those who could have taken it call it luck as often as claimed.
func TestVerifySkillsExplain(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 0))
	const teams = 1000
	rejected := 0
	for k := range teams {
		n := 6 + random.IntN(5)
		work := make([]float64, n)
		var lots []Lot
		for range 3 {
			l := Lot{Odds: make([]float64, n), Weights: ones(20 + random.IntN(40))}
			for i := range l.Odds {
				if random.IntN(2) == 0 {
					l.Odds[i] = []float64{1, 0.5}[random.IntN(2)]
				}
			}
			l.Odds[random.IntN(n)] = 1
			for i, x := range dealOut(random, l.Odds, len(l.Weights)) {
				work[i] += x
			}
			lots = append(lots, l)
		}
		c, err := ByLot(fmt.Sprint("skilled ", k), work, ones(n), lots)
		if err != nil {
			t.Fatal(err)
		}
		if c.Upper <= 0.05 {
			rejected++
		}
	}
	t.Logf("p ≤ 0.05 in %.2f %% of %d teams", 100*float64(rejected)/teams, teams)
	within(t, "the share of p ≤ 0.05", float64(rejected)/teams, 0.05, 0.022)
}

func TestVerifyWeeksCoverage(t *testing.T) { weeksCoverage(t, 3000) }
