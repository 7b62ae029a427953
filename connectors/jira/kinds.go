package jira

import (
	"regexp"
	"strings"

	"fairlead/connectors/ticket"
)

// rules give kinds and statuses their normalised values.
type rules struct {
	kinds    map[string]ticket.Kind     // by lower-case name or id
	statuses map[string]ticket.Category // likewise

	unplanned, planned, onCall Rule
}

func newRules(cfg Config) rules {
	r := rules{
		kinds: map[string]ticket.Kind{}, statuses: map[string]ticket.Category{},
		unplanned: cfg.Unplanned, planned: cfg.Planned, onCall: cfg.OnCall,
	}
	for name, kind := range cfg.Kinds {
		r.kinds[strings.ToLower(name)] = kind
	}
	for name, category := range cfg.Statuses {
		r.statuses[strings.ToLower(name)] = category
	}
	return r
}

// kindWords are read in order: the first whose words are in an issue type's
// name decides. "Feature request" is development work and "change request" a
// change, so requests come after both.
var kindWords = []struct {
	words *regexp.Regexp
	kind  ticket.Kind
}{
	{regexp.MustCompile(`\b(incident|outage)s?\b`), ticket.KindIncident},
	{regexp.MustCompile(`\bproblem\b`), ticket.KindProblem},
	{regexp.MustCompile(`\b(bug|defect|fault)s?\b`), ticket.KindBug},
	{regexp.MustCompile(`\b(story|stories|task|sub-?task|epic|feature|improvement|enhancement|initiative|spike|chore|documentation|test|development)s?\b`), ticket.KindTask},
	{regexp.MustCompile(`\b(change|rfc)s?\b`), ticket.KindChange},
	{regexp.MustCompile(`\b(request|question|support|help|access|service)s?\b`), ticket.KindRequest},
}

// kind is what an issue type means: by configuration, else by its name. A type
// of sub-tasks that no word tells is a task.
func (r rules) kind(t wireType) ticket.Kind {
	name := strings.ToLower(t.Name)
	for _, key := range []string{t.ID, name} {
		if kind, ok := r.kinds[key]; ok {
			return kind
		}
	}
	for _, rule := range kindWords {
		if rule.words.MatchString(name) {
			return rule.kind
		}
	}
	if t.Subtask {
		return ticket.KindTask
	}
	return ticket.KindOther
}

// category is what a status means: by configuration, else by the category that
// the site's administrators gave it.
func (r rules) category(s wireStatus) ticket.Category {
	for _, key := range []string{s.ID, strings.ToLower(s.Name)} {
		if category, ok := r.statuses[key]; ok {
			return category
		}
	}
	switch s.StatusCategory.Key {
	case "new":
		return ticket.CategoryTodo
	case "indeterminate":
		return ticket.CategoryInProgress
	case "done":
		return ticket.CategoryDone
	}
	return ticket.CategoryOther
}
