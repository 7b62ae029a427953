package rebalance

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func team(capacity ...float64) []Person {
	list := make([]Person, len(capacity))
	for i, c := range capacity {
		list[i] = Person{name(i), c}
	}
	return list
}

func name(i int) string { return string(rune('a' + i)) }

// all are the first n people, each for the same reason.
func all(n int) []Candidate {
	list := make([]Candidate, n)
	for i := range list {
		list[i] = Candidate{name(i), "knows it"}
	}
	return list
}

// held is tickets of one owner with these weights, which n people may hold.
func held(owner string, n int, weights ...float64) []Ticket {
	list := make([]Ticket, len(weights))
	for i, w := range weights {
		list[i] = Ticket{ID: fmt.Sprintf("T-%s%d", owner, i), Weight: w, Owner: owner, Eligible: all(n)}
	}
	return list
}

func solve(t *testing.T, people []Person, tickets []Ticket) Plan {
	t.Helper()
	plan, err := DefaultConfig().Solve(people, tickets)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func moves(p Plan) string {
	text := ""
	for _, m := range p.Moves {
		text += fmt.Sprintf("%s %s>%s;", m.Ticket, m.From, m.To)
	}
	return text
}

func TestPlan(t *testing.T) {
	ones := func(n int) []float64 { return slices.Repeat([]float64{1}, n) }
	busy := held("a", 2, 1, 1, 1, 1)
	busy[0].InProgress, busy[1].Blocked, busy[2].InProgress, busy[2].Blocked = true, true, true, true
	only := func(tickets []Ticket, who ...string) []Ticket {
		for i := range tickets {
			tickets[i].Eligible = nil
			for _, w := range who {
				tickets[i].Eligible = append(tickets[i].Eligible, Candidate{w, "knows it"})
			}
		}
		return tickets
	}
	for _, c := range []struct {
		name    string
		people  []Person
		tickets []Ticket
		status  Status
		moves   string
	}{
		{"nobody and nothing", nil, nil, Minimal, ""},
		{"nothing to do", team(1, 1), nil, Minimal, ""},
		{"even already", team(1, 1), slices.Concat(held("a", 2, 1, 1), held("b", 2, 1, 1)), Minimal, ""},
		{"within the tolerance", team(1, 1), slices.Concat(held("a", 2, ones(11)...), held("b", 2, ones(9)...)), Minimal, ""},
		{"one too many", team(1, 1), slices.Concat(held("a", 2, ones(4)...), held("b", 2, ones(2)...)), Minimal, "T-a0 a>b;"},
		{"the same with other weights", team(1, 1), slices.Concat(held("a", 2, 2, 2, 2, 2.1), held("b", 2, 2, 2)), Minimal, "T-a3 a>b;"},
		{"to part time as much as fits", team(1, 0.5), held("a", 2, ones(6)...), Minimal, "T-a0 a>b;T-a1 a>b;"},
		{"what is not at work goes first", team(1, 1), busy, Minimal, "T-a1 a>b;T-a3 a>b;"},
		{"a chain, as a and c share nothing", team(1, 1, 1),
			slices.Concat(only(held("a", 0, 1, 1, 1), "a", "b"), only(held("b", 0, 1, 1), "b", "c"), only(held("c", 0, 1), "c")), Minimal, "T-a0 a>b;T-b0 b>c;"},
		{"the same with other weights", team(1, 1, 1),
			slices.Concat(only(held("a", 0, 2, 2, 2), "a", "b"), only(held("b", 0, 2.01, 2), "b", "c"), only(held("c", 0, 2), "c")), Minimal, "T-a0 a>b;T-b0 b>c;"},
		{"who left keeps nothing", team(1, 0), slices.Concat(held("a", 2, 1), held("b", 2, 1)), Minimal, "T-b0 b>a;"},
		{"nor who is not of the team", team(1, 1), slices.Concat(held("a", 2, 1), held("zoe", 2, 1)), Minimal, "T-zoe0 zoe>b;"},
		{"nor who may not hold it", team(1, 1), slices.Concat(only(held("a", 0, 1), "b"), held("b", 2, 1)), Minimal, "T-a0 a>b;T-b0 b>a;"},
		{"what nobody has", team(1, 1), slices.Concat(held("a", 2, 1, 1), held("", 2, 1, 1)), Minimal, "T-0 >b;T-1 >b;"},
		{"what nobody has, with other weights", team(1, 1), slices.Concat(held("a", 2, 3), held("", 2, 2, 1)), Minimal, "T-0 >b;T-1 >b;"},
		{"one heavy ticket instead of many", team(1, 1), slices.Concat(held("a", 2, 5, 1, 1, 1, 1, 1), held("b", 2, 0)), Minimal, "T-a0 a>b;"},
		{"tickets without weight stay", team(1, 1), slices.Concat(held("a", 2, 0, 0, 0, 0), held("b", 2, 1), held("a", 1, 1)), Minimal, ""},
		{"one huge ticket", team(1, 1), slices.Concat(held("a", 2, 10), held("b", 2, 1)), Impossible, ""},
		{"one huge ticket and others", team(1, 1), held("a", 2, 10, 1, 1), Impossible, "T-a0 a>b;"},
		{"nobody is eligible", team(1, 1), slices.Concat(only(held("a", 0, 1, 1)), held("b", 2, 1, 1), only(held("", 0, 5))), Impossible, ""},
		{"whole tickets alone", team(1, 1), held("a", 2, 1, 1, 1), Impossible, "T-a0 a>b;"},
		{"nobody is there", team(0, 0), held("a", 2, 1), Impossible, ""},
		{"nobody is there for what nobody has", team(0, 0), held("", 2, 1), Impossible, "T-0 >a;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "tickets without weight stay" {
				c.tickets[len(c.tickets)-1].ID = "T-z"
			}
			p := solve(t, c.people, c.tickets)
			if p.Status != c.status || moves(p) != c.moves {
				t.Errorf("%s: %s, want %s: %s", p.Status, moves(p), c.status, c.moves)
			}
			if (len(p.Over) > 0 || len(p.Obstacles) > 0) != (c.status == Impossible) {
				t.Errorf("over the limit: %v, in the way: %v", p.Over, p.Obstacles)
			}
			if p.Status == Minimal && p.AtLeast != len(p.Moves) {
				t.Errorf("at least %d moves", p.AtLeast)
			}
		})
	}
}

