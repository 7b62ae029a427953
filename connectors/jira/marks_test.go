package jira_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/source"
	"fairlead/connectors/ticket"
)

// Labels, types and priorities say what was unplanned and what called somebody.
func TestMarksByConfiguration(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		issue := func(kind, priority, labels string) string {
			i := jiratest.Issue{Project: "10001", Type: kind, Priority: priority, Status: "3", Created: serverNow.Add(-time.Hour)}
			if labels != "" {
				i.Extra = map[string][]byte{"labels": []byte(labels)}
			}
			id, err := in.AddIssue(i)
			must(t, err)
			return id
		}
		plain, story, urgent := issue("10", "3", ""), issue("11", "3", `[]`), issue("10", "1", `["x"]`)
		paged, both := issue("10", "", `["team-a","PagerDuty"]`), issue("11", "1", `["interrupt"]`)
		labelled := false
		in.BeforeEach(func(r *http.Request) {
			if strings.Contains(r.URL.Path, "/search") {
				body, err := io.ReadAll(r.Body)
				must(t, err)
				labelled = labelled || strings.Contains(string(body), `"labels"`)
				r.Body = io.NopCloser(strings.NewReader(string(body)))
			}
		})
		for _, c := range []struct {
			name     string
			change   func(*jira.Config)
			labelled bool
			want     map[string][]ticket.Mark
		}{
			{"nothing", func(*jira.Config) {}, false, nil},
			{"types and priorities", func(c *jira.Config) {
				c.Planned.Types, c.Unplanned.Priorities = []string{"story"}, []string{"1"}
			}, false, map[string][]ticket.Mark{
				story: {ticket.MarkPlanned}, urgent: {ticket.MarkUnplanned}, both: {ticket.MarkUnplanned},
			}},
			{"labels", func(c *jira.Config) {
				c.OnCall.Labels, c.Unplanned.Labels = []string{"pagerduty", "opsgenie"}, []string{"interrupt", "PAGERDUTY"}
			}, true, map[string][]ticket.Mark{
				paged: {ticket.MarkOnCall, ticket.MarkUnplanned}, both: {ticket.MarkUnplanned},
			}},
		} {
			labelled = false
			src := connect(t, in, flavour, func(cfg *jira.Config, _ *jira.Options) { c.change(cfg) })
			_, tickets := read(t, src, source.StreamOpen, begin)
			for _, id := range []string{plain, story, urgent, paged, both} {
				if got := tickets[id].Marks; !slices.Equal(got, c.want[id]) {
					t.Errorf("%s: %s has %v, want %v", c.name, tickets[id].Key, got, c.want[id])
				}
			}
			if labelled != c.labelled {
				t.Errorf("%s: labels are asked for: %v", c.name, labelled)
			}
		}
	})
}

// What brings other tickets, or makes something else of them, changes the scope;
// how and by whom they are asked for does not.
func TestScope(t *testing.T) {
	scope := func(change func(*jira.Config, *jira.Options)) string {
		src := connect(t, http.NotFoundHandler(), jiratest.Cloud, change)
		return src.Scope()
	}
	base := func(c *jira.Config) {
		c.Projects, c.Kinds = []string{"NET", "DB"}, map[string]ticket.Kind{"Bug": ticket.KindBug}
	}
	plain := scope(func(c *jira.Config, _ *jira.Options) { base(c) })
	for name, c := range map[string]struct {
		same   bool
		change func(*jira.Config, *jira.Options)
	}{
		"a project more":     {false, func(c *jira.Config, _ *jira.Options) { c.Projects = append(c.Projects, "WEB") }},
		"a project less":     {false, func(c *jira.Config, _ *jira.Options) { c.Projects = c.Projects[:1] }},
		"another order":      {true, func(c *jira.Config, _ *jira.Options) { c.Projects = []string{"DB", "NET", "NET"} }},
		"jql":                {false, func(c *jira.Config, _ *jira.Options) { c.JQL = "type = Bug" }},
		"blank jql":          {true, func(c *jira.Config, _ *jira.Options) { c.JQL = "  " }},
		"another effort":     {false, func(c *jira.Config, _ *jira.Options) { c.EffortField = "customfield_1" }},
		"a kind":             {false, func(c *jira.Config, _ *jira.Options) { c.Kinds["Task"] = ticket.KindTask }},
		"a kind in capitals": {true, func(c *jira.Config, _ *jira.Options) { c.Kinds = map[string]ticket.Kind{"BUG": ticket.KindBug} }},
		"a status": {false, func(c *jira.Config, _ *jira.Options) {
			c.Statuses = map[string]ticket.Category{"X": ticket.CategoryDone}
		}},
		"a mark":             {false, func(c *jira.Config, _ *jira.Options) { c.OnCall.Labels = []string{"page"} }},
		"a bot":              {false, func(c *jira.Config, _ *jira.Options) { c.Bots = []string{"jenkins"} }},
		"another reach":      {true, func(_ *jira.Config, o *jira.Options) { o.Since = serverNow }},
		"another page size":  {true, func(c *jira.Config, _ *jira.Options) { c.PageSize = 7 }},
		"another credential": {true, func(c *jira.Config, _ *jira.Options) { c.Token = "other" }},
	} {
		got := scope(func(cfg *jira.Config, o *jira.Options) { base(cfg); c.change(cfg, o) })
		if (got == plain) != c.same {
			t.Errorf("%s: the scope is %s, before %s", name, got, plain)
		}
		if strings.Contains(got, testToken) {
			t.Error("the scope tells the token")
		}
	}
}

// Accounts that are configured to be no people are bots, whether an issue describes
// them or only a history names them.
func TestBotsByConfiguration(t *testing.T) {
	eachFlavour(t, func(t *testing.T, flavour jiratest.Flavour) {
		in := newSite(t, jiratest.Options{Flavour: flavour})
		must(t, in.AddUser(jiratest.User{Name: "svc-Deploy", Key: "JIRAUSER77", DisplayName: "Deployments"}))
		must(t, in.AddUser(jiratest.User{Name: "jenkins", Key: "jenkins", Email: "jenkins@build.example.invalid", Deleted: true}))
		id := add(t, in, serverNow.Add(-2*time.Hour))
		for n, name := range []string{"jenkins", "svc-Deploy", "ann"} {
			must(t, in.Edit(id, "bob", serverNow.Add(time.Duration(n-60)*time.Minute), jiratest.Assign(name)))
		}
		must(t, in.Comment(id, "svc-Deploy", serverNow.Add(-time.Minute), "deployed"))
		src := connect(t, in, flavour, func(c *jira.Config, _ *jira.Options) {
			c.Bots = []string{"SVC-*oy", "jenkins"}
			if flavour == jiratest.Cloud { // which has no user names
				c.Bots = []string{jiratest.AccountID("svc-Deploy"), jiratest.AccountID("jenkins")}
			}
		})
		bots := map[string]bool{}
		for _, stream := range []source.Stream{source.StreamOpen, source.StreamOlder} {
			pages, _ := read(t, src, stream, begin)
			for _, p := range pages {
				for _, a := range p.Accounts {
					bots[a.ID] = a.Bot
				}
			}
		}
		if len(bots) != 4 {
			t.Errorf("accounts are %v", bots)
		}
		for id, bot := range bots {
			want := id == "jirauser77" || id == "jenkins" || id == jiratest.AccountID("svc-Deploy") || id == jiratest.AccountID("jenkins")
			if bot != want {
				t.Errorf("%s is a bot: %v", id, bot)
			}
		}
	})
}
