package clickhouse_test

import (
	"slices"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

const (
	statusOpen = "1"
	statusDone = "6"
)

// kept are the ids of the stored tickets, as a reader sees them.
func kept(t *testing.T, db *clickhouse.DB) []string {
	t.Helper()
	return scan[[]string](t, db, "SELECT arraySort(groupArray(ticket_id)) FROM "+db.Table("tickets")+" FINAL")
}

// aging writes tickets of all ages. The time is that of the last prune.
func aging(t *testing.T, db *clickhouse.DB, before time.Time) {
	t.Helper()
	if err := db.WriteTerms(t.Context(), []ticket.Term{
		{Source: "snow", Field: ticket.FieldStatus, ID: statusOpen, Name: "New", Value: string(ticket.CategoryTodo)},
		{Source: "snow", Field: ticket.FieldStatus, ID: statusDone, Name: "Closed", Value: string(ticket.CategoryDone)},
	}); err != nil {
		t.Fatal(err)
	}
	hours := func(n int) time.Time { return before.Add(time.Duration(n) * time.Hour) }
	version := uint64(1)
	write := func(id string, from time.Time, done time.Time, change func(*ticket.Ticket)) {
		t.Helper()
		for _, closed := range []bool{false, true} { // as it was, and as it is
			one := ticket.Ticket{Source: "snow", ID: id, Key: "INC" + id, Created: from, Updated: from, Status: statusOpen, Group: "g1", Assignee: "bob", Areas: []string{"area of " + id}, HistoryComplete: true,
				Changes: []ticket.Change{
					{At: from, Seq: 1, Field: ticket.FieldAssignee, To: "ann"},
					{At: from.Add(time.Minute), Seq: 2, Field: ticket.FieldAssignee, From: "ann", To: "bob"},
				}}
			if closed && !done.IsZero() {
				one.Status, one.Updated = statusDone, done
				one.Changes = append(one.Changes, ticket.Change{At: done, Seq: 3, Field: ticket.FieldStatus, From: statusOpen, To: statusDone})
			}
			if change != nil {
				change(&one)
			}
			r := timeline.Derive(one)
			r.Version = version
			version++
			if err := db.WriteTickets(t.Context(), []ticket.Record{r}); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("old", hours(-100), hours(-50), nil)
	write("just-old", hours(-100), before.Add(-time.Millisecond), nil)
	write("just-kept", hours(-100), before, nil)
	write("kept-open", hours(-1000), time.Time{}, nil)
	write("kept-spoken-of", hours(-100), hours(-50), func(t *ticket.Ticket) {
		t.Contributions = []ticket.Contribution{{At: hours(10), Actor: "ann", Act: ticket.ActComment}}
	})
	write("old-gone", hours(-100), time.Time{}, func(t *ticket.Ticket) { t.Deleted = hours(-20) })
	write("kept-gone-lately", hours(-100), time.Time{}, func(t *ticket.Ticket) { t.Deleted = hours(20) })
	write("kept-edited", hours(-100), hours(-50), nil)
}

// TestPrune: what is done, or gone, and of which nothing has been heard since goes
// with all its versions; all else stays, and so does what figures of today need.
func TestPrune(t *testing.T) {
	db := clickhousetest.New(t)
	before := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	aging(t, db, before)
	edited := ticket.Record{Ticket: ticket.Ticket{Source: "snow", ID: "kept-edited", Created: before.Add(-100 * time.Hour), Updated: before.Add(time.Hour), Status: statusOpen, HistoryComplete: true,
		Changes: []ticket.Change{{At: before.Add(time.Hour), Seq: 1, Field: ticket.FieldStatus, From: statusDone, To: statusOpen}}}, Version: 1000}
	if err := db.WriteTickets(t.Context(), []ticket.Record{edited}); err != nil {
		t.Fatal(err)
	}
	if at, err := db.Horizon(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("the horizon is %s, %v before anything is deleted", at, err)
	}
	if n, err := db.Aged(t.Context(), before); err != nil || n != 3 {
		t.Errorf("%d tickets are too old, %v", n, err)
	}
	if n := len(kept(t, db)); n != 8 {
		t.Fatalf("%d tickets from the beginning", n)
	}
	n, err := db.Prune(t.Context(), before)
	if err != nil || n != 3 {
		t.Errorf("%d tickets were deleted, %v", n, err)
	}
	want := []string{"just-kept", "kept-edited", "kept-gone-lately", "kept-open", "kept-spoken-of"}
	if got := kept(t, db); !slices.Equal(got, want) {
		t.Errorf("kept are %q, want %q", got, want)
	}
	if rows := scan[uint64](t, db, "SELECT countIf(ticket_id IN ('old', 'just-old', 'old-gone')) FROM "+db.Table("tickets")); rows != 0 {
		t.Errorf("%d versions of what was deleted are left", rows)
	}
	if at, err := db.Horizon(t.Context()); err != nil || !at.Equal(before) {
		t.Errorf("the horizon is %s, %v", at, err)
	}
	if areas, err := db.OldAreas(t.Context()); err != nil || len(areas) != 3 || !areas[[2]string{"snow", "area of old"}] {
		t.Errorf("old areas are %v, %v", areas, err)
	}
	handovers := func() uint64 {
		t.Helper()
		return scan[uint64](t, db, "SELECT sum(handovers) FROM "+db.Table("old_handovers")+" FINAL WHERE `group` = 'g1'")
	}
	if n := handovers(); n != 3 {
		t.Errorf("%d handovers are kept, want 3", n)
	}
	for _, again := range []time.Time{before, before.Add(-1000 * time.Hour)} {
		if n, err := db.Prune(t.Context(), again); err != nil || n != 0 {
			t.Errorf("again %d were deleted, %v", n, err)
		}
	}
	if at, err := db.Horizon(t.Context()); err != nil || !at.Equal(before) || handovers() != 3 {
		t.Errorf("deleting nothing has changed the horizon to %s, %v, or handovers to %d", at, err, handovers())
	}
	later := before.Add(24 * time.Hour)
	if n, err := db.Prune(t.Context(), later); err != nil || n != 3 {
		t.Errorf("a day later %d were deleted, %v", n, err)
	}
	if got, want := kept(t, db), []string{"kept-edited", "kept-open"}; !slices.Equal(got, want) || handovers() != 6 {
		t.Errorf("kept are %q, want %q; %d handovers", got, want, handovers())
	}
}

// TestPruneIsEnded: what a prune that died has noted is deleted by the next, but
// not what was collected since.
func TestPruneIsEnded(t *testing.T) {
	for died := range 3 {
		db := clickhousetest.New(t)
		before := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
		aging(t, db, before)
		exec := func(sql string) {
			t.Helper()
			if err := db.Conn().Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		exec("INSERT INTO " + db.Table("pruning") + " (source, ticket_id, number, latest, areas, handed, version) SELECT source, ticket_id, version, version % 2 = 0, areas, ['g1'], 7 FROM " + db.Table("tickets") + " WHERE ticket_id IN ('old', 'kept-edited')")
		if died > 0 { // after the older versions went
			exec("ALTER TABLE " + db.Table("tickets") + " DELETE WHERE ticket_id IN ('old', 'kept-edited') AND version % 2 = 1 SETTINGS mutations_sync = 2")
		}
		if died > 1 { // and after the handovers were kept
			exec("INSERT INTO " + db.Table("old_handovers") + " (source, `group`, run, handovers, version) SELECT 'snow', 'g1', 7, 2, 1")
		}
		edited := ticket.Record{Ticket: ticket.Ticket{Source: "snow", ID: "kept-edited", Created: before, Updated: before.Add(time.Hour), Status: statusOpen, HistoryComplete: true}, Version: 1000}
		if err := db.WriteTickets(t.Context(), []ticket.Record{edited}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Prune(t.Context(), before.Add(-10_000*time.Hour)); err != nil {
			t.Fatal(err)
		}
		want := []string{"just-kept", "just-old", "kept-edited", "kept-gone-lately", "kept-open", "kept-spoken-of", "old-gone"}
		if got := kept(t, db); !slices.Equal(got, want) {
			t.Errorf("died %d: kept are %q, want %q", died, got, want)
		}
		if status := scan[string](t, db, "SELECT groupConcat(status) FROM "+db.Table("tickets")+" WHERE ticket_id = 'kept-edited'"); status != statusOpen {
			t.Errorf("died %d: what was collected meanwhile has the statuses %q", died, status)
		}
		if n := scan[uint64](t, db, "SELECT sum(handovers) FROM "+db.Table("old_handovers")+" FINAL"); n != 2 {
			t.Errorf("died %d: %d handovers are kept, want 2", died, n)
		}
		if n := scan[uint64](t, db, "SELECT count() FROM "+db.Table("pruning")); n != 0 {
			t.Errorf("died %d: %d notes are left", died, n)
		}
	}
}

func TestPruneReports(t *testing.T) {
	db := clickhousetest.New(t)
	at := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	for i, id := range []string{"first", "second"} {
		if err := db.SaveReport(t.Context(), clickhouse.StoredReport{ID: id, Quarter: "2024Q4", Made: at.AddDate(0, i, 0), Document: "{}"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, dry := range []bool{true, false} {
		if n, err := db.PruneReports(t.Context(), at.AddDate(0, 0, 1), dry); err != nil || n != 1 {
			t.Errorf("dry %v: %d, %v", dry, n, err)
		}
	}
	if list, err := db.Reports(t.Context()); err != nil || len(list) != 1 || list[0].ID != "second" {
		t.Errorf("left are %+v, %v", list, err)
	}
}
