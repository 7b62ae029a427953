package servicenow

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// directory keeps what ids are called: people, groups, configuration items and
// the labels of choices. Each is read once, in batches, and again after a while.
type directory struct {
	s  *Source
	mu sync.Mutex // held while reading: what two streams want is read once

	users   map[string]entry[userRow] // by sys_id
	byName  map[string]entry[userRow] // by user_name in lower case
	groups  map[string]entry[nameRow]
	items   map[string]entry[nameRow]
	choices map[string]entry[map[string]string] // by table: column and value → label
	warned  map[string]bool
}

// entry is what was read under a key; row.sys_id is empty where nothing was
// found.
type entry[T any] struct {
	row   T
	until time.Time
}

// userRow is a row of sys_user (product documentation, "User administration"; the
// two marks are of "Non-interactive users": an account of a program).
type userRow struct {
	ID          text `json:"sys_id"`
	UserName    text `json:"user_name"`
	Name        text `json:"name"`
	Email       text `json:"email"`
	Active      text `json:"active"`
	ServiceOnly text `json:"web_service_access_only"`
	Integration text `json:"internal_integration_user"`
}

// nameRow is what is read of sys_user_group and of cmdb_ci.
type nameRow struct {
	ID   text `json:"sys_id"`
	Name text `json:"name"`
}

// choiceRow is a row of sys_choice: what a value of a column of a table is called in
// a language (product documentation, "Choice lists").
type choiceRow struct {
	ID       text `json:"sys_id"`
	Updated  text `json:"sys_updated_on"`
	Table    text `json:"name"`
	Element  text `json:"element"`
	Value    text `json:"value"`
	Label    text `json:"label"`
	Language text `json:"language"`
}

func newDirectory(s *Source) *directory {
	return &directory{
		s: s, users: map[string]entry[userRow]{}, byName: map[string]entry[userRow]{},
		groups: map[string]entry[nameRow]{}, items: map[string]entry[nameRow]{},
		choices: map[string]entry[map[string]string]{}, warned: map[string]bool{},
	}
}

// missingMaxAge is how long it is remembered that nothing was found.
const missingMaxAge = time.Hour

// unknownUser is the account of a user name that sys_user does not show: a
// deleted user, or one that is hidden from us.
const unknownUser = "user_name:"

// account gives the sys_id of a user_name. In sys_audit a person is the
// user_name, in assigned_to the sys_id: both have to be one account.
func (d *directory) account(userName string) string {
	if userName == "" {
		return ""
	}
	if e, ok := d.byName[strings.ToLower(userName)]; ok && e.row.ID != "" {
		return string(e.row.ID)
	}
	return unknownUser + strings.ToLower(userName)
}

// fetch reads what is not known yet of the things that a page names: all of it as
// one request, where the instance takes that.
func (d *directory) fetch(ctx context.Context, n *named) error {
	now := d.s.now()
	users := d.usersWanted(n, now)
	groups := namesWanted("sys_user_group", stale(d.groups, n.groups, now))
	items := namesWanted("cmdb_ci", stale(d.items, n.items, now))
	choices := d.choicesWanted(n, now)

	var first []request
	for _, l := range []lookup{users, groups, items} {
		for _, keys := range d.parts(l) {
			first = append(first, l.request(keys))
		}
	}
	if choices != nil {
		first = append(first, choices.walk.request())
	}
	c := d.s.client.ahead(ctx, first)
	if err := d.fetchUsers(ctx, c, now, users); err != nil {
		return err
	}
	if err := d.fetchNames(ctx, c, now, groups, d.groups); err != nil {
		return err
	}
	if err := d.fetchNames(ctx, c, now, items, d.items); err != nil {
		return err
	}
	if choices == nil {
		return nil
	}
	return d.fetchChoices(ctx, c, now, choices)
}

// lookup is a reading of rows by keys that are unique in a table, so that no answer
// has more rows than were asked for.
type lookup struct {
	table  string
	fields []string
	keys   []string
	query  func(keys []string) string
}

func (l lookup) request(keys []string) request {
	return request{table: l.table, query: l.query(keys), fields: l.fields, limit: min(maxPage, len(keys)+1), at: "by id"}
}