func TestObstacles(t *testing.T) {
	tickets := slices.Concat(held("a", 2, 10), held("b", 2, 1), held("", 0, 1))
	p := solve(t, team(1, 1), tickets)
	want := []Obstacle{{"T-0", "", "nobody is eligible for it"}, {"T-a0", "a", "it alone is over the limit of everybody who is eligible"}}
	if !reflect.DeepEqual(p.Obstacles, want) || !slices.Equal(p.Over, []string{"a"}) {
		t.Errorf("in the way: %v; over the limit: %v", p.Obstacles, p.Over)
	}
}

func TestFairness(t *testing.T) {
	p := solve(t, team(1, 1, 0.5), slices.Concat(held("a", 3, 1, 1, 1, 1, 1, 1, 1), held("b", 3, 1), held("", 3, 1, 1)))
	if got := moves(p); got != "T-0 >b;T-1 >c;T-a0 a>b;T-a1 a>b;T-a2 a>c;" && len(p.Moves) != 5 {
		t.Errorf("moves: %s", got)
	}
	b, a := p.Before, p.After
	if b.People[0].Weight != 7 || b.People[0].Tickets != 7 || math.Abs(b.People[0].Relative-(7./8)/(1/2.5)) > 1e-12 || b.EF1 {
		t.Errorf("before: %+v", b)
	}
	if a.People[0].Weight != 4 || a.People[2].Weight != 2 || math.Abs(a.Gini) > 1e-12 || math.Abs(a.Hoover) > 1e-12 || !a.EF1 {
		t.Errorf("after: %+v", a)
	}
	if math.Abs(a.People[0].Limit-4.6) > 1e-9 || p.Moves[0].Why != "knows it" {
		t.Errorf("limit %v, why %q", a.People[0].Limit, p.Moves[0].Why)
	}
}

func TestEF1(t *testing.T) {
	for _, c := range []struct {
		people  []Person
		tickets []Ticket
		want    bool
	}{
		{team(1, 1), held("a", 2, 5), true},
		{team(1, 1), held("a", 2, 5, 1), false},
		{team(1, 1), slices.Concat(held("a", 2, 5, 1), held("b", 2, 1)), true},
		{team(1, 0.5), slices.Concat(held("a", 2, 1, 1, 1), held("b", 2, 1)), true},
		{team(0.5, 1), slices.Concat(held("a", 2, 1, 1, 1), held("b", 2, 1)), false},
		{team(0, 1), slices.Concat(held("a", 2, 1, 1, 1), held("b", 2, 1)), true}, // who is not there envies nobody
		{team(1, 1), nil, true},
	} {
		if got := solve(t, c.people, c.tickets).Before.EF1; got != c.want {
			t.Errorf("%+v: got %v", c.tickets, got)
		}
	}
}

