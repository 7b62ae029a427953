package distribution

import "math"

// Parts is an index of all people, split into what lies within groups and what
// lies between them.
type Parts struct {
	Total, Within, Between float64
}

// GiniParts also has the overlap: what is neither, because the relative loads
// of the groups overlap. It is 0 when they do not.
type GiniParts struct {
	Parts
	Overlap float64
}

// Decomposition splits three indices over groups. T and L split without rest;
// G does not (Bhattacharya & Mahalanobis 1967, Pyatt 1976).
type Decomposition struct {
	TheilT           Parts // Σ S_g T_g + Σ S_g ln(S_g/P_g)
	MeanLogDeviation Parts // Σ P_g L_g + Σ P_g ln(P_g/S_g)
	Gini             GiniParts
}

// Decompose splits the inequality among all people of the groups. Groups
// without people are left out; a group without work has S_g = 0 and makes
// every L infinite. All parts are undefined when there is no work at all.
func Decompose(groups []Sample) Decomposition {
	all, means := pool(groups)
	if all.empty() {
		none := Parts{nan, nan, nan}
		return Decomposition{none, none, GiniParts{none, nan}}
	}
	var withinT, withinL, withinG sum
	for _, g := range groups {
		if g.cap == 0 {
			continue
		}
		workShare := math.Ldexp(g.total, g.workExp-all.workExp) / all.total
		capShare := math.Ldexp(g.cap, g.capExp-all.capExp) / all.cap
		if g.empty() {
			withinL.add(math.Inf(1))
			continue
		}
		withinT.add(workShare * g.TheilT())
		withinL.add(capShare * g.MeanLogDeviation())
		withinG.add(workShare * capShare * g.Gini())
	}
	d := Decomposition{
		TheilT:           Parts{all.TheilT(), withinT.value(), means.TheilT()},
		MeanLogDeviation: Parts{all.MeanLogDeviation(), withinL.value(), means.MeanLogDeviation()},
		Gini:             GiniParts{Parts: Parts{all.Gini(), withinG.value(), means.Gini()}},
	}
	d.Gini.Overlap = max(0, d.Gini.Total-d.Gini.Within-d.Gini.Between)
	return d
}

// pool is the sample of all people, and that of the groups as if each were one
// person.
func pool(groups []Sample) (all, means Sample) {
	var work, capacity, groupWork, groupCap []float64
	workExp, capExp := math.MinInt, math.MinInt
	for _, g := range groups {
		if g.total > 0 {
			workExp = max(workExp, g.workExp)
		}
		if g.cap > 0 {
			capExp = max(capExp, g.capExp)
		}
	}
	for _, g := range groups {
		if g.cap == 0 {
			continue
		}
		for _, p := range g.people {
			work = append(work, math.Ldexp(p.work, g.workExp-workExp))
			capacity = append(capacity, math.Ldexp(p.cap, g.capExp-capExp))
		}
		groupWork = append(groupWork, math.Ldexp(g.total, g.workExp-workExp))
		groupCap = append(groupCap, math.Ldexp(g.cap, g.capExp-capExp))
	}
	all, errAll := Weighted(work, capacity)
	means, errMeans := Weighted(groupWork, groupCap)
	if errAll != nil || errMeans != nil {
		// Only capacities of groups that are 2^256 apart come here.
		return Sample{}, Sample{}
	}
	all.shift(workExp, capExp)
	means.shift(workExp, capExp)
	return all, means
}

// shift restores the scale that pool took out.
func (s *Sample) shift(workExp, capExp int) {
	if s.total > 0 {
		s.workExp += workExp
	}
	if s.cap > 0 {
		s.capExp += capExp
	}
}
