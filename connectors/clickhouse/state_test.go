package clickhouse_test

import (
	"errors"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/ticket"
)

func TestAccountsReplaceEachOther(t *testing.T) {
	db := clickhousetest.New(t)
	ann := ticket.Account{Source: "jira", ID: "ann", Name: "Ann", Email: "ann@example.org", Active: true}
	robot := ticket.Account{Source: "jira", ID: "robot", Bot: true}
	elsewhere := ticket.Account{Source: "servicenow", ID: "ann", Name: "Ann Other", Active: true}
	if err := db.WriteAccounts(t.Context(), []ticket.Account{ann, robot, elsewhere}); err != nil {
		t.Fatal(err)
	}
	ann.Name, ann.Active = "Ann Married", false
	if err := db.WriteAccounts(t.Context(), []ticket.Account{ann}); err != nil {
		t.Fatal(err)
	}
	got, err := db.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []clickhouse.StoredAccount{
		{ID: clickhousetest.Surrogate("jira", "ann"), Account: ann},
		{ID: clickhousetest.Surrogate("jira", "robot"), Account: robot},
		{ID: clickhousetest.Surrogate("servicenow", "ann"), Account: elsewhere},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("accounts are %+v, want %+v", got, want)
	}
	for name, bad := range map[string]ticket.Account{"no source": {ID: "a"}, "no id": {Source: "s"}} {
		if err := db.WriteAccounts(t.Context(), []ticket.Account{bad}); err == nil {
			t.Errorf("an account with %s is written", name)
		}
	}
}

func TestTermsReplaceEachOther(t *testing.T) {
	db := clickhousetest.New(t)
	todo := ticket.Term{Source: "jira", Field: ticket.FieldStatus, ID: "1", Name: "Open", Value: "todo"}
	kind := ticket.Term{Source: "jira", Field: ticket.FieldKind, ID: "1", Name: "Bug", Value: "bug"}
	if err := db.WriteTerms(t.Context(), []ticket.Term{todo, kind}); err != nil {
		t.Fatal(err)
	}
	todo.Value = "in_progress"
	if err := db.WriteTerms(t.Context(), []ticket.Term{todo}); err != nil {
		t.Fatal(err)
	}
	got, err := db.Terms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []ticket.Term{kind, todo}; !reflect.DeepEqual(got, want) {
		t.Errorf("terms are %+v, want %+v", got, want)
	}
	if err := db.WriteTerms(t.Context(), []ticket.Term{{Source: "jira", ID: "1"}}); err == nil {
		t.Error("a term without a field is written")
	}
}

// TestLaterWriteWinsWhenTheClockStepsBack: versions come from the clock, and must
// not.
func TestLaterWriteWinsWhenTheClockStepsBack(t *testing.T) {
	config := clickhouse.Config{Database: "clock_steps_back"}
	first := clickhousetest.Open(t, config)
	if _, err := first.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Written by a machine whose clock is in the year 2200.
	const future = 7_258_118_400_000_000
	if err := first.Conn().Exec(t.Context(), "INSERT INTO "+first.Table("terms")+" (source, field, id, name, value, version) VALUES ('s', 'status', '1', 'old', 'todo', $1)", uint64(future)); err != nil {
		t.Fatal(err)
	}
	second := clickhousetest.Open(t, config)
	for _, name := range []string{"new", "newest"} {
		if err := second.WriteTerms(t.Context(), []ticket.Term{{Source: "s", Field: ticket.FieldStatus, ID: "1", Name: name}}); err != nil {
			t.Fatal(err)
		}
		if got, err := second.Terms(t.Context()); err != nil || len(got) != 1 || got[0].Name != name {
			t.Errorf("the term is %+v, want %s: %v", got, name, err)
		}
	}
}

