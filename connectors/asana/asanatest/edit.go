package asanatest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// id makes the next gid: a number of sixteen digits, larger for what is later.
func (w *Workspace) id() string {
	w.last++
	return strconv.FormatInt(w.last, 10)
}

// given is the gid that was asked for, or else the next.
func (w *Workspace) given(gid string) string {
	if gid == "" {
		return w.id()
	}
	return gid
}

// GID is the workspace's own.
func (w *Workspace) GID() string { return w.gid }

// AddUser makes an account and returns its gid.
func (w *Workspace) AddUser(u User) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := &user{User: u, gid: w.given(u.GID)}
	w.users[one.gid] = one
	w.userList = append(w.userList, one.gid)
	return one.gid
}

// RemoveUser takes an account out of the workspace: it is in no list any more,
// and what it has done stays.
func (w *Workspace) RemoveUser(gid string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.users[gid].left = true
}

// AddTeam makes a team and returns its gid.
func (w *Workspace) AddTeam(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := &team{gid: w.id(), name: name}
	w.teams[one.gid] = one
	w.teamList = append(w.teamList, one.gid)
	return one.gid
}

// AddProject makes a project of a team, with the section that every project
// begins with and the custom fields given by their gids.
func (w *Workspace) AddProject(name, team string, fields ...string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := &project{gid: w.id(), name: name, team: team, fields: fields, rank: map[string]int{}}
	w.projects[one.gid] = one
	w.prList = append(w.prList, one.gid)
	w.addSection(one, "Untitled section")
	return one.gid
}

// HideProject takes the account's right to see a project away, or gives it back.
func (w *Workspace) HideProject(gid string, hidden bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.projects[gid].hidden = hidden
}

// AddSection makes a section of a project and returns its gid.
func (w *Workspace) AddSection(project, name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.addSection(w.projects[project], name)
}

func (w *Workspace) addSection(p *project, name string) string {
	one := &section{gid: w.id(), name: name, project: p.gid}
	w.sections[one.gid] = one
	p.sections = append(p.sections, one.gid)
	return one.gid
}

// AddField makes a custom field and returns its gid.
func (w *Workspace) AddField(f Field) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	f.gid = w.id()
	for range f.Options {
		f.options = append(f.options, w.id())
	}
	w.fields[f.gid] = &f
	return f.gid
}

// Option is the gid of an option of a custom field, "" if there is none of that
// name.
func (w *Workspace) Option(field, name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fields[field].option(name)
}

func (f *Field) option(name string) string {
	if i := slices.Index(f.Options, name); i >= 0 {
		return f.options[i]
	}
	return ""
}

// Task is what a task is made with.
type Task struct {
	GID     string // its own where empty
	At      time.Time
	By      string
	Subtype string // default_task when empty
	Parent  string // a subtask is in no project of its own
	Changes []Change
}

// Create makes a task. What it is made with has stories of the same instant.
func (w *Workspace) Create(t Task) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := &task{gid: w.given(t.GID), subtype: t.Subtype, created: t.At, by: t.By, enums: map[string]string{}, numbers: map[string]float64{}}
	if one.subtype == "" {
		one.subtype = "default_task"
	}
	w.tasks[one.gid] = one
	if t.Parent != "" {
		if err := SetParent(t.Parent)(w, one, edit{t.By, t.At, true}); err != nil {
			return "", err
		}
	}
	err := w.edit(one, edit{t.By, t.At, true}, t.Changes)
	w.note(one, "added", "", t.By, t.At)
	return one.gid, err
}

// edit is who makes an update, and when.
type edit struct {
	by       string
	at       time.Time
	creation bool
}

// Change is one change of a task.
type Change func(w *Workspace, t *task, e edit) error

// Edit makes one update of a task, with a story for each change that is one.
func (w *Workspace) Edit(gid, by string, at time.Time, changes ...Change) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.tasks[gid]
	if !ok || t.gone {
		return fmt.Errorf("editing task %s: there is none", gid)
	}
	return w.edit(t, edit{by, at, false}, changes)
}

func (w *Workspace) edit(t *task, e edit, changes []Change) error {
	t.changed = e.creation
	for _, c := range changes {
		if err := c(w, t, e); err != nil {
			return fmt.Errorf("editing task %s: %w", t.gid, err)
		}
	}
	if t.changed && e.at.After(t.modified) {
		t.modified = e.at
		t.times = append(t.times, e.at)
	}
	return nil
}

