package jira

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"fairlead/connectors/source"
)

// Project is one that the account sees, to choose from.
type Project struct {
	Key  string
	Name string
}

// maxProjectPages bounds a listing that never ends.
const maxProjectPages = 1000

// Discover lists the projects that the account sees, by key, whatever the
// configuration allows.
func (s *Source) Discover(ctx context.Context) ([]Project, error) {
	var found []wireNamed
	if s.cfg.Flavour == DataCenter {
		list, _, err := do[listOf[wireNamed]](ctx, s.client, call{method: http.MethodGet, path: "/project"})
		if err != nil {
			return nil, fmt.Errorf("listing projects: %w", err)
		}
		found = list
	} else {
		seen := map[string]bool{}
		for page := 0; ; page++ {
			if page == maxProjectPages {
				return nil, fmt.Errorf("listing projects: %w: the pages do not end", source.ErrUnreadable)
			}
			answer, _, err := do[struct {
				Values []wireNamed `json:"values"`
				IsLast bool        `json:"isLast"`
			}](ctx, s.client, call{method: http.MethodGet, path: "/project/search", query: url.Values{
				"startAt": {strconv.Itoa(len(found))}, "maxResults": {"100"}, "orderBy": {"key"},
			}})
			if err != nil {
				return nil, fmt.Errorf("listing projects: %w", err)
			}
			before := len(found)
			for _, p := range answer.Values {
				if !seen[p.ID] {
					seen[p.ID] = true
					found = append(found, p)
				}
			}
			if answer.IsLast || len(found) == before {
				break
			}
		}
	}
	projects := make([]Project, len(found))
	for n, p := range found {
		projects[n] = Project{Key: p.Key, Name: p.Name}
	}
	slices.SortFunc(projects, func(a, b Project) int { return cmp.Compare(a.Key, b.Key) })
	return projects, nil
}