func TestCheckpointSavedLastWins(t *testing.T) {
	db := clickhousetest.New(t)
	if got, err := db.Checkpoints(t.Context(), "jira"); err != nil || len(got) != 0 {
		t.Errorf("of nothing there are %v, %v", got, err)
	}
	moment := at("2024-03-01 08:00:00.001")
	want := map[string]clickhouse.Checkpoint{}
	for _, c := range []clickhouse.Checkpoint{
		{Source: "jira", Stream: "open", Cursor: `{"id":"it's \"7\""}`, Updated: moment, Tickets: 100},
		{Source: "jira", Stream: "incremental", Cursor: "a"},
		{Source: "servicenow", Stream: "open", Cursor: "other"},
		{Source: "jira", Stream: "open", Cursor: "b", Updated: moment.Add(-time.Hour), Tickets: 200, Done: true},
		{Source: "jira", Stream: "incremental", Cursor: "", Updated: at("1969-01-01 00:00:00.000"), Tickets: 1},
		{Source: "jira", Stream: "open", Cursor: "c", Updated: moment.Add(-2 * time.Hour), Tickets: 50},
	} {
		if err := db.SaveCheckpoint(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if c.Source == "jira" {
			want[c.Stream] = c
		}
		got, err := db.Checkpoints(t.Context(), "jira")
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("after saving %+v they are %+v, want %+v", c, got, want)
		}
	}
	if err := db.SaveCheckpoint(t.Context(), clickhouse.Checkpoint{Source: "jira"}); err == nil {
		t.Error("a checkpoint without a stream is saved")
	}
	if err := db.SaveCheckpoint(t.Context(), clickhouse.Checkpoint{Source: "s", Stream: "x", Updated: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}); err == nil {
		t.Error("a checkpoint of the year 9999 is saved")
	}
}

func TestKeyIsClaimedOnce(t *testing.T) {
	db := clickhousetest.New(t)
	for range 2 {
		if err := db.ClaimKey(t.Context(), "first"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := db.ClaimKey(t.Context(), "second"); !errors.Is(err, clickhouse.ErrOtherKey) || strings.Contains(err.Error(), "\n") {
			t.Errorf("another key gives %v", err)
		}
	}
	if err := db.ClaimKey(t.Context(), "first"); err != nil {
		t.Errorf("the first key is refused after the second: %v", err)
	}
	if err := db.ClaimKey(t.Context(), ""); err == nil {
		t.Error("an empty fingerprint is claimed")
	}
}

// TestCheckpointNeverOutlivesItsTickets: after kill -9 at any moment every ticket
// that a checkpoint counts is there, and the connection works again.
func TestCheckpointNeverOutlivesItsTickets(t *testing.T) {
	db := clickhousetest.NewFolder(t, t.TempDir())
	engine := clickhouse.EngineOf(db)
	var saved, failures int
	for page := 1; page <= 60; page++ {
		if page%20 == 10 {
			go func(pid int) {
				time.Sleep(time.Duration(page) * time.Millisecond / 10)
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}(engine.PID())
		}
		records := make([]ticket.Record, 10)
		for i := range records {
			records[i] = record(string(rune('a'+i))+"-"+strings.Repeat("x", page), uint64(page))
		}
		for begun := time.Now(); ; {
			err := db.WriteTickets(t.Context(), records)
			if err == nil {
				err = db.SaveCheckpoint(t.Context(), clickhouse.Checkpoint{Source: "jira", Stream: "open", Tickets: uint64(page * 10)})
			}
			if err == nil {
				saved = page * 10
				break
			}
			if failures++; time.Since(begun) > 5*time.Minute {
				t.Fatal(err)
			}
			checkpoints, err := db.Checkpoints(t.Context(), "jira")
			if err != nil {
				continue // it is being started again
			}
			if n := count(t, db); n < checkpoints["open"].Tickets || n < uint64(saved) {
				t.Fatalf("%d tickets are there, the checkpoint counts %d, %d were acknowledged", n, checkpoints["open"].Tickets, saved)
			}
		}
	}
	if n := count(t, db); n != 600 {
		t.Errorf("%d tickets are there, want 600", n)
	}
	if failures == 0 {
		t.Log("no write met a dead engine in this run")
	}
}

func TestReopenedFolderKeepsAll(t *testing.T) {
	dir := t.TempDir()
	db := clickhousetest.NewFolder(t, dir)
	write(t, db, record("1", 1))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.WriteTickets(t.Context(), []ticket.Record{record("2", 1)}); err == nil {
		t.Error("a closed warehouse is written to")
	}
	again := clickhousetest.NewFolder(t, dir)
	if n := count(t, again); n != 1 {
		t.Errorf("%d tickets are there, want 1", n)
	}
}
