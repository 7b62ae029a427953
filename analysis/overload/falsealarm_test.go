package overload

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"fairlead/analysis/distribution"
)

// null is a team in which nobody is overloaded: tickets fall to its people
// alike, each lives for a geometric number of weeks, and a third are unplanned.
type null struct {
	people, weeks int
	arriving      int     // tickets a week, for all of them
	ending        float64 // probability that a ticket ends in a week
	logSigma      float64 // of the tickets' efforts
	roster        bool    // own hours and on-call are known
	kinds         bool    // planned and unplanned are known

	// From week 0 on the first of them gets so many times as many tickets as
	// another, and three in four of these are unplanned; 0 for nobody.
	planted float64
}

// to is whom a ticket falls to.
func (n null) to(r *rand.Rand, w int) int {
	if n.planted > 0 && w >= 0 && r.Float64() < n.planted/(n.planted+float64(n.people-1)) {
		return 0
	}
	if n.planted > 0 && w >= 0 {
		return 1 + r.IntN(n.people-1)
	}
	return r.IntN(n.people)
}

const before = 20 // weeks of the null, until as many tickets end as begin

func (n null) draw(r *rand.Rand) []Member {
	members := make([]Member, n.people)
	type ticket struct{ effort float64 }
	held := make([][]ticket, n.people)
	for w := -before; w < n.weeks; w++ {
		records := make([]Record, n.people)
		for i := range records {
			records[i] = Record{Week: monday + Week(w), Capacity: 1}
			if n.kinds {
				records[i].Received = &Received{}
			}
			if n.roster {
				records[i].OnCall, records[i].Acts = &OnCall{}, &Acts{}
			}
		}
		for range n.arriving {
			i, t := n.to(r, w), ticket{math.Exp(n.logSigma * r.NormFloat64())}
			held[i] = append(held[i], t)
			records[i].Arrivals++
			if n.kinds {
				records[i].Received.Items++
				records[i].Received.All += t.effort
				unplanned := 1. / 3
				if i == 0 && n.planted > 0 && w >= 0 {
					unplanned = 0.75
				}
				if r.Float64() < unplanned {
					records[i].Received.Unplanned += t.effort
				}
			}
		}
		if n.roster {
			on := records[(w+before)%n.people].OnCall
			on.Duration = weekLength
			for range 14 * 4 { // on average one incident a shift
				if r.IntN(4) == 0 {
					on.Incidents++
				}
			}
		}
		for i := range held {
			var rest []ticket
			for _, t := range held[i] {
				records[i].Load = records[i].Load.Plus(distribution.Weights{N: 1, Sum: t.effort, Squares: t.effort * t.effort})
				if n.roster {
					for range 4 {
						records[i].Acts.N++
						if r.IntN(20) == 0 {
							records[i].Acts.Off++
						}
					}
				}
				if r.Float64() < n.ending {
					records[i].Completions++
					continue
				}
				rest = append(rest, t)
			}
			held[i] = rest
			if n.roster {
				// The shortest of four nights, each of 16 hours give or take one and a half.
				shortest := math.Inf(1)
				for range 4 {
					shortest = min(shortest, 16+1.5*r.NormFloat64())
				}
				records[i].Acts.ShortestRest = time.Duration(max(1, shortest) * float64(time.Hour))
			}
			if w >= 0 || n.planted > 0 {
				members[i].Records = append(members[i].Records, records[i])
			}
		}
	}
	for i := range members {
		members[i].Engineer = fmt.Sprint(i)
	}
	return members
}

// rates are over all person-weeks from the first on of which everything could
// be known.
type rates struct {
	weeks, hot, on float64
	turnedOn       float64 // times
	signal         map[Signal]float64
}

func simulate(t *testing.T, n null, teams int, seed uint64) rates {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	c := DefaultConfig()
	sum := rates{signal: map[Signal]float64{}}
	for range teams {
		list, err := c.Assess(n.draw(r))
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			for i, s := range a.Weeks {
				if i < c.BaselineWeeks {
					continue
				}
				sum.weeks++
				if s.Mark == Hot {
					sum.hot++
				}
				if s.Overloaded {
					sum.on++
					if s.Since == s.Week {
						sum.turnedOn++
					}
				}
				for _, reading := range s.Readings {
					if reading.Holds() {
						sum.signal[reading.Signal]++
					}
				}
			}
		}
	}
	sum.hot, sum.on, sum.turnedOn = sum.hot/sum.weeks, sum.on/sum.weeks, sum.turnedOn/sum.weeks
	for s := range sum.signal {
		sum.signal[s] /= sum.weeks
	}
	return sum
}

