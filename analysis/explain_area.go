package analysis

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/ownership"
)

// explainArea takes the ownership and the silo score of an area apart.
func (e *Engine) explainArea(ctx context.Context, w *world, q ExplainQuery) (Explanation, error) {
	to := millis(q.AsOf)
	areas, err := e.ownership(ctx, w, beginning, to)
	if err != nil {
		return Explanation{}, err
	}
	at := slices.IndexFunc(areas, func(a AreaOwnership) bool { return a.Area == q.Area })
	if at < 0 {
		names := make([]string, len(areas))
		for i, a := range areas {
			names[i] = a.Area
		}
		return Explanation{}, fmt.Errorf("there is no area %q with evidence or recent tickets%s", q.Area, Nearby(q.Area, names))
	}
	o := areas[at]
	teams, err := e.teams(ctx, w, to)
	if err != nil {
		return Explanation{}, err
	}
	c := e.config.Ownership
	x := Explanation{Of: fmt.Sprintf("%s: who knows the area, at %s", o.Area, q.AsOf.UTC().Format("2006-01-02 15:04 MST")), AsOf: q.AsOf.UTC()}
	x.People = e.knowers(w, o, teams[o.Team])

	evidence, err := e.evidenceTickets(ctx, w, o, to)
	if err != nil {
		return Explanation{}, err
	}
	for i, h := range o.Holders {
		if h.First {
			// What its tickets do not make up.
			var parts []float64
			for _, t := range evidence {
				if t.pseudonym == h.Pseudonym {
					parts = append(parts, t.weight)
				}
			}
			x.People[i].First = max(0, h.Evidence-sumOf(parts))
		}
	}
	recent, alone, err := e.recentTickets(ctx, w, o, to)
	if err != nil {
		return Explanation{}, err
	}
	x.Figures = append(ownershipFigures(c, o, x.People), siloFigures(c, o, x.People, recent, sharesOf(alone))...)

	list, err := e.listedEvidence(ctx, w, evidence, q.Tickets)
	if err != nil {
		return Explanation{}, err
	}
	x.Tickets = append(x.Tickets, list)
	if list, err = e.listed(ctx, w, alone, q.Tickets); err != nil {
		return Explanation{}, err
	}
	list.Behind, list.Title, list.Unit = listAlone, "recent tickets that nobody but the top holder touched", "tickets"
	x.Tickets = append(x.Tickets, list)

	x.Notes = append(x.Notes, fmt.Sprintf("Evidence: %s for a ticket resolved, %s for writing on another's ticket, %s for each change of status, %s once for the first ticket resolved; each fades by exp(−age/%s), and counts for %s.",
		sig(c.Weights.Resolution), sig(c.Weights.Act), sig(c.Weights.Transition), sig(c.Weights.First), inDays(c.Decay), inDays(c.Memory)))
	if w.crew == nil {
		x.Notes = append(x.Notes, "Provisional: without a roster the team, "+o.Team+", is who is regularly given its tickets, each with the same capacity.")
	}
	return x, nil
}

// knowers are the people whom the score is about, the holders first.
func (e *Engine) knowers(w *world, o AreaOwnership, team map[string]float64) []ExplainedPerson {
	var list []ExplainedPerson
	put := func(pseudonym, name string, capacity, evidence float64) *ExplainedPerson {
		list = append(list, ExplainedPerson{Pseudonym: pseudonym, Name: name, Capacity: capacity, Evidence: &evidence})
		return &list[len(list)-1]
	}
	fte := 0.0
	known := map[string]bool{}
	for _, h := range o.Holders {
		p := put(h.Pseudonym, h.Name, cmp.Or(team[h.Pseudonym], 1), h.Evidence)
		share := h.Share
		p.Share, p.Resolutions, p.Acts, p.Transitions, p.Covers = &share, h.Resolutions, h.Acts, h.Transitions, h.Covers
		known[h.Pseudonym] = true
	}
	for _, pseudonym := range sortedKeys(team) {
		if !known[pseudonym] {
			who, _ := w.people.Find(pseudonym)
			put(pseudonym, who.Name, team[pseudonym], 0)
		}
	}
	for _, p := range list {
		fte += p.Capacity
	}
	alpha := e.config.Ownership.Prior
	for i := range list {
		p := &list[i]
		p.Shrunk = defined((*p.Evidence + alpha*p.Capacity/fte) / (o.Evidence + alpha))
	}
	return list
}

