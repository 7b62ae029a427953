package ownership

import (
	"cmp"
	"math/bits"
	"slices"
)

// Area is one of a team's areas: who knows it how well, and how much it is
// asked for.
type Area struct {
	Name     string
	Demand   float64            // recent tickets, 0 or more
	Evidence map[string]float64 // by person
}

// Covering is who could keep the area going ([Config.Covers]), by id.
func (c Config) Covering(a Area) []string {
	greatest := 0.0
	for _, e := range a.Evidence {
		greatest = max(greatest, e)
	}
	var who []string
	for id, e := range a.Evidence {
		if c.Covers(e, greatest) {
			who = append(who, id)
		}
	}
	slices.Sort(who)
	return who
}

// MaxExactPeople is up to how many people a bus factor is found by trying every
// set of them.
const MaxExactPeople = 20

// Bus is a bus factor with its certificate.
type Bus struct {
	People    int      // the fewest whose leaving uncovers half of the demand or more
	Who       []string // one such set, by id; of several the first in order of ids
	Uncovered []string // the areas that are then without anybody, by name
	Share     float64  // their share of the demand that somebody covers now
	Exact     bool     // by full search; else by greedy choice, an upper bound
}

// BusFactor is the fewest people whose leaving uncovers at least half of the
// demand of the areas that somebody covers (the truck factor of Avelino et al.
// 2016, with our evidence in place of authorship). It is false where no demand
// is covered.
//
// Up to [MaxExactPeople] people who cover anything, every set is tried, smallest
// first. Above, the one who uncovers most is taken until half is reached, ties by
// id; that can be more people than needed, never fewer.
func (c Config) BusFactor(areas []Area) (Bus, bool) {
	var total float64
	var covered []Area
	var covering [][]string
	seen := map[string]bool{}
	for _, a := range slices.SortedFunc(slices.Values(areas), func(a, b Area) int { return cmp.Compare(a.Name, b.Name) }) {
		if who := c.Covering(a); len(who) > 0 && a.Demand > 0 {
			covered, covering = append(covered, a), append(covering, who)
			total += a.Demand
			for _, id := range who {
				seen[id] = true
			}
		}
	}
	if total == 0 {
		return Bus{}, false
	}
	people := make([]string, 0, len(seen))
	for id := range seen {
		people = append(people, id)
	}
	slices.Sort(people)
	bus := Bus{Exact: len(people) <= MaxExactPeople}
	if bus.Exact {
		bus.Who = smallest(people, covered, covering, total)
	} else {
		bus.Who = greedy(people, covered, covering, total)
	}
	bus.People = len(bus.Who)
	var without float64
	for k, a := range covered {
		if !slices.ContainsFunc(covering[k], func(id string) bool { return !slices.Contains(bus.Who, id) }) {
			bus.Uncovered = append(bus.Uncovered, a.Name)
			without += a.Demand
		}
	}
	bus.Share = without / total
	return bus, true
}

// half is reached with this tolerance: demands are sums.
const half = 0.5 - 1e-12

func smallest(people []string, areas []Area, covering [][]string, total float64) []string {
	place := map[string]int{}
	for i, id := range people {
		place[id] = i
	}
	needs := make([]uint32, len(areas))
	for k, who := range covering {
		for _, id := range who {
			needs[k] |= 1 << place[id]
		}
	}
	for size := 1; size <= len(people); size++ {
		best, found := uint32(0), false
		// Gosper's hack: the sets of one size, each once.
		for set := uint32(1)<<size - 1; set < 1<<len(people); {
			var without float64
			for k, need := range needs {
				if need&^set == 0 {
					without += areas[k].Demand
				}
			}
			// First in the order of ids: the set whose lowest places come first.
			if without >= half*total && (!found || bits.Reverse32(set) > bits.Reverse32(best)) {
				best, found = set, true
			}
			low := set & -set
			ripple := set + low
			set = (set^ripple)>>2/low | ripple
		}
		if found {
			var who []string
			for i, id := range people {
				if best&(1<<i) != 0 {
					who = append(who, id)
				}
			}
			return who
		}
	}
	return people
}

func greedy(people []string, areas []Area, covering [][]string, total float64) []string {
	gone := map[string]bool{}
	var without float64
	for without < half*total {
		// Who uncovers most at once; if nobody does, who brings most demand
		// nearest to that.
		best, most, nearest := "", -1.0, -1.0
		for _, id := range people {
			if gone[id] {
				continue
			}
			now, near := 0.0, 0.0
			for k, who := range covering {
				left := 0
				mine := false
				for _, other := range who {
					if !gone[other] {
						left++
						mine = mine || other == id
					}
				}
				if mine {
					near += areas[k].Demand / float64(left)
					if left == 1 {
						now += areas[k].Demand
					}
				}
			}
			if now > most || now == most && near > nearest {
				best, most, nearest = id, now, near
			}
		}
		gone[best] = true
		without += most
	}
	var who []string
	for _, id := range people {
		if gone[id] {
			who = append(who, id)
		}
	}
	return who
}

// Loss is what a person's leaving, or absence, would uncover.
type Loss struct {
	Person    string
	Uncovered []string // areas, greatest demand first
	Demand    float64  // of these areas
}

// WhatIf says of every person who covers an area alone what would be without
// anybody, greatest demand first.
func (c Config) WhatIf(areas []Area) []Loss {
	byPerson := map[string]*Loss{}
	ordered := slices.SortedFunc(slices.Values(areas), func(a, b Area) int {
		return cmp.Or(-cmp.Compare(a.Demand, b.Demand), cmp.Compare(a.Name, b.Name))
	})
	for _, a := range ordered {
		who := c.Covering(a)
		if len(who) != 1 {
			continue
		}
		l := byPerson[who[0]]
		if l == nil {
			l = &Loss{Person: who[0]}
			byPerson[who[0]] = l
		}
		l.Uncovered = append(l.Uncovered, a.Name)
		l.Demand += a.Demand
	}
	losses := make([]Loss, 0, len(byPerson))
	for _, l := range byPerson {
		losses = append(losses, *l)
	}
	slices.SortFunc(losses, func(a, b Loss) int {
		return cmp.Or(-cmp.Compare(a.Demand, b.Demand), cmp.Compare(a.Person, b.Person))
	})
	return losses
}

// Next is somebody who could become a holder of an area.
type Next struct {
	Person   string
	Evidence float64
	Missing  float64 // up to where they could keep it going, were its greatest holder gone; 0 for who can now
}

// Nexts are those with evidence of an area who are not among its holders,
// nearest first, at most n. The bar is θ: when the holder is gone the greatest
// of the others sets the rest of it.
func (c Config) Nexts(a Area, n int) []Next {
	holders := c.Covering(a)
	var next []Next
	for id, e := range a.Evidence {
		if e > 0 && !slices.Contains(holders, id) {
			next = append(next, Next{Person: id, Evidence: e, Missing: max(c.Enough-e, 0)})
		}
	}
	slices.SortFunc(next, func(a, b Next) int {
		return cmp.Or(-cmp.Compare(a.Evidence, b.Evidence), cmp.Compare(a.Person, b.Person))
	})
	return next[:min(n, len(next))]
}
