package analysis

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"

	"fairlead/analysis/distribution"
)

// sig writes a number so that a reader can follow the arithmetic.
func sig(x float64) string { return strconv.FormatFloat(x, 'g', 5, 64) }

func orUndefined(x *float64) string {
	if x == nil {
		return "undefined"
	}
	return sig(*x)
}

// input makes one of a formula.
func input(name string, value float64, says string) ExplainedInput {
	return ExplainedInput{name, value, says}
}

// spreadFigures are the indices over the people, summed as they are defined.
func spreadFigures(g *Group) []ExplainedFigure {
	work := func(p Part) float64 { return p.Value }
	var total, capacity float64
	for _, p := range g.Engineers {
		total, capacity = total+work(p), capacity+p.Capacity
	}
	inputs := []ExplainedInput{
		input("n", float64(len(g.Engineers)), "people"),
		input("W", total, "work of all of them, the sum of the W_i"),
		input("C", capacity, "capacity of all of them, the sum of the c_i"),
	}
	var gini, hoover, hhi, cv2, theil, top float64
	for _, a := range g.Engineers {
		pa, sa := a.Capacity/capacity, work(a)/total
		hoover += math.Abs(sa-pa) / 2
		hhi += sa * sa
		cv2 += (sa - pa) * (sa - pa) / pa
		top = max(top, sa)
		if sa > 0 {
			theil += sa * math.Log(sa/pa)
		}
		for _, b := range g.Engineers {
			pb, sb := b.Capacity/capacity, work(b)/total
			gini += pa * pb * math.Abs(sa/pa-sb/pb) / 2
		}
	}
	over := fmt.Sprintf("over the %s below, W = %s, C = %s", counted(len(g.Engineers), "person"), sig(total), sig(capacity))
	figure := func(name, formula string, value float64) ExplainedFigure {
		f := ExplainedFigure{Name: name, Formula: formula, Value: defined(value), Inputs: inputs}
		f.Put = over + ": " + orUndefined(f.Value)
		return f
	}
	const where = ", where p_i = c_i/C, s_i = W_i/W, r_i = s_i/p_i"
	list := []ExplainedFigure{
		figure("gini", "½ Σ_i Σ_j p_i p_j |r_i − r_j|"+where, gini),
		figure("hoover", "½ Σ |s_i − p_i|"+where+": the share of the work that would have to move", hoover),
		figure("hhi", "Σ s_i²", hhi),
		figure("effective", "1 / Σ s_i²: as many people with equal work would be as concentrated", 1/hhi),
		figure("top_share", "the largest s_i", top),
		figure("theil", "Σ s_i ln(s_i/p_i), where 0 ln 0 is 0", theil),
		figure("cv2", "Σ (s_i − p_i)²/p_i", cv2),
	}
	return append(list, intervalFigures(g)...)
}

// sizeFigures are how much work of how many people it is.
func sizeFigures(q ExplainQuery, g *Group) []ExplainedFigure {
	people, capacity := float64(len(g.Engineers)), 0.0
	for _, p := range g.Engineers {
		capacity += p.Capacity
	}
	who, each := "who had a ticket of it in the window", "each counts as one, without a roster"
	if !g.Provisional {
		who, each = "members who were there in the window, by the roster", "the part of full time that each was there for, by the roster"
	}
	list := []ExplainedFigure{
		{
			Name: "engineers", Value: &people, Formula: "how many are counted: " + who, Inputs: []ExplainedInput{input("n", people, who)},
			Put: counted(len(g.Engineers), "person") + ", listed below",
		},
		{
			Name: "capacity", Value: defined(capacity), Formula: "Σ c_i, in full-time equivalents: " + each, Inputs: []ExplainedInput{input("C", capacity, "the sum of the c_i of the people below")},
			Put: "over the " + counted(len(g.Engineers), "person") + " below: " + sig(capacity),
		},
		{
			Name: "total", Value: &g.Total, Formula: "Σ W_i, in " + unitOf(q), Inputs: []ExplainedInput{input("W", g.Total, "the sum of the W_i of the people below")},
			Put: "over the " + counted(len(g.Engineers), "person") + " below: " + sig(g.Total),
		},
	}
	return append(list, averageFigure(q, "W", "the work of all", g.Total)...)
}