// backlog is a team of eight, three of whom hold most of the tickets.
func backlog(r *rand.Rand, people, tickets int, equal bool) ([]Person, []Ticket) {
	var list []Ticket
	for i := range tickets {
		owner := r.IntN(people)
		if r.IntN(2) == 0 {
			owner = r.IntN(min(3, people))
		}
		t := Ticket{ID: strconv.Itoa(1000 + i), Weight: 1, Owner: name(owner), InProgress: r.IntN(3) == 0, Blocked: r.IntN(8) == 0}
		if !equal {
			t.Weight = math.Exp(r.NormFloat64())
		}
		for k := range people {
			if k == owner || r.IntN(3) > 0 {
				t.Eligible = append(t.Eligible, Candidate{name(k), "by chance"})
			}
		}
		list = append(list, t)
	}
	return team(slices.Repeat([]float64{1}, people)...), list
}

// TestNodeCap: where the nodes do not suffice the plan says so, and what it says
// of the fewest moves is true.
func TestNodeCap(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	few, many := DefaultConfig(), DefaultConfig()
	few.MaxNodes, many.MaxNodes = 3, 50_000
	statuses := map[Status]int{}
	for range 300 {
		people, tickets := backlog(r, 4, 20, false)
		p, err := few.Solve(people, tickets)
		if err != nil {
			t.Fatal(err)
		}
		best, err := many.Solve(people, tickets)
		if err != nil {
			t.Fatal(err)
		}
		statuses[p.Status]++
		if best.Status != Minimal && best.Status != Impossible {
			continue
		}
		if p.AtLeast > best.AtLeast && best.Status == Minimal || p.Status == Minimal && len(p.Moves) != len(best.Moves) || p.Status == Impossible && best.Status == Minimal ||
			p.Status == NotProven && (len(p.Moves) < len(best.Moves) || p.TiesProven) {
			t.Fatalf("%s with %d moves of at least %d, and %s with %d", p.Status, len(p.Moves), p.AtLeast, best.Status, len(best.Moves))
		}
	}
	t.Log(statuses)
	for _, s := range []Status{Minimal, NotProven, NotFound} {
		if statuses[s] == 0 {
			t.Errorf("no plan is %s", s)
		}
	}
	if NotProven.String() != "not proven minimal" {
		t.Errorf("says %q", NotProven)
	}
}

// TestTeamSized: instances of the size of a team are solved to the end.
func TestTeamSized(t *testing.T) { teamSized(t, 60) }

func teamSized(t *testing.T, n int) {
	r := rand.New(rand.NewPCG(6, 6))
	statuses := map[Status]int{}
	ties := 0
	var nodes []int
	for range n {
		people, tickets := backlog(r, 8, 48, false)
		p := solve(t, people, tickets)
		statuses[p.Status]++
		if p.TiesProven {
			ties++
		}
		nodes = append(nodes, p.Nodes)
	}
	slices.Sort(nodes)
	t.Logf("%v, %d with all ties proven; nodes: median %d, 90 %% %d, most %d", statuses, ties, nodes[n/2], nodes[n*9/10], nodes[n-1])
	if statuses[Minimal]+statuses[Impossible] < n-2 || ties < statuses[Minimal]-2 || statuses[Minimal] < n/2 {
		t.Errorf("of %d: %v, %d with all ties proven", n, statuses, ties)
	}
}

