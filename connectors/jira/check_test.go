package jira_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/source"
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
			"tickets visible": "ok about 2", "history": "ok", "e-mail addresses": "ok visible for 1 of 1",
		}},
		"the zone is hidden":   {site: jiratest.Options{HideTimeZone: true}, want: map[string]string{"time zone": "warning a day more"}},
		"e-mails are hidden":   {site: jiratest.Options{HideEmails: true}, want: map[string]string{"e-mail addresses": "warning hidden"}},
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
