package rebalance

import (
	"math"

	"fairlead/analysis/distribution"
)

// fairness measures who holds what. People without capacity are in no index.
func (p *problem) fairness(holder []int) Fairness {
	n := len(p.people)
	load, heaviest := p.loads(holder), make([]int64, n)
	f := Fairness{Gini: math.NaN(), Hoover: math.NaN(), EF1: true, People: make([]Load, n)}
	for j, k := range holder {
		if k >= 0 {
			f.People[k].Tickets++
			heaviest[k] = max(heaviest[k], p.tickets[j].weight)
		}
	}
	var work, capacity float64
	for k, c := range p.capacity {
		if c > 0 {
			work, capacity = work+float64(load[k]), capacity+c
		}
	}
	weights := make([]float64, n)
	for k, person := range p.people {
		weights[k] = float64(load[k])
		l := &f.People[k]
		l.Person, l.Capacity = person.ID, person.Capacity
		l.Weight, l.Limit, l.Relative = weights[k]*p.unit, float64(p.limit[k])*p.unit, math.NaN()
		if person.Capacity > 0 && work > 0 {
			l.Relative = (weights[k] / work) / (person.Capacity / capacity)
		}
	}
	if s, err := distribution.Weighted(weights, p.capacity); err == nil {
		f.Gini, f.Hoover = s.Gini(), s.Hoover()
	}
	for i := range n {
		if p.capacity[i] == 0 {
			continue
		}
		for k := range n {
			but := p.relative(i, load[i]-heaviest[i])
			if p.capacity[k] > 0 && but > p.relative(k, load[k])*(1+1e-12) {
				f.EF1 = false
			}
		}
	}
	return f
}
