package asanatest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

func single(one map[string]any) (answer, *refusal) { return answer{one: one}, nil }

// list of objects that keep their place.
func list(gids []string, make func(gid string) map[string]any) (answer, *refusal) {
	a := answer{paged: true, rows: []row{}}
	for i, gid := range gids {
		a.rows = append(a.rows, row{i, func() map[string]any { return make(gid) }})
	}
	return a, nil
}

func unknown(kind, gid string) *refusal {
	return refuse(http.StatusNotFound, "%s: Unknown object: %s", kind, gid)
}

func (w *Workspace) getUser(_ url.Values, path func(string) string) (answer, *refusal) {
	gid := path("user")
	if gid == "me" {
		return single(map[string]any{"gid": "1", "resource_type": "user", "name": "Fairlead", "email": "fairlead@example.org",
			"workspaces": []any{map[string]any{"gid": w.gid, "resource_type": "workspace", "name": "Example"}}})
	}
	u := w.users[gid]
	if u == nil || u.left {
		return answer{}, unknown("user", gid)
	}
	return single(u.render())
}

func (w *Workspace) getUsers(q url.Values, _ func(string) string) (answer, *refusal) {
	if of := q.Get("workspace"); of != "" && of != w.gid {
		return answer{}, unknown("workspace", of)
	}
	present := slices.DeleteFunc(slices.Clone(w.userList), func(gid string) bool { return w.users[gid].left })
	return list(present, func(gid string) map[string]any { return w.users[gid].render() })
}

func (w *Workspace) getWorkspaces(url.Values, func(string) string) (answer, *refusal) {
	return list([]string{w.gid}, func(gid string) map[string]any {
		return map[string]any{"gid": gid, "resource_type": "workspace", "name": "Example", "is_organization": true}
	})
}

func (w *Workspace) getProjects(_ url.Values, path func(string) string) (answer, *refusal) {
	if path("workspace") != w.gid {
		return answer{}, unknown("workspace", path("workspace"))
	}
	return w.projectsWhere(func(*project) bool { return true })
}

func (w *Workspace) getTeamProjects(_ url.Values, path func(string) string) (answer, *refusal) {
	if w.teams[path("team")] == nil {
		return answer{}, unknown("team", path("team"))
	}
	return w.projectsWhere(func(p *project) bool { return p.team == path("team") })
}

func (w *Workspace) projectsWhere(include func(*project) bool) (answer, *refusal) {
	some := slices.DeleteFunc(slices.Clone(w.prList), func(gid string) bool {
		p := w.projects[gid]
		return p.hidden || !include(p)
	})
	return list(some, func(gid string) map[string]any { return w.project(w.projects[gid]) })
}

// visible finds a project that the account may see.
func (w *Workspace) visible(gid string) (*project, *refusal) {
	p := w.projects[gid]
	switch {
	case p == nil:
		return nil, unknown("project", gid)
	case p.hidden:
		return nil, refuse(http.StatusForbidden, "You do not have access to this project.")
	}
	return p, nil
}

func (w *Workspace) getProject(_ url.Values, path func(string) string) (answer, *refusal) {
	p, refused := w.visible(path("project"))
	if refused != nil {
		return answer{}, refused
	}
	return single(w.project(p))
}

func (w *Workspace) getSections(_ url.Values, path func(string) string) (answer, *refusal) {
	p, refused := w.visible(path("project"))
	if refused != nil {
		return answer{}, refused
	}
	return list(p.sections, func(gid string) map[string]any { return w.named(gid).(map[string]any) })
}

func (w *Workspace) getSettings(_ url.Values, path func(string) string) (answer, *refusal) {
	p, refused := w.visible(path("project"))
	if refused != nil {
		return answer{}, refused
	}
	return list(p.fields, func(gid string) map[string]any {
		return map[string]any{"gid": "9" + gid, "resource_type": "custom_field_setting", "custom_field": w.fields[gid].compact()}
	})
}

func (w *Workspace) getCounts(q url.Values, path func(string) string) (answer, *refusal) {
	p, refused := w.visible(path("project"))
	if refused != nil {
		return answer{}, refused
	}
	n := 0
	for _, gid := range p.order {
		if t := w.tasks[gid]; !t.gone && !t.hidden {
			n++
		}
	}
	out := map[string]any{}
	if q.Get("opt_fields") != "" {
		out["num_tasks"] = n
	}
	return single(out)
}

