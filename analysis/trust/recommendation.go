package trust

import (
	"errors"
	"fmt"
	"math"
)

// MinPeople is the fewest people of whom anything is said.
const MinPeople = 5

// ErrFew means that fewer than [MinPeople] answered.
var ErrFew = errors.New("too few answered")

// ErrInput is wrapped by every refusal of an answer or a number of people.
var ErrInput = errors.New("not a survey's answer")

// Recommendation is the employee net promoter score of a team. All but the
// numbers of people are in points, from −100 to 100.
type Recommendation struct {
	Score float64 // 100(P − D)
	SE    float64 // plain, without the corrections of the interval

	Low, High   float64 // 95 % interval
	Least, Most float64 // what it can be at all, whatever the others would have said

	Answers, People int
}

// z95 makes a standard error half an interval of 95 %.
const z95 = 1.96

// Recommend computes the score of a team of so many people from the answers that
// came, each from 0 to 10. It returns ErrFew under [MinPeople] answers.
func Recommend(answers []int, people int) (Recommendation, error) {
	var promoters, detractors float64
	for i, a := range answers {
		switch {
		case a < 0 || a > 10:
			return Recommendation{}, fmt.Errorf("%w: answer %d is %d, not from 0 to 10", ErrInput, i, a)
		case a >= 9:
			promoters++
		case a <= 6:
			detractors++
		}
	}
	if people < len(answers) {
		return Recommendation{}, fmt.Errorf("%w: %d answers of %d people", ErrInput, len(answers), people)
	}
	if len(answers) < MinPeople {
		return Recommendation{}, ErrFew
	}
	n, all := float64(len(answers)), float64(people)
	p, d := promoters/n, detractors/n
	r := Recommendation{Score: 100 * (promoters - detractors) / n, SE: 100 * math.Sqrt(spread(p, d)/n), Answers: len(answers), People: people}

	p, d = (promoters+1)/(n+3), (detractors+1)/(n+3)
	half := 100 * z95 * math.Sqrt(spread(p, d)/(n+4)*(all-n)/(all-1))
	middle := 100 * (p - d)
	if people == len(answers) {
		middle = r.Score
	}
	r.Low, r.High = max(-100, middle-half), min(100, middle+half)

	rate := n / all
	r.Least, r.Most = rate*r.Score-100*(1-rate), rate*r.Score+100*(1-rate)
	return r, nil
}

// spread is the variance of one answer counted +1, 0 or −1.
func spread(p, d float64) float64 { return max(0, p+d-(p-d)*(p-d)) }

// DiffersFrom reports whether the score of another quarter is another one: their
// intervals have no point in common, and neither have their bounds.
func (r Recommendation) DiffersFrom(o Recommendation) bool {
	above := r.Low > o.High && r.Least > o.Most
	below := r.High < o.Low && r.Most < o.Least
	return above || below
}
