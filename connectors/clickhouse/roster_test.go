package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/ticket"
)

// rosterText uses everything that a roster can say.
const rosterText = `
defaults: {zone: Europe/Berlin, holidays: [DE, X]}
holidays: {DE: [2026-05-01, 2026-12-25], X: 2026-06-01}
people:
  ann:
    name: Ann "the" Example
    email: [ann@example.org, maiden@example.org]
    accounts: {jira: "it's \\5b10", servicenow: [6816, "77"]}
    joined: 1999-02-01
    schedules:
      - {from: 2026-03-01, to: 2026-06-01, hours: mon-wed 22:00-06:00; thu 09:00-12:00 12:30-24:00, fte: 0.6}
    leave:
      - {from: 2026-07-06, to: 2026-07-20}
      - {from: 2026-08-03, part: 0.5}
  bob: {left: 2299-12-31, zone: America/New_York}
teams:
  Payments:
    lead: [{person: ann, to: 2026-04-01}, {person: bob, from: 2026-04-01}]
    notify: [payments@example.org, pager]
    queues: [{source: servicenow, queue: Payments Support}, {source: jira, queue: PAY, from: 2025-01-01, to: 2026-01-01}]
    members: [{person: ann, fte: 0.5}, bob]
    on_call: {person: bob, from: 2026-05-04T09:00, to: "2026-05-11T09:00:30Z"}
  Web: {members: {person: ann, fte: 0, from: 2025-01-01}}
bots: {servicenow: monitor}
`

func parseRoster(t testing.TB, text string) *roster.Roster {
	t.Helper()
	r, err := roster.Parse(roster.File{Name: "roster.yaml", Text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRosterIsReadAsWritten(t *testing.T) {
	db := clickhousetest.New(t)
	nothing := func(when string) {
		t.Helper()
		s, err := db.Roster(t.Context())
		if err != nil || s.Roster != nil || len(s.Accounts) != 0 {
			t.Errorf("%s there is %+v, %v", when, s, err)
		}
		if hash, err := db.RosterHash(t.Context()); err != nil || hash != "" {
			t.Errorf("%s the hash is %q, %v", when, hash, err)
		}
	}
	nothing("at first")
	for _, text := range []string{rosterText, "people: {ann: {zone: UTC}}", rosterText} {
		want := parseRoster(t, text)
		if err := db.WriteRoster(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		got, err := db.Roster(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Data(), want.Data()) || got.Hash() != want.Hash() {
			t.Errorf("the roster is\n%+v, want\n%+v", got.Data(), want.Data())
		}
		if hash, err := db.RosterHash(t.Context()); err != nil || hash != want.Hash() {
			t.Errorf("the hash is %q, want %q: %v", hash, want.Hash(), err)
		}
		for i, m := range want.Data().Accounts {
			if want := (clickhouse.StoredAccount{ID: clickhousetest.Surrogate(m.Source, m.ID), Account: ticket.Account{Source: m.Source, ID: m.ID}}); got.Accounts[i] != want {
				t.Errorf("account %d is %+v, want %+v", i, got.Accounts[i], want)
			}
		}
	}
	if n := scan[uint64](t, db, "SELECT count() FROM "+db.Table("roster")+" FINAL"); n != 1 {
		t.Errorf("there are %d rosters", n)
	}
	if err := db.WriteRoster(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	nothing("once removed")
}

// TestRosterIsSeenWhole: while two rosters replace each other, a reader meets one
// of them and never a part of both.
func TestRosterIsSeenWhole(t *testing.T) {
	db := clickhousetest.New(t)
	rosters := map[string]bool{}
	var list []*roster.Roster
	for _, n := range []int{3, 300} {
		var b strings.Builder
		b.WriteString("defaults: {zone: UTC}\npeople:\n")
		for i := range n {
			fmt.Fprintf(&b, "  p%d: {name: P%[1]d of %d, leave: {from: 2026-01-01}}\n", i, n)
		}
		b.WriteString("teams: {T: {members: [p0, p1]}}\n")
		r := parseRoster(t, b.String())
		rosters[r.Hash()] = true
		list = append(list, r)
	}
	if err := db.WriteRoster(t.Context(), list[0]); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if err := db.WriteRoster(ctx, list[i%2]); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
	met := map[string]bool{}
	for i := 0; i < 2000 && (i < 60 || len(met) < 2); i++ {
		got, err := db.Roster(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got.Roster == nil || !rosters[got.Hash()] {
			t.Fatal("a roster was met that nobody wrote")
		}
		met[got.Hash()] = true
	}
	stop()
	writer.Wait()
	if len(met) != 2 {
		t.Error("the rosters did not replace each other")
	}
}

func TestActivity(t *testing.T) {
	db := clickhousetest.New(t)
	from, to := at("2024-03-01 00:00:00.000"), at("2024-04-01 00:00:00.000")
	base := func(id string, assignments ...ticket.Assignment) ticket.Record {
		r := record(id, 1)
		r.Assignments = assignments
		return r
	}
	hold := func(who, group, from, to string) ticket.Assignment {
		a := ticket.Assignment{Actor: who, Group: group, From: at(from + ".000")}
		if to != "" {
			a.To = at(to + ".000")
		}
		return a
	}
	gone := base("8", hold("ann", "ops", "2024-03-02 00:00:00", ""))
	gone.Deleted = at("2024-03-03 00:00:00.000")
	write(t, db,
		base("1", hold("ann", "ops", "2024-02-01 00:00:00", "2024-03-01 00:00:00")), // over before
		base("2", hold("ann", "ops", "2024-02-01 00:00:00", "2024-03-05 00:00:00"), hold("ann", "ops", "2024-03-06 00:00:00", "2024-03-07 00:00:00")),
		base("3", hold("ann", "ops", "2024-03-20 00:00:00", ""), hold("bob", "net", "2024-03-20 00:00:00", "2024-03-20 00:00:00")), // none of bob's
		base("4", hold("bob", "ops", "2024-03-10 00:00:00", "2024-05-01 00:00:00")),
		base("5", hold("bob", "net", "2024-04-01 00:00:00", "")), // not yet
		base("6", hold("", "net", "2024-03-05 00:00:00", "")),
		base("7", hold("bob", "net", "2024-03-05 00:00:00", "2024-03-06 00:00:00")),
		gone,
	)
	got, err := db.Activity(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	ann, bob := clickhousetest.Surrogate("jira", "ann"), clickhousetest.Surrogate("jira", "bob")
	want := map[clickhouse.Activity]bool{
		{Source: "jira", Actor: ann, Group: "ops", Tickets: 2, Last: to}:                            true,
		{Source: "jira", Actor: bob, Group: "ops", Tickets: 1, Last: to}:                            true,
		{Source: "jira", Actor: bob, Group: "net", Tickets: 1, Last: at("2024-03-06 00:00:00.000")}: true,
	}
	for _, a := range got {
		if !want[a] {
			t.Errorf("there is %+v", a)
		}
		delete(want, a)
	}
	for a := range want {
		t.Errorf("missing is %+v", a)
	}
	if list, err := db.Activity(t.Context(), time.Time{}, from); err != nil || len(list) != 1 {
		t.Errorf("before there is %+v, %v", list, err)
	}
}