func TestRefusals(t *testing.T) {
	good := held("a", 2, 1)
	for name, c := range map[string]struct {
		people  []Person
		tickets []Ticket
	}{
		"a person twice":        {[]Person{{"a", 1}, {"a", 1}}, nil},
		"a person without id":   {[]Person{{"", 1}}, nil},
		"a ticket twice":        {team(1), slices.Concat(good, good)},
		"a ticket without id":   {team(1), []Ticket{{Weight: 1}}},
		"a negative capacity":   {team(-1), nil},
		"no capacity":           {team(math.NaN()), nil},
		"an infinite capacity":  {team(math.Inf(1)), nil},
		"a negative weight":     {team(1), held("a", 1, -1)},
		"a weight of no number": {team(1), held("a", 1, math.NaN())},
		"an infinite weight":    {team(1), held("a", 1, math.Inf(1))},
	} {
		if _, err := DefaultConfig().Solve(c.people, c.tickets); !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for key, c := range map[string]Config{
		"tolerance": {-1, 1}, "tolerance ": {math.NaN(), 1}, "max_nodes": {0.1, 0}, "max_nodes ": {0.1, 2_000_000_000},
	} {
		if err := c.Validate(); err == nil {
			t.Errorf("%s is accepted", key)
		} else if _, solved := c.Solve(nil, nil); solved == nil || solved.Error() != err.Error() {
			t.Errorf("%s: solved with %v", key, solved)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

// instance draws a small team with its tickets; equal weights or not.
func instance(r *rand.Rand, people, tickets int, equal bool) ([]Person, []Ticket) {
	var p []Person
	for i := range 1 + r.IntN(people) {
		p = append(p, Person{name(i), []float64{1, 1, 1, 0.5, 0.8, 0}[r.IntN(6)]})
	}
	weight := []float64{1, 0.3, 7}[r.IntN(3)]
	var list []Ticket
	for j := range r.IntN(tickets + 1) {
		t := Ticket{ID: strconv.Itoa(100 + j), Weight: weight, InProgress: r.IntN(3) == 0, Blocked: r.IntN(4) == 0}
		if !equal {
			t.Weight = []float64{1, 1, 2, 3, 5, 0, 0.1, 8 * r.Float64()}[r.IntN(8)]
		}
		// Mostly with the first of them, so that there is something to do.
		owner := min(r.IntN(len(p)+1), r.IntN(len(p)+1))
		if owner < len(p) {
			t.Owner = p[owner].ID
		}
		for i := range p {
			if i == owner && r.IntN(12) > 0 || r.IntN(3) > 0 {
				t.Eligible = append(t.Eligible, Candidate{p[i].ID, "by chance"})
			}
		}
		list = append(list, t)
	}
	return p, list
}

// value is what a plan is judged by: all of it in order, the less the better.
type value struct {
	moves, progress, blocked int
	loads                    []float64
}

func (v value) compare(o value) int {
	if c := cmp.Or(cmp.Compare(v.moves, o.moves), cmp.Compare(v.progress, o.progress), cmp.Compare(v.blocked, o.blocked)); c != 0 {
		return c
	}
	return slices.CompareFunc(v.loads, o.loads, func(a, b float64) int {
		if math.Abs(a-b) < 1e-9*max(1, a, b) {
			return 0
		}
		return cmp.Compare(a, b)
	})
}

func limits(c Config, people []Person, tickets []Ticket) []float64 {
	var fte, work float64
	for _, p := range people {
		fte += p.Capacity
	}
	for _, t := range tickets {
		work += t.Weight
	}
	list := make([]float64, len(people))
	for i, p := range people {
		if fte > 0 {
			list[i] = (1 + c.Tolerance) * p.Capacity * work / fte
		}
	}
	return list
}

// judge is the value of who holds what, by ticket; within says that it is within
// the limits.
func judge(people []Person, tickets []Ticket, limit []float64, holder []string) (v value, within bool) {
	load := map[string]float64{}
	for j, t := range tickets {
		load[holder[j]] += t.Weight
		if holder[j] == t.Owner {
			continue
		}
		v.moves++
		// Of those that must move none could be spared.
		if slices.ContainsFunc(t.Eligible, func(c Candidate) bool { return c.Person == t.Owner }) {
			if t.InProgress {
				v.progress++
			}
			if t.Blocked {
				v.blocked++
			}
		}
	}
	within = true
	for i, p := range people {
		within = within && load[p.ID] <= limit[i]+1e-9
		r := 0.0
		if load[p.ID] > 0 {
			r = load[p.ID] / max(p.Capacity, 1e-200)
		}
		v.loads = append(v.loads, r)
	}
	slices.SortFunc(v.loads, func(a, b float64) int { return cmp.Compare(b, a) })
	return v, within
}

// bruteForce tries everything.
func bruteForce(people []Person, tickets []Ticket, limit []float64) (best value, possible bool) {
	holder := make([]string, len(tickets))
	var try func(j int)
	try = func(j int) {
		if j == len(tickets) {
			if v, within := judge(people, tickets, limit, holder); within && (!possible || v.compare(best) < 0) {
				best, possible = v, true
			}
			return
		}
		for _, c := range tickets[j].Eligible {
			holder[j] = c.Person
			try(j + 1)
		}
	}
	try(0)
	return best, possible
}

// carryOut is who holds what after a plan.
func carryOut(t interface{ Fatalf(string, ...any) }, tickets []Ticket, p Plan) []string {
	holder := make([]string, len(tickets))
	for j, ticket := range tickets {
		holder[j] = ticket.Owner
	}
	for _, m := range p.Moves {
		j := slices.IndexFunc(tickets, func(t Ticket) bool { return t.ID == m.Ticket })
		if j < 0 || tickets[j].Owner != m.From || m.From == m.To {
			t.Fatalf("%+v moves what is not there", m)
		}
		i := slices.IndexFunc(tickets[j].Eligible, func(c Candidate) bool { return c.Person == m.To })
		if i < 0 || tickets[j].Eligible[i].Why != m.Why || holder[j] != m.From {
			t.Fatalf("%+v moves to somebody who may not", m)
		}
		holder[j] = m.To
	}
	return holder
}

func TestAgreesWithBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 4))
	c := DefaultConfig()
	c.MaxNodes = 10_000_000
	var tried, possible, moved, chains int
	for tried = range 5000 {
		equal := tried%2 == 0
		c.Tolerance = []float64{0.15, 0, 0.5, 1}[r.IntN(4)]
		people, tickets := instance(r, 4, 6, equal)
		limit := limits(c, people, tickets)
		want, ok := bruteForce(people, tickets, limit)
		p, err := c.Solve(people, tickets)
		if err != nil {
			t.Fatal(err)
		}
		holder := carryOut(t, tickets, p)
		if !ok {
			if p.Status != Impossible || len(p.Over) == 0 && len(p.Obstacles) == 0 {
				t.Fatalf("%+v %+v: %s, over %v, and there is no plan", people, tickets, p.Status, p.Over)
			}
			continue
		}
		possible++
		got, within := judge(people, tickets, limit, holder)
		if p.Status != Minimal || !p.TiesProven || !within || p.AtLeast != want.moves || got.compare(want) != 0 {
			t.Fatalf("%+v\n%+v\n%s of at least %d: %s\ngot  %+v\nwant %+v", people, tickets, p.Status, p.AtLeast, moves(p), got, want)
		}
		if got.moves > 0 {
			moved++
		}
		for _, m := range p.Moves {
			if slices.ContainsFunc(p.Moves, func(o Move) bool { return o.From == m.To }) {
				chains++
				break
			}
		}
	}
	t.Logf("of %d cases %d were possible, %d needed moves, %d of them chains", tried+1, possible, moved, chains)
	if possible < 1500 || moved < 1000 || chains < 50 {
		t.Error("the cases are too easy")
	}
}

// Where nothing is possible and weights are equal, the best effort is the best:
// the fewest tickets over the limits, then the value of other plans.
func TestBestEffortAgreesWithBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 4))
	c := DefaultConfig()
	impossible := 0
	for range 3000 {
		people, tickets := instance(r, 4, 6, true)
		tickets = slices.DeleteFunc(tickets, func(t Ticket) bool { return len(t.Eligible) == 0 })
		limit := limits(c, people, tickets)
		p, err := c.Solve(people, tickets)
		if err != nil {
			t.Fatal(err)
		}
		if p.Status != Impossible {
			continue
		}
		impossible++
		over := func(holder []string) int {
			count := map[string]int{}
			for _, h := range holder {
				count[h]++
			}
			n := 0
			for i, person := range people {
				n += max(0, count[person.ID]-int(limit[i]/tickets[0].Weight+1e-9))
			}
			return n
		}
		least, best := len(tickets)+1, value{}
		holder := make([]string, len(tickets))
		var try func(j int)
		try = func(j int) {
			if j == len(tickets) {
				n := over(holder)
				v, _ := judge(people, tickets, limit, holder)
				if n < least || n == least && v.compare(best) < 0 {
					least, best = n, v
				}
				return
			}
			for _, c := range tickets[j].Eligible {
				holder[j] = c.Person
				try(j + 1)
			}
		}
		try(0)
		after := carryOut(t, tickets, p)
		got, _ := judge(people, tickets, limit, after)
		if over(after) != least || got.compare(best) != 0 {
			t.Fatalf("%+v\n%+v\n%s\ngot  %d over, %+v\nwant %d over, %+v", people, tickets, moves(p), over(after), got, least, best)
		}
	}
	if impossible < 300 {
		t.Errorf("%d cases were impossible", impossible)
	}
}

