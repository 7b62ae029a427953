package analysis

import (
	"fmt"
	"slices"
	"strings"
)

// Subject is what a published number is about.
type Subject string

// The subjects.
const (
	OfTeam     Subject = "team"
	OfEngineer Subject = "engineer"
	OfArea     Subject = "area"
)

// Subjects lists all of them.
var Subjects = []Subject{OfTeam, OfEngineer, OfArea}

// What lists of tickets are behind.
const (
	listWork     = "work"     // the work of a window
	listHeld     = "held"     // what was open in a week
	listEvidence = "evidence" // what somebody knows of an area
	listAlone    = "alone"    // that only one person touched
)

// published is a figure of an explanation.
type published struct {
	subject Subject
	name    string
	also    []string // as it is called in a metric, and where else it is shown
	from    []string // figures that it is computed of
	lists   []string
}

var signals = []string{"own_load", "team_load", "flow", "on_call", "unplanned", "after_hours", "rest"}

var explainable = func() []published {
	work, held, evidence := []string{listWork}, []string{listHeld}, []string{listEvidence}
	list := []published{
		{OfTeam, "gini", []string{"load_gini"}, nil, work},
		{OfTeam, "gini_low", []string{"load_gini_low"}, []string{"gini"}, work},
		{OfTeam, "gini_high", []string{"load_gini_high"}, []string{"gini"}, work},
		{OfTeam, "hoover", []string{"load_hoover"}, nil, work},
		{OfTeam, "theil", nil, nil, work},
		{OfTeam, "hhi", []string{"load_hhi"}, nil, work},
		{OfTeam, "effective", []string{"effective_engineers"}, []string{"hhi"}, work},
		{OfTeam, "top_share", nil, nil, work},
		{OfTeam, "cv2", nil, nil, work},
		{OfTeam, "gini_chance", []string{"load_gini_chance", "by_chance"}, nil, work},
		{OfTeam, "gini_excess", []string{"load_gini_excess", "excess"}, []string{"gini", "gini_chance"}, work},
		{OfTeam, "gini_explained", []string{"load_gini_explained", "explained"}, []string{"gini_chance"}, work},
		{OfTeam, "gini_chance_low", []string{"load_gini_chance_low"}, nil, work},
		{OfTeam, "gini_chance_high", []string{"load_gini_chance_high"}, nil, work},
		{OfTeam, "p", []string{"load_fairness_p", "p_value"}, []string{"cv2"}, work},
		{OfTeam, "p_adjusted", []string{"load_fairness_q", "q_value", "q"}, []string{"p"}, work},
		{OfTeam, "verdict", []string{"load_fairness_verdict", "fairness"}, []string{"hoover", "p", "p_adjusted"}, work},
		{OfEngineer, "relative_load", []string{"load"}, nil, work},
		{OfEngineer, "z", nil, []string{"relative_load"}, work},
		{OfEngineer, "tail", nil, []string{"relative_load"}, work},
		{OfEngineer, "overloaded", []string{"overload", "overload_signal", "overload_signals"}, signals, held},
		{OfArea, "bus_factor", nil, nil, evidence},
		{OfArea, "ownership_hhi", []string{"hhi"}, nil, evidence},
		{OfArea, "effective_owners", []string{"effective"}, []string{"ownership_hhi"}, evidence},
		{OfArea, "top_owner", nil, nil, evidence},
		{OfArea, "concentration", nil, nil, evidence},
		{OfArea, "missing_backup", []string{"backup"}, nil, evidence},
		{OfArea, "sole_demand", []string{"demand"}, nil, []string{listAlone}},
		{OfArea, "silo", []string{"silo_component", "silo_score"}, []string{"concentration", "missing_backup", "sole_demand"}, []string{listEvidence, listAlone}},
	}
	for _, s := range signals {
		list = append(list, published{OfEngineer, s, nil, nil, held})
	}
	return list
}()