// ownershipFigures are those of the shares of evidence, and who covers the area.
func ownershipFigures(c ownership.Config, o AreaOwnership, people []ExplainedPerson) []ExplainedFigure {
	inputs := []ExplainedInput{
		input("E", o.Evidence, "evidence of all, the sum of the e_p below"), input("α", c.Prior, "evidence that is spread evenly before any is seen, configured"),
		input("n", float64(len(people)), "people: the team "+o.Team+" and all who hold evidence"),
	}
	const shares = "q_p = (e_p + απ_p)/(E + α), π_p the share of capacity"
	if o.Evidence == 0 {
		return []ExplainedFigure{{Name: "ownership_hhi", Formula: "Σ q_p², " + shares, Put: "nobody has evidence", Inputs: inputs}}
	}
	var squares, top, greatest float64
	covering := 0
	for _, p := range people {
		squares += *p.Shrunk * *p.Shrunk
		top, greatest = max(top, *p.Shrunk), max(greatest, *p.Evidence)
	}
	for _, h := range o.Holders {
		if c.Covers(h.Evidence, greatest) {
			covering++
		}
	}
	effective, cover := 1/squares, float64(covering)
	return []ExplainedFigure{
		{Name: "ownership_hhi", Value: defined(squares), Inputs: inputs, Formula: "Σ q_p², " + shares, Put: fmt.Sprintf("over %s, E = %s, α = %s: %s", counted(len(people), "person"), sig(o.Evidence), sig(c.Prior), sig(squares))},
		{Name: "effective_owners", Value: defined(effective), Inputs: inputs, Formula: "1 / Σ q_p²", Put: fmt.Sprintf("1 / %s = %s", sig(squares), sig(effective))},
		{Name: "top_owner", Value: defined(top), Inputs: inputs, Formula: "the greatest q_p, " + shares, Put: fmt.Sprintf("the greatest of %d: %s", len(people), sig(top))},
		{
			Name: "bus_factor", Value: &cover, Inputs: []ExplainedInput{input("owners", float64(len(o.Holders)), "people with evidence"), input("e_top", greatest, "of the top holder"), input("θ", c.Enough, "evidence that is enough")},
			Formula: "how many cover the area: e_p > ¾ e_top and e_p ≥ θ",
			Put:     fmt.Sprintf("over ¾ · %s = %s and at least %s: %d", sig(greatest), sig(0.75*greatest), sig(c.Enough), covering),
		},
	}
}

// siloFigures are the score and its parts.
func siloFigures(c ownership.Config, o AreaOwnership, people []ExplainedPerson, recent, alone uint64) []ExplainedFigure {
	if o.Silo == nil {
		return []ExplainedFigure{{
			Name: "silo", Formula: "0.4·C + 0.3·G + 0.3·D", Inputs: []ExplainedInput{input("E", o.Evidence, "evidence of all")},
			Put: fmt.Sprintf("E = %s is under %s: too little happened for a score", sig(o.Evidence), sig(c.Smallest)),
		}}
	}
	var squares, even, fte, k float64
	for _, p := range people {
		fte += p.Capacity
	}
	for _, p := range people {
		squares += *p.Shrunk * *p.Shrunk
		even += p.Capacity / fte * (p.Capacity / fte)
		k += min(1, *p.Evidence/c.Enough)
	}
	bounded := func(x float64) float64 { return min(1, max(0, x)) }
	concentration := 1.0
	if len(people) > 1 && even < 1 {
		concentration = bounded((squares - even) / (1 - even))
	}
	backup := 1 - bounded((k-1)/(c.Backups-1))
	demand := 0.0
	if recent > 0 {
		demand = float64(alone) / float64(recent)
	}
	score := 0.4*concentration + 0.3*backup + 0.3*demand
	touched, sole := float64(recent)/shares, float64(alone)/shares
	return []ExplainedFigure{
		{
			Name: "concentration", Value: defined(concentration), Formula: "C = (Σq² − Σπ²)/(1 − Σπ²) between 0 and 1, q_p = (e_p + απ_p)/(E + α), π_p the share of capacity",
			Inputs: []ExplainedInput{input("Σq²", squares, "over the people below, shrunk toward even"), input("Σπ²", even, "of their capacities"), input("α", c.Prior, "configured"), input("E", o.Evidence, "evidence of all"), input("n", float64(len(people)), "people: the team "+o.Team+" and all who hold evidence")},
			Put:    fmt.Sprintf("(%s − %s) / (1 − %s) = %s", sig(squares), sig(even), sig(even), sig(concentration)),
		},
		{
			Name: "missing_backup", Value: defined(backup), Formula: "G = 1 − (K − 1)/(k − 1) between 0 and 1, K = Σ min(1, e_p/θ)",
			Inputs: []ExplainedInput{input("K", k, "people who could step in"), input("k", c.Backups, "that are enough, configured"), input("θ", c.Enough, "evidence that is enough, configured")},
			Put:    fmt.Sprintf("1 − (%s − 1)/(%s − 1) = %s", sig(k), sig(c.Backups), sig(backup)),
		},
		{
			Name: "sole_demand", Value: defined(demand), Formula: "D = recent tickets that nobody but the top holder touched / recent tickets that anybody did, of the last " + inDays(c.Demand),
			Inputs: []ExplainedInput{input("alone", sole, "touched by the top holder alone"), input("touched", touched, "touched by anybody")},
			Put:    fmt.Sprintf("%s / %s = %s", sig(sole), sig(touched), sig(demand)),
		},
		{
			Name: "silo", Value: defined(score), Formula: "0.4·C + 0.3·G + 0.3·D",
			Inputs: []ExplainedInput{input("C", concentration, "concentration"), input("G", backup, "missing backup"), input("D", demand, "sole demand")},
			Put:    fmt.Sprintf("0.4 · %s + 0.3 · %s + 0.3 · %s = %s", sig(concentration), sig(backup), sig(demand), sig(score)),
		},
	}
}

