package analysis

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"fairlead/analysis/ownership"
)

// area takes the ownership and the silo score of an area apart.
func (t *telling) area(ctx context.Context) error {
	e, w, q := t.e, t.w, t.q
	o, err := t.areaCalled(ctx, q.Area)
	if err != nil {
		return err
	}
	teams, err := e.teams(ctx, w, t.to())
	if err != nil {
		return err
	}
	c := e.config.Ownership
	t.x.Of = fmt.Sprintf("%s: who knows the area, at %s", o.Area, q.AsOf.UTC().Format("2006-01-02 15:04 MST"))
	t.x.People = e.knowers(w, o, teams[o.Team])

	evidence, err := e.evidenceTickets(ctx, w, []AreaOwnership{o}, nil, t.to())
	if err != nil {
		return err
	}
	for i, h := range o.Holders {
		if h.First {
			t.x.People[i].First = firstOf(h, evidence, o.Area)
		}
	}
	recent, err := e.demandTickets(ctx, w, []string{o.Area}, t.to())
	if err != nil {
		return err
	}
	var touched uint64
	var alone []workTicket
	for _, d := range recent {
		if len(d.who) > 0 {
			touched += d.shares
		}
		if len(d.who) == 1 && len(o.Holders) > 0 && d.who[0] == o.Holders[0].Pseudonym {
			alone = append(alone, d.ticket(d.who[0], ""))
		}
	}
	t.put(Where{}, ownershipFigures(c, o, t.x.People)...)
	t.put(Where{}, absentFigures(o)...)
	t.put(Where{}, siloFigures(c, o, t.x.People, touched, sharesOf(alone))...)
	t.list(listEvidence, Where{}, "what the evidence is", "evidence", tellingEvidence(evidence, c, q.AsOf))
	t.list(listAlone, Where{}, "recent tickets that nobody but the top holder touched", "tickets", alone)
	t.x.Notes = append(t.x.Notes, evidenceNote(c))
	if w.crew == nil {
		t.x.Notes = append(t.x.Notes, "Provisional: without a roster the team, "+o.Team+", is who is regularly given its tickets, each with the same capacity.")
	}
	return nil
}

// areaCalled is the area of a name.
func (t *telling) areaCalled(ctx context.Context, name string) (AreaOwnership, error) {
	areas, err := t.ownership(ctx)
	if err != nil {
		return AreaOwnership{}, err
	}
	at := slices.IndexFunc(areas, func(a AreaOwnership) bool { return a.Area == name })
	if at < 0 {
		names := make([]string, len(areas))
		for i, a := range areas {
			names[i] = a.Area
		}
		return AreaOwnership{}, fmt.Errorf("there is no area %q with evidence or recent tickets%s", name, Nearby(name, names))
	}
	return areas[at], nil
}

func evidenceNote(c ownership.Config) string {
	return fmt.Sprintf("Evidence: %s for a ticket resolved, %s for writing on another's ticket, %s for each change of status, %s once for the first ticket resolved; each fades by exp(−age/%s), and counts for %s.",
		sig(c.Weights.Resolution), sig(c.Weights.Act), sig(c.Weights.Transition), sig(c.Weights.First), inDays(c.Decay), inDays(c.Memory))
}

// firstOf is what having resolved the area's first ticket adds to somebody's
// evidence: what their tickets do not make up.
func firstOf(h Holder, evidence []evidenceTicket, area string) float64 {
	var parts []float64
	for _, one := range evidence {
		if one.pseudonym == h.Pseudonym && one.area == area {
			parts = append(parts, one.weight)
		}
	}
	return max(0, h.Evidence-sumOf(parts))
}

// absentFigures are of who alone covers an area and is not there.
func absentFigures(o AreaOwnership) []ExplainedFigure {
	if o.Sole == nil || o.Sole.Absence == Present {
		return nil
	}
	absent := 1.0
	says := map[Absence]string{Away: "is away", Leaving: "has a last day", Gone: "works here no more"}[o.Sole.Absence]
	if !o.Sole.When.IsZero() {
		says += ", " + map[Absence]string{Away: "back on ", Leaving: "the first day without them is ", Gone: "since "}[o.Sole.Absence] + o.Sole.When.Format(time.DateOnly)
	}
	return []ExplainedFigure{{
		Name: "sole_holder_absent", Value: &absent, Formula: "1 where only one person covers the area (or did, who has left), and the roster says that they are away, leaving or gone",
		Inputs: []ExplainedInput{input("covering", float64(o.BusFactor), "people who cover it now")},
		Put:    o.Sole.Pseudonym + " " + says + ": 1",
	}}
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
			Inputs: []ExplainedInput{
				input("C", concentration, "concentration"), input("G", backup, "missing backup"), input("D", demand, "sole demand"),
				input("E", o.Evidence, "evidence that C and G are made of: where it is little, one ticket changes them much"), input("touched", touched, "recent tickets that D is made of, likewise"),
			},
			Put: fmt.Sprintf("0.4 · %s + 0.3 · %s + 0.3 · %s = %s", sig(concentration), sig(backup), sig(demand), sig(score)),
		},
	}
}

// areaParameters are those of inArea, for areas by name.
func (w *world) areaParameters(areas []string, to int64) map[string]string {
	parameters := w.parameters(to)
	keys := []string{""} // of no area
	for _, key := range sortedKeys(w.areas) {
		if slices.Contains(areas, w.areas[key]) {
			keys = append(keys, key)
		}
	}
	parameters["areas"], parameters["names"] = stringsParameter(keys), stringsParameter(areas)
	return parameters
}

