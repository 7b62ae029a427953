package analysis

import (
	"math"
	"testing"
	"time"

	"fairlead/analysis/distribution"
	"fairlead/analysis/overload"
)

// squadOf is a team whose members have these loads, week by week from a Monday on;
// a negative load is an absence.
func squadOf(monday overload.Week, loads ...[]float64) squad {
	c := squad{team: "A"}
	for i, list := range loads {
		m := overload.Member{Engineer: string(rune('a' + i))}
		for k, x := range list {
			r := overload.Record{Week: monday + overload.Week(k)}
			if x >= 0 {
				r.Capacity, r.Load = 1, distribution.Weights{N: uint64(x), Sum: x, Squares: x}
			}
			m.Records = append(m.Records, r)
		}
		c.members = append(c.members, m)
	}
	return c
}

func TestTrendsOfATeam(t *testing.T) {
	monday := overload.WeekOf(time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC))
	c := squadOf(monday, []float64{10, 12, 14, 16, 18, 20, 22, 24, 26, 28}, []float64{9, 11, 10, 9, 11, 10, 9, 11, 10, 9}, []float64{10, 9, 11, 10, -1, 11, 10, 9, 11, 10})
	from, to := monday.Start(), (monday + 10).Start()
	measure := func(from, to time.Time) *Trend {
		t.Helper()
		groups := []Group{{By: Team, Name: "A"}, {By: Team, Name: "unknown"}}
		if err := trends(groups, []squad{c}, from, to); err != nil {
			t.Fatal(err)
		}
		if groups[1].Trend != nil {
			t.Error("a trend of a team without members")
		}
		return groups[0].Trend
	}
	all := measure(from, to)
	if all == nil || len(all.Weeks) != 10 || all.Tau < 0.8 || all.P > 0.01 || all.Slope <= 0 {
		t.Fatalf("%+v", all)
	}
	// 190, 99 and 91 over capacities 10, 10 and 9.
	s, err := distribution.Weighted([]float64{190, 99, 91}, []float64{10, 10, 9})
	if err != nil {
		t.Fatal(err)
	}
	if all.GiniLow == nil || all.GiniHigh == nil || all.Gini == nil || math.Abs(*all.Gini-s.Gini()) > 1e-12 || math.Abs((*all.GiniLow+*all.GiniHigh)/2-s.Gini()) > 1e-12 || !(*all.GiniLow < *all.GiniHigh-0.01) {
		t.Errorf("interval %v to %v about %v", all.GiniLow, all.GiniHigh, s.Gini())
	}
	// The interval is of the weeks, not of the instant.
	if again := measure(from.Add(-time.Hour), to.Add(time.Hour)); *again.GiniLow != *all.GiniLow {
		t.Errorf("%v and an hour later %v", *all.GiniLow, *again.GiniLow)
	}
	// Part of a week is no week; seven weeks give no interval, four no trend.
	if seven := measure(from.Add(time.Hour), to.Add(-8*24*time.Hour)); seven == nil || len(seven.Weeks) != 7 || seven.Gini != nil || seven.GiniLow != nil || seven.GiniHigh != nil {
		t.Errorf("seven weeks: %+v", seven)
	}
	if four := measure(from, (monday + 4).Start()); four != nil {
		t.Errorf("four weeks: %+v", four)
	}
}