// getTasks lists the tasks of a project by rank. What is deleted or may not be
// seen is not among them.
func (w *Workspace) getTasks(q url.Values, _ func(string) string) (answer, *refusal) {
	gid := q.Get("project")
	if gid == "" {
		return answer{}, refuse(http.StatusBadRequest, "You should specify one of workspace and assignee, project, tag, section or user_task_list")
	}
	p, refused := w.visible(gid)
	if refused != nil {
		return answer{}, refused
	}
	var modified, completed time.Time
	for name, at := range map[string]*time.Time{"modified_since": &modified, "completed_since": &completed} {
		if text := q.Get(name); text != "" {
			t, err := time.Parse(time.RFC3339Nano, text)
			if text == "now" {
				t, err = w.o.Clock(), nil
			}
			if err != nil {
				return answer{}, refuse(http.StatusBadRequest, "%s: Not a valid datetime: %s", name, text)
			}
			*at = t
		}
	}
	a := answer{paged: true, rows: []row{}}
	for _, gid := range p.order {
		t := w.tasks[gid]
		// Whether the very instant counts is not documented: it does not here, so
		// that nobody relies on it.
		if t.gone || t.hidden || !modified.IsZero() && !t.modified.After(modified) || !completed.IsZero() && t.completed && t.completedAt.Before(completed) {
			continue
		}
		a.rows = append(a.rows, row{p.rank[gid], func() map[string]any { return w.task(t) }})
	}
	return a, nil
}

func (w *Workspace) findTask(gid string) (*task, *refusal) {
	t := w.tasks[gid]
	switch {
	case t == nil || t.gone:
		return nil, unknown("task", gid)
	case t.hidden:
		return nil, refuse(http.StatusForbidden, "You do not have access to this task.")
	}
	return t, nil
}

func (w *Workspace) getTask(_ url.Values, path func(string) string) (answer, *refusal) {
	t, refused := w.findTask(path("task"))
	if refused != nil {
		return answer{}, refused
	}
	return single(w.task(t))
}

func (w *Workspace) getSubtasks(_ url.Values, path func(string) string) (answer, *refusal) {
	t, refused := w.findTask(path("task"))
	if refused != nil {
		return answer{}, refused
	}
	some := slices.DeleteFunc(slices.Clone(t.subtasks), func(gid string) bool { return w.tasks[gid].gone || w.tasks[gid].hidden })
	a := answer{paged: true, rows: []row{}}
	for _, gid := range some {
		n, err := strconv.Atoi(gid)
		if err != nil {
			return answer{}, unknown("task", gid)
		}
		a.rows = append(a.rows, row{n, func() map[string]any { return w.task(w.tasks[gid]) }})
	}
	return a, nil
}

func (w *Workspace) getStories(_ url.Values, path func(string) string) (answer, *refusal) {
	t, refused := w.findTask(path("task"))
	if refused != nil {
		return answer{}, refused
	}
	if t.mute {
		return answer{}, refuse(http.StatusForbidden, "You do not have access to these stories.")
	}
	a := answer{paged: true, rows: []row{}}
	for i, s := range t.stories {
		a.rows = append(a.rows, row{i, func() map[string]any { return w.story(t, s) }})
	}
	return a, nil
}

// getEvents gives what happened since a sync token; without one, or with one
// that is too old, it is a 412 with a token to begin with.
func (w *Workspace) getEvents(q url.Values, _ func(string) string) (answer, *refusal) {
	gid := q.Get("resource")
	if gid == "" {
		return answer{}, refuse(http.StatusBadRequest, "resource: Missing input")
	}
	if _, refused := w.visible(gid); refused != nil {
		return answer{}, refused
	}
	now := w.o.Clock()
	from, ok := w.syncs[q.Get("sync")]
	if !ok || from.project != gid || !now.Before(from.until) {
		r := refuse(http.StatusPreconditionFailed, "Sync token invalid or too old. If you are attempting to keep resources in sync, you must fetch the full dataset for this query now and use the new sync token for the next sync.")
		r.sync = w.token(gid, len(w.log))
		return answer{}, r
	}
	events := []any{}
	place := from.place
	for place < len(w.log) && len(events) < w.o.SyncPage {
		e := w.log[place]
		place++
		if !slices.Contains(e.projects, gid) {
			continue
		}
		out := map[string]any{"user": nil, "type": e.resource["resource_type"], "action": e.action, "created_at": stamp(e.at), "parent": nil, "resource": e.resource}
		if u := w.person(e.by); u != nil {
			out["user"] = resource(e.by, "user")
		}
		if e.parent != nil {
			out["parent"] = e.parent
		}
		if e.field != "" {
			out["change"] = map[string]any{"field": e.field, "action": "changed"}
		}
		events = append(events, out)
	}
	more := false
	for _, e := range w.log[place:] {
		more = more || slices.Contains(e.projects, gid)
	}
	return answer{one: events, extra: map[string]any{"sync": w.token(gid, place), "has_more": more}}, nil
}

// token makes a sync token of a place in the log.
func (w *Workspace) token(project string, place int) string {
	t := "de4774f6915eae04" + w.id()
	w.syncs[t] = marker{project, place, w.o.Clock().Add(w.o.SyncLife)}
	return t
}

// LoseEvents lets what happened so far be in no stream of events: they are
// delivered at most once.
func (w *Workspace) LoseEvents() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.log {
		w.log[i].projects = nil
	}
}

// ExpireSyncs lets every sync token be too old.
func (w *Workspace) ExpireSyncs() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.syncs)
}
