package jiratest

import (
	"cmp"
	"strconv"
	"strings"
)

// AssigneeItem is the item of a change of assignee between two user names; ""
// is nobody. It holds the user's key, or the name where there is no key.
func (in *Instance) AssigneeItem(from, to string) Item {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.assigneeItem(from, to)
}

// StatusItem is the item of a transition.
func (in *Instance) StatusItem(from, to string) Item {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.statusItem(from, to)
}

// PriorityItem is the item of a change of priority.
func (in *Instance) PriorityItem(from, to string) Item {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.priorityItem(from, to)
}

// TypeItem is the item of a change of issue type.
func (in *Instance) TypeItem(from, to string) Item {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.typeItem(from, to)
}

// ComponentItem is the item of one component that was removed (to is "") or
// added (from is "").
func (in *Instance) ComponentItem(from, to string) Item {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.componentItem(from, to)
}

// MoveItems are the items of a move between projects, given by id, with the
// keys that the issue had and got.
func (in *Instance) MoveItems(from, to, fromKey, toKey string) []Item {
	in.mu.RLock()
	defer in.mu.RUnlock()
	return in.moveItems(from, to, fromKey, toKey)
}

// PointsItem is the item of a change of story points; nil is none. Numbers
// stand in the strings only.
func PointsItem(from, to *float64) Item {
	text := func(f *float64) *string {
		if f == nil {
			return nil
		}
		return new(strconv.FormatFloat(*f, 'f', -1, 64))
	}
	return Item{Field: PointsName, FieldID: PointsField, FieldType: "custom", FromString: text(from), ToString: text(to)}
}

func (in *Instance) assigneeItem(from, to string) Item {
	return in.item("assignee", "assignee", from, to, func(name string) (string, string) {
		u, ok := in.users[strings.ToLower(name)]
		if !ok {
			return name, name
		}
		return cmp.Or(u.Key, u.Name), u.DisplayName
	})
}

func (in *Instance) statusItem(from, to string) Item {
	return in.item("status", "status", from, to, func(id string) (string, string) {
		if s, ok := in.statuses[id]; ok {
			return id, s.Name
		}
		return id, id
	})
}

func (in *Instance) priorityItem(from, to string) Item {
	return in.item("priority", "priority", from, to, func(id string) (string, string) {
		if p, ok := in.priorities[id]; ok {
			return id, p.Name
		}
		return id, id
	})
}

func (in *Instance) typeItem(from, to string) Item {
	return in.item("issuetype", "issuetype", from, to, func(id string) (string, string) {
		if t, ok := in.types[id]; ok {
			return id, t.Name
		}
		return id, id
	})
}

func (in *Instance) componentItem(from, to string) Item {
	return in.item("Component", "components", from, to, func(id string) (string, string) {
		if c, ok := in.components[id]; ok {
			return id, c.Name
		}
		return id, id
	})
}

func (in *Instance) parentItem(from, to string) Item {
	return in.item("Parent", "parent", from, to, func(id string) (string, string) {
		if is := in.find(id); is != nil {
			return id, is.now.Key
		}
		return id, id
	})
}

func (in *Instance) moveItems(from, to, fromKey, toKey string) []Item {
	project := in.item("project", "project", from, to, func(id string) (string, string) {
		if p, ok := in.projects[id]; ok {
			return id, p.Name
		}
		return id, id
	})
	key := Item{Field: "Key", FieldType: "jira", FromString: &fromKey, ToString: &toKey}
	return []Item{project, key}
}

// item makes an item of two values, each "" or named by describe.
func (in *Instance) item(field, id, from, to string, describe func(string) (id, name string)) Item {
	item := Item{Field: field, FieldID: id, FieldType: "jira"}
	if from != "" {
		id, name := describe(from)
		item.From, item.FromString = &id, &name
	}
	if to != "" {
		id, name := describe(to)
		item.To, item.ToString = &id, &name
	}
	return item
}
