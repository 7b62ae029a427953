package overload

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Reasons is why a week was hot.
type Reasons struct {
	Week Week
	Why  []Reason // in the order of Signals
}

// Reason is a signal that held.
type Reason struct {
	Reading
	Says string // "2.1 × the team's load per FTE"
}

// String is the reasons in one line: "demand: 2.1 × the team's load per FTE;
// interruption: 61 % unplanned". Empty without any.
func (r Reasons) String() string {
	var parts []string
	for _, f := range Families {
		var of []string
		for _, why := range r.Why {
			if why.Signal.Family() == f {
				of = append(of, why.Says)
			}
		}
		if len(of) > 0 {
			parts = append(parts, string(f)+": "+strings.Join(of, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

func reasonsOf(c Config, s State) Reasons {
	r := Reasons{Week: s.Week}
	for _, reading := range s.Readings {
		if reading.Holds() {
			r.Why = append(r.Why, Reason{reading, s.Parts.says(c, reading)})
		}
	}
	return r
}

// says puts a measured signal in words.
func (p Parts) says(c Config, r Reading) string {
	switch r.Signal {
	case SignalOwnLoad:
		return number(p.Load) + " open where " + number(p.UsualLoad) + " is usual"
	case SignalTeamLoad:
		return number(r.Value) + " × the team's load per FTE"
	case SignalFlow:
		return strconv.FormatUint(p.Arrivals, 10) + " came in and " + strconv.FormatUint(p.Completions, 10) + " were done in " + weeks(c.FlowWeeks)
	case SignalOnCall:
		return number(r.Value) + " incidents per " + hours(c.Shift) + " on call"
	case SignalUnplanned:
		return percent(r.Value) + " unplanned"
	case SignalAfterHours:
		return percent(r.Value) + " of acts outside own hours where " + percent(p.OffUsual) + " is usual"
	default:
		return "a daily rest of " + hours(p.ShortestRest)
	}
}

// Explain puts a reading in words with its formula and the values put in; "" for
// one that was not measured.
func (s State) Explain(c Config, signal Signal) string {
	r, p := s.Reading(signal), s.Parts
	if r.Status != Measured {
		return ""
	}
	var b strings.Builder
	put := func(parts ...string) {
		for _, part := range parts {
			b.WriteString(part)
		}
	}
	switch signal {
	case SignalOwnLoad:
		put("(load − usual) / spread = (", exact(p.Load), " − ", exact(p.UsualLoad), ") / ", exact(p.Spread), " = ", exact(r.Value),
			", over the ", strconv.Itoa(p.BaselineWeeks), " known of the ", weeks(c.BaselineWeeks), " before; holds over ", exact(r.Threshold))
	case SignalTeamLoad:
		put("share of load / share of capacity = ", exact(p.LoadShare), " / ", exact(p.CapacityShare), " = ", exact(r.Value),
			" among ", strconv.Itoa(p.TeamPeople), " people; by chance as much with probability ", exact(p.TeamTail),
			", from ", exact(p.TeamTickets), " effective tickets (z = ", exact(p.TeamZ),
			"); holds over ", exact(r.Threshold), " with a probability under ", exact(c.TeamLoadTail))
	case SignalFlow:
		a, d := float64(p.Arrivals), float64(p.Completions)
		put("(arrivals − completions) / √(arrivals + completions) = (", exact(a), " − ", exact(d), ") / √", exact(a+d), " = ", exact(r.Value),
			", over ", weeks(c.FlowWeeks), "; holds over ", exact(r.Threshold))
	case SignalOnCall:
		put("incidents / shifts of ", hours(c.Shift), " = ", exact(p.Incidents), " / ", exact(p.Shifts), " = ", exact(r.Value), "; holds over ", exact(r.Threshold))
	case SignalUnplanned:
		put("unplanned / received = ", exact(p.Unplanned), " / ", exact(p.Received), " = ", exact(r.Value), "; holds over ", exact(r.Threshold))
	case SignalAfterHours:
		put("acts outside own hours / acts = ", strconv.FormatUint(p.OffActs, 10), " / ", strconv.FormatUint(p.Acts, 10), " = ", exact(r.Value),
			", at least ", exact(p.OffLower), " with ", percent(c.AfterHoursConfidence), " confidence; usual ", exact(p.OffUsual),
			"; holds where the least is over ", exact(r.Threshold))
	case SignalRest:
		put("shortest daily rest = ", hours(p.ShortestRest), "; holds under ", hours(c.Rest))
	}
	return b.String()
}

func number(x float64) string  { return strconv.FormatFloat(x, 'f', 1, 64) }
func exact(x float64) string   { return strconv.FormatFloat(x, 'g', 4, 64) }
func percent(x float64) string { return strconv.FormatFloat(math.Round(100*x), 'f', 0, 64) + " %" }

func weeks(n int) string {
	if n == 1 {
		return "1 week"
	}
	return strconv.Itoa(n) + " weeks"
}

// hours writes a duration as "11 h" or "9 h 10 min", to the minute below.
func hours(d time.Duration) string {
	text := strconv.Itoa(int(d/time.Hour)) + " h"
	if m := d % time.Hour / time.Minute; m > 0 {
		text += " " + strconv.Itoa(int(m)) + " min"
	}
	return text
}
