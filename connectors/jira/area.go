package jira

import (
	"slices"

	"fairlead/connectors/ticket"
)

// An issue's areas are its components, or its project where it has none.
const (
	componentArea = "component:"
	projectArea   = "project:"
)

// areas are the areas of an issue with these components, sorted.
func areas(components []string, project string) []string {
	if len(components) == 0 {
		return []string{projectArea + project}
	}
	list := make([]string, len(components))
	for n, c := range components {
		list[n] = componentArea + c
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// areaUpdate is what one changelog entry does to components and project.
type areaUpdate struct {
	seq      uint32
	history  wireHistory
	items    []ticket.Change // of components, as recorded
	from, to string          // projects; both "" if it does not move
}

// areaChanges maps changes of components, with what follows from them and from
// moves: the project is an area while there is no component. Jira records one
// item for each component that was added or removed, so whether others were
// there must be known: the walk goes back from the present components to those
// at creation, and then forward. Actor is left to the caller.
func areaChanges(histories []wireHistory, components []string, project string) []ticket.Change {
	updates := areaUpdates(histories)
	set := map[string]bool{}
	for _, c := range components {
		set[componentArea+c] = true
	}
	for _, u := range slices.Backward(updates) {
		for _, c := range slices.Backward(u.items) {
			if c.To != "" {
				delete(set, c.To)
			}
			if c.From != "" {
				set[c.From] = true
			}
		}
		if u.from != "" {
			project = u.from
		}
	}
	fallback := func() string {
		if len(set) > 0 {
			return ""
		}
		return projectArea + project
	}
	var list []ticket.Change
	for _, u := range updates {
		before := fallback()
		for _, c := range u.items {
			if c.From != "" {
				delete(set, c.From)
			}
			if c.To != "" {
				set[c.To] = true
			}
		}
		if u.to != "" {
			project = u.to
		}
		after := fallback()
		list = append(list, u.items...)
		if before != after {
			list = append(list, ticket.Change{
				At: u.history.Created.Time, Seq: u.seq, Field: ticket.FieldArea, From: before, To: after,
			})
		}
	}
	return list
}

func areaUpdates(histories []wireHistory) []areaUpdate {
	var updates []areaUpdate
	for n, h := range histories {
		u := areaUpdate{seq: uint32(n + 1), history: h}
		for _, item := range h.Items {
			field := tracked(item)
			from, okFrom := number(item.From)
			to, okTo := number(item.To)
			if !okFrom || !okTo || from == "" && to == "" {
				continue
			}
			switch field {
			case ticket.FieldArea:
				c := ticket.Change{At: h.Created.Time, Seq: u.seq, Field: ticket.FieldArea}
				if from != "" {
					c.From = componentArea + from
				}
				if to != "" {
					c.To = componentArea + to
				}
				u.items = append(u.items, c)
			case ticket.FieldProject:
				u.from, u.to = from, to
			}
		}
		if len(u.items) > 0 || u.to != "" {
			updates = append(updates, u)
		}
	}
	return updates
}
