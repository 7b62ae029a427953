package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"fairlead/connectors/ticket"
)

// A ticket is deleted whole when all that is stored of it is old and it is done, or
// gone from its source: all its versions, by their numbers, the latest one last.
// Were the latest to go first, an older one, in which it is open, would come
// forward while the others are deleted; which is why no TTL does this. The numbers
// are written down before, so that one that is collected meanwhile stays, and so
// that a prune that died is ended by the next one and not begun again with other
// tickets.
//
// `horizon` says up to where something was deleted: what lies before it is not
// whole any more. Two things about groups are kept, since figures of today are
// made with them: `old_areas` are the areas in which somebody had finished
// something before it, so that whoever does so next is not taken for the first;
// `old_handovers` is how often tickets were handed over, since a counter that
// fell would be taken for one that began again.

func pruningTable(s schema) string {
	return s.create("pruning", strings.Join([]string{
		"    source LowCardinality(String)",
		"    ticket_id String",
		"    number UInt64",
		"    latest Bool",
		"    areas Array(String)",
		"    handed Array(LowCardinality(String))",
		"    version UInt64",
	}, ",\n"), "version", "source, ticket_id, number")
}

func horizonTable(s schema) string {
	return s.create("horizon", strings.Join([]string{
		"    id UInt8",
		"    before DateTime64(3, 'UTC')",
		"    version UInt64",
	}, ",\n"), "version", "id")
}

func oldAreasTable(s schema) string {
	return s.create("old_areas", strings.Join([]string{
		"    source LowCardinality(String)",
		"    area String",
		"    version UInt64",
	}, ",\n"), "version", "source, area")
}

func oldHandoversTable(s schema) string {
	return s.create("old_handovers", strings.Join([]string{
		"    source LowCardinality(String)",
		"    `group` LowCardinality(String)",
		"    run UInt64",
		"    handovers UInt64",
		"    version UInt64",
	}, ",\n"), "version", "source, `group`, run")
}

// Horizon is up to where tickets were deleted for their age; the zero time where
// none were. Figures of the time before it are not whole.
func (d *DB) Horizon(ctx context.Context) (time.Time, error) {
	var milli int64
	err := d.conn.QueryRow(Comment(ctx, "horizon"), "SELECT toUnixTimestamp64Milli(max(before)) FROM "+d.Table("horizon")).Scan(&milli)
	if err != nil || milli == 0 {
		return time.Time{}, d.explain("reading up to where tickets were deleted", err)
	}
	return time.UnixMilli(milli).UTC(), nil
}

// lastEvent is when the last of all that is stored of a ticket happened.
const lastEvent = "arrayMax(arrayConcat([toUnixTimestamp64Milli(created)], arrayMap(x -> toUnixTimestamp64Milli(x), `changes.at`), " +
	"arrayMap(x -> toUnixTimestamp64Milli(x), `contributions.at`), arrayMap(x -> toUnixTimestamp64Milli(x), `assignments.from`), " +
	"arrayMap(x -> toUnixTimestamp64Milli(ifNull(x, created)), `assignments.to`), arrayMap(x -> toUnixTimestamp64Milli(x), `spells.from`), " +
	"if(isNull(deleted), [], [toUnixTimestamp64Milli(assumeNotNull(deleted))])))"

// handed is the group of each handover of a ticket, as the analysis counts them.
const handed = "arrayFilter((g, i) -> i < length(`assignments.actor`) AND `assignments.actor`[i] != `assignments.actor`[i + 1] AND `assignments.actor`[i] != 0 " +
	"AND `assignments.actor`[i + 1] != 0 AND `assignments.to`[i] = `assignments.from`[i + 1], `assignments.group`, arrayEnumerate(`assignments.actor`))"

// aged is the tickets of which all that is stored is older than $1, and which are
// done or gone.
func (d *DB) aged() string {
	return "SELECT source, ticket_id, version AS last, areas, " + handed + " AS handed FROM " + d.Table("tickets") + " FINAL WHERE created < fromUnixTimestamp64Milli($1::Int64, 'UTC') AND " + lastEvent + " < $1::Int64" +
		" AND (isNotNull(deleted) OR (source, status) IN (SELECT source, id FROM " + d.Table("terms") + " FINAL WHERE field = '" + string(ticket.FieldStatus) + "' AND value = '" + string(ticket.CategoryDone) + "'))"
}

// Aged counts what Prune would delete.
func (d *DB) Aged(ctx context.Context, before time.Time) (uint64, error) {
	var n uint64
	err := d.conn.QueryRow(Comment(ctx, "aged tickets"), "SELECT count() FROM ("+d.aged()+")", before.UnixMilli()).Scan(&n)
	return n, d.explain("counting old tickets", err)
}

