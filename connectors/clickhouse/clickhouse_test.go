package clickhouse_test

import (
	"context"
	"testing"
	"time"

	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

func day(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.000", s)
	if err != nil {
		panic(err)
	}
	return t
}

// record is a small whole ticket that was handed over once.
func record(id string, version uint64) ticket.Record {
	effort := 3.5
	created, handed, closed := day("2024-03-01 08:00:00.000"), day("2024-03-01 09:30:00.250"), day("2024-03-02 17:00:00.001")
	return ticket.Record{
		Ticket: ticket.Ticket{
			Source: "jira", ID: id, Key: "OPS-" + id, Created: created, Updated: closed,
			Assignee: "bob", Status: "3", Group: "ops", Kind: "bug", Priority: "2", Project: "ops", Parent: "77",
			Areas: []string{"net", "vpn"}, Effort: &effort,
			Changes: []ticket.Change{
				{At: handed, Seq: 1, Field: ticket.FieldAssignee, From: "ann", To: "bob", Actor: "ann"},
				{At: closed, Seq: 2, Field: ticket.FieldStatus, From: "1", To: "3", Actor: "bob"},
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

func TestWriteTicketsOnce(t *testing.T) {
	ctx := context.Background()
	db := clickhousetest.New(t)
	if err := db.WriteTickets(ctx, []ticket.Record{record("1", 1), record("2", 1)}); err != nil {
		t.Fatal(err)
	}
	var n uint64
	if err := db.Conn().QueryRow(ctx, "SELECT count() FROM "+db.Table("tickets")+" FINAL").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != 2 {
		t.Errorf("%d tickets are stored, want 2", n)
	}
	got, err := db.StoredUpdates(ctx, "jira", []string{"1", "3"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || !got["1"].Equal(day("2024-03-02 17:00:00.001")) {
		t.Errorf("stored updates are %v", got)
	}
}
