package jiratest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Edit is one change of one field in an update of an issue. It returns the
// changelog items that Jira would write. Setting a field to the value that it
// has writes none, and an update without items no entry.
type Edit func(in *Instance, i *Issue) ([]Item, error)

// Assign gives the issue to a user; "" to nobody.
func Assign(name string) Edit {
	return func(in *Instance, i *Issue) ([]Item, error) {
		if _, ok := in.users[strings.ToLower(name)]; !ok && name != "" {
			return nil, fmt.Errorf("no user %q", name)
		}
		if strings.EqualFold(i.Assignee, name) {
			return nil, nil
		}
		item := in.assigneeItem(i.Assignee, name)
		i.Assignee = name
		return []Item{item}, nil
	}
}

// Transition moves the issue to a status.
func Transition(status string) Edit {
	return func(in *Instance, i *Issue) ([]Item, error) {
		if _, ok := in.statuses[status]; !ok {
			return nil, fmt.Errorf("no status %q", status)
		}
		if i.Status == status {
			return nil, nil
		}
		item := in.statusItem(i.Status, status)
		i.Status = status
		return []Item{item}, nil
	}
}

// SetPriority sets the priority.
func SetPriority(id string) Edit {
	return func(in *Instance, i *Issue) ([]Item, error) {
		if _, ok := in.priorities[id]; !ok && id != "" {
			return nil, fmt.Errorf("no priority %q", id)
		}
		if i.Priority == id {
			return nil, nil
		}
		item := in.priorityItem(i.Priority, id)
		i.Priority = id
		return []Item{item}, nil
	}
}

// SetType sets the issue type.
func SetType(id string) Edit {
	return func(in *Instance, i *Issue) ([]Item, error) {
		if _, ok := in.types[id]; !ok {
			return nil, fmt.Errorf("no issue type %q", id)
		}
		if i.Type == id {
			return nil, nil
		}
		item := in.typeItem(i.Type, id)
		i.Type = id
		return []Item{item}, nil
	}
}

// SetPoints sets the story points; nil clears them.
func SetPoints(points *float64) Edit {
	return func(_ *Instance, i *Issue) ([]Item, error) {
		if i.Points == points || i.Points != nil && points != nil && *i.Points == *points {
			return nil, nil
		}
		item := PointsItem(i.Points, points)
		i.Points = points
		return []Item{item}, nil
	}
}

// SetParent puts the issue under another, given by id; "" under none.
func SetParent(id string) Edit {
	return func(in *Instance, i *Issue) ([]Item, error) {
		if i.Parent == id {
			return nil, nil
		}
		item := in.parentItem(i.Parent, id)
		i.Parent = id
		return []Item{item}, nil
	}
}

// SetComponents replaces the components. Jira writes one item for each that
// was added or removed.
func SetComponents(ids ...string) Edit {
	return func(in *Instance, i *Issue) ([]Item, error) {
		var items []Item
		for _, id := range ids {
			if _, ok := in.components[id]; !ok {
				return nil, fmt.Errorf("no component %q", id)
			}
			if !slices.Contains(i.Components, id) {
				items = append(items, in.componentItem("", id))
			}
		}
		for _, id := range i.Components {
			if !slices.Contains(ids, id) {
				items = append(items, in.componentItem(id, ""))
			}
		}
		i.Components = slices.Clone(ids)
		return items, nil
	}
}

// Move moves the issue to another project, where it gets a new key and loses
// its components. The old key still leads to it.
func Move(project string) Edit {
	return func(in *Instance, i *Issue) ([]Item, error) {
		p, ok := in.projects[project]
		if !ok {
			return nil, fmt.Errorf("no project %q", project)
		}
		if i.Project == project {
			return nil, nil
		}
		in.nextNumber[project]++
		key := p.Key + "-" + strconv.FormatInt(in.nextNumber[project], 10)
		items := in.moveItems(i.Project, project, i.Key, key)
		for _, c := range i.Components {
			items = append(items, in.componentItem(c, ""))
		}
		i.Project, i.Key, i.Components = project, key, nil
		return items, nil
	}
}

// Unrecorded applies an edit and writes no changelog entry, as plugins,
// imports and direct database work do.
func Unrecorded(e Edit) Edit {
	return func(in *Instance, i *Issue) ([]Item, error) {
		_, err := e(in, i)
		return nil, err
	}
}

