package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
)

func TestTicketIsStoredWhole(t *testing.T) {
	db := clickhousetest.New(t)
	write(t, db, record("1", 42))
	ann, bob := clickhousetest.Surrogate("jira", "ann"), clickhousetest.Surrogate("jira", "bob")
	id := func(n uint64) string { return strconv.FormatUint(n, 10) }
	want := []map[string]any{{
		"source": "jira", "ticket_id": "1", "key": "OPS-1",
		"created": "2024-03-01 08:00:00.000", "updated": "2024-03-02 17:00:00.001",
		"assignee": id(bob), "status": "3", "group": "ops", "kind": "bug", "priority": "2", "project": "ops", "parent": "77",
		"areas": []any{"net", "vpn"}, "effort": 3.5, "marks": []any{"on_call", "unplanned"},
		"history_complete": true, "incomplete_reason": "", "unrecorded": 1.0, "deleted": nil, "version": "42",
		"changes.at":          []any{"2024-03-01 09:30:00.250", "2024-03-02 17:00:00.001", "2024-03-02 17:00:00.001"},
		"changes.seq":         []any{1.0, 2.0, 2.0},
		"changes.field":       []any{"assignee", "status", "assignee"},
		"changes.from":        []any{id(ann), "1", id(bob)},
		"changes.to":          []any{id(bob), "3", ""},
		"changes.actor":       []any{id(ann), id(bob), id(bob)},
		"contributions.at":    []any{"2024-03-01 09:30:00.250"},
		"contributions.actor": []any{id(ann)},
		"contributions.act":   []any{"comment"},
		"assignments.actor":   []any{id(ann), id(bob)},
		"assignments.group":   []any{"ops", "ops"},
		"assignments.from":    []any{"2024-03-01 08:00:00.000", "2024-03-01 09:30:00.250"},
		"assignments.to":      []any{"2024-03-01 09:30:00.250", nil},
		"spells.field":        []any{"status", "status"},
		"spells.value":        []any{"1", "3"},
		"spells.from":         []any{"2024-03-01 08:00:00.000", "2024-03-02 17:00:00.001"},
		"spells.to":           []any{"2024-03-02 17:00:00.001", nil},
	}}
	got := rowsOf(t, db, "tickets")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("stored\n%v\nwant\n%v", got, want)
	}
	for _, account := range []string{`"ann"`, `"bob"`} {
		if strings.Contains(fmt.Sprintf("%q", got), account) {
			t.Errorf("the account %s is in tickets", account)
		}
	}
}

// TestBareTicket: nothing is filled in where the source said nothing.
func TestBareTicket(t *testing.T) {
	db := clickhousetest.New(t)
	created := at("2024-03-01 08:00:00.000")
	write(t, db, ticket.Record{
		Ticket:  ticket.Ticket{Source: "s", ID: "1", Created: created, Updated: created, Status: "1", IncompleteReason: "audit refused", Deleted: at("2024-04-01 00:00:00.000")},
		Version: 1,
	})
	row := rowsOf(t, db, "tickets")[0]
	for column, want := range map[string]any{
		"assignee": "0", "effort": nil, "history_complete": false, "incomplete_reason": "audit refused", "deleted": "2024-04-01 00:00:00.000",
		"areas": []any{}, "changes.at": []any{}, "contributions.actor": []any{}, "assignments.to": []any{}, "spells.value": []any{},
	} {
		if !reflect.DeepEqual(row[column], want) {
			t.Errorf("%s is %#v, want %#v", column, row[column], want)
		}
	}
}

func TestWritingTwiceChangesNothing(t *testing.T) {
	db := clickhousetest.New(t)
	page := []ticket.Record{record("1", 1), record("2", 1), record("3", 1)}
	write(t, db, page...)
	before := rowsOf(t, db, "tickets")
	write(t, db, page...)
	write(t, db, page[1:]...)
	if after := rowsOf(t, db, "tickets"); !reflect.DeepEqual(before, after) {
		t.Errorf("writing again gave\n%v\nwant\n%v", after, before)
	}
}

