package rebalance

import (
	"cmp"
	"math"
)

// flow solves the problem of equal weights. A node is a person; one more, the
// last, is the pool of what must be given to somebody.
type flow struct {
	*problem
	holder []int
	count  []int // of tickets
	room   []int // the limit as a count
	base   int64 // of the cost of a move

	// edges from a node to another: the cheapest ticket to pass on, −1 for none.
	ticket [][]int
	cost   [][]int64
}

const unreachable = math.MaxInt64 / 4

func (p *problem) flow() solution {
	n := len(p.people)
	f := &flow{
		problem: p, holder: p.start(), count: make([]int, n+1), room: make([]int, n),
		base: int64(len(p.tickets)) + 1, ticket: make([][]int, n+1), cost: make([][]int64, n+1),
	}
	for i := range f.ticket {
		f.ticket[i], f.cost[i] = make([]int, n), make([]int64, n)
	}
	for k := range n {
		f.room[k] = len(p.tickets)
		if len(p.tickets) > 0 {
			f.room[k] = int(p.limit[k] / p.tickets[0].weight)
		}
	}
	given := 0 // to be
	for j := range f.holder {
		if p.tickets[j].stuck {
			if f.holder[j] >= 0 {
				f.count[f.holder[j]]++
			}
			continue
		}
		if f.holder[j] < 0 {
			given++
		}
		f.count[f.at(j)]++
	}

	// Each path takes one ticket off somebody who has too many. Costs are least
	// at the start, where nothing has moved, and stay least for what has moved.
	for f.augment(func(i int) bool { return i < n && f.count[i] > f.room[i] }, func(k int) bool { return f.count[k] < f.room[k] }) {
	}
	pool := func(i int) bool { return i == n }
	for range given {
		if !f.augment(pool, func(k int) bool { return f.count[k] < f.room[k] }) {
			f.augment(pool, func(int) bool { return true })
		}
	}
	f.even()

	s := solution{holder: f.holder, status: Minimal, atLeast: p.moves(f.holder), tiesProven: true}
	for _, t := range p.tickets {
		if t.stuck {
			s.status = Impossible
		}
	}
	for k := range n {
		if f.count[k] > f.room[k] {
			s.status = Impossible
		}
	}
	if s.status == Impossible {
		s.atLeast, s.tiesProven = 0, false
	}
	return s
}

func (f *flow) at(ticket int) int {
	if k := f.holder[ticket]; k >= 0 {
		return k
	}
	return len(f.people)
}

// price is what it costs that a person holds a ticket: moves first, then those in
// progress, then those blocked. What must move costs nothing.
func (f *flow) price(ticket, k int) int64 {
	t := &f.tickets[ticket]
	if t.owner < 0 || k == t.owner {
		return 0
	}
	price := f.base * f.base
	if t.inProgress {
		price += f.base
	}
	if t.blocked {
		price++
	}
	return price
}

// arrange finds the cheapest ticket for each edge, the first among equals.
func (f *flow) arrange() {
	for i := range f.ticket {
		for k := range f.ticket[i] {
			f.ticket[i][k], f.cost[i][k] = -1, unreachable
		}
	}
	for j := range f.tickets {
		if f.tickets[j].stuck {
			continue
		}
		i := f.at(j)
		here := int64(0)
		if i < len(f.people) {
			here = f.price(j, i)
		}
		for _, k := range f.tickets[j].eligible {
			if c := f.price(j, k) - here; k != i && c < f.cost[i][k] {
				f.ticket[i][k], f.cost[i][k] = j, c
			}
		}
	}
}

// paths are the cheapest from any of some nodes (Bellman & Ford: passing a ticket
// back to its owner has a negative cost).
func (f *flow) paths(from func(int) bool) (cost []int64, previous []int) {
	n := len(f.people)
	cost, previous = make([]int64, n+1), make([]int, n+1)
	for i := range cost {
		cost[i], previous[i] = unreachable, -1
		if from(i) {
			cost[i] = 0
		}
	}
	for range n + 1 {
		changed := false
		for i := range cost {
			if cost[i] == unreachable {
				continue
			}
			for k := range n {
				if f.ticket[i][k] < 0 {
					continue
				}
				if c := cost[i] + f.cost[i][k]; c < cost[k] {
					cost[k], previous[k], changed = c, i, true
				}
			}
		}
		if !changed {
			break
		}
	}
	return cost, previous
}

// augment passes one ticket on from a node along the cheapest path to a person;
// of people equally near to whom it leaves the least relative load.
func (f *flow) augment(from, to func(int) bool) bool {
	f.arrange()
	cost, previous := f.paths(from)
	best := -1
	for k := range f.people {
		if cost[k] == unreachable || from(k) || !to(k) {
			continue
		}
		if best < 0 || cost[k] < cost[best] || cost[k] == cost[best] && f.with(k, 1) < f.with(best, 1) {
			best = k
		}
	}
	if best < 0 {
		return false
	}
	f.pass(best, previous)
	return true
}

// with is the relative load of a person with so many more tickets.
func (f *flow) with(k, more int) float64 {
	return f.relative(k, int64(f.count[k]+more))
}

func (f *flow) pass(k int, previous []int) {
	f.count[k]++
	for previous[k] >= 0 {
		i := previous[k]
		f.holder[f.ticket[i][k]] = k
		k = i
	}
	f.count[k]--
}

// even makes loads leximin among the plans of the same cost, by transfers along
// paths that cost nothing as long as one betters them: leximin is a separable
// convex cost, for which no other change is needed. What is over the limit must
// not grow.
func (f *flow) even() {
	for {
		f.arrange()
		giver, taker := -1, -1
		var path []int
		for i := range f.people {
			if f.count[i] == 0 || giver >= 0 && f.with(i, 0) <= f.with(giver, 0) {
				continue
			}
			cost, previous := f.paths(func(k int) bool { return k == i })
			best := -1
			for k := range f.people {
				if k == i || cost[k] != 0 || !f.evener(i, k) || f.count[k] >= f.room[k] && f.count[i] <= f.room[i] {
					continue
				}
				if best < 0 || f.with(k, 1) < f.with(best, 1) {
					best = k
				}
			}
			if best >= 0 {
				giver, taker, path = i, best, previous
			}
		}
		if giver < 0 {
			return
		}
		f.pass(taker, path)
	}
}

// evener reports whether loads are less unequal by leximin once a ticket has gone
// from i to k: the greater of the two, then the lesser.
func (f *flow) evener(i, k int) bool {
	return cmp.Or(cmp.Compare(f.with(k, 1), f.with(i, 0)), cmp.Compare(f.with(i, -1), f.with(k, 0))) < 0
}
