package distribution

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// quarter draws weeks of people who have these means, each week a gamma around it.
func quarter(random *rand.Rand, means []float64, weeks int, shape int) []Week {
	list := make([]Week, weeks)
	for k := range list {
		for _, m := range means {
			x := 0.0
			for range shape {
				x += random.ExpFloat64() / float64(shape)
			}
			list[k].Work, list[k].Capacity = append(list[k].Work, m*x), append(list[k].Capacity, 1)
		}
	}
	return list
}

func giniOf(t testing.TB, weeks []Week) float64 {
	work, capacity := make([]float64, len(weeks[0].Work)), make([]float64, len(weeks[0].Work))
	for _, w := range weeks {
		for i := range work {
			work[i] += w.Work[i]
			capacity[i] += w.Capacity[i]
		}
	}
	return mustWeighted(t, work, capacity).Gini()
}

// weeksCoverage is how often the interval covers what quarters of these people
// have on average.
func weeksCoverage(t *testing.T, quarters int) {
	t.Helper()
	random := rand.New(rand.NewPCG(41, 1))
	for _, c := range []struct {
		name        string
		means       []float64
		weeks       int
		least, most float64
	}{
		{"six alike", ones(6), 13, 0.88, 1},
		{"one with double", []float64{2, 1, 1, 1, 1, 1}, 13, 0.88, 0.98},
		{"all apart", []float64{4, 3, 2, 1.5, 1, 0.5, 0.5, 0.2}, 13, 0.88, 0.98},
		{"all apart, eight weeks", []float64{4, 3, 2, 1.5, 1, 0.5, 0.5, 0.2}, 8, 0.88, 0.98},
	} {
		truth := 0.0
		for range 1000 {
			truth += giniOf(t, quarter(random, c.means, c.weeks, 3)) / 1000
		}
		covered := 0.0
		for k := range quarters {
			_, low, high, err := WeeksInterval(fmt.Sprint(k), quarter(random, c.means, c.weeks, 3), 0.95)
			if err != nil {
				t.Fatal(err)
			}
			if low <= truth && truth <= high {
				covered += 1 / float64(quarters)
			}
		}
		t.Logf("%-22s of %2d weeks: %.1f %%", c.name, c.weeks, 100*covered)
		if room := 3 * math.Sqrt(0.05/float64(quarters)); covered < c.least-room || covered > c.most+room {
			t.Errorf("%s: covered in %.3f", c.name, covered)
		}
	}
}

func TestWeeksCoverage(t *testing.T) { weeksCoverage(t, 25) }

func TestWeeksInterval(t *testing.T) {
	weeks := quarter(rand.New(rand.NewPCG(1, 1)), []float64{3, 1, 1, 2}, 13, 2)
	gini, low, high, err := WeeksInterval("a", weeks, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if g := giniOf(t, weeks); math.Abs(gini-g) > 1e-12 || !(0 < low && low < g && g < high && high < 1) {
		t.Errorf("%v is not in [%v, %v]", g, low, high)
	}
	// Another order of people, the same bits; another seed, other draws.
	mixed := slices.Clone(weeks)
	for k, w := range mixed {
		mixed[k] = Week{[]float64{w.Work[2], w.Work[0], w.Work[3], w.Work[1]}, w.Capacity}
	}
	if _, l, h, err := WeeksInterval("a", mixed, 0.95); l != low || h != high || err != nil {
		t.Errorf("[%v, %v] in one order, [%v, %v] in another (%v)", low, high, l, h, err)
	}
	if _, l, _, _ := WeeksInterval("b", weeks, 0.95); l == low || math.Abs(l-low) > 0.03 {
		t.Errorf("%v from one seed, %v from another", low, l)
	}
	// Half the width, by other draws: t of 7 degrees, and √(8/7).
	random, eight := rand.New(rand.NewPCG(2, 2)), weeks[:8]
	const draws = 15_000
	mean, squares := 0.0, 0.0
	for range draws {
		drawn := make([]Week, len(eight))
		for k := range drawn {
			drawn[k] = eight[random.IntN(len(eight))]
		}
		g := giniOf(t, drawn)
		mean += g / draws
		squares += g * g / draws
	}
	_, l8, h8, err := WeeksInterval("a", eight, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	want := 1.894578605 * math.Sqrt((squares-mean*mean)*8/7)
	within(t, "half the interval", (h8-l8)/2, want, 0.05*want)
	// Weeks that are all alike leave no doubt.
	if _, l, h, _ := WeeksInterval("a", slices.Repeat(weeks[:1], 13), 0.95); math.Abs(h-l) > 1e-9 || math.Abs(l-giniOf(t, weeks[:1])) > 1e-9 {
		t.Errorf("weeks alike: [%v, %v]", l, h)
	}
	for name, c := range map[string][]Week{
		"none":    nil,
		"seven":   weeks[:7],
		"one":     slices.Repeat([]Week{{ones(1), ones(1)}}, 13),
		"no work": slices.Repeat([]Week{{[]float64{0, 0}, ones(2)}}, 13),
		"nobody":  slices.Repeat([]Week{{}}, 13),
	} {
		if _, l, h, err := WeeksInterval("a", c, 0.95); err != nil || Defined(l) || Defined(h) {
			t.Errorf("%s: [%v, %v], %v", name, l, h, err)
		}
	}
	for name, c := range map[string][]Week{
		"other people": {{ones(2), ones(2)}, {ones(3), ones(3)}},
		"half a week":  {{ones(2), ones(1)}},
		"negative":     {{[]float64{1, -1}, ones(2)}},
		"endless":      {{[]float64{1, math.Inf(1)}, ones(2)}},
	} {
		if _, _, _, err := WeeksInterval("a", c, 0.95); !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkWeeksInterval(b *testing.B) {
	for _, people := range []int{8, 50} {
		b.Run(fmt.Sprint("people=", people), func(b *testing.B) {
			weeks := quarter(rand.New(rand.NewPCG(1, 1)), ones(people), 13, 2)
			for b.Loop() {
				if _, _, _, err := WeeksInterval("b", weeks, 0.95); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