// Prune deletes the tickets that were done, or gone from their source, and of
// which nothing has been heard since, before an instant. It returns how many. It
// may be called again, and ends what one that died has begun. Two at once are not
// to be.
func (d *DB) Prune(ctx context.Context, before time.Time) (uint64, error) {
	if before.Before(earliest) || !before.Before(latest) {
		return 0, errors.New("deleting old tickets: the time is out of range")
	}
	if _, err := d.endPruning(ctx); err != nil {
		return 0, err
	}
	const doing = "noting old tickets"
	n, err := d.Aged(ctx, before)
	if err != nil || n == 0 {
		return 0, err
	}
	// Before anything goes: what is then read of the time before is known not to
	// be whole.
	if err := d.conn.Exec(writing(ctx, "horizon"), "INSERT INTO "+d.Table("horizon")+" (id, before, version) SELECT 0, fromUnixTimestamp64Milli($1::Int64, 'UTC'), toUInt64($1::Int64)", before.UnixMilli()); err != nil {
		return 0, d.explain("noting up to where tickets are deleted", err)
	}
	run, err := d.nextVersion(ctx, "pruning")
	if err != nil {
		return 0, err
	}
	// One block: the notes are there as a whole or not at all.
	note := withSettings(writing(ctx, "note old tickets"), "note old tickets", clickhouse.Settings{
		"max_insert_block_size": 1 << 30, "min_insert_block_size_rows": 1 << 30, "min_insert_block_size_bytes": 0, "max_insert_threads": 1, "async_insert": 0})
	err = d.conn.Exec(note, "INSERT INTO "+d.Table("pruning")+" (source, ticket_id, number, latest, areas, handed, version) "+
		"SELECT t.source, t.ticket_id, t.version, t.version = a.last, a.areas, a.handed, $2 FROM (SELECT source, ticket_id, version FROM "+d.Table("tickets")+") AS t "+
		"INNER JOIN ("+d.aged()+") AS a ON t.source = a.source AND t.ticket_id = a.ticket_id WHERE t.version <= a.last", before.UnixMilli(), run)
	if err != nil {
		return 0, d.explain(doing, err)
	}
	return d.endPruning(ctx)
}

// endPruning deletes what is noted, and then the notes.
func (d *DB) endPruning(ctx context.Context) (n uint64, err error) {
	pruning := d.Table("pruning")
	if err := d.conn.QueryRow(Comment(ctx, "old tickets"), "SELECT countIf(latest) FROM "+pruning+" FINAL").Scan(&n); err != nil || n == 0 {
		return 0, d.explain("counting old tickets", err)
	}
	for _, keep := range []string{
		"INSERT INTO " + d.Table("old_areas") + " (source, area, version) SELECT DISTINCT source, arrayJoin(areas), 1 FROM " + pruning + " FINAL WHERE latest",
		"INSERT INTO " + d.Table("old_handovers") + " (source, `group`, run, handovers, version) " +
			"SELECT source, arrayJoin(handed) AS g, version, count(), 1 FROM " + pruning + " FINAL WHERE latest GROUP BY source, g, version",
	} {
		if err := d.conn.Exec(writing(ctx, "keep of old tickets"), keep); err != nil {
			return 0, d.explain("keeping what figures need of old tickets", err)
		}
	}
	for _, which := range []string{"NOT latest", "latest"} {
		if err := d.deleteWhere(ctx, "tickets", "(source, ticket_id, version) IN (SELECT source, ticket_id, number FROM "+pruning+" WHERE "+which+")"); err != nil {
			return 0, fmt.Errorf("deleting old tickets: %w", err)
		}
	}
	return n, d.deleteWhere(ctx, "pruning", "1")
}

// OldAreas are the areas, by source and id, in which somebody had finished
// something before the Horizon.
func (d *DB) OldAreas(ctx context.Context) (map[[2]string]bool, error) {
	const doing = "reading the areas of old tickets"
	rows, err := d.conn.Query(Comment(ctx, "old areas"), "SELECT DISTINCT source, area FROM "+d.Table("old_areas"))
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	areas := map[[2]string]bool{}
	for rows.Next() {
		var source, area string
		if err := rows.Scan(&source, &area); err != nil {
			return nil, d.explain(doing, err)
		}
		areas[[2]string{source, area}] = true
	}
	return areas, d.explain(doing, rows.Err())
}

// PruneReports deletes the stored reports that were made before an instant, and
// says how many; with dry it only counts them.
func (d *DB) PruneReports(ctx context.Context, before time.Time, dry bool) (uint64, error) {
	condition := fmt.Sprintf("made < fromUnixTimestamp64Milli(%d, 'UTC')", before.UnixMilli())
	var n uint64
	if err := d.conn.QueryRow(Comment(ctx, "old reports"), "SELECT count() FROM "+d.Table("reports")+" FINAL WHERE "+condition).Scan(&n); err != nil {
		return 0, d.explain("counting old reports", err)
	}
	if dry || n == 0 {
		return n, nil
	}
	return n, d.deleteWhere(ctx, "reports", condition)
}
