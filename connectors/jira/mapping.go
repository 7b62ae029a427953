package jira

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fairlead/connectors/ticket"
)

// mapper turns issues of one page into tickets, and collects what describes
// the ids in them. It sends no requests.
type mapper struct {
	source string
	people *people
	effort []wireField
	rules  rules
	named  map[string]bool // accounts
	term   map[termKey]ticket.Term
	// Ids that only histories name, to be described by who can ask.
	statuses map[string]bool
	projects map[string]bool
}

type termKey struct {
	field ticket.Field
	id    string
}

func newMapper(src string, p *people, effort []wireField, r rules) *mapper {
	return &mapper{
		source: src, people: p, effort: effort, rules: r,
		named: map[string]bool{}, term: map[termKey]ticket.Term{},
		statuses: map[string]bool{}, projects: map[string]bool{},
	}
}

// whole is an issue with its history and contributions complete.
type whole struct {
	wireIssue
	histories  []wireHistory
	comments   *entryList
	worklogs   *entryList
	incomplete string // why the history is not whole; "" if it is
}

// fields are those that a search asks for: what is mapped, no texts but those of
// comments and worklogs, whose lists cannot be had without.
func (r rules) fields(effort []wireField) []string {
	fields := []string{
		"assignee", "status", "issuetype", "priority", "project", "parent", "components",
		"created", "updated", "comment", "worklog",
	}
	if r.labelled() {
		fields = append(fields, "labels")
	}
	for _, f := range effort {
		fields = append(fields, f.ID)
	}
	return fields
}

// changelogFields are the fields whose changes a bulk changelog is asked for;
// ten at most.
func changelogFields(effort []wireField) []string {
	fields := []string{"assignee", "status", "issuetype", "priority", "project", "parent", "components"}
	for _, f := range effort {
		fields = append(fields, f.ID)
	}
	return fields
}

// present is an issue's state as it was sent.
type present struct {
	assignee   *wireUser
	status     wireStatus
	kind       wireType
	priority   *wireNamed
	project    wireNamed
	parent     *wireNamed
	components []wireNamed
	labels     []string
	created    stamp
	updated    stamp
	effort     []*float64 // one for each effort field
}

func (i *wireIssue) read(effort []wireField) (present, error) {
	var p present
	p.effort = make([]*float64, len(effort))
	into := map[string]any{
		"assignee": &p.assignee, "status": &p.status, "issuetype": &p.kind, "priority": &p.priority, "project": &p.project,
		"parent": &p.parent, "components": &p.components, "labels": &p.labels, "created": &p.created, "updated": &p.updated,
	}
	for n, f := range effort {
		into[f.ID] = &p.effort[n]
	}
	for name, target := range into {
		raw, ok := i.Fields[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, target); err != nil {
			return p, fmt.Errorf("reading field %s: %w", name, err)
		}
	}
	if i.ID == "" || p.status.ID == "" || p.kind.ID == "" || p.project.ID == "" || p.created.IsZero() || p.updated.IsZero() {
		return p, fmt.Errorf("reading issue: id, status, type, project or times missing")
	}
	return p, nil
}

// person is a user in a field; nil is nobody.
func (i *wireIssue) person(field string) (*wireUser, error) {
	var u *wireUser
	raw, ok := i.Fields[field]
	if !ok {
		return nil, nil
	}
	err := json.Unmarshal(raw, &u)
	return u, err
}

// ticket maps an issue. An error means that what came is not an issue.
func (m *mapper) ticket(w whole) (ticket.Ticket, error) {
	p, err := w.read(m.effort)
	if err != nil {
		return ticket.Ticket{}, err
	}
	t := ticket.Ticket{
		Source: m.source, ID: w.ID, Key: w.Key, Created: p.created.Time, Updated: p.updated.Time,
		Assignee: m.user(p.assignee), Status: p.status.ID, Kind: p.kind.ID,
		Group: p.project.ID, Project: p.project.ID,
		HistoryComplete: w.incomplete == "", IncompleteReason: w.incomplete,
	}
	m.terms(p)
	if p.priority != nil {
		t.Priority = p.priority.ID
	}
	if p.parent != nil {
		t.Parent = p.parent.ID
	}
	var components []string
	for _, c := range p.components {
		components = append(components, c.ID)
	}
	t.Areas = areas(components, p.project.ID)
	effort := m.effortField(p, w.histories)
	if effort >= 0 {
		t.Effort = p.effort[effort]
	}
	t.Marks = m.rules.marks(p)
	t.Changes = m.changes(w.histories, effort)
	for _, c := range areaChanges(w.histories, components, p.project.ID) {
		c.Actor = m.user(w.histories[c.Seq-1].Author)
		t.Changes = append(t.Changes, c)
	}
	slices.SortStableFunc(t.Changes, func(a, b ticket.Change) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Seq, b.Seq))
	})
	t.Contributions = m.contributions(w)
	return t, nil
}

