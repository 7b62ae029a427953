package rebalance

import (
	"cmp"
	"math"
	"slices"
)

// search solves the problem of any weights by iterative deepening; if that ends
// without a plan, greedily.
func (p *problem) search(maxNodes int, impossible bool) solution {
	s := newSearcher(p, maxNodes)
	bound, possible := 0, false
	if !impossible {
		if bound, possible = s.deepen(); s.best != nil {
			return solution{holder: s.best, status: Minimal, atLeast: s.given + bound, tiesProven: !s.exhausted, nodes: s.nodes}
		}
	}
	holder, within := p.greedy()
	found := solution{holder: holder, status: NotFound, nodes: s.nodes}
	switch {
	case !possible:
		found.status = Impossible
		relaxed := newSearcher(p.relaxed(), max(1, maxNodes-s.nodes))
		relaxed.deepen()
		found.nodes += relaxed.nodes
		if relaxed.best != nil && p.lesser(relaxed.best, holder) {
			found.holder = relaxed.best
		}
	case within:
		found.status, found.atLeast = NotProven, s.given+bound
		if p.moves(holder) == found.atLeast {
			found.status = Minimal
		}
	}
	return found
}

// deepen searches with as few moves as possible, then with one more, and so on,
// until it has the best plan of that number. Without one, possible is false when
// there is none, and bound is the least number of moves that is not ruled out.
func (s *searcher) deepen() (bound int, possible bool) {
	bound, possible = s.bound()
	for s.depth = bound; possible && !s.exhausted && s.best == nil; s.depth++ {
		bound, s.cut = s.depth, false
		s.node()
		// Where no branch ended for want of moves, more of them do not help.
		possible = s.best != nil || s.cut || s.exhausted
	}
	return bound, possible
}

// relaxed is the problem with limits that single people can be brought within:
// whoever has a ticket over everybody's limit keeps it, as they do what nobody
// else is eligible for.
func (p *problem) relaxed() *problem {
	r, pinned := *p, make([]int64, len(p.people))
	for _, t := range p.tickets {
		if t.owner >= 0 && (len(t.eligible) < 2 || !p.fits(t)) {
			pinned[t.owner] += t.weight
		}
	}
	r.limit = slices.Clone(p.limit)
	for k := range r.limit {
		r.limit[k] = max(r.limit[k], pinned[k])
	}
	return &r
}

// fits reports whether a ticket is within the limit of anybody who is eligible.
func (p *problem) fits(t item) bool {
	return slices.ContainsFunc(t.eligible, func(k int) bool { return t.weight <= p.limit[k] })
}

// lesser compares two best efforts: by the weight over the limits, then by moves,
// then by those in progress and those blocked.
func (p *problem) lesser(a, b []int) bool {
	rank := func(holder []int) [4]int64 {
		var r [4]int64
		for k, load := range p.loads(holder) {
			r[0] += max(0, load-p.limit[k])
		}
		for j, k := range holder {
			if t := &p.tickets[j]; k != t.owner {
				r[1]++
				if t.inProgress {
					r[2]++
				}
				if t.blocked {
					r[3]++
				}
			}
		}
		return r
	}
	x, y := rank(a), rank(b)
	return slices.Compare(x[:], y[:]) < 0
}

// moves is how many tickets are with another than their owner.
func (p *problem) moves(holder []int) int {
	n := 0
	for j, k := range holder {
		if k != p.tickets[j].owner {
			n++
		}
	}
	return n
}

// queue is the tickets of one person, or of nobody, that are not decided yet: the
// heaviest first, and of equals those whose move disturbs least.
type queue struct {
	tickets []int
	sums    []int64 // of the weights before
	next    int
}

type searcher struct {
	*problem
	queues []queue // the last is of what must be given to somebody
	given  int     // how many these are
	holder []int
	load   []int64
	chosen []int // the person that a decided ticket went to, −1 if it stayed

	depth    int // moves that are allowed, besides those given
	moved    int
	progress int // moved tickets in progress
	blocked  int

	cut       bool // a branch ended for want of moves
	nodes     int
	maxNodes  int
	exhausted bool

	best                      []int
	bestProgress, bestBlocked int
	bestLoads                 []float64 // relative, descending
	scratch                   []float64
}

