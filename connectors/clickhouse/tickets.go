package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"fairlead/connectors/ticket"
)

// ticketColumns in the order in which row gives them.
var ticketColumns = []string{
	"source", "ticket_id", "key", "created", "updated", "assignee", "status", "group", "kind", "priority", "project", "parent",
	"areas", "effort", "history_complete", "incomplete_reason", "unrecorded", "deleted", "version",
	"changes.at", "changes.seq", "changes.field", "changes.from", "changes.to", "changes.actor",
	"contributions.at", "contributions.actor", "contributions.act",
	"assignments.actor", "assignments.group", "assignments.from", "assignments.to",
	"spells.field", "spells.value", "spells.from", "spells.to",
	"marks",
}

// TicketError names a ticket that cannot be stored as it is. Nothing of its batch
// was written.
type TicketError struct {
	Source, ID string
	Reason     string // constant words, and the time or version that is wrong
}

func (e *TicketError) Error() string {
	return fmt.Sprintf("ticket %s/%s cannot be stored: %s", e.Source, e.ID, e.Reason)
}

// WriteTickets writes whole tickets as one batch, replacing earlier versions of
// the same. Accounts are replaced by surrogates: no account id is stored here. An
// account may be given by its Reference.
// On a *TicketError nothing was written; after any other error the batch may be
// there or not, and is to be written again.
func (d *DB) WriteTickets(ctx context.Context, records []ticket.Record) error {
	if len(records) == 0 {
		return nil
	}
	if d.surrogate == nil {
		return errors.New("writing tickets: the warehouse was opened without surrogates")
	}
	ids := surrogates{of: d.surrogate, known: make(map[account]uint64)}
	rows := make([][]any, len(records))
	for i := range records {
		row, err := ids.row(&records[i])
		if err != nil {
			return fmt.Errorf("writing tickets: %w", err)
		}
		rows[i] = row
	}
	return d.insert(writing(ctx, "write tickets"), "tickets", ticketColumns, rows)
}

// insert writes the rows as one block: all or nothing.
func (d *DB) insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	doing := "writing " + table
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = quote(c)
	}
	batch, err := d.conn.PrepareBatch(ctx, "INSERT INTO "+d.Table(table)+" ("+strings.Join(quoted, ", ")+")")
	if err != nil {
		return d.explain(doing, err)
	}
	defer batch.Close()
	for _, row := range rows {
		if err := batch.Append(row...); err != nil {
			return errors.Join(d.explain(doing, err), batch.Abort())
		}
	}
	return d.explain(doing, batch.Send())
}

// account is what a surrogate stands for.
type account struct{ source, id string }

// surrogates remembers the surrogates of one batch: making one is a keyed hash.
type surrogates struct {
	of    func(source, account string) uint64
	known map[account]uint64
	zero  bool // one of them is 0, which means nobody
}

func (s *surrogates) id(source, id string) uint64 {
	if id == "" {
		return 0
	}
	if n, ok := dereference(id); ok {
		s.zero = s.zero || n == 0
		return n
	}
	a := account{source, id}
	n, ok := s.known[a]
	if !ok {
		n = s.of(source, id)
		s.known[a] = n
		s.zero = s.zero || n == 0
	}
	return n
}

// text is a surrogate as it stands in changes of the assignee.
func (s *surrogates) text(source, id string) string {
	if id == "" {
		return ""
	}
	return strconv.FormatUint(s.id(source, id), 10)
}

// row turns a ticket into the values of ticketColumns.
func (s *surrogates) row(r *ticket.Record) ([]any, error) {
	if err := check(r); err != nil {
		return nil, err
	}
	src := r.Source
	changes := len(r.Changes)
	var (
		changeAt    = make([]time.Time, changes)
		changeSeq   = make([]uint32, changes)
		changeField = make([]string, changes)
		changeFrom  = make([]string, changes)
		changeTo    = make([]string, changes)
		changeActor = make([]uint64, changes)
	)
	for i, c := range r.Changes {
		changeAt[i], changeSeq[i], changeField[i] = stored(c.At), c.Seq, string(c.Field)
		changeFrom[i], changeTo[i], changeActor[i] = c.From, c.To, s.id(src, c.Actor)
		if c.Field == ticket.FieldAssignee {
			changeFrom[i], changeTo[i] = s.text(src, c.From), s.text(src, c.To)
		}
	}
	contributions := len(r.Contributions)
	var (
		contributionAt    = make([]time.Time, contributions)
		contributionActor = make([]uint64, contributions)
		contributionAct   = make([]string, contributions)
	)
	for i, c := range r.Contributions {
		contributionAt[i], contributionActor[i], contributionAct[i] = stored(c.At), s.id(src, c.Actor), string(c.Act)
	}
	assignments := len(r.Assignments)
	var (
		assignmentActor = make([]uint64, assignments)
		assignmentGroup = make([]string, assignments)
		assignmentFrom  = make([]time.Time, assignments)
		assignmentTo    = make([]*time.Time, assignments)
	)
	for i, a := range r.Assignments {
		assignmentActor[i], assignmentGroup[i] = s.id(src, a.Actor), a.Group
		assignmentFrom[i], assignmentTo[i] = stored(a.From), orNull(a.To)
	}
	spells := len(r.Spells)
	var (
		spellField = make([]string, spells)
		spellValue = make([]string, spells)
		spellFrom  = make([]time.Time, spells)
		spellTo    = make([]*time.Time, spells)
	)
	for i, p := range r.Spells {
		spellField[i], spellValue[i] = string(p.Field), p.Value
		if p.Field == ticket.FieldAssignee {
			spellValue[i] = s.text(src, p.Value)
		}
		spellFrom[i], spellTo[i] = stored(p.From), orNull(p.To)
	}
	areas := r.Areas
	if areas == nil {
		areas = []string{}
	}
	assignee := s.id(src, r.Assignee)
	if s.zero {
		return nil, fmt.Errorf("an account of source %s has the surrogate 0", src)
	}
	return []any{
		src, r.ID, r.Key, stored(r.Created), stored(r.Updated), assignee, r.Status, r.Group, r.Kind, r.Priority, r.Project, r.Parent,
		areas, r.Effort, r.HistoryComplete, r.IncompleteReason, r.Unrecorded, orNull(r.Deleted), r.Version,
		changeAt, changeSeq, changeField, changeFrom, changeTo, changeActor,
		contributionAt, contributionActor, contributionAct,
		assignmentActor, assignmentGroup, assignmentFrom, assignmentTo,
		spellField, spellValue, spellFrom, spellTo,
		marks(r.Marks),
	}, nil
}

