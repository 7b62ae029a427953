// Package rebalance finds the fewest tickets that must change hands for a team's
// load to be even within a tolerance. It suggests; a person decides. It is pure
// and deterministic: the same team, in any order, gives the same plan.
//
// # The problem
//
// W_i is the weight that person i holds, in tickets or in effort (typical tickets,
// see package effort), c_i their capacity in FTE, W and C the sums. Each ticket must
// be with one person who is eligible for it, and nobody may hold more than their
// limit,
//
//	W_i ≤ (1+τ)·c_i·W/C, τ = 0.15
//
// Loads are compared per capacity, r_i = (W_i/W)/(c_i/C): at least 0, 1 for an even
// share, and not defined without capacity or where W is 0. Who has no capacity may
// hold nothing that weighs anything.
//
// Of the plans that achieve this the best has, in this order, the fewest moves;
// the fewest moved tickets that are in progress; the fewest that are blocked; and
// the least unequal loads, by leximin: the greatest r as small as can be, then
// the next greatest, and so on. A ticket that nobody has must be given to
// somebody, and one whose owner is not eligible must be moved; these count as
// moves, though no plan can avoid them. Work that nobody can be given (it has no
// owner and nobody is eligible) is not part of W.
//
// # How it is solved
//
// Where all weights are equal it is a minimum cost flow with convex costs: people
// are nodes, and a path from one to another is a chain of tickets that are passed
// on. Successive shortest paths give the fewest moves, and then transfers along
// paths that cost nothing give the leximin (Ahuja, Magnanti & Orlin 1993, ch. 9
// and 14). Any number of tickets; always proven.
//
// With unequal weights the problem is NP-hard: it contains bin packing. It is
// searched exactly by iterative deepening on the number of moves (Korf 1985). In
// every partial plan somebody is over their limit, and must shed one of the
// tickets that they began with: so the search branches on whether the heaviest of
// these goes, and to whom. A branch ends when the moves left are fewer than the
// tickets that must still be shed, which are, for each person over the limit,
// their heaviest until they are within it. The number of nodes is capped. At the
// cap a greedy plan is given, and says that it is not proven minimal.
//
// Weights are compared exactly: inside they are integers, of a power of two between
// 2^-51 and 2^-50 of their sum, so that no order of summation matters, and a limit is
// met within 1e-12 of it. What weighs less than half of such a unit weighs nothing.
//
// # When it cannot be done
//
// A ticket heavier than any limit, or one that nobody is eligible for, makes a plan
// impossible, as may whole tickets alone: ten equal ones cannot be spread over
// eight people within 15 %. Then the plan says so, names the tickets and the people
// that are in the way, and is the best effort: equal weights are brought to the
// fewest tickets over the limits, with the fewest moves; with unequal ones it is
// the better of a greedy plan and of one in which whoever has what is too heavy, or
// what nobody else is eligible for, keeps it and sheds the rest.
//
// # How even it is
//
// Also reported, before and after, of the people with capacity: the Gini and the
// Hoover index of package distribution, from 0, which is even, to under 1, NaN where
// nobody holds anything; and whether the loads are envy-free up to one ticket,
//
//	(W_i − heaviest_i)/c_i ≤ W_k/c_k for all i, k
//
// that is, whether everybody, rid of their heaviest ticket, would have no more per
// capacity than anybody else (EF1 of Lipton et al. 2004 and Budish 2011, of work
// instead of goods as in Aziz et al. 2022, weighted as in Chakraborty et al. 2021).
//
// # References
//
//   - Ahuja, Magnanti & Orlin (1993): Network Flows. Prentice Hall.
//   - Aziz, Caragiannis, Igarashi & Walsh (2022): Fair allocation of indivisible
//     goods and chores. Autonomous Agents and Multi-Agent Systems 36.
//   - Budish (2011): The combinatorial assignment problem. Journal of Political
//     Economy 119.
//   - Chakraborty, Igarashi, Suksompong & Zick (2021): Weighted envy-freeness in
//     indivisible item allocation. ACM Transactions on Economics and Computation 9.
//   - Korf (1985): Depth-first iterative-deepening. Artificial Intelligence 27.
//   - Lipton, Markakis, Mossel & Saberi (2004): On approximately fair allocations of
//     indivisible goods. 5th ACM Conference on Electronic Commerce.
package rebalance

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Config bounds the plan and the search for it.
type Config struct {
	Tolerance float64 `yaml:"tolerance"` // τ, how far over an even share a person may be
	MaxNodes  int     `yaml:"max_nodes"` // of the search, for unequal weights
}