// averageFigure is how much work was open on average over a window; none for what
// is not open work, and for a window without beginning.
func averageFigure(q ExplainQuery, symbol, says string, work float64) []ExplainedFigure {
	from, to := q.Window.Bounds(q.AsOf)
	if q.Basis != Load || from.IsZero() {
		return nil
	}
	days := to.Sub(from).Hours() / 24
	average := work / days
	return []ExplainedFigure{{
		Name: "average_load", Value: defined(average), Formula: symbol + " / days of the window: so much was open at a time, on average",
		Inputs: []ExplainedInput{input(symbol, work, says+", in "+unitOf(q)), input("days", days, "of the window")},
		Put:    fmt.Sprintf("%s / %s = %s", sig(work), sig(days), sig(average)),
	}}
}

// intervalFigures are the ends of the jackknife interval, from the Gini of the
// group without each of its people.
func intervalFigures(g *Group) []ExplainedFigure {
	if g.GiniLow == nil || g.GiniHigh == nil {
		return nil
	}
	work, capacity := make([]float64, len(g.Engineers)), make([]float64, len(g.Engineers))
	for i, p := range g.Engineers {
		work[i], capacity[i] = p.Value, p.Capacity
	}
	s, err := distribution.Weighted(work, capacity)
	if err != nil {
		return nil // measured before, so that this cannot be
	}
	j := s.JackknifeGini(false)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(j.People - 1)}.Quantile(0.975)
	inputs := []ExplainedInput{
		input("gini", *g.Gini, "as above"), input("SE", j.SE, "√((n−1)/n · Σ(G_(−i) − mean)²), where G_(−i) is the Gini without person i"),
		input("n", float64(j.People), "people"), input("t", t, "97.5th percentile of Student's t with n − 1 degrees of freedom"),
	}
	end := func(name, sign string, value *float64) ExplainedFigure {
		return ExplainedFigure{
			Name: name, Value: value, Inputs: inputs,
			Formula: "gini " + sign + " t·SE, at least 0 and at most 1: a 95 % interval, by the jackknife over people",
			Put:     fmt.Sprintf("%s %s %s · %s = %s", sig(*g.Gini), sign, sig(t), sig(j.SE), sig(*value)),
		}
	}
	return []ExplainedFigure{end("gini_low", "−", g.GiniLow), end("gini_high", "+", g.GiniHigh)}
}

// luck is Σw and Σw² of what makes up the work of a group's people.
func luck(g *Group, d *dealtWork) distribution.Weights {
	var sizes []distribution.Weights
	for _, p := range g.Engineers {
		if t := d.tallied[g.Name]; t != nil && t.people[p.Pseudonym] != nil {
			one := t.people[p.Pseudonym]
			sizes = append(sizes, distribution.Weights{N: one.items, Sum: one.value, Squares: one.square})
		}
	}
	return together(sizes)
}

// chanceFigures are what luck alone gives.
func chanceFigures(g *Group, d *dealtWork) []ExplainedFigure {
	weights := luck(g, d)
	h := weights.H()
	inputs := []ExplainedInput{
		input("Σw", weights.Sum, "weights of the decisions that dealt the work out: assignments, with children of one parent given in one go as one"),
		input("Σw²", weights.Squares, "their squares"),
		input("h", h, "Σw²/(Σw)²; 1/h is how many equal tickets have as much luck in them"),
	}
	of := fmt.Sprintf("h = %s / %s² = %s, as of %s equal tickets", sig(weights.Squares), sig(weights.Sum), sig(h), sig(1/h))
	if g.GiniChance == nil {
		f := ExplainedFigure{Name: "gini_chance", Inputs: inputs, Formula: "√(h/2π) Σ_{i≠j} √(p_i p_j (p_i + p_j))"}
		f.Put = of + fmt.Sprintf(": under %d a head for %s, so nothing is said of chance", distribution.MinTicketsPerHead, counted(g.People, "person"))
		return []ExplainedFigure{f}
	}
	var sum, capacity float64
	for _, p := range g.Engineers {
		capacity += p.Capacity
	}
	for i, a := range g.Engineers {
		for j, b := range g.Engineers {
			if i != j {
				pa, pb := a.Capacity/capacity, b.Capacity/capacity
				sum += math.Sqrt(pa * pb * (pa + pb))
			}
		}
	}
	chance := math.Sqrt(h/(2*math.Pi)) * sum
	excess := *g.Gini - chance
	return []ExplainedFigure{
		{
			Name: "gini_chance", Value: defined(chance), Inputs: append(inputs, input("Σ√", sum, "Σ_{i≠j} √(p_i p_j (p_i + p_j)) over the people below")),
			Formula: "√(h/2π) Σ_{i≠j} √(p_i p_j (p_i + p_j)): the Gini to expect if every ticket fell to people by lot, in proportion to capacity",
			Put:     of + fmt.Sprintf("; √(%s/2π) · %s = %s", sig(h), sig(sum), sig(chance)),
		},
		{
			Name: "gini_excess", Value: defined(excess), Inputs: []ExplainedInput{input("gini", *g.Gini, "as above"), input("gini_chance", chance, "as above")},
			Formula: "gini − gini_chance", Put: fmt.Sprintf("%s − %s = %s", sig(*g.Gini), sig(chance), sig(excess)),
		},
	}
}

