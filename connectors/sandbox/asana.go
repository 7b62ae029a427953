package sandbox

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead/connectors/asana/asanatest"
)

// toAsana moves tickets to Asana that never left their queue: all of the team
// that deals out by lot, and the planned work of the Platform team, which works
// in ServiceNow and Jira besides. A sub-task goes with its ticket.
func (o *Organisation) toAsana() {
	stayed := func(t *Ticket) bool {
		return !slices.ContainsFunc(t.changes, func(c change) bool { return c.field == fieldQueue })
	}
	apart := map[*Ticket]bool{} // parents of which a part has to stay
	for _, t := range o.Tickets {
		if t.Parent != nil && (!stayed(t) || t.first.queue != t.Parent.first.queue) {
			apart[t.Parent] = true
		}
	}
	for _, t := range o.Tickets {
		queue := o.Queues[t.first.queue]
		planned := queue.Key == "PLAT" && (t.last.kind == Task || t.last.kind == Story)
		t.asana = queue.System == Jira && t.Parent == nil && stayed(t) && !apart[t] && (queue.Team.policy == lot || planned)
	}
	for _, t := range o.Tickets {
		if t.Parent != nil && t.Parent.asana {
			t.asana = true
		}
	}
}

// asanaQueues are the queues of which Asana holds tickets.
func (o *Organisation) asanaQueues() map[*Queue]bool {
	queues := map[*Queue]bool{}
	for _, t := range o.Tickets {
		if t.asana {
			queues[o.Queues[t.first.queue]] = true
		}
	}
	return queues
}

// The custom fields of the generated workspace, and their options.
const (
	asanaStatus   = "Status"
	asanaType     = "Type"
	asanaPriority = "Priority"
	asanaPoints   = "Story points"
)

var (
	asanaPhases     = []string{"To do", "In progress", "On hold", "In review"}
	asanaTypes      = []string{"Bug", "Story", "Task", "Service request", "Subtask"}
	asanaPriorities = []string{"Highest", "High", "Medium", "Low", "Lowest"}
)

// AsanaWorkspace is a workspace filled with tickets of the organisation.
type AsanaWorkspace struct {
	*asanatest.Workspace
	Projects []string // gids
	// Bots are the accounts that are not people.
	Bots []string

	o        *Organisation
	projects map[int32]string // by queue
	sections map[int32]string // by area
	inbox    map[int32]string // by queue: where tasks are that are about no area
	fields   map[string]string
}

// AsanaGID is the task that a ticket is in Asana.
func (t *Ticket) AsanaGID() string { return fmt.Sprintf("13%014s", t.ID) }

// AsanaUser is the person's account in Asana, "" without one. Who has one in
// Jira has one here.
func (p *Person) AsanaUser() string {
	if p.JiraName == "" {
		return ""
	}
	return fmt.Sprintf("15%014d", p.index)
}

// Asana is a new workspace with the tickets that include says, of those that
// Jira would hold otherwise: a project for each queue, with a section for each
// area, and custom fields for status, type, priority and points. Its clock
// starts at the end of the year and runs on from there.
func (o *Organisation) Asana(opts asanatest.Options, include func(*Ticket) bool) (*AsanaWorkspace, error) {
	if opts.Clock == nil {
		opts.Clock = o.clock()
	}
	w := &AsanaWorkspace{
		Workspace: asanatest.New(opts), o: o, projects: map[int32]string{}, sections: map[int32]string{}, inbox: map[int32]string{}, fields: map[string]string{},
	}
	some := slices.DeleteFunc(slices.Clone(o.Tickets), func(t *Ticket) bool { return t.Type.System() != Jira || !include(t) })
	w.people()
	w.catalogue(some)
	for _, t := range some {
		if err := w.load(t); err != nil {
			return nil, fmt.Errorf("loading task of %s: %w", t.Key, err)
		}
	}
	return w, nil
}

func (w *AsanaWorkspace) people() {
	for _, p := range w.o.People {
		gid := p.AsanaUser()
		if gid == "" {
			continue
		}
		w.AddUser(asanatest.User{GID: gid, Name: p.Name, Email: p.Email, Hidden: p.EmailHidden})
		if p.Deleted {
			w.RemoveUser(gid)
		}
		if p.Role == Bot {
			w.Bots = append(w.Bots, gid)
		}
	}
}

