package clickhouse

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"fairlead/connectors/roster"
)

// A person who is erased leaves two things. Tickets go on holding the surrogates
// of their accounts, which no table leads back to an account, so that what a team
// did stays what it was. And `erased` holds these surrogates, with the keyed
// hashes of the person's addresses: by them an account is known when its source
// shows it again, and nothing of it is stored. What was one person stays one,
// under a number that was drawn for it.
//
// Every read leaves out what is erased, whatever is stored; so a write that was
// under way when somebody was erased shows nothing, and Scrub takes it away.

func erasedTable(s schema) string {
	return s.create("erased", strings.Join([]string{
		"    id UInt64",
		"    person UInt64",
		"    erased DateTime64(3, 'UTC')",
		"    version UInt64",
	}, ",\n"), "version", "id")
}

// Erased are the erased accounts and addresses: keyed hashes, each with the
// drawn number of the person that it was of.
type Erased map[uint64]uint64

// addressID is the keyed hash of an e-mail address. No source is called "".
func (d *DB) addressID(address string) uint64 {
	address = roster.Address(address)
	if address == "" {
		return 0
	}
	return d.surrogate("", address)
}

// Erased reads who is erased.
func (d *DB) Erased(ctx context.Context) (Erased, error) {
	const doing = "reading who is erased"
	rows, err := d.conn.Query(Comment(ctx, "erased"), "SELECT id, person FROM "+d.Table("erased")+" FINAL")
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	erased := Erased{}
	for rows.Next() {
		var id, person uint64
		if err := rows.Scan(&id, &person); err != nil {
			return nil, d.explain(doing, err)
		}
		erased[id] = person
	}
	return erased, d.explain(doing, rows.Err())
}

// Forgets tells of accounts, as a source shows them, whether they are erased.
func (d *DB) Forgets(ctx context.Context) (erased func(source, account, address string) bool, err error) {
	marks, err := d.Erased(ctx)
	if err != nil {
		return nil, err
	}
	return func(source, account, address string) bool {
		return len(marks) > 0 && (marks[d.surrogate(source, account)] != 0 || marks[d.addressID(address)] != 0)
	}, nil
}

// Forgotten says what of a person was, or would be, taken away.
type Forgotten struct {
	Accounts uint64 // rows of accounts, older versions among them
	Roster   bool   // the stored roster names them
	Tickets  uint64 // tickets that stay, with a number in place of them
}

// Forget erases a person for good: the accounts, and the e-mail addresses under
// which further accounts of theirs would be known. It may be called again, and
// must be where it failed: the mark comes first, so that nothing that is erased
// later can come back. It returns when the rows are rewritten without them.
func (d *DB) Forget(ctx context.Context, accounts []roster.AccountRef, addresses []string) (Forgotten, error) {
	ids, err := d.erasedIDs(accounts, addresses)
	if err != nil {
		return Forgotten{}, fmt.Errorf("erasing a person: %w", err)
	}
	told, err := d.wouldForget(ctx, ids)
	if err != nil {
		return told, err
	}
	if err := d.markErased(ctx, ids); err != nil {
		return told, err
	}
	return told, d.Scrub(ctx)
}

// WouldForget says what Forget would take away, and changes nothing.
func (d *DB) WouldForget(ctx context.Context, accounts []roster.AccountRef, addresses []string) (Forgotten, error) {
	ids, err := d.erasedIDs(accounts, addresses)
	if err != nil {
		return Forgotten{}, fmt.Errorf("erasing a person: %w", err)
	}
	return d.wouldForget(ctx, ids)
}

func (d *DB) erasedIDs(accounts []roster.AccountRef, addresses []string) ([]uint64, error) {
	if d.surrogate == nil {
		return nil, errors.New("the warehouse was opened without surrogates")
	}
	var ids []uint64
	for _, a := range accounts {
		if a.Source == "" || a.ID == "" {
			return nil, errors.New("an account has no source or no id")
		}
		ids = append(ids, d.surrogate(a.Source, a.ID))
	}
	for _, address := range addresses {
		if id := d.addressID(address); id != 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil, errors.New("there is no account and no address")
	}
	return ids, nil
}

func (d *DB) wouldForget(ctx context.Context, ids []uint64) (Forgotten, error) {
	const doing = "looking for what is held on a person"
	var f Forgotten
	ctx = Comment(ctx, "held on a person")
	if err := d.conn.QueryRow(ctx, "SELECT count() FROM "+d.Table("actors")+" WHERE has($1, id)", ids).Scan(&f.Accounts); err != nil {
		return f, d.explain(doing, err)
	}
	if err := d.conn.QueryRow(ctx, "SELECT count() FROM "+d.Table("tickets")+" FINAL WHERE has($1, assignee) OR hasAny($1, `assignments.actor`) OR hasAny($1, `contributions.actor`) OR hasAny($1, `changes.actor`)",
		ids).Scan(&f.Tickets); err != nil {
		return f, d.explain(doing, err)
	}
	_, row, err := d.rosterRow(ctx)
	if err != nil {
		return f, err
	}
	erased := Erased{}
	for _, id := range ids {
		erased[id] = 1
	}
	f.Roster = row.anonymise(erased, d.addressID)
	return f, nil
}

