package jira_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
)

func TestCheck(t *testing.T) {
	type change = func(*jira.Config, *jira.Options)
	type prepare = func(*testing.T, *jiratest.Instance)
	for name, test := range map[string]struct {
		site    jiratest.Options
		prepare prepare
		change  change
		want    map[string]string // by what: level, and words of what is said
	}{
		"all is well": {want: map[string]string{
			"account": "ok Collector", "time zone": "ok Etc/UTC", "version": "ok", "projects": "ok all 1", "effort": "ok customfield_10016",
			"tickets visible": "ok about 2; a first collection takes about", "permissions": "ok and change nothing", "rate limit": "ok tells none", "history": "ok", "e-mail addresses": "ok visible for 1 of 1",
		}},
		"the zone is hidden": {site: jiratest.Options{HideTimeZone: true}, want: map[string]string{"time zone": "warning a day more"}},
		"the account cannot be had": {prepare: func(_ *testing.T, in *jiratest.Instance) {
			in.Inject(jiratest.Fault{Path: "/myself", Status: http.StatusNotFound})
		}, want: map[string]string{"account": "warning unknown", "time zone": "warning a day more", "tickets visible": "ok about 2", "history": "ok"}},
		"e-mails are hidden":     {site: jiratest.Options{HideEmails: true}, want: map[string]string{"e-mail addresses": "warning hidden"}},
		"e-mails are masked":     {site: jiratest.Options{MaskEmails: true}, want: map[string]string{"e-mail addresses": "warning masked"}},
		"nothing may be browsed": {site: jiratest.Options{Permissions: []string{"-BROWSE_PROJECTS"}}, want: map[string]string{"permissions": "failed Browse projects"}},
		"a user of Jira":         {site: jiratest.Options{Permissions: []string{"EDIT_ISSUES"}}, want: map[string]string{"permissions": "ok edit issues, which Fairlead never does"}},
		"an administrator":       {site: jiratest.Options{Permissions: []string{"EDIT_ISSUES", "ADMINISTER"}}, want: map[string]string{"permissions": "warning administer Jira, edit issues; use one"}},
		"permissions are not told": {prepare: func(_ *testing.T, in *jiratest.Instance) {
			in.Inject(jiratest.Fault{Path: "/mypermissions", Status: http.StatusNotFound})
		}, want: map[string]string{"permissions": "warning unknown"}},
		"what is older than since does not count": {
			prepare: func(t *testing.T, in *jiratest.Instance) {
				for _, i := range []jiratest.Issue{{Status: "6"}, {Status: "3"}} {
					i.Project, i.Type, i.Created = "10001", "10", serverNow.AddDate(-3, 0, 0)
					_, err := in.AddIssue(i)
					must(t, err)
				}
			},
			change: func(_ *jira.Config, o *jira.Options) { o.Since = serverNow.AddDate(-1, 0, 0) },
			want:   map[string]string{"tickets visible": "ok about 3; a first collection takes about"},
		},
		"every project":        {change: func(c *jira.Config, _ *jira.Options) { c.Projects = nil }, want: map[string]string{"projects": "warning 2 are visible"}},
		"a project is missing": {change: func(c *jira.Config, _ *jira.Options) { c.Projects = []string{"NET", "LOST"} }, want: map[string]string{"projects": "failed LOST", "tickets visible": "failed"}},
		"nothing is visible": {prepare: func(t *testing.T, in *jiratest.Instance) {
			for _, id := range in.IDs() {
				must(t, in.Deny(id, true))
			}
		}, want: map[string]string{"tickets visible": "failed none"}},
		"the clocks differ":             {change: func(_ *jira.Config, o *jira.Options) { o.Clock = func() time.Time { return serverNow.Add(time.Hour) } }, want: map[string]string{"clock": "warning 1h0m0s"}},
		"the effort field is not there": {change: func(c *jira.Config, _ *jira.Options) { c.EffortField = "customfield_1" }, want: map[string]string{"effort": "failed customfield_1"}},
		"the version cannot be had": {prepare: func(_ *testing.T, in *jiratest.Instance) {
			in.Inject(jiratest.Fault{Path: "/serverInfo", Status: http.StatusNotFound})
		}, want: map[string]string{"version": "warning unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
				test.site.Flavour = flavour
				in := newSite(t, test.site)
				id := add(t, in, serverNow.AddDate(0, 0, -2))
				must(t, in.Edit(id, "ann", serverNow.AddDate(0, 0, -1), jiratest.Assign("bob")))
				add(t, in, serverNow.AddDate(0, 0, -1))
				if test.prepare != nil {
					test.prepare(t, in)
				}
				src := connect(t, in, flavour, func(c *jira.Config, o *jira.Options) {
					c.Projects = []string{"NET"}
					if test.change != nil {
						test.change(c, o)
					}
				})
				report, err := src.Check(context.Background())
				must(t, err)
				said := map[string]string{}
				for _, f := range report.Facts {
					said[f.What] = string(f.Level) + " " + f.Says
				}
				for what, want := range test.want {
					level, words, _ := strings.Cut(want, " ")
					if got := said[what]; !strings.HasPrefix(got, level+" ") || !strings.Contains(got, words) {
						t.Errorf("%s: %q, want %q", what, got, want)
					}
				}
				if n := in.TotalRequests(); n > 12 {
					t.Errorf("it took %d requests", n)
				}
			})
		})
	}
}

// What the answers tell of the site's limit is shown, and a slow site takes long.
func TestCheckTellsLimitAndTime(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		for n := range 100 {
			add(t, in, serverNow.Add(-time.Duration(n)*time.Hour))
		}
		clock := sourcetest.NewClock(serverNow)
		src := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			clock.Advance(30 * time.Second)
			w.Header().Set("X-RateLimit-Limit", "50")
			w.Header().Set("X-RateLimit-Remaining", "47")
			in.ServeHTTP(w, r)
		}), flavour, func(_ *jira.Config, o *jira.Options) { o.Clock = clock.Now })
		report, err := src.Check(t.Context())
		must(t, err)
		said := fmt.Sprint(report.Facts)
		for _, words := range []string{"47 of 50 requests", " minutes"} {
			if !strings.Contains(said, words) {
				t.Errorf("check does not say %q: %s", words, said)
			}
		}
	})
}

func TestCheckKnowsTheOtherFlavour(t *testing.T) {
	in := newSite(t, jiratest.Options{Flavour: jiratest.Cloud})
	mine := scripted{in, map[string]string{
		"/rest/api/2/myself":     `{"name": "me", "displayName": "Me", "timeZone": "Etc/UTC"}`,
		"/rest/api/2/serverInfo": `{"version": "1001.0.0", "deploymentType": "Cloud", "versionNumbers": [1001, 0, 0]}`,
	}}
	report, err := connect(t, mine, jiratest.DataCenter, nil).Check(context.Background())
	must(t, err)
	for _, f := range report.Facts {
		if f.What == "version" && f.Level == source.LevelFailed && strings.Contains(f.Says, "flavour: cloud") {
			return
		}
	}
	t.Errorf("got %+v", report)
}

func TestCheckFailsWithoutACredential(t *testing.T) {
	in := newSite(t, jiratest.Options{Token: "another", Email: testEmail})
	if _, err := connect(t, in, jiratest.Cloud, nil).Check(context.Background()); !errors.Is(err, source.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
}
