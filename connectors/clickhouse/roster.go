package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
)

// The roster is one row, replaced whole, for the reasons that a ticket is: an
// insert of one row is seen whole or not at all, and what a new file no longer
// says leaves nothing behind. It holds names and addresses, as actors does; so
// that replaced ones do not stay on disk, parts of some minutes' age are merged.

const rosterMergeSeconds = 600

// rosterID is the row's key: an installation has one roster.
const rosterID = uint8(0)

// rosterColumns are the columns and types in the order in which rosterRow gives
// them.
var rosterColumns = [][2]string{
	{"id", "UInt8"},
	{"hash", "String"},
	{"written", "DateTime64(3, 'UTC')"},
	{"version", "UInt64"},
	{"people.id", "Array(String)"},
	{"people.name", "Array(String)"},
	{"people.emails", "Array(Array(String))"},
	{"people.joined", "Array(Nullable(Date32))"},
	{"people.left", "Array(Nullable(Date32))"},
	{"schedules.person", "Array(String)"},
	{"schedules.from", "Array(Nullable(Date32))"},
	{"schedules.zone", "Array(LowCardinality(String))"},
	{"schedules.hours", "Array(String)"},
	{"schedules.holidays", "Array(Array(String))"},
	{"schedules.fte", "Array(Float64)"},
	{"accounts.person", "Array(String)"},
	{"accounts.source", "Array(LowCardinality(String))"},
	{"accounts.account", "Array(String)"},
	{"accounts.surrogate", "Array(UInt64)"},
	{"bots.source", "Array(LowCardinality(String))"},
	{"bots.account", "Array(String)"},
	{"leave.person", "Array(String)"},
	{"leave.from", "Array(Nullable(Date32))"},
	{"leave.to", "Array(Nullable(Date32))"},
	{"leave.part", "Array(Float64)"},
	{"holidays.calendar", "Array(LowCardinality(String))"},
	{"holidays.day", "Array(Nullable(Date32))"},
	{"teams.name", "Array(String)"},
	{"teams.notify", "Array(Array(String))"},
	{"leads.team", "Array(String)"},
	{"leads.person", "Array(String)"},
	{"leads.from", "Array(Nullable(Date32))"},
	{"leads.to", "Array(Nullable(Date32))"},
	{"queues.team", "Array(String)"},
	{"queues.source", "Array(LowCardinality(String))"},
	{"queues.queue", "Array(String)"},
	{"queues.from", "Array(Nullable(Date32))"},
	{"queues.to", "Array(Nullable(Date32))"},
	{"memberships.team", "Array(String)"},
	{"memberships.person", "Array(String)"},
	{"memberships.from", "Array(Nullable(Date32))"},
	{"memberships.to", "Array(Nullable(Date32))"},
	{"memberships.fte", "Array(Float64)"}, // -1 is all that the person has
	{"shifts.team", "Array(String)"},
	{"shifts.person", "Array(String)"},
	{"shifts.from", "Array(DateTime64(3, 'UTC'))"},
	{"shifts.to", "Array(DateTime64(3, 'UTC'))"},
}

func rosterTable(s schema) string {
	lines := make([]string, len(rosterColumns))
	for i, c := range rosterColumns {
		lines[i] = "    " + quote(c[0]) + " " + c[1]
	}
	return s.create("roster", strings.Join(lines, ",\n"), "version", "id") +
		fmt.Sprintf(", min_age_to_force_merge_seconds = %d, min_age_to_force_merge_on_partition_only = 1", rosterMergeSeconds)
}