// markErased writes the marks, under the number of the person that some of them
// have already, else under a new one.
func (d *DB) markErased(ctx context.Context, ids []uint64) error {
	known, err := d.Erased(ctx)
	if err != nil {
		return err
	}
	var person uint64
	for _, id := range ids {
		if person = known[id]; person != 0 {
			break
		}
	}
	for person == 0 {
		var n [8]byte
		_, _ = rand.Read(n[:]) // never fails
		person = binary.BigEndian.Uint64(n[:])
	}
	more := Erased{}
	for _, id := range ids {
		if known[id] == 0 {
			more[id] = person
		}
	}
	return d.writeErased(ctx, more)
}

// Scrub takes away what is stored of those who are erased: what a write that was
// under way at the time has left, and the older versions of rows. It waits until
// the parts are rewritten; the server removes the old ones within minutes.
func (d *DB) Scrub(ctx context.Context) error {
	erased, err := d.Erased(ctx)
	if err != nil || len(erased) == 0 {
		return err
	}
	if err := d.adopt(ctx, erased); err != nil {
		return err
	}
	if err := d.deleteWhere(ctx, "actors", "id IN (SELECT id FROM "+d.Table("erased")+")"); err != nil {
		return fmt.Errorf("erasing accounts: %w", err)
	}
	return d.scrubRoster(ctx, erased)
}

// adopt marks the accounts that are stored with the address of somebody who is
// erased.
func (d *DB) adopt(ctx context.Context, erased Erased) error {
	const doing = "reading accounts"
	rows, err := d.conn.Query(Comment(ctx, "accounts of the erased"), "SELECT DISTINCT id, email FROM "+d.Table("actors")+" WHERE email != '' AND NOT bot")
	if err != nil {
		return d.explain(doing, err)
	}
	defer rows.Close()
	adopted := Erased{}
	for rows.Next() {
		var id uint64
		var address string
		if err := rows.Scan(&id, &address); err != nil {
			return d.explain(doing, err)
		}
		if person := erased[d.addressID(address)]; person != 0 && erased[id] == 0 {
			adopted[id] = person
		}
	}
	if err := rows.Err(); err != nil {
		return d.explain(doing, err)
	}
	return d.writeErased(ctx, adopted)
}

func (d *DB) writeErased(ctx context.Context, more Erased) error {
	if len(more) == 0 {
		return nil
	}
	version, err := d.nextVersion(ctx, "erased")
	if err != nil {
		return err
	}
	var rows [][]any
	for id, person := range more {
		rows = append(rows, []any{id, person, stored(time.Now()), version})
	}
	return d.insert(writing(ctx, "mark erased"), "erased", []string{"id", "person", "erased", "version"}, rows)
}

// deleteWhere rewrites the parts of a table without some rows, unless there are
// none, and waits until that is done. A condition is constant text: the server
// may log it.
func (d *DB) deleteWhere(ctx context.Context, table, condition string) error {
	var n uint64
	if err := d.conn.QueryRow(Comment(ctx, "rows to delete"), "SELECT count() FROM "+d.Table(table)+" WHERE "+condition).Scan(&n); err != nil {
		return d.explain("counting rows of "+table, err)
	}
	if n == 0 {
		return nil
	}
	ctx = withSettings(ctx, "delete", clickhouse.Settings{"mutations_sync": 2})
	return d.explain("deleting from "+table, d.conn.Exec(ctx, "ALTER TABLE "+d.Table(table)+" DELETE WHERE "+condition))
}

// scrubRoster rewrites the stored roster without the erased, and takes every
// earlier version of it away.
func (d *DB) scrubRoster(ctx context.Context, erased Erased) error {
	hash, row, err := d.rosterRow(ctx)
	if err != nil {
		return err
	}
	if row.anonymise(erased, d.addressID) {
		if err := d.writeRosterRow(ctx, hash, &row); err != nil {
			return err
		}
	}
	var versions uint64
	if err := d.conn.QueryRow(Comment(ctx, "versions of the roster"), "SELECT count() FROM "+d.Table("roster")).Scan(&versions); err != nil {
		return d.explain("counting versions of the roster", err)
	}
	if versions < 2 {
		return nil
	}
	if err := d.deleteWhere(ctx, "roster", "version < (SELECT max(version) FROM "+d.Table("roster")+")"); err != nil {
		return fmt.Errorf("erasing from the roster: %w", err)
	}
	return nil
}