// TestPropertyOrder: the plan is the same in whatever order the team is given,
// and does not depend on the unit of weights or capacities.
func TestPropertyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		people, tickets := instance(r, 5, 12, r.IntN(2) == 0)
		want, err := DefaultConfig().Solve(people, tickets)
		if err != nil {
			t.Fatal(err)
		}
		r.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
		r.Shuffle(len(tickets), func(i, j int) { tickets[i], tickets[j] = tickets[j], tickets[i] })
		for i := range tickets {
			e := tickets[i].Eligible
			r.Shuffle(len(e), func(i, j int) { e[i], e[j] = e[j], e[i] })
			tickets[i].Weight *= 4
		}
		for i := range people {
			people[i].Capacity *= 2
		}
		got, err := DefaultConfig().Solve(people, tickets)
		if err != nil {
			t.Fatal(err)
		}
		if moves(got) != moves(want) || got.Status != want.Status || got.AtLeast != want.AtLeast || got.Nodes != want.Nodes || got.After.EF1 != want.After.EF1 {
			t.Fatalf("%s: %s\n%s: %s", want.Status, moves(want), got.Status, moves(got))
		}
	})
}

// TestPropertySound: a plan within the limits leaves everybody within them, and
// never is anybody brought over their limit who need not be.
func TestPropertySound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		people, tickets := instance(r, 10, 60, r.IntN(2) == 0)
		c := Config{Tolerance: r.Float64(), MaxNodes: 1 + r.IntN(2000)}
		p, err := c.Solve(people, tickets)
		if err != nil {
			t.Fatal(err)
		}
		carryOut(t, tickets, p)
		within := p.Status == Minimal || p.Status == NotProven
		if within && (len(p.Over) > 0 || len(p.Obstacles) > 0) || p.AtLeast > len(p.Moves) {
			t.Fatalf("%s with %v over the limit, %d moves of at least %d", p.Status, p.Over, len(p.Moves), p.AtLeast)
		}
		excess := func(f Fairness) float64 {
			sum := 0.0
			for _, l := range f.People {
				sum += max(0, l.Weight-l.Limit)
			}
			return sum
		}
		mustGo := slices.ContainsFunc(tickets, func(t Ticket) bool {
			return !slices.ContainsFunc(t.Eligible, func(c Candidate) bool { return c.Person == t.Owner })
		})
		if b, a := excess(p.Before), excess(p.After); !mustGo && a > b+1e-9 {
			t.Fatalf("%g over the limits became %g", b, a)
		}
	})
}

