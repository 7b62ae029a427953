package analysis

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"fairlead/analysis/overload"
)

// explainOverload adds the state of an engineer after the last whole week, with
// the tickets that were in their hands in it.
func (e *Engine) explainOverload(ctx context.Context, w *world, q ExplainQuery, pseudonym string, x *Explanation) error {
	span := e.followed(q.AsOf)
	squads, err := e.squadsAt(ctx, w, span)
	if err != nil {
		return err
	}
	judged := false
	for _, c := range squads {
		at := slices.IndexFunc(c.members, func(m overload.Member) bool { return m.Engineer == pseudonym })
		if at < 0 || q.Team != "" && c.team != q.Team || c.provisional && c.team == NoName {
			continue
		}
		assessed, err := e.config.Overload.Assess(c.members)
		if err != nil {
			return fmt.Errorf("judging the load of a team: %w", err)
		}
		n := slices.IndexFunc(assessed, func(a overload.Assessment) bool { return a.Engineer == pseudonym })
		weeks := assessed[n].Weeks
		if len(weeks) == 0 || weeks[len(weeks)-1].Week != span.last() {
			continue // not there any more
		}
		judged = true
		x.Figures = append(x.Figures, e.stateFigure(c.team, weeks, span))
		last := weeks[len(weeks)-1]
		for _, r := range last.Readings {
			if r.Status == overload.Measured {
				x.Figures = append(x.Figures, e.signalFigure(c.team, last, r))
			}
		}
	}
	if !judged {
		x.Notes = append(x.Notes, "Of overload nothing is known: there is no whole week of theirs just before.")
		return nil
	}
	return e.heldIn(ctx, w, q, pseudonym, span.last(), x)
}

// heldIn lists the open tickets that were in somebody's hands in a week.
func (e *Engine) heldIn(ctx context.Context, w *world, q ExplainQuery, pseudonym string, week overload.Week, x *Explanation) error {
	g, err := e.weighing(ctx, w, Load, Tickets, week.Start())
	if err != nil {
		return err
	}
	type place struct {
		ticket uint64
		source string
	}
	held := map[place]float64{}
	err = e.eachUnit(ctx, w, Load, millis(week.Start()), millis((week + 1).Start()), func(u *unit) {
		if u.actor != 0 && w.engineer(u.actor).Pseudonym == pseudonym {
			held[place{u.ticket, u.source}] += float64(u.weight) * g.scale / 7
		}
	})
	if err != nil {
		return err
	}
	var own []workTicket
	for p, weight := range held {
		own = append(own, workTicket{p.ticket, p.source, pseudonym, weight})
	}
	list, err := e.listed(ctx, w, own, q.Tickets)
	if err != nil {
		return err
	}
	list.Behind, list.Title = listHeld, "what was open in their hands in the week of "+week.Start().Format(time.DateOnly)
	list.Unit = "of the week"
	x.Tickets = append(x.Tickets, list)
	return nil
}

// stateFigure is whether an engineer is overloaded, and by which weeks.
func (e *Engine) stateFigure(team string, states []overload.State, span weeks) ExplainedFigure {
	c := e.config.Overload
	now := states[len(states)-1]
	value := 0.0
	verdict := "not overloaded"
	if now.Overloaded {
		value, verdict = 1, "overloaded since the week of "+now.Since.Start().Format(time.DateOnly)
		if why := now.Reasons.String(); why != "" {
			verdict += ": " + why
		}
	}
	f := ExplainedFigure{
		Name: "overloaded", Value: &value, Verdict: verdict,
		Formula: fmt.Sprintf("on when signals of %d families hold (%d demand signals, where fewer families can be computed) in %d of the last %d weeks; off when none does at %s of the thresholds for %d weeks in a row",
			c.Families, c.DemandSignals, c.Hot, c.Window, sig(c.Release), c.Cool),
	}
	hot, cool := 0, 0
	var told []string
	for _, s := range states[max(0, len(states)-max(c.Window, c.Cool)):] {
		mark := map[overload.Mark]string{overload.Away: "away", overload.Cool: "cool", overload.Between: "between", overload.Hot: "hot"}[s.Mark]
		if int(span.last()-s.Week) < c.Window && s.Mark == overload.Hot {
			hot++
		}
		switch s.Mark {
		case overload.Cool:
			cool++
		case overload.Between, overload.Hot:
			cool = 0
		}
		var why []string
		for _, family := range s.Holding() {
			why = append(why, string(family))
		}
		if len(why) > 0 {
			mark += " (" + strings.Join(why, " and ") + ")"
		}
		told = append(told, "week of "+s.Week.Start().Format(time.DateOnly)+" "+mark)
	}
	f.Inputs = []ExplainedInput{
		input("hot_weeks", float64(hot), fmt.Sprintf("of the last %d", c.Window)),
		input("cool_weeks", float64(cool), "in a row, up to the last"),
	}
	f.Put = "in " + team + ": " + strings.Join(told, ", ") + ": " + verdict
	return f
}