// former is what the roster calls somebody who is erased.
func former(person uint64) string { return "former-" + strconv.FormatUint(person, 36) }

// formerSource is the source under which a roster holds the surrogates of
// somebody who is erased in place of their accounts.
const formerSource = "erased"

// anonymise puts a number in place of everybody who is erased, and leaves of them
// what a team's capacity is made of: membership, hours, presence. It says whether
// there was anybody.
func (r *rosterRow) anonymise(erased Erased, address func(string) uint64) bool {
	if len(erased) == 0 {
		return false
	}
	names, numbers, entries := map[string]string{}, map[string]uint64{}, map[uint64]int{}
	call := func(id string, person uint64) {
		if person == 0 || names[id] != "" || strings.HasPrefix(id, former(person)) {
			return
		}
		names[id], numbers[id] = former(person), person
		if entries[person]++; entries[person] > 1 { // of a roster that has them twice
			names[id] += "-" + strconv.Itoa(entries[person])
		}
	}
	for i, id := range r.people.id {
		for _, e := range r.people.emails[i] {
			call(id, erased[address(e)])
		}
	}
	for i, id := range r.accounts.person {
		call(id, erased[r.accounts.surrogate[i]])
	}
	changed := len(names) > 0
	for i, list := range r.teams.notify {
		kept := slices.DeleteFunc(slices.Clone(list), func(to string) bool {
			return strings.Contains(to, "@") && erased[address(to)] != 0
		})
		if len(kept) < len(list) {
			r.teams.notify[i], changed = notNil(kept), true
		}
	}
	if len(names) == 0 {
		return changed
	}
	for i, id := range r.people.id {
		if names[id] != "" {
			r.people.id[i], r.people.name[i], r.people.emails[i] = names[id], "", []string{}
		}
	}
	old := r.accounts
	r.accounts.person, r.accounts.source, r.accounts.account, r.accounts.surrogate = []string{}, []string{}, []string{}, []uint64{}
	add := func(person, source, account string, surrogate uint64) {
		t := &r.accounts
		t.person, t.source = append(t.person, person), append(t.source, source)
		t.account, t.surrogate = append(t.account, account), append(t.surrogate, surrogate)
	}
	held := map[uint64]bool{}
	mask := func(person string, surrogate uint64) {
		if !held[surrogate] {
			held[surrogate] = true
			add(person, formerSource, strconv.FormatUint(surrogate, 10), surrogate)
		}
	}
	for i, id := range old.person {
		if names[id] == "" {
			add(id, old.source[i], old.account[i], old.surrogate[i])
			continue
		}
		mask(names[id], old.surrogate[i])
	}
	// Accounts that were theirs by the address alone.
	for _, id := range slices.Sorted(maps.Keys(names)) {
		for _, mark := range slices.Sorted(maps.Keys(erased)) {
			if erased[mark] == numbers[id] {
				mask(names[id], mark)
			}
		}
	}
	for _, list := range []*[]string{&r.schedules.person, &r.leave.person, &r.leads.person, &r.memberships.person, &r.shifts.person} {
		for i, id := range *list {
			if names[id] != "" {
				(*list)[i] = names[id]
			}
		}
	}
	return true
}

// FormerEntry is what may stand in a roster file in place of somebody who is
// erased: a number, and the numbers under which tickets hold them. It leads to
// nobody, and keeps what their team's capacity was.
type FormerEntry struct {
	ID       string
	Accounts []string
}

// String is the entry in a roster's YAML.
func (f FormerEntry) String() string {
	return fmt.Sprintf("%s: {accounts: {%s: [%s]}}", f.ID, formerSource, `"`+strings.Join(f.Accounts, `", "`)+`"`)
}

// FormerEntry is the entry of somebody who is erased, by any of their accounts and
// addresses.
func (d *DB) FormerEntry(ctx context.Context, accounts []roster.AccountRef, addresses []string) (FormerEntry, error) {
	ids, err := d.erasedIDs(accounts, addresses)
	if err != nil {
		return FormerEntry{}, err
	}
	erased, err := d.Erased(ctx)
	if err != nil {
		return FormerEntry{}, err
	}
	var person uint64
	for _, id := range ids {
		person = max(person, erased[id])
	}
	if person == 0 {
		return FormerEntry{}, errors.New("they are not erased")
	}
	entry := FormerEntry{ID: former(person)}
	for _, a := range accounts {
		entry.Accounts = append(entry.Accounts, strconv.FormatUint(d.surrogate(a.Source, a.ID), 10))
	}
	slices.Sort(entry.Accounts)
	return entry, nil
}

// mapped is the surrogate of an account that a roster maps: of somebody who is
// erased the entry has the surrogate itself.
func (d *DB) mapped(source, account string) uint64 {
	if source == formerSource {
		if n, err := strconv.ParseUint(account, 10, 64); err == nil {
			return n
		}
	}
	return d.surrogate(source, account)
}
