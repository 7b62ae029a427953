package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
)

// A deletion sweep lists every id that a source shows, and looks for those that
// are stored and were not listed. The comparison is made here, since neither list
// has to fit into anyone's memory then: `listed` holds for each id the last sweep
// that saw it, so it needs no clearing away and a sweep that died leaves nothing
// that the next one could take for its own; and both sides are kept in the order
// of the ids, so that they are merged and not hashed.

// Listing is what a sweep found. A ticket that was written since the sweep began
// is in none of the numbers: what was asked for later knows better.
type Listing struct {
	Stored  uint64 // tickets that are stored and not marked as deleted
	Missing uint64 // those of them that were not listed
	Back    uint64 // tickets that are marked as deleted, and were listed
	Unknown uint64 // ids that were listed, and are not stored in any version
}

// NoteListed notes ids that the sweep saw. A sweep is known by the version at
// which it began; the same id may be noted again.
func (d *DB) NoteListed(ctx context.Context, source string, sweep uint64, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	if source == "" || sweep == 0 {
		return errors.New("noting listed tickets: the sweep has no source or no version")
	}
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{source, id, sweep}
	}
	return d.insert(writing(ctx, "note listed"), "listed", []string{"source", "ticket_id", "sweep"}, rows)
}

// compared is each ticket written before the sweep, with seen = 0 where the sweep
// did not list it.
const compared = `
	SELECT t.ticket_id AS ticket_id, t.deleted AS deleted, l.sweep AS seen
	FROM (SELECT ticket_id, deleted IS NOT NULL AS deleted FROM {tickets} FINAL WHERE source = $1 AND version < $2 AND ticket_id > $3) AS t
	LEFT JOIN (SELECT ticket_id, sweep FROM {listed} FINAL WHERE source = $1 AND sweep = $2 AND ticket_id > $3) AS l USING (ticket_id)`

func (d *DB) compared(ctx context.Context) (context.Context, string) {
	ctx = withSettings(ctx, "compare listed", clickhouse.Settings{"join_algorithm": "full_sorting_merge", "join_use_nulls": 0})
	return ctx, strings.NewReplacer("{tickets}", d.Table("tickets"), "{listed}", d.Table("listed")).Replace(compared)
}

// CompareListed counts what the sweep found.
func (d *DB) CompareListed(ctx context.Context, source string, sweep uint64) (Listing, error) {
	ctx, from := d.compared(ctx)
	var l Listing
	err := d.conn.QueryRow(ctx, "SELECT countIf(NOT deleted), countIf(NOT deleted AND seen = 0), countIf(deleted AND seen != 0) FROM ("+from+")",
		source, sweep, "").Scan(&l.Stored, &l.Missing, &l.Back)
	if err != nil {
		return l, d.explain("comparing with listed tickets", err)
	}
	err = d.conn.QueryRow(ctx, strings.NewReplacer("{tickets}", d.Table("tickets"), "{listed}", d.Table("listed")).Replace(`
		SELECT countIf(t.version = 0)
		FROM (SELECT ticket_id FROM {listed} FINAL WHERE source = $1 AND sweep = $2) AS l
		LEFT JOIN (SELECT ticket_id, version FROM {tickets} FINAL WHERE source = $1) AS t USING (ticket_id)`),
		source, sweep).Scan(&l.Unknown)
	return l, d.explain("counting listed tickets that are not stored", err)
}

// MissingIDs returns, in order and at most limit of them, the ids after the given
// one that are stored, not marked as deleted, and that the sweep did not list.
func (d *DB) MissingIDs(ctx context.Context, source string, sweep uint64, after string, limit int) ([]string, error) {
	return d.comparedIDs(ctx, "NOT deleted AND seen = 0", source, sweep, after, limit)
}

// ReturnedIDs is MissingIDs for those that are marked as deleted and were listed.
func (d *DB) ReturnedIDs(ctx context.Context, source string, sweep uint64, after string, limit int) ([]string, error) {
	return d.comparedIDs(ctx, "deleted AND seen != 0", source, sweep, after, limit)
}

func (d *DB) comparedIDs(ctx context.Context, which, source string, sweep uint64, after string, limit int) ([]string, error) {
	const doing = "reading what a sweep found"
	ctx, from := d.compared(ctx)
	rows, err := d.conn.Query(ctx, "SELECT ticket_id FROM ("+from+") WHERE "+which+" ORDER BY ticket_id LIMIT $4", source, sweep, after, limit)
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, d.explain(doing, err)
		}
		ids = append(ids, id)
	}
	return ids, d.explain(doing, rows.Err())
}

// MarkDeleted marks tickets as deleted at a time, or at their last update if that
// is later: it writes a copy of each stored row with the sweep's version. So a row
// that was asked for after the sweep began stays as it is, written before or after
// this. A ticket that is marked already keeps its time.
func (d *DB) MarkDeleted(ctx context.Context, source string, ids []string, sweep uint64, at time.Time) error {
	const doing = "marking deleted tickets"
	if len(ids) == 0 {
		return nil
	}
	if at.Before(earliest) || !at.Before(latest) {
		return errors.New(doing + ": the time is out of range")
	}
	asked, err := idTable(ids)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	columns, values := make([]string, len(ticketColumns)), make([]string, len(ticketColumns))
	for i, c := range ticketColumns {
		columns[i] = quote(c)
		switch c {
		case "deleted":
			values[i] = "greatest(fromUnixTimestamp64Milli($3::Int64, 'UTC'), updated)"
		case "version":
			values[i] = "$2"
		default:
			values[i] = "t." + columns[i]
		}
	}
	ctx = clickhouse.Context(writing(ctx, "mark deleted"), clickhouse.WithExternalTable(asked))
	return d.explain(doing, d.conn.Exec(ctx, "INSERT INTO "+d.Table("tickets")+" ("+strings.Join(columns, ", ")+") SELECT "+strings.Join(values, ", ")+
		" FROM "+d.Table("tickets")+" AS t FINAL WHERE t.source = $1 AND t.version < $2 AND t.deleted IS NULL AND t.ticket_id IN (SELECT id FROM asked)",
		source, sweep, stored(at).UnixMilli()))
}

// idTable sends ids beside a query, which has a limited length: as `asked`.
func idTable(ids []string) (*ext.Table, error) {
	t, err := ext.NewTable("asked", ext.Column("id", "String"))
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := t.Append(id); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Tally counts the stored tickets of a source.
type Tally struct {
	Tickets    uint64 // all, those marked as deleted among them
	Deleted    uint64 // marked as deleted
	Incomplete uint64 // of whose history the source withheld a part
}

// Tally counts the stored tickets of a source. It reads two small columns of all
// of them.
func (d *DB) Tally(ctx context.Context, source string) (Tally, error) {
	var t Tally
	err := d.conn.QueryRow(Comment(ctx, "tally"), "SELECT count(), countIf(deleted IS NOT NULL), countIf(NOT history_complete) FROM "+d.Table("tickets")+" FINAL WHERE source = $1",
		source).Scan(&t.Tickets, &t.Deleted, &t.Incomplete)
	return t, d.explain("counting tickets", err)
}