// FuzzSolve: whatever the numbers, a plan that can be carried out.
func FuzzSolve(f *testing.F) {
	f.Add(uint64(1), 1.0, 0.5, false)
	f.Add(uint64(2), math.MaxFloat64, 1e-300, false)
	f.Add(uint64(3), 1e99, 1e-99, true)
	f.Fuzz(func(t *testing.T, seed uint64, weight, capacity float64, equal bool) {
		r := rand.New(rand.NewPCG(seed, 3))
		people, tickets := instance(r, 6, 10, equal)
		if len(tickets) > 0 {
			tickets[r.IntN(len(tickets))].Weight = weight
		}
		people[r.IntN(len(people))].Capacity = capacity
		p, err := Config{Tolerance: 0.15, MaxNodes: 2000}.Solve(people, tickets)
		if err != nil {
			if !errors.Is(err, ErrInput) {
				t.Fatal(err)
			}
			return
		}
		carryOut(t, tickets, p)
	})
}

func BenchmarkSolve(b *testing.B) {
	for _, size := range []struct {
		weights         string
		people, tickets int
	}{
		{"equal", 8, 60}, {"equal", 20, 500}, {"equal", 50, 5000},
		{"unequal", 6, 24}, {"unequal", 8, 48}, {"unequal", 12, 120}, {"unequal", 20, 500},
	} {
		people, tickets := backlog(rand.New(rand.NewPCG(9, 9)), size.people, size.tickets, size.weights == "equal")
		b.Run(fmt.Sprintf("%s/%dx%d", size.weights, size.people, size.tickets), func(b *testing.B) {
			var p Plan
			for b.Loop() {
				var err error
				if p, err = DefaultConfig().Solve(people, tickets); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(p.Moves)), "moves")
			b.ReportMetric(float64(p.Nodes), "nodes")
		})
	}
}