// verdictFigures are the p values and what follows from them and the size.
func (e *Engine) verdictFigures(g *Group, groups []Group) []ExplainedFigure {
	if g.P == nil {
		return []ExplainedFigure{{
			Name: "verdict", Verdict: "none", Formula: "a verdict needs two people and five tickets a head",
			Put: counted(g.People, "person") + ", " + counted(int(g.Items), "item"),
		}}
	}
	draws := "of " + strconv.Itoa(e.draws) + " dealings by lot, seeded by the team and the window (of few equal tickets, of all possible ones)"
	p := ExplainedFigure{
		Name: "p", Value: g.P, Inputs: []ExplainedInput{input("T", *g.CV2, "the unevenness seen, cv2")},
		Formula: "(1 + #{T_b ≥ T}) / (B + 1), " + draws,
		Put:     "T = " + sig(*g.CV2) + ": " + sig(*g.P),
	}
	upper, lower := make([]float64, 0, len(groups)), make([]float64, 0, len(groups))
	own := -1
	var inputs []ExplainedInput
	for _, o := range groups {
		if o.P == nil {
			continue
		}
		if o.Name == g.Name {
			own = len(upper)
		}
		upper, lower = append(upper, *o.P), append(lower, *o.PLevelled)
		inputs = append(inputs, input("p["+o.Name+"]", *o.P, "p of "+o.Name), input("p_levelled["+o.Name+"]", *o.PLevelled, "of at most that unevenness"))
	}
	adjust := adjustmentOf(groups, hasP)
	adjustedUpper, errUpper := adjust.of(upper)
	adjustedLower, errLower := adjust.of(lower)
	if errUpper != nil || errLower != nil {
		return []ExplainedFigure{p} // p values come from judge, which has adjusted them
	}
	up, low := adjustedUpper[own], adjustedLower[own]
	adjusted := ExplainedFigure{
		Name: "p_adjusted", Value: defined(up), Inputs: inputs,
		Formula: adjust.formula + ", over the m teams that have a verdict (" + adjust.name + ")",
		Put:     fmt.Sprintf("m = %d: %s → %s", len(upper), sig(*g.P), sig(up)),
	}
	rule := distribution.Rule{Q: e.config.Verdict.Q, Hoover: e.config.Verdict.Hoover}
	size := *g.Hoover - *g.HooverChance
	verdict := ExplainedFigure{
		Name: "verdict", Verdict: string(g.Verdict),
		Formula: fmt.Sprintf("uneven if p_adjusted ≤ %s and hoover − hoover_chance ≥ %s; else levelled if the adjusted p of the other tail ≤ %s; else within_chance", sig(rule.Q), sig(rule.Hoover), sig(rule.Q)),
		Inputs: []ExplainedInput{
			input("p_adjusted", up, "as above"), input("p_levelled_adjusted", low, "the same for at most that unevenness"),
			input("hoover", *g.Hoover, "as above"), input("hoover_chance", *g.HooverChance, "the mean of the same lottery"),
			input("q", rule.Q, "configured"), input("size", rule.Hoover, "configured"),
		},
		Put: fmt.Sprintf("p_adjusted = %s, hoover − hoover_chance = %s − %s = %s, p_levelled adjusted = %s: %s",
			sig(up), sig(*g.Hoover), sig(*g.HooverChance), sig(size), sig(low), g.Verdict),
	}
	band := func(name, says string, value *float64) ExplainedFigure {
		return ExplainedFigure{
			Name: name, Value: value, Inputs: []ExplainedInput{input("B", float64(e.draws), "dealings at most")},
			Formula: "the Gini that luck alone stays " + says + " 95 times in a hundred, " + draws,
			Put:     orUndefined(value),
		}
	}
	return []ExplainedFigure{band("gini_chance_low", "above", g.ChanceLow), band("gini_chance_high", "below", g.ChanceHigh), p, adjusted, verdict}
}