// areaParameters are those of inArea.
func (e *Engine) areaParameters(w *world, area string, to int64) map[string]string {
	parameters := w.parameters(to)
	keys := []string{""} // of no area
	for _, key := range sortedKeys(w.areas) {
		if w.areas[key] == area {
			keys = append(keys, key)
		}
	}
	parameters["areas"], parameters["names"] = stringsParameter(keys), stringsParameter([]string{area})
	return parameters
}

// evidenceTickets are the acts that the evidence of an area's holders is made of.
func (e *Engine) evidenceTickets(ctx context.Context, w *world, o AreaOwnership, to int64) ([]evidenceTicket, error) {
	c := e.config.Ownership
	parameters := e.areaParameters(w, o.Area, to)
	parameters["decay"] = numberParameter(c.Decay.Milliseconds())
	parameters["since"] = numberParameter(to - c.Memory.Milliseconds())
	holder := map[string]bool{}
	for _, h := range o.Holders {
		holder[h.Pseudonym] = true
	}
	weights := map[string]float64{actResolution: c.Weights.Resolution, actOther: c.Weights.Act, actTransition: c.Weights.Transition}
	var list []evidenceTicket
	err := e.each(ctx, "evidence by ticket", evidenceTicketsSQL(e.db.Table("tickets")), parameters, func(rows driver.Rows) error {
		var source, key, act string
		var t evidenceTicket
		var actor uint64
		var total int64
		if err := rows.Scan(&source, &key, &t.ticket, &actor, &act, &total); err != nil {
			return err
		}
		t.source, t.act, t.pseudonym = source, act, w.engineer(actor).Pseudonym
		if t.weight = weights[act] * float64(total) / fixed; holder[t.pseudonym] && w.areaName(source, key) == o.Area {
			list = append(list, t)
		}
		return nil
	})
	slices.SortFunc(list, byWeight)
	return list, err
}

// recentTickets are how many shares of recent tickets of an area anybody touched,
// and the tickets that only its top holder did.
func (e *Engine) recentTickets(ctx context.Context, w *world, o AreaOwnership, to int64) (touched uint64, alone []workTicket, err error) {
	parameters := e.areaParameters(w, o.Area, to)
	workers, err := e.workers(ctx, w, e.db.Table("tickets"), parameters)
	if err != nil {
		return 0, nil, err
	}
	parameters["since"] = numberParameter(to - e.config.Ownership.Demand.Milliseconds())
	err = e.each(ctx, "demand by ticket", demandTicketsSQL(e.db.Table("tickets")), parameters, func(rows driver.Rows) error {
		var source, key string
		var id, n uint64
		var actors []uint64
		if err := rows.Scan(&source, &key, &id, &actors, &n); err != nil {
			return err
		}
		if w.areaName(source, key) != o.Area {
			return nil
		}
		var who []string
		for _, actor := range actors {
			if p := w.engineer(actor).Pseudonym; workers[p] && !slices.Contains(who, p) {
				who = append(who, p)
			}
		}
		if len(who) > 0 {
			touched += n
		}
		if len(who) == 1 && len(o.Holders) > 0 && who[0] == o.Holders[0].Pseudonym {
			alone = append(alone, workTicket{id, source, who[0], float64(n) / shares})
		}
		return nil
	})
	return touched, alone, err
}

func sharesOf(tickets []workTicket) uint64 {
	var sum uint64
	for _, t := range tickets {
		sum += uint64(math.Round(t.weight * shares))
	}
	return sum
}

// listedEvidence is the heaviest acts with their tickets' keys.
func (e *Engine) listedEvidence(ctx context.Context, w *world, evidence []evidenceTicket, most int) (ExplainedList, error) {
	work := make([]workTicket, len(evidence))
	for i, t := range evidence {
		work[i] = workTicket{t.ticket, t.source, t.pseudonym, t.weight}
	}
	most = min(most, len(evidence))
	keys, err := e.keys(ctx, work[:most])
	x := ExplainedList{Behind: listEvidence, Title: "what the evidence is", Unit: "evidence", Tickets: []ExplainedTicket{}}
	for _, t := range evidence[:most] {
		p, _ := w.people.Find(t.pseudonym)
		what := map[string]string{actResolution: "resolved", actOther: "wrote on it", actTransition: "moved it on"}[t.act]
		x.Tickets = append(x.Tickets, ExplainedTicket{Key: keys[t.ticket], Source: t.source, Pseudonym: t.pseudonym, Name: p.Name, Weight: t.weight, What: what})
	}
	var rest []float64
	for _, t := range evidence[most:] {
		rest = append(rest, t.weight)
	}
	x.More, x.MoreWeight = len(rest), sumOf(rest)
	return x, err
}

// inDays writes a duration in days.
func inDays(d interface{ Hours() float64 }) string {
	return strconv.FormatFloat(d.Hours()/24, 'g', 4, 64) + " days"
}
