package asana

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// wireProject is a project of the allow-list.
type wireProject struct {
	GID       string `json:"gid"`
	Name      string `json:"name"`
	Team      *ref   `json:"team"`
	Workspace *ref   `json:"workspace"`
}

var projectFields = []string{"name", "team.name", "workspace"}

// places are the projects that are collected, and their sections.
type places struct {
	projects []wireProject  // in the order of the configuration; the first that a task is in is its home
	rank     map[string]int // gid → place in projects
	sections map[string]sectionOf
	hidden   []string // configured, and not to be seen
	read     time.Time
}

type sectionOf struct{ project, name string }

// directory keeps what tasks refer to by gid.
type directory struct {
	s *Source

	mu     sync.Mutex
	now    *places
	people map[string]person
	absent map[string]bool // not among people when they were read
	read   time.Time
	warned map[string]bool
}

type person struct {
	GID   string `json:"gid"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

func newDirectory(s *Source) *directory { return &directory{s: s, warned: map[string]bool{}} }

// places gives the projects of the configuration, read again when they are old.
func (d *directory) places(ctx context.Context) (*places, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now != nil && d.s.now().Sub(d.now.read) < d.s.cfg.NamesMaxAge {
		return d.now, nil
	}
	p, err := d.readPlaces(ctx)
	if err != nil {
		return nil, err
	}
	d.now = p
	return p, nil
}

func (d *directory) readPlaces(ctx context.Context) (*places, error) {
	c := d.s.client
	p := &places{rank: map[string]int{}, sections: map[string]sectionOf{}, read: d.s.now()}
	add := func(one wireProject) {
		if _, ok := p.rank[one.GID]; !ok {
			p.rank[one.GID] = len(p.projects)
			p.projects = append(p.projects, one)
		}
	}
	var calls []call
	for _, gid := range d.s.cfg.Projects {
		calls = append(calls, call{path: "/projects/" + gid, fields: projectFields, at: "for its name and team"})
	}
	found, err := c.many(ctx, calls)
	if err != nil {
		return nil, err
	}
	var refused error
	for i, o := range found {
		if o.err != nil {
			p.hidden, refused = append(p.hidden, d.s.cfg.Projects[i]), o.err
			continue
		}
		var one wireProject
		if err := json.Unmarshal(o.Data, &one); err != nil {
			return nil, fmt.Errorf("reading %s%s: %w: a project of another kind than the API's", prefix, calls[i].path, source.ErrUnreadable)
		}
		add(one)
	}
	for _, gid := range d.s.cfg.Teams {
		list, err := listed[wireProject](ctx, c, call{path: "/teams/" + gid + "/projects", fields: projectFields, at: "for its projects"})
		if gone(err) {
			p.hidden, refused = append(p.hidden, gid), err
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			add(one)
		}
	}
	if len(p.projects) == 0 && refused != nil {
		return nil, fmt.Errorf("reading the projects of %s: %w: none of those that are configured can be seen: %w", d.s.name, source.ErrForbidden, refused)
	}
	for _, gid := range p.hidden {
		if d.warned[gid] {
			continue
		}
		d.warned[gid] = true
		d.s.log.Warn("a configured project or team cannot be seen; share it with the account, or take it out of the configuration", "gid", gid)
	}
	return p, d.readSections(ctx, p)
}

func (d *directory) readSections(ctx context.Context, p *places) error {
	if d.s.cfg.Sections == SectionsNothing {
		return nil
	}
	calls := make([]call, len(p.projects))
	for i, one := range p.projects {
		calls[i] = call{path: "/projects/" + one.GID + "/sections", fields: []string{"name"}, limit: maxPage, at: "for its sections"}
	}
	found, err := d.s.client.many(ctx, calls)
	if err != nil {
		return err
	}
	for i, o := range found {
		if o.err != nil {
			continue // hidden since
		}
		take := func(r reply) error {
			list, err := rows[ref](r, calls[i].path)
			for _, section := range list {
				p.sections[section.GID] = sectionOf{p.projects[i].GID, section.Name}
			}
			return err
		}
		if err := take(o.reply); err != nil {
			return err
		}
		if next := o.next(); next != "" {
			rest := calls[i]
			rest.offset = next
			if err := d.s.client.all(ctx, rest, take); err != nil {
				return err
			}
		}
	}
	return nil
}

// accounts describes accounts by their gids. Everybody in the workspace is read
// at once; somebody who is not among them has left it or is hidden, and has the
// name that tasks and stories give.
func (d *directory) accounts(ctx context.Context, p *places, seen map[string]string) ([]ticket.Account, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.s.now().Sub(d.read) >= d.s.cfg.NamesMaxAge
	for gid := range seen {
		if _, known := d.people[gid]; !known && !d.absent[gid] {
			old = true
		}
	}
	if old && len(seen) > 0 {
		if err := d.readPeople(ctx, p); err != nil {
			return nil, err
		}
	}
	var out []ticket.Account
	for gid, name := range seen {
		one, present := d.people[gid]
		if !present {
			d.absent[gid] = true
			one = person{GID: gid, Name: name}
		}
		out = append(out, ticket.Account{Source: d.s.name, ID: gid, Name: one.Name, Email: one.Email, Active: present, Bot: d.bot(one)})
	}
	slices.SortFunc(out, func(a, b ticket.Account) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func (d *directory) bot(p person) bool {
	return slices.ContainsFunc(d.s.cfg.Bots, func(b string) bool { return b == p.GID || p.Email != "" && strings.EqualFold(b, p.Email) })
}

func (d *directory) readPeople(ctx context.Context, p *places) error {
	people := map[string]person{}
	done := map[string]bool{}
	read := d.s.now()
	for _, project := range p.projects {
		workspace := project.Workspace.gid()
		if workspace == "" || done[workspace] {
			continue
		}
		done[workspace] = true
		list, err := listed[person](ctx, d.s.client, call{
			path: "/users", query: url.Values{"workspace": {workspace}}, fields: []string{"name", "email"}, at: "for names and e-mail addresses",
		})
		if gone(err) {
			if !d.warned["people"] {
				d.warned["people"] = true
				d.s.log.Warn("the people of the workspace cannot be listed; they will have no e-mail addresses")
			}
			continue
		}
		if err != nil {
			return err
		}
		for _, one := range list {
			people[one.GID] = one
		}
	}
	d.people, d.absent, d.read = people, map[string]bool{}, read
	return nil
}