// explainedFigure is the part that skills and absence account for.
func explainedFigure(g *Group) ExplainedFigure {
	x := g.Explained
	chance := x.Gini - x.Part
	return ExplainedFigure{
		Name: "gini_explained", Value: &x.Part,
		Formula: "G₂ − G₁, where each is the mean Gini of its dealings by lot: G₁ among all in proportion to capacity, G₂ among those who were there that week and know the area (evidence of at least θ)",
		Inputs: []ExplainedInput{
			input("G₁", chance, "of luck among all"), input("G₂", x.Gini, "of luck among who was there and knows the area"),
			input("p", x.P, "of at least the cv2 seen under the second"), input("known", x.Known, "share of the work of which it is known who could have taken it"),
		},
		Put: fmt.Sprintf("%s − %s = %s", sig(x.Gini), sig(chance), sig(x.Part)),
	}
}

// partFigures are those of one engineer in a group.
func partFigures(q ExplainQuery, g *Group, p *Part, d *dealtWork) []ExplainedFigure {
	inputs := []ExplainedInput{
		input("W_i", p.Value, "their work in "+g.Name), input("W", g.Total, "the work of all "+counted(g.People, "person")),
		input("c_i", p.Capacity, "their capacity, FTE that was present"), input("C", g.Capacity, "the capacity of all"),
	}
	if g.Total == 0 {
		return append(averageFigure(q, "W_i", "their work in "+g.Name, 0), ExplainedFigure{Name: "relative_load", Inputs: inputs, Formula: "(W_i/W) / (c_i/C)", Put: "there is no work in the window"})
	}
	share, even := p.Value/g.Total, p.Capacity/g.Capacity
	relative := share / even
	list := append(averageFigure(q, "W_i", "their work in "+g.Name, p.Value), ExplainedFigure{
		Name: "relative_load", Value: defined(relative), Inputs: inputs,
		Formula: "(W_i/W) / (c_i/C): 1 is an even share",
		Put:     fmt.Sprintf("in %s: (%s/%s) / (%s/%s) = %s / %s = %s", g.Name, sig(p.Value), sig(g.Total), sig(p.Capacity), sig(g.Capacity), sig(share), sig(even), sig(relative)),
	})
	if p.Z == nil || p.Tail == nil {
		return list
	}
	h := luck(g, d).H()
	chance := []ExplainedInput{input("s", share, "W_i/W"), input("p", even, "c_i/C"), input("h", h, "Σw²/(Σw)² of all work of the team: luck in it is that of 1/h equal tickets")}
	z := distribution.ShareZ(share, even, h)
	tail := distribution.BinomialUpperTail(min(share/h, 1/h), 1/h, even)
	return append(list,
		ExplainedFigure{
			Name: "z", Value: defined(z), Inputs: chance, Formula: "(s − p) / √(h p (1 − p)): standard deviations above an even share",
			Put: fmt.Sprintf("(%s − %s) / √(%s · %s · %s) = %s", sig(share), sig(even), sig(h), sig(even), sig(1-even), sig(z)),
		},
		ExplainedFigure{
			Name: "tail", Value: defined(tail), Inputs: chance, Formula: "P(X ≥ s/h), X binomial with 1/h tickets of probability p each: by luck alone as much or more",
			Put: fmt.Sprintf("P(X ≥ %s) of %s with p = %s: %s", sig(share/h), sig(1/h), sig(even), sig(tail)),
		})
}
