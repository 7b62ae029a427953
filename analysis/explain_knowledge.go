package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fairlead/analysis/ownership"
	"fairlead/analysis/people"
)

// teamKnowledge tells how much of a team's areas hangs on how few people.
func (t *telling) teamKnowledge(ctx context.Context) error {
	areas, own, err := t.areasOf(ctx, t.q.Team)
	if err != nil || len(own) == 0 {
		return err
	}
	k := t.e.knowledges(areas)[t.q.Team]
	t.put(Where{}, busFigures(t.e.config.Ownership, own, k)...)
	evidence, err := t.e.evidenceTickets(ctx, t.w, own, nil, t.to())
	if err != nil {
		return err
	}
	return t.known(ctx, Where{}, own, evidence)
}

// areasOf are all areas, and those that are a team's, by name.
func (t *telling) areasOf(ctx context.Context, team string) (all, own []AreaOwnership, err error) {
	if all, err = t.ownership(ctx); err != nil {
		return nil, nil, err
	}
	for _, a := range all {
		if a.Team == team {
			own = append(own, a)
		}
	}
	slices.SortFunc(own, func(a, b AreaOwnership) int { return strings.Compare(a.Area, b.Area) })
	return all, own, nil
}

// known lists the recent tickets of areas, and the evidence of who knows them.
func (t *telling) known(ctx context.Context, in Where, areas []AreaOwnership, evidence []evidenceTicket) error {
	names := make([]string, len(areas))
	for i, a := range areas {
		names[i] = a.Area
	}
	recent, err := t.e.demandTickets(ctx, t.w, names, t.to())
	if err != nil {
		return err
	}
	demand := make([]workTicket, len(recent))
	for i, r := range recent {
		demand[i] = r.ticket("", r.area)
	}
	told := tellingEvidence(evidence, t.e.config.Ownership, t.q.AsOf)
	for i := range told {
		told[i].what = evidence[i].area + ": " + told[i].what
	}
	suffix := ""
	if in.Team != "" {
		suffix = " (" + in.Team + ")"
	}
	t.list(listDemand, in, "tickets of the last "+inDays(t.e.config.Ownership.Demand)+" in these areas"+suffix, "tickets", demand)
	t.list(listEvidence, in, "what the evidence of these areas is"+suffix, "evidence", told)
	return nil
}

// busFigures are the bus factor and the silo score of a team, and how many of its
// areas only one person covers.
func busFigures(c ownership.Config, own []AreaOwnership, k TeamKnowledge) []ExplainedFigure {
	var list []ExplainedFigure
	var covered, scored, weight float64
	var demands, scores, sole []ExplainedInput
	var terms []string
	for _, a := range own {
		if a.BusFactor > 0 {
			covered += a.Tickets
			demands = append(demands, input("demand["+a.Area+"]", a.Tickets, "recent tickets; covered by "+counted(a.BusFactor, "person")))
		}
		if a.Silo != nil {
			scored, weight = scored+a.Tickets*a.Silo.Score, weight+a.Tickets
			scores = append(scores, input("t["+a.Area+"]", a.Tickets, "recent tickets"), input("S["+a.Area+"]", a.Silo.Score, "its silo score"))
			terms = append(terms, sig(a.Tickets)+" · "+sig(a.Silo.Score))
		}
		if a.BusFactor == 1 {
			holder := "one person"
			if a.Sole != nil {
				holder = a.Sole.Pseudonym
			}
			sole = append(sole, input(a.Area, 1, "only "+holder+" covers it"))
		}
	}
	if b := k.Bus; b != nil {
		people := float64(b.People)
		how := "every set of people was tried, the smallest first"
		if !b.Exact {
			how = "with so many people found by taking the one who uncovers most, again and again: at most so many"
		}
		list = append(list, ExplainedFigure{
			Name: "bus_factor", Value: &people, Inputs: append(demands, input("covered", covered, "recent tickets in areas that somebody covers")),
			Formula: fmt.Sprintf("the fewest people whose leaving leaves at least half of the demand of the areas that somebody covers without anybody who does: e_p > ¾ e_top and e_p ≥ %s; %s", sig(c.Enough), how),
			Put:     fmt.Sprintf("without %s nobody covers %s: %s %% of %s tickets", strings.Join(b.Who, ", "), strings.Join(b.Uncovered, ", "), sig(100*b.Demand), sig(covered)),
		})
	}
	if k.Silo != nil {
		score := scored / weight
		list = append(list, ExplainedFigure{
			Name: "silo", Value: defined(score), Inputs: scores, Formula: "Σ t_a S_a / Σ t_a over the team's areas that have a score S_a, by their recent tickets t_a",
			Put: fmt.Sprintf("(%s) / %s = %s", strings.Join(terms, " + "), sig(weight), sig(score)),
		})
	}
	n := float64(len(sole))
	return append(list, ExplainedFigure{
		Name: "sole_holder_areas", Value: &n, Inputs: sole, Formula: fmt.Sprintf("areas of the team that exactly one person covers: e_p > ¾ e_top and e_p ≥ %s", sig(c.Enough)),
		Put: fmt.Sprintf("of %s: %d", counted(len(own), "area"), len(sole)),
	})
}

