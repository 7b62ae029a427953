package clickhouse_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
)

// zoe is the person of these tests: an account in each of two sources, one of them
// joined by the address alone, and an entry in the roster.
var (
	zoe = []ticket.Account{
		{Source: "jira", ID: "zoe-in-jira", Name: "Zoe Quill", Email: "Zoe@Example.org", Active: true},
		{Source: "snow", ID: "6816f79c", Name: "Quill, Zoe", Email: "zoe@example.org", Active: true},
	}
	ann         = ticket.Account{Source: "jira", ID: "ann-in-jira", Name: "Ann Example", Email: "ann@example.org", Active: true}
	zoeAccounts = []roster.AccountRef{{Source: "jira", ID: "zoe-in-jira"}, {Source: "snow", ID: "6816f79c"}}
	zoeTraces   = []string{"zoe", "quill", "6816f79c"}
)

const zoeRoster = `
defaults: {zone: UTC}
people:
  zoe-quill: {name: Zoe Quill, email: [zoe@example.org], leave: {from: 2026-05-01, to: 2026-05-08}}
  ann: {name: Ann Example, email: [ann@example.org]}
teams:
  Payments: {lead: zoe-quill, notify: [zoe@example.org, payments@example.org], members: [zoe-quill, ann]}
`

func traces(t *testing.T, db *clickhouse.DB) (found []string) {
	t.Helper()
	all := strings.ToLower(clickhousetest.Dump(t, db))
	for _, trace := range zoeTraces {
		for line := range strings.Lines(all) {
			if strings.Contains(line, trace) {
				found = append(found, trace+" in "+line[:min(len(line), 200)])
			}
		}
	}
	return found
}

func zoeTicket(version uint64) ticket.Record {
	at := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	return ticket.Record{
		Ticket: ticket.Ticket{Source: "jira", ID: "1", Key: "PAY-1", Created: at, Updated: at, Status: "1", Assignee: "zoe-in-jira", HistoryComplete: true,
			Changes: []ticket.Change{{At: at, Seq: 1, Field: ticket.FieldAssignee, To: "zoe-in-jira", Actor: "ann-in-jira"}}},
		Assignments: []ticket.Assignment{{Actor: "zoe-in-jira", From: at}}, Version: version,
	}
}

