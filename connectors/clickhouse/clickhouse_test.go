package clickhouse_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// at reads a time of UTC with milliseconds.
func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.000", s)
	if err != nil {
		panic(err)
	}
	return t
}

// record is a small whole ticket that was handed over once.
func record(id string, version uint64) ticket.Record {
	effort := 3.5
	created, handed, closed := at("2024-03-01 08:00:00.000"), at("2024-03-01 09:30:00.250"), at("2024-03-02 17:00:00.001")
	return ticket.Record{
		Ticket: ticket.Ticket{
			Source: "jira", ID: id, Key: "OPS-" + id, Created: created, Updated: closed,
			Assignee: "bob", Status: "3", Group: "ops", Kind: "bug", Priority: "2", Project: "ops", Parent: "77",
			Areas: []string{"net", "vpn"}, Effort: &effort, Marks: []ticket.Mark{ticket.MarkOnCall, ticket.MarkUnplanned},
			Changes: []ticket.Change{
				{At: handed, Seq: 1, Field: ticket.FieldAssignee, From: "ann", To: "bob", Actor: "ann"},
				{At: closed, Seq: 2, Field: ticket.FieldStatus, From: "1", To: "3", Actor: "bob"},
				{At: closed, Seq: 2, Field: ticket.FieldAssignee, From: "bob", To: "", Actor: "bob"},
			},
			Contributions:   []ticket.Contribution{{At: handed, Actor: "ann", Act: ticket.ActComment}},
			HistoryComplete: true,
		},
		Assignments: []ticket.Assignment{
			{Actor: "ann", Group: "ops", From: created, To: handed},
			{Actor: "bob", Group: "ops", From: handed},
		},
		Spells: []ticket.Spell{
			{Field: ticket.FieldStatus, Value: "1", From: created, To: closed},
			{Field: ticket.FieldStatus, Value: "3", From: closed},
		},
		Unrecorded: 1,
		Version:    version,
	}
}

func write(t testing.TB, db *clickhouse.DB, records ...ticket.Record) {
	t.Helper()
	if err := db.WriteTickets(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

// count is the number of tickets as every reader sees it.
func count(t testing.TB, db *clickhouse.DB) uint64 {
	t.Helper()
	return scan[uint64](t, db, "SELECT count() FROM "+db.Table("tickets")+" FINAL")
}

// scan reads one value.
func scan[T any](t testing.TB, db *clickhouse.DB, query string, args ...any) T {
	t.Helper()
	var v T
	if err := db.Conn().QueryRow(context.Background(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// rowsOf reads whole rows as JSON objects, as the server writes them.
func rowsOf(t testing.TB, db *clickhouse.DB, table string) []map[string]any {
	t.Helper()
	lines := scan[[]string](t, db, fmt.Sprintf(
		"SELECT groupArray(formatRowNoNewline('JSONEachRow', *)) FROM (SELECT * FROM %s FINAL ORDER BY ALL) SETTINGS output_format_json_quote_64bit_integers = 1", db.Table(table)))
	rows := make([]map[string]any, len(lines))
	for i, l := range lines {
		if err := json.Unmarshal([]byte(l), &rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}