// Edit updates an issue, given by id or key, as a user at a time: one changelog
// entry holds all items. The user "" leaves an entry without an author.
func (in *Instance) Edit(idOrKey, user string, at time.Time, edits ...Edit) error {
	return in.mutate(idOrKey, at, func(i *Issue) error {
		var items []Item
		for _, e := range edits {
			more, err := e(in, i)
			if err != nil {
				return err
			}
			items = append(items, more...)
		}
		if len(items) > 0 {
			h := History{Author: user, Created: at, Items: items}
			in.fillID(&h.ID)
			i.Histories = append(slices.Clip(i.Histories), h)
		}
		return nil
	})
}

// Comment adds a comment.
func (in *Instance) Comment(idOrKey, user string, at time.Time, body string) error {
	return in.mutate(idOrKey, at, func(i *Issue) error {
		c := Comment{Author: user, Created: at, Body: body}
		in.fillID(&c.ID)
		i.Comments = append(slices.Clip(i.Comments), c)
		return nil
	})
}

// Log adds a worklog of an hour that was started at a time.
func (in *Instance) Log(idOrKey, user string, at, started time.Time) error {
	return in.mutate(idOrKey, at, func(i *Issue) error {
		w := Worklog{Author: user, Created: at, Started: started, Seconds: 3600}
		in.fillID(&w.ID)
		i.Worklogs = append(slices.Clip(i.Worklogs), w)
		return nil
	})
}

func (in *Instance) mutate(idOrKey string, at time.Time, change func(*Issue) error) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	is := in.find(idOrKey)
	if is == nil {
		return fmt.Errorf("editing issue: no issue %q", idOrKey)
	}
	old := is.now
	next := *old
	if err := change(&next.Issue); err != nil {
		return fmt.Errorf("editing issue %s: %w", old.Key, err)
	}
	next.Updated = at
	next.projectKey, next.number, _ = splitKey(next.Key)
	in.resolve(&next)
	is.now = &next
	in.byKey[next.Key] = is
	in.lag(is, old)
	in.sorted = nil
	return nil
}

// lag makes searches show the old record for as long as the index lags.
func (in *Instance) lag(is *issue, old *record) {
	if in.opts.IndexLag <= 0 {
		return
	}
	is.earlier = append(is.earlier, &lagged{record: old, until: in.opts.Clock().Add(in.opts.IndexLag)})
	in.lagging[is.id] = is
}

// Create adds an issue now: unlike AddIssue's, the search index learns of it
// only after its lag.
func (in *Instance) Create(i Issue) (string, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	id, err := in.addIssue(i)
	if err != nil {
		return "", err
	}
	in.lag(in.find(id), nil)
	return id, nil
}

// Delete removes an issue.
func (in *Instance) Delete(idOrKey string) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	is := in.find(idOrKey)
	if is == nil {
		return fmt.Errorf("deleting issue: no issue %q", idOrKey)
	}
	delete(in.issues, is.id)
	delete(in.lagging, is.id)
	for key, other := range in.byKey {
		if other == is {
			delete(in.byKey, key)
		}
	}
	in.sorted = nil
	return nil
}

// Deny hides an issue from the account that asks, as issue-level security
// does; or shows it again.
func (in *Instance) Deny(idOrKey string, denied bool) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	is := in.find(idOrKey)
	if is == nil {
		return fmt.Errorf("hiding issue: no issue %q", idOrKey)
	}
	is.denied = denied
	return nil
}

// RenameUser gives a user another name; the key and the account id stay, as
// they do in Jira. Histories that hold a key stay right.
func (in *Instance) RenameUser(name, to string) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	u, ok := in.users[strings.ToLower(name)]
	if !ok {
		return fmt.Errorf("renaming user: no user %q", name)
	}
	delete(in.users, strings.ToLower(name))
	in.users[strings.ToLower(to)] = u
	delete(in.byAlias, strings.ToLower(name))
	renamed := func(s *string) {
		if strings.EqualFold(*s, name) {
			*s = to
		}
	}
	for _, is := range in.issues {
		next := *is.now
		renamed(&next.Assignee)
		renamed(&next.Reporter)
		renamed(&next.Creator)
		next.Histories = slices.Clone(next.Histories)
		for n := range next.Histories {
			renamed(&next.Histories[n].Author)
		}
		next.Comments = slices.Clone(next.Comments)
		for n := range next.Comments {
			renamed(&next.Comments[n].Author)
		}
		next.Worklogs = slices.Clone(next.Worklogs)
		for n := range next.Worklogs {
			renamed(&next.Worklogs[n].Author)
		}
		is.now = &next
	}
	u.Name = to
	in.indexUser(u)
	in.sorted = nil
	return nil
}