func newSearcher(p *problem, maxNodes int) *searcher {
	n := len(p.people)
	s := &searcher{problem: p, queues: make([]queue, n+1), holder: p.start(), maxNodes: maxNodes, chosen: make([]int, len(p.tickets))}
	s.load = p.loads(s.holder)
	for j, t := range p.tickets {
		s.chosen[j] = -1
		switch {
		case t.stuck:
		case t.owner < 0:
			s.given++
			s.queues[n].tickets = append(s.queues[n].tickets, j)
		case len(t.eligible) > 1:
			s.queues[t.owner].tickets = append(s.queues[t.owner].tickets, j)
		}
	}
	for i := range s.queues {
		q := &s.queues[i]
		slices.SortFunc(q.tickets, func(a, b int) int {
			x, y := &p.tickets[a], &p.tickets[b]
			return cmp.Or(
				cmp.Compare(y.weight, x.weight), compareBool(x.inProgress, y.inProgress), compareBool(x.blocked, y.blocked),
				cmp.Compare(x.class, y.class), cmp.Compare(a, b),
			)
		})
		q.sums = make([]int64, 1, len(q.tickets)+1)
		for i, j := range q.tickets {
			q.sums = append(q.sums, q.sums[i]+p.tickets[j].weight)
		}
	}
	return s
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// shed is how many tickets a person must at least give away to come within their
// limit: their heaviest. ok is false when all that is undecided is not enough.
func (s *searcher) shed(k int) (n int, ok bool) {
	over := s.load[k] - s.limit[k]
	if over <= 0 {
		return 0, true
	}
	q := &s.queues[k]
	target := q.sums[q.next] + over
	i, _ := slices.BinarySearch(q.sums[q.next:], target)
	return i, q.next+i < len(q.sums)
}

// bound is how many moves are needed at least from here on, besides those given.
func (s *searcher) bound() (n int, ok bool) {
	for k := range s.people {
		m, ok := s.shed(k)
		if !ok {
			return 0, false
		}
		n += m
	}
	return n, true
}

// node searches what can follow on the decisions so far.
func (s *searcher) node() {
	if s.exhausted {
		return
	}
	if s.nodes++; s.nodes > s.maxNodes {
		s.exhausted = true
		return
	}
	need, ok := s.bound()
	if !ok {
		return
	}
	if s.moved+need > s.depth {
		s.cut = true
		return
	}
	pool := len(s.people)
	if s.best != nil && !s.better(s.moved+need == s.depth && s.queues[pool].next == len(s.queues[pool].tickets)) {
		return
	}
	from := pool
	if s.queues[pool].next == len(s.queues[pool].tickets) {
		if from = s.heaviest(); from < 0 {
			s.keep()
			return
		}
	}
	q := &s.queues[from]
	ticket, before := q.tickets[q.next], q.next
	// Of interchangeable tickets the first go, to people in their order.
	least := -1
	if before > 0 && s.same(q.tickets[before-1], ticket) {
		least = s.chosen[q.tickets[before-1]]
	}
	q.next++
	for _, k := range s.targets(ticket, from, least) {
		s.give(ticket, from, k)
		s.node()
		s.take(ticket, from, k)
	}
	if from != pool {
		for q.next < len(q.tickets) && s.same(q.tickets[q.next], ticket) {
			q.next++
		}
		s.node()
	}
	q.next = before
}

func (s *searcher) same(a, b int) bool { return s.tickets[a].class == s.tickets[b].class }

// heaviest is the person with the greatest relative load of those over the limit;
// −1 when there is none.
func (s *searcher) heaviest() int {
	best := -1
	for k := range s.people {
		if s.load[k] > s.limit[k] && (best < 0 || s.relative(k, s.load[k]) > s.relative(best, s.load[best])) {
			best = k
		}
	}
	return best
}

// targets are those to whom a ticket may go, the one who then has least first.
func (s *searcher) targets(ticket, from, least int) []int {
	t := &s.tickets[ticket]
	list := make([]int, 0, len(t.eligible))
	for _, k := range t.eligible {
		if k != from && k >= least {
			list = append(list, k)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int {
		return cmp.Compare(s.relative(a, s.load[a]+t.weight), s.relative(b, s.load[b]+t.weight))
	})
	return list
}

func (s *searcher) give(ticket, from, to int) {
	t := &s.tickets[ticket]
	s.holder[ticket], s.chosen[ticket] = to, to
	s.load[to] += t.weight
	if from == len(s.people) {
		return
	}
	s.load[from] -= t.weight
	s.moved++
	if t.inProgress {
		s.progress++
	}
	if t.blocked {
		s.blocked++
	}
}

func (s *searcher) take(ticket, from, to int) {
	t := &s.tickets[ticket]
	s.holder[ticket], s.chosen[ticket] = t.owner, -1
	s.load[to] -= t.weight
	if from == len(s.people) {
		return
	}
	s.load[from] += t.weight
	s.moved--
	if t.inProgress {
		s.progress--
	}
	if t.blocked {
		s.blocked--
	}
}

// better reports whether a plan from here on can still be better than the best.
// final says that only those over their limit can lose tickets, and that each
// loses no more than the fewest: then nobody can end with less than is assumed.
func (s *searcher) better(final bool) bool {
	if c := cmp.Or(cmp.Compare(s.progress, s.bestProgress), cmp.Compare(s.blocked, s.bestBlocked)); c != 0 || !final {
		return c <= 0
	}
	s.scratch = s.scratch[:0]
	for k, load := range s.load {
		if n, _ := s.shed(k); n > 0 {
			q := &s.queues[k]
			load -= q.sums[q.next+n] - q.sums[q.next]
		}
		s.scratch = append(s.scratch, s.relative(k, load))
	}
	descending(s.scratch)
	return slices.Compare(s.scratch, s.bestLoads) < 0
}

func descending(list []float64) {
	slices.SortFunc(list, func(a, b float64) int { return cmp.Compare(b, a) })
}

// keep takes a plan in which everybody is within the limit.
func (s *searcher) keep() {
	loads := make([]float64, len(s.people))
	for k, load := range s.load {
		loads[k] = s.relative(k, load)
	}
	descending(loads)
	if s.best != nil && cmp.Or(cmp.Compare(s.progress, s.bestProgress), cmp.Compare(s.blocked, s.bestBlocked), slices.Compare(loads, s.bestLoads)) >= 0 {
		return
	}
	s.best = slices.Clone(s.holder)
	s.bestProgress, s.bestBlocked, s.bestLoads = s.progress, s.blocked, loads
}

// greedy gives out what must be given, the heaviest first, to whom it brings
// least over the limit; then makes the move that lessens the weight over the
// limits most, as long as there is one; then takes back what was not needed.
// within says that everybody is within the limit.
func (p *problem) greedy() (holder []int, within bool) {
	holder = p.start()
	load := p.loads(holder)
	order := make([]int, 0, len(p.tickets))
	for j, t := range p.tickets {
		if !t.stuck {
			order = append(order, j)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.tickets[b].weight, p.tickets[a].weight) })

	// more is by how much a person's excess grows with so much more load.
	more := func(k int, weight int64) int64 {
		return max(0, load[k]+weight-p.limit[k]) - max(0, load[k]-p.limit[k])
	}
	for _, j := range order {
		t := &p.tickets[j]
		if t.owner >= 0 {
			continue
		}
		best := -1
		for _, k := range t.eligible {
			if best < 0 || cmp.Or(cmp.Compare(more(k, t.weight), more(best, t.weight)),
				cmp.Compare(p.relative(k, load[k]+t.weight), p.relative(best, load[best]+t.weight))) < 0 {
				best = k
			}
		}
		holder[j] = best
		load[best] += t.weight
	}
	for {
		best, to, gain, quiet, relative := -1, -1, int64(0), 0, math.Inf(1)
		for _, j := range order {
			t := &p.tickets[j]
			if t.owner < 0 || holder[j] != t.owner || load[t.owner] <= p.limit[t.owner] {
				continue
			}
			for _, k := range t.eligible {
				if k == t.owner {
					continue
				}
				g, d, r := -more(t.owner, -t.weight)-more(k, t.weight), p.disturbs(j), p.relative(k, load[k]+t.weight)
				if g > 0 && cmp.Or(cmp.Compare(gain, g), cmp.Compare(d, quiet), cmp.Compare(r, relative)) < 0 {
					best, to, gain, quiet, relative = j, k, g, d, r
				}
			}
		}
		if best < 0 {
			break
		}
		p.change(holder, load, best, to)
	}
	// What disturbs most goes back first.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.disturbs(b), p.disturbs(a)) })
	for _, j := range order {
		t := &p.tickets[j]
		if t.owner >= 0 && holder[j] != t.owner && more(t.owner, t.weight)+more(holder[j], -t.weight) <= 0 {
			p.change(holder, load, j, t.owner)
		}
	}
	within = true
	for k := range load {
		within = within && load[k] <= p.limit[k]
	}
	return holder, within
}

func (p *problem) change(holder []int, load []int64, ticket, to int) {
	load[holder[ticket]] -= p.tickets[ticket].weight
	load[to] += p.tickets[ticket].weight
	holder[ticket] = to
}

// disturbs orders tickets by how much a move of them does.
func (p *problem) disturbs(ticket int) int {
	d := 0
	if p.tickets[ticket].inProgress {
		d += 2
	}
	if p.tickets[ticket].blocked {
		d++
	}
	return d
}
