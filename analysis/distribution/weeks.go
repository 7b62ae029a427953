package distribution

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Week is what people had to do in one week and how much of them was there, in the
// same order of people in every week. Who was not there has capacity 0.
type Week struct {
	Work, Capacity []float64
}

// MinWeeks is the fewest weeks that are resampled.
const MinWeeks = 8

// weekDraws is how often weeks are resampled: the error of a standard error is
// 1/√(2·999), 2 %.
const weekDraws = 999

// WeeksInterval is the Gini of these people over these weeks together, by who was
// there in each, and its two-sided interval of the given level (0.95), if the weeks had come out otherwise: the
// people stay, weeks are drawn with replacement (Efron 1979). With n weeks and SE
// the standard deviation of the Gini over 999 such draws it is
// G ± t·SE·sqrt(n/(n−1)), t of n−1 degrees, clipped to [0, 1]; the factor is since
// a sample of n deviates by that much less from itself than from where it came.
// It is an interval for what such a quarter shows on average, luck included, and
// takes weeks as independent: where work lasts for many of them it is too short.
//
// Draws come from PCG, whose state is the first sixteen bytes of SHA-256(seed): the
// same weeks with people in any order give the same bits. NaN under [MinWeeks]
// weeks, for fewer than two people, or without work; an error that wraps ErrInput
// for weeks of different people and what is no distribution.
func WeeksInterval(seed string, weeks []Week, level float64) (gini, low, high float64, err error) {
	if len(weeks) == 0 {
		return nan, nan, nan, nil
	}
	people := len(weeks[0].Work)
	for k, w := range weeks {
		if len(w.Work) != people || len(w.Capacity) != people {
			return nan, nan, nan, fmt.Errorf("%w: week %d is of other people than the first", ErrInput, k)
		}
		if _, err := Weighted(w.Work, w.Capacity); err != nil {
			return nan, nan, nan, fmt.Errorf("week %d: %w", k, err)
		}
	}
	all, err := together(weeks)
	if err != nil || all.People() < 2 || all.empty() || len(weeks) < MinWeeks || !(level > 0 && level < 1) {
		return nan, nan, nan, err
	}
	days := calendarOf(weeks)
	key := sha256.Sum256([]byte(seed))
	random := rand.New(rand.NewPCG(binary.BigEndian.Uint64(key[:8]), binary.BigEndian.Uint64(key[8:16])))
	draws := make([]float64, 0, weekDraws)
	for range weekDraws {
		if x := days.draw(random); Defined(x) { // else only weeks without work
			draws = append(draws, x)
		}
	}
	var mean, squares sum
	for _, x := range draws {
		mean.add(x / float64(len(draws)))
	}
	for _, x := range draws {
		squares.add((x - mean.value()) * (x - mean.value()))
	}
	n := float64(len(weeks))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.5 + level/2)
	half := t * math.Sqrt(squares.value()/float64(len(draws)-1)*n/(n-1))
	gini = all.Gini()
	return gini, clip(gini-half, 0, 1), clip(gini+half, 0, 1), nil
}

// together is the sample of all weeks.
func together(weeks []Week) (Sample, error) {
	work, capacity := make([]sum, len(weeks[0].Work)), make([]sum, len(weeks[0].Work))
	for _, w := range weeks {
		for i := range work {
			work[i].add(w.Work[i])
			capacity[i].add(w.Capacity[i])
		}
	}
	x, c := make([]float64, len(work)), make([]float64, len(work))
	for i := range work {
		x[i], c[i] = work[i].value(), capacity[i].value()
	}
	return Weighted(x, c)
}

// calendar is weeks to draw from, of people in an order that does not depend on
// the one they are given in, with work and capacity of at most 1 a week.
type calendar struct {
	weeks          [][]one
	work, capacity []float64
}

// one is a person's week.
type one struct{ work, capacity float64 }

func calendarOf(weeks []Week) *calendar {
	people := make([][]one, len(weeks[0].Work))
	var mostWork, mostCapacity float64
	for _, w := range weeks {
		mostWork, mostCapacity = max(mostWork, slices.Max(w.Work)), max(mostCapacity, slices.Max(w.Capacity))
	}
	for i := range people {
		for _, w := range weeks {
			people[i] = append(people[i], one{w.Work[i] / mostWork, w.Capacity[i] / mostCapacity})
		}
	}
	slices.SortFunc(people, func(a, b []one) int {
		return slices.CompareFunc(a, b, func(x, y one) int { return cmp.Or(cmp.Compare(x.work, y.work), cmp.Compare(x.capacity, y.capacity)) })
	})
	c := &calendar{weeks: make([][]one, len(weeks)), work: make([]float64, len(people)), capacity: make([]float64, len(people))}
	for k := range weeks {
		for _, p := range people {
			c.weeks[k] = append(c.weeks[k], p[k])
		}
	}
	return c
}

// draw is the Gini of as many weeks, drawn with replacement.
func (c *calendar) draw(random *rand.Rand) float64 {
	clear(c.work)
	clear(c.capacity)
	for range c.weeks {
		for i, p := range c.weeks[random.IntN(len(c.weeks))] {
			c.work[i] += p.work
			c.capacity[i] += p.capacity
		}
	}
	var work, capacity, cross float64
	for i, w := range c.work {
		if c.capacity[i] == 0 {
			continue // was not there in any of them
		}
		work += w
		capacity += c.capacity[i]
		for j, v := range c.work[:i] {
			if c.capacity[j] > 0 {
				cross += math.Abs(c.capacity[j]*w - c.capacity[i]*v)
			}
		}
	}
	return cross / work / capacity
}
