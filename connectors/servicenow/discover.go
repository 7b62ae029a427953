package servicenow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"fairlead/connectors/source"
)

// TaskTable is a table of tasks that the account reads, to choose from.
type TaskTable struct {
	Name    string
	Tickets int // in it, access aside; -1 where the instance does not tell
}

// usual are the task tables of the base system (product documentation, "Task
// table"). A list of all that extend task, sys_db_object, is for administrators.
var usual = []string{"incident", "problem", "change_request", "sc_req_item", "sc_task", "change_task", "incident_task", "problem_task", "sn_customerservice_case", "sn_hr_core_case"}

// Discover asks which of the usual task tables, and of those that are
// configured, the account can read, with one request a table.
func (s *Source) Discover(ctx context.Context) ([]TaskTable, error) {
	names := usual
	for _, t := range s.tables {
		if !slices.Contains(names, t.Name) {
			names = append(names[:len(names):len(names)], t.Name)
		}
	}
	var found []TaskTable
	for _, name := range names {
		ans, err := get[listed](ctx, s.client, request{
			table: name, query: "ORDERBYDESCsys_updated_on", fields: []string{"sys_id", "sys_created_on"}, limit: 1, count: true, at: "to see whether it is there",
		})
		switch {
		case ctx.Err() != nil, errors.Is(err, source.ErrUnauthorized), errors.Is(err, source.ErrUnreachable):
			return nil, fmt.Errorf("looking for tables: %w", err)
		case err == nil && len(ans.rows) > 0:
			found = append(found, TaskTable{Name: name, Tickets: ans.total})
		}
	}
	return found, nil
}

// Groups are the names of up to max active groups that the account sees, in their
// order, and how many there are, access aside; -1 where the instance does not tell.
// The error is source.ErrForbidden where it may not read them.
func (s *Source) Groups(ctx context.Context, max int) (names []string, all int, err error) {
	ans, err := get[nameRow](ctx, s.client, request{
		table: "sys_user_group", query: "active=true^ORDERBYname", fields: []string{"sys_id", "name"}, limit: max, count: true, at: "to see which there are",
	})
	if err != nil {
		return nil, 0, fmt.Errorf("looking for groups: %w", err)
	}
	for _, g := range ans.rows {
		names = append(names, string(g.Name))
	}
	return names, ans.total, nil
}