// rosterRow is the row's lists, in the order of rosterColumns from people.id on.
// It is written from, and read into.
type rosterRow struct {
	people struct {
		id, name     []string
		emails       [][]string
		joined, left []*time.Time
	}
	schedules struct {
		person   []string
		from     []*time.Time
		zone     []string
		hours    []string
		holidays [][]string
		fte      []float64
	}
	accounts struct {
		person, source, account []string
		surrogate               []uint64
	}
	bots  struct{ source, account []string }
	leave struct {
		person   []string
		from, to []*time.Time
		part     []float64
	}
	holidays struct {
		calendar []string
		day      []*time.Time
	}
	teams struct {
		name   []string
		notify [][]string
	}
	leads struct {
		team, person []string
		from, to     []*time.Time
	}
	queues struct {
		team, source, queue []string
		from, to            []*time.Time
	}
	memberships struct {
		team, person []string
		from, to     []*time.Time
		fte          []float64
	}
	shifts struct {
		team, person []string
		from, to     []time.Time
	}
}

// lists points to every list, in the order of the columns.
func (r *rosterRow) lists() []any {
	return []any{
		&r.people.id, &r.people.name, &r.people.emails, &r.people.joined, &r.people.left,
		&r.schedules.person, &r.schedules.from, &r.schedules.zone, &r.schedules.hours, &r.schedules.holidays, &r.schedules.fte,
		&r.accounts.person, &r.accounts.source, &r.accounts.account, &r.accounts.surrogate,
		&r.bots.source, &r.bots.account,
		&r.leave.person, &r.leave.from, &r.leave.to, &r.leave.part,
		&r.holidays.calendar, &r.holidays.day,
		&r.teams.name, &r.teams.notify,
		&r.leads.team, &r.leads.person, &r.leads.from, &r.leads.to,
		&r.queues.team, &r.queues.source, &r.queues.queue, &r.queues.from, &r.queues.to,
		&r.memberships.team, &r.memberships.person, &r.memberships.from, &r.memberships.to, &r.memberships.fte,
		&r.shifts.team, &r.shifts.person, &r.shifts.from, &r.shifts.to,
	}
}

// dayOrNull is a day as Date32; nil for none.
func dayOrNull(d roster.Day) *time.Time {
	if d == 0 {
		return nil
	}
	t := d.UTC()
	return &t
}

func dayOf(t *time.Time) roster.Day {
	if t == nil {
		return 0
	}
	return roster.DayOf(*t)
}

// notNil is an empty list for none: the driver wants one.
func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (r *rosterRow) fill(d roster.Data, surrogate func(source, account string) uint64) {
	for _, p := range d.People {
		r.people.id, r.people.name, r.people.emails = append(r.people.id, p.ID), append(r.people.name, p.Name), append(r.people.emails, notNil(p.Emails))
		r.people.joined, r.people.left = append(r.people.joined, dayOrNull(p.Employed.From)), append(r.people.left, dayOrNull(p.Employed.To))
	}
	for _, s := range d.Schedules {
		t := &r.schedules
		t.person, t.from, t.zone = append(t.person, s.Person), append(t.from, dayOrNull(s.From)), append(t.zone, s.Zone)
		t.hours, t.holidays, t.fte = append(t.hours, s.Hours.String()), append(t.holidays, notNil(s.Holidays)), append(t.fte, s.FTE)
	}
	for _, a := range d.Accounts {
		t := &r.accounts
		t.person, t.source, t.account = append(t.person, a.Person), append(t.source, a.Source), append(t.account, a.ID)
		t.surrogate = append(t.surrogate, surrogate(a.Source, a.ID))
	}
	for _, b := range d.Bots {
		r.bots.source, r.bots.account = append(r.bots.source, b.Source), append(r.bots.account, b.ID)
	}
	for _, l := range d.Leave {
		t := &r.leave
		t.person, t.part = append(t.person, l.Person), append(t.part, l.Part)
		t.from, t.to = append(t.from, dayOrNull(l.From)), append(t.to, dayOrNull(l.To))
	}
	for _, h := range d.Holidays {
		r.holidays.calendar, r.holidays.day = append(r.holidays.calendar, h.Calendar), append(r.holidays.day, dayOrNull(h.Day))
	}
	for _, m := range d.Teams {
		r.teams.name, r.teams.notify = append(r.teams.name, m.Name), append(r.teams.notify, notNil(m.Notify))
	}
	for _, l := range d.Leads {
		t := &r.leads
		t.team, t.person = append(t.team, l.Team), append(t.person, l.Person)
		t.from, t.to = append(t.from, dayOrNull(l.From)), append(t.to, dayOrNull(l.To))
	}
	for _, q := range d.Queues {
		t := &r.queues
		t.team, t.source, t.queue = append(t.team, q.Team), append(t.source, q.Source), append(t.queue, q.Queue)
		t.from, t.to = append(t.from, dayOrNull(q.From)), append(t.to, dayOrNull(q.To))
	}
	for _, m := range d.Memberships {
		t := &r.memberships
		t.team, t.person, t.fte = append(t.team, m.Team), append(t.person, m.Person), append(t.fte, m.FTE)
		t.from, t.to = append(t.from, dayOrNull(m.From)), append(t.to, dayOrNull(m.To))
	}
	for _, s := range d.Shifts {
		t := &r.shifts
		t.team, t.person = append(t.team, s.Team), append(t.person, s.Person)
		t.from, t.to = append(t.from, stored(s.From)), append(t.to, stored(s.To))
	}
}

