package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"fairlead/analysis/distribution"
)

// FindingKind says what a Finding is about.
type FindingKind string

// The kinds of finding.
const (
	// OverloadedEngineer is somebody who carries more of their team's open work
	// than chance explains.
	OverloadedEngineer FindingKind = "overloaded_engineer"
	// HoardedArea is an area whose knowledge sits with too few.
	HoardedArea FindingKind = "hoarded_area"
	// UnevenTeam is a team whose work lies beyond chance, and by enough to matter.
	UnevenTeam FindingKind = "uneven_team"
	// LuckyTeam is a team that looks uneven, and luck alone explains it.
	LuckyTeam FindingKind = "lucky_team"
	// PiledUp is tickets of a team that nobody holds, more each week.
	PiledUp FindingKind = "piled_up"
)

// Finding is something that a manager may want to talk about. It is a reason to
// look and to ask, not a verdict on anybody.
type Finding struct {
	Kind     FindingKind `json:"kind"`
	Team     string      `json:"team"`
	Area     string      `json:"area,omitempty"`
	Engineer string      `json:"engineer,omitempty"` // pseudonym
	Name     string      `json:"name,omitempty"`
	Window   Window      `json:"window"`

	// Share is of the team's open work, of the area's evidence, or the work that
	// would have to move; Score is what findings of a kind are ordered by: the
	// relative load beyond what chance gives once in a hundred, the silo score,
	// the Hoover index beyond chance, the Gini, or the tickets that piled up.
	Share    float64 `json:"share"`
	Relative float64 `json:"relative,omitempty"`
	Z        float64 `json:"z,omitempty"`
	Tail     float64 `json:"tail,omitempty"`
	People   int     `json:"people"`
	Score    float64 `json:"score"`

	// Sentence says it in plain words with the numbers, with the pseudonym.
	Sentence string `json:"sentence"`
}

// FindingsConfig is what is worth a finding.
type FindingsConfig struct {
	// PerKind is how many findings of a kind there are at most.
	PerKind int `yaml:"per_kind"`
	// MinPeople is the smallest team whose members are compared.
	MinPeople int `yaml:"min_people"`
	// Relative and Tail are the least relative load per head and the greatest
	// probability under chance of somebody who is overloaded.
	Relative float64 `yaml:"relative"`
	Tail     float64 `yaml:"tail"`
	// Silo and Evidence are the least score of a hoarded area, and the least
	// evidence that is enough to say so.
	Silo     float64 `yaml:"silo"`
	Evidence float64 `yaml:"evidence"`
	// Looks is the least Gini of a team within chance of which it is worth
	// saying that it only looks uneven.
	Looks float64 `yaml:"looks"`
}

// DefaultFindingsConfig is that of the definition of the measures, with three
// findings of a kind.
func DefaultFindingsConfig() FindingsConfig {
	return FindingsConfig{PerKind: 3, MinPeople: 3, Relative: 1.25, Tail: 0.01, Silo: 0.5, Evidence: 10, Looks: 0.15}
}

// Validate names the key that is wrong.
func (c FindingsConfig) Validate() error {
	switch {
	case c.PerKind < 0 || c.PerKind > 1000:
		return fmt.Errorf("per_kind is %d: give a number from 0 to 1000", c.PerKind)
	case c.MinPeople < 2:
		return fmt.Errorf("min_people is %d: give at least 2", c.MinPeople)
	case !(c.Relative >= 1 && c.Relative < math.Inf(1)):
		return fmt.Errorf("relative is %g: give a number from 1", c.Relative)
	case !(c.Tail > 0 && c.Tail < 1):
		return fmt.Errorf("tail is %g: give a number between 0 and 1", c.Tail)
	case !(c.Silo >= 0 && c.Silo <= 1):
		return fmt.Errorf("silo is %g: give a number from 0 to 1", c.Silo)
	case !(c.Looks >= 0 && c.Looks <= 1):
		return fmt.Errorf("looks is %g: give a number from 0 to 1", c.Looks)
	case !(c.Evidence >= 0 && c.Evidence < math.Inf(1)):
		return fmt.Errorf("evidence is %g: give a number from 0", c.Evidence)
	}
	return nil
}

