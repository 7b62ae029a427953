// Package sandboxtest gives tests a filled warehouse: generated organisations and
// real logs, served by the fakes and read over HTTP by the real connectors, but
// written without a collector.
package sandboxtest

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"testing"

	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/sandbox"
	"fairlead/connectors/sandbox/shared"
	"fairlead/connectors/servicenow"
	"fairlead/connectors/servicenow/servicenowtest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
	"fairlead/connectors/timeline"
)

// The tables of an organisation's ServiceNow.
var tables = []string{"incident", "sc_task", "change_request", "problem"}

// Pages yields everything that a first collection of a source brings.
func Pages(t testing.TB, src source.Source) iter.Seq[source.Page] {
	t.Helper()
	return func(yield func(source.Page) bool) {
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
				if !yield(page) {
					return
				}
			}
		}
	}
}

// Store writes a page.
func Store(t testing.TB, db *clickhouse.DB, page source.Page) {
	t.Helper()
	ctx := context.Background()
	records := make([]ticket.Record, len(page.Tickets))
	for i, one := range page.Tickets {
		records[i] = timeline.Derive(one)
		records[i].Version = uint64(page.Sent.UnixMicro())
	}
	if err := errors.Join(db.WriteAccounts(ctx, page.Accounts), db.WriteTerms(ctx, page.Terms), db.WriteTickets(ctx, records)); err != nil {
		t.Fatal(err)
	}
}

// Collect stores everything that a source has.
func Collect(t testing.TB, db *clickhouse.DB, src source.Source) {
	t.Helper()
	for page := range Pages(t, src) {
		Store(t, db, page)
	}
}

// ServiceNow reads tables of an instance, which is served until the test ends.
func ServiceNow(t testing.TB, in *servicenowtest.Instance, tables ...string) source.Source {
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
	return src
}

// JiraOptions are those of an instance that Jira reads.
func JiraOptions(flavour jiratest.Flavour) jiratest.Options {
	o := jiratest.Options{Flavour: flavour, Token: "token"}
	if flavour == jiratest.Cloud {
		o.Email = "collector@example.invalid"
	}
	return o
}

// Jira reads an instance with JiraOptions, which is served until the test ends.
func Jira(t testing.TB, in *jiratest.Instance) source.Source {
	t.Helper()
	o := JiraOptions(in.Flavour())
	cfg := jira.DefaultConfig()
	cfg.URL, cfg.Flavour, cfg.Token, cfg.Email = serve(t, in), jira.Flavour(o.Flavour), o.Token, o.Email
	src, err := jira.New(cfg, jira.Options{Name: "jira"})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// Sources are an organisation's ServiceNow and Jira, as Cloud.
func Sources(t testing.TB, o *sandbox.Organisation) []source.Source {
	t.Helper()
	in, err := o.Jira(JiraOptions(jiratest.Cloud))
	if err != nil {
		t.Fatal(err)
	}
	return []source.Source{ServiceNow(t, o.ServiceNow(servicenowtest.Options{}), tables...), Jira(t, in)}
}

// Organisation is a warehouse of its own with what both systems of an
// organisation have.
func Organisation(t testing.TB, o *sandbox.Organisation) *clickhouse.DB {
	t.Helper()
	db := clickhousetest.New(t)
	for _, src := range Sources(t, o) {
		Collect(t, db, src)
	}
	return db
}

// IncidentLog is a warehouse with the real log of a ServiceNow.
func IncidentLog(t testing.TB) *clickhouse.DB {
	t.Helper()
	in := servicenowtest.New(servicenowtest.Options{})
	if _, err := sandbox.LoadIncidentLog(shared.Open(t, "data/servicenow_incident_event_log.csv.gz"), in); err != nil {
		t.Fatal(err)
	}
	db := clickhousetest.New(t)
	Collect(t, db, ServiceNow(t, in, "incident"))
	return db
}

// IssueLog is a warehouse with the real issues of a Jira, served by a flavour.
func IssueLog(t testing.TB, flavour jiratest.Flavour) *clickhouse.DB {
	t.Helper()
	in := jiratest.New(JiraOptions(flavour))
	if _, err := sandbox.LoadIssueLog(shared.Open(t, "data/jira_duraspace.jsonl.gz"), in); err != nil {
		t.Fatal(err)
	}
	db := clickhousetest.New(t)
	Collect(t, db, Jira(t, in))
	return db
}

func serve(t testing.TB, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}
