package analysis

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/sandbox/sandboxtest"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// crowd writes n plain tickets of 200 people in 40 groups over a year.
func crowd(b *testing.B, n int) *clickhouse.DB {
	b.Helper()
	db := replayWarehouse(b)
	ctx := context.Background()
	var accounts []ticket.Account
	for i := range 200 {
		accounts = append(accounts, ticket.Account{Source: "snow", ID: fmt.Sprint("p", i), Email: fmt.Sprintf("p%d@example.com", i), Active: true})
	}
	if err := db.WriteAccounts(ctx, accounts); err != nil {
		b.Fatal(err)
	}
	var records []ticket.Record
	for i := range n {
		at := 365 * float64(i) / float64(n)
		w := opened(fmt.Sprint(i), at).in(fmt.Sprint("area ", i%60))
		w.Group = fmt.Sprint("group ", i%40)
		w.give(at+0.1, fmt.Sprint("p", (i*7)%200)).status(at+0.2, fmt.Sprint("p", (i*7)%200), statusWork)
		w.give(at+1, fmt.Sprint("p", (i*i)%200)).comment(at+1.5, fmt.Sprint("p", i%200)).status(at+float64(i%17), "dan", statusDone)
		r := timeline.Derive(w.Ticket)
		r.Version = 1
		records = append(records, r)
		if len(records) == 5_000 || i == n-1 {
			if err := db.WriteTickets(ctx, records); err != nil {
				b.Fatal(err)
			}
			records = records[:0]
		}
	}
	return db
}

func benchmarkSnapshot(b *testing.B, db *clickhouse.DB, asOf time.Time) {
	e := New(db, Options{Key: testKey})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Snapshot(context.Background(), asOf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSnapshot is one full analysis. From 10⁴ to 10⁶ tickets its time should
// grow less than a hundredfold: us/ticket falls.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("tickets=%d", n), func(b *testing.B) {
			if n > 100_000 && testing.Short() {
				b.Skip("takes minutes to write")
			}
			db := crowd(b, n)
			b.ResetTimer()
			benchmarkSnapshot(b, db, day(365))
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "us/ticket")
		})
	}
	b.Run("incident log", func(b *testing.B) {
		db := sandboxtest.IncidentLog(b)
		b.ResetTimer()
		benchmarkSnapshot(b, db, time.Date(2016, 6, 1, 0, 0, 0, 0, time.UTC))
	})
	b.Run("nothing", func(b *testing.B) {
		benchmarkSnapshot(b, clickhousetest.New(b), day(365))
	})
}