// signalFigure is one signal of a week, from what it is computed of.
func (e *Engine) signalFigure(team string, s overload.State, r overload.Reading) ExplainedFigure {
	p := s.Parts
	f := ExplainedFigure{Name: string(r.Signal), Put: "in " + team + ", " + string(r.Signal.Family()) + ": " + s.Explain(e.config.Overload, r.Signal), Verdict: "does not hold"}
	if r.Holds() {
		f.Verdict = "holds"
	}
	a, d := float64(p.Arrivals), float64(p.Completions)
	value := math.NaN()
	switch r.Signal {
	case overload.SignalOwnLoad:
		f.Formula, value = "(load − usual) / spread", (p.Load-p.UsualLoad)/p.Spread
		f.Inputs = []ExplainedInput{
			input("load", p.Load, "mean number of open tickets in the week"), input("usual", p.UsualLoad, "median of the weeks before in which no more rested on them than on the team"),
			input("spread", p.Spread, "the greatest of 1.4826 · MAD, what chance gives, and 1"), input("weeks", float64(p.BaselineWeeks), "that are known before"),
		}
	case overload.SignalTeamLoad:
		f.Formula, value = "share of load / share of capacity", p.LoadShare/p.CapacityShare
		f.Inputs = []ExplainedInput{
			input("share of load", p.LoadShare, "of the team's in the week"), input("share of capacity", p.CapacityShare, "of the team's that was present"),
			input("z", p.TeamZ, "standard deviations under chance"), input("tail", p.TeamTail, "probability of as much by chance"),
			input("tickets", p.TeamTickets, "1/h, effective, of the team"), input("people", float64(p.TeamPeople), "who were there"),
		}
	case overload.SignalFlow:
		f.Formula, value = "(arrivals − completions) / √(arrivals + completions)", (a-d)/math.Sqrt(a+d)
		f.Inputs = []ExplainedInput{input("arrivals", a, "tickets that came"), input("completions", d, "tickets that left or became done")}
	case overload.SignalOnCall:
		f.Formula, value = "incidents / shifts", p.Incidents/p.Shifts
		f.Inputs = []ExplainedInput{input("incidents", p.Incidents, "while on call"), input("shifts", p.Shifts, "of the configured length")}
	case overload.SignalUnplanned:
		f.Formula, value = "unplanned / received", min(1, p.Unplanned/p.Received)
		f.Inputs = []ExplainedInput{input("unplanned", p.Unplanned, "of the work received"), input("received", p.Received, "work that came in the week")}
	case overload.SignalAfterHours:
		f.Formula, value = "acts outside own hours / acts", float64(p.OffActs)/float64(p.Acts)
		f.Inputs = []ExplainedInput{
			input("acts outside own hours", float64(p.OffActs), "on-call left out"), input("acts", float64(p.Acts), "on-call left out"),
			input("least", p.OffLower, "Wilson's lower bound"), input("usual", p.OffUsual, "share of the weeks before"),
		}
	case overload.SignalRest:
		f.Formula, value = "shortest daily rest, in hours", p.ShortestRest.Hours()
		f.Inputs = []ExplainedInput{input("rest", p.ShortestRest.Hours(), "hours")}
	}
	f.Inputs = append(f.Inputs, input("threshold", r.Threshold, "configured"))
	f.Value = defined(value)
	return f
}

// evidenceTicket is what one act on a ticket adds to somebody's evidence.
type evidenceTicket struct {
	ticket    uint64
	source    string
	pseudonym string
	act       string
	weight    float64
}

// byWeight orders evidence, the heaviest first.
func byWeight(a, b evidenceTicket) int {
	return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.source, b.source), cmp.Compare(a.ticket, b.ticket),
		cmp.Compare(a.pseudonym, b.pseudonym), cmp.Compare(a.act, b.act))
}