// user notes that an issue names a user, and returns the id.
func (m *mapper) user(u *wireUser) string { return m.name(m.people.id(u)) }

func (m *mapper) name(id string) string {
	if id != "" {
		m.named[id] = true
	}
	return id
}

// learn notes all users that issues describe, before any reference is resolved.
func (m *mapper) learn(issues []whole) {
	for _, w := range issues {
		if u, err := w.person("assignee"); err == nil {
			m.people.learn(m.source, u)
		}
		for _, h := range w.histories {
			m.people.learn(m.source, h.Author)
		}
		for _, list := range []*entryList{w.comments, w.worklogs} {
			for _, e := range list.entries() {
				m.people.learn(m.source, e.Author)
			}
		}
	}
}

func (m *mapper) contributions(w whole) []ticket.Contribution {
	var list []ticket.Contribution
	for _, e := range w.comments.entries() {
		if !e.Created.IsZero() {
			list = append(list, ticket.Contribution{At: e.Created.Time, Actor: m.user(e.Author), Act: ticket.ActComment})
		}
	}
	for _, e := range w.worklogs.entries() {
		at := e.Started
		if at.IsZero() {
			at = e.Created
		}
		if !at.IsZero() {
			list = append(list, ticket.Contribution{At: at.Time, Actor: m.user(e.Author), Act: ticket.ActWorklog})
		}
	}
	slices.SortStableFunc(list, func(a, b ticket.Contribution) int { return a.At.Compare(b.At) })
	return list
}

// terms describes the ids of an issue's present state.
func (m *mapper) terms(p present) {
	m.describe(ticket.FieldStatus, p.status.ID, p.status.Name, string(m.rules.category(p.status)))
	m.describe(ticket.FieldKind, p.kind.ID, p.kind.Name, string(m.rules.kind(p.kind)))
	m.describeProject(p.project.ID, p.project.Key)
	if p.priority != nil {
		m.describe(ticket.FieldPriority, p.priority.ID, p.priority.Name, "")
	}
	for _, c := range p.components {
		m.describe(ticket.FieldArea, componentArea+c.ID, c.Name, "")
	}
}

func (m *mapper) describe(f ticket.Field, id, name, value string) {
	m.term[termKey{f, id}] = ticket.Term{Source: m.source, Field: f, ID: id, Name: name, Value: value}
}

// describeProject describes a project as group, project and area: people call
// it by its key.
func (m *mapper) describeProject(id, key string) {
	m.describe(ticket.FieldGroup, id, key, "")
	m.describe(ticket.FieldProject, id, key, "")
	m.describe(ticket.FieldArea, projectArea+id, key, "")
}

// mention describes an id that a history names, unless it is described better.
func (m *mapper) mention(f ticket.Field, id string, name *string) {
	if id == "" || name == nil || *name == "" {
		return
	}
	key := termKey{f, id}
	if f == ticket.FieldArea {
		key.id = componentArea + id
	}
	if _, ok := m.term[key]; ok {
		return
	}
	t := ticket.Term{Source: m.source, Field: f, ID: key.id, Name: *name}
	if f == ticket.FieldKind {
		t.Value = string(m.rules.kind(wireType{ID: id, Name: *name}))
	}
	m.term[key] = t
}

