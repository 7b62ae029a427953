package asana

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"fairlead/connectors/ticket"
)

// state is what the tracked fields of a task are made of, at one instant.
type state struct {
	assignee  string
	completed bool
	subtype   string
	parent    string
	options   map[role]string   // of the configured single choices, "" is none
	effort    *float64          // nil where unset
	in        map[string]string // project → section, of the projects that are collected; "" where not known
}

// role is what a custom field stands for.
type role int

const (
	noRole role = iota
	statusRole
	kindRole
	priorityRole
	effortRole
)

func (st state) clone() state {
	st.options, st.in = maps.Clone(st.options), maps.Clone(st.in)
	return st
}

// creationSpan is how long after a task's creation a story is still of the
// request that made it, which Asana records piece by piece.
const creationSpan = time.Second

// mapper makes tickets of the tasks of one page.
type mapper struct {
	s      *Source
	places *places
	people map[string]string // gid → name, of those that are named
	names  map[string]string // of options, sections and custom fields
	homes  map[string]string // section → project, where the list of sections does not tell
	joined map[string]string // story by which a task was added to a project → the section it came into
	blank  bool              // a story tells that somebody gave the task up, and nothing who
	terms  map[termKey]ticket.Term
}

type termKey struct {
	field ticket.Field
	id    string
}

func newMapper(s *Source, p *places) *mapper {
	return &mapper{s: s, places: p, people: map[string]string{}, names: map[string]string{},
		homes: map[string]string{}, joined: map[string]string{}, terms: map[termKey]ticket.Term{}}
}

// account notes that an account is named, and gives its gid.
func (m *mapper) account(r *ref) string {
	if r == nil || r.GID == "" {
		return ""
	}
	if m.people[r.GID] == "" {
		m.people[r.GID] = r.Name
	}
	return r.GID
}

func (m *mapper) name(r *ref) string {
	if r == nil {
		return ""
	}
	if r.Name != "" {
		m.names[r.GID] = r.Name
	}
	return r.GID
}

// role is what a custom field is configured to stand for, by gid or name.
func (m *mapper) role(gid, name string) role {
	c := &m.s.cfg
	for _, one := range []struct {
		key  string
		role role
	}{{c.StatusField, statusRole}, {c.KindField, kindRole}, {c.PriorityField, priorityRole}, {c.EffortField, effortRole}} {
		if one.key != "" && (one.key == gid || strings.EqualFold(one.key, name)) {
			return one.role
		}
	}
	return noRole
}

// present is the state of a task as it was read. under is where the task is that
// it is a part of: a subtask that is in no project of its own is there.
func (m *mapper) present(t *wireTask, under []membership) state {
	st := state{
		assignee: m.account(t.Assignee), completed: t.Completed, subtype: t.Subtype, parent: t.Parent.gid(),
		options: map[role]string{}, in: m.within(t.Memberships),
	}
	if len(st.in) == 0 {
		st.in = m.within(under)
	}
	for _, f := range t.Fields {
		switch r := m.role(f.GID, f.Name); r {
		case noRole:
		case effortRole:
			st.effort = f.Number
		default:
			st.options[r] = m.name(f.Enum)
		}
	}
	return st
}

func (m *mapper) within(list []membership) map[string]string {
	in := map[string]string{}
	for _, one := range list {
		p := one.Project.gid()
		if _, ok := m.places.rank[p]; ok {
			in[p] = m.name(one.Section)
			if s := one.Section.gid(); s != "" {
				m.learn(s, p, one.Section.Name)
			}
		}
	}
	return in
}

// learn notes of which project a section is.
func (m *mapper) learn(section, project, name string) {
	if name != "" {
		m.names[section] = name
	}
	if m.sectionProject(section) == "" {
		m.homes[section] = project
	}
}

func (m *mapper) sectionProject(section string) string {
	if s, ok := m.places.sections[section]; ok {
		return s.project
	}
	return m.homes[section]
}

