package jira

import (
	"slices"
	"strings"

	"fairlead/connectors/ticket"
)

// Rule says which issues bear a mark: those that have any of these now, by name or
// id, whatever its case. An empty one says none.
type Rule struct {
	Labels     []string `yaml:"labels"`
	Types      []string `yaml:"types"`
	Priorities []string `yaml:"priorities"`
}

func (r Rule) empty() bool { return len(r.Labels)+len(r.Types)+len(r.Priorities) == 0 }

// blank says whether a rule lists a value that is nothing.
func (r Rule) blank() bool {
	return slices.ContainsFunc(slices.Concat(r.Labels, r.Types, r.Priorities), func(v string) bool { return strings.TrimSpace(v) == "" })
}

// has says whether a list has one of the values.
func has(list []string, values ...string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		return v != "" && slices.ContainsFunc(list, func(l string) bool { return strings.EqualFold(strings.TrimSpace(l), v) })
	})
}

func (r Rule) marks(p present) bool {
	if r.empty() {
		return false
	}
	var priority wireNamed
	if p.priority != nil {
		priority = *p.priority
	}
	return has(r.Labels, p.labels...) || has(r.Types, p.kind.ID, p.kind.Name) || has(r.Priorities, priority.ID, priority.Name)
}

// marks are those of an issue, sorted. What is both planned and unplanned is
// unplanned.
func (r rules) marks(p present) []ticket.Mark {
	var list []ticket.Mark
	if r.onCall.marks(p) {
		list = append(list, ticket.MarkOnCall)
	}
	switch {
	case r.unplanned.marks(p):
		list = append(list, ticket.MarkUnplanned)
	case r.planned.marks(p):
		list = append(list, ticket.MarkPlanned)
	}
	return list
}

// labelled says whether a rule asks for labels. They are compared and not stored.
func (r rules) labelled() bool {
	return len(r.onCall.Labels)+len(r.unplanned.Labels)+len(r.planned.Labels) > 0
}
