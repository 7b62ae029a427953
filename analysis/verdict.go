package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"fairlead/analysis/distribution"
	"fairlead/analysis/overload"
)

// VerdictConfig is when a team's work is called uneven.
type VerdictConfig struct {
	// Q is the share of teams called uneven, or levelled, that may be so by luck
	// alone.
	Q float64 `yaml:"q"`
	// Hoover is how much more of the work than by luck alone would have to move
	// for unevenness to matter.
	Hoover float64 `yaml:"hoover"`
}

// DefaultVerdictConfig is that of the definition of the measures.
func DefaultVerdictConfig() VerdictConfig {
	rule := distribution.DefaultRule()
	return VerdictConfig{Q: rule.Q, Hoover: rule.Hoover}
}

// Validate names the key that is wrong.
func (c VerdictConfig) Validate() error {
	switch {
	case !(c.Q > 0 && c.Q < 1):
		return fmt.Errorf("q is %g: give a number between 0 and 1", c.Q)
	case !(c.Hoover >= 0 && c.Hoover < 1):
		return fmt.Errorf("hoover is %g: give a number from 0 to under 1", c.Hoover)
	}
	return nil
}

// judged is what the verdict on a group is made of.
type judged struct {
	people         []member
	work, capacity []float64
	weights        []float64         // sorted
	lots           map[lot][]float64 // the same weights, by who could have taken them
	chance         distribution.Chance
}

// of puts people in an order that does not depend on the key of their pseudonyms,
// as a seeded lottery draws in the order of people.
func (j *judged) of(people []member, work, capacity []float64, lots map[lot][]float64) *judged {
	order := make([]int, len(people))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(capacity[a], capacity[b]), cmp.Compare(work[a], work[b]))
	})
	for _, i := range order {
		j.people, j.work, j.capacity = append(j.people, people[i]), append(j.work, work[i]), append(j.capacity, capacity[i])
	}
	j.lots = lots
	return j
}

// knowledge is the evidence that people could take an area's tickets, by area and
// pseudonym: work that they did there themselves. Who commented on what others did
// knows something of it, but that does not show that they could have taken it.
type knowledge map[string]map[string]float64

func knowledgeOf(areas []AreaOwnership) knowledge {
	k := knowledge{}
	for _, a := range areas {
		k[a.Area] = map[string]float64{}
		for _, h := range a.Holders {
			k[a.Area][h.Pseudonym] = h.done
		}
	}
	return k
}

// judge gives each group its chance band and p values. seed names the window.
func (e *Engine) judge(groups []Group, seed string) error {
	upper, lower := make([]float64, len(groups)), make([]float64, len(groups))
	for i := range groups {
		g := &groups[i]
		upper[i], lower[i] = math.NaN(), math.NaN()
		if g.judged == nil {
			continue
		}
		c, err := distribution.ByDraws(e.draws, g.Name+separator+seed, g.judged.work, g.judged.capacity, []distribution.Lot{{Weights: g.judged.weights}})
		if err != nil {
			return fmt.Errorf("judging a team: %w", err)
		}
		g.judged.chance, upper[i], lower[i] = c, c.Upper, c.Lower
		g.ChanceLow, g.ChanceHigh, g.HooverChance = defined(c.GiniLow), defined(c.GiniHigh), defined(c.Hoover)
		g.P, g.PLevelled = defined(c.Upper), defined(c.Lower)
	}
	adjust := adjustmentOf(groups, hasP)
	adjustedUpper, err := adjust.of(upper)
	if err != nil {
		return err
	}
	adjustedLower, err := adjust.of(lower)
	if err != nil {
		return err
	}
	rule := distribution.Rule{Q: e.config.Verdict.Q, Hoover: e.config.Verdict.Hoover}
	for i := range groups {
		g := &groups[i]
		if g.judged == nil {
			continue
		}
		g.PAdjusted = defined(adjustedUpper[i])
		switch rule.Judge(adjustedUpper[i], adjustedLower[i], *g.Hoover, g.judged.chance.Hoover) {
		case distribution.Uneven:
			g.Verdict = Uneven
		case distribution.Levelled:
			g.Verdict = Levelled
		case distribution.WithinChance:
			g.Verdict = WithinChance
		}
	}
	return nil
}