// evidenceBy is somebody's evidence of the areas that are asked about, act by act,
// read once.
func (t *telling) evidenceBy(ctx context.Context, who people.Engineer) ([]evidenceTicket, error) {
	if t.evidence != nil {
		return t.evidence, nil
	}
	areas, err := t.ownership(ctx)
	if err != nil {
		return nil, err
	}
	var own []AreaOwnership
	for _, a := range areas {
		if (t.q.Area == "" || a.Area == t.q.Area) && slices.ContainsFunc(a.Holders, func(h Holder) bool { return h.Pseudonym == who.Pseudonym }) {
			own = append(own, a)
		}
	}
	t.evidence, err = t.e.evidenceTickets(ctx, t.w, own, who.Surrogates(), t.to())
	return t.evidence, err
}

// engineerLeaving tells what would be without anybody if somebody were not there,
// in each team.
func (t *telling) engineerLeaving(ctx context.Context, who people.Engineer) error {
	areas, err := t.ownership(ctx)
	if err != nil {
		return err
	}
	knowledge := t.e.knowledges(areas)
	for _, team := range sortedKeys(knowledge) {
		k := knowledge[team]
		at := slices.IndexFunc(k.WhatIf, func(l WhatIf) bool { return l.Pseudonym == who.Pseudonym })
		if at < 0 || t.q.Team != "" && team != t.q.Team {
			continue
		}
		l := k.WhatIf[at]
		var lost []AreaOwnership
		var inputs []ExplainedInput
		for _, a := range areas {
			if slices.Contains(l.Uncovered, a.Area) && a.Team == team {
				lost = append(lost, a)
				inputs = append(inputs, input(a.Area, a.Tickets, "recent tickets; nobody else covers it"))
			}
		}
		n := float64(len(lost))
		t.put(Where{Team: team}, ExplainedFigure{
			Name: "uncovered_areas", Value: &n, Inputs: inputs, Formula: "areas of " + team + " that nobody else covers",
			Put: strings.Join(l.Uncovered, ", ") + ": " + sig(n),
		}, ExplainedFigure{
			Name: "orphaned_demand", Value: &l.Share, Formula: "recent tickets in these areas / recent tickets in all areas of " + team,
			Inputs: []ExplainedInput{input("orphaned", l.Demand, "in the areas that nobody else covers"), input("demand", k.Demand, "in all "+counted(k.Areas, "area")+" of "+team)},
			Put:    fmt.Sprintf("%s / %s = %s", sig(l.Demand), sig(k.Demand), sig(l.Share)),
		})
		evidence, err := t.evidenceBy(ctx, who)
		if err != nil {
			return err
		}
		evidence = slices.DeleteFunc(slices.Clone(evidence), func(one evidenceTicket) bool {
			return one.pseudonym != who.Pseudonym || !slices.ContainsFunc(lost, func(a AreaOwnership) bool { return a.Area == one.area })
		})
		if err := t.known(ctx, Where{Team: team}, lost, evidence); err != nil {
			return err
		}
	}
	return nil
}

