package ownership

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func area(name string, demand float64, evidence ...any) Area {
	a := Area{Name: name, Demand: demand, Evidence: map[string]float64{}}
	for i := 0; i < len(evidence); i += 2 {
		a.Evidence[evidence[i].(string)] = evidence[i+1].(float64)
	}
	return a
}

func TestBusFactor(t *testing.T) {
	c := DefaultConfig()
	areas := []Area{
		area("gateway", 60, "ann", 20.0, "bob", 2.0),            // ann alone
		area("ledger", 30, "bob", 10.0, "cid", 9.0),             // bob and cid
		area("portal", 10, "cid", 10.0, "ann", 8.0, "dee", 1.0), // cid and ann
		area("quiet", 0, "dee", 9.0),
		area("unknown", 50, "dee", 1.0), // nobody covers it: it cannot be uncovered
	}
	bus, ok := c.BusFactor(areas)
	want := Bus{People: 1, Who: []string{"ann"}, Uncovered: []string{"gateway"}, Share: 0.6, Exact: true}
	if !ok || !reflect.DeepEqual(bus, want) {
		t.Errorf("got %+v, want %+v", bus, want)
	}
	losses := c.WhatIf(areas)
	if len(losses) != 2 || losses[0].Person != "ann" || losses[0].Demand != 60 || !slices.Equal(losses[0].Uncovered, []string{"gateway"}) || losses[1].Person != "dee" {
		t.Errorf("what if: %+v", losses)
	}
	if next := c.Nexts(areas[0], 3); len(next) != 1 || next[0] != (Next{"bob", 2, 1}) {
		t.Errorf("next for the gateway: %+v", next)
	}
	if _, ok := c.BusFactor([]Area{areas[4]}); ok {
		t.Error("a bus factor of areas that nobody covers")
	}
}

// bruteForce is the definition, told again: of all sets of people, of any size,
// the smallest that leave half of the covered demand with nobody who has over ¾ of
// the area's greatest evidence and at least θ; of these the first by id.
func bruteForce(areas []Area) (who []string, ok bool) {
	everybody := map[string]bool{}
	for _, a := range areas {
		for id := range a.Evidence {
			everybody[id] = true
		}
	}
	people := slices.Sorted(maps.Keys(everybody))
	covers := make([]map[string]bool, len(areas))
	demand := 0.0
	for k, a := range areas {
		covers[k] = map[string]bool{}
		for id, e := range a.Evidence {
			greatest := true
			for _, other := range a.Evidence {
				greatest = greatest && 4*e > 3*other
			}
			if greatest && e >= 3 {
				covers[k][id] = true
			}
		}
		if len(covers[k]) > 0 {
			demand += a.Demand
		}
	}
	if demand == 0 {
		return nil, false
	}
	for set := range 1 << len(people) {
		var gone []string
		for i, id := range people {
			if set>>i&1 == 1 {
				gone = append(gone, id)
			}
		}
		lost := 0.0
		for k, a := range areas {
			left := len(covers[k])
			for _, id := range gone {
				if covers[k][id] {
					left--
				}
			}
			if left == 0 && len(covers[k]) > 0 {
				lost += a.Demand
			}
		}
		if 2*lost >= demand && (who == nil || len(gone) < len(who) || len(gone) == len(who) && slices.Compare(gone, who) < 0) {
			who = gone
		}
	}
	return who, true
}

func organisation(random *rand.Rand, people, areas int) []Area {
	out := make([]Area, areas)
	for k := range out {
		out[k] = Area{Name: fmt.Sprint("area ", k), Demand: float64(random.IntN(20)), Evidence: map[string]float64{}}
		for range 1 + random.IntN(4) {
			out[k].Evidence[fmt.Sprintf("person %02d", random.IntN(people))] = 1 + 10*random.Float64()
		}
	}
	return out
}