// visitor is the part of the usual under which somebody who had some of a
// queue's tickets is taken for a visitor and not for one of its people.
const visitor = 0.1

// regulars are the people of a queue who have at least a tenth of the usual
// there, by pseudonym. The usual is Σv²/Σv, what the person who has the average
// piece of work has: the many who had a single ticket of a queue in passing do
// not move it. Without a roster this is as near as one comes to a team.
func regulars(t *tallies) []string {
	values := make([]float64, 0, len(t.people))
	for _, p := range t.people {
		values = append(values, p.value)
	}
	sum, squares := sumOf(values), 0.0
	for _, v := range values {
		squares += v * v
	}
	var list []string
	for _, p := range sortedKeys(t.people) {
		if sum > 0 && t.people[p].value >= visitor*squares/sum {
			list = append(list, p)
		}
	}
	return list
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// findings looks for the planted and the grown alike: it knows nothing but the
// figures. load is that of the teams in each of the windows, in ticket-days.
func (e *Engine) findings(s *Snapshot, load []map[string]*tallies) []Finding {
	longest := slices.Index(s.Windows, e.longestWindow())
	window := s.Windows[longest]
	groups := s.Teams[TeamsKey{window, Load, Tickets}]
	list := []Finding{}
	list = append(list, e.overloaded(s, window, groups, load[longest])...)
	list = append(list, e.hoarded(s.Areas)...)
	list = append(list, e.uneven(window, groups)...)
	list = append(list, e.lucky(window, groups)...)
	list = append(list, e.piledUp(s.States)...)
	return list
}

// longestWindow is the one that findings speak of.
func (e *Engine) longestWindow() Window {
	longest := e.config.Windows[0]
	for _, w := range e.config.Windows {
		if w.longer(longest) {
			longest = w
		}
	}
	return longest
}

// longer reports whether the window is longer than another that moves.
func (w Window) longer(o Window) bool {
	return o.days != 0 && (w.days == 0 || w.days > o.days)
}

// explainedAt is the least p under the second lot from which skills and absence
// are said to explain what a team's work looks like.
const explainedAt = 0.05

// regardless is the relative load from which somebody is spoken of even where
// that explains it: whatever the reason, twice the load is theirs to carry.
const regardless = 2

func (g Group) explained() bool { return g.Explained != nil && g.Explained.P >= explainedAt }

// compared is somebody beside their team.
type compared struct {
	pseudonym, name string
	value, capacity float64
}

// compared are the people of a group who are held against each other: members,
// or without a roster the regulars of the queue; and the weight of their work.
func (g Group) compared(t *tallies) ([]compared, distribution.Weights) {
	var people []compared
	var sizes []distribution.Weights
	add := func(p string, name string, capacity float64) {
		one := t.people[p]
		if one == nil {
			one = &tally{}
		}
		people = append(people, compared{p, name, one.value, capacity})
		sizes = append(sizes, distribution.Weights{N: one.items, Sum: one.value, Squares: one.square})
	}
	if g.Provisional {
		for _, p := range regulars(t) {
			add(p, t.names[p], 1)
		}
	} else {
		for _, p := range g.Engineers {
			add(p.Pseudonym, p.Name, p.Capacity)
		}
	}
	return people, together(sizes)
}

// overloaded compares the people of each team with each other, under the null
// that each of their assignments falls to any of them in proportion to capacity.
// Where who was there and knows the area explains the team's work, it explains
// what lies under twice an even share as well.
func (e *Engine) overloaded(s *Snapshot, window Window, groups []Group, teams map[string]*tallies) []Finding {
	c := e.config.Findings
	states := map[[2]string]EngineerOverload{}
	for _, o := range s.Overload {
		states[[2]string{o.Team, o.Pseudonym}] = o
	}
	var list []Finding
	for _, g := range groups {
		t := teams[g.Name]
		if g.Name == NoName || t == nil {
			continue
		}
		people, weights := g.compared(t)
		if len(people) < c.MinPeople {
			continue
		}
		var capacities []float64
		for _, p := range people {
			capacities = append(capacities, p.capacity)
		}
		n, h, fte := float64(len(people)), weights.H(), sumOf(capacities)
		if !(1/h >= distribution.MinTicketsPerHead*n) {
			continue
		}
		for _, p := range people {
			share, even := p.value/weights.Sum, p.capacity/fte
			f := Finding{
				Kind: OverloadedEngineer, Team: g.Name, Engineer: p.pseudonym, Name: p.name, Window: window, People: len(people),
				Share: share, Relative: share * (fte / p.capacity),
				Z:    distribution.ShareZ(share, even, h),
				Tail: distribution.BinomialUpperTail(min(share/h, 1/h), 1/h, even),
			}
			if isFormer(p.pseudonym) {
				continue
			}
			state := states[[2]string{g.Name, p.pseudonym}]
			if f.Relative <= c.Relative || f.Tail >= c.Tail || g.explained() && f.Relative < regardless && !state.Overloaded {
				continue
			}
			byLuck := even + normalTail1*math.Sqrt(h*even*(1-even))
			f.Score = share / byLuck
			has, luck := percent(share), percent(byLuck)
			if has == luck {
				has, luck = decimal(100*share, 1)+" %", decimal(100*byLuck, 1)+" %"
			}
			f.Sentence = fmt.Sprintf("%s carries %s times an even share of %s open work %s: %s of %s ticket-days among %d people, where luck alone would exceed %s once in a hundred times%s.",
				p.pseudonym, decimal(f.Relative, 1), possessive(g.Name), inWords(window), has, thousands(weights.Sum), f.People, luck,
				state.since())
			list = append(list, f)
		}
	}
	// Of somebody who stands out in several queues, the one where most.
	list = strongest(list, len(list))
	said := map[string]bool{}
	list = slices.DeleteFunc(list, func(f Finding) bool {
		again := said[f.Engineer]
		said[f.Engineer] = true
		return again
	})
	return strongest(list, c.PerKind)
}

// normalTail1 is the 99th percentile of the standard normal distribution.
const normalTail1 = 2.3263478740408408

func (e *Engine) hoarded(areas []AreaOwnership) []Finding {
	c := e.config.Findings
	var list []Finding
	for _, a := range areas {
		if a.Silo == nil || a.Silo.Score < c.Silo || a.Evidence < c.Evidence || a.People < 2 {
			continue
		}
		top := a.Holders[0]
		if isFormer(top.Pseudonym) {
			continue
		}
		f := Finding{
			Kind: HoardedArea, Team: a.Team, Area: a.Area, Engineer: top.Pseudonym, Name: top.Name, Window: Days(int(e.config.Ownership.Memory.Hours() / 24)),
			Share: top.Share, People: a.People, Score: a.Silo.Score,
		}
		f.Sentence = fmt.Sprintf("What is known about %s sits with %s: %s of the evidence, an effective %s %s among %d people; it had %s tickets in the last %d days, and of those that anybody touched nobody else touched %s.",
			a.Area, top.Pseudonym, percent(top.Share), decimal(*a.Effective, 1), plural(*a.Effective, "owner"), a.People,
			thousands(a.Tickets), int(e.config.Ownership.Demand.Hours()/24), percent(a.Silo.Demand))
		list = append(list, f)
	}
	return strongest(list, c.PerKind)
}

// since says for how long somebody has been overloaded; "" for who is not. It is
// read by others, so that it does not tell when they worked.
func (o EngineerOverload) since() string {
	if !o.Overloaded {
		return ""
	}
	return fmt.Sprintf("; overloaded since %s (%s)", o.Since.Format("2 January 2006"), strings.Join(withoutHours(o.Reasons), "; "))
}

func (e *Engine) uneven(window Window, groups []Group) []Finding {
	var list []Finding
	for _, g := range groups {
		if g.Verdict != Uneven || g.Name == NoName {
			continue
		}
		f := Finding{Kind: UnevenTeam, Team: g.Name, Window: window, Share: *g.Hoover, People: g.People, Score: *g.Hoover - *g.HooverChance}
		f.Sentence = fmt.Sprintf("%s is uneven beyond chance: %s of its open work %s would have to move to be even among its %d people, where luck alone gives %s",
			g.Name, percent(*g.Hoover), inWords(window), g.People, percent(*g.HooverChance))
		switch {
		case g.Explained == nil:
			f.Sentence += "."
		case g.explained():
			f.Sentence += fmt.Sprintf(". Who was there and knows the area explains it: by lot among them it would be as uneven (Gini %s, seen %s).",
				decimal(g.Explained.Gini, 2), decimal(*g.Gini, 2))
		default:
			part := min(1, max(0, g.Explained.Part / *g.GiniExcess))
			amount := percent(part) + " of the excess"
			if part < 0.01 {
				amount = "nothing of it"
			}
			f.Sentence += fmt.Sprintf("; who was there and knows the area explains %s.", amount)
		}
		list = append(list, f)
	}
	return strongest(list, e.config.Findings.PerKind)
}

// lucky says of teams that look uneven that they need not be: the readiest wrong
// conclusion from a Gini. Of one that is over what luck gives nine times in ten
// nothing is said, where only the number of teams keeps it from being called uneven.
func (e *Engine) lucky(window Window, groups []Group) []Finding {
	var list []Finding
	for _, g := range groups {
		if g.Verdict != WithinChance || g.Name == NoName || *g.Gini < e.config.Findings.Looks || *g.PAdjusted <= e.config.Verdict.Q || *g.Gini > *g.ChanceHigh {
			continue
		}
		f := Finding{Kind: LuckyTeam, Team: g.Name, Window: window, Share: *g.Hoover, People: g.People, Score: *g.Gini}
		f.Sentence = fmt.Sprintf("%s looks uneven, and luck alone explains it: a Gini of %s %s, where luck alone gives %s and up to %s among %d people with so few tickets.",
			g.Name, decimal(*g.Gini, 2), inWords(window), decimal(*g.GiniChance, 2), decimal(*g.ChanceHigh, 2), g.People)
		list = append(list, f)
	}
	return strongest(list, e.config.Findings.PerKind)
}

func (e *Engine) piledUp(states []TeamState) []Finding {
	var list []Finding
	for _, t := range states {
		b := t.Unassigned
		if !b.Growing || t.Team == NoName {
			continue
		}
		f := Finding{Kind: PiledUp, Team: t.Team, Window: Days(7 * len(b.WeeksAgo)), People: t.People, Score: float64(b.Now) - float64(b.WeeksAgo[0])}
		f.Sentence = fmt.Sprintf("Work of %s piles up that nobody holds: %d open tickets, where %d weeks ago it was %d, and more from week to week.",
			t.Team, b.Now, len(b.WeeksAgo)-1, b.WeeksAgo[0])
		list = append(list, f)
	}
	return strongest(list, e.config.Findings.PerKind)
}

func strongest(list []Finding, n int) []Finding {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Team, b.Team), cmp.Compare(a.Area, b.Area), cmp.Compare(a.Engineer, b.Engineer))
	})
	return list[:min(n, len(list))]
}

func percent(x float64) string { return decimal(100*x, 0) + " %" }

func decimal(x float64, digits int) string { return strconv.FormatFloat(x, 'f', digits, 64) }

// possessive is a name as the owner of something.
func possessive(name string) string {
	if strings.HasSuffix(name, "s") {
		return name + "'"
	}
	return name + "'s"
}

func plural(x float64, word string) string {
	if decimal(x, 1) == "1.0" {
		return word
	}
	return word + "s"
}

// thousands writes a whole number with separators.
func thousands(x float64) string {
	digits := decimal(x, 0)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// inWords is a window as a sentence says it.
func inWords(w Window) string {
	if w == All {
		return "since the beginning"
	}
	if w.quarter != 0 {
		return "in the " + [...]string{"first", "second", "third", "fourth"}[w.quarter-1] + " quarter of " + strconv.Itoa(w.year)
	}
	return "over the last " + strconv.Itoa(w.days) + " days"
}