func marks(list []ticket.Mark) []string {
	texts := make([]string, len(list))
	for i, m := range list {
		texts[i] = string(m)
	}
	return texts
}

// stored is the time as it will be read again: UTC, whole milliseconds.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// orNull is nil for an interval that is open: a zero time would be stored as
// 1970.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = stored(t)
	return &t
}

// check refuses, with a *TicketError, what would be stored as something else.
func check(r *ticket.Record) error {
	wrong := func(reason string) error { return &TicketError{Source: r.Source, ID: r.ID, Reason: reason} }
	switch {
	case r.Source == "" || r.ID == "":
		return wrong("it has no source or no id")
	case r.Status == "":
		return wrong("it has no status")
	case r.Version == 0:
		return wrong("it has no version")
	}
	at := func(what string, t time.Time) error {
		switch {
		case t.IsZero():
			return wrong("it has no time for " + what)
		case t.Before(earliest) || !t.Before(latest):
			return wrong(fmt.Sprintf("the time of %s, %s, is not between %d and %d", what, t.UTC().Format(time.RFC3339), earliest.Year(), latest.Year()))
		}
		return nil
	}
	until := func(what string, t time.Time) error {
		if t.IsZero() {
			return nil
		}
		return at(what, t)
	}
	if err := errors.Join(at("its creation", r.Created), at("its last update", r.Updated), until("its deletion", r.Deleted)); err != nil {
		return err
	}
	for _, c := range r.Changes {
		if err := at("a change", c.At); err != nil {
			return err
		}
	}
	for _, c := range r.Contributions {
		if err := at("a contribution", c.At); err != nil {
			return err
		}
	}
	for _, a := range r.Assignments {
		if err := errors.Join(at("an assignment's start", a.From), until("an assignment's end", a.To)); err != nil {
			return err
		}
	}
	for _, p := range r.Spells {
		if err := errors.Join(at("a spell's start", p.From), until("a spell's end", p.To)); err != nil {
			return err
		}
	}
	return nil
}

// StoredUpdates returns, for those of the ids that are stored, the source's own
// time of the last change in the latest version.
func (d *DB) StoredUpdates(ctx context.Context, source string, ids []string) (map[string]time.Time, error) {
	const doing = "reading stored updates"
	found := make(map[string]time.Time, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	// Ids travel beside the query, which has a limited length.
	asked, err := ext.NewTable("asked", ext.Column("id", "String"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	for _, id := range ids {
		if err := asked.Append(id); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
	}
	ctx = clickhouse.Context(Comment(ctx, "stored updates"), clickhouse.WithExternalTable(asked))
	rows, err := d.conn.Query(ctx, "SELECT ticket_id, argMax(updated, version) FROM "+d.Table("tickets")+" WHERE source = $1 AND ticket_id IN (SELECT id FROM asked) GROUP BY ticket_id", source)
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var updated time.Time
		if err := rows.Scan(&id, &updated); err != nil {
			return nil, d.explain(doing, err)
		}
		found[id] = updated
	}
	return found, d.explain(doing, rows.Err())
}

// MaxVersion is the greatest version written for a source; 0 when there is none.
func (d *DB) MaxVersion(ctx context.Context, source string) (uint64, error) {
	var version uint64
	err := d.conn.QueryRow(Comment(ctx, "max version"), "SELECT max(version) FROM "+d.Table("tickets")+" WHERE source = $1", source).Scan(&version)
	return version, d.explain("reading the greatest version", err)
}