func (r *rosterRow) data() (roster.Data, error) {
	var d roster.Data
	period := func(from, to *time.Time) roster.Period { return roster.Period{From: dayOf(from), To: dayOf(to)} }
	for i, id := range r.people.id {
		d.People = append(d.People, roster.Person{ID: id, Name: r.people.name[i], Emails: r.people.emails[i], Employed: period(r.people.joined[i], r.people.left[i])})
	}
	for i, person := range r.schedules.person {
		s := roster.Schedule{Person: person, From: dayOf(r.schedules.from[i]), Zone: r.schedules.zone[i], Holidays: r.schedules.holidays[i], FTE: r.schedules.fte[i]}
		if hours := r.schedules.hours[i]; hours != "" {
			week, err := roster.ParseHours(hours)
			if err != nil {
				return roster.Data{}, fmt.Errorf("reading hours: %w", err)
			}
			s.Hours = week
		}
		d.Schedules = append(d.Schedules, s)
	}
	for i, person := range r.accounts.person {
		d.Accounts = append(d.Accounts, roster.Mapping{Person: person, AccountRef: roster.AccountRef{Source: r.accounts.source[i], ID: r.accounts.account[i]}})
	}
	for i, source := range r.bots.source {
		d.Bots = append(d.Bots, roster.AccountRef{Source: source, ID: r.bots.account[i]})
	}
	for i, person := range r.leave.person {
		d.Leave = append(d.Leave, roster.Leave{Person: person, Period: period(r.leave.from[i], r.leave.to[i]), Part: r.leave.part[i]})
	}
	for i, calendar := range r.holidays.calendar {
		d.Holidays = append(d.Holidays, roster.Holiday{Calendar: calendar, Day: dayOf(r.holidays.day[i])})
	}
	for i, name := range r.teams.name {
		d.Teams = append(d.Teams, roster.Team{Name: name, Notify: r.teams.notify[i]})
	}
	for i, team := range r.leads.team {
		d.Leads = append(d.Leads, roster.Lead{Team: team, Person: r.leads.person[i], Period: period(r.leads.from[i], r.leads.to[i])})
	}
	for i, team := range r.queues.team {
		d.Queues = append(d.Queues, roster.Queue{Team: team, Source: r.queues.source[i], Queue: r.queues.queue[i], Period: period(r.queues.from[i], r.queues.to[i])})
	}
	for i, team := range r.memberships.team {
		d.Memberships = append(d.Memberships, roster.Membership{Team: team, Person: r.memberships.person[i], Period: period(r.memberships.from[i], r.memberships.to[i]), FTE: r.memberships.fte[i]})
	}
	for i, team := range r.shifts.team {
		d.Shifts = append(d.Shifts, roster.Shift{Team: team, Person: r.shifts.person[i], From: r.shifts.from[i], To: r.shifts.to[i]})
	}
	return d, nil
}

