package collector_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

const rosterText = `
people:
  ann: {zone: UTC, email: ann@example.org}
  bob: {zone: UTC, accounts: {jira: j-bob, servicenow: nobody}}
  cyd: {zone: UTC, email: cyd@example.org}
  gus: {zone: UTC, email: gus@example.org, left: 2020-01-01}
teams: {T: {members: [ann, bob]}}
`

// held is a ticket that somebody has held since some days ago.
func heldBy(id, source, who, group string, days int) ticket.Record {
	from := time.Now().AddDate(0, 0, -days).UTC().Truncate(time.Second)
	return ticket.Record{
		Ticket:      ticket.Ticket{Source: source, ID: id, Key: id, Created: from, Updated: from, Status: "1", Assignee: who, Group: group, HistoryComplete: true},
		Assignments: []ticket.Assignment{{Actor: who, Group: group, From: from}},
		Version:     1,
	}
}

func rosterWarehouse(t *testing.T) *clickhouse.DB {
	t.Helper()
	db := clickhousetest.New(t)
	ctx := context.Background()
	account := func(source, id, email string) ticket.Account {
		return ticket.Account{Source: source, ID: id, Name: strings.ToUpper(id), Email: email, Active: true}
	}
	err := errors.Join(
		db.WriteAccounts(ctx, []ticket.Account{
			account("jira", "j-ann", "Ann@example.org"), account("jira", "j-bob", ""), account("jira", "j-eve", "eve@example.org"),
			account("servicenow", "s-ann", "ann@example.org"), account("servicenow", "s-idle", "idle@example.org"),
		}),
		db.WriteTerms(ctx, []ticket.Term{{Source: "jira", Field: ticket.FieldGroup, ID: "10001", Name: "PAY"}}),
		db.WriteTickets(ctx, []ticket.Record{
			heldBy("1", "jira", "j-ann", "10001", 5), heldBy("2", "jira", "j-bob", "10001", 5), heldBy("3", "jira", "j-eve", "10001", 5),
			heldBy("4", "servicenow", "s-ann", "ops", 5), heldBy("5", "servicenow", "s-erased", "ops", 5),
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestRosterIsStoredWhenItChanges(t *testing.T) {
	db := rosterWarehouse(t)
	path := filepath.Join(t.TempDir(), "roster.yaml")
	var log bytes.Buffer
	sync := func(paths ...string) (bool, error) {
		return collector.SyncRoster(t.Context(), db, paths, slog.New(slog.NewTextHandler(&log, nil)))
	}
	say := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() (n uint64) {
		t.Helper()
		if err := db.Conn().QueryRow(t.Context(), "SELECT count() FROM "+db.Table("roster")).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if changed, err := sync(); changed || err != nil {
		t.Errorf("nothing, of nothing: %v, %v", changed, err)
	}
	say(rosterText)
	for i, want := range []bool{true, false, false} {
		if changed, err := sync(path); changed != want || err != nil {
			t.Errorf("turn %d: changed %v, %v", i, changed, err)
		}
	}
	if n := rows(); n != 1 {
		t.Errorf("%d rows were written for one roster", n)
	}
	for _, want := range []string{`msg="roster stored" people=4 teams=1 people_without_account=1`, `msg="accounts match nobody in the roster" source=jira accounts=1`} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("the log has not, once, %s:\n%s", want, &log)
		}
	}
	for _, secret := range []string{"ann", "j-eve", "J-EVE", "example.org"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log tells of %s:\n%s", secret, &log)
		}
	}

	say("# the same\n" + rosterText)
	if changed, err := sync(path); changed || err != nil {
		t.Errorf("a comment changes it: %v, %v", changed, err)
	}
	say(strings.Replace(rosterText, "members: [ann, bob]", "members: [ann, bop]", 1))
	if changed, err := sync(path); changed || err == nil || !strings.Contains(err.Error(), `roster.yaml:7: person "bop"`) || strings.Contains(err.Error(), "\n") {
		t.Errorf("a mistake: %v, %v", changed, err)
	}
	if s, err := db.Roster(t.Context()); err != nil || s.Roster == nil || len(s.MembersAt("T", time.Now())) != 2 {
		t.Errorf("after a mistake the roster is %+v, %v", s, err)
	}
	say(strings.Replace(rosterText, "[ann, bob]", "[ann]", 1))
	if changed, err := sync(path); !changed || err != nil {
		t.Errorf("a change: %v, %v", changed, err)
	}
	if s, err := db.Roster(t.Context()); err != nil || len(s.MembersAt("T", time.Now())) != 1 {
		t.Errorf("after a change: %v", err)
	}
	if changed, err := sync(); !changed || err != nil {
		t.Errorf("its removal: %v, %v", changed, err)
	}
	if s, err := db.Roster(t.Context()); err != nil || s.Roster != nil {
		t.Errorf("after its removal there is %+v, %v", s, err)
	}
}

func TestRosterReport(t *testing.T) {
	db := rosterWarehouse(t)
	r, err := roster.Parse(roster.File{Name: "roster.yaml", Text: []byte(rosterText)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := collector.CheckRoster(t.Context(), db, r, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := collector.RosterReport{
		People: 4, Teams: 1, Counts: map[string]int{"jira": 1}, WithoutAccount: []string{"cyd"},
		Unmatched: []roster.Unmatched{{Account: ticket.Account{Source: "jira", ID: "j-eve", Name: "J-EVE", Email: "eve@example.org", Active: true}, Reason: roster.ReasonNobody}},
		Missing:   []roster.Mapping{{Person: "bob", AccountRef: roster.AccountRef{Source: "servicenow", ID: "nobody"}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the report is\n%+v, want\n%+v", got, want)
	}
	// A month before nobody had held anything.
	if got, err := collector.CheckRoster(t.Context(), db, r, time.Now().AddDate(0, 0, -30)); err != nil || len(got.Unmatched) != 0 {
		t.Errorf("before the tickets came, unmatched are %v, %v", got.Unmatched, err)
	}
}

func TestRosterIsSuggested(t *testing.T) {
	db := rosterWarehouse(t)
	groups := []roster.Group{{Source: "servicenow", ID: "ops", Name: "Operations", Manager: "s-idle", Members: []string{"s-ann"}}}
	draft, err := collector.SuggestRoster(t.Context(), db, time.Now(), collector.Staff{Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	r, err := roster.Parse(roster.File{Name: "draft.yaml", Text: draft})
	if err != nil {
		t.Fatalf("%v:\n%s", err, draft)
	}
	for _, c := range []struct{ person, team string }{{"ann", "Operations"}, {"j.bob", "PAY"}, {"eve", "PAY"}} {
		if list := r.Memberships(c.person, time.Now()); len(list) != 1 || list[0].Team != c.team {
			t.Errorf("%s is in %v, want %s:\n%s", c.person, list, c.team, draft)
		}
	}
	if lead := r.Lead("Operations", time.Now()); lead != "idle" {
		t.Errorf("lead is %q", lead)
	}
	if !bytes.Contains(draft, []byte("# servicenow: 1 holders of tickets have no account any more")) {
		t.Errorf("the erased one is not told of:\n%s", draft)
	}
}

// staffed is a source that knows who is in its groups.
type staffed struct {
	*scripted
	name  string
	staff source.Staff
	err   error
}

func (s *staffed) Name() string { return s.name }

func (s *staffed) Staff(_ context.Context, groups []string) (source.Staff, error) {
	s.note("staff of %v", groups)
	return s.staff, s.err
}

// TestStaffIsAsked of the sources that know it, for the groups whose tickets were
// held: people who held none come into the draft with their names. One that fails
// is named, and the others are asked.
func TestStaffIsAsked(t *testing.T) {
	db := rosterWarehouse(t)
	snow := &staffed{scripted: &scripted{}, name: "servicenow", staff: source.Staff{
		Groups:   []source.Group{{ID: "ops", Name: "Operations", Manager: "s-boss", Members: []string{"s-ann", "s-new"}}},
		Accounts: []ticket.Account{{Source: "servicenow", ID: "s-new", Name: "Newton Comer", Email: "newton@example.org", Active: true}, {Source: "servicenow", ID: "s-boss", Name: "Bella Boss", Email: "bella@example.org", Active: true}},
		Zones:    map[string]string{"s-new": "Asia/Kolkata"},
	}}
	broken := &staffed{scripted: &scripted{}, name: "jira", err: errStoreBroken}
	staff, err := collector.AskStaff(t.Context(), db, time.Now(), []source.Source{broken, &scripted{}, snow})
	if !errors.Is(err, errStoreBroken) || !strings.Contains(err.Error(), "asking jira who is in its groups") {
		t.Errorf("got %v", err)
	}
	if want := []string{"staff of [ops]"}; !slices.Equal(snow.asked, want) {
		t.Errorf("asked %q, want %q", snow.asked, want)
	}
	draft, err := collector.SuggestRoster(t.Context(), db, time.Now(), staff)
	if err != nil {
		t.Fatal(err)
	}
	r, err := roster.Parse(roster.File{Name: "draft.yaml", Text: draft})
	if err != nil {
		t.Fatalf("%v:\n%s", err, draft)
	}
	if list := r.Memberships("newton", time.Now()); len(list) != 1 || list[0].Team != "Operations" || r.Lead("Operations", time.Now()) != "bella" || !bytes.Contains(draft, []byte("Asia/Kolkata")) {
		t.Errorf("newton is in %v, the lead is %q:\n%s", list, r.Lead("Operations", time.Now()), draft)
	}
}

// brokenStore is a warehouse one of whose calls fails.
type brokenStore struct {
	collector.RosterStore
	at string
}

func (f brokenStore) RosterHash(ctx context.Context) (string, error) {
	if f.at == "hash" {
		return "", errStoreBroken
	}
	return f.RosterStore.RosterHash(ctx)
}

func (f brokenStore) WriteRoster(ctx context.Context, r *roster.Roster) error {
	if f.at == "write" {
		return errStoreBroken
	}
	return f.RosterStore.WriteRoster(ctx, r)
}

func (f brokenStore) Activity(ctx context.Context, from, to time.Time) ([]clickhouse.Activity, error) {
	if f.at == "activity" {
		return nil, errStoreBroken
	}
	return f.RosterStore.Activity(ctx, from, to)
}

var errStoreBroken = errors.New("broken")

func TestRosterFaultsOfTheWarehouse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.yaml")
	if err := os.WriteFile(path, []byte(rosterText), 0o600); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"hash": "storing the roster: broken", "write": "storing the roster: broken", "activity": "comparing the roster with accounts: broken",
	} {
		db := rosterWarehouse(t)
		if _, err := collector.SyncRoster(t.Context(), brokenStore{db, at}, []string{path}, nil); err == nil || fmt.Sprint(err) != want || !errors.Is(err, errStoreBroken) {
			t.Errorf("%s: %v", at, err)
		}
		// Once it works again all is well.
		if _, err := collector.SyncRoster(t.Context(), db, []string{path}, nil); err != nil {
			t.Errorf("%s, tried again: %v", at, err)
		}
		if hash, err := db.RosterHash(t.Context()); err != nil || hash == "" {
			t.Errorf("%s, tried again: hash %q, %v", at, hash, err)
		}
	}
}
