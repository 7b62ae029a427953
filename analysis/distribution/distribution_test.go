package distribution

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

func mustEqual(t testing.TB, work ...float64) Sample {
	t.Helper()
	s, err := Equal(work)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustWeighted(t testing.TB, work, capacity []float64) Sample {
	t.Helper()
	s, err := Weighted(work, capacity)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestByHand holds cases that can be followed with a pencil.
func TestByHand(t *testing.T) {
	inf := math.Inf(1)
	twoHalves := mustWeighted(t, []float64{6, 2}, []float64{1, 1})
	partTimer := mustWeighted(t, []float64{10, 5}, []float64{1, 0.5})
	idle := mustEqual(t, 0, 0, 0, 40)
	alone := mustEqual(t, 9)
	cases := []struct {
		name      string
		got, want float64
	}{
		// s = (3/4, 1/4), p = (1/2, 1/2), r = (3/2, 1/2).
		{"gini of 6 and 2", twoHalves.Gini(), 0.25},
		{"corrected gini of 6 and 2", twoHalves.GiniCorrected(), 0.5},
		{"hoover of 6 and 2", twoHalves.Hoover(), 0.25},
		{"hhi of 6 and 2", twoHalves.HHI(), 0.625},
		{"normalised hhi of 6 and 2", twoHalves.HHINormalised(), 0.25},
		{"hhi over capacity of 6 and 2", twoHalves.HHIOverCapacity(), 0.25},
		{"effective of 6 and 2", twoHalves.Effective(), 1.6},
		{"cv2 of 6 and 2", twoHalves.CV2(), 0.25},
		{"jain of 6 and 2", twoHalves.Jain(), 0.8},
		{"rosenbluth of 6 and 2", twoHalves.Rosenbluth(), 2.0 / 3},
		{"top share of 6 and 2", twoHalves.TopShare(1), 0.75},
		{"lorenz at a quarter of 6 and 2", twoHalves.Lorenz(0.25), 0.125},
		{"atkinson 2 of 6 and 2", twoHalves.Atkinson(2), 0.25}, // 1 − harmonic mean of r
		{"atkinson 0", twoHalves.Atkinson(0), 0},
		{"atkinson of infinite aversion", twoHalves.Atkinson(inf), 0.5},

		// Half the work on half the capacity is even, though shares differ.
		{"gini of a part-timer with half the work", partTimer.Gini(), 0},
		{"theil of a part-timer with half the work", partTimer.TheilT(), 0},
		{"hoover of a part-timer with half the work", partTimer.Hoover(), 0},
		{"hhi of a part-timer with half the work", partTimer.HHI(), 5.0 / 9},
		{"hhi over capacity of a part-timer with half the work", partTimer.HHIOverCapacity(), 0},

		{"gini when one of four does all", idle.Gini(), 0.75},
		{"theil when one of four does all", idle.TheilT(), math.Log(4)},
		{"mean log deviation with a zero", idle.MeanLogDeviation(), inf},
		{"atkinson 1 with a zero", idle.Atkinson(1), 1},
		{"atkinson ½ when one of four does all", idle.Atkinson(0.5), 0.75},
		{"palma with idle people", idle.Palma(), inf},

		{"gini of one", alone.Gini(), 0},
		{"corrected gini of one", alone.GiniCorrected(), nan},
		{"normalised hhi of one", alone.HHINormalised(), nan},
		{"hhi over capacity of one", alone.HHIOverCapacity(), nan},
		{"hhi of one", alone.HHI(), 1},

		{"top share of k over n", twoHalves.TopShare(5), 1},
		{"top share of none", twoHalves.TopShare(0), nan},
		{"lorenz outside", twoHalves.Lorenz(1.5), nan},
		{"lorenz at one", twoHalves.Lorenz(1), 1},
		{"atkinson of negative aversion", twoHalves.Atkinson(-1), nan},
	}
	for _, c := range cases {
		if math.IsNaN(c.want) != math.IsNaN(c.got) || (!math.IsNaN(c.want) && c.got != c.want && !(math.Abs(c.got-c.want) < 1e-15)) {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
}

func indices(s Sample) map[string]float64 {
	return map[string]float64{
		"gini": s.Gini(), "gini_corrected": s.GiniCorrected(), "hoover": s.Hoover(), "theil": s.TheilT(), "mld": s.MeanLogDeviation(),
		"atkinson_0.5": s.Atkinson(0.5), "atkinson_1": s.Atkinson(1), "atkinson_2": s.Atkinson(2),
		"hhi": s.HHI(), "hhi_normalised": s.HHINormalised(), "hhi_capacity": s.HHIOverCapacity(),
		"effective": s.Effective(), "effective_shannon": s.EffectiveShannon(), "cv2": s.CV2(), "jain": s.Jain(), "rosenbluth": s.Rosenbluth(),
		"top1": s.TopShare(1), "lorenz": s.Lorenz(0.4), "palma": s.Palma(), "2020": s.Ratio2020(), "excess": s.ExcessCV2(0.1),
		"jackknife": s.JackknifeGini(false).SE,
	}
}

func TestNobodyAndNoWorkAreUndefined(t *testing.T) {
	samples := map[string]Sample{
		"zero value":  {},
		"nobody":      mustEqual(t),
		"no work":     mustEqual(t, 0, 0, 0, 0),
		"no capacity": mustWeighted(t, []float64{3, 4}, []float64{0, 0}),
	}
	for name, s := range samples {
		for index, x := range indices(s) {
			if Defined(x) {
				t.Errorf("%s of %s is %v, want undefined", index, name, x)
			}
		}
	}
}

func TestPeopleWithoutCapacityAreApart(t *testing.T) {
	s := mustWeighted(t, []float64{6, 100, 2, 11}, []float64{1, 0, 1, 0})
	if s.People() != 2 || s.Total() != 8 || s.Capacity() != 2 || s.Gini() != 0.25 {
		t.Errorf("got %d people, %v work, %v capacity, gini %v; want 2, 8, 2, 0.25", s.People(), s.Total(), s.Capacity(), s.Gini())
	}
	if got, want := s.Apart(), (Apart{People: 2, Work: 111}); got != want {
		t.Errorf("apart is %+v, want %+v", got, want)
	}
}

func TestRefusedInput(t *testing.T) {
	cases := []struct {
		work, capacity []float64
		message        string
	}{
		{[]float64{1, -2}, []float64{1, 1}, "not a distribution: value 1 is -2"},
		{[]float64{math.NaN()}, []float64{1}, "not a distribution: value 0 is NaN"},
		{[]float64{math.Inf(1)}, []float64{1}, "not a distribution: value 0 is +Inf"},
		{[]float64{1}, []float64{-1}, "not a distribution: capacity 0 is -1"},
		{[]float64{1}, []float64{math.NaN()}, "not a distribution: capacity 0 is NaN"},
		{[]float64{1, 2}, []float64{1}, "not a distribution: 2 values and 1 capacities"},
		{[]float64{1, 2}, []float64{1, 1e-300}, "not a distribution: capacity 1 is 1e-300, too small beside the greatest, 1"},
	}
	for _, c := range cases {
		_, err := Weighted(c.work, c.capacity)
		if !errors.Is(err, ErrInput) || err.Error() != c.message {
			t.Errorf("Weighted(%v, %v): %v, want %q", c.work, c.capacity, err, c.message)
		}
	}
	if _, err := WeightsOf([]float64{1, -1}); !errors.Is(err, ErrInput) {
		t.Errorf("a negative weight: %v", err)
	}
	for _, h := range []float64{0, -1, 1.5} {
		if _, err := NewNull([]float64{1, 1}, h); !errors.Is(err, ErrInput) {
			t.Errorf("h = %v: %v", h, err)
		}
	}
}

func TestScaleOfInputDoesNotMatter(t *testing.T) {
	want := indices(mustEqual(t, 1, 2, 3, 10))
	for _, unit := range []float64{0x1p-1060, 0x1p-20, 0x1p1000} {
		got := indices(mustEqual(t, unit, 2*unit, 3*unit, 10*unit))
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s in units of %g is %v, want %v", name, unit, got[name], want[name])
			}
		}
	}
}

func TestChance(t *testing.T) {
	// METRICS: 8 people and 60 equal tickets give a mean Gini of 0.179.
	null, err := NewNull([]float64{1, 1, 1, 1, 1, 1, 1, 1}, 1.0/60)
	if err != nil {
		t.Fatal(err)
	}
	if g := null.Gini(); math.Abs(g-0.179) > 0.179*0.015 {
		t.Errorf("E[G] is %v, simulated 0.179", g)
	}
	if !null.Enough() {
		t.Error("60 tickets for 8 people are not enough")
	}
	few, err := NewNull([]float64{1, 1, 1, 1, 1, 1, 1, 1}, 1.0/39)
	if err != nil {
		t.Fatal(err)
	}
	if few.Enough() {
		t.Error("39 tickets for 8 people are enough")
	}
	// Two people, one ticket: all on one, always.
	one, err := NewNull([]float64{1, 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if one.HHI() != 1 || one.CV2() != 1 {
		t.Errorf("one ticket: E[HHI] %v, E[CV²] %v, want 1 and 1", one.HHI(), one.CV2())
	}
	if undefined, err := NewNull([]float64{1}, Weights{}.H()); err != nil || Defined(undefined.HHI()) || undefined.Enough() {
		t.Errorf("without tickets: %v, %v", undefined.HHI(), err)
	}
}

// TestExpectedGiniOfManyCapacities compares the sum over classes with the
// plain double sum.
func TestExpectedGiniOfManyCapacities(t *testing.T) {
	capacity := []float64{1, 1, 0.5, 0.8, 0.5, 1, 0.2}
	const h = 0.01
	null, err := NewNull(capacity, h)
	if err != nil {
		t.Fatal(err)
	}
	var plain float64
	for i, a := range capacity {
		for j, b := range capacity {
			if i != j {
				plain += math.Sqrt(a / 5 * b / 5 * (a + b) / 5)
			}
		}
	}
	plain *= math.Sqrt(h / 2 / math.Pi)
	if math.Abs(plain-null.Gini()) > 1e-14 {
		t.Errorf("got %v, want %v", null.Gini(), plain)
	}
}

func TestBinomialUpperTail(t *testing.T) {
	choose := func(n, k int) float64 {
		c := 1.0
		for i := range k {
			c = c * float64(n-i) / float64(i+1)
		}
		return c
	}
	for _, n := range []int{1, 2, 10, 25} {
		for _, p := range []float64{0.05, 0.125, 0.5, 0.9} {
			tail := 0.0
			for k := n; k >= 0; k-- {
				tail += choose(n, k) * math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
				got := BinomialUpperTail(float64(k), float64(n), p)
				if math.Abs(got-tail) > 1e-12 {
					t.Errorf("P(X ≥ %d) of B(%d, %v) is %v, want %v", k, n, p, got, tail)
				}
			}
		}
	}
	for _, bad := range [][3]float64{{-1, 5, 0.5}, {6, 5, 0.5}, {1, 5, 1.5}, {1, 5, math.NaN()}} {
		if x := BinomialUpperTail(bad[0], bad[1], bad[2]); Defined(x) {
			t.Errorf("BinomialUpperTail%v is %v, want undefined", bad, x)
		}
	}
	if z := ShareZ(0.25, 0.125, 0.1); math.Abs(z-0.125/math.Sqrt(0.1*0.125*0.875)) > 1e-15 {
		t.Errorf("z is %v", z)
	}
	if z := ShareZ(1, 1, 0.1); Defined(z) {
		t.Errorf("z of the only person is %v, want undefined", z)
	}
}

func TestInterval(t *testing.T) {
	e := Estimate{Value: 0.3, SE: 0.1, People: 8}
	low, high := e.Interval(0.95)
	// The 97.5th percentile of Student's t with 7 degrees is 2.364624.
	if math.Abs(low-(0.3-0.2364624)) > 1e-6 || math.Abs(high-(0.3+0.2364624)) > 1e-6 {
		t.Errorf("interval is [%v, %v]", low, high)
	}
	if low, high := mustEqual(t, 0, 0, 0, 40).JackknifeGini(true).Interval(0.95); Defined(low) || Defined(high) {
		t.Errorf("interval of an undefined error is [%v, %v]", low, high)
	}
	wide := Estimate{Value: 0.9, SE: 1, People: 3}
	if low, high := wide.Interval(0.95); low != 0 || high != 1 {
		t.Errorf("interval is [%v, %v], want it clipped to [0, 1]", low, high)
	}
}

func ExampleSample_Gini() {
	team, err := Weighted([]float64{12, 15, 9, 22}, []float64{1, 1, 0.5, 1})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.3f\n", team.Gini())
	// Output: 0.131
}