// adjustment is how p values over groups are adjusted.
type adjustment struct {
	name    string
	formula string
	of      func([]float64) ([]float64, error)
}

// adjustmentOf is what keeps false discoveries among the groups that are tested at
// q: the procedure of Benjamini and Yekutieli, which holds whatever the dependence,
// as soon as two of them have a person in common, for what somebody does is then
// part of both; else that of Benjamini and Hochberg. The groups must have their
// people.
func adjustmentOf(groups []Group, tested func(Group) bool) adjustment {
	seen := map[string]bool{}
	for _, g := range groups {
		if !tested(g) {
			continue
		}
		for _, p := range g.Engineers {
			if seen[p.Pseudonym] {
				return adjustment{"Benjamini–Yekutieli, as some people are in several of them", "min over k ≥ rank of p_(k)·m·c/k, c = Σ 1/i up to m", distribution.BenjaminiYekutieli}
			}
			seen[p.Pseudonym] = true
		}
	}
	return adjustment{"Benjamini–Hochberg, as nobody is in two of them", "min over k ≥ rank of p_(k)·m/k", distribution.BenjaminiHochberg}
}

// hasP reports whether a group takes part in the adjustment of verdicts.
func hasP(g Group) bool { return g.P != nil }

// explain deals the work of teams that judge has seen out again among those who were there
// and know the area.
func (e *Engine) explain(w *world, groups []Group, known knowledge, seed string) error {
	for i := range groups {
		g := &groups[i]
		if g.judged == nil {
			continue
		}
		lots, share := e.lots(w, g, known)
		c, err := distribution.ByDraws(e.draws, g.Name+separator+seed, g.judged.work, g.judged.capacity, lots)
		if err != nil {
			return fmt.Errorf("explaining a team: %w", err)
		}
		g.Explained = &Explained{Gini: c.Gini, Part: c.Gini - g.judged.chance.Gini, P: c.Upper, Known: share}
	}
	return nil
}

// lots are the units of a team by who was there in their week and knows their
// areas, and of which share of the work somebody is known to. Those who could
// have taken it are sought only where there is evidence enough for every member
// to be one of them; else it is everybody who was there.
func (e *Engine) lots(w *world, g *Group, known knowledge) ([]distribution.Lot, float64) {
	people := g.judged.people
	presence := map[overload.Week][]float64{}
	able := map[string][]bool{}
	byOdds := map[string]*distribution.Lot{}
	var with, total []float64
	for at, weights := range g.judged.lots {
		week := overload.WeekOf(time.UnixMilli(int64(at.day) * (24 * time.Hour).Milliseconds()))
		there, ok := presence[week]
		if !ok {
			there = w.presence(g, week)
			presence[week] = there
		}
		could, ok := able[at.areas]
		if !ok {
			could = e.able(w, at.areas, people, known)
			able[at.areas] = could
		}
		odds := make([]float64, len(people))
		sum := 0.0
		for i := range people {
			if could == nil || could[i] {
				odds[i] = there[i]
				sum += there[i]
			}
		}
		total = append(total, weights...)
		switch {
		case sum > 0 && could != nil:
			with = append(with, weights...)
		case sum == 0:
			// None of those who could was there.
			copy(odds, there)
		}
		key := fmt.Sprint(odds)
		l := byOdds[key]
		if l == nil {
			l = &distribution.Lot{Odds: odds}
			byOdds[key] = l
		}
		l.Weights = append(l.Weights, weights...)
	}
	lots := make([]distribution.Lot, 0, len(byOdds))
	for _, key := range sortedKeys(byOdds) {
		slices.Sort(byOdds[key].Weights)
		lots = append(lots, *byOdds[key])
	}
	return lots, sumOf(with) / sumOf(total)
}

// presence is the capacity of people in a week; without a roster, and in a week
// in which nobody was there, that of the window.
func (w *world) presence(g *Group, week overload.Week) []float64 {
	there := make([]float64, len(g.judged.people))
	sum := 0.0
	if w.crew != nil && !g.Provisional {
		for i, p := range g.judged.people {
			there[i] = w.crew.roster.Capacity(g.Name, w.crew.persons[p.pseudonym], week.Start(), (week + 1).Start())
			sum += there[i]
		}
	}
	if sum == 0 {
		return g.judged.capacity
	}
	return there
}

