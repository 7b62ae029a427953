package collector_test

import (
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
	"fairlead/connectors/ticket"
)

var _ source.Scoped = (*jira.Source)(nil)

// present is what the warehouse holds of each ticket that is not marked as deleted:
// its effort, and what its status means.
func present(t *testing.T, db *clickhouse.DB) map[string]string {
	t.Helper()
	rows, err := db.Conn().Query(t.Context(), `SELECT t.key, concat(if(isNull(t.effort), 'none', toString(t.effort)), ' ', s.value)
		FROM `+db.Table("tickets")+` AS t FINAL
		LEFT JOIN (SELECT id, value FROM `+db.Table("terms")+` FINAL WHERE field = 'status') AS s ON s.id = t.status
		WHERE isNull(t.deleted)`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var key, holds string
		if err := rows.Scan(&key, &holds); err != nil {
			t.Fatal(err)
		}
		found[key] = holds
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// TestAChangedConfigurationHolds for tickets that nobody touches any more: what is
// added to it is collected from the beginning, what is mapped otherwise is mapped
// anew, and what is taken out leaves with the next sweep.
func TestAChangedConfigurationHolds(t *testing.T) {
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		t.Run(string(flavour), func(t *testing.T) {
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			clock := sourcetest.NewClock(epoch)
			site := jiratest.New(jiratest.Options{Flavour: flavour, Clock: clock.Now})
			must(site.AddUser(jiratest.User{Name: "ann"}))
			must(site.AddProject(jiratest.Project{ID: "10", Key: "NET"}))
			must(site.AddProject(jiratest.Project{ID: "11", Key: "DB"}))
			must(site.AddStatus(jiratest.Status{ID: "1", Name: "To Do", Category: jiratest.ToDo}))
			must(site.AddStatus(jiratest.Status{ID: "6", Name: "Done", Category: jiratest.Done}))
			must(site.AddIssueType(jiratest.IssueType{ID: "2", Name: "Bug"}))
			points := 3.0
			for _, project := range []string{"10", "11"} {
				for _, i := range []jiratest.Issue{ // -1 open, -2 closed last month, -3 a year ago, -4 three years ago
					{Status: "1", Created: epoch.AddDate(0, -9, 0)},
					{Status: "6", Created: epoch.AddDate(0, -1, 0)},
					{Status: "6", Created: epoch.AddDate(-1, 0, 0)},
					{Status: "6", Created: epoch.AddDate(-3, 0, 0)},
				} {
					i.Project, i.Type, i.Creator, i.Reporter, i.Assignee, i.Points = project, "2", "ann", "ann", "ann", &points
					_, err := site.AddIssue(i)
					must(err)
				}
			}
			server := httptest.NewServer(site)
			defer server.Close()
			db := clickhousetest.New(t)

			// A process a day, each with the configuration of its day.
			cfg := jira.DefaultConfig()
			cfg.URL, cfg.Flavour, cfg.Token = server.URL, jira.Flavour(flavour), "token"
			if flavour == jiratest.Cloud {
				cfg.Email = "fairlead@example.test"
			}
			since := epoch.AddDate(-2, 0, 0)
			collect := func() map[string]string {
				t.Helper()
				clock.Advance(24 * time.Hour)
				site.ResetRequests()
				src, err := jira.New(cfg, jira.Options{Name: "jira", Transport: rest.New("jira", rest.Config{}, nil, nil, nil), Clock: clock.Now, Since: since})
				must(err)
				config := collector.DefaultConfig()
				config.SweepInterval, config.SweepMaxShare = time.Nanosecond, 1
				must(collector.New(config, src, db, nil, nil, nil).Once(t.Context()))
				return present(t, db)
			}
			expect := func(when string, keys string, holds string) {
				t.Helper()
				got, want := collect(), map[string]string{}
				for key := range strings.FieldsSeq(keys) {
					want[key] = "3 todo"
					if !strings.HasSuffix(key, "-1") {
						want[key] = "3 " + holds
					}
				}
				if !maps.Equal(got, want) {
					t.Errorf("%s\n got %v\nwant %v", when, got, want)
				}
			}

			cfg.Projects = []string{"NET"}
			expect("a first collection", "NET-1 NET-2 NET-3", "done")
			quiet := site.TotalRequests()
			cfg.Projects = []string{"NET", "DB"}
			expect("another project", "NET-1 NET-2 NET-3 DB-1 DB-2 DB-3", "done")
			expect("a day later", "NET-1 NET-2 NET-3 DB-1 DB-2 DB-3", "done")
			if again := site.TotalRequests(); again >= quiet {
				t.Errorf("a restart takes %d requests, and a first collection %d", again, quiet)
			}
			since = epoch.AddDate(-5, 0, 0)
			expect("further back", "NET-1 NET-2 NET-3 NET-4 DB-1 DB-2 DB-3 DB-4", "done")
			cfg.Statuses = map[string]ticket.Category{"Done": ticket.CategoryInProgress}
			expect("another meaning of a status", "NET-1 NET-2 NET-3 NET-4 DB-1 DB-2 DB-3 DB-4", "in_progress")
			cfg.Statuses = nil
			cfg.EffortField = "none"
			for key, holds := range collect() {
				if strings.HasPrefix(holds, "3 ") {
					t.Errorf("without an effort field %s has %q", key, holds)
				}
			}
			cfg.EffortField = ""
			cfg.JQL = "project = DB OR created > -60d"
			expect("fewer by JQL", "NET-2 DB-1 DB-2 DB-3 DB-4", "done")
			cfg.JQL, cfg.Projects = "", []string{"DB"}
			expect("a project less", "DB-1 DB-2 DB-3 DB-4", "done")
			cfg.Projects = []string{"NET", "DB"}
			expect("and back", "NET-1 NET-2 NET-3 NET-4 DB-1 DB-2 DB-3 DB-4", "done")
		})
	}
}
