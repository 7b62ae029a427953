package analysis

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
)

// BenchmarkHistory reports what a year of daily values costs beside one day's
// full analysis on the same data in the same run: ratio, of the medians. A
// Snapshot's resampling is part of its time; "one answer" is the same for one
// series, beside one Distribution of it.
func BenchmarkHistory(b *testing.B) {
	for _, c := range []struct {
		name string
		db   func(testing.TB) *clickhouse.DB
		last time.Time
	}{
		{"tickets=10000", func(t testing.TB) *clickhouse.DB { return crowd(t.(*testing.B), 10_000) }, day(365)},
		{"tickets=100000", func(t testing.TB) *clickhouse.DB { return crowd(t.(*testing.B), 100_000) }, day(365)},
		{"incident log", incidentLog, time.Date(2017, 3, 1, 0, 0, 0, 0, time.UTC)},
	} {
		db := c.db(b)
		e := New(db, Options{Key: testKey})
		year := HistoryQuery{From: c.last.AddDate(0, 0, -364), To: c.last, Every: EveryDay}
		all := year
		all.Open, all.Efforts = true, true
		for _, w := range []Window{Days(28), Days(90)} {
			for _, basis := range Bases {
				for _, unit := range Units {
					all.Series = append(all.Series, Series{w, basis, unit, Team})
				}
			}
		}
		asOf := c.last.AddDate(0, 0, -270) // when there is work in the log
		b.Run(c.name+"/all", func(b *testing.B) {
			besides(b, func() { run(b, e, all) }, func() {
				if _, err := e.Snapshot(context.Background(), asOf); err != nil {
					b.Fatal(err)
				}
			})
		})
		for _, s := range []Series{{Days(90), Load, Tickets, Team}, {All, Resolved, Tickets, Team}, {Days(90), Load, Effort, Area}} {
			one := year
			one.Series = []Series{s}
			b.Run(fmt.Sprintf("%s/%s %s by %s %s", c.name, s.Basis, s.Unit, s.By, s.Window), func(b *testing.B) {
				besides(b, func() { run(b, e, one) }, func() {
					if _, err := e.Distribution(context.Background(), Query{asOf, s.Window, s.Basis, s.Unit, s.By}); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

func run(b *testing.B, e *Engine, q HistoryQuery) {
	n := 0
	for p, err := range e.History(context.Background(), q) {
		if err != nil {
			b.Fatal(err)
		}
		n += len(p.Groups)
	}
	if n != 365*len(q.Series) {
		b.Fatalf("%d answers", n)
	}
}

// besides times both side by side, so that what else the machine does weighs on
// both.
func besides(b *testing.B, year, day func()) {
	var years, days []time.Duration
	timed := func(do func()) time.Duration {
		began := time.Now()
		do()
		return time.Since(began)
	}
	for b.Loop() {
		days = append(days, timed(day))
		years = append(years, timed(year))
	}
	slices.Sort(years)
	slices.Sort(days)
	y, d := years[len(years)/2], days[len(days)/2]
	b.ReportMetric(y.Seconds()*1e3, "ms/year")
	b.ReportMetric(d.Seconds()*1e3, "ms/day")
	b.ReportMetric(y.Seconds()/d.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}
