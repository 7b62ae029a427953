package asana

import (
	"cmp"
	"slices"
	"strings"

	"fairlead/connectors/ticket"
)

// Why a history is not whole, or a task is not there.
const (
	reasonDenied     = "stories denied"
	reasonMissing    = "changes without a story"
	reasonGone       = "deleted or no permission"
	reasonElsewhere  = "gone from the configured projects"
	reasonUnreadable = "unreadable"
)

// item is a task to make a ticket of, with its history.
type item struct {
	task    wireTask
	under   []membership // of the task that it is a part of
	root    string       // that task; "" for one that is no part
	stories []wireStory
	denied  bool
}

// ticket makes a whole ticket of a task; fits is false where its stories do not
// lead to its present state.
func (m *mapper) ticket(it *item) (tk ticket.Ticket, fits bool) {
	t := &it.task
	now := m.present(t, it.under)
	v := m.values(now)
	tk = ticket.Ticket{
		Source: m.s.name, ID: t.GID, Key: t.GID, Created: t.Created.Time, Updated: t.Modified.Time,
		Assignee: v.single[ticket.FieldAssignee], Status: v.single[ticket.FieldStatus], Group: v.single[ticket.FieldGroup],
		Kind: v.single[ticket.FieldKind], Priority: v.single[ticket.FieldPriority], Project: v.single[ticket.FieldProject],
		Parent: v.single[ticket.FieldParent], Areas: v.areas, Effort: now.effort, HistoryComplete: true,
	}
	if it.denied {
		tk.HistoryComplete, tk.IncompleteReason = false, reasonDenied
		fits = true
	} else if tk.Changes, fits = m.history(t, now, it.stories); !fits {
		tk.HistoryComplete, tk.IncompleteReason = false, reasonMissing
	}
	for i := range it.stories {
		s := &it.stories[i]
		if actor := m.account(s.By); s.Subtype == "comment_added" && actor != "" {
			tk.Contributions = append(tk.Contributions, ticket.Contribution{At: s.At.Time, Actor: actor, Act: ticket.ActComment})
		}
	}
	slices.SortStableFunc(tk.Contributions, func(a, b ticket.Contribution) int { return a.At.Compare(b.At) })
	m.describe(&tk)
	return tk, fits
}

// describe notes the terms of all that a ticket names.
func (m *mapper) describe(tk *ticket.Ticket) {
	m.term(ticket.FieldStatus, tk.Status)
	m.term(ticket.FieldGroup, tk.Group)
	m.term(ticket.FieldKind, tk.Kind)
	m.term(ticket.FieldPriority, tk.Priority)
	m.term(ticket.FieldProject, tk.Project)
	for _, a := range tk.Areas {
		m.term(ticket.FieldArea, a)
	}
	for _, c := range tk.Changes {
		m.term(c.Field, c.From)
		m.term(c.Field, c.To)
	}
}

func (m *mapper) term(f ticket.Field, id string) {
	key := termKey{f, id}
	if _, ok := m.terms[key]; ok || id == "" {
		return
	}
	t := ticket.Term{Source: m.s.name, Field: f, ID: id}
	_, gid, prefixed := strings.Cut(id, ":")
	if !prefixed {
		gid = id
	}
	switch f {
	case ticket.FieldStatus:
		t.Name = cmp.Or(m.named(gid), strings.ToUpper(id[:1])+id[1:])
		t.Value = string(m.s.rules.category(gid, t.Name))
	case ticket.FieldKind:
		t.Name = cmp.Or(m.named(gid), gid)
		t.Value = string(m.s.rules.kind(gid, t.Name))
	case ticket.FieldGroup:
		t.Name = m.team(gid)
	case ticket.FieldProject, ticket.FieldArea, ticket.FieldPriority:
		t.Name = m.named(gid)
	default:
		return
	}
	if t.Name != "" {
		m.terms[key] = t
	}
}

func (m *mapper) named(gid string) string {
	if i, ok := m.places.rank[gid]; ok {
		return m.places.projects[i].Name
	}
	return cmp.Or(m.names[gid], m.places.sections[gid].name)
}

func (m *mapper) team(gid string) string {
	for _, p := range m.places.projects {
		if p.Team.gid() == gid {
			return p.Team.Name
		}
	}
	return ""
}

func (m *mapper) sortedTerms() []ticket.Term {
	var out []ticket.Term
	for _, t := range m.terms {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b ticket.Term) int {
		return cmp.Or(strings.Compare(string(a.Field), string(b.Field)), strings.Compare(a.ID, b.ID))
	})
	return out
}
