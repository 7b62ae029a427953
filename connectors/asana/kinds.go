package asana

import (
	"regexp"
	"strings"

	"fairlead/connectors/ticket"
)

// The statuses of a task that is in no section or option that stands for one.
const (
	statusComplete   = "complete"
	statusIncomplete = "incomplete"
)

// rules give kinds and statuses their normalised values.
type rules struct {
	kinds    map[string]ticket.Kind     // by lower-case name or gid
	statuses map[string]ticket.Category // likewise
}

func newRules(cfg Config) rules {
	r := rules{kinds: map[string]ticket.Kind{}, statuses: map[string]ticket.Category{}}
	for name, kind := range cfg.Kinds {
		r.kinds[strings.ToLower(name)] = kind
	}
	for name, category := range cfg.Statuses {
		r.statuses[strings.ToLower(name)] = category
	}
	return r
}

// kindWords are read in order: the first whose words are in a name decides.
var kindWords = []struct {
	words *regexp.Regexp
	kind  ticket.Kind
}{
	{regexp.MustCompile(`\b(incident|outage)s?\b`), ticket.KindIncident},
	{regexp.MustCompile(`\bproblems?\b`), ticket.KindProblem},
	{regexp.MustCompile(`\b(bug|defect|fault)s?\b`), ticket.KindBug},
	{regexp.MustCompile(`\b(story|task|subtask|feature|improvement|chore|project|maintenance)s?\b`), ticket.KindTask},
	{regexp.MustCompile(`\b(change|rfc)s?\b`), ticket.KindChange},
	{regexp.MustCompile(`\b(request|approval|question|support|help|access)s?\b`), ticket.KindRequest},
}

// kind is what a type of Asana's or an option of the kind field means: by
// configuration, else by its name.
func (r rules) kind(id, name string) ticket.Kind {
	name = strings.ToLower(name)
	for _, key := range []string{id, name} {
		if kind, ok := r.kinds[key]; ok {
			return kind
		}
	}
	for _, rule := range kindWords {
		if rule.words.MatchString(strings.ReplaceAll(name, "_", " ")) {
			return rule.kind
		}
	}
	return ticket.KindOther
}

var statusWords = []struct {
	words    *regexp.Regexp
	category ticket.Category
}{
	{regexp.MustCompile(`\b(not started|unstarted|to ?do|backlog|new|open|inbox|triage|ready|planned|next|upcoming|requested|untitled section|recently assigned|later)\b`), ticket.CategoryTodo},
	{regexp.MustCompile(`\b(done|complete|completed|closed|resolved|shipped|released|cancell?ed|archived?|won'?t do|finished)\b`), ticket.CategoryDone},
	{regexp.MustCompile(`\b(doing|progress|active|working|started|review|test|testing|qa|await(ing)?|waiting|pending|hold|blocked|today|this week)\b`), ticket.CategoryInProgress},
}

// category is what a status means: by configuration, else by its words. A task
// that is merely incomplete counts as to do: Asana does not say whether anybody
// has begun.
func (r rules) category(id, name string) ticket.Category {
	lower := strings.ToLower(name)
	for _, key := range []string{id, lower} {
		if category, ok := r.statuses[key]; ok {
			return category
		}
	}
	switch id {
	case statusComplete:
		return ticket.CategoryDone
	case statusIncomplete:
		return ticket.CategoryTodo
	}
	for _, rule := range statusWords {
		if rule.words.MatchString(lower) {
			return rule.category
		}
	}
	return ticket.CategoryOther
}
