package overload

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What a person's week is compared with can be the twelve weeks before, whatever
// happened in them, or those in which no more rested on them than on their team,
// each other one giving way to one before. The simulation plants courses of a year
// and says in which of its weeks the state is on.

// course is how many times as many tickets as another somebody gets in a week
// after the planted change.
type course struct {
	name  string
	times func(week int) float64
	ever  float64                // the same before week 0; 0 is 1
	team  func(week int) float64 // the same for the team as a whole; nil is 1
}

const courseWeeks = 52

var courses = []course{
	{"nothing", func(int) float64 { return 1 }, 0, nil},
	{"a step that lasts", func(int) float64 { return 3 }, 0, nil},
	{"a ramp of half a year, and then that", func(w int) float64 { return 1 + 2*min(1, float64(w)/26) }, 0, nil},
	{"a step of a quarter, and back", func(w int) float64 { return map[bool]float64{true: 3, false: 1}[w < 13] }, 0, nil},
	{"half as much again, ever", func(int) float64 { return 1.5 }, 1.5, nil},
	{"twice as much, ever", func(int) float64 { return 2 }, 2, nil},
	{"more for everybody", func(int) float64 { return 1 }, 0, func(int) float64 { return 2 }},
}

// follow draws a team of eight in which one takes the course, from week 0 on.
func (c course) follow(r *rand.Rand, perHead int, kinds bool) []Member {
	const people, ahead = 8, before + 12
	members := make([]Member, people)
	held := make([]int, people)
	for w := -ahead; w < courseWeeks; w++ {
		weight, more := max(1, c.ever), 1.
		if w >= 0 {
			weight = c.times(w)
			if c.team != nil {
				more = c.team(w)
			}
		}
		records := make([]Record, people)
		for i := range records {
			records[i] = Record{Week: monday + Week(w), Capacity: 1}
			if kinds {
				records[i].Received = &Received{}
			}
		}
		// Who gets more gets it on top: the others have what they had.
		arriving := int(float64(people*perHead)*more + (weight-1)*float64(perHead))
		for range arriving {
			i := 0
			if r.Float64() >= weight/(weight+people-1) {
				i = 1 + r.IntN(people-1)
			}
			held[i]++
			records[i].Arrivals++
			if kinds {
				records[i].Received.Items++
				records[i].Received.All++
				unplanned := 1. / 3
				if i == 0 && weight > 1.5 && c.ever == 0 {
					unplanned = 0.75
				}
				if r.Float64() < unplanned {
					records[i].Received.Unplanned++
				}
			}
		}
		for i := range held {
			n := held[i]
			records[i].Load.N, records[i].Load.Sum, records[i].Load.Squares = uint64(n), float64(n), float64(n)
			for range n {
				if r.Float64() < 0.5 {
					records[i].Completions++
					held[i]--
				}
			}
			members[i].Records = append(members[i].Records, records[i])
		}
	}
	for i := range members {
		members[i].Engineer = fmt.Sprint(i)
	}
	return members
}

// watched is the share of weeks in which the state is on: of the person by
// quarters of the year, and of the others over all of it; and after how many
// weeks it is first on (0 for never), on average over those found.
type watched struct {
	quarter [4]float64
	others  float64
	found   float64
	after   float64
}

func watch(t *testing.T, c course, teams, perHead int, kinds bool, rule func(State) bool) watched {
	t.Helper()
	r := rand.New(rand.NewPCG(11, 1))
	var x watched
	for range teams {
		list, err := DefaultConfig().assessAll(c.follow(r, perHead, kinds), rule)
		if err != nil {
			t.Fatal(err)
		}
		first := -1
		for i, a := range list {
			weeks := a.Weeks[len(a.Weeks)-courseWeeks:]
			for w, s := range weeks {
				switch {
				case !s.Overloaded:
				case i > 0:
					x.others++
				default:
					x.quarter[w/13]++
					if first < 0 {
						first = w + 1
					}
				}
			}
		}
		if first > 0 {
			x.found++
			x.after += float64(first)
		}
	}
	x.after /= max(1, x.found)
	x.found /= float64(teams)
	for q := range x.quarter {
		x.quarter[q] /= float64(13 * teams)
	}
	x.others /= float64(teams * courseWeeks * 7)
	return x
}

// TestBaseline holds why weeks over the team's load are set aside: a step that
// lasts, and a ramp, stay seen for as long as they last, and it costs nothing where
// there is nothing, where it ends, and where everybody has more.
func TestBaseline(t *testing.T) { baseline(t, 8) }

func baseline(t *testing.T, teams int) {
	plain := func(State) bool { return false }
	for _, c := range courses {
		whole, aside := watch(t, c, teams, 8, false, plain), watch(t, c, teams, 8, false, unusual)
		for i, x := range []watched{whole, aside} {
			t.Logf("%s, %s: found %.0f %% after %.1f weeks; on in %.0f %%, %.0f %%, %.0f %%, %.0f %% of the quarters' weeks; of others in %.3f %%", c.name,
				[]string{"twelve weeks", "set aside"}[i], 100*x.found, x.after, 100*x.quarter[0], 100*x.quarter[1], 100*x.quarter[2], 100*x.quarter[3], 100*x.others)
		}
		switch c.name {
		case "a step that lasts":
			if whole.quarter[1] > 0.2 || aside.quarter[1] < 0.9 || aside.quarter[3] < 0.9 {
				t.Errorf("%s: %+v without, %+v with weeks set aside", c.name, whole, aside)
			}
		case "a ramp of half a year, and then that":
			if whole.found > 0.3 || aside.found < 0.9 || aside.quarter[3] < 0.8 {
				t.Errorf("%s: %+v without, %+v with weeks set aside", c.name, whole, aside)
			}
		case "a step of a quarter, and back":
			if aside.quarter[0] < 0.7 || aside.quarter[1] > 0.3 || aside.quarter[2] > 0 || aside.quarter[3] > 0 {
				t.Errorf("%s: %+v with weeks set aside", c.name, aside)
			}
		default:
			if aside.found > 0.1 {
				t.Errorf("%s: %+v with weeks set aside", c.name, aside)
			}
		}
		if aside.others > 0.001 {
			t.Errorf("%s: %.2f %% of the others' weeks", c.name, 100*aside.others)
		}
	}
}
