package distribution

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Trend is whether a series goes up or down, whatever the shape. It is of the
// values in order at equal distances; what is no finite number is left out, and
// its place counts.
type Trend struct {
	S       int     // Mann–Kendall: pairs that rise less pairs that fall
	VarS    float64 // of S without trend, corrected for ties
	Z       float64 // (S ∓ 1)/√VarS
	PNormal float64 // two-sided, by Z
	P       float64 // two-sided: exact for at most 10 values without ties, else PNormal
	Exact   bool
	Slope   float64 // Sen's: the median of all pairwise slopes, a step
	TauB    float64 // Kendall's τ_b with time
}

// maxExact is the most values whose p value is exact.
const maxExact = 10

// TrendOf tests for a monotone trend (Mann 1945, Kendall 1975; Sen 1968).
// Everything is NaN under three values; P is 1 when all are equal.
func TrendOf(series []float64) Trend {
	type point struct{ at, value float64 }
	var points []point
	for i, x := range series {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			points = append(points, point{float64(i), x})
		}
	}
	n := len(points)
	if n < 3 {
		return Trend{VarS: nan, Z: nan, PNormal: nan, P: nan, Slope: nan, TauB: nan}
	}
	var t Trend
	var slopes []float64
	ties := 0.0 // pairs of equal values
	for j := range points {
		for i := range j {
			d := points[j].value - points[i].value
			slopes = append(slopes, d/(points[j].at-points[i].at))
			switch {
			case d > 0:
				t.S++
			case d < 0:
				t.S--
			default:
				ties++
			}
		}
	}
	pairs := float64(n * (n - 1) / 2)
	t.Slope = Median(slopes)
	values := make([]float64, n)
	for i, p := range points {
		values[i] = p.value
	}
	slices.Sort(values)
	f := float64(n)
	t.VarS = f * (f - 1) * (2*f + 5)
	for i := 0; i < n; {
		k := i
		for k < n && values[k] == values[i] {
			k++
		}
		g := float64(k - i)
		t.VarS -= g * (g - 1) * (2*g + 5)
		i = k
	}
	t.VarS /= 18
	t.TauB = nan
	if pairs > ties {
		t.TauB = float64(t.S) / math.Sqrt(pairs*(pairs-ties))
	}
	if t.VarS <= 0 {
		t.Z, t.PNormal, t.P = 0, 1, 1
		return t
	}
	switch {
	case t.S > 0:
		t.Z = float64(t.S-1) / math.Sqrt(t.VarS)
	case t.S < 0:
		t.Z = float64(t.S+1) / math.Sqrt(t.VarS)
	}
	t.PNormal = min(2*distuv.UnitNormal.Survival(math.Abs(t.Z)), 1)
	t.P = t.PNormal
	if n <= maxExact && ties == 0 {
		t.P, t.Exact = exactKendall(n, t.S), true
	}
	return t
}

// exactKendall is the probability of at least |s| over all orders of n values:
// the number of orders with k falling pairs is that of the coefficients of
// Π (1 + x + … + x^i).
func exactKendall(n, s int) float64 {
	ways := []float64{1}
	total := 1.0
	for i := 1; i < n; i++ {
		next := make([]float64, len(ways)+i)
		for k, w := range ways {
			for d := 0; d <= i; d++ {
				next[k+d] += w
			}
		}
		ways = next
		total *= float64(i + 1)
	}
	pairs := n * (n - 1) / 2
	var p float64
	for k, w := range ways {
		if at := pairs - 2*k; at >= abs(s) || at <= -abs(s) {
			p += w / total
		}
	}
	return min(p, 1)
}

func abs(x int) int {
	if x < 0 {
		return -x
	}
	return x
}