// called brings what a figure may be called to one form: without what the name
// of a metric has around it.
func called(subject Subject, name string) string {
	name = strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
	name = strings.TrimPrefix(name, "fairlead_")
	name = strings.TrimPrefix(name, string(subject)+"_")
	for _, suffix := range []string{"_ratio", "_value"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

func find(subject Subject, figure string) (published, bool) {
	name := called(subject, figure)
	i := slices.IndexFunc(explainable, func(p published) bool {
		return p.subject == subject && (p.name == name || slices.Contains(p.also, name))
	})
	if i < 0 {
		return published{}, false
	}
	return explainable[i], true
}

// Explainable reports whether an Explanation of the subject has such a figure, by
// its name there or that of its metric.
func Explainable(subject Subject, figure string) bool {
	_, ok := find(subject, figure)
	return ok
}

// Figures are the names of what can be explained of a subject.
func Figures(subject Subject) []string {
	var names []string
	for _, p := range explainable {
		if p.subject == subject {
			names = append(names, p.name)
		}
	}
	return names
}

// Only is the part of an explanation that is about one figure, by its name or
// that of its metric, and what that figure is computed of. The error says which
// figures there are.
func (x Explanation) Only(subject Subject, figure string) (Explanation, error) {
	p, ok := find(subject, figure)
	if !ok {
		return Explanation{}, fmt.Errorf("there is no figure of %ss called %q: give %s", subject, figure, strings.Join(Figures(subject), ", "))
	}
	wanted := map[string]bool{p.name: true}
	add := func(names []string) {
		for _, n := range names {
			wanted[n] = true
		}
	}
	add(p.from)
	for _, n := range p.from {
		if of, ok := find(subject, n); ok {
			add(of.from)
		}
	}
	all, has := x.Figures, false
	x.Figures = nil
	for _, f := range all {
		has = has || f.Name == p.name
		if wanted[f.Name] {
			x.Figures = append(x.Figures, f)
		}
	}
	if !has {
		var names []string
		for _, f := range all {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
		return Explanation{}, fmt.Errorf("%s is not known of %s; what is: %s", p.name, x.Of, strings.Join(names, ", "))
	}
	lists := x.Tickets
	x.Tickets = nil
	for _, l := range lists {
		if slices.Contains(p.lists, l.Behind) {
			x.Tickets = append(x.Tickets, l)
		}
	}
	return x, nil
}

// Anonymous is the same without names: pseudonyms stay.
func (x Explanation) Anonymous() Explanation {
	x.Name = ""
	x.People = slices.Clone(x.People)
	for i := range x.People {
		x.People[i].Name = ""
	}
	x.Tickets = slices.Clone(x.Tickets)
	for i := range x.Tickets {
		list := slices.Clone(x.Tickets[i].Tickets)
		for j := range list {
			list[j].Name = ""
		}
		x.Tickets[i].Tickets = list
	}
	return x
}

// Pseudonyms are those of everybody whom the explanation speaks of, each once.
func (x Explanation) Pseudonyms() []string {
	var list []string
	for _, p := range x.People {
		list = append(list, p.Pseudonym)
	}
	for _, l := range x.Tickets {
		for _, t := range l.Tickets {
			list = append(list, t.Pseudonym)
		}
	}
	return eachOnce(list)
}

// Anonymous is the same without names: pseudonyms stay.
func (r Rebalancing) Anonymous() Rebalancing {
	r.Moves, r.People = slices.Clone(r.Moves), slices.Clone(r.People)
	for i := range r.Moves {
		r.Moves[i].FromName, r.Moves[i].ToName = "", ""
	}
	for i := range r.People {
		r.People[i].Name = ""
	}
	return r
}

// Pseudonyms are those of everybody whom the plan speaks of, each once.
func (r Rebalancing) Pseudonyms() []string {
	var list []string
	for _, p := range r.People {
		list = append(list, p.Pseudonym)
	}
	for _, m := range r.Moves {
		list = append(list, m.From, m.To)
	}
	return eachOnce(list)
}

func eachOnce(list []string) []string {
	slices.Sort(list)
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}
