package asanatest

import (
	"strings"
	"time"
)

// tree is opt_fields taken apart: "a.b,c" is {a: {b: {}}, c: {}}.
type tree map[string]tree

func parseFields(list string) tree {
	if list == "" {
		return nil
	}
	t := tree{}
	for _, path := range strings.Split(list, ",") {
		at := t
		for _, name := range strings.Split(strings.TrimSpace(path), ".") {
			if at[name] == nil {
				at[name] = tree{}
			}
			at = at[name]
		}
	}
	return t
}

// pick keeps of an object what was asked for, and its gid ("Input/output
// options"): an object that is named without any of its fields has gid and
// resource_type only.
func pick(v any, t tree) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = pick(one, t)
		}
		return out
	case map[string]any:
		gid, isResource := v["gid"]
		out := map[string]any{}
		if isResource {
			out["gid"] = gid
		}
		if len(t) == 0 {
			if !isResource {
				return v
			}
			if kind, ok := v["resource_type"]; ok {
				out["resource_type"] = kind
			}
			return out
		}
		for name, sub := range t {
			if value, ok := v[name]; ok {
				out[name] = pick(value, sub)
			}
		}
		return out
	default:
		return v
	}
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// person is a user as it stands within other objects, nil for nobody.
func (w *Workspace) person(gid string) any {
	u := w.users[gid]
	if u == nil {
		return nil
	}
	return map[string]any{"gid": gid, "resource_type": "user", "name": u.Name}
}

func (w *Workspace) named(section string) any {
	s := w.sections[section]
	return map[string]any{"gid": s.gid, "resource_type": "section", "name": s.name}
}

func (f *Field) compact() map[string]any {
	kind := "enum"
	if f.Number {
		kind = "number"
	}
	return map[string]any{"gid": f.gid, "resource_type": "custom_field", "name": f.Name, "resource_subtype": kind, "type": kind}
}

func (f *Field) chosen(option string) any {
	for i, gid := range f.options {
		if gid == option {
			return map[string]any{"gid": gid, "resource_type": "enum_option", "name": f.Options[i], "enabled": true, "color": "blue"}
		}
	}
	return nil
}

// task renders a task whole. Its name is a text that no reader may need.
func (w *Workspace) task(t *task) map[string]any {
	memberships := []any{}
	projects := []any{}
	fields := []any{}
	seen := map[string]bool{}
	for _, h := range t.homes {
		p := w.projects[h.project]
		in := map[string]any{"gid": p.gid, "resource_type": "project", "name": p.name}
		memberships = append(memberships, map[string]any{"project": in, "section": w.named(h.section)})
		projects = append(projects, in)
		for _, gid := range p.fields {
			if !seen[gid] {
				seen[gid] = true
				fields = append(fields, w.value(t, gid))
			}
		}
	}
	var parent any
	if p := w.tasks[t.parent]; p != nil {
		parent = map[string]any{"gid": p.gid, "resource_type": "task", "resource_subtype": p.subtype, "name": "Task " + p.gid}
	}
	living := 0
	for _, gid := range t.subtasks {
		if s := w.tasks[gid]; !s.gone {
			living++
		}
	}
	return map[string]any{
		"gid": t.gid, "resource_type": "task", "resource_subtype": t.subtype, "name": "Task " + t.gid, "notes": "What to do.",
		"created_at": stamp(t.created), "modified_at": stamp(t.modified), "created_by": resource(t.by, "user"),
		"completed": t.completed, "completed_at": stamp(t.completedAt), "completed_by": w.person(t.completedBy),
		"assignee": w.person(t.assignee), "parent": parent, "num_subtasks": living,
		"memberships": memberships, "projects": projects, "custom_fields": fields,
		"workspace": map[string]any{"gid": w.gid, "resource_type": "workspace", "name": "Example"},
	}
}

func (w *Workspace) value(t *task, field string) any {
	f := w.fields[field]
	out := f.compact()
	out["enabled"] = true
	if f.Number {
		out["number_value"] = nil
		if v, ok := t.numbers[field]; ok {
			out["number_value"] = v
		}
		return out
	}
	out["enum_value"] = f.chosen(t.enums[field])
	return out
}

func (w *Workspace) story(t *task, s *story) map[string]any {
	kind := "system"
	if s.subtype == "comment_added" {
		kind = "comment"
	}
	out := map[string]any{
		"gid": s.gid, "resource_type": "story", "resource_subtype": s.subtype, "type": kind,
		"created_at": stamp(s.at), "created_by": w.person(s.by), "text": "did " + s.subtype, "target": resource(t.gid, "task"),
	}
	for name, v := range s.more {
		out[name] = v
	}
	return out
}

func (w *Workspace) project(p *project) map[string]any {
	settings := []any{}
	for _, gid := range p.fields {
		settings = append(settings, map[string]any{"gid": "9" + gid, "resource_type": "custom_field_setting", "custom_field": w.fields[gid].compact()})
	}
	var of any
	if t := w.teams[p.team]; t != nil {
		of = map[string]any{"gid": t.gid, "resource_type": "team", "name": t.name}
	}
	return map[string]any{
		"gid": p.gid, "resource_type": "project", "name": p.name, "archived": p.archived, "team": of,
		"workspace":             map[string]any{"gid": w.gid, "resource_type": "workspace", "name": "Example"},
		"custom_field_settings": settings,
	}
}

func (u *user) render() map[string]any {
	out := map[string]any{"gid": u.gid, "resource_type": "user", "name": u.Name}
	if !u.Hidden {
		out["email"] = u.Email
	}
	return out
}
