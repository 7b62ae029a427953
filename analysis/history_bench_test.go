package analysis

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"fairlead/analysis/effort"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

// BenchmarkHistory reports what a year of daily values costs beside one day's
// full analysis on the same data in the same run, resampling aside: ratio, of
// the medians. The others are a year of one series beside the same, and as
// own-ratio beside one day's answer of that series, which is a few queries of which
// any other work of the machine shows: it says what a day more costs.
func BenchmarkHistory(b *testing.B) {
	for _, c := range []struct {
		name string
		db   func(testing.TB) *clickhouse.DB
		last time.Time
	}{
		{"tickets=10000", func(t testing.TB) *clickhouse.DB { return crowd(t.(*testing.B), 10_000) }, day(365)},
		{"tickets=100000", func(t testing.TB) *clickhouse.DB { return crowd(t.(*testing.B), 100_000) }, day(365)},
		{"incident log", sandboxtest.IncidentLog, time.Date(2017, 3, 1, 0, 0, 0, 0, time.UTC)},
		{"organisation with a roster", func(t testing.TB) *clickhouse.DB {
			o := sandbox.Generate(1, time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: 20_000})
			db := sandboxtest.Organisation(t, o)
			staff(t, db, string(o.RosterYAML()))
			return db
		}, time.Date(2026, 9, 29, 0, 0, 0, 0, time.UTC)},
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
				if err := withoutLuck(e, asOf); err != nil {
					b.Fatal(err)
				}
			})
		})
		for _, s := range []Series{
			{Days(90), Load, Tickets, Team}, {Days(90), Assigned, Tickets, Team}, {Days(90), Resolved, Tickets, Team},
			{Days(90), Load, Effort, Team}, {Days(90), Assigned, Effort, Team}, {Days(90), Resolved, Effort, Team},
			{All, Resolved, Tickets, Team}, {Days(90), Load, Effort, Area}, {Days(90), Assigned, Tickets, Area}, {Days(90), Load, Tickets, Source},
		} {
			one := year
			one.Series = []Series{s}
			b.Run(fmt.Sprintf("%s/%s %s by %s %s", c.name, s.Basis, s.Unit, s.By, s.Window), func(b *testing.B) {
				besides(b, func() { run(b, e, one) }, func() {
					if err := withoutLuck(e, asOf); err != nil {
						b.Fatal(err)
					}
				}, func() {
					if err := withoutLuck(e, asOf, s); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

// withoutLuck is all that a Snapshot computes but for its lotteries, one after
// another; or one Distribution.
func withoutLuck(e *Engine, asOf time.Time, only ...Series) error {
	ctx := context.Background()
	w, err := e.world(ctx)
	if err != nil {
		return err
	}
	to := millis(asOf)
	distribution := func(basis Basis, by By, windows []Window, models ...*effort.Model) error {
		var froms []int64
		var gathered []*gathering
		for _, window := range windows {
			from, _ := window.Bounds(asOf)
			froms = append(froms, millis(from))
		}
		for _, m := range models {
			gathered = append(gathered, w.gathering(basis, by, m, len(windows)))
		}
		if err := e.units(ctx, w, basis, by, froms, to, gathered...); err != nil {
			return err
		}
		for _, g := range gathered {
			for i, tallied := range g.finish() {
				from, to := windows[i].Bounds(asOf)
				if _, err := w.measureAll(tallied, by, from, to); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if len(only) > 0 {
		s := only[0]
		if s.Unit == Tickets {
			return distribution(s.Basis, s.By, []Window{s.Window}, nil)
		}
		model, err := e.model(ctx, w, to)
		if err != nil {
			return err
		}
		return distribution(s.Basis, s.By, []Window{s.Window}, &model)
	}
	model, err := e.model(ctx, w, to)
	if err != nil {
		return err
	}
	if _, err := e.ownership(ctx, w, beginning, to); err != nil {
		return err
	}
	for _, basis := range Bases {
		if err := distribution(basis, Team, e.config.Windows, nil, &model); err != nil {
			return err
		}
	}
	if _, err := e.openLoad(ctx, w, &model, asOf, to); err != nil {
		return err
	}
	span := weeksBefore(asOf, judgedWeeks+e.config.Overload.BaselineWeeks)
	squads, err := e.squadsAt(ctx, w, span)
	if err != nil {
		return err
	}
	if _, err := e.overloads(squads, span); err != nil {
		return err
	}
	if _, err := e.backlogs(ctx, w, span, to); err != nil {
		return err
	}
	_, err = e.handovers(ctx, w, to)
	return err
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
func besides(b *testing.B, year, day func(), own ...func()) {
	var years, days, owns []time.Duration
	timed := func(do func()) time.Duration {
		began := time.Now()
		do()
		return time.Since(began)
	}
	for b.Loop() {
		days = append(days, timed(day))
		years = append(years, timed(year))
		for _, do := range own {
			owns = append(owns, timed(do))
		}
	}
	slices.Sort(years)
	slices.Sort(days)
	y, d := years[len(years)/2], days[len(days)/2]
	b.ReportMetric(y.Seconds()*1e3, "ms/year")
	b.ReportMetric(d.Seconds()*1e3, "ms/day")
	b.ReportMetric(y.Seconds()/d.Seconds(), "ratio")
	if len(owns) > 0 {
		slices.Sort(owns)
		b.ReportMetric(y.Seconds()/owns[len(owns)/2].Seconds(), "own-ratio")
	}
	b.ReportMetric(0, "ns/op")
}
