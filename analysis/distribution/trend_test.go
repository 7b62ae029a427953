package distribution

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTrendOf(t *testing.T) {
	got := TrendOf([]float64{0.21, 0.24, 0.19, 0.27, 0.3, 0.26, 0.33, 0.35})
	if got.S != 20 || !got.Exact {
		t.Errorf("S is %d, exact %v", got.S, got.Exact)
	}
	within(t, "Var S", got.VarS, 65.3333333333, 5e-11)
	within(t, "Z", got.Z, 2.3506403817, 5e-11)
	within(t, "p", got.P, 0.0141369048, 5e-11)
	within(t, "slope", got.Slope, 0.02, 1e-12)
	within(t, "tau", got.TauB, 0.7142857143, 5e-11)

	for name, series := range map[string][]float64{"none": nil, "two": {1, 2}, "two that are known": {1, math.NaN(), 2}} {
		if got := TrendOf(series); Defined(got.P) || Defined(got.Slope) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	flat := TrendOf([]float64{1, 1, 1, 1})
	if flat.P != 1 || flat.Slope != 0 || Defined(flat.TauB) {
		t.Errorf("flat: %+v", flat)
	}
	// A gap counts as time: one a step, whatever is missing.
	within(t, "slope over a gap", TrendOf([]float64{1, 2, math.NaN(), 4, 5}).Slope, 1, 1e-12)
}

// The exact p value is the share of all orders, counted one by one.
func TestExactKendallCountsOrders(t *testing.T) {
	for n := 3; n <= 7; n++ {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i)
		}
		var all []int
		var permute func(k int)
		permute = func(k int) {
			if k == n {
				all = append(all, TrendOf(values).S)
				return
			}
			for i := k; i < n; i++ {
				values[k], values[i] = values[i], values[k]
				permute(k + 1)
				values[k], values[i] = values[i], values[k]
			}
		}
		permute(0)
		for _, s := range slices.Compact(slices.Sorted(slices.Values(all))) {
			reach := 0
			for _, other := range all {
				if abs(other) >= abs(s) {
					reach++
				}
			}
			within(t, "exact p", exactKendall(n, s), float64(reach)/float64(len(all)), 1e-12)
		}
	}
}

func TestAdjustedPValues(t *testing.T) {
	p := []float64{0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34, 0.341, 0.384, 0.569, 0.594, 0.696, 0.762, 0.94, 0.942, 0.975, 0.986}
	bh, err := BenjaminiHochberg(p)
	if err != nil {
		t.Fatal(err)
	}
	by, err := BenjaminiYekutieli(p)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.025, 0.1, 0.21, 0.21, 0.21, 0.25, 0.2642857143, 0.4910714286} {
		within(t, "BH", bh[i], want, 5e-11)
	}
	for i, want := range []float64{0.0953989544, 0.3815958178, 0.8013512173, 0.8013512173, 0.8013512173, 0.9539895444, 1} {
		within(t, "BY", by[i], want, 5e-11)
	}
	// The order of the tests makes no difference, and a NaN takes no part.
	shuffled := append(slices.Clone(p), math.NaN())
	order := rand.New(rand.NewPCG(1, 1)).Perm(len(shuffled))
	mixed := make([]float64, len(shuffled))
	for to, from := range order {
		mixed[to] = shuffled[from]
	}
	got, err := BenjaminiHochberg(mixed)
	if err != nil {
		t.Fatal(err)
	}
	for to, from := range order {
		if from == len(p) {
			if Defined(got[to]) {
				t.Error("NaN was adjusted")
			}
			continue
		}
		within(t, "BH of the shuffled", got[to], bh[from], 1e-15)
	}
	if _, err := BenjaminiHochberg([]float64{1.5}); err == nil {
		t.Error("1.5 is taken for a p value")
	}
}

func TestJudge(t *testing.T) {
	r := DefaultRule()
	for _, c := range []struct {
		upper, lower, hoover, chance float64
		want                         Judgement
	}{
		{0.01, 1, 0.35, 0.15, Uneven},
		{0.01, 1, 0.24, 0.15, WithinChance}, // beyond chance, and too little to matter
		{0.20, 0.8, 0.35, 0.15, WithinChance},
		{1, 0.01, 0.02, 0.15, Levelled},
		{math.NaN(), math.NaN(), 0.5, 0.1, NotJudged},
	} {
		if got := r.Judge(c.upper, c.lower, c.hoover, c.chance); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