// parts are the keys of each request.
func (d *directory) parts(l lookup) [][]string {
	if len(l.keys) == 0 {
		return nil
	}
	empty := l.request(nil)
	empty.query = "sys_idIN^ORuser_nameIN^ORuser_name="
	var parts [][]string
	for _, part := range batches(l.keys, empty, d.s.cfg.MaxURLBytes, d.s.client.base.String()) {
		parts = slices.AppendSeq(parts, slices.Chunk(part, maxPage-1))
	}
	return parts
}

func (d *directory) usersWanted(n *named, now time.Time) lookup {
	// One request may ask by both: a marker tells the two kinds apart.
	keys := stale(d.users, n.users, now)
	for _, name := range stale(d.byName, n.userNames, now) {
		keys = append(keys, unknownUser+name)
	}
	return lookup{
		table: "sys_user", keys: keys, query: userQuery,
		fields: []string{"sys_id", "user_name", "name", "email", "active", "web_service_access_only", "internal_integration_user"},
	}
}

// namesWanted is the reading of the names of rows of a table by sys_id.
func namesWanted(table string, ids []string) lookup {
	return lookup{table: table, fields: []string{"sys_id", "name"}, keys: ids, query: idQuery}
}

func (d *directory) fetchUsers(ctx context.Context, c *client, now time.Time, l lookup) error {
	err := inParts(ctx, c, d, l, func(asked []string, rows []userRow) {
		until, missing := now.Add(d.s.cfg.NamesMaxAge), now.Add(min(missingMaxAge, d.s.cfg.NamesMaxAge))
		for _, k := range asked {
			if name, ok := strings.CutPrefix(k, unknownUser); ok {
				d.byName[name] = entry[userRow]{until: missing}
			} else {
				d.users[k] = entry[userRow]{until: missing}
			}
		}
		for _, r := range rows {
			d.users[string(r.ID)] = entry[userRow]{r, until}
			if r.UserName != "" {
				d.byName[strings.ToLower(string(r.UserName))] = entry[userRow]{r, until}
			}
		}
	})
	return d.tolerate(err, l.table, len(l.keys))
}

// userQuery asks for users by sys_id or by user_name: IN splits at commas, so a
// name with one is asked for alone, and ^^ is a caret in a value.
func userQuery(keys []string) string {
	var ids, names, single []string
	for _, k := range keys {
		name, ok := strings.CutPrefix(k, unknownUser)
		name = strings.ReplaceAll(name, "^", "^^")
		switch {
		case !ok:
			ids = append(ids, k)
		case strings.Contains(name, ","):
			single = append(single, "user_name="+name)
		default:
			names = append(names, name)
		}
	}
	var any []string
	if len(ids) > 0 {
		any = append(any, "sys_idIN"+strings.Join(ids, ","))
	}
	if len(names) > 0 {
		any = append(any, "user_nameIN"+strings.Join(names, ","))
	}
	return strings.Join(append(any, single...), "^OR")
}

func (d *directory) fetchNames(ctx context.Context, c *client, now time.Time, l lookup, known map[string]entry[nameRow]) error {
	err := inParts(ctx, c, d, l, func(asked []string, rows []nameRow) {
		for _, id := range asked {
			known[id] = entry[nameRow]{until: now.Add(min(missingMaxAge, d.s.cfg.NamesMaxAge))}
		}
		for _, r := range rows {
			known[string(r.ID)] = entry[nameRow]{r, now.Add(d.s.cfg.NamesMaxAge)}
		}
	})
	return d.tolerate(err, l.table, len(l.keys))
}