// WriteRoster makes r the roster, in place of the one before; nil is none. A
// reader sees the one or the other, whole. Writing the same again changes nothing.
// Whoever is erased is stored without a name, address or account.
func (d *DB) WriteRoster(ctx context.Context, r *roster.Roster) error {
	if d.surrogate == nil {
		return errors.New("writing the roster: the warehouse was opened without surrogates")
	}
	erased, err := d.Erased(ctx)
	if err != nil {
		return err
	}
	var row rosterRow
	hash := ""
	if r != nil {
		hash = r.Hash()
		row.fill(r.Data(), d.mapped)
		row.anonymise(erased, d.addressID)
	}
	return d.writeRosterRow(ctx, hash, &row)
}

func (d *DB) writeRosterRow(ctx context.Context, hash string, row *rosterRow) error {
	version, err := d.nextVersion(ctx, "roster")
	if err != nil {
		return err
	}
	columns := make([]string, len(rosterColumns))
	for i, c := range rosterColumns {
		columns[i] = c[0]
	}
	values := []any{rosterID, hash, stored(time.Now()), version}
	for _, list := range row.lists() {
		values = append(values, reflect.ValueOf(list).Elem().Interface())
	}
	return d.insert(writing(ctx, "write roster"), "roster", columns, [][]any{values})
}

// RosterHash names the content of the roster that is stored; "" for none.
func (d *DB) RosterHash(ctx context.Context) (string, error) {
	var hash string
	err := d.conn.QueryRow(Comment(ctx, "roster hash"), "SELECT argMax(hash, version) FROM "+d.Table("roster")).Scan(&hash)
	return hash, d.explain("reading the roster's hash", err)
}

// StoredRoster is the roster and, for each account that it maps explicitly, the
// surrogate: of an account that its source no longer shows, nothing else is known.
type StoredRoster struct {
	*roster.Roster // nil for none
	Accounts       []StoredAccount
}

// Roster reads the roster that is stored. Whoever is erased is a number in it.
func (d *DB) Roster(ctx context.Context) (StoredRoster, error) {
	const doing = "reading the roster"
	hash, row, err := d.rosterRow(ctx)
	if err != nil || hash == "" {
		return StoredRoster{}, err
	}
	erased, err := d.Erased(ctx)
	if err != nil {
		return StoredRoster{}, err
	}
	row.anonymise(erased, d.addressID)
	data, err := row.data()
	if err != nil {
		return StoredRoster{}, fmt.Errorf("%s: %w", doing, err)
	}
	var s StoredRoster
	if s.Roster, err = roster.New(data); err != nil {
		return StoredRoster{}, fmt.Errorf("%s: %w", doing, err)
	}
	for i, a := range data.Accounts {
		s.Accounts = append(s.Accounts, StoredAccount{ID: row.accounts.surrogate[i], Account: ticket.Account{Source: a.Source, ID: a.ID}})
	}
	return s, nil
}

// rosterRow reads the row as it is stored; with the hash "" there is none.
func (d *DB) rosterRow(ctx context.Context) (hash string, row rosterRow, err error) {
	const doing = "reading the roster"
	names := make([]string, len(rosterColumns))
	for i, c := range rosterColumns {
		names[i] = quote(c[0])
	}
	rows, err := d.conn.Query(Comment(ctx, "roster"), "SELECT hash, "+strings.Join(names[4:], ", ")+" FROM "+d.Table("roster")+" FINAL")
	if err != nil {
		return "", row, d.explain(doing, err)
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(append([]any{&hash}, row.lists()...)...); err != nil {
			return "", row, d.explain(doing, err)
		}
	}
	return hash, row, d.explain(doing, rows.Err())
}
