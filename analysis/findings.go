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
)

// Finding is something that a manager may want to talk about. It is a reason to
// look and to ask, not a verdict on anybody.
type Finding struct {
	Kind     FindingKind `json:"kind"`
	Team     string      `json:"team"`
	Area     string      `json:"area,omitempty"`
	Engineer string      `json:"engineer"` // pseudonym
	Name     string      `json:"name,omitempty"`
	Window   Window      `json:"window"`

	// Share is of the team's open work, or of the area's evidence; Score is
	// what findings of a kind are ordered by: the relative load beyond what
	// chance gives once in a hundred, or the silo score.
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
}

// DefaultFindingsConfig is that of the definition of the measures, with three
// findings of a kind.
func DefaultFindingsConfig() FindingsConfig {
	return FindingsConfig{PerKind: 3, MinPeople: 3, Relative: 1.25, Tail: 0.01, Silo: 0.5, Evidence: 10}
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
	list := []Finding{}
	list = append(list, e.overloaded(s.Windows[longest], load[longest])...)
	list = append(list, e.hoarded(s.Areas)...)
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

// overloaded compares the regulars of each team with each other, under the null
// that each of their assignments falls to any of them alike.
func (e *Engine) overloaded(window Window, teams map[string]*tallies) []Finding {
	c := e.config.Findings
	var list []Finding
	for _, team := range sortedKeys(teams) {
		t := teams[team]
		people := regulars(t)
		if team == NoName || len(people) < c.MinPeople {
			continue
		}
		var weights distribution.Weights
		for _, p := range people {
			one := t.people[p]
			weights = weights.Plus(distribution.Weights{N: one.items, Sum: one.value, Squares: one.square})
		}
		n, h := float64(len(people)), weights.H()
		if 1/h < distribution.MinTicketsPerHead*n {
			continue
		}
		for _, p := range people {
			share := t.people[p].value / weights.Sum
			f := Finding{
				Kind: OverloadedEngineer, Team: team, Engineer: p, Name: t.names[p], Window: window, People: len(people),
				Share: share, Relative: share * n,
				Z:    distribution.ShareZ(share, 1/n, h),
				Tail: distribution.BinomialUpperTail(min(share/h, 1/h), 1/h, 1/n),
			}
			if f.Relative <= c.Relative || f.Tail >= c.Tail {
				continue
			}
			byLuck := 1/n + normalTail1*math.Sqrt(h/n*(1-1/n))
			f.Score = share / byLuck
			f.Sentence = fmt.Sprintf("%s carries %s times an even share of %s's open work %s: %s of %s ticket-days among %d people, where luck alone would exceed %s once in a hundred times.",
				p, decimal(f.Relative, 1), team, inWords(window), percent(share), thousands(weights.Sum), f.People, percent(byLuck))
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
		f := Finding{
			Kind: HoardedArea, Team: a.Team, Area: a.Area, Engineer: top.Pseudonym, Name: top.Name, Window: Days(int(e.config.Ownership.Memory.Hours() / 24)),
			Share: top.Share, People: a.People, Score: a.Silo.Score,
		}
		f.Sentence = fmt.Sprintf("What is known about %s sits with %s: %s of the evidence, an effective %s %s among %d people; of its %s tickets of the last %d days nobody else touched %s.",
			a.Area, top.Pseudonym, percent(top.Share), decimal(*a.Effective, 1), plural(*a.Effective, "owner"), a.People,
			thousands(a.Tickets), int(e.config.Ownership.Demand.Hours()/24), percent(a.Silo.Demand))
		list = append(list, f)
	}
	return strongest(list, c.PerKind)
}

func strongest(list []Finding, n int) []Finding {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Team, b.Team), cmp.Compare(a.Area, b.Area), cmp.Compare(a.Engineer, b.Engineer))
	})
	return list[:min(n, len(list))]
}

func percent(x float64) string { return decimal(100*x, 0) + " %" }

func decimal(x float64, digits int) string { return strconv.FormatFloat(x, 'f', digits, 64) }

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
	return "over the last " + strconv.Itoa(w.days) + " days"
}