// tell adds a story to a task, and an event of the field to its projects.
func (w *Workspace) tell(t *task, e edit, subtype, field string, more map[string]any) {
	s := &story{gid: w.id(), subtype: subtype, at: e.at, by: e.by, more: more}
	t.stories = append(t.stories, s)
	t.changed = true
	if !e.creation {
		w.note(t, "changed", field, e.by, e.at)
	}
	w.log = append(w.log, event{projects: w.feeds(t), resource: map[string]any{"gid": s.gid, "resource_type": "story", "resource_subtype": subtype},
		parent: resource(t.gid, "task"), action: "added", by: e.by, at: e.at})
}

func (w *Workspace) note(t *task, action, field, by string, at time.Time) {
	e := event{projects: w.feeds(t), resource: map[string]any{"gid": t.gid, "resource_type": "task", "resource_subtype": t.subtype}, action: action, field: field, by: by, at: at}
	if action == "added" && len(t.homes) > 0 {
		e.parent = resource(t.homes[0].project, "project")
	} else if action == "added" && t.parent != "" {
		e.parent = resource(t.parent, "task")
	}
	w.log = append(w.log, e)
}

// feeds are the projects whose events a task's are among: those it is in, and
// those of the task that it is part of.
func (w *Workspace) feeds(t *task) []string {
	var list []string
	for n := 0; t != nil && n < 10; n++ {
		for _, h := range t.homes {
			list = append(list, h.project)
		}
		t = w.tasks[t.parent]
	}
	return list
}

func resource(gid, kind string) map[string]any {
	return map[string]any{"gid": gid, "resource_type": kind}
}

// Assign gives the task to a user; "" is nobody.
func Assign(user string) Change {
	return func(w *Workspace, t *task, e edit) error {
		if t.assignee == user {
			return nil
		}
		old := t.assignee
		t.assignee = user
		if user == "" {
			w.tell(t, e, "unassigned", "assignee", map[string]any{"assignee": w.person(old)})
		} else {
			w.tell(t, e, "assigned", "assignee", map[string]any{"assignee": w.person(user)})
		}
		return nil
	}
}

// Complete marks the task complete or incomplete.
func Complete(done bool) Change {
	return func(w *Workspace, t *task, e edit) error {
		if t.completed == done {
			return nil
		}
		t.completed = done
		t.completedAt, t.completedBy = time.Time{}, ""
		subtype := "marked_incomplete"
		if done {
			t.completedAt, t.completedBy = e.at, e.by
			subtype = "marked_complete"
		}
		w.tell(t, e, subtype, "completed", nil)
		return nil
	}
}

// MoveTo moves the task to a section of a project that it is in.
func MoveTo(section string) Change {
	return func(w *Workspace, t *task, e edit) error {
		s := w.sections[section]
		if s == nil {
			return fmt.Errorf("there is no section %s", section)
		}
		i := slices.IndexFunc(t.homes, func(h home) bool { return h.project == s.project })
		if i < 0 {
			return fmt.Errorf("the task is not in the project of section %s", section)
		}
		old := t.homes[i].section
		if old == section {
			return nil
		}
		t.homes = slices.Clone(t.homes)
		t.homes[i].section = section
		w.tell(t, e, "section_changed", "memberships", map[string]any{"old_section": w.named(old), "new_section": w.named(section)})
		return nil
	}
}

// AddTo adds the task to a project, in a section of it or, when "", its first.
func AddTo(project, section string) Change {
	return func(w *Workspace, t *task, e edit) error {
		p := w.projects[project]
		if p == nil {
			return fmt.Errorf("there is no project %s", project)
		}
		if slices.ContainsFunc(t.homes, func(h home) bool { return h.project == project }) {
			return nil
		}
		if section == "" {
			section = p.sections[0]
		}
		t.homes = append(slices.Clone(t.homes), home{project, section})
		p.next++
		p.rank[t.gid] = p.next
		p.order = append(p.order, t.gid)
		w.tell(t, e, "added_to_project", "projects", map[string]any{"project": map[string]any{"gid": p.gid, "resource_type": "project", "name": p.name}})
		return nil
	}
}

// RemoveFrom takes the task out of a project.
func RemoveFrom(project string) Change {
	return func(w *Workspace, t *task, e edit) error {
		i := slices.IndexFunc(t.homes, func(h home) bool { return h.project == project })
		if i < 0 {
			return nil
		}
		p := w.projects[project]
		w.tell(t, e, "removed_from_project", "projects", map[string]any{"project": map[string]any{"gid": p.gid, "resource_type": "project", "name": p.name}})
		t.homes = slices.Delete(slices.Clone(t.homes), i, i+1)
		delete(p.rank, t.gid)
		p.order = slices.DeleteFunc(p.order, func(gid string) bool { return gid == t.gid })
		return nil
	}
}

