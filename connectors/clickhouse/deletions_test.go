package clickhouse_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func missing(t testing.TB, db *clickhouse.DB, sweep uint64) []string {
	t.Helper()
	ids, err := db.MissingIDs(t.Context(), "jira", sweep, "", 1000)
	must(t, err)
	return ids
}

// TestDeletedTicketIsMarkedAndKept: the mark is a copy of what was stored.
func TestDeletedTicketIsMarkedAndKept(t *testing.T) {
	db := clickhousetest.New(t)
	write(t, db, record("1", 10), record("2", 11))
	before := rowsOf(t, db, "tickets")
	must(t, db.NoteListed(t.Context(), "jira", 20, []string{"1", "3"})) // 3 is one that was never stored
	listing, err := db.CompareListed(t.Context(), "jira", 20)
	must(t, err)
	if want := (clickhouse.Listing{Stored: 2, Missing: 1, Unknown: 1}); listing != want {
		t.Errorf("the listing is %+v, want %+v", listing, want)
	}
	if got := missing(t, db, 20); !slices.Equal(got, []string{"2"}) {
		t.Fatalf("missing are %v", got)
	}
	must(t, db.MarkDeleted(t.Context(), "jira", []string{"2"}, 20, at("2024-05-01 00:00:00.000")))
	after := rowsOf(t, db, "tickets")
	before[1]["deleted"], before[1]["version"] = "2024-05-01 00:00:00.000", "20"
	if !reflect.DeepEqual(after, before) {
		t.Errorf("stored are\n%v\nwant\n%v", after, before)
	}
	if tally, err := db.Tally(t.Context(), "jira"); err != nil || tally != (clickhouse.Tally{Tickets: 2, Deleted: 1}) {
		t.Errorf("the tally is %+v, %v", tally, err)
	}

	// The next sweep, which lists neither, keeps the time of the first.
	must(t, db.MarkDeleted(t.Context(), "jira", []string{"2"}, 30, at("2024-06-01 00:00:00.000")))
	if got := rowsOf(t, db, "tickets"); !reflect.DeepEqual(got, before) {
		t.Errorf("a second mark made of it\n%v", got)
	}
	if got := missing(t, db, 30); !slices.Equal(got, []string{"1"}) {
		t.Errorf("then missing are %v", got)
	}
}

// TestWhatWasAskedForLaterWins over a mark, written before or after it.
func TestWhatWasAskedForLaterWins(t *testing.T) {
	for _, late := range []bool{false, true} {
		db := clickhousetest.New(t)
		write(t, db, record("1", 10))
		if !late {
			write(t, db, record("1", 21))
		}
		must(t, db.MarkDeleted(t.Context(), "jira", []string{"1"}, 20, at("2024-05-01 00:00:00.000")))
		if late {
			write(t, db, record("1", 21))
		}
		row := rowsOf(t, db, "tickets")[0]
		if row["deleted"] != nil || row["version"] != "21" {
			t.Errorf("late %v: it is %v, version %v", late, row["deleted"], row["version"])
		}
		if got := missing(t, db, 20); len(got) != 0 {
			t.Errorf("late %v: missing are %v", late, got)
		}
	}
}

func TestDeletionIsNeverBeforeTheLastUpdate(t *testing.T) {
	db := clickhousetest.New(t)
	write(t, db, record("1", 10))
	must(t, db.MarkDeleted(t.Context(), "jira", []string{"1"}, 20, at("2024-01-01 00:00:00.000")))
	if row := rowsOf(t, db, "tickets")[0]; row["deleted"] != row["updated"] {
		t.Errorf("updated at %v, deleted at %v", row["updated"], row["deleted"])
	}
	if err := db.MarkDeleted(t.Context(), "jira", []string{"1"}, 30, time.Time{}); err == nil {
		t.Error("no time is taken for one")
	}
}

// TestSourcesAreSweptApart, though their ids are the same.
func TestSourcesAreSweptApart(t *testing.T) {
	db := clickhousetest.New(t)
	other := record("1", 10)
	other.Source = "another"
	write(t, db, record("1", 10), other)
	must(t, db.NoteListed(t.Context(), "another", 20, []string{"1"}))
	if got := missing(t, db, 20); !slices.Equal(got, []string{"1"}) {
		t.Errorf("missing are %v", got)
	}
	must(t, db.MarkDeleted(t.Context(), "jira", []string{"1"}, 20, at("2024-05-01 00:00:00.000")))
	if tally, err := db.Tally(t.Context(), "another"); err != nil || tally != (clickhouse.Tally{Tickets: 1}) {
		t.Errorf("the other's tally is %+v, %v", tally, err)
	}
}

