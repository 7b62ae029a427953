package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Reports are kept here and not as files in the data folder: with a server of its
// own, the archive is the same from wherever it is read, and is backed up and
// guarded with the tickets it was made from. Stored is only what shows nobody:
// reports about people are made when they are asked for, and kept nowhere.

// ErrNoReport: there is no report with that id.
var ErrNoReport = errors.New("no such report")

// StoredReport is a report of a quarter for everybody, with what it was made
// from.
type StoredReport struct {
	ID       string // of the quarter, the data and the rules
	Quarter  string
	Made     time.Time
	Fairlead string // version of the program
	Method   string
	History  string
	Roster   string
	Document string // JSON; "" in a list
}

func reportsTable(s schema) string {
	return s.create("reports", strings.Join([]string{
		"    id String",
		"    quarter LowCardinality(String)",
		"    made DateTime64(3, 'UTC')",
		"    fairlead String",
		"    method String",
		"    history String",
		"    roster String",
		"    document String",
		"    version UInt64",
	}, ",\n"), "version", "id")
}

// SaveReport stores a report; one of the same id is replaced.
func (d *DB) SaveReport(ctx context.Context, r StoredReport) error {
	const doing = "storing a report"
	if r.ID == "" || r.Quarter == "" || r.Document == "" {
		return errors.New(doing + ": it has no id, no quarter or no document")
	}
	if r.Made.Before(earliest) || !r.Made.Before(latest) {
		return errors.New(doing + ": its time is out of range")
	}
	table := d.Table("reports")
	return d.explain(doing, d.conn.Exec(writing(ctx, "save report"),
		"INSERT INTO "+table+" (id, quarter, made, fairlead, method, history, roster, document, version) "+
			"SELECT $1, $2, fromUnixTimestamp64Milli($3::Int64, 'UTC'), $4, $5, $6, $7, $8, max(version) + 1 FROM "+table+" WHERE id = $1",
		r.ID, r.Quarter, r.Made.UnixMilli(), r.Fairlead, r.Method, r.History, r.Roster, r.Document))
}

// Reports lists what is stored without the documents: the latest quarter first,
// of one quarter the latest made.
func (d *DB) Reports(ctx context.Context) ([]StoredReport, error) {
	const doing = "listing reports"
	rows, err := d.conn.Query(Comment(ctx, "reports"), "SELECT id, quarter, made, fairlead, method, history, roster FROM "+d.Table("reports")+" FINAL ORDER BY quarter DESC, made DESC, id")
	if err != nil {
		return nil, d.explain(doing, err)
	}
	defer rows.Close()
	list := []StoredReport{}
	for rows.Next() {
		var r StoredReport
		if err := rows.Scan(&r.ID, &r.Quarter, &r.Made, &r.Fairlead, &r.Method, &r.History, &r.Roster); err != nil {
			return nil, d.explain(doing, err)
		}
		list = append(list, r)
	}
	return list, d.explain(doing, rows.Err())
}

// Report is one of them with its document. The error wraps ErrNoReport where
// there is none.
func (d *DB) Report(ctx context.Context, id string) (StoredReport, error) {
	r := StoredReport{ID: id}
	err := d.conn.QueryRow(Comment(ctx, "report"), "SELECT quarter, made, fairlead, method, history, roster, document FROM "+d.Table("reports")+" FINAL WHERE id = $1", id).
		Scan(&r.Quarter, &r.Made, &r.Fairlead, &r.Method, &r.History, &r.Roster, &r.Document)
	if errors.Is(err, sql.ErrNoRows) {
		return StoredReport{}, fmt.Errorf("%w: %q", ErrNoReport, id)
	}
	return r, d.explain("reading a report", err)
}
