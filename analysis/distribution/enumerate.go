package distribution

import "math"

// outcomes is C(N+n−1, n−1): in how many ways N equal tickets can lie with n
// people. It stops counting above maxOutcomes.
func outcomes(tickets, people int) float64 {
	ways := 1.0
	for k := 1; k < people; k++ {
		ways = ways * float64(tickets+k) / float64(k)
		if ways > maxOutcomes {
			return ways
		}
	}
	return math.Round(ways)
}

// negligible is the probability under which an outcome is left out of an
// enumeration. All that are left out together have less than 1e-14.
const negligible = 1e-20

// enumeration walks all ways in which equal tickets can fall to people. People
// with the same probability are interchangeable: of the ways that differ only
// by who of them got what, one is visited, with the probability of all.
type enumeration struct {
	p      []float64 // equal ones side by side
	rest   []float64 // probability of this person among those not yet served
	place  []int     // in the run of equal probabilities, from 0
	length []float64 // runs still open multiply probabilities by at most this
	rows   [][]*row  // by person and tickets left
	counts []int
	visit  func(counts []int, probability float64)
}

// row holds the probabilities with which a person gets low, low+1, … of the
// tickets left.
type row struct {
	low int
	p   []float64
}

// enumerate visits all outcomes of so many equal tickets. The probabilities p
// sum to 1, and equal ones stand side by side.
func enumerate(p []float64, tickets int, visit func(counts []int, probability float64)) {
	n := len(p)
	e := &enumeration{p: p, rest: make([]float64, n), place: make([]int, n), length: make([]float64, n+1), rows: make([][]*row, n), counts: make([]int, n), visit: visit}
	var after float64
	e.length[n] = 1
	for i := n - 1; i >= 0; i-- {
		after += p[i]
		e.rest[i] = min(1, p[i]/after)
		e.rows[i] = make([]*row, tickets+1)
	}
	for i := 1; i < n; i++ {
		if p[i] == p[i-1] {
			e.place[i] = e.place[i-1] + 1
		}
	}
	for i := n - 1; i >= 0; i-- {
		e.length[i] = e.length[i+1] * float64(e.place[i]+1)
	}
	e.walk(0, tickets, 1, 1, 0)
}

// walk serves person i. probability is that of the counts so far, ways the
// number of arrangements they stand for, same how many people of this run, the
// last of them, have the same count.
func (e *enumeration) walk(i, left int, probability, ways float64, same int) {
	n := len(e.p)
	place := e.place[i]
	if place == 0 {
		same = 0
	}
	most := left
	if place > 0 {
		most = min(most, e.counts[i-1])
	}
	step := func(count int, q float64) {
		equal := 1
		if place > 0 && count == e.counts[i-1] {
			equal = same + 1
		}
		w := ways * float64(place+1) / float64(equal)
		if q *= probability; q*w*e.length[i+1] < negligible {
			return
		}
		e.counts[i] = count
		if i == n-1 {
			e.visit(e.counts, q*w)
			return
		}
		e.walk(i+1, left-count, q, w, equal)
	}
	if i == n-1 {
		if left <= most {
			step(left, 1)
		}
		return
	}
	r := e.rows[i][left]
	if r == nil {
		r = binomialRow(left, e.rest[i])
		e.rows[i][left] = r
	}
	// The others of the run get no more than this person.
	for k := min(most-r.low, len(r.p)-1); k >= 0; k-- {
		step(r.low+k, r.p[k])
	}
}

// binomialRow is the binomial distribution, from its mode outwards by the ratio
// of neighbours and normalised at the end, so that no factorial is needed.
func binomialRow(n int, p float64) *row {
	if p >= 1 {
		return &row{n, []float64{1}}
	}
	mode := min(n, int(float64(n+1)*p))
	odds := p / (1 - p)
	low := mode
	var down []float64
	for x := 1.0; low > 0; low-- {
		if x *= float64(low) / (float64(n-low+1) * odds); x < 1e-30 {
			break
		}
		down = append(down, x)
	}
	r := &row{low: mode - len(down), p: make([]float64, 0, 2*len(down)+1)}
	for i := len(down) - 1; i >= 0; i-- {
		r.p = append(r.p, down[i])
	}
	r.p = append(r.p, 1)
	x := 1.0
	for k := mode; k < n; k++ {
		if x *= float64(n-k) / float64(k+1) * odds; x < 1e-30 {
			break
		}
		r.p = append(r.p, x)
	}
	var total sum
	for _, x := range r.p {
		total.add(x)
	}
	for i := range r.p {
		r.p[i] /= total.value()
	}
	return r
}
