package asana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairlead/connectors/source"
)

type checker struct {
	s       *Source
	facts   []source.Fact
	choices map[string]bool // names of custom fields that are a single choice
}

func (c *checker) add(l source.Level, what, format string, args ...any) {
	c.facts = append(c.facts, source.Fact{Level: l, What: what, Says: fmt.Sprintf(format, args...)})
}

// Check implements source.Source, with about seven requests and, of at most
// checkedProjects, three a project.
func (s *Source) Check(ctx context.Context) (source.Report, error) {
	c := &checker{s: s, choices: map[string]bool{}}
	if err := c.account(ctx); err != nil {
		return source.Report{}, fmt.Errorf("checking %s: %w", s.name, err)
	}
	c.add(source.LevelOK, "time zone", "times are read in UTC")
	s.dir.mu.Lock()
	p, err := s.dir.readPlaces(ctx)
	s.dir.mu.Unlock()
	switch {
	case errors.Is(err, source.ErrForbidden):
		c.add(source.LevelFailed, "projects", "none of those that are configured can be seen; add the account to them as a commenter or viewer")
		return source.Report{Facts: c.facts}, nil
	case err != nil:
		return source.Report{}, fmt.Errorf("checking %s: %w", s.name, err)
	}
	for _, gid := range p.hidden {
		c.add(source.LevelFailed, "project or team "+gid, "cannot be seen: add the account to it, or take it out of the configuration; until then no deleted task is noticed")
	}
	c.add(source.LevelOK, "projects", "%d can be seen", len(p.projects))
	total, example := 0, ""
	fields := map[role]bool{}
	for i, project := range p.projects {
		if i == checkedProjects {
			c.add(source.LevelOK, "tasks visible", "%d further projects were not looked into", len(p.projects)-i)
			break
		}
		n, task, err := c.project(ctx, project, fields)
		if err != nil {
			return source.Report{}, fmt.Errorf("checking %s: %w", s.name, err)
		}
		total += max(n, 0)
		example = max(example, task)
	}
	c.fields(fields)
	c.statuses(fields)
	if err := c.history(ctx, example); err != nil {
		return source.Report{}, fmt.Errorf("checking %s: %w", s.name, err)
	}
	perMinute, err := c.search(ctx, p)
	if err != nil {
		return source.Report{}, fmt.Errorf("checking %s: %w", s.name, err)
	}
	if err := c.people(ctx, p); err != nil {
		return source.Report{}, fmt.Errorf("checking %s: %w", s.name, err)
	}
	if total > 0 {
		calls := total + 2*(total+maxPage-1)/maxPage + 3*len(p.projects)
		c.add(source.LevelOK, "first collection", "about %d tasks and their subtasks, one call each for its history: %d calls or more, %s at %s a minute",
			total, calls, lasting(calls, perMinute), thousands(perMinute))
	}
	return source.Report{Facts: c.facts}, nil
}

// The calls a minute that Asana takes ("Rate limits").
const (
	paidPerMinute = 1500
	freePerMinute = 150
)

// lasting is how long calls take at so many a minute.
func lasting(calls, perMinute int) string {
	if minutes := calls / perMinute; minutes > 0 {
		return strings.TrimSuffix((time.Duration(minutes) * time.Minute).String(), "0s")
	}
	return "less than a minute"
}

func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// search finds out whether the account may search, and by that how many calls a
// minute Asana takes.
func (c *checker) search(ctx context.Context, p *places) (perMinute int, err error) {
	_, _, err = c.s.recent(ctx, p, true, c.s.there())
	switch {
	case errors.Is(err, errNoSearch):
		c.add(source.LevelOK, "search", "the workspace has none, as one that nobody pays for: a poll asks each project twice, and the subtasks of each task cost a call")
		return freePerMinute, nil
	case err != nil:
		return 0, err
	}
	c.add(source.LevelOK, "search", "what changed is found by one call a poll, subtasks too")
	return paidPerMinute, nil
}

// statuses says what makes a task one that is in progress.
func (c *checker) statuses(found map[role]bool) {
	if c.s.cfg.Sections == SectionsStatuses || found[statusRole] {
		return
	}
	advice := "where the sections of a board tell, set sections: status"
	if names := slices.Sorted(maps.Keys(c.choices)); len(names) > 0 {
		advice += ", where a custom field does, name it in status_field (choices here: " + strings.Join(names, ", ") + ")"
	}
	c.add(source.LevelOK, "statuses", "only complete and incomplete, so no task is ever in progress; %s", advice)
}

// checkedProjects bounds what a check costs.
const checkedProjects = 20

func (c *checker) account(ctx context.Context) error {
	r, err := c.s.client.get(ctx, call{path: "/users/me", fields: []string{"name"}, at: "for the account"})
	if err != nil {
		return err
	}
	var me person
	if err := json.Unmarshal(r.Data, &me); err != nil {
		return fmt.Errorf("reading %s/users/me: %w: no user in the answer", prefix, source.ErrUnreadable)
	}
	c.add(source.LevelOK, "account", "signed in as %s", me.Name)
	if skew := c.s.now().Sub(r.date); !r.date.IsZero() && (skew > maxSkew || skew < -maxSkew) {
		c.add(source.LevelWarning, "clock", "this machine's is %s from Asana's; set it by NTP", skew.Abs().Round(time.Second))
	}
	return nil
}

// maxSkew is how far two clocks may be apart without a word.
const maxSkew = time.Minute

