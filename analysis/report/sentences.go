package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"fairlead/analysis/report/chart"
)

// oneIn is a probability as people say it: of teams like this, how many would
// look so.
func oneIn(p float64) string {
	switch {
	case p < 0.001:
		return "fewer than one in a thousand"
	case p < 0.01:
		return "fewer than one in a hundred"
	case p <= 0.4:
		return "about one in " + numeral(int(math.Round(1/p)))
	case p <= 0.6:
		return "about half"
	case p <= 0.9:
		return "most"
	}
	return "nearly all"
}

var numerals = [...]string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}

// numeral writes small numbers as words.
func numeral(n int) string {
	if n >= 0 && n < len(numerals) {
		return numerals[n]
	}
	return thousands(float64(n))
}

// count is a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "one " + one
	}
	return numeral(n) + " " + many
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// thousands writes a number without decimals, in groups of three.
func thousands(x float64) string {
	digits := strconv.FormatFloat(math.Abs(math.Round(x)), 'f', 0, 64)
	var b strings.Builder
	if x <= -0.5 {
		b.WriteByte('-')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

func decimals(x float64, n int) string { return chart.Number(&x, n) }

// and joins names; after the most it says how many more there are.
func and(list []string, most int) string {
	if more := len(list) - most; more > 1 {
		list = append(append([]string{}, list[:most]...), numeral(more)+" more")
	}
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// period is the quarter in words.
func period(quarter string) string {
	year, n, _ := strings.Cut(quarter, "Q")
	words := map[string]string{"1": "first", "2": "second", "3": "third", "4": "fourth"}
	return "the " + words[n] + " quarter of " + year
}

// The verdicts.
const (
	uneven   = "uneven"
	within   = "within_chance"
	levelled = "levelled"
)

// teamSays is a team's figures in one sentence, with what luck has to do with it.
func teamSays(t TeamLoad) string {
	luck := func() string { return oneIn(*t.P) + " such teams would look so by luck alone" }
	switch {
	case t.Total == 0:
		return "Nobody held open work."
	case t.Verdict == "" && t.People < 2:
		return "One person: nobody to compare with."
	case t.Verdict == "" || t.P == nil || t.Hoover == nil || t.HooverChance == nil || t.Gini == nil || t.Chance == nil:
		return "Too few tickets a head to tell anything from luck."
	case t.Verdict == uneven:
		s := fmt.Sprintf("Uneven beyond chance: %s of the work would have to move to be even, where luck gives %s; %s.", percent(*t.Hoover), percent(*t.HooverChance), luck())
		if t.Explained != nil {
			switch {
			case t.Explained.P >= 0.05:
				s += " Who was there and knows the area explains it."
			case t.Explained.Part < 0.01:
				s += " Who was there and knows the area explains nothing of it."
			default:
				s += " Who was there and knows the area explains " + percent(t.Explained.Part) + " of what is beyond luck."
			}
		}
		return s
	case t.Verdict == levelled:
		return fmt.Sprintf("More even than luck would leave it: %s would have to move, where luck gives %s. Somebody sees to it.", percent(*t.Hoover), percent(*t.HooverChance))
	case *t.Hoover > *t.HooverChance && *t.P <= 0.05:
		return fmt.Sprintf("A little uneven: %s would have to move, where luck gives %s; %s, but it is too little to matter.", percent(*t.Hoover), percent(*t.HooverChance), luck())
	}
	return fmt.Sprintf("Within chance: %s would have to move, where luck gives %s; %s.", percent(*t.Hoover), percent(*t.HooverChance), luck())
}

// summary is the quarter in five sentences.
func summary(r *Report) []string {
	switch r.Audience {
	case Lead:
		return []string{leadScope(r), spread(r), beyond(r), overloaded(r), conversation(r)}
	case Self:
		return []string{selfScope(r), selfShare(r), selfState(r), selfKnows(r), selfObject(r)}
	}
	return []string{scope(r), spread(r), beyond(r), overloaded(r), conversation(r)}
}

func (r *Report) teamsWord(n int) string {
	if r.Queues {
		return count(n, "queue", "queues")
	}
	return count(n, "team", "teams")
}

func upTo(r *Report) string {
	if r.Over {
		return "In " + period(r.Quarter) + ","
	}
	return "In " + period(r.Quarter) + ", up to " + r.To.Format("2 January") + ","
}

func scope(r *Report) string {
	a := r.Workload.All
	if a == nil {
		return upTo(r) + " fewer than " + numeral(r.Least) + " people held open work: too few to show anything of them."
	}
	s := fmt.Sprintf("%s %s people held %s open tickets on average, %s each", upTo(r), numeral(a.People), thousands(a.Open), decimals(a.Open/max(1e-9, a.Capacity), 1))
	if !r.Queues {
		s = strings.Replace(s, " each", " per full-time equivalent", 1)
	}
	switch {
	case r.Quality.Covered:
	case r.Quality.Whole != nil && r.From.Before(*r.Quality.Whole):
		s += ", as far as the data tell, which are whole from " + r.Quality.Whole.Format("2 January 2006") + " on"
	default:
		s += ", as far as the data tell, which begin on " + r.Version.Begin.Format("2 January 2006")
	}
	return s + "."
}

func leadScope(r *Report) string {
	if len(r.Workload.Teams) == 0 {
		return upTo(r) + " " + r.Team + " held no open work."
	}
	t := r.Workload.Teams[0]
	s := fmt.Sprintf("%s the %s people of %s held %s open tickets on average", upTo(r), numeral(t.People), t.Team, decimals(t.Total/r.days(), 1))
	if t.PerFTE != nil {
		s += ", " + decimals(*t.PerFTE, 1) + " per full-time equivalent"
	}
	return s + "."
}

func (r *Report) days() float64 { return r.To.Sub(r.From).Hours() / 24 }

// spread says whether the work became less even.
func spread(r *Report) string {
	var points []QuarterPoint
	var trend *Trend
	who := "the work of all"
	switch {
	case r.Audience == Lead && len(r.Workload.Teams) > 0:
		points, trend, who = r.Workload.Teams[0].Quarters, r.Workload.Teams[0].Trend, "its work"
	case r.Workload.All != nil:
		points, trend = r.Workload.All.Quarters, r.Workload.All.Trend
	}
	known := 0
	var last, before *float64
	for _, p := range points {
		if p.Excess != nil {
			known++
			before, last = last, p.Excess
		}
	}
	var s string
	switch {
	case last == nil:
		s = "How evenly " + who + " was spread cannot be compared with quarters before: the data do not reach back far enough"
	case before == nil:
		s = fmt.Sprintf("How evenly %s was spread is %s above what luck gives (Gini), with no quarter before to compare", who, decimals(*last, 2))
	case math.Abs(*last-*before) < 0.02:
		s = fmt.Sprintf("How evenly %s was spread is about as in the quarter before (Gini %s above luck, then %s)", who, decimals(*last, 2), decimals(*before, 2))
	case *last > *before:
		s = fmt.Sprintf("%s was spread less evenly than in the quarter before (Gini %s above luck, then %s)", upper(who), decimals(*last, 2), decimals(*before, 2))
	default:
		s = fmt.Sprintf("%s was spread more evenly than in the quarter before (Gini %s above luck, then %s)", upper(who), decimals(*last, 2), decimals(*before, 2))
	}
	switch {
	case trend == nil && known > 0:
		return s + fmt.Sprintf("; %s can be compared, and five are needed to tell a trend from luck.", count(known, "quarter", "quarters"))
	case trend == nil:
		return s + "."
	case trend.P > 0.05:
		return s + fmt.Sprintf("; over %s no trend stands out from luck.", count(known, "quarter", "quarters"))
	case trend.Tau > 0:
		return s + fmt.Sprintf("; over %s it has become less even, which luck alone would show %s times.", count(known, "quarter", "quarters"), oneIn(trend.P))
	}
	return s + fmt.Sprintf("; over %s it has become more even, which luck alone would show %s times.", count(known, "quarter", "quarters"), oneIn(trend.P))
}

// beyond says what stands beyond chance.
func beyond(r *Report) string {
	var judged int
	var beyond, explained, even []string
	for _, t := range r.Workload.Teams {
		if t.Verdict != "" {
			judged++
		}
		switch {
		case t.Verdict == uneven && t.Explained != nil && t.Explained.P >= 0.05:
			explained = append(explained, t.Team)
		case t.Verdict == uneven:
			beyond = append(beyond, t.Team)
		case t.Verdict == levelled:
			even = append(even, t.Team)
		}
	}
	if r.Audience == Lead {
		if len(r.Workload.Teams) == 0 {
			return "There is nothing to compare between its people."
		}
		return r.Workload.Teams[0].Says
	}
	if judged == 0 {
		return "In none of the " + r.teamsWord(len(r.Workload.Teams)) + " shown are there enough tickets a head to tell anything from luck."
	}
	s := "Of " + r.teamsWord(judged) + " with enough tickets to tell, "
	if n := len(beyond) + len(explained); n == 0 {
		s += "none is uneven beyond chance and by enough to matter"
	} else {
		var parts []string
		if len(beyond) > 0 {
			parts = append(parts, and(beyond, 4))
		}
		if len(explained) > 0 {
			parts = append(parts, and(explained, 4)+", where who was there and knows the area explains it")
		}
		verb := "are"
		if n == 1 {
			verb = "is"
		}
		s += fmt.Sprintf("%s %s uneven beyond chance and by enough to matter (%s); of those so named at most one in %s is expected to be so by luck", numeral(n), verb, strings.Join(parts, "; "), numeral(int(math.Round(1/r.Configuration.Q))))
	}
	if len(even) > 0 {
		verb, them := "are", "them"
		if len(even) == 1 {
			verb, them = "is", "it"
		}
		s += "; " + and(even, 3) + " " + verb + " more even than luck would leave " + them
	}
	return s + "."
}

// overloaded says how many.
func overloaded(r *Report) string {
	o := r.Overload
	switch {
	case o.Judged == nil || *o.Judged == 0:
		return "Too little is known to say whether somebody was overloaded."
	case *o.Ever == 0 && *o.Now == 0:
		return fmt.Sprintf("Of %s people about whom enough is known, nobody was overloaded in any week.", numeral(*o.Judged))
	}
	verb := "was"
	if *o.Now != 1 {
		verb = "were"
	}
	now := numeral(*o.Now)
	if *o.Now == 0 {
		now = "nobody"
		verb = "was"
	}
	ever := ""
	if *o.Ever > *o.Now {
		ever = ", and " + numeral(*o.Ever) + " in at least one week"
	}
	return fmt.Sprintf("Of %s people about whom enough is known, %s %s overloaded at the end%s: several signs of it held in %d of %d weeks, so that a busy week alone does not count.",
		numeral(*o.Judged), now, verb, ever, r.Configuration.HotWeeks, r.Configuration.WindowWeeks)
}

// conversation says what to talk about first.
func conversation(r *Report) string {
	var parts []string
	var teams []string
	open := map[string]bool{} // whose unevenness nothing explains
	for _, t := range r.Workload.Teams {
		if t.Verdict == uneven && (t.Explained == nil || t.Explained.P < 0.05) {
			teams, open[t.Team] = append(teams, t.Team), true
		}
	}
	if len(teams) > 0 {
		parts = append(parts, "why the work of "+and(teams, 3)+" lies as it does")
	}
	moves := 0
	for _, t := range r.Rebalancing.Teams {
		if (open[t.Team] || r.Audience == Lead) && t.Moves > 0 && t.HooverBefore != nil && t.HooverAfter != nil && *t.HooverBefore-*t.HooverAfter >= 0.1 {
			moves += t.Moves
		}
	}
	if moves > 0 {
		where := "there"
		if r.Audience == Lead {
			where = "here"
		}
		parts = append(parts, fmt.Sprintf("whether %s could change hands %s", count(moves, "open ticket", "open tickets"), where))
	}
	var sole []string
	for _, a := range r.Knowledge.Areas {
		if a.BusFactor == 1 && a.Silo != nil && *a.Silo >= 0.5 && len(sole) < 12 {
			sole = append(sole, a.Area)
		}
	}
	if len(sole) > 0 {
		parts = append(parts, "who else could come to know "+and(sole, 3))
	}
	if len(parts) == 0 {
		return "Nothing stands out that calls for a conversation, which is a finding as well."
	}
	return "Worth a conversation, not a verdict: " + strings.Join(parts, "; ") + "."
}

func selfScope(r *Report) string {
	if len(r.Workload.People) == 0 {
		return upTo(r) + " no open work of yours was counted."
	}
	var open float64
	var tickets uint64
	var teams []string
	for _, p := range r.Workload.People {
		open += p.Open
		tickets += p.Tickets
		teams = append(teams, p.Team)
	}
	return fmt.Sprintf("%s you held %s open tickets on average, from %s assignments in %s.", upTo(r), decimals(open, 1), thousands(float64(tickets)), and(teams, 3))
}

func selfShare(r *Report) string {
	var most *PersonLoad
	for i := range r.Workload.People {
		p := &r.Workload.People[i]
		if p.Relative != nil && (most == nil || p.Open > most.Open) {
			most = p
		}
	}
	if most == nil {
		return "There was nobody to compare this with."
	}
	s := fmt.Sprintf("In %s that is %s times an even share", most.Team, decimals(*most.Relative, 1))
	if most.Tail != nil {
		s += "; by luck alone, " + oneIn(*most.Tail) + " in your place would have at least as much"
	}
	return s + "."
}

func selfState(r *Report) string {
	judged, state := false, (*PersonState)(nil)
	for i := range r.Overload.People {
		p := &r.Overload.People[i]
		judged = judged || p.Judged
		if p.Overloaded {
			state = p
		}
	}
	switch {
	case state != nil:
		return fmt.Sprintf("You count as overloaded since %s (%s): that says something about the work, and nothing about you.", state.Since.Format("2 January 2006"), strings.Join(state.Reasons, "; "))
	case judged:
		return "You do not count as overloaded."
	}
	return "Too little is known to say whether you are overloaded."
}

func selfKnows(r *Report) string {
	n := 0
	for _, o := range r.Knowledge.Own {
		if o.Covers {
			n++
		}
	}
	if len(r.Knowledge.Own) == 0 {
		return "No area is counted as known to you."
	}
	return fmt.Sprintf("Your tickets are evidence of %s, and in %s you could keep things going; this says where you worked, not how well.", count(len(r.Knowledge.Own), "area", "areas"), numeral(n))
}

func selfObject(*Report) string {
	return "Whatever here is wrong or should not be held on you, say so: the last page says how."
}