// engineerEvidence tells what somebody knows of each area, or of one.
func (t *telling) engineerEvidence(ctx context.Context, who people.Engineer) error {
	areas, err := t.ownership(ctx)
	if err != nil {
		return err
	}
	if t.q.Area != "" {
		one, err := t.areaCalled(ctx, t.q.Area)
		if err != nil {
			return err
		}
		areas = []AreaOwnership{one}
	}
	var own []AreaOwnership
	var mine []Holder
	for _, a := range areas {
		if i := slices.IndexFunc(a.Holders, func(h Holder) bool { return h.Pseudonym == who.Pseudonym }); i >= 0 {
			own, mine = append(own, a), append(mine, a.Holders[i])
		}
	}
	if len(own) == 0 {
		return nil
	}
	evidence, err := t.evidenceBy(ctx, who)
	if err != nil {
		return err
	}
	c := t.e.config.Ownership
	for i, a := range own {
		var acts []evidenceTicket
		for _, one := range evidence {
			if one.area == a.Area && one.pseudonym == who.Pseudonym {
				acts = append(acts, one)
			}
		}
		t.put(Where{Area: a.Area}, evidenceFigures(c, a, mine[i], acts)...)
		t.list(listEvidence, Where{Area: a.Area}, "what they did in "+a.Area, "evidence", tellingEvidence(acts, c, t.q.AsOf))
	}
	t.x.Notes = append(t.x.Notes, evidenceNote(c))
	return nil
}

// evidenceFigures are somebody's evidence of an area, their share of all, and
// whether that covers it.
func evidenceFigures(c ownership.Config, a AreaOwnership, h Holder, acts []evidenceTicket) []ExplainedFigure {
	parts := map[string][]float64{}
	for _, one := range acts {
		parts[one.act] = append(parts[one.act], one.faded)
	}
	r, w, m := sumOf(parts[actResolution]), sumOf(parts[actOther]), sumOf(parts[actTransition])
	first := 0.0
	if h.First {
		first = firstOf(h, acts, a.Area)
	}
	evidence := c.Weights.Resolution*r + c.Weights.Act*w + c.Weights.Transition*m + first
	share, top := evidence/a.Evidence, a.Holders[0].Evidence
	says := "no"
	if h.Covers {
		says = "yes"
		if a.BusFactor == 1 {
			says = "yes, alone"
		}
	}
	covers := 0.0
	if h.Covers {
		covers = 1
	}
	return []ExplainedFigure{
		{
			Name: "evidence", Value: defined(evidence),
			Formula: fmt.Sprintf("e_p = %s · resolved + %s · wrote + %s · moved on + first, where each act fades by exp(−age/%s), counts for %s, and is divided between the areas of its ticket",
				sig(c.Weights.Resolution), sig(c.Weights.Act), sig(c.Weights.Transition), inDays(c.Decay), inDays(c.Memory)),
			Inputs: []ExplainedInput{
				input("resolved", r, fmt.Sprintf("Σ exp(−age/%s) over %s resolved", inDays(c.Decay), counted(int(h.Resolutions), "ticket"))),
				input("wrote", w, fmt.Sprintf("the same over %s of others that they wrote or logged work on, the last time each", counted(int(h.Acts), "ticket"))),
				input("moved on", m, fmt.Sprintf("the same over %s of status", counted(int(h.Transitions), "change"))),
				input("first", first, sig(c.Weights.First)+" once for the first ticket resolved in the area that is known, faded likewise; 0 for everybody else"),
			},
			Put: fmt.Sprintf("%s · %s + %s · %s + %s · %s + %s = %s", sig(c.Weights.Resolution), sig(r), sig(c.Weights.Act), sig(w), sig(c.Weights.Transition), sig(m), sig(first), sig(evidence)),
		},
		{
			Name: "area_evidence", Value: defined(share), Formula: "e_p / E: their part of what all know of it",
			Inputs: []ExplainedInput{input("e_p", evidence, "as above"), input("E", a.Evidence, "evidence of all "+counted(a.Owners, "person"))},
			Put:    fmt.Sprintf("%s / %s = %s", sig(evidence), sig(a.Evidence), sig(share)),
		},
		{
			Name: "covers", Value: &covers, Verdict: says, Formula: "whether they could keep the area going: e_p > ¾ e_top and e_p ≥ θ",
			Inputs: []ExplainedInput{input("e_p", evidence, "as above"), input("e_top", top, "of who knows it best"), input("θ", c.Enough, "evidence that is enough")},
			Put:    fmt.Sprintf("%s against ¾ · %s = %s and %s: %s", sig(evidence), sig(top), sig(0.75*top), sig(c.Enough), says),
		},
	}
}
