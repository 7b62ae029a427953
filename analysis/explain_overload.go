package analysis

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"fairlead/analysis/overload"
)

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
		mark := map[overload.Mark]string{overload.Away: "away", overload.Cool: "cool", overload.Between: "between", overload.Hot: "hot", overload.Unclear: "unclear"}[s.Mark]
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
	f := ExplainedFigure{Name: signalName(string(r.Signal)), Put: "in " + team + ", " + string(r.Signal.Family()) + ": " + s.Explain(e.config.Overload, r.Signal), Verdict: "does not hold"}
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

// levelFigure is how near a signal is to holding, from its value.
func (e *Engine) levelFigure(team string, s overload.State, r overload.Reading) ExplainedFigure {
	c, p := e.config.Overload, s.Parts
	f := ExplainedFigure{Name: levelName(string(r.Signal)), Value: defined(r.Level)}
	value, threshold := input("value", r.Value, "of the signal, as above"), input("threshold", r.Threshold, "configured")
	switch r.Signal {
	case overload.SignalTeamLoad:
		z, limit := -distuv.UnitNormal.Quantile(p.TeamTail), -distuv.UnitNormal.Quantile(c.TeamLoadTail)
		f.Formula = "the lesser of value/threshold and z(tail)/z(limit), at least 0: over 1 the signal holds"
		f.Inputs = []ExplainedInput{
			value, threshold, input("z(tail)", z, "standard normal deviate with the probability of as much by chance above it, between −38 and 38"),
			input("z(limit)", limit, "the same of the configured probability, "+sig(c.TeamLoadTail)),
		}
		f.Put = fmt.Sprintf("the lesser of %s / %s and %s / %s = %s", sig(r.Value), sig(r.Threshold), sig(z), sig(limit), sig(r.Level))
	case overload.SignalAfterHours:
		f.Formula = "least/threshold, by Wilson's lower bound of the share: over 1 the signal holds"
		f.Inputs = []ExplainedInput{input("least", p.OffLower, "Wilson's lower bound"), input("threshold", r.Threshold, "the usual share times what is configured")}
		f.Put = fmt.Sprintf("%s / %s = %s", sig(p.OffLower), sig(r.Threshold), sig(r.Level))
	case overload.SignalRest:
		f.Formula, f.Inputs = "threshold/value: over 1 the signal holds", []ExplainedInput{value, threshold}
		f.Put = fmt.Sprintf("%s / %s = %s", sig(r.Threshold), sig(r.Value), sig(r.Level))
	default:
		f.Formula, f.Inputs = "value/threshold, at least 0: over 1 the signal holds", []ExplainedInput{value, threshold}
		f.Put = fmt.Sprintf("%s / %s = %s", sig(r.Value), sig(r.Threshold), sig(r.Level))
	}
	f.Put = "in " + team + ": " + f.Put
	return f
}
