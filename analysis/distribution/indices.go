package distribution

import "math"

var nan = math.NaN()

// Gini is the Gini coefficient, weighted by capacity: half the mean absolute
// difference of relative loads. 0 is even; 1−p_i when person i does all.
func (s Sample) Gini() float64 {
	if s.empty() {
		return nan
	}
	return clip(s.crossSum()/s.total/s.cap, 0, 1)
}

// crossSum is Σ_{i<j} (c_i W_j − c_j W_i) over people in ascending order of
// relative load: no term is negative, and with whole numbers none is rounded.
func (s Sample) crossSum() float64 {
	var cross, work, capacity sum
	for _, p := range s.people {
		cross.add(p.work*capacity.value() - p.cap*work.value())
		work.add(p.work)
		capacity.add(p.cap)
	}
	return cross.value()
}

// GiniCorrected is the Gini coefficient over its greatest possible mean under
// exchange, G/(1−Σp²), which is G·n/(n−1) for equal capacities. Undefined for
// one person. Only for comparing teams of different size.
func (s Sample) GiniCorrected() float64 {
	if s.empty() || len(s.people) < 2 {
		return nan
	}
	return s.Gini() / s.spread()
}

// spread is 1−Σp², as Σ p(1−p), which does not cancel.
func (s Sample) spread() float64 {
	var t sum
	for _, p := range s.people {
		t.add(p.cap * (s.cap - p.cap))
	}
	return t.value() / s.cap / s.cap
}

// Hoover is the share of the work that would have to move for every person to
// hold as much as their capacity: ½ Σ|s − p|.
func (s Sample) Hoover() float64 {
	if s.empty() {
		return nan
	}
	var t sum
	for _, p := range s.people {
		t.add(math.Abs(p.work*s.cap - p.cap*s.total))
	}
	return clip(t.value()/s.total/s.cap/2, 0, 1)
}

// TheilT is Theil's first index, Σ s ln(s/p), 0 for an even spread and ln n
// when one of n equals does all. People without work count, with 0·ln 0 = 0.
func (s Sample) TheilT() float64 {
	if s.empty() {
		return nan
	}
	// Σ p (r ln r − r + 1) is the same, as Σp(r−1) = 0, and no term is
	// negative.
	var t sum
	for _, p := range s.people {
		r := s.relative(p)
		if r == 0 {
			t.add(s.capShare(p))
			continue
		}
		t.add(s.capShare(p) * max(0, r*logOf(r)-(r-1)))
	}
	return max(0, t.value())
}

// MeanLogDeviation is Theil's second index, Σ p ln(p/s): +Inf as soon as one
// person has no work.
func (s Sample) MeanLogDeviation() float64 {
	if s.empty() {
		return nan
	}
	var t sum
	for _, p := range s.people {
		r := s.relative(p)
		if r == 0 {
			return math.Inf(1)
		}
		t.add(s.capShare(p) * max(0, (r-1)-logOf(r)))
	}
	return max(0, t.value())
}

// logOf is ln r, exact to the last digits where r is near 1.
func logOf(r float64) float64 {
	if r > 0.5 && r < 2 {
		return math.Log1p(r - 1)
	}
	return math.Log(r)
}

// Atkinson is Atkinson's index with aversion ε ≥ 0, the share of the work that
// could be saved at the same welfare if it were even: 0 is even. With ε ≥ 1 it
// is 1 as soon as one person has no work. A negative or NaN ε is undefined.
func (s Sample) Atkinson(epsilon float64) float64 {
	switch {
	case s.empty() || epsilon < 0 || math.IsNaN(epsilon):
		return nan
	case epsilon == 0:
		return 0
	case epsilon >= 1 && s.people[0].work == 0:
		return 1
	case math.IsInf(epsilon, 1):
		return clip(1-s.relative(s.people[0]), 0, 1)
	case epsilon == 1:
		return clip(-math.Expm1(-s.MeanLogDeviation()), 0, 1)
	}
	// ln Σ p r^a over a, with the greatest exponent taken out; where all
	// exponents are small, as ln(1 + Σ p (r^a − 1)), which holds near ε = 1.
	a := 1 - epsilon
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range s.people {
		e := a * logOf(s.relative(p))
		low, high = min(low, e), max(high, e)
	}
	var t sum
	var logMean float64
	if low > -0.5 && high < 0.5 {
		for _, p := range s.people {
			t.add(s.capShare(p) * math.Expm1(a*logOf(s.relative(p))))
		}
		logMean = math.Log1p(t.value())
	} else {
		for _, p := range s.people {
			t.add(s.capShare(p) * math.Exp(a*logOf(s.relative(p))-high))
		}
		logMean = high + math.Log(t.value())
	}
	return clip(-math.Expm1(logMean/a), 0, 1)
}

