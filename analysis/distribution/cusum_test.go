package distribution

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func TestCusum(t *testing.T) {
	z := []float64{0.3, -0.2, 1.1, 0.8, math.NaN(), 1.6, 0.9, 1.7, 2.1, 0.4, 1.9}
	sums, alarm := DefaultCusum().Sums(z)
	for i, want := range []float64{0, 0, 0.6, 0.9, 0.9, 2, 2.4, 3.6, 5.2, 5.1, 6.5} {
		within(t, "S", sums[i], want, 1e-12)
	}
	if alarm != 8 {
		t.Errorf("alarm at %d, not 8", alarm)
	}
	if _, alarm := DefaultCusum().Sums(z[:8]); alarm != -1 {
		t.Errorf("alarm at %d before there is one", alarm)
	}
}

// Run lengths as printed by Brook and Evans (1972) and Lucas and Crosier (1982),
// and those of simulation.
func TestRunLengths(t *testing.T) {
	for _, c := range []struct {
		cusum             Cusum
		shift, want, room float64
	}{
		{Cusum{0.5, 4}, 0, 335.4, 0.1},
		{Cusum{0.5, 5}, 0, 930.9, 0.1},
		{DefaultCusum(), 1, 10.4, 0.05},
		{DefaultCusum(), 2, 4.01, 0.02},
	} {
		got, err := c.cusum.RunLength(c.shift)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "run length", got, c.want, c.room)
	}
	random := rand.New(rand.NewPCG(4, 4))
	for _, shift := range []float64{0.5, 1, 2} {
		const runs = 500
		mean, squares := 0.0, 0.0
		for range runs {
			s, steps := 0.0, 0.0
			for s <= 5 {
				s = max(0, s+random.NormFloat64()+shift-0.5)
				steps++
			}
			mean += steps / runs
			squares += steps * steps / runs
		}
		want, err := DefaultCusum().RunLength(shift)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "simulated run length", mean, want, 4*math.Sqrt((squares-mean*mean)/runs))
	}
}

func TestRunLengthEdges(t *testing.T) {
	for _, c := range []struct {
		cusum Cusum
		shift float64
	}{{Cusum{0.5, 0}, 0}, {Cusum{0.5, -1}, 0}, {Cusum{math.NaN(), 5}, 0}, {Cusum{0.5, math.Inf(1)}, 0}, {Cusum{0.5, 5}, math.Inf(-1)}} {
		if got, err := c.cusum.RunLength(c.shift); !errors.Is(err, ErrInput) || Defined(got) {
			t.Errorf("%+v: %v, %v", c, got, err)
		}
	}
	if got, err := (Cusum{0.5, 5}).RunLength(-40); err != nil || !math.IsInf(got, 1) {
		t.Errorf("never: %v, %v", got, err)
	}
	within(t, "at once", first(DefaultCusum().RunLength(40)), 1, 1e-9)
}

func first(x float64, err error) float64 {
	if err != nil {
		return nan
	}
	return x
}
