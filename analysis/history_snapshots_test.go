package analysis

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairlead/connectors/clickhouse/clickhousetest"
)

// TestPropertySnapshots: each Snapshot of the past says what that of its instant
// alone says.
func TestPropertySnapshots(t *testing.T) { propertySnapshots(t, 2) }

func propertySnapshots(t *testing.T, n int) {
	clickhousetest.Cases(t, n)
	db := replayWarehouse(t)
	config := DefaultConfig()
	config.Windows = []Window{Days(1), Days(3)}
	e := New(db, Options{Key: testKey, Config: config})
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		load(t, db, drawHistories(t))
		r := drawRoster(t)
		if rapid.Bool().Draw(t, "no roster") {
			r = nil
		}
		if err := db.WriteRoster(ctx, r); err != nil {
			t.Fatal(err)
		}
		q := PastQuery{
			From: hour(rapid.IntRange(0, lastHour).Draw(t, "first")), To: hour(lastHour + 30),
			Every: rapid.SampledFrom([]Every{EveryHour, EveryDay, EveryWeek}).Draw(t, "every"), People: true,
		}
		step := everies[q.Every]
		var day time.Time
		n := 0
		compared := rapid.IntRange(0, 4).Draw(t, "compared")
		for got, err := range e.Snapshots(ctx, q) {
			if err != nil {
				t.Fatal(err)
			}
			states := !got.AsOf.Truncate(24 * time.Hour).Equal(day)
			day = got.AsOf.Truncate(24 * time.Hour)
			n++
			if first := n == 1; n-1 != compared && (first || !states) {
				continue
			}
			judged := (n-1)*int(step/time.Hour)%(7*24) == 0
			want, err := e.Snapshot(ctx, got.AsOf)
			if err != nil {
				t.Fatal(err)
			}
			check := func(what string, got, want any) {
				t.Helper()
				if diff := unlike(what, reflect.ValueOf(got), reflect.ValueOf(want)); diff != "" {
					t.Fatal(diff)
				}
			}
			for key := range want.Teams {
				check(fmt.Sprint(key), plain(got.Teams[key], judged), plain(want.Teams[key], judged))
			}
			if len(got.Teams) != len(want.Teams) {
				t.Fatalf("%d lists of teams, want %d", len(got.Teams), len(want.Teams))
			}
			check("rostered", got.Rostered, want.Rostered)
			for i := range want.Open.Teams { // efforts are not asked for
				want.Open.Teams[i].Effort, want.Open.Teams[i].UnassignedEffort = 0, 0
			}
			for i := range want.Open.Engineers {
				want.Open.Engineers[i].Effort = 0
			}
			check("open", got.Open, want.Open)
			if !states {
				if got.States != nil || got.Areas != nil || got.Overload != nil {
					t.Fatal("states again on the same day")
				}
				continue
			}
			if !judged {
				want.Areas = nil
				for i := range want.States {
					want.States[i].Knowledge = TeamKnowledge{}
				}
				want.States = slices.DeleteFunc(want.States, func(s TeamState) bool { return !hasState(got.States, s.Team) })
			}
			if !judged { // sources are of the last instant that was
				for i := range want.States {
					want.States[i].Sources = nil
				}
				for i := range got.States {
					got.States[i].Sources = nil
				}
				got.States = slices.DeleteFunc(got.States, func(s TeamState) bool { return !hasState(want.States, s.Team) })
			}
			check("states", got.States, want.States)
			check("overload", got.Overload, want.Overload)
			check("areas", got.Areas, want.Areas)
			check("unmatched", fmt.Sprint(got.Unmatched), fmt.Sprint(want.Unmatched))
		}
	})
}

// hasState says whether a team is among them: one of which only its areas are
// known comes and goes with these.
func hasState(states []TeamState, team string) bool {
	return slices.ContainsFunc(states, func(s TeamState) bool { return s.Team == team })
}
