package web

import (
	"html/template"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fairlead/analysis"
	"fairlead/analysis/report/chart"
)

var functions = template.FuncMap{
	"number":   number,
	"whole":    whole,
	"optional": chart.Number,
	"percent":  percent,
	"day":      func(t time.Time) string { return t.UTC().Format("2 January 2006") },
	"moment":   moment,
	"verdict":  verdict,
	"little":   little,
	"counted":  counted,
	"words":    inWords,
	"list":     func(s []string) string { return strings.Join(s, ", ") },
	"team":     teamLink,
	"area":     areaLink,
	"engineer": engineerLink,
	"spread":   spread,
	"shares":   shares,
	"weeks":    weeks,
	"excess":   excess,
	"silos":    silos,
	"window":   windowWords,
	"person":   oneOverload,
	"absence":  absence,
	"ago":      ago,
	"signal":   signal,
	"add":      func(a, b int) int { return a + b },
	"value":    value,
	"exactly":  exactly,
	"because":  func(to, says string) because { return because{to, says} },
	"covers":   covers,
	"since":    since,
	"planned":  planned,
	"accounted": func(g *analysis.Group) string { // as a finding and a report say it
		if g.GiniExcess == nil || *g.GiniExcess <= 0 {
			return "nothing of it"
		}
		part := min(1, max(0, g.Explained.Part / *g.GiniExcess))
		if part < 0.01 {
			return "nothing of it"
		}
		return percent(&part) + " of what is beyond luck"
	},
	"looker": looker,
	"top": func(a analysis.AreaOwnership) *float64 { // as a finding and the area's own page say it
		if len(a.Holders) == 0 {
			return nil
		}
		return &a.Holders[0].Share
	},
	"lookedat": lookedAt,

	"figurename":  figureName,
	"figurevalue": figureValue,
	"link":        func(path, to, says string) link { return link{to, says, path == to} },
	"queues":      queues,
	"ptr":         func(x float64) *float64 { return &x },
	"total": func(by map[string]int) string { // "" for none
		n := 0
		for _, one := range by {
			n += one
		}
		if n == 0 {
			return ""
		}
		return counted(n, "account", "accounts")
	},
	"report": func(id string) string { return "/report?" + url.Values{"id": {id}}.Encode() },

	"windowname": func(w analysis.Window) string {
		if w == analysis.All {
			return "all the time"
		}
		for unit, says := range map[string]string{"d": " days", "w": " weeks"} {
			if n, ok := strings.CutSuffix(w.String(), unit); ok {
				return n + says
			}
		}
		return w.String() // a quarter
	},
	"windowlink": func(p page, w analysis.Window) string {
		q := url.Values{}
		for key, values := range p.Query {
			q[key] = values
		}
		q.Set("window", w.String())
		return p.Path + "?" + q.Encode()
	},
}

// whole writes a count, in groups of three digits.
func whole(x float64) string {
	digits := number(x, 0)
	var b strings.Builder
	for i, d := range digits {
		if left := len(digits) - i; i > 0 && left%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// number writes a figure with so many decimals.
func number(x float64, digits int) string { return chart.Number(&x, digits) }

// value writes a number of any size with four significant digits.
func value(x *float64) string {
	if x == nil {
		return "not defined"
	}
	return strconv.FormatFloat(*x, 'g', 4, 64)
}

func percent(x *float64) string {
	if x == nil {
		return "–"
	}
	return number(100**x, 0) + " %"
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// verdict is what may be said of how even a group's work is.
func verdict(g *analysis.Group) string {
	if little(g) {
		return "a little uneven, too little to matter"
	}
	if g.Verdict == analysis.Uneven && isExplained(g) {
		return "uneven; who was there and knows the area explains it"
	}
	if g.Verdict == analysis.WithinChance {
		return "as luck would deal it"
	}
	return markSays[markOf(g.Verdict)]
}

// little reports whether a group is more uneven than luck would make it and still
// not called so, since too little would have to move.
func little(g *analysis.Group) bool {
	return g.Verdict == analysis.WithinChance && g.P != nil && *g.P <= 0.05 && g.Hoover != nil && g.HooverChance != nil && *g.Hoover > *g.HooverChance
}

// counted writes a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func windowWords(w analysis.Window, asOf time.Time) string {
	if w == analysis.All {
		return "since the beginning"
	}
	from, to := w.Bounds(asOf)
	return "the " + counted(int(math.Round(to.Sub(from).Hours()/24)), "day", "days") + " before " + to.UTC().Format("2 January 2006")
}

// oneOverload is a list of one, for a chart of one person.
func oneOverload(o analysis.EngineerOverload) []analysis.EngineerOverload {
	return []analysis.EngineerOverload{o}
}

func absence(s analysis.SoleHolder) string {
	when := ""
	if !s.When.IsZero() {
		when = " " + s.When.UTC().Format("2 January 2006")
	}
	switch s.Absence {
	case analysis.Away:
		if when != "" {
			return "away until" + when
		}
		return "away"
	case analysis.Leaving:
		return "leaving on" + when
	case analysis.Gone:
		return "not here any more"
	}
	return ""
}

// ago says how long before now something was, roughly.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	switch {
	case d < 0:
		return moment(t)
	case d < 2*time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return counted(int(d.Minutes()), "minute", "minutes") + " ago"
	case d < 48*time.Hour:
		return counted(int(d.Hours()), "hour", "hours") + " ago"
	}
	return counted(int(d.Hours()/24), "day", "days") + " ago"
}

