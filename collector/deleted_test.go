package collector_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"fairlead/analysis"
	"fairlead/collector"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
	"fairlead/connectors/source/sourcetest"
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
	clock := sourcetest.NewClock(epoch)
	site := jiratest.New(jiratest.Options{Flavour: jiratest.Cloud, Clock: clock.Now})
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
	server := httptest.NewServer(site)
	defer server.Close()
	cfg := jira.DefaultConfig()
	cfg.URL, cfg.Flavour, cfg.Email, cfg.Token = server.URL, jira.Cloud, "fairlead@example.test", "token"
	src, err := jira.New(cfg, jira.Options{Name: "jira", Transport: rest.New("jira", rest.Config{}, nil, nil, nil), Clock: clock.Now})
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
	before := clock.Now()
	loads(map[time.Time]uint64{before: 5})

	must(site.Delete(ids[1]))
	must(site.Deny(ids[3], true)) // is taken for deleted: nobody could tell
	gone := clock.Advance(24 * time.Hour)
	must(c.Once(t.Context()))
	loads(map[time.Time]uint64{before: 5, gone.Add(-time.Minute): 5, gone: 3, gone.Add(time.Hour): 3})

	must(site.Deny(ids[3], false))
	back := clock.Advance(24 * time.Hour)
	must(c.Once(t.Context()))
	loads(map[time.Time]uint64{before: 5, back: 4})
}