func TestExactBusFactorAgreesWithBruteForce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	c := DefaultConfig()
	sizes := map[int]int{}
	for range 4000 {
		areas := organisation(random, 2+random.IntN(7), 1+random.IntN(12))
		bus, ok := c.BusFactor(areas)
		want, possible := bruteForce(areas)
		if ok != possible {
			t.Fatalf("a bus factor: %v, and by brute force %v, of %+v", ok, possible, areas)
		}
		sizes[len(want)]++
		if !ok {
			continue
		}
		if !bus.Exact || bus.People != len(want) || !slices.Equal(bus.Who, want) {
			t.Fatalf("%+v, brute force %v, of %+v", bus, want, areas)
		}
		certified(t, areas, bus)
		random.Shuffle(len(areas), func(i, j int) { areas[i], areas[j] = areas[j], areas[i] })
		if again, _ := c.BusFactor(areas); !reflect.DeepEqual(again, bus) {
			t.Fatalf("another order, another set: %+v and %+v", bus, again)
		}
	}
	t.Logf("cases by bus factor: %v", sizes)
	if sizes[0] < 20 || sizes[1] < 500 || sizes[2] < 500 || sizes[3] < 100 {
		t.Errorf("the cases are too easy: %v", sizes)
	}
}

// certified checks the certificate as its reader would.
func certified(t *testing.T, areas []Area, bus Bus) {
	t.Helper()
	var lost, demand float64
	for _, a := range areas {
		who := DefaultConfig().Covering(a)
		if len(who) == 0 || a.Demand == 0 {
			if slices.Contains(bus.Uncovered, a.Name) {
				t.Fatalf("%s was not covered before, or nobody asks for it: %+v", a.Name, bus)
			}
			continue
		}
		demand += a.Demand
		alone := !slices.ContainsFunc(who, func(id string) bool { return !slices.Contains(bus.Who, id) })
		if alone {
			lost += a.Demand
		}
		if alone != slices.Contains(bus.Uncovered, a.Name) {
			t.Fatalf("%s uncovered: %v, in %+v", a.Name, alone, bus)
		}
	}
	if math.Abs(bus.Share-lost/demand) > 1e-12 || 2*lost < demand*(1-1e-9) || !slices.IsSorted(bus.Uncovered) {
		t.Fatalf("%v of %v is lost: %+v", lost, demand, bus)
	}
}

// Greedy never claims fewer than are needed, and reaches the half.
func TestGreedyIsAnUpperBound(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	c := DefaultConfig()
	worse := 0
	for range 1000 {
		areas := organisation(random, 9, 12)
		exact, ok := c.BusFactor(areas)
		if !ok {
			continue
		}
		var covered []Area
		var covering [][]string
		var people []string
		var total float64
		for _, a := range areas {
			if who := c.Covering(a); len(who) > 0 && a.Demand > 0 {
				covered, covering, people = append(covered, a), append(covering, who), append(people, who...)
				total += a.Demand
			}
		}
		slices.Sort(people)
		got := greedy(slices.Compact(people), covered, covering, total)
		if len(got) < exact.People {
			t.Fatalf("greedy found %v, fewer than %d", got, exact.People)
		}
		if len(got) > exact.People {
			worse++
		}
	}
	t.Logf("greedy is worse in %d of 1,000 cases", worse)
	if worse > 300 {
		t.Errorf("greedy is worse in %d of 1,000 cases", worse)
	}
}

func TestManyPeopleAreGreedy(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	bus, ok := DefaultConfig().BusFactor(organisation(random, 60, 200))
	if !ok || bus.Exact || bus.Share < 0.5-1e-9 || bus.People < 2 {
		t.Errorf("%+v", bus)
	}
}

func BenchmarkBusFactor(b *testing.B) {
	for _, people := range []int{8, 20, 60} {
		b.Run(fmt.Sprint("people=", people), func(b *testing.B) {
			areas := organisation(rand.New(rand.NewPCG(4, 1)), people, 3*people)
			for b.Loop() {
				DefaultConfig().BusFactor(areas)
			}
		})
	}
}