// aspect is the part of a task that a story changes, "" if none that is
// tracked. One update changes an aspect once.
func (m *mapper) aspect(s *wireStory) string {
	switch s.Subtype {
	case "assigned", "unassigned":
		return "assignee"
	case "marked_complete", "marked_incomplete":
		return "completed"
	case "added_to_project", "removed_from_project":
		if _, ok := m.places.rank[s.Project.gid()]; ok {
			return "project " + s.Project.GID
		}
	case "section_changed":
		for _, one := range []*ref{s.NewSection, s.OldSection} {
			if p := m.sectionProject(one.gid()); p != "" {
				return "section " + p
			}
		}
	case "added_to_task", "removed_from_task":
		return "parent"
	case "enum_custom_field_changed", "number_custom_field_changed":
		if s.Field != nil && m.role(s.Field.GID, s.Field.Name) != noRole {
			return "field " + s.Field.GID
		}
	default:
		if s.NewType != "" {
			return "subtype"
		}
	}
	return ""
}

// apply makes the change of a story.
func (m *mapper) apply(st *state, s *wireStory) {
	switch s.Subtype {
	case "assigned":
		st.assignee = m.account(s.Assignee)
	case "unassigned":
		m.blank = m.blank || st.assignee == ""
		st.assignee = ""
	case "marked_complete", "marked_incomplete":
		st.completed = s.Subtype == "marked_complete"
	case "added_to_project":
		st.in[s.Project.GID] = m.joined[s.GID]
	case "removed_from_project":
		delete(st.in, s.Project.GID)
	case "section_changed":
		p := strings.TrimPrefix(m.aspect(s), "section ")
		if _, ok := st.in[p]; ok {
			st.in[p] = m.name(s.NewSection)
		}
	case "added_to_task":
		st.parent = s.Task.gid()
	case "removed_from_task":
		st.parent = ""
	case "enum_custom_field_changed":
		m.name(s.OldEnum)
		st.options[m.role(s.Field.GID, s.Field.Name)] = m.name(s.NewEnum)
	case "number_custom_field_changed":
		st.effort = s.NewNumber
	default:
		st.subtype = s.NewType
	}
}

// first is the state before the first story: of each aspect what its first
// story replaced or, where there is none, what it is now.
func (m *mapper) first(now state, stories []*wireStory) state {
	st := now.clone()
	for _, s := range slices.Backward(stories) {
		switch s.Subtype {
		case "assigned":
			// Asana does not say who had it before. Nobody, if this is the first.
			st.assignee = ""
		case "unassigned":
			st.assignee = m.account(s.Assignee)
		case "marked_complete", "marked_incomplete":
			st.completed = s.Subtype == "marked_incomplete"
		case "added_to_project":
			// In which section it was then is what is known by now.
			m.joined[s.GID] = st.in[s.Project.GID]
			delete(st.in, s.Project.GID)
		case "removed_from_project":
			st.in[s.Project.GID] = ""
		case "section_changed":
			p := strings.TrimPrefix(m.aspect(s), "section ")
			m.learn(s.OldSection.gid(), p, "")
			m.learn(s.NewSection.gid(), p, "")
			if _, ok := st.in[p]; ok {
				st.in[p] = m.name(s.OldSection)
			}
		case "added_to_task":
			st.parent = ""
		case "removed_from_task":
			st.parent = s.Task.gid()
		case "enum_custom_field_changed":
			st.options[m.role(s.Field.GID, s.Field.Name)] = m.name(s.OldEnum)
		case "number_custom_field_changed":
			st.effort = s.OldNumber
		default:
			st.subtype = s.OldType
		}
	}
	return st
}

// tracked are the stories that change what is tracked, in order.
func (m *mapper) tracked(stories []wireStory) []*wireStory {
	var out []*wireStory
	for i := range stories {
		if m.aspect(&stories[i]) != "" {
			out = append(out, &stories[i])
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].At.Before(out[j].At.Time) })
	return out
}

// history derives the changes of a task from its stories. fits says that they
// lead to its present state.
func (m *mapper) history(t *wireTask, now state, all []wireStory) (changes []ticket.Change, fits bool) {
	stories := m.completion(t, m.tracked(all))
	m.blank = false
	st := m.first(now, stories)
	born := t.Created.Add(creationSpan)
	for len(stories) > 0 && stories[0].At.Before(born) {
		m.apply(&st, stories[0])
		stories = stories[1:]
	}
	before := m.values(st)
	var seq uint32
	for len(stories) > 0 {
		// The pieces of one update share time and actor.
		n, had := 0, map[string]bool{}
		for n < len(stories) && stories[n].At.Equal(stories[0].At.Time) && stories[n].By.gid() == stories[0].By.gid() && !had[m.aspect(stories[n])] {
			had[m.aspect(stories[n])] = true
			m.apply(&st, stories[n])
			n++
		}
		after := m.values(st)
		seq++
		update := before.to(after, ticket.Change{At: stories[0].At.Time, Seq: seq, Actor: m.account(stories[0].By)})
		changes = append(changes, update...)
		before, stories = after, stories[n:]
	}
	return changes, !m.blank && before.equal(m.values(now))
}

