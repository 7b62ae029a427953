package report

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/roster"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

var testKey = []byte("a key for tests, of enough bytes")

// engineOf draws few lots: how well they draw is for package distribution to test.
func engineOf(db *clickhouse.DB) *analysis.Engine {
	return analysis.New(db, analysis.Options{Key: testKey, Draws: 399})
}

func collect(t testing.TB, db *clickhouse.DB, src source.Source) {
	t.Helper()
	ctx := context.Background()
	start, err := src.Now(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range source.Backfill {
		for page, err := range src.Pages(ctx, stream, source.Cursor{Start: start}) {
			if err != nil {
				t.Fatal(err)
			}
			records := make([]ticket.Record, len(page.Tickets))
			for i, one := range page.Tickets {
				records[i] = timeline.Derive(one)
				records[i].Version = uint64(page.Sent.UnixMicro())
			}
			if err := db.WriteAccounts(ctx, page.Accounts); err != nil {
				t.Fatal(err)
			}
			if err := db.WriteTerms(ctx, page.Terms); err != nil {
				t.Fatal(err)
			}
			if err := db.WriteTickets(ctx, records); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func serve(t testing.TB, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func fromServiceNow(t testing.TB, db *clickhouse.DB, in *servicenowtest.Instance, tables ...string) {
	t.Helper()
	cfg := servicenow.DefaultConfig()
	cfg.URL, cfg.Username, cfg.Password, cfg.Tables = serve(t, in.Handler()), "fairlead", "fairlead", nil
	for _, name := range tables {
		cfg.Tables = append(cfg.Tables, servicenow.Table{Name: name})
	}
	src, err := servicenow.New(cfg, servicenow.Options{Name: "servicenow"})
	if err != nil {
		t.Fatal(err)
	}
	collect(t, db, src)
}

// organisation is the generated one, collected, with its roster if asked for.
func organisation(t testing.TB, tickets int, rostered bool) (*clickhouse.DB, *sandbox.Organisation) {
	t.Helper()
	o := sandbox.Generate(1, time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC), sandbox.Options{Tickets: tickets})
	db := clickhousetest.New(t)
	fromServiceNow(t, db, o.ServiceNow(servicenowtest.Options{}), "incident", "sc_task", "change_request", "problem")
	in, err := o.Jira(jiratest.Options{Flavour: jiratest.Cloud, Token: "token", Email: "collector@example.invalid"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := jira.DefaultConfig()
	cfg.URL, cfg.Flavour, cfg.Token, cfg.Email = serve(t, in), jira.Cloud, "token", "collector@example.invalid"
	src, err := jira.New(cfg, jira.Options{Name: "jira"})
	if err != nil {
		t.Fatal(err)
	}
	collect(t, db, src)
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