// DefaultConfig is a tolerance of 15 %. Its search takes half a second or less.
func DefaultConfig() Config { return Config{Tolerance: 0.15, MaxNodes: 300_000} }

// Validate names the key that is wrong and says what to do.
func (c Config) Validate() error {
	switch {
	case !(c.Tolerance >= 0 && c.Tolerance <= 10):
		return fmt.Errorf("tolerance is %g: give a number from 0 to 10", c.Tolerance)
	case c.MaxNodes < 1 || c.MaxNodes > 1_000_000_000:
		return fmt.Errorf("max_nodes is %d: give a number from 1 to 1000000000", c.MaxNodes)
	}
	return nil
}

// Person is a member of the team.
type Person struct {
	ID       string
	Capacity float64 // FTE that is there; 0 may hold nothing
}

// Ticket is an open ticket of the team, or of a member.
type Ticket struct {
	ID     string
	Weight float64 // 1, or its effort; 0 is possible
	Owner  string  // "" for nobody; somebody who is not of the team must give it up

	InProgress bool // somebody is at work on it: moving it disturbs most
	Blocked    bool

	// Eligible are those who may hold it. Its owner may keep it if they are
	// among them. Who is not of the team is passed over.
	Eligible []Candidate
}

// Candidate is a person who may hold a ticket.
type Candidate struct {
	Person string
	Why    string // in a few words: "resolved 12 in network"
}

// Status is what is known of a plan.
type Status string

// The statuses.
const (
	Minimal    Status = "minimal"    // everybody is within the limit, and no plan has fewer moves
	NotProven  Status = "not_proven" // everybody is within the limit; there may be a plan with fewer moves
	Impossible Status = "impossible" // no plan brings everybody within the limit; a best effort
	NotFound   Status = "not_found"  // none was found, there may be one; a best effort
)

// String says it in words.
func (s Status) String() string {
	switch s {
	case Minimal:
		return "proven minimal"
	case NotProven:
		return "not proven minimal"
	case Impossible:
		return "no plan can bring everybody within the limit: best effort"
	default:
		return "no plan was found that brings everybody within the limit: best effort"
	}
}

// Plan is what to move.
type Plan struct {
	Status Status
	Moves  []Move // by who gives, then by ticket; what nobody had comes first

	// AtLeast is how many moves any plan within the limits needs, as far as it
	// is proven: the number of Moves when Minimal, 0 where no plan is known.
	// TiesProven says that none of that number is less disruptive, or as little
	// and more even.
	AtLeast    int
	TiesProven bool

	Obstacles []Obstacle // why it is impossible, as far as single tickets are the reason
	Over      []string   // who is over the limit when it is carried out

	Before, After Fairness
	Nodes         int // of the search
}

// Move is one ticket that changes hands.
type Move struct {
	Ticket   string
	From, To string // From is "" for what nobody had
	Why      string // why To may hold it
	Weight   float64

	InProgress, Blocked bool
}

// Obstacle is a ticket that stands in the way.
type Obstacle struct {
	Ticket string
	Owner  string // who keeps it, or would; "" for nobody
	Says   string
}

// Fairness is how even loads are. Gini and Hoover are NaN where nobody holds
// anything.
type Fairness struct {
	Gini, Hoover float64
	EF1          bool
	People       []Load // by id
}