// TestGreatestVersionWins, in whatever order they come, also within one batch,
// and before and after a merge.
func TestGreatestVersionWins(t *testing.T) {
	db := clickhousetest.New(t)
	version := func(v uint64, status string) ticket.Record {
		r := record("1", v)
		r.Status = status
		return r
	}
	write(t, db, version(5, "five"))
	write(t, db, version(3, "three"))
	write(t, db, version(7, "seven"), version(6, "six"))
	for _, merge := range []bool{false, true} {
		if merge {
			if err := db.Conn().Exec(t.Context(), "OPTIMIZE TABLE "+db.Table("tickets")+" FINAL"); err != nil {
				t.Fatal(err)
			}
		}
		if got := scan[string](t, db, "SELECT status FROM "+db.Table("tickets")+" FINAL"); got != "seven" {
			t.Errorf("merged %v: the status is %s, want seven", merge, got)
		}
	}
}

// TestCorrectedHistoryLeavesNothing: arrays are replaced whole.
func TestCorrectedHistoryLeavesNothing(t *testing.T) {
	db := clickhousetest.New(t)
	write(t, db, record("1", 1))
	corrected := record("1", 2)
	corrected.Changes = corrected.Changes[:1]
	corrected.Assignments = corrected.Assignments[1:]
	corrected.Contributions = nil
	write(t, db, corrected)
	got := scan[[]uint64](t, db, "SELECT [length(`changes.at`), length(`assignments.from`), length(`contributions.at`), length(`spells.from`)] FROM "+db.Table("tickets")+" FINAL")
	if want := []uint64{1, 1, 0, 2}; !reflect.DeepEqual(got, want) {
		t.Errorf("lengths are %v, want %v", got, want)
	}
}

func TestPageOfFortyYears(t *testing.T) {
	db := clickhousetest.New(t)
	var page []ticket.Record
	for month := range 480 {
		r := record(strconv.Itoa(month), 1)
		r.Created = time.Date(1985, time.Month(1+month), 1, 0, 0, 0, 0, time.UTC)
		page = append(page, r)
	}
	write(t, db, page...)
	if n := count(t, db); n != 480 {
		t.Errorf("%d tickets are stored, want 480", n)
	}
	if n := scan[uint64](t, db, "SELECT uniqExact(created) FROM "+db.Table("tickets")+" FINAL"); n != 480 {
		t.Errorf("%d creation times are stored, want 480", n)
	}
}

func TestCorrectedCreationStaysOneTicket(t *testing.T) {
	db := clickhousetest.New(t)
	write(t, db, record("1", 1))
	corrected := record("1", 2)
	corrected.Created = at("1987-06-05 04:03:02.001")
	write(t, db, corrected)
	if n := count(t, db); n != 1 {
		t.Errorf("%d tickets are stored, want 1", n)
	}
	if got := scan[time.Time](t, db, "SELECT created FROM "+db.Table("tickets")+" FINAL"); !got.Equal(corrected.Created) {
		t.Errorf("created is %s", got)
	}
}

