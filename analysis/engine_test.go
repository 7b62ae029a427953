package analysis

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

var testKey = []byte("a key for tests, of enough bytes")

// engine is one over a warehouse, with a clock that stands still, and with few
// draws of each lottery: how well these draw is for package distribution to test.
func engine(db *clickhouse.DB) *Engine {
	e := fullEngine(db)
	e.draws = 399
	return e
}

// fullEngine draws as often as is published.
func fullEngine(db *clickhouse.DB) *Engine {
	return New(db, Options{Key: testKey, Clock: func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }})
}

// collect stores everything that a source has, without a collector.
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
			store(t, db, page)
		}
	}
}

func store(t testing.TB, db *clickhouse.DB, page source.Page) {
	t.Helper()
	ctx := context.Background()
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

// shared is the folder of the real logs, or the test is skipped; in CI their
// absence is a failure.
func shared(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("FAIRLEAD_SHARED")
	if folder == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("FAIRLEAD_SHARED is not set: the real logs must be there in CI")
		}
		t.Skip("FAIRLEAD_SHARED is not set")
	}
	return filepath.Join(folder, "data")
}

func serve(t testing.TB, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// issueLog is the Jira log, served by one of the flavours.
func issueLog(t testing.TB, flavour jiratest.Flavour) *clickhouse.DB {
	t.Helper()
	file, err := os.Open(filepath.Join(shared(t), "jira_duraspace.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	in := jiratest.New(jiratest.Options{Flavour: flavour, Token: "token", Email: emailOf(flavour)})
	if _, err := sandbox.LoadIssueLog(file, in); err != nil {
		t.Fatal(err)
	}
	db := clickhousetest.New(t)
	collect(t, db, jiraSource(t, in))
	return db
}

func emailOf(flavour jiratest.Flavour) string {
	if flavour == jiratest.DataCenter {
		return ""
	}
	return "collector@example.invalid"
}

func jiraSource(t testing.TB, in *jiratest.Instance) source.Source {
	t.Helper()
	cfg := jira.DefaultConfig()
	cfg.URL = serve(t, in)
	cfg.Flavour, cfg.Token, cfg.Email = jira.Flavour(in.Flavour()), "token", emailOf(in.Flavour())
	src, err := jira.New(cfg, jira.Options{Name: "jira"})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func servicenowSource(t testing.TB, in *servicenowtest.Instance, tables ...string) source.Source {
	t.Helper()
	cfg := servicenow.DefaultConfig()
	cfg.URL = serve(t, in.Handler())
	cfg.Username, cfg.Password = "fairlead", "fairlead"
	cfg.Tables = nil
	for _, name := range tables {
		cfg.Tables = append(cfg.Tables, servicenow.Table{Name: name})
	}
	src, err := servicenow.New(cfg, servicenow.Options{Name: "servicenow"})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// organisation is a generated one, collected from both of its systems.
func organisation(t testing.TB, o *sandbox.Organisation) *clickhouse.DB {
	t.Helper()
	db := clickhousetest.New(t)
	collectOrganisation(t, db, o)
	return db
}

func collectOrganisation(t testing.TB, db *clickhouse.DB, o *sandbox.Organisation) {
	t.Helper()
	collect(t, db, servicenowSource(t, o.ServiceNow(servicenowtest.Options{}), "incident", "sc_task", "change_request", "problem"))
	in, err := o.Jira(jiratest.Options{Flavour: jiratest.Cloud, Token: "token", Email: emailOf(jiratest.Cloud)})
	if err != nil {
		t.Fatal(err)
	}
	collect(t, db, jiraSource(t, in))
}

func incidentLog(t testing.TB) *clickhouse.DB {
	t.Helper()
	file, err := os.Open(filepath.Join(shared(t), "servicenow_incident_event_log.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	in := servicenowtest.New(servicenowtest.Options{})
	if _, err := sandbox.LoadIncidentLog(file, in); err != nil {
		t.Fatal(err)
	}
	db := clickhousetest.New(t)
	collect(t, db, servicenowSource(t, in, "incident"))
	return db
}
