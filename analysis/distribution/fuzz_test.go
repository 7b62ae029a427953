package distribution

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// FuzzByLot: whatever the numbers, an error, nothing defined, or probabilities and
// indices in their range and in their order.
func FuzzByLot(f *testing.F) {
	f.Add(1.0, 2.0, 5.0, 1.0, 1.0, 1.0, uint8(9), 1.0)
	f.Add(0.0, 0.0, 40.0, 1.0, 0.5, 0.0, uint8(40), 2.5)
	f.Add(1e308, 1e308, 1e-308, 1e308, 1.0, 1e-300, uint8(3), 1e308)
	f.Add(math.NaN(), 1.0, 1.0, 1.0, math.Inf(1), -1.0, uint8(255), 0.0)
	f.Add(3.0, 2.0, 1.0, 1.0, 1.0, 1.0, uint8(6), 5e-324)
	f.Fuzz(func(t *testing.T, a, b, c, x, y, z float64, units uint8, weight float64) {
		weights := slices.Repeat([]float64{weight}, int(units))
		if units > 4 {
			weights[0] *= 1.5
		}
		lots := []Lot{{Weights: weights}, {Weights: weights, Odds: []float64{x, 1, z}}}
		got, err := ByLot("fuzz", []float64{a, b, c}, []float64{x, y, z}, lots)
		if err != nil {
			if !errors.Is(err, ErrInput) {
				t.Fatal(err)
			}
			return
		}
		if !Defined(got.Upper) {
			if Defined(got.Gini) || Defined(got.GiniLow) || Defined(got.GiniHigh) || Defined(got.Hoover) || Defined(got.Lower) {
				t.Fatalf("%+v", got)
			}
			return
		}
		for _, pair := range [][2]float64{{0, got.GiniLow}, {got.GiniLow, got.GiniHigh}, {got.GiniHigh, 1}, {0, got.Gini}, {got.Gini, 1}, {0, got.Hoover}, {got.Hoover, 1}, {0, got.Upper}, {got.Upper, 1}, {0, got.Lower}, {got.Lower, 1}, {1, got.Upper + got.Lower + 1e-9}} {
			if !(pair[0] <= pair[1]) {
				t.Fatalf("%+v", got)
			}
		}
	})
}

// FuzzTrendOf: whatever the values, nothing defined or a p value in its range, the
// negated series has the negated trend, and no panic.
func FuzzTrendOf(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 4.0, 5.0)
	f.Add(math.NaN(), math.Inf(1), 3.0, 3.0, -5.0)
	f.Add(math.MaxFloat64, -math.MaxFloat64, 0.0, 5e-324, math.MaxFloat64)
	f.Fuzz(func(t *testing.T, a, b, c, d, e float64) {
		series := []float64{a, b, c, d, e, a}
		down := make([]float64, len(series))
		for i, x := range series {
			down[i] = -x
		}
		up, mirrored := TrendOf(series), TrendOf(down)
		if up.S != -mirrored.S || Defined(up.P) && up.P != mirrored.P || Defined(up.P) != Defined(mirrored.P) {
			t.Fatalf("%+v and mirrored %+v", up, mirrored)
		}
		if Defined(up.P) && (!(up.P >= 0 && up.P <= 1) || !(up.PNormal >= 0 && up.PNormal <= 1) || math.IsNaN(up.Z)) {
			t.Fatalf("%+v", up)
		}
		if Defined(up.TauB) && !(math.Abs(up.TauB) <= 1+1e-12) {
			t.Fatalf("%+v", up)
		}
		DefaultCusum().Sums(series)
		RobustZ(a, series)
	})
}