// TestTimesAreKept: to the millisecond, whatever their zone, before 1970 too.
func TestTimesAreKept(t *testing.T) {
	db := clickhousetest.New(t)
	zone := time.FixedZone("", -5*3600)
	for name, c := range map[string]struct{ give, want time.Time }{
		"a zone":              {time.Date(2024, 3, 1, 23, 0, 0, 0, zone), at("2024-03-02 04:00:00.000")},
		"below a millisecond": {time.Date(2024, 3, 1, 0, 0, 0, 1_999_999, time.UTC), at("2024-03-01 00:00:00.001")},
		"1970":                {time.Unix(0, 0), at("1970-01-01 00:00:00.000")},
		"before 1970":         {time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC), at("1969-12-31 23:59:59.999")},
		"the earliest":        {at("1900-01-01 00:00:00.000"), at("1900-01-01 00:00:00.000")},
		"the latest":          {at("2262-04-11 23:47:15.999"), at("2262-04-11 23:47:15.999")},
	} {
		t.Run(name, func(t *testing.T) {
			r := record(name, 1)
			r.Created, r.Deleted, r.Changes[0].At, r.Assignments[0].To = c.give, c.give, c.give, c.give
			write(t, db, r)
			var created, changed time.Time
			var deleted, to *time.Time
			err := db.Conn().QueryRow(t.Context(), "SELECT created, deleted, `changes.at`[1], `assignments.to`[1] FROM "+db.Table("tickets")+" FINAL WHERE ticket_id = $1", name).
				Scan(&created, &deleted, &changed, &to)
			if err != nil {
				t.Fatal(err)
			}
			for what, got := range map[string]time.Time{"created": created, "deleted": *deleted, "change": changed, "end": *to} {
				if !got.Equal(c.want) || got.Location() != time.UTC {
					t.Errorf("%s is %s, want %s", what, got, c.want)
				}
			}
		})
	}
}

// TestUnstorableTicketsAreRefused: nothing of the batch is written, and the error
// names the ticket.
func TestUnstorableTicketsAreRefused(t *testing.T) {
	db := clickhousetest.New(t)
	tooEarly, tooLate := time.Date(1899, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2299, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, spoil := range map[string]func(*ticket.Record){
		"no status":             func(r *ticket.Record) { r.Status = "" },
		"no version":            func(r *ticket.Record) { r.Version = 0 },
		"no creation":           func(r *ticket.Record) { r.Created = time.Time{} },
		"no update":             func(r *ticket.Record) { r.Updated = time.Time{} },
		"created too early":     func(r *ticket.Record) { r.Created = tooEarly },
		"updated too late":      func(r *ticket.Record) { r.Updated = tooLate },
		"deleted too late":      func(r *ticket.Record) { r.Deleted = tooLate },
		"change without time":   func(r *ticket.Record) { r.Changes[1].At = time.Time{} },
		"change too early":      func(r *ticket.Record) { r.Changes[1].At = tooEarly },
		"act without time":      func(r *ticket.Record) { r.Contributions[0].At = time.Time{} },
		"assignment no start":   func(r *ticket.Record) { r.Assignments[1].From = time.Time{} },
		"assignment ends late":  func(r *ticket.Record) { r.Assignments[0].To = tooLate },
		"spell without start":   func(r *ticket.Record) { r.Spells[0].From = time.Time{} },
		"spell ends too early":  func(r *ticket.Record) { r.Spells[0].To = tooEarly },
		"update far in future":  func(r *ticket.Record) { r.Updated = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"nanoseconds overflown": func(r *ticket.Record) { r.Updated = time.Date(2262, 4, 11, 23, 47, 16, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			bad := record("bad-one", 1)
			spoil(&bad)
			err := db.WriteTickets(t.Context(), []ticket.Record{record("good", 1), bad})
			var unstorable *clickhouse.TicketError
			if !errors.As(err, &unstorable) || unstorable.Source != "jira" || unstorable.ID != "bad-one" {
				t.Fatalf("it gives %v", err)
			}
			if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "jira/bad-one") {
				t.Errorf("the message is %q", err)
			}
			if n := count(t, db); n != 0 {
				t.Errorf("%d tickets of the batch were written", n)
			}
		})
	}
	nameless := record("", 1)
	var unstorable *clickhouse.TicketError
	if err := db.WriteTickets(t.Context(), []ticket.Record{nameless}); !errors.As(err, &unstorable) {
		t.Errorf("a ticket without an id gives %v", err)
	}
}

func TestSurrogateZeroIsRefused(t *testing.T) {
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{
		Engine:    clickhousetest.Engine(t),
		Surrogate: func(string, string) uint64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.WriteTickets(t.Context(), []ticket.Record{record("1", 1)}); err == nil || !strings.Contains(err.Error(), "surrogate 0") {
		t.Errorf("it gives %v", err)
	}
	if err := db.WriteAccounts(t.Context(), []ticket.Account{{Source: "s", ID: "a"}}); err == nil || !strings.Contains(err.Error(), "surrogate 0") {
		t.Errorf("it gives %v", err)
	}
}

func TestFailedWriteIsAnError(t *testing.T) {
	db := clickhousetest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.WriteTickets(ctx, []ticket.Record{record("1", 1)}); err == nil {
		t.Error("a cancelled write is no error")
	}
	if n := count(t, db); n != 0 {
		t.Errorf("a cancelled write stored %d tickets", n)
	}
	if err := db.Conn().Exec(t.Context(), "DROP TABLE "+db.Table("tickets")+" SYNC"); err != nil {
		t.Fatal(err)
	}
	if err := db.WriteTickets(t.Context(), []ticket.Record{record("1", 1)}); !errors.Is(err, clickhouse.ErrNotMigrated) {
		t.Errorf("a write without a table gives %v", err)
	}
	if err := db.WriteTickets(t.Context(), nil); err != nil {
		t.Errorf("an empty page gives %v", err)
	}
}

// TestPageIsOnePart: an insert of one block is atomic.
func TestPageIsOnePart(t *testing.T) {
	db := clickhousetest.New(t)
	if err := db.Conn().Exec(t.Context(), "SYSTEM STOP MERGES "+db.Table("tickets")); err != nil {
		t.Fatal(err)
	}
	page := make([]ticket.Record, 5000)
	for i := range page {
		page[i] = record(strconv.Itoa(i), 1)
	}
	write(t, db, page...)
	if n := scan[uint64](t, db, "SELECT count() FROM system.parts WHERE database = $1 AND table = 'tickets' AND active", db.Database()); n != 1 {
		t.Errorf("a page of 5,000 tickets made %d parts", n)
	}
}

func TestStoredUpdates(t *testing.T) {
	db := clickhousetest.New(t)
	odd := `it's "odd" \ and \'long\'` + strings.Repeat("x", 1000)
	older, other := record("1", 1), record("1", 1)
	older.Updated = at("2024-01-01 00:00:00.000")
	other.Source = "servicenow"
	latest := record("1", 2)
	quoted := record(odd, 1)
	deleted := record("gone", 1)
	deleted.Deleted = at("2024-06-01 00:00:00.000")
	write(t, db, latest, other, quoted, deleted)
	write(t, db, older)
	ids := []string{"1", odd, "gone"}
	for i := range 20_000 { // far beyond what a query's text may hold
		ids = append(ids, "unknown-"+strconv.Itoa(i))
	}
	got, err := db.StoredUpdates(t.Context(), "jira", ids)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]time.Time{"1": latest.Updated, odd: quoted.Updated, "gone": deleted.Updated}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("stored updates are %v, want %v", got, want)
	}
	if got, err := db.StoredUpdates(t.Context(), "jira", nil); err != nil || len(got) != 0 {
		t.Errorf("of no ids there are %v, %v", got, err)
	}
}