// Load is what one person holds.
type Load struct {
	Person   string
	Capacity float64
	Tickets  int
	Weight   float64
	Limit    float64 // on Weight
	Relative float64 // r; NaN without capacity, or where nobody holds anything
}

// ErrInput is wrapped by every refusal of a person or a ticket.
var ErrInput = errors.New("not a team's work")

// problem is the team's work in numbers.
type problem struct {
	people  []Person // by id
	tickets []item   // by id
	source  []Ticket

	capacity []float64
	limit    []int64
	unit     float64 // weight of 1
	total    int64
}

// item is a ticket: people are numbers, nobody is −1.
type item struct {
	weight   int64
	owner    int // who may keep it; −1 where somebody must be given it
	holder   int // who has it now and is of the team; −1 otherwise
	eligible []int
	why      []string
	class    int // tickets of one class and owner are interchangeable

	inProgress, blocked bool
	stuck               bool // nobody may hold it
}

// Solve finds a plan. The error is that of Validate, or wraps ErrInput: an id
// twice or empty, a weight or capacity that is negative or no number.
func (c Config) Solve(people []Person, tickets []Ticket) (Plan, error) {
	if err := c.Validate(); err != nil {
		return Plan{}, err
	}
	p, err := c.problem(people, tickets)
	if err != nil {
		return Plan{}, fmt.Errorf("rebalancing: %w", err)
	}
	obstacles := p.obstacles()
	var s solution
	if p.equal() {
		s = p.flow()
	} else {
		s = p.search(c.MaxNodes, len(obstacles) > 0)
	}
	return p.plan(s, obstacles), nil
}

