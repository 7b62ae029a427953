package analysis

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// The queues of twoYears: the last is too small to be shown, and the one before is
// the smallest by which it could be computed.
const (
	largeQueue, otherQueue, smallQueue = "Large", "Other", "Small"
)

// twoYears writes tickets of three queues from the middle of December 2024 to the
// end of 2026. In the large one work gathers more and more with one person.
func twoYears(t *testing.T, db *clickhouse.DB) {
	t.Helper()
	queues := []struct {
		name   string
		people int
		every  int
	}{{largeQueue, 7, 1}, {otherQueue, 6, 1}, {smallQueue, 2, 2}}
	var accounts []ticket.Account
	var terms []ticket.Term
	var records []ticket.Record
	for k, q := range queues {
		terms = append(terms, ticket.Term{Source: "snow", Field: ticket.FieldGroup, ID: fmt.Sprint("q", k), Name: q.name})
		who := func(i int) string { return fmt.Sprintf("%s-%d", q.name, i) }
		for i := range q.people {
			accounts = append(accounts, ticket.Account{Source: "snow", ID: who(i), Name: who(i), Active: true})
		}
		n := 0
		for d := -382; d < 365; d += q.every { // 15 December 2024 is day -382
			n++
			holder := who(n % q.people)
			if q.name == largeQueue && n%11 < (d+382)/90 {
				holder = who(0)
			}
			one := opened(fmt.Sprint(q.name, n), float64(d)).update(float64(d)+0.05, "dan", map[ticket.Field]string{ticket.FieldGroup: fmt.Sprint("q", k)}).
				give(float64(d)+0.1, holder).status(float64(d)+0.2, holder, statusWork).status(float64(d)+2+float64(n%4), holder, statusDone)
			r := timeline.Derive(one.Ticket)
			r.Version = 1
			records = append(records, r)
		}
	}
	for _, err := range []error{db.WriteAccounts(t.Context(), accounts), db.WriteTerms(t.Context(), terms), db.WriteTickets(t.Context(), records)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func quartersIn(q *Quarter, team string) []QuarterPoint {
	list := q.All.Quarters
	if team != "" {
		i := slices.IndexFunc(q.Teams, func(t TeamQuarter) bool { return t.Team == team })
		list = q.Teams[i].Quarters
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].Stored = false // where it is from is no value
	}
	return list
}

func trendIn(q *Quarter, team string) *Trend {
	if team == "" {
		return q.All.Trend
	}
	return q.Teams[slices.IndexFunc(q.Teams, func(t TeamQuarter) bool { return t.Team == team })].Trend
}

// trendsIn is a Quarter with nothing but the quarters that its trends are of.
func trendsIn(t *testing.T, db *clickhouse.DB, name string) *Quarter {
	t.Helper()
	window, err := ParseWindow(name)
	if err != nil {
		t.Fatal(err)
	}
	q, teams := &Quarter{Window: window, From: window.begin(), To: window.earlier(-1).begin()}, map[string]*TeamQuarter{}
	err = engine(db).quarters(context.Background(), q, func(team string) *TeamQuarter {
		if teams[team] == nil {
			teams[team] = &TeamQuarter{Team: team}
		}
		return teams[team]
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sortedKeys(teams) {
		q.Teams = append(q.Teams, *teams[name])
	}
	return q
}

func kept(t *testing.T, db *clickhouse.DB, over, before time.Time, dry bool) string {
	t.Helper()
	list, err := engine(db).KeepQuarters(context.Background(), over, before, dry)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, q := range list {
		if q.Lost {
			q.Quarter += "!"
		}
		names = append(names, q.Quarter)
	}
	return strings.Join(names, " ")
}

// TestTrendsOutliveTickets: a report reads the same figures of quarters before and
// after their tickets are deleted; what may not be shown is not kept.
func TestTrendsOutliveTickets(t *testing.T) {
	db := replayWarehouse(t)
	twoYears(t, db)
	asOf, before := day(365), time.Date(2025, 5, 25, 0, 0, 0, 0, time.UTC)
	live := trendsIn(t, db, "2026Q3")
	large := quartersIn(live, largeQueue)
	if n := len(large); n != 8 || large[0].Gini != nil || large[1].Gini == nil || large[7].Gini == nil || *large[7].Excess < *large[1].Excess+0.1 || !large[1].Shown {
		t.Fatalf("the large queue is %+v", large)
	}
	if trend := trendIn(live, largeQueue); trend == nil || trend.P > 0.05 || trend.Slope <= 0 || len(trend.Weeks) != 7 || live.All.Trend == nil || len(live.Kept) != 0 || !live.Whole.IsZero() {
		t.Fatalf("its trend is %+v, that of all %+v", trend, live.All.Trend)
	}

	if got := kept(t, db, asOf, before, true); got != "2024Q4! 2025Q1! 2025Q2! 2025Q3 2025Q4 2026Q1 2026Q2 2026Q3 2026Q4" {
		t.Errorf("%s would be stored", got)
	}
	if stored, err := db.Quarters(t.Context()); err != nil || len(stored) != 0 {
		t.Errorf("saying what would be stored has stored %d quarters, %v", len(stored), err)
	}
	// Those of a quarter that ended lately are left until they have settled.
	if got := kept(t, db, asOf.AddDate(0, 0, -1), before, false); got != "2024Q4! 2025Q1! 2025Q2! 2025Q3 2025Q4 2026Q1 2026Q2 2026Q3" {
		t.Errorf("%s are stored", got)
	}
	rows := "SELECT count() FROM " + db.Table("quarters")
	count := func() (n uint64) {
		t.Helper()
		if err := db.Conn().QueryRow(t.Context(), rows).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 8 {
		t.Errorf("%d rows of 8 quarters", n)
	}
	// The same data give the same figures, and nothing is written for them.
	if got := kept(t, db, asOf.AddDate(0, 0, -1), before, false); got != "" || count() != 8 {
		t.Errorf("the second time %q is stored, in %d rows", got, count())
	}
	stored, err := db.Quarters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range stored {
		var names []string
		for _, g := range q.Groups {
			names = append(names, g.Name)
		}
		// Without the other queue, the small one is what all have and the large one
		// does not.
		if got := strings.Join(names, ","); got != ","+largeQueue {
			t.Errorf("of %s the groups %q are stored", q.Quarter, got)
		}
	}
	q1, all, g := stored[1], stored[1].Groups[0], stored[1].Groups[1]
	if q1.Quarter != "2025Q1" || !q1.Begin.Equal(day(-382)) || q1.Method == "" || q1.History == "" || q1.Tickets == 0 || all.People != 15 || g.People != 7 || g.Verdict == "" || g.P == nil || *g.Gini != *large[1].Gini || *g.ChanceLow >= *g.ChanceHigh || *g.HHI <= 0 {
		t.Errorf("of the first quarter of 2025 %+v are stored: %+v, %+v", q1, all, g)
	}

	n, err := db.Prune(t.Context(), before)
	if err != nil || n < 300 {
		t.Fatalf("%d tickets were deleted, %v", n, err)
	}
	after := trendsIn(t, db, "2026Q3")
	for _, team := range []string{"", largeQueue} {
		if got, want := quartersIn(after, team), quartersIn(live, team); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: the quarters are\n%+v\nafterwards, and were\n%+v", team, got, want)
		}
		if got, want := trendIn(after, team), trendIn(live, team); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: the trend is %+v afterwards, and was %+v", team, got, want)
		}
	}
	if got := after.All.Quarters; !got[0].Stored || !got[2].Stored || got[3].Stored || len(after.Kept) != 3 || after.Kept[1].Window.String() != "2025Q1" || after.Kept[1].Method != q1.Method || !after.Whole.Equal(before) || !after.Deleted.Equal(before) {
		t.Errorf("from stored figures are %+v: %+v", after.Kept, got)
	}
	for _, team := range []string{otherQueue, smallQueue} {
		if got, want := quartersIn(after, team), quartersIn(live, team)[3:]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the quarters are\n%+v\nafterwards, and were\n%+v", team, got, want)
		}
	}

	// What is found later of a quarter that has lost tickets changes nothing of it.
	late := timeline.Derive(opened("late", -300).give(-299, largeQueue+"-3").status(-200, largeQueue+"-3", statusDone).Ticket)
	late.Version = 2
	if err := db.WriteTickets(t.Context(), []ticket.Record{late}); err != nil {
		t.Fatal(err)
	}
	if got := kept(t, db, asOf, before, false); got != "2026Q4" {
		t.Errorf("afterwards %q is stored", got)
	}
	if now, err := db.Quarters(t.Context()); err != nil || !reflect.DeepEqual(now[:8], stored) {
		t.Errorf("what was stored has changed: %v", err)
	}
	// Before it loses any it does.
	if got := kept(t, db, asOf, time.Date(2025, 8, 1, 0, 0, 0, 0, time.UTC), false); got != "2025Q3" && got != "" {
		t.Errorf("anew %q is stored", got)
	}
	if now, err := db.Quarters(t.Context()); err != nil || now[3].Tickets != stored[3].Tickets+1-n || !reflect.DeepEqual(now[4:8], stored[4:]) {
		t.Errorf("of a quarter that is about to lose tickets %d tickets are counted, %d before %d were deleted, %v", now[3].Tickets, stored[3].Tickets, n, err)
	}
}

// TestQuartersNotCollected: of a quarter of which not everything was collected
// there is no figure, and none is stored.
func TestQuartersNotCollected(t *testing.T) {
	db := replayWarehouse(t)
	twoYears(t, db)
	since := time.Date(2025, 5, 25, 0, 0, 0, 0, time.UTC)
	for source, at := range map[string]time.Time{"snow": since, "jira": since.AddDate(0, -1, 0), "asana": {}} {
		if err := db.SaveCheckpoint(t.Context(), clickhouse.Checkpoint{Source: source, Stream: "scope", Updated: at, Done: true}); err != nil {
			t.Fatal(err)
		}
	}
	asOf := day(365)
	q := trendsIn(t, db, "2026Q4")
	var known []string
	for _, p := range q.All.Quarters {
		if p.Gini != nil {
			known = append(known, p.Window.String())
		}
	}
	if got := strings.Join(known, " "); got != "2025Q3 2025Q4 2026Q1 2026Q2 2026Q3 2026Q4" || !q.Whole.Equal(since) || !q.Deleted.IsZero() {
		t.Errorf("known are %s, from %s on", got, q.Whole)
	}
	if got := kept(t, db, asOf, since, false); got != "2025Q3 2025Q4 2026Q1 2026Q2 2026Q3 2026Q4" {
		t.Errorf("stored are %s", got)
	}
}

// TestTrendOfShownQuarters: what others are told of a trend is made of nothing that
// they are not told.
func TestTrendOfShownQuarters(t *testing.T) {
	var points []QuarterPoint
	for i, shown := range []bool{true, false, true, true, false, true, true, true} {
		excess := float64(i) / 10
		points = append(points, QuarterPoint{Excess: &excess, Shown: shown})
	}
	if trend := trendOf(points); trend == nil || len(trend.Weeks) != 6 {
		t.Errorf("of six quarters that may be shown the trend is %+v", trend)
	}
	points[7].Shown = false // a lead's, of a team that is small by now
	if trend := trendOf(points); trend == nil || len(trend.Weeks) != 8 {
		t.Errorf("of a small team's eight quarters the trend is %+v", trend)
	}
}