// completion adds the completion that the task itself tells of, where no story
// does: tasks that were imported have none.
func (m *mapper) completion(t *wireTask, stories []*wireStory) []*wireStory {
	if !t.Completed || t.CompletedAt.IsZero() || slices.ContainsFunc(stories, func(s *wireStory) bool { return m.aspect(s) == "completed" }) {
		return stories
	}
	told := &wireStory{At: t.CompletedAt, By: t.CompletedBy, Subtype: "marked_complete"}
	at, _ := slices.BinarySearchFunc(stories, told, func(a, b *wireStory) int {
		if a.At.After(b.At.Time) {
			return 1
		}
		return -1
	})
	return slices.Insert(stories, at, told)
}

// values are the tracked fields of a state.
type values struct {
	single map[ticket.Field]string
	areas  []string
}

// Areas and statuses that are not Asana's own words are told apart by what they
// are.
const (
	projectArea   = "project:"
	sectionPrefix = "section:"
	optionPrefix  = "option:"
)

func (m *mapper) values(st state) values {
	v := values{single: map[ticket.Field]string{
		ticket.FieldAssignee: st.assignee, ticket.FieldParent: st.parent, ticket.FieldKind: st.subtype, ticket.FieldStatus: statusIncomplete,
	}}
	home := ""
	for p, section := range st.in {
		if home == "" || m.places.rank[p] < m.places.rank[home] {
			home = p
		}
		if section != "" && m.s.cfg.Sections == SectionsAreas {
			v.areas = append(v.areas, sectionPrefix+section)
		} else {
			v.areas = append(v.areas, projectArea+p)
		}
	}
	slices.Sort(v.areas)
	if home != "" {
		v.single[ticket.FieldProject] = home
		v.single[ticket.FieldGroup] = m.places.projects[m.places.rank[home]].Team.gid()
		if section := st.in[home]; section != "" && m.s.cfg.Sections == SectionsStatuses {
			v.single[ticket.FieldStatus] = sectionPrefix + section
		}
	}
	if option := st.options[statusRole]; option != "" {
		v.single[ticket.FieldStatus] = optionPrefix + option
	}
	if st.completed {
		v.single[ticket.FieldStatus] = statusComplete
	}
	if option := st.options[kindRole]; option != "" {
		v.single[ticket.FieldKind] = optionPrefix + option
	}
	if option := st.options[priorityRole]; option != "" {
		v.single[ticket.FieldPriority] = optionPrefix + option
	}
	if st.effort != nil {
		v.single[ticket.FieldEffort] = strconv.FormatFloat(*st.effort, 'f', -1, 64)
	}
	return v
}

func (v values) equal(w values) bool {
	return slices.Equal(v.areas, w.areas) && len(v.to(w, ticket.Change{})) == 0
}

var singleFields = []ticket.Field{
	ticket.FieldAssignee, ticket.FieldStatus, ticket.FieldGroup, ticket.FieldEffort, ticket.FieldKind, ticket.FieldPriority, ticket.FieldProject, ticket.FieldParent,
}

// to are the changes that make w of v; each is like the given one.
func (v values) to(w values, like ticket.Change) []ticket.Change {
	var out []ticket.Change
	add := func(f ticket.Field, from, to string) {
		c := like
		c.Field, c.From, c.To = f, from, to
		out = append(out, c)
	}
	for _, f := range singleFields {
		if v.single[f] != w.single[f] {
			add(f, v.single[f], w.single[f])
		}
	}
	less := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
	}
	left, came := less(v.areas, w.areas), less(w.areas, v.areas)
	for i := range max(len(left), len(came)) {
		from, to := "", ""
		if i < len(left) {
			from = left[i]
		}
		if i < len(came) {
			to = came[i]
		}
		add(ticket.FieldArea, from, to)
	}
	return out
}
