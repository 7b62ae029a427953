package distribution

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// MinRatioPeople is the least number of people for which the Palma and 20:20
// ratios are published: under it their tenths and fifths hold nobody.
const MinRatioPeople = 10

// ErrInput is wrapped by every refusal of a value or a capacity.
var ErrInput = errors.New("not a distribution")

// Defined reports whether an index has a value; +Inf is one.
func Defined(x float64) bool { return !math.IsNaN(x) }

// Apart is what people without capacity hold: it is not part of the indices.
type Apart struct {
	People int
	Work   float64
}

// Sample is the work and capacity of a group of people. It is immutable and
// safe for concurrent use; the zero value is a group of nobody.
type Sample struct {
	people []person  // ascending by relative load
	work   []float64 // descending
	total  float64   // of work, in units of 2^workExp
	cap    float64   // of capacity, in units of the scaled capacities

	workExp int
	capExp  int
	apart   Apart
}

// person has work and capacity scaled by a power of two, so that no sum and no
// square leaves the range of float64 whatever the unit was.
type person struct {
	work, cap, relative float64
}

// minCapacityRatio bounds capacities from below, relative to the greatest, so
// that relative loads stay finite.
const minCapacityRatio = 0x1p-256

// Equal makes a sample of people with the same capacity.
func Equal(work []float64) (Sample, error) {
	capacity := make([]float64, len(work))
	for i := range capacity {
		capacity[i] = 1
	}
	return Weighted(work, capacity)
}

// Weighted makes a sample of people with a capacity each, in the order of
// work. It refuses lists of different length and negative, infinite or NaN
// numbers; the error wraps ErrInput and names the place.
func Weighted(work, capacity []float64) (Sample, error) {
	if len(work) != len(capacity) {
		return Sample{}, fmt.Errorf("%w: %d values and %d capacities", ErrInput, len(work), len(capacity))
	}
	var s Sample
	var maxWork, maxCap float64
	var apart sum
	for i := range work {
		if err := refuse("value", i, work[i]); err != nil {
			return Sample{}, err
		}
		if err := refuse("capacity", i, capacity[i]); err != nil {
			return Sample{}, err
		}
		if capacity[i] == 0 {
			s.apart.People++
			apart.add(work[i])
			continue
		}
		maxWork, maxCap = max(maxWork, work[i]), max(maxCap, capacity[i])
	}
	s.apart.Work = apart.value()
	_, s.workExp = math.Frexp(maxWork)
	_, s.capExp = math.Frexp(maxCap)

	s.people = make([]person, 0, len(work)-s.apart.People)
	s.work = make([]float64, 0, len(work)-s.apart.People)
	for i := range work {
		if capacity[i] == 0 {
			continue
		}
		p := person{work: math.Ldexp(work[i], -s.workExp), cap: math.Ldexp(capacity[i], -s.capExp)}
		if p.cap < minCapacityRatio {
			return Sample{}, fmt.Errorf("%w: capacity %d is %g, too small beside the greatest, %g", ErrInput, i, capacity[i], maxCap)
		}
		p.relative = p.work / p.cap
		s.people = append(s.people, p)
		s.work = append(s.work, p.work)
	}
	slices.SortFunc(s.people, func(a, b person) int {
		return cmp.Or(cmp.Compare(a.relative, b.relative), cmp.Compare(a.cap, b.cap), cmp.Compare(a.work, b.work))
	})
	slices.SortFunc(s.work, func(a, b float64) int { return cmp.Compare(b, a) })

	var totalWork, totalCap sum
	for _, p := range s.people {
		totalWork.add(p.work)
		totalCap.add(p.cap)
	}
	s.total, s.cap = totalWork.value(), totalCap.value()
	return s, nil
}

func refuse(what string, i int, x float64) error {
	if x < 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("%w: %s %d is %g", ErrInput, what, i, x)
	}
	return nil
}

// People is the number of people with capacity.
func (s Sample) People() int { return len(s.people) }

// Total is the work of the people with capacity, in the unit given.
func (s Sample) Total() float64 { return math.Ldexp(s.total, s.workExp) }

// Capacity is the sum of the capacities, in the unit given.
func (s Sample) Capacity() float64 { return math.Ldexp(s.cap, s.capExp) }

// Apart is what people without capacity hold.
func (s Sample) Apart() Apart { return s.apart }

// empty reports that no index is defined: there is nobody, or no work.
func (s Sample) empty() bool { return s.total == 0 }

// capShare and relative are p_i and r_i.
func (s Sample) capShare(p person) float64 { return p.cap / s.cap }
func (s Sample) relative(p person) float64 { return p.relative * (s.cap / s.total) }

// sum adds with the compensation of Neumaier (1974): the error does not grow
// with the number of terms.
type sum struct{ high, low float64 }

func (s *sum) add(x float64) {
	t := s.high + x
	if math.Abs(s.high) >= math.Abs(x) {
		s.low += (s.high - t) + x
	} else {
		s.low += (x - t) + s.high
	}
	s.high = t
}

func (s *sum) value() float64 {
	if math.IsInf(s.high, 0) {
		return s.high
	}
	return s.high + s.low
}