// HHI is the Herfindahl–Hirschman index of the shares of work, Σ s², between
// 1/n and 1 (not times 10,000).
func (s Sample) HHI() float64 {
	if s.empty() {
		return nan
	}
	var t sum
	for _, w := range s.work {
		t.add(w * w)
	}
	return clip(t.value()/s.total/s.total, 0, 1)
}

// HHINormalised is (H−1/n)/(1−1/n): 0 for equal shares, 1 when one does all.
// Undefined for one person.
func (s Sample) HHINormalised() float64 {
	n := float64(len(s.people))
	if s.empty() || n < 2 {
		return nan
	}
	return clip((s.HHI()*n-1)/(n-1), 0, 1)
}

// HHIOverCapacity is (H−Σp²)/(1−Σp²), at least 0: concentration beyond that of
// the capacities. Undefined for one person.
func (s Sample) HHIOverCapacity() float64 {
	if s.empty() || len(s.people) < 2 {
		return nan
	}
	spread := s.spread()
	return max(0, (s.HHI()-(1-spread))/spread)
}

// Effective is the effective number of people, 1/H.
func (s Sample) Effective() float64 { return 1 / s.HHI() }

// EffectiveShannon is the effective number of people by entropy,
// exp(−Σ s ln s).
func (s Sample) EffectiveShannon() float64 {
	if s.empty() {
		return nan
	}
	var t sum
	for _, w := range s.work {
		if w > 0 {
			share := w / s.total
			t.add(-share * math.Log(share))
		}
	}
	return math.Exp(max(0, t.value()))
}

// CV2 is the square of the coefficient of variation of relative loads,
// Σ(s−p)²/p, of the population (not the sample).
func (s Sample) CV2() float64 {
	if s.empty() {
		return nan
	}
	var t sum
	for _, p := range s.people {
		d := s.relative(p) - 1
		t.add(s.capShare(p) * d * d)
	}
	return t.value()
}

// Jain is Jain's fairness index, 1/(1+CV²): 1 is even, 1/n when one of n
// equals does all.
func (s Sample) Jain() float64 { return 1 / (1 + s.CV2()) }

// Rosenbluth is the Rosenbluth (Hall–Tideman) index of concentration,
// 1/(2Σ k·s_(k) − 1) with the largest share first. Capacities play no part.
func (s Sample) Rosenbluth() float64 {
	if s.empty() {
		return nan
	}
	var t sum
	for k, w := range s.work {
		t.add(float64(k+1) * w)
	}
	return clip(1/(2*t.value()/s.total-1), 0, 1)
}

// TopShare is the share of the work that the k people with the most hold; 1
// when there are no more than k. Undefined for k < 1.
func (s Sample) TopShare(k int) float64 {
	if s.empty() || k < 1 {
		return nan
	}
	if k >= len(s.work) {
		return 1
	}
	var t sum
	for _, w := range s.work[:k] {
		t.add(w)
	}
	return clip(t.value()/s.total, 0, 1)
}

// Lorenz is the share of the work held by the least loaded x of the capacity,
// 0 ≤ x ≤ 1, linear between people. Undefined for other x.
func (s Sample) Lorenz(x float64) float64 {
	if s.empty() || !(x >= 0 && x <= 1) {
		return nan
	}
	target := x * s.cap
	var work, capacity sum
	for _, p := range s.people {
		before := capacity.value()
		rest := target - before
		if rest <= s.cap*0x1p-45 {
			// Here but for rounding: a ratio over L must see its zeros.
			break
		}
		if rest < p.cap {
			work.add(p.work * (rest / p.cap))
			break
		}
		work.add(p.work)
		capacity.add(p.cap)
	}
	return clip(work.value()/s.total, 0, 1)
}

// Palma is the work of the most loaded tenth over that of the least loaded
// four tenths; +Inf when the latter have none. Not to be published under
// MinRatioPeople people.
func (s Sample) Palma() float64 { return (1 - s.Lorenz(0.9)) / s.Lorenz(0.4) }

// Ratio2020 is the work of the most loaded fifth over that of the least loaded
// fifth; +Inf when the latter have none. Not to be published under
// MinRatioPeople people.
func (s Sample) Ratio2020() float64 { return (1 - s.Lorenz(0.8)) / s.Lorenz(0.2) }

func clip(x, low, high float64) float64 {
	if x < low {
		return low
	}
	if x > high {
		return high
	}
	return x
}