// evidenceTicket is what one kind of act on a ticket adds to somebody's evidence
// of an area.
type evidenceTicket struct {
	area      string
	ticket    uint64
	source    string
	pseudonym string
	act       string
	n         uint64 // acts
	last      int64  // when the last of them was
	faded     float64
	weight    float64 // faded, times what such an act counts
}

// evidenceTickets are the acts that the evidence of the areas' holders is made of,
// the heaviest first; of some accounts only or, for none, of all.
func (e *Engine) evidenceTickets(ctx context.Context, w *world, areas []AreaOwnership, actors []uint64, to int64) ([]evidenceTicket, error) {
	c := e.config.Ownership
	type holding struct{ area, pseudonym string }
	holders, names := map[holding]bool{}, []string{}
	for _, o := range areas {
		names = append(names, o.Area)
		for _, h := range o.Holders {
			holders[holding{o.Area, h.Pseudonym}] = true
		}
	}
	parameters := w.areaParameters(names, to)
	parameters["decay"] = numberParameter(c.Decay.Milliseconds())
	parameters["since"], parameters["actors"] = numberParameter(to-c.Memory.Milliseconds()), surrogates(actors)
	weights := map[string]float64{actResolution: c.Weights.Resolution, actOther: c.Weights.Act, actTransition: c.Weights.Transition}
	var list []evidenceTicket
	err := e.each(ctx, "evidence ticket by ticket", evidenceSQL(e.db.Table("tickets"), oneByOne), parameters, func(rows driver.Rows) error {
		var key string
		var t evidenceTicket
		var actor uint64
		var total int64
		if err := rows.Scan(&t.source, &key, &actor, &t.act, &t.n, &total, &t.ticket, &t.last); err != nil {
			return err
		}
		t.area, t.pseudonym, t.faded = w.areaName(t.source, key), w.engineer(actor).Pseudonym, float64(total)/fixed
		t.weight = weights[t.act] * t.faded
		if holders[holding{t.area, t.pseudonym}] {
			list = append(list, t)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b evidenceTicket) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.source, b.source), cmp.Compare(a.ticket, b.ticket),
			cmp.Compare(a.area, b.area), cmp.Compare(a.pseudonym, b.pseudonym), cmp.Compare(a.act, b.act))
	})
	return list, err
}

// tellingEvidence says of each act what it was, and how it faded.
func tellingEvidence(list []evidenceTicket, c ownership.Config, asOf time.Time) []workTicket {
	work := make([]workTicket, len(list))
	for i, t := range list {
		age := float64(millis(asOf)-t.last) / float64((24 * time.Hour).Milliseconds())
		counts := map[string]float64{actResolution: c.Weights.Resolution, actOther: c.Weights.Act, actTransition: c.Weights.Transition}[t.act]
		what := map[string]string{actResolution: "resolved", actOther: "wrote on it", actTransition: "moved it on"}[t.act]
		if t.n > 1 {
			what += fmt.Sprintf(" %d times, last", t.n)
		}
		what += " " + decimal(age, 0) + " days ago: " + sig(counts)
		// Divided between several areas, it is less than that.
		if alone := math.Exp(-age * 24 / c.Decay.Hours()); t.n == 1 && t.faded > 0 {
			what += fmt.Sprintf(" · exp(−%s/%s)", decimal(age, 0), sig(c.Decay.Hours()/24))
			if areas := math.Round(alone / t.faded); areas > 1 {
				what += fmt.Sprintf(" / %s areas", sig(areas))
			}
		} else {
			what += " · " + sig(t.faded)
		}
		work[i] = workTicket{t.ticket, t.source, t.pseudonym, t.weight, what}
	}
	return work
}

// recentTicket is one that was created lately, in an area, and who touched it of
// those who work on tickets.
type recentTicket struct {
	area   string
	id     uint64
	source string
	who    []string
	shares uint64
}

// ticket is what it weighs.
func (r recentTicket) ticket(pseudonym, what string) workTicket {
	return workTicket{r.id, r.source, pseudonym, float64(r.shares) / shares, what}
}

// demandTickets are the recent tickets of areas.
func (e *Engine) demandTickets(ctx context.Context, w *world, areas []string, to int64) ([]recentTicket, error) {
	parameters := w.areaParameters(areas, to)
	workers, err := e.workers(ctx, w, e.db.Table("tickets"), parameters)
	if err != nil {
		return nil, err
	}
	parameters["since"] = numberParameter(to - e.config.Ownership.Demand.Milliseconds())
	var list []recentTicket
	err = e.each(ctx, "demand ticket by ticket", demandSQL(e.db.Table("tickets"), oneByOne), parameters, func(rows driver.Rows) error {
		var r recentTicket
		var key, group string
		var actors []uint64
		if err := rows.Scan(&r.source, &key, &group, &actors, &r.shares, &r.id); err != nil {
			return err
		}
		if r.area = w.areaName(r.source, key); key == "" || !slices.Contains(areas, r.area) {
			return nil
		}
		for _, actor := range actors {
			if p := w.engineer(actor).Pseudonym; workers[p] && !slices.Contains(r.who, p) {
				r.who = append(r.who, p)
			}
		}
		list = append(list, r)
		return nil
	})
	return list, err
}

func sharesOf(tickets []workTicket) uint64 {
	var sum uint64
	for _, t := range tickets {
		sum += uint64(math.Round(t.weight * shares))
	}
	return sum
}

// inDays writes a duration in days.
func inDays(d interface{ Hours() float64 }) string {
	return strconv.FormatFloat(d.Hours()/24, 'g', 4, 64) + " days"
}
