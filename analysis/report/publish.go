package report

import (
	"maps"
	"slices"
	"strings"
)

// crowd is a group that could be shown, with those whom its figures are about.
type crowd struct {
	name   string
	people map[string]bool
	size   int // where fewer than the people count; 0 for all of them
	closed bool
}

// publish decides which groups may be shown to others: none of fewer than least
// people, and none that would tell of fewer by subtraction. What is shown of all
// together less what is shown of the groups is about those that are not shown:
// they have to be nobody, or least people at least, whom no group that is shown
// has. Where they are fewer, the smallest group that is shown joins them, until
// they are enough. The decision is always about all groups, whatever a report is
// about, so that two reports tell no more than one of all.
func publish(groups []crowd, least int) map[string]bool {
	shown := map[string]bool{}
	for _, g := range groups {
		shown[g.name] = g.count() >= least
	}
	order := slices.Clone(groups)
	slices.SortStableFunc(order, func(a, b crowd) int {
		if a.count() != b.count() {
			return a.count() - b.count()
		}
		return strings.Compare(a.name, b.name)
	})
	for {
		hidden := map[string]bool{}
		any := false
		for _, g := range groups {
			if !shown[g.name] && len(g.people) > 0 {
				any = true
				maps.Copy(hidden, g.people)
			}
		}
		// Who is in a group that is shown as well is no protection to the rest.
		for _, g := range groups {
			if shown[g.name] {
				for p := range g.people {
					delete(hidden, p)
				}
			}
		}
		if !any || len(hidden) >= least {
			return shown
		}
		next := slices.IndexFunc(order, func(g crowd) bool { return shown[g.name] })
		if next < 0 {
			return shown
		}
		shown[order[next].name] = false
	}
}

func (c crowd) count() int {
	if c.closed {
		return 0
	}
	if c.size > 0 && c.size < len(c.people) {
		return c.size
	}
	return len(c.people)
}
