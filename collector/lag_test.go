package collector_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"fairlead/collector"
	"fairlead/connectors/clickhouse"
	"fairlead/connectors/clickhouse/clickhousetest"
	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/rest"
	"fairlead/connectors/source/sourcetest"
)

// TestEditsWhileJirasIndexLags edits issues of a Jira Cloud site all the while,
// whose searches show them half a minute late, and expects the warehouse to be
// as the site is once it is quiet.
func TestEditsWhileJirasIndexLags(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	clock := sourcetest.NewClock(epoch)
	site := jiratest.New(jiratest.Options{Flavour: jiratest.Cloud, Clock: clock.Now, IndexLag: 30 * time.Second, TimeZone: "Asia/Kolkata"})
	for _, name := range people {
		must(site.AddUser(jiratest.User{Name: name}))
	}
	must(site.AddProject(jiratest.Project{ID: "10", Key: "NET"}))
	must(site.AddProject(jiratest.Project{ID: "11", Key: "DB"}))
	must(site.AddStatus(jiratest.Status{ID: "1", Name: "To Do", Category: jiratest.ToDo}))
	must(site.AddStatus(jiratest.Status{ID: "6", Name: "Done", Category: jiratest.Done}))
	must(site.AddIssueType(jiratest.IssueType{ID: "2", Name: "Bug"}))
	random := rand.New(rand.NewPCG(4, 2))
	var ids []string
	for i := range 60 {
		id, err := site.AddIssue(jiratest.Issue{Project: "10", Type: "2", Status: "1", Reporter: "ann", Creator: "ann",
			Created: epoch.Add(-time.Duration(random.IntN(5000)) * time.Hour)})
		must(err)
		ids = append(ids, id)
		if i%2 == 0 {
			must(site.Edit(id, "ann", epoch.Add(-time.Hour), jiratest.Transition("6"), jiratest.Assign("bob")))
		}
	}

	var edits atomic.Int64
	edits.Store(150)
	site.BeforeEach(func(*http.Request) {
		at := clock.Advance(time.Duration(random.IntN(4000)) * time.Millisecond)
		if edits.Load() == 0 {
			return
		}
		edits.Add(-1)
		edit := []jiratest.Edit{jiratest.Assign(people[random.IntN(len(people))])}
		switch random.IntN(4) {
		case 0:
			edit = append(edit, jiratest.Transition([]string{"1", "6"}[random.IntN(2)]))
		case 1:
			edit = append(edit, jiratest.Move([]string{"10", "11"}[random.IntN(2)]))
		}
		if err := site.Edit(ids[random.IntN(len(ids))], "cyd", at, edit...); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(site)
	defer server.Close()

	into := func() (*collector.Collector, *clickhouse.DB) {
		cfg := jira.DefaultConfig()
		cfg.URL, cfg.Flavour, cfg.Email, cfg.Token, cfg.PageSize = server.URL, jira.Cloud, "fairlead@example.test", "token", 7
		src, err := jira.New(cfg, jira.Options{Name: "jira", Transport: rest.New("jira", rest.Config{}, nil, nil, nil), Clock: clock.Now})
		must(err)
		db := clickhousetest.New(t)
		return collector.New(collector.DefaultConfig(), src, db, nil, nil, nil), db
	}
	c, db := into()
	for range 100 {
		must(c.Once(t.Context()))
		if edits.Load() == 0 {
			break
		}
	}
	if left := edits.Load(); left > 0 {
		t.Fatalf("%d edits were never made", left)
	}
	clock.Advance(10 * time.Minute)
	must(c.Once(t.Context()))

	later, fresh := into()
	must(later.Once(t.Context()))
	got, want := stored(t, db), stored(t, fresh)
	compare(t, got, want)
	if n := fmt.Sprintf("%d tickets", len(ids)); len(want) < len(ids) || want[len(ids)] != n {
		t.Errorf("a collection of a quiet site does not have %s", n)
	}
}
