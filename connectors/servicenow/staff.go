package servicenow

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

var _ source.Staffed = (*Source)(nil)

// memberRow is a row of sys_user_grmember: a user is in a group.
type memberRow struct {
	ID      text `json:"sys_id"`
	Created text `json:"sys_created_on"`
	Group   text `json:"group"`
	User    text `json:"user"`
}

func (m memberRow) key() (at, id string) { return string(m.Created), string(m.ID) }

type groupRow struct {
	ID      text `json:"sys_id"`
	Name    text `json:"name"`
	Manager text `json:"manager"`
}

// staffRow is a user with where they work and for whom.
type staffRow struct {
	userRow
	Zone    text `json:"time_zone"`
	Manager text `json:"manager"`
}

// Staff implements source.Staffed by sys_user_group, sys_user_grmember and sys_user.
// A group that has no manager is taken to have the one of most of its members.
func (s *Source) Staff(ctx context.Context, groups []string) (source.Staff, error) {
	found := map[string]*source.Group{}
	wanted := set{}
	l := lookup{table: "sys_user_group", fields: []string{"sys_id", "name", "manager"}, keys: groups, query: idQuery}
	err := inParts(ctx, s.client, s.dir, l, func(_ []string, rows []groupRow) {
		for _, r := range rows {
			found[string(r.ID)] = &source.Group{ID: string(r.ID), Name: string(r.Name), Manager: string(r.Manager)}
			wanted.add(string(r.Manager))
		}
	})
	if err := s.tolerated(err, "sys_user_group"); err != nil {
		return source.Staff{}, err
	}
	members, err := s.members(ctx, groups)
	if err := s.tolerated(err, "sys_user_grmember"); err != nil {
		return source.Staff{}, err
	}
	for _, m := range members {
		wanted.add(string(m.User))
	}
	people, err := s.people(ctx, wanted)
	if err != nil {
		return source.Staff{}, err
	}
	// Where most members' manager is asked for, that is somebody more.
	for _, m := range members {
		if g := found[string(m.Group)]; g != nil && people[string(m.User)].Active == "true" {
			g.Members = append(g.Members, string(m.User))
		}
	}
	more := set{}
	for _, g := range found {
		slices.Sort(g.Members)
		g.Members = slices.Compact(g.Members)
		if g.Manager == "" {
			g.Manager = commonManager(g.Members, people)
			if _, known := people[g.Manager]; g.Manager != "" && !known {
				more.add(g.Manager)
			}
		}
	}
	managers, err := s.people(ctx, more)
	if err != nil {
		return source.Staff{}, err
	}
	maps.Copy(people, managers)

	staff := source.Staff{Zones: map[string]string{}}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		staff.Groups = append(staff.Groups, *found[id])
	}
	for _, id := range slices.Sorted(maps.Keys(people)) {
		u := people[id]
		staff.Accounts = append(staff.Accounts, ticket.Account{
			Source: s.name, ID: id, Name: string(u.Name), Email: string(u.Email), Active: u.Active == "true", Bot: s.bot(u.userRow),
		})
		// The platform's own default is no place of theirs.
		if _, err := time.LoadLocation(string(u.Zone)); err == nil && u.Zone != "" {
			staff.Zones[id] = string(u.Zone)
		}
	}
	return staff, nil
}

func (s *Source) members(ctx context.Context, groups []string) ([]memberRow, error) {
	walkOf := func(ids []string) *walk[memberRow] {
		return &walk[memberRow]{
			c: s.client, table: "sys_user_grmember", order: "sys_created_on", fields: []string{"sys_id", "sys_created_on", "group", "user"},
			limit: s.cfg.AuditPageSize, name: "the members of groups",
			where: func(more ...string) string { return joined("groupIN"+strings.Join(ids, ","), more...) },
		}
	}
	var out []memberRow
	for _, part := range batches(groups, placed(walkOf).request(), s.cfg.MaxURLBytes, s.client.base.String()) {
		err := halving(part, func(ids []string) error {
			rows, err := walkOf(ids).all(ctx)
			out = append(out, rows...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// people reads users by their sys_ids.
func (s *Source) people(ctx context.Context, wanted set) (map[string]staffRow, error) {
	out := map[string]staffRow{}
	fields := []string{"sys_id", "user_name", "name", "email", "active", "web_service_access_only", "internal_integration_user", "time_zone", "manager"}
	l := lookup{table: "sys_user", fields: fields, keys: wanted.sorted(), query: idQuery}
	err := inParts(ctx, s.client, s.dir, l, func(_ []string, rows []staffRow) {
		for _, r := range rows {
			out[string(r.ID)] = r
		}
	})
	return out, s.tolerated(err, "sys_user")
}

func idQuery(ids []string) string { return "sys_idIN" + strings.Join(ids, ",") }

// commonManager is whom more than half of the members report to, of two or more.
func commonManager(members []string, people map[string]staffRow) string {
	count := map[string]int{}
	for _, m := range members {
		if manager := string(people[m].Manager); manager != "" {
			count[manager]++
		}
	}
	for manager, n := range count {
		if n >= 2 && 2*n > len(members) {
			return manager
		}
	}
	return ""
}

// tolerated lets a draft go on without a table that we may not read, and says so.
func (s *Source) tolerated(err error, table string) error {
	if !errors.Is(err, source.ErrForbidden) {
		return err
	}
	if s.firstTime(table + " staff") {
		s.log.Warn("who is in which group is not readable; give the account a role that may read the table", "table", table)
	}
	return nil
}