// TestForgottenForGood: nothing that leads to an erased person is in any table, in
// no version of any row, and further collections change nothing of that; the
// tickets stay, and so does the time that the team had.
func TestForgottenForGood(t *testing.T) {
	for _, how := range []string{"embedded", "server"} {
		t.Run(how, func(t *testing.T) {
			var db *clickhouse.DB
			if how == "embedded" {
				db = clickhousetest.New(t)
			} else {
				var err error
				if db, err = clickhouse.Open(t.Context(), clickhouse.Options{Config: clickhousetest.Server(t, "test_erasure"), Surrogate: clickhousetest.Surrogate}); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = db.Close() })
				if _, err := db.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			write := func() {
				t.Helper()
				if err := db.WriteAccounts(t.Context(), append([]ticket.Account{ann}, zoe...)); err != nil {
					t.Fatal(err)
				}
				if err := db.WriteTickets(t.Context(), []ticket.Record{zoeTicket(uint64(time.Now().UnixMicro()))}); err != nil {
					t.Fatal(err)
				}
				if err := db.WriteRoster(t.Context(), parseRoster(t, zoeRoster)); err != nil {
					t.Fatal(err)
				}
			}
			write()
			write()
			if len(traces(t, db)) == 0 {
				t.Fatal("there is nothing to forget")
			}
			told, err := db.WouldForget(t.Context(), zoeAccounts, []string{"zoe@example.org"})
			if err != nil || told.Accounts < 2 || told.Tickets != 1 || !told.Roster {
				t.Errorf("would forget %+v, %v", told, err)
			}
			if n := len(traces(t, db)); n == 0 {
				t.Error("a dry run has erased something")
			}
			before, err := db.Roster(t.Context())
			if err != nil {
				t.Fatal(err)
			}

			if _, err := db.Forget(t.Context(), zoeAccounts, []string{"zoe@example.org"}); err != nil {
				t.Fatal(err)
			}
			if found := traces(t, db); len(found) > 0 {
				t.Errorf("still there:\n%s", strings.Join(found, "\n"))
			}
			for range 2 {
				write()
				// A further account, in a source that is collected since.
				if err := db.WriteAccounts(t.Context(), []ticket.Account{{Source: "asana", ID: "1204quill", Name: "Zoe Q.", Email: "zoe@example.org"}}); err != nil {
					t.Fatal(err)
				}
				if _, err := db.Forget(t.Context(), zoeAccounts, []string{"zoe@example.org"}); err != nil {
					t.Fatal(err)
				}
				if found := traces(t, db); len(found) > 0 {
					t.Errorf("back again:\n%s", strings.Join(found, "\n"))
				}
			}
			accounts, err := db.Accounts(t.Context())
			if err != nil || len(accounts) != 1 || accounts[0].Account != ann {
				t.Errorf("accounts are %+v, %v", accounts, err)
			}
			if n := scan[uint64](t, db, "SELECT count() FROM "+db.Table("tickets")+" FINAL WHERE assignee = "+fmt.Sprint(clickhousetest.Surrogate("jira", "zoe-in-jira"))); n != 1 {
				t.Errorf("%d tickets are left", n)
			}
			erased, err := db.Erased(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			persons := map[uint64]bool{}
			for _, a := range append(zoeAccounts, roster.AccountRef{Source: "asana", ID: "1204quill"}) {
				persons[erased[clickhousetest.Surrogate(a.Source, a.ID)]] = true
			}
			if len(persons) != 1 || persons[0] {
				t.Errorf("one person is %d: %v", len(persons), erased)
			}

			after, err := db.Roster(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
			of := func(s clickhouse.StoredRoster) (capacity float64) {
				for _, m := range s.Members("Payments", at, at.AddDate(0, 1, 0)) {
					capacity += m.Capacity
				}
				return capacity
			}
			if of(before) != of(after) || of(after) == 0 {
				t.Errorf("the team's capacity was %v and is %v", of(before), of(after))
			}
			if after.Hash() == before.Hash() {
				t.Error("the roster is the same")
			}
			if hash, err := db.RosterHash(t.Context()); err != nil || hash != before.Hash() {
				t.Errorf("the files are taken for others: %s, %v", hash, err)
			}
			if n := scan[uint64](t, db, "SELECT count() FROM "+db.Table("roster")); n != 1 {
				t.Errorf("there are %d versions of the roster", n)
			}
		})
	}
}

// TestForgetWhileCollecting: of writes that go on meanwhile nothing is left once
// they have ended.
func TestForgetWhileCollecting(t *testing.T) {
	db := clickhousetest.New(t)
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		writers.Go(func() {
			for {
				if err := db.WriteAccounts(t.Context(), append([]ticket.Account{ann}, zoe...)); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	if _, err := db.Forget(t.Context(), zoeAccounts, []string{"zoe@example.org"}); err != nil {
		t.Error(err)
	}
	if accounts, err := db.Accounts(t.Context()); err != nil || len(accounts) > 1 {
		t.Errorf("accounts are %+v, %v", accounts, err)
	}
	close(stop)
	writers.Wait()
	if found := traces(t, db); len(found) > 0 {
		t.Errorf("still there:\n%s", strings.Join(found, "\n"))
	}
}

func TestForgetNobody(t *testing.T) {
	db := clickhousetest.New(t)
	if _, err := db.Forget(t.Context(), nil, []string{" "}); err == nil {
		t.Error("nobody was forgotten")
	}
	if err := db.Scrub(t.Context()); err != nil {
		t.Error(err)
	}
}