// TestSweepsAreAsSets compares random stores and lists with what sets say, a few
// ids at a time.
func TestSweepsAreAsSets(t *testing.T) { sweepsAreAsSets(t, 25) }

func sweepsAreAsSets(t *testing.T, n int) {
	clickhousetest.Cases(t, n)
	db := clickhousetest.New(t)
	sweep := uint64(1000)
	rapid.Check(t, func(rt *rapid.T) {
		sweep += 1000
		for _, table := range []string{"tickets", "listed"} {
			must(t, db.Conn().Exec(t.Context(), "TRUNCATE TABLE "+db.Table(table)))
		}
		pick := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 12)
		var wantMissing, wantBack []string
		var seen []string
		var records []ticket.Record
		for i, fate := range pick.Draw(rt, "fate of each") {
			id := fmt.Sprint(10 + i)
			r := record(id, sweep-10)
			if fate&1 != 0 {
				r.Deleted = at("2024-05-01 00:00:00.000")
			}
			records = append(records, r)
			switch {
			case fate&2 != 0:
				seen = append(seen, id, id) // a list may say it twice
				if fate&1 != 0 {
					wantBack = append(wantBack, id)
				}
			case fate&1 == 0:
				wantMissing = append(wantMissing, id)
			}
		}
		write(t, db, records...)
		must(t, db.NoteListed(t.Context(), "jira", sweep-500, []string{"10", "11", "12"})) // of an earlier sweep
		must(t, db.NoteListed(t.Context(), "jira", sweep, append(seen, "900", "901")))     // two that were never stored

		limit := rapid.IntRange(1, 5).Draw(rt, "at a time")
		all := func(read func(after string) ([]string, error)) []string {
			var ids []string
			after := ""
			for {
				some, err := read(after)
				must(t, err)
				if len(some) == 0 {
					return ids
				}
				ids, after = append(ids, some...), some[len(some)-1]
			}
		}
		got := all(func(after string) ([]string, error) { return db.MissingIDs(t.Context(), "jira", sweep, after, limit) })
		if !slices.Equal(got, wantMissing) {
			rt.Errorf("missing are %v, want %v", got, wantMissing)
		}
		got = all(func(after string) ([]string, error) { return db.ReturnedIDs(t.Context(), "jira", sweep, after, limit) })
		if !slices.Equal(got, wantBack) {
			rt.Errorf("back are %v, want %v", got, wantBack)
		}
		listing, err := db.CompareListed(t.Context(), "jira", sweep)
		must(t, err)
		if listing.Unknown != 2 || listing.Missing != uint64(len(wantMissing)) || listing.Back != uint64(len(wantBack)) {
			rt.Errorf("counted %+v, want 2 unknown, %d missing and %d back", listing, len(wantMissing), len(wantBack))
		}
	})
}

func TestTallyCountsWhatIsStored(t *testing.T) {
	db := clickhousetest.New(t)
	short := record("2", 11)
	short.HistoryComplete = false
	write(t, db, record("1", 10), short, record("3", 12))
	if tally, err := db.Tally(t.Context(), "jira"); err != nil || tally != (clickhouse.Tally{Tickets: 3, Incomplete: 1}) {
		t.Errorf("the tally is %+v, %v", tally, err)
	}
	write(t, db, record("2", 13)) // it was collected again, whole
	if tally, err := db.Tally(t.Context(), "jira"); err != nil || tally != (clickhouse.Tally{Tickets: 3}) {
		t.Errorf("then the tally is %+v, %v", tally, err)
	}
}

// BenchmarkSweep compares a million stored tickets with as many listed ids. The
// engine's peak of memory is in its own log of queries.
func BenchmarkSweep(b *testing.B) {
	const tickets = 1_000_000
	db := clickhousetest.New(b)
	must(b, db.Conn().Exec(b.Context(), fmt.Sprintf("INSERT INTO %s (source, ticket_id, created, updated, status, version) SELECT 'jira', toString(10000 + number), now(), now(), '1', 10 FROM numbers(%d)", db.Table("tickets"), tickets)))
	must(b, db.Conn().Exec(b.Context(), fmt.Sprintf("INSERT INTO %s (source, ticket_id, sweep) SELECT 'jira', toString(10000 + number), 20 FROM numbers(%d) WHERE number %% 100 != 7", db.Table("listed"), tickets)))
	for b.Loop() {
		listing, err := db.CompareListed(b.Context(), "jira", 20)
		must(b, err)
		if listing.Missing != tickets/100 {
			b.Fatalf("%+v", listing)
		}
	}
	b.ReportMetric(tickets*float64(b.N)/b.Elapsed().Seconds(), "tickets/s")
}