func inParts[T any](ctx context.Context, c *client, d *directory, l lookup, found func(asked []string, rows []T)) error {
	for _, part := range d.parts(l) {
		err := halving(part, func(keys []string) error {
			ans, err := get[T](ctx, c, l.request(keys))
			if err == nil {
				found(keys, ans.rows)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tolerate lets a page go on without the names of a table that we may not read,
// and says so once.
func (d *directory) tolerate(err error, table string, ids int) error {
	if !errors.Is(err, source.ErrForbidden) {
		return err
	}
	if !d.warned[table] {
		d.warned[table] = true
		d.s.log.Warn("names are not readable; give the account a role that may read the table",
			slog.String("table", table), slog.Int("ids", ids))
	}
	return nil
}

// choices is a reading of the labels of the columns that have choices.
type choices struct {
	tables []string
	walk   *walk[choiceRow]
}

// choicesWanted is the reading of the labels of every configured table, of those
// whose tickets a page holds, and of task; nil where they are known.
func (d *directory) choicesWanted(n *named, now time.Time) *choices {
	if len(stale(d.choices, n.classes, now)) == 0 {
		return nil
	}
	wanted, columns := set{"task": {}}, set{"priority": {}}
	maps.Copy(wanted, n.classes)
	for _, t := range d.s.tables {
		wanted.add(t.Name)
		columns.add(t.StatusField)
		for _, c := range t.AreaFields {
			if !itemColumns[c] {
				columns.add(c)
			}
		}
	}
	tables, elements := wanted.sorted(), columns.sorted()
	return &choices{tables: tables, walk: &walk[choiceRow]{
		table: "sys_choice", order: "sys_updated_on", limit: maxPage, name: "labels",
		fields: []string{"sys_id", "sys_updated_on", "name", "element", "value", "label", "language"},
		where: func(more ...string) string {
			return joined("nameIN"+strings.Join(tables, ",")+"^elementIN"+strings.Join(elements, ",")+"^language="+d.s.cfg.Language, more...)
		},
	}}
}

func (d *directory) fetchChoices(ctx context.Context, c *client, now time.Time, wanted *choices) error {
	wanted.walk.c = c
	rows, err := wanted.walk.all(ctx)
	if err := d.tolerate(err, "sys_choice", len(wanted.tables)); err != nil {
		return err
	}
	for _, t := range wanted.tables {
		d.choices[t] = entry[map[string]string]{map[string]string{}, now.Add(d.s.cfg.NamesMaxAge)}
	}
	for _, r := range rows {
		if e, ok := d.choices[string(r.Table)]; ok {
			e.row[string(r.Element+" "+r.Value)] = string(r.Label)
		}
	}
	return nil
}

func (c choiceRow) key() (at, id string) { return string(c.Updated), string(c.ID) }

// label is what a value of a column is called in a table: its own choice, else
// that of task; "" where there is none.
func (d *directory) label(table, column, value string) string {
	k := column + " " + value
	return cmp.Or(d.choices[table].row[k], d.choices["task"].row[k])
}

// sharedLabel is what a value is called that is the same value in all tables: in
// task, else in the first configured table, else in the first other one that has a
// choice for it, so that its name does not depend on which ticket came last.
func (d *directory) sharedLabel(column, value string) string {
	k := column + " " + value
	label := d.choices["task"].row[k]
	for _, t := range d.s.tables {
		label = cmp.Or(label, d.choices[t.Name].row[k])
	}
	if label != "" {
		return label
	}
	for _, table := range slices.Sorted(maps.Keys(d.choices)) {
		label = cmp.Or(label, d.choices[table].row[k])
	}
	return label
}

// bot says whether an account is not a person's: by the platform's marks, or by
// the configured names.
func (s *Source) bot(u userRow) bool {
	return u.ServiceOnly == "true" || u.Integration == "true" || s.botName(string(u.UserName))
}

func (s *Source) botName(userName string) bool {
	return slices.ContainsFunc(s.cfg.Bots, func(pattern string) bool {
		ok, _ := path.Match(strings.ToLower(pattern), strings.ToLower(userName))
		return ok
	})
}

func (d *directory) describe(id string) (ticket.Account, bool) {
	if name, ok := strings.CutPrefix(id, unknownUser); ok {
		return ticket.Account{Source: d.s.name, ID: id, Name: name, Bot: d.s.botName(name)}, true
	}
	u := d.users[id].row
	if u.ID == "" {
		return ticket.Account{}, false
	}
	return ticket.Account{
		Source: d.s.name, ID: id, Name: string(u.Name), Email: string(u.Email), Active: u.Active == "true", Bot: d.s.bot(u),
	}, true
}

type set map[string]struct{}

func (s set) add(v string) {
	if v != "" {
		s[v] = struct{}{}
	}
}

func (s set) sorted() []string { return slices.Sorted(maps.Keys(s)) }

// stale gives the wanted keys that are not known, or no longer, in order.
func stale[T any](known map[string]entry[T], wanted set, now time.Time) []string {
	var out []string
	for k := range wanted {
		if e, ok := known[k]; !ok || !now.Before(e.until) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}
