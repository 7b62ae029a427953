package distribution

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Cusum is the one-sided cumulative sum S_t = max(0, S_{t−1} + z_t − Allowance)
// of standardised values, with an alarm when it is over Limit (Page 1954). It sees
// a small shift that lasts, where a single value says nothing. Use it only at
// [MinTicketsPerHead] tickets a head or more: z of few tickets is skewed, and false
// alarms double.
type Cusum struct {
	Allowance float64 // half the shift to be seen, in standard deviations
	Limit     float64
}

// DefaultCusum has an allowance of ½ and a limit of 5: a false alarm once in 930
// steps on average, and a shift by one standard deviation seen after 10.
func DefaultCusum() Cusum { return Cusum{Allowance: 0.5, Limit: 5} }

// Sums is S_t for each value, and the place of the first alarm, −1 without one.
// A NaN value changes nothing: S_t is as before.
func (c Cusum) Sums(z []float64) (sums []float64, alarm int) {
	sums, alarm = make([]float64, len(z)), -1
	s := 0.0
	for i, x := range z {
		if !math.IsNaN(x) {
			s = max(0, s+x-c.Allowance)
		}
		if s > c.Limit && alarm < 0 {
			alarm = i
		}
		sums[i] = s
	}
	return sums, alarm
}

// runStates is into how many values S is divided for [Cusum.RunLength].
const runStates = 400

// RunLength is how many steps an alarm takes on average from S = 0, when values
// are normal with this mean and standard deviation 1: with shift 0 the time
// between false alarms. By the Markov chain of Brook and Evans (1972) with 400
// states, good to four digits. It refuses a limit that is not over 0 and other
// numbers that are none, and is +Inf where an alarm is as good as never.
func (c Cusum) RunLength(shift float64) (float64, error) {
	if !(c.Limit > 0) || math.IsInf(c.Limit, 0) || math.IsNaN(shift+c.Allowance) || math.IsInf(shift+c.Allowance, 0) {
		return nan, fmt.Errorf("%w: a cumulative sum with allowance %g, limit %g and shift %g", ErrInput, c.Allowance, c.Limit, shift)
	}
	// State 0 is S = 0, state i the middle of a cell; the last ends at the limit.
	width := 2 * c.Limit / (2*runStates - 1)
	below := func(from, to int) float64 {
		return distuv.UnitNormal.CDF((float64(to-from)+0.5)*width + c.Allowance - shift)
	}
	// (I − Q)·length = 1, by elimination. The diagonal of a substochastic matrix
	// dominates, so that no pivot is sought.
	rows := make([][]float64, runStates)
	for i := range rows {
		row := make([]float64, runStates+1)
		before := 0.0
		for j := range runStates {
			upTo := below(i, j)
			row[j] = before - upTo
			before = upTo
		}
		row[i]++
		row[runStates] = 1
		rows[i] = row
	}
	for k, pivot := range rows {
		if !(pivot[k] > 1e-14) {
			return math.Inf(1), nil
		}
		for _, row := range rows[k+1:] {
			f := row[k] / pivot[k]
			for j := k + 1; j <= runStates; j++ {
				row[j] -= f * pivot[j]
			}
		}
	}
	length := make([]float64, runStates)
	for k := runStates - 1; k >= 0; k-- {
		x := rows[k][runStates]
		for j := k + 1; j < runStates; j++ {
			x -= rows[k][j] * length[j]
		}
		length[k] = x / rows[k][k]
	}
	return length[0], nil
}
