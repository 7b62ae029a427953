package asana

import (
	"context"
	"fmt"
	"net/url"
)

// Project is one that the account sees, to choose from.
type Project struct {
	GID, Name, Team string
}

// Discover lists the projects that are not archived of every workspace that the
// account is in, whatever the configuration allows.
func (s *Source) Discover(ctx context.Context) ([]Project, error) {
	workspaces, err := listed[ref](ctx, s.client, call{path: "/workspaces", fields: []string{"name"}, at: "of the account"})
	if err != nil {
		return nil, fmt.Errorf("listing workspaces: %w", err)
	}
	var found []Project
	for _, w := range workspaces {
		list, err := listed[wireProject](ctx, s.client, call{
			path: "/workspaces/" + w.GID + "/projects", query: url.Values{"archived": {"false"}}, fields: projectFields, at: "to choose from",
		})
		if err != nil {
			return nil, fmt.Errorf("listing projects: %w", err)
		}
		for _, p := range list {
			one := Project{GID: p.GID, Name: p.Name}
			if p.Team != nil {
				one.Team = p.Team.Name
			}
			found = append(found, one)
		}
	}
	return found, nil
}