// SetParent makes the task a subtask of another; "" makes it stand alone.
func SetParent(parent string) Change {
	return func(w *Workspace, t *task, e edit) error {
		if t.parent == parent {
			return nil
		}
		if old := w.tasks[t.parent]; old != nil {
			w.tell(t, e, "removed_from_task", "parent", map[string]any{"task": resource(old.gid, "task")})
			old.subtasks = slices.DeleteFunc(old.subtasks, func(gid string) bool { return gid == t.gid })
		}
		t.parent = parent
		if now := w.tasks[parent]; now != nil {
			now.subtasks = append(now.subtasks, t.gid)
			w.tell(t, e, "added_to_task", "parent", map[string]any{"task": resource(now.gid, "task")})
		} else if parent != "" {
			return fmt.Errorf("there is no task %s", parent)
		}
		return nil
	}
}

// SetEnum sets a custom field to one of its options by name; "" is none. What a
// task is made with has no story here, as in Asana.
func SetEnum(field, option string) Change {
	return func(w *Workspace, t *task, e edit) error {
		f := w.fields[field]
		gid := f.option(option)
		if gid == "" && option != "" {
			return fmt.Errorf("custom field %s has no option %q", f.Name, option)
		}
		old := t.enums[field]
		if old == gid {
			return nil
		}
		t.enums = maps.Clone(t.enums)
		t.enums[field] = gid
		if !e.creation {
			w.tell(t, e, "enum_custom_field_changed", "custom_fields", map[string]any{"custom_field": f.compact(), "old_enum_value": f.chosen(old), "new_enum_value": f.chosen(gid)})
		}
		return nil
	}
}

// SetNumber sets a custom field that is a number; nil is none.
func SetNumber(field string, value *float64) Change {
	return func(w *Workspace, t *task, e edit) error {
		f := w.fields[field]
		old, had := t.numbers[field]
		if value == nil && !had || value != nil && had && *value == old {
			return nil
		}
		t.numbers = maps.Clone(t.numbers)
		more := map[string]any{"custom_field": f.compact(), "old_number_value": nil, "new_number_value": nil}
		if had {
			more["old_number_value"] = old
		}
		delete(t.numbers, field)
		if value != nil {
			t.numbers[field], more["new_number_value"] = *value, *value
		}
		if !e.creation {
			w.tell(t, e, "number_custom_field_changed", "custom_fields", more)
		}
		return nil
	}
}

// Quietly makes changes that leave no story behind.
func Quietly(changes ...Change) Change {
	return func(w *Workspace, t *task, e edit) error {
		n := len(t.stories)
		for _, c := range changes {
			if err := c(w, t, e); err != nil {
				return err
			}
		}
		t.stories = t.stories[:n]
		return nil
	}
}

// Comment adds a comment.
func Comment(text string) Change {
	return func(w *Workspace, t *task, e edit) error {
		w.tell(t, e, "comment_added", "", map[string]any{"text": text})
		return nil
	}
}

// Delete moves a task and its subtasks to the trash.
func (w *Workspace) Delete(gid, by string, at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t, ok := w.tasks[gid]
	if !ok || t.gone {
		return fmt.Errorf("deleting task %s: there is none", gid)
	}
	w.remove(t, by, at)
	return nil
}

func (w *Workspace) remove(t *task, by string, at time.Time) {
	w.note(t, "deleted", "", by, at)
	t.gone = true
	for _, sub := range t.subtasks {
		if s := w.tasks[sub]; !s.gone {
			w.remove(s, by, at)
		}
	}
}

// Hide takes the account's right to see a task away, or gives it back.
func (w *Workspace) Hide(gid string, hidden bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks[gid].hidden = hidden
}

// Mute lets a task's stories be refused, or gives them again.
func (w *Workspace) Mute(gid string, mute bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks[gid].mute = mute
}

// Forget takes away the stories of a kind that a task has, as an import leaves
// them out.
func (w *Workspace) Forget(gid, subtype string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tasks[gid]
	t.stories = slices.DeleteFunc(slices.Clone(t.stories), func(s *story) bool { return s.subtype == subtype })
}

// Strip takes the structured fields away from the stories of a kind that a task
// has: older ones are without.
func (w *Workspace) Strip(gid, subtype string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.tasks[gid].stories {
		if s.subtype == subtype {
			s.more = nil
		}
	}
}

// Tasks are the gids of all tasks that are not deleted, in order.
func (w *Workspace) Tasks() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for gid, t := range w.tasks {
		if !t.gone {
			list = append(list, gid)
		}
	}
	slices.Sort(list)
	return list
}