// signal is the name of an overload signal in words.
func signal(name string) string { return strings.ReplaceAll(name, "_", " ") }

// figureNames are in words what signal does not tell of itself.
var figureNames = map[string]string{
	"average_load": "open at a time, on average over the window", "relative_load": "times an even share of the team’s work",
	"z": "standard deviations above an even share", "tail": "chance of as much or more by luck alone",
	"unplanned": "unplanned, of the work of the last four weeks", "after_hours": "outside own hours, of the acts of the last four weeks",
	"weekly_load": "open on average, in the last week and those before", "open": "open tickets now",
	"uncovered_areas": "areas that nobody else covers", "orphaned_demand": "part of the team’s recent tickets that is in these areas",
	"evidence": "evidence of knowing it", "area_evidence": "share of what all know of it", "covers": "covers it",
}

// figureName is the name of a figure of an explanation in words.
func figureName(name string) string {
	if says := figureNames[name]; says != "" {
		return says
	}
	if of, ok := strings.CutSuffix(name, "_level"); ok {
		return signal(of) + ", 1 being where it speaks"
	}
	return signal(strings.TrimSuffix(name, "_signal"))
}

// figureValue is what a figure is: its number, and what follows from it.
func figureValue(f analysis.ExplainedFigure) string {
	switch {
	case f.Verdict == "":
		return value(f.Value)
	case f.Value == nil || f.Name == "overloaded" || f.Name == "covers":
		return f.Verdict
	}
	return value(f.Value) + ", " + f.Verdict
}

// exactly writes a number so that a reader can follow the arithmetic.
func exactly(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }

// because is a number, or a sentence of numbers, that leads to where it comes from.
type because struct{ To, Says string }

// since is from when somebody has been overloaded, and why as far as it is shown.
func since(o analysis.EngineerOverload) string {
	s := "Overloaded since the week of " + o.Since.UTC().Format("2 January 2006")
	if len(o.Reasons) > 0 {
		s += ": " + strings.Join(o.Reasons, ", ")
	}
	return s
}

// covers is whether somebody covers an area.
func covers(alone, covers bool) string {
	switch {
	case alone:
		return "alone"
	case covers:
		return "yes"
	}
	return "no"
}

// planned says what a plan of moves would come to.
func planned(r *analysis.Rebalancing) string {
	even := percent(&r.Tolerance) + " of an even share"
	within := len(r.Over) == 0
	switch n := len(r.Moves); {
	case n == 0 && within:
		return "Of what is open now, each ticket by its effort, everybody is within " + even + ": nothing needs to move."
	case n == 0:
		return "Of what is open now, each ticket by its effort, somebody holds more than is within " + even + ", and no ticket was found that could go to somebody who knows it and will be there."
	case !within:
		return "Of what is open now, each ticket by its effort: no way was found to bring everybody within " + even + "; " + counted(n, "ticket", "tickets") + " in other hands would come near."
	default:
		says := "Of what is open now, each ticket by its effort: " + counted(n, "ticket", "tickets") + " in other hands would bring everybody within " + even
		if r.Proven {
			says += "; no plan needs fewer"
		}
		return says + "."
	}
}

// looker is who looked, as far as the access log knows.
func looker(a Access) string {
	if a.Action == "page" && a.By == operator {
		return "whoever runs Fairlead, on its machine"
	}
	return a.By
}

// lookedAt is at what somebody looked, for whom it is about.
func lookedAt(a Access) string {
	switch a.Action {
	case "whois":
		return "whose pseudonym it is"
	case "explain":
		return "where a number comes from: " + a.What
	case "rebalance":
		return "which tickets of " + a.What + " might be moved"
	case "report":
		return "the report of " + a.What
	}
	return a.What
}

// link is an entry of the navigation.
type link struct {
	To, Says string
	Here     bool
}

// queues is what the groups of people are called.
func queues(s *analysis.Snapshot) string {
	if s != nil && !s.Rostered {
		return "Queues"
	}
	return "Teams"
}