// tracked says which tracked field an item changes; "" is none. Cloud names
// fields by id; Data Center by a name, which old entries write in other words.
func tracked(item wireItem) ticket.Field {
	if item.FieldID != "" {
		switch item.FieldID {
		case "assignee", "status", "priority", "project", "parent":
			return ticket.Field(item.FieldID)
		case "issuetype":
			return ticket.FieldKind
		case "components":
			return ticket.FieldArea
		}
		return ""
	}
	if strings.EqualFold(item.FieldType, "custom") {
		return ""
	}
	switch strings.ToLower(item.Field) {
	case "assignee":
		return ticket.FieldAssignee
	case "status":
		return ticket.FieldStatus
	case "priority":
		return ticket.FieldPriority
	case "project":
		return ticket.FieldProject
	case "parent", "issueparentassociation":
		return ticket.FieldParent
	case "issuetype", "issue type", "type":
		return ticket.FieldKind
	case "component":
		return ticket.FieldArea
	}
	return ""
}

// changes maps the items of all tracked fields but area. Histories are in
// order: an entry's place is its Seq.
func (m *mapper) changes(histories []wireHistory, effort int) []ticket.Change {
	var list []ticket.Change
	for n, h := range histories {
		c := ticket.Change{At: h.Created.Time, Seq: uint32(n + 1), Actor: m.user(h.Author)}
		for _, item := range h.Items {
			if effort >= 0 && m.effort[effort].changedBy(item) {
				from, okFrom := points(item.FromString)
				to, okTo := points(item.ToString)
				if okFrom && okTo {
					c.Field, c.From, c.To = ticket.FieldEffort, from, to
					list = append(list, c)
				}
				continue
			}
			c.Field = tracked(item)
			switch c.Field {
			case "":
				continue
			case ticket.FieldAssignee:
				c.From = m.name(m.people.resolve(item.From, item.FromString))
				c.To = m.name(m.people.resolve(item.To, item.ToString))
			default:
				// Ids are numbers. What is not, an export or import made
				// unusable.
				var okFrom, okTo bool
				c.From, okFrom = number(item.From)
				c.To, okTo = number(item.To)
				if !okFrom || !okTo || c.Field == ticket.FieldStatus && c.To == "" {
					continue
				}
				m.mentionBoth(c, item)
			}
			if c.Field == ticket.FieldArea || c.From == "" && c.To == "" {
				continue
			}
			list = append(list, c)
			if c.Field == ticket.FieldProject {
				c.Field = ticket.FieldGroup
				list = append(list, c)
			}
		}
	}
	return list
}

// mentionBoth notes the ids of a change.
func (m *mapper) mentionBoth(c ticket.Change, item wireItem) {
	for _, end := range []struct {
		id   string
		name *string
	}{{c.From, item.FromString}, {c.To, item.ToString}} {
		switch {
		case end.id == "":
		case c.Field == ticket.FieldProject:
			m.projects[end.id] = true
		case c.Field == ticket.FieldParent:
		default:
			if c.Field == ticket.FieldStatus {
				m.statuses[end.id] = true
			}
			m.mention(c.Field, end.id, end.name)
		}
	}
}

// number is an id of Jira's, "" if there is none; not ok if it is no number.
func number(id *string) (string, bool) {
	if id == nil {
		return "", true
	}
	for _, r := range *id {
		if r < '0' || r > '9' {
			return "", false
		}
	}
	return *id, true
}

// points reads a number in a changelog's text, in the form that Ticket's
// changes of effort have.
func points(text *string) (string, bool) {
	if text == nil || *text == "" {
		return "", true
	}
	f, err := strconv.ParseFloat(*text, 64)
	if err != nil || f != f || f < -1e9 || f > 1e9 {
		return "", false
	}
	return strconv.FormatFloat(f, 'f', -1, 64), true
}

// changedBy reports whether an item changes the field: by id on Cloud, by name
// on Data Center.
func (f wireField) changedBy(item wireItem) bool {
	if item.FieldID != "" {
		return item.FieldID == f.ID
	}
	return strings.EqualFold(item.FieldType, "custom") && strings.EqualFold(item.Field, f.Name)
}

// effortField chooses which effort field speaks for an issue: team-managed and
// company-managed projects fill different ones. It is the first that is set,
// else the first that ever was; -1 is none.
func (m *mapper) effortField(p present, histories []wireHistory) int {
	for n, value := range p.effort {
		if value != nil {
			return n
		}
	}
	for n, f := range m.effort {
		for _, h := range histories {
			if slices.ContainsFunc(h.Items, f.changedBy) {
				return n
			}
		}
	}
	return min(0, len(m.effort)-1)
}