func TestMaxVersion(t *testing.T) {
	db := clickhousetest.New(t)
	if v, err := db.MaxVersion(t.Context(), "jira"); err != nil || v != 0 {
		t.Errorf("of nothing it is %d, %v", v, err)
	}
	other := record("9", 1000)
	other.Source = "servicenow"
	write(t, db, record("1", 7), record("2", math.MaxUint64-1), record("3", 9), other)
	if v, err := db.MaxVersion(t.Context(), "jira"); err != nil || v != math.MaxUint64-1 {
		t.Errorf("it is %d, %v", v, err)
	}
}

// TestQueriesCarryTheirPurpose in log_comment, our own and those of Comment.
func TestQueriesCarryTheirPurpose(t *testing.T) {
	db := clickhousetest.New(t)
	const own = "SELECT getSetting('log_comment')"
	if got := scan[string](t, db, own); got != "fairlead" {
		t.Errorf("without a purpose it is %q", got)
	}
	var got string
	if err := db.Conn().QueryRow(clickhouse.Comment(t.Context(), "load"), own).Scan(&got); err != nil || got != "fairlead: load" {
		t.Errorf("with a purpose it is %q, %v", got, err)
	}
}

// TestAnyTicketIsReadAsWritten for whatever a source may send.
func TestAnyTicketIsReadAsWritten(t *testing.T) {
	db := clickhousetest.New(t)
	n := 0
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(at("1900-01-01 00:00:00.000").UnixMilli(), at("2262-04-11 23:47:15.999").UnixMilli()).Draw(t, "moment")).UTC()
	})
	orOpen := func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "open") {
			return time.Time{}
		}
		return moment.Draw(t, "end")
	}
	rapid.Check(t, func(rt *rapid.T) {
		n++
		text := rapid.String()
		r := ticket.Record{Version: rapid.Uint64Min(1).Draw(rt, "version"), Unrecorded: rapid.Uint32().Draw(rt, "unrecorded")}
		r.Source, r.ID, r.Status = "any", fmt.Sprintf("%d %s", n, text.Draw(rt, "id")), "s"+text.Draw(rt, "status")
		r.Group, r.Parent, r.Created, r.Updated = text.Draw(rt, "group"), text.Draw(rt, "parent"), moment.Draw(rt, "created"), moment.Draw(rt, "updated")
		r.Areas = rapid.SliceOf(text).Draw(rt, "areas")
		for range rapid.IntRange(0, 5).Draw(rt, "assignments") {
			r.Assignments = append(r.Assignments, ticket.Assignment{Actor: text.Draw(rt, "actor"), Group: text.Draw(rt, "group"), From: moment.Draw(rt, "from"), To: orOpen(rt)})
		}
		for range rapid.IntRange(0, 5).Draw(rt, "changes") {
			r.Changes = append(r.Changes, ticket.Change{At: moment.Draw(rt, "at"), Field: ticket.FieldGroup, From: text.Draw(rt, "from"), To: text.Draw(rt, "to")})
		}
		if err := db.WriteTickets(context.Background(), []ticket.Record{r}); err != nil {
			rt.Fatal(err)
		}
		var (
			got                        ticket.Record
			actors, wantActors         []uint64
			froms, ats                 []time.Time
			tos                        []*time.Time
			groups, changeFrom, change []string
		)
		err := db.Conn().QueryRow(context.Background(), "SELECT status, `group`, parent, created, updated, areas, unrecorded, version, `assignments.actor`, `assignments.group`, `assignments.from`, `assignments.to`, `changes.at`, `changes.from`, `changes.to` FROM "+
			db.Table("tickets")+" FINAL WHERE source = 'any' AND ticket_id = $1", r.ID).
			Scan(&got.Status, &got.Group, &got.Parent, &got.Created, &got.Updated, &got.Areas, &got.Unrecorded, &got.Version, &actors, &groups, &froms, &tos, &ats, &changeFrom, &change)
		if err != nil {
			rt.Fatal(err)
		}
		got.Source, got.ID = r.Source, r.ID
		for i := range froms {
			a := ticket.Assignment{Actor: r.Assignments[i].Actor, Group: groups[i], From: froms[i]}
			if tos[i] != nil {
				a.To = *tos[i]
			}
			got.Assignments = append(got.Assignments, a)
			if a.Actor == "" {
				wantActors = append(wantActors, 0)
			} else {
				wantActors = append(wantActors, clickhousetest.Surrogate("any", a.Actor))
			}
		}
		for i := range ats {
			got.Changes = append(got.Changes, ticket.Change{At: ats[i], Field: ticket.FieldGroup, From: changeFrom[i], To: change[i]})
		}
		if len(r.Areas) == 0 {
			r.Areas, got.Areas = nil, nil
		}
		if !reflect.DeepEqual(got, r) || len(actors) != len(wantActors) || len(actors) > 0 && !reflect.DeepEqual(actors, wantActors) {
			rt.Fatalf("read\n%+v %v\nwant\n%+v %v", got, actors, r, wantActors)
		}
	})
}