// TestFalseAlarms holds the rates of false alarms under the null: of each signal,
// of hot weeks and of the state, as shares of person-weeks.
func TestFalseAlarms(t *testing.T) {
	base := null{people: 8, weeks: 64, arriving: 10, ending: 1}
	for _, c := range []struct {
		name   string
		change func(*null)
		on     float64 // at most
	}{
		{"tickets of a week, demand only", func(n *null) {}, 0.001},
		{"tickets of a week, kinds known", func(n *null) { n.kinds = true }, 0.001},
		{"tickets of a week, everything known", func(n *null) { n.kinds, n.roster = true, true }, 0.001},
		{"tickets of four weeks, demand only", func(n *null) { n.ending = 0.25 }, 0.01},
		{"tickets of four weeks, kinds known", func(n *null) { n.ending, n.kinds = 0.25, true }, 0.001},
		{"tickets of four weeks, everything known", func(n *null) { n.ending, n.kinds, n.roster = 0.25, true, true }, 0.001},
		{"unequal tickets of four weeks, demand only", func(n *null) { n.ending, n.logSigma = 0.25, 1 }, 0.01},
		{"many tickets, everything known", func(n *null) { n.arriving, n.kinds, n.roster = 80, true, true }, 0.001},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := base
			c.change(&n)
			got := simulate(t, n, 100, 7)
			t.Logf("of %.0f person-weeks: hot %.3f %%, overloaded %.4f %%, turned on %.4f %%; %.3v", got.weeks, 100*got.hot, 100*got.on, 100*got.turnedOn, got.signal)
			for signal, rate := range got.signal {
				// Half of the work unplanned is nothing strange where a third
				// is on average; unequal efforts are no longer Poisson.
				// What is usual after hours is itself known from few acts.
				limit := map[bool]float64{true: 0.03, false: 0.0125}[n.logSigma > 0]
				if signal == SignalAfterHours {
					limit = 0.025
				}
				if signal != SignalUnplanned && rate > limit {
					t.Errorf("%s holds in %.2f %% of person-weeks, want at most %.2f %%", signal, 100*rate, 100*limit)
				}
			}
			if got.on > c.on {
				t.Errorf("overloaded in %.3f %% of person-weeks, want at most %.3f %%", 100*got.on, 100*c.on)
			}
		})
	}
}

// TestPower holds how often and how soon a planted overload is found: somebody
// who gets several times as many tickets as each of the others, unplanned ones
// mostly.
func TestPower(t *testing.T) {
	for _, c := range []struct {
		arriving int
		planted  float64
		least    float64 // share of teams in which it is found within 12 weeks
	}{
		{20, 3, 0.65}, {40, 2, 0.5}, {40, 3, 0.98}, {80, 2, 0.95},
	} {
		n := null{people: 8, weeks: 12, arriving: c.arriving, ending: 0.5, kinds: true, planted: c.planted}
		r := rand.New(rand.NewPCG(3, 1))
		found, others, soonest := 0, 0, 0.
		const teams = 200
		for range teams {
			list, err := DefaultConfig().Assess(n.draw(r))
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range list {
				for j, s := range a.Weeks {
					if !s.Overloaded || j < before {
						continue
					}
					if i > 0 {
						others++
					} else {
						found++
						soonest += float64(j - before + 1)
					}
					break
				}
			}
		}
		t.Logf("%d tickets a week, %g times as many: found in %.1f %% of teams, after %.1f weeks; %d others", c.arriving, c.planted, 100*float64(found)/teams, soonest/float64(found), others)
		if float64(found) < c.least*teams || others > 0 {
			t.Errorf("%d tickets a week, %g times as many: found in %d of %d teams, and %d others", c.arriving, c.planted, found, teams, others)
		}
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }
