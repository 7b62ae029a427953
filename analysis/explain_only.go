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
	listWork       = "work"       // the work of a window
	listHeld       = "held"       // what was open in the last week
	listWeeks      = "weeks"      // what was open in each of the weeks shown
	listUnplanned  = "unplanned"  // unplanned work that came
	listPlanned    = "planned"    // other work that came
	listCame       = "came"       // all that came while flow is looked at
	listLeft       = "left"       // all that left
	listCalled     = "called"     // what came while on call
	listOff        = "off"        // what was done outside own hours
	listIn         = "in"         // what was done within them
	listOffUsual   = "off_usual"  // the same of the weeks before
	listInUsual    = "in_usual"   //
	listRest       = "rest"       // what ended a daily rest
	listOpen       = "open"       // what is open and held
	listUnassigned = "unassigned" // what is open and in nobody's hands
	listHandedOver = "handed_over"
	listEvidence   = "evidence" // what somebody knows of an area
	listAlone      = "alone"    // that only one person touched
	listDemand     = "demand"   // recent tickets of areas
)

// chapter is figures of a subject that are made from the same data.
type chapter uint8

// The chapters; those of areas are one.
const (
	onSpread    chapter = iota // how the work of a window is spread
	onWeeks                    // the last whole weeks
	onOpen                     // what is open now
	onHandovers                //
	onKnowledge                // what hangs on whom, of a team's areas
	onEvidence                 // what somebody knows of areas
)

// published is a figure of an explanation.
type published struct {
	subject Subject
	chapter chapter
	name    string
	also    []string // as it is called in a metric, and where else it is shown
	from    []string // figures that it is computed of
	lists   []string
}

// signalLists are the tickets behind the signals of overload.
var signalLists = map[string][]string{
	"own_load": {listHeld, listWeeks}, "team_load": {listHeld}, "flow": {listCame, listLeft}, "on_call": {listCalled},
	"unplanned": {listUnplanned, listPlanned}, "after_hours": {listOff, listIn}, "rest": {listRest},
}

var signals = []string{"own_load", "team_load", "flow", "on_call", "unplanned", "after_hours", "rest"}

// signalName and levelName are how the figures of a signal are called.
func signalName(signal string) string { return signal + "_signal" }
func levelName(signal string) string  { return signal + "_level" }

var explainable = func() []published {
	work, held, evidence := []string{listWork}, []string{listHeld}, []string{listEvidence}
	came, acts := []string{listUnplanned, listPlanned}, []string{listOff, listIn}
	known := []string{listDemand, listEvidence}
	var states []string
	for _, s := range signals {
		states = append(states, signalName(s))
	}
	list := []published{
		{OfTeam, onSpread, "gini", []string{"load_gini"}, nil, work},
		{OfTeam, onSpread, "gini_low", []string{"load_gini_low"}, []string{"gini"}, work},
		{OfTeam, onSpread, "gini_high", []string{"load_gini_high"}, []string{"gini"}, work},
		{OfTeam, onSpread, "hoover", []string{"load_hoover"}, nil, work},
		{OfTeam, onSpread, "theil", nil, nil, work},
		{OfTeam, onSpread, "hhi", []string{"load_hhi"}, nil, work},
		{OfTeam, onSpread, "effective", []string{"effective_engineers"}, []string{"hhi"}, work},
		{OfTeam, onSpread, "top_share", nil, nil, work},
		{OfTeam, onSpread, "cv2", nil, nil, work},
		{OfTeam, onSpread, "engineers", []string{"people"}, nil, work},
		{OfTeam, onSpread, "capacity", []string{"capacity_fte"}, []string{"engineers"}, work},
		{OfTeam, onSpread, "total", []string{"tickets"}, []string{"engineers"}, work},
		{OfTeam, onSpread, "average_load", []string{"load"}, []string{"total"}, work},
		{OfTeam, onSpread, "gini_chance", []string{"load_gini_chance", "by_chance"}, nil, work},
		{OfTeam, onSpread, "gini_excess", []string{"load_gini_excess", "excess"}, []string{"gini", "gini_chance"}, work},
		{OfTeam, onSpread, "gini_explained", []string{"load_gini_explained", "explained"}, []string{"gini_chance"}, work},
		{OfTeam, onSpread, "gini_chance_low", []string{"load_gini_chance_low"}, nil, work},
		{OfTeam, onSpread, "gini_chance_high", []string{"load_gini_chance_high"}, nil, work},
		{OfTeam, onSpread, "p", []string{"load_fairness_p", "p_value"}, []string{"cv2"}, work},
		{OfTeam, onSpread, "p_adjusted", []string{"load_fairness_q", "q_value", "q"}, []string{"p"}, work},
		{OfTeam, onSpread, "verdict", []string{"load_fairness_verdict", "fairness"}, []string{"hoover", "p", "p_adjusted"}, work},
		{OfTeam, onWeeks, "overloaded_engineers", []string{"overload", "overloaded"}, []string{"judged_engineers"}, held},
		{OfTeam, onWeeks, "judged_engineers", []string{"judged"}, nil, held},
		{OfTeam, onWeeks, "unplanned", nil, nil, came},
		{OfTeam, onWeeks, "after_hours", []string{"afterhours"}, nil, acts},
		{OfTeam, onWeeks, "after_hours_usual", []string{"afterhours_usual"}, nil, []string{listOffUsual, listInUsual}},
		{OfTeam, onWeeks, "short_rests", []string{"rests", "rest"}, nil, []string{listRest}},
		{OfTeam, onOpen, "open", []string{"open_tickets"}, nil, []string{listOpen}},
		{OfTeam, onOpen, "unassigned", []string{"unassigned_tickets"}, nil, []string{listUnassigned}},
		{OfTeam, onOpen, "unassigned_growing", []string{"growing"}, []string{"unassigned"}, []string{listUnassigned}},
		{OfTeam, onHandovers, "handovers", []string{"handovers_total"}, nil, []string{listHandedOver}},
		{OfTeam, onKnowledge, "bus_factor", nil, nil, known},
		{OfTeam, onKnowledge, "silo", []string{"silo_score"}, nil, known},
		{OfTeam, onKnowledge, "sole_holder_areas", []string{"sole_areas"}, nil, known},
		{OfEngineer, onSpread, "average_load", []string{"load"}, nil, work},
		{OfEngineer, onSpread, "relative_load", nil, nil, work},
		{OfEngineer, onSpread, "z", nil, []string{"relative_load"}, work},
		{OfEngineer, onSpread, "tail", nil, []string{"relative_load"}, work},
		{OfEngineer, onWeeks, "overloaded", []string{"overload", "overload_signal", "overload_signals"}, states, held},
		{OfEngineer, onWeeks, "unplanned", nil, nil, came},
		{OfEngineer, onWeeks, "after_hours", nil, nil, acts},
		{OfEngineer, onWeeks, "weekly_load", []string{"weeks"}, nil, []string{listWeeks}},
		{OfEngineer, onOpen, "open", []string{"open_tickets"}, nil, []string{listOpen}},
		{OfEngineer, onKnowledge, "orphaned_demand", []string{"orphaned"}, []string{"uncovered_areas"}, known},
		{OfEngineer, onKnowledge, "uncovered_areas", []string{"uncovered"}, nil, known},
		{OfEngineer, onEvidence, "evidence", nil, nil, evidence},
		{OfEngineer, onEvidence, "area_evidence", []string{"evidence_share"}, []string{"evidence"}, evidence},
		{OfEngineer, onEvidence, "covers", []string{"covered"}, []string{"evidence"}, evidence},
		{OfArea, 0, "bus_factor", nil, nil, evidence},
		{OfArea, 0, "sole_holder_absent", []string{"absent"}, []string{"bus_factor"}, evidence},
		{OfArea, 0, "ownership_hhi", []string{"hhi"}, nil, evidence},
		{OfArea, 0, "effective_owners", []string{"effective"}, []string{"ownership_hhi"}, evidence},
		{OfArea, 0, "top_owner", nil, nil, evidence},
		{OfArea, 0, "concentration", nil, nil, evidence},
		{OfArea, 0, "missing_backup", []string{"backup"}, nil, evidence},
		{OfArea, 0, "sole_demand", []string{"demand"}, nil, []string{listAlone}},
		{OfArea, 0, "silo", []string{"silo_component", "silo_score"}, []string{"concentration", "missing_backup", "sole_demand"}, []string{listEvidence, listAlone}},
	}
	for _, s := range signals {
		list = append(list,
			published{OfEngineer, onWeeks, signalName(s), []string{s}, nil, signalLists[s]},
			published{OfEngineer, onWeeks, levelName(s), nil, []string{signalName(s)}, signalLists[s]})
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

// find is the figure of that name, or else the first that is also called so.
func find(subject Subject, figure string) (published, bool) {
	name := called(subject, figure)
	i := slices.IndexFunc(explainable, func(p published) bool { return p.subject == subject && p.name == name })
	if i < 0 {
		i = slices.IndexFunc(explainable, func(p published) bool { return p.subject == subject && slices.Contains(p.also, name) })
	}
	if i < 0 {
		return published{}, false
	}
	return explainable[i], true
}

func noFigure(subject Subject, figure string) error {
	return fmt.Errorf("there is no figure of %ss called %q: give %s", subject, figure, strings.Join(Figures(subject), ", "))
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

// isBehind reports whether a figure of a subject comes from the tickets of a list.
func isBehind(l ExplainedList, subject Subject, f ExplainedFigure) bool {
	p, ok := find(subject, f.Name)
	return ok && l.Where == f.Where && slices.Contains(p.lists, l.Behind)
}

// Behind are the lists of tickets that a figure of an Explanation comes from.
func (x Explanation) Behind(subject Subject, f ExplainedFigure) []ExplainedList {
	return slices.DeleteFunc(slices.Clone(x.Tickets), func(l ExplainedList) bool { return !isBehind(l, subject, f) })
}

// Only is the part of an explanation that is about one figure, by its name or
// that of its metric, and what that figure is computed of. The error says which
// figures there are.
func (x Explanation) Only(subject Subject, figure string) (Explanation, error) {
	p, ok := find(subject, figure)
	if !ok {
		return Explanation{}, noFigure(subject, figure)
	}
	x.Asked = p.name
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
		told := ""
		if len(names) > 0 {
			told = "; what is: " + strings.Join(names, ", ")
		}
		return Explanation{}, fmt.Errorf("%s is not known of %s%s", p.name, x.Of, told)
	}
	x.Tickets = slices.DeleteFunc(slices.Clone(x.Tickets), func(l ExplainedList) bool {
		return !slices.ContainsFunc(x.Figures, func(f ExplainedFigure) bool { return f.Name == p.name && isBehind(l, subject, f) })
	})
	return x, nil
}

// timeLists and timeFigures tell when somebody worked.
var (
	timeLists   = []string{listOff, listIn, listOffUsual, listInUsual, listRest}
	timeFigures = []string{
		"after_hours", "after_hours_usual", "short_rests",
		signalName("after_hours"), levelName("after_hours"), signalName("rest"), levelName("rest"),
	}
)

// WithoutHours is the same without what tells when somebody worked.
func (x Explanation) WithoutHours() Explanation {
	x.Figures = slices.DeleteFunc(slices.Clone(x.Figures), func(f ExplainedFigure) bool { return slices.Contains(timeFigures, f.Name) })
	x.Tickets = slices.DeleteFunc(slices.Clone(x.Tickets), func(l ExplainedList) bool { return slices.Contains(timeLists, l.Behind) })
	for i := range x.Figures {
		if f := &x.Figures[i]; f.Name == "overloaded" {
			f.Verdict, f.Put = withoutTime(f.Verdict), withoutTime(f.Put)
		}
	}
	return x
}

// withoutTime takes the family out of a text of stateFigure, where it is told last
// of several.
func withoutTime(text string) string {
	parts := strings.Split(text, "; ")
	for i, p := range parts {
		if before, _, found := strings.Cut(p, "time: "); found {
			parts[i] = strings.TrimSuffix(before, ": ")
		}
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return strings.NewReplacer(" and time)", ")", " (time)", "").Replace(strings.Join(parts, "; "))
}

// Within is the part of an explanation that is about certain teams and areas.
func (x Explanation) Within(in func(Where) bool) Explanation {
	x.Figures = slices.DeleteFunc(slices.Clone(x.Figures), func(f ExplainedFigure) bool { return !in(f.Where) })
	x.Tickets = slices.DeleteFunc(slices.Clone(x.Tickets), func(l ExplainedList) bool { return !in(l.Where) })
	return x
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
		if p.Pseudonym != formerEngineer {
			list = append(list, p.Pseudonym)
		}
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
