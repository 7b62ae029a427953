package trust

import (
	"fmt"
	"math"
	"slices"
)

// Scale is a list of items with the same possible answers, whole numbers from
// Least to Most.
type Scale struct {
	Items       int
	Least, Most int
	Reversed    []int // items, counted from 1
}

// Edmondson is the scale of psychological safety of Edmondson 1999.
func Edmondson() Scale { return Scale{Items: 7, Least: 1, Most: 7, Reversed: []int{1, 3, 5}} }

// MinAnswered is how many items a person must have answered to count.
const MinAnswered = 5

// Skipped stands for an item without an answer.
const Skipped = math.MinInt

// Validate says what is wrong with a scale.
func (s Scale) Validate() error {
	switch {
	case s.Items < MinAnswered:
		return fmt.Errorf("a scale of %d items: give at least %d", s.Items, MinAnswered)
	case s.Least <= -1000 || s.Most >= 1000 || s.Least >= s.Most:
		return fmt.Errorf("a scale from %d to %d: give least under most, both within 1000 of 0", s.Least, s.Most)
	}
	for _, item := range s.Reversed {
		if item < 1 || item > s.Items {
			return fmt.Errorf("reversed item %d: give a number from 1 to %d", item, s.Items)
		}
	}
	return nil
}

// turned is the answers of a person with the reversed ones turned.
func (s Scale) turned(answers []int) ([]int, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if len(answers) != s.Items {
		return nil, fmt.Errorf("%w: %d answers to %d items", ErrInput, len(answers), s.Items)
	}
	out := slices.Clone(answers)
	for i, a := range answers {
		switch {
		case a == Skipped:
		case a < s.Least || a > s.Most:
			return nil, fmt.Errorf("%w: answer %d is %d, not from %d to %d", ErrInput, i+1, a, s.Least, s.Most)
		case slices.Contains(s.Reversed, i+1):
			out[i] = s.Least + s.Most - a
		}
	}
	return out, nil
}

// Person is the mean of a person's answers, in the unit of the scale; NaN with
// fewer than [MinAnswered].
func (s Scale) Person(answers []int) (float64, error) {
	turned, err := s.turned(answers)
	if err != nil {
		return 0, err
	}
	return meanOf(turned), nil
}

func meanOf(turned []int) float64 {
	sum, n := 0, 0
	for _, a := range turned {
		if a != Skipped {
			sum += a
			n++
		}
	}
	if n < MinAnswered {
		return math.NaN()
	}
	return float64(sum) / float64(n)
}

// Climate is what a team says, on a scale.
type Climate struct {
	Scale     Scale
	Mean      float64 // of the persons' means, from Least to Most
	People    int     // who answered enough
	Agreement float64 // r_wg(j), from 0 to 1
}

// MinAgreement is the agreement under which a mean is marked, or not shown.
const MinAgreement = 0.7

// Agreed reports whether the team agrees enough for its mean to mean something.
func (c Climate) Agreed() bool { return c.Agreement >= MinAgreement }

// Team is the mean and agreement of a team, a list of answers for each person. It
// returns ErrFew where fewer than [MinPeople] answered enough items.
func (s Scale) Team(people [][]int) (Climate, error) {
	c := Climate{Scale: s}
	var counted [][]int
	var means []float64
	for _, answers := range people {
		turned, err := s.turned(answers)
		if err != nil {
			return Climate{}, err
		}
		if mean := meanOf(turned); !math.IsNaN(mean) {
			counted = append(counted, turned)
			means = append(means, mean)
		}
	}
	if c.People = len(counted); c.People < MinPeople {
		return Climate{}, ErrFew
	}
	slices.Sort(means) // whoever is first
	for _, mean := range means {
		c.Mean += mean / float64(c.People)
	}

	options := float64(s.Most - s.Least + 1)
	var ratio, items float64 // s²/σ², summed over the items
	for i := range s.Items {
		var n, total, squares float64
		for _, answers := range counted {
			if answers[i] != Skipped {
				n++
				total += float64(answers[i])
				squares += float64(answers[i]) * float64(answers[i])
			}
		}
		if n > 1 {
			ratio += (squares - total*total/n) / (n - 1) / ((options*options - 1) / 12)
			items++
		}
	}
	ratio /= items
	if alike := items * (1 - ratio); alike > 0 {
		c.Agreement = alike / (alike + max(ratio, 0))
	}
	return c, nil
}
