package analysis

import (
	"maps"
	"slices"
	"strings"
)

// MinPeople is the smallest group whose figures are shown to others by default.
const MinPeople = 5

// Crowd is a group that could be shown, with those whom its figures are about.
type Crowd struct {
	Name   string
	People map[string]bool
	Size   int  // where fewer than the people count; 0 for all of them
	Closed bool // not to be shown, whatever its size
}

// Publish decides which groups may be shown to others: none of fewer than least
// people, and none that would tell of fewer by subtraction. What is shown of all
// together less what is shown of the groups is about those that are not shown:
// they have to be nobody, or least people at least, whom no group that is shown
// has. Where they are fewer, the smallest group that is shown joins them, until
// they are enough. The decision is always about all groups, whatever a report is
// about, so that two reports tell no more than one of all.
func Publish(groups []Crowd, least int) map[string]bool {
	shown := map[string]bool{}
	for _, g := range groups {
		shown[g.Name] = g.count() >= least
	}
	order := slices.Clone(groups)
	slices.SortStableFunc(order, func(a, b Crowd) int {
		if a.count() != b.count() {
			return a.count() - b.count()
		}
		return strings.Compare(a.Name, b.Name)
	})
	for {
		hidden := map[string]bool{}
		any := false
		for _, g := range groups {
			if !shown[g.Name] && len(g.People) > 0 {
				any = true
				maps.Copy(hidden, g.People)
			}
		}
		// Who is in a group that is shown as well is no protection to the rest.
		for _, g := range groups {
			if shown[g.Name] {
				for p := range g.People {
					delete(hidden, p)
				}
			}
		}
		if !any || len(hidden) >= least {
			return shown
		}
		next := slices.IndexFunc(order, func(g Crowd) bool { return shown[g.Name] })
		if next < 0 {
			return shown
		}
		shown[order[next].Name] = false
	}
}

func (c Crowd) count() int {
	if c.Closed {
		return 0
	}
	if c.Size > 0 && c.Size < len(c.People) {
		return c.Size
	}
	return len(c.People)
}
