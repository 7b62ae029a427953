package distribution

import (
	"math"
	"slices"
)

// MADScale makes the median absolute deviation of a normal distribution its
// standard deviation: 1/Φ⁻¹(¾), as it is usually rounded.
const MADScale = 1.4826

// MAD is the median absolute deviation from the median, in the unit of x, not
// scaled; NaN of nothing (Hampel 1974). The argument is left as it is.
func MAD(x []float64) float64 {
	middle := Median(x)
	off := make([]float64, len(x))
	for i, v := range x {
		off[i] = math.Abs(v - middle)
	}
	return Median(off)
}

// RobustZ is how many robust standard deviations x lies above what is usual,
// (x − median)/(1.4826·MAD); over 3.5 it is wild (Iglewicz and Hoaglin 1993).
// ±Inf when at least half of what is usual is one value and x another, NaN when
// x is that value or nothing is usual.
func RobustZ(x float64, usual []float64) float64 {
	return (x - Median(usual)) / (MADScale * MAD(usual))
}

// Median is the middle value, the mean of the two middle ones for an even
// number, NaN of none or if any is NaN. The argument is left as it is.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return nan
	}
	s := slices.Sorted(slices.Values(x))
	if math.IsNaN(s[0]) {
		return nan
	}
	k := len(s) / 2
	if len(s)%2 == 1 || s[k-1] == s[k] {
		return s[k]
	}
	return s[k-1]/2 + s[k]/2
}