// TestPropertyAdjusted: adjusted p values are at least the raw ones, keep their
// order, and at any q reject what the definitions of the two procedures reject.
func TestPropertyAdjusted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64Range(0, 0.1), rapid.SampledFrom([]float64{0, 1, 0.05})), 1, 30).Draw(t, "p")
		q := rapid.Float64Range(0.001, 0.999).Draw(t, "q")
		m := float64(len(p))
		harmonic := 0.0
		for k := range p {
			harmonic += 1 / float64(k+1)
		}
		for name, c := range map[string]struct {
			adjust func([]float64) ([]float64, error)
			factor float64
		}{"BH": {BenjaminiHochberg, 1}, "BY": {BenjaminiYekutieli, harmonic}} {
			got, err := c.adjust(p)
			if err != nil {
				t.Fatal(err)
			}
			// The greatest k with p_(k) ≤ kq/(m·factor): the k least are rejected.
			sorted := slices.Sorted(slices.Values(p))
			limit := -1.0
			for k, x := range sorted {
				if x <= float64(k+1)*q/m/c.factor {
					limit = x
				}
			}
			for i := range p {
				if math.Abs(got[i]-q) < 1e-9 {
					continue // decided by rounding
				}
				if (got[i] <= q) != (p[i] <= limit) {
					t.Fatalf("%s at %v: %v of %v is adjusted to %v", name, q, p[i], p, got[i])
				}
				if got[i] < p[i]*(1-1e-12) || got[i] > 1 {
					t.Fatalf("%s: %v is adjusted to %v", name, p[i], got[i])
				}
			}
		}
	})
}

// TestPropertyOrderOfPeopleInTheLottery: who is named first changes no bit of the lottery.
func TestPropertyOrderOfPeopleInTheLottery(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPeople(t, 2)
		n := len(p.work)
		odds := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1, 0.5, 2}), n, n).Draw(t, "odds")
		odds[0] = 1
		units := rapid.SliceOfN(rapid.SampledFrom([]float64{1, 2, 3, 0.7}), 1, 40).Draw(t, "units")
		order := rapid.Permutation(indicesOf(n)).Draw(t, "order")
		var q people
		var mixed []float64
		for _, i := range order {
			q.work, q.capacity, mixed = append(q.work, p.work[i]), append(q.capacity, p.capacity[i]), append(mixed, odds[i])
		}
		draw := func(p people, odds []float64) Chance {
			table, err := newTable(p.work, p.capacity, []Lot{{Weights: units}, {Odds: odds, Weights: units}})
			if err != nil {
				t.Fatal(err)
			}
			return table.drawFrom(rand.NewPCG(1, 2), 50)
		}
		if one, other := draw(p, odds), draw(q, mixed); one != other {
			t.Fatalf("%+v in one order, %+v in another", one, other)
		}
	})
}

func indicesOf(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func BenchmarkJackknife(b *testing.B) {
	for _, n := range []int{8, 200, 10_000} {
		b.Run("people="+strconv.Itoa(n), func(b *testing.B) {
			work := make([]float64, n)
			for i := range work {
				work[i] = float64(i*7919%1000) + 1
			}
			s := mustEqual(b, work...)
			for b.Loop() {
				s.JackknifeGini(false)
			}
		})
	}
}

func BenchmarkTrend(b *testing.B) {
	for _, n := range []int{13, 52, 520} {
		b.Run("weeks="+strconv.Itoa(n), func(b *testing.B) {
			series := make([]float64, n)
			for i := range series {
				series[i] = float64(i * 7919 % 1000)
			}
			for b.Loop() {
				TrendOf(series)
			}
		})
	}
}

func BenchmarkDecompose(b *testing.B) {
	for _, teams := range []int{10, 1000} {
		b.Run("teams="+strconv.Itoa(teams), func(b *testing.B) {
			groups := make([]Sample, teams)
			for k := range groups {
				groups[k] = mustEqual(b, 1, 2, 3, float64(k), 5, 8)
			}
			for b.Loop() {
				Decompose(groups)
			}
		})
	}
}

func BenchmarkAdjust(b *testing.B) {
	p := make([]float64, 1000)
	for i := range p {
		p[i] = float64(i*7919%1000) / 1000
	}
	for b.Loop() {
		if _, err := BenjaminiHochberg(p); err != nil {
			b.Fatal(err)
		}
	}
}