// able is who knows one of the areas well enough to step in; nil where too little
// is known of them to say.
func (e *Engine) able(w *world, lotAreas string, people []member, known knowledge) []bool {
	source, ids, _ := strings.Cut(lotAreas, separator)
	if ids == "" {
		return nil
	}
	able := make([]bool, len(people))
	any := false
	for id := range strings.SplitSeq(ids, separator) {
		holders := known[w.areaName(source, id)]
		var evidence []float64
		for _, p := range people {
			evidence = append(evidence, holders[p.pseudonym])
		}
		if sumOf(slices.Clone(evidence)) < e.config.Ownership.Enough*float64(len(people)) {
			continue
		}
		for i, x := range evidence {
			if x >= e.config.Ownership.Enough {
				able[i], any = true, true
			}
		}
	}
	if !any {
		return nil
	}
	return able
}

// leastTrend is the fewest weeks that say anything of a trend.
const leastTrend = 5

// trends gives teams the trend of their excess Gini over the whole weeks in
// [from, to), from what is known of the weeks.
func trends(groups []Group, squads []squad, from, to time.Time) error {
	for i := range groups {
		at := slices.IndexFunc(squads, func(c squad) bool { return c.team == groups[i].Name })
		if at < 0 {
			continue
		}
		series, err := squads[at].excess(from, to)
		if err != nil {
			return fmt.Errorf("following a team: %w", err)
		}
		if len(series) < leastTrend {
			continue
		}
		t := distribution.TrendOf(series)
		if !distribution.Defined(t.TauB) {
			continue // all weeks alike
		}
		weeks, seed := squads[at].weeks(from, to)
		gini, low, high, err := distribution.WeeksInterval(groups[i].Name+separator+seed, weeks, 0.95)
		if err != nil {
			return fmt.Errorf("resampling the weeks of a team: %w", err)
		}
		groups[i].Trend = &Trend{Weeks: series, Tau: t.TauB, Slope: t.Slope, P: t.P, Gini: defined(gini), GiniLow: defined(low), GiniHigh: defined(high)}
	}
	return nil
}

// weeks are the load of each whole week in [from, to), of everybody who was there
// in any, and their first and last to tell them by.
func (c squad) weeks(from, to time.Time) (list []distribution.Week, seed string) {
	place := map[overload.Week]int{}
	for _, m := range c.members {
		for _, r := range m.Records {
			if !r.Week.Start().Before(from) && !(r.Week + 1).Start().After(to) {
				place[r.Week] = 0
			}
		}
	}
	for k, number := range sortedKeys(place) {
		place[number] = k
		list = append(list, distribution.Week{Work: make([]float64, len(c.members)), Capacity: make([]float64, len(c.members))})
		if k == 0 {
			seed = fmt.Sprint(number, "+")
		}
	}
	for i, m := range c.members {
		for _, r := range m.Records {
			if k, ok := place[r.Week]; ok && r.Capacity > 0 {
				list[k].Work[i], list[k].Capacity[i] = r.Load.Sum, r.Capacity
			}
		}
	}
	return list, seed + fmt.Sprint(len(list))
}

// excess is G − E0[G] of the load of each whole week in [from, to) in which the
// team had work.
func (c squad) excess(from, to time.Time) ([]float64, error) {
	type week struct {
		work, capacity []float64
		total          []distribution.Weights
	}
	weeks := map[overload.Week]*week{}
	for _, m := range c.members {
		for _, r := range m.Records {
			if r.Capacity == 0 || r.Week.Start().Before(from) || (r.Week + 1).Start().After(to) {
				continue
			}
			one := weeks[r.Week]
			if one == nil {
				one = &week{}
				weeks[r.Week] = one
			}
			one.work, one.capacity, one.total = append(one.work, r.Load.Sum), append(one.capacity, r.Capacity), append(one.total, r.Load)
		}
	}
	var series []float64
	for _, number := range sortedKeys(weeks) {
		one := weeks[number]
		s, err := distribution.Weighted(one.work, one.capacity)
		if err != nil {
			return nil, err
		}
		null, err := s.Null(together(one.total).H())
		if err != nil {
			return nil, err
		}
		if excess := s.Gini() - null.Gini(); distribution.Defined(excess) && s.People() > 1 {
			series = append(series, excess)
		}
	}
	return series, nil
}
