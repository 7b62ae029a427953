package collector_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/collector"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
)

// TestADeletedTicketLeavesTheLoadAndStaysInHistory, and is loaded again once it is
// back.
func TestADeletedTicketLeavesTheLoadAndStaysInHistory(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := epoch
	clock := func() time.Time { return now }
	site := jiratest.New(jiratest.Options{Flavour: jiratest.Cloud, Clock: clock})
	must(site.AddUser(jiratest.User{Name: "ann"}))
	must(site.AddProject(jiratest.Project{ID: "10", Key: "NET"}))
	must(site.AddStatus(jiratest.Status{ID: "1", Name: "To Do", Category: jiratest.ToDo}))
	must(site.AddIssueType(jiratest.IssueType{ID: "2", Name: "Bug"}))
	var ids []string
	for range 5 {
		id, err := site.AddIssue(jiratest.Issue{Project: "10", Type: "2", Status: "1", Reporter: "ann", Creator: "ann", Assignee: "ann", Created: epoch.AddDate(0, 0, -10)})
		must(err)
		ids = append(ids, id)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", clock().Format(http.TimeFormat))
		site.ServeHTTP(w, r)
	}))
	defer server.Close()
	cfg := jira.DefaultConfig()
	cfg.URL, cfg.Flavour, cfg.Email, cfg.Token = server.URL, jira.Cloud, "fairlead@example.test", "token"
	src, err := jira.New(cfg, jira.Options{Name: "jira", Transport: rest.New("jira", rest.Config{}, nil, nil, nil), Clock: clock})
	must(err)
	db := clickhousetest.New(t)
	config := collector.DefaultConfig()
	config.SweepInterval = time.Nanosecond
	c := collector.New(config, src, db, nil, nil, nil)
	engine := analysis.New(db, analysis.Options{Key: []byte("0123456789abcdef0123456789abcdef")})

	loads := func(want map[time.Time]uint64) {
		t.Helper()
		for at, n := range want {
			load, err := engine.LoadAt(t.Context(), at)
			must(err)
			got := uint64(0)
			for _, team := range load.Teams {
				got += team.Tickets
			}
			if got != n {
				t.Errorf("%d tickets were open at %v, want %d", got, at, n)
			}
		}
	}
	must(c.Once(t.Context()))
	before := now
	loads(map[time.Time]uint64{before: 5})

	must(site.Delete(ids[1]))
	must(site.Deny(ids[3], true)) // is taken for deleted: nobody could tell
	now = now.Add(24 * time.Hour)
	gone := now
	must(c.Once(t.Context()))
	loads(map[time.Time]uint64{before: 5, gone.Add(-time.Minute): 5, gone: 3, gone.Add(time.Hour): 3})

	must(site.Deny(ids[3], false))
	now = now.Add(24 * time.Hour)
	must(c.Once(t.Context()))
	loads(map[time.Time]uint64{before: 5, now: 4})
}
