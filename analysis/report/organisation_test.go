package report

import (
	"context"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/roster"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/sandboxtest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

var testKey = []byte("a key for tests, of enough bytes")

// engineOf draws few lots: how well they draw is for package distribution to test.
func engineOf(db *clickhouse.DB) *analysis.Engine {
	return analysis.New(db, analysis.Options{Key: testKey, Draws: 399})
}

// organisation is the generated one, collected, with its roster if asked for.
func organisation(t testing.TB, tickets int, rostered bool) (*clickhouse.DB, *sandbox.Organisation) {
	t.Helper()
	o := sandbox.Generate(1, time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: tickets})
	db := sandboxtest.Organisation(t, o)
	if rostered {
		r, err := roster.Parse(roster.File{Name: "roster.yaml", Text: o.RosterYAML()})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.WriteRoster(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	return db, o
}

// quarter computes one.
func quarter(t testing.TB, db *clickhouse.DB, name string, asOf time.Time) *analysis.Quarter {
	t.Helper()
	window, err := analysis.ParseWindow(name)
	if err != nil {
		t.Fatal(err)
	}
	q, err := engineOf(db).Quarter(context.Background(), window, asOf)
	if err != nil {
		t.Fatal(err)
	}
	return q
}