// project finds out how many tasks a project shows, and which of the configured
// fields it has.
func (c *checker) project(ctx context.Context, p wireProject, fields map[role]bool) (n int, example string, err error) {
	what := "tasks visible in " + p.GID
	counts, err := c.s.client.get(ctx, call{path: "/projects/" + p.GID + "/task_counts", fields: []string{"num_tasks"}, at: "for how many there are"})
	n = -1
	switch {
	case err == nil:
		var count struct {
			Tasks *int `json:"num_tasks"`
		}
		if json.Unmarshal(counts.Data, &count) == nil && count.Tasks != nil {
			n = *count.Tasks
		}
	case refusedWith(err) == 0:
		return 0, "", err
	}
	tasks, err := c.s.client.get(ctx, call{path: "/tasks", query: url.Values{"project": {p.GID}}, fields: []string{"modified_at"}, limit: 1, at: "of project " + p.GID})
	if refusedWith(err) != 0 {
		c.add(source.LevelFailed, what, "not readable: %v; add the account to the project", err)
		return 0, "", nil
	}
	if err != nil {
		return 0, "", err
	}
	list, err := rows[wireTask](tasks, "/tasks")
	if err != nil {
		return 0, "", err
	}
	team := "no team: its tasks have no queue"
	if p.Team.gid() != "" {
		team = "team " + p.Team.Name
	}
	switch {
	case len(list) == 0 && n > 0:
		c.add(source.LevelWarning, what, "none, though %s has %d; add the account to the project", p.Name, n)
	case len(list) == 0:
		c.add(source.LevelOK, what, "none; %s, %s", p.Name, team)
	case n < 0:
		example = list[0].GID
		c.add(source.LevelOK, what, "some; %s, %s", p.Name, team)
	default:
		example = list[0].GID
		c.add(source.LevelOK, what, "%d; %s, %s", n, p.Name, team)
	}
	settings, err := listed[struct {
		Field struct {
			ref
			Kind string `json:"resource_subtype"`
		} `json:"custom_field"`
	}](ctx, c.s.client, call{
		path: "/projects/" + p.GID + "/custom_field_settings", fields: []string{"custom_field.name", "custom_field.resource_subtype"}, at: "for its custom fields",
	})
	if err != nil && refusedWith(err) == 0 {
		return 0, "", err
	}
	m := newMapper(c.s, &places{})
	for _, one := range settings {
		r := m.role(one.Field.GID, one.Field.Name)
		fields[r] = true
		if r == noRole && one.Field.Kind == "enum" {
			c.choices[one.Field.Name] = true
		}
	}
	return n, example, nil
}

// fields says which configured custom fields there are.
func (c *checker) fields(found map[role]bool) {
	defaults := DefaultConfig()
	for _, f := range []struct {
		key, value, preset string
		role               role
	}{
		{"status_field", c.s.cfg.StatusField, defaults.StatusField, statusRole}, {"kind_field", c.s.cfg.KindField, defaults.KindField, kindRole},
		{"priority_field", c.s.cfg.PriorityField, defaults.PriorityField, priorityRole}, {"effort_field", c.s.cfg.EffortField, defaults.EffortField, effortRole},
	} {
		switch {
		case f.value == "":
		case found[f.role]:
			c.add(source.LevelOK, f.key, "%s is there", f.value)
		case f.value == f.preset:
			c.add(source.LevelOK, f.key, "no project has a field %q, so none is collected", f.value)
		default:
			c.add(source.LevelWarning, f.key, "no project has a field %q; the names are those that Asana shows in the project's Customize menu", f.value)
		}
	}
}

func (c *checker) history(ctx context.Context, task string) error {
	if task == "" {
		c.add(source.LevelWarning, "history", "no task can be seen, so whether stories can be read is not known")
		return nil
	}
	_, err := c.s.client.get(ctx, call{path: "/tasks/" + task + "/stories", fields: []string{"resource_subtype"}, limit: 1, at: "for its history"})
	switch {
	case err == nil:
		c.add(source.LevelOK, "history", "stories are readable")
	case refusedWith(err) != 0:
		c.add(source.LevelFailed, "history", "stories cannot be read: %v; an application needs the scope stories:read", err)
	default:
		return err
	}
	return nil
}

func (c *checker) people(ctx context.Context, p *places) error {
	i := slices.IndexFunc(p.projects, func(one wireProject) bool { return one.Workspace.gid() != "" })
	if i < 0 {
		return nil
	}
	r, err := c.s.client.get(ctx, call{
		path: "/users", query: url.Values{"workspace": {p.projects[i].Workspace.gid()}}, fields: []string{"name", "email"}, limit: maxPage, at: "for e-mail addresses",
	})
	if refusedWith(err) != 0 {
		c.add(source.LevelWarning, "people", "cannot be listed: %v; they will not be joined with their accounts in other systems", err)
		return nil
	}
	if err != nil {
		return err
	}
	list, err := rows[person](r, "/users")
	if err != nil {
		return err
	}
	hidden := 0
	for _, one := range list {
		if !strings.Contains(one.Email, "@") {
			hidden++
		}
	}
	if hidden > 0 {
		c.add(source.LevelWarning, "people", "%d of %d show no e-mail address, by which they are joined with their accounts in other systems; a guest sees few", hidden, len(list))
		return nil
	}
	c.add(source.LevelOK, "people", "e-mail addresses are readable")
	return nil
}