func (c Config) problem(people []Person, tickets []Ticket) (*problem, error) {
	p := &problem{people: slices.Clone(people), source: slices.Clone(tickets)}
	slices.SortFunc(p.people, func(a, b Person) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(p.source, func(a, b Ticket) int { return cmp.Compare(a.ID, b.ID) })
	number := map[string]int{}
	fte := 0.0
	for i, person := range p.people {
		if _, again := number[person.ID]; again || person.ID == "" {
			return nil, fmt.Errorf("%w: a person's id is empty or there twice", ErrInput)
		}
		if !(person.Capacity >= 0 && person.Capacity <= greatest) {
			return nil, fmt.Errorf("%w: a capacity is %g", ErrInput, person.Capacity)
		}
		number[person.ID] = i
		p.capacity = append(p.capacity, person.Capacity)
		fte += person.Capacity
	}
	sum := 0.0
	for i, t := range p.source {
		if t.ID == "" || i > 0 && p.source[i-1].ID == t.ID {
			return nil, fmt.Errorf("%w: a ticket's id is empty or there twice", ErrInput)
		}
		if !(t.Weight >= 0 && t.Weight <= greatest) {
			return nil, fmt.Errorf("%w: a weight is %g", ErrInput, t.Weight)
		}
		sum += t.Weight
	}
	_, exponent := math.Frexp(sum)
	exponent -= fineness
	p.unit = math.Ldexp(1, exponent)

	classes := map[string]int{}
	for _, t := range p.source {
		it := item{
			weight: int64(math.Round(math.Ldexp(t.Weight, -exponent))), owner: -1, holder: -1,
			inProgress: t.InProgress, blocked: t.Blocked,
		}
		if k, ok := number[t.Owner]; ok {
			it.holder = k
		}
		candidates := slices.Clone(t.Eligible)
		slices.SortStableFunc(candidates, func(a, b Candidate) int { return cmp.Compare(a.Person, b.Person) })
		for _, who := range candidates {
			k, ok := number[who.Person]
			if !ok || len(it.eligible) > 0 && it.eligible[len(it.eligible)-1] == k {
				continue
			}
			it.eligible, it.why = append(it.eligible, k), append(it.why, who.Why)
			if k == it.holder {
				it.owner = k
			}
		}
		if it.stuck = len(it.eligible) == 0; it.stuck {
			it.owner = it.holder
		}
		if !it.stuck || it.owner >= 0 {
			p.total += it.weight
		}
		key := fmt.Sprint(it.weight, it.inProgress, it.blocked, it.eligible)
		if _, ok := classes[key]; !ok {
			classes[key] = len(classes)
		}
		it.class = classes[key]
		p.tickets = append(p.tickets, it)
	}
	for _, capacity := range p.capacity {
		limit := 0.0
		if fte > 0 {
			limit = (1 + c.Tolerance) * (capacity / fte) * float64(p.total) * (1 + 1e-12)
		}
		p.limit = append(p.limit, int64(limit))
	}
	return p, nil
}

const (
	fineness = 51    // bits of the sum of weights
	greatest = 1e100 // of a weight or capacity
)

// equal reports whether all tickets weigh the same, and that is something.
func (p *problem) equal() bool {
	weight := int64(-1)
	for _, t := range p.tickets {
		if weight >= 0 && t.weight != weight {
			return false
		}
		weight = t.weight
	}
	return weight != 0
}

// obstacles are the tickets by which alone a plan is impossible.
func (p *problem) obstacles() []Obstacle {
	var list []Obstacle
	for j, t := range p.tickets {
		o := Obstacle{Ticket: p.source[j].ID, Owner: p.source[j].Owner}
		switch {
		case t.stuck:
			o.Says = "nobody is eligible for it"
		case !p.fits(t):
			o.Says = "it alone is over the limit of everybody who is eligible"
		default:
			continue
		}
		list = append(list, o)
	}
	return list
}

// solution is who holds each ticket, −1 for nobody.
type solution struct {
	holder     []int
	status     Status
	atLeast    int
	tiesProven bool
	nodes      int
}

// start is who holds what before any plan: what must be given away is with
// nobody.
func (p *problem) start() []int {
	holder := make([]int, len(p.tickets))
	for j, t := range p.tickets {
		holder[j] = t.owner
	}
	return holder
}

// loads are the weights held.
func (p *problem) loads(holder []int) []int64 {
	load := make([]int64, len(p.people))
	for j, k := range holder {
		if k >= 0 {
			load[k] += p.tickets[j].weight
		}
	}
	return load
}

// relative is what leximin compares: load per capacity, in no unit. Without
// capacity it is greater than anybody's with, and still the less the better. The
// last bits are rounded off, so that 1/0.3 and 2/0.6 are the same.
func (p *problem) relative(k int, load int64) float64 {
	if load <= 0 {
		return 0
	}
	r := float64(load) * 1e200
	if c := p.capacity[k]; c > 0 {
		r = float64(load) / c
	}
	const noise = 1 << 10
	return math.Float64frombits((math.Float64bits(r) + noise/2) &^ (noise - 1))
}

func (p *problem) plan(s solution, obstacles []Obstacle) Plan {
	plan := Plan{Status: s.status, AtLeast: s.atLeast, TiesProven: s.tiesProven, Obstacles: obstacles, Nodes: s.nodes, Moves: []Move{}}
	now := make([]int, len(p.tickets))
	for j, t := range p.tickets {
		now[j] = t.holder
		to := s.holder[j]
		if to < 0 || to == t.owner {
			continue
		}
		i, _ := slices.BinarySearch(t.eligible, to)
		source := p.source[j]
		plan.Moves = append(plan.Moves, Move{
			Ticket: source.ID, From: source.Owner, To: p.people[to].ID, Why: t.why[i], Weight: source.Weight,
			InProgress: source.InProgress, Blocked: source.Blocked,
		})
	}
	slices.SortStableFunc(plan.Moves, func(a, b Move) int { return cmp.Compare(a.From, b.From) })
	after := p.loads(s.holder)
	for k, person := range p.people {
		if after[k] > p.limit[k] {
			plan.Over = append(plan.Over, person.ID)
		}
	}
	plan.Before, plan.After = p.fairness(now), p.fairness(s.holder)
	return plan
}