func (w *AsanaWorkspace) catalogue(tickets []*Ticket) {
	w.fields[asanaStatus] = w.AddField(asanatest.Field{Name: asanaStatus, Options: asanaPhases})
	w.fields[asanaType] = w.AddField(asanatest.Field{Name: asanaType, Options: asanaTypes})
	w.fields[asanaPriority] = w.AddField(asanatest.Field{Name: asanaPriority, Options: asanaPriorities})
	w.fields[asanaPoints] = w.AddField(asanatest.Field{Name: asanaPoints, Number: true})
	used := map[int32]bool{}
	for _, t := range tickets {
		used[t.first.queue] = true
		for _, c := range t.changes {
			if c.field == fieldQueue {
				used[c.to] = true
			}
		}
	}
	for i, q := range w.o.Queues {
		at := int32(i)
		if !used[at] {
			continue
		}
		team := w.AddTeam(q.Team.Name)
		w.projects[at] = w.AddProject(q.Name, team, w.fields[asanaStatus], w.fields[asanaType], w.fields[asanaPriority], w.fields[asanaPoints])
		w.Projects = append(w.Projects, w.projects[at])
		w.inbox[at] = w.AddSection(w.projects[at], "Inbox")
		for _, a := range q.Areas {
			w.sections[int32(a.index)] = w.AddSection(w.projects[at], a.Name)
		}
	}
}

// load makes a task, update by update, with its comments between.
func (w *AsanaWorkspace) load(t *Ticket) error {
	v := t.first
	first := asanatest.Task{GID: t.AsanaGID(), At: t.Created, By: t.Reporter.AsanaUser()}
	alone := t.Parent == nil
	if alone {
		first.Changes = append(first.Changes, asanatest.AddTo(w.projects[v.queue], w.section(v)), w.points(v.points))
		for _, f := range []field{fieldPhase, fieldKind, fieldPriority} {
			first.Changes = append(first.Changes, w.change(f, v)...)
		}
	} else {
		first.Parent = t.Parent.AsanaGID()
	}
	first.Changes = append(first.Changes, w.change(fieldAssignee, v)...)
	if _, err := w.Create(first); err != nil {
		return err
	}
	acts := slices.SortedFunc(slices.Values(t.acts), func(a, b act) int { return cmp.Compare(a.at, b.at) })
	comment := func(until int64) error {
		for ; len(acts) > 0 && acts[0].at <= until; acts = acts[1:] {
			if a := acts[0]; !a.worklog {
				if err := w.Edit(first.GID, w.user(a.actor), instant(a.at), asanatest.Comment("Noted.")); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for n := 0; n < len(t.changes); {
		head := t.changes[n]
		before := v
		for begun := false; n < len(t.changes) && (!begun || t.changes[n].together); n++ {
			v.apply(t.changes[n])
			begun = true
		}
		if err := comment(head.at); err != nil {
			return err
		}
		update := w.update(before, v, alone)
		if head.silent {
			update = []asanatest.Change{asanatest.Quietly(update...)}
		}
		if err := w.Edit(first.GID, w.user(head.actor), instant(head.at), update...); err != nil {
			return err
		}
	}
	return comment(w.o.Now.UnixMilli())
}

func (w *AsanaWorkspace) user(index int32) string {
	if index == none {
		return ""
	}
	return w.o.People[index].AsanaUser()
}

// update is what changed between two states. A subtask has neither a project nor
// the custom fields of one.
func (w *AsanaWorkspace) update(before, after values, alone bool) []asanatest.Change {
	list := w.change(fieldAssignee, after)
	if before.phase.Done() != after.phase.Done() {
		list = append(list, asanatest.Complete(after.phase.Done()))
	}
	if !alone {
		return list
	}
	if before.queue != after.queue {
		list = append(list, asanatest.RemoveFrom(w.projects[before.queue]), asanatest.AddTo(w.projects[after.queue], w.section(after)))
	} else if before.area != after.area {
		list = append(list, asanatest.MoveTo(w.section(after)))
	}
	if !after.phase.Done() {
		list = append(list, w.change(fieldPhase, after)...)
	}
	list = append(list, w.change(fieldKind, after)...)
	list = append(list, w.change(fieldPriority, after)...)
	return append(list, w.points(after.points))
}

// section is where a task stands that is about an area.
func (w *AsanaWorkspace) section(v values) string {
	if v.area == none || int32(w.o.Areas[v.area].Queue.index) != v.queue {
		return w.inbox[v.queue]
	}
	return w.sections[v.area]
}

// change sets a field to what it is in v; what is so already is no change.
func (w *AsanaWorkspace) change(f field, v values) []asanatest.Change {
	switch f {
	case fieldAssignee:
		return []asanatest.Change{asanatest.Assign(w.user(v.assignee))}
	case fieldPhase:
		list := []asanatest.Change{asanatest.Complete(v.phase.Done())}
		if !v.phase.Done() {
			list = append(list, asanatest.SetEnum(w.fields[asanaStatus], asanaPhases[v.phase]))
		}
		return list
	case fieldKind:
		return []asanatest.Change{asanatest.SetEnum(w.fields[asanaType], asanaTypes[v.kind-Bug])}
	default:
		return []asanatest.Change{asanatest.SetEnum(w.fields[asanaPriority], asanaPriorities[v.priority-1])}
	}
}

func (w *AsanaWorkspace) points(halves uint8) asanatest.Change {
	return asanatest.SetNumber(w.fields[asanaPoints], points(halves))
}
