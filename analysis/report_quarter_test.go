package analysis

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// yearOf writes tickets of the four quarters before and in 2026Q1, of two people
// of one queue in turn, one of them more and more often.
func yearOf(t *testing.T, db *clickhouse.DB, from, to int) {
	t.Helper()
	var records []ticket.Record
	for n := from; n < to; n++ {
		at := float64(n) / 2
		who := "cho"
		if n%9 < n/130 {
			who = "u1"
		}
		one := opened(fmt.Sprint(n), at).give(at+0.1, who).status(at+0.2, who, statusWork).status(at+3, who, statusDone)
		r := timeline.Derive(one.Ticket)
		r.Version = uint64(to)
		records = append(records, r)
	}
	if err := db.WriteTickets(context.Background(), records); err != nil {
		t.Fatal(err)
	}
}

func quarterOf(t *testing.T, db *clickhouse.DB, name string, asOf time.Time) *Quarter {
	t.Helper()
	window, err := ParseWindow(name)
	if err != nil {
		t.Fatal(err)
	}
	q, err := engine(db).Quarter(context.Background(), window, asOf)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestQuarter(t *testing.T) {
	db := replayWarehouse(t)
	yearOf(t, db, 0, 900) // 2026-01-01 to 2027-03-26
	asOf := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	q := quarterOf(t, db, "2026Q4", asOf)
	if !q.Over || !q.To.Equal(asOf) || len(q.Weeks) != 12 || q.Weeks[0].Format(time.DateOnly) != "2026-10-05" || q.Weeks[11].Format(time.DateOnly) != "2026-12-21" {
		t.Errorf("the quarter ends %v, its weeks are %v", q.To, q.Weeks)
	}
	if q.Data.Tickets != 730 || !q.Data.Last.Before(asOf) || q.Sources[0].Tickets == 0 {
		t.Errorf("the data are %+v of %+v", q.Data, q.Sources)
	}

	// What a quarter says is what Distribution says of it.
	groups, err := engine(db).Distribution(context.Background(), Query{AsOf: asOf, Window: q.Window, Basis: Load, Unit: Tickets, By: Team})
	if err != nil {
		t.Fatal(err)
	}
	own := q.Snapshot.Teams[TeamsKey{q.Window, Load, Tickets}]
	if len(own) != 1 || len(groups) != 1 || own[0].Total != groups[0].Total || *own[0].Gini != *groups[0].Gini || *own[0].P != *groups[0].P {
		t.Errorf("of the quarter %+v, of its distribution %+v", own, groups)
	}
	// One queue: everybody together is it.
	if q.All.People != 2 || q.All.Total != own[0].Total || math.Abs(*q.All.Gini-*own[0].Gini) > 1e-12 || math.Abs(*q.All.Chance-*own[0].GiniChance) > 1e-12 || math.Abs(*q.All.Between) > 1e-12 {
		t.Errorf("everybody is %+v, the only team %+v", q.All, own[0])
	}
	// A point of the trend is that quarter's own figure.
	var names []string
	for _, p := range q.Teams[0].Quarters {
		if names = append(names, p.Window.String()); len(names) != 2 {
			continue
		}
		to := time.Date(p.Window.year, time.Month(3*p.Window.quarter+1), 1, 0, 0, 0, 0, time.UTC)
		then := quarterOf(t, db, p.Window.String(), to)
		group := then.Snapshot.Teams[TeamsKey{p.Window, Load, Tickets}][0]
		if p.Gini == nil || *p.Gini != *group.Gini || *p.Excess != *group.GiniExcess || p.Total != group.Total {
			t.Errorf("%s is %+v in the trend, and %v by itself", p.Window, p, *group.Gini)
		}
	}
	if got := strings.Join(names, " "); got != "2026Q1 2026Q2 2026Q3 2026Q4" || q.Teams[0].Trend != nil {
		t.Errorf("the trend is over %s: %v", got, q.Teams[0].Trend)
	}
	// The mean of the weeks is near that of the quarter.
	sum := 0.0
	for _, w := range q.Teams[0].Weeks {
		sum += w.Load / float64(len(q.Weeks))
	}
	if open := own[0].Total / 92; math.Abs(sum-open) > 0.05*open {
		t.Errorf("the weeks have %v open tickets on average, the quarter %v", sum, open)
	}

	// What comes later changes nothing of it: not a bit.
	before := inOneText(t, q)
	yearOf(t, db, 729, 1_100) // and the last of the quarter is written anew
	if after := inOneText(t, quarterOf(t, db, "2026Q4", asOf.AddDate(0, 3, 0))); after != before {
		t.Error("what comes after a quarter changes it")
	}
	// What is corrected within it does, and says so by the version of the data.
	corrected := opened("700", 350).give(350.1, "u1").status(351, "u1", statusDone)
	r := timeline.Derive(corrected.Ticket)
	r.Version = 5_000
	if err := db.WriteTickets(context.Background(), []ticket.Record{r}); err != nil {
		t.Fatal(err)
	}
	if again := quarterOf(t, db, "2026Q4", asOf); again.Data.History == q.Data.History || inOneText(t, again) == before {
		t.Error("a corrected history is not told from the one before")
	}

	// A quarter that is not over ends where it is asked.
	half := quarterOf(t, db, "2026Q4", time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC))
	if half.Over || half.To.Day() != 16 || len(half.Weeks) != 6 {
		t.Errorf("half of it: over %v, to %v, %d weeks", half.Over, half.To, len(half.Weeks))
	}
}

func inOneText(t *testing.T, q *Quarter) string {
	t.Helper()
	s := q.Snapshot
	var teams []any
	for _, basis := range Bases {
		for _, unit := range Units {
			teams = append(teams, s.Teams[TeamsKey{q.Window, basis, unit}])
		}
	}
	text, err := json.Marshal([]any{q.From, q.To, q.Over, q.Method, q.Data, q.Weeks, q.Teams, q.All, q.Rebalancings, q.Sources, s.Open, s.States, s.Overload, s.Areas, s.Findings, teams})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestQuartersOfAYear(t *testing.T) {
	for _, c := range []struct{ at, of, last string }{
		{"2026-01-01T00:00:00Z", "2026Q1", "2025Q4"}, {"2026-03-31T23:59:59Z", "2026Q1", "2025Q4"},
		{"2026-07-01T01:00:00+02:00", "2026Q2", "2026Q1"}, {"2026-12-31T00:00:00Z", "2026Q4", "2026Q3"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if of, last := QuarterOf(at).String(), LastQuarter(at).String(); of != c.of || last != c.last {
			t.Errorf("at %s it is %s after %s, want %s after %s", c.at, of, last, c.of, c.last)
		}
	}
}
