//go:build verify

package distribution

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Of 2,000 teams drawn from the null, p ≤ 0.05 in 5 % ± 1.5.
func TestVerifyLuckIsCalledUnevenAsRarelyAsClaimed(t *testing.T) {
	share := nullTeams(t, 2000, 7)
	t.Logf("p ≤ 0.05 in %.2f %% of 2,000 teams", 100*share)
	within(t, "the share of p ≤ 0.05 under the null", share, 0.05, 0.015)
}

// TestVerifyDiscoveries draws organisations of which most teams are dealt out
// by lot and some are not, and counts how many of the verdicts are false.
func TestVerifyDiscoveries(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 0))
	rule := DefaultRule()
	falsely, called, planted, found := 0, 0, 0, 0
	for organisation := range 60 {
		const teams = 20
		var upper []float64
		var chances []Chance
		var hoovers []float64
		var uneven []bool
		for team := range teams {
			n, perHead := 5+random.IntN(6), 10+random.IntN(30)
			odds := ones(n)
			skewed := team < 4
			if skewed {
				odds[0], odds[1] = 3, 2
			}
			work := lots(random, odds, n*perHead)
			c, err := ByLot(fmt.Sprint(organisation, "/", team), work, ones(n), []Lot{{Weights: ones(n * perHead)}})
			if err != nil {
				t.Fatal(err)
			}
			s, err := Equal(work)
			if err != nil {
				t.Fatal(err)
			}
			upper, chances, hoovers, uneven = append(upper, c.Upper), append(chances, c), append(hoovers, s.Hoover()), append(uneven, skewed)
		}
		adjusted, err := BenjaminiHochberg(upper)
		if err != nil {
			t.Fatal(err)
		}
		for k := range uneven {
			is := rule.Judge(adjusted[k], 1, hoovers[k], chances[k].Hoover) == Uneven
			switch {
			case is && !uneven[k]:
				falsely++
			case is:
				found++
			}
			if is {
				called++
			}
			if uneven[k] {
				planted++
			}
		}
	}
	t.Logf("%d verdicts, %d of them false; %d of %d planted found", called, falsely, found, planted)
	if called == 0 || float64(falsely)/float64(called) > rule.Q {
		t.Errorf("%d of %d verdicts are false, more than q = %v", falsely, called, rule.Q)
	}
}

func lots(random *rand.Rand, odds []float64, units int) []float64 {
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

// TestVerifyPower reports how often one person with half as much again is seen.
func TestVerifyPower(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 0))
	for _, n := range []int{4, 6, 8, 12} {
		for _, perHead := range []int{5, 10, 20, 40, 80} {
			const teams = 100
			seen := 0
			for k := range teams {
				odds := ones(n)
				odds[0] = 1.5
				work := lots(random, odds, n*perHead)
				c, err := ByLot(fmt.Sprint(n, perHead, k), work, ones(n), []Lot{{Weights: ones(n * perHead)}})
				if err != nil {
					t.Fatal(err)
				}
				if c.Upper <= 0.05 {
					seen++
				}
			}
			power := float64(seen) / teams
			t.Logf("%2d people, %2d tickets a head: 1.5 × the load is seen in %3.0f %%", n, perHead, 100*power)
			if perHead == 80 && power < 0.5 || math.IsNaN(power) {
				t.Errorf("no power at %d people and %d tickets a head: %v", n, perHead, power)
			}
		}
	}
}
