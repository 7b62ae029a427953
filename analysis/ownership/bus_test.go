package ownership

import (
	"fmt"
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

// bruteForce tries every set of people, of any size.
func bruteForce(c Config, areas []Area) int {
	var people []string
	for _, a := range areas {
		people = append(people, c.Covering(a)...)
	}
	slices.Sort(people)
	people = slices.Compact(people)
	best := len(people) + 1
	for set := range 1 << len(people) {
		var total, without float64
		size := 0
		for i := range people {
			size += set >> i & 1
		}
		for _, a := range areas {
			who := c.Covering(a)
			if len(who) == 0 {
				continue
			}
			total += a.Demand
			gone := true
			for _, id := range who {
				gone = gone && set>>slices.Index(people, id)&1 == 1
			}
			if gone {
				without += a.Demand
			}
		}
		if total > 0 && 2*without >= total {
			best = min(best, size)
		}
	}
	return best
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
	for range 3000 {
		areas := organisation(random, 2+random.IntN(7), 1+random.IntN(9))
		bus, ok := c.BusFactor(areas)
		want := bruteForce(c, areas)
		if !ok {
			continue
		}
		if !bus.Exact || bus.People != want || bus.Share < 0.5-1e-9 {
			t.Fatalf("%+v, brute force %d, of %+v", bus, want, areas)
		}
		random.Shuffle(len(areas), func(i, j int) { areas[i], areas[j] = areas[j], areas[i] })
		if again, _ := c.BusFactor(areas); !reflect.DeepEqual(again, bus) {
			t.Fatalf("another order, another set: %+v and %+v", bus, again)
		}
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
