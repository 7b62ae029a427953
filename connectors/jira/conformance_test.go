package jira_test

import (
	"cmp"
	"net/http"
	"testing"
	"time"

	"fairlead/connectors/jira"
	"fairlead/connectors/jira/jiratest"
	"fairlead/connectors/source"
	"fairlead/connectors/source/sourcetest"
	"fairlead/connectors/ticket"
)

func TestSource(t *testing.T) {
	for _, flavour := range []jiratest.Flavour{jiratest.Cloud, jiratest.DataCenter} {
		t.Run(string(flavour), func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Harness{
				New:       func(t testing.TB, o sourcetest.Options) sourcetest.Instance { return newConforming(t, flavour, o) },
				Precision: time.Millisecond,
				Lags:      flavour == jiratest.Cloud,
			})
		})
	}
}

// conforming adapts a jiratest.Instance to the suite's words.
type conforming struct {
	*jiratest.Instance
	options sourcetest.Options
	ids     map[string]string
}

const (
	testToken = "a-token"
	testEmail = "collector@example.invalid"
)

var (
	testProjects = map[string]string{"net": "10001", "db": "10002"}
	testStatuses = map[string]string{sourcetest.StatusNew: "1", sourcetest.StatusWorking: "3", sourcetest.StatusDone: "6"}
)

func newConforming(t testing.TB, flavour jiratest.Flavour, o sourcetest.Options) *conforming {
	options := jiratest.Options{
		Flavour: flavour, Token: testToken, PageCap: o.PageCap, IndexLag: o.IndexLag, TimeZone: "Australia/Lord_Howe",
	}
	if flavour == jiratest.Cloud {
		options.Email = testEmail
	}
	in := jiratest.New(options)
	for _, name := range sourcetest.Accounts {
		must(t, in.AddUser(jiratest.User{Name: name, Key: "JIRAUSER-" + name, Email: name + "@example.invalid"}))
	}
	for key, id := range testProjects {
		must(t, in.AddProject(jiratest.Project{ID: id, Key: key}))
	}
	must(t, in.AddStatus(jiratest.Status{ID: "1", Name: "To Do", Category: jiratest.ToDo}))
	must(t, in.AddStatus(jiratest.Status{ID: "3", Name: "Doing", Category: jiratest.InProgress}))
	must(t, in.AddStatus(jiratest.Status{ID: "6", Name: "Closed", Category: jiratest.Done}))
	must(t, in.AddIssueType(jiratest.IssueType{ID: "10", Name: "Bug"}))
	return &conforming{Instance: in, options: o, ids: map[string]string{}}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *conforming) Handler() http.Handler { return c.Instance }

func (c *conforming) Connect(transport http.RoundTripper) (source.Source, error) {
	cfg := jira.DefaultConfig()
	cfg.URL = "http://source.test"
	cfg.Flavour = jira.Flavour(c.Flavour())
	cfg.Token = testToken
	if cfg.Flavour == jira.Cloud {
		cfg.Email = testEmail
	}
	if c.options.WrongCredential {
		cfg.Token = "another-token"
	}
	cfg.PageSize = c.options.PageSize
	s, err := jira.New(cfg, jira.Options{Name: "jira", Transport: transport, Since: c.options.Since})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (c *conforming) Create(name string, first sourcetest.Update) error {
	id, err := c.Instance.Create(jiratest.Issue{
		Project: testProjects[cmp.Or(first.Set[ticket.FieldGroup], "net")], Type: "10", Status: testStatuses[first.Set[ticket.FieldStatus]],
		Assignee: first.Set[ticket.FieldAssignee], Reporter: first.Actor, Creator: first.Actor, Created: first.At,
	})
	if err != nil {
		return err
	}
	c.ids[name] = id
	return nil
}

func (c *conforming) Update(name string, u sourcetest.Update) error {
	var edits []jiratest.Edit
	if v, ok := u.Set[ticket.FieldAssignee]; ok {
		edits = append(edits, jiratest.Assign(v))
	}
	if v, ok := u.Set[ticket.FieldStatus]; ok {
		edits = append(edits, jiratest.Transition(testStatuses[v]))
	}
	if v, ok := u.Set[ticket.FieldGroup]; ok {
		edits = append(edits, jiratest.Move(testProjects[v]))
	}
	return c.Edit(c.ids[name], u.Actor, u.At, edits...)
}

func (c *conforming) Delete(name string) error { return c.Instance.Delete(c.ids[name]) }

func (c *conforming) Hide(name string, hidden bool) error { return c.Deny(c.ids[name], hidden) }

func (c *conforming) ID(name string) string { return c.ids[name] }

func (c *conforming) Value(field ticket.Field, name string) string {
	switch {
	case name == "":
		return ""
	case field == ticket.FieldStatus:
		return testStatuses[name]
	case field == ticket.FieldGroup:
		return testProjects[name]
	case c.Flavour() == jiratest.Cloud:
		return jiratest.AccountID(name)
	}
	return "jirauser-" + name
}
